//! From a drive to a recording.

use std::collections::BTreeMap;

use bevrt_calibration::{Odom, Pose};
use bevrt_hil::source::{DriveEvent, DriveSource, ImageEvent};
use bevrt_runtime::{PixelFormat, Stamp};
use bevrt_sim::{YuvMatrix, nv12_len, rgb_to_nv12};

use super::Recording;
use super::events::{Event, Motion, What};
use crate::error::BenchError;

pub(super) const ONE_OF_EACH: &str = "one image of each camera in each set";

/// An image that was read.
struct Read {
    camera: usize,
    stamp: Stamp,
    arrival: Stamp,
    pixels: Vec<u8>,
}

pub(super) fn build(
    drive: &mut dyn DriveSource,
    sets: usize,
    description: String,
) -> Result<Recording, BenchError> {
    let (rig, ego_motion) = (drive.rig().clone(), drive.ego_motion());
    let (images, motions) = read(drive, sets + 1)?;
    let nominal: Vec<Stamp> = images
        .iter()
        .filter(|image| image.camera == rig.reference())
        .map(|image| image.stamp)
        .collect();
    if nominal.len() < 3 {
        let found = format!("{} of the reference camera", nominal.len());
        return Err(BenchError::frames("images of at least three sets", found));
    }
    let period = nominal[nominal.len() - 1].since(nominal[0]);
    let pictures = sort_into_sets(images, &nominal)?;
    let sets = nominal.len() - 1;
    let cameras = rig.cameras().len();
    let mut recording = Recording {
        description,
        rig,
        ego_motion,
        period,
        sets,
        lead: Vec::new(),
        events: Vec::with_capacity(pictures.len() + motions.len()),
        images: Vec::with_capacity(pictures.len()),
        round: Pose::identity(),
    };
    for set in 0..sets {
        for camera in 0..cameras {
            recording.add_image(set, camera, &pictures)?;
        }
    }
    recording.add_motion(&motions)?;
    Ok(recording)
}

/// Images by set and camera; those of the last set, which only ends the round, are left out.
fn sort_into_sets(
    images: Vec<Read>,
    nominal: &[Stamp],
) -> Result<BTreeMap<(usize, usize), Read>, BenchError> {
    let mut sorted = BTreeMap::new();
    for image in images {
        let distance = |set: &usize| nominal[*set].distance(image.stamp);
        let set = (0..nominal.len()).min_by_key(distance).unwrap_or(0);
        let camera = image.camera;
        if set + 1 < nominal.len() && sorted.insert((set, camera), image).is_some() {
            let found = format!("two of camera {camera} in set {set}");
            return Err(BenchError::frames(ONE_OF_EACH, found));
        }
    }
    Ok(sorted)
}

/// Reads images of `sets` sets, and ego motion until a sample after them.
fn read(drive: &mut dyn DriveSource, sets: usize) -> Result<(Vec<Read>, Vec<Event>), BenchError> {
    let wanted = sets * drive.rig().cameras().len();
    let (mut images, mut motions) = (Vec::new(), Vec::new());
    while let Some(event) = drive.next_event()? {
        let is_whole = images.len() == wanted;
        match event {
            DriveEvent::Image(image) if !is_whole => images.push(taken(&image)),
            DriveEvent::Image(_) | DriveEvent::Truth(_) => {}
            DriveEvent::VehicleMotion {
                stamp,
                arrival,
                speed_mps,
                yaw_rate_radps,
            } => motions.push(Event {
                stamp,
                arrival,
                what: What::Motion(Motion::Rates {
                    speed_mps,
                    yaw_rate_radps,
                }),
            }),
            DriveEvent::Pose {
                stamp,
                arrival,
                odom_from_ego,
            } => motions.push(Event {
                stamp,
                arrival,
                what: What::Motion(Motion::Pose(odom_from_ego)),
            }),
        }
        if is_whole && images.last().map(|image| image.arrival) < motions.last().map(|e| e.arrival)
        {
            break;
        }
    }
    Ok((images, motions))
}

/// The image's pixels as packed NV12.
fn taken(image: &ImageEvent<'_>) -> Read {
    let (width, height) = (image.image.width(), image.image.height());
    let mut pixels = vec![0; nv12_len(width, height)];
    if image.image.format() == PixelFormat::Nv12 {
        let mut lines = pixels.chunks_exact_mut(width as usize);
        for (plane, rows) in image.image.planes().iter().zip([height, height / 2]) {
            let rows = plane.bytes.chunks(plane.stride).take(rows as usize);
            for (row, line) in rows.zip(&mut lines) {
                line.copy_from_slice(&row[..width as usize]);
            }
        }
    } else {
        rgb_to_nv12(
            image.rgb,
            width,
            height,
            YuvMatrix::Bt601Limited,
            &mut pixels,
        );
    }
    Read {
        camera: image.camera,
        stamp: image.stamp,
        arrival: image.arrival,
        pixels,
    }
}

impl Recording {
    fn add_image(
        &mut self,
        set: usize,
        camera: usize,
        pictures: &BTreeMap<(usize, usize), Read>,
    ) -> Result<(), BenchError> {
        let Some(image) = pictures.get(&(set, camera)) else {
            let found = format!("none of camera {camera} in set {set}");
            return Err(BenchError::frames(ONE_OF_EACH, found));
        };
        let of_set = pictures.range((set, 0)..(set + 1, 0));
        let last = of_set.max_by_key(|((_, camera), image)| (image.arrival, *camera));
        let completes_set = last.is_some_and(|((_, last), _)| *last == camera);
        self.events.push(Event {
            stamp: image.stamp,
            arrival: image.arrival,
            what: What::Image {
                set,
                camera,
                completes_set,
            },
        });
        self.images.push(image.pixels.clone());
        Ok(())
    }

    /// Sorts ego motion between the images, and finds out how far a round goes.
    fn add_motion(&mut self, motions: &[Event]) -> Result<(), BenchError> {
        self.events.sort_by_key(|event| event.arrival);
        let (Some(first), Some(last)) = (self.events.first(), self.events.last()) else {
            return Err(BenchError::frames("images", "none"));
        };
        let (begin, end) = (first.arrival, first.arrival + self.period);
        if last.arrival >= end {
            return Err(BenchError::frames(
                "images that arrive before the first one of the next round",
                format!("one {} ms later", 1e3 * last.arrival.since(end).seconds()),
            ));
        }
        let lead = motions.iter().filter(|event| event.arrival < begin);
        self.lead.extend(lead);
        let in_round = |event: &&Event| (begin..end).contains(&event.arrival);
        self.events.extend(motions.iter().filter(in_round));
        self.events.sort_by_key(|event| event.arrival);
        check_order(&self.events)?;
        self.round = round(motions.iter().filter(|event| event.arrival >= begin), end)?;
        Ok(())
    }
}

/// Images of a set must all come before those of the next one, as [`super::Feed`] promises.
pub(super) fn check_order(events: &[Event]) -> Result<(), BenchError> {
    let mut last = 0;
    for event in events {
        if let What::Image { set, camera, .. } = event.what {
            if set < last {
                let found = format!("camera {camera} of set {set} after set {last}");
                return Err(BenchError::frames(
                    "sets that arrive one after another",
                    found,
                ));
            }
            last = set;
        }
    }
    Ok(())
}

/// How far the vehicle goes in a round, by poses; the identity for rates, which carry on anyway.
fn round<'a>(
    motions: impl Iterator<Item = &'a Event>,
    end: Stamp,
) -> Result<Pose<Odom, Odom>, BenchError> {
    let mut first = None;
    for event in motions {
        let What::Motion(Motion::Pose(odom_from_ego)) = event.what else {
            return Ok(Pose::identity());
        };
        let first = *first.get_or_insert(odom_from_ego);
        if event.arrival >= end {
            return Ok(odom_from_ego * first.inverse());
        }
    }
    Err(BenchError::frames(
        "ego motion until the images of the last set",
        "none so late",
    ))
}
