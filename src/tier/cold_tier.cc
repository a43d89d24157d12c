#include "tier/cold_tier.h"

#include <filesystem>
#include <functional>
#include <set>
#include <string>

#include "cold/segment_path.h"
#include "key/key_range.h"
#include "key/record_key.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {

using arrow::Status;

namespace {

using Discard = std::function<Status(const std::filesystem::path& path)>;

Status SweepFolder(cold::FileSystem& files, const std::filesystem::path& folder,
                   const std::set<std::filesystem::path>& known, const Discard& discard) {
  ARROW_ASSIGN_OR_RAISE(const auto names, files.List(folder));
  for (const std::string& name : names) {
    const std::filesystem::path path = folder / name;
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
      if (cold::IsFolderName(name)) ARROW_RETURN_NOT_OK(SweepFolder(files, path, known, discard));
    } else if (known.count(path) == 0 && (cold::ParseSegmentFileName(name) || cold::IsTemporaryName(name))) {
      ARROW_RETURN_NOT_OK(discard(path));
    }
  }
  return Status::OK();
}

}  // namespace

Status SweepSegmentFiles(const ColdTier& tier) {
  const std::filesystem::path folder = tier.store->path() / cold::kColdFolder;
  ARROW_ASSIGN_OR_RAISE(const bool exists, tier.files->Exists(folder));
  if (!exists) return Status::OK();
  std::set<std::filesystem::path> known;
  const KeyRange all = PrefixRange(RecordPrefix(RecordKind::kManifest));
  ScanCursor entries = tier.store->Scan({.partition = tier.rows, .lower = all.lower, .upper = all.upper});
  while (entries.Next()) {
    ARROW_ASSIGN_OR_RAISE(const auto key, cold::DecodeManifestKey(entries.key()));
    known.insert(tier.store->path() / cold::SegmentPath(key));
  }
  ARROW_RETURN_NOT_OK(entries.status());
  for (const DeletedFile& file : tier.deleted.List()) known.insert(tier.store->path() / cold::SegmentPath(file.key));
  const auto remove = [&](const std::filesystem::path& path) { return tier.files->Remove(path); };
  // What names them may be lost.
  const auto keep = [&](const std::filesystem::path& path) -> Status {
    const auto below = std::filesystem::path("salvaged") / path.lexically_relative(tier.store->path()).parent_path();
    ARROW_RETURN_NOT_OK(cold::CreateFoldersDurably(*tier.files, tier.store->path(), below));
    return tier.files->Rename(path, tier.store->path() / below / path.filename());
  };
  return SweepFolder(*tier.files, folder, known, tier.store->losses().empty() ? Discard(remove) : Discard(keep));
}

}  // namespace yarrow
