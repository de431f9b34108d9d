//! Sums that are not yet written down: what is added, or multiplied by a constant, costs no node until it is multiplied or hashed.

use super::recording::Id;
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};

/// `constant + Σ coefficient * value`: values in ascending order, none twice, no coefficient zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    terms: Vec<(Id, Fr)>,
    constant: Fr,
}

impl Form {
    pub fn constant(constant: Fr) -> Self {
        Self { terms: Vec::new(), constant }
    }

    pub fn value(id: Id) -> Self {
        Self { terms: vec![(id, Fr::ONE)], constant: Fr::ZERO }
    }

    /// The constant that it is, if it is one.
    pub fn as_constant(&self) -> Option<Fr> {
        self.terms.is_empty().then_some(self.constant)
    }

    /// `coefficient * value`, if it is that.
    pub fn as_multiple(&self) -> Option<(Fr, Id)> {
        match self.terms[..] {
            [(id, coefficient)] if self.constant == Fr::ZERO => Some((coefficient, id)),
            _ => None,
        }
    }

    /// The coefficient of its first value, and the form divided by it: what forms that are multiples of each other share.
    pub fn normalised(&self) -> Option<(Fr, Self)> {
        let (_, leading) = *self.terms.first()?;
        Option::<Fr>::from(leading.invert()).map(|inverse| (leading, self.scaled(inverse)))
    }

    pub fn terms(&self) -> impl Iterator<Item = (Fr, Id)> + '_ {
        self.terms.iter().map(|&(id, coefficient)| (coefficient, id))
    }

    /// What is added to the terms.
    pub fn offset(&self) -> Fr {
        self.constant
    }

    pub fn scaled(&self, factor: Fr) -> Self {
        if factor == Fr::ZERO {
            return Self::default();
        }
        let terms = self.terms.iter().map(|&(id, coefficient)| (id, coefficient * factor)).collect();
        Self { terms, constant: self.constant * factor }
    }

    pub fn plus(&self, other: &Self) -> Self {
        let (mut left, mut right) = (&self.terms[..], &other.terms[..]);
        let mut terms = Vec::with_capacity(left.len() + right.len());
        while let (Some((&(a, x), left_rest)), Some((&(b, y), right_rest))) = (left.split_first(), right.split_first()) {
            let (next, coefficient) = match a.cmp(&b) {
                std::cmp::Ordering::Less => (a, x),
                std::cmp::Ordering::Equal => (a, x + y),
                std::cmp::Ordering::Greater => (b, y),
            };
            if a <= b {
                left = left_rest;
            }
            if b <= a {
                right = right_rest;
            }
            if coefficient != Fr::ZERO {
                terms.push((next, coefficient));
            }
        }
        terms.extend_from_slice(left);
        terms.extend_from_slice(right);
        Self { terms, constant: self.constant + other.constant }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(terms: &[(Id, u64)], constant: u64) -> Form {
        let terms = terms.iter().map(|&(id, c)| Form::value(id).scaled(Fr::from(c)));
        terms.fold(Form::constant(Fr::from(constant)), |sum, term| sum.plus(&term))
    }

    #[test]
    fn sums_are_merged_and_what_cancels_is_gone() {
        let (a, b) = (form(&[(3, 2), (1, 5)], 7), form(&[(2, 1), (3, 4)], 1));
        assert_eq!(a.plus(&b), form(&[(1, 5), (2, 1), (3, 6)], 8));
        assert_eq!(a.plus(&a.scaled(-Fr::ONE)), Form::default());
        assert_eq!(a.scaled(Fr::ZERO), Form::default());
        assert_eq!(a.plus(&Form::value(3).scaled(-Fr::from(2))), form(&[(1, 5)], 7));
    }

    #[test]
    fn multiples_share_what_they_are_multiples_of() {
        let form = form(&[(1, 5), (3, 2)], 7);
        let (factor, base) = form.normalised().unwrap();
        assert_eq!((factor, base.scaled(factor)), (Fr::from(5), form.clone()));
        assert_eq!(form.scaled(-Fr::from(3)).normalised().unwrap().1, base);
        assert_eq!(Form::constant(Fr::ONE).normalised(), None);
        assert_eq!(Form::value(4).scaled(Fr::from(9)).as_multiple(), Some((Fr::from(9), 4)));
        assert_eq!(form.as_multiple(), None);
    }
}
