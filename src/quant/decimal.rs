//! Decimal numbers as people and JSON write them, kept exact until they are rounded once, to a feature's grid.

use std::fmt;

/// Longer texts are no measurement; refusing them bounds the work.
const MAX_TEXT: usize = 400;
/// Schema integers have at most this many digits before the range check.
const MAX_DIGITS: i64 = 30;

/// A finite decimal number: `(-1)^negative * 0.d1 d2 d3 ... * 10^exponent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// Significant digits 0..=9, without leading or trailing zeros; empty for zero.
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    /// Reads `-12.5e-3` and the like (JSON's grammar, leading zeros and a leading `+` tolerated); `None` for anything else,
    /// NaN and infinity included.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, power) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, Self::parse_power(power)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let numeric = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !numeric(whole) || !numeric(fraction) || mantissa.ends_with('.') {
            return None;
        }
        let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|b| b - b'0').collect();
        let Some(first) = all.iter().position(|&d| d != 0) else {
            return Some(Self { negative: false, digits: vec![], exponent: 0 });
        };
        let last = all.iter().rposition(|&d| d != 0).unwrap_or(first);
        let exponent = (whole.len() as i64 - first as i64).saturating_add(power);
        Some(Self { negative, digits: all[first..=last].to_vec(), exponent })
    }

    /// An exponent may have any length, its effect saturates: such numbers are zero or out of every range.
    fn parse_power(text: &str) -> Option<i64> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let size = digits.bytes().fold(0i64, |n, b| (n * 10 + i64::from(b - b'0')).min(1_000_000_000));
        Some(if negative { -size } else { size })
    }

    /// `self * 10^decimals` rounded to an integer, halves away from zero; `None` beyond 30 digits.
    pub fn scaled(&self, decimals: u32) -> Option<i128> {
        let whole = self.exponent.saturating_add(i64::from(decimals));
        if self.digits.is_empty() || whole < 0 {
            return Some(0);
        }
        if whole > MAX_DIGITS {
            return None;
        }
        let whole = whole as usize;
        let digit = |i: usize| i128::from(self.digits.get(i).copied().unwrap_or(0));
        let floor = (0..whole).fold(0i128, |n, i| n * 10 + digit(i));
        // The first dropped digit decides alone: a half, and all above it, goes away from zero.
        let magnitude = floor + i128::from(digit(whole) >= 5);
        Some(if self.negative { -magnitude } else { magnitude })
    }

    /// `(n, d)` with `self = n / 10^d`, `|n| < 10^18`, `d <= 18`; `None` where that takes more digits.
    pub fn fraction(&self) -> Option<(i128, u32)> {
        let decimals = u32::try_from(self.fraction_digits()).ok().filter(|&d| d <= 18)?;
        let numerator = self.scaled(decimals).filter(|n| n.unsigned_abs() < 10u128.pow(18))?;
        Some((numerator, decimals))
    }

    /// Digits after the decimal point, trailing zeros not counted.
    pub fn fraction_digits(&self) -> u64 {
        (self.digits.len() as i64).saturating_sub(self.exponent).max(0) as u64
    }

    /// The nearest f64.
    pub fn to_f64(&self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.digits.iter().map(|d| char::from(b'0' + d)).collect();
        let sign = if self.negative { "-" } else { "" };
        match self.exponent {
            _ if text.is_empty() => f.write_str("0"),
            e if e <= 0 && e > -12 => write!(f, "{sign}0.{}{text}", "0".repeat(e.unsigned_abs() as usize)),
            e if e >= text.len() as i64 && e <= 24 => write!(f, "{sign}{text}{}", "0".repeat(e as usize - text.len())),
            e if e > 0 && e < text.len() as i64 => write!(f, "{sign}{}.{}", &text[..e as usize], &text[e as usize..]),
            e => write!(f, "{sign}0.{text}e{e}"),
        }
    }
}

/// A schema integer in its feature's unit: `599` with 3 decimals is `0.599`.
pub fn show(integer: i128, decimals: u32) -> String {
    let digits = integer.unsigned_abs().to_string();
    let places = decimals as usize;
    let padded = format!("{}{digits}", "0".repeat((places + 1).saturating_sub(digits.len())));
    let (whole, fraction) = padded.split_at(padded.len() - places);
    let point = if places == 0 { "" } else { "." };
    format!("{}{whole}{point}{fraction}", if integer < 0 { "-" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scaled(text: &str, decimals: u32) -> Option<i128> {
        Decimal::parse(text).and_then(|d| d.scaled(decimals))
    }

    #[test]
    fn rounds_halves_away_from_zero_on_the_text() {
        for (text, decimals, want) in [
            ("0", 3, 0),
            ("-0.0", 0, 0),
            ("72000.0", 0, 72000),
            ("0.599", 3, 599),
            ("0.5", 0, 1),
            ("-0.5", 0, -1),
            ("2.5", 0, 3),
            ("0.4999999999999999999999", 0, 0),
            ("1.005", 2, 101),
            ("-1.005", 2, -101),
            ("1e3", 0, 1000),
            ("12.5E-1", 1, 13),
            ("0.05", 0, 0),
            ("0.00005", 4, 1),
            ("1e-999999999999", 18, 0),
            ("007", 0, 7),
            ("99.95", 1, 1000),
        ] {
            assert_eq!(scaled(text, decimals), Some(want), "{text} at {decimals}");
        }
    }

    #[test]
    fn refuses_what_is_no_finite_number() {
        for text in ["", "-", "NaN", "inf", "1.", ".5", "1e", "1e+", "0x10", "1_000", "--1", "1.2.3", " 1", "١"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        assert_eq!(Decimal::parse(&"9".repeat(MAX_TEXT + 1)), None);
        assert_eq!(scaled("1e31", 0), None);
        assert_eq!(scaled("-1e999999999999999999999", 0), None);
    }

    #[test]
    fn shows_values_and_precision() {
        let shown: Vec<String> =
            ["0.599", "-1200", "3.50", "1e-20", "12e30"].iter().map(|t| Decimal::parse(t).unwrap().to_string()).collect();
        assert_eq!(shown, ["0.599", "-1200", "3.5", "0.1e-19", "0.12e32"]);
        assert_eq!(
            (show(599, 3), show(-5, 2), show(42, 0), show(0, 1)),
            ("0.599".into(), "-0.05".into(), "42".into(), "0.0".into())
        );
        assert_eq!(["1200", "0.5990", "1.25e-3"].map(|t| Decimal::parse(t).unwrap().fraction_digits()), [0, 3, 5]);
    }

    proptest! {
        #[test]
        fn shown_integers_read_back(value in -(1i128 << 62)..(1i128 << 62), decimals in 0u32..=18) {
            prop_assert_eq!(scaled(&show(value, decimals), decimals), Some(value));
        }

        #[test]
        fn any_text_is_an_answer(text in "\\PC{0,40}") {
            let _ = Decimal::parse(&text).map(|d| (d.scaled(6), d.to_string(), d.fraction_digits()));
        }
    }
}
