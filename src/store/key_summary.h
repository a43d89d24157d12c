// KeySummary: what others are told of a large commit and judged by, in place of its keys.
#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/key_hashes.h"
#include "store/key_hulls.h"
#include "store/write_set.h"

namespace yarrow {

struct KeySummary {
  std::vector<std::shared_ptr<const KeyHashes>> hashes;  // few
  std::vector<WriteRange> hulls;                         // which hold all keys, and others between them

  void Add(const KeySummary& other);
};

// Sees the keys of one partition once, ascending. Eight bytes a key. Not thread-safe.
class KeySummaryBuilder {
 public:
  // kHulls: of keys that only a commit writes that writes others beside them, by which it is judged. kNothing: none.
  enum class Parts { kKeys, kHulls, kNothing };

  KeySummaryBuilder(Partition partition, Parts parts) : partition_(partition), parts_(parts) {}

  // Invalid, naming the key, unless it is above every key before.
  arrow::Status Add(std::string_view key);
  // Once, behind the last key.
  KeySummary Finish();

  bool empty() const { return keys_ == 0; }
  const std::string& first_key() const { return first_key_; }
  const std::string& last_key() const { return last_key_; }

 private:
  const Partition partition_;
  const Parts parts_;
  uint64_t keys_ = 0;
  std::string first_key_, last_key_;
  std::deque<uint64_t> hashes_;
  KeyHulls hulls_;
};

}  // namespace yarrow
