//! What the player needs of a drive, kept while it goes on.

use crate::demo::elements::Elements;
use crate::demo::overlay::{self, ImageLine};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bevrt_calibration::Camera;
use bevrt_hil::FrameTruth;
use bevrt_hil::logs::encode_jpeg;
use bevrt_hil::source::ImageEvent;
use bevrt_runtime::{HealthState, OutputFrame, Pipeline, Span, Stage, Stamp};
use image::ImageError;
use std::collections::VecDeque;

/// Width of the pictures on the page.
pub const PAGE_WIDTH: u32 = 400;
/// JPEG quality of the pictures on the page.
const PAGE_QUALITY: u8 = 68;
/// Pictures of each camera that are kept until the frame of their stamp comes.
const PICTURES_KEPT: usize = 6;

/// One frame set on the page.
pub struct RecordedFrame {
    /// Time since the drive began.
    pub time_s: f64,
    /// JPEG pictures by camera, as data addresses; `None` to show those of the frame before.
    pub pictures: Option<Vec<String>>,
    /// What the pipeline found.
    pub result: Elements,
    /// What is true.
    pub truth: Elements,
    /// Results drawn into each camera.
    pub result_overlay: Vec<Vec<ImageLine>>,
    /// Truth drawn into each camera.
    pub truth_overlay: Vec<Vec<ImageLine>>,
    /// Milliseconds by stage.
    pub latency_ms: Vec<(String, f64)>,
    /// `ok`, `degraded` or `fault`.
    pub health: &'static str,
    /// State of each sector: 0 unseen, 1 known from history, 2 seen now.
    pub coverage: Vec<u8>,
}

/// Keeps pictures and frames.
pub struct FrameKeeper {
    cameras: Vec<Camera>,
    begin: Option<Stamp>,
    /// The last pictures of each camera, with their stamps.
    pictures: Vec<VecDeque<(Stamp, String)>>,
    frames: Vec<RecordedFrame>,
}

impl FrameKeeper {
    /// For a drive with these cameras.
    pub fn new(cameras: Vec<Camera>) -> Self {
        Self {
            pictures: vec![VecDeque::new(); cameras.len()],
            cameras,
            begin: None,
            frames: Vec::new(),
        }
    }

    /// The frames so far.
    pub fn into_frames(self) -> Vec<RecordedFrame> {
        self.frames
    }

    /// Keeps a picture at the page's size.
    pub fn picture(&mut self, event: &ImageEvent<'_>) -> Result<(), ImageError> {
        let (width, height) = (event.image.width(), event.image.height());
        let small = reduced(event.rgb, width, height);
        let mut jpeg = Vec::new();
        encode_jpeg(
            &small.rgb,
            small.width,
            small.height,
            PAGE_QUALITY,
            &mut jpeg,
        )?;
        let pictures = &mut self.pictures[event.camera];
        if pictures.len() == PICTURES_KEPT {
            pictures.pop_front();
        }
        let address = format!("data:image/jpeg;base64,{}", STANDARD.encode(&jpeg));
        pictures.push_back((event.stamp, address));
        Ok(())
    }

    /// Counts time from `begin` on instead of from the first frame.
    pub fn beginning_at(mut self, begin: Stamp) -> Self {
        self.begin = Some(begin);
        self
    }

    /// Keeps a frame with the pictures that it was made from.
    pub fn frame(
        &mut self,
        frame: &OutputFrame,
        truth: Option<&FrameTruth>,
        latency_ms: Vec<(String, f64)>,
    ) {
        let frame = self.recorded(frame, truth, latency_ms);
        self.frames.push(frame);
    }

    /// A frame with the pictures that it was made from.
    pub fn recorded(
        &mut self,
        frame: &OutputFrame,
        truth: Option<&FrameTruth>,
        latency_ms: Vec<(String, f64)>,
    ) -> RecordedFrame {
        let result = Elements::from(frame);
        let truth = truth.map(Elements::from).unwrap_or_default();
        let stamp = Stamp::from_nanoseconds(frame.stamp_ns);
        let begin = *self.begin.get_or_insert(stamp);
        let project = |elements: &Elements| {
            let scale =
                |camera: &Camera| f64::from(PAGE_WIDTH) / f64::from(camera.intrinsics.width());
            let cameras = self.cameras.iter();
            cameras
                .map(|camera| overlay::project(elements, camera, scale(camera)))
                .collect::<Vec<_>>()
        };
        RecordedFrame {
            time_s: (stamp - begin).seconds(),
            pictures: Some(self.pictures_of(frame)),
            result_overlay: project(&result),
            truth_overlay: project(&truth),
            result,
            truth,
            latency_ms,
            health: match HealthState::try_from(frame.health.state) {
                Ok(HealthState::Ok) => "ok",
                Ok(HealthState::Degraded) => "degraded",
                Ok(HealthState::Fault) | Err(_) => "fault",
            },
            coverage: frame.coverage.iter().map(|sector| sector.state).collect(),
        }
    }

    /// Of each camera the picture with the stamp that the frame names, else the newest before it.
    fn pictures_of(&self, frame: &OutputFrame) -> Vec<String> {
        let status = frame.health.cameras();
        let pictures = self.pictures.iter().enumerate();
        pictures
            .map(|(camera, pictures)| {
                let skew_ns = status.get(camera).map_or(0, |status| status.skew_ns.into());
                let stamp =
                    Stamp::from_nanoseconds(frame.stamp_ns) + Span::from_nanoseconds(skew_ns);
                let shown = pictures.iter().rfind(|(of, _)| *of <= stamp);
                shown.map_or_else(String::new, |(_, picture)| picture.clone())
            })
            .collect()
    }
}

/// Milliseconds by stage of a pipeline's last frame.
pub fn stage_times(pipeline: &Pipeline) -> Vec<(String, f64)> {
    let last = pipeline.stats().last();
    let milliseconds = |stage: Stage| 1e3 * last.get(stage).seconds();
    let mut times: Vec<_> = [
        Stage::Preprocess,
        Stage::Align,
        Stage::Network,
        Stage::Decode,
        Stage::Track,
    ]
    .map(|stage| (stage.name().to_owned(), milliseconds(stage)))
    .to_vec();
    times.push(("other".to_owned(), milliseconds(Stage::Publish)));
    times.push(("total".to_owned(), milliseconds(Stage::Total)));
    times
}

struct Picture {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

/// The picture at the page's width, by area.
fn reduced(rgb: &[u8], width: u32, height: u32) -> Picture {
    let page_height = (PAGE_WIDTH * height / width).max(1);
    let mut small = Vec::with_capacity((PAGE_WIDTH * page_height * 3) as usize);
    for row in 0..page_height {
        let rows = row * height / page_height
            ..((row + 1) * height / page_height).max(row * height / page_height + 1);
        for column in 0..PAGE_WIDTH {
            let first = column * width / PAGE_WIDTH;
            let columns = first..((column + 1) * width / PAGE_WIDTH).max(first + 1);
            let mut sums = [0u32; 3];
            for y in rows.clone() {
                for x in columns.clone() {
                    let at = ((y * width + x) * 3) as usize;
                    for (sum, level) in sums.iter_mut().zip(&rgb[at..at + 3]) {
                        *sum += u32::from(*level);
                    }
                }
            }
            let count = rows.len() as u32 * columns.len() as u32;
            small.extend(sums.map(|sum| (sum / count) as u8));
        }
    }
    Picture {
        width: PAGE_WIDTH,
        height: page_height,
        rgb: small,
    }
}
