#include "database_fixture.h"

#include "batch/validate.h"
#include "key/key_range.h"
#include "key/record_key.h"
#include "store/system_partition.h"
#include "table_fixture.h"
#include "yarrow/scan_iterator.h"
#include "yarrow/store.h"

namespace yarrow::test {

ColumnSpec Column(std::string name, ColumnType type, bool nullable, Value default_value) {
  ColumnSpec column;
  column.name = std::move(name);
  column.type = std::move(type);
  column.nullable = nullable;
  column.default_value = std::move(default_value);
  return column;
}

yarrow::TableSpec Spec(std::string name, std::vector<ColumnSpec> columns, std::vector<std::string> primary_key,
                       TableKind kind) {
  yarrow::TableSpec spec;
  spec.name = std::move(name);
  spec.kind = kind;
  spec.columns = std::move(columns);
  spec.primary_key = std::move(primary_key);
  return spec;
}

yarrow::TableSpec ItemsSpec(std::string name, TableKind kind) {
  return Spec(std::move(name),
              {Column("id", TypeId::kInt64), Column("grp", TypeId::kInt32), Column("name", TypeId::kUtf8),
               Column("price", TypeId::kDouble)},
              {"id"}, kind);
}

bool HasIndexEntries(const Database& database) {
  Store& store = *database.store();
  const KeyRange all = PrefixRange(RecordPrefix(RecordKind::kIndexEntry));
  const Partition rows = OpenSystemPartition(store, "rows").ValueOrDie();
  return store.Scan({.partition = rows, .lower = all.lower, .upper = all.upper}).Next();
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> BatchOf(const std::shared_ptr<arrow::Schema>& schema,
                                                           const Rows& rows) {
  std::vector<ColumnType> types;
  for (const auto& field : schema->fields()) {
    ARROW_ASSIGN_OR_RAISE(types.emplace_back(), ColumnType::FromArrow(*field->type()));
  }
  return BatchOf(schema, types, rows);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> BatchOf(const std::shared_ptr<arrow::Schema>& schema,
                                                           const std::vector<ColumnType>& types, const Rows& rows) {
  arrow::ArrayVector columns;
  for (size_t i = 0; i < types.size(); ++i) {
    std::vector<Value> values;
    for (const auto& row : rows) values.push_back(row[i]);
    ARROW_ASSIGN_OR_RAISE(auto column, MakeArray(types[i], values));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema, static_cast<int64_t>(rows.size()), std::move(columns));
}

std::shared_ptr<arrow::RecordBatch> ItemsBatch(int64_t first, int64_t count, int64_t step) {
  arrow::Int64Builder ids;
  arrow::Int32Builder groups;
  arrow::StringBuilder names;
  arrow::DoubleBuilder prices;
  for (int64_t n = 0; n < count; ++n) {
    const int64_t i = first + n * step;
    EXPECT_OK(ids.Append(i));
    EXPECT_OK(groups.Append(static_cast<int32_t>(i % 10)));
    EXPECT_OK(names.Append("name " + std::to_string(i)));
    EXPECT_OK(i % 3 == 0 ? prices.AppendNull() : prices.Append(static_cast<double>(i % 100)));
  }
  const auto schema = arrow::schema({arrow::field("id", arrow::int64(), false), arrow::field("grp", arrow::int32()),
                                     arrow::field("name", arrow::utf8()), arrow::field("price", arrow::float64())});
  return arrow::RecordBatch::Make(schema, count, {*ids.Finish(), *groups.Finish(), *names.Finish(), *prices.Finish()});
}

std::shared_ptr<arrow::RecordBatchReader> ReaderOf(std::vector<std::shared_ptr<arrow::RecordBatch>> batches) {
  const auto schema = batches.empty() ? ItemsBatch(0, 0)->schema() : batches[0]->schema();
  return arrow::RecordBatchReader::Make(std::move(batches), schema).ValueOrDie();
}

namespace {

class Breaking : public arrow::RecordBatchReader {
 public:
  explicit Breaking(std::vector<std::shared_ptr<arrow::RecordBatch>> good) : good_(std::move(good)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return ItemsBatch(0, 0)->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    if (next_ == good_.size()) return arrow::Status::IOError("the source broke");
    *batch = good_[next_++];
    return arrow::Status::OK();
  }

 private:
  std::vector<std::shared_ptr<arrow::RecordBatch>> good_;
  size_t next_ = 0;
};

}  // namespace

std::shared_ptr<arrow::RecordBatchReader> BreakingReader(std::vector<std::shared_ptr<arrow::RecordBatch>> good) {
  return std::make_shared<Breaking>(std::move(good));
}

Texts TextsOf(const arrow::RecordBatch& batch) {
  Texts texts(static_cast<size_t>(batch.num_rows()));
  for (int c = 0; c < batch.num_columns(); ++c) {
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto scalar = batch.column(c)->GetScalar(static_cast<int64_t>(i)).ValueOrDie();
      if (c > 0) texts[i] += '|';
      texts[i] += scalar->is_valid ? scalar->ToString() : "null";
    }
  }
  return texts;
}

Texts TextsOf(const arrow::RecordBatchVector& batches) {
  Texts texts;
  for (const auto& batch : batches) {
    for (std::string& text : TextsOf(*batch)) texts.push_back(std::move(text));
  }
  return texts;
}

arrow::Result<arrow::RecordBatchVector> ReadBatches(TableScan* scan) {
  arrow::RecordBatchVector batches;
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(scan->ReadNext(&batch));
    if (batch == nullptr) break;
    EXPECT_GT(batch->num_rows(), 0) << "an empty batch";
    EXPECT_EQ(batch->schema().get(), scan->schema().get()) << "another schema object";
    EXPECT_OK(batch::ValidateInFull(*batch));
    batches.push_back(std::move(batch));
  }
  std::shared_ptr<arrow::RecordBatch> after;
  EXPECT_OK(scan->ReadNext(&after));
  EXPECT_EQ(after, nullptr) << "the end stays the end";
  return batches;
}

arrow::Result<Texts> ReadTexts(TableScan* scan) {
  ARROW_ASSIGN_OR_RAISE(const auto batches, ReadBatches(scan));
  return TextsOf(batches);
}

arrow::Result<Texts> ReadTexts(const Table& table, const ScanOptions& options, ScanMetrics* metrics) {
  ARROW_ASSIGN_OR_RAISE(const auto scan, table.Scan(options));
  ARROW_ASSIGN_OR_RAISE(Texts texts, ReadTexts(scan.get()));
  if (metrics != nullptr) *metrics = scan->metrics();
  return texts;
}

arrow::Result<Texts> ReadTexts(Transaction* transaction, const Table& table, const ScanOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto scan, transaction->Scan(table, options));
  return ReadTexts(scan.get());
}

std::string TextOf(const arrow::Result<std::optional<Row>>& row) {
  if (!row.ok()) return row.status().ToString();
  if (!row->has_value()) return "none";
  const auto batch = (*row)->ToBatch();
  return batch.ok() ? TextsOf(**batch)[0] : batch.status().ToString();
}

void DatabaseTest::Open(const StoreOptions& options) {
  session_.reset();
  db_.reset();
  options_ = options;
  ASSERT_OK_AND_ASSIGN(db_, Database::Open(dir_.File("db"), options));
  ASSERT_OK_AND_ASSIGN(session_, db_->OpenSession());
}

void DatabaseTest::Reopen() {
  const std::weak_ptr<Store> store = db_->store();
  session_.reset();
  db_.reset();
  ASSERT_TRUE(store.expired()) << "something still holds the database open";
  Open(options_);
}

std::shared_ptr<Session> DatabaseTest::SessionOf(std::string user) {
  SessionOptions options;
  options.user = std::move(user);
  auto session = db_->OpenSession(options);
  EXPECT_OK(session.status());
  return session.ValueOr(nullptr);
}

std::shared_ptr<Table> DatabaseTest::Create(const yarrow::TableSpec& spec, Session* session) {
  EXPECT_OK(db_->CreateTable(spec).status());
  return OpenTable(spec.schema_name + "." + spec.name, session);
}

std::shared_ptr<Table> DatabaseTest::OpenTable(std::string_view name, Session* session) {
  auto table = (session == nullptr ? session_.get() : session)->OpenTable(name);
  EXPECT_OK(table.status());
  return table.ValueOr(nullptr);
}

void DatabaseTest::Load(Table* table, std::vector<std::shared_ptr<arrow::RecordBatch>> batches) {
  const auto reader = ReaderOf(std::move(batches));
  ASSERT_OK(table->BulkLoad(reader.get()).status());
}

std::shared_ptr<Table> DatabaseTest::CreateItems(int64_t rows) {
  auto table = Create(ItemsSpec());
  Load(table.get(), {ItemsBatch(0, rows)});
  return table;
}

}  // namespace yarrow::test
