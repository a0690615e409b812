#pragma once

#include <cstddef>

#include <romancy/detail/ports.hpp>
#include <romancy/received_event.hpp>

#include "messages/incoming_event.hpp"

namespace romancy {

/// What is to become of an event that comes in: whom it is for by its extension attribute `romancyinstanceid`, else by
/// the rules of the workflows, else all that wait for it. @throws payload_error that names the event and what is wrong
/// with it
incoming_event take_in(const received_event& event, const detail::definition_table& definitions, std::size_t max_bytes);

} // namespace romancy
