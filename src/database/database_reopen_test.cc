// What a database is after it was closed, opened twice, or left by a process that ended in the middle.
#include "catalog/records.h"
#include "database/open_database.h"
#include "database_fixture.h"
#include "store/store_commits.h"
#include "store/system_partition.h"

namespace yarrow {
namespace {

using test::Column;
using test::ItemsBatch;
using test::ReadTexts;
using test::Spec;
using test::TextOf;
using test::Texts;

using DatabaseReopenTest = test::DatabaseTest;

TEST_F(DatabaseReopenTest, EverythingIsThereAgain) {
  ASSERT_OK(db_->CreateSchema("app"));
  auto spec = test::ItemsSpec("stock");
  spec.schema_name = "app";
  spec.columns[1].default_value = 7;
  spec.columns[2].nullable = false;
  spec.columns[2].default_value = "unnamed";
  Texts rows;
  {
    const auto stock = Create(spec);
    Load(stock.get(), {ItemsBatch(0, 1000)});
    ASSERT_OK(stock->Put({5000, 1, "five", 0.5}));
    ASSERT_OK(stock->Delete({3}).status());
    ASSERT_OK(stock->SoftDelete({4}).status());
    const auto transaction = session_->Begin().ValueOrDie();
    const std::vector<Value> row = {6000, 1, "six", Value()}, lost = {7000, 1, "lost", Value()};
    ASSERT_OK(transaction->Put(*stock, row));
    ASSERT_OK(transaction->Commit());
    const auto open = session_->Begin().ValueOrDie();
    ASSERT_OK(open->Put(*stock, lost));
    rows = ReadTexts(*stock).ValueOrDie();
  }
  ASSERT_OK(db_->SetSetting("scan_threads", "2"));
  SessionOf("ada");
  const auto tables = db_->Tables();
  Reopen();
  EXPECT_EQ(db_->Schemas(), (std::vector<std::string>{"app", "main", "system"}));
  const auto stock = OpenTable("app.stock");
  EXPECT_EQ(ReadTexts(*stock).ValueOrDie(), rows);
  EXPECT_EQ(rows.size(), 1000u);
  EXPECT_EQ(TextOf(stock->Get({4})), "none");
  ASSERT_OK_AND_ASSIGN(const bool purged, stock->Purge({4}));
  EXPECT_TRUE(purged);
  EXPECT_EQ(TextOf(OpenTable("system.settings")->Get({"scan_threads"})).substr(0, 15), "scan_threads|2|");
  EXPECT_EQ(ReadTexts(*OpenTable("system.users")).ValueOrDie().size(), 1u);
  const TableDefinition& definition = stock->definition();
  EXPECT_EQ(definition.columns[1].default_value.get<int64_t>(), 7);
  EXPECT_FALSE(definition.columns[2].nullable);
  EXPECT_EQ(db_->Tables().size(), tables.size());
  ScanOptions options;
  options.threads = 0;
  ASSERT_OK_AND_ASSIGN(const auto scan, stock->Scan(options));
  EXPECT_NE(scan->Explain().find("threads: 2"), std::string::npos);
  const auto batch = test::BatchOf(arrow::schema({arrow::field("id", arrow::int64())}), {{int64_t{9}}}).ValueOrDie();
  ASSERT_OK(stock->Write(*batch));
  EXPECT_EQ(TextOf(stock->Get({9})), "9|7|unnamed|null");
}

TEST_F(DatabaseReopenTest, SecondOpenSharesTheDatabase) {
  const auto items = CreateItems(3);
  ASSERT_OK_AND_ASSIGN(const auto second, Database::Open(dir_.File("db"), options_));
  EXPECT_EQ(second->store().get(), db_->store().get());
  const auto theirs = second->OpenSession().ValueOrDie()->OpenTable("items").ValueOrDie();
  ASSERT_OK(theirs->Put({10, 1, "theirs", Value()}));
  EXPECT_EQ(TextOf(items->Get({10})), "10|1|theirs|null");
  // Conflicts, definitions and settings are shared too.
  const auto transaction = session_->Begin().ValueOrDie();
  const std::vector<Value> row = {10, 1, "mine", Value()};
  ASSERT_OK(transaction->Put(*items, row));
  ASSERT_OK(theirs->Put({10, 1, "again", Value()}));
  EXPECT_TRUE(IsConflict(transaction->Commit()));
  ASSERT_OK(second->SetSetting("scan_threads", "2"));
  ScanOptions options;
  options.threads = 0;
  EXPECT_NE(items->Scan(options).ValueOrDie()->Explain().find("threads: 2"), std::string::npos);
  ASSERT_OK(second->DropTable("items"));
  EXPECT_ERROR_HAS(session_->OpenTable("items"), "no table main.items");
  EXPECT_ERROR_HAS(items->Put({11, 1, "late", Value()}), "was dropped");
}

TEST_F(DatabaseReopenTest, TablesSessionsAndScansKeepTheDatabaseOpen) {
  const auto items = CreateItems(20000);
  auto scan = items->Scan().ValueOrDie();
  session_.reset();
  db_.reset();
  ASSERT_OK(items->Put({50000, 1, "late", Value()}));
  EXPECT_EQ(ReadTexts(scan.get()).ValueOrDie().size(), 20001u);
  ASSERT_OK_AND_ASSIGN(db_, Database::Open(dir_.File("db"), options_));
}

TEST_F(DatabaseReopenTest, ScanOutlivesEverythingElse) {
  for (const int threads : {1, 3}) {
    if (threads == 1) CreateItems(20000);
    ScanOptions options;
    options.threads = threads;
    auto scan = OpenTable("items")->Scan(options).ValueOrDie();
    session_.reset();
    db_.reset();
    EXPECT_EQ(ReadTexts(scan.get()).ValueOrDie().size(), 20000u);
    scan.reset();
    Open(options_);
  }
}

TEST_F(DatabaseReopenTest, JobsOfAProcessThatEndedAreFailed) {
  {
    using Jobs = SystemStore<JobKey, JobRecord>;
    ASSERT_OK_AND_ASSIGN(const Partition own,
                         OpenSystemPartition(*db_->store(), SystemPartition(SystemTableId::kJobs)));
    Jobs jobs(db_->store(), own);
    JobRecord job;
    job.kind = "bulk load";
    job.target = "main.items";
    job.state = "running";
    ASSERT_OK(jobs.Put(JobKey{1}, job));
    job.state = "completed";
    job.rows = 5;
    ASSERT_OK(jobs.Put(JobKey{2}, job));
    job.state = "queued";
    ASSERT_OK(jobs.Put(JobKey{3}, job));
  }
  Reopen();
  ScanOptions options;
  options.columns = {"job_id", "state", "rows", "error"};
  EXPECT_EQ(ReadTexts(*OpenTable("system.jobs"), options).ValueOrDie(),
            (Texts{"1|failed|0|the process ended before the job, or before its end was recorded", "2|completed|5|null",
                   "3|failed|5|the process ended before the job, or before its end was recorded"}));
}

TEST_F(DatabaseReopenTest, OfManyJobsTheLastOnesAreKept) {
  {
    using Jobs = SystemStore<JobKey, JobRecord>;
    ASSERT_OK_AND_ASSIGN(const Partition own,
                         OpenSystemPartition(*db_->store(), SystemPartition(SystemTableId::kJobs)));
    Jobs jobs(db_->store(), own);
    WriteSet writes;
    const JobRecord job{.kind = "flush", .target = "main.items", .state = "completed", .error = {}, .finished_at = 1};
    for (uint64_t id = 1; id <= 10'007; ++id) jobs.Put(&writes, JobKey{id}, job);
    ASSERT_OK(db_->store()->commits().Commit(writes).status());
  }
  Reopen();
  const Texts kept = ReadTexts(*OpenTable("system.jobs"), {.columns = {{"job_id"}}}).ValueOrDie();
  EXPECT_EQ(kept.size(), 10'000u);
  EXPECT_EQ(kept.front(), "8");
  // Nor does it have to be opened for that: items are loaded twice.
  for (int i = 0; i < 10'007; ++i) ASSERT_OK(ImplOf(*db_)->catalog().NextJobId().status());
  const auto items = CreateItems(10);
  const auto reader = test::ReaderOf({test::ItemsBatch(100, 10)});
  ASSERT_OK(items->BulkLoad(reader.get()).status());
  const Texts later = ReadTexts(*OpenTable("system.jobs"), {.columns = {{"job_id"}}}).ValueOrDie();
  EXPECT_EQ(later.size(), 10'000u);
  EXPECT_EQ(later.front(), "10");
}

TEST_F(DatabaseReopenTest, DroppedTablesStayDroppedAndTheirIdsAreNotUsedAgain) {
  const auto first = CreateItems(10)->definition().id;
  ASSERT_OK(db_->DropTable("items"));
  EXPECT_ERROR_HAS(db_->DropTable("items"), "no table main.items");
  Reopen();
  EXPECT_ERROR_HAS(session_->OpenTable("items"), "no table main.items");
  const auto again = Create(test::ItemsSpec());
  EXPECT_GT(again->definition().id, first);
  EXPECT_EQ(ReadTexts(*again).ValueOrDie(), Texts{});
}

TEST_F(DatabaseReopenTest, UnknownTablesAreErrorsThatListTheKnownOnes) {
  CreateItems(1);
  EXPECT_ERROR_HAS(session_->OpenTable("item"), "the tables are: main.items");
  EXPECT_ERROR_HAS(db_->FindTable("a.b.c"), "not a table name");
  EXPECT_ERROR_HAS(db_->FindTable(""), "not a table name");
  ASSERT_OK(db_->FindTable("MAIN.Items").status());
}

// --- the baseline ---

TEST_F(DatabaseReopenTest, ScanAllEqualsScanForEveryTable) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  const auto same = [](const Table& table) {
    const auto scanned = table.Scan().ValueOrDie()->ToTable().ValueOrDie()->CombineChunksToBatch().ValueOrDie();
    const auto collected = table.ScanAll();
    ASSERT_OK(collected.status());
    EXPECT_EQ((*collected)->schema().get(), table.schema().get());
    EXPECT_TRUE((*collected)->Equals(*scanned, true, arrow::EqualOptions::Defaults().nans_equal(true)));
  };
#pragma GCC diagnostic pop
  const auto items = CreateItems(300);
  ASSERT_OK(items->SoftDelete({7}).status());
  same(*items);
  const auto log = Create(Spec("log", {Column("line", TypeId::kUtf8)}, {}));
  same(*log);
  ASSERT_OK(log->Put({"x"}));
  same(*log);
  for (const char* name : {"schemas", "tables", "columns", "users", "jobs", "settings"}) {
    same(*OpenTable("system." + std::string(name)));
  }
}

}  // namespace
}  // namespace yarrow
