//! A recording as a folder that other programs read, too.
//!
//! `frames.json` tells the events, `frames.nv12` holds the pixels (set by set, camera by camera),
//! `rig.toml` the cameras.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use bevrt_calibration::{Odom, Pose, Rig};
use bevrt_runtime::{EgoMotionSource, Span, Stamp};
use bevrt_sim::nv12_len;
use serde::{Deserialize, Serialize};

use super::Recording;
use super::events::{Event, Motion, What};
use crate::error::BenchError;

/// Version of the form.
const FORMAT: u32 = 1;
const EVENTS: &str = "frames.json";
const PIXELS: &str = "frames.nv12";
const RIG: &str = "rig.toml";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FramesFile {
    format: u32,
    description: String,
    cameras: Vec<CameraEntry>,
    sets: usize,
    period_ns: i64,
    ego_motion: SourceEntry,
    /// Row-major 4 × 4, how far a round of poses goes.
    round: [[f64; 4]; 4],
    lead: Vec<EventEntry>,
    events: Vec<EventEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CameraEntry {
    name: String,
    width: u32,
    height: u32,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SourceEntry {
    Poses,
    Rates,
}

#[derive(Serialize, Deserialize)]
struct EventEntry {
    stamp_ns: i64,
    arrival_ns: i64,
    #[serde(flatten)]
    what: WhatEntry,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WhatEntry {
    Image {
        set: usize,
        camera: usize,
        completes_set: bool,
    },
    Rates {
        speed_mps: f64,
        yaw_rate_radps: f64,
    },
    Pose([[f64; 4]; 4]),
}

impl Recording {
    /// Writes the recording into `folder`, which is made.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), BenchError> {
        std::fs::create_dir_all(folder).map_err(BenchError::file(folder))?;
        let path = folder.join(PIXELS);
        let mut file = BufWriter::new(File::create(&path).map_err(BenchError::file(&path))?);
        for image in &self.images {
            file.write_all(image).map_err(BenchError::file(&path))?;
        }
        file.flush().map_err(BenchError::file(&path))?;
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(BenchError::file(&path))
        };
        write(RIG, self.rig.to_toml())?;
        let events = serde_json::to_string_pretty(&self.entries())
            .map_err(|error| BenchError::file(&folder.join(EVENTS))(error.into()))?;
        write(EVENTS, events + "\n")
    }

    /// Reads what [`Recording::write`] wrote.
    ///
    /// # Errors
    /// A file is missing, or holds something else than it should.
    pub fn read(folder: &Path) -> Result<Self, BenchError> {
        let path = folder.join(EVENTS);
        let text = std::fs::read_to_string(&path).map_err(BenchError::file(&path))?;
        let file: FramesFile = serde_json::from_str(&text)
            .map_err(|error| BenchError::content(&path, "the events of frames", error))?;
        let path_of_rig = folder.join(RIG);
        let rig = Rig::from_toml_file(&path_of_rig)
            .map_err(|error| BenchError::content(&path_of_rig, "a rig", error))?;
        check(&path, &file, &rig)?;
        let events_of_round = events(&path, file.events)?;
        super::builder::check_order(&events_of_round)?;
        Ok(Self {
            images: read_pixels(&folder.join(PIXELS), &rig, file.sets)?,
            rig,
            description: file.description,
            ego_motion: file.ego_motion.into(),
            period: Span::from_nanoseconds(file.period_ns),
            sets: file.sets,
            lead: events(&path, file.lead)?,
            events: events_of_round,
            round: pose(&path, &file.round)?,
        })
    }

    fn entries(&self) -> FramesFile {
        let cameras = self.rig.cameras().iter().map(|camera| CameraEntry {
            name: camera.name.clone(),
            width: camera.intrinsics.width(),
            height: camera.intrinsics.height(),
        });
        FramesFile {
            format: FORMAT,
            description: self.description.clone(),
            cameras: cameras.collect(),
            sets: self.sets,
            period_ns: self.period.nanoseconds(),
            ego_motion: match self.ego_motion {
                EgoMotionSource::Poses => SourceEntry::Poses,
                EgoMotionSource::Rates => SourceEntry::Rates,
            },
            round: matrix(&self.round),
            lead: self.lead.iter().map(EventEntry::from).collect(),
            events: self.events.iter().map(EventEntry::from).collect(),
        }
    }
}

fn check(path: &Path, file: &FramesFile, rig: &Rig) -> Result<(), BenchError> {
    let cameras = rig.cameras().len();
    if file.format != FORMAT {
        let expected = format!("format {FORMAT}");
        return Err(BenchError::content(path, expected, file.format));
    }
    if file.cameras.len() != cameras {
        let expected = format!("the {cameras} cameras of {RIG}");
        return Err(BenchError::content(path, expected, file.cameras.len()));
    }
    if file.sets < 2 || file.period_ns <= 0 {
        let found = format!("{} sets in {} ns", file.sets, file.period_ns);
        return Err(BenchError::content(path, "two sets or more", found));
    }
    let mut seen = vec![0_u32; file.sets * cameras];
    for event in &file.events {
        if let WhatEntry::Image { set, camera, .. } = event.what {
            match seen.get_mut(set * cameras + camera) {
                Some(count) if camera < cameras => *count += 1,
                Some(_) | None => {
                    let found = format!("camera {camera} in set {set}");
                    return Err(BenchError::content(path, "known cameras and sets", found));
                }
            }
        }
    }
    match seen.iter().position(|count| *count != 1) {
        None => Ok(()),
        Some(place) => {
            let found = format!(
                "{} of camera {} in set {}",
                seen[place],
                place % cameras,
                place / cameras
            );
            Err(BenchError::content(
                path,
                super::builder::ONE_OF_EACH,
                found,
            ))
        }
    }
}

fn read_pixels(path: &Path, rig: &Rig, sets: usize) -> Result<Vec<Vec<u8>>, BenchError> {
    let mut file = BufReader::new(File::open(path).map_err(BenchError::file(path))?);
    let mut images = Vec::with_capacity(sets * rig.cameras().len());
    for _ in 0..sets {
        for camera in rig.cameras() {
            let lens = &camera.intrinsics;
            let mut pixels = vec![0; nv12_len(lens.width(), lens.height())];
            file.read_exact(&mut pixels)
                .map_err(BenchError::file(path))?;
            images.push(pixels);
        }
    }
    Ok(images)
}

fn events(path: &Path, entries: Vec<EventEntry>) -> Result<Vec<Event>, BenchError> {
    let event = |entry: EventEntry| {
        let what = match entry.what {
            WhatEntry::Image {
                set,
                camera,
                completes_set,
            } => What::Image {
                set,
                camera,
                completes_set,
            },
            WhatEntry::Rates {
                speed_mps,
                yaw_rate_radps,
            } => What::Motion(Motion::Rates {
                speed_mps,
                yaw_rate_radps,
            }),
            WhatEntry::Pose(rows) => What::Motion(Motion::Pose(Pose::from_isometry(
                *pose(path, &rows)?.as_isometry(),
            ))),
        };
        Ok(Event {
            stamp: Stamp::from_nanoseconds(entry.stamp_ns),
            arrival: Stamp::from_nanoseconds(entry.arrival_ns),
            what,
        })
    };
    entries.into_iter().map(event).collect()
}

fn pose(path: &Path, rows: &[[f64; 4]; 4]) -> Result<Pose<Odom, Odom>, BenchError> {
    let matrix = nalgebra::Matrix4::from_fn(|row, column| rows[row][column]);
    Pose::from_matrix(&matrix).map_err(|error| BenchError::content(path, "a rigid motion", error))
}

fn matrix<A, B>(pose: &Pose<A, B>) -> [[f64; 4]; 4] {
    let matrix = pose.to_matrix();
    std::array::from_fn(|row| std::array::from_fn(|column| matrix[(row, column)]))
}

impl From<SourceEntry> for EgoMotionSource {
    fn from(entry: SourceEntry) -> Self {
        match entry {
            SourceEntry::Poses => Self::Poses,
            SourceEntry::Rates => Self::Rates,
        }
    }
}

impl From<&Event> for EventEntry {
    fn from(event: &Event) -> Self {
        Self {
            stamp_ns: event.stamp.nanoseconds(),
            arrival_ns: event.arrival.nanoseconds(),
            what: match event.what {
                What::Image {
                    set,
                    camera,
                    completes_set,
                } => WhatEntry::Image {
                    set,
                    camera,
                    completes_set,
                },
                What::Motion(Motion::Rates {
                    speed_mps,
                    yaw_rate_radps,
                }) => WhatEntry::Rates {
                    speed_mps,
                    yaw_rate_radps,
                },
                What::Motion(Motion::Pose(odom_from_ego)) => {
                    WhatEntry::Pose(matrix(&odom_from_ego))
                }
            },
        }
    }
}
