// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Replays a drive through a worker: images are queued, a callback takes the frames. Without a clock of
// its own the worker steps at each record's arrival, so the frames equal those of
// `bevrt replay --frames` byte by byte.
//
//   replay PACKAGE DRIVE FRAMES
#include <bevrt/bevrt.hpp>

#include "../c/dump.h"

#include <chrono>
#include <fstream>
#include <iostream>
#include <thread>
#include <vector>

namespace {

/// Keeps the buffers of queued images until they are released.
class Buffers {
 public:
  /// A copy of the record's bytes that lives until `release`.
  std::uint8_t* keep(const std::uint8_t* bytes, std::size_t count) {
    auto* kept = new std::vector<std::uint8_t>(bytes, bytes + count);
    last_ = kept;
    return kept->data();
  }
  void* last() const { return last_; }
  static void release(void* user_data, std::int32_t /*status*/) {
    delete static_cast<std::vector<std::uint8_t>*>(user_data);
  }

 private:
  void* last_ = nullptr;
};

/// Writes each frame, on the worker's thread.
void on_frame(void* user_data, std::int32_t status, const bevrt_frame_t* frame) {
  if (status != BEVRT_STATUS_OK) {
    std::cerr << "step: " << bevrt_status_str(status) << '\n';
    return;
  }
  auto& out = *static_cast<std::ofstream*>(user_data);
  out.write(reinterpret_cast<const char*>(frame), sizeof *frame);
  std::cout << "frame " << frame->sequence << ": " << bevrt::objects(*frame).size() << " objects, "
            << bevrt::lanes(*frame).size() << " lanes\n";
}

/// Tries again while the queue is full.
template <typename Push>
bevrt::Status patiently(const Push& push) {
  for (;;) {
    const bevrt::Status status = push();
    if (status.number() != BEVRT_STATUS_QUEUE_FULL) {
      return status;
    }
    // A vehicle would drop the image here; a replay waits a little instead.
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

bevrt::Status push(bevrt::Worker& worker, Buffers& buffers, const dump_t& dump,
                   const dump_record_t& record) {
  if (record.kind == DUMP_IMAGE) {
    bevrt_image_t image = dump_image(&dump, &record);
    const std::uint8_t* body = dump.body;
    std::uint8_t* kept = buffers.keep(body, record.body_bytes);
    for (auto& plane : image.planes) {
      plane.data = plane.data == nullptr ? nullptr : kept + (plane.data - body);
    }
    void* owner = buffers.last();
    const auto status =
        patiently([&] { return worker.push(image, Buffers::release, owner); });
    if (!status.is_ok()) {
      Buffers::release(owner, status.number());
    }
    return status;
  }
  if (record.kind == DUMP_RATES) {
    return patiently([&] { return worker.push(dump_rates(&dump, &record)); });
  }
  return patiently([&] { return worker.push(dump_pose(&dump, &record)); });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: replay PACKAGE DRIVE FRAMES\n";
    return EXIT_FAILURE;
  }
  if (!bevrt::is_compatible()) {
    std::cerr << "the library has another ABI than the header\n";
    return EXIT_FAILURE;
  }
  dump_t dump;
  if (!dump_open(&dump, argv[2])) {
    std::cerr << argv[2] << ": expected a drive from `bevrt dump`\n";
    return EXIT_FAILURE;
  }
  bevrt_pipeline_options_t options = bevrt::default_pipeline_options();
  options.package_path = argv[1];
  options.rig_text = dump.rig_text;
  options.ego_motion = dump.ego_motion;
  auto created = bevrt::Pipeline::create(options);
  if (!created) {
    std::cerr << created.error().text << '\n';
    return EXIT_FAILURE;
  }
  bevrt::Pipeline pipeline = std::move(created).value();

  std::ofstream frames(argv[3], std::ios::binary);
  std::int64_t now_ns = 0;
  {
    bevrt_worker_options_t worker_options = bevrt::default_worker_options();
    worker_options.frame_callback = on_frame;
    worker_options.frame_user_data = &frames;
    auto started = bevrt::Worker::create(pipeline, worker_options);
    if (!started) {
      std::cerr << started.error().text << '\n';
      return EXIT_FAILURE;
    }
    bevrt::Worker worker = std::move(started).value();
    Buffers buffers;
    dump_record_t record;
    while (dump_next(&dump, &record)) {
      now_ns = record.arrival_ns;
      const auto status = push(worker, buffers, dump, record);
      if (!status.is_ok()) {
        std::cerr << "push: " << status.text() << '\n';
      }
    }
    // Closes the sets that are open at the end.
    (void)patiently([&] { return worker.tick(now_ns + 100000000); });
    constexpr std::int64_t kMinuteNs = 60000000000;
    while (worker.flush(kMinuteNs).is_waiting()) {
    }
  }
  dump_close(&dump);
  frames.close();

  bevrt_stage_statistics_t total{};
  if (!pipeline.statistics(BEVRT_STAGE_TOTAL, total).is_ok() || !frames) {
    return EXIT_FAILURE;
  }
  std::cout << total.count << " frames, p50 " << 1e-6 * static_cast<double>(total.p50_ns)
            << " ms\n";
  return EXIT_SUCCESS;
}
