#pragma once

#include <initializer_list>
#include <string>

#include "storage/database.hpp"
#include "storage/storage_failure.hpp"

namespace romancy {

/// What is bound to a statement of PostgreSQL ends at the first NUL byte, silently.
/// @throws storage_failure if `db` would not keep one of `texts`; `doing` says what was tried.
inline void check_text(const database& db, const std::string& doing, std::initializer_list<const std::string*> texts) {
  if (db.dialect().keeps_nul) return;
  for (const auto* text : texts)
    if (text->find('\0') != std::string::npos)
      throw storage_failure{failure_kind::other, "cannot " + doing +
                                                     ": it has text with a NUL byte, which this database " +
                                                     "cannot store: encode it, or send bytes"};
}

} // namespace romancy
