use super::{
    ArrowDecoder, CrosswalkDecoder, DecodeError, Detections, LaneDecoder, ObjectDecoder,
    StopLineDecoder,
};
use crate::manifest::{HeadKind, HeadSection};

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
}

impl HeadDecoder {
    /// Takes all memory that decoding this head needs.
    pub fn new(section: &HeadSection) -> Self {
        match section.kind {
            HeadKind::Objects => Self::Objects(Box::new(ObjectDecoder::from_section(section))),
            HeadKind::Lanes => Self::Lanes(Box::new(LaneDecoder::from_section(section))),
            HeadKind::Arrows => Self::Arrows(Box::new(ArrowDecoder::from_section(section))),
            HeadKind::Crosswalks => {
                Self::Crosswalks(Box::new(CrosswalkDecoder::from_section(section)))
            }
            HeadKind::StopLines => {
                Self::StopLines(Box::new(StopLineDecoder::from_section(section)))
            }
        }
    }

    /// Decodes the head's output map into the list of its kind and leaves the others alone.
    ///
    /// # Errors
    /// The map has another size, or holds a number that is not finite; the list is empty then.
    pub fn decode_into(
        &mut self,
        output: &[f32],
        detections: &mut Detections,
    ) -> Result<(), DecodeError> {
        match self {
            Self::Objects(decoder) => decoder.decode_into(output, &mut detections.objects),
            Self::Lanes(decoder) => decoder.decode_into(output, &mut detections.lanes),
            Self::Arrows(decoder) => decoder.decode_into(output, &mut detections.arrows),
            Self::Crosswalks(decoder) => decoder.decode_into(output, &mut detections.crosswalks),
            Self::StopLines(decoder) => decoder.decode_into(output, &mut detections.stop_lines),
        }
    }
}
