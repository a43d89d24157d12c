// RecoveryListener: which errors of the disk RocksDB may get over by itself.
#pragma once

#include <rocksdb/listener.h>

namespace yarrow {

// When a full disk has room again, RocksDB goes on writing by itself. After an error of its log it may go on with that
// very file, on which it ends the process by an assertion; so then it takes no writes until it is opened again.
class RecoveryListener : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason reason, rocksdb::Status /*error*/,
                            bool* auto_recovery) override {
    if (reason == rocksdb::BackgroundErrorReason::kWriteCallback) *auto_recovery = false;
  }
};

}  // namespace yarrow
