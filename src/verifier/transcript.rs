//! Reading the proof: calldata into memory, in the order of the transcript, and the challenges.
//!
//! A challenge is `keccak256(state ‖ what came since) mod r`, where the state is the hash before it; the first state is the
//! verifying key's digest. Where nothing came since, the byte 1 stands in its place. Each phase is laid out behind the word of its
//! state, so that it is hashed where it lies.

use super::{
    accumulator,
    memory::Memory,
    protocol::Protocol,
    split,
    yul::{Block, literal},
};

/// What the transcript leaves in memory.
#[derive(Debug, Default)]
pub struct Transcript {
    /// The name of the commitment of each of the prover's polynomials, in the protocol's order of them.
    pub points: Vec<String>,
    /// Names of the commitments of the quotient's chunks.
    pub quotients: Vec<String>,
    /// Names of the evaluations' words.
    pub evaluations: Vec<String>,
    /// Names of the words of the phases' challenges.
    pub challenges: Vec<String>,
    /// Bytes of the proof.
    pub length: usize,
    /// The statements.
    pub block: Block,
}

/// Where the proof is read, and the address at which the next hash begins.
struct Reader<'a> {
    memory: &'a mut Memory,
    out: Transcript,
    phase: usize,
    /// Name and first address of the open hash; none after a hash that nothing follows yet.
    open: Option<(String, usize)>,
}

/// Plans the memory of the transcript and writes the statements that fill it.
pub fn read(protocol: &Protocol, challenge_names: Vec<String>, memory: &mut Memory) -> Transcript {
    memory.section("The transcript: behind each state what the prover sent next.");
    let mut reader = Reader { memory, out: Transcript::default(), phase: 0, open: None };
    reader.begin(protocol);
    let (mut poly, mut challenge) = (protocol.first_witness(), 0);
    for phase in &protocol.phases {
        let named: Vec<String> = protocol.names.polynomials[poly..poly + phase.points].to_vec();
        poly += phase.points;
        let points = reader.points(&named);
        reader.out.points.extend(points);
        for name in &challenge_names[challenge..challenge + phase.challenges] {
            reader.squeeze(name);
        }
        challenge += phase.challenges;
    }
    let quotients: Vec<String> = (0..protocol.quotients).map(|i| format!("QUOTIENT_{i}")).collect();
    reader.out.quotients = reader.points(&quotients);
    reader.squeeze("POINT");
    reader.scalars(protocol);
    reader.squeeze("MU");
    reader.squeeze("NU");
    reader.points(&["OPENING".into()]);
    reader.squeeze("OPENING_POINT");
    reader.points(&["OPENING_QUOTIENT".into()]);
    // Behind all that the prover sent.
    let last = protocol.accumulates().then_some(accumulator::CHALLENGE);
    last.into_iter().for_each(|name| reader.squeeze(name));
    reader.memory.section("The challenges.");
    for name in challenge_names.iter().map(String::as_str).chain(["POINT", "MU", "NU", "OPENING_POINT"]).chain(last) {
        reader.memory.word(name);
    }
    if protocol.accumulates() {
        accumulator::reserve_points(reader.memory);
    }
    Transcript { challenges: challenge_names, ..reader.out }
}

impl Reader<'_> {
    fn begin(&mut self, protocol: &Protocol) {
        let digest = match protocol.split {
            true => format!("mload({})", split::KEY_DIGEST),
            false => literal(&protocol.digest),
        };
        let start = self.memory.end();
        let name = self.memory.word("TRANSCRIPT_0");
        self.memory.words("PUBLIC_INPUTS", protocol.public_inputs);
        if protocol.accumulates() {
            accumulator::reserve_words(self.memory);
        }
        self.out.block.line("let r := R");
        self.out.block.line(format!("mstore({name}, {digest})"));
        self.out.block.line(format!("calldatacopy(PUBLIC_INPUTS, publicInputs.offset, {:#x})", 32 * protocol.public_inputs));
        if protocol.accumulates() {
            accumulator::read(&mut self.out.block);
            self.out.length += accumulator::BYTES;
        }
        self.out.block.line("let hash");
        self.open = Some((name, start));
    }

    /// Copies the next `words` words of the proof to the end of the open hash.
    fn copy(&mut self, to: &str, words: usize) {
        let from = match self.out.length {
            0 => "proof.offset".to_string(),
            offset => format!("add(proof.offset, {offset:#x})"),
        };
        self.out.block.line(format!("calldatacopy({to}, {from}, {:#x})", 32 * words));
        self.out.length += 32 * words;
    }

    fn open(&mut self) {
        if self.open.is_none() {
            self.phase += 1;
            let start = self.memory.end();
            let name = self.memory.word(&format!("TRANSCRIPT_{}", self.phase));
            self.out.block.line(format!("mstore({name}, hash)"));
            self.open = Some((name, start));
        }
    }

    fn points(&mut self, names: &[String]) -> Vec<String> {
        let Some(first) = names.first() else { return Vec::new() };
        self.open();
        let named: Vec<String> = names.iter().map(|name| format!("COMMITMENT_{name}")).collect();
        named.iter().for_each(|name| self.memory.point(name));
        self.copy(&format!("COMMITMENT_{first}_X"), 2 * names.len());
        named
    }

    fn scalars(&mut self, protocol: &Protocol) {
        self.open();
        let named: Vec<String> =
            protocol.evaluations.iter().map(|query| self.memory.word(&protocol.names.evaluation(*query))).collect();
        if let Some(first) = named.first() {
            self.copy(first, named.len());
        }
        self.out.evaluations = named;
    }

    fn squeeze(&mut self, name: &str) {
        match self.open.take() {
            Some((state, start)) => {
                let length = self.memory.end() - start;
                self.out.block.line(format!("hash := keccak256({state}, {length:#x})"));
            }
            None => self.out.block.line("hash := again(hash)"),
        }
        self.out.block.line(format!("mstore({name}, mod(hash, r))"));
    }
}
