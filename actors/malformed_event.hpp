#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace romancy {

/// What is wrong with something that should have been a CloudEvent, or a batch of them.
enum class event_flaw {
  media_type,        ///< no format of CloudEvents that is understood
  json,              ///< not JSON, or not an object or array where it has to be, or nested too deep
  encoding,          ///< not UTF-8, not percent-encoded, not quoted, not base64
  missing_attribute, ///< a required one
  attribute,         ///< a name or a value that CloudEvents does not allow, or one that is there twice
  specversion,       ///< not "1.0"
  data,              ///< both data and data_base64, or of another kind than datacontenttype says
  batch_size,        ///< too many events in a batch
};

/// The word by which clients tell flaws apart, `error_type` of an answer. Words never change.
constexpr std::string_view to_string(event_flaw flaw) {
  switch (flaw) {
    case event_flaw::media_type: return "unsupported_media_type";
    case event_flaw::json: return "invalid_json";
    case event_flaw::encoding: return "invalid_encoding";
    case event_flaw::missing_attribute: return "missing_attribute";
    case event_flaw::attribute: return "invalid_attribute";
    case event_flaw::specversion: return "unsupported_specversion";
    case event_flaw::data: return "invalid_data";
    case event_flaw::batch_size: return "batch_too_large";
  }
  return "invalid_event";
}

/// What the decoder throws; `what()` is a sentence that names the thing.
class malformed_event : public std::invalid_argument {
public:
  malformed_event(event_flaw flaw, const std::string& sentence) : std::invalid_argument{sentence}, flaw_{flaw} {}
  event_flaw flaw() const noexcept { return flaw_; }

private:
  event_flaw flaw_;
};

} // namespace romancy
