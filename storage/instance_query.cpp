#include "storage/instance_query.hpp"

#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

#include <romancy/error.hpp>

#include "storage/json_path.hpp"
#include "storage/page_token.hpp"
#include "storage/reading.hpp"
#include "storage/storage_failure.hpp"
#include "storage/text_check.hpp"
#include "storage/timestamp.hpp"
#include "storage/wait_table.hpp"

namespace romancy {

namespace {

constexpr int max_limit = 1000;
constexpr auto columns =
    "instance_id, workflow_name, status, input_data, output_data, coalesce(park_reason, error) AS "
    "reason, cancel_reason, owner_epoch, started_at, finished_at, cancelled_by, parent_id, run, forked_from, fork_step";

/// A value that is looked for in inputs, in the words of a database.
class input_match {
public:
  input_match(const dialect& spoken, const input_condition& wanted)
      : dialect_{spoken}, path_{json_path::parse(wanted.path)} {
    using limits = std::numeric_limits<std::int64_t>;
    const auto& value = wanted.equals;
    piece_ = value.is_string()         ? spoken.json_text
             : value.is_number_float() ? spoken.json_number
             : value.is_boolean()      ? spoken.json_literal
             : value.is_null()         ? spoken.json_literal
             : !value.is_number()      ? ""
             : value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(limits::max())
                 ? spoken.json_large
                 : spoken.json_integer;
    if (piece_.empty())
      refuse("is compared with an array or object: name a member, and give a string, number, boolean or null");
    try {
      value_ = value.dump();
    } catch (const nlohmann::json::exception&) {
      refuse("is compared with text that is no UTF-8");
    }
    if (value.is_number_float() && value_ == "null") refuse("is compared with a number that is not finite");
    if (!value.is_string()) return;
    if (spoken.json_binds_json)
      value_ = spoken.keeps_nul ? value.dump() : nlohmann::json(without_nul(value.get<std::string>())).dump();
    else
      value_ = value.get<std::string>();
  }
  void add_to(sql_text& sql) const {
    // MariaDB takes what is no array for one with a single element.
    for (std::size_t i = 0; i < path_.size() && !dialect_.json_array.empty(); ++i) {
      if (!path_.is_index(i)) continue;
      sql.add(dialect_.json_array, path_.text(i), {});
      sql << " AND ";
    }
    sql.add(piece_, std::string{dialect_.json_path_mode} + path_.text(), value_);
  }

private:
  [[noreturn]] void refuse(const char* why) const { throw query_error{"the input at " + path_.text() + ' ' + why}; }
  /// As dialect::json_text reads what PostgreSQL's jsonb cannot hold.
  static std::string without_nul(const std::string& text) {
    std::string replaced;
    for (const char c : text) {
      if (c == '\0')
        replaced += "\xEF\xB7\x90"; // U+FDD0, which is no character
      else
        replaced += c;
    }
    return replaced;
  }

  const dialect& dialect_;
  json_path path_;
  std::string_view piece_;
  std::string value_;
};

/// Without wildcards in it.
std::string literal(const dialect& spoken, std::string_view text) {
  std::string pattern;
  for (const char c : text) {
    if (spoken.wildcards.find(c) == std::string_view::npos)
      pattern += c;
    else if (spoken.escape == '[') // a set of one
      pattern += {'[', c, ']'};
    else
      pattern += {spoken.escape, c};
  }
  return pattern;
}

/// The conditions of a list, checked, in the words of a database.
class instance_conditions {
public:
  instance_conditions(const dialect& spoken, const instance_filter& wanted) : dialect_{spoken}, wanted_{wanted} {
    if (wanted.limit < 1 || wanted.limit > max_limit)
      throw query_error{"the limit of a page is " + std::to_string(wanted.limit) + ": set it to 1 to " +
                        std::to_string(max_limit)};
    for (const auto& condition : wanted.input) input_.emplace_back(spoken, condition);
    if (!wanted.page.empty()) after_ = page_token::parse(wanted.page);
    if (after_ && after_->order != wanted.order)
      throw query_error{"the page is one of the other order: go on in the order of the page before"};
    statuses_ = wanted.statuses;
    std::sort(statuses_.begin(), statuses_.end());
    statuses_.erase(std::unique(statuses_.begin(), statuses_.end()), statuses_.end());
  }

  /// One more row than the page has, so that it is known whether others follow. Of several statuses each is read in the
  /// order of an index, and then the first of all of them are taken.
  sql_text select() const {
    sql_text sql;
    if (statuses_.size() < 2) {
      add_select(sql, statuses_.empty() ? std::optional<instance_status>{} : statuses_.front());
      return sql;
    }
    sql << "SELECT * FROM (";
    for (std::size_t i = 0; i < statuses_.size(); ++i) {
      sql << (i == 0 ? "" : " UNION ALL ") << "SELECT * FROM (";
      add_select(sql, statuses_[i]);
      sql << ") AS of_status_" << std::to_string(i);
    }
    sql << ") AS of_any_status";
    add_order(sql);
    return sql;
  }

private:
  void add_select(sql_text& sql, std::optional<instance_status> status) const {
    sql << "SELECT " << columns << " FROM workflow_instances";
    std::string_view next = " WHERE ";
    const auto where = [&]() -> sql_text& {
      sql << next;
      next = " AND ";
      return sql;
    };
    if (status) (where() << "status = ").bind(std::string{to_string(*status)});
    if (!wanted_.workflows.empty()) {
      where() << "workflow_name IN (";
      for (const auto& name : wanted_.workflows) (sql << (&name == &wanted_.workflows.front() ? "" : ", ")).bind(name);
      sql << ")";
    }
    if (!wanted_.instance_id.empty()) (where() << "instance_id = ").bind(wanted_.instance_id);
    const std::string many{dialect_.wildcards.front()};
    if (!wanted_.id_prefix.empty()) where().add(dialect_.id_matches, {}, literal(dialect_, wanted_.id_prefix) + many);
    if (!wanted_.id_contains.empty())
      where().add(dialect_.id_matches, {}, many + literal(dialect_, wanted_.id_contains) + many);
    const auto at = [&](const char* comparison, const std::optional<time_point>& time) {
      if (time) (where() << comparison).bind(to_text(*time));
    };
    at("started_at >= ", wanted_.started_after);
    at("started_at < ", wanted_.started_before);
    at("finished_at >= ", wanted_.finished_after);
    at("finished_at < ", wanted_.finished_before);
    if (after_) {
      const bool down = after_->order == instance_order::newest_first;
      (where() << "started_at " << (down ? "<= " : ">= ")).bind(after_->started_at);
      (where() << "(started_at " << (down ? "< " : "> ")).bind(after_->started_at);
      (sql << " OR instance_id " << (down ? "< " : "> ")).bind(after_->instance_id) << ")";
    }
    for (const auto& condition : input_) condition.add_to(where());
    add_order(sql);
  }
  void add_order(sql_text& sql) const {
    const std::string_view direction = wanted_.order == instance_order::newest_first ? " DESC" : "";
    sql << " ORDER BY started_at" << direction << ", instance_id" << direction << " LIMIT "
        << std::to_string(wanted_.limit + 1);
  }

  const dialect& dialect_;
  const instance_filter& wanted_;
  std::vector<input_match> input_;
  std::optional<page_token> after_;
  std::vector<instance_status> statuses_;
};

/// One that was written by hand, in another way, is shown as the beginning of time: the others are shown all the same.
time_point readable(const std::string& text) try { return to_time_point(text); } catch (const storage_error&) {
  return {};
}

void check_filter(const database& db, const instance_filter& wanted) {
  check_text(db, "look for instances", {&wanted.instance_id, &wanted.id_prefix, &wanted.id_contains});
  for (const auto& name : wanted.workflows) check_text(db, "look for instances", {&name});
}

} // namespace

sql_text instance_query::sql(const instance_filter& wanted) const {
  auto text = instance_conditions{db_.dialect(), wanted}.select();
  check_filter(db_, wanted);
  return text;
}

instance_query::rows instance_query::list(const instance_filter& wanted) try {
  const auto text = sql(wanted);
  row found;
  auto& instance = found.instance;
  std::string status, started_at, finished_at;
  soci::indicator output_is, error_is, cancel_is, owner_is, finished_is, author_is, parent_is, fork_is, step_is;
  soci::details::prepare_temp_type query = db_.session().prepare << text.text();
  for (const auto& value : text.values()) query, soci::use(value);
  soci::statement select =
      (query, soci::into(instance.instance_id), soci::into(instance.workflow), soci::into(status),
       soci::into(instance.input), soci::into(instance.output, output_is), soci::into(instance.error, error_is),
       soci::into(instance.cancel_reason, cancel_is), soci::into(instance.owner, owner_is), soci::into(started_at),
       soci::into(finished_at, finished_is), soci::into(instance.cancelled_by, author_is),
       soci::into(instance.parent, parent_is), soci::into(instance.run), soci::into(instance.forked_from, fork_is),
       soci::into(instance.fork_step, step_is));
  rows page;
  for (bool more = select.execute(true); more; more = select.fetch()) {
    if (static_cast<int>(page.items.size()) == wanted.limit) {
      page.more = true;
      continue; // to its end
    }
    instance.status = to_instance_status(status).value_or(instance_status::parked);
    if (output_is == soci::i_null) instance.output.clear();
    if (error_is == soci::i_null) instance.error.clear();
    if (cancel_is == soci::i_null) instance.cancel_reason.clear();
    if (owner_is == soci::i_null) instance.owner.clear();
    if (author_is == soci::i_null) instance.cancelled_by.clear();
    if (parent_is == soci::i_null) instance.parent.clear();
    if (fork_is == soci::i_null) instance.forked_from.clear();
    if (step_is == soci::i_null) instance.fork_step.clear();
    instance.started_at = readable(started_at);
    instance.finished_at.reset();
    if (finished_is != soci::i_null) instance.finished_at = readable(finished_at);
    found.page = page_token{wanted.order, started_at, instance.instance_id}.text();
    page.items.push_back(found);
  }
  return page;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "read instances");
}

std::optional<instance_details> instance_query::find(const std::string& instance_id) try {
  if (instance_id.empty()) return std::nullopt;
  const reading one_moment{db_};
  auto found = list({.instance_id = instance_id, .limit = 1});
  if (found.items.empty()) return std::nullopt;
  instance_details details{std::move(found.items.front().instance), {}, {}, {}, {}};
  details.history = history(details.instance);
  for (const auto& wait : wait_table{db_}.load(instance_id)) {
    auto text = wait.activity_id;
    for (const auto& channel : wait.channels) text += (&channel == &wait.channels.front() ? " for " : " or ") + channel;
    if (wait.kind == wait_kind::retry) text += " to be tried again";
    if (wait.due) text += " until " + to_text(*wait.due);
    details.waits.push_back(std::move(text));
  }
  details.pending_events = texts(
      "SELECT event_id FROM outbox_events WHERE instance_id = :id AND status = 'pending' "
      "ORDER BY sequence",
      instance_id);
  if (details.instance.status != instance_status::completed)
    details.pending_compensations = texts(
        "SELECT activity_id FROM workflow_compensations WHERE instance_id = :id AND "
        "done_at IS NULL ORDER BY id DESC",
        instance_id);
  return details;
} catch (const soci::soci_error& e) {
  throw storage_failure::from(e, "read instance " + instance_id);
}

std::vector<history_entry> instance_query::history(const instance_summary& of) {
  history_entry entry;
  soci::indicator details_is;
  std::string created_at;
  auto before = of.started_at;
  soci::statement select =
      (db_.session().prepare << "SELECT activity_id, position, event_type, event_data, attempts, created_at, details "
                                "FROM workflow_history WHERE instance_id = :id ORDER BY id",
       soci::use(of.instance_id), soci::into(entry.activity_id), soci::into(entry.position), soci::into(entry.type),
       soci::into(entry.data), soci::into(entry.attempts), soci::into(created_at), soci::into(entry.details, details_is));
  std::vector<history_entry> all;
  for (bool more = select.execute(true); more; more = select.fetch()) {
    entry.created_at = readable(created_at);
    if (details_is == soci::i_null) entry.details.clear();
    entry.took =
        std::max(entry.created_at - before, std::chrono::microseconds{0}); // another process may have another time
    before = std::max(before, entry.created_at);
    all.push_back(entry);
  }
  return all;
}

std::vector<std::string> instance_query::texts(const char* sql, const std::string& instance_id) {
  std::string text;
  std::vector<std::string> all;
  soci::statement select = (db_.session().prepare << sql, soci::use(instance_id), soci::into(text));
  for (bool more = select.execute(true); more; more = select.fetch()) all.push_back(text);
  return all;
}

} // namespace romancy
