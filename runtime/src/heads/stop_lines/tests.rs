use proptest::prelude::*;

use super::{COS_2THETA, DX, LN_LENGTH, LN_SIGMA, SIN_2THETA, StopLineDecoder, Z};
use crate::heads::painter::{FINE, Painter};
use crate::heads::{STOP_LINE_CAPACITY, StopLineDetections};

const ACROSS: f32 = std::f32::consts::FRAC_PI_2;

fn empty() -> Painter {
    Painter::new(FINE, 8, 1)
}

fn paint(painter: &mut Painter, confidence: f32, at: [f64; 2], theta: f32, length: f32) {
    let values = [
        (COS_2THETA, (2.0 * theta).cos()),
        (SIN_2THETA, (2.0 * theta).sin()),
        (LN_LENGTH, length.ln()),
        (Z, -0.1),
        (LN_SIGMA, 0.3_f32.ln()),
    ];
    painter.centre(0, confidence, at, DX, &values);
}

fn decoded(painter: &Painter) -> StopLineDetections {
    let mut out = StopLineDetections::new();
    StopLineDecoder::new(&FINE, 0.3)
        .decode_into(&painter.values, &mut out)
        .expect("the map is right");
    out
}

proptest! {
    #[test]
    fn a_stop_line_comes_back_as_it_was_painted(
        x in -32.0_f64..32.0, y in -15.0_f64..15.0, theta in -1.5_f32..1.5, length in 2.0_f32..12.0,
    ) {
        let mut painter = empty();
        paint(&mut painter, 0.8, [x, y], theta, length);
        let found = decoded(&painter);
        prop_assert_eq!(found.len(), 1);
        let [a, b] = found[0].ends();
        let middle = [0.5 * (a[0] + b[0]), 0.5 * (a[1] + b[1])];
        let miss = (f64::from(middle[0]) - x).hypot(f64::from(middle[1]) - y);
        prop_assert!(miss < 0.01, "{}", miss);
        prop_assert!(((a[0] - b[0]).hypot(a[1] - b[1]) - length).abs() < 1e-2);
        prop_assert!((found[0].position_m[2] + 0.1).abs() < 1e-3);
    }
}

#[test]
fn lines_end_to_end_stay_apart_and_a_double_is_dropped() {
    let mut painter = empty();
    paint(&mut painter, 0.8, [10.0, 1.75], ACROSS, 3.5);
    paint(&mut painter, 0.7, [10.0, 5.25], ACROSS, 3.5);
    assert_eq!(decoded(&painter).len(), 2);
    paint(&mut painter, 0.6, [10.9, 3.4], ACROSS, 3.5);
    assert_eq!(decoded(&painter).len(), 2);
}

#[test]
fn a_map_full_of_peaks_fills_the_list_and_no_more() {
    let mut painter = empty();
    for cell in (0..FINE.cell_count()).step_by(5) {
        painter.set(0, cell, 2.0 + 1e-4 * cell as f32);
    }
    assert_eq!(decoded(&painter).len(), STOP_LINE_CAPACITY);
}
