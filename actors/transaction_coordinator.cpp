#include "actors/transaction_coordinator.hpp"

#include <algorithm>

#include "storage/instance_fork.hpp"
#include "storage/old_rows.hpp"
#include "storage/unserved_instances.hpp"

namespace romancy {

namespace {

constexpr std::size_t max_batch = 256;
constexpr auto max_age = std::chrono::milliseconds{20}; // of a batch that goes on lending
constexpr int failures_before_reopening = 8;
constexpr auto turn = std::chrono::milliseconds{50}; // of this process, while others wait for the write lock
constexpr auto turn_of_others = std::chrono::milliseconds{3};
constexpr auto damage_is_news = std::chrono::minutes{1};
constexpr int unserved_batch = 500; // of a workflow

constexpr auto connection_lost = "the connection to the database was lost";
constexpr auto commit_in_doubt = "the connection was lost during COMMIT: history says whether it was done";

std::chrono::milliseconds pause_between_looks(std::chrono::milliseconds unserved_grace) {
  constexpr std::chrono::milliseconds longest = std::chrono::minutes{1};
  return unserved_grace.count() == 0 ? longest : std::min(longest, unserved_grace / 10);
}

/// Another process owns the instance now, or this one has begun to own it anew.
class ownership_lost : public std::exception {
public:
  const char* what() const noexcept override { return "the instance is owned by another worker"; }
};

/// The step was committed before, by a COMMIT whose outcome was not known.
class step_is_in_history : public std::exception {
public:
  const char* what() const noexcept override { return "the step is in history already"; }
};

/// An event would start an instance whose id is another one's.
class event_conflict : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
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
  void carry_out(transaction_coordinator& self) override {
    if constexpr (requires { self.undo_lost_claim(*answer_); })
      if (answer_) self.undo_lost_claim(*answer_);
    if constexpr (requires { request_.again; }) request_.again = answer_.has_value();
    auto next = self.carry_out(request_);
    if constexpr (requires { next.news; }) // a commit whose outcome was unknown may have told it already
      if (answer_) next.news.insert(next.news.end(), answer_->news.begin(), answer_->news.end());
    answer_.emplace(std::move(next));
    if constexpr (std::is_same_v<Request, cancel_instance> || std::is_same_v<Request, release_epoch> ||
                  std::is_same_v<Request, receive_events>)
      instances = true;
    if constexpr (std::is_same_v<Request, take_over>) instances = answer_->dead > 0 || answer_->going_on > 0;
    if constexpr (std::is_same_v<Request, fork_instance>) instances = answer_->refused.empty();
    if constexpr (std::is_same_v<Request, wait_for>) instances = !request_.children.empty();
    if constexpr (std::is_same_v<Request, begin_compensation>) instances = answer_->rests;
    if constexpr (std::is_same_v<Request, finish_instance>) instances = !request_.parent_id.empty();
  }
  void committed([[maybe_unused]] transaction_coordinator& self) override {
    if constexpr (std::is_same_v<Request, register_epoch>) {
      self.registered_ = true;
      self.ours_->assign(1, self.epoch_);
    }
    if constexpr (std::is_same_v<Request, release_epoch>) self.registered_ = false;
    if constexpr (std::is_same_v<Request, renew_epoch>) self.renewed_at_ = self.renewing_at_;
    if constexpr (std::is_same_v<Request, take_over>) self.tell_of_parked(*answer_);
    if constexpr (!std::is_same_v<answer, nothing>) tell(sender_, std::move(*answer_));
  }
  void failed(transaction_coordinator& self, const std::string& why, verdict what) override {
    if constexpr (std::is_same_v<Request, register_epoch>)
      self.quit(caf::make_error(caf::sec::runtime_error, why)); // without an epoch nothing can be owned
    else if (std::is_same_v<Request, receive_events> && what == verdict::unacceptable)
      tell(sender_, events_received{ticket_of(request_), 0, why});
    else
      tell(sender_, request_failed{ticket_of(request_), what == verdict::ownership_lost, why});
  }

  /// A row that a dead worker still holds keeps nobody else from committing.
  bool survives_lost_commit(transaction_coordinator&, bool) override { return !std::is_same_v<Request, take_over>; }

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
    instances = !attempt_.step.channel_actions.empty();
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
  void failed(transaction_coordinator&, const std::string& why, verdict what) override {
    switch (what) {
      case verdict::ownership_lost: return tell(sender_, request_failed{attempt_.ticket, true, why});
      case verdict::lost: return tell(sender_, attempt_failed{attempt_.ticket, why, attempt_fault::lost});
      case verdict::in_history: return tell(sender_, attempt_failed{attempt_.ticket, why, attempt_fault::in_doubt});
      case verdict::unacceptable:
      case verdict::refused: return tell(sender_, attempt_failed{attempt_.ticket, why, attempt_fault::own});
    }
  }
  bool survives_lost_commit(transaction_coordinator&, bool in_doubt) override {
    if (!wrote_rows_) return true;
    if (in_doubt)
      tell(sender_, attempt_failed{attempt_.ticket, commit_in_doubt, attempt_fault::in_doubt});
    else
      tell(sender_, attempt_failed{attempt_.ticket, "the commit failed", attempt_fault::lost});
    return false;
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

transaction_coordinator::transaction_coordinator(caf::actor_config& cfg, environment_ptr env, std::string epoch,
                                                 caf::actor callbacks, caf::actor general, caf::actor pool)
    : event_based_actor{cfg}, env_{std::move(env)},
      callbacks_{std::move(callbacks)}, general_{std::move(general)}, pool_{std::move(pool)}, epoch_{std::move(epoch)} {}

transaction_coordinator::~transaction_coordinator() = default;

void transaction_coordinator::on_exit() {
  queue_.clear();
  batch_.clear();
  outbox_watchers_.clear();
  instance_watchers_.clear();
  callbacks_ = nullptr;
  general_ = nullptr;
  pool_ = nullptr;
  if (db_ && open_ && !lent_) db_->roll_back();
  close(); // a borrower may keep it until its code returns; closing it rolls back
}

caf::behavior transaction_coordinator::make_behavior() {
  guard(this, name());
  if (shares_transactions()) open();
  set_down_handler([this](caf::scheduled_actor*, caf::down_msg& down) {
    for (auto* watchers : {&outbox_watchers_, &instance_watchers_})
      std::erase_if(*watchers, [&](const auto& watcher) { return watcher->address() == down.source; });
  });
  if (!pool_) queue_.emplace_back(std::make_unique<request_work<register_epoch>>(register_epoch{}, nullptr));
  pump();
  return {
      [this](acquire_session& request) {
        serving_ = true;
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
          next->failed(*this, db_->is_connected() ? transaction_vanished : connection_lost,
                       db_->is_connected() ? verdict::refused : verdict::lost);
        if (!shares_transactions()) commit();
        after_lease();
      },
      [this](discard_attempt& attempt) {
        undo_lease(attempt.lease, attempt.fault == attempt_fault::lost);
        tell(current_sender(),
             attempt_failed{attempt.ticket, std::move(attempt.message), attempt.fault, attempt.retry_after});
        after_lease();
      },
      [this](const lease_dropped&) {
        log().error("the session lent to {} was dropped: its rows are rolled back", borrower_);
        undo_lease(nullptr, false);
        after_lease();
      },
      [this](start_instance& request) { take_in(request); },
      [this](release_instances& request) { take_in(request); },
      [this](claim_instances& request) { take_in(request); },
      [this](cancel_instance& request) { take_in(request); },
      [this](fork_instance& request) { take_in(request); },
      [this](load_history& request) { take_in(request); },
      [this](begin_compensation& request) { take_in(request); },
      [this](finish_instance& request) { take_in(request); },
      [this](renew_epoch& request) { take_in(request); },
      [this](take_over& request) { take_in(request); },
      [this](release_epoch& request) { take_in(request); },
      [this](claim_events& request) { take_in(request); },
      [this](mark_events& request) { take_in(request); },
      [this](release_events& request) { take_in(request); },
      [this](wait_for& request) { take_in(request); },
      [this](continue_as_new& request) { take_in(request); },
      [this](receive_events& request) { take_in(request); },
      [this](remove_old& request) { take_in(request); },
      [this](const watch_outbox&) {
        outbox_watchers_.insert(current_sender());
        monitor(caf::actor_cast<caf::actor>(current_sender()));
      },
      [this](const watch_instances&) {
        instance_watchers_.insert(current_sender());
        monitor(caf::actor_cast<caf::actor>(current_sender()));
      },
      [this](flush) {
        if (lent_)
          flush_due_ = true;
        else
          commit();
        tell_pool_if_free();
        finish_drain();
      },
      [this](again) {
        backing_off_ = false;
        pump();
      },
      [this](const events_committed&) { announce(1, false); },   // by a coordinator of the pool
      [this](const instances_committed&) { announce(0, true); }, // likewise
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

/// @throws startup_error
void transaction_coordinator::open() {
  // Here, on the actor's own thread: it may wait.
  auto opened = std::make_shared<connection>();
  opened->db = env_->open_database(epoch_);
  opened->statements = open_tables<tables>(*opened->db);
  db_ = {opened, opened->db.get()};
  tables_ = {opened, opened->statements.get()};
}

void transaction_coordinator::close() {
  tables_.reset();
  db_.reset();
}

void transaction_coordinator::pump() {
  while (!queue_.empty() && !lent_ && !backing_off_) {
    const auto* waiting = std::get_if<borrower>(&queue_.front());
    if (waiting && (*waiting)->slot().abandoned()) {
      queue_.pop_front();
      continue;
    }
    if (batch_is_due()) {
      commit();
      continue;
    }
    if (!open_ && !begin(waiting ? (*waiting)->isolation() : isolation_level::read_committed)) break;
    try {
      db_->open_savepoint(0);
    } catch (const storage_failure& e) {
      db_->roll_back();
      back_off(e);
      break;
    }
    auto next = std::move(queue_.front());
    queue_.pop_front();
    if (const auto* borrows = std::get_if<borrower>(&next))
      lend(*borrows);
    else
      run_in_savepoint(std::move(std::get<std::unique_ptr<work>>(next)));
  }
  tell_pool_if_free();
}

/// @pre something waits
bool transaction_coordinator::batch_is_due() {
  if (!open_) return false;
  const bool lends_next = std::holds_alternative<borrower>(queue_.front());
  if (!shares_transactions()) return lends_next || batch_.size() >= (alone_ > 0 ? 1 : max_batch);
  // Those who are done do not wait for any number of borrowers; nor do other processes for borrowers who fail.
  return batch_.size() >= max_batch || (lends_next && clock().now() - opened_at_ > max_age);
}

/// It is looked at once for the whole batch whether this worker is still taken for alive: nobody can take over meanwhile
/// what its epoch owns.
bool transaction_coordinator::begin(isolation_level level) {
  if (let_others_in()) return false;
  try {
    if (!db_) open();
    db_->begin(level);
    open_ = true;
    opened_at_ = clock().now();
    if (registered_ && !tables_->epochs.exists(epoch_)) {
      throw std::runtime_error{"this worker was silent for longer than its lease of " +
                               std::to_string(env_->options.worker_lease.count()) +
                               " ms: others have taken over what it owned"};
    }
  } catch (const startup_error& e) { // it is away, and says how long it was waited for
    back_off({failure_kind::unavailable, e.what()});
    return false;
  } catch (const storage_failure& e) {
    if (db_) db_->roll_back();
    back_off(e);
    return false;
  }
  send(this, flush::value);
  return true;
}

/// Savepoint 0 is open.
void transaction_coordinator::run_in_savepoint(std::unique_ptr<work> next) {
  std::string why;
  auto what = verdict::refused;
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
    what = verdict::ownership_lost;
  } catch (const step_is_in_history& e) {
    why = e.what();
    what = verdict::in_history;
  } catch (const event_conflict& e) {
    why = e.what();
    what = verdict::unacceptable;
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
  undo_unit();
  next->failed(*this, why, what);
}

/// Undoes what the last unit of work has written.
void transaction_coordinator::undo_unit() {
  try {
    if (db_->in_transaction()) db_->roll_back_savepoint(0);
  } catch (const storage_failure&) { // the connection is lost: the next BEGIN finds out
    db_->roll_back();
  }
  // Its transaction may have ended with it: by a trigger (https://www.sqlite.org/lang_transaction.html, "Response To
  // Errors"), or because there is none but that. The others come again.
  if (!db_->in_transaction()) give_up_transaction();
}

/// Others wait for the write lock as well, and a process that takes it again at once would never leave it to them: they
/// would seem dead. True: the turn is theirs for a moment.
bool transaction_coordinator::let_others_in() {
  if (!shares_transactions()) return false;
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
    if (e.retryable() || shares_transactions()) return back_off(e, e.kind() == failure_kind::unavailable);
    return commit_refused(e);
  }
  open_ = false;
  if (alone_ > 0) --alone_;
  database_works();
  int events = 0;
  bool instances = false;
  for (auto& entry : batch_) {
    events += entry->events;
    instances = instances || entry->instances;
    entry->committed(*this);
  }
  batch_.clear();
  announce(events, instances);
}

/// COMMIT checks what was put off until then, like deferred constraints, and undoes all. Who is to blame is found out by
/// committing one by one.
void transaction_coordinator::commit_refused(const storage_failure& failure) {
  if (alone_ > 0) --alone_;
  if (batch_.size() == 1) {
    const auto refused = std::move(batch_.front());
    batch_.clear();
    give_up_transaction();
    return refused->failed(*this, failure.what(), verdict::refused);
  }
  alone_ = batch_.size();
  give_up_transaction();
}

/// Those in this process who wait for events are told; if there are none, others are.
void transaction_coordinator::announce(int events, bool instances) {
  if (general_) {
    if (events > 0) tell(general_, events_committed{});
    if (instances) tell(general_, instances_committed{});
    return;
  }
  if (events > 0)
    for (const auto& watcher : outbox_watchers_) tell(watcher, events_committed{});
  if (instances)
    for (const auto& watcher : instance_watchers_) tell(watcher, instances_committed{});
  news_of_events_ = news_of_events_ || (events > 0 && outbox_watchers_.empty());
  news_of_instances_ = news_of_instances_ || instances;
  if (!open_) wake_other_processes(); // else when that is committed: a failure here must not spoil it
}

/// Nobody depends on it: all others look by themselves too.
void transaction_coordinator::wake_other_processes() {
  const bool events = std::exchange(news_of_events_, false), instances = std::exchange(news_of_instances_, false);
  if (!db_ || !env_->options.notify) return;
  try {
    if (events) db_->notify(events_topic);
    if (instances) db_->notify(instances_topic);
  } catch (const storage_failure& e) {
    log().debug("other processes are not told of a commit: {}", e.what());
  }
}

/// The transaction is gone and has written nothing, or, if that is `in_doubt`, perhaps all. What can be carried out again
/// comes first in the queue.
void transaction_coordinator::give_up_transaction(bool in_doubt) {
  open_ = false;
  flush_due_ = false;
  for (auto entry = batch_.rbegin(); entry != batch_.rend(); ++entry)
    if ((*entry)->survives_lost_commit(*this, in_doubt)) queue_.emplace_front(std::move(*entry));
  batch_.clear();
}

void transaction_coordinator::back_off(const storage_failure& failure, bool in_doubt) {
  const std::string why = failure.what();
  give_up_transaction(in_doubt && !shares_transactions());
  auto wait = std::chrono::milliseconds{20}; // BEGIN has waited for the lock already
  if (failure.kind() == failure_kind::conflict) {
    wait = std::chrono::milliseconds{1 + env_->entropy->next() % 20}; // those who met do not meet again
    log().info("a transaction is carried out again: {}", why);
  } else {
    ++failures_;
    if (!shares_transactions() && failure.kind() != failure_kind::busy)
      close(); // the next BEGIN connects anew
    else if (failures_ >= failures_before_reopening && failure.kind() != failure_kind::busy)
      throw std::runtime_error{"the database does not come back on this connection: " +
                               why}; // the next incarnation opens another
    if (failure.kind() != failure_kind::busy)
      wait = std::chrono::milliseconds{std::min(20 << std::min(failures_, 8), 5000)};
    log().warn("the database does not commit ({}); trying again in {} ms", why, wait.count());
    env_->health->database(why);
  }
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

void transaction_coordinator::tell_pool_if_free() {
  if (!pool_ || open_ || lent_ || backing_off_ || !queue_.empty()) return;
  if (std::exchange(serving_, false)) tell_as(caf::strong_actor_ptr{ctrl()}, pool_, session_free{});
}

// -- lending --------------------------------------------------------------------------------------------------------

void transaction_coordinator::lend(const borrower& next) {
  try {
    db_->lend();
  } catch (const storage_failure& e) {
    queue_.emplace_front(next);
    db_->roll_back();
    return back_off(e);
  }
  const auto self = address();
  auto lease = std::make_shared<session_lease>(
      db_, self, [self] { tell(caf::actor_cast<caf::strong_actor_ptr>(self), lease_dropped{}); });
  lent_ = lease.get();
  borrower_ = next->borrower();
  next->slot().grant(std::move(lease));
}

/// What the borrower has written does not stay.
void transaction_coordinator::undo_lease(const lease_ptr& lease, bool expected) {
  if (take_back(lease, expected)) undo_unit();
}

/// False if the borrower's SQL has ended the transaction, which undid the rest of the batch too: that is carried out
/// again.
bool transaction_coordinator::take_back(const lease_ptr& lease, bool expected) {
  if (lease) lease->returned();
  lent_ = nullptr;
  db_->take_back();
  if (db_->in_transaction()) return true;
  if (!expected && db_->is_connected()) log().error("the SQL of {} rolled the whole transaction back", borrower_);
  give_up_transaction();
  return false;
}

void transaction_coordinator::after_lease() {
  pump();
  finish_drain();
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
  if (tables_->epochs.exists(epoch_)) return {}; // by a commit whose outcome was not known
  const auto workflows = env_->served_workflows();
  tables_->epochs.insert(epoch_, env_->options.worker_id, db_->now(env_->clock->now()), env_->options.worker_lease,
                         workflows);
  unserved_due_ = clock().now() + pause_between_looks(env_->options.unserved_grace);
  let_go_on(workflows);
  return {};
}

epoch_renewed transaction_coordinator::carry_out(const renew_epoch&) {
  const auto now = db_->now(env_->clock->now());
  // When our own renewal comes late, the database was held by someone for so long that perhaps nobody could renew: for a
  // lease from then on, one that has run out says nothing about its owner. A process that is gone from this host is gone.
  if (now - renewed_at_ >= env_->options.worker_lease * 2 / 3) judge_from_ = now + env_->options.worker_lease;
  renewing_at_ = now;
  tables_->epochs.renew(epoch_, now, env_->options.worker_lease);
  return {};
}

taken_over transaction_coordinator::carry_out(const take_over&) {
  const auto now = db_->now(env_->clock->now());
  const auto dead = tables_->epochs.remove_dead(epoch_, now >= judge_from_ ? now : time_point::min(),
                                                [this](const std::string& epoch) { end_connections_of(epoch); });
  for (const auto& epoch : dead) give_back_all_of(epoch);
  taken_over answer{static_cast<int>(dead.size())};
  if (clock().now() >= unserved_due_) look_for_unserved(now, answer);
  return answer;
}

/// An app that is beginning may have seen none of those that another one was parking: so all look again now and then.
void transaction_coordinator::look_for_unserved(time_point now, taken_over& answer) {
  const auto& grace = env_->options.unserved_grace;
  unserved_due_ = clock().now() + pause_between_looks(grace);
  unserved_instances instances{*db_};
  const auto found = instances.workflows(now);
  if (found.empty()) return;
  const auto served = tables_->epochs.served();
  const auto ours = env_->served_workflows();
  std::vector<std::string> served_again;
  for (const auto& workflow : found)
    if (served ? served->contains(workflow) : std::count(ours.begin(), ours.end(), workflow) > 0)
      served_again.push_back(workflow);
    else if (served && grace > std::chrono::milliseconds{0})
      answer.unserved.push_back(instances.leave(workflow, now, grace, unserved_batch));
  answer.going_on = let_go_on(served_again);
  for (const auto& workflow : answer.unserved)
    if (workflow.more) unserved_due_ = {};
}

int transaction_coordinator::let_go_on(const std::vector<std::string>& workflows) {
  const int going_on = unserved_instances{*db_}.let_go_on(workflows, unserved_batch);
  if (going_on == unserved_batch) unserved_due_ = {}; // there are more
  return going_on;
}

void transaction_coordinator::tell_of_parked(const taken_over& taken) {
  if (!env_->options.hooks) return;
  for (const auto& unserved : taken.unserved)
    for (const auto& id : unserved.parked)
      tell(callbacks_, fire_hook{[info = workflow_info{id, unserved.workflow}, why = unserved.reason](
                                     lifecycle_hooks& hooks) { hooks.on_workflow_parked(info, why); }});
}

/// A worker that is stopped, or cut off from the server, may hold rows in transactions that would never end.
void transaction_coordinator::end_connections_of(const std::string& epoch) {
  if (shares_transactions()) return; // SQLite knows of no other connections
  db_->open_savepoint(1);
  try {
    db_->break_connections(epoch);
    db_->release_savepoint(1);
  } catch (const storage_failure& e) {
    if (e.retryable()) throw;
    db_->roll_back_savepoint(1);
    log().warn("a dead worker may hold rows until its connections end by themselves: {}", e.what());
  }
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
  const auto now = env_->clock->now();
  if (tables_->instances.insert(request.instance, epoch_, now)) {
    auto started = request.instance;
    started.fence = 1;
    started.started_at = started.run_started_at = now;
    return {request.ticket, true, std::move(started)};
  }
  auto existing = tables_->instances.find(request.instance.instance_id);
  if (!existing)
    throw storage_failure{failure_kind::other,
                          "instance " + request.instance.instance_id + " vanished while it was started"};
  const bool ours = existing->owner_epoch == epoch_;
  return {request.ticket, false, std::move(*existing), ours};
}

instances_released transaction_coordinator::carry_out(const release_instances& request) {
  tables_->instances.release(epoch_, request.instance_id);
  return {request.ticket};
}

instances_claimed transaction_coordinator::carry_out(const claim_instances& request) {
  auto news = tables_->instances.news(epoch_); // those that are claimed now know it already
  auto claimed = tables_->instances.claim(epoch_, request.workflows, request.limit, env_->clock->now());
  auto next = request.limit > 0 ? tables_->instances.next_due(request.workflows) : std::nullopt;
  return {std::move(claimed), std::move(news), next};
}

/// The row of the instance is held: what comes from now on finds it as it is left here, and wakes it.
waited transaction_coordinator::carry_out(const wait_for& request) {
  const auto& id = request.instance_id;
  if (!tables_->instances.hold(id, epoch_, request.fence)) throw ownership_lost{};
  waited answer{request.ticket, {}, false, {}};
  if (request.again) { // what was recorded then is not looked for once more
    auto rest = request;
    rest.again = false;
    std::vector<history_record> recorded;
    for (auto& outcome : tables_->history.load(id))
      if (std::erase_if(rest.waits, [&](const auto& wait) { return wait.activity_id == outcome.activity_id; }) > 0) {
        tables_->waits.remove(id, outcome.activity_id);
        recorded.push_back(std::move(outcome));
      }
    if (!recorded.empty()) rest.rests = false;
    std::erase_if(rest.children, [&](const auto& entry) {
      const auto& [step, child] = entry; // its own, once its wait is there: both were committed together
      return tables_->waits.has(id, step, child.instance_id) ||
             std::none_of(rest.waits.begin(), rest.waits.end(),
                          [&](const wait_record& wait) { return wait.activity_id == step; });
    });
    answer = carry_out(rest);
    answer.outcomes.insert(answer.outcomes.begin(), recorded.begin(), recorded.end());
    return answer;
  }
  for (const auto& [step, child] : request.children) {
    if (tables_->instances.insert(child, "", env_->clock->now())) continue;
    const auto there = tables_->instances.find(child.instance_id);
    const auto wait = std::find_if(request.waits.begin(), request.waits.end(),
                                   [&, &name = step](const wait_record& known) { return known.activity_id == name; });
    answer.outcomes.push_back(
        {step, wait->position, std::string{to_string(history_event::child_failed)},
         "instance " + child.instance_id + " exists already, and is " +
             (there && there->parent_id == id ? "the child of another step, or of an earlier run, of this one"
                                              : "not a child of this one") +
             ": choose another id",
         1});
  }
  for (const auto& wait : request.waits) {
    const auto of_it = [&](const history_record& outcome) { return outcome.activity_id == wait.activity_id; };
    const bool refused = std::any_of(answer.outcomes.begin(), answer.outcomes.end(), of_it);
    if (!refused)
      if (auto outcome = look_for_outcome(request, wait)) answer.outcomes.push_back(std::move(*outcome));
    const bool fresh = std::find(request.fresh.begin(), request.fresh.end(), wait.activity_id) != request.fresh.end();
    if (const bool ended = std::any_of(answer.outcomes.begin(), answer.outcomes.end(), of_it); ended && !fresh)
      tables_->waits.remove(id, wait.activity_id);
    else if (!ended && fresh)
      tables_->waits.put(id, wait);
  }
  for (auto& outcome : answer.outcomes) {
    outcome.created_at = env_->clock->now();
    if (!tables_->history.insert(id, outcome, epoch_, request.fence, outcome.created_at)) throw ownership_lost{};
  }
  const auto stored = tables_->instances.find(id);
  if (stored && stored->status == instance_status::running) answer.cancel_reason = stored->cancel_reason;
  answer.rests = request.rests && answer.outcomes.empty() && answer.cancel_reason.empty();
  auto next = request.deadline;
  const auto soon = env_->clock->now() + std::chrono::seconds{1};
  for (const auto& wait : request.waits)
    if (answer.rests && wait.kind == wait_kind::event && tables_->channels.others_take(id, wait.channels))
      next = next ? std::min(*next, soon) : soon; // perhaps they do not
  for (const auto& wait : request.waits)
    if (wait.due) next = next ? std::min(*next, *wait.due) : wait.due;
  if (answer.rests)
    tables_->instances.rest(id, next);
  else
    tables_->instances.stay(id);
  return answer;
}

/// What the step waits for, if it is there.
std::optional<history_record> transaction_coordinator::look_for_outcome(const wait_for& request,
                                                                        const wait_record& wait) {
  using enum history_event;
  const auto ended = [&](history_event what, std::string data) {
    return history_record{wait.activity_id, wait.position, std::string{to_string(what)}, std::move(data), 1};
  };
  const bool due = wait.due && *wait.due <= env_->clock->now();
  switch (wait.kind) {
    case wait_kind::timer:
      if (due) return ended(timer_fired, "null");
      break;
    case wait_kind::event:
      if (auto message = tables_->channels.take(request.instance_id, wait.channels))
        return ended(event_received, std::move(*message));
      if (due) return ended(wait_timed_out, "null");
      break;
    case wait_kind::child: {
      const auto child = tables_->instances.find(wait.channels.front());
      if (!child) return ended(child_failed, "instance " + wait.channels.front() + " is gone");
      if (child->status == instance_status::completed) return ended(child_completed, child->output);
      if (child->status == instance_status::failed || child->status == instance_status::cancelled)
        return ended(child_failed, "instance " + child->instance_id + ' ' + std::string{to_string(child->status)} + ": " +
                                       child->error);
      break;
    }
    case wait_kind::retry: break; // its owner knows the time
  }
  return std::nullopt;
}

continued_as_new transaction_coordinator::carry_out(const continue_as_new& request) {
  if (!tables_->instances.continue_as_new(request.instance_id, epoch_, request.fence, request.run, request.input,
                                          env_->clock->now()))
    throw ownership_lost{};
  return {request.ticket, tables_->instances.find(request.instance_id).value_or(instance_record{}).run_started_at};
}

/// As today's definitions see it: names and inputs may have been others.
bool transaction_coordinator::is_same_start(const instance_record& there, const instance_record& start) const {
  const auto* workflow = env_->definitions.find_workflow(start.workflow);
  if (there.workflow != start.workflow && (!workflow || env_->definitions.find_workflow(there.workflow) != workflow))
    return false;
  if (there.start_input == start.input) return true;
  try {
    return workflow && workflow->reencode(nlohmann::json::parse(there.start_input)).dump() == start.input;
  } catch (const std::exception&) { // today's types cannot read it
    return false;
  }
}

/// One that is refused undoes all.
events_received transaction_coordinator::carry_out(const receive_events& request) {
  events_received answer{request.ticket};
  const auto now = env_->clock->now();
  for (const auto& event : request.events) {
    if (!tables_->inbox.insert(event.source, event.id, event.type, now)) {
      ++answer.duplicates;
      continue;
    }
    for (const auto& start : event.starts) {
      if (tables_->instances.insert(start, "", now)) continue;
      const auto there = tables_->instances.find(start.instance_id);
      if (there && !is_same_start(*there, start))
        throw event_conflict{"event " + event.id + " of " + event.source + " would start instance " + start.instance_id +
                             ", which exists already with another workflow or other inputs"};
    }
    for (const auto& to : event.to) tables_->channels.send(to, event.type, event.message, now);
    if (event.for_all) tables_->channels.publish(event.type, event.message, now);
  }
  return answer;
}

/// A commit whose outcome was unknown may have claimed what nobody here has heard of.
void transaction_coordinator::undo_lost_claim(const instances_claimed& lost) {
  tables_->instances.release(epoch_, lost.instances);
}
void transaction_coordinator::undo_lost_claim(const events_claimed& lost) {
  tables_->outbox.release(epoch_, lost.events);
}

instance_cancelled transaction_coordinator::carry_out(const cancel_instance& request) {
  return {request.ticket, tables_->instances.request_cancel(request.request), request.request};
}

instance_forked transaction_coordinator::carry_out(const fork_instance& request) {
  return {request.ticket, instance_fork{*db_, *tables_}.make(request.fork, env_->clock->now())};
}

history_loaded transaction_coordinator::carry_out(const load_history& request) {
  return {request.ticket, tables_->history.load(request.instance_id), tables_->waits.load(request.instance_id)};
}

void transaction_coordinator::write_step(step_record& step) {
  const auto now = step.history.created_at = env_->clock->now();
  for (const auto& action : step.channel_actions)
    if (action.what == channel_action::kind::members)
      step.history.data = nlohmann::json(tables_->channels.members(action.channel)).dump();
  try {
    if (!tables_->history.insert(step.instance_id, step.history, epoch_, step.fence, now)) throw ownership_lost{};
  } catch (const storage_failure& e) {
    if (e.kind() == failure_kind::unique_violation) throw step_is_in_history{};
    throw;
  }
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
  for (const auto& action : step.channel_actions) tables_->channels.carry_out(step.instance_id, action, now);
  if (step.has_waited) tables_->waits.remove(step.instance_id, step.history.activity_id);
}

/// What it waited for does not come any more, and its children end before it undoes its own steps.
compensation_begun transaction_coordinator::carry_out(const begin_compensation& request) {
  const auto& id = request.instance_id;
  if (request.error.empty() ? !tables_->instances.hold(id, epoch_, request.fence)
                            : !tables_->instances.begin_compensation(id, epoch_, request.fence, request.error))
    throw ownership_lost{};
  if (!request.error.empty()) tables_->waits.remove_all(id);
  const auto stored = tables_->instances.find(id);
  compensation_begun answer{request.ticket, false, {}, stored ? stored->cancel_reason : ""};
  for (const auto& child : tables_->instances.unfinished_children(id)) {
    const auto why = stored ? (stored->cancel_reason.empty() ? stored->error : stored->cancel_reason) : "";
    static_cast<void>(tables_->instances.request_cancel({child, "its parent " + id + " is undone: " + why}));
    answer.rests = true;
  }
  if (answer.rests)
    tables_->instances.rest(id, {});
  else
    answer.remaining = tables_->compensations.remaining(id);
  return answer;
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
  if (request.status == instance_status::parked) return {request.ticket, {}};
  if (request.has_waited) {
    tables_->waits.remove_all(request.instance_id);
    tables_->channels.remove_all(request.instance_id);
  }
  if (!request.parent_id.empty()) tables_->instances.wake(request.parent_id);
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

removed_old transaction_coordinator::carry_out(const remove_old& request) {
  return {old_rows{*db_}.remove(request.target, db_->now(env_->clock->now()) - request.age, request.limit)};
}

} // namespace romancy
