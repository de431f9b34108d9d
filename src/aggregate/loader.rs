//! snark-verifier's loader traits over a [`Recorder`]: its verifier, run on these types, writes a recording instead of computing.

use super::{form::Form, recorder::Recorder, recording::Base};
use halo2_proofs::halo2curves::{
    bn256::{Fr, G1Affine},
    group::prime::PrimeCurveAffine,
};
use snark_verifier::{
    loader::{EcPointLoader, LoadedEcPoint, LoadedScalar, Loader, ScalarLoader},
    util::arithmetic::FieldOps,
};
use std::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A scalar of a recording.
#[derive(Clone, Debug)]
pub(super) struct Scalar {
    pub recorder: Recorder,
    pub form: Form,
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.form == other.form
    }
}

/// A sum of points, which is never evaluated.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub recorder: Recorder,
    pub terms: Vec<(Form, Base)>,
}

impl PartialEq for Point {
    fn eq(&self, other: &Self) -> bool {
        self.terms == other.terms
    }
}

impl Point {
    pub fn base(recorder: &Recorder, base: Base) -> Self {
        Self { recorder: recorder.clone(), terms: vec![(Form::constant(Fr::one()), base)] }
    }
}

/// `sum = sum + scalar * point`, where no base is twice in a sum.
pub(super) fn add_multiple(recorder: &Recorder, sum: &mut Vec<(Form, Base)>, scalar: &Form, point: &[(Form, Base)]) {
    for (factor, base) in point {
        let scalar = recorder.product(scalar, factor);
        match sum.iter_mut().find(|(_, known)| known == base) {
            Some((known, _)) => *known = known.plus(&scalar),
            None => sum.push((scalar, *base)),
        }
    }
}

impl Scalar {
    fn with(&self, form: Form) -> Self {
        Self { recorder: self.recorder.clone(), form }
    }
}

impl Neg for Scalar {
    type Output = Self;

    fn neg(self) -> Self {
        self.with(self.form.scaled(-Fr::one()))
    }
}

/// Each operator on values, references and in place, from one on references.
macro_rules! operators {
    ($($operator:ident $method:ident $assign:ident $assign_method:ident = $compute:expr;)*) => {$(
        impl $operator<&Scalar> for Scalar {
            type Output = Self;

            fn $method(self, other: &Scalar) -> Self {
                let compute: fn(&Scalar, &Scalar) -> Form = $compute;
                self.with(compute(&self, other))
            }
        }

        impl $operator for Scalar {
            type Output = Self;

            fn $method(self, other: Scalar) -> Self {
                $operator::$method(self, &other)
            }
        }

        impl $assign<&Scalar> for Scalar {
            fn $assign_method(&mut self, other: &Scalar) {
                *self = $operator::$method(self.clone(), other);
            }
        }

        impl $assign for Scalar {
            fn $assign_method(&mut self, other: Scalar) {
                *self = $operator::$method(self.clone(), &other);
            }
        }
    )*};
}

operators! {
    Add add AddAssign add_assign = |a, b| a.form.plus(&b.form);
    Sub sub SubAssign sub_assign = |a, b| a.form.plus(&b.form.scaled(-Fr::one()));
    Mul mul MulAssign mul_assign = |a, b| a.recorder.product(&a.form, &b.form);
}

impl FieldOps for Scalar {
    fn invert(&self) -> Option<Self> {
        self.recorder.inverse(&self.form).map(|form| self.with(form))
    }
}

impl LoadedScalar<Fr> for Scalar {
    type Loader = Recorder;

    fn loader(&self) -> &Recorder {
        &self.recorder
    }

    fn pow_var(&self, _: &Self, _: usize) -> Self {
        self.recorder.refuse("a variable exponent");
        self.clone()
    }
}

impl LoadedEcPoint<G1Affine> for Point {
    type Loader = Recorder;

    fn loader(&self) -> &Recorder {
        &self.recorder
    }
}

impl ScalarLoader<Fr> for Recorder {
    type LoadedScalar = Scalar;

    fn load_const(&self, value: &Fr) -> Scalar {
        Scalar { recorder: self.clone(), form: Form::constant(*value) }
    }

    fn assert_eq(&self, _: &str, _: &Scalar, _: &Scalar) {
        self.refuse("an equation of scalars");
    }
}

impl EcPointLoader<G1Affine> for Recorder {
    type LoadedEcPoint = Point;

    fn ec_point_load_const(&self, value: &G1Affine) -> Point {
        if value.is_identity().into() {
            Point { recorder: self.clone(), terms: Vec::new() }
        } else {
            Point::base(self, Base::Fixed(*value))
        }
    }

    fn ec_point_assert_eq(&self, _: &str, _: &Point, _: &Point) {
        self.refuse("an equation of points");
    }

    fn multi_scalar_multiplication(pairs: &[(&Scalar, &Point)]) -> Point {
        // Of no pairs, the sum is empty and belongs to no recording.
        let recorder = pairs.first().map(|(scalar, _)| scalar.recorder.clone()).unwrap_or_default();
        let mut terms = Vec::new();
        for (scalar, point) in pairs {
            add_multiple(&recorder, &mut terms, &scalar.form, &point.terms);
        }
        Point { recorder, terms }
    }
}

impl Loader<G1Affine> for Recorder {}
