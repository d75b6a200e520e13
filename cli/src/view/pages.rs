//! The stream to our own page: frames as the player takes them, and what is going on.

use super::outbox::Outbox;
use super::playback::{Command, PlaybackState, SPEEDS};
use crate::failure::Failure;
use crate::player::{RecordedFrame, frame_json};
use bevrt_runtime::{Span, Stamp};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tungstenite::{Message, Utf8Bytes};

/// What a page asks for.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
enum Request {
    Play,
    Pause,
    Step,
    Seek { time_s: f64 },
    Speed { factor: f64 },
}

/// The pages that are open.
pub struct Pages {
    /// From here seconds are counted.
    begin: Stamp,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    clients: Vec<Arc<Outbox>>,
    /// The last frame, for a page that is opened later.
    last: Option<Utf8Bytes>,
}

impl Pages {
    /// No page yet; seconds are counted from `begin` on.
    pub fn new(begin: Stamp) -> Self {
        Self {
            begin,
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a new page what there is.
    pub fn enter(&self, outbox: &Arc<Outbox>, state: &PlaybackState) {
        outbox.answer(self.state(state, None));
        let mut inner = self.lock();
        if let Some(last) = &inner.last {
            outbox.stream(Message::Text(last.clone()));
        }
        inner.clients.push(Arc::clone(outbox));
    }

    /// Forgets a page.
    pub fn leave(&self, outbox: &Arc<Outbox>) {
        self.lock()
            .clients
            .retain(|client| !Arc::ptr_eq(client, outbox));
    }

    /// Shows a frame of a run to all pages.
    ///
    /// # Errors
    /// It cannot be told in JSON.
    pub fn show(
        &self,
        frame: &RecordedFrame,
        reasons: &[&'static str],
        run: u64,
    ) -> Result<(), Failure> {
        let mut frame = frame_json(frame)?;
        frame["reasons"] = json!(reasons);
        frame["drive"] = json!(0);
        let told = json!({"op": "frame", "run": run, "frame": frame}).to_string();
        let told = Utf8Bytes::from(told);
        let mut inner = self.lock();
        for client in &inner.clients {
            client.stream(Message::Text(told.clone()));
        }
        inner.last = Some(told);
        Ok(())
    }

    /// Tells all pages what is going on, and what went wrong.
    pub fn tell_state(&self, state: &PlaybackState, trouble: Option<&str>) {
        let told = self.state(state, trouble);
        for client in &self.lock().clients {
            client.answer(told.clone());
        }
    }

    /// What a page asks for; `None` when it was told that this cannot be.
    pub fn asked(&self, outbox: &Outbox, message: &Message) -> Option<Command> {
        match self.command(message) {
            Ok(command) => Some(command),
            Err(text) => {
                let told = json!({"op": "error", "text": text});
                outbox.answer(Message::Text(told.to_string().into()));
                None
            }
        }
    }

    fn command(&self, message: &Message) -> Result<Command, String> {
        let Message::Text(text) = message else {
            return Err("expected text".to_owned());
        };
        let request = serde_json::from_str(text)
            .map_err(|error| format!("expected play, pause, step, seek or speed: {error}"))?;
        match request {
            Request::Play => Ok(Command::Play),
            Request::Pause => Ok(Command::Pause),
            Request::Step => Ok(Command::Step),
            Request::Seek { time_s } if (0.0..1e9).contains(&time_s) => {
                Ok(Command::Seek(self.begin + Span::from_seconds(time_s)))
            }
            Request::Seek { time_s } => Err(format!("expected seconds from 0 on, found {time_s}")),
            Request::Speed { factor } if SPEEDS.contains(&factor) => Ok(Command::Speed(factor)),
            Request::Speed { factor } => {
                Err(format!("expected a speed of 0.01 to 1000, found {factor}"))
            }
        }
    }

    fn state(&self, state: &PlaybackState, trouble: Option<&str>) -> Message {
        let told: Value = json!({
            "op": "state", "playing": state.is_playing, "ended": state.has_ended,
            "speed": state.speed, "run": state.run, "trouble": trouble,
            "time_s": state.position.since(self.begin).seconds(),
        });
        Message::Text(told.to_string().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_become_commands_and_wrong_ones_an_answer() {
        let pages = Pages::new(Stamp::from_nanoseconds(5_000_000_000));
        let outbox = Outbox::default();
        let asked = |text: &str| pages.asked(&outbox, &text.into());
        let seek = Command::Seek(Stamp::from_nanoseconds(6_500_000_000));
        assert_eq!(asked(r#"{"op":"seek","time_s":1.5}"#), Some(seek));
        assert_eq!(asked(r#"{"op":"step"}"#), Some(Command::Step));
        let speed = Some(Command::Speed(0.5));
        assert_eq!(asked(r#"{"op":"speed","factor":0.5}"#), speed);
        assert!(outbox.is_empty());
        for wrong in [
            "",
            "{}",
            "[1",
            r#"{"op":"stop"}"#,
            r#"{"op":"seek"}"#,
            r#"{"op":"seek","time_s":-1}"#,
            r#"{"op":"seek","time_s":1e300}"#,
            r#"{"op":"speed","factor":0}"#,
        ] {
            assert_eq!(asked(wrong), None, "{wrong}");
            let answer = outbox.pop().expect("it is told");
            let text = answer.to_text().expect("it is text");
            assert!(
                text.contains("error") && text.contains("expected"),
                "{text}"
            );
        }
    }
}
