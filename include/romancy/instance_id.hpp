#pragma once

#include <string>
#include <utility>

namespace romancy {

/// Chosen by the caller, 1 to 200 bytes of UTF-8 without control characters, so that starting twice is starting once.
/// Explicit: an id never slips in as an input.
struct instance_id {
  explicit instance_id(std::string text) : value{std::move(text)} {}
  std::string value;
};

} // namespace romancy
