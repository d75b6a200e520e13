//! A relay between the sides that loses, delays and reorders messages by a seed.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

use crate::clock::LinkClock;
use crate::wire::{Wire, WireError};

/// While nothing is due, a direction looks for messages in waits of this length.
const LONGEST_WAIT: Duration = Duration::from_millis(50);

/// What happens to messages on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Impairment {
    /// Share of messages that are lost.
    pub loss: f64,
    /// Shortest and longest time on the way.
    pub delay: Range<Duration>,
    /// Share of messages that are held so long that later ones overtake them.
    pub reorder: f64,
    /// The n-th message of a direction has the same fate with the same seed.
    pub seed: u64,
}

impl Default for Impairment {
    /// None.
    fn default() -> Self {
        Self {
            loss: 0.0,
            delay: Duration::ZERO..Duration::ZERO,
            reorder: 0.0,
            seed: 0,
        }
    }
}

/// What one direction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelaySummary {
    /// Messages passed on.
    pub passed: u64,
    /// Messages lost on purpose.
    pub lost: u64,
    /// Messages held until later ones had overtaken them.
    pub held: u64,
}

/// What becomes of one message.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Lost,
    Passed(Duration),
    Held(Duration),
}

impl Impairment {
    /// The fate of the n-th message of a direction.
    fn fate(&self, direction: u64, number: u64) -> Fate {
        let mut state = self.seed ^ direction.rotate_left(32) ^ number.wrapping_mul(0x2545_F491);
        if next_fraction(&mut state) < self.loss {
            return Fate::Lost;
        }
        let is_held = next_fraction(&mut state) < self.reorder;
        let spread = self.delay.end.saturating_sub(self.delay.start);
        let delay = self.delay.start + spread.mul_f64(next_fraction(&mut state));
        if is_held {
            Fate::Held(delay + self.delay.end + Duration::from_millis(10))
        } else {
            Fate::Passed(delay)
        }
    }
}

/// The next number in `[0, 1)` of the splitmix64 sequence.
fn next_fraction(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Passes messages on in both directions until nothing has come for `idle`; gives what was done from
/// `a` to `b` and from `b` to `a`.
///
/// # Errors
/// A wire is closed.
pub fn relay(
    a: &dyn Wire,
    b: &dyn Wire,
    impairment: &Impairment,
    idle: Duration,
) -> Result<[RelaySummary; 2], WireError> {
    let last_ns = AtomicI64::new(LinkClock::now_ns());
    thread::scope(|scope| {
        let back = scope.spawn(|| one_way(b, a, impairment, 1, &last_ns, idle));
        let there = one_way(a, b, impairment, 0, &last_ns, idle);
        let back = back.join().expect("a direction has no panic");
        Ok([there?, back?])
    })
}

fn one_way(
    from: &dyn Wire,
    to: &dyn Wire,
    impairment: &Impairment,
    direction: u64,
    last_ns: &AtomicI64,
    idle: Duration,
) -> Result<RelaySummary, WireError> {
    let mut summary = RelaySummary::default();
    let mut waiting: BTreeMap<(i64, u64), Vec<u8>> = BTreeMap::new();
    let mut number = 0;
    let mut last_due_ns = i64::MIN;
    loop {
        let now_ns = LinkClock::now_ns();
        while let Some(entry) = waiting.first_entry() {
            if entry.key().0 > now_ns {
                break;
            }
            to.send(&entry.remove())?;
            summary.passed += 1;
        }
        let is_idle = now_ns - last_ns.load(Ordering::Relaxed) > nanoseconds(idle);
        if is_idle && waiting.is_empty() {
            return Ok(summary);
        }
        let wait = waiting
            .first_key_value()
            .map_or(LONGEST_WAIT, |((due_ns, _), _)| {
                Duration::from_nanos(u64::try_from(due_ns - now_ns).unwrap_or(0)).min(LONGEST_WAIT)
            });
        let Some(received) = from.receive(wait)? else {
            continue;
        };
        last_ns.fetch_max(received.at_ns, Ordering::Relaxed);
        match impairment.fate(direction, number) {
            Fate::Lost => summary.lost += 1,
            Fate::Passed(delay) => {
                // Messages that are not held stay in order.
                last_due_ns = last_due_ns.max(received.at_ns + nanoseconds(delay));
                waiting.insert((last_due_ns, number), received.bytes);
            }
            Fate::Held(delay) => {
                summary.held += 1;
                waiting.insert(
                    (received.at_ns + nanoseconds(delay), number),
                    received.bytes,
                );
            }
        }
        number += 1;
    }
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_delays_are_as_asked_for_and_follow_from_the_seed() {
        let impairment = Impairment {
            loss: 0.1,
            delay: Duration::from_millis(5)..Duration::from_millis(20),
            reorder: 0.05,
            seed: 7,
        };
        let fates: Vec<Fate> = (0..20_000).map(|n| impairment.fate(0, n)).collect();
        let lost = fates.iter().filter(|fate| **fate == Fate::Lost).count();
        assert!((1_800..2_200).contains(&lost), "{lost} of 20000 lost");
        let held = fates
            .iter()
            .filter(|fate| matches!(fate, Fate::Held(_)))
            .count();
        assert!((750..1_050).contains(&held), "{held} of 20000 held");
        for fate in &fates {
            if let Fate::Passed(delay) = fate {
                assert!(impairment.delay.contains(delay), "{delay:?}");
            }
        }
        let again: Vec<Fate> = (0..20_000).map(|n| impairment.fate(0, n)).collect();
        assert_eq!(fates, again);
        let back: Vec<Fate> = (0..20_000).map(|n| impairment.fate(1, n)).collect();
        assert_ne!(fates, back);
    }
}
