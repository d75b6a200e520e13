use std::f64::consts::{FRAC_PI_2, PI};

use nalgebra::{Matrix2, Matrix4, Vector2, Vector4};

use super::filter::{HeadingFilter, MotionFilter};
use crate::heads::{ObjectDetection, ObjectGroup, ObjectSigma};
use crate::time::Stamp;
use crate::tracking::planar::{PlanarPose, wrapped};
use crate::tracking::tracks::TrackedObject;

const CLASSES: usize = 8;
/// A network is surer of itself than errors that repeat from frame to frame allow.
const LEAST_POSITION_SIGMA_M: f64 = 0.15;
const LEAST_VELOCITY_SIGMA_MPS: f64 = 0.3;
const LEAST_YAW_SIGMA_RAD: f64 = 0.05;
/// Deviation of a measured turning rate, for which the network gives none.
const YAW_RATE_SIGMA_RADPS: f64 = 0.2;
/// Detections of the opposite heading that turn a track round.
const FLIPPING_HITS: u32 = 3;
/// Share of the latest detection in confidence and class.
const LATEST_SHARE: f32 = 0.4;
/// Least share of the latest detection in size and height.
const LEAST_SIZE_SHARE: f32 = 0.1;

/// One followed object, in the odometry frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Track {
    id: u32,
    first_seen: Stamp,
    last_seen: Stamp,
    hits: u32,
    confidence: f32,
    class_votes: [f32; CLASSES],
    motion: MotionFilter,
    heading: HeadingFilter,
    opposite_hits: u32,
    z_m: f32,
    size_m: [f32; 3],
    /// Of the latest detection, except for the size, which is smoothed.
    sigma: ObjectSigma,
}

impl Track {
    pub(super) fn new(
        id: u32,
        stamp: Stamp,
        pose: &PlanarPose,
        detection: &ObjectDetection,
    ) -> Self {
        let mut class_votes = [0.0; CLASSES];
        class_votes[usize::from(detection.class)] = detection.confidence;
        let yaw = deviation(detection.sigma.yaw_rad, LEAST_YAW_SIGMA_RAD);
        Self {
            id,
            first_seen: stamp,
            last_seen: stamp,
            hits: 1,
            confidence: detection.confidence,
            class_votes,
            motion: MotionFilter {
                state: measured(pose, detection),
                spread: measurement_noise(pose, detection),
            },
            heading: HeadingFilter {
                state: Vector2::new(
                    wrapped(pose.yaw_rad + f64::from(detection.yaw_rad)),
                    f64::from(detection.yaw_rate_radps),
                ),
                spread: Matrix2::new(yaw * yaw, 0.0, 0.0, YAW_RATE_SIGMA_RADPS.powi(2)),
            },
            opposite_hits: 0,
            z_m: detection.position_m[2],
            size_m: detection.size_m,
            sigma: detection.sigma,
        }
    }

    pub(super) fn last_seen(&self) -> Stamp {
        self.last_seen
    }

    pub(super) fn hits(&self) -> u32 {
        self.hits
    }

    pub(super) fn confidence(&self) -> f32 {
        self.confidence
    }

    /// The class that most confidence was given to.
    pub(super) fn class(&self) -> u8 {
        let mut best = 0;
        for (class, votes) in self.class_votes.iter().enumerate() {
            if *votes > self.class_votes[best] {
                best = class;
            }
        }
        best as u8
    }

    pub(super) fn predict(&mut self, dt_s: f64) {
        let noise = Unknown::of(ObjectGroup::of(self.class()));
        self.motion
            .predict(dt_s, self.heading.state[1], noise.acceleration);
        self.heading.predict(dt_s, noise.turn_acceleration);
        self.heading.state[0] = wrapped(self.heading.state[0]);
    }

    pub(super) fn fade(&mut self, share: f32) {
        self.confidence *= share;
    }

    /// From where the track is expected to a point of the odometry frame.
    pub(super) fn offset_to(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [x - self.motion.state[0], y - self.motion.state[1]]
    }

    /// Squared Mahalanobis distance of a detection that lies at `position`.
    pub(super) fn squared_distance(
        &self,
        position: [f64; 2],
        detection: &ObjectDetection,
        pose: &PlanarPose,
    ) -> f64 {
        let noise = measurement_noise(pose, detection);
        let spread = (self.motion.spread + noise)
            .fixed_view::<2, 2>(0, 0)
            .into_owned();
        let offset = Vector2::from(self.offset_to(position));
        spread
            .try_inverse()
            .map_or(f64::INFINITY, |inverse| offset.dot(&(inverse * offset)))
    }

    pub(super) fn position_in_ego(&self, pose: &PlanarPose) -> [f32; 2] {
        pose.point_to_ego([self.motion.state[0], self.motion.state[1]])
    }

    pub(super) fn update(&mut self, stamp: Stamp, pose: &PlanarPose, detection: &ObjectDetection) {
        self.last_seen = stamp;
        self.hits = self.hits.saturating_add(1);
        self.motion.update(
            &measured(pose, detection),
            &measurement_noise(pose, detection),
        );
        self.update_heading(pose, detection);
        self.confidence += LATEST_SHARE * (detection.confidence - self.confidence);
        for votes in &mut self.class_votes {
            *votes *= 1.0 - LATEST_SHARE;
        }
        self.class_votes[usize::from(detection.class)] += LATEST_SHARE * detection.confidence;
        let share = (1.0 / self.hits as f32).max(LEAST_SIZE_SHARE);
        let blend = |old: &mut f32, new: f32| *old += share * (new - *old);
        blend(&mut self.z_m, detection.position_m[2]);
        let mut size_relative = self.sigma.size_relative;
        blend(&mut size_relative, detection.sigma.size_relative);
        self.sigma = ObjectSigma {
            size_relative,
            ..detection.sigma
        };
        for (old, new) in self.size_m.iter_mut().zip(detection.size_m) {
            blend(old, new);
        }
    }

    /// A single detection of the opposite heading is taken as a mix-up of front and back.
    fn update_heading(&mut self, pose: &PlanarPose, detection: &ObjectDetection) {
        let yaw = pose.yaw_rad + f64::from(detection.yaw_rad);
        let mut off = wrapped(yaw - self.heading.state[0]);
        if off.abs() > FRAC_PI_2 {
            self.opposite_hits += 1;
            if self.opposite_hits >= FLIPPING_HITS {
                self.opposite_hits = 0;
                self.heading.state[0] = wrapped(self.heading.state[0] + PI);
            }
            off = if off > 0.0 { off - PI } else { off + PI };
        } else {
            self.opposite_hits = 0;
        }
        let rate_off = f64::from(detection.yaw_rate_radps) - self.heading.state[1];
        let deviations = [
            deviation(detection.sigma.yaw_rad, LEAST_YAW_SIGMA_RAD),
            YAW_RATE_SIGMA_RADPS,
        ];
        self.heading
            .update(&Vector2::new(off, rate_off), deviations);
        self.heading.state[0] = wrapped(self.heading.state[0]);
    }

    /// The track in the ego frame.
    ///
    /// Errors of a network repeat from frame to frame, which the filter takes for certainty; so no
    /// deviation is reported that is smaller than the network's own.
    pub(super) fn report(&self, stamp: Stamp, pose: &PlanarPose) -> TrackedObject {
        let [x, y] = self.position_in_ego(pose);
        let state = &self.motion.state;
        let spread = &self.motion.spread;
        let axes = |k: usize, of_network: [f32; 2]| {
            let [xx, _, yy] =
                pose.spread_to_ego([spread[(k, k)], spread[(k, k + 1)], spread[(k + 1, k + 1)]]);
            [
                of_network[0].max(xx.sqrt() as f32),
                of_network[1].max(yy.sqrt() as f32),
            ]
        };
        let unseen = stamp.since(self.last_seen);
        TrackedObject {
            object: ObjectDetection {
                class: self.class(),
                confidence: self.confidence,
                position_m: [x, y, self.z_m],
                size_m: self.size_m,
                yaw_rad: wrapped(self.heading.state[0] - pose.yaw_rad) as f32,
                velocity_mps: pose.vector_to_ego([state[2], state[3]]),
                yaw_rate_radps: self.heading.state[1] as f32,
                sigma: ObjectSigma {
                    position_m: axes(0, self.sigma.position_m),
                    yaw_rad: self
                        .sigma
                        .yaw_rad
                        .max(self.heading.spread[(0, 0)].sqrt() as f32),
                    velocity_mps: axes(2, self.sigma.velocity_mps),
                    size_relative: self.sigma.size_relative,
                },
            },
            id: self.id,
            age_s: stamp.since(self.first_seen).seconds() as f32,
            unseen_s: unseen.seconds() as f32,
            is_coasting: stamp != self.last_seen,
        }
    }
}

/// What the motion model does not know, as standard deviations.
struct Unknown {
    acceleration: f64,
    turn_acceleration: f64,
}

impl Unknown {
    const fn of(group: ObjectGroup) -> Self {
        let (acceleration, turn_acceleration) = match group {
            ObjectGroup::Vehicle => (1.8, 0.5),
            ObjectGroup::TwoWheeler => (1.8, 1.0),
            ObjectGroup::Pedestrian => (1.2, 2.0),
            ObjectGroup::Cone => (0.1, 0.1),
        };
        Self {
            acceleration,
            turn_acceleration,
        }
    }
}

fn deviation(sigma: f32, least: f64) -> f64 {
    f64::from(sigma).max(least)
}

fn measured(pose: &PlanarPose, detection: &ObjectDetection) -> Vector4<f64> {
    let [x, y] = pose.point_to_odom(detection.position_m[0], detection.position_m[1]);
    let [vx, vy] = pose.vector_to_odom(detection.velocity_mps[0], detection.velocity_mps[1]);
    Vector4::new(x, y, vx, vy)
}

fn measurement_noise(pose: &PlanarPose, detection: &ObjectDetection) -> Matrix4<f64> {
    let sigma = &detection.sigma;
    let mut noise = Matrix4::zeros();
    for (k, sigmas, least) in [
        (0, sigma.position_m, LEAST_POSITION_SIGMA_M),
        (2, sigma.velocity_mps, LEAST_VELOCITY_SIGMA_MPS),
    ] {
        let [x, y] = sigmas.map(|sigma| deviation(sigma, least).powi(2));
        let [xx, xy, yy] = pose.spread_to_odom([x, 0.0, y]);
        noise[(k, k)] = xx;
        noise[(k, k + 1)] = xy;
        noise[(k + 1, k)] = xy;
        noise[(k + 1, k + 1)] = yy;
    }
    noise
}
