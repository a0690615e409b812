#include "actors/activity_attempt.hpp"

#include "actors/event_check.hpp"
#include "actors/payload_text.hpp"
#include "storage/inbox_table.hpp"
#include "storage/storage_failure.hpp"

namespace romancy {

namespace {

/// While it lives, the deadline of an attempt comes no nearer.
class not_its_time {
public:
  not_its_time(attempt_control& control, const caf::actor_clock& clock, const std::function<void()>& moved)
      : control_{control}, clock_{clock}, moved_{moved}, begun_{clock.now()}, deadline_{control.pause()} {}
  ~not_its_time() {
    if (deadline_ == attempt_control::instant::max()) return;
    control_.resume(deadline_ + (clock_.now() - begun_));
    moved_();
  }
  not_its_time(const not_its_time&) = delete;
  not_its_time& operator=(const not_its_time&) = delete;

private:
  attempt_control& control_;
  const caf::actor_clock& clock_;
  const std::function<void()>& moved_;
  attempt_control::instant begun_, deadline_;
};

} // namespace

activity_attempt::activity_attempt(const environment& env, const execute_attempt& job, const caf::actor_clock& clock,
                                   std::function<lease_ptr()> borrow, std::function<void()> moved)
    : env_{env}, job_{job}, clock_{clock}, step_{job.kind == attempt_kind::compensation ? "@compensate:" + job.activity_id
                                                                                        : job.activity_id},
      borrow_{std::move(borrow)}, moved_{std::move(moved)} {}

soci::session& activity_attempt::session() {
  if (!lease_) {
    had_no_session_ = true;
    const not_its_time waiting{*job_.control, clock_, moved_};
    lease_ = borrow_();
    had_no_session_ = false;
  }
  for (std::size_t level = 0; level < scopes_.size(); ++level)
    if (!scopes_[level].opened) {
      db().open_savepoint(static_cast<int>(level) + 1);
      scopes_[level].opened = true;
    }
  return db().session();
}

void activity_attempt::open_scope() {
  if (scopes_.size() >= static_cast<std::size_t>(env_.options.max_scope_depth))
    throw error{step_ + " opened more than " + std::to_string(env_.options.max_scope_depth) +
                " transactions inside each other: use a loop, or raise app_options::max_scope_depth"};
  const bool opens = lease_ != nullptr;
  if (opens) db().open_savepoint(static_cast<int>(scopes_.size()) + 1);
  scopes_.push_back({events_.size(), messages_.size(), actions_.size(), opens});
}

void activity_attempt::release_scope() {
  const auto level = static_cast<int>(scopes_.size());
  const auto ended = scopes_.back();
  scopes_.pop_back();
  if (ended.opened) db().release_savepoint(level);
}

void activity_attempt::roll_back_scope(const std::exception_ptr& why) noexcept {
  try {
    std::rethrow_exception(why);
  } catch (const std::exception& e) {
    note(e, false);
  } catch (...) { // nothing of the database's
  }
  const auto level = static_cast<int>(scopes_.size());
  const auto ended = scopes_.back();
  scopes_.pop_back();
  events_.resize(ended.events);
  messages_.resize(ended.messages);
  actions_.resize(ended.actions);
  if (!ended.opened) return;
  try {
    db().roll_back_savepoint(level);
  } catch (const std::exception& e) {
    broken_ = e.what();
  }
}

std::string activity_attempt::add_event(detail::outgoing_event event) {
  auto record = checked(event, env_.options.service_name, env_.options.max_payload_bytes);
  if (record.id.empty()) record.id = env_.uuid();
  record.instance_id = job_.instance_id;
  record.activity_id = step_;
  events_.push_back(std::move(record));
  return events_.back().id;
}

std::string activity_attempt::add_message(std::string_view channel, std::string_view to, nlohmann::json data) {
  channel_action action;
  action.what = to.empty() ? channel_action::kind::publish : channel_action::kind::send;
  action.channel = std::string{channel};
  action.to = std::string{to};
  check_name(action.channel, "the name of a channel");
  if (to.empty() && job_.entry && job_.entry->isolation != isolation_level::read_committed)
    throw terminal_error{step_ + " publishes on '" + action.channel +
                         "', but its isolation shows it who listens as of its first statement, and not who came since: "
                         "publish in the workflow, or in an activity of isolation_level::read_committed"};
  if (!to.empty()) check_name(action.to, "the id of the instance a message is for", 200);
  received_event message;
  message.id = env_.uuid();
  message.source = job_.instance_id;
  message.type = action.channel;
  message.data = std::move(data);
  action.message = payload_text(message, "the message to '" + action.channel + '\'', env_.options.max_payload_bytes);
  messages_.push_back(std::move(action));
  return message.id;
}

bool activity_attempt::add_to_inbox(const std::string& source, const std::string& id) {
  check_name(source, "the source of an event");
  check_name(id, "the id of an event");
  static_cast<void>(session());
  return inbox_table{db()}.insert(source, id, "", env_.clock->now());
}

void activity_attempt::on_commit(std::function<void()> action) { actions_.push_back(std::move(action)); }

std::stop_token activity_attempt::stop_token() {
  if (timed_out()) job_.control->stop(stop_cause::timed_out); // the pool may not have noticed yet
  return job_.control->token();
}

void activity_attempt::check_stop() {
  if (!stop_token().stop_requested()) return;
  if (unwanted())
    throw attempt_stopped{step_ + " of " + job_.instance_id + " was stopped: " +
                          (job_.control->cause() == stop_cause::cancelled ? "the instance is cancelled"
                                                                          : "it runs again later, or elsewhere")};
  throw attempt_timed_out{*job_.entry->timeout};
}

bool activity_attempt::timed_out() const {
  return job_.control->cause() == stop_cause::timed_out || clock_.now() >= job_.control->deadline();
}

bool activity_attempt::unwanted() const {
  const auto cause = job_.control->cause();
  return cause == stop_cause::cancelled || cause == stop_cause::left;
}

void activity_attempt::note(const std::exception& thrown, bool out_of_the_activity) {
  if (!lease_ || !interrupted_.empty()) return;
  auto kind = failure_kind::other;
  if (const auto* native = dynamic_cast<const soci::soci_error*>(&thrown))
    kind = storage_failure::from(*native, "").kind();
  else if (const auto* ours = dynamic_cast<const storage_failure*>(&thrown))
    kind = ours->kind();
  // A lock that did not come is for the code to handle (NOWAIT). With one writer, the attempt has the only lock: it is
  // another connection of its own that waits in vain, and would again.
  const bool counts = kind == failure_kind::conflict || kind == failure_kind::unavailable || db().met_conflict() ||
                      (kind == failure_kind::busy && out_of_the_activity && !db().dialect().one_writer);
  if (counts) interrupted_ = thrown.what();
}

std::string activity_attempt::interrupted() const {
  if (!interrupted_.empty() || !lease_) return interrupted_;
  if (!lease_->db().is_connected()) return "the connection to the database was lost";
  if (lease_->db().met_conflict()) return "others wrote at the same time, and the database refused a statement for it";
  return {};
}

std::string activity_attempt::why_not_committable() const {
  if (had_no_session_) return "no database session came in time";
  if (const auto why = interrupted(); !why.empty()) return why;
  if (!broken_.empty()) return "a savepoint could not be undone: " + broken_;
  if (lease_ && lease_->db().is_spoiled())
    return "a statement of it failed, and its code went on: PostgreSQL then takes nothing more of the transaction. Run "
           "the statement in ctx.transaction, which undoes only itself, or let the error leave the activity";
  return refused_statement();
}

std::string activity_attempt::refused_statement() const {
  if (!lease_ || lease_->db().refused().empty()) return {};
  return "it tried to run " + lease_->db().refused() +
         " through the session, which was refused: return to commit, throw to roll back, use ctx.transaction to undo a "
         "part, and leave the connection as it is";
}

} // namespace romancy
