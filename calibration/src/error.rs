//! The error of set-up: which file, which camera, which field, what was expected, what was found.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

/// Why a calibration was refused.
///
/// Reads as `rig.toml: camera "front": fx_px: expected a positive finite number, found -3`; the parts
/// are there on their own too. File and camera are absent where the value came from code.
#[derive(Debug)]
pub struct CalibrationError(Box<Parts>);

/// Boxed, so that a `Result` stays small.
#[derive(Debug)]
struct Parts {
    file: Option<PathBuf>,
    camera: Option<String>,
    field: String,
    expected: String,
    found: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl CalibrationError {
    /// A refusal of `field`.
    pub fn new(
        field: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self(Box::new(Parts {
            file: None,
            camera: None,
            field: field.into(),
            expected: expected.into(),
            found: found.into(),
            source: None,
        }))
    }

    /// Names the file, unless a deeper level has done so.
    #[must_use]
    pub fn in_file(mut self, file: impl AsRef<Path>) -> Self {
        self.0
            .file
            .get_or_insert_with(|| file.as_ref().to_path_buf());
        self
    }

    /// Names the camera, unless a deeper level has done so.
    #[must_use]
    pub fn in_camera(mut self, camera: impl Into<String>) -> Self {
        self.0.camera.get_or_insert_with(|| camera.into());
        self
    }

    /// Says where a field stands within an outer one: `ego_from_cam` + `rotation`.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        self.0.field = format!("{outer}.{}", self.0.field);
        self
    }

    /// Keeps the error that lies below.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The file that was read.
    pub fn file(&self) -> Option<&Path> {
        self.0.file.as_deref()
    }

    /// The camera it is about.
    pub fn camera(&self) -> Option<&str> {
        self.0.camera.as_deref()
    }

    /// The field it is about.
    pub fn field(&self) -> &str {
        &self.0.field
    }

    /// What would have been right.
    pub fn expected(&self) -> &str {
        &self.0.expected
    }

    /// What was there instead.
    pub fn found(&self) -> &str {
        &self.0.found
    }
}

impl fmt::Display for CalibrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.0.file {
            write!(f, "{}: ", file.display())?;
        }
        if let Some(camera) = &self.0.camera {
            write!(f, "camera {camera:?}: ")?;
        }
        write!(
            f,
            "{}: expected {}, found {}",
            self.0.field, self.0.expected, self.0.found
        )
    }
}

impl Error for CalibrationError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_file_camera_field_expected_and_found() {
        let error = CalibrationError::new("fx_px", "a positive finite number", "-3")
            .in_camera("front")
            .in_file("rig.toml")
            .in_file("outer.toml");
        assert_eq!(
            error.to_string(),
            "rig.toml: camera \"front\": fx_px: expected a positive finite number, found -3"
        );
    }
}
