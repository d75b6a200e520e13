//! Which seeds serve for what, and the light and weather of a seed.

use super::random::{Random, mix};

/// First seed that serves for tuning.
const FIRST_TUNE: u64 = 900_000;
/// First seed that serves for tests.
const FIRST_TEST: u64 = 950_000;

/// What a seed may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// Training of networks: 0 to 899,999.
    Train,
    /// Thresholds, calibration of quantisation, choice of what to train on: 900,000 to 949,999.
    Tune,
    /// Tests only: 950,000 and above.
    Test,
}

impl Split {
    /// The split of a seed.
    pub fn of(seed: u64) -> Self {
        match seed {
            0..FIRST_TUNE => Self::Train,
            FIRST_TUNE..FIRST_TEST => Self::Tune,
            _ => Self::Test,
        }
    }
}

/// Light and weather of a drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Condition {
    /// Sun or clouds.
    Day,
    /// Low sun or none, street lamps on.
    Dusk,
    /// Lamps only.
    Night,
    /// Rain by day.
    Rain,
    /// Fog by day.
    Fog,
}

impl Condition {
    /// All conditions.
    pub const ALL: [Self; 5] = [Self::Day, Self::Dusk, Self::Night, Self::Rain, Self::Fog];

    /// The condition of a seed.
    ///
    /// Every run of twenty seeds that starts at a multiple of twenty holds eight days, four dusks, three nights, three
    /// rains and two fogs, in an order of its own.
    pub fn of(seed: u64) -> Self {
        let mut order = [0_usize; 20];
        let mut random = Random::new(mix(seed / 20), 7);
        for i in 0..20 {
            let j = random.below(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        match order[(seed % 20) as usize] {
            0..=7 => Self::Day,
            8..=11 => Self::Dusk,
            12..=14 => Self::Night,
            15..=17 => Self::Rain,
            _ => Self::Fog,
        }
    }

    /// Lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Dusk => "dusk",
            Self::Night => "night",
            Self::Rain => "rain",
            Self::Fog => "fog",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forty_clips_hold_the_whole_mix() {
        for first in [0, 950_000, 951_240] {
            let count = |condition| {
                (first..first + 40)
                    .filter(|seed| Condition::of(*seed) == condition)
                    .count()
            };
            assert_eq!(Condition::ALL.map(count), [16, 8, 6, 6, 4]);
        }
    }

    #[test]
    fn splits_meet_without_gap_or_overlap() {
        assert_eq!(
            [899_999, 900_000].map(Split::of),
            [Split::Train, Split::Tune]
        );
        assert_eq!(
            [949_999, 950_000].map(Split::of),
            [Split::Tune, Split::Test]
        );
    }
}
