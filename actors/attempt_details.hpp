#pragma once

#include <string>
#include <vector>

#include "actors/local_messages.hpp"
#include "messages/time_point.hpp"

namespace romancy {

/// Keeps the error of a failed attempt for history: of the last 3, at most 500 bytes each.
void keep_error(std::vector<std::string>& errors, const std::string& message);

/// What history says of how a step came about, for people; replay does not look at it. JSON text: `duration_ms`, from the
/// beginning of the first attempt on, and `errors`, of the last attempts before the one that is recorded, in order.
std::string attempt_details(const execute_attempt& attempt, time_point now);

} // namespace romancy
