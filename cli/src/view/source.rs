//! What is shown: a drive that goes through the runtime, or a result that was written before.

use super::{Left, Presenter, View, ViewArguments};
use crate::failure::Failure;
use crate::result_drive::{ResultDrive, is_result};
use bevrt_calibration::Rig;
use bevrt_hil::logs::LogReader;
use bevrt_hil::replay::{ReplayError, replay};
use bevrt_hil::source::{DriveEvent, DriveSource, LogDrive, LogDriveOptions};
use bevrt_runtime::{EgoMotionSource, Pipeline, Span, Stamp};
use std::path::PathBuf;

/// A run of a drive begins so much earlier than it is shown, so that the queue is full.
const WARM_UP: Span = Span::from_milliseconds(2500);
/// Pictures of a result are looked for so much earlier.
const PICTURES: Span = Span::from_milliseconds(500);

/// What is shown.
pub enum ViewSource {
    /// Through the runtime, while one watches.
    Drive(Box<LiveDrive>),
    /// As it was written.
    Result {
        /// Its frames.
        drive: Box<ResultDrive>,
        /// Stamp of the first frame, log time of the end.
        times: (Stamp, Stamp),
    },
}

/// A drive and the runtime.
pub struct LiveDrive {
    log: PathBuf,
    rig: Rig,
    /// Calibration instead of the log's.
    own_rig: Option<Rig>,
    ego_motion: EgoMotionSource,
    begin: Stamp,
    /// `None` where the log has no index.
    end: Option<Stamp>,
    pipelines: [Pipeline; 1],
}

impl ViewSource {
    /// Opens what was asked for.
    ///
    /// # Errors
    /// It cannot be read, or the package does not load.
    pub fn open(arguments: &ViewArguments) -> Result<Self, Failure> {
        if !is_result(&arguments.log) {
            if let Some(drive) = &arguments.drive {
                return Err(Failure::new(format!(
                    "--drive {}: expected a result before it, found a drive: {}",
                    drive.display(),
                    arguments.log.display()
                )));
            }
            return Ok(Self::Drive(Box::new(LiveDrive::open(arguments)?)));
        }
        let drive = ResultDrive::open(&arguments.log, arguments.drive.as_deref())?;
        let times = drive.times()?.ok_or_else(|| {
            let log = arguments.log.display();
            Failure::new(format!("{log}: expected output frames, found none"))
        })?;
        let drive = Box::new(drive);
        Ok(Self::Result { drive, times })
    }

    /// Where it begins, and where it ends as far as that is known.
    pub fn times(&self) -> (Stamp, Option<Stamp>) {
        match self {
            Self::Drive(drive) => (drive.begin, drive.end),
            Self::Result { times, .. } => (times.0, Some(times.1)),
        }
    }

    /// The cameras whose pictures there are.
    pub fn rig(&self) -> Option<&Rig> {
        match self {
            Self::Drive(drive) => Some(&drive.rig),
            Self::Result { drive, .. } => drive.rig(),
        }
    }

    /// Shows everything from a log time on, until the end or a seek.
    ///
    /// # Errors
    /// The log is damaged, or the runtime cannot take its images.
    pub fn play(&mut self, from: Stamp, view: &View) -> Result<(), Failure> {
        let played = match self {
            Self::Drive(drive) => drive.play(from, view),
            Self::Result { drive, .. } => {
                let (rig, motion) = (drive.rig().cloned(), drive.ego_motion());
                let presenter = Presenter::new(view, rig.as_ref(), motion, from);
                presenter
                    .map_err(ReplayError::Visitor)
                    .and_then(|mut presenter| drive.play(from + -PICTURES, &mut presenter))
            }
        };
        match played {
            Err(ReplayError::Visitor(error)) if error.is::<Left>() => Ok(()),
            Err(error) => Err(error.into()),
            Ok(()) => Ok(()),
        }
    }
}

impl LiveDrive {
    fn open(arguments: &ViewArguments) -> Result<Self, Failure> {
        let own_rig = arguments.rig.as_ref();
        let own_rig = own_rig.map(Rig::from_toml_file).transpose()?;
        let options = LogDriveOptions {
            rig: own_rig.clone(),
            ..LogDriveOptions::default()
        };
        let mut drive = LogDrive::open(&arguments.log, options)?;
        let rig = drive.rig().clone();
        let ego_motion = drive.ego_motion();
        let indexed = LogReader::open(&arguments.log)
            .ok()
            .and_then(|reader| reader.log_times_ns());
        let stamp = |ns: u64| Stamp::from_nanoseconds(i64::try_from(ns).unwrap_or(i64::MAX));
        let (begin, end) = match indexed {
            Some((first, last)) => (stamp(first), Some(stamp(last))),
            None => (first_arrival(&mut drive)?, None),
        };
        let options = arguments.engine.pipeline(&arguments.package, &drive)?;
        Ok(Self {
            log: arguments.log.clone(),
            rig,
            own_rig,
            ego_motion,
            begin,
            end,
            pipelines: [Pipeline::new(options)?],
        })
    }

    fn play(&mut self, from: Stamp, view: &View) -> Result<(), ReplayError> {
        let lead_s = from.since(self.begin + WARM_UP).seconds();
        let mut drive = LogDrive::open(
            &self.log,
            LogDriveOptions {
                rig: self.own_rig.clone(),
                from_s: (lead_s > 0.0).then_some(lead_s),
                ..LogDriveOptions::default()
            },
        )?;
        self.pipelines[0].reset();
        let mut presenter = Presenter::new(view, Some(&self.rig), Some(self.ego_motion), from)
            .map_err(ReplayError::Visitor)?;
        let played = replay(&mut drive, &mut self.pipelines, &mut presenter, None);
        for remark in drive.remarks() {
            eprintln!("{}: {remark}", self.log.display());
        }
        played.map(|_summary| ())
    }
}

/// When the first event comes.
fn first_arrival(drive: &mut LogDrive) -> Result<Stamp, Failure> {
    Ok(match drive.next_event()? {
        None => Stamp::ZERO,
        Some(DriveEvent::Image(image)) => image.arrival,
        Some(DriveEvent::VehicleMotion { arrival, .. } | DriveEvent::Pose { arrival, .. }) => {
            arrival
        }
        Some(DriveEvent::Truth(truth)) => Stamp::from_nanoseconds(truth.stamp_ns),
    })
}
