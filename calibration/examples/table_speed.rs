//! Times the rebuilding of both tables of the `tiny` network for both standard rigs.
//!
//! `cargo run --release -p bevrt-calibration --example table_speed`

use std::time::Instant;

use bevrt_calibration::{
    BevGrid, DepthBins, LiftSpec, NetworkCamera, PixelRect, ProjectionTable, Rig, rigs,
};

const RUNS: usize = 200;

fn main() {
    let crop_pinhole = PixelRect {
        x: 0.0,
        y: 318.0,
        width: 1600.0,
        height: 582.0,
    };
    let crop_fisheye = PixelRect {
        x: 0.0,
        y: 339.0,
        width: 1280.0,
        height: 465.0,
    };
    for (name, rig, crop) in [
        ("six_pinhole", rigs::six_pinhole(), crop_pinhole),
        ("four_fisheye", rigs::four_fisheye(), crop_fisheye),
    ] {
        let (least, median) = times_ms(&rig, crop);
        println!(
            "{name}: coarse and fine table in {least:.2} ms at best, {median:.2} ms at the median of {RUNS}"
        );
    }
}

/// Shortest and median time of one rebuild of both tables, milliseconds.
fn times_ms(rig: &Rig, crop: PixelRect) -> (f64, f64) {
    let cameras: Vec<NetworkCamera> = rig
        .cameras()
        .iter()
        .map(|camera| NetworkCamera::new(camera, crop, 352, 128))
        .collect();
    let specs = lifts();
    let mut tables = specs
        .each_ref()
        .map(|spec| ProjectionTable::new(spec, cameras.len()));
    let mut times_ms: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            for (table, spec) in tables.iter_mut().zip(&specs) {
                table.rebuild(spec, &cameras);
            }
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times_ms.sort_by(f64::total_cmp);
    (times_ms[0], times_ms[RUNS / 2])
}

fn lifts() -> [LiftSpec; 2] {
    let coarse = LiftSpec {
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
        taps: 1,
        depth_bins: Some(DepthBins {
            count: 32,
            min_m: 2.0,
            max_m: 72.0,
        }),
    };
    let fine = LiftSpec {
        grid: BevGrid {
            x_min_m: -33.6,
            y_min_m: -16.8,
            cell_m: 0.4,
            rows: 168,
            cols: 84,
        },
        heights_m: vec![-0.5, 0.0, 0.5],
        feature_width: 88,
        feature_height: 32,
        stride: 4,
        taps: 1,
        depth_bins: None,
    };
    [coarse, fine]
}
