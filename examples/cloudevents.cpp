// Events on the wire: JSON, typed events, options, text and bytes, as CloudEvents in structured and in binary mode.
//
//   cloudevents [example.db]
#include <iostream>
#include <map>
#include <thread>

#include <romancy/romancy.hpp>

#include "cli/event_sink.hpp"

using romancy::event_data;
using romancy::event_options;

struct invoice_issued {
  static constexpr auto event_type = "invoice.issued";
  static constexpr auto event_source = "/billing";
  std::string invoice;
  double amount = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(invoice_issued, invoice, amount)

constexpr auto issue_invoice = romancy::activity(
    "issue_invoice", [](romancy::activity_context& ctx, const std::string& invoice, double amount) -> void {
      // [forms]
      // Type, source and JSON data. An empty source is app_options::service_name.
      send_event_transactional(ctx, "invoice.requested", "", {{"invoice", invoice}}, event_options{}.id(invoice + "-1"));

      // A typed event, with an id of its own, a subject and an extension attribute.
      send_event_transactional(
          ctx, invoice_issued{invoice, amount},
          event_options{}.id(invoice + "-2").attribute("subject", invoice).attribute("partitionkey", "customer-7"));

      // Text and bytes that are not JSON.
      send_event_transactional(ctx, "invoice.rendered", "/billing", event_data::text("<invoice/>", "application/xml"),
                               event_options{}.id(invoice + "-3"));
      send_event_transactional(ctx, "invoice.scanned", "/billing", event_data::bytes("\x89PNG\r\n", "image/png"),
                               event_options{}.id(invoice + "-4"));
      // [/forms]
    });

constexpr auto bill =
    romancy::workflow("bill",
                      [](romancy::workflow_context<issue_invoice>& ctx, const std::string& invoice,
                         double amount) -> romancy::task<void> { co_await ctx.call<issue_invoice>(invoice, amount); });

/// Issues an invoice and prints its events as a consumer gets them.
void show(const std::string& database, const std::string& invoice, romancy::content_mode mode) {
  std::map<std::string, nlohmann::json> received;
  {
    const romancy::cli::event_sink consumer{{.on_event = [&](const romancy::cloud_event& event) {
      auto seen = event.attributes;
      seen.erase("time");
      seen[event.kind == romancy::cloud_event::data_kind::bytes ? "data_base64" : "data"] = event.data;
      received[event.id] = seen;
    }}};
    romancy::app<bill> app{{.database = database, .service_name = "/invoices"}};
    app.start<bill>(invoice, 12.5, romancy::instance_id{invoice}).result();

    romancy::relayer_options options;
    options.storage = app.storage();
    options.broker_url = "http://127.0.0.1:" + std::to_string(consumer.port());
    options.mode = mode;
    romancy::outbox_relayer relayer{options};
    relayer.run_once(std::chrono::seconds{10}); // until all that is due has been tried
  }
  for (const auto& [id, event] : received) std::cout << event << '\n';
}

int main(int argc, char** argv) {
  const std::string database = argc > 1 ? argv[1] : "example.db";
  std::cout << "structured mode:\n";
  show(database, "INV-1", romancy::content_mode::structured);
  std::cout << "binary mode:\n";
  show(database, "INV-2", romancy::content_mode::binary);
}
