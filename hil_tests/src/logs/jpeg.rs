//! JPEG in and out.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageError};
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// A picture in memory: rows of R, G, B bytes without padding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RgbPicture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bytes, three for each pixel.
    pub bytes: Vec<u8>,
}

/// Writes a picture as JPEG with `quality` from 1 to 100, appending to `out`.
///
/// # Errors
/// The number of bytes does not fit the size.
pub fn encode_jpeg(
    rgb: &[u8],
    width: u32,
    height: u32,
    quality: u8,
    out: &mut Vec<u8>,
) -> Result<(), ImageError> {
    JpegEncoder::new_with_quality(out, quality).encode(rgb, width, height, ExtendedColorType::Rgb8)
}

/// Reads JPEG into a buffer that is used again and again.
#[derive(Debug, Default)]
pub struct JpegDecoder {
    picture: RgbPicture,
}

impl JpegDecoder {
    /// Decodes to RGB, whatever the colours of the file.
    ///
    /// # Errors
    /// The bytes are no JPEG that can be read.
    pub fn decode(&mut self, jpeg: &[u8]) -> Result<&RgbPicture, DecodeErrors> {
        // Strict: a file that ends early is refused, not filled up with grey.
        let options = DecoderOptions::default()
            .jpeg_set_out_colorspace(ColorSpace::RGB)
            .set_strict_mode(true);
        let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(jpeg), options);
        decoder.decode_headers()?;
        let info = decoder
            .info()
            .ok_or(DecodeErrors::FormatStatic("no picture size in the file"))?;
        let size = decoder
            .output_buffer_size()
            .ok_or(DecodeErrors::FormatStatic("no picture size in the file"))?;
        self.picture.bytes.resize(size, 0);
        decoder.decode_into(&mut self.picture.bytes)?;
        self.picture.width = u32::from(info.width);
        self.picture.height = u32::from(info.height);
        Ok(&self.picture)
    }

    /// Its memory, for a picture from elsewhere.
    pub(crate) fn picture_mut(&mut self) -> &mut RgbPicture {
        &mut self.picture
    }

    /// The picture that was decoded last.
    pub fn picture(&self) -> &RgbPicture {
        &self.picture
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smooth_picture_survives() {
        let (width, height) = (64_u32, 48_u32);
        let rgb: Vec<u8> = (0..height)
            .flat_map(|v| (0..width).flat_map(move |u| [(2 * u) as u8, (3 * v) as u8, 100]))
            .collect();
        let mut jpeg = Vec::new();
        encode_jpeg(&rgb, width, height, 95, &mut jpeg).expect("the size fits");
        let mut decoder = JpegDecoder::default();
        let picture = decoder.decode(&jpeg).expect("we wrote it");
        assert_eq!((picture.width, picture.height), (width, height));
        let worst = picture
            .bytes
            .iter()
            .zip(&rgb)
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        assert!(worst < Some(12), "{worst:?}");
    }

    #[test]
    fn garbage_is_refused() {
        assert!(JpegDecoder::default().decode(b"no picture at all").is_err());
        assert!(JpegDecoder::default().decode(&[]).is_err());
    }

    #[test]
    fn a_file_that_ends_early_is_refused_wherever_it_ends() {
        let rgb: Vec<u8> = (0..64 * 48 * 3_u32)
            .map(|i| ((i * 7919) >> 3) as u8)
            .collect();
        let mut jpeg = Vec::new();
        encode_jpeg(&rgb, 64, 48, 90, &mut jpeg).expect("the size fits");
        for kept in 1..20 {
            let cut = &jpeg[..jpeg.len() * kept / 20];
            assert!(JpegDecoder::default().decode(cut).is_err(), "{kept}");
        }
    }
}
