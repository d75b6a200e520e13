//! A `bevrt view` that runs while a test watches it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The process, ended with the test.
pub struct Served {
    /// The process.
    pub child: Child,
    /// Address and port.
    pub address: String,
}

impl Served {
    /// Starts it on a free port.
    pub fn start(arguments: &[&str]) -> Self {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        let mut child = Command::new(env!("CARGO_BIN_EXE_bevrt"))
            .args(["view", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .current_dir(repository.expect("the crate lies in the repository"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("the command was built before its tests");
        let output = child.stdout.take().expect("it was asked for");
        let mut line = String::new();
        let read = BufReader::new(output).read_line(&mut line);
        read.expect("it tells where it is");
        let (_, address) = line.split_once("http://").expect("an address");
        Self {
            child,
            address: address.trim_end().trim_end_matches('/').to_owned(),
        }
    }

    /// Whether it runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it was started").is_none()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
