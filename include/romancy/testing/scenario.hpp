#pragma once

#include <type_traits>
#include <utility>

#include <romancy/detail/served_workflows.hpp>
#include <romancy/send_event_transactional.hpp>
#include <romancy/testing/scenario_control.hpp>

namespace romancy::testing {

/// A story about `Workflows` that a test tells: the actors of a real app on a real SQLite file, on the thread of the
/// test, with virtual time, a broker that answers as it is told, and faults where the story wants them. A year of retries
/// runs in milliseconds, and two runs are the same.
///
///     romancy::testing::scenario<process_order> s{gateway};
///     s.fail_attempt("charge_card", 1, "the gateway is down");
///     auto order = s.start<process_order>(new_order{"ORD-1", 149.99}, romancy::instance_id{"ORD-1"});
///     s.run_until_idle();
///     EXPECT_EQ(order.status(), romancy::instance_status::completed) << s.timeline();
///     EXPECT_EQ(s.broker().accepted(), (std::vector<std::string>{"order.created", "order.completed"}));
///
/// Not covered: two threads at once in user code, what a real broker or database server does by itself, a machine that
/// loses power. While a scenario lives, the log "romancy" goes to it. Not thread-safe; one at a time in a process.
template <const auto&... Workflows>
class scenario : public scenario_control, public detail::served_workflows<Workflows...> {
  using served = detail::served_workflows<Workflows...>;

public:
  /// `given`: the dependencies of all activities, or fakes of them, in any order. They must outlive the scenario.
  template <class... Given>
  explicit scenario(scenario_options options, Given&&... given)
      : scenario_control{std::move(options), served::closure::table,
                         served::collect_dependencies(std::forward<Given>(given)...)} {
    served::runtime_ = scenario_control::runtime();
  }
  template <class... Given>
    requires(!(std::is_same_v<std::remove_cvref_t<Given>, scenario_options> || ...))
  explicit scenario(Given&&... given) : scenario{scenario_options{}, std::forward<Given>(given)...} {}

  /// `start<wf>(inputs…, instance_id{"ORD-1"}, time_limit{24h})`, as of an app. `result()` of what it returns runs the
  /// scenario until the instance has ended.
  using scenario_control::receive;
  using served::cancel;  ///< as of an app
  using served::find;    ///< as of an app
  using served::receive; ///< as of an app
  using served::start;

  /// The database, for looking at it.
  romancy::storage storage() const { return served::runtime_->storage(); }
};

} // namespace romancy::testing
