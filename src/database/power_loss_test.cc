// The power goes, or the process is killed, at random moments of everything a database does. What comes back is held
// against all states that may have come back: those between the last acknowledged commit that was to survive and the
// one that was under way. The next round goes on with what came back. YARROW_ROUNDS makes it longer.
#include <algorithm>
#include <array>
#include <atomic>
#include <iostream>
#include <map>
#include <random>
#include <thread>

#include "lossy_database.h"
#include "random_seed.h"

namespace yarrow {
namespace {

using arrow::Status;
using test::Texts;

// What a table holds for one user.
struct Contents {
  std::vector<std::string> columns;  // behind the key
  std::map<int64_t, std::vector<std::optional<std::string>>> rows;
  friend bool operator==(const Contents&, const Contents&) = default;
};
// By the table's name, and "own/ada".
using World = std::map<std::string, Contents>;

std::string Show(const Contents& contents, int64_t id) {
  const auto at = contents.rows.find(id);
  if (at == contents.rows.end()) return "no row";
  std::string text;
  for (const auto& value : at->second) text += (text.empty() ? "" : "|") + value.value_or("null");
  return text;
}

// Where they differ, at most a dozen places.
std::string Difference(const World& expected, const World& found) {
  std::string text;
  int places = 0;
  World all = expected;
  all.insert(found.begin(), found.end());
  for (const auto& [name, unused] : all) {
    if (!expected.contains(name) || !found.contains(name)) {
      text += "  " + name + (found.contains(name) ? ": nobody made it\n" : ": is not there\n");
      continue;
    }
    const Contents &e = expected.at(name), &f = found.at(name);
    if (e.columns != f.columns) text += "  " + name + ": has other columns\n";
    for (int64_t id = 0; id < 150; ++id) {
      const std::string before = Show(e, id), after = Show(f, id);
      if (before != after && ++places < 12) {
        text += "  " + name + " " + std::to_string(id) + ": " + after + " instead of " + before + "\n";
      }
    }
  }
  return text;
}

class PowerLossTest : public testing::Test {
 protected:
  void Run(int cycles, bool with_feed);

 private:
  // An operation: what the world is after it, when it succeeds. True: its commit was synced whatever the durability.
  using Operation = arrow::Result<bool>(World* after);

  size_t Below(size_t n) { return random_() % n; }
  bool OneIn(size_t n) { return Below(n) == 0; }
  std::string AnyText() { return "text " + std::to_string(Below(1000)); }
  int64_t AnyId() { return static_cast<int64_t>(Below(120)); }
  // The name of one of world_, or nothing.
  std::string AnyPlace();
  static std::string UserOf(const std::string& place) { return place.starts_with("own/") ? place.substr(4) : ""; }
  static std::string TableOf(const std::string& place) { return place.substr(0, place.find('/')); }
  arrow::Result<std::shared_ptr<Table>> OpenTable(const std::string& place);
  std::vector<std::optional<std::string>> AnyRow(const Contents& contents);
  static std::vector<Value> Values(int64_t id, const std::vector<std::optional<std::string>>& row);
  arrow::Result<Contents> Read(const std::string& place, const Snapshot& snapshot = {});
  arrow::Result<World> ReadWorld();

  arrow::Result<bool> WriteRows(World* after, size_t most);
  arrow::Result<bool> DeleteRows(World* after);
  arrow::Result<bool> RunTransaction(World* after);
  arrow::Result<bool> Load(World* after);
  arrow::Result<bool> Flush();
  arrow::Result<bool> Compact();
  arrow::Result<bool> Alter(World* after);
  arrow::Result<bool> CreateOrDrop(World* after);
  arrow::Result<bool> Maintain();
  arrow::Result<bool> CheckSnapshot();
  arrow::Result<bool> AnyOperation(World* after);

  void StartAnew();
  void Cycle();
  bool OpenAndCheck();
  void CheckFeed();
  void WriteFeed();
  void EndInSomeWay();

  std::mt19937_64 random_;
  StoreOptions options_;
  std::unique_ptr<test::LossyDatabase> lossy_;
  World world_;                  // as the open database has it
  std::vector<World> possible_;  // what may come back after a power loss
  // After a kill: what may, as long as the power does not go before the database was open again.
  std::vector<World> kept_by_system_;
  bool is_open_ = false;          // so world_ is known
  std::optional<World> pending_;  // after an operation that was not acknowledged
  struct Kept {
    Snapshot snapshot;
    std::string place;
    Contents contents;
  };
  std::vector<Kept> kept_;
  int columns_made_ = 0;
  std::map<std::string, int> done_;  // how often what
  std::string story_;                // of this cycle and the one before, to tell with a failure
  void Tell(const std::string& what) { story_ += what + ", "; }

  // A thread that commits the rows 1, 2, ... to a table of its own, one by one, while everything else goes on.
  bool with_feed_ = false;
  std::atomic<int64_t> fed_ = 0;  // acknowledged
  std::atomic<bool> is_feeding_ = false;
  std::thread feed_;
};

std::string PowerLossTest::AnyPlace() {
  if (world_.empty()) return {};
  return std::next(world_.begin(), static_cast<ptrdiff_t>(Below(world_.size())))->first;
}

arrow::Result<std::shared_ptr<Table>> PowerLossTest::OpenTable(const std::string& place) {
  SessionOptions options;
  options.user = UserOf(place);
  ARROW_ASSIGN_OR_RAISE(const auto session, lossy_->db->OpenSession(options));
  return session->OpenTable(TableOf(place));
}

std::vector<std::optional<std::string>> PowerLossTest::AnyRow(const Contents& contents) {
  std::vector<std::optional<std::string>> row;
  for (size_t i = 0; i < contents.columns.size(); ++i) {
    row.push_back(OneIn(5) ? std::nullopt : std::optional<std::string>(AnyText()));
  }
  return row;
}

std::vector<Value> PowerLossTest::Values(int64_t id, const std::vector<std::optional<std::string>>& row) {
  std::vector<Value> values = {id};
  for (const auto& value : row) values.push_back(value ? Value(*value) : Value());
  return values;
}

arrow::Result<Contents> PowerLossTest::Read(const std::string& place, const Snapshot& snapshot) {
  ARROW_ASSIGN_OR_RAISE(const auto table, OpenTable(place));
  Contents contents;
  for (int i = 1; i < table->schema()->num_fields(); ++i) contents.columns.push_back(table->schema()->field(i)->name());
  ScanOptions options;
  options.snapshot = snapshot;
  ARROW_ASSIGN_OR_RAISE(const auto scan, table->Scan(options));
  ARROW_ASSIGN_OR_RAISE(const auto batches, test::ReadBatches(scan.get()));
  for (const auto& batch : batches) {
    const auto& ids = static_cast<const arrow::Int64Array&>(*batch->column(0));
    for (int64_t i = 0; i < batch->num_rows(); ++i) {
      std::vector<std::optional<std::string>> row;
      for (int c = 1; c < batch->num_columns(); ++c) {
        const auto& column = static_cast<const arrow::StringArray&>(*batch->column(c));
        row.push_back(column.IsNull(i) ? std::nullopt : std::optional<std::string>(column.GetString(i)));
      }
      if (!contents.rows.emplace(ids.Value(i), std::move(row)).second) {
        return Status::Invalid(place, " has the row ", ids.Value(i), " twice");
      }
    }
  }
  return contents;
}

arrow::Result<World> PowerLossTest::ReadWorld() {
  World world;
  for (const auto& definition : lossy_->db->Tables()) {
    if (definition->kind == TableKind::kSystem || definition->name == "feed") continue;
    std::vector<std::string> places = {definition->name};
    if (definition->kind == TableKind::kUser) places = {"own/ada", "own/bob"};
    for (const std::string& place : places) {
      ARROW_ASSIGN_OR_RAISE(world[place], Read(place));
    }
  }
  return world;
}

arrow::Result<bool> PowerLossTest::WriteRows(World* after, size_t most) {
  const std::string place = AnyPlace();
  Contents& contents = (*after)[place];
  ARROW_ASSIGN_OR_RAISE(const auto table, OpenTable(place));
  test::Rows rows;
  for (size_t n = 1 + Below(most); n > 0; --n) {
    const int64_t id = AnyId();
    contents.rows[id] = AnyRow(contents);
    rows.push_back(Values(id, contents.rows[id]));
  }
  ARROW_ASSIGN_OR_RAISE(const auto batch, test::BatchOf(table->schema(), rows));
  ARROW_RETURN_NOT_OK(table->Write(*batch));
  return false;
}

arrow::Result<bool> PowerLossTest::DeleteRows(World* after) {
  const std::string place = AnyPlace();
  ARROW_ASSIGN_OR_RAISE(const auto table, OpenTable(place));
  const int64_t id = AnyId();
  const bool is_there = (*after)[place].rows.erase(id) > 0;
  ARROW_ASSIGN_OR_RAISE(const bool found, table->Delete({Value(id)}));
  if (found != is_there) return Status::Invalid(place, ": row ", id, " is ", found ? "there" : "not there");
  return false;
}

// Over several tables and users' rows, all or nothing.
arrow::Result<bool> PowerLossTest::RunTransaction(World* after) {
  const std::string user = OneIn(2) ? "ada" : "bob";
  SessionOptions options;
  options.user = user;
  ARROW_ASSIGN_OR_RAISE(const auto session, lossy_->db->OpenSession(options));
  ARROW_ASSIGN_OR_RAISE(const auto transaction, session->Begin());
  for (size_t n = 2 + Below(10); n > 0; --n) {
    const std::string place = AnyPlace();
    if (!UserOf(place).empty() && UserOf(place) != user) continue;
    ARROW_ASSIGN_OR_RAISE(const auto table, session->OpenTable(TableOf(place)));
    Contents& contents = (*after)[place];
    const int64_t id = AnyId();
    if (OneIn(3)) {
      const std::vector<Value> key = {Value(id)};
      contents.rows.erase(id);
      ARROW_RETURN_NOT_OK(transaction->Delete(*table, test::List(key)).status());
      continue;
    }
    contents.rows[id] = AnyRow(contents);
    const std::vector<Value> values = Values(id, contents.rows[id]);
    ARROW_RETURN_NOT_OK(transaction->Put(*table, test::List(values)));
  }
  ARROW_RETURN_NOT_OK(transaction->Commit());
  return false;
}

arrow::Result<bool> PowerLossTest::Load(World* after) {
  const std::string place = AnyPlace();
  Contents& contents = (*after)[place];
  ARROW_ASSIGN_OR_RAISE(const auto table, OpenTable(place));
  test::Rows rows;
  for (int64_t id = AnyId(); id < 150; id += 1 + static_cast<int64_t>(Below(4))) {
    contents.rows[id] = AnyRow(contents);
    rows.push_back(Values(id, contents.rows[id]));
  }
  ARROW_ASSIGN_OR_RAISE(const auto batch, test::BatchOf(table->schema(), rows));
  ARROW_RETURN_NOT_OK(table->BulkLoad(test::ReaderOf({batch}).get(), {.mode = WriteMode::kUpsert}).status());
  return !rows.empty();
}

arrow::Result<bool> PowerLossTest::Flush() {
  ARROW_ASSIGN_OR_RAISE(const auto table, OpenTable(with_feed_ && OneIn(3) ? "feed" : AnyPlace()));
  ARROW_ASSIGN_OR_RAISE(const auto result,
                        table->Flush({.max_segment_rows = 10 + static_cast<int64_t>(Below(60)), .min_user_rows = 1}));
  return result.files > 0;
}

arrow::Result<bool> PowerLossTest::Compact() {
  ARROW_ASSIGN_OR_RAISE(const auto table, OpenTable(with_feed_ && OneIn(3) ? "feed" : AnyPlace()));
  ARROW_ASSIGN_OR_RAISE(const auto result, table->Compact({.full = OneIn(2), .max_segment_rows = 60}));
  return result.rows > 0;
}

arrow::Result<bool> PowerLossTest::Alter(World* after) {
  const std::string place = AnyPlace();
  const std::string name = TableOf(place);
  std::vector<Contents*> changed;
  for (auto& [other, contents] : *after) {
    if (TableOf(other) == name) changed.push_back(&contents);
  }
  std::erase_if(kept_, [&](const Kept& kept) { return TableOf(kept.place) == name; });
  const std::vector<std::string> columns = changed[0]->columns;
  if (columns.size() > 1 && (columns.size() > 4 || OneIn(2))) {
    const size_t at = Below(columns.size());
    for (Contents* contents : changed) {
      contents->columns.erase(contents->columns.begin() + static_cast<ptrdiff_t>(at));
      for (auto& [id, row] : contents->rows) row.erase(row.begin() + static_cast<ptrdiff_t>(at));
    }
    ARROW_RETURN_NOT_OK(lossy_->db->AlterTable(name, DropColumn{columns[at]}).status());
    return false;
  }
  // A name that was there before is another column now.
  const std::string column = "c" + std::to_string(columns_made_++ % 6);
  if (std::ranges::find(columns, column) != columns.end()) return false;
  const std::string value = AnyText();
  for (Contents* contents : changed) {
    contents->columns.push_back(column);
    for (auto& [id, row] : contents->rows) row.emplace_back(value);
  }
  ARROW_RETURN_NOT_OK(
      lossy_->db->AlterTable(name, AddColumn{test::Column(column, TypeId::kUtf8, true, Value(value))}).status());
  return false;
}

arrow::Result<bool> PowerLossTest::CreateOrDrop(World* after) {
  static const char* const names[] = {"one", "two", "three", "own"};
  const std::string name = names[Below(std::size(names))];
  const bool is_own = name == "own";
  if (!after->contains(is_own ? "own/ada" : name)) {
    const Contents fresh = {{"v"}, {}};
    for (const std::string& place : is_own ? Texts{"own/ada", "own/bob"} : Texts{name}) (*after)[place] = fresh;
    const auto spec = test::Spec(name, {test::Column("id", TypeId::kInt64), test::Column("v", TypeId::kUtf8)}, {"id"},
                                 is_own ? TableKind::kUser : TableKind::kShared);
    ARROW_RETURN_NOT_OK(lossy_->db->CreateTable(spec).status());
    return false;
  }
  if (OneIn(2)) return false;
  std::erase_if(kept_, [&](const Kept& kept) { return TableOf(kept.place) == name; });
  std::erase_if(*after, [&](const auto& entry) { return TableOf(entry.first) == name; });
  ARROW_RETURN_NOT_OK(lossy_->db->DropTable(name));
  return false;
}

arrow::Result<bool> PowerLossTest::Maintain() {
  switch (Below(4)) {
    case 0:
      ARROW_RETURN_NOT_OK(lossy_->db->CompactHotTier());
      break;
    case 1:
      ARROW_RETURN_NOT_OK(lossy_->db->RemoveDeletedFiles().status());
      break;
    default:
      ARROW_RETURN_NOT_OK(lossy_->db->store()->FlushMemtables());
      break;
  }
  return false;
}

arrow::Result<bool> PowerLossTest::CheckSnapshot() {
  if (kept_.empty() || OneIn(2)) {
    const std::string place = AnyPlace();
    kept_.push_back({lossy_->db->GetSnapshot(), place, world_.at(place)});
    return false;
  }
  const size_t at = Below(kept_.size());
  ARROW_ASSIGN_OR_RAISE(const Contents contents, Read(kept_[at].place, kept_[at].snapshot));
  EXPECT_EQ(contents, kept_[at].contents) << kept_[at].place << " as an older snapshot has it";
  kept_.erase(kept_.begin() + static_cast<ptrdiff_t>(at));
  return false;
}

arrow::Result<bool> PowerLossTest::AnyOperation(World* after) {
  static const char* const names[] = {"write",   "write much", "delete",         "transaction", "load",    "flush",
                                      "compact", "alter",      "create or drop", "maintain",    "snapshot"};
  static const size_t chosen[] = {0, 0, 0, 1, 2, 2, 3, 3, 4, 5, 5, 5, 6, 6, 7, 8, 9, 10};
  const size_t what = world_.empty() ? 8 : chosen[Below(std::size(chosen))];
  ++done_[names[what]];
  Tell(names[what]);
  switch (what) {
    case 0:
      return WriteRows(after, 8);
    case 1:
      return WriteRows(after, 400);  // above ingest_threshold_bytes, often
    case 2:
      return DeleteRows(after);
    case 3:
      return RunTransaction(after);
    case 4:
      return Load(after);
    case 5:
      return Flush();
    case 6:
      return Compact();
    case 7:
      return Alter(after);
    case 8:
      return CreateOrDrop(after);
    case 9:
      return Maintain();
    default:
      return CheckSnapshot();
  }
}

void PowerLossTest::WriteFeed() {
  const auto table = OpenTable("feed");
  if (!table.ok()) return;
  while (is_feeding_) {
    const int64_t id = fed_ + 1;
    if (!(*table)->Put({Value(id), Value("row " + std::to_string(id))}).ok() || lossy_->disk->is_cut()) return;
    fed_ = id;
  }
}

// Each acknowledged row, and at most one more.
void PowerLossTest::CheckFeed() {
  if (!lossy_->db->FindTable("feed").ok()) {
    EXPECT_EQ(fed_, 0);
    return;
  }
  ASSERT_OK_AND_ASSIGN(const Contents feed, Read("feed"));
  const auto count = static_cast<int64_t>(feed.rows.size());
  EXPECT_GE(count, fed_) << "rows of the feed are lost";
  EXPECT_LE(count, fed_ + 1) << "rows of the feed that nobody wrote";
  if (count > 0) {
    EXPECT_EQ(feed.rows.rbegin()->first, count) << "the feed has a hole";
  }
  fed_ = count;
}

void PowerLossTest::StartAnew() {
  kept_.clear();
  lossy_ = std::make_unique<test::LossyDatabase>("some/folder/db");
  world_.clear();
  possible_ = {world_};
  kept_by_system_.clear();
  fed_ = 0;
  columns_made_ = 0;
  // A database lives with one durability: what was acknowledged under another one would have other rules.
  const Durability durabilities[] = {Durability::kSync, Durability::kSync, Durability::kGrouped, Durability::kOs};
  options_.durability = with_feed_ ? Durability::kSync : durabilities[Below(4)];
  story_ = std::array{"synced", "grouped", "unsynced"}[static_cast<size_t>(options_.durability)] + std::string(": ");
  options_.group_commit_interval_ms = 2;
  options_.write_buffer_bytes = 64 << 10;
  options_.block_cache_bytes = 8 << 20;
  options_.ingest_threshold_bytes = 8 << 10;
}

// False: the power went meanwhile, or the test has failed.
bool PowerLossTest::OpenAndCheck() {
  const Status opened = lossy_->Open(options_);
  if (lossy_->disk->is_cut()) return false;
  EXPECT_OK(opened);
  if (!opened.ok()) return false;
  const auto found = ReadWorld();
  EXPECT_OK(found.status());
  if (!found.ok()) return false;
  const std::vector<World>& candidates = kept_by_system_.empty() ? possible_ : kept_by_system_;
  if (std::ranges::find(candidates, *found) == candidates.end()) {
    std::string told;
    for (const World& world : candidates) told += "or\n" + Difference(world, *found);
    ADD_FAILURE() << "what came back differs from each of the " << candidates.size() << " states that might:\n"
                  << told.substr(0, 5000) << "after " << story_;
    return false;
  }
  CheckFeed();
  world_ = *found;
  const auto report = lossy_->db->Check();
  EXPECT_OK(report.status());
  if (report.ok()) {
    EXPECT_EQ(report->problems, Texts());
  }
  if (lossy_->disk->is_cut()) return false;  // by a thread of RocksDB's
  EXPECT_EQ(test::WrongFiles(*lossy_->db), "");
  possible_ = {world_};  // RocksDB has written anew what only its log had
  kept_by_system_.clear();
  is_open_ = true;
  return !HasFailure();
}

// Each way to end; the database is closed afterwards.
void PowerLossTest::EndInSomeWay() {
  is_feeding_ = false;
  lossy_->disk->Cut();
  if (feed_.joinable()) feed_.join();
  kept_.clear();
  switch (Below(3)) {
    case 0:
      ++done_["kills"];
      Tell("a kill");
      if (is_open_) kept_by_system_ = {world_};
      if (is_open_ && pending_) kept_by_system_.push_back(*pending_);
      return lossy_->Kill();
    case 1:
      ++done_["power losses"];
      Tell("a power loss");
      kept_by_system_.clear();
      return lossy_->LosePower();
    default:
      kept_by_system_.clear();
      ++done_["power losses with remains"];
      Tell("a power loss with remains");
      return lossy_->LosePower(&random_);
  }
}

void PowerLossTest::Cycle() {
  is_open_ = false;
  pending_.reset();
  if (story_.size() > 4000) story_.erase(20, story_.size() - 3000);
  Tell("\n  open");
  const int64_t start = lossy_->disk->steps();
  const int64_t cut_after = static_cast<int64_t>(OneIn(4) ? Below(70) : Below(900));
  lossy_->disk->on_step = [this, cut_at = start + cut_after](const test::LossyDisk::Step& step) {
    if (step.number == cut_at) lossy_->disk->Cut();
    return 0;
  };
  if (OpenAndCheck() && lossy_->db->SetSetting("deleted_file_retention", "0").ok() &&
      lossy_->db->SetSetting("background_jobs", "0").ok() &&
      lossy_->db->SetSetting("rows_to_segment", OneIn(2) ? "20" : "0").ok()) {
    if (with_feed_) {
      const auto spec =
          test::Spec("feed", {test::Column("id", TypeId::kInt64), test::Column("v", TypeId::kUtf8)}, {"id"});
      const Status created = lossy_->db->CreateTable(spec).status();
      if (created.ok() || created.IsAlreadyExists()) {
        is_feeding_ = true;
        feed_ = std::thread([this] { WriteFeed(); });
      }
    }
    Tell("opened");
    for (size_t left = 30; left > 0 && !HasFailure(); --left) {
      World after = world_;
      const auto done = AnyOperation(&after);
      possible_.push_back(after);
      if (lossy_->disk->is_cut()) {
        Tell("cut: " + done.status().ToString());
        pending_ = after;  // whatever it says: nobody hears it any more
        break;
      }
      EXPECT_OK(done.status());
      if (!done.ok()) break;
      world_ = after;
      if (options_.durability == Durability::kSync || *done) possible_ = {world_};
    }
  }
  if (OneIn(8) && !with_feed_ && !lossy_->disk->is_cut() && lossy_->db != nullptr) {
    kept_.clear();
    lossy_->Close();  // syncs what was acknowledged
    ++done_["closed"];
    Tell("closing");
    if (!lossy_->disk->is_cut()) possible_ = {world_};
  }
  EndInSomeWay();
}

void PowerLossTest::Run(int cycles, bool with_feed) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  random_.seed(seed);
  with_feed_ = with_feed;
  for (int cycle = 0; cycle < cycles && !HasFailure(); ++cycle) {
    SCOPED_TRACE("cycle " + std::to_string(cycle));
    if (cycle % 12 == 0) StartAnew();
    Cycle();
  }
  lossy_.reset();
  std::cout << "crash cycles: " << cycles << " seed: " << seed << "\n";
  for (const auto& [what, count] : done_) std::cout << "  " << what << ": " << count << "\n";
}

TEST_F(PowerLossTest, NothingLostNothingTwiceNoFileTooMany) {
  Run(test::Rounds(40), /*with_feed=*/false);
}

TEST_F(PowerLossTest, ConcurrentCommitsBesideFlushesAndCompactions) {
  Run(test::Rounds(12), /*with_feed=*/true);
}

}  // namespace
}  // namespace yarrow
