//! What a bench has found.

use bevrt_runtime::LatencyHistogram;
use bevrt_transport::MessageState;
use serde::Serialize;

/// Messages of one channel by what the E2E check said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct E2eCounts {
    /// Intact, the next one.
    pub ok: u64,
    /// Intact, some before it were lost.
    pub some_lost: u64,
    /// Intact, as the last one.
    pub repeated: u64,
    /// Intact, and out of order.
    pub wrong_sequence: u64,
    /// Damaged or of somebody else.
    pub error: u64,
    /// Checks without a message.
    pub silent: u64,
    /// Times that the channel became invalid.
    pub became_invalid: u64,
    /// Whether the channel is valid at the end.
    pub is_valid: bool,
}

impl E2eCounts {
    pub(super) fn count(&mut self, message: MessageState) {
        match message {
            MessageState::Ok => self.ok += 1,
            MessageState::OkSomeLost => self.some_lost += 1,
            MessageState::Repeated => self.repeated += 1,
            MessageState::WrongSequence => self.wrong_sequence += 1,
            MessageState::Error => self.error += 1,
            MessageState::NoNewData => self.silent += 1,
        }
    }
}

/// A distribution of times, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LatencySummary {
    /// Times that were measured.
    pub count: u64,
    /// Median.
    pub p50_ms: f64,
    /// 90 of 100 are not longer.
    pub p90_ms: f64,
    /// 99 of 100 are not longer.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

impl LatencySummary {
    pub(super) fn of(times: &LatencyHistogram) -> Self {
        let at = |fraction| 1e3 * times.percentile(fraction).seconds();
        Self {
            count: times.count(),
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            max_ms: 1e3 * times.max().seconds(),
        }
    }
}

/// What a bench has found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BenchSummary {
    /// Events sent, images and ego motion.
    pub events_sent: u64,
    /// Events that were due while no unit was ready.
    pub events_unsent: u64,
    /// Events that the unit took, where it said so at the end.
    pub events_taken: Option<u64>,
    /// Frames that the unit made, where it said so at the end; after a restart, since then.
    pub frames_made: Option<u64>,
    /// Frames that came intact and new.
    pub frames: u64,
    /// Of these, frames that a receiver may use: the channel was valid.
    pub frames_usable: u64,
    /// Images that the unit's pipeline refused, where it said so.
    pub refused_images: Option<u64>,
    /// Samples of ego motion that it refused, where it said so.
    pub refused_motion: Option<u64>,
    /// Sets of images that gave way to a newer one, as the unit was at work, where it said so.
    pub dropped_sets: Option<u64>,
    /// Messages that were sent again.
    pub sent_again: u64,
    /// Times that the unit was started anew during the drive.
    pub unit_restarts: u64,
    /// Messages that could not be read.
    pub unreadable: u64,
    /// E2E checks of frames.
    pub frame_e2e: E2eCounts,
    /// E2E checks of health.
    pub health_e2e: E2eCounts,
    /// From the sending of a frame's last image until the frame is here.
    pub from_sent: LatencySummary,
    /// From when that image was due. In lockstep nothing is due, and this is empty.
    pub from_due: LatencySummary,
    /// Of `from_sent`: until the unit has the image, by the synchronised clocks.
    pub way_there: LatencySummary,
    /// Of `from_sent`: until the unit has the frame.
    pub in_unit: LatencySummary,
    /// Of `from_sent`: until the frame is here, by the synchronised clocks.
    pub way_back: LatencySummary,
    /// How far the unit's clock is ahead.
    pub clock_offset_ns: i64,
    /// The offset, and so each way, is wrong by no more than this.
    pub clock_error_ns: i64,
    /// The deadline that was asked for.
    pub deadline_ms: Option<f64>,
    /// Frames that came after it.
    pub deadline_misses: u64,
}

impl BenchSummary {
    /// Why this drive counts as failed; empty when it does not.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.frames == 0 {
            problems.push("expected output frames, found none".to_owned());
        }
        for (name, counts) in [("frames", &self.frame_e2e), ("health", &self.health_e2e)] {
            if counts.error > 0 {
                problems.push(format!(
                    "{name}: expected no E2E error, found {} of {} messages",
                    counts.error,
                    counts.error + counts.ok + counts.some_lost
                ));
            }
        }
        if self.frames > 3 && !self.frame_e2e.is_valid {
            problems.push(format!(
                "frames: expected a channel that is valid at the end, found {} frames of which {} \
                 were usable",
                self.frames, self.frames_usable
            ));
        }
        if let (Some(deadline_ms), true) = (self.deadline_ms, self.deadline_misses > 0) {
            problems.push(format!(
                "expected every frame within {deadline_ms} ms, found {} later, the last one by {:.1} ms",
                self.deadline_misses,
                self.from_due.max_ms.max(self.from_sent.max_ms) - deadline_ms
            ));
        }
        problems
    }
}
