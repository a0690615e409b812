#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <map>
#include <thread>

#include <romancy/caf.hpp>
#include <romancy/romancy.hpp>

#include "tests/app/running_app.hpp"
#include "tests/support/database_file.hpp"
#include "tests/support/event_log.hpp"
#include "tests/support/refusal.hpp"

namespace romancy::testing {
namespace {

// -- typed values -----------------------------------------------------------------------------------------------------

enum class colour { red, green };
NLOHMANN_JSON_SERIALIZE_ENUM(colour, {{colour::red, "red"}, {colour::green, "green"}})

struct item {
  std::string sku;
  int quantity = 0;
  bool operator==(const item&) const = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(item, sku, quantity)

struct everything {
  std::int64_t smallest = 0;
  std::uint64_t largest = 0;
  double tiny = 0;
  double huge = 0;
  double third = 0;
  std::string unicode;
  std::string megabyte;
  colour shade = colour::red;
  std::vector<item> items;
  std::map<std::string, int> counts;
  bool operator==(const everything&) const = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(everything, smallest, largest, tiny, huge, third, unicode, megabyte,
                                                shade, items, counts)

everything make_everything() {
  everything all;
  all.smallest = std::numeric_limits<std::int64_t>::min();
  all.largest = std::numeric_limits<std::uint64_t>::max();
  all.tiny = std::numeric_limits<double>::denorm_min();
  all.huge = std::numeric_limits<double>::max();
  all.third = 1.0 / 3.0;
  all.unicode = "Euro € 😀 \"quoted\" \\ \n end";
  all.megabyte = std::string(1'000'000, 'm');
  all.shade = colour::green;
  all.items = {{"apple", 2}, {"pear", 3}};
  all.counts = {{"a", 1}, {"b", 2}};
  return all;
}

constexpr auto make_all = activity("make_all", [](activity_context&) -> everything { return make_everything(); });
constexpr auto maybe = activity("maybe", [](activity_context&, bool some) -> std::optional<item> {
  if (some) return item{"plum", 1};
  return std::nullopt;
});
constexpr auto gate = activity("gate", [](external_context&, std::atomic<int>& passes) -> int {
                        if (passes <= 0) throw std::runtime_error{"closed"};
                        return passes;
                      }).retry(fixed(20ms).max_attempts(100'000));

constexpr auto typed = workflow("typed", [](workflow_context<make_all, maybe, gate>& ctx) -> task<std::string> {
  const auto before = co_await ctx.call<make_all>();
  const auto some = co_await ctx.call<maybe>(true);
  const auto none = co_await ctx.call<maybe>(false);
  co_await ctx.call<gate>();
  if (before != make_everything()) co_return "another struct";
  if (some != item{"plum", 1} || none) co_return "another optional";
  co_return "the same";
});

TEST(App, GivesOutputsBackUnchangedAfterARestart) {
  const temporary_directory directory;
  const auto file = directory.file("typed.db");
  std::atomic<int> passes{0};
  std::string id;
  {
    app<typed> first{{.database = file, .max_payload_bytes = 4 * 1024 * 1024}, passes};
    id = first.start<typed>(instance_id{"T"}).id();
    database_file outside{file};
    while (outside.number("SELECT count(*) FROM workflow_history") < 3) std::this_thread::yield();
  }
  passes = 1;
  app<typed> second{{.database = file, .max_payload_bytes = 4 * 1024 * 1024}, passes};
  EXPECT_EQ(second.start<typed>(instance_id{id}).result(60s), "the same");
  EXPECT_EQ(database_file{file}.number("SELECT count(*) FROM workflow_history"), 4);
}

// -- starting ---------------------------------------------------------------------------------------------------------

struct parcel {
  std::string name;
  int grams = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(parcel, name, grams)
constexpr auto weigh =
    workflow("weigh", [](workflow_context<>&, const parcel& in) -> task<std::string> { co_return in.name; });

TEST_F(RunningApp, StartsAnInstanceOnceHoweverOftenItIsAsked) {
  app<say, shout> app{{.database = file}};
  std::vector<std::jthread> clients;
  for (int i = 0; i < 8; ++i)
    clients.emplace_back([&] { EXPECT_EQ(app.start<say>("hello", instance_id{"A"}).result(), "hello"); });
  clients.clear();
  EXPECT_EQ(database_file{file}.number("SELECT count(*) FROM outbox_events"), 1);
  const auto other_input = refusal<instance_conflict>([&] { app.start<say>("good bye", instance_id{"A"}); });
  EXPECT_NE(other_input.find("with other inputs"), std::string::npos) << other_input;
  const auto other_workflow = refusal<instance_conflict>([&] { app.start<shout>("hello", instance_id{"A"}); });
  EXPECT_NE(other_workflow.find("of workflow 'say'"), std::string::npos) << other_workflow;
}

TEST_F(RunningApp, FindsAnInstanceThatWasStartedBefore) {
  {
    app<say, shout> app{{.database = file}};
    app.start<say>("hello", instance_id{"A"}).result();
  }
  app<say, shout> app{{.database = file}};
  EXPECT_EQ(app.find<say>("A").result(), "hello");
  EXPECT_EQ(refusal<error>([&] { static_cast<void>(app.find<shout>("A")); }),
            "instance A is of workflow 'say', not of 'shout'");
  EXPECT_EQ(refusal<error>([&] { static_cast<void>(app.find<say>("B")); }), "there is no instance B");
}

/// What yesterday's code stored, before `grams` was added.
TEST_F(RunningApp, TakesAStartForTheSameAfterAMemberWithADefaultWasAdded) {
  app<weigh> app{{.database = file}};
  EXPECT_EQ(app.start<weigh>(parcel{"book", 0}, instance_id{"A"}).result(), "book");
  database_file{file}.db().session()
      << "UPDATE workflow_instances SET input_data = '[{\"name\":\"book\"}]' WHERE instance_id = 'A'";
  EXPECT_EQ(app.start<weigh>(parcel{"book", 0}, instance_id{"A"}).result(), "book");
  EXPECT_NE(refusal<instance_conflict>([&] { app.start<weigh>(parcel{"book", 7}, instance_id{"A"}); }), "");
}

TEST_F(RunningApp, TellsWhyAnInstanceFailed) {
  app<shout> app{{.database = file}};
  const auto run = app.start<shout>("hello");
  try {
    run.result();
    FAIL() << "it must fail";
  } catch (const instance_failed& e) {
    EXPECT_EQ(e.status(), instance_status::failed);
    EXPECT_EQ(e.reason(), "too loud: hello!");
  }
  EXPECT_EQ(run.status(), instance_status::failed);
}

TEST_F(RunningApp, RefusesInstanceIdsAndInputsThatCannotBeStored) {
  app<say> app{{.database = file, .max_payload_bytes = 1000}};
  EXPECT_NE(refusal<payload_error>([&] { app.start<say>("x", instance_id{""}); }).find("instance id is empty"),
            std::string::npos);
  EXPECT_NE(refusal<payload_error>([&] { app.start<say>("x", instance_id{"a\nb"}); }).find("control characters"),
            std::string::npos);
  EXPECT_NE(refusal<payload_error>([&] { app.start<say>("x", instance_id{std::string(201, 'x')}); }).find("at most 200"),
            std::string::npos);
  EXPECT_NE(refusal<payload_error>([&] { app.start<say>(std::string(2000, 'x')); }).find("max_payload_bytes"),
            std::string::npos);
  EXPECT_NE(refusal<payload_error>([&] { app.start<say>("\xff"); }).find("not UTF-8"), std::string::npos);
}

TEST_F(RunningApp, RefusesOptionsThatMakeNoSense) {
  const auto why = [&](app_options options) {
    options.database = file;
    return refusal<startup_error>([&] { app<say> never{options}; });
  };
  EXPECT_NE(why({.outbox = {.enabled = true}}).find("outbox.broker_url is empty"), std::string::npos);
  EXPECT_NE(why({.outbox = {.enabled = true, .broker_url = "not a url"}}).find("no http:// or https:// URL"),
            std::string::npos);
  EXPECT_NE(why({.outbox = {.enabled = true, .broker_url = "ftp://host/"}}).find("no http:// or https:// URL"),
            std::string::npos);
  EXPECT_NE(
      why({.outbox = {.enabled = true, .broker_url = "http://b/", .max_retries = 0}}).find("outbox.max_retries is 0"),
      std::string::npos);
  EXPECT_NE(why({.executors = 0}).find("executors is 0: set it to at least 1"), std::string::npos);
  for (const auto& [retention, named] : std::vector<std::pair<retention_options, std::string>>{
           {{.finished_instances = -1s}, "finished_instances is -1000 ms"},
           {{.delivered_events = -1ms}, "delivered_events is -1 ms"},
           {{.dead_events = -1h}, "dead_events is -3600000 ms"},
           {{.interval = 0ms}, "interval is 0 ms"},
           {{.batch = 0}, "batch is 0"},
           {{.batch = 1001}, "batch is 1001: set it to at most 1000"}}) {
    const auto refused = why({.database = file, .retention = retention});
    EXPECT_NE(refused.find("retention." + named), std::string::npos) << refused;
  }
  EXPECT_NE(why({.service_name = ""}).find("service_name is empty"), std::string::npos);
}

TEST_F(RunningApp, WaitsForAResultAsLongAsItIsTold) {
  std::atomic<int> passes{0};
  app<typed> app{{.database = file, .max_payload_bytes = 4 * 1024 * 1024}, passes};
  const auto run = app.start<typed>(instance_id{"T"});
  EXPECT_NE(refusal<error>([&] { run.result(0ms); }).find("has not ended within 0 ms"), std::string::npos);
  EXPECT_NE(refusal<error>([&] { run.result(150ms); }).find("has not ended within 150 ms"), std::string::npos);
  std::jthread client{[&] { EXPECT_EQ(run.result(std::chrono::milliseconds::max()), "the same"); }};
  EXPECT_EQ(run.status(), instance_status::running);
  passes = 1;
}

// -- events -----------------------------------------------------------------------------------------------------------

constexpr auto send_bad = activity("send_bad", [](activity_context& ctx, const std::string& how) -> std::string {
  try {
    if (how == "empty type") send_event_transactional(ctx, "", "s", {{"a", 1}});
    if (how == "control") send_event_transactional(ctx, "a\tb", "s", {{"a", 1}});
    if (how == "source") send_event_transactional(ctx, "t", "a b", {{"a", 1}});
    if (how == "not utf-8") send_event_transactional(ctx, "t", "s", {{"a", "\xff"}});
    if (how == "too large") send_event_transactional(ctx, "t", "s", {{"a", std::string(2 * 1024 * 1024, 'x')}});
    if (how == "attribute name")
      send_event_transactional(ctx, "t", "s", {{"a", 1}}, event_options{}.attribute("Bad-Name", "x"));
    if (how == "attribute value")
      send_event_transactional(ctx, "t", "s", {{"a", 1}}, event_options{}.attribute("n", 1.5));
    if (how == "reserved") send_event_transactional(ctx, "t", "s", {{"a", 1}}, event_options{}.attribute("id", "x"));
  } catch (const payload_error& e) {
    return e.what();
  }
  return "sent";
});
constexpr auto try_bad =
    workflow("try_bad", [](workflow_context<send_bad>& ctx, const std::string& how) -> task<std::string> {
      co_return co_await ctx.call<send_bad>(how);
    });

TEST_F(RunningApp, RefusesEventsThatAreNoCloudEventsWhereTheyAreSent) {
  app<try_bad> app{{.database = file}};
  const std::map<std::string, std::string> expected{{"empty type", "the type of an event is empty"},
                                                    {"control", "'a?b' has control characters"},
                                                    {"source", "has a space"},
                                                    {"not utf-8", "not UTF-8"},
                                                    {"too large", "max_payload_bytes"},
                                                    {"attribute name", "1 to 20 of a-z and 0-9"},
                                                    {"attribute value", "32-bit integer"},
                                                    {"reserved", "Romancy sets it itself"}};
  for (const auto& [how, words] : expected) {
    const auto answer = app.start<try_bad>(how).result();
    EXPECT_NE(answer.find(words), std::string::npos) << how << ": " << answer;
  }
  EXPECT_EQ(database_file{file}.number("SELECT count(*) FROM outbox_events"), 0);
}

TEST_F(RunningApp, DeliversAnEventWithinMillisecondsOfItsCommit) {
  event_log broker;
  app<say> app{{.database = file,
                .service_name = "echo-service",
                .outbox = {.enabled = true, .broker_url = broker.url(), .poll_interval = 1h}}};
  app.start<say>("hello").result();
  ASSERT_TRUE(broker.wait_for(1, 10s)); // and not at the next poll
  const auto event = broker.events().front();
  EXPECT_EQ(event.type, "echoed");
  EXPECT_EQ(event.source, "echo-service");
  EXPECT_EQ(event.data.at("text"), "hello");
}

TEST_F(RunningApp, KeepsEventsForARelayerOfItsOwn) {
  event_log broker{cli::answer_script::parse("503")};
  app<say> app{{.database = file}};
  app.start<say>("one").result();
  app.start<say>("two").result();
  const auto pending = app.storage().get_pending_outbox_events(10);
  ASSERT_EQ(pending.size(), 2U);
  EXPECT_EQ(pending[0].event_data, R"({"text":"one"})");
  relayer_options options;
  options.storage = app.storage();
  options.broker_url = broker.url();
  options.poll_interval = 20ms;
  outbox_relayer relayer{options};
  relayer.start();
  ASSERT_TRUE(broker.wait_for(3, 10s)); // the first answer was 503
  relayer.stop();
  EXPECT_EQ(app.storage().get_outbox_status_counts().at(outbox_status::published), 2);
  const auto second = refusal<startup_error>([&] {
    relayer.start();
    outbox_relayer another{options};
    another.start();
  });
  EXPECT_NE(second.find("relays its outbox already"), std::string::npos) << second;
}

TEST_F(RunningApp, RelaysOnceWithoutALimitOfTime) {
  event_log broker;
  app<say> app{{.database = file}};
  app.start<say>("hello").result();
  relayer_options options;
  options.database = file;
  options.broker_url = broker.url();
  options.poll_interval = 20ms;
  outbox_relayer relayer{options};
  EXPECT_TRUE(relayer.run_once(std::chrono::milliseconds::max()));
  EXPECT_EQ(broker.size(), 1U);
  EXPECT_EQ(app.storage().get_outbox_status_counts().at(outbox_status::published), 1);
}

TEST_F(RunningApp, SaysWhenRelayingOnceTakesLongerThanItMay) {
  event_log broker{cli::answer_script::parse("hang")};
  app<say> app{{.database = file}};
  app.start<say>("hello").result();
  relayer_options options;
  options.database = file;
  options.broker_url = broker.url();
  options.shutdown_timeout = 100ms;
  outbox_relayer relayer{options};
  EXPECT_FALSE(relayer.run_once(100ms));
}

TEST_F(RunningApp, LivesInTheActorSystemOfTheService) {
  caf::actor_system_config config;
  configure(config);
  caf::actor_system system{config};
  {
    app<say> app{{.database = file, .actor_system = &system}};
    EXPECT_EQ(app.start<say>("hello").result(), "hello");
    EXPECT_GT(system.registry().running(), 0U);
  }
  const auto actor = system.spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int n) { return n + 1; }}; });
  caf::scoped_actor self{system}; // it goes on without the app
  self->request(actor, 10s, 1).receive([](int n) { EXPECT_EQ(n, 2); }, [&](const caf::error&) { FAIL(); });
}

} // namespace
} // namespace romancy::testing
