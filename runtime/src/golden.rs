//! The golden self-test: the package's own inputs through the engine that will serve.
//!
//! A case is a short drive: rig, images and poses at the network's size, and samples of the outputs
//! that another implementation computed for its last frame. It runs through the runtime's own
//! preprocessing, projection tables and feature queue, so it checks the whole way to the network
//! and back, on the provider and precision at hand.
//!
//! The file is JSON, see `models/README.md`. Each precision has outputs of its own, so a machine that
//! computes an 8-bit network wrongly is found though 8 bit differ from 32. Values are compared
//! relative to the standard deviation of their output channel.

mod error;
mod file;
mod picture;
mod report;
mod runner;

use bevrt_calibration::Rig;

pub use error::GoldenError;
pub use report::{GoldenOutput, GoldenReport};

use crate::engine::{Engine, EngineOptions, NetworkInterface, OnnxRuntime};
use crate::manifest::NetworkEntry;
use crate::package::Package;
use file::{CaseForm, GoldenFile, OutputForm};
use runner::Runner;

/// Runs the golden cases of a package, if it has any.
///
/// Cases whose rig has as many cameras as `engine` run on it; for others the same network is
/// loaded again with `options`. Afterwards the inputs of `engine` are zero.
///
/// # Errors
/// A file of the cases is missing or wrong, or a run fails. Outputs that differ are no error here:
/// see [`GoldenReport::into_result`].
pub fn run_golden(
    package: &Package,
    entry: &NetworkEntry,
    engine: &mut dyn Engine,
    options: &EngineOptions,
) -> Result<Option<GoldenReport>, GoldenError> {
    let Some(section) = package.manifest().golden() else {
        return Ok(None);
    };
    let path = package.folder().join(&section.file);
    let Some(tolerance) = section.tolerance_of(entry.precision) else {
        return Err(GoldenError::Field {
            file: path,
            field: "tolerance".into(),
            expected: format!("a tolerance for {}", entry.precision),
            found: "none".into(),
        });
    };
    let golden = GoldenFile::open(package, &section.file)?;
    let mut report = GoldenReport::new(entry.precision, tolerance);
    let reference = golden.reference_of(entry.precision);
    for case in &golden.cases {
        let Some(outputs) = case.outputs(reference) else {
            continue;
        };
        let rig = case.rig(package)?;
        if rig.cameras().len() == engine.interface().cameras() {
            run_case(package, case, outputs, &rig, engine, &mut report)?;
        } else {
            let network = package.read_network(entry)?;
            let interface = NetworkInterface::new(package.manifest(), rig.cameras().len());
            let mut own = OnnxRuntime::load(&network, interface, options)?;
            run_case(package, case, outputs, &rig, &mut own, &mut report)?;
        }
    }
    if report.outputs().is_empty() {
        return Err(GoldenError::Field {
            file: path,
            field: "cases".into(),
            expected: format!("outputs of {} or fp32", entry.precision),
            found: "none".into(),
        });
    }
    runner::clear(engine)?;
    Ok(Some(report))
}

fn run_case(
    package: &Package,
    case: &CaseForm,
    outputs: &[OutputForm],
    rig: &Rig,
    engine: &mut dyn Engine,
    report: &mut GoldenReport,
) -> Result<(), GoldenError> {
    runner::clear(engine)?;
    let mut runner = Runner::new(package, case, rig, engine)?;
    for frame in &case.frames {
        runner.run(frame)?;
    }
    for output in outputs {
        report.compare(case, output, engine)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
