// Whatever waits, is woken, is undone and is removed: the process dies before its k-th statement, for every k, and
// another one goes on; on servers before its k-th COMMIT, and the answer to each COMMIT is lost. The end is the same, to
// the row.
#include "storage/timestamp.hpp"
#include "tests/actors/statement_sweep.hpp"

namespace romancy::testing {
namespace {

bool ended(simulation& app, const std::string& id) {
  const auto found = app.instance(id);
  return !found.instance_id.empty() && is_settled(found.status);
}

// -- events -------------------------------------------------------------------------------------------------------------

struct order {
  std::string order_id;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order, order_id)
constexpr auto ship = activity("ship", [](activity_context& ctx, const std::string& id) -> void {
  if (!ctx.first_time("shop", id)) return;
  write_row(ctx, "ship " + id);
  send_event_transactional(ctx, "order.shipped", "test", {{"order_id", id}});
});
constexpr auto fulfil = workflow("fulfil",
                                 [](workflow_context<ship>& ctx, const order& in) -> task<std::string> {
                                   co_await ctx.sleep_for(6s);
                                   const auto yes = co_await ctx.wait_event<approved>(1h);
                                   const auto again = co_await ctx.wait_event<approved>(1h); // both are there
                                   const auto nothing = co_await ctx.wait_event("never", 6s);
                                   co_await ctx.call<ship>(in.order_id);
                                   const nlohmann::json data{{"order_id", in.order_id}};
                                   co_await send_event_transactional(ctx, "order.done", "test", data);
                                   std::string by = yes ? yes->by : "nobody";
                                   by += again ? ' ' + again->by : " nobody";
                                   co_return by + (nothing ? " something" : " nothing");
                                 })
                            .started_by("order.requested", "order_id")
                            .addressed_by("order.approved", "order_id");

TEST_P(StatementSweep, StartsSleepsAndWaitsForEventsOnce) {
  sweep<fulfil>(
      {.phases = {{[](simulation& app) {
                     app.receive("order.requested", {{"order_id", "O"}}, "", "1");
                     app.receive("order.approved", {{"order_id", "O"}, {"by", "Ada"}}, "", "2");
                     app.receive("order.approved", {{"order_id", "O"}, {"by", "Bob"}}, "", "3");
                   },
                   [](simulation& app) { return ended(app, "O"); }}},
       .end = {"event O order.done published", "event O order.shipped published", "history O @send_event:1 EventSent",
               "history O @sleep:1 TimerFired", "history O @wait_event:1 EventReceived",
               "history O @wait_event:2 EventReceived", "history O @wait_event:3 WaitTimedOut",
               "history O ship:1 ActivityCompleted", "inbox outside 1 order.requested", "inbox outside 2 order.approved",
               "inbox outside 3 order.approved", "inbox shop O", R"(instance O completed "Ada Bob nothing")",
               "wrote ship O"}});
}

// -- channels and groups ------------------------------------------------------------------------------------------------

constexpr auto listener = workflow("listener", [](workflow_context<>& ctx) -> task<std::string> {
  co_await ctx.subscribe("news");
  co_await ctx.join_group("listeners");
  co_await ctx.send_to("S", "ready", 1);
  const auto one = co_await ctx.receive<std::string>("news");
  const auto two = co_await ctx.receive<std::string>("news");
  co_return one + ' ' + two;
});
constexpr auto worker = workflow("worker", [](workflow_context<>& ctx) -> task<std::string> {
  co_await ctx.subscribe("jobs", channel_mode::competing);
  co_await ctx.send_to("S", "ready", 2);
  const auto job = co_await ctx.receive<std::string>("jobs", 1h);
  co_return job.value_or("nothing");
});
constexpr auto announce = activity("announce", [](activity_context& ctx) -> void {
  write_row(ctx, "announced");
  ctx.publish("news", "one");
});
constexpr auto speaker = workflow("speaker", [](workflow_context<announce>& ctx) -> task<std::string> {
  co_await ctx.receive("ready");
  co_await ctx.receive("ready");
  co_await ctx.call<announce>();
  co_await ctx.publish("jobs", "job");
  const auto members = co_await ctx.group_members("listeners");
  for (const auto& member : members) co_await ctx.send_to(member, "news", "two");
  co_return members.front();
});

TEST_P(StatementSweep, BringsEveryMessageOnce) {
  sweep<listener, worker, speaker>(
      {.phases = {{[](simulation& app) {
                     app.start("listener", nlohmann::json::array(), "L");
                     app.start("worker", nlohmann::json::array(), "W");
                     app.start("speaker", nlohmann::json::array(), "S");
                   },
                   [](simulation& app) { return ended(app, "S") && ended(app, "L") && ended(app, "W"); }}},
       .end = {"history L @join_group:1 ChannelChanged", "history L @receive:1 EventReceived",
               "history L @receive:2 EventReceived", "history L @send_to:1 MessageSent",
               "history L @subscribe:1 ChannelChanged", "history S @group_members:1 ChannelChanged",
               "history S @publish:1 MessageSent", "history S @receive:1 EventReceived",
               "history S @receive:2 EventReceived", "history S @send_to:1 MessageSent",
               "history S announce:1 ActivityCompleted", "history W @receive:1 EventReceived",
               "history W @send_to:1 MessageSent", "history W @subscribe:1 ChannelChanged",
               R"(instance L completed "one two")", R"(instance S completed "L")", R"(instance W completed "job")",
               "wrote announced"}});
}

// -- steps in parallel, children, retries, runs -------------------------------------------------------------------------

constexpr auto stubborn = activity("stubborn", [](activity_context& ctx, const std::string& text) -> std::string {
                            if (ctx.attempt() == 1) throw std::runtime_error{"not yet"};
                            write_row(ctx, text);
                            return text;
                          }).retry(fixed(6s).max_attempts(3));
constexpr auto part = workflow("part", [](workflow_context<note>& ctx) -> task<int> {
  co_await ctx.call<note>("child");
  co_await ctx.sleep_for(6s);
  co_return 1;
});
constexpr auto runs = workflow("runs", [](workflow_context<note, stubborn, part>& ctx, int run) -> task<std::string> {
  if (run == 2) {
    const auto kept = co_await ctx.receive<std::string>("news");
    co_await ctx.call<note>(kept);
    co_return co_await ctx.recur(3);
  }
  if (run == 3) co_return "the end"; // which waits for nothing, and still leaves nothing behind
  co_await ctx.subscribe("news");
  co_await ctx.join_group("group");
  const int version = co_await ctx.version("v", 0, 3);
  auto born = ctx.start<part>();
  auto work = ctx.start<stubborn>("work");
  auto limit = ctx.start_sleep_for(1h);
  const auto winner = co_await ctx.any(work, limit);
  const auto both = co_await ctx.all(born, work);
  co_await ctx.call<note>(std::to_string(version) + std::to_string(winner) + std::to_string(std::get<0>(both)));
  co_await ctx.publish("news", "kept");
  co_return co_await ctx.recur(2);
});

TEST_P(StatementSweep, RunsStepsInParallelChildrenAndRunsOnce) {
  sweep<runs>({.phases = {{[](simulation& app) { app.start("runs", {1}, "A"); },
                           [](simulation& app) { return ended(app, "A"); }}},
               .end = {"archived A @any:1 ChoiceMade", "archived A @child.part:1 ChildCompleted",
                       "archived A @join_group:1 ChannelChanged", "archived A @publish:1 MessageSent",
                       "archived A @receive:1 EventReceived", "archived A @subscribe:1 ChannelChanged",
                       "archived A @version.v:1 VersionChosen", "archived A note:1 ActivityCompleted",
                       "archived A note:1 ActivityCompleted", "archived A stubborn:1 ActivityCompleted",
                       "history A/@child.part:1 @sleep:1 TimerFired", "history A/@child.part:1 note:1 ActivityCompleted",
                       R"(instance A completed "the end")", "instance A/@child.part:1 completed 1", "wrote 301",
                       "wrote child", "wrote kept", "wrote work"}});
}

// -- cancelling, deadlines, undoing -------------------------------------------------------------------------------------

constexpr auto begun = workflow("begun", [](workflow_context<first>& ctx, const std::string& id) -> task<void> {
  co_await ctx.call<first>(id);
  co_await ctx.wait_event("never");
});
constexpr auto outer = workflow("outer", [](workflow_context<second, begun>& ctx, const std::string& id) -> task<void> {
  co_await ctx.call<second>(id);
  const instance_id child{id + "-child"};
  co_await ctx.call<begun>(id + "-child", child);
});

TEST_P(StatementSweep, UndoesWhatIsCancelledOrLateOnce) {
  sweep<outer, begun>(
      {.phases = {{[](simulation& app) {
                     app.start("outer", {"P"}, "P");
                     app.start("begun", {"T"}, "T", 8s);
                   },
                   [](simulation& app) {
                     return app.count("SELECT count(*) FROM workflow_history WHERE instance_id = 'P-child'") > 0 &&
                            app.count("SELECT count(*) FROM workflow_history WHERE instance_id = 'T'") > 0;
                   }},
                  {[](simulation& app) { app.cancel("P", "enough"); },
                   [](simulation& app) { return ended(app, "P") && ended(app, "P-child") && ended(app, "T"); }}},
       .end = {"event P-child first.done published", "event P-child first.undone published",
               "event T first.done published", "event T first.undone published",
               "history P @compensate:second:1 CompensationExecuted", "history P second:1 ActivityCompleted",
               "history P-child @compensate:first:1 CompensationExecuted", "history P-child first:1 ActivityCompleted",
               "history T @compensate:first:1 CompensationExecuted", "history T first:1 ActivityCompleted",
               "instance P cancelled enough", "instance P-child cancelled its parent P is undone: enough",
               "instance T cancelled its deadline has passed", "wrote first P-child", "wrote first T", "wrote second P",
               "wrote undo first F-P-child", "wrote undo first F-T", "wrote undo second P"}});
}

// -- retention ----------------------------------------------------------------------------------------------------------

TEST_P(StatementSweep, RemovesWhatIsOldAndNothingElse) {
  sweep<begun>(
      {.options = {.retention = {.finished_instances = 1h,
                                 .delivered_events = 1h,
                                 .dead_events = 1h,
                                 .inbox = 1h,
                                 .interval = 1s,
                                 .batch = 2}},
       .phases = {{[](simulation&) {},
                   [](simulation& app) {
                     return app.count("SELECT count(*) FROM workflow_instances") == 1 &&
                            app.count("SELECT count(*) FROM outbox_events") == 1 &&
                            app.count("SELECT count(*) FROM inbox_events") == 1 &&
                            app.count("SELECT count(*) FROM channel_messages") == 0;
                   }}},
       .prepare =
           [](simulation& app) {
             auto& sql = app.db().session();
             for (const auto age : {3h, 2h, 0h}) {
               const auto id = std::to_string(age.count());
               const auto at = to_text(app.wall() - age);
               sql << "INSERT INTO workflow_instances (instance_id, workflow_name, status, input_data, "
                      "output_data, started_at, finished_at) VALUES (:id, 'begun', 'completed', '[]', 'null', "
                      ":began, :ended)",
                   soci::use(id), soci::use(at), soci::use(at);
               sql << "INSERT INTO workflow_history (instance_id, activity_id, position, event_type, event_data, "
                      "created_at) VALUES (:id, 'first:1', 1, 'ActivityCompleted', '1', :at)",
                   soci::use(id), soci::use(at);
               sql << "INSERT INTO outbox_events (event_id, event_type, event_source, event_data, created_at, "
                      "published_at, status, instance_id) VALUES (:id, 't', 'before', '1', :sent, :brought, 'published', "
                      ":of)",
                   soci::use(id), soci::use(at), soci::use(at), soci::use(id);
               sql << "INSERT INTO inbox_events (event_source, event_id, event_type, received_at) VALUES ('s', "
                      ":id, 't', :at)",
                   soci::use(id), soci::use(at);
               if (age > 0h)
                 sql << "INSERT INTO channel_messages (channel, instance_id, message, published_at) VALUES ('c', "
                        "'nobody', 'null', :at)",
                     soci::use(at);
             }
           },
       .end = {"event 0 t published", "history 0 first:1 ActivityCompleted", "inbox s 0 t",
               "instance 0 completed null"}});
}

ROMANCY_ON_EVERY_DATABASE(StatementSweep);

} // namespace
} // namespace romancy::testing
