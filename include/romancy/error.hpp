/// Every exception that Romancy throws at its users.
#pragma once

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

#include <romancy/instance_status.hpp>

namespace romancy {

/// The base of all. `what()` names the thing and the remedy.
class error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// The app, the relayer or the storage cannot begin: bad options, a database that cannot be opened, a schema that is
/// newer than the code. Thrown by constructors and `start()`; nothing is left half started.
class startup_error : public error {
public:
  using error::error;
};

/// The database refused or is away. `retryable()` is true when the same call may succeed later.
class storage_error : public error {
public:
  storage_error(const std::string& what, bool retryable) : error{what}, retryable_{retryable} {}
  bool retryable() const noexcept { return retryable_; }

private:
  bool retryable_;
};

/// `app::start` got no answer in time: the instance may have been started. Start it again with the same id.
class start_unconfirmed : public storage_error {
public:
  start_unconfirmed(std::string id, const std::string& what) : storage_error{what, true}, id_{std::move(id)} {}
  const std::string& instance_id() const noexcept { return id_; }

private:
  std::string id_;
};

/// An event, an input or an output that cannot be stored: invalid CloudEvents attributes, data that is not UTF-8, NaN,
/// JSON nested deeper than 512 levels, a payload over `app_options::max_payload_bytes`. Thrown where it is sent, so the
/// attempt rolls back.
class payload_error : public error {
public:
  using error::error;
};

/// Thrown *by an activity* that must not be tried again.
class terminal_error : public error {
public:
  using error::error;
};

/// What is asked of `storage` makes no sense: a limit, a path into inputs, or a page that came from nowhere.
class query_error : public error {
public:
  using error::error;
};

/// Thrown *by an activity* that knows when it is worth trying again: `throw retry_after{30s, "the gateway is busy"}`. The
/// attempt counts as failed, and the next one begins after `delay` instead of the delay of the policy, whose max_attempts
/// and max_duration still hold; its max_interval, retryable and non_retryable do not.
class retry_after : public error {
public:
  /// A negative delay is 0, one of more than 100 years is 100 years.
  retry_after(std::chrono::milliseconds delay, const std::string& what)
      : error{what}, delay_{std::clamp<std::chrono::milliseconds>(delay, std::chrono::milliseconds{0},
                                                                  std::chrono::hours{24 * 36'525})} {}
  std::chrono::milliseconds delay() const noexcept { return delay_; }

private:
  std::chrono::milliseconds delay_;
};

/// Thrown by check_stop() in an attempt that runs longer than the timeout of its activity. However such an attempt ends,
/// it counts as failed with this exception, and its rows are undone.
class attempt_timed_out : public error {
public:
  explicit attempt_timed_out(std::chrono::milliseconds timeout)
      : error{"timed out after " + (timeout.count() % 1000 == 0 ? std::to_string(timeout.count() / 1000) + " s"
                                                                : std::to_string(timeout.count()) + " ms")} {}
};

/// Thrown by check_stop() in an attempt whose result is not waited for any more: its instance is cancelled, the app
/// stops, or another worker has the instance. Let it leave the activity: the attempt then is undone and not counted. So
/// is one that throws something else after that, but terminal_error.
class attempt_stopped : public error {
public:
  using error::error;
};

/// `app::start` found the id taken by another workflow or with other inputs.
class instance_conflict : public error {
public:
  using error::error;
};

/// Why a step failed for good, as recorded in history: the same live and on replay.
struct step_failure {
  std::string step;    ///< "charge_card:1"
  std::string message; ///< what() of the last attempt's exception
  int attempts = 1;    ///< all of them, the first included
};

/// What `co_await ctx.call<step>(…)` throws, whatever the activity threw, so that replay takes the same branch.
class activity_failed : public error {
public:
  explicit activity_failed(step_failure failure)
      : error{failure.step + " failed after " + std::to_string(failure.attempts) +
              (failure.attempts == 1 ? " attempt: " : " attempts: ") + failure.message},
        failure_{std::move(failure)} {}
  const step_failure& failure() const noexcept { return failure_; }

private:
  step_failure failure_;
};

/// What `run::result()` throws when the instance ended in another way than `completed`.
class instance_failed : public error {
public:
  instance_failed(const std::string& id, instance_status status, const std::string& reason)
      : error{"instance " + id + ' ' + std::string{to_string(status)} + (reason.empty() ? "" : ": " + reason)},
        status_{status}, reason_{reason} {}
  instance_status status() const noexcept { return status_; }
  const std::string& reason() const noexcept { return reason_; }

private:
  instance_status status_;
  std::string reason_;
};

} // namespace romancy
