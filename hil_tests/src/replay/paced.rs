//! Drives in real time: each event is given to the pipelines when its time has come. What comes while
//! they work waits; of the images only the newest set is taken then, and the others are dropped and
//! counted, so that a frame is never older than the time between two sets and the way of its images.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use bevrt_runtime::{Pipeline, Span, Stamp};

use super::waiting_images::WaitingImages;
use super::{AllocationCount, FLUSH, ReplayError, ReplaySummary, ReplayVisitor, Run};
use crate::source::{DriveSource, OwnedEvent, SourceError};

/// Events that are read ahead: about two seconds of six cameras.
const READ_AHEAD: usize = 256;
/// The clock goes on in steps of this length while nothing comes, so that deadlines pass.
const TICK: Duration = Duration::from_millis(5);

/// The time that a paced replay goes by.
pub trait PaceClock {
    /// Time since some moment.
    fn now(&self) -> Duration;

    /// Lets time pass.
    fn sleep(&self, time: Duration);

    /// How long, really, an event is waited for that may be due and is still being read.
    fn patience(&self) -> Duration {
        Duration::from_millis(1)
    }
}

/// The clock of this machine.
struct RealClock(Instant);

impl PaceClock for RealClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, time: Duration) {
        thread::sleep(time);
    }
}

/// Runs a drive through `pipelines` at `speed` times real time. The drive is read by a thread of its
/// own, a bounded number of events ahead.
///
/// # Errors
/// As [`replay`](super::replay).
pub fn replay_paced(
    source: &mut (dyn DriveSource + Send),
    pipelines: &mut [Pipeline],
    visitor: &mut dyn ReplayVisitor,
    allocations: Option<AllocationCount>,
    speed: f64,
) -> Result<ReplaySummary, ReplayError> {
    let clock = RealClock(Instant::now());
    replay_by_clock(source, pipelines, visitor, allocations, speed, &clock)
}

/// As [`replay_paced`], by any clock.
///
/// # Errors
/// As [`replay`](super::replay).
pub fn replay_by_clock(
    source: &mut (dyn DriveSource + Send),
    pipelines: &mut [Pipeline],
    visitor: &mut dyn ReplayVisitor,
    allocations: Option<AllocationCount>,
    speed: f64,
    clock: &dyn PaceClock,
) -> Result<ReplaySummary, ReplayError> {
    let rig = source.rig().clone();
    let mut waiting = WaitingImages::new(rig.cameras().len());
    let mut run = Run::new(pipelines, visitor, allocations);
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(READ_AHEAD);
        scope.spawn(move || {
            loop {
                let event = match source.next_event() {
                    Ok(Some(event)) => Ok(OwnedEvent::of(&event)),
                    Ok(None) => return,
                    Err(error) => Err(error),
                };
                let is_last = event.is_err();
                // Nobody listens any more when the replay has ended early.
                if sender.send(event).is_err() || is_last {
                    return;
                }
            }
        });
        let mut pacer = Pacer {
            receiver,
            next: None,
            start: None,
            speed,
            clock,
        };
        let mut last = None;
        while !waiting.is_empty() || pacer.wait(&mut run)? {
            while let Some(event) = pacer.due()? {
                let view = event.view(&rig)?;
                run.visitor.event(&view).map_err(ReplayError::Visitor)?;
                match event {
                    OwnedEvent::Image { camera, stamp, .. } => waiting.add(camera, stamp, event),
                    _ => {
                        run.push(&view)?;
                    }
                }
            }
            let taken = waiting.take_newest();
            run.summary.dropped_sets += taken.dropped_sets;
            for image in &taken.images {
                run.push(&image.view(&rig)?)?;
            }
            let now = pacer.now();
            run.step(now)?;
            last = Some(now);
        }
        // However long the last step took: the drive is over, and no camera is silent.
        if let Some(last) = last {
            run.step(last + FLUSH)?;
        }
        Ok(run.summary)
    })
}

/// Lets events out when their time has come.
struct Pacer<'a> {
    receiver: Receiver<Result<OwnedEvent, SourceError>>,
    next: Option<OwnedEvent>,
    /// Arrival of the first event, and when it was let out.
    start: Option<(Stamp, Duration)>,
    speed: f64,
    clock: &'a dyn PaceClock,
}

impl Pacer<'_> {
    /// The clock of the drive.
    fn now(&self) -> Stamp {
        self.start.map_or(Stamp::ZERO, |(arrival, at)| {
            let since = self.clock.now().saturating_sub(at);
            arrival + Span::from_seconds(since.as_secs_f64() * self.speed)
        })
    }

    /// Waits until the next event is due; false at the end.
    fn wait(&mut self, run: &mut Run<'_>) -> Result<bool, ReplayError> {
        if self.next.is_none() {
            match self.receiver.recv() {
                Ok(event) => self.next = Some(event?),
                Err(_end) => return Ok(false),
            }
        }
        let Some(arrival) = self.next.as_ref().map(OwnedEvent::arrival) else {
            return Ok(false);
        };
        if self.start.is_none() {
            self.start = Some((arrival, self.clock.now()));
        }
        loop {
            let left_s = arrival.since(self.now()).seconds() / self.speed;
            if left_s <= 0.0 {
                return Ok(true);
            }
            self.clock.sleep(Duration::from_secs_f64(left_s).min(TICK));
            if left_s > TICK.as_secs_f64() {
                run.step(self.now())?;
            }
        }
    }

    /// The next event if it is due.
    fn due(&mut self) -> Result<Option<OwnedEvent>, ReplayError> {
        if self.next.is_none() {
            match self.receiver.recv_timeout(self.clock.patience()) {
                Ok(event) => self.next = Some(event?),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
        let now = self.now();
        Ok(self.next.take_if(|next| next.arrival() <= now))
    }
}
