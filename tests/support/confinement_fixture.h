// For tests: a database with rows of two users, and a confined session of one of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sql_fixture.h"

namespace yarrow::test {

using Strings = std::vector<std::string>;

constexpr const char* kSecret = "swordfish";

class ConfinementFixture : public SqlFixture {
 protected:
  void SetUp() override {
    SqlFixture::SetUp();
    Run("CREATE TABLE shared (id BIGINT PRIMARY KEY, v VARCHAR)");
    Run("INSERT INTO shared VALUES (1, 'for all')");
    Run("CREATE TABLE notes (id BIGINT PRIMARY KEY, note VARCHAR) WITH (kind = 'user')");
    for (const char* user : {"quixote", "bob"}) {
      const bool is_other = std::string_view(user) == "quixote";
      const auto instance = sql::OpenDuckDb();
      ASSERT_OK(sql::Attach(*instance, database_, "d", {.user = user}));
      duckdb::Connection own(*instance);
      const std::string note = is_other ? kSecret : "mine";
      ASSERT_EQ(
          Run(own, "INSERT INTO d.notes SELECT range, '" + note + "' FROM range(" + (is_other ? "40" : "3") + ")"),
          is_other ? "40" : "3");
      if (!is_other) continue;
      ASSERT_EQ(Run(own, "SELECT rows FROM yarrow_flush('d.notes', min_user_rows := 0)"), "40");
      ASSERT_EQ(Run(own, "INSERT INTO d.notes VALUES (1000, '" + note + "')"), "1");
    }
    confined_ = sql::OpenDuckDb();
    ASSERT_OK(sql::Attach(*confined_, database_, "d", {.user = "bob", .confined = true}));
    bob_ = std::make_unique<duckdb::Connection>(*confined_);
  }

  std::string Bob(const std::string& sql) { return Run(*bob_, sql); }

  void ExpectRefused(const std::string& sql) {
    const std::string result = Bob(sql);
    EXPECT_TRUE(result.starts_with("error: ")) << sql << ": " << result;
    EXPECT_EQ(result.find(kSecret), std::string::npos) << sql << ": " << result;
    EXPECT_EQ(result.find("INTERNAL"), std::string::npos) << sql << ": " << result;
    EXPECT_EQ(result.find("quixote"), std::string::npos) << sql << ": " << result;
    if (!bob_->HasActiveTransaction()) return;
    Bob("ROLLBACK");
  }
  void ExpectPermissionError(const std::string& sql) {
    const std::string result = Bob(sql);
    EXPECT_NE(result.find("Permission Error: "), std::string::npos) << sql << ": " << result;
  }
  // What must hold after each attack.
  void ExpectUnharmed() {
    EXPECT_EQ(Bob("SELECT count(*), min(note), max(note) FROM notes"), "3|mine|mine");
    EXPECT_EQ(Bob("SELECT * FROM shared"), "1|for all");
    const auto instance = sql::OpenDuckDb();
    ASSERT_OK(sql::Attach(*instance, database_, "d", {.user = "quixote"}));
    duckdb::Connection other(*instance);
    EXPECT_EQ(Run(other, "SELECT count(*), min(note), max(note) FROM d.notes"), "41|swordfish|swordfish");
  }
  // One column of an unconfined instance of DuckDB, with what we register.
  Strings Ask(const std::string& sql) {
    Strings found;
    const auto result = connection_->Query(sql);
    EXPECT_FALSE(result->HasError()) << result->GetError();
    for (duckdb::idx_t i = 0; i < result->RowCount(); ++i) found.push_back(result->GetValue(0, i).ToString());
    return found;
  }

  std::unique_ptr<duckdb::DuckDB> confined_;
  std::unique_ptr<duckdb::Connection> bob_;
};

}  // namespace yarrow::test
