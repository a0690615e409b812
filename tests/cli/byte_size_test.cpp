#include "cli/byte_size.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "tests/cli/refusal.hpp"

namespace romancy::cli {
namespace {

TEST(ByteSize, ReadsBytesAndItsPowersOf1024) {
  EXPECT_EQ(parse_byte_size("512B"), 512U);
  EXPECT_EQ(parse_byte_size("64KiB"), 65'536U);
  EXPECT_EQ(parse_byte_size("1MiB"), 1'048'576U);
  EXPECT_EQ(parse_byte_size("2GiB"), 2'147'483'648U);
  EXPECT_EQ(parse_byte_size("0B"), 0U);
}

TEST(ByteSize, QuotesTheWrongTextAndShowsRightOnes) {
  EXPECT_EQ(refusal([] { parse_byte_size("64KB"); }),
            "\"64KB\" is not a size; write a whole number and a unit, such as 512B, 64KiB, 1MiB or 2GiB");
}

TEST(ByteSize, RefusesWhatIsNotAWholeNumberWithAUnit) {
  for (const auto* text : {"", "64", "KiB", "-1KiB", "+1KiB", "1.5MiB", "1 MiB", " 1MiB", "1mib", "1M", "1MiB2"})
    EXPECT_NE(refusal([&] { parse_byte_size(text); }).find("is not a size"), std::string::npos) << text;
}

TEST(ByteSize, RefusesWhatDoesNotFit) {
  EXPECT_EQ(parse_byte_size("18446744073709551615B"), std::numeric_limits<std::size_t>::max());
  for (const auto* text : {"18446744073709551616B", "17179869184GiB", "18446744073709551615KiB"})
    EXPECT_NE(refusal([&] { parse_byte_size(text); }).find("is too large for a size"), std::string::npos) << text;
}

} // namespace
} // namespace romancy::cli
