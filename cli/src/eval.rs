//! `bevrt eval`: quality of a package on simulated drives.

use crate::allocations;
use crate::failure::Failure;
use crate::package::{EngineArguments, SHIPPED_PACKAGE};
use crate::train_stream::parse_seeds;
use crate::{progress, rig};
use bevrt_hil::eval::{Ablation, EvalOptions, evaluate};
use bevrt_hil::source::PictureSize;
use clap::Args;
use std::path::PathBuf;

/// Options of `bevrt eval`.
#[derive(Args)]
pub struct EvalArguments {
    /// Folder of the model package
    #[arg(long, default_value = SHIPPED_PACKAGE)]
    package: PathBuf,
    /// Seeds of the clips, FIRST..END; 950000 and above are the test split
    #[arg(long, default_value = "950000..950040", value_parser = parse_seeds)]
    seeds: (u64, u64),
    #[arg(long, default_value = "six-pinhole", help = rig::RIG_HELP)]
    rig: String,
    /// Write the report as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// Draw at the cameras' full size instead of twice the network's
    #[arg(long)]
    full_size: bool,
    /// A look only: 2 frame sets a second, drawn at the network's size
    #[arg(long, conflicts_with = "full_size")]
    quick: bool,
    /// Compare the queue aligned, not aligned and empty
    #[arg(long)]
    queue: bool,
    /// Package of a network trained without a queue, for --queue
    #[arg(long, requires = "queue")]
    without_queue: Option<PathBuf>,
    /// Clips at the same time, 0 for one on each core
    #[arg(long, default_value_t = 0)]
    workers: usize,
    #[command(flatten)]
    engine: EngineArguments,
}

/// Evaluates and prints the tables.
pub fn run(arguments: &EvalArguments) -> Result<(), Failure> {
    let (first, end) = arguments.seeds;
    let mut options = EvalOptions::new(
        &arguments.package,
        first..end,
        rig::resolve(&arguments.rig)?,
    );
    let one_worker_threads = options.engine.intra_op_threads;
    options.engine = arguments.engine.options()?;
    if arguments.workers != 1 {
        options.engine.intra_op_threads = one_worker_threads;
    }
    options.precision = arguments.engine.precision();
    options.allocations = Some(allocations::of_this_thread);
    if arguments.workers > 0 {
        options.workers = arguments.workers;
    }
    if arguments.full_size {
        options.drive.size = PictureSize::Full;
    }
    if arguments.quick {
        options = options.quick();
    }
    if arguments.queue {
        options.ablation = Ablation::Queue {
            without_queue: arguments.without_queue.clone(),
        };
    }
    let bar = progress::bar("clips", end - first);
    let report = evaluate(&options, &|clip| bar.set_position(clip.finished as u64))?;
    bar.finish_and_clear();
    print!("{}", report.to_table());
    if let Some(path) = &arguments.json {
        std::fs::write(path, format!("{:#}\n", report.to_json()))
            .map_err(Failure::while_doing(path.display()))?;
    }
    Ok(())
}
