// What the tables are given comes back as it was, byte for byte and to the microsecond.
#include <cstdlib>

#include "storage/outbox_reader.hpp"
#include "storage/timestamp.hpp"
#include "tests/storage/storage_fixture.hpp"

namespace romancy::testing {
namespace {

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

class StoredText : public with_tables {
protected:
  /// Names an instance, a step and an event like that, and puts `data` wherever there is room for it.
  void expect_kept(const std::string& name, const std::string& data) {
    auto sent = event(name);
    sent.type = sent.source = sent.instance_id = sent.activity_id = name;
    sent.data = sent.attributes = data;
    auto started = instance(name);
    started.input = data;
    auto finished = started;
    finished.fence = 1;
    finished.status = instance_status::failed;
    finished.output = finished.error = data;
    commit([&] {
      all->outbox.insert(sent);
      ASSERT_TRUE(all->instances.insert(started, "me", now));
      ASSERT_TRUE(all->history.insert(name, {name, 1, "ActivityCompleted", data, 1}, "me", 1, now));
      all->compensations.insert(name, {.activity_id = name, .activity_name = "a", .arguments = data}, now);
      ASSERT_TRUE(all->instances.finish(finished, "me", now));
    });
    db->begin();
    const auto events = all->outbox.claim("me", 9, now);
    ASSERT_EQ(events.size(), 1U);
    for (const auto* text :
         {&events[0].id, &events[0].type, &events[0].source, &events[0].instance_id, &events[0].activity_id})
      EXPECT_TRUE(*text == name);
    EXPECT_TRUE(events[0].data == data);
    EXPECT_TRUE(events[0].attributes == data);
    EXPECT_TRUE(all->outbox.mark("me", {name, outbox_status::invalid, true, data, {}}, now));
    EXPECT_TRUE(outbox_reader{*db}.list({.event_id = name}).at(0).last_error == data);
    const auto found = all->instances.find(name);
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->input == data);
    EXPECT_TRUE(found->output == data);
    EXPECT_TRUE(found->error == data);
    const auto history = all->history.load(name);
    ASSERT_EQ(history.size(), 1U);
    EXPECT_TRUE(history[0].activity_id == name);
    EXPECT_TRUE(history[0].data == data);
    const auto compensations = all->compensations.remaining(name);
    ASSERT_EQ(compensations.size(), 1U);
    EXPECT_TRUE(compensations[0].arguments == data);
    db->commit();
  }
};

TEST_P(StoredText, MayBeAMegabyte) { expect_kept("big", '"' + std::string(1 << 20, 'x') + '"'); }
TEST_P(StoredText, MayBeAMegabyteOfCharactersOfFourBytes) { expect_kept("big", repeated("😀", 1 << 18)); }
TEST_P(StoredText, MayHaveCharactersOfFourBytesInNames) {
  expect_kept("bestellung-😀-𝔘", "{\"a\":\"👩‍👩‍👧‍👦 ü 漢\"}");
}
TEST_P(StoredText, MayHaveNamesOf255CharactersOfFourBytes) { expect_kept(repeated("😀", 255), "{}"); }
TEST_P(StoredText, MayLookLikeSql) {
  expect_kept("it's :a \\ \"b\" `c` $1 ? % _ -- /* ;", "'; DROP TABLE outbox_events; -- \\' :x::y \r\n\t\x01 \\u0000");
}

TEST_P(StoredText, TellsIdsApartByEachByte) {
  const std::vector<std::string> ids{"a", "A", "a ", " a", "á",   "à", "a\u0301", "ä", "ae",
                                     "æ", "ß", "ss", "ａ", "a\t", "ı", "i",       "I"};
  commit([&] {
    for (const auto& id : ids) {
      all->outbox.insert(event(id));
      EXPECT_TRUE(all->instances.insert(instance(id), "me", now)) << id;
      EXPECT_TRUE(all->history.insert(id, {id, 1, "ActivityCompleted", id, 1}, "me", 1, now)) << id;
      EXPECT_TRUE(all->history.insert("a", {id + "x", 1, "ActivityCompleted", id, 1}, "me", 1, now)) << id;
    }
  });
  db->begin();
  outbox_reader reader{*db};
  for (const auto& id : ids) {
    EXPECT_EQ(reader.list({.event_id = id}).size(), 1U) << id;
    EXPECT_EQ(all->instances.find(id)->instance_id, id);
    EXPECT_EQ(all->history.load(id).size(), id == "a" ? 1 + ids.size() : 1U) << id;
  }
  EXPECT_EQ(all->outbox.claim("me", 99, now).size(), ids.size());
  EXPECT_TRUE(all->outbox.mark("me", {"A", outbox_status::published, false, "", {}}, now));
  EXPECT_EQ(reader.list({.event_id = "a"}).at(0).status, outbox_status::pending);
  EXPECT_FALSE(all->outbox.mark("ME", {"a", outbox_status::published, false, "", {}}, now));
  EXPECT_FALSE(all->outbox.mark("me ", {"a", outbox_status::published, false, "", {}}, now));
  EXPECT_EQ(all->instances.claim("you", {"W"}, 9, now).size(), 0U);
  db->commit();
}

TEST_P(StoredText, WithANulByteIsKeptWholeOrRefused) {
  using namespace std::string_literals;
  if (!is(database_url::backend::postgresql)) return expect_kept("nul", "a\0b"s);
  const auto why = [&](auto write) {
    db->begin();
    auto text = refusal<storage_failure>(write);
    db->roll_back();
    return text;
  };
  commit([&] { all->instances.insert(instance("I"), "me", now); });
  auto sent = event("E");
  sent.data = "a\0b"s;
  auto started = instance("a\0b"s);
  auto finished = instance("I");
  finished.error = "a\0b"s;
  EXPECT_EQ(why([&] { all->outbox.insert(sent); }),
            "cannot write the outbox: it has text with a NUL byte, which this database cannot store: encode it, or send "
            "bytes");
  EXPECT_NE(why([&] { all->instances.insert(started, "me", now); }).find("NUL byte"), std::string::npos);
  EXPECT_NE(why([&] { all->instances.finish(finished, "me", now); }).find("NUL byte"), std::string::npos);
  EXPECT_NE(why([&] {
              all->history.insert("I", {"a:1", 1, "ActivityFailed", "a\0b"s, 1}, "me", 1, now);
            }).find("NUL byte"),
            std::string::npos);
  EXPECT_NE(why([&] {
              all->compensations.insert("I", {.activity_id = "a:1", .activity_name = "a", .arguments = "a\0b"s}, now);
            }).find("NUL byte"),
            std::string::npos);
  EXPECT_NE(why([&] { all->instances.request_cancel({"I", "a\0b"s}); }).find("NUL byte"), std::string::npos);
}

TEST_P(StoredText, ThatIsNotUtf8IsKeptWholeOrRefused) {
  if (is(database_url::backend::sqlite3)) return expect_kept("bad", "a\xff");
  db->begin();
  auto sent = event("E");
  sent.data = "a\xff";
  EXPECT_EQ(kind_of_failure([&] { all->outbox.insert(sent); }), failure_kind::other);
  db->roll_back();
}

TEST_P(StoredText, OfTimesIsUtcToTheMicrosecondWhateverTheEnvironmentSays) {
  const std::vector<time_point> times{now + 1us, now + 999999us,
                                      time_point{std::chrono::sys_days{std::chrono::year{2026} / 3 / 29}} + 2h + 30min,
                                      time_point{std::chrono::sys_days{std::chrono::year{2026} / 3 / 8}} + 2h + 30min,
                                      time_point{std::chrono::sys_days{std::chrono::year{2039} / 12 / 31}}};
  for (const auto* variable : {"TZ", "PGTZ"}) ::setenv(variable, "Asia/Kolkata", 1);
  ::setenv("PGDATESTYLE", "German", 1);
  ::tzset();
  {
    const auto there = open();
    tables elsewhere{*there};
    there->begin();
    int number = 0;
    for (const auto time : times) {
      auto sent = event("E-" + std::to_string(++number));
      sent.created_at = time;
      elsewhere.outbox.insert(sent);
    }
    elsewhere.instances.insert(instance("I"), "me", times[0]);
    there->commit();
  }
  for (const auto* variable : {"TZ", "PGTZ", "PGDATESTYLE"}) ::unsetenv(variable);
  ::tzset();
  db->begin();
  const auto events = outbox_reader{*db}.list({});
  ASSERT_EQ(events.size(), times.size());
  for (std::size_t i = 0; i < times.size(); ++i) EXPECT_EQ(to_text(events[i].created_at), to_text(times[i]));
  EXPECT_EQ(all->instances.find("I")->started_at, times[0]);
  EXPECT_EQ(all->outbox.claim("me", 9, times[0]).size(), 1U);
  EXPECT_EQ(all->outbox.claim("me", 9, times[1] - 1us).size(), 0U);
  EXPECT_EQ(all->outbox.claim("me", 9, times[1]).size(), 1U);
  db->commit();
}

TEST_P(StoredText, HasTheTimeOfTheDatabaseInUtc) {
  const auto ours = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  EXPECT_LT(std::chrono::abs(db->now(ours) - ours), 1min);
}

ROMANCY_ON_EVERY_DATABASE(StoredText);

} // namespace
} // namespace romancy::testing
