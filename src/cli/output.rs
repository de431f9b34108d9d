//! The only place that writes to stdout and stderr.

use super::{
    failure::{CliError, Failure},
    progress::Progress,
};
use comfy_table::{Table, TableComponent, presets};
use serde::Serialize;
use serde_json::json;
use std::io::{IsTerminal, Write};

/// The version of the JSON documents on stdout.
pub const VERSION: u32 = 1;

/// How a run speaks.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    json: bool,
    quiet: bool,
}

impl Console {
    /// A console.
    pub fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    /// A line for the person who watches; not part of the result.
    pub fn note(&self, text: impl AsRef<str>) {
        if !self.quiet {
            stderr(text.as_ref());
        }
    }

    /// A line that `--quiet` does not silence.
    pub fn warn(&self, text: impl AsRef<str>) {
        stderr(&format!("warning: {}", text.as_ref()));
    }

    /// The result, once per run: `human` for people, `value` in the JSON document.
    ///
    /// # Errors
    /// A closed or full stdout.
    pub fn result(&self, verb: &str, value: &impl Serialize, human: &str) -> Result<(), Failure> {
        let text = match self.json {
            true => json!({ "version": VERSION, "verb": verb, "result": value }).to_string(),
            false => human.trim_end().to_owned(),
        };
        write_stdout(&text).map_err(|e| CliError::Output(e.to_string()).into())
    }

    /// Plain text on stdout whatever the mode: help, completions.
    pub fn text(&self, text: &str) {
        // Nobody listens any more: `zkml-evm --help | head -1` is no error.
        let _ = write_stdout(text.trim_end());
    }

    /// Prints an error and gives the exit code.
    pub fn failure(&self, failure: &Failure) -> std::process::ExitCode {
        if self.json {
            let error = json!({
                "code": failure.code(),
                "message": failure.to_string(),
                "hint": failure.hint(),
                "retryable": failure.retryable(),
            });
            // When stdout is gone too, the exit code still tells.
            let _ = write_stdout(&json!({ "version": VERSION, "error": error }).to_string());
        } else {
            let message = failure.to_string();
            stderr(&format!("error[{}]: {message}", failure.code()));
            if !failure.hint().is_empty() {
                stderr(&format!("  hint: {}", failure.hint()));
            }
        }
        super::code(failure.exit_code())
    }

    /// A spinner while long work runs, when stderr is a terminal; it goes away when it is dropped.
    pub fn progress(&self, what: &'static str) -> Progress {
        let progress = Progress::start(self.watched(), None);
        progress.stages().begin(what);
        progress
    }

    /// The same for work of several stages: a bar with the stage that runs.
    pub fn progress_of(&self, stages: u64) -> Progress {
        Progress::start(self.watched(), Some(stages))
    }

    fn watched(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }
}

/// An empty table with a ruled header and no rules between its rows.
pub fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    // Lines around the table and below its header are enough.
    for component in [TableComponent::HorizontalLines, TableComponent::MiddleIntersections] {
        table.remove_style(component);
    }
    for component in [TableComponent::LeftBorderIntersections, TableComponent::RightBorderIntersections] {
        table.remove_style(component);
    }
    table.set_header(header);
    table
}

fn write_stdout(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

fn stderr(text: &str) {
    // A closed stderr leaves nobody to tell.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
