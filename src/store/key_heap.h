// KeyHeap: sources of sorted keys, the one with the first key on top: what every merge of several of them is made of.
//
// A binary heap (Williams, "Heapsort") that can say that its top has moved on, which the standard library's cannot: a
// step of a merge costs the logarithm of the sources then, and one comparison when the same source goes on.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace yarrow {

// `IsBefore`: bool(const Source&, const Source&). Not thread-safe.
template <class Source, class IsBefore>
class KeyHeap {
 public:
  explicit KeyHeap(IsBefore is_before = {}) : is_before_(std::move(is_before)) {}

  bool empty() const { return sources_.empty(); }
  // Others must not change while they are in the heap.
  Source& top() { return sources_.front(); }
  const Source& top() const { return sources_.front(); }
  // The one that would be on top without the top; null when there is none.
  const Source* second() const {
    if (sources_.size() < 2) return nullptr;
    return &sources_[sources_.size() > 2 && is_before_(sources_[2], sources_[1]) ? 2 : 1];
  }

  void Push(Source source) {
    sources_.push_back(std::move(source));
    for (size_t at = sources_.size() - 1; at > 0;) {
      const size_t parent = (at - 1) / 2;
      if (!is_before_(sources_[at], sources_[parent])) return;
      std::swap(sources_[at], sources_[parent]);
      at = parent;
    }
  }
  // The top has another key now, which is no earlier one.
  void MovedOn() {
    for (size_t at = 0;;) {
      size_t first = at;
      for (const size_t child : {2 * at + 1, 2 * at + 2}) {
        if (child < sources_.size() && is_before_(sources_[child], sources_[first])) first = child;
      }
      if (first == at) return;
      std::swap(sources_[at], sources_[first]);
      at = first;
    }
  }
  Source Pop() {
    std::swap(sources_.front(), sources_.back());
    Source popped = std::move(sources_.back());
    sources_.pop_back();
    MovedOn();
    return popped;
  }
  // In no particular order.
  template <class Use>
  void ForEach(const Use& use) const {
    for (const Source& source : sources_) use(source);
  }

 private:
  std::vector<Source> sources_;
  IsBefore is_before_;
};

}  // namespace yarrow
