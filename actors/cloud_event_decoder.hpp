#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "actors/malformed_event.hpp"
#include "messages/received_event.hpp"

namespace romancy {

/// Names in lower case, values as they came, without the space around them.
using http_headers = std::map<std::string, std::string, std::less<>>;

/// Decodes one CloudEvent 1.0 of an HTTP request; `status` stays 0. Pure; any thread.
///
/// Structured mode is the media type `application/cloudevents+json`; other formats and batches are refused. A request of
/// any other type is in binary mode: attributes in `ce-` headers, unquoted and percent-decoded (HTTP binding 1.0,
/// section 3.1.3.2).
///
/// Data of a JSON media type (`*/json`, `*/*+json`; in structured mode also of none) is a JSON value. In structured mode
/// other `data` is text and `data_base64` is bytes. In binary mode a body of `text/*`, `*/xml` or `*/*+xml` that is UTF-8
/// is text and any other is bytes; an empty body of a JSON media type or of none is no data.
///
/// @throws malformed_event with a sentence that names what is wrong: a required attribute that is missing, a specversion
/// other than 1.0, a name or value that CloudEvents does not allow, an attribute that is there twice, a body that is not
/// JSON where it has to be, or data that nests deeper than 200 levels.
received_event decode_cloud_event(const http_headers& headers, std::string_view body);

/// The same, and also the batched mode, `application/cloudevents-batch+json`: an array of events, in their order; an
/// empty one is allowed. A single event comes as a vector of one.
///
/// @throws malformed_event also when one event of a batch is malformed, with its index, counted from 0; or when the batch
/// has more than `max_batch` events.
std::vector<received_event> decode_cloud_events(const http_headers& headers, std::string_view body,
                                                std::size_t max_batch);

} // namespace romancy
