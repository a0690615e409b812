#pragma once

#include "tests/actors/workflow_fixture.hpp"

namespace romancy::testing {

struct approved {
  static constexpr auto event_type = "order.approved";
  std::string by;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(approved, by)
struct rejected {
  static constexpr auto event_type = "order.rejected";
  std::string why;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(rejected, why)

/// Milliseconds since a simulation begins.
inline std::string milliseconds_of(detail::utc_time time) {
  return std::to_string(
      std::chrono::duration_cast<std::chrono::milliseconds>(time - std::chrono::sys_days{std::chrono::year{2026} / 1 / 1})
          .count());
}

inline constexpr auto note =
    activity("note", [](activity_context& ctx, const std::string& text) -> void { write_row(ctx, text); });

inline constexpr auto slow_note =
    activity("slow_note", [](activity_context& ctx, const std::string& text, notebook& book) -> std::string {
      book.perhaps_fail("not yet");
      write_row(ctx, text);
      return "noted " + text;
    }).retry(fixed(100s).max_attempts(3));

inline constexpr auto approval = workflow("approval", [](workflow_context<note>& ctx, int ms) -> task<std::string> {
  const auto decision = co_await ctx.wait_events<approved, rejected>(ms * 1ms);
  if (!decision) co_return "expired";
  if (const auto* yes = std::get_if<approved>(&*decision)) co_return "approved by " + yes->by;
  co_return "rejected: " + std::get<rejected>(*decision).why;
});

} // namespace romancy::testing
