//! Batches, private weights and the process that aggregates, as a user meets them: the real binary, real files, real proofs.

#[path = "cli_batch/aggregate.rs"]
mod aggregate;
mod chain_support;
mod cli_support;
#[path = "cli_batch/split.rs"]
mod split;
#[path = "cli_batch/submit.rs"]
mod submit;
#[path = "cli_batch/tree.rs"]
mod tree;
#[path = "cli_batch/turn.rs"]
mod turn;

use cli_support::{DATA, attest, copy, generate, run, run_in};
use halo2_proofs::halo2curves::serde::SerdeObject;
use serde_json::Value;
use std::{fs, path::Path};
use zkml_evm::gates::field::to_field;

const CONTEXT: [&str; 2] = ["--context", "0x0000000000000000000000000000000000000000000000000000000000000007"];

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn prove(folder: &Path, out: &str, more: &[&str]) -> cli_support::Run {
    let (artifacts, out) = (folder.join("artifacts"), folder.join(out));
    run(&[&["prove", "--artifacts", text(&artifacts), "--out", text(&out)], &CONTEXT[..], more].concat())
}

fn verified(folder: &Path, proof: &str) -> (i32, String) {
    run(&["verify", "--artifacts", text(&folder.join("artifacts")), "--proof", text(&folder.join(proof))]).refused()
}

fn names(result: &Value) -> Vec<String> {
    result["publicInputs"].as_array().unwrap().iter().map(|v| v["name"].as_str().unwrap().to_owned()).collect()
}

/// Rows of the calibration data as an input document.
fn rows(folder: &Path, name: &str, rows: std::ops::Range<usize>) -> String {
    let data: Value = serde_json::from_str(&fs::read_to_string(cli_support::project(DATA)).unwrap()).unwrap();
    let path = folder.join(name);
    let chosen = &data["input_data"].as_array().unwrap()[rows];
    fs::write(&path, serde_json::json!({ "input_data": chosen }).to_string()).unwrap();
    text(&path).to_owned()
}

#[test]
fn a_batch_of_private_inputs_from_a_file_and_from_a_folder() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path();
    let batch = ["--no-compile", "--batch", "3", "--input", "private", "--output", "reveal"];
    let made = generate(&folder.join("artifacts"), &batch).result();
    assert_eq!(made["manifest"]["items"], 3);

    let file = rows(folder, "three.json", 0..3);
    let made = prove(folder, "proof.json", &["--inputs", &file]).result();
    let names = names(&made);
    assert!(names[0] == "context" && names[1..].iter().all(|name| name.starts_with("item")), "{names:?}");
    let per_item = (names.len() - 1) / 3;
    assert!(names[1].starts_with("item0.") && names[per_item + 1].starts_with("item1."), "item by item: {names:?}");
    let valid = run(&["verify", "--artifacts", text(&folder.join("artifacts")), "--proof", text(&folder.join("proof.json"))]);
    assert_eq!(valid.result()["valid"], true);

    // The same rows, one file each, in the order of their names: the same values.
    let each = folder.join("each");
    fs::create_dir(&each).unwrap();
    for row in 0..3 {
        rows(&each, &format!("{row}.json"), row..row + 1);
    }
    let again = prove(folder, "again.json", &["--inputs", text(&each)]).result();
    assert_eq!(made["publicInputs"], again["publicInputs"]);
    let shown = run_in(&cli_support::project(""), &["inspect", text(&folder.join("artifacts"))]);
    assert!(shown.stdout.contains("batches of 3 inputs"), "{}", shown.stdout);

    // Too few, too many, one by --input, a row out of range, a file that is no input: each by name.
    let refused = |more: &[&str]| prove(folder, "no.json", more).refused();
    assert_eq!(refused(&["--inputs", &rows(folder, "two.json", 0..2)]), (2, "circuit/items".into()));
    assert_eq!(refused(&["--inputs", &rows(folder, "four.json", 0..4)]), (2, "circuit/items".into()));
    assert_eq!(refused(&["--input", &rows(folder, "one.json", 0..1)]), (2, "circuit/items".into()));
    assert_eq!(refused(&["--inputs", &file, "--input", &file]), (2, "usage/arguments".into()));
    fs::write(each.join("1.json"), r#"{"input_data": [[0, 0, 99999999, 0, 0]]}"#).unwrap();
    let named = prove(folder, "no.json", &["--inputs", text(&each)]);
    assert_eq!(named.refused(), (2, "input/out-of-range".into()));
    let message = named.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("item 1") && message.contains("1.json") && message.contains("x2"), "{message}");
    fs::write(each.join("1.json"), "{").unwrap();
    assert_eq!(refused(&["--inputs", text(&each)]), (2, "input/syntax".into()));
    assert!(!folder.join("no.json").exists());
    for batch in ["0", "5000", "x"] {
        assert_eq!(generate(&folder.join("other"), &["--no-compile", "--batch", batch]).refused().0, 2, "--batch {batch}");
    }
}

#[test]
fn a_batch_of_attested_inputs_with_a_threshold() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path();
    generate(&folder.join("artifacts"), &["--no-compile", "--batch", "2"]).result();
    let openings = folder.join("openings");
    fs::create_dir(&openings).unwrap();
    let mut commitments = Vec::new();
    for (at, person) in ["alice", "bob"].iter().enumerate() {
        let input = format!("{person}.json");
        rows(folder, &input, at..at + 1);
        commitments.push(attest(folder, &input, person).result()["attestation"]["inputCommitment"].clone());
        fs::copy(folder.join(person).join("opening.json"), openings.join(format!("{at}.json"))).unwrap();
    }
    let made = prove(folder, "proof.json", &["--inputs", text(&openings), "--threshold", "-3"]).result();
    let expected = ["context", "item0.inputCommitment", "item1.inputCommitment", "item0.threshold", "item1.threshold"];
    assert_eq!(names(&made), expected);
    assert_eq!([&made["publicInputs"][1]["value"], &made["publicInputs"][2]["value"]], [&commitments[0], &commitments[1]]);

    // A proof file with the commitments of two items exchanged.
    let mut proof: Value = serde_json::from_str(&fs::read_to_string(folder.join("proof.json")).unwrap()).unwrap();
    proof["publicInputs"].as_array_mut().unwrap().swap(1, 2);
    fs::write(folder.join("swapped.json"), proof.to_string()).unwrap();
    assert_eq!(verified(folder, "swapped.json"), (1, "proof/invalid".into()));

    let refused = |more: &[&str]| prove(folder, "no.json", more).refused();
    let file = rows(folder, "rows.json", 0..2);
    assert_eq!(refused(&["--inputs", &file, "--threshold", "-3"]), (2, "usage/missing".into()), "rows without salts");
    assert_eq!(refused(&["--inputs", text(&openings)]).0, 2, "no threshold");
    let high = prove(folder, "no.json", &["--inputs", text(&openings), "--threshold", "3"]);
    assert_eq!(high.refused(), (1, "circuit/below-threshold".into()));
    assert!(high.json()["error"]["message"].as_str().unwrap().starts_with("item "), "{}", high.stdout);
}

#[test]
fn private_weights_stay_out_of_the_artifact_folder() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path();
    let secret = folder.join("weights.json");
    let private = ["--no-compile", "--weights", "private", "--input", "private", "--output", "reveal"];
    let generated = |folder: &Path, out: &Path| generate(folder, &[&private[..], &["--weights-out", text(out)]].concat());
    let made = generated(&folder.join("artifacts"), &secret).result();
    let commitment = made["manifest"]["modelCommitment"].as_str().unwrap().to_owned();
    assert!(made["manifest"]["modelSha256"].is_null(), "guesses of the model could be tested against its hash");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let opened: Value = serde_json::from_str(&fs::read_to_string(&secret).unwrap()).unwrap();
    let weights: Vec<i64> = opened["weights"].as_array().unwrap().iter().map(|w| w.as_i64().unwrap()).collect();
    let large: Vec<i64> = weights.iter().copied().filter(|w| w.abs() > 1 << 18).collect();
    assert!(large.len() >= 3, "{weights:?}");
    for entry in fs::read_dir(folder.join("artifacts")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        for weight in &large {
            // As text, as a field element of a key (in Montgomery form) and as the program's file would have it.
            let scalar = to_field(i128::from(*weight)).to_raw_bytes();
            let stored = postcard::to_stdvec(&i128::from(*weight)).unwrap();
            let stored = if path.ends_with("program.bin") { stored } else { scalar.clone() };
            for needle in [weight.to_string().into_bytes(), scalar, stored] {
                assert!(!bytes.windows(needle.len()).any(|window| window == needle), "{weight} in {}", path.display());
            }
        }
    }

    let input = rows(folder, "one.json", 0..1);
    let proven = prove(folder, "proof.json", &["--input", &input, "--weights", text(&secret)]).result();
    assert_eq!(proven["publicInputs"][1], serde_json::json!({ "name": "modelCommitment", "value": commitment }));
    // The same model with fixed weights gives the same output.
    let fixed = folder.join("fixed");
    generate(&fixed.join("artifacts"), &["--no-compile", "--input", "private", "--output", "reveal"]).result();
    let same = prove(&fixed, "proof.json", &["--input", &input]).result();
    assert_eq!(same["publicInputs"][1]["value"], proven["publicInputs"][2]["value"]);
    // Another salt, hence another model: neither proof nor weights of the one serve the other.
    let [other, other_weights] = ["other", "other.json"].map(|name| folder.join(name));
    let made = generated(&other.join("artifacts"), &other_weights).result();
    assert_ne!(made["manifest"]["modelCommitment"], commitment.as_str());
    assert_ne!(made["manifest"]["modelId"], proven["modelId"]);
    let refused = |more: &[&str]| prove(folder, "no.json", more).refused();
    assert_eq!(refused(&["--input", &input, "--weights", text(&other_weights)]), (2, "artifact/foreign".into()));
    assert_eq!(refused(&["--input", &input]), (2, "usage/missing".into()));
    assert_eq!(prove(&fixed, "no.json", &["--input", &input, "--weights", text(&secret)]).refused().1, "usage/conflict");
    // A proof file that names another commitment.
    let mut proof: Value = serde_json::from_str(&fs::read_to_string(folder.join("proof.json")).unwrap()).unwrap();
    proof["publicInputs"][1] = made["manifest"]["modelCommitment"].clone();
    fs::write(folder.join("renamed.json"), proof.to_string()).unwrap();
    assert_eq!(verified(folder, "renamed.json"), (2, "artifact/foreign".into()));
    // A damaged file of weights.
    let mut damaged = opened.clone();
    damaged["weights"][0] = (weights[0] ^ 1).into();
    fs::write(folder.join("damaged.json"), damaged.to_string()).unwrap();
    let given = folder.join("damaged.json");
    assert_eq!(refused(&["--input", &input, "--weights", text(&given)]), (2, "artifact/foreign".into()));
    damaged["weights"][0] = i64::MAX.into();
    fs::write(&given, damaged.to_string()).unwrap();
    assert_eq!(refused(&["--input", &input, "--weights", text(&given)]), (2, "artifact/malformed".into()));

    // Where the secret may not go.
    let inside = folder.join("artifacts/weights.json");
    assert_eq!(generated(&folder.join("artifacts"), &inside).refused().1, "usage/conflict");
    assert_eq!(generated(&folder.join("third"), &secret).refused().1, "artifact/taken", "it is never overwritten");
    assert_eq!(generate(&folder.join("third"), &private).refused().1, "usage/arguments", "--weights-out is not given");
    assert_eq!(generate(&folder.join("third"), &["--no-compile", "--weights-out", "x.json"]).refused().1, "usage/conflict");
    let still: Value = serde_json::from_str(&fs::read_to_string(&secret).unwrap()).unwrap();
    assert_eq!(still, opened);
}

#[test]
fn a_batch_under_private_weights() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path();
    let secret = folder.join("weights.json");
    let choices = ["--no-compile", "--batch", "2", "--weights", "private", "--input", "public", "--output", "reveal"];
    generate(&folder.join("artifacts"), &[&choices[..], &["--weights-out", text(&secret)]].concat()).result();
    let file = rows(folder, "two.json", 0..2);
    let made = prove(folder, "proof.json", &["--inputs", &file, "--weights", text(&secret)]).result();
    let names = names(&made);
    assert_eq!(names[..3], ["context", "modelCommitment", "item0.feature0"]);
    assert_eq!(names[7], "item1.feature0");
    // A folder whose manifest says another number of inputs.
    copy(&folder.join("artifacts"), &folder.join("copied"));
    cli_support::relist(&folder.join("copied"), |_| {}, |facts| facts.items = 3);
    assert_eq!(run(&["inspect", text(&folder.join("copied"))]).refused(), (2, "artifact/foreign".into()));
    cli_support::relist(&folder.join("copied"), |_| {}, |facts| (facts.items, facts.model_commitment) = (2, None));
    assert_eq!(run(&["inspect", text(&folder.join("copied"))]).refused(), (2, "artifact/foreign".into()));
}

/// The form that an owner registers, of every kind of model: what may freeze it follows from it.
#[test]
fn the_form_follows_the_program() {
    use zkml_evm::{
        artifact::Folder,
        chain::bindings::IInferenceRouter::{InputMode, OutputMode, Statement},
        quant::OutputChoice,
    };
    let work = tempfile::tempdir().unwrap();
    let rows: Vec<Vec<f64>> = (0..8).map(|row| (0..4).map(|i| f64::from((row * 7 + i * 5) % 16 - 8) / 8.0).collect()).collect();
    let three = work.path().join("three.json");
    fs::write(&three, serde_json::json!({ "input_data": rows }).to_string()).unwrap();
    let inputs = [("committed", InputMode::Committed), ("public", InputMode::Public), ("private", InputMode::Private)];
    // One score, and three.
    let (one, many) = (("test/fixtures/onnx/linear.onnx", DATA), ("test/fixtures/onnx/gemm_trans_b.onnx", text(&three)));
    let outputs = [
        ("reveal", OutputMode::Reveal, many, 3),
        ("threshold", OutputMode::Threshold, one, 1),
        ("argmax", OutputMode::Argmax, many, 1),
    ];
    for (input, expected_input) in inputs {
        for (output, expected_output, (model, data), width) in outputs {
            for items in [1, 2] {
                let folder = work.path().join(format!("{input}-{output}-{items}"));
                let (out, batch) = (text(&folder), items.to_string());
                let fixed = ["gen-verifier", model, "--calibration", data, "--out", out, "--no-compile"];
                run(&[&fixed[..], &["--input", input, "--output", output, "--batch", &batch]].concat()).result();
                let form = Folder::open(&folder).unwrap().manifest.facts.form();
                let expected = Statement { input: expected_input, output: expected_output, outputs: width * items };
                assert_eq!(form, expected, "{input} {output} {items}");
            }
        }
    }
    // A manifest that calls a threshold an answer, under its own checksum: two borrowers could freeze the model.
    let folder = work.path().join("committed-threshold-1");
    for claimed in [OutputChoice::Reveal, OutputChoice::Argmax] {
        cli_support::relist(&folder, |_| {}, |facts| facts.output = claimed);
        let refused = run(&["inspect", text(&folder)]);
        assert_eq!(refused.refused(), (2, "artifact/foreign".into()));
        assert!(refused.stdout.contains("the output"), "{}", refused.stdout);
    }
    cli_support::relist(&folder, |_| {}, |facts| facts.output = OutputChoice::Threshold);
    assert_eq!(run(&["inspect", text(&folder)]).code, 0);
}

/// The names in a folder, in their order.
fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What is handed in beside good proofs, with the code that each is refused with.
fn bad_files(folder: &Path, incoming: &Path) -> Vec<(&'static str, &'static str)> {
    let mut files = Vec::new();
    let good: Value = serde_json::from_str(&fs::read_to_string(folder.join("a.json")).unwrap()).unwrap();
    let mut bad = |name: &'static str, code: &'static str, text: String| {
        fs::write(incoming.join(name), text).unwrap();
        files.push((name, code));
    };
    bad("again.json", "service/duplicate", good.to_string());
    // Of a statement that is not there yet.
    let mut spare: Value = serde_json::from_str(&fs::read_to_string(folder.join("spare.json")).unwrap()).unwrap();
    let proof = spare["proof"].as_str().unwrap().to_owned();
    spare["proof"] = proof[..proof.len() - 2].into();
    bad("cut.json", "aggregate/length", spare.to_string());
    spare["proof"] = format!("{}{}", &proof[..proof.len() - 64], "f".repeat(64)).into();
    bad("point.json", "aggregate/point", spare.to_string());
    bad("large.json", "service/too-large", good.to_string() + &" ".repeat(100_000));
    spare["modelId"] = format!("0x{:064x}", 5).into();
    bad("model.json", "artifact/slots", spare.to_string());
    bad("text.json", "artifact/malformed", "no proof".into());
    let mut statement = good.clone();
    statement["version"] = 9.into();
    bad("version.json", "artifact/version", statement.to_string());
    statement["version"] = good["version"].clone();
    statement["publicInputs"][1] = format!("0x{:064x}", 5).into();
    bad("statement.json", "aggregate/invalid", statement.to_string());
    statement["publicInputs"][1] = format!("0x{}", "f".repeat(64)).into();
    bad("field.json", "artifact/malformed", statement.to_string());
    bad("chain.json", "artifact/purpose", fs::read_to_string(folder.join("chain.json")).unwrap());
    fs::create_dir(incoming.join("folder")).unwrap();
    fs::write(incoming.join("binary"), [0xff; 40]).unwrap();
    files.extend([("folder", "service/not-plain"), ("binary", "service/unreadable")]);
    files
}

#[test]
fn a_folder_is_watched_and_its_proofs_are_aggregated() {
    let work = tempfile::tempdir().unwrap();
    let (folder, watched) = (work.path(), work.path().join("watched"));
    for (name, input) in [("a", "private"), ("b", "public")] {
        let choices = ["--no-compile", "--objective", "aggregation", "--input", input, "--output", "reveal"];
        generate(&folder.join(name), &choices).result();
    }
    let at = |name: &str| text(&folder.join(name)).to_owned();
    let made = ["gen-verifier", &at("a"), &at("b"), "--aggregate", "1", "--no-compile", "--out", &at("aggregate")];
    run(&made).result();
    let input = rows(folder, "one.json", 0..1);
    let proofs = [
        ("a", "a", "aggregation", 7),
        ("b", "b", "aggregation", 7),
        ("chain", "a", "chain", 9),
        ("spare", "a", "aggregation", 8),
    ];
    for (name, model, purpose, context) in proofs {
        let (out, context) = (at(&format!("{name}.json")), format!("0x{context:064x}"));
        let proven =
            ["prove", "--artifacts", &at(model), "--input", &input, "--for", purpose, "--context", &context, "--out", &out];
        run(&proven).result();
    }

    let incoming = watched.join("incoming");
    fs::create_dir_all(&incoming).unwrap();
    for name in ["a.json", "b.json"] {
        fs::copy(folder.join(name), incoming.join(name)).unwrap();
    }
    fs::write(incoming.join(".hidden"), "x").unwrap();
    fs::write(incoming.join("c.json.tmp"), "x").unwrap();
    let bad = bad_files(folder, &incoming);
    // `a.json` comes before `again.json`, and what is refused holds up nobody.
    let watch = || run(&["aggregate", "--watch", text(&watched), "--artifacts", &at("aggregate"), "--once"]);
    let first = watch();
    assert_eq!(first.code, 1, "some are refused: {}", first.stderr);
    let result = first.json()["result"].clone();
    assert_eq!((&result["groups"], &result["refused"], &result["waiting"]), (&1.into(), &bad.len().into(), &0.into()));
    for (name, code) in &bad {
        let reason = fs::read_to_string(watched.join("refused").join(format!("{name}.reason.json"))).unwrap();
        let reason: Value = serde_json::from_str(&reason).unwrap();
        assert_eq!(reason["code"], *code, "{name}: {reason}");
        assert!(reason["message"].as_str().unwrap().contains(name) && reason["hint"].is_string(), "{reason}");
    }
    assert_eq!(entries(&watched.join("refused")).len(), 2 * bad.len());
    assert_eq!(entries(&incoming), [".hidden", "c.json.tmp"]);

    let groups = entries(&watched.join("done"));
    assert_eq!(groups.len(), 1);
    let group = watched.join("done").join(&groups[0]);
    let names = entries(&group);
    assert!(
        names.len() == 4 && names.iter().any(|n| n.ends_with(".a.json")) && names.iter().any(|n| n.ends_with(".b.json")),
        "{names:?}"
    );
    let verify = || {
        let aggregate = group.join("aggregate.json");
        run(&["verify", "--artifacts", &at("aggregate"), "--proof", text(&aggregate)]).result()
    };
    let valid = verify();
    assert!(valid["slots"].as_array().unwrap().iter().all(|slot| slot["empty"] == false), "{valid}");
    let status = || -> Value { serde_json::from_str(&fs::read_to_string(watched.join("status.json")).unwrap()).unwrap() };
    let told = status();
    assert_eq!((&told["totals"]["accepted"], &told["totals"]["aggregated"]), (&2.into(), &2.into()));
    assert!(told["totals"]["cpuSeconds"].as_f64().unwrap() > 1.0, "{told}");
    eprintln!("{}", told["totals"]);
    let metrics = fs::read_to_string(watched.join("metrics.prom")).unwrap();
    assert!(metrics.contains("zkml_evm_aggregator_proofs_refused_total{code=\"aggregate/invalid\"} 1\n"), "{metrics}");

    // Killed before the group was closed: the next process sees that it is proven, and closes it.
    let made = fs::metadata(group.join("aggregate.json")).unwrap().modified().unwrap();
    fs::rename(&group, watched.join("groups").join(&groups[0])).unwrap();
    let member = names.iter().find(|name| name.ends_with(".a.json")).unwrap();
    fs::rename(watched.join("groups").join(&groups[0]).join(member), watched.join("waiting").join(member)).unwrap();
    assert_eq!(watch().result()["groups"], 1);
    assert_eq!(fs::metadata(group.join("aggregate.json")).unwrap().modified().unwrap(), made, "it is not proven again");
    assert_eq!(entries(&group), names);
    verify();

    // Nothing to do; a second process; another aggregate's folder.
    assert_eq!(watch().result()["groups"], 0);
    let lock = fs::File::open(watched.join("lock")).unwrap();
    lock.try_lock().unwrap();
    assert_eq!(watch().refused(), (4, "service/busy".into()));
    drop(lock);
    let owner = fs::read_to_string(watched.join("aggregator.json")).unwrap();
    let id = told["aggregateId"].as_str().unwrap();
    fs::write(watched.join("aggregator.json"), owner.replace(id, &format!("0x{:064x}", 1))).unwrap();
    assert_eq!(watch().refused(), (2, "service/other-aggregate".into()));
}

/// Two proofs of a model whose weights are their owner's secret, aggregated by somebody who has only the public folder. A minute of CPU time.
#[test]
#[ignore = "make test-aggregation"]
fn private_weights_in_an_aggregate() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path();
    let at = |name: &str| text(&folder.join(name)).to_owned();
    let private =
        ["--no-compile", "--objective", "aggregation", "--weights", "private", "--input", "private", "--output", "reveal"];
    let generated = |name: &str| {
        let made = generate(&folder.join(name), &[&private[..], &["--weights-out", &at(&format!("{name}.weights"))]].concat());
        made.result()["manifest"]["modelCommitment"].as_str().unwrap().to_owned()
    };
    let commitments = ["model", "other"].map(generated);
    assert_ne!(commitments[0], commitments[1], "the salt is another");
    run(&["gen-verifier", &at("model"), "--aggregate", "2", "--no-compile", "--out", &at("agg")]).result();

    let input = rows(folder, "one.json", 0..1);
    let proven = |model: &str, out: &str, context: u8| {
        let context = format!("0x{context:064x}");
        let by = ["prove", "--artifacts", &at(model), "--weights", &at(&format!("{model}.weights")), "--for", "aggregation"];
        run(&[&by[..], &["--input", &input, "--context", &context, "--out", &at(out)]].concat()).result()
    };
    for (model, out, context) in [("model", "first.json", 1), ("model", "second.json", 2), ("other", "other.json", 3)] {
        proven(model, out, context);
    }
    let aggregate = |proofs: &[&str], out: &str| {
        let proofs: Vec<String> = proofs.iter().map(|name| at(name)).collect();
        let proofs: Vec<&str> = proofs.iter().map(String::as_str).collect();
        run(&[&["aggregate"], &proofs[..], &["--artifacts", &at("agg"), "--out", &at(out)]].concat())
    };
    let verified = |name: &str| run(&["verify", "--artifacts", &at("agg"), "--proof", &at(name)]);

    // Nobody but the owner can fill a slot, and another owner's weights fill none.
    assert_eq!(aggregate(&["first.json"], "none.json").refused(), (2, "artifact/slots".into()));
    assert_eq!(aggregate(&["first.json", "other.json"], "none.json").refused(), (2, "artifact/slots".into()));
    let read = |name: &str| -> Value { serde_json::from_str(&fs::read_to_string(folder.join(name)).unwrap()).unwrap() };
    let write = |name: &str, value: &Value| fs::write(folder.join(name), value.to_string()).unwrap();
    // The other owner's proof under this model's name: its commitment is another.
    let mut claimed = read("other.json");
    claimed["modelId"] = read("first.json")["modelId"].clone();
    write("claimed.json", &claimed);
    let run = aggregate(&["first.json", "claimed.json"], "none.json");
    assert_eq!(run.refused(), (2, "artifact/foreign".into()), "{}", run.stdout);
    // And with this model's commitment put in its place: the proof does not hold for it.
    claimed["publicInputs"][1] = commitments[0].as_str().into();
    write("claimed.json", &claimed);
    let run = aggregate(&["first.json", "claimed.json"], "none.json");
    assert_eq!(run.refused(), (1, "aggregate/invalid".into()), "{}", run.stdout);

    aggregate(&["first.json", "second.json"], "two.json").result();
    let slots = verified("two.json").result()["slots"].clone();
    for slot in slots.as_array().unwrap() {
        assert_eq!((&slot["publicInputs"][1], &slot["empty"]), (&commitments[0].as_str().into(), &false.into()), "{slots}");
    }
    // The same aggregate for other weights, for another output, and for the other statement's context.
    let honest = read("two.json");
    let changes: [(usize, usize, Value); 3] = [
        (1, 1, commitments[1].as_str().into()),
        (0, 2, honest["slots"][0]["publicInputs"][0].clone()),
        (0, 0, honest["slots"][1]["publicInputs"][0].clone()),
    ];
    for (slot, place, value) in changes {
        let mut changed = honest.clone();
        changed["slots"][slot]["publicInputs"][place] = value;
        write("changed.json", &changed);
        let refused = verified("changed.json");
        assert_ne!(refused.code, 0, "slot {slot}, value {place}: {}", refused.stdout);
    }
}
