//! Frames over shared memory, between threads and between processes.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use bevrt_runtime::{OutputFrame, OutputObject};
use bevrt_transport::{ChannelState, FramePublisher, FrameSubscriber, MessageState, ReceiverSpec};

const DATA_ID: u32 = 0x0B5E_0001;
const FRAMES: u64 = 50;
/// Set for the process that publishes: the name of the service.
const CHILD_VARIABLE: &str = "BEVRT_TRANSPORT_TEST_PUBLISHES_TO";

/// A name that no other run uses at the same time.
fn service(test: &str) -> String {
    format!("bevrt/test/{test}/{}", std::process::id())
}

fn subscriber(service: &str) -> FrameSubscriber {
    FrameSubscriber::open(service, DATA_ID, ReceiverSpec::default()).expect("the service opens")
}

/// Waits with patience for a slow machine; a failure, not a measurement, ends it.
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: not within 30 s");
        std::thread::sleep(Duration::from_micros(200));
    }
}

fn x_of(sequence: u64) -> f32 {
    sequence as f32 + 0.5
}

fn fill(frame: &mut OutputFrame, sequence: u64) {
    frame.sequence = sequence;
    let object = OutputObject {
        x_m: x_of(sequence),
        ..OutputObject::EMPTY
    };
    frame.try_push_object(object).expect("the frame is empty");
}

/// Publishes the frames, each when the one before has probably been taken.
fn publish_all(service: &str) {
    let mut publisher = FramePublisher::open(service, DATA_ID).expect("the service opens");
    wait_until("a subscriber", || publisher.subscriber_count() > 0);
    for sequence in 0..FRAMES {
        let mut loan = publisher.loan().expect("one sample is free");
        fill(loan.frame_mut().expect("the loan is aligned"), sequence);
        assert_eq!(loan.send(), Ok(1));
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Takes frames until the last; gives how many were usable.
fn take_all(subscriber: &mut FrameSubscriber) -> usize {
    let mut usable = 0;
    let mut last = None;
    while last != Some(FRAMES - 1) {
        wait_until("a frame", || {
            subscriber.has_message().expect("the service is there")
        });
        let received = subscriber.take().expect("the layout is ours");
        // A loaded machine may lose frames; none may be damaged, doubled or out of order.
        let frame = received.frame.expect("the message is intact");
        assert!(last.is_none_or(|last| last < frame.sequence));
        assert_eq!(frame.objects()[0].x_m, x_of(frame.sequence));
        last = Some(frame.sequence);
        usable += usize::from(received.usable().is_some());
    }
    usable
}

#[test]
fn frames_go_from_thread_to_thread() {
    let service = service("threads");
    let mut subscriber = subscriber(&service);
    let publishing = std::thread::spawn(move || publish_all(&service));
    let usable = take_all(&mut subscriber);
    publishing.join().expect("the publisher does not panic");
    assert!(usable > 0, "the channel never became valid");
}

/// Not tests of their own: the publishing processes of the next ones.
#[test]
fn publishing_process() {
    if let Ok(service) = std::env::var(CHILD_VARIABLE) {
        publish_all(&service);
    }
}

#[test]
fn process_that_publishes_until_it_is_killed() {
    if let Ok(service) = std::env::var(CHILD_VARIABLE) {
        let mut publisher = FramePublisher::open(&service, DATA_ID).expect("the service opens");
        let frame = OutputFrame::boxed();
        // An end of its own, should nobody kill it.
        for _ in 0..6000 {
            publisher.publish(&frame).expect("one sample is free");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// This program again, running one of the above.
fn spawn(process: &str, service: &str) -> Child {
    Command::new(std::env::current_exe().expect("this program has a path"))
        .args(["--exact", process, "--nocapture"])
        .env(CHILD_VARIABLE, service)
        .spawn()
        .expect("this program starts again")
}

#[test]
fn frames_go_from_process_to_process() {
    let service = service("processes");
    let mut subscriber = subscriber(&service);
    let mut publisher = spawn("publishing_process", &service);
    let usable = take_all(&mut subscriber);
    let status = publisher.wait().expect("it was spawned");
    assert!(status.success(), "the publisher ended with {status}");
    assert!(usable > 0, "the channel never became valid");
}

#[test]
fn a_killed_publisher_can_be_replaced() {
    let service = service("killed");
    let mut subscriber = subscriber(&service);
    let mut killed = spawn("process_that_publishes_until_it_is_killed", &service);
    while subscriber.channel_state() != ChannelState::Valid {
        wait_until("a frame", || {
            subscriber.has_message().expect("the service is there")
        });
        let received = subscriber.take().expect("the layout is ours");
        assert_ne!(received.message, MessageState::Error);
    }
    killed.kill().expect("it runs");
    killed.wait().expect("it was spawned");
    while subscriber.has_message().expect("the service is there") {
        subscriber.take().expect("the layout is ours");
    }

    let mut publisher = FramePublisher::open(&service, DATA_ID).expect("its place is free");
    let frame = OutputFrame::boxed();
    let mut publish_and_take = || {
        assert_eq!(publisher.publish(&frame), Ok(1));
        subscriber.take().expect("the layout is ours").message
    };
    // The new one counts from 0, which is a jump; then all is in order.
    assert_eq!(publish_and_take(), MessageState::WrongSequence);
    assert_eq!(publish_and_take(), MessageState::Ok);
}

#[test]
fn a_frame_is_read_where_it_lies() {
    let service = service("in_place");
    let mut subscriber = subscriber(&service);
    let mut publisher = FramePublisher::open(&service, DATA_ID).expect("the service opens");
    let mut addresses = Vec::new();
    for sequence in 0..3 {
        let mut frame = OutputFrame::boxed();
        fill(&mut frame, sequence);
        assert_eq!(publisher.publish(&frame), Ok(1));
        let received = subscriber.take().expect("the layout is ours");
        assert_eq!(received.message, MessageState::Ok);
        let taken = received.frame.expect("the message is intact");
        assert_eq!(taken.as_frame_bytes(), frame.as_frame_bytes());
        addresses.push(taken.as_frame_bytes().as_ptr());
    }
    // A copy would always stand in the receiver's one buffer; samples take turns.
    assert!(addresses.iter().any(|&address| address != addresses[0]));
}

#[test]
fn silence_and_a_slow_receiver_are_noticed() {
    let service = service("slow");
    let mut subscriber = subscriber(&service);
    let mut publisher = FramePublisher::open(&service, DATA_ID).expect("the service opens");
    let silent = subscriber.take().expect("nothing was viewed");
    assert_eq!(silent.message, MessageState::NoNewData);
    assert_eq!(silent.channel, ChannelState::NoData);

    let frame = OutputFrame::boxed();
    assert_eq!(publisher.publish(&frame), Ok(1));
    let first = subscriber.take().expect("the layout is ours").message;
    assert_eq!(first, MessageState::Ok);
    for _ in 0..20 {
        assert_eq!(publisher.publish(&frame), Ok(1));
    }
    let after = subscriber.take().expect("the layout is ours").message;
    assert_eq!(after, MessageState::WrongSequence);
}

#[test]
fn a_loan_that_is_dropped_is_not_counted() {
    let service = service("dropped");
    let mut subscriber = subscriber(&service);
    let mut publisher = FramePublisher::open(&service, DATA_ID).expect("the service opens");
    for _ in 0..5 {
        drop(publisher.loan().expect("one sample is free"));
    }
    let loan = publisher.loan().expect("one sample is free");
    assert_eq!(loan.send(), Ok(1));
    let received = subscriber.take().expect("the layout is ours");
    assert_eq!(received.message, MessageState::Ok, "counter 0 came first");
}

#[test]
fn another_sender_of_the_service_is_refused() {
    let service = service("second");
    let _publisher = FramePublisher::open(&service, DATA_ID).expect("the service opens");
    let error = FramePublisher::open(&service, DATA_ID).expect_err("there is one already");
    assert_eq!(error.service, service);
    assert_eq!(error.step, "becoming its publisher");
}

#[test]
fn frames_of_another_id_are_errors() {
    let service = service("foreign");
    let mut subscriber = subscriber(&service);
    let mut publisher = FramePublisher::open(&service, DATA_ID + 1).expect("the service opens");
    assert_eq!(publisher.publish(&OutputFrame::boxed()), Ok(1));
    let received = subscriber.take().expect("nothing was viewed");
    assert_eq!(received.message, MessageState::Error);
    assert!(received.frame.is_none());
}
