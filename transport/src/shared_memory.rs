//! Protected frames over iceoryx2 shared memory, written and read in place.
//!
//! A sample is four zero bytes and the protected message, so that the frame behind the 20-byte
//! header starts at a multiple of eight and is read where it lies.

mod error;
mod publisher;
mod subscriber;

use bevrt_runtime::OutputFrame;
use iceoryx2::node::{Node, NodeBuilder};
use iceoryx2::prelude::{Alignment, SignalHandlingMode, ipc};
use iceoryx2::service::port_factory::publish_subscribe::PortFactory;

use crate::frame_message::PROTECTED_FRAME_BYTES;
use crate::profile::{Profile, Profile7};

pub use error::{PublishError, SharedMemoryError, TakeError};
pub use publisher::{FrameLoan, FramePublisher};
pub use subscriber::FrameSubscriber;

/// Zero bytes before the message.
const LEAD_BYTES: usize = 4;
const SAMPLE_BYTES: usize = LEAD_BYTES + PROTECTED_FRAME_BYTES;
/// Where the frame begins in a sample.
const FRAME_OFFSET: usize = LEAD_BYTES + Profile7::HEADER_BYTES;

/// Frames that wait for a slow subscriber at most; a newer one takes the place of the oldest.
const QUEUED_FRAMES: usize = 2;
const MAX_SUBSCRIBERS: usize = 8;

const _: () = assert!(FRAME_OFFSET.is_multiple_of(align_of::<OutputFrame>()));

type Service = PortFactory<ipc::Service, [u8], ()>;

/// Opens the service, or creates it where nobody has yet. Signals stay the program's affair.
fn open_service(name: &str) -> Result<(Node<ipc::Service>, Service), SharedMemoryError> {
    let failed = |step| move |source| SharedMemoryError::new(name, step, source);
    let node = NodeBuilder::new()
        .signal_handling_mode(SignalHandlingMode::Disabled)
        .create::<ipc::Service>()
        .map_err(|error| failed("creating a node")(error.into()))?;
    let service_name =
        name.try_into()
            .map_err(|error: iceoryx2::service::service_name::ServiceNameError| {
                failed("reading the service's name")(error.into())
            })?;
    let alignment = Alignment::new(align_of::<OutputFrame>())
        .expect("the alignment of a type is a power of two");
    let service = node
        .service_builder(&service_name)
        .publish_subscribe::<[u8]>()
        .payload_alignment(alignment)
        // A channel has one sender: two would count apart.
        .max_publishers(1)
        // A slow receiver misses old frames, it never holds up the sender.
        .enable_safe_overflow(true)
        .subscriber_max_buffer_size(QUEUED_FRAMES)
        .max_subscribers(MAX_SUBSCRIBERS)
        .open_or_create()
        .map_err(|error| failed("opening the service")(error.into()))?;
    Ok((node, service))
}
