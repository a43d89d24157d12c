// Where a script of statements comes from: standard input or a file, which may be a pipe that has nothing to say for a
// long time. A signal ends the wait for it.
#pragma once

#include <istream>
#include <memory>
#include <string>

namespace yarrow::cli {

// Ends early when a signal comes (CheckInterrupt tells); bad() when it cannot be read. Not while a CancelOnInterrupt is
// in force: there is one at a time.
class ScriptInput : public std::istream {
 public:
  // Of standard input.
  ScriptInput();
  // fail() at once when the file cannot be opened.
  explicit ScriptInput(const std::string& path);
  ~ScriptInput() override;

 private:
  class Buffer;
  explicit ScriptInput(std::unique_ptr<Buffer> buffer);

  const std::unique_ptr<Buffer> buffer_;
};

}  // namespace yarrow::cli
