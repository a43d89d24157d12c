#include "catalog/alter_definition.h"

#include <gtest/gtest.h>

#include "arrow_assert.h"
#include "catalog/table_schema.h"

namespace yarrow {
namespace {

ColumnSpec Column(std::string name, ColumnType type, bool nullable = true, Value value = {}) {
  return {.name = std::move(name), .type = std::move(type), .nullable = nullable, .default_value = std::move(value)};
}

// t (id BIGINT key, note VARCHAR, n INTEGER NOT NULL DEFAULT 7) and, without a key, its hidden row id.
TableDefinition Example(bool has_key = true) {
  TableSpec spec;
  spec.name = "t";
  spec.columns = {Column("id", TypeId::kInt64), Column("note", TypeId::kUtf8),
                  Column("n", TypeId::kInt32, false, Value(7))};
  if (has_key) spec.primary_key = {"id"};
  return DefineTable(spec, 1000).ValueOrDie();
}

arrow::Result<TableDefinition> Alter(const TableDefinition& table, const TableAlteration& alteration) {
  ARROW_ASSIGN_OR_RAISE(auto altered, AlterDefinition(table, alteration));
  if (!altered) return table;
  ARROW_RETURN_NOT_OK(MakeRowSchema(*altered, 0).status());
  return *std::move(altered);
}

bool ChangesNothing(const TableDefinition& table, const TableAlteration& alteration) {
  const auto altered = AlterDefinition(table, alteration);
  EXPECT_OK(altered.status());
  return altered.ok() && !altered->has_value();
}

TEST(AlterDefinitionTest, ColumnsComeAndGoAndNoIdComesTwice) {
  ASSERT_OK_AND_ASSIGN(TableDefinition table,
                       Alter(Example(), AddColumn{Column("x", TypeId::kInt16, false, Value(1))}));
  EXPECT_EQ(table.schema_version, 2u);
  ASSERT_EQ(table.columns.size(), 4u);
  EXPECT_EQ(table.columns[3].id, 4u);
  EXPECT_EQ(table.columns[3].added_version, 2u);
  EXPECT_EQ(table.columns[3].initial_value.get<int64_t>(), 1);
  ASSERT_OK_AND_ASSIGN(table, Alter(table, DropColumn{"X"}));
  EXPECT_EQ(table.columns.size(), 3u);
  ASSERT_EQ(table.dropped_columns.size(), 1u);
  EXPECT_EQ(table.dropped_columns[0]->dropped_version, 3u);
  ASSERT_OK_AND_ASSIGN(table, Alter(table, AddColumn{Column("x", TypeId::kUtf8)}));
  EXPECT_EQ(table.columns[3].id, 5u);
  EXPECT_TRUE(ChangesNothing(table, AddColumn{Column("X", TypeId::kUtf8), true}));
  EXPECT_TRUE(ChangesNothing(table, DropColumn{"nowhere", true}));
  // In rows of each version its own columns are found.
  ASSERT_OK_AND_ASSIGN(const auto rows, MakeRowSchema(table, 0));
  using Place = RowSchema::Place;
  for (const uint32_t version : {1u, 2u, 3u}) {
    EXPECT_EQ(rows->FindVersion(version)->places[3].kind, Place::kDefault) << version;
    EXPECT_EQ(rows->FindVersion(version)->layout.field_count(), version == 2 ? 3u : 2u);
  }
  EXPECT_EQ(rows->current().places[3].kind, Place::kField);
}

TEST(AlterDefinitionTest, ColumnsAreAddedBeforeTheHiddenRowId) {
  ASSERT_OK_AND_ASSIGN(const TableDefinition table, Alter(Example(false), AddColumn{Column("x", TypeId::kBool)}));
  EXPECT_TRUE(table.has_hidden_row_id());
  EXPECT_EQ(table.columns[3].name, "x");
  EXPECT_EQ(table.columns[3].id, 5u);
  EXPECT_ERROR_HAS(AlterDefinition(table, DropColumn{kRowIdColumn}), "no column '_row_id'");
  EXPECT_ERROR_HAS(AlterDefinition(table, RenameColumn{"x", kRowIdColumn}), "'_row_id' is taken");
}

TEST(AlterDefinitionTest, TypesWidenStepByStep) {
  ASSERT_OK_AND_ASSIGN(TableDefinition table, Alter(Example(), WidenColumn{"n", TypeId::kInt64}));
  EXPECT_EQ(table.schema_version, 2u);
  EXPECT_EQ(table.columns[2].type, ColumnType(TypeId::kInt64));
  ASSERT_OK_AND_ASSIGN(table, Alter(table, AddColumn{Column("f", TypeId::kFloat, true, Value(1.5))}));
  ASSERT_OK_AND_ASSIGN(table, Alter(table, WidenColumn{"f", TypeId::kDouble}));
  EXPECT_EQ(table.columns[3].initial_value.get<double>(), 1.5);
  ASSERT_OK_AND_ASSIGN(const auto rows, MakeRowSchema(table, 0));
  EXPECT_EQ(rows->FindVersion(1)->layout.type(1), ColumnType(TypeId::kInt32));
  EXPECT_EQ(rows->FindVersion(2)->layout.type(1), ColumnType(TypeId::kInt64));
  EXPECT_EQ(rows->FindVersion(3)->layout.type(2), ColumnType(TypeId::kFloat));
  EXPECT_EQ(rows->FindVersion(4)->layout.type(2), ColumnType(TypeId::kDouble));
  EXPECT_TRUE(ChangesNothing(table, WidenColumn{"n", TypeId::kInt64}));
  const arrow::Status narrowed = AlterDefinition(table, WidenColumn{"n", TypeId::kInt32}).status();
  EXPECT_TRUE(narrowed.IsNotImplemented()) << narrowed.ToString();
  EXPECT_ERROR_HAS(narrowed, "Table main.t: column 'n': BIGINT cannot become INTEGER");
  EXPECT_ERROR_HAS(narrowed, "SQL's ALTER TABLE rewrites the rows");
}

TEST(AlterDefinitionTest, WhatRowsDoNotStoreMakesNoVersion) {
  ASSERT_OK_AND_ASSIGN(TableDefinition table, Alter(Example(), RenameColumn{"NOTE", "Note"}));
  ASSERT_OK_AND_ASSIGN(table, Alter(table, RenameColumn{"id", "key"}));
  ASSERT_OK_AND_ASSIGN(table, Alter(table, SetColumnDefault{"n", Value(8)}));
  ASSERT_OK_AND_ASSIGN(table, Alter(table, DropNotNull{"n"}));
  ASSERT_OK_AND_ASSIGN(table, Alter(table, RenameTable{"u"}));
  EXPECT_EQ(table.schema_version, 1u);
  EXPECT_EQ(table.QualifiedName(), "main.u");
  EXPECT_EQ(table.columns[0].name, "key");
  EXPECT_EQ(table.columns[1].name, "Note");
  EXPECT_EQ(table.columns[2].default_value.get<int64_t>(), 8);
  EXPECT_TRUE(table.columns[2].nullable);
  EXPECT_TRUE(ChangesNothing(table, RenameColumn{"Note", "Note"}));
  EXPECT_TRUE(ChangesNothing(table, DropNotNull{"n"}));
  EXPECT_TRUE(ChangesNothing(table, RenameTable{"u"}));
}

TEST(AlterDefinitionTest, RefusalsNameTableColumnAndRemedy) {
  const TableDefinition table = Example();
  const auto expect = [&](const TableAlteration& alteration, const std::string& message) {
    EXPECT_ERROR_HAS(AlterDefinition(table, alteration), "main.t");
    EXPECT_ERROR_HAS(AlterDefinition(table, alteration), message);
  };
  expect(AddColumn{Column("NOTE", TypeId::kInt8)}, "a column 'NOTE' already");
  expect(AddColumn{Column("x", TypeId::kInt8, false)}, "column 'x' is NOT NULL");
  expect(AddColumn{Column("x", TypeId::kInt8, false)}, "give it a default");
  expect(AddColumn{Column("x", TypeId::kInt8, true, Value(1000))}, "column 'x': the default does not fit");
  expect(AddColumn{Column("", TypeId::kInt8)}, "empty name");
  expect(DropColumn{"nowhere"}, "no column 'nowhere'; its columns are: id, note, n");
  expect(DropColumn{"id"}, "column 'id' is part of the primary key and cannot be dropped");
  expect(RenameColumn{"nowhere", "x"}, "no column 'nowhere'");
  expect(RenameColumn{"n", "ID"}, "a column 'ID' already");
  expect(WidenColumn{"id", TypeId::kDouble}, "column 'id' is part of the primary key and its type BIGINT");
  expect(WidenColumn{"note", TypeId::kBinary}, "VARCHAR cannot become BLOB");
  expect(SetColumnDefault{"n", Value("x")}, "column 'n': the default does not fit");
  expect(DropNotNull{"id"}, "always NOT NULL");
  expect(RenameTable{""}, "empty name");
  TableSpec one;
  one.name = "one";
  one.columns = {Column("a", TypeId::kInt8)};
  EXPECT_ERROR_HAS(AlterDefinition(*DefineTable(one, 1001), DropColumn{"a"}), "is the last one and cannot be dropped");
}

// Only the versions that rows are met of are made.
TEST(AlterDefinitionTest, ManyVersionsCostNothing) {
  TableDefinition table = Example();
  table.schema_version = 2'000'000'000;
  table.columns[1].added_version = 1'000'000;
  table.columns[1].initial_value = table.columns[1].default_value = Value("new");
  ASSERT_OK_AND_ASSIGN(const auto rows, MakeRowSchema(table, 0));
  EXPECT_EQ(rows->current().layout.schema_version(), 2'000'000'000U);
  EXPECT_EQ(rows->FindVersion(999'999)->places[1].kind, RowSchema::Place::kDefault);
  EXPECT_EQ(rows->FindVersion(1'000'000)->places[1].kind, RowSchema::Place::kField);
  EXPECT_EQ(rows->FindVersion(1'000'000), rows->FindVersion(1'000'000));
  EXPECT_EQ(rows->FindVersion(0), nullptr);
  EXPECT_EQ(rows->FindVersion(2'000'000'001), nullptr);
}

// t (id, note, twice AS (n * 2), n, CHECK (n > 0)) and its hidden row id.
TableDefinition WithExpressions() {
  TableSpec spec;
  spec.name = "t";
  spec.columns = {Column("id", TypeId::kInt64), Column("note", TypeId::kUtf8), Column("n", TypeId::kInt32)};
  spec.generated_columns = {{.id = 0, .name = "twice", .type = TypeId::kInt32, .expression = "n * 2", .position = 2}};
  spec.checks = {"n > 0"};
  return DefineTable(spec, 1000).ValueOrDie();
}

TEST(AlterDefinitionTest, GeneratedColumnsHaveIdsAndPositionsOfTheirOwn) {
  TableDefinition table = WithExpressions();
  EXPECT_EQ(table.generated_columns[0].id, 4u);
  EXPECT_EQ(table.columns.back().id, 5u);
  const auto positions = [&] {
    std::vector<uint32_t> at;
    for (size_t i = 0; i < table.columns.size(); ++i) at.push_back(SqlPosition(table, i));
    return at;
  };
  EXPECT_EQ(positions(), (std::vector<uint32_t>{0, 1, 3, 4}));
  EXPECT_EQ(ColumnAtSqlPosition(table, 2), std::nullopt);
  EXPECT_EQ(ColumnAtSqlPosition(table, 3), 2u);
  ASSERT_OK_AND_ASSIGN(table, Alter(table, AddColumn{Column("x", TypeId::kInt16)}));
  EXPECT_EQ(table.columns[3].id, 6u);
  EXPECT_EQ(positions(), (std::vector<uint32_t>{0, 1, 3, 4, 5}));
  const TableExpressions same{table.generated_columns, table.checks};
  ASSERT_OK_AND_ASSIGN(table, Alter(table, DropColumn{.name = "note", .expressions = same}));
  EXPECT_EQ(table.generated_columns[0].position, 1u);
  ASSERT_OK_AND_ASSIGN(table, Alter(table, DropColumn{.name = "twice", .expressions = TableExpressions{{}, {}}}));
  EXPECT_TRUE(table.generated_columns.empty());
  EXPECT_EQ(positions(), (std::vector<uint32_t>{0, 1, 2, 3}));
}

TEST(AlterDefinitionTest, WhatExpressionsMayNameChangesWithThemOnly) {
  const TableDefinition table = WithExpressions();
  for (const TableAlteration& change :
       {TableAlteration(DropColumn{"note"}), TableAlteration(RenameColumn{"note", "text"}),
        TableAlteration(WidenColumn{"n", TypeId::kInt64})}) {
    EXPECT_ERROR_HAS(Alter(table, change).status(), "change it with SQL");
  }
  EXPECT_ERROR_HAS(Alter(table, RenameColumn{"note", "Twice"}).status(), "already");
  EXPECT_ERROR_HAS(Alter(table, AddColumn{Column("twice", TypeId::kInt64)}).status(), "already");
  ASSERT_OK_AND_ASSIGN(
      const TableDefinition renamed,
      Alter(table, RenameColumn{.name = "n", .new_name = "m", .expressions = TableExpressions{{}, {"m > 0"}}}));
  EXPECT_EQ(renamed.checks, std::vector<std::string>{"m > 0"});
}

TEST(AlterDefinitionTest, DefaultExpressionsTakeThePlaceOfValues) {
  ColumnSpec added = Column("at", TypeId::kInt64, false, Value(5));
  added.default_expression = "epoch_us(now())";
  ASSERT_OK_AND_ASSIGN(TableDefinition table, Alter(Example(), AddColumn{added}));
  EXPECT_EQ(table.columns[3].initial_value.get<int64_t>(), 5);
  EXPECT_TRUE(table.columns[3].default_value.is_null());
  EXPECT_EQ(table.columns[3].default_expression, "epoch_us(now())");
  ASSERT_OK_AND_ASSIGN(table, Alter(table, SetColumnDefault{.name = "at", .value = Value(6)}));
  EXPECT_EQ(table.columns[3].default_expression, "");
  EXPECT_EQ(table.columns[3].default_value.get<int64_t>(), 6);
}

}  // namespace
}  // namespace yarrow
