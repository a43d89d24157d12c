// Table::BulkLoad: sorted in bounded memory, ingested in one step, recorded as a job.
#include <algorithm>
#include <filesystem>
#include <utility>

#include "database_fixture.h"
#include "store/system_partition.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {
namespace {

using test::BreakingReader;
using test::ItemsBatch;
using test::ReaderOf;
using test::ReadTexts;
using test::TextOf;
using test::Texts;

class BulkLoadTest : public test::DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    items_ = Create(test::ItemsSpec());
  }
  arrow::Result<int64_t> Load(std::vector<std::shared_ptr<arrow::RecordBatch>> batches,
                              WriteMode mode = WriteMode::kInsert) {
    const auto reader = ReaderOf(std::move(batches));
    BulkLoadOptions options;
    options.mode = mode;
    options.sort_buffer_bytes = 1 << 20;
    return items_->BulkLoad(reader.get(), options);
  }
  // kind|target|state|rows|error of the last job.
  std::string LastJob() {
    ScanOptions options;
    options.columns = {"kind", "target", "state", "rows", "error"};
    options.reverse = true;
    options.limit = 1;
    const auto rows = ReadTexts(*OpenTable("system.jobs"), options).ValueOrDie();
    return rows.empty() ? "none" : rows[0];
  }
  size_t FilesLeft() {
    std::error_code error;
    size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir_.File("db") / "tmp", error)) {
      files += entry.is_regular_file();
    }
    return files;
  }
  // Rows of 80,000 keys, in no order.
  static std::vector<std::shared_ptr<arrow::RecordBatch>> Unsorted() {
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
    for (int64_t part = 0; part < 16; ++part) batches.push_back(ItemsBatch((part * 7) % 16, 5000, 16));
    return batches;
  }
  std::shared_ptr<Table> items_;
};

TEST_F(BulkLoadTest, UnsortedRowsLargerThanTheBufferComeOutInOrder) {
  std::vector<int64_t> read, written;
  const auto reader = ReaderOf(Unsorted());
  BulkLoadOptions options;
  options.sort_buffer_bytes = 1 << 20;
  size_t most_files = 0;
  options.on_progress = [&](const BulkLoadProgress& done) {
    (done.rows_written == 0 ? read : written).push_back(done.rows_written == 0 ? done.rows_read : done.rows_written);
    most_files = std::max(most_files, FilesLeft());
    return arrow::Status::OK();
  };
  ASSERT_OK_AND_ASSIGN(const int64_t loaded, items_->BulkLoad(reader.get(), options));
  EXPECT_EQ(loaded, 80000);
  EXPECT_GE(most_files, 2u) << "nothing was sorted outside memory: the test proves nothing";
  EXPECT_EQ(FilesLeft(), 0u);
  for (const auto& progress : {read, written}) {
    ASSERT_GE(progress.size(), 2u);
    EXPECT_EQ(progress.back(), 80000);
    EXPECT_TRUE(std::is_sorted(progress.begin(), progress.end()));
  }
  const Texts expected = test::TextsOf(*ItemsBatch(0, 80000));
  EXPECT_EQ(ReadTexts(*items_).ValueOrDie() == expected, true);
  EXPECT_EQ(LastJob(), "bulk load|main.items|completed|80000|null");
  EXPECT_EQ(TextOf(items_->Get({79999})), "79999|9|name 79999|99");
}

TEST_F(BulkLoadTest, RepeatedKeysAreAnErrorOrTheLastWins) {
  auto batches = Unsorted();
  const auto again = test::BatchOf(items_->schema(), {{int64_t{777}, int64_t{1}, "second", Value()},
                                                      {int64_t{777}, int64_t{2}, "third", Value()}})
                         .ValueOrDie();
  batches.push_back(again);
  const auto status = Load(batches).status();
  EXPECT_TRUE(status.IsAlreadyExists()) << status.ToString();
  EXPECT_ERROR_HAS(status, "main.items");
  EXPECT_ERROR_HAS(status, "key (777)");
  EXPECT_EQ(ReadTexts(*items_).ValueOrDie(), Texts{});
  EXPECT_EQ(LastJob().substr(0, 30), "bulk load|main.items|failed|0|");
  EXPECT_NE(LastJob().find("777"), std::string::npos);
  EXPECT_EQ(FilesLeft(), 0u);
  ASSERT_OK(Load(batches, WriteMode::kUpsert).status());
  EXPECT_EQ(TextOf(items_->Get({777})), "777|2|third|null");
  EXPECT_EQ(ReadTexts(*items_).ValueOrDie().size(), 80000u);
  // The same within one buffer.
  ASSERT_OK(Load({again}, WriteMode::kUpsert).status());
  EXPECT_EQ(TextOf(items_->Get({777})), "777|2|third|null");
}

TEST_F(BulkLoadTest, ExistingRowsAreAnErrorOrReplaced) {
  for (const int64_t id : {5, 500, 50000}) ASSERT_OK(items_->Put({id, 0, "old", 0.0}));
  ASSERT_OK(items_->SoftDelete({5}).status());
  ASSERT_OK(items_->Delete({500}).status());
  EXPECT_ERROR_HAS(Load(Unsorted()), "key (50000)");
  EXPECT_EQ(ReadTexts(*items_).ValueOrDie(), (Texts{"50000|0|old|0"}));
  ASSERT_OK(Load({ItemsBatch(0, 1000)}).status());  // soft-deleted and deleted keys are free
  EXPECT_EQ(TextOf(items_->Get({5})), "5|5|name 5|5");
  EXPECT_ERROR_HAS(Load({ItemsBatch(999, 1)}), "key (999)");
  EXPECT_ERROR_HAS(Load({ItemsBatch(0, 1)}), "key (0)");
  ASSERT_OK(Load({ItemsBatch(998, 60000)}, WriteMode::kUpsert).status());
  EXPECT_EQ(ReadTexts(*items_).ValueOrDie() == test::TextsOf(*ItemsBatch(0, 60998)), true);
}

TEST_F(BulkLoadTest, FailingReaderLoadsNothing) {
  auto batches = Unsorted();
  const auto reader = BreakingReader({batches.begin(), batches.begin() + 12});
  BulkLoadOptions options;
  options.sort_buffer_bytes = 1 << 20;
  EXPECT_ERROR_HAS(items_->BulkLoad(reader.get(), options), "the source broke");
  EXPECT_EQ(ReadTexts(*items_).ValueOrDie(), Texts{});
  EXPECT_EQ(LastJob(), "bulk load|main.items|failed|0|the source broke");
  EXPECT_EQ(FilesLeft(), 0u);
}

TEST_F(BulkLoadTest, CancelledInAnyPhaseLoadsNothing) {
  for (const bool while_writing : {false, true}) {
    const auto reader = ReaderOf(Unsorted());
    BulkLoadOptions options;
    options.sort_buffer_bytes = 1 << 20;
    options.on_progress = [&](const BulkLoadProgress& done) {
      return (done.rows_written > 0) == while_writing ? arrow::Status::Cancelled("enough") : arrow::Status::OK();
    };
    const auto status = items_->BulkLoad(reader.get(), options).status();
    EXPECT_TRUE(status.IsCancelled()) << status.ToString();
    EXPECT_EQ(ReadTexts(*items_).ValueOrDie(), Texts{});
    EXPECT_EQ(LastJob(), "bulk load|main.items|cancelled|0|enough");
    EXPECT_EQ(FilesLeft(), 0u);
  }
}

TEST_F(BulkLoadTest, BadRowsLoadNothing) {
  const auto fields = arrow::schema({arrow::field("id", arrow::int64()), arrow::field("grp", arrow::int64())});
  const auto bad = test::BatchOf(fields, {{int64_t{1}, int64_t{1}}, {int64_t{2}, int64_t{1} << 40}}).ValueOrDie();
  EXPECT_ERROR_HAS(Load({bad}), "key (2)");
  const auto null_key = test::BatchOf(fields, {{int64_t{1}, int64_t{1}}, {Value(), int64_t{1}}}).ValueOrDie();
  EXPECT_ERROR_HAS(Load({null_key}), "column id");
  const auto stray = arrow::schema({arrow::field("id", arrow::int64()), arrow::field("cost", arrow::int64())});
  EXPECT_ERROR_HAS(Load({test::BatchOf(stray, {{int64_t{1}, int64_t{1}}}).ValueOrDie()}), "cost");
  EXPECT_ERROR_HAS(items_->BulkLoad(nullptr), "reader");
  EXPECT_EQ(ReadTexts(*items_).ValueOrDie(), Texts{});
}

TEST_F(BulkLoadTest, NothingToLoad) {
  EXPECT_EQ(Load({}).ValueOrDie(), 0);
  EXPECT_EQ(Load({ItemsBatch(0, 0)}).ValueOrDie(), 0);
  EXPECT_EQ(LastJob(), "bulk load|main.items|completed|0|null");
}

TEST_F(BulkLoadTest, WriteMeanwhileIsACleanConflict) {
  const auto reader = ReaderOf({ItemsBatch(0, 1000), ItemsBatch(2000, 1000)});
  BulkLoadOptions options;
  bool written = false;
  options.on_progress = [&](const BulkLoadProgress&) {
    return std::exchange(written, true) ? arrow::Status::OK() : items_->Insert({5, 0, "meanwhile", 0.0});
  };
  const auto status = items_->BulkLoad(reader.get(), options).status();
  EXPECT_TRUE(IsConflict(status)) << status.ToString();
  EXPECT_EQ(ReadTexts(*items_).ValueOrDie(), (Texts{"5|0|meanwhile|0"}));
  EXPECT_EQ(LastJob().substr(0, 30), "bulk load|main.items|failed|0|");
  EXPECT_EQ(FilesLeft(), 0u);
  ASSERT_OK(items_->Delete({5}).status());
  ASSERT_OK(Load({ItemsBatch(0, 1000)}).status());  // and can be repeated
}

TEST_F(BulkLoadTest, RowsOfAllLoadsSurviveReopen) {
  ASSERT_OK(Load(Unsorted()).status());
  items_.reset();
  Reopen();
  const auto items = OpenTable("items");
  EXPECT_EQ(ReadTexts(*items).ValueOrDie() == test::TextsOf(*ItemsBatch(0, 80000)), true);
  EXPECT_EQ(LastJob(), "bulk load|main.items|completed|80000|null");
}

TEST_F(BulkLoadTest, RunningJobIsSeenWhileItRuns) {
  const auto reader = ReaderOf({ItemsBatch(0, 10)});
  BulkLoadOptions options;
  std::string during;
  options.on_progress = [&](const BulkLoadProgress&) {
    during = LastJob();
    return arrow::Status::OK();
  };
  ASSERT_OK(items_->BulkLoad(reader.get(), options).status());
  EXPECT_EQ(during, "bulk load|main.items|running|0|null");
}

// --- CreateTableAs ---

class CreateTableAsTest : public BulkLoadTest {
 protected:
  arrow::Result<int64_t> CreateAs(arrow::RecordBatchReader* reader, const BulkLoadOptions& options = {}) {
    return session_->CreateTableAs(test::ItemsSpec("copy"), reader, options);
  }
  // What lies in the one partition of rows, whoever it belongs to.
  size_t StoredRows() {
    auto cursor = db_->store()->Scan({.partition = OpenSystemPartition(*db_->store(), "rows").ValueOrDie()});
    while (cursor.Next()) continue;
    return cursor.rows_visited();
  }
};

TEST_F(CreateTableAsTest, AppearsWithAllItsRows) {
  const auto reader = ReaderOf(Unsorted());
  BulkLoadOptions options;
  options.on_progress = [&](const BulkLoadProgress&) {
    EXPECT_TRUE(db_->FindTable("copy").status().IsKeyError());
    return arrow::Status::OK();
  };
  EXPECT_EQ(CreateAs(reader.get(), options).ValueOrDie(), 80000);
  EXPECT_EQ(LastJob(), "bulk load|main.copy|completed|80000|null");
  items_.reset();
  Reopen();
  const auto copy = OpenTable("copy");
  EXPECT_EQ(ReadTexts(*copy).ValueOrDie() == test::TextsOf(*ItemsBatch(0, 80000)), true);
  ASSERT_OK(copy->Insert({80000, 1, "one more", 0.0}));
}

TEST_F(CreateTableAsTest, FailureLeavesNoTable) {
  const auto reader = BreakingReader(Unsorted());
  EXPECT_ERROR_HAS(CreateAs(reader.get()), "the source broke");
  EXPECT_TRUE(db_->FindTable("copy").status().IsKeyError());
  TableSpec bad = test::ItemsSpec("copy");
  bad.primary_key = {"nope"};
  EXPECT_ERROR_HAS(session_->CreateTableAs(bad, ReaderOf({}).get()), "nope");
  EXPECT_EQ(CreateAs(ReaderOf({}).get()).ValueOrDie(), 0);
  EXPECT_ERROR_HAS(CreateAs(ReaderOf({}).get()), "main.copy exists already");
}

TEST_F(CreateTableAsTest, ATableOfThatNameMeanwhileWins) {
  const auto reader = ReaderOf(Unsorted());
  BulkLoadOptions options;
  options.on_progress = [&](const BulkLoadProgress&) {
    const auto status = db_->CreateTable(test::ItemsSpec("copy")).status();
    return status.IsAlreadyExists() ? arrow::Status::OK() : status;
  };
  const auto status = CreateAs(reader.get(), options).status();
  EXPECT_TRUE(status.IsAlreadyExists()) << status.ToString();
  EXPECT_EQ(ReadTexts(*OpenTable("copy")).ValueOrDie(), Texts{});
  EXPECT_EQ(StoredRows(), 0u) << "rows of the table that never was";
}

}  // namespace
}  // namespace yarrow
