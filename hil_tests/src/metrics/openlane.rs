//! The lane score of OpenLane: 3D lanes of one front camera, at fixed forward distances.
//!
//! Points are x right, y forward, z up, metres. This is not our lane score (see
//! [`LaneF1Tally`](super::LaneF1Tally)); it serves for comparison with published figures.

use nalgebra::{Matrix3, Matrix4, Vector3};

use super::assignment::min_cost_assignment;
use super::polyline::Point;

/// Forward distances of the compared points: 3, 4, …, 102 m.
const SAMPLES: usize = 100;
const FIRST_Y_M: f64 = 3.0;
const LAST_Y_M: f64 = 102.0;
/// Samples up to 40 m are near.
const NEAR_SAMPLES: usize = 38;
const HALF_WIDTH_M: f64 = 10.0;
const FARTHEST_Y_M: f64 = 200.0;
const DISTANCE_M: f64 = 1.5;
const SHARE: f64 = 0.75;
/// A left kerb is accepted for a right kerb.
const LEFT_KERB: i32 = 20;
const RIGHT_KERB: i32 = 21;

/// A lane of one side.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenLaneLine {
    /// Points, near to far.
    pub points: Vec<Point>,
    /// Class.
    pub category: i32,
}

/// A lane at the fixed distances.
struct Sampled {
    x_m: [f64; SAMPLES],
    z_m: [f64; SAMPLES],
    is_visible: [bool; SAMPLES],
    category: i32,
}

impl Sampled {
    fn visible(&self) -> usize {
        self.is_visible.iter().filter(|&&visible| visible).count()
    }
}

/// Errors of matched lanes at near and far samples; `None` where no sample is common.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OpenLaneErrors {
    /// Sideways, up to 40 m.
    pub x_near_m: Option<f64>,
    /// Sideways, beyond.
    pub x_far_m: Option<f64>,
    /// Upwards, up to 40 m.
    pub z_near_m: Option<f64>,
    /// Upwards, beyond.
    pub z_far_m: Option<f64>,
}

/// What one frame gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenLaneFrame {
    /// Places of the lanes of the ground truth that are left after cutting.
    pub kept_truths: Vec<usize>,
    /// Places of the predictions that are left.
    pub kept_predictions: Vec<usize>,
    /// Costs, `[truth][prediction]`.
    pub cost: Vec<Vec<i64>>,
    /// Pairs of least cost: truth, prediction, cost.
    pub assigned: Vec<(usize, usize, i64)>,
    /// Lanes of which enough is found.
    pub truths_found: usize,
    /// Predictions of which enough is right.
    pub predictions_right: usize,
    /// Matches with an accepted category.
    pub categories_right: usize,
    /// Errors of each match.
    pub errors: Vec<OpenLaneErrors>,
}

impl OpenLaneFrame {
    /// Compares the lanes of one frame. `is_visible` goes with the points of `truths`.
    pub fn new(truths: &[(OpenLaneLine, Vec<bool>)], predictions: &[OpenLaneLine]) -> Self {
        let (kept_truths, truths): (Vec<usize>, Vec<Sampled>) = truths
            .iter()
            .enumerate()
            .filter_map(|(place, (line, is_visible))| {
                let seen: Vec<Point> = line
                    .points
                    .iter()
                    .zip(is_visible)
                    .filter_map(|(point, &visible)| visible.then_some(*point))
                    .collect();
                (seen.len() >= 2)
                    .then(|| sample(&seen, line.category).map(|s| (place, s)))
                    .flatten()
            })
            .unzip();
        let (kept_predictions, predictions): (Vec<usize>, Vec<Sampled>) = predictions
            .iter()
            .enumerate()
            .filter_map(|(place, line)| Some((place, sample(&line.points, line.category)?)))
            .unzip();
        let mut frame = Self {
            kept_truths,
            kept_predictions,
            ..Self::default()
        };
        frame.compare(&truths, &predictions);
        frame
    }

    fn compare(&mut self, truths: &[Sampled], predictions: &[Sampled]) {
        if truths.is_empty() || predictions.is_empty() {
            return;
        }
        let pairs: Vec<Vec<Pair>> = truths
            .iter()
            .map(|truth| predictions.iter().map(|p| Pair::new(truth, p)).collect())
            .collect();
        self.cost = pairs
            .iter()
            .map(|row| row.iter().map(|pair| pair.cost).collect())
            .collect();
        let cost: Vec<Vec<f64>> = self
            .cost
            .iter()
            .map(|row| row.iter().map(|&cost| cost as f64).collect())
            .collect();
        self.assigned = min_cost_assignment(&cost)
            .into_iter()
            .enumerate()
            .filter_map(|(truth, column)| column.map(|p| (truth, p, self.cost[truth][p])))
            .collect();
        let most = (DISTANCE_M * SAMPLES as f64) as i64;
        for &(truth, prediction, cost) in &self.assigned {
            if cost >= most {
                continue;
            }
            let pair = &pairs[truth][prediction];
            let (truth, prediction) = (&truths[truth], &predictions[prediction]);
            let reached = |of: &Sampled| pair.near as f64 / of.visible() as f64 >= SHARE;
            self.truths_found += usize::from(reached(truth));
            self.predictions_right += usize::from(reached(prediction));
            let is_accepted = prediction.category == truth.category
                || (prediction.category == LEFT_KERB && truth.category == RIGHT_KERB);
            self.categories_right += usize::from(is_accepted);
            self.errors.push(pair.errors);
        }
    }
}

/// Cuts a lane to the region and takes it at the fixed distances.
fn sample(points: &[Point], category: i32) -> Option<Sampled> {
    let (first, last) = (points.first()?, points.last()?);
    if first[1] >= LAST_Y_M || last[1] <= FIRST_Y_M {
        return None;
    }
    let mut inside: Vec<Point> = points
        .iter()
        .filter(|p| p[1] > 0.0 && p[1] < FARTHEST_Y_M && p[0].abs() < HALF_WIDTH_M)
        .copied()
        .collect();
    if inside.len() < 2 {
        return None;
    }
    inside.sort_by(|a, b| a[1].total_cmp(&b[1]));
    let (nearest, farthest) = (inside[0][1], inside[inside.len() - 1][1]);
    let mut sampled = Sampled {
        x_m: [0.0; SAMPLES],
        z_m: [0.0; SAMPLES],
        is_visible: [false; SAMPLES],
        category,
    };
    for k in 0..SAMPLES {
        let y = FIRST_Y_M + k as f64;
        let above = inside
            .partition_point(|p| p[1] < y)
            .clamp(1, inside.len() - 1);
        let (a, b) = (inside[above - 1], inside[above]);
        let share = (y - a[1]) / (b[1] - a[1]);
        sampled.x_m[k] = a[0] + share * (b[0] - a[0]);
        sampled.z_m[k] = a[2] + share * (b[2] - a[2]);
        sampled.is_visible[k] =
            y >= nearest && y <= farthest && sampled.x_m[k].abs() <= HALF_WIDTH_M;
    }
    (sampled.visible() >= 2).then_some(sampled)
}

struct Pair {
    cost: i64,
    /// Samples seen on both sides and nearer than the limit.
    near: usize,
    errors: OpenLaneErrors,
}

impl Pair {
    fn new(truth: &Sampled, prediction: &Sampled) -> Self {
        let mut sum = 0.0;
        let mut near = 0;
        // Sums of x and z errors and their number, near and far.
        let mut errors = [(0.0, 0.0, 0_usize); 2];
        for k in 0..SAMPLES {
            match (truth.is_visible[k], prediction.is_visible[k]) {
                (true, true) => {
                    let dx = (truth.x_m[k] - prediction.x_m[k]).abs();
                    let dz = (truth.z_m[k] - prediction.z_m[k]).abs();
                    let distance = dx.hypot(dz);
                    sum += distance;
                    near += usize::from(distance < DISTANCE_M);
                    let part = &mut errors[usize::from(k >= NEAR_SAMPLES)];
                    *part = (part.0 + dx, part.1 + dz, part.2 + 1);
                }
                (false, false) => {}
                (true, false) | (false, true) => sum += DISTANCE_M,
            }
        }
        let mean = |sum: f64, count: usize| (count > 0).then(|| sum / count as f64);
        let [(x_near, z_near, near_count), (x_far, z_far, far_count)] = errors;
        Self {
            cost: if sum > 0.0 && sum < 1.0 {
                1
            } else {
                sum as i64
            },
            near,
            errors: OpenLaneErrors {
                x_near_m: mean(x_near, near_count),
                x_far_m: mean(x_far, far_count),
                z_near_m: mean(z_near, near_count),
                z_far_m: mean(z_far, far_count),
            },
        }
    }
}

/// Totals over frames.
#[derive(Clone, Debug, Default)]
pub struct OpenLaneTally {
    frames: Vec<OpenLaneFrame>,
}

/// Scores over frames; 0 where a denominator is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OpenLaneScores {
    /// Of recall and precision.
    pub f1: f64,
    /// Lanes found over lanes.
    pub recall: f64,
    /// Right predictions over predictions.
    pub precision: f64,
    /// Matches with an accepted category over matches.
    pub category_accuracy: f64,
    /// Mean errors of the matches that have them.
    pub errors: OpenLaneErrors,
}

impl OpenLaneTally {
    /// Adds a frame.
    pub fn add(&mut self, frame: OpenLaneFrame) {
        self.frames.push(frame);
    }

    /// The scores over all frames.
    pub fn scores(&self) -> OpenLaneScores {
        let sum = |value: &dyn Fn(&OpenLaneFrame) -> usize| {
            self.frames.iter().map(value).sum::<usize>() as f64
        };
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let recall = share(sum(&|f| f.truths_found), sum(&|f| f.kept_truths.len()));
        let precision = share(
            sum(&|f| f.predictions_right),
            sum(&|f| f.kept_predictions.len()),
        );
        let mean = |value: &dyn Fn(&OpenLaneErrors) -> Option<f64>| {
            let values: Vec<f64> = self
                .frames
                .iter()
                .flat_map(|frame| &frame.errors)
                .filter_map(value)
                .collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        OpenLaneScores {
            f1: share(2.0 * recall * precision, recall + precision),
            recall,
            precision,
            category_accuracy: share(sum(&|f| f.categories_right), sum(&|f| f.errors.len())),
            errors: OpenLaneErrors {
                x_near_m: mean(&|e| e.x_near_m),
                x_far_m: mean(&|e| e.x_far_m),
                z_near_m: mean(&|e| e.z_near_m),
                z_far_m: mean(&|e| e.z_far_m),
            },
        }
    }
}

/// A point of an OpenLane annotation (x forward, y left, z up, from the camera) in the ground frame.
///
/// `extrinsic` is the annotation's; of its translation only the height is used.
pub fn openlane_ground_point(extrinsic: &Matrix4<f64>, file_point: &Vector3<f64>) -> Vector3<f64> {
    let ground_from_vehicle = Matrix3::new(0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0);
    let camera_from_optical = Matrix3::new(1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0);
    let rotation = extrinsic.fixed_view::<3, 3>(0, 0).into_owned();
    let optical = Vector3::new(-file_point.y, -file_point.z, file_point.x);
    let lifted = ground_from_vehicle.transpose()
        * rotation
        * ground_from_vehicle
        * camera_from_optical
        * optical;
    lifted + Vector3::new(0.0, 0.0, extrinsic[(2, 3)])
}
