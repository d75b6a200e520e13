//! Whether the frames of a run are what the scenario expects, and what must always hold.

use std::collections::BTreeMap;

use bevrt_calibration::Rig;
use bevrt_runtime::{
    COVERAGE_SECTORS, CameraState, CoverageState, EgoMotionState, HealthReasons, HealthState,
    SetupError,
};
use nalgebra::Point3;

use super::observed::ObservedFrame;
use super::scenario::{Expectation, Scenario};

/// Frames never keep away for longer, seconds.
pub const LONGEST_SILENCE_S: f64 = 0.75;
/// Frames of an undisturbed drive are ok from here on: the queue is full.
const WARMED_UP_S: f64 = 2.1;
/// Fewer good frames than this at the end prove no recovery.
const PROOF_OF_RECOVERY: usize = 3;

/// What a run gave.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    pub(super) frames: Vec<ObservedFrame>,
    pub(super) refused_images: u64,
    pub(super) dropped_sets: u64,
    pub(super) refused_motion: u64,
}

/// The outcome of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Everything was as expected.
    Passed,
    /// Nothing was noticed, as expected, and this is why.
    Explained(String),
    /// What was not as expected.
    Failed(Vec<String>),
}

/// A scenario with its outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Name of the scenario.
    pub name: String,
    /// Beginning of the first fault and end of the last, seconds; `None` where nothing drives.
    pub span_s: Option<(f64, f64)>,
    /// What was to follow.
    pub expected: String,
    /// What followed.
    pub measured: String,
    /// Whether it is the same.
    pub verdict: Verdict,
    /// The frames, for a picture.
    pub frames: Vec<ObservedFrame>,
}

impl Row {
    /// Whether it is as expected.
    pub fn is_as_expected(&self) -> bool {
        !matches!(self.verdict, Verdict::Failed(_))
    }
}

/// The outcome for a package that is damaged.
pub(super) fn refusal(scenario: &Scenario, outcome: Result<(), SetupError>) -> Row {
    let named = scenario.expect.refusal.clone().unwrap_or_default();
    let measured = match &outcome {
        Ok(()) => "loaded".to_owned(),
        Err(error) => {
            // The copy's folder has another name each time.
            let text = error.to_string();
            let begin = text.find("bevrt-damaged-").unwrap_or(0);
            let rest = &text[begin..];
            let name = rest.find('/').map_or(rest, |slash| &rest[slash + 1..]);
            format!("refused: {name}")
        }
    };
    let is_right = outcome.is_err() && measured.contains(&named);
    Row {
        name: scenario.name.clone(),
        span_s: None,
        expected: format!("not loaded; the refusal names {named:?}"),
        verdict: if is_right {
            Verdict::Passed
        } else {
            Verdict::Failed(vec![format!("expected a refusal that names {named:?}")])
        },
        measured,
        frames: Vec::new(),
    }
}

/// The outcome of a run.
pub(super) fn row(scenario: &Scenario, rig: &Rig, run: &Run, clean: Option<&Run>) -> Row {
    let frames = &run.frames;
    let mut problems = invariants(frames, rig);
    let (begin_s, end_s) = if scenario.faults.is_empty() {
        (WARMED_UP_S, scenario.drive.duration_s)
    } else {
        (scenario.begin_s(), scenario.end_s())
    };
    let before = frames.iter().rfind(|frame| frame.time_s < begin_s);
    if !scenario.faults.is_empty() && before.is_none_or(|frame| frame.state != HealthState::Ok) {
        problems.push("expected health to be ok before the fault".into());
    }
    let struck = frames.iter().filter(|frame| frame.time_s >= begin_s);
    let struck: Vec<_> = struck.collect();
    let seen = Seen::of(scenario, rig, &struck, end_s);
    seen.judge(&scenario.expect, &struck, end_s, &mut problems);
    if let Some(clean) = clean {
        let hashes = |run: &Run| run.frames.iter().map(|f| f.hash).collect::<Vec<_>>();
        if hashes(run) != hashes(clean) {
            problems.push("expected the frames of the same drive without the fault".into());
        }
    }
    problems.dedup();
    let verdict = match (&scenario.expect.unnoticed, problems.is_empty()) {
        (_, false) => Verdict::Failed(problems),
        (Some(why), true) => Verdict::Explained(why.clone()),
        (None, true) => Verdict::Passed,
    };
    Row {
        name: scenario.name.clone(),
        span_s: (!scenario.faults.is_empty()).then_some((begin_s, end_s)),
        expected: expected(&scenario.expect),
        measured: seen.text(run),
        verdict,
        frames: frames.clone(),
    }
}

/// What was seen of a fault.
struct Seen {
    /// Frames from its beginning on before the one that says so.
    noticed_after: Option<usize>,
    /// Frames later than that, within the fault, which do not say so.
    forgotten: usize,
    /// All reasons from its beginning on.
    reasons: HealthReasons,
    worst: HealthState,
    /// From its end to the first frame of those that are ok for good.
    recovered_after_s: Option<f64>,
    /// Age of the oldest frame as it came out, and what it may be.
    oldest_s: f64,
    max_age_s: Option<f64>,
}

impl Seen {
    fn of(scenario: &Scenario, rig: &Rig, struck: &[&ObservedFrame], end_s: f64) -> Self {
        let expect = &scenario.expect;
        let (state, wanted) = (expect.health_state(), expect.health_reasons());
        let camera_state = expect.camera_state();
        let faults = &scenario.faults;
        let is_struck = |name: &str| faults.iter().any(|fault| fault.kind.strikes(name));
        let named: Vec<bool> = rig.cameras().iter().map(|c| is_struck(&c.name)).collect();
        let says_so = |frame: &&&ObservedFrame| {
            let of_cameras = |wanted| {
                let mut named = frame
                    .cameras
                    .iter()
                    .zip(&named)
                    .filter(|(_, named)| **named);
                named.all(|((state, _), _)| *state == wanted)
            };
            frame.state == state
                && frame.reasons.contains(wanted)
                && camera_state.is_none_or(of_cameras)
        };
        let noticed_after = struck.iter().position(|frame| says_so(&frame));
        let during = struck.iter().filter(|frame| frame.time_s < end_s);
        let after_notice = during.skip(noticed_after.unwrap_or(0));
        let mut reasons = HealthReasons::NONE;
        for frame in struck {
            reasons.insert(frame.reasons);
        }
        let last_bad = struck.iter().rposition(|f| f.state != HealthState::Ok);
        let first_good = last_bad.map_or(0, |last| last + 1);
        let is_proven = struck.len() >= first_good + PROOF_OF_RECOVERY;
        let recovered = struck.get(first_good).filter(|_| is_proven);
        Self {
            forgotten: after_notice.filter(|frame| !says_so(frame)).count(),
            noticed_after,
            reasons,
            worst: struck
                .iter()
                .map(|f| f.state)
                .max()
                .unwrap_or(HealthState::Ok),
            recovered_after_s: recovered.map(|frame| (frame.time_s - end_s).max(0.0)),
            oldest_s: struck.iter().map(|f| f.age_s()).fold(0.0, f64::max),
            max_age_s: expect.max_age_s,
        }
    }

    fn judge(
        &self,
        expect: &Expectation,
        struck: &[&ObservedFrame],
        end_s: f64,
        problems: &mut Vec<String>,
    ) {
        let state = expect.health_state();
        if struck.is_empty() {
            problems.push("expected frames from the fault on, found none".into());
        }
        let mut allowed = expect.health_reasons();
        allowed.insert(expect.allowed_reasons());
        let unexpected = HealthReasons::from_bits(self.reasons.bits() & !allowed.bits());
        if !unexpected.is_empty() {
            problems.push(format!("unexpected reasons: {}", names(unexpected)));
        }
        if state != HealthState::Ok {
            match self.noticed_after {
                Some(after) if after < expect.within_frames => {}
                found => problems.push(format!(
                    "expected {} with {} within {} frames, found {}",
                    state.name(),
                    names(expect.health_reasons()),
                    expect.within_frames,
                    found.map_or("it in none".to_owned(), |after| format!(
                        "it in frame {}",
                        after + 1
                    ))
                )),
            }
            if expect.is_steady && self.forgotten > 0 {
                problems.push(format!(
                    "expected every frame to the end to say so, found {} that do not",
                    self.forgotten
                ));
            }
        }
        if self.worst > state.max(expect.worst_state()) {
            problems.push(format!("unexpected state: {}", self.worst.name()));
        }
        if let Some(most_s) = self.max_age_s.filter(|most_s| self.oldest_s > *most_s) {
            problems.push(format!(
                "expected frames of at most {most_s:.2} s, found one of {:.2} s",
                self.oldest_s
            ));
        }
        match self.recovered_after_s {
            Some(after_s) if after_s <= expect.recovered_within_s + 1e-6 => {}
            found => problems.push(format!(
                "expected health to be ok again within {:.2} s of the end at {end_s} s, found {}",
                expect.recovered_within_s,
                found.map_or("it not".to_owned(), |after_s| format!("{after_s:.2} s"))
            )),
        }
    }

    fn text(&self, run: &Run) -> String {
        let mut parts = Vec::new();
        if self.reasons.is_empty() {
            parts.push("ok throughout".to_owned());
        } else {
            if let Some(after) = self.noticed_after {
                parts.push(format!("frame {}", after + 1));
            }
            parts.push(format!("{}: {}", self.worst.name(), names(self.reasons)));
            parts.push(match self.recovered_after_s {
                Some(after_s) => format!("ok again after {after_s:.2} s"),
                None => "not ok again".to_owned(),
            });
        }
        if run.refused_images > 0 {
            parts.push(format!("{} images refused", run.refused_images));
        }
        if run.refused_motion > 0 {
            parts.push(format!("{} samples of motion refused", run.refused_motion));
        }
        if run.dropped_sets > 0 {
            parts.push(format!("{} sets dropped", run.dropped_sets));
        }
        if self.max_age_s.is_some() {
            parts.push(format!("oldest frame {:.2} s", self.oldest_s));
        }
        parts.join("; ")
    }
}

fn expected(expect: &Expectation) -> String {
    let mut parts = Vec::new();
    if expect.health_state() == HealthState::Ok {
        parts.push("ok throughout".to_owned());
    } else {
        parts.push(format!(
            "within {} frame{}: {}: {}",
            expect.within_frames,
            if expect.within_frames == 1 { "" } else { "s" },
            expect.state,
            names(expect.health_reasons())
        ));
        parts.push(format!(
            "ok again within {:.2} s",
            expect.recovered_within_s
        ));
    }
    if let Some(state) = &expect.camera_state {
        parts.push(format!("camera {state}"));
    }
    if let Some(most_s) = expect.max_age_s {
        parts.push(format!("no frame older than {most_s:.2} s"));
    }
    if expect.same_frames {
        parts.push("the same frames as without".to_owned());
    }
    parts.join("; ")
}

fn names(reasons: HealthReasons) -> String {
    reasons.names().collect::<Vec<_>>().join(", ")
}

/// What must hold for every frame, whatever fails.
pub(super) fn invariants(frames: &[ObservedFrame], rig: &Rig) -> Vec<String> {
    let cameras_of_sector = cameras_of_sectors(rig);
    let mut problems = BTreeMap::new();
    let mut found = |rule: &'static str, frame: &ObservedFrame| {
        problems.entry(rule).or_insert(frame.time_s);
    };
    let mut last_seen = vec![None; rig.cameras().len()];
    for (index, frame) in frames.iter().enumerate() {
        let is_set_back = frame.reasons.contains(HealthReasons::TIME_REVERSED);
        if is_set_back {
            last_seen.fill(None);
        }
        if let Some(before) = index.checked_sub(1).map(|before| &frames[before]) {
            if frame.sequence != before.sequence + 1 {
                found("sequence numbers rise by one", frame);
            }
            if frame.stamp_ns <= before.stamp_ns && !is_set_back {
                found("stamps rise", frame);
            }
            if frame.time_s - before.time_s > LONGEST_SILENCE_S {
                found("frames keep coming", frame);
            }
        }
        for (&(state, stamp_ns), last) in frame.cameras.iter().zip(&mut last_seen) {
            if state == CameraState::Ok {
                if last.is_some_and(|last| stamp_ns <= last) {
                    found("a camera that is seen has a newer image", frame);
                }
                *last = Some(stamp_ns);
            }
        }
        for (state, cameras) in frame.sectors.iter().zip(&cameras_of_sector) {
            let is_seen = |&camera: &usize| {
                frame
                    .cameras
                    .get(camera)
                    .is_some_and(|(s, _)| *s == CameraState::Ok)
            };
            if *state == CoverageState::SeenNow && !cameras.iter().any(is_seen) {
                found(
                    "what no camera of the frame looks at is not seen now",
                    frame,
                );
            }
        }
        let knows_motion = matches!(
            frame.ego_motion,
            EgoMotionState::Ok | EgoMotionState::Extrapolated | EgoMotionState::Frozen
        );
        let has_history = frame.sectors.contains(&CoverageState::History);
        if !knows_motion && (frame.valid_slots > 0 || has_history) {
            found("without known motion nothing is known from history", frame);
        }
        let claims = frame.sectors.iter().any(|s| *s != CoverageState::Unseen);
        if frame.state == HealthState::Fault && (frame.elements > 0 || claims) {
            found("a fault carries no elements and claims no coverage", frame);
        }
        let should_be = if frame.reasons.intersects(HealthReasons::FAULTS) {
            HealthState::Fault
        } else if frame.reasons.is_empty() {
            HealthState::Ok
        } else {
            HealthState::Degraded
        };
        if frame.state != should_be {
            found("state and reasons agree", frame);
        }
        if !frame.is_finite {
            found("every number is finite", frame);
        }
    }
    let text = |(rule, time_s): (&str, f64)| format!("broken at {time_s:.2} s: {rule}");
    problems.into_iter().map(text).collect()
}

/// The cameras that see any of a sector, by sector.
fn cameras_of_sectors(rig: &Rig) -> Vec<Vec<usize>> {
    let sector_rad = std::f64::consts::TAU / COVERAGE_SECTORS as f64;
    (0..COVERAGE_SECTORS)
        .map(|sector| {
            let sees = |camera: &usize| {
                let camera = &rig.cameras()[*camera];
                (0..=8).any(|part| {
                    let bearing = (sector as f64 + f64::from(part) / 8.0) * sector_rad;
                    // Close to the vehicle a step is as wide as a cell.
                    let near = (1..=24).map(|step| 0.5 * f64::from(step));
                    let far = (7..=40).map(|step| 2.0 * f64::from(step));
                    near.chain(far).any(|range_m| {
                        [-0.5, 0.0, 1.0, 2.0, 3.0].iter().any(|&z_m| {
                            let (x_m, y_m) = (range_m * bearing.cos(), range_m * bearing.sin());
                            camera.project_within(&Point3::new(x_m, y_m, z_m)).is_some()
                        })
                    })
                })
            };
            (0..rig.cameras().len()).filter(sees).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevrt_calibration::rigs;

    /// A sound frame of six cameras, with everything seen.
    fn frame(number: u64) -> ObservedFrame {
        let stamp_ns = 1_000_000_000 + 100_000_000 * number as i64;
        ObservedFrame {
            time_s: 0.1 * number as f64,
            sequence: number,
            stamp_ns,
            state: HealthState::Ok,
            reasons: HealthReasons::NONE,
            cameras: vec![(CameraState::Ok, stamp_ns); 6],
            ego_motion: EgoMotionState::Ok,
            valid_slots: 4,
            sectors: vec![CoverageState::SeenNow; COVERAGE_SECTORS],
            elements: 3,
            is_finite: true,
            hash: number,
        }
    }

    fn broken(change: impl Fn(&mut ObservedFrame)) -> String {
        let mut frames = [frame(0), frame(1), frame(2)];
        change(&mut frames[1]);
        invariants(&frames, &rigs::six_pinhole()).join("; ")
    }

    #[test]
    fn sound_frames_break_no_rule() {
        assert_eq!(broken(|_| {}), "");
    }

    #[test]
    fn each_rule_is_broken_by_what_it_forbids() {
        let lost = |frame: &mut ObservedFrame| {
            frame.cameras[0].0 = CameraState::Missing;
            frame.state = HealthState::Degraded;
            frame.reasons = HealthReasons::CAMERA_MISSING;
        };
        assert!(broken(|f| f.sequence = 7).contains("sequence numbers"));
        assert!(broken(|f| f.stamp_ns = 0).contains("stamps rise"));
        assert!(broken(|f| f.time_s = 0.9).contains("keep coming"));
        assert!(broken(|f| f.cameras[3].1 = 1_000_000_000).contains("newer image"));
        assert!(broken(lost).contains("not seen now"));
        assert!(broken(|f| f.is_finite = false).contains("finite"));
        assert!(broken(|f| f.state = HealthState::Degraded).contains("agree"));
        let unknown = |f: &mut ObservedFrame| f.ego_motion = EgoMotionState::Stale;
        assert!(broken(unknown).contains("from history"));
        let fault = |f: &mut ObservedFrame| {
            f.state = HealthState::Fault;
            f.reasons = HealthReasons::ENGINE_FAILED;
        };
        assert!(broken(fault).contains("no elements"));
    }

    #[test]
    fn the_state_of_another_camera_than_the_named_one_does_not_count() {
        let scenario = |camera: &str| {
            let text = format!(
                "name = \"x\"\n[[fault]]\nkind = \"camera_black\"\ncamera = \"{camera}\"\n\
                 from_s = 0.5\nto_s = 1.0\n[expect]\nstate = \"degraded\"\n\
                 reasons = [\"camera_blind\"]\ncamera_state = \"blind\""
            );
            Scenario::from_toml_str(&text, "x.toml".as_ref()).expect("it is sound")
        };
        let mut frames: Vec<_> = (0..15).map(frame).collect();
        for frame in &mut frames[5..10] {
            frame.cameras[2].0 = CameraState::Blind;
            frame.state = HealthState::Degraded;
            frame.reasons = HealthReasons::CAMERA_BLIND;
            frame.sectors.fill(CoverageState::History);
        }
        let run = Run {
            frames,
            ..Run::default()
        };
        let rig = rigs::six_pinhole();
        for (camera, is_named) in rig.cameras().iter().zip([false, false, true, false]) {
            let row = row(&scenario(&camera.name), &rig, &run, None);
            assert_eq!(
                row.verdict == Verdict::Passed,
                is_named,
                "{:?}",
                row.verdict
            );
        }
    }

    #[test]
    fn what_lost_cameras_alone_look_at_may_be_unseen() {
        let looks_ahead = cameras_of_sectors(&rigs::six_pinhole());
        assert_eq!(
            looks_ahead[0],
            [0],
            "the front camera alone looks straight ahead"
        );
        let honest = broken(|frame| {
            frame.cameras[0].0 = CameraState::Missing;
            frame.state = HealthState::Degraded;
            frame.reasons = HealthReasons::CAMERA_MISSING;
            for (sector, cameras) in frame.sectors.iter_mut().zip(&looks_ahead) {
                if cameras[..] == [0] {
                    *sector = CoverageState::History;
                }
            }
        });
        assert_eq!(honest, "");
    }
}
