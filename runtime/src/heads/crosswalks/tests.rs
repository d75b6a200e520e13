use proptest::prelude::*;

use super::{COS_2THETA, CrosswalkDecoder, DX, LN_LENGTH, LN_SIGMA, LN_WIDTH, SIN_2THETA, Z};
use crate::heads::painter::{FINE, Painter};
use crate::heads::{CROSSWALK_CAPACITY, CrosswalkDetections};

fn empty() -> Painter {
    Painter::new(FINE, 9, 1)
}

fn paint(painter: &mut Painter, confidence: f32, at: [f64; 2], theta: f32, size: [f32; 2]) {
    let values = [
        (COS_2THETA, (2.0 * theta).cos()),
        (SIN_2THETA, (2.0 * theta).sin()),
        (LN_LENGTH, size[0].ln()),
        (LN_WIDTH, size[1].ln()),
        (Z, 0.1),
        (LN_SIGMA, 0.3_f32.ln()),
    ];
    painter.centre(0, confidence, at, DX, &values);
}

fn decoded(painter: &Painter) -> CrosswalkDetections {
    let mut out = CrosswalkDetections::new();
    CrosswalkDecoder::new(&FINE, 0.3)
        .decode_into(&painter.values, &mut out)
        .expect("the map is right");
    out
}

proptest! {
    #[test]
    fn a_crosswalk_comes_back_as_it_was_painted(
        x in -32.0_f64..32.0, y in -15.0_f64..15.0, theta in -1.5_f32..1.5, length in 4.0_f32..20.0,
    ) {
        let mut painter = empty();
        paint(&mut painter, 0.8, [x, y], theta, [length, 3.5]);
        let found = decoded(&painter);
        prop_assert_eq!(found.len(), 1);
        let miss = (f64::from(found[0].position_m[0]) - x).hypot(f64::from(found[0].position_m[1]) - y);
        prop_assert!(miss < 0.01, "{}", miss);
        prop_assert!((found[0].theta_rad - theta).abs() < 1e-3);
        prop_assert!((found[0].length_m - length).abs() < 1e-3);
        // Counter-clockwise corners span exactly length times width.
        let corners = found[0].corners();
        let area: f32 = (0..4)
            .map(|k| {
                let (a, b) = (corners[k], corners[(k + 1) % 4]);
                0.5 * ((a[0] - x as f32) * (b[1] - y as f32) - (b[0] - x as f32) * (a[1] - y as f32))
            })
            .sum();
        prop_assert!((area - length * 3.5).abs() < 0.05, "{} {}", area, length * 3.5);
    }
}

#[test]
fn crosswalks_at_the_arms_of_a_junction_stay_apart() {
    let mut painter = empty();
    let turn = std::f32::consts::FRAC_PI_2;
    paint(&mut painter, 0.8, [10.0, 0.0], turn, [8.0, 3.5]);
    paint(&mut painter, 0.7, [24.0, 0.0], turn, [8.0, 3.5]);
    paint(&mut painter, 0.6, [17.0, 7.0], 0.0, [8.0, 3.5]);
    paint(&mut painter, 0.5, [17.0, -7.0], 0.0, [8.0, 3.5]);
    assert_eq!(decoded(&painter).len(), 4);
}

#[test]
fn a_second_peak_on_one_crosswalk_is_dropped() {
    let mut painter = empty();
    let turn = std::f32::consts::FRAC_PI_2;
    paint(&mut painter, 0.8, [10.0, 0.0], turn, [8.0, 3.5]);
    paint(&mut painter, 0.6, [10.3, 2.8], turn, [8.0, 3.5]);
    assert_eq!(decoded(&painter).len(), 1);
}

#[test]
fn a_map_full_of_peaks_fills_the_list_and_no_more() {
    let mut painter = empty();
    for cell in (0..FINE.cell_count()).step_by(5) {
        painter.set(0, cell, 2.0 + 1e-4 * cell as f32);
    }
    assert_eq!(decoded(&painter).len(), CROSSWALK_CAPACITY);
}
