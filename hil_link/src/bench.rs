//! The bench: sends a drive to a unit and judges what comes back.

mod checks;
mod lockstep;
mod paced;
mod summary;

use std::error::Error;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use bevrt_hil::source::{DriveEvent, DriveSource, SourceError};
use bevrt_runtime::{EgoMotionSource, OutputFrame, Stage, Stamp};

use crate::clock::{ClockSync, LinkClock};
use crate::error::LinkError;
use crate::message::{self, Body, Header, Kind};
use crate::unit::draw_number;
use crate::wire::Wire;
use checks::Checks;

pub use summary::{BenchSummary, E2eCounts, LatencySummary};

/// Events that are read ahead.
const READ_AHEAD: usize = 128;
/// Exchanges that find the clock offset before the drive begins.
const EXCHANGES: usize = 12;
/// An answer to a ping is awaited for so long.
const PONG_WAIT: Duration = Duration::from_millis(250);

/// How the drive's time goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// The next event is sent when the last one is answered; what is lost is sent again.
    Lockstep,
    /// Every event is sent when its time has come, at so many times real time; what is lost is lost.
    Paced(f64),
}

/// What a bench asks for.
#[derive(Clone, Copy, Debug)]
pub struct BenchOptions {
    /// How the drive's time goes.
    pub mode: Mode,
    /// Gives up when the unit has been silent for so long, while it loads its network, too.
    pub silence: Duration,
    /// What was not answered is sent again after this time.
    pub resend: Duration,
    /// In real time: from one frame to the next, in the time of the drive. One and a half of it
    /// without a frame counts as silence in the E2E checks.
    pub cycle: Duration,
    /// Longest time from the moment at which a frame's last image is due until the frame is here.
    pub deadline: Option<Duration>,
    /// E2E data id of frames.
    pub frame_id: u32,
    /// E2E data id of health.
    pub health_id: u32,
}

impl Default for BenchOptions {
    /// Real time, frames at 10 Hz, no deadline.
    fn default() -> Self {
        Self {
            mode: Mode::Paced(1.0),
            silence: Duration::from_secs(30),
            resend: Duration::from_millis(500),
            cycle: Duration::from_millis(100),
            deadline: None,
            frame_id: 0x0B5E_0001,
            health_id: 0x0B5E_0002,
        }
    }
}

/// Measured times of a frame in the unit, by stage.
pub type StageNanoseconds = [(Stage, i64); Stage::ALL.len()];

/// An error of a visitor.
type VisitorError = Box<dyn Error + Send + Sync>;

/// What is done with a drive as it runs.
pub trait BenchVisitor {
    /// Sees each event when it is sent, images excepted.
    ///
    /// # Errors
    /// Ends the drive.
    fn motion(&mut self, event: &DriveEvent<'_>) -> Result<(), VisitorError> {
        let _ = event;
        Ok(())
    }

    /// Sees each frame that is intact and new.
    ///
    /// # Errors
    /// Ends the drive.
    fn frame(&mut self, frame: &OutputFrame) -> Result<(), VisitorError> {
        let _ = frame;
        Ok(())
    }

    /// Sees the measured times of each frame; in real time they may be lost.
    ///
    /// # Errors
    /// Ends the drive.
    fn times(&mut self, times: &StageNanoseconds) -> Result<(), VisitorError> {
        let _ = times;
        Ok(())
    }

    /// Is told how far the drive is.
    fn progress(&mut self, arrival: Stamp) {
        let _ = arrival;
    }
}

/// Nothing is done with it.
impl BenchVisitor for () {}

/// Sends a drive to the unit at the other end of the wire and judges what comes back.
///
/// # Errors
/// The unit is silent or refuses, the drive cannot be read, the wire is closed, the visitor gives
/// up. In lockstep also when the unit is started anew: the drive must then begin anew.
pub fn drive(
    wire: &dyn Wire,
    source: &mut (dyn DriveSource + Send),
    options: &BenchOptions,
    visitor: &mut dyn BenchVisitor,
) -> Result<BenchSummary, LinkError> {
    let number = draw_number();
    let mut bench = Bench {
        wire,
        options,
        number,
        rig: source.rig().to_toml(),
        ego_motion: source.ego_motion(),
        unit: None,
        sync: ClockSync::default(),
        checks: Checks::new(options),
        pings: 0,
    };
    let rig = source.rig().clone();
    bench.greet()?;
    bench.synchronise()?;
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(READ_AHEAD);
        scope.spawn(move || {
            let mut sequence = 0;
            loop {
                let event = match source.next_event() {
                    Ok(None) => return,
                    Ok(Some(event)) => match Outgoing::of(number, sequence, &event) {
                        Some(event) => Ok(event),
                        None => continue,
                    },
                    Err(error) => Err(error),
                };
                sequence += 1;
                let is_last = event.is_err();
                // Nobody listens any more when the drive has ended early.
                if sender.send(event).is_err() || is_last {
                    return;
                }
            }
        });
        match options.mode {
            Mode::Lockstep => lockstep::run(&mut bench, &receiver, visitor),
            Mode::Paced(speed) => paced::run(&mut bench, &rig, &receiver, speed, visitor),
        }
    })?;
    Ok(bench.checks.summary(bench.sync.offset()))
}

/// Events that were read ahead.
type Events = Receiver<Result<Outgoing, SourceError>>;

/// An event on its way to the unit.
struct Outgoing {
    arrival: Stamp,
    /// Camera and stamp, where it is an image.
    image: Option<(usize, Stamp)>,
    /// The event itself, where it is ego motion.
    motion: Option<DriveEvent<'static>>,
    message: Vec<u8>,
}

impl Outgoing {
    fn of(drive: u64, sequence: u64, event: &DriveEvent<'_>) -> Option<Self> {
        let message = message::event(drive, sequence, event)?;
        let (arrival, image, motion) = match *event {
            DriveEvent::Image(image) => (image.arrival, Some((image.camera, image.stamp)), None),
            DriveEvent::VehicleMotion {
                stamp,
                arrival,
                speed_mps,
                yaw_rate_radps,
            } => {
                let motion = DriveEvent::VehicleMotion {
                    stamp,
                    arrival,
                    speed_mps,
                    yaw_rate_radps,
                };
                (arrival, None, Some(motion))
            }
            DriveEvent::Pose {
                stamp,
                arrival,
                odom_from_ego,
            } => {
                let motion = DriveEvent::Pose {
                    stamp,
                    arrival,
                    odom_from_ego,
                };
                (arrival, None, Some(motion))
            }
            DriveEvent::Truth(_) => return None,
        };
        Some(Self {
            arrival,
            image,
            motion,
            message,
        })
    }
}

struct Bench<'a> {
    wire: &'a dyn Wire,
    options: &'a BenchOptions,
    number: u64,
    rig: String,
    ego_motion: EgoMotionSource,
    /// Number of the unit; `None` until it is ready for the drive.
    unit: Option<u64>,
    sync: ClockSync,
    checks: Checks,
    pings: u64,
}

impl Bench<'_> {
    /// Sends a message; gives when.
    fn send(&self, message: &mut [u8]) -> Result<i64, LinkError> {
        let now_ns = LinkClock::now_ns();
        message::seal(message, self.unit.unwrap_or(0), now_ns);
        self.wire.send(message)?;
        Ok(now_ns)
    }

    fn say_hello(&self) -> Result<(), LinkError> {
        let is_lockstep = self.options.mode == Mode::Lockstep;
        let mut hello = message::hello(self.number, is_lockstep, self.ego_motion, &self.rig);
        self.send(&mut hello).map(|_| ())
    }

    fn ping(&mut self) -> Result<(), LinkError> {
        self.pings += 1;
        let mut ping = message::write(Kind::Ping, self.number, self.pings, &[]);
        self.send(&mut ping).map(|_| ())
    }

    /// Asks until the unit is ready for the drive.
    fn greet(&mut self) -> Result<(), LinkError> {
        let begin = Instant::now();
        while begin.elapsed() < self.options.silence {
            self.say_hello()?;
            let asked = Instant::now();
            while let Some(left) = self.options.resend.checked_sub(asked.elapsed()) {
                let Some(received) = self.wire.receive(left)? else {
                    break;
                };
                if let Some((header, body)) = self.read(&received.bytes) {
                    match body {
                        Body::Ready => {
                            self.unit = Some(header.unit.get());
                            return Ok(());
                        }
                        Body::Refused(why) => return Err(LinkError::Refused(why.to_owned())),
                        _ => {}
                    }
                }
            }
        }
        Err(LinkError::Silent {
            awaited: "a unit that is ready",
            waited: self.options.silence,
        })
    }

    /// Finds the offset between the clocks.
    fn synchronise(&mut self) -> Result<(), LinkError> {
        let begin = Instant::now();
        while self.sync.exchanges() < EXCHANGES {
            if begin.elapsed() > self.options.silence {
                return Err(LinkError::Silent {
                    awaited: "answers to pings",
                    waited: self.options.silence,
                });
            }
            let before = self.sync.exchanges();
            self.ping()?;
            let asked = Instant::now();
            while let Some(left) = PONG_WAIT.checked_sub(asked.elapsed()) {
                let Some(received) = self.wire.receive(left)? else {
                    break;
                };
                if let Some((header, Body::Pong(pong))) = self.read(&received.bytes) {
                    let stamps = [pong.ping_sent_ns, pong.ping_received_ns, header.sent_ns];
                    let [sent, came, answered] = stamps.map(|stamp| stamp.get());
                    self.sync.add(sent, came, answered, received.at_ns);
                }
                if self.sync.exchanges() > before {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Reads a message of this drive; others are left over from before, or none.
    fn read<'m>(&mut self, message: &'m [u8]) -> Option<(&'m Header, Body<'m>)> {
        let Some((header, body)) = message::read(message) else {
            self.checks.count_unreadable();
            return None;
        };
        (header.drive.get() == self.number).then_some((header, body))
    }

    /// The offset of the unit's clock; zero before it is known, which is before the drive begins.
    fn offset_ns(&self) -> i64 {
        self.sync.offset().map_or(0, |offset| offset.offset_ns)
    }
}
