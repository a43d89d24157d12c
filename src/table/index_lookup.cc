#include "table/index_lookup.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "key/key_range.h"
#include "predicate/row_predicate.h"
#include "row/row_layout.h"
#include "scan/cold_pieces.h"
#include "scan/found_rows.h"
#include "store/store_commits.h"

namespace yarrow {
namespace {

using arrow::Status;

// A lookup takes about as long as reading so many hot rows, and so does the entry that says all of its row.
constexpr uint64_t kHotRowsALookup = 25;
constexpr uint64_t kHotRowsAnEntry = 4;
constexpr uint64_t kAlways = 50;
// Rows that are made from entries are all in memory.
constexpr uint64_t kMostFound = 256 * 1024;

// Of hot rows or of entries; of many ranges a few are asked for.
uint64_t EstimateRows(const TableImpl& table, const std::vector<KeyRange>& ranges) {
  constexpr size_t kFewRanges = 8;
  const size_t step = std::max<size_t>(ranges.size() / kFewRanges, 1);
  uint64_t rows = 0;
  size_t asked = 0;
  for (size_t i = 0; i < ranges.size(); i += step, ++asked) {
    rows += table.store().ApproximateEntries(table.entry().partition, ranges[i].lower, ranges[i].upper);
  }
  return asked == 0 ? 0 : rows * ranges.size() / asked;
}

// So many rows cost no more by an index than by reading the plan's ranges.
struct MostRows {
  uint64_t lookups = kAlways;
  uint64_t entries = kAlways;  // that say all of their rows
};
arrow::Result<MostRows> MostRowsByIndex(const TableImpl& table, const ScanPlan& plan, const Snapshot& snapshot) {
  const uint64_t hot_rows = EstimateRows(table, plan.ranges);
  uint64_t cold_rows = 0;
  if (plan.source.MayHaveSegments()) {
    ARROW_ASSIGN_OR_RAISE(const auto manifest, table.cold()->At(snapshot, plan.source.overlay));
    cold_rows = manifest->index.TotalsIn(plan.ranges.front().lower, plan.ranges.back().upper).rows;
  }
  MostRows most;
  most.lookups = std::max({kAlways, hot_rows / kHotRowsALookup, cold_rows / kColdRowsALookup});
  most.entries = std::max({kAlways, hot_rows / kHotRowsAnEntry, cold_rows / kColdRowsAnEntry});
  // Of a scan that ends early nobody knows how much it reads.
  most.entries = std::min(most.entries, plan.limit == ScanPlan::kNoLimit ? kMostFound : most.lookups);
  return most;
}

// Entries of one index, in pieces of which each is read forwards or backwards.
struct EntryPiece {
  KeyRange range;
  bool reverse = false;
};

// What an index has for a scan.
struct Candidate {
  const TableIndex* index;
  std::vector<KeyRange> ranges;
  // Where the first rows of an order are asked for and the entries are in it: as it reads them, so many of each group.
  std::vector<std::vector<EntryPiece>> groups;
  uint64_t rows_of_group = UINT64_MAX;
  bool covers = false;  // the entries have all that the plan reads of the rows

  // Of so many rows, in those that are looked up.
  uint64_t Cost(uint64_t rows) const { return covers ? rows * kHotRowsAnEntry / kHotRowsALookup : rows; }
  // The most rows that cost less.
  uint64_t MostBelow(uint64_t cost) const { return covers ? cost * kHotRowsALookup / kHotRowsAnEntry : cost; }
};

class EntryReader {
 public:
  EntryReader(const TableImpl& table, const ScanPlan& plan, const Snapshot& snapshot)
      : table_(table), plan_(plan), snapshot_(snapshot), writer_(&table.row_schema()->current().layout) {}

  // The keys of the rows, and the rows where the entries say all of them; null when there are more than `most`.
  arrow::Result<std::shared_ptr<FoundRows>> Read(const Candidate& candidate, uint64_t most) {
    auto found = std::make_shared<FoundRows>();
    const IndexKeys& keys = candidate.index->keys;
    std::string row;
    // One a direction for all ranges: a new cursor takes longer than a few entries.
    std::array<std::optional<ScanCursor>, 2> cursors;
    for (const auto& group : candidate.groups) {
      uint64_t left = candidate.rows_of_group;
      for (const EntryPiece& piece : group) {
        std::optional<ScanCursor>& cursor = cursors[piece.reverse ? 1 : 0];
        if (!cursor) cursor.emplace(Scan(keys, piece.reverse));
        ScanCursor& entries = *cursor;
        entries.ResetRange(piece.range.lower, piece.range.upper);
        for (; left > 0 && entries.Next(); --left) {
          if (found->size() >= most) return nullptr;
          ARROW_ASSIGN_OR_RAISE(const auto row_key, keys.RowKey(entries.key(), entries.value()));
          if (candidate.covers) ARROW_RETURN_NOT_OK(keys.MakeRow(entries.key(), &writer_, &row));
          found->Add(table_.key_prefix(), row_key, row);
        }
        ARROW_RETURN_NOT_OK(entries.status());
      }
    }
    found->Sort();
    return found;
  }

 private:
  // Of all entries.
  ScanCursor Scan(const IndexKeys& keys, bool reverse) const {
    return table_.store().commits().Scan({.partition = table_.entry().partition,
                                          .lower = keys.prefix(),
                                          .upper = PrefixSuccessor(keys.prefix()),
                                          .reverse = reverse,
                                          .snapshot = snapshot_},
                                         plan_.source.overlay);
  }

  const TableImpl& table_;
  const ScanPlan& plan_;
  const Snapshot& snapshot_;
  RowWriter writer_;
};

// All entries between the ranges, in any order.
void ReadAll(Candidate* candidate) {
  for (const KeyRange& range : candidate->ranges) candidate->groups.push_back({{.range = range, .reverse = false}});
}

// Whether entries that share so many leading values are in the order: its columns are the next ones of the index.
bool IsInOrder(const TableIndex& index, size_t leading, const IndexOrder& order, const RowSchema& schema) {
  const std::vector<int>& columns = index.keys.columns();
  if (leading + order.columns.size() > columns.size()) return false;
  for (size_t i = 0; i < order.columns.size(); ++i) {
    if (columns[leading + i] != order.columns[i]) return false;
    // Where NULLs are not where the entries have them, no column but the first may have any.
    const bool is_natural = order.descending == order.nulls_first;
    const auto column = static_cast<size_t>(order.columns[i]);
    const bool nullable = column >= schema.columns().size() || schema.columns()[column].nullable;  // or an expression
    if (i > 0 && !is_natural && nullable) return false;
  }
  return true;
}

// How the entries of a range, which begins with `values` and has all of them, are read in the order.
std::vector<EntryPiece> PiecesInOrder(const KeyRange& range, const std::string& values, const IndexOrder& order) {
  const std::string nulls = values + kNullPart;
  const std::vector<KeyRange> known = Intersect({range}, {KeyRange{values, nulls}});
  const std::vector<KeyRange> unknown = Intersect({range}, {PrefixRange(nulls)});
  std::vector<EntryPiece> pieces;
  for (const KeyRange& piece : known) pieces.push_back({.range = piece, .reverse = order.descending});
  for (const KeyRange& piece : unknown) {
    const auto at = order.nulls_first ? pieces.begin() : pieces.end();
    pieces.insert(at, {.range = piece, .reverse = order.descending});
  }
  return pieces;
}

// The bytes of the values that all entries of the range share, as whole parts, and how many values these are.
std::pair<std::string, size_t> SharedValues(const KeyRange& range, const IndexKeys& keys) {
  std::string shared = keys.prefix();
  size_t count = 0;
  for (const KeyPart& part : keys.codec().parts()) {
    std::string_view rest = std::string_view(range.lower).substr(std::min(shared.size(), range.lower.size()));
    std::string_view left = rest;
    if (!DecodeKeyPart(&left, part).ok()) break;
    const std::string with = shared + std::string(rest.substr(0, rest.size() - left.size()));
    const KeyRange all = PrefixRange(with);
    if (range.lower < all.lower || range.upper.empty() || (!all.upper.empty() && range.upper > all.upper)) break;
    shared = with;
    ++count;
  }
  return {std::move(shared), count};
}

// Reads the first entries of each range alone, if the entries of the ranges are in the order.
bool ReadFirst(const IndexOrder& order, const RowSchema& schema, Candidate* candidate) {
  for (const KeyRange& range : candidate->ranges) {
    const auto [values, count] = SharedValues(range, candidate->index->keys);
    if (!IsInOrder(*candidate->index, count, order, schema)) return false;
    candidate->groups.push_back(PiecesInOrder(range, values, order));
    if (!order.both_ends) continue;
    IndexOrder backwards = order;
    backwards.descending = !order.descending;
    candidate->groups.push_back(PiecesInOrder(range, values, backwards));
  }
  candidate->rows_of_group = static_cast<uint64_t>(order.rows);
  return true;
}

// Nothing when the index does not narrow the plan.
arrow::Result<std::optional<Candidate>> MakeCandidate(const TableImpl& table, const ScanPlan& plan,
                                                      const TableIndex& index, const IndexUse& use) {
  const std::vector<KeyRange> whole_table{PrefixRange(table.key_prefix())};
  const std::vector<KeyRange> whole_index{PrefixRange(index.keys.prefix())};
  ARROW_ASSIGN_OR_RAISE(KeySplit split, SplitOnIndex(Predicate::And({plan.tested, use.known}), index.keys));
  Candidate candidate{.index = &index,
                      .ranges = std::move(split.ranges),
                      .groups = {},
                      .covers = !plan.read_columns.empty() && index.keys.Cover(plan.read_columns)};
  const bool is_exact = split.rest.kind() == Predicate::Kind::kTrue && plan.ranges == whole_table;
  if (use.order != nullptr && is_exact && ReadFirst(*use.order, *table.row_schema(), &candidate)) return candidate;
  if (candidate.ranges == whole_index) return std::nullopt;
  candidate.groups.clear();
  ReadAll(&candidate);
  return candidate;
}

std::vector<KeyRange> SingleKeys(const FoundRows& rows) {
  std::vector<KeyRange> points;
  points.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) points.push_back({std::string(rows.key(i)), KeySuccessor(rows.key(i))});
  return points;
}

std::string Describe(const TableImpl& table, const Candidate& candidate, size_t rows) {
  const IndexKeys& keys = candidate.index->keys;
  const std::string ranges = DescribeRanges(candidate.ranges, keys.prefix(), keys.codec().parts());
  const std::string first = candidate.rows_of_group == UINT64_MAX ? "" : "first ";
  const std::string only = candidate.covers ? ", index-only" : "";
  return table.Describe(*candidate.index) + ", ranges " + ranges + ", " + first + std::to_string(rows) +
         (rows == 1 ? " row" : " rows") + only;
}

// The plan for the rows that were found by the index.
std::shared_ptr<const ScanPlan> PlanFound(const TableImpl& table, const ScanPlan& plan, const Candidate& candidate,
                                          std::shared_ptr<const FoundRows> rows) {
  auto narrowed = std::make_shared<ScanPlan>(plan);
  narrowed->index_text = Describe(table, candidate, rows->size());
  if (candidate.covers) {
    narrowed->source.kind = SourceKind::kFound;
    narrowed->source.found = std::move(rows);
    narrowed->cold_batches = false;
  } else {
    narrowed->ranges = Intersect(plan.ranges, SingleKeys(*rows));
  }
  return narrowed;
}

}  // namespace

arrow::Result<std::shared_ptr<const ScanPlan>> UseIndex(const TableImpl& table, std::shared_ptr<const ScanPlan> plan,
                                                        const Snapshot& snapshot, const IndexUse& use) {
  const bool has_condition =
      plan->tested.kind() != Predicate::Kind::kTrue || use.known.kind() != Predicate::Kind::kTrue;
  if (table.indexes().empty() || plan->ranges.empty() || (!has_condition && use.order == nullptr)) return plan;
  if (AreSingleKeys(plan->ranges)) return plan;
  ARROW_ASSIGN_OR_RAISE(const MostRows most_rows, MostRowsByIndex(table, *plan, snapshot));
  EntryReader reader(table, *plan, snapshot);
  std::shared_ptr<const ScanPlan> best = plan;
  uint64_t cost = UINT64_MAX;
  for (const TableIndex& index : table.indexes()) {
    if (index.definition->is_building) continue;
    ARROW_ASSIGN_OR_RAISE(const auto candidate, MakeCandidate(table, *plan, index, use));
    if (!candidate) continue;
    uint64_t most = candidate->covers ? most_rows.entries : most_rows.lookups;
    if (best != plan) most = std::min(most, candidate->MostBelow(cost));
    // An estimate, which may be far off.
    const bool reads_all = candidate->rows_of_group == UINT64_MAX;
    if (reads_all && EstimateRows(table, candidate->ranges) / 4 > most) continue;
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<FoundRows> found, reader.Read(*candidate, most));
    if (!found) continue;
    cost = candidate->Cost(found->size());
    best = PlanFound(table, *plan, *candidate, std::move(found));
  }
  return best;
}

}  // namespace yarrow
