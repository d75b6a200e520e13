//! Rounds of a recording, with stamps carried on.

use bevrt_calibration::{Odom, Pose};
use bevrt_runtime::Span;

use super::Recording;
use super::events::{Event, Motion, What};

/// The events of a recording without end: each round's stamps go on where the last one's ended, and
/// poses go on from the pose that was reached.
#[derive(Clone, Debug)]
pub struct Feed<'a> {
    recording: &'a Recording,
    lead: usize,
    next: usize,
    shift: Span,
    odom_from_first_odom: Pose<Odom, Odom>,
}

impl<'a> Feed<'a> {
    pub(super) fn new(recording: &'a Recording) -> Self {
        Self {
            recording,
            lead: 0,
            next: 0,
            shift: Span::ZERO,
            odom_from_first_odom: Pose::identity(),
        }
    }

    /// What comes next.
    pub fn next_event(&mut self) -> Event {
        if let Some(event) = self.recording.lead.get(self.lead) {
            self.lead += 1;
            return *event;
        }
        let event = self.recording.events[self.next];
        let event = Event {
            stamp: event.stamp + self.shift,
            arrival: event.arrival + self.shift,
            what: self.carried_on(event.what),
        };
        self.next += 1;
        if self.next == self.recording.events.len() {
            self.next = 0;
            self.shift = self.shift + self.recording.period;
            self.odom_from_first_odom = self.recording.round * self.odom_from_first_odom;
        }
        event
    }

    fn carried_on(&self, what: What) -> What {
        match what {
            What::Motion(Motion::Pose(odom_from_ego)) => {
                What::Motion(Motion::Pose(self.odom_from_first_odom * odom_from_ego))
            }
            What::Motion(Motion::Rates { .. }) | What::Image { .. } => what,
        }
    }
}
