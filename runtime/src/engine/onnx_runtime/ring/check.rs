//! Whether a ring gives what the runtime's own aligner gives on the host.

use crate::align::GridAffine;
use crate::feature_queue::{Maps, Sources};
use crate::frame::MAX_SLOTS;
use crate::manifest::{QueueSection, QueueStorage};

use super::Ring;
use super::graphs::RingShape;

/// What a value between cells may differ by, as a part of the largest one: a provider that multiplies
/// and adds in one operation rounds once less. Cells that are taken whole must be the same.
const TOLERANCE: f32 = 1e-4;

/// The network's ends of a ring, as the check writes and reads them.
pub(in crate::engine::onnx_runtime) trait RingAccess {
    /// Changes what the ring takes for the network's map.
    fn write_map(&mut self, write: &mut dyn FnMut(&mut [f32])) -> ort::Result<()>;
    /// The history that the ring wrote.
    fn read_history(&mut self) -> ort::Result<&[f32]>;
}

/// Why a ring is not used.
#[derive(Debug)]
pub(in crate::engine::onnx_runtime) enum RingProblem {
    /// The provider failed.
    Failed(ort::Error),
    /// It gives something else.
    Differs {
        /// What, where.
        field: String,
        /// What the host gives.
        expected: String,
        /// What the provider gives.
        found: String,
    },
}

impl From<ort::Error> for RingProblem {
    fn from(error: ort::Error) -> Self {
        Self::Failed(error)
    }
}

/// A motion, for the message and the alignment.
struct Motion {
    name: &'static str,
    affine: GridAffine,
    /// Whether cells are taken whole.
    is_whole: bool,
}

/// Makes the place that must be zero so, stores and aligns test maps and compares, and leaves the
/// history empty.
pub(in crate::engine::onnx_runtime) fn check(
    ring: &mut Ring,
    section: &QueueSection,
    ends: &mut dyn RingAccess,
) -> Result<(), RingProblem> {
    let shape = RingShape::of(section);
    store(ring, ends, shape.places, &mut |map| map.fill(0.0))?;
    let places = [0, shape.places - 1];
    let mut host = Maps::new(section, places.len());
    let largest = largest(section.storage);
    for with_extremes in [true, false] {
        for (index, place) in places.into_iter().enumerate() {
            let mut copy = Vec::new();
            let mut write = |map: &mut [f32]| {
                fill(map, index as u32, largest, with_extremes);
                copy = map.to_vec();
            };
            let is_finite = store(ring, ends, place, &mut write)?;
            host.store(index, &copy);
            same(is_finite, true, || format!("a finite map at place {place}"))?;
        }
        for motion in motions(&shape)
            .iter()
            .filter(|motion| motion.is_whole || !with_extremes)
        {
            compare(ring, ends, &mut host, &shape, places, motion)?;
        }
    }
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let is_finite = store(ring, ends, 0, &mut |map| map[map.len() / 2] = bad)?;
        same(is_finite, false, || format!("a map that holds {bad}"))?;
        store(ring, ends, 0, &mut |map| map.fill(0.0))?;
    }
    Ok(ring.align(&[])?)
}

fn store(
    ring: &mut Ring,
    ends: &mut dyn RingAccess,
    place: usize,
    write: &mut dyn FnMut(&mut [f32]),
) -> ort::Result<bool> {
    ends.write_map(write)?;
    ring.store(place)
}

fn same(found: bool, expected: bool, field: impl Fn() -> String) -> Result<(), RingProblem> {
    let word = |is_finite| if is_finite { "finite" } else { "not finite" };
    if found == expected {
        return Ok(());
    }
    Err(RingProblem::Differs {
        field: field(),
        expected: word(expected).into(),
        found: word(found).into(),
    })
}

fn compare(
    ring: &mut Ring,
    ends: &mut dyn RingAccess,
    host: &mut Maps,
    shape: &RingShape,
    places: [usize; 2],
    motion: &Motion,
) -> Result<(), RingProblem> {
    let mut expected = vec![f32::NAN; shape.history().iter().product()];
    // Each slot takes both maps in turn, and none.
    for turn in 0..3 {
        let (mut on_host, mut in_ring): (Sources, Sources) = ([None; MAX_SLOTS], [None; MAX_SLOTS]);
        for slot in 0..shape.slots {
            let Some(&place) = places.get((slot + turn) % 3) else {
                continue;
            };
            on_host[slot] = Some(((slot + turn) % 3, motion.affine));
            in_ring[slot] = Some((place, motion.affine));
        }
        host.align(&on_host, &mut expected);
        ring.align(&in_ring[..shape.slots])?;
        let found = ends.read_history()?;
        let largest = expected
            .iter()
            .fold(0.0_f32, |most, value| most.max(value.abs()));
        let allowed = if motion.is_whole {
            0.0
        } else {
            TOLERANCE * largest
        };
        // Not a number is near to nothing.
        let is_near = |(a, b): (&f32, &f32)| (a - b).abs() <= allowed;
        let mut pairs = expected.iter().zip(found);
        if let Some(at) = pairs.position(|pair| !is_near(pair)) {
            return Err(RingProblem::Differs {
                field: format!("{}: {}", motion.name, place_of(shape, at)),
                expected: expected[at].to_string(),
                found: found[at].to_string(),
            });
        }
    }
    Ok(())
}

fn place_of(shape: &RingShape, at: usize) -> String {
    let [_, cols, slots, channels] = shape.history();
    let (channel, rest) = (at % channels, at / channels);
    let (slot, rest) = (rest % slots, rest / slots);
    let (row, col) = (rest / cols, rest % cols);
    format!("row {row}, column {col}, slot {slot}, channel {channel}")
}

/// A magnitude that is stored, and one that is held at the end for 8 bit.
fn largest(storage: QueueStorage) -> f32 {
    match storage {
        QueueStorage::F16 => 31.25,
        QueueStorage::U8 { scale, .. } => 300.0 * scale,
    }
}

/// Numbers of both signs without a pattern. Extremes are what storing must hold, round or flush.
fn fill(map: &mut [f32], seed: u32, largest: f32, with_extremes: bool) {
    const EXTREMES: [f32; 8] = [-0.0, 1e6, -1e30, 1e-9, -3e-8, 65_519.0, 6.1e-5, -1e-40];
    for (at, value) in map.iter_mut().enumerate() {
        let mixed = (at as u32 ^ (seed << 30)).wrapping_mul(2_654_435_761) >> 8;
        *value = (mixed as f32 / (1 << 23) as f32 - 1.0) * largest;
        if with_extremes && at % 5 == 0 {
            *value = EXTREMES[at / 5 % EXTREMES.len()];
        }
    }
}

fn motions(shape: &RingShape) -> [Motion; 6] {
    let motion = |name, row, col, is_whole| Motion {
        name,
        affine: GridAffine { row, col },
        is_whole,
    };
    let (last_row, last_col) = (shape.rows as f32 - 1.0, shape.cols as f32 - 1.0);
    let (sin, cos) = 0.4_f32.sin_cos();
    [
        motion("no motion", [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], true),
        motion(
            "a shift by whole cells",
            [1.0, 0.0, 3.0],
            [0.0, 1.0, -2.0],
            true,
        ),
        motion(
            "a quarter turn",
            [0.0, -1.0, last_row],
            [1.0, 0.0, 0.0],
            true,
        ),
        motion(
            "a half turn",
            [-1.0, 0.0, last_row],
            [0.0, -1.0, last_col],
            true,
        ),
        motion(
            "a place far outside",
            [1.0, 0.0, 1e7],
            [0.0, 1.0, 0.0],
            true,
        ),
        motion(
            "a turn with a shift",
            [cos, -sin, 0.3 * last_row],
            [sin, cos, -0.15 * last_col],
            false,
        ),
    ]
}
