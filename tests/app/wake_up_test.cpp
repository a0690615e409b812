#include <gtest/gtest.h>

#include <romancy/romancy.hpp>

#include "storage/database.hpp"
#include "tests/support/event_log.hpp"
#include "tests/support/test_database.hpp"

namespace romancy::testing {
namespace {

using namespace std::chrono_literals;

constexpr auto announce = activity("announce", [](activity_context& ctx, int n) -> void {
  send_event_transactional(ctx, "announced", "test", {{"n", n}});
});
constexpr auto announcing =
    workflow("announcing", [](workflow_context<announce>& ctx, int n) -> task<> { co_await ctx.call<announce>(n); });

/// Two engines on one database, as in two processes: one commits, the other one delivers, and polls once an hour.
TEST(WakeUp, BringsAnEventThatOneAppHasCommittedToTheRelayerOfAnotherAlsoAfterItsConnectionWasLost) {
  const test_database fresh{database_url::backend::postgresql};
  event_log broker{cli::answer_script{}};
  app<announcing> committing{{.database = fresh.url()}};
  relayer_options options;
  options.database = fresh.url();
  options.broker_url = broker.url();
  options.poll_interval = std::chrono::hours{1};
  outbox_relayer relayer{options};
  relayer.start();
  const auto admin = database::connect(database_url::parse(fresh.url()));
  const auto listeners = [&] {
    int count = 0;
    *admin << "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN romancy'",
        soci::into(count);
    return count;
  };
  const auto until_both_listen = [&] {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (listeners() < 2 && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(2ms);
    ASSERT_EQ(listeners(), 2);
  };
  until_both_listen();
  for (int n = 1; n <= 3; ++n) {
    committing.start<announcing>(n).result();
    ASSERT_TRUE(broker.wait_for(static_cast<std::size_t>(n), 20s)) << n;
  }
  *admin << "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND "
            "query = 'LISTEN romancy'";
  committing.start<announcing>(4).result(); // perhaps nobody hears of it: who listens anew looks
  ASSERT_TRUE(broker.wait_for(4, 20s));
  until_both_listen();
  committing.start<announcing>(5).result();
  ASSERT_TRUE(broker.wait_for(5, 20s));
}

} // namespace
} // namespace romancy::testing
