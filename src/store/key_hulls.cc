#include "store/key_hulls.h"

#include <algorithm>
#include <utility>

namespace yarrow {

void KeyHulls::Add(std::string_view previous, std::string_view key) {
  const size_t length = std::min({previous.size(), key.size(), limit_});
  const auto end = previous.begin() + static_cast<std::ptrdiff_t>(length);
  const auto shared = static_cast<size_t>(std::mismatch(previous.begin(), end, key.begin()).first - previous.begin());
  if (shared >= limit_) return;
  cuts_.push_back({shared, std::string(previous), std::string(key)});
  if (cuts_.size() >= kMostHulls) KeepShortest();
}

void KeyHulls::KeepShortest() {
  limit_ = std::ranges::max_element(cuts_, {}, &Cut::shared)->shared;
  std::erase_if(cuts_, [this](const Cut& cut) { return cut.shared >= limit_; });
}

std::vector<WriteRange> KeyHulls::Make(uint32_t partition_id, std::string_view first, std::string_view last) const {
  std::vector<WriteRange> hulls;
  std::string lower(first);
  for (const Cut& cut : cuts_) {
    hulls.push_back({partition_id, std::exchange(lower, cut.behind), cut.before + '\0'});
  }
  hulls.push_back({partition_id, std::move(lower), std::string(last) + '\0'});
  return hulls;
}

}  // namespace yarrow
