#include "bench/raw_curl.hpp"

#include <stdexcept>
#include <vector>

#include <curl/curl.h>

#include "bench/measurement.hpp"

namespace romancy::bench {

namespace {
std::size_t drop(char*, std::size_t size, std::size_t count, void*) { return size * count; }
} // namespace

double raw_posts_per_second(const std::string& url, const std::string& body, int count, int in_flight) {
  CURLM* multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(in_flight));
  curl_slist* headers = curl_slist_append(nullptr, "Content-Type: application/cloudevents+json");
  headers = curl_slist_append(headers, "Expect:");
  std::vector<CURL*> handles;
  for (int i = 0; i < in_flight; ++i) {
    CURL* easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.c_str());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &drop);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    handles.push_back(easy);
  }
  int begun = 0, done = 0;
  bool failed = false;
  const double took = seconds([&] {
    for (auto* easy : handles)
      if (begun < count) curl_multi_add_handle(multi, easy), ++begun;
    while (done < count && !failed) {
      int running = 0, left = 0;
      curl_multi_perform(multi, &running);
      while (CURLMsg* message = curl_multi_info_read(multi, &left)) {
        CURL* easy = message->easy_handle;
        long status = 0;
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        failed = failed || message->data.result != CURLE_OK || status / 100 != 2;
        curl_multi_remove_handle(multi, easy);
        ++done;
        if (begun < count) curl_multi_add_handle(multi, easy), ++begun;
      }
      if (done < count) curl_multi_poll(multi, nullptr, 0, 100, nullptr);
    }
  });
  for (auto* easy : handles) {
    curl_multi_remove_handle(multi, easy);
    curl_easy_cleanup(easy);
  }
  curl_slist_free_all(headers);
  curl_multi_cleanup(multi);
  if (failed) throw std::runtime_error{"the sink did not answer a raw POST by 2xx"};
  return count / took;
}

} // namespace romancy::bench
