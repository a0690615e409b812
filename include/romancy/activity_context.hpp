#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <romancy/detail/payload.hpp>
#include <romancy/detail/ports.hpp>
#include <romancy/session.hpp>

namespace romancy {

/// Given to an activity that runs inside a transaction. Valid until the activity returns; one thread.
///
/// The transaction begins at the first `session()`, not before: an activity that only sends events, or only calls out,
/// holds no connection and no lock while it runs. Its result, its rows, its events and its compensation entry commit
/// together or not at all. Seed: "Automatic Transaction Management".
class activity_context {
public:
  explicit activity_context(detail::activity_port& port) : port_{&port} {}
  activity_context(const activity_context&) = delete;
  activity_context& operator=(const activity_context&) = delete;

  /// The current transaction's session. The first call waits for a connection.
  /// @throws storage_error if none comes within app_options::database_timeout.
  romancy::session& session() {
    auto& native = port_->session();
    if (!session_) session_.emplace(native);
    return *session_;
  }

  /// Runs `body` in a savepoint and returns what it returns. When it throws, its rows, its events and its on_commit
  /// actions are undone, alone, and the exception goes on; the activity may catch it. Nests up to
  /// app_options::max_scope_depth. Seed: "Nested Transactions (Savepoints) in Activities".
  template <class Body> auto transaction(Body&& body) {
    static_assert(std::is_invocable_v<Body&>, "romancy: inside an activity the body of transaction takes no parameter");
    if constexpr (std::is_invocable_v<Body&>) {
      using result = std::invoke_result_t<Body&>;
      static_assert(!std::is_reference_v<result>, "romancy: return by value: the savepoint ends here");
      static_assert(!detail::is_task<result>, "romancy: the body of a transaction is not a coroutine");
      port_->open_scope();
      const auto run = [&]() -> result {
        try {
          return body();
        } catch (...) {
          port_->roll_back_scope(std::current_exception());
          throw;
        }
      };
      if constexpr (std::is_void_v<result>) {
        run();
        port_->release_scope();
      } else {
        std::remove_cv_t<result> value = run();
        port_->release_scope();
        return value;
      }
    }
  }

  /// Runs `action` after COMMIT returned, on the app's thread for callbacks, one after another; not run again if the
  /// process dies in between. What it throws is logged.
  void on_commit(std::function<void()> action) { port_->on_commit(std::move(action)); }

  /// To all instances that subscribe to the channel, or wait for an event of that type; with COMMIT, and not without it.
  /// Returns the id of the message. @throws payload_error; terminal_error in an activity with another isolation than
  /// read_committed, which does not see who has begun to listen since its first statement.
  template <class Data> std::string publish(std::string_view channel, const Data& data) {
    static_assert(std::is_convertible_v<const Data&, detail::json>,
                  "romancy: the data of a message converts to nlohmann::json");
    return port_->add_message(channel, {}, detail::encode<detail::json>(data));
  }
  /// To one instance, which need not be there yet; likewise, under any isolation. Nothing happens if it has ended.
  template <class Data> std::string send_to(std::string_view instance, std::string_view channel, const Data& data) {
    static_assert(std::is_convertible_v<const Data&, detail::json>,
                  "romancy: the data of a message converts to nlohmann::json");
    return port_->add_message(channel, instance, detail::encode<detail::json>(data));
  }
  /// True the first time that an event of this source and id is processed: the inbox keeps both in this transaction, so
  /// that they are kept exactly if what the activity does is. Begins the transaction. While another transaction is
  /// processing the same event, waits for what becomes of it. @throws payload_error, storage_error
  [[nodiscard]] bool first_time(const std::string& source, const std::string& id) {
    return port_->add_to_inbox(source, id);
  }

  const std::string& instance_id() const { return port_->instance_id(); }
  /// "create_order:1"
  const std::string& step() const { return port_->step(); }
  /// 1 for the first attempt; counts anew when the instance is replayed.
  int attempt() const { return port_->attempt(); }

  /// Requested when the result of this attempt is of no use any more: its timeout has passed, the instance was cancelled,
  /// another worker has taken it over, or the app stops, at once. The code may finish all the same: what it returns is
  /// committed, but after a timeout. For clients that take a token, and for waiting: `condition_variable_any::wait(lock,
  /// ctx.stop_token(), done)`. Callbacks on it run on a thread of the app: they must be short, and must not throw. The
  /// token may outlive the context. Of no meaning to replay.
  std::stop_token stop_token() const { return port_->stop_token(); }
  /// Ends an attempt that is asked to stop: to be called now and then by code that takes long.
  /// @throws attempt_timed_out, which counts as a failed attempt; attempt_stopped, which does not count. Let both leave
  /// the activity.
  void check_stop() const { port_->check_stop(); }

  /// For send_event_transactional.
  detail::activity_port& port() noexcept { return *port_; }

private:
  detail::activity_port* port_;
  std::optional<romancy::session> session_;
};

} // namespace romancy
