use super::*;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("bevrt-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("writable");
        Self(path)
    }

    fn put(&self, name: &str, length: usize) {
        std::fs::write(self.0.join(name), vec![0; length]).expect("writable");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn record(folder: &Folder) -> EngineRecord {
    let options = TensorRtOptions::new(&folder.0);
    let mut record = EngineRecord::of(&options, [7; 32], 6, "1.31.1");
    record.tensorrt = Some("10.3.0".into());
    record.gpu = Some("Orin".into());
    record
}

#[test]
fn engines_serve_where_everything_is_as_recorded() {
    let folder = Folder::new("serve");
    folder.put("a.engine", 10);
    folder.put("a.profile", 3);
    let record = record(&folder);
    record.write(&folder.0).expect("writable");
    assert_eq!(
        EngineRecord::read(&folder.0).expect("it was written"),
        record
    );
    assert_eq!(record.engines().len(), 1);
    record.check(&folder.0).expect("nothing differs");
    // Before its library is loaded TensorRT's version is not known.
    let mut before = record.clone();
    before.tensorrt = None;
    before.check(&folder.0).expect("nothing known differs");
}

#[test]
fn each_thing_that_differs_is_named_with_both_sides() {
    let folder = Folder::new("differ");
    folder.put("a.engine", 10);
    let recorded = record(&folder);
    recorded.write(&folder.0).expect("writable");
    type Change = fn(&mut EngineRecord);
    let changes: [(&str, &str, Change); 7] = [
        ("network", "0707", |now| now.network_sha256 = "08".into()),
        ("cameras", "built for 6, found 4", |now| now.cameras = 4),
        ("ONNX Runtime", "built for 1.31.1, found 1.32.0", |now| {
            now.onnxruntime = "1.32.0".into();
        }),
        ("TensorRT", "built for 10.3.0, found 10.4.0", |now| {
            now.tensorrt = Some("10.4.0".into());
        }),
        ("GPU", "built for Orin, found Thor", |now| {
            now.gpu = Some("Thor".into());
        }),
        ("options", "trt_int8_enable=1", |now| {
            now.options.insert("trt_int8_enable".into(), "1".into());
        }),
        ("engines", "a.engine=10", |now| now.engines.clear()),
    ];
    for (what, part, change) in changes {
        let mut now = recorded.clone();
        change(&mut now);
        let error = now.check(&folder.0).expect_err("it differs").to_string();
        assert!(error.contains(&format!("{what}: ")), "{error}");
        assert!(error.contains(part), "{error}");
        assert!(error.contains("bevrt build-engine"), "{error}");
    }
}

#[test]
fn a_folder_without_engines_or_without_a_sound_record_is_refused() {
    let folder = Folder::new("empty");
    let record = record(&folder);
    let error = record.check(&folder.0).expect_err("no record").to_string();
    assert!(error.contains(ENGINE_RECORD_FILE), "{error}");
    record.write(&folder.0).expect("writable");
    let error = record.check(&folder.0).expect_err("no engine").to_string();
    assert!(error.contains("expected at least one"), "{error}");
    for text in ["{", "{\"format\": 1}"] {
        std::fs::write(folder.0.join(ENGINE_RECORD_FILE), text).expect("writable");
        assert!(EngineRecord::read(&folder.0).is_err(), "{text}");
    }
    let newer = EngineRecord {
        format: 2,
        ..record
    };
    newer.write(&folder.0).expect("writable");
    let error = EngineRecord::read(&folder.0)
        .expect_err("newer")
        .to_string();
    assert!(error.contains("expected 1, found 2"), "{error}");
}

#[test]
fn an_engine_that_was_built_while_loading_is_noticed() {
    let folder = Folder::new("rebuilt");
    folder.put("a.engine", 10);
    let record = record(&folder);
    record.check_not_rebuilt(&folder.0).expect("as before");
    folder.put("b.engine", 12);
    let error = record.check_not_rebuilt(&folder.0).expect_err("b is new");
    assert!(error.to_string().contains("built b.engine"), "{error}");
}
