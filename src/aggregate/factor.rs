//! Products with a common factor are added before they are multiplied:
//!
//! ```text
//! f a + f b = f (a + b)            y (f a) + f b = f (y a + b)
//! ```
//!
//! The first is what sums over blinding rows consist of, the second the constraints under one selector, combined with powers of y. A product
//! waits for its factors as long as it has one use only, so no step is done twice.

use super::{
    form::Form,
    prune::operands,
    recorder::Recorder,
    recording::{Id, Node, Permutation, Recording},
};
use halo2_proofs::halo2curves::bn256::Fr;
use std::collections::BTreeMap;

/// Factors, and what they are still to be multiplied with.
type Waiting = (Vec<Id>, Form);

/// A value in the new recording.
#[derive(Clone, Debug)]
enum Value {
    Known(Form),
    Waiting(Waiting),
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
            Value::Waiting(product) => self.multiplied(product),
        }
    }

    fn id(&self, id: Id) -> Id {
        self.recorder.id(&self.form(id))
    }

    fn multiplied(&self, (factors, rest): &Waiting) -> Form {
        factors.iter().fold(rest.clone(), |product, factor| self.recorder.product(&product, &Form::value(*factor)))
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

    /// A product of one use waits; what is used elsewhere too may be a factor that it shares.
    fn product(&self, id: Id, left: Id, right: Id) -> Value {
        let ((mut factors, left), (more, right)) = (self.operand(left), self.operand(right));
        factors.extend(more);
        let product = (factors, self.recorder.product(&left, &right));
        if self.uses[id] == 1 { Value::Waiting(product) } else { Value::Known(self.multiplied(&product)) }
    }

    fn operand(&self, id: Id) -> Waiting {
        match &self.values[id] {
            Value::Waiting(product) => product.clone(),
            Value::Known(form) if self.uses[id] > 1 => match self.recorder.multiple(form) {
                Some((coefficient, factor)) => (vec![factor], Form::constant(coefficient)),
                None => (Vec::new(), form.clone()),
            },
            Value::Known(form) => (Vec::new(), form.clone()),
        }
    }

    fn sum(&self, id: Id, terms: &[(Fr, Id)], constant: Fr) -> Value {
        let mut products: Vec<Waiting> = vec![(Vec::new(), Form::constant(constant))];
        for (coefficient, term) in terms {
            let (factors, rest) = match &self.values[*term] {
                Value::Known(form) => (Vec::new(), form.clone()),
                Value::Waiting(product) => product.clone(),
            };
            products.push((factors, rest.scaled(*coefficient)));
        }
        let sum = self.added(products);
        if self.uses[id] == 1 && !sum.0.is_empty() { Value::Waiting(sum) } else { Value::Known(self.multiplied(&sum)) }
    }

    /// Takes out the factor that most of the products share, as long as two share one.
    fn added(&self, mut products: Vec<Waiting>) -> Waiting {
        loop {
            products = alike(products);
            if let [only] = &products[..] {
                return only.clone();
            }
            let Some(factor) = most_shared(&products) else {
                let sum = products.iter().fold(Form::default(), |sum, product| sum.plus(&self.multiplied(product)));
                return (Vec::new(), sum);
            };
            let (mut with, without): (Vec<Waiting>, Vec<Waiting>) =
                products.into_iter().partition(|(factors, _)| factors.contains(&factor));
            for (factors, _) in &mut with {
                if let Some(at) = factors.iter().position(|other| *other == factor) {
                    factors.swap_remove(at);
                }
            }
            let (mut factors, rest) = self.added(with);
            factors.push(factor);
            products = without;
            products.push((factors, rest));
        }
    }
}

/// Products of the same factors are one; what is zero is none.
fn alike(products: Vec<Waiting>) -> Vec<Waiting> {
    let mut sums: BTreeMap<Vec<Id>, Form> = BTreeMap::new();
    for (mut factors, rest) in products {
        factors.sort_unstable();
        let sum = sums.entry(factors).or_default();
        *sum = sum.plus(&rest);
    }
    sums.into_iter().filter(|(_, rest)| *rest != Form::default()).collect()
}

/// The factor of most products, of at least two.
fn most_shared(products: &[Waiting]) -> Option<Id> {
    let mut counts: BTreeMap<Id, usize> = BTreeMap::new();
    for (factors, _) in products {
        let mut different = factors.clone();
        different.dedup();
        different.into_iter().for_each(|factor| *counts.entry(factor).or_default() += 1);
    }
    let (factor, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (count > 1).then_some(factor)
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
        let layout = SlotLayout { instances: 6, points: 2, evaluations: 0, accumulates: false };
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
