// Runs tests/sql/*.test (tests/support/sqllogic_script.h), hot and cold. The database of a file is the default one, and
// is attached as y.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "sqllogic_runner.h"

namespace yarrow::sql {
namespace {

namespace fs = std::filesystem;

class SqlLogicTest : public testing::Test {
 public:
  SqlLogicTest(fs::path path, test::Tier tier) : path_(std::move(path)), engine_(tier) {}

  void TestBody() override {
    const test::ScriptOutcome outcome = test::ScriptRunner(&engine_, dir_.path()).Run(path_);
    EXPECT_EQ(outcome.kind, test::ScriptOutcome::Kind::kPassed)
        << path_.filename().string() << ":" << outcome.line << ": " << outcome.sql << "\n"
        << outcome.message;
  }

 private:
  const fs::path path_;
  test::TempDir dir_;
  test::YarrowEngine engine_;
};

// A script that flushes says itself where rows are.
bool Flushes(const fs::path& path) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return text.find("yarrow_flush") != std::string::npos;
}

[[maybe_unused]] const bool registered = [] {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(YARROW_SQL_TESTS)) {
    if (entry.path().extension() == ".test") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& path : files) {
    for (const test::Tier tier : {test::Tier::kHot, test::Tier::kCold}) {
      if (tier == test::Tier::kCold && Flushes(path)) continue;
      testing::RegisterTest(tier == test::Tier::kHot ? "SqlLogic" : "SqlLogicCold", path.stem().c_str(), nullptr,
                            nullptr, __FILE__, __LINE__,
                            [path, tier]() -> testing::Test* { return new SqlLogicTest(path, tier); });
    }
  }
  return !files.empty();
}();

}  // namespace
}  // namespace yarrow::sql
