#include "runtime/http_routes.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <utility>

#include <boost/beast/core/string.hpp>
#include <nlohmann/json.hpp>

#include <romancy/error.hpp>

#include "actors/log.hpp"
#include "actors/percent_encoding.hpp"
#include "actors/utf8.hpp"

namespace romancy {

namespace {

using boost::beast::iequals;
using net::http::field;
using net::http::verb;
using nlohmann::json;

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

/// What comes from outside may not be UTF-8.
std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

/// The time depends on the length of `given` only.
bool equal_in_constant_time(std::string_view expected, std::string_view given) {
  unsigned difference = expected.size() == given.size() ? 0U : 1U;
  for (std::size_t i = 0; i < given.size(); ++i)
    difference |= static_cast<unsigned char>(expected[i % expected.size()]) ^ static_cast<unsigned char>(given[i]);
  return difference == 0;
}

/// `/events?x=y` and `http://host/events` → `/events`
std::string_view path_of(std::string_view target) {
  if (const auto scheme = target.find("://"); !target.starts_with('/') && scheme != std::string_view::npos) {
    const auto path = target.find('/', scheme + 3);
    target = path == std::string_view::npos ? "/" : target.substr(path);
  }
  return target.substr(0, target.find('?'));
}

/// What follows `prefix`, if it is one segment.
std::optional<std::string_view> segment_after(std::string_view prefix, std::string_view path) {
  if (!path.starts_with(prefix)) return std::nullopt;
  path.remove_prefix(prefix.size());
  return path.empty() || path.find('/') != std::string_view::npos ? std::nullopt : std::optional{path};
}

/// An id as it is stored: UTF-8 without control characters. Nothing, if it is not written like that.
std::optional<std::string> decode_id(std::string_view segment) {
  auto id = percent_decoded(segment);
  if (!id) return std::nullopt;
  for (std::string_view left = *id; !left.empty();) {
    const auto point = cut_code_point(left);
    if (!point || is_control_or_noncharacter(*point)) return std::nullopt;
  }
  return id;
}

std::optional<net::response> refuse_framing(const net::request_parser& parser) {
  const auto& message = parser.get();
  const auto hosts = message.count(field::host);
  if (hosts > 1 || (hosts == 0 && message.version() >= 11))
    return refusal(400, "invalid_request", "a request has one header Host");
  // Beast knows no other coding, and would take the body for the next request.
  if (const auto codings = message.count(field::transfer_encoding);
      codings > 1 || (codings == 1 && !iequals(message[field::transfer_encoding], "chunked")))
    return refusal(501, "not_implemented", "the only Transfer-Encoding that is understood is chunked");
  if (message.version() < 11 && parser.chunked())
    return refusal(400, "invalid_request", "HTTP/1.0 has no Transfer-Encoding");
  return std::nullopt;
}

/// Why the body of an event cannot be what its headers say.
std::optional<net::response> refuse_body(const net::request_parser& parser) {
  const auto& message = parser.get();
  const auto coding = message[field::content_encoding];
  if (!coding.empty() && !iequals(coding, "identity"))
    return refusal(415, "unsupported_media_type", "bodies with a Content-Encoding are not understood: send it as it is");
  const bool expects_body = message.count(field::content_type) > 0 || message.version() < 11;
  if (expects_body && !parser.content_length() && !parser.chunked())
    return refusal(411, "length_required", "there is neither a Content-Length nor Transfer-Encoding: chunked");
  return std::nullopt;
}

unsigned status_of(event_flaw flaw) {
  return flaw == event_flaw::media_type ? 415 : flaw == event_flaw::batch_size ? 413 : 400;
}

/// At most once a second: while the database is away, each request says the same.
bool may_warn() {
  using std::chrono::steady_clock;
  static std::atomic<steady_clock::time_point> next{steady_clock::time_point{}};
  const auto now = steady_clock::now();
  auto due = next.load();
  return now >= due && next.compare_exchange_strong(due, now + std::chrono::seconds{1});
}

/// What the service throws becomes an answer. What is wrong on our side is logged and not told.
template <class Call> net::response guarded(Call call) {
  try {
    return call();
  } catch (const malformed_event& e) {
    return refusal(status_of(e.flaw()), to_string(e.flaw()), e.what());
  } catch (const payload_error& e) {
    return refusal(400, "invalid_payload", e.what());
  } catch (const instance_conflict& e) {
    return refusal(409, "conflict", e.what());
  } catch (const storage_error& e) {
    if (may_warn()) log().warn("answers requests with 503: {}", e.what());
    return e.retryable() ? refusal(503, "database_unavailable", "the database is away or busy: try again later", true)
                         : refusal(503, "database_refused", "the database refuses: the log of the service says why");
  } catch (const std::exception& e) {
    log().error("answers a request with 500: {}", e.what());
  } catch (...) {
    log().error("answers a request with 500: an exception that is no std::exception");
  }
  return refusal(500, "internal_error", "the request could not be handled: the log of the service says why", true);
}

std::string reason_in(const std::string& body) {
  if (body.empty()) return {};
  if (!is_utf8(body)) throw malformed_event{event_flaw::encoding, "the body is not UTF-8"};
  const auto members = json::parse(body, nullptr, false);
  if (!members.is_object())
    throw malformed_event{event_flaw::json, R"(the body is not a JSON object such as {"reason": "…"}; it may be empty)"};
  const auto reason = members.find("reason");
  if (reason == members.end() || reason->is_null()) return {};
  if (!reason->is_string()) throw malformed_event{event_flaw::json, "the reason is not a string"};
  return *reason;
}

} // namespace

net::response refusal(unsigned status, std::string_view error_type, std::string_view sentence, bool retryable) {
  return {.status = status,
          .headers = status == 503 && retryable ? "Retry-After: 1\r\n" : "",
          .body = dump({{"error", sentence}, {"error_type", error_type}, {"retryable", retryable}})};
}

http_routes::http_routes(std::shared_ptr<const http_options> options, std::shared_ptr<http_service> service)
    : options_{std::move(options)}, service_{std::move(service)} {}

bool http_routes::is_authorized(const net::request& message) const {
  if (options_->bearer_token.empty()) return true;
  if (message.count(field::authorization) != 1) return false;
  constexpr std::string_view scheme = "Bearer ";
  auto given = view(message[field::authorization]);
  if (given.size() < scheme.size() || !iequals(boost::beast::string_view{given.data(), scheme.size()}, "Bearer "))
    return false;
  given.remove_prefix(std::min(given.find_first_not_of(' ', scheme.size()), given.size()));
  return equal_in_constant_time(options_->bearer_token, given);
}

std::optional<net::response> http_routes::refuse(const net::request_parser& parser, route& found) const {
  const auto& message = parser.get();
  if (auto refused = refuse_framing(parser)) return refused;

  const auto path = path_of(view(message.target()));
  found.authorized = is_authorized(message);
  const bool is_probe = path == "/health/live" || path == "/health/ready";
  if (!found.authorized && !is_probe) {
    auto refused = refusal(401, "unauthorized", "the request needs the header Authorization: Bearer TOKEN");
    refused.headers = "WWW-Authenticate: Bearer realm=\"romancy\"\r\n";
    return refused;
  }
  // Web pages may send simple requests to loopback in the name of whoever looks at them.
  if (options_->bearer_token.empty() && !is_probe && message.count(field::origin) > 0)
    return refusal(403, "forbidden", "web pages may not send requests (there is a header Origin) without a bearer token");

  std::optional<std::string_view> segment;
  if (path == "/" || path == "/events") {
    found.what = action::events;
  } else if (is_probe) {
    found.what = path == "/health/live" ? action::live : action::ready;
  } else if ((segment = segment_after("/cancel/", path))) {
    found.what = action::cancel;
  } else if ((segment = segment_after("/workflows/", path))) {
    found.what = action::instance;
  } else {
    return refusal(404, "not_found",
                   "there is POST /events, POST /cancel/ID, GET /workflows/ID, GET /health/live and GET /health/ready");
  }

  const bool takes_post = found.what == action::events || found.what == action::cancel;
  const auto method = message.method();
  if (takes_post ? method != verb::post : method != verb::get && method != verb::head) {
    auto refused = refusal(405, "method_not_allowed",
                           takes_post ? "this path takes POST only" : "this path takes GET and HEAD only");
    refused.headers = takes_post ? "Allow: POST\r\n" : "Allow: GET, HEAD\r\n";
    return refused;
  }
  if (segment) {
    auto id = decode_id(*segment);
    if (!id) return refusal(400, "invalid_encoding", "the id in the path is not percent-encoded UTF-8");
    found.id = *std::move(id);
  }
  return found.what == action::events ? refuse_body(parser) : std::nullopt;
}

net::response http_routes::answer(const route& found, const net::request& message, const std::string& client) const {
  return guarded([&]() -> net::response {
    switch (found.what) {
      case action::events: return accept(message);
      case action::cancel: return cancel(found.id, message.body(), client);
      case action::instance: return instance(found.id);
      case action::ready: return ready(found.authorized);
      case action::live: break;
    }
    return {.body = dump({{"live", true}})};
  });
}

net::response http_routes::accept(const net::request& message) const {
  auto events = decode_cloud_events(net::event_headers(message), message.body(), options_->max_batch);
  const auto count = events.size();
  if (count > 0)
    if (const auto refused = service_->accept(std::move(events)))
      return refusal(static_cast<unsigned>(refused->status), refused->error_type, refused->error, refused->retryable);
  return {.status = 202, .body = dump({{"accepted", count}})};
}

net::response http_routes::cancel(const std::string& id, const std::string& body, const std::string& client) const {
  switch (service_->cancel(id, reason_in(body), client)) {
    case http_service::cancel_result::accepted: return {.body = dump({{"cancelled", true}})};
    case http_service::cancel_result::ended:
      return refusal(409, "already_ended", "instance " + id + " has ended already");
    case http_service::cancel_result::unknown: break;
  }
  return refusal(404, "not_found", "there is no instance " + id);
}

net::response http_routes::instance(const std::string& id) const {
  const auto found = service_->instance(id);
  return found ? net::response{.body = dump(*found)} : refusal(404, "not_found", "there is no instance " + id);
}

net::response http_routes::ready(bool with_details) const {
  const auto now = service_->ready();
  std::string problems;
  const auto add = [&](const std::string& problem, const std::string& details) {
    problems += (problems.empty() ? "" : "; ") + problem + (with_details && !details.empty() ? ": " + details : "");
  };
  if (!now.health.database_error.empty()) add("the database does not answer", now.health.database_error);
  for (const auto& part : now.health.parts)
    if (!part.running) add(part.name + " does not run", part.last_error);
  if (!now.health.ok && problems.empty()) add("a part does not run", "");
  for (const auto& [queue, waiting] : now.backlog)
    if (options_->max_backlog > 0 && waiting > options_->max_backlog)
      add(std::to_string(waiting) + " wait in the " + queue + ", more than " + std::to_string(options_->max_backlog), "");

  json body{{"ready", problems.empty()}, {"backlog", now.backlog}};
  if (problems.empty()) return {.body = dump(body)};
  body.update({{"error", problems}, {"error_type", "not_ready"}, {"retryable", true}});
  return {.status = 503, .body = dump(body)};
}

} // namespace romancy
