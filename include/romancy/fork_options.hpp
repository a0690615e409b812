#pragma once

#include <optional>
#include <string>

#include <romancy/instance_id.hpp>

namespace romancy {

/// Where app::fork begins.
struct fork_options {
  /// "charge_card:1": the first step of the source's history that runs anew. `romancy workflow show` lists them.
  std::string from_step;
  /// Of the fork; none: a new UUID. With an id of your own, forking twice is forking once.
  std::optional<instance_id> new_id{};
};

} // namespace romancy
