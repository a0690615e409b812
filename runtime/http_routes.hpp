/// Includes Boost.Beast: for sources only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <romancy/http_options.hpp>

#include "actors/http_message.hpp"
#include "runtime/http_service.hpp"

namespace romancy {

/// A refusal as clients see it: {"error", "error_type", "retryable"}, with Retry-After when a second may help.
net::response refusal(unsigned status, std::string_view error_type, std::string_view sentence, bool retryable = false);

/// What each request asks for, and how it is answered; knows no socket. Copies share the service. Any thread.
class http_routes {
public:
  enum class action { events, live, ready, cancel, instance };
  struct route {
    action what = action::events;
    std::string id{};        ///< of the instance
    bool authorized = false; ///< has the token, or there is none
  };

  http_routes(std::shared_ptr<const http_options> options, std::shared_ptr<http_service> service);

  /// Judges a request by its headers, before its body is read. @returns the refusal, or nothing and fills `found`
  std::optional<net::response> refuse(const net::request_parser& parser, route& found) const;

  /// Answers the whole request. May block, unless it is `live`. Never throws what the service throws.
  net::response answer(const route& found, const net::request& message, const std::string& client) const;

private:
  bool is_authorized(const net::request& message) const;
  net::response accept(const net::request& message) const;
  net::response cancel(const std::string& id, const std::string& body, const std::string& client) const;
  net::response instance(const std::string& id) const;
  net::response ready(bool with_details) const;

  std::shared_ptr<const http_options> options_;
  std::shared_ptr<http_service> service_;
};

} // namespace romancy
