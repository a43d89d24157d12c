#include "catalog/catalog.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "catalog/definition_records.h"
#include "catalog/foreign_keys.h"
#include "catalog/table_schema.h"
#include "key/key_range.h"
#include "key/record_key.h"
#include "store/guarded.h"
#include "store/system_partition.h"
#include "yarrow/codec.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {

using arrow::Status;

namespace {

constexpr std::string_view kIdCounters = "row_id/";
constexpr std::string_view kSequenceCounters = "sequence/";
constexpr std::string_view kTableIdCounter = "table_id";
constexpr std::string_view kJobIdCounter = "job_id";

std::string RowIdKey(uint32_t table_id) {
  return std::string(kIdCounters) + std::to_string(table_id);
}

std::string SegmentIdKey(uint32_t table_id) {
  return "segment_id/" + std::to_string(table_id);
}

// No other sequence ever has it, not even one of the same name: what is left of one that was dropped does no harm.
std::string SequenceKey(const ObjectEntry& sequence) {
  return std::string(kSequenceCounters) + std::to_string(sequence.made_at) + "/" + FoldCase(sequence.schema_name) +
         "." + FoldCase(sequence.name);
}

std::string QuotedList(const TableDefinition& definition) {
  std::string out;
  for (uint32_t id : definition.primary_key) {
    for (const ColumnDefinition& column : definition.columns) {
      if (column.id != id || column.hidden) continue;
      if (!out.empty()) out += ", ";
      out += column.name.find_first_of(" ,\"") == std::string::npos ? column.name : '"' + column.name + '"';
    }
  }
  return out;
}

}  // namespace

Catalog::Catalog(std::shared_ptr<Store> store) : store_(std::move(store)) {}

Catalog::~Catalog() {
  if (view_ == nullptr) return;
  // What is not given back is lost as by a crash.
  ARROW_UNUSED(RunGuarded([&] {
    for (const auto& object : view_->Objects()) {
      if (object->numbers) ARROW_UNUSED(object->numbers->GiveBackLease());
    }
  }));
}

std::shared_ptr<IdCounter> Catalog::NumbersOf(const ObjectEntry& sequence) const {
  constexpr int64_t kLease = 32, kLargestLease = 8192;
  return std::make_shared<IdCounter>(store_, counters_, SequenceKey(sequence), kLease, kLargestLease);
}

arrow::Result<std::unique_ptr<Catalog>> Catalog::Open(std::shared_ptr<Store> store) {
  std::unique_ptr<Catalog> catalog(new Catalog(std::move(store)));
  ARROW_RETURN_NOT_OK(catalog->OpenPartitions());
  ARROW_RETURN_NOT_OK(catalog->EnsureSchema(std::string(kMainSchema)));
  ARROW_RETURN_NOT_OK(catalog->EnsureSchema(std::string(kSystemSchema)));
  ARROW_RETURN_NOT_OK(catalog->Load());
  return catalog;
}

Status Catalog::OpenPartitions() {
  ARROW_ASSIGN_OR_RAISE(rows_, OpenSystemPartition(*store_, "rows"));
  ARROW_ASSIGN_OR_RAISE(counters_, OpenSystemPartition(*store_, "counters"));
  const auto open = [this](auto* entities, SystemTableId id) -> Status {
    using Entities = typename std::remove_pointer_t<decltype(entities)>::value_type;
    ARROW_ASSIGN_OR_RAISE(const Partition partition, OpenSystemPartition(*store_, SystemPartition(id)));
    entities->emplace(Entities(store_, partition));
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(open(&schemas_, SystemTableId::kSchemas));
  ARROW_RETURN_NOT_OK(open(&tables_, SystemTableId::kTables));
  ARROW_RETURN_NOT_OK(open(&columns_, SystemTableId::kColumns));
  ARROW_RETURN_NOT_OK(open(&objects_, SystemTableId::kObjects));
  ARROW_RETURN_NOT_OK(open(&indexes_, SystemTableId::kIndexes));
  ARROW_RETURN_NOT_OK(open(&users_, SystemTableId::kUsers));
  ARROW_RETURN_NOT_OK(open(&jobs_, SystemTableId::kJobs));
  ARROW_RETURN_NOT_OK(open(&settings_, SystemTableId::kSettings));
  table_ids_ = std::make_unique<IdCounter>(store_, counters_, std::string(kTableIdCounter));
  job_ids_ = std::make_unique<IdCounter>(store_, counters_, std::string(kJobIdCounter));
  return Status::OK();
}

Status Catalog::EnsureSchema(const std::string& name) {
  ARROW_ASSIGN_OR_RAISE(const auto found, schemas_->Get(SchemaKey{name}));
  return found ? Status::OK() : schemas_->Put(SchemaKey{name}, SchemaRecord{NowMicros()});
}

Status Catalog::LoadObjects(CatalogView* view) {
  for (auto&& stored : objects_->ScanIter()) {
    ARROW_ASSIGN_OR_RAISE(const ObjectKey key, stored.key());
    ARROW_ASSIGN_OR_RAISE(ObjectRecord record, stored.value());
    auto object = std::make_shared<ObjectEntry>();
    ARROW_ASSIGN_OR_RAISE(object->kind, ParseObjectKind(key.kind));
    object->schema_name = key.schema_name;
    object->name = key.object_name;
    object->sql = std::move(record.sql);
    object->definition = std::move(record.definition);
    object->made_at = record.created_at;
    object->owner_table_id = record.owner_table_id.value_or(0);
    if (object->kind == ObjectKind::kSequence) object->numbers = NumbersOf(*object);
    view->Add(std::move(object));
  }
  return Status::OK();
}

// Of one whose building has not ended there is the record alone, which goes.
arrow::Result<Catalog::IndexesOfTables> Catalog::LoadIndexes() {
  IndexesOfTables indexes;
  WriteSet unfinished;
  for (auto&& stored : indexes_->ScanIter()) {
    ARROW_ASSIGN_OR_RAISE(const IndexKey key, stored.key());
    ARROW_ASSIGN_OR_RAISE(IndexRecord record, stored.value());
    if (record.is_building) {
      indexes_->Delete(&unfinished, key);
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(IndexDefinition index, FromRecord(key.index_id, std::move(record)));
    indexes[key.table_id].push_back(std::move(index));
  }
  if (!unfinished.empty()) ARROW_RETURN_NOT_OK(store_->commits().Commit(unfinished).status());
  return indexes;
}

Status Catalog::Load() {
  auto view = std::make_shared<CatalogView>();
  for (auto&& entry : schemas_->ScanIter()) {
    ARROW_ASSIGN_OR_RAISE(const SchemaKey key, entry.key());
    view->Add(std::make_shared<SchemaEntry>(key.schema_name));
  }
  for (SystemTableId id : AllSystemTables()) {
    auto entry = std::make_shared<TableEntry>();
    entry->definition = SystemTableDefinition(id);
    if (!IsComputed(id)) {
      ARROW_ASSIGN_OR_RAISE(entry->partition, OpenSystemPartition(*store_, SystemPartition(id)));
    }
    view->Add(std::move(entry));
  }

  ARROW_RETURN_NOT_OK(LoadObjects(view.get()));
  ARROW_ASSIGN_OR_RAISE(IndexesOfTables indexes, LoadIndexes());
  struct Loading {
    TableDefinition definition;
    std::map<uint32_t, ColumnDefinition> by_position;
    std::map<uint32_t, GeneratedColumn> generated;  // likewise
    std::map<uint32_t, uint32_t> key;               // key position -> column id
  };
  std::map<uint32_t, Loading> loading;
  for (auto&& entry : tables_->ScanIter()) {
    ARROW_ASSIGN_OR_RAISE(const TableKey key, entry.key());
    ARROW_ASSIGN_OR_RAISE(const TableRecord record, entry.value());
    TableDefinition& definition = loading[key.table_id].definition;
    definition.id = key.table_id;
    definition.schema_name = record.schema_name;
    definition.name = record.table_name;
    ARROW_ASSIGN_OR_RAISE(definition.kind, ParseTableKind(record.kind));
    definition.schema_version = record.schema_version;
    definition.policy = record.policy;
    definition.checks = record.checks;
    definition.comment = record.comment;
  }
  for (auto&& entry : columns_->ScanIter()) {
    ARROW_ASSIGN_OR_RAISE(const ColumnKey key, entry.key());
    ARROW_ASSIGN_OR_RAISE(const ColumnRecord record, entry.value());
    Loading& table = loading[key.table_id];
    if (record.generation_expression) {
      ARROW_ASSIGN_OR_RAISE(table.generated[record.position], ToGenerated(key.column_id, record));
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(ColumnDefinition column, FromRecord(key.column_id, record));
    if (record.key_position) table.key[*record.key_position] = key.column_id;
    if (column.dropped_version != 0) {
      table.definition.dropped_columns.push_back(std::make_shared<const ColumnDefinition>(std::move(column)));
    } else {
      table.by_position.emplace(record.position, std::move(column));
    }
  }
  for (auto& [id, table] : loading) {
    for (auto& [position, column] : table.by_position) table.definition.columns.push_back(std::move(column));
    for (auto& [position, column] : table.generated) {
      table.definition.generated_columns.push_back(std::move(column));
    }
    for (const auto& [position, column_id] : table.key) table.definition.primary_key.push_back(column_id);
    table.definition.indexes = std::move(indexes[id]);
  }
  for (auto& [id, table] : loading) {
    for (IndexDefinition& index : table.definition.indexes) {
      if (!index.references) continue;
      const auto referenced = loading.find(index.references->table_id);
      if (referenced == loading.end()) {
        return Status::Invalid("Table ", table.definition.QualifiedName(), " refers to the unknown table ",
                               index.references->table_id);
      }
      NameReference(referenced->second.definition, &*index.references);
      referenced->second.definition.referenced_by.push_back({id, index.id, index.references->columns});
    }
  }
  for (auto& [id, table] : loading) {
    ARROW_ASSIGN_OR_RAISE(auto entry, MakeEntry(std::move(table.definition)));
    view->Add(std::move(entry));
  }
  view_ = std::move(view);
  if (!store_->losses().empty()) return PassLostNumbers();
  // A definition may be among what is lost, so that nobody knows whose the rows are: they stay while that folder does.
  std::error_code error;
  const std::filesystem::path salvaged = store_->path() / "salvaged";
  const bool was_salvaged = std::filesystem::exists(salvaged, error);
  if (error) return Status::IOError("'", salvaged.string(), "': ", error.message());
  return was_salvaged ? Status::OK() : SweepDrafts();
}

// Numbers may have been given away that the counters know nothing of: none may come twice.
Status Catalog::PassLostNumbers() {
  constexpr int64_t kLostTables = 1 << 20, kLostRows = int64_t{1} << 40;  // sequences may be of INTEGER columns
  const auto lost = [&](std::string_view name) {
    return name == kTableIdCounter || name.starts_with(kSequenceCounters) ? kLostTables : kLostRows;
  };
  std::map<std::string, int64_t> counters{{std::string(kTableIdCounter), 1}, {std::string(kJobIdCounter), 1}};
  for (const auto& entry : view_->Tables()) {
    if (entry->row_ids) counters[RowIdKey(entry->definition->id)] = 1;
    if (entry->segment_ids) counters[SegmentIdKey(entry->definition->id)] = 1;
  }
  for (const auto& object : view_->Objects()) {
    if (object->numbers) counters[SequenceKey(*object)] = 1;
  }
  ScanCursor known = store_->Scan({.partition = counters_, .lower = {}, .upper = {}});
  while (known.Next()) {
    ARROW_ASSIGN_OR_RAISE(counters[std::string(known.key())], DefaultValueCodec<int64_t>::Decode(known.value()));
  }
  ARROW_RETURN_NOT_OK(known.status());
  WriteSet writes;
  for (const auto& [name, next] : counters) {
    std::string bytes;
    DefaultValueCodec<int64_t>::Encode(next + lost(name), &bytes);
    writes.Put(counters_, name, bytes);
  }
  CommitOptions options;
  options.sync = true;
  return store_->commits().Commit(writes, options).status();
}

namespace {

// What there is of a table's rows, besides those of its files.
constexpr RecordKind kKindsOfRows[] = {RecordKind::kRow, RecordKind::kManifest, RecordKind::kOverride,
                                       RecordKind::kKeyFilter};

}  // namespace

// What a process that ended before it could publish or remove them has left of its drafts.
Status Catalog::SweepDrafts() {
  std::set<uint32_t> tables;
  std::set<std::string, std::less<>> numbers;  // of them
  std::set<uint32_t> indexes;
  for (const auto& entry : view_->Tables()) {
    tables.insert(entry->definition->id);
    for (const IndexDefinition& index : entry->definition->indexes) indexes.insert(index.id);
  }
  for (const uint32_t id : tables) numbers.insert(std::to_string(id));
  WriteSet writes;
  const auto sweep_records = [&](RecordKind kind, const std::set<uint32_t>& known) {
    const KeyRange all = PrefixRange(RecordPrefix(kind));
    ScanCursor records = store_->Scan({.partition = rows_, .lower = all.lower, .upper = all.upper});
    while (records.Next()) {
      const std::string prefix(records.key().substr(0, kRecordPrefixSize));
      const KeyRange range = PrefixRange(prefix);
      if (known.count(RecordObjectId(prefix)) == 0) writes.DeleteRange(rows_, range.lower, range.upper);
      records.Seek(range.upper);
    }
    return records.status();
  };
  for (const RecordKind kind : kKindsOfRows) ARROW_RETURN_NOT_OK(sweep_records(kind, tables));
  ARROW_RETURN_NOT_OK(sweep_records(RecordKind::kIndexEntry, indexes));
  const auto sweep_counters = [&](std::string_view prefix, const auto& is_used) {
    const KeyRange all = PrefixRange(prefix);
    ScanCursor counters = store_->Scan({.partition = counters_, .lower = all.lower, .upper = all.upper});
    while (counters.Next()) {
      if (!is_used(counters.key())) writes.Delete(counters_, counters.key());
    }
    return counters.status();
  };
  ARROW_RETURN_NOT_OK(sweep_counters(
      kIdCounters, [&](std::string_view key) { return numbers.contains(key.substr(kIdCounters.size())); }));
  std::set<std::string, std::less<>> sequences;
  for (const auto& object : view_->Objects()) {
    if (object->numbers) sequences.insert(SequenceKey(*object));
  }
  ARROW_RETURN_NOT_OK(sweep_counters(kSequenceCounters, [&](std::string_view key) { return sequences.contains(key); }));
  return writes.empty() ? Status::OK() : store_->commits().Commit(writes).status();
}

arrow::Result<std::shared_ptr<const TableEntry>> Catalog::MakeEntry(TableDefinition definition) {
  auto entry = std::make_shared<TableEntry>();
  entry->partition = rows_;
  entry->prefix = RecordPrefix(RecordKind::kRow, definition.id);
  entry->guard = std::make_shared<CommitGuard>("definition of table " + definition.QualifiedName());
  entry->guard_version = entry->guard->version();
  entry->places = std::make_shared<CommitGuard>("places of the rows of table " + definition.QualifiedName());
  if (definition.has_hidden_row_id()) {
    entry->row_ids = std::make_shared<IdCounter>(store_, counters_, RowIdKey(definition.id));
  }
  entry->segment_ids = std::make_shared<IdCounter>(store_, counters_, SegmentIdKey(definition.id));
  entry->definition = std::make_shared<const TableDefinition>(std::move(definition));
  return entry;
}

arrow::Result<std::shared_ptr<const TableEntry>> Catalog::CreateTable(const TableSpec& spec) {
  ARROW_ASSIGN_OR_RAISE(auto entry, DraftTable(spec));
  CatalogChanges changes{.created = {entry}};
  ARROW_RETURN_NOT_OK(AddReferences(*entry->definition, &changes));
  WriteSet writes;
  ARROW_RETURN_NOT_OK(CommitChanges(changes, &writes).status());
  return entry;
}

arrow::Result<std::shared_ptr<const TableEntry>> Catalog::DraftTable(const TableSpec& spec, const CatalogChanges* own) {
  ARROW_RETURN_NOT_OK(CheckNewTable({spec.schema_name, spec.name}, own));
  ARROW_ASSIGN_OR_RAISE(const int64_t number, table_ids_->Take(1 + static_cast<int64_t>(spec.indexes.size())));
  ARROW_ASSIGN_OR_RAISE(TableDefinition definition,
                        DefineTable(spec, kFirstTableId - 1 + static_cast<uint32_t>(number)));
  ARROW_RETURN_NOT_OK(DefineReferences(spec, own, &definition));
  ARROW_RETURN_NOT_OK(CheckNewIndexes(nullptr, definition, own, /*is_commit=*/false));
  ARROW_RETURN_NOT_OK(MakeRowSchema(definition, 0).status());  // an impossible layout must not get into the catalog
  return MakeEntry(std::move(definition));
}

void Catalog::AddDefinition(const TableDefinition& definition, const TableDefinition* before, int64_t created_at,
                            WriteSet* writes) const {
  TableRecord record;
  record.schema_name = definition.schema_name;
  record.table_name = definition.name;
  record.kind = TableKindName(definition.kind);
  record.primary_key = QuotedList(definition);
  record.schema_version = definition.schema_version;
  record.created_at = created_at;
  record.policy = definition.policy;
  record.checks = definition.checks;
  record.comment = definition.comment;
  tables_->Put(writes, TableKey{definition.id}, record);
  for (size_t i = 0; i < definition.columns.size(); ++i) {
    const ColumnDefinition& column = definition.columns[i];
    columns_->Put(writes, ColumnKey{definition.id, column.id},
                  ToRecord(definition, column, SqlPosition(definition, i) + 1));
  }
  for (const GeneratedColumn& column : definition.generated_columns) {
    columns_->Put(writes, ColumnKey{definition.id, column.id}, ToRecord(definition, column));
  }
  for (const GeneratedColumn& column : before == nullptr ? std::vector<GeneratedColumn>() : before->generated_columns) {
    const bool stays = std::ranges::count(definition.generated_columns, column.id, &GeneratedColumn::id) > 0;
    if (!stays) columns_->Delete(writes, ColumnKey{definition.id, column.id});
  }
  // Those that were dropped before are written again when the table's name has changed, which is in their records.
  const bool is_renamed =
      before == nullptr || before->name != definition.name || before->schema_name != definition.schema_name;
  for (size_t i = is_renamed ? 0 : before->dropped_columns.size(); i < definition.dropped_columns.size(); ++i) {
    const ColumnDefinition& column = *definition.dropped_columns[i];
    columns_->Put(writes, ColumnKey{definition.id, column.id}, ToRecord(definition, column, 0));
  }
  AddIndexes(definition, before, writes);
}

void Catalog::AddIndexes(const TableDefinition& definition, const TableDefinition* before, WriteSet* writes) const {
  for (const IndexDefinition& index : definition.indexes) {
    indexes_->Put(writes, IndexKey{definition.id, index.id}, ToRecord(definition, index));
  }
  if (before == nullptr) return;
  for (const IndexDefinition& index : before->indexes) {
    if (std::ranges::count(definition.indexes, index.id, &IndexDefinition::id) > 0) continue;
    indexes_->Delete(writes, IndexKey{definition.id, index.id});
    RemoveEntries(index, writes);
  }
}

void Catalog::RemoveIndexes(const TableDefinition& definition, WriteSet* writes) const {
  for (const IndexDefinition& index : definition.indexes) {
    indexes_->Delete(writes, IndexKey{definition.id, index.id});
  }
}

void Catalog::RemoveEntries(const IndexDefinition& index, WriteSet* writes) const {
  const std::string prefix = RecordPrefix(RecordKind::kIndexEntry, index.id);
  writes->DeleteRange(rows_, prefix, PrefixSuccessor(prefix));
}

Status Catalog::RemoveRows(std::span<const std::shared_ptr<const TableEntry>> dropped,
                           std::span<const IndexDefinition> indexes) const {
  WriteSet writes;
  for (const auto& entry : dropped) RemoveRows(*entry, &writes);
  for (const IndexDefinition& index : indexes) RemoveEntries(index, &writes);
  return store_->commits().Commit(writes).status();
}

void Catalog::RemoveRows(const TableEntry& entry, WriteSet* writes) const {
  for (const RecordKind kind : kKindsOfRows) {
    const std::string prefix = RecordPrefix(kind, entry.definition->id);
    writes->DeleteRange(rows_, prefix, PrefixSuccessor(prefix));
  }
  for (const IndexDefinition& index : entry.definition->indexes) RemoveEntries(index, writes);
  if (entry.row_ids) writes->Delete(counters_, RowIdKey(entry.definition->id));
  writes->Delete(counters_, SegmentIdKey(entry.definition->id));
}

// Of sequences that go, and do not come back with a comment.
void Catalog::RemoveNumbers(const CatalogChanges& changes, WriteSet* writes) const {
  for (const auto& object : changes.dropped_objects) {
    const bool stays = std::ranges::count(changes.created_objects, object->numbers, &ObjectEntry::numbers) > 0;
    if (object->numbers && !stays) writes->Delete(counters_, SequenceKey(*object));
  }
}

Status Catalog::DropTable(const QualifiedName& name) {
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto entry, Find(name));
    WriteSet writes;
    CatalogChanges changes{.dropped = {entry}};
    RemoveReferences(*entry->definition, &changes);
    const Status status = CommitChanges(changes, &writes).status();
    if (!IsConflict(status)) return status;  // else it was altered meanwhile
  }
}

Status Catalog::NotFound(const QualifiedName& name) const {
  std::string known;
  for (const auto& table : Tables()) {
    if (table->definition->kind == TableKind::kSystem) continue;
    known += (known.empty() ? "" : ", ") + table->definition->QualifiedName();
  }
  return Status::KeyError("There is no table ", name.schema_name, ".", name.name,
                          "; the tables are: ", known.empty() ? "(none yet)" : known, " and those of schema system");
}

arrow::Result<std::shared_ptr<const TableEntry>> Catalog::Find(const QualifiedName& name) const {
  if (auto entry = View()->Find(name)) return entry;
  return NotFound(name);
}

std::vector<std::shared_ptr<const TableEntry>> Catalog::Tables() const {
  return View()->Tables();
}

Status Catalog::EnsureUser(const std::string& user) {
  ARROW_ASSIGN_OR_RAISE(const auto found, users_->Get(UserKey{user}));
  return found ? Status::OK() : users_->Put(UserKey{user}, UserRecord{NowMicros()});
}

arrow::Result<uint64_t> Catalog::NextJobId() {
  ARROW_ASSIGN_OR_RAISE(const int64_t id, job_ids_->Take(1));
  return static_cast<uint64_t>(id);
}

}  // namespace yarrow
