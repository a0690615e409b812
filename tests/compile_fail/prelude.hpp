/// What the cases share: a few definitions as a user writes them, each correct.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <romancy/romancy.hpp>

using namespace std::chrono_literals;
using romancy::activity_context;
using romancy::external_context;
using romancy::task;

struct order {
  std::string id;
  double amount = 0;
};
struct receipt {
  std::string id;
};
struct happened {
  static constexpr auto event_type = "it.happened";
  std::string id;
};
/// JSON, but no event_type.
struct silent {
  std::string id;
};
/// No JSON.
struct opaque {
  int value = 0;
};
/// An event_type, but no JSON.
struct opaque_event {
  static constexpr auto event_type = "it.was.opaque";
  int value = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(order, id, amount)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(receipt, id)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(happened, id)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(silent, id)

struct gateway {
  receipt charge(const order& o) { return {o.id}; }
  void refund(const receipt&) {}
};
struct fake_gateway : gateway {};
struct other {};

inline constexpr auto place =
    romancy::activity("place", [](activity_context&, const order& o) -> receipt { return {o.id}; });
inline constexpr auto pay =
    romancy::activity("pay", [](external_context&, const order& o, gateway& g) -> receipt { return g.charge(o); });
inline constexpr auto ship =
    romancy::activity("ship", [](activity_context&, const std::string& id, int parcels, bool express) -> int {
      return static_cast<int>(id.size()) + parcels + express;
    });

using steps = romancy::workflow_context<place, pay, ship>;
inline constexpr auto flow = romancy::workflow(
    "flow", [](steps& ctx, const order& in) -> task<receipt> { co_return co_await ctx.call<place>(in); });
inline constexpr auto simple =
    romancy::workflow("simple", [](romancy::workflow_context<place>& ctx, const order& in) -> task<receipt> {
      co_return co_await ctx.call<place>(in);
    });
