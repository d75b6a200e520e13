/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * What must come of sound input: the log, what a pipeline tells about itself, frames that a calibration
 * changes and that come again with the old one, health, statistics, a camera that is off, a borrowed
 * frame, a worker's frames and counts.
 *
 *   good_use PACKAGE RIG_FILE FOLDER
 */
#include <bevrt/bevrt.h>

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAMERAS = 2, WIDTH = 32, HEIGHT = 16, SETS = 6 };

static int wrong = 0;

static void must(const char *what, int32_t status) {
  if (status != BEVRT_STATUS_OK) {
    char text[1024];
    (void)bevrt_error_text(text, sizeof text);
    fprintf(stderr, "%s: %s: %s\n", what, bevrt_status_str(status), text);
    exit(EXIT_FAILURE);
  }
}

static void number(const char *what, int64_t expected, int64_t found) {
  if (expected != found) {
    fprintf(stderr, "%s: expected %lld, found %lld\n", what, (long long)expected,
            (long long)found);
    ++wrong;
  }
}

static void text(const char *what, const char *expected, const char *found) {
  if (strcmp(expected, found) != 0) {
    fprintf(stderr, "%s: expected %s, found %s\n", what, expected, found);
    ++wrong;
  }
}

/* What the log said; the messages of interest come on the thread that calls. */
typedef struct {
  atomic_int messages;
  atomic_int about_onnx_runtime;
} log_t;

static void on_log(void *user_data, int32_t level, const char *target, const char *message) {
  log_t *log = (log_t *)user_data;
  atomic_fetch_add(&log->messages, 1);
  if (level == 3 && strstr(target, "bevrt") != NULL &&
      strstr(message, "ONNX Runtime: /") == message) {
    atomic_fetch_add(&log->about_onnx_runtime, 1);
  }
}

static void asks_for_versions(void) {
  number("ABI", (int64_t)BEVRT_ABI_MAJOR << 16 | BEVRT_ABI_MINOR, bevrt_abi_version());
  number("a version has three parts", 1, strchr(bevrt_version_str(), '.') != NULL);
  text("status 14", "the queue is full", bevrt_status_str(BEVRT_STATUS_QUEUE_FULL));
  text("status 9999", "unknown status", bevrt_status_str(9999));
}

static void asks_for_info(bevrt_pipeline_t *pipeline) {
  static const char *const names[CAMERAS] = {"front", "back"};
  bevrt_pipeline_info_t info;
  bevrt_camera_info_t camera;
  uint32_t c;
  must("info", bevrt_pipeline_info(pipeline, &info, sizeof info));
  number("its size", (int64_t)sizeof info, info.struct_size);
  number("cameras", CAMERAS, info.camera_count);
  number("reference camera", 0, info.reference_camera);
  number("slots", 2, info.slot_count);
  text("package", "reduced", info.package_name);
  text("its version", "0.1.0", info.package_version);
  text("its world", "none", info.world);
  text("provider", "cpu", info.provider);
  for (c = 0; c < CAMERAS; ++c) {
    must("camera", bevrt_pipeline_camera_info(pipeline, c, &camera, sizeof camera));
    number("index", c, camera.camera);
    number("width", WIDTH, camera.width_px);
    number("height", HEIGHT, camera.height_px);
    text("name", names[c], camera.name);
  }
}

/* A grey picture, another one for each camera and set. */
static bevrt_image_t image_of(uint8_t *pixels, uint32_t camera, int64_t stamp_ns, int set) {
  bevrt_image_t image;
  size_t i;
  for (i = 0; i < WIDTH * HEIGHT; ++i) {
    pixels[i] = (uint8_t)((i * 31U + camera * 57U + (size_t)set * 101U) >> 1);
  }
  memset(&image, 0, sizeof image);
  image.struct_size = (uint32_t)sizeof image;
  image.camera = camera;
  image.pixel_format = BEVRT_PIXEL_FORMAT_GREY;
  image.width_px = WIDTH;
  image.height_px = HEIGHT;
  image.plane_count = 1;
  image.planes[0].data = pixels;
  image.planes[0].size_bytes = WIDTH * HEIGHT;
  image.planes[0].stride_bytes = WIDTH;
  image.stamp_ns = stamp_ns;
  image.arrival_ns = stamp_ns + 10000000;
  return image;
}

static int64_t stamp_of(int set) { return 1000000000 + (int64_t)set * 500000000; }

/* Identities are never used twice, not after a reset either: they are left out of the comparison. */
static void forget_identities(bevrt_frame_t *frame) {
  uint32_t i;
  for (i = 0; i < frame->object_count; ++i) {
    number("an object has an identity", 1, frame->object_entries[i].id != 0);
    frame->object_entries[i].id = 0;
  }
  for (i = 0; i < frame->lane_count; ++i) {
    frame->lane_entries[i].id = 0;
  }
  for (i = 0; i < frame->arrow_count; ++i) {
    frame->arrow_entries[i].id = 0;
  }
  for (i = 0; i < frame->crosswalk_count; ++i) {
    frame->crosswalk_entries[i].id = 0;
  }
  for (i = 0; i < frame->stop_line_count; ++i) {
    frame->stop_line_entries[i].id = 0;
  }
}

/* A drive from a new start; its frames, of which none may be missing. */
static void drive(bevrt_pipeline_t *pipeline, bevrt_frame_t frames[SETS]) {
  uint8_t pixels[WIDTH * HEIGHT];
  bevrt_health_t health;
  double speed_mps = 8.0;
  int set;
  must("reset", bevrt_pipeline_reset(pipeline));
  for (set = 0; set < SETS; ++set) {
    const int64_t stamp_ns = stamp_of(set);
    int64_t at_ns;
    uint32_t c;
    for (at_ns = stamp_ns - 400000000; at_ns <= stamp_ns; at_ns += 100000000) {
      const bevrt_ego_rates_t rates = {(uint32_t)sizeof rates, 0, at_ns, at_ns, speed_mps, 0.05};
      speed_mps += 0.01;
      must("rates", bevrt_pipeline_push_rates(pipeline, &rates));
    }
    for (c = 0; c < CAMERAS; ++c) {
      const bevrt_image_t image = image_of(pixels, c, stamp_ns, set);
      must("image", bevrt_pipeline_push_image(pipeline, &image));
    }
    must("step", bevrt_pipeline_step(pipeline, stamp_ns + 30000000, &frames[set],
                                     sizeof frames[set]));
    number("the next frame is not due", BEVRT_STATUS_WAITING,
           bevrt_pipeline_step(pipeline, stamp_ns + 30000000, &frames[0], sizeof frames[0]));
    must("health", bevrt_pipeline_health(pipeline, &health, sizeof health));
    number("health is that of the frame", 0,
           memcmp(&health, &frames[set].health, sizeof health));
    forget_identities(&frames[set]);
  }
}

static void looks_at(const bevrt_frame_t *frame, int set) {
  const bevrt_health_t *health = &frame->health;
  int c;
  number("layout", BEVRT_FRAME_ABI_MAJOR, frame->abi_major);
  number("size", (int64_t)sizeof *frame, frame->frame_size_bytes);
  number("sequence", set, (int64_t)frame->sequence);
  number("stamp", stamp_of(set), frame->stamp_ns);
  number("now", stamp_of(set) + 30000000, frame->now_ns);
  number("age", 30000000, health->frame_age_ns);
  number("age of motion", 0, health->ego_motion_age_ns);
  number("motion", BEVRT_EGO_MOTION_OK, health->ego_motion);
  number("deadline misses", 0, health->deadline_misses);
  number("cameras", CAMERAS, health->camera_count);
  number("slots", 2, health->slot_count);
  number("reference", 0, health->reference_camera);
  /* Two slots of half a second are full from the third frame on. */
  number("state", set < 2 ? BEVRT_HEALTH_DEGRADED : BEVRT_HEALTH_OK, health->state);
  number("reasons", set < 2 ? BEVRT_REASON_HISTORY_WARMING_UP : 0, (int64_t)health->reason_bits);
  for (c = 0; c < CAMERAS; ++c) {
    number("camera", BEVRT_CAMERA_OK, health->camera_entries[c].state);
    number("its stamp", stamp_of(set), health->camera_entries[c].stamp_ns);
    number("its age", 30000000, health->camera_entries[c].age_ns);
    number("its skew", 0, health->camera_entries[c].skew_ns);
  }
}

static void calibrate(bevrt_pipeline_t *pipeline, const char *rig) {
  bevrt_calibration_t calibration = {(uint32_t)sizeof calibration, 0, NULL, NULL};
  calibration.rig_path = rig;
  must("calibration", bevrt_pipeline_set_calibration(pipeline, &calibration));
}

static int same(const bevrt_frame_t *some, const bevrt_frame_t *others) {
  return memcmp(some, others, SETS * sizeof *some) == 0;
}

static void makes_frames(bevrt_pipeline_t *pipeline, const char *rig, const char *moved) {
  static bevrt_frame_t first[SETS];
  static bevrt_frame_t second[SETS];
  bevrt_health_t health;
  const bevrt_health_t none = {0};
  int set;
  must("health", bevrt_pipeline_health(pipeline, &health, sizeof health));
  number("no health before the first frame", 0, memcmp(&health, &none, sizeof none));
  drive(pipeline, first);
  number("something is seen", 1, first[0].object_count > 0 && first[0].lane_count > 0);
  for (set = 0; set < SETS; ++set) {
    looks_at(&first[set], set);
  }
  drive(pipeline, second);
  number("the same drive gives the same frames", 1, same(first, second));
  calibrate(pipeline, moved);
  drive(pipeline, second);
  number("another calibration gives other frames", 0, same(first, second));
  calibrate(pipeline, rig);
  drive(pipeline, second);
  number("the old calibration gives the old frames", 1, same(first, second));
}

static uint64_t measured(bevrt_pipeline_t *pipeline, int32_t stage) {
  bevrt_stage_statistics_t found;
  must("statistics", bevrt_pipeline_statistics(pipeline, stage, &found, sizeof found));
  number("size", (int64_t)sizeof found, found.struct_size);
  number("stage", stage, found.stage);
  number("times in order", 1,
         found.min_ns <= found.p50_ns && found.p50_ns <= found.p90_ns &&
             found.p90_ns <= found.p99_ns && found.p99_ns <= found.p999_ns &&
             found.min_ns <= found.mean_ns && found.mean_ns <= found.max_ns);
  number("the last between the others", 1,
         found.count == 0 || (found.min_ns <= found.last_ns && found.last_ns <= found.max_ns));
  if (stage == BEVRT_STAGE_TOTAL && found.count > 0) {
    number("a step takes time", 1, found.min_ns > 0);
  }
  return found.count;
}

static void counts_times(bevrt_pipeline_t *pipeline) {
  static bevrt_frame_t frames[SETS];
  int32_t stage;
  must("forgetting", bevrt_pipeline_reset_statistics(pipeline));
  for (stage = BEVRT_STAGE_PREPROCESS; stage <= BEVRT_STAGE_FROM_LAST_IMAGE; ++stage) {
    number("nothing was measured", 0, (int64_t)measured(pipeline, stage));
  }
  drive(pipeline, frames);
  for (stage = BEVRT_STAGE_PREPROCESS; stage <= BEVRT_STAGE_FROM_LAST_IMAGE; ++stage) {
    number("each frame was measured", SETS, (int64_t)measured(pipeline, stage));
  }
}

static void switches_a_camera_off(bevrt_pipeline_t *pipeline) {
  uint8_t pixels[WIDTH * HEIGHT];
  const bevrt_frame_t *frame = NULL;
  const bevrt_image_t image = image_of(pixels, 0, 9000000000, 0);
  must("reset", bevrt_pipeline_reset(pipeline));
  must("off", bevrt_pipeline_set_camera_enabled(pipeline, 1, BEVRT_OFF));
  must("image", bevrt_pipeline_push_image(pipeline, &image));
  must("step", bevrt_pipeline_step_borrow(pipeline, 9020000000, &frame));
  number("the stamp of the borrowed frame", 9000000000, frame->stamp_ns);
  number("the other camera", BEVRT_CAMERA_OK, frame->health.camera_entries[0].state);
  number("the camera that is off", BEVRT_CAMERA_DISABLED, frame->health.camera_entries[1].state);
  number("a reason", BEVRT_REASON_CAMERA_DISABLED,
         (int64_t)(frame->health.reason_bits & BEVRT_REASON_CAMERA_DISABLED));
  must("returning", bevrt_pipeline_return_frame(pipeline, frame));
  must("on", bevrt_pipeline_set_camera_enabled(pipeline, 1, BEVRT_ON));
}

static atomic_int released;
static atomic_int delivered;

static void on_release(void *user_data, int32_t status) {
  number("what became of the image", BEVRT_STATUS_OK, status);
  free(user_data);
  atomic_fetch_add(&released, 1);
}

static void on_frame(void *user_data, int32_t status, const bevrt_frame_t *frame) {
  number("what became of the step", BEVRT_STATUS_OK, status);
  number("a frame", 1, user_data != NULL && frame != NULL);
  atomic_fetch_add(&delivered, 1);
}

/* Three sets: of their frames the newest can be polled, the others are counted. */
static void works(bevrt_pipeline_t *pipeline) {
  enum { WORKED = 3 };
  static bevrt_frame_t frame;
  bevrt_worker_options_t options;
  bevrt_worker_counts_t counts;
  bevrt_worker_t *worker = NULL;
  int set;
  must("reset", bevrt_pipeline_reset(pipeline));
  must("defaults", bevrt_worker_options_default(&options, sizeof options));
  options.frame_callback = on_frame;
  options.frame_user_data = &options;
  must("worker", bevrt_worker_create(pipeline, &options, &worker));
  for (set = 0; set < WORKED; ++set) {
    uint32_t c;
    for (c = 0; c < CAMERAS; ++c) {
      uint8_t *pixels = (uint8_t *)malloc(WIDTH * HEIGHT);
      bevrt_image_t image;
      if (pixels == NULL) {
        exit(EXIT_FAILURE);
      }
      image = image_of(pixels, c, stamp_of(set), set);
      must("queueing", bevrt_worker_push_image(worker, &image, on_release, pixels));
    }
  }
  must("flushing", bevrt_worker_flush(worker, 60000000000));
  must("polling", bevrt_worker_poll(worker, 0, &frame, sizeof frame));
  number("the newest frame", stamp_of(WORKED - 1), frame.stamp_ns);
  number("each frame is given once", BEVRT_STATUS_WAITING,
         bevrt_worker_poll(worker, 0, &frame, sizeof frame));
  must("counts", bevrt_worker_counts(worker, &counts, sizeof counts));
  number("frames", WORKED, (int64_t)counts.frames);
  number("frames that nobody polled", WORKED - 1, (int64_t)counts.frames_replaced);
  number("images refused", 0, (int64_t)counts.images_refused);
  number("queue", 0, counts.queued);
  must("destroying the worker", bevrt_worker_destroy(worker));
  number("images released", WORKED * CAMERAS, atomic_load(&released));
  number("frames delivered", WORKED, atomic_load(&delivered));
}

int main(int argc, char **argv) {
  static log_t log;
  char moved[4096];
  bevrt_pipeline_options_t options;
  bevrt_pipeline_t *pipeline = NULL;
  int said;

  if (argc != 4) {
    fprintf(stderr, "usage: good_use PACKAGE RIG_FILE FOLDER\n");
    return EXIT_FAILURE;
  }
  (void)snprintf(moved, sizeof moved, "%s/moved.toml", argv[3]);
  asks_for_versions();
  must("log", bevrt_log_set_callback(on_log, &log, 3));
  must("defaults", bevrt_pipeline_options_default(&options, sizeof options));
  number("size", (int64_t)sizeof options, options.struct_size);
  options.package_path = argv[1];
  options.rig_path = argv[2];
  options.ego_motion = BEVRT_EGO_MOTION_RATES;
  /* The golden cases of the package pass. */
  must("create", bevrt_pipeline_create(&options, &pipeline));
  number("the log names ONNX Runtime", 1, atomic_load(&log.about_onnx_runtime));
  must("no log", bevrt_log_set_callback(NULL, NULL, 3));
  said = atomic_load(&log.messages);

  asks_for_info(pipeline);
  makes_frames(pipeline, argv[2], moved);
  counts_times(pipeline);
  switches_a_camera_off(pipeline);
  works(pipeline);
  must("destroy", bevrt_pipeline_destroy(pipeline));
  number("the log is silent without a callback", said, atomic_load(&log.messages));
  printf("%s as expected\n", wrong == 0 ? "all" : "not all");
  return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
