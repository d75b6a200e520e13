//! Projections against values that OpenCV computed (`fixtures/opencv_points.py`).

use bevrt_calibration::{BrownConrady, Cam, Intrinsics, Lens, PixelRect, Pose, World};
use nalgebra::{Matrix3, Point2, Point3, Vector3};
use serde_json::Value;

/// Both sides work in f64 with different operation orders.
const TOLERANCE_PX: f64 = 1e-7;

fn document() -> Value {
    serde_json::from_str(include_str!("fixtures/opencv_points.json")).expect("the fixture is JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .map(|item| item.as_f64().expect("a number"))
        .collect()
}

fn rows<const N: usize>(value: &Value) -> Vec<[f64; N]> {
    let row = |item: &Value| numbers(item).try_into().expect("rows of that length");
    value.as_array().expect("a list").iter().map(row).collect()
}

fn intrinsics(case: &Value) -> Intrinsics {
    let matrix = rows::<3>(&case["matrix"]);
    let distortion = numbers(&case["distortion"]);
    let (lens, size) = if case["model"] == "fisheye" {
        let k = distortion.try_into().expect("four coefficients");
        (Lens::Fisheye { k }, [1280, 960])
    } else {
        let k = BrownConrady::from_coefficients(&distortion).expect("a count that OpenCV knows");
        (Lens::Pinhole { k }, [1600, 900])
    };
    Intrinsics::new(
        [matrix[0][0], matrix[1][1]],
        [matrix[0][2], matrix[1][2]],
        size,
        lens,
    )
    .expect("sound")
}

fn cases() -> Vec<Value> {
    document()["cases"].as_array().expect("cases").clone()
}

#[test]
fn every_lens_projects_as_opencv_does() {
    for case in cases() {
        let camera = intrinsics(&case);
        for (point, pixel) in rows::<3>(&case["points_in_cam"])
            .iter()
            .zip(rows::<2>(&case["pixels"]))
        {
            let ours = camera
                .project(&Point3::from(*point))
                .expect("in front of the camera");
            assert!(
                (ours - Point2::from(pixel)).norm() < TOLERANCE_PX,
                "{}: {point:?} {ours} {pixel:?}",
                case["name"]
            );
        }
    }
}

#[test]
fn every_lens_unprojects_as_opencv_does() {
    for case in cases() {
        let camera = intrinsics(&case);
        for (pixel, flat) in rows::<2>(&case["pixels"])
            .iter()
            .zip(rows::<2>(&case["undistorted"]))
        {
            let ray = camera
                .unproject(&Point2::from(*pixel))
                .expect("a pixel that was projected");
            let expected = Vector3::new(flat[0], flat[1], 1.0).normalize();
            assert!(
                (ray - expected).norm() < 1e-9,
                "{}: {pixel:?} {ray} {expected}",
                case["name"]
            );
        }
    }
}

#[test]
fn poses_mean_what_opencv_means() {
    for case in cases()
        .into_iter()
        .filter(|case| case["model"] == "pinhole")
    {
        let camera = intrinsics(&case);
        let rotation = rows::<3>(&case["cam_from_world"]);
        let translation = Vector3::from_vec(numbers(&case["cam_from_world_translation"]));
        let matrix = Matrix3::from_fn(|row, col| rotation[row][col]);
        let cam_from_world =
            Pose::<Cam, World>::from_rotation_matrix(&matrix, translation).expect("rigid");
        for (point, pixel) in rows::<3>(&case["points_in_world"])
            .iter()
            .zip(rows::<2>(&case["pixels_posed"]))
        {
            let ours = camera
                .project(&cam_from_world.transform(&Point3::from(*point)))
                .expect("in front");
            assert!(
                (ours - Point2::from(pixel)).norm() < 1e-6,
                "{}: {ours} {pixel:?}",
                case["name"]
            );
        }
    }
}

#[test]
fn a_cropped_and_resized_image_has_its_pixels_where_opencv_puts_them() {
    let resize = &document()["resize"];
    let side = |name: &str| resize["crop"][name].as_f64().expect("a number");
    let crop = PixelRect {
        x: side("x"),
        y: side("y"),
        width: side("width"),
        height: side("height"),
    };
    let size = numbers(&resize["size"]);
    let source =
        Intrinsics::new([1266.0; 2], [799.5, 449.5], [1600, 900], Lens::IDEAL).expect("sound");
    let small = source.cropped_and_scaled(crop, size[0] as u32, size[1] as u32);
    for [u, v, source_u, source_v] in rows::<4>(&resize["small_u_v_source_u_v"]) {
        let ray = small.unproject(&Point2::new(u, v)).expect("an ideal lens");
        let pixel = source.project(&Point3::from(ray)).expect("an ideal lens");
        assert!(
            (pixel - Point2::new(source_u, source_v)).norm() < 1e-2,
            "{u} {v}: {pixel} {source_u} {source_v}"
        );
    }
}
