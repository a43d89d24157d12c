#include "flush/online_index.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalog/table_schema.h"
#include "flush/entry_pieces.h"
#include "key/key_range.h"
#include "scan/morsels.h"
#include "scan/scan_plan.h"
#include "store/guarded.h"
#include "table/table_impl.h"
#include "table/user_rows.h"
#include "write/entry_intake.h"
#include "write/index_build.h"

namespace yarrow {
namespace {

using arrow::Status;

constexpr uint64_t kSortBufferBytes = 128 << 20;
constexpr auto kWritersConflict = Catalog::WritersConflict::kYes;

using Stretch = std::vector<KeyRange>;

// Of all users.
uint64_t EstimateRows(const TableImpl& table) {
  const KeyRange rows = PrefixRange(table.entry().prefix);
  return table.store().ApproximateEntries(table.entry().partition, rows.lower, rows.upper) +
         table.cold()->LastKnown()->index.TotalsIn({}, {}).rows;
}

class OnlineIndex {
 public:
  // `entry`: some version of the table.
  OnlineIndex(std::shared_ptr<DatabaseImpl> database, std::shared_ptr<const TableEntry> entry, uint64_t rows_at_once)
      : database_(std::move(database)),
        catalog_(database_->catalog()),
        entry_(std::move(entry)),
        rows_at_once_(rows_at_once) {}

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

  // One stretch of rows after the other. The entries of a stretch go into files that lie beside one another; those of
  // the next one lie across, and must be merged with them some day. So stretches are long.
  Status BuildPart(const std::string& user, const OnProgress& report) {
    ARROW_ASSIGN_OR_RAISE(auto part, OpenPart(user));
    ARROW_ASSIGN_OR_RAISE(const auto stretches, CutIntoStretches(*part));
    for (auto stretch = stretches.begin(); stretch != stretches.end();) {
      Status told;  // by `report`, which ends the work whatever else there is
      const auto tell = [&](int64_t rows) { return told = report(reported_ = rows_ + rows); };
      const arrow::Result<int64_t> rows = BuildStretch(*part, *stretch, tell);
      ARROW_RETURN_NOT_OK(told);
      if (rows.ok()) {
        rows_ += *rows;
        ++stretch;
      } else if (part->IsOutdated()) {
        ARROW_ASSIGN_OR_RAISE(part, OpenPart(user));
      } else if (!IsConflict(rows.status())) {
        return rows.status();
      }
    }
    return Status::OK();
  }

  arrow::Result<std::vector<Stretch>> CutIntoStretches(const TableImpl& part) const {
    const KeyRange all = PrefixRange(part.key_prefix());
    ScanRequest request;
    request.keys = {all};
    ARROW_ASSIGN_OR_RAISE(const auto plan, MakeScanPlan(part.MakeSource({}), request));
    const uint64_t rows = part.store().ApproximateEntries(part.entry().partition, all.lower, all.upper) +
                          part.cold()->LastKnown()->index.TotalsIn(all.lower, all.upper).rows;
    return yarrow::CutIntoStretches(*plan, rows / rows_at_once_ + 1);
  }

  // The rows whose entries writers have written meanwhile are looked at again. Most have the right entry then; one has
  // none, for instance, when another row has had its unique values for a moment.
  arrow::Result<int64_t> BuildStretch(const TableImpl& part, const Stretch& stretch, const OnProgress& report) {
    std::vector<std::string> left_out;
    ARROW_ASSIGN_OR_RAISE(const int64_t rows, BuildOnce(part, stretch, /*again=*/false, report, &left_out));
    while (!left_out.empty()) {
      std::ranges::sort(left_out);
      Stretch those;
      for (std::string& key : left_out) those.push_back({key, KeySuccessor(key)});
      const auto same = [&](int64_t) { return report(rows); };
      ARROW_RETURN_NOT_OK(BuildOnce(part, those, /*again=*/true, same, &left_out).status());
    }
    return rows;
  }

  // `left_out` becomes the keys of those rows.
  arrow::Result<int64_t> BuildOnce(const TableImpl& part, const Stretch& stretch, bool again, const OnProgress& report,
                                   std::vector<std::string>* left_out) {
    const auto index =
        std::ranges::find_if(part.indexes(), [&](const TableIndex& one) { return one.definition->id == index_id_; });
    if (index == part.indexes().end()) {
      return Status::Cancelled("Table ", definition().QualifiedName(), ": the index was dropped while it was built");
    }
    const auto token = part.store().commits().BeginWrite();
    EntryIntakes entries(part, std::span(&*index, 1), again ? 1 : BuildThreads(part), kSortBufferBytes);
    const auto rows = AddEntries(part, *index, token->snapshot(), {}, stretch, report, &entries);
    ARROW_RETURN_NOT_OK(part.OutdatedOr(rows.status()));
    ARROW_ASSIGN_OR_RAISE(EntryIntake* const all, entries.Join());
    EntryPieces pieces(part, *index, token.get());
    const Status added = all->Drain(token->snapshot(), {}, /*leaves_existing=*/again,
                                    [&](std::string_view key, std::optional<std::string_view> value) {
                                      return pieces.Put(key, value.value_or(std::string_view()));
                                    });
    ARROW_RETURN_NOT_OK(ExplainRepeated(added, part, *index));
    ARROW_RETURN_NOT_OK(pieces.Finish().Value(left_out));
    return rows;
  }

  const std::shared_ptr<DatabaseImpl> database_;
  Catalog& catalog_;
  std::shared_ptr<const TableEntry> entry_;  // as it was last
  uint32_t index_id_ = 0;
  const uint64_t rows_at_once_;
  int64_t rows_ = 0;  // with entries
  int64_t reported_ = 0;
};

}  // namespace

Status CreateIndexOnline(const std::shared_ptr<DatabaseImpl>& database, const std::shared_ptr<const TableEntry>& table,
                         const IndexSpec& spec, const OnProgress& on_progress, uint64_t rows_at_once) {
  const TableDefinition& definition = *table->definition;
  if (spec.name.empty()) return Status::Invalid("Table ", definition.QualifiedName(), ": an index has an empty name");
  if (definition.kind == TableKind::kSystem) {
    return Status::Invalid("Table ", definition.QualifiedName(), " belongs to the database and cannot be altered");
  }
  OnlineIndex index(database, table, rows_at_once);
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
