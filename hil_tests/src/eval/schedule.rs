//! Which frames of a clip are scored.

use bevrt_runtime::{Span, Stamp};

/// Frames at a fixed rate after a warm-up: of each period the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScoredMoments {
    next: Stamp,
    period: Span,
}

impl ScoredMoments {
    /// Stamps this near before a moment belong to it.
    const TOLERANCE: Span = Span::from_milliseconds(20);

    /// The clip begins at `begin`; the first scored moment is one period after the warm-up.
    pub fn new(begin: Stamp, warm_up_s: f64, rate_hz: f64) -> Self {
        let period = Span::from_seconds(1.0 / rate_hz);
        Self {
            next: begin + Span::from_seconds(warm_up_s) + period,
            period,
        }
    }

    /// Whether the frame of this stamp is scored; asked once for each frame, in order.
    pub fn take(&mut self, stamp: Stamp) -> bool {
        if stamp + Self::TOLERANCE < self.next {
            return false;
        }
        while self.next <= stamp + Self::TOLERANCE {
            self.next = self.next + self.period;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_of_ten_seconds_has_sixteen_scored_frames_at_any_rate() {
        for rate_hz in [2_i64, 10, 20] {
            let begin = Stamp::from_nanoseconds(1_000_000_000);
            let mut moments = ScoredMoments::new(begin, 2.0, 2.0);
            let scored = (0..=10 * rate_hz)
                .map(|k| begin + Span::from_seconds(k as f64 / rate_hz as f64))
                .filter(|stamp| moments.take(*stamp))
                .count();
            assert_eq!(scored, 16, "{rate_hz} Hz");
        }
    }

    #[test]
    fn a_gap_gives_one_frame_when_it_ends() {
        let mut moments = ScoredMoments::new(Stamp::ZERO, 0.0, 2.0);
        let stamps =
            [100, 400, 2_300, 2_400, 2_600].map(|ms| Stamp::from_nanoseconds(ms * 1_000_000));
        assert_eq!(
            stamps.map(|stamp| moments.take(stamp)),
            [false, false, true, false, true]
        );
    }
}
