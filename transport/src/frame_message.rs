//! Output frames under profile 7.

use bevrt_runtime::{FrameLayoutError, OutputFrame};
use zerocopy::IntoBytes;

use crate::channel::Channel;
use crate::error::{ConfigError, ProtectError};
use crate::profile::{Profile, Profile7};
use crate::receiver::{MessageState, Profile7Receiver, ReceiverSpec, may_be_used};
use crate::sender::Profile7Sender;
use crate::state_machine::ChannelState;

/// Bytes of a protected frame: header of profile 7 and the frame.
pub const PROTECTED_FRAME_BYTES: usize = Profile7::HEADER_BYTES + size_of::<OutputFrame>();

const _: () = assert!(
    cfg!(target_endian = "little"),
    "a frame goes out as it lies in memory, and receivers expect little-endian"
);
const _: () = assert!(PROTECTED_FRAME_BYTES <= Profile7::MAX_MESSAGE_BYTES as usize);

fn frame_channel(data_id: u32) -> Channel<Profile7> {
    Channel::fixed(data_id, size_of::<OutputFrame>())
        .expect("the length was compared with the profile's limit above")
}

/// Protects output frames.
#[derive(Clone, Debug)]
pub struct FrameSender {
    sender: Profile7Sender,
}

impl FrameSender {
    /// A sender that begins with counter 0.
    pub fn new(data_id: u32) -> Self {
        Self {
            sender: Profile7Sender::new(frame_channel(data_id)),
        }
    }

    /// Writes header and frame to the start of `out`; gives [`PROTECTED_FRAME_BYTES`].
    ///
    /// # Errors
    /// [`ProtectError::Buffer`] where `out` is too short.
    ///
    /// # Real-time
    /// Allocates nothing; copies the frame once and reads it once for the CRC.
    pub fn protect_into(
        &mut self,
        frame: &OutputFrame,
        out: &mut [u8],
    ) -> Result<usize, ProtectError> {
        self.sender.protect_into(frame.as_frame_bytes(), out)
    }

    /// Writes the header before a frame that already stands in `message`, which is exactly
    /// [`PROTECTED_FRAME_BYTES`] long.
    ///
    /// # Errors
    /// [`ProtectError::Length`] where it has another length.
    ///
    /// # Real-time
    /// Allocates nothing and copies nothing; reads the frame once for the CRC.
    pub fn protect_in_place(&mut self, message: &mut [u8]) -> Result<(), ProtectError> {
        self.sender.protect_in_place(message)
    }

    /// Counter of the next message.
    pub fn next_counter(&self) -> u32 {
        self.sender.next_counter()
    }
}

/// Checks protected frames and gives the frames back.
#[derive(Debug)]
pub struct FrameReceiver {
    receiver: Profile7Receiver,
    aligned: Box<OutputFrame>,
}

/// The verdict on a message, and its frame.
#[derive(Clone, Copy, Debug)]
pub struct ReceivedFrame<'a> {
    /// What this check found.
    pub message: MessageState,
    /// The channel after this check.
    pub channel: ChannelState,
    /// The frame of an intact message, were it repeated or out of sequence.
    pub frame: Option<&'a OutputFrame>,
}

impl<'a> ReceivedFrame<'a> {
    /// The frame when it may be used: an intact, new message on a valid channel. The frame's own
    /// health says how far to trust what is in it.
    pub fn usable(&self) -> Option<&'a OutputFrame> {
        self.frame
            .filter(|_frame| may_be_used(self.message, self.channel))
    }
}

impl FrameReceiver {
    /// A receiver that has seen nothing. Takes the memory of one frame.
    ///
    /// # Errors
    /// [`ConfigError`] where the specification breaks a rule of [`Receiver::new`](crate::Receiver::new).
    pub fn new(data_id: u32, spec: ReceiverSpec) -> Result<Self, ConfigError> {
        Ok(Self {
            receiver: Profile7Receiver::new(frame_channel(data_id), spec)?,
            aligned: OutputFrame::boxed(),
        })
    }

    /// Checks a message, or notes that none came.
    ///
    /// # Errors
    /// [`FrameLayoutError`] where an intact message holds no frame of this version; the check
    /// has counted and [`channel_state`](Self::channel_state) is up to date.
    ///
    /// # Real-time
    /// Allocates nothing; reads the message once for the CRC, and copies the frame where it does
    /// not start at a multiple of eight.
    pub fn check<'a>(
        &'a mut self,
        message: Option<&'a [u8]>,
    ) -> Result<ReceivedFrame<'a>, FrameLayoutError> {
        let checked = self.receiver.check(message);
        let frame = match checked.payload {
            Some(bytes) => Some(view_frame(bytes, &mut self.aligned)?),
            None => None,
        };
        Ok(ReceivedFrame {
            message: checked.message,
            channel: checked.channel,
            frame,
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

fn view_frame<'a>(
    bytes: &'a [u8],
    aligned: &'a mut OutputFrame,
) -> Result<&'a OutputFrame, FrameLayoutError> {
    match OutputFrame::from_frame_bytes(bytes) {
        Err(FrameLayoutError::Alignment) => {
            // Alignment is judged after the length, so both have the same.
            aligned.as_mut_bytes().copy_from_slice(bytes);
            OutputFrame::from_frame_bytes(aligned.as_frame_bytes())
        }
        judged => judged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevrt_runtime::OutputObject;

    const ID: u32 = 77;

    fn frame(sequence: u64) -> Box<OutputFrame> {
        let mut frame = OutputFrame::boxed();
        frame.sequence = sequence;
        let object = OutputObject {
            x_m: 12.5,
            ..OutputObject::EMPTY
        };
        frame.try_push_object(object).expect("the frame is empty");
        frame
    }

    #[test]
    fn frames_become_usable_and_are_the_same_at_every_alignment() {
        let mut sender = FrameSender::new(ID);
        let mut receiver =
            FrameReceiver::new(ID, ReceiverSpec::default()).expect("the default is right");
        let mut buffer = vec![0; PROTECTED_FRAME_BYTES + 8];
        for (sequence, offset) in (0..12).zip((0..8).cycle()) {
            let sent = frame(sequence);
            let length = sender
                .protect_into(&sent, &mut buffer[offset..])
                .expect("there is room");
            assert_eq!(length, PROTECTED_FRAME_BYTES);
            let received = receiver
                .check(Some(&buffer[offset..offset + length]))
                .expect("the layout is ours");
            assert_eq!(received.message, MessageState::Ok);
            let same = received.frame.expect("the message is intact");
            assert_eq!(same.as_frame_bytes(), sent.as_frame_bytes());
            assert_eq!(received.usable().is_some(), sequence >= 3, "{sequence}");
        }
    }

    #[test]
    fn an_aligned_frame_is_not_copied() {
        let mut receiver =
            FrameReceiver::new(ID, ReceiverSpec::default()).expect("the default is right");
        let mut words = vec![0_u64; PROTECTED_FRAME_BYTES / 8 + 1];
        let message = &mut words.as_mut_bytes()[4..4 + PROTECTED_FRAME_BYTES];
        FrameSender::new(ID)
            .protect_into(&frame(1), message)
            .expect("there is room");
        let received = receiver.check(Some(message)).expect("the layout is ours");
        let frame = received.frame.expect("the message is intact");
        assert_eq!(
            frame.as_frame_bytes().as_ptr(),
            message[Profile7::HEADER_BYTES..].as_ptr()
        );
    }

    #[test]
    fn an_intact_message_of_another_layout_is_refused_and_counted() {
        let mut sender = FrameSender::new(ID);
        let mut receiver =
            FrameReceiver::new(ID, ReceiverSpec::default()).expect("the default is right");
        let mut foreign = frame(0);
        foreign.abi_major += 1;
        let mut message = vec![0; PROTECTED_FRAME_BYTES];
        sender
            .protect_into(&foreign, &mut message)
            .expect("there is room");
        assert!(matches!(
            receiver.check(Some(&message)),
            Err(FrameLayoutError::Version { .. })
        ));
        assert_eq!(receiver.channel_state(), ChannelState::Init);
    }

    #[test]
    fn damage_and_silence_give_no_frame() {
        let mut sender = FrameSender::new(ID);
        let mut receiver =
            FrameReceiver::new(ID, ReceiverSpec::default()).expect("the default is right");
        let mut message = vec![0; PROTECTED_FRAME_BYTES];
        sender
            .protect_into(&frame(0), &mut message)
            .expect("there is room");
        message[40_000] ^= 1;
        let received = receiver.check(Some(&message)).expect("nothing was viewed");
        assert_eq!(received.message, MessageState::Error);
        assert!(received.frame.is_none());
        let received = receiver.check(None).expect("nothing was viewed");
        assert_eq!(received.message, MessageState::NoNewData);
        assert_eq!(received.channel, ChannelState::NoData);
    }
}
