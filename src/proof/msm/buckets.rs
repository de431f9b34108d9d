//! Pippenger's buckets for some windows of a class.
//!
//! A window's result Σ_v v·B_v over its buckets is taken apart once by the upper and lower half of v's bits (v = 2^s·row + column: two
//! additions per bucket), then by the single bits of row and column, so that what is left is one point per bit of the scalars.

use super::{
    classes::Class,
    field::Point,
    sums::{self, entry},
};
use std::ops::Range;

/// A multiple to add up; two words instead of one of 128 bits save a quarter of its size.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Item {
    magnitude: [u64; 2],
    /// The signed entry of its point.
    entry: u32,
}

impl Item {
    pub fn new(magnitude: u128, entry: u32) -> Self {
        Self { magnitude: [magnitude as u64, (magnitude >> 64) as u64], entry }
    }

    pub fn magnitude(&self) -> u128 {
        u128::from(self.magnitude[0]) | u128::from(self.magnitude[1]) << 64
    }
}

/// Points and the powers of two that they are multiplied by: their sum is what `windows` contribute.
pub(super) fn bits(points: &[Point], items: &[Item], class: Class, windows: Range<usize>) -> Vec<(usize, Point)> {
    let buckets = fill(points, items, class, windows.clone());
    let (mut grid, mut ends) = (Vec::new(), Vec::new());
    let mut offset = 0;
    for window in windows.clone() {
        let (log, low) = halves(class, window);
        for row in 1..=1usize << (log - low) {
            let values = row << low..((row + 1) << low).min((1 << log) + 1);
            collect(&buckets, offset, values, &mut grid);
            ends.push(grid.len());
        }
        for column in 1..1usize << low {
            collect(&buckets, offset, (column..=1 << log).step_by(1 << low), &mut grid);
            ends.push(grid.len());
        }
        offset += 1 << log;
    }
    let lines = sums::groups(&buckets, &grid, &ends);
    let (mut entries, mut ends, mut positions) = (Vec::new(), Vec::new(), Vec::new());
    let mut offset = 0;
    for window in windows {
        let (log, low) = halves(class, window);
        let base = class.window * window;
        for (count, bits, shift) in [(1usize << (log - low), log - low + 1, base + low), ((1 << low) - 1, low, base)] {
            for bit in 0..bits {
                collect(&lines, offset, (1..=count).filter(|value| value >> bit & 1 == 1), &mut entries);
                ends.push(entries.len());
                positions.push(shift + bit);
            }
            offset += count;
        }
    }
    positions.into_iter().zip(sums::groups(&lines, &entries, &ends)).collect()
}

/// log2 of a window's buckets, and how many of a bucket number's bits say its column.
fn halves(class: Class, window: usize) -> (usize, usize) {
    let log = class.log_buckets(window);
    (log, log.div_ceil(2))
}

/// The points of `values` (from 1 on) that are not the identity.
fn collect(points: &[Point], offset: usize, values: impl Iterator<Item = usize>, entries: &mut Vec<u32>) {
    let indices = values.map(|value| offset + value - 1);
    entries.extend(indices.filter(|index| !points[*index].is_identity()).map(|index| entry(index, false)));
}

/// The buckets of all windows, one after the other: bucket v of a window holds the sum of the points whose digit there is v or -v.
fn fill(points: &[Point], items: &[Item], class: Class, windows: Range<usize>) -> Vec<Point> {
    let mut offsets = vec![0];
    offsets.extend(windows.clone().scan(0, |sum, window| {
        *sum += 1usize << class.log_buckets(window);
        Some(*sum)
    }));
    let mut starts = vec![0usize; offsets[offsets.len() - 1] + 1];
    for (window, offset) in windows.clone().zip(&offsets) {
        let digits = Digits::new(class, window);
        for item in items {
            let (value, _) = digits.of(item.magnitude());
            if value != 0 {
                starts[offset + value] += 1;
            }
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    // starts[b] is now where bucket b begins, and is moved to where it ends.
    let mut entries = vec![0u32; sum];
    for (window, offset) in windows.zip(&offsets) {
        let digits = Digits::new(class, window);
        for item in items {
            let (value, negative) = digits.of(item.magnitude());
            if value != 0 {
                let at = &mut starts[offset + value - 1];
                entries[*at] = item.entry ^ u32::from(negative);
                *at += 1;
            }
        }
    }
    starts.pop();
    sums::groups(points, &entries, &starts)
}

/// The digits of one window. Lower windows have digits from -2^(c-1) to 2^(c-1) - 1: with 2^(c-1) added to each of them beforehand,
/// the plain digit is that much larger.
struct Digits {
    lift: u128,
    shift: usize,
    mask: u128,
    middle: u128,
}

impl Digits {
    fn new(class: Class, window: usize) -> Self {
        let (c, last) = (class.window, class.windows() - 1);
        let middle = 1u128 << (c - 1);
        let lift = (0..last).map(|w| middle << (c * w)).sum();
        let (mask, middle) = if window == last { (u128::MAX, 0) } else { ((1 << c) - 1, middle) };
        Self { lift, shift: c * window, mask, middle }
    }

    /// The digit's magnitude and sign. The lifted magnitude is below 2^127 + 2^126.
    fn of(&self, magnitude: u128) -> (usize, bool) {
        let digit = (magnitude + self.lift) >> self.shift & self.mask;
        (digit.abs_diff(self.middle) as usize, digit < self.middle)
    }
}
