#pragma once

#include <string>
#include <vector>

#include "messages/instance_record.hpp"

namespace romancy {

/// An event from outside, on its way into the inbox.
struct incoming_event {
  std::string source;
  std::string id;
  std::string type;                    ///< also the channel it is published on
  std::string message;                 ///< a received_event as text
  std::vector<std::string> to;         ///< the ids of the instances it is for
  std::vector<instance_record> starts; ///< the instances that it starts
  bool for_all = false;                ///< for all that wait for it
};

} // namespace romancy
