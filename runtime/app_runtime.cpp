#include <romancy/detail/ports.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>

#include "actors/answer_slot.hpp"
#include "actors/event_check.hpp"
#include "actors/event_intake.hpp"
#include "actors/guard.hpp"
#include "actors/local_messages.hpp"
#include "actors/message_types.hpp"
#include "actors/payload_text.hpp"
#include "runtime/app_http_service.hpp"
#include "runtime/engine.hpp"
#include "runtime/http_server.hpp"
#include "runtime/start_check.hpp"
#include "runtime/storage_backend.hpp"
#include "storage/storage_failure.hpp"
#include "storage/tables.hpp"

namespace romancy {

namespace {

/// Looks at instances, from any thread, on a connection that is made anew when it was lost.
class instance_reader {
public:
  explicit instance_reader(std::shared_ptr<detail::storage_backend> backend) : backend_{std::move(backend)} {}
  std::optional<instance_record> find(const std::string& id) {
    const std::lock_guard lock{mutex_};
    if (db_) try {
        return look(id);
      } catch (const storage_failure& e) {
        if (e.kind() != failure_kind::unavailable && db_->is_connected()) throw;
        instances_.reset();
        db_.reset();
      }
    auto db = backend_->open_now();
    instances_ = open_tables<instance_table>(*db);
    db_ = std::move(db);
    return look(id);
  }

private:
  std::optional<instance_record> look(const std::string& id) {
    auto found = instances_->find(id);
    if (db_->in_transaction()) db_->roll_back(); // MySQL has begun one, which would hold up every change of the table
    return found;
  }

  std::shared_ptr<detail::storage_backend> backend_;
  std::mutex mutex_;
  std::unique_ptr<database> db_;
  std::unique_ptr<instance_table> instances_; ///< after db_: its statements end before their session
};

/// What stands behind romancy::app.
class app_runtime final : public detail::runtime, public std::enable_shared_from_this<app_runtime> {
public:
  app_runtime(app_options options, detail::definition_table definitions, detail::dependency_set dependencies)
      : engine_{std::make_shared<engine>(std::move(options), definitions, std::move(dependencies))},
        backend_{std::make_shared<detail::storage_backend>(engine_->url(), engine_->options().database_timeout, engine_)},
        instances_{backend_} {}

  std::string start(std::string_view workflow, nlohmann::json inputs, std::optional<romancy::instance_id> id,
                    std::optional<std::chrono::microseconds> time_limit) override {
    const auto instance = checked_start(engine_->env(), workflow, inputs, std::move(id), time_limit);
    const auto outcome = commit_start(instance);
    if (!outcome.created) check_same_start(engine_->env().definitions, outcome.instance, instance);
    return instance.instance_id;
  }

  nlohmann::json result(const std::string& id, std::optional<std::chrono::milliseconds> timeout) override {
    const auto end = timeout ? deadline_after(*timeout) : std::chrono::steady_clock::time_point::max();
    completion_board::waiter waiter{*engine_->env().completions, id};
    // It usually ends in this process, which tells. Otherwise the database does.
    auto pause = std::chrono::milliseconds{100};
    for (;;) {
      try {
        if (const auto stored = find(id); is_settled(stored.status)) return output_of(stored);
      } catch (const storage_error& e) {
        if (!e.retryable()) throw;
        log().warn("instance {} is waited for, the database does not answer: {}", id, e.what());
      }
      const auto now = std::chrono::steady_clock::now();
      if (now >= end)
        throw error{"instance " + id + " has not ended within " + std::to_string(timeout->count()) + " ms; it goes on"};
      if (const auto ended = waiter.wait_until(std::min(end, now + pause))) return output_of(*ended);
      if (waiter.closed())
        throw error{"the app was shut down before instance " + id + " ended: it goes on when an app starts again"};
      pause = std::min(pause * 2, std::chrono::milliseconds{1000});
    }
  }

  instance_status status(const std::string& id) override { return find(id).status; }

  void expect(const std::string& id, std::string_view workflow) override {
    if (const auto found = find(id); !is_same_workflow(engine_->env().definitions, found.workflow, workflow))
      throw error{"instance " + id + " is of workflow '" + found.workflow + "', not of '" + std::string{workflow} + '\''};
  }

  bool cancel(const std::string& id, const std::string& reason, const std::string& author) override {
    const auto request = checked_cancel(id, reason, author);
    static_cast<void>(find(id)); // else it is said here that there is none
    if (engine_->env().definitions.workflows.empty())
      throw error{"instance " + id +
                  ": this app serves no workflows: cancel it in one that does, or with romancy workflow "
                  "cancel"};
    const auto slot = std::make_shared<cancel_slot>();
    if (auto answer = ask<instance_cancelled>(
            slot,
            [&] {
              return cancel_instance_request{slot, request};
            },
            "instance " + id + " is not cancelled"))
      return answer->accepted;
    throw storage_error{"instance " + id + ": no answer within " + waited() +
                            ": it may be cancelled; look at its status, or cancel it again",
                        true};
  }
  std::string fork(const std::string& id, const std::string& from_step,
                   const std::optional<romancy::instance_id>& new_id) override {
    fork_request request{id, from_step, new_id ? new_id->value : engine_->env().uuid()};
    check_name(request.new_id, "an instance id", 200);
    check_name(from_step, "the step to fork instance " + id + " from");
    const auto slot = std::make_shared<fork_slot>();
    if (auto answer = ask<instance_forked>(
            slot,
            [&] {
              return fork_instance_request{slot, request};
            },
            "instance " + id + " is not forked")) {
      if (!answer->refused.empty()) throw error{answer->refused};
      return request.new_id;
    }
    throw storage_error{"instance " + id + ": no answer within " + waited() + ": it may be forked as " + request.new_id +
                            "; fork it again with that id",
                        true};
  }
  int receive(const std::vector<received_event>& events) override {
    receive_request request;
    for (const auto& event : events)
      request.events.push_back(take_in(event, engine_->env().definitions, engine_->options().max_payload_bytes));
    if (events.empty()) return 0;
    request.slot = std::make_shared<receive_slot>();
    const auto name = "event '" + events.front().id + '\'';
    if (auto answer = ask<events_received>(
            request.slot, [&] { return request; }, name + " is not taken in")) {
      if (!answer->refused.empty()) throw payload_error{name + " cannot be taken in: " + answer->refused};
      return static_cast<int>(events.size()) - answer->duplicates;
    }
    throw storage_error{name + ": no answer within " + waited() + ": it may have been taken in; send it again", true};
  }
  romancy::storage storage() override { return romancy::storage{backend_}; }
  romancy::health health() const override { return engine_->health(); }
  std::uint16_t listen(http_options options) override {
    const std::lock_guard lock{http_mutex_};
    if (engine_->stopped()) throw startup_error{"the app is shut down: listen before"};
    if (http_) throw startup_error{"this app listens already, on port " + std::to_string(http_->port())};
    http_ = std::make_unique<http_server>(std::move(options), std::make_shared<app_http_service>(shared_from_this()));
    return http_->port();
  }
  void shut_down() override {
    std::unique_ptr<http_server> server;
    {
      const std::lock_guard lock{http_mutex_};
      server = std::move(http_);
    }
    if (server) // what was read completely is answered as long as there is somebody to ask
      if (const int cut_off = server->stop(engine_->options().shutdown_timeout / 2); cut_off > 0)
        log().warn("{} HTTP requests were cut off", cut_off);
    engine_->shut_down();
  }
  std::optional<nlohmann::json> describe(const std::string& id) override {
    const auto found = instances_.find(id);
    if (!found) return std::nullopt;
    nlohmann::json described{{"instance_id", id},
                             {"workflow", found->workflow},
                             {"status", to_string(found->status)},
                             {"result", nullptr},
                             {"error", nullptr}};
    if (found->status == instance_status::completed) described["result"] = nlohmann::json::parse(found->output);
    if (!found->error.empty()) described["error"] = found->error;
    return described;
  }

private:
  instance_started commit_start(const instance_record& instance) {
    const auto slot = std::make_shared<start_slot>();
    const auto& id = instance.instance_id;
    if (auto answer = ask<instance_started>(
            slot,
            [&] {
              return start_request{slot, instance};
            },
            "instance " + id + " is not started"))
      return std::move(*answer);
    throw start_unconfirmed{id, "instance " + id + ": no answer within " + waited() +
                                    ": it may have been started; start it again with the same id"};
  }

  /// Asks the dispatcher; when it is replaced meanwhile, the new one too: asking twice must be asking once. Nothing: no
  /// answer within database_timeout.
  template <class Answer, class Request>
  std::optional<Answer> ask(const std::shared_ptr<answer_slot<Answer>>& slot, Request request,
                            const std::string& otherwise) {
    const auto end = deadline_after(engine_->options().database_timeout);
    caf::actor asked;
    while (std::chrono::steady_clock::now() < end) {
      if (engine_->stopped()) {
        if (!asked) throw error{otherwise + ": the app is shut down"};
        return {};
      }
      if (auto dispatcher = engine_->roster().get("dispatcher", std::chrono::milliseconds{100});
          dispatcher && dispatcher != asked) {
        asked = dispatcher;
        tell(dispatcher, request());
      }
      if (auto answer = slot->wait_for(std::chrono::milliseconds{100})) return answer;
    }
    return {};
  }
  std::string waited() const {
    if (engine_->stopped()) return "the life of the app, which is shut down";
    return std::to_string(engine_->options().database_timeout.count()) + " ms";
  }

  instance_record find(const std::string& id) {
    auto found = instances_.find(id);
    if (!found) throw error{"there is no instance " + id};
    return std::move(*found);
  }

  std::shared_ptr<engine> engine_;
  std::shared_ptr<detail::storage_backend> backend_;
  instance_reader instances_;
  std::mutex http_mutex_;
  std::unique_ptr<http_server> http_;
};

} // namespace

std::shared_ptr<detail::runtime> detail::make_runtime(app_options options, definition_table definitions,
                                                      dependency_set dependencies) {
  return std::make_shared<app_runtime>(std::move(options), definitions, std::move(dependencies));
}

} // namespace romancy
