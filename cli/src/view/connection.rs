//! One WebSocket connection: sends what waits in its outbox and hands on what comes.

use super::outbox::Outbox;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};

/// Longest time before what waits is sent.
const POLL: Duration = Duration::from_millis(10);
/// Longest time of one attempt to send.
const SENDING: Duration = Duration::from_millis(100);
/// A client that takes nothing for so long is given up.
const PATIENCE: Duration = Duration::from_secs(10);
/// A ping after so long without a word; a client that is silent for [`SILENCE`] is given up.
const PING: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(30);
/// Nothing that clients send is longer.
const LONGEST_REQUEST_BYTES: usize = 64 << 10;
/// Messages that are sent before the client is listened to again.
const IN_A_ROW: usize = 64;

/// Runs a connection after its handshake until either side ends it. `rest` came after the handshake.
pub fn run(
    stream: TcpStream,
    rest: Vec<u8>,
    outbox: &Outbox,
    received: impl FnMut(&Message),
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(POLL))?;
    stream.set_write_timeout(Some(SENDING))?;
    let config = WebSocketConfig::default()
        .read_buffer_size(16 << 10)
        .max_message_size(Some(LONGEST_REQUEST_BYTES))
        .max_frame_size(Some(LONGEST_REQUEST_BYTES));
    let socket = WebSocket::from_partially_read(stream, rest, Role::Server, Some(config));
    let now = Instant::now();
    let mut connection = Connection {
        socket,
        received,
        heard: now,
        pinged: now,
        stuck: None,
    };
    while connection.step(outbox) {}
    Ok(())
}

struct Connection<F> {
    socket: WebSocket<TcpStream>,
    received: F,
    heard: Instant,
    pinged: Instant,
    /// Since when the client has taken nothing.
    stuck: Option<Instant>,
}

impl<F: FnMut(&Message)> Connection<F> {
    /// Sends, then listens; whether the connection goes on.
    fn step(&mut self, outbox: &Outbox) -> bool {
        if outbox.is_closed() {
            let _gone_already = self.socket.close(None);
            let _gone_already = self.socket.flush();
            return false;
        }
        self.send(outbox) && self.listen()
    }

    fn send(&mut self, outbox: &Outbox) -> bool {
        if let Some(since) = self.stuck {
            return match self.socket.flush() {
                Ok(()) => {
                    self.stuck = None;
                    true
                }
                Err(error) => is_not_yet(&error) && since.elapsed() < PATIENCE,
            };
        }
        if self.heard.elapsed() > PING && self.pinged.elapsed() > PING {
            self.pinged = Instant::now();
            outbox.answer(Message::Ping(Vec::new().into()));
        }
        for _ in 0..IN_A_ROW {
            let Some(message) = outbox.pop() else { break };
            match self.socket.send(message) {
                Ok(()) => {}
                Err(error) if is_not_yet(&error) => {
                    self.stuck = Some(Instant::now());
                    break;
                }
                Err(_gone) => return false,
            }
        }
        true
    }

    fn listen(&mut self) -> bool {
        match self.socket.read() {
            Ok(message) => {
                self.heard = Instant::now();
                if message.is_text() || message.is_binary() {
                    (self.received)(&message);
                }
                true
            }
            Err(error) => is_not_yet(&error) && self.heard.elapsed() < SILENCE,
        }
    }
}

fn is_not_yet(error: &Error) -> bool {
    let not_yet = [
        ErrorKind::WouldBlock,
        ErrorKind::TimedOut,
        ErrorKind::Interrupted,
    ];
    matches!(error, Error::Io(error) if not_yet.contains(&error.kind()))
}
