#include "bench/raw_sqlite.hpp"

#include <stdexcept>

#include <sqlite3.h>

#include "bench/measurement.hpp"

namespace romancy::bench {

struct raw_sqlite::handles {
  sqlite3* db = nullptr;
  sqlite3_stmt* insert = nullptr;
};

raw_sqlite::raw_sqlite(const std::string& path) : handles_{std::make_unique<handles>()} {
  if (sqlite3_open(path.c_str(), &handles_->db) != SQLITE_OK) throw std::runtime_error{"cannot open " + path};
  sqlite3_exec(handles_->db,
               "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
               "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
               nullptr, nullptr, nullptr);
  sqlite3_prepare_v2(handles_->db, "INSERT INTO t (text) VALUES (?)", -1, &handles_->insert, nullptr);
  static const std::string record(220, 'r');
  sqlite3_bind_text(handles_->insert, 1, record.c_str(), static_cast<int>(record.size()), SQLITE_STATIC);
}

raw_sqlite::~raw_sqlite() {
  sqlite3_finalize(handles_->insert);
  sqlite3_close(handles_->db);
}

void raw_sqlite::commit_record() {
  if (sqlite3_step(handles_->insert) != SQLITE_DONE) throw std::runtime_error{sqlite3_errmsg(handles_->db)};
  sqlite3_reset(handles_->insert);
}

double raw_sqlite::commits_per_second(const std::string& path) {
  raw_sqlite raw{path};
  constexpr int records = 3000;
  return records / seconds([&] {
           for (int i = 0; i < records; ++i) raw.commit_record();
         });
}

} // namespace romancy::bench
