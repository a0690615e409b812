#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <romancy/input_condition.hpp>
#include <romancy/instance_status.hpp>

namespace romancy {

/// By the time at which instances were started; those of the same time by id.
enum class instance_order { oldest_first, newest_first };

/// Which instances storage::list_instances is to find, and how many of them. What is left empty does not restrict; all
/// that is given must hold.
struct instance_filter {
  using time_point = std::chrono::sys_time<std::chrono::microseconds>;

  std::vector<instance_status> statuses{};     ///< any of them
  std::vector<std::string> workflows{};        ///< any of these names
  std::string instance_id{};                   ///< exactly this one
  std::string id_prefix{};                     ///< ids that begin so; no character is a wildcard
  std::string id_contains{};                   ///< ids with this somewhere in them; no character is a wildcard
  std::optional<time_point> started_after{};   ///< then or later, UTC
  std::optional<time_point> started_before{};  ///< earlier
  std::optional<time_point> finished_after{};  ///< then or later. Parked instances count from when they were parked
  std::optional<time_point> finished_before{}; ///< earlier
  /// Values that they were started with. No index helps: every instance that the rest lets through is read.
  std::vector<input_condition> input{};

  instance_order order = instance_order::oldest_first;
  int limit = 50; ///< of a page: 1 to 1000
  /// instance_page::next of the page before, of the same order; empty: the first page.
  std::string page{};
};

} // namespace romancy
