//! E2E checks and latencies of what comes back.

use bevrt_runtime::{LatencyHistogram, OutputFrame};
use bevrt_transport::{ChannelState, FrameReceiver, HealthReceiver, MessageState, ReceiverSpec};

use super::summary::{BenchSummary, E2eCounts, LatencySummary};
use super::{BenchOptions, Mode};
use crate::clock::ClockOffset;
use crate::error::LinkError;
use crate::image_times::{ImageTime, ImageTimes};
use crate::message::{DoneBody, FrameHead};

/// What is known of what was sent, and what was found in what came back.
pub(super) struct Checks {
    frames: FrameReceiver,
    healths: HealthReceiver,
    /// Images as they were due and sent, on the bench's clock.
    images: ImageTimes,
    is_paced: bool,
    deadline_ns: Option<i64>,
    from_sent: LatencyHistogram,
    from_due: LatencyHistogram,
    way_there: LatencyHistogram,
    in_unit: LatencyHistogram,
    way_back: LatencyHistogram,
    pub(super) found: BenchSummary,
}

impl Checks {
    pub(super) fn new(options: &BenchOptions) -> Self {
        let spec = ReceiverSpec::default();
        Self {
            frames: FrameReceiver::new(options.frame_id, spec).expect("the default is right"),
            healths: HealthReceiver::new(options.health_id, spec).expect("the default is right"),
            images: ImageTimes::default(),
            is_paced: options.mode != Mode::Lockstep,
            deadline_ns: options
                .deadline
                .map(|deadline| i64::try_from(deadline.as_nanos()).unwrap_or(i64::MAX)),
            from_sent: LatencyHistogram::new(),
            from_due: LatencyHistogram::new(),
            way_there: LatencyHistogram::new(),
            in_unit: LatencyHistogram::new(),
            way_back: LatencyHistogram::new(),
            found: BenchSummary {
                deadline_ms: options
                    .deadline
                    .map(|deadline| 1e3 * deadline.as_secs_f64()),
                ..BenchSummary::default()
            },
        }
    }

    pub(super) fn count_unreadable(&mut self) {
        self.found.unreadable += 1;
    }

    pub(super) fn image_sent(&mut self, image: ImageTime) {
        self.images.add(image);
    }

    /// The unit was started anew: its counters begin at zero.
    pub(super) fn unit_restarted(&mut self) {
        self.found.unit_restarts += 1;
        self.frames.reset();
        self.healths.reset();
    }

    /// Checks a frame that came at `at_ns`; gives it when it is intact and new.
    pub(super) fn frame<'a>(
        &'a mut self,
        head: &FrameHead,
        message: &'a [u8],
        at_ns: i64,
        offset_ns: i64,
    ) -> Result<Option<&'a OutputFrame>, LinkError> {
        let before = self.frames.channel_state();
        let received = self.frames.check(Some(message))?;
        self.found.frame_e2e.count(received.message);
        note(&mut self.found.frame_e2e, before, received.channel);
        let is_new = matches!(
            received.message,
            MessageState::Ok | MessageState::OkSomeLost
        );
        let Some(frame) = received.frame.filter(|_| is_new) else {
            return Ok(None);
        };
        self.found.frames += 1;
        self.found.frames_usable += u64::from(received.channel == ChannelState::Valid);
        if let Some(image) = self.images.last_of(frame) {
            let from_sent_ns = at_ns - image.at_ns;
            record(&mut self.from_sent, from_sent_ns);
            let latency_ns = if self.is_paced {
                record(&mut self.from_due, at_ns - image.due_ns);
                at_ns - image.due_ns
            } else {
                from_sent_ns
            };
            let is_late = self.deadline_ns.is_some_and(|most| latency_ns > most);
            self.found.deadline_misses += u64::from(is_late);
            let (received_ns, done_ns) = (head.received_ns.get(), head.done_ns.get());
            if received_ns != 0 {
                record(&mut self.way_there, received_ns - offset_ns - image.at_ns);
                record(&mut self.in_unit, done_ns - received_ns);
                record(&mut self.way_back, at_ns - (done_ns - offset_ns));
            }
        }
        Ok(Some(frame))
    }

    /// Checks a health message.
    pub(super) fn health(&mut self, message: &[u8]) {
        let before = self.healths.channel_state();
        match self.healths.check(Some(message)) {
            Ok(received) => {
                self.found.health_e2e.count(received.message);
                note(&mut self.found.health_e2e, before, received.channel);
            }
            // Intact, and of another version: nothing that a receiver can use.
            Err(_version) => self.found.health_e2e.error += 1,
        }
    }

    /// Notes that neither frame nor health came for longer than a cycle.
    pub(super) fn silence(&mut self) -> Result<(), LinkError> {
        let before = self.frames.channel_state();
        let received = self.frames.check(None)?;
        self.found.frame_e2e.count(received.message);
        note(&mut self.found.frame_e2e, before, received.channel);
        let before = self.healths.channel_state();
        if let Ok(received) = self.healths.check(None) {
            self.found.health_e2e.count(received.message);
            note(&mut self.found.health_e2e, before, received.channel);
        }
        Ok(())
    }

    /// What the unit says of the drive so far.
    pub(super) fn done(&mut self, done: &DoneBody) {
        self.found.events_taken = Some(done.events.get());
        self.found.frames_made = Some(done.frames.get());
        self.found.refused_images = Some(done.refused_images.get());
        self.found.refused_motion = Some(done.refused_motion.get());
        self.found.dropped_sets = Some(done.dropped_sets.get());
    }

    pub(super) fn summary(&self, offset: Option<ClockOffset>) -> BenchSummary {
        let mut summary = self.found.clone();
        summary.frame_e2e.is_valid = self.frames.channel_state() == ChannelState::Valid;
        summary.health_e2e.is_valid = self.healths.channel_state() == ChannelState::Valid;
        summary.from_sent = LatencySummary::of(&self.from_sent);
        summary.from_due = LatencySummary::of(&self.from_due);
        summary.way_there = LatencySummary::of(&self.way_there);
        summary.in_unit = LatencySummary::of(&self.in_unit);
        summary.way_back = LatencySummary::of(&self.way_back);
        if let Some(offset) = offset {
            summary.clock_offset_ns = offset.offset_ns;
            summary.clock_error_ns = offset.error_ns;
        }
        summary
    }
}

fn note(counts: &mut E2eCounts, before: ChannelState, after: ChannelState) {
    let became_invalid = before != ChannelState::Invalid && after == ChannelState::Invalid;
    counts.became_invalid += u64::from(became_invalid);
}

/// Counts a time; one below zero is within the error of the clocks.
fn record(times: &mut LatencyHistogram, nanoseconds: i64) {
    times.record(u64::try_from(nanoseconds).unwrap_or(0));
}
