#include "store/store_env.h"

#include <rocksdb/threadpool.h>

#include <array>
#include <mutex>

#include "store/home_process.h"

namespace yarrow {

namespace {

// With threads of its own. Those of RocksDB's default environment do not exist in a forked child, and it does not know.
class ChildEnv : public rocksdb::EnvWrapper {
 public:
  explicit ChildEnv(std::unique_ptr<rocksdb::Env> env) : EnvWrapper(std::move(env)) {
    for (auto& pool : pools_) pool.reset(rocksdb::NewThreadPool(0));
  }

  void Schedule(void (*function)(void*), void* argument, Priority priority, void*, void (*)(void*)) override {
    pools_[priority]->SubmitJob([function, argument] { function(argument); });
  }
  // None is taken back: a store that is being closed waits for its jobs, which see that and end.
  int UnSchedule(void*, Priority) override { return 0; }
  unsigned int GetThreadPoolQueueLen(Priority priority) const override { return pools_[priority]->GetQueueLen(); }
  int GetBackgroundThreads(Priority priority) override { return pools_[priority]->GetBackgroundThreads(); }
  void SetBackgroundThreads(int count, Priority priority) override { pools_[priority]->SetBackgroundThreads(count); }
  void IncBackgroundThreadsIfNeeded(int count, Priority priority) override {
    if (count > pools_[priority]->GetBackgroundThreads()) pools_[priority]->SetBackgroundThreads(count);
  }
  int ReserveThreads(int count, Priority priority) override { return pools_[priority]->ReserveThreads(count); }
  int ReleaseThreads(int count, Priority priority) override { return pools_[priority]->ReleaseThreads(count); }
  // RocksDB's pools alone know CPU priorities.
  rocksdb::Status LowerThreadPoolCPUPriority(Priority, rocksdb::CpuPriority) override { return rocksdb::Status::OK(); }
  void LowerThreadPoolCPUPriority(Priority) override {}
  void LowerThreadPoolIOPriority(Priority) override {}

 private:
  std::array<std::unique_ptr<rocksdb::ThreadPool>, TOTAL> pools_;
};

}  // namespace

rocksdb::Env* StoreEnv() {
  static std::mutex mutex;
  static rocksdb::Env* env = nullptr;
  static uint32_t of_generation = 0;
  // Who asks is about to open a store and counts as one that has: no child sees the mutex locked.
  std::lock_guard lock(mutex);
  if (env != nullptr && of_generation == HomeProcess::generation()) return env;
  std::unique_ptr<rocksdb::Env> made = NewStoreEnv(rocksdb::FileSystem::Default());
  if (env != nullptr) made = std::make_unique<ChildEnv>(std::move(made));
  // Compactions give way to commits: without, a commit that wakes from its sync waits for milliseconds when all
  // cores are busy. Memtables are written by the HIGH pool, which stays as it is.
  made->LowerThreadPoolCPUPriority(rocksdb::Env::LOW, rocksdb::CpuPriority::kLow).PermitUncheckedError();
  env = made.release();
  of_generation = HomeProcess::generation();
  return env;
}

}  // namespace yarrow
