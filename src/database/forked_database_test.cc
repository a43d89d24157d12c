// What a forked child may do with an open database: nothing, and that soon.
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "forked.h"
#include "tiers_fixture.h"

namespace yarrow {
namespace {

using test::ChildEnd;
using test::InForkedChild;
using test::ItemsBatch;
using test::List;
using test::ReaderOf;
using test::TextOf;

constexpr const char* kOpenAfterwards = "fork first and open afterwards";

class ForkedDatabaseTest : public test::TiersTest {
 protected:
  // Hot rows over a segment, and a policy, so that the background is at work.
  void SetUp() override {
    TiersTest::SetUp();
    table_ = CreateItems(1000);
    ASSERT_OK(table_->Flush().status());
    Load(table_.get(), {ItemsBatch(1000, 1000)});
  }
  std::map<std::string, uintmax_t> SizesBelow(const std::filesystem::path& folder) const {
    std::map<std::string, uintmax_t> sizes;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) sizes[entry.path().string()] = entry.file_size();
    }
    return sizes;
  }

  // When the parent's own threads, RocksDB's among them, have nothing left to do.
  std::map<std::string, uintmax_t> SizesWhenQuiet() const {
    auto sizes = SizesBelow(dir_.File("db"));
    for (auto last = decltype(sizes)(); sizes != last; sizes = SizesBelow(dir_.File("db"))) {
      last = std::exchange(sizes, {});
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
    }
    return sizes;
  }

  std::shared_ptr<Table> table_;
};

TEST_F(ForkedDatabaseTest, EachCallIsAnError) {
  auto transaction = session_->Begin().ValueOrDie();
  ASSERT_OK(transaction->Delete(*table_, List({Value(int64_t{3})})).status());
  const auto serial = table_->Scan().ValueOrDie();
  const auto parallel = table_->Scan({.threads = 2}).ValueOrDie();
  const auto fresh = table_->Scan({.threads = 2, .ordered = false}).ValueOrDie();
  std::shared_ptr<arrow::RecordBatch> batch;
  ASSERT_OK(serial->ReadNext(&batch));
  ASSERT_OK(parallel->ReadNext(&batch));
  const Snapshot snapshot = db_->GetSnapshot();
  auto row = table_->Get({Value(int64_t{1500})}).ValueOrDie();
  InForkedChild([&] {
    const std::vector<Value> key = {Value(int64_t{7})};
    const std::vector<Value> item = Item(7, "seven");
    const std::vector<std::pair<std::string, Value>> set = {{"name", Value("x")}};
    const auto items = ItemsBatch(1, 2);
    const auto reader = ReaderOf({items});
    const std::map<std::string, std::function<arrow::Status()>> calls = {
        {"Database::Open", [&] { return Database::Open(dir_.File("db")).status(); }},
        {"OpenSession", [&] { return db_->OpenSession({.user = "ada"}).status(); }},
        {"CreateSchema", [&] { return db_->CreateSchema("s"); }},
        {"DropSchema", [&] { return db_->DropSchema("s"); }},
        {"CreateTable", [&] { return db_->CreateTable(test::ItemsSpec("more")).status(); }},
        {"AlterTable", [&] { return db_->AlterTable("items", {}).status(); }},
        {"DropTable", [&] { return db_->DropTable("items"); }},
        {"FindTable", [&] { return db_->FindTable("items").status(); }},
        {"SetSetting", [&] { return db_->SetSetting("scan_threads", "2"); }},
        {"Check", [&] { return db_->Check().status(); }},
        {"CancelJob", [&] { return db_->CancelJob(1); }},
        {"Compact", [&] { return db_->CompactHotTier(); }},
        {"RemoveDeletedFiles", [&] { return db_->RemoveDeletedFiles().status(); }},
        {"OpenTable", [&] { return session_->OpenTable("items").status(); }},
        {"CreateTableAs", [&] { return session_->CreateTableAs(test::ItemsSpec("more"), reader.get()).status(); }},
        {"Begin", [&] { return session_->Begin().status(); }},
        {"Table::Scan", [&] { return table_->Scan().status(); }},
        {"Table::Scan at", [&] { return table_->Scan({.snapshot = snapshot, .threads = 2}).status(); }},
        {"Table::Get", [&] { return table_->Get(List(key)).status(); }},
        {"Table::Get at", [&] { return table_->Get(List(key), snapshot).status(); }},
        {"Table::Put", [&] { return table_->Put(List(item)); }},
        {"Table::Insert", [&] { return table_->Insert(List(item)); }},
        {"Table::Update", [&] { return table_->Update(List(key), set).status(); }},
        {"Table::Delete", [&] { return table_->Delete(List(key)).status(); }},
        {"Table::SoftDelete", [&] { return table_->SoftDelete(List(key)).status(); }},
        {"Table::Purge", [&] { return table_->Purge(List(key)).status(); }},
        {"Table::Write", [&] { return table_->Write(*items); }},
        {"Table::BulkLoad", [&] { return table_->BulkLoad(reader.get()).status(); }},
        {"Table::Flush", [&] { return table_->Flush().status(); }},
        {"Table::Compact", [&] { return table_->Compact().status(); }},
        {"Table::Expire", [&] { return table_->Expire().status(); }},
        {"Transaction::Scan", [&] { return transaction->Scan(*table_).status(); }},
        {"Transaction::Get", [&] { return transaction->Get(*table_, List(key)).status(); }},
        {"Transaction::Put", [&] { return transaction->Put(*table_, List(item)); }},
        {"Transaction::Insert", [&] { return transaction->Insert(*table_, List(item)); }},
        {"Transaction::Update", [&] { return transaction->Update(*table_, List(key), set).status(); }},
        {"Transaction::Delete", [&] { return transaction->Delete(*table_, List(key)).status(); }},
        {"Transaction::SoftDelete", [&] { return transaction->SoftDelete(*table_, List(key)).status(); }},
        {"Transaction::Purge", [&] { return transaction->Purge(*table_, List(key)).status(); }},
        {"Transaction::Write", [&] { return transaction->Write(*table_, *items); }},
        {"Transaction::Commit", [&] { return transaction->Commit(); }},
        {"Transaction::Rollback", [&] { return transaction->Rollback(); }},
        {"ReadNext serial", [&] { return serial->ReadNext(&batch); }},
        {"ReadNext parallel", [&] { return parallel->ReadNext(&batch); }},
        {"ReadNext fresh", [&] { return fresh->ReadNext(&batch); }},
    };
    for (const auto& [name, call] : calls) {
      SCOPED_TRACE(name);
      EXPECT_ERROR_HAS(call(), kOpenAfterwards);
    }
    // Those without a status end, and say nothing.
    EXPECT_TRUE(db_->Schemas().empty() && db_->Tables().empty() && db_->GetSnapshot().is_null());
    for (const auto& scan : {serial, parallel, fresh}) {
      scan->Cancel();
      EXPECT_OK(scan->Close());
    }
    EXPECT_EQ(session_->user(), "");
    EXPECT_EQ(table_->definition().name, "items");
    EXPECT_TRUE(row.has_value());
  });
  EXPECT_OK(transaction->Commit());
  for (const auto& scan : {serial, parallel, fresh}) EXPECT_OK(test::ReadTexts(scan.get()).status());
  EXPECT_EQ(TextOf(table_->Get({Value(int64_t{3})})), "none");
}

TEST_F(ForkedDatabaseTest, WhatAChildDestroysTouchesNoFile) {
  ASSERT_OK(db_->SetSetting("background_jobs", "1"));
  for (const ChildEnd end : {ChildEnd::kAtOnce, ChildEnd::kByExit}) {
    auto transaction = session_->Begin().ValueOrDie();
    ASSERT_OK(transaction->Delete(*table_, List({Value(int64_t{4})})).status());
    auto serial = table_->Scan().ValueOrDie();
    auto parallel = table_->Scan({.threads = 2}).ValueOrDie();
    std::shared_ptr<arrow::RecordBatch> batch;
    ASSERT_OK(serial->ReadNext(&batch));
    ASSERT_OK(parallel->ReadNext(&batch));
    auto row = table_->Get({Value(int64_t{1500})}).ValueOrDie();
    const auto before = SizesWhenQuiet();
    InForkedChild(
        [&] {
          row.reset();
          serial.reset();
          parallel.reset();
          transaction.reset();
          table_.reset();
          session_.reset();
          db_.reset();
        },
        end);
    EXPECT_EQ(SizesBelow(dir_.File("db")), before);
  }
  EXPECT_OK(table_->Put(List(Item(1, "still here"))));
}

// A reader that forks and goes on in the child, as an exception of Python's does that nobody catches.
TEST_F(ForkedDatabaseTest, ALoadThatGoesOnInAChildRemovesNothing) {
  class ForkingReader : public arrow::RecordBatchReader {
   public:
    std::shared_ptr<arrow::Schema> schema() const override { return ItemsBatch(0, 1)->schema(); }
    arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
      *batch = nullptr;
      if (++calls == 40) child = ::fork();
      if (calls < 60) *batch = ItemsBatch(10'000 + 5000 * calls, 5000);
      return arrow::Status::OK();
    }
    int calls = 0;
    pid_t child = -1;
  };
  ForkingReader reader;
  const auto loaded = table_->BulkLoad(&reader, {.sort_buffer_bytes = 1 << 20});
  if (reader.child == 0) ::_exit(loaded.ok() ? 1 : 42);
  int status = 0;
  ASSERT_EQ(::waitpid(reader.child, &status, 0), reader.child);
  EXPECT_EQ(WEXITSTATUS(status), 42);
  ASSERT_OK(loaded.status());
  EXPECT_EQ(*loaded, 59 * 5000);
}

TEST_F(ForkedDatabaseTest, AChildMayOpenWhatItsParentHasClosed) {
  table_.reset();
  session_.reset();
  db_.reset();
  InForkedChild([&] {
    Open({});
    table_ = OpenTable("items");
    ASSERT_OK(table_->Flush().status());
    EXPECT_EQ(TextOf(table_->Get({Value(int64_t{1500})})), "1500|0|name 1500|null");
    table_.reset();
    session_.reset();
    db_.reset();
  });
  Open({});
}

}  // namespace
}  // namespace yarrow
