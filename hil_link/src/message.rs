//! The messages: a header, a fixed head for each kind, and bytes. All numbers are little-endian.

use bevrt_calibration::{Ego, Odom, Pose};
use bevrt_hil::source::DriveEvent;
use bevrt_runtime::{
    ColourMatrix, ColourRange, EgoMotionSource, ImageError, ImageView, PixelFormat, Stamp,
};
use nalgebra::{Quaternion, UnitQuaternion, Vector3};
use zerocopy::little_endian::{F64, I64, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

const MAGIC: [u8; 4] = *b"BVHL";
/// A change of any layout here raises it.
const VERSION: u8 = 2;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    // From the bench.
    Hello = 1,
    Image = 2,
    Rates = 3,
    Pose = 4,
    Ping = 5,
    Clock = 6,
    End = 7,
    // From the unit.
    Ready = 16,
    Refused = 17,
    Unknown = 18,
    Pong = 19,
    Frame = 20,
    Health = 21,
    Times = 22,
    Done = 23,
}

impl Kind {
    const ALL: [Self; 15] = [
        Self::Hello,
        Self::Image,
        Self::Rates,
        Self::Pose,
        Self::Ping,
        Self::Clock,
        Self::End,
        Self::Ready,
        Self::Refused,
        Self::Unknown,
        Self::Pong,
        Self::Frame,
        Self::Health,
        Self::Times,
        Self::Done,
    ];
}

/// Begins every message.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct Header {
    magic: [u8; 4],
    version: u8,
    kind: u8,
    reserved: [u8; 2],
    /// Number of the drive, drawn by the bench.
    pub(crate) drive: U64,
    /// Number of the unit's process, drawn by it; 0 from a bench that does not know it yet.
    pub(crate) unit: U64,
    /// Events: their number in the drive. Answers: the number of the event that they answer.
    pub(crate) sequence: U64,
    /// The sender's clock.
    pub(crate) sent_ns: I64,
    payload_bytes: U32,
    reserved_2: U32,
}

/// How a drive is to be run.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct HelloHead {
    is_lockstep: u8,
    ego_motion: u8,
    reserved: [u8; 6],
}

/// Before the bytes of an image, all planes without padding.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct ImageHead {
    pub(crate) stamp_ns: I64,
    pub(crate) arrival_ns: I64,
    pub(crate) camera: U32,
    width: U32,
    height: U32,
    format: u8,
    matrix: u8,
    range: u8,
    reserved: u8,
}

/// Speed and yaw rate.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct RatesBody {
    pub(crate) stamp_ns: I64,
    pub(crate) arrival_ns: I64,
    pub(crate) speed_mps: F64,
    pub(crate) yaw_rate_radps: F64,
}

/// A pose in an odometry frame.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct PoseBody {
    pub(crate) stamp_ns: I64,
    pub(crate) arrival_ns: I64,
    translation_m: [F64; 3],
    quaternion_wxyz: [F64; 4],
}

/// The clock of the drive in real time: at `unit_ns` of the unit's clock it shows `drive_ns`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct ClockBody {
    pub(crate) unit_ns: I64,
    pub(crate) drive_ns: I64,
    pub(crate) speed: F64,
}

/// The answer to a ping; the header says when it was sent.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct PongBody {
    /// As the ping's header says it, on the bench's clock.
    pub(crate) ping_sent_ns: I64,
    /// On the unit's clock.
    pub(crate) ping_received_ns: I64,
}

/// Before a protected frame, its protected health, its measured times.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct FrameHead {
    /// The unit's clock when the frame's last image came; 0 when that is not known.
    pub(crate) received_ns: I64,
    /// The unit's clock when the frame was done.
    pub(crate) done_ns: I64,
    /// The how manieth frame of its event.
    pub(crate) index: U32,
    reserved: U32,
}

/// An event was worked on.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct DoneBody {
    /// Frames of this event.
    pub(crate) frames_now: U64,
    /// Frames of the drive so far; likewise below.
    pub(crate) frames: U64,
    pub(crate) events: U64,
    pub(crate) refused_images: U64,
    pub(crate) refused_motion: U64,
    /// Sets of images that gave way to a newer one, in real time.
    pub(crate) dropped_sets: U64,
}

/// A message as it was read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Body<'a> {
    Hello {
        is_lockstep: bool,
        ego_motion: EgoMotionSource,
        rig: &'a str,
    },
    Image(&'a ImageHead, &'a [u8]),
    Rates(&'a RatesBody),
    Pose(&'a PoseBody),
    Ping,
    Clock(&'a ClockBody),
    End,
    Ready,
    Refused(&'a str),
    Unknown,
    Pong(&'a PongBody),
    Frame(&'a FrameHead, &'a [u8]),
    Health(&'a FrameHead, &'a [u8]),
    Times(&'a FrameHead, &'a [I64]),
    Done(&'a DoneBody),
}

/// Reads a message; `None` when it is none of this version.
pub(crate) fn read(message: &[u8]) -> Option<(&Header, Body<'_>)> {
    let (header, payload) = Header::ref_from_prefix(message).ok()?;
    if header.magic != MAGIC
        || header.version != VERSION
        || header.payload_bytes.get() as usize != payload.len()
    {
        return None;
    }
    let kind = Kind::ALL
        .into_iter()
        .find(|kind| *kind as u8 == header.kind)?;
    Some((header, body(kind, payload)?))
}

fn body(kind: Kind, payload: &[u8]) -> Option<Body<'_>> {
    Some(match kind {
        Kind::Hello => {
            let (head, rest) = HelloHead::ref_from_prefix(payload).ok()?;
            Body::Hello {
                is_lockstep: head.is_lockstep != 0,
                ego_motion: match head.ego_motion {
                    0 => EgoMotionSource::Poses,
                    1 => EgoMotionSource::Rates,
                    _ => return None,
                },
                rig: std::str::from_utf8(rest).ok()?,
            }
        }
        Kind::Image => {
            let (head, bytes) = ImageHead::ref_from_prefix(payload).ok()?;
            Body::Image(head, bytes)
        }
        Kind::Rates => Body::Rates(RatesBody::ref_from_bytes(payload).ok()?),
        Kind::Pose => Body::Pose(PoseBody::ref_from_bytes(payload).ok()?),
        Kind::Clock => Body::Clock(ClockBody::ref_from_bytes(payload).ok()?),
        Kind::Ping => Body::Ping,
        Kind::End => Body::End,
        Kind::Ready => Body::Ready,
        Kind::Refused => Body::Refused(std::str::from_utf8(payload).ok()?),
        Kind::Unknown => Body::Unknown,
        Kind::Pong => Body::Pong(PongBody::ref_from_bytes(payload).ok()?),
        Kind::Frame => {
            let (head, bytes) = FrameHead::ref_from_prefix(payload).ok()?;
            Body::Frame(head, bytes)
        }
        Kind::Health => {
            let (head, bytes) = FrameHead::ref_from_prefix(payload).ok()?;
            Body::Health(head, bytes)
        }
        Kind::Times => {
            let (head, bytes) = FrameHead::ref_from_prefix(payload).ok()?;
            Body::Times(head, <[I64]>::ref_from_bytes(bytes).ok()?)
        }
        Kind::Done => Body::Done(DoneBody::ref_from_bytes(payload).ok()?),
    })
}

/// Writes a message of a drive; [`seal`] completes it when it is sent.
pub(crate) fn write(kind: Kind, drive: u64, sequence: u64, parts: &[&[u8]]) -> Vec<u8> {
    let payload_bytes: usize = parts.iter().map(|part| part.len()).sum();
    let header = Header {
        magic: MAGIC,
        version: VERSION,
        kind: kind as u8,
        reserved: [0; 2],
        drive: drive.into(),
        unit: 0.into(),
        sequence: sequence.into(),
        sent_ns: 0.into(),
        payload_bytes: u32::try_from(payload_bytes).unwrap_or(u32::MAX).into(),
        reserved_2: 0.into(),
    };
    let mut message = Vec::with_capacity(size_of::<Header>() + payload_bytes);
    message.extend_from_slice(header.as_bytes());
    for part in parts {
        message.extend_from_slice(part);
    }
    message
}

/// Says which unit is meant and when the message is sent.
pub(crate) fn seal(message: &mut [u8], unit: u64, sent_ns: i64) {
    if let Ok((header, _)) = Header::mut_from_prefix(message) {
        header.unit = unit.into();
        header.sent_ns = sent_ns.into();
    }
}

/// The beginning of a drive.
pub(crate) fn hello(drive: u64, is_lockstep: bool, source: EgoMotionSource, rig: &str) -> Vec<u8> {
    let head = HelloHead {
        is_lockstep: is_lockstep.into(),
        ego_motion: match source {
            EgoMotionSource::Poses => 0,
            EgoMotionSource::Rates => 1,
        },
        reserved: [0; 6],
    };
    write(Kind::Hello, drive, 0, &[head.as_bytes(), rig.as_bytes()])
}

/// An event as a message; `None` for ground truth, which never reaches a unit.
pub(crate) fn event(drive: u64, sequence: u64, event: &DriveEvent<'_>) -> Option<Vec<u8>> {
    Some(match event {
        DriveEvent::Image(image) => {
            let view = &image.image;
            let head = ImageHead {
                stamp_ns: image.stamp.nanoseconds().into(),
                arrival_ns: image.arrival.nanoseconds().into(),
                camera: (image.camera as u32).into(),
                width: view.width().into(),
                height: view.height().into(),
                format: number_of(view.format()),
                matrix: (view.colour_matrix() == ColourMatrix::Bt709).into(),
                range: (view.colour_range() == ColourRange::Full).into(),
                reserved: 0,
            };
            let rows = rows_of(view);
            let parts: Vec<&[u8]> = std::iter::once(head.as_bytes()).chain(rows).collect();
            write(Kind::Image, drive, sequence, &parts)
        }
        DriveEvent::VehicleMotion {
            stamp,
            arrival,
            speed_mps,
            yaw_rate_radps,
        } => {
            let body = RatesBody {
                stamp_ns: stamp.nanoseconds().into(),
                arrival_ns: arrival.nanoseconds().into(),
                speed_mps: (*speed_mps).into(),
                yaw_rate_radps: (*yaw_rate_radps).into(),
            };
            write(Kind::Rates, drive, sequence, &[body.as_bytes()])
        }
        DriveEvent::Pose {
            stamp,
            arrival,
            odom_from_ego,
        } => {
            let (t, q) = (odom_from_ego.translation(), odom_from_ego.rotation());
            let body = PoseBody {
                stamp_ns: stamp.nanoseconds().into(),
                arrival_ns: arrival.nanoseconds().into(),
                translation_m: [t.x.into(), t.y.into(), t.z.into()],
                quaternion_wxyz: [q.w.into(), q.i.into(), q.j.into(), q.k.into()],
            };
            write(Kind::Pose, drive, sequence, &[body.as_bytes()])
        }
        DriveEvent::Truth(_) => return None,
    })
}

/// All rows of all planes without padding.
fn rows_of<'a>(view: &'a ImageView<'_>) -> impl Iterator<Item = &'a [u8]> {
    let (format, width, height) = (view.format(), view.width(), view.height());
    let row_bytes = format.row_bytes(width as usize);
    view.planes()
        .iter()
        .enumerate()
        .flat_map(move |(index, plane)| {
            (0..format.rows(index, height as usize)).map(move |row| {
                let begin = row * plane.stride;
                &plane.bytes[begin..begin + row_bytes]
            })
        })
}

fn number_of(format: PixelFormat) -> u8 {
    match format {
        PixelFormat::Nv12 => 0,
        PixelFormat::Yuyv => 1,
        PixelFormat::Rgb => 2,
        PixelFormat::Bgr => 3,
        PixelFormat::Grey => 4,
    }
}

impl ImageHead {
    /// The image; `None` where the format is not known.
    pub(crate) fn view<'a>(&self, bytes: &'a [u8]) -> Option<Result<ImageView<'a>, ImageError>> {
        let format = match self.format {
            0 => PixelFormat::Nv12,
            1 => PixelFormat::Yuyv,
            2 => PixelFormat::Rgb,
            3 => PixelFormat::Bgr,
            4 => PixelFormat::Grey,
            _ => return None,
        };
        let matrix = match self.matrix {
            0 => ColourMatrix::Bt601,
            1 => ColourMatrix::Bt709,
            _ => return None,
        };
        let range = match self.range {
            0 => ColourRange::Limited,
            1 => ColourRange::Full,
            _ => return None,
        };
        let view = ImageView::packed(format, self.width.get(), self.height.get(), bytes);
        Some(view.map(|view| view.with_colour(matrix, range)))
    }
}

impl PoseBody {
    /// The pose, bit by bit; `None` where it is none.
    pub(crate) fn pose(&self) -> Option<Pose<Odom, Ego>> {
        let [w, i, j, k] = self.quaternion_wxyz.map(F64::get);
        let translation = Vector3::from(self.translation_m.map(F64::get));
        Pose::<Odom, Ego>::from_quaternion_wxyz([w, i, j, k], translation).ok()?;
        // Reading would scale a quaternion whose last bits are off.
        let rotation = UnitQuaternion::new_unchecked(Quaternion::new(w, i, j, k));
        Some(Pose::new(rotation, translation))
    }
}

impl FrameHead {
    pub(crate) fn new(received_ns: i64, done_ns: i64, index: u32) -> Self {
        Self {
            received_ns: received_ns.into(),
            done_ns: done_ns.into(),
            index: index.into(),
            reserved: 0.into(),
        }
    }
}

/// An instant of the wire.
pub(crate) fn stamp(nanoseconds: I64) -> Stamp {
    Stamp::from_nanoseconds(nanoseconds.get())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevrt_hil::source::ImageEvent;
    use bevrt_runtime::Plane;

    #[test]
    fn an_image_with_padded_rows_comes_back_without_padding() {
        let luma: Vec<u8> = (0..40).collect();
        let chroma: Vec<u8> = (100..120).collect();
        let planes = [(&luma, 10), (&chroma, 10)].map(|(bytes, stride)| Plane { bytes, stride });
        let image = ImageView::new(PixelFormat::Nv12, 8, 4, &planes)
            .expect("the planes hold it")
            .with_colour(ColourMatrix::Bt709, ColourRange::Full);
        let sent = DriveEvent::Image(ImageEvent {
            camera: 5,
            stamp: Stamp::from_nanoseconds(-7),
            arrival: Stamp::from_nanoseconds(9),
            image,
            rgb: &[],
            jpeg: None,
        });
        let mut message = event(3, 4, &sent).expect("an image is sent");
        seal(&mut message, 11, 12);
        let (header, body) = read(&message).expect("it is ours");
        assert_eq!((header.drive.get(), header.sequence.get()), (3, 4));
        assert_eq!((header.unit.get(), header.sent_ns.get()), (11, 12));
        let Body::Image(head, bytes) = body else {
            panic!("{body:?}");
        };
        assert_eq!((head.stamp_ns.get(), head.arrival_ns.get()), (-7, 9));
        assert_eq!(head.camera.get(), 5);
        let view = head.view(bytes).expect("a format").expect("its bytes");
        assert_eq!(view.colour_matrix(), ColourMatrix::Bt709);
        assert_eq!(view.colour_range(), ColourRange::Full);
        assert_eq!(&view.planes()[0].bytes[8..16], &luma[10..18]);
        assert_eq!(&view.planes()[1].bytes[8..16], &chroma[10..18]);
    }

    #[test]
    fn a_pose_comes_back_bit_by_bit() {
        // Off by more than reading would tolerate without scaling.
        let q = Quaternion::new(0.6 + 3e-15, 0.0, 0.8, 0.0);
        let pose = Pose::new(
            UnitQuaternion::new_unchecked(q),
            Vector3::new(0.1, -2e9, f64::MIN_POSITIVE),
        );
        let sent = DriveEvent::Pose {
            stamp: Stamp::ZERO,
            arrival: Stamp::ZERO,
            odom_from_ego: pose,
        };
        let message = event(1, 2, &sent).expect("a pose is sent");
        let Some((_, Body::Pose(body))) = read(&message) else {
            panic!("a pose");
        };
        assert_eq!(body.pose(), Some(pose));
    }

    #[test]
    fn cut_and_foreign_messages_are_no_messages() {
        let message = hello(1, true, EgoMotionSource::Rates, "a rig");
        assert!(matches!(
            read(&message),
            Some((
                _,
                Body::Hello {
                    is_lockstep: true,
                    rig: "a rig",
                    ..
                }
            ))
        ));
        for length in 0..message.len() {
            assert!(read(&message[..length]).is_none(), "{length} bytes");
        }
        for place in [0, 4, 5, 48 + 1] {
            let mut foreign = message.clone();
            foreign[place] = 99;
            assert!(read(&foreign).is_none(), "byte {place}");
        }
    }
}
