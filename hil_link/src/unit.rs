//! The unit under test: takes drives from a wire, runs the pipeline, answers with protected frames.

mod drive;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bevrt_calibration::Rig;
use bevrt_runtime::{EgoMotionSource, Pipeline};
use zerocopy::IntoBytes;

use crate::clock::LinkClock;
use crate::error::LinkError;
use crate::message::{self, Body, Kind, PongBody};
use crate::wire::{Received, Wire};
use drive::UnitDrive;

/// While a drive in real time runs, its clock goes on in steps of this length.
const TICK: Duration = Duration::from_millis(5);
/// Wait for messages while no drive runs.
const LONG_WAIT: Duration = Duration::from_millis(100);
/// After the last drive the unit answers for so long, should the bench ask again.
const LINGER: Duration = Duration::from_secs(1);
/// Drives whose late messages are recognised.
const PAST_DRIVES: usize = 32;
/// A bench whose drive is not known is told so no more often than this.
const UNKNOWN_EVERY_NS: i64 = 50_000_000;

/// Makes the pipeline of a drive; says why it cannot.
pub type LoadPipeline<'a> = dyn FnMut(Rig, EgoMotionSource) -> Result<Pipeline, String> + 'a;

/// When a unit ends, and how its messages are numbered.
#[derive(Clone, Copy, Debug)]
pub struct UnitOptions {
    /// Ends when no message has come for so long.
    pub idle: Duration,
    /// Ends after so many drives; `None` for no limit.
    pub drives: Option<u64>,
    /// E2E data id of frames.
    pub frame_id: u32,
    /// E2E data id of health.
    pub health_id: u32,
}

impl Default for UnitOptions {
    /// Ends after a minute of silence, with the data ids that the transport's README uses.
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(60),
            drives: None,
            frame_id: 0x0B5E_0001,
            health_id: 0x0B5E_0002,
        }
    }
}

/// What a unit did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnitSummary {
    /// Drives that were begun.
    pub begun: u64,
    /// Drives that came to their end.
    pub ended: u64,
    /// Frames of all drives.
    pub frames: u64,
    /// Messages that could not be read.
    pub unreadable: u64,
}

/// Takes drives until there have been enough or nobody asks any more.
///
/// # Errors
/// The wire is closed.
pub fn serve(
    wire: &dyn Wire,
    load: &mut LoadPipeline<'_>,
    options: &UnitOptions,
) -> Result<UnitSummary, LinkError> {
    let mut unit = Unit {
        wire,
        options,
        number: draw_number(),
        drive: None,
        past: VecDeque::new(),
        last_unknown_ns: i64::MIN,
        summary: UnitSummary::default(),
    };
    let mut heard = Instant::now();
    loop {
        let mut received = wire.receive(unit.wait())?;
        while let Some(message) = received {
            heard = Instant::now();
            unit.take(message, load)?;
            // In real time, what came meanwhile is taken in before the pipeline works.
            received = wire.receive(Duration::ZERO)?;
        }
        unit.tick()?;
        let is_enough = options
            .drives
            .is_some_and(|most| unit.summary.ended >= most);
        if heard.elapsed() > if is_enough { LINGER } else { options.idle } {
            return Ok(unit.summary);
        }
    }
}

struct Unit<'a> {
    wire: &'a dyn Wire,
    options: &'a UnitOptions,
    number: u64,
    drive: Option<UnitDrive>,
    past: VecDeque<u64>,
    last_unknown_ns: i64,
    summary: UnitSummary,
}

impl Unit<'_> {
    fn wait(&self) -> Duration {
        match &self.drive {
            Some(drive) if drive.has_waiting_images() => Duration::ZERO,
            Some(drive) if drive.has_ticks() => TICK,
            _ => LONG_WAIT,
        }
    }

    fn send(&self, mut message: Vec<u8>) -> Result<(), LinkError> {
        message::seal(&mut message, self.number, LinkClock::now_ns());
        Ok(self.wire.send(&message)?)
    }

    fn take(&mut self, received: Received, load: &mut LoadPipeline<'_>) -> Result<(), LinkError> {
        let Some((header, body)) = message::read(&received.bytes) else {
            self.summary.unreadable += 1;
            return Ok(());
        };
        let drive = header.drive.get();
        match body {
            Body::Ping => {
                let pong = PongBody {
                    ping_sent_ns: header.sent_ns,
                    ping_received_ns: received.at_ns.into(),
                };
                let sequence = header.sequence.get();
                self.send(message::write(
                    Kind::Pong,
                    drive,
                    sequence,
                    &[pong.as_bytes()],
                ))
            }
            Body::Hello {
                is_lockstep,
                ego_motion,
                rig,
            } => self.begin(drive, is_lockstep, ego_motion, rig, load),
            _ => self.event(drive, received),
        }
    }

    /// Begins a drive, unless it runs already or is an old one.
    fn begin(
        &mut self,
        number: u64,
        is_lockstep: bool,
        ego_motion: EgoMotionSource,
        rig: &str,
        load: &mut LoadPipeline<'_>,
    ) -> Result<(), LinkError> {
        if self
            .drive
            .as_ref()
            .is_none_or(|drive| drive.number() != number)
        {
            if self.past.contains(&number) {
                return Ok(());
            }
            let pipeline = Rig::from_toml_str(rig)
                .map_err(|error| error.to_string())
                .and_then(|rig| load(rig, ego_motion));
            match pipeline {
                Ok(pipeline) => {
                    if self.past.len() == PAST_DRIVES {
                        self.past.pop_front();
                    }
                    self.past.push_back(number);
                    self.drive = Some(UnitDrive::new(number, is_lockstep, pipeline, self.options));
                    self.summary.begun += 1;
                }
                Err(why) => {
                    return self.send(message::write(Kind::Refused, number, 0, &[why.as_bytes()]));
                }
            }
        }
        self.send(message::write(Kind::Ready, number, 0, &[]))
    }

    /// Hands a message of a drive on.
    fn event(&mut self, number: u64, received: Received) -> Result<(), LinkError> {
        let Some(drive) = self.drive.as_mut().filter(|drive| drive.number() == number) else {
            if self.past.contains(&number)
                || received.at_ns < self.last_unknown_ns.saturating_add(UNKNOWN_EVERY_NS)
            {
                return Ok(());
            }
            self.last_unknown_ns = received.at_ns;
            return self.send(message::write(Kind::Unknown, number, 0, &[]));
        };
        let had_ended = drive.has_ended();
        let mut answers = Vec::new();
        match drive.take(received, &mut answers) {
            Ok(()) => {}
            Err(why) => answers.push(message::write(Kind::Refused, number, 0, &[why.as_bytes()])),
        }
        self.summary.ended += u64::from(!had_ended && drive.has_ended());
        self.answer(answers)
    }

    /// Lets the clock of a drive in real time go on.
    fn tick(&mut self) -> Result<(), LinkError> {
        let Some(drive) = self.drive.as_mut().filter(|drive| drive.has_ticks()) else {
            return Ok(());
        };
        let mut answers = Vec::new();
        if let Err(why) = drive.step_now(&mut answers) {
            let number = drive.number();
            answers.push(message::write(Kind::Refused, number, 0, &[why.as_bytes()]));
        }
        self.answer(answers)
    }

    fn answer(&mut self, answers: Vec<Vec<u8>>) -> Result<(), LinkError> {
        for answer in answers {
            if let Some((_, Body::Frame(..))) = message::read(&answer) {
                self.summary.frames += 1;
            }
            self.send(answer)?;
        }
        Ok(())
    }
}

/// A number that no other process has drawn.
pub(crate) fn draw_number() -> u64 {
    // Without the system's random numbers, the time of the start is nearly as good.
    getrandom::u64().unwrap_or_else(|_| {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(1, |since| since.as_nanos() as u64)
    }) | 1
}
