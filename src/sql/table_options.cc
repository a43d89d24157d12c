#include "sql/table_options.h"

#include <duckdb/common/types/interval.hpp>

#include <limits>
#include <map>
#include <utility>

#include "sql/sql_error.h"

namespace yarrow::sql {
namespace {

constexpr const char* kKind = "kind";
constexpr int64_t kMicrosOfASecond = 1'000'000;

[[noreturn]] void Refuse(const std::string& table, const std::string& option, const std::string& text,
                         const char* takes) {
  throw duckdb::BinderException("table " + table + ": option " + option + " is " + text + "; give " + takes);
}

const duckdb::Value& ConstantOf(const std::string& table, const std::string& option,
                                const duckdb::ParsedExpression& expression) {
  if (expression.GetExpressionType() != duckdb::ExpressionType::VALUE_CONSTANT) {
    Refuse(table, option, expression.ToString(), "a constant");
  }
  const duckdb::Value& value = expression.Cast<duckdb::ConstantExpression>().value;
  if (value.IsNull()) Refuse(table, option, "NULL", "a value; RESET (option) sets it back");
  return value;
}

uint64_t Number(const std::string& table, const std::string& option, const duckdb::Value& value) {
  duckdb::Value number, back;
  std::string error;
  // What rounds comes back as another value.
  if (value.type().id() == duckdb::LogicalTypeId::BOOLEAN ||
      !value.DefaultTryCastAs(duckdb::LogicalType::UBIGINT, number, &error) ||
      !number.DefaultTryCastAs(value.type(), back, &error) || !duckdb::Value::NotDistinctFrom(back, value)) {
    Refuse(table, option, value.ToString(), "a whole number");
  }
  return number.GetValue<uint64_t>();
}

int64_t SignedNumber(const std::string& table, const std::string& option, const duckdb::Value& value) {
  const uint64_t number = Number(table, option, value);
  if (number > std::numeric_limits<int64_t>::max()) Refuse(table, option, value.ToString(), "a smaller number");
  return static_cast<int64_t>(number);
}

// A number, or as DuckDB's memory_limit: '256MB'.
uint64_t Bytes(const std::string& table, const std::string& option, const duckdb::Value& value) {
  if (value.type().id() != duckdb::LogicalTypeId::VARCHAR) return Number(table, option, value);
  try {
    return duckdb::DBConfig::ParseMemoryLimit(value.ToString());
  } catch (const duckdb::Exception&) {
    Refuse(table, option, "'" + value.ToString() + "'", "a number of bytes, or a text as '256MB' or '1GiB'");
  }
}

// A number of seconds, or an interval in text: '30 days'. A month is 30 days.
int64_t Seconds(const std::string& table, const std::string& option, const duckdb::Value& value) {
  if (value.type().id() != duckdb::LogicalTypeId::VARCHAR) return SignedNumber(table, option, value);
  duckdb::Value interval;
  std::string error;
  if (!value.DefaultTryCastAs(duckdb::LogicalType::INTERVAL, interval, &error)) {
    Refuse(table, option, "'" + value.ToString() + "'", "a number of seconds, or an interval as '30 days'");
  }
  int64_t micros = 0;
  if (!duckdb::Interval::TryGetMicro(interval.GetValue<duckdb::interval_t>(), micros) || micros < 0 ||
      micros % kMicrosOfASecond != 0) {
    Refuse(table, option, "'" + value.ToString() + "'", "whole seconds, 0 or more");
  }
  return micros / kMicrosOfASecond;
}

OptimizeFor Layout(const std::string& table, const std::string& option, const duckdb::Value& value) {
  if (const auto layout = ParseLayout(value.ToString())) return *layout;
  Refuse(table, option, "'" + value.ToString() + "'", "'scan' or 'lookup'");
}

struct Option {
  void (*set)(const std::string& table, const std::string& option, const duckdb::Value& value, TierPolicy* policy);
  void (*reset)(TierPolicy* policy);
};

using Text = const std::string&;
using Constant = const duckdb::Value&;

const std::map<std::string, Option>& KnownOptions() {
  static const std::map<std::string, Option> options = {
      {"flush_rows",
       {[](Text t, Text o, Constant v, TierPolicy* p) { p->flush_rows = Number(t, o, v); },
        [](TierPolicy* p) { p->flush_rows = 0; }}},
      {"flush_bytes",
       {[](Text t, Text o, Constant v, TierPolicy* p) { p->flush_bytes = Bytes(t, o, v); },
        [](TierPolicy* p) { p->flush_bytes.reset(); }}},
      {"flush_age",
       {[](Text t, Text o, Constant v, TierPolicy* p) { p->flush_age = Seconds(t, o, v); },
        [](TierPolicy* p) { p->flush_age = 0; }}},
      {"min_user_rows",
       {[](Text t, Text o, Constant v, TierPolicy* p) { p->min_user_rows = SignedNumber(t, o, v); },
        [](TierPolicy* p) { p->min_user_rows = TierPolicy().min_user_rows; }}},
      {"optimize_for",
       {[](Text t, Text o, Constant v, TierPolicy* p) { p->optimize_for = Layout(t, o, v); },
        [](TierPolicy* p) { p->optimize_for = OptimizeFor::kScan; }}},
      {"ttl_column",
       {[](Text, Text, Constant v, TierPolicy* p) { p->ttl_column = v.ToString(); },
        [](TierPolicy* p) { p->ttl_column.clear(); }}},
      {"ttl",
       {[](Text t, Text o, Constant v, TierPolicy* p) { p->ttl = Seconds(t, o, v); },
        [](TierPolicy* p) { p->ttl = 0; }}},
  };
  return options;
}

const Option& Find(const std::string& table, const std::string& name) {
  const auto at = KnownOptions().find(duckdb::StringUtil::Lower(name));
  if (at != KnownOptions().end()) return at->second;
  std::string known;
  for (const auto& [option, functions] : KnownOptions()) known += ", " + option;
  throw duckdb::BinderException("table " + table + ": unknown option " + name + "; there are kind = 'shared' or " +
                                "'user' (in CREATE TABLE)" + known);
}

}  // namespace

std::optional<OptimizeFor> ParseLayout(const std::string& text) {
  if (text == "scan") return OptimizeFor::kScan;
  if (text == "lookup") return OptimizeFor::kLookup;
  return std::nullopt;
}

TableOptions TableOptionsOf(const TableDefinition& table) {
  const TierPolicy& policy = table.policy;
  const TierPolicy plain;
  TableOptions options;
  const auto add = [&](const char* name, const auto& value, const auto& default_value, duckdb::Value constant) {
    if (value == default_value) return;
    options[name] = duckdb::make_uniq<duckdb::ConstantExpression>(std::move(constant));
  };
  add(kKind, table.kind == TableKind::kUser, false, "user");
  add("flush_rows", policy.flush_rows, plain.flush_rows, duckdb::Value::UBIGINT(policy.flush_rows));
  add("flush_bytes", policy.flush_bytes, plain.flush_bytes, duckdb::Value::UBIGINT(policy.flush_bytes.value_or(0)));
  add("flush_age", policy.flush_age, plain.flush_age, duckdb::Value::BIGINT(policy.flush_age));
  add("min_user_rows", policy.min_user_rows, plain.min_user_rows, duckdb::Value::BIGINT(policy.min_user_rows));
  add("optimize_for", policy.optimize_for, plain.optimize_for, "lookup");
  add("ttl_column", policy.ttl_column, plain.ttl_column, duckdb::Value(policy.ttl_column));
  add("ttl", policy.ttl, plain.ttl, duckdb::Value::BIGINT(policy.ttl));
  return options;
}

TableKind TakeKind(const std::string& table, const TableOptions& options) {
  const auto at = options.find(kKind);
  if (at == options.end()) return TableKind::kShared;
  const std::string text = ConstantOf(table, kKind, *at->second).ToString();
  const TableKind kind = Check(ParseTableKind(duckdb::StringUtil::Lower(text)));
  if (kind != TableKind::kSystem) return kind;
  throw duckdb::BinderException("table " + table + ": system tables belong to the database; choose shared or user");
}

TierPolicy SetTableOptions(const std::string& table, const TableOptions& options, bool is_new, TierPolicy policy) {
  for (const auto& [name, expression] : options) {
    if (duckdb::StringUtil::CIEquals(name, kKind)) {
      if (is_new) continue;
      throw duckdb::BinderException("table " + table +
                                    ": its kind cannot be changed; make a table of that kind and copy the rows");
    }
    Find(table, name).set(table, name, ConstantOf(table, name, *expression), &policy);
  }
  return policy;
}

TierPolicy ResetTableOptions(const std::string& table, const duckdb::case_insensitive_set_t& options,
                             TierPolicy policy) {
  for (const std::string& name : options) Find(table, name).reset(&policy);
  return policy;
}

}  // namespace yarrow::sql
