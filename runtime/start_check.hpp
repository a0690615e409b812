#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include <romancy/detail/ports.hpp>
#include <romancy/instance_id.hpp>

#include "actors/environment.hpp"
#include "messages/instance_record.hpp"

namespace romancy {

/// The instance that is asked for. @throws error, payload_error
instance_record checked_start(const environment& env, std::string_view workflow, const nlohmann::json& inputs,
                              std::optional<instance_id> id, std::optional<std::chrono::microseconds> time_limit);

/// Names of one workflow, which may have been renamed.
bool is_same_workflow(const detail::definition_table& definitions, std::string_view one, std::string_view other);

/// @throws instance_conflict if `there`, which exists under its id, is not what is asked for
void check_same_start(const detail::definition_table& definitions, const instance_record& there,
                      const instance_record& asked);

/// What a run gets. @throws instance_failed
nlohmann::json output_of(const instance_record& settled);

} // namespace romancy
