//! What a call tells: one number, append-only.

use bevrt_runtime::{
    EgoMotionFault, FrameError, PackageError, SetupError, SignatureProblem, SyncRefusal,
};

/// The result of a call, as it crosses the C ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
#[non_exhaustive]
pub enum Status {
    /// It was done.
    Ok = 0,
    /// Nothing is due: no frame yet. Not an error.
    Waiting = 1,
    /// A pointer that must not be NULL is NULL.
    NullPointer = 2,
    /// A pointer is not aligned for what it points to.
    Misaligned = 3,
    /// A number is none of those that are allowed.
    InvalidArgument = 4,
    /// The handle was never given out, or is destroyed.
    InvalidHandle = 5,
    /// `struct_size` or a buffer is smaller than in the first version, or holds unknown options.
    StructSize = 6,
    /// What was asked for is not built in.
    Unsupported = 7,
    /// The call panicked: a bug of ours. The handle can only be destroyed.
    Panic = 8,
    /// An earlier call panicked. The handle can only be destroyed.
    Poisoned = 9,
    /// Not from inside a callback.
    InCallback = 10,
    /// The pipeline belongs to a worker, which must be used or destroyed first.
    WorkerAttached = 11,
    /// A frame is borrowed and must be returned first.
    FrameBorrowed = 12,
    /// The frame is none that is borrowed.
    NotBorrowed = 13,
    /// The worker's queue is full; nothing was taken.
    QueueFull = 14,
    /// The worker was destroyed before it came to this image.
    Cancelled = 15,
    /// The process has no more handles of this kind.
    TooManyHandles = 16,
    /// The model package is wrong, damaged or not there.
    Package = 32,
    /// A rig or calibration is wrong.
    Calibration = 33,
    /// ONNX Runtime is not there, or refuses the network or the provider.
    EngineLoad = 34,
    /// The golden cases of the package fail on this machine.
    Golden = 35,
    /// An option cannot be.
    Option = 36,
    /// The package must be signed, and has no signature, or none that can be read.
    SignatureMissing = 37,
    /// The package was changed after it was signed.
    SignatureWrong = 38,
    /// The package is signed by a key that is not trusted.
    SignatureUnknownKey = 39,
    /// The image has not the size of its camera.
    ImageSize = 64,
    /// The pixel format was not asked for at creation.
    ImageFormat = 65,
    /// Planes or strides do not hold the image.
    ImageLayout = 66,
    /// The rig has no such camera.
    UnknownCamera = 67,
    /// The camera is switched off.
    CameraDisabled = 68,
    /// The camera gave this stamp before.
    ImageRepeated = 69,
    /// The camera gave a later stamp before.
    ImageOutOfOrder = 70,
    /// The camera gave the same picture with another stamp.
    ImageFrozen = 71,
    /// The frame of this image is already made.
    ImageLate = 72,
    /// The stamp is too far from those of the other cameras, or after its arrival.
    ImageOutOfTolerance = 73,
    /// Two older frames are waiting: step, then push it again.
    ImageOverrun = 74,
    /// The picture shows nothing: one tone or nothing but noise.
    ImageBlind = 75,
    /// The ego motion is not a finite number.
    MotionNotFinite = 96,
    /// The ego motion is beyond what the vehicle does.
    MotionImplausible = 97,
    /// The ego motion is not later than the one before.
    MotionBackwards = 98,
    /// The pipeline takes the other kind of ego motion.
    MotionSource = 99,
    /// The ego motion was refused for another reason; the next frame's health tells it.
    MotionRefused = 100,
    /// The engine failed, or lacks a tensor.
    Engine = 128,
}

/// All members with their texts; the compiler tells when one is missing.
macro_rules! texts {
    ($($name:ident: $text:literal,)+) => {
        impl Status {
            /// Every status, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// What it means, in a few words.
            pub const fn text(self) -> &'static std::ffi::CStr {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

texts! {
    Ok: c"ok",
    Waiting: c"nothing is due yet",
    NullPointer: c"a pointer is NULL",
    Misaligned: c"a pointer is not aligned",
    InvalidArgument: c"an argument is out of range",
    InvalidHandle: c"the handle is not alive",
    StructSize: c"the size of a struct or buffer does not fit",
    Unsupported: c"not supported",
    Panic: c"internal error; the handle can only be destroyed",
    Poisoned: c"an earlier internal error left the handle unusable",
    InCallback: c"not allowed inside a callback",
    WorkerAttached: c"a worker drives this pipeline",
    FrameBorrowed: c"a frame is borrowed",
    NotBorrowed: c"this frame is not borrowed",
    QueueFull: c"the queue is full",
    Cancelled: c"cancelled by destroy",
    TooManyHandles: c"too many handles",
    Package: c"the model package cannot be used",
    Calibration: c"the calibration cannot be used",
    EngineLoad: c"the network cannot be loaded",
    Golden: c"the golden self-test failed",
    Option: c"an option cannot be used",
    SignatureMissing: c"the model package is not signed",
    SignatureWrong: c"the signature of the model package is wrong",
    SignatureUnknownKey: c"the model package is signed by a key that is not trusted",
    ImageSize: c"the image has not the size of its camera",
    ImageFormat: c"the pixel format is not provided for",
    ImageLayout: c"planes or strides do not hold the image",
    UnknownCamera: c"the rig has no such camera",
    CameraDisabled: c"the camera is switched off",
    ImageRepeated: c"the camera gave this stamp before",
    ImageOutOfOrder: c"the camera gave a later stamp before",
    ImageFrozen: c"the picture is frozen",
    ImageLate: c"the frame of this image is already made",
    ImageOutOfTolerance: c"the stamp fits no frame",
    ImageOverrun: c"older frames are waiting to be stepped",
    ImageBlind: c"the picture shows nothing",
    MotionNotFinite: c"the ego motion is not finite",
    MotionImplausible: c"the ego motion is implausible",
    MotionBackwards: c"the ego motion is not later than before",
    MotionSource: c"the pipeline takes the other kind of ego motion",
    MotionRefused: c"the ego motion was refused",
    Engine: c"the engine failed",
}

impl Status {
    /// The status of that number.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|status| status.number() == number)
    }

    /// The number that crosses the ABI.
    pub const fn number(self) -> i32 {
        self as i32
    }
}

/// A status with the text that explains it.
#[derive(Debug)]
pub struct Failure {
    /// What crosses the ABI.
    pub status: Status,
    /// More than the status tells: file, field, what was expected and what was found.
    pub text: Option<String>,
}

impl Failure {
    /// A failure that names what was expected and found.
    pub fn new(status: Status, text: impl Into<String>) -> Self {
        Self {
            status,
            text: Some(text.into()),
        }
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self { status, text: None }
    }
}

impl From<SetupError> for Failure {
    fn from(error: SetupError) -> Self {
        let status = match error {
            SetupError::Package(PackageError::Signature { problem, .. }) => match problem {
                SignatureProblem::Missing | SignatureProblem::Malformed => Status::SignatureMissing,
                SignatureProblem::Wrong { .. } => Status::SignatureWrong,
                SignatureProblem::UnknownKey { .. } => Status::SignatureUnknownKey,
            },
            SetupError::Package(_) => Status::Package,
            SetupError::Engine(_) => Status::EngineLoad,
            SetupError::Golden(_) => Status::Golden,
            SetupError::Thread(_) => Status::Unsupported,
            SetupError::Calibration(_) | SetupError::Images { .. } | SetupError::Lens { .. } => {
                Status::Calibration
            }
            SetupError::Sync(_)
            | SetupError::EgoMotion(_)
            | SetupError::Queue(_)
            | SetupError::StepRunning
            | SetupError::Limit { .. } => Status::Option,
        };
        Self::new(status, with_causes(&error))
    }
}

impl From<bevrt_calibration::CalibrationError> for Failure {
    fn from(error: bevrt_calibration::CalibrationError) -> Self {
        Self::new(Status::Calibration, with_causes(&error))
    }
}

impl From<FrameError> for Status {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::ImageSize => Self::ImageSize,
            FrameError::ImageFormat => Self::ImageFormat,
            FrameError::Refused(refusal) => match refusal {
                SyncRefusal::UnknownCamera => Self::UnknownCamera,
                SyncRefusal::Disabled => Self::CameraDisabled,
                SyncRefusal::Repeated => Self::ImageRepeated,
                SyncRefusal::OutOfOrder => Self::ImageOutOfOrder,
                SyncRefusal::Frozen => Self::ImageFrozen,
                SyncRefusal::Blind => Self::ImageBlind,
                SyncRefusal::Late => Self::ImageLate,
                SyncRefusal::OutOfTolerance => Self::ImageOutOfTolerance,
                SyncRefusal::Overrun => Self::ImageOverrun,
            },
            FrameError::NoStepRunning => Self::Waiting,
            FrameError::StepRunning | FrameError::Engine(_) | FrameError::Queue(_) => Self::Engine,
        }
    }
}

impl From<EgoMotionFault> for Status {
    fn from(fault: EgoMotionFault) -> Self {
        match fault {
            EgoMotionFault::NotFinite => Self::MotionNotFinite,
            EgoMotionFault::Implausible => Self::MotionImplausible,
            EgoMotionFault::Backwards => Self::MotionBackwards,
            EgoMotionFault::WrongSource => Self::MotionSource,
            EgoMotionFault::Absent
            | EgoMotionFault::TooOld
            | EgoMotionFault::Stale
            | EgoMotionFault::Gap
            | EgoMotionFault::Jump => Self::MotionRefused,
        }
    }
}

/// The message of an error, then those of its causes that it does not repeat.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let part = error.to_string();
        if !text.contains(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_and_none_is_used_twice() {
        assert!(
            Status::ALL
                .windows(2)
                .all(|pair| pair[0].number() < pair[1].number())
        );
        for &status in Status::ALL {
            assert_eq!(Status::from_number(status.number()), Some(status));
            assert!(!status.text().is_empty());
        }
        assert_eq!(Status::from_number(-1), None);
    }

    #[test]
    fn ego_motion_that_is_refused_for_another_reason_has_a_status() {
        // Buffers of today refuse none for these; a status is there for those that will.
        for fault in [
            EgoMotionFault::Absent,
            EgoMotionFault::TooOld,
            EgoMotionFault::Stale,
            EgoMotionFault::Gap,
            EgoMotionFault::Jump,
        ] {
            assert_eq!(Status::from(fault), Status::MotionRefused);
        }
    }
}
