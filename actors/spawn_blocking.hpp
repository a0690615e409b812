#pragma once

#include <utility>

#include <caf/all.hpp>

#include "actors/environment.hpp"

namespace romancy {

/// Spawns an actor that may block: on a thread of its own, or among the others when the whole runtime has one thread.
template <class Actor, class Spawner, class... Args>
caf::actor spawn_blocking(Spawner* spawner, const environment& env, Args&&... args) {
  if (env.single_threaded()) return spawner->template spawn<Actor>(std::forward<Args>(args)...);
  return spawner->template spawn<Actor, caf::detached>(std::forward<Args>(args)...);
}

} // namespace romancy
