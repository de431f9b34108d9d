//! The command line; see [`zkml_evm::cli`].

fn main() -> std::process::ExitCode {
    zkml_evm::cli::main()
}
