//! Pictures checked against geometry that can be computed by hand.

mod street;

use super::*;
use street::{Mood, street};

#[test]
fn look() {
    let rig = bevrt_calibration::rigs::six_pinhole();
    let fish = bevrt_calibration::rigs::four_fisheye();
    let dir = std::env::var("LOOK").unwrap();
    let ego = Isometry3::identity();
    for mood in [Mood::Day, Mood::Dusk, Mood::Night, Mood::Rain, Mood::Fog] {
        let scene = street(mood);
        for (tag, rig, config) in [("six", &rig, RenderConfig::FULL_SIZE), ("fish", &fish, RenderConfig::FULL_SIZE)] {
            let mut renderer = Renderer::new(config);
            for (i, camera) in rig.cameras().iter().enumerate() {
                let view = View { intrinsics: &camera.intrinsics, world_from_cam: ego * camera.ego_from_cam.as_isometry(), camera: i as u32, motion: None };
                let mut image = RenderedImage::default();
                let t = std::time::Instant::now();
                renderer.render(&scene, &view, &mut image);
                let first = t.elapsed();
                let t = std::time::Instant::now();
                renderer.render(&scene, &view, &mut image);
                println!("{mood:?} {tag} {} {:?} {:?} tris {}", camera.name, first, t.elapsed(), renderer.canvases[0].lock().unwrap().geometry.triangles.len());
                let mut ppm = format!("P6\n{} {}\n255\n", image.width, image.height).into_bytes();
                ppm.extend_from_slice(&image.rgb);
                std::fs::write(format!("{dir}/{mood:?}_{tag}_{}.ppm", camera.name), ppm).unwrap();
            }
        }
    }
}
