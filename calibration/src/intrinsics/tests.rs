use proptest::prelude::*;

use super::*;
use crate::BrownConrady;

const SIZE: [u32; 2] = [1600, 900];

fn pinhole(k: BrownConrady) -> Intrinsics {
    Intrinsics::new([1000.0, 900.0], [799.5, 449.5], SIZE, Lens::Pinhole { k }).expect("sound")
}

fn fisheye(k: [f64; 4]) -> Intrinsics {
    Intrinsics::new(
        [400.0, 400.0],
        [639.5, 479.5],
        [1280, 960],
        Lens::Fisheye { k },
    )
    .expect("sound")
}

#[test]
fn an_ideal_lens_projects_a_point_worked_out_by_hand() {
    // Two metres right, one down, ten ahead: 799.5 + 1000 · 0.2, 449.5 + 900 · 0.1.
    let pixel = pinhole(BrownConrady::NONE)
        .project(&Point3::new(2.0, 1.0, 10.0))
        .expect("in front");
    assert!((pixel - Point2::new(999.5, 539.5)).norm() < 1e-12);
}

#[test]
fn a_distorted_lens_projects_a_point_worked_out_by_hand() {
    // x = 0.5, y = 0, r² = 0.25: radial 1 - 0.2 · 0.25 + 0.1 · 0.0625 = 0.95625;
    // x_d = 0.478125 + p2 · (0.25 + 0.5) = 0.478875, y_d = p1 · 0.25 = 0.0005.
    let lens = BrownConrady {
        k1: -0.2,
        k2: 0.1,
        p1: 0.002,
        p2: 0.001,
        ..BrownConrady::NONE
    };
    let pixel = pinhole(lens)
        .project(&Point3::new(5.0, 0.0, 10.0))
        .expect("in front");
    assert!(
        (pixel - Point2::new(799.5 + 478.875, 449.5 + 0.45)).norm() < 1e-9,
        "{pixel}"
    );
}

#[test]
fn an_equidistant_fisheye_sees_a_right_angle_at_half_pi_focal_lengths() {
    let camera = fisheye([0.0; 4]);
    let pixel = camera
        .project(&Point3::new(3.0, 0.0, 0.0))
        .expect("fisheyes see sideways");
    assert!((pixel.x - (639.5 + 400.0 * std::f64::consts::FRAC_PI_2)).abs() < 1e-9);
    let ray = camera.unproject(&pixel).expect("in range");
    assert!((ray - Vector3::x()).norm() < 1e-12);
}

#[test]
fn the_axis_is_the_principal_point_for_every_lens() {
    for camera in [
        pinhole(BrownConrady {
            k1: -0.3,
            p1: 0.01,
            ..BrownConrady::NONE
        }),
        fisheye([-0.02, 0.0, 0.0, 0.0]),
    ] {
        let pixel = camera.project(&Point3::new(0.0, 0.0, 7.0)).expect("ahead");
        assert!((pixel - Point2::new(camera.cx(), camera.cy())).norm() < 1e-12);
        let ray = camera.unproject(&pixel).expect("ahead");
        assert!((ray - Vector3::z()).norm() < 1e-12);
    }
}

#[test]
fn a_folding_lens_gives_no_ghost_pixels() {
    // r (1 - 0.35 r²) returns to zero at r = 1.69: without the mask, a point at 59° would be drawn
    // at the image centre.
    let camera = pinhole(BrownConrady {
        k1: -0.35,
        ..BrownConrady::NONE
    });
    assert!(camera.project(&Point3::new(1.69, 0.0, 1.0)).is_none());
    assert!(
        camera
            .project(&Point3::new(camera.valid_radius() * 0.999, 0.0, 1.0))
            .is_some()
    );
    // No ray reaches pixels beyond the fold.
    assert!(
        camera
            .unproject(&Point2::new(799.5 + 1000.0 * 0.66, 449.5))
            .is_none()
    );
    // Over a whole sweep, the pixel only ever moves outward.
    let mut last = -1.0;
    for step in 0..5000 {
        let angle = f64::from(step) * 1e-3;
        if let Some(pixel) = camera.project(&Point3::new(angle.sin(), 0.0, angle.cos())) {
            assert!(pixel.x > last, "{angle}");
            last = pixel.x;
        }
    }
}

#[test]
fn nothing_behind_a_pinhole_camera_is_seen() {
    let camera = pinhole(BrownConrady::NONE);
    for point in [
        [0.0, 0.0, -1.0],
        [1.0, 0.0, 0.0],
        [0.0, 0.0, 0.0],
        [f64::NAN, 0.0, 1.0],
        [0.0, 0.0, f64::NAN],
    ] {
        let pixel = camera.project_within(&Point3::from(point));
        assert_eq!(pixel, None, "{point:?}");
    }
}

#[test]
fn a_fisheye_sees_neither_its_own_centre_nor_straight_behind() {
    let camera = fisheye([0.01, 0.0, 0.0, 0.0]);
    for point in [[0.0, 0.0, 0.0], [0.0, 0.0, -1.0], [f64::NAN, 0.0, 1.0]] {
        assert_eq!(
            camera.project_within(&Point3::from(point)),
            None,
            "{point:?}"
        );
    }
}

#[test]
fn the_image_reaches_half_a_pixel_beyond_its_outer_centres() {
    let camera = pinhole(BrownConrady::NONE);
    assert!(
        camera.contains(&Point2::new(-0.5, -0.5)) && camera.contains(&Point2::new(1599.49, 899.49))
    );
    assert!(
        !camera.contains(&Point2::new(-0.51, 0.0)) && !camera.contains(&Point2::new(1599.5, 0.0))
    );
}

#[test]
fn cropping_and_scaling_moves_pixels_by_their_corners() {
    let camera = pinhole(BrownConrady {
        k1: -0.1,
        ..BrownConrady::NONE
    });
    let crop = PixelRect {
        x: 0.0,
        y: 318.0,
        width: 1600.0,
        height: 582.0,
    };
    let small = camera.cropped_and_scaled(crop, 352, 128);
    assert_eq!((small.width(), small.height()), (352, 128));
    let point = Point3::new(1.3, 0.7, 6.0);
    let (source, scaled) = (
        camera.project(&point).expect("seen"),
        small.project(&point).expect("seen"),
    );
    assert!((scaled.x - ((source.x + 0.5) * 352.0 / 1600.0 - 0.5)).abs() < 1e-12);
    assert!((scaled.y - ((source.y + 0.5 - 318.0) * 128.0 / 582.0 - 0.5)).abs() < 1e-12);
}

#[test]
fn senseless_intrinsics_are_refused_by_name() {
    let ideal = Lens::IDEAL;
    let bad_lens = Lens::Fisheye {
        k: [0.0, f64::NAN, 0.0, 0.0],
    };
    let cases = [
        (
            "fx_px",
            Intrinsics::new([-1.0, 1.0], [0.0, 0.0], SIZE, ideal),
        ),
        (
            "fx_px",
            Intrinsics::new([f64::NAN, 1.0], [0.0, 0.0], SIZE, ideal),
        ),
        (
            "fy_px",
            Intrinsics::new([1.0, 0.0], [0.0, 0.0], SIZE, ideal),
        ),
        (
            "fy_px",
            Intrinsics::new([1.0, f64::INFINITY], [0.0, 0.0], SIZE, ideal),
        ),
        (
            "cx_px",
            Intrinsics::new([1.0, 1.0], [f64::NAN, 0.0], SIZE, ideal),
        ),
        (
            "cy_px",
            Intrinsics::new([1.0, 1.0], [0.0, f64::NEG_INFINITY], SIZE, ideal),
        ),
        (
            "width",
            Intrinsics::new([1.0, 1.0], [0.0, 0.0], [0, 900], ideal),
        ),
        (
            "height",
            Intrinsics::new([1.0, 1.0], [0.0, 0.0], [1600, 70_000], ideal),
        ),
        (
            "distortion",
            Intrinsics::new([1.0, 1.0], [0.0, 0.0], SIZE, bad_lens),
        ),
    ];
    for (field, result) in cases {
        let error = result.expect_err(field);
        assert_eq!(error.field(), field);
    }
}

#[test]
fn images_of_another_size_are_refused() {
    let camera = pinhole(BrownConrady::NONE);
    assert!(camera.check_image_size(1600, 900).is_ok());
    let error = camera
        .check_image_size(1280, 720)
        .expect_err("another size");
    assert_eq!(
        (error.expected(), error.found()),
        ("1600×900 as calibrated", "1280×720")
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a lens projects, it unprojects to the same ray; whatever it unprojects, it projects to
    /// the same pixel.
    #[test]
    fn pinhole_lenses_round_trip(
        k in prop::array::uniform8(-0.4f64..0.4),
        tangential in prop::array::uniform2(-0.01f64..0.01),
        x in -1.2f64..1.2, y in -0.8f64..0.8, z in 0.1f64..50.0,
        u in -0.5f64..1599.5, v in -0.5f64..899.5,
    ) {
        let lens = BrownConrady { k1: k[0], k2: k[1], p1: tangential[0], p2: tangential[1], k3: k[4], k4: k[5], k5: k[6], k6: k[7] };
        assert_round_trip(&pinhole(lens), Point3::new(x * z, y * z, z), Point2::new(u, v))?;
    }

    #[test]
    fn fisheye_lenses_round_trip(
        k in prop::array::uniform4(-0.1f64..0.1),
        theta in 0.0f64..3.1, phi in -3.2f64..3.2, distance in 0.1f64..50.0,
        u in -0.5f64..1279.5, v in -0.5f64..959.5,
    ) {
        let (sine, cosine) = theta.sin_cos();
        let ray = Vector3::new(sine * phi.cos(), sine * phi.sin(), cosine);
        assert_round_trip(&fisheye(k), Point3::from(ray * distance), Point2::new(u, v))?;
    }
}

fn assert_round_trip(
    camera: &Intrinsics,
    point: Point3<f64>,
    pixel: Point2<f64>,
) -> Result<(), TestCaseError> {
    if let Some(seen) = camera.project(&point) {
        let ray = camera.unproject(&seen);
        prop_assert!(ray.is_some(), "no ray for {seen}");
        let again = camera.project(&Point3::from(ray.unwrap_or_default()));
        prop_assert!(
            again.is_some_and(|again| (again - seen).norm() < 1e-5),
            "{seen} {again:?}"
        );
    }
    if let Some(ray) = camera.unproject(&pixel) {
        prop_assert!((ray.norm() - 1.0).abs() < 1e-12);
        // Exactly on the rim of the valid disc rounding may fall to either side.
        if let Some(again) = camera.project(&Point3::from(ray * 3.0)) {
            prop_assert!((again - pixel).norm() < 1e-5, "{pixel} {again}");
        }
    }
    Ok(())
}
