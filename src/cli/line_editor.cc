#include "cli/line_editor.h"

#include <fcntl.h>
#include <histedit.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <clocale>
#include <cstdio>
#include <cwchar>

#include "cli/interrupt.h"

namespace yarrow::cli {

struct LineEditor::Impl {
  EditLine* editor = nullptr;
  History* history = nullptr;
  HistEvent event = {};
  std::string history_file;
  std::string prompt;
  std::array<int, 2> wake = {-1, -1};  // a pipe: a signal writes to it
  bool interrupted = false;

  static Impl& Of(EditLine* editor) {
    Impl* impl = nullptr;
    el_get(editor, EL_CLIENTDATA, &impl);
    return *impl;
  }
  static char* Prompt(EditLine* editor) { return Of(editor).prompt.data(); }

  // Waits for a byte of the terminal or a signal.
  bool NextByte(char* byte) {
    std::array<pollfd, 2> waiting = {{{STDIN_FILENO, POLLIN, 0}, {wake[0], POLLIN, 0}}};
    while (::poll(waiting.data(), waiting.size(), -1) < 0 && errno == EINTR) {
    }
    if (waiting[1].revents != 0) {
      char drained = 0;
      while (::read(wake[0], &drained, 1) == 1) {
      }
      interrupted = true;
      return false;
    }
    return ::read(STDIN_FILENO, byte, 1) == 1;
  }

  // What libedit reads characters with: 1, 0 at the end, -1 to give up the line.
  static int ReadCharacter(EditLine* editor, wchar_t* character) {
    Impl& impl = Of(editor);
    std::mbstate_t state = {};
    while (true) {
      char byte = 0;
      if (!impl.NextByte(&byte)) return impl.interrupted ? -1 : 0;
      const size_t used = std::mbrtowc(character, &byte, 1, &state);
      if (used == static_cast<size_t>(-2)) continue;  // more bytes belong to it
      if (used == static_cast<size_t>(-1)) *character = L'?';
      return 1;
    }
  }
};

LineEditor::LineEditor(const std::string& history_file) : impl_(std::make_unique<Impl>()) {
  constexpr int kHistorySize = 10000;
  std::setlocale(LC_CTYPE, "");
  impl_->history_file = history_file;
  if (::pipe2(impl_->wake.data(), O_NONBLOCK | O_CLOEXEC) != 0) impl_->wake = {-1, -1};
  impl_->history = history_init();
  history(impl_->history, &impl_->event, H_SETSIZE, kHistorySize);
  history(impl_->history, &impl_->event, H_SETUNIQUE, 1);
  if (!history_file.empty()) history(impl_->history, &impl_->event, H_LOAD, history_file.c_str());
  impl_->editor = el_init("yarrow", stdin, stdout, stderr);
  el_set(impl_->editor, EL_CLIENTDATA, impl_.get());
  el_set(impl_->editor, EL_PROMPT, &Impl::Prompt);
  el_set(impl_->editor, EL_EDITOR, "emacs");
  el_set(impl_->editor, EL_HIST, history, impl_->history);
  el_set(impl_->editor, EL_GETCFN, &Impl::ReadCharacter);
  el_set(impl_->editor, EL_BIND, "^I", "ed-insert", nullptr);
  el_set(impl_->editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  el_source(impl_->editor, nullptr);  // ~/.editrc
}

LineEditor::~LineEditor() {
  el_end(impl_->editor);
  history_end(impl_->history);
  for (const int end : impl_->wake) {
    if (end >= 0) ::close(end);
  }
}

LineEditor::Outcome LineEditor::Read(const std::string& prompt, std::string* line) {
  impl_->prompt = prompt;
  impl_->interrupted = false;
  const CancelOnInterrupt wake([this] { (void)!::write(impl_->wake[1], "!", 1); });
  int length = 0;
  // Before the prompt is shown: el_gets itself would do it after, and what is typed in between would be edited by the
  // terminal, which turns a Ctrl-D into a zero byte.
  el_set(impl_->editor, EL_PREP_TERM, 1);
  const char* typed = el_gets(impl_->editor, &length);
  if (impl_->interrupted) {
    std::fputs("^C\n", stdout);
    std::fflush(stdout);
    return Outcome::kInterrupted;
  }
  if (typed == nullptr || length <= 0) return Outcome::kEnd;
  *line = typed;
  if (line->ends_with('\n')) line->pop_back();
  return Outcome::kLine;
}

void LineEditor::Remember(const std::string& statement) {
  std::string lines = statement;
  while (lines.ends_with('\n')) lines.pop_back();
  history(impl_->history, &impl_->event, H_ENTER, lines.c_str());
  if (!impl_->history_file.empty()) {
    history(impl_->history, &impl_->event, H_SAVE, impl_->history_file.c_str());
  }
}

}  // namespace yarrow::cli
