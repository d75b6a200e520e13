//! What goes wrong around the pipeline costs no memory either.

use bevrt_calibration::{Odom, Pose};
use bevrt_runtime::{EgoMotionFault, FrameError, ImageView, Pipeline, PixelFormat, SyncRefusal};
use nalgebra::{UnitQuaternion, Vector3};

use crate::counting::allocations;
use crate::small_model as small;
use crate::steps::Drive;

#[test]
fn cameras_that_go_and_come_a_reset_silence_and_time_set_back_allocate_nothing() {
    let mut pipeline = small::plain_pipeline();
    let mut drive = Drive::new();
    drive.run(&mut pipeline, 0..20);
    let found = allocations(|| {
        pipeline.disable_camera(1);
        only_the_front_camera(&mut pipeline, &drive, 20);
        let frame = &mut drive.frame;
        let now = small::milliseconds(2_045);
        pipeline
            .step(now, frame)
            .expect("the engine has all tensors");
        pipeline.enable_camera(1);
        drive.run(&mut pipeline, 21..40);
        pipeline.reset();
        drive.run(&mut pipeline, 0..20);
        // Silence, then time set back.
        let silent = small::milliseconds(60_000);
        pipeline
            .step(silent, &mut drive.frame)
            .expect("the engine has all tensors");
        drive.run(&mut pipeline, 0..20);
    });
    assert_eq!(found, 0);
}

fn only_the_front_camera(pipeline: &mut Pipeline, drive: &Drive, step: i64) {
    let stamp = small::milliseconds(step * 100);
    let image = drive.image(step, 0);
    pipeline
        .push_image(0, &image, stamp, stamp)
        .expect("time goes on");
    let refused = pipeline.push_image(1, &drive.image(step, 1), stamp, stamp);
    assert_eq!(refused, Err(FrameError::Refused(SyncRefusal::Disabled)));
}

#[test]
fn refused_images_allocate_nothing() {
    let mut options = small::options();
    options.image_formats = vec![PixelFormat::Grey];
    let mut pipeline = small::pipeline(options, |_| Ok(()));
    let mut drive = Drive::new();
    drive.run(&mut pipeline, 1..20);
    let bytes = vec![7; 64 * 48 * 3];
    let half = ImageView::packed(PixelFormat::Grey, 32, 48, &bytes).expect("it fits");
    let coloured = ImageView::packed(PixelFormat::Rgb, 64, 48, &bytes).expect("it fits");
    let last = small::milliseconds(1_900);
    let next = small::milliseconds(2_000);
    let sound = drive.image(20, 0);
    let frozen = drive.image(19, 0);
    let mut refusals = Vec::with_capacity(8);
    let found = allocations(|| {
        let mut push = |camera, image: &ImageView<'_>, stamp, arrival| {
            refusals.push(pipeline.push_image(camera, image, stamp, arrival));
        };
        push(0, &half, next, next);
        push(0, &coloured, next, next);
        push(9, &sound, next, next);
        push(0, &sound, last, next);
        push(0, &sound, small::milliseconds(1_850), next);
        push(0, &frozen, next, next);
        push(0, &sound, small::milliseconds(9_000), next);
        push(0, &sound, next, next);
    });
    assert_eq!(found, 0);
    let refused = |refusal| Err(FrameError::Refused(refusal));
    let expected = [
        Err(FrameError::ImageSize),
        Err(FrameError::ImageFormat),
        refused(SyncRefusal::UnknownCamera),
        refused(SyncRefusal::Repeated),
        refused(SyncRefusal::OutOfOrder),
        refused(SyncRefusal::Frozen),
        refused(SyncRefusal::OutOfTolerance),
        // A frozen picture has used up its stamp.
        refused(SyncRefusal::Repeated),
    ];
    assert_eq!(refusals, expected);
}

#[test]
fn refused_motion_and_a_jump_allocate_nothing() {
    let mut pipeline = small::plain_pipeline();
    let mut drive = Drive::new();
    drive.run(&mut pipeline, 0..20);
    let pose =
        |x_m: f64| Pose::<Odom, _>::new(UnitQuaternion::identity(), Vector3::new(x_m, 0.0, 0.0));
    let next = small::milliseconds(2_000);
    let found = allocations(|| {
        let mut push = |stamp, x_m| pipeline.push_pose(stamp, &pose(x_m)).err();
        assert_eq!(push(next, f64::NAN), Some(EgoMotionFault::NotFinite));
        assert_eq!(
            push(small::milliseconds(100), 0.0),
            Some(EgoMotionFault::Backwards)
        );
        assert_eq!(
            pipeline.push_rates(next, 10.0, 0.0).err(),
            Some(EgoMotionFault::WrongSource)
        );
        // Half a kilometre in 60 ms begins a new epoch: tracks and history go.
        pipeline.push_pose(next, &pose(500.0)).expect("it is later");
        drive.run(&mut pipeline, 21..40);
    });
    assert_eq!(found, 0);
}
