#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include <romancy/detail/served_workflows.hpp>
#include <romancy/send_event_transactional.hpp>

namespace romancy {

/// Serves `Workflows` and, found in their types, all their activities. Runs from construction to destruction: unfinished
/// instances in the database continue by themselves, also those of processes that died. Any number of apps, in any number
/// of processes, may serve one database. Thread-safe.
///
///     romancy::app<process_order> app{{.database = "sqlite3://orders.db"}, gateway};
///     auto run = app.start<process_order>(new_order{"ORD-1", 149.99}, romancy::instance_id{"ORD-1"});
///     std::cout << run.result().status;
template <const auto&... Workflows> class app : public detail::served_workflows<Workflows...> {
  using served = detail::served_workflows<Workflows...>;

public:
  /// `given`: the dependencies of all activities, in any order. They must outlive the app, and are used by several
  /// threads at once. @throws startup_error
  template <class... Given>
  explicit app(app_options options, Given&&... given)
      : served{detail::make_runtime(std::move(options), served::closure::table,
                                    served::collect_dependencies(std::forward<Given>(given)...))} {}
  app(const app&) = delete;
  app& operator=(const app&) = delete;
  /// Stops within app_options::shutdown_timeout. What is unfinished continues when an app starts again.
  ~app() {
    if (served::runtime_) served::runtime_->shut_down();
  }

  // Documented in detail/served_workflows.hpp.
  using served::cancel; ///< `cancel(id, reason, author)` has an instance stopped and undone
  using served::find;   ///< `find<wf>(id)` is the handle to an instance that was started before
  using served::fork;   ///< `fork<wf>(id, {.from_step = "ship:1"})` goes on from the middle of an instance that has ended
  using served::receive; ///< `receive(events)` takes in CloudEvents
  using served::start;   ///< `start<wf>(inputs…, instance_id{"ORD-1"}, time_limit{24h})`

  /// Listens for CloudEvents, requests to cancel, questions about instances, and probes, until the app ends: see
  /// docs/guide/http.md. Returns the port. Once in the life of an app.
  /// @throws startup_error that names the option that is wrong, or the address that cannot be had
  std::uint16_t http(http_options options) { return served::runtime_->listen(std::move(options)); }

  /// The database, for looking at it.
  romancy::storage storage() const { return served::runtime_->storage(); }
  romancy::health health() const { return served::runtime_->health(); }
};

} // namespace romancy
