//! A drive in real time: every event is sent when its time has come, and what is lost is lost.

use std::sync::mpsc::TryRecvError;
use std::time::{Duration, Instant};

use bevrt_calibration::Rig;
use bevrt_runtime::Stamp;
use zerocopy::IntoBytes;

use super::lockstep::stage_times;
use super::{Bench, BenchVisitor, Events, Outgoing};
use crate::clock::LinkClock;
use crate::error::LinkError;
use crate::image_times::ImageTime;
use crate::message::{self, Body, ClockBody, Header, Kind};
use crate::wire::Received;

/// The clocks are compared this often during the drive, and the drive's clock is told again.
const SYNC_EVERY: Duration = Duration::from_millis(250);
/// The clock is told so often at the beginning, should a message be lost.
const TOLD_AT_FIRST: usize = 3;
/// No wait is longer, so that silence is noticed.
const LONGEST_WAIT: Duration = Duration::from_millis(10);

/// Sends all events at their times, then the end.
pub(super) fn run(
    bench: &mut Bench<'_>,
    rig: &Rig,
    events: &Events,
    speed: f64,
    visitor: &mut dyn BenchVisitor,
) -> Result<(), LinkError> {
    let cycle = bench.options.cycle.div_f64(speed);
    let now = Instant::now();
    let mut run = Paced {
        cameras: rig.cameras().len(),
        bench,
        visitor,
        speed,
        start: None,
        silence_after: cycle.mul_f64(1.5),
        checked: now,
        heard: now,
        asked: now,
        is_done: false,
    };
    run.drive(events)?;
    run.end()
}

struct Paced<'a, 'b> {
    bench: &'a mut Bench<'b>,
    visitor: &'a mut dyn BenchVisitor,
    cameras: usize,
    speed: f64,
    /// Arrival of the first event, and our clock when it was due.
    start: Option<(Stamp, i64)>,
    silence_after: Duration,
    /// When a frame was last checked, or its absence.
    checked: Instant,
    /// When anything came.
    heard: Instant,
    /// When the unit was last pinged or greeted.
    asked: Instant,
    is_done: bool,
}

impl Paced<'_, '_> {
    fn drive(&mut self, events: &Events) -> Result<(), LinkError> {
        let mut next = None;
        loop {
            if next.is_none() {
                next = match events.try_recv() {
                    Ok(event) => Some(event?),
                    Err(TryRecvError::Empty) => None,
                    Err(TryRecvError::Disconnected) => return Ok(()),
                };
            }
            let due_ns = match &next {
                Some(event) => Some(self.due_ns(event.arrival)?),
                None => None,
            };
            match (due_ns, next.take()) {
                (Some(due_ns), Some(event)) if due_ns <= LinkClock::now_ns() => {
                    self.send_event(event, due_ns)?;
                    self.take_what_came(Duration::ZERO)?;
                }
                (Some(due_ns), event) => {
                    next = event;
                    let left_ns = u64::try_from(due_ns - LinkClock::now_ns()).unwrap_or(0);
                    self.take_what_came(Duration::from_nanos(left_ns).min(LONGEST_WAIT))?;
                }
                (None, _) => self.take_what_came(Duration::from_millis(1))?,
            }
            self.keep_up()?;
        }
    }

    /// When an event is due on our clock; the first one is due at once.
    fn due_ns(&mut self, arrival: Stamp) -> Result<i64, LinkError> {
        if let Some((first, at_ns)) = self.start {
            let since_s = arrival.since(first).seconds() / self.speed;
            return Ok(at_ns + (1e9 * since_s) as i64);
        }
        let now_ns = LinkClock::now_ns();
        self.start = Some((arrival, now_ns));
        for _ in 0..TOLD_AT_FIRST {
            self.tell_clock()?;
        }
        Ok(now_ns)
    }

    /// Tells the unit what the drive's clock shows.
    fn tell_clock(&mut self) -> Result<(), LinkError> {
        let (Some((first, at_ns)), Some(_)) = (self.start, self.bench.sync.offset()) else {
            return Ok(());
        };
        let body = ClockBody {
            unit_ns: (at_ns + self.bench.offset_ns()).into(),
            drive_ns: first.nanoseconds().into(),
            speed: self.speed.into(),
        };
        let mut message = message::write(Kind::Clock, self.bench.number, 0, &[body.as_bytes()]);
        self.bench.send(&mut message).map(|_| ())
    }

    fn send_event(&mut self, mut event: Outgoing, due_ns: i64) -> Result<(), LinkError> {
        self.visitor.progress(event.arrival);
        if let Some(motion) = &event.motion {
            self.visitor.motion(motion).map_err(LinkError::Visitor)?;
        }
        if self.bench.unit.is_none() || self.bench.sync.offset().is_none() {
            self.bench.checks.found.events_unsent += 1;
            return Ok(());
        }
        let sent_ns = self.bench.send(&mut event.message)?;
        self.bench.checks.found.events_sent += 1;
        if let Some((camera, stamp)) = event.image.filter(|(camera, _)| *camera < self.cameras) {
            self.bench.checks.image_sent(ImageTime {
                camera,
                stamp_ns: stamp.nanoseconds(),
                due_ns,
                at_ns: sent_ns,
            });
        }
        Ok(())
    }

    /// Takes messages that are here, or the first one that comes within `wait`.
    fn take_what_came(&mut self, wait: Duration) -> Result<(), LinkError> {
        let mut received = self.bench.wire.receive(wait)?;
        while let Some(message) = received {
            self.take(&message)?;
            received = self.bench.wire.receive(Duration::ZERO)?;
        }
        Ok(())
    }

    fn take(&mut self, received: &Received) -> Result<(), LinkError> {
        let Some((header, body)) = self.bench.read(&received.bytes) else {
            return Ok(());
        };
        let unit = header.unit.get();
        match body {
            Body::Refused(why) => return Err(LinkError::Refused(why.to_owned())),
            Body::Ready => self.ready(unit)?,
            // A unit that was started anew does not know the drive.
            Body::Unknown if self.bench.unit.is_some_and(|known| known != unit) => self.lose_unit(),
            _ if self.bench.unit == Some(unit) => self.of_unit(header, body, received.at_ns)?,
            _ => return Ok(()),
        }
        self.heard = Instant::now();
        Ok(())
    }

    fn lose_unit(&mut self) {
        self.bench.unit = None;
        self.bench.sync.clear();
        self.bench.checks.unit_restarted();
    }

    /// A unit is ready, the same one or another.
    fn ready(&mut self, unit: u64) -> Result<(), LinkError> {
        match self.bench.unit {
            Some(known) if known == unit => Ok(()),
            known => {
                if known.is_some() {
                    self.lose_unit();
                }
                self.bench.unit = Some(unit);
                self.bench.ping()
            }
        }
    }

    fn of_unit(&mut self, header: &Header, body: Body<'_>, at_ns: i64) -> Result<(), LinkError> {
        match body {
            Body::Pong(pong) => {
                let stamps = [pong.ping_sent_ns, pong.ping_received_ns, header.sent_ns];
                let [sent, came, answered] = stamps.map(|stamp| stamp.get());
                self.bench.sync.add(sent, came, answered, at_ns);
                self.tell_clock()?;
            }
            Body::Frame(head, bytes) => {
                self.checked = Instant::now();
                let offset_ns = self.bench.offset_ns();
                if let Some(frame) = self.bench.checks.frame(head, bytes, at_ns, offset_ns)? {
                    self.visitor.frame(frame).map_err(LinkError::Visitor)?;
                }
            }
            Body::Health(_, bytes) => self.bench.checks.health(bytes),
            Body::Times(_, times) => {
                if let Some(times) = stage_times(times) {
                    self.visitor.times(&times).map_err(LinkError::Visitor)?;
                }
            }
            Body::Done(done) => {
                self.is_done = true;
                self.bench.checks.done(done);
            }
            _ => {}
        }
        Ok(())
    }

    /// Notes silence, compares clocks, greets a unit that was started anew.
    fn keep_up(&mut self) -> Result<(), LinkError> {
        let now = Instant::now();
        if now.duration_since(self.checked) > self.silence_after {
            self.checked = now;
            self.bench.checks.silence()?;
        }
        if now.duration_since(self.heard) > self.bench.options.silence {
            return Err(LinkError::Silent {
                awaited: "frames",
                waited: self.bench.options.silence,
            });
        }
        if now.duration_since(self.asked) > SYNC_EVERY {
            self.asked = now;
            if self.bench.unit.is_some() {
                self.bench.ping()?;
            } else {
                self.bench.say_hello()?;
            }
        }
        Ok(())
    }

    /// Says that the drive is over until the unit has said what it did.
    fn end(&mut self) -> Result<(), LinkError> {
        let begin = Instant::now();
        let mut end = message::write(Kind::End, self.bench.number, u64::MAX, &[]);
        while !self.is_done {
            if begin.elapsed() > self.bench.options.silence {
                return Err(LinkError::Silent {
                    awaited: "the unit's word on the drive's end",
                    waited: self.bench.options.silence,
                });
            }
            self.bench.send(&mut end)?;
            let asked = Instant::now();
            while !self.is_done && asked.elapsed() < self.bench.options.resend {
                self.take_what_came(LONGEST_WAIT)?;
            }
        }
        // Frames that were held on the way may come after the unit's word.
        let linger = Instant::now();
        while linger.elapsed() < self.silence_after {
            self.take_what_came(LONGEST_WAIT)?;
        }
        Ok(())
    }
}
