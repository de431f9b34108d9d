//! Keystores in foundry's (Web3 Secret Storage, version 3) format, and the passwords that open them.

use super::error::ChainError;
use alloy::signers::local::PrivateKeySigner;
use serde_json::Value;
use std::io::{IsTerminal, Read};
use std::path::{Component, Path, PathBuf};
use zeroize::Zeroizing;

/// A keystore is under 1 kB; what is far larger is something else.
const MOST_BYTES: u64 = 64 * 1024;
/// scrypt needs 128·n·r bytes: 1 GiB at these limits, where foundry's own keystores need 8 to 256 MiB.
const MOST_SCRYPT_N: u64 = 1 << 20;
const MOST_SCRYPT_R: u64 = 8;
const MOST_SCRYPT_P: u64 = 16;
const MOST_PBKDF2_ROUNDS: u64 = 10_000_000;

/// Where a password comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Password {
    /// The first line of a file that only its owner can read.
    File(PathBuf),
    /// A question on the terminal.
    Ask,
}

impl Password {
    fn read(&self, account: &str) -> Result<Zeroizing<String>, ChainError> {
        match self {
            Self::File(path) => read_file(path),
            Self::Ask if !std::io::stdin().is_terminal() => {
                Err(ChainError::NoPassword { reason: "standard input is not a terminal to ask on".to_owned() })
            }
            Self::Ask => rpassword::prompt_password(format!("Password of {account}: "))
                .map(Zeroizing::new)
                .map_err(|e| ChainError::NoPassword { reason: e.to_string() }),
        }
    }
}

/// The path of a keystore in foundry's folder: `$FOUNDRY_DIR/keystores`, or `~/.foundry/keystores`.
///
/// # Errors
/// [`ChainError::Keystore`] where the name is not a plain file name.
pub fn named(name: &str) -> Result<PathBuf, ChainError> {
    let home = std::env::var_os("FOUNDRY_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let folder = home.or_else(|| std::env::home_dir().map(|home| home.join(".foundry"))).unwrap_or_default().join("keystores");
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(_)), None) => Ok(folder.join(name)),
        _ => Err(ChainError::Keystore { path: folder, reason: format!("`{name}` is not the name of a file in it") }),
    }
}

/// Opens a keystore.
pub(super) fn unlock(path: &Path, password: &Password) -> Result<PrivateKeySigner, ChainError> {
    let broken = |reason: String| ChainError::Keystore { path: path.to_owned(), reason };
    check(path).map_err(broken)?;
    let password = password.read(&path.display().to_string())?;
    let secret = match eth_keystore::decrypt_key(path, password.as_bytes()) {
        Ok(secret) => Zeroizing::new(secret),
        Err(eth_keystore::KeystoreError::MacMismatch) => return Err(ChainError::WrongPassword { path: path.to_owned() }),
        Err(error) => return Err(broken(error.to_string())),
    };
    PrivateKeySigner::from_slice(&secret).map_err(|_| broken("it does not hold a secp256k1 key".to_owned()))
}

/// Checks what the decoder takes for granted, and panics, hangs or eats the memory without: lengths and costs.
fn check(path: &Path) -> Result<(), String> {
    let file = std::fs::File::open(path).map_err(|e| e.to_string())?;
    let mut text = String::new();
    file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(|e| e.to_string())?;
    if text.len() as u64 > MOST_BYTES {
        return Err(format!("it is larger than {MOST_BYTES} bytes"));
    }
    let json: Value = serde_json::from_str(&text).map_err(|e| format!("it is not JSON: {e}"))?;
    let number = |at: &str| json.pointer(at).and_then(Value::as_u64).ok_or_else(|| format!("{at} is not a number"));
    let hex_length = |at: &str| json.pointer(at).and_then(Value::as_str).map_or(0, |text| text.len() / 2);
    let exact = |at: &str, got: u64, expected: u64| match got == expected {
        true => Ok(()),
        false => Err(format!("{at} is {got}, expected {expected}")),
    };
    let at_most = |at: &str, most: u64| match number(at)? {
        got if (1..=most).contains(&got) => Ok(()),
        got => Err(format!("{at} is {got}, expected 1 to {most}")),
    };
    exact("/version", number("/version")?, 3)?;
    match json.pointer("/crypto/cipher").and_then(Value::as_str) {
        Some("aes-128-ctr") => {}
        other => return Err(format!("/crypto/cipher is {other:?}, expected aes-128-ctr")),
    }
    exact("/crypto/kdfparams/dklen", number("/crypto/kdfparams/dklen")?, 32)?;
    exact("bytes in /crypto/ciphertext", hex_length("/crypto/ciphertext") as u64, 32)?;
    exact("bytes in /crypto/cipherparams/iv", hex_length("/crypto/cipherparams/iv") as u64, 16)?;
    match json.pointer("/crypto/kdf").and_then(Value::as_str) {
        Some("scrypt") => {
            at_most("/crypto/kdfparams/n", MOST_SCRYPT_N)?;
            at_most("/crypto/kdfparams/r", MOST_SCRYPT_R)?;
            at_most("/crypto/kdfparams/p", MOST_SCRYPT_P)
        }
        Some("pbkdf2") => at_most("/crypto/kdfparams/c", MOST_PBKDF2_ROUNDS),
        other => Err(format!("/crypto/kdf is {other:?}, expected scrypt or pbkdf2")),
    }
}

/// The first line of a password file that nobody but its owner (and group) can read.
fn read_file(path: &Path) -> Result<Zeroizing<String>, ChainError> {
    let failed = |e: std::io::Error| ChainError::PasswordFile { path: path.to_owned(), reason: e.to_string() };
    let file = std::fs::File::open(path).map_err(failed)?;
    refuse_open_mode(path, &file.metadata().map_err(failed)?)?;
    let mut text = Zeroizing::new(String::new());
    file.take(4096).read_to_string(&mut text).map_err(failed)?;
    let line = text.lines().next().unwrap_or_default();
    Ok(Zeroizing::new(line.to_owned()))
}

#[cfg(unix)]
fn refuse_open_mode(path: &Path, metadata: &std::fs::Metadata) -> Result<(), ChainError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o777;
    match mode & 0o007 {
        0 => Ok(()),
        _ => Err(ChainError::PasswordFileOpen { path: path.to_owned(), mode }),
    }
}

#[cfg(not(unix))]
fn refuse_open_mode(_: &Path, _: &std::fs::Metadata) -> Result<(), ChainError> {
    Ok(())
}
