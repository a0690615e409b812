#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "messages/channel_action.hpp"
#include "messages/event_record.hpp"
#include "messages/history_record.hpp"

namespace romancy {

/// What one step commits, beside the rows that user code wrote: together or not at all.
struct step_record {
  std::string instance_id;
  std::int64_t fence = 0;
  history_record history;
  std::vector<event_record> events;
  std::string compensation_arguments; ///< empty: nothing to undo
  std::int64_t compensation_done = 0; ///< the compensation_record that this step has carried out; 0: none
  std::vector<channel_action> channel_actions{};
  bool has_waited = false; ///< there is a wait_record of it, which has its end
};

} // namespace romancy
