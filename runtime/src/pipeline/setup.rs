//! Making a pipeline, and giving it a new calibration.

use bevrt_calibration::Rig;

use super::images::ImageInputs;
use super::tables::LiftTables;
use super::{History, ImageTimes, Pipeline, PipelineOptions, SetupError};
use crate::ego_motion::EgoMotion;
use crate::engine::{Engine, EngineOptions, ImageSet, NetworkInterface, OnnxRuntime};
use crate::frame::{HealthReasons, MAX_SLOTS};
use crate::golden;
use crate::health::HealthMonitor;
use crate::heads::{Detections, HeadDecoder};
use crate::manifest::{Manifest, Precision};
use crate::package::{NetworkRequest, Package};
use crate::stats::PipelineStats;
use crate::sync::{FrameSync, SyncSpec};
use crate::tracking::Tracker;

use super::GoldenCheck;

pub(super) fn from_package(options: PipelineOptions) -> Result<Pipeline, SetupError> {
    let package = Package::open(&options.package)?;
    let manifest = package.manifest().clone();
    let (engine, precision) =
        load(&package, &options.engine, options.precision, options.rig.cameras().len())?;
    if options.golden == GoldenCheck::Run {
        run_golden(&package, &options, precision)?;
    }
    assemble(manifest, Box::new(engine), options)
}
