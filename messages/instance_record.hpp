#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <romancy/instance_status.hpp>

#include "messages/time_point.hpp"

namespace romancy {

struct instance_record {
  std::string instance_id;
  std::string workflow;
  instance_status status = instance_status::running;
  std::string input;         ///< a JSON array
  std::string output;        ///< JSON text, once completed
  std::string error;         ///< why it failed, was cancelled or parked
  std::string cancel_reason; ///< not empty: it is to be stopped and undone
  std::int64_t fence = 0;    ///< grows with each takeover; a commit with an older one is refused
  std::string owner_epoch;   ///< empty: nobody's
  int run = 1;               ///< how often it has continued as new, and 1
  std::string start_input{}; ///< of the first run
  time_point started_at{};
  time_point run_started_at{}; ///< of the first run, when the instance was
  std::string parent_id{};     ///< not empty: a step of that instance waits for it
  std::optional<time_point> deadline{};
  std::optional<std::uint64_t> seed{}; ///< of the run, if it is another one's: see random_seed
};

/// What tells the runs of an instance apart in what it says to others.
inline std::string run_name(const std::string& instance_id, int run) {
  return run == 1 ? instance_id : instance_id + '#' + std::to_string(run);
}

/// What the random numbers of its run grow from. Of an instance, and of each of its runs: so that two do not draw the
/// same.
/// A fork draws what its source drew.
inline std::uint64_t random_seed(const instance_record& instance) {
  if (instance.seed) return *instance.seed;
  std::uint64_t hash = 14695981039346656037U; // FNV-1a
  for (const char c : run_name(instance.instance_id, instance.run) + '@' +
                          std::to_string(instance.started_at.time_since_epoch().count()))
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

} // namespace romancy
