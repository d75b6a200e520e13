//! Pictures checked against geometry that can be computed by hand.

mod street;

use super::*;
use crate::scene::{InstanceId, Material, Mesh, Triangle, Vertex};
use bevrt_calibration::{Intrinsics, Lens, rigs};
use nalgebra::{Point2, UnitQuaternion};
use std::sync::Arc;
use street::{Mood, slab, street};

/// Looks along +x of the world from `height` metres above its origin.
fn looking_ahead(height: f64) -> Isometry3<f64> {
    let rig = rigs::six_pinhole();
    let camera = &rig.cameras()[0];
    let rotation: UnitQuaternion<f64> = camera.ego_from_cam.as_isometry().rotation;
    Isometry3::from_parts(Vector3::new(0.0, 0.0, height).into(), rotation)
}

fn pinhole() -> Intrinsics {
    Intrinsics::new([200.0; 2], [159.5, 99.5], [320, 200], Lens::IDEAL).expect("sound numbers")
}

fn fisheye() -> Intrinsics {
    let lens = Lens::Fisheye {
        k: [-0.02, 0.004, -0.001, 0.0],
    };
    Intrinsics::new([110.0; 2], [159.5, 119.5], [320, 240], lens).expect("sound numbers")
}

fn empty(mood: Mood) -> Scene {
    Scene {
        instances: Vec::new(),
        ..street(mood)
    }
}

/// A box between two corners given in the world, as an object of its own.
fn block(low: [f32; 3], high: [f32; 3], id: u32) -> crate::Instance {
    let corner = |i: usize| {
        Point3::new(
            [low, high][i & 1][0],
            [low, high][i >> 1 & 1][1],
            [low, high][i >> 2 & 1][2],
        )
    };
    let faces = [
        [0, 2, 3, 1],
        [4, 5, 7, 6],
        [0, 1, 5, 4],
        [2, 6, 7, 3],
        [0, 4, 6, 2],
        [1, 3, 7, 5],
    ];
    let mut mesh = Mesh {
        materials: vec![Material::Plain {
            rgb: [0.6, 0.1, 0.1],
            gloss: 0.2,
        }],
        ..Mesh::default()
    };
    for face in faces {
        let points = face.map(corner);
        let normal = (points[1] - points[0])
            .cross(&(points[2] - points[0]))
            .normalize();
        let first = mesh.vertices.len() as u32;
        mesh.vertices.extend(points.map(|position| Vertex {
            position,
            normal,
            uv: [position.x + position.y, position.z],
        }));
        mesh.triangles
            .extend([[0, 1, 2], [0, 2, 3]].map(|corners| Triangle {
                corners: corners.map(|i| first + i),
                material: 0,
            }));
    }
    let centre = nalgebra::center(&corner(0), &corner(7));
    crate::Instance {
        mesh: Arc::new(mesh),
        world_from_mesh: Isometry3::identity(),
        scale: Vector3::repeat(1.0),
        id: InstanceId(id),
        bounds: (centre, (corner(7) - centre).norm()),
    }
}

fn draw(
    config: RenderConfig,
    scene: &Scene,
    intrinsics: &Intrinsics,
    pose: Isometry3<f64>,
) -> RenderedImage {
    let mut image = RenderedImage::default();
    let view = View {
        intrinsics,
        world_from_cam: pose,
        camera: 0,
        motion: None,
    };
    Renderer::new(config).render(scene, &view, &mut image);
    image
}

fn columns_and_rows(image: &RenderedImage, id: u32) -> ([usize; 2], [usize; 2]) {
    let width = image.width as usize;
    let seen: Vec<_> = (0..image.instance.len())
        .filter(|&i| image.instance[i] == id)
        .map(|i| (i % width, i / width))
        .collect();
    let range = |values: Vec<usize>| {
        [
            *values.iter().min().expect("seen"),
            *values.iter().max().expect("seen"),
        ]
    };
    (
        range(seen.iter().map(|p| p.0).collect()),
        range(seen.iter().map(|p| p.1).collect()),
    )
}

#[test]
fn a_cube_covers_the_pixels_that_its_corners_project_to() {
    let mut scene = empty(Mood::Day);
    scene
        .instances
        .push(block([10.0, -1.0, 0.5], [12.0, 1.0, 2.5], 7));
    let pose = looking_ahead(1.5);
    let image = draw(RenderConfig::FULL_SIZE, &scene, &pinhole(), pose);
    // The near face stands 10 m ahead: ±1 m is ±20 px around (159.5, 99.5).
    assert_eq!(columns_and_rows(&image, 7), ([140, 179], [80, 119]));
    let counts = &image.visibility;
    assert_eq!(counts.visible_px(InstanceId(7)), 1600.0);
    assert_eq!(counts.silhouette_px(InstanceId(7)), 1600.0);
}

#[test]
fn depth_is_the_euclidean_distance_along_each_ray() {
    let mut scene = empty(Mood::Day);
    scene.instances.push(slab(
        [-100.0, -100.0],
        [100.0, 100.0],
        0.0,
        Material::Asphalt { tint: 0.5 },
        0,
    ));
    for (intrinsics, config) in [
        (pinhole(), RenderConfig::FULL_SIZE),
        (fisheye(), RenderConfig::FULL_SIZE),
        (pinhole(), RenderConfig::network_size(4.0)),
        (fisheye(), RenderConfig::network_size(4.0)),
    ] {
        let pose = looking_ahead(1.5);
        let image = draw(config, &scene, &intrinsics, pose);
        let mut checked = 0;
        for row in (0..image.height).step_by(7) {
            for column in (0..image.width).step_by(7) {
                let Some(ray) =
                    intrinsics.unproject(&Point2::new(f64::from(column), f64::from(row)))
                else {
                    continue;
                };
                let ray = pose.rotation * ray.normalize();
                let depth = f64::from(image.depth_m[(row * image.width + column) as usize]);
                if ray.z < -0.05 {
                    let expected = -1.5 / ray.z;
                    assert!(
                        (depth - expected).abs() < 2e-4 * expected,
                        "at {column},{row}: {depth}, not {expected}"
                    );
                    checked += 1;
                } else if ray.z > 0.01 {
                    assert_eq!(depth, 0.0);
                }
            }
        }
        assert!(checked > 300, "only {checked} pixels see the ground");
    }
}

#[test]
fn a_hidden_object_keeps_its_silhouette() {
    let mut scene = empty(Mood::Day);
    scene
        .instances
        .push(block([10.0, -1.0, 0.5], [10.5, 1.0, 2.5], 1));
    scene
        .instances
        .push(block([5.0, -4.0, 0.0], [5.5, 0.0, 4.0], 2));
    let full_size = draw(
        RenderConfig::FULL_SIZE,
        &scene,
        &pinhole(),
        looking_ahead(1.5),
    );
    let network = draw(
        RenderConfig::network_size(4.0),
        &scene,
        &pinhole(),
        looking_ahead(1.5),
    );
    for image in [full_size, network] {
        let counts = &image.visibility;
        // The left half (y > 0) stays in sight.
        assert_eq!(counts.silhouette_px(InstanceId(1)), 1600.0);
        assert!(
            (counts.visible_fraction(InstanceId(1)) - 0.5).abs() < 0.03,
            "{}",
            counts.visible_fraction(InstanceId(1))
        );
        assert_eq!(counts.visible_fraction(InstanceId(2)), 1.0);
        assert_eq!(counts.visible_px(InstanceId(99)), 0.0);
    }
}

#[test]
fn silhouettes_end_at_the_image_border() {
    let mut scene = empty(Mood::Day);
    scene
        .instances
        .push(block([4.0, -60.0, -20.0], [4.5, 60.0, 20.0], 3));
    scene
        .instances
        .push(block([-9.0, -1.0, 0.0], [-8.0, 1.0, 2.0], 4));
    let image = draw(
        RenderConfig::FULL_SIZE,
        &scene,
        &pinhole(),
        looking_ahead(1.5),
    );
    assert_eq!(image.visibility.silhouette_px(InstanceId(3)), 320.0 * 200.0);
    assert_eq!(image.visibility.silhouette_px(InstanceId(4)), 0.0);
}

#[test]
fn decals_lie_on_their_ground_and_under_what_stands_on_it() {
    let mut scene = empty(Mood::Day);
    let road = slab(
        [-50.0, -50.0],
        [80.0, 50.0],
        0.0,
        Material::Asphalt { tint: 0.0 },
        1,
    );
    let terrain = slab([-50.0, -50.0], [80.0, 50.0], 0.0, Material::Grass, 0);
    // Tessellated apart from the road and a centimetre too low, as on curved ground.
    let paint = slab(
        [5.0, -2.0],
        [60.0, 2.0],
        -0.01,
        Material::Paint {
            yellow: false,
            wear: 0.0,
        },
        2,
    );
    scene.instances = vec![
        paint,
        road,
        terrain,
        block([10.0, -1.0, 0.0], [14.0, -0.2, 1.6], 5),
    ];
    let image = draw(
        RenderConfig::FULL_SIZE,
        &scene,
        &pinhole(),
        looking_ahead(1.5),
    );
    let level = |column: usize, row: usize| u32::from(image.rgb[3 * (row * 320 + column) + 1]);
    let row_at = |distance: f64| (99.5 + 200.0 * 1.5 / distance) as usize;
    for distance in [6.0, 8.0, 25.0, 45.0] {
        let row = row_at(distance);
        let painted = level((159.5 - 200.0 * 1.6 / distance) as usize, row);
        let bare = level((159.5 - 200.0 * 3.0 / distance) as usize, row);
        assert!(
            painted > bare + 50,
            "at {distance} m paint has level {painted}, asphalt {bare}"
        );
    }
    // The paint behind the block stays behind it.
    for row in row_at(20.0)..row_at(10.3) {
        assert_eq!(image.instance[row * 320 + 171], 5);
    }
}

#[test]
fn the_same_scene_gives_the_same_bytes_on_any_number_of_threads() {
    let rig = rigs::six_pinhole();
    for mood in [Mood::Day, Mood::Rain, Mood::Night] {
        let scene = street(mood);
        let small: Vec<_> = rig
            .cameras()
            .iter()
            .map(|camera| camera.intrinsics.cropped_and_scaled(whole(), 160, 90))
            .collect();
        let views: Vec<_> = (rig.cameras().iter().zip(&small).zip(0..))
            .map(|((camera, intrinsics), index)| View {
                intrinsics,
                world_from_cam: *camera.ego_from_cam.as_isometry(),
                camera: index,
                motion: None,
            })
            .collect();
        let pictures = |threads: usize, warm_up: Mood| {
            let mut renderer =
                Renderer::new(RenderConfig::network_size(10.0)).with_threads(threads);
            let mut images = vec![RenderedImage::default(); views.len()];
            renderer.render_set(&street(warm_up), &views, &mut images);
            renderer.render_set(&scene, &views, &mut images);
            images
        };
        for (a, b) in pictures(1, Mood::Day).iter().zip(&pictures(3, Mood::Fog)) {
            assert!(a.rgb == b.rgb && a.depth_m == b.depth_m && a.instance == b.instance);
            assert_eq!(a.visibility, b.visibility);
        }
    }
}

fn whole() -> bevrt_calibration::PixelRect {
    bevrt_calibration::PixelRect {
        x: 0.0,
        y: 0.0,
        width: 1600.0,
        height: 900.0,
    }
}

#[test]
fn noise_changes_with_frame_and_camera() {
    let mut scene = empty(Mood::Night);
    let picture = |scene: &Scene, camera: u32| {
        let mut image = RenderedImage::default();
        let view = View {
            intrinsics: &pinhole(),
            world_from_cam: looking_ahead(1.5),
            camera,
            motion: None,
        };
        Renderer::new(RenderConfig::FULL_SIZE).render(scene, &view, &mut image);
        image.rgb
    };
    let first = picture(&scene, 0);
    assert_ne!(first, picture(&scene, 1));
    scene.frame += 1;
    assert_ne!(first, picture(&scene, 0));
}

#[test]
fn straight_edges_bend_in_a_fisheye_as_its_projection_says() {
    let mut scene = empty(Mood::Day);
    // A wall ahead, 60 m wide: its upper edge is a straight line in the world.
    scene
        .instances
        .push(block([3.0, -30.0, -5.0], [3.5, 30.0, 3.0], 6));
    let (intrinsics, pose) = (fisheye(), looking_ahead(1.0));
    let image = draw(RenderConfig::FULL_SIZE, &scene, &intrinsics, pose);
    let mut rows = Vec::new();
    for y in [-6.0, -3.0, -1.0, 0.0, 1.0, 3.0, 6.0] {
        let edge = pose.inverse_transform_point(&Point3::new(3.0, y, 3.0));
        let pixel = intrinsics.project(&edge).expect("in sight");
        let column = pixel.x.round() as usize;
        let owner = |row: f64| image.instance[row as usize * image.width as usize + column];
        assert_eq!(
            (owner(pixel.y - 2.0), owner(pixel.y + 3.0)),
            (0, 6),
            "at y = {y}"
        );
        rows.push(pixel.y);
    }
    assert!(rows[0] > rows[3] + 10.0, "the edge is curved: {rows:?}");
}

#[test]
fn the_fisheye_is_black_where_its_lens_sees_nothing() {
    let intrinsics = fisheye();
    let image = draw(
        RenderConfig::FULL_SIZE,
        &street(Mood::Day),
        &intrinsics,
        looking_ahead(1.5),
    );
    let mut blind = 0;
    for (pixel, rgb) in image.rgb.chunks_exact(3).enumerate() {
        let at = Point2::new(
            f64::from(pixel as u32 % image.width),
            f64::from(pixel as u32 / image.width),
        );
        if intrinsics.unproject(&at).is_none() {
            assert_eq!(rgb, [0, 0, 0]);
            assert_eq!(image.depth_m[pixel], 0.0);
            blind += 1;
        }
    }
    assert!(blind < image.instance.len() / 2);
    assert!(
        image.rgb.iter().map(|&level| u64::from(level)).sum::<u64>() > 20 * image.rgb.len() as u64
    );
}

#[test]
fn points_are_visible_unless_something_stands_before_them() {
    let mut scene = empty(Mood::Day);
    scene.instances.push(slab(
        [-50.0, -50.0],
        [80.0, 50.0],
        0.0,
        Material::Asphalt { tint: 0.5 },
        0,
    ));
    scene
        .instances
        .push(block([10.0, -2.0, 0.0], [12.0, 2.0, 2.5], 1));
    let intrinsics = pinhole();
    let image = draw(
        RenderConfig::FULL_SIZE,
        &scene,
        &intrinsics,
        looking_ahead(1.5),
    );
    let view = View {
        intrinsics: &intrinsics,
        world_from_cam: looking_ahead(1.5),
        camera: 0,
        motion: None,
    };
    let sees = |x: f64, y: f64| is_point_visible(&view, &Point3::new(x, y, 0.0), &image, 0.5);
    assert!(sees(8.0, 0.0) && sees(30.0, 10.0) && sees(60.0, -15.0));
    assert!(!sees(20.0, 0.0) && !sees(-5.0, 0.0) && !sees(8.0, 30.0));
}

#[test]
fn feature_cells_take_the_depth_of_their_middle() {
    let mut image = RenderedImage {
        width: 16,
        height: 8,
        depth_m: vec![20.0; 128],
        ..RenderedImage::default()
    };
    image.depth_m[..8].fill(0.0);
    for row in 0..8 {
        image.depth_m[row * 16 + 8..row * 16 + 16].fill(if row < 7 { 0.0 } else { 5.0 });
    }
    let mut cells = [f32::NAN; 2];
    depth_at_feature_cells(&image, 8, &mut cells);
    assert_eq!(cells, [20.0, 0.0]);
}

#[test]
fn motion_smears_near_things_and_leaves_a_standing_camera_alone() {
    let scene = street(Mood::Day);
    let intrinsics = pinhole();
    let picture = |speed: f64| {
        let motion = Motion {
            linear_mps: Vector3::new(speed, 0.0, 0.0),
            angular_radps: Vector3::zeros(),
            exposure_s: 0.02,
        };
        let view = View {
            intrinsics: &intrinsics,
            world_from_cam: looking_ahead(1.5),
            camera: 0,
            motion: Some(motion),
        };
        let mut image = RenderedImage::default();
        Renderer::new(RenderConfig::FULL_SIZE).render(&scene, &view, &mut image);
        image.rgb
    };
    let sharp = draw(
        RenderConfig::FULL_SIZE,
        &scene,
        &intrinsics,
        looking_ahead(1.5),
    )
    .rgb;
    assert!(picture(0.0) == sharp);
    let smeared = picture(20.0);
    let roughness = |rgb: &[u8]| {
        rgb.chunks_exact(3 * 320)
            .skip(120)
            .map(|row| {
                row.windows(4)
                    .map(|w| u64::from(w[0].abs_diff(w[3])))
                    .sum::<u64>()
            })
            .sum::<u64>()
    };
    assert!(
        roughness(&smeared) < roughness(&sharp),
        "side motion blurs along rows"
    );
}

#[test]
fn darkness_and_rain_and_fog_look_different() {
    let mean = |mood: Mood| {
        let image = draw(
            RenderConfig::network_size(4.0),
            &street(mood),
            &pinhole(),
            looking_ahead(1.5),
        );
        image.rgb.iter().map(|&level| f64::from(level)).sum::<f64>() / image.rgb.len() as f64
    };
    let levels = [Mood::Day, Mood::Dusk, Mood::Night, Mood::Rain, Mood::Fog].map(mean);
    assert!(
        levels.iter().all(|level| (20.0..220.0).contains(level)),
        "{levels:?}"
    );
    assert!(levels[2] < levels[0] && levels[0] < levels[4], "{levels:?}");
}
