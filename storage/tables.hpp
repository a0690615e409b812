#pragma once

#include "storage/compensation_table.hpp"
#include "storage/epoch_table.hpp"
#include "storage/history_table.hpp"
#include "storage/instance_table.hpp"
#include "storage/outbox_table.hpp"

namespace romancy {

/// All tables over one connection, which must outlive them and be migrated already.
struct tables {
  explicit tables(database& db) : outbox{db}, instances{db}, history{db}, compensations{db}, epochs{db} {}

  outbox_table outbox;
  instance_table instances;
  history_table history;
  compensation_table compensations;
  epoch_table epochs;
};

} // namespace romancy
