#include "runtime/handler_pool.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace romancy {

struct handler_pool::state {
  explicit state(int most) : max_threads{most} {}

  void work() {
    std::unique_lock lock{mutex};
    for (;;) {
      ++idle;
      changed.wait(lock, [&] { return stopped || !jobs.empty(); });
      --idle;
      if (jobs.empty()) break;
      {
        const auto job = std::move(jobs.front());
        jobs.pop_front();
        ++busy;
        lock.unlock();
        job();
      } // what the job holds is gone before the lock is taken
      lock.lock();
      --busy;
      ended.notify_all();
    }
  }

  const int max_threads;
  std::mutex mutex;
  std::condition_variable changed;
  std::condition_variable ended;
  std::deque<std::function<void()>> jobs;
  std::vector<std::thread> threads;
  int idle = 0;
  int busy = 0;
  bool stopped = false;
};

handler_pool::handler_pool(int max_threads) : state_{std::make_shared<state>(max_threads)} {}

handler_pool::~handler_pool() { stop(std::chrono::milliseconds{0}); }

void handler_pool::post(std::function<void()> job) {
  const std::lock_guard lock{state_->mutex};
  if (state_->stopped) return;
  state_->jobs.push_back(std::move(job));
  if (static_cast<std::size_t>(state_->idle) < state_->jobs.size() &&
      static_cast<int>(state_->threads.size()) < state_->max_threads) {
    try {
      state_->threads.emplace_back([own = state_] { own->work(); });
    } catch (const std::system_error&) {
      if (state_->threads.empty()) { // else one of those takes it
        state_->jobs.pop_back();
        throw;
      }
    }
  }
  state_->changed.notify_one();
}

int handler_pool::stop(std::chrono::milliseconds patience) noexcept {
  std::vector<std::thread> threads;
  std::deque<std::function<void()>> dropped;
  std::unique_lock lock{state_->mutex};
  state_->stopped = true;
  dropped.swap(state_->jobs);
  threads.swap(state_->threads);
  state_->changed.notify_all();
  state_->ended.wait_for(lock, patience, [&] { return state_->busy == 0; });
  const int left = state_->busy;
  lock.unlock();
  for (auto& thread : threads) {
    if (left == 0)
      thread.join();
    else
      thread.detach(); // those that are done end by themselves; they share the state
  }
  return left;
}

} // namespace romancy
