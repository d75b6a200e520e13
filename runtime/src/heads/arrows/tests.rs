use proptest::prelude::*;

use super::{ArrowDecoder, COS_YAW, DIRECTIONS, DX, LN_SIGMA, SIN_YAW, Z};
use crate::heads::painter::{FINE, Painter};
use crate::heads::{ARROW_CAPACITY, ArrowDetections};

fn empty() -> Painter {
    Painter::new(FINE, 14, 8)
}

fn paint(painter: &mut Painter, kind: usize, confidence: f32, at: [f64; 2], yaw: f32) {
    let values = [
        (SIN_YAW, yaw.sin()),
        (COS_YAW, yaw.cos()),
        (Z, 0.1),
        (LN_SIGMA, 0.3_f32.ln()),
    ];
    painter.centre(kind, confidence, at, DX, &values);
}

fn decoded(painter: &Painter) -> ArrowDetections {
    let mut out = ArrowDetections::new();
    ArrowDecoder::new(&FINE, &[0.3; 8])
        .decode_into(&painter.values, &mut out)
        .expect("the map is right");
    out
}

proptest! {
    #[test]
    fn an_arrow_comes_back_as_it_was_painted(
        kind in 0_usize..8, x in -32.0_f64..32.0, y in -15.0_f64..15.0, yaw in -3.1_f32..3.1,
    ) {
        let mut painter = empty();
        paint(&mut painter, kind, 0.8, [x, y], yaw);
        let found = decoded(&painter);
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(found[0].directions, DIRECTIONS[kind]);
        let miss = (f64::from(found[0].position_m[0]) - x).hypot(f64::from(found[0].position_m[1]) - y);
        prop_assert!(miss < 0.01, "{}", miss);
        prop_assert!((found[0].yaw_rad - yaw).abs() < 1e-3);
    }
}

#[test]
fn arrows_of_neighbouring_lanes_stay_apart() {
    let mut painter = empty();
    for k in 0..4 {
        paint(&mut painter, k, 0.8, [12.0, -6.0 + 3.0 * k as f64], 0.0);
    }
    assert_eq!(decoded(&painter).len(), 4);
}

#[test]
fn one_place_has_one_kind() {
    let mut painter = empty();
    paint(&mut painter, 3, 0.7, [12.0, 1.0], 0.0);
    paint(&mut painter, 0, 0.9, [12.2, 1.1], 0.0);
    let found = decoded(&painter);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].directions, 1);
}

#[test]
fn a_map_full_of_peaks_fills_the_list_and_no_more() {
    let mut painter = empty();
    for cell in (0..FINE.cell_count()).step_by(5) {
        painter.set(cell % 8, cell, 2.0 + 1e-4 * cell as f32);
    }
    assert_eq!(decoded(&painter).len(), ARROW_CAPACITY);
}
