#include <atomic>

#include "tests/app/running_app.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/test_database.hpp"

namespace romancy::testing {
namespace {

struct gate {
  std::atomic<bool> open{false};
};
constexpr auto pass = activity("pass", [](external_context&, const std::string& text, gate& g) -> std::string {
  if (!g.open) throw terminal_error{"the gate is closed"};
  return text + " has passed";
});
constexpr auto walk =
    workflow("walk", [](workflow_context<echo, pass>& ctx, const std::string& text) -> task<std::string> {
      const auto said = co_await ctx.call<echo>(text);
      co_return co_await ctx.call<pass>(said);
    });

class Forking : public on_every_database {};

TEST_P(Forking, GivesAHandleToTheForkWhichSaysWhereItIsFrom) {
  gate g;
  app<walk, say> app{{.database = fresh.url()}, g};
  EXPECT_THROW(static_cast<void>(app.start<walk>("Ada", instance_id{"A"}).result()), instance_failed);
  g.open = true;
  const auto fork = app.fork<walk>("A", {.from_step = "pass:1", .new_id = instance_id{"B"}});
  EXPECT_EQ(fork.id(), "B");
  EXPECT_EQ(fork.result(), "Ada has passed");
  EXPECT_EQ(app.fork<walk>("A", {.from_step = "pass:1", .new_id = instance_id{"B"}}).result(), "Ada has passed");
  const auto nameless = app.fork<walk>("A", {.from_step = "echo:1"});
  EXPECT_EQ(nameless.result(), "Ada has passed");
  EXPECT_EQ(nameless.id().size(), 36U);
  const auto details = app.storage().find_instance("B").value();
  EXPECT_EQ(details.instance.forked_from, "A");
  EXPECT_EQ(details.instance.fork_step, "pass:1");
  EXPECT_EQ(app.storage().find_instance("A").value().instance.forked_from, "");
}

TEST_P(Forking, SaysWhyNot) {
  gate g;
  app<walk, say> app{{.database = fresh.url()}, g};
  EXPECT_EQ(app.start<say>("hello", instance_id{"S"}).result(), "hello");
  EXPECT_EQ(refusal<error>([&] { static_cast<void>(app.fork<say>("S", {.from_step = "pass:1"})); }),
            "the history of instance S has no step pass:1: see romancy workflow show S");
  EXPECT_EQ(refusal<error>([&] { static_cast<void>(app.fork<walk>("S", {.from_step = "echo:1"})); }),
            "instance S is of workflow 'say', not of 'walk'");
  EXPECT_EQ(refusal<error>([&] { static_cast<void>(app.fork<say>("none", {.from_step = "echo:1"})); }),
            "there is no instance none");
  EXPECT_THROW(static_cast<void>(app.fork<say>("S", {.from_step = "echo:1", .new_id = instance_id{""}})), payload_error);
  EXPECT_EQ(
      refusal<error>([&] { static_cast<void>(app.fork<say>("S", {.from_step = "echo:1", .new_id = instance_id{"S"}})); }),
      "instance S exists already, and is not a fork of S from echo:1: choose another id");
}

ROMANCY_ON_EVERY_DATABASE(Forking);

} // namespace
} // namespace romancy::testing
