#pragma once

#include <optional>
#include <string>

#include "messages/instance_record.hpp"

namespace romancy {

/// An event from outside, on its way into the inbox.
struct incoming_event {
  std::string source;
  std::string id;
  std::string type;                     ///< also the channel it is published on
  std::string message;                  ///< a received_message as text
  std::string to;                       ///< the id of the instance it is for; empty: for all that wait for it
  std::optional<instance_record> start; ///< the instance that it starts
};

} // namespace romancy
