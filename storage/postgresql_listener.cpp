#include "storage/postgresql_listener.hpp"

#include <cerrno>
#include <cstdint>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <soci/postgresql/soci-postgresql.h>

#include "storage/postgresql_database.hpp"
#include "storage/storage_failure.hpp"

namespace romancy {

std::unique_ptr<listener> listener::open(const database_url& url) {
  if (url.kind != database_url::backend::postgresql) return nullptr;
  return std::make_unique<postgresql_listener>(url);
}

postgresql_listener::postgresql_listener(const database_url& url) try
    : session_{postgresql_database::connect(url)}, stop_event_{::eventfd(0, EFD_CLOEXEC)} {
  if (stop_event_ < 0) throw storage_failure{failure_kind::other, "cannot make an eventfd"};
  *session_ << "LISTEN romancy";
} catch (const soci::soci_error& e) {
  throw storage_failure::from_connecting(e);
}

postgresql_listener::~postgresql_listener() {
  if (stop_event_ >= 0) ::close(stop_event_);
}

std::set<std::string> postgresql_listener::wait() {
  auto* connection = static_cast<soci::postgresql_session_backend*>(session_->get_backend())->conn_;
  for (;;) {
    std::set<std::string> topics;
    while (auto* heard = PQnotifies(connection)) {
      topics.insert(heard->extra);
      PQfreemem(heard);
    }
    if (!topics.empty()) return topics;
    pollfd waited[2]{{PQsocket(connection), POLLIN, 0}, {stop_event_, POLLIN, 0}};
    if (::poll(waited, 2, -1) < 0 && errno != EINTR)
      throw storage_failure{failure_kind::unavailable, "cannot wait for notifications"};
    if (waited[1].revents != 0) return {};
    if (waited[0].revents != 0 && PQconsumeInput(connection) == 0)
      throw storage_failure{failure_kind::unavailable, "the connection that listens was lost"};
  }
}

void postgresql_listener::stop() noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(::write(stop_event_, &one, sizeof one) == sizeof one);
}

} // namespace romancy
