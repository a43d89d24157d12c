// LogScan: what one file of RocksDB's write-ahead log holds, read without RocksDB.
//
// RocksDB's own reader cannot tell the end of a log from damage: it stops at the first bad record, and passes over
// blocks of zeros in silence. This one goes on and says what lies behind.
//
// The format (LevelDB's): blocks of 32 KB; in them fragments of a 7-byte header (masked CRC-32C, length, type) and
// their bytes, never across two blocks; one to any number of fragments are a record; a record is a write batch, which
// opens with its sequence number and its number of changes.
#pragma once

#include <arrow/result.h>
#include <rocksdb/env.h>

#include <cstdint>
#include <string>

namespace yarrow {

// RocksDB's MANIFEST has the same format, but other records in it: nothing is known of their sequence numbers.
enum class LogRecords : uint8_t { kBatches, kPlain };

struct LogScan {
  uint64_t file_bytes = 0;
  uint64_t end = 0;             // behind the last whole record before any bad place
  uint64_t records = 0;         // up to there
  uint64_t first_sequence = 0;  // of the first of them
  uint64_t next_sequence = 0;   // behind the last of them; if there is none, what was given

  // There is something behind `end`, and it is not all zeros.
  bool is_broken = false;
  std::string problem;  // what is wrong there
  // The bytes of the bad record lack nothing, as far as that can be told. Else it may be one that was being written
  // when the process or the power went: part of a file that reads as zeros was not written.
  bool is_written_whole = false;
  bool has_fragment_behind = false;  // whole fragments lie behind the bad place
  uint64_t records_behind = 0;       // whole first fragments of later records lie there
  uint64_t changes_behind = 0;       // in these
  uint64_t last_behind = 0;          // their last sequence number
};

// `next_sequence`: records below are out of order. IOError when the file cannot be read.
arrow::Result<LogScan> ScanLog(rocksdb::Env* env, const std::string& path, uint64_t next_sequence,
                               LogRecords kind = LogRecords::kBatches);

}  // namespace yarrow
