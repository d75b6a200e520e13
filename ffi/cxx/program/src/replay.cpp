// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A C++ program over the cxx bridge: opens a package, pushes NV12 images and ego motion, reads frames.
#include "bevrt-cxx-program/src/replay.h"

#include "bevrt-cxx-program/src/lib.rs.h"
#include "bevrt-cxx/src/lib.rs.h"

#include "dump.h"

#include <array>
#include <cstring>
#include <memory>
#include <string>

namespace bevrt::program {
namespace {

bridge::Image image_of(const dump_t& dump, const dump_record_t& record) {
  const bevrt_image_t from = dump_image(&dump, &record);
  bridge::Image image{};
  image.camera = from.camera;
  image.pixel_format = from.pixel_format;
  image.colour_matrix = from.colour_matrix;
  image.colour_range = from.colour_range;
  image.width_px = from.width_px;
  image.height_px = from.height_px;
  image.stamp_ns = from.stamp_ns;
  image.arrival_ns = from.arrival_ns;
  for (std::uint32_t plane = 0; plane < from.plane_count; ++plane) {
    const bevrt_image_plane_t& bytes = from.planes[plane];
    image.planes.push_back(bridge::Plane{
        rust::Slice<const std::uint8_t>(bytes.data, static_cast<std::size_t>(bytes.size_bytes)),
        bytes.stride_bytes});
  }
  return image;
}

std::int32_t push(bridge::Pipeline& pipeline, const dump_t& dump, const dump_record_t& record) {
  if (record.kind == DUMP_IMAGE) {
    return pipeline.push_image(image_of(dump, record));
  }
  if (record.kind == DUMP_RATES) {
    const bevrt_ego_rates_t rates = dump_rates(&dump, &record);
    return pipeline.push_rates(rates.stamp_ns, rates.speed_mps, rates.yaw_rate_radps);
  }
  if (record.kind == DUMP_POSE) {
    const bevrt_ego_pose_t pose = dump_pose(&dump, &record);
    std::array<double, 3> translation_m{};
    std::array<double, 4> quaternion_wxyz{};
    std::memcpy(translation_m.data(), pose.translation_m, sizeof pose.translation_m);
    std::memcpy(quaternion_wxyz.data(), pose.quaternion_wxyz, sizeof pose.quaternion_wxyz);
    return pipeline.push_pose(pose.stamp_ns, translation_m, quaternion_wxyz);
  }
  return BEVRT_STATUS_OK;
}

std::int32_t step(bridge::Pipeline& pipeline, std::int64_t now_ns,
                  rust::Vec<std::uint8_t>& frames, rust::String& text) {
  auto frame = std::make_unique<bevrt_frame_t>();
  for (;;) {
    const std::int32_t status = pipeline.step(now_ns, *frame);
    if (status != BEVRT_STATUS_OK) {
      return status == BEVRT_STATUS_WAITING ? BEVRT_STATUS_OK : status;
    }
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(frame.get());
    for (std::size_t at = 0; at < sizeof *frame; ++at) {
      frames.push_back(bytes[at]);
    }
    text = rust::String(std::string(text) + std::to_string(frame->object_count) + " objects, " +
                          std::to_string(frame->lane_count) + " lanes\n");
  }
}

}  // namespace

std::int32_t replay(rust::Str package, rust::Str drive_path,
                    rust::Vec<std::uint8_t>& frames, rust::String& text) noexcept {
  dump_t dump;
  if (!dump_open(&dump, std::string(drive_path).c_str())) {
    return BEVRT_STATUS_INVALID_ARGUMENT;
  }
  bridge::PipelineOptions options = bridge::default_options();
  options.package_path = rust::String(package.data(), package.size());
  options.rig_text = rust::String(dump.rig_text);
  options.ego_motion = dump.ego_motion;
  rust::Box<bridge::Pipeline> pipeline = bridge::open(options);
  std::int32_t status = pipeline->status();
  dump_record_t record;
  std::int64_t now_ns = 0;
  while (status == BEVRT_STATUS_OK && dump_next(&dump, &record)) {
    now_ns = record.arrival_ns;
    (void)push(*pipeline, dump, record);  // the next frame's health says why one is refused
    status = step(*pipeline, now_ns, frames, text);
  }
  if (status == BEVRT_STATUS_OK) {
    // Closes the sets that are open at the end.
    status = step(*pipeline, now_ns + 100000000, frames, text);
  }
  if (status != BEVRT_STATUS_OK) {
    text = rust::String(pipeline->error_text().data(), pipeline->error_text().size());
  }
  dump_close(&dump);
  return status;
}

}  // namespace bevrt::program
