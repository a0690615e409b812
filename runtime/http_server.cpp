#include "runtime/http_server.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <ctime>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <romancy/error.hpp>

#include "actors/http_message.hpp"
#include "actors/log.hpp"
#include "runtime/handler_pool.hpp"
#include "runtime/http_options_check.hpp"
#include "runtime/http_routes.hpp"

namespace romancy {

namespace {

namespace asio = net::asio;
namespace http = net::http;
using net::error_code;
using net::into;
using net::task;
using net::tcp;
using net::tcp_socket;
using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

/// Clients that are turned away at once, beside max_connections; those beyond are closed without a word.
constexpr int max_turned_away = 64;
/// How long a client may take to close after the last answer.
constexpr milliseconds farewell{5'000};

http_options checked(http_options options) {
  check(options);
  return options;
}

/// RFC 7231, section 7.1.1.1; in no locale.
std::string date_header() {
  static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  return fmt::format("Date: {}, {:02} {} {} {:02}:{:02}:{:02} GMT\r\n", days[static_cast<std::size_t>(utc.tm_wday)],
                     utc.tm_mday, months[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                     utc.tm_min, utc.tm_sec);
}

/// What a request gets that could not be read; nothing, if the client is gone.
std::optional<net::response> refusal_of(const error_code& error, bool timed_out, const http_options& options) {
  if (timed_out)
    return refusal(408, "request_timeout",
                   "the request was not here after " + std::to_string(options.request_timeout.count()) + " ms", true);
  if (error == http::error::body_limit)
    return refusal(413, "payload_too_large",
                   "the body is larger than " + std::to_string(options.max_body_bytes) + " bytes");
  if (error == http::error::header_limit)
    return refusal(431, "headers_too_large",
                   "the headers are larger than " + std::to_string(options.max_header_bytes) + " bytes");
  if (error == http::error::bad_version)
    return refusal(505, "http_version_not_supported", "only HTTP/1.1 and HTTP/1.0 are spoken here");
  if (error == http::error::end_of_stream) return std::nullopt;
  if (error.category() == http::make_error_code(http::error::bad_version).category())
    return refusal(400, "invalid_request", "this is not HTTP/1.1: " + error.message());
  return std::nullopt;
}

/// Whether it is refused because of doubts where the request ends: what follows is not read as another one.
bool doubts_end(const net::response& refused) {
  return refused.status == 400 || refused.status == 411 || refused.status == 501;
}

net::response busy() { return refusal(503, "busy", "all handlers are busy: try again later", true); }

/// The way back from handlers to the network thread, until there is none any more.
class mailbox {
public:
  explicit mailbox(asio::io_context& context) : context_{&context} {}
  void tell(std::function<void()> news) {
    const std::lock_guard lock{mutex_};
    if (context_ != nullptr) asio::post(*context_, std::move(news));
  }
  void close() {
    const std::lock_guard lock{mutex_};
    context_ = nullptr;
  }

private:
  std::mutex mutex_;
  asio::io_context* context_;
};

/// A request that a handler works on.
struct exchange {
  std::atomic<bool> taken{false}; ///< by the handler, or given up
  net::response answer{};
  bool done = false; ///< the network thread's
};

struct connection {
  connection(tcp_socket socket, asio::io_context& context) : peer{std::move(socket)}, deadline{context}, done{context} {}

  tcp_socket peer;
  asio::steady_timer deadline;
  asio::steady_timer done; ///< cancelled when the exchange is
  boost::beast::flat_buffer buffer;
  std::string client;
  bool turned_away = false;
  bool waits = false; ///< for a request, or for the client to close: can be cut off any time
  bool asked = false; ///< a request that is not answered
  bool timed_out = false;
  std::uint64_t phase = 0; ///< that the deadline is for
};
using connection_ptr = std::shared_ptr<connection>;

} // namespace

/// Everything but construction, stop and destruction happens on the thread.
class http_server::state {
public:
  state(http_options options, std::shared_ptr<http_service> service)
      : shared_options_{std::make_shared<const http_options>(checked(std::move(options)))},
        routes_{shared_options_, std::move(service)}, handlers_{options_.handlers}, prober_{1} {
    const auto address = asio::ip::make_address(options_.address);
    try {
      net::listen(acceptor_, {address, options_.port});
      port_ = acceptor_.local_endpoint().port();
    } catch (const boost::system::system_error& e) {
      throw startup_error{"cannot listen on " + options_.address + " port " + std::to_string(options_.port) + ": " +
                          e.code().message() + "; choose another http_options::port, or 0 for any that is free"};
    }
    log().info("listens for HTTP on {} port {}", options_.address, port_);
    if (!address.is_loopback() && options_.bearer_token.empty())
      log().warn("whoever reaches {} port {} may send events and cancel instances: set http_options::bearer_token",
                 options_.address, port_);
    asio::co_spawn(context_.get_executor(), accept(), [](const std::exception_ptr& failure) {
      if (failure) log().critical("accepts no more HTTP connections");
    });
    thread_ = std::thread{[this] { run(); }};
  }

  ~state() { stop(milliseconds{0}); }

  std::uint16_t port() const noexcept { return port_; }

  int stop(milliseconds patience) noexcept {
    if (stop_called_.exchange(true)) return 0;
    const auto until = clock::now() + patience;
    asio::post(context_, [this] { begin_stop(); });
    {
      std::unique_lock lock{mutex_};
      drained_.wait_until(lock, until, [this] { return is_drained_; });
    }
    context_.stop();
    thread_.join();
    mailbox_->close();
    const auto rest = std::max(milliseconds{0}, std::chrono::duration_cast<milliseconds>(until - clock::now()));
    handlers_.stop(rest);
    prober_.stop(milliseconds{0});
    const auto cut = std::ranges::count_if(all_, [](const connection* c) { return c->asked; });
    if (cut > 0) log().warn("{} HTTP requests were cut off: they took longer than the app had to stop", cut);
    return static_cast<int>(cut);
  }

private:
  void run() {
    for (;;) try {
        context_.run();
        return;
      } catch (const std::exception& e) { // out of memory, most likely
        log().error("the HTTP thread goes on after: {}", e.what());
      }
  }

  void begin_stop() {
    stopping_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    for (auto* c : all_)
      if (c->waits) c->peer.cancel(ignored);
    look_whether_drained();
  }

  void look_whether_drained() {
    if (!stopping_ || !all_.empty()) return;
    const std::lock_guard lock{mutex_};
    is_drained_ = true;
    drained_.notify_all();
  }

  task accept() {
    while (!stopping_) {
      error_code error;
      auto peer = co_await acceptor_.async_accept(into(error));
      if (stopping_) break;
      if (!error) {
        admit(std::move(peer));
        continue;
      }
      asio::steady_timer pause{context_, milliseconds{100}}; // no descriptors left, most likely
      co_await pause.async_wait(into(error));
    }
  }

  void admit(tcp_socket peer) try {
    error_code ignored;
    peer.set_option(tcp::no_delay{true}, ignored);
    const auto c = std::make_shared<connection>(std::move(peer), context_);
    const auto from = c->peer.remote_endpoint(ignored);
    if (!ignored) c->client = from.address().to_string();
    c->turned_away = open_ >= options_.max_connections;
    auto& counter = c->turned_away ? turned_away_ : open_;
    if (c->turned_away && turned_away_ >= max_turned_away) return;
    auto work = c->turned_away ? turn_away(c) : serve(c);
    ++counter;
    all_.insert(c.get());
    asio::co_spawn(context_.get_executor(), std::move(work), [this, c, &counter](const std::exception_ptr& failure) {
      all_.erase(c.get());
      --counter;
      c->deadline.cancel();
      if (failure) tell_of(failure);
      look_whether_drained();
    });
  } catch (const std::exception& e) {
    log().error("an HTTP connection was dropped: {}", e.what());
  }

  static void tell_of(const std::exception_ptr& failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& e) {
      log().error("an HTTP connection was dropped: {}", e.what());
    } catch (...) {
      log().error("an HTTP connection was dropped");
    }
  }

  /// What the connection waits for is cut off after `time`, unless `limit` or `unlimit` comes before.
  void limit(const connection_ptr& c, milliseconds time) {
    c->timed_out = false;
    ++c->phase;
    cut_off_after(c, time);
  }
  void unlimit(const connection_ptr& c) {
    ++c->phase;
    c->deadline.cancel();
  }
  void cut_off_after(const connection_ptr& c, milliseconds time) {
    c->deadline.expires_after(time);
    c->deadline.async_wait([this, weak = std::weak_ptr{c}, phase = c->phase](const error_code& error) {
      const auto late = weak.lock();
      if (error || !late || late->phase != phase) return;
      late->timed_out = true;
      error_code ignored;
      late->peer.cancel(ignored);
      cut_off_after(late, milliseconds{10}); // when something had just arrived, it was not cut off
    });
  }

  task serve(connection_ptr c) {
    for (;;) {
      bool here = c->buffer.size() > 0;
      if (!here) co_await wait_for_request(c, here);
      if (!here) co_return;

      net::request_parser parser;
      parser.body_limit(options_.max_body_bytes);
      parser.header_limit(static_cast<std::uint32_t>(options_.max_header_bytes));
      http_routes::route route;
      std::optional<net::response> refused;
      error_code error;
      limit(c, options_.request_timeout);
      co_await http::async_read_header(c->peer, c->buffer, parser, into(error));
      c->asked = !error;
      if (!error) refused = routes_.refuse(parser, route);
      if (!error && !refused && !parser.is_done()) co_await read_body(c, parser, error);
      const bool timed_out = c->timed_out;
      unlimit(c);
      if (error) {
        refused = refusal_of(error, timed_out, options_);
        if (!refused) co_return;
      }

      const bool is_whole = !error && parser.is_done();
      const bool only_headers = parser.get().method() == http::verb::head;
      const bool keep =
          is_whole && !(refused && doubts_end(*refused)) && parser.get().version() >= 11 && parser.get().keep_alive();
      net::response answer;
      if (refused)
        answer = *std::move(refused);
      else
        co_await handle(c, route, parser.get(), answer);

      const bool last = !keep || stopping_;
      co_await write(c, std::move(answer), last, only_headers, error);
      c->asked = false;
      if (error) co_return;
      if (!last) continue;
      co_await part(c, is_whole);
      co_return;
    }
  }

  /// Sets `here`, if there is something to read.
  task wait_for_request(const connection_ptr c, bool& here) {
    error_code error;
    if (!stopping_) {
      limit(c, options_.idle_timeout);
      c->waits = true;
      co_await c->peer.async_wait(tcp_socket::wait_read, into(error));
      c->waits = false;
      unlimit(c);
    }
    here = !error && !stopping_;
    if (!here) here = c->peer.available(error) > 0 && !error; // it came at the last moment
  }

  /// A client that asks before it sends the body is told to go on.
  task read_body(const connection_ptr c, net::request_parser& parser, error_code& error) {
    if (parser.get().version() >= 11 && boost::beast::iequals(parser.get()[http::field::expect], "100-continue") &&
        c->buffer.size() == 0)
      co_await asio::async_write(c->peer, asio::buffer(std::string_view{"HTTP/1.1 100 Continue\r\n\r\n"}), into(error));
    if (!error) co_await http::async_read(c->peer, c->buffer, parser, into(error));
  }

  task handle(const connection_ptr c, const http_routes::route& route, net::request& message, net::response& answer) {
    if (route.what == http_routes::action::live) {
      answer = routes_.answer(route, message, c->client);
      co_return;
    }
    const auto mine = std::make_shared<exchange>();
    auto& pool = route.what == http_routes::action::ready ? prober_ : handlers_;
    c->done.expires_after(options_.request_timeout);
    // The thread may be left behind: nothing of the server is in this but what is shared.
    std::function<void()> job = [mine, weak = std::weak_ptr{c}, routes = routes_, back = mailbox_, route,
                                 client = c->client, request = std::move(message)] {
      if (mine->taken.exchange(true)) return;
      mine->answer = routes.answer(route, request, client);
      back->tell([mine, weak] {
        mine->done = true;
        if (const auto waiting = weak.lock()) waiting->done.cancel();
      });
    };
    try {
      pool.post(std::move(job));
    } catch (const std::exception& e) { // no thread can be made
      log().error("a request could not be handled: {}", e.what());
      answer = busy();
      co_return;
    }
    while (!mine->done) {
      error_code error;
      co_await c->done.async_wait(into(error));
      if (mine->done) break;
      if (!mine->taken.exchange(true)) {
        answer = busy();
        co_return;
      }
      c->done.expires_at(clock::time_point::max());
    }
    answer = std::move(mine->answer);
  }

  task write(const connection_ptr c, net::response answer, bool last, bool only_headers, error_code& error) {
    answer.headers += date_header() + "Cache-Control: no-store\r\n";
    const auto text = net::to_http(answer, last, only_headers);
    limit(c, options_.request_timeout);
    co_await asio::async_write(c->peer, asio::buffer(text), into(error));
    unlimit(c);
  }

  /// Says that no more comes, and waits until the client closes, too; what it still sends is thrown away. Closing at once
  /// could take the answer from it.
  task part(const connection_ptr c, bool is_whole) {
    error_code error;
    c->peer.shutdown(tcp_socket::shutdown_send, error);
    if (error || (stopping_ && is_whole)) co_return;
    std::string waste(std::size_t{16} * 1024, '\0');
    limit(c, std::min(options_.request_timeout, farewell));
    c->waits = true;
    while (!error && !c->timed_out) co_await c->peer.async_read_some(asio::buffer(waste), into(error));
    unlimit(c);
  }

  task turn_away(connection_ptr c) {
    error_code error;
    auto answer = refusal(503, "too_many_connections", "there are too many connections: try again later", true);
    co_await write(c, std::move(answer), true, false, error);
    if (!error) co_await part(c, true);
  }

  const std::shared_ptr<const http_options> shared_options_;
  const http_options& options_ = *shared_options_;
  const http_routes routes_;
  handler_pool handlers_;
  handler_pool prober_;
  asio::io_context context_{1};
  asio::executor_work_guard<net::executor> work_{context_.get_executor()};
  net::tcp_acceptor acceptor_{context_};
  std::shared_ptr<mailbox> mailbox_ = std::make_shared<mailbox>(context_);
  std::unordered_set<connection*> all_;
  int open_ = 0;
  int turned_away_ = 0;
  bool stopping_ = false;
  std::uint16_t port_ = 0;
  std::thread thread_;

  std::atomic<bool> stop_called_{false};
  std::mutex mutex_;
  std::condition_variable drained_;
  bool is_drained_ = false;
};

http_server::http_server(http_options options, std::shared_ptr<http_service> service)
    : state_{std::make_unique<state>(std::move(options), std::move(service))} {}
http_server::~http_server() = default;

std::uint16_t http_server::port() const noexcept { return state_->port(); }

int http_server::stop(std::chrono::milliseconds patience) noexcept { return state_->stop(patience); }

} // namespace romancy
