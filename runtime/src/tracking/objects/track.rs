use std::f64::consts::{FRAC_PI_2, PI};

use nalgebra::{Matrix2, Matrix4, Vector2, Vector4};

use super::filter::{HeadingFilter, MotionFilter};
use crate::heads::{ObjectDetection, ObjectGroup, ObjectSigma};
use crate::time::Stamp;
use crate::tracking::planar::{PlanarPose, turned, wrapped};
use crate::tracking::tracks::TrackedObject;

const CLASSES: usize = 8;
/// Errors of an object's place and velocity repeat from frame to frame: what is found within this
/// time counts as one measurement.
const POSITION_REPEATS_S: f64 = 0.2;
const VELOCITY_REPEATS_S: f64 = 0.6;
/// Cameras know directions better than distances: deviation of the place across the ray from the
/// vehicle, relative to that along it.
const ACROSS_THE_RAY: f64 = 0.25;
const LEAST_POSITION_SIGMA_M: f64 = 0.15;
const LEAST_VELOCITY_SIGMA_MPS: f64 = 0.1;
const LEAST_YAW_SIGMA_RAD: f64 = 0.05;
/// Deviation of a measured turning rate, for which the network gives none.
const YAW_RATE_SIGMA_RADPS: f64 = 0.2;
/// Detections of the opposite heading that turn a track round.
const FLIPPING_HITS: u32 = 3;
/// From how many of its standard deviations on a speed tells a direction.
const SURE_OF_COURSE: f64 = 2.5;
const LEAST_WALK_MPS: f64 = 0.6;
const FASTEST_REVERSE_MPS: f64 = 3.0;
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
                spread: measurement_noise(pose, detection, f64::INFINITY),
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
        let unrest = Unrest::of(self.group());
        self.motion
            .predict(dt_s, self.heading.state[1], unrest.of_velocity);
        self.heading.predict(dt_s, unrest.of_yaw_rate);
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
        let spread = self.motion.spread.fixed_view::<2, 2>(0, 0) + place_noise(pose, detection);
        let offset = Vector2::from(self.offset_to(position));
        spread
            .try_inverse()
            .map_or(f64::INFINITY, |inverse| offset.dot(&(inverse * offset)))
    }

    pub(super) fn position_in_ego(&self, pose: &PlanarPose) -> [f32; 2] {
        pose.point_to_ego([self.motion.state[0], self.motion.state[1]])
    }

    pub(super) fn update(&mut self, stamp: Stamp, pose: &PlanarPose, detection: &ObjectDetection) {
        let since_s = stamp.since(self.last_seen).seconds();
        self.last_seen = stamp;
        self.hits = self.hits.saturating_add(1);
        self.motion.update(
            &measured(pose, detection),
            &measurement_noise(pose, detection, since_s),
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

    /// Takes in the heading. What moves tells it too: people face where they walk, which pictures
    /// hardly show, and nothing drives backwards fast.
    fn update_heading(&mut self, pose: &PlanarPose, detection: &ObjectDetection) {
        let found = pose.yaw_rad + f64::from(detection.yaw_rad);
        let of_network = deviation(detection.sigma.yaw_rad, LEAST_YAW_SIGMA_RAD);
        let course = self.course();
        let (yaw, deviation) = match course {
            Some((course, deviation)) if self.group() == ObjectGroup::Pedestrian => {
                (course, deviation)
            }
            Some((course, _)) if wrapped(found - course).abs() > FRAC_PI_2 => {
                (found + PI, of_network)
            }
            _ => (found, of_network),
        };
        let mut off = wrapped(yaw - self.heading.state[0]);
        if off.abs() > FRAC_PI_2 {
            self.opposite_hits += 1;
            if self.opposite_hits >= FLIPPING_HITS || course.is_some() {
                self.opposite_hits = 0;
                self.heading.state[0] = wrapped(self.heading.state[0] + PI);
            }
            // Either way the axis is what was measured.
            off = if off > 0.0 { off - PI } else { off + PI };
        } else {
            self.opposite_hits = 0;
        }
        let rate_off = f64::from(detection.yaw_rate_radps) - self.heading.state[1];
        self.heading.update(
            &Vector2::new(off, rate_off),
            [deviation, YAW_RATE_SIGMA_RADPS],
        );
        self.heading.state[0] = wrapped(self.heading.state[0]);
    }

    /// The direction of the velocity and its standard deviation, where it is fast enough to tell.
    fn course(&self) -> Option<(f64, f64)> {
        let (vx, vy) = (self.motion.state[2], self.motion.state[3]);
        let spread = &self.motion.spread;
        let deviation = (0.5 * (spread[(2, 2)] + spread[(3, 3)])).sqrt();
        let speed = vx.hypot(vy);
        let least = match self.group() {
            ObjectGroup::Pedestrian => LEAST_WALK_MPS,
            ObjectGroup::Vehicle | ObjectGroup::TwoWheeler => FASTEST_REVERSE_MPS,
            ObjectGroup::Cone => return None,
        };
        let is_sure = speed > least.max(SURE_OF_COURSE * deviation);
        is_sure.then(|| (vy.atan2(vx), (deviation / speed).max(LEAST_YAW_SIGMA_RAD)))
    }

    fn group(&self) -> ObjectGroup {
        ObjectGroup::of(self.class())
    }

    /// The track in the ego frame.
    ///
    /// Errors of a network outlast the filter's memory, so no deviation is reported that is smaller
    /// than the network's own; nor is that of the velocity larger, until the object goes unseen.
    pub(super) fn report(&self, stamp: Stamp, pose: &PlanarPose) -> TrackedObject {
        let [x, y] = self.position_in_ego(pose);
        let state = &self.motion.state;
        let spread = &self.motion.spread;
        let [xx, _, yy] = pose.spread_to_ego([spread[(0, 0)], spread[(0, 1)], spread[(1, 1)]]);
        let (place, of_network) = ([xx, yy].map(|v| v.sqrt() as f32), self.sigma.position_m);
        let unseen = stamp.since(self.last_seen);
        let strayed = (Unrest::of(self.group()).of_velocity * unseen.seconds()).sqrt() as f32;
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
                    position_m: [place[0].max(of_network[0]), place[1].max(of_network[1])],
                    yaw_rad: self
                        .sigma
                        .yaw_rad
                        .max(self.heading.spread[(0, 0)].sqrt() as f32),
                    velocity_mps: self.sigma.velocity_mps.map(|sigma| sigma.hypot(strayed)),
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

/// What the motion model does not know: the variance that velocity (m²/s³) and yaw rate (rad²/s³)
/// gain in a second.
struct Unrest {
    of_velocity: f64,
    of_yaw_rate: f64,
}

impl Unrest {
    const fn of(group: ObjectGroup) -> Self {
        let (of_velocity, of_yaw_rate) = match group {
            ObjectGroup::Vehicle => (1.3, 0.025),
            ObjectGroup::TwoWheeler => (1.3, 0.1),
            ObjectGroup::Pedestrian => (0.6, 0.4),
            ObjectGroup::Cone => (0.004, 0.001),
        };
        Self {
            of_velocity,
            of_yaw_rate,
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

/// Covariance of what was measured. It grows where the last measurement is so near, `since_s` ago,
/// that the errors are the same.
fn measurement_noise(pose: &PlanarPose, detection: &ObjectDetection, since_s: f64) -> Matrix4<f64> {
    let place = place_noise(pose, detection) * repeats(POSITION_REPEATS_S, since_s);
    let [x, y] = variances(detection.sigma.velocity_mps, LEAST_VELOCITY_SIGMA_MPS);
    let velocity = symmetric(pose.spread_to_odom([x, 0.0, y]));
    let velocity = velocity * repeats(VELOCITY_REPEATS_S, since_s);
    let mut noise = Matrix4::zeros();
    noise.fixed_view_mut::<2, 2>(0, 0).copy_from(&place);
    noise.fixed_view_mut::<2, 2>(2, 2).copy_from(&velocity);
    noise
}

/// Covariance of a measured place: the sum of the network's variances, long along the ray from the
/// vehicle.
fn place_noise(pose: &PlanarPose, detection: &ObjectDetection) -> Matrix2<f64> {
    let [x, y, _] = detection.position_m.map(f64::from);
    let (sin, cos) = y.atan2(x).sin_cos();
    let variances = variances(detection.sigma.position_m, LEAST_POSITION_SIGMA_M);
    let variance: f64 = variances.iter().sum();
    let along = variance / (1.0 + ACROSS_THE_RAY.powi(2));
    let in_ego = turned([along, 0.0, variance - along], sin, cos);
    symmetric(pose.spread_to_odom(in_ego))
}

fn variances(sigmas: [f32; 2], least: f64) -> [f64; 2] {
    sigmas.map(|sigma| deviation(sigma, least).powi(2))
}

/// How many measurements within `same_s` count as one, when they are `since_s` apart.
fn repeats(same_s: f64, since_s: f64) -> f64 {
    (same_s / since_s).max(1.0)
}

fn symmetric([xx, xy, yy]: [f64; 3]) -> Matrix2<f64> {
    Matrix2::new(xx, xy, xy, yy)
}
