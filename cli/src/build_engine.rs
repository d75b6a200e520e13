//! `bevrt build-engine`: TensorRT engines ahead of time, with the record that they are checked by.

use crate::failure::Failure;
use crate::package::EngineArguments;
use crate::rig;
use bevrt_runtime::{
    ENGINE_RECORD_FILE, EngineRecord, Fallback, MissingEngine, NetworkInterface, NetworkRequest,
    OnnxRuntime, Package, Provider, ProviderKind,
};
use clap::Args;
use std::path::PathBuf;

/// Options of `bevrt build-engine`.
#[derive(Args)]
pub struct BuildEngineArguments {
    /// Folder of the model package
    package: PathBuf,
    /// The cameras, whose number an engine is built for
    #[arg(long, default_value = "six-pinhole", help = rig::RIG_HELP)]
    rig: String,
    #[command(flatten)]
    engine: EngineArguments,
}

/// Builds the engines on the machine that will run them; takes minutes.
pub fn run(arguments: &BuildEngineArguments) -> Result<(), Failure> {
    let cameras = rig::resolve(&arguments.rig)?.cameras().len();
    let mut tensorrt = arguments.engine.tensorrt()?;
    let folder = tensorrt.engine_cache.clone();
    std::fs::create_dir_all(&folder).map_err(Failure::while_doing(folder.display()))?;
    tensorrt.missing_engine = MissingEngine::Build;

    let package = Package::open(&arguments.package)?;
    let entry = package.choose(NetworkRequest {
        provider: ProviderKind::TensorRt,
        precision: arguments.engine.precision(),
    })?;
    let network = package.read_network(entry)?;
    let interface = NetworkInterface::new(package.manifest(), cameras);
    let mut options = arguments.engine.options_of_cpu()?;
    options.providers = vec![Provider::TensorRt(tensorrt)];
    options.fallback = Fallback::Refuse;
    // Loading builds the engines, runs them, and writes the record.
    drop(OnnxRuntime::load(&network, interface, &options)?);

    let record = EngineRecord::read(&folder)?;
    if record.engines().is_empty() {
        return Err(Failure::new(format!(
            "{}: TensorRT built no engine",
            folder.display()
        )));
    }
    println!("{}:", folder.join(ENGINE_RECORD_FILE).display());
    for (name, bytes) in record.engines() {
        println!("  {name}, {:.1} MiB", *bytes as f64 / f64::from(1 << 20));
    }
    Ok(())
}
