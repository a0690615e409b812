#include "actors/transaction_coordinator.hpp"

#include <algorithm>

namespace romancy {

namespace {

constexpr std::size_t max_batch = 256;
constexpr auto max_age = std::chrono::milliseconds{20}; // of a batch that goes on lending
constexpr int failures_before_reopening = 8;
constexpr auto turn = std::chrono::milliseconds{50}; // of this process, while others wait for the write lock
constexpr auto turn_of_others = std::chrono::milliseconds{3};
constexpr auto damage_is_news = std::chrono::minutes{1};

/// Another process owns the instance now, or this one has begun to own it anew.
class ownership_lost : public std::exception {
public:
  const char* what() const noexcept override { return "the instance is owned by another worker"; }
};

template <class Request> std::uint64_t ticket_of(const Request& request) {
  if constexpr (requires { request.ticket; })
    return request.ticket;
  else
    return 0;
}

} // namespace

template <class Request> class transaction_coordinator::request_work final : public work {
public:
  request_work(Request request, caf::strong_actor_ptr sender)
      : request_{std::move(request)}, sender_{std::move(sender)} {}
  void carry_out(transaction_coordinator& self) override { answer_.emplace(self.carry_out(request_)); }
  void committed([[maybe_unused]] transaction_coordinator& self) override {
    if constexpr (std::is_same_v<Request, register_epoch>) {
      self.registered_ = true;
      self.ours_->assign(1, self.epoch_);
    }
    if constexpr (std::is_same_v<Request, release_epoch>) self.registered_ = false;
    if constexpr (std::is_same_v<Request, renew_epoch>) self.renewed_at_ = self.env_->clock->now();
    if constexpr (!std::is_same_v<answer, nothing>) tell(sender_, std::move(*answer_));
  }
  void failed(transaction_coordinator& self, const std::string& why, bool lost) override {
    if constexpr (std::is_same_v<Request, register_epoch>)
      self.quit(caf::make_error(caf::sec::runtime_error, why)); // without an epoch nothing can be owned
    else
      tell(sender_, request_failed{ticket_of(request_), lost, why});
  }

private:
  using answer = decltype(std::declval<transaction_coordinator&>().carry_out(std::declval<const Request&>()));
  Request request_;
  caf::strong_actor_ptr sender_;
  std::optional<answer> answer_;
};

/// A step, with or without rows that user code has written already.
class transaction_coordinator::attempt_work final : public work {
public:
  attempt_work(commit_attempt attempt, caf::strong_actor_ptr sender, bool wrote_rows)
      : attempt_{std::move(attempt)}, sender_{std::move(sender)}, wrote_rows_{wrote_rows} {
    events = static_cast<int>(attempt_.step.events.size());
  }
  void carry_out(transaction_coordinator& self) override { self.write_step(attempt_.step); }
  void committed(transaction_coordinator& self) override {
    if (self.env_->options.hooks)
      for (const auto& event : attempt_.step.events)
        tell(self.callbacks_, fire_hook{[info = event_info{event.id, event.type, event.source, event.instance_id}](
                                            lifecycle_hooks& hooks) { hooks.on_event_sent(info); }});
    if (!attempt_.actions.empty()) tell(self.callbacks_, run_actions{std::move(attempt_.actions)});
    tell(sender_, attempt_committed{attempt_.ticket, std::move(attempt_.step.history)});
  }
  void failed(transaction_coordinator&, const std::string& why, bool lost) override {
    if (lost)
      tell(sender_, request_failed{attempt_.ticket, true, why});
    else
      tell(sender_, attempt_failed{attempt_.ticket, why, attempt_fault::own});
  }
  bool survives_lost_commit(transaction_coordinator&) override {
    if (wrote_rows_) tell(sender_, attempt_failed{attempt_.ticket, "the commit failed", attempt_fault::lost});
    return !wrote_rows_;
  }

private:
  commit_attempt attempt_;
  caf::strong_actor_ptr sender_;
  bool wrote_rows_;
};

transaction_coordinator::transaction_coordinator(caf::actor_config& cfg, environment_ptr env, epochs ours,
                                                 caf::actor callbacks)
    : event_based_actor{cfg}, env_{std::move(env)},
      callbacks_{std::move(callbacks)}, ours_{std::move(ours)}, epoch_{ours_->back()} {}

transaction_coordinator::~transaction_coordinator() = default;

void transaction_coordinator::on_exit() {
  queue_.clear();
  batch_.clear();
  outbox_watchers_.clear();
  callbacks_ = nullptr;
  if (db_ && open_ && !lent_) db_->roll_back();
  tables_.reset();
  db_.reset(); // a borrower may keep it until its code returns; closing it rolls back
}

caf::behavior transaction_coordinator::make_behavior() {
  guard(this, name());
  db_ = env_->open_database(epoch_); // here, on the actor's own thread: it may wait for a lock
  tables_ = std::make_unique<tables>(*db_);
  set_down_handler([this](caf::scheduled_actor*, caf::down_msg& down) {
    std::erase_if(outbox_watchers_, [&](const auto& watcher) { return watcher->address() == down.source; });
  });
  queue_.emplace_back(std::make_unique<request_work<register_epoch>>(register_epoch{}, nullptr));
  pump();
  return {
      [this](acquire_session& request) {
        queue_.emplace_back(std::move(request.request));
        pump();
      },
      [this](commit_attempt& attempt) {
        const auto lease = std::exchange(attempt.lease, nullptr);
        auto next = std::make_unique<attempt_work>(std::move(attempt), current_sender(), lease != nullptr);
        if (!lease) {
          queue_.emplace_back(std::move(next));
          pump();
          return;
        }
        if (take_back(lease))
          run_in_savepoint(std::move(next));
        else
          next->failed(*this, transaction_vanished, false);
        after_lease();
      },
      [this](discard_attempt& attempt) {
        if (take_back(attempt.lease)) db_->roll_back_savepoint(0);
        tell(current_sender(), attempt_failed{attempt.ticket, std::move(attempt.message), attempt.fault});
        after_lease();
      },
      [this](const lease_dropped&) {
        log().error("the session lent to {} was dropped: its rows are rolled back", borrower_);
        if (take_back(nullptr)) db_->roll_back_savepoint(0);
        after_lease();
      },
      [this](start_instance& request) { take_in(request); },
      [this](release_instances& request) { take_in(request); },
      [this](claim_instances& request) { take_in(request); },
      [this](cancel_instance& request) { take_in(request); },
      [this](load_history& request) { take_in(request); },
      [this](begin_compensation& request) { take_in(request); },
      [this](finish_instance& request) { take_in(request); },
      [this](renew_epoch& request) { take_in(request); },
      [this](release_epoch& request) { take_in(request); },
      [this](claim_events& request) { take_in(request); },
      [this](mark_events& request) { take_in(request); },
      [this](release_events& request) { take_in(request); },
      [this](const watch_outbox&) {
        outbox_watchers_.insert(current_sender());
        monitor(caf::actor_cast<caf::actor>(current_sender()));
      },
      [this](flush) {
        if (lent_)
          flush_due_ = true;
        else
          commit();
        finish_drain();
      },
      [this](again) {
        backing_off_ = false;
        pump();
      },
      [this](const drain&) {
        draining_ = true;
        finish_drain();
      },
  };
}

template <class Request> void transaction_coordinator::take_in(Request& request) {
  auto next = std::make_unique<request_work<Request>>(std::move(request), current_sender());
  if constexpr (std::is_same_v<Request, renew_epoch>)
    queue_.emplace_front(std::move(next)); // not behind borrowers who take their time
  else
    queue_.emplace_back(std::move(next));
  pump();
}

// -- the batch ------------------------------------------------------------------------------------------------------

void transaction_coordinator::pump() {
  while (!queue_.empty() && !lent_ && !backing_off_) {
    if (batch_is_due()) commit();
    if (backing_off_ || (!open_ && !begin())) return;
    try {
      db_->open_savepoint(0);
    } catch (const storage_failure& e) {
      db_->roll_back();
      return back_off(e);
    }
    auto next = std::move(queue_.front());
    queue_.pop_front();
    if (const auto* waiting = std::get_if<borrower>(&next))
      lend(*waiting);
    else
      run_in_savepoint(std::move(std::get<std::unique_ptr<work>>(next)));
  }
}

/// @pre something waits
bool transaction_coordinator::batch_is_due() {
  if (!open_) return false;
  const auto now = clock().now();
  // Those who are done do not wait for any number of borrowers; nor do other processes for borrowers who fail.
  return batch_.size() >= max_batch || (std::holds_alternative<borrower>(queue_.front()) && now - opened_at_ > max_age);
}

/// Under the write lock nobody can take over what this epoch owns: it is looked at once, for the whole batch.
bool transaction_coordinator::begin() {
  if (let_others_in()) return false;
  try {
    db_->begin();
    open_ = true;
    opened_at_ = clock().now();
    if (registered_ && !tables_->epochs.exists(epoch_)) {
      throw std::runtime_error{"this worker was silent for longer than its lease of " +
                               std::to_string(env_->options.worker_lease.count()) +
                               " ms: others have taken over what it owned"};
    }
  } catch (const storage_failure& e) {
    db_->roll_back();
    back_off(e);
    return false;
  }
  send(this, flush::value);
  return true;
}

/// Savepoint 0 is open.
void transaction_coordinator::run_in_savepoint(std::unique_ptr<work> next) {
  std::string why;
  bool lost = false;
  try {
    next->carry_out(*this);
    if (!db_->owes_foreign_keys()) { // else COMMIT would fail for all in the batch
      db_->release_savepoint(0);
      batch_.push_back(std::move(next));
      return;
    }
    why = foreign_keys_owed;
  } catch (const ownership_lost& e) {
    why = e.what();
    lost = true;
  } catch (const storage_failure& e) {
    if (e.retryable()) { // the database is away or full: no fault of this unit of work
      batch_.push_back(std::move(next));
      db_->roll_back();
      return back_off(e);
    }
    why = e.what();
    if (e.kind() == failure_kind::broken) { // others may still be served: only said
      log().critical("the database is damaged: {}", why);
      damage_seen_at_ = clock().now();
      env_->health->database(why);
    }
  } catch (const std::exception& e) {
    why = e.what();
  }
  if (db_->in_transaction())
    db_->roll_back_savepoint(0);
  else // ended by a trigger (https://www.sqlite.org/lang_transaction.html, "Response To Errors"): the others come again
    give_up_transaction();
  next->failed(*this, why, lost);
}

/// Others wait for the write lock as well, and a process that takes it again at once would never leave it to them: they
/// would seem dead. True: the turn is theirs for a moment.
bool transaction_coordinator::let_others_in() {
  const auto now = clock().now();
  if (now - let_go_at_ >= turn_of_others) {
    busy_since_ = now;
    return false;
  }
  if (now - busy_since_ < turn) return false;
  backing_off_ = true;
  delayed_send(this, turn_of_others, again::value);
  return true;
}

void transaction_coordinator::commit() {
  if (!open_) return;
  flush_due_ = false;
  try {
    db_->commit();
    let_go_at_ = clock().now();
  } catch (const storage_failure& e) {
    db_->roll_back();
    return back_off(e);
  }
  open_ = false;
  database_works();
  int events = 0;
  for (auto& entry : batch_) {
    events += entry->events;
    entry->committed(*this);
  }
  batch_.clear();
  if (events > 0)
    for (const auto& watcher : outbox_watchers_) tell(watcher, events_committed{});
}

/// The transaction is gone and has written nothing. What can be carried out again comes first in the queue.
void transaction_coordinator::give_up_transaction() {
  open_ = false;
  flush_due_ = false;
  for (auto entry = batch_.rbegin(); entry != batch_.rend(); ++entry)
    if ((*entry)->survives_lost_commit(*this)) queue_.emplace_front(std::move(*entry));
  batch_.clear();
}

void transaction_coordinator::back_off(const storage_failure& failure) {
  const std::string why = failure.what();
  give_up_transaction();
  if (++failures_ >= failures_before_reopening && failure.kind() != failure_kind::busy)
    throw std::runtime_error{"the database does not come back on this connection: " +
                             why}; // the next incarnation opens another
  // BEGIN has waited for the lock already.
  const auto wait = failure.kind() == failure_kind::busy
                        ? std::chrono::milliseconds{20}
                        : std::chrono::milliseconds{std::min(20 << std::min(failures_, 8), 5000)};
  log().warn("the database does not commit ({}); trying again in {} ms", why, wait.count());
  env_->health->database(why);
  if (std::exchange(backing_off_, true)) return;
  delayed_send(this, wait, again::value);
}

void transaction_coordinator::database_works() {
  if (damage_seen_at_ != instant{} && clock().now() - damage_seen_at_ > damage_is_news) {
    damage_seen_at_ = {};
    env_->health->database("");
  }
  if (failures_ == 0) return;
  log().info("the database commits again");
  failures_ = 0;
  env_->health->database("");
}

void transaction_coordinator::finish_drain() {
  if (draining_ && !open_ && !lent_ && queue_.empty()) quit();
}

// -- lending --------------------------------------------------------------------------------------------------------

void transaction_coordinator::lend(const borrower& next) {
  if (next->slot().abandoned()) return db_->release_savepoint(0);
  db_->lend();
  const auto self = address();
  auto lease = std::make_shared<session_lease>(
      db_, [self] { tell(caf::actor_cast<caf::strong_actor_ptr>(self), lease_dropped{}); });
  lent_ = lease.get();
  borrower_ = next->borrower();
  next->slot().grant(std::move(lease));
}

/// False if the borrower's SQL has ended the transaction, which undid the rest of the batch too: that is carried out
/// again.
bool transaction_coordinator::take_back(const lease_ptr& lease) {
  if (lease) lease->returned();
  lent_ = nullptr;
  db_->take_back();
  if (db_->in_transaction()) return true;
  log().error("the SQL of {} rolled the whole transaction back", borrower_);
  give_up_transaction();
  return false;
}

void transaction_coordinator::after_lease() {
  pump();
  // What has arrived meanwhile joins the batch before it ends.
  if (!lent_ && open_ && std::exchange(flush_due_, false)) send(this, flush::value);
}

// -- requests -------------------------------------------------------------------------------------------------------

transaction_coordinator::nothing transaction_coordinator::carry_out(const register_epoch&) {
  for (const auto& epoch : *ours_) {
    if (epoch == epoch_) continue;
    give_back_all_of(epoch);
    tables_->epochs.remove(epoch);
  }
  tables_->epochs.insert(epoch_, env_->options.worker_id, env_->clock->now(), env_->options.worker_lease);
  return {};
}

epoch_renewed transaction_coordinator::carry_out(const renew_epoch&) {
  const auto now = env_->clock->now();
  // When our own renewal comes late, the database was held by someone for so long that perhaps nobody could renew: for a
  // lease from then on, one that has run out says nothing about its owner. A process that is gone from this host is gone.
  if (now - renewed_at_ >= env_->options.worker_lease * 2 / 3) judge_from_ = now + env_->options.worker_lease;
  tables_->epochs.renew(epoch_, now, env_->options.worker_lease);
  const auto dead = tables_->epochs.remove_dead(epoch_, now >= judge_from_ ? now : time_point::min());
  for (const auto& epoch : dead) give_back_all_of(epoch);
  return {static_cast<int>(dead.size())};
}

epoch_released transaction_coordinator::carry_out(const release_epoch&) {
  give_back_all_of(epoch_);
  tables_->epochs.remove(epoch_);
  return {};
}

void transaction_coordinator::give_back_all_of(const std::string& epoch) {
  tables_->instances.release(epoch);
  tables_->outbox.release(epoch);
}

instance_started transaction_coordinator::carry_out(const start_instance& request) {
  if (tables_->instances.insert(request.instance, epoch_, env_->clock->now())) {
    auto started = request.instance;
    started.fence = 1;
    return {request.ticket, true, std::move(started)};
  }
  auto existing = tables_->instances.find(request.instance.instance_id);
  if (!existing)
    throw storage_failure{failure_kind::other,
                          "instance " + request.instance.instance_id + " vanished while it was started"};
  return {request.ticket, false, std::move(*existing)};
}

instances_released transaction_coordinator::carry_out(const release_instances& request) {
  tables_->instances.release(epoch_, request.instance_id);
  return {request.ticket};
}

instances_claimed transaction_coordinator::carry_out(const claim_instances& request) {
  auto to_cancel = tables_->instances.cancel_requests(epoch_); // those that are claimed now know it already
  return {tables_->instances.claim(epoch_, request.workflows, request.limit), std::move(to_cancel)};
}

instance_cancelled transaction_coordinator::carry_out(const cancel_instance& request) {
  return {request.ticket, tables_->instances.request_cancel(request.request), request.request};
}

history_loaded transaction_coordinator::carry_out(const load_history& request) {
  return {request.ticket, tables_->history.load(request.instance_id)};
}

void transaction_coordinator::write_step(const step_record& step) {
  const auto now = env_->clock->now();
  if (!tables_->history.insert(step.instance_id, step.history, epoch_, step.fence, now)) throw ownership_lost{};
  for (const auto& event : step.events) {
    auto row = event;
    row.created_at = now;
    tables_->outbox.insert(row);
  }
  if (!step.compensation_arguments.empty()) {
    const auto& id = step.history.activity_id;
    tables_->compensations.insert(step.instance_id, {0, id, id.substr(0, id.rfind(':')), step.compensation_arguments},
                                  now);
  }
  if (step.compensation_done != 0) tables_->compensations.mark_done(step.compensation_done, now);
}

compensation_begun transaction_coordinator::carry_out(const begin_compensation& request) {
  if (!request.error.empty() &&
      !tables_->instances.begin_compensation(request.instance_id, epoch_, request.fence, request.error))
    throw ownership_lost{};
  const auto stored = tables_->instances.find(request.instance_id);
  return {request.ticket, tables_->compensations.remaining(request.instance_id), stored ? stored->cancel_reason : ""};
}

instance_finished transaction_coordinator::carry_out(const finish_instance& request) {
  if (request.status == instance_status::parked) { // a request to cancel that was committed is not lost
    const auto stored = tables_->instances.find(request.instance_id);
    if (stored && stored->status == instance_status::running && !stored->cancel_reason.empty())
      return {request.ticket, stored->cancel_reason};
  }
  instance_record finished;
  finished.instance_id = request.instance_id;
  finished.fence = request.fence;
  finished.status = request.status;
  finished.output = request.output;
  finished.error = request.error;
  if (!tables_->instances.finish(finished, epoch_, env_->clock->now())) throw ownership_lost{};
  return {request.ticket, {}};
}

events_claimed transaction_coordinator::carry_out(const claim_events& request) {
  return {tables_->outbox.claim(epoch_, request.limit, env_->clock->now())};
}

events_marked transaction_coordinator::carry_out(const mark_events& request) {
  events_marked marked{request.ticket, {}};
  const auto now = env_->clock->now();
  for (const auto& mark : request.marks)
    if (!tables_->outbox.mark(epoch_, mark, now)) marked.lost.push_back(mark.event_id);
  return marked;
}

events_released transaction_coordinator::carry_out(const release_events& request) {
  tables_->outbox.release(epoch_);
  return {request.ticket};
}

} // namespace romancy
