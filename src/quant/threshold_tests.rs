use super::*;
use crate::error::Explain;
use proptest::prelude::*;

fn scale(log2: i32) -> ThresholdScale {
    ThresholdScale { log2, range: Interval::new(-(1 << 47), (1 << 47) - 1) }
}

#[test]
fn probabilities_become_logits_rounded_up() {
    // Digits of ln 3 * 2^n.
    assert_eq!(scale(0).from_probability("0.75").unwrap(), 2);
    assert_eq!(scale(11).from_probability("0.75").unwrap(), 2250);
    assert_eq!(scale(40).from_probability("0.75").unwrap(), (3f64.ln() * power_of_two(40)).ceil() as i128);
    assert_eq!(scale(11).from_probability("0.25").unwrap(), -2249);
    assert_eq!(scale(11).from_probability("0.500").unwrap(), 0);
    assert_eq!(scale(-20).from_probability("0.9").unwrap(), 1);
    assert_eq!(scale(-20).from_probability("0.1").unwrap(), 0);
}

#[test]
fn values_are_rounded_up_exactly() {
    for (log2, text, want) in [
        (0, "1.5", 2),
        (0, "-1.5", -1),
        (1, "1.5", 3),
        (3, "0.1", 1),
        (3, "-0.1", 0),
        (-2, "4", 1),
        (-2, "5", 2),
        (-2, "-5", -1),
        (-90, "1", 1),
    ] {
        assert_eq!(scale(log2).from_value(text).unwrap(), want, "{text} at 2^{log2}");
    }
}

#[test]
fn faults_have_codes() {
    for text in ["0", "1", "1.5", "-0.2", "0.0"] {
        assert_eq!(scale(10).from_probability(text).unwrap_err().code(), "threshold/probability", "{text}");
    }
    for text in ["", "NaN", "inf", "1e400", "0.1234567890123456789", "1e-30"] {
        assert_eq!(scale(10).from_value(text).unwrap_err().code(), "threshold/not-a-number", "{text}");
        assert_eq!(scale(10).from_probability(text).unwrap_err().code(), "threshold/not-a-number", "{text}");
    }
    let narrow = ThresholdScale { log2: 10, range: Interval::new(-1024, 1023) };
    let error = narrow.from_probability("0.99").unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("threshold/out-of-range", ExitCode::Usage));
    assert_eq!(scale(70).from_value("1").unwrap_err().code(), "threshold/out-of-range");
    assert_eq!(scale(48).from_value("-99999999999999999").unwrap_err().code(), "threshold/out-of-range");
}

#[test]
fn shows_what_a_threshold_stands_for() {
    let t = scale(11).from_probability("0.75").unwrap();
    assert!((scale(11).value(t) - 3f64.ln()).abs() < 5e-4 && (scale(11).probability(t) - 0.75).abs() < 1e-4);
}

proptest! {
    #[test]
    fn the_logarithm_agrees_with_f64(a in 1u64..1_000_000_000_000_000_000, b in 1u64..1_000_000_000_000_000_000, e in 0i32..40) {
        let want = ((a as f64).ln() - (b as f64).ln()) * power_of_two(e);
        let got = logarithm::ceil_ratio(a, b, e) as f64;
        let slack = 1e-13 * power_of_two(e);
        prop_assert!(got >= want - slack && got < want + 1.0 + slack, "{} for {}", got, want);
    }

    #[test]
    fn ceilings_are_the_least_integers_above(n in -1_000_000i128..1_000_000, decimals in 0u32..7, e in -8i32..26) {
        let text = crate::quant::decimal::show(n, decimals);
        let t = scale(e).from_value(&text).unwrap();
        // t >= n / 10^decimals * 2^e > t - 1, without division.
        let (left, right) = if e >= 0 { (10i128.pow(decimals), n << e) } else { (10i128.pow(decimals) << -e, n) };
        prop_assert!(t * left >= right && (t - 1) * left < right);
    }
}
