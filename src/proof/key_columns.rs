//! The columns of a proving key in its file: their values, each as short as its column's longest. Their coefficients are computed again, which takes a
//! fraction of the time that reading and hashing them takes.
//!
//! A column is the bytes of one of its values (1, 2, 4, 8 for signed integers, 32 for scalars as halo2 keeps them), and the values, the least significant byte
//! first.

use halo2_proofs::halo2curves::{
    bn256::Fr,
    ff::{Field, PrimeField},
    serde::SerdeObject,
};

/// Bytes of a scalar as halo2 keeps it.
const SCALAR: usize = 32;

/// Appends a column.
pub(super) fn write(values: &[Fr], bytes: &mut Vec<u8>) {
    let small: Option<Vec<i64>> = values.iter().map(integer).collect();
    let Some(small) = small else {
        bytes.push(SCALAR as u8);
        return values.iter().for_each(|value| bytes.extend(value.to_raw_bytes()));
    };
    let fits = |width: usize| small.iter().all(|value| *value >> (8 * width - 1) == *value >> 63);
    let width = [1, 2, 4].into_iter().find(|width| fits(*width)).unwrap_or(8);
    bytes.push(width as u8);
    small.iter().for_each(|value| bytes.extend(&value.to_le_bytes()[..width]));
}

/// A small number of either sign.
fn integer(value: &Fr) -> Option<i64> {
    let magnitude = |value: &Fr| {
        let bytes = value.to_repr();
        let (low, high) = bytes.as_ref().split_at(8);
        let low = u64::from_le_bytes(low.try_into().ok()?);
        i64::try_from(low).ok().filter(|_| high.iter().all(|byte| *byte == 0))
    };
    magnitude(value).or_else(|| magnitude(&-value).map(|magnitude| -magnitude))
}

/// Takes a column of `rows` values off `rest`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn take(rest: &mut &[u8], rows: usize) -> Result<Vec<Fr>, String> {
    let (width, tail) = rest.split_first().ok_or("it ends before a column")?;
    let width = usize::from(*width);
    if width == 0 {
        return Err("it was made by another version: make the keys again".into());
    }
    if !matches!(width, 1 | 2 | 4 | 8 | SCALAR) {
        return Err(format!("a column has values of {width} bytes, allowed are 1, 2, 4, 8 and {SCALAR}"));
    }
    let (values, tail) = tail.split_at_checked(rows * width).ok_or("it ends inside a column")?;
    *rest = tail;
    let values = values.chunks_exact(width);
    match width {
        SCALAR => values.map(Fr::from_raw_bytes).collect::<Option<_>>().ok_or("a value is not a canonical scalar".into()),
        _ => {
            let digits = digits(width);
            Ok(values
                .map(|bytes| digits.iter().zip(bytes).fold(Fr::ZERO, |sum, (digit, byte)| sum + digit[usize::from(*byte)]))
                .collect())
        }
    }
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

    fn written(values: &[Fr]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(values, &mut bytes);
        bytes
    }

    #[test]
    fn columns_are_as_short_as_their_longest_value() {
        let power = |bits: u64| Fr::from(2).pow([bits]);
        let columns = [
            (1, vec![Fr::ZERO, Fr::ONE, power(7) - Fr::ONE, -power(7)]),
            (2, vec![Fr::ZERO, power(7), power(15) - Fr::ONE, -power(15)]),
            (4, vec![power(15), -power(31)]),
            (8, vec![power(31), power(63) - Fr::ONE, Fr::ONE - power(63)]),
            (32, vec![power(63), Fr::ZERO, -Fr::ONE, power(200)]),
        ];
        for (width, values) in columns {
            let mut bytes = written(&values);
            assert_eq!((bytes.len(), bytes[0]), (1 + width * values.len(), width as u8));
            bytes.extend([7, 7]);
            let mut rest = &bytes[..];
            assert_eq!((take(&mut rest, values.len()), rest), (Ok(values.clone()), &[7, 7][..]));
            assert!(take(&mut &bytes[..bytes.len() - 3], values.len()).is_err(), "cut short");
        }
        for damaged in [&[3, 0, 0, 0][..], &[0], &[], &[[32].as_slice(), &[255; 32]].concat()] {
            assert!(take(&mut &damaged[..], 1).is_err());
        }
    }
}
