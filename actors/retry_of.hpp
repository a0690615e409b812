#pragma once

#include <romancy/app_options.hpp>
#include <romancy/detail/ports.hpp>

namespace romancy {

/// The policy of a step; null: one that is no activity.
inline const retry_policy& retry_of(const detail::activity_entry* entry, const app_options& options) {
  return entry && entry->retry ? *entry->retry : options.default_retry;
}

} // namespace romancy
