//! Health alone, under profile 4: small enough for one CAN FD frame.

use bevrt_runtime::{
    CameraState, EgoMotionState, HealthReasons, HealthState, MAX_CAMERAS, MAX_SLOTS, OutputFrame,
    SlotState, UnknownKind,
};
use zerocopy::little_endian::{I32, I64, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::channel::Channel;
use crate::error::{ConfigError, ProtectError};
use crate::profile::{Profile, Profile4};
use crate::receiver::{MessageState, Profile4Receiver, ReceiverSpec, may_be_used};
use crate::sender::Profile4Sender;
use crate::state_machine::ChannelState;

/// Layout version of [`HealthMessage`]; a change of the layout raises it.
pub const HEALTH_MESSAGE_VERSION: u8 = 1;

/// Bytes of a protected health message: header of profile 4 and the message.
pub const PROTECTED_HEALTH_BYTES: usize = Profile4::HEADER_BYTES + size_of::<HealthMessage>();

/// A number of four bits that stands for every kind beyond its range.
const UNKNOWN_NIBBLE: u8 = 15;

/// The health of an output frame in 52 bytes, little-endian, without alignment.
///
/// Camera and slot states are four bits each: entry `k` is in byte `k / 2`, the even ones in the
/// low half. Entries beyond the counts are 0.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned,
)]
#[repr(C)]
pub struct HealthMessage {
    /// [`HEALTH_MESSAGE_VERSION`] of the writer.
    pub version: u8,
    /// [`HealthState`].
    pub state: u8,
    /// [`EgoMotionState`].
    pub ego_motion: u8,
    /// Index of the camera whose stamp is the stamp of the frame.
    pub reference_camera: u8,
    /// Cameras of the rig.
    pub camera_count: u8,
    /// Slots of the feature queue.
    pub slot_count: u8,
    /// Zero.
    pub reserved: [u8; 2],
    /// Number of the frame.
    pub sequence: U64,
    /// Exposure mid-point of the reference camera.
    pub stamp_ns: I64,
    /// [`HealthReasons`] as bits.
    pub reason_bits: U64,
    /// Frames since creation or reset that were finished after their deadline.
    pub deadline_misses: U32,
    /// Caller's clock minus stamp of the frame, in microseconds toward zero; clamped beyond
    /// ±35 minutes.
    pub frame_age_us: I32,
    /// [`CameraState`]s; read them by [`HealthMessage::camera`].
    pub camera_nibbles: [u8; MAX_CAMERAS / 2],
    /// [`SlotState`]s; read them by [`HealthMessage::slot`].
    pub slot_nibbles: [u8; MAX_SLOTS / 2],
}

impl HealthMessage {
    /// The health of this frame.
    pub fn of(frame: &OutputFrame) -> Self {
        let health = &frame.health;
        let age_us = health.frame_age_ns / 1000;
        Self {
            version: HEALTH_MESSAGE_VERSION,
            state: health.state,
            ego_motion: health.ego_motion,
            reference_camera: health.reference_camera,
            camera_count: health.cameras().len() as u8,
            slot_count: health.slots().len() as u8,
            reserved: [0; 2],
            sequence: frame.sequence.into(),
            stamp_ns: frame.stamp_ns.into(),
            reason_bits: health.reason_bits.into(),
            deadline_misses: health.deadline_misses.into(),
            frame_age_us: (age_us.clamp(i32::MIN.into(), i32::MAX.into()) as i32).into(),
            camera_nibbles: nibbles(health.cameras().iter().map(|camera| camera.state)),
            slot_nibbles: nibbles(health.slots().iter().map(|slot| slot.state)),
        }
    }

    /// Whether the frame is in order, degraded or a fault.
    ///
    /// # Errors
    /// [`UnknownKind`] where the number has no meaning here.
    pub fn state(&self) -> Result<HealthState, UnknownKind> {
        self.state.try_into()
    }

    /// How well the vehicle's motion is known.
    ///
    /// # Errors
    /// [`UnknownKind`] where the number has no meaning here.
    pub fn ego_motion(&self) -> Result<EgoMotionState, UnknownKind> {
        self.ego_motion.try_into()
    }

    /// Why the frame is not simply in order.
    pub fn reasons(&self) -> HealthReasons {
        HealthReasons::from_bits(self.reason_bits.get())
    }

    /// The state of a camera; `None` beyond the rig.
    ///
    /// # Errors
    /// [`UnknownKind`] where the number has no meaning here.
    pub fn camera(&self, index: usize) -> Result<Option<CameraState>, UnknownKind> {
        nibble(&self.camera_nibbles, self.camera_count, index)
            .map(CameraState::try_from)
            .transpose()
    }

    /// The state of a queue slot, newest first; `None` beyond the queue.
    ///
    /// # Errors
    /// [`UnknownKind`] where the number has no meaning here.
    pub fn slot(&self, index: usize) -> Result<Option<SlotState>, UnknownKind> {
        nibble(&self.slot_nibbles, self.slot_count, index)
            .map(SlotState::try_from)
            .transpose()
    }
}

fn nibbles<const N: usize>(states: impl Iterator<Item = u8>) -> [u8; N] {
    let mut packed = [0; N];
    let halves = packed.iter_mut().flat_map(|byte| {
        let byte = std::cell::Cell::from_mut(byte);
        [(byte, 0), (byte, 4)]
    });
    for ((byte, shift), state) in halves.zip(states) {
        byte.set(byte.get() | state.min(UNKNOWN_NIBBLE) << shift);
    }
    packed
}

fn nibble(packed: &[u8], count: u8, index: usize) -> Option<u8> {
    if index >= usize::from(count) {
        return None;
    }
    let byte = packed.get(index / 2)?;
    Some(byte >> (index % 2 * 4) & 0x0F)
}

const _: () = {
    use std::mem::offset_of;
    assert!(size_of::<HealthMessage>() == 52);
    assert!(align_of::<HealthMessage>() == 1);
    assert!(offset_of!(HealthMessage, sequence) == 8);
    assert!(offset_of!(HealthMessage, stamp_ns) == 16);
    assert!(offset_of!(HealthMessage, reason_bits) == 24);
    assert!(offset_of!(HealthMessage, deadline_misses) == 32);
    assert!(offset_of!(HealthMessage, frame_age_us) == 36);
    assert!(offset_of!(HealthMessage, camera_nibbles) == 40);
    assert!(offset_of!(HealthMessage, slot_nibbles) == 48);
    // The data of one CAN FD frame.
    assert!(PROTECTED_HEALTH_BYTES == 64);
};

fn health_channel(data_id: u32) -> Channel<Profile4> {
    Channel::fixed(data_id, size_of::<HealthMessage>())
        .expect("64 bytes are within the profile's limit")
}

/// Protects health messages.
#[derive(Clone, Debug)]
pub struct HealthSender {
    sender: Profile4Sender,
}

impl HealthSender {
    /// A sender that begins with counter 0.
    pub fn new(data_id: u32) -> Self {
        Self {
            sender: Profile4Sender::new(health_channel(data_id)),
        }
    }

    /// Writes header and message.
    ///
    /// # Errors
    /// None at this length; the type is that of every sender.
    pub fn protect_into(
        &mut self,
        health: &HealthMessage,
        out: &mut [u8; PROTECTED_HEALTH_BYTES],
    ) -> Result<usize, ProtectError> {
        self.sender.protect_into(health.as_bytes(), out)
    }
}

/// An intact message is a health message of another version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthVersionError {
    /// The version that it says.
    pub found: u8,
}

impl std::fmt::Display for HealthVersionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "expected health messages of version {HEALTH_MESSAGE_VERSION}, found version {}",
            self.found
        )
    }
}

impl std::error::Error for HealthVersionError {}

/// The verdict on a message, and the health in it.
#[derive(Clone, Copy, Debug)]
pub struct ReceivedHealth<'a> {
    /// What this check found.
    pub message: MessageState,
    /// The channel after this check.
    pub channel: ChannelState,
    /// The health in an intact message, were it repeated or out of sequence.
    pub health: Option<&'a HealthMessage>,
}

impl<'a> ReceivedHealth<'a> {
    /// The health when it may be used: an intact, new message on a valid channel.
    pub fn usable(&self) -> Option<&'a HealthMessage> {
        self.health
            .filter(|_health| may_be_used(self.message, self.channel))
    }
}

/// Checks protected health messages and gives them back.
#[derive(Clone, Debug)]
pub struct HealthReceiver {
    receiver: Profile4Receiver,
}

impl HealthReceiver {
    /// A receiver that has seen nothing.
    ///
    /// # Errors
    /// [`ConfigError`] where the specification breaks a rule of [`Receiver::new`](crate::Receiver::new).
    pub fn new(data_id: u32, spec: ReceiverSpec) -> Result<Self, ConfigError> {
        Ok(Self {
            receiver: Profile4Receiver::new(health_channel(data_id), spec)?,
        })
    }

    /// Checks a message, or notes that none came. Copies nothing.
    ///
    /// # Errors
    /// [`HealthVersionError`] where an intact message is of another version; the check has
    /// counted and [`channel_state`](Self::channel_state) is up to date.
    pub fn check<'a>(
        &mut self,
        message: Option<&'a [u8]>,
    ) -> Result<ReceivedHealth<'a>, HealthVersionError> {
        let checked = self.receiver.check(message);
        // The channel lets one length pass, so an intact payload has the size of the struct.
        let health = checked
            .payload
            .and_then(|bytes| HealthMessage::ref_from_bytes(bytes).ok());
        if let Some(foreign) = health.filter(|health| health.version != HEALTH_MESSAGE_VERSION) {
            return Err(HealthVersionError {
                found: foreign.version,
            });
        }
        Ok(ReceivedHealth {
            message: checked.message,
            channel: checked.channel,
            health,
        })
    }

    /// The channel after the last check.
    pub fn channel_state(&self) -> ChannelState {
        self.receiver.channel_state()
    }

    /// Begins anew, as after construction.
    pub fn reset(&mut self) {
        self.receiver.reset();
    }
}

#[cfg(test)]
mod tests;
