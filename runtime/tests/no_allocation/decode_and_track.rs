//! Decoding of every family of heads, and tracking.

use std::path::Path;

use bevrt_calibration::{BevGrid, Ego, Odom, Pose};
use bevrt_runtime::{
    Detections, GroundRange, HeadDecoder, HeadForm, HeadKind, HeadOutput, HeadSection, MapElement,
    MapQueries, ObjectQueries, Package, PointCoordinates, PointDimensions, Stamp, Tracker,
};

use crate::counting::allocations;

fn package() -> Package {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reduced");
    Package::open(&folder).expect("the fixture is right")
}

const FINE: BevGrid = BevGrid {
    x_min_m: -33.6,
    y_min_m: -16.8,
    cell_m: 0.4,
    rows: 168,
    cols: 84,
};

fn section(kind: HeadKind) -> HeadSection {
    HeadSection {
        output: kind.to_string(),
        form: HeadForm::Dense { kind, grid: FINE },
        classes: Vec::new(),
        thresholds: vec![0.3; kind.class_count()],
    }
}

/// Numbers that look like a map: mostly nothing, with hills here and there.
fn map(kind: HeadKind, seed: u32) -> Vec<f32> {
    let cells = FINE.cell_count();
    (0..kind.channels() * cells)
        .map(|k| {
            let (channel, cell) = (k / cells, (k % cells) as f32);
            let wave = (cell * 0.37 + seed as f32).sin() * (cell * 0.011).cos();
            if channel < kind.class_count() {
                6.0 * wave - 2.0
            } else {
                0.4 * wave
            }
        })
        .collect()
}

const KINDS: [HeadKind; 5] = [
    HeadKind::Objects,
    HeadKind::Lanes,
    HeadKind::Arrows,
    HeadKind::Crosswalks,
    HeadKind::StopLines,
];

#[test]
fn decoding_and_tracking_allocate_nothing() {
    let mut decoders = KINDS.map(|kind| HeadDecoder::new(&section(kind)));
    let maps: Vec<Vec<Vec<f32>>> = (0..5)
        .map(|seed| KINDS.iter().map(|&kind| map(kind, seed)).collect())
        .collect();
    let mut tracker = Tracker::new(package().manifest());
    let mut detections = Box::<Detections>::default();
    let pose = Pose::<Odom, Ego>::identity();
    let mut elements = 0;
    for (step, maps) in maps.iter().enumerate() {
        let stamp = Stamp::from_seconds(0.1 * step as f64);
        let count = allocations(|| {
            for (decoder, map) in decoders.iter_mut().zip(maps) {
                decoder
                    .decode_into(HeadOutput::Map(map), &mut detections)
                    .expect("the map is right");
            }
            tracker.update(stamp, Some(&pose), &detections);
        });
        assert_eq!(count, 0, "in step {step}");
        elements += detections.objects.len() + detections.lanes.len() + detections.arrows.len();
    }
    assert!(elements > 100, "the maps hold something: {elements}");
}

const RANGE: GroundRange = GroundRange {
    x_min_m: -40.0,
    x_max_m: 40.0,
    y_min_m: -20.0,
    y_max_m: 20.0,
};

fn query_section(form: HeadForm, classes: usize) -> HeadSection {
    HeadSection {
        output: "set".into(),
        form,
        classes: vec![String::new(); classes],
        thresholds: vec![0.3; classes],
    }
}

fn wave(len: usize, seed: u32, scale: f32) -> Vec<f32> {
    (0..len)
        .map(|k| scale * (k as f32 * 0.37 + seed as f32).sin())
        .collect()
}

#[test]
fn decoding_query_sets_allocates_nothing() {
    let objects = ObjectQueries {
        count: 900,
        range: RANGE,
    };
    let elements = ["dashed", "road_edge", "crosswalk", "stop_line"];
    let elements = elements.map(|name| MapElement::from_name(name).expect("a known name"));
    let map = MapQueries {
        count: 350,
        points: 20,
        dimensions: PointDimensions::Two,
        coordinates: PointCoordinates::Normalised,
        range: RANGE,
        elements: elements.to_vec(),
        sigma_m: vec![0.2; 4],
    };
    let mut decoders = [
        HeadDecoder::new(&query_section(HeadForm::ObjectQueries(objects), 8)),
        HeadDecoder::new(&query_section(HeadForm::MapQueries(map), 4)),
    ];
    let mut detections = Box::<Detections>::default();
    let mut found = [0; 4];
    for seed in 0..5 {
        // Points march along a line, so that lines, rectangles and pieces have an extent.
        let points: Vec<f32> = wave(350 * 40, seed, 0.02)
            .iter()
            .enumerate()
            .map(|(k, noise)| {
                let (query, point) = (k / 40, k % 40 / 2);
                0.1 + 0.02 * point as f32 + 0.3 * (query as f32 * 0.7).sin().abs() + noise
            })
            .collect();
        let sets = [
            (wave(900 * 8, seed, 3.0), wave(900 * 17, seed, 3.0)),
            (wave(350 * 4, seed, 3.0), points),
        ];
        let count = allocations(|| {
            for (decoder, (scores, values)) in decoders.iter_mut().zip(&sets) {
                decoder
                    .decode_into(HeadOutput::Queries { scores, values }, &mut detections)
                    .expect("the set is right");
            }
        });
        assert_eq!(count, 0, "with seed {seed}");
        found[0] += detections.objects.len();
        found[1] += detections.lanes.len();
        found[2] += detections.crosswalks.len();
        found[3] += detections.stop_lines.len();
    }
    assert!(found.iter().all(|&count| count > 0), "{found:?}");
}
