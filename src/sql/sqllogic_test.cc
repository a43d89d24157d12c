// Runs tests/sql/*.test, files in the format of sqllogictest (https://sqlite.org/sqllogictest, with DuckDB's rows):
//
//   statement ok [CONNECTION]        the SQL of the lines up to an empty one succeeds
//   statement error [CONNECTION]     it fails; below a line ---- stands a part of the message
//   query TYPES [rowsort] [CONNECTION]
//                                    the SQL up to ---- gives the rows below, columns separated by tabs; rowsort: in
//                                    any order. TYPES has a letter a column. NULL is NULL, empty text (empty).
//   restart                          closes the database and opens it again, on new connections
//   # ...                            a comment
//
// The database of a file is attached as y and is the default one.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "arrow_assert.h"
#include "sql/duckdb_instance.h"
#include "temp_dir.h"
#include "yarrow/sql.h"

namespace yarrow::sql {
namespace {

namespace fs = std::filesystem;

struct Record {
  int line = 0;
  std::vector<std::string> words;  // of the first line
  std::string sql;
  std::vector<std::string> expected;  // lines below ----
};

std::vector<Record> ReadRecords(const fs::path& path) {
  std::ifstream file(path);
  std::vector<Record> records;
  std::string line;
  bool inside = false, below = false;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty()) {
      inside = below = false;
    } else if (inside && line == "----") {
      below = true;
    } else if (below) {
      records.back().expected.push_back(line);
    } else if (inside) {
      records.back().sql += line + "\n";
    } else if (line[0] != '#') {
      std::istringstream words(line);
      records.push_back({number, {std::istream_iterator<std::string>(words), {}}, {}, {}});
      inside = true;
    }
  }
  return records;
}

class SqlLogicTest : public testing::Test {
 public:
  explicit SqlLogicTest(fs::path path) : path_(std::move(path)) {}

  void TestBody() override {
    Open();
    const auto records = ReadRecords(path_);
    ASSERT_FALSE(records.empty()) << path_;
    for (const Record& record : records) {
      SCOPED_TRACE(path_.filename().string() + ":" + std::to_string(record.line) + ": " + record.sql);
      if (record.words[0] == "restart") {
        Close();
        Open();
      } else if (record.words[0] == "statement") {
        RunStatement(record);
      } else if (record.words[0] == "query") {
        RunQuery(record);
      } else {
        FAIL() << "unknown record " << record.words[0];
      }
    }
  }

 private:
  void Open() {
    ASSERT_OK_AND_ASSIGN(auto database, Database::Open(dir_.File("db"), {.durability = Durability::kOs}));
    duckdb_ = OpenDuckDb();
    ASSERT_OK(Attach(*duckdb_, std::move(database), "y"));
  }
  void Close() {
    connections_.clear();
    duckdb_.reset();
  }
  duckdb::unique_ptr<duckdb::MaterializedQueryResult> Run(const Record& record, size_t name_at) {
    auto& connection = connections_[record.words.size() > name_at ? record.words[name_at] : ""];
    if (!connection) {
      connection = std::make_unique<duckdb::Connection>(*duckdb_);
      EXPECT_FALSE(connection->Query("USE y; SET TimeZone = 'UTC'")->HasError());
    }
    return connection->Query(record.sql);
  }

  void RunStatement(const Record& record) {
    const auto result = Run(record, 2);
    if (record.words.at(1) == "ok") {
      EXPECT_FALSE(result->HasError()) << result->GetError();
      return;
    }
    ASSERT_EQ(record.words.at(1), "error");
    ASSERT_TRUE(result->HasError()) << "it succeeded";
    ASSERT_EQ(record.expected.size(), 1u) << "one line below ---- with a part of the message";
    EXPECT_NE(result->GetError().find(record.expected[0]), std::string::npos) << result->GetError();
  }

  void RunQuery(const Record& record) {
    const bool sorted = record.words.size() > 2 && record.words[2] == "rowsort";
    const auto result = Run(record, sorted ? 3 : 2);
    ASSERT_FALSE(result->HasError()) << result->GetError();
    EXPECT_EQ(result->ColumnCount(), record.words.at(1).size()) << "columns";
    std::vector<std::string> rows, expected = record.expected;
    for (duckdb::idx_t row = 0; row < result->RowCount(); ++row) {
      std::string text;
      for (duckdb::idx_t column = 0; column < result->ColumnCount(); ++column) {
        const std::string cell = result->GetValue(column, row).ToString();
        if (column > 0) text += '\t';
        text += cell.empty() ? "(empty)" : cell;
      }
      rows.push_back(std::move(text));
    }
    if (sorted) {
      std::sort(rows.begin(), rows.end());
      std::sort(expected.begin(), expected.end());
    }
    EXPECT_EQ(rows, expected);
  }

  const fs::path path_;
  test::TempDir dir_;
  std::unique_ptr<duckdb::DuckDB> duckdb_;
  std::map<std::string, std::unique_ptr<duckdb::Connection>> connections_;
};

[[maybe_unused]] const bool registered = [] {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(YARROW_SQL_TESTS)) {
    if (entry.path().extension() == ".test") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& path : files) {
    testing::RegisterTest("SqlLogic", path.stem().c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [path]() -> testing::Test* { return new SqlLogicTest(path); });
  }
  return !files.empty();
}();

}  // namespace
}  // namespace yarrow::sql
