#pragma once

#include <memory>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace romancy {

/// The logger "romancy": the service's own if it has registered one of that name before the first app is made, else one
/// that writes to stderr.
inline spdlog::logger& log() {
  static const auto logger = [] {
    if (auto given = spdlog::get("romancy")) return given;
    return std::make_shared<spdlog::logger>("romancy", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  }();
  return *logger;
}

} // namespace romancy
