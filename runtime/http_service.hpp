#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <romancy/health.hpp>

#include "messages/cloud_event.hpp"

namespace romancy {

/// What the http_server asks of the app. Called on the server's handler threads, several at once; may block. What is
/// thrown becomes an answer: payload_error 400, instance_conflict 409, storage_error 503, anything else 500.
class http_service {
public:
  struct refusal {
    int status = 503;
    std::string error;      ///< a sentence
    std::string error_type; ///< a word
    bool retryable = true;
  };
  enum class cancel_result { accepted, unknown, ended };
  struct readiness {
    romancy::health health{};
    std::map<std::string, std::int64_t> backlog{}; ///< by queue, what waits: {"inbox", 3}
  };

  virtual ~http_service() = default;

  /// Stores the events, all or none; returns once they are committed, or with why they are not.
  virtual std::optional<refusal> accept(std::vector<cloud_event> events) = 0;
  /// Asks for an instance to be cancelled. `reason` may be empty; `author` is the address of the client.
  virtual cancel_result cancel(const std::string& id, const std::string& reason, const std::string& author) = 0;
  /// Status, result and error of an instance; nothing if there is none.
  virtual std::optional<nlohmann::json> instance(const std::string& id) = 0;
  /// Called on a thread of its own, one call at a time.
  virtual readiness ready() = 0;
};

} // namespace romancy
