// Runs tests/sql/*.test (tests/support/sqllogic_script.h), hot and cold, and the sample applications in
// tests/apps/*.test, on native DuckDB as well. The database of a file is the default one, and is attached as y.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sqllogic_runner.h"

namespace yarrow::sql {
namespace {

namespace fs = std::filesystem;

class SqlLogicTest : public testing::Test {
 public:
  SqlLogicTest(fs::path path, std::unique_ptr<test::SqlEngine> engine)
      : path_(std::move(path)), engine_(std::move(engine)) {}

  void TestBody() override {
    const test::ScriptOutcome outcome = test::ScriptRunner(engine_.get(), dir_.path()).Run(path_);
    EXPECT_EQ(outcome.kind, test::ScriptOutcome::Kind::kPassed)
        << path_.filename().string() << ":" << outcome.line << ": " << outcome.sql << "\n"
        << outcome.message;
  }

 private:
  const fs::path path_;
  test::TempDir dir_;
  const std::unique_ptr<test::SqlEngine> engine_;
};

std::vector<fs::path> ScriptsIn(const char* folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".test") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// A script that flushes says itself where rows are.
bool Flushes(const fs::path& path) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return text.find("yarrow_flush") != std::string::npos;
}

template <class Engine, class... Args>
void Register(const char* suite, const fs::path& path, Args... args) {
  testing::RegisterTest(
      suite, path.stem().c_str(), nullptr, nullptr, __FILE__, __LINE__,
      [path, args...]() -> testing::Test* { return new SqlLogicTest(path, std::make_unique<Engine>(args...)); });
}

[[maybe_unused]] const bool registered = [] {
  for (const fs::path& path : ScriptsIn(YARROW_SQL_TESTS)) {
    Register<test::YarrowEngine>("SqlLogic", path, test::Tier::kHot);
    if (!Flushes(path)) Register<test::YarrowEngine>("SqlLogicCold", path, test::Tier::kCold);
  }
  for (const fs::path& path : ScriptsIn(YARROW_APPLICATIONS)) {
    Register<test::NativeEngine>("ApplicationNative", path);
    Register<test::YarrowEngine>("Application", path, test::Tier::kHot);
    Register<test::YarrowEngine>("ApplicationCold", path, test::Tier::kCold);
  }
  return true;
}();

}  // namespace
}  // namespace yarrow::sql
