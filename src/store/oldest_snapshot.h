// How far back snapshots reach.
#pragma once

#include <cstdint>

#include "yarrow/store.h"

namespace yarrow {

// No snapshot that anybody holds (scans and transactions hold theirs), and none that is taken later, has a lower
// sequence. Thread-safe.
uint64_t OldestSnapshot(const Store& store);

}  // namespace yarrow
