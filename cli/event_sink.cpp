#include "cli/event_sink.hpp"

#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "cli/cloud_event_decoder.hpp"

namespace romancy::cli {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using nlohmann::json;
using tcp = asio::ip::tcp;
using executor = asio::io_context::executor_type;
using task = asio::awaitable<void, executor>;
using tcp_socket = asio::basic_stream_socket<tcp, executor>;
using request = http::request<http::string_body>;

/// The completion token that resumes the coroutine and puts the error into `error`.
auto into(error_code& error) { return asio::redirect_error(asio::use_awaitable_t<executor>{}, error); }

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

/// The response as it goes over the wire. By hand, because Beast's serializer takes several times as long.
std::string to_http(const reply& answered, bool last, bool only_headers) {
  const auto status = answered.answer.status;
  const auto reason = http::obsolete_reason(static_cast<http::status>(status));
  auto text = "HTTP/1.1 " + std::to_string(status) + ' ';
  text.append(reason.data(), reason.size()).append("\r\n");
  if (last) text += "Connection: close\r\n";
  if (status == 405) text += "Allow: POST\r\n";
  std::string body;
  if (!answered.body.is_null()) {
    body = answered.body.dump(-1, ' ', false, json::error_handler_t::replace);
    text += "Content-Type: application/json\r\n";
  }
  if (status != 204 && status != 304) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  text += "\r\n";
  return only_headers ? text : text + body;
}

received_event decode(const request& message) {
  http_headers headers;
  for (const auto& field : message) {
    std::string name{field.name_string()};
    for (char& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (name != "content-type" && !name.starts_with("ce-")) continue;
    const auto [header, added] = headers.emplace(std::move(name), field.value());
    if (!added) throw std::invalid_argument{"there are two headers " + header->first};
  }
  return decode_cloud_event(headers, message.body());
}

/// Reads a whole request. A client that asks before it sends the body is told to go on.
task read(tcp_socket& peer, boost::beast::flat_buffer& buffer, http::request_parser<http::string_body>& parser,
          error_code& error) {
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
      const tcp::endpoint endpoint{asio::ip::address_v4::loopback(), options_.port};
      acceptor_.open(endpoint.protocol());
      acceptor_.set_option(tcp::acceptor::reuse_address{true});
      acceptor_.bind(endpoint);
      acceptor_.listen();
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
      http::request_parser<http::string_body> parser;
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
      event = decode(message);
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
  asio::basic_socket_acceptor<tcp, executor> acceptor_{context_};
  std::uint16_t port_ = 0;
  std::thread thread_;
};

event_sink::event_sink(event_sink_options options) : state_{std::make_unique<state>(std::move(options))} {}
event_sink::~event_sink() = default;

std::uint16_t event_sink::port() const noexcept { return state_->port(); }

} // namespace romancy::cli
