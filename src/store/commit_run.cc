#include "store/commit_run.h"

#include <algorithm>

namespace yarrow {

CommitRun::CommitRun(std::vector<Point> points) {
  std::deque<uint64_t> hashes;
  for (const Point& point : points) hashes.push_back(point.hash);
  auto keys = std::make_shared<const KeyHashes>(std::move(hashes));
  size_ = keys->size();
  sequences_.resize(size_);
  for (const Point& point : points) {
    uint64_t& last = sequences_[keys->Find(point.hash)];
    last = std::max(last, point.sequence);
    newest_ = std::max(newest_, last);
  }
  keys_ = std::move(keys);
}

CommitRun::CommitRun(std::shared_ptr<const KeyHashes> keys, uint64_t sequence)
    : size_(keys->size()), newest_(sequence), keys_(std::move(keys)) {}

CommitRun::~CommitRun() {
  if (file_ != nullptr) file_->Free(offset_, size_ * sizeof(Point));
}

uint64_t CommitRun::memory_bytes() const {
  return (keys_ == nullptr ? 0 : keys_->memory_bytes()) +
         (sequences_.capacity() + first_hashes_.capacity()) * sizeof(uint64_t);
}

arrow::Result<std::shared_ptr<const CommitRun>> CommitRun::Spill(std::shared_ptr<SpillFile> file) const {
  std::shared_ptr<CommitRun> spilled(new CommitRun());
  spilled->size_ = size_;
  spilled->newest_ = newest_;
  spilled->offset_ = file->Reserve(size_ * sizeof(Point));
  std::vector<Point> points;
  for (size_t begin = 0; begin < size_; begin += points.size()) {
    points.clear();
    for (size_t i = begin; i < std::min(begin + kPointsPerBlock, size_); ++i) {
      points.push_back({keys_->sorted()[i], SequenceAt(i)});
    }
    spilled->first_hashes_.push_back(points.front().hash);
    ARROW_RETURN_NOT_OK(
        file->Write(spilled->offset_ + begin * sizeof(Point), points.data(), points.size() * sizeof(Point)));
  }
  spilled->file_ = std::move(file);
  return spilled;
}

arrow::Status CommitRun::ReadBlock(size_t block, std::vector<Point>* points) const {
  const size_t begin = block * kPointsPerBlock;
  points->resize(std::min(kPointsPerBlock, size_ - begin));
  return file_->Read(offset_ + begin * sizeof(Point), points->data(), points->size() * sizeof(Point));
}

arrow::Result<uint64_t> CommitRun::LastCommit(uint64_t hash) const {
  if (!is_spilled()) {
    const size_t position = keys_->Find(hash);
    return position == KeyHashes::kNone ? 0 : SequenceAt(position);
  }
  const auto behind = std::ranges::upper_bound(first_hashes_, hash);
  if (behind == first_hashes_.begin()) return 0;
  std::vector<Point> points;
  ARROW_RETURN_NOT_OK(ReadBlock(static_cast<size_t>(behind - first_hashes_.begin()) - 1, &points));
  const auto at = std::ranges::lower_bound(points, hash, {}, &Point::hash);
  return at == points.end() || at->hash != hash ? 0 : at->sequence;
}

arrow::Result<std::optional<CommitRun::Point>> CommitRun::FindCommon(const KeyHashes& keys, uint64_t after) const {
  if (newest_ <= after) return std::nullopt;
  const auto is_common = [&](const Point& point) { return point.sequence > after && keys.Contains(point.hash); };
  if (is_spilled()) {
    std::vector<Point> points;
    for (size_t block = 0; block < first_hashes_.size(); ++block) {
      ARROW_RETURN_NOT_OK(ReadBlock(block, &points));
      const auto common = std::ranges::find_if(points, is_common);
      if (common != points.end()) return *common;
    }
  } else if (keys.size() < size_) {
    for (const uint64_t hash : keys.sorted()) {
      ARROW_ASSIGN_OR_RAISE(const uint64_t last, LastCommit(hash));
      if (last > after) return Point{hash, last};
    }
  } else {
    for (size_t i = 0; i < size_; ++i) {
      const Point point{keys_->sorted()[i], SequenceAt(i)};
      if (is_common(point)) return point;
    }
  }
  return std::nullopt;
}

}  // namespace yarrow
