#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <limits>
#include <map>
#include <mutex>
#include <thread>

#include <romancy/caf.hpp>
#include <romancy/romancy.hpp>

#include "tests/support/database_file.hpp"
#include "tests/support/event_log.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/temporary_directory.hpp"

namespace romancy::testing {
namespace {

using namespace std::chrono_literals;

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

constexpr auto echo = activity("echo", [](activity_context& ctx, const std::string& text) -> std::string {
  send_event_transactional(ctx, "echoed", "", {{"text", text}});
  return text;
});
constexpr auto say = workflow("say", [](workflow_context<echo>& ctx, const std::string& text) -> task<std::string> {
  co_return co_await ctx.call<echo>(text);
});
constexpr auto shout = workflow("shout", [](workflow_context<echo>& ctx, const std::string& text) -> task<std::string> {
  const auto answer = co_await ctx.call<echo>(text + "!");
  throw std::runtime_error{"too loud: " + answer};
});

struct attempts {
  std::atomic<int> begun{0};
  std::atomic<bool> may_write{false};
};
constexpr auto write = activity("write", [](activity_context& ctx, const std::string& text, attempts& of_it) -> void {
  ++of_it.begun;
  while (!of_it.may_write) std::this_thread::yield();
  ctx.session() << "INSERT INTO written (text) VALUES (:text)", soci::use(text);
});
constexpr auto write_down = workflow("write_down", [](workflow_context<write>& ctx, const std::string& text) -> task<> {
  co_await ctx.call<write>(text);
});

struct parcel {
  std::string name;
  int grams = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(parcel, name, grams)
constexpr auto weigh =
    workflow("weigh", [](workflow_context<>&, const parcel& in) -> task<std::string> { co_return in.name; });

class RunningApp : public ::testing::Test {
protected:
  temporary_directory directory;
  std::string file = directory.file("app.db");
};

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

// -- cancelling -------------------------------------------------------------------------------------------------------

/// Keeps what it is told, a line each.
class told final : public lifecycle_hooks {
public:
  void on_workflow_complete(const workflow_info& info) override { add("complete " + info.instance_id); }
  void on_workflow_failed(const workflow_info& info, const std::string& why) override {
    add("failed " + info.instance_id + ": " + why);
  }
  void on_workflow_cancelled(const workflow_info& info, const std::string& why) override {
    add("cancelled " + info.instance_id + ": " + why);
  }
  void on_activity_complete(const activity_info& info) override { add("complete " + info.step); }
  void on_activity_retry(const activity_info& info, const std::string&, std::chrono::milliseconds) override {
    add("retry " + info.step);
  }

  bool wait_for(const std::string& line) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, 30s, [&] { return std::find(lines_.begin(), lines_.end(), line) != lines_.end(); });
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock{mutex_};
    return lines_;
  }

private:
  void add(std::string line) {
    const std::lock_guard lock{mutex_};
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

constexpr auto reserve = activity("reserve", [](activity_context& ctx, const std::string& id) -> void {
                           ctx.session() << "INSERT INTO reserved (id) VALUES (:id)", soci::use(id);
                           send_event_transactional(ctx, "reserved", "", {{"id", id}});
                         }).compensate([](activity_context& ctx, const std::string& id) {
  ctx.session() << "DELETE FROM reserved WHERE id = :id", soci::use(id);
  send_event_transactional(ctx, "released", "", {{"id", id}});
});
constexpr auto knock = activity("knock", [](external_context&) -> void {
                         throw std::runtime_error{"nobody opens"};
                       }).retry(fixed(1h).max_attempts(100));
constexpr auto book =
    workflow("book", [](workflow_context<reserve, knock>& ctx, const std::string& id) -> task<std::string> {
      co_await ctx.call<reserve>(id);
      co_await ctx.call<knock>();
      co_return "booked";
    });

/// An activity that runs until it is let go.
struct pause {
  std::atomic<bool> begun{false};
  std::atomic<bool> over{false};
};
constexpr auto slowly_reserve =
    activity("slowly_reserve", [](activity_context& ctx, const std::string& id, pause& given) -> void {
      given.begun = true;
      while (!given.over) std::this_thread::yield();
      ctx.session() << "INSERT INTO reserved (id) VALUES (:id)", soci::use(id);
    }).compensate([](activity_context& ctx, const std::string& id, pause&) {
      ctx.session() << "DELETE FROM reserved WHERE id = :id", soci::use(id);
    });
constexpr auto slowly_book = workflow(
    "slowly_book", [](workflow_context<slowly_reserve, reserve>& ctx, const std::string& id) -> task<std::string> {
      co_await ctx.call<slowly_reserve>(id);
      co_await ctx.call<reserve>(id);
      co_return "booked";
    });

class Cancelling : public RunningApp {
protected:
  std::shared_ptr<told> hooks = std::make_shared<told>();

  Cancelling() { database_file{file}.db().session() << "CREATE TABLE reserved (id TEXT)"; }
  /// What is thrown by the result of an instance that is cancelled.
  template <class Run> static std::string reason(const Run& run) {
    try {
      run.result(60s);
    } catch (const instance_failed& e) {
      EXPECT_EQ(e.status(), instance_status::cancelled);
      return e.reason();
    }
    return "it has a result";
  }
  std::vector<std::string> steps(const std::string& id) {
    return database_file{file}.texts(
        "SELECT activity_id || ' ' || event_type FROM workflow_history WHERE instance_id = '" + id + "' ORDER BY id");
  }
};
using lines = std::vector<std::string>;

TEST_F(Cancelling, StopsWaitingForTheNextAttemptAndUndoesWhatWasDone) {
  app<book> app{{.database = file, .hooks = hooks}};
  const auto run = app.start<book>("A", instance_id{"A"});
  ASSERT_TRUE(hooks->wait_for("retry knock:1")); // the next one follows in an hour
  EXPECT_TRUE(app.cancel("A", "changed my mind"));
  EXPECT_EQ(reason(run), "changed my mind");
  EXPECT_EQ(run.status(), instance_status::cancelled);
  database_file outside{file};
  EXPECT_EQ(outside.number("SELECT count(*) FROM reserved"), 0);
  EXPECT_EQ(outside.texts("SELECT event_type FROM outbox_events ORDER BY sequence"), (lines{"reserved", "released"}));
  EXPECT_EQ(steps("A"), (lines{"reserve:1 ActivityCompleted", "@compensate:reserve:1 CompensationExecuted"}));
  ASSERT_TRUE(hooks->wait_for("cancelled A: changed my mind"));
  EXPECT_EQ(hooks->lines(), (lines{"complete reserve:1", "retry knock:1", "complete @compensate:reserve:1",
                                   "cancelled A: changed my mind"}));
  EXPECT_TRUE(run.cancel("again")); // asking twice is asking once
  EXPECT_EQ(reason(run), "changed my mind");
  EXPECT_EQ(steps("A").size(), 2U);
}

TEST_F(Cancelling, LetsARunningAttemptEndAndUndoesItToo) {
  pause given;
  app<slowly_book> app{{.database = file, .hooks = hooks}, given};
  const auto run = app.start<slowly_book>("A", instance_id{"A"});
  while (!given.begun) std::this_thread::yield();
  EXPECT_TRUE(run.cancel()); // does not wait for the attempt
  EXPECT_EQ(run.status(), instance_status::running);
  given.over = true;
  EXPECT_EQ(reason(run), "no reason was given");
  EXPECT_EQ(steps("A"),
            (lines{"slowly_reserve:1 ActivityCompleted", "@compensate:slowly_reserve:1 CompensationExecuted"}));
  EXPECT_EQ(database_file{file}.number("SELECT count(*) FROM reserved"), 0);
  EXPECT_TRUE(hooks->wait_for("cancelled A: no reason was given"));
}

TEST_F(Cancelling, ReachesAnInstanceThatAnotherAppRuns) {
  app<book> owner{{.database = file, .hooks = hooks}};
  owner.start<book>("A", instance_id{"A"});
  ASSERT_TRUE(hooks->wait_for("retry knock:1"));
  app<say> other{{.database = file}}; // it does not even serve the workflow
  EXPECT_TRUE(other.cancel("A", "from elsewhere"));
  EXPECT_TRUE(hooks->wait_for("cancelled A: from elsewhere"));
  EXPECT_EQ(reason(owner.start<book>("A", instance_id{"A"})), "from elsewhere");
}

TEST_F(Cancelling, RefusesWhatHasEndedAndWhatIsNotThere) {
  app<say, shout> app{{.database = file, .hooks = hooks}};
  const auto said = app.start<say>("hello", instance_id{"A"});
  EXPECT_EQ(said.result(), "hello");
  EXPECT_FALSE(said.cancel("too late"));
  EXPECT_EQ(said.result(), "hello");
  const auto shouted = app.start<shout>("hello", instance_id{"B"});
  EXPECT_THROW(shouted.result(), instance_failed);
  EXPECT_FALSE(shouted.cancel("too late"));
  EXPECT_EQ(shouted.status(), instance_status::failed);
  EXPECT_NE(refusal<error>([&] { app.cancel("C"); }).find("there is no instance C"), std::string::npos);
  EXPECT_THROW(app.cancel("A", "a\nb"), payload_error);
  EXPECT_THROW(app.cancel("A", std::string(5000, 'x')), payload_error);
  ASSERT_TRUE(hooks->wait_for("failed B: too loud: hello!"));
  for (const auto& line : hooks->lines()) EXPECT_FALSE(line.starts_with("cancelled")) << line;
}

// -- the end ----------------------------------------------------------------------------------------------------------

struct progress {
  std::atomic<int> begun{0};
  std::atomic<int> done{0};
};
constexpr auto slow = activity("slow", [](activity_context& ctx, progress& seen) -> void {
  ctx.on_commit([&seen] { ++seen.done; });
  ++seen.begun;
  std::this_thread::sleep_for(50ms); // what it is about: the app is stopped meanwhile
});
constexpr auto wait = workflow("wait", [](workflow_context<slow>& ctx, int) -> task<> { co_await ctx.call<slow>(); });

TEST_F(RunningApp, LetsRunningActivitiesCommitWhenItStops) {
  progress seen;
  {
    app<wait> app{{.database = file}, seen};
    for (int i = 0; i < 4; ++i) app.start<wait>(i);
    while (seen.begun == 0) std::this_thread::yield();
  }
  database_file outside{file};
  EXPECT_GT(seen.done, 0);
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_history"), seen.done);
  EXPECT_EQ(outside.number("SELECT count(*) FROM worker_epochs"), 0);
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_instances WHERE owner_epoch IS NOT NULL"), 0);
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

TEST_F(RunningApp, StopsInTimeAlthoughTheBrokerNeverAnswers) {
  event_log broker{cli::answer_script::parse("hang,hang,hang,hang")};
  const auto began = std::chrono::steady_clock::now();
  {
    app<say> app{{.database = file, .outbox = {.enabled = true, .broker_url = broker.url()}, .shutdown_timeout = 300ms}};
    app.start<say>("hello").result();
    ASSERT_TRUE(broker.wait_for(1, 10s));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
  EXPECT_EQ(database_file{file}.number("SELECT count(*) FROM outbox_events WHERE status = 'pending'"), 1);
}

TEST_F(RunningApp, WaitsForADatabaseThatAnotherProcessHolds) {
  app<say> app{{.database = file}};
  app.start<say>("before").result();
  database_file outside{file};
  outside.db().begin();
  std::jthread client{[&] { EXPECT_EQ(app.start<say>("meanwhile", instance_id{"M"}).result(), "meanwhile"); }};
  while (app.health().database_error.empty())
    std::this_thread::yield(); // the first BEGIN has waited for the lock in vain
  outside.db().commit();
  client.join();
  EXPECT_TRUE(app.health().ok);
}

/// Starts it again until it is confirmed, as callers do.
template <const auto& Workflow, class App>
std::string start_again(App& app, const std::string& text, const std::string& id) {
  const auto end = std::chrono::steady_clock::now() + 30s;
  for (;;) try {
      return app.template start<Workflow>(text, instance_id{id}).result(30s);
    } catch (const start_unconfirmed& e) {
      EXPECT_EQ(e.instance_id(), id);
      if (std::chrono::steady_clock::now() >= end) throw;
    }
}
/// The id of a start that nobody confirmed.
template <class Start> std::string unconfirmed(Start start) {
  try {
    start();
  } catch (const start_unconfirmed& e) {
    EXPECT_TRUE(e.retryable());
    EXPECT_NE(std::string{e.what()}.find(e.instance_id()), std::string::npos) << e.what();
    EXPECT_NE(std::string{e.what()}.find("start it again with the same id"), std::string::npos) << e.what();
    return e.instance_id();
  }
  return "it is confirmed";
}

TEST_F(RunningApp, SaysWhichStartIsUnconfirmedSoThatItCanBeStartedAgain) {
  app<say> app{{.database = file, .database_timeout = 200ms}};
  app.start<say>("before").result();
  database_file outside{file};
  outside.db().begin(); // and keeps the lock
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(unconfirmed([&] { app.start<say>("hello", instance_id{"A"}); }), "A");
  EXPECT_GE(std::chrono::steady_clock::now() - began, 200ms);
  const auto made = unconfirmed([&] { app.start<say>("no id given"); });
  EXPECT_EQ(made.size(), 36U) << made; // a UUID
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_instances"), 1);
  outside.db().commit();
  EXPECT_EQ(start_again<say>(app, "hello", "A"), "hello");
  EXPECT_EQ(start_again<say>(app, "no id given", made), "no id given");
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_instances"), 3);
  EXPECT_EQ(outside.number("SELECT count(*) FROM outbox_events"), 3);
}

TEST_F(RunningApp, LosesAnUnconfirmedStartWithItsLifeAndTheNextOneStartsItOnce) {
  database_file outside{file};
  {
    app<say> app{{.database = file, .database_timeout = 200ms, .shutdown_timeout = 200ms}};
    app.start<say>("before").result();
    outside.db().begin();
    EXPECT_EQ(unconfirmed([&] { app.start<say>("hello", instance_id{"A"}); }), "A");
  }
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_instances"), 1);
  outside.db().commit();
  app<say> next{{.database = file}};
  EXPECT_EQ(next.start<say>("hello", instance_id{"A"}).result(30s), "hello");
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_instances"), 2);
  EXPECT_EQ(outside.number("SELECT count(*) FROM outbox_events"), 2);
}

TEST_F(RunningApp, ClaimsNoInstanceWhileItStopsAndItsRelayerWaitsForASlowBroker) {
  constexpr auto timeout = 6s; // a third of it is for the relayer; instances are looked for each second
  event_log broker{cli::answer_script::parse("hang")};
  std::promise<storage> told;
  std::promise<std::chrono::steady_clock::time_point> stop;
  std::chrono::steady_clock::duration took{};
  std::jthread life{[&] {
    std::chrono::steady_clock::time_point began;
    {
      app<say> app{
          {.database = file, .outbox = {.enabled = true, .broker_url = broker.url()}, .shutdown_timeout = timeout}};
      app.start<say>("hello", instance_id{"A"}).result();
      told.set_value(app.storage());
      began = stop.get_future().get();
    }
    took = std::chrono::steady_clock::now() - began;
  }};
  relayer_options options;
  options.storage = told.get_future().get();
  options.broker_url = broker.url();
  outbox_relayer another{options}; // it is told when the app stops
  EXPECT_TRUE(broker.wait_for(1, 10s));
  const auto began = std::chrono::steady_clock::now();
  stop.set_value(began);
  while (refusal<startup_error>([&] { another.start(); }).find("the app is shut down") == std::string::npos)
    std::this_thread::yield();
  database_file outside{file};
  outside.db().session() << "INSERT INTO workflow_instances (instance_id, workflow_name, input_data, started_at) "
                            "VALUES ('B', 'say', '[\"good bye\"]', '2026-01-01 00:00:00')";
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1s);
  life.join();
  EXPECT_GE(took, 1500ms); // it did wait for the broker
  EXPECT_LT(took, timeout);
  EXPECT_EQ(outside.texts("SELECT status || ' ' || fence FROM workflow_instances WHERE instance_id = 'B'"),
            lines{"running 0"});
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_history WHERE instance_id = 'B'"), 0);
  EXPECT_EQ(outside.number("SELECT count(*) FROM worker_epochs"), 0);
  EXPECT_EQ(outside.number("SELECT count(*) FROM outbox_events WHERE status = 'pending' AND locked_by IS NULL"), 1);
}

TEST_F(RunningApp, WaitsForItsSessionWithoutALimitOfTime) {
  attempts of_it;
  app<write_down> app{{.database = file, .database_timeout = std::chrono::milliseconds::max()}, of_it};
  database_file outside{file};
  outside.db().session() << "CREATE TABLE written (text TEXT)";
  const auto run = app.start<write_down>("hello");
  while (of_it.begun == 0) std::this_thread::yield();
  outside.db().begin();
  of_it.may_write = true;
  while (app.health().database_error.empty()) std::this_thread::yield();
  outside.db().commit();
  EXPECT_NO_THROW(run.result(5s));
  EXPECT_EQ(of_it.begun, 1); // no attempt was lost for want of a session
}

TEST_F(RunningApp, StopsWithoutALimitOfTime) {
  progress seen;
  {
    app<wait> app{{.database = file, .shutdown_timeout = std::chrono::milliseconds::max()}, seen};
    app.start<wait>(1);
    while (seen.begun == 0) std::this_thread::yield();
  }
  EXPECT_EQ(seen.done, 1);
  database_file outside{file};
  EXPECT_EQ(outside.number("SELECT count(*) FROM workflow_history"), 1);
  EXPECT_EQ(outside.number("SELECT count(*) FROM worker_epochs"), 0);
}

TEST_F(RunningApp, EndsOnAnotherThreadThanTheOneThatMadeIt) {
  auto made = std::make_unique<app<say>>(app_options{.database = file});
  EXPECT_EQ(made->start<say>("hello").result(), "hello");
  std::promise<void> ended;
  auto end = ended.get_future();
  std::thread other{[app = made.release(), ended = std::move(ended)]() mutable {
    delete app;
    ended.set_value();
  }};
  const bool in_time = end.wait_for(15s) == std::future_status::ready; // shutdown_timeout is 10 s
  EXPECT_TRUE(in_time);
  in_time ? other.join() : other.detach();
}

} // namespace
} // namespace romancy::testing
