use nalgebra::Vector3;

use super::*;
use crate::{BrownConrady, Intrinsics, Lens, Pose, rigs};

const SOUND: &str = r#"
format = 1
reference = "front"

[[camera]]
name = "front"
width = 1600
height = 900
lens = "pinhole"
fx_px = 1266.0
fy_px = 1266.0
cx_px = 799.5
cy_px = 449.5
distortion = [-0.3, 0.1, 0.0, 0.0, 0.0]
[camera.ego_from_cam]
translation_m = [1.7, 0.0, 1.51]
quaternion_wxyz = [0.5, -0.5, 0.5, -0.5]

[[camera]]
name = "left"
width = 1280
height = 960
lens = "fisheye"
fx_px = 400.0
fy_px = 400.0
cx_px = 639.5
cy_px = 479.5
distortion = [-0.02, 0.004, -0.001, 0.0]
[camera.ego_from_cam]
translation_m = [2.0, 1.0, 1.05]
rotation = [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]
"#;

#[test]
fn a_rig_file_gives_what_it_says() {
    let rig = Rig::from_toml_str(SOUND).expect("sound");
    assert_eq!((rig.cameras().len(), rig.reference()), (2, 0));
    let front = rig.reference_camera();
    assert_eq!(
        front.intrinsics.lens().coefficients(),
        [-0.3, 0.1, 0.0, 0.0, 0.0]
    );
    assert!((front.ego_from_cam.rotate(&Vector3::z()) - Vector3::x()).norm() < 1e-12);
    let left = &rig.cameras()[1];
    assert!((left.ego_from_cam.rotate(&Vector3::z()) - Vector3::y()).norm() < 1e-12);
    assert_eq!(rig.index_of("left"), Some(1));
}

#[test]
fn rigs_survive_their_file_bit_by_bit() {
    for rig in [
        rigs::six_pinhole(),
        rigs::four_fisheye(),
        Rig::from_toml_str(SOUND).expect("sound"),
    ] {
        let text = rig.to_toml();
        assert_eq!(Rig::from_toml_str(&text).expect("our own file"), rig);
    }
}

#[test]
fn a_cropped_camera_survives_its_file_although_its_principal_point_is_outside() {
    let camera = Camera {
        name: "cut".to_owned(),
        intrinsics: Intrinsics::new([300.0; 2], [175.5, -12.0], [352, 128], Lens::IDEAL)
            .expect("sound"),
        ego_from_cam: Pose::identity(),
    };
    let rig = Rig::new(vec![camera], 0).expect("sound");
    assert_eq!(
        Rig::from_toml_str(&rig.to_toml()).expect("our own file"),
        rig
    );
}

#[test]
fn rigs_with_senseless_sets_of_cameras_are_refused() {
    let camera = |name: &str| Camera {
        name: name.to_owned(),
        intrinsics: Intrinsics::new(
            [300.0; 2],
            [10.0, 10.0],
            [32, 32],
            Lens::Pinhole {
                k: BrownConrady::NONE,
            },
        )
        .expect("sound"),
        ego_from_cam: Pose::identity(),
    };
    let lost = Camera {
        ego_from_cam: Pose::new(
            nalgebra::UnitQuaternion::identity(),
            Vector3::new(f64::NAN, 0.0, 0.0),
        ),
        ..camera("lost")
    };
    let many = (0..17).map(|index| camera(&format!("c{index}"))).collect();
    for (field, cameras, reference) in [
        ("cameras", vec![], 0),
        ("cameras", many, 0),
        ("name", vec![camera("a"), camera("a")], 0),
        ("name", vec![camera("  ")], 0),
        ("reference", vec![camera("a")], 1),
        ("ego_from_cam", vec![lost], 0),
    ] {
        assert_eq!(
            Rig::new(cameras, reference).expect_err(field).field(),
            field
        );
    }
}

/// Each change breaks the sound file in one place; the error must name camera and field.
#[test]
fn rig_files_with_one_mistake_are_refused_by_name() {
    let cases = [
        ("fx_px = 1266.0", "fx_px = -1266.0", Some("front"), "fx_px"),
        ("fx_px = 1266.0", "fx_px = nan", Some("front"), "fx_px"),
        ("fy_px = 400.0", "fy_px = 0.0", Some("left"), "fy_px"),
        ("cx_px = 799.5", "cx_px = inf", Some("front"), "cx_px"),
        ("width = 1600", "width = 640", Some("front"), "cx_px, cy_px"),
        ("height = 960", "height = 0", Some("left"), "height"),
        ("height = 960", "height = 240", Some("left"), "cx_px, cy_px"),
        (
            "[-0.3, 0.1, 0.0, 0.0, 0.0]",
            "[-0.3, 0.1, 0.0]",
            Some("front"),
            "distortion",
        ),
        (
            "[-0.3, 0.1, 0.0, 0.0, 0.0]",
            "[-0.3, nan, 0.0, 0.0, 0.0]",
            Some("front"),
            "distortion",
        ),
        (
            "[-0.02, 0.004, -0.001, 0.0]",
            "[-0.02, 0.004, -0.001, 0.0, 0.0]",
            Some("left"),
            "distortion",
        ),
        (
            "[0.5, -0.5, 0.5, -0.5]",
            "[0.5, -0.5, 0.5, -0.6]",
            Some("front"),
            "ego_from_cam.rotation",
        ),
        (
            "[0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]",
            "[0.0, 0.0, 1.1], [0.0, -1.0, 0.0]]",
            Some("left"),
            "ego_from_cam.rotation",
        ),
        (
            "[0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]",
            "[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]",
            Some("left"),
            "ego_from_cam.rotation",
        ),
        (
            "[1.7, 0.0, 1.51]",
            "[nan, 0.0, 1.51]",
            Some("front"),
            "ego_from_cam.translation",
        ),
        (
            "translation_m = [1.7, 0.0, 1.51]",
            "",
            Some("front"),
            "ego_from_cam.pose",
        ),
        ("name = \"left\"", "name = \"front\"", Some("front"), "name"),
        (
            "reference = \"front\"",
            "reference = \"rear\"",
            None,
            "reference",
        ),
        ("format = 1", "format = 9", None, "format"),
        ("lens = \"fisheye\"", "lens = \"omni\"", None, "line 23"),
        ("name = \"left\"", "title = \"left\"", None, "line 20"),
    ];
    for (right, wrong, camera, field) in cases {
        assert!(SOUND.contains(right), "{right}");
        let error = Rig::from_toml_str(&SOUND.replacen(right, wrong, 1)).expect_err(wrong);
        assert_eq!(
            (error.camera(), error.field()),
            (camera, field),
            "{wrong}: {error}"
        );
    }
}

#[test]
fn a_rig_file_that_is_not_there_is_named() {
    let error = Rig::from_toml_file("no/such/rig.toml").expect_err("no such file");
    assert_eq!(error.file(), Some(Path::new("no/such/rig.toml")));
    assert!(std::error::Error::source(&error).is_some());
}
