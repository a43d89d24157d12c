// Random operations of all kinds on several tables, held against std::map; rows are flushed to segments, segments are
// merged, and the database is closed and opened, now and then. YARROW_ROUNDS makes it longer.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <set>

#include "cold/segment_key.h"
#include "cold/segment_path.h"
#include "database_fixture.h"
#include "key/key_range.h"
#include "key/record_key.h"
#include "random_seed.h"
#include "store/system_partition.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {
namespace {

using test::Column;
using test::Field;
using test::List;
using test::Lit;
using test::Texts;

namespace cp = arrow::compute;

using Key = std::pair<int64_t, std::string>;

struct ModelRow {
  Value number;
  Value text;
  bool deleted = false;  // softly
};
using Model = std::map<Key, ModelRow>;

std::string Show(const Value& value) {
  return value.is_null() ? "null" : value.ToString(value.variant().index() == 6 ? TypeId::kUtf8 : TypeId::kInt64);
}
std::string Show(const Key& key, const ModelRow& row) {
  return std::to_string(key.first) + "|" + key.second + "|" + Show(row.number) + "|" + Show(row.text);
}

// One table as one user has it.
struct Place {
  std::string name;
  std::string user;
  std::shared_ptr<Table> table;
  Model model;
};

// What is done to a table: by itself or in a transaction.
struct Target {
  Table* table;
  Transaction* transaction;
  Model* model;
  std::set<Key>* written;  // keys that the transaction wrote
};

class ModelTest : public test::DatabaseTest {
 protected:
  size_t Below(size_t n) { return random_() % n; }
  bool OneIn(size_t n) { return Below(n) == 0; }
  Key AnyKey() {
    static const std::string texts[] = {"", "a", "ab", std::string("a\0", 2), "b"};
    return {static_cast<int64_t>(Below(8)) - 3, texts[Below(std::size(texts))]};
  }
  ModelRow AnyRow() {
    static const char* texts[] = {"", "x", "xy", "zażółć", "quite a long text that is not stored in place"};
    return {OneIn(4) ? Value() : Value(static_cast<int64_t>(Below(6))), OneIn(4) ? Value() : Value(texts[Below(5)])};
  }
  static std::vector<Value> Values(const Key& key) { return {key.first, key.second}; }
  static std::vector<Value> Values(const Key& key, const ModelRow& row) {
    return {key.first, key.second, row.number, row.text};
  }
  static bool Live(const Model& model, const Key& key) {
    const auto at = model.find(key);
    return at != model.end() && !at->second.deleted;
  }
  static void Note(const Target& target, const Key& key) {
    if (target.written != nullptr) target.written->insert(key);
  }

  void WriteOne(const Target& t);
  void RemoveOne(const Target& t);
  void WriteBatch(const Target& t);
  void LoadBatch(Place& place);
  void CheckGet(const Target& t);
  void CheckScan(const Target& t, const Snapshot& snapshot = {});
  void AnyOperation(const Target& t);
  void RunTransaction();
  void Maintain();
  void Flush(Place& place);
  void Compact(Place& place);
  void CheckFiles();
  void OpenPlaces();

  std::mt19937_64 random_;
  std::vector<Place> places_;
  struct Kept {
    Snapshot snapshot;
    size_t place;
    Model model;
  };
  std::vector<Kept> kept_;
};

void ModelTest::WriteOne(const Target& t) {
  const Key key = AnyKey();
  const ModelRow row = AnyRow();
  const auto values = Values(key, row), key_values = Values(key);
  if (OneIn(3)) {
    const auto status = t.transaction ? t.transaction->Insert(*t.table, List(values)) : t.table->Insert(List(values));
    if (Live(*t.model, key)) {
      ASSERT_TRUE(status.IsAlreadyExists()) << status.ToString();
      return;
    }
    ASSERT_OK(status);
  } else if (OneIn(2)) {
    const std::pair<std::string, Value> set[] = {{"text", row.text}};
    const auto found =
        t.transaction ? t.transaction->Update(*t.table, List(key_values), set) : t.table->Update(List(key_values), set);
    ASSERT_OK(found.status());
    ASSERT_EQ(*found, Live(*t.model, key));
    if (!*found) return;
    (*t.model)[key].text = row.text;
    return Note(t, key);
  } else {
    ASSERT_OK(t.transaction ? t.transaction->Put(*t.table, List(values)) : t.table->Put(List(values)));
  }
  (*t.model)[key] = row;
  Note(t, key);
}

void ModelTest::RemoveOne(const Target& t) {
  const Key key = AnyKey();
  const auto values = Values(key);
  const bool live = Live(*t.model, key);
  arrow::Result<bool> found = false;
  bool expected = live;
  switch (Below(3)) {
    case 0:
      found = t.transaction ? t.transaction->Delete(*t.table, List(values)) : t.table->Delete(List(values));
      if (live) t.model->erase(key);
      break;
    case 1:
      found = t.transaction ? t.transaction->SoftDelete(*t.table, List(values)) : t.table->SoftDelete(List(values));
      if (live) (*t.model)[key].deleted = true;
      break;
    default:
      expected = !live && t.model->count(key) > 0;
      found = t.transaction ? t.transaction->Purge(*t.table, List(values)) : t.table->Purge(List(values));
      if (expected) t.model->erase(key);
      break;
  }
  ASSERT_OK(found.status());
  ASSERT_EQ(*found, expected);
  if (*found) Note(t, key);
}

void ModelTest::WriteBatch(const Target& t) {
  const WriteMode mode = OneIn(2) ? WriteMode::kInsert : WriteMode::kUpsert;
  Model after = *t.model;
  std::set<Key> keys;
  test::Rows rows;
  bool clash = false;
  for (size_t n = Below(6); n > 0; --n) {
    const Key key = AnyKey();
    const ModelRow row = AnyRow();
    clash |= Live(after, key);
    after[key] = row;
    keys.insert(key);
    rows.push_back(Values(key, row));
  }
  ASSERT_OK_AND_ASSIGN(const auto batch, test::BatchOf(t.table->schema(), rows));
  const auto status = t.transaction ? t.transaction->Write(*t.table, *batch, mode) : t.table->Write(*batch, mode);
  if (clash && mode == WriteMode::kInsert) {
    ASSERT_TRUE(status.IsAlreadyExists()) << status.ToString();
    return;
  }
  ASSERT_OK(status);
  *t.model = std::move(after);
  for (const Key& key : keys) Note(t, key);
}

void ModelTest::LoadBatch(Place& place) {
  Model after = place.model;
  test::Rows rows;
  bool clash = false;
  for (size_t n = Below(12); n > 0; --n) {
    const Key key = AnyKey();
    const ModelRow row = AnyRow();
    clash |= Live(after, key);
    after[key] = row;
    rows.push_back(Values(key, row));
  }
  ASSERT_OK_AND_ASSIGN(const auto batch, test::BatchOf(place.table->schema(), rows));
  const auto reader = test::ReaderOf({batch});
  BulkLoadOptions options;
  if (OneIn(3)) ASSERT_OK(db_->SetSetting("rows_to_segment", std::to_string(Below(12))));
  options.mode = OneIn(2) ? WriteMode::kInsert : WriteMode::kUpsert;
  const auto loaded = place.table->BulkLoad(reader.get(), options);
  if (clash && options.mode == WriteMode::kInsert) {
    ASSERT_TRUE(loaded.status().IsAlreadyExists()) << loaded.status().ToString();
    return;
  }
  ASSERT_OK(loaded.status());
  ASSERT_EQ(*loaded, static_cast<int64_t>(rows.size()));
  place.model = std::move(after);
}

void ModelTest::CheckGet(const Target& t) {
  const Key key = AnyKey();
  const auto values = Values(key);
  const auto row = t.transaction ? t.transaction->Get(*t.table, List(values)) : t.table->Get(List(values));
  ASSERT_EQ(test::TextOf(row), Live(*t.model, key) ? Show(key, t.model->at(key)) : "none");
}

void ModelTest::CheckScan(const Target& t, const Snapshot& snapshot) {
  // Filters without NOT, so that NULL may count as false. One is on the key, one on rows, one is a residual.
  const auto least = static_cast<int64_t>(Below(8)) - 3, number = static_cast<int64_t>(Below(6));
  using Passes = std::function<bool(const Key&, const ModelRow&)>;
  const std::vector<std::pair<cp::Expression, Passes>> tests = {
      {cp::greater_equal(Field("a"), Lit(least)), [=](const Key& k, const ModelRow&) { return k.first >= least; }},
      {cp::equal(Field("a"), Lit(least)), [=](const Key& k, const ModelRow&) { return k.first == least; }},
      {cp::less(Field("b"), Lit("ab")), [](const Key& k, const ModelRow&) { return k.second < "ab"; }},
      {cp::is_null(Field("text")), [](const Key&, const ModelRow& r) { return r.text.is_null(); }},
      {cp::greater(Field("number"), Lit(number)),
       [=](const Key&, const ModelRow& r) { return !r.number.is_null() && r.number.get<int64_t>() > number; }},
      {cp::equal(cp::call("add", {Field("a"), Field("number")}), Lit(number)), [=](const Key& k, const ModelRow& r) {
         return !r.number.is_null() && k.first + r.number.get<int64_t>() == number;
       }}};
  ScanOptions options;
  Passes test = [](const Key&, const ModelRow&) { return true; };
  if (OneIn(2)) {
    const auto& [expression, passes] = tests[Below(tests.size())];
    const auto& [expression2, passes2] = tests[Below(tests.size())];
    const bool both = OneIn(2);
    options.filter = both ? cp::and_(expression, expression2) : cp::or_(expression, expression2);
    test = [=](const Key& k, const ModelRow& r) {
      return both ? passes(k, r) && passes2(k, r) : passes(k, r) || passes2(k, r);
    };
  }
  options.reverse = OneIn(2);
  options.threads = 1 + static_cast<int>(Below(3));
  options.ordered = OneIn(2);
  options.batch_size = OneIn(2) ? 8192 : 1 + static_cast<int64_t>(Below(4));
  if (OneIn(3)) options.limit = static_cast<int64_t>(Below(12));
  options.snapshot = snapshot;

  Texts expected;
  for (const auto& [key, row] : *t.model) {
    if (!row.deleted && test(key, row)) expected.push_back(Show(key, row));
  }
  if (options.reverse) std::reverse(expected.begin(), expected.end());
  const size_t count = std::min(expected.size(), static_cast<size_t>(options.limit.value_or(1 << 20)));
  auto rows = t.transaction ? test::ReadTexts(t.transaction, *t.table, options) : test::ReadTexts(*t.table, options);
  ASSERT_OK(rows.status());
  SCOPED_TRACE((options.filter.is_valid() ? options.filter.ToString() : "all") + (options.reverse ? " reverse" : ""));
  if (options.ordered || options.threads == 1) {
    expected.resize(count);
    ASSERT_EQ(*rows, expected);
    return;
  }
  std::sort(rows->begin(), rows->end());
  std::sort(expected.begin(), expected.end());
  ASSERT_EQ(rows->size(), count);
  ASSERT_TRUE(std::includes(expected.begin(), expected.end(), rows->begin(), rows->end()));
}

void ModelTest::AnyOperation(const Target& t) {
  switch (Below(8)) {
    case 0:
    case 1:
    case 2:
      return WriteOne(t);
    case 3:
    case 4:
      return RemoveOne(t);
    case 5:
      return WriteBatch(t);
    case 6:
      return CheckGet(t);
    default:
      return CheckScan(t);
  }
}

// A transaction over two tables of one user, with writes of others between its own.
void ModelTest::RunTransaction() {
  const std::string user = OneIn(2) ? "ada" : "bob";
  std::vector<Place*> mine;
  for (Place& place : places_) {
    if (place.user.empty() || place.user == user) mine.push_back(&place);
  }
  ASSERT_OK_AND_ASSIGN(const auto transaction, SessionOf(user)->Begin());
  std::vector<Model> models;
  std::vector<std::set<Key>> own(mine.size()), others(mine.size());
  for (const Place* place : mine) models.push_back(place->model);
  for (size_t n = 1 + Below(10); n > 0 && !HasFatalFailure(); --n) {
    const size_t i = Below(mine.size());
    if (OneIn(20)) {
      ASSERT_OK(mine[i]->table->Flush({.max_segment_rows = 5, .min_user_rows = 1}).status());
    } else if (OneIn(20)) {
      ASSERT_OK(mine[i]->table->Compact({.full = OneIn(2), .max_segment_rows = 20}).status());
    } else if (OneIn(12)) {
      AnyOperation({mine[i]->table.get(), nullptr, &mine[i]->model, &others[i]});
    } else {
      AnyOperation({mine[i]->table.get(), transaction.get(), &models[i], &own[i]});
    }
  }
  if (HasFatalFailure() || OneIn(4)) return;  // rolled back
  bool conflict = false;
  for (size_t i = 0; i < mine.size(); ++i) {
    for (const Key& key : own[i]) conflict |= others[i].count(key) > 0;
  }
  const auto status = transaction->Commit();
  if (conflict) {
    ASSERT_TRUE(IsConflict(status)) << status.ToString();
    return;
  }
  ASSERT_OK(status);
  for (size_t i = 0; i < mine.size(); ++i) {
    for (const Key& key : own[i]) {
      const auto at = models[i].find(key);
      if (at == models[i].end()) {
        mine[i]->model.erase(key);
      } else {
        mine[i]->model[key] = at->second;
      }
    }
  }
}

void ModelTest::OpenPlaces() {
  for (Place& place : places_) place.table = OpenTable(place.name, SessionOf(place.user).get());
}

// Answers stay what they are.
void ModelTest::Flush(Place& place) {
  FlushOptions options;
  options.optimize_for = OneIn(2) ? FlushOptions::OptimizeFor::kScan : FlushOptions::OptimizeFor::kLookup;
  options.max_segment_rows = 1 + static_cast<int64_t>(Below(30));
  options.min_user_rows = static_cast<int64_t>(Below(10));
  options.on_progress = [&](int64_t) {
    // Between the flush's snapshot and its commit.
    while (OneIn(2) && !HasFatalFailure()) AnyOperation({place.table.get(), nullptr, &place.model, nullptr});
    return OneIn(20) ? arrow::Status::Cancelled("enough") : arrow::Status::OK();
  };
  const auto flushed = place.table->Flush(options);
  if (!flushed.status().IsCancelled()) ASSERT_OK(flushed.status());
}

void ModelTest::Compact(Place& place) {
  CompactOptions options;
  options.full = OneIn(2);
  options.max_segment_rows = 1 + static_cast<int64_t>(Below(30));
  options.on_progress = [&](int64_t) {
    // Between the compaction's snapshot and its commit.
    while (OneIn(2) && !HasFatalFailure()) AnyOperation({place.table.get(), nullptr, &place.model, nullptr});
    return OneIn(20) ? arrow::Status::Cancelled("enough") : arrow::Status::OK();
  };
  const auto compacted = place.table->Compact(options);
  if (!compacted.status().IsCancelled()) ASSERT_OK(compacted.status());
}

// When nobody reads older states, the files are those of the manifest; overrides are of its segments always.
void ModelTest::CheckFiles() {
  kept_.clear();
  ASSERT_OK(db_->RemoveDeletedFiles().status());
  const Partition partition = OpenSystemPartition(*db_->store(), "rows").ValueOrDie();
  const auto visit = [&](RecordKind kind, const std::function<void(std::string_view key)>& see) {
    const KeyRange all = PrefixRange(std::string(1, static_cast<char>(kind)));
    ScanCursor records = db_->store()->Scan({.partition = partition, .lower = all.lower, .upper = all.upper});
    while (records.Next()) see(records.key());
    ASSERT_OK(records.status());
  };
  std::set<std::filesystem::path> named, there;
  std::set<std::pair<uint32_t, uint64_t>> segments;
  visit(RecordKind::kManifest, [&](std::string_view key) {
    const auto segment = cold::DecodeManifestKey(key).ValueOrDie();
    named.insert(dir_.File("db") / cold::SegmentPath(segment));
    segments.emplace(segment.table_id, segment.segment_id);
  });
  visit(RecordKind::kOverride, [&](std::string_view key) {
    const auto override_key = cold::DecodeOverrideKey(key).ValueOrDie();
    EXPECT_EQ(segments.count({override_key.table_id, override_key.segment_id}), 1u) << override_key.segment_id;
  });
  visit(RecordKind::kDeletedFile, [&](std::string_view) { ADD_FAILURE() << "a deleted file is still recorded"; });
  const std::filesystem::path folder = dir_.File("db") / "cold";
  if (!std::filesystem::exists(folder)) return;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) there.insert(entry.path());
  }
  EXPECT_EQ(there, named);
}

void ModelTest::Maintain() {
  switch (Below(6)) {
    case 0:
      kept_.clear();
      for (Place& place : places_) place.table.reset();
      Reopen();
      return OpenPlaces();
    case 1:
      ASSERT_OK(db_->CompactHotTier());
      return;
    case 2: {
      Place& place = places_[Below(places_.size())];
      if (!place.user.empty() || !OneIn(2)) return;
      const TableDefinition definition = place.table->definition();
      auto spec = TableSpec::FromArrow(place.name, *place.table->schema(), {"a", "b"}).ValueOrDie();
      ASSERT_OK(db_->DropTable(place.name));
      EXPECT_ERROR_HAS(place.table->Put({1, "late", Value(), Value()}), "was dropped");
      ASSERT_OK(db_->CreateTable(spec).status());
      for (Kept& kept : kept_) {  // older snapshots still have the rows of the old table
        if (&places_[kept.place] != &place) continue;
        CheckScan({place.table.get(), nullptr, &kept.model, nullptr}, kept.snapshot);
      }
      std::erase_if(kept_, [&](const Kept& kept) { return &places_[kept.place] == &place; });
      place.model.clear();
      return OpenPlaces();
    }
    default:
      ASSERT_OK(db_->store()->FlushMemtables());
      return;
  }
}

TEST_F(ModelTest, ParallelScansAndRandomOperationsFollowTheModel) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  random_.seed(seed);
  const std::vector<ColumnSpec> columns = {Column("a", TypeId::kInt64), Column("b", TypeId::kUtf8),
                                           Column("number", TypeId::kInt64), Column("text", TypeId::kUtf8)};
  StoreOptions options = options_;
  options.ingest_threshold_bytes = 400;  // some transactions commit as an ingest
  Open(options);
  ASSERT_OK(db_->SetSetting("deleted_file_retention", "0"));
  ASSERT_OK(db_->CreateTable(test::Spec("shared", columns, {"a", "b"})).status());
  ASSERT_OK(db_->CreateTable(test::Spec("other", columns, {"a", "b"})).status());
  ASSERT_OK(db_->CreateTable(test::Spec("own", columns, {"a", "b"}, TableKind::kUser)).status());
  for (const auto& [name, user] : std::vector<std::pair<std::string, std::string>>{
           {"shared", ""}, {"other", ""}, {"own", "ada"}, {"own", "bob"}}) {
    places_.push_back({name, user, nullptr, {}});
  }
  OpenPlaces();
  for (int round = 0; round < test::Rounds(1500) && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const size_t i = Below(places_.size());
    Place& place = places_[i];
    const Target target{place.table.get(), nullptr, &place.model, nullptr};
    switch (Below(30)) {
      case 0:
      case 1:
      case 2:
      case 3:
        RunTransaction();
        break;
      case 4:
        LoadBatch(place);
        break;
      case 5:
        Maintain();
        break;
      case 9:
        Flush(place);
        break;
      case 10:
        Compact(place);
        if (OneIn(4)) CheckFiles();
        break;
      case 6:
        kept_.push_back({db_->GetSnapshot(), i, place.model});
        break;
      case 7:
      case 8:
        if (kept_.empty()) break;
        {
          Kept& kept = kept_[Below(kept_.size())];
          CheckScan({places_[kept.place].table.get(), nullptr, &kept.model, nullptr}, kept.snapshot);
          if (OneIn(3)) kept_.erase(kept_.begin());
        }
        break;
      default:
        AnyOperation(target);
        break;
    }
  }
}

}  // namespace
}  // namespace yarrow
