//! The moments of drives that deserve a look, the worst first.

use super::recorded::RecordedDrive;

/// Reasons of a queue that is still filling, as at the beginning of any drive.
const WARMING_UP: &str = "history_warming_up";
/// Poor moments of quality that are told.
const POOR_MOMENTS: usize = 12;
/// Frames between two of them, at least.
const APART: usize = 10;

/// What is wrong at a moment, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MomentKind {
    /// Health is a fault.
    Fault,
    /// A frame took longer than its deadline.
    Late,
    /// Health is degraded.
    Degraded,
    /// Little of what is there was found.
    Poor,
}

impl MomentKind {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Late => "late",
            Self::Degraded => "degraded",
            Self::Poor => "poor",
        }
    }
}

/// A frame that deserves a look.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// Its number on the page.
    pub frame: usize,
    /// What is wrong.
    pub kind: MomentKind,
    /// In words.
    pub text: String,
    /// Larger is worse, within a kind.
    pub weight: f64,
}

/// The moments of a drive whose first frame has the number `first`.
pub fn moments_of(drive: &RecordedDrive, first: usize, deadline_ms: f64) -> Vec<Moment> {
    let mut moments = health_moments(drive, first);
    moments.extend(late_moments(drive, first, deadline_ms));
    moments.extend(poor_moments(drive, first));
    moments
}

/// Sorts moments of all drives: the worst kind first, within a kind the worst moment.
pub fn worst_first(moments: &mut [Moment]) {
    moments.sort_by(|a, b| {
        let by_weight = b.weight.total_cmp(&a.weight);
        a.kind
            .cmp(&b.kind)
            .then(by_weight)
            .then(a.frame.cmp(&b.frame))
    });
}

/// Stretches of frames in the same state, each at its first frame.
fn health_moments(drive: &RecordedDrive, first: usize) -> Vec<Moment> {
    let states: Vec<Option<MomentKind>> = drive
        .frames
        .iter()
        .zip(&drive.notes)
        .map(|(frame, note)| match frame.health {
            "fault" => Some(MomentKind::Fault),
            "degraded" if note.reasons.iter().any(|reason| *reason != WARMING_UP) => {
                Some(MomentKind::Degraded)
            }
            _ => None,
        })
        .collect();
    let mut moments = Vec::new();
    let mut begin = 0;
    for stretch in states.chunk_by(|a, b| a == b) {
        let end = begin + stretch.len();
        if let Some(kind) = stretch[0] {
            let mut reasons: Vec<&str> = Vec::new();
            for reason in drive.notes[begin..end]
                .iter()
                .flat_map(|note| &note.reasons)
            {
                if !reasons.contains(reason) {
                    reasons.push(reason);
                }
            }
            moments.push(Moment {
                frame: first + begin,
                kind,
                text: format!("{} frames: {}", stretch.len(), reasons.join(", ")),
                weight: stretch.len() as f64,
            });
        }
        begin = end;
    }
    moments
}

/// Frames beyond the deadline; of several in a row the longest.
fn late_moments(drive: &RecordedDrive, first: usize, deadline_ms: f64) -> Vec<Moment> {
    let totals: Vec<f64> = drive
        .frames
        .iter()
        .map(|frame| total_ms(&frame.latency_ms))
        .collect();
    let mut moments = Vec::new();
    let mut begin = 0;
    for stretch in totals.chunk_by(|a, b| (*a > deadline_ms) == (*b > deadline_ms)) {
        if stretch[0] > deadline_ms {
            let longest = (0..stretch.len()).max_by(|a, b| stretch[*a].total_cmp(&stretch[*b]));
            let longest = longest.unwrap_or(0);
            let row = if stretch.len() > 1 {
                format!(", the longest of {} in a row", stretch.len())
            } else {
                String::new()
            };
            let ms = stretch[longest];
            moments.push(Moment {
                frame: first + begin + longest,
                kind: MomentKind::Late,
                text: format!("{ms:.1} ms, deadline {deadline_ms:.1} ms{row}"),
                weight: ms,
            });
        }
        begin += stretch.len();
    }
    moments
}

/// The frames with the least quality, not too near to each other.
fn poor_moments(drive: &RecordedDrive, first: usize) -> Vec<Moment> {
    let qualities = drive.notes.iter().enumerate();
    let mut ranked: Vec<_> = qualities
        .filter_map(|(index, note)| {
            let quality = note.quality?;
            Some((quality.mean()?, index, quality))
        })
        .collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut taken: Vec<usize> = Vec::new();
    let mut moments = Vec::new();
    for (mean, index, quality) in ranked {
        if moments.len() == POOR_MOMENTS {
            break;
        }
        if taken.iter().any(|other| other.abs_diff(index) < APART) {
            continue;
        }
        taken.push(index);
        let part = |name: &str, value: Option<f64>| value.map(|value| format!("{name} {value:.2}"));
        let parts = [
            part("objects mAP within 30 m", quality.objects),
            part("lanes F1", quality.lanes),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        moments.push(Moment {
            frame: first + index,
            kind: MomentKind::Poor,
            text: parts.join(", "),
            weight: 1.0 - mean,
        });
    }
    moments
}

/// The whole step; 0 where it was not measured.
pub fn total_ms(latency_ms: &[(String, f64)]) -> f64 {
    let total = latency_ms.iter().find(|(stage, _)| stage == "total");
    total.map_or(0.0, |(_, ms)| *ms)
}

#[cfg(test)]
mod tests {
    use super::super::recorded::{FrameNote, FrameQuality};
    use super::*;
    use crate::demo::elements::Elements;
    use crate::player::RecordedFrame;
    use bevrt_hil::metrics::ScoreTally;

    fn drive(frames: &[(&'static str, &[&'static str], f64, f64)]) -> RecordedDrive {
        let frame = |&(health, _, ms, _): &(&'static str, _, f64, _)| RecordedFrame {
            time_s: 0.0,
            pictures: None,
            result: Elements::default(),
            truth: Elements::default(),
            result_overlay: Vec::new(),
            truth_overlay: Vec::new(),
            latency_ms: vec![("total".to_owned(), ms)],
            health,
            coverage: Vec::new(),
        };
        let note = |&(_, reasons, _, score): &(_, &[&'static str], _, f64)| FrameNote {
            reasons: reasons.to_vec(),
            quality: Some(FrameQuality {
                objects: Some(score),
                lanes: None,
            }),
        };
        RecordedDrive {
            name: "drive".to_owned(),
            cameras: Vec::new(),
            frames: frames.iter().map(frame).collect(),
            notes: frames.iter().map(note).collect(),
            tally: ScoreTally::default(),
        }
    }

    #[test]
    fn the_worst_kind_comes_first_and_a_stretch_is_told_once() {
        let lost: &[&str] = &["camera_missing"];
        let drive = drive(&[
            ("degraded", &["history_warming_up"], 50.0, 0.9),
            ("ok", &[], 130.0, 0.8),
            ("ok", &[], 150.0, 0.8),
            ("degraded", lost, 50.0, 0.1),
            ("degraded", lost, 50.0, 0.2),
            ("fault", &["engine_failed"], 50.0, 0.5),
        ]);
        let mut moments = moments_of(&drive, 100, 100.0);
        worst_first(&mut moments);
        let told: Vec<_> = moments.iter().map(|m| (m.kind, m.frame)).collect();
        assert_eq!(
            told,
            [
                (MomentKind::Fault, 105),
                (MomentKind::Late, 102),
                (MomentKind::Degraded, 103),
                (MomentKind::Poor, 103),
            ]
        );
        assert_eq!(
            moments[1].text,
            "150.0 ms, deadline 100.0 ms, the longest of 2 in a row"
        );
        assert_eq!(moments[2].text, "2 frames: camera_missing");
        assert_eq!(moments[3].text, "objects mAP within 30 m 0.10");
    }

    #[test]
    fn poor_moments_keep_apart() {
        let frames: Vec<_> = (0..40)
            .map(|index| ("ok", &[] as &[&str], 1.0, f64::from(index) / 40.0))
            .collect();
        let moments = moments_of(&drive(&frames), 0, 100.0);
        let told: Vec<usize> = moments.iter().map(|moment| moment.frame).collect();
        assert_eq!(told, [0, 10, 20, 30]);
    }
}
