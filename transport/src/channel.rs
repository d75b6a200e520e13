//! What sender and receiver of a message must agree on.

use std::marker::PhantomData;
use std::ops::RangeInclusive;

use crate::error::ConfigError;
use crate::profile::Profile;

/// Data id and message lengths of one kind of message, under profile `P`.
///
/// The data id must be unique in the whole vehicle: it is what tells a message from one of
/// another sender that went astray.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel<P> {
    data_id: u32,
    min_message_bytes: u32,
    max_message_bytes: u32,
    profile: PhantomData<P>,
}

impl<P: Profile> Channel<P> {
    /// A channel for messages of these lengths in bytes, header included.
    ///
    /// # Errors
    /// [`ConfigError`] where the shortest message cannot hold the header, the longest exceeds
    /// what the profile allows, or the longest is shorter than the shortest.
    pub fn new(data_id: u32, message_bytes: RangeInclusive<u32>) -> Result<Self, ConfigError> {
        let (&min, &max) = (message_bytes.start(), message_bytes.end());
        ConfigError::check(
            min as usize >= P::HEADER_BYTES && min <= P::MAX_MESSAGE_BYTES,
            "min_message_bytes",
            min,
            || {
                format!(
                    "{} to {} ({})",
                    P::HEADER_BYTES,
                    P::MAX_MESSAGE_BYTES,
                    P::NAME
                )
            },
        )?;
        ConfigError::check(
            (min..=P::MAX_MESSAGE_BYTES).contains(&max),
            "max_message_bytes",
            max,
            || format!("{min} to {} ({})", P::MAX_MESSAGE_BYTES, P::NAME),
        )?;
        Ok(Self {
            data_id,
            min_message_bytes: min,
            max_message_bytes: max,
            profile: PhantomData,
        })
    }

    /// A channel whose payloads all have the same length in bytes.
    ///
    /// # Errors
    /// [`ConfigError`] where header and payload exceed what the profile allows.
    pub fn fixed(data_id: u32, payload_bytes: usize) -> Result<Self, ConfigError> {
        let most = P::MAX_MESSAGE_BYTES as usize - P::HEADER_BYTES;
        ConfigError::check(
            payload_bytes <= most,
            "payload_bytes",
            payload_bytes as u64,
            || format!("0 to {most} ({})", P::NAME),
        )?;
        let length = (payload_bytes + P::HEADER_BYTES) as u32;
        Self::new(data_id, length..=length)
    }

    /// Who sends what.
    pub fn data_id(&self) -> u32 {
        self.data_id
    }

    /// Lengths in bytes, header included, that a message may have.
    pub fn message_bytes(&self) -> RangeInclusive<u32> {
        self.min_message_bytes..=self.max_message_bytes
    }

    /// The length as the header says it, when it is in range.
    pub(crate) fn accepted_length(&self, bytes: usize) -> Option<u32> {
        let length = u32::try_from(bytes).ok()?;
        self.message_bytes().contains(&length).then_some(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Profile4, Profile7};

    #[test]
    fn impossible_lengths_are_refused_by_name() {
        let error = Channel::<Profile4>::new(1, 11..=64).expect_err("no room for the header");
        assert_eq!(
            error.to_string(),
            "min_message_bytes: expected 12 to 4096 (profile 4), found 11"
        );
        let error = Channel::<Profile4>::new(1, 12..=4097).expect_err("too long");
        assert_eq!((error.field, error.found), ("max_message_bytes", 4097));
        let error =
            Channel::<Profile7>::new(1, RangeInclusive::new(40, 39)).expect_err("an empty range");
        assert_eq!((error.field, error.found), ("max_message_bytes", 39));
        let error = Channel::<Profile7>::new(1, 19..=64).expect_err("no room for the header");
        assert_eq!((error.field, error.found), ("min_message_bytes", 19));
        let error = Channel::<Profile7>::fixed(1, 4 * 1024 * 1024).expect_err("too long");
        assert_eq!((error.field, error.found), ("payload_bytes", 4_194_304));
    }

    #[test]
    fn the_limits_themselves_are_accepted() {
        assert!(Channel::<Profile4>::new(1, 12..=4096).is_ok());
        assert!(Channel::<Profile7>::new(1, 20..=4_194_304).is_ok());
        let fixed = Channel::<Profile4>::fixed(9, 52).expect("it fits");
        assert_eq!((fixed.data_id(), fixed.message_bytes()), (9, 64..=64));
    }
}
