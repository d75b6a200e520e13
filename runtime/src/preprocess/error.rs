//! What can be wrong with preprocessing.

use std::fmt;

use crate::image::{ImageError, ImageView};
use crate::manifest::PreprocessSection;

/// Why a preprocessor cannot be made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PreprocessSetupError {
    /// A side of the network's input is zero or too long.
    OutputSize {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// `crop_top` is not within 0 and 1.
    CropTop {
        /// The value found.
        found: f64,
    },
    /// A mean is not finite, or a standard deviation not finite and positive.
    Normalisation {
        /// The plane, from 0.
        plane: usize,
        /// Its mean.
        mean: f32,
        /// Its standard deviation.
        std: f32,
    },
    /// No source image can have this size and format.
    Source(ImageError),
}

/// Why an image was not preprocessed. The output is untouched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreprocessError {
    /// The image's size is not that of the preprocessor.
    SourceSize,
    /// The image's format is not that of the preprocessor.
    SourceFormat,
    /// The output does not hold three planes of the network's size.
    OutputLength,
}

pub(super) fn check_spec(spec: &PreprocessSection) -> Result<(), PreprocessSetupError> {
    let sides = 1..=ImageView::LONGEST_SIDE;
    let PreprocessSection { width, height, .. } = *spec;
    if !sides.contains(&width) || !sides.contains(&height) {
        return Err(PreprocessSetupError::OutputSize { width, height });
    }
    if !(0.0..1.0).contains(&spec.crop_top) {
        return Err(PreprocessSetupError::CropTop {
            found: spec.crop_top,
        });
    }
    for (plane, (&mean, &std)) in spec.mean.iter().zip(&spec.std).enumerate() {
        if !mean.is_finite() || !std.is_finite() || std <= 0.0 {
            return Err(PreprocessSetupError::Normalisation { plane, mean, std });
        }
    }
    Ok(())
}

impl fmt::Display for PreprocessSetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutputSize { width, height } => {
                let longest = ImageView::LONGEST_SIDE;
                write!(
                    f,
                    "network input {width}x{height}: sides must be 1 to {longest} pixels"
                )
            }
            Self::CropTop { found } => {
                write!(
                    f,
                    "crop_top: expected at least 0 and below 1, found {found}"
                )
            }
            Self::Normalisation { plane, mean, std } => write!(
                f,
                "normalisation of plane {plane}: expected a finite mean and a positive std, \
                 found {mean} and {std}"
            ),
            Self::Source(_) => write!(f, "source images cannot be preprocessed"),
        }
    }
}

impl std::error::Error for PreprocessSetupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Source(error) => Some(error),
            Self::OutputSize { .. } | Self::CropTop { .. } | Self::Normalisation { .. } => None,
        }
    }
}

impl fmt::Display for PreprocessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SourceSize => "the image has not the size of its camera",
            Self::SourceFormat => "the image has not the format of its camera",
            Self::OutputLength => "the output does not hold three planes of the network's size",
        })
    }
}

impl std::error::Error for PreprocessError {}
