//! The transcript of a proof that is not there: every read is a value to come, every challenge a permutation's.

use super::{
    form::Form,
    loader::{Point, Scalar},
    recorder::Recorder,
    recording::{Axis, Base, Node, SlotLayout},
};
use crate::gates::transcript_sponge::{coordinates, pairs};
use halo2_proofs::halo2curves::bn256::{Fr, G1Affine};
use snark_verifier::{
    Error,
    util::transcript::{Transcript, TranscriptRead},
};

/// `gates/transcript_sponge.rs` over a recording.
#[derive(Clone, Debug)]
pub(super) struct Sponge {
    recorder: Recorder,
    state: Option<usize>,
    queue: Vec<Form>,
}

impl Sponge {
    pub fn new(recorder: &Recorder) -> Self {
        Self { recorder: recorder.clone(), state: None, queue: Vec::new() }
    }

    pub fn absorb(&mut self, value: Form) {
        self.queue.push(value);
    }

    pub fn squeeze(&mut self) -> Form {
        let queue = self.queue.drain(..).map(|form| self.recorder.id(&form)).collect();
        let [one, zero] = [Fr::one(), Fr::zero()].map(|constant| self.recorder.id(&Form::constant(constant)));
        let mut last = 0;
        for added in pairs(queue, one, zero) {
            last = self.recorder.permute(self.state, added);
            self.state = Some(last);
        }
        self.recorder.leaf(Node::Squeezed(last))
    }
}

/// Reads the proof of one slot.
#[derive(Debug)]
pub(super) struct Reader {
    recorder: Recorder,
    slot: usize,
    sponge: Sponge,
    points: usize,
    evaluations: usize,
    /// How many points were read when the last scalar was.
    points_before: usize,
}

impl Reader {
    pub fn new(recorder: &Recorder, slot: usize) -> Self {
        let sponge = Sponge::new(recorder);
        Self { recorder: recorder.clone(), slot, sponge, points: 0, evaluations: 0, points_before: 0 }
    }

    /// What was read, if it is points, scalars and two more points.
    pub fn layout(&self, instances: usize, accumulates: bool) -> Option<SlotLayout> {
        let layout = SlotLayout { instances, points: self.points, evaluations: self.evaluations, accumulates };
        (self.points == self.points_before + 2).then_some(layout)
    }

    /// One more challenge, of everything read.
    pub fn last_challenge(mut self) -> Form {
        self.sponge.squeeze()
    }

    fn coordinate(&self, slot: usize, index: usize, axis: Axis) -> Form {
        self.recorder.leaf(Node::Coordinate { slot, index, axis })
    }
}

impl Transcript<G1Affine, Recorder> for Reader {
    fn loader(&self) -> &Recorder {
        &self.recorder
    }

    fn squeeze_challenge(&mut self) -> Scalar {
        Scalar { recorder: self.recorder.clone(), form: self.sponge.squeeze() }
    }

    fn common_ec_point(&mut self, point: &Point) -> Result<(), Error> {
        let refused = || Error::Transcript(std::io::ErrorKind::Unsupported, "only single points are hashed".into());
        let [(factor, base)] = &point.terms[..] else { return Err(refused()) };
        if factor.as_constant() != Some(Fr::one()) {
            return Err(refused());
        }
        let [x, y] = match base {
            Base::Proof { slot, index } => [Axis::X, Axis::Y].map(|axis| self.coordinate(*slot, *index, axis)),
            Base::Fixed(point) => coordinates(point).ok_or_else(refused)?.map(Form::constant),
        };
        self.sponge.absorb(x);
        self.sponge.absorb(y);
        Ok(())
    }

    fn common_scalar(&mut self, scalar: &Scalar) -> Result<(), Error> {
        self.sponge.absorb(scalar.form.clone());
        Ok(())
    }
}

impl TranscriptRead<G1Affine, Recorder> for Reader {
    fn read_scalar(&mut self) -> Result<Scalar, Error> {
        let node = Node::Evaluation { slot: self.slot, index: self.evaluations };
        (self.evaluations, self.points_before) = (self.evaluations + 1, self.points);
        let scalar = Scalar { recorder: self.recorder.clone(), form: self.recorder.leaf(node) };
        self.common_scalar(&scalar)?;
        Ok(scalar)
    }

    fn read_ec_point(&mut self) -> Result<Point, Error> {
        let point = Point::base(&self.recorder, Base::Proof { slot: self.slot, index: self.points });
        self.points += 1;
        self.common_ec_point(&point)?;
        Ok(point)
    }
}
