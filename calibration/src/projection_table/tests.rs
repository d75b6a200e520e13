use nalgebra::{Point3, UnitQuaternion, Vector3};

use super::*;
use crate::{
    BevGrid, BrownConrady, Camera, DepthBins, Ego, Intrinsics, Lens, PixelRect, Pose, Rig, rigs,
};

const CROP: PixelRect = PixelRect {
    x: 0.0,
    y: 318.0,
    width: 1600.0,
    height: 582.0,
};
const FISHEYE_CROP: PixelRect = PixelRect {
    x: 0.0,
    y: 339.0,
    width: 1280.0,
    height: 465.0,
};

fn coarse() -> LiftSpec {
    LiftSpec {
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
    }
}

fn small(taps: u32) -> LiftSpec {
    LiftSpec {
        grid: BevGrid {
            x_min_m: -30.0,
            y_min_m: -24.0,
            cell_m: 1.5,
            rows: 40,
            cols: 32,
        },
        heights_m: vec![-0.3, 1.0],
        taps,
        ..coarse()
    }
}

fn network_cameras(rig: &Rig, crop: PixelRect) -> Vec<NetworkCamera> {
    rig.cameras()
        .iter()
        .map(|camera| NetworkCamera::new(camera, crop, 352, 128))
        .collect()
}

fn built(spec: &LiftSpec, cameras: &[NetworkCamera]) -> ProjectionTable {
    let mut table = ProjectionTable::new(spec, cameras.len());
    table.rebuild(spec, cameras);
    table
}

/// What one camera shows of a point, worked out the long way.
struct Seen {
    camera: usize,
    centrality: f64,
    /// Position in feature cells, whole numbers at cell centres.
    u: f64,
    v: f64,
    distance_m: f64,
    focal: f64,
}

/// A slow and straightforward twin: every camera for every voxel, no culling, nothing shared.
fn seen_by(spec: &LiftSpec, cameras: &[NetworkCamera], point_in_ego: &Point3<f64>) -> Vec<Seen> {
    let mut seen: Vec<Seen> = Vec::new();
    for (index, camera) in cameras
        .iter()
        .enumerate()
        .filter(|(_, camera)| camera.is_enabled)
    {
        let at_camera = camera
            .ego_at_reference_from_ego_at_camera
            .inverse()
            .transform(point_in_ego);
        let in_cam = camera.ego_from_cam.inverse().transform(&at_camera);
        let intrinsics = camera.intrinsics();
        let Some(pixel) = intrinsics.project_within(&in_cam) else {
            continue;
        };
        let (width, height) = (
            f64::from(intrinsics.width()),
            f64::from(intrinsics.height()),
        );
        let borders = [
            (pixel.x + 0.5) / width,
            (width - 0.5 - pixel.x) / width,
            (pixel.y + 0.5) / height,
            (height - 0.5 - pixel.y) / height,
        ];
        let stride = f64::from(spec.stride);
        seen.push(Seen {
            camera: index,
            centrality: borders.into_iter().fold(f64::INFINITY, f64::min),
            u: (pixel.x + 0.5) / stride - 0.5,
            v: (pixel.y + 0.5) / stride - 0.5,
            distance_m: in_cam.coords.norm(),
            focal: (intrinsics.fx() + intrinsics.fy()) / 2.0 / stride,
        });
    }
    seen.sort_by(|a, b| b.centrality.total_cmp(&a.centrality));
    seen
}

/// Whether rounding could tip the choice: nearly equal centrality, or a cell border, or a bin border.
fn is_close_call(spec: &LiftSpec, seen: &[Seen]) -> bool {
    let near_half = |value: f64| ((value - 0.5) - (value - 0.5).round()).abs() < 1e-3;
    let near_bin = |distance: f64| {
        spec.depth_bins.is_some_and(|bins| {
            let scaled = f64::from(bins.count) * (distance / bins.min_m).ln()
                / (bins.max_m / bins.min_m).ln();
            (scaled - scaled.round()).abs() < 1e-3
        })
    };
    seen.windows(2)
        .any(|pair| pair[0].centrality - pair[1].centrality < 1e-4)
        || seen.iter().any(|seen| {
            near_half(seen.u)
                || near_half(seen.v)
                || near_bin(seen.distance_m)
                || seen.centrality < 1e-4
        })
}

/// Voxels of the lift, in table order, in the ego frame.
fn voxels(spec: &LiftSpec) -> Vec<Point3<f64>> {
    let mut points = Vec::new();
    for row in 0..spec.grid.rows {
        for col in 0..spec.grid.cols {
            for &height in &spec.heights_m {
                let centre = spec.grid.centre(row, col);
                points.push(Point3::new(centre.x, centre.y, height));
            }
        }
    }
    points
}

fn assert_equals_twin(spec: &LiftSpec, cameras: &[NetworkCamera]) {
    let table = built(spec, cameras);
    let taps = spec.taps as usize;
    let rows = spec.rows_per_camera();
    let null = (cameras.len() * rows) as i32;
    let width = spec.feature_width as f64;
    let mut compared = 0;
    for (voxel, point) in voxels(spec).iter().enumerate() {
        let seen = seen_by(spec, cameras, point);
        if is_close_call(spec, &seen) {
            continue;
        }
        compared += 1;
        let index = &table.index[voxel * taps..][..taps];
        let geometry = &table.geometry[voxel * 4..][..4];
        let Some(best) = seen.first() else {
            assert!(
                index.iter().all(|&row| row == null),
                "voxel {voxel} {point}"
            );
            assert_eq!(geometry, [0.0; 4]);
            if let Some(bins) = spec.depth_bins {
                assert_eq!(table.depth_index[voxel], null * bins.count as i32);
            }
            continue;
        };
        let row_of =
            |seen: &Seen| (seen.camera * rows) as f64 + seen.v.round() * width + seen.u.round();
        assert_eq!(f64::from(index[0]), row_of(best), "voxel {voxel} {point}");
        if let Some(bins) = spec.depth_bins {
            assert_eq!(
                table.depth_index[voxel],
                index[0] * bins.count as i32 + bins.bin(best.distance_m) as i32
            );
        }
        let expected = [
            best.u - best.u.round(),
            best.v - best.v.round(),
            (best.focal / best.distance_m).ln(),
            1.0,
        ];
        for (&got, want) in geometry.iter().zip(expected) {
            assert!(
                (f64::from(got) - want).abs() < 2e-4,
                "voxel {voxel} {point}: {geometry:?} {expected:?}"
            );
        }
        if taps > 1 {
            let weight = &table.weight[voxel * taps..][..taps];
            assert!((weight.iter().sum::<f32>() - 1.0).abs() < 1e-6);
            if taps < 4 {
                let used = seen.len().min(taps);
                for tap in 0..taps {
                    let (row, share) = seen
                        .get(tap)
                        .map_or((f64::from(null), 0.0), |s| (row_of(s), 1.0 / used as f32));
                    assert_eq!(
                        (f64::from(index[tap]), weight[tap]),
                        (row, share),
                        "voxel {voxel} tap {tap}"
                    );
                }
            } else {
                assert_bilinear(spec, best, index, weight);
            }
        }
    }
    assert!(
        compared > spec.voxel_count() / 2,
        "only {compared} voxels were clear calls"
    );
}

/// A feature map that is linear in u and v is read exactly at the point (inside of its border cells).
fn assert_bilinear(spec: &LiftSpec, best: &Seen, index: &[i32], weight: &[f32]) {
    let (width, height) = (spec.feature_width as i32, spec.feature_height as i32);
    let (mut u, mut v) = (0.0, 0.0);
    for (&row, &share) in index.iter().zip(weight) {
        assert_eq!((row / (width * height)) as usize, best.camera);
        let cell = row % (width * height);
        u += f64::from(share) * f64::from(cell % width);
        v += f64::from(share) * f64::from(cell / width);
    }
    let inside = |value: f64, size: i32| value.clamp(0.0, f64::from(size - 1));
    assert!((u - inside(best.u, width)).abs() < 1e-3, "{u} {}", best.u);
    assert!((v - inside(best.v, height)).abs() < 1e-3, "{v} {}", best.v);
}

#[test]
fn a_voxel_worked_out_by_hand_has_its_place() {
    let cameras = network_cameras(&rigs::six_pinhole(), CROP);
    let spec = coarse();
    let table = built(&spec, &cameras);
    // Row 89, column 64: centre x = -51.2 + 89.5 · 0.8 = 20.4, y = 0.4; height 0.
    // The front camera stands at (1.70, 0, 1.51): 18.70 ahead, 0.40 to the left, 1.51 below it.
    // Full image: u = 799.5 - 1266 · 0.4 / 18.7 = 772.4198, v = 449.5 + 1266 · 1.51 / 18.7 = 551.7278.
    // Network: (772.9198) · 352 / 1600 / 8 = 21.2553 -> column 21, 0.2447 before its centre at 21.5;
    // (552.2278 - 318) · 128 / 582 / 8 = 6.4393 -> row 6, 0.0607 before its centre.
    // Distance sqrt(18.7² + 0.4² + 1.51²) = 18.7651; bin floor(32 · ln(9.38254) / ln(36)) = 19.
    // s = ln(mean of 1266 · 352 / 1600 and 1266 · 128 / 582 over 8, over 18.7651).
    let voxel = (89 * 128 + 64) * 4;
    let row = 6 * 44 + 21;
    assert_eq!(table.index[voxel], row);
    assert_eq!(table.depth_index[voxel], row * 32 + 19);
    let s = ((278.52 + 278.433) / 2.0 / 8.0 / 18.7651f64).ln();
    for (got, want) in table.geometry[voxel * 4..][..4]
        .iter()
        .zip([-0.2447, -0.0607, s, 1.0])
    {
        assert!((f64::from(*got) - want).abs() < 1e-4, "{got} {want}");
    }
}

#[test]
fn a_voxel_below_the_vehicle_is_seen_by_nobody() {
    let cameras = network_cameras(&rigs::six_pinhole(), CROP);
    let spec = coarse();
    let table = built(&spec, &cameras);
    let voxel = (64 * 128 + 64) * 4;
    assert_eq!(table.index[voxel], 6 * 16 * 44);
    assert_eq!(table.depth_index[voxel], 6 * 16 * 44 * 32);
    assert_eq!(table.geometry[voxel * 4..][..4], [0.0; 4]);
}

#[test]
fn six_pinhole_cameras_equal_the_slow_twin() {
    assert_equals_twin(&coarse(), &network_cameras(&rigs::six_pinhole(), CROP));
}

#[test]
fn four_fisheye_cameras_equal_the_slow_twin() {
    assert_equals_twin(
        &coarse(),
        &network_cameras(&rigs::four_fisheye(), FISHEYE_CROP),
    );
}

#[test]
fn every_number_of_taps_equals_the_slow_twin() {
    for taps in 1..=4 {
        assert_equals_twin(&small(taps), &network_cameras(&rigs::six_pinhole(), CROP));
        assert_equals_twin(
            &small(taps),
            &network_cameras(&rigs::four_fisheye(), FISHEYE_CROP),
        );
    }
}

#[test]
fn a_lost_camera_leaves_its_voxels_to_the_others() {
    let mut cameras = network_cameras(&rigs::six_pinhole(), CROP);
    cameras[0].is_enabled = false;
    let spec = small(1);
    assert_equals_twin(&spec, &cameras);
    let table = built(&spec, &cameras);
    let rows = spec.rows_per_camera() as i32;
    assert!(
        table.index.iter().all(|&row| row >= rows),
        "nothing may be gathered from camera 0"
    );
    for camera in &mut cameras {
        camera.is_enabled = false;
    }
    let table = built(&spec, &cameras);
    assert!(table.index.iter().all(|&row| row == 6 * rows));
    assert!(table.geometry.iter().all(|&value| value == 0.0));
}

#[test]
fn a_new_table_sees_nothing() {
    let table = ProjectionTable::new(&coarse(), 6);
    assert!(table.index.iter().all(|&row| row == 6 * 16 * 44));
    assert!(table.depth_index.iter().all(|&row| row == 6 * 16 * 44 * 32));
}

#[test]
fn a_camera_that_exposed_earlier_sees_the_world_from_farther_back() {
    // The vehicle drove 0.8 m between this camera's exposure and the reference: for the camera, a
    // voxel 20.4 m ahead now was 21.2 m ahead, where the next row stood without correction.
    let spec = coarse();
    let mut cameras = network_cameras(&rigs::six_pinhole(), CROP);
    let still = built(&spec, &cameras);
    cameras[0].ego_at_reference_from_ego_at_camera =
        Pose::new(UnitQuaternion::identity(), Vector3::new(-0.8, 0.0, 0.0));
    assert_equals_twin(&spec, &cameras);
    let moved = built(&spec, &cameras);
    let voxel = |row: usize| (row * 128 + 64) * 4;
    assert_eq!(moved.index[voxel(89)], still.index[voxel(90)]);
}

#[test]
fn rebuilding_again_gives_the_same_table() {
    let cameras = network_cameras(&rigs::six_pinhole(), CROP);
    let spec = small(3);
    let mut table = built(&spec, &cameras);
    let first = table.clone();
    table.rebuild(&spec, &cameras);
    assert_eq!((table.index, table.weight), (first.index, first.weight));
}

#[test]
fn all_instruction_sets_build_the_same_bits() {
    let bits = |values: &[f32]| -> Vec<u32> { values.iter().map(|v| v.to_bits()).collect() };
    for taps in 1..=4 {
        // A number of columns that does not fill the last block.
        let mut spec = small(taps);
        spec.grid.cols = 37;
        for kind in 0..5 {
            let (intrinsics, crop) = assorted_camera(kind);
            let cameras: Vec<NetworkCamera> = [0.3, 1.0, -2.0]
                .into_iter()
                .map(|yaw| {
                    let camera = Camera {
                        name: String::from("camera"),
                        intrinsics,
                        ego_from_cam: Pose::looking(Vector3::new(1.0, yaw, 1.5), yaw, 0.02, 0.01),
                    };
                    NetworkCamera::new(&camera, crop, 352, 128)
                })
                .collect();
            let [widest, middle, base] = Simd::available().map(|simd| {
                let mut table = ProjectionTable::new(&spec, cameras.len());
                table.simd = simd;
                table.rebuild(&spec, &cameras);
                (
                    table.index.clone(),
                    bits(&table.weight),
                    table.depth_index.clone(),
                    bits(&table.geometry),
                )
            });
            assert_eq!(widest, middle, "taps {taps}, lens {kind}");
            assert_eq!(middle, base, "taps {taps}, lens {kind}");
        }
    }
}

/// Lenses of every kind that the table treats in its own way.
fn assorted_camera(kind: usize) -> (Intrinsics, PixelRect) {
    let six = rigs::six_pinhole();
    let four = rigs::four_fisheye();
    let distorted = |k: BrownConrady| {
        let lens = Lens::Pinhole { k };
        Intrinsics::new([809.0; 2], [799.5, 449.5], [1600, 900], lens).expect("sound")
    };
    match kind {
        0 => (six.cameras()[5].intrinsics, CROP),
        1 => (four.cameras()[0].intrinsics, FISHEYE_CROP),
        // Folds over within the image.
        2 => (
            distorted(BrownConrady {
                k1: -0.35,
                p1: 0.002,
                ..BrownConrady::NONE
            }),
            CROP,
        ),
        3 => (
            distorted(BrownConrady {
                k1: 0.1,
                k2: -0.02,
                p2: -0.001,
                k4: 0.2,
                ..BrownConrady::NONE
            }),
            CROP,
        ),
        // Sees nearly all around, so that it is not tabulated.
        _ => {
            let lens = Lens::Fisheye { k: [0.0; 4] };
            let camera =
                Intrinsics::new([220.0; 2], [639.5, 479.5], [1280, 960], lens).expect("sound");
            (
                camera,
                PixelRect {
                    x: 0.0,
                    y: 0.0,
                    width: 1280.0,
                    height: 960.0,
                },
            )
        }
    }
}

#[test]
fn rigs_of_any_pose_lens_and_skew_equal_the_slow_twin() {
    use proptest::prelude::*;
    let angle = -3.2f64..3.2;
    let position = prop::array::uniform3(-3.0f64..3.0);
    let pose = (angle.clone(), -1.6f64..1.6, angle, position, 0usize..5);
    let config = ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(poses in prop::collection::vec(pose, 1..4))| {
        let cameras: Vec<NetworkCamera> = poses.iter().map(|&(yaw, pitch, roll, [x, y, z], kind)| {
            let (intrinsics, crop) = assorted_camera(kind);
            let camera = Camera {
                name: String::from("camera"),
                intrinsics,
                ego_from_cam: Pose::looking(Vector3::new(x, y, z.abs() + 0.2), yaw, pitch, roll),
            };
            let mut camera = NetworkCamera::new(&camera, crop, 352, 128);
            camera.ego_at_reference_from_ego_at_camera =
                Pose::<Ego, Ego>::new(UnitQuaternion::from_euler_angles(0.01, -0.02, 0.1), Vector3::new(x, 0.3, 0.01));
            camera
        }).collect();
        assert_equals_twin(&small(2), &cameras);
    });
}
