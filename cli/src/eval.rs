//! `bevrt eval`: quality of a package on simulated drives or on scenes of a nuScenes folder.

use crate::allocations;
use crate::failure::Failure;
use crate::nuscenes::NuscenesArguments;
use crate::package::{EngineArguments, SHIPPED_PACKAGE};
use crate::train_stream::parse_seeds;
use crate::{progress, rig};
use bevrt_hil::eval::{Ablation, EvalOptions, NuscenesEvalOptions, evaluate, evaluate_nuscenes};
use bevrt_hil::nuscenes::NuscenesScene;
use bevrt_hil::source::PictureSize;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::sync::Arc;

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
#[command(disable_version_flag = true)]
pub struct EvalArguments {
    /// Folder of the model package
    #[arg(long, default_value = SHIPPED_PACKAGE)]
    package: PathBuf,
    /// Seeds of the clips, FIRST..END; 950000 and above are the test split
    #[arg(long, default_value = "950000..950040", value_parser = parse_seeds, conflicts_with = "root")]
    seeds: (u64, u64),
    #[arg(long, default_value = "six-pinhole", help = rig::RIG_HELP, conflicts_with = "root")]
    rig: String,
    /// Write the report as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// Size of the pictures
    #[arg(long, value_enum, default_value_t = Drawn::Twice, conflicts_with = "root")]
    drawn: Drawn,
    /// Frame sets a second; 2 gives a quick look, since only twice a second is scored
    #[arg(long, default_value_t = 10.0, conflicts_with = "root")]
    rate: f64,
    /// Compare the queue aligned, not aligned and empty
    #[arg(long, conflicts_with = "root")]
    queue: bool,
    /// Package of a network trained without a queue, for --queue
    #[arg(long, requires = "queue")]
    without_queue: Option<PathBuf>,
    /// Clips at the same time, 0 for one on each core
    #[arg(long, default_value_t = 0, conflicts_with = "root")]
    workers: usize,
    #[command(flatten)]
    nuscenes: NuscenesArguments,
    /// Write the objects at key frames in the form that nuScenes' own evaluation takes
    #[arg(long, value_name = "FILE", requires = "root")]
    nuscenes_results: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArguments,
}

/// Evaluates and prints the tables.
pub fn run(arguments: &EvalArguments) -> Result<(), Failure> {
    match arguments.nuscenes.load()? {
        Some((version, scenes)) => on_nuscenes(arguments, &version, scenes),
        None => on_simulation(arguments),
    }
}

fn on_nuscenes(
    arguments: &EvalArguments,
    version: &str,
    scenes: Vec<NuscenesScene>,
) -> Result<(), Failure> {
    let mut options = NuscenesEvalOptions::new(&arguments.package);
    options.engine = arguments.engine.options()?;
    options.precision = arguments.engine.precision();
    options.allocations = Some(allocations::of_this_thread);
    let scenes: Vec<Arc<NuscenesScene>> = scenes.into_iter().map(Arc::new).collect();
    let key_frames = scenes
        .iter()
        .map(|scene| scene.key_frames().len())
        .sum::<usize>();
    let bar = progress::bar("key frames", key_frames as u64);
    let (report, results) = evaluate_nuscenes(version, &scenes, &options, &mut |done| {
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    print!("{}", report.to_table());
    if let Some(path) = &arguments.nuscenes_results {
        results.write(path)?;
    }
    write_json(arguments, &report.to_json())
}

fn write_json(arguments: &EvalArguments, report: &serde_json::Value) -> Result<(), Failure> {
    match &arguments.json {
        Some(path) => std::fs::write(path, format!("{report:#}\n"))
            .map_err(Failure::while_doing(path.display())),
        None => Ok(()),
    }
}

fn on_simulation(arguments: &EvalArguments) -> Result<(), Failure> {
    let (first, end) = arguments.seeds;
    let mut options = EvalOptions::new(
        &arguments.package,
        first..end,
        rig::resolve(&arguments.rig)?,
    );
    options.engine = if arguments.workers == 1 {
        arguments.engine.options()?
    } else {
        arguments.engine.options_of_a_worker()?
    };
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
    write_json(arguments, &report.to_json())
}
