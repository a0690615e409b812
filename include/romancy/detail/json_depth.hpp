/// Nothing here is for users.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <romancy/error.hpp>

namespace romancy::detail {

/// Values inside values. nlohmann::json copies and prints by recursion: what is nested without limit ends the process.
inline constexpr int max_json_depth = 512;

/// Visits every value inside `value`, itself included, without recursion. @throws payload_error beyond max_json_depth;
/// `what` names the value
template <class Visit> void for_each_value(const nlohmann::json& value, const std::string& what, Visit visit) {
  std::vector<std::pair<const nlohmann::json*, int>> left{{&value, 1}};
  while (!left.empty()) {
    const auto [next, depth] = left.back();
    left.pop_back();
    if (depth > max_json_depth)
      throw payload_error{what + " is nested deeper than " + std::to_string(max_json_depth) +
                          " levels: send it as text, or flatten it"};
    visit(*next);
    if (next->is_structured())
      for (const auto& part : *next) left.emplace_back(&part, depth + 1);
  }
}

inline void check_depth(const nlohmann::json& value, const std::string& what) {
  if (value.is_structured()) for_each_value(value, what, [](const nlohmann::json&) {});
}

} // namespace romancy::detail
