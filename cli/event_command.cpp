#include <algorithm>
#include <future>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <romancy/detail/outgoing_event.hpp>
#include <romancy/error.hpp>

#include "actors/clock.hpp"
#include "actors/cloud_event_encoder.hpp"
#include "actors/entropy.hpp"
#include "actors/event_check.hpp"
#include "actors/http_client.hpp"
#include "cli/commands.hpp"
#include "cli/duration.hpp"
#include "storage/database_url.hpp"

namespace romancy::cli {

namespace {

struct event_flags {
  std::string type;
  std::string source = "/romancy/event-send";
  std::string data = "null";
  std::string id;
  std::string subject;
  std::string instance;
  std::vector<std::string> extensions;
  std::string url = "http://localhost:8080/";
  std::string token;
  std::string timeout = "30s";
  bool json = false;
};

constexpr std::size_t kept_answer = 64 * 1024;

nlohmann::json data_of(const event_flags& given) {
  const auto text = given.data == "-" ? std::string{std::istreambuf_iterator<char>{std::cin}, {}} : given.data;
  auto value = nlohmann::json::parse(text, nullptr, false);
  if (value.is_discarded())
    throw std::invalid_argument{"--data " + text.substr(0, 60) + (text.size() > 60 ? "…" : "") +
                                " is no JSON: write an object like '{\"order_id\": \"ORD-1\"}', and text as '\"text\"'"};
  return value;
}

/// `subject`, `romancyinstanceid` and all extensions.
event_options options_of(const event_flags& given) {
  event_options options;
  options.id(given.id);
  if (!given.subject.empty()) options.attribute("subject", given.subject);
  if (!given.instance.empty()) options.attribute("romancyinstanceid", given.instance);
  for (const auto& text : given.extensions) {
    const auto equals = text.find('=');
    const auto name = text.substr(0, equals), what = "--extension " + text;
    if (equals == std::string::npos) throw std::invalid_argument{what + " has no '=': write name=value"};
    if (name.empty() || name.size() > 20 ||
        !std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }))
      throw std::invalid_argument{what + ": '" + name + "' is no name of an extension: use 1 to 20 of a-z and 0-9"};
    for (const auto* flag : {"id", "source", "type", "subject", "data"})
      if (name == flag) throw std::invalid_argument{what + ": that is no extension: use --" + name};
    for (const auto* own : {"specversion", "time", "datacontenttype"})
      if (name == own) throw std::invalid_argument{what + ": this command sets it itself: leave it out"};
    if (options.attributes().contains(name)) throw std::invalid_argument{what + ": it is given twice: leave one out"};
    options.attribute(name, text.substr(equals + 1));
  }
  return options;
}

event_record event_of(const event_flags& given) {
  try {
    auto event = checked({given.type, given.source, event_data::of_json(data_of(given)), options_of(given)}, given.source,
                         1024 * 1024 * 1024); // the server has a limit
    event.created_at = system_clock{}.now();
    system_entropy random;
    if (event.id.empty()) event.id = new_uuid(random, event.created_at);
    return event;
  } catch (const payload_error& e) {
    throw std::invalid_argument{e.what()};
  }
}

http_response post(const event_flags& given, const event_record& event) {
  auto encoded = encode(event, content_mode::structured);
  if (!given.token.empty()) encoded.headers.push_back("Authorization: Bearer " + given.token);
  std::promise<http_response> answer;
  http_client client{1};
  client.post(
      {given.url, std::move(encoded.headers), std::move(encoded.body), parse_duration(given.timeout), kept_answer},
      [&](http_response response) { answer.set_value(std::move(response)); });
  return answer.get_future().get();
}

std::string refusal_of(const http_response& response, const nlohmann::json& body) {
  if (response.status == 0) return response.error;
  auto why = "HTTP " + std::to_string(response.status);
  if (body.is_object() && body.contains("error") && body["error"].is_string())
    return why + ": " + body["error"].get<std::string>();
  return response.error.empty() ? why : why + ": " + response.error.substr(0, 256);
}

/// The same event again: what was stored already is stored once.
constexpr bool may_succeed_later(int status) { return status == 0 || status == 408 || status == 429 || status >= 500; }

int send(const event_flags& given) {
  if (const auto why = why_no_http_url(given.url); !why.empty())
    throw std::invalid_argument{"--url " + without_password(given.url) + " is no http:// or https:// URL (" + why + ")"};
  if (std::any_of(given.token.begin(), given.token.end(), [](unsigned char c) { return c <= 0x20 || c == 0x7f; }))
    throw std::invalid_argument{"--token has spaces or control characters: check where it comes from"};
  const auto event = event_of(given);
  const auto response = post(given, event);
  auto body = nlohmann::json::parse(response.error, nullptr, false);
  const bool taken = response.status >= 200 && response.status < 300;
  if (given.json)
    std::cout << nlohmann::json{{"id", event.id},
                                {"source", event.source},
                                {"status", response.status},
                                {"answer",
                                 response.status == 0 || body.is_discarded() ? nlohmann::json(response.error) : body}}
                     .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
              << '\n';
  if (!taken)
    throw error{"event " + event.id + " is not taken in by " + without_password(given.url) + ": " +
                refusal_of(response, body) +
                (may_succeed_later(response.status) ? "; send it again with --id " + event.id : "")};
  if (!given.json) std::cout << "event " << event.id << " of " << event.source << " is taken in\n";
  return 0;
}

} // namespace

void add_event(CLI::App& app, command& run) {
  auto* event = app.add_subcommand("event", "Events for workflows");
  event->require_subcommand(1);
  auto given = std::make_shared<event_flags>();
  auto* sub = event->add_subcommand("send", "POST a CloudEvent to an app that listens");
  sub->add_option("--type", given->type, "Such as order.approved")->required();
  sub->add_option("--data", given->data, "JSON; -: read it from stdin")->capture_default_str();
  sub->add_option("--source", given->source, "Who sends it, a URI reference")->capture_default_str();
  sub->add_option("--id", given->id, "The same one when it is sent again; default: a new UUID");
  sub->add_option("--subject", given->subject, "What it is about");
  sub->add_option("--instance", given->instance, "The instance that it is for (the extension romancyinstanceid)");
  sub->add_option("--extension", given->extensions, "An attribute of your own, name=value; any number of them");
  sub->add_option("--url", given->url, "Where the app listens")->envname("ROMANCY_URL")->capture_default_str();
  sub->add_option("--token", given->token, "The app's bearer token")->envname("ROMANCY_TOKEN");
  sub->add_option("--timeout", given->timeout, "How long to wait for the answer")->capture_default_str();
  sub->add_flag("--json", given->json, "JSON instead of text");
  sub->callback([given, &run] { run = [given] { return send(*given); }; });
}

} // namespace romancy::cli
