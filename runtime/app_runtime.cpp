#include <romancy/detail/ports.hpp>

#include <algorithm>
#include <mutex>

#include "actors/event_check.hpp"
#include "actors/guard.hpp"
#include "actors/local_messages.hpp"
#include "actors/message_types.hpp"
#include "actors/payload_text.hpp"
#include "actors/start_slot.hpp"
#include "runtime/engine.hpp"
#include "runtime/storage_backend.hpp"
#include "storage/instance_table.hpp"

namespace romancy {

namespace {

/// What stands behind romancy::app.
class app_runtime final : public detail::runtime {
public:
  app_runtime(app_options options, detail::definition_table definitions, detail::dependency_set dependencies)
      : engine_{std::make_shared<engine>(std::move(options), definitions, std::move(dependencies))},
        backend_{std::make_shared<detail::storage_backend>(engine_)} {}

  std::string start(std::string_view workflow, nlohmann::json inputs, std::optional<romancy::instance_id> id) override {
    instance_record instance;
    instance.workflow = std::string{workflow};
    instance.instance_id = id ? std::move(id->value) : engine_->env().uuid();
    check_name(instance.instance_id, "an instance id", 200); // ids of events are made from it
    instance.input = payload_text(inputs, "the input of " + instance.workflow, engine_->options().max_payload_bytes);
    const auto outcome = commit_start(instance);
    if (!outcome.created && (outcome.instance.workflow != instance.workflow || outcome.instance.input != instance.input))
      throw instance_conflict{"instance " + instance.instance_id + " exists already, of workflow '" +
                              outcome.instance.workflow + "' with " +
                              (outcome.instance.workflow == instance.workflow ? "other inputs" : "its own inputs") +
                              ": choose another id, or start it with the same workflow and inputs"};
    return instance.instance_id;
  }

  nlohmann::json result(const std::string& id, std::optional<std::chrono::milliseconds> timeout) override {
    const auto forever = std::chrono::steady_clock::time_point::max();
    const auto end = timeout ? std::chrono::steady_clock::now() + *timeout : forever;
    completion_board::waiter waiter{*engine_->env().completions, id};
    // It usually ends in this process, which tells. Otherwise the database does.
    auto pause = std::chrono::milliseconds{100};
    for (;;) {
      if (const auto stored = find(id); is_settled(stored.status)) return output_of(stored);
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
  romancy::storage storage() override { return romancy::storage{backend_}; }
  romancy::health health() const override { return engine_->health(); }
  void shut_down() override { engine_->shut_down(); }

private:
  start_slot::outcome commit_start(const instance_record& instance) {
    // Starting twice is starting once: when the dispatcher is replaced meanwhile, the new one is asked too.
    const auto end = std::chrono::steady_clock::now() + engine_->options().database_timeout;
    const auto slot = std::make_shared<start_slot>();
    caf::actor asked;
    while (std::chrono::steady_clock::now() < end) {
      if (engine_->stopped()) throw error{"instance " + instance.instance_id + " is not started: the app is shut down"};
      if (auto dispatcher = engine_->roster().get("dispatcher", std::chrono::milliseconds{100});
          dispatcher && dispatcher != asked) {
        asked = dispatcher;
        tell(dispatcher, start_request{slot, instance});
      }
      if (auto outcome = slot->wait_for(std::chrono::milliseconds{100})) return std::move(*outcome);
    }
    throw storage_error{"instance " + instance.instance_id + " is not started after " +
                            std::to_string(engine_->options().database_timeout.count()) +
                            " ms, the database does not answer: start it again with the same id",
                        true};
  }

  instance_record find(const std::string& id) {
    const std::lock_guard lock{mutex_};
    if (!reader_) {
      reader_ = backend_->open();
      instances_ = std::make_unique<instance_table>(*reader_);
    }
    auto found = instances_->find(id);
    if (!found) throw error{"there is no instance " + id};
    return std::move(*found);
  }

  static nlohmann::json output_of(const instance_record& instance) {
    if (instance.status != instance_status::completed)
      throw instance_failed{instance.instance_id, instance.status, instance.error};
    return nlohmann::json::parse(instance.output);
  }

  std::shared_ptr<engine> engine_;
  std::shared_ptr<detail::storage_backend> backend_;
  std::mutex mutex_;
  std::unique_ptr<database> reader_; ///< opened when it is first needed
  std::unique_ptr<instance_table> instances_;
};

} // namespace

std::shared_ptr<detail::runtime> detail::make_runtime(app_options options, definition_table definitions,
                                                      dependency_set dependencies) {
  return std::make_shared<app_runtime>(std::move(options), definitions, std::move(dependencies));
}

} // namespace romancy
