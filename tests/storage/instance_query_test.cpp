#include "storage/instance_query.hpp"

#include <nlohmann/json.hpp>

#include <romancy/error.hpp>

#include "storage/timestamp.hpp"
#include "tests/storage/storage_fixture.hpp"

namespace romancy::testing {
namespace {

using enum instance_status;

class InstanceQuery : public with_tables {
protected:
  instance_query query{*db};

  /// Started at `now`.
  void start(const std::string& id, const std::string& workflow = "w", const std::string& input = "[]") {
    auto record = instance(id, workflow);
    record.input = input;
    commit([&] { ASSERT_TRUE(all->instances.insert(record, "me", now)); });
  }
  void finish(const std::string& id, instance_status status, const std::string& output = {}) {
    instance_record finished;
    finished.instance_id = id;
    finished.status = status;
    finished.fence = 1;
    (status == completed ? finished.output : finished.error) = output;
    commit([&] { ASSERT_TRUE(all->instances.finish(finished, "me", now)); });
  }
  /// One a second: "I-00", "I-01", …
  void start_many(int count, const std::string& prefix = "I-") {
    for (int i = 0; i < count; ++i, now += 1s) start(prefix + (i < 10 ? "0" : "") + std::to_string(i));
  }
  instance_query::rows page(const instance_filter& wanted) {
    auto found = query.list(wanted);
    if (db->in_transaction()) db->roll_back(); // MySQL has begun one
    return found;
  }
  static std::string ids_of(const instance_query::rows& found) {
    std::string text;
    for (const auto& row : found.items) text += (text.empty() ? "" : " ") + row.instance.instance_id;
    return text;
  }
  std::string ids(const instance_filter& wanted) { return ids_of(page(wanted)); }
  /// Page after page, with `meanwhile` between them.
  template <class Action> std::string walk(instance_filter wanted, Action meanwhile) {
    std::string text;
    for (int pages = 0; pages < 100; ++pages) {
      const auto found = page(wanted);
      text += (text.empty() ? "" : " | ") + ids_of(found);
      if (!found.more) break;
      wanted.page = found.items.back().page;
      meanwhile();
    }
    return text;
  }
  std::string walk(const instance_filter& wanted) {
    return walk(wanted, [] {});
  }
  std::string why_refused(const instance_filter& wanted) {
    return refusal<query_error>([&] { static_cast<void>(query.list(wanted)); });
  }
};

// -- filters ----------------------------------------------------------------------------------------------------------

TEST_P(InstanceQuery, GivesBackWhatWasStored) {
  now += 123456us;
  start("A", "process_order", R"([{"order_id":"ORD-1"},"ü"])");
  start("B");
  now += 1500ms;
  finish("A", completed, R"({"paid":true})");
  commit([&] { ASSERT_TRUE(all->instances.request_cancel({"B", "out of stock"})); });
  const auto found = page({});
  ASSERT_EQ(ids_of(found), "A B");
  EXPECT_FALSE(found.more);
  const auto& a = found.items[0].instance;
  EXPECT_EQ(a.workflow, "process_order");
  EXPECT_EQ(a.status, completed);
  EXPECT_EQ(a.input, R"([{"order_id":"ORD-1"},"ü"])");
  EXPECT_EQ(a.output, R"({"paid":true})");
  EXPECT_EQ(a.error + a.cancel_reason + a.owner, "");
  EXPECT_EQ(to_text(a.started_at), "2026-01-01 00:00:00.123456");
  EXPECT_EQ(to_text(a.finished_at.value()), "2026-01-01 00:00:01.623456");
  EXPECT_EQ(a.duration(), 1500ms);
  const auto& b = found.items[1].instance;
  EXPECT_EQ(b.status, running);
  EXPECT_EQ(b.cancel_reason, "out of stock");
  EXPECT_EQ(b.owner, "me");
  EXPECT_EQ(b.output + b.error, "");
  EXPECT_FALSE(b.finished_at || b.duration());
}

TEST_P(InstanceQuery, FindsThoseOfAnyOfTheStatusesInOneOrder) {
  start_many(8);
  finish("I-01", completed);
  finish("I-03", failed, "no money");
  finish("I-04", completed);
  finish("I-05", parked, "history disagrees");
  finish("I-06", cancelled, "an operator");
  commit([&] { ASSERT_TRUE(all->instances.begin_compensation("I-07", "me", 1, "no money")); });
  EXPECT_EQ(ids({.statuses = {completed}}), "I-01 I-04");
  EXPECT_EQ(ids({.statuses = {failed, completed}}), "I-01 I-03 I-04");
  EXPECT_EQ(ids({.statuses = {failed, completed, failed}, .order = instance_order::newest_first}), "I-04 I-03 I-01");
  EXPECT_EQ(ids({.statuses = {parked, running, compensating}}), "I-00 I-02 I-05 I-07");
  EXPECT_EQ(ids({.statuses = {running, compensating, completed, failed, cancelled, parked}}), ids({}));
  EXPECT_EQ(walk({.statuses = {completed, failed, cancelled}, .limit = 2}), "I-01 I-03 | I-04 I-06");
  EXPECT_EQ(page({.statuses = {parked}}).items.at(0).instance.error, "history disagrees");
}

TEST_P(InstanceQuery, FindsThoseOfTheWorkflows) {
  start("A", "one");
  start("B", "two");
  start("C", "three");
  EXPECT_EQ(ids({.workflows = {"two"}}), "B");
  EXPECT_EQ(ids({.workflows = {"three", "one"}}), "A C");
  EXPECT_EQ(ids({.workflows = {"ONE", "none"}}), "");
}

TEST_P(InstanceQuery, FindsIdsInWhichNothingIsAWildcard) {
  const std::vector<std::string> all_ids{"a%b",  "a*b", "a?b", "a[b]", "a_b", "a!b",
                                         "a\\b", "axb", "a'b", "A%B",  "aüb", ":a"};
  for (const auto& id : all_ids) {
    start(id);
    now += 1us;
  }
  for (const auto& id : all_ids) {
    EXPECT_EQ(ids({.instance_id = id}), id);
    EXPECT_EQ(ids({.id_prefix = id}), id);
    EXPECT_EQ(ids({.id_contains = id}), id);
  }
  for (const auto* part : {"%b", "*b", "?b", "[b", "_b", "!b", "\\b", "'b", "üb"}) {
    EXPECT_EQ(ids({.id_prefix = std::string{"a"} + part}), ids({.id_contains = part})) << part;
    EXPECT_EQ(page({.id_contains = part}).items.size(), 1U) << part;
    EXPECT_EQ(ids({.id_prefix = part}), "") << part;
  }
  EXPECT_EQ(ids({.id_prefix = "A"}), "A%B");
  EXPECT_EQ(ids({.id_contains = "x"}), "axb");
  EXPECT_EQ(ids({.id_prefix = "a", .id_contains = "%"}), "a%b");
}

TEST_P(InstanceQuery, ReadsTimesToTheMicrosecondFromTheFirstOneOnAndBeforeTheLast) {
  const auto begin = now;
  for (const auto* id : {"A", "B", "C"}) {
    start(id);
    now += 1us;
  }
  finish("B", completed); // at 3 us
  now += 1us;
  finish("A", failed); // at 4 us
  EXPECT_EQ(ids({.started_after = begin + 1us}), "B C");
  EXPECT_EQ(ids({.started_before = begin + 1us}), "A");
  EXPECT_EQ(ids({.started_after = begin + 1us, .started_before = begin + 2us}), "B");
  EXPECT_EQ(ids({.finished_after = begin + 4us}), "A");
  EXPECT_EQ(ids({.finished_before = begin + 4us}), "B");
  EXPECT_EQ(ids({.finished_after = begin}), "A B"); // not what runs
  EXPECT_EQ(ids({.started_after = begin, .finished_before = begin + 5us}), "A B");
}

TEST_P(InstanceQuery, RefusesWhatMakesNoSense) {
  start("A");
  EXPECT_EQ(why_refused({.limit = 0}), "the limit of a page is 0: set it to 1 to 1000");
  EXPECT_NE(why_refused({.limit = 1001}), "");
  EXPECT_EQ(ids({.limit = 1000}), "A");
  EXPECT_NE(why_refused({.input = {{"order_id", 1}}}).find("does not begin with '$'"), std::string::npos);
  EXPECT_EQ(why_refused({.input = {{"$[0].a", nlohmann::json::object()}}}),
            "the input at $[0].\"a\" is compared with an array or object: name a member, and give a string, number, "
            "boolean or null");
  EXPECT_NE(why_refused({.input = {{"$[0]", nlohmann::json::array()}}}), "");
  EXPECT_NE(why_refused({.input = {{"$[0]", "\xff"}}}).find("no UTF-8"), std::string::npos);
  EXPECT_NE(why_refused({.input = {{"$[0]", std::numeric_limits<double>::infinity()}}}), "");
}

// -- pages ------------------------------------------------------------------------------------------------------------

TEST_P(InstanceQuery, ComesInPagesOfBothOrders) {
  start_many(7);
  EXPECT_EQ(walk({.limit = 3}), "I-00 I-01 I-02 | I-03 I-04 I-05 | I-06");
  EXPECT_EQ(walk({.order = instance_order::newest_first, .limit = 3}), "I-06 I-05 I-04 | I-03 I-02 I-01 | I-00");
  EXPECT_EQ(walk({.limit = 7}), "I-00 I-01 I-02 I-03 I-04 I-05 I-06");
  EXPECT_EQ(page({}).items.size(), 7U);
  EXPECT_FALSE(page({.limit = 7}).more);
}

TEST_P(InstanceQuery, SplitsThoseOfTheSameMomentById) {
  for (const auto* id : {"d", "a", "c", "b", "e"}) start(id);
  EXPECT_EQ(walk({.limit = 2}), "a b | c d | e");
  EXPECT_EQ(walk({.order = instance_order::newest_first, .limit = 2}), "e d | c b | a");
  EXPECT_EQ(walk({.statuses = {running, parked}, .limit = 2}), "a b | c d | e");
}

TEST_P(InstanceQuery, ComesInPagesThatStayTheSameWhileInstancesAreStartedFinishedAndRemoved) {
  start_many(6);
  int more = 0;
  const auto meanwhile = [&] {
    now -= 1h; // before all others, by a clock that is slow
    start("early-" + std::to_string(more));
    now += 2h;
    start("late-" + std::to_string(more++));
    now -= 1h;
    commit([&] { db->session() << "DELETE FROM workflow_instances WHERE instance_id = 'I-00'"; });
  };
  EXPECT_EQ(walk({.id_prefix = "I-", .limit = 2}, meanwhile), "I-00 I-01 | I-02 I-03 | I-04 I-05");
  start("I-00a");
  EXPECT_EQ(walk({.id_prefix = "I-", .order = instance_order::newest_first, .limit = 2}, meanwhile),
            "I-00a I-05 | I-04 I-03 | I-02 I-01");
}

TEST_P(InstanceQuery, RefusesAPageThatCameFromNowhereOrFromTheOtherOrder) {
  start_many(3);
  const auto token = page({.limit = 1}).items.at(0).page;
  EXPECT_EQ(token.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"),
            std::string::npos);
  EXPECT_EQ(ids({.page = token}), "I-01 I-02");
  EXPECT_NE(why_refused({.order = instance_order::newest_first, .page = token}).find("the other order"),
            std::string::npos);
  for (const auto& wrong : {std::string{"x"}, std::string{"'; DROP TABLE x"}, token + "A", token.substr(1), token + "=",
                            std::string(1, token[0])})
    EXPECT_NE(why_refused({.page = wrong}).find("none that was given out"), std::string::npos) << wrong;
}

TEST_P(InstanceQuery, ShowsTimesThatWereWrittenByHandAsTheBeginningOfTime) {
  if (!is(database_url::backend::sqlite3)) return; // the others take no such time
  start("A");
  start("B");
  commit([&] { db->session() << "UPDATE workflow_instances SET started_at = '2026', finished_at = 'x'"; });
  EXPECT_EQ(page({}).items.at(0).instance.started_at, time_point{});
  EXPECT_EQ(walk({.limit = 1}), "A | B");
}

// -- inputs -----------------------------------------------------------------------------------------------------------

/// Each row of inputs has an id that says what it is.
class InstanceQueryOfInputs : public InstanceQuery {
protected:
  void with(const std::string& id, const nlohmann::json& first) {
    start(id, "w", nlohmann::json::array({first}).dump());
    now += 1us;
  }
  std::string those(const std::string& path, const nlohmann::json& equals) { return ids({.input = {{path, equals}}}); }
};

TEST_P(InstanceQueryOfInputs, FindsStringsByteByByte) {
  const std::vector<std::pair<std::string, std::string>> texts_by_id{{"plain", "ORD-1"},
                                                                     {"lower", "ord-1"},
                                                                     {"space", "ORD-1 "},
                                                                     {"empty", ""},
                                                                     {"umlaut", "Größe"},
                                                                     {"other form", "Gro\u0308ße"},
                                                                     {"emoji", "💳 paid"},
                                                                     {"quote", "a\"b"},
                                                                     {"backslash", "a\\b"},
                                                                     {"u0000", "a\\u0000b"},
                                                                     {"control",
                                                                      "a\n\t\x01"
                                                                      "b"},
                                                                     {"nul", std::string{"a\0b", 3}},
                                                                     {"sql", "'; --:x?@#"},
                                                                     {"number", "1"},
                                                                     {"true", "true"},
                                                                     {"null", "null"},
                                                                     {"percent", "%"},
                                                                     {"long", std::string(5000, 'x')}};
  for (const auto& [id, text] : texts_by_id) with(id, {{"v", text}});
  with("a number", {{"v", 1}});
  with("a boolean", {{"v", true}});
  with("a null", {{"v", nullptr}});
  with("nested", {{"v", {"ORD-1"}}});
  for (const auto& [id, text] : texts_by_id) EXPECT_EQ(those("$[0].v", text), id);
  EXPECT_EQ(those("$[0].v", "ORD-2"), "");
}

TEST_P(InstanceQueryOfInputs, FindsNumbersByTheirValue) {
  with("one", {{"v", 1}});
  with("one as a double", {{"v", 1.0}});
  with("minus", {{"v", -7}});
  with("money", {{"v", 149.99}});
  with("tenth", {{"v", 0.1}});
  with("third", {{"v", 1.0 / 3}});
  with("small", {{"v", 1e-300}});
  with("huge", {{"v", 1e300}});
  with("2^53", {{"v", 9007199254740992}});
  with("2^53+1", {{"v", 9007199254740993}});
  with("largest", {{"v", std::numeric_limits<std::int64_t>::max()}});
  with("smallest", {{"v", std::numeric_limits<std::int64_t>::min()}});
  with("unsigned", {{"v", std::numeric_limits<std::uint64_t>::max()}});
  with("unsigned-1", {{"v", std::numeric_limits<std::uint64_t>::max() - 1}});
  with("zero", {{"v", 0}});
  with("text", {{"v", "1"}});
  with("text of zero", {{"v", "zero"}});
  with("true", {{"v", true}});
  with("false", {{"v", false}});
  with("null", {{"v", nullptr}});
  EXPECT_EQ(those("$[0].v", 1), "one one as a double");
  EXPECT_EQ(those("$[0].v", 1.0), "one one as a double");
  EXPECT_EQ(those("$[0].v", 1U), "one one as a double");
  EXPECT_EQ(those("$[0].v", -7), "minus");
  EXPECT_EQ(those("$[0].v", 149.99), "money");
  EXPECT_EQ(those("$[0].v", 0.1), "tenth");
  EXPECT_EQ(those("$[0].v", 1.0 / 3), "third");
  EXPECT_EQ(those("$[0].v", 1e-300), "small");
  EXPECT_EQ(those("$[0].v", 1e300), "huge");
  EXPECT_EQ(those("$[0].v", 9007199254740992), "2^53");
  EXPECT_EQ(those("$[0].v", 9007199254740993), "2^53+1");
  EXPECT_EQ(those("$[0].v", std::numeric_limits<std::int64_t>::max()), "largest");
  EXPECT_EQ(those("$[0].v", std::numeric_limits<std::int64_t>::min()), "smallest");
  EXPECT_EQ(those("$[0].v", std::numeric_limits<std::uint64_t>::max()), "unsigned");
  EXPECT_EQ(those("$[0].v", std::numeric_limits<std::uint64_t>::max() - 1), "unsigned-1");
  EXPECT_EQ(those("$[0].v", 0), "zero");
  EXPECT_EQ(those("$[0].v", 2), "");
}

TEST_P(InstanceQueryOfInputs, FindsBooleansAndNullButNothingThatIsMissing) {
  with("true", {{"v", true}});
  with("false", {{"v", false}});
  with("null", {{"v", nullptr}});
  with("missing", {{"w", 1}});
  with("texts", {{"v", "true"}});
  with("numbers", {{"v", 1}});
  with("zero", {{"v", 0}});
  with("empty", nlohmann::json::object());
  with("array", {{"v", nlohmann::json::array()}});
  EXPECT_EQ(those("$[0].v", true), "true");
  EXPECT_EQ(those("$[0].v", false), "false");
  EXPECT_EQ(those("$[0].v", nullptr), "null");
  EXPECT_EQ(those("$[0].x", nullptr), "");
}

TEST_P(InstanceQueryOfInputs, FollowsNamesAndIndexesAndNothingElse) {
  start("first", "w", R"(["ORD-1",{"a":5}])");
  start("second", "w", R"([5,"ORD-1"])");
  start("deep", "w", R"([{"items":[{"sku":"x"},{"sku":"y","price":{"net":5}}]}])");
  start("names", "w", R"([{"a b":1,"a.b":2,"a*":3,"$":4,"[0]":5,"größe":6,"it's":7,"0":8,":x":9,"a":10,"A":11}])");
  start("none", "w", "[]");
  EXPECT_EQ(those("$[0]", "ORD-1"), "first");
  EXPECT_EQ(those("$[1]", "ORD-1"), "second");
  EXPECT_EQ(those("$[1].a", 5), "first");
  EXPECT_EQ(those("$[0].items[1].sku", "y"), "deep");
  EXPECT_EQ(those("$[0].items[1].price.net", 5), "deep");
  int n = 0;
  for (const auto* name : {"a b", "a.b", "a*", "$", "[0]", "größe", "it's", "0", ":x", "a", "A"})
    EXPECT_EQ(those(std::string{"$[0].\""} + name + '"', ++n), "names") << name;
  // What is no array has no elements, and an array no names.
  EXPECT_EQ(those("$[0][0]", 5), "");
  EXPECT_EQ(those("$[0][0]", "ORD-1"), "");
  EXPECT_EQ(those("$[1].a[0]", 5), "");
  EXPECT_EQ(those("$[0].items.sku", "x"), "");
  EXPECT_EQ(those("$[0].items[0][0].sku", "x"), "");
  EXPECT_EQ(those("$[0].items.0", "x"), "");
  EXPECT_EQ(those("$[0][0].items[0].sku", "x"), "");
}

TEST_P(InstanceQueryOfInputs, HoldsTogetherWithAllElseThatIsAskedFor) {
  for (const auto* id : {"A", "B", "C", "D"}) with(id, {{"customer", "x"}, {"amount", id[0] - 'A'}});
  finish("C", completed);
  EXPECT_EQ(ids({.input = {{"$[0].customer", "x"}, {"$[0].amount", 2}}}), "C");
  EXPECT_EQ(ids({.statuses = {running}, .input = {{"$[0].customer", "x"}}}), "A B D");
  EXPECT_EQ(
      ids({.statuses = {running, failed}, .workflows = {"w"}, .input = {{"$[0].customer", "x"}, {"$[0].amount", 2}}}),
      "");
  EXPECT_EQ(walk({.statuses = {running, completed}, .input = {{"$[0].customer", "x"}}, .limit = 3}), "A B C | D");
}

TEST_P(InstanceQueryOfInputs, PassesOverTextThatIsNoJson) {
  if (is(database_url::backend::postgresql)) return; // says so instead, and names the text
  start("by hand", "w", "nonsense");
  with("right", "ORD-1");
  EXPECT_EQ(those("$[0]", "ORD-1"), "right");
}

// -- one of them ------------------------------------------------------------------------------------------------------

TEST_P(InstanceQuery, FindsOneWithItsHistoryAndWhatIsPending) {
  start("A");
  start("B");
  const auto step = [&](const std::string& id, int position, std::chrono::microseconds took, int attempts = 1) {
    now += took;
    commit([&] {
      ASSERT_TRUE(all->history.insert("A", {id, position, "ActivityCompleted", "\"done\"", attempts}, "me", 1, now));
      auto sent = event("of " + id);
      sent.instance_id = "A";
      sent.created_at = now;
      all->outbox.insert(sent);
      all->compensations.insert("A", {0, id, id, "[]"}, now);
    });
  };
  step("one:1", 1, 250ms);
  step("two:1", 2, 1500us, 3);
  commit([&] {
    ASSERT_EQ(all->outbox.claim("me", 1, now).size(), 1U);
    ASSERT_TRUE(all->outbox.mark("me", {"of one:1", outbox_status::published, false, "", {}}, now));
    all->compensations.mark_done(all->compensations.remaining("A").at(0).id, now);
  });
  const auto found = query.find("A").value();
  EXPECT_FALSE(db->in_transaction());
  EXPECT_EQ(found.instance.instance_id, "A");
  ASSERT_EQ(found.history.size(), 2U);
  EXPECT_EQ(found.history[0].activity_id, "one:1");
  EXPECT_EQ(found.history[0].position, 1);
  EXPECT_EQ(found.history[0].took, 250ms);
  EXPECT_EQ(found.history[1].type, "ActivityCompleted");
  EXPECT_EQ(found.history[1].data, "\"done\"");
  EXPECT_EQ(found.history[1].attempts, 3);
  EXPECT_EQ(found.history[1].took, 1500us);
  EXPECT_EQ(found.history[1].created_at, now);
  EXPECT_EQ(found.pending_events, std::vector<std::string>{"of two:1"});
  EXPECT_EQ(found.pending_compensations, std::vector<std::string>{"one:1"});
  finish("A", completed, "1");
  EXPECT_TRUE(query.find("A")->pending_compensations.empty());
  EXPECT_TRUE(query.find("B")->history.empty());
  EXPECT_FALSE(query.find("Z"));
  EXPECT_FALSE(query.find(""));
}

TEST_P(InstanceQuery, FindsOneWithoutHoldingUpWhoWrites) {
  start("A");
  const auto other = open();
  other->begin();
  other->session() << "UPDATE workflow_instances SET error = 'x'";
  EXPECT_EQ(query.find("A")->instance.error, "");
  EXPECT_EQ(ids({}), "A");
  other->commit();
  EXPECT_EQ(query.find("A")->instance.error, "x");
}

// -- indexes ----------------------------------------------------------------------------------------------------------

class IndexesOfInstances : public InstanceQuery {
protected:
  /// One a second; each hundredth has failed, each thousandth is parked, each fiftieth is of another workflow.
  IndexesOfInstances() {
    std::string id, workflow, status, time;
    commit([&] {
      soci::statement insert =
          (db->session().prepare
               << "INSERT INTO workflow_instances (instance_id, workflow_name, status, input_data, "
                  "started_at, finished_at) VALUES (:id, :workflow, :status, '[]', :started, :finished)",
           soci::use(id), soci::use(workflow), soci::use(status), soci::use(time), soci::use(time));
      for (int n = 1; n <= 3000; ++n) {
        id = "I-" + std::to_string(n);
        workflow = n % 50 == 0 ? "rare" : "usual";
        status = n % 1000 == 0 ? "parked" : n % 100 == 0 ? "failed" : "completed";
        time = to_text(now += 1s);
        insert.execute(true);
      }
    });
    db->session() << (is(database_url::backend::mysql) ? "ANALYZE TABLE workflow_instances PERSISTENT FOR ALL"
                                                       : "ANALYZE");
    if (db->in_transaction()) db->commit();
  }
  /// How the database finds them, in its own words.
  std::string plan(const instance_filter& wanted) {
    const auto sql = query.sql(wanted);
    const bool sqlite3 = is(database_url::backend::sqlite3);
    soci::statement explain{db->session()};
    std::string line, all_lines;
    int unused[3];
    if (sqlite3)
      for (auto& number : unused) explain.exchange(soci::into(number));
    explain.exchange(soci::into(line));
    for (const auto& value : sql.values()) explain.exchange(soci::use(value));
    explain.alloc();
    explain.prepare((sqlite3                                 ? "EXPLAIN QUERY PLAN "
                     : is(database_url::backend::postgresql) ? "EXPLAIN "
                                                             : "EXPLAIN FORMAT=JSON ") +
                    sql.text());
    explain.define_and_bind();
    for (bool more = explain.execute(true); more; more = explain.fetch()) all_lines += line + '\n';
    if (db->in_transaction()) db->roll_back();
    return all_lines;
  }
  void uses(const char* index, instance_filter wanted, bool sorts = false) {
    for (const auto order : {instance_order::oldest_first, instance_order::newest_first}) {
      wanted.order = order;
      wanted.page.clear();
      for (int pages = 0; pages < 2; ++pages) { // the first one, and one that follows
        const auto how = plan(wanted);
        EXPECT_NE(how.find(index), std::string::npos) << how;
        EXPECT_EQ(how.find("Seq Scan"), std::string::npos) << how;
        for (const auto* sorted : {"Sort", "TEMP B-TREE", "filesort"})
          EXPECT_TRUE(sorts || how.find(sorted) == std::string::npos) << how;
        wanted.page = page(wanted).items.back().page;
      }
    }
  }
};

TEST_P(IndexesOfInstances, GiveThePagesOfAllOfAStatusAndOfAWorkflowInTheirOrder) {
  uses("idx_instances_started", {.limit = 5});
  uses("idx_instances_status", {.statuses = {failed}, .limit = 5});
  uses("idx_instances_workflow", {.workflows = {"rare"}, .limit = 5});
}

TEST_P(IndexesOfInstances, GiveThePagesOfSeveralStatuses) {
  uses("idx_instances_status", {.statuses = {failed, parked}, .limit = 2}, true); // sorts what was found, and no more
}

ROMANCY_ON_EVERY_DATABASE(IndexesOfInstances);
ROMANCY_ON_EVERY_DATABASE(InstanceQuery);
ROMANCY_ON_EVERY_DATABASE(InstanceQueryOfInputs);

} // namespace
} // namespace romancy::testing
