//! Our stages take no memory from the heap once the pipeline stands.

use std::ops::Range;

use bevrt_calibration::Rig;
use bevrt_runtime::{
    EgoMotionSource, EgoMotionSpec, EngineError, ImageView, OutputFrame, Pipeline, PixelFormat,
    Span, Stamp,
};

use crate::counting::allocations;
use crate::matrix_model;
use crate::small_model as small;

/// Pictures and steps of a drive, with the troubles of every day.
pub struct Drive {
    pictures: Vec<Vec<u8>>,
    pub frame: Box<OutputFrame>,
}

impl Drive {
    pub fn new() -> Self {
        let pictures = (0..2 * 64)
            .map(|k| small::picture(k % 2, small::milliseconds(k as i64)))
            .collect();
        Self {
            pictures,
            frame: OutputFrame::boxed(),
        }
    }

    /// Sets every 100 ms; each fifth one lacks the back camera, each seventh is skewed by 20 ms.
    pub fn run(&mut self, pipeline: &mut Pipeline, steps: Range<i64>) {
        for step in steps {
            let stamp = small::milliseconds(step * 100);
            // The image comes first: it is what tells that time was set back.
            self.push(pipeline, 0, step, stamp);
            pipeline
                .push_pose(stamp, &small::pose_at(stamp))
                .expect("time goes on");
            let later = stamp + Span::from_milliseconds(40);
            pipeline
                .push_pose(later, &small::pose_at(later))
                .expect("time goes on");
            if step % 5 != 0 {
                let skew = if step % 7 == 0 { 20 } else { 0 };
                self.push(pipeline, 1, step, stamp + Span::from_milliseconds(skew));
            }
            for wait_ms in [45, 90] {
                let now = stamp + Span::from_milliseconds(wait_ms);
                pipeline
                    .step(now, &mut self.frame)
                    .expect("the engine has all tensors");
            }
        }
    }

    /// The picture of a camera in a step.
    pub fn image(&self, step: i64, camera: usize) -> ImageView<'_> {
        let bytes = &self.pictures[(step as usize * 2 + camera) % self.pictures.len()];
        ImageView::packed(PixelFormat::Grey, small::WIDTH, small::HEIGHT, bytes).expect("it fits")
    }

    fn push(&self, pipeline: &mut Pipeline, camera: usize, step: i64, stamp: Stamp) {
        pipeline
            .push_image(camera, &self.image(step, camera), stamp, stamp)
            .expect("time goes on");
    }
}

#[test]
fn a_step_allocates_nothing() {
    let mut pipeline = small::plain_pipeline();
    let mut drive = Drive::new();
    drive.run(&mut pipeline, 0..20);
    let found = allocations(|| drive.run(&mut pipeline, 20..120));
    assert_eq!(found, 0, "allocations in 100 steps");
    assert_eq!(pipeline.stats().frames(), 120);
    assert!(!drive.frame.objects().is_empty());
}

#[test]
fn matrices_raw_history_and_query_sets_allocate_nothing() {
    let mut pipeline = matrix_model::plain_pipeline();
    let mut drive = Drive::new();
    drive.run(&mut pipeline, 0..20);
    let found = allocations(|| drive.run(&mut pipeline, 20..120));
    assert_eq!(found, 0, "allocations in 100 steps");
    assert!(!drive.frame.objects().is_empty() && !drive.frame.lanes().is_empty());
}

#[test]
fn images_of_every_format_and_motion_as_rates_allocate_nothing() {
    let mut options = small::options();
    options.ego_motion = EgoMotionSpec::new(EgoMotionSource::Rates);
    let mut pipeline = small::pipeline(options, |_| Ok(()));
    let bytes: Vec<Vec<u8>> = (0..8)
        .map(|k| (0..64 * 48 * 3).map(|i| (i * 13 + k * 101) as u8).collect())
        .collect();
    let formats = [
        PixelFormat::Nv12,
        PixelFormat::Yuyv,
        PixelFormat::Rgb,
        PixelFormat::Bgr,
        PixelFormat::Grey,
    ];
    let mut frame = OutputFrame::boxed();
    let mut run = |steps: Range<i64>| {
        for step in steps {
            let stamp = small::milliseconds(step * 100);
            pipeline.push_rates(stamp, 10.0, 0.1).expect("time goes on");
            for camera in 0..2 {
                let format = formats[(step as usize + camera) % formats.len()];
                let bytes = &bytes[(2 * step as usize + camera) % bytes.len()];
                let image =
                    ImageView::packed(format, small::WIDTH, small::HEIGHT, bytes).expect("it fits");
                pipeline
                    .push_image(camera, &image, stamp, stamp)
                    .expect("time goes on");
            }
            pipeline
                .step(stamp, &mut frame)
                .expect("the engine has all tensors");
        }
    };
    run(0..10);
    assert_eq!(allocations(|| run(10..40)), 0);
    assert_eq!(pipeline.stats().frames(), 40);
}

#[test]
fn steps_under_a_new_calibration_allocate_nothing() {
    let turned = |yaw_rad: f64| {
        let mut cameras = small::rig().cameras().to_vec();
        for camera in &mut cameras {
            let place = *camera.ego_from_cam.translation();
            camera.ego_from_cam = bevrt_calibration::Pose::looking(place, yaw_rad, 0.0, 0.0);
        }
        Rig::new(cameras, 0).expect("the names are those of before")
    };
    for make in [small::plain_pipeline, matrix_model::plain_pipeline] {
        let mut pipeline = make();
        let mut drive = Drive::new();
        drive.run(&mut pipeline, 0..20);
        // Taking a calibration is set-up; the first step under it writes all tables anew.
        for (round, yaw_rad) in [0.3, -0.7].into_iter().enumerate() {
            pipeline
                .set_calibration(turned(yaw_rad))
                .expect("two cameras as before");
            let first = 20 + 20 * round as i64;
            let found = allocations(|| drive.run(&mut pipeline, first..first + 20));
            assert_eq!(found, 0, "after a calibration");
        }
    }
}

#[test]
fn a_failing_engine_and_results_that_are_no_numbers_allocate_nothing() {
    let mut runs = 0;
    let mut pipeline = small::pipeline(small::options(), move |tensors| {
        runs += 1;
        match runs % 4 {
            1 => tensors.output_mut(bevrt_runtime::OutputRole::Bev)[33] = f32::NAN,
            2 => tensors.output_mut(bevrt_runtime::OutputRole::Head(1))[5] = f32::INFINITY,
            3 => return Err(EngineError::Run),
            _ => {}
        }
        Ok(())
    });
    let mut drive = Drive::new();
    drive.run(&mut pipeline, 0..8);
    assert_eq!(allocations(|| drive.run(&mut pipeline, 8..40)), 0);
}
