/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Replays a drive through libbevrt: each record is pushed at its arrival, and the pipeline stepped at
 * it. Writes the frames as bytes, which equal those of `bevrt replay --frames`, and prints a line
 * for each.
 *
 *   replay PACKAGE DRIVE FRAMES
 *
 * DRIVE is made by `bevrt dump LOG --out DRIVE`.
 */
#include "dump.h"

static int failed(const char *what, int32_t status) {
  char text[1024];
  (void)bevrt_error_text(text, sizeof text);
  fprintf(stderr, "%s: %s: %s\n", what, bevrt_status_str(status), text);
  return EXIT_FAILURE;
}

static void print_frame(const bevrt_frame_t *frame) {
  uint32_t i;
  printf("frame %llu at %.3f s: health %u, %u objects, %u lanes, %u arrows, %u crosswalks, "
         "%u stop lines\n",
         (unsigned long long)frame->sequence, 1e-9 * (double)frame->stamp_ns,
         (unsigned)frame->health.state, frame->object_count, frame->lane_count, frame->arrow_count,
         frame->crosswalk_count, frame->stop_line_count);
  for (i = 0; i < frame->object_count && i < 3; ++i) {
    const bevrt_object_t *object = &frame->object_entries[i];
    printf("  object %u: class %u at (%.1f, %.1f) m, %.1f m/s, confidence %.2f\n", object->id,
           (unsigned)object->class_, (double)object->x_m, (double)object->y_m,
           (double)object->vx_mps, (double)object->confidence);
  }
}

/* Makes every frame that is due. */
static int32_t step(bevrt_pipeline_t *pipeline, int64_t now_ns, FILE *frames) {
  static bevrt_frame_t frame;
  for (;;) {
    const int32_t status = bevrt_pipeline_step(pipeline, now_ns, &frame, sizeof frame);
    if (status != BEVRT_STATUS_OK) {
      return status == BEVRT_STATUS_WAITING ? BEVRT_STATUS_OK : status;
    }
    print_frame(&frame);
    if (fwrite(&frame, sizeof frame, 1, frames) != 1) {
      perror("frames");
      exit(EXIT_FAILURE);
    }
  }
}

static int32_t push(bevrt_pipeline_t *pipeline, const dump_t *dump, const dump_record_t *record) {
  if (record->kind == DUMP_IMAGE) {
    const bevrt_image_t image = dump_image(dump, record);
    return bevrt_pipeline_push_image(pipeline, &image);
  }
  if (record->kind == DUMP_RATES) {
    const bevrt_ego_rates_t rates = dump_rates(dump, record);
    return bevrt_pipeline_push_rates(pipeline, &rates);
  }
  if (record->kind == DUMP_POSE) {
    const bevrt_ego_pose_t pose = dump_pose(dump, record);
    return bevrt_pipeline_push_pose(pipeline, &pose);
  }
  return BEVRT_STATUS_OK; /* of a later format */
}

int main(int argc, char **argv) {
  bevrt_pipeline_options_t options;
  bevrt_pipeline_t *pipeline = NULL;
  bevrt_stage_statistics_t total;
  dump_t dump;
  dump_record_t record;
  FILE *frames;
  int32_t status;
  int64_t now_ns = 0;
  unsigned refused = 0;

  if (argc != 4) {
    fprintf(stderr, "usage: replay PACKAGE DRIVE FRAMES\n");
    return EXIT_FAILURE;
  }
  if ((bevrt_abi_version() >> 16) != BEVRT_ABI_MAJOR ||
      (bevrt_abi_version() & 0xFFFFU) < BEVRT_ABI_MINOR) {
    fprintf(stderr, "the library has another ABI than the header, or an older one\n");
    return EXIT_FAILURE;
  }
  if (!dump_open(&dump, argv[2])) {
    fprintf(stderr, "%s: expected a drive from `bevrt dump`\n", argv[2]);
    return EXIT_FAILURE;
  }
  (void)bevrt_pipeline_options_default(&options, sizeof options);
  options.package_path = argv[1];
  options.rig_text = dump.rig_text;
  options.ego_motion = dump.ego_motion;
  status = bevrt_pipeline_create(&options, &pipeline);
  if (status != BEVRT_STATUS_OK) {
    return failed("create", status);
  }
  frames = fopen(argv[3], "wb");
  if (frames == NULL) {
    perror(argv[3]);
    return EXIT_FAILURE;
  }
  while (dump_next(&dump, &record)) {
    now_ns = record.arrival_ns;
    if (push(pipeline, &dump, &record) != BEVRT_STATUS_OK) {
      ++refused; /* the next frame's health says why */
    }
    status = step(pipeline, now_ns, frames);
    if (status != BEVRT_STATUS_OK) {
      return failed("step", status);
    }
  }
  /* Closes the sets that are open at the end. */
  status = step(pipeline, now_ns + 100000000, frames);
  if (status != BEVRT_STATUS_OK) {
    return failed("step", status);
  }
  status = bevrt_pipeline_statistics(pipeline, BEVRT_STAGE_TOTAL, &total, sizeof total);
  if (status != BEVRT_STATUS_OK) {
    return failed("statistics", status);
  }
  printf("%llu frames, %u records refused, p50 %.1f ms, p99 %.1f ms\n",
         (unsigned long long)total.count, refused, 1e-6 * (double)total.p50_ns,
         1e-6 * (double)total.p99_ns);
  dump_close(&dump);
  if (fclose(frames) != 0) {
    perror(argv[3]);
    return EXIT_FAILURE;
  }
  status = bevrt_pipeline_destroy(pipeline);
  return status == BEVRT_STATUS_OK ? EXIT_SUCCESS : failed("destroy", status);
}
