//! Keeps what the page and the log need while the drive goes on.

use super::elements::Elements;
use super::overlay::{self, ImageLine};
use crate::failure::Failure;
use crate::replay::stage_record;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bevrt_calibration::Rig;
use bevrt_hil::eval::ReplayScorer;
use bevrt_hil::logs::{LogWriter, encode_jpeg};
use bevrt_hil::replay::{ReplayFrame, ReplayVisitor, VisitorError};
use bevrt_hil::source::{DriveEvent, ImageEvent, record_event};
use bevrt_runtime::{HealthState, Stage, Stamp};
use indicatif::ProgressBar;
use std::fs::File;
use std::io::BufWriter;

/// Width of the pictures on the page.
pub const PAGE_WIDTH: u32 = 400;
/// JPEG quality of the pictures on the page.
const PAGE_QUALITY: u8 = 68;

/// One frame set on the page.
pub struct RecordedFrame {
    /// Time since the drive began.
    pub time_s: f64,
    /// JPEG pictures by camera, as data addresses.
    pub pictures: Vec<String>,
    /// What the pipeline found.
    pub result: Elements,
    /// What is true.
    pub truth: Elements,
    /// Results drawn into each camera.
    pub result_overlay: Vec<Vec<ImageLine>>,
    /// Truth drawn into each camera.
    pub truth_overlay: Vec<Vec<ImageLine>>,
    /// Milliseconds by stage.
    pub latency_ms: Vec<(&'static str, f64)>,
    /// `ok`, `degraded` or `fault`.
    pub health: &'static str,
    /// State of each sector: 0 unseen, 1 known from history, 2 seen now.
    pub coverage: Vec<u8>,
}

/// What is left when the drive is over.
pub struct Recording {
    /// All frames.
    pub frames: Vec<RecordedFrame>,
    /// Verdicts on the scored frames.
    pub scorer: ReplayScorer,
}

/// The visitor of the demo's replay.
pub struct Recorder {
    rig: Rig,
    writer: LogWriter<BufWriter<File>>,
    scorer: ReplayScorer,
    bar: ProgressBar,
    begin: Option<Stamp>,
    pictures: Vec<String>,
    frames: Vec<RecordedFrame>,
}

impl Recorder {
    /// Writes the log to `writer` and scores with `scorer`.
    pub fn new(
        rig: Rig,
        writer: LogWriter<BufWriter<File>>,
        scorer: ReplayScorer,
        bar: ProgressBar,
    ) -> Self {
        let pictures = vec![String::new(); rig.cameras().len()];
        Self {
            rig,
            writer,
            scorer,
            bar,
            begin: None,
            pictures,
            frames: Vec::new(),
        }
    }

    /// Closes the log.
    pub fn finish(self) -> Result<Recording, Failure> {
        self.bar.finish_and_clear();
        self.writer.finish()?;
        Ok(Recording {
            frames: self.frames,
            scorer: self.scorer,
        })
    }

    fn keep_picture(&mut self, event: &ImageEvent<'_>) -> Result<(), VisitorError> {
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
        self.pictures[event.camera] = format!("data:image/jpeg;base64,{}", STANDARD.encode(&jpeg));
        Ok(())
    }
}

impl ReplayVisitor for Recorder {
    fn event(&mut self, event: &DriveEvent<'_>) -> Result<(), VisitorError> {
        record_event(&mut self.writer, &self.rig, event)?;
        if let DriveEvent::Image(image) = event {
            self.keep_picture(image)?;
        }
        Ok(())
    }

    fn frame(&mut self, frame: ReplayFrame<'_>) -> Result<(), VisitorError> {
        self.bar.inc(1);
        self.scorer.frame(&frame);
        self.writer.write_frame(frame.frame)?;
        self.writer.write_statistics(
            Stamp::from_nanoseconds(frame.frame.now_ns),
            &stage_record(frame.pipeline),
        )?;
        let result = Elements::from(frame.frame);
        let truth = frame.truth.map(Elements::from).unwrap_or_default();
        let stamp = Stamp::from_nanoseconds(frame.frame.stamp_ns);
        let begin = *self.begin.get_or_insert(stamp);
        let project = |elements: &Elements| {
            self.rig
                .cameras()
                .iter()
                .map(|camera| {
                    overlay::project(
                        elements,
                        camera,
                        f64::from(PAGE_WIDTH) / f64::from(camera.intrinsics.width()),
                    )
                })
                .collect::<Vec<_>>()
        };
        let last = frame.pipeline.stats().last();
        let milliseconds = |stage: Stage| 1e3 * last.get(stage).seconds();
        let mut latency_ms: Vec<_> = [
            Stage::Preprocess,
            Stage::Align,
            Stage::Network,
            Stage::Decode,
            Stage::Track,
        ]
        .map(|stage| (stage.name(), milliseconds(stage)))
        .to_vec();
        latency_ms.push(("other", milliseconds(Stage::Publish)));
        latency_ms.push(("total", milliseconds(Stage::Total)));
        self.frames.push(RecordedFrame {
            time_s: (stamp - begin).seconds(),
            pictures: self.pictures.clone(),
            result_overlay: project(&result),
            truth_overlay: project(&truth),
            result,
            truth,
            latency_ms,
            health: match HealthState::try_from(frame.frame.health.state) {
                Ok(HealthState::Ok) => "ok",
                Ok(HealthState::Degraded) => "degraded",
                Ok(HealthState::Fault) | Err(_) => "fault",
            },
            coverage: frame
                .frame
                .coverage
                .iter()
                .map(|sector| sector.state)
                .collect(),
        });
        Ok(())
    }
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
