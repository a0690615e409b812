#include <condition_variable>
#include <mutex>

#include "tests/app/running_app.hpp"

namespace romancy::testing {
namespace {

/// What a long activity waits for.
struct gate {
  std::mutex mutex;
  std::condition_variable changed;
  bool waited_for = false;
  bool open = false;

  void pass() {
    std::unique_lock lock{mutex};
    waited_for = true;
    changed.notify_all();
    changed.wait(lock, [this] { return open; });
  }
};

constexpr auto take_long = activity("take_long", [](external_context&, gate& at) -> void { at.pass(); });
constexpr auto long_one =
    workflow("long_one", [](workflow_context<take_long>& ctx) -> task<> { co_await ctx.call<take_long>(); });

TEST_F(RunningApp, GoesOnWithOthersWhileAnActivityTakesLong) {
  gate at;
  app<long_one, say> app{{.database = file}, at};
  auto slow = app.start<long_one>();
  {
    std::unique_lock lock{at.mutex};
    ASSERT_TRUE(at.changed.wait_for(lock, 30s, [&] { return at.waited_for; }));
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(app.start<say>("quick").result(30s), "quick");
  EXPECT_EQ(slow.status(), instance_status::running);
  {
    const std::lock_guard lock{at.mutex};
    at.open = true;
    at.changed.notify_all();
  }
  slow.result();
}

} // namespace
} // namespace romancy::testing
