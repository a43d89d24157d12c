#include "store/split_point_cache.h"

#include <rocksdb/metadata.h>

#include <algorithm>
#include <iterator>

namespace yarrow {

namespace {

constexpr uint64_t kWorthSplitting = 256 << 10;  // bytes; less is not worth a second piece
constexpr uint64_t kFanOut = 16;                 // pieces a gap is cut into at a time
constexpr int kMaxRounds = 24;
constexpr size_t kGapsPerPoint = 8;

// Stands for "after the last key" where RocksDB wants a key; good enough for estimates.
const std::string& LastKey() {
  static const std::string key(48, '\xff');
  return key;
}

// A stretch of keys between two cuts.
struct Gap {
  std::string lower;
  std::string upper;
  uint64_t bytes = 0;
  bool divisible = true;
};

// REQUIRES: each gap begins where the one before ends.
void Measure(const SizeSource& source, std::vector<Gap>* gaps) {
  std::vector<std::string_view> cuts = {(*gaps)[0].lower};
  for (const Gap& gap : *gaps) cuts.push_back(gap.upper);
  const std::vector<uint64_t> sizes = source.EstimateBytes(cuts);
  for (size_t i = 0; i < sizes.size(); ++i) (*gaps)[i].bytes = sizes[i];
}

uint64_t EightBytes(std::string_view key, size_t offset) {
  uint64_t number = 0;
  for (size_t i = offset; i < offset + 8; ++i) {
    number = number << 8 | (i < key.size() ? static_cast<uint8_t>(key[i]) : 0u);
  }
  return number;
}

// Cuts between lower and upper as if keys were spread evenly: what follows the common prefix is read as a number.
std::vector<Gap> Interpolate(const Gap& gap) {
  const auto differ = std::mismatch(gap.lower.begin(), gap.lower.end(), gap.upper.begin(), gap.upper.end());
  const size_t prefix = static_cast<size_t>(differ.first - gap.lower.begin());
  const uint64_t from = EightBytes(gap.lower, prefix);
  const uint64_t to = EightBytes(gap.upper, prefix);
  std::vector<Gap> pieces;
  std::string previous = gap.lower;
  for (uint64_t i = 1; i < kFanOut; ++i) {
    uint64_t number = from + (to - from) / kFanOut * i + (to - from) % kFanOut * i / kFanOut;
    std::string cut = gap.upper.substr(0, prefix);
    for (; number != 0; number <<= 8) cut.push_back(static_cast<char>(number >> 56));
    if (cut <= previous || cut >= gap.upper) continue;
    pieces.push_back({previous, cut});
    previous = std::move(cut);
  }
  pieces.push_back({previous, gap.upper});
  if (pieces.size() == 1) pieces[0].divisible = false;
  return pieces;
}

// Cuts the gaps heavier than `limit` once; false when there is none left to cut.
bool Refine(const SizeSource& source, uint64_t limit, std::vector<Gap>* gaps) {
  std::vector<Gap> finer;
  bool cut_any = false;
  for (Gap& gap : *gaps) {
    if (!gap.divisible || gap.bytes <= limit) {
      finer.push_back(std::move(gap));
      continue;
    }
    std::vector<Gap> pieces = Interpolate(gap);
    if (pieces.size() == 1) {
      pieces[0].bytes = gap.bytes;
    } else {
      cut_any = true;
      Measure(source, &pieces);
    }
    // Neighbours that hold next to nothing are one gap: deep refinement of a dense spot leaves no trail of empty ones.
    for (Gap& piece : pieces) {
      if (!finer.empty() && piece.bytes == 0 && finer.back().bytes == 0) {
        finer.back().upper = std::move(piece.upper);
      } else {
        finer.push_back(std::move(piece));
      }
    }
  }
  *gaps = std::move(finer);
  return cut_any;
}

uint64_t TotalBytes(const std::vector<Gap>& gaps) {
  uint64_t total = 0;
  for (const Gap& gap : gaps) total += gap.bytes;
  return total;
}

// The cuts between gaps that come nearest to equal pieces.
std::vector<std::string> ChoosePoints(const std::vector<Gap>& gaps, size_t max_points) {
  const uint64_t total = TotalBytes(gaps);
  const uint64_t pieces = std::min<uint64_t>(max_points + 1, total / (kWorthSplitting / 2));
  std::vector<std::string> points;
  size_t cut = 0;  // the next cut that may be taken: the one behind gaps[cut]
  uint64_t below = gaps[0].bytes;
  for (uint64_t i = 1; i < pieces; ++i) {
    const uint64_t target = total / pieces * i;
    while (cut + 2 < gaps.size() && below + gaps[cut + 1].bytes / 2 < target) below += gaps[++cut].bytes;
    if (cut + 1 >= gaps.size()) break;
    points.push_back(gaps[cut].upper);
    below += gaps[++cut].bytes;
  }
  return points;
}

std::vector<std::string> FindPoints(const SizeSource& source, std::string_view lower, std::string_view upper,
                                    size_t max_points, const std::vector<std::string>& boundaries) {
  std::vector<Gap> gaps;
  std::string previous(lower);
  for (const std::string& boundary : boundaries) {
    gaps.push_back({previous, boundary});
    previous = boundary;
  }
  gaps.push_back({previous, std::string(upper)});
  Measure(source, &gaps);
  const uint64_t total = TotalBytes(gaps);
  if (total < kWorthSplitting) return {};
  const uint64_t limit = total / ((max_points + 1) * kGapsPerPoint);
  for (int round = 0; round < kMaxRounds && Refine(source, limit, &gaps); ++round) {
  }
  return ChoosePoints(gaps, max_points);
}

}  // namespace

std::vector<uint64_t> SizeSource::EstimateBytes(std::span<const std::string_view> cuts) const {
  std::vector<uint64_t> sizes = memtables_->EstimateBytes(partition_->GetID(), cuts);
  const std::vector<uint64_t> in_files = EstimateFileBytes(cuts);
  for (size_t i = 0; i < sizes.size(); ++i) sizes[i] += in_files[i];
  return sizes;
}

std::vector<uint64_t> SizeSource::EstimateFileBytes(std::span<const std::string_view> cuts) const {
  std::vector<uint64_t> sizes(cuts.size() - 1, 0);
  std::vector<rocksdb::Range> ranges;
  ranges.reserve(sizes.size());
  for (size_t i = 0; i < sizes.size(); ++i) {
    ranges.emplace_back(rocksdb::Slice(cuts[i].data(), cuts[i].size()),
                        rocksdb::Slice(cuts[i + 1].data(), cuts[i + 1].size()));
  }
  // An error leaves the files out of the estimate.
  (void)db_->GetApproximateSizes(rocksdb::SizeApproximationOptions(), partition_, ranges.data(),
                                 static_cast<int>(ranges.size()), sizes.data());
  return sizes;
}

uint64_t EstimateBytes(const SizeSource& source, std::string_view lower, std::string_view upper) {
  const std::string_view cuts[] = {lower, upper.empty() ? std::string_view(LastKey()) : upper};
  return cuts[0] < cuts[1] ? source.EstimateBytes(cuts)[0] : 0;
}

uint64_t EstimateEntries(const SizeSource& source, std::string_view lower, std::string_view upper) {
  if (upper.empty()) upper = LastKey();
  if (lower >= upper) return 0;
  const uint32_t partition_id = source.partition()->GetID();
  const uint64_t in_memory = source.memtables().EstimateEntries(partition_id, lower, upper);
  const std::string_view all[] = {"", LastKey()};
  const std::string_view part[] = {lower, upper};
  const auto all_bytes = static_cast<double>(source.EstimateFileBytes(all)[0]);
  uint64_t entries = 0;
  source.db()->GetIntProperty(source.partition(), rocksdb::DB::Properties::kEstimateNumKeys, &entries);
  const uint64_t all_in_memory = source.memtables().EstimateEntries(partition_id, all[0], all[1]);
  if (all_bytes == 0 || entries <= all_in_memory) return std::min(in_memory, entries);
  const double share = static_cast<double>(source.EstimateFileBytes(part)[0]) / all_bytes;
  return in_memory + static_cast<uint64_t>(static_cast<double>(entries - all_in_memory) * share + 0.5);
}

std::vector<std::string> SplitPointCache::BoundariesWithin(const SizeSource& source, std::string_view lower,
                                                           std::string_view upper, size_t max_count,
                                                           uint64_t files_version) {
  // Keys of the memtables cut as well as those of files; where there are both, there may be twice as many.
  std::vector<std::string> within = source.memtables().KeysWithin(source.partition()->GetID(), lower, upper, max_count);
  std::lock_guard lock(mutex_);
  Boundaries& known = boundaries_[source.partition()->GetID()];
  if (known.files_version != files_version) {
    rocksdb::ColumnFamilyMetaData metadata;
    source.db()->GetColumnFamilyMetaData(source.partition(), &metadata);
    known.keys.clear();
    for (const auto& level : metadata.levels) {
      for (const auto& file : level.files) {
        known.keys.push_back(file.smallestkey);
        known.keys.push_back(file.largestkey);
      }
    }
    std::sort(known.keys.begin(), known.keys.end());
    known.keys.erase(std::unique(known.keys.begin(), known.keys.end()), known.keys.end());
    known.files_version = files_version;
  }
  const auto first = std::upper_bound(known.keys.begin(), known.keys.end(), lower);
  const auto last = std::lower_bound(first, known.keys.end(), upper);
  const size_t step = static_cast<size_t>(last - first) / max_count + 1;
  for (auto it = first; it < last; it += std::min<std::ptrdiff_t>(step, last - it)) within.push_back(*it);
  std::sort(within.begin(), within.end());
  within.erase(std::unique(within.begin(), within.end()), within.end());
  return within;
}

std::vector<std::string> SplitPointCache::Get(const SizeSource& source, std::string_view lower, std::string_view upper,
                                              size_t max_points, uint64_t files_version) {
  if (upper.empty()) upper = LastKey();
  if (max_points == 0 || lower >= upper) return {};
  const uint32_t partition_id = source.partition()->GetID();
  uint64_t memtable_bytes = 0;
  source.db()->GetIntProperty(source.partition(), rocksdb::DB::Properties::kCurSizeAllMemTables, &memtable_bytes);
  {
    std::lock_guard lock(mutex_);
    for (auto it = answers_.begin(); it != answers_.end(); ++it) {
      if (it->partition_id != partition_id || it->lower != lower || it->upper != upper ||
          it->max_points != max_points) {
        continue;
      }
      const bool grown = memtable_bytes > it->memtable_bytes + it->memtable_bytes / 4 + kWorthSplitting;
      if (it->files_version == files_version && !grown) {
        answers_.splice(answers_.begin(), answers_, it);
        return it->points;
      }
      answers_.erase(it);
      break;
    }
  }
  const size_t max_boundaries = (max_points + 1) * kGapsPerPoint;
  std::vector<std::string> points = FindPoints(source, lower, upper, max_points,
                                               BoundariesWithin(source, lower, upper, max_boundaries, files_version));
  std::lock_guard lock(mutex_);
  answers_.push_front(
      {partition_id, std::string(lower), std::string(upper), max_points, files_version, memtable_bytes, points});
  if (answers_.size() > kMaxAnswers) answers_.pop_back();
  return points;
}

}  // namespace yarrow
