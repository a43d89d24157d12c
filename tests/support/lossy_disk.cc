#include "lossy_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <stdexcept>
#include <vector>

namespace yarrow::test {

namespace fs = std::filesystem;

// A file or a folder, and what of it is on disk.
struct LossyDisk::Node {
  ~Node() {
    if (fd >= 0) ::close(fd);
  }
  int fd = -1;
  bool is_folder = false;
  std::string bytes;
  Names names;
  std::vector<Names> since;  // in order, if that is kept: what it was between the last sync and now
};

class LossyDisk::File {
 public:
  explicit File(Node* of) : node(of) {}
  Node* const node;
};

namespace {

void Check(bool good, const fs::path& path) {
  if (!good) throw std::runtime_error("LossyDisk: " + path.string() + ": " + std::string(std::strerror(errno)));
}

std::string ReadAll(int fd) {
  std::string bytes;
  struct stat status {};
  if (::fstat(fd, &status) == 0) bytes.resize(static_cast<size_t>(status.st_size));
  const ssize_t count = ::pread(fd, bytes.data(), bytes.size(), 0);
  bytes.resize(static_cast<size_t>(std::max<ssize_t>(count, 0)));
  return bytes;
}

// Some of what was written and not synced: up to a byte, and perhaps not a sector before it. A file grows after its
// bytes are there, as on file systems that order the two; only where it was as long before, any sector may be missing.
std::string SurvivingBytes(const std::string& synced, const std::string& live, std::mt19937_64& random) {
  constexpr size_t kSector = 512;
  const size_t common = std::min(synced.size(), live.size());
  const auto first = static_cast<size_t>(
      std::mismatch(synced.begin(), synced.begin() + static_cast<ptrdiff_t>(common), live.begin()).first -
      synced.begin());
  if (first == live.size()) return random() % 2 == 0 ? synced : live;  // at most cut off
  const size_t written = live.find_last_not_of('\0') + 1;              // what is reserved reads as zeros
  const size_t end = std::max(first + 1, written);
  const size_t kept = random() % 3 == 0 ? end : first + random() % (end - first + 1);
  std::string bytes = synced;
  bytes.resize(std::max(kept == end ? live.size() : kept, synced.size()), '\0');
  std::copy_n(live.begin(), kept, bytes.begin());
  const size_t overwritten = std::min(kept, synced.size());
  if (overwritten > first && random() % 3 == 0) {
    const size_t sector = (first + random() % (overwritten - first)) / kSector * kSector;
    const size_t from = std::max(sector, first), to = std::min(sector + kSector, overwritten);
    std::copy_n(synced.begin() + static_cast<ptrdiff_t>(from), to - from, bytes.begin() + static_cast<ptrdiff_t>(from));
  }
  return bytes;
}

}  // namespace

LossyDisk::LossyDisk(fs::path folder) : folder_(fs::canonical(folder)) {
  Keep(folder_, &Pin(folder_));
}

LossyDisk::~LossyDisk() = default;

void LossyDisk::Keep(const fs::path& path, Node* node) {
  if (!node->is_folder) {
    node->bytes = ReadAll(node->fd);
    return;
  }
  node->names = ListLive(*node);
  for (const auto& [name, id] : node->names) Keep(path / name, &Pin(path / name));
}

LossyDisk::Node& LossyDisk::Pin(const fs::path& path) {
  struct stat status {};
  Check(::lstat(path.c_str(), &status) == 0, path);
  std::unique_ptr<Node>& node = nodes_[status.st_ino];
  if (!node) {
    node = std::make_unique<Node>();
    node->is_folder = S_ISDIR(status.st_mode);
    node->fd = ::open(path.c_str(), (node->is_folder ? O_RDONLY | O_DIRECTORY : O_RDWR) | O_CLOEXEC);
    Check(node->fd >= 0, path);
  }
  return *node;
}

// Pins what it finds: its number is in use for as long as the disk lives.
LossyDisk::Names LossyDisk::ListLive(const Node& node) {
  const fs::path path = "/proc/self/fd/" + std::to_string(node.fd);
  Names names;
  for (const auto& entry : fs::directory_iterator(path)) {
    struct stat status {};
    if (::lstat(entry.path().c_str(), &status) != 0) continue;  // removed meanwhile, unobserved
    Pin(entry.path());
    names[entry.path().filename().string()] = status.st_ino;
  }
  return names;
}

std::string LossyDisk::KindOf(const fs::path& path, bool is_folder) const {
  std::string kind;
  for (const fs::path& part : path.lexically_relative(folder_)) {
    std::string name = part.string();
    if (name == ".") continue;
    if (name.starts_with("u-")) name = "u-*";
    std::string shown;
    for (const char c : name) {
      const bool is_digit = c >= '0' && c <= '9';
      if (!is_digit) shown += c;
      if (is_digit && !shown.ends_with('#')) shown += '#';
    }
    kind += (kind.empty() ? "" : "/") + shown;
  }
  return is_folder ? kind + "/" : kind;
}

LossyDisk::Turn LossyDisk::Begin(Call call, const fs::path& path) {
  return BeginKind(call, path, KindOf(path, false));
}

LossyDisk::Turn LossyDisk::BeginKind(Call call, const fs::path& path, std::string kind) {
  Turn turn;
  turn.lock_ = std::unique_lock(mutex_);
  if (!is_cut_) {
    const Step step{steps_++, call, path.lexically_relative(folder_), std::move(kind)};
    if (on_step) turn.error_ = on_step(step);
  }
  if (is_cut_) turn.error_ = EIO;
  const fs::path parent = path.parent_path();
  const bool changes_names = call != Call::kWrite && call != Call::kSync && turn.error_ == 0;
  if (changes_names && ordered_folders.contains(parent.filename().string())) {
    Node& node = Pin(parent);
    node.since.push_back(ListLive(node));
  }
  return turn;
}

std::shared_ptr<LossyDisk::File> LossyDisk::OpenFile(const fs::path& path) {
  std::lock_guard lock(mutex_);
  return std::make_shared<File>(&Pin(path));
}

int LossyDisk::Sync(const File& file, const fs::path& path, bool again) {
  const Turn turn = BeginKind(Call::kSync, path, KindOf(path, false) + (again ? " again" : ""));
  if (turn.error() == kLeftOut || is_cut_) return 0;
  if (turn.error() == 0) file.node->bytes = ReadAll(file.node->fd);
  return turn.error();
}

int LossyDisk::SyncFolder(const fs::path& folder) {
  if (folder.lexically_relative(folder_).string().starts_with("..")) return 0;  // no part of the disk
  const Turn turn = BeginKind(Call::kSync, folder, KindOf(folder, true));
  if (turn.error() != 0) return turn.error() == kLeftOut ? 0 : turn.error();
  Node& node = Pin(folder);
  node.names = ListLive(node);
  node.since.clear();
  return 0;
}

void LossyDisk::CloseUnchanged(const File& file, const std::function<void()>& close) {
  std::lock_guard lock(mutex_);
  struct stat before {};
  const bool is_known = ::fstat(file.node->fd, &before) == 0;
  close();
  if (is_cut_ && is_known) Check(::ftruncate(file.node->fd, before.st_size) == 0, folder_);
}

void LossyDisk::Restart() {
  std::lock_guard lock(mutex_);
  is_cut_ = false;
}

int64_t LossyDisk::steps() const {
  std::lock_guard lock(mutex_);
  return steps_;
}

LossyDisk::Names LossyDisk::Survivors(const Node& node, std::mt19937_64* random) {
  const Names& synced = node.names;
  if (random == nullptr || (*random)() % 4 == 0) return synced;
  const Names live = ListLive(node);
  if ((*random)() % 3 == 0) return live;
  if (!node.since.empty()) return node.since[(*random)() % node.since.size()];
  // Names that a file had, has or has lost to another one go together: no rename is done by half.
  std::map<Id, Id> parents;
  const std::function<Id(Id)> root_of = [&](Id id) {
    const auto parent = parents.find(id);
    return parent == parents.end() ? id : root_of(parent->second);
  };
  const auto id_in = [](const Names& names, const std::string& name) {
    const auto at = names.find(name);
    return at == names.end() ? Id{0} : at->second;
  };
  std::set<std::string> changed;
  for (const Names* names : {&synced, &live}) {
    for (const auto& [name, id] : *names) {
      if (id_in(synced, name) != id_in(live, name)) changed.insert(name);
    }
  }
  for (const std::string& name : changed) {
    const Id before = id_in(synced, name), after = id_in(live, name);
    if (before == 0 || after == 0) continue;
    const Id a = root_of(before), b = root_of(after);
    if (a != b) parents[a] = b;
  }
  Names survivors = synced;
  std::map<Id, bool> is_done;
  for (const std::string& name : changed) {
    const Id before = id_in(synced, name), after = id_in(live, name);
    const Id root = root_of(after != 0 ? after : before);
    if (!is_done.contains(root)) is_done[root] = (*random)() % 2 == 0;
    if (!is_done[root]) continue;
    survivors.erase(name);
    if (after != 0) survivors[name] = after;
  }
  return survivors;
}

void LossyDisk::Write(Id id, const fs::path& to, std::mt19937_64* random) {
  const Node& node = *nodes_.at(id);
  if (!node.is_folder) {
    std::ofstream file(to, std::ios::binary);
    file << (random == nullptr ? node.bytes : SurvivingBytes(node.bytes, ReadAll(node.fd), *random));
    file.close();
    Check(!file.fail(), to);
    return;
  }
  fs::create_directory(to);
  for (const auto& [name, child] : Survivors(node, random)) Write(child, to / name, random);
}

void LossyDisk::Materialise(const fs::path& folder, std::mt19937_64* random) {
  std::lock_guard lock(mutex_);
  struct stat status {};
  Check(::stat(folder_.c_str(), &status) == 0, folder_);
  Write(status.st_ino, folder, random);
}

}  // namespace yarrow::test
