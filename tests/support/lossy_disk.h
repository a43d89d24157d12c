// LossyDisk: what is left of a folder when the power goes. For tests.
//
// The files really are in the folder, without syncs: what was synced is kept in memory as well. A sync of a file keeps
// its bytes, one of a folder its names; a name leads to a file or a folder as it was last synced itself. So neither
// making, renaming, linking nor removing need be observed, and a file system on a LossyDisk (store/lossy_env.h,
// cold/lossy_file_system.h) has two things to do: to ask before each call that changes something, and to tell of syncs.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace yarrow::test {

// Thread-safe but for its public fields, which are set while nobody uses the disk.
class LossyDisk {
 public:
  enum class Call { kWrite, kSync, kMake, kRename, kRemove };
  struct Step {
    int64_t number;  // from 0
    Call call;
    std::filesystem::path path;  // relative to the folder
    std::string kind;            // the path with "#" for numbers and "u-*" for folders of users; folders end with "/"
  };

  // What is in `folder` is on disk.
  explicit LossyDisk(std::filesystem::path folder);
  ~LossyDisk();
  LossyDisk(const LossyDisk&) = delete;
  LossyDisk& operator=(const LossyDisk&) = delete;

  // Asked before each step: 0, or the errno that it fails with. May call Cut().
  static constexpr int kLeftOut = -1;  // a sync that does nothing and claims to have succeeded
  std::function<int(const Step& step)> on_step;
  // Folders of these names keep the order of their changes: what is on disk of them is what they were at some moment,
  // as with a journal. RocksDB counts on it when it names a new MANIFEST in CURRENT.
  std::set<std::string> ordered_folders = {"hot"};

  // The power goes: this step (of on_step) and all that follow change nothing, and fail. Only syncs of files claim to
  // succeed, which nobody hears any more: RocksDB (7.8, with assertions as Debian builds it) stops the process when a
  // commit waits for the sync of an older log and that fails. So what an operation says is of no worth once is_cut().
  void Cut() { is_cut_ = true; }
  bool is_cut() const { return is_cut_; }
  // Another process goes on, as after kill -9: everything is still there, and synced is what was synced.
  void Restart();

  int64_t steps() const;

  // --- for file systems ---
  // A step under way; no other one begins before it ends.
  class Turn {
   public:
    int error() const { return error_; }  // an errno; 0: go on

   private:
    friend class LossyDisk;
    std::unique_lock<std::mutex> lock_;
    int error_ = 0;
  };
  Turn Begin(Call call, const std::filesystem::path& path);
  // An open file, so that it stays the same one whatever its name becomes.
  class File;
  std::shared_ptr<File> OpenFile(const std::filesystem::path& path);
  // The errno. `again`: by somebody who did not write it, which is another kind of sync.
  int Sync(const File& file, const std::filesystem::path& path, bool again = false);
  int SyncFolder(const std::filesystem::path& folder);
  // Closing may cut off room that was reserved: to do it when the power has gone already changes nothing.
  void CloseUnchanged(const File& file, const std::function<void()>& close);

  // --- afterwards ---
  // Writes to `folder`, a new one, what a power cut leaves now. Without `random`, nothing but what was synced. With it,
  // any of the rest: of each file some of the bytes, and of each folder some of the changes of names. Renaming is
  // atomic.
  void Materialise(const std::filesystem::path& folder, std::mt19937_64* random = nullptr);

 private:
  using Id = ino_t;
  using Names = std::map<std::string, Id>;
  struct Node;

  Turn BeginKind(Call call, const std::filesystem::path& path, std::string kind);
  std::string KindOf(const std::filesystem::path& path, bool is_folder) const;
  Node& Pin(const std::filesystem::path& path);
  void Keep(const std::filesystem::path& path, Node* node);
  Names ListLive(const Node& node);
  Names Survivors(const Node& node, std::mt19937_64* random);
  void Write(Id id, const std::filesystem::path& to, std::mt19937_64* random);

  const std::filesystem::path folder_;
  mutable std::mutex mutex_;
  std::atomic<bool> is_cut_ = false;
  int64_t steps_ = 0;
  std::map<Id, std::unique_ptr<Node>> nodes_;  // open, so that no other file gets the number
};

}  // namespace yarrow::test
