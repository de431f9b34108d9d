//! Hands all Solidity interfaces to one `sol!`, which follows no imports: the client's bindings then come from the very
//! files that the contracts are compiled from.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What the interfaces import from outside this project.
const OUTSIDE: &str = "
interface IERC20 {
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    function balanceOf(address account) external view returns (uint256);
    function allowance(address owner, address spender) external view returns (uint256);
    function approve(address spender, uint256 value) external returns (bool);
    function transfer(address to, uint256 value) external returns (bool);
}
";

fn main() -> io::Result<()> {
    let folder = Path::new("contracts").join("interfaces");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)?.map(|entry| entry.map(|e| e.path())).collect::<io::Result<_>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "sol"));
    files.sort();
    let mut joined = OUTSIDE.to_owned();
    for file in files {
        let text = fs::read_to_string(file)?;
        // Comments are for readers of Solidity: as Rust docs their references would be broken links.
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            joined.push_str(line);
            joined.push('\n');
        }
    }
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&out).join("interfaces.rs"), format!("alloy::sol! {{\n#![sol(abi, all_derives)]\n{joined}}}\n"))
}
