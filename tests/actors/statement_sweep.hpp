#pragma once

#include <filesystem>
#include <iostream>
#include <set>

#include "storage/storage_failure.hpp"
#include "tests/actors/waiting_steps.hpp"

namespace romancy::testing {

/// What the world outside does, and what is to come of it.
struct scenario {
  struct phase {
    std::function<void(simulation&)> ask;  ///< may be asked again, by a caller that heard nothing
    std::function<bool(simulation&)> done; ///< then the next one begins
  };
  app_options options{};
  std::vector<phase> phases{};
  std::function<void(simulation&)> prepare{}; ///< before anybody is there
  names end{};                                ///< see `rows_of`
};

/// What is in the database, a line for a row, sorted.
inline names rows_of(simulation& app) {
  names all;
  const auto add = [&](const std::string& what, const std::string& sql) {
    std::string a, b, c;
    soci::statement select = (app.db().session().prepare << sql, soci::into(a), soci::into(b), soci::into(c));
    for (bool more = select.execute(true); more; more = select.fetch())
      all.push_back(what + ' ' + a + ' ' + b + (c.empty() ? "" : ' ' + c));
  };
  add("instance", "SELECT instance_id, status, coalesce(output_data, error) FROM workflow_instances");
  add("history", "SELECT instance_id, activity_id, event_type FROM workflow_history");
  add("archived", "SELECT instance_id, activity_id, event_type FROM workflow_history_archive");
  add("event", "SELECT instance_id, event_type, status FROM outbox_events");
  add("inbox", "SELECT event_source, event_id, event_type FROM inbox_events");
  add("wrote", "SELECT text, '', '' FROM rows_written");
  add("waits", "SELECT instance_id, activity_id, channel FROM workflow_waits");
  add("subscribes", "SELECT instance_id, channel, '' FROM channel_subscriptions");
  add("message", "SELECT coalesce(instance_id, 'anyone'), channel, message FROM channel_messages");
  add("member", "SELECT group_name, instance_id, '' FROM workflow_groups");
  for (auto& line : all) line.erase(line.find_last_not_of(' ') + 1);
  std::sort(all.begin(), all.end());
  return all;
}

class StatementSweep : public workflow_fixture<> {
protected:
  using world_ptr = std::unique_ptr<simulation>;
  using maker = std::function<world_ptr(const std::string& url, std::chrono::milliseconds begins_at)>;

  template <const auto&... Workflows> void sweep(const scenario& all) {
    const maker make = [&](const std::string& at, std::chrono::milliseconds begins_at) {
      return std::make_unique<world<Workflows...>>(at, book, all.options, begins_at);
    };
    const bool server = !is(database_url::backend::sqlite3);
    const int deaths = server ? die_on_a_server(all, make) : die_on_sqlite3(all, make);
    if (HasFatalFailure()) return;
    EXPECT_GT(deaths, server ? 10 : 60);
    std::cout << deaths << (server ? " commits" : " statements") << ", dead before each of them\n";
    for (const bool done : {true, false}) {
      if (!server) break;
      const int commits = doubt(all, make, done);
      if (HasFatalFailure()) return;
      EXPECT_GT(commits, 10);
      if (done) std::cout << commits << " commits, each of them in doubt\n";
    }
  }

private:
  static constexpr auto lease = 10s; ///< so long nobody is there

  /// Until all phases are through, or the process is dead.
  void run(simulation& app, const scenario& all, int k) {
    app.broker = [this](int, const http_request& request) {
      delivered_.insert(nlohmann::json::parse(request.body).at("id").get<std::string>());
      return http_response{202, ""};
    };
    app.start_relayer({.enabled = true, .broker_url = "http://broker/"});
    const auto published = [&] {
      return app.count("SELECT count(*) FROM outbox_events WHERE status <> 'published'") == 0;
    };
    for (const auto& phase : all.phases) {
      if (app.dead) return;
      phase.ask(app);
      const bool last = &phase == &all.phases.back();
      const bool done = app.settles([&] { return phase.done(app) && (!last || published()); }, 2000);
      ASSERT_TRUE(done || app.dead) << "k = " << k << ", at " << app.now().count() << " ms";
    }
  }
  void check(simulation& app, const scenario& all, int k) {
    ASSERT_EQ(rows_of(app), all.end) << "k = " << k;
    std::set<std::string> sent;
    std::string id;
    soci::statement select = (app.db().session().prepare << "SELECT event_id FROM outbox_events WHERE event_source <> "
                                                            "'before'",
                              soci::into(id));
    for (bool more = select.execute(true); more; more = select.fetch()) sent.insert(id);
    ASSERT_EQ(delivered_, sent) << "k = " << k;
  }
  void go_on(const std::string& at, const scenario& all, const maker& make, std::chrono::milliseconds when, int k) {
    const auto app = make(at, when + lease);
    run(*app, all, k);
    if (!HasFatalFailure()) check(*app, all, k);
  }

  /// The first process lives once. What is on the disk before each of its statements is what a dead one would have left.
  int die_on_sqlite3(const scenario& all, const maker& make) {
    struct death {
      std::chrono::milliseconds when;
      std::set<std::string> delivered;
    };
    const temporary_directory graves;
    std::vector<death> deaths;
    const auto copy = [](const std::string& from, const std::string& to) {
      for (const auto* part : {"", "-wal"})
        if (std::filesystem::exists(from + part)) std::filesystem::copy_file(from + part, to + part);
    };
    const auto grave = [&](std::size_t k) { return graves.file(std::to_string(k)); };
    {
      const auto app = make(url.path, 0ms);
      if (all.prepare) all.prepare(*app);
      app->on_statement = [&](database&, std::string_view) {
        deaths.push_back({app->now(), delivered_});
        copy(url.path, grave(deaths.size()));
      };
      run(*app, all, 0);
      app->on_statement = nullptr;
      if (!HasFatalFailure()) check(*app, all, 0);
    }
    for (std::size_t k = 1; k <= deaths.size() && !HasFatalFailure(); ++k) {
      delivered_ = deaths[k - 1].delivered;
      go_on("sqlite3://" + grave(k), all, make, deaths[k - 1].when, static_cast<int>(k));
      for (const auto* part : {"", "-wal", "-shm"}) std::filesystem::remove(grave(k) + part);
    }
    return static_cast<int>(deaths.size());
  }

  /// A process at the beginning of everything.
  world_ptr anew(const scenario& all, const maker& make) {
    auto app = make(file, 0ms);
    for (const auto* table : {"outbox_events", "workflow_instances", "workflow_history", "workflow_compensations",
                              "worker_epochs", "workflow_waits", "channels", "channel_subscriptions", "channel_messages",
                              "inbox_events", "workflow_groups", "workflow_history_archive", "rows_written"})
      app->db().session() << std::string{"DELETE FROM "} + table;
    delivered_.clear();
    if (all.prepare) all.prepare(*app);
    return app;
  }

  /// Whatever statement of a transaction is the last one, the server undoes all of it: so a death before each COMMIT,
  /// which is one after the COMMIT before it as well, stands for those before all statements in between.
  int die_on_a_server(const scenario& all, const maker& make) {
    for (int k = 1;; ++k) {
      std::chrono::milliseconds when{};
      {
        const auto app = anew(all, make);
        int commits = 0;
        app->on_statement = [&](database&, std::string_view sql) {
          if (!app->dead && (sql != "COMMIT" || ++commits < k)) return;
          app->dead = true;
          throw storage_failure{failure_kind::unavailable, "dead"}; // whatever it says: nobody hears it
        };
        run(*app, all, k);
        when = app->now();
        if (!app->dead) {
          app->on_statement = nullptr;
          if (!HasFatalFailure()) check(*app, all, k);
          return k - 1;
        }
      }
      go_on(file, all, make, when, k);
      if (HasFatalFailure()) return k;
    }
  }

  /// The answer to each COMMIT in its turn is lost, which was done or not; the process goes on.
  int doubt(const scenario& all, const maker& make, bool done) {
    for (int n = 1;; ++n) {
      const auto app = anew(all, make);
      int commits = 0;
      app->on_statement = [&](database& db, std::string_view sql) {
        if (sql != "COMMIT" || ++commits != n) return;
        if (done) db.session() << "COMMIT ";
        throw storage_failure{failure_kind::unavailable, "the answer is lost"};
      };
      run(*app, all, n);
      app->on_statement = nullptr;
      if (!HasFatalFailure()) check(*app, all, n);
      if (HasFatalFailure() || commits < n) return n - 1;
    }
  }

  std::set<std::string> delivered_;
};

} // namespace romancy::testing
