use bevrt_calibration::{Ego, NetworkCamera, Odom, Pose, ProjectionTable, Rig};
use nalgebra::Matrix4;

use super::file::{CaseForm, FrameForm};
use super::{GoldenError, picture};
use crate::ego_motion::{EgoMotion, EgoMotionSource, EgoMotionSpec};
use crate::engine::{
    ElementType, Engine, EngineError, HistoryError, ImageSet, InputRole, MapRing, NetworkHistory,
    write_lift, write_matrices, write_rays,
};
use crate::feature_queue::QueueMode;
use crate::image::{ImageView, PixelFormat};
use crate::manifest::Manifest;
use crate::package::Package;
use crate::preprocess::Preprocessor;
use crate::time::{Span, Stamp};

/// Runs the frames of a case through preprocessing, queue and network.
pub(super) struct Runner<'a> {
    package: &'a Package,
    case: &'a CaseForm,
    cameras: usize,
    engine: &'a mut dyn Engine,
    preprocessor: Preprocessor,
    motion: EgoMotion,
    history: Option<NetworkHistory>,
}

impl<'a> Runner<'a> {
    pub(super) fn new(
        package: &'a Package,
        case: &'a CaseForm,
        rig: &Rig,
        engine: &'a mut dyn Engine,
    ) -> Result<Self, GoldenError> {
        let manifest = package.manifest();
        let preprocess = manifest.preprocess();
        let wrong = |field: &str, error: &dyn std::fmt::Display| GoldenError::Field {
            file: package.folder().to_path_buf(),
            field: format!("{}.{field}", case.name),
            expected: "what the runtime can be set up with".into(),
            found: error.to_string(),
        };
        let (width, height) = (preprocess.width, preprocess.height);
        let preprocessor = Preprocessor::new(preprocess, width, height, PixelFormat::Rgb)
            .map_err(|error| wrong("preprocess", &error))?;
        let motion =
            EgoMotion::new(poses_as_they_are()).map_err(|error| wrong("odom_from_ego", &error))?;
        let history = manifest
            .queue()
            .map(|section| NetworkHistory::new(section, QueueMode::Aligned, &mut *engine))
            .transpose()
            .map_err(|error| wrong("queue", &error))?;
        let mut runner = Self {
            package,
            case,
            cameras: rig.cameras().len(),
            engine,
            preprocessor,
            motion,
            history,
        };
        runner
            .write_tables(manifest, rig)
            .map_err(|source| runner.failed(source))?;
        Ok(runner)
    }

    /// Runs one frame and queues its map.
    pub(super) fn run(&mut self, frame: &FrameForm) -> Result<(), GoldenError> {
        let stamp = Stamp::from_nanoseconds(frame.stamp_ns);
        let pose: Pose<Odom, Ego> =
            Pose::from_matrix(&Matrix4::from_row_slice(&frame.odom_from_ego))
                .map_err(GoldenError::Rig)?;
        self.write_images(frame)?;
        self.motion.push_pose(stamp, &pose).map_err(|fault| {
            self.wrong("odom_from_ego", "a pose that can be", format!("{fault:?}"))
        })?;
        self.write_history(stamp)?;
        self.engine
            .run(ImageSet::First)
            .map_err(|source| self.failed(source))?;
        self.store_map(stamp)
    }

    fn write_tables(&mut self, manifest: &Manifest, rig: &Rig) -> Result<(), EngineError> {
        let cameras: Vec<NetworkCamera> = rig
            .cameras()
            .iter()
            .map(|camera| NetworkCamera::from_parts(camera.intrinsics, camera.ego_from_cam))
            .collect();
        if let Some(spec) = manifest.rays() {
            write_rays(&mut *self.engine, spec, &cameras)?;
        }
        if manifest.matrices().is_some() {
            write_matrices(&mut *self.engine, &cameras)?;
        }
        for (place, lift) in manifest.lifts().iter().enumerate() {
            let mut table = ProjectionTable::new(&lift.spec, cameras.len());
            table.rebuild(&lift.spec, &cameras);
            write_lift(&mut *self.engine, place, &table, lift.geometry)?;
        }
        Ok(())
    }

    fn write_images(&mut self, frame: &FrameForm) -> Result<(), GoldenError> {
        if frame.images.len() != self.cameras {
            let found = frame.images.len().to_string();
            return Err(self.wrong("images", &format!("{} pictures", self.cameras), found));
        }
        let (width, height) = (
            self.preprocessor.spec().width,
            self.preprocessor.spec().height,
        );
        let length = self.preprocessor.output_len();
        for (camera, file) in frame.images.iter().enumerate() {
            let pixels = picture::read_rgb(self.package, file, width, height)?;
            let refused = |error: &dyn std::fmt::Display| GoldenError::Field {
                file: self.package.folder().join(file),
                field: "picture".into(),
                expected: "an image that can be preprocessed".into(),
                found: error.to_string(),
            };
            let image = ImageView::packed(PixelFormat::Rgb, width, height, &pixels)
                .map_err(|error| refused(&error))?;
            let out = &mut self.engine.images_mut(ImageSet::First)[camera * length..][..length];
            self.preprocessor
                .run_into(&image, out)
                .map_err(|error| refused(&error))?;
        }
        Ok(())
    }

    fn write_history(&mut self, stamp: Stamp) -> Result<(), GoldenError> {
        let Some(history) = &mut self.history else {
            return Ok(());
        };
        let presented = history.present(stamp, &self.motion, &mut *self.engine);
        presented.map_err(|error| self.refused("frames", "a history that can be aligned", error))
    }

    fn store_map(&mut self, stamp: Stamp) -> Result<(), GoldenError> {
        let Some(history) = &mut self.history else {
            return Ok(());
        };
        let stored = history.store(stamp, &mut *self.engine);
        stored.map_err(|error| self.refused("bev", "a map that can be queued", error))?;
        let brought = self.engine.map_ring().map_or(Ok(()), MapRing::bring_map);
        brought.map_err(|source| self.failed(source))
    }

    fn refused(&self, field: &str, expected: &str, error: HistoryError) -> GoldenError {
        match error {
            HistoryError::Queue(error) => self.wrong(field, expected, error.to_string()),
            HistoryError::Engine(source) => self.failed(source),
        }
    }

    fn wrong(&self, field: &str, expected: &str, found: String) -> GoldenError {
        GoldenError::Field {
            file: self.package.folder().to_path_buf(),
            field: format!("{}.{field}", self.case.name),
            expected: expected.into(),
            found,
        }
    }

    fn failed(&self, source: EngineError) -> GoldenError {
        GoldenError::Run {
            case: self.case.name.clone(),
            source,
            detail: self.engine.last_failure().unwrap_or_default().into(),
        }
    }
}

/// Fills all inputs with zeros.
pub(super) fn clear(engine: &mut dyn Engine) -> Result<(), GoldenError> {
    let failed = |source| GoldenError::Run {
        case: String::new(),
        source,
        detail: "clearing the inputs".into(),
    };
    for set in [ImageSet::First, ImageSet::Second] {
        engine.images_mut(set).fill(0.0);
    }
    let inputs: Vec<_> = engine
        .interface()
        .inputs()
        .iter()
        .map(|spec| (spec.role, spec.element))
        .collect();
    for (role, element) in inputs {
        match (role, element) {
            (InputRole::Images, _) => {}
            (_, ElementType::F32) => engine.input_mut(role).map_err(failed)?.fill(0.0),
            (_, ElementType::I32) => engine.index_mut(role).map_err(failed)?.fill(0),
        }
    }
    Ok(())
}

/// Limits under which the poses of a case are taken as they are: they lie as far apart as the
/// slots of the queue, and what is plausible on a road is not what is tested here.
fn poses_as_they_are() -> EgoMotionSpec {
    EgoMotionSpec {
        gap_limit: Span::from_seconds(3600.0),
        speed_limit_mps: 1e6,
        yaw_rate_limit_radps: 1e6,
        jump_limit_m: 1e6,
        jump_limit_rad: 1e6,
        ..EgoMotionSpec::new(EgoMotionSource::Poses)
    }
}
