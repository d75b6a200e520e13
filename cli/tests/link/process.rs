//! The command as processes that never outlive the test.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A command that says nothing for so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn text(path: &Path) -> &str {
    path.to_str().expect("folders of tests have plain names")
}

/// The command, behind the words of another one such as `ip netns exec NAME`.
fn command(before: &[&str], arguments: &[&str]) -> Command {
    let bevrt = env!("CARGO_BIN_EXE_bevrt");
    let mut words = before
        .iter()
        .copied()
        .chain([bevrt])
        .chain(arguments.iter().copied());
    let mut command = Command::new(words.next().expect("there is bevrt at least"));
    command.args(words);
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the repository");
    command.current_dir(repository);
    command
}

fn output(before: &[&str], arguments: &[&str]) -> Output {
    command(before, arguments)
        .output()
        .expect("the command was built before its tests")
}

/// What a command that succeeds says.
pub fn run(arguments: &[&str]) -> String {
    run_behind(&[], arguments)
}

pub fn run_behind(before: &[&str], arguments: &[&str]) -> String {
    let output = output(before, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "bevrt {arguments:?}: {errors}\n{said}"
    );
    said
}

/// What a command that fails says.
pub fn failure(arguments: &[&str]) -> String {
    let output = output(&[], arguments);
    assert!(!output.status.success(), "bevrt {arguments:?} must fail");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("loopback has ports")
        .port()
}

/// A command that runs until the test ends.
pub struct Running {
    child: Child,
    /// Lines of its standard error.
    errors: Receiver<String>,
}

impl Running {
    pub fn start(before: &[&str], arguments: &[&str]) -> Self {
        let mut child = command(before, arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command was built before its tests");
        let lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let (sender, errors) = channel();
        // Ends with the command; until then the pipe never fills.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, errors }
    }

    /// Waits for a line of its standard error.
    pub fn wait_for(&self, sign: &str) {
        let mut said = Vec::new();
        loop {
            match self.errors.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(sign) => return,
                Ok(line) => said.push(line),
                Err(error) => panic!("expected `{sign}`, found {said:?}: {error}"),
            }
        }
    }

    /// Waits for its end, which must be a success; what it said.
    pub fn finish(&mut self) -> String {
        let mut said = String::new();
        let out = self.child.stdout.as_mut().expect("it is piped");
        out.read_to_string(&mut said).expect("it writes text");
        let status = self.child.wait().expect("it is our child");
        let errors: Vec<String> = self.errors.iter().collect();
        assert!(status.success(), "{status}: {errors:?}\n{said}");
        said
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
