use proptest::prelude::*;

use super::LaneDecoder;
use super::polyline::length_of;
use crate::heads::painter::{FINE, Painter, largest_distance};
use crate::heads::{DecodeError, LANE_CAPACITY, LaneDetections};

fn empty() -> Painter {
    Painter::new(FINE, 13, 1)
}

fn decoded(painter: &Painter) -> LaneDetections {
    let mut out = LaneDetections::new();
    LaneDecoder::new(&FINE, &[0.4])
        .decode_into(&painter.values, &mut out)
        .expect("the map is right");
    out
}

/// Points every 0.5 m along `y = offset + bend / 2 · x²` for x in [from, to].
fn curve(from: f64, to: f64, offset: f64, bend: f64) -> Vec<[f64; 3]> {
    let steps = ((to - from) / 0.5).ceil() as usize;
    (0..=steps)
        .map(|k| from + (to - from) * k as f64 / steps as f64)
        .map(|x| [x, offset + 0.5 * bend * x * x, 0.02 * x])
        .collect()
}

/// Every painted point has a found point near it.
fn largest_gap(painted: &[[f64; 3]], found: &[[f32; 3]]) -> f64 {
    let found: Vec<[f64; 3]> = found.iter().map(|p| p.map(f64::from)).collect();
    let painted: Vec<[f32; 3]> = painted.iter().map(|p| p.map(|v| v as f32)).collect();
    largest_distance(&painted, &found)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_line_comes_back_where_it_was_painted(
        from in -32.0_f64..0.0, length in 6.0_f64..32.0, offset in -10.0_f64..10.0,
        bend in -0.01_f64..0.01, turn in -3.0_f64..3.0,
    ) {
        let (sin, cos) = turn.sin_cos();
        let painted: Vec<[f64; 3]> = curve(from, from + length, offset, bend)
            .into_iter()
            .map(|[x, y, z]| [cos * x - sin * y, sin * x + cos * y, z])
            .filter(|[x, y, _]| x.abs() < 33.0 && y.abs() < 16.2)
            .collect();
        prop_assume!(painted.len() > 10);
        let mut painter = empty();
        painter.line(&painted, 0.9, 1, 1);
        let found = decoded(&painter);
        prop_assert_eq!(found.len(), 1);
        let lane = found[0];
        prop_assert!(largest_distance(lane.points(), &painted) < 0.1);
        prop_assert!(largest_gap(&painted, lane.points()) < 0.3);
        prop_assert_eq!((lane.marking, lane.colour), (1, 1));
        prop_assert!((lane.confidence - 0.9).abs() < 0.02, "{}", lane.confidence);
        prop_assert!((lane.sigma_lateral_m - 0.1).abs() < 1e-3);
        let height_error = lane.points().iter().map(|p| {
            let nearest = painted.iter().min_by(|a, b| {
                let d = |q: &&[f64; 3]| (q[0] - f64::from(p[0])).hypot(q[1] - f64::from(p[1]));
                d(a).total_cmp(&d(b))
            });
            nearest.map_or(1.0, |q| (q[2] - f64::from(p[2])).abs())
        });
        prop_assert!(height_error.fold(0.0, f64::max) < 0.05);
    }

    #[test]
    fn parallel_lines_never_merge(
        gap in 0.9_f64..4.0, bend in -0.008_f64..0.008, dash in 0_usize..2,
    ) {
        let mut painter = empty();
        let lines: Vec<_> = (0..3).map(|k| curve(-30.0, 30.0, gap * (k as f64 - 1.0), bend)).collect();
        for line in &lines {
            painter.line(line, 0.9, dash, 0);
        }
        let found = decoded(&painter);
        prop_assert_eq!(found.len(), 3);
        for lane in &found {
            let best = lines.iter().map(|line| largest_distance(lane.points(), line)).fold(9.0, f64::min);
            prop_assert!(best < 0.15, "{}", best);
            prop_assert!(length_of(lane.points()) > 55.0);
        }
    }
}

#[test]
fn points_lie_a_metre_apart_and_in_order() {
    let mut painter = empty();
    painter.line(&curve(-10.0, 10.0, 2.0, 0.01), 0.9, 0, 0);
    let found = decoded(&painter);
    let points = found[0].points();
    for pair in points.windows(2) {
        let step = (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1]);
        assert!((0.8..1.2).contains(&step), "{step}");
        assert!(pair[1][0] > pair[0][0]);
    }
}

#[test]
fn a_line_longer_than_its_points_reach_keeps_its_ends() {
    let mut painter = empty();
    let painted = curve(-33.0, 33.0, 0.0, 0.0);
    painter.line(&painted, 0.9, 0, 0);
    let found = decoded(&painter);
    assert_eq!(found.len(), 1);
    assert!(length_of(found[0].points()) > 65.0);
}

#[test]
fn a_gap_of_three_metres_is_bridged_and_a_long_one_is_not() {
    for (gap, count) in [(3.0, 1), (8.0, 2)] {
        let mut painter = empty();
        painter.line(&curve(-20.0, -0.5 * gap, 1.0, 0.004), 0.9, 1, 0);
        painter.line(&curve(0.5 * gap, 20.0, 1.0, 0.004), 0.9, 1, 0);
        let found = decoded(&painter);
        assert_eq!(found.len(), count, "a gap of {gap} m");
    }
}

#[test]
fn a_change_of_type_cuts_and_a_flicker_does_not() {
    let mut painter = empty();
    painter.line(&curve(-20.0, 0.0, 1.0, 0.0), 0.9, 1, 0);
    painter.line(&curve(0.0, 20.0, 1.0, 0.0), 0.9, 0, 0);
    let found = decoded(&painter);
    assert_eq!(found.len(), 2);
    let mut markings: Vec<u8> = found.iter().map(|lane| lane.marking).collect();
    markings.sort_unstable();
    assert_eq!(markings, [0, 1]);
    for lane in &found {
        assert!((length_of(lane.points()) - 20.0).abs() < 1.0);
    }
    let mut painter = empty();
    painter.line(&curve(-20.0, 20.0, 1.0, 0.0), 0.9, 1, 0);
    painter.line(&curve(3.0, 4.5, 1.0, 0.0), 0.9, 0, 0);
    assert_eq!(decoded(&painter).len(), 1);
}

#[test]
fn a_line_that_is_found_twice_is_one() {
    let mut painter = empty();
    let line = curve(-20.0, 20.0, 1.0, 0.0);
    painter.line(&curve(4.0, 12.0, 1.7, 0.0), 0.6, 0, 0);
    painter.line(&line, 0.9, 0, 0);
    let found = decoded(&painter);
    assert_eq!(found.len(), 1);
    assert!(largest_distance(found[0].points(), &line) < 0.3);
    // Paint beside a kerb is another line.
    let mut painter = empty();
    painter.line(&curve(4.0, 12.0, 1.7, 0.0), 0.6, 0, 0);
    painter.line(&line, 0.9, 3, 0);
    assert_eq!(decoded(&painter).len(), 2);
}

#[test]
fn paint_beside_a_road_edge_is_a_line_of_its_own() {
    for gap_m in [0.25, 0.4, 0.6] {
        let mut painter = empty();
        let (paint, edge) = (
            curve(-20.0, 20.0, 4.0, 0.0),
            curve(-20.0, 20.0, 4.0 + gap_m, 0.0),
        );
        painter.line(&paint, 0.9, 0, 0);
        painter.line(&edge, 0.9, 3, 0);
        let found = decoded(&painter);
        assert_eq!(found.len(), 2, "{gap_m} m apart");
        for (marking, line) in [(0, &paint), (3, &edge)] {
            let lane = found.iter().find(|lane| lane.marking == marking);
            let lane = lane.expect("both are found");
            assert!(
                largest_distance(lane.points(), line) < 0.1,
                "{gap_m} m apart"
            );
            assert!(largest_gap(line, lane.points()) < 0.5, "{gap_m} m apart");
        }
    }
}

#[test]
fn uncertain_types_do_not_cut_a_line() {
    let mut painter = empty();
    for k in 0..10 {
        let from = -20.0 + 4.0 * f64::from(k);
        painter.line(&curve(from, from + 2.0, 1.0, 0.0), 0.9, 0, 0);
        painter.line(&curve(from + 2.0, from + 4.0, 1.0, 0.0), 0.9, 2, 0);
    }
    assert_eq!(decoded(&painter).len(), 1);
}

/// A kerb along x that turns to the left by a quarter circle at x = 0.
fn corner(radius: f64) -> Vec<[f64; 3]> {
    let mut points = curve(-25.0, 0.0, -6.0, 0.0);
    for k in 1..=16 {
        let angle = std::f64::consts::FRAC_PI_2 * f64::from(k) / 16.0;
        points.push([
            radius * angle.sin(),
            -6.0 + radius * (1.0 - angle.cos()),
            0.0,
        ]);
    }
    points.push([radius, 12.0, 0.0]);
    points
}

#[test]
fn a_kerb_is_cut_where_it_turns_into_a_side_road() {
    for radius in [5.0, 8.0, 11.0] {
        let mut painter = empty();
        painter.line(&corner(radius), 0.9, 3, 0);
        let found = decoded(&painter);
        let mut lengths: Vec<f32> = found.iter().map(|l| length_of(l.points())).collect();
        lengths.sort_unstable_by(f32::total_cmp);
        let arc = std::f64::consts::FRAC_PI_2 * radius;
        let mut expected = [25.0, arc, 18.0 - radius].map(|length| length as f32);
        expected.sort_unstable_by(f32::total_cmp);
        assert_eq!(lengths.len(), 3, "radius {radius}: {lengths:?}");
        for (found, expected) in lengths.iter().zip(expected) {
            assert!(
                (found - expected).abs() < 2.5,
                "radius {radius}: {lengths:?}"
            );
        }
    }
}

#[test]
fn a_winding_road_is_not_cut() {
    let mut painter = empty();
    painter.line(&curve(-30.0, 30.0, -8.0, 1.0 / 42.0), 0.9, 3, 0);
    assert_eq!(decoded(&painter).len(), 1);
}

#[test]
fn a_painted_line_is_not_cut_at_a_corner() {
    let mut painter = empty();
    painter.line(&corner(9.0), 0.9, 0, 0);
    assert_eq!(decoded(&painter).len(), 1);
}

#[test]
fn crossing_lines_pass_through_each_other() {
    let mut painter = empty();
    let along = curve(-15.0, 15.0, 0.0, 0.0);
    let across: Vec<[f64; 3]> = along.iter().map(|[x, _, _]| [0.0, *x, 0.0]).collect();
    painter.line(&along, 0.9, 0, 0);
    painter.line(&across, 0.9, 0, 0);
    let found = decoded(&painter);
    assert_eq!(found.len(), 2);
    for lane in &found {
        let miss =
            largest_distance(lane.points(), &along).min(largest_distance(lane.points(), &across));
        assert!(miss < 0.2, "{miss}");
    }
}

#[test]
fn specks_are_no_lines() {
    let mut painter = empty();
    painter.line(&curve(0.0, 1.5, 1.0, 0.0), 0.9, 0, 0);
    assert!(decoded(&painter).is_empty());
}

#[test]
fn a_type_with_a_high_threshold_is_held_back() {
    let mut painter = empty();
    painter.line(&curve(-10.0, 10.0, 2.0, 0.0), 0.7, 3, 0);
    painter.line(&curve(-10.0, 10.0, -2.0, 0.0), 0.7, 0, 0);
    let mut out = LaneDetections::new();
    LaneDecoder::new(&FINE, &[0.4, 0.4, 0.4, 0.8])
        .decode_into(&painter.values, &mut out)
        .expect("the map is right");
    assert_eq!(out.len(), 1);
    assert_eq!(out[0].marking, 0);
}

#[test]
fn a_full_map_overflows_nothing() {
    let mut decoder = LaneDecoder::new(&FINE, &[0.4]);
    let mut out = LaneDetections::new();
    let mut painter = empty();
    painter.values.fill(0.1);
    painter.values[..FINE.cell_count()].fill(5.0);
    decoder
        .decode_into(&painter.values, &mut out)
        .expect("finite");
    assert!(out.len() <= LANE_CAPACITY);
    // Noise in every channel, from a fixed sequence.
    let mut state = 1_u32;
    for value in &mut painter.values {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *value = (state >> 8) as f32 / 8_388_608.0 - 1.0;
    }
    decoder
        .decode_into(&painter.values, &mut out)
        .expect("finite");
    assert!(out.len() <= LANE_CAPACITY);
    let first = out.clone();
    decoder
        .decode_into(&painter.values, &mut out)
        .expect("finite");
    assert_eq!(out, first, "decoding is deterministic and keeps no state");
}

#[test]
fn a_nan_gives_a_named_error() {
    let mut painter = empty();
    painter.set(12, 5, f32::INFINITY);
    let mut out = LaneDetections::new();
    let error = LaneDecoder::new(&FINE, &[0.4]).decode_into(&painter.values, &mut out);
    assert_eq!(
        error,
        Err(DecodeError::NotFinite {
            channel: 12,
            cell: 5
        })
    );
}
