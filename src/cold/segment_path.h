// Where the files of segments lie below a database's directory. Frozen: on disk.
//
//   cold/<table id>/<segment id>.parquet             shared tables
//   cold/<table id>/<user folder>/<segment id>.parquet   user tables
//
// Ids are decimal, a segment's with 20 digits, so that names sort by age. The user folder is "u-" and the user id with
// every byte but ASCII letters, digits, '_' and '-' written as %XX; one of more than 200 bytes so written is cut to 100
// of them and continued with '~' and the hex digits of the SHA-256 of the user id. Names of schemas and tables are not
// in paths: renaming a table moves no file. While a file is being written its name has a dot before it and ".tmp"
// behind it. Pure functions, thread-safe.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "cold/segment_key.h"

namespace yarrow::cold {

inline constexpr const char* kColdFolder = "cold";

// The folder of a table's files, relative to the database's directory.
std::filesystem::path TableFolder(uint32_t table_id);
std::string UserFolderName(std::string_view user_id);
// The whole path of a segment's file, relative to the database's directory.
std::filesystem::path SegmentPath(const ManifestKey& key);

// Whether a folder of this name may be a table's or, in one of those, a user's.
bool IsFolderName(std::string_view name);

std::string SegmentFileName(SegmentId segment_id);
// Nothing when `name` is not what SegmentFileName gives.
std::optional<SegmentId> ParseSegmentFileName(std::string_view name);

// The name that a file has until it is whole, in the same folder.
std::filesystem::path TemporaryPath(const std::filesystem::path& path);
// Whether a file of this name is one that was never finished.
bool IsTemporaryName(std::string_view name);

}  // namespace yarrow::cold
