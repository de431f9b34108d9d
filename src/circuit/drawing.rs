//! A circuit drawn: columns side by side, rows from top to bottom, each cell in the colour of the gate that uses it.

use crate::gates::{Columns, Trace};
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};
use std::fmt::Write;

const HEIGHT: f64 = 1000.0;
const WIDTH: usize = 26;
const TOP: usize = 110;

/// What uses a row, with its colour; the last is for columns that run over all rows.
const KINDS: [(&str, &str); 18] = [
    ("range check", "#4477aa"),
    ("rescale and ReLU", "#66ccee"),
    ("rescale", "#228833"),
    ("threshold", "#ccbb44"),
    ("argmax", "#ee6677"),
    ("function", "#aa3377"),
    ("hash: absorb", "#994455"),
    ("hash: full round", "#997700"),
    ("hash: partial round", "#eecc66"),
    ("border output", "#44bb99"),
    ("maximum", "#332288"),
    ("pool: distances", "#aa4499"),
    ("pool: rescale", "#88ccee"),
    ("input in place", "#6699cc"),
    ("linear layer", "#004488"),
    ("walk", "#ee8866"),
    ("lookup table", "#777777"),
    ("every row", "#cccccc"),
];
const LINEAR: usize = 14;
const WALK: usize = 15;
const TABLE: usize = 16;
const EVERY_ROW: usize = 17;

/// The circuit of `trace` as an SVG document.
pub fn svg(trace: &Trace) -> String {
    let columns = named(&trace.columns);
    let rows = trace.shape.rows();
    let of = if trace.shape.is_stacked() { rows.to_string() } else { format!("2^{}", trace.shape.k) };
    let scale = HEIGHT / rows as f64;
    let owners = owners(trace);
    let (width, height) = (columns.len() * WIDTH + 220, HEIGHT as usize + TOP + 20);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <title>{} columns of {of} rows, {} used</title>\n<rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n",
        columns.len(),
        trace.row
    );
    for (i, (name, column)) in columns.iter().enumerate() {
        let x = i * WIDTH + 10;
        let _ = writeln!(out, "<text transform=\"translate({} {}) rotate(-60)\">{name}</text>", x + WIDTH / 2, TOP - 6);
        let _ = writeln!(out, "<rect x=\"{x}\" y=\"{TOP}\" width=\"{}\" height=\"{HEIGHT}\" fill=\"#f4f4f4\"/>", WIDTH - 3);
        for (kind, from, to) in runs(rows, |row| used(trace, *column, row).then(|| owner_of(*column, row, &owners)).flatten()) {
            let (y, tall) = (TOP as f64 + from as f64 * scale, ((to - from) as f64 * scale).max(0.3));
            let (what, colour) = KINDS[kind];
            let _ = writeln!(
                out,
                "<rect x=\"{x}\" y=\"{y:.2}\" width=\"{}\" height=\"{tall:.2}\" fill=\"{colour}\"><title>{name}, rows {from} to {}: {what}</title></rect>",
                WIDTH - 3,
                to - 1
            );
        }
    }
    for (i, (what, colour)) in KINDS.iter().enumerate() {
        let (x, y) = (columns.len() * WIDTH + 30, TOP + 20 * i);
        let _ = writeln!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"14\" height=\"14\" fill=\"{colour}\"/>");
        let _ = writeln!(out, "<text x=\"{}\" y=\"{}\">{what}</text>", x + 20, y + 11);
    }
    out + "</svg>\n"
}

/// A column of the drawing.
#[derive(Clone, Copy)]
enum Drawn {
    Advice(usize),
    Fixed(usize),
    /// Advice or fixed, filled from the first row to the end pin.
    Running,
    /// Table entries and their multiplicities.
    Table,
}

fn named(columns: &Columns) -> Vec<(String, Drawn)> {
    let mut all = vec![("a".into(), Drawn::Advice(columns.a.index())), ("b".into(), Drawn::Advice(columns.b.index()))];
    all.extend(columns.c.map(|c| ("c".into(), Drawn::Advice(c.index()))));
    all.extend(columns.limbs.iter().enumerate().map(|(i, lane)| (format!("limb {i}"), Drawn::Advice(lane.index()))));
    all.push(("multiplicity".into(), Drawn::Table));
    all.push(("folded".into(), Drawn::Advice(columns.folded.index())));
    all.push(("fold".into(), Drawn::Running));
    all.extend((0..columns.helpers.len()).map(|i| (format!("helper {i}"), Drawn::Running)));
    all.push(("sum".into(), Drawn::Running));
    let weights = columns.weights.iter().enumerate();
    all.extend(weights.map(|(i, w)| (format!("weights {i}"), Drawn::Fixed(w.index()))));
    all.push(("constant".into(), Drawn::Fixed(columns.constant.index())));
    all.extend([("table".into(), Drawn::Table), ("active".into(), Drawn::Running)]);
    let named: Vec<usize> =
        columns.weights.iter().chain([&columns.constant, &columns.table, &columns.active]).map(|c| c.index()).collect();
    let others = columns.fixed_columns().into_iter().filter(|column| !named.contains(&column.index()));
    all.extend(others.enumerate().map(|(i, column)| (format!("selector {i}"), Drawn::Fixed(column.index()))));
    all
}

fn used(trace: &Trace, column: Drawn, row: usize) -> bool {
    match column {
        // Folded weights are phase 2: they stand on linear and walking rows.
        Drawn::Advice(index) if index == trace.columns.folded.index() => {
            let folds = [Some(trace.columns.linear), trace.columns.shift];
            trace.assigned[index][row] || folds.iter().flatten().any(|column| trace.fixed[column.index()][row] == Fr::ONE)
        }
        Drawn::Advice(index) => trace.assigned[index][row],
        Drawn::Fixed(index) => trace.fixed[index][row] != Fr::ZERO,
        Drawn::Running => row <= trace.end,
        Drawn::Table => row < trace.shape.table_rows(),
    }
}

fn owner_of(column: Drawn, row: usize, owners: &[Option<usize>]) -> Option<usize> {
    match column {
        Drawn::Running => Some(EVERY_ROW),
        Drawn::Table => Some(TABLE),
        _ => owners.get(row).copied().flatten(),
    }
}

/// The gate that each row belongs to: the one enabled there, or last above it.
fn owners(trace: &Trace) -> Vec<Option<usize>> {
    let columns = &trace.columns;
    let function = columns.function.as_ref().map(|f| f.selector);
    let selectors = [columns.range, columns.relu, columns.signed, columns.threshold, columns.argmax, function];
    let hashes = [columns.absorb, columns.full, columns.partial];
    let others = [columns.border, columns.maximum, columns.distance, columns.pooled, columns.in_place];
    let selectors = selectors.into_iter().chain(hashes).chain(others);
    let selectors: Vec<_> = selectors.enumerate().collect();
    let mut owner = None;
    let row_owner = |row: usize| {
        let enabled = selectors.iter().find(|(_, selector)| trace.is_enabled(*selector, row)).map(|(kind, _)| *kind);
        let linear = (trace.fixed[columns.linear.index()][row] == Fr::ONE).then_some(LINEAR);
        let walks = columns.shift.filter(|shift| trace.fixed[shift.index()][row] == Fr::ONE).map(|_| WALK);
        owner = enabled.or(linear).or(walks).or(owner);
        owner
    };
    (0..=trace.row.min(trace.end)).map(row_owner).collect()
}

/// Neighbouring rows of one kind: (kind, first, one past the last).
fn runs(rows: usize, kind: impl Fn(usize) -> Option<usize>) -> Vec<(usize, usize, usize)> {
    let mut all: Vec<(usize, usize, usize)> = Vec::new();
    for row in 0..rows {
        let Some(kind) = kind(row) else { continue };
        match all.last_mut() {
            Some((last, _, end)) if *last == kind && *end == row => *end += 1,
            _ => all.push((kind, row, row + 1)),
        }
    }
    all
}
