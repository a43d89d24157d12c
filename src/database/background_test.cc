// What an open database does by itself.
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <random>
#include <thread>

#include "catalog/records.h"
#include "store/system_partition.h"
#include "table/database_impl.h"
#include "tiers_fixture.h"

namespace yarrow {
namespace {

using test::ItemsBatch;
using test::List;
using test::Texts;

// Keeps what it was told.
class JobLog : public JobListener {
 public:
  void OnJob(const JobInfo& job) noexcept override {
    std::lock_guard lock(mutex_);
    jobs_.push_back(job);
  }
  std::vector<JobInfo> jobs() const {
    std::lock_guard lock(mutex_);
    return jobs_;
  }
  Texts States() const {
    Texts states;
    for (const JobInfo& job : jobs()) {
      const std::string state = job.kind + " " + std::string(JobStateName(job.state));
      if (states.empty() || states.back() != state) states.push_back(state);
    }
    return states;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<JobInfo> jobs_;
};

class BackgroundConcurrentTest : public test::TiersTest {
 protected:
  void SetUp() override {
    TiersTest::SetUp();
    ASSERT_OK(db_->SetSetting("background_jobs", "1"));
  }
  // False after a minute.
  static bool Eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 6000; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  std::shared_ptr<Table> CreateWith(const TierPolicy& policy) {
    auto spec = test::ItemsSpec();
    spec.policy = policy;
    EXPECT_OK(db_->CreateTable(spec).status());
    return OpenTable("items");
  }
  // 40,000 rows that take more than 8 MiB however they are compressed.
  std::shared_ptr<Table> CreateNoise() {
    auto noise =
        Create(test::Spec("noise", {test::Column("id", TypeId::kInt64), test::Column("text", TypeId::kUtf8)}, {"id"}));
    std::mt19937_64 random(1);
    test::Rows rows;
    for (int64_t id = 0; id < 40'000; ++id) {
      std::string text(256, ' ');
      for (char& letter : text) letter = static_cast<char>('!' + random() % 90);
      rows.push_back({id, std::move(text)});
    }
    Load(noise.get(), {test::BatchOf(noise->schema(), rows).ValueOrDie()});
    return noise;
  }
  // What RocksDB has of all tables.
  uint64_t RowBytes() {
    return db_->store()->ApproximateBytes(OpenSystemPartition(*db_->store(), "rows").ValueOrDie(), {}, {});
  }
  int64_t CountSegments() {
    return static_cast<int64_t>(test::ReadTexts(*OpenTable("system.segments")).ValueOrDie().size());
  }
  uint64_t Figure(std::string_view wanted) {
    for (const auto& [name, value] : db_->store()->Statistics()) {
      if (name == wanted) return value;
    }
    return 0;
  }
  uint64_t WriteRate() { return Figure("hot.write_rate_bytes"); }
  // A table that is not flushed as long as no job may run; commits are slowed down.
  std::shared_ptr<Table> CreateFarOverTheBudget() {
    EXPECT_OK(db_->SetSetting("background_jobs", "0"));
    EXPECT_OK(db_->SetSetting("hot_tier_budget", "100000"));
    auto items = CreateWith({.flush_rows = 1'000'000'000});
    EXPECT_OK(items->Write(*ItemsBatch(0, 100'000)));
    EXPECT_TRUE(Eventually([&] { return WriteRate() > 0; }));
    return items;
  }
  Texts Jobs(std::vector<std::string> columns) {
    return test::ReadTexts(*OpenTable("system.jobs"), {.columns = std::move(columns)}).ValueOrDie();
  }
};

TEST_F(BackgroundConcurrentTest, ATableThatHasEnoughRowsIsFlushed) {
  const auto log = std::make_shared<JobLog>();
  db_->AddJobListener(log);
  const auto items = CreateWith({.flush_rows = 1000, .optimize_for = OptimizeFor::kLookup});
  ASSERT_OK(items->Write(*ItemsBatch(0, 100)));
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  EXPECT_EQ(CountSegments(), 0) << "not enough yet";
  ASSERT_OK(items->Write(*ItemsBatch(100, 20'000)));
  ASSERT_TRUE(Eventually([&] { return CountSegments() == 1; }));
  EXPECT_EQ(test::ReadTexts(*items).ValueOrDie().size(), 20'100u);
  EXPECT_EQ(test::ReadTexts(*OpenTable("system.segments"), {.columns = {{"optimized_for"}}}).ValueOrDie(),
            Texts{"lookup"});
  ASSERT_TRUE(Eventually([&] { return log->States().size() >= 2; }));
  EXPECT_EQ(log->States(), (Texts{"flush running", "flush completed"}));
  for (const JobInfo& job : log->jobs()) {
    if (job.kind != "flush" || job.state != JobState::kCompleted) continue;
    EXPECT_EQ(job.target, "main.items");
    EXPECT_EQ(job.rows, 20'100u);
    EXPECT_EQ(job.files, 1u);
    EXPECT_GT(job.bytes, 1000u);
    EXPECT_EQ(job.progress, 1);
    break;
  }
  EXPECT_EQ(Jobs({"kind", "state", "rows", "files", "progress"}).front(), "flush|completed|20100|1|1");
  db_->RemoveJobListener(log.get());
  const auto figure = test::cp::equal(test::Field("name"), test::Lit("jobs.flush_rows"));
  EXPECT_EQ(test::ReadTexts(*OpenTable("system.stats"), {.columns = {{"value"}}, .filter = figure}).ValueOrDie(),
            Texts{"20100"});
}

TEST_F(BackgroundConcurrentTest, SegmentsAreMergedWhenThereAreEnoughOfThem) {
  const auto items = CreateWith({.flush_rows = 1000});
  for (int64_t flushes = 1; flushes <= 4; ++flushes) {
    ASSERT_OK(items->Write(*ItemsBatch(flushes * 20'000, 20'000)));
    ASSERT_TRUE(Eventually([&] { return CountSegments() == (flushes < 4 ? flushes : 1); }))
        << flushes << " flushes, " << CountSegments() << " segments, "
        << testing::PrintToString(Jobs({"kind", "state", "rows"}));
  }
  ASSERT_TRUE(Eventually([&] { return Jobs({"state"}).back() == "completed"; }));
  const Texts flush = {"flush|completed"};
  EXPECT_EQ(Jobs({"kind", "state"}), (Texts{flush[0], flush[0], flush[0], flush[0], "compaction|completed"}));
  EXPECT_EQ(test::ReadTexts(*items).ValueOrDie().size(), 80'000u);
}

TEST_F(BackgroundConcurrentTest, ByDefaultATableIsFlushedAtTheBytesOfTheDatabase) {
  ASSERT_OK(db_->SetSetting("flush_bytes", "300000"));
  const auto items = Create(test::ItemsSpec());
  const auto off = [&] {
    auto spec = test::ItemsSpec("off");
    spec.policy.flush_bytes = 0;
    return Create(spec);
  }();
  ASSERT_OK(items->Write(*ItemsBatch(0, 1000)));
  ASSERT_OK(off->Write(*ItemsBatch(0, 60'000)));
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  EXPECT_EQ(CountSegments(), 0) << "few bytes, or turned off";
  ASSERT_OK(items->Write(*ItemsBatch(1000, 59'000)));
  ASSERT_TRUE(Eventually([&] { return CountSegments() == 1; }));
  EXPECT_EQ(test::ReadTexts(*items).ValueOrDie().size(), 60'000u);
  // The setting counts for tables that are there.
  ASSERT_OK(db_->AlterTable("off", SetTierPolicy{}).status());
  ASSERT_TRUE(Eventually([&] { return CountSegments() == 2; }));
}

TEST_F(BackgroundConcurrentTest, SegmentsThatLoadsHaveMadeAreMerged) {
  ASSERT_OK(db_->SetSetting("flush_bytes", "0"));
  ASSERT_OK(db_->SetSetting("rows_to_segment", "100"));
  const auto items = Create(test::ItemsSpec());
  for (int64_t load = 0; load < 4; ++load) Load(items.get(), {ItemsBatch(load * 200, 200)});
  ASSERT_TRUE(Eventually([&] { return Jobs({"kind", "state"}).back() == "compaction|completed"; }));
  EXPECT_EQ(CountSegments(), 1);
  EXPECT_EQ(test::ReadTexts(*items).ValueOrDie().size(), 800u);
}

TEST_F(BackgroundConcurrentTest, AgeCountsWhereItWasBeforeReopening) {
  auto items = CreateWith({.flush_age = 1});
  ASSERT_OK(items->Put(Item(1, "one")));
  ASSERT_TRUE(Eventually([&] { return CountSegments() == 1; }));
  ASSERT_OK(items->Put(Item(2, "two")));
  items.reset();
  Reopen();
  ASSERT_TRUE(Eventually([&] { return CountSegments() == 2; }));
  EXPECT_EQ(test::ReadTexts(*OpenTable("items")).ValueOrDie().size(), 2u);
}

TEST_F(BackgroundConcurrentTest, ExpiredRowsGoByThemselves) {
  auto spec = test::Spec(
      "events", {test::Column("id", TypeId::kInt64), test::Column("at", ColumnType::Timestamp(TimeUnit::kMicro))},
      {"id"});
  spec.policy = {.ttl_column = "at", .ttl = 1};
  ASSERT_OK(db_->CreateTable(spec).status());
  const auto events = OpenTable("events");
  ASSERT_OK(events->Put({1, NowMicros() + 1'000'000'000}));
  ASSERT_OK(events->Put({2, NowMicros()}));
  ASSERT_TRUE(Eventually([&] { return test::ReadTexts(*events).ValueOrDie().size() == 1; }));
  EXPECT_TRUE(events->Get({1}).ValueOrDie().has_value());
}

TEST_F(BackgroundConcurrentTest, NothingRunsWhenNoJobMay) {
  ASSERT_OK(db_->SetSetting("background_jobs", "0"));
  const auto items = CreateWith({.flush_rows = 1});
  ASSERT_OK(items->Write(*ItemsBatch(0, 1000)));
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  EXPECT_EQ(CountSegments(), 0);
  ASSERT_OK(db_->SetSetting("background_jobs", "2"));
  EXPECT_TRUE(Eventually([&] { return CountSegments() == 1; }));
  EXPECT_ERROR_HAS(db_->SetSetting("background_jobs", "65"), "not a number of jobs; give 0 to 64");
}

// Over the budget the table is flushed though its threshold is far, and commits wait meanwhile; none fails.
TEST_F(BackgroundConcurrentTest, CommitsSlowDownOverTheBudget) {
  const auto items = CreateFarOverTheBudget();
  EXPECT_EQ(WriteRate(), 256u << 10) << "many times the budget: the least rate";
  const auto begin = std::chrono::steady_clock::now();
  for (int64_t batch = 0; batch < 3; ++batch) ASSERT_OK(items->Write(*ItemsBatch(100'000 + batch * 4000, 4000)));
  EXPECT_GT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(100)) << "3 times about 150 kB";
  ASSERT_OK(db_->SetSetting("background_jobs", "1"));
  ASSERT_TRUE(Eventually([&] { return WriteRate() == 0; }));
  EXPECT_EQ(CountSegments(), 1);
  EXPECT_EQ(test::ReadTexts(*items).ValueOrDie().size(), 112'000u);
}

// A commit that waits when the pressure ends goes on at once.
TEST_F(BackgroundConcurrentTest, ATableWhosePolicyIsTakenBackPressesNobody) {
  ASSERT_OK(db_->SetSetting("flush_bytes", "0"));
  const auto items = CreateFarOverTheBudget();
  const auto others = Create(test::ItemsSpec("others"));
  std::vector<std::thread> writers;
  for (int64_t i = 0; i < 4; ++i) {
    writers.emplace_back([&, i] {
      for (int64_t batch = 0; batch < 5; ++batch) {
        EXPECT_OK(others->Write(*ItemsBatch((i * 5 + batch) * 10'000, 10'000)));
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  ASSERT_OK(db_->AlterTable("items", SetTierPolicy{}).status());
  for (std::thread& writer : writers) writer.join();
  EXPECT_TRUE(Eventually([&] { return WriteRate() == 0; }));
  ASSERT_OK(db_->SetSetting("background_jobs", "1"));
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  EXPECT_EQ(CountSegments(), 0);
}

TEST_F(BackgroundConcurrentTest, JobsOfOneTableQueueAndAreCancelled) {
  ASSERT_OK(db_->SetSetting("background_jobs", "0"));  // a look for merges would be one more
  const auto log = std::make_shared<JobLog>();
  const auto items = Create(test::ItemsSpec());
  ASSERT_OK(items->Write(*ItemsBatch(0, 20'000)));
  db_->AddJobListener(log);
  std::atomic<bool> go_on{false};
  std::thread first([&] {
    const auto wait = [&](int64_t) {
      EXPECT_TRUE(Eventually([&] { return go_on.load(); }));
      return arrow::Status::OK();
    };
    EXPECT_OK(items->Flush({.max_segment_rows = 5000, .on_progress = wait}).status());
  });
  ASSERT_TRUE(Eventually([&] { return log->States() == Texts{"flush running"}; }));
  arrow::Status second_status;
  std::thread second([&] { second_status = items->Compact().status(); });
  ASSERT_TRUE(Eventually([&] { return log->States().back() == "compaction queued"; }));
  EXPECT_EQ(Jobs({"kind", "state"}), (Texts{"flush|running", "compaction|queued"}));
  ASSERT_OK(db_->CancelJob(log->jobs().back().id));
  second.join();
  EXPECT_TRUE(second_status.IsCancelled()) << second_status.ToString();
  EXPECT_EQ(Jobs({"kind", "state", "error"}).back(), "compaction|cancelled|cancelled on request");
  EXPECT_ERROR_HAS(db_->CancelJob(log->jobs().back().id), "under way");
  std::thread third([&] { EXPECT_OK(items->Compact().status()); });
  ASSERT_TRUE(Eventually([&] { return log->States().back() == "compaction queued"; }));
  go_on = true;
  first.join();
  third.join();
  EXPECT_EQ(Jobs({"kind", "state"}), (Texts{"flush|completed", "compaction|cancelled", "compaction|completed"}));
  db_->RemoveJobListener(log.get());
}

TEST_F(BackgroundConcurrentTest, AJobThatRunsIsCancelledByItsNumber) {
  ASSERT_OK(db_->SetSetting("background_jobs", "0"));
  struct Canceller : public JobListener {
    Database* db = nullptr;
    void OnJob(const JobInfo& job) noexcept override {
      if (job.state == JobState::kRunning) EXPECT_OK(db->CancelJob(job.id));
    }
  };
  const auto items = Create(test::ItemsSpec());
  ASSERT_OK(items->Write(*ItemsBatch(0, 20'000)));
  const auto canceller = std::make_shared<Canceller>();
  canceller->db = db_.get();
  db_->AddJobListener(canceller);
  EXPECT_TRUE(items->Flush().status().IsCancelled());
  EXPECT_TRUE(items->BulkLoad(test::ReaderOf({ItemsBatch(50'000, 20'000)}).get()).status().IsCancelled());
  db_->RemoveJobListener(canceller.get());
  EXPECT_EQ(Files().size(), 0u);
  EXPECT_EQ(test::ReadTexts(*items).ValueOrDie().size(), 20'000u);
}

// No later write makes RocksDB compact their files.
TEST_F(BackgroundConcurrentTest, ManyRowsThatMovedTakeNoRoomInRocksDb) {
  const auto noise = CreateNoise();
  EXPECT_GT(RowBytes(), 8'000'000U);
  ASSERT_OK(noise->Flush().status());
  EXPECT_TRUE(Eventually([&] { return RowBytes() < 1'000'000; }));
}

TEST_F(BackgroundConcurrentTest, RowsThatMovedWaitForOlderSnapshots) {
  const auto noise = CreateNoise();
  Snapshot old = db_->GetSnapshot();
  const uint64_t file_bytes = Figure("hot.sst_bytes");
  ASSERT_OK(noise->Flush().status());
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_GT(RowBytes(), 8'000'000U);
  EXPECT_LT(Figure("hot.sst_bytes"), file_bytes + 10'000);  // no file was written anew, with the deletion in it
  EXPECT_EQ(test::ReadTexts(*noise, {.columns = {{"id"}}, .snapshot = old}).ValueOrDie().size(), 40'000U);
  old = {};
  EXPECT_TRUE(Eventually([&] { return RowBytes() < 1'000'000; }));
}

TEST_F(BackgroundConcurrentTest, RowsThatMovedBeforeACancelTakeNoRoomInRocksDb) {
  const auto noise = CreateNoise();
  const auto cancel_late = [](int64_t rows) {
    return rows > 36'000 ? arrow::Status::Cancelled("by the test") : arrow::Status::OK();
  };
  EXPECT_TRUE(noise->Flush({.max_segment_rows = 10'000, .on_progress = cancel_late}).status().IsCancelled());
  EXPECT_EQ(CountSegments(), 3);
  EXPECT_TRUE(Eventually([&] { return RowBytes() < 4'000'000; }));
}

// They are none that are to be flushed.
TEST_F(BackgroundConcurrentTest, RowsThatMovedMakeNoFurtherFlushDue) {
  const auto items = CreateWith({.flush_rows = 10'000});
  const Snapshot old = db_->GetSnapshot();
  ASSERT_OK(items->Write(*ItemsBatch(0, 100'000)));
  ASSERT_TRUE(Eventually([&] { return CountSegments() > 0; }));
  for (int64_t id = 100'000; id < 102'000; ++id) {
    ASSERT_OK(items->Put(List(Item(id, "later"))));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const auto flushes =
      test::ReadTexts(*OpenTable("system.jobs"), {.filter = test::cp::equal(test::Field("kind"), test::Lit("flush"))});
  EXPECT_EQ(flushes.ValueOrDie().size(), 1U);
}

// The database is closed in the middle of a job of its own, again and again; nothing is lost, and no thread stays.
TEST_F(BackgroundConcurrentTest, ClosingEndsTheJobs) {
  auto items = CreateWith({.flush_rows = 1});
  for (int64_t round = 0; round < 6; ++round) {
    ASSERT_OK(items->Write(*ItemsBatch(round * 30'000, 30'000)));
    std::this_thread::sleep_for(std::chrono::milliseconds(150 + 40 * round));
    items.reset();
    Reopen();
    items = OpenTable("items");
    EXPECT_EQ(test::ReadTexts(*items, {.columns = {{"id"}}}).ValueOrDie().size(),
              static_cast<size_t>(30'000 * (round + 1)));
  }
}

}  // namespace
}  // namespace yarrow
