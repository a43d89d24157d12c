#include "store/key_summary.h"

#include <utility>

#include "store/store_impl.h"
#include "store/write_run.h"
#include "yarrow/codec.h"

namespace yarrow {

void KeySummary::Add(const KeySummary& other) {
  hashes.insert(hashes.end(), other.hashes.begin(), other.hashes.end());
  hulls.insert(hulls.end(), other.hulls.begin(), other.hulls.end());
}

arrow::Status KeySummaryBuilder::Add(std::string_view key) {
  if (empty()) {
    first_key_ = key;
  } else if (key <= last_key_) {
    return arrow::Status::Invalid("keys must be strictly ascending: ", FormatKey(key), " follows ",
                                  FormatKey(last_key_), " in a load of partition '",
                                  StoreImpl::Handle(partition_)->GetName(), "'");
  } else if (parts_ != Parts::kNothing) {
    hulls_.Add(last_key_, key);
  }
  if (parts_ == Parts::kKeys) hashes_.push_back(HashKey(partition_.id(), key));
  last_key_.assign(key);
  ++keys_;
  return arrow::Status::OK();
}

KeySummary KeySummaryBuilder::Finish() {
  KeySummary summary;
  if (!hashes_.empty()) summary.hashes.push_back(std::make_shared<const KeyHashes>(std::exchange(hashes_, {})));
  if (!empty() && parts_ != Parts::kNothing) summary.hulls = hulls_.Make(partition_.id(), first_key_, last_key_);
  return summary;
}

}  // namespace yarrow
