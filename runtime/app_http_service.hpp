#pragma once

#include <memory>

#include <romancy/detail/ports.hpp>

#include "runtime/http_service.hpp"

namespace romancy {

/// What an http_server asks an app: events go into its inbox.
class app_http_service final : public http_service {
public:
  explicit app_http_service(std::shared_ptr<detail::runtime> app) : app_{std::move(app)} {}

  std::optional<refusal> accept(std::vector<cloud_event> events) override;
  cancel_result cancel(const std::string& id, const std::string& reason, const std::string& author) override;
  std::optional<nlohmann::json> instance(const std::string& id) override { return app_->describe(id); }
  readiness ready() override;

private:
  std::shared_ptr<detail::runtime> app_;
};

} // namespace romancy
