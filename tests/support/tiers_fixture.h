// What tests of flush and compaction ask of a table and of the files of its segments. Test-only.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "cold/sha256.h"
#include "database_fixture.h"

namespace yarrow::test {

class TiersTest : public DatabaseTest {
 protected:
  static std::vector<Value> Item(int64_t id, const std::string& name) { return {id, int64_t{1}, name, 0.5}; }
  static arrow::Result<bool> Delete(Table& table, int64_t id) { return table.Delete({{Value(id)}}); }

  std::vector<std::filesystem::path> Files() const {
    std::vector<std::filesystem::path> files;
    const std::filesystem::path folder = dir_.File("db") / "cold";
    if (!std::filesystem::exists(folder)) return files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }
  static std::string Digest(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    return cold::ToHex(cold::Sha256Of(bytes));
  }
  // All that can be asked of items.
  static Texts Answers(const Table& table, const Snapshot& snapshot = {}) {
    Texts answers;
    const auto add = [&](ScanOptions options) {
      options.snapshot = snapshot;
      const auto rows = ReadTexts(table, options);
      EXPECT_OK(rows.status());
      answers.push_back("---");
      if (rows.ok()) answers.insert(answers.end(), rows->begin(), rows->end());
    };
    add({});
    add({.reverse = true, .threads = 2});
    add({.columns = {{"price", "id"}}, .limit = 7});
    add({.columns = {{"name"}}, .filter = cp::equal(Field("grp"), Lit(3))});
    add({.filter = cp::and_(cp::greater(Field("id"), Lit(70)), cp::less(Field("id"), Lit(95)))});
    add({.filter = cp::equal(Field("id"), Lit(42))});
    add({.filter = cp::is_null(Field("price")), .limit = 5, .reverse = true});
    for (const int64_t id : {0, 42, 99, 100, 5000}) {
      answers.push_back(TextOf(table.Get({{Value(id)}}, snapshot)));
    }
    return answers;
  }
};

}  // namespace yarrow::test
