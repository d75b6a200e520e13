//! `bevrt dump`: a log as a plain file, for programs that bring no reader of logs.

use crate::failure::Failure;
use crate::progress::DriveBar;
use crate::replay::length_of_log_s;
use bevrt_hil::logs::DumpWriter;
use bevrt_hil::source::{DriveEvent, DriveSource, LogDrive, LogDriveOptions};
use clap::Args;
use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;

/// Options of `bevrt dump`.
#[derive(Args)]
#[command(disable_version_flag = true)]
pub struct DumpArguments {
    /// The log (MCAP with Foxglove schemas)
    log: PathBuf,
    /// The file to write; its format is described in `ffi/README.md`
    #[arg(long, default_value = "out/drive.bevrt")]
    out: PathBuf,
}

/// Writes the dump.
pub fn run(arguments: &DumpArguments) -> Result<(), Failure> {
    let mut drive = LogDrive::open(&arguments.log, LogDriveOptions::default())?;
    if let Some(folder) = arguments.out.parent() {
        std::fs::create_dir_all(folder).map_err(Failure::while_doing(folder.display()))?;
    }
    let writing = || Failure::while_doing(arguments.out.display());
    let file = File::create(&arguments.out).map_err(writing())?;
    let mut dump =
        DumpWriter::new(BufWriter::new(file), drive.rig(), drive.ego_motion()).map_err(writing())?;
    let mut bar = DriveBar::new("writing", length_of_log_s(&arguments.log));
    while let Some(event) = drive.next_event()? {
        dump.write(&event).map_err(writing())?;
        if let DriveEvent::Image(image) = event {
            bar.frame(image.arrival);
        }
    }
    dump.finish().map_err(writing())?;
    bar.finish();
    println!("{}", arguments.out.display());
    Ok(())
}
