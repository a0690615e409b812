// A transaction in the body of a workflow: a durable step without an activity of its own. It runs once; a replay reads
// its result.
//
//   workflow_transaction [example.db]
#include <iostream>

#include <romancy/romancy.hpp>

// [workflow]
constexpr auto transfer = romancy::workflow(
    "transfer",
    [](romancy::workflow_context<>& ctx, const std::string& from, const std::string& to,
       long long cents) -> romancy::task<long long> {
      const long long left = co_await ctx.transaction([&](romancy::activity_context& tx) {
        auto& sql = tx.session();
        sql << "UPDATE accounts SET cents = cents - :cents WHERE name = :name", soci::use(cents), soci::use(from);
        sql << "UPDATE accounts SET cents = cents + :cents WHERE name = :name", soci::use(cents), soci::use(to);
        long long balance = 0;
        sql << "SELECT cents FROM accounts WHERE name = :name", soci::into(balance), soci::use(from);
        if (balance < 0) throw romancy::terminal_error{from + " has too little"};
        send_event_transactional(tx, "money.transferred", "bank", {{"from", from}, {"to", to}, {"cents", cents}});
        return balance;
      });
      co_return left;
    });
// [/workflow]

int main(int argc, char** argv) {
  const std::string database = argc > 1 ? argv[1] : "example.db";

  romancy::app<transfer> app{{.database = database}};
  const auto sql = app.storage().connect();
  *sql << "CREATE TABLE IF NOT EXISTS accounts (name VARCHAR(255) PRIMARY KEY, cents BIGINT NOT NULL)";
  *sql << "INSERT INTO accounts (name, cents) VALUES ('alice', 10000), ('bob', 0) ON CONFLICT DO NOTHING";

  const auto left = app.start<transfer>("alice", "bob", 7500, romancy::instance_id{"T-1"}).result();
  std::cout << "T-1: alice has " << left << " cents left\n";
  try {
    app.start<transfer>("alice", "bob", 7500, romancy::instance_id{"T-2"}).result();
  } catch (const romancy::instance_failed& e) {
    std::cout << "T-2: " << e.reason() << '\n';
  }

  const soci::rowset<std::string> accounts = (sql->prepare << "SELECT name || ': ' || cents FROM accounts ORDER BY name");
  for (const auto& account : accounts) std::cout << account << '\n';
  for (const auto& event : app.storage().get_pending_outbox_events(10))
    std::cout << event.event_type << ' ' << event.event_data << '\n';
}
