//! One address for all: the page by HTTP, its stream and that to Foxglove by WebSocket.

use super::View;
use super::connection;
use super::foxglove::SUBPROTOCOLS;
use super::outbox::Outbox;
use super::playback::Command;
use super::request::{Refusal, answer, read_head};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Duration;
use tungstenite::handshake::server::{Request, create_response, write_response};
use tungstenite::http::HeaderValue;

/// Connections at a time; more are turned away.
const MOST_CONNECTIONS: usize = 32;
/// Where the page's stream is.
const LIVE: &str = "/live";
const HTML: &str = "text/html";
const TEXT: &str = "text/plain";

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    Page,
    Foxglove(&'static str),
}

/// Serves until the process ends.
pub fn serve(listener: &TcpListener, view: &Arc<View>) {
    let connections = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            // No handles are left, say: those who are connected go on.
            thread::sleep(Duration::from_millis(50));
            continue;
        };
        let seat = Seat::take(&connections);
        let view = Arc::clone(view);
        // Without a thread the connection is dropped, and the client sees it.
        let _refused = thread::Builder::new()
            .name("client".to_owned())
            .spawn(move || match seat {
                Some(_seat) => connected(stream, &view),
                None => answer(stream, "503 Service Unavailable", TEXT, b"too many clients"),
            });
    }
}

/// A place among the connections.
struct Seat(Arc<AtomicUsize>);

impl Seat {
    fn take(taken: &Arc<AtomicUsize>) -> Option<Self> {
        let seat = Self(Arc::clone(taken));
        (taken.fetch_add(1, Ordering::Relaxed) < MOST_CONNECTIONS).then_some(seat)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn connected(mut stream: TcpStream, view: &View) {
    let (request, rest) = match read_head(&mut stream) {
        Ok(head) => head,
        Err(Some(refusal)) => return refuse(stream, &refusal),
        Err(None) => return,
    };
    if !request.headers().contains_key("upgrade") {
        return match request.uri().path() {
            "/" => answer(stream, "200 OK", HTML, view.page.as_bytes()),
            path => refuse(stream, &Refusal::new("404 Not Found", format!("no {path}"))),
        };
    }
    match upgrade(&mut stream, &request) {
        Ok(Stream::Page) => page(stream, rest, view),
        Ok(Stream::Foxglove(_)) => foxglove(stream, rest, view),
        Err(refusal) => refuse(stream, &refusal),
    }
}

fn refuse(stream: TcpStream, refusal: &Refusal) {
    answer(stream, refusal.status, TEXT, refusal.text.as_bytes());
}

/// Answers a request for a WebSocket.
fn upgrade(stream: &mut TcpStream, request: &Request) -> Result<Stream, Refusal> {
    let bad = |text: String| Refusal::new("400 Bad Request", text);
    let wanted = wanted(request).map_err(bad)?;
    let mut response = create_response(request).map_err(|error| bad(error.to_string()))?;
    if let Stream::Foxglove(protocol) = wanted {
        let protocol = HeaderValue::from_static(protocol);
        response
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
    }
    let mut head = Vec::new();
    write_response(&mut head, &response)
        .and_then(|()| Ok(std::io::Write::write_all(stream, &head)?))
        .map_err(|error| bad(error.to_string()))?;
    Ok(wanted)
}

/// What a request is for: Foxglove offers subprotocols, the page has a path of its own.
fn wanted(request: &Request) -> Result<Stream, String> {
    let offered: Vec<&str> = request
        .headers()
        .get_all("sec-websocket-protocol")
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(',').map(str::trim))
        .collect();
    if let Some(protocol) = SUBPROTOCOLS.into_iter().find(|one| offered.contains(one)) {
        return Ok(Stream::Foxglove(protocol));
    }
    if offered.is_empty() && request.uri().path() == LIVE {
        return Ok(Stream::Page);
    }
    Err(format!(
        "expected the subprotocol {} or the path {LIVE}, found {:?} at {}",
        SUBPROTOCOLS.join(" or "),
        offered.join(", "),
        request.uri().path()
    ))
}

fn page(stream: TcpStream, rest: Vec<u8>, view: &View) {
    let outbox = Arc::new(Outbox::default());
    view.pages.enter(&outbox, &view.playback.state());
    view.watched(stream, rest, &outbox, |message| {
        if let Some(command) = view.pages.asked(&outbox, message) {
            view.command(command);
        }
    });
    view.pages.leave(&outbox);
}

fn foxglove(stream: TcpStream, rest: Vec<u8>, view: &View) {
    let outbox = Arc::new(Outbox::default());
    view.foxglove.enter(&outbox, &view.playback.state());
    view.watched(stream, rest, &outbox, |message| {
        let Some(control) = view.foxglove.serve(&outbox, message) else {
            return;
        };
        view.playback.command(Command::Speed(control.speed.into()));
        if let Some(to) = control.seek {
            view.playback.command(Command::Seek(to.max(view.begin)));
        }
        let play = if control.is_playing {
            Command::Play
        } else {
            Command::Pause
        };
        let state = view.playback.command(play);
        view.tell(&state, control.seek.is_some(), &control.request_id, None);
    });
    view.foxglove.leave(&outbox);
}

impl View {
    /// Runs a connection; meanwhile somebody watches.
    fn watched(
        &self,
        stream: TcpStream,
        rest: Vec<u8>,
        outbox: &Arc<Outbox>,
        received: impl FnMut(&tungstenite::Message),
    ) {
        let outboxes = || self.outboxes.lock().unwrap_or_else(PoisonError::into_inner);
        outboxes().push(Arc::clone(outbox));
        self.playback.enter();
        // A connection that ends in whatever way ends for this client alone.
        let _gone = connection::run(stream, rest, outbox, received);
        self.playback.leave();
        outboxes().retain(|one| !Arc::ptr_eq(one, outbox));
    }
}
