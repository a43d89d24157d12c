// Queries of many scans, whose plans DuckDB's optimizers compare, copy, merge and push into: over two like tables, one
// of another attached database, one of another user and one of DuckDB's own. The same rows as native DuckDB that
// optimises nothing, with all optimizers and once more with one of them switched off, in turn.
#include <gtest/gtest.h>

#include <map>

#include "random_table.h"

namespace yarrow::sql {
namespace {

class DifferentialPlansTest : public test::RandomTableFixture {
 protected:
  void SetUp() override {
    RandomTableFixture::SetUp();
    takes_geometry_ = false;
    ASSERT_OK_AND_ASSIGN(other_database_,
                         Database::Open(dir_.File("other"), StoreOptions{.durability = Durability::kOs}));
    ASSERT_OK(sql::Attach(*duckdb_, other_database_, "z"));
    const auto names = ours_->Query("SELECT name FROM duckdb_optimizers() ORDER BY name");
    for (duckdb::idx_t row = 0; row < names->RowCount(); ++row) {
      optimizers_.push_back(names->GetValue(0, row).ToString());
    }
  }

  // ---- Tables
  // ---------------------------------------------------------------------------------------------------------

  // Their names in a query stand for other ones on the native side.
  static const std::map<std::string, std::string>& Places() {
    static const std::map<std::string, std::string> places = {
        {"$t", "t"}, {"$u", "u"}, {"$z", "z.main.w"}, {"$b", "bob.main.t"}, {"$n", "memory.main.n"}};
    return places;
  }
  static std::string Named(std::string sql, bool native) {
    for (const auto& [mark, ours] : Places()) {
      const std::string there = mark == "$n" ? ours : "memory.main.native_" + mark.substr(1);
      for (size_t at = sql.find(mark); at != std::string::npos; at = sql.find(mark)) {
        sql.replace(at, mark.size(), native ? there : ours);
      }
    }
    return sql;
  }
  std::string AnyTable() { return Pick(std::vector<std::string>{"$t", "$t", "$u", "$u", "$z", "$b", "$n"}); }

  // Here and there the same statement, on the table of each.
  void Change(const std::string& sql) {
    const auto ours = ours_->Query(Named(sql, false)), native = native_->Query(Named(sql, true));
    ASSERT_EQ(ours->HasError(), native->HasError()) << sql << "\n" << (ours->HasError() ? ours->GetError() : "");
  }
  void MakeTable(const std::string& mark, const std::string& options, const std::vector<size_t>& key) {
    const std::string sql = CreateTable(mark, key);
    const bool is_here = mark != "$b", is_native = mark != "$n";
    ASSERT_FALSE(is_here && ours_->Query(Named(sql, false) + options)->HasError()) << sql;
    ASSERT_FALSE(is_native && native_->Query(Named(sql, true))->HasError()) << sql;
    for (int i = 0; i < 12; ++i) {
      const std::string insert = "INSERT INTO " + mark + " VALUES " + Row();
      if (is_native) {
        Change(insert);
      } else {
        native_->Query(Named(insert, true));
      }
    }
  }
  void MakeTables() {
    ChooseColumns();
    MakeTable("$t", " WITH (kind = 'user')", key_);
    MakeTable("$b", "", key_);  // bob's rows of t
    MakeTable("$u", "", {});
    MakeTable("$z", "", key_);
    MakeTable("$n", "", key_);
    for (const char* const mark : {"$t", "$u", "$z"}) MakeIndex(mark);
  }
  // Here only: no answer may change.
  void MakeIndex(const std::string& mark) {
    const std::string columns = PartsOfIndex();
    if (columns.empty() || OneIn(3)) return;
    const auto made =
        ours_->Query(Named(Join("CREATE INDEX i", mark.substr(1), " ON ", mark, " (", columns, ")"), false));
    ASSERT_FALSE(made->HasError()) << made->GetError();
  }
  // Rows of some tables move to segments, where no answer may change.
  void FlushSome() {
    for (const char* table : {"y.main.t", "y.main.u", "z.main.w"}) {
      if (!OneIn(3))
        Ours(Join("CALL yarrow_flush('", table, "', max_segment_rows = ", 1 + Below(12), ", min_user_rows = 0)"));
    }
  }
  void ChangeSome() {
    const std::string table = Pick(std::vector<std::string>{"$t", "$u", "$z", "$b"});
    const size_t c = ValueColumn();
    Change(OneIn(2) ? Join("INSERT INTO ", table, " VALUES ", Row())
                    : Join("UPDATE ", table, " SET ", Name(c), " = ", Constant(c, !columns_[c].not_null), " WHERE ",
                           Condition(1)));
  }

  // ---- Queries
  // --------------------------------------------------------------------------------------------------------

  std::string Rows(const std::string& table) { return Join("(SELECT * FROM ", table, " x", SomeRows(), ")"); }
  std::string Rows() { return Rows(AnyTable()); }
  std::string SomeRows() { return OneIn(6) ? "" : " WHERE " + Condition(2); }
  std::string AllColumns(const std::string& of = "") const {
    std::string list;
    for (size_t c = 0; c < columns_.size(); ++c) list += Join(c == 0 ? "" : ", ", of, Name(c));
    return list;
  }
  std::string Aggregate() {
    const size_t c = AnyColumn();
    switch (Below(5)) {
      case 0:
        return "count(*)";
      case 1:
        return Join("count(DISTINCT ", Name(c), ")");
      case 2:
        if (columns_[c].type->kind == test::TypePool::kExact) return Join("sum(", Name(c), ")::VARCHAR");
        return Join("count(", Name(c), ")");
      default:
        return Join(OneIn(2) ? "min(" : "max(", Name(c), ")::VARCHAR");
    }
  }
  // Unlike ones of like shape, among them the very same twice.
  std::string AggregatedSubqueries() {
    const std::string aggregate = Aggregate(), table = AnyTable();
    std::string list;
    for (uint64_t i = 0; i < 2 + Below(3); ++i) {
      list += Join(list.empty() ? "" : ", ", "(SELECT ", OneIn(3) ? Aggregate() : aggregate, " FROM ",
                   OneIn(2) ? table : AnyTable(), SomeRows(), ")");
    }
    return "SELECT " + list;
  }
  std::string AggregatedUnion() {
    const std::string aggregate = Aggregate(), a = Name(AnyColumn());
    const bool grouped = OneIn(2);
    std::string arms;
    for (uint64_t i = 0; i < 2 + Below(3); ++i) {
      arms += Join(arms.empty() ? ""
                   : OneIn(3)   ? " UNION "
                                : " UNION ALL ",
                   "(SELECT ", grouped ? a + "::VARCHAR, " : "", aggregate, " FROM ", AnyTable(), SomeRows(),
                   grouped ? " GROUP BY " + a : "", ")");
    }
    return "SELECT * FROM (" + arms + ") ORDER BY ALL";
  }
  std::string CteReadTwice() {
    const std::string how = Pick(std::vector<std::string>{"", " MATERIALIZED", " NOT MATERIALIZED"});
    const size_t c = AnyColumn();
    const std::string with = Join("WITH p AS", how, " ", OneIn(2) ? Rows() : Limited(Rows())), name = Name(c);
    switch (Below(4)) {
      case 0:
        return with + " SELECT * FROM (FROM p UNION ALL FROM p) ORDER BY ALL LIMIT 3";
      case 1:
        return with + Join(" SELECT (SELECT ", Aggregate(), " FROM p WHERE ", Condition(1), "), (SELECT ", Aggregate(),
                           " FROM p WHERE ", Condition(1), ")");
      case 2:
        return with + Join(" SELECT a.* FROM p a JOIN p b ON a.", name, " = b.", Name(ColumnLike(c)),
                           " WHERE EXISTS (FROM ", Rows(), " q WHERE q.", name, " = b.", name, ") ORDER BY ALL");
      default:
        return with + Join(" SELECT count(*) FROM p a LEFT JOIN (SELECT ", name,
                           ", count(*) AS n FROM p GROUP BY ALL) b ", "ON a.", name, " = b.", name,
                           " WHERE coalesce(n, 0) <> ", Below(3));
    }
  }
  // The rows of a query, the first of them in one order that there is.
  std::string Limited(const std::string& rows) {
    return Join("(SELECT * FROM ", rows, " l ORDER BY ", SortKey(), ", ALL_COLUMNS LIMIT ", 1 + Below(8), ")");
  }
  std::string SortKey() {
    const size_t c = AnyColumn();
    const std::string name = Name(c),
                      direction = Pick(std::vector<std::string>{"", " DESC", " NULLS FIRST", " DESC NULLS LAST"});
    switch (Below(5)) {
      case 0:
        return Join("TRY_CAST(", name, " AS ", Pick(Types()).name, ")", direction);
      case 1:
        return Join("TRY_CAST(TRY_CAST(", name, "::VARCHAR AS TINYINT) AS ", OneIn(2) ? "BIGINT" : "INTEGER", ")",
                    direction);
      case 2:
        if (IsNumber(c)) return Join("-(", name, "::DOUBLE)", direction);
        [[fallthrough]];
      case 3:
        return Join(name, "::VARCHAR", direction);
      default:
        return name + direction;
    }
  }
  std::string SortedByExpression() {
    return Join("SELECT * FROM ", Rows(), " s ORDER BY ", SortKey(), OneIn(2) ? ", " + SortKey() : "",
                ", ALL_COLUMNS LIMIT ", Below(12), OneIn(3) ? Join(" OFFSET ", Below(4)) : "");
  }
  std::string DistinctOn() {
    const std::string a = Name(AnyColumn());
    return Join("SELECT * FROM (SELECT DISTINCT ON (", a, ") * FROM ", Rows(), " d ORDER BY ", a, ", ", SortKey(),
                ", ALL_COLUMNS) ORDER BY ALL");
  }
  std::string Windows() {
    const std::string a = Name(AnyColumn()), b = Name(AnyColumn()), rows = Rows();
    switch (Below(4)) {
      case 0:
        return Join("SELECT * FROM ", rows, " w QUALIFY row_number() OVER (PARTITION BY ", a, " ORDER BY ", SortKey(),
                    ", ALL_COLUMNS) ", OneIn(2) ? "= 1" : "<= 2", " ORDER BY ALL");
      case 1:
        return Join("SELECT *, count(*) OVER (PARTITION BY ", a, "), max(", b, ") OVER (PARTITION BY ", a,
                    ")::VARCHAR FROM ", rows, " w ORDER BY ALL");
      case 2:
        return Join("SELECT ", a, "::VARCHAR, n FROM (SELECT ", a, ", count(", b, ") OVER (PARTITION BY ", a,
                    ") AS n FROM ", rows, " w) WHERE n > ", Below(3), " ORDER BY ALL");
      default:
        return Join("SELECT *, rank() OVER (ORDER BY ", b, "), lag(", b, ") OVER (PARTITION BY ", a,
                    " ORDER BY ALL_COLUMNS)::VARCHAR FROM ", rows, " w ORDER BY ALL");
    }
  }
  std::string Correlated() {
    const size_t c = AnyColumn();
    const std::string on = Join("b.", Name(ColumnLike(c)), OneIn(4) ? Comparison(c) : " = ", "a.", Name(c));
    switch (Below(4)) {
      case 0:
        return Join("SELECT a.*, (SELECT count(*) FROM ", Rows(), " b WHERE ", on, "), (SELECT count(*) FROM ", Rows(),
                    " b WHERE ", on, ") FROM ", Rows(), " a ORDER BY ALL");
      case 1:
        return Join("SELECT a.*, l.* FROM ", Rows(), " a, LATERAL (SELECT b.* FROM ", Rows(), " b WHERE ", on,
                    " ORDER BY ", AllColumns("b."), " LIMIT 2) l ORDER BY ALL");
      case 2:
        return Join("SELECT a.*, l.n FROM ", Rows(), " a LEFT JOIN LATERAL (SELECT count(*) AS n, ", "max(b.", Name(c),
                    ")::VARCHAR AS m FROM ", Rows(), " b WHERE ", on, ") l ON true ORDER BY ALL");
      default:
        return Join("SELECT * FROM ", Rows(), " a WHERE ", OneIn(2) ? "NOT " : "", "EXISTS (FROM ", Rows(), " b WHERE ",
                    on, ") OR a.", Name(c), " IN (SELECT ", Name(ColumnLike(c)), " FROM ", Rows(), " i) ORDER BY ALL");
    }
  }
  // Filters of a join may reach the scan below, through what stands between.
  std::string JoinAboveLimit() {
    const size_t c = AnyColumn();
    const std::string kind =
        Pick(std::vector<std::string>{"JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN"});
    const bool one_side = kind == "SEMI JOIN" || kind == "ANTI JOIN";
    const std::string left = OneIn(2) ? Limited(Rows()) : Rows(), right = OneIn(3) ? Limited(Rows()) : Rows();
    std::string on = Join("a.", Name(c), OneIn(4) ? Comparison(c) : " = ", "b.", Name(ColumnLike(c)));
    if (OneIn(4)) on = SameFunction();
    const std::string joined = Join("SELECT a.*", one_side ? "" : Join(", b.", Name(c), " AS r"), " FROM ", left, " a ",
                                    kind, " ", right, " b ON ", on);
    if (OneIn(2)) return joined + " ORDER BY ALL";
    return Join("SELECT * FROM (", joined, ") j ORDER BY ", SortKey(), ", ALL_COLUMNS", one_side ? "" : ", r",
                " LIMIT ", 1 + Below(6));
  }
  std::string TopOfUnion() {
    const size_t c = AnyColumn();
    return Join("SELECT * FROM (FROM ", Rows(), " UNION ALL FROM ", Rows(), OneIn(2) ? "" : " UNION ALL FROM " + Rows(),
                ") q ORDER BY ", Name(c), OneIn(2) ? " DESC" : "", ", ALL_COLUMNS LIMIT ", 1 + Below(6));
  }
  std::string Recursive() {
    const size_t c = AnyColumn();
    return Join("WITH RECURSIVE r AS (SELECT ", Name(c), " AS k, 0 AS depth FROM ", Rows(), " s UNION SELECT b.",
                Name(ColumnLike(c)), ", depth + 1 FROM r JOIN ", Rows(), " b ON b.", Name(c),
                " = r.k WHERE depth < 3) SELECT depth, count(*) FROM r GROUP BY ALL ORDER BY ALL");
  }
  // Of a key column, mostly, which takes no more than the first and the last row.
  std::string Ends() {
    const size_t c = key_.empty() || OneIn(5) ? AnyColumn() : Pick(key_);
    std::string list;
    for (uint64_t i = 0; i < 1 + Below(3); ++i) {
      list += Join(list.empty() ? "" : ", ", OneIn(2) ? "min(" : "max(", Name(c), ")::VARCHAR");
    }
    const size_t held = key_.empty() || OneIn(5) ? AnyColumn() : Pick(key_);
    const std::string where = OneIn(3)   ? ""
                              : OneIn(2) ? SomeRows()
                                         : Join(" WHERE ", Name(held), OneIn(2) ? " = " : Comparison(held),
                                                Constant(held, /*may_be_null=*/false));
    return Join("SELECT ", list, " FROM ", OneIn(4) ? Rows() + " e" : AnyTable() + where);
  }
  std::string MakeQuery() {
    switch (Below(11)) {
      case 0:
        return AggregatedSubqueries();
      case 1:
        return AggregatedUnion();
      case 2:
        return CteReadTwice();
      case 3:
        return SortedByExpression();
      case 4:
        return DistinctOn();
      case 5:
        return Windows();
      case 6:
        return Correlated();
      case 7:
        return JoinAboveLimit();
      case 8:
        return TopOfUnion();
      case 9:
        return Ends();
      default:
        return Recursive();
    }
  }
  std::string Query() {
    constexpr std::string_view kAll = "ALL_COLUMNS";
    std::string sql = MakeQuery();
    for (size_t at = sql.find(kAll); at != std::string::npos; at = sql.find(kAll)) {
      sql.replace(at, kAll.size(), AllColumns());
    }
    return sql;
  }

  // ---- Comparing
  // ------------------------------------------------------------------------------------------------------

  // Over DuckDB's own table alone its optimizers make mistakes of their own.
  bool IsNativeMistake(const std::string& query, const std::string& answer) {
    for (const auto& [mark, place] : Places()) {
      if (mark != "$n" && query.find(mark) != std::string::npos) return false;
    }
    native_->Query("PRAGMA enable_optimizer");
    const auto optimized = native_->Query(Named(query, true));
    native_->Query("PRAGMA disable_optimizer");
    return !optimized->HasError() && Text(*optimized) == answer;
  }
  void Compare(const std::string& query, const std::string& expected, const std::string& how) {
    const auto result = ours_->Query(Named(query, false));
    ++statements_;
    // Of nested values, which native queries without any optimizer do not come to.
    if (result->HasError() && result->GetError().find("Unimplemented type for mark join") != std::string::npos) return;
    if (result->HasError()) {
      ADD_FAILURE() << how << ": " << Named(query, false) << "\n" << result->GetError();
    } else if (Text(*result) != expected && !IsNativeMistake(query, Text(*result))) {
      ExpectSame(Text(*result), expected, how + ": " + Named(query, false));
    }
  }
  void CompareAllWays(const std::string& query) {
    const auto native = native_->Query(Named(query, true));
    if (native->HasError()) return;  // a cast that fails, a type that has no such operation
    const std::string expected = Text(*native), off = optimizers_[next_optimizer_++ % optimizers_.size()];
    Compare(query, expected, "all optimizers");
    // The optimizer of ours also keeps filters that DuckDB hands too far away from its own tables.
    if (off == "extension" && query.find("$n") != std::string::npos) return;
    Ours("SET disabled_optimizers = '" + off + "'");
    Compare(query, expected, "without " + off);
    Ours("SET disabled_optimizers = ''");
  }

  std::shared_ptr<Database> other_database_;
  std::vector<std::string> optimizers_;
  size_t next_optimizer_ = 0;
};

TEST_F(DifferentialPlansTest, SameRowsAsNativeDuckDb) {
  YARROW_TRACE_SEED(seed_);
  next_optimizer_ = Below(optimizers_.size());
  for (int round = 0; round < test::Rounds(12); ++round) {
    ASSERT_NO_FATAL_FAILURE(MakeTables());
    for (int step = 0; step < 40 && !HasFailure(); ++step) {
      if (step % 8 == 4) FlushSome();
      if (OneIn(4)) ChangeSome();
      CompareAllWays(Query());
    }
    ASSERT_FALSE(HasFailure());
  }
}

}  // namespace
}  // namespace yarrow::sql
