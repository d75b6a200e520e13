//! Drives in real time: each event is given to the pipelines when its time has come, and what comes
//! while they work waits. Sets that come too fast are dropped, as on a vehicle.

use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use bevrt_runtime::{Pipeline, Span, Stamp};

use super::{AllocationCount, FLUSH, ReplayError, ReplaySummary, ReplayVisitor, Run};
use crate::source::{DriveSource, OwnedEvent, SourceError};

/// Events that are read ahead: about two seconds of six cameras.
const READ_AHEAD: usize = 256;
/// The clock goes on in steps of this length while nothing comes, so that deadlines pass.
const TICK: Duration = Duration::from_millis(5);

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
    let rig = source.rig().clone();
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
        };
        while let Some(event) = pacer.wait(&mut run)? {
            let view = event.view(&rig)?;
            run.visitor.event(&view).map_err(ReplayError::Visitor)?;
            run.push(&view)?;
            // What came meanwhile is taken in first.
            if pacer.is_idle()? {
                run.step(pacer.now())?;
            }
        }
        let end = pacer.now() + FLUSH;
        run.step(end)?;
        Ok(run.summary)
    })
}

/// Lets events out when their time has come.
struct Pacer {
    receiver: Receiver<Result<OwnedEvent, SourceError>>,
    next: Option<OwnedEvent>,
    /// Arrival of the first event, and when it was let out.
    start: Option<(Stamp, Instant)>,
    speed: f64,
}

impl Pacer {
    /// The clock of the drive.
    fn now(&self) -> Stamp {
        self.start.map_or(Stamp::ZERO, |(arrival, at)| {
            arrival + Span::from_seconds(at.elapsed().as_secs_f64() * self.speed)
        })
    }

    /// The next event when its time has come; `None` at the end.
    fn wait(&mut self, run: &mut Run<'_>) -> Result<Option<OwnedEvent>, ReplayError> {
        if self.next.is_none() {
            match self.receiver.recv() {
                Ok(event) => self.next = Some(event?),
                Err(_end) => return Ok(None),
            }
        }
        let Some(event) = self.next.take() else {
            return Ok(None);
        };
        let arrival = event.arrival();
        if self.start.is_none() {
            self.start = Some((arrival, Instant::now()));
        }
        loop {
            let left_s = arrival.since(self.now()).seconds() / self.speed;
            if left_s <= 0.0 {
                return Ok(Some(event));
            }
            thread::sleep(Duration::from_secs_f64(left_s).min(TICK));
            if left_s > TICK.as_secs_f64() {
                run.step(self.now())?;
            }
        }
    }

    /// Whether the time of the next event has not come yet.
    fn is_idle(&mut self) -> Result<bool, ReplayError> {
        if self.next.is_none() {
            match self.receiver.try_recv() {
                Ok(event) => self.next = Some(event?),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => {}
            }
        }
        let now = self.now();
        Ok(self.next.as_ref().is_none_or(|next| next.arrival() > now))
    }
}
