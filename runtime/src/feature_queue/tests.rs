use std::f64::consts::{FRAC_PI_2, PI};

use bevrt_calibration::{BevGrid, Ego, Odom, Pose};
use nalgebra::{UnitQuaternion, Vector3};

use super::*;
use crate::ego_motion::{EgoMotionSource, EgoMotionSpec};
use crate::manifest::{QueueAlignment, QueueStorage};
use crate::simd::Simd;

const GRID: BevGrid = BevGrid {
    x_min_m: -4.8,
    y_min_m: -7.2,
    cell_m: 0.8,
    rows: 24,
    cols: 18,
};
const SQUARE: BevGrid = BevGrid {
    x_min_m: -8.0,
    y_min_m: -8.0,
    cell_m: 0.8,
    rows: 20,
    cols: 20,
};

fn at(milliseconds: i64) -> Stamp {
    Stamp::from_nanoseconds(milliseconds * 1_000_000)
}

fn section(grid: BevGrid, channels: u32, slots: u32) -> QueueSection {
    QueueSection {
        grid,
        channels,
        slots,
        stride_s: 0.5,
        storage: QueueStorage::F16,
        alignment: QueueAlignment::Runtime,
    }
}

fn queue_of(section: &QueueSection) -> FeatureQueue {
    FeatureQueue::new(section).expect("a valid section")
}

fn pose(x: f64, y: f64, yaw: f64) -> Pose<Odom, Ego> {
    let rotation = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), yaw);
    Pose::new(rotation, Vector3::new(x, y, 0.0))
}

fn no_limits() -> EgoMotionSpec {
    EgoMotionSpec {
        gap_limit: Span::from_seconds(60.0),
        jump_limit_m: 1e6,
        jump_limit_rad: 10.0,
        ..EgoMotionSpec::new(EgoMotionSource::Poses)
    }
}

/// Motion from the origin at 0 ms to `past_from_now` at 500 ms.
fn motion_to(past_from_now: &Pose<Odom, Ego>) -> EgoMotion {
    let mut motion = EgoMotion::new(no_limits()).expect("valid limits");
    motion
        .push_pose(at(0), &Pose::identity())
        .expect("accepted");
    motion.push_pose(at(500), past_from_now).expect("accepted");
    motion
}

/// A vehicle that drives along a curve, sampled at 100 Hz.
fn driving(from_ms: i64, to_ms: i64) -> EgoMotion {
    let mut motion =
        EgoMotion::new(EgoMotionSpec::new(EgoMotionSource::Rates)).expect("valid limits");
    for t in (from_ms..=to_ms).step_by(10) {
        motion.push_rates(at(t), 9.0, 0.3).expect("accepted");
    }
    motion
}

/// A map of values with all signs and magnitudes, exact in half precision.
fn map_of(queue: &FeatureQueue, seed: u32) -> Vec<f32> {
    let value = |i: u32| (i.wrapping_mul(2_654_435_761).wrapping_add(seed * 97) >> 20) as i32;
    (0..queue.map_len() as u32)
        .map(|i| (value(i) % 2001 - 1000) as f32 / 32.0)
        .collect()
}

/// The history at `now` with its state.
fn history(queue: &mut FeatureQueue, now: Stamp, motion: &EgoMotion) -> (Vec<f32>, Vec<[f32; 2]>) {
    let mut out = vec![f32::NAN; queue.history_len()];
    let mut state = vec![[f32::NAN; 2]; queue.slots()];
    queue
        .align_into(now, motion, &mut out, &mut state)
        .expect("right lengths");
    (out, state)
}

/// What `map` becomes when it is stored at 0 ms and aligned at 500 ms.
fn realigned(section: &QueueSection, map: &[f32], past_from_now: &Pose<Odom, Ego>) -> Vec<f32> {
    let motion = motion_to(past_from_now);
    let [widest, middle, base] = Simd::available().map(|simd| {
        let mut queue = queue_of(section);
        queue.maps.simd = simd;
        queue.store(at(0), map).expect("stored");
        let (out, state) = history(&mut queue, at(500), &motion);
        assert_eq!(state, [[1.0, 0.5]]);
        out
    });
    let bits = |values: &[f32]| {
        values
            .iter()
            .map(|value| value.to_bits())
            .collect::<Vec<_>>()
    };
    assert_eq!(bits(&widest), bits(&middle), "instruction sets differ");
    assert_eq!(bits(&middle), bits(&base), "instruction sets differ");
    base
}

#[test]
fn the_identity_gives_identical_bits() {
    for channels in [1, 5, 16, 32] {
        let section = section(GRID, channels, 1);
        let map = map_of(&queue_of(&section), 1);
        for pose in [
            pose(0.0, 0.0, 0.0),
            pose(1e-9, -1e-9, 1e-11),
            pose(0.0, 0.0, 2.0 * PI),
        ] {
            let out = realigned(&section, &map, &pose);
            assert!(
                out.iter()
                    .zip(&map)
                    .all(|(a, b)| a.to_bits() == b.to_bits())
            );
        }
    }
}

#[test]
fn shifts_by_whole_cells_give_identical_bits_and_zero_outside() {
    let section = section(GRID, 3, 1);
    let map = map_of(&queue_of(&section), 2);
    for (rows, cols) in [
        (1, 0),
        (0, -1),
        (5, 7),
        (-23, 17),
        (24, 0),
        (0, -18),
        (-400, 9),
    ] {
        let moved = pose(f64::from(rows) * 0.8, f64::from(cols) * 0.8, 0.0);
        let out = realigned(&section, &map, &moved);
        for (row, col, c) in
            (0..24).flat_map(|r| (0..18).flat_map(move |l| (0..3).map(move |c| (r, l, c))))
        {
            let (past_row, past_col) = (row + rows, col + cols);
            let is_inside = (0..24).contains(&past_row) && (0..18).contains(&past_col);
            let expected = if is_inside {
                map[((past_row * 18 + past_col) * 3 + c) as usize]
            } else {
                0.0
            };
            let found = out[((row * 18 + col) * 3 + c) as usize];
            assert_eq!(found.to_bits(), expected.to_bits(), "{row} {col}");
        }
    }
}

#[test]
fn quarter_turns_give_identical_bits() {
    let section = section(SQUARE, 2, 1);
    let map = map_of(&queue_of(&section), 3);
    for quarters in [1, 2, 3, -1] {
        let out = realigned(
            &section,
            &map,
            &pose(0.0, 0.0, f64::from(quarters) * FRAC_PI_2),
        );
        for (row, col, c) in
            (0..20).flat_map(|r| (0..20).flat_map(move |l| (0..2).map(move |c| (r, l, c))))
        {
            let (past_row, past_col) = match quarters {
                1 => (19 - col, row),
                2 => (19 - row, 19 - col),
                _ => (col, 19 - row),
            };
            let expected = map[(past_row * 20 + past_col) * 2 + c];
            assert_eq!(out[(row * 20 + col) * 2 + c].to_bits(), expected.to_bits());
        }
    }
}

#[test]
fn a_negative_zero_and_tiny_values_do_not_break_exactness() {
    let section = section(GRID, 1, 1);
    let mut map = map_of(&queue_of(&section), 4);
    (map[0], map[1], map[2]) = (-0.0, -1e-12, -6e-8);
    let out = realigned(&section, &map, &Pose::identity());
    assert_eq!((out[0].to_bits(), out[1].to_bits()), (0, 0));
    assert_eq!(out[2], -2.0_f32.powi(-24));
}

#[test]
fn any_motion_agrees_with_an_independent_implementation() {
    let values: Vec<f32> = include_bytes!("../../tests/fixtures/align/history.bin")
        .as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect();
    let section = section(GRID, 5, 1);
    let mut maps = values.chunks_exact(24 * 18 * 5);
    let past = maps.next().expect("the past map comes first");
    for (x, y, yaw) in [(1.37, -0.46, 0.2), (-2.0, 3.1, -1.1), (0.4, 0.4, 3.0)] {
        let expected = maps.next().expect("one map for each motion");
        let found = realigned(&section, past, &pose(x, y, yaw));
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-5,
                "{found} instead of {expected}"
            );
        }
    }
}

#[test]
fn the_twin_that_trains_the_network_gives_the_same_numbers() {
    let text = include_str!("../../../models/tests/fixtures/align.json");
    let cases: serde_json::Value = serde_json::from_str(text).expect("a valid fixture");
    let numbers = |value: &serde_json::Value| -> Vec<f64> {
        let list = value.as_array().expect("a list");
        list.iter()
            .map(|number| number.as_f64().expect("a number"))
            .collect()
    };
    let grid = BevGrid {
        x_min_m: -4.8,
        y_min_m: -4.8,
        cell_m: 0.8,
        rows: 12,
        cols: 12,
    };
    let section = section(grid, 3, 1);
    // The rule that stands in the fixture.
    let value = |i: usize| (i / 36 * 131 + i / 3 % 12 * 17 + i % 3 * 7) % 251;
    let past: Vec<f32> = (0..12 * 12 * 3)
        .map(|i| value(i) as f32 / 16.0 - 4.0)
        .collect();
    for case in cases["cases"].as_array().expect("cases") {
        let matrix = nalgebra::Matrix4::from_row_slice(&numbers(&case["hist_from_now"]));
        let found = realigned(&section, &past, &Pose::from_matrix(&matrix).expect("rigid"));
        for (found, expected) in found.iter().zip(numbers(&case["aligned"])) {
            assert!(
                (f64::from(*found) - expected).abs() < 1e-5,
                "{}",
                case["name"]
            );
        }
    }
}

#[test]
fn a_shift_below_a_cell_agrees_with_f64() {
    let section = section(SQUARE, 1, 1);
    let map = map_of(&queue_of(&section), 5);
    let out = realigned(&section, &map, &pose(0.3, -0.1, 0.0));
    let (v, u) = (0.3 / 0.8, -0.1 / 0.8 + 1.0);
    let at = |row: usize, col: usize| f64::from(map[row * 20 + col]);
    for (row, col) in (0..19).flat_map(|row| (1..20).map(move |col| (row, col))) {
        let above = at(row, col - 1) * (1.0 - u) + at(row, col) * u;
        let below = at(row + 1, col - 1) * (1.0 - u) + at(row + 1, col) * u;
        let expected = above * (1.0 - v) + below * v;
        assert!((f64::from(out[row * 20 + col]) - expected).abs() < 2e-5);
    }
}

#[test]
fn slots_keep_their_spacing_at_any_frame_rate() {
    for (rate_hz, jitter_ms) in [
        (10, 0),
        (10, 9),
        (12, 3),
        (15, 5),
        (20, 9),
        (30, 6),
        (60, 2),
    ] {
        let mut queue = queue_of(&section(SQUARE, 1, 4));
        let motion = driving(0, 9000);
        let map = vec![1.0; queue.map_len()];
        for frame in 0..rate_hz * 8 {
            let jitter = (frame * 7919 % (2 * jitter_ms + 1)) - jitter_ms;
            let now = at(20 + frame * 1000 / rate_hz + jitter);
            let (_, state) = history(&mut queue, now, &motion);
            if frame * 10 > rate_hz * 25 {
                for (slot, [valid, age_s]) in state.iter().enumerate() {
                    let nominal_s = 0.5 * (slot as f32 + 1.0);
                    assert_eq!(*valid, 1.0, "slot {slot} at {rate_hz} Hz");
                    assert!(
                        (age_s - nominal_s).abs() <= 0.0501,
                        "{age_s} s at {rate_hz} Hz"
                    );
                }
            }
            queue.store(now, &map).expect("stored");
        }
    }
}

#[test]
fn true_ages_are_given_and_stand_in_the_report() {
    let mut queue = queue_of(&section(SQUARE, 1, 2));
    let motion = driving(0, 2000);
    let map = vec![1.0; queue.map_len()];
    for stamp in [0, 470, 1030] {
        queue.store(at(stamp), &map).expect("stored");
    }
    let (_, state) = history(&mut queue, at(1007), &motion);
    assert_eq!(state, [[1.0, 0.537], [1.0, 1.007]]);
    let [first, second] = queue.reports() else {
        panic!("two slots")
    };
    assert_eq!(
        (first.stamp, first.state),
        (Some(at(470)), SlotState::Valid)
    );
    assert_eq!(first.age, Span::from_milliseconds(537));
    assert_eq!(second.nominal_age, Span::from_milliseconds(1000));
}

#[test]
fn slots_stand_beside_each_other_in_every_cell() {
    let mut queue = queue_of(&section(SQUARE, 3, 2));
    let motion = EgoMotion::new(no_limits()).map(|mut motion| {
        motion
            .push_pose(at(0), &Pose::identity())
            .expect("accepted");
        motion
            .push_pose(at(1000), &Pose::identity())
            .expect("accepted");
        motion
    });
    let (older, younger) = (map_of(&queue, 6), map_of(&queue, 7));
    queue.store(at(0), &older).expect("stored");
    queue.store(at(500), &younger).expect("stored");
    let (out, _) = history(&mut queue, at(1000), &motion.expect("valid limits"));
    for (cell, out) in out.chunks_exact(6).enumerate() {
        assert_eq!(out[..3], younger[cell * 3..cell * 3 + 3]);
        assert_eq!(out[3..], older[cell * 3..cell * 3 + 3]);
    }
}

#[test]
fn at_the_start_all_slots_are_zero_and_flagged() {
    let mut queue = queue_of(&section(SQUARE, 2, 4));
    let motion = driving(0, 1000);
    assert!(
        queue
            .reports()
            .iter()
            .all(|report| report.state == SlotState::Empty)
    );
    let (out, state) = history(&mut queue, at(0), &motion);
    assert!(out.iter().all(|value| value.to_bits() == 0));
    assert_eq!(state, [[0.0; 2]; 4]);
    let map = map_of(&queue, 8);
    queue.store(at(0), &map).expect("stored");
    let (out, state) = history(&mut queue, at(500), &motion);
    assert_eq!(state, [[1.0, 0.5], [0.0; 2], [0.0; 2], [0.0; 2]]);
    assert!(
        out.chunks_exact(8)
            .all(|cell| cell[2..].iter().all(|value| value.to_bits() == 0))
    );
}

#[test]
fn a_slot_without_a_map_near_its_time_is_empty() {
    let mut queue = queue_of(&section(SQUARE, 1, 1));
    let motion = driving(0, 1000);
    let map = vec![1.0; queue.map_len()];
    queue.store(at(0), &map).expect("stored");
    for (now, valid) in [(449, 0.0), (450, 1.0), (550, 1.0), (551, 0.0)] {
        let (_, state) = history(&mut queue, at(now), &motion);
        assert_eq!(state[0][0], valid, "at {now} ms");
    }
}

#[test]
fn unknown_motion_makes_a_slot_invalid_and_tells_why() {
    let mut queue = queue_of(&section(SQUARE, 1, 2));
    let map = vec![1.0; queue.map_len()];
    queue.store(at(0), &map).expect("stored");
    queue.store(at(500), &map).expect("stored");
    let expect =
        |queue: &mut FeatureQueue, motion: &EgoMotion, faults: [Option<EgoMotionFault>; 2]| {
            let (out, state) = history(queue, at(1000), motion);
            for (slot, fault) in faults.into_iter().enumerate() {
                let report = queue.reports()[slot];
                assert_eq!(report.fault, fault);
                let expected = if fault.is_some() {
                    SlotState::MotionUnknown
                } else {
                    SlotState::Valid
                };
                assert_eq!(report.state, expected);
                assert_eq!(state[slot][0], if fault.is_some() { 0.0 } else { 1.0 });
                // The map's age is known although it cannot be used.
                assert_eq!(report.age, report.nominal_age);
            }
            assert!(faults[0].is_none() || out.iter().step_by(2).all(|value| *value == 0.0));
        };
    let never = EgoMotion::new(no_limits()).expect("valid limits");
    expect(&mut queue, &never, [Some(EgoMotionFault::Absent); 2]);
    expect(
        &mut queue,
        &driving(0, 700),
        [Some(EgoMotionFault::Stale); 2],
    );
    expect(
        &mut queue,
        &driving(100, 1000),
        [None, Some(EgoMotionFault::TooOld)],
    );
    expect(&mut queue, &driving(0, 1000), [None, None]);
    // A jump between the two maps: the older one belongs to another epoch.
    let mut jumping = EgoMotion::new(EgoMotionSpec::new(EgoMotionSource::Poses)).expect("valid");
    for t in (0..=1000).step_by(10) {
        let x = if t < 300 { 0.0 } else { 40.0 };
        jumping
            .push_pose(at(t), &pose(x, 0.0, 0.0))
            .expect("accepted");
    }
    expect(&mut queue, &jumping, [None, Some(EgoMotionFault::Jump)]);
}

#[test]
fn after_a_seek_results_equal_the_full_replay() {
    for rate_hz in [10, 20, 30] {
        let section = section(SQUARE, 2, 4);
        let (mut full, mut sought) = (queue_of(&section), queue_of(&section));
        let motion = driving(0, 9000);
        let (seek_ms, mut compared) = (3000, 0);
        for frame in 0..rate_hz * 7 {
            let now = frame * 1000 / rate_hz;
            let map = map_of(&full, frame as u32);
            if now == seek_ms {
                sought.store(at(200), &map).expect("stored");
                sought.reset();
            }
            if now >= seek_ms {
                let (from_full, from_sought) = (
                    history(&mut full, at(now), &motion),
                    history(&mut sought, at(now), &motion),
                );
                // Four strides, and the tolerance of a slot.
                if now >= seek_ms + 2050 {
                    assert_eq!(from_full, from_sought, "{now} ms at {rate_hz} Hz");
                    compared += 1;
                }
                sought.store(at(now), &map).expect("stored");
            }
            full.store(at(now), &map).expect("stored");
        }
        assert!(compared > 10);
    }
}

#[test]
fn frames_that_drop_do_not_stretch_the_history() {
    let mut queue = queue_of(&section(SQUARE, 1, 4));
    let motion = driving(0, 9000);
    let map = vec![1.0; queue.map_len()];
    for now in (0..4000)
        .step_by(100)
        .filter(|now| !(2000..2400).contains(now))
    {
        queue.store(at(now), &map).expect("stored");
    }
    let (_, state) = history(&mut queue, at(4000), &motion);
    assert_eq!(state, [[1.0, 0.5], [1.0, 1.0], [1.0, 1.5], [0.0, 0.0]]);
    // 1600 ms after the hole, no slot asks for a time within it.
    let (_, state) = history(&mut queue, at(3900), &motion);
    assert_eq!(state[3], [1.0, 2.0]);
}

#[test]
fn eight_bit_maps_come_back_within_half_a_level() {
    let storage = QueueStorage::U8 {
        scale: 0.05,
        zero_point: 100,
    };
    let section = QueueSection {
        storage,
        ..section(GRID, 20, 1)
    };
    let map: Vec<f32> = (0..24 * 18 * 20)
        .map(|i| (i % 254) as f32 * 0.05 - 5.0 + 0.012)
        .collect();
    let out = realigned(&section, &map, &Pose::identity());
    assert!(
        out.iter()
            .zip(&map)
            .all(|(out, map)| (out - map).abs() <= 0.0251)
    );
    // The outside is the zero point, which reads as zero.
    let out = realigned(&section, &map, &pose(100.0, 0.0, 0.0));
    assert!(out.iter().all(|value| value.to_bits() == 0));
    let extremes = vec![1e30; map.len()];
    assert!(
        realigned(&section, &extremes, &Pose::identity())
            .iter()
            .all(|value| *value == 155.0 * 0.05)
    );
}

#[test]
fn modes_for_comparisons_give_unaligned_or_no_history() {
    let mut queue = queue_of(&section(SQUARE, 1, 1));
    let map = map_of(&queue, 9);
    queue.store(at(0), &map).expect("stored");
    let motion = driving(0, 1000);
    queue.set_mode(QueueMode::Unaligned);
    assert_eq!(
        history(&mut queue, at(500), &motion),
        (map, vec![[1.0, 0.5]])
    );
    queue.set_mode(QueueMode::Empty);
    let (out, state) = history(&mut queue, at(500), &motion);
    assert!(out.iter().all(|value| *value == 0.0) && state == [[0.0; 2]]);
    assert_eq!(queue.reports()[0].state, SlotState::Disabled);
}

#[test]
fn a_map_that_is_no_number_is_not_remembered() {
    for storage in [
        QueueStorage::F16,
        QueueStorage::U8 {
            scale: 0.1,
            zero_point: 0,
        },
    ] {
        let mut queue = queue_of(&QueueSection {
            storage,
            ..section(SQUARE, 1, 1)
        });
        let motion = driving(0, 1000);
        let mut map = vec![1.0; queue.map_len()];
        map[77] = f32::NAN;
        assert_eq!(queue.store(at(0), &map), Err(QueueError::NotFinite));
        let (out, state) = history(&mut queue, at(500), &motion);
        assert!(out.iter().all(|value| *value == 0.0) && state == [[0.0; 2]]);
        map[77] = 2.0;
        queue.store(at(20), &map).expect("the next one is welcome");
        let (out, _) = history(&mut queue, at(520), &motion);
        assert!(out.iter().all(|value| value.is_finite()));
    }
}

#[test]
fn wrong_lengths_and_backward_stamps_are_refused() {
    let mut queue = queue_of(&section(SQUARE, 1, 2));
    let motion = driving(0, 1000);
    let map = vec![0.0; queue.map_len()];
    assert_eq!(queue.store(at(0), &map[1..]), Err(QueueError::MapLength));
    queue.store(at(100), &map).expect("stored");
    assert_eq!(queue.store(at(100), &map), Err(QueueError::Backwards));
    assert_eq!(queue.store(at(40), &map), Err(QueueError::Backwards));
    let (mut out, mut state) = (vec![0.0; queue.history_len()], [[0.0; 2]; 2]);
    let short = queue.align_into(at(0), &motion, &mut out[1..], &mut state);
    assert_eq!(short, Err(QueueError::OutputLength));
    let few = queue.align_into(at(0), &motion, &mut out, &mut state[..1]);
    assert_eq!(few, Err(QueueError::StateLength));
}

#[test]
fn impossible_sections_are_refused() {
    let good = section(GRID, 2, 2);
    let refused = |section: QueueSection| {
        FeatureQueue::new(&section)
            .map(|_| ())
            .expect_err("refused")
            .field
    };
    assert_eq!(
        refused(QueueSection {
            slots: 0,
            ..good.clone()
        }),
        "slots"
    );
    assert_eq!(
        refused(QueueSection {
            slots: 9,
            ..good.clone()
        }),
        "slots"
    );
    assert_eq!(
        refused(QueueSection {
            channels: 0,
            ..good.clone()
        }),
        "channels"
    );
    assert_eq!(
        refused(QueueSection {
            stride_s: 0.0,
            ..good.clone()
        }),
        "stride_s"
    );
    assert_eq!(
        refused(QueueSection {
            stride_s: f64::NAN,
            ..good.clone()
        }),
        "stride_s"
    );
    let storage = QueueStorage::U8 {
        scale: 0.0,
        zero_point: 0,
    };
    assert_eq!(
        refused(QueueSection {
            storage,
            ..good.clone()
        }),
        "storage.scale"
    );
    let grid = BevGrid { rows: 0, ..GRID };
    assert_eq!(refused(QueueSection { grid, ..good }), "grid.rows");
}

#[test]
fn a_network_that_aligns_by_itself_gets_stored_maps_and_motions() {
    let mut queue = queue_of(&QueueSection {
        alignment: QueueAlignment::Graph,
        ..section(GRID, 6, 2)
    });
    let map = map_of(&queue, 3);
    queue.store(at(0), &map).expect("the map fits");
    let motion = motion_to(&pose(3.0, -1.0, 0.4));
    let (history, state) = history(&mut queue, at(500), &motion);
    assert_eq!(state, [[1.0, 0.5], [0.0, 0.0]]);
    for (cell, slots) in map.chunks_exact(6).zip(history.chunks_exact(12)) {
        assert_eq!(slots[..6], *cell, "the map is as it was stored");
        assert_eq!(slots[6..], [0.0; 6], "an invalid slot is zero");
    }
    let past_from_now = motion.past_from_now(at(0), at(500)).expect("it is known");
    let [known, invalid] = queue.history_from_now() else {
        panic!("two slots");
    };
    let point = nalgebra::Point3::new(7.0, -2.0, 0.0);
    let expected = past_from_now.transform(&point);
    for (row, expected) in known.iter().zip([expected.x, expected.y, 1.0]) {
        let found = row[0] * 7.0 + row[1] * -2.0 + row[2];
        assert!(
            (f64::from(found) - expected).abs() < 1e-5,
            "{found} {expected}"
        );
    }
    assert_eq!(*invalid, crate::align::NO_MOTION);
}

#[test]
fn the_motions_are_those_by_which_the_runtime_aligns() {
    let mut queue = queue_of(&section(SQUARE, 2, 1));
    let map = map_of(&queue, 1);
    queue.store(at(0), &map).expect("the map fits");
    let motion = motion_to(&pose(2.4, 0.0, FRAC_PI_2));
    let mut out = vec![0.0; queue.history_len()];
    queue
        .align_into(at(500), &motion, &mut out, &mut [[0.0; 2]])
        .expect("right lengths");
    let [row, col, _] = queue.history_from_now()[0];
    for (cell, found) in out.chunks_exact(2).enumerate() {
        let centre = SQUARE.centre(cell / SQUARE.cols, cell % SQUARE.cols);
        let along = |row: [f32; 3]| {
            f64::from(row[0]) * centre.x + f64::from(row[1]) * centre.y + f64::from(row[2])
        };
        let (row, col) = SQUARE.continuous(along(row), along(col));
        let (row, col) = (row.round() as i64, col.round() as i64);
        let inside = (0..20).contains(&row) && (0..20).contains(&col);
        let place = (row * 20 + col) as usize * 2;
        let expected = if inside {
            &map[place..place + 2]
        } else {
            &[0.0; 2]
        };
        assert_eq!(found, expected, "{row} {col}");
    }
}
