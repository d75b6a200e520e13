//! The reading side.

use iceoryx2::node::Node;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::prelude::ipc;
use iceoryx2::sample::Sample;

use super::error::{SharedMemoryError, TakeError};
use super::{LEAD_BYTES, open_service};
use crate::frame_message::{FrameReceiver, ReceivedFrame};
use crate::receiver::ReceiverSpec;
use crate::state_machine::ChannelState;

/// Takes protected frames from a service on this machine and checks them.
///
/// It stays on the thread that opened it.
#[derive(Debug)]
pub struct FrameSubscriber {
    receiver: FrameReceiver,
    held: Option<Sample<ipc::Service, [u8], ()>>,
    subscriber: Subscriber<ipc::Service, [u8], ()>,
    service: String,
    _node: Node<ipc::Service>,
}

impl FrameSubscriber {
    /// Opens the service of this name, or creates it, and subscribes.
    ///
    /// # Errors
    /// [`SharedMemoryError`] where the name is no service name, where the service exists with
    /// other settings or has no room for a subscriber, or where the specification breaks a rule.
    pub fn open(
        service: &str,
        data_id: u32,
        spec: ReceiverSpec,
    ) -> Result<Self, SharedMemoryError> {
        let receiver = FrameReceiver::new(data_id, spec).map_err(|error| {
            SharedMemoryError::new(
                service,
                "reading the receiver's specification",
                error.into(),
            )
        })?;
        let (node, port_factory) = open_service(service)?;
        let subscriber = port_factory
            .subscriber_builder()
            .create()
            .map_err(|error| SharedMemoryError::new(service, "subscribing", error.into()))?;
        Ok(Self {
            receiver,
            held: None,
            subscriber,
            service: service.to_owned(),
            _node: node,
        })
    }

    /// Whether a message waits. Looking does not count as a check.
    ///
    /// # Errors
    /// [`SharedMemoryError`] where the connection to the publisher could not be made.
    pub fn has_message(&self) -> Result<bool, SharedMemoryError> {
        self.subscriber.has_samples().map_err(|error| {
            SharedMemoryError::new(&self.service, "looking for messages", error.into())
        })
    }

    /// Checks the oldest message that waits, or notes that none came; call it once a cycle. The
    /// frame is read where it lies, and stays until the next call.
    ///
    /// # Errors
    /// [`TakeError`] where the shared memory could not be read or the frame is of another version.
    ///
    /// # Real-time
    /// Reads the message once for the CRC and copies nothing.
    pub fn take(&mut self) -> Result<ReceivedFrame<'_>, TakeError> {
        // Given back first, so that this subscriber never holds two.
        self.held = None;
        match self.subscriber.receive() {
            Ok(sample) => self.held = sample,
            Err(error) => {
                // Without a message nothing is viewed, so there is no layout to refuse.
                let _silent = self.receiver.check(None);
                return Err(TakeError::Receive(error));
            }
        }
        let message = self
            .held
            .as_ref()
            .map(|sample| sample.payload().get(LEAD_BYTES..).unwrap_or_default());
        self.receiver.check(message).map_err(TakeError::Layout)
    }

    /// The channel after the last check.
    pub fn channel_state(&self) -> ChannelState {
        self.receiver.channel_state()
    }
}
