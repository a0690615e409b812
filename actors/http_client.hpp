#pragma once

#include <memory>

#include "actors/http_port.hpp"

namespace romancy {

/// Real HTTP by libcurl: one thread, many requests on the wire, connections kept alive. Redirects are not followed.
/// The destructor ends what is on the wire; those requests get no answer.
class http_client final : public http_port {
public:
  /// Requests beyond `max_in_flight` wait their turn.
  explicit http_client(int max_in_flight);
  ~http_client() override;
  void post(http_request request, std::function<void(http_response)> answer) override;

private:
  class engine;
  std::unique_ptr<engine> engine_;
};

/// Empty, or a sentence that says why libcurl cannot POST to this.
std::string why_no_http_url(const std::string& url);

} // namespace romancy
