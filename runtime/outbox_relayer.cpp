#include <romancy/outbox_relayer.hpp>

#include <algorithm>
#include <future>
#include <mutex>

#include <romancy/error.hpp>

#include "actors/guard.hpp"
#include "actors/local_messages.hpp"
#include "actors/message_types.hpp"
#include "runtime/engine.hpp"
#include "runtime/storage_backend.hpp"

namespace romancy {

class outbox_relayer::state {
public:
  explicit state(relayer_options options) : options_{std::move(options)} {
    check(static_cast<const outbox_options&>(options_));
    if (!options_.storage) static_cast<void>(database_url::parse(options_.database));
  }

  void start() {
    const std::lock_guard lock{mutex_};
    if (engine_) return;
    auto engine = options_.storage ? options_.storage->backend()->owner() : make_engine();
    if (!engine) throw startup_error{"a scenario relays its outbox by itself: give the relayer no storage of one"};
    engine->add_relayer(options_);
    engine_ = std::move(engine);
  }

  void stop() {
    const std::lock_guard lock{mutex_};
    if (!engine_) return;
    engine_->remove_relayer();
    if (!options_.storage) engine_->shut_down();
    engine_ = nullptr;
  }

  bool run_once(std::chrono::milliseconds timeout) {
    start();
    const auto end = deadline_after(timeout);
    const auto relayer =
        running()->roster().get("outbox_relayer", std::min<std::chrono::milliseconds>(timeout, std::chrono::hours{24}));
    if (!relayer) return false;
    auto idle = std::make_shared<std::promise<void>>();
    tell(relayer, report_idle{[idle] { idle->set_value(); }});
    return idle->get_future().wait_until(end) == std::future_status::ready;
  }

  romancy::health health() {
    const auto engine = running();
    return engine ? engine->health() : romancy::health{};
  }

private:
  std::shared_ptr<engine> running() {
    const std::lock_guard lock{mutex_};
    return engine_;
  }
  std::shared_ptr<engine> make_engine() const {
    app_options options;
    options.database = options_.database;
    options.worker_id = options_.worker_id;
    options.worker_lease = options_.worker_lease;
    options.database_timeout = options_.database_timeout;
    options.shutdown_timeout = options_.shutdown_timeout;
    options.notify = options_.notify;
    return std::make_shared<engine>(std::move(options), detail::definition_table{}, detail::dependency_set{});
  }

  relayer_options options_;
  std::mutex mutex_;
  std::shared_ptr<engine> engine_; ///< while it runs
};

outbox_relayer::outbox_relayer(relayer_options options) : state_{std::make_unique<state>(std::move(options))} {}
outbox_relayer::~outbox_relayer() { state_->stop(); }
void outbox_relayer::start() { state_->start(); }
void outbox_relayer::stop() { state_->stop(); }
bool outbox_relayer::run_once(std::chrono::milliseconds timeout) { return state_->run_once(timeout); }
romancy::health outbox_relayer::health() const { return state_->health(); }

} // namespace romancy
