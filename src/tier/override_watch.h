// OverrideWatch: whether the overrides of a segment have changed, so that its deletion vector need not be read for each
// scan: 10,000 overrides take a millisecond to read.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "store/commit_listener.h"
#include "yarrow/store.h"

namespace yarrow {

// Listens from its making to its end. Thread-safe.
class OverrideWatch : public CommitListener {
 public:
  OverrideWatch(std::shared_ptr<Store> store, Partition rows);
  ~OverrideWatch() override;
  OverrideWatch(const OverrideWatch&) = delete;
  OverrideWatch& operator=(const OverrideWatch&) = delete;

  // A number that stands for all overrides under `prefix` (OverridePrefix), if the snapshot with that sequence sees
  // every commit that wrote any of them so far: two snapshots with the same number see the same ones. Nothing while
  // such a commit is under way, or for a snapshot that is older than one.
  std::optional<uint64_t> VersionAt(std::string_view prefix, uint64_t sequence) const;

  void OnAnnounce(const CommitView& commit) noexcept override;
  void OnResolve(const CommitView& commit, const CommitOutcome& outcome) noexcept override;

 private:
  struct Changes {
    uint64_t announced = 0;  // writes
    uint64_t resolved = 0;
    uint64_t last = 0;  // sequence of the last commit that is through
  };
  struct HashText {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  // Both under mutex_.
  Changes& ChangesOf(std::string_view prefix);
  // Calls use(changes) for whatever the commit writes.
  template <class Use>
  void ForEach(const CommitView& commit, const Use& use);
  template <class Use>
  void Note(const CommitView& commit, const Use& use) noexcept;

  const std::shared_ptr<Store> store_;
  const uint32_t partition_id_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Changes, HashText, std::equal_to<>> of_segment_;  // by prefix
  bool is_lost_ = false;  // there was no memory for something: nothing is known any more
  Changes of_all_;        // by commits of ranges that are not of one segment
};

}  // namespace yarrow
