#include "actors/http_message.hpp"

#include <utility>

namespace romancy::net {

void listen(tcp_acceptor& acceptor, const tcp::endpoint& endpoint) {
  acceptor.open(endpoint.protocol());
  acceptor.set_option(tcp::acceptor::reuse_address{true});
  acceptor.bind(endpoint);
  acceptor.listen();
}

http_headers event_headers(const request& message) {
  http_headers headers;
  for (const auto& field : message) {
    std::string name{field.name_string()};
    for (char& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (name != "content-type" && !name.starts_with("ce-")) continue;
    const auto [header, added] = headers.emplace(std::move(name), field.value());
    if (!added) throw malformed_event{event_flaw::attribute, "there are two headers " + header->first};
  }
  return headers;
}

std::string to_http(const response& answer, bool last, bool only_headers) {
  const auto reason = http::obsolete_reason(static_cast<http::status>(answer.status));
  auto text = "HTTP/1.1 " + std::to_string(answer.status) + ' ';
  text.append(reason.data(), reason.size()).append("\r\n");
  if (last) text += "Connection: close\r\n";
  text += answer.headers;
  if (!answer.body.empty()) text += "Content-Type: application/json\r\n";
  if (answer.status != 204 && answer.status != 304)
    text += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
  text += "\r\n";
  return only_headers ? text : text + answer.body;
}

} // namespace romancy::net
