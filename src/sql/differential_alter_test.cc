// Random ALTER TABLE between random changes, flushes and transactions, here and on a native DuckDB table.
#include <gtest/gtest.h>

#include <map>

#include "differential_fixture.h"

namespace yarrow::sql {
namespace {

class DifferentialAlterTest : public test::DifferentialFixture {
 protected:
  struct Column {
    std::string name;
    std::string type;
  };

  // What each type widens to.
  static const std::map<std::string, std::vector<std::string>>& Widenings() {
    static const std::map<std::string, std::vector<std::string>> types = {
        {"TINYINT", {"SMALLINT", "INTEGER", "BIGINT", "DOUBLE"}},
        {"SMALLINT", {"INTEGER", "BIGINT", "DOUBLE"}},
        {"INTEGER", {"BIGINT", "DOUBLE"}},
        {"UTINYINT", {"USMALLINT", "UBIGINT", "SMALLINT", "BIGINT", "DOUBLE"}},
        {"USMALLINT", {"UINTEGER", "INTEGER", "DOUBLE"}},
        {"UINTEGER", {"UBIGINT", "BIGINT", "DOUBLE"}},
        {"FLOAT", {"DOUBLE"}},
        {"DECIMAL(4,1)", {"DECIMAL(5,1)", "DECIMAL(12,1)", "DECIMAL(38,1)"}},
        {"DECIMAL(5,1)", {"DECIMAL(12,1)"}},
        {"DECIMAL(12,1)", {"DECIMAL(38,1)"}},
        {"DECIMAL(38,1)", {}},
        {"BIGINT", {}},
        {"UBIGINT", {}},
        {"DOUBLE", {}},
        {"VARCHAR", {}},
        {"DATE", {}}};
    return types;
  }
  std::string AnyType() {
    auto at = Widenings().begin();
    std::advance(at, Below(Widenings().size()));
    return at->first;
  }
  // Few values, which all have narrower types' neighbours: 5 and 5 + 2^32 and the like.
  std::string Literal(const std::string& type, bool may_be_null = true) {
    if (may_be_null && OneIn(6)) return "NULL";
    if (type == "VARCHAR") return Join("'t", Below(5), "'");
    if (type == "DATE") return Join("DATE '2024-01-0", 1 + Below(5), "'");
    if (type == "FLOAT" || type == "DOUBLE") {
      return Pick<std::string>({"0.25", "-1.5", "3", "100.75", "0.1"}) + "::" + type;
    }
    if (type.starts_with("DECIMAL"))
      return Pick<std::string>({"0.5", "-99.9", "12.3", type == "DECIMAL(4,1)" ? "1.0" : "9999.9"});
    std::vector<std::string> numbers = {"0", "1", "5", "100", "127"};
    if (!type.starts_with("U")) numbers.insert(numbers.end(), {"-1", "-128"});
    if (type.ends_with("SMALLINT") || type.ends_with("INTEGER") || type.ends_with("BIGINT")) numbers.push_back("261");
    if (type.ends_with("INTEGER") || type.ends_with("BIGINT")) numbers.push_back("65541");
    if (type.ends_with("BIGINT")) numbers.push_back("4294967301");
    return Pick(numbers);
  }
  std::string NewName() {
    for (;;) {
      std::string name = Join("c", Below(8));
      if (std::ranges::find(columns_, name, &Column::name) == columns_.end()) return name;
    }
  }
  std::string Condition() {
    const Column& column = Pick(columns_);
    switch (Below(7)) {
      case 0:
        return Join("id % 7 = ", Below(7));
      case 1:
        return Join(column.name, OneIn(2) ? " IS NULL" : " IS NOT NULL");
      case 2:
        return Join(column.name, " IN (", Literal(column.type, false), ", ", Literal(column.type, false), ")");
      case 3:
        return Join(column.name, " BETWEEN ", Literal(column.type, false), " AND ", Literal(column.type, false));
      default:
        return Join(column.name, Pick<std::string>({" = ", " <> ", " < ", " <= ", " > ", " >= "}),
                    Literal(column.type, false));
    }
  }
  std::string Where() {
    std::string where = " WHERE " + Condition();
    while (OneIn(3)) where += (OneIn(2) ? " AND " : " OR ") + Condition();
    return where;
  }

  void Alter() {
    std::vector<Column> next = columns_;
    std::string change;
    Column& column = next[Below(next.size())];
    switch (Below(7)) {
      case 0:
      case 1:
        if (next.size() == 7) return;
        next.push_back({NewName(), AnyType()});
        change = Join("ADD COLUMN ", next.back().name, " ", next.back().type,
                      OneIn(3) ? "" : " DEFAULT " + Literal(next.back().type));
        break;
      case 2:
        if (next.size() == 1) return;
        change = "DROP COLUMN " + column.name;
        next.erase(next.begin() + (&column - next.data()));
        break;
      case 3:
        change = Join("RENAME COLUMN ", column.name, " TO ", NewName());
        column.name = change.substr(change.rfind(' ') + 1);
        break;
      case 4:
        change = Join("ALTER COLUMN ", column.name, " SET DEFAULT ", Literal(column.type));
        break;
      default:
        if (Widenings().at(column.type).empty()) return;
        column.type = Pick(Widenings().at(column.type));
        change = Join("ALTER COLUMN ", column.name, " TYPE ", column.type);
        break;
    }
    EXPECT_TRUE(Both("ALTER TABLE t " + change));
    columns_ = std::move(next);
    ++alterations_;
  }
  void Insert() {
    std::vector<Column> given;
    for (const Column& column : columns_) {
      if (!OneIn(4)) given.push_back(column);
    }
    std::string names, rows;
    for (const Column& column : given) names += ", " + column.name;
    for (uint64_t i = 0; i <= Below(20); ++i) {
      rows += Join(rows.empty() ? "(" : ", (", next_id_++);
      for (const Column& column : given) rows += ", " + (OneIn(8) ? "DEFAULT" : Literal(column.type));
      rows += ")";
    }
    Both(Join("INSERT INTO t (id", names, ") VALUES ", rows));
  }
  void Update() {
    const Column& column = Pick(columns_);
    Both(Join("UPDATE t SET ", column.name, " = ", OneIn(5) ? "DEFAULT" : Literal(column.type), Where()));
  }
  void Compare() {
    Both("SELECT * FROM t ORDER BY id");
    Both("SELECT * FROM t" + Where() + " ORDER BY id");
    Both("SELECT count(*), min(id), max(id) FROM t" + Where());
    Both(Join("SELECT ", Pick(columns_).name, ", count(*), sum(id) FROM t", Where(), " GROUP BY 1 ORDER BY 1"));
    Both(Join("SELECT * FROM t WHERE id = ", Below(next_id_ + 1)));
    Both("SELECT column_name, column_type FROM (DESCRIBE t) ORDER BY column_name");
  }
  // A transaction elsewhere that began long ago.
  void CheckOldReader() {
    const std::string query = "SELECT * FROM t ORDER BY id";
    if (old_reader_) {
      const auto result = old_reader_->Query(query);
      ASSERT_FALSE(result->HasError()) << result->GetError();
      ExpectSame(Text(*result), old_rows_, "rows of an old snapshot");
      if (!OneIn(3)) return;
    }
    old_reader_ = Connect("y");
    old_reader_->Query("BEGIN");
    const auto result = old_reader_->Query(query);
    ASSERT_FALSE(result->HasError()) << result->GetError();
    old_rows_ = Text(*result);
  }
  void Step() {
    switch (Below(8)) {
      case 0:
      case 1:
      case 2:
        return Alter();
      case 3:
      case 4:
        return Insert();
      case 5:
      case 6:
        return Update();
      default:
        Both("DELETE FROM t" + Where());
    }
  }
  // A transaction that commits has none on the native side, which refuses to commit changes of rows before an ALTER.
  void InTransaction() {
    const std::vector<Column> before = columns_;
    const bool commits = OneIn(2);
    Ours("BEGIN");
    if (!commits) native_->Query("BEGIN");
    for (uint64_t i = 0; i < 1 + Below(4); ++i) Step();
    Both("SELECT * FROM t" + Where() + " ORDER BY id");
    Ours(commits ? "COMMIT" : "ROLLBACK");
    if (commits) return;
    native_->Query("ROLLBACK");
    columns_ = before;
  }

  std::vector<Column> columns_;
  uint64_t next_id_ = 1;
  uint64_t alterations_ = 0;
  std::unique_ptr<duckdb::Connection> old_reader_;
  std::string old_rows_;
};

TEST_F(DifferentialAlterTest, RandomAlterations) {
  for (int table = 0; table < 6 && !HasFailure(); ++table) {
    columns_ = {{"c0", AnyType()}, {"c1", AnyType()}, {"c2", AnyType()}};
    std::string list;
    for (const Column& column : columns_) list += Join(", ", column.name, " ", column.type);
    Both(Join("CREATE TABLE t (id BIGINT PRIMARY KEY", list, ")"), Join("CREATE TABLE t (id BIGINT", list, ")"));
    for (int step = 0; step < 60 && !HasFailure(); ++step) {
      if (OneIn(4)) {
        InTransaction();
      } else {
        Step();
      }
      if (OneIn(4)) Flush(100);
      if (OneIn(4)) WriteSegmentsFrom({0, 1, 10});
      if (OneIn(3)) Compare();
      if (OneIn(5)) CheckOldReader();
    }
    Compare();
    old_reader_.reset();
    Both("DROP TABLE t");
  }
  std::cout << "alterations: " << alterations_ << "\n";
}

}  // namespace
}  // namespace yarrow::sql
