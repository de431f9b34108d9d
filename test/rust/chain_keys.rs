//! Keys, passwords, and the deployment record: files that people edit, lose, and leave open.

use alloy::eips::eip2718::Encodable2718;
use alloy::network::{EthereumWallet, NetworkTransactionBuilder};
use alloy::primitives::{Address, B256, U256, b256, hex};
use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use alloy::signers::local::PrivateKeySigner;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use zkml_evm::chain::keystore::{self, Password};
use zkml_evm::chain::{Account, AccountSource, Call, Chain, ChainError, ChainTarget, Deployment, Patience, Registry};
use zkml_evm::error::{ExitCode, Explain};

const KEY: [u8; 32] = [0x42; 32];

fn write(path: &Path, text: &str, mode: u32) -> PathBuf {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    path.to_owned()
}

/// A keystore made by the same library as foundry's.
fn keystore_in(folder: &Path, password: &str) -> PathBuf {
    eth_keystore::encrypt_key(folder, &mut rand::thread_rng(), KEY, password, Some("deployer")).unwrap();
    folder.join("deployer")
}

fn address() -> Address {
    PrivateKeySigner::from_slice(&KEY).unwrap().address()
}

#[test]
fn a_keystore_opens_with_its_password_only() {
    let folder = tempfile::tempdir().unwrap();
    let source = AccountSource::Keystore(keystore_in(folder.path(), "correct horse"));
    let good = Password::File(write(&folder.path().join("good"), "correct horse\n", 0o600));
    let account = source.unlock(&good, false).unwrap();
    assert_eq!(account.address(), address());
    assert!(!format!("{account:?}").contains(&hex::encode(KEY)), "Debug shows no key");

    let bad = Password::File(write(&folder.path().join("bad"), "wrong", 0o600));
    let error = source.unlock(&bad, false).unwrap_err();
    assert!(matches!(error, ChainError::WrongPassword { .. }), "{error}");
    assert_eq!(error.exit_code(), ExitCode::Usage);
}

/// Written by `cast wallet import` 1.7.1, password `hunter2`.
const FROM_CAST: &str = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"7dbce3b4d4ec2be086750f3069e280ab"},"ciphertext":"97c54b5b107f67231e18ed9db192c00f790f4391916d0aed28a20eb45d1bf2ae","kdf":"scrypt","kdfparams":{"dklen":32,"n":8192,"p":1,"r":8,"salt":"f4ac463235e9d16acf0f1a6bdae7eab3b21f36fd997afa29e22a92dee3947bfb"},"mac":"dbe224a6071813cf2b6262076a24d7def69e6b877b71828cc716158b11986005"},"id":"7380cbe5-9ed6-4fd4-874e-2dc90af7262a","version":3}"#;

#[test]
fn foundrys_own_keystores_open() {
    let folder = tempfile::tempdir().unwrap();
    let source = AccountSource::Keystore(write(&folder.path().join("probe"), FROM_CAST, 0o600));
    let password = Password::File(write(&folder.path().join("password"), "hunter2\r\n", 0o640));
    let account = source.unlock(&password, false).unwrap();
    assert_eq!(account.address().to_string().to_lowercase(), "0x17c5185167401ed00cf5f5b2fc97d9bbfdb7d025");
}

#[test]
fn open_password_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let source = AccountSource::Keystore(keystore_in(folder.path(), "p"));
    for mode in [0o604, 0o644, 0o602, 0o777] {
        let file = write(&folder.path().join("password"), "p", mode);
        let error = source.unlock(&Password::File(file), false).unwrap_err();
        assert!(matches!(error, ChainError::PasswordFileOpen { mode: got, .. } if got == mode), "{error}");
        assert!(error.hint().contains("chmod 600"));
    }
    let missing = Password::File(folder.path().join("none"));
    assert!(matches!(source.unlock(&missing, false).unwrap_err(), ChainError::PasswordFile { .. }));
}

#[test]
fn without_a_terminal_a_password_is_not_asked_for() {
    use std::io::IsTerminal;
    if std::io::stdin().is_terminal() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let error = AccountSource::Keystore(keystore_in(folder.path(), "p")).unlock(&Password::Ask, false).unwrap_err();
    assert!(matches!(error, ChainError::NoPassword { .. }), "{error}");
}

/// The decoder of the format panics on short lengths and takes any cost: all of it is refused before it runs.
#[test]
fn broken_keystores_are_typed_errors() {
    let folder = tempfile::tempdir().unwrap();
    let good = fs::read_to_string(keystore_in(folder.path(), "p")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&good).unwrap();
    let changes: [(&str, serde_json::Value); 10] = [
        ("/version", 2.into()),
        ("/crypto/cipher", "rot13".into()),
        ("/crypto/kdf", "md5".into()),
        ("/crypto/kdfparams/dklen", 16.into()),
        ("/crypto/kdfparams/n", (1u64 << 31).into()),
        ("/crypto/kdfparams/n", 0.into()),
        ("/crypto/kdfparams/r", 4_000_000_000u64.into()),
        ("/crypto/kdfparams/p", 4_000_000_000u64.into()),
        ("/crypto/cipherparams/iv", "00".into()),
        ("/crypto/ciphertext", "00".into()),
    ];
    let mut texts: Vec<String> = changes
        .iter()
        .map(|(at, value)| {
            let mut changed = json.clone();
            *changed.pointer_mut(at).unwrap() = value.clone();
            changed.to_string()
        })
        .collect();
    texts.extend(["".into(), "{".into(), "[]".into(), good[..good.len() / 2].into(), " ".repeat(100_000)]);
    let password = Password::File(write(&folder.path().join("password"), "p", 0o600));
    for (index, text) in texts.iter().enumerate() {
        let path = write(&folder.path().join("broken"), text, 0o600);
        let error = AccountSource::Keystore(path).unlock(&password, false).unwrap_err();
        assert!(matches!(error, ChainError::Keystore { .. }), "{index}: {error}");
    }
    let error = AccountSource::Keystore(folder.path().join("none")).unlock(&password, false).unwrap_err();
    assert!(matches!(error, ChainError::Keystore { .. }), "{error}");
}

#[test]
fn names_stay_in_foundrys_folder() {
    for name in ["../secret", "/etc/passwd", "a/b", "", ".", ".."] {
        assert!(matches!(keystore::named(name), Err(ChainError::Keystore { .. })), "{name}");
    }
    let path = keystore::named("deployer").unwrap();
    assert!(path.ends_with("keystores/deployer"), "{path:?}");
}

#[test]
fn development_accounts_are_ten_and_local() {
    let first = AccountSource::Development(0).unlock(&Password::Ask, true).unwrap();
    assert_eq!(first.address().to_string(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    for (index, address) in zkml_evm::chain::dev_accounts::addresses().enumerate() {
        let account = AccountSource::Development(index).unlock(&Password::Ask, true).unwrap();
        assert_eq!(account.address(), address, "key and address {index} belong together");
        let error = AccountSource::Development(index).unlock(&Password::Ask, false).unwrap_err();
        assert!(matches!(error, ChainError::DevAccountRefused { .. }));
    }
    let error = AccountSource::Development(10).unlock(&Password::Ask, true).unwrap_err();
    assert!(matches!(error, ChainError::NoDevAccount { index: 10, last: 9 }), "{error}");
}

fn deployment() -> Deployment {
    Deployment {
        name: "InferenceRouter".into(),
        address: Address::repeat_byte(1),
        codehash: Some(B256::repeat_byte(2)),
        model_id: None,
        srs: Some("insecure-dev".into()),
        tx: Some(B256::repeat_byte(3)),
        block: Some(4),
        governance: None,
    }
}

#[test]
fn a_record_is_read_back_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut registry = Registry::open(folder.path(), 5).unwrap();
    registry.put("router", deployment()).unwrap();
    let busy = Registry::open(folder.path(), 5).unwrap_err();
    assert!(matches!(busy, ChainError::RegistryBusy { .. }), "{busy}");
    assert!(busy.retryable());
    assert_eq!(Registry::view(folder.path(), 5).unwrap().get("router"), Some(&deployment()), "reading needs no lock");
    drop(registry);
    let registry = Registry::open(folder.path(), 5).unwrap();
    assert_eq!(registry.contracts().collect::<Vec<_>>(), [("router", &deployment())]);
    let text = fs::read_to_string(folder.path().join("5.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["format"], "zkml-evm/deployments");
    assert_eq!(json["version"], 1);
    assert_eq!(json["chainId"], 5);
    assert_eq!(json["contracts"]["router"]["srs"], "insecure-dev");
}

#[test]
fn records_that_are_not_ours_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("5.json");
    let good = r#"{"format":"zkml-evm/deployments","version":1,"chainId":5,"contracts":{}}"#;
    let broken = [
        ("", "chain/registry-foreign"),
        ("{}", "chain/registry-foreign"),
        ("not json", "chain/registry-foreign"),
        (&good[..40], "chain/registry-foreign"),
        (r#"{"format":"other","version":1,"chainId":5,"contracts":{}}"#, "chain/registry-foreign"),
        (r#"{"format":"zkml-evm/deployments","chainId":5,"contracts":{}}"#, "chain/registry-foreign"),
        (r#"{"format":"zkml-evm/deployments","version":1,"chainId":5,"contracts":{"a":{"name":"a"}}}"#, "chain/registry-foreign"),
        (r#"{"format":"zkml-evm/deployments","version":2,"chainId":5,"contracts":{}}"#, "chain/registry-version"),
        (r#"{"format":"zkml-evm/deployments","version":1,"chainId":6,"contracts":{}}"#, "chain/registry-chain"),
    ];
    let named = |label: &str, name: &str| {
        let contract = format!(r#"{{"name":"{name}","address":"0x00000000000000000000000000000000000000aa"}}"#);
        good.replace("{}", &format!(r#"{{"{label}":{contract}}}"#))
    };
    fs::write(&path, named("Router-1", "Router_1")).unwrap();
    assert!(Registry::view(folder.path(), 5).is_ok());
    let long = "a".repeat(65);
    let (large, srs) = (format!("{}{good}", " ".repeat(4 << 20)), named("a", r#"a","srs":"\u001b[2J"#));
    let hostile = [named(r"\u001b[2J", "a"), named("../a", "a"), named("a", r"a\nb"), named(&long, "a"), large, srs];
    let broken = broken.into_iter().chain(hostile.iter().map(|text| (text.as_str(), "chain/registry-foreign")));
    for (text, code) in broken {
        fs::write(&path, text).unwrap();
        assert_eq!(Registry::open(folder.path(), 5).unwrap_err().code(), code, "{text}");
        assert_eq!(Registry::view(folder.path(), 5).unwrap_err().code(), code, "{text}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    fs::write(&path, good).unwrap();
    assert!(Registry::open(folder.path(), 5).is_ok());
}

#[test]
fn a_record_that_cannot_be_written_is_an_error_and_the_old_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut registry = Registry::open(folder.path(), 5).unwrap();
    registry.put("router", deployment()).unwrap();
    let before = fs::read_to_string(folder.path().join("5.json")).unwrap();
    // The folder vanishes under the process: this stops root, too, which permissions do not.
    let aside = folder.path().with_extension("aside");
    fs::rename(folder.path(), &aside).unwrap();
    let error = registry.put("other", deployment()).unwrap_err();
    assert!(matches!(error, ChainError::File { .. }), "{error}");
    fs::rename(&aside, folder.path()).unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("5.json")).unwrap(), before);
    let error = Registry::open(Path::new("/dev/null/deployments"), 5).unwrap_err();
    assert!(matches!(error, ChainError::File { .. }), "{error}");
    assert_eq!(error.exit_code(), ExitCode::Environment);
}

/// Development account 0, held by somebody else.
const HELD: B256 = b256!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");

/// A signer on a socket: `change` may alter what it is asked to sign, `answer` what it says of the signed bytes.
fn signer(
    folder: &Path,
    key: B256,
    change: impl Fn(&mut TransactionRequest) + Send + 'static,
    answer: impl Fn(String) -> String + Send + 'static,
) -> PathBuf {
    let path = folder.join(format!("signer-{}", rand::random::<u32>()));
    let listener = UnixListener::bind(&path).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
            let question: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(question["method"], "eth_signTransaction");
            let asked = &question["params"][0];
            assert_eq!(asked["input"], asked["data"], "some read the one, some the other");
            let mut request: TransactionRequest = serde_json::from_value(asked.clone()).unwrap();
            change(&mut request);
            request.from = None;
            let wallet = EthereumWallet::from(PrivateKeySigner::from_bytes(&key).unwrap());
            let raw = runtime.block_on(request.build(&wallet)).unwrap().encoded_2718();
            // Without a newline, and without closing: the document's end is its own.
            stream.write_all(answer(hex::encode_prefixed(raw)).as_bytes()).unwrap();
            std::mem::forget(stream);
        }
    });
    path
}

fn result(raw: String) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "result": raw }).to_string()
}

fn held(socket: PathBuf) -> Account {
    let address = PrivateKeySigner::from_bytes(&HELD).unwrap().address();
    AccountSource::Remote { socket, address }.unlock(&Password::Ask, false).unwrap()
}

async fn pay(socket: PathBuf) -> Result<u64, ChainError> {
    let chain: Chain = ChainTarget::embedded().connect(None, Patience::default()).await.unwrap();
    let account = held(socket);
    let paid = chain.send(&account, &Call::transfer("paying", Address::repeat_byte(9), U256::from(7))).await;
    let sent = chain.provider().get_transaction_count(account.address()).await.unwrap();
    assert_eq!(sent, u64::from(paid.is_ok()), "what is refused is not sent");
    paid.map(|_| sent)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signer_behind_a_socket_signs() {
    let folder = tempfile::tempdir().unwrap();
    // As web3signer answers, and as geth and clef do.
    assert_eq!(pay(signer(folder.path(), HELD, |_| (), result)).await.unwrap(), 1);
    let geth = |raw: String| json!({ "jsonrpc": "2.0", "id": 1, "result": { "raw": raw, "tx": { "nonce": "0x0" } } }).to_string();
    assert_eq!(pay(signer(folder.path(), HELD, |_| (), geth)).await.unwrap(), 1);
    let error = held(folder.path().join("none")).sign_digest("attesting", &B256::ZERO).unwrap_err();
    assert!(error.to_string().contains("transactions only"), "{error}");
}

/// A real one: anvil holds its accounts' keys, and answers on a socket.
#[tokio::test(flavor = "multi_thread")]
async fn anvil_signs_on_its_socket() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("anvil.ipc");
    let anvil = std::process::Command::new(zkml_evm::chain::anvil::locate(None).unwrap())
        .args(["--port", "0", "--silent", "--ipc", socket.to_str().unwrap()])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    struct Ended(std::process::Child);
    impl Drop for Ended {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
    let _anvil = Ended(anvil);
    for _ in 0..200 {
        if socket.exists() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(pay(socket.clone()).await.unwrap(), 1);
    let stranger = AccountSource::Remote { socket, address: Address::repeat_byte(5) }.unlock(&Password::Ask, false).unwrap();
    let chain = ChainTarget::embedded().connect(None, Patience::default()).await.unwrap();
    let error = chain.send(&stranger, &Call::transfer("paying", Address::ZERO, U256::ZERO)).await.unwrap_err();
    assert!(matches!(error, ChainError::RemoteSigner { .. }), "it does not hold this key: {error}");
}

/// Whatever comes back is compared with what was asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_signer_that_signs_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let changes: [fn(&mut TransactionRequest); 6] = [
        |request| request.value = Some(U256::from(8)),
        |request| request.to = Some(Address::repeat_byte(8).into()),
        |request| request.nonce = Some(1),
        |request| request.chain_id = Some(1),
        |request| request.max_fee_per_gas = request.max_fee_per_gas.map(|fee| fee + 1),
        |request| request.input = vec![1].into(),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let error = pay(signer(folder.path(), HELD, change, result)).await.unwrap_err();
        assert!(matches!(error, ChainError::RemoteSigner { .. }), "{i}: {error}");
        assert!(error.to_string().contains("another transaction"), "{i}: {error}");
    }
    let error = pay(signer(folder.path(), B256::from(KEY), |_| (), result)).await.unwrap_err();
    assert!(error.to_string().contains(&address().to_string()), "{error}");
    let answers: [fn(String) -> String; 6] = [
        |_| r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"Request denied\u001b[31m"}}"#.into(),
        |_| "garbage".into(),
        |_| "{}".into(),
        |_| r#"{"result":"0x"}"#.into(),
        |_| r#"{"result":"0xzz"}"#.into(),
        |raw| result(raw + "00"),
    ];
    for (i, answer) in answers.into_iter().enumerate() {
        let error = pay(signer(folder.path(), HELD, |_| (), answer)).await.unwrap_err();
        assert!(matches!(error, ChainError::RemoteSigner { .. }), "{i}: {error}");
        assert_eq!(error.exit_code(), ExitCode::Environment);
        assert!(!error.to_string().contains('\u{1b}'), "{i}: {error}");
    }
    assert!(matches!(pay(folder.path().join("none")).await.unwrap_err(), ChainError::RemoteSigner { .. }));
}
