#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <romancy/detail/definition_closure.hpp>
#include <romancy/fork_options.hpp>
#include <romancy/run.hpp>
#include <romancy/time_limit.hpp>

namespace romancy::detail {

/// What is asked of a runtime that serves `Workflows`, with their types: what an app and a scenario have in common.
template <const auto&... Workflows> class served_workflows {
  static_assert((is_workflow<definition_t<Workflows>> && ...),
                "romancy: app<...> lists workflows; their activities are found by themselves");

protected:
  using closure = detail::closure<Workflows...>;

  /// The dependencies of all activities, from what was given in any order.
  template <class... Given> static dependency_set collect_dependencies(Given&&... given) {
    static_assert((std::is_lvalue_reference_v<Given> && ...),
                  "romancy: a dependency must outlive the app: pass a variable, not a temporary");
    constexpr typename closure::dependencies wanted;
    static_assert(check_dependencies(wanted, list<std::remove_reference_t<Given>...>{}));
    return collect(wanted, given...);
  }

  served_workflows() = default;
  explicit served_workflows(std::shared_ptr<detail::runtime> runtime) : runtime_{std::move(runtime)} {}
  ~served_workflows() = default;

public:
  /// `start<wf>(inputs…)`, `start<wf>(inputs…, instance_id{"ORD-1"})`, each perhaps with a time_limit after it. Returns
  /// when the instance is committed: from then on it runs to an end, whatever crashes. With an id that exists it returns
  /// that instance and starts nothing. Not from inside an activity that holds the session: the instance could not be
  /// committed before that one returns.
  /// @throws instance_conflict if the id belongs to another workflow or to other inputs; payload_error; start_unconfirmed
  /// when it may have been started; storage_error when it was not.
  template <const auto& Workflow, class... Args> auto start(Args&&... args) {
    using definition = definition_t<Workflow>;
    static_assert(contains<typename closure::served, constant<Workflow>>,
                  "romancy: this app does not serve the workflow: add it to app<...>");
    auto arguments = std::forward_as_tuple(std::forward<Args>(args)...);
    constexpr bool has_limit = ends_with<time_limit, Args...>;
    std::optional<std::chrono::microseconds> limit;
    if constexpr (has_limit) limit = std::get<sizeof...(Args) - 1>(arguments).value;
    constexpr std::size_t left = sizeof...(Args) - has_limit;
    constexpr bool has_id = has_at<instance_id, left, Args...>;
    std::optional<instance_id> id;
    if constexpr (has_id) id = std::get<left - 1>(arguments);
    auto encoded = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return encode_inputs(typename definition::inputs{}, std::get<I>(std::move(arguments))...);
    }
    (std::make_index_sequence<left - has_id>{});
    auto key = runtime_->start(Workflow.name(), std::move(encoded), std::move(id), limit);
    return run<typename definition::output>{runtime_, std::move(key)};
  }

  /// The handle to an instance that was started before, by whichever process.
  /// @throws error if there is no such instance, or it is of another workflow; storage_error
  template <const auto& Workflow> auto find(const std::string& id) {
    static_assert(contains<typename closure::served, constant<Workflow>>,
                  "romancy: this app does not serve the workflow: add it to app<...>");
    runtime_->expect(id, Workflow.name());
    return run<typename definition_t<Workflow>::output>{runtime_, id};
  }

  /// Has an instance stopped and undone, whichever process runs it: the attempt that is running is asked to stop and ends
  /// first, no further step begins once its owner has noticed (at once here, within a second elsewhere), and what is done
  /// is compensated, the last one first. Then it is `cancelled`, with `reason`. A parked instance is undone as well.
  /// Returns when the request is committed: true if it will be undone, unless it completes before that is noticed; false
  /// if it has completed or failed, or its own failure is being undone. Thread-safe. Not from inside an activity that
  /// holds the session: the request could not be committed before that one returns.
  /// @throws error if there is no such instance; payload_error for a reason that cannot be stored; storage_error
  bool cancel(const std::string& id, const std::string& reason = {}, const std::string& author = {}) {
    return runtime_->cancel(id, reason, author);
  }

  /// Starts an instance that goes on from the middle of another one, say of one that failed, once the cause is mended:
  /// its history is a copy of that of the other's current run, up to `options.from_step`; that step and all after it run
  /// anew, with the same inputs before them. Returns when the fork is committed. The source must have ended or be parked,
  /// and is not changed. What the fork has taken over is not undone when it fails: see docs/guide/versions.md. With the
  /// same new_id it may be called again, and forks once. Thread-safe. Not from inside an activity that holds the session.
  /// @throws error that says why it cannot be forked and the remedy; payload_error for an id that cannot be stored;
  /// storage_error
  template <const auto& Workflow> auto fork(const std::string& id, const fork_options& options) {
    static_assert(contains<typename closure::served, constant<Workflow>>,
                  "romancy: this app does not serve the workflow: add it to app<...>");
    runtime_->expect(id, Workflow.name());
    return run<typename definition_t<Workflow>::output>{runtime_, runtime_->fork(id, options.from_step, options.new_id)};
  }

  /// Takes in CloudEvents, all of them or none. Returns when they are committed, together with what they lead to: they
  /// start and wake instances as the workflows say (workflow::started_by, workflow::addressed_by), and those that wait
  /// for them go on. An event whose source and id were taken in before changes nothing. Returns how many are new. Not
  /// from inside an activity that holds the session.
  /// @throws payload_error for one that is malformed, or that can never be taken in; storage_error
  int receive(const std::vector<received_event>& events) { return runtime_->receive(events); }
  int receive(const received_event& event) { return runtime_->receive({event}); }

protected:
  std::shared_ptr<detail::runtime> runtime_;
};

} // namespace romancy::detail
