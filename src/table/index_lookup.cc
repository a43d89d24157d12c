#include "table/index_lookup.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "key/key_range.h"
#include "predicate/row_predicate.h"
#include "scan/cold_pieces.h"
#include "store/store_commits.h"

namespace yarrow {
namespace {

using arrow::Status;

// A lookup takes about as long as reading so many hot rows.
constexpr uint64_t kHotRowsALookup = 25;
constexpr uint64_t kAlways = 50;

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

// So many lookups cost no more than reading the plan's ranges.
arrow::Result<uint64_t> MostLookups(const TableImpl& table, const ScanPlan& plan, const Snapshot& snapshot) {
  uint64_t most = std::max(kAlways, EstimateRows(table, plan.ranges) / kHotRowsALookup);
  if (!plan.source.MayHaveSegments()) return most;
  ARROW_ASSIGN_OR_RAISE(const auto manifest, table.cold()->At(snapshot, plan.source.overlay));
  const auto cold = manifest->index.TotalsIn(plan.ranges.front().lower, plan.ranges.back().upper);
  return std::max(most, cold.rows / kColdRowsALookup);
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
};

class EntryReader {
 public:
  EntryReader(const TableImpl& table, const ScanPlan& plan, const Snapshot& snapshot)
      : table_(table), plan_(plan), snapshot_(snapshot) {}

  // The keys of the rows; nothing when there are more than `most`.
  arrow::Result<std::optional<std::vector<std::string>>> Read(const Candidate& candidate, uint64_t most) {
    std::vector<std::string> keys;
    for (const auto& group : candidate.groups) {
      uint64_t left = candidate.rows_of_group;
      for (const EntryPiece& piece : group) {
        ScanCursor entries = table_.store().commits().Scan({.partition = table_.entry().partition,
                                                            .lower = piece.range.lower,
                                                            .upper = piece.range.upper,
                                                            .reverse = piece.reverse,
                                                            .snapshot = snapshot_},
                                                           plan_.source.overlay);
        for (; left > 0 && entries.Next(); --left) {
          if (keys.size() >= most) return std::nullopt;
          ARROW_ASSIGN_OR_RAISE(const auto row, candidate.index->keys.RowKey(entries.key(), entries.value()));
          keys.push_back(table_.key_prefix());
          keys.back().append(row);
        }
        ARROW_RETURN_NOT_OK(entries.status());
      }
    }
    return keys;
  }

 private:
  const TableImpl& table_;
  const ScanPlan& plan_;
  const Snapshot& snapshot_;
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
    if (i > 0 && !is_natural && schema.columns()[static_cast<size_t>(order.columns[i])].nullable) return false;
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
  Candidate candidate{.index = &index, .ranges = std::move(split.ranges), .groups = {}};
  const bool is_exact = split.rest.kind() == Predicate::Kind::kTrue && plan.ranges == whole_table;
  if (use.order != nullptr && is_exact && ReadFirst(*use.order, *table.row_schema(), &candidate)) return candidate;
  if (candidate.ranges == whole_index) return std::nullopt;
  candidate.groups.clear();
  ReadAll(&candidate);
  return candidate;
}

std::vector<KeyRange> SingleKeys(std::vector<std::string> keys) {
  std::ranges::sort(keys);
  std::vector<KeyRange> points;
  points.reserve(keys.size());
  for (std::string& key : keys) {
    std::string upper = KeySuccessor(key);
    points.push_back({std::move(key), std::move(upper)});
  }
  return points;
}

std::string Describe(const TableImpl& table, const Candidate& candidate, size_t rows) {
  const IndexKeys& keys = candidate.index->keys;
  const std::string ranges = DescribeRanges(candidate.ranges, keys.prefix(), keys.codec().parts());
  const std::string first = candidate.rows_of_group == UINT64_MAX ? "" : "first ";
  return table.Describe(*candidate.index) + ", ranges " + ranges + ", " + first + std::to_string(rows) +
         (rows == 1 ? " row" : " rows");
}

}  // namespace

arrow::Result<std::shared_ptr<const ScanPlan>> UseIndex(const TableImpl& table, std::shared_ptr<const ScanPlan> plan,
                                                        const Snapshot& snapshot, const IndexUse& use) {
  const bool has_condition =
      plan->tested.kind() != Predicate::Kind::kTrue || use.known.kind() != Predicate::Kind::kTrue;
  if (table.indexes().empty() || plan->ranges.empty() || (!has_condition && use.order == nullptr)) return plan;
  if (AreSingleKeys(plan->ranges)) return plan;
  ARROW_ASSIGN_OR_RAISE(const uint64_t most, MostLookups(table, *plan, snapshot));
  EntryReader reader(table, *plan, snapshot);
  std::optional<std::vector<std::string>> best;
  std::string text;
  for (const TableIndex& index : table.indexes()) {
    if (index.definition->is_building) continue;
    ARROW_ASSIGN_OR_RAISE(const auto candidate, MakeCandidate(table, *plan, index, use));
    if (!candidate) continue;
    // An estimate, which may be far off.
    const bool reads_all = candidate->rows_of_group == UINT64_MAX;
    if (reads_all && EstimateRows(table, candidate->ranges) / 4 > most) continue;
    ARROW_ASSIGN_OR_RAISE(auto keys, reader.Read(*candidate, best ? best->size() : most));
    if (!keys) continue;
    text = Describe(table, *candidate, keys->size());
    best = std::move(keys);
  }
  if (!best) return plan;
  auto narrowed = std::make_shared<ScanPlan>(*plan);
  narrowed->ranges = Intersect(plan->ranges, SingleKeys(*std::move(best)));
  narrowed->index_text = std::move(text);
  return narrowed;
}

}  // namespace yarrow
