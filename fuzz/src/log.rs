use std::path::PathBuf;

use bevrt_hil::logs::{LogReader, ResultLog};
use bevrt_hil::source::{DriveSource, LogDrive, LogDriveOptions};

/// Messages that are read of one log at most: a small file can claim many.
const MOST_MESSAGES: usize = 10_000;

/// The bytes as an MCAP log: its messages, the drive in it, and the results in it.
pub fn log(data: &[u8]) {
    let path = file();
    std::fs::write(&path, data).expect("the temporary folder is writable");
    if let Ok(reader) = LogReader::open(&path) {
        let _times = reader.log_times_ns();
        if let Ok(mut messages) = reader.messages(|_topic| true) {
            for _ in 0..MOST_MESSAGES {
                match messages.next_message() {
                    Ok(Some(_)) => {}
                    Ok(None) | Err(_) => break,
                }
            }
        }
    }
    if let Ok(mut drive) = LogDrive::open(&path, LogDriveOptions::default()) {
        for _ in 0..MOST_MESSAGES {
            match drive.next_event() {
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
    }
    if let Ok(mut results) = ResultLog::open(&path) {
        for _ in 0..MOST_MESSAGES {
            match results.next_event() {
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
    }
}

/// A file of this process, in memory where the system has such a folder.
fn file() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() {
        memory
    } else {
        std::env::temp_dir()
    };
    folder.join(format!("bevrt-fuzz-{}.mcap", std::process::id()))
}
