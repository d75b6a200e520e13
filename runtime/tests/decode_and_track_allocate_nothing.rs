//! Decoding and tracking allocate nothing, and the engine's call stays below a measured ceiling.
//!
//! In a binary of its own, because the counting allocator is the program's.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::Path;

use bevrt_calibration::{BevGrid, Ego, Odom, Pose};
use bevrt_runtime::{
    Detections, Engine, EngineOptions, HeadDecoder, HeadKind, HeadSection, ImageSet,
    NetworkInterface, NetworkRequest, OnnxRuntime, OnnxRuntimeLibrary, Package, ProviderKind,
    Stamp, Tracker,
};

/// Allocations of the wrapper around ONNX Runtime in one run; the library's own are not counted.
const RUN_CEILING: usize = 16;

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged, which upholds the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that is ending has no counter any more; what it allocates is not measured.
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller upholds the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` above, that is from `System`, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `work` allocates on this thread.
fn allocations(work: impl FnOnce()) -> usize {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

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
        kind,
        output: kind.to_string(),
        grid: FINE,
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
                    .decode_into(map, &mut detections)
                    .expect("the map is right");
            }
            tracker.update(stamp, Some(&pose), &detections);
        });
        assert_eq!(count, 0, "in step {step}");
        elements += detections.objects.len() + detections.lanes.len() + detections.arrows.len();
    }
    assert!(elements > 100, "the maps hold something: {elements}");
}

#[test]
fn a_run_of_the_engine_stays_below_its_ceiling() {
    if let Err(error) = OnnxRuntimeLibrary::load(None) {
        println!("SKIPPED: {error}");
        return;
    }
    let package = package();
    let request = NetworkRequest {
        provider: ProviderKind::Cpu,
        precision: None,
    };
    let entry = package.choose(request).expect("the fixture is for the CPU");
    let network = package.read_network(entry).expect("the fixture is whole");
    let interface = NetworkInterface::new(package.manifest(), 2);
    let options = EngineOptions {
        intra_op_threads: 1,
        ..EngineOptions::default()
    };
    let mut engine = OnnxRuntime::load(&network, interface, &options).expect("the fixture loads");
    let mut set = ImageSet::First;
    for _ in 0..10 {
        let count = allocations(|| engine.run(set).expect("the network runs"));
        assert!(count <= RUN_CEILING, "{count}");
        set = set.other();
    }
}
