//! A latency histogram of fixed size.

use crate::time::Span;

/// Each octave of nanoseconds is split into so many buckets, so a percentile is exact to 1/64.
const BUCKETS_PER_OCTAVE: usize = 32;
const SUB_BITS: u32 = BUCKETS_PER_OCTAVE.trailing_zeros();
/// Longer times, beyond 36 minutes, are counted in the last bucket.
const LARGEST_NANOSECONDS: u64 = (1 << 41) - 1;
const BUCKETS: usize = (41 - SUB_BITS as usize + 1) * BUCKETS_PER_OCTAVE;

/// Counts of times in buckets whose width grows with the time: percentiles to within 1.6 %.
///
/// # Real-time
/// All memory is taken at construction; recording is a few instructions.
#[derive(Clone, Debug)]
pub struct LatencyHistogram {
    counts: Box<[u64]>,
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
}

impl LatencyHistogram {
    /// An empty histogram.
    pub fn new() -> Self {
        let counts = vec![0; BUCKETS].into_boxed_slice();
        Self {
            counts,
            count: 0,
            sum: 0,
            min: u64::MAX,
            max: 0,
        }
    }

    /// Counts one time.
    pub fn record(&mut self, nanoseconds: u64) {
        self.counts[bucket_of(nanoseconds)] += 1;
        self.count += 1;
        self.sum += u128::from(nanoseconds);
        self.min = self.min.min(nanoseconds);
        self.max = self.max.max(nanoseconds);
    }

    /// Times that were recorded.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest time; zero when empty.
    pub fn max(&self) -> Span {
        span(self.max)
    }

    /// The shortest time; zero when empty.
    pub fn min(&self) -> Span {
        if self.count == 0 {
            Span::ZERO
        } else {
            span(self.min)
        }
    }

    /// The mean; zero when empty.
    pub fn mean(&self) -> Span {
        let mean = self.sum.checked_div(u128::from(self.count)).unwrap_or(0);
        span(u64::try_from(mean).unwrap_or(u64::MAX))
    }

    /// The time that a share `fraction` in [0, 1] of all times does not exceed, to within 1.6 %;
    /// zero when empty.
    pub fn percentile(&self, fraction: f64) -> Span {
        let rank = (fraction.clamp(0.0, 1.0) * self.count as f64)
            .ceil()
            .max(1.0) as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return span(middle_of(bucket).clamp(self.min, self.max));
            }
        }
        self.max()
    }

    /// The middle of every bucket that holds times, nanoseconds, with how many, the shortest first.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let buckets = self.counts.iter().enumerate();
        buckets
            .filter(|(_, count)| **count > 0)
            .map(|(bucket, count)| (middle_of(bucket), *count))
    }

    /// Forgets every time.
    pub fn clear(&mut self) {
        self.counts.fill(0);
        (self.count, self.sum, self.min, self.max) = (0, 0, u64::MAX, 0);
    }
}

impl Default for LatencyHistogram {
    fn default() -> Self {
        Self::new()
    }
}

fn span(nanoseconds: u64) -> Span {
    Span::from_nanoseconds(i64::try_from(nanoseconds).unwrap_or(i64::MAX))
}

/// Below 32 ns each value has its bucket; above, the leading bit gives the octave and the next
/// five bits the bucket in it.
fn bucket_of(nanoseconds: u64) -> usize {
    let value = nanoseconds.min(LARGEST_NANOSECONDS);
    let octave = (u64::BITS - value.leading_zeros()).saturating_sub(SUB_BITS + 1);
    octave as usize * BUCKETS_PER_OCTAVE + (value >> octave) as usize
}

fn middle_of(bucket: usize) -> u64 {
    if bucket < 2 * BUCKETS_PER_OCTAVE {
        return bucket as u64;
    }
    let octave = bucket / BUCKETS_PER_OCTAVE - 1;
    let low = ((bucket - octave * BUCKETS_PER_OCTAVE) as u64) << octave;
    low + (1_u64 << octave) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_the_promised_part() {
        let mut histogram = LatencyHistogram::new();
        (1..=10_000_u64).for_each(|step| histogram.record(step * 9_973));
        for fraction in [0.01, 0.5, 0.9, 0.99, 1.0] {
            let exact = fraction * 10_000.0 * 9_973.0;
            let found = histogram.percentile(fraction).nanoseconds() as f64;
            assert!(
                (found / exact - 1.0).abs() < 0.016,
                "{fraction}: {found} for {exact}"
            );
        }
        assert_eq!(histogram.max(), Span::from_nanoseconds(99_730_000));
        assert_eq!(histogram.min(), Span::from_nanoseconds(9_973));
        assert_eq!(histogram.mean(), Span::from_nanoseconds(49_869_986));
    }

    #[test]
    fn buckets_are_in_order_and_hold_their_middle() {
        let mut last = 0;
        for exponent in 0..40 {
            for part in [0, 1, 7, 31] {
                let value = (1_u64 << exponent) + ((1_u64 << exponent) * part) / 32;
                let bucket = bucket_of(value);
                assert!(bucket >= last && bucket < BUCKETS, "{value}");
                assert_eq!(bucket_of(middle_of(bucket)), bucket, "{value}");
                last = bucket;
            }
        }
    }

    #[test]
    fn the_ends_do_not_panic() {
        let mut histogram = LatencyHistogram::new();
        assert_eq!(histogram.percentile(0.5), Span::ZERO);
        assert_eq!(histogram.mean(), Span::ZERO);
        histogram.record(0);
        histogram.record(u64::MAX);
        assert_eq!(histogram.count(), 2);
        assert_eq!(histogram.max(), Span::MAX);
        assert_eq!(histogram.min(), Span::ZERO);
    }
}
