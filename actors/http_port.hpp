#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace romancy {

struct http_request {
  std::string url;
  std::vector<std::string> headers; ///< "Name: value"
  std::string body;
  std::chrono::milliseconds timeout{};
  std::size_t kept_bytes = 256; ///< of the answer's body
};

struct http_response {
  int status = 0;    ///< 0: there was no answer
  std::string error; ///< why there was none, or the beginning of the answer's body
};

/// The way to the network. `answer` is called exactly once for each request that is not dropped by the port's destructor,
/// on any thread, also before post has returned.
class http_port {
public:
  virtual ~http_port() = default;
  virtual void post(http_request request, std::function<void(http_response)> answer) = 0;
};

} // namespace romancy
