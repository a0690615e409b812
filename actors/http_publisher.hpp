#pragma once

#include <memory>

#include "actors/cloud_event_encoder.hpp"
#include "actors/environment.hpp"
#include "actors/guard.hpp"
#include "actors/local_messages.hpp"
#include "actors/message_types.hpp"

namespace romancy {

/// POSTs events to the broker and tells who asked what became of each (event_answered). The requests run outside, in the
/// http_port; this actor only encodes and forwards.
class http_publisher final : public caf::event_based_actor {
public:
  http_publisher(caf::actor_config& cfg, environment_ptr env, outbox_options options)
      : event_based_actor{cfg}, env_{std::move(env)}, options_{std::move(options)}, http_{env_->open_http(
                                                                                        options_.max_in_flight)} {
    for (const auto& [name, value] : options_.headers) headers_.push_back(name + ": " + value);
  }
  const char* name() const override { return "http_publisher"; }

  caf::behavior make_behavior() override {
    guard(this, name());
    return {
        [this](publish_events& request) {
          const auto relayer = current_sender();
          for (const auto& event : request.events) post(event, relayer);
        },
        [this](const drain&) { quit(); },
    };
  }

  void on_exit() override { http_.reset(); }

private:
  void post(const event_record& event, const caf::strong_actor_ptr& relayer) {
    encoded_event encoded;
    try {
      encoded = encode(event, options_.mode);
    } catch (const std::exception& e) { // attributes written by hand
      return tell(relayer, event_answered{event.id, 0, std::string{"it cannot be encoded: "} + e.what()});
    }
    encoded.headers.insert(encoded.headers.end(), headers_.begin(), headers_.end());
    http_->post({options_.broker_url, std::move(encoded.headers), std::move(encoded.body), options_.request_timeout},
                [relayer, id = event.id](http_response response) {
                  tell(relayer, event_answered{id, response.status, std::move(response.error)});
                });
  }

  environment_ptr env_;
  outbox_options options_;
  std::unique_ptr<http_port> http_;
  std::vector<std::string> headers_;
};

} // namespace romancy
