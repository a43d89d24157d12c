// The power goes at any step of making a database, and any of what was not synced may be left: the next open finds
// nothing, an interrupted creation, or a database.
#include <functional>
#include <random>
#include <string>

#include "arrow_assert.h"
#include "lossy_env.h"
#include "random_seed.h"
#include "store/store_impl.h"
#include "temp_dir.h"

namespace yarrow {
namespace {

namespace fs = std::filesystem;
using test::LossyDisk;

constexpr const char* kFolder = "some/folder/db";
const StoreOptions kSmall{.block_cache_bytes = 1 << 20, .write_buffer_bytes = 64 << 10};

class CreationCrashTest : public testing::Test {
 protected:
  using OnStep = std::function<int(LossyDisk* disk, const LossyDisk::Step& step)>;

  static bool IsSync(const LossyDisk::Step& step) {
    return step.call == LossyDisk::Call::kSync && step.kind == std::string(kFolder) + "/";
  }
  // What the next open says to something that the power has left of a creation. Empty: all is well.
  std::string Loss(int attempts, const OnStep& on_step) {
    const test::TempDir dir;
    fs::create_directory(dir.File("disk"));
    LossyDisk disk(dir.File("disk"));
    disk.on_step = [&](const LossyDisk::Step& step) { return on_step(&disk, step); };
    test::LossyEnv env(&disk);
    is_created_ = OpenStoreOn(&env, dir.File("disk") / kFolder, kSmall).ok();
    for (; attempts > 0; --attempts) {
      const fs::path left = dir.File("left");
      fs::remove_all(left);
      disk.Materialise(left, &random_);
      LossyDisk left_disk(left);  // spares the syncs
      test::LossyEnv left_env(&left_disk);
      const auto store = OpenStoreOn(&left_env, left / kFolder, kSmall);
      if (!store.ok()) return store.status().ToString();
    }
    return "";
  }
  // The n-th sync of the folder is left out, the power goes at the one after it.
  std::string LossWithout(int n) {
    int syncs = 0;
    return Loss(300, [&](LossyDisk* disk, const LossyDisk::Step& step) {
      if (IsSync(step)) ++syncs;
      if (syncs == n + 1) disk->Cut();
      return IsSync(step) && syncs == n ? LossyDisk::kLeftOut : 0;
    });
  }

  const uint64_t seed_ = test::RandomSeed();
  std::mt19937_64 random_{seed_};
  bool is_created_ = false;
};

TEST_F(CreationCrashTest, WhateverIsLeftCanBeOpened) {
  YARROW_TRACE_SEED(seed_);
  for (int cut_at = 0; !is_created_; ++cut_at) {
    int steps = 0;
    EXPECT_EQ(Loss(5,
                   [&](LossyDisk* disk, const LossyDisk::Step& step) {
                     const bool is_rocksdb = step.kind.find("/hot/") != std::string::npos;
                     if (!is_rocksdb && steps++ == cut_at) disk->Cut();
                     return 0;
                   }),
              "");
  }
}

TEST_F(CreationCrashTest, NeedsEachSyncForTheOrderOnDisk) {
  YARROW_TRACE_SEED(seed_);
  const std::string first = LossWithout(1);  // YARROW.creating before hot/
  EXPECT_NE(first.find("it holds 'hot' and no marker file"), std::string::npos) << first;
  const std::string second = LossWithout(2);  // hot/ before YARROW
  EXPECT_NE(second.find("its folder 'hot' is missing"), std::string::npos) << second;
}

}  // namespace
}  // namespace yarrow
