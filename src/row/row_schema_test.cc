#include "row/row_schema.h"

#include <arrow/type.h>

#include "arrow_assert.h"

namespace yarrow {
namespace {

// "s.t" with the key (id, score) and the columns id, name, score, added (new in version 2); column 4 was dropped.
RowSchema::Options Example() {
  RowSchema::Options options;
  options.table_name = "s.t";
  options.columns = {{1, "id", TypeId::kInt64, false, Value()},
                     {2, "name", TypeId::kUtf8, true, Value()},
                     {3, "score", TypeId::kDouble, false, Value()},
                     {5, "added", ColumnType::Decimal(6, 2), false, Value(7)}};
  options.key_column_ids = {1, 3};
  options.key_prefix_size = 5;
  options.versions = {{1, {2, 3, 4}, {TypeId::kUtf8, TypeId::kDouble, TypeId::kBool}},
                      {4, {2, 3, 5}, {TypeId::kUtf8, TypeId::kDouble, ColumnType::Decimal(6, 2)}}};
  return options;
}

// The example with one thing changed.
template <class Change>
arrow::Status MakeChanged(const Change& change) {
  RowSchema::Options options = Example();
  change(&options);
  return RowSchema::Make(std::move(options)).status();
}

TEST(RowSchemaTest, PlacesOfColumnsInEveryVersion) {
  ASSERT_OK_AND_ASSIGN(const auto schema, RowSchema::Make(Example()));
  using Place = RowSchema::Place;
  const auto places = [&](uint32_t version) {
    std::vector<std::pair<Place::Kind, int>> result;
    for (const Place& place : schema->FindVersion(version)->places) {
      result.emplace_back(place.kind, place.kind == Place::kDefault ? 0 : place.index);
    }
    return result;
  };
  EXPECT_EQ(places(1), (std::vector<std::pair<Place::Kind, int>>{
                           {Place::kKeyPart, 0}, {Place::kField, 0}, {Place::kField, 1}, {Place::kDefault, 0}}));
  EXPECT_EQ(places(4), (std::vector<std::pair<Place::Kind, int>>{
                           {Place::kKeyPart, 0}, {Place::kField, 0}, {Place::kField, 1}, {Place::kField, 2}}));
  EXPECT_EQ(schema->FindVersion(1)->column_of_field, (std::vector<int>{1, 2, -1}));
  EXPECT_EQ(schema->FindVersion(1)->layout.schema_version(), 1u);
  EXPECT_EQ(schema->current().layout.schema_version(), 4u);
  for (const uint32_t unknown : {0u, 2u, 5u}) EXPECT_EQ(schema->FindVersion(unknown), nullptr);
  EXPECT_EQ(schema->columns()[3].default_value.get<Decimal>().unscaled, 700) << "defaults take the exact form";
  EXPECT_EQ(schema->key_columns(), (std::vector<int>{0, 2}));
  EXPECT_EQ(schema->key_part(0), 0);
  EXPECT_EQ(schema->key_part(1), -1);
  EXPECT_EQ(schema->key_part(2), 1);
}

TEST(RowSchemaTest, ColumnsAreFoundAsSqlDoes) {
  RowSchema::Options options = Example();
  options.columns[1].name = "ID";
  options.columns[3].name = "Größe";
  ASSERT_OK_AND_ASSIGN(const auto schema, RowSchema::Make(std::move(options)));
  EXPECT_EQ(schema->FindColumn("id"), 0);
  EXPECT_EQ(schema->FindColumn("ID"), 1);
  EXPECT_EQ(schema->FindColumn("Id"), -1) << "two columns fit";
  EXPECT_EQ(schema->FindColumn("SCORE"), 2);
  EXPECT_EQ(schema->FindColumn("GRößE"), 3);
  EXPECT_EQ(schema->FindColumn("scor"), -1);
  EXPECT_EQ(schema->FindColumn(""), -1);
}

TEST(RowSchemaTest, ArrowSchemaHasAllColumns) {
  ASSERT_OK_AND_ASSIGN(const auto schema, RowSchema::Make(Example()));
  const auto expected = arrow::schema({arrow::field("id", arrow::int64(), false), arrow::field("name", arrow::utf8()),
                                       arrow::field("score", arrow::float64(), false),
                                       arrow::field("added", arrow::decimal128(6, 2), false)});
  EXPECT_TRUE(schema->arrow_schema()->Equals(*expected)) << schema->arrow_schema()->ToString();
  EXPECT_EQ(schema->arrow_schema().get(), schema->arrow_schema().get());
}

TEST(RowSchemaTest, StoredColumnsAreAllButExactKeyParts) {
  const RowSchema::Options options = Example();
  EXPECT_EQ(RowSchema::StoredColumnIds(options.columns, {1, 3}), (std::vector<uint32_t>{2, 3, 5}));
  EXPECT_EQ(RowSchema::StoredColumnIds(options.columns, {2, 5}), (std::vector<uint32_t>{1, 3}));
}

TEST(RowSchemaTest, KeysAreDescribed) {
  RowSchema::Options options = Example();
  options.columns[1].nullable = false;
  options.columns.push_back({6, "day", TypeId::kDate32, false, Value()});
  options.key_column_ids = {1, 2, 6, 3};
  options.versions = {{1, {2, 3, 5}, {TypeId::kUtf8, TypeId::kDouble, ColumnType::Decimal(6, 2)}}};
  ASSERT_OK_AND_ASSIGN(const auto schema, RowSchema::Make(std::move(options)));
  std::string key = "12345";
  ASSERT_OK(schema->key_codec().Encode(std::vector<Value>{Value(1), Value("U'A"), Value(0), Value(0.5)}, &key));
  EXPECT_EQ(schema->DescribeKey(key), "key (1, 'U''A', '1970-01-01', 0.5)");
  EXPECT_EQ(schema->DescribeKey(key.substr(0, 7)), "key 0x31323334358000");
  EXPECT_EQ(schema->DescribeKey("12"), "key 0x3132");
}

TEST(RowSchemaTest, ErrorsNameTableAndColumn) {
  using Options = RowSchema::Options;
  ASSERT_OK(MakeChanged([](Options*) {}));
  EXPECT_ERROR_HAS(MakeChanged([](Options* o) { o->key_column_ids = {}; }), "table s.t: it has no key column");
  EXPECT_ERROR_HAS(MakeChanged([](Options* o) { o->key_column_ids = {9}; }), "unknown column id 9");
  EXPECT_ERROR_HAS(MakeChanged([](Options* o) { o->key_column_ids = {1, 1}; }), "the column 'id' twice");
  EXPECT_ERROR_HAS(MakeChanged([](Options* o) { o->columns[0].nullable = true; }), "key column 'id' must be NOT NULL");
  EXPECT_ERROR_HAS(MakeChanged([](Options* o) { o->columns[1].name = "id"; }), "two columns are named 'id'");
  EXPECT_ERROR_HAS(MakeChanged([](Options* o) { o->columns[1].name = ""; }), "column 2 has no name");
  EXPECT_ERROR_HAS(MakeChanged([](Options* o) { o->columns[1].id = 1; }), "two columns have the id 1");
  EXPECT_ERROR_HAS(MakeChanged([](Options* o) { o->columns[0].type = ColumnType::Decimal(0, 0); }), "column 'id'");
  EXPECT_ERROR_HAS(MakeChanged([](Options* o) { o->columns[3].default_value = Value(0.001); }), "column 'added': def");
  EXPECT_ERROR_HAS(MakeChanged([](Options* o) { o->columns[3].default_value = Value(); }),
                   "column 'added' is NOT NULL and rows of schema version 1 do not have it");
}

TEST(RowSchemaTest, VersionsAreChecked) {
  using Options = RowSchema::Options;
  EXPECT_ERROR_HAS(MakeChanged([](Options* o) { o->versions = {}; }), "it has no schema version");
  EXPECT_ERROR_HAS(MakeChanged([](Options* o) { o->versions[1].version = 1; }), "schema version 1 follows 1");
  EXPECT_ERROR_HAS(MakeChanged([](Options* o) { o->versions[0].types.pop_back(); }), "3 columns but 2 types");
  EXPECT_ERROR_HAS(MakeChanged([](Options* o) { o->versions[0].column_ids[2] = 3; }), "column id 3 twice");
  EXPECT_ERROR_HAS(MakeChanged([](Options* o) { o->versions.pop_back(); }), "does not store the column 'added'");
  EXPECT_ERROR_HAS(MakeChanged([](Options* o) { o->versions[0].column_ids[1] = 9; }), "key column 'score', whose key");
  const arrow::Status widened = MakeChanged([](Options* o) { o->versions[0].types[0] = TypeId::kBinary; });
  EXPECT_ERROR_HAS(widened, "column 'name' is VARCHAR but was BLOB in schema version 1, which does not widen to it");
}

}  // namespace
}  // namespace yarrow
