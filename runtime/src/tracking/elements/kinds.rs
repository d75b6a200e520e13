use std::fmt::Debug;

use crate::heads::{ArrowDetection, CrosswalkDetection, StopLineDetection};

/// Kinds that elements of one head can have: every set of an arrow's four directions.
pub const KINDS: usize = 16;

/// An element that rests on the road and can be followed.
pub trait TrackableElement: Copy + Debug {
    /// Furthest that an element may lie from where it was remembered.
    const REACH_M: f64;
    /// How often a full turn holds the period of the direction.
    const DIRECTION_FOLDS: f64;

    /// Confidence in [0, 1].
    fn confidence(&self) -> f32;

    /// Centre in ego axes.
    fn position_m(&self) -> [f32; 3];

    /// Direction in the ego frame.
    fn heading_rad(&self) -> f32;

    /// Standard deviation of the centre.
    fn sigma_position_m(&self) -> f32;

    /// This detection with its sizes and its height mixed with those of `before`, where `gain` is the
    /// share of this detection.
    #[must_use]
    fn blended(&self, before: &Self, gain: f32) -> Self;

    /// Number of the element's kind, below 16; 0 where all are of one kind.
    fn kind(&self) -> usize {
        0
    }

    /// Makes it an element of this kind.
    fn set_kind(&mut self, kind: usize) {
        let _ = kind;
    }

    /// Sets the confidence.
    fn set_confidence(&mut self, confidence: f32);

    /// Sets centre (x, y), direction and deviation, and leaves the height alone.
    fn place(&mut self, position_m: [f32; 2], heading_rad: f32, sigma_m: f32);
}

fn mix(before: f32, now: f32, gain: f32) -> f32 {
    before + gain * (now - before)
}

impl TrackableElement for ArrowDetection {
    const REACH_M: f64 = 2.0;
    const DIRECTION_FOLDS: f64 = 1.0;

    fn confidence(&self) -> f32 {
        self.confidence
    }

    fn position_m(&self) -> [f32; 3] {
        self.position_m
    }

    fn heading_rad(&self) -> f32 {
        self.yaw_rad
    }

    fn sigma_position_m(&self) -> f32 {
        self.sigma_position_m
    }

    fn blended(&self, before: &Self, gain: f32) -> Self {
        let [x, y, z] = self.position_m;
        Self {
            position_m: [x, y, mix(before.position_m[2], z, gain)],
            ..*self
        }
    }

    fn kind(&self) -> usize {
        usize::from(self.directions) % KINDS
    }

    fn set_kind(&mut self, kind: usize) {
        self.directions = kind as u8;
    }

    fn set_confidence(&mut self, confidence: f32) {
        self.confidence = confidence;
    }

    fn place(&mut self, [x, y]: [f32; 2], heading_rad: f32, sigma_m: f32) {
        self.position_m = [x, y, self.position_m[2]];
        self.yaw_rad = heading_rad;
        self.sigma_position_m = sigma_m;
    }
}

impl TrackableElement for CrosswalkDetection {
    const REACH_M: f64 = 3.0;
    const DIRECTION_FOLDS: f64 = 2.0;

    fn confidence(&self) -> f32 {
        self.confidence
    }

    fn position_m(&self) -> [f32; 3] {
        self.position_m
    }

    fn heading_rad(&self) -> f32 {
        self.theta_rad
    }

    fn sigma_position_m(&self) -> f32 {
        self.sigma_position_m
    }

    fn blended(&self, before: &Self, gain: f32) -> Self {
        let [x, y, z] = self.position_m;
        Self {
            position_m: [x, y, mix(before.position_m[2], z, gain)],
            length_m: mix(before.length_m, self.length_m, gain),
            width_m: mix(before.width_m, self.width_m, gain),
            ..*self
        }
    }

    fn set_confidence(&mut self, confidence: f32) {
        self.confidence = confidence;
    }

    fn place(&mut self, [x, y]: [f32; 2], heading_rad: f32, sigma_m: f32) {
        self.position_m = [x, y, self.position_m[2]];
        self.theta_rad = heading_rad;
        self.sigma_position_m = sigma_m;
    }
}

impl TrackableElement for StopLineDetection {
    const REACH_M: f64 = 2.5;
    const DIRECTION_FOLDS: f64 = 2.0;

    fn confidence(&self) -> f32 {
        self.confidence
    }

    fn position_m(&self) -> [f32; 3] {
        self.position_m
    }

    fn heading_rad(&self) -> f32 {
        self.theta_rad
    }

    fn sigma_position_m(&self) -> f32 {
        self.sigma_position_m
    }

    fn blended(&self, before: &Self, gain: f32) -> Self {
        let [x, y, z] = self.position_m;
        Self {
            position_m: [x, y, mix(before.position_m[2], z, gain)],
            length_m: mix(before.length_m, self.length_m, gain),
            ..*self
        }
    }

    fn set_confidence(&mut self, confidence: f32) {
        self.confidence = confidence;
    }

    fn place(&mut self, [x, y]: [f32; 2], heading_rad: f32, sigma_m: f32) {
        self.position_m = [x, y, self.position_m[2]];
        self.theta_rad = heading_rad;
        self.sigma_position_m = sigma_m;
    }
}
