use super::*;
use crate::error::Explain;
use proptest::prelude::*;

fn schema() -> Schema {
    let feature =
        |name: &str, unit: &str, decimals, min, max| Feature { name: name.into(), unit: unit.into(), decimals, min, max };
    Schema::new("test".into(), vec![feature("income", "USD", 0, 0, 200_000), feature("ratio", "", 3, -100, 1200)]).unwrap()
}

fn code(text: &str) -> String {
    one(&schema(), text).unwrap_err().code().to_owned()
}

#[test]
fn both_documents_give_the_same_integers() {
    let named = one(&schema(), r#"{"features": {"ratio": 0.5985, "income": 72000.4}}"#).unwrap();
    let listed = one(&schema(), r#"{"input_shapes": [[2]], "input_data": [[72000.4, 5.985e-1]]}"#).unwrap();
    let nested = one(&schema(), r#"{"input_data": [[[72000.4], [[0.5985]]]]}"#).unwrap();
    assert_eq!([named.clone(), listed, nested], [vec![72000, 599], named.clone(), named]);
    assert_eq!(rows(&schema(), r#"{"input_data": [[1, 0], [2, -0.1]]}"#).unwrap(), [[1, 0], [2, -100]]);
    assert_eq!(numbers(r#"{"input_data": [[1, 0.25]]}"#).unwrap()[0][1].to_string(), "0.25");
}

#[test]
fn names_the_feature_its_value_unit_and_range() {
    let error = one(&schema(), r#"{"features": {"income": 200000.5, "ratio": 0}}"#).unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("input/out-of-range", crate::error::ExitCode::Usage));
    assert_eq!(error.to_string(), "row 0: feature `income` is 200000.5 USD, the schema's range is 0..=200000 USD");
    let error = rows(&schema(), r#"{"input_data": [[0, 0], [0, -0.1006]]}"#).unwrap_err();
    assert_eq!(error.to_string(), "row 1: feature `ratio` is -0.1006, the schema's range is -0.100..=1.200");
    assert_eq!(code(r#"{"features": {"income": 1e300, "ratio": 0}}"#), "input/out-of-range");
}

#[test]
fn python_non_finite_numbers_are_named() {
    let error = one(&schema(), r#"{"features": {"income": 1, "ratio": NaN}}"#).unwrap_err();
    assert_eq!(error.to_string(), "row 0, feature `ratio`: \"NaN\" is not a finite number");
    assert_eq!(code(r#"{"input_data": [[-Infinity, 0]]}"#), "input/not-a-number");
    assert_eq!(quote_in_text(), r#"{"a \" NaN": "NaN", "b": "inf"}"#);
}

fn quote_in_text() -> String {
    // The word inside a text stays as it is.
    let document::Document::Named(pairs) = document::parse(r#"{"features": {"a \" NaN": NaN, "b": inf}}"#).unwrap() else {
        panic!()
    };
    let show = |(name, cell): &(String, Cell)| match cell {
        Cell::Other(text) => format!("{}: {text}", serde_json::to_string(name).unwrap()),
        Cell::Number(text) => text.clone(),
    };
    format!("{{{}}}", pairs.iter().map(show).collect::<Vec<_>>().join(", "))
}

#[test]
fn every_other_fault_has_its_code() {
    for (text, want) in [
        ("", "input/syntax"),
        ("[1, 2]", "input/syntax"),
        ("{}", "input/syntax"),
        (r#"{"input_data": [[1, 0]], "features": {}}"#, "input/syntax"),
        (r#"{"features": [1, 0]}"#, "input/syntax"),
        (r#"{"input_data": [1, 0]}"#, "input/syntax"),
        (r#"{"input_data": [[1, 0]]"#, "input/syntax"),
        (r#"{"input_data": [[1, 0]]} x"#, "input/syntax"),
        (r#"{"input_data": []}"#, "input/rows"),
        (r#"{"input_data": [[1, 0], [1, 0]]}"#, "input/rows"),
        (r#"{"input_data": [[1]]}"#, "input/length"),
        (r#"{"input_data": [[1, 0, 0]]}"#, "input/length"),
        (r#"{"input_data": [["1", 0]]}"#, "input/not-a-number"),
        (r#"{"input_data": [[null, 0]]}"#, "input/not-a-number"),
        (r#"{"input_data": [[true, 0]]}"#, "input/not-a-number"),
        (r#"{"input_data": [[{}, 0]]}"#, "input/not-a-number"),
        (r#"{"features": {"income": [1], "ratio": 0}}"#, "input/not-a-number"),
        (r#"{"features": {"income": 1}}"#, "input/missing-feature"),
        (r#"{"features": {"income": 1, "ratio": 0, "age": 3}}"#, "input/unknown-feature"),
        (r#"{"features": {"income": 1, "ratio": 0, "income": 1}}"#, "input/duplicate-feature"),
    ] {
        assert_eq!(code(text), want, "{text}");
    }
}

#[test]
fn deep_nesting_is_refused_without_recursion() {
    for depth in [20, 100_000] {
        let text = format!("{{\"input_data\": [{}1{}]}}", "[".repeat(depth), "]".repeat(depth));
        assert!(["input/too-deep", "input/syntax"].contains(&code(&text).as_str()));
    }
    assert!(one(&schema(), &"[".repeat(1_000_000)).is_err());
}

#[test]
fn a_huge_file_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(MAX_FILE_BYTES + 1).unwrap();
    assert_eq!(read(file.path()).unwrap_err().code(), "input/too-large");
    assert_eq!(read(std::path::Path::new("no/such/file")).unwrap_err().code(), "input/read");
}

/// Two bytes to a value: a file of the largest size could hold 32 million, and a list of them takes gigabytes.
#[test]
fn more_values_than_memory_is_meant_for_are_refused() {
    let row = "0,".repeat(crate::quant::document::MAX_CELLS);
    assert_eq!(code(&format!("{{\"input_data\": [[{row}0]]}}")), "input/too-many");
    let empty = "[],".repeat(crate::quant::document::MAX_CELLS);
    assert_eq!(code(&format!("{{\"input_data\": [[{empty}0]]}}")), "input/too-many");
}

proptest! {
    #[test]
    fn any_text_is_an_answer(text in "\\PC{0,60}", tail in "[\\[\\]{}0-9,.eE\"a-zN-]{0,40}") {
        let _ = rows(&schema(), &text);
        let _ = rows(&schema(), &format!("{{\"input_data\": {tail}}}"));
        let _ = rows(&schema(), &format!("{{\"features\": {tail}}}"));
    }

    #[test]
    fn rounding_is_within_half_a_unit(value in 0.0f64..200_000.0, ratio in -0.1f64..1.2) {
        let row = one(&schema(), &format!("{{\"input_data\": [[{value:?}, {ratio:?}]]}}")).unwrap();
        prop_assert!((row[0] as f64 - value).abs() <= 0.5);
        prop_assert!((row[1] as f64 / 1000.0 - ratio).abs() <= 0.000_500_001);
    }
}
