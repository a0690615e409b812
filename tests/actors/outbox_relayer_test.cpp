#include <gtest/gtest.h>

#include "storage/timestamp.hpp"
#include "tests/actors/workflow_fixture.hpp"
#include "tests/support/refused_writes.hpp"

namespace romancy::testing {
namespace {

using namespace std::chrono_literals;

class OutboxRelayer : public any_database {
protected:
  simulation world{file, {}};
  outbox_options options{.enabled = true, .broker_url = "http://broker/events"};

  std::vector<long long> sent_at() const {
    std::vector<long long> times;
    for (const auto& request : world.sent) times.push_back(request.at.count());
    return times;
  }
};

TEST_P(OutboxRelayer, MarksA2xxAsPublishedWithItsTime) {
  world.insert_event("E-1");
  world.start_relayer(options);
  world.settle();
  EXPECT_EQ(world.event_state("E-1"), "published 0");
  EXPECT_EQ(to_time_point(world.text("SELECT published_at FROM outbox_events")), world.wall());
  EXPECT_EQ(world.count("SELECT count(*) FROM outbox_events WHERE locked_by IS NOT NULL"), 0);
}

// Seed, table of the retry logic, row T+0s: 400 Bad Request.
TEST_P(OutboxRelayer, MarksA4xxAsInvalidAndSendsItNoMore) {
  world.broker = [](int, auto&) { return http_response{400, "bad data"}; };
  world.insert_event("E-1");
  world.start_relayer(options);
  world.advance(5s);
  EXPECT_EQ(world.event_state("E-1"), "invalid 0");
  EXPECT_EQ(world.text("SELECT last_error FROM outbox_events"), "HTTP 400: bad data");
  EXPECT_EQ(sent_at(), (std::vector<long long>{0}));
}

// Seed, table of the retry logic: 503 at T+0, a timeout at T+1, 500 at T+2, failed at T+3.
TEST_P(OutboxRelayer, FollowsTheRetryTableOfTheSeedToTheMillisecond) {
  world.broker = [](int n, auto&) {
    if (n == 1) return http_response{503, ""};
    if (n == 2) return http_response{0, "Timeout was reached"};
    return http_response{500, ""};
  };
  world.insert_event("E-1");
  world.start_relayer(options);
  world.settle();
  EXPECT_EQ(world.event_state("E-1"), "pending 1");
  EXPECT_EQ(world.text("SELECT last_error FROM outbox_events"), "HTTP 503");
  world.advance(999ms);
  EXPECT_EQ(world.event_state("E-1"), "pending 1");
  world.advance(1ms);
  EXPECT_EQ(world.event_state("E-1"), "pending 2");
  EXPECT_EQ(world.text("SELECT last_error FROM outbox_events"), "Timeout was reached");
  world.advance(1s);
  EXPECT_EQ(world.event_state("E-1"), "pending 3");
  world.advance(999ms);
  EXPECT_EQ(world.event_state("E-1"), "pending 3");
  world.advance(1ms);
  EXPECT_EQ(world.event_state("E-1"), "failed 3");
  world.advance(10s);
  EXPECT_EQ(sent_at(), (std::vector<long long>{0, 1000, 2000}));
  EXPECT_EQ(world.text("SELECT last_error FROM outbox_events"), "HTTP 500");
}

TEST_P(OutboxRelayer, RepeatsTheSameBytesAtEachAttempt) {
  world.broker = [](int n, auto&) { return http_response{n < 3 ? 503 : 202, ""}; };
  world.insert_event("E-1");
  world.start_relayer(options);
  world.advance(3s);
  ASSERT_EQ(world.sent.size(), 3U);
  EXPECT_EQ(world.sent[0].request.body, world.sent[1].request.body);
  EXPECT_EQ(world.sent[0].request.body, world.sent[2].request.body);
  EXPECT_EQ(world.event_state("E-1"), "published 2");
}

TEST_P(OutboxRelayer, TreatsRedirectsAndInformationalAnswersAsFailuresToRetry) {
  world.broker = [](int n, auto&) { return http_response{n == 1 ? 301 : 102, ""}; };
  options.max_retries = 2;
  world.insert_event("E-1");
  world.start_relayer(options);
  world.settle();
  EXPECT_EQ(world.event_state("E-1"), "pending 1");
  world.advance(2s);
  EXPECT_EQ(world.event_state("E-1"), "failed 2");
}

TEST_P(OutboxRelayer, ExpiresWhatIsTooOldWithoutSendingIt) {
  options.max_age_hours = 1.0;
  world.insert_event("OLD", 3'600'001ms);
  world.insert_event("YOUNG", 3'600'000ms - 10ms);
  world.start_relayer(options);
  world.settle();
  EXPECT_EQ(world.event_state("OLD"), "expired 0");
  EXPECT_EQ(world.event_state("YOUNG"), "published 0");
  EXPECT_EQ(world.sent.size(), 1U);
}

TEST_P(OutboxRelayer, LooksAtTheAgeBeforeTheRetryLimit) {
  options.max_age_hours = 1.0;
  world.insert_event("E-1", 2h);
  world.db().session() << "UPDATE outbox_events SET retry_count = 99";
  world.start_relayer(options);
  world.settle();
  EXPECT_EQ(world.event_state("E-1"), "expired 99");
}

TEST_P(OutboxRelayer, WaitsThePollIntervalBetweenAttemptsWhateverWakesIt) {
  world.broker = [](int n, auto&) { return http_response{n == 1 ? 503 : 202, ""}; };
  options.poll_interval = 2s;
  world.insert_event("E-1");
  world.start_relayer(options);
  world.advance(500ms);
  world.insert_event("E-2"); // found by the poll, as nobody wakes the relayer
  world.advance(2s);
  ASSERT_EQ(sent_at().size(), 3U);
  EXPECT_GE(sent_at()[1], 1800); // the poll comes up to a tenth earlier than it must
  EXPECT_LE(sent_at()[1], 2000);
  EXPECT_EQ(sent_at()[2], 2000); // the attempt does not
}

TEST_P(OutboxRelayer, DoesNotLetDeadEventsAtTheHeadDelayTheOthers) {
  world.broker = [](int, const http_request& request) {
    return http_response{request.body.find("DEAD") != std::string::npos ? 503 : 202, ""};
  };
  for (int i = 0; i < 10; ++i) world.insert_event("DEAD-" + std::to_string(i));
  world.insert_event("ALIVE");
  world.start_relayer(options);
  world.settle();
  EXPECT_EQ(world.event_state("ALIVE"), "published 0");
  EXPECT_EQ(world.now(), 0ms);
}

TEST_P(OutboxRelayer, WorksThroughABacklogWithoutWaitingForThePoll) {
  for (int i = 0; i < 500; ++i) world.insert_event("E-" + std::to_string(i));
  world.start_relayer(options);
  world.settle();
  EXPECT_EQ(world.count("SELECT count(*) FROM outbox_events WHERE status = 'published'"), 500);
  EXPECT_EQ(world.now(), 0ms);
}

TEST_P(OutboxRelayer, GoesOnAfterItAndItsPublisherWereKilledInTheMiddleOfABatch) {
  for (int i = 0; i < 50; ++i) world.insert_event("E-" + std::to_string(i));
  int killed = 0;
  world.broker = [&](int n, auto&) {
    if (n == 5 || n == 17) {
      world.kill(n == 5 ? "outbox_relayer" : "http_publisher");
      ++killed;
    }
    return http_response{202, ""};
  };
  world.start_relayer(options);
  world.advance(2s);
  EXPECT_EQ(killed, 2);
  EXPECT_EQ(world.count("SELECT count(*) FROM outbox_events WHERE status = 'published'"), 50);
  const auto health = world.health().read();
  EXPECT_TRUE(health.ok);
  for (const auto& part : health.parts) {
    if (part.name == "outbox_relayer" || part.name == "http_publisher") {
      EXPECT_GE(part.restarts, 1) << part.name;
    }
  }
}

TEST_P(OutboxRelayer, TellsItsHooksHowEachEventEnded) {
  class hooks final : public lifecycle_hooks {
  public:
    std::vector<std::string> lines;
    void on_event_delivered(const event_info& e) override { lines.push_back("delivered " + e.id); }
    void on_event_failed(const event_info& e, const std::string& why) override {
      lines.push_back("failed " + e.id + ": " + why);
    }
    void on_event_invalid(const event_info& e, const std::string& why) override {
      lines.push_back("invalid " + e.id + ": " + why);
    }
    void on_event_expired(const event_info& e) override { lines.push_back("expired " + e.id); }
    void on_part_restarted(const std::string& part, const std::string&) override { lines.push_back("restarted " + part); }
  };
  const auto told = std::make_shared<hooks>();
  simulation app{another(), {.hooks = told}};
  app.broker = [](int, const http_request& request) {
    if (request.body.find("BAD") != std::string::npos) return http_response{400, "no"};
    if (request.body.find("DOWN") != std::string::npos) return http_response{503, ""};
    return http_response{202, ""};
  };
  app.insert_event("GOOD");
  app.insert_event("BAD");
  app.insert_event("DOWN");
  app.insert_event("OLD", 48h);
  options.max_age_hours = 24;
  app.start_relayer(options);
  app.advance(4s);
  app.kill("outbox_relayer");
  app.advance(1s);
  std::sort(told->lines.begin(), told->lines.end());
  EXPECT_EQ(told->lines, (std::vector<std::string>{"delivered GOOD", "expired OLD", "failed DOWN: HTTP 503",
                                                   "invalid BAD: HTTP 400: no", "restarted outbox_relayer"}));
}

TEST_P(OutboxRelayer, GivesBackWhatADeadWorkerHadClaimedOnceItsLeaseIsOver) {
  world.insert_event("E-1");
  world.db().session() << "UPDATE outbox_events SET locked_by = 'dead'";
  world.db().session() << "INSERT INTO worker_epochs (epoch, worker_id, host, process, started_at, expires_at) VALUES "
                          "('dead', 'w', 'elsewhere', '1:1', '2026-01-01 00:00:00', "
                          "'2026-01-01 00:00:05.000000')";
  world.start_relayer(options);
  world.advance(5s);
  EXPECT_EQ(world.event_state("E-1"), "pending 0");
  world.advance(10s); // once this worker has lived for a lease, its next renewal looks and the next poll finds
  EXPECT_EQ(world.event_state("E-1"), "published 0");
}

TEST_P(OutboxRelayer, DoesNotMarkAnEventThatAnotherWorkerHasTakenOver) {
  world.insert_event("E-1");
  world.broker = [&](int n, auto&) {
    if (n == 1) world.db().session() << "UPDATE outbox_events SET locked_by = 'other'";
    return http_response{400, ""};
  };
  world.start_relayer(options);
  world.settle();
  EXPECT_EQ(world.event_state("E-1"), "pending 0");
  EXPECT_EQ(world.text("SELECT locked_by FROM outbox_events"), "other");
}

// -- answers that take their time -------------------------------------------------------------------------------------

TEST_P(OutboxRelayer, DoesNotMarkAnEventWhoseClaimIsLostWhileItIsOnTheWire) {
  world.broker = [](int n, auto&) { return n == 1 ? broker_answer::held() : broker_answer{{202, ""}}; };
  world.insert_event("E-1");
  world.start_relayer(options);
  world.settle();
  ASSERT_EQ(world.outstanding(), 1);
  world.db().session() << "UPDATE outbox_events SET locked_by = 'other'";
  world.answer(1, {400, "no"});
  world.settle();
  EXPECT_EQ(world.event_state("E-1"), "pending 0");
  EXPECT_EQ(world.text("SELECT locked_by FROM outbox_events"), "other");
  world.insert_event("E-2"); // it goes on
  world.advance(1s);
  EXPECT_EQ(world.event_state("E-2"), "published 0");
  ASSERT_EQ(sent_at().size(), 2U);
  EXPECT_GE(sent_at()[1], 900); // a poll comes up to a tenth earlier than it must
}

TEST_P(OutboxRelayer, DelaysNoOtherEventForASlowAnswer) {
  world.broker = [](int, const http_request& request) {
    return broker_answer{{202, ""}, request.body.find("SLOW") == std::string::npos ? 0ms : 20s};
  };
  world.insert_event("SLOW");
  for (int i = 0; i < 50; ++i) world.insert_event("E-" + std::to_string(i));
  world.start_relayer(options);
  world.settle();
  EXPECT_EQ(world.count("SELECT count(*) FROM outbox_events WHERE status = 'published'"), 50);
  EXPECT_EQ(world.now(), 0ms);
  world.advance(5500ms);
  world.insert_event("LATE");
  world.advance(500ms);
  EXPECT_EQ(world.event_state("LATE"), "published 0");
  world.advance(13'999ms);
  EXPECT_EQ(world.event_state("SLOW"), "pending 0");
  world.advance(1ms);
  EXPECT_EQ(world.event_state("SLOW"), "published 0");
  EXPECT_EQ(world.sent.size(), 52U); // once each
}

TEST_P(OutboxRelayer, GivesBackWhatHasNoAnswerWhenItHasToEnd) {
  world.broker = [](int n, auto&) { return n == 1 ? broker_answer::held() : broker_answer{{202, ""}, 1s}; };
  world.insert_event("SLOW");
  world.insert_event("E-1");
  world.start_relayer(options);
  world.settle();
  world.drain();
  world.advance(1s);
  EXPECT_EQ(world.event_state("E-1"), "published 0"); // it was waited for
  world.advance(2332ms);
  EXPECT_FALSE(world.has_ended());
  world.advance(1ms); // a third of shutdown_timeout
  EXPECT_TRUE(world.has_ended());
  EXPECT_EQ(world.event_state("SLOW"), "pending 0");
  EXPECT_EQ(world.count("SELECT count(*) FROM outbox_events WHERE locked_by IS NOT NULL"), 0);
}

TEST_P(OutboxRelayer, EndsAlsoWhenItsClaimsCannotBeGivenBack) {
  world.broker = [](int, auto&) { return broker_answer::held(); };
  world.insert_event("E-1");
  world.start_relayer(options);
  world.settle();
  refuse_writes(world.db(), "UPDATE", "outbox_events", "NEW.locked_by IS NULL");
  world.drain();
  EXPECT_TRUE(world.run_until([&] { return world.has_ended(); }, 2000));
  EXPECT_LE(world.now(), 3333ms);
}

TEST_P(OutboxRelayer, EndsAlsoWhenItsMarksCannotBeWritten) {
  world.insert_event("E-1");
  refuse_writes(world.db(), "UPDATE", "outbox_events", "NEW.status = 'published'");
  world.start_relayer(options);
  world.advance(10ms);
  EXPECT_EQ(world.event_state("E-1"), "pending 0");
  world.drain();
  EXPECT_TRUE(world.run_until([&] { return world.has_ended(); }, 2000));
  EXPECT_LE(world.now(), 3343ms);
  EXPECT_EQ(world.count("SELECT count(*) FROM outbox_events WHERE locked_by IS NOT NULL"), 0);
}

TEST_P(OutboxRelayer, SendsAgainWhatWasOnTheWireWhenAPartWasKilledAndMarksEachOnce) {
  class hooks final : public lifecycle_hooks {
  public:
    std::vector<std::string> lines;
    void on_event_delivered(const event_info& e) override { lines.push_back(e.id); }
    void on_event_invalid(const event_info& e, const std::string&) override { lines.push_back("invalid " + e.id); }
  };
  for (const auto* part : {"outbox_relayer", "http_publisher", "transaction_coordinator"}) {
    const auto told = std::make_shared<hooks>();
    simulation app{another(), {.hooks = told}};
    app.broker = [](int, auto&) { return broker_answer::held(); };
    for (int i = 1; i <= 5; ++i) app.insert_event("E-" + std::to_string(i));
    app.start_relayer(options);
    app.settle();
    ASSERT_EQ(app.outstanding(), 5) << part;
    app.kill(part);
    app.advance(500ms);
    ASSERT_EQ(app.sent.size(), 10U) << part;
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(app.sent[i].request.body, app.sent[i + 5].request.body) << part;
    for (int n = 1; n <= 5; ++n) app.answer(n, {400, "to the one that is dead"});
    app.settle();
    EXPECT_EQ(app.count("SELECT count(*) FROM outbox_events WHERE status = 'pending'"), 5) << part;
    for (int n = 6; n <= 10; ++n) app.answer(n);
    app.advance(5s);
    EXPECT_EQ(app.count("SELECT count(*) FROM outbox_events WHERE status = 'published' AND retry_count = 0"), 5) << part;
    EXPECT_EQ(told->lines, (std::vector<std::string>{"E-1", "E-2", "E-3", "E-4", "E-5"})) << part;
    EXPECT_EQ(app.sent.size(), 10U) << part;
  }
}

TEST_P(OutboxRelayer, NeverHasMoreOnTheWireThanItMay) {
  options.max_in_flight = 25;
  int most = 0;
  world.broker = [&](int n, auto&) {
    most = std::max(most, world.outstanding());
    return broker_answer{{n % 10 == 0 ? 503 : 202, ""}, (n % 7 + 1) * 10ms};
  };
  for (int i = 0; i < 200; ++i) world.insert_event("E-" + std::to_string(i));
  world.start_relayer(options);
  world.advance(5s);
  EXPECT_LE(most, 25);
  EXPECT_GT(most, 20); // several batches at once
  EXPECT_EQ(world.count("SELECT count(*) FROM outbox_events WHERE status = 'published'"), 200);
}

TEST_P(OutboxRelayer, TakesALimitOfTimeThatNoClockCanHoldForNone) {
  options.max_age_hours = 1e300;
  world.insert_event("OLD", 24h * 365);
  world.start_relayer(options);
  world.advance(10ms);
  EXPECT_EQ(world.event_state("OLD"), "published 0");
}

ROMANCY_ON_EVERY_DATABASE(OutboxRelayer);

} // namespace
} // namespace romancy::testing
