//! A pipeline as C++ holds it: every call ends with a status.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bevrt::{EgoPoseSample, Failure, ImageBuffer, ImagePlane, Instance, Status};
use bevrt_calibration::Rig;
use bevrt_runtime::{Pipeline as RuntimePipeline, Stamp};

use crate::bridge::{Image, PipelineOptions};
use crate::options::runtime_options;
use crate::plain::{Frame, StageStatistics};

/// A pipeline, or what is left where none could be made or a call panicked.
pub struct Pipeline {
    /// `None` where it could not be made.
    instance: Option<Box<Instance>>,
    /// A call panicked: the instance can only be dropped.
    is_poisoned: bool,
    status: Status,
    error_text: String,
}

/// Opens a package; what is returned says by its status whether that worked.
pub fn open(options: &PipelineOptions) -> Box<Pipeline> {
    let mut pipeline = Box::new(Pipeline {
        instance: None,
        is_poisoned: false,
        status: Status::Ok,
        error_text: String::new(),
    });
    let opened = caught(|| {
        Ok(Instance::new(RuntimePipeline::new(runtime_options(
            options,
        )?)?))
    });
    match opened {
        Ok(instance) => pipeline.instance = Some(Box::new(instance)),
        Err(failure) => pipeline.remember(failure),
    }
    pipeline
}

impl Pipeline {
    pub(crate) fn status(&self) -> i32 {
        self.status.number()
    }

    pub(crate) fn error_text(&self) -> &str {
        &self.error_text
    }

    pub(crate) fn push_image(&mut self, image: &Image<'_>) -> i32 {
        self.call(|instance| {
            let buffer = image_buffer(image)?;
            // SAFETY: the planes are those of slices, which live and are not written during the call.
            let view = unsafe { buffer.view() }?;
            let (stamp, arrival) = (buffer.stamp(), buffer.arrival());
            instance.push_image(buffer.camera_index(), &view, stamp, arrival)
        })
    }

    pub(crate) fn push_pose(
        &mut self,
        stamp_ns: i64,
        translation_m: [f64; 3],
        quaternion_wxyz: [f64; 4],
    ) -> i32 {
        let pose = EgoPoseSample {
            struct_size: size_of::<EgoPoseSample>() as u32,
            reserved: 0,
            stamp_ns,
            arrival_ns: stamp_ns,
            translation_m,
            quaternion_wxyz,
        };
        self.call(|instance| {
            let odom_from_ego = pose.odom_from_ego()?;
            instance.push_pose(Stamp::from_nanoseconds(stamp_ns), &odom_from_ego)
        })
    }

    pub(crate) fn push_rates(&mut self, stamp_ns: i64, speed_mps: f64, yaw_rate_radps: f64) -> i32 {
        let stamp = Stamp::from_nanoseconds(stamp_ns);
        self.call(|instance| instance.push_rates(stamp, speed_mps, yaw_rate_radps))
    }

    pub(crate) fn step(&mut self, now_ns: i64, frame: &mut Frame) -> i32 {
        self.call(|instance| {
            frame.0 = *instance.step(Stamp::from_nanoseconds(now_ns))?;
            Ok(())
        })
    }

    pub(crate) fn set_calibration(&mut self, rig_text: &str) -> i32 {
        self.call(|instance| instance.set_calibration(Rig::from_toml_str(rig_text)?))
    }

    pub(crate) fn set_camera_enabled(&mut self, camera: u32, is_enabled: bool) -> i32 {
        self.call(|instance| instance.set_camera_enabled(camera as usize, is_enabled))
    }

    pub(crate) fn reset(&mut self) -> i32 {
        self.call(|instance| {
            instance.reset();
            Ok(())
        })
    }

    pub(crate) fn statistics(&mut self, stage: i32, statistics: &mut StageStatistics) -> i32 {
        self.call(|instance| {
            statistics.0 = instance.statistics(stage)?;
            Ok(())
        })
    }

    /// Runs a call on an open pipeline; a panic poisons it.
    fn call(&mut self, call: impl FnOnce(&mut Instance) -> Result<(), Failure>) -> i32 {
        let outcome = match &mut self.instance {
            Some(_) if self.is_poisoned => Err(Status::Poisoned.into()),
            Some(instance) => caught(|| call(instance)),
            None => Err(Status::InvalidHandle.into()),
        };
        match outcome {
            Ok(()) => self.status = Status::Ok,
            Err(failure) => {
                self.is_poisoned |= failure.status == Status::Panic;
                self.remember(failure);
            }
        }
        self.status()
    }

    /// Waiting is no failure, and is told at every step: it leaves the text as it was.
    fn remember(&mut self, failure: Failure) {
        self.status = failure.status;
        if failure.status == Status::Waiting {
            return;
        }
        self.error_text.clear();
        match &failure.text {
            Some(text) => self.error_text.push_str(text),
            None => self
                .error_text
                .push_str(failure.status.text().to_str().unwrap_or_default()),
        }
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        let instance = self.instance.take();
        // C++ runs this in a destructor: a panic in what is dropped goes no further.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(instance)));
    }
}

/// The planes of an image as the C ABI checks them.
fn image_buffer(image: &Image<'_>) -> Result<ImageBuffer, Failure> {
    let mut planes = [ImagePlane {
        data: std::ptr::null(),
        size_bytes: 0,
        stride_bytes: 0,
    }; 2];
    if image.planes.len() > planes.len() {
        let found = image.planes.len();
        let text = format!("planes: expected 1 or 2, found {found}");
        return Err(Failure::new(Status::InvalidArgument, text));
    }
    for (plane, from) in planes.iter_mut().zip(&image.planes) {
        *plane = ImagePlane {
            data: from.bytes.as_ptr(),
            size_bytes: from.bytes.len() as u64,
            stride_bytes: from.stride_bytes,
        };
    }
    Ok(ImageBuffer {
        struct_size: size_of::<ImageBuffer>() as u32,
        camera: image.camera,
        pixel_format: image.pixel_format,
        colour_matrix: image.colour_matrix,
        colour_range: image.colour_range,
        memory_type: 0,
        width_px: image.width_px,
        height_px: image.height_px,
        plane_count: image.planes.len() as u32,
        reserved: 0,
        planes,
        stamp_ns: image.stamp_ns,
        arrival_ns: image.arrival_ns,
    })
}

/// Runs `call`; a panic becomes [`Status::Panic`] with its words.
fn caught<T>(call: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result,
        Err(payload) => Err(Failure::new(Status::Panic, words(payload.as_ref()))),
    }
}

fn words(payload: &(dyn Any + Send)) -> String {
    let words = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", words.unwrap_or("no message"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::default_options;

    #[test]
    fn a_panic_becomes_a_status_with_its_words() {
        let result: Result<(), Failure> = caught(|| panic!("the {} broke", "wheel"));
        let failure = result.expect_err("it panicked");
        assert_eq!(failure.status, Status::Panic);
        assert_eq!(failure.text.as_deref(), Some("panic: the wheel broke"));
    }

    #[test]
    fn a_pipeline_that_could_not_be_made_answers_every_call_with_a_status() {
        let mut options = default_options();
        options.rig_text = bevrt_calibration::rigs::six_pinhole().to_toml();
        options.package_path = "/no/such/folder".into();
        let mut pipeline = open(&options);
        assert_eq!(pipeline.status(), Status::Package.number());
        assert!(pipeline.error_text().contains("/no/such/folder"));
        assert_eq!(pipeline.reset(), Status::InvalidHandle.number());
        assert_eq!(
            pipeline.push_rates(0, 0.0, 0.0),
            Status::InvalidHandle.number()
        );
    }

    #[test]
    fn options_that_cannot_be_are_refused_by_name() {
        type Change = fn(&mut PipelineOptions);
        let changes: [(Change, Status, &str); 8] = [
            (
                |o| o.package_path.clear(),
                Status::NullPointer,
                "package_path",
            ),
            (
                |o| o.package_path = "a\0b".into(),
                Status::InvalidArgument,
                "zero byte",
            ),
            (
                |o| o.providers = vec![0; 5],
                Status::InvalidArgument,
                "providers",
            ),
            (
                |o| o.providers.clear(),
                Status::InvalidArgument,
                "provider_count",
            ),
            (
                |o| o.trusted_keys = vec![String::new()],
                Status::InvalidArgument,
                "trusted_keys",
            ),
            (
                |o| o.pool_cores = "two".into(),
                Status::InvalidArgument,
                "pool_cores",
            ),
            (
                |o| o.pool_priority = 100,
                Status::InvalidArgument,
                "pool_priority",
            ),
            (
                |o| o.providers = vec![bevrt::constants::BEVRT_PROVIDER_PLUGIN],
                Status::NullPointer,
                "plugin_path",
            ),
        ];
        for (change, status, part) in changes {
            let mut options = default_options();
            options.rig_text = bevrt_calibration::rigs::six_pinhole().to_toml();
            options.package_path = "package".into();
            change(&mut options);
            let pipeline = open(&options);
            assert_eq!(pipeline.status(), status.number(), "{part}");
            assert!(
                pipeline.error_text().contains(part),
                "{}",
                pipeline.error_text()
            );
        }
    }
}
