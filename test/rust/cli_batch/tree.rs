//! Aggregates of aggregates: four borrowers' proofs, two aggregates of two, one of both, one transaction.

use super::aggregate::{BORROWERS, Place};
use serde_json::{Value, json};
use std::fs;
use tokio::runtime::Runtime;

const DAVE: (&str, &str, &str) = ("dave", "6", "0x976EA74026E726554dB657fA54763abd0C3a0aa9");

impl Place {
    fn joined(&self, parts: &[&str], by: &str, purpose: &str, out: &str) -> crate::cli_support::Run {
        self.verb(&[&["aggregate"], parts, &["--artifacts", by, "--for", purpose, "--out", out]].concat())
    }

    /// A copy of an aggregate with something changed, and what is said of it where it is to be aggregated.
    fn changed_part(&self, change: &dyn Fn(&mut Value)) -> (i32, String) {
        let mut file: Value = serde_json::from_str(&fs::read_to_string(self.path("left.json")).unwrap()).unwrap();
        change(&mut file);
        fs::write(self.path("changed.json"), file.to_string()).unwrap();
        self.joined(&["right.json", "changed.json"], "tree", "chain", "none.json").refused()
    }
}

/// Four minutes of CPU time: two aggregates for aggregation, one of both, one with an empty branch, and the keys.
#[test]
#[ignore = "make test-aggregation"]
fn four_loans_by_a_tree_of_aggregates() {
    let place = Place::new(&Runtime::new().unwrap());
    let settlement = place.settlement("0");
    place.verb(&["gen-verifier", "a", "--aggregate", "2", "--out", "agg"]).result();
    place.verb(&["gen-verifier", "agg", "--aggregate", "2", "--out", "tree"]).result();
    let manifest = place.verb(&["inspect", "tree"]).result()["manifest"].clone();
    let below = &manifest["branches"][1]["aggregate"];
    assert_eq!(
        (manifest["slots"].as_array().map(Vec::len), &manifest["version"], &below["slots"]),
        (Some(4), &json!(2), &json!(2))
    );
    approved_only_out_of_what_is_below(&place);

    BORROWERS.into_iter().chain([DAVE]).for_each(|borrower| place.papers(&settlement, borrower, "0"));
    let proof = |name: &str| format!("loans/{name}/proof.json");
    let [alice, bob, carol, dave] = ["alice", "bob", "carol", "dave"].map(proof);
    place.joined(&[&alice, &bob], "agg", "aggregation", "left.json").result();
    place.joined(&[&carol, &dave], "agg", "aggregation", "right.json").result();
    assert_eq!(place.verb(&["verify", "--artifacts", "agg", "--proof", "left.json"]).result()["for"], "aggregation");
    what_is_wrong_with_a_part_is_told(&place, &alice);

    place.joined(&["left.json", "right.json"], "tree", "chain", "four.json").result();
    let verified = place.verb(&["verify", "--artifacts", "tree", "--proof", "four.json"]).result();
    assert_eq!(verified["slots"].as_array().map(Vec::len), Some(4));
    place.folder("four", &["alice", "bob", "carol", "dave"]);
    place.owner(&["deploy", "--artifacts", "tree", "--broadcast"]).result();
    place.owner(&["register", "--artifacts", "tree", "--remake-from", "a", "agg", "--broadcast"]).result();
    let done = place.submit("four", "four.json", &["--broadcast"]).result();
    println!("four loans by a tree: {} gas", done["gasUsed"]);
    for name in ["alice", "bob", "carol", "dave"] {
        assert_eq!(done["items"][name]["outcome"], "settled", "{done}");
    }

    // One branch alone: the other is an aggregate of empty slots.
    place.joined(&["right.json"], "tree", "chain", "half.json").result();
    let verified = place.verb(&["verify", "--artifacts", "tree", "--proof", "half.json"]).result();
    let empty: Vec<bool> = verified["slots"].as_array().unwrap().iter().map(|slot| slot["empty"] == true).collect();
    assert_eq!(empty, [false, false, true, true]);
}

/// The folder of every level, and nothing in a manifest that those do not give.
fn approved_only_out_of_what_is_below(place: &Place) {
    use zkml_evm::artifact::aggregate::AggregateManifest;
    let remade = |folder: &str, from: &[&str]| place.verb(&[&["inspect", folder, "--remake-from"], from].concat());
    assert_eq!(remade("tree", &["agg", "a"]).result()["remade"], true);
    assert_eq!(remade("tree", &["agg"]).refused(), (2, "artifact/slots".into()), "nothing shows what is below agg");
    assert_eq!(remade("tree", &["a"]).refused(), (2, "artifact/slots".into()));
    crate::cli_support::copy(&place.path("agg"), &place.path("other"));
    let path = place.path("other/manifest.json");
    let mut manifest = AggregateManifest::parse(&fs::read_to_string(&path).unwrap(), &path).unwrap();
    manifest.facts.slots[1].statement[2].hi = Some("7".into());
    let sealed = AggregateManifest::new(manifest.facts, manifest.contract, manifest.files);
    fs::write(&path, serde_json::to_string(&sealed).unwrap()).unwrap();
    place.verb(&["inspect", "other", "--keys"]).result();
    assert_eq!(remade("other", &["a"]).refused(), (2, "artifact/foreign".into()), "the id is the same, the layout is not");
}

/// Before anything is proven: the statement of a slot, where one ends, the accumulator, the proof, the same twice, a proof alone.
fn what_is_wrong_with_a_part_is_told(place: &Place, alone: &str) {
    let word = |file: &mut Value, slot: usize| file["slots"][slot]["publicInputs"].as_array().unwrap().clone();
    let statement = place.changed_part(&|file| file["slots"][1]["publicInputs"][2] = json!(format!("0x{:064x}", 5)));
    assert_eq!(statement, (1, "aggregate/invalid".into()));
    let moved = place.changed_part(&|file| {
        let (mut first, mut second) = (word(file, 0), word(file, 1));
        second.insert(0, first.pop().unwrap());
        (file["slots"][0]["publicInputs"], file["slots"][1]["publicInputs"]) = (json!(first), json!(second));
        // Whose context a statement has is checked before.
        (0..2).for_each(|slot| drop(file["slots"][slot].as_object_mut().unwrap().remove("context")));
    });
    assert_eq!(moved, (2, "artifact/foreign".into()), "the words are the same");
    let context = place.changed_part(&|file| file["slots"][0]["context"]["nonce"] = json!("0x9"));
    assert_eq!(context, (2, "artifact/malformed".into()));
    let cut = |file: &mut Value, at: usize| {
        let mut proof = file["proof"].as_str().unwrap().to_owned();
        let digit = if &proof[at..=at] == "0" { "1" } else { "0" };
        proof.replace_range(at..=at, digit);
        file["proof"] = json!(proof);
    };
    assert_eq!(place.changed_part(&|file| cut(file, 2 + 63)), (1, "aggregate/point".into()), "a coordinate of the accumulator");
    let exchanged = place.changed_part(&|file| {
        let proof = file["proof"].as_str().unwrap().to_owned();
        let [lhs, rhs] = [&proof[2..130], &proof[130..258]];
        file["proof"] = json!(format!("0x{rhs}{lhs}{}", &proof[258..]));
    });
    assert_eq!(exchanged, (1, "aggregate/invalid".into()), "two points, and not those of its words");
    assert_eq!(place.joined(&["left.json", "left.json"], "tree", "chain", "none.json").refused(), (2, "artifact/slots".into()));
    assert_eq!(
        place.joined(&[alone], "tree", "chain", "none.json").refused(),
        (2, "artifact/slots".into()),
        "a leaf goes into agg"
    );
    assert_eq!(place.joined(&["left.json"], "agg", "chain", "none.json").refused(), (2, "artifact/slots".into()));
    assert_eq!(place.submit("loans", "left.json", &[]).refused(), (2, "artifact/purpose".into()));
}
