//! Speed and yaw rate as the vehicle's bus tells them: noisy and a little wrong.

use crate::world::random::Random;

/// Time between two signals, seconds.
const PERIOD_S: f64 = 0.02;
/// Standard deviation of the noise.
const SPEED_NOISE_MPS: f64 = 0.03;
const YAW_RATE_NOISE_RADPS: f64 = 0.002;

/// One CAN signal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CanSample {
    /// Seconds since the start of the drive.
    pub t_s: f64,
    /// Speed of the rear axle, m/s.
    pub speed_mps: f64,
    /// Yaw rate, counter-clockwise, rad/s.
    pub yaw_rate_radps: f64,
}

/// Errors of the sensors that last through a drive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Errors {
    speed_scale: f64,
    yaw_rate_bias: f64,
}

impl Errors {
    pub(super) fn draw(random: &mut Random) -> Self {
        Self {
            speed_scale: 1.0 + 0.005 * random.normal(),
            yaw_rate_bias: 0.1_f64.to_radians() * random.normal(),
        }
    }

    /// Signals in a span of time; a sample depends on its own stamp only.
    pub(super) fn samples(
        &self,
        seed: u64,
        from_s: f64,
        to_s: f64,
        truth: impl Fn(f64) -> [f64; 2],
    ) -> Vec<CanSample> {
        let first = (from_s / PERIOD_S - 1e-9).ceil() as i64;
        (first..)
            .map(|index| (index, index as f64 * PERIOD_S))
            .take_while(|(_, t_s)| *t_s < to_s - 1e-9)
            .map(|(index, t_s)| {
                let [speed, yaw_rate] = truth(t_s);
                let mut noise = Random::new(seed, 1_000_000_u64.wrapping_add(index as u64));
                // Wheel sensors know when the vehicle stands.
                let speed_noise = if speed > 0.05 {
                    SPEED_NOISE_MPS * noise.normal()
                } else {
                    0.0
                };
                CanSample {
                    t_s,
                    speed_mps: (speed * self.speed_scale + speed_noise).max(0.0),
                    yaw_rate_radps: yaw_rate
                        + self.yaw_rate_bias
                        + YAW_RATE_NOISE_RADPS * noise.normal(),
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_join_without_gap_or_repetition() {
        let errors = Errors::draw(&mut Random::new(1, 1));
        let take = |from, to| errors.samples(9, from, to, |_| [5.0, 0.1]);
        let mut joined = take(0.0, 0.3);
        joined.extend(take(0.3, 1.0));
        assert_eq!(joined, take(0.0, 1.0));
        assert_eq!(joined.len(), 50);
    }

    #[test]
    fn errors_have_the_size_of_real_sensors() {
        let errors = Errors {
            speed_scale: 1.005,
            yaw_rate_bias: 0.002,
        };
        let samples = errors.samples(9, 0.0, 100.0, |_| [10.0, 0.0]);
        let mean =
            samples.iter().map(|sample| sample.speed_mps).sum::<f64>() / samples.len() as f64;
        assert!((mean - 10.05).abs() < 0.005, "{mean}");
        let bias = samples
            .iter()
            .map(|sample| sample.yaw_rate_radps)
            .sum::<f64>()
            / samples.len() as f64;
        assert!((bias - 0.002).abs() < 2e-4, "{bias}");
    }
}
