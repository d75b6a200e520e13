//! Images on their way into the network's input.

use bevrt_calibration::Rig;

use crate::image::{ImageView, PixelFormat};
use crate::manifest::PreprocessSection;
use crate::preprocess::{PreprocessError, PreprocessSetupError, Preprocessor};

/// One preprocessor for each camera and accepted format.
#[derive(Debug)]
pub(super) struct ImageInputs {
    cameras: Vec<CameraInput>,
    values_per_camera: usize,
}

#[derive(Debug)]
struct CameraInput {
    width: u32,
    height: u32,
    preprocessors: Vec<(PixelFormat, Preprocessor)>,
}

impl ImageInputs {
    /// Takes all memory for images of the rig's sizes in any of `formats`. Formats that a camera's
    /// size rules out (chroma of an odd size) are left out for it, as long as one is left.
    ///
    /// # Errors
    /// A camera's images cannot be preprocessed in any of the formats: its index and the reason.
    pub(super) fn new(
        spec: &PreprocessSection,
        rig: &Rig,
        formats: &[PixelFormat],
    ) -> Result<Self, (usize, PreprocessSetupError)> {
        let mut cameras = Vec::with_capacity(rig.cameras().len());
        for (index, camera) in rig.cameras().iter().enumerate() {
            let (width, height) = (camera.intrinsics.width(), camera.intrinsics.height());
            let mut preprocessors = Vec::with_capacity(formats.len());
            let mut refusal = None;
            for &format in formats {
                match Preprocessor::new(spec, width, height, format) {
                    Ok(preprocessor) => preprocessors.push((format, preprocessor)),
                    Err(error @ PreprocessSetupError::Source(_)) => refusal = Some(error),
                    Err(error) => return Err((index, error)),
                }
            }
            if let (true, Some(error)) = (preprocessors.is_empty(), refusal) {
                return Err((index, error));
            }
            cameras.push(CameraInput {
                width,
                height,
                preprocessors,
            });
        }
        let values_per_camera = 3 * spec.width as usize * spec.height as usize;
        Ok(Self {
            cameras,
            values_per_camera,
        })
    }

    /// Whether an image can be preprocessed. An unknown camera passes: it is refused elsewhere.
    ///
    /// # Errors
    /// The image has another size than its camera, or a format that was not asked for.
    pub(super) fn check(
        &self,
        camera: usize,
        image: &ImageView<'_>,
    ) -> Result<(), PreprocessError> {
        let Some(input) = self.cameras.get(camera) else {
            return Ok(());
        };
        if (image.width(), image.height()) != (input.width, input.height) {
            return Err(PreprocessError::SourceSize);
        }
        let is_known = input
            .preprocessors
            .iter()
            .any(|(format, _)| *format == image.format());
        if is_known {
            Ok(())
        } else {
            Err(PreprocessError::SourceFormat)
        }
    }

    /// Writes an image into its place in `images`, `[cameras, 3, height, width]`.
    ///
    /// # Errors
    /// The image has another size than its camera, or a format that was not asked for.
    pub(super) fn preprocess_into(
        &mut self,
        camera: usize,
        image: &ImageView<'_>,
        images: &mut [f32],
    ) -> Result<(), PreprocessError> {
        let (_, preprocessor) = self.cameras[camera]
            .preprocessors
            .iter_mut()
            .find(|(format, _)| *format == image.format())
            .ok_or(PreprocessError::SourceFormat)?;
        let begin = camera * self.values_per_camera;
        preprocessor.run_into(image, &mut images[begin..begin + self.values_per_camera])
    }

    /// Makes a camera's place in `images` grey: the mean level, which is 0.
    pub(super) fn blank(&self, camera: usize, images: &mut [f32]) {
        let begin = camera * self.values_per_camera;
        images[begin..begin + self.values_per_camera].fill(0.0);
    }
}
