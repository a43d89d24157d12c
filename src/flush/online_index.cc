#include "flush/online_index.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "catalog/table_schema.h"
#include "key/key_range.h"
#include "store/guarded.h"
#include "table/table_impl.h"
#include "table/user_rows.h"
#include "write/index_build.h"
#include "write/row_intake.h"

namespace yarrow {
namespace {

using arrow::Status;

constexpr uint64_t kSortBufferBytes = 64 << 20;
constexpr auto kWritersConflict = Catalog::WritersConflict::kYes;
// Of a piece: fewer where writers are in the way, more where nobody is. Where somebody was once, a piece that grows
// fast is mostly made for nothing.
constexpr int64_t kFewestRows = 256, kFirstRows = 16'384, kMostRows = 4'194'304;
constexpr int64_t kGrowth = 16, kGrowthBesideWriters = 2;

// Of all users.
uint64_t EstimateRows(const TableImpl& table) {
  const KeyRange rows = PrefixRange(table.entry().prefix);
  return table.store().ApproximateEntries(table.entry().partition, rows.lower, rows.upper) +
         table.cold()->LastKnown()->index.TotalsIn({}, {}).rows;
}

class OnlineIndex {
 public:
  // `entry`: some version of the table.
  OnlineIndex(std::shared_ptr<DatabaseImpl> database, std::shared_ptr<const TableEntry> entry)
      : database_(std::move(database)), catalog_(database_->catalog()), entry_(std::move(entry)) {}

  Status Begin(const IndexSpec& spec) {
    ARROW_ASSIGN_OR_RAISE(index_id_, catalog_.NextIndexId());
    const auto begun = catalog_.Redefine(*entry_, kWritersConflict, [&](TableDefinition* table) -> Status {
      ARROW_ASSIGN_OR_RAISE(IndexDefinition index, DefineIndex(*table, spec, index_id_));
      index.is_building = true;
      table->indexes.push_back(std::move(index));
      return Status::OK();
    });
    ARROW_RETURN_NOT_OK(begun.status());
    entry_ = *begun;
    return Status::OK();
  }

  Status Build(const OnProgress& report) {
    ARROW_ASSIGN_OR_RAISE(const auto any, TableImpl::Make(database_, entry_, ""));
    // Who comes later writes entries.
    ARROW_ASSIGN_OR_RAISE(const auto users, PartsOf(*any, database_->store()->GetSnapshot()));
    for (const std::string& user : users) ARROW_RETURN_NOT_OK(BuildPart(user, report));
    return Status::OK();
  }

  Status End() {
    return catalog_
        .Redefine(*entry_, Catalog::WritersConflict::kNo,
                  [&](TableDefinition* table) -> Status {
                    ARROW_ASSIGN_OR_RAISE(IndexDefinition* const index, Find(table));
                    index->is_building = false;
                    return Status::OK();
                  })
        .status();
  }

  // What cannot be removed now is removed by the next Open.
  void Remove() {
    ARROW_UNUSED(RunGuarded([&] {
      ARROW_UNUSED(catalog_.Redefine(*entry_, kWritersConflict, [&](TableDefinition* table) -> Status {
        ARROW_ASSIGN_OR_RAISE(IndexDefinition* const index, Find(table));
        table->indexes.erase(table->indexes.begin() + (index - table->indexes.data()));
        return Status::OK();
      }));
    }));
  }

  const TableDefinition& definition() const { return *entry_->definition; }
  // Those of a piece in work, too.
  uint64_t rows() const { return static_cast<uint64_t>(reported_); }

 private:
  arrow::Result<IndexDefinition*> Find(TableDefinition* table) const {
    const auto index = std::ranges::find(table->indexes, index_id_, &IndexDefinition::id);
    if (index != table->indexes.end()) return &*index;
    return Status::Cancelled("Table ", table->QualifiedName(), ": the index was dropped while it was built");
  }

  // The table of a user as it is defined now.
  arrow::Result<std::shared_ptr<TableImpl>> OpenPart(const std::string& user) {
    auto latest = catalog_.FindLatest(*entry_);
    if (latest == nullptr) return Status::KeyError("Table ", definition().QualifiedName(), " was dropped meanwhile");
    entry_ = std::move(latest);
    return TableImpl::Make(database_, entry_, user);
  }

  Status BuildPart(const std::string& user, const OnProgress& report) {
    ARROW_ASSIGN_OR_RAISE(auto part, OpenPart(user));
    RowStretch stretch{.first = part->key_prefix(), .most_rows = kFirstRows};
    for (;;) {
      Status told;  // by `report`, which ends the work whatever else there is
      const auto tell = [&](int64_t rows) { return told = report(reported_ = rows_ + rows); };
      const arrow::Result<StretchTaken> taken = BuildPiece(*part, stretch, tell);
      ARROW_RETURN_NOT_OK(told);
      if (taken.ok() && taken->rows == 0) return Status::OK();
      if (taken.ok()) {
        rows_ += taken->rows;
        stretch.first = KeySuccessor(taken->last_key);
        stretch.most_rows = std::min(stretch.most_rows * growth_, kMostRows);
      } else if (part->IsOutdated()) {
        ARROW_ASSIGN_OR_RAISE(part, OpenPart(user));
      } else if (IsConflict(taken.status())) {
        stretch.most_rows = std::max(stretch.most_rows / 4, kFewestRows);
        growth_ = kGrowthBesideWriters;
      } else {
        return taken.status();
      }
    }
  }

  // The entries of a stretch of rows, in a transaction: a conflict when a writer has written one of them meanwhile.
  arrow::Result<StretchTaken> BuildPiece(const TableImpl& part, const RowStretch& stretch, const OnProgress& report) {
    const auto index =
        std::ranges::find_if(part.indexes(), [&](const TableIndex& one) { return one.definition->id == index_id_; });
    if (index == part.indexes().end()) {
      return Status::Cancelled("Table ", definition().QualifiedName(), ": the index was dropped while it was built");
    }
    Store& store = part.store();
    const auto token = store.commits().BeginWrite();
    WriteSet writes;
    EntryIntake entries(part, std::span(&*index, 1), kSortBufferBytes);
    auto taken = AddEntries(part, *index, token->snapshot(), {}, stretch, report, &entries);
    ARROW_RETURN_NOT_OK(part.OutdatedOr(taken.status()));
    if (taken->rows == 0) return taken;
    const Status added = entries.WriteTo(token->snapshot(), {}, &writes, MostBytesInMemory(store));
    ARROW_RETURN_NOT_OK(ExplainRepeated(added, part, *index));
    if (writes.empty()) return taken;
    const GuardUse guards[] = {part.guard()};
    // Two rows that get the same values must meet. Otherwise a writer that began before may change a row of the piece,
    // since what it writes of the entry comes after what is written here.
    const CommitOptions options{.transaction = token.get(), .guards = guards, .moves_only = !index->definition->unique};
    ARROW_RETURN_NOT_OK(store.commits().Commit(writes, options).status());
    return taken;
  }

  const std::shared_ptr<DatabaseImpl> database_;
  Catalog& catalog_;
  std::shared_ptr<const TableEntry> entry_;  // as it was last
  uint32_t index_id_ = 0;
  int64_t rows_ = 0;  // with entries
  int64_t reported_ = 0;
  int64_t growth_ = kGrowth;
};

}  // namespace

Status CreateIndexOnline(const std::shared_ptr<DatabaseImpl>& database, const std::shared_ptr<const TableEntry>& table,
                         const IndexSpec& spec, const OnProgress& on_progress) {
  const TableDefinition& definition = *table->definition;
  if (spec.name.empty()) return Status::Invalid("Table ", definition.QualifiedName(), ": an index has an empty name");
  if (definition.kind == TableKind::kSystem) {
    return Status::Invalid("Table ", definition.QualifiedName(), " belongs to the database and cannot be altered");
  }
  OnlineIndex index(database, table);
  ARROW_RETURN_NOT_OK(index.Begin(spec));
  const Status status = RunGuarded([&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto any, TableImpl::Make(database, table, ""));
    ARROW_ASSIGN_OR_RAISE(const auto job, any->StartJob("index build", EstimateRows(*any)));
    const auto done = [&] { return JobWork{.rows = index.rows()}; };
    return job->Do(on_progress, done, [&](const OnProgress& report) {
      ARROW_RETURN_NOT_OK(index.Build(report));
      return index.End();
    });
  });
  if (!status.ok()) index.Remove();
  return status;
}

}  // namespace yarrow
