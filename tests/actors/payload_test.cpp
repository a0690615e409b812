#include "tests/actors/workflow_fixture.hpp"

namespace romancy::testing {
namespace {

constexpr auto payload = activity("payload", [](activity_context&, const std::string& what) -> nlohmann::json {
                           if (what == "nan") return std::numeric_limits<double>::quiet_NaN();
                           if (what == "latin1") return "caf\xe9";
                           if (what == "large") return std::string(2 * 1024 * 1024, 'x');
                           return what;
                         }).retry(no_retry());

nlohmann::json nested(int levels) {
  nlohmann::json value = 1;
  for (int i = 1; i < levels; ++i) {
    auto around = nlohmann::json::array();
    around.push_back(std::move(value));
    value = std::move(around);
  }
  return value;
}
constexpr auto deep = activity("deep", [](activity_context& ctx, const std::string& how, int levels) -> nlohmann::json {
  write_row(ctx, how);
  if (how == "output") return nested(levels);
  const auto data = nested(levels);
  send_event_transactional(ctx, "deep", "test", data);
  return "sent";
});
constexpr auto deeply =
    workflow("deeply", [](workflow_context<deep>& ctx, const std::string& how, int levels) -> task<nlohmann::json> {
      if (how == "body") {
        const auto data = nested(levels);
        co_await send_event_transactional(ctx, "deep", "test", data);
        co_return "sent";
      }
      if (how == "result") co_return nested(levels);
      co_return co_await ctx.call<deep>(how, levels);
    });

/// Goes on after what cannot be stored.
constexpr auto stubborn =
    workflow("stubborn", [](workflow_context<payload, flaky>& ctx, const std::string& id) -> task<std::string> {
      std::string refused;
      const std::string large(2 * 1024 * 1024, 'x');
      try {
        co_await ctx.call<payload>(large);
      } catch (const payload_error&) {
        refused = "refused";
      }
      co_await ctx.call<flaky>(id);
      co_return refused;
    });

constexpr auto loaded =
    workflow("loaded", [](workflow_context<payload>& ctx, const std::string& what) -> task<nlohmann::json> {
      co_return co_await ctx.call<payload>(what);
    });

class Payload : public workflow_fixture<> {};

TEST_P(Payload, FailsAnAttemptWhosePayloadCannotBeStored) {
  world<loaded> app{file, book};
  for (const auto* what : {"nan", "latin1", "large", "fine"}) app.start("loaded", {what}, what);
  for (const auto* what : {"nan", "latin1", "large", "fine"}) ASSERT_TRUE(app.ends(what)) << what;
  EXPECT_NE(app.instance("nan").error.find("NaN"), std::string::npos) << app.instance("nan").error;
  EXPECT_NE(app.instance("latin1").error.find("not UTF-8"), std::string::npos) << app.instance("latin1").error;
  EXPECT_NE(app.instance("large").error.find("max_payload_bytes"), std::string::npos) << app.instance("large").error;
  EXPECT_EQ(app.instance("fine").status, instance_status::completed);
}

TEST_P(Payload, RefusesJsonThatIsNestedTooDeepBeforeItCouldEndTheProcess) {
  world<deeply> app{file, book};
  for (const auto* how : {"output", "event", "body", "result"}) {
    app.start("deeply", {how, 100'000}, how);
    ASSERT_TRUE(app.ends(how)) << how;
    EXPECT_EQ(app.status(how), instance_status::failed) << how;
    EXPECT_NE(app.instance(how).error.find("is nested deeper than 512 levels"), std::string::npos)
        << how << ": " << app.instance(how).error;
  }
  EXPECT_EQ(app.history("output"), names{"deep:1 ActivityFailed"});
  EXPECT_EQ(app.history("event"), names{"deep:1 ActivityFailed"});
  EXPECT_EQ(app.count("SELECT max(attempts) FROM workflow_history"), 1); // it would be the same each time
  EXPECT_TRUE(app.rows().empty());
  EXPECT_TRUE(app.event_types().empty());
}

TEST_P(Payload, KeepsJsonOf500LevelsAndDeliversIt) {
  world<deeply> app{file, book};
  app.start_relayer({.enabled = true, .broker_url = "http://broker/"});
  for (const auto* how : {"output", "event", "body", "result"}) {
    app.start("deeply", {how, 500}, how);
    ASSERT_TRUE(app.ends(how)) << how;
    EXPECT_EQ(app.status(how), instance_status::completed) << how << ": " << app.instance(how).error;
  }
  EXPECT_EQ(app.instance("output").output, std::string(499, '[') + '1' + std::string(499, ']'));
  EXPECT_EQ(app.instance("result").output, app.instance("output").output);
  app.advance(1s);
  EXPECT_EQ(app.count("SELECT count(*) FROM outbox_events WHERE status = 'published'"), 2);
}

TEST_P(Payload, ReplaysWhatWasRefusedInTheBodyOfAWorkflow) {
  kill_after<stubborn>(1);
  world<stubborn> app{file, book};
  ASSERT_TRUE(app.ends("A"));
  EXPECT_EQ(app.status("A"), instance_status::completed) << app.instance("A").error;
  EXPECT_EQ(app.instance("A").output, R"("refused")");
}

ROMANCY_ON_EVERY_DATABASE(Payload);

} // namespace
} // namespace romancy::testing
