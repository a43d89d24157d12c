#include "write/reference_check.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "key/key_range.h"
#include "key/record_key.h"
#include "row/constraint_violation.h"
#include "row/row_layout.h"
#include "store/write_walk.h"
#include "table/database_impl.h"
#include "write/row_changes.h"

namespace yarrow {

using arrow::Status;

namespace {

// Of one transaction; beyond, those of the whole constraint.
constexpr size_t kMostMarks = 4096;

// "a: 1, b: x"
std::string Describe(const std::vector<std::string>& names, const KeyCodec& codec, std::string_view values) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    const auto value = DecodeKeyPart(&values, codec.parts()[i]);
    text += (i == 0 ? "" : ", ") + names[i] + ": " + (value.ok() ? value->ToString(codec.parts()[i].type) : "?");
  }
  return text;
}

// The marks of a constraint. Children are the rows that refer to keys.
class Marks {
 public:
  // `prefix`: that of the entries of the constraint's index.
  Marks(std::string_view prefix, WriteSet* writes) : prefix_(prefix), writes_(writes) {}

  void NoteChild(std::string_view key) {
    Note(key, kChild, kManyChildren, kAnyChild, kRemoved, kManyRemoved, kAnyRemoved);
  }
  void NoteRemoved(std::string_view key) {
    Note(key, kRemoved, kManyRemoved, kAnyRemoved, kChild, kManyChildren, kAnyChild);
  }

 private:
  // One for each key; and of the constraint: somebody does not say which keys, or somebody has some at all.
  static constexpr char kChild = 'c', kManyChildren = 'C', kAnyChild = 'a';
  static constexpr char kRemoved = 'r', kManyRemoved = 'R', kAnyRemoved = 'b';

  void Note(std::string_view key, char one, char many, char any, char other, char many_others, char any_other) {
    writes_->LeaveMark(Name(any, {}));
    if (writes_->marks().left.size() < kMostMarks) {
      writes_->LeaveMark(Name(one, key));
      writes_->AvoidMark(Name(other, key));
      writes_->AvoidMark(Name(many_others, {}));
    } else {
      writes_->LeaveMark(Name(many, {}));
      writes_->AvoidMark(Name(any_other, {}));
    }
  }
  std::string_view Name(char kind, std::string_view key) {
    name_.assign(1, kind);
    name_.append(prefix_);
    return name_.append(key);
  }

  const std::string_view prefix_;
  WriteSet* const writes_;
  std::string name_;
};

// The key of a table that FOREIGN KEYs refer to: its primary key or a UNIQUE constraint. Keys are told by their values
// as an index has them: parts that may be NULL.
class ReferencedKey {
 public:
  ReferencedKey(const TableImpl& table, std::span<const uint32_t> columns) : table_(table), columns_(columns) {
    const TableDefinition& definition = table.definition();
    if (!definition.has_hidden_row_id() && std::ranges::equal(columns, definition.primary_key)) return;
    const auto index = std::ranges::find_if(table.indexes(), [&](const TableIndex& one) {
      return one.definition->is_constraint() && one.definition->unique &&
             std::ranges::equal(columns, one.definition->columns);
    });
    unique_ = &*index;
  }

  std::string_view prefix() const { return unique_ != nullptr ? unique_->keys.prefix() : table_.key_prefix(); }
  // Whether a write of this kind takes the key away.
  bool IsRemoval(WriteOp::Kind kind, std::string_view value) const {
    return kind != WriteOp::Kind::kPut || (unique_ == nullptr && IsDeletedRow(value));
  }
  // The whole key in the store.
  arrow::Result<std::string> KeyOf(std::string_view values) const {
    std::string key(prefix());
    if (unique_ != nullptr) return key.append(values);
    ARROW_ASSIGN_OR_RAISE(const auto offsets, Locate(codec_of_values(), values));
    for (size_t i = 0; i + 1 < offsets.size(); ++i) {
      key.append(values.substr(offsets[i] + 1, offsets[i + 1] - offsets[i] - 1));
    }
    return key;
  }
  // Its values; nothing when one is NULL, so that nobody refers to them.
  arrow::Result<std::optional<std::string>> ValuesOf(std::string_view key) const {
    key.remove_prefix(prefix().size());
    if (unique_ != nullptr) {
      ARROW_ASSIGN_OR_RAISE(const size_t size, unique_->keys.codec().FrontSize(key));
      if (size < key.size()) return std::nullopt;
      return std::string(key);
    }
    ARROW_ASSIGN_OR_RAISE(const auto offsets, Locate(table_.row_schema()->key_codec(), key));
    std::string values;
    for (size_t i = 0; i + 1 < offsets.size(); ++i) {
      values += kValueFollows;
      values.append(key.substr(offsets[i], offsets[i + 1] - offsets[i]));
    }
    return values;
  }
  // Whether a row has it, at the snapshot under the writes.
  arrow::Result<bool> Exists(std::string_view key, RowChanges* changes) const {
    return unique_ != nullptr ? changes->HasEntry(table_, key) : changes->HasRow(table_, key);
  }
  std::string Describe(std::string_view values) const {
    std::vector<std::string> names;
    for (const uint32_t id : columns_) {
      names.push_back(std::ranges::find(table_.definition().columns, id, &ColumnDefinition::id)->name);
    }
    return yarrow::Describe(names, unique_ != nullptr ? unique_->keys.codec() : codec_of_values(), values);
  }
  const TableImpl& table() const { return table_; }

  static arrow::Result<std::vector<uint32_t>> Locate(const KeyCodec& codec, std::string_view values) {
    std::vector<uint32_t> offsets(codec.parts().size() + 1);
    ARROW_RETURN_NOT_OK(codec.Locate(values, offsets.data()));
    return offsets;
  }

 private:
  KeyCodec codec_of_values() const {
    std::vector<KeyPart> parts = table_.row_schema()->key_codec().parts();
    for (KeyPart& part : parts) part.nullable = true;
    return KeyCodec::Make(std::move(parts)).ValueOrDie();  // of types that keys have
  }

  const TableImpl& table_;
  const std::span<const uint32_t> columns_;
  const TableIndex* unique_ = nullptr;  // null: the primary key
};

// The rows of a table that refer to keys by one of its indexes, told by their entries.
class Children {
 public:
  // `referenced`: null for a table that has no row yet.
  Children(const TableImpl& table, const TableIndex& index, std::shared_ptr<const TableImpl> referenced,
           RowChanges changes)
      : table_(table), index_(index), referenced_(std::move(referenced)), changes_(std::move(changes)) {
    if (referenced_ != nullptr) key_.emplace(*referenced_, index.definition->references->columns);
  }

  // The values of an entry, unless one is NULL or they are those of the entry before.
  arrow::Result<std::optional<std::string_view>> NewValues(std::string_view entry) {
    std::string_view values = entry.substr(index_.keys.prefix().size());
    ARROW_ASSIGN_OR_RAISE(const size_t size, index_.keys.codec().FrontSize(values));
    values = values.substr(0, size);
    if (values == last_) return std::nullopt;
    last_ = values;
    ARROW_ASSIGN_OR_RAISE(const auto offsets, ReferencedKey::Locate(index_.keys.codec(), last_));
    const auto is_null = [&](uint32_t at) { return at < last_.size() && last_[at] == kNullPart; };
    if (std::ranges::any_of(offsets, is_null)) return std::nullopt;
    return last_;
  }
  arrow::Result<bool> HaveParent(std::string_view values) {
    if (!key_) return false;
    ARROW_ASSIGN_OR_RAISE(const std::string whole, key_->KeyOf(values));
    return key_->Exists(whole, &changes_);
  }
  Status Orphan(std::string_view values) const {
    const Reference& reference = *index_.definition->references;
    const std::string has = index_.keys.Describe(index_.keys.prefix() + std::string(values));
    const std::string named = Describe(reference.column_names, index_.keys.codec(), values);
    return ForeignKeyViolation(
        "Violates foreign key constraint because key \"" + named + "\" does not exist in the referenced table",
        "Table " + table_.definition().QualifiedName() + " would have a row with " + has + ", but table " +
            table_.definition().schema_name + "." + reference.table_name + " has none with " + named +
            "; write that row first");
  }

 private:
  const TableImpl& table_;
  const TableIndex& index_;
  const std::shared_ptr<const TableImpl> referenced_;
  RowChanges changes_;
  std::optional<ReferencedKey> key_;
  std::string last_;
};

// The entries of the index of a FOREIGN KEY, at the snapshot under the writes.
class ReferringEntries {
 public:
  // `prefix`: that of all of them.
  ReferringEntries(const TableImpl& table, std::string prefix, const Snapshot& snapshot, WriteSet* writes)
      : table_(table), prefix_(std::move(prefix)), snapshot_(snapshot), writes_(writes) {}

  // Whether any has these values. Cheapest for values in rising order.
  arrow::Result<bool> AreThere(std::string_view values) {
    wanted_.resize(prefix_.size());
    wanted_.append(values);
    if (place_ == Place::kUnknown || last_ > wanted_) {
      ARROW_RETURN_NOT_OK(Seek());
    } else {
      for (int steps = 0; place_ == Place::kOnEntry && cursor_->key() < wanted_; ++steps) {
        ARROW_RETURN_NOT_OK(steps < kMostSteps ? Step() : Seek());
      }
    }
    last_ = wanted_;
    return place_ == Place::kOnEntry && cursor_->key().starts_with(wanted_);
  }
  std::string_view prefix() const { return prefix_; }

 private:
  static constexpr int kMostSteps = 8;  // then a seek is cheaper

  Status Step() {
    place_ = cursor_->Next() ? Place::kOnEntry : Place::kAtEnd;
    return cursor_->status();
  }
  Status Seek() {
    if (!cursor_) Open();
    cursor_->Seek(wanted_);
    return Step();
  }
  void Open() {
    writes_->Seal();
    cursor_.emplace(table_.store().commits().Scan({.partition = table_.entry().partition,
                                                   .lower = prefix_,
                                                   .upper = PrefixSuccessor(prefix_),
                                                   .snapshot = snapshot_},
                                                  writes_->GetView()));
  }

  const TableImpl& table_;
  const std::string prefix_;
  const Snapshot& snapshot_;
  WriteSet* const writes_;
  std::optional<ScanCursor> cursor_;  // none for a statement whose rows all have parents
  enum class Place { kUnknown, kOnEntry, kAtEnd } place_ = Place::kUnknown;
  std::string wanted_ = prefix_;
  std::string last_;  // the cursor is on the first entry at or behind it
};

// As everybody has it now. Null: it was dropped.
arrow::Result<std::shared_ptr<const TableImpl>> OpenTable(const TableImpl& from, uint32_t id) {
  auto entry = from.database().catalog().View()->Find(id);
  if (entry == nullptr) return nullptr;
  ARROW_ASSIGN_OR_RAISE(auto table, TableImpl::Make(from.database().shared_from_this(), entry, from.user()));
  return table;
}

class ReferenceCheck {
 public:
  ReferenceCheck(std::span<const TableImpl* const> tables, const Snapshot& snapshot, WriteSet* writes)
      : tables_(tables), snapshot_(snapshot), writes_(writes), runs_(writes->TakeNewRuns()) {}

  bool empty() const { return runs_.empty(); }

  Status Check(const TableImpl& table) {
    for (const TableIndex& index : table.indexes()) {
      if (index.definition->references) ARROW_RETURN_NOT_OK(table.OutdatedOr(CheckChildren(table, index)));
    }
    for (const IncomingReference& reference : table.definition().referenced_by) {
      ARROW_RETURN_NOT_OK(table.OutdatedOr(CheckRemovals(table, reference)));
    }
    return Status::OK();
  }

 private:
  RowChanges Changes(const TableImpl& table) { return RowChanges(table.store(), snapshot_, writes_); }

  Status Walk(const TableImpl& table, std::string_view prefix, const TakeWrite& take) {
    const std::string upper = PrefixSuccessor(prefix);
    for (const WriteSet::Run& run : runs_) {
      ARROW_RETURN_NOT_OK(WalkWrites(run, table.entry().partition.id(), prefix, upper, take));
    }
    return Status::OK();
  }

  // A table by its id, as the transaction or, if it has not written to it, everybody has it.
  arrow::Result<std::shared_ptr<const TableImpl>> Find(const TableImpl& from, uint32_t id) {
    for (const TableImpl* table : tables_) {
      // It is alive as long as this object.
      if (table->definition().id == id) return std::shared_ptr<const TableImpl>(std::shared_ptr<void>(), table);
    }
    return OpenTable(from, id);
  }

  Status CheckChildren(const TableImpl& table, const TableIndex& index) {
    ReferringEntries entries(table, index.keys.prefix(), snapshot_, writes_);
    ARROW_ASSIGN_OR_RAISE(auto referenced, Find(table, index.definition->references->table_id));
    Children children(table, index, std::move(referenced), Changes(table));
    Marks marks(entries.prefix(), writes_);
    return Walk(table, entries.prefix(), [&](WriteOp::Kind kind, std::string_view entry, std::string_view) -> Status {
      if (kind != WriteOp::Kind::kPut) return Status::OK();
      ARROW_ASSIGN_OR_RAISE(const auto values, children.NewValues(entry));
      if (!values) return Status::OK();
      marks.NoteChild(*values);
      ARROW_ASSIGN_OR_RAISE(const bool have_parent, children.HaveParent(*values));
      if (have_parent) return Status::OK();
      ARROW_ASSIGN_OR_RAISE(const bool are_there, entries.AreThere(*values));
      return are_there ? children.Orphan(*values) : Status::OK();
    });
  }

  Status CheckRemovals(const TableImpl& table, const IncomingReference& reference) {
    const ReferencedKey key(table, reference.columns);
    ReferringEntries entries(table,
                             table.definition().kind == TableKind::kUser
                                 ? UserRecordPrefix(RecordKind::kIndexEntry, reference.index_id, table.user())
                                 : RecordPrefix(RecordKind::kIndexEntry, reference.index_id),
                             snapshot_, writes_);
    RowChanges changes = Changes(table);
    Marks marks(entries.prefix(), writes_);
    return Walk(table, key.prefix(), [&](WriteOp::Kind kind, std::string_view whole, std::string_view value) -> Status {
      if (!key.IsRemoval(kind, value)) return Status::OK();
      ARROW_ASSIGN_OR_RAISE(const auto values, key.ValuesOf(whole));
      if (!values) return Status::OK();
      marks.NoteRemoved(*values);
      ARROW_ASSIGN_OR_RAISE(const bool is_referenced, entries.AreThere(*values));
      if (!is_referenced) return Status::OK();
      ARROW_ASSIGN_OR_RAISE(const bool exists, key.Exists(whole, &changes));
      return exists ? Status::OK() : StillReferenced(key, *values, reference);
    });
  }

  Status StillReferenced(const ReferencedKey& key, std::string_view values, const IncomingReference& reference) {
    const TableImpl& table = key.table();
    const std::string has = key.Describe(values);
    ARROW_ASSIGN_OR_RAISE(const auto child, Find(table, reference.table_id));
    const std::string other = child == nullptr ? "another table" : "table " + child->definition().QualifiedName();
    return ForeignKeyViolation("Violates foreign key constraint because key \"" + has +
                                   "\" is still referenced by a foreign key in a different table. If this is an "
                                   "unexpected constraint violation, please refer to our foreign key limitations in "
                                   "the documentation",
                               "Table " + table.definition().QualifiedName() + ": rows of " + other +
                                   " refer to the row with " + has + "; delete or change those rows first");
  }

  const std::span<const TableImpl* const> tables_;
  const Snapshot& snapshot_;
  WriteSet* const writes_;
  const std::vector<WriteSet::Run> runs_;
};

}  // namespace

Status FindOrphan(const TableImpl& table, const TableIndex& index, const Snapshot& snapshot) {
  ARROW_ASSIGN_OR_RAISE(auto referenced, OpenTable(table, index.definition->references->table_id));
  WriteSet no_writes;
  Children children(table, index, std::move(referenced), RowChanges(table.store(), snapshot, &no_writes));
  const KeyRange all = PrefixRange(index.keys.prefix());
  ScanCursor entries = table.store().Scan({.partition = table.entry().partition,
                                           .lower = all.lower,
                                           .upper = all.upper,
                                           .snapshot = snapshot,
                                           .fill_cache = false});
  while (entries.Next()) {
    ARROW_ASSIGN_OR_RAISE(const auto values, children.NewValues(entries.key()));
    if (!values) continue;
    ARROW_ASSIGN_OR_RAISE(const bool have_parent, children.HaveParent(*values));
    if (!have_parent) return children.Orphan(*values);
  }
  return entries.status();
}

Status CheckReferences(std::span<const TableImpl* const> tables, const Snapshot& snapshot, WriteSet* writes) {
  if (std::ranges::none_of(tables, &TableImpl::has_references)) return Status::OK();
  ReferenceCheck check(tables, snapshot, writes);
  if (check.empty()) return Status::OK();
  for (const TableImpl* table : tables) ARROW_RETURN_NOT_OK(check.Check(*table));
  return Status::OK();
}

}  // namespace yarrow
