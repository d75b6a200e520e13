//! Drives in real time, by a clock that the engine moves: what is dropped follows from its times alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bevrt_hil::replay::{PaceClock, ReplaySummary, replay_by_clock};
use bevrt_runtime::{EgoMotionSpec, HealthReasons, PipelineOptions};

use super::*;
use crate::stand_in::StandIn;

/// Sets of the drive: 3 s at 10 Hz, both ends included.
const SETS: u64 = 31;
/// Images come so long after their stamp.
const DELAY_MS: i64 = 30;

/// Time goes on where somebody sleeps or works.
#[derive(Clone, Default)]
struct MovedClock(Arc<AtomicU64>);

impl PaceClock for MovedClock {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    fn sleep(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).expect("no drive is so long");
        self.0.fetch_add(nanoseconds.max(1), Ordering::Relaxed);
    }

    /// What is due is waited for however slowly this machine reads.
    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }
}

fn three_seconds() -> SimulatedDrive {
    simulated(&SimulatedDriveOptions {
        duration_s: 3.0,
        ..options()
    })
}

fn paced(run_ms: u64, speed: f64) -> (ReplaySummary, Keeper) {
    let mut source = three_seconds();
    let clock = MovedClock::default();
    let mut engine = StandIn::new(&manifest(), source.rig().cameras().len(), model::CAR);
    let engines_clock = clock.clone();
    engine.before_run = Box::new(move || engines_clock.sleep(Duration::from_millis(run_ms)));
    let mut options = PipelineOptions::new("scripted", source.rig().clone());
    options.ego_motion = EgoMotionSpec::new(source.ego_motion());
    let pipeline = bevrt_runtime::Pipeline::with_engine(manifest(), Box::new(engine), options);
    let mut pipelines = [pipeline.expect("it fits together")];
    let mut keeper = Keeper::default();
    let summary = replay_by_clock(
        &mut source,
        &mut pipelines,
        &mut keeper,
        None,
        speed,
        &clock,
    );
    (summary.expect("the drive is sound"), keeper)
}

#[test]
fn an_engine_that_is_quick_enough_gives_the_frames_of_lockstep() {
    let (summary, keeper) = paced(20, 1.0);
    assert_eq!((summary.frames, summary.dropped_sets), (SETS, 0));
    let mut source = three_seconds();
    let mut pipelines = [pipeline(source.rig().clone(), source.ego_motion())];
    let mut lockstep = Keeper::default();
    let expected = replay(&mut source, &mut pipelines, &mut lockstep, None).expect("it is sound");
    assert_eq!(summary, expected);
    let mut alike = 0;
    for (frame, expected) in keeper.frames.iter().zip(&lockstep.frames) {
        let read = OutputFrame::boxed_from_frame_bytes(frame).expect("it is a frame");
        // A set that lacks a camera waits for its deadline, which passes between two ticks.
        if !read.health.reasons().contains(HealthReasons::SET_DEADLINE) {
            assert!(frame == expected, "frame {} in real time", read.sequence);
            alike += 1;
        }
    }
    assert!(alike >= 25, "{alike} whole sets");
}

#[test]
fn a_slow_engine_gets_the_newest_sets_and_the_others_are_dropped_and_counted() {
    // Step n begins at 30 + 257 n ms and takes set 2.57 n, rounded down; at twice the speed 5.14 n.
    for (speed, expected) in [(1.0, 13), (2.0, 7)] {
        let (summary, keeper) = paced(257, speed);
        let step_ms = 257.0 * speed;
        assert_eq!(summary.frames, expected);
        assert_eq!(summary.dropped_sets, SETS - expected);
        assert_eq!(summary.refused_motion, 0);
        let begin = SimulatedDrive::BEGIN.nanoseconds();
        for (step, bytes) in keeper.frames.iter().enumerate() {
            let frame = OutputFrame::boxed_from_frame_bytes(bytes).expect("it is a frame");
            let set = (step as f64 * step_ms / 100.0).floor().min(30.0) as i64;
            assert_eq!(
                (frame.stamp_ns - begin) / 1_000_000,
                100 * set,
                "step {step}"
            );
            let age_ms = (frame.now_ns - frame.stamp_ns) / 1_000_000;
            assert!((DELAY_MS..DELAY_MS + 100).contains(&age_ms), "{age_ms} ms");
        }
        // Each frame has the ground truth of its own stamp, however many sets came meanwhile.
        assert_eq!(keeper.with_truth, keeper.frames.len());
    }
}
