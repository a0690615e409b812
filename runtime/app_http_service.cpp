#include "runtime/app_http_service.hpp"

#include <romancy/outbox_event.hpp>

namespace romancy {

namespace {

received_event received(cloud_event event) {
  received_event in{std::move(event.id), std::move(event.source), std::move(event.type), std::move(event.data),
                    std::move(event.attributes)};
  for (const auto* known : {"id", "source", "type", "specversion"}) in.attributes.erase(known);
  if (event.kind == cloud_event::data_kind::bytes) in.attributes["data_encoding"] = "base64";
  return in;
}

} // namespace

std::optional<http_service::refusal> app_http_service::accept(std::vector<cloud_event> events) {
  std::vector<received_event> taken;
  for (auto& event : events) taken.push_back(received(std::move(event)));
  static_cast<void>(app_->receive(taken));
  return std::nullopt;
}

http_service::cancel_result app_http_service::cancel(const std::string& id, const std::string& reason,
                                                     const std::string& author) {
  if (!app_->describe(id)) return cancel_result::unknown;
  return app_->cancel(id, reason, author) ? cancel_result::accepted : cancel_result::ended;
}

http_service::readiness app_http_service::ready() {
  readiness now{app_->health(), {}};
  if (!now.health.ok) return now; // a database that is away would keep us
  const auto counts = app_->storage().get_outbox_status_counts();
  const auto pending = counts.find(outbox_status::pending);
  now.backlog["outbox"] = pending == counts.end() ? 0 : pending->second;
  return now;
}

} // namespace romancy
