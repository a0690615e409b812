#pragma once

#include <string>
#include <string_view>

#include <romancy/instance_filter.hpp>

namespace romancy {

/// After which instance a page begins. Its text says nothing to users, who only hand it back.
struct page_token {
  instance_order order = instance_order::oldest_first;
  std::string started_at; ///< as the database has it
  std::string instance_id;

  /// Letters, digits, '-' and '_'.
  std::string text() const;
  /// @throws query_error if it did not come from text()
  static page_token parse(std::string_view text);
};

} // namespace romancy
