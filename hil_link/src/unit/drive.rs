//! One drive in the unit: events in, protected frames out.

use bevrt_hil::replay::WaitingImages;
use bevrt_runtime::{FrameError, OutputFrame, Pipeline, Span, Stage, Stamp, StepOutcome};
use bevrt_transport::{
    FrameSender, HealthMessage, HealthSender, PROTECTED_FRAME_BYTES, PROTECTED_HEALTH_BYTES,
};
use zerocopy::IntoBytes;
use zerocopy::little_endian::I64;

use super::UnitOptions;
use crate::clock::LinkClock;
use crate::image_times::{ImageTime, ImageTimes};
use crate::message::{self, Body, ClockBody, DoneBody, FrameHead, Kind};
use crate::wire::Received;

/// As in a replay: after the last event the clock goes on for this long.
const FLUSH: Span = Span::from_milliseconds(100);

/// How the drive's time goes.
enum Time {
    /// From event to event; each is answered before the next is taken.
    Lockstep {
        next: u64,
        /// The answer to the last event, should it get lost.
        answer: Vec<Vec<u8>>,
    },
    /// With the clock that the bench has told. Images wait, with their arrivals, until the pipeline
    /// is free.
    Real {
        clock: Option<ClockBody>,
        waiting: WaitingImages<(Stamp, Received)>,
    },
}

/// One drive.
pub(super) struct UnitDrive {
    number: u64,
    time: Time,
    pipeline: Pipeline,
    frames: FrameSender,
    healths: HealthSender,
    images: ImageTimes,
    out: Box<OutputFrame>,
    last_now: Option<Stamp>,
    has_ended: bool,
    /// Number of the last event in real time.
    last_event: u64,
    counts: Counts,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    frames: u64,
    events: u64,
    refused_images: u64,
    refused_motion: u64,
    dropped_sets: u64,
}

impl UnitDrive {
    pub(super) fn new(
        number: u64,
        is_lockstep: bool,
        pipeline: Pipeline,
        options: &UnitOptions,
    ) -> Self {
        Self {
            number,
            time: if is_lockstep {
                Time::Lockstep {
                    next: 0,
                    answer: Vec::new(),
                }
            } else {
                Time::Real {
                    clock: None,
                    waiting: WaitingImages::new(pipeline.rig().cameras().len()),
                }
            },
            pipeline,
            frames: FrameSender::new(options.frame_id),
            healths: HealthSender::new(options.health_id),
            images: ImageTimes::default(),
            out: OutputFrame::boxed(),
            last_now: None,
            has_ended: false,
            last_event: 0,
            counts: Counts::default(),
        }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Whether its time goes on by itself.
    pub(super) fn has_ticks(&self) -> bool {
        !self.has_ended && matches!(self.time, Time::Real { clock: Some(_), .. })
    }

    /// Whether it has more to do at once.
    pub(super) fn has_waiting_images(&self) -> bool {
        matches!(&self.time, Time::Real { waiting, .. } if !waiting.is_empty())
    }

    /// Takes a message of the bench and adds what is to be answered; an error is a refusal.
    pub(super) fn take(
        &mut self,
        received: Received,
        answers: &mut Vec<Vec<u8>>,
    ) -> Result<(), String> {
        let Some((header, body)) = message::read(&received.bytes) else {
            return Ok(());
        };
        let sequence = header.sequence.get();
        match &mut self.time {
            Time::Real { clock, .. } => {
                if let Body::Clock(told) = body {
                    *clock = Some(*told);
                    return Ok(());
                }
                self.in_real_time(sequence, received, answers)
            }
            Time::Lockstep { next, answer } => {
                if sequence.checked_add(1) == Some(*next) {
                    answers.extend(answer.iter().cloned());
                    return Ok(());
                }
                if sequence != *next {
                    return Ok(());
                }
                *next += 1;
                self.in_lockstep(sequence, body, received.at_ns, answers)?;
                if let Time::Lockstep { answer, .. } = &mut self.time {
                    answer.clone_from(answers);
                }
                Ok(())
            }
        }
    }

    fn in_lockstep(
        &mut self,
        sequence: u64,
        body: Body<'_>,
        at_ns: i64,
        answers: &mut Vec<Vec<u8>>,
    ) -> Result<(), String> {
        let now = if matches!(body, Body::End) {
            self.has_ended = true;
            self.last_now.map(|last| last + FLUSH)
        } else {
            let arrival = arrival_of(&body);
            if let Some(arrival) = arrival {
                self.counts.events += 1;
                self.push(&body, arrival, at_ns)?;
            }
            arrival
        };
        let before = self.counts.frames;
        if let Some(now) = now {
            self.last_now = Some(now);
            self.step(now, sequence, answers)?;
        }
        answers.push(self.done(sequence, self.counts.frames - before));
        Ok(())
    }

    fn in_real_time(
        &mut self,
        sequence: u64,
        received: Received,
        answers: &mut Vec<Vec<u8>>,
    ) -> Result<(), String> {
        let Some((_, body)) = message::read(&received.bytes) else {
            return Ok(());
        };
        if matches!(body, Body::End) {
            if !self.has_ended {
                while self.has_waiting_images() {
                    self.step_now(answers)?;
                }
                self.has_ended = true;
                if let Some(now) = self.now() {
                    self.step(now + FLUSH, sequence, answers)?;
                }
            }
            answers.push(self.done(sequence, 0));
            return Ok(());
        }
        let Some(arrival) = self.drive_time(received.at_ns) else {
            return Ok(());
        };
        if self.has_ended || arrival_of(&body).is_none() {
            return Ok(());
        }
        self.last_event = self.last_event.max(sequence);
        self.counts.events += 1;
        if let (Body::Image(head, _), Time::Real { waiting, .. }) = (&body, &mut self.time) {
            let (camera, stamp) = (head.camera.get() as usize, message::stamp(head.stamp_ns));
            waiting.add(camera, stamp, (arrival, received));
            return Ok(());
        }
        self.push(&body, arrival, received.at_ns)
    }

    /// Gives the newest images that wait to the pipeline and steps a drive in real time to now.
    pub(super) fn step_now(&mut self, answers: &mut Vec<Vec<u8>>) -> Result<(), String> {
        if let Time::Real { waiting, .. } = &mut self.time {
            let taken = waiting.take_newest();
            self.counts.dropped_sets += taken.dropped_sets;
            for (arrival, received) in taken.images {
                if let Some((_, body)) = message::read(&received.bytes) {
                    self.push(&body, arrival, received.at_ns)?;
                }
            }
        }
        match self.now() {
            Some(now) => self.step(now, self.last_event, answers),
            None => Ok(()),
        }
    }

    /// The drive's clock, which never goes back however the knowledge of the offset changes.
    fn now(&mut self) -> Option<Stamp> {
        let now = self.drive_time(LinkClock::now_ns())?;
        let now = self.last_now.map_or(now, |last| last.max(now));
        self.last_now = Some(now);
        Some(now)
    }

    /// What the drive's clock showed at an instant of ours.
    fn drive_time(&self, at_ns: i64) -> Option<Stamp> {
        match &self.time {
            Time::Real {
                clock: Some(clock), ..
            } => {
                let since_ns = at_ns.saturating_sub(clock.unit_ns.get()) as f64;
                let since = Span::from_seconds(since_ns * 1e-9 * clock.speed.get());
                message::stamp(clock.drive_ns).checked_add(since)
            }
            Time::Real { clock: None, .. } | Time::Lockstep { .. } => None,
        }
    }

    /// Gives an event to the pipeline. What it refuses is counted; what it cannot take at all is an
    /// error.
    fn push(&mut self, body: &Body<'_>, arrival: Stamp, at_ns: i64) -> Result<(), String> {
        match body {
            Body::Image(head, bytes) => {
                let camera = head.camera.get() as usize;
                let image = head
                    .view(bytes)
                    .ok_or("expected a known pixel format, found another number")?
                    .map_err(|error| format!("image of camera {camera}: {error}"))?;
                let stamp = message::stamp(head.stamp_ns);
                self.images.add(ImageTime {
                    camera,
                    stamp_ns: stamp.nanoseconds(),
                    due_ns: at_ns,
                    at_ns,
                });
                match self.pipeline.push_image(camera, &image, stamp, arrival) {
                    Ok(()) => {}
                    Err(FrameError::Refused(_)) => self.counts.refused_images += 1,
                    Err(error) => return Err(error.to_string()),
                }
            }
            Body::Rates(rates) => {
                let (speed, yaw_rate) = (rates.speed_mps.get(), rates.yaw_rate_radps.get());
                let stamp = message::stamp(rates.stamp_ns);
                let pushed = self.pipeline.push_rates(stamp, speed, yaw_rate);
                self.counts.refused_motion += u64::from(pushed.is_err());
            }
            Body::Pose(body) => {
                let is_refused = body.pose().is_none_or(|pose| {
                    let stamp = message::stamp(body.stamp_ns);
                    self.pipeline.push_pose(stamp, &pose).is_err()
                });
                self.counts.refused_motion += u64::from(is_refused);
            }
            _ => {}
        }
        Ok(())
    }

    fn step(
        &mut self,
        now: Stamp,
        sequence: u64,
        answers: &mut Vec<Vec<u8>>,
    ) -> Result<(), String> {
        let mut index = 0;
        while self
            .pipeline
            .step(now, &mut self.out)
            .map_err(|error| error.to_string())?
            == StepOutcome::Frame
        {
            self.counts.frames += 1;
            self.answer(sequence, index, answers)?;
            index += 1;
        }
        Ok(())
    }

    /// The frame, its health and its measured times.
    fn answer(
        &mut self,
        sequence: u64,
        index: u32,
        answers: &mut Vec<Vec<u8>>,
    ) -> Result<(), String> {
        let received_ns = self.images.last_of(&self.out).map_or(0, |last| last.at_ns);
        let head = FrameHead::new(received_ns, LinkClock::now_ns(), index);
        let mut frame = vec![0; PROTECTED_FRAME_BYTES];
        let mut health = [0; PROTECTED_HEALTH_BYTES];
        self.frames
            .protect_into(&self.out, &mut frame)
            .map_err(|error| error.to_string())?;
        self.healths
            .protect_into(&HealthMessage::of(&self.out), &mut health)
            .map_err(|error| error.to_string())?;
        let last = self.pipeline.stats().last();
        let times = Stage::ALL.map(|stage| I64::new(last.get(stage).nanoseconds()));
        for (kind, payload) in [
            (Kind::Frame, frame.as_slice()),
            (Kind::Health, health.as_slice()),
            (Kind::Times, times.as_bytes()),
        ] {
            let parts = [head.as_bytes(), payload];
            answers.push(message::write(kind, self.number, sequence, &parts));
        }
        Ok(())
    }

    fn done(&self, sequence: u64, frames_now: u64) -> Vec<u8> {
        let Counts {
            frames,
            events,
            refused_images,
            refused_motion,
            dropped_sets,
        } = self.counts;
        let body = DoneBody {
            frames_now: frames_now.into(),
            frames: frames.into(),
            events: events.into(),
            refused_images: refused_images.into(),
            refused_motion: refused_motion.into(),
            dropped_sets: dropped_sets.into(),
        };
        message::write(Kind::Done, self.number, sequence, &[body.as_bytes()])
    }
}

/// When an event came, as the bench says it; `None` for what is no event.
fn arrival_of(body: &Body<'_>) -> Option<Stamp> {
    match body {
        Body::Image(head, _) => Some(message::stamp(head.arrival_ns)),
        Body::Rates(rates) => Some(message::stamp(rates.arrival_ns)),
        Body::Pose(pose) => Some(message::stamp(pose.arrival_ns)),
        _ => None,
    }
}
