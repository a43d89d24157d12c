// Schemas, tables and other objects that come and go: checks against the present, then one commit, then a new view for
// all who look.
#include <algorithm>
#include <utility>

#include "catalog/catalog.h"
#include "catalog/table_schema.h"
#include "store/store_commits.h"

namespace yarrow {

using arrow::Status;

namespace {

bool SameName(std::string_view a, std::string_view b) {
  return FoldCase(a) == FoldCase(b);
}

bool IsIn(const std::vector<std::shared_ptr<const SchemaEntry>>& schemas, std::string_view name) {
  return std::ranges::any_of(schemas, [&](const auto& schema) { return SameName(schema->name, name); });
}

bool IsOneOf(const std::vector<std::shared_ptr<const SchemaEntry>>& schemas, const SchemaEntry& schema) {
  return std::ranges::any_of(schemas, [&](const auto& other) { return other.get() == &schema; });
}

bool IsOneOf(const std::vector<std::shared_ptr<const TableEntry>>& tables, const TableEntry& table) {
  return std::ranges::any_of(tables, [&](const auto& other) { return other->definition->id == table.definition->id; });
}

bool IsOneOf(const std::vector<std::shared_ptr<const ObjectEntry>>& objects, const ObjectEntry& object) {
  return std::ranges::any_of(objects, [&](const auto& other) { return other.get() == &object; });
}

Status MadeByAnother(const std::string& what) {
  return ConflictError(what +
                       " exists already: another transaction made it after this one began; run the "
                       "transaction again");
}

Status DroppedByAnother(const std::string& what) {
  return ConflictError(what + " was dropped by another transaction after this one began; run the transaction again");
}

// Whether the transaction gives the table another name.
bool IsRenamed(const std::vector<AlteredTable>& altered, const TableEntry& table) {
  return std::ranges::any_of(altered, [&](const AlteredTable& alteration) {
    return alteration.before->definition->id == table.definition->id &&
           !SameName(alteration.before->definition->name, alteration.after->definition->name);
  });
}

// Whether the transaction drops an index of the table, or the table. Another one may have the name by then.
bool LosesIndex(const CatalogChanges& changes, const TableEntry& table, std::string_view name) {
  if (IsOneOf(changes.dropped, table)) return true;
  const auto altered = std::ranges::find_if(changes.altered, [&](const AlteredTable& alteration) {
    return alteration.before->definition->id == table.definition->id;
  });
  if (altered == changes.altered.end()) return false;
  const auto index = std::ranges::find_if(table.definition->indexes,
                                          [&](const IndexDefinition& one) { return SameName(one.name, name); });
  return std::ranges::count(altered->after->definition->indexes, index->id, &IndexDefinition::id) == 0;
}

// Whether it makes an index of the name for another table.
bool MakesIndex(const CatalogChanges& changes, const TableDefinition& table, const IndexDefinition& index) {
  const auto has_it = [&](const TableEntry& other) {
    const TableDefinition& definition = *other.definition;
    return definition.id != table.id && SameName(definition.schema_name, table.schema_name) &&
           std::ranges::any_of(definition.indexes,
                               [&](const IndexDefinition& one) { return SameName(one.name, index.name); });
  };
  return std::ranges::any_of(changes.created, [&](const auto& entry) { return has_it(*entry); }) ||
         std::ranges::any_of(changes.altered, [&](const AlteredTable& altered) { return has_it(*altered.after); });
}

// Says to the readers of what goes that its end is being committed; until its sequence is known they wait, unless their
// snapshot is from before.
class Ends {
 public:
  Ends(const CatalogChanges& changes, uint64_t last_sequence) {
    for (const auto& table : changes.dropped) marks_.push_back(table->ended_at.get());
    for (const auto& alteration : changes.altered) marks_.push_back(alteration.before->ended_at.get());
    for (const auto& schema : changes.dropped_schemas) marks_.push_back(schema->dropped_at.get());
    for (const auto& object : changes.dropped_objects) marks_.push_back(object->ended_at.get());
    Set(TableEntry::kEnding + last_sequence);
  }
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;
  // Unless they were committed, they have not ended.
  ~Ends() {
    if (!is_committed_) Set(0);
  }
  void Committed(uint64_t sequence) noexcept {
    is_committed_ = true;
    Set(sequence);
  }

 private:
  void Set(uint64_t sequence) noexcept {
    for (std::atomic<uint64_t>* mark : marks_) mark->store(sequence, std::memory_order_release);
  }

  bool is_committed_ = false;
  std::vector<std::atomic<uint64_t>*> marks_;
};

// A snapshot may have what ended when its taker finds it in no view any more; that is soon.
template <class Entry>
void KeepEnded(const Entry& entry, std::deque<Entry>* ended) {
  constexpr size_t kMostEnded = 64;
  ended->push_back(entry);
  if (ended->size() > kMostEnded) ended->pop_front();
}

// Set for as long as it lives.
class Flag {
 public:
  explicit Flag(std::atomic<bool>* flag) : flag_(flag) { flag_->store(true, std::memory_order_seq_cst); }
  Flag(const Flag&) = delete;
  Flag& operator=(const Flag&) = delete;
  ~Flag() { flag_->store(false, std::memory_order_seq_cst); }

 private:
  std::atomic<bool>* const flag_;
};

bool WasThereAt(const std::atomic<uint64_t>& created_at, const std::atomic<uint64_t>& ended_at,
                const Snapshot& snapshot) {
  const uint64_t ended = ended_at.load(std::memory_order_acquire);
  return created_at.load(std::memory_order_acquire) <= snapshot.sequence() &&
         (ended == 0 || ended > snapshot.sequence());
}

// While the guards of the tables are held.
Status CheckUnchanged(const std::vector<std::shared_ptr<const TableEntry>>& tables, const CommitOptions& options) {
  for (const auto& table : tables) {
    if (table->guard->last_commit_sequence() <= options.transaction->snapshot().sequence()) continue;
    return ConflictError("another transaction changed rows of table " + table->definition->QualifiedName() +
                         " after this one began; run the transaction again");
  }
  return Status::OK();
}

}  // namespace

Status Catalog::CreateSchema(std::string_view name) {
  ARROW_ASSIGN_OR_RAISE(auto schema, DraftSchema(name));
  WriteSet writes;
  return CommitChanges({.created_schemas = {std::move(schema)}}, &writes).status();
}

Status Catalog::DropSchema(std::string_view name) {
  const auto view = View();
  const auto schema = view->FindSchema(name);
  if (schema == nullptr) return Status::KeyError("There is no schema ", name);
  ARROW_RETURN_NOT_OK(CheckDroppable(*schema));
  for (const auto& table : view->Tables()) {
    if (!SameName(table->definition->schema_name, name)) continue;
    return Status::Invalid("Schema ", name, " is not empty: drop table ", table->definition->QualifiedName(), " first");
  }
  for (const auto& object : view->Objects()) {
    if (!SameName(object->schema_name, name)) continue;
    return Status::Invalid("Schema ", name, " is not empty: drop ", object->Description(), " first");
  }
  WriteSet writes;
  return CommitChanges({.dropped_schemas = {schema}}, &writes).status();
}

std::vector<std::string> Catalog::Schemas() const {
  std::vector<std::string> names;
  for (const auto& schema : View()->Schemas()) names.push_back(schema->name);
  return names;
}

arrow::Result<std::shared_ptr<const SchemaEntry>> Catalog::DraftSchema(std::string_view name,
                                                                       const CatalogChanges* own) const {
  if (name.empty()) return Status::Invalid("A schema needs a name");
  if (name.find('\0') != std::string_view::npos) return Status::Invalid("The name of a schema has a zero byte in it");
  auto schema = std::make_shared<const SchemaEntry>(std::string(name));
  ARROW_RETURN_NOT_OK(CheckNewSchema(*schema, own));
  return schema;
}

Status Catalog::CheckDroppable(const SchemaEntry& schema) {
  if (!SameName(schema.name, kMainSchema) && !SameName(schema.name, kSystemSchema)) return Status::OK();
  return Status::Invalid("Schema ", schema.name, " is part of every database and cannot be dropped");
}

Status Catalog::CheckNewSchema(const SchemaEntry& schema, const CatalogChanges* own) const {
  const auto existing = View()->FindSchema(schema.name);
  if (existing == nullptr || (own != nullptr && IsOneOf(own->dropped_schemas, *existing))) return Status::OK();
  if (own != nullptr) return MadeByAnother("schema " + schema.name);
  return Status::AlreadyExists("Schema ", schema.name, " exists already");
}

Status Catalog::CheckSchemaOfNew(std::string_view schema_name, const std::string& what,
                                 const CatalogChanges* own) const {
  const std::string schema(schema_name);
  if (SameName(schema, kSystemSchema)) {
    return Status::Invalid(what, ": schema system belongs to the database; choose another");
  }
  if (own != nullptr && IsIn(own->created_schemas, schema)) return Status::OK();
  if (View()->FindSchema(schema) != nullptr) return Status::OK();
  if (own != nullptr) return DroppedByAnother(what + ": schema " + schema);
  return Status::KeyError(what, ": there is no schema ", schema, "; create it first");
}

Status Catalog::CheckNewTable(const QualifiedName& name, const CatalogChanges* own) const {
  const std::string text = name.schema_name + "." + name.name;
  ARROW_RETURN_NOT_OK(CheckSchemaOfNew(name.schema_name, "table " + text, own));
  const auto view = View();
  const auto holder = view->FindObject(ObjectKind::kView, name);
  if (holder != nullptr && (own == nullptr || !IsOneOf(own->dropped_objects, *holder))) {
    if (own != nullptr) return MadeByAnother(holder->Description());
    return Status::AlreadyExists("Table ", text, ": ", holder->Description(), " has its name");
  }
  const auto existing = view->Find(name);
  if (existing == nullptr) return Status::OK();
  if (own != nullptr && (IsOneOf(own->dropped, *existing) || IsRenamed(own->altered, *existing))) return Status::OK();
  if (own != nullptr) return MadeByAnother("table " + text);
  return Status::AlreadyExists("Table ", text, " exists already");
}

Status Catalog::CheckNewIndexes(const TableDefinition* before, const TableDefinition& after, const CatalogChanges* own,
                                bool is_commit) const {
  for (const IndexDefinition& index : after.indexes) {
    const bool is_old = before != nullptr && std::ranges::count(before->indexes, index.id, &IndexDefinition::id) > 0;
    if (index.is_constraint() || is_old) continue;
    const auto holder = View()->FindTableOfIndex({after.schema_name, index.name});
    const bool is_taken = holder != nullptr && (own == nullptr || !LosesIndex(*own, *holder, index.name));
    if (is_taken && is_commit) return MadeByAnother("index " + after.schema_name + "." + index.name);
    if (is_taken || (own != nullptr && MakesIndex(*own, after, index))) {
      return Status::AlreadyExists("Index ", after.schema_name, ".", index.name, " exists already");
    }
  }
  return Status::OK();
}

Status Catalog::CheckNewObject(const ObjectEntry& object, const CatalogChanges* own) const {
  const std::string what = object.Description();
  ARROW_RETURN_NOT_OK(CheckSchemaOfNew(object.schema_name, what, own));
  const auto view = View();
  const QualifiedName name{object.schema_name, object.name};
  if (const auto table = object.kind == ObjectKind::kView ? view->Find(name) : nullptr) {
    const bool goes = own != nullptr && (IsOneOf(own->dropped, *table) || IsRenamed(own->altered, *table));
    if (!goes && own != nullptr) return MadeByAnother("table " + table->definition->QualifiedName());
    if (!goes) return Status::AlreadyExists(what, ": a table has its name");
  }
  const auto existing = view->FindObject(object.kind, name);
  if (existing == nullptr || (own != nullptr && IsOneOf(own->dropped_objects, *existing))) return Status::OK();
  return own != nullptr ? MadeByAnother(what) : Status::AlreadyExists(what, " exists already");
}

Status Catalog::CheckDroppedObject(const ObjectEntry& object) const {
  const auto present = View()->FindObject(object.kind, {object.schema_name, object.name});
  return present.get() == &object ? Status::OK() : DroppedByAnother(object.Description());
}

Status Catalog::CheckDroppedSchema(const SchemaEntry& schema, const CatalogChanges& changes) const {
  ARROW_RETURN_NOT_OK(CheckDroppable(schema));
  const auto view = View();
  if (view->FindSchema(schema.name).get() != &schema) return DroppedByAnother("schema " + schema.name);
  for (const auto& table : view->Tables()) {
    if (!SameName(table->definition->schema_name, schema.name) || IsOneOf(changes.dropped, *table)) continue;
    return ConflictError("schema " + schema.name + " cannot be dropped: another transaction made table " +
                         table->definition->QualifiedName() + " after this one began; run the transaction again");
  }
  for (const auto& object : view->Objects()) {
    if (!SameName(object->schema_name, schema.name) || IsOneOf(changes.dropped_objects, *object)) continue;
    return ConflictError("schema " + schema.name + " cannot be dropped: another transaction made " +
                         object->Description() + " after this one began; run the transaction again");
  }
  return Status::OK();
}

Status Catalog::CheckPresent(const TableEntry& entry, std::string_view change) const {
  const TableDefinition& definition = *entry.definition;
  if (definition.kind == TableKind::kSystem) {
    return Status::Invalid("Table ", definition.QualifiedName(), " belongs to the database and cannot be ", change);
  }
  const auto present = View()->Find(definition.id);
  if (present.get() == &entry) return Status::OK();
  if (present == nullptr) return DroppedByAnother("table " + definition.QualifiedName());
  return ConflictError("table " + definition.QualifiedName() +
                       " was altered by another transaction after this one began; run the transaction again");
}

// Under ddl_mutex_.
Status Catalog::CheckChanges(const CatalogChanges& changes, bool in_transaction) const {
  const CatalogChanges* own = in_transaction ? &changes : nullptr;
  for (const auto& entry : changes.dropped) ARROW_RETURN_NOT_OK(CheckPresent(*entry, "dropped"));
  for (const auto& alteration : changes.altered) ARROW_RETURN_NOT_OK(CheckPresent(*alteration.before, "altered"));
  for (const auto& schema : changes.dropped_schemas) ARROW_RETURN_NOT_OK(CheckDroppedSchema(*schema, changes));
  for (const auto& object : changes.dropped_objects) ARROW_RETURN_NOT_OK(CheckDroppedObject(*object));
  for (const auto& schema : changes.created_schemas) ARROW_RETURN_NOT_OK(CheckNewSchema(*schema, own));
  for (const auto& object : changes.created_objects) ARROW_RETURN_NOT_OK(CheckNewObject(*object, own));
  for (const auto& entry : changes.created) {
    ARROW_RETURN_NOT_OK(CheckNewTable({entry->definition->schema_name, entry->definition->name}, own));
    ARROW_RETURN_NOT_OK(CheckNewIndexes(nullptr, *entry->definition, own, in_transaction));
  }
  for (const auto& entry : changes.dropped) ARROW_RETURN_NOT_OK(CheckNotReferenced(*entry->definition, changes));
  for (const auto& alteration : changes.altered) {
    const TableDefinition& after = *alteration.after->definition;
    ARROW_RETURN_NOT_OK(CheckNewIndexes(alteration.before->definition.get(), after, own, in_transaction));
    if (SameName(alteration.before->definition->name, after.name)) continue;
    ARROW_RETURN_NOT_OK(CheckNewTable({after.schema_name, after.name}, own));
  }
  return Status::OK();
}

Status Catalog::AddWrites(const CatalogChanges& changes, WriteSet* writes) const {
  for (const auto& entry : changes.dropped) {
    const TableDefinition& definition = *entry->definition;
    tables_->Delete(writes, TableKey{definition.id});
    for (const ColumnDefinition& column : definition.columns) {
      columns_->Delete(writes, ColumnKey{definition.id, column.id});
    }
    for (const GeneratedColumn& column : definition.generated_columns) {
      columns_->Delete(writes, ColumnKey{definition.id, column.id});
    }
    for (const auto& column : definition.dropped_columns)
      columns_->Delete(writes, ColumnKey{definition.id, column->id});
    RemoveIndexes(definition, writes);
    RemoveRows(*entry, writes);
  }
  for (const auto& schema : changes.dropped_schemas) schemas_->Delete(writes, SchemaKey{schema->name});
  for (const auto& schema : changes.created_schemas) {
    schemas_->Put(writes, SchemaKey{schema->name}, SchemaRecord{NowMicros()});
  }
  const auto key_of = [](const ObjectEntry& object) {
    return ObjectKey{object.schema_name, std::string(ObjectKindName(object.kind)), object.name};
  };
  for (const auto& object : changes.dropped_objects) objects_->Delete(writes, key_of(*object));
  RemoveNumbers(changes, writes);
  for (const auto& object : changes.created_objects) {
    const auto owner = object->owner_table_id == 0 ? std::nullopt : std::optional(object->owner_table_id);
    objects_->Put(writes, key_of(*object), ObjectRecord{object->sql, object->definition, object->made_at, owner});
  }
  for (const auto& entry : changes.created) AddDefinition(*entry->definition, nullptr, NowMicros(), writes);
  for (const auto& alteration : changes.altered) {
    const TableDefinition& definition = *alteration.after->definition;
    ARROW_ASSIGN_OR_RAISE(const auto record, tables_->Get(TableKey{definition.id}));
    if (!record) return Status::Invalid("Table ", definition.QualifiedName(), " is missing in system.tables");
    AddDefinition(definition, alteration.before->definition.get(), record->created_at, writes);
  }
  return Status::OK();
}

arrow::Result<CommitResult> Catalog::CommitChanges(const CatalogChanges& changes, WriteSet* writes,
                                                   const CommitOptions& options) {
  std::lock_guard ddl(ddl_mutex_);
  ARROW_RETURN_NOT_OK(CheckChanges(changes, options.transaction != nullptr));
  ARROW_RETURN_NOT_OK(AddWrites(changes, writes));
  std::vector<std::shared_ptr<const TableEntry>> ended = changes.dropped;
  for (const auto& alteration : changes.altered) {
    // Whoever wrote with the definition before has written what the one after asks for.
    if (alteration.after->guard_version != alteration.before->guard_version) ended.push_back(alteration.before);
  }
  std::vector<GuardUse> guards(options.guards.begin(), options.guards.end());
  for (const auto& entry : ended) {
    std::erase_if(guards, [&](const GuardUse& use) { return use.guard == entry->guard.get(); });
    guards.push_back({.guard = entry->guard.get(), .version = entry->guard_version, .exclusive = true});
  }
  CommitOptions synced = options;
  synced.guards = guards;
  synced.sync = true;
  synced.when_admitted = [&] {
    ARROW_RETURN_NOT_OK(CheckUnchanged(changes.read_whole, options));
    return options.when_admitted ? options.when_admitted() : Status::OK();
  };
  Publication next = Prepare(changes);
  Ends ends(changes, store_->LatestSequence());
  const Flag committing(&committing_);
  const arrow::Result<CommitResult> committed = store_->commits().Commit(*writes, synced);
  if (!committed.ok()) return committed;
  ends.Committed(committed->last_sequence);
  Publish(changes, &next, committed->last_sequence);
  return committed;
}

// All that Publish needs is made before the commit, after which nothing may fail. Under ddl_mutex_.
Catalog::Publication Catalog::Prepare(const CatalogChanges& changes) const {
  Publication next{std::make_shared<CatalogView>(*View()), ended_, ended_schemas_, ended_objects_};
  CatalogView& view = *next.view;
  const auto end = [&](const std::shared_ptr<const TableEntry>& entry) {
    view.Remove(*entry);
    KeepEnded(entry, &next.ended);
  };
  for (const auto& entry : changes.dropped) end(entry);
  for (const auto& alteration : changes.altered) end(alteration.before);
  for (const auto& schema : changes.dropped_schemas) {
    view.Remove(*schema);
    KeepEnded(schema, &next.ended_schemas);
  }
  for (const auto& object : changes.dropped_objects) {
    view.Remove(*object);
    KeepEnded(object, &next.ended_objects);
  }
  for (const auto& schema : changes.created_schemas) view.Add(schema);
  for (const auto& object : changes.created_objects) view.Add(object);
  for (const auto& entry : changes.created) view.Add(entry);
  for (const auto& alteration : changes.altered) view.Add(alteration.after);
  ++view.version_;
  return next;
}

void Catalog::Publish(const CatalogChanges& changes, Publication* next, uint64_t sequence) noexcept {
  for (const auto& schema : changes.created_schemas) schema->created_at->store(sequence, std::memory_order_release);
  for (const auto& object : changes.created_objects) object->created_at->store(sequence, std::memory_order_release);
  for (const auto& entry : changes.created) entry->created_at->store(sequence, std::memory_order_release);
  for (const auto& altered : changes.altered) altered.after->created_at->store(sequence, std::memory_order_release);
  std::unique_lock lock(map_mutex_);
  view_ = std::move(next->view);
  ended_.swap(next->ended);
  ended_schemas_.swap(next->ended_schemas);
  ended_objects_.swap(next->ended_objects);
}

std::shared_ptr<const CatalogView> Catalog::View() const {
  std::shared_lock lock(map_mutex_);
  return view_;
}

bool Catalog::IsLiveAt(const TableEntry& entry, const Snapshot& snapshot) {
  return WasLiveAt(*entry.ended_at, snapshot);
}

bool Catalog::IsLiveAt(const SchemaEntry& entry, const Snapshot& snapshot) {
  return WasLiveAt(*entry.dropped_at, snapshot);
}

bool Catalog::IsLiveAt(const ObjectEntry& entry, const Snapshot& snapshot) {
  return WasLiveAt(*entry.ended_at, snapshot);
}

std::shared_ptr<const ObjectEntry> Catalog::FindObjectAt(ObjectKind kind, const QualifiedName& name,
                                                         const Snapshot& snapshot) {
  std::lock_guard ddl(ddl_mutex_);
  std::shared_lock lock(map_mutex_);
  const auto is_it = [&](const std::shared_ptr<const ObjectEntry>& object) {
    return object->kind == kind && SameName(object->name, name.name) &&
           SameName(object->schema_name, name.schema_name) &&
           WasThereAt(*object->created_at, *object->ended_at, snapshot);
  };
  if (auto present = view_->FindObject(kind, name); present != nullptr && is_it(present)) return present;
  const auto former = std::ranges::find_if(ended_objects_, is_it);
  return former == ended_objects_.end() ? nullptr : *former;
}

std::shared_ptr<const TableEntry> Catalog::FindAt(const QualifiedName& name, const Snapshot& snapshot) {
  std::lock_guard ddl(ddl_mutex_);
  std::shared_lock lock(map_mutex_);
  const auto is_it = [&](const std::shared_ptr<const TableEntry>& entry) {
    return SameName(entry->definition->name, name.name) && SameName(entry->definition->schema_name, name.schema_name) &&
           WasThereAt(*entry->created_at, *entry->ended_at, snapshot);
  };
  if (auto present = view_->Find(name); present != nullptr && is_it(present)) return present;
  const auto former = std::ranges::find_if(ended_, is_it);
  return former == ended_.end() ? nullptr : *former;
}

std::shared_ptr<const TableEntry> Catalog::FindLatest(const TableEntry& entry) {
  std::lock_guard ddl(ddl_mutex_);
  return View()->Find(entry.definition->id);
}

std::shared_ptr<const SchemaEntry> Catalog::FindSchemaAt(std::string_view name, const Snapshot& snapshot) {
  std::lock_guard ddl(ddl_mutex_);
  std::shared_lock lock(map_mutex_);
  const auto is_it = [&](const std::shared_ptr<const SchemaEntry>& schema) {
    return SameName(schema->name, name) && WasThereAt(*schema->created_at, *schema->dropped_at, snapshot);
  };
  if (auto present = view_->FindSchema(name); present != nullptr && is_it(present)) return present;
  const auto former = std::ranges::find_if(ended_schemas_, is_it);
  return former == ended_schemas_.end() ? nullptr : *former;
}

bool Catalog::WasLiveAt(const std::atomic<uint64_t>& ended_at, const Snapshot& snapshot) {
  uint64_t ended = ended_at.load(std::memory_order_acquire);
  if (ended >= TableEntry::kEnding) {
    if (snapshot.sequence() <= ended - TableEntry::kEnding) return true;
    std::lock_guard ddl(ddl_mutex_);
    ended = ended_at.load(std::memory_order_acquire);
  }
  return ended == 0 || ended > snapshot.sequence();
}

}  // namespace yarrow
