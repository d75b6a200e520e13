/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Two pipelines at once, each with a worker: a thread for each camera and one for ego motion push,
 * one polls, one asks for statistics, and the worker is destroyed while they still do. Every image
 * that was taken must be released once, with its buffer untouched. Then a worker is destroyed while
 * one of its callbacks runs.
 *
 *   threads PACKAGE RIG_FILE
 */
#include <bevrt/bevrt.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAMERAS = 2, ROUNDS = 12 };

typedef struct {
  bevrt_pipeline_t *pipeline;
  bevrt_worker_t *worker;
  atomic_int taken;
  atomic_int released;
  atomic_int frames;
  atomic_bool is_over;
  bevrt_camera_info_t cameras[CAMERAS];
} rig_t;

typedef struct {
  rig_t *rig;
  uint32_t camera;
} pusher_t;

static void must(const char *what, int32_t status) {
  if (status != BEVRT_STATUS_OK) {
    char text[1024];
    (void)bevrt_error_text(text, sizeof text);
    fprintf(stderr, "%s: %s: %s\n", what, bevrt_status_str(status), text);
    exit(EXIT_FAILURE);
  }
}

typedef struct {
  rig_t *rig;
  uint8_t pixels[];
} buffer_t;

static void on_release(void *user_data, int32_t status) {
  buffer_t *buffer = (buffer_t *)user_data;
  (void)status;
  atomic_fetch_add(&buffer->rig->released, 1);
  free(buffer);
}

static void on_frame(void *user_data, int32_t status, const bevrt_frame_t *frame) {
  rig_t *rig = (rig_t *)user_data;
  if (status == BEVRT_STATUS_OK && frame->health.camera_count == CAMERAS) {
    atomic_fetch_add(&rig->frames, 1);
  }
}

static void *push_images(void *argument) {
  const pusher_t *pusher = (const pusher_t *)argument;
  rig_t *rig = pusher->rig;
  const bevrt_camera_info_t *camera = &rig->cameras[pusher->camera];
  const size_t luma = (size_t)camera->width_px * camera->height_px;
  int round;
  for (round = 0; round < ROUNDS; ++round) {
    bevrt_image_t image;
    size_t i;
    int32_t status;
    buffer_t *buffer = (buffer_t *)malloc(sizeof *buffer + luma * 3 / 2);
    if (buffer == NULL) {
      exit(EXIT_FAILURE);
    }
    buffer->rig = rig;
    for (i = 0; i < luma * 3 / 2; ++i) {
      buffer->pixels[i] = (uint8_t)(i * 31U + (size_t)round * 17U);
    }
    memset(&image, 0, sizeof image);
    image.struct_size = (uint32_t)sizeof image;
    image.camera = pusher->camera;
    image.pixel_format = BEVRT_PIXEL_FORMAT_NV12;
    image.width_px = camera->width_px;
    image.height_px = camera->height_px;
    image.plane_count = 2;
    image.planes[0].data = buffer->pixels;
    image.planes[0].size_bytes = luma;
    image.planes[0].stride_bytes = camera->width_px;
    image.planes[1].data = buffer->pixels + luma;
    image.planes[1].size_bytes = luma / 2;
    image.planes[1].stride_bytes = camera->width_px;
    image.stamp_ns = 1000000000 + (int64_t)round * 100000000;
    image.arrival_ns = image.stamp_ns + 30000000;
    /* Counted before: the callback may come before the call returns. */
    atomic_fetch_add(&rig->taken, 1);
    status = bevrt_worker_push_image(rig->worker, &image, on_release, buffer);
    if (status != BEVRT_STATUS_OK) {
      atomic_fetch_sub(&rig->taken, 1);
      free(buffer);
      if (status == BEVRT_STATUS_QUEUE_FULL) {
        (void)bevrt_worker_flush(rig->worker, 1000000000);
      } else if (status != BEVRT_STATUS_INVALID_HANDLE) {
        must("push", status);
      }
    }
  }
  return NULL;
}

static void *push_motion(void *argument) {
  rig_t *rig = (rig_t *)argument;
  int i;
  for (i = 0; i < ROUNDS * 4; ++i) {
    const bevrt_ego_rates_t rates = {(uint32_t)sizeof rates, 0, 900000000 + (int64_t)i * 25000000,
                                     905000000 + (int64_t)i * 25000000, 8.0, 0.1};
    (void)bevrt_worker_push_rates(rig->worker, &rates);
  }
  return NULL;
}

static void *poll_frames(void *argument) {
  rig_t *rig = (rig_t *)argument;
  bevrt_frame_t *frame = (bevrt_frame_t *)malloc(sizeof *frame);
  if (frame == NULL) {
    exit(EXIT_FAILURE);
  }
  while (!atomic_load(&rig->is_over)) {
    (void)bevrt_worker_poll(rig->worker, 2000000, frame, sizeof *frame);
  }
  free(frame);
  return NULL;
}

static void *ask(void *argument) {
  rig_t *rig = (rig_t *)argument;
  while (!atomic_load(&rig->is_over)) {
    bevrt_stage_statistics_t statistics;
    bevrt_worker_counts_t counts;
    must("statistics", bevrt_pipeline_statistics(rig->pipeline, BEVRT_STAGE_TOTAL, &statistics,
                                                 sizeof statistics));
    (void)bevrt_worker_counts(rig->worker, &counts, sizeof counts);
  }
  return NULL;
}

typedef struct {
  atomic_bool is_inside;
  atomic_bool is_destroying;
  atomic_int released;
} slow_t;

/* The first image is released while the worker is being destroyed; the second waits behind it. */
static void on_slow_release(void *user_data, int32_t status) {
  slow_t *slow = (slow_t *)user_data;
  int i;
  (void)status;
  atomic_store(&slow->is_inside, true);
  while (!atomic_load(&slow->is_destroying)) {
    (void)sched_yield();
  }
  for (i = 0; i < 1000; ++i) {
    (void)sched_yield();
  }
  atomic_fetch_add(&slow->released, 1);
}

static int destroy_while_a_callback_runs(rig_t *rig) {
  static slow_t slow;
  static uint8_t pixels[4096];
  const bevrt_camera_info_t *camera = &rig->cameras[0];
  bevrt_worker_options_t options;
  bevrt_image_t image;
  memset(&image, 0, sizeof image);
  image.struct_size = (uint32_t)sizeof image;
  image.pixel_format = BEVRT_PIXEL_FORMAT_GREY;
  image.width_px = camera->width_px;
  image.height_px = camera->height_px;
  image.plane_count = 1;
  image.planes[0].data = pixels;
  image.planes[0].size_bytes = sizeof pixels;
  image.planes[0].stride_bytes = camera->width_px;
  image.stamp_ns = 100000000000;
  image.arrival_ns = image.stamp_ns;
  must("defaults", bevrt_worker_options_default(&options, sizeof options));
  must("worker", bevrt_worker_create(rig->pipeline, &options, &rig->worker));
  must("push", bevrt_worker_push_image(rig->worker, &image, on_slow_release, &slow));
  while (!atomic_load(&slow.is_inside)) {
    (void)sched_yield();
  }
  must("push", bevrt_worker_push_image(rig->worker, &image, on_slow_release, &slow));
  atomic_store(&slow.is_destroying, true);
  must("destroy", bevrt_worker_destroy(rig->worker));
  return atomic_load(&slow.released) == 2 ? 0 : 1;
}

static void open_rig(rig_t *rig, const char *package, const char *file) {
  bevrt_pipeline_options_t options;
  bevrt_worker_options_t worker_options;
  uint32_t i;
  must("defaults", bevrt_pipeline_options_default(&options, sizeof options));
  options.package_path = package;
  options.rig_path = file;
  options.ego_motion = BEVRT_EGO_MOTION_RATES;
  options.has_golden_check = BEVRT_OFF;
  options.intra_op_threads = 1;
  options.warm_up_runs = 0;
  must("create", bevrt_pipeline_create(&options, &rig->pipeline));
  for (i = 0; i < CAMERAS; ++i) {
    must("camera", bevrt_pipeline_camera_info(rig->pipeline, i, &rig->cameras[i],
                                              sizeof rig->cameras[i]));
  }
  must("defaults", bevrt_worker_options_default(&worker_options, sizeof worker_options));
  worker_options.queue_capacity = 16;
  worker_options.frame_callback = on_frame;
  worker_options.frame_user_data = rig;
  must("worker", bevrt_worker_create(rig->pipeline, &worker_options, &rig->worker));
}

int main(int argc, char **argv) {
  static rig_t rigs[2];
  static pusher_t pushers[2][CAMERAS];
  pthread_t threads[2][CAMERAS + 3];
  int failures = 0;
  int r;
  uint32_t c;

  if (argc < 3) {
    fprintf(stderr, "usage: threads PACKAGE RIG_FILE\n");
    return EXIT_FAILURE;
  }
  for (r = 0; r < 2; ++r) {
    open_rig(&rigs[r], argv[1], argv[2]);
  }
  for (r = 0; r < 2; ++r) {
    for (c = 0; c < CAMERAS; ++c) {
      pushers[r][c].rig = &rigs[r];
      pushers[r][c].camera = c;
      (void)pthread_create(&threads[r][c], NULL, push_images, &pushers[r][c]);
    }
    (void)pthread_create(&threads[r][CAMERAS], NULL, push_motion, &rigs[r]);
    (void)pthread_create(&threads[r][CAMERAS + 1], NULL, poll_frames, &rigs[r]);
    (void)pthread_create(&threads[r][CAMERAS + 2], NULL, ask, &rigs[r]);
  }
  /* The first is drained, the second destroyed while it is pushed to. */
  for (c = 0; c <= CAMERAS; ++c) {
    (void)pthread_join(threads[0][c], NULL);
  }
  must("flush", bevrt_worker_flush(rigs[0].worker, 60000000000));
  for (r = 1; r >= 0; --r) {
    must("destroy worker", bevrt_worker_destroy(rigs[r].worker));
  }
  for (r = 0; r < 2; ++r) {
    atomic_store(&rigs[r].is_over, true);
    for (c = r == 0 ? CAMERAS + 1U : 0U; c < CAMERAS + 3; ++c) {
      (void)pthread_join(threads[r][c], NULL);
    }
  }
  failures += destroy_while_a_callback_runs(&rigs[0]);
  for (r = 0; r < 2; ++r) {
    must("destroy pipeline", bevrt_pipeline_destroy(rigs[r].pipeline));
    printf("pipeline %d: %d images taken, %d released, %d frames\n", r, atomic_load(&rigs[r].taken),
           atomic_load(&rigs[r].released), atomic_load(&rigs[r].frames));
    failures += atomic_load(&rigs[r].taken) != atomic_load(&rigs[r].released);
  }
  failures += atomic_load(&rigs[0].frames) == 0;
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
