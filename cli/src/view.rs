//! `bevrt view`: a drive or a result, live on a page and in Foxglove.

mod connection;
mod foxglove;
mod outbox;
mod pages;
mod playback;
mod presenter;
mod request;
mod server;
mod source;

use crate::failure::Failure;
use crate::package::{EngineArguments, SHIPPED_PACKAGE};
use crate::player::{cameras_json, filled};
use crate::replay::parse_speed;
use bevrt_runtime::Stamp;
use clap::Args;
use foxglove::Foxglove;
use outbox::Outbox;
use pages::Pages;
use playback::{Command, Playback, PlaybackState};
use presenter::{Left, Presenter};
use serde_json::json;
use source::ViewSource;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

const TEMPLATE: &str = include_str!("view/page.html");
/// At the end of `--once`, what waits is sent within this time.
const FAREWELL: Duration = Duration::from_secs(5);

/// Options of `bevrt view`.
#[derive(Args)]
#[command(disable_version_flag = true)]
pub struct ViewArguments {
    /// A drive (MCAP with Foxglove or ROS 2 schemas), run while one watches, or a result of `bevrt replay`
    log: PathBuf,
    /// Where the page and the stream to Foxglove are; port 0 takes any that is free
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8765")]
    listen: SocketAddr,
    /// The drive that a result was made from, where pictures and ground truth are
    #[arg(long, value_name = "LOG")]
    drive: Option<PathBuf>,
    /// So many times as fast as real time
    #[arg(long, default_value_t = 1.0, value_parser = parse_speed)]
    speed: f64,
    /// End when the drive has been shown, or when all who watched have gone
    #[arg(long)]
    once: bool,
    /// Folder of the model package that a drive goes through
    #[arg(long, default_value = SHIPPED_PACKAGE)]
    package: PathBuf,
    /// Rig file to use instead of the calibration of a drive
    #[arg(long)]
    rig: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArguments,
}

/// What all who watch share.
struct View {
    playback: Playback,
    pages: Pages,
    foxglove: Arc<Foxglove>,
    page: String,
    /// From here seconds are counted.
    begin: Stamp,
    outboxes: Mutex<Vec<Arc<Outbox>>>,
}

/// Serves until Ctrl-C, or with `--once` until the drive has been shown.
pub fn run(arguments: &ViewArguments) -> Result<(), Failure> {
    let mut source = ViewSource::open(arguments)?;
    let listener = TcpListener::bind(arguments.listen).map_err(Failure::while_doing(format!(
        "--listen {}",
        arguments.listen
    )))?;
    let address = listener
        .local_addr()
        .map_err(Failure::while_doing("--listen"))?;
    let view = Arc::new(View::new(arguments, &source)?);
    let served = Arc::clone(&view);
    thread::Builder::new()
        .name("server".to_owned())
        .spawn(move || server::serve(&listener, &served))?;
    // Whoever started it need not read it.
    let _unread = writeln!(
        io::stdout(),
        "look at      http://{address}/\nin Foxglove  ws://{address}"
    );

    let mut outcome = Ok(());
    let mut next = Some(view.begin);
    while let Some(from) = next {
        if !view.playback.wait_for_watchers() {
            break;
        }
        outcome = view.show(&mut source, from);
        next = view.playback.next_run();
    }
    view.say_farewell();
    outcome
}

impl View {
    fn new(arguments: &ViewArguments, source: &ViewSource) -> Result<Self, Failure> {
        let (begin, end) = source.times();
        let name = arguments
            .log
            .file_name()
            .unwrap_or(arguments.log.as_os_str());
        let name = name.to_string_lossy();
        let cameras = source.rig().map(|rig| cameras_json(rig.cameras()));
        let data = json!({
            "subtitle": name,
            "cameras": cameras.unwrap_or_default(),
            "frames": [], "quality": [], "stages": [],
            "drives": [{"name": name, "first": 0}],
            "length_s": end.map(|end| end.since(begin).seconds()),
        });
        let session = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let session = session.as_millis().to_string();
        let times = end.map(|end| (begin, end));
        Ok(Self {
            playback: Playback::new(begin, arguments.speed, arguments.once),
            pages: Pages::new(begin),
            foxglove: Arc::new(Foxglove::new(format!("bevrt view {name}"), session, times)),
            page: filled(TEMPLATE, &data),
            begin,
            outboxes: Mutex::default(),
        })
    }

    /// Shows a run from a log time on. What goes wrong is told to all who watch.
    fn show(&self, source: &mut ViewSource, from: Stamp) -> Result<(), Failure> {
        let outcome = source.play(from, self);
        let trouble = outcome.as_ref().err().map(|failure| {
            let text = failure.to_string();
            eprintln!("bevrt view: {text}");
            text
        });
        let state = self.playback.end();
        if state.has_ended {
            self.tell(&state, false, "", trouble.as_deref());
        }
        outcome
    }

    /// Does what one of those who watch asks for, and tells all of them.
    fn command(&self, command: Command) {
        let state = self.playback.command(command);
        self.tell(&state, matches!(command, Command::Seek(_)), "", None);
    }

    fn tell(&self, state: &PlaybackState, did_seek: bool, request_id: &str, trouble: Option<&str>) {
        self.pages.tell_state(state, trouble);
        self.foxglove.tell_state(state, did_seek, request_id);
    }

    /// Sends what waits, and ends all connections.
    fn say_farewell(&self) {
        let begin = Instant::now();
        let outboxes = || {
            let outboxes = self.outboxes.lock();
            outboxes.unwrap_or_else(PoisonError::into_inner)
        };
        let wait_while = |waits: &dyn Fn() -> bool| {
            while waits() && begin.elapsed() < FAREWELL {
                thread::sleep(Duration::from_millis(5));
            }
        };
        wait_while(&|| outboxes().iter().any(|outbox| !outbox.is_empty()));
        outboxes().iter().for_each(|outbox| outbox.close());
        wait_while(&|| !outboxes().is_empty());
    }
}
