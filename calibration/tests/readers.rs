//! Foreign calibration files: what they give, and what is refused.

use std::path::{Path, PathBuf};

use bevrt_calibration::readers::{assembly, kalibr, nuscenes, opencv, ros};
use bevrt_calibration::{CalibrationError, Ego, Lens, Pose, Sensor};
use nalgebra::{Point3, UnitQuaternion, Vector3};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/readers")
        .join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(fixture(name)).expect("fixture")
}

fn assert_refused(
    result: Result<impl Sized, CalibrationError>,
    camera: Option<&str>,
    field: &str,
    what: &str,
) {
    let Err(error) = result else {
        panic!("{what}: accepted");
    };
    assert_eq!(
        (error.camera(), error.field()),
        (camera, field),
        "{what}: {error}"
    );
}

#[test]
fn ros_camera_info_is_read() {
    let camera = ros::camera_info(fixture("camera_info.yaml")).expect("sound");
    assert_eq!(camera.name.as_deref(), Some("front_wide"));
    let intrinsics = camera.intrinsics;
    assert_eq!((intrinsics.width(), intrinsics.height()), (1280, 720));
    assert_eq!(
        (
            intrinsics.fx(),
            intrinsics.fy(),
            intrinsics.cx(),
            intrinsics.cy()
        ),
        (913.25, 911.75, 643.5, 361.25)
    );
    assert_eq!(
        intrinsics.lens().coefficients(),
        [-0.31, 0.105, 0.0004, -0.0007, -0.018]
    );
}

#[test]
fn a_printed_ros_message_is_read() {
    let camera = ros::camera_info(fixture("camera_info_message.yaml")).expect("sound");
    assert_eq!(
        camera.intrinsics.lens(),
        &Lens::Fisheye {
            k: [-0.013, 0.0098, -0.0077, 0.0016]
        }
    );
    assert_eq!(
        (camera.intrinsics.width(), camera.intrinsics.height()),
        (1280, 800)
    );
}

#[test]
fn ros_files_with_one_mistake_are_refused_by_name() {
    let sound = text("camera_info.yaml");
    for (right, wrong, field) in [
        ("[913.25, 0.0,", "[-913.25, 0.0,", "fx_px"),
        ("[913.25, 0.0,", "[913.25, 0.7,", "camera_matrix"),
        (
            "0.0, 0.0, 1.0]\ndist",
            "0.0, 0.0]\ndist",
            "camera_matrix.data",
        ),
        ("image_width: 1280", "image_width: 640", "cx_px, cy_px"),
        ("image_width: 1280", "image_width: wide", "image_width"),
        ("image_width: 1280\n", "", "image_width"),
        ("plumb_bob", "thin_prism", "distortion_model"),
        (
            "cols: 5\n  data: [-0.31, 0.105, 0.0004, -0.0007, -0.018]",
            "cols: 3\n  data: [-0.31, 0.1, 0.0]",
            "distortion_coefficients",
        ),
        ("[-0.31, 0.105,", "[-0.31, .nan,", "file"),
        (
            "[-0.31, 0.105,",
            "[-0.31, much,",
            "distortion_coefficients.data",
        ),
    ] {
        assert!(sound.contains(right), "{right}");
        let camera = (field != "file").then_some("front_wide");
        assert_refused(
            ros::camera_info_str(&sound.replacen(right, wrong, 1)),
            camera,
            field,
            wrong,
        );
    }
}

#[test]
fn a_kalibr_chain_is_read_from_camera_to_camera() {
    let chain = kalibr::Camchain::from_file(fixture("camchain.yaml")).expect("sound");
    assert!(!chain.is_to_imu());
    let [cam0, cam1] = chain.cameras() else {
        panic!("two cameras");
    };
    assert_eq!(
        (cam0.name.as_str(), cam1.topic.as_deref()),
        ("cam0", Some("/cam1/image_raw"))
    );
    assert_eq!(
        cam0.intrinsics.lens().coefficients(),
        [-0.28, 0.074, 0.00019, 0.000017, 0.0]
    );
    assert_eq!(
        cam1.intrinsics.lens(),
        &Lens::Fisheye {
            k: [-0.0132, 0.0098, -0.0077, 0.0016]
        }
    );
    // T_cn_cnm1 takes cam0 coordinates to cam1: (1, 2, 3) -> (1 - 0.11, 3 + 0.02, -2 + 0.03).
    let in_cam1 = cam1
        .sensor_from_cam
        .inverse()
        .transform(&Point3::new(1.0, 2.0, 3.0));
    assert!((in_cam1 - Point3::new(0.89, 3.02, -1.97)).norm() < 1e-12);
}

#[test]
fn a_kalibr_chain_with_an_imu_becomes_a_rig() {
    let chain = kalibr::Camchain::from_file(fixture("camchain_imu.yaml")).expect("sound");
    assert!(chain.is_to_imu());
    let ego_from_imu =
        Pose::<Ego, Sensor>::new(UnitQuaternion::identity(), Vector3::new(1.0, 0.0, 0.5));
    let rig = chain.rig(ego_from_imu).expect("sound");
    // T_cam_imu takes IMU coordinates to the camera: an IMU with x forward becomes z forward.
    let in_ego = rig.cameras()[0].ego_from_cam.rotate(&Vector3::z());
    assert!((in_ego - Vector3::x()).norm() < 1e-12);
    // The camera centre in the IMU frame is -Rᵀ t = (0.3, 0.1, 0.2).
    assert!(
        (rig.cameras()[0].ego_from_cam.translation() - Vector3::new(1.3, 0.1, 0.7)).norm() < 1e-12
    );
}

#[test]
fn kalibr_files_with_one_mistake_are_refused_by_name() {
    let sound = text("camchain.yaml");
    for (right, wrong, camera, field) in [
        (
            "[1.0, 0.0, 0.0, -0.11]",
            "[1.1, 0.0, 0.0, -0.11]",
            Some("cam1"),
            "T_cn_cnm1.rotation",
        ),
        (
            "[1.0, 0.0, 0.0, -0.11]",
            "[-1.0, 0.0, 0.0, -0.11]",
            Some("cam1"),
            "T_cn_cnm1.rotation",
        ),
        (
            "  - [1.0, 0.0, 0.0, -0.11]\n",
            "",
            Some("cam1"),
            "cam1.T_cn_cnm1",
        ),
        ("[458.6,", "[-458.6,", Some("cam0"), "fx_px"),
        ("[458.6, 457.3,", "[458.6,", Some("cam0"), "cam0.intrinsics"),
        (
            "resolution: [752, 480]",
            "resolution: [320, 240]",
            Some("cam0"),
            "cx_px, cy_px",
        ),
        (
            "resolution: [752, 480]",
            "resolution: [752.5, 480]",
            Some("cam0"),
            "cam0.resolution",
        ),
        (
            "camera_model: pinhole",
            "camera_model: ds",
            Some("cam0"),
            "cam0.camera_model",
        ),
        (
            "distortion_model: radtan",
            "distortion_model: fov",
            Some("cam0"),
            "cam0.distortion_model",
        ),
        (
            "  distortion_model: radtan\n",
            "",
            Some("cam0"),
            "cam0.distortion_model",
        ),
        ("cam1:", "cam0:", None, "file"),
        ("cam1:", "cam7:", None, "cam1"),
    ] {
        let broken = sound.replacen(right, wrong, 1);
        assert_ne!(broken, sound, "{right}");
        assert_refused(
            kalibr::Camchain::from_yaml_str(&broken),
            camera,
            field,
            wrong,
        );
    }
}

#[test]
fn opencv_file_storage_is_read() {
    let intrinsics = opencv::file_storage(fixture("file_storage.yml"), opencv::LensModel::Pinhole)
        .expect("sound");
    assert_eq!((intrinsics.width(), intrinsics.height()), (640, 480));
    assert_eq!(
        (intrinsics.fx(), intrinsics.cy()),
        (535.915_733_961_632, 235.570_829_097_881_73)
    );
    assert_eq!(
        intrinsics.lens().coefficients()[4],
        0.238_391_530_808_784_86
    );
}

#[test]
fn opencv_files_with_one_mistake_are_refused_by_name() {
    let sound = text("file_storage.yml");
    for (right, wrong, field) in [
        (
            "5.3591573396163199e+02, 0., 3.42",
            "-5.3591573396163199e+02, 0., 3.42",
            "fx_px",
        ),
        ("image_width: 640", "image_width: 320", "cx_px, cy_px"),
        ("image_width: 640\n", "", "image_width"),
        ("0., 0., 1. ]", "0., 1., 1. ]", "camera_matrix"),
        (
            "distortion_coefficients",
            "distortion",
            "distortion_coefficients",
        ),
        (
            "   rows: 5\n",
            "   rows: 4\n",
            "distortion_coefficients.data",
        ),
        ("-2.6637260909660682e-01,", ".nan,", "file"),
    ] {
        let broken = sound.replacen(right, wrong, 1);
        assert_ne!(broken, sound, "{right}");
        assert_refused(
            opencv::file_storage_str(&broken, opencv::LensModel::Pinhole),
            None,
            field,
            wrong,
        );
    }
    assert_refused(
        opencv::file_storage_str(&sound, opencv::LensModel::Fisheye),
        None,
        "distortion_coefficients",
        "five coefficients for a fisheye",
    );
}

#[test]
fn nuscenes_tables_become_a_rig() {
    let tables = nuscenes::Tables::read(fixture(""), [1600, 900]).expect("sound");
    let channels: Vec<&str> = tables
        .cameras()
        .iter()
        .map(|camera| camera.channel.as_str())
        .collect();
    assert_eq!(
        channels,
        ["CAM_BACK", "CAM_FRONT", "CAM_FRONT"],
        "the lidar is no camera"
    );
    let rig = tables.rig(&["c2", "c4"]).expect("sound");
    let names: Vec<&str> = rig
        .cameras()
        .iter()
        .map(|camera| camera.name.as_str())
        .collect();
    assert_eq!(names, ["front", "back"]);
    assert_eq!(rig.reference_camera().intrinsics.fx(), 1252.81);
    for (camera, ahead) in rig.cameras().iter().zip([Vector3::x(), -Vector3::x()]) {
        assert!(
            (camera.ego_from_cam.rotate(&Vector3::z()) - ahead).norm() < 1e-9,
            "{}",
            camera.name
        );
    }
}

#[test]
fn nuscenes_tables_with_one_mistake_are_refused_by_name() {
    let (calibrated, sensor) = (text("calibrated_sensor.json"), text("sensor.json"));
    for (right, wrong, camera, field) in [
        ("[[809.22,", "[[-809.22,", Some("CAM_BACK"), "fx_px"),
        (
            "[0.5, -0.5, -0.5, 0.5]",
            "[0.5, -0.5, -0.5, 0.6]",
            Some("CAM_BACK"),
            "[1].rotation",
        ),
        (
            "[0.5, -0.5, -0.5, 0.5]",
            "[0.5, -0.5, -0.5]",
            Some("CAM_BACK"),
            "[1].rotation",
        ),
        (
            "[0.03, 0.0, 1.58]",
            "[0.03, null, 1.58]",
            Some("CAM_BACK"),
            "[1].translation",
        ),
        (
            "[[1266.42,",
            "[[1266.42, 1.0,",
            Some("CAM_FRONT"),
            "[2].camera_intrinsic",
        ),
    ] {
        let broken = calibrated.replacen(right, wrong, 1);
        assert_ne!(broken, calibrated, "{right}");
        let result = nuscenes::Tables::from_json_str(&broken, &sensor, [1600, 900]);
        assert_refused(result, camera, field, wrong);
    }
    let small = nuscenes::Tables::from_json_str(&calibrated, &sensor, [800, 450]);
    assert_refused(
        small,
        Some("CAM_BACK"),
        "cx_px, cy_px",
        "half the image size",
    );
    let tables = nuscenes::Tables::from_json_str(&calibrated, &sensor, [1600, 900]).expect("sound");
    assert_refused(
        tables.rig(&["c3", "c4"]),
        Some("front"),
        "name",
        "two calibrations of one camera",
    );
    assert_refused(
        tables.rig(&["c1"]),
        None,
        "calibrated_sensor.token",
        "a lidar",
    );
    assert_refused(tables.rig(&[]), None, "cameras", "no camera");
}

#[test]
fn errors_name_the_file() {
    let missing = fixture("no_such_file.yaml");
    for error in [
        ros::camera_info(&missing).map(drop).expect_err("missing"),
        kalibr::Camchain::from_file(&missing)
            .map(drop)
            .expect_err("missing"),
        opencv::file_storage(&missing, opencv::LensModel::Pinhole)
            .map(drop)
            .expect_err("missing"),
        nuscenes::Tables::read(fixture("no_such_folder"), [1600, 900])
            .map(drop)
            .expect_err("missing"),
        kalibr::Camchain::from_file(fixture("camera_info.yaml"))
            .map(drop)
            .expect_err("another format"),
    ] {
        let file = error.file().expect("a file");
        assert!(file.starts_with(fixture("")), "{error}");
        assert!(error.to_string().contains("expected"), "{error}");
    }
}

const LIST: &str = r#"
reference = "left"

[[camera]]
name = "front"
ros = "camera_info.yaml"
[camera.ego_from_cam]
translation_m = [1.7, 0.0, 1.5]
quaternion_wxyz = [0.5, -0.5, 0.5, -0.5]

[[camera]]
name = "left"
opencv = "file_storage.yml"
lens = "pinhole"
[camera.ego_from_cam]
matrix = [[1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.9], [0.0, -1.0, 0.0, 1.4], [0.0, 0.0, 0.0, 1.0]]

[[camera]]
name = "rear"
kalibr = "camchain_imu.yaml"
chain_camera = "cam0"
[camera.ego_from_sensor]
translation_m = [0.2, 0.0, 0.6]
rotation = [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
"#;

/// Writes `list` beside the fixtures' copies and reads it.
fn assemble(name: &str, list: &str) -> Result<bevrt_calibration::Rig, CalibrationError> {
    let folder = std::env::temp_dir().join(format!("bevrt-assembly-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    for file in ["camera_info.yaml", "file_storage.yml", "camchain_imu.yaml"] {
        std::fs::copy(fixture(file), folder.join(file)).expect("a copy");
    }
    std::fs::write(folder.join("list.toml"), list).expect("written");
    let result = assembly::from_toml_file(folder.join("list.toml"));
    std::fs::remove_dir_all(&folder).expect("removed");
    result
}

#[test]
fn a_list_of_foreign_files_and_poses_becomes_a_rig() {
    let rig = assemble("sound", LIST).expect("sound");
    let [front, left, rear] = rig.cameras() else {
        panic!("{rig:?}");
    };
    assert_eq!(rig.reference_camera().name, "left");
    let ros = ros::camera_info(fixture("camera_info.yaml")).expect("sound");
    assert_eq!(front.intrinsics, ros.intrinsics);
    assert_eq!(
        front.ego_from_cam.translation(),
        &Vector3::new(1.7, 0.0, 1.5)
    );
    let opencv = opencv::file_storage(fixture("file_storage.yml"), opencv::LensModel::Pinhole);
    assert_eq!(left.intrinsics, opencv.expect("sound"));
    let ahead = left.ego_from_cam.transform(&Point3::new(0.0, 0.0, 2.0));
    assert!(
        (ahead - Point3::new(1.0, 2.9, 1.4)).norm() < 1e-12,
        "{ahead}"
    );

    let chain = kalibr::Camchain::from_file(fixture("camchain_imu.yaml")).expect("sound");
    let in_chain = &chain.cameras()[0];
    assert_eq!(rear.intrinsics, in_chain.intrinsics);
    let in_sensor = in_chain
        .sensor_from_cam
        .transform(&Point3::new(0.3, -0.2, 4.0));
    let expected = Point3::new(0.2 - in_sensor.y, in_sensor.x, 0.6 + in_sensor.z);
    let found = rear.ego_from_cam.transform(&Point3::new(0.3, -0.2, 4.0));
    assert!((found - expected).norm() < 1e-12, "{found} {expected}");

    let again = bevrt_calibration::Rig::from_toml_str(&rig.to_toml()).expect("sound");
    assert_eq!(again, rig);
}

#[test]
fn lists_with_one_mistake_are_refused_by_name() {
    let cases = [
        (
            "reference = \"left\"",
            "reference = \"top\"",
            None,
            "reference",
        ),
        ("lens = \"pinhole\"\n", "", Some("left"), "camera"),
        ("cam0", "cam7", Some("rear"), "chain_camera"),
        (
            "[camera.ego_from_sensor]",
            "[camera.ego_from_cam]",
            Some("rear"),
            "camera",
        ),
        (
            "0.5, -0.5, 0.5, -0.5",
            "0.9, -0.5, 0.5, -0.5",
            Some("front"),
            "ego_from_cam.rotation",
        ),
        ("ros =", "rose =", None, "line 6"),
        ("camera_info.yaml", "absent.yaml", None, "file"),
        ("name = \"front\"", "name = \"left\"", Some("left"), "name"),
    ];
    for (index, (sound, broken, camera, field)) in cases.into_iter().enumerate() {
        assert!(LIST.contains(sound), "{sound}");
        let list = LIST.replacen(sound, broken, 1);
        assert_refused(assemble(&index.to_string(), &list), camera, field, broken);
    }
}
