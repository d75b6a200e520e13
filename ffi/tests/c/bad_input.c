/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Gives the library everything that it must refuse, and prints what it said as a table. Fails when a
 * call says anything else than what stands here.
 *
 *   bad_input PACKAGE RIG_FILE FOLDER
 *
 * FOLDER holds packages and rigs that were made of the first, see c_programs/packages.rs.
 */
#define _POSIX_C_SOURCE 200809L
#include <bevrt/bevrt.h>

#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int wrong = 0;

static const char *name_of(int32_t status);

static void check(const char *what, int32_t expected, int32_t found) {
  printf("| %s | %s |\n", what, name_of(found));
  if (found != expected) {
    char text[512];
    (void)bevrt_error_text(text, sizeof text);
    fprintf(stderr, "%s: expected %s, found %s: %s\n", what, name_of(expected), name_of(found), text);
    ++wrong;
  }
}

/* As check; the text of the failure must have a part, so that it failed for the right reason. */
static void check_says(const char *what, int32_t expected, int32_t found, const char *part) {
  char text[2048];
  (void)bevrt_error_text(text, sizeof text);
  check(what, expected, found);
  if (strstr(text, part) == NULL) {
    fprintf(stderr, "%s: expected a text with `%s`, found: %s\n", what, part, text);
    ++wrong;
  }
}

static void must(const char *what, int32_t status) {
  if (status != BEVRT_STATUS_OK) {
    char text[1024];
    (void)bevrt_error_text(text, sizeof text);
    fprintf(stderr, "%s: %s: %s\n", what, name_of(status), text);
    exit(EXIT_FAILURE);
  }
}

#define NAME(status) \
  case status:       \
    return &#status[13]

static const char *name_of(int32_t status) {
  switch (status) {
    NAME(BEVRT_STATUS_OK);
    NAME(BEVRT_STATUS_WAITING);
    NAME(BEVRT_STATUS_NULL_POINTER);
    NAME(BEVRT_STATUS_MISALIGNED);
    NAME(BEVRT_STATUS_INVALID_ARGUMENT);
    NAME(BEVRT_STATUS_INVALID_HANDLE);
    NAME(BEVRT_STATUS_STRUCT_SIZE);
    NAME(BEVRT_STATUS_UNSUPPORTED);
    NAME(BEVRT_STATUS_IN_CALLBACK);
    NAME(BEVRT_STATUS_WORKER_ATTACHED);
    NAME(BEVRT_STATUS_FRAME_BORROWED);
    NAME(BEVRT_STATUS_NOT_BORROWED);
    NAME(BEVRT_STATUS_QUEUE_FULL);
    NAME(BEVRT_STATUS_CANCELLED);
    NAME(BEVRT_STATUS_PACKAGE);
    NAME(BEVRT_STATUS_CALIBRATION);
    NAME(BEVRT_STATUS_ENGINE_LOAD);
    NAME(BEVRT_STATUS_GOLDEN);
    NAME(BEVRT_STATUS_OPTION);
    NAME(BEVRT_STATUS_SIGNATURE_MISSING);
    NAME(BEVRT_STATUS_SIGNATURE_WRONG);
    NAME(BEVRT_STATUS_SIGNATURE_UNKNOWN_KEY);
    NAME(BEVRT_STATUS_IMAGE_SIZE);
    NAME(BEVRT_STATUS_IMAGE_LAYOUT);
    NAME(BEVRT_STATUS_UNKNOWN_CAMERA);
    NAME(BEVRT_STATUS_CAMERA_DISABLED);
    NAME(BEVRT_STATUS_IMAGE_REPEATED);
    NAME(BEVRT_STATUS_IMAGE_OUT_OF_ORDER);
    NAME(BEVRT_STATUS_IMAGE_FROZEN);
    NAME(BEVRT_STATUS_IMAGE_BLIND);
    NAME(BEVRT_STATUS_IMAGE_LATE);
    NAME(BEVRT_STATUS_IMAGE_OVERRUN);
    NAME(BEVRT_STATUS_IMAGE_OUT_OF_TOLERANCE);
    NAME(BEVRT_STATUS_MOTION_NOT_FINITE);
    NAME(BEVRT_STATUS_MOTION_IMPLAUSIBLE);
    NAME(BEVRT_STATUS_MOTION_BACKWARDS);
    NAME(BEVRT_STATUS_MOTION_SOURCE);
    default:
      return "another status";
  }
}

static bevrt_pipeline_options_t sound_options(const char *package, const char *rig) {
  bevrt_pipeline_options_t options;
  must("defaults", bevrt_pipeline_options_default(&options, sizeof options));
  options.package_path = package;
  options.rig_path = rig;
  options.ego_motion = BEVRT_EGO_MOTION_RATES;
  options.has_golden_check = BEVRT_OFF;
  options.warm_up_runs = 0;
  return options;
}

static int32_t create(const bevrt_pipeline_options_t *options) {
  bevrt_pipeline_t *untouched = NULL;
  const int32_t status = bevrt_pipeline_create(options, &untouched);
  if (untouched != NULL) {
    fprintf(stderr, "a failed creation gave a handle\n");
    exit(EXIT_FAILURE);
  }
  return status;
}

/* A path below the folder of what was made for this program. */
static const char *made(const char *folder, const char *name) {
  static char path[4096];
  (void)snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void bad_packages(const char *package, const char *rig, const char *folder) {
  bevrt_pipeline_options_t options = sound_options(package, rig);
  options.package_path = made(folder, "hash");
  check_says("a network with another hash", BEVRT_STATUS_PACKAGE, create(&options), "sha256");
  options.package_path = made(folder, "external");
  check_says("a network whose weights lie in another file", BEVRT_STATUS_PACKAGE,
             create(&options), "reference to another file");
  options.package_path = made(folder, "operator");
  check_says("a network with an operator of somebody else", BEVRT_STATUS_PACKAGE,
             create(&options), "\"evil\"");
  options.package_path = made(folder, "outside");
  check_says("a manifest that names a file outside of the package", BEVRT_STATUS_PACKAGE,
             create(&options), "../hash/reduced.onnx");
  options.package_path = made(folder, "linked");
  check_says("a network that is a link out of the package", BEVRT_STATUS_PACKAGE,
             create(&options), "found a link");
  options.package_path = made(folder, "pipe");
  check_says("a network that is a pipe", BEVRT_STATUS_PACKAGE, create(&options),
             "ordinary file");
  options.package_path = made(folder, "large");
  check_says("a manifest of more than 1 MiB", BEVRT_STATUS_PACKAGE, create(&options),
             "at most 1048576 bytes");
  options.trusted_keys = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  options.package_path = package;
  check("a package that is not signed where it must be", BEVRT_STATUS_SIGNATURE_MISSING,
        create(&options));
  options.package_path = made(folder, "signed");
  check("a package that is signed by another key", BEVRT_STATUS_SIGNATURE_UNKNOWN_KEY,
        create(&options));
  options.package_path = made(folder, "changed");
  check("a package that was changed after signing", BEVRT_STATUS_SIGNATURE_WRONG,
        create(&options));
  options.trusted_keys = NULL;
  options.has_golden_check = BEVRT_ON;
  options.package_path = made(folder, "golden");
  check_says("a package whose golden case this machine does not reach", BEVRT_STATUS_GOLDEN,
             create(&options), "golden");
}

static void bad_options(const char *package, const char *rig) {
  const bevrt_pipeline_options_t sound = sound_options(package, rig);
  bevrt_pipeline_options_t options;
  bevrt_pipeline_t *handle = NULL;
  union {
    bevrt_pipeline_options_t options;
    uint8_t bytes[sizeof(bevrt_pipeline_options_t) + 8];
  } newer;
  char *endless = (char *)malloc(70000);

  check("options: NULL", BEVRT_STATUS_NULL_POINTER, create(NULL));
  check("place for the handle: NULL", BEVRT_STATUS_NULL_POINTER,
        bevrt_pipeline_create(&sound, NULL));
  check("defaults into NULL", BEVRT_STATUS_NULL_POINTER,
        bevrt_pipeline_options_default(NULL, sizeof options));
  check("defaults into too few bytes", BEVRT_STATUS_STRUCT_SIZE,
        bevrt_pipeline_options_default(&options, 20));
  options = sound;
  options.struct_size = 0;
  check("`struct_size` 0", BEVRT_STATUS_STRUCT_SIZE, create(&options));
  options.struct_size = 0xFFFFFFFFU;
  check("`struct_size` of 4 GiB", BEVRT_STATUS_STRUCT_SIZE, create(&options));
  memset(&newer, 0, sizeof newer);
  newer.options = sound;
  newer.options.struct_size = (uint32_t)sizeof newer;
  newer.bytes[sizeof newer - 1] = 1;
  check("an option of a newer header, set", BEVRT_STATUS_STRUCT_SIZE, create(&newer.options));
  check("options at an odd address", BEVRT_STATUS_MISALIGNED,
        bevrt_pipeline_create((const bevrt_pipeline_options_t *)(const void *)(newer.bytes + 1),
                              &handle));
  options = sound;
  options.package_path = NULL;
  check("package: NULL", BEVRT_STATUS_NULL_POINTER, create(&options));
  options.package_path = "/no/such/folder";
  check("package: not there", BEVRT_STATUS_PACKAGE, create(&options));
  if (endless != NULL) {
    memset(endless, 'a', 70000);
    endless[69999] = '\0';
    options.package_path = endless;
    check("package: a path of 70,000 letters", BEVRT_STATUS_INVALID_ARGUMENT, create(&options));
    free(endless);
  }
  options = sound;
  options.rig_path = "/no/such/rig.toml";
  check("rig: not there", BEVRT_STATUS_CALIBRATION, create(&options));
  options.rig_path = NULL;
  check("neither rig file nor rig text", BEVRT_STATUS_NULL_POINTER, create(&options));
  options.rig_text = "format = 1\ncamera = 3\n";
  check("rig text: no rig", BEVRT_STATUS_CALIBRATION, create(&options));
  options.rig_text = "\xff\xfe";
  check("rig text: not UTF-8", BEVRT_STATUS_CALIBRATION, create(&options));
  options.rig_path = rig;
  check("rig file and rig text", BEVRT_STATUS_INVALID_ARGUMENT, create(&options));
  options = sound;
  options.trusted_keys = "";
  check("an empty list of trusted keys", BEVRT_STATUS_INVALID_ARGUMENT, create(&options));
  options.trusted_keys = "abc";
  check("a trusted key that is none", BEVRT_STATUS_INVALID_ARGUMENT, create(&options));
  options = sound;
  options.provider_count = 0;
  check("no provider", BEVRT_STATUS_INVALID_ARGUMENT, create(&options));
  options.provider_count = 5;
  check("more providers than there is room for", BEVRT_STATUS_INVALID_ARGUMENT, create(&options));
  options = sound;
  options.providers[0] = 99;
  check("an unknown provider", BEVRT_STATUS_INVALID_ARGUMENT, create(&options));
  options.providers[0] = BEVRT_PROVIDER_TENSORRT;
  check("TensorRT without a folder of engines", BEVRT_STATUS_NULL_POINTER, create(&options));
  options.engine_cache_path = "/no/such/engines";
  check("TensorRT with a folder that is not there", BEVRT_STATUS_ENGINE_LOAD, create(&options));
  options.providers[0] = BEVRT_PROVIDER_PLUGIN;
  check("a plug-in provider without its library", BEVRT_STATUS_NULL_POINTER, create(&options));
  options.plugin_path = "/no/such/provider.so";
  options.plugin_name = "SomeExecutionProvider";
  options.plugin_options = "key";
  check("options of a plug-in that are none", BEVRT_STATUS_INVALID_ARGUMENT, create(&options));
  options.plugin_options = "key=value";
  check("a plug-in provider that is not there", BEVRT_STATUS_ENGINE_LOAD, create(&options));
  options = sound;
  options.pool_cores = "two";
  check("cores that are no numbers", BEVRT_STATUS_INVALID_ARGUMENT, create(&options));
  options.pool_cores = "1000";
  options.intra_op_threads = 2;
  check("a core that the machine lacks", BEVRT_STATUS_ENGINE_LOAD, create(&options));
  options = sound;
  options.pool_priority = 100;
  check("a real-time priority of 100", BEVRT_STATUS_INVALID_ARGUMENT, create(&options));
  options = sound;
  options.precision = "int3";
  check("an unknown precision", BEVRT_STATUS_INVALID_ARGUMENT, create(&options));
  options = sound;
  options.intra_op_threads = 100000;
  check("100,000 threads", BEVRT_STATUS_ENGINE_LOAD, create(&options));
  options = sound;
  options.onnxruntime_path = "/no/such/libonnxruntime.so";
  check("ONNX Runtime: not there, or another one is loaded", BEVRT_STATUS_ENGINE_LOAD,
        create(&options));
  options = sound;
  options.ego_motion = 7;
  check("an unknown kind of ego motion", BEVRT_STATUS_INVALID_ARGUMENT, create(&options));
  options = sound;
  options.has_frozen_check = 2;
  check("a yes-or-no that is 2", BEVRT_STATUS_INVALID_ARGUMENT, create(&options));
  options = sound;
  options.set_deadline_ns = -1;
  check("a negative deadline", BEVRT_STATUS_INVALID_ARGUMENT, create(&options));
  options.set_deadline_ns = 0;
  check_says("no time for a set of images", BEVRT_STATUS_OPTION, create(&options), "deadline");
}

/* Something to see. */
static void paint(uint8_t *pixels, size_t bytes) {
  size_t i;
  for (i = 0; i < bytes; ++i) {
    pixels[i] = (uint8_t)(i * 7919U >> 5);
  }
}

/* An image of camera 0; `pixels` holds it. */
static bevrt_image_t sound_image(const bevrt_camera_info_t *camera, const uint8_t *pixels,
                                 int64_t stamp_ns) {
  bevrt_image_t image;
  const uint64_t luma = (uint64_t)camera->width_px * camera->height_px;
  memset(&image, 0, sizeof image);
  image.struct_size = (uint32_t)sizeof image;
  image.camera = camera->camera;
  image.pixel_format = BEVRT_PIXEL_FORMAT_NV12;
  image.width_px = camera->width_px;
  image.height_px = camera->height_px;
  image.plane_count = 2;
  image.planes[0].data = pixels;
  image.planes[0].size_bytes = luma;
  image.planes[0].stride_bytes = camera->width_px;
  image.planes[1].data = pixels + luma;
  image.planes[1].size_bytes = luma / 2;
  image.planes[1].stride_bytes = camera->width_px;
  image.stamp_ns = stamp_ns;
  image.arrival_ns = stamp_ns + 20000000;
  return image;
}

#define BAD_IMAGE(what, expected, change)                       \
  do {                                                          \
    bevrt_image_t image = sound;                                \
    change;                                                     \
    check(what, expected, bevrt_pipeline_push_image(pipeline, &image)); \
  } while (0)

static void bad_images(bevrt_pipeline_t *pipeline, const bevrt_camera_info_t *camera,
                       uint8_t *pixels) {
  const bevrt_image_t sound = sound_image(camera, pixels, 1000000000);
  check("image: NULL", BEVRT_STATUS_NULL_POINTER, bevrt_pipeline_push_image(pipeline, NULL));
  BAD_IMAGE("image: `struct_size` 4", BEVRT_STATUS_STRUCT_SIZE, image.struct_size = 4);
  BAD_IMAGE("camera 4,294,967,295", BEVRT_STATUS_UNKNOWN_CAMERA, image.camera = 0xFFFFFFFFU);
  BAD_IMAGE("an unknown pixel format", BEVRT_STATUS_INVALID_ARGUMENT, image.pixel_format = -5);
  BAD_IMAGE("an unknown colour matrix", BEVRT_STATUS_INVALID_ARGUMENT, image.colour_matrix = 9);
  BAD_IMAGE("an unknown colour range", BEVRT_STATUS_INVALID_ARGUMENT, image.colour_range = 9);
  BAD_IMAGE("CUDA memory", BEVRT_STATUS_UNSUPPORTED, image.memory_type = BEVRT_MEMORY_CUDA);
  BAD_IMAGE("a dma-buf", BEVRT_STATUS_UNSUPPORTED, image.memory_type = BEVRT_MEMORY_DMABUF);
  BAD_IMAGE("an unknown memory type", BEVRT_STATUS_INVALID_ARGUMENT, image.memory_type = 77);
  BAD_IMAGE("NV12 with one plane", BEVRT_STATUS_INVALID_ARGUMENT, image.plane_count = 1);
  BAD_IMAGE("4,294,967,295 planes", BEVRT_STATUS_INVALID_ARGUMENT,
            image.plane_count = 0xFFFFFFFFU);
  BAD_IMAGE("a plane that is NULL", BEVRT_STATUS_NULL_POINTER, image.planes[1].data = NULL);
  BAD_IMAGE("a plane of 2^64 - 1 bytes", BEVRT_STATUS_IMAGE_LAYOUT,
            image.planes[0].size_bytes = UINT64_MAX);
  BAD_IMAGE("a stride of 2^64 - 1", BEVRT_STATUS_IMAGE_LAYOUT,
            image.planes[0].stride_bytes = UINT64_MAX);
  BAD_IMAGE("a stride of 0", BEVRT_STATUS_IMAGE_LAYOUT, image.planes[0].stride_bytes = 0);
  BAD_IMAGE("a stride below the width", BEVRT_STATUS_IMAGE_LAYOUT,
            image.planes[0].stride_bytes = camera->width_px - 1U);
  BAD_IMAGE("a plane one byte short", BEVRT_STATUS_IMAGE_LAYOUT, image.planes[1].size_bytes -= 1);
  BAD_IMAGE("width 0", BEVRT_STATUS_IMAGE_LAYOUT, image.width_px = 0);
  BAD_IMAGE("height 4,294,967,294", BEVRT_STATUS_IMAGE_LAYOUT, image.height_px = 0xFFFFFFFEU);
  BAD_IMAGE("an odd width in NV12", BEVRT_STATUS_IMAGE_LAYOUT, image.width_px -= 1);
  BAD_IMAGE("half the height of the camera", BEVRT_STATUS_IMAGE_SIZE, image.height_px /= 2);
  BAD_IMAGE("a stamp after its arrival", BEVRT_STATUS_IMAGE_OUT_OF_TOLERANCE,
            image.stamp_ns = image.arrival_ns + 1000000000);
  must("a sound image", bevrt_pipeline_push_image(pipeline, &sound));
  BAD_IMAGE("the same stamp again", BEVRT_STATUS_IMAGE_REPEATED, (void)image);
  BAD_IMAGE("an older stamp", BEVRT_STATUS_IMAGE_OUT_OF_ORDER, image.stamp_ns -= 50000000);
  BAD_IMAGE("the same picture with a new stamp", BEVRT_STATUS_IMAGE_FROZEN, {
    image.stamp_ns += 100000000;
    image.arrival_ns += 100000000;
  });
  memset(pixels, 100, sound.planes[0].size_bytes);
  BAD_IMAGE("a picture of one tone", BEVRT_STATUS_IMAGE_BLIND, {
    image.stamp_ns += 150000000;
    image.arrival_ns += 150000000;
  });
  paint(pixels, sound.planes[0].size_bytes);
  must("switching off", bevrt_pipeline_set_camera_enabled(pipeline, 0, BEVRT_OFF));
  pixels[0] ^= 1U;
  BAD_IMAGE("an image of a camera that is off", BEVRT_STATUS_CAMERA_DISABLED, {
    image.stamp_ns += 200000000;
    image.arrival_ns += 200000000;
  });
  must("switching on", bevrt_pipeline_set_camera_enabled(pipeline, 0, BEVRT_ON));
  BAD_IMAGE("an image that is sound after all of that", BEVRT_STATUS_OK, {
    image.stamp_ns += 300000000;
    image.arrival_ns += 300000000;
  });
}

/* An image of a camera at a time, unlike the one before. */
static int32_t push_at(bevrt_pipeline_t *pipeline, const bevrt_camera_info_t *camera,
                       uint8_t *pixels, int64_t stamp_ns) {
  static uint8_t change = 0;
  const bevrt_image_t image = sound_image(camera, pixels, stamp_ns);
  size_t i;
  ++change;
  for (i = 0; i < camera->width_px; ++i) {
    pixels[i * 3] ^= change;
  }
  return bevrt_pipeline_push_image(pipeline, &image);
}

static void bad_times(bevrt_pipeline_t *pipeline, const bevrt_camera_info_t *camera,
                      uint8_t *pixels) {
  static bevrt_frame_t frame;
  bevrt_camera_info_t other;
  must("camera", bevrt_pipeline_camera_info(pipeline, 1, &other, sizeof other));
  must("reset", bevrt_pipeline_reset(pipeline));
  must("the first", push_at(pipeline, camera, pixels, 10000000000));
  must("the second", push_at(pipeline, camera, pixels, 10100000000));
  check("an image while two older frames wait to be stepped", BEVRT_STATUS_IMAGE_OVERRUN,
        push_at(pipeline, camera, pixels, 10200000000));
  must("its frame", bevrt_pipeline_step(pipeline, 10300000000, &frame, sizeof frame));
  must("and the next", bevrt_pipeline_step(pipeline, 10300000000, &frame, sizeof frame));
  check("stepping when no frame is due", BEVRT_STATUS_WAITING,
        bevrt_pipeline_step(pipeline, 10300000000, &frame, sizeof frame));
  check("an image whose frame is already made", BEVRT_STATUS_IMAGE_LATE,
        push_at(pipeline, &other, pixels, 10080000000));
}

static void bad_motion(bevrt_pipeline_t *pipeline) {
  bevrt_ego_rates_t rates = {(uint32_t)sizeof rates, 0, 1000000000, 1000000000, 10.0, 0.0};
  bevrt_ego_pose_t pose;
  memset(&pose, 0, sizeof pose);
  pose.struct_size = (uint32_t)sizeof pose;
  check("a pose without a rotation", BEVRT_STATUS_INVALID_ARGUMENT,
        bevrt_pipeline_push_pose(pipeline, &pose));
  pose.quaternion_wxyz[0] = 1.0;
  check("a pose for a pipeline of rates", BEVRT_STATUS_MOTION_SOURCE,
        bevrt_pipeline_push_pose(pipeline, &pose));
  pose.translation_m[1] = (double)INFINITY;
  check("a pose at infinity", BEVRT_STATUS_MOTION_NOT_FINITE,
        bevrt_pipeline_push_pose(pipeline, &pose));
  check("rates: NULL", BEVRT_STATUS_NULL_POINTER, bevrt_pipeline_push_rates(pipeline, NULL));
  must("sound rates", bevrt_pipeline_push_rates(pipeline, &rates));
  check("the same rates again", BEVRT_STATUS_MOTION_BACKWARDS,
        bevrt_pipeline_push_rates(pipeline, &rates));
  rates.stamp_ns += 10000000;
  rates.speed_mps = (double)NAN;
  check("a speed that is no number", BEVRT_STATUS_MOTION_NOT_FINITE,
        bevrt_pipeline_push_rates(pipeline, &rates));
  rates.speed_mps = 1e6;
  check("a speed of 1,000 km/s", BEVRT_STATUS_MOTION_IMPLAUSIBLE,
        bevrt_pipeline_push_rates(pipeline, &rates));
}

static void bad_reading(bevrt_pipeline_t *pipeline, const char *folder) {
  static union {
    bevrt_frame_t frame;
    uint8_t bytes[sizeof(bevrt_frame_t) + 8];
  } room;
  const bevrt_frame_t *borrowed = NULL;
  bevrt_health_t health;
  bevrt_stage_statistics_t statistics;
  bevrt_pipeline_info_t info;
  bevrt_camera_info_t camera;
  bevrt_calibration_t calibration = {(uint32_t)sizeof calibration, 0, NULL, "nonsense"};
  const char *one_camera = made(folder, "one_camera.toml");
  size_t i;

  memset(&room, 0xAA, sizeof room);
  check("frame: NULL", BEVRT_STATUS_NULL_POINTER,
        bevrt_pipeline_step(pipeline, 0, NULL, sizeof room.frame));
  check("a frame at an odd address", BEVRT_STATUS_MISALIGNED,
        bevrt_pipeline_step(pipeline, 0, (bevrt_frame_t *)(void *)(room.bytes + 1),
                            sizeof room.frame));
  check("a frame one byte short", BEVRT_STATUS_STRUCT_SIZE,
        bevrt_pipeline_step(pipeline, INT64_MAX, &room.frame, sizeof room.frame - 1));
  for (i = 0; i < sizeof room; ++i) {
    wrong += room.bytes[i] != 0xAA;
  }
  check("no frame is borrowed", BEVRT_STATUS_NOT_BORROWED,
        bevrt_pipeline_return_frame(pipeline, &room.frame));
  must("the first frame", bevrt_pipeline_step_borrow(pipeline, 2000000000, &borrowed));
  check("stepping while a frame is borrowed", BEVRT_STATUS_FRAME_BORROWED,
        bevrt_pipeline_step(pipeline, 3000000000, &room.frame, sizeof room.frame));
  check("destroying while a frame is borrowed", BEVRT_STATUS_FRAME_BORROWED,
        bevrt_pipeline_destroy(pipeline));
  check("returning another frame", BEVRT_STATUS_NOT_BORROWED,
        bevrt_pipeline_return_frame(pipeline, &room.frame));
  must("returning", bevrt_pipeline_return_frame(pipeline, borrowed));
  check("returning it twice", BEVRT_STATUS_NOT_BORROWED,
        bevrt_pipeline_return_frame(pipeline, borrowed));
  check("health into 8 bytes", BEVRT_STATUS_STRUCT_SIZE,
        bevrt_pipeline_health(pipeline, &health, 8));
  check("statistics of stage 99", BEVRT_STATUS_INVALID_ARGUMENT,
        bevrt_pipeline_statistics(pipeline, 99, &statistics, sizeof statistics));
  check("statistics of stage -1", BEVRT_STATUS_INVALID_ARGUMENT,
        bevrt_pipeline_statistics(pipeline, -1, &statistics, sizeof statistics));
  check("info into NULL", BEVRT_STATUS_NULL_POINTER,
        bevrt_pipeline_info(pipeline, NULL, sizeof info));
  check("camera 99", BEVRT_STATUS_UNKNOWN_CAMERA,
        bevrt_pipeline_camera_info(pipeline, 99, &camera, sizeof camera));
  check("switching camera 99 off", BEVRT_STATUS_UNKNOWN_CAMERA,
        bevrt_pipeline_set_camera_enabled(pipeline, 99, BEVRT_OFF));
  check("a calibration that is none", BEVRT_STATUS_CALIBRATION,
        bevrt_pipeline_set_calibration(pipeline, &calibration));
  calibration.rig_text = NULL;
  calibration.rig_path = one_camera;
  check("a calibration of fewer cameras", BEVRT_STATUS_OPTION,
        bevrt_pipeline_set_calibration(pipeline, &calibration));
}

static int32_t inside = BEVRT_STATUS_OK;
static int released = 0;

static void destroys_itself(void *user_data, int32_t status) {
  (void)status;
  ++released;
  inside = bevrt_worker_destroy(*(bevrt_worker_t **)user_data);
}

/* A release callback that holds the worker's thread until somebody destroys the worker. */
typedef struct {
  bevrt_worker_t *worker;
  atomic_int is_inside;
} hold_t;

static void holds(void *user_data, int32_t status) {
  static bevrt_frame_t frame;
  hold_t *hold = (hold_t *)user_data;
  (void)status;
  atomic_store(&hold->is_inside, 1);
  while (bevrt_worker_poll(hold->worker, 0, &frame, sizeof frame) !=
         BEVRT_STATUS_INVALID_HANDLE) {
    (void)sched_yield();
  }
}

static void keeps_status(void *user_data, int32_t status) { *(int32_t *)user_data = status; }

static void bad_queue(bevrt_pipeline_t *pipeline, const bevrt_camera_info_t *camera,
                      const uint8_t *pixels) {
  static hold_t hold;
  bevrt_worker_options_t options;
  bevrt_worker_counts_t counts;
  int32_t second = -1;
  bevrt_image_t image = sound_image(camera, pixels, 20000000000);

  must("defaults", bevrt_worker_options_default(&options, sizeof options));
  options.queue_capacity = 1;
  must("a worker", bevrt_worker_create(pipeline, &options, &hold.worker));
  must("queueing", bevrt_worker_push_image(hold.worker, &image, holds, &hold));
  while (atomic_load(&hold.is_inside) == 0) {
    (void)sched_yield();
  }
  image.stamp_ns += 100000000;
  image.arrival_ns += 100000000;
  must("queueing", bevrt_worker_push_image(hold.worker, &image, keeps_status, &second));
  check("queueing when the queue is full", BEVRT_STATUS_QUEUE_FULL,
        bevrt_worker_tick(hold.worker, 0));
  must("counts", bevrt_worker_counts(hold.worker, &counts, sizeof counts));
  wrong += counts.queue_full != 1 || counts.queued != 1;
  check("waiting for a worker that a callback holds", BEVRT_STATUS_WAITING,
        bevrt_worker_flush(hold.worker, 1000000));
  must("destroying the worker", bevrt_worker_destroy(hold.worker));
  check("an image in the queue of a worker that is destroyed", BEVRT_STATUS_CANCELLED, second);
}

static void bad_worker(bevrt_pipeline_t *pipeline, const bevrt_camera_info_t *camera,
                       const uint8_t *pixels) {
  bevrt_worker_options_t options;
  bevrt_worker_t *worker = NULL;
  bevrt_worker_t *second = NULL;
  static bevrt_frame_t frame;
  bevrt_image_t image = sound_image(camera, pixels, 5000000000);

  must("defaults", bevrt_worker_options_default(&options, sizeof options));
  options.queue_capacity = 0;
  check("a queue for nothing", BEVRT_STATUS_INVALID_ARGUMENT,
        bevrt_worker_create(pipeline, &options, &worker));
  options.queue_capacity = 4;
  options.has_overlap = 2;
  check("an overlap that is 2", BEVRT_STATUS_INVALID_ARGUMENT,
        bevrt_worker_create(pipeline, &options, &worker));
  options.has_overlap = BEVRT_ON;
  options.network_cores = "1000";
  check("a worker on a core that the machine lacks", BEVRT_STATUS_UNSUPPORTED,
        bevrt_worker_create(pipeline, &options, &worker));
  options.network_cores = NULL;
  must("a worker", bevrt_worker_create(pipeline, &options, &worker));
  check("a second worker", BEVRT_STATUS_WORKER_ATTACHED,
        bevrt_worker_create(pipeline, &options, &second));
  check("stepping by hand beside a worker", BEVRT_STATUS_WORKER_ATTACHED,
        bevrt_pipeline_step(pipeline, 0, &frame, sizeof frame));
  check("destroying the pipeline of a worker", BEVRT_STATUS_WORKER_ATTACHED,
        bevrt_pipeline_destroy(pipeline));
  check("polling for a negative time", BEVRT_STATUS_INVALID_ARGUMENT,
        bevrt_worker_poll(worker, -1, &frame, sizeof frame));
  check("polling when there is no frame", BEVRT_STATUS_WAITING,
        bevrt_worker_poll(worker, 0, &frame, sizeof frame));
  image.planes[0].stride_bytes = 1;
  check("queueing an image with a wrong stride", BEVRT_STATUS_IMAGE_LAYOUT,
        bevrt_worker_push_image(worker, &image, destroys_itself, &worker));
  image.planes[0].stride_bytes = camera->width_px;
  must("queueing", bevrt_worker_push_image(worker, &image, destroys_itself, &worker));
  must("flushing", bevrt_worker_flush(worker, 60000000000));
  wrong += released != 1;
  check("destroying a worker inside its callback", BEVRT_STATUS_IN_CALLBACK, inside);
  check("a worker as a pipeline", BEVRT_STATUS_INVALID_HANDLE,
        bevrt_pipeline_reset((bevrt_pipeline_t *)(void *)worker));
  must("destroying the worker", bevrt_worker_destroy(worker));
  check("destroying a worker twice", BEVRT_STATUS_INVALID_HANDLE, bevrt_worker_destroy(worker));
  check("pushing to a destroyed worker", BEVRT_STATUS_INVALID_HANDLE,
        bevrt_worker_tick(worker, 0));
}

int main(int argc, char **argv) {
  bevrt_pipeline_options_t options;
  bevrt_pipeline_t *pipeline = NULL;
  bevrt_camera_info_t camera;
  uint8_t *pixels;
  size_t bytes;
  int local = 0;

  if (argc != 4) {
    fprintf(stderr, "usage: bad_input PACKAGE RIG_FILE FOLDER\n");
    return EXIT_FAILURE;
  }
  printf("| what was given | what came back |\n|---|---|\n");
  bad_options(argv[1], argv[2]);
  bad_packages(argv[1], argv[2], argv[3]);

  options = sound_options(argv[1], argv[2]);
  options.struct_size = (uint32_t)offsetof(bevrt_pipeline_options_t, trusted_keys);
  options.trusted_keys = "behind the size that is stated";
  check("sound options of an older, shorter header", BEVRT_STATUS_OK,
        bevrt_pipeline_create(&options, &pipeline));
  must("camera", bevrt_pipeline_camera_info(pipeline, 0, &camera, sizeof camera));
  bytes = (size_t)camera.width_px * camera.height_px * 3 / 2;
  pixels = (uint8_t *)malloc(bytes);
  if (pixels == NULL) {
    return EXIT_FAILURE;
  }
  paint(pixels, bytes);
  bad_images(pipeline, &camera, pixels);
  bad_motion(pipeline);
  bad_reading(pipeline, argv[3]);
  bad_worker(pipeline, &camera, pixels);
  bad_queue(pipeline, &camera, pixels);
  bad_times(pipeline, &camera, pixels);

  check("pipeline: NULL", BEVRT_STATUS_NULL_POINTER, bevrt_pipeline_reset(NULL));
  check("destroying NULL", BEVRT_STATUS_OK, bevrt_pipeline_destroy(NULL));
  check("an address as a handle", BEVRT_STATUS_INVALID_HANDLE,
        bevrt_pipeline_destroy((bevrt_pipeline_t *)(void *)&local));
  must("destroy", bevrt_pipeline_destroy(pipeline));
  check("destroying twice", BEVRT_STATUS_INVALID_HANDLE, bevrt_pipeline_destroy(pipeline));
  check("using what is destroyed", BEVRT_STATUS_INVALID_HANDLE, bevrt_pipeline_reset(pipeline));
  check("a log level of 9", BEVRT_STATUS_INVALID_ARGUMENT, bevrt_log_set_callback(NULL, NULL, 9));
  free(pixels);
  return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
