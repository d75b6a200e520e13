//! Making a pipeline, and giving it a new calibration.

use bevrt_calibration::Rig;

use super::history::History;
use super::images::ImageInputs;
use super::lenses;
use super::tables::LiftTables;
use super::{GoldenCheck, ImageTimes, Pipeline, PipelineOptions, SetupError};
use crate::ego_motion::EgoMotion;
use crate::engine::{Engine, EngineOptions, Fallback, ImageSet, NetworkInterface, OnnxRuntime};
use crate::frame::{HealthReasons, MAX_SLOTS};
use crate::golden::run_golden;
use crate::heads::HeadDecoder;
use crate::health::HealthMonitor;
use crate::manifest::{Manifest, NetworkEntry};
use crate::package::{NetworkRequest, Package};
use crate::preprocess::PreprocessSetupError;
use crate::stats::PipelineStats;
use crate::sync::{FrameSync, SyncSpec};
use crate::tracking::Tracker;

pub(super) fn from_package(options: PipelineOptions) -> Result<Pipeline, SetupError> {
    let package = Package::open_signed(&options.package, &options.signature)?;
    let engine = load(&package, &options)?;
    let manifest = package.manifest().clone();
    assemble(manifest, Box::new(engine), options)
}

/// Loads the network for the first provider of the order that works.
///
/// Each provider may have a network of its own, so the order is gone through here.
fn load(package: &Package, options: &PipelineOptions) -> Result<OnnxRuntime, SetupError> {
    let mut failure = None;
    for provider in &options.engine.providers {
        let request = NetworkRequest {
            provider: provider.kind(),
            precision: options.precision,
        };
        let loaded = package
            .choose(request)
            .map_err(SetupError::from)
            .and_then(|entry| {
                let engine = EngineOptions {
                    providers: vec![provider.clone()],
                    ..options.engine.clone()
                };
                load_entry(package, entry, &engine, options)
            });
        match (loaded, options.engine.fallback) {
            (Ok(engine), _) => return Ok(engine),
            (Err(error), Fallback::Refuse) => return Err(error),
            (Err(error), Fallback::NextProvider) => {
                log::warn!("{provider} does not serve, the next provider is tried: {error}");
                failure = Some(error);
            }
        }
    }
    Err(failure.unwrap_or_else(|| SetupError::Limit {
        field: "engine.providers",
        expected: "at least one provider".into(),
        found: "none".into(),
    }))
}

fn load_entry(
    package: &Package,
    entry: &NetworkEntry,
    engine: &EngineOptions,
    options: &PipelineOptions,
) -> Result<OnnxRuntime, SetupError> {
    let network = package.read_network(entry)?;
    let interface = NetworkInterface::new(package.manifest(), options.rig.cameras().len());
    let mut loaded = OnnxRuntime::load(&network, interface, engine)?;
    if options.golden == GoldenCheck::Run
        && let Some(report) = run_golden(package, entry, &mut loaded, engine)?
    {
        report.into_result()?;
    }
    Ok(loaded)
}

pub(super) fn assemble(
    manifest: Manifest,
    mut engine: Box<dyn Engine>,
    options: PipelineOptions,
) -> Result<Pipeline, SetupError> {
    let rig = options.rig.clone();
    check(&manifest, engine.as_ref(), &options)?;
    lenses::check(&manifest, &rig)?;
    let sync = FrameSync::new(SyncSpec {
        tolerance: options.set_tolerance,
        deadline: options.set_deadline,
        ..SyncSpec::new(rig.cameras().len(), rig.reference())
    })?;
    let images = image_inputs(&manifest, &options, &rig)?;
    for set in [ImageSet::First, ImageSet::Second] {
        engine.images_mut(set).fill(0.0);
    }
    Ok(Pipeline {
        images,
        sync,
        ego_motion: EgoMotion::new(options.ego_motion)?,
        tables: LiftTables::new(&manifest, &rig)?,
        history: History::new(manifest.queue(), options.history, engine.as_mut())?,
        decoders: manifest.heads().iter().map(HeadDecoder::new).collect(),
        detections: Box::default(),
        tracker: Box::new(Tracker::new(&manifest)),
        health: HealthMonitor::new(options.frame_deadline),
        stats: PipelineStats::default(),
        image_times: [ImageTimes::default(); 2],
        last_set: ImageSet::First,
        sequence: 0,
        last_now: None,
        epoch: None,
        pending: HealthReasons::NONE,
        running: None,
        manifest,
        rig,
        options,
        engine,
    })
}

pub(super) fn recalibrate(pipeline: &mut Pipeline, rig: Rig) -> Result<(), SetupError> {
    let (old, new) = (&pipeline.rig, &rig);
    let limit = |field, expected: usize, found: usize| SetupError::Limit {
        field,
        expected: expected.to_string(),
        found: found.to_string(),
    };
    if new.cameras().len() != old.cameras().len() {
        return Err(limit(
            "cameras of the rig",
            old.cameras().len(),
            new.cameras().len(),
        ));
    }
    if new.reference() != old.reference() {
        return Err(limit(
            "reference camera of the rig",
            old.reference(),
            new.reference(),
        ));
    }
    lenses::check(&pipeline.manifest, &rig)?;
    pipeline.images = image_inputs(&pipeline.manifest, &pipeline.options, &rig)?;
    pipeline
        .tables
        .set_rig(pipeline.manifest.preprocess(), &rig);
    pipeline.rig = rig;
    Ok(())
}

fn image_inputs(
    manifest: &Manifest,
    options: &PipelineOptions,
    rig: &Rig,
) -> Result<ImageInputs, SetupError> {
    let refused = |(camera, source): (usize, PreprocessSetupError)| SetupError::Images {
        camera: rig
            .cameras()
            .get(camera)
            .map_or_else(String::new, |camera| camera.name.clone()),
        source,
    };
    ImageInputs::new(manifest.preprocess(), rig, &options.image_formats).map_err(refused)
}

fn check(
    manifest: &Manifest,
    engine: &dyn Engine,
    options: &PipelineOptions,
) -> Result<(), SetupError> {
    let limit = |field, expected: String, found: String| SetupError::Limit {
        field,
        expected,
        found,
    };
    if options.image_formats.is_empty() {
        return Err(limit(
            "image_formats",
            "at least one format".into(),
            "none".into(),
        ));
    }
    let slots = manifest.queue().map_or(0, |queue| queue.slots as usize);
    if slots > MAX_SLOTS {
        return Err(limit(
            "queue.slots",
            format!("at most {MAX_SLOTS}"),
            slots.to_string(),
        ));
    }
    let (expected, found) = (options.rig.cameras().len(), engine.interface().cameras());
    if expected != found {
        return Err(limit(
            "cameras of the engine",
            expected.to_string(),
            found.to_string(),
        ));
    }
    Ok(())
}
