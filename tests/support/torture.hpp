#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <iosfwd>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "cli/event_sink.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/database_view.hpp"
#include "tests/support/order_audit.hpp"

namespace romancy::testing {

struct torture_options {
  std::string database;  ///< a URL
  std::string directory; ///< where the processes' output goes
  std::uint64_t seed = 0;
  int workers = 3;
  int relays = 2;
  int orders = 150;                       ///< a round
  std::function<void()> restart_server{}; ///< kills it and starts it again; empty: it is left alone
};

/// `ecommerce` and `romancy relay`, several of each on one database, with a broker that answers as it likes, to which bad
/// things happen. What is killed is started again at once. Orders come in rounds: the next begins, and the last is
/// checked, when all workers have said that it is complete.
class torture {
public:
  enum class blow {
    kill_worker,
    kill_relay,
    stop_process,    ///< by SIGSTOP, and lets it go on after more than its lease
    end_connections, ///< of all processes, some or all; not on SQLite
    restart_server,  ///< only where options say how
  };
  static constexpr auto lease = std::chrono::milliseconds{1000};

  /// What happens is written to `journal`.
  torture(torture_options options, std::ostream& journal);
  ~torture();

  /// Lets work go on for a moment, until something has happened, and strikes.
  void suffer(blow what);
  blow random_blow();
  /// Lets what is begun end in peace.
  void finish();

  /// What is wrong, a sentence each.
  const std::vector<std::string>& faults() const noexcept { return faults_; }
  /// What the processes said last, when something is wrong.
  std::string last_words() const;
  /// In one line.
  std::string summary() const;

private:
  struct member {
    std::string name;
    bool worker;
    std::optional<child_process> process{}; ///< absent: a worker that has ended its round
    std::optional<std::chrono::steady_clock::time_point> goes_on_at{};
  };

  order_round& round() { return rounds_.back(); }
  void start(member& one);
  void begin_round();
  void work_for(std::size_t events, std::chrono::milliseconds at_most);
  void tend();
  bool look_after(member& one);
  member* any(bool worker);
  void kill(bool worker);
  void stop();
  void check(const std::function<std::vector<std::string>(const order_audit&)>& audit);
  std::size_t received();

  torture_options options_;
  std::ostream& journal_;
  std::mt19937_64 random_;
  database_view outside_;
  std::vector<order_round> rounds_;
  bool rounds_end_ = false;
  std::vector<std::string> faults_;
  int kills_ = 0, stops_ = 0, ended_connections_ = 0, server_restarts_ = 0;

  std::mutex mutex_; ///< of the next two
  std::condition_variable arrived_;
  order_audit audit_;
  std::unique_ptr<cli::event_sink> broker_;
  std::vector<member> members_; ///< after the broker: they end first
};

} // namespace romancy::testing
