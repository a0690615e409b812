#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace romancy::testing {

/// One run of an activity, of a compensation or of ctx.transaction in a scenario.
struct attempt {
  std::chrono::milliseconds at{}; ///< since the scenario began
  std::string instance_id;
  std::string step; ///< "charge_card:1"; "@compensate:charge_card:1"
  int number = 1;   ///< as ctx.attempt() tells it
  /// Nothing: its code returned, and what it wrote was handed in to be committed. Else what it threw, or why it could not
  /// be committed.
  std::optional<std::string> error{};
};

} // namespace romancy::testing
