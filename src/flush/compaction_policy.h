// CompactionPolicy: which segments are worth merging.
//
// A flush makes segments of level 0, a merge of segments of level L makes disjoint ones of level L + 1. Three rules,
// looked at level by level, from the lowest on:
//
//   overlap    kFanOut segments of the level have a key in common: they are merged with those of the level whose keys
//              overlap theirs, directly or through others. So at most kFanOut - 1 segments of each level have any one
//              key among theirs, and a row is written once a level: for n flushes of random keys both the segments that
//              a lookup may have to ask and the write amplification grow with log n (base kFanOut).
//   small      the level has kFanOut segments of at most 1 / kFanOut of the rows of a full one: they are merged. So
//              flushes of ascending keys, which never overlap, become few large files all the same.
//   overridden 1 / kFanOut of a segment's rows or more are overridden: it is written anew without them, by itself, at
//              its own level, as it has not grown. So each overridden row costs the writing of kFanOut - 1 others.
//
// A merge takes at most kMostAtOnce segments, those nearest to the place of the greatest overlap: so its memory and its
// commit stay bounded, however many flushes came before it.
//
// Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace yarrow::flush {

inline constexpr size_t kFanOut = 4;
inline constexpr size_t kMostAtOnce = 32;

// What the policy looks at of a segment.
struct SegmentFigures {
  std::string_view first_key;
  std::string_view last_key;
  uint32_t level = 0;
  uint64_t rows = 0;
  uint64_t overridden = 0;
  bool has_other_layout = false;  // than was asked for; for PickAll
};

struct CompactionPick {
  std::vector<size_t> segments;  // positions, ascending
  uint32_t level = 0;            // of what they become
};

// The next merge that is due, or nothing. `full_rows`: what a full segment has. Whoever runs merge after merge comes to
// an end: each leaves fewer segments, or fewer overlapping ones of its level, or fewer overridden rows.
std::optional<CompactionPick> PickCompaction(std::span<const SegmentFigures> segments, uint64_t full_rows);

// All of them, if there is anything to win: together they would be fewer, or disjoint, or without overridden rows; or
// one is larger or laid out otherwise than was asked for.
std::optional<CompactionPick> PickAll(std::span<const SegmentFigures> segments, uint64_t full_rows);

// How many segments have any one key between their first and last one, at most: what a lookup asks if the key filters
// help nothing.
size_t MostOverlapping(std::span<const SegmentFigures> segments);

}  // namespace yarrow::flush
