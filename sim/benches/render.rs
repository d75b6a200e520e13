//! Six-camera sets a second, at the network's size and at full size, on one and two threads.
//!
//! `cargo bench -p bevrt-sim --bench render`. Numbers depend on the machine; name it where they are quoted.

use bevrt_calibration::{Camera, PixelRect, Rig, rigs};
use bevrt_sim::{Condition, Drive, DriveOptions, RenderConfig, RenderedImage, Renderer, View};
use std::time::{Duration, Instant};

const SEED: u64 = 900_000;
const CONDITIONS: [(&str, Condition); 3] = [
    ("day", Condition::Day),
    ("night", Condition::Night),
    ("rain", Condition::Rain),
];

/// Columns and rows of the network's input, and the part of the source that it shows.
const NETWORK: (u32, u32) = (352, 128);
const CROP: PixelRect = PixelRect {
    x: 0.0,
    y: 318.0,
    width: 1600.0,
    height: 582.0,
};

fn main() {
    // Without `--bench` (when tests run all targets) one set of each kind shows that it works.
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let time = Duration::from_secs(if is_measured { 4 } else { 0 });
    let full_size = rigs::six_pinhole();
    let reduced = at_network_size(&full_size);
    let binning = CROP.width as f32 / NETWORK.0 as f32;
    println!(
        "{:<10} {:<8} {:>8} {:>10} {:>10}",
        "size", "light", "threads", "sets/s", "ns/pixel"
    );
    for (name, rig, config) in [
        ("352x128", &reduced, RenderConfig::network_size(binning)),
        ("1600x900", &full_size, RenderConfig::FULL_SIZE),
    ] {
        for (light, condition) in CONDITIONS {
            for threads in [1, 2] {
                let seconds = seconds_per_set(rig, config, condition, threads, time);
                let pixels: u32 = rig
                    .cameras()
                    .iter()
                    .map(|camera| camera.intrinsics.width() * camera.intrinsics.height())
                    .sum();
                println!(
                    "{name:<10} {light:<8} {threads:>8} {:>10.2} {:>10.0}",
                    1.0 / seconds,
                    seconds * 1e9 / f64::from(pixels)
                );
            }
        }
    }
}

fn at_network_size(rig: &Rig) -> Rig {
    let reduce = |camera: &Camera| Camera {
        intrinsics: camera
            .intrinsics
            .cropped_and_scaled(CROP, NETWORK.0, NETWORK.1),
        ..camera.clone()
    };
    Rig::new(rig.cameras().iter().map(reduce).collect(), 0).expect("the rig stays sound")
}

/// Mean time of a set over the instants of a drive, building the scenes included.
fn seconds_per_set(
    rig: &Rig,
    config: RenderConfig,
    condition: Condition,
    threads: usize,
    time: Duration,
) -> f64 {
    let drive = Drive::new(
        SEED,
        rig,
        DriveOptions {
            condition: Some(condition),
            ..DriveOptions::default()
        },
    );
    let mut renderer = Renderer::new(config).with_threads(threads);
    let mut images = vec![RenderedImage::default(); rig.cameras().len()];
    let mut draw = |step: usize| {
        let t_s = (step % 20) as f64 * 0.5;
        let poses: Vec<_> = (0..rig.cameras().len())
            .map(|camera| drive.camera_pose(t_s, camera))
            .collect();
        let views: Vec<_> = (rig.cameras().iter().zip(&poses).zip(0..))
            .map(|((camera, pose), index)| View {
                intrinsics: &camera.intrinsics,
                world_from_cam: *pose.as_isometry(),
                camera: index,
                motion: None,
            })
            .collect();
        renderer.render_set(&drive.scene_at(t_s), &views, &mut images);
    };
    draw(0);
    let start = Instant::now();
    let mut sets = 0;
    while sets == 0 || start.elapsed() < time {
        draw(sets);
        sets += 1;
    }
    start.elapsed().as_secs_f64() / sets as f64
}
