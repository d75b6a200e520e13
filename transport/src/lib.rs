//! End-to-end protection of what the runtime gives out, so that a receiver notices messages that
//! were damaged, lost, repeated, swapped, delayed or meant for somebody else: AUTOSAR E2E profiles
//! 4 and 7 with their state machine.
//!
//! ```
//! use bevrt_runtime::OutputFrame;
//! use bevrt_transport::{
//!     FrameReceiver, FrameSender, MessageState, PROTECTED_FRAME_BYTES, ReceiverSpec,
//! };
//!
//! const DATA_ID: u32 = 0x0B5E_0001;
//! let mut sender = FrameSender::new(DATA_ID);
//! let mut receiver = FrameReceiver::new(DATA_ID, ReceiverSpec::default())?;
//!
//! let frame = OutputFrame::boxed();
//! let mut message = vec![0; PROTECTED_FRAME_BYTES];
//! sender.protect_into(&frame, &mut message)?;
//!
//! let received = receiver.check(Some(&message))?;
//! assert_eq!(received.message, MessageState::Ok);
//! assert!(received.usable().is_none(), "one message makes no valid channel");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariants:
//! - Protecting and checking allocate nothing; nothing here reads a clock.
//! - A sequence of checks gives the same states here and in `c/bevrt_e2e.c`, message by message.
//! - A mistake of configuration names the field, what was expected and what was found.
//!
//! The README of this crate says what a receiver must do, and how to choose its windows.
#![forbid(unsafe_code)]

// Protection and check, for any payload.
mod channel;
mod error;
mod profile;
mod receiver;
mod sender;
mod state_machine;

// The runtime's messages.
mod frame_message;
mod health_message;

#[cfg(feature = "iceoryx2")]
mod shared_memory;

pub use channel::Channel;
pub use error::{ConfigError, ProtectError};
pub use frame_message::{FrameReceiver, FrameSender, PROTECTED_FRAME_BYTES, ReceivedFrame};
pub use health_message::{
    HEALTH_MESSAGE_VERSION, HealthMessage, HealthReceiver, HealthSender, HealthVersionError,
    PROTECTED_HEALTH_BYTES, ReceivedHealth,
};
pub use profile::{Profile, Profile4, Profile7};
pub use receiver::{
    Checked, MessageState, Profile4Receiver, Profile7Receiver, Receiver, ReceiverSpec,
};
pub use sender::{Profile4Sender, Profile7Sender, Sender};
#[cfg(feature = "iceoryx2")]
pub use shared_memory::{
    FrameLoan, FramePublisher, FrameSubscriber, PublishError, SharedMemoryError, TakeError,
};
pub use state_machine::{
    ChannelState, MAX_WINDOW, OnInvalid, StateMachine, StateMachineSpec, WindowSpec,
};

/// The examples of the README, so that they compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
