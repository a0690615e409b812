#include "storage/host_process.hpp"

#include <gtest/gtest.h>

namespace romancy::testing {
namespace {

TEST(HostProcess, KnowsWhoRunsAndWhoDoesNot) {
  const auto self = host_process::self();
  ASSERT_FALSE(self.host.empty());
  EXPECT_FALSE(host_process::is_gone(self.host, self.process));
  EXPECT_FALSE(host_process::is_gone("another host", "999999:1"));
  EXPECT_TRUE(host_process::is_gone(self.host, "999999:1"));
  EXPECT_TRUE(host_process::is_gone(self.host,
                                    self.process.substr(0, self.process.find(':')) + ":1")); // its number went to another
}

} // namespace
} // namespace romancy::testing
