#include "storage/postgresql_database.hpp"

#include <libpq-events.h>
#include <soci/postgresql/soci-postgresql.h>

#include "storage/storage_failure.hpp"

namespace romancy {

namespace {

/// https://www.postgresql.org/docs/15/libpq-connect.html, "Keyword/Value Connection Strings"
std::string connect_string(const database_url& url, const std::string& name) {
  std::string text;
  const auto add = [&](const std::string& key, const std::string& value) { add_parameter(text, key, value); };
  auto options = url.options;
  options.try_emplace("connect_timeout", "5");
  // A peer that is gone without a word is noticed within half a minute, not after hours.
  options.try_emplace("keepalives_idle", "10");
  options.try_emplace("keepalives_interval", "5");
  options.try_emplace("keepalives_count", "4");
  options.try_emplace("tcp_user_timeout", "30000");
  options.try_emplace("client_encoding", "UTF8");
  if (name.empty())
    options.try_emplace("application_name", "romancy");
  else
    options["application_name"] = name;
  if (!url.host.empty()) add("host", url.host);
  if (url.port != 0) add("port", std::to_string(url.port));
  if (!url.user.empty()) add("user", url.user);
  if (!url.password.empty()) add("password", url.password);
  add("dbname", url.path);
  for (const auto& [key, value] : options) add(key, value);
  return text;
}

/// SOCI's session loses the connection that it could not open. @throws soci::soci_error with the reason
void check_connection(const std::string& connect_string) {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> probe{PQconnectdb(connect_string.c_str()), &PQfinish};
  if (PQstatus(probe.get()) != CONNECTION_OK)
    throw soci::soci_error{std::string{"Cannot establish connection to the database. "} + PQerrorMessage(probe.get())};
}

using backend = guarded_backend<soci::postgresql_session_backend>;
class backend_factory final : public soci::backend_factory {
public:
  backend* make_session(const soci::connection_parameters& parameters) const override {
    check_connection(parameters.get_connect_string());
    return new backend{parameters, false};
  }
};
const backend_factory factory;

/// Times are text: as to_text() writes them, whatever the server is set to.
constexpr auto same_times = "SET TIME ZONE 'UTC'; SET datestyle = 'ISO, YMD'";

PGconn* native(const soci::session& session) {
  return static_cast<soci::postgresql_session_backend*>(const_cast<soci::session&>(session).get_backend())->conn_;
}

bool is_conflict(std::string_view sqlstate) { return sqlstate == "40001" || sqlstate == "40P01"; }

/// https://www.postgresql.org/docs/15/libpq-events.html
int note_conflict(PGEventId event, void* info, void* guard) {
  if (event != PGEVT_RESULTCREATE) return 1;
  const char* state = PQresultErrorField(static_cast<PGEventResultCreate*>(info)->result, PG_DIAG_SQLSTATE);
  if (state && is_conflict(state)) static_cast<session_guard*>(guard)->met_conflict = true;
  return 1;
}

} // namespace

postgresql_database::postgresql_database(const database_url& url, const options& how) try
    : server_database{postgresql_dialect, factory, connect_string(url, how.name), how} {
  static_cast<backend*>(session().get_backend())->guard = guard();
  PQsetNoticeProcessor(
      native(session()), [](void*, const char*) {}, nullptr);
  PQregisterEventProc(native(session()), &note_conflict, "romancy", guard().get());
  run(same_times + std::string{"; SET lock_timeout = "} + std::to_string(how.busy_timeout.count()),
      "set up the connection");
} catch (const soci::soci_error& e) {
  throw storage_failure::from_connecting(e);
}

std::unique_ptr<soci::session> postgresql_database::connect(const database_url& url) try {
  auto session = std::make_unique<soci::session>(factory, connect_string(url, ""));
  PQsetNoticeProcessor(
      native(*session), [](void*, const char*) {}, nullptr);
  *session << same_times;
  return session;
} catch (const soci::soci_error& e) {
  throw storage_failure::from_connecting(e);
}

void postgresql_database::do_begin(isolation_level level) {
  run(std::string{dialect().begin} + " ISOLATION LEVEL " + std::string{sql_name(level)}, "begin a transaction");
}

bool postgresql_database::is_connected() const {
  return PQstatus(native(const_cast<postgresql_database*>(this)->session())) == CONNECTION_OK;
}

bool postgresql_database::met_conflict() const { return guard()->met_conflict; }

bool postgresql_database::in_transaction() const {
  const auto status = PQtransactionStatus(native(const_cast<postgresql_database*>(this)->session()));
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}

bool postgresql_database::is_spoiled() const {
  return PQtransactionStatus(native(const_cast<postgresql_database*>(this)->session())) == PQTRANS_INERROR;
}

void postgresql_database::notify(const std::string& topic) try {
  session() << "SELECT pg_notify('romancy', :topic)", soci::use(topic);
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "notify other processes");
}

void postgresql_database::break_connections(const std::string& name) try {
  session() << "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE application_name = :name AND "
               "datname = current_database() AND pid <> pg_backend_pid()",
      soci::use(name);
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "end the connections of a dead worker");
}

} // namespace romancy
