// Catalog: which schemas, tables, views and macros a database has. Everything is stored in the system tables; the
// current definitions are kept in memory as immutable objects.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalog/records.h"
#include "catalog/schema_object.h"
#include "row/row_schema.h"
#include "store/persistent_tree.h"
#include "store/store_commits.h"
#include "yarrow/store.h"
#include "yarrow/table_alteration.h"
#include "yarrow/table_definition.h"

namespace yarrow {

// One table as of one schema version. Immutable but for what its versions share.
struct TableEntry {
  std::shared_ptr<const TableDefinition> definition;
  Partition partition;                 // where its rows lie
  std::string prefix;                  // what the keys of all its rows start with, without the user id of a user table
  std::shared_ptr<CommitGuard> guard;  // shared by all versions; every writer of the table announces it
  uint64_t guard_version = 0;          // as of this definition
  // Shared by all versions: announced by every writer of the table, exclusively by commits that move rows between
  // tiers.
  std::shared_ptr<CommitGuard> places;
  // The counter of hidden row ids, shared by all versions; null for tables with a key.
  std::shared_ptr<class IdCounter> row_ids;
  std::shared_ptr<class IdCounter> segment_ids;  // likewise; null for system tables
  // Sequence of the commit that ended this version: it dropped or altered the table; 0 as long as it is the present
  // one, while such a commit is under way kEnding plus the last sequence before it.
  static constexpr uint64_t kEnding = uint64_t{1} << 63;
  std::shared_ptr<std::atomic<uint64_t>> ended_at = std::make_shared<std::atomic<uint64_t>>(0);
  // Sequence of the commit that published this version; 0 when that was before Open.
  std::shared_ptr<std::atomic<uint64_t>> created_at = std::make_shared<std::atomic<uint64_t>>(0);
};

// One schema, from its creation to its end: another one that gets the name later is another entry. Immutable.
struct SchemaEntry {
  explicit SchemaEntry(std::string schema_name) : name(std::move(schema_name)) {}
  const std::string name;
  const std::shared_ptr<std::atomic<uint64_t>> dropped_at =
      std::make_shared<std::atomic<uint64_t>>(0);  // as of a table
  const std::shared_ptr<std::atomic<uint64_t>> created_at = std::make_shared<std::atomic<uint64_t>>(0);  // likewise
};

// The schemas, tables and other objects of a moment. Immutable.
class CatalogView {
 public:
  // Null when there is none.
  std::shared_ptr<const SchemaEntry> FindSchema(std::string_view name) const;
  std::vector<std::shared_ptr<const SchemaEntry>> Schemas() const;  // by name
  // Null when there is none.
  std::shared_ptr<const TableEntry> Find(const QualifiedName& name) const;
  std::shared_ptr<const TableEntry> Find(uint32_t table_id) const;
  // Users' tables first by schema and name, then the system tables.
  std::vector<std::shared_ptr<const TableEntry>> Tables() const;
  // The table that has an index of that name. Null when there is none.
  std::shared_ptr<const TableEntry> FindTableOfIndex(const QualifiedName& name) const;
  // Null when there is none.
  std::shared_ptr<const ObjectEntry> FindObject(ObjectKind kind, const QualifiedName& name) const;
  bool has_objects() const { return !objects_.empty(); }
  // By schema, kind and name.
  std::vector<std::shared_ptr<const ObjectEntry>> Objects() const;
  // Raised by every change that a reader can see.
  uint64_t version() const { return version_; }

 private:
  friend class Catalog;
  void Add(std::shared_ptr<const SchemaEntry> schema);
  void Add(std::shared_ptr<const TableEntry> table);
  void Add(std::shared_ptr<const ObjectEntry> object);
  void Remove(const SchemaEntry& schema);
  void Remove(const TableEntry& table);
  void Remove(const ObjectEntry& object);

  // Names are folded. Views share what they have in common, so that a change costs no more with many tables.
  struct Named {
    std::string name;
    std::shared_ptr<const SchemaEntry> schema;
  };
  struct Placed {
    std::string schema;
    std::string name;
    std::shared_ptr<const TableEntry> table;
  };
  struct PlacedObject {
    std::string schema;
    ObjectKind kind;
    std::string name;
    std::shared_ptr<const ObjectEntry> object;
  };
  struct ByName {
    struct Summary {};
    static int Compare(const Named& a, const Named& b) { return a.name.compare(b.name); }
    static int Compare(const Placed& a, const Placed& b) {
      const int order = a.schema.compare(b.schema);
      return order == 0 ? a.name.compare(b.name) : order;
    }
    static int Compare(const PlacedObject& a, const PlacedObject& b) {
      if (const int order = a.schema.compare(b.schema); order != 0) return order;
      return a.kind == b.kind ? a.name.compare(b.name) : a.kind < b.kind ? -1 : 1;
    }
    template <class Value>
    static Summary Summarize(const Value&, const Summary*, const Summary*) {
      return {};
    }
  };
  struct ById {
    using Summary = ByName::Summary;
    static int Compare(uint32_t id, const std::shared_ptr<const TableEntry>& b) {
      return id < b->definition->id ? -1 : id > b->definition->id;
    }
    static int Compare(const std::shared_ptr<const TableEntry>& a, const std::shared_ptr<const TableEntry>& b) {
      return Compare(a->definition->id, b);
    }
    static Summary Summarize(const std::shared_ptr<const TableEntry>&, const Summary*, const Summary*) { return {}; }
  };
  static Placed Place(std::string_view schema, std::string_view name,
                      std::shared_ptr<const TableEntry> table = nullptr);

  PersistentTree<Named, ByName> schemas_;
  PersistentTree<Placed, ByName> tables_;
  PersistentTree<Placed, ByName> indexes_;  // by their own names
  PersistentTree<std::shared_ptr<const TableEntry>, ById> tables_by_id_;
  PersistentTree<PlacedObject, ByName> objects_;
  uint64_t version_ = 1;
};

// Hands out increasing numbers that outlive the process: leases of growing size are recorded in the store before any
// number in them is given away, so that none comes twice. Thread-safe.
class IdCounter {
 public:
  // A lease begins with `lease` numbers and grows to `largest_lease`; a crash loses the rest of one.
  IdCounter(std::shared_ptr<Store> store, Partition counters, std::string key, int64_t lease = 1024,
            int64_t largest_lease = int64_t{1} << 20);
  // The first of `count` numbers in a row; 1 and up.
  arrow::Result<int64_t> Take(int64_t count);
  // The same among the numbers up to `last`. When fewer are left, these are taken all the same, and the result is
  // nothing.
  arrow::Result<std::optional<int64_t>> TakeUpTo(int64_t last, int64_t count);
  // How many have been taken.
  arrow::Result<int64_t> Taken();
  // Before the store is closed: the next process goes on with the next number.
  arrow::Status GiveBackLease();

 private:
  arrow::Status Load();  // under mutex_, as are those below
  arrow::Result<int64_t> TakeLocked(int64_t count);
  arrow::Status Record(int64_t end);

  const std::shared_ptr<Store> store_;
  const Partition counters_;
  const std::string key_;
  const int64_t largest_lease_;
  std::mutex mutex_;
  bool loaded_ = false;
  int64_t next_ = 1;
  int64_t leased_end_ = 1;
  int64_t lease_;
};

// A table before and after what a transaction alters of it.
struct AlteredTable {
  std::shared_ptr<const TableEntry> before;
  std::shared_ptr<const TableEntry> after;  // a draft
};

// Schemas, tables and other objects that a transaction makes, alters and drops; nobody else knows of it before its
// commit. Whoever drops a schema drops what is in it, too.
struct CatalogChanges {
  std::vector<std::shared_ptr<const TableEntry>> created = {};  // drafts
  std::vector<std::shared_ptr<const TableEntry>> dropped = {};
  std::vector<std::shared_ptr<const SchemaEntry>> created_schemas = {};
  std::vector<std::shared_ptr<const SchemaEntry>> dropped_schemas = {};
  std::vector<AlteredTable> altered = {};  // each once, none of `created` or `dropped`
  std::vector<std::shared_ptr<const ObjectEntry>> created_objects = {};
  std::vector<std::shared_ptr<const ObjectEntry>> dropped_objects = {};
  // Of `dropped`, and before the change of `altered`: the transaction has read all rows as of its snapshot, so the
  // commit fails with a conflict when another has changed one since.
  std::vector<std::shared_ptr<const TableEntry>> read_whole = {};
  bool empty() const {
    return created.empty() && dropped.empty() && created_schemas.empty() && dropped_schemas.empty() &&
           altered.empty() && created_objects.empty() && dropped_objects.empty();
  }
};

// Thread-safe. DDL statements run one at a time and are synced whatever the store's durability.
class Catalog {
 public:
  static arrow::Result<std::unique_ptr<Catalog>> Open(std::shared_ptr<Store> store);
  // Sequences keep the numbers that they have not given.
  ~Catalog();
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  arrow::Status CreateSchema(std::string_view name);
  // It must be empty.
  arrow::Status DropSchema(std::string_view name);
  std::vector<std::string> Schemas() const;
  // A schema that nobody finds before CommitChanges; an error when the name cannot be one or, for all who look now, is
  // taken. `own`: what the transaction that makes it has changed before, null without one.
  arrow::Result<std::shared_ptr<const SchemaEntry>> DraftSchema(std::string_view name,
                                                                const CatalogChanges* own = nullptr) const;
  // An error for the schemas that are part of every database.
  static arrow::Status CheckDroppable(const SchemaEntry& schema);

  // ObjectEntry::numbers of a new sequence.
  std::shared_ptr<IdCounter> NumbersOf(const ObjectEntry& sequence) const;
  // An error when there is no such schema or the name is taken, as of a schema.
  arrow::Status CheckNewObject(const ObjectEntry& object, const CatalogChanges* own) const;

  arrow::Result<std::shared_ptr<const TableEntry>> CreateTable(const TableSpec& spec);
  // A draft has an id, and rows can be written under it, but nobody finds it before CommitChanges. `own`: what the
  // transaction that makes it has changed before, null without one.
  arrow::Result<std::shared_ptr<const TableEntry>> DraftTable(const TableSpec& spec,
                                                              const CatalogChanges* own = nullptr);
  // The tables that a new one, or one that is dropped, refers to by FOREIGN KEYs are altered: they know who refers to
  // them. (catalog/foreign_keys.cc)
  arrow::Status AddReferences(const TableDefinition& table, CatalogChanges* changes) const;
  void RemoveReferences(const TableDefinition& table, CatalogChanges* changes) const;
  // Catalog error of a table that others refer to, which are not dropped as well.
  arrow::Status CheckNotReferenced(const TableDefinition& table, const CatalogChanges& changes) const;
  // The table after a change, for CatalogChanges::altered, or in place of a draft that `own` has made or altered
  // before; nobody finds it before CommitChanges. `entry` itself when nothing changes. Errors are those of
  // AlterDefinition; AlreadyExists when the new name is taken; IsConflict() when `entry` is neither the present version
  // nor such a draft.
  arrow::Result<std::shared_ptr<const TableEntry>> DraftAlteration(const std::shared_ptr<const TableEntry>& entry,
                                                                   const TableAlteration& alteration,
                                                                   const CatalogChanges* own = nullptr);
  // The same as a commit of its own.
  arrow::Result<std::shared_ptr<const TableEntry>> AlterTable(const QualifiedName& name,
                                                              const TableAlteration& alteration);
  // Changes the definition of a table, of which `table` is some version, as a commit of its own. `change` gets the
  // present one, and the next one when another commit came first. KeyError when the table is gone. For changes of
  // indexes. kNo: what is written with the definition before it serves the one after it, too, so it conflicts with no
  // writer.
  enum class WritersConflict { kNo, kYes };
  using DefinitionChange = std::function<arrow::Status(TableDefinition* definition)>;
  arrow::Result<std::shared_ptr<const TableEntry>> Redefine(const TableEntry& table, WritersConflict conflict,
                                                            const DefinitionChange& change);
  arrow::Result<uint32_t> NextIndexId();
  // Publishes, alters and drops schemas and tables together with `writes`, in one commit, or does nothing. IsConflict()
  // when another commit has meanwhile altered or dropped one of them or, in a transaction, taken a name (without one
  // AlreadyExists) or put a table into a schema that goes.
  arrow::Result<CommitResult> CommitChanges(const CatalogChanges& changes, WriteSet* writes,
                                            const CommitOptions& options = {});
  // Removes what the transaction that has dropped these tables and indexes wrote to them before. What a crash leaves is
  // removed by the next Open.
  arrow::Status RemoveRows(std::span<const std::shared_ptr<const TableEntry>> dropped,
                           std::span<const IndexDefinition> indexes) const;
  // The tables as of now. A reader that takes it, then its snapshot, and finds that it is still the view, has all
  // tables of that snapshot, and perhaps some that were dropped before: IsLiveAt tells, and FindAt finds what has taken
  // the place of such a one in that snapshot. The same goes for schemas.
  std::shared_ptr<const CatalogView> View() const;
  // Whether a table of a view was still there, and not altered, at a snapshot. Waits for such a change that is being
  // committed, unless the snapshot is older.
  bool IsLiveAt(const TableEntry& entry, const Snapshot& snapshot);
  bool IsLiveAt(const SchemaEntry& entry, const Snapshot& snapshot);
  bool IsLiveAt(const ObjectEntry& entry, const Snapshot& snapshot);
  // For what a view has, but a snapshot not any more: the entry of that name in the snapshot, or null. Waits for
  // changes that are being committed.
  std::shared_ptr<const TableEntry> FindAt(const QualifiedName& name, const Snapshot& snapshot);
  std::shared_ptr<const SchemaEntry> FindSchemaAt(std::string_view name, const Snapshot& snapshot);
  std::shared_ptr<const ObjectEntry> FindObjectAt(ObjectKind kind, const QualifiedName& name, const Snapshot& snapshot);
  // Whether changes are being committed, which snapshots may have and views not yet.
  bool IsCommitting() const { return committing_.load(std::memory_order_seq_cst); }
  // The present version of the table that `entry` is a version of, or null. Waits for changes that are being committed.
  std::shared_ptr<const TableEntry> FindLatest(const TableEntry& entry);
  // Removes definition and rows in one commit.
  arrow::Status DropTable(const QualifiedName& name);
  arrow::Result<std::shared_ptr<const TableEntry>> Find(const QualifiedName& name) const;
  // Users' tables first by schema and name, then the system tables.
  std::vector<std::shared_ptr<const TableEntry>> Tables() const;

  // Records a user when seen for the first time.
  arrow::Status EnsureUser(const std::string& user);
  // A number that no other call gets, in this process or later ones.
  arrow::Result<uint64_t> NextJobId();

  SystemStore<JobKey, JobRecord>& jobs() { return *jobs_; }
  SystemStore<SettingKey, SettingRecord>& settings() { return *settings_; }

 private:
  explicit Catalog(std::shared_ptr<Store> store);
  arrow::Status OpenPartitions();
  arrow::Status EnsureSchema(const std::string& name);
  arrow::Status Load();
  arrow::Status LoadObjects(CatalogView* view);
  using IndexesOfTables = std::map<uint32_t, std::vector<IndexDefinition>>;
  arrow::Result<IndexesOfTables> LoadIndexes();
  arrow::Status SweepDrafts();
  arrow::Status PassLostNumbers();
  // What becomes of the catalog with a commit.
  struct Publication {
    std::shared_ptr<CatalogView> view;
    std::deque<std::shared_ptr<const TableEntry>> ended;
    std::deque<std::shared_ptr<const SchemaEntry>> ended_schemas;
    std::deque<std::shared_ptr<const ObjectEntry>> ended_objects;
  };
  arrow::Status DefineReferences(const TableSpec& spec, const CatalogChanges* own, TableDefinition* definition) const;
  using ChangeReferences = std::function<void(std::vector<IncomingReference>* references)>;
  arrow::Status Refer(uint32_t table_id, const ChangeReferences& change, CatalogChanges* changes) const;
  static std::shared_ptr<TableEntry> NextVersion(const TableEntry& entry, TableDefinition definition);
  Publication Prepare(const CatalogChanges& changes) const;
  void Publish(const CatalogChanges& changes, Publication* next, uint64_t sequence) noexcept;
  arrow::Result<std::shared_ptr<const TableEntry>> MakeEntry(TableDefinition definition);
  // The checks of a change against the present. `own` is null without a transaction: with one, what is met here has
  // changed since its snapshot, which is a conflict.
  arrow::Status CheckNewSchema(const SchemaEntry& schema, const CatalogChanges* own) const;
  arrow::Status CheckNewTable(const QualifiedName& name, const CatalogChanges* own) const;
  // Of the indexes that `after` has and `before`, which may be null, has not. An error that a commit meets is a
  // conflict.
  arrow::Status CheckNewIndexes(const TableDefinition* before, const TableDefinition& after, const CatalogChanges* own,
                                bool is_commit) const;
  arrow::Status CheckDroppedSchema(const SchemaEntry& schema, const CatalogChanges& changes) const;
  arrow::Status CheckDroppedObject(const ObjectEntry& object) const;
  // That the schema is there, and belongs to users. `what`: the new thing in it, for messages.
  arrow::Status CheckSchemaOfNew(std::string_view schema_name, const std::string& what,
                                 const CatalogChanges* own) const;
  // `change`: what is to happen to the table, "altered" or "dropped".
  arrow::Status CheckPresent(const TableEntry& entry, std::string_view change) const;
  arrow::Status CheckChanges(const CatalogChanges& changes, bool in_transaction) const;
  arrow::Status AddWrites(const CatalogChanges& changes, WriteSet* writes) const;
  bool WasLiveAt(const std::atomic<uint64_t>& ended_at, const Snapshot& snapshot);
  // `before`: the definition that it follows, whose records are there; null: none.
  void AddDefinition(const TableDefinition& definition, const TableDefinition* before, int64_t created_at,
                     WriteSet* writes) const;
  void AddIndexes(const TableDefinition& definition, const TableDefinition* before, WriteSet* writes) const;
  void RemoveIndexes(const TableDefinition& definition, WriteSet* writes) const;
  void RemoveEntries(const IndexDefinition& index, WriteSet* writes) const;
  void RemoveRows(const TableEntry& entry, WriteSet* writes) const;
  void RemoveNumbers(const CatalogChanges& changes, WriteSet* writes) const;
  arrow::Status NotFound(const QualifiedName& name) const;

  const std::shared_ptr<Store> store_;
  Partition rows_;
  Partition counters_;
  // Set by OpenPartitions, before anybody sees the catalog.
  std::optional<SystemStore<SchemaKey, SchemaRecord>> schemas_;
  std::optional<SystemStore<TableKey, TableRecord>> tables_;
  std::optional<SystemStore<ColumnKey, ColumnRecord>> columns_;
  std::optional<SystemStore<ObjectKey, ObjectRecord>> objects_;
  std::optional<SystemStore<IndexKey, IndexRecord>> indexes_;
  std::optional<SystemStore<UserKey, UserRecord>> users_;
  std::optional<SystemStore<JobKey, JobRecord>> jobs_;
  std::optional<SystemStore<SettingKey, SettingRecord>> settings_;

  std::mutex ddl_mutex_;  // held for a whole DDL statement
  std::atomic<bool> committing_{false};
  mutable std::shared_mutex map_mutex_;
  std::shared_ptr<const CatalogView> view_;
  std::deque<std::shared_ptr<const TableEntry>> ended_;           // the last few versions that are no more, latest last
  std::deque<std::shared_ptr<const SchemaEntry>> ended_schemas_;  // likewise
  std::deque<std::shared_ptr<const ObjectEntry>> ended_objects_;  // likewise
  std::unique_ptr<IdCounter> table_ids_;
  std::unique_ptr<IdCounter> job_ids_;
};

}  // namespace yarrow
