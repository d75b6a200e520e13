//! The sending side: header in front, payload behind.

use crate::channel::Channel;
use crate::error::{ConfigError, ProtectError};
use crate::profile::codec::Fields;
use crate::profile::{Profile, Profile4, Profile7};

/// Protects the messages of one channel and counts them.
///
/// There must be one sender a channel: two would count apart.
#[derive(Clone, Debug)]
pub struct Sender<P> {
    channel: Channel<P>,
    next_counter: u32,
}

/// Sender of small messages: 12-byte header, CRC-32/AUTOSAR.
pub type Profile4Sender = Sender<Profile4>;
/// Sender of large messages: 20-byte header, CRC-64/XZ.
pub type Profile7Sender = Sender<Profile7>;

impl<P: Profile> Sender<P> {
    /// A sender whose first message has counter 0, as the standard wants it.
    pub fn new(channel: Channel<P>) -> Self {
        Self {
            channel,
            next_counter: 0,
        }
    }

    /// A sender that goes on counting where another one ended.
    ///
    /// # Errors
    /// [`ConfigError`] where the profile's counter cannot hold the number.
    pub fn resuming(channel: Channel<P>, next_counter: u32) -> Result<Self, ConfigError> {
        ConfigError::check(
            next_counter <= P::MAX_COUNTER,
            "next_counter",
            next_counter,
            || format!("0 to {} ({})", P::MAX_COUNTER, P::NAME),
        )?;
        Ok(Self {
            channel,
            next_counter,
        })
    }

    /// Counter of the next message.
    pub fn next_counter(&self) -> u32 {
        self.next_counter
    }

    /// The channel that it was made for.
    pub fn channel(&self) -> &Channel<P> {
        &self.channel
    }

    /// Writes header and payload to the start of `out`; gives the length of the message in bytes.
    ///
    /// # Errors
    /// [`ProtectError`] where the message is outside of the channel's lengths or `out` is too
    /// short; the counter stays and `out` is unchanged then.
    ///
    /// # Real-time
    /// Allocates nothing; copies the payload once and reads it once for the CRC.
    pub fn protect_into(&mut self, payload: &[u8], out: &mut [u8]) -> Result<usize, ProtectError> {
        let length = payload.len().saturating_add(P::HEADER_BYTES);
        if self.channel.accepted_length(length).is_none() {
            return Err(ProtectError::Length { found: length });
        }
        let found = out.len();
        let message = out.get_mut(..length).ok_or(ProtectError::Buffer {
            needed: length,
            found,
        })?;
        message[P::HEADER_BYTES..].copy_from_slice(payload);
        self.protect_in_place(message)?;
        Ok(length)
    }

    /// Writes the header into the first bytes of `message`, whose payload already stands behind.
    ///
    /// # Errors
    /// [`ProtectError::Length`] where the message is outside of the channel's lengths; the counter
    /// stays and the message is unchanged then.
    ///
    /// # Real-time
    /// Allocates nothing; reads the message once for the CRC.
    pub fn protect_in_place(&mut self, message: &mut [u8]) -> Result<(), ProtectError> {
        let length = self
            .channel
            .accepted_length(message.len())
            .ok_or(ProtectError::Length {
                found: message.len(),
            })?;
        let fields = Fields {
            length,
            counter: self.next_counter,
            data_id: self.channel.data_id(),
        };
        P::seal(fields, message);
        self.next_counter = if self.next_counter == P::MAX_COUNTER {
            0
        } else {
            self.next_counter + 1
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_message_is_not_counted() {
        let channel = Channel::new(5, 14..=20).expect("the lengths are right");
        let mut sender = Profile4Sender::new(channel);
        let mut out = [0xEE; 32];
        assert_eq!(
            sender.protect_into(&[0; 1], &mut out),
            Err(ProtectError::Length { found: 13 })
        );
        assert_eq!(
            sender.protect_into(&[0; 9], &mut out),
            Err(ProtectError::Length { found: 21 })
        );
        assert_eq!(
            sender.protect_into(&[0; 4], &mut out[..15]),
            Err(ProtectError::Buffer {
                needed: 16,
                found: 15
            })
        );
        assert_eq!(
            sender.protect_in_place(&mut out),
            Err(ProtectError::Length { found: 32 })
        );
        assert_eq!((sender.next_counter(), out), (0, [0xEE; 32]));
        assert_eq!(sender.protect_into(&[0; 4], &mut out), Ok(16));
        assert_eq!(sender.next_counter(), 1);
        assert_eq!(out[16..], [0xEE; 16]);
    }

    #[test]
    fn the_counter_wraps_to_zero() {
        let channel = Channel::fixed(5, 0).expect("the length is right");
        let mut sender = Profile4Sender::resuming(channel, 0xFFFF).expect("in range");
        let mut out = [0; 12];
        assert_eq!(sender.protect_in_place(&mut out), Ok(()));
        assert_eq!((&out[2..4], sender.next_counter()), (&[0xFF, 0xFF][..], 0));

        let channel = Channel::fixed(5, 0).expect("the length is right");
        let mut sender = Profile7Sender::resuming(channel, u32::MAX).expect("in range");
        let mut out = [0; 20];
        assert_eq!(sender.protect_in_place(&mut out), Ok(()));
        assert_eq!((&out[12..16], sender.next_counter()), (&[0xFF; 4][..], 0));
    }

    #[test]
    fn a_counter_beyond_the_profile_is_refused() {
        let channel = Channel::fixed(5, 0).expect("the length is right");
        let error = Profile4Sender::resuming(channel, 0x1_0000).expect_err("17 bits");
        assert_eq!((error.field, error.found), ("next_counter", 65_536));
    }
}
