//! The writing side.

use bevrt_runtime::OutputFrame;
use iceoryx2::node::Node;
use iceoryx2::port::publisher::Publisher;
use iceoryx2::prelude::{PortFactory as _, ipc};
use iceoryx2::sample_mut::SampleMut;
use zerocopy::FromBytes;

use super::error::{PublishError, SharedMemoryError};
use super::{FRAME_OFFSET, LEAD_BYTES, SAMPLE_BYTES, Service, open_service};
use crate::frame_message::FrameSender;

/// Publishes protected frames to every subscriber of a service on this machine.
///
/// It stays on the thread that opened it. A service has one publisher.
#[derive(Debug)]
pub struct FramePublisher {
    sender: FrameSender,
    publisher: Publisher<ipc::Service, [u8], ()>,
    service: Service,
    _node: Node<ipc::Service>,
}

impl FramePublisher {
    /// Opens the service of this name, or creates it, and becomes its publisher.
    ///
    /// # Errors
    /// [`SharedMemoryError`] where the name is no service name, where the service exists with
    /// other settings, or where it has a publisher.
    pub fn open(service: &str, data_id: u32) -> Result<Self, SharedMemoryError> {
        let (node, port_factory) = open_service(service)?;
        let publisher = port_factory
            .publisher_builder()
            .initial_max_slice_len(SAMPLE_BYTES)
            .max_loaned_samples(1)
            .create()
            .map_err(|error| {
                SharedMemoryError::new(service, "becoming its publisher", error.into())
            })?;
        Ok(Self {
            sender: FrameSender::new(data_id),
            publisher,
            service: port_factory,
            _node: node,
        })
    }

    /// How many subscribers the service has.
    pub fn subscriber_count(&self) -> usize {
        self.service.dynamic_config().number_of_subscribers()
    }

    /// Loans shared memory with an empty frame in it. Fill the frame there, by
    /// `pipeline.step(now, loan.frame_mut()?)` for one, then [`send`](FrameLoan::send) it; a loan
    /// that is dropped is not sent and not counted.
    ///
    /// # Errors
    /// [`PublishError`] where the memory could not be had.
    ///
    /// # Real-time
    /// Writes zeros over the whole sample.
    pub fn loan(&mut self) -> Result<FrameLoan<'_>, PublishError> {
        let sample = self
            .publisher
            .loan_slice(SAMPLE_BYTES)
            .map_err(PublishError::Loan)?;
        let mut loan = FrameLoan {
            sample,
            sender: &mut self.sender,
        };
        loan.frame_mut()?.clear();
        Ok(loan)
    }

    /// Publishes a copy of a frame; gives the number of subscribers that it reached.
    ///
    /// # Errors
    /// [`PublishError`] where the memory could not be had or sent.
    pub fn publish(&mut self, frame: &OutputFrame) -> Result<usize, PublishError> {
        let mut loan = self.loan()?;
        *loan.frame_mut()? = *frame;
        loan.send()
    }
}

/// Shared memory for one frame, not yet sent.
#[derive(Debug)]
pub struct FrameLoan<'a> {
    sample: SampleMut<ipc::Service, [u8], ()>,
    sender: &'a mut FrameSender,
}

impl FrameLoan<'_> {
    /// The frame, in the shared memory itself.
    ///
    /// # Errors
    /// [`PublishError::Memory`] where the memory cannot hold an aligned frame; a loan that
    /// [`FramePublisher::loan`] gave can.
    pub fn frame_mut(&mut self) -> Result<&mut OutputFrame, PublishError> {
        self.sample
            .payload_mut()
            .get_mut(FRAME_OFFSET..)
            .and_then(|bytes| OutputFrame::mut_from_bytes(bytes).ok())
            .ok_or(PublishError::Memory)
    }

    /// Writes the header and sends; gives the number of subscribers that it reached.
    ///
    /// # Errors
    /// [`PublishError`] where it could not be sent. Once protected it has counted, so that
    /// receivers see it as lost.
    ///
    /// # Real-time
    /// Reads the frame once for the CRC and copies nothing.
    pub fn send(mut self) -> Result<usize, PublishError> {
        let message = self
            .sample
            .payload_mut()
            .get_mut(LEAD_BYTES..)
            .ok_or(PublishError::Memory)?;
        self.sender
            .protect_in_place(message)
            .map_err(PublishError::Protect)?;
        self.sample.send().map_err(PublishError::Send)
    }
}
