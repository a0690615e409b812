#include "bench/scratch_databases.hpp"

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include <unistd.h>

#include "bench/measurement.hpp"
#include "bench/raw_sqlite.hpp"
#include "storage/database.hpp"

namespace romancy::bench {

scratch_databases::scratch_databases(const std::string& url) : text_{url}, url_{database_url::parse(url)} {
  if (!url_.is_file()) return;
  const auto folder = std::filesystem::absolute(url_.path).parent_path();
  directory_ = (folder / "romancy-bench-XXXXXX").string();
  if (!::mkdtemp(directory_.data())) throw std::invalid_argument{"cannot write into " + folder.string()};
}

scratch_databases::~scratch_databases() {
  if (!directory_.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  for (const auto& name : made_) try {
      *database::connect(url_) << "DROP DATABASE " + name;
    } catch (const std::exception&) { // it stays
    }
}

std::string scratch_databases::make() {
  static int made = 0;
  const auto name = "romancy_bench_" + std::to_string(::getpid()) + '_' + std::to_string(++made);
  if (url_.is_file()) return directory_ + '/' + name + ".db";
  *database::connect(url_) << "CREATE DATABASE " + name;
  made_.push_back(name);
  const auto options = std::min(text_.rfind('?'), text_.size());
  return text_.substr(0, text_.rfind('/', options) + 1) + name + text_.substr(options);
}

double scratch_databases::raw_commits_per_second() {
  const auto fresh = make();
  if (url_.is_file()) return raw_sqlite::commits_per_second(fresh);
  const auto session = database::connect(database_url::parse(fresh));
  *session << "CREATE TABLE t (id BIGINT PRIMARY KEY, text VARCHAR(250) NOT NULL)";
  long long id = 0;
  const std::string record(220, 'r');
  soci::statement insert =
      (session->prepare << "INSERT INTO t (id, text) VALUES (:id, :text)", soci::use(id), soci::use(record));
  constexpr int records = 1500;
  return records / seconds([&] {
           while (id < records) {
             ++id;
             insert.execute(true);
           }
         });
}

std::string scratch_databases::kind() const { return std::string{dialect_of(url_).name}; }

} // namespace romancy::bench
