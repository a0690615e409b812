// A saga: hotel, flight and car are booked one after another; when the card is declined they are cancelled, the last one
// first. On the second trip the airline refuses: the rest is cancelled all the same, and the reason says what is left.
//
//   saga [example.db]
#include <iostream>

#include <romancy/romancy.hpp>

using namespace std::chrono_literals;

struct booking {
  std::string reservation_id;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(booking, reservation_id)

constexpr auto reserve_hotel =
    romancy::activity("reserve_hotel", [](romancy::activity_context& ctx, const std::string& trip) -> booking {
      const booking made{"HOTEL-" + trip};
      send_event_transactional(ctx, "hotel.reserved", "booking-service", {{"reservation_id", made.reservation_id}});
      return made;
    }).compensate([](romancy::activity_context& ctx, const std::string&, const booking& made) {
      send_event_transactional(ctx, "hotel.cancelled", "booking-service", {{"reservation_id", made.reservation_id}});
    });

// [flight]
constexpr auto reserve_flight =
    romancy::activity(
        "reserve_flight",
        [](romancy::activity_context& ctx, const std::string& trip) -> booking {
          const booking made{"FLIGHT-" + trip};
          send_event_transactional(ctx, "flight.reserved", "booking-service", {{"reservation_id", made.reservation_id}});
          return made;
        })
        .compensate([](romancy::activity_context& ctx, const std::string& trip, const booking& made) {
          send_event_transactional(ctx, "flight.cancelled", "booking-service", {{"reservation_id", made.reservation_id}});
          if (trip == "T-2") throw std::runtime_error{"the airline does not answer"};
        })
        .retry(romancy::fixed(10ms).max_attempts(3)); // of the activity, and of its compensation
// [/flight]

constexpr auto reserve_car =
    romancy::activity("reserve_car", [](romancy::activity_context& ctx, const std::string& trip) -> booking {
      const booking made{"CAR-" + trip};
      send_event_transactional(ctx, "car.reserved", "booking-service", {{"reservation_id", made.reservation_id}});
      return made;
    }).compensate([](romancy::activity_context& ctx, const std::string&, const booking& made) {
      send_event_transactional(ctx, "car.cancelled", "booking-service", {{"reservation_id", made.reservation_id}});
    });

constexpr auto charge_card = romancy::activity("charge_card", [](romancy::external_context&, const std::string&) -> void {
                               throw std::runtime_error{"card declined"};
                             }).retry(romancy::no_retry());

// [workflow]
constexpr auto book_trip =
    romancy::workflow("book_trip",
                      [](romancy::workflow_context<reserve_hotel, reserve_flight, reserve_car, charge_card>& ctx,
                         const std::string& trip) -> romancy::task<std::string> {
                        const auto hotel = co_await ctx.call<reserve_hotel>(trip);
                        const auto flight = co_await ctx.call<reserve_flight>(trip);
                        const auto car = co_await ctx.call<reserve_car>(trip);
                        co_await ctx.call<charge_card>(trip); // fails: car, flight and hotel are cancelled, in this order
                        co_return hotel.reservation_id + ' ' + flight.reservation_id + ' ' + car.reservation_id;
                      });
// [/workflow]

int main(int argc, char** argv) {
  const std::string database = argc > 1 ? argv[1] : "example.db";

  romancy::app<book_trip> app{{.database = database}};
  for (const std::string trip : {"T-1", "T-2"}) {
    const auto run = app.start<book_trip>(trip, romancy::instance_id{trip});
    try {
      std::cout << run.result() << '\n';
    } catch (const romancy::instance_failed& e) { // after the compensations
      std::cout << trip << ' ' << to_string(e.status()) << ": " << e.reason() << '\n';
    }
  }
  for (const auto& event : app.storage().get_pending_outbox_events(100))
    std::cout << event.event_type << ' ' << event.event_data << '\n';
}
