//! Writes nodes down, equal ones once.

use super::{
    form::Form,
    recording::{Id, Node, Permutation},
};
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};
use std::{cell::RefCell, collections::HashMap, rc::Rc};

/// A handle of what has been recorded so far; clones share it.
#[derive(Clone, Default)]
pub(super) struct Recorder(Rc<RefCell<Tape>>);

#[derive(Default)]
struct Tape {
    nodes: Vec<Node>,
    known: HashMap<Node, Id>,
    permutations: Vec<Permutation>,
    fault: Option<&'static str>,
}

impl Tape {
    fn node(&mut self, node: Node) -> Id {
        if let Some(&id) = self.known.get(&node) {
            return id;
        }
        let id = self.nodes.len();
        self.nodes.push(node.clone());
        self.known.insert(node, id);
        id
    }

    fn sum(&mut self, form: &Form) -> Id {
        self.node(Node::Sum { terms: form.terms().collect(), constant: form.offset() })
    }

    /// A multiple of one value that equals `form`; none of a constant.
    fn multiple(&mut self, form: &Form) -> Option<(Fr, Id)> {
        match form.as_multiple() {
            Some(multiple) => Some(multiple),
            None => form.normalised().map(|(factor, base)| (factor, self.sum(&base))),
        }
    }
}

impl Recorder {
    /// A value that is no sum, product or inverse.
    pub fn leaf(&self, node: Node) -> Form {
        Form::value(self.0.borrow_mut().node(node))
    }

    /// The node that holds `form`.
    pub fn id(&self, form: &Form) -> Id {
        let mut tape = self.0.borrow_mut();
        match (form.as_constant(), form.as_multiple()) {
            (Some(constant), _) => tape.node(Node::Constant(constant)),
            (_, Some((Fr::ONE, id))) => id,
            _ => tape.sum(form),
        }
    }

    pub fn product(&self, left: &Form, right: &Form) -> Form {
        let mut tape = self.0.borrow_mut();
        match (tape.multiple(left), tape.multiple(right)) {
            (None, _) => right.scaled(left.offset()),
            (_, None) => left.scaled(right.offset()),
            (Some((x, a)), Some((y, b))) => Form::value(tape.node(Node::Product(a.min(b), a.max(b)))).scaled(x * y),
        }
    }

    /// None of zero.
    pub fn inverse(&self, form: &Form) -> Option<Form> {
        let mut tape = self.0.borrow_mut();
        match tape.multiple(form) {
            None => Option::<Fr>::from(form.offset().invert()).map(Form::constant),
            Some((factor, id)) => {
                let inverse: Option<Fr> = factor.invert().into();
                inverse.map(|inverse| Form::value(tape.node(Node::Inverse(id))).scaled(inverse))
            }
        }
    }

    /// Records a permutation; its place.
    pub fn permute(&self, before: Option<usize>, added: [Id; 2]) -> usize {
        let permutations = &mut self.0.borrow_mut().permutations;
        permutations.push(Permutation { before, added });
        permutations.len() - 1
    }

    /// Notes that something was asked for that cannot be recorded; the first such thing counts.
    pub fn refuse(&self, what: &'static str) {
        self.0.borrow_mut().fault.get_or_insert(what);
    }

    /// What could not be recorded.
    pub fn fault(&self) -> Option<&'static str> {
        self.0.borrow().fault
    }

    /// Everything recorded.
    pub fn take(&self) -> (Vec<Node>, Vec<Permutation>) {
        let tape = std::mem::take(&mut *self.0.borrow_mut());
        (tape.nodes, tape.permutations)
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recorder({} nodes)", self.0.borrow().nodes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_things_are_recorded_once_and_constants_never() {
        let recorder = Recorder::default();
        let [a, b] = [0, 1].map(|index| recorder.leaf(Node::Evaluation { slot: 0, index }));
        let difference = a.plus(&b.scaled(-Fr::ONE));
        let opposite = b.plus(&a.scaled(-Fr::ONE));
        let product = recorder.product(&difference, &a);
        assert_eq!(recorder.product(&a, &opposite), product.scaled(-Fr::ONE));
        assert_eq!(recorder.product(&Form::constant(Fr::from(3)), &a), a.scaled(Fr::from(3)));
        let inverse = recorder.inverse(&difference).unwrap();
        assert_eq!(recorder.inverse(&opposite.scaled(Fr::from(2))).unwrap(), inverse.scaled(-Fr::from(2).invert().unwrap()));
        assert_eq!(recorder.inverse(&Form::constant(Fr::ZERO)), None);
        // a, b, a - b, its product with a, its inverse
        assert_eq!(recorder.take().0.len(), 5);
    }
}
