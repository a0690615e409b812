#pragma once

#include <string>

namespace romancy::bench {

/// POSTs `count` bodies by libcurl's multi interface on one thread, `in_flight` at a time, connections kept alive;
/// returns requests a second. @throws std::runtime_error if one is not answered by 2xx
double raw_posts_per_second(const std::string& url, const std::string& body, int count, int in_flight);

} // namespace romancy::bench
