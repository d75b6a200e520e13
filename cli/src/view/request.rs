//! What a connection begins with: the head of an HTTP request, and plain answers to it.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};
use tungstenite::error::ProtocolError;
use tungstenite::handshake::machine::TryParse;
use tungstenite::handshake::server::Request;

/// A head must be there by then, and be no longer.
const PATIENCE: Duration = Duration::from_secs(5);
const LONGEST_HEAD_BYTES: usize = 16 << 10;
/// What a client still sends is read for so long, so that it sees the answer.
const LINGER: Duration = Duration::from_secs(1);

/// An answer in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Number and words of HTTP.
    pub status: &'static str,
    /// What was expected and found.
    pub text: String,
}

impl Refusal {
    /// An answer.
    pub fn new(status: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { status, text }
    }
}

/// Reads the head of a request, and what came after it already.
///
/// # Errors
/// The refusal to answer with; `None` when nobody is there to read it.
pub fn read_head(stream: &mut TcpStream) -> Result<(Request, Vec<u8>), Option<Refusal>> {
    let refuse = |status, text: &str| Err(Some(Refusal::new(status, text)));
    let begin = Instant::now();
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let left = PATIENCE.saturating_sub(begin.elapsed());
        if left.is_zero() {
            return refuse("408 Request Timeout", "expected a request within 5 s");
        }
        stream.set_read_timeout(Some(left)).map_err(|_gone| None)?;
        let read = match stream.read(&mut part) {
            Ok(0) => return Err(None),
            Ok(read) => read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                continue;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_gone) => return Err(None),
        };
        bytes.extend_from_slice(&part[..read]);
        match Request::try_parse(&bytes) {
            Ok(Some((length, request))) => return Ok((request, bytes.split_off(length))),
            Ok(None) if bytes.len() > LONGEST_HEAD_BYTES => {
                return refuse(
                    "431 Request Header Fields Too Large",
                    "expected a head of at most 16 KiB",
                );
            }
            Ok(None) => {}
            Err(tungstenite::Error::Protocol(ProtocolError::WrongHttpMethod)) => {
                return refuse("405 Method Not Allowed", "expected GET");
            }
            Err(error) => {
                let text = format!("expected a request of HTTP/1.1: {error}");
                return refuse("400 Bad Request", &text);
            }
        }
    }
}

/// Answers and ends the connection; nothing is left to do when the client has gone.
pub fn answer(mut stream: TcpStream, status: &str, kind: &str, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let sent = stream
        .set_write_timeout(Some(PATIENCE))
        .and_then(|()| stream.write_all(head.as_bytes()))
        .and_then(|()| stream.write_all(body))
        .and_then(|()| stream.shutdown(Shutdown::Write));
    if sent.is_err() {
        return;
    }
    // A socket that is closed with something unread throws away what the client has not read.
    let begin = Instant::now();
    let mut ignored = [0; 4096];
    while begin.elapsed() < LINGER
        && stream.set_read_timeout(Some(LINGER)).is_ok()
        && matches!(stream.read(&mut ignored), Ok(read) if read > 0)
    {}
}
