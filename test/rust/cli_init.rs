//! `init`: the project that it writes is tested and run as it is, by the real forge and the real binary; then its README's tour is made.

mod chain_support;
mod cli_support;

use alloy::primitives::keccak256;
use cli_support::{Run, project, run_in};
use serde_json::Value;
use std::{fs, os::unix::fs::MetadataExt, path::Path, process::Command};
use zkml_evm::chain::ChainTarget;

/// Development account 2.
const MEMBER: &str = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";

/// `init` into `name` below `parent`.
fn init(parent: &Path, name: &str) -> Run {
    run_in(parent, &["--json", "init", name])
}

/// A program of the checkout's npm packages, in a project that knows nothing of the checkout.
fn foundry(program: &str, folder: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Run {
    let mut command = Command::new(project("node_modules/.bin").join(program));
    // Settings of whoever runs the tests must not reach the project.
    let foreign = |name: &str| ["FOUNDRY_", "FORGE_", "DAPP_", "ETH_", "SOLC"].iter().any(|prefix| name.starts_with(prefix));
    for (name, _) in std::env::vars_os().filter(|(name, _)| foreign(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    Run::of(command.current_dir(folder).env("NO_COLOR", "1").envs(environment.iter().copied()).args(arguments))
}

fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_project_passes_forge_test_and_demo_untouched() {
    let parent = tempfile::tempdir().unwrap();
    let made = init(parent.path(), "app").result();
    assert_eq!((made["folder"].as_str(), made["installed"].as_bool()), (Some("app"), Some(true)));
    let app = parent.path().join("app");
    let own =
        [".gitignore", "README.md", "foundry.toml", "lib", "model", "node_modules", "package.json", "script", "src", "test"];
    assert_eq!(entries(&app), own);
    assert_eq!(entries(parent.path()), ["app"], "nothing is left beside it");

    let tested = foundry("forge", &app, &[], &["test"]);
    assert_eq!(tested.code, 0, "{}\n{}", tested.stdout, tested.stderr);
    assert!(tested.stdout.contains("8 tests passed, 0 failed"), "{}", tested.stdout);
    // Its own compiler and contracts, not the checkout's.
    let found = run_in(&app, &["--json", "doctor"]).result();
    let what = |name: &str| {
        let finding = found.as_array().unwrap().iter().find(|f| f["name"] == name).unwrap();
        finding["what"].as_str().unwrap().to_owned()
    };
    let library = app.canonicalize().unwrap().join("lib/zkml-evm");
    assert_eq!(what("contracts"), library.to_str().unwrap());
    assert!(what("solc").ends_with(library.join("tools/solc").to_str().unwrap()), "{}", what("solc"));
    let told = run_in(&app, &["--json", "demo"]).result();
    assert_eq!(told["refusals"].as_array().unwrap().len(), 5, "{told}");
    assert!(app.join("zkml-demo/artifacts/manifest.json").is_file());

    // The model beside the contract, as the README has it.
    let [model, schema, data] = ["model/model.onnx", "model/schema.json", "model/calibration.json"];
    let arguments = ["--json", "gen-verifier", model, "--schema", schema, "--calibration", data, "--threshold", "40"];
    let generated = run_in(&app, &[&arguments[..], &["--out", "artifacts"]].concat()).result();
    assert!(generated["manifest"]["modelId"].as_str().is_some_and(|id| id.len() == 66), "{generated}");

    // From here on it is the template of the next one.
    init(&app, "next").result();
    for file in ["src/Membership.sol", "test/Membership.t.sol", "lib/zkml-evm/contracts/InferenceRouter.sol"] {
        assert_eq!(fs::read(app.join(file)).unwrap(), fs::read(app.join("next").join(file)).unwrap(), "{file}");
    }
}

/// Every command of the README, from the model to a member, on an anvil.
#[tokio::test(flavor = "multi_thread")]
async fn the_readme_leads_to_a_member() {
    let chain = chain_support::connect(ChainTarget::anvil()).await;
    let rpc = ["--rpc-url", chain.anvil_url().unwrap()];
    let parent = tempfile::tempdir().unwrap();
    init(parent.path(), "app").result();
    let app = parent.path().join("app");
    let zkml = |arguments: &[&str]| run_in(&app, &[&["--json"], arguments].concat()).result();
    let sent = |verb: &[&str]| {
        let common = ["--artifacts", "artifacts", "--dev-account", "0", "--broadcast"];
        zkml(&[verb, &common, &rpc].concat())
    };
    let script = |file: &str, sender: &str, environment: &[(&str, &str)]| {
        let arguments = ["script", file, "--broadcast", "--unlocked", "--sender", sender];
        let done = foundry("forge", &app, environment, &[&arguments[..], &rpc].concat());
        assert_eq!(done.code, 0, "{}\n{}", done.stdout, done.stderr);
    };

    let [model, schema, data] = ["model/model.onnx", "model/schema.json", "model/calibration.json"];
    let arguments = ["gen-verifier", model, "--schema", schema, "--calibration", data, "--threshold", "40"];
    let generated = zkml(&[&arguments[..], &["--out", "artifacts"]].concat());
    assert_eq!(generated["manifest"]["statement"][2]["scale_log2"], 3, "40 points are 320 in the README");
    sent(&["deploy"]);
    sent(&["register", "--attestor", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"]);
    script("script/Deploy.s.sol", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", &[("THRESHOLD", "320")]);
    let read = |path: &str| -> Value { serde_json::from_str(&fs::read_to_string(app.join(path)).unwrap()).unwrap() };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let membership = text(&read("broadcast/Deploy.s.sol/31337/run-latest.json")["transactions"][0]["contractAddress"]);
    let registry = text(&read("deployments/31337.json")["contracts"]["InputAttestation"]["address"]);

    let policy = keccak256("Membership.v1").to_string();
    // The time of the last block, as `cast block latest --field timestamp` has it: forge simulates at it.
    let now = chain.timestamp().await.unwrap();
    let [now, expiry] = [now, now + 3_600].map(|time| time.to_string());
    let attest = ["attest", "--artifacts", "artifacts", "--input", "model/input.json", "--subject", MEMBER, "--out", "member"];
    zkml(&[&attest[..], &["--registry", &registry, "--chain-id", "31337", "--dev-account", "1", "--issued-at", &now]].concat());
    let [opening, attestation] = ["member/opening.json", "member/attestation.json"];
    let prove = ["prove", "--artifacts", "artifacts", "--opening", opening, "--attestation", attestation, "--threshold", "40"];
    let binding = ["--consumer", &membership, "--policy", &policy, "--nonce", "0", "--expiry", &expiry, "--out", "proof.json"];
    zkml(&[&prove[..], &binding].concat());
    script("script/Join.s.sol", MEMBER, &[("MEMBERSHIP", &membership)]);
    let asked = ["call", &membership, "isMember(address)(bool)", MEMBER];
    let asked = foundry("cast", &app, &[], &[&asked[..], &rpc].concat());
    assert_eq!(asked.stdout.trim(), "true", "{}", asked.stderr);
}

#[test]
fn only_a_folder_of_its_own_is_taken() {
    let parent = tempfile::tempdir().unwrap();
    let refused = |name: &str| assert_eq!(init(parent.path(), name).refused(), (2, "artifact/not-empty".into()), "{name}");
    fs::create_dir(parent.path().join("full")).unwrap();
    fs::write(parent.path().join("full/notes.txt"), "mine").unwrap();
    fs::write(parent.path().join("file"), "mine").unwrap();
    refused("full");
    refused("file");
    assert_eq!(entries(&parent.path().join("full")), ["notes.txt"]);
    let plain = run_in(parent.path(), &["init", "full"]);
    assert!(plain.stdout.is_empty() && plain.stderr.contains("hint: name a folder that does not exist yet"), "{}", plain.stderr);

    fs::create_dir(parent.path().join("empty")).unwrap();
    init(parent.path(), "empty").result();
    refused("empty");
    // The folder that one stands in stays the same folder.
    fs::create_dir(parent.path().join("here")).unwrap();
    let here = parent.path().join("here");
    let before = fs::metadata(&here).unwrap().ino();
    init(&here, ".").result();
    assert_eq!(fs::metadata(&here).unwrap().ino(), before);
    assert_eq!(entries(&here), entries(&parent.path().join("empty")));
    assert_eq!(entries(parent.path()), ["empty", "file", "full", "here"]);

    let elsewhere = run_in(parent.path(), &["--json", "init", "new", "--project", "full"]);
    assert_eq!(elsewhere.refused(), (4, "environment/no-project".into()));
    assert!(!parent.path().join("new").exists());
}

/// A checkout before `npm ci` has no packages to hand over: the project names them, and says so.
#[test]
fn without_packages_npm_is_asked() {
    let parent = tempfile::tempdir().unwrap();
    let checkout = parent.path().join("checkout");
    let copy = |parts: &[&str], to: &Path| {
        fs::create_dir_all(to).unwrap();
        let from = parts.iter().map(|part| project(part));
        assert!(Command::new("cp").arg("-r").args(from).arg(to).status().unwrap().success());
    };
    copy(&["contracts", "examples", "foundry.toml", "templates", "tools", "LICENSE-MIT"], &checkout);
    copy(&["test/fixtures/consumers"], &checkout.join("test/fixtures"));
    let plain = run_in(parent.path(), &["init", "app", "--project", "checkout"]);
    assert_eq!(plain.code, 0, "{}", plain.stderr);
    assert!(plain.stdout.contains("npm install"), "{}", plain.stdout);
    assert!(!parent.path().join("app/node_modules").exists());

    // A template that is not whole gives no project at all.
    fs::remove_file(checkout.join("templates/consumer/src/Membership.sol")).unwrap();
    fs::remove_dir(checkout.join("templates/consumer/src")).unwrap();
    let broken = run_in(parent.path(), &["--json", "init", "other", "--project", "checkout"]);
    assert_eq!(broken.refused(), (4, "artifact/io".into()));
    assert_eq!(entries(parent.path()), ["app", "checkout"]);
}

#[test]
fn the_template_asks_for_the_packages_of_the_checkout() {
    let package = |path: &str| -> Value { serde_json::from_str(&fs::read_to_string(project(path)).unwrap()).unwrap() };
    let (template, checkout) = (package("templates/consumer/package.json"), package("package.json"));
    let every = ["dependencies", "devDependencies", "optionalDependencies"].map(|kind| checkout[kind].as_object().unwrap());
    for kind in ["dependencies", "optionalDependencies"] {
        for (name, version) in template[kind].as_object().unwrap() {
            assert!(every.iter().any(|packages| packages.get(name) == Some(version)), "{name} {version}");
        }
    }
}
