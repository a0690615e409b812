#include "storage/migrations.hpp"

#include <algorithm>
#include <atomic>
#include <latch>
#include <thread>

#include <romancy/error.hpp>

#include "tests/storage/storage_fixture.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/database_file.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/version_1.hpp"

namespace romancy::testing {
namespace {

class Migrations : public connected {
protected:
  /// Applies what is missing over `connections` at once; returns how many steps each has applied, added up.
  std::size_t applied_by(int connections) {
    std::atomic<std::size_t> applied{0};
    std::latch ready{connections};
    std::vector<std::jthread> starters;
    for (int i = 0; i < connections; ++i)
      starters.emplace_back([&] {
        const auto db = open({.busy_timeout = 1min});
        ready.arrive_and_wait();
        applied += migrations::apply(*db).size();
      });
    starters.clear();
    return applied;
  }
  std::size_t count_of_all(database& db) const { return migrations::all(db.dialect()).size(); }
  void from_the_future(database& db) {
    db.begin();
    db.session() << "INSERT INTO romancy_schema (version, name) VALUES (9999, 'tomorrow')";
    db.commit();
  }
  /// Columns and indexes of Romancy's tables, as the database tells of them.
  std::vector<std::string> schema(database& db) const {
    if (is(database_url::backend::sqlite3))
      return texts(db,
                   "SELECT name || ': ' || sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND "
                   "name NOT IN ('romancy_schema', 'orders') ORDER BY name");
    if (is(database_url::backend::postgresql)) {
      auto all = texts(db,
                       "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || "
                       "coalesce(column_default, '') FROM information_schema.columns WHERE table_schema = "
                       "current_schema() AND table_name <> 'orders' ORDER BY 1");
      for (auto& index : texts(db, "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() ORDER BY 1"))
        all.push_back(std::move(index));
      return all;
    }
    auto all = texts(db,
                     "SELECT concat(table_name, '.', column_name, ' ', column_type, ' ', is_nullable, ' ', "
                     "coalesce(column_default, '')) FROM information_schema.columns WHERE table_schema = database() "
                     "AND table_name <> 'orders' ORDER BY 1");
    for (auto& index : texts(db,
                             "SELECT concat(table_name, '.', index_name, ' ', seq_in_index, ' ', column_name) FROM "
                             "information_schema.statistics WHERE table_schema = database() ORDER BY 1"))
      all.push_back(std::move(index));
    return all;
  }
};

TEST_P(Migrations, HaveTheSameNumbersAndNamesOnEveryDatabase) {
  const auto db = open();
  const auto& of_sqlite3 = migrations::all(sqlite3_dialect);
  ASSERT_EQ(migrations::all(db->dialect()).size(), of_sqlite3.size());
  for (std::size_t i = 0; i < of_sqlite3.size(); ++i) {
    EXPECT_EQ(migrations::all(db->dialect())[i].version, static_cast<int>(i) + 1);
    EXPECT_EQ(std::string{migrations::all(db->dialect())[i].name}, of_sqlite3[i].name);
  }
}

TEST_P(Migrations, AreAppliedOnceAndInOrder) {
  const auto db = open();
  EXPECT_EQ(migrations::current(*db), 0);
  EXPECT_EQ(migrations::pending(*db).size(), count_of_all(*db));
  EXPECT_EQ(migrations::apply(*db).front(), "0001_initial");
  EXPECT_EQ(migrations::current(*db), migrations::newest());
  EXPECT_TRUE(migrations::pending(*db).empty());
  EXPECT_TRUE(migrations::apply(*db).empty());
  EXPECT_FALSE(db->in_transaction());
  EXPECT_EQ(texts(*db, "SELECT name FROM romancy_schema ORDER BY version").size(), count_of_all(*db));
}

TEST_P(Migrations, AreAppliedOnceWhenManyStartAtTheSameTime) {
  EXPECT_EQ(applied_by(10), count_of_all(*open()));
  EXPECT_EQ(texts(*open(), "SELECT name FROM romancy_schema").size(), count_of_all(*open()));
}

TEST_P(Migrations, AreAppliedOnceToVersion1WhenManyStartAtTheSameTime) {
  make_version_1_with_orders(*open());
  EXPECT_EQ(applied_by(10), count_of_all(*open()) - 1);
  EXPECT_EQ(number(*open(), "SELECT count(*) FROM workflow_instances"), 3);
}

TEST_P(Migrations, AreAppliedOnceByManyProcesses) {
  temporary_directory directory;
  std::vector<child_process> processes;
  for (int i = 0; i < 10; ++i)
    processes.emplace_back(std::vector<std::string>{romancy_program, "migrate", "--database", fresh.url(), "--json"},
                           directory.file(std::to_string(i)));
  int with_steps = 0;
  for (auto& process : processes) {
    EXPECT_EQ(process.wait(), 0) << process.output();
    with_steps += process.output().find("0001_initial") != std::string::npos;
  }
  EXPECT_EQ(with_steps, 1);
}

TEST_P(Migrations, RefuseASchemaThatIsNewerThanTheCode) {
  const auto db = open();
  migrations::apply(*db);
  from_the_future(*db);
  for (const auto& look : {+[](database& on) { static_cast<void>(migrations::apply(on)); },
                           +[](database& on) { static_cast<void>(migrations::pending(on)); }, &migrations::check}) {
    const auto why = refusal<startup_error>([&] { look(*db); });
    EXPECT_NE(why.find("schema version 9999"), std::string::npos) << why;
    EXPECT_NE(why.find("newer version of the program"), std::string::npos) << why;
  }
}

TEST_P(Migrations, AreCheckedWithoutBeingApplied) {
  const auto db = open();
  const auto why = [&] { return refusal<startup_error>([&] { migrations::check(*db); }); };
  EXPECT_NE(why().find("no tables of Romancy yet: make them with romancy migrate"), std::string::npos) << why();
  EXPECT_EQ(migrations::current(*db), 0);
  make_version_1(*db);
  EXPECT_EQ(why(), "its schema has version 1, this program reads version " + std::to_string(migrations::newest()) +
                       ": bring it up to date with romancy migrate");
  EXPECT_EQ(migrations::current(*db), 1);
  migrations::apply(*db);
  EXPECT_EQ(why(), "");
}

TEST_P(Migrations, AreLookedForWithoutHoldingUpOthers) {
  const auto idle = open();
  make_version_1(*idle);
  EXPECT_EQ(migrations::current(*idle), 1);
  EXPECT_FALSE(idle->in_transaction());
  EXPECT_EQ(migrations::apply(*open()).size(), count_of_all(*idle) - 1); // would wait for a lock on its tables
}

TEST_P(Migrations, KeepTheRowsOfVersion1) {
  database_file db{fresh.url()};
  make_version_1_with_orders(db.db());
  const auto version_1 = selects(db);
  const auto before = rows(db, version_1);
  ASSERT_GE(before.size(), 15U);
  db.db().roll_back();
  const auto applied = migrations::apply(db.db());
  EXPECT_EQ(applied.size(), count_of_all(db.db()) - 1);
  EXPECT_EQ(applied.front(), "0002_cancel_and_resume");
  EXPECT_EQ(rows(db, after_version_1(version_1)), before);

  const test_database new_one{GetParam()};
  const auto of_new = database::open(database_url::parse(new_one.url()), {}, 10s);
  migrations::apply(*of_new);
  EXPECT_EQ(schema(db.db()), schema(*of_new));
  db.db().roll_back();

  tables all{db.db()};
  db.db().begin();
  const auto of_dead = all.epochs.remove_dead("me", time_point{std::chrono::sys_days{std::chrono::year{2026} / 2 / 1}});
  ASSERT_EQ(of_dead, std::vector<std::string>{"dead"});
  all.instances.release("dead");
  const auto claimed =
      all.instances.claim("me", {"process_order"}, 9, std::chrono::sys_days{std::chrono::year{2026} / 2 / 1});
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].instance_id, "P-1");
  EXPECT_EQ(claimed[0].fence, 2);
  EXPECT_EQ(claimed[0].cancel_reason, "");
  EXPECT_EQ(all.history.load("P-1").size(), 1U);
  EXPECT_EQ(all.compensations.remaining("P-3").size(), 1U);
  db.db().commit();
}

TEST_P(Migrations, LetWhatVersion1HasParkedGoOnOrBeUndone) {
  const auto db = open();
  make_version_1_with_orders(*db);
  db->begin();
  db->session() << "UPDATE workflow_instances SET status = 'parked', error = 'history disagrees', owner_epoch = NULL "
                   "WHERE instance_id = 'P-1'";
  db->commit();
  migrations::apply(*db);
  instance_table instances{*db};
  db->begin();
  EXPECT_EQ(instances.find("P-1")->error, "history disagrees");
  EXPECT_EQ(instances.resume("P-1", ""), 1);
  EXPECT_EQ(instances.find("P-1")->status, instance_status::running);
  EXPECT_EQ(instances.find("P-1")->error, ""); // nothing keeps it from completing any more
  EXPECT_TRUE(instances.request_cancel({"P-3", "an operator"}));
  EXPECT_EQ(instances.find("P-3")->status, instance_status::compensating);
  EXPECT_EQ(instances.find("P-3")->cancel_reason, "an operator");
  db->commit();
}

TEST_P(Migrations, LeaveTheVersionAsItWasWhenOneFailsAndAreAppliedOnceMore) {
  database_file file{fresh.url()};
  auto& db = file.db();
  make_version_1_with_orders(db);
  // Of the next version, too; MySQL's takes what is there already.
  const bool mysql = is(database_url::backend::mysql);
  db.session() << (mysql ? "ALTER TABLE workflow_instances RENAME TO elsewhere"
                         : "CREATE INDEX idx_instances_cancel ON workflow_instances(error)");
  const auto before = selects(file);
  const auto why = refusal<storage_failure>([&] { static_cast<void>(migrations::apply(db)); });
  EXPECT_NE(why.find(mysql ? "workflow_instances" : "idx_instances_cancel"), std::string::npos) << why;
  EXPECT_FALSE(db.in_transaction());
  EXPECT_EQ(migrations::current(db), 1);
  EXPECT_EQ(selects(file), before);
  db.session() << (mysql ? "ALTER TABLE elsewhere RENAME TO workflow_instances" : "DROP INDEX idx_instances_cancel");
  EXPECT_EQ(migrations::apply(*open()).size(), count_of_all(db) - 1); // the lock is free
}

TEST_P(Migrations, GoOnWhereAKilledProcessHasLeftThemHalfApplied) {
  if (!is(database_url::backend::mysql)) return; // on the others a step is all or nothing
  const auto db = open();
  // Each statement of each step is the last one of a process.
  const auto& steps = migrations::all(db->dialect());
  auto left = steps.size() + 1;
  for (const auto& step : steps) {
    --left;
    const auto statements = migrations::statements(step.sql);
    for (std::size_t done = 1; done <= statements.size(); ++done) {
      for (const auto& table :
           texts(*db, "SELECT table_name FROM information_schema.tables WHERE table_schema = database()"))
        db->session() << "DROP TABLE " + table;
      if (step.version > 1) make_version_1_with_orders(*db);
      for (const auto& before : steps)
        if (before.version > 1 && before.version < step.version)
          run_all(db->session(), before.sql + migrations::record(before));
      for (std::size_t i = 0; i < done; ++i) db->session() << statements[i];
      if (db->in_transaction()) db->commit();
      EXPECT_EQ(migrations::apply(*db).size(), left) << step.name << " after statement " << done;
      EXPECT_EQ(migrations::current(*db), migrations::newest());
      if (step.version == 2) {
        EXPECT_EQ(texts(*db,
                        "SELECT concat(park_reason, ' ', parked_from) FROM workflow_instances WHERE error IS NULL "
                        "AND status = 'parked'"),
                  std::vector<std::string>{"history disagrees running"});
        db->roll_back();
      }
    }
  }
}

ROMANCY_ON_EVERY_DATABASE(Migrations);

} // namespace
} // namespace romancy::testing
