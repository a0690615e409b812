#include "cli/answer_script.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>
#include <system_error>

namespace romancy::cli {
namespace {

/// The number that `text` is, if it is one from `low` to `high`.
std::optional<unsigned> whole_number(std::string_view text, unsigned low, unsigned high) {
  unsigned number = 0;
  const auto* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end || number < low || number > high) return std::nullopt;
  return number;
}

answer parse_answer(std::string_view text) {
  if (text == "close") return {answer::kind::close, 0};
  if (text == "hang") return {answer::kind::hang, 0};
  if (const auto status = whole_number(text, 200, 599)) return {answer::kind::status, *status};
  throw std::invalid_argument{'"' + std::string{text} +
                              "\" is not an answer; write an HTTP status from 200 to 599, close or hang, such as "
                              "503,close,202"};
}

/// Cuts the text before the first comma, or all of it, off `list`.
std::string_view cut_entry(std::string_view& list, bool& more) {
  const auto comma = list.find(',');
  const auto entry = list.substr(0, comma);
  more = comma != std::string_view::npos;
  list.remove_prefix(more ? comma + 1 : list.size());
  return entry;
}

} // namespace

answer_script answer_script::parse(std::string_view text) {
  answer_script script;
  for (bool more = true; more;) script.answers_.push_back(parse_answer(cut_entry(text, more)));
  return script;
}

answer_script answer_script::random(std::string_view text, std::uint64_t seed) {
  answer_script script;
  script.generator_.emplace(seed);
  std::uint64_t sum = 0;
  for (bool more = true; more;) {
    const auto entry = cut_entry(text, more);
    const auto colon = entry.find(':');
    const auto weight =
        colon == std::string_view::npos ? std::nullopt : whole_number(entry.substr(colon + 1), 1, 1'000'000);
    if (!weight)
      throw std::invalid_argument{'"' + std::string{entry} +
                                  "\" is not an answer with a weight from 1 to 1000000; write a list such as "
                                  "202:6,503:2,close:2"};
    script.answers_.push_back(parse_answer(entry.substr(0, colon)));
    script.bounds_.push_back(sum += *weight);
  }
  return script;
}

answer answer_script::next() {
  if (generator_) {
    // Not std::discrete_distribution: each standard library has its own.
    const auto drawn = (*generator_)() % bounds_.back();
    return answers_[static_cast<std::size_t>(std::ranges::upper_bound(bounds_, drawn) - bounds_.begin())];
  }
  return next_ < answers_.size() ? answers_[next_++] : answer{};
}

} // namespace romancy::cli
