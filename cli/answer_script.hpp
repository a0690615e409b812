#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string_view>
#include <vector>

#include "cli/answer.hpp"

namespace romancy::cli {

/// The answers of an event sink, in the order of the events it receives. A value; not for several threads at once.
///
///     answer_script::parse("503,close,202")                        // then 202 for ever
///     answer_script::random("202:6,503:2,close:2", /* seed */ 42)  // for ever
class answer_script {
public:
  /// 202 for ever.
  answer_script() = default;

  /// One answer for each received event, comma separated: an HTTP status from 200 to 599, `close` or `hang`. When the
  /// list is used up every answer is 202.
  /// @throws std::invalid_argument with a sentence that quotes the wrong entry
  static answer_script parse(std::string_view text);

  /// Draws each answer by weight, for ever; the same seed draws the same answers on every machine. `text` is a comma
  /// separated list of answers, each with `:` and a weight from 1 to 1000000.
  /// @throws std::invalid_argument with a sentence that quotes the wrong entry
  static answer_script random(std::string_view text, std::uint64_t seed);

  answer next();

private:
  std::vector<answer> answers_;
  std::vector<std::uint64_t> bounds_; ///< with a generator: the sum of the weights up to and with each answer
  std::optional<std::mt19937_64> generator_;
  std::size_t next_ = 0; ///< without a generator
};

} // namespace romancy::cli
