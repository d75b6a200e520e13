//! Protecting and checking allocate nothing.
//!
//! In a binary of its own, because the counting allocator is the program's.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bevrt_runtime::OutputFrame;
use bevrt_transport::{
    FrameReceiver, FrameSender, HealthMessage, HealthReceiver, HealthSender, MessageState,
    PROTECTED_FRAME_BYTES, PROTECTED_HEALTH_BYTES, ReceiverSpec,
};

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged, which upholds the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that is ending has no counter any more; what it allocates is not measured.
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller upholds the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` above, that is from `System`, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn protecting_and_checking_allocate_nothing() {
    let spec = ReceiverSpec::default();
    let mut frames = FrameSender::new(1);
    let mut frame_receiver = FrameReceiver::new(1, spec).expect("the default is right");
    let mut healths = HealthSender::new(2);
    let mut health_receiver = HealthReceiver::new(2, spec).expect("the default is right");
    let mut frame = OutputFrame::boxed();
    // An odd address, so that the receiver has to copy.
    let mut frame_message = vec![0; PROTECTED_FRAME_BYTES + 1];
    let mut health_message = [0; PROTECTED_HEALTH_BYTES];
    let mut usable = 0;

    let before = COUNT.get();
    for sequence in 0..20 {
        frame.sequence = sequence;
        let protected = frames.protect_into(&frame, &mut frame_message[1..]);
        let health = HealthMessage::of(&frame);
        let protected_health = healths.protect_into(&health, &mut health_message);
        if sequence % 5 == 4 {
            frame_message[1000] ^= 1;
        }
        let received = frame_receiver.check(Some(&frame_message[1..]));
        let received_health = health_receiver.check(Some(&health_message));
        let is_right = protected.is_ok()
            && protected_health.is_ok()
            && received.is_ok_and(|received| {
                usable += usize::from(received.usable().is_some());
                received.message != MessageState::NoNewData
            })
            && received_health.is_ok_and(|received| received.message == MessageState::Ok);
        if !is_right {
            break;
        }
    }
    let silent = frame_receiver.check(None).is_ok() && health_receiver.check(None).is_ok();
    let allocations = COUNT.get() - before;

    assert_eq!((allocations, usable, silent), (0, 13, true));
    let counted = COUNT.get();
    drop(std::hint::black_box(Box::new(1_u8)));
    assert_eq!(COUNT.get(), counted + 1, "the counter counts");
}
