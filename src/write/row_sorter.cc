#include "write/row_sorter.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <queue>
#include <utility>

#include "key/key_bytes.h"
#include "store/home_process.h"

namespace yarrow {
namespace {

using arrow::Status;

constexpr size_t kFileBufferBytes = 1 << 20;
// Runs that are merged at once: each takes an open file and its buffer.
constexpr size_t kMostOpenRuns = 64;
constexpr size_t kWordBytes = sizeof(uint64_t);
// Entries with an equal word that are so few are sorted by their whole keys.
constexpr std::ptrdiff_t kFewEntries = 16;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

Status FileError(const char* what, const std::filesystem::path& path) {
  return Status::IOError("Sorting rows: cannot ", what, " ", path.string(), ": ", std::strerror(errno),
                         "; the folder needs free space of about the size of the data");
}

arrow::Result<File> OpenFile(const std::filesystem::path& path, const char* mode) {
  File file(std::fopen(path.c_str(), mode));
  if (!file) return FileError(*mode == 'w' ? "create" : "read", path);
  std::setvbuf(file.get(), nullptr, _IOFBF, kFileBufferBytes);
  return file;
}

struct RecordHead {
  uint32_t key_size;
  uint32_t row_size;
};

void WriteRecord(std::string_view key, std::string_view row, std::FILE* file) {
  const RecordHead head{static_cast<uint32_t>(key.size()), static_cast<uint32_t>(row.size())};
  std::fwrite(&head, sizeof(head), 1, file);
  std::fwrite(key.data(), 1, key.size(), file);
  std::fwrite(row.data(), 1, row.size(), file);
}

// Errors of the writes before show here.
Status FinishWriting(std::FILE* file, const std::filesystem::path& path) {
  return std::fflush(file) != 0 || std::ferror(file) != 0 ? FileError("write", path) : Status::OK();
}

// What is left is removed when the database is opened.
void RemoveFile(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!path.empty()) std::filesystem::remove(path, ignored);
}

size_t SharedPrefix(std::string_view a, std::string_view b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.begin() + std::min(a.size(), b.size()), b.begin()).first -
                             a.begin());
}

}  // namespace

// Reads one run back, record by record.
class RowSorter::RunReader {
 public:
  explicit RunReader(const Run& run) : run_(run) {}
  Status Open() {
    if (run_.path.empty()) return Status::OK();
    return OpenFile(run_.path, "rb").Value(&file_);
  }
  // False at the end.
  arrow::Result<bool> Next() { return file_ ? NextOfFile() : NextInMemory(); }
  std::string_view key() const { return key_; }
  std::string_view row() const { return row_; }

 private:
  bool NextInMemory() {
    if (next_ == run_.memory.entries.size()) return false;
    const Entry& entry = run_.memory.entries[next_++];
    key_ = run_.memory.Key(entry);
    row_ = run_.memory.RowOf(entry);
    return true;
  }
  arrow::Result<bool> NextOfFile() {
    RecordHead head;
    if (std::fread(&head, sizeof(head), 1, file_.get()) != 1) {
      if (std::ferror(file_.get()) != 0) return FileError("read", run_.path);
      return false;
    }
    bytes_.resize(size_t{head.key_size} + head.row_size);
    if (std::fread(bytes_.data(), 1, bytes_.size(), file_.get()) != bytes_.size()) return FileError("read", run_.path);
    key_ = std::string_view(bytes_).substr(0, head.key_size);
    row_ = std::string_view(bytes_).substr(head.key_size);
    return true;
  }

  const Run& run_;
  size_t next_ = 0;  // in memory
  File file_;
  std::string bytes_;  // of the record of the file
  std::string_view key_, row_;
};

RowSorter::RowSorter(std::filesystem::path folder, uint64_t buffer_bytes)
    : folder_(std::move(folder)), buffer_bytes_(std::max<uint64_t>(buffer_bytes, 1 << 20)) {}

RowSorter::~RowSorter() {
  if (!HomeProcess::IsHome()) return;
  for (const Run& run : runs_) RemoveFile(run.path);
}

Status RowSorter::Add(std::string_view key, std::string_view row) {
  const bool fits = buffer_.size() + key.size() + row.size() <= buffer_bytes_;
  if (!fits && !buffer_.entries.empty()) ARROW_RETURN_NOT_OK(Spill());
  buffer_.Add(key, row);
  added_bytes_ += key.size() + row.size();
  return Status::OK();
}

void RowSorter::Absorb(RowSorter* other) {
  EndBuffer();
  other->EndBuffer();
  std::ranges::move(other->runs_, std::back_inserter(runs_));
  other->runs_.clear();
  added_bytes_ += std::exchange(other->added_bytes_, 0);
}

void RowSorter::Buffer::Add(std::string_view key, std::string_view row) {
  if (sorted && !entries.empty()) sorted = Key(entries.back()) <= key;
  entries.push_back({0, bytes.size(), static_cast<uint32_t>(key.size()), static_cast<uint32_t>(row.size())});
  bytes.append(key);
  bytes.append(row);
}

// By words of 8 bytes, each kept beside its entry, so that a comparison seldom reads a key (as multikey quicksort takes
// characters: Bentley and Sedgewick, 1997). The ranges that are left to be sorted wait in a list, since recursion would
// be as deep as keys are long.
void RowSorter::Buffer::Sort() {
  if (std::exchange(sorted, true)) return;
  std::vector<Unsorted> ranges = {{entries, 0}};
  while (!ranges.empty()) {
    const Unsorted range = ranges.back();
    ranges.pop_back();
    SortByNextWord(range, &ranges);
  }
}

void RowSorter::Buffer::SortByNextWord(const Unsorted& unsorted, std::vector<Unsorted>* left) const {
  const std::span<Entry> range = unsorted.entries;
  const std::string_view first = Key(range.front()).substr(unsorted.shared);
  size_t more = first.size();
  for (const Entry& entry : range) {
    more = std::min(more, SharedPrefix(first.substr(0, more), Key(entry).substr(unsorted.shared)));
  }
  const size_t shared = unsorted.shared + more;
  for (Entry& entry : range) entry.order = LoadHead(Key(entry).substr(shared));
  const size_t end = shared + kWordBytes;
  // Of keys of the same word that end in it, a shorter one is a prefix of a longer one. Longer ones wait.
  std::ranges::sort(range, [end](const Entry& a, const Entry& b) {
    if (a.order != b.order) return a.order < b.order;
    const size_t a_size = std::min<size_t>(a.key_size, end + 1), b_size = std::min<size_t>(b.key_size, end + 1);
    return a_size != b_size ? a_size < b_size : a.start < b.start;
  });
  const auto by_key = [this, end](const Entry& a, const Entry& b) {
    const int order = Key(a).substr(end).compare(Key(b).substr(end));
    return order != 0 ? order < 0 : a.start < b.start;
  };
  for (auto from = range.begin(); from != range.end();) {
    const uint64_t word = from->order;
    const auto to = std::find_if(from, range.end(), [word](const Entry& entry) { return entry.order != word; });
    const auto longer = std::find_if(from, to, [end](const Entry& entry) { return entry.key_size > end; });
    if (to - longer > kFewEntries) {
      left->push_back({{longer, to}, end});
    } else {
      std::sort(longer, to, by_key);
    }
    from = to;
  }
}

std::filesystem::path RowSorter::NewRunPath() const {
  static std::atomic<uint64_t> number{0};
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  return folder_ / ("sort-" + std::to_string(::getpid()) + "-" + std::to_string(++number));
}

Status RowSorter::Spill() {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  buffer_.Sort();
  const auto path = NewRunPath();
  runs_.push_back({path});
  ARROW_ASSIGN_OR_RAISE(File file, OpenFile(path, "wb"));
  for (const Entry& entry : buffer_.entries) WriteRecord(buffer_.Key(entry), buffer_.RowOf(entry), file.get());
  ARROW_RETURN_NOT_OK(FinishWriting(file.get(), path));
  buffer_.bytes.clear();
  buffer_.entries.clear();
  buffer_.sorted = true;
  return Status::OK();
}

void RowSorter::EndBuffer() {
  if (buffer_.entries.empty()) return;
  buffer_.Sort();
  runs_.push_back({{}, std::exchange(buffer_, {})});
}

Status RowSorter::Merge(std::span<const Run> runs, const Take& take) {
  std::vector<std::unique_ptr<RunReader>> readers;
  const auto after = [&](size_t a, size_t b) {  // runs are in the order of adding, which settles equal keys
    const int order = readers[a]->key().compare(readers[b]->key());
    return order != 0 ? order > 0 : a > b;
  };
  std::priority_queue<size_t, std::vector<size_t>, decltype(after)> heap(after);
  for (const Run& run : runs) {
    readers.push_back(std::make_unique<RunReader>(run));
    ARROW_RETURN_NOT_OK(readers.back()->Open());
    ARROW_ASSIGN_OR_RAISE(const bool any, readers.back()->Next());
    if (any) heap.push(readers.size() - 1);
  }
  while (!heap.empty()) {
    const size_t run = heap.top();
    heap.pop();
    // A run stays on top as long as its keys come before all others: sorted input costs no heap operations.
    while (true) {
      ARROW_RETURN_NOT_OK(take(readers[run]->key(), readers[run]->row()));
      ARROW_ASSIGN_OR_RAISE(const bool any, readers[run]->Next());
      if (!any) break;
      if (!heap.empty() && after(run, heap.top())) {
        heap.push(run);
        break;
      }
    }
  }
  return Status::OK();
}

// Neighbours become one run in their place, so that rows of equal keys keep their order.
Status RowSorter::MergeToFewRuns() {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  while (runs_.size() > kMostOpenRuns) {
    for (size_t first = 0; first + 1 < runs_.size(); ++first) {
      const size_t count = std::min(kMostOpenRuns, runs_.size() - first);
      const auto path = NewRunPath();
      runs_.push_back({path});  // removed with the others if it is never finished
      const std::span<Run> merged = std::span(runs_).subspan(first, count);
      ARROW_ASSIGN_OR_RAISE(File file, OpenFile(path, "wb"));
      ARROW_RETURN_NOT_OK(Merge(merged, [&](std::string_view key, std::string_view row) {
        WriteRecord(key, row, file.get());
        return Status::OK();
      }));
      ARROW_RETURN_NOT_OK(FinishWriting(file.get(), path));
      for (const Run& old : merged) RemoveFile(old.path);
      runs_.pop_back();
      merged.front() = {path};
      const auto begin = runs_.begin() + static_cast<std::ptrdiff_t>(first);
      runs_.erase(begin + 1, begin + static_cast<std::ptrdiff_t>(count));
    }
  }
  return Status::OK();
}

Status RowSorter::Drain(const Take& take) {
  EndBuffer();
  if (runs_.size() > kMostOpenRuns) ARROW_RETURN_NOT_OK(MergeToFewRuns());
  return Merge(runs_, take);
}

}  // namespace yarrow
