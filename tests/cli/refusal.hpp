#pragma once

#include <stdexcept>
#include <string>

namespace romancy::cli {

/// The sentence of the std::invalid_argument that `call` throws; empty, if it throws none.
template <class F> std::string refusal(F&& call) {
  try {
    call();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return {};
}

} // namespace romancy::cli
