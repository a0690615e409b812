// A consumer that applies every event once, however often it comes: the key of the event and its effect are written in
// one transaction. The answers to the first deliveries are lost, so the relayer sends both events again.
//
//   idempotent_consumer [example.db]
#include <iostream>
#include <thread>

#include <soci/sqlite3/soci-sqlite3.h>

#include <romancy/romancy.hpp>

#include "cli/event_sink.hpp"

using namespace std::chrono_literals;

struct stock_sold {
  static constexpr auto event_type = "stock.sold";
  static constexpr auto event_source = "shop";
  std::string sku;
  int quantity = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(stock_sold, sku, quantity)

/// Another service, with a database of its own.
class warehouse {
public:
  explicit warehouse(const std::string& database) : sql_{soci::sqlite3, "db=" + database} {
    // [tables]
    sql_ << "CREATE TABLE IF NOT EXISTS processed_events "
            "(source VARCHAR(255) NOT NULL, id VARCHAR(255) NOT NULL, PRIMARY KEY (source, id))";
    sql_ << "CREATE TABLE IF NOT EXISTS stock (sku VARCHAR(255) PRIMARY KEY, available INTEGER NOT NULL)";
    // [/tables]
    sql_ << "INSERT INTO stock (sku, available) VALUES ('pot', 20), ('tea', 100) ON CONFLICT DO NOTHING";
  }

  // [handle]
  /// Returns when the event is applied, now or before; then the answer is 2xx.
  void handle(const romancy::cloud_event& event) {
    const auto sold = event.data.get<stock_sold>();
    soci::transaction transaction{sql_};
    soci::statement remember = (sql_.prepare << "INSERT INTO processed_events (source, id) VALUES (:source, :id) "
                                                "ON CONFLICT DO NOTHING",
                                soci::use(event.source), soci::use(event.id));
    remember.execute(true);
    const bool is_new = remember.get_affected_rows() == 1;
    if (is_new)
      sql_ << "UPDATE stock SET available = available - :quantity WHERE sku = :sku", soci::use(sold.quantity),
          soci::use(sold.sku);
    transaction.commit();
    ++(is_new ? applied_ : duplicates_);
  }
  // [/handle]

  void print() {
    std::cout << "applied: " << applied_ << ", duplicates: " << duplicates_ << '\n';
    const soci::rowset<std::string> stock = (sql_.prepare << "SELECT sku || ': ' || available FROM stock ORDER BY sku");
    for (const auto& line : stock) std::cout << line << '\n';
  }

private:
  soci::session sql_;
  int applied_ = 0;
  int duplicates_ = 0;
};

constexpr auto sell = romancy::workflow(
    "sell", [](romancy::workflow_context<>& ctx, const std::string& sku, int quantity) -> romancy::task<void> {
      co_await send_event_transactional<stock_sold>(ctx, sku, quantity);
    });

int main(int argc, char** argv) {
  const std::string database = argc > 1 ? argv[1] : "example.db";

  warehouse consumer{database + ".warehouse"};
  {
    // Handles each event, then answers 503, or closes the connection, as if it had died before the answer.
    const romancy::cli::event_sink endpoint{{.script = romancy::cli::answer_script::parse("503,close,202"),
                                             .on_event = [&](const auto& event) { consumer.handle(event); }}};
    romancy::app<sell> app{{.database = database,
                            .outbox = {.enabled = true,
                                       .broker_url = "http://127.0.0.1:" + std::to_string(endpoint.port()),
                                       .poll_interval = 50ms}}};
    app.start<sell>("tea", 30, romancy::instance_id{"S-1"}).result();
    app.start<sell>("pot", 5, romancy::instance_id{"S-2"}).result();
    while (app.storage().get_outbox_status_counts().at(romancy::outbox_status::pending) > 0)
      std::this_thread::sleep_for(10ms);
  }
  consumer.print();
}
