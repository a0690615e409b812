#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <romancy/detail/ports.hpp>

#include "actors/environment.hpp"
#include "actors/local_messages.hpp"

namespace romancy {

/// One run of user code, as its context sees it: keeps events and actions until the end, borrows the session at its first
/// use, and holds the stack of savepoints. Used on the executor's thread.
class activity_attempt final : public detail::activity_port {
public:
  /// `borrow` waits for a lease; then `moved` is called, if the deadline has moved by that.
  activity_attempt(const environment& env, const execute_attempt& job, const caf::actor_clock& clock,
                   std::function<lease_ptr()> borrow, std::function<void()> moved);

  soci::session& session() override;
  void open_scope() override;
  void release_scope() override;
  void roll_back_scope(const std::exception_ptr& why) noexcept override;
  std::string add_event(detail::outgoing_event event) override;
  std::string add_message(std::string_view channel, std::string_view to, nlohmann::json data) override;
  bool add_to_inbox(const std::string& source, const std::string& id) override;
  void on_commit(std::function<void()> action) override;
  const std::string& instance_id() const override { return job_.instance_id; }
  const std::string& step() const override { return step_; }
  int attempt() const override { return job_.number; }
  std::string idempotency_key() const override { return run_name(job_.instance_id, job_.run) + '/' + step_; }
  std::stop_token stop_token() override;
  void check_stop() override;

  bool has_session() const { return lease_ != nullptr; }
  /// It runs longer than it may.
  bool timed_out() const;
  /// It was asked to stop by those who do not wait for it any more.
  bool unwanted() const;
  /// No session came in time: no fault of the attempt.
  bool had_no_session() const { return had_no_session_; }
  /// Looks at what user code threw, out of a ctx.transaction or of the activity: errors of the database may have undone
  /// more than the statement.
  void note(const std::exception& thrown, bool out_of_the_activity);
  /// Empty, or why the attempt is to be run again without counting, whatever its code made of the error: a deadlock, a
  /// serialization failure, a database that went away.
  std::string interrupted() const;
  /// Its SQL has ended the transaction, so nothing that it wrote is left.
  bool transaction_vanished() const { return lease_ && !lease_->db().in_transaction(); }
  /// Empty, or what is to be said of a statement that the connection has refused: it would be again.
  std::string refused_statement() const;
  /// Empty, or why this attempt cannot be committed although its code returned.
  std::string why_not_committable() const;
  std::vector<event_record> take_events() { return std::move(events_); }
  std::vector<channel_action> take_messages() { return std::move(messages_); }
  commit_actions take_actions() { return std::move(actions_); }
  lease_ptr take_lease() { return std::move(lease_); }

private:
  struct scope {
    std::size_t events;
    std::size_t messages;
    std::size_t actions;
    bool opened; ///< in the database
  };
  database& db() { return lease_->db(); }

  const environment& env_;
  const execute_attempt& job_;
  const caf::actor_clock& clock_;
  std::string step_;
  std::function<lease_ptr()> borrow_;
  std::function<void()> moved_;
  lease_ptr lease_;
  std::vector<scope> scopes_;
  std::vector<event_record> events_;
  std::vector<channel_action> messages_;
  commit_actions actions_;
  bool had_no_session_ = false;
  std::string broken_; ///< a savepoint could not be undone
  std::string interrupted_;
};

} // namespace romancy
