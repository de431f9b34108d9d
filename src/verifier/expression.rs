//! Arithmetic over the scalar field as a graph in which equal expressions are one node.

use halo2_proofs::{
    arithmetic::Field,
    halo2curves::{bn256::Fr, ff::PrimeField},
};
use std::collections::HashMap;

/// A node of a [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node(usize);

/// What the contract's memory holds before the expressions are evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leaf {
    /// The proof's evaluation with this index.
    Evaluation(usize),
    /// The value of the instance column at the evaluation point.
    Instances,
    /// The transcript's challenge with this index, from 0 over all phases.
    Challenge(usize),
    /// The Lagrange polynomials of these rows, first to last, added up; negative rows count from the end.
    Lagrange(i32, i32),
    /// The evaluation point.
    Point,
}

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Term {
    /// A number, never one whose negation is shorter.
    Constant(Fr),
    /// A word of memory.
    Leaf(Leaf),
    /// `a + b`
    Add(Node, Node),
    /// `a - b`
    Sub(Node, Node),
    /// `a * b`
    Mul(Node, Node),
}

/// Expressions without duplicates. Constants are folded, and minus signs travel outwards until a subtraction takes them.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    terms: Vec<Term>,
    known: HashMap<Term, Node>,
}

impl Graph {
    /// The operation of a node.
    pub fn term(&self, node: Node) -> Term {
        self.terms[node.0]
    }

    /// A word of memory.
    pub fn leaf(&mut self, leaf: Leaf) -> Node {
        self.intern(Term::Leaf(leaf))
    }

    /// The node of a word of memory, if some expression has it.
    pub fn known(&self, leaf: Leaf) -> Option<Node> {
        self.known.get(&Term::Leaf(leaf)).copied()
    }

    /// A number. `-c` becomes `0 - c` where that is shorter to write.
    pub fn constant(&mut self, value: Fr) -> Node {
        if is_short(&-value) && !is_short(&value) {
            let magnitude = self.intern(Term::Constant(-value));
            let zero = self.zero();
            return self.intern(Term::Sub(zero, magnitude));
        }
        self.intern(Term::Constant(value))
    }

    /// `-a`
    pub fn neg(&mut self, a: Node) -> Node {
        let zero = self.zero();
        self.sub(zero, a)
    }

    /// `a + b`
    pub fn add(&mut self, a: Node, b: Node) -> Node {
        if let (Some(x), Some(y)) = (self.value(a), self.value(b)) {
            return self.constant(x + y);
        }
        match (self.negated(a), self.negated(b)) {
            (_, Some(b)) => self.sub(a, b),
            (Some(a), _) => self.sub(b, a),
            _ if self.value(a) == Some(Fr::ZERO) => b,
            _ if self.value(b) == Some(Fr::ZERO) => a,
            _ => match (self.term(a), self.term(b)) {
                // Rows that lie behind each other are one sum.
                (Term::Leaf(Leaf::Lagrange(first, i)), Term::Leaf(Leaf::Lagrange(j, last))) if i + 1 == j => {
                    self.leaf(Leaf::Lagrange(first, last))
                }
                _ => self.intern(Term::Add(a.min(b), a.max(b))),
            },
        }
    }

    /// `x` where the node is `factor * x` or `-(factor * x)`, its sign included.
    pub fn divided(&mut self, node: Node, factor: Node) -> Option<Node> {
        if let Some(positive) = self.negated(node) {
            let quotient = self.divided(positive, factor)?;
            return Some(self.neg(quotient));
        }
        match self.term(node) {
            Term::Mul(a, b) if a == factor => Some(b),
            Term::Mul(a, b) if b == factor => Some(a),
            _ => None,
        }
    }

    /// The factors that a node is written as a product of.
    pub fn factors(&self, node: Node) -> Vec<Node> {
        match self.term(self.negated(node).unwrap_or(node)) {
            Term::Mul(a, b) => vec![a, b],
            _ => Vec::new(),
        }
    }

    /// `a - b`
    pub fn sub(&mut self, a: Node, b: Node) -> Node {
        if let (Some(x), Some(y)) = (self.value(a), self.value(b)) {
            return self.constant(x - y);
        }
        match (self.negated(a), self.negated(b)) {
            (_, Some(b)) => self.add(a, b),
            (Some(a), _) => {
                let sum = self.add(a, b);
                self.neg(sum)
            }
            _ if self.value(b) == Some(Fr::ZERO) => a,
            _ if a == b => self.zero(),
            _ => self.intern(Term::Sub(a, b)),
        }
    }

    /// `a * b`
    pub fn mul(&mut self, a: Node, b: Node) -> Node {
        if let (Some(x), Some(y)) = (self.value(a), self.value(b)) {
            return self.constant(x * y);
        }
        if let Some(a) = self.negated(a) {
            let product = self.mul(a, b);
            return self.neg(product);
        }
        if let Some(b) = self.negated(b) {
            let product = self.mul(a, b);
            return self.neg(product);
        }
        match (self.value(a), self.value(b)) {
            (Some(x), _) if x == Fr::ZERO => a,
            (_, Some(y)) if y == Fr::ZERO => b,
            (Some(x), _) if x == Fr::ONE => b,
            (_, Some(y)) if y == Fr::ONE => a,
            _ => self.intern(Term::Mul(a.min(b), a.max(b))),
        }
    }

    /// How often each node is used by the expressions of `roots`, each root once by itself.
    pub fn uses(&self, roots: &[Node]) -> HashMap<Node, usize> {
        let mut uses = HashMap::new();
        let mut open: Vec<Node> = roots.to_vec();
        while let Some(node) = open.pop() {
            let count = uses.entry(node).or_insert(0);
            *count += 1;
            if *count == 1 {
                open.extend(self.operands(node));
            }
        }
        uses
    }

    /// Every word of memory that occurs.
    pub fn leaves(&self) -> impl Iterator<Item = Leaf> + '_ {
        self.terms.iter().filter_map(|term| match term {
            Term::Leaf(leaf) => Some(*leaf),
            _ => None,
        })
    }

    /// The operands of a node.
    pub fn operands(&self, node: Node) -> Vec<Node> {
        match self.term(node) {
            Term::Constant(_) | Term::Leaf(_) => Vec::new(),
            Term::Add(a, b) | Term::Sub(a, b) | Term::Mul(a, b) => vec![a, b],
        }
    }

    /// The number that a node stands for, its sign included.
    pub fn value(&self, node: Node) -> Option<Fr> {
        match self.term(node) {
            Term::Constant(value) => Some(value),
            Term::Sub(a, b) => match (self.term(a), self.term(b)) {
                (Term::Constant(x), Term::Constant(y)) => Some(x - y),
                _ => None,
            },
            _ => None,
        }
    }

    /// `b` where the node is `0 - b`.
    fn negated(&self, node: Node) -> Option<Node> {
        match self.term(node) {
            Term::Sub(a, b) if self.term(a) == Term::Constant(Fr::ZERO) => Some(b),
            _ => None,
        }
    }

    fn zero(&mut self) -> Node {
        self.intern(Term::Constant(Fr::ZERO))
    }

    fn intern(&mut self, term: Term) -> Node {
        if let Some(&node) = self.known.get(&term) {
            return node;
        }
        let node = Node(self.terms.len());
        self.terms.push(term);
        self.known.insert(term, node);
        node
    }
}

/// Below 2^128: what is written in 16 bytes or less.
pub fn is_short(value: &Fr) -> bool {
    value.to_repr()[16..].iter().all(|&byte| byte == 0)
}
