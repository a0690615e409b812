#pragma once

#include <string>
#include <vector>

#include <romancy/outbox_options.hpp>

#include "messages/event_record.hpp"

namespace romancy {

/// A CloudEvent 1.0 as HTTP carries it.
struct encoded_event {
  std::vector<std::string> headers; ///< "Name: value", Content-Type among them
  std::string body;
};

/// The same bytes each time: id, source, time and data never change between attempts (CloudEvents 1.0, section 3.1).
encoded_event encode(const event_record& event, content_mode mode);

} // namespace romancy
