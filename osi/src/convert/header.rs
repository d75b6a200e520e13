//! What holds for a whole frame, and for each detection.

use bevrt_runtime::{HealthState, OutputFrame};

use crate::messages::kinds::{DataQualifier, MeasurementState};
use crate::messages::{DetectedEntityHeader, DetectedItemHeader};
use crate::values::{identity, probability, timestamp};

pub(super) fn of_frame(frame: &OutputFrame) -> DetectedEntityHeader {
    DetectedEntityHeader {
        measurement_time: Some(timestamp(frame.stamp_ns)),
        cycle_counter: Some(frame.sequence),
        data_qualifier: Some(qualifier(frame.health.state).into()),
    }
}

fn qualifier(state: u8) -> DataQualifier {
    match HealthState::try_from(state) {
        Ok(HealthState::Ok) => DataQualifier::Available,
        Ok(HealthState::Degraded) => DataQualifier::AvailableReduced,
        Ok(HealthState::Fault) => DataQualifier::NotAvailable,
        Err(_later_version) => DataQualifier::Unknown,
    }
}

/// The header of a detection, without an age.
pub(super) fn of_item(id: u32, confidence: f32, is_coasting: u8) -> DetectedItemHeader {
    let state = if is_coasting == 0 {
        MeasurementState::Measured
    } else {
        MeasurementState::Predicted
    };
    DetectedItemHeader {
        tracking_id: identity(id),
        existence_probability: probability(confidence),
        age: None,
        measurement_state: Some(state.into()),
    }
}
