#include "actors/cloud_event_decoder.hpp"

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/refusal.hpp"

namespace romancy {
namespace {

using nlohmann::json;
using data_kind = cloud_event::data_kind;

const http_headers structured{{"content-type", "application/cloudevents+json; charset=utf-8"}};

/// The least that an event needs, with `members` laid over it; null takes one away.
json envelope(const json& members = json::object()) {
  json event{{"specversion", "1.0"}, {"id", "1"}, {"source", "/orders"}, {"type", "order.created"}};
  event.update(members);
  return event;
}

cloud_event decode_structured(const json& members) { return decode_cloud_event(structured, envelope(members).dump()); }

http_headers binary(const http_headers& more = {}) {
  http_headers headers = more;
  headers.insert({{"ce-specversion", "1.0"}, {"ce-id", "1"}, {"ce-source", "/orders"}, {"ce-type", "order.created"}});
  return headers;
}

/// The subject that the value of the header ce-subject stands for.
std::string decode_subject(const std::string& value) {
  return decode_cloud_event(binary({{"ce-subject", value}}), "").subject;
}

std::string structured_refusal(const json& members) {
  return testing::refusal<malformed_event>([&] { decode_structured(members); });
}
std::string binary_refusal(const http_headers& more, std::string_view body = "") {
  return testing::refusal<malformed_event>([&] { decode_cloud_event(binary(more), body); });
}

TEST(CloudEventDecoder, DecodesAnEventInStructuredMode) {
  const auto event = decode_structured({{"time", "2026-01-31T12:00:00.123456Z"},
                                        {"subject", "42"},
                                        {"dataschema", "https://example.com/order"},
                                        {"datacontenttype", "application/json"},
                                        {"traceparent", "00-ab-cd-01"},
                                        {"attempt", 3},
                                        {"urgent", true},
                                        {"data", {{"order_id", "P-1"}}}});
  EXPECT_EQ(event.mode, cloud_event::content_mode::structured);
  EXPECT_EQ(to_string(event.mode), "structured");
  EXPECT_EQ(event.specversion, "1.0");
  EXPECT_EQ(event.id, "1");
  EXPECT_EQ(event.source, "/orders");
  EXPECT_EQ(event.type, "order.created");
  EXPECT_EQ(event.time, "2026-01-31T12:00:00.123456Z");
  EXPECT_EQ(event.subject, "42");
  EXPECT_EQ(event.dataschema, "https://example.com/order");
  EXPECT_EQ(event.datacontenttype, "application/json");
  EXPECT_EQ(event.attributes, envelope({{"time", "2026-01-31T12:00:00.123456Z"},
                                        {"subject", "42"},
                                        {"dataschema", "https://example.com/order"},
                                        {"datacontenttype", "application/json"},
                                        {"traceparent", "00-ab-cd-01"},
                                        {"attempt", 3},
                                        {"urgent", true}}));
  EXPECT_EQ(event.kind, data_kind::json);
  EXPECT_EQ(event.data, (json{{"order_id", "P-1"}}));
  EXPECT_EQ(event.status, 0U);
}

TEST(CloudEventDecoder, DecodesAnEventInBinaryMode) {
  const auto event = decode_cloud_event(binary({{"content-type", "application/json; charset=utf-8"},
                                                {"ce-time", "2026-01-31T12:00:00Z"},
                                                {"ce-attempt", "3"},
                                                {"host", "127.0.0.1"}}),
                                        R"({"order_id": "P-1"})");
  EXPECT_EQ(event.mode, cloud_event::content_mode::binary);
  EXPECT_EQ(to_string(event.mode), "binary");
  EXPECT_EQ(event.specversion, "1.0");
  EXPECT_EQ(event.id, "1");
  EXPECT_EQ(event.source, "/orders");
  EXPECT_EQ(event.type, "order.created");
  EXPECT_EQ(event.time, "2026-01-31T12:00:00Z");
  EXPECT_EQ(event.subject, "");
  EXPECT_EQ(event.datacontenttype, "application/json; charset=utf-8");
  EXPECT_EQ(event.attributes, envelope({{"time", "2026-01-31T12:00:00Z"},
                                        {"attempt", "3"},
                                        {"datacontenttype", "application/json; charset=utf-8"}}));
  EXPECT_EQ(event.kind, data_kind::json);
  EXPECT_EQ(event.data, (json{{"order_id", "P-1"}}));
}

// Header values: HTTP binding 1.0, section 3.1.3.2.

TEST(CloudEventDecoder, DecodesThePercentEncodedVectorOfTheHttpBinding) {
  EXPECT_EQ(decode_subject("Euro%20%E2%82%AC%20%F0%9F%98%80"), "Euro € 😀");
}

TEST(CloudEventDecoder, AcceptsLowerCaseAndNeedlessPercentEncoding) {
  EXPECT_EQ(decode_subject("%e2%82%ac"), "€");
  EXPECT_EQ(decode_subject("%41%2fB"), "A/B");
}

TEST(CloudEventDecoder, PercentDecodesOnlyOnce) { EXPECT_EQ(decode_subject("100%2525"), "100%25"); }

TEST(CloudEventDecoder, UnquotesBeforeItPercentDecodes) {
  EXPECT_EQ(decode_subject(R"("two words")"), "two words");
  EXPECT_EQ(decode_subject(R"("say \"hi\" \\ 50%25")"), R"(say "hi" \ 50%)");
  EXPECT_EQ(decode_subject("%22kept%22"), R"("kept")");
}

TEST(CloudEventDecoder, LeavesQuotesWithinAnUnquotedValue) { EXPECT_EQ(decode_subject(R"(5" disk)"), R"(5" disk)"); }

TEST(CloudEventDecoder, RefusesUnbalancedQuotes) {
  for (const auto* value : {R"(")", R"("open)", R"("a" b)", R"("open\")", R"("open\)"})
    EXPECT_NE(binary_refusal({{"ce-subject", value}}).find("the header ce-subject is not one double-quoted value"),
              std::string::npos)
        << value;
}

TEST(CloudEventDecoder, RefusesPercentEncodingThatIsNotUtf8) {
  for (const auto* value :
       {"%C0%A0", "%80", "%E2%82", "%E2%82x", "%ED%A0%80", "%F4%90%80%80", "%F0%80%80%80", "%FF", "%C2"})
    EXPECT_EQ(binary_refusal({{"ce-subject", value}}), "the attribute subject is not valid UTF-8") << value;
}

TEST(CloudEventDecoder, RefusesAPercentSignWithoutTwoDigits) {
  for (const auto* value : {"50%", "50%2", "50%2x", "%-1", "% 1"})
    EXPECT_NE(binary_refusal({{"ce-subject", value}}).find("a % that two hexadecimal digits do not follow"),
              std::string::npos)
        << value;
}

TEST(CloudEventDecoder, RefusesCharactersOutsideOfAsciiThatAreNotPercentEncoded) {
  EXPECT_NE(binary_refusal({{"ce-subject", "€"}}).find("not percent-encoded"), std::string::npos);
}

TEST(CloudEventDecoder, RefusesControlCharactersAndNoncharacters) {
  for (const auto* value : {"%00", "a%0Ab", "%7F", "%C2%85", "%EF%BF%BF", "%EF%B7%90"})
    EXPECT_NE(binary_refusal({{"ce-subject", value}}).find("control character"), std::string::npos) << value;
  EXPECT_NE(structured_refusal({{"subject", "a\nb"}}).find("control character"), std::string::npos);
}

// Attributes.

TEST(CloudEventDecoder, NamesTheRequiredAttributeThatIsMissing) {
  for (const std::string name : {"specversion", "id", "source", "type"}) {
    const auto sentence = "the required attribute " + name + " is missing";
    EXPECT_EQ(structured_refusal({{name, nullptr}}), sentence);
    auto headers = binary();
    headers.erase("ce-" + name);
    EXPECT_EQ(testing::refusal<malformed_event>([&] { decode_cloud_event(headers, ""); }), sentence);
  }
}

TEST(CloudEventDecoder, RefusesARequiredAttributeThatIsEmptyOrNotAString) {
  EXPECT_EQ(structured_refusal({{"id", ""}}), "the attribute id is not a string with at least one character");
  EXPECT_EQ(structured_refusal({{"id", 1}}), "the attribute id is not a string with at least one character");
  EXPECT_EQ(binary_refusal({{"ce-id", ""}}), "the attribute id is not a string with at least one character");
}

TEST(CloudEventDecoder, RefusesAnotherSpecversion) {
  EXPECT_EQ(structured_refusal({{"specversion", "0.3"}}), "the specversion is \"0.3\", only \"1.0\" is understood");
  EXPECT_EQ(binary_refusal({{"ce-specversion", "1.0.2"}}), "the specversion is \"1.0.2\", only \"1.0\" is understood");
}

TEST(CloudEventDecoder, TakesANullAttributeAsAbsent) {
  const auto event = decode_structured({{"subject", nullptr}, {"time", nullptr}, {"extension", nullptr}});
  EXPECT_EQ(event.subject, "");
  EXPECT_EQ(event.time, "");
  EXPECT_EQ(event.attributes, envelope());
}

TEST(CloudEventDecoder, RefusesNamesThatNoAttributeCanHave) {
  for (const auto* name : {"", "Subject", "my-attribute", "my_attribute", "größe"})
    EXPECT_NE(structured_refusal({{name, "x"}}).find("is not an attribute name"), std::string::npos) << name;
  EXPECT_NE(binary_refusal({{"ce-my-attribute", "x"}}).find("\"my-attribute\" is not an attribute name"),
            std::string::npos);
  EXPECT_NE(binary_refusal({{"ce-data", "x"}}).find("\"data\" is not an attribute name"), std::string::npos);
}

TEST(CloudEventDecoder, RefusesValuesThatNoAttributeCanHave) {
  for (const auto& value : {json(1.5), json(2'147'483'648), json(-2'147'483'649), json(18'446'744'073'709'551'615U),
                            json::object(), json::array({1})})
    EXPECT_EQ(structured_refusal({{"extension", value}}),
              "the attribute extension is neither a string nor a boolean nor an integer of 32 bits")
        << value;
  EXPECT_EQ(structured_refusal({{"extension", 2'147'483'647}}), "");
  EXPECT_EQ(structured_refusal({{"extension", -2'147'483'648LL}}), "");
}

TEST(CloudEventDecoder, AcceptsTimesOfRfc3339) {
  for (const auto* time : {"2026-01-31T23:59:59Z", "2024-02-29t00:00:00.1z", "2026-01-31T23:59:60.123456789+01:00",
                           "2026-01-31T00:00:00-23:59"})
    EXPECT_EQ(decode_structured({{"time", time}}).time, time);
}

TEST(CloudEventDecoder, RefusesOtherTimes) {
  for (const auto* time : {"now", "2026-01-31", "2026-01-31T12:00Z", "2026-01-31T12:00:00", "2026-01-31 12:00:00Z",
                           "2026-02-29T12:00:00Z", "2026-13-01T12:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z",
                           "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00+0100", "2026-01-31T12:00:00Zx"})
    EXPECT_NE(structured_refusal({{"time", time}}).find("(RFC 3339)"), std::string::npos) << time;
}

// Data in structured mode: JSON format 1.0, section 3.1.

TEST(CloudEventDecoder, KeepsDataThatIsNullApartFromNoData) {
  EXPECT_EQ(decode_structured(json::object()).kind, data_kind::none);
  const auto event = decode_structured({{"data", nullptr}});
  EXPECT_EQ(event.kind, data_kind::json);
  EXPECT_TRUE(event.data.is_null());
}

TEST(CloudEventDecoder, LeavesAStringOfJsonDataAString) {
  for (const json& type : {json(), json("application/json"), json("Text/JSON; x=y"), json("application/geo+json")}) {
    const auto event = decode_structured({{"datacontenttype", type}, {"data", R"({"a": 1})"}});
    EXPECT_EQ(event.kind, data_kind::json) << type;
    EXPECT_EQ(event.data, R"({"a": 1})");
  }
}

TEST(CloudEventDecoder, TakesDataOfAnotherTypeAsText) {
  const auto event = decode_structured({{"datacontenttype", "application/xml"}, {"data", "<much wow=\"xml\"/>"}});
  EXPECT_EQ(event.kind, data_kind::text);
  EXPECT_EQ(event.data, "<much wow=\"xml\"/>");
  EXPECT_EQ(structured_refusal({{"datacontenttype", "text/plain"}, {"data", 1}}),
            "data has to be a string, because datacontenttype is text/plain");
}

TEST(CloudEventDecoder, TakesDataBase64AsBytes) {
  const auto event = decode_structured({{"datacontenttype", "image/png"}, {"data_base64", "AP/7774="}});
  EXPECT_EQ(event.kind, data_kind::bytes);
  EXPECT_EQ(event.data, "AP/7774=");
  EXPECT_FALSE(event.attributes.contains("data_base64"));
  EXPECT_EQ(structured_refusal({{"data_base64", "AP/7774"}}), "data_base64 is not base64");
  EXPECT_EQ(structured_refusal({{"data_base64", 1}}), "data_base64 is not base64");
}

TEST(CloudEventDecoder, RefusesDataTogetherWithDataBase64) {
  EXPECT_EQ(structured_refusal({{"data", "x"}, {"data_base64", "AA=="}}), "there is both data and data_base64");
  EXPECT_EQ(structured_refusal({{"data", nullptr}, {"data_base64", "AA=="}}), "there is both data and data_base64");
  EXPECT_EQ(structured_refusal({{"data", "x"}, {"data_base64", nullptr}}), "");
}

// Data in binary mode: HTTP binding 1.0, section 3.1.2.

TEST(CloudEventDecoder, TakesTheBodyOfBinaryModeByItsContentType) {
  const auto decode = [](const std::string& type, std::string_view body) {
    return decode_cloud_event(binary({{"content-type", type}}), body);
  };
  EXPECT_EQ(decode("application/geo+json", "[1]").data, json::array({1}));
  EXPECT_EQ(decode("application/json", "null").kind, data_kind::json);
  EXPECT_EQ(decode("text/plain", "grüße").kind, data_kind::text);
  EXPECT_EQ(decode("text/plain", "grüße").data, "grüße");
  EXPECT_EQ(decode("text/plain; charset=latin1", "\xfc").kind, data_kind::bytes);
  EXPECT_EQ(decode("application/soap+xml", "<a/>").kind, data_kind::text);
  EXPECT_EQ(decode("application/octet-stream", "abc").kind, data_kind::bytes);
  EXPECT_EQ(decode("application/octet-stream", "abc").data, "YWJj");
  EXPECT_EQ(decode_cloud_event(binary(), "abc").kind, data_kind::bytes);
}

TEST(CloudEventDecoder, TakesAnEmptyBodyOfBinaryModeAsNoDataIfItCouldBeNothingElse) {
  EXPECT_EQ(decode_cloud_event(binary(), "").kind, data_kind::none);
  EXPECT_EQ(decode_cloud_event(binary({{"content-type", "application/json"}}), "").kind, data_kind::none);
  EXPECT_EQ(decode_cloud_event(binary({{"content-type", "text/plain"}}), "").kind, data_kind::text);
  EXPECT_EQ(decode_cloud_event(binary({{"content-type", "image/png"}}), "").kind, data_kind::bytes);
}

TEST(CloudEventDecoder, RefusesAHeaderBesideTheContentType) {
  EXPECT_NE(binary_refusal({{"content-type", "text/plain"}, {"ce-datacontenttype", "text/plain"}})
                .find("there is a header ce-datacontenttype"),
            std::string::npos);
}

// What is not an event.

TEST(CloudEventDecoder, RefusesABodyThatIsNotJson) {
  for (const std::string_view body : {"", "{", "{\"id\": \"\xff\"}", "nonsense"}) {
    EXPECT_NE(
        testing::refusal<malformed_event>([&] { decode_cloud_event(structured, body); }).find("the body is not JSON: "),
        std::string::npos);
    if (!body.empty()) {
      EXPECT_NE(binary_refusal({{"content-type", "application/json"}}, body).find("the body is not JSON: "),
                std::string::npos);
    }
  }
  EXPECT_EQ(testing::refusal<malformed_event>([] { decode_cloud_event(structured, "[]"); }),
            "the body is JSON but not an object");
}

TEST(CloudEventDecoder, RefusesJsonThatNestsTooDeep) {
  const auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  const http_headers headers = binary({{"content-type", "application/json"}});
  EXPECT_EQ(decode_cloud_event(headers, nested(200)).kind, data_kind::json);
  EXPECT_EQ(decode_cloud_event(headers, R"(["\"[[[", ")" + std::string(300, '{') + "\"]").kind, data_kind::json);
  for (const auto& body : {nested(201), nested(4'000'000), std::string(4'000'000, '[')})
    EXPECT_EQ(testing::refusal<malformed_event>([&] { decode_cloud_event(headers, body); }),
              "the body nests deeper than 200 levels");
}

TEST(CloudEventDecoder, RefusesFormatsAndBatchesThatItDoesNotUnderstand) {
  for (const std::string type :
       {"application/cloudevents", "application/cloudevents+avro", "application/cloudevents-batch+json"})
    EXPECT_EQ(binary_refusal({{"content-type", type}}),
              "the Content-Type " + type + " is not understood; send one event as application/cloudevents+json");
}

TEST(CloudEventDecoder, SaysThatAnyOtherRequestIsNotAnEvent) {
  const http_headers headers{{"content-type", "application/json"}};
  EXPECT_EQ(testing::refusal<malformed_event>([&] { decode_cloud_event(headers, "{}"); }),
            "this is not a CloudEvent: the Content-Type is \"application/json\" instead of application/cloudevents+json, "
            "and there are no ce- headers");
}

// Batched mode: JSON format 1.0, section 4.

const http_headers batched{{"content-type", "application/cloudevents-batch+json"}};

std::vector<cloud_event> decode_batch(const std::string& body, std::size_t max_batch = 10) {
  return decode_cloud_events(batched, body, max_batch);
}

TEST(CloudEventDecoder, DecodesABatchInItsOrder) {
  const auto events = decode_batch(json::array({envelope({{"id", "2"}}), envelope({{"data", {1, 2}}})}).dump());
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].id, "2");
  EXPECT_EQ(events[1].data, json::array({1, 2}));
  EXPECT_TRUE(decode_batch("[]").empty());
}

TEST(CloudEventDecoder, TakesASingleEventAsABatchOfOne) {
  EXPECT_EQ(decode_cloud_events(structured, envelope().dump(), 1).at(0).id, "1");
  EXPECT_EQ(decode_cloud_events(binary(), "", 1).at(0).id, "1");
}

TEST(CloudEventDecoder, NamesTheIndexOfTheEventThatSpoilsABatch) {
  const auto batch_refusal = [](const json& body, std::size_t max_batch = 10) {
    return testing::refusal<malformed_event>([&] { decode_batch(body.dump(), max_batch); });
  };
  EXPECT_EQ(batch_refusal(json::array({envelope(), envelope(), 1})),
            "the event at index 2 of the batch: it is not an object");
  EXPECT_EQ(batch_refusal(json::array({envelope({{"specversion", "2.0"}})})),
            "the event at index 0 of the batch: the specversion is \"2.0\", only \"1.0\" is understood");
  EXPECT_EQ(batch_refusal(envelope()), "the body is JSON but not an array");
  EXPECT_EQ(batch_refusal(json::array({envelope(), envelope()}), 1),
            "the batch has 2 events, at most 1 are taken at once: send them in several");
}

TEST(CloudEventDecoder, RefusesMembersThatAreThereTwice) {
  const std::string twice = R"({"specversion": "1.0", "id": "1", "source": "/a", "type": "t", "id": "2"})";
  EXPECT_EQ(testing::refusal<malformed_event>([&] { decode_cloud_event(structured, twice); }),
            "there are two members id");
  EXPECT_EQ(testing::refusal<malformed_event>([&] { decode_batch('[' + envelope().dump() + ',' + twice + ']'); }),
            "there are two members id");
  EXPECT_EQ(decode_batch(json::array({envelope({{"data", {{"id", 1}}}}), envelope()}).dump()).size(), 2U);
}

TEST(CloudEventDecoder, AllowsDataTheSameDepthInEachMode) {
  const auto nested = std::string(200, '[') + std::string(200, ']');
  const auto with_data = [&](const std::string& data) {
    auto text = envelope().dump();
    text.pop_back();
    return text + ",\"data\":" + data + '}';
  };
  EXPECT_EQ(decode_cloud_event(structured, with_data(nested)).kind, data_kind::json);
  EXPECT_EQ(decode_batch('[' + with_data(nested) + ']').size(), 1U);
  for (const auto& call : {std::function<void()>{[&] { decode_cloud_event(structured, with_data('[' + nested + ']')); }},
                           std::function<void()>{[&] { decode_batch('[' + with_data('[' + nested + ']') + ']'); }}})
    EXPECT_NE(testing::refusal<malformed_event>(call).find("the body nests deeper than"), std::string::npos);
}

TEST(CloudEventDecoder, GivesEachFlawAWord) {
  const auto word = [](const http_headers& headers, std::string_view body) -> std::string {
    try {
      decode_cloud_events(headers, body, 1);
    } catch (const malformed_event& e) {
      return std::string{to_string(e.flaw())};
    }
    return "none";
  };
  const auto with = [](const json& members) { return envelope(members).dump(); };
  EXPECT_EQ(word(structured, "{"), "invalid_json");
  EXPECT_EQ(word(structured, "\xff"), "invalid_encoding");
  EXPECT_EQ(word(structured, with({{"id", nullptr}})), "missing_attribute");
  EXPECT_EQ(word(structured, with({{"Id", "x"}})), "invalid_attribute");
  EXPECT_EQ(word(structured, with({{"specversion", "0.3"}})), "unsupported_specversion");
  EXPECT_EQ(word(structured, with({{"data", 1}, {"data_base64", ""}})), "invalid_data");
  EXPECT_EQ(word(structured, with({{"data_base64", "%"}})), "invalid_encoding");
  EXPECT_EQ(word(binary({{"ce-subject", "%"}}), ""), "invalid_encoding");
  EXPECT_EQ(word({}, ""), "unsupported_media_type");
  EXPECT_EQ(word(batched, "[1, 2]"), "batch_too_large");
}

TEST(CloudEventDecoder, ShowsOnlyTheBeginningOfWhatIsWrong) {
  const std::string large(1'000'000, 'x');
  EXPECT_LT(testing::refusal<malformed_event>([&] { decode_cloud_event(structured, '"' + large); }).size(), 500U);
  EXPECT_LT(structured_refusal({{"specversion", large}}).size(), 500U);
  EXPECT_LT(binary_refusal({{"ce-subject", large + '%'}}).size(), 500U);
  EXPECT_LT(binary_refusal({{"ce-" + large + "-", "x"}}).size(), 500U);
}

} // namespace
} // namespace romancy
