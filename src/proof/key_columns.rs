//! The columns of a proving key, in its file and in memory: their values, each as short as its column's longest. Most of them hold bytes, and a proof makes
//! scalars of them while it computes with them.
//!
//! In the file a column is the bytes of one of its values (1, 2, 4, 8 for signed integers, 32 for scalars as halo2 keeps them), and the values, the least
//! significant byte first.

use halo2_proofs::halo2curves::{
    bn256::Fr,
    ff::{Field, PrimeField},
    serde::SerdeObject,
};
use std::{borrow::Cow, ops::Range};

/// Bytes of a scalar as halo2 keeps it.
const SCALAR: usize = 32;

/// A column of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// Signed integers of `width` bytes each.
    Integers { width: usize, bytes: Vec<u8> },
    /// Some value is no short integer.
    Scalars(Vec<Fr>),
}

impl Column {
    /// The column of these values.
    pub fn of(values: &[Fr]) -> Self {
        let integers: Option<Vec<i64>> = values.iter().map(integer).collect();
        let Some(integers) = integers else { return Self::Scalars(values.to_vec()) };
        let width = integers.iter().map(|value| width_of(*value)).fold(1, usize::max);
        Self::Integers { width, bytes: integers.iter().flat_map(|value| value.to_le_bytes().into_iter().take(width)).collect() }
    }

    /// 1 on some of `n` rows, 0 on the others.
    pub fn ones(rows: &Range<usize>, n: usize) -> Self {
        Self::Integers { width: 1, bytes: (0..n).map(|row| u8::from(rows.contains(&row))).collect() }
    }

    /// Its values.
    pub fn values(&self) -> Cow<'_, [Fr]> {
        match self {
            Self::Integers { width, bytes } => {
                let digits = digits(*width);
                let value = |bytes: &[u8]| {
                    let mut digits = digits.iter().zip(bytes).map(|(digit, byte)| digit[usize::from(*byte)]);
                    let lowest = digits.next().unwrap_or(Fr::ZERO);
                    digits.fold(lowest, |sum, digit| sum + digit)
                };
                Cow::Owned(bytes.chunks_exact(*width).map(value).collect())
            }
            Self::Scalars(values) => Cow::Borrowed(values),
        }
    }

    /// Appends what its file has of it.
    pub fn write(&self, file: &mut Vec<u8>) {
        match self {
            Self::Integers { width, bytes } => {
                file.push(*width as u8);
                file.extend(bytes);
            }
            Self::Scalars(values) => {
                file.push(SCALAR as u8);
                values.iter().for_each(|value| file.extend(value.to_raw_bytes()));
            }
        }
    }

    /// Takes a column of `rows` values off `rest`; there is one way to write it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn take(rest: &mut &[u8], rows: usize) -> Result<Self, String> {
        let (width, tail) = rest.split_first().ok_or("it ends before a column")?;
        let width = usize::from(*width);
        if width == 0 {
            return Err("it was made by another version: make the keys again".into());
        }
        if !matches!(width, 1 | 2 | 4 | 8 | SCALAR) {
            return Err(format!("a column has values of {width} bytes, allowed are 1, 2, 4, 8 and {SCALAR}"));
        }
        let (bytes, tail) = tail.split_at_checked(rows * width).ok_or("it ends inside a column")?;
        *rest = tail;
        let mut values = bytes.chunks_exact(width);
        let (column, shortest) = if width == SCALAR {
            let values: Option<Vec<Fr>> = values.map(Fr::from_raw_bytes).collect();
            let values = values.ok_or("a value is not a canonical scalar")?;
            let shortest = values.iter().any(|value| integer(value).is_none());
            (Self::Scalars(values), shortest)
        } else {
            let shortest = width == 1 || values.any(|bytes| width_of(signed(bytes)) == width);
            (Self::Integers { width, bytes: bytes.to_vec() }, shortest)
        };
        if shortest { Ok(column) } else { Err(format!("a column has values of {width} bytes and needs fewer")) }
    }
}

/// A small number of either sign.
fn integer(value: &Fr) -> Option<i64> {
    let magnitude = |value: &Fr| {
        let bytes = value.to_repr();
        let (low, high) = bytes.as_ref().split_at(8);
        let low = u64::from_le_bytes(low.try_into().ok()?);
        high.iter().all(|byte| *byte == 0).then_some(low)
    };
    let positive = magnitude(value).and_then(|magnitude| i64::try_from(magnitude).ok());
    positive.or_else(|| 0i64.checked_sub_unsigned(magnitude(&-value)?))
}

/// Bytes that an integer takes with its sign.
fn width_of(value: i64) -> usize {
    [1, 2, 4].into_iter().find(|width| value >> (8 * width - 1) == value >> 63).unwrap_or(8)
}

/// The integer of at most eight bytes.
fn signed(bytes: &[u8]) -> i64 {
    let start = bytes.last().map_or(0, |highest| i64::from(*highest as i8) >> 7);
    bytes.iter().rev().fold(start, |value, byte| value << 8 | i64::from(*byte))
}

/// What each byte of an integer stands for: additions take a fraction of the time of bringing every integer into halo2's form.
fn digits(width: usize) -> Vec<[Fr; 256]> {
    let digit = |place: usize| {
        let unit = Fr::from(256).pow([place as u64]);
        let mut digit = [Fr::ZERO; 256];
        let mut value = Fr::ZERO;
        for entry in &mut digit {
            *entry = value;
            value += unit;
        }
        if place + 1 == width {
            // The sign is the highest bit.
            digit[128..].iter_mut().for_each(|negative| *negative -= unit * Fr::from(256));
        }
        digit
    };
    (0..width).map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(column: &Column) -> Vec<u8> {
        let mut bytes = Vec::new();
        column.write(&mut bytes);
        bytes
    }

    #[test]
    fn columns_are_as_short_as_their_longest_value() {
        let power = |bits: u64| Fr::from(2).pow([bits]);
        let columns = [
            (1, vec![Fr::ZERO, Fr::ONE, power(7) - Fr::ONE, -power(7)]),
            (2, vec![Fr::ZERO, power(7), power(15) - Fr::ONE, -power(15)]),
            (4, vec![power(15), -power(31)]),
            (8, vec![power(31), power(63) - Fr::ONE, -power(63)]),
            (32, vec![power(63), Fr::ZERO, -Fr::ONE, power(200)]),
            (32, vec![-power(63) - Fr::ONE]),
        ];
        for (width, values) in columns {
            let column = Column::of(&values);
            assert_eq!(column.values(), values);
            let mut bytes = written(&column);
            assert_eq!((bytes.len(), bytes[0]), (1 + width * values.len(), width as u8));
            bytes.extend([7, 7]);
            let mut rest = &bytes[..];
            assert_eq!((Column::take(&mut rest, values.len()), rest), (Ok(column), &[7, 7][..]));
            assert!(Column::take(&mut &bytes[..bytes.len() - 3], values.len()).is_err(), "cut short");
        }
        for damaged in [&[3, 0, 0, 0][..], &[0], &[], &[[32].as_slice(), &[255; 32]].concat()] {
            assert!(Column::take(&mut &damaged[..], 1).is_err());
        }
        assert_eq!(Column::ones(&(1..3), 4), Column::of(&[Fr::ZERO, Fr::ONE, Fr::ONE, Fr::ZERO]));
    }

    /// A key has one file: what is read is written alike.
    #[test]
    fn values_longer_than_their_column_needs_are_refused() {
        for value in [0i64, 1, -1, 127, -128, 128, -129, 32_767, -32_768, 32_768, 1 << 31, -(1 << 31), i64::MAX, i64::MIN] {
            let scalar = if value < 0 { -Fr::from(value.unsigned_abs()) } else { Fr::from(value as u64) };
            let integers = [1, 2, 4, 8].map(|width| (width, value.to_le_bytes()[..width].to_vec()));
            for (width, bytes) in
                integers.into_iter().chain([(SCALAR, scalar.to_raw_bytes())]).filter(|(width, _)| *width >= width_of(value))
            {
                let file = [&[width as u8][..], &bytes].concat();
                match Column::take(&mut &file[..], 1) {
                    Ok(read) => assert_eq!((width, read), (width_of(value), Column::of(&[scalar]))),
                    Err(refused) => {
                        assert!(width > width_of(value) && refused.contains("needs fewer"), "{value} in {width}: {refused}")
                    }
                }
            }
        }
    }
}
