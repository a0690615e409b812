#pragma once

#include <memory>

#include <spdlog/spdlog.h>

namespace romancy {

/// The logger "romancy": the service's own if it has registered one of that name, else a copy of spdlog's default one.
inline spdlog::logger& log() {
  static const auto logger = [] {
    if (auto given = spdlog::get("romancy")) return given;
    return spdlog::default_logger()->clone("romancy");
  }();
  return *logger;
}

} // namespace romancy
