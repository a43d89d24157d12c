// Random small tables, changes and queries, here and on native DuckDB tables.
#include <gtest/gtest.h>

#include "database/check.h"
#include "database/open_database.h"
#include "random_table.h"

// DuckDB does not free the state of a max(VARCHAR) in some UPDATE ... FROM (SELECT max(...) ... GROUP BY ...) over one
// of our tables; it makes, owns and should free it. No plan that shows it natively was found yet.
#ifdef __SANITIZE_ADDRESS__
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:MinMaxStringState\n";
}
#endif

namespace yarrow::sql {
namespace {

class DifferentialTest : public test::RandomTableFixture {
 protected:
  // ---- Queries ------------------------------------------------------------------------------------------------------

  // By the whole key, so that there is one right order; sometimes not the key's own.
  std::string KeyOrder() {
    const std::vector<std::string> directions = {"", " DESC", " DESC NULLS LAST", " NULLS FIRST"};
    const std::string direction = Pick(directions);
    std::string order;
    for (const size_t c : key_)
      order += Join(order.empty() ? "" : ", ", Name(c), OneIn(4) ? Pick(directions) : direction);
    if (key_.size() > 1 && OneIn(5)) order = Join(Name(key_[1]), direction, ", ", order);
    return order;
  }
  std::string Limit() { return Join(" LIMIT ", Below(20), OneIn(2) ? "" : Join(" OFFSET ", Below(5))); }
  std::string OrderedByKey() {
    const std::string where = OneIn(3) ? Join(" WHERE ", Name(key_[0]), " = ", Literal(key_[0], false)) : Where();
    std::string query = Join("SELECT * FROM t", where, " ORDER BY ", KeyOrder(), OneIn(2) ? Limit() : "");
    if (OneIn(5)) return Join("SELECT count(*), min(", Name(key_[0]), ")::VARCHAR FROM (", query, ")");
    return OneIn(5) ? Join("SELECT * FROM (", query, ") q WHERE ", Condition(1), " ORDER BY ALL") : query;
  }
  std::string AllColumns() const {
    std::string list;
    for (size_t c = 0; c < columns_.size(); ++c) list += Join(c == 0 ? "" : ", ", Name(c));
    return list;
  }
  std::string SomeColumns() {
    std::string list;
    for (size_t i = 0; i < 1 + Below(columns_.size()); ++i) {
      list += Join(i == 0 ? "" : ", ", Name(AnyColumn()), " AS r", i);
    }
    return list;
  }
  std::string OrderedByAll() {
    const std::string select = OneIn(4) ? Join("SELECT ", OneIn(2) ? "DISTINCT *" : "*") : "SELECT " + SomeColumns();
    const std::string order = OneIn(2) ? "" : OneIn(2) ? " DESC" : " NULLS FIRST";
    return Join(select, " FROM t", Where(), " ORDER BY ALL", order, OneIn(2) ? Limit() : "");
  }
  std::string FirstByAnyColumn() {
    const std::string order = OneIn(2) ? " DESC" : OneIn(2) ? " DESC NULLS LAST" : "";
    return Join("SELECT * FROM t", Where(), " ORDER BY ", Name(AnyColumn()), order, ", ", AllColumns(), Limit());
  }

  std::string FirstByFunction() {
    const std::string value = FunctionOf(Name(function_.column));
    if (OneIn(2)) {
      const char* const select = OneIn(3)   ? "min(f)::VARCHAR, max(f)::VARCHAR"
                                 : OneIn(2) ? "min(f)::VARCHAR"
                                            : "max(f)::VARCHAR";
      return Join("SELECT ", select, " FROM (SELECT ", value, " AS f FROM t", OneIn(2) ? "" : Where(), ")");
    }
    const std::string order = OneIn(2) ? " DESC" : OneIn(2) ? " DESC NULLS LAST" : " NULLS FIRST";
    return Join("SELECT ", value, "::VARCHAR FROM t", OneIn(2) ? "" : Where(), " ORDER BY ", value, order, Limit());
  }

  std::string Aggregate() {
    const size_t c = AnyColumn();
    switch (Below(6)) {
      case 0:
        return "count(*) FILTER (" + Condition(1) + ")";
      case 1:
        return Join("count(DISTINCT ", Name(c), ")");
      case 2:
        if (columns_[c].type->kind == test::TypePool::kExact) return Join("sum(", Name(c), ")::VARCHAR");
        return Join("count(", Name(c), ")");
      case 3:
        return Join("list(", Name(c), " ORDER BY ", Name(c), ")::VARCHAR");
      case 4:
        return Join("bool_or(", Condition(1), ")");
      default:
        return Join(OneIn(2) ? "min(" : "max(", Name(c), ")::VARCHAR");
    }
  }
  std::string Aggregates() {
    std::string list = Aggregate();
    for (uint64_t i = Below(3); i > 0; --i) list.append(", ").append(Aggregate());
    return list;
  }
  std::string Grouped() {
    const std::string a = Name(AnyColumn()), b = Name(AnyColumn());
    const std::string groups = OneIn(3) ? Join("ROLLUP (", a, ", ", b, ")") : Join(a, ", ", b);
    const std::string having = OneIn(2) ? "" : Join(" HAVING count(*) > ", Below(4));
    return Join("SELECT ", a, "::VARCHAR, ", b, "::VARCHAR, ", Aggregates(), " FROM t", Where(), " GROUP BY ", groups,
                having, " ORDER BY ALL");
  }
  std::string Window() {
    const std::string a = Name(AnyColumn()), b = Name(AnyColumn()), all = AllColumns();
    const std::string partition = OneIn(2) ? Join("PARTITION BY ", a, " ") : "";
    const std::string direction = OneIn(2) ? " DESC" : "";
    switch (Below(4)) {
      case 0:
        return Join("SELECT *, rank() OVER (", partition, "ORDER BY ", b, direction, ") FROM t", Where(),
                    " ORDER BY ALL");
      case 1:
        return Join("SELECT * FROM t", Where(), " QUALIFY row_number() OVER (", partition, "ORDER BY ", b, direction,
                    ", ", all, ") <= ", 1 + Below(3), " ORDER BY ALL");
      case 2:
        return Join("SELECT *, lag(", b, ") OVER (", partition, "ORDER BY ", all, ")::VARCHAR FROM t", Where(),
                    " ORDER BY ALL");
      default:
        return Join("SELECT *, count(*) OVER (PARTITION BY ", a, "), min(", b, ") OVER (PARTITION BY ", a,
                    ")::VARCHAR FROM t", Where(), " ORDER BY ALL");
    }
  }
  std::string Source(const std::string& table) { return Join("(SELECT * FROM ", table, Where(table), ")"); }
  std::string JoinOfTables() {
    const std::vector<std::string> kinds = {"JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN"};
    const std::string kind = Pick(kinds);
    const size_t c = key_.empty() || OneIn(2) ? AnyColumn() : key_[0], d = AnyColumn();
    std::string on = Join("a.", Name(c), " = b.", Name(ColumnLike(c)));
    if (OneIn(4)) on = SameFunction();
    if (OneIn(3)) on += Join(" AND a.", Name(d), Comparison(d), "b.", Name(ColumnLike(d)));
    const bool one_side = kind == "SEMI JOIN" || kind == "ANTI JOIN";
    return Digest(Join("SELECT a.*", one_side ? "" : Join(", b.", Name(d), " AS d, b.", Name(c), " AS c"), " FROM ",
                       Source("t"), " a ", kind, " ", Source(OneIn(2) ? "t" : "u"), " b ON ", on));
  }
  std::string SetOperation() {
    const std::vector<std::string> operations = {"UNION",      "UNION ALL", "EXCEPT",
                                                 "EXCEPT ALL", "INTERSECT", "INTERSECT ALL"};
    return Join("SELECT ", AllColumns(), " FROM t", Where(), " ", Pick(operations), " SELECT ", AllColumns(), " FROM u",
                Where("u"), " ORDER BY ALL");
  }
  std::string OfRowIds() {
    switch (Below(3)) {
      case 0:
        return "SELECT count(*), count(DISTINCT rowid) FROM t" + Where();
      case 1:
        return Join("SELECT ", AllColumns(), " FROM t WHERE rowid IN (SELECT rowid FROM t", Where(), ") ORDER BY ALL");
      default:
        return Join("SELECT count(*) FROM t a JOIN (SELECT rowid AS r FROM t", Where(), ") b ON a.rowid = b.r");
    }
  }

  // What the entries of an index may say alone.
  std::string OfIndexedColumns() {
    std::string columns;
    for (const size_t c : indexed_) columns += Join(columns.empty() ? "" : ", ", Name(c));
    const size_t first = indexed_.front(), last = indexed_.back();
    const std::string where = Join(Name(first), OneIn(2) ? " = " : " >= ", Literal(first, false));
    return Join("SELECT ", columns, " FROM t WHERE ", where,
                OneIn(2) ? "" : Join(" AND ", Name(last), Comparison(last), Literal(last, false)), " ORDER BY ALL");
  }

  std::string Query() {
    if (!key_.empty() && OneIn(4)) return OrderedByKey();
    if (!indexed_.empty() && OneIn(6)) return OfIndexedColumns();
    switch (Below(12)) {
      case 0:
        return "SELECT count(*) FROM t" + (OneIn(3) ? "" : Where());
      case 1:
        return Join("SELECT ", Aggregates(), " FROM t", Where());
      case 2:
        return Join("SELECT count(*) FROM (SELECT * FROM t", Where(), " LIMIT ", Below(40), ")");
      case 3:
        return Grouped();
      case 4:
        return Window();
      case 5:
      case 6:
        return JoinOfTables();
      case 7:
        return SetOperation();
      case 8:
        return OneIn(3) ? FirstByFunction() : FirstByAnyColumn();
      case 9:
        return OfRowIds();
      default:
        return OrderedByAll();
    }
  }

  // ---- Changes ------------------------------------------------------------------------------------------------------

  // A new value of a column, of one row or many.
  std::string Expression(size_t c) {
    const std::string name = Name(c);
    switch (Below(7)) {
      case 0:
        return columns_[c].in_key ? Literal(c, false) : "DEFAULT";
      case 1:
        return Name(ColumnLike(c));
      case 2:
        if (IsNumber(c)) return Join(name, OneIn(2) ? " + " : " - ", Literal(c, false));
        if (columns_[c].type->kind == test::TypePool::kText) return name + " || 'x'";
        [[fallthrough]];
      case 3:
        return Join("CASE WHEN ", Condition(1), " THEN ", Literal(c, false), " ELSE ", name, " END");
      case 4:
        return Join("(SELECT max(b.", Name(ColumnLike(c)), ") FROM u b WHERE b.", Name(c), " = t.", Name(c), ")");
      default:
        return Literal(c, !columns_[c].not_null || OneIn(10));
    }
  }
  std::string Update() {
    std::string assignments;
    const size_t first = AnyColumn();
    for (size_t i = 0; i < columns_.size() && assignments.size() < 60; ++i) {
      const size_t c = (first + i) % columns_.size();
      if (!columns_[c].in_key) assignments += Join(assignments.empty() ? "" : ", ", Name(c), " = ", Expression(c));
      if (!assignments.empty() && OneIn(2)) break;
    }
    return Join("UPDATE t SET ", assignments, Where());
  }
  std::string UpdateFrom() {
    const size_t c = ValueColumn(), by = AnyColumn();
    return Join("UPDATE t SET ", Name(c), " = s.m FROM (SELECT ", Name(by), " AS j, max(", Name(ColumnLike(c)),
                ") AS m FROM u", Where("u"), " GROUP BY ALL) s WHERE t.", Name(by), " = s.j AND ", Condition(1));
  }
  std::string Delete() {
    const size_t c = AnyColumn();
    switch (Below(6)) {
      case 0:
        return Join("DELETE FROM t USING (SELECT DISTINCT ", Name(ColumnLike(c)), " AS j FROM u", Where("u"),
                    ") b WHERE t.", Name(c), " = b.j AND ", Condition(1));
      case 1:
        return Join("DELETE FROM t WHERE rowid IN (SELECT rowid FROM t WHERE ", Condition(2, "t"), ")");
      case 2:
        if (OneIn(4)) return OneIn(2) ? "DELETE FROM t" : "TRUNCATE t";
        [[fallthrough]];
      default:
        return "DELETE FROM t WHERE " + Condition(2, "t");
    }
  }
  std::string InsertSelect() {
    std::string list;
    for (size_t c = 0; c < columns_.size(); ++c) {
      const bool other_key = columns_[c].in_key && OneIn(2);
      const std::string value = !other_key ? Name(c) : IsNumber(c) && OneIn(2) ? Name(c) + " + 1" : Literal(c, false);
      list += Join(c == 0 ? "" : ", ", value, "::", columns_[c].type->name, " AS x", c);
    }
    return Join("INSERT INTO t SELECT ", OneIn(3) ? "DISTINCT " : "", list, " FROM ", OneIn(3) ? "u" : "t", " WHERE ",
                Condition(2), " ORDER BY ALL LIMIT ", 1 + Below(4));
  }
  std::string InsertSomeColumns() {
    std::string names, values;
    for (size_t c = 0; c < columns_.size(); ++c) {
      if (OneIn(columns_[c].not_null ? 12 : 2)) continue;
      names += Join(names.empty() ? "" : ", ", Name(c));
      values += Join(values.empty() ? "" : ", ", Literal(c, !columns_[c].not_null));
    }
    if (names.empty()) return "INSERT INTO t DEFAULT VALUES";
    return Join("INSERT INTO t (", names, ") VALUES (", values, ")");
  }
  std::string Change() {
    switch (Below(11)) {
      case 0:
      case 1:
        return Delete();
      case 2:
      case 3:
        return Update();
      case 4:
        return UpdateFrom();
      case 5:
        return InsertSelect();
      case 6:
        return InsertSomeColumns();
      case 7:
        return Join("INSERT INTO u SELECT ", AllColumns(), " FROM t WHERE ", Condition(2, "t"),
                    " ORDER BY ALL LIMIT 3");
      default:
        return "INSERT INTO t VALUES " + Rows(5);
    }
  }
  // Rows may move to each other's places, where the native index may refuse them alone: then none may be lost here.
  bool MoveKeys() {
    if (!in_transaction_) Begin();
    const std::string before = Ours("SELECT count(*) FROM t");
    const size_t c = Pick(key_);
    if (Both(Join("UPDATE t SET ", Name(c), " = ", Expression(c), Where()))) return true;
    std::string key;
    for (const size_t part : key_) key += Join(key.empty() ? "" : ", ", Name(part));
    const auto after = ours_->Query("SELECT count(*) FROM (SELECT DISTINCT " + key + " FROM t)");
    if (!after->HasError()) {
      EXPECT_EQ(Text(*after), before);
    }
    return false;
  }

  // ---- A table that refers to t -------------------------------------------------------------------------------------

  // k (n, k0, k1, ...), whose last columns refer to the key of t.
  void MakeReferences(const std::string& kind) {
    has_references_ = !key_.empty() && OneIn(3);
    if (!has_references_) return;
    std::string columns, own, theirs;
    for (size_t i = 0; i < key_.size(); ++i) {
      const char* const separator = i == 0 ? "" : ", ";
      columns +=
          Join(", k", i, " ", columns_[key_[i]].type->name, columns_[key_[i]].ignores_case ? " COLLATE NOCASE" : "");
      own += Join(separator, "k", i);
      theirs += Join(separator, Name(key_[i]));
    }
    const std::string sql =
        Join("CREATE TABLE k (n INTEGER", columns, ", FOREIGN KEY (", own, ") REFERENCES t(", theirs, "))");
    ASSERT_TRUE(Both(sql + kind, sql)) << sql;
  }
  std::string ChangeOfReferences() {
    std::string values, columns;
    for (const size_t c : key_) {
      values += Join(", ", Literal(c, true));
      columns += Join(", ", Name(c));
    }
    const size_t part = Below(key_.size());
    const std::string where =
        OneIn(2) ? Join("n > ", Below(100)) : Join("k", part, Comparison(key_[part]), Literal(key_[part], false));
    switch (Below(5)) {
      case 0:
        return "DELETE FROM k WHERE " + where;
      case 1:
        return Join("UPDATE k SET k", part, " = ", Literal(key_[part], true), " WHERE ", where);
      case 2:
        return Join("INSERT INTO k VALUES (", Below(100), values, ")");
      default:
        return Join("INSERT INTO k SELECT ", Below(100), columns, " FROM t", Where(), " ORDER BY ALL LIMIT ",
                    1 + Below(3));
    }
  }
  std::string QueryOfReferences() {
    const size_t part = Below(key_.size());
    return Digest(Join("SELECT a.*, k.* FROM ", Source("t"), " a ", OneIn(2) ? "JOIN" : "RIGHT JOIN", " k ON k", part,
                       " = a.", Name(key_[part])));
  }
  // The native side takes a key of t that its own transaction has given up.
  bool NativeBreaksConstraint() override {
    if (!has_references_) return false;
    const auto orphans = native_->Query(Orphans());
    return !orphans->HasError() && Text(*orphans) != "0|\n";
  }
  std::string Orphans() const {
    std::string own, known;
    for (size_t i = 0; i < key_.size(); ++i) {
      own += Join(i == 0 ? "" : " AND ", "a.", Name(key_[i]), " = k", i);
      known += Join(i == 0 ? "" : " AND ", "k", i, " IS NOT NULL");
    }
    return Join("SELECT count(*) FROM k ANTI JOIN t a ON ", own, " WHERE ", known);
  }
  void CheckReferences() {
    if (!has_references_) return;
    EXPECT_EQ(Ours(Orphans()), "0|\n");
    Both("SELECT * FROM k ORDER BY ALL");
  }

  // ---- Rounds -------------------------------------------------------------------------------------------------------

  // A statement with $1, $2, ... for its parameters.
  struct Prepared {
    std::string name, sql;
    std::vector<Parameter> parameters;
  };
  template <class Make>
  Prepared Prepare(const std::string& name, const Make& make) {
    Prepared prepared{name, "", {}};
    parameters_ = &prepared.parameters;
    prepared.sql = make();
    parameters_ = nullptr;
    const auto result = ours_->Query(Join("PREPARE ", name, " AS ", prepared.sql));
    EXPECT_FALSE(result->HasError()) << prepared.sql << "\n" << result->GetError();
    return prepared;
  }
  // On the native side as a statement that was never prepared: plans that DuckDB keeps may not fit later rows.
  bool Execute(const Prepared& prepared) {
    std::string values, sql = prepared.sql;
    for (size_t i = 0; i < prepared.parameters.size(); ++i) {
      const Parameter& p = prepared.parameters[i];
      const std::string value = Constant(p.column, p.may_be_null), name = Join("$", i + 1, "::");
      values += (values.empty() ? "(" : ", ") + value;
      sql.replace(sql.find(name), name.size(), value + "::");
    }
    SCOPED_TRACE(prepared.sql);
    return Both(Join("EXECUTE ", prepared.name, values, values.empty() ? "" : ")"), sql);
  }
  bool PreparedChange() {
    const Prepared change = Prepare("change", [&] { return Change(); });
    return Execute(change) && Execute(change);
  }
  // Prepared now and then, executed after other statements.
  bool PreparedQuery() {
    if (kept_.sql.empty() || OneIn(3)) kept_ = Prepare("kept", [&] { return Query(); });
    return Execute(kept_);
  }
  // Here only: no answer may change.
  void ChangeIndexes() {
    const std::string columns = PartsOfIndex();
    if (columns.empty()) return;
    Ours(OneIn(3) ? "DROP INDEX IF EXISTS ti" : Join("CREATE INDEX IF NOT EXISTS ti ON t (", columns, ")"));
    if (OneIn(3))
      Ours(OneIn(3) ? "DROP INDEX IF EXISTS ui" : Join("CREATE INDEX IF NOT EXISTS ui ON u (", columns, ")"));
  }
  void CheckIndexes() {
    ASSERT_OK_AND_ASSIGN(const auto report, CheckDatabase(ImplOf(*database_), {}));
    EXPECT_EQ(report.problems, std::vector<std::string>());
    if (unique_.empty()) return;
    std::string known;
    for (const std::string& name : duckdb::StringUtil::Split(unique_, ", ")) {
      known += Join(known.empty() ? "" : " AND ", name, " IS NOT NULL");
    }
    EXPECT_EQ(Ours(Join("SELECT count(*) FROM (SELECT 1 FROM t WHERE ", known, " GROUP BY ", unique_,
                        " HAVING count(*) > 1)")),
              "0|\n");
  }
  bool Statement() {
    // Where the native index refuses values that were given up before, nothing of the statement may stay here.
    if ((!unique_.empty() || has_references_) && !in_transaction_) Begin();
    if (has_references_ && OneIn(4)) return Both(OneIn(3) ? QueryOfReferences() : ChangeOfReferences());
    if (!key_.empty() && OneIn(15)) return MoveKeys();
    if (OneIn(30)) return Both(Join("CREATE OR REPLACE TABLE u AS SELECT ", AllColumns(), " FROM t", Where()));
    if (OneIn(8)) return PreparedChange();
    if (OneIn(6)) return PreparedQuery();
    return Both(OneIn(2) ? Query() : Change());
  }
  void Step() {
    if (!in_transaction_ && OneIn(6)) Begin();
    const bool done = Statement();
    if (!done && in_transaction_) End("ROLLBACK");
    if (in_transaction_ && OneIn(6)) End(OneIn(3) ? "ROLLBACK" : "COMMIT");
    if (OneIn(10)) ChangeIndexes();
    if (OneIn(10)) Flush(20, has_references_ && OneIn(3) ? "k" : "t");
    if (OneIn(10)) WriteSegmentsFrom({0, 1, 3});
    if (OneIn(40)) ASSERT_OK(database_->store()->FlushMemtables());
    if (OneIn(30)) Ours(Join("SET preserve_insertion_order = ", OneIn(2) ? "true" : "false"));
  }
  // Shared tables, or of the user ada, whose rows stand between those of bob.
  void MakeTables() {
    ASSERT_TRUE(Both("DROP TABLE IF EXISTS k"));
    ChooseColumns();
    const std::string kind = OneIn(3) ? " WITH (kind = 'user')" : "";
    const std::string t = CreateTable("t", key_), u = CreateTable("u", {});
    ASSERT_TRUE(Both(t + kind, t)) << t;
    ASSERT_TRUE(Both(u + (OneIn(2) ? kind : ""), u)) << u;
    created_ = t + kind;
    ASSERT_NO_FATAL_FAILURE(MakeReferences(kind));
    kept_.sql.clear();
    Both("INSERT INTO u VALUES " + Rows(10));
    bobs_.clear();
    if (kind.empty()) return;
    for (int i = 0; i < 10; ++i) ours_->Query("INSERT INTO bob.t VALUES " + Row());
    bobs_ = Ours("SELECT * FROM bob.t ORDER BY ALL");
  }

  std::string created_;
  std::string bobs_;  // rows, in a user table
  bool has_references_ = false;
  Prepared kept_;
};

TEST_F(DifferentialTest, SameRowsAsNativeDuckDb) {
  YARROW_TRACE_SEED(seed_);
  for (int round = 0; round < test::Rounds(20); ++round) {
    ASSERT_NO_FATAL_FAILURE(MakeTables());
    SCOPED_TRACE(created_);
    for (int step = 0; step < 60 && !HasFailure(); ++step) Step();
    if (in_transaction_) End("COMMIT");
    Both("SELECT * FROM t ORDER BY ALL");
    Both("SELECT * FROM u ORDER BY ALL");
    CheckIndexes();
    CheckReferences();
    if (!bobs_.empty()) {
      EXPECT_EQ(Ours("SELECT * FROM bob.t ORDER BY ALL"), bobs_);
    }
    ASSERT_FALSE(HasFailure());
  }
}

}  // namespace
}  // namespace yarrow::sql
