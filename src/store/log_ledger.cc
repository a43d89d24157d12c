#include "store/log_ledger.h"

#include <cctype>
#include <cstring>
#include <new>
#include <utility>

#include "store/crc32c.h"
#include "store/rocksdb_status.h"

namespace yarrow {
namespace {

constexpr size_t kSlotBytes = 32;
constexpr size_t kSlotContent = kSlotBytes - sizeof(uint32_t);
constexpr size_t kStartBytes = 16;
constexpr size_t kFirstSlots = 128;
constexpr const char* kMagic = "YARROWLG";
constexpr uint32_t kLedgerFormat = 1;
constexpr uint32_t kStrictLog = 0, kLaxLog = 1, kManifest = 2;

template <class Number>
void AppendNumber(Number number, std::string* bytes) {
  bytes->append(reinterpret_cast<const char*>(&number), sizeof number);
}

template <class Number>
Number NumberAt(const std::string& bytes, size_t at) {
  Number number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

// The id of this start of the system as 16 bytes, from its 32 hexadecimal digits; zeros when there is none to be had.
std::string ReadStartId(rocksdb::Env* env) {
  std::string text, digits, id;
  if (rocksdb::ReadFileToString(env, kStartIdFile, &text).ok()) {
    for (const char c : text) {
      if (std::isxdigit(static_cast<unsigned char>(c)) != 0) digits += c;
    }
  }
  for (size_t i = 0; i + 1 < digits.size() && id.size() < kStartBytes; i += 2) {
    id += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  }
  id.resize(kStartBytes, '\0');
  return id;
}

std::string FirstSlot(const std::string& start) {
  std::string bytes = kMagic;
  AppendNumber(kLedgerFormat, &bytes);
  return bytes + start;
}

std::string Seal(std::string content) {
  content.resize(kSlotContent, '\0');
  AppendNumber(Crc32c(content), &content);
  return content;
}

bool IsSealed(const std::string& slot) {
  return slot.size() == kSlotBytes && Crc32c(slot.substr(0, kSlotContent)) == NumberAt<uint32_t>(slot, kSlotContent);
}

}  // namespace

arrow::Result<std::unique_ptr<LogLedger>> LogLedger::Open(rocksdb::Env* env, const std::string& hot) {
  std::unique_ptr<LogLedger> ledger(new LogLedger(hot + "/SYNCED", ReadStartId(env)));
  ARROW_RETURN_NOT_OK(ledger->Read(env));
  if (ledger->is_new_) ARROW_RETURN_NOT_OK(ledger->Create(env, hot));
  ARROW_RETURN_NOT_OK(FromRocksDb(env->NewRandomRWFile(ledger->path_, &ledger->file_, rocksdb::EnvOptions()),
                                  "cannot open '", ledger->path_, "'"));
  return ledger;
}

arrow::Status LogLedger::Read(rocksdb::Env* env) {
  std::string bytes;
  const rocksdb::Status exists = env->FileExists(path_);
  if (!exists.IsNotFound()) {
    ARROW_RETURN_NOT_OK(FromRocksDb(rocksdb::ReadFileToString(env, path_, &bytes), "cannot read '", path_, "'"));
  }
  const std::string first = bytes.substr(0, kSlotBytes);
  is_new_ = !IsSealed(first) || !first.starts_with(kMagic) || NumberAt<uint32_t>(first, 8) != kLedgerFormat;
  if (is_new_) return arrow::Status::OK();
  const std::string known_start = first.substr(12, kStartBytes);
  is_same_start_ = known_start == start_ && known_start != std::string(kStartBytes, '\0');
  Load(bytes);
  return arrow::Status::OK();
}

void LogLedger::Load(const std::string& bytes) {
  slots_ = bytes.size() / kSlotBytes;
  for (uint64_t slot = 1; slot < slots_; ++slot) {
    const std::string content = bytes.substr(slot * kSlotBytes, kSlotBytes);
    const auto log = NumberAt<uint64_t>(content, 0);
    if (!IsSealed(content) || log == 0 || logs_.contains(log)) {
      free_slots_.insert(slot);
      continue;
    }
    const auto kind = NumberAt<uint32_t>(content, 16);
    logs_[log] = {{NumberAt<uint64_t>(content, 8), kind == kLaxLog, kind == kManifest}, slot, true};
  }
}

arrow::Status LogLedger::Create(rocksdb::Env* env, const std::string& hot) {
  slots_ = kFirstSlots;
  for (uint64_t slot = 1; slot < slots_; ++slot) free_slots_.insert(slot);
  std::unique_ptr<rocksdb::WritableFile> file;
  rocksdb::EnvOptions options;
  options.use_mmap_writes = false;
  rocksdb::Status status = env->NewWritableFile(path_, &file, options);
  std::string bytes = Seal(FirstSlot(std::string(kStartBytes, '\0')));
  bytes.resize(kFirstSlots * kSlotBytes, '\0');
  if (status.ok()) status = file->Append(bytes);
  if (status.ok()) status = file->Sync();
  if (status.ok()) status = file->Close();
  std::unique_ptr<rocksdb::Directory> folder;
  if (status.ok()) status = env->NewDirectory(hot, &folder);
  if (status.ok()) status = folder->Fsync();
  return FromRocksDb(status, "cannot make '", path_, "'");
}

arrow::Status LogLedger::NoteStart() {
  return is_same_start_ ? arrow::Status::OK() : WriteSlot(0, FirstSlot(start_));
}

std::map<uint64_t, LogLedger::Entry> LogLedger::entries() const {
  return Entries(false);
}

std::map<uint64_t, LogLedger::Entry> LogLedger::manifests() const {
  return Entries(true);
}

std::map<uint64_t, LogLedger::Entry> LogLedger::Entries(bool of_manifests) const {
  std::lock_guard lock(mutex_);
  std::map<uint64_t, Entry> entries;
  for (const auto& [number, known] : logs_) {
    if (known.entry.is_manifest == of_manifests) entries[number] = known.entry;
  }
  return entries;
}

void LogLedger::AddManifest(uint64_t number) {
  std::lock_guard lock(mutex_);
  const auto [added, is_first] = logs_.try_emplace(number);
  if (is_first) added->second.slot = TakeSlot();
  added->second.entry = {.is_manifest = true};
  added->second.is_named = false;
}

arrow::Status LogLedger::Add(uint64_t log, bool is_lax) {
  {
    std::lock_guard lock(mutex_);
    if (logs_.contains(log)) return arrow::Status::Invalid("log ", log, " is in '", path_, "' already");
    logs_[log] = {{0, is_lax}, TakeSlot(), false};
    if (is_lax) ARROW_RETURN_NOT_OK(WriteEntry(log, logs_[log]));
  }
  // Also what is known of the logs before, which get no more records.
  const arrow::Status synced = Sync();
  return is_lax ? synced : arrow::Status::OK();
}

void LogLedger::NoteSynced(uint64_t log, uint64_t bytes) noexcept try {
  std::lock_guard lock(mutex_);
  const auto found = logs_.find(log);
  if (found == logs_.end() || found->second.entry.synced >= bytes) return;
  found->second.entry.synced = bytes;
  // What cannot be written is not known later: then less damage is noticed.
  if (found->second.is_named) ARROW_UNUSED(WriteEntry(log, found->second));
} catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): likewise
}

std::vector<uint64_t> LogLedger::Unnamed() const noexcept try {
  std::lock_guard lock(mutex_);
  std::vector<uint64_t> unnamed;
  for (const auto& [log, known] : logs_) {
    if (!known.is_named) unnamed.push_back(log);
  }
  return unnamed;
} catch (const std::bad_alloc&) {
  return {};  // none of them will be taken for named: less is known later
}

void LogLedger::NoteNamed(const std::vector<uint64_t>& logs) noexcept try {
  std::lock_guard lock(mutex_);
  for (const uint64_t log : logs) {
    const auto found = logs_.find(log);
    if (found == logs_.end() || std::exchange(found->second.is_named, true)) continue;
    if (found->second.entry.synced > 0) ARROW_UNUSED(WriteEntry(log, found->second));
  }
} catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): less is known later
}

arrow::Status LogLedger::Forget(uint64_t log) {
  bool is_manifest = false;
  {
    std::lock_guard lock(mutex_);
    const auto found = logs_.find(log);
    if (found == logs_.end()) return arrow::Status::OK();
    is_manifest = found->second.entry.is_manifest;
    ARROW_RETURN_NOT_OK(WriteSlot(found->second.slot, ""));
    is_dirty_ = true;
    free_slots_.insert(found->second.slot);
    logs_.erase(found);
  }
  // One that is missing is no damage: only that which CURRENT names is looked at.
  return is_manifest ? arrow::Status::OK() : Sync();
}

arrow::Status LogLedger::Cut(uint64_t log, uint64_t bytes) {
  {
    std::lock_guard lock(mutex_);
    const auto [found, is_first] = logs_.try_emplace(log);
    if (is_first) found->second.slot = TakeSlot();
    found->second.entry.synced = bytes;
    ARROW_RETURN_NOT_OK(WriteEntry(log, found->second));
  }
  return Sync();
}

arrow::Status LogLedger::Sync() {
  {
    std::lock_guard lock(mutex_);
    if (!std::exchange(is_dirty_, false)) return arrow::Status::OK();
  }
  const rocksdb::Status status = file_->Sync();
  if (!status.ok()) {
    std::lock_guard lock(mutex_);
    is_dirty_ = true;
  }
  return FromRocksDb(status, "cannot sync '", path_, "'");
}

uint64_t LogLedger::TakeSlot() {
  if (free_slots_.empty()) return slots_++;
  return free_slots_.extract(free_slots_.begin()).value();
}

arrow::Status LogLedger::WriteEntry(uint64_t log, const Log& known) {
  std::string content;
  AppendNumber(log, &content);
  AppendNumber(known.entry.synced, &content);
  AppendNumber(known.entry.is_manifest ? kManifest : known.entry.is_lax ? kLaxLog : kStrictLog, &content);
  is_dirty_ = true;
  return WriteSlot(known.slot, std::move(content));
}

arrow::Status LogLedger::WriteSlot(uint64_t slot, std::string bytes) {
  const std::string content = bytes.empty() ? std::string(kSlotBytes, '\0') : Seal(std::move(bytes));
  return FromRocksDb(file_->Write(slot * kSlotBytes, content), "cannot write '", path_, "'");
}

}  // namespace yarrow
