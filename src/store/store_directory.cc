#include "store/store_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "store/rocksdb_status.h"

namespace yarrow {

namespace fs = std::filesystem;

namespace {

constexpr const char* kMarker = "YARROW";
constexpr const char* kCreatingMarker = "YARROW.creating";
constexpr const char* kMarkerText = "yarrow format ";

struct flock WholeFile(short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

std::string NameProcess(std::optional<int> pid) {
  return pid.has_value() && *pid > 0 ? "process " + std::to_string(*pid) : "another process";
}

// What the entries of a directory without marker make it.
enum class Content { kEmpty, kInterruptedCreation, kForeign };

arrow::Result<Content> Classify(const fs::path& path, std::string* foreign_entry) {
  bool creating = false;
  bool empty = true;
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    empty = false;
    if (name == kCreatingMarker)
      creating = true;
    else if (name != "hot" && name != "tmp")
      *foreign_entry = name;
  }
  if (error) return arrow::Status::IOError("cannot list '", path.string(), "': ", error.message());
  if (empty) return Content::kEmpty;
  if (creating && foreign_entry->empty()) return Content::kInterruptedCreation;
  if (foreign_entry->empty()) *foreign_entry = "hot";
  return Content::kForeign;
}

}  // namespace

StoreDirectory::~StoreDirectory() {
  if (creating_fd_ >= 0) ::close(creating_fd_);
}

arrow::Status StoreDirectory::Prepare(bool create_if_missing) {
  std::error_code error;
  const fs::file_status status = fs::status(path_, error);
  const bool is_new = status.type() == fs::file_type::not_found;
  if (is_new) {
    if (!create_if_missing) {
      return arrow::Status::IOError("there is no database at '", path_.string(),
                                    "': check the path, or open it with create_if_missing");
    }
    ARROW_RETURN_NOT_OK(MakeFolders());
  } else if (error) {
    return arrow::Status::IOError("cannot look at '", path_.string(), "': ", error.message());
  } else if (status.type() != fs::file_type::directory) {
    return arrow::Status::IOError("'", path_.string(), "' is not a directory: a Yarrow database is one");
  }
  const int fd = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return AccessError(path_, path_, errno);
  ARROW_RETURN_NOT_OK(lock_->Take(path_, fd));
  if (fs::exists(path_ / kMarker, error)) return PrepareComplete();
  if (error) return AccessError(path_, path_ / kMarker, error.value());
  std::string foreign_entry;
  ARROW_ASSIGN_OR_RAISE(const Content content, Classify(path_, &foreign_entry));
  if (content == Content::kForeign) {
    return arrow::Status::IOError("'", path_.string(), "' is not a Yarrow database: it holds '", foreign_entry,
                                  "' and no marker file ", kMarker, "; choose an empty or new directory");
  }
  if (!create_if_missing) {
    return arrow::Status::IOError("there is no database at '", path_.string(), "' (",
                                  content == Content::kEmpty ? "it is empty" : "its creation was interrupted",
                                  "): open it with create_if_missing");
  }
  if (!is_new) ARROW_RETURN_NOT_OK(SyncNameOf(path_));
  return StartCreation();
}

arrow::Status StoreDirectory::PrepareComplete() {
  const fs::path marker = path_ / kMarker;
  const int fd = ::open(marker.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return AccessError(path_, marker, errno);
  ARROW_RETURN_NOT_OK(lock_->TakeMarker(path_, fd));
  ARROW_RETURN_NOT_OK(CheckMarker(fd));
  ARROW_RETURN_NOT_OK(CheckWritable());
  // The process that made the database may have ended between naming the marker and syncing the folder. Without the
  // marker the creation starts over, so nothing may be acknowledged before that is durable.
  return SyncFolder(path_);
}

arrow::Status StoreDirectory::MakeFolders() const {
  std::vector<fs::path> missing;
  std::error_code error;
  fs::path there = path_;
  for (; !fs::exists(there, error) && !error && there.has_relative_path(); there = there.parent_path()) {
    missing.push_back(there);
  }
  if (error) return arrow::Status::IOError("cannot look at '", there.string(), "': ", error.message());
  ARROW_RETURN_NOT_OK(SyncNameOf(there));
  for (auto folder = missing.rbegin(); folder != missing.rend(); ++folder) {
    ARROW_RETURN_NOT_OK(MakeFolder(*folder));
    ARROW_RETURN_NOT_OK(SyncFolder(folder->parent_path()));
  }
  return arrow::Status::OK();
}

arrow::Status StoreDirectory::SyncNameOf(const fs::path& folder) const {
  const fs::path parent = folder.parent_path();
  return ::access(parent.c_str(), W_OK) == 0 ? SyncFolder(parent) : arrow::Status::OK();
}

arrow::Status StoreDirectory::MakeFolder(const fs::path& folder) const {
  return FromRocksDb(env_->CreateDirIfMissing(folder.string()), "cannot create '", folder.string(), "'");
}

arrow::Status StoreDirectory::SyncFolder(const fs::path& folder) const {
  std::unique_ptr<rocksdb::Directory> opened;
  rocksdb::Status status = env_->NewDirectory(folder.string(), &opened);
  if (status.ok()) status = opened->Fsync();
  return FromRocksDb(status, "cannot sync the folder '", folder.string(), "'");
}

// Before anything is made in it: RocksDB's error for what it cannot write names some file deep inside.
arrow::Status StoreDirectory::CheckWritable() const {
  for (const fs::path& folder : {path_, hot()}) {
    if (::faccessat(AT_FDCWD, folder.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) != 0) {
      return AccessError(path_, folder, errno);
    }
  }
  return arrow::Status::OK();
}

arrow::Status AccessError(const fs::path& database, const fs::path& file, int error) {
  const std::string what = "'" + file.string() + "': " + std::strerror(error);
  if (error == EROFS) {
    return arrow::Status::IOError("the database at '", database.string(),
                                  "' is on a read-only file system, and opening a database writes to it (", what,
                                  "): have the file system mounted for writing, or open a copy elsewhere");
  }
  if (error == EACCES || error == EPERM) {
    return arrow::Status::IOError("no permission to open the database at '", database.string(),
                                  "': its user must be able to read and write the directory and all files in it (",
                                  what, "): change owner or permissions, or run as the user that it belongs to");
  }
  return arrow::Status::IOError("the database at '", database.string(), "' cannot be opened (", what, ")");
}

arrow::Status StoreDirectory::CheckMarker(int fd) const {
  std::array<char, 256> bytes = {};
  const ssize_t size = ::pread(fd, bytes.data(), bytes.size(), 0);
  if (size < 0) return SystemError("read", path_ / kMarker, errno);
  const std::string text(bytes.data(), static_cast<size_t>(size));
  const size_t prefix = std::strlen(kMarkerText);
  const size_t digits = text.find_first_not_of("0123456789", prefix);
  const bool well_formed = text.starts_with(kMarkerText) && digits != std::string::npos && digits > prefix &&
                           digits - prefix <= 9 && text.substr(digits) == "\n";
  if (!well_formed) {
    return arrow::Status::IOError("the database at '", path_.string(), "' is damaged: its marker file ", kMarker,
                                  " does not read 'yarrow format N'; restore it from a backup");
  }
  const int format = std::stoi(text.substr(prefix));
  if (format > kFormat) {
    return arrow::Status::IOError("the database at '", path_.string(), "' was written by Yarrow format ", format,
                                  ", this program reads up to ", kFormat, ": upgrade it");
  }
  std::error_code error;
  const bool has_hot = fs::is_directory(hot(), error);
  if (error && error != std::errc::no_such_file_or_directory) return SystemError("look at", hot(), error.value());
  if (!has_hot) {
    return arrow::Status::IOError("the database at '", path_.string(),
                                  "' is damaged: its folder 'hot' is missing; restore it from a backup");
  }
  return arrow::Status::OK();
}

arrow::Status StoreDirectory::StartCreation() {
  ARROW_ASSIGN_OR_RAISE(const bool locked, LockCreation());
  if (!locked) return PrepareComplete();  // another process finished creating it just now
  // A hot/ without it is not taken for ours.
  ARROW_RETURN_NOT_OK(SyncFolder(path_));
  std::error_code error;
  fs::remove_all(hot(), error);
  if (!error) fs::remove_all(temporary(), error);
  if (error) return arrow::Status::IOError("cannot prepare '", path_.string(), "': ", error.message());
  ARROW_RETURN_NOT_OK(MakeFolder(hot()));
  return SyncFolder(path_);
}

arrow::Result<bool> StoreDirectory::LockCreation() {
  const fs::path marker = path_ / kCreatingMarker;
  creating_fd_ = ::open(marker.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (creating_fd_ < 0) return SystemError("create", marker, errno);
  struct flock lock = WholeFile(F_WRLCK);
  if (::fcntl(creating_fd_, F_OFD_SETLK, &lock) != 0) {
    struct flock holder = WholeFile(F_WRLCK);
    std::optional<int> pid;
    if (::fcntl(creating_fd_, F_OFD_GETLK, &holder) == 0) pid = holder.l_pid;
    return arrow::Status::IOError("the database at '", path_.string(), "' is being created by ", NameProcess(pid),
                                  ": try again when it is done");
  }
  struct stat opened {};
  struct stat named {};
  const bool same = ::fstat(creating_fd_, &opened) == 0 && ::stat(marker.c_str(), &named) == 0 &&
                    opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
  std::error_code error;
  if (same && !fs::exists(path_ / kMarker, error)) return true;
  ::close(creating_fd_);
  creating_fd_ = -1;
  if (same) fs::remove(marker, error);
  return false;
}

arrow::Status StoreDirectory::FinishCreation() {
  const std::string marker = (path_ / kCreatingMarker).string();
  std::unique_ptr<rocksdb::WritableFile> file;
  rocksdb::EnvOptions options;
  options.use_mmap_writes = false;
  rocksdb::Status status = env_->NewWritableFile(marker, &file, options);
  if (status.ok()) status = file->Append(kMarkerText + std::to_string(kFormat) + "\n");
  if (status.ok()) status = file->Sync();
  if (!status.ok()) return FromRocksDb(status, "cannot write '", marker, "'");
  status = env_->RenameFile(marker, (path_ / kMarker).string());
  if (!status.ok()) return FromRocksDb(status, "cannot name '", (path_ / kMarker).string(), "'");
  ARROW_RETURN_NOT_OK(SyncFolder(path_));
  return lock_->TakeMarker(path_, std::exchange(creating_fd_, -1));  // the same file, under its name
}

arrow::Status StoreDirectory::SweepTemporary() const {
  std::error_code error;
  fs::create_directory(temporary(), error);
  fs::directory_iterator left;
  if (!error) left = fs::directory_iterator(temporary(), error);
  while (!error && left != fs::directory_iterator()) {
    const fs::path path = left->path();
    left.increment(error);
    if (!error) fs::remove_all(path, error);
  }
  if (error) return arrow::Status::IOError("cannot sweep '", temporary().string(), "': ", error.message());
  return arrow::Status::OK();
}

std::optional<int> StoreDirectory::LockHolder() const {
  const int fd = ::open((hot() / "LOCK").c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  struct flock lock = WholeFile(F_WRLCK);
  const bool held = ::fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  ::close(fd);
  if (!held) return std::nullopt;
  return lock.l_pid;
}

}  // namespace yarrow
