//! A drive in lockstep: one event at a time, sent again until it is answered.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bevrt_runtime::Stage;
use zerocopy::little_endian::I64;

use super::{Bench, BenchVisitor, Events, StageNanoseconds};
use crate::error::LinkError;
use crate::image_times::ImageTime;
use crate::message::{self, Body, DoneBody, FrameHead, Kind};

/// A frame with all that belongs to it.
#[derive(Default)]
struct Parts {
    /// Head, bytes, and when they came.
    frame: Option<(FrameHead, Vec<u8>, i64)>,
    health: Option<Vec<u8>>,
    times: Option<StageNanoseconds>,
}

impl Parts {
    fn is_whole(&self) -> bool {
        self.frame.is_some() && self.health.is_some() && self.times.is_some()
    }
}

/// The answer to one event.
#[derive(Default)]
struct Answer {
    parts: BTreeMap<u32, Parts>,
    done: Option<DoneBody>,
}

impl Answer {
    fn is_whole(&self) -> bool {
        self.done.is_some_and(|done| {
            self.parts.len() as u64 == done.frames_now.get()
                && self.parts.values().all(Parts::is_whole)
        })
    }

    fn add(&mut self, body: Body<'_>, at_ns: i64) {
        match body {
            Body::Frame(head, bytes) => {
                let frame = &mut self.parts.entry(head.index.get()).or_default().frame;
                frame.get_or_insert_with(|| (*head, bytes.to_vec(), at_ns));
            }
            Body::Health(head, bytes) => {
                self.parts.entry(head.index.get()).or_default().health = Some(bytes.to_vec());
            }
            Body::Times(head, times) => {
                self.parts.entry(head.index.get()).or_default().times = stage_times(times);
            }
            Body::Done(done) => self.done = Some(*done),
            _ => {}
        }
    }
}

/// The times of all stages; `None` where it is another number of them.
pub(super) fn stage_times(times: &[I64]) -> Option<StageNanoseconds> {
    let times: &[I64; Stage::ALL.len()] = times.try_into().ok()?;
    let mut stages = Stage::ALL.map(|stage| (stage, 0));
    for ((_, nanoseconds), time) in stages.iter_mut().zip(times) {
        *nanoseconds = time.get();
    }
    Some(stages)
}

/// Sends all events, then the end.
pub(super) fn run(
    bench: &mut Bench<'_>,
    events: &Events,
    visitor: &mut dyn BenchVisitor,
) -> Result<(), LinkError> {
    let mut sequence = 0;
    for event in events {
        let mut event = event?;
        if let Some(motion) = &event.motion {
            visitor.motion(motion).map_err(LinkError::Visitor)?;
        }
        visitor.progress(event.arrival);
        let answer = ask(bench, sequence, &mut event.message, |bench, sent_ns| {
            if let Some((camera, stamp)) = event.image {
                bench.checks.image_sent(ImageTime {
                    camera,
                    stamp_ns: stamp.nanoseconds(),
                    due_ns: sent_ns,
                    at_ns: sent_ns,
                });
            }
        })?;
        bench.checks.found.events_sent += 1;
        judge(bench, answer, visitor)?;
        sequence += 1;
    }
    let mut end = message::write(Kind::End, bench.number, sequence, &[]);
    let answer = ask(bench, sequence, &mut end, |_, _| {})?;
    judge(bench, answer, visitor)
}

/// Sends a message, again and again, until its whole answer is here.
fn ask(
    bench: &mut Bench<'_>,
    sequence: u64,
    message: &mut [u8],
    mut first_sent: impl FnMut(&mut Bench<'_>, i64),
) -> Result<Answer, LinkError> {
    let begin = Instant::now();
    let mut answer = Answer::default();
    let mut times_sent = 0_u64;
    loop {
        if begin.elapsed() > bench.options.silence {
            return Err(LinkError::Silent {
                awaited: "the answer to an event",
                waited: bench.options.silence,
            });
        }
        let sent_ns = bench.send(message)?;
        if times_sent == 0 {
            first_sent(bench, sent_ns);
        } else {
            bench.checks.found.sent_again += 1;
        }
        times_sent += 1;
        let asked = Instant::now();
        while !answer.is_whole() {
            let left = bench.options.resend.saturating_sub(asked.elapsed());
            if left == Duration::ZERO {
                break;
            }
            let Some(received) = bench.wire.receive(left)? else {
                break;
            };
            let unit = bench.unit;
            let Some((header, body)) = bench.read(&received.bytes) else {
                continue;
            };
            match body {
                Body::Refused(why) => return Err(LinkError::Refused(why.to_owned())),
                _ if unit != Some(header.unit.get()) => return Err(LinkError::Restarted),
                Body::Unknown => return Err(LinkError::Restarted),
                body if header.sequence.get() == sequence => answer.add(body, received.at_ns),
                _ => {}
            }
        }
        if answer.is_whole() {
            return Ok(answer);
        }
    }
}

/// Checks the frames of an answer in their order.
fn judge(
    bench: &mut Bench<'_>,
    answer: Answer,
    visitor: &mut dyn BenchVisitor,
) -> Result<(), LinkError> {
    let offset_ns = bench.offset_ns();
    for parts in answer.parts.into_values() {
        if let Some((head, bytes, at_ns)) = parts.frame
            && let Some(frame) = bench.checks.frame(&head, &bytes, at_ns, offset_ns)?
        {
            visitor.frame(frame).map_err(LinkError::Visitor)?;
        }
        if let Some(health) = parts.health {
            bench.checks.health(&health);
        }
        if let Some(times) = parts.times {
            visitor.times(&times).map_err(LinkError::Visitor)?;
        }
    }
    if let Some(done) = answer.done {
        bench.checks.done(&done);
    }
    Ok(())
}
