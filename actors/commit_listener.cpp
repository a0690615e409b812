#include "actors/commit_listener.hpp"

#include <algorithm>

#include "storage/storage_failure.hpp"

namespace romancy {

commit_listener::commit_listener(caf::actor_config& cfg, environment_ptr env, std::shared_ptr<roster> names)
    : event_based_actor{cfg}, env_{std::move(env)}, names_{std::move(names)} {}

caf::behavior commit_listener::make_behavior() {
  guard(this, name());
  thread_ = std::thread{[this] { listen(); }};
  return {[this](const drain&) { quit(); }};
}

void commit_listener::on_exit() {
  {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
    if (listener_) listener_->stop();
    stopping_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void commit_listener::listen() {
  auto wait = std::chrono::milliseconds{100};
  for (;;) {
    try {
      auto opened = env_->open_listener();
      {
        const std::lock_guard lock{mutex_};
        if (stopped_) return;
        listener_ = std::move(opened);
      }
      wait = std::chrono::milliseconds{100};
      std::set<std::string> news{events_topic, instances_topic}; // what was said before is to be looked for
      while (!news.empty()) {
        if (news.contains(events_topic)) tell(names_->get("outbox_relayer"), events_committed{});
        if (news.contains(instances_topic)) tell(names_->get("dispatcher"), look_for_instances{});
        news = listener_->wait();
      }
      return; // stopped
    } catch (const std::exception& e) {
      log().warn("not listening for the commits of other processes ({}); trying again in {} ms", e.what(), wait.count());
    }
    std::unique_lock lock{mutex_};
    listener_.reset();
    if (stopping_.wait_for(lock, wait, [this] { return stopped_; })) return;
    wait = std::min(wait * 2, std::chrono::milliseconds{5000});
  }
}

} // namespace romancy
