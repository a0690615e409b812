/// From types to what the runtime sees: app<workflows...> becomes a constant table of functions that decode JSON, call
/// the user's function with its dependencies, and encode the result. Nothing here is for users.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include <romancy/workflow.hpp>

namespace romancy::detail {

template <class... Ins> std::tuple<Ins...> decode_inputs(list<Ins...>, [[maybe_unused]] const json& encoded) {
  if (!encoded.is_array() || encoded.size() != sizeof...(Ins))
    throw undecodable_input{std::to_string(encoded.is_array() ? encoded.size() : 1) +
                            " values are stored, today's code takes " + std::to_string(sizeof...(Ins))};
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return std::tuple<Ins...>{encoded.at(I).template get<Ins>()...};
  }
  (std::index_sequence_for<Ins...>{});
}

template <class... Ins> json encode_all(const std::tuple<Ins...>& values) {
  json encoded = json::array();
  std::apply([&](const auto&... value) { (encoded.push_back(encode(value)), ...); }, values);
  return encoded;
}

/// Calls `function` with a fresh context, decoded inputs and the dependencies it names; encodes the output.
/// @throws undecodable_input, before the function is called
template <class Shape, class Function>
json invoke(Function* function, activity_port& port, const json& encoded, const dependency_set& dependencies) {
  auto values = [&] {
    try {
      return decode_inputs(typename Shape::inputs{}, encoded);
    } catch (const std::exception& e) {
      throw undecodable_input{e.what()};
    }
  }();
  typename Shape::context ctx{port};
  return [&]<class... Deps>(list<Deps...>) -> json {
    auto call = [&](auto&... in) { return function(ctx, std::move(in)..., dependencies.get<Deps>()...); };
    if constexpr (std::is_void_v<typename Shape::output>) {
      std::apply(call, values);
      return nullptr;
    } else {
      return encode<typename Shape::output>(std::apply(call, values));
    }
  }(typename Shape::dependencies{});
}

template <const auto& A> constexpr activity_entry describe_activity() {
  using definition = definition_t<A>;
  activity_entry entry{A.name(),      A.retry(),   nullptr,   nullptr, !std::is_void_v<typename definition::output>,
                       A.isolation(), A.timeout(), A.former()};
  entry.run = [](activity_port& port, const json& inputs, const dependency_set& dependencies) {
    return invoke<typename definition::shape>(A.run(), port, inputs, dependencies);
  };
  if constexpr (definition::compensable) {
    entry.read_undo = [](const json& all) {
      static_cast<void>(decode_inputs(typename definition::undo_shape::inputs{}, all));
    };
    entry.undo = [](activity_port& port, const json& all, const dependency_set& dependencies) {
      return invoke<typename definition::undo_shape>(A.undo(), port, all, dependencies);
    };
  }
  return entry;
}

template <const auto& W> class workflow_coroutine_of final : public workflow_coroutine {
  using definition = definition_t<W>;
  using output = typename definition::output;

public:
  workflow_coroutine_of(instance_port& port, const json& inputs)
      : inputs_{decode_inputs(typename definition::inputs{}, inputs)}, context_{port},
        task_{std::apply([this](auto&... in) { return W.run()(context_, in...); }, inputs_)} {}
  void start() override { task_.start(); }
  bool done() const override { return task_.done(); }
  json result() override {
    if constexpr (std::is_void_v<output>) {
      task_.result();
      return nullptr;
    } else {
      return encode<output>(task_.result());
    }
  }

private:
  // In this order: the coroutine refers to the context and the inputs, and is destroyed before them.
  decltype(decode_inputs(typename definition::inputs{}, json())) inputs_;
  typename definition::context context_;
  task<output> task_;
};

template <const auto& W> constexpr workflow_entry describe_workflow() {
  using inputs = typename definition_t<W>::inputs;
  return {W.name(),
          [](instance_port& port, const json& encoded) -> std::unique_ptr<workflow_coroutine> {
            return std::make_unique<workflow_coroutine_of<W>>(port, encoded);
          },
          [](const json& encoded) { return encode_all(decode_inputs(inputs{}, encoded)); }, W.former(), W.rules()};
}

template <class Entry> consteval bool is_called(const Entry& entry, std::string_view name) {
  if (entry.name == name) return true;
  for (const auto& former : entry.former)
    if (former == name) return true;
  return false;
}
template <class Entries> consteval bool distinct_names(const Entries& entries) {
  for (std::size_t i = 0; i < entries.size(); ++i)
    for (std::size_t j = 0; j < entries.size(); ++j) {
      if (i == j) continue;
      if (is_called(entries[j], entries[i].name)) return false;
      for (const auto& former : entries[i].former)
        if (is_called(entries[j], former)) return false;
    }
  return true;
}

/// What a workflow needs to be served: the activities and the workflows among its steps, and what those need.
template <class Workflow> struct needs;
template <class Step, bool IsActivity> struct needs_of_step {
  using activities = list<Step>;
  using workflows = list<>;
};
template <class Step> struct needs_of_step<Step, false> : needs<Step> {};
template <class Steps> struct needs_of_steps;
template <class... Steps> struct needs_of_steps<list<Steps...>> {
  using activities = join_unique_t<typename needs_of_step<Steps, is_activity<typename Steps::type>>::activities...>;
  using workflows = join_unique_t<typename needs_of_step<Steps, is_activity<typename Steps::type>>::workflows...>;
};
template <class Workflow> struct needs {
  using of_steps = needs_of_steps<typename Workflow::type::context::steps>;
  using activities = typename of_steps::activities;
  using workflows = join_unique_t<list<Workflow>, typename of_steps::workflows>;
};

/// The closure of an app: its workflows, their steps, the steps' dependencies; all found in the types.
template <const auto&... Workflows> struct closure {
  using steps = join_unique_t<typename needs<constant<Workflows>>::activities...>;
  using served = join_unique_t<typename needs<constant<Workflows>>::workflows...>;
  using dependencies = join_unique_t<typename definition_t<Workflows>::context::dependencies...>;

  template <const auto&... Steps> static constexpr auto describe(list<constant<Steps>...>) {
    return std::array<activity_entry, sizeof...(Steps)>{describe_activity<Steps>()...};
  }
  static constexpr auto activities = describe(steps{});
  template <const auto&... Served> static constexpr auto describe_served(list<constant<Served>...>) {
    return std::array<workflow_entry, sizeof...(Served)>{describe_workflow<Served>()...};
  }
  static constexpr auto workflows = describe_served(served{});
  static_assert(distinct_names(activities), "romancy: two activities of this app share a name");
  static_assert(distinct_names(workflows), "romancy: two workflows of this app share a name");
  static constexpr definition_table table{activities, workflows};
};

template <class Dependency, class... Given> consteval bool check_given() {
  constexpr std::size_t fitting = (std::size_t{std::is_convertible_v<Given*, Dependency*>} + ... + 0);
  static_assert(fitting > 0, "romancy: a dependency of an activity is missing: pass it to romancy::app as an lvalue");
  static_assert(fitting < 2, "romancy: two arguments of romancy::app fit one dependency");
  return true;
}
template <class... Deps, class... Given> consteval bool check_dependencies(list<Deps...>, list<Given...>) {
  [[maybe_unused]] constexpr auto needed = []<class G>(list<G>) { return (std::is_convertible_v<G*, Deps*> || ...); };
  static_assert((needed(list<Given>{}) && ...), "romancy: no activity of this app takes this dependency");
  return (check_given<Deps, Given...>() && ...);
}
template <class... Deps, class... Given> dependency_set collect(list<Deps...>, Given&... given) {
  dependency_set set;
  [[maybe_unused]] auto add_if_fits = [&]<class D, class G>(list<D>, G& object) {
    if constexpr (std::is_convertible_v<G*, D*>) set.add<D>(object);
  };
  [[maybe_unused]] auto offer = [&](auto& object) { (add_if_fits(list<Deps>{}, object), ...); };
  (offer(given), ...);
  return set;
}

} // namespace romancy::detail
