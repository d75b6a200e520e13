// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "rust/cxx.h"

#include <cstdint>

namespace bevrt::program {

std::int32_t replay(rust::Str package, rust::Str drive_path, rust::Vec<std::uint8_t>& frames,
                    rust::String& text) noexcept;

}  // namespace bevrt::program
