//! `bevrt_e2e.h` and `bevrt_health.h`, called from Rust.

use std::mem::MaybeUninit;

use bevrt_transport::WindowSpec;

/// `bevrt_e2e_window_t`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Window {
    size: u8,
    min_ok: u8,
    max_error: u8,
}

impl From<WindowSpec> for Window {
    fn from(spec: WindowSpec) -> Self {
        Self {
            size: spec.size,
            min_ok: spec.min_ok,
            max_error: spec.max_error,
        }
    }
}

/// `bevrt_e2e_config_t`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Config {
    pub data_id: u32,
    pub min_message_bytes: u32,
    pub max_message_bytes: u32,
    pub max_delta_counter: u32,
    pub profile: u8,
    pub on_invalid: u8,
    pub init: Window,
    pub valid: Window,
    pub invalid: Window,
}

/// `bevrt_e2e_receiver_t`.
#[repr(C)]
struct State {
    config: Config,
    ok_bits: u64,
    error_bits: u64,
    last_counter: u32,
    channel: u8,
}

/// `bevrt_health_t`.
#[repr(C)]
struct Health {
    numbers: [u64; 3],
    halves: [u32; 2],
    states: [u8; 5 + 16 + 8],
}

const _: () = {
    assert!(size_of::<Config>() == 28);
    assert!(size_of::<State>() == 56);
    assert!(size_of::<Health>() == 64);
};

unsafe extern "C" {
    fn bevrt_e2e_receiver_init(receiver: *mut State, config: *const Config) -> i32;
    fn bevrt_e2e_receiver_reset(receiver: *mut State);
    fn bevrt_e2e_receiver_check(receiver: *mut State, message: *const u8, length: u32) -> u8;
    fn bevrt_e2e_receiver_channel(receiver: *const State) -> u8;
    fn bevrt_e2e_receiver_may_use(receiver: *const State, message: u8) -> u8;
    fn bevrt_health_read(payload: *const u8, length: u32, out: *mut Health) -> i32;
}

/// The receiver of `bevrt_e2e.c`.
pub struct CReceiver(State);

impl CReceiver {
    /// A receiver, or the status that refuses it.
    pub fn new(config: &Config) -> Result<Self, i32> {
        let mut state = MaybeUninit::uninit();
        // SAFETY: both are of the C types' layout (sizes asserted), and live during the call.
        let status = unsafe { bevrt_e2e_receiver_init(state.as_mut_ptr(), config) };
        if status != 0 {
            return Err(status);
        }
        // SAFETY: it was filled, by the status.
        Ok(Self(unsafe { state.assume_init() }))
    }

    pub fn reset(&mut self) {
        // SAFETY: it lives during the call.
        unsafe { bevrt_e2e_receiver_reset(&raw mut self.0) }
    }

    /// The states of message and channel, and whether the message may be used.
    pub fn check(&mut self, message: Option<&[u8]>) -> (u8, u8, u8) {
        // Memory of exactly the message's length shows a read beyond it to an address sanitizer.
        let copy = message.map(Box::<[u8]>::from);
        let (address, length) = copy.as_deref().map_or((std::ptr::null(), 0), |message| {
            (message.as_ptr(), message.len() as u32)
        });
        // SAFETY: the receiver lives; `length` bytes are readable, or there are none.
        let state = unsafe { bevrt_e2e_receiver_check(&raw mut self.0, address, length) };
        // SAFETY: the receiver lives.
        let channel = unsafe { bevrt_e2e_receiver_channel(&raw const self.0) };
        // SAFETY: the receiver lives.
        let may_use = unsafe { bevrt_e2e_receiver_may_use(&raw const self.0, state) };
        (state, channel, may_use)
    }
}

/// What C says of a payload of health; 0 takes it.
pub fn health_status(payload: &[u8]) -> i32 {
    let copy = Box::<[u8]>::from(payload);
    let mut health = MaybeUninit::<Health>::uninit();
    // SAFETY: the payload is as long as it is said to be; `health` is of the C type's layout.
    unsafe { bevrt_health_read(copy.as_ptr(), copy.len() as u32, health.as_mut_ptr()) }
}
