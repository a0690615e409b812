#include "cli/event_sink.hpp"

#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "actors/http_message.hpp"

namespace romancy::cli {
namespace {

namespace asio = net::asio;
namespace http = net::http;
using net::error_code;
using net::into;
using net::request;
using net::task;
using net::tcp;
using net::tcp_socket;
using nlohmann::json;

/// How one request is answered. What the script answers has no body.
struct reply {
  cli::answer answer;
  json body{};
};

reply refusal(http::status status, std::string sentence) {
  return {{.status = static_cast<unsigned>(status)}, {{"error", std::move(sentence)}}};
}

/// What a request gets that could not be read; nothing, if the client is gone.
std::optional<reply> refusal_of(const error_code& error) {
  if (error == http::error::body_limit)
    return refusal(http::status::payload_too_large,
                   "the body is larger than " + std::to_string(event_sink::max_body_bytes) + " bytes");
  if (error == http::error::header_limit)
    return refusal(http::status::request_header_fields_too_large,
                   "the headers are larger than " + std::to_string(event_sink::max_header_bytes) + " bytes");
  if (error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
  if (error.category() == http::make_error_code(http::error::bad_version).category())
    return refusal(http::status::bad_request, "this is not HTTP/1.1: " + error.message());
  return std::nullopt;
}

std::string to_http(const reply& answered, bool last, bool only_headers) {
  net::response answer{.status = answered.answer.status};
  if (answer.status == 405) answer.headers = "Allow: POST\r\n";
  if (!answered.body.is_null()) answer.body = answered.body.dump(-1, ' ', false, json::error_handler_t::replace);
  return net::to_http(answer, last, only_headers);
}

/// Reads a whole request. A client that asks before it sends the body is told to go on.
task read(tcp_socket& peer, boost::beast::flat_buffer& buffer, net::request_parser& parser, error_code& error) {
  parser.eager(true);
  parser.body_limit(event_sink::max_body_bytes);
  parser.header_limit(event_sink::max_header_bytes);
  bool asked = false;
  while (!error && !parser.is_done()) {
    co_await http::async_read_some(peer, buffer, parser, into(error));
    if (error || asked || parser.is_done() || !parser.is_header_done()) continue;
    asked = true;
    if (boost::beast::iequals(parser.get()[http::field::expect], "100-continue"))
      co_await asio::async_write(peer, asio::buffer(std::string_view{"HTTP/1.1 100 Continue\r\n\r\n"}), into(error));
  }
}

/// Waits until the client closes the connection; what it still sends is thrown away, so that it can read its answer.
task drain(tcp_socket& peer) {
  std::string waste(std::size_t{64} * 1024, '\0');
  for (error_code error; !error;) co_await peer.async_read_some(asio::buffer(waste), into(error));
}

} // namespace

/// Everything but construction and destruction happens on the thread.
class event_sink::state {
public:
  explicit state(event_sink_options options) : options_{std::move(options)} {
    try {
      net::listen(acceptor_, {asio::ip::address_v4::loopback(), options_.port});
      port_ = acceptor_.local_endpoint().port();
    } catch (const boost::system::system_error& e) {
      throw std::runtime_error{"cannot listen on 127.0.0.1:" + std::to_string(options_.port) + ": " + e.code().message() +
                               "; choose another port, or 0 for any that is free"};
    }
    spawn(accept());
    thread_ = std::thread{[this] { context_.run(); }};
  }

  ~state() {
    context_.stop();
    thread_.join();
  }

  std::uint16_t port() const noexcept { return port_; }

private:
  void spawn(task work) {
    asio::co_spawn(context_.get_executor(), std::move(work), [](std::exception_ptr failure) {
      if (failure) std::rethrow_exception(failure);
    });
  }

  task accept() {
    for (;;) {
      error_code error;
      auto peer = co_await acceptor_.async_accept(into(error));
      if (!error) {
        peer.set_option(tcp::no_delay{true}, error);
        spawn(serve(std::move(peer)));
      } else {
        co_await pause(std::chrono::milliseconds{100}); // no descriptors left, most likely
      }
    }
  }

  task serve(tcp_socket peer) {
    boost::beast::flat_buffer buffer;
    for (;;) {
      net::request_parser parser;
      error_code error;
      co_await read(peer, buffer, parser, error);
      const auto& message = parser.get();
      const auto answered = error ? refusal_of(error) : receive(message);
      if (!answered) co_return;

      if (options_.delay.count() > 0) co_await pause(options_.delay);
      if (answered->answer.what == answer::kind::close) co_return;
      if (answered->answer.what == answer::kind::hang) co_return co_await drain(peer);

      const bool last = error || message.version() < 11 || !message.keep_alive();
      const auto text = to_http(*answered, last, message.method() == http::verb::head);
      co_await asio::async_write(peer, asio::buffer(text), into(error));
      if (error) co_return;
      if (!last) continue;
      peer.shutdown(tcp_socket::shutdown_send, error);
      co_return co_await drain(peer);
    }
  }

  std::optional<reply> receive(const request& message) {
    if (message.method() == http::verb::get && message.target() == "/received")
      return reply{{.status = 200}, {{"received", received_}, {"unique", unique_.size()}}};
    if (message.method() != http::verb::post)
      return refusal(http::status::method_not_allowed, "send events by POST; GET has only /received");
    received_event event;
    try {
      event = decode_cloud_event(net::event_headers(message), message.body());
    } catch (const std::invalid_argument& e) {
      return refusal(http::status::bad_request, e.what());
    }
    const auto answer = options_.script.next();
    event.status = answer.status;
    ++received_;
    unique_.insert(event.source + '\n' + event.id); // neither has control characters
    if (options_.on_event) options_.on_event(event);
    return reply{answer};
  }

  task pause(std::chrono::milliseconds time) {
    error_code error;
    asio::steady_timer timer{context_, time};
    co_await timer.async_wait(into(error));
  }

  event_sink_options options_;
  std::uint64_t received_ = 0;
  std::unordered_set<std::string> unique_;
  asio::io_context context_{1};
  net::tcp_acceptor acceptor_{context_};
  std::uint16_t port_ = 0;
  std::thread thread_;
};

event_sink::event_sink(event_sink_options options) : state_{std::make_unique<state>(std::move(options))} {}
event_sink::~event_sink() = default;

std::uint16_t event_sink::port() const noexcept { return state_->port(); }

} // namespace romancy::cli
