// How to write co_await so that every compiler gets it right: one await a statement, and nothing else in that statement
// that makes a struct, a ternary or a copy in a lambda. Ships a parcel; the courier is booked out, so the post takes it.
//
//   await_rules [example.db]
#include <iostream>

#include <romancy/romancy.hpp>

struct parcel {
  std::string id;
  double kilograms = 0;
};
struct parcel_shipped {
  static constexpr auto event_type = "parcel.shipped";
  std::string id;
  std::string carrier;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(parcel, id, kilograms)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(parcel_shipped, id, carrier)

constexpr auto weigh = romancy::activity(
    "weigh", [](romancy::external_context&, const parcel& p) -> bool { return p.kilograms > 30; }); // too heavy?

constexpr auto book_courier =
    romancy::activity("book_courier", [](romancy::external_context&, const parcel&, const std::string&) -> std::string {
      throw romancy::terminal_error{"no courier is free"};
    });

constexpr auto ship = romancy::workflow(
    "ship",
    [](romancy::workflow_context<weigh, book_courier>& ctx, const std::string& id,
       double kilograms) -> romancy::task<std::string> {
      // [members]
      // The step takes a parcel. Give it the members, or a variable.
      const bool too_heavy = co_await ctx.call<weigh>(id, kilograms);
      if (too_heavy) throw std::runtime_error{id + " is too heavy"};
      // [/members]

      // [outcome]
      const parcel packed{id, kilograms};
      const std::string service = kilograms > 10 ? "freight" : "express"; // chosen before, not inside, the await
      std::string carrier;
      if (const auto booked = co_await ctx.try_call<book_courier>(packed, service))
        carrier = *booked;
      else
        carrier = "post, because " + booked.failure().message;
      // [/outcome]

      // [events]
      co_await send_event_transactional<parcel_shipped>(ctx, id, carrier); // a typed event from its members

      const nlohmann::json data{{"id", id}, {"carrier", carrier}};
      co_await send_event_transactional(ctx, "parcel.tracked", "shipping", data); // JSON from a variable
      // [/events]
      co_return carrier;
    });

int main(int argc, char** argv) {
  const std::string database = argc > 1 ? argv[1] : "example.db";

  romancy::app<ship> app{{.database = database, .service_name = "shipping"}};
  std::cout << "shipped by " << app.start<ship>("P-1", 4.2, romancy::instance_id{"P-1"}).result() << '\n';
  try {
    app.start<ship>("P-2", 31, romancy::instance_id{"P-2"}).result();
  } catch (const romancy::instance_failed& e) {
    std::cout << e.what() << '\n';
  }
  for (const auto& event : app.storage().get_pending_outbox_events(10))
    std::cout << event.event_type << ' ' << event.event_data << '\n';
}
