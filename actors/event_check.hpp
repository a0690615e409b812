#pragma once

#include <cstddef>
#include <string>

#include <romancy/detail/outgoing_event.hpp>

#include "messages/cancel_request.hpp"
#include "messages/event_record.hpp"

namespace romancy {

/// Turns what user code sends into what the outbox keeps, or refuses it. Does not set id (when none was given), instance,
/// activity and time. @throws payload_error that names the event, what is wrong with it and the remedy.
event_record checked(const detail::outgoing_event& event, const std::string& default_source, std::size_t max_bytes);

/// Not empty, at most `longest` bytes, valid UTF-8 without control characters. @throws payload_error; `what` names the
/// text.
void check_name(const std::string& text, const std::string& what, std::size_t longest = 255);

/// A reason that history can keep; a word in place of none. @throws payload_error, also for an author of more than 255
/// bytes
cancel_request checked_cancel(const std::string& instance_id, const std::string& reason, const std::string& author = {});

} // namespace romancy
