use proptest::prelude::*;

use super::{COS_YAW, DX, LN_SIGMA, LN_SIZE, ObjectDecoder, SIN_YAW, VELOCITY, YAW_RATE, Z};
use crate::heads::painter::{COARSE, Painter};
use crate::heads::{DecodeError, OBJECT_CAPACITY, ObjectDetection, ObjectDetections, ObjectSigma};

const THRESHOLDS: [f32; 8] = [0.3; 8];
const CHANNELS: usize = 25;

fn paint(painter: &mut Painter, object: &ObjectDetection) {
    let mut values = vec![
        (Z, object.position_m[2]),
        (SIN_YAW, object.yaw_rad.sin()),
        (COS_YAW, object.yaw_rad.cos()),
        (VELOCITY, object.velocity_mps[0]),
        (VELOCITY + 1, object.velocity_mps[1]),
        (YAW_RATE, object.yaw_rate_radps),
    ];
    values.extend((0..3).map(|k| (LN_SIZE + k, object.size_m[k].ln())));
    values.extend((0..6).map(|k| (LN_SIGMA + k, 0.2_f32.ln())));
    let centre = [
        f64::from(object.position_m[0]),
        f64::from(object.position_m[1]),
    ];
    painter.centre(
        usize::from(object.class),
        object.confidence,
        centre,
        DX,
        &values,
    );
}

fn object(class: u8, x: f32, y: f32, yaw_rad: f32) -> ObjectDetection {
    ObjectDetection {
        class,
        confidence: 0.9,
        position_m: [x, y, 0.8],
        size_m: [4.4, 1.8, 1.5],
        yaw_rad,
        velocity_mps: [3.0, -1.0],
        yaw_rate_radps: 0.1,
        sigma: ObjectSigma::default(),
    }
}

fn decoded(painter: &Painter) -> ObjectDetections {
    let mut out = ObjectDetections::new();
    ObjectDecoder::new(&COARSE, &THRESHOLDS)
        .decode_into(&painter.values, &mut out)
        .expect("the map is right");
    out
}

fn empty() -> Painter {
    Painter::new(COARSE, CHANNELS, 8)
}

proptest! {
    #[test]
    fn an_object_comes_back_as_it_was_painted(
        class in 0_u8..8, x in -48.0_f32..48.0, y in -48.0_f32..48.0, yaw in -3.1_f32..3.1,
    ) {
        let painted = object(class, x, y, yaw);
        let mut painter = empty();
        paint(&mut painter, &painted);
        let found = decoded(&painter);
        prop_assert_eq!(found.len(), 1);
        let found = found[0];
        prop_assert_eq!(found.class, class);
        prop_assert!((found.position_m[0] - x).hypot(found.position_m[1] - y) < 0.01);
        prop_assert!((found.yaw_rad - yaw).abs() < 1e-3);
        prop_assert!((found.size_m[0] - 4.4).abs() < 1e-3);
        prop_assert!((found.sigma.position_m[0] - 0.2).abs() < 1e-4);
        prop_assert!((found.confidence - 0.9).abs() < 0.15, "{}", found.confidence);
    }
}

#[test]
fn parked_cars_side_by_side_stay_apart() {
    let mut painter = empty();
    for k in 0..5 {
        let y = -5.0 + 2.4 * k as f32;
        paint(&mut painter, &object(0, 10.3, y, 0.0));
    }
    assert_eq!(decoded(&painter).len(), 5);
}

#[test]
fn a_van_that_is_also_seen_as_a_car_is_one_object() {
    let mut painter = empty();
    paint(&mut painter, &object(1, 10.0, 2.0, 0.3));
    let mut weaker = object(0, 10.5, 2.2, 0.3);
    weaker.confidence = 0.6;
    paint(&mut painter, &weaker);
    let found = decoded(&painter);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].class, 1);
}

#[test]
fn a_pedestrian_beside_a_car_is_kept() {
    let mut painter = empty();
    paint(&mut painter, &object(0, 10.0, 2.0, 0.0));
    paint(&mut painter, &object(6, 10.0, 4.4, 0.0));
    assert_eq!(decoded(&painter).len(), 2);
}

#[test]
fn weak_confidence_is_not_reported() {
    let mut painter = empty();
    let mut weak = object(0, 10.0, 2.0, 0.0);
    weak.confidence = 0.25;
    paint(&mut painter, &weak);
    assert!(decoded(&painter).is_empty());
}

#[test]
fn a_map_full_of_peaks_fills_the_list_and_no_more() {
    let mut painter = empty();
    // Distinct values everywhere: every second cell of every second row is a peak of each class.
    for row in (0..128).step_by(2) {
        for col in (0..128).step_by(2) {
            for class in 0..8 {
                let cell = COARSE.index(row, col);
                painter.set(class, cell, 3.0 + 1e-4 * cell as f32);
            }
        }
    }
    let found = decoded(&painter);
    assert!(found.len() <= OBJECT_CAPACITY);
    assert!(!found.is_empty());
    assert!(
        found
            .windows(2)
            .all(|pair| pair[0].confidence >= pair[1].confidence)
    );
}

#[test]
fn a_constant_map_is_no_panic() {
    let mut painter = empty();
    painter.values.fill(50.0);
    decoded(&painter);
    painter.values.fill(-50.0);
    assert!(decoded(&painter).is_empty());
}

#[test]
fn a_nan_gives_a_named_error_and_no_objects() {
    let mut painter = empty();
    paint(&mut painter, &object(0, 10.0, 2.0, 0.0));
    painter.set(LN_SIZE, 77, f32::NAN);
    let mut out = decoded(&empty());
    let error = ObjectDecoder::new(&COARSE, &THRESHOLDS).decode_into(&painter.values, &mut out);
    assert_eq!(
        error,
        Err(DecodeError::NotFinite {
            channel: LN_SIZE,
            cell: 77
        })
    );
    assert!(out.is_empty());
}
