#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace romancy::testing {

struct raw_answer {
  int status = 0; ///< 0: the connection was closed before a whole answer
  std::string headers{};
  std::string body{};

  nlohmann::json json() const { return nlohmann::json::parse(body); }
  std::string error_type() const { return json().at("error_type"); }
  std::string error() const { return json().at("error"); }
  bool retryable() const { return json().at("retryable"); }
  bool has(std::string_view line) const { return headers.find(line) != std::string::npos; }
};

/// One connection to 127.0.0.1 on which the test decides about each byte. Waits for the server, 20 s at most.
class raw_client {
public:
  explicit raw_client(std::uint16_t port) : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      ::close(socket_);
      throw std::runtime_error{"cannot connect"};
    }
  }
  ~raw_client() { close(); }
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  /// False once the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// The next answer. `only_headers`: it has no body, though it has a length.
  raw_answer receive(bool only_headers = false) {
    raw_answer answer;
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
      if (!read()) return answer;
    answer.headers = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    const auto status = std::stoi(answer.headers.substr(9, 3));
    const auto length = answer.headers.find("Content-Length: ");
    const auto size = length == std::string::npos ? 0 : std::stoul(answer.headers.substr(length + 16));
    while (!only_headers && buffer_.size() < size)
      if (!read()) return answer;
    if (!only_headers) {
      answer.body = buffer_.substr(0, size);
      buffer_.erase(0, size);
    }
    answer.status = status;
    return answer;
  }

  raw_answer ask(std::string_view bytes) {
    send(bytes);
    return receive();
  }

  /// Waits until the server closes. False, if it sends something first.
  bool is_closed() {
    while (read()) {
    }
    return buffer_.empty();
  }

  void half_close() { ::shutdown(socket_, SHUT_WR); }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

private:
  bool read() {
    pollfd ready{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, 20'000) != 1) throw std::runtime_error{"the server sends nothing"};
    char bytes[16 * 1024];
    const auto got = ::recv(socket_, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }

  int socket_;
  std::string buffer_;
};

} // namespace romancy::testing
