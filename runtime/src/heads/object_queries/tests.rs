use super::ObjectQueryDecoder;
use crate::heads::raster::logit;
use crate::heads::{DecodeError, ObjectDetection, ObjectDetections, ObjectSigma};
use crate::manifest::{GroundRange, ObjectQueries};

const COUNT: usize = 200;
const QUERIES: ObjectQueries = ObjectQueries {
    count: COUNT,
    range: GroundRange {
        x_min_m: -40.0,
        x_max_m: 60.0,
        y_min_m: -30.0,
        y_max_m: 30.0,
    },
};

/// A set as a perfect network would give it.
struct Set {
    scores: Vec<f32>,
    boxes: Vec<f32>,
}

impl Set {
    fn empty() -> Self {
        Self {
            scores: vec![-9.0; COUNT * 8],
            boxes: vec![0.0; COUNT * 17],
        }
    }

    fn put(&mut self, query: usize, object: &ObjectDetection) {
        self.scores[query * 8 + usize::from(object.class)] = logit(object.confidence);
        let [x, y, z] = object.position_m;
        let [length, width, height] = object.size_m.map(f32::ln);
        let (sin, cos) = object.yaw_rad.sin_cos();
        let [vx, vy] = object.velocity_mps;
        let rate = object.yaw_rate_radps;
        let sigma = [0.3, 0.4, 0.1, 0.5, 0.6, 0.2].map(f32::ln);
        let values = [
            &[x, y, z, length, width, height, sin, cos, vx, vy, rate],
            sigma.as_slice(),
        ];
        self.boxes[query * 17..(query + 1) * 17].copy_from_slice(&values.concat());
    }

    fn decoded(&self) -> ObjectDetections {
        let mut out = ObjectDetections::new();
        ObjectQueryDecoder::new(&QUERIES, &[0.3; 8])
            .decode_into(&self.scores, &self.boxes, &mut out)
            .expect("the set is right");
        out
    }
}

fn car(x: f32, y: f32, confidence: f32) -> ObjectDetection {
    ObjectDetection {
        class: 0,
        confidence,
        position_m: [x, y, 0.8],
        size_m: [4.4, 1.8, 1.5],
        yaw_rad: 0.7,
        velocity_mps: [3.0, -1.0],
        yaw_rate_radps: 0.1,
        sigma: ObjectSigma {
            position_m: [0.3, 0.4],
            yaw_rad: 0.1,
            velocity_mps: [0.5, 0.6],
            size_relative: 0.2,
        },
    }
}

#[test]
fn an_object_comes_back_as_it_was_put_in() {
    let mut set = Set::empty();
    let put = car(12.5, -3.25, 0.9);
    set.put(7, &put);
    let found = set.decoded();
    assert_eq!(found.len(), 1);
    let found = found[0];
    assert_eq!((found.class, found.position_m), (0, put.position_m));
    assert!((found.confidence - 0.9).abs() < 1e-5);
    assert!((found.yaw_rad - 0.7).abs() < 1e-6);
    assert_eq!(found.velocity_mps, put.velocity_mps);
    assert_eq!(found.yaw_rate_radps, put.yaw_rate_radps);
    for (found, put) in found.size_m.iter().zip(put.size_m) {
        assert!((found - put).abs() < 1e-5);
    }
    let sigma = found.sigma;
    assert!((sigma.position_m[1] - 0.4).abs() < 1e-6);
    assert!((sigma.size_relative - 0.2).abs() < 1e-6);
}

#[test]
fn the_strongest_come_first_and_two_of_one_thing_are_one() {
    let mut set = Set::empty();
    set.put(0, &car(10.0, 0.0, 0.5));
    set.put(1, &car(10.4, 0.2, 0.8));
    set.put(2, &car(30.0, 0.0, 0.6));
    let xs: Vec<f32> = set.decoded().iter().map(|o| o.position_m[0]).collect();
    assert_eq!(xs, [10.4, 30.0]);
}

#[test]
fn weak_and_far_objects_are_not_reported() {
    let mut set = Set::empty();
    set.put(0, &car(10.0, 0.0, 0.29));
    set.put(1, &car(60.5, 0.0, 0.9));
    set.put(2, &car(0.0, -30.5, 0.9));
    assert!(set.decoded().is_empty());
}

#[test]
fn a_full_list_holds_the_strongest() {
    let mut set = Set::empty();
    for query in 0..COUNT {
        let (x, y) = (
            (query % 16) as f32 * 6.0 - 38.0,
            (query / 16) as f32 * 4.0 - 28.0,
        );
        set.put(query, &car(x, y, 0.4 + 0.002 * query as f32));
    }
    let found = set.decoded();
    assert!(found.is_full());
    assert!(found.iter().all(|object| object.confidence > 0.54));
}

#[test]
fn what_is_not_finite_is_refused_and_leaves_nothing() {
    let mut set = Set::empty();
    set.put(3, &car(10.0, 0.0, 0.9));
    let mut out = set.decoded();
    assert_eq!(out.len(), 1);
    set.boxes[3 * 17 + 2] = f32::NAN;
    let refused =
        ObjectQueryDecoder::new(&QUERIES, &[0.3; 8]).decode_into(&set.scores, &set.boxes, &mut out);
    let expected = DecodeError::QueryNotFinite {
        query: 3,
        column: 10,
    };
    assert_eq!(refused, Err(expected));
    assert!(out.is_empty());
}
