#pragma once

#include <functional>
#include <string>
#include <vector>

#include <caf/all.hpp>

namespace romancy {

/// How a child is started. `start` may throw; then it is tried again.
struct child_spec {
  std::string name;
  std::function<caf::actor(caf::event_based_actor* supervisor)> start;
  bool drains_at_once = false; ///< it gives the others work: it is told to end with the first, not in its turn
};
/// To be started after all that are there.
struct add_children {
  std::vector<child_spec> children;
};
/// Lets them finish, the last one first, and forgets them; then calls `removed`.
struct remove_children {
  std::vector<std::string> names;
  std::function<void()> removed;
};

} // namespace romancy

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(romancy::add_children)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(romancy::remove_children)
