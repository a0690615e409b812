#pragma once

#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include <romancy/romancy.hpp>

#include "testing/temporary_directory.hpp"

namespace romancy::testing {

using namespace std::chrono_literals;

inline constexpr auto echo = activity("echo", [](activity_context& ctx, const std::string& text) -> std::string {
  send_event_transactional(ctx, "echoed", "", {{"text", text}});
  return text;
});
inline constexpr auto say =
    workflow("say", [](workflow_context<echo>& ctx, const std::string& text) -> task<std::string> {
      co_return co_await ctx.call<echo>(text);
    });
inline constexpr auto shout =
    workflow("shout", [](workflow_context<echo>& ctx, const std::string& text) -> task<std::string> {
      const auto answer = co_await ctx.call<echo>(text + "!");
      throw std::runtime_error{"too loud: " + answer};
    });

class RunningApp : public ::testing::Test {
protected:
  temporary_directory directory;
  std::string file = directory.file("app.db");
};

} // namespace romancy::testing
