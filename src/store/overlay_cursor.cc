#include "store/overlay_cursor.h"

#include <algorithm>
#include <utility>

namespace yarrow {

void OverlayCursor::Position(const WriteSet::View& view, Partition partition, std::string_view lower,
                             std::string_view upper, const std::string_view* target, bool reverse) {
  heads_.clear();
  current_ = nullptr;
  step_ = reverse ? -1 : 1;
  partition_id_ = partition.id();
  if (view.runs_ == nullptr) return;
  for (const WriteSet::Run& sealed : *view.runs_) {
    Head head;
    if (sealed.file != nullptr) {
      if (sealed.file->partition().id() != partition.id()) continue;
      head.file = std::make_unique<FileRunCursor>(*sealed.file);
      head.file->Position(lower, upper, target, reverse);
    } else {
      const WriteRun& run = *sealed.memory;
      auto begin = static_cast<std::ptrdiff_t>(run.LowerBound(partition.id(), lower));
      auto end = static_cast<std::ptrdiff_t>(upper.empty() ? run.PartitionEnd(partition.id())
                                                           : run.LowerBound(partition.id(), upper));
      if (target != nullptr && !reverse) {
        begin = std::max(begin, static_cast<std::ptrdiff_t>(run.LowerBound(partition.id(), *target)));
      } else if (target != nullptr) {
        const std::string behind = std::string(*target) + '\0';  // the smallest key above the target
        end = std::min(end, static_cast<std::ptrdiff_t>(run.LowerBound(partition.id(), behind)));
      }
      if (begin >= end) continue;
      head.ops = &run.ops();
      head.at = reverse ? end - 1 : begin;
      head.end = reverse ? begin - 1 : end;
    }
    if (Load(&head)) heads_.push_back(std::move(head));
  }
  FindCurrent();
}

bool OverlayCursor::Load(Head* head) {
  if (head->file == nullptr) {
    if (head->at == head->end) return false;
    head->op = (*head->ops)[static_cast<size_t>(head->at)];
    return true;
  }
  if (!head->file->valid()) {
    if (status_.ok()) status_ = head->file->status();
    return false;
  }
  const std::string_view key = head->file->key();
  const std::string_view value = head->file->value();
  head->op = {.key_data = key.data(),
              .value_data = value.data(),
              .key_size = static_cast<uint32_t>(key.size()),
              .value_size = static_cast<uint32_t>(value.size()),
              .partition_id = partition_id_,
              .kind = WriteOp::Kind::kPut};
  return true;
}

void OverlayCursor::FindCurrent() {
  current_ = nullptr;
  if (!status_.ok()) return;
  for (const Head& head : heads_) {
    if (current_ == nullptr) {
      current_ = &head.op;
      continue;
    }
    const int order = head.op.key().compare(current_->key());
    // Of equal keys the newest run, which comes last, has the say.
    if (order == 0 || (step_ > 0 ? order < 0 : order > 0)) current_ = &head.op;
  }
}

void OverlayCursor::Advance() {
  passed_ = current_->key();
  std::erase_if(heads_, [&](Head& head) {
    if (head.op.key() != passed_) return false;
    head.file != nullptr ? head.file->Advance() : void(head.at += step_);
    return !Load(&head);
  });
  FindCurrent();
}

}  // namespace yarrow
