#pragma once

#include <memory>

#include "storage/channel_table.hpp"
#include "storage/compensation_table.hpp"
#include "storage/epoch_table.hpp"
#include "storage/history_table.hpp"
#include "storage/inbox_table.hpp"
#include "storage/instance_table.hpp"
#include "storage/outbox_table.hpp"
#include "storage/storage_failure.hpp"
#include "storage/wait_table.hpp"

namespace romancy {

/// All tables over one connection, which must outlive them and be migrated already.
struct tables {
  explicit tables(database& db)
      : outbox{db}, instances{db}, history{db}, compensations{db}, waits{db}, channels{db}, inbox{db}, epochs{db} {}

  outbox_table outbox;
  instance_table instances;
  history_table history;
  compensation_table compensations;
  wait_table waits;
  channel_table channels;
  inbox_table inbox;
  epoch_table epochs;
};

/// `Tables` over a connection, with their statements prepared. @throws storage_failure, as when the connection was lost
template <class Tables> std::unique_ptr<Tables> open_tables(database& db) try {
  return std::make_unique<Tables>(db);
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "prepare statements");
}

} // namespace romancy
