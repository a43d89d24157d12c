// The settings of a database: rows of system.settings, and what reading code looks at.
#include <charconv>
#include <limits>
#include <string>
#include <thread>

#include "table/database_impl.h"

namespace yarrow {
namespace {

using arrow::Status;

constexpr const char* kScanThreads = "scan_threads";
constexpr const char* kDeletedFileRetention = "deleted_file_retention";
constexpr const char* kBackgroundJobs = "background_jobs";
constexpr const char* kHotTierBudget = "hot_tier_budget";
constexpr int64_t kMostBackgroundJobs = 64;
constexpr int64_t kMostBytes = int64_t{1} << 50;
constexpr int64_t kFourGiB = int64_t{4} << 30;
constexpr int64_t kSecondsOfAWeek = 7 * 24 * 60 * 60;
constexpr int64_t kMostSeconds = 100LL * 365 * 24 * 60 * 60;

arrow::Result<int64_t> ParseNumber(std::string_view name, std::string_view text, const char* what, int64_t least,
                                   int64_t most) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    return Status::Invalid("Setting ", name, ": '", text, "' is not a number of ", what, "; give ", least, " to ",
                           most);
  }
  return number;
}

// What a setting means to reading code.
Status Apply(std::string_view name, std::string_view value, LiveSettings* settings) {
  if (name == kScanThreads) {
    ARROW_ASSIGN_OR_RAISE(const int64_t threads, ParseNumber(name, value, "threads", 1, kMostScanThreads));
    settings->scan_threads = static_cast<int>(threads);
    return Status::OK();
  }
  if (name == kDeletedFileRetention) {
    ARROW_ASSIGN_OR_RAISE(const int64_t seconds, ParseNumber(name, value, "seconds", 0, kMostSeconds));
    settings->deleted_file_retention = seconds;
    return Status::OK();
  }
  if (name == kBackgroundJobs) {
    ARROW_ASSIGN_OR_RAISE(const int64_t jobs, ParseNumber(name, value, "jobs", 0, kMostBackgroundJobs));
    settings->background_jobs = static_cast<int>(jobs);
    return Status::OK();
  }
  if (name == kHotTierBudget) {
    ARROW_ASSIGN_OR_RAISE(const int64_t bytes, ParseNumber(name, value, "bytes", 0, kMostBytes));
    settings->hot_tier_budget = bytes;
    return Status::OK();
  }
  return Status::KeyError("There is no setting '", name, "'; the settings are: ", kBackgroundJobs, ", ",
                          kDeletedFileRetention, ", ", kHotTierBudget, ", ", kScanThreads);
}

}  // namespace

Status DatabaseImpl::LoadSettings() {
  const unsigned cores = std::max(1u, std::min<unsigned>(std::thread::hardware_concurrency(), kMostScanThreads));
  const std::pair<const char*, SettingRecord> defaults[] = {
      {kScanThreads, {std::to_string(cores), "threads of a scan that asks for 0 threads; 1 to 256"}},
      {kDeletedFileRetention,
       {std::to_string(kSecondsOfAWeek),
        "seconds that files of merged segments and dropped tables are kept for programs that may be reading them"}},
      {kBackgroundJobs,
       {"1", "flushes, compactions and expiries that the policies of tables may make run at once; 0: none"}},
      {kHotTierBudget,
       {std::to_string(kFourGiB),
        "bytes that hot rows of tables with a flush policy may take before commits are slowed down; 0: any"}}};
  auto& settings = catalog_->settings();
  for (const auto& [name, by_default] : defaults) {
    ARROW_ASSIGN_OR_RAISE(auto record, settings.Get(SettingKey{name}));
    if (!record) {
      record = by_default;
      ARROW_RETURN_NOT_OK(settings.Put(SettingKey{name}, *record));
    }
    ARROW_RETURN_NOT_OK(Apply(name, record->value, &settings_));
  }
  return Status::OK();
}

Status DatabaseImpl::SetSetting(std::string_view name, std::string_view value) {
  LiveSettings checked;
  ARROW_RETURN_NOT_OK(Apply(name, value, &checked));
  ARROW_ASSIGN_OR_RAISE(auto record, catalog_->settings().Get(SettingKey{std::string(name)}));
  record->value = value;
  ARROW_RETURN_NOT_OK(catalog_->settings().Put(SettingKey{std::string(name)}, *record));
  return Apply(name, value, &settings_);
}

}  // namespace yarrow
