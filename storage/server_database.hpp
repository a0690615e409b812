#pragma once

#include <memory>

#include "storage/database.hpp"
#include "storage/session_guard.hpp"

namespace romancy {

/// As the standard spells it.
constexpr std::string_view sql_name(isolation_level level) {
  switch (level) {
    case isolation_level::read_committed: return "READ COMMITTED";
    case isolation_level::repeatable_read: return "REPEATABLE READ";
    case isolation_level::serializable: return "SERIALIZABLE";
  }
  return "READ COMMITTED";
}

/// Adds `key='value'` to a connect string, quoted as SOCI's backends for servers read it.
void add_parameter(std::string& connect_string, const std::string& key, const std::string& value);

/// What connections to database servers have in common. A unit of work has a transaction of its own, or shares it with
/// units that can be carried out again: level 0 is the transaction itself.
class server_database : public database {
public:
  void commit() override;
  void roll_back() noexcept override;
  void open_savepoint(int level) override;
  void release_savepoint(int level) override;
  void roll_back_savepoint(int level) override;
  void lend() override;
  void take_back() override;
  const std::string& refused() const override;

protected:
  server_database(const romancy::dialect& spoken, const soci::backend_factory& backend, const std::string& connect_string,
                  const options& how);

  void do_begin(isolation_level level) override;
  void run(const std::string& sql, const char* doing);
  const std::shared_ptr<session_guard>& guard() const noexcept { return guard_; }

private:
  std::shared_ptr<session_guard> guard_;
};

} // namespace romancy
