// The settings of a database: rows of system.settings, and what reading code looks at.
#include <algorithm>
#include <atomic>
#include <charconv>
#include <limits>
#include <string>
#include <thread>

#include "table/database_impl.h"
#include "yarrow/scan_options.h"

namespace yarrow {
namespace {

using arrow::Status;

struct Setting {
  const char* name;
  std::atomic<int64_t> LiveSettings::*live;
  const char* what;  // it is a number of
  int64_t least, most;
  int64_t by_default;
  const char* description;
};

constexpr int64_t kMiB = 1 << 20;
constexpr int64_t kMostBytes = int64_t{1} << 50;
constexpr int64_t kSecondsOfADay = 24 * 60 * 60;

// By name.
const Setting kSettings[] = {
    {"background_jobs", &LiveSettings::background_jobs, "jobs", 0, 64, 1,
     "flushes, compactions and expiries that the policies of tables may make run at once; 0: none"},
    {"deleted_file_retention", &LiveSettings::deleted_file_retention, "seconds", 0, 36'500 * kSecondsOfADay,
     7 * kSecondsOfADay,
     "seconds that files of merged segments and dropped tables are kept for programs that may be reading them"},
    {"flush_bytes", &LiveSettings::flush_bytes, "bytes", 0, kMostBytes, 128 * kMiB,
     "bytes of hot rows after which tables that set no flush_bytes are flushed; 0: only those that do"},
    {"hot_tier_budget", &LiveSettings::hot_tier_budget, "bytes", 0, kMostBytes, 4096 * kMiB,
     "bytes that hot rows of tables with a flush policy may take before commits are slowed down; 0: any"},
    {"key_filter_cache_bytes", &LiveSettings::key_filter_cache_bytes, "bytes", 0, kMostBytes, 128 * kMiB,
     "memory for the key filters of segments, which take 1.25 bytes a row"},
    {"max_log_bytes", &LiveSettings::max_log_bytes, "bytes", kMiB, kMostBytes, 128 * kMiB,
     "bytes of the write-ahead log, above which rows that are only there are written to files; more makes an open "
     "after "
     "a crash slower"},
    {"open_segment_bytes", &LiveSettings::open_segment_bytes, "bytes", 0, kMostBytes, 64 * kMiB,
     "memory for the footers of segment files that are kept open"},
    {"open_segments", &LiveSettings::open_segments, "files", 0, 1'000'000, 500,
     "segments kept open; of their files, at most a quarter of those that the process may open; those in use come on "
     "top"},
    {"rows_to_segment", &LiveSettings::rows_to_segment, "rows", 0, std::numeric_limits<int64_t>::max(), 100'000,
     "rows of a statement or load from which on it writes segments itself; 0: it never does"},
    {"scan_threads", &LiveSettings::scan_threads, "threads", 1, kMostScanThreads,
     std::clamp<int64_t>(std::thread::hardware_concurrency(), 1, kMostScanThreads),
     "threads of CREATE INDEX, and of a scan that asks for 0 threads; 1 to 256"}};

arrow::Result<const Setting*> FindSetting(std::string_view name) {
  std::string names;
  for (const Setting& setting : kSettings) {
    if (setting.name == name) return &setting;
    names += (names.empty() ? "" : ", ") + std::string(setting.name);
  }
  return Status::KeyError("There is no setting '", name, "'; the settings are: ", names);
}

arrow::Result<int64_t> ParseNumber(const Setting& setting, std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < setting.least || number > setting.most) {
    return Status::Invalid("Setting ", setting.name, ": '", text, "' is not a number of ", setting.what, "; give ",
                           setting.least, " to ", setting.most);
  }
  return number;
}

}  // namespace

Status DatabaseImpl::LoadSettings() {
  auto& records = catalog_->settings();
  for (const Setting& setting : kSettings) {
    ARROW_ASSIGN_OR_RAISE(auto record, records.Get(SettingKey{setting.name}));
    if (!record) {
      record = SettingRecord{std::to_string(setting.by_default), setting.description};
      ARROW_RETURN_NOT_OK(records.Put(SettingKey{setting.name}, *record));
    }
    ARROW_ASSIGN_OR_RAISE(settings_.*setting.live, ParseNumber(setting, record->value));
  }
  return ApplyLimits();
}

Status DatabaseImpl::SetSetting(std::string_view name, std::string_view value) {
  ARROW_ASSIGN_OR_RAISE(const Setting* setting, FindSetting(name));
  ARROW_ASSIGN_OR_RAISE(const int64_t number, ParseNumber(*setting, value));
  ARROW_ASSIGN_OR_RAISE(auto record, catalog_->settings().Get(SettingKey{std::string(name)}));
  record->value = value;
  ARROW_RETURN_NOT_OK(catalog_->settings().Put(SettingKey{std::string(name)}, *record));
  settings_.*setting->live = number;
  return ApplyLimits();
}

Status DatabaseImpl::ApplyLimits() {
  SegmentCaches& caches = cold_tier_->caches;
  caches.key_filters.SetBudget({.bytes = static_cast<uint64_t>(settings_.key_filter_cache_bytes)});
  caches.open_segments.SetBudget({.bytes = static_cast<uint64_t>(settings_.open_segment_bytes),
                                  .entries = static_cast<uint64_t>(settings_.open_segments)});
  return store_->SetMostLogBytes(static_cast<uint64_t>(settings_.max_log_bytes));
}

}  // namespace yarrow
