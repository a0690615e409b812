#include "runtime/http_options_check.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include <boost/asio/ip/address.hpp>

#include <romancy/error.hpp>

namespace romancy {

namespace {

template <class Number> void check_range(const char* name, Number value, Number low, Number high, const char* unit) {
  if (value < low || value > high)
    throw startup_error{std::string{"http_options::"} + name + " is " + std::to_string(value) + unit + ": give it " +
                        std::to_string(low) + unit + " to " + std::to_string(high) + unit};
}

void check_time(const char* name, std::chrono::milliseconds time) {
  check_range<std::int64_t>(name, time.count(), 1, 3'600'000, " ms");
}

} // namespace

void check(const http_options& options) {
  boost::system::error_code error;
  boost::asio::ip::make_address(options.address, error);
  if (error)
    throw startup_error{"http_options::address is '" + options.address +
                        "', which is not an IP address: use 127.0.0.1, ::1, 0.0.0.0 or ::, or one of this host"};
  if (!std::ranges::all_of(options.bearer_token, [](char c) { return c > ' ' && c <= '~'; }))
    throw startup_error{
        "http_options::bearer_token has characters that no header can carry: use printable ASCII without "
        "spaces, such as openssl rand -hex 32 gives"};
  check_range<std::uint64_t>("max_body_bytes", options.max_body_bytes, 1, std::uint64_t{1} << 30U, "");
  check_range<std::uint64_t>("max_header_bytes", options.max_header_bytes, 1024, 1024 * 1024, "");
  check_time("request_timeout", options.request_timeout);
  check_time("idle_timeout", options.idle_timeout);
  check_range<std::int64_t>("max_connections", options.max_connections, 1, 65'536, "");
  check_range<std::uint64_t>("max_batch", options.max_batch, 1, 1'000'000, "");
  check_range<std::int64_t>("handlers", options.handlers, 1, 1024, "");
  check_range<std::int64_t>("max_backlog", options.max_backlog, 0, INT64_MAX, "");
}

} // namespace romancy
