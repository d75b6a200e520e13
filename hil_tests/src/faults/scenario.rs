//! A scenario: a drive, faults with their times, and what is expected.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use bevrt_calibration::Rig;
use bevrt_runtime::{CameraState, HealthReasons, HealthState};
use serde::Deserialize;

use super::kind::{ALL_CAMERAS, Fault, FaultKind};

/// A scenario as its file tells it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name in tables.
    pub name: String,
    /// The drive.
    #[serde(default)]
    pub drive: DriveSection,
    /// What fails; nothing in a clean drive.
    #[serde(default, rename = "fault")]
    pub faults: Vec<Fault>,
    /// What must follow.
    #[serde(default)]
    pub expect: Expectation,
}

/// The simulated drive of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DriveSection {
    /// Its seed.
    pub seed: u64,
    /// Its length.
    pub duration_s: f64,
    /// Frame sets a second.
    pub rate_hz: f64,
}

impl Default for DriveSection {
    fn default() -> Self {
        Self {
            seed: 950_002,
            duration_s: 3.5,
            rate_hz: 10.0,
        }
    }
}

/// What must follow from the faults, beside what holds for every frame.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expectation {
    /// State of health while it lasts: `degraded` or `fault`; `ok` where it is not noticed.
    pub state: String,
    /// Reasons that must all be given.
    pub reasons: Vec<String>,
    /// Reasons that may be given, too.
    pub may: Vec<String>,
    /// The worst state that may come at times.
    pub may_state: Option<String>,
    /// State of each camera that a fault names.
    pub camera_state: Option<String>,
    /// From the stamp of any frame to its coming out, at most.
    pub max_age_s: Option<f64>,
    /// Frames from the beginning on of which one must say so.
    pub within_frames: usize,
    /// Whether every frame from then on to the end says so; not where the fault comes and goes.
    pub is_steady: bool,
    /// Time from the end of the fault until health is ok for good.
    pub recovered_within_s: f64,
    /// Why nothing can be noticed.
    pub unnoticed: Option<String>,
    /// Whether the frames are those of the same drive without the fault, byte by byte.
    pub same_frames: bool,
    /// What the refusal of a damaged package names.
    pub refusal: Option<String>,
}

impl Default for Expectation {
    fn default() -> Self {
        Self {
            state: HealthState::Ok.name().to_owned(),
            reasons: Vec::new(),
            may: Vec::new(),
            may_state: None,
            camera_state: None,
            max_age_s: None,
            within_frames: 1,
            is_steady: true,
            recovered_within_s: 0.15,
            unnoticed: None,
            same_frames: false,
            refusal: None,
        }
    }
}

/// Why a scenario cannot be read.
#[derive(Debug)]
pub struct ScenarioError {
    file: PathBuf,
    problem: String,
}

impl ScenarioError {
    fn new(file: &Path, problem: impl Into<String>) -> Self {
        Self {
            file: file.to_path_buf(),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.problem)
    }
}

impl Error for ScenarioError {}

impl Scenario {
    /// Reads a scenario; errors name `file`.
    ///
    /// # Errors
    /// It is no scenario, a time lies outside of the drive, or a name is unknown.
    pub fn from_toml_str(text: &str, file: &Path) -> Result<Self, ScenarioError> {
        let scenario: Self =
            toml::from_str(text).map_err(|error| ScenarioError::new(file, error.to_string()))?;
        scenario
            .check()
            .map_err(|problem| ScenarioError::new(file, problem))?;
        Ok(scenario)
    }

    /// Reads a scenario file.
    ///
    /// # Errors
    /// As [`Self::from_toml_str`], or the file cannot be read.
    pub fn from_toml_file(file: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| ScenarioError::new(file, error.to_string()))?;
        Self::from_toml_str(&text, file)
    }

    /// Reads scenario files, and all `.toml` files of folders, by name.
    ///
    /// # Errors
    /// As [`Self::from_toml_file`], or there is none.
    pub fn from_paths(paths: &[PathBuf]) -> Result<Vec<Self>, ScenarioError> {
        let mut scenarios = Vec::new();
        for path in paths {
            if path.is_dir() {
                for file in toml_files(path)? {
                    scenarios.push(Self::from_toml_file(&file)?);
                }
            } else {
                scenarios.push(Self::from_toml_file(path)?);
            }
        }
        Ok(scenarios)
    }

    /// Beginning of the first fault; the end of the drive where there is none.
    pub fn begin_s(&self) -> f64 {
        let begins = self.faults.iter().map(|fault| fault.from_s);
        begins.fold(self.drive.duration_s, f64::min)
    }

    /// End of the last fault; the beginning of the drive where there is none.
    ///
    /// A step of all clocks together is over at once: from then on they agree again.
    pub fn end_s(&self) -> f64 {
        let end = |fault: &Fault| match fault.kind {
            FaultKind::TimeStep { .. } => fault.from_s,
            _ => fault.to_s,
        };
        self.faults.iter().map(end).fold(0.0, f64::max)
    }

    /// Whether it shows only where the drive runs in real time.
    pub fn needs_real_time(&self) -> bool {
        self.faults.iter().any(|fault| fault.kind.needs_real_time())
    }

    /// Whether it is the package that fails, before any drive.
    pub fn is_about_package(&self) -> bool {
        self.faults
            .iter()
            .any(|fault| matches!(fault.kind, FaultKind::PackageDamaged { .. }))
    }

    /// # Errors
    /// A fault names a camera that the rig does not have.
    pub(super) fn check_cameras(&self, rig: &Rig) -> Result<(), String> {
        for camera in self.faults.iter().flat_map(|fault| fault.kind.cameras()) {
            if camera != ALL_CAMERAS && rig.index_of(camera).is_none() {
                let known: Vec<_> = rig.cameras().iter().map(|c| c.name.as_str()).collect();
                return Err(format!(
                    "camera: expected {ALL_CAMERAS} or one of {}, found {camera:?}",
                    known.join(", ")
                ));
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        let drive = &self.drive;
        if !(drive.duration_s > 0.0 && drive.duration_s < 3600.0) {
            return Err(format!(
                "drive.duration_s: expected 0 to 3600, found {}",
                drive.duration_s
            ));
        }
        if !(1.0..=60.0).contains(&drive.rate_hz) {
            return Err(format!(
                "drive.rate_hz: expected 1 to 60, found {}",
                drive.rate_hz
            ));
        }
        for fault in &self.faults {
            let is_package = matches!(fault.kind, FaultKind::PackageDamaged { .. });
            let is_ordered = 0.0 <= fault.from_s && fault.from_s < fault.to_s;
            let is_within = is_ordered && fault.to_s <= drive.duration_s;
            if !is_package && !is_within {
                return Err(format!(
                    "fault: expected 0 <= from_s < to_s <= {}, found {} and {}",
                    drive.duration_s, fault.from_s, fault.to_s
                ));
            }
        }
        self.expect.check()?;
        let names_camera = |fault: &Fault| !fault.kind.cameras().is_empty();
        if self.expect.camera_state.is_some() && !self.faults.iter().any(names_camera) {
            return Err("expect.camera_state: expected a fault of a camera, found none".into());
        }
        match (self.is_about_package(), &self.expect.refusal) {
            (true, None) => {
                Err("expect.refusal: expected what the refusal names, found nothing".into())
            }
            (false, Some(_)) => {
                Err("expect.refusal: expected a fault of the package, found none".into())
            }
            _ => Ok(()),
        }
    }
}

impl Expectation {
    /// State of health while the fault lasts.
    pub fn health_state(&self) -> HealthState {
        HealthState::from_name(&self.state).unwrap_or(HealthState::Ok)
    }

    /// The reasons that must be given.
    pub fn health_reasons(&self) -> HealthReasons {
        reasons_of(&self.reasons)
    }

    /// Reasons that may be given, too.
    pub fn allowed_reasons(&self) -> HealthReasons {
        reasons_of(&self.may)
    }

    /// The worst state that may come at times.
    pub fn worst_state(&self) -> HealthState {
        let named = self.may_state.as_deref().and_then(HealthState::from_name);
        named.unwrap_or(HealthState::Ok)
    }

    /// State of each camera that a fault names.
    pub fn camera_state(&self) -> Option<CameraState> {
        CameraState::from_name(self.camera_state.as_deref()?)
    }

    fn check(&self) -> Result<(), String> {
        for found in [Some(&self.state), self.may_state.as_ref()]
            .into_iter()
            .flatten()
        {
            if HealthState::from_name(found).is_none() {
                return Err(format!(
                    "expect.state: expected ok, degraded or fault, found {found:?}"
                ));
            }
        }
        let known = |name: &String| HealthReasons::ALL.iter().any(|(_, known)| known == name);
        let named = self.reasons.iter().chain(&self.may);
        if let Some(found) = named.into_iter().find(|name| !known(name)) {
            let names: Vec<_> = HealthReasons::ALL.iter().map(|(_, name)| *name).collect();
            return Err(format!(
                "expect.reasons: expected some of {}, found {found:?}",
                names.join(", ")
            ));
        }
        if let Some(found) = &self.camera_state
            && CameraState::from_name(found).is_none()
        {
            let names: Vec<_> = CameraState::ALL.iter().map(|state| state.name()).collect();
            return Err(format!(
                "expect.camera_state: expected one of {}, found {found:?}",
                names.join(", ")
            ));
        }
        let is_noticed = self.health_state() != HealthState::Ok;
        if is_noticed == self.reasons.is_empty() {
            return Err(
                "expect: expected reasons with a state other than ok, and none with it".into(),
            );
        }
        if is_noticed && self.unnoticed.is_some() {
            return Err("expect.unnoticed: expected nowhere but with the state ok".into());
        }
        Ok(())
    }
}

fn reasons_of(wanted: &[String]) -> HealthReasons {
    let mut reasons = HealthReasons::NONE;
    for (reason, name) in HealthReasons::ALL {
        if wanted.iter().any(|wanted| wanted == name) {
            reasons.insert(*reason);
        }
    }
    reasons
}

fn toml_files(folder: &Path) -> Result<Vec<PathBuf>, ScenarioError> {
    let unreadable = |error: std::io::Error| ScenarioError::new(folder, error.to_string());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(ScenarioError::new(
            folder,
            "expected .toml files, found none",
        ));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Scenario, String> {
        Scenario::from_toml_str(text, Path::new("s.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_scenario_is_read_as_it_is_written() {
        let scenario = read(
            r#"
            name = "front lost"
            drive = { seed = 950003, duration_s = 4 }
            [[fault]]
            kind = "camera_lost"
            camera = "front"
            from_s = 2
            to_s = 3.5
            [expect]
            state = "degraded"
            reasons = ["camera_missing", "reference_missing"]
            "#,
        )
        .expect("it is sound");
        assert_eq!((scenario.begin_s(), scenario.end_s()), (2.0, 3.5));
        assert_eq!(scenario.drive.rate_hz, 10.0);
        assert!(scenario.faults[0].kind.strikes("front"));
        assert!(scenario.faults[0].is_at(2.0) && !scenario.faults[0].is_at(3.5));
        assert_eq!(scenario.expect.health_state(), HealthState::Degraded);
        let reasons = scenario.expect.health_reasons();
        assert!(reasons.contains(HealthReasons::REFERENCE_MISSING));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let fault = |text: &str| format!("name = \"x\"\n[[fault]]\n{text}");
        for (text, named) in [
            ("name = \"x\"\nnmae = 1".to_owned(), "nmae"),
            (
                fault("kind = \"camera_gone\"\nfrom_s = 1\nto_s = 2"),
                "camera_gone",
            ),
            (
                fault("kind = \"camera_lost\"\nfrom_s = 1\nto_s = 2"),
                "camera",
            ),
            (fault("kind = \"ego_motion_lost\"\nto_s = 2"), "from_s"),
            (
                fault("kind = \"ego_motion_lost\"\nfrom_s = 2\nto_s = 1"),
                "from_s",
            ),
            (
                fault("kind = \"ego_motion_lost\"\nfrom_s = 2\nto_s = 99"),
                "3.5",
            ),
            (
                fault("kind = \"ego_motion_nan\"\nspeed = 1.0\nfrom_s = 1\nto_s = 2"),
                "speed",
            ),
            ("name = \"x\"\n[expect]\nstate = \"bad\"".to_owned(), "bad"),
            (
                "name = \"x\"\n[expect]\nstate = \"fault\"".to_owned(),
                "reasons",
            ),
            (
                "name = \"x\"\n[expect]\nreasons = [\"sad\"]".to_owned(),
                "sad",
            ),
            (
                fault(
                    "kind = \"ego_motion_lost\"\nfrom_s = 1\nto_s = 2\n[expect]\ncamera_state = \"missing\"",
                ),
                "camera_state",
            ),
            (
                "name = \"x\"\n[expect]\nrefusal = \"sha256\"".to_owned(),
                "refusal",
            ),
        ] {
            let error = read(&text).expect_err(named);
            assert!(
                error.starts_with("s.toml") && error.contains(named),
                "{error}"
            );
        }
    }
}
