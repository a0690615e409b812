#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <romancy/instance_details.hpp>
#include <romancy/instance_filter.hpp>
#include <romancy/instance_page.hpp>
#include <romancy/outbox_event.hpp>

namespace soci {
class session;
}

namespace romancy {

namespace detail {
class storage_backend;
}

/// The database of an app, for looking at it. A cheap handle; it may outlive the app. Every call opens a
/// connection of its own, so calls may come from any thread and never see what is not committed. Functions throw
/// storage_error when the database cannot be opened or read. Seed: "Query Outbox Events", "Monitor Outbox Table".
class storage {
public:
  explicit storage(std::shared_ptr<detail::storage_backend> backend);

  /// The oldest events that wait to be delivered, at most `limit`. Reading claims nothing.
  std::vector<outbox_event> get_pending_outbox_events(int limit) const;
  /// How many events each status has; all five are present.
  std::map<outbox_status, long long> get_outbox_status_counts() const;
  /// A page of the instances that `filter` describes. With `filter.page` set to the `next` of each page before, every
  /// instance that is there all the time and fits the filter comes exactly once, whatever is started meanwhile; one whose
  /// status changes meanwhile may come or not. Not for use in a workflow function, which replay would show other pages.
  /// @throws query_error if `filter` makes no sense, or `filter.page` came from nowhere or from another order
  instance_page list_instances(const instance_filter& filter = {}) const;
  /// An instance with its history, read at one moment; nothing if there is none, or if it has been removed since
  /// (retention_options).
  std::optional<instance_details> find_instance(const std::string& instance_id) const;
  /// A new connection in autocommit mode, for SQL of your own. Not for use inside an activity: there it is
  /// `ctx.session()` that commits with the rest. On SQLite it enforces foreign keys and waits 5 s for a lock; on servers
  /// its time zone is UTC, and all else is the server's.
  std::unique_ptr<soci::session> connect() const;

  const std::shared_ptr<detail::storage_backend>& backend() const noexcept { return backend_; }

private:
  std::shared_ptr<detail::storage_backend> backend_;
};

} // namespace romancy
