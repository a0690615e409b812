/// What those that speak HTTP by Boost.Beast share: the event sink and the server. Takes long to compile; include it in
/// sources only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility> // Asio 1.74 forgets it

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http.hpp>

#include "actors/cloud_event_decoder.hpp"

namespace romancy::net {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using executor = asio::io_context::executor_type;
using task = asio::awaitable<void, executor>;
using tcp_socket = asio::basic_stream_socket<tcp, executor>;
using tcp_acceptor = asio::basic_socket_acceptor<tcp, executor>;
using request = http::request<http::string_body>;
using request_parser = http::request_parser<http::string_body>;

/// The completion token that resumes the coroutine and puts the error into `error`.
inline auto into(error_code& error) { return asio::redirect_error(asio::use_awaitable_t<executor>{}, error); }

/// Listens on `endpoint`, which may just have been left by another one. @throws boost::system::system_error
void listen(tcp_acceptor& acceptor, const tcp::endpoint& endpoint);

/// What the decoder wants to know of a request. @throws malformed_event, if one of these headers is there twice
http_headers event_headers(const request& message);

struct response {
  unsigned status = 200;
  std::string headers{}; ///< more of them, each with its line end
  std::string body{};    ///< JSON; empty: none
};

/// As it goes over the wire. By hand, because Beast's serializer takes several times as long. `last`: the connection is
/// closed afterwards. `only_headers`: the body is counted and left out.
std::string to_http(const response& answer, bool last, bool only_headers);

} // namespace romancy::net
