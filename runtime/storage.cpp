#include <romancy/storage.hpp>

#include <romancy/error.hpp>

#include "runtime/storage_backend.hpp"
#include "storage/instance_query.hpp"
#include "storage/outbox_reader.hpp"

namespace romancy {

namespace {

/// For code that looks at a database, its being away is no failed start.
std::unique_ptr<database> open(const detail::storage_backend& backend) try {
  return backend.open();
} catch (const startup_error& e) {
  throw storage_error{e.what(), true};
}

} // namespace

storage::storage(std::shared_ptr<detail::storage_backend> backend) : backend_{std::move(backend)} {}

std::vector<outbox_event> storage::get_pending_outbox_events(int limit) const {
  const auto db = open(*backend_);
  return outbox_reader{*db}.list({.status = outbox_status::pending, .limit = limit});
}

std::map<outbox_status, long long> storage::get_outbox_status_counts() const {
  const auto db = open(*backend_);
  return outbox_reader{*db}.status_counts();
}

instance_page storage::list_instances(const instance_filter& filter) const {
  const auto db = open(*backend_);
  auto found = instance_query{*db}.list(filter);
  instance_page page;
  if (found.more) page.next = std::move(found.items.back().page);
  for (auto& row : found.items) page.items.push_back(std::move(row.instance));
  return page;
}

std::optional<instance_details> storage::find_instance(const std::string& instance_id) const {
  const auto db = open(*backend_);
  return instance_query{*db}.find(instance_id);
}

std::unique_ptr<soci::session> storage::connect() const { return database::connect(backend_->url()); }

} // namespace romancy
