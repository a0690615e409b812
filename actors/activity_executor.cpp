#include "actors/activity_executor.hpp"

#include "actors/activity_attempt.hpp"
#include "actors/attempt_details.hpp"
#include "actors/payload_text.hpp"
#include "actors/retry_of.hpp"

namespace romancy {

namespace {

history_event completed(attempt_kind kind) {
  switch (kind) {
    case attempt_kind::activity: return history_event::activity_completed;
    case attempt_kind::transaction: return history_event::transaction_completed;
    case attempt_kind::compensation: return history_event::compensation_executed;
  }
  return history_event::activity_completed;
}

/// Calls the user's function; returns its output.
nlohmann::json run(const execute_attempt& job, activity_attempt& attempt, const nlohmann::json& input,
                   const detail::dependency_set& dependencies) {
  switch (job.kind) {
    case attempt_kind::activity: return job.entry->run(attempt, input, dependencies);
    case attempt_kind::transaction: return job.body(job.closure, attempt);
    case attempt_kind::compensation: return job.entry->undo(attempt, input, dependencies);
  }
  return nullptr;
}

} // namespace

activity_executor::activity_executor(caf::actor_config& cfg, environment_ptr env, caf::actor coordinator,
                                     caf::actor sessions, caf::actor pool)
    : event_based_actor{cfg}, env_{std::move(env)},
      coordinator_{std::move(coordinator)}, sessions_{std::move(sessions)}, pool_{std::move(pool)} {}

void activity_executor::on_exit() {
  coordinator_ = nullptr;
  sessions_ = nullptr;
  pool_ = nullptr;
}

caf::behavior activity_executor::make_behavior() {
  guard(this, name());
  return {
      [this](const execute_attempt& job) {
        execute(job, current_sender());
        tell_as(caf::strong_actor_ptr{ctrl()}, pool_, executor_idle{});
      },
      [this](const drain&) { quit(); },
  };
}

void activity_executor::execute(const execute_attempt& job, const caf::strong_actor_ptr& instance) {
  activity_attempt attempt{*env_, job, clock(), [&] { return borrow(job); },
                           [&] { tell_as(caf::strong_actor_ptr{ctrl()}, pool_, deadline_moved{}); }};
  std::string why;
  auto fault = attempt_fault::own;
  std::exception_ptr thrown;
  std::optional<std::chrono::milliseconds> delay;
  try {
    if (env_->attempts) env_->attempts->begins(job);
    const auto input = job.kind == attempt_kind::transaction ? nlohmann::json() : nlohmann::json::parse(job.input);
    const auto output = run(job, attempt, input, env_->dependencies);
    why = attempt.why_not_committable();
    if (why.empty() && !attempt.timed_out()) {
      commit_attempt commit;
      commit.ticket = job.ticket;
      commit.step.instance_id = job.instance_id;
      commit.step.fence = job.fence;
      commit.step.history = {attempt.step(),
                             job.position,
                             std::string{to_string(completed(job.kind))},
                             payload_text(output, "the output of " + job.activity_id, env_->options.max_payload_bytes),
                             job.number,
                             attempt_details(job, env_->clock->now())};
      if (job.kind == attempt_kind::activity && job.entry->undo) {
        auto arguments = input;
        if (job.entry->undo_takes_output) arguments.push_back(output);
        commit.step.compensation_arguments = arguments.dump();
      }
      commit.step.compensation_done = job.compensation_id;
      commit.step.has_waited = job.has_waited;
      commit.step.events = attempt.take_events();
      commit.step.channel_actions = attempt.take_messages();
      commit.lease = attempt.take_lease();
      commit.actions = attempt.take_actions();
      if (env_->attempts) env_->attempts->ended(job, "");
      const auto receiver = commit.lease ? commit.lease->owner() : caf::actor_cast<caf::strong_actor_ptr>(coordinator_);
      tell_as(instance, receiver, std::move(commit));
      return;
    }
  } catch (const terminal_error& e) {
    why = e.what();
    fault = attempt_fault::terminal;
  } catch (const payload_error& e) { // the same the next time
    why = e.what();
    fault = attempt_fault::terminal;
  } catch (const detail::undecodable_input& e) {
    why = e.what();
    fault = attempt_fault::undecodable;
  } catch (const retry_after& e) {
    why = e.what();
    delay = e.delay();
  } catch (const std::exception& e) {
    why = e.what();
    thrown = std::current_exception();
    attempt.note(e, true);
  } catch (...) {
    why = "it threw something that is no std::exception";
    thrown = std::current_exception();
  }
  if (fault == attempt_fault::own && attempt.unwanted()) { // what it says then may be because it was asked to stop
    fault = attempt_fault::lost;
  } else if (fault == attempt_fault::own && !attempt.had_no_session() && attempt.timed_out()) {
    const attempt_timed_out late{*job.entry->timeout};
    why = why.empty() || why == late.what() ? late.what() : std::string{late.what()} + " (it ended with: " + why + ')';
    thrown = std::make_exception_ptr(late);
  }
  if (fault == attempt_fault::own && thrown && !delay && !retry_of(job.entry, env_->options).tries_again_after(thrown))
    fault = attempt_fault::terminal;
  thrown = nullptr; // it may hold what belongs to the session
  if (const auto refused = attempt.refused_statement(); !refused.empty()) {
    why = refused;
    fault = attempt_fault::terminal;
  }
  if (const auto interrupted = attempt.interrupted(); !interrupted.empty()) {
    why = interrupted;
    fault = attempt_fault::lost;
  } else if (attempt.transaction_vanished())
    why = std::string{transaction_vanished} + " (it ended with: " + why + ')';
  if (env_->attempts) env_->attempts->ended(job, why);
  if (auto lease = attempt.take_lease())
    tell_as(instance, lease->owner(), discard_attempt{job.ticket, lease, std::move(why), fault, delay});
  else
    tell(instance,
         attempt_failed{job.ticket, std::move(why), attempt.had_no_session() ? attempt_fault::lost : fault, delay});
}

lease_ptr activity_executor::borrow(const execute_attempt& job) {
  auto slot = std::make_shared<lease_slot>();
  const auto level = job.entry ? job.entry->isolation : isolation_level::read_committed;
  tell(sessions_,
       acquire_session{std::make_shared<session_request>(slot, job.activity_id + " of " + job.instance_id, level)});
  return slot->wait(env_->options.database_timeout, env_->pump);
}

} // namespace romancy
