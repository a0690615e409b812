#pragma once

#include <cstdint>
#include <string>

#include <romancy/instance_status.hpp>

namespace romancy {

struct instance_record {
  std::string instance_id;
  std::string workflow;
  instance_status status = instance_status::running;
  std::string input;         ///< a JSON array
  std::string output;        ///< JSON text, once completed
  std::string error;         ///< why it failed, was cancelled or parked
  std::string cancel_reason; ///< not empty: it is to be stopped and undone
  std::int64_t fence = 0;    ///< grows with each takeover; a commit with an older one is refused
  std::string owner_epoch;   ///< empty: nobody's
};

} // namespace romancy
