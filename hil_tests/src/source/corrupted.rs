//! Drives whose input is worse than what the network was trained on.

use bevrt_calibration::{Camera, Intrinsics, Pose, Rig};
use bevrt_runtime::{EgoMotionSource, ImageView, PixelFormat, Stamp};
use bevrt_sim::{Condition, Random, YuvMatrix, nv12_len, rgb_to_nv12};
use nalgebra::{UnitQuaternion, Vector3};

use super::{DriveEvent, DriveSource, ImageEvent, SourceError};
use crate::logs::{JpegDecoder, encode_jpeg};

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
    /// Levels are divided by this, and noise with a standard deviation of two levels is added.
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
    /// Cameras sit elsewhere than usual, and the calibration says so.
    OtherMounts {
        /// Each camera's displacement, metres.
        shift_m: f64,
        /// Each camera's rotation, radians.
        turn_rad: f64,
    },
    /// Focal lengths are this many times the usual ones, and the calibration says so.
    OtherLenses(f64),
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
            Self::Calibration { shift_m, turn_rad } => {
                let (cm, degrees) = (100.0 * shift_m, turn_rad.to_degrees());
                match (shift_m == 0.0, turn_rad == 0.0) {
                    (true, false) => format!("calibration off by {degrees:.2} deg"),
                    (false, true) => format!("calibration off by {cm:.0} cm"),
                    _ => format!("calibration off by {cm:.0} cm, {degrees:.2} deg"),
                }
            }
            Self::OtherMounts { shift_m, turn_rad } => format!(
                "cameras moved by {:.0} cm, {:.2} deg, calibrated",
                100.0 * shift_m,
                turn_rad.to_degrees()
            ),
            Self::OtherLenses(factor) => format!("focal lengths times {factor}, calibrated"),
        }
    }

    /// The cameras as they really are, where they usually are as in `rig`.
    ///
    /// Every camera is displaced in a direction of its own, always the same one.
    pub fn true_rig(&self, rig: &Rig) -> Rig {
        match *self {
            Self::OtherMounts { shift_m, turn_rad } => displaced(rig, shift_m, turn_rad),
            Self::OtherLenses(factor) => with_focal_lengths(rig, factor),
            _ => rig.clone(),
        }
    }

    /// What is given for the calibration of the cameras.
    pub fn believed_rig(&self, rig: &Rig) -> Rig {
        match *self {
            Self::Calibration { shift_m, turn_rad } => displaced(rig, shift_m, turn_rad),
            _ => self.true_rig(rig),
        }
    }

    /// Whether an image comes at all.
    pub fn lets_through(&self, camera: usize, stamp: Stamp) -> bool {
        match *self {
            Self::CameraLost(lost) => camera != lost,
            Self::ImagesLost(share) => random_of(camera, stamp).unit() >= share,
            _ => true,
        }
    }
}

fn with_cameras(rig: &Rig, changed: impl Fn(usize, &Camera) -> Camera) -> Rig {
    let cameras = rig.cameras().iter().enumerate();
    let cameras = cameras.map(|(index, camera)| changed(index, camera));
    Rig::new(cameras.collect(), rig.reference()).expect("names and their number are the same")
}

fn displaced(rig: &Rig, shift_m: f64, turn_rad: f64) -> Rig {
    with_cameras(rig, |index, camera| {
        let mut random = Random::new(0, index as u64);
        let mut direction = || {
            Vector3::from_fn(|_, _| random.signed())
                .try_normalize(1e-6)
                .unwrap_or_else(Vector3::x)
        };
        let turn = UnitQuaternion::new(direction() * turn_rad);
        let pose = &camera.ego_from_cam;
        Camera {
            ego_from_cam: Pose::new(
                pose.rotation() * turn,
                pose.translation() + direction() * shift_m,
            ),
            ..camera.clone()
        }
    })
}

fn with_focal_lengths(rig: &Rig, factor: f64) -> Rig {
    with_cameras(rig, |_, camera| {
        let usual = &camera.intrinsics;
        let intrinsics = Intrinsics::new(
            [factor * usual.fx(), factor * usual.fy()],
            [usual.cx(), usual.cy()],
            [usual.width(), usual.height()],
            *usual.lens(),
        );
        Camera {
            intrinsics: intrinsics.expect("a longer or shorter lens of a sound camera is sound"),
            ..camera.clone()
        }
    })
}

/// A drive whose pictures are corrupted on their way. What [`Corruption::lets_through`],
/// [`Corruption::true_rig`] and [`Corruption::believed_rig`] say is not applied here.
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
            Some(DriveEvent::Image(event)) => event,
            other => return Ok(other),
        };
        let (width, height) = (event.image.width(), event.image.height());
        let (camera, stamp, arrival) = (event.camera, event.stamp, event.arrival);
        match self.corruption {
            Corruption::Dark(factor) => {
                let mut random = random_of(camera, stamp);
                for level in copied(&mut self.rgb, event.rgb) {
                    let noise = 2.0 * random.normal();
                    *level = (f64::from(*level) / factor + noise).round() as u8;
                }
            }
            Corruption::Bright(factor) => scale(copied(&mut self.rgb, event.rgb), [factor; 3]),
            Corruption::ColourShift(share) => {
                let factors = [1.0 + share, 1.0, 1.0 - share];
                scale(copied(&mut self.rgb, event.rgb), factors);
            }
            Corruption::FewLevels(bits) => {
                let lost = 8 - bits.clamp(1, 8);
                for level in copied(&mut self.rgb, event.rgb) {
                    *level = *level >> lost << lost | ((1 << lost) >> 1);
                }
            }
            Corruption::MotionBlur(share) => {
                let reach = (share * f64::from(width)).round().max(1.0) as usize;
                let out = copied(&mut self.rgb, event.rgb);
                smear(out, event.rgb, width as usize, reach);
            }
            Corruption::Jpeg(quality) => {
                self.jpeg.clear();
                encode_jpeg(event.rgb, width, height, quality, &mut self.jpeg)
                    .expect("the bytes are those of a picture of this size");
                let picture = self.decoder.decode(&self.jpeg);
                let picture = picture.expect("the file was just written");
                copied(&mut self.rgb, &picture.bytes);
            }
            Corruption::None
            | Corruption::Condition(_)
            | Corruption::CameraLost(_)
            | Corruption::ImagesLost(_)
            | Corruption::Calibration { .. }
            | Corruption::OtherMounts { .. }
            | Corruption::OtherLenses(_) => return Ok(Some(DriveEvent::Image(event))),
        }
        self.nv12.resize(nv12_len(width, height), 0);
        rgb_to_nv12(
            &self.rgb,
            width,
            height,
            YuvMatrix::Bt601Limited,
            &mut self.nv12,
        );
        let image = ImageView::packed(PixelFormat::Nv12, width, height, &self.nv12)
            .expect("an NV12 picture of this size came");
        Ok(Some(DriveEvent::Image(ImageEvent {
            camera,
            stamp,
            arrival,
            image,
            rgb: &self.rgb,
            jpeg: None,
        })))
    }
}

/// A copy of a picture in a buffer that is used again and again.
fn copied<'a>(buffer: &'a mut Vec<u8>, rgb: &[u8]) -> &'a mut [u8] {
    buffer.clear();
    buffer.extend_from_slice(rgb);
    buffer
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

/// Random numbers of one image.
fn random_of(camera: usize, stamp: Stamp) -> Random {
    Random::new(stamp.nanoseconds() as u64, camera as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevrt_calibration::rigs;
    use std::collections::BTreeSet;

    const SIZE: (u32, u32) = (64, 32);

    /// A drive of one picture.
    struct OnePicture {
        rig: Rig,
        rgb: Vec<u8>,
        nv12: Vec<u8>,
    }

    impl OnePicture {
        fn new() -> Self {
            let (width, height) = SIZE;
            let rgb: Vec<u8> = (0..height)
                .flat_map(|v| (0..width).flat_map(move |u| [3 * u + v, 5 * v, 90 + u % 7]))
                .map(|level| level as u8)
                .collect();
            let mut nv12 = vec![0; nv12_len(width, height)];
            rgb_to_nv12(&rgb, width, height, YuvMatrix::Bt601Limited, &mut nv12);
            let rig = rigs::six_pinhole();
            Self { rig, rgb, nv12 }
        }
    }

    impl DriveSource for OnePicture {
        fn rig(&self) -> &Rig {
            &self.rig
        }

        fn ego_motion(&self) -> EgoMotionSource {
            EgoMotionSource::Rates
        }

        fn next_event(&mut self) -> Result<Option<DriveEvent<'_>>, SourceError> {
            let (width, height) = SIZE;
            let image = ImageView::packed(PixelFormat::Nv12, width, height, &self.nv12);
            Ok(Some(DriveEvent::Image(ImageEvent {
                camera: 1,
                stamp: Stamp::from_nanoseconds(7),
                arrival: Stamp::from_nanoseconds(9),
                image: image.expect("the size is even"),
                rgb: &self.rgb,
                jpeg: None,
            })))
        }
    }

    /// What comes of the picture.
    fn corrupted(corruption: Corruption) -> Vec<u8> {
        let mut drive = CorruptedDrive::new(OnePicture::new(), corruption);
        match drive.next_event() {
            Ok(Some(DriveEvent::Image(event))) => event.rgb.to_vec(),
            other => panic!("an image was sent, {other:?} came"),
        }
    }

    fn mean(rgb: &[u8], channel: usize) -> f64 {
        let levels = rgb.iter().skip(channel).step_by(3);
        let sum: f64 = levels.map(|level| f64::from(*level)).sum();
        3.0 * sum / rgb.len() as f64
    }

    #[test]
    fn pictures_become_what_the_corruption_says() {
        let clean = OnePicture::new().rgb;
        for untouched in [
            Corruption::None,
            Corruption::CameraLost(0),
            Corruption::ImagesLost(0.5),
        ] {
            assert_eq!(corrupted(untouched), clean);
        }
        let dark = corrupted(Corruption::Dark(2.0));
        assert!((mean(&dark, 0) / mean(&clean, 0) - 0.5).abs() < 0.03);
        let bright = corrupted(Corruption::Bright(1.5));
        assert!((mean(&bright, 2) / mean(&clean, 2) - 1.5).abs() < 0.03);
        let shifted = corrupted(Corruption::ColourShift(0.2));
        assert!((mean(&shifted, 2) / mean(&clean, 2) - 0.8).abs() < 0.03);
        let few: BTreeSet<u8> = corrupted(Corruption::FewLevels(3)).into_iter().collect();
        assert!(few.len() <= 8, "{few:?}");
        for changed in [Corruption::MotionBlur(0.1), Corruption::Jpeg(10)] {
            let picture = corrupted(changed);
            assert_ne!(picture, clean);
            assert!((mean(&picture, 1) - mean(&clean, 1)).abs() < 6.0);
        }
    }

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
        let wrong = Corruption::Calibration { shift_m, turn_rad };
        assert_eq!(wrong.true_rig(&rig), rig);
    }

    #[test]
    fn a_calibration_that_is_wrong_in_one_way_is_right_in_the_other() {
        let rig = rigs::six_pinhole();
        let shifted = Corruption::Calibration {
            shift_m: 0.2,
            turn_rad: 0.0,
        };
        let turned = Corruption::Calibration {
            shift_m: 0.0,
            turn_rad: 0.5_f64.to_radians(),
        };
        assert_eq!(shifted.name(&rig), "calibration off by 20 cm");
        assert_eq!(turned.name(&rig), "calibration off by 0.50 deg");
        let believed = shifted.believed_rig(&rig);
        for (camera, believed) in rig.cameras().iter().zip(believed.cameras()) {
            let (truth, belief) = (&camera.ego_from_cam, &believed.ego_from_cam);
            assert!(truth.rotation().angle_to(belief.rotation()) < 1e-9);
            assert!((truth.translation() - belief.translation()).norm() > 0.19);
        }
        let believed = turned.believed_rig(&rig);
        for (camera, believed) in rig.cameras().iter().zip(believed.cameras()) {
            let (truth, belief) = (&camera.ego_from_cam, &believed.ego_from_cam);
            assert_eq!(truth.translation(), belief.translation());
            assert!(truth.rotation().angle_to(belief.rotation()) > 0.008);
        }
    }

    #[test]
    fn other_mounts_and_lenses_are_calibrated() {
        let rig = rigs::six_pinhole();
        let moved = Corruption::OtherMounts {
            shift_m: 0.05,
            turn_rad: 0.017,
        };
        let longer = Corruption::OtherLenses(1.2);
        for corruption in [moved, longer] {
            assert_eq!(corruption.true_rig(&rig), corruption.believed_rig(&rig));
            assert_ne!(corruption.true_rig(&rig), rig);
        }
        let changed = longer.true_rig(&rig);
        let (usual, longer) = (&rig.cameras()[2], &changed.cameras()[2]);
        let ratio = longer.intrinsics.fx() / usual.intrinsics.fx();
        assert!((ratio - 1.2).abs() < 1e-12);
        assert_eq!(longer.ego_from_cam, usual.ego_from_cam);
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
