//! Drives between bench and unit over wires in memory: good ones, lossy ones, and both sides started
//! anew. The network is a reduced one, so that a drive takes a second.

mod wires;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use bevrt_calibration::{Rig, rigs};
use bevrt_hil::replay::{ReplayFrame, ReplayVisitor, VisitorError, replay};
use bevrt_hil::source::{DriveSource, SimulatedDrive, SimulatedDriveOptions};
use bevrt_hil_link::{
    BenchOptions, BenchSummary, BenchVisitor, Impairment, LinkError, Mode, UnitOptions,
    UnitSummary, Wire, drive, relay, serve,
};
use bevrt_runtime::{
    EgoMotionSource, EgoMotionSpec, MANIFEST_FILE, Manifest, OutputFrame, Pipeline, PipelineOptions,
};
use wires::{Busy, Damaging, Ending, Memory};

const SEED: u64 = 950_007;
const IDLE: Duration = Duration::from_millis(1500);

fn package() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/tests/fixtures/reduced")
}

fn pipeline(rig: Rig, ego_motion: EgoMotionSource) -> Result<Pipeline, String> {
    let mut options = PipelineOptions::new(package(), rig);
    options.engine.intra_op_threads = 1;
    options.ego_motion = EgoMotionSpec::new(ego_motion);
    Pipeline::new(options).map_err(|error| error.to_string())
}

fn source(duration_s: f64) -> SimulatedDrive {
    let manifest = Manifest::from_toml_file(&package().join(MANIFEST_FILE)).expect("it is sound");
    let options = SimulatedDriveOptions {
        duration_s,
        ..SimulatedDriveOptions::default()
    };
    SimulatedDrive::new(SEED, &rigs::six_pinhole(), manifest.preprocess(), &options)
}

fn options(mode: Mode) -> BenchOptions {
    BenchOptions {
        mode,
        silence: Duration::from_secs(20),
        resend: Duration::from_millis(60),
        ..BenchOptions::default()
    }
}

fn unit(wire: &dyn Wire) -> Result<UnitSummary, LinkError> {
    let options = UnitOptions {
        idle: IDLE,
        ..UnitOptions::default()
    };
    serve(wire, &mut pipeline, &options)
}

/// The bytes of all frames; gives up after some of them.
#[derive(Default)]
struct Frames {
    frames: Vec<Vec<u8>>,
    most: Option<usize>,
}

impl BenchVisitor for Frames {
    fn frame(&mut self, frame: &OutputFrame) -> Result<(), VisitorError> {
        self.frames.push(frame.as_frame_bytes().to_vec());
        match self.most {
            Some(most) if self.frames.len() >= most => Err("enough".into()),
            _ => Ok(()),
        }
    }
}

impl ReplayVisitor for Frames {
    fn frame(&mut self, frame: ReplayFrame<'_>) -> Result<(), VisitorError> {
        self.frames.push(frame.frame.as_frame_bytes().to_vec());
        Ok(())
    }
}

/// The frames of the drive without any link.
fn replayed(duration_s: f64) -> Vec<Vec<u8>> {
    let mut source = source(duration_s);
    let rig = source.rig().clone();
    let mut pipelines = [pipeline(rig, source.ego_motion()).expect("the package is sound")];
    let mut visitor = Frames::default();
    replay(&mut source, &mut pipelines, &mut visitor, None).expect("the drive is sound");
    assert!(visitor.frames.len() >= 8, "{} frames", visitor.frames.len());
    visitor.frames
}

fn driven(
    wire: &dyn Wire,
    duration_s: f64,
    options: &BenchOptions,
) -> Result<(BenchSummary, Vec<Vec<u8>>), LinkError> {
    let mut visitor = Frames::default();
    let summary = drive(wire, &mut source(duration_s), options, &mut visitor)?;
    Ok((summary, visitor.frames))
}

#[test]
fn lockstep_gives_the_frames_of_a_replay_and_a_unit_takes_drive_after_drive() {
    let expected = replayed(1.0);
    let (bench, under_test) = Memory::pair();
    thread::scope(|scope| {
        let unit = scope.spawn(move || unit(&under_test));
        for _ in 0..2 {
            let (summary, frames) =
                driven(&bench, 1.0, &options(Mode::Lockstep)).expect("the link is sound");
            assert!(frames == expected, "frames differ from those of a replay");
            assert_eq!(summary.problems(), Vec::<String>::new());
            assert_eq!(summary.frame_e2e.ok, expected.len() as u64);
            assert_eq!(summary.health_e2e.ok, expected.len() as u64);
            assert_eq!(summary.frames_made, Some(expected.len() as u64));
            assert_eq!(summary.events_taken, Some(summary.events_sent));
            assert_eq!(summary.sent_again, 0);
            assert_eq!(summary.from_sent.count, expected.len() as u64);
        }
        let unit = unit.join().expect("no panic").expect("the link is sound");
        assert_eq!((unit.begun, unit.ended), (2, 2));
        assert_eq!(unit.frames, 2 * expected.len() as u64);
    });
}

/// Runs bench and unit with a relay between them.
fn through_relay(
    impairment: &Impairment,
    duration_s: f64,
    options: &BenchOptions,
) -> (BenchSummary, Vec<Vec<u8>>) {
    let (bench, near) = Memory::pair();
    let (far, under_test) = Memory::pair();
    thread::scope(|scope| {
        scope.spawn(move || unit(&under_test).expect("the link is sound"));
        let relay = scope.spawn(move || relay(&near, &far, impairment, IDLE));
        let found = driven(&bench, duration_s, options).expect("losses are survived");
        let [there, back] = relay.join().expect("no panic").expect("the link is sound");
        assert!(there.passed > 0 && back.passed > 0);
        assert!(there.lost + back.lost > 0, "nothing was lost: no test");
        assert!(there.held + back.held > 0, "nothing was held: no test");
        found
    })
}

#[test]
fn lockstep_gives_the_same_frames_over_a_link_that_loses_delays_and_reorders() {
    let impairment = Impairment {
        loss: 0.05,
        delay: Duration::ZERO..Duration::from_millis(2),
        reorder: 0.05,
        seed: 7,
    };
    let (summary, frames) = through_relay(&impairment, 1.0, &options(Mode::Lockstep));
    assert!(
        frames == replayed(1.0),
        "frames differ from those of a replay"
    );
    assert!(summary.sent_again > 0);
    assert_eq!(summary.problems(), Vec::<String>::new());
    assert_eq!(summary.frame_e2e.ok, frames.len() as u64);
}

#[test]
fn in_real_time_losses_are_seen_and_the_drive_goes_on() {
    let impairment = Impairment {
        loss: 0.05,
        delay: Duration::from_millis(5)..Duration::from_millis(15),
        reorder: 0.02,
        seed: 7,
    };
    let (summary, frames) = through_relay(&impairment, 3.0, &options(Mode::Paced(1.0)));
    assert!(frames.len() >= 20, "{summary:#?}");
    assert_eq!(summary.frame_e2e.error, 0, "{summary:#?}");
    let made = summary.frames_made.expect("the unit said it");
    assert!(summary.frames < made || summary.events_taken < Some(summary.events_sent));
    // The delay is in the times, and the clocks are compared through it.
    assert!(summary.from_sent.p50_ms >= 10.0, "{summary:#?}");
    assert!(
        summary.way_there.p50_ms + summary.way_back.p50_ms >= 10.0,
        "{summary:#?}"
    );
    assert!(summary.clock_error_ns >= 5_000_000, "{summary:#?}");
    assert!(summary.from_due.max_ms >= summary.from_sent.p50_ms);
}

#[test]
fn a_unit_that_is_slower_than_the_cameras_takes_the_newest_set_and_tells_what_it_dropped() {
    let (bench, under_test) = Memory::pair();
    let busy = Duration::from_millis(250);
    thread::scope(|scope| {
        scope.spawn(move || {
            let (inner, time) = (&under_test, busy);
            unit(&Busy { inner, time }).expect("the link is sound")
        });
        let (summary, frames) =
            driven(&bench, 4.0, &options(Mode::Paced(1.0))).expect("the link is sound");
        let dropped = summary.dropped_sets.expect("the unit said it");
        assert!(dropped >= 12, "{summary:#?}");
        assert!(frames.len() as u64 + dropped <= 41, "{summary:#?}");
        assert_eq!(summary.events_taken, Some(summary.events_sent));
        assert_eq!(summary.frame_e2e.error, 0, "{summary:#?}");
    });
}

#[test]
fn a_deadline_that_is_missed_fails_the_drive() {
    let (bench, under_test) = Memory::pair();
    thread::scope(|scope| {
        scope.spawn(move || unit(&under_test).expect("the link is sound"));
        let options = BenchOptions {
            deadline: Some(Duration::from_nanos(1)),
            ..options(Mode::Paced(2.0))
        };
        let (summary, frames) = driven(&bench, 1.0, &options).expect("the link is sound");
        assert!(!frames.is_empty());
        assert_eq!(summary.deadline_misses, summary.frames);
        let problems = summary.problems().join("; ");
        assert!(
            problems.contains("expected every frame within"),
            "{problems}"
        );
    });
}

#[test]
fn a_unit_that_is_started_anew_goes_on_with_the_drive_in_real_time() {
    let (bench, under_test) = Memory::pair();
    thread::scope(|scope| {
        scope.spawn(move || {
            // The first unit breaks down in the middle of the drive.
            let first = Ending::new(&under_test, 90);
            assert!(matches!(unit(&first), Err(LinkError::Wire(_))));
            unit(&under_test).expect("the link is sound")
        });
        let (summary, frames) =
            driven(&bench, 4.0, &options(Mode::Paced(1.0))).expect("a restart is survived");
        assert_eq!(summary.unit_restarts, 1, "{summary:#?}");
        assert_eq!(summary.frame_e2e.error, 0, "{summary:#?}");
        let after = summary.frames_made.expect("the unit said it");
        // Of the sets after the restart a busy machine may give some up for newer ones.
        let dropped = summary.dropped_sets.expect("the unit said it");
        assert!(after + dropped >= 10, "{summary:#?}");
        assert!(frames.len() as u64 > after, "{summary:#?}");
        assert_eq!(summary.problems(), Vec::<String>::new());
    });
}

#[test]
fn a_unit_that_is_started_anew_in_lockstep_is_told() {
    let (bench, under_test) = Memory::pair();
    thread::scope(|scope| {
        scope.spawn(move || {
            let first = Ending::new(&under_test, 60);
            assert!(matches!(unit(&first), Err(LinkError::Wire(_))));
            unit(&under_test).expect("the link is sound")
        });
        let options = options(Mode::Lockstep);
        assert!(matches!(
            driven(&bench, 1.0, &options),
            Err(LinkError::Restarted)
        ));
        // From the beginning it works, and what is left on the wire from before does no harm.
        let (_, frames) = driven(&bench, 1.0, &options).expect("the link is sound");
        assert!(
            frames == replayed(1.0),
            "frames differ from those of a replay"
        );
    });
}

#[test]
fn a_bench_that_is_started_anew_begins_anew() {
    let (bench, under_test) = Memory::pair();
    thread::scope(|scope| {
        scope.spawn(move || unit(&under_test).expect("the link is sound"));
        let mut some = Frames {
            most: Some(3),
            ..Frames::default()
        };
        let early = drive(
            &bench,
            &mut source(1.0),
            &options(Mode::Paced(1.0)),
            &mut some,
        );
        assert!(matches!(early, Err(LinkError::Visitor(_))));
        let (summary, frames) =
            driven(&bench, 1.0, &options(Mode::Lockstep)).expect("the link is sound");
        assert!(
            frames == replayed(1.0),
            "frames differ from those of a replay"
        );
        assert_eq!(summary.frame_e2e.ok, frames.len() as u64);
    });
}

#[test]
fn damage_on_the_way_is_an_error_of_e2e_and_fails_the_drive() {
    let (bench, under_test) = Memory::pair();
    thread::scope(|scope| {
        scope.spawn(move || {
            let damaging = Damaging::new(&under_test, 4);
            unit(&damaging).expect("the link is sound")
        });
        let (summary, frames) =
            driven(&bench, 1.0, &options(Mode::Lockstep)).expect("damage is survived");
        assert!(summary.frame_e2e.error > 0, "{summary:#?}");
        assert_eq!(
            summary.frame_e2e.error + frames.len() as u64,
            summary.frames_made.expect("the unit said it")
        );
        let problems = summary.problems().join("; ");
        assert!(problems.contains("expected no E2E error"), "{problems}");
    });
}

#[test]
fn a_bench_without_a_unit_and_a_unit_without_a_bench_end_by_themselves() {
    let begin = Instant::now();
    let (bench, under_test) = Memory::pair();
    let options = BenchOptions {
        silence: Duration::from_millis(300),
        ..options(Mode::Lockstep)
    };
    assert!(matches!(
        driven(&bench, 1.0, &options),
        Err(LinkError::Silent { .. })
    ));
    // What the bench has said is still on the wire.
    let summary = unit(&under_test).expect("the link is sound");
    assert_eq!((summary.begun, summary.ended), (1, 0));
    assert!(begin.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_unit_that_cannot_take_the_drive_says_why() {
    let (bench, under_test) = Memory::pair();
    thread::scope(|scope| {
        scope.spawn(move || {
            let options = UnitOptions {
                idle: IDLE,
                ..UnitOptions::default()
            };
            serve(
                &under_test,
                &mut |_, _| Err("no such day".to_owned()),
                &options,
            )
        });
        match driven(&bench, 1.0, &options(Mode::Lockstep)) {
            Err(LinkError::Refused(why)) => assert!(why.contains("no such day"), "{why}"),
            other => panic!("{other:?}"),
        }
    });
}
