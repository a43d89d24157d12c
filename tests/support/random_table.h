// For tests: columns of random types, and SQL text about a table `t` of such columns and a table `u` of the same ones.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "differential_fixture.h"

namespace yarrow::test {

struct TypePool {
  enum Kind { kOther, kText, kExact, kFloating, kNoKey, kNested };

  const char* name;
  Kind kind;  // kExact: a number whose sums do not depend on their order; kNoKey and kNested: in no key
  std::vector<const char*> literals;
};

inline constexpr const char* kStructType = "STRUCT(c DATE[], b VARCHAR, a INTEGER, d STRUCT(y DECIMAL(9,2), x DOUBLE))";

class RandomTableFixture : public DifferentialFixture {
 protected:
  struct Column {
    const TypePool* type = nullptr;
    bool in_key = false, not_null = false;
    std::string default_value;  // none: NULL
    bool ignores_case = false;  // COLLATE NOCASE. No two values of the pool are equal but for case
  };
  // A value that a prepared statement is given each time it is executed.
  struct Parameter {
    size_t column;
    bool may_be_null;
  };

  void ChooseColumns() {
    columns_.clear();
    for (uint64_t i = 2 + Below(5); i > 0; --i) {
      columns_.emplace_back().type = columns_.empty() || OneIn(2) ? &AnyType() : Pick(columns_).type;
    }
    if (OneIn(6)) columns_.back().type = &*std::ranges::find_if(Types(), IsStruct);
    key_.clear();
    indexed_.clear();
    const uint64_t parts = Below(4);
    const auto with_order = static_cast<size_t>(
        std::ranges::count_if(columns_, [](const Column& column) { return column.type->kind < TypePool::kNoKey; }));
    while (key_.size() < std::min<size_t>({parts, columns_.size() - 1, with_order})) {
      const size_t c = AnyColumn();
      if (columns_[c].type->kind >= TypePool::kNoKey) continue;
      if (!columns_[c].in_key) key_.push_back(c);
      columns_[c].in_key = true;
    }
    for (size_t c = 0; c < columns_.size(); ++c) {
      columns_[c].not_null = columns_[c].in_key || OneIn(5);
      if (OneIn(3))
        columns_[c].default_value =
            OneIn(3) ? Join("coalesce(", Literal(c, false), ", ", Literal(c, false), ")") : Literal(c, false);
    }
    for (Column& column : columns_) column.ignores_case = column.type->kind == TypePool::kText && OneIn(3);
    ChooseFunction();
    generated_.clear();
    while (OneIn(3)) generated_.push_back({Below(columns_.size() + 1), GeneratedExpression()});
    unique_ = OneIn(4) ? IndexedColumns() : "";
    check_.clear();
    if (!OneIn(5)) return;
    const size_t c = AnyColumn();
    check_ = Join(", CHECK (", Condition(2), " OR ", Name(c), " IS NULL OR ", Name(c), " <> ", Literal(c, false), ")");
  }
  std::string GeneratedExpression() {
    const size_t c = AnyColumn();
    switch (Below(4)) {
      case 0:
        return Name(c);
      case 1:
        return Join("coalesce(", Name(c), ", ", Literal(c, false), ")");
      case 2:
        return Join(Name(c), "::VARCHAR");
      default:
        return Condition(1);
    }
  }
  // The second table has its own key, or none.
  std::string CreateTable(const std::string& name, const std::vector<size_t>& key) const {
    std::string sql = "CREATE OR REPLACE TABLE " + name + " (", parts;
    for (size_t c = 0; c < columns_.size(); ++c) {
      const Column& column = columns_[c];
      sql += GeneratedBefore(c);
      sql += Join(Name(c), " ", column.type->name, column.ignores_case ? " COLLATE NOCASE" : "",
                  column.not_null ? " NOT NULL" : "");
      if (!column.default_value.empty()) sql += " DEFAULT " + column.default_value;
      sql += ", ";
    }
    sql += GeneratedBefore(columns_.size());
    sql.resize(sql.size() - 2);
    sql += check_;
    if (name == "t" && !unique_.empty()) sql += ", UNIQUE (" + unique_ + ")";
    for (const size_t c : key) parts += Join(parts.empty() ? "" : ", ", Name(c));
    return sql + (key.empty() ? ")" : ", PRIMARY KEY (" + parts + "))");
  }

  // Of up to three columns that an index may have; nothing when there are none.
  std::string IndexedColumns() {
    std::vector<size_t> list;
    for (uint64_t i = 1 + Below(3); i > 0; --i) {
      const size_t c = AnyColumn();
      if (columns_[c].type->kind < TypePool::kNoKey && std::ranges::count(list, c) == 0) list.push_back(c);
    }
    std::string names;
    for (const size_t c : list) names += Join(names.empty() ? "" : ", ", Name(c));
    if (!list.empty()) indexed_ = list;
    return names;
  }

  // What indexes have and conditions compare: a value of a column, or another one, between two texts.
  struct Function {
    size_t column = 0;
    std::string before, after;
  };
  void ChooseFunction() {
    const size_t c = AnyColumn();
    function_ = {.column = c, .before = "", .after = "::VARCHAR"};
    if (columns_[c].type->kind == TypePool::kText) {
      function_.before = Pick(std::vector<std::string>{"lower(", "length(", "reverse(", "substr(upper("});
      function_.after = function_.before.starts_with("substr") ? "), 1, 1)" : ")";
    } else if (columns_[c].type->kind < TypePool::kNoKey && OneIn(2)) {
      function_ = {.column = c, .before = "coalesce(", .after = Join(", ", Constant(c, false), ")")};
    }
    if (DependsOnTimeZone(c)) function_ = {c, "(", " IS NULL)"};
  }
  // No expression of an index reads such a column.
  bool DependsOnTimeZone(size_t c) const {
    return std::string_view(columns_[c].type->name).find("TZ") != std::string_view::npos;
  }
  std::string FunctionOf(const std::string& value) const { return function_.before + value + function_.after; }
  // Of rows a and b.
  std::string SameFunction() {
    const size_t c = function_.column;
    return Join(FunctionOf("a." + Name(c)), " = ", FunctionOf("b." + Name(ColumnLike(c))));
  }
  // Columns of an index, with the function or without; none now and then.
  std::string PartsOfIndex() {
    const std::string columns = IndexedColumns();
    if (DependsOnTimeZone(function_.column) || OneIn(2)) return columns;
    return Join("(", FunctionOf(Name(function_.column)), ")", columns.empty() ? "" : ", ", columns);
  }
  std::string FunctionCondition() {
    const size_t c = function_.column;
    const std::string value = FunctionOf(Name(c));
    switch (Below(4)) {
      case 0:
        return Join(value, OneIn(2) ? " IS NULL" : " IS NOT NULL");
      case 1:
        return Join(value, " IN (", FunctionOf(Literal(c, true)), ", ", FunctionOf(Literal(c, false)), ")");
      default:
        return Join(value, Pick(std::vector<std::string>{" = ", " = ", " <> ", " < ", " >= "}),
                    FunctionOf(Literal(c, true)));
    }
  }

  std::string GeneratedBefore(size_t column) const {
    std::string sql;
    for (size_t g = 0; g < generated_.size(); ++g) {
      if (generated_[g].before == column) sql += Join("g", g, " AS (", generated_[g].expression, "), ");
    }
    return sql;
  }

  static std::string Name(size_t column) { return Join("c", column); }
  size_t AnyColumn() { return Below(columns_.size()); }
  // Another one of the same type, or the same.
  size_t ColumnLike(size_t c) {
    std::vector<size_t> same;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].type == columns_[c].type) same.push_back(i);
    }
    return Pick(same);
  }
  size_t ValueColumn() {  // there is one
    const size_t c = AnyColumn();
    return columns_[c].in_key ? ValueColumn() : c;
  }
  bool IsNumber(size_t c) const {
    return columns_[c].type->kind == TypePool::kExact || columns_[c].type->kind == TypePool::kFloating;
  }

  // A value, or the place of one where a statement is being prepared.
  std::string Literal(size_t c, bool may_be_null) {
    if (parameters_ != nullptr && OneIn(2)) {
      parameters_->push_back({c, may_be_null});
      return Join("$", parameters_->size(), "::", columns_[c].type->name);
    }
    return Constant(c, may_be_null);
  }
  std::string Constant(size_t c, bool may_be_null) {
    if (may_be_null && OneIn(6)) return "NULL";
    const std::string literal = Pick(columns_[c].type->literals);
    const bool is_number = literal.front() == '-' || (literal.front() >= '0' && literal.front() <= '9');
    const std::string quote = is_number ? "'" : "";  // 1 becomes '1': -1::T is -(1::T)
    return quote + literal + quote + "::" + columns_[c].type->name;
  }
  std::string Row() {
    std::string row = "(";
    for (size_t c = 0; c < columns_.size(); ++c) {
      const bool may_be_null = !columns_[c].not_null || OneIn(30);
      row += Join(c == 0 ? "" : ", ", OneIn(12) ? "DEFAULT" : Literal(c, may_be_null));
    }
    return row + ")";
  }
  std::string Rows(uint64_t most) {
    std::string rows = Row();
    for (uint64_t i = Below(most); i > 0; --i) rows.append(", ").append(Row());
    return rows;
  }

  // `outer`: the table that subqueries may refer to; without one there are no subqueries.
  std::string Condition(int depth, const std::string& outer = "") {
    if (depth == 0 || OneIn(3)) return outer.empty() || !OneIn(8) ? Leaf() : Subquery(outer);
    if (OneIn(5)) return "NOT (" + Condition(depth - 1, outer) + ")";
    return "(" + Condition(depth - 1, outer) + (OneIn(2) ? " AND " : " OR ") + Condition(depth - 1, outer) + ")";
  }
  std::string Where(const std::string& outer = "t") {
    if (OneIn(8)) return "";
    const std::string where = " WHERE " + Condition(3, outer);
    if (outer != "t" || generated_.empty() || !OneIn(4)) return where;
    const uint64_t g = Below(generated_.size());
    return Join(where, OneIn(2) ? " AND g" : " OR g", g, OneIn(2) ? " IS NOT NULL" : Join(" = t.g", g));
  }

  // DuckDB makes BETWEEN of >= and <=, which it cannot run for nested values.
  std::string Comparison(size_t c) {
    if (columns_[c].type->kind == TypePool::kNested) return OneIn(2) ? " = " : " <> ";
    return Pick(std::vector<std::string>{" = ", " <> ", " < ", " <= ", " > ", " >= "});
  }
  std::string Leaf() {
    const size_t c = AnyColumn();
    const std::string name = Name(c);
    if (IsStruct(*columns_[c].type) && OneIn(2)) return FieldCondition(name);
    if (columns_[c].ignores_case && OneIn(2)) return Join(name, Comparison(c), "upper(", Literal(c, true), ")");
    switch (Below(12)) {
      case 0:
        return name + (OneIn(2) ? " IS NULL" : " IS NOT NULL");
      case 1:
        return Join(name, OneIn(3) ? " NOT IN (" : " IN (", Literal(c, true), ", ", Literal(c, false), ", ",
                    Literal(c, false), ")");
      case 2:
        if (columns_[c].type->kind == TypePool::kNested) return Computed(c);
        return Join(name, " BETWEEN ", Literal(c, false), " AND ", Literal(c, false));
      case 3:
        return OneIn(2) ? FunctionCondition() : Computed(c);
      case 4:
        return Join(name, OneIn(2) ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ", Literal(c, true));
      case 5:
        return Join(name, Comparison(c), Name(ColumnLike(c)));
      case 6:
        if (columns_[c].in_key) return Join(name, " = ", Literal(c, false));
        [[fallthrough]];
      default:
        return Join(name, Comparison(c), Literal(c, true));
    }
  }
  static bool IsStruct(const TypePool& type) { return std::string_view(type.name) == kStructType; }
  // Of a field of a struct, which scans test themselves. A CHECK knows no field by a dot.
  std::string FieldCondition(const std::string& name) {
    const char* const op = Pick(std::vector<const char*>{" = ", " <> ", " < ", " <= ", " > ", " >= "});
    const std::string field = Pick(std::vector<std::string>{
        Join(name, "['a']", op, Pick(std::vector<int>{-5, 0, 1, 7})),
        Join(name, "['b']", op, Pick(std::vector<const char*>{"'x'", "''", "'a longer text than fits'"})),
        Join(name, "['d']['x']", op, Pick(std::vector<const char*>{"0.5", "'nan'::DOUBLE", "-1"})),
        Join(name, "['d']['y']", op, Pick(std::vector<const char*>{"1.25", "-3", "0.5::DOUBLE"})),
        Join(name, "['a'] IS NULL"), Join(name, "['b'] IN ('x', '', 'y')"), Join(name, "['b'] LIKE 'a%'")});
    return OneIn(3) ? Join("(", field, " AND ", name, "['a']", op, "1)") : field;
  }
  std::string Computed(size_t c) {
    const std::string name = Name(c);
    if (IsNumber(c) && OneIn(2)) return Join(name, " + 0", Comparison(c), Literal(c, false));
    if (columns_[c].type->kind == TypePool::kText) {
      const std::vector<std::string> conditions = {
          " LIKE 'a%'", " LIKE '%b'", " LIKE 'a_'",        " NOT LIKE 'a%'",         " ILIKE 'A%'",   " LIKE ''",
          " LIKE '%'",  " ^@ 'a'",    " SIMILAR TO 'a.*'", " COLLATE NOCASE = 'AB'", " || 'b' = 'ab'"};
      return name + Pick(conditions);
    }
    switch (Below(3)) {
      case 0:
        return Join("coalesce(", name, ", ", Literal(c, false), ")", Comparison(c), Literal(c, false));
      case 1:
        return Join("CASE WHEN ", name, Comparison(c), Literal(c, false), " THEN ", name, " ELSE ", Literal(c, true),
                    " END", Comparison(c), Literal(c, true));
      default:
        return Join(name, "::VARCHAR", Comparison(c), Literal(c, true), "::VARCHAR");
    }
  }
  std::string Subquery(const std::string& outer) {
    const size_t c = AnyColumn();
    const std::string name = Join(outer, ".", Name(c)), other = Name(ColumnLike(c)),
                      from = OneIn(2) ? " FROM t b" : " FROM u b";
    const size_t by = AnyColumn();
    const std::string correlated =
        Join("b.", Name(ColumnLike(by)), OneIn(3) ? Comparison(by) : " = ", outer, ".", Name(by));
    switch (Below(5)) {
      case 0:
        return Join(name, OneIn(3) ? " NOT IN" : " IN", " (SELECT ", other, from, " WHERE ", Condition(1), ")");
      case 1:
        return Join(OneIn(2) ? "NOT " : "", "EXISTS (SELECT 1", from, " WHERE ", correlated, " AND ", Condition(1),
                    ")");
      case 2:
        return Join(name, Comparison(c), "(SELECT ", OneIn(2) ? "min(" : "max(", other, ")", from, " WHERE ",
                    correlated, ")");
      case 3:
        return Join(Below(3), Comparison(c), "(SELECT count(*)", from, " WHERE ", correlated, ")");
      default:
        return Join(name, Comparison(c), "(SELECT min(", other, ")", from, " WHERE ", Condition(1), ")");
    }
  }

  static const std::vector<TypePool>& Types();
  const TypePool& AnyType() {
    const TypePool* type = &Pick(Types());
    while (!takes_geometry_ && std::string_view(type->name).starts_with("GEOMETRY")) type = &Pick(Types());
    return *type;
  }

  // DuckDB takes what it knows of the geometries of its own tables for bounds of texts, and loses rows of a filter.
  bool takes_geometry_ = true;

  std::vector<Column> columns_;
  std::vector<size_t> key_;      // of t
  std::vector<size_t> indexed_;  // by the last index that was thought of
  struct Generated {
    size_t before;  // the column that stands behind it
    std::string expression;
  };
  std::vector<Generated> generated_;  // g0, g1, ... of both tables
  std::string check_;                 // of both, or nothing
  Function function_;
  std::string unique_;  // columns of a UNIQUE constraint of t, or nothing
  std::vector<Parameter>* parameters_ = nullptr;
};

inline const std::vector<TypePool>& RandomTableFixture::Types() {
  using enum TypePool::Kind;
  // No arrays: DuckDB has no CASE of them, and the max of none of them is not always NULL.
  static const std::vector<TypePool> types = {
      {"INTEGER", kExact, {"-2147483648", "-1", "0", "1", "2", "7", "100", "2147483647"}},
      {"BIGINT", kExact, {"-9223372036854775808", "-5", "0", "3", "4", "1000000", "9223372036854775807"}},
      {"UTINYINT", kExact, {"0", "1", "127", "128", "255"}},
      {"DOUBLE", kFloating, {"'-inf'", "-1.5", "0", "0.1", "2.5e10", "'inf'", "'nan'"}},
      {"FLOAT", kFloating, {"-1.5", "0", "0.25", "3", "'nan'"}},
      {"DECIMAL(9,2)", kExact, {"-9999999.99", "-0.01", "0", "0.5", "12.34", "9999999.99"}},
      {"DECIMAL(30,5)", kExact, {"-1.00001", "0", "12345678901234567890.12345", "1.5"}},
      {"VARCHAR",
       kText,
       {"''", "'a'", "'ab'", "'b'", "'a long text that is not inlined'", "'\u00e9'", "'%'", "'NULL'"}},
      {"BLOB", kOther, {"''", "'\\x00'", "'\\x00\\x01'", "'\\xFF'", "'abc'"}},
      {"BOOLEAN", kOther, {"true", "false"}},
      {"DATE", kOther, {"'1969-12-31'", "'1970-01-01'", "'2024-02-29'", "'0001-01-01'", "'9999-12-31'"}},
      {"TIME", kOther, {"'00:00:00'", "'12:34:56.789'", "'23:59:59.999999'"}},
      {"TIMESTAMP", kOther, {"'1969-12-31 23:59:59.999999'", "'2024-02-29 12:00:00'", "'2000-01-01 00:00:00.000001'"}},
      {"TIMESTAMP_S", kOther, {"'1969-12-31 23:59:59'", "'2024-02-29 12:00:00'"}},
      {"TIMESTAMP_NS", kOther, {"'1969-12-31 23:59:59.999999999'", "'2024-02-29 12:00:00'"}},
      {"TIMESTAMPTZ", kOther, {"'1970-01-01 00:00:00+00'", "'2024-02-29 12:00:00+01'"}},
      {"UUID",
       kOther,
       {"'00000000-0000-0000-0000-000000000000'", "'80000000-0000-0000-0000-000000000001'",
        "'ffffffff-ffff-ffff-ffff-ffffffffffff'"}},
      {"HUGEINT", kOther, {"-170141183460469231731687303715884105728", "-1", "0", "1", "9223372036854775808"}},
      {"UHUGEINT", kOther, {"0", "1", "340282366920938463463374607431768211455"}},
      {"INTERVAL",
       kNoKey,
       {"INTERVAL '0 days'", "INTERVAL '1 month'", "INTERVAL '31 days'", "INTERVAL '-1 day 00:00:01.5'",
        "INTERVAL '2 years 23:59:59'"}},
      {"TIMETZ", kOther, {"'00:00:00+00'", "'12:00:00.5+02:30'", "'11:00:00+01'", "'23:59:59-15:59:59'"}},
      {"BIT", kOther, {"'0'", "'1'", "'0101'", "'111111110'"}},
      {"BIGNUM", kOther, {"'-123456789012345678901234567890123456789012'", "'0'", "'1'", "'256'"}},
      {"ENUM ('sad', 'ok', 'happy', '')", kOther, {"'sad'", "'ok'", "'happy'", "''"}},
      {"INTEGER[]", kNested, {"[]", "[1]", "[1, NULL, 3]", "[NULL]", "[7, 8, 9, 10]"}},
      {"VARCHAR[][]", kNested, {"[]", "[['a', 'a longer text than fits'], [], NULL]", "[['b', NULL]]"}},
      {kStructType,
       kNested,
       {"{'c': ['2024-02-29'::DATE], 'b': 'x', 'a': 1, 'd': {'y': 1.25, 'x': 0.5}}",
        "{'c': NULL, 'b': NULL, 'a': NULL, 'd': NULL}", "{'c': NULL, 'b': '', 'a': 7, 'd': {'y': NULL, 'x': 'nan'}}",
        "{'c': [], 'b': 'a longer text than fits', 'a': -5, 'd': {'y': -3, 'x': NULL}}"}},
      {"JSON", kOther, {"'1'", "'null'", "'\"a\"'", "'[1, {\"a\": null}]'", "'{\"b\": \"a longer text than fits\"}'"}},
      {"GEOMETRY", kOther, {"'POINT (1 2)'", "'POINT EMPTY'", "'LINESTRING (0 0, 1 1)'"}},
      {"GEOMETRY('OGC:CRS84')", kOther, {"'POINT (1 2)'", "'POINT (-1 0)'", "'MULTIPOINT (0 0, 1 1)'"}},
      {"UNION(n INTEGER, s VARCHAR)",
       kNested,
       {"union_value(n := 1)", "union_value(s := 'a')", "union_value(s := NULL)", "union_value(n := 7)"}},
      {"MAP(INTEGER, VARCHAR)", kNested, {"MAP {}", "MAP {1: 'a', 2: NULL}", "MAP {3: 'c'}"}},
  };
  return types;
}

}  // namespace yarrow::test
