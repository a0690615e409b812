#pragma once

#include <cstddef>
#include <string>

#include <nlohmann/json.hpp>

namespace romancy {

/// `value` as the JSON text that is stored and read back, live and on replay alike. `what` names it in errors: "the
/// output of charge_card:1". @throws payload_error for text that is not UTF-8, for NaN and infinity, beyond 512
/// levels and beyond `max_bytes`.
std::string payload_text(const nlohmann::json& value, const std::string& what, std::size_t max_bytes);

/// What an exception said, as history and JSON can keep it: valid UTF-8, at most 4 KiB.
std::string storable(std::string message);

/// @throws payload_error
void check_size(std::size_t bytes, const std::string& what, std::size_t max_bytes);

} // namespace romancy
