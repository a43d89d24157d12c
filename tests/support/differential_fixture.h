// For tests: the same statements here and on native DuckDB tables, whose rows must be the same. (-0.0 is left out:
// which of it and 0.0 comes first in an order is nobody's promise.)
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "arrow_assert.h"
#include "random_seed.h"
#include "sql/duckdb_instance.h"
#include "temp_dir.h"
#include "yarrow/sql.h"

namespace yarrow::test {

class DifferentialFixture : public testing::Test {
 protected:
  void SetUp() override {
    random_.seed(seed_);
    StoreOptions options{.durability = Durability::kOs};
    if (OneIn(3)) options.ingest_threshold_bytes = 2000;  // then nearly every commit moves files into the store
    ASSERT_OK_AND_ASSIGN(database_, Database::Open(dir_.File("db"), options));
    duckdb_ = sql::OpenDuckDb();
    ASSERT_OK(sql::Attach(*duckdb_, database_, "y", {.user = "ada"}));
    ASSERT_OK(sql::Attach(*duckdb_, database_, "bob", {.user = "bob"}));
    ours_ = Connect("y");
    native_ = Connect("memory");
    native_->Query(
        "PRAGMA disable_optimizer");  // it makes mistakes of its own: "a <> 1 OR a IS DISTINCT FROM 1" for one
  }
  void TearDown() override {
    std::cout << "statements: " << statements_ << " here and on native DuckDB, YARROW_SEED=" << seed_ << "\n";
    RecordProperty("statements", statements_);
  }

  std::unique_ptr<duckdb::Connection> Connect(const std::string& to) {
    auto connection = std::make_unique<duckdb::Connection>(*duckdb_);
    EXPECT_FALSE(connection->Query("USE " + to + "; SET TimeZone = 'UTC'")->HasError());
    return connection;
  }

  uint64_t Below(uint64_t n) { return random_() % n; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  template <class T>
  const T& Pick(const std::vector<T>& from) {
    return from[Below(from.size())];
  }
  // "Name 3" of the parts "Name " and 3, and the like.
  template <class... Parts>
  static std::string Join(const Parts&... parts) {
    std::string text;
    const auto add = [&](const auto& part) {
      if constexpr (std::is_integral_v<std::decay_t<decltype(part)>>) {
        text += std::to_string(part);
      } else {
        text += part;
      }
    };
    (add(parts), ...);
    return text;
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
  // One row that tells of all rows of a query, in any order.
  static std::string Digest(const std::string& query) {
    return "SELECT count(*), sum((hash(q) % 1000000007)::BIGINT) FROM (" + query + ") q";
  }
  std::string Ours(const std::string& sql) {
    const auto result = ours_->Query(sql);
    EXPECT_FALSE(result->HasError()) << sql << "\n" << result->GetError();
    return result->HasError() ? "" : Text(*result);
  }

  // Statements of as many rows write segments themselves, here only.
  void WriteSegmentsFrom(const std::vector<int>& rows) {
    ASSERT_OK(database_->SetSetting("rows_to_segment", std::to_string(Pick(rows))));
  }

  // Rows move to segments, and segments are merged, here only: no answer may change.
  void Flush(uint64_t most_segment_rows, const char* table = "t") {
    Ours(Join("CALL yarrow_flush('y.main.", table, "', max_segment_rows = ", 1 + Below(most_segment_rows),
              ", min_user_rows = 0, optimize_for = '", OneIn(2) ? "scan" : "lookup", "')"));
    if (!OneIn(3)) return;
    ASSERT_OK(database_->SetSetting("deleted_file_retention", "0"));
    Ours(Join("CALL yarrow_compact('y.main.", table, "', \"full\" = ", OneIn(2) ? "true" : "false",
              ", max_segment_rows = ", 1 + Below(most_segment_rows), ")"));
  }

  // Runs it on both sides. False when both refused it, for the same kind of reason. In a transaction the native side
  // may refuse a key alone: its index does not always see that the key was given up before.
  bool Both(const std::string& sql) { return Both(sql, sql); }
  bool Both(const std::string& for_ours, const std::string& for_native) {
    ++statements_;
    const auto ours = ours_->Query(for_ours);
    const auto native = native_->Query(for_native);
    if (ours->HasError() && native->HasError()) {
      EXPECT_EQ(ours->GetErrorObject().Type(), native->GetErrorObject().Type())
          << for_native << "\nours: " << ours->GetError() << "\nnative: " << native->GetError();
      return false;
    }
    if (ours->HasError() && NativeBreaksConstraint()) return false;
    EXPECT_FALSE(ours->HasError()) << for_native << "\nours only: " << ours->GetError();
    if (ours->HasError()) return false;
    if (native->HasError()) {
      const bool is_key_error = native->GetErrorObject().Type() == duckdb::ExceptionType::CONSTRAINT;
      EXPECT_TRUE(is_key_error && in_transaction_) << for_native << "\nnative only: " << native->GetError();
      return false;
    }
    const std::string text = Text(*ours);
    if (text != Text(*native) && text == NativeOptimized(for_native)) {
      std::cout << "DuckDB's optimizer changes the answer: " << for_native << "\n";
      return true;
    }
    ExpectSame(text, Text(*native), for_native);
    return true;
  }
  // Whether a statement that only we refused has left rows on the native side that no constraint allows.
  virtual bool NativeBreaksConstraint() { return false; }
  // EXPECT_EQ would compare each line of one with each of the other.
  static void ExpectSame(const std::string& ours, const std::string& native, const std::string& sql) {
    if (ours == native) return;
    const size_t at = static_cast<size_t>(std::ranges::mismatch(ours, native).in1 - ours.begin());
    const size_t from = at < 300 ? 0 : at - 300;
    ADD_FAILURE() << sql << "\nours, from byte " << from << ":\n"
                  << ours.substr(from, 600) << "\nnative:\n"
                  << native.substr(std::min(from, native.size()), 600);
  }
  // Of a query; nothing for others, which must not run twice.
  std::string NativeOptimized(const std::string& sql) {
    if (!sql.starts_with("SELECT")) return "";
    native_->Query("PRAGMA enable_optimizer");
    const auto result = native_->Query(sql);
    Ours("SET memory_limit = '2GB'");  // of the whole instance: a query that takes more is a mistake of the test
    native_->Query("PRAGMA disable_optimizer");
    return result->HasError() ? "" : Text(*result);
  }

  void Begin() {
    EXPECT_TRUE(Both("BEGIN"));
    in_transaction_ = true;
  }
  void End(const char* how) {
    in_transaction_ = false;
    EXPECT_TRUE(Both(how));
  }

  const uint64_t seed_ = RandomSeed();
  TempDir dir_;
  std::mt19937_64 random_;
  std::shared_ptr<Database> database_;
  std::unique_ptr<duckdb::DuckDB> duckdb_;
  std::unique_ptr<duckdb::Connection> ours_, native_;
  bool in_transaction_ = false;
  int statements_ = 0;
};

}  // namespace yarrow::test
