#pragma once

#include <string>
#include <vector>

namespace romancy {

/// What was done about the instances of a workflow that no running app serves.
struct unserved_workflow {
  std::string workflow;
  int marked = 0;                    ///< instances: they will be parked
  std::vector<std::string> parked{}; ///< ids
  std::string reason{};              ///< why they are
  bool more = false;                 ///< there may be more of them
};

} // namespace romancy
