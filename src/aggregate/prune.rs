//! Leaves out what no sum of points depends on.

use super::recording::{Id, Node, Permutation, Recording};

/// The same recording without nodes and permutations that nothing uses, in the same order.
pub(super) fn prune(recording: Recording) -> Recording {
    let Recording { slots, nodes, permutations, lhs, rhs } = recording;
    let mut used = vec![false; nodes.len()];
    let mut permuted = vec![false; permutations.len()];
    let mut open: Vec<Id> = lhs.iter().chain(&rhs).map(|(id, _)| *id).collect();
    while let Some(id) = open.pop() {
        if std::mem::replace(&mut used[id], true) {
            continue;
        }
        open.extend(operands(&nodes[id]));
        let mut next = match nodes[id] {
            Node::Squeezed(permutation) => Some(permutation),
            _ => None,
        };
        while let Some(at) = next.filter(|&at| !std::mem::replace(&mut permuted[at], true)) {
            open.extend(permutations[at].added);
            next = permutations[at].before;
        }
    }
    let (ids, places) = (renumbered(&used), renumbered(&permuted));
    let terms = |sum: Vec<(Id, _)>| sum.into_iter().map(|(id, base)| (ids[id], base)).collect();
    Recording {
        slots,
        lhs: terms(lhs),
        rhs: terms(rhs),
        nodes: kept(nodes, &used).map(|node| moved(node, &ids, &places)).collect(),
        permutations: kept(permutations, &permuted)
            .map(|p| Permutation { before: p.before.map(|at| places[at]), added: p.added.map(|id| ids[id]) })
            .collect(),
    }
}

/// What a node is computed from, but for permutations.
pub(super) fn operands(node: &Node) -> Vec<Id> {
    match node {
        Node::Sum { terms, .. } => terms.iter().map(|(_, id)| *id).collect(),
        Node::Product(left, right) => vec![*left, *right],
        Node::Inverse(id) => vec![*id],
        Node::Constant(_)
        | Node::Instance { .. }
        | Node::Evaluation { .. }
        | Node::Coordinate { .. }
        | Node::Half { .. }
        | Node::Squeezed(_) => Vec::new(),
    }
}

fn moved(node: Node, ids: &[Id], places: &[usize]) -> Node {
    match node {
        Node::Sum { terms, constant } => Node::Sum { terms: terms.into_iter().map(|(c, id)| (c, ids[id])).collect(), constant },
        Node::Product(left, right) => Node::Product(ids[left], ids[right]),
        Node::Inverse(id) => Node::Inverse(ids[id]),
        Node::Squeezed(at) => Node::Squeezed(places[at]),
        leaf => leaf,
    }
}

/// Where each thing stands among those that are kept.
fn renumbered(keep: &[bool]) -> Vec<usize> {
    let count = |next: &mut usize, kept: &bool| {
        let at = *next;
        *next += usize::from(*kept);
        Some(at)
    };
    keep.iter().scan(0, count).collect()
}

fn kept<'a, T: 'a>(all: Vec<T>, keep: &'a [bool]) -> impl Iterator<Item = T> + 'a {
    all.into_iter().zip(keep).filter_map(|(thing, keep)| keep.then_some(thing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::recording::{Base, SlotLayout};
    use halo2_proofs::halo2curves::bn256::{Fr, G1Affine};

    #[test]
    fn only_what_the_sums_depend_on_stays() {
        let evaluation = |index| Node::Evaluation { slot: 0, index };
        let step = |before, added| Permutation { before, added };
        let recording = Recording {
            slots: vec![SlotLayout { instances: 0, points: 2, evaluations: 3, accumulates: false }],
            nodes: vec![
                evaluation(0),
                evaluation(1),
                evaluation(2),
                Node::Squeezed(0),
                Node::Squeezed(2),
                Node::Product(2, 4),
                Node::Inverse(3),
            ],
            permutations: vec![step(None, [0, 0]), step(None, [2, 2]), step(Some(1), [2, 1])],
            lhs: vec![(5, Base::Fixed(G1Affine::generator()))],
            rhs: vec![],
        };
        let pruned = prune(recording.clone());
        assert_eq!(pruned.nodes, vec![evaluation(1), evaluation(2), Node::Squeezed(1), Node::Product(1, 2)]);
        assert_eq!(pruned.permutations, vec![step(None, [1, 1]), step(Some(0), [1, 0])]);
        assert_eq!((pruned.lhs[0].0, pruned.slots), (3, recording.slots));
        let sum = Node::Sum { terms: vec![(Fr::one(), 3)], constant: Fr::one() };
        assert_eq!(operands(&sum), vec![3]);
    }
}
