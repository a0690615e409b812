/// The seam between the API and the runtime: no templates of users, no CAF, no SQL. The runtime implements activity_port,
/// instance_port and runtime, and is driven by the definition_table that app<...> generates.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <romancy/app_options.hpp>
#include <romancy/detail/definition_notes.hpp>
#include <romancy/detail/outgoing_event.hpp>
#include <romancy/error.hpp>
#include <romancy/health.hpp>
#include <romancy/http_options.hpp>
#include <romancy/instance_id.hpp>
#include <romancy/isolation_level.hpp>
#include <romancy/received_event.hpp>
#include <romancy/retry_policy.hpp>
#include <romancy/storage.hpp>

namespace soci {
class session;
}

namespace romancy {
struct replay_options;
struct replay_report;
} // namespace romancy

namespace romancy::detail {

using json = nlohmann::json;

/// Today's types cannot read what was stored for a step.
class undecodable_input : public error {
public:
  using error::error;
};

/// One attempt of an activity, a compensation or an inline transaction, seen from its context. Used on one thread.
class activity_port {
public:
  virtual soci::session& session() = 0; ///< begins the transaction at its first call
  virtual void open_scope() = 0;        ///< a savepoint, opened in the database only once the session is used
  virtual void release_scope() = 0;
  /// `why` is what was thrown. A failure fails the whole attempt instead.
  virtual void roll_back_scope(const std::exception_ptr& why) noexcept = 0;
  virtual std::string add_event(outgoing_event) = 0; ///< checks it; returns its id
  /// To all with an empty `to`; returns its id.
  virtual std::string add_message(std::string_view channel, std::string_view to, json data) = 0;
  virtual bool add_to_inbox(const std::string& source, const std::string& id) = 0; ///< false: it is there already
  virtual void on_commit(std::function<void()>) = 0;
  virtual const std::string& instance_id() const = 0;
  virtual const std::string& step() const = 0; ///< "charge_card:1"
  virtual int attempt() const = 0;             ///< 1-based
  virtual std::string idempotency_key() const = 0;
  virtual std::stop_token stop_token() = 0;
  virtual void check_stop() = 0; ///< throws attempt_timed_out, attempt_stopped

protected:
  ~activity_port() = default;
};

enum class step_kind {
  activity,
  transaction,
  event,   ///< sent
  timer,   ///< a time is waited for
  wait,    ///< an event, or a message of a channel, is waited for
  child,   ///< an instance that this one starts
  channel, ///< a change of a subscription or a group, or a message sent
  choice,  ///< which of several steps was done first
  version, ///< which version of the code the instance runs at a place
  recur,   ///< the function begins anew with other inputs
};

enum class channel_operation {
  subscribe_broadcast,
  subscribe_competing,
  unsubscribe,
  publish,
  send,
  join,
  leave,
  members
};

struct step_state;
using step_ref = std::shared_ptr<step_state>;
/// UTC, to the microsecond.
using utc_time = std::chrono::sys_time<std::chrono::microseconds>;

using inline_body = json (*)(void* closure, activity_port&);

/// What a workflow asks for; the runtime gives it an id and looks it up in history.
struct step_command {
  step_kind kind;
  std::string_view name; ///< built-in steps begin with '@', which no definition can
  json input{};
  inline_body body = nullptr;                        ///< step_kind::transaction: the body …
  void* closure = nullptr;                           ///< … and what it works on, which lives in the coroutine frame
  std::optional<outgoing_event> event{};             ///< step_kind::event
  bool started = false;                              ///< its outcome may come after those of later steps, or never
  std::optional<std::chrono::microseconds> within{}; ///< timer, wait: counted from when it is asked for first
  std::optional<utc_time> until{};                   ///< or a time
  std::vector<std::string> channels{};               ///< wait: the types, or channels; channel: one, or a group
  channel_operation operation{};                     ///< channel
  std::string to{};                                  ///< channel_operation::send
  std::string child_id{};                            ///< child; empty: made from instance and step
  std::vector<step_ref> candidates{};                ///< choice
  int oldest = 0, newest = 0;                        ///< version
};

/// Shared by the runtime, which fills it, and the awaitables, which read it.
struct step_state {
  bool done = false;
  std::string step;   ///< "create_order:1"
  std::string output; ///< JSON text, the same live and on replay
  std::optional<step_failure> failure;
  bool timed_out = false; ///< of a wait
  utc_time recorded_at{};
};

/// What a suspended workflow waits for; lives in the coroutine frame while it is suspended.
class wait_condition {
public:
  /// Also decodes what is done, so that output which no longer fits parks the instance instead of throwing into user
  /// code.
  virtual bool ready() = 0;

protected:
  ~wait_condition() = default;
};

/// One instance, seen from its workflow coroutine. One thread at a time. No function may resume or destroy the coroutine
/// before it has returned to the runtime: a coroutine destroyed inside await_suspend crashes with some compilers.
class instance_port {
public:
  /// Takes the next position; the state is already done when history has the outcome. A mismatch with history does not
  /// throw, since user code could swallow that: the state never gets done, and the runtime parks the instance.
  virtual step_ref begin(step_command) = 0;
  virtual void suspend(std::coroutine_handle<>, wait_condition&) = 0;
  /// History holds an output that today's type cannot read. The instance parks.
  virtual void undecodable(const step_state&, const std::string& why) = 0;
  virtual const std::string& instance_id() const = 0;
  /// The function has seen the outcome.
  virtual void seen(const step_state&) = 0;
  /// When the last outcome that the function has seen was recorded; before the first, when the instance was started.
  virtual utc_time now() const = 0;
  /// The same numbers in each replay.
  virtual std::uint64_t random() = 0;

protected:
  ~instance_port() = default;
};

/// A workflow coroutine with all it refers to. Destroying it while suspended is how an instance leaves memory.
class workflow_coroutine {
public:
  virtual ~workflow_coroutine() = default;
  virtual void start() = 0;
  virtual bool done() const = 0;
  virtual json result() = 0; ///< throws what the workflow threw
};

/// The dependencies given to an app, by type.
class dependency_set {
public:
  template <class T> void add(T& object) { entries_.emplace_back(&tag<T>, &object); }
  template <class T> T& get() const {
    for (auto& [key, object] : entries_)
      if (key == &tag<T>) return *static_cast<T*>(object);
    throw std::logic_error{"romancy: unknown dependency"}; // the checks of app make this unreachable
  }

private:
  template <class T> inline static constexpr char tag{};
  std::vector<std::pair<const void*, void*>> entries_;
};

struct activity_entry {
  std::string_view name;
  std::optional<retry_policy> retry; ///< of its own
  json (*run)(activity_port&, const json& inputs, const dependency_set&);
  /// `all` is the inputs, followed by the output unless that is void. Null: nothing to undo.
  json (*undo)(activity_port&, const json& all, const dependency_set&);
  bool undo_takes_output;
  isolation_level isolation = isolation_level::read_committed;
  std::optional<std::chrono::milliseconds> timeout{};
  std::span<const std::string_view> former{};   ///< names
  void (*read_undo)(const json& all) = nullptr; ///< only decodes what undo takes; throws what that would
};

struct workflow_entry {
  std::string_view name;
  std::unique_ptr<workflow_coroutine> (*create)(instance_port&, const json& inputs);
  json (*reencode)(const json& inputs);       ///< as today's types read and write them
  std::span<const std::string_view> former{}; ///< names
  std::span<const event_rule> rules{};
};

/// All definitions of an app, without their types, found by their names and former names. Constant-initialized: there is
/// no registration that could be late.
class definition_table {
public:
  std::span<const activity_entry> activities{};
  std::span<const workflow_entry> workflows{};

  const activity_entry* find_activity(std::string_view name) const { return find(activities, name); }
  const workflow_entry* find_workflow(std::string_view name) const { return find(workflows, name); }

private:
  template <class Entry> static const Entry* find(std::span<const Entry> entries, std::string_view name) {
    for (auto& entry : entries)
      if (entry.name == name) return &entry;
    for (auto& entry : entries)
      for (auto& former : entry.former)
        if (former == name) return &entry;
    return nullptr;
  }
};

/// What stands behind an app.
class runtime {
public:
  virtual ~runtime() = default;
  virtual std::string start(std::string_view workflow, json inputs, std::optional<romancy::instance_id>,
                            std::optional<std::chrono::microseconds> time_limit) = 0;
  virtual json result(const std::string& id, std::optional<std::chrono::milliseconds> timeout) = 0;
  virtual instance_status status(const std::string& id) = 0;
  virtual void expect(const std::string& id, std::string_view workflow) = 0; ///< throws if it is not there
  virtual bool cancel(const std::string& id, const std::string& reason, const std::string& author) = 0;
  virtual std::string fork(const std::string& id, const std::string& from_step,
                           const std::optional<romancy::instance_id>& new_id) = 0;
  virtual int receive(const std::vector<received_event>& events) = 0;
  virtual std::optional<json> describe(const std::string& id) = 0; ///< status, result and error; nothing: there is none
  virtual std::uint16_t listen(http_options options) = 0;
  virtual romancy::storage storage() = 0;
  virtual romancy::health health() const = 0;
  virtual void shut_down() = 0;
};
std::shared_ptr<runtime> make_runtime(app_options, definition_table, dependency_set);

replay_report check_replay(const definition_table&, const replay_options&);
std::optional<int> replay_command(const definition_table&, int argc, const char* const* argv);

} // namespace romancy::detail
