//! Which frames a pipeline needs whose raw results are compared: those that are scored, and those
//! that its queue shows them.

use bevrt_runtime::{Manifest, Span, Stamp};

/// Frames of a clip that a pipeline is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeededFrames {
    begin: Stamp,
    frame_period: Span,
    is_needed: Vec<bool>,
}

impl NeededFrames {
    /// Of `frames` frames from `begin` on, one a `frame_period_s`, those that are scored at multiples
    /// of `scored_period_s`, and those at the strides of the queue before them.
    ///
    /// What the heads find in the scored frames is the same as if all frames were given, since
    /// maps enter the queue before any history is joined to them.
    pub fn new(
        manifest: &Manifest,
        begin: Stamp,
        frames: u64,
        frame_period_s: f64,
        scored_period_s: f64,
    ) -> Self {
        let (stride_s, slots) = manifest
            .queue()
            .map_or((0.0, 0), |queue| (queue.stride_s, queue.slots));
        let mut is_needed = vec![false; frames as usize];
        let duration_s = frames as f64 * frame_period_s;
        let moments = (duration_s / scored_period_s).ceil() as u64;
        for moment in 0..=moments {
            for slot in 0..=slots {
                let time_s = moment as f64 * scored_period_s - f64::from(slot) * stride_s;
                let frame = (time_s / frame_period_s).round();
                if let Some(needed) = is_needed.get_mut(frame as usize)
                    && frame >= 0.0
                {
                    *needed = true;
                }
            }
        }
        Self {
            begin,
            frame_period: Span::from_seconds(frame_period_s),
            is_needed,
        }
    }

    /// Whether the frame of an image is given.
    pub fn contains(&self, stamp: Stamp) -> bool {
        let frame = (stamp - self.begin).seconds() / self.frame_period.seconds();
        self.is_needed
            .get(frame.round() as usize)
            .copied()
            .unwrap_or(true)
    }

    /// How many frames are given.
    #[cfg(test)]
    fn count(&self) -> usize {
        self.is_needed.iter().filter(|&&needed| needed).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(stride_s: &str) -> Manifest {
        let text = format!(
            r#"
format = 1
name = "small"
version = "0.1.0"
world = "none"
[[network]]
file = "none.onnx"
precision = "fp32"
providers = ["cpu"]
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
[preprocess]
width = 32
height = 16
crop_top = 0.25
kernel = "area"
colour = "rgb"
mean = [128.0, 128.0, 128.0]
std = [64.0, 64.0, 64.0]
[[lift]]
name = "ground"
stride = 8
taps = 1
heights_m = [0.0]
geometry = true
grid = {{ x_min_m = -32.0, y_min_m = -32.0, cell_m = 4.0, rows = 16, cols = 16 }}
[queue]
grid = {{ x_min_m = -32.0, y_min_m = -32.0, cell_m = 4.0, rows = 16, cols = 16 }}
channels = 2
slots = 2
stride_s = {stride_s}
storage = "f16"
[[head]]
kind = "stop_lines"
output = "stop_lines"
grid = {{ x_min_m = -32.0, y_min_m = -32.0, cell_m = 4.0, rows = 16, cols = 16 }}
classes = ["stop_line"]
thresholds = [0.3]
"#
        );
        Manifest::from_toml_str(&text, "small/manifest.toml".as_ref()).expect("it is sound")
    }

    #[test]
    fn strides_that_fit_the_scored_frames_need_no_others() {
        let needed = NeededFrames::new(&manifest("0.5"), Stamp::ZERO, 101, 0.1, 0.5);
        assert_eq!(needed.count(), 21);
        let at = |ms: i64| needed.contains(Stamp::from_nanoseconds(ms * 1_000_000));
        assert!(at(2500) && at(3000) && at(2515) && !at(2600) && !at(2400));
    }

    #[test]
    fn other_strides_need_the_frames_that_the_slots_show() {
        let needed = NeededFrames::new(&manifest("0.4"), Stamp::ZERO, 101, 0.1, 0.5);
        let at = |ms: i64| needed.contains(Stamp::from_nanoseconds(ms * 1_000_000));
        assert!(at(2500) && at(2100) && at(1700));
        assert!(!at(2300) && !at(2400));
    }
}
