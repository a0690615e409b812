#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <type_traits>

#include <romancy/activity_context.hpp>
#include <romancy/detail/definition_name.hpp>
#include <romancy/detail/definition_notes.hpp>
#include <romancy/detail/signature.hpp>
#include <romancy/external_context.hpp>
#include <romancy/isolation_level.hpp>
#include <romancy/retry_policy.hpp>

namespace romancy {

namespace detail {

template <class C>
inline constexpr bool is_activity_context = std::is_same_v<C, activity_context> || std::is_same_v<C, external_context>;

/// How the parameters of an activity or a compensation fall apart.
template <class Signature> struct activity_shape {
  static constexpr bool valid = false;
  using dependencies = list<>;
};
template <class Out, class Context, class... Params> struct activity_shape<Out(Context&, Params...)> {
  static constexpr bool valid = is_activity_context<Context>;
  using context = Context;
  using output = Out;
  using inputs = typename parameters<list<>, list<>, Params...>::inputs;
  using dependencies = typename parameters<list<>, list<>, Params...>::dependencies;
};

template <class Inputs, class Out> struct undo_inputs;
template <class... Ins, class Out> struct undo_inputs<list<Ins...>, Out> { using type = list<Ins..., Out>; };
template <class... Ins> struct undo_inputs<list<Ins...>, void> { using type = list<Ins...>; };

} // namespace detail

/// A named unit of work; a constexpr value made from a captureless lambda or a plain function:
///
///     constexpr auto create_order = romancy::activity("create_order",
///         [](romancy::activity_context& ctx, const std::string& id, double amount) -> receipt { … })
///         .compensate(cancel_order).retry(romancy::exponential(100ms).max_attempts(5));
///
/// The first parameter is the permission: activity_context is inside a transaction, external_context is not. Values and
/// const& after it are inputs, JSON both ways; non-const references are dependencies, bound once at `app`. The name is
/// stored in histories: renaming orphans running instances.
///
/// Spelled like std::function: activity<receipt(activity_context&, const std::string&, double)>. `Undo` is the signature
/// of its compensation. In headers write `inline constexpr`.
template <class Signature, class Undo = void> class activity {
  static_assert(
      detail::always_false<Signature>,
      "romancy: the first parameter of an activity is romancy::activity_context& or romancy::external_context&");
};

template <class Out, class Context, class... Params, class Undo> class activity<Out(Context&, Params...), Undo> {
  static_assert(
      detail::is_activity_context<Context>,
      "romancy: the first parameter of an activity is romancy::activity_context& or romancy::external_context&");
  static_assert(detail::check_output<Out>());
  using function = Out(Context&, Params...);
  using undo_pointer = std::add_pointer_t<std::conditional_t<std::is_void_v<Undo>, void(), Undo>>;

public:
  using shape = detail::activity_shape<function>;
  using undo_shape = detail::activity_shape<Undo>;
  using inputs = typename shape::inputs;
  using output = Out;
  using dependencies = detail::join_unique_t<typename shape::dependencies, typename undo_shape::dependencies>;
  static constexpr bool compensable = !std::is_void_v<Undo>;

  constexpr activity(detail::definition_name id, function* body, undo_pointer compensation = nullptr,
                     std::optional<retry_policy> policy = {}, isolation_level level = isolation_level::read_committed,
                     std::optional<std::chrono::milliseconds> limit = {}, detail::former_names former = {})
      : name_{id}, run_{body}, undo_{compensation}, retry_{policy}, isolation_{level}, timeout_{limit}, former_{former} {}

  /// `compensation` takes a context, the same inputs, the output, and dependencies of its own. When the workflow fails
  /// later on it runs with what history holds, in a transaction of its own, tried again by this activity's retry policy;
  /// the step completed last is undone first.
  template <class F> constexpr auto compensate(F compensation) const {
    using undo_signature = detail::signature_t<F>;
    using parts = detail::activity_shape<undo_signature>;
    static_assert(!compensable, "romancy: this activity has a compensation already");
    static_assert(parts::valid,
                  "romancy: a compensation takes romancy::activity_context& or romancy::external_context& first");
    if constexpr (parts::valid) {
      static_assert(std::is_void_v<typename parts::output>, "romancy: a compensation returns void");
      static_assert(std::is_same_v<typename parts::inputs, typename detail::undo_inputs<inputs, Out>::type>,
                    "romancy: a compensation takes (context&, inputs..., const output&, dependencies&...)");
    }
    return activity<function, undo_signature>{name_, run_, compensation, retry_, isolation_, timeout_, former_};
  }
  /// When failed attempts are tried again, of the compensation too. Default: app_options::default_retry.
  constexpr activity retry(retry_policy policy) const {
    return {name_, run_, undo_, policy, isolation_, timeout_, former_};
  }
  /// How long an attempt may run, and one of the compensation; counted from when a thread takes it up, without the time
  /// that it waits for a session. Then its stop token is requested; when its code has returned it counts as failed with
  /// attempt_timed_out, also if it returned normally, its rows are undone, and the retry policy decides. Code that never
  /// looks at `ctx.stop_token()` and never calls `ctx.check_stop()` is not interrupted, since C++ cannot: it keeps its
  /// thread until it returns, and the log says so at the deadline. At least 1 ms, at most 100 years: else as in
  /// retry_policy. Default: no limit.
  constexpr activity timeout(std::chrono::milliseconds limit) const {
    if (limit.count() < 1 || limit > std::chrono::hours{24 * 36'525})
      throw std::invalid_argument{"romancy: a timeout is 1 ms to 100 years"};
    return {name_, run_, undo_, retry_, isolation_, limit, former_};
  }
  /// Of its transaction, and of its compensation's. Default: read_committed.
  constexpr activity isolation(isolation_level level) const {
    static_assert(std::is_same_v<Context, activity_context>,
                  "romancy: an activity with an external_context has no transaction: it takes no isolation level");
    return {name_, run_, undo_, retry_, level, timeout_, former_};
  }
  /// The name it had before: what history has under it counts as this step.
  constexpr activity formerly(detail::definition_name old) const {
    return {name_, run_, undo_, retry_, isolation_, timeout_, former_.with(old.text())};
  }

  constexpr std::string_view name() const { return name_.text(); }
  constexpr const std::optional<retry_policy>& retry() const { return retry_; } ///< its own, if it has one
  constexpr std::optional<std::chrono::milliseconds> timeout() const { return timeout_; }
  constexpr isolation_level isolation() const { return isolation_; }
  constexpr function* run() const { return run_; }
  constexpr undo_pointer undo() const { return undo_; }
  constexpr std::span<const std::string_view> former() const { return former_.view(); }

private:
  detail::definition_name name_;
  function* run_;
  undo_pointer undo_;
  std::optional<retry_policy> retry_;
  isolation_level isolation_;
  std::optional<std::chrono::milliseconds> timeout_;
  detail::former_names former_;
};

template <class F> activity(detail::definition_name, F) -> activity<detail::signature_t<F>>;

namespace detail {
template <class D> inline constexpr bool is_activity = false;
template <class S, class U> inline constexpr bool is_activity<activity<S, U>> = true;
} // namespace detail

} // namespace romancy
