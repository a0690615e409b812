#pragma once

namespace romancy::cli {

/// What the event sink does with one received event.
struct answer {
  enum class kind {
    status, ///< sends `status` with an empty body
    close,  ///< closes the connection without an answer
    hang    ///< never answers; the connection stays until the client closes it or the sink stops
  };
  kind what = kind::status;
  unsigned status = 202; ///< an HTTP status; 0 for close and hang

  bool operator==(const answer&) const = default;
};

} // namespace romancy::cli
