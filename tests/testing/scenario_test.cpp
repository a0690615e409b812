#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <romancy/romancy.hpp>
#include <romancy/testing/scenario.hpp>

namespace romancy::testing {
namespace {

using namespace std::chrono_literals;
using texts = std::vector<std::string>;

// [fakes]
/// What a fake of a payment gateway remembers.
struct gateway {
  virtual ~gateway() = default;
  virtual std::string charge(const std::string& order_id) = 0;
};
struct fake_gateway final : gateway {
  std::string charge(const std::string& order_id) override {
    charged.push_back(order_id);
    return "PAY-" + order_id;
  }
  texts charged;
};
// [/fakes]

void forget(activity_context& ctx, const std::string& id) {
  ctx.session() << "DELETE FROM orders WHERE id = :id", soci::use(id);
  send_event_transactional(ctx, "order.forgotten", "shop", {{"order_id", id}});
}
constexpr auto place = activity("place", [](activity_context& ctx, const std::string& id) -> void {
                         ctx.session() << "INSERT INTO orders (id) VALUES (:id)", soci::use(id);
                         send_event_transactional(ctx, "order.placed", "shop", {{"order_id", id}});
                       }).compensate(forget);
// [workflow]
constexpr auto charge = activity("charge", [](external_context&, const std::string& id, gateway& g) -> std::string {
                          return g.charge(id);
                        }).retry(exponential(1s).max_attempts(5));
constexpr auto order =
    workflow("order", [](workflow_context<place, charge>& ctx, const std::string& id) -> task<std::string> {
      co_await ctx.call<place>(id);
      const auto payment = co_await ctx.call<charge>(id);
      const nlohmann::json data{{"payment", payment}};
      co_await send_event_transactional(ctx, "order.paid", "shop", data);
      co_return payment;
    });
// [/workflow]

constexpr auto approve = workflow("approve", [](workflow_context<>& ctx) -> task<std::string> {
  auto word = co_await ctx.wait_event<std::string>("word", 24h);
  if (word) co_return *word;
  co_return "nobody spoke";
});

constexpr auto patient_charge =
    activity("patient_charge", [](external_context&, const std::string& id, gateway& g) -> std::string {
      return g.charge(id);
    }).retry(exponential(1min).max_interval(24h).max_attempts(400));
constexpr auto patient_order =
    workflow("patient_order", [](workflow_context<patient_charge>& ctx, const std::string& id) -> task<std::string> {
      co_return co_await ctx.call<patient_charge>(id);
    });

class Scenario : public ::testing::Test {
protected:
  fake_gateway pays;
  static scenario_options with_orders(int nodes = 1) {
    scenario_options options;
    options.nodes = nodes;
    options.tables = [](soci::session& sql) { sql << "CREATE TABLE orders (id TEXT PRIMARY KEY)"; };
    return options;
  }
  static void check_paid(const scenario<order>& s) {
    EXPECT_EQ(s.status("A"), instance_status::completed) << s.timeline();
    EXPECT_EQ(s.rows("SELECT id FROM orders"), texts{"A"}) << s.timeline();
    EXPECT_EQ(s.outbox(), (texts{"order.placed published", "order.paid published"})) << s.timeline();
    EXPECT_EQ(s.history("A"),
              (texts{"place:1 ActivityCompleted", "charge:1 ActivityCompleted", "@send_event:1 EventSent"}));
  }
};

// [first scenario]
TEST_F(Scenario, TellsWhatBecameOfAnOrder) {
  scenario<order> s{with_orders(), pays};
  auto run = s.start<order>("A", instance_id{"A"});
  s.run_until_idle();
  check_paid(s);
  EXPECT_EQ(run.result(), "PAY-A");
  EXPECT_EQ(s.broker().accepted(), (texts{"order.placed", "order.paid"}));
  EXPECT_EQ(s.broker().deliveries().back().data, (nlohmann::json{{"payment", "PAY-A"}}));
  ASSERT_EQ(s.attempts().size(), 2U);
  EXPECT_EQ(s.attempts()[1].step, "charge:1");
}
// [/first scenario]

// [attempts]
TEST_F(Scenario, MakesAttemptsFailAndShowsTheirTimes) {
  scenario<order> s{with_orders(), pays};
  s.fail_attempt("charge", 1, "the gateway is down");
  s.fail_attempt("charge", 2, "the gateway is down");
  auto run = s.start<order>("A", instance_id{"A"});
  EXPECT_EQ(run.result(), "PAY-A");
  std::vector<std::chrono::milliseconds> times;
  for (const auto& one : s.attempts())
    if (one.step == "charge:1") times.push_back(one.at - s.attempts()[1].at);
  EXPECT_EQ(times, (std::vector<std::chrono::milliseconds>{0ms, 1s, 3s})) << s.timeline();
  EXPECT_EQ(s.attempts()[1].error, "the gateway is down");
}
// [/attempts]

TEST_F(Scenario, RunsAYearOfRetriesInMilliseconds) {
  scenario<patient_order> s{pays};
  for (int i = 1; i < 370; ++i) s.fail_attempt("patient_charge", i, "not today");
  auto run = s.start<patient_order>("A", instance_id{"A"});
  EXPECT_EQ(run.result(), "PAY-A");
  EXPECT_GT(s.now(), 24h * 355);
  EXPECT_EQ(s.attempts().size(), 370U);
  EXPECT_LT(s.messages().size(), 25'000U) << "it goes through all looks in vain";
}

// [broker]
TEST_F(Scenario, SendsAnEventAgainUntilTheBrokerTakesIt) {
  scenario<order> s{with_orders(), pays};
  s.broker().to("order.placed").next({503, broker_reply::closed_connection(), 202});
  s.start<order>("A", instance_id{"A"});
  s.run_until_idle();
  check_paid(s);
  std::vector<std::chrono::milliseconds> times;
  for (const auto& one : s.broker().deliveries())
    if (one.event_type == "order.placed") times.push_back(one.at - s.broker().deliveries().front().at);
  EXPECT_EQ(times, (std::vector<std::chrono::milliseconds>{0ms, 1s, 2s})) << s.timeline();
}
// [/broker]

// [sweep]
TEST_F(Scenario, LosesNothingWhereverItIsKilled) {
  int points = 0;
  for (const auto& make :
       {+[](int k) { return crash_point::message(k); }, +[](int k) { return crash_point::statement(k); },
        +[](int k) { return crash_point::before_commit(k); }, +[](int k) { return crash_point::after_commit(k); }})
    for (int k = 1;; ++k) {
      scenario<order> s{with_orders(), pays};
      s.crash_at(make(k));
      try {
        s.start<order>("A", instance_id{"A"});
      } catch (const start_unconfirmed&) { // it was killed before its answer
      }
      s.run_until_idle();
      if (s.is_running()) break;
      s.restart();
      s.start<order>("A", instance_id{"A"});
      s.run_until_idle();
      check_paid(s);
      ++points;
      ASSERT_FALSE(HasFailure()) << "killed at " << k;
    }
  EXPECT_GT(points, 150);
}
// [/sweep]

TEST_F(Scenario, IsKilledAtNamedPoints) {
  for (const auto& point :
       {crash_point::before_attempt("charge"), crash_point::before_delivery("order.placed"),
        crash_point::after_delivery("order.placed"), crash_point::statement(1, "INSERT INTO orders")}) {
    scenario<order> s{with_orders(), pays};
    s.crash_at(point);
    s.start<order>("A", instance_id{"A"});
    s.run_until_idle();
    EXPECT_FALSE(s.is_running());
    s.restart();
    s.run_until_idle();
    check_paid(s);
    const bool twice = point.where == crash_point::kind::after_delivery;
    EXPECT_EQ(s.broker().deliveries().size(), twice ? 3U : 2U) << s.timeline();
  }
}

// [waiting]
TEST_F(Scenario, WaitsForWhatOnlyTheTestCanBring) {
  scenario<approve> s;
  auto heard = s.start<approve>(instance_id{"A"});
  auto ignored = s.start<approve>(instance_id{"B"});
  s.advance(1h);
  EXPECT_EQ(heard.status(), instance_status::running);
  EXPECT_TRUE(s.receive("word", "yes", "A"));
  EXPECT_EQ(heard.result(), "yes");
  EXPECT_LT(s.now(), 2h);
  EXPECT_EQ(ignored.result(), "nobody spoke");
  EXPECT_GE(s.now(), 24h);
  EXPECT_LT(s.now(), 24h + 1s);
}
// [/waiting]

TEST_F(Scenario, TellsWhatEverythingWaitsForWhenItIsStuck) {
  scenario<approve> s;
  s.start<approve>(instance_id{"A"});
  s.broker().always(500);
  try {
    s.run_until([&] { return s.broker().deliveries().size() == 1; });
    FAIL() << "nothing was sent";
  } catch (const scenario_stuck& e) {
    EXPECT_NE(std::string{e.what()}.find("a condition that does not hold"), std::string::npos) << e.what();
  }
}

// [nodes]
TEST_F(Scenario, LeavesTheWorkOfADeadNodeToAnother) {
  scenario<order> s{with_orders(2), pays};
  s.fail_attempt("charge", 1, "the gateway is down");
  s.start<order>("A", instance_id{"A"});
  s.run_until([&] { return s.attempts().size() == 2; });
  s.crash(0);
  s.run_until_idle();
  check_paid(s);
  EXPECT_FALSE(s.is_running(0));
}
// [/nodes]

TEST_F(Scenario, LeavesTheWorkOfANodeThatIsCutOffToAnother) {
  scenario<order> s{with_orders(2), pays};
  s.start<order>("A", instance_id{"A"});
  s.cut(0);
  s.advance(1min);
  s.heal(0);
  s.run_until_idle();
  check_paid(s);
}

// [database]
TEST_F(Scenario, GoesOnWhenTheDatabaseIsBack) {
  scenario<order> s{with_orders(), pays};
  s.start<order>("A", instance_id{"A"});
  s.stop_database();
  s.advance(10min);
  s.start_database();
  s.run_until_idle();
  check_paid(s);
}
// [/database]

TEST_F(Scenario, IsTheSameInEachRun) {
  const auto trace = [&] {
    scenario<order> s{with_orders(2), pays};
    s.fail_attempt("charge", 1, "the gateway is down");
    s.broker().next({503});
    s.start<order>("A", instance_id{"A"});
    s.run_until_idle();
    texts all = s.messages();
    all.push_back(s.timeline());
    return all;
  };
  const auto one = trace(), other = trace();
  ASSERT_EQ(one.size(), other.size());
  for (std::size_t i = 0; i < one.size(); ++i) ASSERT_EQ(one[i], other[i]) << "line " << i;
}

TEST_F(Scenario, CancelsAndUndoes) {
  scenario<order> s{with_orders(), pays};
  for (int i = 1; i <= 3; ++i) s.fail_attempt("charge", i, "the gateway is down");
  s.start<order>("A", instance_id{"A"});
  s.run_until([&] { return s.attempts().size() == 3; });
  EXPECT_TRUE(s.cancel("A", "the customer left"));
  s.run_until_idle();
  EXPECT_EQ(s.status("A"), instance_status::cancelled);
  EXPECT_EQ(s.error("A"), "the customer left");
  EXPECT_TRUE(s.rows("SELECT id FROM orders").empty());
}

} // namespace
} // namespace romancy::testing
