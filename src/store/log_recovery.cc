#include "store/log_recovery.h"

#include <algorithm>
#include <memory>
#include <system_error>
#include <utility>

#include "store/log_env.h"
#include "store/rocksdb_status.h"

namespace yarrow {

namespace fs = std::filesystem;

namespace {

std::string NumberedPath(const fs::path& database, const std::string& prefix, uint64_t number,
                         const std::string& extension) {
  std::string digits = std::to_string(number);
  if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
  return (database / "hot" / (prefix + digits + extension)).string();
}

std::string LogPath(const fs::path& database, uint64_t number) {
  return NumberedPath(database, "", number, ".log");
}

// What is missing of what was synced; empty: nothing.
std::string FindMissing(const LogScan& scan, uint64_t synced) {
  if (scan.end >= synced) return "";
  const std::string all = std::to_string(synced) + " bytes of it were synced";
  if (scan.is_broken) return scan.problem;
  return scan.file_bytes < synced ? "the file was cut to " + std::to_string(scan.file_bytes) + " bytes, " + all
                                  : "there are zeros from byte " + std::to_string(scan.end) + " on, " + all;
}

// What is wrong with the MANIFEST; empty: nothing.
arrow::Result<std::string> FindManifestDamage(rocksdb::Env* env, const fs::path& database, uint64_t number,
                                              const LogLedger::Entry& entry) {
  if (entry.synced == 0) return "";
  const std::string path = NumberedPath(database, "MANIFEST-", number, "");
  ARROW_ASSIGN_OR_RAISE(const LogScan scan, ScanLog(env, path, 0, LogRecords::kPlain));
  const std::string missing = FindMissing(scan, entry.synced);
  return missing.empty() ? "" : "the file '" + path + "' is damaged, " + missing;
}

}  // namespace

arrow::Status CheckSyncedLog(rocksdb::Env* env, const fs::path& database, const LogLedger& ledger) {
  for (const auto& [number, entry] : ledger.entries()) {
    if (entry.synced == 0) continue;
    const std::string path = LogPath(database, number);
    const auto scan = ScanLog(env, path, 0);
    if (!ledger.entries().contains(number)) continue;  // not needed any more
    const std::string missing = scan.ok() ? FindMissing(*scan, entry.synced) : scan.status().message();
    if (!missing.empty()) return arrow::Status::IOError("the log '", path, "' is damaged, ", missing);
  }
  for (const auto& [number, entry] : ledger.manifests()) {
    const auto damage = FindManifestDamage(env, database, number, entry);
    if (!ledger.manifests().contains(number)) continue;
    ARROW_RETURN_NOT_OK(damage.status());
    if (!damage->empty()) return arrow::Status::IOError(*damage);
  }
  return arrow::Status::OK();
}

// RocksDB takes a bad record for the end of its MANIFEST as well. It would not know of the SST files that the records
// from there on name, and remove them.
arrow::Status LogRecovery::CheckManifest() {
  std::string current;
  const std::string path = (database_ / "hot" / "CURRENT").string();
  if (!rocksdb::ReadFileToString(env_, path, &current).ok()) return arrow::Status::OK();  // RocksDB says what is wrong
  while (!current.empty() && current.back() == '\n') current.pop_back();
  const auto number = ManifestNumberOf(current);
  for (const auto& [known, entry] : ledger_->manifests()) {
    if (number != known) {
      ARROW_RETURN_NOT_OK(ledger_->Forget(known));
      continue;
    }
    const auto damage = FindManifestDamage(env_, database_, known, entry);
    if (!damage.ok() || damage->empty()) continue;  // RocksDB says why it cannot be read
    return arrow::Status::IOError(*damage, ": the database at '", database_.string(), "' cannot be opened without it; ",
                                  "restore it from a backup, or copy what is left with RocksDB's repair tool");
  }
  return arrow::Status::OK();
}

arrow::Status LogRecovery::Run(bool salvage) {
  ARROW_RETURN_NOT_OK(CheckManifest());
  ARROW_RETURN_NOT_OK(List());
  ARROW_RETURN_NOT_OK(Scan());
  size_t i = FirstDamaged();
  if (i < logs_.size()) {
    ARROW_RETURN_NOT_OK(DropUnneeded());
    i = FirstDamaged();
  }
  if (i < logs_.size() && !salvage) {
    return arrow::Status::IOError(
        Describe(i, FindDamage(i)), "; the database at '", database_.string(),
        "' is damaged: restore it from a backup, or open what is left with salvage (yarrow check ", database_.string(),
        " --salvage)");
  }
  if (i < logs_.size()) ARROW_RETURN_NOT_OK(Salvage(i));
  DropBehindTornRecord();
  ARROW_RETURN_NOT_OK(RemoveEmpty());
  for (const Log& log : logs_) ARROW_RETURN_NOT_OK(Settle(log));
  return ledger_->NoteStart();
}

arrow::Status LogRecovery::List() {
  std::vector<std::string> names;
  ARROW_RETURN_NOT_OK(FromRocksDb(env_->GetChildren((database_ / "hot").string(), &names), "cannot list '",
                                  (database_ / "hot").string(), "'"));
  const auto entries = ledger_->entries();
  for (const std::string& name : names) {
    const auto number = LogNumberOf(name);
    if (number) logs_.emplace_back().number = *number;
  }
  for (const auto& [number, entry] : entries) {
    const auto known = std::ranges::find(logs_, number, &Log::number);
    const bool is_there = known != logs_.end();
    Log& log = is_there ? *known : logs_.emplace_back();
    log.number = number;
    log.is_there = is_there;
    log.entry = entry;
    log.is_known = true;
  }
  std::ranges::sort(logs_, {}, &Log::number);
  return arrow::Status::OK();
}

arrow::Status LogRecovery::Scan() {
  uint64_t next_sequence = 0;
  for (Log& log : logs_) {
    log.scan.next_sequence = next_sequence;
    if (!log.is_there) continue;
    ARROW_ASSIGN_OR_RAISE(log.scan, ScanLog(env_, LogPath(database_, log.number), next_sequence));
    next_sequence = log.scan.next_sequence;
  }
  return arrow::Status::OK();
}

size_t LogRecovery::NextWritten(size_t i) const {
  for (++i; i < logs_.size(); ++i) {
    if (logs_[i].scan.records > 0 || logs_[i].scan.is_broken) break;
  }
  return i;
}

bool LogRecovery::GoesOn(size_t i) const {
  const size_t next = NextWritten(i);
  return next < logs_.size() && logs_[next].scan.records > 0 &&
         logs_[next].scan.first_sequence == logs_[i].scan.next_sequence;
}

std::string LogRecovery::FindDamage(size_t i) const {
  const Log& log = logs_[i];
  const LogScan& scan = log.scan;
  if (!log.is_there) {
    return log.entry.synced == 0
               ? ""
               : "the file is missing, " + std::to_string(log.entry.synced) + " bytes of it were synced";
  }
  const std::string missing = FindMissing(scan, log.entry.synced);
  if (!missing.empty() || !scan.is_broken) return missing;
  // Whoever opened the database next gave the rest up, and went on from there.
  if (GoesOn(i)) return "";
  for (size_t later = i + 1; later < logs_.size(); ++later) {
    if (logs_[later].entry.synced > 0) return scan.problem;
  }
  if (log.entry.is_lax && !ledger_->is_same_start()) return "";
  if (scan.records_behind > 0 || NextWritten(i) < logs_.size()) return scan.problem;
  if (scan.has_fragment_behind && ledger_->is_same_start()) return scan.problem;
  return scan.is_written_whole ? scan.problem : "";
}

size_t LogRecovery::FirstDamaged() const {
  size_t i = 0;
  while (i < logs_.size() && FindDamage(i).empty()) ++i;
  return i;
}

arrow::Status LogRecovery::DropUnneeded() {
  ARROW_ASSIGN_OR_RAISE(const uint64_t oldest, oldest_needed_());
  std::erase_if(logs_, [&](const Log& log) { return log.number < oldest; });
  return arrow::Status::OK();
}

std::string LogRecovery::Describe(size_t i, const std::string& damage) const {
  const Log& log = logs_[i];
  uint64_t changes = log.scan.changes_behind;
  uint64_t last = log.scan.last_behind;
  const uint64_t first = std::max<uint64_t>(log.scan.next_sequence, 1);
  for (size_t later = i + 1; later < logs_.size(); ++later) {
    const LogScan& scan = logs_[later].scan;
    if (scan.records > 0) {
      changes += scan.next_sequence - scan.first_sequence;
      last = std::max(last, scan.next_sequence - 1);
    }
    changes += scan.changes_behind;
    last = std::max(last, scan.last_behind);
  }
  std::string text = "the log '" + LogPath(database_, log.number) + "' is damaged, " + damage +
                     ": the commits with sequence numbers from " + std::to_string(first) + " on are lost";
  if (last >= first) {
    text += ", with those that need them up to " + std::to_string(last) + "; " + std::to_string(changes) +
            (changes == 1 ? " change" : " changes") + " behind the damage can be read";
  }
  return text;
}

// Only where power went and commits were not synced: what lies behind a torn record must go, too, or a state without
// that record would come back, which never was.
void LogRecovery::DropBehindTornRecord() {
  for (size_t i = 0; i < logs_.size(); ++i) {
    if (!logs_[i].scan.is_broken || GoesOn(i)) continue;
    for (size_t later = i + 1; later < logs_.size(); ++later) logs_[later].scan = {};
  }
}

arrow::Status LogRecovery::RemoveEmpty() {
  bool has_removed = false;
  for (const Log& log : logs_) {
    if (log.scan.records > 0) continue;
    if (log.is_known) ARROW_RETURN_NOT_OK(ledger_->Forget(log.number));
    if (!log.is_there) continue;
    ARROW_RETURN_NOT_OK(FromRocksDb(env_->DeleteFile(LogPath(database_, log.number)), "cannot remove '",
                                    LogPath(database_, log.number), "'"));
    has_removed = true;
  }
  std::erase_if(logs_, [](const Log& log) { return log.scan.records == 0; });
  return has_removed ? SyncFolder("hot") : arrow::Status::OK();
}

// Cuts off what is not a whole record, and makes durable what is: once there is another log it may not be lost.
arrow::Status LogRecovery::Settle(const Log& log) {
  ++files_;
  bytes_ += log.scan.end;
  if (log.scan.file_bytes == log.scan.end && log.entry.synced == log.scan.end) return arrow::Status::OK();
  ARROW_RETURN_NOT_OK(SyncFolder("hot"));
  ARROW_RETURN_NOT_OK(Truncate(log));
  return ledger_->Cut(log.number, log.scan.end);
}

arrow::Status LogRecovery::Salvage(size_t i) {
  losses_.push_back(Describe(i, FindDamage(i)));
  const fs::path folder = database_ / "salvaged";
  std::error_code error;
  fs::create_directory(folder, error);
  for (size_t j = i; j < logs_.size() && !error; ++j) {
    if (!logs_[j].is_there) continue;
    const fs::path from = LogPath(database_, logs_[j].number);
    fs::path to = folder / from.filename();
    for (int copy = 2; fs::exists(to, error); ++copy)
      to = folder / (from.filename().string() + "." + std::to_string(copy));
    fs::copy_file(from, to, error);
  }
  if (error) return arrow::Status::IOError("cannot copy the log to '", folder.string(), "': ", error.message());
  losses_.push_back("all of the log from there on is kept in '" + folder.string() + "'");
  ARROW_RETURN_NOT_OK(WriteLosses());
  // As if it ended there.
  for (size_t later = i + 1; later < logs_.size(); ++later) logs_[later].scan = {};
  return arrow::Status::OK();
}

// Before the log is cut: else who opens the database after a crash would not know.
arrow::Status LogRecovery::WriteLosses() const {
  std::string text;
  for (const std::string& loss : losses_) text += loss + "\n";
  const rocksdb::Status status =
      rocksdb::WriteStringToFile(env_, text, (database_ / kUnsettledLosses).string(), /*should_sync=*/true);
  ARROW_RETURN_NOT_OK(FromRocksDb(status, "cannot write '", (database_ / kUnsettledLosses).string(), "'"));
  ARROW_RETURN_NOT_OK(SyncFolder("salvaged"));
  return SyncFolder("");
}

arrow::Status LogRecovery::Truncate(const Log& log) {
  std::unique_ptr<rocksdb::WritableFile> file;
  rocksdb::EnvOptions options;
  options.use_mmap_writes = false;
  rocksdb::Status status = env_->ReopenWritableFile(LogPath(database_, log.number), &file, options);
  if (status.ok() && log.scan.file_bytes != log.scan.end) status = file->Truncate(log.scan.end);
  if (status.ok()) status = file->Sync();
  if (status.ok()) status = file->Close();
  return FromRocksDb(status, "cannot cut '", LogPath(database_, log.number), "'");
}

arrow::Status LogRecovery::SyncFolder(const char* name) const {
  const std::string path = (database_ / name).string();
  std::unique_ptr<rocksdb::Directory> folder;
  rocksdb::Status status = env_->NewDirectory(path, &folder);
  if (status.ok()) status = folder->Fsync();
  return FromRocksDb(status, "cannot sync the folder '", path, "'");
}

}  // namespace yarrow
