//! Which scalars go together, and in windows of how many bits.
//!
//! A window costs an addition per digit and some for every bucket, so a few long scalars (the blinding of a column) among many short ones
//! must not share their windows. The unit is one addition in a batch.

/// Classes end at multiples of this many bits; a finer grid gains nothing.
const STEP: usize = 8;
/// Scalars have fewer bits.
const BITS: usize = 128;
/// A bucket is added into a row and into a column, and written and read.
const PER_BUCKET: usize = 3;
/// The bits of a window's result are added one by one, with additions that share no inversion.
const PER_BIT: usize = 10;
/// Larger windows need more memory than they save time.
const LARGEST: usize = 16;

/// Scalars of at most `bits` bits in windows of `window` bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class {
    pub bits: usize,
    pub window: usize,
}

impl Class {
    pub fn windows(&self) -> usize {
        self.bits.div_ceil(self.window)
    }

    /// log2 of the largest digit of a window. Lower windows have signed digits; the last has the remaining bits and a carry.
    pub fn log_buckets(&self, window: usize) -> usize {
        if window + 1 < self.windows() { self.window - 1 } else { self.bits - self.window * window }
    }

    fn cost(&self, count: usize) -> usize {
        let per_window = |w| count + (PER_BUCKET << self.log_buckets(w));
        let last = self.windows() - 1;
        last * per_window(0) + per_window(last) + PER_BIT * self.bits
    }

    fn best(count: usize, bits: usize) -> (usize, Self) {
        let classes = (1..=LARGEST.min(bits)).map(|window| Self { bits, window });
        classes.map(|class| (class.cost(count), class)).min_by_key(|(cost, _)| *cost).unwrap_or((0, Self { bits, window: 1 }))
    }
}

/// The cheapest classes, by increasing bits, for `histogram[b]` scalars of b bits.
pub(super) fn choose(histogram: &[usize; BITS]) -> Vec<Class> {
    // Per step: how many scalars end in it, and the longest of them.
    let steps: Vec<(usize, usize)> = (0..BITS / STEP)
        .map(|step| {
            let lengths = step * STEP + 1..=(step * STEP + STEP).min(BITS - 1);
            (lengths.clone().map(|b| histogram[b]).sum(), lengths.rev().find(|b| histogram[*b] != 0).unwrap_or(0))
        })
        .collect();
    // The cheapest way to do the first i steps.
    let mut cheapest: Vec<(usize, Vec<Class>)> = vec![(0, Vec::new())];
    for end in 1..=steps.len() {
        let (mut count, mut bits, mut best) = (0, 0, None::<(usize, usize, Option<Class>)>);
        for start in (0..end).rev() {
            count += steps[start].0;
            bits = bits.max(steps[start].1);
            let (cost, class) = if count == 0 {
                (0, None)
            } else {
                let (cost, class) = Class::best(count, bits);
                (cost, Some(class))
            };
            let cost = cost + cheapest[start].0;
            if best.is_none_or(|(least, _, _)| cost < least) {
                best = Some((cost, start, class));
            }
        }
        if let Some((cost, start, class)) = best {
            let classes = cheapest[start].1.iter().copied().chain(class).collect();
            cheapest.push((cost, classes));
        }
    }
    cheapest.pop().map(|(_, classes)| classes).unwrap_or_default()
}
