// LogRecovery: whether the log of a database is whole, found out before RocksDB opens it.
//
// At the end of the log there may be records that were being written when the process or the power went. They were
// never acknowledged as synced, and are cut off. Everything else that is not whole is damage: RocksDB would take it for
// the end and lose what lies behind without a word. What tells the two apart:
//
//   - the ledger: what was synced must be there, and so must the files
//   - after a kill, a record that was being written lacks its end, nothing else, and nothing lies behind it
//   - where each commit is synced before the next is written, there is one such record, with none behind it
//   - a record was written if nothing of its bytes can be missing
//
// RocksDB's MANIFEST, which says which SST files there are, is held against the ledger in the same way. Nothing of a
// damaged one can be salvaged.
//
// What is not noticed: after a power cut, damage to the last commit and to what the ledger does not know yet of those
// of the last half minute, if no later record is there to show it; with Durability::kGrouped and kOs, damage to what
// was not synced and looks as if it had been cut off.
#pragma once

#include <arrow/result.h>
#include <rocksdb/env.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "store/log_ledger.h"
#include "store/log_scan.h"

namespace yarrow {

// IOError that names the file when what is synced of the log, or of the MANIFEST, of an open database is not all there.
arrow::Status CheckSyncedLog(rocksdb::Env* env, const std::filesystem::path& database, const LogLedger& ledger);

// What LogRecovery::losses() said, until somebody has seen to it; in the folder of the database.
constexpr const char* kUnsettledLosses = "salvaged/unsettled.txt";
constexpr const char* kSettledLosses = "salvaged/losses.txt";

class LogRecovery {
 public:
  // The number of the oldest file of the log that RocksDB reads. Asked only when there is damage.
  using OldestNeeded = std::function<arrow::Result<uint64_t>()>;

  LogRecovery(rocksdb::Env* env, std::filesystem::path database, LogLedger* ledger, OldestNeeded oldest_needed)
      : env_(env), database_(std::move(database)), ledger_(ledger), oldest_needed_(std::move(oldest_needed)) {}

  // Reads the log and cuts off what was being written. Damage is an IOError that names the file and what is lost, and
  // then nothing is changed. With `salvage` the log is cut in front of the damage, once all of it is in the folder
  // `salvaged`, and losses() says what is gone.
  arrow::Status Run(bool salvage);

  // Files of the log with records, and the bytes of these.
  uint64_t files() const { return files_; }
  uint64_t bytes() const { return bytes_; }
  const std::vector<std::string>& losses() const { return losses_; }

 private:
  struct Log {
    uint64_t number = 0;
    bool is_there = true;
    LogLedger::Entry entry;
    bool is_known = false;  // to the ledger
    LogScan scan;
  };

  arrow::Status CheckManifest();
  arrow::Status List();
  arrow::Status Scan();
  // What is wrong with logs_[i]; empty: nothing, or just a record that was being written.
  std::string FindDamage(size_t i) const;
  // The next log with records, whole or not, or logs_.size().
  size_t NextWritten(size_t i) const;
  // The next one starts with the very sequence number that this one ends with.
  bool GoesOn(size_t i) const;
  size_t FirstDamaged() const;  // or logs_.size()
  arrow::Status DropUnneeded();
  std::string Describe(size_t i, const std::string& damage) const;
  arrow::Status Salvage(size_t i);
  void DropBehindTornRecord();
  arrow::Status RemoveEmpty();
  arrow::Status Settle(const Log& log);
  arrow::Status Truncate(const Log& log);
  arrow::Status WriteLosses() const;
  arrow::Status SyncFolder(const char* name) const;

  rocksdb::Env* const env_;
  const std::filesystem::path database_;
  LogLedger* const ledger_;
  const OldestNeeded oldest_needed_;
  std::vector<Log> logs_;  // by number
  uint64_t files_ = 0;
  uint64_t bytes_ = 0;
  std::vector<std::string> losses_;
};

}  // namespace yarrow
