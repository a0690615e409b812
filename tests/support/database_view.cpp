#include "tests/support/database_view.hpp"

#include <thread>

#include "storage/database.hpp"

namespace romancy::testing {

template <class Question> auto database_view::ask(Question question) {
  if (!session_) session_ = database::connect(url_);
  try {
    return question(*session_);
  } catch (const soci::soci_error&) {
    session_.reset();
    throw;
  }
}

void database_view::run(const std::string& sql) {
  ask([&](soci::session& session) { session << sql; });
}

long long database_view::number(const std::string& sql) {
  return ask([&](soci::session& session) {
    long long value = 0;
    session << sql, soci::into(value);
    return value;
  });
}

std::vector<std::string> database_view::rows(const std::string& sql, int columns) {
  return ask([&](soci::session& session) {
    std::vector<std::string> values(static_cast<std::size_t>(columns));
    std::vector<soci::indicator> are(values.size());
    soci::statement select{session};
    for (std::size_t i = 0; i < values.size(); ++i) select.exchange(soci::into(values[i], are[i]));
    select.alloc();
    select.prepare(sql);
    select.define_and_bind();
    std::vector<std::string> found;
    for (bool more = select.execute(true); more; more = select.fetch()) {
      std::string row;
      for (std::size_t i = 0; i < values.size(); ++i)
        row += (i == 0 ? "" : " ") + (are[i] == soci::i_null ? "-" : values[i]);
      found.push_back(std::move(row));
    }
    return found;
  });
}

bool database_view::becomes(const std::string& sql, long long value, std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    try {
      if (number(sql) == value) return true;
    } catch (const std::exception&) { // away
      if (std::chrono::steady_clock::now() >= end) throw;
    }
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
}

int database_view::end_connections(int among) {
  const bool postgresql = url_.kind == database_url::backend::postgresql;
  int ended = 0, seen = 0;
  for (const auto& id : rows(postgresql ? "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND "
                                          "pid <> pg_backend_pid() ORDER BY random()"
                                        : "SELECT id FROM information_schema.processlist WHERE db = database() AND "
                                          "id <> connection_id() ORDER BY rand()"))
    if (seen++ % among == 0) try {
        if (postgresql)
          static_cast<void>(rows("SELECT pg_terminate_backend(" + id + ')'));
        else
          run("KILL CONNECTION " + id);
        ++ended;
      } catch (const soci::soci_error&) { // it has ended by itself
      }
  return ended;
}

} // namespace romancy::testing
