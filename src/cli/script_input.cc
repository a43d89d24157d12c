#include "cli/script_input.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <streambuf>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/interrupt.h"

namespace yarrow::cli {

class ScriptInput::Buffer : public std::streambuf {
 public:
  Buffer(int fd, bool is_owned) : fd_(fd), is_owned_(is_owned), bytes_(kBlockBytes) {
    if (::pipe2(wake_.data(), O_NONBLOCK | O_CLOEXEC) != 0) wake_ = {-1, -1};
  }
  ~Buffer() override {
    for (const int end : wake_) {
      if (end >= 0) ::close(end);
    }
    if (is_owned_ && fd_ >= 0) ::close(fd_);
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  bool is_open() const { return fd_ >= 0; }

 protected:
  int_type underflow() override {
    for (;;) {
      if (!AwaitBytes()) return traits_type::eof();
      const ssize_t size = ::read(fd_, bytes_.data(), bytes_.size());
      if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      // What a stream makes of an exception is badbit.
      if (size < 0) throw std::system_error(errno, std::generic_category(), "cannot read the script");
      if (size == 0) return traits_type::eof();
      setg(bytes_.data(), bytes_.data(), bytes_.data() + size);
      return traits_type::to_int_type(*gptr());
    }
  }

 private:
  static constexpr size_t kBlockBytes = 64 << 10;

  // False when a signal has come.
  bool AwaitBytes() {
    const CancelOnInterrupt wake([this] { (void)!::write(wake_[1], "!", 1); });
    std::array<pollfd, 2> waiting = {{{fd_, POLLIN, 0}, {wake_[0], POLLIN, 0}}};
    while (::poll(waiting.data(), waiting.size(), -1) < 0 && errno == EINTR) {
    }
    return waiting[1].revents == 0;
  }

  const int fd_;
  const bool is_owned_;
  std::array<int, 2> wake_ = {-1, -1};  // a pipe: a signal writes to it
  std::vector<char> bytes_;
};

ScriptInput::ScriptInput() : ScriptInput(std::make_unique<Buffer>(STDIN_FILENO, /*is_owned=*/false)) {}

// A pipe that nobody writes to yet is opened at once, and waited for later.
ScriptInput::ScriptInput(const std::string& path)
    : ScriptInput(std::make_unique<Buffer>(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC),
                                           /*is_owned=*/true)) {
  if (!buffer_->is_open()) setstate(std::ios_base::failbit);
}

ScriptInput::ScriptInput(std::unique_ptr<Buffer> buffer) : std::istream(buffer.get()), buffer_(std::move(buffer)) {}

ScriptInput::~ScriptInput() = default;

}  // namespace yarrow::cli
