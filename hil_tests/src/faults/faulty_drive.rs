//! A drive whose input fails.

use std::collections::BTreeMap;

use bevrt_calibration::Rig;
use bevrt_runtime::{EgoMotionSource, Span, Stamp};

use super::kind::{Fault, FaultKind};
use super::pictures;
use crate::source::{DriveEvent, DriveSource, OwnedEvent, OwnedPicture, SourceError};

/// How much later than the one that overtook it a reordered image comes.
const OVERTAKEN_BY: Span = Span::from_milliseconds(1);

/// A drive with faults of cameras, ego motion and clocks in it.
///
/// What strikes an image or a sample is decided by its own stamp; clocks are wrong by arrival.
/// Faults of calibration, package, engine and processor are not applied here.
pub struct FaultyDrive<D> {
    drive: D,
    faults: Vec<Fault>,
    /// The moment that times of faults count from.
    begin: Stamp,
    /// What has been read and not given out, by arrival.
    waiting: BTreeMap<(Stamp, u64), OwnedEvent>,
    read: u64,
    /// Everything that arrives before this has been read; `None` before the first event.
    read_until: Option<Stamp>,
    is_read: bool,
    cameras: Vec<CameraMemory>,
    frozen_motion: Option<[f64; 2]>,
    current: Option<OwnedEvent>,
    time_s: f64,
}

/// What a camera's faults need to remember.
#[derive(Default)]
struct CameraMemory {
    /// Images that came.
    images: u64,
    frozen: Option<OwnedPicture>,
    overtaken: Option<OwnedEvent>,
}

impl<D: DriveSource> FaultyDrive<D> {
    /// Strikes `drive`, whose times count from `begin`, with `faults`.
    pub fn new(drive: D, faults: Vec<Fault>, begin: Stamp) -> Self {
        let cameras = drive.rig().cameras().iter();
        Self {
            cameras: cameras.map(|_| CameraMemory::default()).collect(),
            drive,
            faults,
            begin,
            waiting: BTreeMap::new(),
            read: 0,
            read_until: None,
            is_read: false,
            frozen_motion: None,
            current: None,
            time_s: 0.0,
        }
    }

    /// Seconds of the drive at which the last event really came, whatever clocks say.
    pub fn time_s(&self) -> f64 {
        self.time_s
    }

    /// Seconds of the drive at which the next event really comes; `None` at the end.
    ///
    /// # Errors
    /// The drive cannot be read.
    pub fn next_time_s(&mut self) -> Result<Option<f64>, SourceError> {
        self.read_ahead()?;
        let first = self.waiting.first_key_value();
        Ok(first.map(|((arrival, _), _)| (*arrival - self.begin).seconds()))
    }

    /// Reads until it is known what comes next.
    fn read_ahead(&mut self) -> Result<(), SourceError> {
        loop {
            let first = self.waiting.first_key_value().map(|((at, _), _)| *at);
            if self.is_read || first.is_some_and(|first| Some(first) < self.read_until) {
                return Ok(());
            }
            match self.drive.next_event()? {
                Some(event) => {
                    let event = OwnedEvent::of(&event);
                    self.read_until = self.read_until.max(Some(event.arrival()));
                    self.strike(event);
                }
                None => {
                    self.is_read = true;
                    for camera in 0..self.cameras.len() {
                        if let Some(event) = self.cameras[camera].overtaken.take() {
                            self.keep(event);
                        }
                    }
                }
            }
        }
    }

    fn keep(&mut self, event: OwnedEvent) {
        self.read += 1;
        self.waiting.insert((event.arrival(), self.read), event);
    }

    fn strike(&mut self, event: OwnedEvent) {
        match event {
            OwnedEvent::Image {
                camera,
                stamp,
                arrival,
                picture,
            } => self.strike_image(camera, stamp, arrival, picture),
            OwnedEvent::VehicleMotion { .. } | OwnedEvent::Pose { .. } => self.strike_motion(event),
            OwnedEvent::Truth(_) => self.keep(event),
        }
    }

    fn strike_image(
        &mut self,
        mut camera: usize,
        true_stamp: Stamp,
        mut arrival: Stamp,
        mut picture: OwnedPicture,
    ) {
        let mut stamp = true_stamp;
        let time_s = (true_stamp - self.begin).seconds();
        let seed = pictures::seed_of(camera, true_stamp);
        let name = self.drive.rig().cameras()[camera].name.clone();
        let memory = &mut self.cameras[camera];
        memory.images += 1;
        let is_odd = memory.images % 2 == 1;
        let (mut is_frozen, mut is_double, mut is_reordered) = (false, false, false);
        for fault in self.faults.iter().filter(|fault| fault.is_at(time_s)) {
            if !fault.kind.strikes(&name) {
                continue;
            }
            match &fault.kind {
                FaultKind::CameraLost { .. } => return,
                FaultKind::CameraFrozen { .. } => {
                    is_frozen = true;
                    picture = memory.frozen.get_or_insert(picture).clone();
                }
                FaultKind::CameraBlack { .. } => pictures::blacken(&mut picture, seed),
                FaultKind::CameraOverExposed { factor, .. } => {
                    pictures::brighten(&mut picture, *factor);
                }
                FaultKind::CameraNoisy { sigma_levels, .. } => {
                    pictures::add_noise(&mut picture, *sigma_levels, seed);
                }
                FaultKind::CameraDelayed { delay_s, .. } => {
                    arrival = arrival + Span::from_seconds(*delay_s);
                }
                FaultKind::CameraReordered { .. } => is_reordered = true,
                FaultKind::CameraDuplicated { .. } => is_double = true,
                FaultKind::CameraWrongSize { .. } => pictures::halve(&mut picture),
                FaultKind::CameraJpegCut { kept, .. } => {
                    let is_read = pictures::cut_jpeg(&mut picture, *kept);
                    if !is_read {
                        return;
                    }
                }
                FaultKind::CamerasSwapped {
                    camera: one,
                    other: two,
                } => {
                    let other = if *one == name { two } else { one };
                    camera = self.drive.rig().index_of(other).unwrap_or(camera);
                }
                FaultKind::StampsJump { by_s, .. } if is_odd => {
                    stamp = stamp + Span::from_seconds(*by_s);
                }
                FaultKind::StampsJump { .. } => {}
                FaultKind::StampsBackwards { .. } => {
                    stamp = stamp - Span::from_seconds(2.0 * (time_s - fault.from_s));
                }
                FaultKind::StampsDrift { rate, .. } => {
                    stamp = stamp + Span::from_seconds(rate * (time_s - fault.from_s));
                }
                _ => {}
            }
        }
        let memory = &mut self.cameras[camera];
        if !is_frozen {
            memory.frozen = None;
        }
        let image = OwnedEvent::Image {
            camera,
            stamp,
            arrival,
            picture,
        };
        let overtaken = memory.overtaken.take();
        if is_reordered && overtaken.is_none() {
            memory.overtaken = Some(image);
            return;
        }
        if is_double {
            self.keep(image.clone());
        }
        self.keep(image);
        if let Some(mut overtaken) = overtaken {
            if let Some((_, late)) = overtaken.times_mut() {
                *late = arrival + OVERTAKEN_BY;
            }
            self.keep(overtaken);
        }
    }

    fn strike_motion(&mut self, mut event: OwnedEvent) {
        let Some((stamp, _)) = event.times_mut() else {
            return;
        };
        let time_s = (*stamp - self.begin).seconds();
        let mut is_frozen = false;
        for fault in self.faults.iter().filter(|fault| fault.is_at(time_s)) {
            if matches!(fault.kind, FaultKind::EgoMotionLost {}) {
                return;
            }
            let OwnedEvent::VehicleMotion {
                speed_mps,
                yaw_rate_radps,
                ..
            } = &mut event
            else {
                continue;
            };
            match &fault.kind {
                FaultKind::EgoMotionFrozen {} => {
                    is_frozen = true;
                    let known = [*speed_mps, *yaw_rate_radps];
                    [*speed_mps, *yaw_rate_radps] = *self.frozen_motion.get_or_insert(known);
                }
                FaultKind::EgoMotionJump { speed_mps: by } => *speed_mps += by,
                FaultKind::EgoMotionBias {
                    speed_factor,
                    yaw_rate_radps: bias,
                } => {
                    *speed_mps *= speed_factor;
                    *yaw_rate_radps += bias;
                }
                FaultKind::EgoMotionNan {} => [*speed_mps, *yaw_rate_radps] = [f64::NAN; 2],
                _ => {}
            }
        }
        if !is_frozen {
            self.frozen_motion = None;
        }
        self.keep(event);
    }

    /// Clocks that are wrong when the event comes.
    fn mistime(&self, event: &mut OwnedEvent) {
        let Some((stamp, arrival)) = event.times_mut() else {
            return;
        };
        for fault in self.faults.iter().filter(|fault| fault.is_at(self.time_s)) {
            match fault.kind {
                FaultKind::ClockStep { by_s } => *arrival = *arrival + Span::from_seconds(by_s),
                FaultKind::TimeStep { by_s } => {
                    *arrival = *arrival + Span::from_seconds(by_s);
                    *stamp = *stamp + Span::from_seconds(by_s);
                }
                _ => {}
            }
        }
    }
}

impl<D: DriveSource> DriveSource for FaultyDrive<D> {
    fn rig(&self) -> &Rig {
        self.drive.rig()
    }

    fn ego_motion(&self) -> EgoMotionSource {
        self.drive.ego_motion()
    }

    fn next_event(&mut self) -> Result<Option<DriveEvent<'_>>, SourceError> {
        self.read_ahead()?;
        let Some(((arrival, _), mut event)) = self.waiting.pop_first() else {
            return Ok(None);
        };
        self.time_s = (arrival - self.begin).seconds();
        self.mistime(&mut event);
        self.current.insert(event).view(self.drive.rig()).map(Some)
    }
}
