#pragma once

#include <string>
#include <vector>

#include "messages/history_record.hpp"
#include "messages/time_point.hpp"
#include "storage/database.hpp"

namespace romancy {

/// `workflow_history`. Functions throw storage_failure.
class history_table {
public:
  explicit history_table(database& db);

  /// Adds an outcome, if `epoch` still owns the instance under this fence: false, and nothing written, otherwise.
  bool insert(const std::string& instance_id, const history_record& record, const std::string& epoch, std::int64_t fence,
              time_point now);
  /// In order of completion.
  std::vector<history_record> load(const std::string& instance_id);

  struct dated {
    history_record record;
    std::string created_at;
  };
  std::vector<dated> list(const std::string& instance_id);

private:
  database& db_;
  history_record row_;
  std::string instance_id_, epoch_, now_;
  std::int64_t fence_ = 0;
  soci::indicator has_details_ = soci::i_null;
  soci::statement insert_;
};

} // namespace romancy
