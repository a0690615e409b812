#include "cli/answer_script.hpp"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/cli/refusal.hpp"

namespace romancy::cli {
namespace {

std::string text(const answer& drawn) {
  switch (drawn.what) {
    case answer::kind::close: return "close";
    case answer::kind::hang: return "hang";
    case answer::kind::status: break;
  }
  return std::to_string(drawn.status);
}

using answers = std::vector<std::string>;

answers draw(answer_script script, int count) {
  answers drawn;
  while (count-- > 0) drawn.push_back(text(script.next()));
  return drawn;
}

TEST(AnswerScript, IsAlways202WithoutAText) { EXPECT_EQ(draw({}, 3), (answers{"202", "202", "202"})); }

TEST(AnswerScript, GivesItsAnswersInOrderAndThen202) {
  EXPECT_EQ(draw(answer_script::parse("503,close,hang,404"), 6), (answers{"503", "close", "hang", "404", "202", "202"}));
}

TEST(AnswerScript, QuotesTheWrongEntryAndShowsRightOnes) {
  EXPECT_EQ(refusal([] { answer_script::parse("503,later,202"); }),
            "\"later\" is not an answer; write an HTTP status from 200 to 599, close or hang, such as 503,close,202");
}

TEST(AnswerScript, RefusesWhatIsNotAListOfAnswers) {
  for (const auto* text : {"", ",", "503,", ",503", "503,,202", "503, 202", "100", "600", "-503", "503x", "Close"})
    EXPECT_NE(refusal([&] { answer_script::parse(text); }).find("is not an answer"), std::string::npos) << text;
}

TEST(AnswerScript, DrawsTheSameAnswersFromTheSameSeed) {
  const auto* text = "202:6,503:2,close:2";
  EXPECT_EQ(draw(answer_script::random(text, 7), 1000), draw(answer_script::random(text, 7), 1000));
  EXPECT_NE(draw(answer_script::random(text, 7), 1000), draw(answer_script::random(text, 8), 1000));
}

TEST(AnswerScript, DrawsTheSameAnswersOnEveryMachine) {
  EXPECT_EQ(draw(answer_script::random("202:6,503:2,close:2", 42), 8),
            (answers{"503", "202", "202", "202", "202", "close", "503", "202"}));
}

TEST(AnswerScript, DrawsByWeight) {
  std::map<std::string, int> count;
  for (const auto& drawn : draw(answer_script::random("202:6,503:3,hang:1", 1), 10'000)) ++count[drawn];
  EXPECT_NEAR(count["202"], 6000, 300);
  EXPECT_NEAR(count["503"], 3000, 300);
  EXPECT_NEAR(count["hang"], 1000, 300);
}

TEST(AnswerScript, RefusesWhatIsNotAListOfWeights) {
  for (const auto* text :
       {"", "202", "202:", "202:0", "202:-1", "202:1000001", "202:1,", "202:1:1", "202:x", "202:6,503"})
    EXPECT_NE(refusal([&] { answer_script::random(text, 1); }).find("is not an answer with a weight"), std::string::npos)
        << text;
  EXPECT_NE(refusal([] { answer_script::random("99:1", 1); }).find("\"99\" is not an answer;"), std::string::npos);
}

} // namespace
} // namespace romancy::cli
