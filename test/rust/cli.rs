//! The command line as a user meets it: the real binary, real files, real proofs.

mod cli_support;

use cli_support::{DATA, MODEL, attest, copy, generate, project, prove, relist, run, run_in, run_with, shared, verify};
use serde_json::Value;
use std::{fs, path::Path};

const VERBS: [&str; 23] = [
    "init",
    "gen-verifier",
    "prove",
    "verify",
    "verify-contract",
    "attest",
    "deploy",
    "register",
    "submit",
    "freeze",
    "deprecate",
    "pause",
    "unpause",
    "retire-policy",
    "revoke",
    "status",
    "deployments",
    "gas",
    "srs",
    "inspect",
    "doctor",
    "demo",
    "completions",
];

#[test]
fn every_verb_has_help_and_bad_usage_ends_with_2() {
    let all = run_in(&project(""), &["--help"]);
    assert_eq!(all.code, 0);
    for verb in VERBS {
        assert!(all.stdout.contains(verb), "{verb}");
        let help = run_in(&project(""), &[verb, "--help"]);
        assert_eq!(help.code, 0, "{verb}");
        assert!(help.stdout.contains("Usage:") && help.stdout.contains("--json"), "{verb}: {}", help.stdout);
        assert!(help.stderr.is_empty(), "{verb}");
    }
    for bad in
        [&["prove"][..], &["no-such-verb"], &["gen-verifier", "m.onnx"], &["demo", "--chain", "mainnet"], &["verify", "--frob"]]
    {
        assert_eq!(run(bad).refused(), (2, "usage/arguments".into()), "{bad:?}");
        let plain = run_in(&project(""), bad);
        assert_eq!((plain.code, plain.stdout.as_str()), (2, ""), "{bad:?}");
        assert!(plain.stderr.starts_with("error[usage/arguments]"), "{}", plain.stderr);
    }
    assert!(run_in(&project(""), &["completions", "bash"]).stdout.contains("zkml-evm"));
}

#[test]
fn from_model_to_checked_proof() {
    let folder = shared();
    let proof = folder.join("journey.json");
    let made = prove(folder, &proof, &["--threshold", "-1"]).result();
    assert_eq!(made["publicInputs"][0]["name"], "context");
    assert_eq!(made["publicInputs"].as_array().unwrap().len(), 3);
    assert_eq!(verify(folder, &proof).result()["valid"], true);

    // The same through --input and --salt-file; and with the call's parts instead of a bare context.
    let opening: Value = serde_json::from_str(&fs::read_to_string(folder.join("alice/opening.json")).unwrap()).unwrap();
    fs::write(folder.join("salt"), opening["salt"].as_str().unwrap()).unwrap();
    let [artifacts, input, salt, attestation] =
        ["artifacts", "input.json", "salt", "alice/attestation.json"].map(|name| folder.join(name).to_str().unwrap().to_owned());
    let policy = format!("0x{:064x}", 9);
    let bound = folder.join("bound.json");
    let made = run(&[
        "prove",
        "--artifacts",
        &artifacts,
        "--input",
        &input,
        "--salt-file",
        &salt,
        "--attestation",
        &attestation,
        "--threshold",
        "-1",
        "--consumer",
        "0x00000000000000000000000000000000000000bb",
        "--policy",
        &policy,
        "--nonce",
        "0",
        "--expiry",
        "4000000000",
        "--out",
        bound.to_str().unwrap(),
    ]);
    assert_eq!(made.result()["publicInputs"][1]["value"], opening["inputCommitment"]);
    assert_eq!(verify(folder, &bound).code, 0);
}

/// From a ceremony's file to a checked proof that is not marked insecure.
#[test]
fn keys_of_a_ceremony() {
    let work = tempfile::tempdir().unwrap();
    let path = |name: &str| work.path().join(name).to_str().unwrap().to_owned();
    let ptau = "test/fixtures/ptau/power9.ptau";
    let readme = fs::read_to_string(project("test/fixtures/ptau/README.md")).unwrap();
    let hash = readme.lines().last().unwrap().trim();
    let import = |more: &[&str]| run(&[&["srs", "import", ptau, "--name", "fixture", "--out", &path("srs")], more].concat());
    let wrong = "0".repeat(128);
    assert_eq!(import(&["--k", "9", "--blake2b", &wrong]).refused(), (2, "proof/ptau".into()));
    assert_eq!(import(&["--k", "10"]).refused(), (2, "proof/ptau".into()));
    assert!(!work.path().join("srs").exists());
    let label = format!("ceremony fixture.9.{hash}");
    assert_eq!(import(&["--k", "9", "--blake2b", hash]).result()["srs"], label);
    assert_eq!(run(&["srs", "verify", &path("srs")]).result()["k"], 9);

    let out = work.path().join("artifacts");
    let made = generate(&out, &["--no-compile", "--srs", &path("srs")]);
    assert_eq!(made.result()["manifest"]["srs"], label);
    assert!(!made.stderr.contains("insecure"), "{}", made.stderr);
    assert!(fs::read_to_string(out.join("InferenceVerifier.sol")).unwrap().contains(&label), "the contract says so too");
    attest(work.path(), shared().join("input.json").to_str().unwrap(), "alice").result();
    let proof = work.path().join("p.json");
    prove(work.path(), &proof, &["--threshold", "-1"]).result();
    let checked = verify(work.path(), &proof);
    assert_eq!((checked.result()["srs"].as_str(), checked.stderr.as_str()), (Some(label.as_str()), ""));
    let doctor = run(&["doctor", "--artifacts", out.to_str().unwrap()]).json()["result"].clone();
    assert!(doctor.as_array().unwrap().iter().any(|f| f["name"] == "SRS" && f["ok"] == true), "{doctor}");

    // Too small for the model, and one wrong point.
    import(&["--k", "8"]).result();
    assert_eq!(
        generate(&work.path().join("small"), &["--no-compile", "--srs", &path("srs")]).refused(),
        (2, "proof/srs-too-small".into())
    );
    assert!(!work.path().join("small").exists());
}

#[test]
fn inspect_shows_everything() {
    let artifacts = shared().join("artifacts");
    let path = artifacts.to_str().unwrap();
    let shown = run(&["inspect", path, "--candidates", "--keys"]).result();
    assert_eq!(shown["manifest"]["srs"], "insecure-dev");
    assert!(shown["candidates"].as_array().unwrap().len() > 1);
    assert!(shown["candidates"][0]["memory"]["proof"].as_u64().unwrap() > 1_000_000);
    assert!(shown["candidates"][0]["cpuSeconds"].as_f64().unwrap() > 0.01);
    assert_eq!(shown["candidates"][0]["contract"], Value::Null, "measured only when asked for");
    let text = run_in(&project(""), &["inspect", path, "--candidates"]);
    for part in ["model id", "insecure-dev", "threshold", "chosen", "accuracy"] {
        assert!(text.stdout.contains(part), "{part}: {}", text.stdout);
    }
}

/// What is predicted before there are keys is what the keys' own verifier uses.
#[test]
fn candidates_have_the_gas_that_their_verifiers_use() {
    let artifacts = shared().join("artifacts");
    let path = artifacts.to_str().unwrap();
    let shown = run(&["inspect", path, "--candidates", "--gas", "1"]).result();
    let all = shown["candidates"].as_array().unwrap();
    let measured = all.iter().filter(|candidate| !candidate["contract"].is_null()).count();
    assert!((1..=2).contains(&measured), "the best and the chosen one: {measured}");
    let chosen = all.iter().find(|candidate| candidate["chosen"] == true).unwrap();
    let gas = run(&["gas", path]).result();
    assert_eq!(chosen["contract"]["executionGas"], gas["gas"]["execution"]);
    assert_eq!(chosen["contract"]["codeBytes"], gas["gas"]["codeBytes"]);
    let calldata = gas["gas"]["parts"].as_array().unwrap().iter().find(|part| part["name"] == "calldata, at most").unwrap();
    assert_eq!(chosen["calldataGas"], calldata["gas"]);
    assert_eq!(run(&["inspect", path, "--gas", "1"]).code, 2, "without --candidates");
}

#[test]
fn a_proof_says_what_its_stages_took() {
    let work = tempfile::tempdir().unwrap();
    let made = prove(shared(), &work.path().join("proof.json"), &["--threshold", "-1"]).result();
    let stages = made["stages"].as_array().unwrap();
    let seconds = |name: &str| {
        let stage = stages.iter().find(|stage| stage["name"].as_str().unwrap().starts_with(name));
        stage.unwrap_or_else(|| panic!("{name}: {made}"))["cpuSeconds"].as_f64().unwrap()
    };
    assert!(stages.iter().all(|stage| stage["cpuSeconds"].as_f64().unwrap() >= 0.0), "{made}");
    assert!(seconds("proving") > seconds("computing the witness"), "{made}");
    assert!(seconds("reading") > 0.0 && seconds("checking") > 0.0 && seconds("writing") >= 0.0, "{made}");
}

#[test]
fn a_circuit_can_be_drawn() {
    let work = tempfile::tempdir().unwrap();
    let picture = work.path().join("circuit.svg");
    let artifacts = shared().join("artifacts");
    let shown = run(&["inspect", artifacts.to_str().unwrap(), "--layout", picture.to_str().unwrap()]).result();
    assert_eq!(shown["layout"], picture.to_str().unwrap());
    let svg = fs::read_to_string(&picture).unwrap();
    assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"));
    let plan = &shown["manifest"]["plan"];
    for part in [
        "weights 0",
        "multiplicity",
        "hash: partial round",
        "threshold",
        "linear layer",
        &format!("2^{} rows", plan["shape"]["k"]),
    ] {
        assert!(svg.contains(part), "{part}");
    }
    // As many columns as the plan has, and nothing but the legend beside them.
    let columns = svg.matches("rotate(-60)").count() as u64;
    assert_eq!(columns, plan["advice"].as_u64().unwrap() + plan["fixed"].as_u64().unwrap());
}

#[test]
fn memory_beyond_the_limit_is_refused_beforehand_with_the_number() {
    let work = tempfile::tempdir().unwrap();
    let out = work.path().join("out");
    let refused = generate(&out, &["--no-compile", "--max-memory", "20MB"]);
    assert_eq!(refused.refused(), (4, "circuit/memory".into()));
    let message = refused.json()["error"]["message"].as_str().unwrap().to_owned();
    let (before, allowed) = message.split_once(" MB of memory, allowed are ").unwrap();
    assert_eq!(allowed, "20 MB");
    let needed: u64 = before.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(!out.exists());
    // Just enough is enough.
    generate(&out, &["--no-compile", "--max-memory", &format!("{needed}MB")]).result();
    assert_eq!(generate(&out, &["--no-compile", "--max-memory", "much"]).refused().0, 2);

    let proof = work.path().join("proof.json");
    let refused = prove(shared(), &proof, &["--threshold", "-1", "--max-memory", "1MB"]);
    assert_eq!(refused.refused(), (4, "circuit/memory".into()));
    assert!(!proof.exists());
    prove(shared(), &proof, &["--threshold", "-1", "--max-memory", "1GiB"]).result();
}

/// Runs a verb that writes `out`, interrupts it after each delay, and looks at what is left: `whole` or nothing, and nothing beside it.
#[cfg(unix)]
fn interrupted(arguments: &[&str], name: &str, whole: impl Fn(&str)) {
    let mut interrupted = 0;
    for delay in [5, 20, 40, 60, 80, 100, 130, 160, 200, 300] {
        let work = tempfile::tempdir().unwrap();
        let out = work.path().join(name);
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_zkml-evm"))
            .current_dir(project(""))
            .args(arguments)
            .args(["--out", out.to_str().unwrap()])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(delay));
        // SAFETY: a signal to a process of our own that has not been waited for.
        assert_eq!(unsafe { libc::kill(child.id() as i32, libc::SIGINT) }, 0);
        let status = child.wait().unwrap();
        let left: Vec<_> = fs::read_dir(work.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        // Before the handler is there the system ends the process; after all is in its place the interrupt comes too late for it.
        assert!(matches!(status.code(), Some(0 | 130) | None), "{delay} ms: {status}");
        match left.is_empty() {
            true => interrupted += 1,
            false => {
                assert_eq!(left, [name], "{delay} ms");
                whole(out.to_str().unwrap());
            }
        }
        assert!(!(status.success() && left.is_empty()), "{delay} ms: nothing was written");
    }
    assert!(interrupted > 0, "some interrupts fall before the end");
}

#[cfg(unix)]
#[test]
fn an_interrupted_verb_leaves_nothing_half_written() {
    interrupted(&["gen-verifier", MODEL, "--calibration", DATA, "--no-compile"], "out", |out| {
        assert_eq!(run(&["inspect", out, "--keys"]).code, 0);
    });
    let import = ["srs", "import", "test/fixtures/ptau/power9.ptau", "--name", "fixture", "--k", "9"];
    interrupted(&import, "srs.bin", |out| assert_eq!(run(&["srs", "verify", out]).code, 0));
    let [artifacts, opening] = ["artifacts", "alice/opening.json"].map(|path| shared().join(path).to_str().unwrap().to_owned());
    let context = format!("0x{:064x}", 42);
    let prove = ["prove", "--artifacts", &artifacts, "--opening", &opening, "--threshold", "-1", "--context", &context];
    interrupted(&prove, "proof.json", |out| {
        assert_eq!(run(&["verify", "--artifacts", &artifacts, "--proof", out]).code, 0);
    });
}

#[cfg(unix)]
#[test]
fn secrets_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |name: &str| fs::metadata(shared().join("alice").join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("opening.json"), mode("attestation.json")), (0o600, 0o644));
}

#[test]
fn bad_inputs_are_refused_by_feature() {
    let folder = shared();
    let features = |x4: &str| format!(r#"{{"features": {{"x0": 0.5, "x1": -0.25, "x2": 0.125, "x3": 0{x4}}}}}"#);
    for (name, text, code, says) in [
        ("missing", features(""), "input/missing-feature", "x4"),
        ("extra", features(r#", "x4": 0, "x5": 1"#), "input/unknown-feature", "x5"),
        ("twice", features(r#", "x4": 0, "x4": 0"#), "input/duplicate-feature", "x4"),
        ("nan", features(r#", "x4": NaN"#), "input/not-a-number", "NaN"),
        ("range", features(r#", "x4": 17.5"#), "input/out-of-range", "17.5"),
        ("text", "not json".into(), "input/syntax", ""),
        ("short", r#"{"input_data": [[1]]}"#.into(), "input/length", "5"),
    ] {
        let file = format!("{name}.json");
        fs::write(folder.join(&file), text).unwrap();
        let refused = attest(folder, &file, "refused");
        assert_eq!(refused.refused(), (2, code.into()), "{name}");
        assert!(refused.stdout.contains(says), "{name}: {}", refused.stdout);
        assert!(!folder.join("refused").exists(), "{name}: nothing is half-written");
    }
    let out = folder.join("never.json");
    for (more, code, error) in [
        (&["--threshold", "5"][..], 1, "circuit/below-threshold"),
        (&["--threshold", "1e9"], 2, "threshold/out-of-range"),
        (&["--threshold", "high"], 2, "threshold/not-a-number"),
        (&["--probability", "2"], 2, "threshold/probability"),
        (&[], 2, "artifact/statement"),
    ] {
        assert_eq!(prove(folder, &out, more).refused(), (code, error.into()), "{more:?}");
        assert!(!out.exists());
    }
}

#[test]
fn tampered_proofs_are_refused() {
    let folder = shared();
    let proof = folder.join("honest.json");
    prove(folder, &proof, &["--threshold", "-1"]).result();
    let text = fs::read_to_string(&proof).unwrap();
    let honest: Value = serde_json::from_str(&text).unwrap();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut value = honest.clone();
        change(&mut value);
        let path = folder.join("changed.json");
        fs::write(&path, value.to_string()).unwrap();
        verify(folder, &path).refused()
    };
    let hex = honest["proof"].as_str().unwrap().to_owned();
    let swapped = |at: usize| format!("{}{}{}", &hex[..at], if &hex[at..=at] == "0" { "1" } else { "0" }, &hex[at + 1..]);
    for at in (2..hex.len()).step_by(hex.len() / 12) {
        assert_eq!(changed(&|v| v["proof"] = swapped(at).into()), (1, "proof/invalid".into()), "{at}");
    }
    let invalid = (1, "proof/invalid".to_owned());
    assert_eq!(changed(&|v| v["proof"] = hex[..hex.len() - 2].into()), invalid, "one byte short");
    assert_eq!(changed(&|v| v["proof"] = format!("{hex}00").into()), invalid, "one byte long");
    assert_eq!(changed(&|v| v["publicInputs"][0] = format!("0x{:064x}", 8).into()), invalid, "another context");
    let malformed = (2, "artifact/malformed".to_owned());
    assert_eq!(changed(&|v| v["publicInputs"][2] = format!("0x{}", "f".repeat(64)).into()), malformed, "not canonical");
    assert_eq!(changed(&|v| v["surplus"] = 1.into()), malformed, "unknown field");
    assert_eq!(changed(&|v| v["format"] = "other".into()), malformed);
    assert_eq!(changed(&|v| v["version"] = 3.into()), (2, "artifact/version".into()));
    assert_eq!(changed(&|v| v["version"] = 2.into()), malformed, "the version of proofs for aggregation");
    assert_eq!(changed(&|v| v["for"] = "aggregation".into()), malformed, "the version of proofs for a chain");
    let relabelled = |v: &mut Value| (v["version"], v["for"]) = (2.into(), "aggregation".into());
    assert_eq!(changed(&relabelled), invalid, "another transcript");
    assert_eq!(changed(&|v| v["publicInputs"] = Value::Array(vec![])), (2, "artifact/statement".into()));
    assert_eq!(changed(&|v| v["modelId"] = format!("0x{:064x}", 1).into()), (2, "artifact/foreign".into()));
}

#[test]
fn a_proof_for_aggregation_is_for_nothing_else() {
    let folder = shared();
    let proof = folder.join("inner.json");
    let made = prove(folder, &proof, &["--threshold", "-1", "--for", "aggregation"]).result();
    let checked = verify(folder, &proof).result();
    assert_eq!([&made["for"], &checked["for"]], ["aggregation"; 2]);
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let [artifacts, proof, attestation] = ["artifacts", "inner.json", "alice/attestation.json"].map(path);
    let nowhere = ["--rpc-url", "http://127.0.0.1:9", "--dev-account", "2"];
    let verbs: [&[&str]; 3] = [
        &["submit", "--proof", &proof, "--attestation", &attestation],
        &["submit-batch", folder.to_str().unwrap(), "--proof", &proof],
        &["contradict", "--artifacts", &artifacts, "--proof", &proof, "--proof", &proof],
    ];
    for verb in verbs {
        let refused = run(&[verb, &nowhere].concat());
        assert_eq!(refused.refused(), (2, "artifact/purpose".into()), "{verb:?}");
        assert!(refused.stderr.contains("prove --for chain") || refused.stdout.contains("prove --for chain"), "{verb:?}");
    }
}

#[test]
fn a_flipped_byte_in_any_file_is_found() {
    let original = shared().join("artifacts");
    let copied = tempfile::tempdir().unwrap();
    let folder = copied.path().join("artifacts");
    copy(&original, &folder);
    let check = || run(&["inspect", folder.to_str().unwrap(), "--keys"]);
    assert_eq!(check().code, 0);
    let mut files = 0;
    for entry in fs::read_dir(&original).unwrap() {
        let name = entry.unwrap().file_name();
        let bytes = fs::read(original.join(&name)).unwrap();
        for at in [0, bytes.len() / 3, bytes.len() / 2, bytes.len() - 2] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            fs::write(folder.join(&name), damaged).unwrap();
            let (code, error) = check().refused();
            assert!(code == 2 && error.starts_with("artifact/"), "{name:?} at {at}: {code} {error}");
        }
        fs::write(folder.join(&name), &bytes[..bytes.len() / 2]).unwrap();
        assert_eq!(check().code, 2, "{name:?} truncated");
        fs::remove_file(folder.join(&name)).unwrap();
        assert_ne!(check().code, 0, "{name:?} missing");
        fs::write(folder.join(&name), bytes).unwrap();
        files += 1;
    }
    assert_eq!((files, check().code), (7, 0));
}

/// Lengths are compared before anything is read: neither a file without end nor one that blocks is opened.
#[cfg(unix)]
#[test]
fn files_of_another_length_are_not_read() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path().join("artifacts");
    copy(&shared().join("artifacts"), &folder);
    let key = folder.join("pk.bin");
    let refused = || {
        let refused = run(&["inspect", folder.to_str().unwrap()]);
        assert!(refused.stdout.contains("pk.bin"), "{}", refused.stdout);
        refused.refused()
    };
    let honest = fs::read(&key).unwrap();
    fs::write(&key, [&honest[..], &[0]].concat()).unwrap();
    assert_eq!(refused(), (2, "artifact/length".into()), "one byte more");
    // A hole of a terabyte, listed as such.
    fs::File::options().write(true).open(&key).unwrap().set_len(1 << 40).unwrap();
    relist(&folder, |files| files.get_mut("pk.bin").unwrap().bytes = 1 << 40, |_| {});
    assert_eq!(refused(), (2, "artifact/length".into()), "larger than any key");
    fs::remove_file(&key).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&key).status().unwrap().success());
    assert_eq!(refused(), (2, "artifact/length".into()), "a pipe that nobody writes");
    fs::remove_file(&key).unwrap();
    fs::create_dir(&key).unwrap();
    assert_eq!(refused(), (2, "artifact/length".into()), "a folder");
}

/// A key of another model with a manifest that was edited to match: checksums agree, the model id does not.
#[test]
fn keys_of_another_model_are_refused() {
    let work = tempfile::tempdir().unwrap();
    let other = work.path().join("other");
    generate(&other, &["--no-compile", "--objective", "gas"]).result();
    let proof = work.path().join("p.json");
    let folder = shared();
    prove(folder, &proof, &["--threshold", "-1"]).result();
    let checked = run(&["verify", "--artifacts", other.to_str().unwrap(), "--proof", proof.to_str().unwrap()]);
    let same = fs::read(other.join("pk.bin")).unwrap() == fs::read(folder.join("artifacts/pk.bin")).unwrap();
    assert_eq!(checked.code, if same { 0 } else { 2 }, "{}", checked.stdout);
    fs::copy(project(DATA), other.join("pk.bin")).unwrap();
    assert_eq!(run(&["inspect", other.to_str().unwrap()]).refused(), (2, "artifact/length".into()));
}

#[test]
fn models_and_folders_that_cannot_be_used() {
    let work = tempfile::tempdir().unwrap();
    let out = work.path().join("out");
    let generated = |model: &str, more: &[&str]| {
        let fixed = ["gen-verifier", model, "--calibration", DATA, "--no-compile", "--out", out.to_str().unwrap()];
        run(&[&fixed, more].concat()).refused()
    };
    assert_eq!(generated("test/fixtures/onnx/erf.onnx", &[]), (3, "model/unsupported-operator".into()));
    assert_eq!(generated("test/fixtures/onnx/dynamic_batch.onnx", &[]), (3, "model/dynamic-shape".into()));
    assert_eq!(generated("test/fixtures/onnx/sigmoid.onnx", &[]).1, "quant/features");
    assert_eq!(generated("no-such.onnx", &[]).1, "model/read");
    assert_eq!(generated(MODEL, &["--schema", "no-such.json"]).1, "schema/read");
    assert_eq!(generated(MODEL, &["--output", "argmax"]).1, "quant/output");
    assert_eq!(generated(MODEL, &["--precision", "7,16"]).0, 3);
    assert!(!out.exists(), "nothing is left behind");
}

/// Runs a verb in the project's root with `--json` and halo2's cap of the degree in the environment.
fn capped(cap: &str, arguments: &[&str]) -> cli_support::Run {
    run_with(&project(""), &[("MAX_DEGREE", cap)], &[&["--json"], arguments].concat())
}

/// halo2 caps the degree of a circuit by an environment variable: below the true degree keys and proofs would be others that
/// nobody accepts. The revealed probability has degree 5, the threshold 4.
#[test]
fn a_degree_cap_in_the_environment_changes_nothing_or_is_refused() {
    let work = tempfile::tempdir().unwrap();
    let out = |name: &str| work.path().join(name).to_str().unwrap().to_owned();
    let credit = |file: &str| format!("examples/credit/{file}");
    let [model, data, schema] = ["credit_mlp.onnx", "calibration.json", "credit_schema.json"].map(credit);
    let probability = |cap: &str| {
        let out = out(&format!("probability{cap}"));
        let files = ["gen-verifier", &model, "--calibration", &data, "--schema", &schema, "--out", &out];
        capped(cap, &[&files[..], &["--input", "private", "--output", "reveal", "--no-compile"]].concat())
    };
    let threshold = |cap: &str| {
        let out = out(&format!("threshold{cap}"));
        capped(cap, &["gen-verifier", MODEL, "--calibration", DATA, "--no-compile", "--out", &out])
    };
    let id = |run: cli_support::Run| run.result()["manifest"]["modelId"].as_str().unwrap().to_owned();
    assert_eq!(id(probability("9")), id(probability("5")));
    let uncapped = run(&["inspect", shared().join("artifacts").to_str().unwrap()]).result();
    assert_eq!(uncapped["manifest"]["modelId"], id(threshold("9")));
    assert_eq!(uncapped["manifest"]["modelId"], id(threshold("4")));
    let refused = (4, "proof/degree-cap".to_owned());
    for cap in ["4", "3", "0", "five", "-1", ""] {
        assert_eq!(probability(cap).refused(), refused, "{cap}");
        assert!(!Path::new(&out(&format!("probability{cap}"))).exists(), "{cap}: nothing is left behind");
    }
    assert_eq!(threshold("3").refused(), refused);

    // Keys that were made without the cap are not used under it either.
    let made = shared().join("before-the-cap.json");
    prove(shared(), &made, &["--threshold", "-1"]).result();
    let path = |name: &str| shared().join(name).to_str().unwrap().to_owned();
    let [artifacts, opening, proof, again] = ["artifacts", "alice/opening.json", "before-the-cap.json", "capped.json"].map(path);
    let proving =
        ["prove", "--artifacts", &artifacts, "--opening", &opening, "--threshold", "-1", "--context", &format!("0x{:064x}", 7)];
    let proving = [&proving[..], &["--out", &again]].concat();
    let verifying = ["verify", "--artifacts", &artifacts, "--proof", &proof];
    for verb in [&proving[..], &verifying] {
        assert_eq!(capped("3", verb).refused(), refused, "{verb:?}");
        assert_eq!(capped("9", verb).code, 0, "{verb:?}");
    }
}

#[test]
fn a_precision_that_no_limb_divides_is_told_which_would_work() {
    let work = tempfile::tempdir().unwrap();
    let out = work.path().join("out");
    let generated = |precision: &str| {
        let out = out.to_str().unwrap();
        let files = ["gen-verifier", MODEL, "--calibration", DATA, "--no-compile", "--force", "--out", out];
        run(&[&files[..], &["--precision", precision]].concat())
    };
    let refused = generated("17,13");
    assert_eq!(refused.refused(), (3, "circuit/no-limbs".into()));
    let error = &refused.json()["error"];
    assert!(error["message"].as_str().unwrap().contains("a shift of 17 bits, magnitudes of 13"), "{error}");
    let hint = error["hint"].as_str().unwrap().to_owned();
    let offered: Vec<&str> = hint.split("--precision ").skip(1).map(|rest| rest.trim_end_matches(", ")).collect();
    assert!(offered.contains(&"18,18") && offered.contains(&"24,16"), "{hint}");
    for precision in offered {
        assert_eq!(generated(precision).code, 0, "{precision} was offered: {hint}");
    }
}

#[test]
fn a_missing_compiler_is_told_before_the_long_work() {
    let work = tempfile::tempdir().unwrap();
    let out = work.path().join("out");
    let refused = generate(&out, &["--solc", "/no/such/solc"]);
    assert_eq!(refused.refused(), (4, "verifier/no-solc".into()));
    assert!(fs::read_dir(work.path()).unwrap().next().is_none(), "nothing is left behind");
}

#[test]
fn folders_are_replaced_only_when_they_are_ours_and_asked_for() {
    let work = tempfile::tempdir().unwrap();
    let mine = work.path().join("mine");
    fs::create_dir(&mine).unwrap();
    fs::write(mine.join("thesis.txt"), "precious").unwrap();
    for more in [&["--no-compile"][..], &["--no-compile", "--force"]] {
        assert_eq!(generate(&mine, more).refused(), (2, "artifact/occupied".into()));
    }
    assert_eq!(fs::read_to_string(mine.join("thesis.txt")).unwrap(), "precious");
    let ours = work.path().join("ours");
    copy(&shared().join("artifacts"), &ours);
    assert_eq!(generate(&ours, &["--no-compile"]).refused(), (2, "artifact/exists".into()));
    generate(&ours, &["--no-compile", "--force"]).result();
    let names: Vec<_> = fs::read_dir(work.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "no temporary folder is left: {names:?}");
    // A file where a folder should go, which fails for root as well.
    let blocked = mine.join("thesis.txt").join("out");
    assert_eq!(generate(&blocked, &["--no-compile"]).refused(), (4, "artifact/io".into()));
}

#[test]
fn chains_that_cannot_be_used() {
    let artifacts = shared().join("artifacts");
    let path = artifacts.to_str().unwrap();
    let refused = run(&["status", "--rpc-url", "http://127.0.0.1:9"]);
    assert_eq!(refused.refused(), (5, "chain/unreachable".into()));
    assert_eq!(refused.json()["error"]["retryable"], true);
    assert_eq!(run(&["status", "--rpc-url", "ftp://x"]).refused(), (2, "chain/bad-url".into()));
    assert_eq!(run(&["status"]).refused(), (2, "usage/missing".into()));
    assert_eq!(run(&["status", "--chain", "embedded", "--expect-chain-id", "1"]).refused().1, "chain/wrong-chain");
    let deploy = ["deploy", "--artifacts", path, "--chain", "embedded", "--dev-account", "0"];
    assert_eq!(run(&deploy).refused(), (2, "artifact/not-compiled".into()));
    assert_eq!(run(&["status", "--chain", "embedded"]).result()["contracts"], Value::Array(vec![]));
}

#[test]
fn doctor_says_what_is_there_and_how_to_mend() {
    let artifacts = shared().join("artifacts");
    let found = run(&["doctor", "--artifacts", artifacts.to_str().unwrap(), "--chain", "embedded"]).result();
    let names: Vec<&str> = found.as_array().unwrap().iter().filter_map(|f| f["name"].as_str()).collect();
    assert_eq!(names, ["solc", "contracts", "node", "forge", "anvil", "memory", "disk", "SRS", "rpc"]);
    let lacking = run_in(&project(""), &["doctor", "--solc", "/no/such/solc"]);
    assert_eq!(lacking.code, 4);
    assert!(lacking.stdout.contains("MISSING  solc") && lacking.stdout.contains("npm ci"), "{}", lacking.stdout);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_with_130() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_zkml-evm"))
        .args(["--json", "status", "--rpc-url", &url])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Connected, and waiting for an answer that does not come.
    let _connection = silent.accept().unwrap();
    // SAFETY: a signal to a process of our own that has not been waited for.
    assert_eq!(unsafe { libc::kill(child.id() as i32, libc::SIGINT) }, 0);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut text = String::new();
    std::io::Read::read_to_string(&mut child.stdout.take().unwrap(), &mut text).unwrap();
    assert!(text.contains("\"interrupted\""), "{text}");
}

/// The report needs the keys and a compiler, and nothing of it is written when a file cannot be.
#[test]
fn gas_is_reported_by_part() {
    let folder = shared().join("artifacts");
    let work = tempfile::tempdir().unwrap();
    let [folder, svg] = [folder, work.path().join("gas.svg")].map(|p| p.to_str().unwrap().to_owned());
    let gas = &run(&["gas", &folder, "--svg", &svg]).result()["gas"];
    let parts = gas["parts"].as_array().unwrap();
    let sum: u64 = parts.iter().map(|part| part["gas"].as_u64().unwrap()).sum();
    assert_eq!(gas["total"].as_u64(), Some(sum));
    assert!(gas["floor"].as_u64() < Some(sum) && parts.iter().any(|part| part["name"] == "pairing"));
    let drawn = fs::read_to_string(&svg).unwrap();
    assert!(parts.iter().all(|part| drawn.contains(part["name"].as_str().unwrap())), "{drawn}");
    let prague = run(&["gas", &folder, "--rules", "prague"]).result()["gas"]["total"].as_u64();
    assert!(prague < Some(sum), "an inversion is cheaper under prague's rules");
    assert_eq!(run(&["gas", work.path().to_str().unwrap()]).code, 2);
    assert_eq!(run(&["gas", &folder, "--svg", "/nowhere/gas.svg"]).code, 4);
}
