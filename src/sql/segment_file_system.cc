#include "sql/segment_file_system.h"

#include <duckdb/common/file_system.hpp>

#include <algorithm>
#include <string>
#include <utility>

#include "cold/segment_path.h"
#include "cold/sha256.h"
#include "sql/sql_error.h"

namespace yarrow::sql {
namespace {

constexpr const char* kScheme = "yarrow-segment:";
constexpr const char* kFolder = "yarrow-segment:/";  // where the files are
constexpr const char* kSegment = "yarrow_segment";   // the option that says which one

class SegmentHandle : public duckdb::FileHandle {
 public:
  SegmentHandle(duckdb::FileSystem& files, const duckdb::string& name, duckdb::FileOpenFlags how,
                std::shared_ptr<const cold::Segment> opened)
      : FileHandle(files, name, how), segment(std::move(opened)) {}
  void Close() override {}

  const std::shared_ptr<const cold::Segment> segment;
  duckdb::idx_t position = 0;
};

const cold::Segment& SegmentOf(duckdb::FileHandle& handle) {
  return *handle.Cast<SegmentHandle>().segment;
}

// Whoever types the name of such a file has no segment to read it by.
duckdb::IOException Refusal(const duckdb::string& path) {
  return duckdb::IOException(path + " can be read through its table only");
}

// Reads only; whatever else is asked of it is refused by the base class.
class SegmentFileSystem : public duckdb::FileSystem {
 public:
  std::string GetName() const override { return "YarrowSegments"; }
  bool CanHandleFile(const duckdb::string& path) override { return path.starts_with(kScheme); }
  bool CanSeek() override { return true; }
  bool OnDiskFile(duckdb::FileHandle&) override { return true; }
  bool IsPipe(const duckdb::string&, duckdb::optional_ptr<duckdb::FileOpener>) override { return false; }
  int64_t GetFileSize(duckdb::FileHandle& handle) override {
    return static_cast<int64_t>(SegmentOf(handle).info().bytes);
  }
  // Files never change.
  duckdb::timestamp_t GetLastModifiedTime(duckdb::FileHandle&) override { return duckdb::timestamp_t(1); }
  duckdb::string GetVersionTag(duckdb::FileHandle& handle) override {
    return cold::ToHex(SegmentOf(handle).info().sha256);
  }
  duckdb::FileType GetFileType(duckdb::FileHandle&) override { return duckdb::FileType::FILE_TYPE_REGULAR; }

  void Read(duckdb::FileHandle& handle, void* buffer, int64_t bytes, duckdb::idx_t position) override {
    const arrow::Status read = SegmentOf(handle).ReadBytes(position, static_cast<uint64_t>(bytes), buffer);
    if (!read.ok()) throw duckdb::IOException(read.message());
  }
  int64_t Read(duckdb::FileHandle& handle, void* buffer, int64_t bytes) override {
    auto& file = handle.Cast<SegmentHandle>();
    const auto left = static_cast<int64_t>(file.segment->info().bytes - file.position);
    bytes = std::min(bytes, left);
    Read(handle, buffer, bytes, file.position);
    file.position += static_cast<duckdb::idx_t>(bytes);
    return bytes;
  }
  void Seek(duckdb::FileHandle& handle, duckdb::idx_t position) override {
    handle.Cast<SegmentHandle>().position = std::min<duckdb::idx_t>(position, SegmentOf(handle).info().bytes);
  }
  void Reset(duckdb::FileHandle& handle) override { Seek(handle, 0); }
  duckdb::vector<duckdb::OpenFileInfo> Glob(const duckdb::string& pattern, duckdb::FileOpener*) override {
    throw Refusal(pattern);
  }
  duckdb::idx_t SeekPosition(duckdb::FileHandle& handle) override { return handle.Cast<SegmentHandle>().position; }

 protected:
  bool SupportsOpenFileExtended() const override { return true; }
  duckdb::unique_ptr<duckdb::FileHandle> OpenFileExtended(const duckdb::OpenFileInfo& file, duckdb::FileOpenFlags flags,
                                                          duckdb::optional_ptr<duckdb::FileOpener>) override {
    if (!file.extended_info || flags.OpenForWriting()) throw Refusal(file.path);
    const auto segment = file.extended_info->options.find(kSegment);
    if (segment == file.extended_info->options.end()) throw Refusal(file.path);
    const auto* pointer = reinterpret_cast<const ColdSegment*>(segment->second.GetPointer());
    return duckdb::make_uniq<SegmentHandle>(*this, file.path, flags, Check(pointer->Open()));
  }
};

}  // namespace

duckdb::OpenFileInfo SegmentFile(const ColdSegment& segment) {
  const std::string sha256 = cold::ToHex(segment.info().sha256);
  duckdb::OpenFileInfo file(kFolder + cold::SegmentPath(segment.key()).string() + "?" + sha256);
  file.extended_info = duckdb::make_shared_ptr<duckdb::ExtendedOpenFileInfo>();
  auto& options = file.extended_info->options;
  options[kSegment] = duckdb::Value::POINTER(reinterpret_cast<uintptr_t>(&segment));
  options["file_size"] = duckdb::Value::UBIGINT(segment.info().bytes);
  options["validate_external_file_cache"] = duckdb::Value::BOOLEAN(false);
  options["etag"] = duckdb::Value(sha256);
  options["last_modified"] = duckdb::Value::TIMESTAMP(duckdb::timestamp_t(1));
  return file;
}

bool MayReadSegmentFiles(duckdb::ClientContext& context) {
  return duckdb::DBConfig::GetConfig(context).CanAccessFile(kFolder, duckdb::FileType::FILE_TYPE_DIR);
}

// As a directory of DuckDB's setting allowed_directories: whoever types such a name is refused here in any case.
void AllowSegmentFiles(duckdb::DatabaseInstance& duckdb) {
  duckdb::DBConfig::GetConfig(duckdb).options.allowed_directories.insert(kFolder);
}

void RegisterSegmentFileSystem(duckdb::DatabaseInstance& duckdb) {
  duckdb.GetFileSystem().RegisterSubSystem(duckdb::make_uniq<SegmentFileSystem>());
}

}  // namespace yarrow::sql
