//! Pictures of scenes, from their files.

use bevrt_runtime::{ImageView, PixelFormat};

use super::{NuscenesError, NuscenesScene};
use crate::logs::JpegDecoder;
use crate::source::{ImageEvent, SourceError};

/// Reads pictures one after another into the same memory.
#[derive(Default)]
pub struct PictureReader {
    file: Vec<u8>,
    decoder: JpegDecoder,
}

impl PictureReader {
    /// The picture at this place among those of a scene. It arrives at its stamp: the data set does not
    /// tell when anything arrived.
    ///
    /// # Errors
    /// The file is not there, is no JPEG picture, or has another size than its table says.
    ///
    /// # Panics
    /// If the scene has fewer pictures.
    pub fn read(
        &mut self,
        scene: &NuscenesScene,
        place: usize,
    ) -> Result<ImageEvent<'_>, SourceError> {
        let picture = &scene.pictures[place];
        let file = &picture.file;
        self.file.clear();
        std::fs::File::open(file)
            .and_then(|mut open| std::io::Read::read_to_end(&mut open, &mut self.file))
            .map_err(|error| NuscenesError::caused_by(file, "a picture", error))?;
        let decoded = self
            .decoder
            .decode(&self.file)
            .map_err(|error| NuscenesError::caused_by(file, "a JPEG picture", error))?;
        let found = [decoded.width, decoded.height];
        if found != picture.size_px {
            let size = |[width, height]: [u32; 2]| format!("{width}×{height}");
            let expected = format!("a picture of {} as in its table", size(picture.size_px));
            return Err(NuscenesError::new(file, expected, size(found)).into());
        }
        let image = ImageView::packed(PixelFormat::Rgb, found[0], found[1], &decoded.bytes)
            .map_err(|problem| SourceError::Image {
                camera: scene.rig.cameras()[picture.camera].name.clone(),
                problem,
            })?;
        Ok(ImageEvent {
            camera: picture.camera,
            stamp: picture.stamp,
            arrival: picture.stamp,
            image,
            rgb: &decoded.bytes,
            jpeg: Some(&self.file),
        })
    }
}
