#!/usr/bin/env python3
"""Plants faults in a small tree and expects check_sources.py to name each."""

import pathlib
import tempfile
import unittest

import check_sources


class CheckSourcesTest(unittest.TestCase):
  def complaints(self, path, text, check=check_sources.throwing_calls):
    with tempfile.TemporaryDirectory() as folder:
      file = pathlib.Path(folder) / path
      file.parent.mkdir(parents=True)
      file.write_text(text)
      return list(check(pathlib.Path(folder)))

  def test_calls_that_throw(self):
    for call in ('fs::exists(path)', 'std::filesystem::remove(old / Name(2))', 'fs::rename(from(), to)',
                 'for (const auto& entry : fs::directory_iterator(path, error)) {'):
      self.assertEqual(len(self.complaints('src/store/x.cc', f'a\n{call};\n')), 1, call)
      self.assertIn('x.cc:2', self.complaints('src/store/x.cc', f'a\n{call};\n')[0])

  def test_calls_that_do_not(self):
    for call in ('fs::exists(path / "a", error)', 'fs::remove(Path(path(1)), ignored)', 'fs::exists(status)',
                 'fs::path(name)', 'for (fs::directory_iterator it(path, error), end; it != end; it.increment(error)) {'):
      self.assertEqual(self.complaints('src/store/x.cc', call), [], call)

  def test_tests_may_throw(self):
    self.assertEqual(self.complaints('src/store/x_test.cc', 'fs::exists(path)'), [])
    self.assertEqual(self.complaints('tests/support/x.h', 'fs::exists(path)'), [])

  def test_doubles_stand_in_support(self):
    misplaced = check_sources.misplaced_doubles
    self.assertEqual(len(self.complaints('src/store/x_test.h', '', misplaced)), 1)
    self.assertEqual(len(self.complaints('src/store/x.h', '#include <gtest/gtest.h>\n', misplaced)), 1)
    self.assertEqual(self.complaints('src/store/x_test.cc', '#include <gtest/gtest.h>\n', misplaced), [])
    self.assertEqual(self.complaints('tests/support/x_test.h', '', misplaced), [])


if __name__ == '__main__':
  unittest.main()
