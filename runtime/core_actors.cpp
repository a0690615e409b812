#include "runtime/core_actors.hpp"

#include "actors/callback_runner.hpp"
#include "actors/commit_listener.hpp"
#include "actors/dispatcher.hpp"
#include "actors/executor_pool.hpp"
#include "actors/http_publisher.hpp"
#include "actors/janitor.hpp"
#include "actors/outbox_relayer_actor.hpp"
#include "actors/session_pool.hpp"
#include "actors/spawn_blocking.hpp"
#include "actors/supervisor.hpp"
#include "actors/timekeeper.hpp"
#include "actors/transaction_coordinator.hpp"
#include "actors/worker_lease.hpp"

namespace romancy {

core_actors::core_actors(caf::actor_system& system, environment_ptr env)
    : env_{std::move(env)}, roster_{std::make_shared<romancy::roster>()} {
  const auto names = roster_;
  const auto shared = env_;
  std::vector<child_spec> children;
  children.push_back({"callback_runner", [shared](caf::event_based_actor* self) {
                        return spawn_blocking<callback_runner>(self, *shared, shared);
                      }});
  children.push_back({"timekeeper", [](caf::event_based_actor* self) { return caf::actor{self->spawn<timekeeper>()}; }});
  const auto epochs = std::make_shared<std::vector<std::string>>();
  children.push_back({"transaction_coordinator", [shared, names, epochs](caf::event_based_actor* self) {
                        epochs->push_back(shared->uuid());
                        return spawn_blocking<transaction_coordinator>(self, *shared, shared, epochs,
                                                                       names->get("callback_runner"));
                      }});
  children.push_back({"worker_lease", [shared, names](caf::event_based_actor* self) {
                        return caf::actor{self->spawn<worker_lease>(shared, names->get("transaction_coordinator"),
                                                                    names->get("timekeeper"))};
                      }});
  if (!env_->definitions.workflows.empty()) {
    const bool one_session = env_->dialect->one_writer;
    if (!one_session)
      children.push_back({"session_pool", [shared, names, epochs](caf::event_based_actor* self) {
                            return caf::actor{self->spawn<session_pool>(shared, epochs->back(),
                                                                        names->get("callback_runner"),
                                                                        names->get("transaction_coordinator"))};
                          }});
    const std::string sessions = one_session ? "transaction_coordinator" : "session_pool";
    children.push_back({"executor_pool", [shared, names, sessions](caf::event_based_actor* self) {
                          return caf::actor{self->spawn<executor_pool>(shared, names->get("transaction_coordinator"),
                                                                       names->get(sessions), names->get("timekeeper"))};
                        }});
    children.push_back({"dispatcher",
                        [shared, names](caf::event_based_actor* self) {
                          const auto started = self->spawn<dispatcher>(
                              shared, instance_peers{names->get("transaction_coordinator"), names->get("executor_pool"),
                                                     names->get("timekeeper"), names->get("callback_runner")});
                          self->send(names->get("worker_lease"), started);
                          return caf::actor{started};
                        },
                        true});
  }
  if (env_->open_listener)
    children.push_back({"commit_listener", [shared, names](caf::event_based_actor* self) {
                          return spawn_blocking<commit_listener>(self, *shared, shared, names);
                        }});
  if (janitor::has_work(env_->options.retention))
    children.push_back({"janitor", [shared, names](caf::event_based_actor* self) {
                          return caf::actor{self->spawn<janitor>(shared, names->get("transaction_coordinator"),
                                                                 names->get("timekeeper"))};
                        }});
  supervisor_ = system.spawn<romancy::supervisor>(env_, roster_, std::move(children));
}

void core_actors::add_relayer(const outbox_options& options) {
  const auto names = roster_;
  const auto shared = env_;
  add_children request;
  request.children.push_back({"http_publisher", [shared, options](caf::event_based_actor* self) {
                                return caf::actor{self->spawn<http_publisher>(shared, options)};
                              }});
  request.children.push_back({"outbox_relayer", [shared, options, names](caf::event_based_actor* self) {
                                return caf::actor{self->spawn<outbox_relayer_actor>(
                                    shared, options, names->get("transaction_coordinator"), names->get("http_publisher"),
                                    names->get("timekeeper"), names->get("callback_runner"))};
                              }});
  tell(supervisor_, std::move(request));
}

void core_actors::remove_relayer(std::function<void()> removed) {
  tell(supervisor_, remove_children{{"http_publisher", "outbox_relayer"}, std::move(removed)});
}

void core_actors::drain() { tell(supervisor_, romancy::drain{}); }

void core_actors::forget() { supervisor_ = nullptr; }

} // namespace romancy
