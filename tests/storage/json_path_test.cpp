#include "storage/json_path.hpp"

#include <gtest/gtest.h>

#include <romancy/error.hpp>

#include "tests/support/refusal.hpp"

namespace romancy::testing {
namespace {

std::string why_refused(std::string_view text) {
  return refusal<query_error>([&] { static_cast<void>(json_path::parse(text)); });
}

TEST(JsonPath, PutsEveryNameInQuotes) {
  EXPECT_EQ(json_path::parse("$[0]").text(), "$[0]");
  EXPECT_EQ(json_path::parse("$[0].order_id").text(), R"($[0]."order_id")");
  EXPECT_EQ(json_path::parse(R"($[1].items[20]."unit price".net-amount)").text(),
            R"($[1]."items"[20]."unit price"."net-amount")");
  EXPECT_EQ(json_path::parse("$[0].größe").text(), R"($[0]."größe")");
  EXPECT_EQ(json_path::parse(R"($[0]."a.b[0]*'$ ?")").text(), R"($[0]."a.b[0]*'$ ?")");
}

TEST(JsonPath, KnowsItsSteps) {
  const auto path = json_path::parse("$[1].items[2]");
  EXPECT_EQ(path.size(), 3U);
  EXPECT_TRUE(path.is_index(0));
  EXPECT_FALSE(path.is_index(1));
  EXPECT_TRUE(path.is_index(2));
  EXPECT_EQ(path.text(2), R"($[1]."items")");
  EXPECT_EQ(path.text(0), "$");
}

TEST(JsonPath, QuotesTheWrongTextAndShowsRightOnes) {
  EXPECT_EQ(why_refused("order_id"),
            R"(the path "order_id" does not begin with '$': write it like $[0].order_id or $[1].items[0]."unit price")");
}

TEST(JsonPath, RefusesWhatDatabasesReadInDifferentWaysOrNotAtAll) {
  for (const auto* text : {"",
                           "$",
                           "$.order_id",
                           "$[*]",
                           "$[0].*",
                           "$[-1]",
                           "$[#-1]",
                           "$[last]",
                           "$[0",
                           "$[]",
                           "$[0]order_id",
                           "$[0].",
                           "$[0]..a",
                           "$[0].a b",
                           "$[0].a:b",
                           "$[0].\"\"",
                           "$[0].\"a",
                           "$[0].\"a\\\"b\"",
                           "$[0].\"a\nb\"",
                           "$[00]",
                           "$[1000000]",
                           "$[ 0 ]",
                           "$[0]?(@>1)",
                           "$[0].a'--",
                           "lax $[0]",
                           "$[0].\xff"})
    EXPECT_NE(why_refused(text).find("write it like"), std::string::npos) << text;
  std::string deep = "$";
  for (int i = 0; i < 30; ++i) deep += "[0]";
  EXPECT_EQ(json_path::parse(deep).size(), 30U);
  EXPECT_NE(why_refused(deep + "[0]").find("more than 30 steps"), std::string::npos);
}

} // namespace
} // namespace romancy::testing
