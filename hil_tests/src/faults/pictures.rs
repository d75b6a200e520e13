//! Pictures on their way to be spoilt.

use bevrt_runtime::{PixelFormat, Stamp};
use bevrt_sim::{Random, YuvMatrix, nv12_len, rgb_to_nv12};

use crate::logs::{JpegDecoder, encode_jpeg};
use crate::source::OwnedPicture;

/// Level of a covered sensor and the noise on it.
const BLACK_LEVEL: f64 = 4.0;
const BLACK_NOISE_LEVELS: f64 = 1.5;
const JPEG_QUALITY: u8 = 90;

/// Black but for the noise of the sensor.
pub(super) fn blacken(picture: &mut OwnedPicture, seed: u64) {
    let mut random = Random::new(seed, 1);
    for level in &mut picture.rgb {
        *level = (BLACK_LEVEL + BLACK_NOISE_LEVELS * random.normal()).round() as u8;
    }
    develop(picture);
}

/// Levels times `factor`, cut off at white.
pub(super) fn brighten(picture: &mut OwnedPicture, factor: f64) {
    for level in &mut picture.rgb {
        *level = (f64::from(*level) * factor).round() as u8;
    }
    develop(picture);
}

/// White noise on each level.
pub(super) fn add_noise(picture: &mut OwnedPicture, sigma_levels: f64, seed: u64) {
    let mut random = Random::new(seed, 2);
    for level in &mut picture.rgb {
        *level = (f64::from(*level) + sigma_levels * random.normal()).round() as u8;
    }
    develop(picture);
}

/// The upper half alone.
pub(super) fn halve(picture: &mut OwnedPicture) {
    picture.height = (picture.height / 4) * 2;
    let pixels = picture.width as usize * picture.height as usize;
    picture.rgb.truncate(3 * pixels);
    develop(picture);
}

/// Through a JPEG file of which only this share is left; false when nothing can be read.
pub(super) fn cut_jpeg(picture: &mut OwnedPicture, kept: f64) -> bool {
    let mut jpeg = Vec::new();
    let (width, height) = (picture.width, picture.height);
    if encode_jpeg(&picture.rgb, width, height, JPEG_QUALITY, &mut jpeg).is_err() {
        return false;
    }
    jpeg.truncate((jpeg.len() as f64 * kept) as usize);
    match JpegDecoder::default().decode(&jpeg) {
        Ok(read) => {
            picture.rgb.clone_from(&read.bytes);
            develop(picture);
            true
        }
        Err(_) => false,
    }
}

/// A seed for the noise of one picture.
pub(super) fn seed_of(camera: usize, stamp: Stamp) -> u64 {
    (stamp.nanoseconds() as u64).wrapping_mul(31) ^ camera as u64
}

/// NV12 from the levels.
fn develop(picture: &mut OwnedPicture) {
    let (width, height) = (picture.width, picture.height);
    picture.format = PixelFormat::Nv12;
    picture.bytes.resize(nv12_len(width, height), 0);
    rgb_to_nv12(
        &picture.rgb,
        width,
        height,
        YuvMatrix::Bt601Limited,
        &mut picture.bytes,
    );
}
