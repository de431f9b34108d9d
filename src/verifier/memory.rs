//! The contract's memory plan: named addresses, in sections.

use std::fmt::Write;

/// The first address. Below lie Solidity's scratch space, its free pointer and zero slot, and what via-IR moves off the stack; the
/// contract checks that its compiler took no more.
pub const START: usize = 0x1000;

/// Named words of memory. Addresses are handed out in order and never again.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    used: usize,
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
enum Line {
    Section(String),
    Name { name: String, address: usize },
}

impl Memory {
    /// Begins a section; `title` becomes a comment.
    pub fn section(&mut self, title: &str) {
        self.lines.push(Line::Section(title.into()));
    }

    /// Reserves `count` words under `name` and returns the name.
    pub fn words(&mut self, name: &str, count: usize) -> String {
        let address = self.end();
        self.used += 32 * count;
        self.name(name, address)
    }

    /// Reserves one word.
    pub fn word(&mut self, name: &str) -> String {
        self.words(name, 1)
    }

    /// Reserves the two words of a point's coordinates, `{name}_X` and `{name}_Y`.
    pub fn point(&mut self, name: &str) {
        ["X", "Y"].iter().for_each(|coordinate| {
            self.word(&format!("{name}_{coordinate}"));
        });
    }

    /// Another name for an address that is reserved already.
    pub fn name(&mut self, name: &str, address: usize) -> String {
        self.lines.push(Line::Name { name: name.into(), address });
        name.into()
    }

    /// The next free address.
    pub fn end(&self) -> usize {
        START + self.used
    }

    /// The constants, one a line, with their sections.
    pub fn declarations(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            let _ = match line {
                Line::Section(title) => writeln!(text, "\n    // {title}"),
                Line::Name { name, address } => writeln!(text, "    uint256 private constant {name} = {address:#06x};"),
            };
        }
        text.trim_matches('\n').into()
    }
}
