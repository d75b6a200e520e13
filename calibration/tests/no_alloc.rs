//! The table's rebuild takes nothing from the heap; a binary of its own, as the allocator counts all.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bevrt_calibration::{
    BevGrid, DepthBins, LiftSpec, NetworkCamera, PixelRect, ProjectionTable, Rig, rigs,
};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is handed on to `System` unchanged; counting touches only a thread-local cell
// that needs no allocation and no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller upholds `alloc`'s contract, which is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `System` with this layout, as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: `pointer` came from `System` with this layout, as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations_of_rebuilds(rig: &Rig, crop: PixelRect, taps: u32) -> u64 {
    let spec = LiftSpec {
        grid: BevGrid {
            x_min_m: -51.2,
            y_min_m: -51.2,
            cell_m: 0.8,
            rows: 128,
            cols: 128,
        },
        heights_m: vec![0.0, 0.6, 1.4, 2.6],
        feature_width: 44,
        feature_height: 16,
        stride: 8,
        taps,
        depth_bins: Some(DepthBins {
            count: 32,
            min_m: 2.0,
            max_m: 72.0,
        }),
    };
    let mut cameras: Vec<NetworkCamera> = rig
        .cameras()
        .iter()
        .map(|camera| NetworkCamera::new(camera, crop, 352, 128))
        .collect();
    let mut table = ProjectionTable::new(&spec, cameras.len());
    let before = ALLOCATIONS.with(Cell::get);
    for lost in 0..cameras.len() {
        cameras[lost].is_enabled = false;
        table.rebuild(&spec, &cameras);
        cameras[lost].is_enabled = true;
        table.rebuild(&spec, &cameras);
    }
    ALLOCATIONS.with(Cell::get) - before
}

#[test]
fn rebuilding_a_table_does_not_allocate() {
    let crop = PixelRect {
        x: 0.0,
        y: 318.0,
        width: 1600.0,
        height: 582.0,
    };
    let fisheye_crop = PixelRect {
        x: 0.0,
        y: 339.0,
        width: 1280.0,
        height: 465.0,
    };
    for taps in 1..=4 {
        assert_eq!(allocations_of_rebuilds(&rigs::six_pinhole(), crop, taps), 0);
        assert_eq!(
            allocations_of_rebuilds(&rigs::four_fisheye(), fisheye_crop, taps),
            0
        );
    }
}
