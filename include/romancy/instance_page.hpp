#pragma once

#include <string>
#include <vector>

#include <romancy/instance_summary.hpp>

namespace romancy {

/// What storage::list_instances found, in the order of the filter.
struct instance_page {
  std::vector<instance_summary> items;
  /// For instance_filter::page, to go on after the last item; empty: there are no more. Opaque text of a-z, A-Z, 0-9, '-'
  /// and '_', which stays valid.
  std::string next;
};

} // namespace romancy
