//! Four real fisheye cameras, read from their own files, against points that OpenCV computed.

use std::path::{Path, PathBuf};

use bevrt_calibration::readers::opencv::{LensModel, file_storage};
use bevrt_calibration::{Intrinsics, Lens};
use nalgebra::{Matrix3, Point2, Point3};
use serde_json::Value;

const CAMERAS: [&str; 4] = ["front", "back", "left", "right"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fisheye_surround")
}

fn camera(name: &str) -> Intrinsics {
    file_storage(
        folder().join(format!("yaml/{name}.yaml")),
        LensModel::Fisheye,
    )
    .expect("a published calibration")
}

/// The `data` of a matrix in one of the files.
fn matrix_data(name: &str, field: &str) -> Vec<f64> {
    let text =
        std::fs::read_to_string(folder().join(format!("yaml/{name}.yaml"))).expect("fixture");
    let start = text.find(field).expect("field");
    let list = text[start..]
        .split_once("data: [")
        .expect("data")
        .1
        .split_once(']')
        .expect("end")
        .0;
    list.split(',')
        .map(|number| number.trim().parse().expect("a number"))
        .collect()
}

/// The undistorted picture's camera: focal lengths scaled, principal point shifted, no distortion.
fn undistorted_camera(name: &str, fisheye: &Intrinsics) -> Intrinsics {
    let (scale, shift) = (matrix_data(name, "scale_xy"), matrix_data(name, "shift_xy"));
    // OpenCV worked with f32 values of the scale; the file prints them with nine digits.
    let scale: Vec<f64> = scale.iter().map(|&value| f64::from(value as f32)).collect();
    Intrinsics::new(
        [fisheye.fx() * scale[0], fisheye.fy() * scale[1]],
        [fisheye.cx() + shift[0], fisheye.cy() + shift[1]],
        [fisheye.width(), fisheye.height()],
        Lens::IDEAL,
    )
    .expect("sound")
}

struct Golden {
    bev: Vec<Point2<f64>>,
    undistorted: Vec<Point2<f64>>,
    fisheye: Vec<Point2<f64>>,
    bgr: Vec<[f64; 3]>,
}

fn golden(name: &str) -> Golden {
    let text =
        std::fs::read_to_string(folder().join("golden/fisheye_bev_points.json")).expect("fixture");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let rows = |field: &str| -> Vec<Vec<f64>> {
        let row = |row: &Value| {
            row.as_array()
                .expect("row")
                .iter()
                .map(|v| v.as_f64().expect("number"))
                .collect()
        };
        document[name][field]
            .as_array()
            .expect("rows")
            .iter()
            .map(row)
            .collect()
    };
    let points = |field: &str| {
        rows(field)
            .into_iter()
            .map(|row| Point2::new(row[0], row[1]))
            .collect::<Vec<_>>()
    };
    Golden {
        bev: points("bev_px"),
        undistorted: points("undist_px"),
        fisheye: points("fisheye_px"),
        bgr: rows("bgr_bilinear")
            .into_iter()
            .map(|row| [row[0], row[1], row[2]])
            .collect(),
    }
}

#[test]
fn undistorted_pixels_come_to_the_fisheye_pixels_that_opencv_found() {
    for name in CAMERAS {
        let fisheye = camera(name);
        let flat = undistorted_camera(name, &fisheye);
        let golden = golden(name);
        assert!(golden.fisheye.len() > 290);
        for (from, to) in golden.undistorted.iter().zip(&golden.fisheye) {
            let ray = flat.unproject(from).expect("an ideal lens");
            let ours = fisheye
                .project_within(&Point3::from(ray))
                .expect("in the frame");
            assert!((ours - to).norm() < 1e-6, "{name}: {from} {ours} {to}");
        }
    }
}

#[test]
fn fisheye_pixels_come_back_to_the_undistorted_pixels() {
    for name in CAMERAS {
        let fisheye = camera(name);
        let flat = undistorted_camera(name, &fisheye);
        let golden = golden(name);
        for (to, from) in golden.undistorted.iter().zip(&golden.fisheye) {
            let ray = fisheye.unproject(from).expect("within the valid radius");
            let ours = flat.project(&Point3::from(ray)).expect("in front");
            assert!((ours - to).norm() < 1e-5, "{name}: {from} {ours} {to}");
        }
    }
}

#[test]
fn the_ground_homography_ties_the_ground_picture_to_the_fisheye_frame() {
    for name in CAMERAS {
        let fisheye = camera(name);
        let flat = undistorted_camera(name, &fisheye);
        let homography = Matrix3::from_row_slice(&matrix_data(name, "project_matrix"));
        let golden = golden(name);
        for (bev, to) in golden.bev.iter().zip(&golden.fisheye) {
            let undistorted = homography.try_inverse().expect("regular") * bev.to_homogeneous();
            let undistorted =
                Point2::new(undistorted.x / undistorted.z, undistorted.y / undistorted.z);
            let ray = flat.unproject(&undistorted).expect("an ideal lens");
            let ours = fisheye.project(&Point3::from(ray)).expect("seen");
            assert!((ours - to).norm() < 1e-6, "{name}: {bev} {ours} {to}");
        }
    }
}

#[test]
fn two_of_the_four_real_polynomials_fold_and_are_masked_there() {
    // Roots of the polynomials' derivatives, found with numpy. The left camera's calibration folds
    // over at 87°, well inside of its picture.
    let folds_rad = [
        ("front", std::f64::consts::PI),
        ("back", 1.900_652_381_464_187_1),
        ("left", 1.517_185_081_266_034_1),
        ("right", std::f64::consts::PI),
    ];
    for (name, fold_rad) in folds_rad {
        let fisheye = camera(name);
        assert!(
            (fisheye.valid_angle_rad() - fold_rad).abs() < 1e-9,
            "{name}: {}",
            fisheye.valid_angle_rad()
        );
        let at =
            |angle_rad: f64| fisheye.project(&Point3::new(angle_rad.sin(), 0.0, angle_rad.cos()));
        assert!(at(fold_rad - 1e-6).is_some(), "{name}");
        assert!(fold_rad > 3.0 || at(fold_rad + 1e-6).is_none(), "{name}");
    }
}

#[test]
fn colours_of_the_ground_picture_are_found_in_the_fisheye_frames() {
    let Some(images) = std::env::var_os("BEVRT_FISHEYE_IMAGES").map(PathBuf::from) else {
        println!("SKIPPED: BEVRT_FISHEYE_IMAGES does not name the folder of the four frames");
        return;
    };
    for name in CAMERAS {
        let frame = image::open(images.join(format!("{name}.png")))
            .expect("a frame")
            .to_rgb8();
        let fisheye = camera(name);
        fisheye
            .check_image_size(frame.width(), frame.height())
            .expect("the size that was calibrated");
        let flat = undistorted_camera(name, &fisheye);
        let golden = golden(name);
        for (from, bgr) in golden.undistorted.iter().zip(&golden.bgr) {
            let ray = flat.unproject(from).expect("an ideal lens");
            let pixel = fisheye
                .project_within(&Point3::from(ray))
                .expect("in the frame");
            for (channel, want) in bgr.iter().rev().enumerate() {
                let got = bilinear(&frame, &pixel, channel);
                // OpenCV blends with weights of 1/32.
                assert!(
                    (got - want).abs() <= 8.0,
                    "{name}: {pixel} channel {channel}: {got} {want}"
                );
            }
        }
    }
}

fn bilinear(frame: &image::RgbImage, pixel: &Point2<f64>, channel: usize) -> f64 {
    let (u, v) = (pixel.x.floor(), pixel.y.floor());
    let (far_u, far_v) = (pixel.x - u, pixel.y - v);
    let level =
        |du: u32, dv: u32| f64::from(frame.get_pixel(u as u32 + du, v as u32 + dv).0[channel]);
    let above = level(0, 0) * (1.0 - far_u) + level(1, 0) * far_u;
    let below = level(0, 1) * (1.0 - far_u) + level(1, 1) * far_u;
    above * (1.0 - far_v) + below * far_v
}
