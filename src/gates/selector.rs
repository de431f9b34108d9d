//! Selectors that share a fixed column: a column costs the verifier about 9k gas, a degree nothing while the maximum is not exceeded.

use halo2_proofs::{
    halo2curves::bn256::Fr,
    plonk::{Column, ConstraintSystem, Expression, Fixed, VirtualCells},
    poly::Rotation,
};

/// A selector: `value` in its column enables it. No row enables two selectors of one column (`Trace::enable` assigns once).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selector {
    column: Column<Fixed>,
    value: u64,
    shared: bool,
}

impl Selector {
    /// A selector with a column of its own.
    pub fn single(cs: &mut ConstraintSystem<Fr>) -> Self {
        Self { column: cs.fixed_column(), value: 1, shared: false }
    }

    /// One selector for each `true`, each with a column of its own.
    pub fn apart<const N: usize>(cs: &mut ConstraintSystem<Fr>, wanted: [bool; N]) -> [Option<Self>; N] {
        wanted.map(|wanted| wanted.then(|| Self::single(cs)))
    }

    /// One selector for each `true`, two to a column, in order.
    pub fn shared<const N: usize>(cs: &mut ConstraintSystem<Fr>, wanted: [bool; N]) -> [Option<Self>; N] {
        let mut left = wanted.iter().filter(|w| **w).count();
        let mut open: Option<Column<Fixed>> = None;
        wanted.map(|wanted| {
            if !wanted {
                return None;
            }
            left -= 1;
            match open.take() {
                Some(column) => Some(Self { column, value: 2, shared: true }),
                None => {
                    let column = cs.fixed_column();
                    open = Some(column);
                    Some(Self { column, value: 1, shared: left > 0 })
                }
            }
        })
    }

    /// 1 where it is enabled, 0 elsewhere. In a shared column with values 0, 1, 2: `s (2 - s)` or `s (s - 1) / 2`.
    pub fn query(&self, cells: &mut VirtualCells<'_, Fr>) -> Expression<Fr> {
        let s = cells.query_fixed(self.column, Rotation::cur());
        let constant = |v: u64| Expression::Constant(Fr::from(v));
        match (self.shared, self.value) {
            (false, _) => s,
            (true, 1) => s.clone() * (constant(2) - s),
            (true, _) => s.clone() * (s - constant(1)) * Fr::from(2).invert().unwrap_or(Fr::zero()),
        }
    }

    /// Its column.
    pub fn column(&self) -> Column<Fixed> {
        self.column
    }

    /// What enables it.
    pub fn value(&self) -> Fr {
        Fr::from(self.value)
    }
}
