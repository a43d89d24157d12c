// RecoveryListener: which errors of the disk RocksDB may get over by itself.
#pragma once

#include <rocksdb/listener.h>

namespace yarrow {

// When a full disk has room again, RocksDB would resume by itself. It may do so on the very log that it could not
// write, or after a MANIFEST that it could not write twice, and ends the process by an assertion then. So after an
// error that makes it refuse writes it goes on refusing them until it is opened again. One of a compaction only makes
// it wait.
class RecoveryListener : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason reason, rocksdb::Status /*error*/,
                            bool* auto_recovery) override {
    if (reason != rocksdb::BackgroundErrorReason::kCompaction) *auto_recovery = false;
  }
};

}  // namespace yarrow
