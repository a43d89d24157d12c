// LogLedger: the file hot/SYNCED, which says of each file of the log, and of RocksDB's MANIFEST, how much was synced.
//
// A commit that was acknowledged as synced lies in front of that place. So a bad record in front of it is damage, and
// one behind it may be what was being written when the process or the power went. The ledger is written after each sync
// of the log and is not synced itself then: after a kill it is exact; after a power cut it says what it said up to half
// a minute before, never too much.
//
// Slots of 32 bytes, numbers little-endian, each with the CRC-32C of its first 28 bytes at its end; one that does not
// match, or of zeros, says nothing. A slot never crosses a sector.
//
//   slot   bytes  what
//   first  0      "YARROWLG"
//          8      format, 4 bytes: 1
//          12     id of the system's start in which the log was last opened, 16 bytes; zeros: unknown
//   others 0      number of a file of the log, or of a MANIFEST, 8 bytes; 0: free. RocksDB uses no number twice
//          8      bytes of it that are synced, 8 bytes
//          16     0: of the log; 1: of the log, commits may be written to it before those in front are synced;
//                 2: a MANIFEST, 4 bytes
#pragma once

#include <arrow/result.h>
#include <rocksdb/env.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace yarrow {

// Where the system says which start of it this is.
constexpr const char* kStartIdFile = "/proc/sys/kernel/random/boot_id";

// Thread-safe, but for Open.
class LogLedger {
 public:
  struct Entry {
    uint64_t synced = 0;
    bool is_lax = false;  // not each commit is synced before the next
    bool is_manifest = false;
  };

  // Of the folder `hot`; made when there is none. What cannot be read of it says nothing.
  static arrow::Result<std::unique_ptr<LogLedger>> Open(rocksdb::Env* env, const std::string& hot);

  // There was none, or an unreadable one.
  bool is_new() const { return is_new_; }
  // The system runs since the log was last opened: a process may have been killed since then, the power was not cut.
  bool is_same_start() const { return is_same_start_; }
  // From now on it does. To be called when the log is in order.
  arrow::Status NoteStart();

  std::map<uint64_t, Entry> entries() const;    // of files of the log
  std::map<uint64_t, Entry> manifests() const;  // of MANIFESTs

  // A new file of the log. A lax one is recorded durably.
  arrow::Status Add(uint64_t log, bool is_lax);
  void AddManifest(uint64_t number);
  // So much of it is synced; for one whose name is not yet, it is recorded once that is.
  void NoteSynced(uint64_t log, uint64_t bytes) noexcept;
  // Around a sync of the folder.
  std::vector<uint64_t> Unnamed() const noexcept;
  void NoteNamed(const std::vector<uint64_t>& logs) noexcept;
  // It is to be removed, or cut to `bytes`; durable on return, if it is of the log.
  arrow::Status Forget(uint64_t log);
  arrow::Status Cut(uint64_t log, uint64_t bytes);
  // Makes durable what was noted.
  arrow::Status Sync();

 private:
  struct Log {
    Entry entry;
    uint64_t slot = 0;
    bool is_named = true;
  };

  LogLedger(std::string path, std::string start) : path_(std::move(path)), start_(std::move(start)) {}
  std::map<uint64_t, Entry> Entries(bool of_manifests) const;
  arrow::Status Read(rocksdb::Env* env);
  arrow::Status Create(rocksdb::Env* env, const std::string& hot);
  void Load(const std::string& bytes);
  uint64_t TakeSlot();
  arrow::Status WriteEntry(uint64_t log, const Log& known);  // under mutex_
  arrow::Status WriteSlot(uint64_t slot, std::string bytes);

  const std::string path_;
  const std::string start_;  // id of this start of the system
  bool is_new_ = false;
  bool is_same_start_ = false;
  std::unique_ptr<rocksdb::RandomRWFile> file_;
  mutable std::mutex mutex_;
  bool is_dirty_ = false;
  std::map<uint64_t, Log> logs_;
  std::set<uint64_t> free_slots_;
  uint64_t slots_ = 0;
};

}  // namespace yarrow
