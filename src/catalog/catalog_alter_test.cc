// Altered tables in the catalog: what is stored of them, who sees which version, who is too late.
#include <gtest/gtest.h>

#include <future>

#include "arrow_assert.h"
#include "catalog/catalog.h"
#include "row/row_layout.h"
#include "store/commit_listener.h"
#include "store/store_commits.h"
#include "store/system_partition.h"
#include "temp_dir.h"

namespace yarrow {
namespace {

using test::TempDir;

ColumnSpec NullableColumn(std::string name, ColumnType type, Value value = {}) {
  return {.name = std::move(name), .type = std::move(type), .nullable = true, .default_value = std::move(value)};
}

class CatalogAlterTest : public testing::Test {
 protected:
  void SetUp() override {
    Reopen();
    TableSpec spec;
    spec.name = "t";
    spec.columns = {NullableColumn("id", TypeId::kInt64), NullableColumn("n", TypeId::kInt32),
                    NullableColumn("gone", TypeId::kUtf8)};
    spec.primary_key = {"id"};
    ASSERT_OK(catalog_->CreateTable(spec).status());
  }
  void Reopen() {
    catalog_.reset();
    store_.reset();
    ASSERT_OK_AND_ASSIGN(store_, Store::Open(dir_.File("db"), {.durability = Durability::kOs}));
    ASSERT_OK_AND_ASSIGN(catalog_, Catalog::Open(store_));
  }
  std::shared_ptr<const TableEntry> Find(const std::string& name = "t") {
    return catalog_->Find({"main", name}).ValueOrDie();
  }
  void Alter(const TableAlteration& alteration, const std::string& name = "t") {
    ASSERT_OK(catalog_->AlterTable({"main", name}, alteration).status());
  }
  // What stands for a table in this test.
  static std::string Text(const TableDefinition& table) {
    std::string text = table.QualifiedName() + " v" + std::to_string(table.schema_version);
    std::vector<ColumnDefinition> dropped;
    for (const auto& column : table.dropped_columns) dropped.push_back(*column);
    for (const std::vector<ColumnDefinition>* columns : {&table.columns, &std::as_const(dropped)}) {
      for (const ColumnDefinition& column : *columns) {
        text += "\n" + std::to_string(column.id) + " " + column.name + " " + column.type.ToString() + " " +
                column.default_value.ToString(column.type) + " " + column.initial_value.ToString(column.type) + " " +
                std::to_string(column.added_version) + " " + std::to_string(column.dropped_version);
        for (const FormerType& former : column.former_types) {
          text += ", " + former.type.ToString() + " until " + std::to_string(former.until);
        }
      }
    }
    return text;
  }

  TempDir dir_;
  std::shared_ptr<Store> store_;
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(CatalogAlterTest, DefinitionsSurviveReopening) {
  Alter(AddColumn{NullableColumn("d", ColumnType::Decimal(5, 2), Value(Decimal{150, 2}))});
  Alter(DropColumn{"gone"});
  Alter(WidenColumn{"n", TypeId::kInt64});
  Alter(WidenColumn{"d", ColumnType::Decimal(9, 2)});
  Alter(WidenColumn{"d", ColumnType::Decimal(20, 2)});
  Alter(SetColumnDefault{"d", Value()});
  Alter(AddColumn{NullableColumn("gone", TypeId::kInt8)});
  Alter(RenameColumn{"n", "number"});
  Alter(RenameTable{"u"});
  const std::string text = Text(*Find("u")->definition);
  EXPECT_EQ(text,
            "main.u v7\n"
            "1 id BIGINT NULL NULL 1 0\n"
            "2 number BIGINT NULL NULL 1 0, INTEGER until 4\n"
            "4 d DECIMAL(20,2) NULL 1.50 2 0, DECIMAL(5,2) until 5, DECIMAL(9,2) until 6\n"
            "5 gone TINYINT NULL NULL 7 0\n"
            "3 gone VARCHAR NULL NULL 1 3");
  Reopen();
  EXPECT_EQ(Text(*Find("u")->definition), text);
  EXPECT_FALSE(catalog_->Find({"main", "t"}).ok());
  // Nothing of it is left behind.
  ASSERT_OK(catalog_->DropTable({"main", "u"}));
  Reopen();
  EXPECT_EQ(catalog_->Tables().front()->definition->kind, TableKind::kSystem);
}

TEST_F(CatalogAlterTest, SnapshotsKnowTheVersionsThatTheySaw) {
  const auto first = Find();
  const Snapshot before = store_->GetSnapshot();
  Alter(AddColumn{NullableColumn("x", TypeId::kInt8)});
  const auto second = Find();
  const Snapshot between = store_->GetSnapshot();
  Alter(RenameTable{"u"});
  const auto third = Find("u");
  const Snapshot after = store_->GetSnapshot();
  EXPECT_TRUE(catalog_->IsLiveAt(*first, before));
  EXPECT_FALSE(catalog_->IsLiveAt(*first, between));
  EXPECT_TRUE(catalog_->IsLiveAt(*second, between));
  EXPECT_FALSE(catalog_->IsLiveAt(*second, after));
  EXPECT_EQ(catalog_->FindAt({"main", "t"}, before), first);
  EXPECT_EQ(catalog_->FindAt({"main", "T"}, between), second);
  EXPECT_EQ(catalog_->FindAt({"main", "t"}, after), nullptr);
  EXPECT_EQ(catalog_->FindAt({"main", "u"}, after), third);
  EXPECT_EQ(catalog_->FindAt({"main", "u"}, between), nullptr);
  EXPECT_EQ(catalog_->FindLatest(*first), third);
  EXPECT_EQ(first->guard, third->guard);
  EXPECT_EQ(third->guard_version, third->guard->version());
}

TEST_F(CatalogAlterTest, WhoComesLateGetsAConflict) {
  const auto before = Find();
  ASSERT_OK_AND_ASSIGN(const auto mine, catalog_->DraftAlteration(before, DropColumn{"gone"}));
  Alter(AddColumn{NullableColumn("x", TypeId::kInt8)});
  WriteSet writes;
  const arrow::Status late = catalog_->CommitChanges({.altered = {{before, mine}}}, &writes).status();
  EXPECT_TRUE(IsConflict(late)) << late.ToString();
  EXPECT_ERROR_HAS(late, "table main.t was altered");
  EXPECT_EQ(before->ended_at->load(), Find()->created_at->load()) << "the end of a version stays what it was";
  const arrow::Status dropped = catalog_->CommitChanges({.dropped = {before}}, &writes).status();
  EXPECT_TRUE(IsConflict(dropped)) << dropped.ToString();
  const arrow::Status draft = catalog_->DraftAlteration(before, DropColumn{"gone"}).status();
  EXPECT_TRUE(IsConflict(draft)) << draft.ToString();
  // A row that was written as the old definition says.
  const GuardUse guards[] = {{.guard = before->guard.get(), .version = before->guard_version}};
  EXPECT_TRUE(IsConflict(store_->commits().CommitPut(before->partition, "row", "old", {.guards = guards}).status()));
}

// Asks, while the alteration is being committed, what a snapshot from before it has.
struct AskingListener : public CommitListener {
  void OnAnnounce(const CommitView&) noexcept override {
    answer = std::async(std::launch::async, [this] { return catalog->IsLiveAt(*entry, snapshot); });
    was_told_at_once = answer.wait_for(std::chrono::seconds(10)) == std::future_status::ready;
  }
  void OnResolve(const CommitView&, const CommitOutcome&) noexcept override {}
  Catalog* catalog = nullptr;
  std::shared_ptr<const TableEntry> entry;
  Snapshot snapshot;
  std::future<bool> answer;
  bool was_told_at_once = false;
};

TEST_F(CatalogAlterTest, OlderReadersDoNotWaitForTheCommit) {
  AskingListener listener;
  listener.catalog = catalog_.get();
  listener.entry = Find();
  listener.snapshot = store_->GetSnapshot();
  store_->commits().AddListener(&listener);
  Alter(DropColumn{"gone"});
  store_->commits().RemoveListener(&listener);
  EXPECT_TRUE(listener.was_told_at_once);
  EXPECT_TRUE(listener.answer.get());
  listener.snapshot = {};
}

TEST_F(CatalogAlterTest, NamesAreTakenOnce) {
  TableSpec spec;
  spec.name = "other";
  spec.columns = {NullableColumn("a", TypeId::kInt8)};
  ASSERT_OK(catalog_->CreateTable(spec).status());
  EXPECT_ERROR_HAS(catalog_->AlterTable({"main", "t"}, RenameTable{"OTHER"}), "main.OTHER exists already");
  EXPECT_ERROR_HAS(catalog_->AlterTable({"system", "tables"}, RenameTable{"x"}), "cannot be altered");
  EXPECT_ERROR_HAS(catalog_->AlterTable({"main", "nowhere"}, RenameTable{"x"}), "no table main.nowhere");
  // In one commit they may change hands.
  const auto t = Find(), other = Find("other");
  CatalogChanges changes;
  ASSERT_OK_AND_ASSIGN(auto t_away, catalog_->DraftAlteration(t, RenameTable{"tmp"}, &changes));
  changes.altered.push_back({t, t_away});
  ASSERT_OK_AND_ASSIGN(auto other_as_t, catalog_->DraftAlteration(other, RenameTable{"t"}, &changes));
  changes.altered.push_back({other, other_as_t});
  ASSERT_OK_AND_ASSIGN(changes.altered[0].after, catalog_->DraftAlteration(t_away, RenameTable{"other"}, &changes));
  WriteSet writes;
  const auto token = store_->commits().BeginWrite();
  ASSERT_OK(catalog_->CommitChanges(changes, &writes, {.transaction = token.get()}).status());
  EXPECT_EQ(Find("t")->definition->id, other->definition->id);
  EXPECT_EQ(Find("other")->definition->id, t->definition->id);
  Reopen();
  EXPECT_EQ(Find("t")->definition->id, other->definition->id);
}

// As databases have them that were made before tables could be altered.
TEST_F(CatalogAlterTest, RecordsOfTheFirstFormatAreRead) {
  const auto schema = SystemTableRowSchema(SystemTableId::kColumns);
  const RowSchema::Version& first = *schema->FindVersion(1);
  EXPECT_EQ(first.layout.field_count() + 6, schema->current().layout.field_count());
  const ColumnKey key{Find()->definition->id, 2};
  ASSERT_OK_AND_ASSIGN(const Partition own, OpenSystemPartition(*store_, SystemPartition(SystemTableId::kColumns)));
  const SystemStore<ColumnKey, ColumnRecord> columns(store_, own);
  ASSERT_OK_AND_ASSIGN(const auto record, columns.Get(key));
  const Values values = record->ToValues();
  RowWriter writer(&first.layout);
  writer.Reset();
  for (size_t field = 0; field < first.layout.field_count(); ++field) ASSERT_OK(writer.Set(field, values[field]));
  std::string row, encoded_key;
  ASSERT_OK(writer.Finish(/*deleted=*/false, &row));
  EncodeSystemKey(SystemTableId::kColumns, key.ToValues(), &encoded_key);
  ASSERT_OK_AND_ASSIGN(const Partition partition,
                       OpenSystemPartition(*store_, SystemPartition(SystemTableId::kColumns)));
  ASSERT_OK(store_->commits().CommitPut(partition, encoded_key, row).status());
  const std::string text = Text(*Find()->definition);
  Reopen();
  EXPECT_EQ(Text(*Find()->definition), text);
  ASSERT_OK(catalog_->AlterTable({"main", "t"}, WidenColumn{"n", TypeId::kDouble}).status());
}

// A change writes what it changes, however many columns came and went before.
TEST_F(CatalogAlterTest, ChangesCostNoMoreAfterManyOthers) {
  const auto writes_of = [&](const TableAlteration& alteration) {
    const uint64_t before = store_->LatestSequence();
    Alter(alteration);
    return store_->LatestSequence() - before;
  };
  const auto round = [&] {
    const uint64_t added = writes_of(AddColumn{NullableColumn("more", TypeId::kInt32)});
    return std::pair(added, writes_of(DropColumn{"more"}));
  };
  const auto first = round();
  for (int i = 0; i < 300; ++i) round();
  EXPECT_EQ(round(), first);
  EXPECT_EQ(Find("t")->definition->dropped_columns.size(), 302U);
}

}  // namespace
}  // namespace yarrow
