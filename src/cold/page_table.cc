#include "cold/page_table.h"

#include <arrow/util/key_value_metadata.h>

#include <algorithm>
#include <charconv>

#include "cold/hex_text.h"

namespace yarrow::cold {
namespace {

using arrow::Status;

constexpr size_t kPageSizeDigits = 8;
constexpr size_t kPageHashDigits = 16;
constexpr size_t kPageDigits = kPageSizeDigits + kPageHashDigits;

uint64_t PagesFor(uint64_t rows, uint64_t page_rows) {
  return (rows + page_rows - 1) / page_rows;
}

// Takes the text up to the next space off.
std::string_view NextWord(std::string_view* text) {
  const std::string_view word = text->substr(0, text->find(' '));
  text->remove_prefix(std::min(text->size(), word.size() + 1));
  return word;
}

// Whether a column chunk may have so many pages when each of its leaves has `data_pages` of data.
bool IsPageCount(uint64_t pages, uint64_t data_pages, int leaves) {
  if (leaves > 0) return pages == data_pages * static_cast<uint64_t>(leaves);
  return pages == data_pages || pages == data_pages + 1;  // perhaps a dictionary
}

Status Damaged(const char* name) {
  return Status::Invalid("its footer does not tell of the pages that the manifest tells of (", name, ")");
}

}  // namespace

void PageTable::CutIntoPages(const SegmentInfo& info, uint64_t page_rows) {
  for (size_t group = 0; group < info.row_groups.size(); ++group) {
    const RowGroupInfo& whole = info.row_groups[group];
    first_pages_.push_back(pages_.size());
    for (uint64_t row = 0; row < whole.rows; row += std::min(page_rows, whole.rows - row)) {
      pages_.push_back({.row_group = group,
                        .first_row = whole.first_row + row,
                        .rows = std::min(page_rows, whole.rows - row),
                        .first_key = row == 0 ? whole.first_key : std::string()});
    }
  }
  first_pages_.push_back(pages_.size());
}

Status PageTable::TakeKeys(std::string_view text) {
  for (SegmentPage& page : pages_) {
    if (!page.first_key.empty()) continue;
    if (!ReadHexOfBytes(NextWord(&text), &page.first_key) || page.first_key.empty()) return Damaged(kKeysKey);
  }
  const auto descends = [](const SegmentPage& a, const SegmentPage& b) { return a.first_key >= b.first_key; };
  const bool ascend = std::ranges::adjacent_find(pages_, descends) == pages_.end();
  return text.empty() && ascend ? Status::OK() : Damaged(kKeysKey);
}

Status PageTable::TakeHashes(std::string text) {
  hashes_ = std::move(text);
  std::string_view left = hashes_;
  for (size_t group = 0; group + 1 < first_pages_.size(); ++group) {
    const size_t data_pages = first_pages_[group + 1] - first_pages_[group];
    for (const int column_leaves : leaves_) {
      const auto begin = static_cast<size_t>(left.data() - hashes_.data());
      const size_t digits = NextWord(&left).size();
      if (!IsPageCount(digits / kPageDigits, data_pages, column_leaves) || digits % kPageDigits != 0) {
        return Damaged(kHashesKey);
      }
      chunks_.emplace_back(begin, digits);
    }
  }
  return left.empty() ? Status::OK() : Damaged(kHashesKey);
}

arrow::Result<PageTable> PageTable::Decode(const arrow::KeyValueMetadata& metadata, const SegmentInfo& info,
                                           const std::vector<int>& leaves) {
  PageTable table;
  const auto rows = metadata.Get(kRowsKey);
  if (!rows.ok()) {
    const auto largest = std::ranges::max_element(info.row_groups, {}, &RowGroupInfo::rows);
    table.CutIntoPages(info, std::max<uint64_t>(largest->rows, 1));
    return table;
  }
  uint64_t page_rows = 0;
  const char* const last = rows->data() + rows->size();
  const auto [end, error] = std::from_chars(rows->data(), last, page_rows);
  if (error != std::errc() || end != last || page_rows == 0) return Damaged(kRowsKey);
  table.CutIntoPages(info, page_rows);
  table.leaves_ = leaves;
  ARROW_ASSIGN_OR_RAISE(const std::string keys, metadata.Get(kKeysKey));
  ARROW_RETURN_NOT_OK(table.TakeKeys(keys));
  ARROW_ASSIGN_OR_RAISE(std::string hashes, metadata.Get(kHashesKey));
  ARROW_RETURN_NOT_OK(table.TakeHashes(std::move(hashes)));
  return table;
}

size_t PageTable::memory_bytes() const {
  size_t bytes = hashes_.capacity() + chunks_.capacity() * sizeof(chunks_[0]) +
                 first_pages_.capacity() * sizeof(first_pages_[0]) + pages_.capacity() * sizeof(pages_[0]);
  for (const SegmentPage& page : pages_) bytes += page.first_key.capacity();
  return bytes;
}

std::optional<size_t> PageTable::Find(std::string_view key, const SegmentInfo& info) const {
  if (key < info.first_key() || key > info.last_key) return std::nullopt;
  const auto above = std::ranges::upper_bound(pages_, key, {}, &SegmentPage::first_key);
  return static_cast<size_t>(above - pages_.begin()) - 1;
}

size_t PageTable::PageAt(uint64_t position) const {
  const auto above = std::ranges::upper_bound(pages_, position, {}, &SegmentPage::first_row);
  return static_cast<size_t>(above - pages_.begin()) - 1;
}

std::vector<HashedBytes> PageTable::BytesOf(PageRange pages, size_t file_column, int leaf) const {
  const size_t group = pages_[pages.begin].row_group;
  const PageRange whole = PagesOf(group);
  const size_t columns = chunks_.size() / (first_pages_.size() - 1);
  const auto [begin, digits] = chunks_[group * columns + file_column];
  const size_t data_pages = whole.end - whole.begin;
  const size_t dictionary_pages = leaves_[file_column] == 0 ? digits / kPageDigits - data_pages : 0;
  const size_t first = dictionary_pages + static_cast<size_t>(leaf) * data_pages + (pages.begin - whole.begin);
  std::vector<HashedBytes> wanted;
  uint64_t offset = 0;
  for (size_t i = 0; i < first + (pages.end - pages.begin); ++i) {
    HashedBytes page{.offset = offset};
    const std::string_view text = std::string_view(hashes_).substr(begin + i * kPageDigits, kPageDigits);
    // Damage is found by whoever reads the bytes: they do not have the hash, or end elsewhere.
    ReadHex(text.substr(0, kPageSizeDigits), &page.bytes);
    ReadHex(text.substr(kPageSizeDigits), &page.hash);
    offset += page.bytes;
    if (i < dictionary_pages || i >= first) wanted.push_back(page);
  }
  return wanted;
}

void PageTableWriter::AddKey(std::string_view key) {
  if (!keys_.empty()) keys_.push_back(' ');
  AppendHexOfBytes(key, &keys_);
}

void PageTableWriter::AddChunk(const std::vector<HashedBytes>& pages, uint64_t rows, int leaves) {
  fits_ = fits_ && IsPageCount(pages.size(), PagesFor(rows, page_rows_), leaves);
  if (!hashes_.empty()) hashes_.push_back(' ');
  for (const HashedBytes& page : pages) {
    AppendHex(page.bytes, kPageSizeDigits, &hashes_);
    AppendHex(page.hash, kPageHashDigits, &hashes_);
  }
}

std::shared_ptr<const arrow::KeyValueMetadata> PageTableWriter::Encode() const {
  if (!fits_) return nullptr;
  return arrow::key_value_metadata({PageTable::kRowsKey, PageTable::kHashesKey, PageTable::kKeysKey},
                                   {std::to_string(page_rows_), hashes_, keys_});
}

}  // namespace yarrow::cold
