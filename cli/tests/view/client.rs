//! A client of Foxglove's WebSocket protocol, after its published description.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

/// Whatever is waited for must be there by then.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What the server says.
#[derive(Debug)]
pub enum Told {
    /// Text: server info, channels, status.
    Json(Value),
    /// A message of a subscription.
    Data {
        topic: String,
        log_time_ns: u64,
        data: Vec<u8>,
    },
    /// The clock.
    Time(u64),
    /// Playback: 0 plays, 1 pauses, 3 has ended.
    Playback {
        status: u8,
        did_seek: bool,
        request_id: String,
    },
}

/// A channel that was advertised.
pub struct Channel {
    pub topic: String,
    pub encoding: String,
    pub schema_name: String,
    pub schema: Vec<u8>,
}

/// A connected client.
pub struct Client {
    socket: WebSocket<TcpStream>,
    /// The subprotocol that was agreed on.
    pub protocol: String,
    pub channels: BTreeMap<u64, Channel>,
    subscriptions: BTreeMap<u32, u64>,
}

/// Opens a WebSocket; offers subprotocols where there are some.
pub fn connect(
    address: &str,
    path: &str,
    protocols: &str,
) -> Result<(WebSocket<TcpStream>, String), String> {
    let mut request = format!("ws://{address}{path}")
        .into_client_request()
        .expect("an address");
    if !protocols.is_empty() {
        let offered = protocols.parse().expect("a header");
        request
            .headers_mut()
            .insert("sec-websocket-protocol", offered);
    }
    let stream = TcpStream::connect(address).map_err(|error| error.to_string())?;
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let (socket, response) =
        tungstenite::client(request, stream).map_err(|error| error.to_string())?;
    let agreed = response.headers().get("sec-websocket-protocol");
    let agreed = agreed.map(|value| value.to_str().expect("text").to_owned());
    Ok((socket, agreed.unwrap_or_default()))
}

impl Client {
    pub fn new(address: &str, protocols: &str) -> Self {
        let (socket, protocol) = connect(address, "/", protocols).expect("it serves Foxglove");
        Self {
            socket,
            protocol,
            channels: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
        }
    }

    /// Sends text.
    pub fn say(&mut self, text: &str) {
        self.socket.send(text.into()).expect("it listens");
    }

    /// Sends bytes.
    pub fn send(&mut self, bytes: Vec<u8>) {
        self.try_send(bytes).expect("it listens");
    }

    /// Sends bytes that may end the connection.
    pub fn try_send(&mut self, bytes: Vec<u8>) -> tungstenite::Result<()> {
        self.socket.send(Message::Binary(bytes.into()))
    }

    /// Asks for all channels that are not subscribed to yet.
    pub fn subscribe_to_all(&mut self) {
        let known: Vec<u64> = self.subscriptions.values().copied().collect();
        let mut wanted = Vec::new();
        for channel in self.channels.keys().filter(|id| !known.contains(id)) {
            // Numbers of ours that are not the server's.
            let id = 1000 + *channel as u32;
            self.subscriptions.insert(id, *channel);
            wanted.push(json!({"id": id, "channelId": channel}));
        }
        if !wanted.is_empty() {
            self.say(&json!({"op": "subscribe", "subscriptions": wanted}).to_string());
        }
    }

    /// Controls playback.
    pub fn control(&mut self, is_playing: bool, speed: f32, seek_ns: Option<u64>, id: &str) {
        let mut bytes = vec![3, u8::from(!is_playing)];
        bytes.extend(speed.to_le_bytes());
        bytes.push(seek_ns.is_some().into());
        bytes.extend(seek_ns.unwrap_or(0).to_le_bytes());
        bytes.extend((id.len() as u32).to_le_bytes());
        bytes.extend(id.as_bytes());
        self.send(bytes);
    }

    /// What the server says next; `None` when it has ended the connection.
    pub fn next(&mut self) -> Option<Told> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    let value: Value = serde_json::from_str(&text).expect("JSON");
                    self.note_channels(&value);
                    return Some(Told::Json(value));
                }
                Ok(Message::Binary(bytes)) => return Some(self.binary(&bytes)),
                Ok(_ping) => {}
                Err(ended) => {
                    println!("the connection has ended: {ended}");
                    return None;
                }
            }
        }
    }

    /// Waits for what a function wants of what is said.
    pub fn wait_for<T>(&mut self, wants: impl Fn(&Told) -> Option<T>) -> T {
        let begin = Instant::now();
        loop {
            assert!(begin.elapsed() < PATIENCE, "it never says it");
            let told = self.next().expect("the connection lasts");
            if let Some(wanted) = wants(&told) {
                return wanted;
            }
        }
    }

    fn note_channels(&mut self, value: &Value) {
        if value["op"] != "advertise" {
            return;
        }
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        for channel in value["channels"].as_array().expect("channels") {
            let id = channel["id"].as_u64().expect("a number");
            let schema = text(&channel["schema"]);
            let is_protobuf = channel["schemaEncoding"] == "protobuf";
            let known = Channel {
                topic: text(&channel["topic"]),
                encoding: text(&channel["encoding"]),
                schema_name: text(&channel["schemaName"]),
                schema: match is_protobuf {
                    true => STANDARD.decode(schema).expect("base64"),
                    false => schema.into_bytes(),
                },
            };
            assert!(self.channels.insert(id, known).is_none(), "{id} twice");
        }
    }

    fn binary(&self, bytes: &[u8]) -> Told {
        let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four"));
        let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight"));
        match bytes[0] {
            1 => {
                let channel = self.subscriptions.get(&u32_at(1));
                let channel = channel.and_then(|channel| self.channels.get(channel));
                Told::Data {
                    topic: channel.map_or_else(String::new, |channel| channel.topic.clone()),
                    log_time_ns: u64_at(5),
                    data: bytes[13..].to_vec(),
                }
            }
            2 => {
                assert_eq!(bytes.len(), 9);
                Told::Time(u64_at(1))
            }
            5 => {
                let id = &bytes[19..];
                assert_eq!(id.len(), u32_at(15) as usize);
                Told::Playback {
                    status: bytes[1],
                    did_seek: bytes[14] != 0,
                    request_id: String::from_utf8(id.to_vec()).expect("text"),
                }
            }
            other => panic!("opcode {other}"),
        }
    }
}
