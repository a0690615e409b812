// Two that write at the same time, on connections of their own: at a statement of the one, the other comes.
#include <thread>

#include "storage/channel_table.hpp"
#include "tests/actors/waiting_steps.hpp"
#include "tests/support/lock_waits.hpp"

namespace romancy::testing {
namespace {

class Interleaving : public workflow_fixture<> {
protected:
  std::jthread other;

  /// What `action` does on a connection of its own is committed while the first statement that begins so is under way:
  /// its transaction holds a row that `action` needs, and comes first.
  void at_statement(simulation& app, const std::string& beginning, std::function<void(tables&)> action) {
    app.on_statement = [this, &app, beginning, action, done = false](database&, std::string_view sql) mutable {
      if (done || !sql.starts_with(beginning)) return;
      done = true;
      other = std::jthread{[this, action] {
        const auto db = database::open(url, {.busy_timeout = 1min}, 10s);
        tables all{*db};
        db->begin();
        action(all);
        db->commit();
      }};
      wait_until_somebody_waits(app.db());
    };
  }
  /// Once the other has committed.
  void join(simulation& app) {
    app.settle();
    ASSERT_TRUE(other.joinable()) << "there is no such statement";
    other.join();
  }
};

constexpr auto hears = workflow("hears", [](workflow_context<note>& ctx) -> task<std::string> {
  co_await ctx.subscribe("news");
  const auto heard = co_await ctx.receive<std::string>("news");
  co_return heard;
});

received_event message(const std::string& text) {
  received_event event;
  event.id = "1";
  event.source = "test";
  event.type = "news";
  event.data = text;
  return event;
}

TEST_P(Interleaving, SeesOrIsWokenByWhatIsPublishedWhileItGoesToRest) {
  for (const auto* between :
       {"INSERT INTO workflow_waits", "UPDATE workflow_instances SET owner_epoch = NULL, wake_at = :due"}) {
    const auto path = another();
    url = database_url::parse(path);
    world<hears> app{path, book};
    const auto text = nlohmann::json(message("now")).dump();
    at_statement(app, between, [&, at = app.wall()](tables& all) { all.channels.publish("news", text, at); });
    app.start("hears", nlohmann::json::array(), "A");
    join(app);
    ASSERT_TRUE(app.run_until([&] { return is_settled(app.instance("A").status); }, 2000)) << between;
    EXPECT_EQ(app.instance("A").output, R"("now")");
    EXPECT_LT(app.now(), 5s);
  }
}

TEST_P(Interleaving, IsCancelledWhenThatIsAskedForWhileItGoesToRest) {
  world<hears> app{file, book};
  at_statement(app, "UPDATE workflow_instances SET owner_epoch = NULL, wake_at = :due", [](tables& all) {
    EXPECT_TRUE(all.instances.request_cancel({"A", "enough"}));
  });
  app.start("hears", nlohmann::json::array(), "A");
  join(app);
  ASSERT_TRUE(app.run_until([&] { return is_settled(app.instance("A").status); }, 2000));
  EXPECT_EQ(app.status("A"), instance_status::cancelled);
  EXPECT_LT(app.now(), 5s);
}

constexpr auto competitor = workflow("competitor", [](workflow_context<note>& ctx) -> task<std::string> {
  co_await ctx.subscribe("jobs", channel_mode::competing);
  const auto job = co_await ctx.receive<std::string>("jobs");
  co_return job;
});

TEST_P(Interleaving, TakesTheMessageOfACompetitorThatWasKilledBeforeItsCommit) {
  world<competitor> app{file, book};
  app.start("competitor", nlohmann::json::array(), "A");
  app.advance(100ms);
  const auto rival = database::open(url, {}, 10s);
  tables rivals{*rival};
  rival->begin();
  rivals.channels.carry_out("B", {channel_action::kind::subscribe_competing, "jobs", "", ""}, app.wall());
  rival->commit();
  rival->begin();
  rivals.channels.publish("jobs", nlohmann::json(message("now")).dump(), app.wall());
  rival->commit();
  rival->begin();
  EXPECT_TRUE(rivals.channels.take("B", {"jobs"}));
  app.advance(1s); // A has found nothing that it could take
  EXPECT_EQ(app.status("A"), instance_status::running);
  rival->roll_back(); // as the server does once the connection is gone; nobody is told
  app.advance(5s);
  EXPECT_EQ(app.instance("A").output, R"("now")");
}

ROMANCY_ON_EVERY_SERVER(Interleaving);

} // namespace
} // namespace romancy::testing
