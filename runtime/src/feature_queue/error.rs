//! What can be wrong with a queue.

use std::fmt;

use crate::frame::MAX_SLOTS;
use crate::manifest::{QueueSection, QueueStorage};

/// Why a map was not stored, or the history not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueError {
    /// The map has not the length of the queue's maps.
    MapLength,
    /// The output has not the length of the aligned history.
    OutputLength,
    /// The state has not one entry for each slot.
    StateLength,
    /// A map of this or a later stamp is stored already: a seek needs a reset.
    Backwards,
    /// The map holds a value that is not a number, or infinite.
    NotFinite,
}

/// Why a queue cannot be made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QueueSetupError {
    /// The field of the queue's section.
    pub field: &'static str,
    /// What is possible.
    pub expected: &'static str,
    /// The value found.
    pub found: f64,
}

pub(super) fn check_section(section: &QueueSection) -> Result<(), QueueSetupError> {
    let check = |is_possible: bool, field, expected, found| {
        if is_possible {
            Ok(())
        } else {
            Err(QueueSetupError {
                field,
                expected,
                found,
            })
        }
    };
    let (rows, cols) = (section.grid.rows, section.grid.cols);
    check(
        (1..=4096).contains(&rows),
        "grid.rows",
        "1 to 4096",
        rows as f64,
    )?;
    check(
        (1..=4096).contains(&cols),
        "grid.cols",
        "1 to 4096",
        cols as f64,
    )?;
    let cell_m = section.grid.cell_m;
    check(
        cell_m.is_finite() && cell_m > 0.0,
        "grid.cell_m",
        "a positive length",
        cell_m,
    )?;
    let channels = section.channels;
    check(
        (1..=4096).contains(&channels),
        "channels",
        "1 to 4096",
        f64::from(channels),
    )?;
    let slots = section.slots as usize;
    check(
        (1..=MAX_SLOTS).contains(&slots),
        "slots",
        "1 to 8",
        slots as f64,
    )?;
    // A tenth of the stride is counted in whole nanoseconds.
    let stride_s = section.stride_s;
    check(
        (1e-3..=60.0).contains(&stride_s),
        "stride_s",
        "0.001 to 60 s",
        stride_s,
    )?;
    if let QueueStorage::U8 { scale, .. } = section.storage {
        let is_possible = scale.is_finite() && scale > 0.0;
        check(
            is_possible,
            "storage.scale",
            "a positive number",
            f64::from(scale),
        )?;
    }
    Ok(())
}

impl fmt::Display for QueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MapLength => "the map has not the length of the queue's maps",
            Self::OutputLength => "the output has not the length of the aligned history",
            Self::StateLength => "the state has not one entry for each slot",
            Self::Backwards => "a map of this or a later stamp is stored already",
            Self::NotFinite => "the map holds a value that is not a finite number",
        })
    }
}

impl std::error::Error for QueueError {}

impl fmt::Display for QueueSetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            field,
            expected,
            found,
        } = self;
        write!(
            f,
            "feature queue, {field}: expected {expected}, found {found}"
        )
    }
}

impl std::error::Error for QueueSetupError {}
