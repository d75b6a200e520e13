//! Between a drive and those who watch it: frames at their time, to the page and to Foxglove.

use super::View;
use super::foxglove::FoxgloveSink;
use super::playback::Turn;
use crate::player::{FrameKeeper, stage_times};
use crate::result_drive::DriveWatcher;
use bevrt_calibration::{Pose, Rig};
use bevrt_hil::FrameTruth;
use bevrt_hil::logs::MessageWriter;
use bevrt_hil::replay::{ReplayFrame, ReplayVisitor, VisitorError};
use bevrt_hil::source::{DriveEvent, record_event};
use bevrt_runtime::{EgoMotion, EgoMotionSource, EgoMotionSpec, OutputFrame, Stamp};
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

/// The run was left: a seek waits, or nothing more is wanted.
#[derive(Debug)]
pub struct Left;

impl fmt::Display for Left {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the run was left")
    }
}

impl std::error::Error for Left {}

/// Shows one run of a drive.
pub struct Presenter<'a> {
    view: &'a View,
    rig: Option<&'a Rig>,
    /// What came before is run, but not shown.
    shown_from: Stamp,
    run: u64,
    keeper: FrameKeeper,
    foxglove: MessageWriter<FoxgloveSink>,
    /// Only where motion comes as speed and yaw rate: poses are told as they come.
    motion: Option<EgoMotion>,
}

impl<'a> Presenter<'a> {
    /// A run that is shown from a log time on.
    ///
    /// # Errors
    /// The rig cannot be told.
    pub fn new(
        view: &'a View,
        rig: Option<&'a Rig>,
        source: Option<EgoMotionSource>,
        shown_from: Stamp,
    ) -> Result<Self, VisitorError> {
        let mut foxglove = MessageWriter::to_sink(FoxgloveSink::new(Arc::clone(&view.foxglove)));
        if let Some(rig) = rig {
            foxglove.write_rig(rig, shown_from)?;
        }
        let rates = source.filter(|source| *source == EgoMotionSource::Rates);
        let cameras = rig.map(|rig| rig.cameras().to_vec()).unwrap_or_default();
        Ok(Self {
            view,
            rig,
            shown_from,
            run: view.playback.state().run,
            keeper: FrameKeeper::new(cameras).beginning_at(view.begin),
            foxglove,
            motion: rates
                .map(|source| EgoMotion::new(EgoMotionSpec::new(source)))
                .transpose()?,
        })
    }

    fn show(
        &mut self,
        frame: &OutputFrame,
        truth: Option<&FrameTruth>,
        latency_ms: Vec<(String, f64)>,
    ) -> Result<(), VisitorError> {
        let now = Stamp::from_nanoseconds(frame.now_ns);
        let stamp = Stamp::from_nanoseconds(frame.stamp_ns);
        if self.view.playback.wait_turn(now) == Turn::Leave {
            return Err(Box::new(Left));
        }
        if let Some(motion) = &self.motion
            && let Ok(odom_from_ego) = motion.odom_from_ego(stamp)
        {
            let pose = Pose::from_isometry(*odom_from_ego.as_isometry());
            self.foxglove.write_pose(stamp, &pose)?;
        }
        self.foxglove.write_frame(frame)?;
        self.foxglove.write_health(frame)?;
        let times: Map<String, Value> = latency_ms
            .iter()
            .map(|(stage, ms)| (format!("{stage}_ms"), (*ms).into()))
            .collect();
        self.foxglove.write_statistics(now, &times)?;
        self.view.foxglove.tell_time(now);
        let reasons: Vec<_> = frame.health.reasons().names().collect();
        let recorded = self.keeper.recorded(frame, truth, latency_ms);
        self.view
            .pages
            .show(&recorded, &reasons, self.run)
            .map_err(|failure| failure.to_string().into())
    }
}

impl DriveWatcher for Presenter<'_> {
    fn take(&mut self, event: &DriveEvent<'_>) -> Result<(), VisitorError> {
        if self.view.playback.must_leave() {
            return Err(Box::new(Left));
        }
        let time = match event {
            DriveEvent::Image(image) => {
                self.keeper.picture(image)?;
                image.arrival
            }
            DriveEvent::VehicleMotion {
                stamp,
                arrival,
                speed_mps,
                yaw_rate_radps,
            } => {
                if let Some(motion) = &mut self.motion {
                    // What is refused here is refused by the pipeline, too, and its health says so.
                    let _refused = motion.push_rates(*stamp, *speed_mps, *yaw_rate_radps);
                }
                *arrival
            }
            DriveEvent::Pose { arrival, .. } => *arrival,
            DriveEvent::Truth(truth) => Stamp::from_nanoseconds(truth.stamp_ns),
        };
        if let (Some(rig), true) = (self.rig, time >= self.shown_from) {
            record_event(&mut self.foxglove, rig, event)?;
        }
        Ok(())
    }

    fn keep(
        &mut self,
        frame: &OutputFrame,
        truth: Option<&FrameTruth>,
        latency_ms: Vec<(String, f64)>,
    ) -> Result<(), VisitorError> {
        if frame.now_ns < self.shown_from.nanoseconds() {
            return Ok(());
        }
        self.show(frame, truth, latency_ms)
    }
}

impl ReplayVisitor for Presenter<'_> {
    fn event(&mut self, event: &DriveEvent<'_>) -> Result<(), VisitorError> {
        self.take(event)
    }

    fn frame(&mut self, frame: ReplayFrame<'_>) -> Result<(), VisitorError> {
        let times = stage_times(frame.pipeline);
        self.keep(frame.frame, frame.truth, times)
    }
}
