#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <spdlog/sinks/sink.h>

#include <romancy/detail/ports.hpp>
#include <romancy/testing/attempt.hpp>
#include <romancy/testing/broker.hpp>
#include <romancy/testing/crash_point.hpp>
#include <romancy/testing/scenario_options.hpp>
#include <romancy/testing/scenario_stuck.hpp>

#include "actors/answer_slot.hpp"
#include "storage/database.hpp"
#include "testing/simulation.hpp"
#include "testing/temporary_directory.hpp"

namespace romancy::testing {

/// The apps of a scenario, each a simulation that can be killed, and what they share: a database, a time, a broker. What
/// stands behind scenario, and behind the handles that it gives out.
class scenario_world final : public detail::runtime, public std::enable_shared_from_this<scenario_world> {
public:
  scenario_world(scenario_options options, detail::definition_table definitions, detail::dependency_set dependencies);
  ~scenario_world() override;

  std::chrono::milliseconds now() const { return std::chrono::duration_cast<std::chrono::milliseconds>(time_); }
  void run_until_idle();
  void run_until(const std::function<bool()>& done);
  void advance(std::chrono::nanoseconds time);

  void crash(int node);
  void crash_at(crash_point where, int node);
  void restart(int node);
  bool is_running(int node) const { return at(node).app != nullptr; }
  void fail_attempt(const std::string& activity, int number, const std::string& why);
  void stall_attempt(const std::string& activity, int number, std::chrono::milliseconds time);
  void set_database_away(bool away);
  void set_cut(int node, bool cut);

  std::vector<std::string> history(const std::string& id);
  std::vector<std::string> outbox();
  void execute(const std::string& sql);
  std::vector<std::string> rows(const std::string& sql);
  std::vector<std::string> messages() const;
  std::string timeline() const;
  instance_record find(const std::string& id);

  testing::broker broker;
  std::vector<attempt> attempts;
  std::vector<std::string> log_lines;

  // What handles ask for: the world goes on until the answer is there.
  std::string start(std::string_view workflow, nlohmann::json inputs, std::optional<romancy::instance_id> id,
                    std::optional<std::chrono::microseconds> time_limit) override;
  nlohmann::json result(const std::string& id, std::optional<std::chrono::milliseconds> timeout) override;
  instance_status status(const std::string& id) override { return find(id).status; }
  void expect(const std::string& id, std::string_view workflow) override;
  bool cancel(const std::string& id, const std::string& reason, const std::string& author) override;
  std::string fork(const std::string& id, const std::string& from_step,
                   const std::optional<romancy::instance_id>& new_id) override;
  int receive(const std::vector<received_event>& events) override;
  std::optional<nlohmann::json> describe(const std::string& id) override;
  std::uint16_t listen(http_options options) override;
  romancy::storage storage() override;
  romancy::health health() const override;
  void shut_down() override {}

private:
  class log_sink;
  class watcher;
  struct app_node {
    int index = 0;
    int lives = 0;
    std::unique_ptr<simulation> app; ///< null: dead
    bool cut = false;
    bool doomed = false; ///< dies at its next statement, or when its message is done
    bool dying = false;  ///< nothing of it reaches the world any more
    std::optional<crash_point> point;
    std::size_t attempt = 0; ///< that runs
  };
  struct script {
    std::string why;
    std::chrono::milliseconds stall{};
  };
  struct seen_message {
    std::chrono::nanoseconds at;
    int node;
    const char* to;
    std::string what;
  };

  app_node& at(int index);
  const app_node& at(int index) const;
  app_node& living();
  void start_app(app_node& one);
  void kill(app_node& one, const std::string& why);
  bool reaches(app_node& one, crash_point::kind where, std::string_view what);
  void before_statement(app_node& one, std::string_view sql);
  broker_answer answer(app_node& one, const http_request& request);

  bool step();
  void run_message(app_node& one);
  void jump_to(std::chrono::nanoseconds time);
  bool go_on(std::optional<std::chrono::nanoseconds> limit);
  bool is_at_rest();
  std::optional<std::chrono::nanoseconds> next_work();
  [[noreturn]] void stuck(const std::string& waits_for);
  void say(const std::string& line);
  template <class Answer, class Request>
  std::optional<Answer> ask(const std::shared_ptr<answer_slot<Answer>>& slot, const Request& request);
  std::optional<std::chrono::nanoseconds> time_of(const std::string& sql);
  long long count(const std::string& sql);

  scenario_options options_;
  detail::definition_table definitions_;
  detail::dependency_set dependencies_;
  temporary_directory directory_;
  std::string file_;
  std::string served_; ///< names of workflows, as SQL
  std::shared_ptr<spdlog::sinks::sink> sink_;
  std::vector<spdlog::sink_ptr> sinks_before_;
  std::unique_ptr<database> db_; ///< the test's own
  std::vector<app_node> nodes_;
  std::size_t turn_ = 0;
  std::chrono::nanoseconds time_{0};
  bool database_away_ = false;
  std::map<std::pair<std::string, int>, script> scripts_; ///< by activity and number
  std::vector<seen_message> messages_;
  std::vector<std::string> timeline_;
};

} // namespace romancy::testing
