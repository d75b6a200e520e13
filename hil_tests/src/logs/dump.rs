//! The raw dump: a drive as a plain file that a C program reads without any library.
//!
//! Little-endian throughout. It begins with `"BEVRTDMP"`, `u32` format (1), `u32` kind of ego motion
//! (0 poses, 1 rates), `u32` length of the rig, `u32` zero, then the rig as TOML. Records follow to
//! the end of the file: `u32` kind, `u32` length of what comes after the record's 24 bytes, `i64`
//! stamp, `i64` arrival (nanoseconds).
//!
//! | kind | what comes after |
//! |---|---|
//! | 1 image | `u32` camera, pixel format, width, height, colour matrix, colour range; the planes without padding between rows |
//! | 2 rates | `f64` speed (m/s), yaw rate (rad/s) |
//! | 3 pose | `f64` translation x, y, z (m), quaternion w, x, y, z |
//!
//! Numbers of formats are those of `bevrt.h`.

use std::io::{self, Write};

use bevrt_calibration::{Ego, Odom, Pose, Rig};
use bevrt_runtime::{ColourMatrix, ColourRange, EgoMotionSource, PixelFormat, Stamp};

use crate::source::{DriveEvent, ImageEvent};

const MAGIC: &[u8; 8] = b"BEVRTDMP";
const FORMAT: u32 = 1;
const IMAGE: u32 = 1;
const RATES: u32 = 2;
const POSE: u32 = 3;

/// Writes a raw dump.
pub struct DumpWriter<W> {
    out: W,
}

impl<W: Write> DumpWriter<W> {
    /// Begins a dump.
    ///
    /// # Errors
    /// What the writer says.
    pub fn new(mut out: W, rig: &Rig, ego_motion: EgoMotionSource) -> io::Result<Self> {
        let rig = rig.to_toml();
        let motion = match ego_motion {
            EgoMotionSource::Poses => 0,
            EgoMotionSource::Rates => 1,
        };
        out.write_all(MAGIC)?;
        for number in [FORMAT, motion, length(rig.len())?, 0] {
            out.write_all(&number.to_le_bytes())?;
        }
        out.write_all(rig.as_bytes())?;
        Ok(Self { out })
    }

    /// Appends an event; ground truth is left out.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write(&mut self, event: &DriveEvent<'_>) -> io::Result<()> {
        match event {
            DriveEvent::Image(image) => self.image(image),
            DriveEvent::VehicleMotion {
                stamp,
                arrival,
                speed_mps,
                yaw_rate_radps,
            } => self.numbers(RATES, *stamp, *arrival, &[*speed_mps, *yaw_rate_radps]),
            DriveEvent::Pose {
                stamp,
                arrival,
                odom_from_ego,
            } => self.numbers(POSE, *stamp, *arrival, &pose_numbers(odom_from_ego)),
            DriveEvent::Truth(_) => Ok(()),
        }
    }

    /// Ends the dump.
    ///
    /// # Errors
    /// What the writer says.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn image(&mut self, event: &ImageEvent<'_>) -> io::Result<()> {
        let image = &event.image;
        let format = image.format();
        let [width, height] = [image.width(), image.height()];
        let row = format.row_bytes(width as usize);
        let rows = |plane: usize| format.rows(plane, height as usize);
        let bytes: usize = (0..format.planes()).map(|plane| rows(plane) * row).sum();
        self.head(IMAGE, length(24 + bytes)?, event.stamp, event.arrival)?;
        let matrix = match image.colour_matrix() {
            ColourMatrix::Bt601 => 0,
            ColourMatrix::Bt709 => 1,
        };
        let range = match image.colour_range() {
            ColourRange::Limited => 0,
            ColourRange::Full => 1,
        };
        for number in [
            length(event.camera)?,
            format_number(format),
            width,
            height,
            matrix,
            range,
        ] {
            self.out.write_all(&number.to_le_bytes())?;
        }
        for (index, plane) in image.planes().iter().enumerate() {
            for line in plane.bytes.chunks(plane.stride).take(rows(index)) {
                self.out.write_all(&line[..row])?;
            }
        }
        Ok(())
    }

    fn numbers(
        &mut self,
        kind: u32,
        stamp: Stamp,
        arrival: Stamp,
        numbers: &[f64],
    ) -> io::Result<()> {
        self.head(kind, length(8 * numbers.len())?, stamp, arrival)?;
        numbers
            .iter()
            .try_for_each(|number| self.out.write_all(&number.to_le_bytes()))
    }

    fn head(&mut self, kind: u32, bytes: u32, stamp: Stamp, arrival: Stamp) -> io::Result<()> {
        self.out.write_all(&kind.to_le_bytes())?;
        self.out.write_all(&bytes.to_le_bytes())?;
        self.out.write_all(&stamp.nanoseconds().to_le_bytes())?;
        self.out.write_all(&arrival.nanoseconds().to_le_bytes())
    }
}

fn pose_numbers(pose: &Pose<Odom, Ego>) -> [f64; 7] {
    let (t, r) = (pose.translation(), pose.rotation());
    [t.x, t.y, t.z, r.w, r.i, r.j, r.k]
}

fn format_number(format: PixelFormat) -> u32 {
    match format {
        PixelFormat::Nv12 => 0,
        PixelFormat::Yuyv => 1,
        PixelFormat::Rgb => 2,
        PixelFormat::Bgr => 3,
        PixelFormat::Grey => 4,
    }
}

fn length(bytes: usize) -> io::Result<u32> {
    u32::try_from(bytes).map_err(|_| io::Error::other("a record is larger than 4 GiB"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevrt_calibration::rigs;
    use bevrt_runtime::{ImageView, Plane};

    fn record(event: &DriveEvent<'_>) -> Vec<u8> {
        let rig = rigs::six_pinhole();
        let start = 24 + rig.to_toml().len();
        let mut bytes = Vec::new();
        let mut writer =
            DumpWriter::new(&mut bytes, &rig, EgoMotionSource::Rates).expect("memory is writable");
        writer.write(event).expect("memory is writable");
        writer.finish().expect("memory is writable");
        assert_eq!(bytes[..12], *b"BEVRTDMP\x01\0\0\0");
        bytes.split_off(start)
    }

    #[test]
    fn rates_stand_in_forty_bytes() {
        let bytes = record(&DriveEvent::VehicleMotion {
            stamp: Stamp::from_nanoseconds(5),
            arrival: Stamp::from_nanoseconds(-6),
            speed_mps: 1.5,
            yaw_rate_radps: -0.25,
        });
        assert_eq!(bytes[..8], [2, 0, 0, 0, 16, 0, 0, 0]);
        assert_eq!(bytes[8..16], 5_i64.to_le_bytes());
        assert_eq!(bytes[16..24], (-6_i64).to_le_bytes());
        assert_eq!(bytes[24..32], 1.5_f64.to_le_bytes());
        assert_eq!(bytes[32..], (-0.25_f64).to_le_bytes());
    }

    #[test]
    fn padding_between_rows_is_left_out() {
        let luma: Vec<u8> = (0..12).collect();
        let chroma: Vec<u8> = (20..26).collect();
        let planes = [
            Plane {
                bytes: &luma,
                stride: 3,
            },
            Plane {
                bytes: &chroma,
                stride: 3,
            },
        ];
        let image = ImageView::new(PixelFormat::Nv12, 2, 4, &planes).expect("the planes hold it");
        let bytes = record(&DriveEvent::Image(ImageEvent {
            camera: 3,
            stamp: Stamp::ZERO,
            arrival: Stamp::ZERO,
            image,
            rgb: &[],
            jpeg: None,
        }));
        assert_eq!(bytes[4..8], 36_u32.to_le_bytes());
        let numbers: Vec<u32> = bytes[24..48]
            .chunks(4)
            .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
            .collect();
        assert_eq!(numbers, [3, 0, 2, 4, 0, 0]);
        assert_eq!(bytes[48..], [0, 1, 3, 4, 6, 7, 9, 10, 20, 21, 23, 24]);
    }
}
