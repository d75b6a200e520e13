//! Drives whose input is worse than what the network was trained on.

use bevrt_calibration::{Camera, Pose, Rig};
use bevrt_runtime::{EgoMotionSource, ImageView, PixelFormat, Stamp};
use bevrt_sim::{Condition, YuvMatrix, nv12_len, rgb_to_nv12};
use nalgebra::{UnitQuaternion, Vector3};

use super::{DriveEvent, DriveSource, ImageEvent, SourceError};
use crate::logs::{JpegDecoder, encode_jpeg};
use crate::noise::Noise;

/// What is wrong with the input.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Corruption {
    /// Nothing.
    #[default]
    None,
    /// Another light or weather than the seed's.
    Condition(Condition),
    /// No image comes from this camera.
    CameraLost(usize),
    /// This share of the images is lost, each by itself.
    ImagesLost(f64),
    /// Levels are divided by this, and noise of two levels is added.
    Dark(f64),
    /// Levels are multiplied by this and cut off at white.
    Bright(f64),
    /// Pictures are smeared sideways over this share of their width.
    MotionBlur(f64),
    /// Pictures pass through JPEG of this quality, 1 to 100.
    Jpeg(u8),
    /// Red is multiplied by one plus this share, blue by one minus it.
    ColourShift(f64),
    /// Levels keep this many bits.
    FewLevels(u32),
    /// Cameras sit elsewhere than the calibration says.
    Calibration {
        /// Each camera's displacement, metres.
        shift_m: f64,
        /// Each camera's rotation, radians.
        turn_rad: f64,
    },
}

impl Corruption {
    /// The name in tables.
    pub fn name(&self, rig: &Rig) -> String {
        match *self {
            Self::None => "clean".to_owned(),
            Self::Condition(condition) => condition.name().to_owned(),
            Self::CameraLost(camera) => match rig.cameras().get(camera) {
                Some(camera) => format!("camera {} lost", camera.name),
                None => format!("camera {camera} lost"),
            },
            Self::ImagesLost(share) => format!("{:.0} % of the images lost", 100.0 * share),
            Self::Dark(factor) => format!("{factor} times darker"),
            Self::Bright(factor) => format!("{factor} times brighter"),
            Self::MotionBlur(share) => format!("motion blur, {:.1} % of the width", 100.0 * share),
            Self::Jpeg(quality) => format!("JPEG quality {quality}"),
            Self::ColourShift(share) => format!("red +{0:.0} %, blue -{0:.0} %", 100.0 * share),
            Self::FewLevels(bits) => format!("{bits} bits a level"),
            Self::Calibration { shift_m, turn_rad } => format!(
                "calibration off by {:.0} cm, {:.1} deg",
                100.0 * shift_m,
                turn_rad.to_degrees()
            ),
        }
    }

    /// What is given for the calibration of cameras that really sit as in `rig`.
    ///
    /// Every camera errs in a direction of its own, always the same one.
    pub fn believed_rig(&self, rig: &Rig) -> Rig {
        let Self::Calibration { shift_m, turn_rad } = *self else {
            return rig.clone();
        };
        let cameras = rig.cameras().iter().enumerate().map(|(index, camera)| {
            let mut noise = Noise::new(index as u64);
            let mut direction = || {
                Vector3::from_fn(|_, _| noise.signed())
                    .try_normalize(1e-6)
                    .unwrap_or_else(Vector3::x)
            };
            let turn = UnitQuaternion::new(direction() * turn_rad);
            let true_pose = &camera.ego_from_cam;
            Camera {
                ego_from_cam: Pose::new(
                    true_pose.rotation() * turn,
                    true_pose.translation() + direction() * shift_m,
                ),
                ..camera.clone()
            }
        });
        Rig::new(cameras.collect(), rig.reference()).expect("only the poses differ")
    }

    /// Whether an image comes at all.
    pub fn lets_through(&self, camera: usize, stamp: Stamp) -> bool {
        match *self {
            Self::CameraLost(lost) => camera != lost,
            Self::ImagesLost(share) => noise_of(camera, stamp).unit() >= share,
            _ => true,
        }
    }

    fn changes_pictures(&self) -> bool {
        matches!(
            self,
            Self::Dark(_)
                | Self::Bright(_)
                | Self::MotionBlur(_)
                | Self::Jpeg(_)
                | Self::ColourShift(_)
                | Self::FewLevels(_)
        )
    }
}

/// A drive whose pictures are corrupted on their way. What [`Corruption::lets_through`] and
/// [`Corruption::believed_rig`] say is not applied here.
pub struct CorruptedDrive<D> {
    drive: D,
    corruption: Corruption,
    rgb: Vec<u8>,
    nv12: Vec<u8>,
    jpeg: Vec<u8>,
    decoder: JpegDecoder,
}

impl<D: DriveSource> CorruptedDrive<D> {
    /// Corrupts the pictures of `drive`.
    pub fn new(drive: D, corruption: Corruption) -> Self {
        Self {
            drive,
            corruption,
            rgb: Vec::new(),
            nv12: Vec::new(),
            jpeg: Vec::new(),
            decoder: JpegDecoder::default(),
        }
    }
}

impl<D: DriveSource> DriveSource for CorruptedDrive<D> {
    fn rig(&self) -> &Rig {
        self.drive.rig()
    }

    fn ego_motion(&self) -> EgoMotionSource {
        self.drive.ego_motion()
    }

    fn next_event(&mut self) -> Result<Option<DriveEvent<'_>>, SourceError> {
        let event = match self.drive.next_event()? {
            Some(DriveEvent::Image(event)) if self.corruption.changes_pictures() => event,
            other => return Ok(other),
        };
        let (width, height) = (event.image.width(), event.image.height());
        self.rgb.clear();
        self.rgb.extend_from_slice(event.rgb);
        let (camera, stamp, arrival) = (event.camera, event.stamp, event.arrival);
        match self.corruption {
            Corruption::Dark(factor) => {
                let mut noise = noise_of(camera, stamp);
                for level in &mut self.rgb {
                    // The sum of three uniform numbers is nearly normal, with deviation one.
                    let sum: f64 = (0..3).map(|_| noise.signed()).sum();
                    *level = (f64::from(*level) / factor + 2.0 * sum).round() as u8;
                }
            }
            Corruption::Bright(factor) => {
                scale(&mut self.rgb, [factor; 3]);
            }
            Corruption::ColourShift(share) => {
                scale(&mut self.rgb, [1.0 + share, 1.0, 1.0 - share]);
            }
            Corruption::FewLevels(bits) => {
                let lost = 8 - bits.clamp(1, 8);
                for level in &mut self.rgb {
                    *level = *level >> lost << lost | ((1 << lost) >> 1);
                }
            }
            Corruption::MotionBlur(share) => {
                let reach = (share * f64::from(width)).round().max(1.0) as usize;
                smear(&mut self.rgb, event.rgb, width as usize, reach);
            }
            Corruption::Jpeg(quality) => {
                self.jpeg.clear();
                // Sizes fit: the bytes are those of a picture of this size, and we wrote the file.
                let is_written =
                    encode_jpeg(event.rgb, width, height, quality, &mut self.jpeg).is_ok();
                if is_written && let Ok(picture) = self.decoder.decode(&self.jpeg) {
                    self.rgb.copy_from_slice(&picture.bytes);
                }
            }
            _ => {}
        }
        self.nv12.resize(nv12_len(width, height), 0);
        rgb_to_nv12(
            &self.rgb,
            width,
            height,
            YuvMatrix::Bt601Limited,
            &mut self.nv12,
        );
        let image =
            ImageView::packed(PixelFormat::Nv12, width, height, &self.nv12).map_err(|problem| {
                SourceError::Image {
                    camera: camera.to_string(),
                    problem,
                }
            })?;
        Ok(Some(DriveEvent::Image(ImageEvent {
            camera,
            stamp,
            arrival,
            image,
            rgb: &self.rgb,
        })))
    }
}

/// Multiplies levels by channel.
fn scale(rgb: &mut [u8], factors: [f64; 3]) {
    for pixel in rgb.chunks_exact_mut(3) {
        for (level, factor) in pixel.iter_mut().zip(factors) {
            *level = (f64::from(*level) * factor).round() as u8;
        }
    }
}

/// Means over `reach` pixels of a row, from each pixel on; the last pixel goes on beyond the edge.
fn smear(out: &mut [u8], rgb: &[u8], width: usize, reach: usize) {
    let rows = out
        .chunks_exact_mut(3 * width)
        .zip(rgb.chunks_exact(3 * width));
    for (out, row) in rows {
        for channel in 0..3 {
            let at = |column: usize| u32::from(row[3 * column.min(width - 1) + channel]);
            let mut sum: u32 = (0..reach).map(at).sum();
            for column in 0..width {
                out[3 * column + channel] = (sum / reach as u32) as u8;
                sum = sum + at(column + reach) - at(column);
            }
        }
    }
}

/// Noise of one image.
fn noise_of(camera: usize, stamp: Stamp) -> Noise {
    Noise::new((stamp.nanoseconds() as u64) ^ ((camera as u64) << 56))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevrt_calibration::rigs;

    #[test]
    fn lost_images_have_their_share_and_follow_from_the_stamp() {
        let corruption = Corruption::ImagesLost(0.3);
        let come = |camera: usize, k: i64| {
            corruption.lets_through(camera, Stamp::from_nanoseconds(k * 100_000_000))
        };
        let count = (0..6).flat_map(|c| (0..1000).map(move |k| (c, k)));
        let lost = count.filter(|&(c, k)| !come(c, k)).count();
        assert!((1650..1950).contains(&lost), "{lost}");
        assert_eq!(come(2, 17), come(2, 17));
        assert!(!Corruption::CameraLost(3).lets_through(3, Stamp::ZERO));
        assert!(Corruption::CameraLost(3).lets_through(2, Stamp::ZERO));
    }

    #[test]
    fn a_wrong_calibration_is_wrong_by_what_it_says() {
        let rig = rigs::six_pinhole();
        let (shift_m, turn_rad) = (0.05, 0.017);
        let believed = Corruption::Calibration { shift_m, turn_rad }.believed_rig(&rig);
        for (camera, believed) in rig.cameras().iter().zip(believed.cameras()) {
            let (truth, belief) = (&camera.ego_from_cam, &believed.ego_from_cam);
            let shift = (truth.translation() - belief.translation()).norm();
            assert!((shift - shift_m).abs() < 1e-12);
            assert!((truth.rotation().angle_to(belief.rotation()) - turn_rad).abs() < 1e-9);
        }
        assert_eq!(Corruption::Dark(4.0).believed_rig(&rig), rig);
    }

    #[test]
    fn a_smear_keeps_the_mean_and_lowers_the_edge() {
        let row: Vec<u8> = (0..40)
            .flat_map(|u| [if u < 20 { 10 } else { 200 }; 3])
            .collect();
        let mut out = row.clone();
        smear(&mut out, &row, 40, 4);
        let levels: Vec<u8> = out.chunks_exact(3).map(|pixel| pixel[1]).collect();
        assert_eq!(levels[15], 10);
        assert_eq!(levels[17..21], [57, 105, 152, 200]);
    }
}
