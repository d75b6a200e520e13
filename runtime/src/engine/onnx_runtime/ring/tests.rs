use bevrt_calibration::BevGrid;

use super::check::RingAccess;
use super::*;
use crate::engine::conformance::{CAMERAS, has_onnx_runtime, reduced_network};
use crate::engine::onnx_runtime::keep;
use crate::engine::{EngineOptions, OnnxRuntimeLibrary, Provider};
use crate::feature_queue::{Maps, Sources};
use crate::frame::MAX_SLOTS;
use crate::manifest::QueueAlignment;

const LEVELS: QueueStorage = QueueStorage::U8 {
    scale: 0.05,
    zero_point: 77,
};

fn section(rows: usize, cols: usize, channels: u32, slots: u32) -> QueueSection {
    QueueSection {
        grid: BevGrid {
            x_min_m: 0.0,
            y_min_m: 0.0,
            cell_m: 0.5,
            rows,
            cols,
        },
        channels,
        slots,
        stride_s: 0.5,
        storage: QueueStorage::F16,
        alignment: QueueAlignment::Runtime,
    }
}

/// The tensors of a network that are a ring's ends.
struct Ends {
    map: Tensor<f32>,
    history: Tensor<f32>,
}

impl RingAccess for Ends {
    fn write_map(&mut self, write: &mut dyn FnMut(&mut [f32])) -> ort::Result<()> {
        write(self.map.extract_tensor_mut().1);
        Ok(())
    }

    fn read_history(&mut self) -> ort::Result<&[f32]> {
        Ok(self.history.extract_tensor().1)
    }
}

fn ring_of(section: &QueueSection) -> (Ring, Ends) {
    let library = OnnxRuntimeLibrary::load(None).expect("it is there");
    let (_, interface) = reduced_network(CAMERAS);
    let options = EngineOptions::default();
    let open = |graph: &[u8]| keep::open(graph, &Provider::Cpu, library, &interface, &options);
    let shape = RingShape::of(section);
    let host = Allocator::default();
    let mut ends = Ends {
        map: Tensor::new(&host, shape.map()).expect("memory"),
        history: Tensor::new(
            &host,
            [1, shape.rows, shape.cols, shape.slots * shape.channels],
        )
        .expect("memory"),
    };
    let bound = RingEnds {
        map: &ends.map,
        history: &mut ends.history,
    };
    let ring = Ring::new(section, bound, None, open).expect("the graphs are right");
    (ring, ends)
}

fn sections() -> Vec<QueueSection> {
    let shapes = [(24, 18, 3, 2), (9, 31, 1, 1), (16, 16, 32, 4), (1, 5, 2, 8)];
    let sections = shapes.map(|(rows, cols, channels, slots)| section(rows, cols, channels, slots));
    let with_levels = sections.clone().map(|section| QueueSection {
        storage: LEVELS,
        ..section
    });
    sections.into_iter().chain(with_levels).collect()
}

/// A number from 0 to 1 without a pattern.
fn random(state: &mut u32) -> f32 {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (*state >> 8) as f32 / (1 << 24) as f32
}

#[test]
fn the_check_at_load_passes_for_every_shape_and_storage() {
    if !has_onnx_runtime() {
        return;
    }
    for section in sections() {
        let (mut ring, mut ends) = ring_of(&section);
        check(&mut ring, &section, &mut ends).expect("as on the host");
    }
}

#[test]
fn any_motion_of_any_place_gives_the_bits_of_the_host() {
    if !has_onnx_runtime() {
        return;
    }
    for section in sections() {
        let shape = RingShape::of(&section);
        let (mut ring, mut ends) = ring_of(&section);
        check(&mut ring, &section, &mut ends).expect("as on the host");
        let mut host = Maps::new(&section, shape.places);
        let mut state = 7;
        let mut expected = vec![0.0; shape.history().iter().product()];
        for step in 0..2 * shape.places {
            let place = step % shape.places;
            let mut copy = Vec::new();
            let mut write = |map: &mut [f32]| {
                map.fill_with(|| 40.0 * random(&mut state) - 20.0);
                copy = map.to_vec();
            };
            ends.write_map(&mut write).expect("memory");
            assert!(ring.store(place).expect("it runs"));
            assert!(host.store(place, &copy));
            let mut sources: Sources = [None; MAX_SLOTS];
            for source in &mut sources[..shape.slots] {
                let place = (random(&mut state) * (1.0 + step as f32)) as usize;
                let (sin, cos) = (6.3 * random(&mut state)).sin_cos();
                let shift = |state: &mut u32| 60.0 * random(state) - 20.0;
                let affine = GridAffine {
                    row: [cos, -sin, shift(&mut state)],
                    col: [sin, cos, shift(&mut state)],
                };
                *source = (random(&mut state) > 0.2)
                    .then_some((place.min(step).min(shape.places - 1), affine));
            }
            host.align(&sources, &mut expected);
            ring.align(&sources[..shape.slots]).expect("it runs");
            let found = ends.read_history().expect("memory");
            let is_same = expected
                .iter()
                .zip(found)
                .all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(is_same, "step {step} of {section:?}");
        }
    }
}

#[test]
fn slots_without_a_map_are_zero_and_places_beyond_the_ring_are_refused() {
    if !has_onnx_runtime() {
        return;
    }
    let section = section(6, 7, 2, 3);
    let (mut ring, mut ends) = ring_of(&section);
    check(&mut ring, &section, &mut ends).expect("as on the host");
    ends.write_map(&mut |map| map.fill(3.5)).expect("memory");
    assert!(ring.store(4).expect("it runs"));
    ring.align(&[None, Some((4, GridAffine::IDENTITY))])
        .expect("it runs");
    let history = ends.read_history().expect("memory");
    for slots in history.chunks_exact(6) {
        assert_eq!(slots, [0.0, 0.0, 3.5, 3.5, 0.0, 0.0]);
    }
    let places = RingShape::of(&section).places;
    assert!(ring.store(places + 1).is_err());
    assert!(
        ring.align(&[Some((places + 1, GridAffine::IDENTITY))])
            .is_err()
    );
}

#[test]
fn a_ring_that_gives_something_else_is_refused_with_the_place_and_both_values() {
    if !has_onnx_runtime() {
        return;
    }
    let stored = QueueSection {
        storage: LEVELS,
        ..section(12, 10, 2, 2)
    };
    let other_scale = QueueStorage::U8 {
        scale: 0.06,
        zero_point: 77,
    };
    for storage in [other_scale, QueueStorage::F16] {
        let promised = QueueSection {
            storage,
            ..stored.clone()
        };
        let (mut ring, mut ends) = ring_of(&stored);
        match check(&mut ring, &promised, &mut ends) {
            Err(RingProblem::Differs {
                field,
                expected,
                found,
            }) => {
                assert!(field.starts_with("no motion: row 0, column 0"), "{field}");
                assert_ne!(expected, found);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_ring_that_does_not_notice_what_is_no_number_is_refused() {
    if !has_onnx_runtime() {
        return;
    }
    /// The network's ends, whose map never holds what is no number.
    struct Deaf(Ends);
    impl RingAccess for Deaf {
        fn write_map(&mut self, write: &mut dyn FnMut(&mut [f32])) -> ort::Result<()> {
            self.0.write_map(write)?;
            self.0.write_map(&mut |map| {
                map.iter_mut()
                    .filter(|value| !value.is_finite())
                    .for_each(|value| *value = 0.0);
            })
        }

        fn read_history(&mut self) -> ort::Result<&[f32]> {
            self.0.read_history()
        }
    }
    let section = section(5, 5, 2, 1);
    let (mut ring, ends) = ring_of(&section);
    match check(&mut ring, &section, &mut Deaf(ends)) {
        Err(RingProblem::Differs {
            field,
            expected,
            found,
        }) => {
            assert_eq!(field, "a map that holds NaN");
            assert_eq!((&*expected, &*found), ("not finite", "finite"));
        }
        other => panic!("{other:?}"),
    }
}
