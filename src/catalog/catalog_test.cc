#include "catalog/catalog.h"

#include <gtest/gtest.h>

#include <set>

#include "arrow_assert.h"
#include "catalog/table_schema.h"
#include "catalog_fixture.h"
#include "row/row_layout.h"
#include "store/store_commits.h"
#include "store/system_partition.h"

namespace yarrow {
namespace {

TableSpec Spec(const std::string& name, std::vector<std::string> key = {"id"}) {
  TableSpec spec;
  spec.name = name;
  spec.columns = {{.name = "id", .type = TypeId::kInt64, .nullable = true, .default_value = {}},
                  {.name = "Note", .type = TypeId::kUtf8, .nullable = true, .default_value = "none"},
                  {.name = "price", .type = ColumnType::Decimal(10, 2), .nullable = false, .default_value = {}}};
  spec.primary_key = std::move(key);
  return spec;
}

class CatalogTest : public test::CatalogFixture {};

// Whoever comes late finds what its snapshot has, however often the name was taken anew since.
TEST_F(CatalogTest, SnapshotsKnowTheSchemasThatTheySaw) {
  const auto replace = [&] {
    const auto transaction = store_->commits().BeginWrite();
    CatalogChanges changes;
    if (const auto present = catalog_->View()->FindSchema("app")) changes.dropped_schemas = {present};
    changes.created_schemas = {catalog_->DraftSchema("app", &changes).ValueOrDie()};
    WriteSet writes;
    EXPECT_OK(catalog_->CommitChanges(changes, &writes, {.transaction = transaction.get()}).status());
    return catalog_->View()->FindSchema("app");
  };
  const Snapshot before = store_->GetSnapshot();
  const auto first = replace();
  const Snapshot then = store_->GetSnapshot();
  const auto second = replace();
  const Snapshot later = store_->GetSnapshot();
  const auto third = replace();
  replace();
  EXPECT_EQ(catalog_->FindSchemaAt("app", before), nullptr);
  EXPECT_EQ(catalog_->FindSchemaAt("app", then), first);
  EXPECT_EQ(catalog_->FindSchemaAt("APP", later), second);
  EXPECT_NE(third, second);
  EXPECT_EQ(catalog_->FindSchemaAt("app", store_->GetSnapshot()), catalog_->View()->FindSchema("app"));
}

TEST_F(CatalogTest, DefinitionsSurviveReopening) {
  ASSERT_OK(catalog_->CreateSchema("app"));
  TableSpec spec = Spec("items", {"price", "id"});
  spec.schema_name = "app";
  spec.kind = TableKind::kUser;
  ASSERT_OK_AND_ASSIGN(const auto created, catalog_->CreateTable(spec));
  Reopen();
  ASSERT_OK_AND_ASSIGN(const auto entry, catalog_->Find({"APP", "Items"}));
  const TableDefinition& definition = *entry->definition;
  EXPECT_EQ(definition.id, created->definition->id);
  EXPECT_EQ(definition.kind, TableKind::kUser);
  ASSERT_EQ(definition.columns.size(), 3u);
  EXPECT_EQ(definition.columns[1].name, "Note");
  EXPECT_EQ(definition.columns[1].default_value.get<std::string>(), "none");
  EXPECT_EQ(definition.columns[2].type, ColumnType::Decimal(10, 2));
  EXPECT_FALSE(definition.columns[0].nullable) << "key columns are NOT NULL";
  EXPECT_EQ(definition.primary_key, (std::vector<uint32_t>{3, 1}));
  EXPECT_EQ(catalog_->Schemas(), (std::vector<std::string>{"app", "main", "system"}));
}

TEST_F(CatalogTest, ExpressionsAndCommentsSurviveReopening) {
  TableSpec spec = Spec("t", {"id"});
  spec.comment = "a table";
  spec.checks = {"price > 0", "Note <> '\n,'"};
  spec.columns[1].comment = "a column";
  spec.columns[1].default_value = {};
  spec.columns[1].default_expression = "upper('x')";
  spec.generated_columns = {
      {.id = 0, .name = "twice", .type = ColumnType::Decimal(11, 2), .expression = "price * 2", .position = 1}};
  ASSERT_OK(catalog_->CreateTable(spec).status());
  Reopen();
  ASSERT_OK_AND_ASSIGN(auto entry, catalog_->Find({"main", "t"}));
  EXPECT_EQ(entry->definition->comment, "a table");
  EXPECT_EQ(entry->definition->checks, spec.checks);
  EXPECT_EQ(entry->definition->columns[1].comment, "a column");
  EXPECT_EQ(entry->definition->columns[1].default_expression, "upper('x')");
  ASSERT_EQ(entry->definition->generated_columns.size(), 1u);
  const GeneratedColumn& generated = entry->definition->generated_columns[0];
  EXPECT_EQ(generated.name, "twice");
  EXPECT_EQ(generated.type, ColumnType::Decimal(11, 2));
  EXPECT_EQ(generated.expression, "price * 2");
  EXPECT_EQ(generated.position, 1u);
  // One that goes leaves no record.
  const TableExpressions rest{{}, {"price > 0"}};
  ASSERT_OK(catalog_->AlterTable({"main", "t"}, DropColumn{.name = "twice", .expressions = rest}).status());
  Reopen();
  ASSERT_OK_AND_ASSIGN(entry, catalog_->Find({"main", "t"}));
  EXPECT_TRUE(entry->definition->generated_columns.empty());
  EXPECT_EQ(entry->definition->checks, std::vector<std::string>{"price > 0"});
  EXPECT_EQ(entry->definition->columns.size(), 3u);
}

TEST_F(CatalogTest, RefusesBadTables) {
  EXPECT_ERROR_HAS(catalog_->CreateTable(Spec("t", {"nope"})), "'nope'");
  EXPECT_ERROR_HAS(catalog_->CreateTable(Spec("t", {"id", "ID"})), "twice");
  TableSpec twice = Spec("t");
  twice.columns.push_back({.name = "NOTE", .type = TypeId::kBool, .nullable = true, .default_value = {}});
  EXPECT_ERROR_HAS(catalog_->CreateTable(twice), "two columns named 'NOTE'");
  TableSpec misfit = Spec("t");
  misfit.columns[2].default_value = "text";
  EXPECT_ERROR_HAS(catalog_->CreateTable(misfit), "column 'price'");
  TableSpec foreign = Spec("t");
  foreign.schema_name = "nowhere";
  EXPECT_ERROR_HAS(catalog_->CreateTable(foreign), "no schema nowhere");
  foreign.schema_name = "system";
  EXPECT_ERROR_HAS(catalog_->CreateTable(foreign), "system");
  ASSERT_OK(catalog_->CreateTable(Spec("t")).status());
  EXPECT_ERROR_HAS(catalog_->CreateTable(Spec("T")), "exists already");
  EXPECT_ERROR_HAS(catalog_->DropTable({"main", "u"}), "the tables are: main.t");
  EXPECT_ERROR_HAS(catalog_->DropTable({"system", "tables"}), "cannot be dropped");
}

TEST_F(CatalogTest, DropRemovesRowsAndDefinitionAndRefusesLaterWrites) {
  ASSERT_OK_AND_ASSIGN(const auto entry, catalog_->CreateTable(Spec("t")));
  ASSERT_OK(store_->commits().CommitPut(entry->partition, entry->prefix + "key", "row").status());
  ASSERT_OK(catalog_->DropTable({"main", "t"}));
  PinnedValue value;
  ASSERT_OK_AND_ASSIGN(const bool found, store_->Get(entry->partition, entry->prefix + "key", &value));
  EXPECT_FALSE(found);
  const GuardUse guard{.guard = entry->guard.get(), .version = entry->guard_version};
  CommitOptions options;
  options.guards = std::span(&guard, 1);
  const auto late = store_->commits().CommitPut(entry->partition, entry->prefix + "key", "row", options);
  EXPECT_TRUE(IsConflict(late.status())) << late.status().ToString();
  Reopen();
  EXPECT_FALSE(catalog_->Find({"main", "t"}).ok());
  ASSERT_OK_AND_ASSIGN(const auto again, catalog_->CreateTable(Spec("t")));
  EXPECT_NE(again->definition->id, entry->definition->id) << "ids are never reused";
}

TEST_F(CatalogTest, DraftsAreSeenByNobodyUntilPublished) {
  ASSERT_OK_AND_ASSIGN(const auto draft, catalog_->DraftTable(Spec("t")));
  EXPECT_FALSE(catalog_->Find({"main", "t"}).ok());
  ASSERT_OK(store_->commits().CommitPut(draft->partition, draft->prefix + "key", "row").status());
  const auto publish = [&] {
    WriteSet writes;
    return catalog_->CommitChanges({.created = {draft}}, &writes).status();
  };
  ASSERT_OK(publish());
  EXPECT_ERROR_HAS(publish(), "main.t exists already");
  Reopen();
  ASSERT_OK_AND_ASSIGN(const auto found, catalog_->Find({"main", "t"}));
  PinnedValue value;
  EXPECT_TRUE(store_->Get(found->partition, found->prefix + "key", &value).ValueOrDie());
}

TEST_F(CatalogTest, DraftsLeftByACrashAreSwept) {
  ASSERT_OK_AND_ASSIGN(const auto before, catalog_->CreateTable(Spec("before", {})));
  ASSERT_OK_AND_ASSIGN(const auto draft, catalog_->DraftTable(Spec("draft", {})));
  ASSERT_OK_AND_ASSIGN(const auto after, catalog_->CreateTable(Spec("after", {})));
  const auto entries = {before, draft, after};
  for (const auto& entry : entries) {
    ASSERT_OK(entry->row_ids->Take(1).status());
    for (const char* key : {"a", "b"}) {
      ASSERT_OK(store_->commits().CommitPut(entry->partition, entry->prefix + key, "row").status());
    }
  }
  const Partition rows = before->partition;
  Reopen();
  for (const auto& entry : entries) {
    const bool stays = entry != draft;
    PinnedValue value;
    EXPECT_EQ(store_->Get(rows, entry->prefix + "a", &value).ValueOrDie(), stays);
    EXPECT_EQ(store_->Get(rows, entry->prefix + "b", &value).ValueOrDie(), stays);
    const std::string counter = "row_id/" + std::to_string(entry->definition->id);
    EXPECT_EQ(store_->Get(OpenSystemPartition(*store_, "counters").ValueOrDie(), counter, &value).ValueOrDie(), stays);
  }
}

TEST_F(CatalogTest, ADropInATransactionIsNoConflictWithItsOwnRowIds) {
  ASSERT_OK_AND_ASSIGN(const auto table, catalog_->CreateTable(Spec("t", {})));
  const auto token = store_->commits().BeginWrite();
  ASSERT_OK(table->row_ids->Take(1).status());
  WriteSet writes;
  CommitOptions options;
  options.transaction = token.get();
  ASSERT_OK(catalog_->CommitChanges({.created = {}, .dropped = {table}}, &writes, options).status());
  PinnedValue value;
  const std::string counter = "row_id/" + std::to_string(table->definition->id);
  EXPECT_FALSE(store_->Get(OpenSystemPartition(*store_, "counters").ValueOrDie(), counter, &value).ValueOrDie());
}

TEST_F(CatalogTest, SchemasMustBeEmptyToGo) {
  ASSERT_OK(catalog_->CreateSchema("app"));
  EXPECT_ERROR_HAS(catalog_->CreateSchema("App"), "exists already");
  TableSpec spec = Spec("t");
  spec.schema_name = "app";
  ASSERT_OK(catalog_->CreateTable(spec).status());
  EXPECT_ERROR_HAS(catalog_->DropSchema("app"), "drop table app.t first");
  ASSERT_OK(catalog_->DropTable({"app", "t"}));
  ASSERT_OK(catalog_->DropSchema("app"));
  EXPECT_ERROR_HAS(catalog_->DropSchema("main"), "cannot be dropped");
}

TEST_F(CatalogTest, SchemasComeAndGoWithTheRestOfACommit) {
  ASSERT_OK(catalog_->CreateSchema("old"));
  TableSpec spec = Spec("t");
  spec.schema_name = "old";
  ASSERT_OK_AND_ASSIGN(const auto dropped, catalog_->CreateTable(spec));
  const Snapshot before = store_->GetSnapshot();
  const auto view = catalog_->View();
  const auto token = store_->commits().BeginWrite();
  CatalogChanges changes;
  changes.dropped = {dropped};
  changes.dropped_schemas = {view->FindSchema("OLD")};
  ASSERT_OK_AND_ASSIGN(auto schema, catalog_->DraftSchema("new", &changes));
  changes.created_schemas = {schema};
  spec.schema_name = "new";
  ASSERT_OK_AND_ASSIGN(auto draft, catalog_->DraftTable(spec, &changes));
  changes.created = {draft};
  EXPECT_EQ(catalog_->Schemas(), (std::vector<std::string>{"main", "old", "system"}));
  WriteSet writes;
  CommitOptions options;
  options.transaction = token.get();
  ASSERT_OK(catalog_->CommitChanges(changes, &writes, options).status());
  EXPECT_EQ(view->FindSchema("new"), nullptr) << "a view does not change";
  EXPECT_TRUE(catalog_->IsLiveAt(*view->FindSchema("old"), before));
  EXPECT_FALSE(catalog_->IsLiveAt(*view->FindSchema("old"), store_->GetSnapshot()));
  Reopen();
  EXPECT_EQ(catalog_->Schemas(), (std::vector<std::string>{"main", "new", "system"}));
  EXPECT_OK(catalog_->Find({"new", "t"}).status());
  EXPECT_FALSE(catalog_->Find({"old", "t"}).ok());
}

TEST_F(CatalogTest, ChangesThatAnotherCommitForestalledConflict) {
  ASSERT_OK(catalog_->CreateSchema("app"));
  const auto app = catalog_->View()->FindSchema("app");
  TableSpec spec = Spec("t");
  spec.schema_name = "app";
  const auto commit = [&](const CatalogChanges& changes) {
    const auto token = store_->commits().BeginWrite();
    WriteSet writes;
    CommitOptions options;
    options.transaction = token.get();
    const auto status = catalog_->CommitChanges(changes, &writes, options).status();
    EXPECT_TRUE(IsConflict(status)) << status.ToString();
    return status;
  };
  ASSERT_OK_AND_ASSIGN(const auto draft, catalog_->DraftTable(spec));
  ASSERT_OK_AND_ASSIGN(const auto made, catalog_->DraftSchema("made"));
  ASSERT_OK(catalog_->CreateSchema("Made"));
  EXPECT_ERROR_HAS(commit({.created_schemas = {made}}), "schema made exists already");
  ASSERT_OK(catalog_->CreateTable(spec).status());
  EXPECT_ERROR_HAS(commit({.dropped_schemas = {app}}), "another transaction made table app.t");
  EXPECT_ERROR_HAS(commit({.created = {draft}}), "table app.t exists already");
  EXPECT_OK(catalog_->Find({"app", "t"}).status());
  ASSERT_OK(catalog_->DropTable({"app", "t"}));
  ASSERT_OK(catalog_->DropSchema("app"));
  EXPECT_ERROR_HAS(commit({.created = {draft}}), "schema app was dropped");
  ASSERT_OK(catalog_->CreateSchema("app"));
  EXPECT_ERROR_HAS(commit({.dropped_schemas = {app}}), "schema app was dropped");
  const auto main = catalog_->View()->FindSchema("main");
  WriteSet writes;
  EXPECT_ERROR_HAS(catalog_->CommitChanges({.dropped_schemas = {main}}, &writes).status(), "cannot be dropped");
}

TEST_F(CatalogTest, RowIdsIncreaseAndNeverComeTwice) {
  ASSERT_OK_AND_ASSIGN(const auto entry, catalog_->CreateTable(Spec("log", {})));
  ASSERT_TRUE(entry->definition->has_hidden_row_id());
  EXPECT_EQ(entry->definition->visible_columns(), 3u);
  std::set<int64_t> seen;
  int64_t last = 0;
  for (int round = 0; round < 3; ++round) {
    ASSERT_OK_AND_ASSIGN(const auto found, catalog_->Find({"main", "log"}));
    for (int64_t count : {1, 5000, 1}) {
      ASSERT_OK_AND_ASSIGN(const int64_t first, found->row_ids->Take(count));
      EXPECT_GT(first, last);
      last = first + count - 1;
      EXPECT_TRUE(seen.insert(first).second);
    }
    Reopen();
  }
}

TEST_F(CatalogTest, RecordsReadBackAsTheyWereWritten) {
  JobRecord job;
  job.kind = "bulk load";
  job.target = "main.t";
  job.state = "failed";
  job.rows = 7;
  job.error = "no space";
  job.started_at = 42;
  ASSERT_OK(catalog_->jobs().Put(JobKey{9}, job));
  ASSERT_OK_AND_ASSIGN(const auto read, catalog_->jobs().Get(JobKey{9}));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->kind, job.kind);
  EXPECT_EQ(read->rows, 7u);
  EXPECT_EQ(read->error, job.error);
  EXPECT_FALSE(read->finished_at.has_value());
}

// What a program wrote that knew the first version of a system table.
std::string FirstVersionRow(SystemTableId table, const Values& values) {
  const auto schema = SystemTableRowSchema(table);
  RowWriter writer(&schema->FindVersion(1)->layout);
  writer.Reset();
  for (size_t field = 0; field < values.size(); ++field) {
    if (!values[field].is_null()) EXPECT_OK(writer.Set(field, values[field]));
  }
  std::string row;
  EXPECT_OK(writer.Finish(/*deleted=*/false, &row));
  return row;
}

TEST(RecordsTest, RecordsOfTheFirstVersionAreRead) {
  const std::string table =
      FirstVersionRow(SystemTableId::kTables, {"main", "t", "user", "id", uint32_t{3}, int64_t{42}});
  ASSERT_OK_AND_ASSIGN(const auto record, SystemRecordCodec<TableRecord>::Decode(table));
  EXPECT_EQ(record.table_name, "t");
  EXPECT_EQ(record.schema_version, 3u);
  EXPECT_EQ(record.policy, TierPolicy());
  const std::string job = FirstVersionRow(SystemTableId::kJobs, {"bulk load", "main.t", "completed", uint64_t{5},
                                                                 uint64_t{6}, Value(), int64_t{1}, int64_t{2}});
  ASSERT_OK_AND_ASSIGN(const auto done, SystemRecordCodec<JobRecord>::Decode(job));
  EXPECT_EQ(done.rows, 5u);
  EXPECT_EQ(done.finished_at, 2);
  EXPECT_FALSE(done.files || done.progress || done.duration);
}

TEST(QualifiedNameTest, ParsesBareAndQuotedNames) {
  ASSERT_OK_AND_ASSIGN(const auto bare, QualifiedName::Parse("flights"));
  EXPECT_EQ(bare.schema_name + "|" + bare.name, "main|flights");
  ASSERT_OK_AND_ASSIGN(const auto quoted, QualifiedName::Parse("\"my schema\".\"a\"\".b\""));
  EXPECT_EQ(quoted.schema_name + "|" + quoted.name, "my schema|a\".b");
  for (const char* bad : {"", ".", "a.", ".b", "a.b.c", "\"open", "\"a\"b"})
    EXPECT_FALSE(QualifiedName::Parse(bad).ok()) << bad;
}

}  // namespace
}  // namespace yarrow
