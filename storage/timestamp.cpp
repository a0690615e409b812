#include "storage/timestamp.hpp"

#include <charconv>

#include <romancy/error.hpp>

namespace romancy {

namespace {

void put(char* at, unsigned value, int digits) {
  for (int i = digits; i-- > 0; value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

int number(std::string_view text, std::size_t at, std::size_t digits) {
  int value = 0;
  const auto* begin = text.data() + at;
  const auto [end, failure] = std::from_chars(begin, begin + digits, value);
  if (failure != std::errc{} || end != begin + digits)
    throw storage_error{"'" + std::string{text} + "' is no time of the form YYYY-MM-DD HH:MM:SS.ffffff", false};
  return value;
}

} // namespace

std::string to_text(time_point time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  std::string text = "0000-00-00 00:00:00.000000";
  put(&text[0], static_cast<unsigned>(static_cast<int>(date.year())), 4);
  put(&text[5], static_cast<unsigned>(date.month()), 2);
  put(&text[8], static_cast<unsigned>(date.day()), 2);
  put(&text[11], static_cast<unsigned>(clock.hours().count()), 2);
  put(&text[14], static_cast<unsigned>(clock.minutes().count()), 2);
  put(&text[17], static_cast<unsigned>(clock.seconds().count()), 2);
  put(&text[20], static_cast<unsigned>(clock.subseconds().count()), 6);
  return text;
}

time_point to_time_point(std::string_view text) {
  using namespace std::chrono;
  if (text.size() < 19)
    throw storage_error{"'" + std::string{text} + "' is no time of the form YYYY-MM-DD HH:MM:SS.ffffff", false};
  const year_month_day date{year{number(text, 0, 4)}, month{static_cast<unsigned>(number(text, 5, 2))},
                            day{static_cast<unsigned>(number(text, 8, 2))}};
  microseconds fraction{0};
  if (text.size() > 20 && text[19] == '.') {
    int scale = 100'000;
    for (std::size_t i = 20; i < text.size() && text[i] >= '0' && text[i] <= '9' && scale > 0; ++i, scale /= 10)
      fraction += microseconds{(text[i] - '0') * scale};
  }
  return time_point{sys_days{date}} + hours{number(text, 11, 2)} + minutes{number(text, 14, 2)} +
         seconds{number(text, 17, 2)} + fraction;
}

} // namespace romancy
