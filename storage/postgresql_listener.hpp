#pragma once

#include "storage/listener.hpp"

#include <soci/soci.h>

namespace romancy {

/// https://www.postgresql.org/docs/15/libpq-notify.html
class postgresql_listener final : public listener {
public:
  explicit postgresql_listener(const database_url& url);
  ~postgresql_listener() override;

  std::set<std::string> wait() override;
  void stop() noexcept override;

private:
  std::unique_ptr<soci::session> session_;
  int stop_event_;
};

} // namespace romancy
