//! `bevrt eval`: quality of a package on simulated drives.

use crate::allocations;
use crate::failure::Failure;
use crate::package::{EngineArguments, SHIPPED_PACKAGE};
use crate::train_stream::parse_seeds;
use crate::{progress, rig};
use bevrt_hil::eval::{Ablation, EvalOptions, evaluate};
use bevrt_hil::source::PictureSize;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How large pictures are drawn.
#[derive(Clone, Copy, ValueEnum)]
enum Drawn {
    /// At the network's input size
    Network,
    /// At twice the network's input size, as training draws half of its pictures
    Twice,
    /// At the cameras' own size
    Full,
}

impl From<Drawn> for PictureSize {
    fn from(drawn: Drawn) -> Self {
        match drawn {
            Drawn::Network => Self::TimesNetwork(1),
            Drawn::Twice => Self::TimesNetwork(2),
            Drawn::Full => Self::Full,
        }
    }
}

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
    /// Size of the pictures
    #[arg(long, value_enum, default_value_t = Drawn::Twice)]
    drawn: Drawn,
    /// Frame sets a second; 2 gives a quick look, since only twice a second is scored
    #[arg(long, default_value_t = 10.0)]
    rate: f64,
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
    options.drive.size = arguments.drawn.into();
    options.drive.frame_rate_hz = arguments.rate;
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
