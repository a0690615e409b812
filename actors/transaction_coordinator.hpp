#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "actors/environment.hpp"
#include "actors/guard.hpp"
#include "actors/local_messages.hpp"
#include "actors/message_types.hpp"
#include "storage/storage_failure.hpp"
#include "storage/tables.hpp"

namespace romancy {

/// Owns one database session and all that is written through it. Requests queue and commit many at a time: each runs in a
/// savepoint of its own inside one physical transaction, so one that fails is undone alone, and nobody is answered before
/// COMMIT has returned. Attempts that write rows of their own borrow the session (acquire_session), one at a time, inside
/// the same transaction; they give it back with what they want to commit (commit_attempt) or to undo (discard_attempt).
///
/// On a database server, where many write at once, the sessions are lent by the coordinators of a pool, each attempt in a
/// transaction of its own, and this one does all the rest. A unit of work that fails there takes the transaction with it,
/// and the others are carried out again.
///
/// The batch ends by itself: a message that the coordinator sends to itself arrives when everything that was waiting in
/// the mailbox has been taken in.
class transaction_coordinator final : public caf::event_based_actor {
public:
  /// Epochs of this app: the last one owns whatever is claimed and started through this coordinator; what those of
  /// earlier incarnations own is given back, and then they are dropped from the list.
  using epochs = std::shared_ptr<std::vector<std::string>>;
  transaction_coordinator(caf::actor_config& cfg, environment_ptr env, epochs ours, caf::actor callbacks);
  /// Of a pool: `general` is the coordinator that does all the rest.
  transaction_coordinator(caf::actor_config& cfg, environment_ptr env, std::string epoch, caf::actor callbacks,
                          caf::actor general, caf::actor pool);
  ~transaction_coordinator() override;
  const char* name() const override { return "transaction_coordinator"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  using flush = caf::atom_constant<caf::atom("flush")>;
  using again = caf::atom_constant<caf::atom("again")>;
  using instant = caf::actor_clock::time_point; ///< of a clock that nobody sets

  enum class verdict {
    refused,
    ownership_lost, ///< the instance is another worker's
    lost,           ///< no fault of its own: again
    in_history,     ///< of a step: it was committed before
    unacceptable,   ///< and would be the next time
  };
  /// Something that waits for its turn in a batch.
  class work {
  public:
    virtual ~work() = default;
    virtual void carry_out(transaction_coordinator&) = 0;
    virtual void committed(transaction_coordinator&) = 0;
    virtual void failed(transaction_coordinator&, const std::string& why, verdict what) = 0;
    /// COMMIT failed; `in_doubt`: for all we know. True: it can be carried out once more; false: its sender was told.
    virtual bool survives_lost_commit(transaction_coordinator&, bool /*in_doubt*/) { return true; }
    int events = 0;         ///< that it adds to the outbox
    bool instances = false; ///< it leaves work to whoever looks for instances
  };
  template <class Request> class request_work;
  class attempt_work;
  using borrower = std::shared_ptr<session_request>;
  using queued = std::variant<std::unique_ptr<work>, borrower>;

  template <class Request> void take_in(Request& request);
  void pump();
  void open();
  void close();
  bool begin(isolation_level level);
  void run_in_savepoint(std::unique_ptr<work> next);
  void lend(const borrower& next);
  bool take_back(const lease_ptr& lease, bool expected = false);
  void undo_lease(const lease_ptr& lease, bool expected);
  void undo_unit();
  void after_lease();
  void commit();
  void commit_refused(const storage_failure& failure);
  bool batch_is_due();
  bool let_others_in();
  void give_up_transaction(bool in_doubt = false);
  void back_off(const storage_failure& failure, bool in_doubt = false);
  void database_works();
  void finish_drain();
  void announce(int events, bool instances);
  void wake_other_processes();
  void tell_pool_if_free();
  bool shares_transactions() const { return env_->dialect->one_writer; }

  /// Ends as a whole, with whoever has it last: a borrower may still use the session when the coordinator has ended.
  struct connection {
    std::shared_ptr<database> db;
    std::unique_ptr<tables> statements; ///< they end before their session
  };

  // What each request does, inside a transaction. The answer is sent after COMMIT.
  struct register_epoch {};
  struct nothing {};
  instance_started carry_out(const start_instance&);
  instances_released carry_out(const release_instances&);
  void undo_lost_claim(const instances_claimed&);
  void undo_lost_claim(const events_claimed&);
  instances_claimed carry_out(const claim_instances&);
  instance_cancelled carry_out(const cancel_instance&);
  instance_forked carry_out(const fork_instance&);
  history_loaded carry_out(const load_history&);
  compensation_begun carry_out(const begin_compensation&);
  instance_finished carry_out(const finish_instance&);
  nothing carry_out(const register_epoch&);
  epoch_renewed carry_out(const renew_epoch&);
  taken_over carry_out(const take_over&);
  epoch_released carry_out(const release_epoch&);
  waited carry_out(const wait_for&);
  std::optional<history_record> look_for_outcome(const wait_for&, const wait_record&);
  continued_as_new carry_out(const continue_as_new&);
  events_received carry_out(const receive_events&);
  bool is_same_start(const instance_record& there, const instance_record& start) const;
  events_claimed carry_out(const claim_events&);
  events_marked carry_out(const mark_events&);
  events_released carry_out(const release_events&);
  removed_old carry_out(const remove_old&);
  void write_step(step_record& step);
  void end_connections_of(const std::string& epoch);
  void give_back_all_of(const std::string& epoch);
  int let_go_on(const std::vector<std::string>& workflows);
  void look_for_unserved(time_point now, taken_over& answer);
  void tell_of_parked(const taken_over& taken);

  environment_ptr env_;
  caf::actor callbacks_;
  epochs ours_;
  caf::actor general_; ///< of a pool's coordinator
  caf::actor pool_;
  std::string epoch_;
  std::shared_ptr<database> db_;   ///< of a connection
  std::shared_ptr<tables> tables_; ///< of the same connection

  std::deque<queued> queue_;
  std::vector<std::unique_ptr<work>> batch_; ///< carried out, not yet committed
  bool open_ = false;                        ///< a physical transaction is
  bool flush_due_ = false;                   ///< the batch should be committed as soon as the session is back
  instant opened_at_{};
  time_point renewing_at_{};
  time_point renewed_at_{};  ///< of the last renewal that was committed
  time_point judge_from_{};  ///< leases of others that have run out count from then on
  instant busy_since_{};     ///< this coordinator has left others no time for the lock since then
  instant let_go_at_{};      ///< when it last ended a transaction
  instant damage_seen_at_{}; ///< the database was said to be damaged
  instant unserved_due_{};   ///< then instances are looked for that no app serves
  bool registered_ = false;  ///< the epoch has its row
  bool backing_off_ = false;
  bool draining_ = false;
  bool serving_ = false;        ///< the pool takes this coordinator for busy
  bool news_of_events_ = false; ///< other processes are not told yet
  bool news_of_instances_ = false;
  std::size_t alone_ = 0; ///< so many units of work commit one by one, to find the one that COMMIT refuses
  int failures_ = 0;      ///< of the database, one after another
  session_lease* lent_ = nullptr;
  std::string borrower_;
  std::set<caf::strong_actor_ptr> outbox_watchers_;
  std::set<caf::strong_actor_ptr> instance_watchers_;
};

} // namespace romancy
