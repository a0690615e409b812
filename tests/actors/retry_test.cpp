#include <sstream>

#include <spdlog/sinks/ostream_sink.h>

#include "actors/log.hpp"
#include "tests/actors/workflow_fixture.hpp"

namespace romancy::testing {
namespace {

struct gateway_busy : std::runtime_error {
  using runtime_error::runtime_error;
};
struct card_declined : std::runtime_error {
  using runtime_error::runtime_error;
};

/// Does what the test says, inside a transaction that has a row.
int work(activity_context& ctx, notebook& book) {
  book.note("work " + std::to_string(ctx.attempt()));
  show_stop(book, ctx);
  write_row(ctx, "work");
  book.perhaps_run(book.meanwhile);
  book.perhaps_fail("not yet");
  return ctx.attempt();
}
/// The same without a transaction.
int call(external_context& ctx, notebook& book) {
  book.note("call " + std::to_string(ctx.attempt()));
  show_stop(book, ctx);
  book.perhaps_run(book.meanwhile);
  book.perhaps_fail("not yet");
  return ctx.attempt();
}

constexpr auto capped = romancy::activity("capped", work).retry(exponential(100ms).max_interval(250ms).max_attempts(6));
constexpr auto endless = romancy::activity("endless", work).retry(fixed(1s).unlimited());
constexpr auto brief = romancy::activity("brief", work).retry(exponential(100ms).unlimited().max_duration(700ms));
constexpr auto scattered = romancy::activity("scattered", work).retry(fixed(100ms).jitter(0.5).max_attempts(30));
constexpr auto picky = romancy::activity("picky", work).retry(fixed(10ms).non_retryable<card_declined>());
constexpr auto one_minded = romancy::activity("one_minded", work).retry(fixed(10ms).retryable<gateway_busy>());
constexpr auto polite = romancy::activity("polite", work)
                            .retry(exponential(100ms).max_interval(1s).max_attempts(4).retryable<gateway_busy>());
constexpr auto polite_outside = romancy::activity("polite_outside", call).retry(exponential(100ms).max_duration(8s));
constexpr auto plainly = romancy::activity("plainly", work);
constexpr auto hurried = romancy::activity("hurried", work).timeout(1s).retry(fixed(100ms).max_attempts(3));
constexpr auto once =
    romancy::activity("once", work).timeout(1500ms).retry(fixed(10ms).non_retryable<attempt_timed_out>());
constexpr auto undoes = romancy::activity("undoes", [](activity_context&) -> void {
                        }).compensate([](activity_context& ctx, notebook& book) { work(ctx, book); });

void undo_in_a_hurry(activity_context& ctx, notebook& book) { work(ctx, book); }
constexpr auto undoes_in_a_hurry = romancy::activity("undoes_in_a_hurry", [](activity_context&) -> void {})
                                       .compensate(undo_in_a_hurry)
                                       .timeout(1s)
                                       .retry(fixed(100ms).max_attempts(2));

template <const auto& Step>
constexpr auto one_step = workflow("one_step", [](workflow_context<Step>& ctx, int) -> task<int> {
  const int attempts = co_await ctx.template call<Step>();
  co_return attempts;
});
constexpr auto with_capped = one_step<capped>;
constexpr auto with_endless = one_step<endless>;
constexpr auto with_brief = one_step<brief>;
constexpr auto with_scattered = one_step<scattered>;
constexpr auto with_picky = one_step<picky>;
constexpr auto with_one_minded = one_step<one_minded>;
constexpr auto with_polite = one_step<polite>;
constexpr auto with_polite_outside = one_step<polite_outside>;
constexpr auto with_hurried = one_step<hurried>;
constexpr auto with_once = one_step<once>;

/// Both have no policy of their own.
constexpr auto by_default = workflow("by_default", [](workflow_context<plainly>& ctx, int) -> task<int> {
  co_await ctx.call<plainly>();
  int tried = 0;
  co_await ctx.transaction([&](activity_context& tx) {
    tried = tx.attempt();
    if (tried < 3) throw std::runtime_error{"not yet either"};
  });
  co_return tried;
});
constexpr auto fails = romancy::activity("fails", [](external_context&) -> void { throw terminal_error{"no way"}; });
constexpr auto undone = workflow("undone", [](workflow_context<undoes, fails>& ctx, int) -> task<> {
  co_await ctx.call<undoes>();
  co_await ctx.call<fails>();
});
constexpr auto undone_in_a_hurry =
    workflow("undone_in_a_hurry", [](workflow_context<undoes_in_a_hurry, fails>& ctx, int) -> task<> {
      co_await ctx.call<undoes_in_a_hurry>();
      co_await ctx.call<fails>();
    });

/// What is logged while it lives.
class log_reader {
public:
  log_reader() { log().sinks().push_back(sink_); }
  ~log_reader() { log().sinks().pop_back(); }
  /// How many lines have this in them.
  int count(const std::string& part) const {
    std::istringstream lines{text_.str()};
    int found = 0;
    for (std::string line; std::getline(lines, line);) found += line.find(part) != std::string::npos;
    return found;
  }

private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::sinks::ostream_sink_st> sink_ = std::make_shared<spdlog::sinks::ostream_sink_st>(text_);
};

class Retry : public workflow_fixture<> {
protected:
  using times = std::vector<long long>;
  /// Runs one instance to its end; returns "completed 3", or "failed: why".
  template <class App> std::string outcome(App& app, const char* workflow = "one_step") {
    app.start(workflow, {1}, "A");
    EXPECT_TRUE(app.ends("A"));
    const auto instance = app.instance("A");
    return std::string{to_string(instance.status)} +
           (instance.status == instance_status::completed ? ' ' + instance.output : ": " + instance.error);
  }
  template <class App> static nlohmann::json details(App& app, const std::string& step) {
    return nlohmann::json::parse(app.text("SELECT details FROM workflow_history WHERE activity_id = '" + step + '\''));
  }
};

TEST_P(Retry, CapsItsDelays) {
  world<with_capped> app{file, book};
  book.failures_left = 5;
  EXPECT_EQ(outcome(app), "completed 6");
  EXPECT_EQ(book.times, (times{0, 100, 300, 550, 800, 1050}));
  EXPECT_EQ(app.rows(), names{"work"});
}

TEST_P(Retry, GoesOnWithoutEndIfItIsTold) {
  world<with_endless> app{file, book};
  book.failures_left = 200;
  EXPECT_EQ(outcome(app), "completed 201");
  EXPECT_EQ(book.times.back(), 200'000);
}

TEST_P(Retry, BeginsNoAttemptLaterThanItsWholeDurationAllows) {
  world<with_brief> app{file, book};
  book.failures_left = 99;
  EXPECT_EQ(outcome(app), "failed: brief:1 failed after 4 attempts: not yet");
  EXPECT_EQ(book.times, (times{0, 100, 300, 700})); // the last one to the millisecond
}

TEST_P(Retry, CountsTheTimeThatAttemptsTakeToTheWholeDuration) {
  world<with_brief> app{file, book};
  book.failures_left = 99;
  book.meanwhile = [&] { app.pass(250ms); };
  EXPECT_EQ(outcome(app), "failed: brief:1 failed after 2 attempts: not yet");
  EXPECT_EQ(book.times, (times{0, 350})); // 600 ms have passed, and 200 ms were to follow
}

TEST_P(Retry, ScattersItsDelaysBelowThemselves) {
  world<with_scattered> app{file, book};
  book.failures_left = 29;
  EXPECT_EQ(outcome(app), "completed 30");
  std::map<long long, int> seen;
  for (std::size_t i = 1; i < book.times.size(); ++i) ++seen[book.times[i] - book.times[i - 1]];
  EXPECT_GE(seen.begin()->first, 50);
  EXPECT_LE(seen.rbegin()->first, 100);
  EXPECT_GT(seen.size(), 5U);
}

TEST_P(Retry, MakesNoFurtherAttemptAfterWhatIsNotRetryable) {
  world<with_picky> app{file, book};
  book.meanwhile = [&] {
    if (book.lines.size() < 3) throw gateway_busy{"busy"};
    throw card_declined{"declined"};
  };
  EXPECT_EQ(outcome(app), "failed: picky:1 failed after 3 attempts: declined");
  EXPECT_EQ(book.times, (times{0, 10, 20}));
}

TEST_P(Retry, MakesAFurtherAttemptOnlyAfterWhatIsRetryable) {
  world<with_one_minded> app{file, book};
  book.meanwhile = [&] {
    if (book.lines.size() < 3) throw gateway_busy{"busy"};
    throw 5;
  };
  EXPECT_EQ(outcome(app), "failed: one_minded:1 failed after 3 attempts: it threw something that is no std::exception");
}

TEST_P(Retry, WaitsAsLongAsTheAttemptAsksFor) {
  const auto hooks = std::make_shared<recording_hooks>();
  world<with_polite> app{file, book, {.hooks = hooks}};
  book.meanwhile = [&] {
    if (book.lines.size() == 2) throw retry_after{5s, "the gateway asks for patience"}; // beyond max_interval
    if (book.lines.size() < 4) throw gateway_busy{"busy"};
  };
  EXPECT_EQ(outcome(app), "completed 4");
  EXPECT_EQ(book.times, (times{0, 100, 5100, 5500}));
  EXPECT_TRUE(hooks->said("retry polite:1 2 after 5000: the gateway asks for patience"));
}

TEST_P(Retry, CountsAnAttemptThatAsksForPatience) {
  world<with_polite> app{file, book};
  book.meanwhile = [] { throw retry_after{0s, "again"}; };
  EXPECT_EQ(outcome(app), "failed: polite:1 failed after 4 attempts: again");
  EXPECT_EQ(book.times, (times{0, 0, 0, 0}));
}

TEST_P(Retry, AsksForNoMorePatienceThanTheWholeDurationHas) {
  world<with_polite_outside> app{file, book};
  book.meanwhile = [] { throw retry_after{5s, "later"}; };
  EXPECT_EQ(outcome(app), "failed: polite_outside:1 failed after 2 attempts: later");
  EXPECT_EQ(book.times, (times{0, 5000}));
}

TEST_P(Retry, TakesThePolicyOfTheAppForWhatHasNone) {
  world<by_default> app{file, book, {.default_retry = fixed(7ms).max_attempts(3)}};
  book.failures_left = 2;
  EXPECT_EQ(outcome(app, "by_default"), "completed 3");
  EXPECT_EQ(app.now(), 28ms);
  EXPECT_EQ(book.times, (times{0, 7, 14}));
}

TEST_P(Retry, OfTheAppReplacesNoneThatIsThere) {
  world<with_capped> app{file, book, {.default_retry = no_retry()}};
  book.failures_left = 1;
  EXPECT_EQ(outcome(app), "completed 2");
}

TEST_P(Retry, OfTheAppHoldsForCompensationsToo) {
  world<undone> app{file, book, {.default_retry = fixed(20ms).max_attempts(2)}};
  book.failures_left = 99;
  EXPECT_EQ(outcome(app, "undone"), "failed: fails:1 failed after 1 attempt: no way; not undone: undoes:1 (not yet)");
  EXPECT_EQ(book.times, (times{0, 20}));
}

// -- timeouts ---------------------------------------------------------------------------------------------------------

TEST_P(Retry, UndoesAnAttemptThatReturnsAfterItsTimeoutAndMakesAnother) {
  const auto hooks = std::make_shared<recording_hooks>();
  world<with_hurried> app{file, book, {.hooks = hooks}};
  book.meanwhile = [&] { app.pass(book.lines.size() == 1 ? 1s : 999ms); };
  EXPECT_EQ(outcome(app), "completed 2");
  EXPECT_EQ(book.times, (times{0, 1100})); // once the code has returned, and as its policy says
  EXPECT_EQ(app.rows(), names{"work"});
  EXPECT_TRUE(hooks->said("retry hurried:1 1 after 100: timed out after 1 s"));
}

TEST_P(Retry, EndsAnAttemptThatLooksAtItsTimeout) {
  world<with_hurried> app{file, book};
  std::vector<std::string> thrown;
  int looked = 0;
  book.meanwhile = [&] {
    try {
      for (int i = 0; i < 100; ++i, ++looked) {
        app.pass(100ms);
        book.check_stop();
      }
    } catch (const attempt_timed_out& e) {
      thrown.push_back(e.what());
      throw;
    }
  };
  EXPECT_EQ(outcome(app), "failed: hurried:1 failed after 3 attempts: timed out after 1 s");
  EXPECT_EQ(thrown, (names{"timed out after 1 s", "timed out after 1 s", "timed out after 1 s"}));
  EXPECT_EQ(looked, 27);
  EXPECT_EQ(book.times, (times{0, 1100, 2200}));
  EXPECT_TRUE(app.rows().empty());
}

TEST_P(Retry, RequestsTheStopAtTheDeadlineOnceAndCallsWhatWaitsForIt) {
  world<with_hurried> app{file, book};
  const log_reader logged;
  std::vector<long long> stopped;
  book.meanwhile = [&] {
    const auto token = book.stop_token();
    const std::stop_callback on_stop{token, [&] { stopped.push_back(app.now().count()); }};
    app.advance(999ms);
    EXPECT_EQ(token.stop_requested(), book.lines.size() > 1) << book.lines.size();
    app.advance(1ms);
    EXPECT_TRUE(token.stop_requested());
    app.advance(5s);
    book.meanwhile = nullptr;
  };
  EXPECT_EQ(outcome(app), "completed 2");
  EXPECT_EQ(stopped, (std::vector<long long>{1000}));
  EXPECT_EQ(logged.count("[warning] hurried:1 of A runs longer than its timeout of 1000 ms"), 1);
}

TEST_P(Retry, StopsNoAttemptForTheDeadlineOfAnEarlierOne) {
  world<with_hurried> app{file, book};
  book.failures_left = 1;
  book.meanwhile = [&] {
    app.advance(book.lines.size() == 1 ? 500ms : 999ms); // the first deadline is passed on the way
    EXPECT_FALSE(book.stop_token().stop_requested());
    EXPECT_NO_THROW(book.check_stop());
  };
  EXPECT_EQ(outcome(app), "completed 2");
  EXPECT_EQ(book.times, (times{0, 600}));
}

TEST_P(Retry, KeepsWhatAnAttemptSaidThatTimedOut) {
  world<with_hurried> app{file, book};
  book.failures_left = 99;
  book.meanwhile = [&] { app.pass(2s); };
  EXPECT_EQ(outcome(app), "failed: hurried:1 failed after 3 attempts: timed out after 1 s (it ended with: not yet)");
}

TEST_P(Retry, LetsATimedOutAttemptSayThatThereIsNoPoint) {
  world<with_hurried> app{file, book};
  book.meanwhile = [&] {
    app.pass(2s);
    throw terminal_error{"no such card"};
  };
  EXPECT_EQ(outcome(app), "failed: hurried:1 failed after 1 attempt: no such card");
}

TEST_P(Retry, CountsALateAttemptAsTimedOutForItsPolicy) {
  world<with_once> app{file, book};
  book.meanwhile = [&] {
    if (book.lines.size() == 1) throw gateway_busy{"busy"};
    app.pass(1500ms);
  };
  EXPECT_EQ(outcome(app), "failed: once:1 failed after 2 attempts: timed out after 1500 ms");
}

TEST_P(Retry, LimitsTheTimeOfCompensationsToo) {
  world<undone_in_a_hurry> app{file, book};
  book.meanwhile = [&] { app.pass(1s); };
  EXPECT_EQ(outcome(app, "undone_in_a_hurry"),
            "failed: fails:1 failed after 1 attempt: no way; not undone: "
            "undoes_in_a_hurry:1 (timed out after 1 s)");
  EXPECT_EQ(book.times, (times{0, 1100}));
  EXPECT_TRUE(app.rows().empty());
}

// -- history ----------------------------------------------------------------------------------------------------------

TEST_P(Retry, KeepsTheErrorsOfTheLastAttemptsAndTheWholeDurationInHistory) {
  world<with_capped> app{file, book};
  book.meanwhile = [&] {
    app.pass(10ms);
    if (book.lines.size() < 6) throw std::runtime_error{"error " + std::to_string(book.lines.size())};
  };
  EXPECT_EQ(outcome(app), "completed 6");
  EXPECT_EQ(details(app, "capped:1"),
            (nlohmann::json{{"duration_ms", 1110}, {"errors", {"error 3", "error 4", "error 5"}}}));
  EXPECT_EQ(app.count("SELECT attempts FROM workflow_history"), 6);
}

TEST_P(Retry, KeepsTheErrorsBeforeTheOneThatIsTheFailure) {
  world<with_brief> app{file, book};
  book.meanwhile = [&] { throw std::runtime_error{"error " + std::to_string(book.lines.size())}; };
  EXPECT_EQ(outcome(app), "failed: brief:1 failed after 4 attempts: error 4");
  EXPECT_EQ(details(app, "brief:1"),
            (nlohmann::json{{"duration_ms", 700}, {"errors", {"error 1", "error 2", "error 3"}}}));
}

TEST_P(Retry, SaysNothingOfErrorsThatThereWereNot) {
  world<with_capped> app{file, book};
  EXPECT_EQ(outcome(app), "completed 1");
  EXPECT_EQ(details(app, "capped:1"), (nlohmann::json{{"duration_ms", 0}}));
}

TEST_P(Retry, KeepsErrorsShortAndReadable) {
  world<with_capped> app{file, book};
  const std::string long_text = [] {
    std::string text = "x";
    for (int i = 0; i < 400; ++i) text += "€";
    return text;
  }();
  book.meanwhile = [&] {
    if (book.lines.size() == 1) throw std::runtime_error{long_text};
    if (book.lines.size() == 2) throw std::runtime_error{std::string{"not \xFF UTF-8, \"quoted\"\n"} + '\0'};
  };
  EXPECT_EQ(outcome(app), "completed 3");
  const auto errors = details(app, "capped:1").at("errors");
  const auto first = errors.at(0).get<std::string>();
  EXPECT_LE(first.size(), 500U);
  EXPECT_GT(first.size(), 495U);
  EXPECT_TRUE(first.ends_with("€ …")) << first;
  EXPECT_EQ(errors.at(1).get<std::string>(), "not \uFFFD UTF-8, \"quoted\"\n");
}

ROMANCY_ON_EVERY_DATABASE(Retry);

} // namespace
} // namespace romancy::testing
