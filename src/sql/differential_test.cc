// Random tables, changes and queries, here and in a native DuckDB table: the rows must be the same. (-0.0 is left out:
// which of it and 0.0 comes first in an order is nobody's promise.)
#include <gtest/gtest.h>

#include <iterator>
#include <random>

#include "arrow_assert.h"
#include "random_seed.h"
#include "sql/duckdb_instance.h"
#include "temp_dir.h"
#include "yarrow/sql.h"

namespace yarrow::sql {
namespace {

struct TypePool {
  const char* name;
  std::vector<const char*> literals;
  bool is_number = false;
};

const std::vector<TypePool>& Types() {
  static const std::vector<TypePool> types = {
      {"INTEGER", {"-2147483648", "-1", "0", "1", "2", "7", "100", "2147483647"}, true},
      {"BIGINT", {"-9223372036854775808", "-5", "0", "3", "4", "1000000", "9223372036854775807"}, true},
      {"UTINYINT", {"0", "1", "127", "128", "255"}, true},
      {"DOUBLE", {"'-inf'", "-1.5", "0", "0.1", "2.5e10", "'inf'", "'nan'"}, true},
      {"FLOAT", {"-1.5", "0", "0.25", "3", "'nan'"}, true},
      {"DECIMAL(9,2)", {"-9999999.99", "-0.01", "0", "0.5", "12.34", "9999999.99"}, true},
      {"DECIMAL(30,5)", {"-1.00001", "0", "12345678901234567890.12345", "1.5"}, true},
      {"VARCHAR", {"''", "'a'", "'ab'", "'b'", "'a long text that is not inlined'", "'\u00e9'", "'%'", "'NULL'"}},
      {"BLOB", {"''", "'\\x00'", "'\\x00\\x01'", "'\\xFF'", "'abc'"}},
      {"BOOLEAN", {"true", "false"}},
      {"DATE", {"'1969-12-31'", "'1970-01-01'", "'2024-02-29'", "'0001-01-01'", "'9999-12-31'"}},
      {"TIME", {"'00:00:00'", "'12:34:56.789'", "'23:59:59.999999'"}},
      {"TIMESTAMP", {"'1969-12-31 23:59:59.999999'", "'2024-02-29 12:00:00'", "'2000-01-01 00:00:00.000001'"}},
      {"TIMESTAMPTZ", {"'1970-01-01 00:00:00+00'", "'2024-02-29 12:00:00+01'"}},
      {"UUID",
       {"'00000000-0000-0000-0000-000000000000'", "'80000000-0000-0000-0000-000000000001'",
        "'ffffffff-ffff-ffff-ffff-ffffffffffff'"}},
  };
  return types;
}

class DifferentialTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(auto database, Database::Open(dir_.File("db"), {.durability = Durability::kOs}));
    database_ = database;
    duckdb_ = OpenDuckDb();
    ASSERT_OK(Attach(*duckdb_, std::move(database), "y"));
    ours_ = std::make_unique<duckdb::Connection>(*duckdb_);
    native_ = std::make_unique<duckdb::Connection>(*duckdb_);
    EXPECT_FALSE(ours_->Query("USE y; SET TimeZone = 'UTC'")->HasError());
    EXPECT_FALSE(native_->Query("USE memory; SET TimeZone = 'UTC'")->HasError());
  }

  uint64_t Below(uint64_t n) { return random_() % n; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  template <class T>
  const T& Pick(const std::vector<T>& from) {
    return from[Below(from.size())];
  }

  static std::string Name(size_t column) { return std::string("c").append(std::to_string(column)); }
  std::string Literal(size_t column, bool may_be_null) {
    if (may_be_null && OneIn(6)) return "NULL";
    const std::string literal = Pick(columns_[column]->literals);
    const std::string quote = literal.front() == '\'' ? "" : "'";  // 1 becomes '1': -1::T is -(1::T)
    return quote + literal + quote + "::" + columns_[column]->name;
  }
  std::string Row() {
    std::string row = "(";
    for (size_t c = 0; c < columns_.size(); ++c) row.append(c == 0 ? "" : ", ").append(Literal(c, c >= key_columns_));
    return row + ")";
  }

  std::string Leaf() {
    const size_t c = Below(columns_.size());
    const std::vector<const char*> ops = {" = ", " <> ", " < ", " <= ", " > ", " >= "};
    switch (Below(9)) {
      case 0:
        return Name(c) + (OneIn(2) ? " IS NULL" : " IS NOT NULL");
      case 1:
        return Name(c) + (OneIn(3) ? " NOT IN (" : " IN (") + Literal(c, true) + ", " + Literal(c, false) + ", " +
               Literal(c, false) + ")";
      case 2:
        return Name(c) + " BETWEEN " + Literal(c, false) + " AND " + Literal(c, false);
      case 3:
        if (columns_[c]->is_number) return Name(c) + " + 0" + Pick(ops) + Literal(c, false);
        [[fallthrough]];
      case 4:
        if (std::string(columns_[c]->name) == "VARCHAR") {
          return Name(c) + " LIKE " + Pick(std::vector<const char*>{"'a%'", "'%b'", "'a_'", "'%'", "''"});
        }
        [[fallthrough]];
      case 5:
        return Name(c) + " IS NOT DISTINCT FROM " + Literal(c, true);
      default:
        return Name(c) + Pick(ops) + Literal(c, true);
    }
  }
  std::string Condition(int depth) {
    if (depth == 0 || OneIn(3)) return Leaf();
    if (OneIn(5)) return "NOT (" + Condition(depth - 1) + ")";
    return "(" + Condition(depth - 1) + (OneIn(2) ? " AND " : " OR ") + Condition(depth - 1) + ")";
  }
  std::string Where() { return OneIn(8) ? "" : " WHERE " + Condition(3); }

  // By the whole key, so that there is one right order; sometimes not the key's own.
  std::string KeyOrder() {
    const std::vector<const char*> directions = {"", " DESC", " DESC NULLS LAST", " NULLS FIRST"};
    const std::string direction = Pick(directions);
    std::string order;
    for (size_t c = 0; c < key_columns_; ++c) {
      order.append(order.empty() ? "" : ", ").append(Name(c)).append(OneIn(4) ? Pick(directions) : direction);
    }
    if (key_columns_ > 1 && OneIn(5)) order = Name(1).append(direction).append(", ").append(order);
    return order;
  }
  std::string OrderedByKey() {
    std::string where = Where();
    if (OneIn(3)) where = " WHERE " + Name(0) + " = " + Literal(0, false);
    std::string query = "SELECT * FROM t" + where + " ORDER BY " + KeyOrder();
    if (OneIn(2)) query += " LIMIT " + std::to_string(Below(20)) + " OFFSET " + std::to_string(Below(5));
    return OneIn(4) ? "SELECT count(*), min(" + Name(0) + ")::VARCHAR FROM (" + query + ")" : query;
  }

  std::string Query() {
    if (key_columns_ > 0 && OneIn(4)) return OrderedByKey();
    switch (Below(6)) {
      case 0:
        return "SELECT count(*), count(" + Name(Below(columns_.size())) + ") FROM t" + Where();
      case 1: {
        const std::string c = Name(Below(columns_.size()));
        return "SELECT min(" + c + ")::VARCHAR, max(" + c + ")::VARCHAR, count(DISTINCT " + c + ") FROM t" + Where();
      }
      case 2:
        return "SELECT count(*) FROM (SELECT * FROM t" + Where() + " LIMIT " + std::to_string(Below(40)) + ")";
      case 3: {
        const std::string c = Name(Below(columns_.size()));
        return "SELECT a." + c + "::VARCHAR, count(*) FROM t a JOIN t b ON a." + c + " = b." + c +
               " GROUP BY ALL ORDER BY ALL";
      }
      default: {
        std::string list;
        for (size_t i = 0; i < 1 + Below(columns_.size()); ++i) {
          list.append(i == 0 ? "" : ", ")
              .append(Name(Below(columns_.size())))
              .append(" AS r")
              .append(std::to_string(i));
        }
        std::string query = "SELECT " + (OneIn(4) ? "*" : list) + " FROM t" + Where() + " ORDER BY ALL";
        if (OneIn(2)) query += OneIn(2) ? " DESC" : " NULLS FIRST";
        if (OneIn(2)) query += " LIMIT " + std::to_string(Below(20)) + " OFFSET " + std::to_string(Below(5));
        return query;
      }
    }
  }

  std::string Change() {
    switch (Below(5)) {
      case 0:
        return "DELETE FROM t WHERE " + Condition(2);
      case 1:
        if (key_columns_ < columns_.size()) {
          const size_t c = key_columns_ + Below(columns_.size() - key_columns_);
          return "UPDATE t SET " + Name(c) + " = " + Literal(c, true) + Where();
        }
        [[fallthrough]];
      case 2:
        if (key_columns_ == 0 && OneIn(3)) return "INSERT INTO t SELECT * FROM t" + Where() + " ORDER BY ALL LIMIT 5";
        [[fallthrough]];
      default: {
        std::string insert = "INSERT INTO t VALUES " + Row();
        for (uint64_t i = Below(4); i > 0; --i) insert.append(", ").append(Row());
        return insert;
      }
    }
  }

  static std::string Text(duckdb::MaterializedQueryResult& result) {
    std::string text;
    for (duckdb::idx_t row = 0; row < result.RowCount(); ++row) {
      for (duckdb::idx_t column = 0; column < result.ColumnCount(); ++column) {
        text += result.GetValue(column, row).ToString();
        text += '|';
      }
      text += '\n';
    }
    return text;
  }

  // Runs it on both sides. False when both refused it, for the same kind of reason. In a transaction the native side
  // may refuse a key alone: its index does not always see that the key was deleted before.
  bool Both(const std::string& sql) {
    ++statements_;
    const auto ours = ours_->Query(sql);
    const auto native = native_->Query(sql);
    if (ours->HasError() && native->HasError()) {
      EXPECT_EQ(ours->GetErrorObject().Type(), native->GetErrorObject().Type())
          << sql << "\nours: " << ours->GetError() << "\nnative: " << native->GetError();
      return false;
    }
    EXPECT_FALSE(ours->HasError()) << sql << "\nours only: " << ours->GetError();
    if (native->HasError()) {
      const bool is_key_error = native->GetErrorObject().Type() == duckdb::ExceptionType::CONSTRAINT;
      EXPECT_TRUE(is_key_error && in_transaction_) << sql << "\nnative only: " << native->GetError();
      return false;
    }
    EXPECT_EQ(Text(*ours), Text(*native)) << sql;
    return true;
  }

  void MakeTable() {
    columns_.clear();
    for (uint64_t i = 2 + Below(4); i > 0; --i) columns_.push_back(&Types()[Below(Types().size())]);
    key_columns_ = Below(3);
    create_ = "CREATE OR REPLACE TABLE t (";
    std::string key;
    for (size_t c = 0; c < columns_.size(); ++c) {
      create_.append(c == 0 ? "" : ", ").append(Name(c)).append(" ").append(columns_[c]->name);
      if (c < key_columns_) key.append(c == 0 ? "" : ", ").append(Name(c));
    }
    create_ += key.empty() ? ")" : ", PRIMARY KEY (" + key + "))";
    ASSERT_TRUE(Both(create_)) << create_;
  }

  void End(const char* how) {
    in_transaction_ = false;
    EXPECT_FALSE(ours_->Query(how)->HasError());
    EXPECT_FALSE(native_->Query(how)->HasError());
  }

  test::TempDir dir_;
  std::mt19937_64 random_;
  std::shared_ptr<Database> database_;
  std::unique_ptr<duckdb::DuckDB> duckdb_;
  std::unique_ptr<duckdb::Connection> ours_, native_;
  std::vector<const TypePool*> columns_;
  size_t key_columns_ = 0;
  std::string create_;
  bool in_transaction_ = false;
  int statements_ = 0;
};

TEST_F(DifferentialTest, SameRowsAsNativeDuckDb) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  random_.seed(seed);
  for (int round = 0; round < test::Rounds(12); ++round) {
    ASSERT_NO_FATAL_FAILURE(MakeTable());
    SCOPED_TRACE(create_);
    for (int step = 0; step < 60 && !HasFailure(); ++step) {
      if (!in_transaction_ && OneIn(6)) in_transaction_ = Both("BEGIN");
      const bool done = Both(OneIn(2) ? Query() : Change());
      if (!done && in_transaction_) End("ROLLBACK");
      if (in_transaction_ && OneIn(6)) End(OneIn(3) ? "ROLLBACK" : "COMMIT");
      if (OneIn(40)) ASSERT_OK(database_->store()->FlushMemtables());
    }
    if (in_transaction_) End("COMMIT");
    Both("SELECT * FROM t ORDER BY ALL");
    ASSERT_FALSE(HasFailure());
  }
  RecordProperty("statements", statements_);
}

}  // namespace
}  // namespace yarrow::sql
