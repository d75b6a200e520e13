//! The stream to Foxglove: channels as they come up, and who has subscribed to what.

mod protocol;

pub use protocol::SUBPROTOCOLS;

use super::outbox::Outbox;
use super::playback::PlaybackState;
use bevrt_hil::logs::{LogError, MessageSink, SinkMessage};
use bevrt_runtime::Stamp;
use protocol::{PlaybackControl, Request, Subscription};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tungstenite::{Bytes, Message};

/// A client may subscribe to each channel once; more is refused before it takes memory.
const MOST_SUBSCRIPTIONS: usize = 256;

/// Channels and clients.
pub struct Foxglove {
    name: String,
    session: String,
    times: Option<(Stamp, Stamp)>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    channels: Vec<Channel>,
    clients: Vec<Client>,
}

struct Channel {
    topic: String,
    told: Value,
    /// The last message, for those who subscribe later: calibration comes once.
    last: Option<(u64, Bytes)>,
}

struct Client {
    outbox: Arc<Outbox>,
    /// The client's number for each channel.
    subscriptions: BTreeMap<usize, u32>,
}

impl Foxglove {
    /// A stream called `name` without channels yet, about a log of these times.
    pub fn new(name: String, session: String, times: Option<(Stamp, Stamp)>) -> Self {
        Self {
            name,
            session,
            times,
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells a new client what there is.
    pub fn enter(&self, outbox: &Arc<Outbox>, state: &PlaybackState) {
        outbox.answer(protocol::server_info(&self.name, &self.session, self.times));
        let mut inner = self.lock();
        let channels: Vec<_> = inner.channels.iter().map(|one| one.told.clone()).collect();
        outbox.answer(protocol::advertise(&channels));
        if self.times.is_some() {
            outbox.answer(protocol::playback_state(state, false, ""));
        }
        inner.clients.push(Client {
            outbox: Arc::clone(outbox),
            subscriptions: BTreeMap::new(),
        });
    }

    /// Forgets a client.
    pub fn leave(&self, outbox: &Arc<Outbox>) {
        self.lock()
            .clients
            .retain(|client| !Arc::ptr_eq(&client.outbox, outbox));
    }

    /// Tells all clients the time of the log.
    pub fn tell_time(&self, time: Stamp) {
        let time = protocol::time(u64::try_from(time.nanoseconds()).unwrap_or(0));
        for client in &self.lock().clients {
            client.outbox.stream(time.clone());
        }
    }

    /// Tells all clients what is going on, as an answer to the request of one of them.
    pub fn tell_state(&self, state: &PlaybackState, did_seek: bool, request_id: &str) {
        if self.times.is_some() {
            let state = protocol::playback_state(state, did_seek, request_id);
            for client in &self.lock().clients {
                client.outbox.answer(state.clone());
            }
        }
    }

    /// Serves a request, or tells the client why it cannot; what is asked of playback is for the
    /// caller.
    pub fn serve(&self, outbox: &Arc<Outbox>, message: &Message) -> Option<PlaybackControl> {
        let served = match message {
            Message::Text(text) => self.serve_text(outbox, text).map(|()| None),
            Message::Binary(bytes) => PlaybackControl::from_bytes(bytes).map(Some),
            _ => Ok(None),
        };
        served.unwrap_or_else(|error| {
            outbox.answer(protocol::error_status(&error));
            None
        })
    }

    fn serve_text(&self, outbox: &Arc<Outbox>, text: &str) -> Result<(), String> {
        let request = serde_json::from_str(text)
            .map_err(|error| format!("expected subscribe or unsubscribe: {error}"))?;
        let mut inner = self.lock();
        let Inner { channels, clients } = &mut *inner;
        let client = clients
            .iter_mut()
            .find(|client| Arc::ptr_eq(&client.outbox, outbox))
            .ok_or("expected a client that is connected")?;
        match request {
            Request::Subscribe { subscriptions } => {
                let wrong: Vec<_> = subscriptions
                    .into_iter()
                    .filter_map(|wanted| client.subscribe(wanted, channels).err())
                    .collect();
                if wrong.is_empty() {
                    Ok(())
                } else {
                    Err(wrong.join("; "))
                }
            }
            Request::Unsubscribe { subscription_ids } => {
                client
                    .subscriptions
                    .retain(|_, id| !subscription_ids.contains(id));
                Ok(())
            }
        }
    }

    fn publish(&self, message: &SinkMessage<'_>, log_time_ns: u64) {
        let mut inner = self.lock();
        let Inner { channels, clients } = &mut *inner;
        let known = channels
            .iter()
            .position(|channel| channel.topic == message.topic);
        let place = known.unwrap_or_else(|| {
            let told = protocol::channel(channels.len() as u64, message.topic, message.form);
            for client in clients.iter() {
                client
                    .outbox
                    .answer(protocol::advertise(std::slice::from_ref(&told)));
            }
            channels.push(Channel {
                topic: message.topic.to_owned(),
                told,
                last: None,
            });
            channels.len() - 1
        });
        for client in clients.iter() {
            if let Some(&id) = client.subscriptions.get(&place) {
                client
                    .outbox
                    .stream(protocol::message_data(id, log_time_ns, message.data));
            }
        }
        channels[place].last = Some((log_time_ns, Bytes::copy_from_slice(message.data)));
    }
}

impl Client {
    fn subscribe(&mut self, wanted: Subscription, channels: &[Channel]) -> Result<(), String> {
        let Subscription { id, channel_id } = wanted;
        let place = usize::try_from(channel_id).unwrap_or(usize::MAX);
        let channel = channels.get(place).ok_or_else(|| {
            let count = channels.len();
            format!("expected a channel below {count}, found {channel_id}")
        })?;
        if self.subscriptions.values().any(|known| *known == id) {
            return Err(format!("expected a new subscription, found {id} again"));
        }
        if self.subscriptions.contains_key(&place) {
            let topic = &channel.topic;
            return Err(format!("expected one subscription to {topic}, found two"));
        }
        if self.subscriptions.len() >= MOST_SUBSCRIPTIONS {
            return Err(format!(
                "expected at most {MOST_SUBSCRIPTIONS} subscriptions"
            ));
        }
        self.subscriptions.insert(place, id);
        if let Some((time_ns, data)) = &channel.last {
            self.outbox
                .stream(protocol::message_data(id, *time_ns, data));
        }
        Ok(())
    }
}

/// Where messages go that Foxglove is to see.
pub struct FoxgloveSink {
    to: Arc<Foxglove>,
    name: PathBuf,
}

impl FoxgloveSink {
    /// To the clients of `to`.
    pub fn new(to: Arc<Foxglove>) -> Self {
        Self {
            name: PathBuf::from("the stream to Foxglove"),
            to,
        }
    }
}

impl MessageSink for FoxgloveSink {
    fn name(&self) -> &Path {
        &self.name
    }

    fn put(&mut self, message: &SinkMessage<'_>) -> Result<(), LogError> {
        // Output frames as bytes mean nothing to Foxglove.
        if message.form.schema.is_none() {
            return Ok(());
        }
        let log_time_ns = u64::try_from(message.arrival.nanoseconds()).unwrap_or(0);
        self.to.publish(message, log_time_ns);
        Ok(())
    }
}
