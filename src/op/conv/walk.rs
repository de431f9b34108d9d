//! A convolution as a product of polynomials in γ: each kernel is folded once and walks over the pixels.
//!
//! Stride and pads cut pixels and taps into residue classes: pixel `i` with `i + before = stride * q + r` meets the taps `k` with
//! `k * dilation = stride * t + r`, in window `q - t`. All windows `q - t` form the grid; those that are no output of the model are
//! border outputs. With the outputs of a group placed position by position, filter by filter, the output (position p, filter o) of
//! N positions and O filters has the power `(N-1-p) * O + (O-1-o)`, so the pixel at q has the polynomial
//!
//! ```text
//! γ^((N-1-p(q)) O) * sum_(t, o) γ^(p(t) O + O-1-o) W[o, t]        p(y, x) = y * pitch + x
//! ```
//!
//! The sum is the same for all pixels of a class. A row of the grid is as long as its windows and the longer of its two borders, and as a kernel: positions
//! behind a row share their powers with positions before the next one, and with them the border output, which is the sum of both. No
//! window shares its power with any other position.

use super::Conv;
use crate::gates::{
    Cell, Shape, Trace, TraceError, border,
    field::to_field,
    walk::{Schedule, place_polynomial, place_walk, walk_rows},
};
use crate::model::{Stencil, stencil::Axis};
use crate::op::Place;
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};
use std::collections::BTreeMap;

/// Border outputs included, which take half a row each: a circuit with more of them is hardly ever smaller than one without. Beyond it
/// nothing is counted or placed: distances of powers and lists of positions would be as large as a file claims.
const MAX_OUTPUTS: u64 = 1 << 20;

/// The positions that pixels and windows reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    /// Positions before window 0, by axis.
    before: [u64; 2],
    /// Positions, by axis.
    len: [u64; 2],
    /// From a position to the one below.
    pitch: u64,
}

impl Grid {
    pub(super) fn of(stencil: &Stencil) -> Self {
        let before = |axis: &Axis| (axis.reach() / axis.stride).saturating_sub(axis.before / axis.stride) as u64;
        let behind = |axis: &Axis| (axis.outputs - 1).max((axis.size - 1 + axis.before) / axis.stride) as u64;
        let axes = &stencil.axes;
        let before = [0, 1].map(|i| before(&axes[i]));
        let len = [0, 1].map(|i| before[i] + behind(&axes[i]) + 1);
        let windows = axes[1].outputs as u64;
        let borders = before[1].max(len[1] - before[1] - windows);
        // A kernel's own row must not reach the next one.
        let taps = (axes[1].reach() / axes[1].stride) as u64 + 1;
        Self { before, len, pitch: taps.max(windows + borders) }
    }

    /// Positions with a power of their own.
    pub(super) fn positions(&self) -> u64 {
        (self.len[0] - 1) * self.pitch + self.len[1]
    }

    /// The window at a position, if it is an output.
    fn window(&self, position: u64, stencil: &Stencil) -> Option<[usize; 2]> {
        let from_first = position.checked_sub(self.before[1])?;
        let y = (from_first / self.pitch).checked_sub(self.before[0])? as usize;
        let x = (from_first % self.pitch) as usize;
        (y < stencil.axes[0].outputs && x < stencil.axes[1].outputs).then_some([y, x])
    }

    /// The power of the last filter at position (q_y, q_x), counted from window 0.
    fn power(&self, [y, x]: [usize; 2], filters: u64) -> u64 {
        let position = (y as u64 + self.before[0]) * self.pitch + x as u64 + self.before[1];
        (self.positions() - 1 - position) * filters
    }

    /// Border outputs of one group, for which `filters` are its filters: runs of them between outputs, two to a row.
    fn border_rows(&self, stencil: &Stencil, filters: u64) -> u64 {
        let mut rows = 0;
        let mut run = 0;
        for position in 0..=self.positions() {
            if position < self.positions() && self.window(position, stencil).is_none() {
                run += filters;
            } else {
                rows += u64::div_ceil(std::mem::take(&mut run), 2);
            }
        }
        rows
    }
}

/// Pixels and taps of one residue class, both in the order in which they are placed.
struct Class {
    /// Taps (row, column) of the highest power first.
    taps: Vec<[usize; 2]>,
    /// The powers of all taps and filters, falling to 0.
    exponents: Vec<u64>,
    /// Pixels of a plane with the powers of their polynomials, rising.
    pixels: Vec<(u64, usize)>,
}

/// What falls into one residue class along one axis.
#[derive(Default)]
struct Residue {
    /// (t, k) with `k * dilation = stride * t + residue`, t falling.
    taps: Vec<(usize, usize)>,
    /// (q, i) with `i + before = stride * q + residue`, q falling.
    pixels: Vec<(usize, usize)>,
}

/// The classes of one axis that have both pixels and taps, by residue. Only residues of taps are gone through, as a stride can be
/// far larger than a kernel.
fn residues(axis: &Axis) -> Vec<Residue> {
    let mut all: BTreeMap<usize, Residue> = BTreeMap::new();
    for k in (0..axis.kernel).rev() {
        let at = k * axis.dilation;
        all.entry(at % axis.stride).or_default().taps.push((at / axis.stride, k));
    }
    for i in (0..axis.size).rev() {
        let at = i + axis.before;
        if let Some(residue) = all.get_mut(&(at % axis.stride)) {
            residue.pixels.push((at / axis.stride, i));
        }
    }
    all.into_values().filter(|residue| !residue.pixels.is_empty()).collect()
}

/// The classes that have both pixels and taps.
fn classes(stencil: &Stencil, grid: &Grid) -> Vec<Class> {
    let [down, across] = stencil.axes.each_ref().map(residues);
    down.iter().flat_map(|y| across.iter().filter_map(move |x| class(stencil, grid, y, x))).collect()
}

fn class(stencil: &Stencil, grid: &Grid, down: &Residue, across: &Residue) -> Option<Class> {
    let filters = stencil.filters_per_group() as u64;
    let (lowest_y, lowest_x) = (down.taps.last()?.0 as u64, across.taps.last()?.0 as u64);
    let lowest = (lowest_y * grid.pitch + lowest_x) * filters;
    let mut made = Class { taps: vec![], exponents: vec![], pixels: vec![] };
    for &(ty, ky) in &down.taps {
        for &(tx, kx) in &across.taps {
            let base = (ty as u64 * grid.pitch + tx as u64) * filters - lowest;
            made.taps.push([ky, kx]);
            made.exponents.extend((0..filters).rev().map(|below| base + below));
        }
    }
    for &(qy, iy) in &down.pixels {
        let along = across.pixels.iter();
        made.pixels.extend(along.map(|&(qx, ix)| (grid.power([qy, qx], filters) + lowest, iy * stencil.axes[1].size + ix)));
    }
    Some(made)
}

/// Rows beyond the rescales.
pub(super) fn rows(stencil: &Stencil, shape: &Shape) -> usize {
    let grid = Grid::of(stencil);
    let outputs = grid.positions().saturating_mul(stencil.filters as u64);
    if outputs > MAX_OUTPUTS {
        return usize::MAX;
    }
    let walk = |class: &Class| {
        let polynomial = Schedule::of(&class.exponents, u64::from(shape.weights), shape.steps).rows();
        polynomial.saturating_add(walk_rows(class.pixels.iter().map(|(exponent, _)| *exponent), &shape.steps))
    };
    let walks = classes(stencil, &grid).iter().map(walk).fold(0, u64::saturating_add).saturating_mul(stencil.channels as u64);
    let borders = grid.border_rows(stencil, stencil.filters_per_group() as u64).saturating_mul(stencil.groups as u64);
    usize::try_from(walks.saturating_add(borders)).unwrap_or(usize::MAX)
}

/// Counts how often the pixels of all channels move by each exponent.
pub(super) fn moves(stencil: &Stencil, moves: &mut BTreeMap<u64, u64>) {
    let grid = Grid::of(stencil);
    if grid.positions().saturating_mul(stencil.filters as u64) > MAX_OUTPUTS {
        return;
    }
    for class in classes(stencil, &grid) {
        let mut at = 0;
        for (exponent, _) in class.pixels {
            *moves.entry(exponent - std::mem::replace(&mut at, exponent)).or_default() += stencil.channels as u64;
        }
    }
}

pub(super) fn place_all(
    conv: &Conv,
    trace: &mut Trace,
    inputs: &[Cell],
    x: Option<&[i128]>,
    place: &mut Place<'_>,
) -> Result<(), TraceError> {
    let stencil = &conv.stencil;
    let grid = Grid::of(stencil);
    let (filters, channels) = (stencil.filters_per_group(), stencil.channels_per_group());
    let borders = x.map(|x| everywhere(conv, &grid, x));
    let classes: Vec<(Class, Schedule)> =
        classes(stencil, &grid).into_iter().map(|class| scheduled(class, &trace.shape)).collect();
    for group in 0..stencil.groups {
        let mut run = Vec::new();
        for position in 0..grid.positions() {
            let of_group = group * filters..(group + 1) * filters;
            let Some([oy, ox]) = grid.window(position, stencil) else {
                let at = |filter| filter * grid.positions() as usize + position as usize;
                run.extend(of_group.map(|filter| borders.as_ref().map(|values| values[at(filter)])));
                continue;
            };
            border::place(trace, &std::mem::take(&mut run))?;
            for filter in of_group {
                let output = (filter * stencil.axes[0].outputs + oy) * stencil.axes[1].outputs + ox;
                place(trace, output, conv.bias[filter])?;
            }
        }
        border::place(trace, &run)?;
        for channel in 0..channels {
            let plane = &inputs[(group * channels + channel) * stencil.pixels()..][..stencil.pixels()];
            for (class, schedule) in &classes {
                let taps = class.taps.iter().flat_map(|&tap| (0..filters).map(move |o| (tap, group * filters + o)));
                let weight = |(tap, filter)| conv.weights[stencil.weight(filter, channel, tap)];
                let weights: Vec<(u64, i128)> = class.exponents.iter().copied().zip(taps.map(weight)).collect();
                place_polynomial(trace, schedule, &weights)?;
                place_walk(trace, class.pixels.iter().map(|&(exponent, pixel)| (exponent, plane[pixel])))?;
            }
        }
    }
    Ok(())
}

fn scheduled(class: Class, shape: &Shape) -> (Class, Schedule) {
    let schedule = Schedule::of(&class.exponents, u64::from(shape.weights), shape.steps);
    (class, schedule)
}

/// The sums at all positions, without bias, by filter and power, in the field: a border window holds some of the taps only, and the interval
/// check bounds the partial sums of whole windows.
fn everywhere(conv: &Conv, grid: &Grid, x: &[i128]) -> Vec<Fr> {
    let axis = |i: usize| {
        let axis = conv.stencil.axes[i];
        Axis { before: axis.before + grid.before[i] as usize * axis.stride, outputs: grid.len[i] as usize, ..axis }
    };
    let stencil = Stencil { axes: [axis(0), axis(1)], ..conv.stencil };
    let [weights, x] = [&conv.weights[..], x].map(|values| values.iter().map(|&v| to_field(v)).collect::<Vec<Fr>>());
    let sums = stencil.convolve(&weights, &vec![Fr::ZERO; stencil.filters], &x);
    let [lines, line, positions] = [grid.len[0], grid.len[1], grid.positions()].map(|n| n as usize);
    let mut by_power = vec![Fr::ZERO; stencil.filters * positions];
    for (i, sum) in sums.into_iter().enumerate() {
        let (filter, y, x) = (i / (lines * line), i / line % lines, i % line);
        by_power[filter * positions + y * grid.pitch as usize + x] += sum;
    }
    by_power
}
