#pragma once

#include <string>

namespace romancy::testing {

/// What `action` says when it throws `Error`; empty when it does not.
template <class Error, class Action> std::string refusal(Action action) {
  try {
    action();
  } catch (const Error& e) {
    return e.what();
  }
  return {};
}

} // namespace romancy::testing
