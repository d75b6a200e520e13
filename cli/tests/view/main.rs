//! `bevrt view` as Foxglove sees it, and what becomes of clients that misbehave.

mod client;
mod served;

use bevrt_hil::logs::{HealthRecord, LogReader, LogWriter, TOPIC_FRAME};
use bevrt_runtime::{OutputFrame, OutputObject, Stamp};
use client::{Client, PATIENCE, Told, connect};
use foxglove::messages::{CameraCalibration, CompressedImage, FrameTransforms, SceneUpdate};
use foxglove::{Decode, Encode};
use served::Served;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

/// What Foxglove itself offers today, and what its predecessors offer.
const NEW: &str = "foxglove.sdk.v1.1, foxglove.sdk.v1";
const OLD: &str = "foxglove.websocket.v1";

/// Messages by topic and log time.
type Messages = BTreeMap<(String, u64), Vec<u8>>;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("folders of tests have plain names")
}

fn bevrt(arguments: &[&str]) {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let output = Command::new(env!("CARGO_BIN_EXE_bevrt"))
        .args(arguments)
        .current_dir(repository.expect("the crate lies in the repository"))
        .output()
        .expect("the command was built before its tests");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "bevrt {arguments:?}: {errors}");
}

fn messages(log: &Path, wanted: impl Fn(&str) -> bool) -> Messages {
    let reader = LogReader::open(log).expect("a log");
    let mut messages = reader
        .messages(|topic| wanted(&topic.topic))
        .expect("it has an index");
    let mut all = Messages::new();
    while let Some(message) = messages.next_message().expect("it is sound") {
        let key = (message.topic.to_owned(), message.log_time_ns);
        all.insert(key, message.data.to_vec());
    }
    all
}

/// Goes back to the beginning and takes everything until the end.
fn watch_from_the_beginning(client: &mut Client) -> Messages {
    let info = client.wait_for(|told| match told {
        Told::Json(value) if value["op"] == "serverInfo" => Some(value.clone()),
        _ => None,
    });
    let capabilities = ["time", "playbackControl"].map(serde_json::Value::from);
    assert_eq!(
        info["capabilities"].as_array().expect("a list"),
        &capabilities
    );
    let time = |name: &str| {
        let part = |part: &str| info[name][part].as_u64().expect("a number");
        part("sec") * 1_000_000_000 + part("nsec")
    };
    let (begin_ns, end_ns) = (time("dataStartTime"), time("dataEndTime"));
    assert!(begin_ns < end_ns);
    let is_there = |told: &Told| match told {
        Told::Json(value) => value["channels"]
            .as_array()
            .and_then(|channels| {
                channels
                    .iter()
                    .find(|one| one["topic"] == "/bevrt/statistics")
            })
            .map(|_| ()),
        _ => None,
    };
    client.wait_for(is_there);
    client.subscribe_to_all();
    client.control(true, 4.0, Some(begin_ns), "from the beginning");
    client.wait_for(|told| match told {
        Told::Playback {
            status,
            did_seek,
            request_id,
        } if request_id == "from the beginning" => {
            assert_eq!((*status, *did_seek), (0, true));
            Some(())
        }
        _ => None,
    });
    let mut all = Messages::new();
    let mut clock_ns = 0;
    loop {
        match client.next().expect("the connection lasts") {
            Told::Data {
                topic,
                log_time_ns,
                data,
            } => {
                all.insert((topic, log_time_ns), data);
            }
            Told::Time(now_ns) => {
                assert!(now_ns >= clock_ns, "the clock goes forwards");
                clock_ns = now_ns;
            }
            Told::Playback { status: 3, .. } => return all,
            Told::Playback { .. } => {}
            Told::Json(value) => {
                assert_eq!(value["op"], "advertise", "{value}");
                client.subscribe_to_all();
            }
        }
    }
}

fn of_topic<'a>(all: &'a Messages, topic: &'a str) -> impl Iterator<Item = (u64, &'a [u8])> {
    let of_topic = all.iter().filter(move |((of, _), _)| of == topic);
    of_topic.map(|((_, time_ns), data)| (*time_ns, &data[..]))
}

/// Scenes with identities in the order in which they come up: a runtime never gives one twice, not
/// even after a seek.
fn numbered_anew(scenes: &Messages) -> Vec<SceneUpdate> {
    let mut known = BTreeMap::new();
    let scenes = scenes.values().map(|data| {
        let mut scene = SceneUpdate::decode(&data[..]).expect("a scene");
        for entity in &mut scene.entities {
            let old = entity.id.clone();
            let (kind, number) = old.rsplit_once(' ').expect("a kind and a number");
            let count = known.len();
            let new = known.entry(old.clone()).or_insert(count);
            entity.id = format!("{kind} {new}");
            for text in &mut entity.texts {
                text.text = text
                    .text
                    .replacen(&format!(" {number} "), &format!(" {new} "), 1);
            }
        }
        scene
    });
    scenes.collect()
}

/// Every scene and every health is that of the frame of its time.
fn check_results(streamed: &Messages, result: &Path) {
    let scenes = messages(result, |topic| topic == "/bevrt/scene");
    assert!(scenes.len() >= 8, "{}", scenes.len());
    let streamed_scenes: Messages = streamed
        .iter()
        .filter(|((topic, _), _)| topic == "/bevrt/scene")
        .map(|(key, data)| (key.clone(), data.clone()))
        .collect();
    let times = |messages: &Messages| messages.keys().map(|(_, ns)| *ns).collect::<Vec<_>>();
    assert_eq!(times(&scenes), times(&streamed_scenes));
    assert!(numbered_anew(&scenes) == numbered_anew(&streamed_scenes));
    let frames = messages(result, |topic| topic == TOPIC_FRAME);
    for ((_, time_ns), bytes) in &frames {
        let frame = OutputFrame::boxed_from_frame_bytes(bytes).expect("a frame");
        let health = &streamed[&("/bevrt/health".to_owned(), *time_ns)];
        let health: HealthRecord = serde_json::from_slice(health).expect("health");
        assert_eq!(health, HealthRecord::from(&*frame));
    }
}

fn check_schemas(client: &Client) {
    let expected = |topic: &str| match topic {
        "/bevrt/scene" | "/ground_truth" => SceneUpdate::get_schema(),
        "/tf" | "/tf_static" => FrameTransforms::get_schema(),
        _ if topic.ends_with("/image") => CompressedImage::get_schema(),
        _ if topic.ends_with("/calibration") => CameraCalibration::get_schema(),
        _ => None,
    };
    let mut checked = 0;
    for channel in client.channels.values() {
        if let Some(schema) = expected(&channel.topic) {
            assert_eq!(channel.encoding, "protobuf");
            assert_eq!(channel.schema_name, schema.name);
            assert_eq!(channel.schema, &schema.data[..], "{}", channel.topic);
            checked += 1;
        } else if channel.encoding == "json" {
            let schema: serde_json::Value =
                serde_json::from_slice(&channel.schema).expect("a definition");
            assert_eq!(schema["type"], "object", "{}", channel.topic);
        }
    }
    assert!(
        checked >= 16,
        "six cameras, transforms and scenes: {checked}"
    );
}

#[test]
fn foxglove_gets_what_a_replay_writes_and_the_pictures_as_they_were_recorded() {
    let (drive, out) = (file("view_drive.mcap"), file("view_replay"));
    let result = out.join("result.mcap");
    let simulate = ["--seconds", "1.8", "--rate", "5", "--times-network", "1"];
    bevrt(
        &[
            &["sim", "--seed", "950101", "--out", text(&drive)],
            &simulate[..],
        ]
        .concat(),
    );
    bevrt(&["replay", text(&drive), "--out", text(&out)]);

    let mut served = Served::start(&[text(&drive)]);
    let mut client = Client::new(&served.address, NEW);
    assert_eq!(client.protocol, "foxglove.sdk.v1");
    let streamed = watch_from_the_beginning(&mut client);
    check_schemas(&client);
    check_results(&streamed, &result);

    let recorded = messages(&drive, |topic| topic.ends_with("/image"));
    let mut cameras = BTreeSet::new();
    for (key, data) in &recorded {
        let (sent, kept) = (&streamed[key][..], &data[..]);
        let [sent, kept] = [sent, kept].map(|data| CompressedImage::decode(data).expect("one"));
        assert!(sent == kept, "{key:?}");
        cameras.insert(sent.frame_id);
    }
    assert_eq!(cameras.len(), 6);
    let (_, mounts) = of_topic(&streamed, "/tf_static").next().expect("mounts");
    let mounts = FrameTransforms::decode(mounts).expect("transforms");
    let mounted = mounts
        .transforms
        .iter()
        .map(|one| one.child_frame_id.clone());
    assert_eq!(mounted.collect::<BTreeSet<_>>(), cameras);
    for camera in &cameras {
        let topic = format!("/camera/{camera}/calibration");
        let (_, data) = of_topic(&streamed, &topic).next().expect("calibration");
        let calibration = CameraCalibration::decode(data).expect("calibration");
        assert_eq!((&calibration.frame_id, calibration.k.len()), (camera, 9));
    }
    let poses = of_topic(&streamed, "/tf").map(|(_, data)| {
        let transforms = FrameTransforms::decode(data)
            .expect("transforms")
            .transforms;
        assert_eq!(transforms[0].parent_frame_id, "world");
        assert_eq!(transforms[0].child_frame_id, "ego");
        transforms[0].translation.expect("a place").x
    });
    let poses: Vec<f64> = poses.collect();
    assert!(
        poses.len() >= 8 && poses.last() > poses.first(),
        "{poses:?}"
    );
    assert!(of_topic(&streamed, "/ground_truth").count() >= 8);
    assert!(served.is_running());
    drop(served);

    // The same of the result, to a client of the old days, with the drive's pictures.
    let served = Served::start(&[text(&result), "--drive", text(&drive), "--once"]);
    let mut client = Client::new(&served.address, OLD);
    assert_eq!(client.protocol, OLD);
    let shown = watch_all(&mut client);
    assert!(shown > 0);
    assert!(ended(served).success());
}

/// Takes everything until the server says good-bye; how many scenes came.
fn watch_all(client: &mut Client) -> usize {
    let mut scenes = 0;
    while let Some(told) = client.next() {
        match told {
            Told::Json(value) if value["op"] == "advertise" => client.subscribe_to_all(),
            Told::Data { topic, .. } if topic == "/bevrt/scene" => scenes += 1,
            _ => {}
        }
    }
    scenes
}

/// How it ended by itself.
fn ended(mut served: Served) -> ExitStatus {
    let begin = Instant::now();
    while served.is_running() {
        assert!(begin.elapsed() < PATIENCE, "it never ends");
        std::thread::sleep(Duration::from_millis(10));
    }
    served.child.wait().expect("it was started")
}

/// Resident memory of the process.
fn resident_kib(served: &Served) -> u64 {
    let status = format!("/proc/{}/status", served.child.id());
    let status = std::fs::read_to_string(status).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|text| text.parse().ok()).expect("a number")
}

/// A result of many frames full of objects, without a network and without pictures.
fn long_result(frames: u64) -> PathBuf {
    let path = file(&format!("view_{frames}.mcap"));
    let mut writer = LogWriter::create(&path).expect("the test folder is writable");
    let mut frame = OutputFrame::boxed();
    for number in 0..frames {
        frame.clear();
        frame.sequence = number;
        frame.stamp_ns = 1_000_000_000 + 50_000_000 * number as i64;
        frame.now_ns = frame.stamp_ns + 40_000_000;
        for id in 0..100 {
            let object = OutputObject {
                id,
                confidence: 0.9,
                x_m: id as f32 - 50.0,
                y_m: (number % 40) as f32,
                length_m: 4.0,
                width_m: 2.0,
                height_m: 1.5,
                ..OutputObject::EMPTY
            };
            frame.try_push_object(object).expect("there is room");
        }
        writer.write_frame(&frame).expect("it can be written");
        let now = Stamp::from_nanoseconds(frame.now_ns);
        let times = serde_json::json!({"total_ms": 50.0});
        writer
            .write_statistics(now, &times)
            .expect("it can be written");
    }
    writer.finish().expect("it can be written");
    path
}

fn is_first_channel(told: &Told) -> Option<()> {
    match told {
        Told::Json(value) if value["op"] == "advertise" => {
            value["channels"][0].is_object().then_some(())
        }
        _ => None,
    }
}

/// What the server answers to bytes that are no WebSocket.
fn answer_to(address: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(bytes).expect("it listens");
    stream.shutdown(Shutdown::Write).expect("it listens");
    let mut answer = String::new();
    let _reset = stream.read_to_string(&mut answer);
    answer.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_slow_and_a_vanished_client_cost_the_others_nothing_and_no_memory() {
    let frames = 3000;
    let result = long_result(frames);
    let served = Served::start(&[text(&result), "--speed", "1000", "--once"]);
    // One that never reads, one that goes without a word, and a page.
    let mut slow = Client::new(&served.address, OLD);
    slow.wait_for(is_first_channel);
    slow.subscribe_to_all();
    let mut vanished = Client::new(&served.address, OLD);
    vanished.wait_for(is_first_channel);
    vanished.subscribe_to_all();
    drop(vanished);
    let (mut page, _) = connect(&served.address, "/live", "").expect("it serves the page");
    page.send(r#"{"op":"seek","time_s":0}"#.into())
        .expect("it listens");
    let mut before_kib = None;
    let (mut last_s, mut seen, mut run) = (-1.0, 0, 0);
    while let Ok(message) = page.read() {
        let Ok(text) = message.to_text() else {
            continue;
        };
        let Ok(told) = serde_json::from_str::<serde_json::Value>(text) else {
            continue;
        };
        if told["op"] != "frame" {
            continue;
        }
        if told["run"].as_u64() > Some(run) {
            (last_s, run) = (-1.0, told["run"].as_u64().expect("a number"));
        }
        let time_s = told["frame"]["time_s"].as_f64().expect("seconds");
        assert!(time_s > last_s, "{time_s} s after {last_s} s");
        assert_eq!(told["frame"]["result"]["boxes"][0]["x"], -50.0);
        last_s = time_s;
        seen += 1;
        // By the first of these times the buffers and the sockets are full.
        if let Some(before_kib) = before_kib {
            if time_s > 140.0 {
                let growth_kib = resident_kib(&served).saturating_sub(before_kib);
                let text = format!("{growth_kib} KiB more than {before_kib} KiB");
                assert!(growth_kib < 16 << 10, "{text}");
            }
        } else if time_s > 60.0 {
            before_kib = Some(resident_kib(&served));
        }
    }
    let end_s = 0.05 * (frames - 1) as f64;
    assert!(
        (last_s - end_s).abs() < 1e-6,
        "the last frame came: {last_s} s of {end_s} s"
    );
    assert!(before_kib.is_some() && seen > 100, "{seen} frames");
    assert!(ended(served).success());
}

#[test]
fn wrong_requests_get_an_error_and_end_nothing() {
    let result = long_result(50);
    let mut served = Served::start(&[text(&result)]);
    let address = served.address.clone();
    for (bytes, answer) in [
        (
            &b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"[..],
            "HTTP/1.1 200 OK",
        ),
        (b"GET /other HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found"),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
            "HTTP/1.1 405 Method Not Allowed",
        ),
        (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            "HTTP/1.1 400 Bad Request",
        ),
        (
            b"GET /live HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
            "HTTP/1.1 400 Bad Request",
        ),
        (b"", ""),
        (b"GET /", ""),
    ] {
        assert_eq!(
            answer_to(&address, bytes),
            answer,
            "{:?}",
            bytes.escape_ascii().to_string()
        );
    }
    let endless = [&b"GET / HTTP/1.1\r\nX: "[..], &[b'x'; 40_000]].concat();
    let answer = answer_to(&address, &endless);
    assert!(answer.is_empty() || answer.contains("431"), "{answer}");
    for (path, protocols) in [
        ("/live", "chat"),
        ("/nowhere", ""),
        ("/", "foxglove.sdk.v2"),
    ] {
        assert!(
            connect(&address, path, protocols).is_err(),
            "{path} {protocols}"
        );
    }

    let mut client = Client::new(&address, OLD);
    client.wait_for(is_first_channel);
    let refused = |client: &mut Client| {
        client.wait_for(|told| match told {
            Told::Json(value) if value["op"] == "status" => {
                assert_eq!(value["level"], 2);
                assert!(
                    value["message"]
                        .as_str()
                        .is_some_and(|text| text.contains("expected"))
                );
                Some(())
            }
            _ => None,
        });
    };
    for wrong in [
        "",
        "{",
        r#"{"op":"getParameters","parameterNames":[]}"#,
        r#"{"op":"subscribe","subscriptions":[{"id":1,"channelId":77}]}"#,
        r#"{"op":"subscribe","subscriptions":[{"id":1,"channelId":0},{"id":1,"channelId":1}]}"#,
        r#"{"op":"subscribe","subscriptions":[{"id":2,"channelId":0}]}"#,
        r#"{"op":"unsubscribe","subscriptionIds":["one"]}"#,
    ] {
        client.say(wrong);
        refused(&mut client);
    }
    for wrong in [
        vec![],
        vec![3],
        vec![1, 0, 0, 0, 0],
        vec![3, 9, 0, 0, 0, 0, 0],
        vec![255; 64],
    ] {
        client.send(wrong);
        refused(&mut client);
    }
    // What is too long ends the client's own connection, and that alone.
    let _ended_meanwhile = client.try_send(vec![3; 100_000]);
    while client.next().is_some() {}
    let (mut page, _) = connect(&address, "/live", "").expect("it serves the page");
    page.send("nonsense".into()).expect("it listens");
    loop {
        let message = page.read().expect("the connection lasts");
        if message
            .to_text()
            .is_ok_and(|text| text.contains(r#""op":"error""#))
        {
            break;
        }
    }
    // Connections are counted: who comes too late is told so, and places become free again.
    let idle: Vec<_> = (0..40)
        .map(|_| TcpStream::connect(&address).expect("it listens"))
        .collect();
    let get = b"GET / HTTP/1.1\r\n\r\n";
    assert!(answer_to(&address, get).contains("503"));
    drop(idle);
    let begin = Instant::now();
    while !answer_to(&address, get).contains("200") {
        assert!(begin.elapsed() < PATIENCE, "places stay taken");
    }
    assert!(served.is_running());
}
