//! Errors relative to what was predicted of them.

/// Bins of the logarithm of a ratio: 16 for each doubling, from 1/64 to 64.
const BINS: usize = 192;
const BINS_A_DOUBLING: f64 = 16.0;
/// Share of normal errors within one standard deviation.
const ONE_SIGMA: f64 = 0.6827;

/// Counts of ratios of errors to their predicted standard deviations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ratios {
    within: usize,
    all: usize,
    bins: [u32; BINS],
}

impl Default for Ratios {
    fn default() -> Self {
        Self {
            within: 0,
            all: 0,
            bins: [0; BINS],
        }
    }
}

impl Ratios {
    /// Counts an error.
    pub fn add(&mut self, error: f64, sigma: f64) {
        let error = error.abs();
        self.within += usize::from(error <= sigma);
        self.all += 1;
        let doublings = (error / sigma).log2() + 0.5 * BINS as f64 / BINS_A_DOUBLING;
        // A cast from float saturates and takes NaN to 0.
        let bin = (doublings * BINS_A_DOUBLING) as usize;
        self.bins[bin.min(BINS - 1)] += 1;
    }

    /// Adds other counts.
    pub fn merge(&mut self, other: &Self) {
        self.within += other.within;
        self.all += other.all;
        for (own, other) in self.bins.iter_mut().zip(other.bins) {
            *own += other;
        }
    }

    /// Number of errors.
    pub fn count(&self) -> usize {
        self.all
    }

    /// Share of the errors within one standard deviation; 0 of none.
    pub fn share(&self) -> f64 {
        self.within as f64 / self.all.max(1) as f64
    }

    /// What the standard deviations would have to be multiplied by so that 68.27 % of the errors lay
    /// within one of them, to 5 %; 1 of none.
    pub fn factor(&self) -> f64 {
        let wanted = ONE_SIGMA * self.all as f64;
        let mut below = 0.0;
        for (bin, &count) in self.bins.iter().enumerate() {
            let count = f64::from(count);
            if count > 0.0 && below + count >= wanted {
                let place = bin as f64 + (wanted - below) / count;
                return ((place - 0.5 * BINS as f64) / BINS_A_DOUBLING).exp2();
            }
            below += count;
        }
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_brings_two_thirds_of_the_errors_within() {
        let mut ratios = Ratios::default();
        let errors: Vec<f64> = (1..=1000).map(|k| 0.003 * f64::from(k)).collect();
        errors.iter().for_each(|&error| ratios.add(error, 1.0));
        assert!((ratios.share() - 0.333).abs() < 1e-9);
        let factor = ratios.factor();
        assert!((factor / 2.048 - 1.0).abs() < 0.05, "{factor}");
        let mut again = Ratios::default();
        errors.iter().for_each(|&error| again.add(error, factor));
        assert!((again.share() - ONE_SIGMA).abs() < 0.03);
    }

    #[test]
    fn nothing_and_extremes_are_harmless() {
        assert_eq!(
            (Ratios::default().share(), Ratios::default().factor()),
            (0.0, 1.0)
        );
        let mut ratios = Ratios::default();
        for (error, sigma) in [(0.0, 0.1), (1.0, 0.0), (0.0, 0.0), (f64::NAN, 1.0)] {
            ratios.add(error, sigma);
        }
        assert_eq!(ratios.count(), 4);
        assert!(ratios.factor().is_finite());
    }
}
