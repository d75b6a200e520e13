//! Who may enter a junction, by time.

use crate::world::layout::{Character, Layout};
use crate::world::random::Random;

/// Time between the end of one green and the start of the other, seconds.
const CLEARING_S: f64 = 2.5;

/// Phases of all junctions.
#[derive(Clone, Debug)]
pub(in super::super) struct Signals {
    phases: Vec<Phase>,
}

#[derive(Clone, Copy, Debug)]
struct Phase {
    period_s: f64,
    offset_s: f64,
    main_share: f64,
    /// The main road has the right of way at all times.
    is_priority: bool,
}

impl Signals {
    pub(in super::super) fn draw(layout: &Layout, random: &mut Random) -> Self {
        let phases = layout
            .junctions
            .iter()
            .map(|_| Phase {
                period_s: random.between(18.0, 26.0),
                offset_s: random.between(0.0, 26.0),
                main_share: random.between(0.55, 0.72),
                is_priority: random.chance(if layout.character == Character::Urban {
                    0.25
                } else {
                    0.65
                }),
            })
            .collect();
        Self { phases }
    }

    /// Whether vehicles of a group (0 main road, 1 crossing road) have green.
    pub(super) fn is_green(&self, junction: usize, group: usize, t_s: f64) -> bool {
        let phase = &self.phases[junction];
        if phase.is_priority {
            return group == 0;
        }
        let at = (t_s + phase.offset_s).rem_euclid(phase.period_s);
        let main_ends = phase.main_share * phase.period_s;
        if group == 0 {
            at < main_ends - CLEARING_S
        } else {
            (main_ends..phase.period_s - CLEARING_S).contains(&at)
        }
    }

    /// Whether vehicles of the crossing road have to find a gap.
    pub(super) fn must_yield(&self, junction: usize, group: usize) -> bool {
        self.phases[junction].is_priority && group == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roads_never_have_green_together() {
        let layout = Layout::generate(8);
        let signals = Signals::draw(&layout, &mut Random::new(8, 0));
        for junction in 0..layout.junctions.len() {
            for tick in 0..600 {
                let t_s = f64::from(tick) * 0.1;
                assert!(
                    !(signals.is_green(junction, 0, t_s) && signals.is_green(junction, 1, t_s))
                );
            }
        }
    }
}
