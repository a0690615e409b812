#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/time_point.hpp"

namespace romancy {

enum class wait_kind {
  timer, ///< for a time
  event, ///< for a message on one of its channels, or a time
  child, ///< for the end of an instance
  retry, ///< for the time of the next attempt
};

constexpr std::string_view to_string(wait_kind kind) {
  switch (kind) {
    case wait_kind::timer: return "timer";
    case wait_kind::event: return "event";
    case wait_kind::child: return "child";
    case wait_kind::retry: return "retry";
  }
  return "unknown";
}

constexpr std::optional<wait_kind> to_wait_kind(std::string_view text) {
  using enum wait_kind;
  for (auto kind : {timer, event, child, retry})
    if (to_string(kind) == text) return kind;
  return std::nullopt;
}

/// What a step waits for. It is in the database from then on until the step has its outcome, whatever becomes of the
/// process.
struct wait_record {
  std::string activity_id; ///< "@sleep:1"
  int position = 0;
  wait_kind kind = wait_kind::timer;
  std::vector<std::string> channels; ///< event: the names of the channels; child: the id of the instance
  std::optional<time_point> due;     ///< none: as long as it takes
  std::string data;                  ///< of retry: what the attempts before have come to
};

} // namespace romancy
