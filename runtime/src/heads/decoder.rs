use bevrt_calibration::BevGrid;

use super::{
    ArrowDecoder, CrosswalkDecoder, DecodeError, Detections, LaneDecoder, MapQueryDecoder,
    ObjectDecoder, ObjectQueryDecoder, StopLineDecoder,
};
use crate::manifest::{HeadForm, HeadKind, HeadSection};

/// What a network gives for one head.
#[derive(Clone, Copy, Debug)]
pub enum HeadOutput<'a> {
    /// A dense map `[channels, rows, cols]`.
    Map(&'a [f32]),
    /// A query set.
    Queries {
        /// Logits `[queries, classes]`.
        scores: &'a [f32],
        /// Boxes `[queries, 17]` or points `[queries, points, dimensions]`.
        values: &'a [f32],
    },
}

/// The decoder of one head of the manifest, whatever its kind.
#[derive(Debug)]
pub enum HeadDecoder {
    /// 3D objects.
    Objects(Box<ObjectDecoder>),
    /// Painted lines and road edges.
    Lanes(Box<LaneDecoder>),
    /// Road arrows.
    Arrows(Box<ArrowDecoder>),
    /// Crosswalks.
    Crosswalks(Box<CrosswalkDecoder>),
    /// Stop lines.
    StopLines(Box<StopLineDecoder>),
    /// 3D objects, as a set of boxes.
    ObjectQueries(Box<ObjectQueryDecoder>),
    /// Lines, crosswalks and stop lines, as a set of point lists.
    MapQueries(Box<MapQueryDecoder>),
}

impl HeadDecoder {
    /// Takes all memory that decoding this head needs.
    pub fn new(section: &HeadSection) -> Self {
        let thresholds = &section.thresholds;
        match &section.form {
            HeadForm::Dense { kind, grid } => Self::dense(*kind, grid, thresholds),
            HeadForm::ObjectQueries(queries) => {
                Self::ObjectQueries(Box::new(ObjectQueryDecoder::new(queries, thresholds)))
            }
            HeadForm::MapQueries(queries) => {
                Self::MapQueries(Box::new(MapQueryDecoder::new(queries, thresholds)))
            }
        }
    }

    fn dense(kind: HeadKind, grid: &BevGrid, thresholds: &[f32]) -> Self {
        match kind {
            HeadKind::Objects => Self::Objects(Box::new(ObjectDecoder::new(grid, thresholds))),
            HeadKind::Lanes => Self::Lanes(Box::new(LaneDecoder::new(grid, thresholds))),
            HeadKind::Arrows => Self::Arrows(Box::new(ArrowDecoder::new(grid, thresholds))),
            HeadKind::Crosswalks => {
                Self::Crosswalks(Box::new(CrosswalkDecoder::new(grid, thresholds[0])))
            }
            HeadKind::StopLines => {
                Self::StopLines(Box::new(StopLineDecoder::new(grid, thresholds[0])))
            }
        }
    }

    /// Decodes the head's output into the lists of what it finds and leaves the others alone.
    ///
    /// # Errors
    /// The output has another form or size, or holds a number that is not finite; its lists are
    /// empty then, but for [`DecodeError::Form`], which leaves all as it was.
    pub fn decode_into(
        &mut self,
        output: HeadOutput<'_>,
        detections: &mut Detections,
    ) -> Result<(), DecodeError> {
        match (self, output) {
            (Self::Objects(decoder), HeadOutput::Map(map)) => {
                decoder.decode_into(map, &mut detections.objects)
            }
            (Self::Lanes(decoder), HeadOutput::Map(map)) => {
                decoder.decode_into(map, &mut detections.lanes)
            }
            (Self::Arrows(decoder), HeadOutput::Map(map)) => {
                decoder.decode_into(map, &mut detections.arrows)
            }
            (Self::Crosswalks(decoder), HeadOutput::Map(map)) => {
                decoder.decode_into(map, &mut detections.crosswalks)
            }
            (Self::StopLines(decoder), HeadOutput::Map(map)) => {
                decoder.decode_into(map, &mut detections.stop_lines)
            }
            (Self::ObjectQueries(decoder), HeadOutput::Queries { scores, values }) => {
                decoder.decode_into(scores, values, &mut detections.objects)
            }
            (Self::MapQueries(decoder), HeadOutput::Queries { scores, values }) => {
                decoder.decode_into(scores, values, detections)
            }
            (
                Self::Objects(_)
                | Self::Lanes(_)
                | Self::Arrows(_)
                | Self::Crosswalks(_)
                | Self::StopLines(_),
                HeadOutput::Queries { .. },
            )
            | (Self::ObjectQueries(_) | Self::MapQueries(_), HeadOutput::Map(_)) => {
                Err(DecodeError::Form)
            }
        }
    }
}
