//! `completions SHELL`.

use super::{failure::Failure, output::Console};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Completions for a shell.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script on stdout.
pub fn run(arguments: &Arguments, console: &Console) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::Arguments::command(), "zkml-evm", &mut script);
    console.text(&String::from_utf8_lossy(&script));
    Ok(())
}
