#include "store/overlay_cursor.h"

#include <algorithm>
#include <string>

namespace yarrow {

void OverlayCursor::Position(const WriteSet::View& view, Partition partition, std::string_view lower,
                             std::string_view upper, const std::string_view* target, bool reverse) {
  heads_.clear();
  current_ = nullptr;
  step_ = reverse ? -1 : 1;
  if (view.runs_ == nullptr) return;
  for (const auto& run : *view.runs_) {
    auto begin = static_cast<std::ptrdiff_t>(run->LowerBound(partition.id(), lower));
    auto end = static_cast<std::ptrdiff_t>(upper.empty() ? run->PartitionEnd(partition.id())
                                                         : run->LowerBound(partition.id(), upper));
    if (target != nullptr && !reverse) {
      begin = std::max(begin, static_cast<std::ptrdiff_t>(run->LowerBound(partition.id(), *target)));
    } else if (target != nullptr) {
      const std::string behind = std::string(*target) + '\0';  // the smallest key above the target
      end = std::min(end, static_cast<std::ptrdiff_t>(run->LowerBound(partition.id(), behind)));
    }
    if (begin >= end) continue;
    heads_.push_back(reverse ? Head{&run->ops(), end - 1, begin - 1} : Head{&run->ops(), begin, end});
  }
  FindCurrent();
}

void OverlayCursor::FindCurrent() {
  current_ = nullptr;
  for (const Head& head : heads_) {
    const WriteOp& op = head.op();
    if (current_ == nullptr) {
      current_ = &op;
      continue;
    }
    const int order = op.key().compare(current_->key());
    // Of equal keys the newest run, which comes last, has the say.
    if (order == 0 || (step_ > 0 ? order < 0 : order > 0)) current_ = &op;
  }
}

void OverlayCursor::Advance() {
  const std::string_view passed = current_->key();
  for (Head& head : heads_) {
    if (head.op().key() == passed) head.at += step_;
  }
  std::erase_if(heads_, [](const Head& head) { return head.at == head.end; });
  FindCurrent();
}

}  // namespace yarrow
