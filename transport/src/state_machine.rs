//! The state of a channel, from the states of its last messages.

use crate::error::ConfigError;
use crate::receiver::MessageState;

/// Most messages that a window can look back.
pub const MAX_WINDOW: u8 = 64;

/// How far a state looks back, and what it asks of the messages there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowSpec {
    /// Number of last checks that count, 1 to [`MAX_WINDOW`].
    pub size: u8,
    /// Fewest messages in the window that must be in order.
    pub min_ok: u8,
    /// Most messages in the window that may be in error.
    pub max_error: u8,
}

/// What happens to the memory of past messages when the channel becomes invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnInvalid {
    /// They go on counting, the good ones and the bad ones ("clear to invalid" off).
    KeepWindow,
    /// They are forgotten: the way back needs fresh messages alone ("clear to invalid" on).
    ClearWindow,
}

/// The windows of the three states that have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateMachineSpec {
    /// When a new channel becomes valid or invalid.
    pub init: WindowSpec,
    /// What a valid channel must keep up.
    pub valid: WindowSpec,
    /// What an invalid channel must show to become valid again.
    pub invalid: WindowSpec,
    /// What is remembered when the channel becomes invalid.
    pub on_invalid: OnInvalid,
}

impl Default for StateMachineSpec {
    /// Valid after three good messages in four; invalid at three errors in eight checks, or at
    /// fewer than three good messages in eight; valid again with five good ones in six.
    fn default() -> Self {
        let window = |size, min_ok, max_error| WindowSpec {
            size,
            min_ok,
            max_error,
        };
        Self {
            init: window(4, 3, 1),
            valid: window(8, 3, 2),
            invalid: window(6, 5, 1),
            on_invalid: OnInvalid::KeepWindow,
        }
    }
}

/// Whether a channel's messages may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ChannelState {
    /// Nothing intact has come yet.
    NoData = 0,
    /// Messages come, too few to judge.
    Init = 1,
    /// Messages may be used.
    Valid = 2,
    /// Messages must not be used.
    Invalid = 3,
}

/// The state machine of AUTOSAR E2E (as of R19-11, that is without the extended transitions to
/// invalid that later releases make optional).
///
/// Each check adds one [`MessageState`]. Windows are bit sets of the newest checks, newest in the
/// lowest bit; a change of state forgets what the old state's window did not see.
#[derive(Clone, Debug)]
pub struct StateMachine {
    spec: StateMachineSpec,
    state: ChannelState,
    ok_bits: u64,
    error_bits: u64,
}

impl StateMachine {
    /// A machine that has seen nothing.
    ///
    /// # Errors
    /// [`ConfigError`] where the standard's rules are broken:
    /// `init.size` and `invalid.size` are 1 to `valid.size`, which is 1 to [`MAX_WINDOW`];
    /// in each window `min_ok + max_error <= size`;
    /// `1 <= valid.min_ok <= init.min_ok <= invalid.min_ok`;
    /// `valid.max_error >= init.max_error >= invalid.max_error`.
    pub fn new(spec: StateMachineSpec) -> Result<Self, ConfigError> {
        check_sizes(&spec)?;
        check_counts(&spec)?;
        Ok(Self {
            spec,
            state: ChannelState::NoData,
            ok_bits: 0,
            error_bits: 0,
        })
    }

    /// The state after the last check.
    pub fn state(&self) -> ChannelState {
        self.state
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.state = ChannelState::NoData;
        self.clear_window();
    }

    /// Adds a message's state; gives the channel's.
    ///
    /// # Real-time
    /// Constant time, no allocation.
    pub fn step(&mut self, message: MessageState) -> ChannelState {
        self.state = match self.state {
            ChannelState::NoData => match message {
                MessageState::Error | MessageState::NoNewData => ChannelState::NoData,
                MessageState::Ok
                | MessageState::OkSomeLost
                | MessageState::Repeated
                | MessageState::WrongSequence => ChannelState::Init,
            },
            ChannelState::Init => {
                let window = self.spec.init;
                self.push(message, window.size);
                if self.satisfies(window) {
                    ChannelState::Valid
                } else if self.errors() > u32::from(window.max_error) {
                    self.leave_for_invalid()
                } else {
                    ChannelState::Init
                }
            }
            ChannelState::Valid => {
                let window = self.spec.valid;
                self.push(message, window.size);
                if self.satisfies(window) {
                    ChannelState::Valid
                } else {
                    self.leave_for_invalid()
                }
            }
            ChannelState::Invalid => {
                let window = self.spec.invalid;
                self.push(message, window.size);
                if self.satisfies(window) {
                    ChannelState::Valid
                } else {
                    ChannelState::Invalid
                }
            }
        };
        self.state
    }

    /// Shifts a check in and drops what is beyond the window, so that a wider window of the next
    /// state never sees it again.
    fn push(&mut self, message: MessageState, size: u8) {
        let window = u64::MAX >> (u64::BITS - u32::from(size));
        let (ok, error) = match message {
            MessageState::Ok | MessageState::OkSomeLost => (1, 0),
            MessageState::Error => (0, 1),
            MessageState::Repeated | MessageState::WrongSequence | MessageState::NoNewData => {
                (0, 0)
            }
        };
        self.ok_bits = (self.ok_bits << 1 | ok) & window;
        self.error_bits = (self.error_bits << 1 | error) & window;
    }

    fn errors(&self) -> u32 {
        self.error_bits.count_ones()
    }

    fn satisfies(&self, window: WindowSpec) -> bool {
        self.errors() <= u32::from(window.max_error)
            && self.ok_bits.count_ones() >= u32::from(window.min_ok)
    }

    fn leave_for_invalid(&mut self) -> ChannelState {
        match self.spec.on_invalid {
            OnInvalid::KeepWindow => {}
            OnInvalid::ClearWindow => self.clear_window(),
        }
        ChannelState::Invalid
    }

    fn clear_window(&mut self) {
        self.ok_bits = 0;
        self.error_bits = 0;
    }
}

fn check_sizes(spec: &StateMachineSpec) -> Result<(), ConfigError> {
    let in_range = |size: u8, most: u8| (1..=most).contains(&size);
    let widest = spec.valid.size;
    ConfigError::check(in_range(widest, MAX_WINDOW), "valid.size", widest, || {
        format!("1 to {MAX_WINDOW}")
    })?;
    for (field, size) in [
        ("init.size", spec.init.size),
        ("invalid.size", spec.invalid.size),
    ] {
        ConfigError::check(in_range(size, widest), field, size, || {
            format!("1 to valid.size, which is {widest}")
        })?;
    }
    Ok(())
}

fn check_counts(spec: &StateMachineSpec) -> Result<(), ConfigError> {
    let (init, valid, invalid) = (spec.init, spec.valid, spec.invalid);
    for (field, found, least, least_name) in [
        ("valid.min_ok", valid.min_ok, 1, "one"),
        ("init.min_ok", init.min_ok, valid.min_ok, "valid.min_ok"),
        ("invalid.min_ok", invalid.min_ok, init.min_ok, "init.min_ok"),
        (
            "init.max_error",
            init.max_error,
            invalid.max_error,
            "invalid.max_error",
        ),
        (
            "valid.max_error",
            valid.max_error,
            init.max_error,
            "init.max_error",
        ),
    ] {
        ConfigError::check(found >= least, field, found, || {
            format!("at least {least} ({least_name})")
        })?;
    }
    for (field, window) in [
        ("init.min_ok + init.max_error", init),
        ("valid.min_ok + valid.max_error", valid),
        ("invalid.min_ok + invalid.max_error", invalid),
    ] {
        let found = u16::from(window.min_ok) + u16::from(window.max_error);
        ConfigError::check(found <= u16::from(window.size), field, found, || {
            format!("at most the window's size, which is {}", window.size)
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
