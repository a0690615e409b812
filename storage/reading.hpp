#pragma once

#include "storage/database.hpp"

namespace romancy {

/// While it lives, SELECTs see the same moment, and hold up nobody. @pre there is no transaction
class reading {
public:
  explicit reading(database& db) : db_{db} {
    if (db.dialect().one_writer)
      db.session() << "BEGIN"; // without the write lock
    else
      db.begin(isolation_level::repeatable_read);
  }
  ~reading() { db_.roll_back(); }
  reading(const reading&) = delete;
  reading& operator=(const reading&) = delete;

private:
  database& db_;
};

} // namespace romancy
