// SPDX-License-Identifier: MIT OR Apache-2.0
//
// bevrt for C++17: header-only over the C ABI, so that library and program may come from different
// toolchains. Owners are move-only; nothing throws; results hold a value or an error.
#ifndef BEVRT_HPP
#define BEVRT_HPP

#include <bevrt/bevrt.h>

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace bevrt {

/// What went wrong: a BEVRT_STATUS number and a text that names what was expected and found.
struct Error {
  std::int32_t status;
  std::string text;
};

/// A value, or the error that came instead.
template <typename T>
class Result {
 public:
  Result(T value) noexcept : held_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) noexcept : held_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool has_value() const noexcept { return held_.index() == 0; }
  [[nodiscard]] explicit operator bool() const noexcept { return has_value(); }
  /// The value. Only when has_value().
  [[nodiscard]] T& value() & noexcept {
    assert(has_value());
    return *std::get_if<0>(&held_);
  }
  [[nodiscard]] T&& value() && noexcept {
    assert(has_value());
    return std::move(*std::get_if<0>(&held_));
  }
  /// The error. Only when not has_value().
  [[nodiscard]] const Error& error() const noexcept {
    assert(!has_value());
    return *std::get_if<1>(&held_);
  }

 private:
  std::variant<T, Error> held_;
};

/// A BEVRT_STATUS number that must be looked at. Costs nothing on the frame path.
class [[nodiscard]] Status {
 public:
  constexpr Status(std::int32_t number) noexcept : number_(number) {}
  [[nodiscard]] constexpr bool is_ok() const noexcept { return number_ == BEVRT_STATUS_OK; }
  [[nodiscard]] constexpr bool is_waiting() const noexcept {
    return number_ == BEVRT_STATUS_WAITING;
  }
  [[nodiscard]] constexpr std::int32_t number() const noexcept { return number_; }
  [[nodiscard]] const char* text() const noexcept { return bevrt_status_str(number_); }

 private:
  std::int32_t number_;
};

/// The error of this thread's last failed call.
[[nodiscard]] inline Error last_error(std::int32_t status) {
  std::string text(bevrt_error_text(nullptr, 0) + 1, '\0');
  text.resize(bevrt_error_text(&text[0], text.size()));
  return Error{status, std::move(text)};
}

/// Whether the loaded library fits this header.
[[nodiscard]] inline bool is_compatible() noexcept {
  const std::uint32_t version = bevrt_abi_version();
  return (version >> 16) == BEVRT_ABI_MAJOR && (version & 0xFFFFU) >= BEVRT_ABI_MINOR;
}

/// Elements of a frame, to loop over.
template <typename T>
class View {
 public:
  constexpr View(const T* data, std::size_t count) noexcept : data_(data), count_(count) {}
  [[nodiscard]] constexpr const T* begin() const noexcept { return data_; }
  [[nodiscard]] constexpr const T* end() const noexcept { return data_ + count_; }
  [[nodiscard]] constexpr std::size_t size() const noexcept { return count_; }
  [[nodiscard]] constexpr bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] constexpr const T& operator[](std::size_t index) const noexcept {
    return data_[index];
  }

 private:
  const T* data_;
  std::size_t count_;
};

namespace detail {
template <typename T, std::size_t N, typename C>
[[nodiscard]] constexpr View<T> counted(const T (&entries)[N], C count) noexcept {
  return View<T>(entries, static_cast<std::size_t>(count) < N ? count : N);
}
}  // namespace detail

[[nodiscard]] inline View<bevrt_object_t> objects(const bevrt_frame_t& frame) noexcept {
  return detail::counted(frame.object_entries, frame.object_count);
}
[[nodiscard]] inline View<bevrt_lane_t> lanes(const bevrt_frame_t& frame) noexcept {
  return detail::counted(frame.lane_entries, frame.lane_count);
}
[[nodiscard]] inline View<bevrt_arrow_t> arrows(const bevrt_frame_t& frame) noexcept {
  return detail::counted(frame.arrow_entries, frame.arrow_count);
}
[[nodiscard]] inline View<bevrt_crosswalk_t> crosswalks(const bevrt_frame_t& frame) noexcept {
  return detail::counted(frame.crosswalk_entries, frame.crosswalk_count);
}
[[nodiscard]] inline View<bevrt_stop_line_t> stop_lines(const bevrt_frame_t& frame) noexcept {
  return detail::counted(frame.stop_line_entries, frame.stop_line_count);
}
/// Points of a lane, a crosswalk or a stop line.
template <typename Element>
[[nodiscard]] View<bevrt_point_t> points(const Element& element) noexcept {
  return detail::counted(element.point_entries, element.point_count);
}
[[nodiscard]] inline View<bevrt_camera_status_t> cameras(const bevrt_health_t& health) noexcept {
  return detail::counted(health.camera_entries, health.camera_count);
}
[[nodiscard]] inline View<bevrt_slot_status_t> slots(const bevrt_health_t& health) noexcept {
  return detail::counted(health.slot_entries, health.slot_count);
}

/// Options with their defaults; change fields, then create a Pipeline.
[[nodiscard]] inline bevrt_pipeline_options_t default_pipeline_options() noexcept {
  bevrt_pipeline_options_t options{};
  (void)bevrt_pipeline_options_default(&options, sizeof options);
  return options;
}
[[nodiscard]] inline bevrt_worker_options_t default_worker_options() noexcept {
  bevrt_worker_options_t options{};
  (void)bevrt_worker_options_default(&options, sizeof options);
  return options;
}

/// A frame that is read where it was made. It goes back when this ends.
class BorrowedFrame {
 public:
  BorrowedFrame(bevrt_pipeline_t* pipeline, const bevrt_frame_t* frame) noexcept
      : pipeline_(pipeline), frame_(frame) {}
  BorrowedFrame(BorrowedFrame&& other) noexcept
      : pipeline_(other.pipeline_), frame_(std::exchange(other.frame_, nullptr)) {}
  BorrowedFrame& operator=(BorrowedFrame&& other) noexcept {
    std::swap(pipeline_, other.pipeline_);
    std::swap(frame_, other.frame_);
    return *this;
  }
  BorrowedFrame(const BorrowedFrame&) = delete;
  BorrowedFrame& operator=(const BorrowedFrame&) = delete;
  ~BorrowedFrame() {
    if (frame_ != nullptr) {
      (void)bevrt_pipeline_return_frame(pipeline_, frame_);
    }
  }
  [[nodiscard]] const bevrt_frame_t& operator*() const noexcept { return *frame_; }
  [[nodiscard]] const bevrt_frame_t* operator->() const noexcept { return frame_; }

 private:
  bevrt_pipeline_t* pipeline_;
  const bevrt_frame_t* frame_;
};

/// A pipeline that is pushed to and stepped by hand. Destroy its Worker and return its frames first.
class Pipeline {
 public:
  [[nodiscard]] static Result<Pipeline> create(const bevrt_pipeline_options_t& options) {
    bevrt_pipeline_t* handle = nullptr;
    const std::int32_t status = bevrt_pipeline_create(&options, &handle);
    if (status != BEVRT_STATUS_OK) {
      return last_error(status);
    }
    return Pipeline(handle);
  }
  Pipeline(Pipeline&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Pipeline& operator=(Pipeline&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  ~Pipeline() { (void)bevrt_pipeline_destroy(handle_); }

  Status push(const bevrt_image_t& image) noexcept {
    return bevrt_pipeline_push_image(handle_, &image);
  }
  Status push(const bevrt_ego_pose_t& pose) noexcept {
    return bevrt_pipeline_push_pose(handle_, &pose);
  }
  Status push(const bevrt_ego_rates_t& rates) noexcept {
    return bevrt_pipeline_push_rates(handle_, &rates);
  }
  /// Copies the next frame that is due; is_waiting() when there is none.
  Status step(std::int64_t now_ns, bevrt_frame_t& frame) noexcept {
    return bevrt_pipeline_step(handle_, now_ns, &frame, sizeof frame);
  }
  /// The next frame that is due, in place. The error's status is BEVRT_STATUS_WAITING when there is
  /// none, and its text is empty then.
  [[nodiscard]] Result<BorrowedFrame> step_borrow(std::int64_t now_ns) {
    const bevrt_frame_t* frame = nullptr;
    const std::int32_t status = bevrt_pipeline_step_borrow(handle_, now_ns, &frame);
    if (status == BEVRT_STATUS_WAITING) {
      return Error{status, std::string()};
    }
    if (status != BEVRT_STATUS_OK) {
      return last_error(status);
    }
    return BorrowedFrame(handle_, frame);
  }
  Status set_calibration(const bevrt_calibration_t& calibration) noexcept {
    return bevrt_pipeline_set_calibration(handle_, &calibration);
  }
  Status set_camera_enabled(std::uint32_t camera, bool is_enabled) noexcept {
    return bevrt_pipeline_set_camera_enabled(handle_, camera, is_enabled ? BEVRT_ON : BEVRT_OFF);
  }
  Status reset() noexcept { return bevrt_pipeline_reset(handle_); }
  Status health(bevrt_health_t& health) const noexcept {
    return bevrt_pipeline_health(handle_, &health, sizeof health);
  }
  Status statistics(std::int32_t stage, bevrt_stage_statistics_t& statistics) const noexcept {
    return bevrt_pipeline_statistics(handle_, stage, &statistics, sizeof statistics);
  }
  Status reset_statistics() noexcept { return bevrt_pipeline_reset_statistics(handle_); }
  Status info(bevrt_pipeline_info_t& info) const noexcept {
    return bevrt_pipeline_info(handle_, &info, sizeof info);
  }
  Status camera_info(std::uint32_t camera, bevrt_camera_info_t& info) const noexcept {
    return bevrt_pipeline_camera_info(handle_, camera, &info, sizeof info);
  }
  /// The handle, for what this class lacks. It stays owned here.
  [[nodiscard]] bevrt_pipeline_t* handle() const noexcept { return handle_; }

 private:
  explicit Pipeline(bevrt_pipeline_t* handle) noexcept : handle_(handle) {}
  bevrt_pipeline_t* handle_;
};

/// A thread that drives a pipeline. It must end before the pipeline does.
class Worker {
 public:
  [[nodiscard]] static Result<Worker> create(Pipeline& pipeline,
                                             const bevrt_worker_options_t& options) {
    bevrt_worker_t* handle = nullptr;
    const std::int32_t status = bevrt_worker_create(pipeline.handle(), &options, &handle);
    if (status != BEVRT_STATUS_OK) {
      return last_error(status);
    }
    return Worker(handle);
  }
  Worker(Worker&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Worker& operator=(Worker&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() { (void)bevrt_worker_destroy(handle_); }

  /// Queues an image; `release` says when its planes are the caller's again.
  Status push(const bevrt_image_t& image, bevrt_release_fn release, void* user_data) noexcept {
    return bevrt_worker_push_image(handle_, &image, release, user_data);
  }
  Status push(const bevrt_ego_pose_t& pose) noexcept {
    return bevrt_worker_push_pose(handle_, &pose);
  }
  Status push(const bevrt_ego_rates_t& rates) noexcept {
    return bevrt_worker_push_rates(handle_, &rates);
  }
  Status tick(std::int64_t now_ns) noexcept { return bevrt_worker_tick(handle_, now_ns); }
  Status poll(std::int64_t timeout_ns, bevrt_frame_t& frame) noexcept {
    return bevrt_worker_poll(handle_, timeout_ns, &frame, sizeof frame);
  }
  /// Waits until all that was queued before is done.
  Status flush(std::int64_t timeout_ns) noexcept {
    return bevrt_worker_flush(handle_, timeout_ns);
  }
  Status counts(bevrt_worker_counts_t& counts) const noexcept {
    return bevrt_worker_counts(handle_, &counts, sizeof counts);
  }

 private:
  explicit Worker(bevrt_worker_t* handle) noexcept : handle_(handle) {}
  bevrt_worker_t* handle_;
};

}  // namespace bevrt

#endif  // BEVRT_HPP
