//! Sums of many groups of points at once, in affine coordinates: neighbours of a group are added pairwise, round by round, and all
//! additions of a round share one inversion.

use super::{field::Point, pairs};

/// About as many points in flight as the processor's second cache holds.
const AT_ONCE: usize = 1 << 12;

/// A point's index and sign.
pub(super) fn entry(index: usize, negative: bool) -> u32 {
    (index as u32) << 1 | u32::from(negative)
}

/// The sum of each group: group g is `entries[ends[g - 1]..ends[g]]`. An empty group's sum is the identity.
pub(super) fn groups(points: &[Point], entries: &[u32], ends: &[usize]) -> Vec<Point> {
    let mut sums = Vec::with_capacity(ends.len());
    let (mut first, mut start) = (0, 0);
    while first < ends.len() {
        let mut last = first + 1;
        while last < ends.len() && ends[last] - start <= AT_ONCE {
            last += 1;
        }
        let lengths: Vec<u32> = (first..last).map(|g| (ends[g] - if g == first { start } else { ends[g - 1] }) as u32).collect();
        some(points, &entries[start..ends[last - 1]], lengths, &mut sums);
        (first, start) = (last, ends[last - 1]);
    }
    sums
}

fn some(points: &[Point], entries: &[u32], mut lengths: Vec<u32>, sums: &mut Vec<Point>) {
    let mut current = round(points, entries, &mut lengths);
    let mut entries: Vec<u32> = Vec::new();
    while lengths.iter().any(|length| *length > 1) {
        entries.clear();
        entries.extend((0..current.len()).map(|i| entry(i, false)));
        current = round(&current, &entries, &mut lengths);
    }
    let mut rest = current.iter();
    sums.extend(
        lengths.iter().map(|length| if *length == 0 { Point::default() } else { *rest.next().unwrap_or(&Point::default()) }),
    );
}

/// Adds neighbours; a group of n points becomes one of ⌈n/2⌉, in place of the old ones.
fn round(points: &[Point], entries: &[u32], lengths: &mut [u32]) -> Vec<Point> {
    let (mut pairs, mut singles) = (Vec::with_capacity(entries.len() / 2), Vec::new());
    let mut rest = entries;
    let mut out = 0;
    for length in lengths {
        let (group, tail) = rest.split_at(*length as usize);
        rest = tail;
        let (couples, odd) = group.as_chunks::<2>();
        pairs.extend(couples.iter().enumerate().map(|(i, couple)| (*couple, (out + i) as u32)));
        out += couples.len();
        if let [single] = odd {
            singles.push((*single, out));
            out += 1;
        }
        *length = length.div_ceil(2);
    }
    let mut sums = vec![Point::default(); out];
    pairs::add(points, &pairs, &mut sums);
    for (single, at) in singles {
        sums[at] = points[(single >> 1) as usize].signed(single & 1 == 1);
    }
    sums
}
