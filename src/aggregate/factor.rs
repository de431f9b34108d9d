//! Products with a common factor are added before they are multiplied:
//!
//! ```text
//! f a + f b = f (a + b)            y (f a) + f b = f (y a + b)
//! ```
//!
//! The first is what sums over blinding rows consist of, the second the constraints under one selector, combined with powers of y. A product
//! waits for its factor as long as it has one use only, so no step is done twice.

use super::{
    form::Form,
    prune::operands,
    recorder::Recorder,
    recording::{Id, Node, Permutation, Recording},
};
use halo2_proofs::halo2curves::bn256::Fr;
use std::collections::BTreeMap;

/// A value in the new recording.
#[derive(Clone, Debug)]
enum Value {
    Known(Form),
    /// The factor, and what it is still to be multiplied with.
    Waiting(Id, Form),
}

/// What has been rewritten.
struct Rewriting {
    recorder: Recorder,
    uses: Vec<usize>,
    values: Vec<Value>,
}

/// The same values with fewer products. Nothing of the recording is unused.
pub(super) fn factored(recording: Recording) -> Recording {
    let Recording { slots, nodes, permutations, lhs, rhs } = recording;
    let mut uses = vec![0; nodes.len()];
    let added = permutations.iter().flat_map(|permutation| permutation.added);
    let summed = lhs.iter().chain(&rhs).map(|(id, _)| *id);
    nodes.iter().flat_map(operands).chain(added).chain(summed).for_each(|id| uses[id] += 1);
    let mut new = Rewriting { recorder: Recorder::default(), uses, values: Vec::with_capacity(nodes.len()) };
    let mut taken = 0;
    for (id, node) in nodes.into_iter().enumerate() {
        if let Node::Squeezed(place) = node {
            while taken <= place {
                let Permutation { before, added } = permutations[taken].clone();
                new.recorder.permute(before, added.map(|id| new.id(id)));
                taken += 1;
            }
        }
        let value = new.rewritten(id, node);
        new.values.push(value);
    }
    let [lhs, rhs] = [lhs, rhs].map(|sum| sum.into_iter().map(|(id, base)| (new.id(id), base)).collect());
    let (nodes, permutations) = new.recorder.take();
    Recording { slots, nodes, permutations, lhs, rhs }
}

impl Rewriting {
    fn form(&self, id: Id) -> Form {
        match &self.values[id] {
            Value::Known(form) => form.clone(),
            Value::Waiting(factor, rest) => self.recorder.product(&Form::value(*factor), rest),
        }
    }

    fn id(&self, id: Id) -> Id {
        self.recorder.id(&self.form(id))
    }

    fn rewritten(&self, id: Id, node: Node) -> Value {
        match node {
            Node::Constant(constant) => Value::Known(Form::constant(constant)),
            Node::Sum { terms, constant } => self.sum(id, &terms, constant),
            Node::Product(left, right) => self.product(id, left, right),
            Node::Inverse(of) => Value::Known(self.recorder.leaf(Node::Inverse(self.id(of)))),
            leaf => Value::Known(self.recorder.leaf(leaf)),
        }
    }

    fn product(&self, id: Id, left: Id, right: Id) -> Value {
        let whole = || Value::Known(self.recorder.product(&self.form(left), &self.form(right)));
        if self.uses[id] != 1 {
            return whole();
        }
        match (&self.values[left], &self.values[right]) {
            (Value::Waiting(factor, rest), _) => Value::Waiting(*factor, self.recorder.product(rest, &self.form(right))),
            (_, Value::Waiting(factor, rest)) => Value::Waiting(*factor, self.recorder.product(&self.form(left), rest)),
            _ => {
                let (factor, rest) = if self.uses[left] > self.uses[right] { (left, right) } else { (right, left) };
                match self.form(factor).as_multiple() {
                    Some((coefficient, factor)) if left != right => Value::Waiting(factor, self.form(rest).scaled(coefficient)),
                    _ => whole(),
                }
            }
        }
    }

    fn sum(&self, id: Id, terms: &[(Fr, Id)], constant: Fr) -> Value {
        let mut plain = Form::constant(constant);
        let mut groups: BTreeMap<Id, Form> = BTreeMap::new();
        for (coefficient, term) in terms {
            match &self.values[*term] {
                Value::Known(form) => plain = plain.plus(&form.scaled(*coefficient)),
                Value::Waiting(factor, rest) => {
                    let group = groups.entry(*factor).or_default();
                    *group = group.plus(&rest.scaled(*coefficient));
                }
            }
        }
        let mut groups = groups.into_iter();
        match (groups.next(), groups.len()) {
            (Some((factor, rest)), 0) if plain == Form::default() && self.uses[id] == 1 => Value::Waiting(factor, rest),
            (first, _) => {
                let products = first.into_iter().chain(groups).map(|(f, rest)| self.recorder.product(&Form::value(f), &rest));
                Value::Known(products.fold(plain, |sum, product| sum.plus(&product)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::{
        recording::{Base, SlotLayout},
        {InnerProof, evaluate, prune::prune},
    };
    use halo2_proofs::halo2curves::{bn256::G1Affine, ff::PrimeField};

    fn instance(index: usize) -> Node {
        Node::Instance { slot: 0, index }
    }

    /// `1 + y (f a) + f b - 2 f c + y d` and its square; `f c` once more, so that it is not taken apart.
    fn sample() -> Recording {
        let one = Fr::one();
        let layout = SlotLayout { instances: 6, points: 2, evaluations: 0 };
        let mut nodes: Vec<Node> = (0..6).map(instance).collect();
        let [a, b, c, d, f, y] = [0, 1, 2, 3, 4, 5];
        nodes.extend([Node::Product(f, a), Node::Product(y, 6), Node::Product(f, b), Node::Product(f, c), Node::Product(y, d)]);
        nodes.push(Node::Sum { terms: vec![(one, 7), (one, 8), (-one.double(), 9), (one, 10)], constant: one });
        nodes.push(Node::Product(11, 11));
        nodes.push(Node::Squeezed(0));
        let base = Base::Fixed(G1Affine::generator());
        let permutations = vec![Permutation { before: None, added: [9, 12] }];
        Recording { slots: vec![layout], nodes, permutations, lhs: vec![(12, base), (9, base)], rhs: vec![(13, base)] }
    }

    #[test]
    fn values_stay_and_products_become_fewer() {
        let (before, after) = (sample(), prune(factored(sample())));
        let products = |recording: &Recording| recording.nodes.iter().filter(|node| matches!(node, Node::Product(..))).count();
        assert_eq!((products(&before), products(&after)), (6, 5));
        let generator = [&Fr::one().to_repr()[..], &Fr::from(2).to_repr()[..]].concat();
        let mut proof = [generator.clone(), generator].concat();
        proof.chunks_exact_mut(32).for_each(<[u8]>::reverse);
        let instances: Vec<Fr> = [3, 5, 7, 11, 13, 17].map(Fr::from).to_vec();
        let inner = [InnerProof { instances: &instances, proof: &proof }];
        let [before, after] = [before, after].map(|recording| {
            let values = evaluate(&recording, &inner).unwrap();
            (recording.lhs.iter().chain(&recording.rhs).map(|(id, _)| values.nodes[*id]).collect::<Vec<_>>(), values.states)
        });
        assert_eq!(before, after);
    }
}
