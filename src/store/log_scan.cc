#include "store/log_scan.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "store/crc32c.h"
#include "store/rocksdb_status.h"

namespace yarrow {
namespace {

constexpr size_t kLogBlock = 32768;
constexpr size_t kFragmentHeader = 7;
constexpr size_t kBatchHeader = 12;
constexpr uint64_t kDiskSector = 512;  // written as a whole or not at all

template <class Number>
Number LoadNumber(const char* bytes) {
  Number number;
  std::memcpy(&number, bytes, sizeof number);
  return number;
}

enum FragmentType : uint8_t { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

struct Fragment {
  uint8_t type = 0;
  std::string_view bytes;
  size_t size() const { return kFragmentHeader + bytes.size(); }
  bool begins() const { return type == kFull || type == kFirst; }
  bool ends() const { return type == kFull || type == kLast; }
};

bool AllZeros(std::string_view bytes) {
  return bytes.empty() || (bytes[0] == '\0' && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

// Null, or what is wrong with the fragment at the front of `bytes`, the rest of a block.
const char* ReadFragment(std::string_view bytes, bool is_last_block, Fragment* fragment) {
  if (bytes.size() < kFragmentHeader) return "the file ends within a record";
  const auto length = LoadNumber<uint16_t>(bytes.data() + 4);
  fragment->type = static_cast<uint8_t>(bytes[6]);
  if (fragment->type < kFull || fragment->type > kLast) return "there is no record where one should begin";
  if (kFragmentHeader + length > bytes.size()) {
    return is_last_block ? "the file ends within a record" : "the length of a record is wrong";
  }
  fragment->bytes = bytes.substr(kFragmentHeader, length);
  const uint32_t rotated = LoadNumber<uint32_t>(bytes.data()) - 0xa282ead8U;
  const uint32_t expected = (rotated >> 17) | (rotated << 15);
  return Crc32c(bytes.substr(6, length + 1)) == expected ? nullptr : "the checksum of a record is wrong";
}

class LogScanner {
 public:
  LogScanner(uint64_t next_sequence, LogRecords kind) : kind_(kind) { scan_.next_sequence = next_sequence; }

  // The blocks of the file, one after the other; only the last one may be short.
  void Add(std::string_view block) {
    block_ = block;
    block_at_ = scan_.file_bytes;
    scan_.file_bytes += block.size();
    if (scan_.is_broken) {
      Search(0);
    } else if (has_ended_ && !AllZeros(block)) {
      Break(block_at_, "zeros lie between records", false);
      Search(0);
    } else if (!has_ended_) {
      Walk();
    }
  }
  LogScan Finish() {
    if (!scan_.is_broken && in_record_) Break(record_at_, "a record is not finished", false);
    return std::move(scan_);
  }

 private:
  void Walk() {
    size_t at = 0;
    while (at < block_.size()) {
      const std::string_view rest = block_.substr(at);
      const bool is_trailer = kLogBlock - at < kFragmentHeader;
      if (is_trailer && AllZeros(rest)) return;
      if (AllZeros(rest.substr(0, kFragmentHeader))) {
        has_ended_ = true;
        if (AllZeros(rest)) return;
        Break(block_at_ + at, "zeros lie between records", false);
        return Search(at + 1);
      }
      Fragment fragment;
      const bool is_short = block_.size() < kLogBlock;
      const char* problem =
          is_trailer ? "there are bytes where a block should end" : ReadFragment(rest, is_short, &fragment);
      bool is_whole = problem != nullptr && IsWrittenWhole(at);
      if (problem == nullptr) {
        problem = Take(fragment, block_at_ + at);
        is_whole = problem != nullptr;
      }
      if (problem != nullptr) {
        Break(block_at_ + at, problem, is_whole);
        return Search(at + 1);
      }
      at += fragment.size();
      if (!in_record_) scan_.end = block_at_ + at;
    }
  }

  const char* Take(const Fragment& fragment, uint64_t at) {
    if (fragment.begins() == in_record_) {
      return in_record_ ? "the end of a record is missing" : "the start of a record is missing";
    }
    if (fragment.begins()) {
      record_at_ = at;
      head_.clear();
    }
    head_.append(fragment.bytes.substr(0, kBatchHeader - head_.size()));
    in_record_ = !fragment.ends();
    if (in_record_) return nullptr;
    if (kind_ == LogRecords::kPlain) {
      ++scan_.records;
      return nullptr;
    }
    if (head_.size() < kBatchHeader) return "a record is too short";
    const auto sequence = LoadNumber<uint64_t>(head_.data());
    if (sequence < scan_.next_sequence) return "a record is older than the one before it";
    if (scan_.records++ == 0) scan_.first_sequence = sequence;
    scan_.next_sequence = sequence + LoadNumber<uint32_t>(head_.data() + sizeof sequence);
    return nullptr;
  }

  void Break(uint64_t at, const char* problem, bool is_written_whole) {
    scan_.is_broken = true;
    scan_.problem = std::string(problem) + " (at byte " + std::to_string(at) + ")";
    scan_.is_written_whole = is_written_whole;
  }

  // Whether nothing of the bad fragment at `at` can be missing: it does not end in zeros, and in none of the sectors
  // that it lies in is all of it zeros.
  bool IsWrittenWhole(size_t at) const {
    const size_t written = block_.find_last_not_of('\0') + 1;
    const std::string_view rest = block_.substr(at);
    size_t end = written;
    if (rest.size() >= kFragmentHeader) {
      const size_t claimed = at + kFragmentHeader + LoadNumber<uint16_t>(rest.data() + 4);
      const auto type = static_cast<uint8_t>(rest[6]);
      const bool is_plausible = type >= kFull && type <= kLast && claimed <= kLogBlock;
      if (is_plausible && claimed > written) return false;
      if (is_plausible) end = claimed;
    }
    if (end <= at + kFragmentHeader || block_[end - 1] == '\0') return false;
    for (size_t from = at; from < end;) {
      const size_t to = std::min<size_t>(end, from + kDiskSector - (block_at_ + from) % kDiskSector);
      if (AllZeros(block_.substr(from, to - from))) return false;
      from = to;
    }
    return true;
  }

  // Looks for whole fragments from `at` on, wherever they begin.
  void Search(size_t at) {
    while (at + kFragmentHeader <= block_.size()) {
      Fragment fragment;
      if (ReadFragment(block_.substr(at), false, &fragment) != nullptr) {
        ++at;
        continue;
      }
      at += fragment.size();
      scan_.has_fragment_behind = true;
      if (!fragment.begins() || fragment.bytes.size() < kBatchHeader) continue;
      const auto sequence = LoadNumber<uint64_t>(fragment.bytes.data());
      const auto changes = LoadNumber<uint32_t>(fragment.bytes.data() + sizeof sequence);
      if (sequence < scan_.next_sequence) continue;
      ++scan_.records_behind;
      scan_.changes_behind += changes;
      scan_.last_behind = std::max(scan_.last_behind, sequence + std::max(changes, 1U) - 1);
    }
  }

  const LogRecords kind_;
  LogScan scan_;
  std::string_view block_;
  uint64_t block_at_ = 0;
  bool has_ended_ = false;  // nothing but zeros since
  bool in_record_ = false;
  uint64_t record_at_ = 0;
  std::string head_;  // the first bytes of the record
};

}  // namespace

arrow::Result<LogScan> ScanLog(rocksdb::Env* env, const std::string& path, uint64_t next_sequence, LogRecords kind) {
  std::unique_ptr<rocksdb::SequentialFile> file;
  rocksdb::Status status = env->NewSequentialFile(path, &file, rocksdb::EnvOptions());
  LogScanner scanner(next_sequence, kind);
  std::vector<char> buffer(16 * kLogBlock);
  for (bool at_end = false; status.ok() && !at_end;) {
    rocksdb::Slice read;
    status = file->Read(buffer.size(), &read, buffer.data());
    at_end = read.size() < buffer.size();
    for (size_t at = 0; status.ok() && at < read.size(); at += kLogBlock) {
      scanner.Add(std::string_view(read.data() + at, std::min(kLogBlock, read.size() - at)));
    }
  }
  ARROW_RETURN_NOT_OK(FromRocksDb(status, "cannot read the log '", path, "'"));
  return scanner.Finish();
}

}  // namespace yarrow
