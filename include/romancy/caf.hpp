/// For services that bring their own actor system: the only public header that includes CAF.
///
///     caf::actor_system_config config;
///     romancy::configure(config);
///     caf::actor_system system{config};
///     romancy::app<process_order> app{{.database = "orders.db", .actor_system = &system}};
#pragma once

#include <algorithm>
#include <thread>

#include <caf/all.hpp>

#include <romancy/app_options.hpp>

namespace romancy {

/// Sets what an app needs of an actor system: the scheduler that shares its queue (with CAF's default a hop between
/// threads takes 90 instead of 13 microseconds) and at least two threads. Call it before the system is made; set anything
/// else before or after.
inline void configure(caf::actor_system_config& config) {
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", std::max(2, static_cast<int>(std::thread::hardware_concurrency())));
}

} // namespace romancy
