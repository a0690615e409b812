#pragma once

#include <string>
#include <utility>
#include <vector>

namespace romancy {

/// The conditions of a query that were really asked for, so that the database can use an index for them.
class where_clause {
public:
  /// `column = value`; an empty value restricts nothing.
  void add(const char* column, std::string value) {
    if (value.empty()) return;
    text_ += (text_.empty() ? " WHERE " : " AND ") + std::string{column} + " = :" + column;
    values_.push_back(std::move(value));
  }
  const std::string& text() const noexcept { return text_; }
  /// In the order of the placeholders.
  const std::vector<std::string>& values() const noexcept { return values_; }

private:
  std::string text_;
  std::vector<std::string> values_;
};

} // namespace romancy
