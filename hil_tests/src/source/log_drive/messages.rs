//! Messages of a log, with or without its index, within a window of time.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use super::LogDriveOptions;
use crate::logs::{LogError, LogMessage, LogMessages, LogStream, OwnedMessage};

/// The part of a log that is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    from_ns: u64,
    to_ns: u64,
}

impl Window {
    /// Counted from the first message of the log.
    pub(super) fn new(options: &LogDriveOptions, first_ns: Option<u64>) -> Self {
        let first_ns = first_ns.unwrap_or(0);
        let at = |seconds: f64| first_ns.saturating_add((seconds.max(0.0) * 1e9) as u64);
        Self {
            from_ns: options.from_s.map_or(0, at),
            to_ns: options.to_s.map_or(u64::MAX, at),
        }
    }

    /// First log time that is wanted, and the first after it that is not.
    pub(super) fn range_ns(self) -> (u64, u64) {
        (self.from_ns, self.to_ns)
    }

    fn holds(self, log_time_ns: u64) -> bool {
        (self.from_ns..self.to_ns).contains(&log_time_ns)
    }
}

/// Where messages come from.
pub(super) enum Messages {
    /// A log with its index.
    Indexed(PathBuf, Box<LogMessages>),
    /// A log that is read as it comes.
    Stream(Box<StreamMessages>),
}

/// A log that is read as it comes, with what was read to find its cameras.
pub(super) struct StreamMessages {
    pub(super) stream: LogStream,
    pub(super) kept: VecDeque<OwnedMessage>,
    pub(super) window: Window,
    pub(super) remark: Option<String>,
    pub(super) current: Option<OwnedMessage>,
}

impl Messages {
    /// The next message in the window, and the name of its log.
    pub(super) fn next_message(&mut self) -> Result<(&Path, Option<LogMessage<'_>>), LogError> {
        match self {
            Self::Indexed(path, messages) => Ok((path.as_path(), messages.next_message()?)),
            Self::Stream(messages) => {
                messages.advance()?;
                let StreamMessages {
                    stream, current, ..
                } = &**messages;
                let view = current.as_ref().and_then(|message| stream.view(message));
                Ok((stream.name(), view))
            }
        }
    }

    pub(super) fn remarks(&self) -> Vec<String> {
        let Self::Stream(messages) = self else {
            return Vec::new();
        };
        let stream = &messages.stream;
        let mut remarks: Vec<String> = messages.remark.iter().cloned().collect();
        if stream.damaged_chunks() > 0 {
            remarks.push(format!(
                "{} damaged chunks left out",
                stream.damaged_chunks()
            ));
        }
        if let Some(why) = stream.broken_off() {
            remarks.push(format!("it breaks off before its end ({why})"));
        }
        remarks
    }
}

impl StreamMessages {
    /// Goes on to the next message in the window whose channel is known.
    fn advance(&mut self) -> Result<(), LogError> {
        loop {
            self.current = match self.kept.pop_front() {
                Some(message) => Some(message),
                None => self.stream.next_owned()?,
            };
            let Some(message) = &self.current else {
                return Ok(());
            };
            let view = self.stream.view(message);
            if view.is_some_and(|view| self.window.holds(view.log_time_ns)) {
                return Ok(());
            }
        }
    }
}
