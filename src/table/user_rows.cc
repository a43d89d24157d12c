#include "table/user_rows.h"

#include <string_view>
#include <utility>

#include "key/key_codec.h"
#include "key/key_range.h"
#include "key/record_key.h"
#include "table/table_impl.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {

arrow::Result<std::vector<std::string>> UsersWithRows(const TableEntry& entry, const Store& store, Snapshot snapshot,
                                                      int64_t min_rows) {
  const KeyRange range = PrefixRange(entry.prefix);
  if (snapshot.is_null()) snapshot = store.GetSnapshot();
  ScanCursor rows = store.Scan({.partition = entry.partition,
                                .lower = range.lower,
                                .upper = range.upper,
                                .snapshot = std::move(snapshot),
                                .fill_cache = false});
  std::vector<std::string> users;
  while (rows.Next()) {
    std::string_view rest = rows.key().substr(kRecordPrefixSize);
    ARROW_ASSIGN_OR_RAISE(const Value user, DecodeKeyPart(&rest, {ColumnType{TypeId::kUtf8}, false}));
    const std::string& name = user.get<std::string>();
    const std::string behind = PrefixSuccessor(UserRecordPrefix(RecordKind::kRow, entry.definition->id, name));
    int64_t count = 1;
    while (count < min_rows && rows.Next() && rows.key() < behind) ++count;
    if (count >= min_rows) users.push_back(name);
    rows.Seek(behind);  // so that Next moves to the first row of the next user
  }
  ARROW_RETURN_NOT_OK(rows.status());
  return users;
}

arrow::Result<std::set<std::string>> UsersOf(const TableEntry& entry, const Store& store, const Snapshot& snapshot,
                                             std::optional<int64_t> hot_rows, const Manifest* manifest) {
  std::set<std::string> users;
  if (hot_rows) {
    ARROW_ASSIGN_OR_RAISE(const auto hot, UsersWithRows(entry, store, snapshot, *hot_rows));
    users.insert(hot.begin(), hot.end());
  }
  if (manifest != nullptr) {
    for (std::string& user : manifest->Users()) users.insert(std::move(user));
  }
  return users;
}

arrow::Result<std::set<std::string>> PartsOf(const TableImpl& table, const Snapshot& snapshot) {
  std::set<std::string> users{table.user()};
  if (table.definition().kind != TableKind::kUser) return users;
  const auto manifest = table.cold()->Latest();
  ARROW_ASSIGN_OR_RAISE(auto others, UsersOf(table.entry(), table.store(), snapshot, 1, manifest.get()));
  users.merge(others);
  users.erase("");
  return users;
}

}  // namespace yarrow
