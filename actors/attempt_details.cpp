#include "actors/attempt_details.hpp"

#include <algorithm>
#include <string_view>

#include <nlohmann/json.hpp>

#include "actors/payload_text.hpp"

namespace romancy {

namespace {

constexpr std::size_t most_errors = 3;
constexpr std::size_t longest_error = 500;

/// Between characters.
std::string shortened(std::string text) {
  constexpr std::string_view ellipsis = " …";
  if (text.size() <= longest_error) return text;
  auto end = longest_error - ellipsis.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text.append(ellipsis);
}

} // namespace

void keep_error(std::vector<std::string>& errors, const std::string& message) {
  if (errors.size() == most_errors) errors.erase(errors.begin());
  errors.push_back(shortened(storable(message)));
}

std::string attempt_details(const execute_attempt& attempt, time_point now) {
  const auto duration = std::chrono::duration_cast<std::chrono::milliseconds>(now - attempt.first_began);
  nlohmann::json details{{"duration_ms", std::max<std::int64_t>(0, duration.count())}}; // the clock may be set meanwhile
  if (!attempt.errors.empty()) details["errors"] = attempt.errors;
  return details.dump();
}

} // namespace romancy
