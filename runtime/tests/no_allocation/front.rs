//! From the image to the aligned history, stage by stage.

use bevrt_calibration::{BevGrid, Pose};
use bevrt_runtime::{
    ColourOrder, EgoMotion, EgoMotionSource, EgoMotionSpec, FeatureQueue, FrameSync, ImageContent,
    ImageView, PixelFormat, PreprocessSection, Preprocessor, QueueAlignment, QueueSection,
    QueueStorage, ResizeKernel, Span, Stamp, SyncSpec,
};

use crate::counting::allocations;

#[test]
fn preprocessing_allocates_nothing() {
    let spec = PreprocessSection {
        width: 88,
        height: 32,
        crop_top: 0.353333,
        kernel: ResizeKernel::Area,
        colour: ColourOrder::Rgb,
        mean: [127.5; 3],
        std: [64.0; 3],
    };
    let bytes = vec![77; 400 * 226 * 3];
    for format in [
        PixelFormat::Nv12,
        PixelFormat::Yuyv,
        PixelFormat::Rgb,
        PixelFormat::Bgr,
        PixelFormat::Grey,
    ] {
        let mut preprocessor = Preprocessor::new(&spec, 400, 226, format).expect("valid");
        let mut values = vec![0.0; preprocessor.output_len()];
        let mut levels = vec![0; preprocessor.output_len()];
        let count = allocations(|| {
            let image = ImageView::packed(format, 400, 226, &bytes).expect("valid");
            preprocessor.run_into(&image, &mut values).expect("runs");
            preprocessor
                .run_levels_into(&image, &mut levels)
                .expect("runs");
            preprocessor.fill_missing(&mut values).expect("runs");
        });
        assert_eq!(count, 0, "{format:?}");
    }
}

#[test]
fn synchronisation_allocates_nothing() {
    let mut sync = FrameSync::new(SyncSpec::new(6, 0)).expect("valid");
    let count = allocations(|| {
        let mut sets = 0;
        for frame in 0..200 {
            let stamp = Stamp::from_nanoseconds(frame * 100_000_000);
            for camera in 0..6 {
                // Every third frame lacks a camera, every fifth repeats one.
                if frame % 3 == 0 && camera == 4 {
                    continue;
                }
                let arrival = stamp + Span::from_milliseconds(20);
                if sync
                    .push(
                        camera,
                        stamp,
                        arrival,
                        ImageContent::Fingerprint(frame as u64),
                    )
                    .is_ok()
                    && frame % 5 == 0
                {
                    sync.push(camera, stamp, arrival, ImageContent::Unchecked)
                        .expect_err("a repetition");
                }
            }
            while sync.poll(stamp + Span::from_milliseconds(95)).is_some() {
                sets += 1;
            }
        }
        assert!(sets >= 200);
    });
    assert_eq!(count, 0);
}

#[test]
fn ego_motion_and_the_feature_queue_allocate_nothing() {
    let grid = BevGrid {
        x_min_m: -12.8,
        y_min_m: -12.8,
        cell_m: 0.8,
        rows: 32,
        cols: 32,
    };
    let storages = [
        QueueStorage::F16,
        QueueStorage::U8 {
            scale: 0.05,
            zero_point: 9,
        },
    ];
    let sources = [EgoMotionSource::Rates, EgoMotionSource::Poses];
    let alignments = [QueueAlignment::Runtime, QueueAlignment::Graph];
    for ((storage, source), alignment) in storages.into_iter().zip(sources).zip(alignments) {
        let section = QueueSection {
            grid,
            channels: 12,
            slots: 4,
            stride_s: 0.5,
            storage,
            alignment,
        };
        let mut queue = FeatureQueue::new(&section).expect("valid");
        let spec = EgoMotionSpec {
            capacity: 64,
            ..EgoMotionSpec::new(source)
        };
        let mut motion = EgoMotion::new(spec).expect("valid");
        let map = vec![0.5; queue.map_len()];
        let mut history = vec![0.0; queue.history_len()];
        let mut state = [[0.0; 2]; 4];
        let count = allocations(|| {
            for step in 0..100 {
                let now = Stamp::from_nanoseconds(step * 100_000_000);
                match source {
                    EgoMotionSource::Rates => motion.push_rates(now, 8.0, 0.2),
                    EgoMotionSource::Poses => motion.push_pose(now, &Pose::identity()),
                }
                .expect("accepted");
                queue
                    .align_into(now, &motion, &mut history, &mut state)
                    .expect("aligned");
                queue.store(now, &map).expect("stored");
            }
            queue.reset();
            motion.reset();
        });
        assert_eq!(count, 0);
        assert_eq!(state[3][0], 1.0);
    }
}
