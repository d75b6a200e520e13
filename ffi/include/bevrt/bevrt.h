/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * bevrt: surround-camera frames to lanes, arrows, crosswalks, stop lines and 3D objects.
 *
 * Made from the library's source, do not edit. The contract (ownership, threads, timing, units,
 * frames, what happens on bad input) is in the README beside this header's folder.
 *
 * In short: every function returns a BEVRT_STATUS number, or says otherwise. Handles are keys that
 * are checked. Structs begin with struct_size: set it to sizeof, best through the _options_default
 * functions, and leave the fields that you do not know zero. Times are nanoseconds of one monotonic
 * clock of yours. The ego frame is ISO 8855: x forward, y left, z up, origin on the ground under the
 * rear axle. Any thread may call; calls on one handle follow each other.
 */

#ifndef BEVRT_H
#define BEVRT_H

#include <stdint.h>
#include <stddef.h>

/* ABI version: a change that old callers do not survive raises the first. */
#define BEVRT_ABI_MAJOR 0

/* ABI version: an addition raises the second. */
#define BEVRT_ABI_MINOR 2

/* pixel_format: a plane of Y and a plane of interleaved U, V at half the width and height. */
#define BEVRT_PIXEL_FORMAT_NV12 0

/* pixel_format: one plane of Y0 U Y1 V. */
#define BEVRT_PIXEL_FORMAT_YUYV 1

/* pixel_format: one plane of R, G, B bytes. */
#define BEVRT_PIXEL_FORMAT_RGB 2

/* pixel_format: one plane of B, G, R bytes. */
#define BEVRT_PIXEL_FORMAT_BGR 3

/* pixel_format: one plane of grey levels. */
#define BEVRT_PIXEL_FORMAT_GREY 4

/* colour_matrix: ITU-R BT.601. */
#define BEVRT_COLOUR_MATRIX_BT601 0

/* colour_matrix: ITU-R BT.709. */
#define BEVRT_COLOUR_MATRIX_BT709 1

/* colour_range: Y 16 to 235, U and V 16 to 240. */
#define BEVRT_COLOUR_RANGE_LIMITED 0

/* colour_range: 0 to 255. */
#define BEVRT_COLOUR_RANGE_FULL 1

/* memory_type: pointers that the CPU reads. The only one that is supported. */
#define BEVRT_MEMORY_HOST 0

/* memory_type: a Linux dma-buf; refused with BEVRT_STATUS_UNSUPPORTED. */
#define BEVRT_MEMORY_DMABUF 1

/* memory_type: CUDA device memory; refused with BEVRT_STATUS_UNSUPPORTED. */
#define BEVRT_MEMORY_CUDA 2

/* providers: the processor. */
#define BEVRT_PROVIDER_CPU 0

/* providers: an NVIDIA GPU. */
#define BEVRT_PROVIDER_CUDA 1

/* providers: an NVIDIA GPU through TensorRT; needs engine_cache_path. */
#define BEVRT_PROVIDER_TENSORRT 2

/* providers: the one of plugin_path. */
#define BEVRT_PROVIDER_PLUGIN 3
/* Entries of providers. */
#define BEVRT_MAX_PROVIDERS 4

/* ego_motion: poses in an odometry frame. */
#define BEVRT_EGO_MOTION_POSES 0

/* ego_motion: speed and yaw rate. */
#define BEVRT_EGO_MOTION_RATES 1

/* Boolean fields: no. */
#define BEVRT_OFF 0

/* Boolean fields: yes. */
#define BEVRT_ON 1

/* Stage of the statistics: conversion, crop and resize of all images of a set. */
#define BEVRT_STAGE_PREPROCESS 0

/* Stage: projection tables when they change, and alignment of the feature queue. */
#define BEVRT_STAGE_ALIGN 1

/* Stage: the engine's run. */
#define BEVRT_STAGE_NETWORK 2

/* Stage: storing the new map and decoding the heads. */
#define BEVRT_STAGE_DECODE 3

/* Stage: tracking. */
#define BEVRT_STAGE_TRACK 4

/* Stage: health, coverage and filling the frame. */
#define BEVRT_STAGE_PUBLISH 5

/* Stage: all of the above. */
#define BEVRT_STAGE_TOTAL 6

/* Stage: from the last image of the set to the frame, the reaction time. */
#define BEVRT_STAGE_FROM_LAST_IMAGE 7

/* class_ of objects: passenger car. */
#define BEVRT_OBJECT_CAR 0
#define BEVRT_OBJECT_VAN 1
#define BEVRT_OBJECT_TRUCK 2
#define BEVRT_OBJECT_BUS 3
#define BEVRT_OBJECT_MOTORCYCLE 4
#define BEVRT_OBJECT_CYCLIST 5
#define BEVRT_OBJECT_PEDESTRIAN 6
#define BEVRT_OBJECT_CONE 7

/* lane.marking: unbroken paint. */
#define BEVRT_MARKING_SOLID 0
#define BEVRT_MARKING_DASHED 1
#define BEVRT_MARKING_DOUBLE 2

/* lane.marking: the end of the road surface. */
#define BEVRT_MARKING_ROAD_EDGE 3
/* lane.colour. */
#define BEVRT_MARKING_WHITE 0
#define BEVRT_MARKING_YELLOW 1
/* Bits of arrow.directions. */
#define BEVRT_ARROW_STRAIGHT 1
#define BEVRT_ARROW_LEFT 2
#define BEVRT_ARROW_RIGHT 4
#define BEVRT_ARROW_U_TURN 8

/* health.state: everything that was asked for was there. */
#define BEVRT_HEALTH_OK 0

/* health.state: usable, with something missing: see the reasons. */
#define BEVRT_HEALTH_DEGRADED 1

/* health.state: not to be used. */
#define BEVRT_HEALTH_FAULT 2

/* Bits of health.reason_bits: a camera of the rig gave no image to this frame. */
#define BEVRT_REASON_CAMERA_MISSING 1
/* An image came after its set was closed. */
#define BEVRT_REASON_CAMERA_LATE 2
/* A camera shows the same picture again and again. */
#define BEVRT_REASON_CAMERA_FROZEN 4
/* Stamps of a camera repeat or run backwards. */
#define BEVRT_REASON_CAMERA_DISORDER 8

/* The reference camera is missing: the stamp of the frame is that of another camera. */
#define BEVRT_REASON_REFERENCE_MISSING 16
/* No camera gave an image (fault). */
#define BEVRT_REASON_NO_CAMERA 32
/* Motion at the stamp was extrapolated. */
#define BEVRT_REASON_EGO_MOTION_EXTRAPOLATED 64
/* Motion at the stamp is not known. */
#define BEVRT_REASON_EGO_MOTION_LOST 128
/* Poses jumped or rates were implausible; older history was given up. */
#define BEVRT_REASON_EGO_MOTION_JUMP 256
/* The queue has not been filled yet since start, reset, scene cut or a time without results. */
#define BEVRT_REASON_HISTORY_WARMING_UP 512
/* A filled slot could not be used. */
#define BEVRT_REASON_HISTORY_INVALID 1024
/* The set was closed by its deadline. */
#define BEVRT_REASON_SET_DEADLINE 2048
/* The frame was finished later than its deadline, judged by the caller's clock. */
#define BEVRT_REASON_FRAME_DEADLINE 4096
/* The network gave numbers that are not finite (fault); nothing was decoded. */
#define BEVRT_REASON_NOT_FINITE 8192
/* More elements were found than the frame can hold. */
#define BEVRT_REASON_FRAME_FULL 16384
/* Time ran backwards; everything was reset. */
#define BEVRT_REASON_TIME_REVERSED 32768
/* The engine failed at this frame (fault). */
#define BEVRT_REASON_ENGINE_FAILED 65536
/* A camera of the rig is switched off. */
#define BEVRT_REASON_CAMERA_DISABLED 131072
/* A camera's picture shows nothing. */
#define BEVRT_REASON_CAMERA_BLIND 262144
/* Speed and yaw rate of the moving vehicle do not change any more. */
#define BEVRT_REASON_EGO_MOTION_FROZEN 524288

/* camera.state: its image is in the frame. */
#define BEVRT_CAMERA_OK 0
/* No image came in time; the network saw grey and no taps into it. */
#define BEVRT_CAMERA_MISSING 1
/* The image came after its set was closed. */
#define BEVRT_CAMERA_LATE 2
/* The picture does not change any more. */
#define BEVRT_CAMERA_FROZEN 3
/* The stamp was seen before. */
#define BEVRT_CAMERA_REPEATED 4
/* The stamp is older than one that was seen before. */
#define BEVRT_CAMERA_OUT_OF_ORDER 5
/* The exposure is too far from that of the reference camera. */
#define BEVRT_CAMERA_OUT_OF_TOLERANCE 6
/* Switched off. */
#define BEVRT_CAMERA_DISABLED 7
/* The picture shows nothing but one tone (a covered lens, over-exposure) or noise. */
#define BEVRT_CAMERA_BLIND 8

/* health.ego_motion: known at the stamp. */
#define BEVRT_EGO_MOTION_OK 0
/* Extrapolated within the limit. */
#define BEVRT_EGO_MOTION_EXTRAPOLATED 1
/* Nothing has come yet. */
#define BEVRT_EGO_MOTION_ABSENT 2
/* The last data is too old. */
#define BEVRT_EGO_MOTION_STALE 3
/* There is a gap between the stamps in question. */
#define BEVRT_EGO_MOTION_GAP 4
/* The pose jumped. */
#define BEVRT_EGO_MOTION_JUMP 5
/* Speed or yaw rate beyond what a vehicle does. */
#define BEVRT_EGO_MOTION_IMPLAUSIBLE 6
/* Known at the stamp, but speed and yaw rate have been the very same for long. */
#define BEVRT_EGO_MOTION_FROZEN 7

/* slot.state: holds an aligned map. */
#define BEVRT_SLOT_VALID 0
/* No map near its time has been stored yet. */
#define BEVRT_SLOT_EMPTY 1
/* There is a map, but the motion since then is not known. */
#define BEVRT_SLOT_MOTION_UNKNOWN 2
/* Left empty on purpose. */
#define BEVRT_SLOT_DISABLED 3

/* coverage.state: nothing is known: an empty list says nothing about it. */
#define BEVRT_COVERAGE_UNSEEN 0
/* Seen earlier, remembered by the feature queue. */
#define BEVRT_COVERAGE_HISTORY 1
/* Seen by a camera of this frame. */
#define BEVRT_COVERAGE_SEEN_NOW 2

/* Layout version: a change of an existing offset raises it. */
#define BEVRT_FRAME_ABI_MAJOR 1

/* Layout version: an array appended at the end raises it. */
#define BEVRT_FRAME_ABI_MINOR 0
/* Most objects that one frame can hold. */
#define BEVRT_MAX_OBJECTS 128
/* Most lanes (painted lines and road edges) that one frame can hold. */
#define BEVRT_MAX_LANES 64
/* Most points of one lane. */
#define BEVRT_MAX_LANE_POINTS 48
/* Most arrows that one frame can hold. */
#define BEVRT_MAX_ARROWS 32
/* Most crosswalks that one frame can hold. */
#define BEVRT_MAX_CROSSWALKS 16
/* Most corners of one crosswalk. */
#define BEVRT_MAX_CROSSWALK_POINTS 8
/* Most stop lines that one frame can hold. */
#define BEVRT_MAX_STOP_LINES 16
/* Most points of one stop line. */
#define BEVRT_MAX_STOP_LINE_POINTS 8
/* Most cameras of a rig. */
#define BEVRT_MAX_CAMERAS 16
/* Most slots of a feature queue. */
#define BEVRT_MAX_SLOTS 8
/* Sectors of the coverage ring, each 5 degrees wide. */
#define BEVRT_COVERAGE_SECTORS 72
/* bevrt_lane_t.ego_relation of a line that is no border of a lane beside us. */
#define BEVRT_LANE_RELATION_UNKNOWN 0

/* The result of a call, as it crosses the C ABI. */
typedef enum {
  /* It was done. */
  BEVRT_STATUS_OK = 0,
  /* Nothing is due: no frame yet. Not an error. */
  BEVRT_STATUS_WAITING = 1,
  /* A pointer that must not be NULL is NULL. */
  BEVRT_STATUS_NULL_POINTER = 2,
  /* A pointer is not aligned for what it points to. */
  BEVRT_STATUS_MISALIGNED = 3,
  /* A number is none of those that are allowed. */
  BEVRT_STATUS_INVALID_ARGUMENT = 4,
  /* The handle was never given out, or is destroyed. */
  BEVRT_STATUS_INVALID_HANDLE = 5,
  /* struct_size or a buffer is smaller than in the first version, or holds unknown options. */
  BEVRT_STATUS_STRUCT_SIZE = 6,
  /* What was asked for is not built in. */
  BEVRT_STATUS_UNSUPPORTED = 7,
  /* The call panicked: a bug of ours. The handle can only be destroyed. */
  BEVRT_STATUS_PANIC = 8,
  /* An earlier call panicked. The handle can only be destroyed. */
  BEVRT_STATUS_POISONED = 9,
  /* Not from inside a callback. */
  BEVRT_STATUS_IN_CALLBACK = 10,
  /* The pipeline belongs to a worker, which must be used or destroyed first. */
  BEVRT_STATUS_WORKER_ATTACHED = 11,
  /* A frame is borrowed and must be returned first. */
  BEVRT_STATUS_FRAME_BORROWED = 12,
  /* The frame is none that is borrowed. */
  BEVRT_STATUS_NOT_BORROWED = 13,
  /* The worker's queue is full; nothing was taken. */
  BEVRT_STATUS_QUEUE_FULL = 14,
  /* The worker was destroyed before it came to this image. */
  BEVRT_STATUS_CANCELLED = 15,
  /* The process has no more handles of this kind. */
  BEVRT_STATUS_TOO_MANY_HANDLES = 16,
  /* The model package is wrong, damaged or not there. */
  BEVRT_STATUS_PACKAGE = 32,
  /* A rig or calibration is wrong. */
  BEVRT_STATUS_CALIBRATION = 33,
  /* ONNX Runtime is not there, or refuses the network or the provider. */
  BEVRT_STATUS_ENGINE_LOAD = 34,
  /* The golden cases of the package fail on this machine. */
  BEVRT_STATUS_GOLDEN = 35,
  /* An option cannot be. */
  BEVRT_STATUS_OPTION = 36,
  /* The package must be signed, and has no signature, or none that can be read. */
  BEVRT_STATUS_SIGNATURE_MISSING = 37,
  /* The package was changed after it was signed. */
  BEVRT_STATUS_SIGNATURE_WRONG = 38,
  /* The package is signed by a key that is not trusted. */
  BEVRT_STATUS_SIGNATURE_UNKNOWN_KEY = 39,
  /* The image has not the size of its camera. */
  BEVRT_STATUS_IMAGE_SIZE = 64,
  /* The pixel format was not asked for at creation. */
  BEVRT_STATUS_IMAGE_FORMAT = 65,
  /* Planes or strides do not hold the image. */
  BEVRT_STATUS_IMAGE_LAYOUT = 66,
  /* The rig has no such camera. */
  BEVRT_STATUS_UNKNOWN_CAMERA = 67,
  /* The camera is switched off. */
  BEVRT_STATUS_CAMERA_DISABLED = 68,
  /* The camera gave this stamp before. */
  BEVRT_STATUS_IMAGE_REPEATED = 69,
  /* The camera gave a later stamp before. */
  BEVRT_STATUS_IMAGE_OUT_OF_ORDER = 70,
  /* The camera gave the same picture with another stamp. */
  BEVRT_STATUS_IMAGE_FROZEN = 71,
  /* The frame of this image is already made. */
  BEVRT_STATUS_IMAGE_LATE = 72,
  /* The stamp is too far from those of the other cameras, or after its arrival. */
  BEVRT_STATUS_IMAGE_OUT_OF_TOLERANCE = 73,
  /* Two older frames are waiting: step, then push it again. */
  BEVRT_STATUS_IMAGE_OVERRUN = 74,
  /* The picture shows nothing: one tone or nothing but noise. */
  BEVRT_STATUS_IMAGE_BLIND = 75,
  /* The ego motion is not a finite number. */
  BEVRT_STATUS_MOTION_NOT_FINITE = 96,
  /* The ego motion is beyond what the vehicle does. */
  BEVRT_STATUS_MOTION_IMPLAUSIBLE = 97,
  /* The ego motion is not later than the one before. */
  BEVRT_STATUS_MOTION_BACKWARDS = 98,
  /* The pipeline takes the other kind of ego motion. */
  BEVRT_STATUS_MOTION_SOURCE = 99,
  /* The ego motion was refused for another reason; the next frame's health tells it. */
  BEVRT_STATUS_MOTION_REFUSED = 100,
  /* The engine failed, or lacks a tensor. */
  BEVRT_STATUS_ENGINE = 128,
} bevrt_status;

/* A pipeline. The pointer is a key, not an address: a wrong one is refused. */
typedef struct bevrt_pipeline_t bevrt_pipeline_t;

/* A worker. The pointer is a key, not an address: a wrong one is refused. */
typedef struct bevrt_worker_t bevrt_worker_t;

/* Is given each message of the log: its level (1 error, 2 warning, 3 info, 4 debug, 5 trace), where
 * it comes from, and its text. Called on the thread that has something to say. Inside of it no
 * pipeline can be used.
 */
typedef void (*bevrt_log_fn)(void *user_data, int32_t level, const char *target, const char *message);

/* Options of a pipeline. Fill it by bevrt_pipeline_options_default, then change what differs.
 *
 * Texts are read during the call alone and end with a zero byte. Paths are bytes, as the system
 * takes them.
 */
typedef struct {
  /* Size of this struct at the caller, in bytes. */
  uint32_t struct_size;
  /* Valid entries of providers, at least 1. */
  uint32_t provider_count;
  /* Folder of the model package. Must be given. */
  const char *package_path;
  /* Rig file (TOML), or NULL when rig_text is given. */
  const char *rig_path;
  /* Rig as TOML text, or NULL when rig_path is given. */
  const char *rig_text;
  /* ONNX Runtime library, or NULL: then it is looked for, see README. */
  const char *onnxruntime_path;
  /* Number format, such as "fp32" or "int8-cpu"; NULL takes the first network that fits. */
  const char *precision;
  /* Folder of TensorRT engines that were built ahead; NULL without TensorRT. */
  const char *engine_cache_path;
  /* BEVRT_PROVIDER_*, in the order in which they are tried. */
  int32_t providers[BEVRT_MAX_PROVIDERS];
  /* Number of the GPU for CUDA and TensorRT. */
  int32_t device;
  /* Whether TensorRT may use 16 bit. */
  int32_t tensorrt_fp16;
  /* Whether the next provider is tried when one does not work; if not, creation fails. */
  int32_t has_fallback;
  /* Threads within an operator, the stepping thread included, 1 to 256; 0 takes all cores. */
  uint32_t intra_op_threads;
  /* Whether waiting threads of the engine spin: faster, for fully used cores. */
  int32_t has_spinning;
  /* Runs of the network before creation returns, at most 1000. */
  uint32_t warm_up_runs;
  /* BEVRT_EGO_MOTION_POSES or BEVRT_EGO_MOTION_RATES: what will be pushed. */
  int32_t ego_motion;
  /* Whether a picture with the same content as the one before is refused. Off for pictures
   * without noise, such as drawn ones.
   */
  int32_t has_frozen_check;
  /* Whether the golden cases of the package run at creation. */
  int32_t has_golden_check;
  /* Whether projections follow the exposure skew between cameras, from
   * stamp_correction_from_ns on.
   */
  int32_t has_stamp_correction;
  /* Least skew that is corrected. */
  int64_t stamp_correction_from_ns;
  /* Exposures further than this from the reference camera's are not in its frame. */
  int64_t set_tolerance_ns;
  /* A set is closed at the latest this long after the arrival of its first image. */
  int64_t set_deadline_ns;
  /* A frame older than this at its step has missed its deadline. */
  int64_t frame_deadline_ns;
  /* Public keys, as bevrt sign prints them, with spaces or line ends between: the package must
   * be signed by one of them. NULL takes any package. It and what
   * follows: since ABI 0.2.
   */
  const char *trusted_keys;
  /* Cores of the engine's pool, such as "2,4-5": each of its threads is kept on one of them, in
   * turn. NULL leaves them where the creating thread may run.
   */
  const char *pool_cores;
  /* Folder of TensorRT's timing cache, or NULL. */
  const char *timing_cache_path;
  /* Library of the provider BEVRT_PROVIDER_PLUGIN; NULL without one. */
  const char *plugin_path;
  /* Name of that provider, such as "QNNExecutionProvider". */
  const char *plugin_name;
  /* Its options as "key=value;key=value", or NULL. */
  const char *plugin_options;
  /* Most memory of the CUDA provider's arena; 0 for no limit. */
  uint64_t cuda_memory_limit_bytes;
  /* Most scratch memory of a layer in TensorRT; 0 for its default. */
  uint64_t tensorrt_workspace_bytes;
  /* Real-time priority (SCHED_FIFO) of the pool's threads, 1 to 99; 0 for that of the creating
   * thread.
   */
  uint32_t pool_priority;
  /* Whether TensorRT may use 8 bit, as the network's quantisation says. */
  int32_t tensorrt_int8;
  /* Whether TensorRT gives what it can to the deep-learning accelerator dla_core. */
  int32_t has_dla;
  /* Number of the deep-learning accelerator. */
  uint32_t dla_core;
  /* Whether CUDA and TensorRT replay a captured graph. */
  int32_t has_cuda_graphs;
  /* Whether CUDA may compute products of 32-bit numbers in TF32. */
  int32_t has_tf32;
} bevrt_pipeline_options_t;

/* One plane of an image. */
typedef struct {
  /* The first row. */
  const uint8_t *data;
  /* Readable bytes from data on. */
  uint64_t size_bytes;
  /* Bytes from the start of a row to the start of the next. */
  uint64_t stride_bytes;
} bevrt_image_plane_t;

/* An image of a camera. Its planes stay the caller's. */
typedef struct {
  /* Size of this struct at the caller, in bytes. */
  uint32_t struct_size;
  /* Index of the camera in the rig. */
  uint32_t camera;
  /* BEVRT_PIXEL_FORMAT_*. */
  int32_t pixel_format;
  /* BEVRT_COLOUR_MATRIX_*; formats without chroma do not use it. */
  int32_t colour_matrix;
  /* BEVRT_COLOUR_RANGE_*; formats without chroma do not use it. */
  int32_t colour_range;
  /* BEVRT_MEMORY_*. */
  int32_t memory_type;
  /* Width, that of the camera in the rig. */
  uint32_t width_px;
  /* Height, that of the camera in the rig. */
  uint32_t height_px;
  /* Valid entries of planes: 2 for NV12, else 1. */
  uint32_t plane_count;
  /* Zero. */
  uint32_t reserved;
  /* The planes. The last row of a plane may end at its last pixel. */
  bevrt_image_plane_t planes[2];
  /* Middle of the exposure. */
  int64_t stamp_ns;
  /* When the image reached the caller, by the same clock. */
  int64_t arrival_ns;
} bevrt_image_t;

/* A pose of the vehicle in an odometry frame. */
typedef struct {
  /* Size of this struct at the caller, in bytes. */
  uint32_t struct_size;
  /* Zero. */
  uint32_t reserved;
  /* When the pose was true. */
  int64_t stamp_ns;
  /* When it reached the caller; a worker steps at it. */
  int64_t arrival_ns;
  /* Ego origin in the odometry frame, metres. */
  double translation_m[3];
  /* Rotation from ego to odometry axes: w, x, y, z, of unit length to 1e-4. */
  double quaternion_wxyz[4];
} bevrt_ego_pose_t;

/* Speed and yaw rate of the vehicle, as a CAN bus carries them. */
typedef struct {
  /* Size of this struct at the caller, in bytes. */
  uint32_t struct_size;
  /* Zero. */
  uint32_t reserved;
  /* When the values were true. */
  int64_t stamp_ns;
  /* When they reached the caller; a worker steps at it. */
  int64_t arrival_ns;
  /* Speed of the ego origin, backwards negative. */
  double speed_mps;
  /* Yaw rate, to the left positive. */
  double yaw_rate_radps;
} bevrt_ego_rates_t;

/* What a camera gave to a frame. */
typedef struct {
  /* Exposure mid-point of its last image; 0 when there was none. */
  int64_t stamp_ns;
  /* Caller's clock minus that stamp; 0 when there was none. */
  int64_t age_ns;
  /* Its exposure minus the stamp of the frame; 0 unless its image is in the frame. Beyond
   * +/-2.1 s it is clamped.
   */
  int32_t skew_ns;
  /* BEVRT_CAMERA_*. */
  uint8_t state;
  /* Zero. */
  uint8_t reserved[3];
} bevrt_camera_status_t;

/* What a queue slot gave to a frame. */
typedef struct {
  /* Time from its map to the stamp of the frame; 0 when empty. */
  int64_t age_ns;
  /* Time that the slot stands for: k strides. */
  int64_t nominal_age_ns;
  /* BEVRT_SLOT_*. */
  uint8_t state;
  /* Zero. */
  uint8_t reserved[7];
} bevrt_slot_status_t;

/* How far a frame can be trusted, and why. */
typedef struct {
  /* BEVRT_REASON_* as bits. */
  uint64_t reason_bits;
  /* Caller's clock minus stamp of the frame. */
  int64_t frame_age_ns;
  /* Stamp of the frame minus the stamp of the newest ego motion: negative when that is newer,
   * 0 when there is none.
   */
  int64_t ego_motion_age_ns;
  /* Frames since creation or reset that were finished after their deadline. */
  uint32_t deadline_misses;
  /* Times that the history was given up since creation or reset. */
  uint32_t history_resets;
  /* BEVRT_HEALTH_*. */
  uint8_t state;
  /* BEVRT_EGO_MOTION_*. */
  uint8_t ego_motion;
  /* Cameras of the rig. */
  uint8_t camera_count;
  /* Slots of the feature queue. */
  uint8_t slot_count;
  /* Index of the camera whose stamp is the stamp of the frame. */
  uint8_t reference_camera;
  /* Zero. */
  uint8_t reserved[3];
  /* One entry for each camera; those below the count are valid. */
  bevrt_camera_status_t camera_entries[BEVRT_MAX_CAMERAS];
  /* One entry for each slot; those below the count are valid. */
  bevrt_slot_status_t slot_entries[BEVRT_MAX_SLOTS];
} bevrt_health_t;

/* A road user or a cone, as an upright box. */
typedef struct {
  /* Time since the track began, up to the stamp of the frame. */
  int64_t age_ns;
  /* Time since the network last saw it; 0 unless coasting. */
  int64_t coasting_ns;
  /* Stable identity, never 0. */
  uint32_t id;
  /* BEVRT_OBJECT_*. */
  uint8_t class_;
  /* 1 while the object is hidden and its state extrapolated, else 0. */
  uint8_t is_coasting;
  /* Zero. */
  uint8_t reserved[2];
  /* Centre of the box. */
  float x_m;
  /* Centre of the box. */
  float y_m;
  /* Centre of the box. */
  float z_m;
  /* Extent along the heading. */
  float length_m;
  /* Extent across the heading. */
  float width_m;
  /* Vertical extent. */
  float height_m;
  /* Heading, counter-clockwise from ego +x. */
  float yaw_rad;
  /* Velocity over ground along ego x. */
  float vx_mps;
  /* Velocity over ground along ego y. */
  float vy_mps;
  /* Turning rate over ground, counter-clockwise positive. */
  float yaw_rate_radps;
  /* Standard deviation of x_m. */
  float sigma_x_m;
  /* Standard deviation of y_m. */
  float sigma_y_m;
  /* Standard deviation of yaw_rad. */
  float sigma_yaw_rad;
  /* Standard deviation of vx_mps. */
  float sigma_vx_mps;
  /* Standard deviation of vy_mps. */
  float sigma_vy_mps;
  /* Standard deviation of length, width and height as a part of each (of their logarithms). */
  float sigma_size_ratio;
  /* In [0, 1]. */
  float confidence;
  /* Zero. */
  uint32_t reserved_end;
} bevrt_object_t;

/* A point in the ego frame. */
typedef struct {
  /* Forward. */
  float x_m;
  /* Left. */
  float y_m;
  /* Up. */
  float z_m;
} bevrt_point_t;

/* One painted line or road edge, cut at junctions, changes of type and the range border. */
typedef struct {
  /* Time since the track began, up to the stamp of the frame. */
  int64_t age_ns;
  /* Stable identity, never 0. */
  uint32_t id;
  /* BEVRT_MARKING_*. */
  uint8_t marking;
  /* BEVRT_MARKING_*; white for road edges. */
  uint8_t colour;
  /* Valid entries of point_entries. */
  uint8_t point_count;
  /* 1 while nothing of the line is seen and all of it is remembered, else 0. */
  uint8_t is_coasting;
  /* Order of the line beside us: +1 the next line to the left, +2 the one beyond, -1 the next
   * to the right; BEVRT_LANE_RELATION_UNKNOWN where the line does not pass us.
   */
  int8_t ego_relation;
  /* Zero. */
  uint8_t reserved[3];
  /* In [0, 1]. */
  float confidence;
  /* Standard deviation across the line. */
  float sigma_lateral_m;
  /* Zero. */
  uint32_t reserved_end;
  /* Points along the line; those below the count are valid. */
  bevrt_point_t point_entries[BEVRT_MAX_LANE_POINTS];
} bevrt_lane_t;

/* An arrow painted on the road. */
typedef struct {
  /* Identity, or 0 where arrows are not tracked. */
  uint32_t id;
  /* ArrowDirections: straight 1, left 2, right 4, u-turn 8. */
  uint8_t directions;
  /* 1 while the arrow is not seen and remembered, else 0. */
  uint8_t is_coasting;
  /* Zero. */
  uint8_t reserved[2];
  /* Centre. */
  float x_m;
  /* Centre. */
  float y_m;
  /* Centre. */
  float z_m;
  /* Direction of its shaft, counter-clockwise from ego +x. */
  float yaw_rad;
  /* Standard deviation of the centre, in each direction. */
  float sigma_position_m;
  /* In [0, 1]. */
  float confidence;
} bevrt_arrow_t;

/* A crosswalk, as a polygon. */
typedef struct {
  /* Identity, or 0 where crosswalks are not tracked. */
  uint32_t id;
  /* Valid entries of point_entries. */
  uint8_t point_count;
  /* 1 while the crosswalk is not seen and remembered, else 0. */
  uint8_t is_coasting;
  /* Zero. */
  uint8_t reserved[2];
  /* Walking direction across the road, in (-pi/2, pi/2]: it has period pi. */
  float theta_rad;
  /* Standard deviation of the centre, in each direction. */
  float sigma_position_m;
  /* In [0, 1]. */
  float confidence;
  /* Zero. */
  uint32_t reserved_end;
  /* Corners, counter-clockwise from above; those below the count are valid. */
  bevrt_point_t point_entries[BEVRT_MAX_CROSSWALK_POINTS];
} bevrt_crosswalk_t;

/* A stop line, as a polyline along its middle. */
typedef struct {
  /* Identity, or 0 where stop lines are not tracked. */
  uint32_t id;
  /* Valid entries of point_entries. */
  uint8_t point_count;
  /* 1 while the stop line is not seen and remembered, else 0. */
  uint8_t is_coasting;
  /* Zero. */
  uint8_t reserved[2];
  /* Standard deviation of the centre, in each direction. */
  float sigma_position_m;
  /* In [0, 1]. */
  float confidence;
  /* Points along the line; those below the count are valid. */
  bevrt_point_t point_entries[BEVRT_MAX_STOP_LINE_POINTS];
} bevrt_stop_line_t;

/* What is known about one direction around the vehicle. */
typedef struct {
  /* Age of the history that range_m rests on; 0 when seen now or unseen. */
  int64_t age_ns;
  /* How far from the ego origin the sector is covered; 0 when unseen. */
  float range_m;
  /* BEVRT_COVERAGE_*. */
  uint8_t state;
  /* Zero. */
  uint8_t reserved[3];
} bevrt_sector_coverage_t;

/* Everything that one step has to say: a fixed-size struct of plain old data without padding.
 *
 * The same bytes go through the C ABI, shared memory and logs. They follow from the inputs and
 * the passed-in clock alone, so a replay gives the same bytes; entries beyond a count are zero.
 * Positions, yaw angles and velocities are in the ego frame at stamp_ns (ISO 8855: x forward,
 * y left, z up, origin on the ground under the rear axle); yaw is counter-clockwise from +x,
 * in (-pi, pi]. Kinds are integers: compare them with the constants.
 */
typedef struct {
  /* BEVRT_FRAME_ABI_MAJOR of the writer. */
  uint16_t abi_major;
  /* BEVRT_FRAME_ABI_MINOR of the writer. */
  uint16_t abi_minor;
  /* Size of this struct at the writer, in bytes. */
  uint32_t frame_size_bytes;
  /* Counts the frames of this pipeline since its creation or reset, from 0. */
  uint64_t sequence;
  /* Exposure mid-point of the reference camera: the moment that the frame describes. */
  int64_t stamp_ns;
  /* The caller's clock at the step that made the frame. */
  int64_t now_ns;
  /* How far the frame can be trusted, and why. */
  bevrt_health_t health;
  /* Valid entries of object_entries. */
  uint32_t object_count;
  /* Valid entries of lane_entries. */
  uint32_t lane_count;
  /* Valid entries of arrow_entries. */
  uint32_t arrow_count;
  /* Valid entries of crosswalk_entries. */
  uint32_t crosswalk_count;
  /* Valid entries of stop_line_entries. */
  uint32_t stop_line_count;
  /* Zero. */
  uint32_t reserved;
  /* Objects; those below the count are valid. */
  bevrt_object_t object_entries[BEVRT_MAX_OBJECTS];
  /* Lanes; those below the count are valid. */
  bevrt_lane_t lane_entries[BEVRT_MAX_LANES];
  /* Arrows; those below the count are valid. */
  bevrt_arrow_t arrow_entries[BEVRT_MAX_ARROWS];
  /* Crosswalks; those below the count are valid. */
  bevrt_crosswalk_t crosswalk_entries[BEVRT_MAX_CROSSWALKS];
  /* Stop lines; those below the count are valid. */
  bevrt_stop_line_t stop_line_entries[BEVRT_MAX_STOP_LINES];
  /* What was looked at: sector k covers bearings from k*5 degrees to (k+1)*5 degrees,
   * counter-clockwise from straight ahead, around the ego origin.
   */
  bevrt_sector_coverage_t coverage[BEVRT_COVERAGE_SECTORS];
} bevrt_frame_t;

/* A calibration: exactly one of both fields. */
typedef struct {
  /* Size of this struct at the caller, in bytes. */
  uint32_t struct_size;
  /* Zero. */
  uint32_t reserved;
  /* Rig file (TOML), or NULL. */
  const char *rig_path;
  /* Rig as TOML text, or NULL. */
  const char *rig_text;
} bevrt_calibration_t;

/* Measured times of a stage since creation or bevrt_pipeline_reset_statistics. */
typedef struct {
  /* Size of this struct as it was written, in bytes. */
  uint32_t struct_size;
  /* BEVRT_STAGE_*. */
  int32_t stage;
  /* Frames that were measured. */
  uint64_t count;
  /* Time of the last frame. */
  int64_t last_ns;
  /* Shortest time. */
  int64_t min_ns;
  /* Mean time. */
  int64_t mean_ns;
  /* Median; percentiles are exact to 1/64. */
  int64_t p50_ns;
  /* 90th percentile. */
  int64_t p90_ns;
  /* 99th percentile. */
  int64_t p99_ns;
  /* 99.9th percentile; means little below 1000 frames. */
  int64_t p999_ns;
  /* Longest time. */
  int64_t max_ns;
} bevrt_stage_statistics_t;

/* What a pipeline is made of. */
typedef struct {
  /* Size of this struct as it was written, in bytes. */
  uint32_t struct_size;
  /* Cameras of the rig. */
  uint32_t camera_count;
  /* Index of the camera whose stamp is that of the frames. */
  uint32_t reference_camera;
  /* Slots of the feature queue. */
  uint32_t slot_count;
  /* Name of the model package. */
  char package_name[64];
  /* Version of the model package. */
  char package_version[32];
  /* What it was trained on. */
  char world[32];
  /* Execution provider that runs the network, such as "cpu" or "cuda:0". */
  char provider[32];
} bevrt_pipeline_info_t;

/* A camera of the rig. */
typedef struct {
  /* Size of this struct as it was written, in bytes. */
  uint32_t struct_size;
  /* Index in the rig. */
  uint32_t camera;
  /* Width of the images that it must deliver. */
  uint32_t width_px;
  /* Height of the images that it must deliver. */
  uint32_t height_px;
  /* Name in the rig. */
  char name[64];
} bevrt_camera_info_t;

/* Is given each frame on the worker's thread, valid during the call. With a status other than OK the
 * frame is NULL: a step failed.
 */
typedef void (*bevrt_frame_fn)(void *user_data, int32_t status, const bevrt_frame_t *frame);

/* Tells the time, by the clock of the stamps, in nanoseconds. Called on the worker's thread before
 * each step.
 */
typedef int64_t (*bevrt_clock_fn)(void *user_data);

/* Options of a worker. Fill it by bevrt_worker_options_default. */
typedef struct {
  /* Size of this struct at the caller, in bytes. */
  uint32_t struct_size;
  /* Items that may wait, 1 to 4096. */
  uint32_t queue_capacity;
  /* Is given each frame; NULL leaves it to bevrt_worker_poll alone. */
  bevrt_frame_fn frame_callback;
  /* Given to frame_callback. */
  void *frame_user_data;
  /* Tells the time of a step. NULL steps at the arrival of each item, so the same items give the
   * same frames.
   */
  bevrt_clock_fn clock_callback;
  /* Given to clock_callback. */
  void *clock_user_data;
  /* Cores that the worker's thread may run on, such as "2,4-5"; NULL for those of the creating
   * thread. It and what follows: since ABI 0.2.
   */
  const char *worker_cores;
  /* Cores of the network's thread, likewise. */
  const char *network_cores;
  /* Real-time priority (SCHED_FIFO) of the worker's thread, 1 to 99; 0 for that of the creating
   * thread.
   */
  uint32_t worker_priority;
  /* Priority of the network's thread, likewise. */
  uint32_t network_priority;
  /* Whether the network runs on a thread of its own, bevrt-network, so that images of the next
   * set are preprocessed and given back meanwhile. The frames are the same, byte by byte.
   */
  int32_t has_overlap;
  /* Zero. */
  uint32_t reserved;
} bevrt_worker_options_t;

/* Tells the caller that an image is its own again, and what became of it: OK, a status of images, or
 * CANCELLED. Called exactly once for each image that was taken, on the worker's thread, or on the
 * thread that destroys the worker.
 */
typedef void (*bevrt_release_fn)(void *user_data, int32_t status);

/* What came to a worker and what became of it. */
typedef struct {
  /* Size of this struct as it was written, in bytes. */
  uint32_t struct_size;
  /* Items in the queue now. */
  uint32_t queued;
  /* Frames that were made. */
  uint64_t frames;
  /* Frames that were replaced by a newer one before anybody polled them. */
  uint64_t frames_replaced;
  /* Images that were queued and then refused; their release callbacks told why. */
  uint64_t images_refused;
  /* Samples of ego motion that were queued and then refused. */
  uint64_t motion_refused;
  /* Items that found the queue full. */
  uint64_t queue_full;
} bevrt_worker_counts_t;





#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/* The ABI that the library has: major << 16 | minor. A caller works with it when the major number
 * is that of its header, and the minor one at least that of its header.
 */
uint32_t bevrt_abi_version(void);

/* Version of the library, such as "0.1.0". Never freed. */
const char *bevrt_version_str(void);

/* What a status means, in a few words; "unknown status" for another number. Never freed. */
const char *bevrt_status_str(int32_t status);

/* Copies the text of this thread's last failed call, cut to text_size with its zero byte, and
 * returns the length of all of it. Such as: rig.toml: camera "front": fx_px: expected a positive
 * finite number, found -3.
 *
 * The caller vouches:
 * text is NULL (then only the length is returned) or points to text_size writable bytes.
 */
size_t bevrt_error_text(char *text, size_t text_size);

/* Sets who is given the log of this process, or nobody (NULL). Messages above level are left out.
 * When it returns, the callback before is not running any more and will not be called again.
 *
 * Status: OK, INVALID_ARGUMENT, IN_CALLBACK; UNSUPPORTED when a Rust program has its own logger.
 *
 * The caller vouches:
 * callback and user_data may be used from any thread until another callback is set.
 */
int32_t bevrt_log_set_callback(bevrt_log_fn callback, void *user_data, int32_t level);

/* Fills options with the defaults; writes no more than options_size bytes.
 *
 * Status: OK, NULL_POINTER, MISALIGNED, STRUCT_SIZE.
 *
 * The caller vouches:
 * options is NULL or points to options_size writable bytes.
 */
int32_t bevrt_pipeline_options_default(bevrt_pipeline_options_t *options, size_t options_size);

/* Opens a model package and makes a pipeline: loads the network, checks all of it, runs the golden
 * cases, warms up. Takes seconds. Destroy it with bevrt_pipeline_destroy.
 *
 * Status: OK, PACKAGE, SIGNATURE_MISSING, SIGNATURE_WRONG, SIGNATURE_UNKNOWN_KEY, CALIBRATION,
 * ENGINE_LOAD, GOLDEN, OPTION, INVALID_ARGUMENT, NULL_POINTER, STRUCT_SIZE, MISALIGNED,
 * TOO_MANY_HANDLES, IN_CALLBACK. bevrt_error_text names file, field,
 * what was expected and what was found. On failure pipeline is untouched.
 *
 * The caller vouches:
 * options is NULL or points to struct_size readable bytes whose texts end with zero;
 * pipeline is NULL or points to a writable pointer.
 */
int32_t bevrt_pipeline_create(const bevrt_pipeline_options_t *options, bevrt_pipeline_t **pipeline);

/* Destroys a pipeline. NULL is nothing to do. Waits for a call on it that is under way.
 *
 * Status: OK; INVALID_HANDLE when it is destroyed already; WORKER_ATTACHED, FRAME_BORROWED,
 * IN_CALLBACK: then it lives on.
 */
int32_t bevrt_pipeline_destroy(bevrt_pipeline_t *pipeline);

/* Takes an image. It is converted, cropped and scaled into the network's input at once: the caller
 * has its memory back when this returns.
 *
 * Status: OK; IMAGE_* and UNKNOWN_CAMERA, CAMERA_DISABLED: the image is in no frame, the next
 * frame's health tells it, too; UNSUPPORTED (memory type), INVALID_ARGUMENT, NULL_POINTER,
 * STRUCT_SIZE, MISALIGNED; WORKER_ATTACHED, IN_CALLBACK, INVALID_HANDLE, POISONED.
 *
 * The caller vouches:
 * image is NULL or points to struct_size readable bytes; its planes are readable for their
 * sizes and are not written during the call.
 */
int32_t bevrt_pipeline_push_image(bevrt_pipeline_t *pipeline, const bevrt_image_t *image);

/* Takes a pose of the vehicle, for a pipeline made for BEVRT_EGO_MOTION_POSES.
 *
 * Status: OK; MOTION_*: what is known stays as it was; INVALID_ARGUMENT (no unit quaternion),
 * NULL_POINTER, STRUCT_SIZE, MISALIGNED; WORKER_ATTACHED, IN_CALLBACK, INVALID_HANDLE, POISONED.
 *
 * The caller vouches:
 * pose is NULL or points to struct_size readable bytes.
 */
int32_t bevrt_pipeline_push_pose(bevrt_pipeline_t *pipeline, const bevrt_ego_pose_t *pose);

/* Takes speed and yaw rate, for a pipeline made for BEVRT_EGO_MOTION_RATES.
 *
 * Status: as bevrt_pipeline_push_pose.
 *
 * The caller vouches:
 * rates is NULL or points to struct_size readable bytes.
 */
int32_t bevrt_pipeline_push_rates(bevrt_pipeline_t *pipeline, const bevrt_ego_rates_t *rates);

/* Makes the next frame if one is due at now_ns, and copies it into frame. Call it until it
 * says WAITING: more than one can be due.
 *
 * Writes no more than frame_size bytes; the frame states its own size, that of the caller's
 * header or of the library's, whichever is smaller.
 *
 * Status: OK; WAITING: frame is untouched; STRUCT_SIZE, NULL_POINTER, MISALIGNED;
 * FRAME_BORROWED, WORKER_ATTACHED, IN_CALLBACK, INVALID_HANDLE, POISONED; ENGINE.
 *
 * The caller vouches:
 * frame is NULL or points to frame_size writable bytes.
 */
int32_t bevrt_pipeline_step(bevrt_pipeline_t *pipeline,
                            int64_t now_ns,
                            bevrt_frame_t *frame,
                            size_t frame_size);

/* As bevrt_pipeline_step, without a copy: frame points into the pipeline until it is given back
 * by bevrt_pipeline_return_frame. Until then the pipeline takes images and motion, but neither
 * steps nor can be destroyed.
 *
 * Status: as bevrt_pipeline_step.
 *
 * The caller vouches:
 * frame is NULL or points to a writable pointer.
 */
int32_t bevrt_pipeline_step_borrow(bevrt_pipeline_t *pipeline,
                                   int64_t now_ns,
                                   const bevrt_frame_t **frame);

/* Gives a borrowed frame back; it must not be read any more.
 *
 * Status: OK, NOT_BORROWED, IN_CALLBACK, INVALID_HANDLE, POISONED.
 */
int32_t bevrt_pipeline_return_frame(bevrt_pipeline_t *pipeline, const bevrt_frame_t *frame);

/* Takes a new calibration of the same cameras, in force from the next frame on. History stays.
 * Works beside a worker, too. Allocates: not for every frame.
 *
 * Status: OK, CALIBRATION, OPTION: the old one stays in force; NULL_POINTER, INVALID_ARGUMENT,
 * STRUCT_SIZE, MISALIGNED; IN_CALLBACK, INVALID_HANDLE, POISONED.
 *
 * The caller vouches:
 * calibration is NULL or points to struct_size readable bytes whose texts end with zero.
 */
int32_t bevrt_pipeline_set_calibration(bevrt_pipeline_t *pipeline,
                                       const bevrt_calibration_t *calibration);

/* Leaves a camera out (0) or takes it in again (1), from the next frame on.
 *
 * Status: OK, UNKNOWN_CAMERA, INVALID_ARGUMENT, IN_CALLBACK, INVALID_HANDLE, POISONED.
 */
int32_t bevrt_pipeline_set_camera_enabled(bevrt_pipeline_t *pipeline,
                                          uint32_t camera,
                                          int32_t is_enabled);

/* Forgets images, motion, history, tracks and counts, as before a seek in a log. Disabled cameras
 * and measured times stay.
 *
 * Status: OK, IN_CALLBACK, INVALID_HANDLE, POISONED.
 */
int32_t bevrt_pipeline_reset(bevrt_pipeline_t *pipeline);

/* Copies the health of the last frame; all zero before the first.
 *
 * Status: OK, STRUCT_SIZE, NULL_POINTER, MISALIGNED, IN_CALLBACK, INVALID_HANDLE, POISONED.
 *
 * The caller vouches:
 * health is NULL or points to health_size writable bytes.
 */
int32_t bevrt_pipeline_health(bevrt_pipeline_t *pipeline,
                              bevrt_health_t *health,
                              size_t health_size);

/* Measured times of a stage, BEVRT_STAGE_*.
 *
 * Status: OK, INVALID_ARGUMENT, STRUCT_SIZE, NULL_POINTER, MISALIGNED, IN_CALLBACK,
 * INVALID_HANDLE, POISONED.
 *
 * The caller vouches:
 * statistics is NULL or points to statistics_size writable bytes.
 */
int32_t bevrt_pipeline_statistics(bevrt_pipeline_t *pipeline,
                                  int32_t stage,
                                  bevrt_stage_statistics_t *statistics,
                                  size_t statistics_size);

/* Forgets the measured times, so that a measurement can leave out what came before.
 *
 * Status: OK, IN_CALLBACK, INVALID_HANDLE, POISONED.
 */
int32_t bevrt_pipeline_reset_statistics(bevrt_pipeline_t *pipeline);

/* What the pipeline is made of.
 *
 * Status: OK, STRUCT_SIZE, NULL_POINTER, MISALIGNED, IN_CALLBACK, INVALID_HANDLE, POISONED.
 *
 * The caller vouches:
 * info is NULL or points to info_size writable bytes.
 */
int32_t bevrt_pipeline_info(bevrt_pipeline_t *pipeline,
                            bevrt_pipeline_info_t *info,
                            size_t info_size);

/* A camera of the rig, by its index.
 *
 * Status: OK, UNKNOWN_CAMERA, STRUCT_SIZE, NULL_POINTER, MISALIGNED, IN_CALLBACK, INVALID_HANDLE,
 * POISONED.
 *
 * The caller vouches:
 * info is NULL or points to info_size writable bytes.
 */
int32_t bevrt_pipeline_camera_info(bevrt_pipeline_t *pipeline,
                                   uint32_t camera,
                                   bevrt_camera_info_t *info,
                                   size_t info_size);

/* Fills options with the defaults; writes no more than options_size bytes.
 *
 * Status: OK, NULL_POINTER, MISALIGNED, STRUCT_SIZE.
 *
 * The caller vouches:
 * options is NULL or points to options_size writable bytes.
 */
int32_t bevrt_worker_options_default(bevrt_worker_options_t *options, size_t options_size);

/* Starts a thread, bevrt-worker, that drives pipeline, and with has_overlap another one,
 * bevrt-network, that runs its network. Until the worker is destroyed, pushing to the pipeline and
 * stepping it by hand are refused; its calibration, health and statistics stay reachable, and wait
 * for the step that runs.
 *
 * Status: OK; WORKER_ATTACHED, FRAME_BORROWED, INVALID_HANDLE, POISONED; INVALID_ARGUMENT,
 * NULL_POINTER, STRUCT_SIZE, MISALIGNED; TOO_MANY_HANDLES, IN_CALLBACK; UNSUPPORTED when the system
 * gives no thread, not on these cores, or not with this priority. On failure worker is untouched.
 *
 * The caller vouches:
 * options is NULL or points to struct_size readable bytes whose texts end with zero; its callbacks may be called from
 * another thread until the worker is destroyed; worker is NULL or points to a writable pointer.
 */
int32_t bevrt_worker_create(bevrt_pipeline_t *pipeline,
                            const bevrt_worker_options_t *options,
                            bevrt_worker_t **worker);

/* Stops the thread and gives the pipeline back to be driven by hand. NULL is nothing to do.
 *
 * Waits for the step and the callback that run; items that wait are cancelled, and their images
 * released with CANCELLED, before this returns. No callback is called after it.
 *
 * Status: OK; INVALID_HANDLE when it is destroyed already; IN_CALLBACK: then it lives on.
 */
int32_t bevrt_worker_destroy(bevrt_worker_t *worker);

/* Queues an image. Its planes must stay readable and unchanged until release is called. When this
 * returns another status than OK, release will not be called.
 *
 * Status: OK, QUEUE_FULL; UNSUPPORTED, INVALID_ARGUMENT, NULL_POINTER, IMAGE_LAYOUT, STRUCT_SIZE,
 * MISALIGNED; INVALID_HANDLE.
 *
 * The caller vouches:
 * image is NULL or points to struct_size readable bytes; its planes are readable, and nobody
 * writes them, until release is called; release may be called from another thread.
 */
int32_t bevrt_worker_push_image(bevrt_worker_t *worker,
                                const bevrt_image_t *image,
                                bevrt_release_fn release,
                                void *user_data);

/* Queues a pose of the vehicle.
 *
 * Status: OK, QUEUE_FULL; MOTION_NOT_FINITE, INVALID_ARGUMENT, NULL_POINTER, STRUCT_SIZE,
 * MISALIGNED; INVALID_HANDLE.
 *
 * The caller vouches:
 * pose is NULL or points to struct_size readable bytes.
 */
int32_t bevrt_worker_push_pose(bevrt_worker_t *worker, const bevrt_ego_pose_t *pose);

/* Queues speed and yaw rate.
 *
 * Status: OK, QUEUE_FULL; NULL_POINTER, STRUCT_SIZE, MISALIGNED; INVALID_HANDLE.
 *
 * The caller vouches:
 * rates is NULL or points to struct_size readable bytes.
 */
int32_t bevrt_worker_push_rates(bevrt_worker_t *worker, const bevrt_ego_rates_t *rates);

/* Queues a step at now_ns, so that a set whose cameras fall silent is closed in time.
 *
 * Status: OK, QUEUE_FULL, INVALID_HANDLE.
 */
int32_t bevrt_worker_tick(bevrt_worker_t *worker, int64_t now_ns);

/* Copies the newest frame that nobody polled yet, waiting up to timeout_ns (0: not at all) for one.
 * Each frame is given once; older ones that nobody polled are gone and counted.
 *
 * Status: OK; WAITING when the time is over, or the worker is destroyed meanwhile;
 * INVALID_ARGUMENT, STRUCT_SIZE, NULL_POINTER, MISALIGNED; INVALID_HANDLE.
 *
 * The caller vouches:
 * frame is NULL or points to frame_size writable bytes.
 */
int32_t bevrt_worker_poll(bevrt_worker_t *worker,
                          int64_t timeout_ns,
                          bevrt_frame_t *frame,
                          size_t frame_size);

/* Waits up to timeout_ns until all that was queued before is done: images are released, frames
 * made and given to the callback.
 *
 * Status: OK; WAITING when the time is over, or the worker is destroyed meanwhile;
 * INVALID_ARGUMENT, IN_CALLBACK, INVALID_HANDLE.
 */
int32_t bevrt_worker_flush(bevrt_worker_t *worker, int64_t timeout_ns);

/* What came to the worker and what became of it.
 *
 * Status: OK, STRUCT_SIZE, NULL_POINTER, MISALIGNED, INVALID_HANDLE.
 *
 * The caller vouches:
 * counts is NULL or points to counts_size writable bytes.
 */
int32_t bevrt_worker_counts(bevrt_worker_t *worker,
                            bevrt_worker_counts_t *counts,
                            size_t counts_size);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* BEVRT_H */

#if defined(__cplusplus)
#define BEVRT_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define BEVRT_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

BEVRT_STATIC_ASSERT(sizeof(bevrt_frame_t) == 57760, "frame");
BEVRT_STATIC_ASSERT(sizeof(bevrt_health_t) == 616, "health");
BEVRT_STATIC_ASSERT(sizeof(bevrt_object_t) == 96, "object");
BEVRT_STATIC_ASSERT(sizeof(bevrt_lane_t) == 608, "lane");
BEVRT_STATIC_ASSERT(sizeof(bevrt_arrow_t) == 32, "arrow");
BEVRT_STATIC_ASSERT(sizeof(bevrt_crosswalk_t) == 120, "crosswalk");
BEVRT_STATIC_ASSERT(sizeof(bevrt_stop_line_t) == 112, "stop line");
BEVRT_STATIC_ASSERT(sizeof(bevrt_pipeline_options_t) == 232, "pipeline options");
BEVRT_STATIC_ASSERT(sizeof(bevrt_worker_options_t) == 72, "worker options");
BEVRT_STATIC_ASSERT(sizeof(bevrt_calibration_t) == 24, "calibration");
BEVRT_STATIC_ASSERT(sizeof(bevrt_image_t) == 104, "image");
BEVRT_STATIC_ASSERT(sizeof(bevrt_ego_pose_t) == 80, "ego pose");
BEVRT_STATIC_ASSERT(sizeof(bevrt_ego_rates_t) == 40, "ego rates");
BEVRT_STATIC_ASSERT(sizeof(bevrt_stage_statistics_t) == 80, "stage statistics");
