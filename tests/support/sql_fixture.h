// For tests: a database attached to a DuckDB instance as y.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <memory>
#include <string>

#include "arrow_assert.h"
#include "sql/duckdb_instance.h"
#include "temp_dir.h"
#include "yarrow/sql.h"

namespace yarrow::test {

class SqlFixture : public testing::Test {
 protected:
  void SetUp() override {
    StoreOptions options;
    options.durability = Durability::kOs;
    ASSERT_OK_AND_ASSIGN(database_, Database::Open(dir_.File("db"), options));
    ASSERT_OK(database_->SetSetting("background_jobs", "0"));  // on a slow machine it would merge what a test counts
    duckdb_ = sql::OpenDuckDb();
    ASSERT_OK(sql::Attach(*duckdb_, database_, "y"));
    connection_ = Connect();
  }
  std::unique_ptr<duckdb::Connection> Connect() {
    auto connection = std::make_unique<duckdb::Connection>(*duckdb_);
    EXPECT_FALSE(connection->Query("USE y")->HasError());
    return connection;
  }
  // Rows as text: cells joined by |, rows by a newline; or the error.
  static std::string Run(duckdb::Connection& connection, const std::string& sql) {
    const auto result = connection.Query(sql);
    if (result->HasError()) return "error: " + result->GetError();
    std::string text;
    for (duckdb::idx_t row = 0; row < result->RowCount(); ++row) {
      if (row > 0) text += "\n";
      for (duckdb::idx_t column = 0; column < result->ColumnCount(); ++column) {
        if (column > 0) text += '|';
        text += result->GetValue(column, row).ToString();
      }
    }
    return text;
  }
  std::string Run(const std::string& sql) { return Run(*connection_, sql); }
  // What EXPLAIN ANALYZE says under that name, over all scans.
  int64_t Figure(const std::string& name, const std::string& sql) {
    const std::string text = Run("EXPLAIN ANALYZE " + sql);
    int64_t sum = -1;
    for (size_t at = text.find(name + ":"); at != std::string::npos; at = text.find(name + ":", at + 1)) {
      size_t digit = at + name.size();
      while (digit < text.size() && std::isdigit(static_cast<unsigned char>(text[digit])) == 0) ++digit;
      sum = std::max<int64_t>(sum, 0) + std::stoll(text.substr(digit));
    }
    EXPECT_GE(sum, 0) << text;
    return sum;
  }

  TempDir dir_;
  std::shared_ptr<Database> database_;
  std::unique_ptr<duckdb::DuckDB> duckdb_;
  std::unique_ptr<duckdb::Connection> connection_;
};

}  // namespace yarrow::test
