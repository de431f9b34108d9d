use super::*;
use crate::error::Explain;
use crate::quant::derive::derive;
use proptest::prelude::*;

fn feature(name: &str, decimals: u32, min: i64, max: i64) -> Feature {
    Feature { name: name.into(), unit: "u".into(), decimals, min, max }
}

fn two() -> Schema {
    Schema::new("two".into(), vec![feature("a", 0, 0, 300), feature("b", 3, -5, 5)]).unwrap()
}

#[test]
fn reads_its_own_text() {
    let text = two().to_json().unwrap();
    assert_eq!(Schema::from_json(&text).unwrap(), two());
    assert_eq!(serde_json::from_str::<Schema>(&serde_json::to_string(&two()).unwrap()).unwrap(), two());
}

#[test]
fn the_canonical_bytes_are_these() {
    let mut want = vec![0, 0, 0, 18];
    want.extend(b"zkml-evm.schema.v1");
    want.extend([0, 0, 0, 2]);
    for (name, decimals, min, max) in [(b'a', 0u8, 0i64, 300i64), (b'b', 3, -5, 5)] {
        want.extend([0, 0, 0, 1, name, 0, 0, 0, 1, b'u', 0, 0, 0, decimals]);
        want.extend(min.to_be_bytes());
        want.extend(max.to_be_bytes());
    }
    want.extend([0, 0, 0, 0, 2, 0, 0, 0, 15, 0, 0, 0, 17]);
    want.extend(b"zkml-evm.input.v1");
    assert_eq!(two().canonical_bytes(), want);
    assert_eq!(two().id(), keccak256(want).0);
}

#[test]
fn the_identity_covers_everything_but_the_label() {
    let id = |features: Vec<Feature>| Schema::new("x".into(), features).unwrap().id();
    let base = id(two().features.clone());
    assert_eq!(base, two().id());
    let changes: [fn(&mut Feature); 5] =
        [|f| f.name.push('x'), |f| f.unit.clear(), |f| f.decimals += 1, |f| f.min -= 1, |f| f.max += 1];
    for change in changes {
        let mut features = two().features.clone();
        change(&mut features[1]);
        assert_ne!(id(features), base);
    }
    let mut swapped = two().features.clone();
    swapped.reverse();
    assert_ne!(id(swapped), base);
}

#[test]
fn widths_follow_the_widest_range() {
    for (min, max, width, per) in
        [(7, 7, 1, 31), (0, 255, 1, 31), (0, 256, 2, 15), (-1, 65_535, 3, 10), (0, 200_000, 3, 10), (0, (1 << 62) - 1, 8, 3)]
    {
        let schema = Schema::new(String::new(), vec![feature("a", 0, min, max)]).unwrap();
        assert_eq!((schema.width_bytes(), schema.values_per_element()), (width, per), "{min}..={max}");
        assert_eq!(schema.input(InputMode::Committed).values_per_element(), per as usize);
    }
}

#[test]
fn packs_the_first_value_lowest() {
    let elements = two().pack(&[258, -4]).unwrap();
    assert_eq!(elements.len(), 1);
    assert_eq!(elements[0][..5], [2, 1, 1, 0, 0]);
    let many = Schema::new(String::new(), (0..16).map(|i| feature(&format!("f{i}"), 0, 0, 300)).collect()).unwrap();
    let elements = many.pack(&[1; 16]).unwrap();
    assert_eq!((elements.len(), elements[0][28], elements[0][30], elements[1][0], elements[1][2]), (2, 1, 0, 1, 0));
    assert_eq!(two().pack(&[301, 0]).unwrap_err().code(), "schema/pack");
    assert_eq!(two().pack(&[1]).unwrap_err().code(), "schema/pack");
}

#[test]
fn every_fault_has_its_code() {
    let with = |feature: &str| format!(r#"{{"version": 1, "features": [{feature}]}}"#);
    for (text, want) in [
        ("", "schema/syntax"),
        ("[]", "schema/syntax"),
        (r#"{"version": 2, "features": []}"#, "schema/version"),
        (r#"{"version": 1, "features": []}"#, "schema/count"),
        (r#"{"version": 1, "rounding": "floor", "features": []}"#, "schema/syntax"),
        (r#"{"version": 1, "colour": 3, "features": []}"#, "schema/syntax"),
        (&with(r#"{"name": "a", "decimals": 0, "min": 0.5, "max": 1}"#), "schema/syntax"),
        (&with(r#"{"name": "a", "decimals": 0, "min": 0, "max": 1, "scale": 2}"#), "schema/syntax"),
        (&with(r#"{"name": "a", "decimals": 0, "min": 2, "max": 1}"#), "schema/feature"),
        (&with(r#"{"name": "a", "decimals": 19, "min": 0, "max": 1}"#), "schema/feature"),
        (&with(r#"{"name": "", "decimals": 0, "min": 0, "max": 1}"#), "schema/feature"),
        (&with(r#"{"name": "a\n", "decimals": 0, "min": 0, "max": 1}"#), "schema/feature"),
        (&with(r#"{"name": "a", "decimals": 0, "min": -9223372036854775808, "max": 9223372036854775807}"#), "schema/feature"),
        (&with(r#"{"name": "a", "decimals": 0, "min": 0, "max": 4611686018427387904}"#), "schema/feature"),
        (
            &with(r#"{"name": "a", "decimals": 0, "min": 0, "max": 1}, {"name": "a", "decimals": 0, "min": 0, "max": 1}"#),
            "schema/duplicate-feature",
        ),
    ] {
        let error = Schema::from_json(text).unwrap_err();
        assert_eq!(error.code(), want, "{text}: {error}");
        assert!(!error.hint().is_empty());
    }
}

#[test]
fn derives_precision_range_and_margin() {
    let row = |texts: [&str; 4]| texts.iter().map(|t| Decimal::parse(t).unwrap()).collect::<Vec<_>>();
    let rows =
        vec![row(["100.0", "0.125", "-3", "7.5"]), row(["1100", "0.5", "-1", "7.50"]), row(["50", "0.12345678", "2", "7.5"])];
    let derived = derive("d", &rows, None).unwrap();
    let got: Vec<_> = derived.schema.features().iter().map(|f| (f.name.as_str(), f.decimals, f.min, f.max)).collect();
    assert_eq!(got, [("x0", 0, 0, 1205), ("x1", 6, 85_802, 537_655), ("x2", 0, -4, 3), ("x3", 1, 75, 75)]);
    assert_eq!(derived.notes.len(), 2);
    let names: Vec<String> = ["p", "q", "r", "s"].map(String::from).to_vec();
    assert_eq!(derive("d", &rows, Some(&names)).unwrap().schema.features()[3].name, "s");
}

#[test]
fn data_that_gives_no_schema_is_refused() {
    let one = |t: &str| vec![Decimal::parse(t).unwrap()];
    let names = vec!["a".to_owned(), "b".to_owned()];
    for (rows, names) in [
        (vec![], None),
        (vec![vec![]], None),
        (vec![one("1"), vec![]], None),
        (vec![one("1e30"), one("2")], None),
        (vec![one("1")], Some(names.as_slice())),
    ] {
        assert_eq!(derive("d", &rows, names).unwrap_err().code(), "schema/derive");
    }
}

proptest! {
    #[test]
    fn packing_is_injective_and_in_order(values in proptest::collection::vec(0i128..=300, 20)) {
        let schema = Schema::new(String::new(), (0..20).map(|i| feature(&format!("f{i}"), 0, 0, 300)).collect()).unwrap();
        let bytes: Vec<u8> = schema.pack(&values).unwrap().iter().flat_map(|e| e[..30].to_vec()).collect();
        let back: Vec<i128> = bytes.chunks(2).take(20).map(|b| i128::from(b[0]) | i128::from(b[1]) << 8).collect();
        prop_assert_eq!(back, values);
    }

    #[test]
    fn any_text_is_an_answer(text in "\\PC{0,60}") {
        let _ = Schema::from_json(&text);
    }
}
