#pragma once

#include <cstddef>
#include <string_view>
#include <type_traits>

#include <romancy/detail/type_list.hpp>

namespace romancy::detail {

/// A definition's name is data in someone's database: a literal of 1 to 128 characters, checked while compiling.
class definition_name {
public:
  template <std::size_t N> consteval definition_name(const char (&text)[N]) : text_{text, N - 1} {
    static_assert(N > 1, "romancy: a name must not be empty");
    static_assert(N <= 129, "romancy: a name has at most 128 characters");
    for (char c : text_)
      if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.'))
        throw "romancy: a name has only a-z, 0-9, '_' and '.'";
  }
  template <class T>
    requires(std::is_pointer_v<T> || std::is_convertible_v<const T&, std::string_view>)
  consteval definition_name(const T&) : text_{} {
    static_assert(always_false<T>, "romancy: write the name as a literal: it is stored in the database");
  }
  constexpr std::string_view text() const { return text_; }

private:
  std::string_view text_;
};

} // namespace romancy::detail
