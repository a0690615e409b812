#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include <romancy/detail/definition_name.hpp>

namespace romancy::detail {

/// A few values in a constexpr definition, in order.
template <class T, std::size_t Most> class short_list {
public:
  constexpr short_list with(const T& value) const {
    if (size_ == Most) throw "romancy: too many of these on one definition";
    auto longer = *this;
    longer.values_[longer.size_++] = value;
    return longer;
  }
  constexpr std::span<const T> view() const { return {values_.data(), size_}; }

private:
  std::array<T, Most> values_{};
  std::size_t size_ = 0;
};

using former_names = short_list<std::string_view, 8>;

/// What happens to incoming events of a type, as a workflow declares it.
struct event_rule {
  std::string_view type;
  std::string_view member; ///< of the data: names the instance; empty: the event's own id does
  bool starts = false;     ///< an instance; else the event is for one
};
using event_rules = short_list<event_rule, 16>;

/// The type of an event, or a member of its data: a literal.
class literal {
public:
  template <std::size_t N> consteval literal(const char (&text)[N]) : text_{text, N - 1} {
    static_assert(N > 1, "romancy: the type of an event, or a member of its data, is not empty");
  }
  consteval literal(std::string_view text) : text_{text} {}
  constexpr std::string_view text() const { return text_; }

private:
  std::string_view text_;
};

} // namespace romancy::detail
