use super::*;
use MessageState::{Error, NoNewData, Ok as Good, OkSomeLost, Repeated, WrongSequence};

fn window(size: u8, min_ok: u8, max_error: u8) -> WindowSpec {
    WindowSpec {
        size,
        min_ok,
        max_error,
    }
}

/// Windows 3, 5 and 4; no error in an invalid window.
fn spec(on_invalid: OnInvalid) -> StateMachineSpec {
    StateMachineSpec {
        init: window(3, 2, 1),
        valid: window(5, 2, 2),
        invalid: window(4, 3, 0),
        on_invalid,
    }
}

fn machine(on_invalid: OnInvalid) -> StateMachine {
    StateMachine::new(spec(on_invalid)).expect("the windows keep the rules")
}

/// The states after each of the messages.
fn run(machine: &mut StateMachine, messages: &[MessageState]) -> Vec<ChannelState> {
    messages
        .iter()
        .map(|&message| machine.step(message))
        .collect()
}

/// A machine that is valid and remembers two good messages.
fn valid_machine(on_invalid: OnInvalid) -> StateMachine {
    let mut machine = machine(on_invalid);
    run(&mut machine, &[Good, Good, Good]);
    assert_eq!(machine.state(), ChannelState::Valid);
    machine
}

#[test]
fn silence_and_errors_are_no_data() {
    let mut machine = machine(OnInvalid::KeepWindow);
    assert_eq!(machine.state(), ChannelState::NoData);
    assert_eq!(
        run(&mut machine, &[NoNewData, Error, Error, Error, NoNewData]),
        [ChannelState::NoData; 5]
    );
}

#[test]
fn anything_intact_begins_a_channel() {
    for message in [Good, OkSomeLost, Repeated, WrongSequence] {
        assert_eq!(
            machine(OnInvalid::KeepWindow).step(message),
            ChannelState::Init,
            "{message:?}"
        );
    }
}

#[test]
fn the_message_that_begins_a_channel_does_not_count_yet() {
    let mut machine = machine(OnInvalid::KeepWindow);
    assert_eq!(
        run(&mut machine, &[Good, Good, Good]),
        [ChannelState::Init, ChannelState::Init, ChannelState::Valid]
    );
}

#[test]
fn init_becomes_valid_with_one_error_tolerated() {
    let mut machine = machine(OnInvalid::KeepWindow);
    assert_eq!(
        run(&mut machine, &[Good, Good, Error, OkSomeLost]),
        [
            ChannelState::Init,
            ChannelState::Init,
            ChannelState::Init,
            ChannelState::Valid
        ]
    );
}

#[test]
fn init_stays_while_nothing_is_good_or_bad_enough() {
    let mut machine = machine(OnInvalid::KeepWindow);
    run(&mut machine, &[Good]);
    let dull = [
        Repeated,
        NoNewData,
        WrongSequence,
        Error,
        Good,
        Repeated,
        NoNewData,
    ];
    assert_eq!(run(&mut machine, &dull), [ChannelState::Init; 7]);
}

#[test]
fn init_becomes_invalid_at_one_error_too_many() {
    let mut machine = machine(OnInvalid::KeepWindow);
    assert_eq!(
        run(&mut machine, &[Good, Error, Error]),
        [
            ChannelState::Init,
            ChannelState::Init,
            ChannelState::Invalid
        ]
    );
}

#[test]
fn valid_stays_while_the_window_is_good_enough() {
    let mut machine = valid_machine(OnInvalid::KeepWindow);
    let messages = [
        Error, Good, Error, Good, NoNewData, Repeated, Good, OkSomeLost,
    ];
    assert_eq!(run(&mut machine, &messages), [ChannelState::Valid; 8]);
}

#[test]
fn valid_becomes_invalid_at_one_error_too_many() {
    let mut machine = valid_machine(OnInvalid::KeepWindow);
    assert_eq!(
        run(&mut machine, &[Error, Error, Error]),
        [
            ChannelState::Valid,
            ChannelState::Valid,
            ChannelState::Invalid
        ]
    );
}

#[test]
fn valid_becomes_invalid_by_silence() {
    let mut machine = valid_machine(OnInvalid::KeepWindow);
    // Two good ones are remembered; the window of five loses the first after three silent checks.
    assert_eq!(
        run(
            &mut machine,
            &[NoNewData, Repeated, WrongSequence, NoNewData]
        ),
        [
            ChannelState::Valid,
            ChannelState::Valid,
            ChannelState::Valid,
            ChannelState::Invalid
        ]
    );
}

#[test]
fn invalid_becomes_valid_when_errors_have_left_its_window() {
    let mut machine = valid_machine(OnInvalid::KeepWindow);
    run(&mut machine, &[Error, Error, Error]);
    // The window of four holds an error until the fourth good message.
    assert_eq!(
        run(&mut machine, &[Good, Good, Good, Good]),
        [
            ChannelState::Invalid,
            ChannelState::Invalid,
            ChannelState::Invalid,
            ChannelState::Valid
        ]
    );
}

#[test]
fn a_cleared_window_wants_fresh_messages_alone() {
    let mut machine = valid_machine(OnInvalid::ClearWindow);
    run(&mut machine, &[Error, Error, Error]);
    assert_eq!(machine.state(), ChannelState::Invalid);
    // The errors are forgotten: three good messages suffice.
    assert_eq!(
        run(&mut machine, &[Good, Good, Good]),
        [
            ChannelState::Invalid,
            ChannelState::Invalid,
            ChannelState::Valid
        ]
    );
    // So are the good ones, after an init with too many errors.
    let mut cleared = self::machine(OnInvalid::ClearWindow);
    run(&mut cleared, &[Good, Good, Error, Error]);
    assert_eq!(cleared.state(), ChannelState::Invalid);
    assert_eq!(run(&mut cleared, &[Good, Good]), [ChannelState::Invalid; 2]);
}

#[test]
fn what_a_kept_window_remembers_counts_on_the_way_back() {
    let spec = |on_invalid| StateMachineSpec {
        init: window(3, 2, 1),
        valid: window(5, 2, 1),
        invalid: window(3, 2, 1),
        on_invalid,
    };
    for (on_invalid, expected) in [
        // The good message between the errors is still within three.
        (OnInvalid::KeepWindow, ChannelState::Valid),
        (OnInvalid::ClearWindow, ChannelState::Invalid),
    ] {
        let mut machine = StateMachine::new(spec(on_invalid)).expect("the windows keep the rules");
        run(&mut machine, &[Good, Good, Good, Error, Good, Error]);
        assert_eq!(machine.state(), ChannelState::Invalid);
        assert_eq!(machine.step(Good), expected, "{on_invalid:?}");
    }
}

#[test]
fn a_wider_window_does_not_bring_back_what_the_narrow_one_forgot() {
    let mut machine = machine(OnInvalid::KeepWindow);
    // Two errors in init, never both within its three last checks.
    run(
        &mut machine,
        &[Good, Error, NoNewData, NoNewData, Error, Good, Good],
    );
    assert_eq!(machine.state(), ChannelState::Valid);
    // With the forgotten one this would be the third error in five or six.
    assert_eq!(machine.step(Error), ChannelState::Valid);
    assert_eq!(machine.step(Error), ChannelState::Invalid);
}

#[test]
fn a_reset_forgets_everything() {
    let mut machine = valid_machine(OnInvalid::KeepWindow);
    machine.reset();
    assert_eq!(machine.state(), ChannelState::NoData);
    assert_eq!(
        run(&mut machine, &[Good, Good, NoNewData]),
        [ChannelState::Init; 3]
    );
}

#[test]
fn the_widest_window_counts_all_its_checks() {
    let mut machine = StateMachine::new(StateMachineSpec {
        init: window(64, 64, 0),
        valid: window(64, 64, 0),
        invalid: window(64, 64, 0),
        on_invalid: OnInvalid::KeepWindow,
    })
    .expect("the windows keep the rules");
    let states = run(&mut machine, &[Good; 65]);
    assert_eq!(states[63], ChannelState::Init);
    assert_eq!(states[64], ChannelState::Valid);
    assert_eq!(machine.step(NoNewData), ChannelState::Invalid);
}

/// The field that is refused when `change` has been made.
fn refused(change: impl FnOnce(&mut StateMachineSpec)) -> (&'static str, u64) {
    let mut spec = spec(OnInvalid::KeepWindow);
    change(&mut spec);
    let error = StateMachine::new(spec).expect_err("a rule is broken");
    (error.field, error.found)
}

#[test]
fn windows_that_break_a_rule_are_refused_by_name() {
    assert_eq!(refused(|spec| spec.valid.size = 0), ("valid.size", 0));
    assert_eq!(refused(|spec| spec.valid.size = 65), ("valid.size", 65));
    assert_eq!(refused(|spec| spec.init.size = 0), ("init.size", 0));
    assert_eq!(refused(|spec| spec.init.size = 6), ("init.size", 6));
    assert_eq!(refused(|spec| spec.invalid.size = 6), ("invalid.size", 6));
    assert_eq!(refused(|spec| spec.valid.min_ok = 0), ("valid.min_ok", 0));
    assert_eq!(refused(|spec| spec.init.min_ok = 1), ("init.min_ok", 1));
    assert_eq!(
        refused(|spec| spec.invalid.min_ok = 1),
        ("invalid.min_ok", 1)
    );
    assert_eq!(
        refused(|spec| spec.invalid.max_error = 2),
        ("init.max_error", 1)
    );
    assert_eq!(
        refused(|spec| spec.valid.max_error = 0),
        ("valid.max_error", 0)
    );
    assert_eq!(
        refused(|spec| spec.init.size = 2),
        ("init.min_ok + init.max_error", 3)
    );
    assert_eq!(
        refused(|spec| spec.valid.max_error = 4),
        ("valid.min_ok + valid.max_error", 6)
    );
    assert_eq!(
        refused(|spec| spec.invalid.min_ok = 5),
        ("invalid.min_ok + invalid.max_error", 5)
    );
    let mut spec = spec(OnInvalid::KeepWindow);
    spec.init.size = 9;
    assert_eq!(
        StateMachine::new(spec).expect_err("too wide").to_string(),
        "init.size: expected 1 to valid.size, which is 5, found 9"
    );
}

#[test]
fn the_default_keeps_the_rules() {
    assert!(StateMachine::new(StateMachineSpec::default()).is_ok());
}
