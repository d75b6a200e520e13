//! The receiving side: is this message intact, new, and the one that was expected?

use crate::channel::Channel;
use crate::error::ConfigError;
use crate::profile::{Profile, Profile4, Profile7};
use crate::state_machine::{ChannelState, StateMachine, StateMachineSpec};

/// What one check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum MessageState {
    /// Intact, and the one that follows the last.
    Ok = 0,
    /// Intact; some before it were lost, no more than is tolerated.
    OkSomeLost = 1,
    /// Intact, but the same as the last.
    Repeated = 2,
    /// Intact, but its number is too far from the last, or runs backwards.
    WrongSequence = 3,
    /// Damaged, of another channel, or of a wrong length.
    Error = 4,
    /// Nothing came since the last check.
    NoNewData = 5,
}

/// What a receiver tolerates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiverSpec {
    /// Largest step of the counter between two messages that still counts as in order: 1 where
    /// no message may be lost, 3 where two in a row may.
    pub max_delta_counter: u32,
    /// When the channel as a whole may be used.
    pub state_machine: StateMachineSpec,
}

impl Default for ReceiverSpec {
    /// Two messages in a row may be lost; windows as in [`StateMachineSpec::default`].
    fn default() -> Self {
        Self {
            max_delta_counter: 3,
            state_machine: StateMachineSpec::default(),
        }
    }
}

/// Checks the messages of one channel and keeps the channel's state.
///
/// Call [`check`](Self::check) once a cycle, with `None` when nothing came: silence is noticed by
/// checks alone.
#[derive(Clone, Debug)]
pub struct Receiver<P> {
    channel: Channel<P>,
    max_delta_counter: u32,
    last_counter: u32,
    machine: StateMachine,
}

/// Receiver of small messages: 12-byte header, CRC-32/AUTOSAR.
pub type Profile4Receiver = Receiver<Profile4>;
/// Receiver of large messages: 20-byte header, CRC-64/XZ.
pub type Profile7Receiver = Receiver<Profile7>;

/// The verdict on a message, and its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked<'a> {
    /// What this check found.
    pub message: MessageState,
    /// The channel after this check.
    pub channel: ChannelState,
    /// The payload of an intact message, were it repeated or out of sequence; else `None`.
    pub payload: Option<&'a [u8]>,
}

impl<'a> Checked<'a> {
    /// The payload when it may be used: an intact, new message on a valid channel.
    pub fn usable_payload(&self) -> Option<&'a [u8]> {
        self.payload
            .filter(|_payload| may_be_used(self.message, self.channel))
    }
}

/// Whether a message is new and in order, on a valid channel.
pub(crate) fn may_be_used(message: MessageState, channel: ChannelState) -> bool {
    matches!(message, MessageState::Ok | MessageState::OkSomeLost) && channel == ChannelState::Valid
}

impl<P: Profile> Receiver<P> {
    /// A receiver that has seen nothing. It awaits counter 0 first, as the standard says; a
    /// sender that has been running for long starts with one message out of sequence.
    ///
    /// # Errors
    /// [`ConfigError`] where `max_delta_counter` is 0 or beyond half of the counter's range (old
    /// messages would pass as new ones), or where the windows break a rule of
    /// [`StateMachine::new`].
    pub fn new(channel: Channel<P>, spec: ReceiverSpec) -> Result<Self, ConfigError> {
        let most = P::MAX_COUNTER / 2;
        ConfigError::check(
            (1..=most).contains(&spec.max_delta_counter),
            "max_delta_counter",
            spec.max_delta_counter,
            || format!("1 to {most} ({})", P::NAME),
        )?;
        Ok(Self {
            channel,
            max_delta_counter: spec.max_delta_counter,
            last_counter: P::MAX_COUNTER,
            machine: StateMachine::new(spec.state_machine)?,
        })
    }

    /// Checks a message, header included, or notes that none came.
    ///
    /// # Real-time
    /// Allocates nothing; reads the message once for the CRC.
    pub fn check<'a>(&mut self, message: Option<&'a [u8]>) -> Checked<'a> {
        let state = match message {
            Some(bytes) => self.judge(bytes),
            None => MessageState::NoNewData,
        };
        Checked {
            message: state,
            channel: self.machine.step(state),
            payload: match state {
                MessageState::Error | MessageState::NoNewData => None,
                MessageState::Ok
                | MessageState::OkSomeLost
                | MessageState::Repeated
                | MessageState::WrongSequence => {
                    message.and_then(|bytes| bytes.get(P::HEADER_BYTES..))
                }
            },
        }
    }

    /// The channel after the last check.
    pub fn channel_state(&self) -> ChannelState {
        self.machine.state()
    }

    /// Begins anew, as after construction.
    pub fn reset(&mut self) {
        self.last_counter = P::MAX_COUNTER;
        self.machine.reset();
    }

    /// Damaged messages leave the counter as it was; every intact one moves it.
    fn judge(&mut self, message: &[u8]) -> MessageState {
        let Some(length) = self.channel.accepted_length(message.len()) else {
            return MessageState::Error;
        };
        let Some(fields) = P::open(message) else {
            return MessageState::Error;
        };
        if fields.data_id != self.channel.data_id() || fields.length != length {
            return MessageState::Error;
        }
        // MAX_COUNTER is all ones, so the mask is the remainder.
        let delta = fields.counter.wrapping_sub(self.last_counter) & P::MAX_COUNTER;
        self.last_counter = fields.counter;
        match delta {
            0 => MessageState::Repeated,
            1 => MessageState::Ok,
            lost if lost <= self.max_delta_counter => MessageState::OkSomeLost,
            _ => MessageState::WrongSequence,
        }
    }
}

#[cfg(test)]
mod tests;
