/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Breaks the caller's word, so that a sanitizer that sees into the library must speak: under
 * AddressSanitizer the planes of an image are freed memory, under ThreadSanitizer they are written while
 * another thread pushes them. Ends well only where nobody sees what the library reads.
 *
 *   broken_promise PACKAGE RIG_FILE FOLDER
 */
#include <bevrt/bevrt.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 32, HEIGHT = 16, IMAGES = 200 };

static bevrt_pipeline_t *pipeline = NULL;
static uint8_t *pixels = NULL;

static void *push(void *is_over) {
  bevrt_image_t image;
  int k;
  memset(&image, 0, sizeof image);
  image.struct_size = (uint32_t)sizeof image;
  image.pixel_format = BEVRT_PIXEL_FORMAT_GREY;
  image.width_px = WIDTH;
  image.height_px = HEIGHT;
  image.plane_count = 1;
  image.planes[0].data = pixels;
  image.planes[0].size_bytes = WIDTH * HEIGHT;
  image.planes[0].stride_bytes = WIDTH;
  for (k = 0; k < IMAGES; ++k) {
    image.stamp_ns = 1000000000 + k;
    image.arrival_ns = 1010000000 + k;
    (void)bevrt_pipeline_push_image(pipeline, &image);
  }
  atomic_store_explicit((atomic_int *)is_over, 1, memory_order_relaxed);
  return NULL;
}

int main(int argc, char **argv) {
  static atomic_int is_over;
  bevrt_pipeline_options_t options;
  size_t i;
#if defined(__SANITIZE_THREAD__)
  pthread_t thread;
#endif
  if (argc != 4) {
    return EXIT_FAILURE;
  }
  (void)bevrt_pipeline_options_default(&options, sizeof options);
  options.package_path = argv[1];
  options.rig_path = argv[2];
  options.has_golden_check = BEVRT_OFF;
  options.has_frozen_check = BEVRT_OFF;
  options.intra_op_threads = 1;
  pixels = (uint8_t *)malloc(WIDTH * HEIGHT);
  if (pixels == NULL || bevrt_pipeline_create(&options, &pipeline) != BEVRT_STATUS_OK) {
    return EXIT_FAILURE;
  }
  for (i = 0; i < WIDTH * HEIGHT; ++i) {
    pixels[i] = (uint8_t)(i * 31U);
  }
#if defined(__SANITIZE_THREAD__)
  (void)pthread_create(&thread, NULL, push, &is_over);
  /* Relaxed: it puts nothing in order. */
  while (atomic_load_explicit(&is_over, memory_order_relaxed) == 0) {
    for (i = 0; i < WIDTH * HEIGHT; ++i) {
      pixels[i] ^= (uint8_t)(i * 37U);
    }
  }
  (void)pthread_join(thread, NULL);
  free(pixels);
#else
  free(pixels);
  (void)push(&is_over);
#endif
  (void)bevrt_pipeline_destroy(pipeline);
  return EXIT_SUCCESS;
}
