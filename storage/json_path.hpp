#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace romancy {

/// Where a value is in the inputs of an instance: `$[0].order_id`, `$[1].items[0]."unit price"`. Only what the three
/// databases understand in the same way: indexes from the beginning, and names without control characters, '"' and '\'.
class json_path {
public:
  /// @throws query_error that quotes `text` and says what is wrong with it
  static json_path parse(std::string_view text);

  /// As databases read it, with every name in quotes: `$[1]."items"[0]."unit price"`. Of the first `steps` steps.
  std::string text(std::size_t steps) const;
  std::string text() const { return text(steps_.size()); }
  std::size_t size() const noexcept { return steps_.size(); }
  /// Whether the n-th step is an index, into what the steps before it lead to.
  bool is_index(std::size_t n) const { return steps_[n].front() == '['; }

private:
  std::vector<std::string> steps_; ///< `[0]`, `."order_id"`
};

} // namespace romancy
