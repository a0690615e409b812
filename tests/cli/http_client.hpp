#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <curl/curl.h>
#include <nlohmann/json.hpp>

namespace romancy::cli {

/// What a request came to. `status` is 0 when there was no answer; `error` says why.
struct http_result {
  CURLcode error = CURLE_OK;
  long status = 0;
  std::string headers; ///< of the answer, as they came
  std::string body;
  long new_connections = 0; ///< 0: an open one was used

  std::string sentence() const { return nlohmann::json::parse(body).at("error").get<std::string>(); }
};

/// A blocking HTTP client of 127.0.0.1 that keeps its connection. One thread at a time.
class http_client {
public:
  explicit http_client(std::uint16_t port)
      : url_{"http://127.0.0.1:" + std::to_string(port)}, handle_{curl_easy_init(), curl_easy_cleanup} {
    if (!handle_) throw std::runtime_error{"curl_easy_init failed"};
  }

  /// Each header is a line, `Name: value`.
  http_result post(const std::vector<std::string>& headers, const std::string& body) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    set(CURLOPT_POSTFIELDS, body.c_str());
    return perform("/", headers);
  }
  http_result send(const std::string& method, const std::string& path) {
    set(CURLOPT_HTTPGET, 1L);
    set(CURLOPT_NOBODY, method == "HEAD" ? 1L : 0L);
    set(CURLOPT_CUSTOMREQUEST, method.c_str());
    return perform(path, {});
  }
  /// How long a request may take; without it, a minute.
  void timeout(std::chrono::milliseconds time) { timeout_ = time; }

private:
  template <class T> void set(CURLoption option, T value) {
    if (curl_easy_setopt(handle_.get(), option, value) != CURLE_OK) throw std::runtime_error{"curl_easy_setopt failed"};
  }
  static std::size_t append(char* data, std::size_t size, std::size_t count, void* text) {
    static_cast<std::string*>(text)->append(data, size * count);
    return size * count;
  }

  http_result perform(const std::string& path, const std::vector<std::string>& headers) {
    const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> list{[&headers] {
                                                                             curl_slist* first = nullptr;
                                                                             for (const auto& header : headers)
                                                                               first = curl_slist_append(first,
                                                                                                         header.c_str());
                                                                             return first;
                                                                           }(),
                                                                           curl_slist_free_all};
    http_result result;
    const auto url = url_ + path;
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_HTTPHEADER, list.get());
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(timeout_.count()));
    set(CURLOPT_WRITEFUNCTION, &append);
    set(CURLOPT_WRITEDATA, static_cast<void*>(&result.body));
    set(CURLOPT_HEADERFUNCTION, &append);
    set(CURLOPT_HEADERDATA, static_cast<void*>(&result.headers));
    result.error = curl_easy_perform(handle_.get());
    curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &result.status);
    curl_easy_getinfo(handle_.get(), CURLINFO_NUM_CONNECTS, &result.new_connections);
    curl_easy_reset(handle_.get());
    return result;
  }

  std::string url_;
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle_;
  std::chrono::milliseconds timeout_{60'000};
};

} // namespace romancy::cli
