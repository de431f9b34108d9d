//! Lines of inline assembly, and expressions as calls of `addmod` and `mulmod`.

use super::{
    expression::{Graph, Leaf, Node, Term, is_short},
    memory::Memory,
};
use alloy::primitives::U256;
use halo2_proofs::halo2curves::{bn256::Fr, ff::PrimeField};
use std::{
    collections::HashMap,
    fmt::{self, Display, Formatter},
    ops::Range,
};

/// The width of a line, as `forge fmt` wraps it.
const WIDTH: usize = 120;
/// The deepest stack that an expression may need beside the block's variables: the machine reaches 16 words.
const DEEPEST: usize = 9;

/// The lines of one function's assembly block.
#[derive(Debug, Default)]
pub struct Block {
    lines: Vec<String>,
}

impl Block {
    /// Appends a statement.
    pub fn line(&mut self, text: impl Into<String>) {
        self.lines.push(text.into());
    }

    /// Takes the last statement back if it is this one: behind a loop or a list, nothing would read what it writes.
    pub fn take_back(&mut self, text: &str) {
        self.lines.pop_if(|last| last == text);
    }

    /// Appends a comment.
    pub fn comment(&mut self, text: &str) {
        self.lines.push(format!("// {text}"));
    }

    /// A loop over `count` words from `start` on, `turn` of them in one turn, and those that are left behind it. `body` has the statements for
    /// some of the words.
    pub fn turns(&mut self, start: &str, count: usize, turn: usize, body: impl Fn(&[Word]) -> Vec<String>) {
        let looped = if count > turn { count / turn * turn } else { 0 };
        let words = |start: &str, range: Range<usize>| -> Vec<Word> {
            range.map(|index| Word { start: start.to_owned(), index }).collect()
        };
        if looped > 0 {
            let end = Word { start: start.to_owned(), index: looped };
            self.line(format!("for {{ let word := {start} }} lt(word, {end}) {{ word := add(word, {:#x}) }} {{", 32 * turn));
            body(&words("word", 0..turn)).iter().for_each(|line| self.line(format!("    {line}")));
            self.line("}");
        }
        if looped < count {
            body(&words(start, looped..count)).iter().for_each(|line| self.line(line));
        }
    }

    /// The same statements `count` times, `turn` times in one turn of a loop; without a loop where it would have one turn.
    pub fn repeat(&mut self, count: usize, turn: usize, body: &[String]) {
        let turns = if count < 2 * turn { 0 } else { count / turn };
        if turns > 0 {
            self.line(format!("for {{ let i := {turns} }} i {{ i := sub(i, 1) }} {{"));
            (0..turn).flat_map(|_| body).for_each(|line| self.line(format!("    {line}")));
            self.line("}");
        }
        (turns * turn..count).flat_map(|_| body).for_each(|line| self.line(line));
    }

    /// The text, indented as in a function of the contract.
    pub fn text(&self) -> String {
        let lines: Vec<String> = self
            .lines
            .iter()
            .map(|line| line.trim_start())
            .zip(&self.lines)
            .map(|(text, line)| wrap(12 + line.len() - text.len(), text, ""))
            .collect();
        lines.join("\n")
    }
}

/// A word of memory by what it is counted from.
#[derive(Clone, Debug)]
pub struct Word {
    /// An address: a constant's name, or a variable.
    pub start: String,
    /// So many words further.
    pub index: usize,
}

impl Word {
    /// The word so many words behind this one.
    pub fn behind(&self, words: usize) -> Self {
        Self { start: self.start.clone(), index: self.index + words }
    }
}

/// Its address.
impl Display for Word {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.index {
            0 => f.write_str(&self.start),
            index => write!(f, "add({}, {:#x})", self.start, 32 * index),
        }
    }
}

/// `text` and what ends its line, wrapped as `forge fmt` does: the arguments of a call that is too long on lines of their own.
fn wrap(indent: usize, text: &str, end: &str) -> String {
    let margin = " ".repeat(indent);
    let call = text.strip_suffix(')').filter(|_| !text.starts_with("//")).and_then(|text| text.split_once('('));
    match call {
        Some((head, arguments)) if indent + text.len() + end.len() > WIDTH => {
            let arguments = split(arguments);
            let last = arguments.len() - 1;
            let wrapped = arguments.iter().enumerate().map(|(i, a)| wrap(indent + 4, a, if i < last { "," } else { "" }));
            let lines: Vec<String> = wrapped.collect();
            format!("{margin}{head}(\n{}\n{margin}){end}", lines.join("\n"))
        }
        _ => format!("{margin}{text}{end}"),
    }
}

/// The arguments of a call.
fn split(arguments: &str) -> Vec<&str> {
    let (mut depth, mut start, mut all) = (0, 0, Vec::new());
    for (at, byte) in arguments.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b',' if depth == 0 => {
                all.push(arguments[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    all.push(arguments[start..].trim());
    all
}

/// A number as a literal: decimal where it is small.
pub fn literal(value: &Fr) -> String {
    word(U256::from_le_bytes(value.to_repr()))
}

/// A word as a literal.
pub fn word(value: U256) -> String {
    if value < U256::from(1000) { value.to_string() } else { format!("{value:#x}") }
}

/// Writes expressions of a graph; what is used twice, or needs too deep a stack, goes through a word of memory.
///
/// The block has a variable `r`, the field's order. Every value is at most `r` (`sub(r, 0)` is the one that reaches it), which
/// `addmod`, `mulmod` and `sub(r, ..)` all take.
pub struct Writer<'a> {
    graph: &'a Graph,
    uses: HashMap<Node, usize>,
    written: HashMap<Node, String>,
    leaves: &'a dyn Fn(Leaf) -> String,
    memory: &'a mut Memory,
    kept: usize,
}

/// A written expression with what its evaluation takes from the stack.
struct Piece {
    text: String,
    depth: usize,
}

impl<'a> Writer<'a> {
    /// A writer for the expressions of `roots`.
    pub fn new(graph: &'a Graph, roots: &[Node], leaves: &'a dyn Fn(Leaf) -> String, memory: &'a mut Memory) -> Self {
        Self { graph, uses: graph.uses(roots), written: HashMap::new(), leaves, memory, kept: 0 }
    }

    /// The text of `node`; words that it needs are assigned in `block` before.
    pub fn expression(&mut self, node: Node, block: &mut Block) -> String {
        self.piece(node, block).text
    }

    fn piece(&mut self, node: Node, block: &mut Block) -> Piece {
        if let Some(text) = self.written.get(&node) {
            return Piece { text: text.clone(), depth: 1 };
        }
        let piece = match self.graph.term(node) {
            Term::Leaf(leaf) => return Piece { text: (self.leaves)(leaf), depth: 1 },
            // A word is worth it only where the literal is long; below it gets one where it is used twice.
            Term::Constant(value) if is_short(&value) => return Piece { text: literal(&value), depth: 1 },
            Term::Constant(value) => Piece { text: literal(&value), depth: 1 },
            Term::Sub(a, b) if self.graph.value(a).is_some_and(|v| v == Fr::zero()) => {
                let b = self.piece(b, block);
                Piece { text: format!("sub(r, {})", b.text), depth: b.depth.max(2) }
            }
            Term::Sub(a, b) => {
                let b = self.piece(b, block);
                let negated = Piece { text: format!("sub(r, {})", b.text), depth: b.depth.max(2) };
                let a = self.piece(a, block);
                self.call("addmod", a, negated, block)
            }
            Term::Add(a, b) => {
                let (a, b) = (self.piece(a, block), self.piece(b, block));
                self.call("addmod", a, b, block)
            }
            Term::Mul(a, b) => {
                let (a, b) = (self.piece(a, block), self.piece(b, block));
                self.call("mulmod", a, b, block)
            }
        };
        if self.uses[&node] < 2 {
            return piece;
        }
        let piece = self.keep(piece, block);
        self.written.insert(node, piece.text.clone());
        piece
    }

    /// `name(a, b, r)`. Arguments are evaluated from the last to the first, so the deeper operand comes second.
    fn call(&mut self, name: &str, a: Piece, b: Piece, block: &mut Block) -> Piece {
        let (a, mut b) = if a.depth > b.depth { (b, a) } else { (a, b) };
        if (1 + b.depth).max(2 + a.depth) > DEEPEST {
            b = self.keep(b, block);
        }
        let depth = (1 + b.depth).max(2 + a.depth);
        Piece { text: format!("{name}({}, {}, r)", a.text, b.text), depth }
    }

    fn keep(&mut self, piece: Piece, block: &mut Block) -> Piece {
        let name = self.memory.word(&format!("KEPT_{}", self.kept));
        self.kept += 1;
        block.line(format!("mstore({name}, {})", piece.text));
        Piece { text: format!("mload({name})"), depth: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::Block;

    /// Runs the text of a loop whose body is a line of addresses: which words it comes to.
    fn visited(count: usize, turn: usize) -> Vec<usize> {
        let mut block = Block::default();
        block.turns("START", count, turn, |words| words.iter().map(ToString::to_string).collect());
        let mut all = Vec::new();
        let (mut body, mut turns): (Vec<usize>, usize) = (Vec::new(), 0);
        for line in &block.lines {
            let number = |text: &str| usize::from_str_radix(text, 16).unwrap() / 32;
            let index = |text: &str, start: &str| match text.strip_prefix(&format!("add({start}, 0x")) {
                Some(rest) => number(rest.trim_end_matches(')')),
                None => (text == start).then_some(0).unwrap(),
            };
            if let Some(head) = line.strip_prefix("for { let word := START } lt(word, add(START, 0x") {
                let (end, step) = head.split_once(")) { word := add(word, 0x").unwrap();
                let (end, step) = (number(end), number(step.trim_end_matches(") } {")));
                assert_eq!((end % step, step), (0, turn));
                turns = end / step;
            } else if line == "}" {
                all.extend((0..turns).flat_map(|i| body.iter().map(move |word| turn * i + word)));
            } else if let Some(inner) = line.strip_prefix("    ") {
                body.push(index(inner, "word"));
            } else {
                all.push(index(line, "START"));
            }
        }
        all
    }

    #[test]
    fn every_word_has_its_turn_once() {
        for turn in [2, 4, 5] {
            for count in 0..=3 * turn + 1 {
                assert_eq!(visited(count, turn), (0..count).collect::<Vec<_>>(), "{count} words, {turn} in a turn");
            }
        }
    }

    #[test]
    fn a_repeated_statement_runs_so_often() {
        for turn in [1, 2, 4] {
            for count in 0..=3 * turn + 1 {
                let mut block = Block::default();
                block.repeat(count, turn, &["step()".into()]);
                let (mut turns, mut runs) = (0, 0);
                for line in &block.lines {
                    if let Some(rest) = line.strip_prefix("for { let i := ") {
                        turns = rest.split_once(" }").unwrap().0.parse().unwrap();
                    } else {
                        runs += if line.starts_with("    ") { turns } else { usize::from(line != "}") };
                    }
                }
                assert_eq!(runs, count, "{turn} in a turn");
            }
        }
    }
}
