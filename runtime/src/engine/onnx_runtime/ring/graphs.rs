//! The two graphs of a ring: a map into its place, and places into the history.
//!
//! They do what `feature_queue/maps.rs` and `align` do on the host, with the same numbers in the same
//! order, so that the results are the same to the bit where a provider computes one operator after
//! the other. All operators are at version 17 or below, and ONNX Runtime's CPU and CUDA providers have
//! them for the types that are used here.

use crate::align::{PAD_AFTER, PAD_BEFORE};
use crate::engine::onnx_writer::{Attribute, Named, OnnxType, OnnxWriter};
use crate::manifest::{QueueSection, QueueStorage};

/// Half of the smallest half: what is not above it becomes zero.
const TO_ZERO: f32 = 1.0 / (1 << 25) as f32;
/// The largest finite half.
const LARGEST_HALF: f32 = 65_504.0;
/// In levels: beyond it everything ends at 0 or 255, whatever the zero point.
const MOST_STEPS: f32 = 512.0;
/// What is told of a slot: the affine's row, its column, and the place.
const SOURCE_VALUES: usize = 7;
/// Where the place is among that.
const PLACE: i32 = 6;

/// Places begin at a multiple of this many cells, so that each begins at a multiple of 256 bytes, as
/// memory does that a GPU's provider takes for itself.
const PLACE_CELLS: usize = 256;

/// The size of a ring.
#[derive(Clone, Copy, Debug)]
pub(super) struct RingShape {
    pub rows: usize,
    pub cols: usize,
    pub channels: usize,
    pub slots: usize,
    /// Maps of the queue. One more place is never anything but zero.
    pub places: usize,
}

impl RingShape {
    pub fn of(section: &QueueSection) -> Self {
        Self {
            rows: section.grid.rows,
            cols: section.grid.cols,
            channels: section.channels as usize,
            slots: section.slots as usize,
            places: crate::feature_queue::places(section),
        }
    }

    /// A map with its border of empty cells.
    pub fn place(&self) -> [usize; 3] {
        [
            self.padded(self.rows),
            self.padded(self.cols),
            self.channels,
        ]
    }

    /// Cells from one place to the next.
    pub fn place_stride(&self) -> usize {
        let [rows, cols, _] = self.place();
        (rows * cols).next_multiple_of(PLACE_CELLS)
    }

    /// All places, cell by cell.
    pub fn ring(&self) -> [usize; 2] {
        [(self.places + 1) * self.place_stride(), self.channels]
    }

    pub fn sources(&self) -> [usize; 2] {
        [SOURCE_VALUES, self.slots]
    }

    pub fn history(&self) -> [usize; 4] {
        [self.rows, self.cols, self.slots, self.channels]
    }

    pub fn map(&self) -> [usize; 3] {
        [self.rows, self.cols, self.channels]
    }

    fn padded(&self, cells: usize) -> usize {
        cells + PAD_BEFORE + PAD_AFTER
    }
}

fn stored(storage: QueueStorage) -> OnnxType {
    match storage {
        QueueStorage::F16 => OnnxType::F16,
        QueueStorage::U8 { .. } => OnnxType::U8,
    }
}

/// From `map` to `place`, as it is stored, and `rest`, which is 0 for a finite map and no number else.
pub(super) fn store_graph(shape: &RingShape, storage: QueueStorage) -> Vec<u8> {
    let mut graph = OnnxWriter::default();
    let map = graph.input("map", OnnxType::F32, &shape.map());
    let rest = graph.node("Sub", &[&map, &map], &[]);
    graph.output(
        "rest",
        (OnnxType::F32, &[]),
        ("ReduceSum", &[&rest]),
        &[Attribute::Int("keepdims", 0)],
    );
    let (held, outside) = match storage {
        QueueStorage::F16 => (half(&mut graph, &map), 0.0),
        QueueStorage::U8 { scale, zero_point } => {
            let zero_point = f32::from(zero_point);
            (level(&mut graph, &map, scale, zero_point), zero_point)
        }
    };
    let (before, after) = (PAD_BEFORE as i64, PAD_AFTER as i64);
    let pads = graph.longs(&[before, before, 0, after, after, 0]);
    let outside = graph.float(outside);
    let padded = graph.node("Pad", &[&held, &pads, &outside], &[]);
    let element = stored(storage);
    graph.output(
        "place",
        (element, &shape.place()),
        ("Cast", &[&padded]),
        &[Attribute::Int("to", element as i64)],
    );
    graph.finish("store")
}

/// Values that halves hold, without a negative zero.
fn half(graph: &mut OnnxWriter, map: &Named) -> Named {
    let attributes = [
        Attribute::Float("lambd", TO_ZERO),
        Attribute::Float("bias", 0.0),
    ];
    let shrunk = graph.node("Shrink", &[map], &attributes);
    clipped(graph, &shrunk, -LARGEST_HALF, LARGEST_HALF)
}

/// Whole levels.
fn level(graph: &mut OnnxWriter, map: &Named, scale: f32, zero_point: f32) -> Named {
    let (scale, zero_point) = (graph.float(scale), graph.float(zero_point));
    let steps = graph.node("Div", &[map, &scale], &[]);
    let steps = clipped(graph, &steps, -MOST_STEPS, MOST_STEPS);
    let steps = graph.node("Round", &[&steps], &[]);
    let level = graph.node("Add", &[&steps, &zero_point], &[]);
    clipped(graph, &level, 0.0, 255.0)
}

fn clipped(graph: &mut OnnxWriter, value: &Named, least: f32, most: f32) -> Named {
    let (least, most) = (graph.float(least), graph.float(most));
    graph.node("Clip", &[value, &least, &most], &[])
}

/// From `ring` and `sources` to `history`.
pub(super) fn align_graph(shape: &RingShape, storage: QueueStorage) -> Vec<u8> {
    let mut graph = OnnxWriter::default();
    let ring = graph.input("ring", stored(storage), &shape.ring());
    let sources = graph.input("sources", OnnxType::F32, &shape.sources());
    let row = Axis::new(&mut graph, shape, &sources, Direction::Row);
    let col = Axis::new(&mut graph, shape, &sources, Direction::Col);
    let corner = corner(&mut graph, shape, &sources, &row, &col);
    let weights = weights(&mut graph, &row, &col, storage);
    let products: [Named; 4] = std::array::from_fn(|tap| {
        let offset = (tap / 2) * shape.padded(shape.cols) + tap % 2;
        let cell = match offset {
            0 => corner.clone(),
            offset => {
                let offset = graph.int(offset as i32);
                graph.node("Add", &[&corner, &offset], &[])
            }
        };
        let stored = graph.node("Gather", &[&ring, &cell], &[Attribute::Int("axis", 0)]);
        let mut value = graph.cast(&stored, OnnxType::F32);
        if let QueueStorage::U8 { zero_point, .. } = storage {
            let zero_point = graph.float(f32::from(zero_point));
            value = graph.node("Sub", &[&value, &zero_point], &[]);
        }
        graph.node("Mul", &[&value, &weights[tap]], &[])
    });
    let [first, next, below, last] = products;
    let above = graph.node("Add", &[&first, &next], &[]);
    let three = graph.node("Add", &[&above, &below], &[]);
    let history = (OnnxType::F32, &shape.history()[..]);
    graph.output("history", history, ("Add", &[&three, &last]), &[]);
    graph.finish("align")
}

/// Which of the two axes of a map.
#[derive(Clone, Copy)]
enum Direction {
    Row,
    Col,
}

/// The row or the column of a past map, for each cell and slot.
struct Axis {
    /// In the padded map, `[rows, cols, slots]` of 32-bit integers.
    padded: Named,
    /// How far beyond it, `[rows, cols, slots, 1]`.
    fraction: Named,
}

impl Axis {
    fn new(
        graph: &mut OnnxWriter,
        shape: &RingShape,
        sources: &Named,
        direction: Direction,
    ) -> Self {
        let (first, cells) = match direction {
            Direction::Row => (0, shape.rows),
            Direction::Col => (3, shape.cols),
        };
        let count = |count: usize| (0..count).map(|at| at as f32).collect::<Vec<_>>();
        let row_now = graph.floats(&[shape.rows, 1, 1], &count(shape.rows));
        let col_now = graph.floats(&[1, shape.cols, 1], &count(shape.cols));
        let of_row = source(graph, sources, first);
        let of_row = graph.node("Mul", &[&of_row, &row_now], &[]);
        let of_col = source(graph, sources, first + 1);
        let of_col = graph.node("Mul", &[&of_col, &col_now], &[]);
        let offset = source(graph, sources, first + 2);
        let turned = graph.node("Add", &[&of_row, &of_col], &[]);
        let past = graph.node("Add", &[&turned, &offset], &[]);
        let past = clipped(graph, &past, -1.0, cells as f32);
        let one = graph.float(1.0);
        let plus = graph.node("Add", &[&past, &one], &[]);
        let padded = graph.cast(&plus, OnnxType::I32);
        let whole = graph.cast(&padded, OnnxType::F32);
        let whole = graph.node("Sub", &[&whole, &one], &[]);
        let fraction = graph.node("Sub", &[&past, &whole], &[]);
        let last = graph.longs(&[3]);
        Self {
            padded,
            fraction: graph.node("Unsqueeze", &[&fraction, &last], &[]),
        }
    }
}

/// One of the values that are told of each slot.
fn source(graph: &mut OnnxWriter, sources: &Named, which: i32) -> Named {
    let which = graph.int(which);
    graph.node("Gather", &[sources, &which], &[Attribute::Int("axis", 0)])
}

/// Number of the first of the four cells in the ring, `[rows, cols, slots]`.
fn corner(
    graph: &mut OnnxWriter,
    shape: &RingShape,
    sources: &Named,
    row: &Axis,
    col: &Axis,
) -> Named {
    let place = source(graph, sources, PLACE);
    let place = graph.cast(&place, OnnxType::I32);
    let cells = graph.int(shape.place_stride() as i32);
    let first = graph.node("Mul", &[&place, &cells], &[]);
    let stride = graph.int(shape.padded(shape.cols) as i32);
    let of_row = graph.node("Mul", &[&row.padded, &stride], &[]);
    let cell = graph.node("Add", &[&of_row, &col.padded], &[]);
    graph.node("Add", &[&cell, &first], &[])
}

/// Weights of the first cell, the next, and the two below, `[rows, cols, slots, 1]`.
fn weights(graph: &mut OnnxWriter, row: &Axis, col: &Axis, storage: QueueStorage) -> [Named; 4] {
    let one = graph.float(1.0);
    let rows = [
        graph.node("Sub", &[&one, &row.fraction], &[]),
        row.fraction.clone(),
    ];
    let cols = [
        graph.node("Sub", &[&one, &col.fraction], &[]),
        col.fraction.clone(),
    ];
    std::array::from_fn(|tap| {
        let weight = graph.node("Mul", &[&rows[tap / 2], &cols[tap % 2]], &[]);
        match storage {
            QueueStorage::F16 => weight,
            QueueStorage::U8 { scale, .. } => {
                let scale = graph.float(scale);
                graph.node("Mul", &[&weight, &scale], &[])
            }
        }
    })
}
