#pragma once

#include <string>

#include "actors/environment.hpp"
#include "storage/run_reader.hpp"

namespace romancy {

/// Whether the definitions can go on with what is stored of an instance: its function is replayed, as far as history
/// goes. No step begins, and nothing is written. Of the environment it uses the definitions, the options and the clock.
class replay_checker {
public:
  explicit replay_checker(environment_ptr env) : env_{std::move(env)} {}

  /// Why the instance would park, in the same words; empty: it would not.
  std::string mismatch(stored_run run) const;

private:
  std::string cannot_undo(const stored_run& run, const std::string& failure) const;

  environment_ptr env_;
};

} // namespace romancy
