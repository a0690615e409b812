#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace romancy {

/// Text of SQL, and what is bound to it. Each placeholder has a name of its own: databases differ in what they make of
/// one that comes twice.
class sql_text {
public:
  sql_text& operator<<(std::string_view part) {
    text_ += part;
    return *this;
  }
  sql_text& bind(std::string value) {
    text_ += ":v" + std::to_string(values_.size());
    values_.push_back(std::move(value));
    return *this;
  }
  /// A piece of a dialect, with the path for '@' and the value for '#'.
  void add(std::string_view piece, const std::string& path, const std::string& value) {
    for (const char c : piece) {
      if (c == '@')
        bind(path);
      else if (c == '#')
        bind(value);
      else
        text_ += c;
    }
  }
  const std::string& text() const noexcept { return text_; }
  const std::vector<std::string>& values() const noexcept { return values_; }

private:
  std::string text_;
  std::vector<std::string> values_;
};

} // namespace romancy
