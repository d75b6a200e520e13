/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Reads what `bevrt dump` writes; for a little-endian machine.
 */
#ifndef BEVRT_EXAMPLE_DUMP_H
#define BEVRT_EXAMPLE_DUMP_H

#include <bevrt/bevrt.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DUMP_IMAGE = 1, DUMP_RATES = 2, DUMP_POSE = 3 };

typedef struct {
  FILE *file;
  char *rig_text;      /* ends with zero */
  int32_t ego_motion;  /* BEVRT_EGO_MOTION_* */
  uint8_t *body;       /* of the last record */
  size_t body_room;
} dump_t;

typedef struct {
  uint32_t kind;
  uint32_t body_bytes;
  int64_t stamp_ns;
  int64_t arrival_ns;
} dump_record_t;

static void dump_close(dump_t *dump) {
  if (dump->file != NULL) {
    (void)fclose(dump->file);
  }
  free(dump->rig_text);
  free(dump->body);
  memset(dump, 0, sizeof *dump);
}

static bool dump_open(dump_t *dump, const char *path) {
  struct {
    char magic[8];
    uint32_t format;
    uint32_t ego_motion;
    uint32_t rig_bytes;
    uint32_t reserved;
  } head;
  memset(dump, 0, sizeof *dump);
  dump->file = fopen(path, "rb");
  if (dump->file == NULL || fread(&head, sizeof head, 1, dump->file) != 1 ||
      memcmp(head.magic, "BEVRTDMP", 8) != 0 || head.format != 1) {
    dump_close(dump);
    return false;
  }
  dump->ego_motion = head.ego_motion == 0 ? BEVRT_EGO_MOTION_POSES : BEVRT_EGO_MOTION_RATES;
  dump->rig_text = (char *)calloc((size_t)head.rig_bytes + 1, 1);
  if (dump->rig_text == NULL ||
      fread(dump->rig_text, 1, head.rig_bytes, dump->file) != head.rig_bytes) {
    dump_close(dump);
    return false;
  }
  return true;
}

/* The next record, or false at the end of the file. */
static bool dump_next(dump_t *dump, dump_record_t *record) {
  if (fread(record, sizeof *record, 1, dump->file) != 1) {
    return false;
  }
  if (record->body_bytes > dump->body_room) {
    uint8_t *more = (uint8_t *)realloc(dump->body, record->body_bytes);
    if (more == NULL) {
      return false;
    }
    dump->body = more;
    dump->body_room = record->body_bytes;
  }
  return fread(dump->body, 1, record->body_bytes, dump->file) == record->body_bytes;
}

/* The record as an image whose planes lie in the dump's buffer. */
static bevrt_image_t dump_image(const dump_t *dump, const dump_record_t *record) {
  uint32_t numbers[6];
  bevrt_image_t image;
  size_t row;
  memset(&image, 0, sizeof image);
  memcpy(numbers, dump->body, sizeof numbers);
  image.struct_size = (uint32_t)sizeof image;
  image.camera = numbers[0];
  image.pixel_format = (int32_t)numbers[1];
  image.width_px = numbers[2];
  image.height_px = numbers[3];
  image.colour_matrix = (int32_t)numbers[4];
  image.colour_range = (int32_t)numbers[5];
  image.memory_type = BEVRT_MEMORY_HOST;
  image.stamp_ns = record->stamp_ns;
  image.arrival_ns = record->arrival_ns;
  row = image.width_px;
  if (image.pixel_format == BEVRT_PIXEL_FORMAT_YUYV) {
    row *= 2;
  } else if (image.pixel_format == BEVRT_PIXEL_FORMAT_RGB ||
             image.pixel_format == BEVRT_PIXEL_FORMAT_BGR) {
    row *= 3;
  }
  image.plane_count = 1;
  image.planes[0].data = dump->body + sizeof numbers;
  image.planes[0].stride_bytes = row;
  image.planes[0].size_bytes = (uint64_t)row * image.height_px;
  if (image.pixel_format == BEVRT_PIXEL_FORMAT_NV12) {
    image.plane_count = 2;
    image.planes[1].data = image.planes[0].data + image.planes[0].size_bytes;
    image.planes[1].stride_bytes = row;
    image.planes[1].size_bytes = (uint64_t)row * (image.height_px / 2);
  }
  return image;
}

static bevrt_ego_rates_t dump_rates(const dump_t *dump, const dump_record_t *record) {
  bevrt_ego_rates_t rates;
  memset(&rates, 0, sizeof rates);
  rates.struct_size = (uint32_t)sizeof rates;
  rates.stamp_ns = record->stamp_ns;
  rates.arrival_ns = record->arrival_ns;
  memcpy(&rates.speed_mps, dump->body, sizeof rates.speed_mps);
  memcpy(&rates.yaw_rate_radps, dump->body + 8, sizeof rates.yaw_rate_radps);
  return rates;
}

static bevrt_ego_pose_t dump_pose(const dump_t *dump, const dump_record_t *record) {
  bevrt_ego_pose_t pose;
  memset(&pose, 0, sizeof pose);
  pose.struct_size = (uint32_t)sizeof pose;
  pose.stamp_ns = record->stamp_ns;
  pose.arrival_ns = record->arrival_ns;
  memcpy(pose.translation_m, dump->body, sizeof pose.translation_m);
  memcpy(pose.quaternion_wxyz, dump->body + sizeof pose.translation_m,
         sizeof pose.quaternion_wxyz);
  return pose;
}

#endif
