//! A script for the C driver, with the answers that the Rust code gives.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use bevrt_transport::{
    Channel, Checked, ConfigError, OnInvalid, Profile, Receiver, ReceiverSpec, WindowSpec,
};

/// What goes to the driver, and what must come back.
#[derive(Default)]
pub struct Script {
    input: Vec<u8>,
    /// Each answer with what it answers.
    expected: Vec<(Vec<u8>, String)>,
}

/// Everything that a receiver is made of, right or wrong.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    pub data_id: u32,
    pub min_message_bytes: u32,
    pub max_message_bytes: u32,
    pub spec: ReceiverSpec,
}

impl Config {
    pub fn receiver<P: Profile>(&self) -> Result<Receiver<P>, ConfigError> {
        let channel = Channel::new(
            self.data_id,
            self.min_message_bytes..=self.max_message_bytes,
        )?;
        Receiver::new(channel, self.spec)
    }
}

/// The C number of a refused field.
fn status(outcome: Option<&ConfigError>) -> u32 {
    let Some(error) = outcome else { return 0 };
    match error.field {
        "min_message_bytes" => 3,
        "max_message_bytes" => 4,
        "max_delta_counter" => 5,
        "valid.size" => 6,
        "init.size" => 7,
        "invalid.size" => 8,
        "valid.min_ok" => 9,
        "init.min_ok" => 10,
        "invalid.min_ok" => 11,
        "init.max_error" => 12,
        "valid.max_error" => 13,
        "init.min_ok + init.max_error" => 14,
        "valid.min_ok + valid.max_error" => 15,
        "invalid.min_ok + invalid.max_error" => 16,
        other => panic!("{other} has no number in C"),
    }
}

impl Script {
    fn expect(&mut self, answer: impl Into<Vec<u8>>, question: impl Into<String>) {
        self.expected.push((answer.into(), question.into()));
    }

    /// Configures the driver; gives the Rust receiver where the configuration is right.
    pub fn configure<P: Profile>(&mut self, config: &Config) -> Option<Receiver<P>> {
        let machine = config.spec.state_machine;
        self.input.push(b'C');
        self.input.push(if P::HEADER_BYTES == 12 { 4 } else { 7 });
        self.input.push(match machine.on_invalid {
            OnInvalid::KeepWindow => 0,
            OnInvalid::ClearWindow => 1,
        });
        for number in [
            config.data_id,
            config.min_message_bytes,
            config.max_message_bytes,
            config.spec.max_delta_counter,
        ] {
            self.input.extend(number.to_le_bytes());
        }
        for WindowSpec {
            size,
            min_ok,
            max_error,
        } in [machine.init, machine.valid, machine.invalid]
        {
            self.input.extend([size, min_ok, max_error]);
        }
        let receiver = config.receiver();
        self.expect(
            status(receiver.as_ref().err()).to_le_bytes(),
            format!("{config:?}"),
        );
        receiver.ok()
    }

    pub fn check(&mut self, message: Option<&[u8]>, checked: &Checked<'_>, what: &str) {
        match message {
            Some(bytes) => self.bytes(b'M', bytes),
            None => self.input.push(b'N'),
        }
        self.expect(
            [
                checked.message as u8,
                checked.channel as u8,
                u8::from(checked.usable_payload().is_some()),
            ],
            what,
        );
    }

    pub fn reset(&mut self, channel: u8) {
        self.input.push(b'R');
        self.expect([channel], "reset");
    }

    /// A command with bytes, and the numbers that must come back.
    pub fn ask(&mut self, command: u8, bytes: &[u8], answer: Vec<u8>, what: &str) {
        self.bytes(command, bytes);
        self.expect(answer, what);
    }

    fn bytes(&mut self, command: u8, bytes: &[u8]) {
        self.input.push(command);
        self.input.extend((bytes.len() as u32).to_le_bytes());
        self.input.extend(bytes);
    }

    /// How many answers are awaited.
    pub fn len(&self) -> usize {
        self.expected.len()
    }

    /// Runs the driver and compares answer by answer.
    pub fn run(self, driver: &Path) {
        let mut child = Command::new(driver)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the driver was built a moment ago");
        let mut stdin = child.stdin.take().expect("it is piped");
        let input = self.input;
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let output = child
            .wait_with_output()
            .expect("the driver ends with its input");
        let written = writer.join().expect("writing does not panic");
        assert!(
            output.status.success() && written.is_ok(),
            "the driver ended with {}, writing with {written:?}",
            output.status
        );
        let mut answers = output.stdout.as_slice();
        for (index, (expected, question)) in self.expected.iter().enumerate() {
            let length = expected.len().min(answers.len());
            let (answer, rest) = answers.split_at(length);
            assert_eq!(answer, expected, "answer {index} to: {question}");
            answers = rest;
        }
        assert!(answers.is_empty(), "{} bytes too many", answers.len());
    }
}
