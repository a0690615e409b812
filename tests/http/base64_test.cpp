#include "actors/base64.hpp"

#include <string>

#include <gtest/gtest.h>

namespace romancy {
namespace {

using namespace std::string_view_literals;

TEST(Base64, EncodesTheVectorsOfRfc4648) {
  EXPECT_EQ(to_base64(""), "");
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("fo"), "Zm8=");
  EXPECT_EQ(to_base64("foo"), "Zm9v");
  EXPECT_EQ(to_base64("foob"), "Zm9vYg==");
  EXPECT_EQ(to_base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
}

TEST(Base64, EncodesEveryBit) { EXPECT_EQ(to_base64("\x00\xff\xfb\xef\xbe"sv), "AP/7774="); }

TEST(Base64, DecodesWhatItEncodes) {
  for (const auto bytes : {""sv, "f"sv, "fo"sv, "foo"sv, "\x00\xff\xfb\xef\xbe"sv})
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
}

TEST(Base64, KnowsWhatIsBase64) {
  for (const auto text : {"", "Zg==", "Zm8=", "Zm9v", "AP/7774="}) EXPECT_TRUE(is_base64(text)) << text;
}

TEST(Base64, KnowsWhatIsNot) {
  for (const auto text : {"Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9-", "Zm 9", "Zm9v\n"})
    EXPECT_FALSE(is_base64(text)) << text;
}

} // namespace
} // namespace romancy
