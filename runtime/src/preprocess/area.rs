//! One axis of the area kernel: which input pixels an output pixel covers, and how much of each.
//!
//! With `n` input pixels over `m` output pixels (both divided by their greatest common divisor),
//! input pixel `k` spans `[k·m, (k+1)·m)` and output pixel `j` spans `[j·n, (j+1)·n)` on one scale
//! of whole numbers. The weight is the length of their overlap: a whole number, at most `m`, with
//! sum `n` for each output. So the weights are exact, at any ratio of sizes.

/// Output pixels take their taps in groups of this many, so that a group is one vector.
pub(super) const LANES: usize = 8;

/// The spans of all output pixels along one axis.
#[derive(Debug, Clone)]
pub(super) struct AreaAxis {
    spans: Vec<AreaSpan>,
    total: u32,
    greatest: u32,
    most_taps: usize,
}

/// The input pixels that one output pixel covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AreaSpan {
    /// The first input pixel.
    pub first: usize,
    /// One past the last input pixel.
    pub end: usize,
    /// Where the output pixel begins on the scale of whole numbers.
    begin: u64,
}

impl AreaAxis {
    /// The axis that takes `input` pixels to `output` pixels; both at least 1.
    pub fn new(input: u32, output: u32) -> Self {
        let divisor = greatest_common_divisor(input, output);
        let (total, greatest) = (input / divisor, output / divisor);
        let (n, m) = (u64::from(total), u64::from(greatest));
        let spans: Vec<AreaSpan> = (0..u64::from(output))
            .map(|j| AreaSpan {
                first: (j * n / m) as usize,
                end: ((j + 1) * n).div_ceil(m) as usize,
                begin: j * n,
            })
            .collect();
        let most_taps = spans
            .iter()
            .map(|span| span.end - span.first)
            .max()
            .unwrap_or(1);
        Self {
            spans,
            total,
            greatest,
            most_taps,
        }
    }

    /// The spans, one for each output pixel.
    pub fn spans(&self) -> &[AreaSpan] {
        &self.spans
    }

    /// The sum of the weights of an output pixel.
    pub fn total(&self) -> u32 {
        self.total
    }

    /// The weight of input pixel `k` in `span`: 0 outside of it.
    pub fn weight(&self, span: &AreaSpan, k: usize) -> u32 {
        let (n, m) = (u64::from(self.total), u64::from(self.greatest));
        let left = span.begin.max(k as u64 * m);
        let right = (span.begin + n).min((k as u64 + 1) * m);
        right.saturating_sub(left) as u32
    }

    /// Taps of an output pixel, rounded up to whole groups of [`LANES`].
    pub fn padded_taps(&self) -> usize {
        self.most_taps.next_multiple_of(LANES)
    }

    /// The weights of all output pixels, each padded with zeros: `[output][padded_taps]`.
    pub fn padded_weights(&self) -> Vec<f32> {
        let taps = self.padded_taps();
        let weights = self
            .spans
            .iter()
            .flat_map(|span| (span.first..span.first + taps).map(|k| self.weight(span, k) as f32));
        weights.collect()
    }
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_the_overlaps() {
        // Five pixels over two: the middle one is shared half and half.
        let axis = AreaAxis::new(5, 2);
        let weights: Vec<Vec<u32>> = axis
            .spans()
            .iter()
            .map(|span| (0..5).map(|k| axis.weight(span, k)).collect())
            .collect();
        assert_eq!(weights, vec![vec![2, 2, 1, 0, 0], vec![0, 0, 1, 2, 2]]);
        assert_eq!(axis.total(), 5);
    }

    #[test]
    fn every_output_has_the_same_sum_and_every_input_is_used_once() {
        for (input, output) in [(1600, 352), (582, 128), (97, 31), (64, 64), (20, 50)] {
            let axis = AreaAxis::new(input, output);
            let taps = axis.padded_taps();
            let weights = axis.padded_weights();
            for row in weights.chunks_exact(taps) {
                assert_eq!(row.iter().sum::<f32>(), axis.total() as f32);
            }
            for k in 0..input as usize {
                let used: u32 = axis.spans().iter().map(|span| axis.weight(span, k)).sum();
                assert_eq!(
                    used,
                    output / (input / axis.total()),
                    "{input} over {output}"
                );
            }
        }
    }
}
