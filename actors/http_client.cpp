#include "actors/http_client.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

#include <curl/curl.h>

namespace romancy {

namespace {

struct curl_library {
  curl_library() { curl_global_init(CURL_GLOBAL_ALL); }
};

/// Of an answer's body.
struct beginning {
  std::size_t limit;
  std::string text{};
};

std::size_t keep_beginning(char* data, std::size_t size, std::size_t count, void* body) {
  auto& kept = *static_cast<beginning*>(body);
  kept.text.append(data, std::min(size * count, kept.limit - std::min(kept.limit, kept.text.size())));
  return size * count;
}

struct header_list {
  explicit header_list(const std::vector<std::string>& lines) {
    for (const auto& line : lines) list = curl_slist_append(list, line.c_str());
    list = curl_slist_append(list, "Expect:"); // no 100-continue: it costs a round trip
  }
  ~header_list() { curl_slist_free_all(list); }
  header_list(const header_list&) = delete;
  header_list& operator=(const header_list&) = delete;
  curl_slist* list = nullptr;
};

} // namespace

std::string why_no_http_url(const std::string& url) {
  static const curl_library library;
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed{curl_url(), &curl_url_cleanup};
  const auto result = curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0);
  if (result != CURLUE_OK) return curl_url_strerror(result);
  char* scheme = nullptr;
  curl_url_get(parsed.get(), CURLUPART_SCHEME, &scheme, 0);
  const std::string name = scheme ? scheme : "";
  curl_free(scheme);
  return name == "http" || name == "https" ? "" : "its scheme is '" + name + "'";
}

class http_client::engine {
public:
  explicit engine(int max_in_flight)
      : max_in_flight_{static_cast<std::size_t>(std::max(1, max_in_flight))}, multi_{curl_multi_init()} {
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(max_in_flight_));
    curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(max_in_flight_));
    thread_ = std::thread{[this] { run(); }};
  }
  ~engine() {
    {
      const std::lock_guard lock{mutex_};
      stopping_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    for (auto& [easy, unfinished] : on_wire_) {
      curl_multi_remove_handle(multi_, easy);
      curl_easy_cleanup(easy);
    }
    for (auto* easy : idle_) curl_easy_cleanup(easy);
    curl_multi_cleanup(multi_);
  }
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  void post(http_request request, std::function<void(http_response)> answer) {
    {
      const std::lock_guard lock{mutex_};
      waiting_.push_back(std::make_unique<transfer>(std::move(request), std::move(answer)));
    }
    curl_multi_wakeup(multi_);
  }

private:
  struct transfer {
    transfer(http_request what, std::function<void(http_response)> then)
        : request{std::move(what)}, answer{std::move(then)}, headers{request.headers}, body{request.kept_bytes} {}
    http_request request;
    std::function<void(http_response)> answer;
    header_list headers;
    beginning body;
    char error[CURL_ERROR_SIZE] = "";
  };

  void run() {
    for (;;) {
      {
        const std::lock_guard lock{mutex_};
        if (stopping_) return;
        while (!waiting_.empty() && on_wire_.size() < max_in_flight_) {
          begin(std::move(waiting_.front()));
          waiting_.pop_front();
        }
      }
      int running = 0;
      curl_multi_perform(multi_, &running);
      if (!read_results()) curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
    }
  }

  void begin(std::unique_ptr<transfer> next) {
    CURL* easy = nullptr;
    if (idle_.empty()) {
      easy = curl_easy_init();
      if (!easy) return next->answer({0, "no memory for the request"});
    } else {
      easy = idle_.back();
      idle_.pop_back();
      curl_easy_reset(easy); // keeps its connections
    }
    const auto& request = next->request;
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, next->headers.list);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); // a name that does not resolve does not hold up the end
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &keep_beginning);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &next->body);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, next->error);
    if (const auto refused = curl_multi_add_handle(multi_, easy); refused != CURLM_OK) {
      curl_easy_cleanup(easy);
      return next->answer({0, curl_multi_strerror(refused)});
    }
    on_wire_.emplace(easy, std::move(next));
  }

  bool read_results() {
    bool any = false;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      any = true;
      CURL* easy = message->easy_handle;
      const CURLcode result = message->data.result;
      long status = 0;
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      curl_multi_remove_handle(multi_, easy);
      auto node = on_wire_.extract(easy);
      idle_.push_back(easy);
      auto& done = *node.mapped();
      http_response response;
      if (result == CURLE_OK) {
        response.status = static_cast<int>(status);
        response.error = std::move(done.body.text);
      } else {
        response.error = done.error[0] != '\0' ? done.error : curl_easy_strerror(result);
      }
      done.answer(std::move(response));
    }
    return any;
  }

  const std::size_t max_in_flight_;
  CURLM* multi_;
  std::mutex mutex_;
  std::deque<std::unique_ptr<transfer>> waiting_;
  bool stopping_ = false;
  std::unordered_map<CURL*, std::unique_ptr<transfer>> on_wire_; ///< from here on: only for the thread
  std::vector<CURL*> idle_;
  std::thread thread_;
};

http_client::http_client(int max_in_flight) {
  static const curl_library library;
  engine_ = std::make_unique<engine>(max_in_flight);
}
http_client::~http_client() = default;

void http_client::post(http_request request, std::function<void(http_response)> answer) {
  engine_->post(std::move(request), std::move(answer));
}

} // namespace romancy
