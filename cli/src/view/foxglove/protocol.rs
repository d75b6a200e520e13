//! Messages of Foxglove's WebSocket protocol: text in JSON, binary with a number in front, little
//! endian. `foxglove.websocket.v1` and `foxglove.sdk.v1` are the same here; only the latter's
//! clients know of playback control.

use super::super::playback::PlaybackState;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bevrt_hil::logs::MessageForm;
use bevrt_runtime::Stamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tungstenite::Message;

/// The subprotocols that are spoken, the better one first.
pub const SUBPROTOCOLS: [&str; 2] = ["foxglove.sdk.v1", "foxglove.websocket.v1"];

const MESSAGE_DATA: u8 = 1;
const TIME: u8 = 2;
const PLAYBACK_CONTROL: u8 = 3;
const PLAYBACK_STATE: u8 = 5;

/// What a client asks for in text.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Request {
    /// Messages of channels.
    Subscribe { subscriptions: Vec<Subscription> },
    /// No more of them.
    Unsubscribe { subscription_ids: Vec<u32> },
}

/// A channel by the number that the client gives it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// The client's number.
    pub id: u32,
    /// Ours.
    pub channel_id: u64,
}

/// A request of playback control.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaybackControl {
    /// Whether to play.
    pub is_playing: bool,
    /// Times as fast as real time.
    pub speed: f32,
    /// Where to go.
    pub seek: Option<Stamp>,
    /// What the answer names.
    pub request_id: String,
}

impl PlaybackControl {
    /// From a binary message.
    ///
    /// # Errors
    /// What was expected and found.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let refuse = || format!("expected playback control, found {} bytes", bytes.len());
        let (&opcode, body) = bytes.split_first().ok_or_else(refuse)?;
        if opcode != PLAYBACK_CONTROL {
            return Err(format!("expected playback control (3), found {opcode}"));
        }
        let (head, id) = body.split_at_checked(18).ok_or_else(refuse)?;
        let four = |at: usize| [head[at], head[at + 1], head[at + 2], head[at + 3]];
        let command = head[0];
        if command > 1 {
            return Err(format!("expected play (0) or pause (1), found {command}"));
        }
        let speed = f32::from_le_bytes(four(1));
        if !(speed.is_finite() && speed > 0.0) {
            return Err(format!("expected a speed above 0, found {speed}"));
        }
        let time_ns = (u64::from(u32::from_le_bytes(four(10))) << 32)
            | u64::from(u32::from_le_bytes(four(6)));
        let stamp = Stamp::from_nanoseconds(i64::try_from(time_ns).unwrap_or(i64::MAX));
        let length = u32::from_le_bytes(four(14)) as usize;
        let id = id.get(..length).ok_or_else(refuse)?;
        Ok(Self {
            is_playing: command == 0,
            speed,
            seek: (head[5] != 0).then_some(stamp),
            request_id: String::from_utf8(id.to_vec())
                .map_err(|_not_text| "expected a request id in UTF-8".to_owned())?,
        })
    }
}

/// Who serves, and the times of the log.
pub fn server_info(name: &str, session: &str, times: Option<(Stamp, Stamp)>) -> Message {
    let time = |stamp: Stamp| {
        let ns = stamp.nanoseconds().max(0);
        json!({"sec": ns / 1_000_000_000, "nsec": ns % 1_000_000_000})
    };
    let mut info = json!({
        "op": "serverInfo", "name": name, "capabilities": ["time"],
        "supportedEncodings": [], "sessionId": session,
    });
    if let Some((begin, end)) = times {
        info["capabilities"] = json!(["time", "playbackControl"]);
        info["dataStartTime"] = time(begin);
        info["dataEndTime"] = time(end);
    }
    text(&info)
}

/// How a channel is told.
pub fn channel(id: u64, topic: &str, form: &MessageForm<'_>) -> Value {
    let (name, encoding, schema) = form.schema.unwrap_or_default();
    // Definitions that are no text go as base64.
    let schema = match encoding {
        "protobuf" => STANDARD.encode(schema),
        _ => String::from_utf8_lossy(schema).into_owned(),
    };
    json!({
        "id": id, "topic": topic, "encoding": form.encoding,
        "schemaName": name, "schemaEncoding": encoding, "schema": schema,
    })
}

/// Channels that are new to a client.
pub fn advertise(channels: &[Value]) -> Message {
    text(&json!({"op": "advertise", "channels": channels}))
}

/// A request that could not be served.
pub fn error_status(message: &str) -> Message {
    text(&json!({"op": "status", "level": 2, "message": message}))
}

/// A message of a channel that a client has subscribed to.
pub fn message_data(subscription: u32, log_time_ns: u64, data: &[u8]) -> Message {
    let mut bytes = Vec::with_capacity(13 + data.len());
    bytes.push(MESSAGE_DATA);
    bytes.extend(subscription.to_le_bytes());
    bytes.extend(log_time_ns.to_le_bytes());
    bytes.extend(data);
    Message::Binary(bytes.into())
}

/// The time of the log.
pub fn time(log_time_ns: u64) -> Message {
    let mut bytes = vec![TIME];
    bytes.extend(log_time_ns.to_le_bytes());
    Message::Binary(bytes.into())
}

/// What is going on, as an answer where `request_id` is not empty.
pub fn playback_state(state: &PlaybackState, did_seek: bool, request_id: &str) -> Message {
    let status = match (state.has_ended, state.is_playing) {
        (true, _) => 3,
        (false, true) => 0,
        (false, false) => 1,
    };
    let position_ns = u64::try_from(state.position.nanoseconds()).unwrap_or(0);
    let length = u32::try_from(request_id.len()).unwrap_or(0);
    let mut bytes = vec![PLAYBACK_STATE, status];
    bytes.extend(position_ns.to_le_bytes());
    bytes.extend((state.speed as f32).to_le_bytes());
    bytes.push(did_seek.into());
    bytes.extend(length.to_le_bytes());
    bytes.extend(request_id.as_bytes());
    Message::Binary(bytes.into())
}

fn text(value: &Value) -> Message {
    Message::Text(value.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(command: u8, speed: f32, seek: Option<u64>, id: &[u8]) -> Vec<u8> {
        let mut bytes = vec![3, command];
        bytes.extend(speed.to_le_bytes());
        bytes.push(seek.is_some().into());
        bytes.extend(seek.unwrap_or(0).to_le_bytes());
        bytes.extend((id.len() as u32).to_le_bytes());
        bytes.extend(id);
        bytes
    }

    #[test]
    fn playback_control_is_read() {
        let seek_ns = 1_700_000_000_123_456_789;
        let read = PlaybackControl::from_bytes(&control(0, 0.5, Some(seek_ns), b"seven"));
        let expected = PlaybackControl {
            is_playing: true,
            speed: 0.5,
            seek: Some(Stamp::from_nanoseconds(seek_ns as i64)),
            request_id: "seven".to_owned(),
        };
        assert_eq!(read, Ok(expected));
        let paused = PlaybackControl::from_bytes(&control(1, 1.0, None, b"")).expect("it is sound");
        assert!(!paused.is_playing && paused.seek.is_none());
    }

    #[test]
    fn wrong_playback_control_is_refused() {
        let good = control(0, 1.0, None, b"id");
        for cut in 0..good.len() {
            assert!(PlaybackControl::from_bytes(&good[..cut]).is_err(), "{cut}");
        }
        for bad in [
            control(2, 1.0, None, b""),
            control(0, 0.0, None, b""),
            control(0, f32::NAN, None, b""),
            control(0, 1.0, None, b"\xff"),
            [&[1], &good[1..]].concat(),
        ] {
            assert!(PlaybackControl::from_bytes(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_state_of_playback_has_the_published_layout() {
        let state = PlaybackState {
            is_playing: false,
            has_ended: false,
            speed: 1.0,
            position: Stamp::from_nanoseconds(258),
            run: 0,
        };
        let expected = [
            &[5, 1, 2, 1, 0, 0, 0, 0, 0, 0][..],
            &1.0_f32.to_le_bytes(),
            &[1, 2, 0, 0, 0],
            b"id",
        ]
        .concat();
        assert_eq!(
            playback_state(&state, true, "id"),
            Message::Binary(expected.into())
        );
    }

    #[test]
    fn requests_of_other_kinds_are_refused_by_name() {
        let error = serde_json::from_str::<Request>(r#"{"op":"getParameters"}"#);
        assert!(
            error
                .expect_err("unknown")
                .to_string()
                .contains("subscribe")
        );
    }
}
