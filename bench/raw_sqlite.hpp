#pragma once

#include <memory>
#include <string>

namespace romancy::bench {

/// SQLite by its C API, as durable as Romancy sets it: WAL, synchronous=FULL, one commit a record of 220 bytes.
class raw_sqlite {
public:
  explicit raw_sqlite(const std::string& path);
  ~raw_sqlite();
  void commit_record();

  /// Records a second, over about half a second.
  static double commits_per_second(const std::string& path);

private:
  struct handles;
  std::unique_ptr<handles> handles_;
};

} // namespace romancy::bench
