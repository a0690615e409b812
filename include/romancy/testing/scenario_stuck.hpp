#pragma once

#include <romancy/error.hpp>

namespace romancy::testing {

/// What a scenario was to run until does not come. The text says what everything waits for.
class scenario_stuck : public error {
public:
  using error::error;
};

} // namespace romancy::testing
