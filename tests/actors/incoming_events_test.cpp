#include "tests/actors/waiting_steps.hpp"
#include "tests/support/refusal.hpp"

namespace romancy::testing {
namespace {

constexpr auto collector = workflow("collector", [](workflow_context<note>& ctx, int count) -> task<std::string> {
  std::string all;
  for (int i = 0; i < count; ++i) {
    const auto event = co_await ctx.wait_event("tick");
    all += event.data.dump() + ' ';
  }
  co_return all;
});

struct order_requested {
  std::string order_id;
  double amount = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order_requested, order_id, amount)
constexpr auto fulfil = workflow("fulfil",
                                 [](workflow_context<note>& ctx, const order_requested& in) -> task<std::string> {
                                   const auto decision = co_await ctx.wait_events<approved, rejected>();
                                   co_return in.order_id + (decision.index() == 0 ? " approved" : " rejected");
                                 })
                            .started_by("order.requested", "order_id")
                            .addressed_by("order.approved", "order_id")
                            .addressed_by("order.rejected", "order_id");

class IncomingEvents : public workflow_fixture<> {};

TEST_P(IncomingEvents, GivesAnEventForNobodyInParticularToAllThatWait) {
  world<collector, approval> app{file, book};
  for (const auto* id : {"A", "B"}) app.start("collector", {1}, id);
  app.start("approval", {1000}, "C");
  app.advance(10ms);
  app.receive("tick", 7);
  app.advance(10ms);
  EXPECT_EQ(app.instance("A").output, R"("7 ")");
  EXPECT_EQ(app.instance("B").output, R"("7 ")");
  EXPECT_EQ(app.status("C"), instance_status::running);
}

TEST_P(IncomingEvents, ProcessesAnEventThatComesTwiceOnce) {
  world<collector> app{file, book};
  app.start("collector", {3}, "A");
  app.advance(10ms);
  for (int i = 0; i < 2; ++i)
    for (const auto* id : {"x", "y"}) app.receive("tick", id, "A", id);
  app.advance(10ms);
  EXPECT_EQ(app.status("A"), instance_status::running);
  app.receive("tick", "z", "A", "z");
  app.advance(10ms);
  EXPECT_EQ(app.instance("A").output, R"("\"x\" \"y\" \"z\" ")");
  EXPECT_EQ(app.count("SELECT count(*) FROM inbox_events"), 3);
}

TEST_P(IncomingEvents, IsStartedByAnEventAndGetsThoseThatNameIt) {
  world<fulfil> app{file, book};
  app.receive("order.approved", {{"order_id", "O-2"}, {"by", "early"}}); // before it is there
  for (int i = 0; i < 2; ++i)                                            // under two ids
    for (const auto* id : {"O-1", "O-2", "O-3"}) app.receive("order.requested", {{"order_id", id}, {"amount", 7}});
  app.advance(10ms);
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_instances"), 3);
  app.receive("order.rejected", {{"order_id", "O-1"}, {"why", "no"}});
  app.receive("order.rejected", {{"order_id", "O-1"}, {"why", "no"}}, "O-3");
  app.advance(10ms);
  EXPECT_EQ(app.instance("O-1").output, R"("O-1 rejected")");
  EXPECT_EQ(app.instance("O-2").output, R"("O-2 approved")");
  EXPECT_EQ(app.instance("O-3").output, R"("O-3 rejected")");
}

TEST_P(IncomingEvents, RefusesAnEventThatWouldStartAnotherInstanceUnderTheSameId) {
  world<fulfil> app{file, book};
  app.receive("order.requested", {{"order_id", "O-1"}, {"amount", 7}});
  const auto other = app.receive("order.requested", {{"order_id", "O-1"}, {"amount", 8}}, "", "other");
  app.advance(10ms);
  const auto answer = other->wait_for(0ms);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->refused,
            "event other of outside would start instance O-1, which exists already with another workflow "
            "or other inputs");
  EXPECT_EQ(app.count("SELECT count(*) FROM inbox_events"), 1);
}

TEST_P(IncomingEvents, RefusesEventsThatNameNothingOrFitNothing) {
  world<fulfil> app{file, book};
  const auto why = [&](const std::string& type, const nlohmann::json& data) {
    return refusal<payload_error>([&] { app.receive(type, data, "", "E"); });
  };
  EXPECT_EQ(why("order.approved", {{"by", "Ada"}}),
            "event 'E' of type 'order.approved': its data names the instance by the "
            "member 'order_id', which is not there or no text");
  EXPECT_NE(why("order.requested", {{"order_id", "O-1"}}).find("its data is no input of the workflow 'fulfil'"),
            std::string::npos);
  EXPECT_NE(why("order.requested", {{"order_id", ""}}).find("is empty"), std::string::npos);
}

// -- tomorrow's code ----------------------------------------------------------------------------------------------------

struct order_requested_by {
  std::string order_id;
  double amount = 0;
  std::string by = "somebody"; ///< added
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(order_requested_by, order_id, amount, by)
constexpr auto deliver = workflow("deliver",
                                  [](workflow_context<note>& ctx, const order_requested_by& in) -> task<std::string> {
                                    const auto decision = co_await ctx.wait_events<approved, rejected>();
                                    co_return in.by + (decision.index() == 0 ? " approved" : " rejected");
                                  })
                             .formerly("fulfil")
                             .started_by("order.requested", "order_id")
                             .addressed_by("order.approved", "order_id");

TEST_P(IncomingEvents, StartsOnceWhatWasStartedUnderAnOldNameAndWithOldInputs) {
  {
    world<fulfil> app{file, book};
    app.receive("order.requested", {{"order_id", "O-1"}, {"amount", 7}}, "", "1");
    app.advance(100ms);
    app.drain();
    app.settle();
  }
  world<deliver> app{file, book};
  const auto same = app.receive("order.requested", {{"order_id", "O-1"}, {"amount", 7}}, "", "2");
  const auto other = app.receive("order.requested", {{"order_id", "O-1"}, {"amount", 8}}, "", "3");
  const auto added = app.receive("order.requested", {{"order_id", "O-1"}, {"amount", 7}, {"by", "Ada"}}, "", "4");
  app.advance(100ms);
  EXPECT_EQ(same->wait_for(0ms)->refused, "");
  for (const auto& refused : {other, added})
    EXPECT_NE(refused->wait_for(0ms)->refused.find("exists already with another workflow or other inputs"),
              std::string::npos);
  app.receive("order.approved", {{"order_id", "O-1"}, {"by", "Bob"}});
  ASSERT_TRUE(app.ends("O-1"));
  EXPECT_EQ(app.instance("O-1").output, R"("somebody approved")");
  EXPECT_EQ(app.count("SELECT count(*) FROM workflow_instances"), 1);
}

ROMANCY_ON_EVERY_DATABASE(IncomingEvents);

} // namespace
} // namespace romancy::testing
