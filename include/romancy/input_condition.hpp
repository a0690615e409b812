#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace romancy {

/// A value that an instance was started with, for instance_filter.
struct input_condition {
  /// Where it is. Inputs are a JSON array of the workflow's parameters, so `$[0]` is the first one, `$[0].order_id` a
  /// member of it, `$[1].items[0]."unit price"` one with other characters than letters, digits, '_' and '-'. Indexes and
  /// names only: no wildcards, no filters. Names have no control characters, '"' or '\'; at most 30 steps.
  std::string path;
  /// A string, number, boolean or null. Strings are compared byte by byte; numbers by value (1 and 1.0 are equal), whole
  /// ones of 64 bits exactly. Null finds what is null, not what is missing.
  nlohmann::json equals;
};

} // namespace romancy
