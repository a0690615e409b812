#pragma once

#include <string>

#include <romancy/detail/ports.hpp>

#include "messages/compensation_record.hpp"

namespace romancy {

// Why an instance parks that is being undone; `failure`: what it is undone for.

inline std::string no_compensation(const compensation_record& undo, const std::string& failure) {
  return "history wants to undo " + undo.activity_id + ", but the code has no compensation for an activity '" +
         undo.activity_name + "': add it again. The workflow had failed: " + failure;
}

inline std::string unreadable_compensation(const std::string& activity_id, const std::string& why,
                                           const std::string& failure) {
  return "today's code cannot read what is to be undone of " + activity_id + ": " + why +
         ": let the compensation accept it. The workflow had failed: " + failure;
}

} // namespace romancy
