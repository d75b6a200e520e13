//! `bevrt hil serve`: the unit under test.

use super::{UNIT, parse_seconds};
use crate::failure::Failure;
use crate::package::{EngineArguments, SHIPPED_PACKAGE};
use bevrt_calibration::Rig;
use bevrt_hil_link::{Endpoints, Side, UnitOptions, ZenohWire, serve};
use bevrt_runtime::{EgoMotionSource, EgoMotionSpec, Pipeline, PipelineOptions};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// Options of `bevrt hil serve`.
#[derive(Args)]
pub struct ServeArguments {
    /// Folder of the model package
    #[arg(long, default_value = SHIPPED_PACKAGE)]
    package: PathBuf,
    /// Where to listen: tcp/ADDRESS:PORT or udp/ADDRESS:PORT
    #[arg(long, default_value = UNIT)]
    listen: String,
    /// End when no message has come for so long
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = parse_seconds)]
    idle_s: Duration,
    /// End after so many drives
    #[arg(long, value_name = "N")]
    drives: Option<u64>,
    #[command(flatten)]
    engine: EngineArguments,
}

/// Serves until nobody asks any more.
pub fn run(arguments: &ServeArguments) -> Result<(), Failure> {
    let engine = arguments.engine.options()?;
    let precision = arguments.engine.precision();
    let mut load = |rig: Rig, ego_motion: EgoMotionSource| {
        eprintln!("a drive with {} cameras", rig.cameras().len());
        let mut options = PipelineOptions::new(&arguments.package, rig);
        options.engine = engine.clone();
        options.precision = precision;
        options.ego_motion = EgoMotionSpec::new(ego_motion);
        Pipeline::new(options).map_err(|error| Failure::from(error).to_string())
    };
    let endpoints = Endpoints {
        listen: vec![arguments.listen.clone()],
        connect: Vec::new(),
    };
    let wire = ZenohWire::open(Side::Unit, &endpoints)?;
    eprintln!("listening at {}", arguments.listen);
    let options = UnitOptions {
        idle: arguments.idle_s,
        drives: arguments.drives,
        ..UnitOptions::default()
    };
    let summary = serve(&wire, &mut load, &options)?;
    println!(
        "{} drives begun, {} ended, {} frames",
        summary.begun, summary.ended, summary.frames
    );
    Ok(())
}
