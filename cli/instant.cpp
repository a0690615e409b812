#include "cli/instant.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "cli/quantity.hpp"

namespace romancy::cli {

namespace {

/// Reads a text piece by piece, and remembers whether all of them were there.
class pieces {
public:
  explicit pieces(std::string_view text) : rest_{text} {}

  int number(std::size_t digits) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) value = value * 10 + (one_of("0123456789") - '0');
    return value;
  }
  char one_of(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) {
      good_ = false;
      return '0';
    }
    const char found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }
  /// One to six digits after a '.', if there is one.
  std::chrono::microseconds fraction() {
    if (!rest_.starts_with('.')) return {};
    rest_.remove_prefix(1);
    const auto digits = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    good_ = good_ && digits >= 1 && digits <= 6;
    if (!good_) return {};
    int value = number(digits);
    for (auto i = digits; i < 6; ++i) value *= 10;
    return std::chrono::microseconds{value};
  }
  std::chrono::minutes offset() {
    const char sign = one_of("Zz+-");
    if (sign == 'Z' || sign == 'z' || !good_) return {};
    const int hours = number(2);
    one_of(":");
    const int minutes = number(2);
    good_ = good_ && hours < 24 && minutes < 60;
    return std::chrono::minutes{(hours * 60 + minutes) * (sign == '-' ? -1 : 1)};
  }
  bool all_good() const { return good_ && rest_.empty(); }

private:
  std::string_view rest_;
  bool good_ = true;
};

[[noreturn]] void refuse(std::string_view text) {
  throw std::invalid_argument{
      '"' + std::string{text} +
      "\" is not a point in time; write it like 2026-11-28T18:50:32Z, or how long ago it was, such "
      "as 90s, 15m, 2h or 30d"};
}

/// https://www.rfc-editor.org/rfc/rfc3339#section-5.6
instant parse_date_time(std::string_view text) {
  using namespace std::chrono;
  pieces read{text};
  const year year{read.number(4)};
  read.one_of("-");
  const month month{static_cast<unsigned>(read.number(2))};
  read.one_of("-");
  const year_month_day date{year, month, day{static_cast<unsigned>(read.number(2))}};
  read.one_of("Tt ");
  const auto hour = read.number(2);
  read.one_of(":");
  const auto minute = read.number(2);
  read.one_of(":");
  const auto second = read.number(2);
  const auto fraction = read.fraction();
  const auto offset = read.offset();
  if (!read.all_good() || !date.ok() || year < std::chrono::year{1} || hour > 23 || minute > 59 || second > 59)
    refuse(text);
  return sys_days{date} + hours{hour} + minutes{minute} + seconds{second} + fraction - offset;
}

} // namespace

instant parse_instant(std::string_view text, instant now) {
  if (text.find('-') != std::string_view::npos || text.find(':') != std::string_view::npos) return parse_date_time(text);
  if (text.empty() || text.find_first_not_of("0123456789") != text.find_first_of("smhd")) refuse(text);
  constexpr std::uint64_t day = 86'400;
  const auto seconds = parse_quantity(text, {.noun = "time ago",
                                             .examples = "90s, 15m, 2h or 30d",
                                             .units = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", day}},
                                             .limit = 36'500 * day});
  return now - std::chrono::seconds{static_cast<std::chrono::seconds::rep>(seconds)};
}

} // namespace romancy::cli
