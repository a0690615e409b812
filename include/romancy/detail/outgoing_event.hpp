#pragma once

#include <string>

#include <romancy/event_data.hpp>
#include <romancy/event_options.hpp>

namespace romancy::detail {

/// What send_event_transactional was given, before it is checked and stored.
struct outgoing_event {
  std::string type;
  std::string source; ///< empty: the app's own
  event_data data;
  event_options options;
};

} // namespace romancy::detail
