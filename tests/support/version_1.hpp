#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/migrations.hpp"
#include "tests/support/database_file.hpp"

namespace romancy::testing {

inline void run_all(soci::session& sql, std::string_view script) {
  for (const auto& statement : migrations::statements(script)) sql << statement;
}

/// The schema as it was at version 1.
inline void make_version_1(database& db) {
  db.session() << "CREATE TABLE romancy_schema (version INTEGER PRIMARY KEY, name VARCHAR(255) NOT NULL, "
                  "applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)";
  run_all(db.session(), migrations::all(db.dialect()).front().sql);
  db.session() << "INSERT INTO romancy_schema (version, name) VALUES (1, '0001_initial')";
  if (db.in_transaction()) db.commit(); // MySQL has begun one
}

/// The schema of version 1, and what `ecommerce` had written when its process was killed: P-1 has its first step, P-2 is
/// complete, P-3 is parked.
inline void make_version_1_with_orders(database& db) {
  make_version_1(db);
  run_all(db.session(), R"(
CREATE TABLE orders (order_id VARCHAR(255) NOT NULL, amount DOUBLE PRECISION, status VARCHAR(50));
INSERT INTO orders VALUES ('P-1', 11, 'pending'), ('P-2', 12, 'pending');
INSERT INTO workflow_instances VALUES
  ('P-1', 'process_order', 'running', '[{"amount":11.0,"id":"P-1","number":1}]', NULL, NULL, 'dead', 1,
   '2026-01-01 00:00:01.000000', NULL),
  ('P-2', 'process_order', 'completed', '[{"amount":12.0,"id":"P-2","number":2}]',
   '{"order_id":"P-2","paid":true}', NULL, NULL, 1, '2026-01-01 00:00:02.000000', '2026-01-01 00:00:03.000000'),
  ('P-3', 'process_order', 'parked', '[{"amount":13.0,"id":"P-3","number":3}]', NULL, 'history disagrees', NULL, 2,
   '2026-01-01 00:00:03.000000', '2026-01-01 00:00:04.000000');
INSERT INTO workflow_history (instance_id, activity_id, position, event_type, event_data, created_at) VALUES
  ('P-1', 'create_order:1', 1, 'ActivityCompleted', 'null', '2026-01-01 00:00:01.000001'),
  ('P-2', 'create_order:1', 1, 'ActivityCompleted', 'null', '2026-01-01 00:00:02.000001'),
  ('P-2', 'process_payment:1', 2, 'ActivityCompleted', 'true', '2026-01-01 00:00:02.000002'),
  ('P-2', 'ship_order:1', 3, 'ActivityCompleted', 'null', '2026-01-01 00:00:02.000003'),
  ('P-2', '@send_event:1', 4, 'EventSent', '"P-2/@send_event:1"', '2026-01-01 00:00:02.000004');
INSERT INTO workflow_compensations (instance_id, activity_id, activity_name, args, created_at) VALUES
  ('P-3', 'reserve:1', 'reserve', '[]', '2026-01-01 00:00:03.000001');
INSERT INTO outbox_events (event_id, event_type, event_source, event_data, status, retry_count, locked_by, instance_id)
  VALUES ('E-1', 'order.created', 'order-service', '{"order_id":"P-1"}', 'pending', 0, 'dead', 'P-1'),
         ('E-2', 'order.created', 'order-service', '{"order_id":"P-2"}', 'published', 1, NULL, 'P-2'),
         ('E-3', 'order.created', 'order-service', '{"order_id":"P-3"}', 'failed', 3, NULL, 'P-3');
INSERT INTO worker_epochs VALUES
  ('dead', 'ecommerce', 'elsewhere', '1:1', '2026-01-01 00:00:00.000000', '2026-01-01 00:00:10.000000');
)");
  if (db.in_transaction()) db.commit();
}

/// A SELECT for each table that gives its rows as text, with the columns that it has now.
inline std::vector<std::string> selects(database_file& db) {
  const auto& dialect = db.db().dialect();
  const bool sqlite3 = dialect.name == sqlite3_dialect.name, mysql = dialect.name == mysql_dialect.name;
  const std::string quote = sqlite3 || mysql ? "quote" : "quote_nullable";
  const std::string then = mysql ? ", ' ', " : " || ' ' || ";
  std::string table, column;
  std::map<std::string, std::string> columns;
  soci::statement all = (db.db().session().prepare
                             << (sqlite3 ? "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c "
                                           "WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid"
                                         : "SELECT table_name, column_name FROM information_schema.columns WHERE "
                                           "table_schema = " +
                                               std::string{mysql ? "database()" : "current_schema()"} +
                                               " ORDER BY table_name, ordinal_position"),
                         soci::into(table), soci::into(column));
  for (bool more = all.execute(true); more; more = all.fetch())
    if (table != "romancy_schema") columns[table] += then + quote + '(' + column + ')';
  std::vector<std::string> found;
  for (const auto& [name, list] : columns)
    found.push_back(std::string{"SELECT "} + (mysql ? "concat" : "") + "('" + name + ":'" + list + ") FROM " + name +
                    " ORDER BY 1");
  return found;
}
/// The same after the migration, which gives the reason of a parked instance a column of its own.
inline std::vector<std::string> after_version_1(std::vector<std::string> selects) {
  const std::string error = "(error)";
  for (auto& select : selects)
    if (const auto at = select.find(error); at != std::string::npos)
      select.replace(at, error.size(), "(coalesce(park_reason, error))");
  return selects;
}
/// What these SELECTs give, one after the other.
inline std::vector<std::string> rows(database_file& db, const std::vector<std::string>& selects) {
  std::vector<std::string> all;
  for (const auto& select : selects)
    for (auto& row : db.texts(select)) all.push_back(std::move(row));
  return all;
}

} // namespace romancy::testing
