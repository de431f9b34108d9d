//! A circuit of a model or an aggregation's outer circuit, as one type: synthesis and halo2's key generation are compiled once for it.

use crate::{
    circuit::{InferenceCircuit, build::ShapeParams},
    gates::{Shape, Stack},
    outer::{OuterCircuit, Widths, columns::Columns as OuterColumns},
};
use halo2_proofs::{
    circuit::{Layouter, SimpleFloorPlanner},
    halo2curves::bn256::Fr,
    plonk::{Circuit, ConstraintSystem, Error},
};

/// What is proven.
#[derive(Clone)]
pub enum EitherCircuit {
    /// A model's.
    Inference(Box<InferenceCircuit>),
    /// An aggregation's.
    Outer(Box<OuterCircuit>),
}

/// Its parameters.
#[derive(Clone, Copy, Debug)]
pub enum EitherParams {
    /// A model's.
    Inference(Shape),
    /// An aggregation's.
    Outer(Widths),
}

/// Its columns.
#[derive(Clone, Debug)]
pub enum EitherColumns {
    /// A model's.
    Inference(Box<Stack>),
    /// An aggregation's.
    Outer(Box<Stack<OuterColumns>>),
}

impl Default for EitherParams {
    fn default() -> Self {
        Self::Inference(Shape::default())
    }
}

impl EitherParams {
    /// log2 of the rows.
    pub fn k(&self) -> u32 {
        match self {
            Self::Inference(shape) => shape.k,
            Self::Outer(widths) => widths.k,
        }
    }

    /// The committed columns and gates.
    pub fn constraint_system(&self) -> ConstraintSystem<Fr> {
        let mut cs = ConstraintSystem::default();
        EitherCircuit::configure_with_params(&mut cs, *self);
        cs
    }
}

impl Circuit<Fr> for EitherCircuit {
    type Config = EitherColumns;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = EitherParams;

    fn params(&self) -> EitherParams {
        match self {
            Self::Inference(circuit) => EitherParams::Inference(circuit.params().0),
            Self::Outer(circuit) => EitherParams::Outer(circuit.params()),
        }
    }

    fn without_witnesses(&self) -> Self {
        self.clone()
    }

    fn configure_with_params(cs: &mut ConstraintSystem<Fr>, params: EitherParams) -> EitherColumns {
        match params {
            EitherParams::Inference(shape) => {
                EitherColumns::Inference(Box::new(InferenceCircuit::configure_with_params(cs, ShapeParams(shape))))
            }
            EitherParams::Outer(widths) => EitherColumns::Outer(Box::new(OuterCircuit::configure_with_params(cs, widths))),
        }
    }

    fn configure(cs: &mut ConstraintSystem<Fr>) -> EitherColumns {
        Self::configure_with_params(cs, EitherParams::default())
    }

    fn synthesize(&self, columns: EitherColumns, layouter: impl Layouter<Fr>) -> Result<(), Error> {
        match (self, columns) {
            (Self::Inference(circuit), EitherColumns::Inference(columns)) => circuit.synthesize(*columns, layouter),
            (Self::Outer(circuit), EitherColumns::Outer(columns)) => circuit.synthesize(*columns, layouter),
            _ => Err(Error::Synthesis),
        }
    }
}
