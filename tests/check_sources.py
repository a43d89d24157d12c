#!/usr/bin/env python3
"""Fails when a source file outgrows one subject, starts threads that ThreadSanitizer never sees, asks the file system
in a way that throws, or stands among the product's though only tests use it.

Usage: check_sources.py [--root FOLDER]
"""

import argparse
import pathlib
import re
import sys

MAX_LINES = 600
FOLDERS = ('src', 'include', 'tests', 'bench', 'examples')
SOURCES = {'.h', '.hpp', '.cc', '.cpp'}
THREADS = re.compile(r'^\s*#\s*include\s*<(thread|future)>', re.MULTILINE)

# Calls of std::filesystem that throw unless they are given an error_code, which is named so here.
ASKING = re.compile(
    r'\b(?:fs|std::filesystem)::(?:absolute|canonical|weakly_canonical|copy|copy_file|create_director(?:y|ies)|current_path|'
    r'equivalent|exists|file_size|is_directory|is_empty|is_regular_file|last_write_time|permissions|remove|remove_all|rename|'
    r'resize_file|space|status|symlink_status|temp_directory_path)\((?P<arguments>(?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)')
ERROR_CODES = re.compile(r'\b(error|ignored|gone)\b|^status$')  # a file_status is asked without the system
# Moving on to the next entry throws as well.
LOOPING = re.compile(r'\bfor \([^;)]*: *(?:fs|std::filesystem)::(?:recursive_)?directory_iterator')
GOOGLETEST = re.compile(r'^\s*#\s*include\s*[<"](gtest|gmock)/', re.MULTILINE)


def is_product(path, root):
  return path.relative_to(root).as_posix().startswith(('src/', 'include/')) and not path.stem.endswith('_test')


def source_files(root):
  for folder in FOLDERS:
    yield from sorted(path for path in (root / folder).rglob('*') if path.suffix in SOURCES)


def long_files(root):
  for path in source_files(root):
    lines = len(path.read_text().splitlines())
    if lines > MAX_LINES:
      yield f'{path.relative_to(root)}: {lines} lines, more than {MAX_LINES}: split it by subject'


def unlabelled_threads(root):
  """Tests that start threads in a folder whose CMakeLists.txt labels none as CONCURRENT (cmake/YarrowLayer.cmake)."""
  for path in source_files(root):
    build_file = path.parent / 'CMakeLists.txt'
    if not path.stem.endswith('_test') or not build_file.is_file() or not THREADS.search(path.read_text()):
      continue
    if 'CONCURRENT' not in build_file.read_text():
      yield f'{path.relative_to(root)}: it starts threads, but {build_file.relative_to(root)} names no CONCURRENT tests'


def throwing_calls(root):
  for path in source_files(root):
    name = path.relative_to(root).as_posix()
    if not is_product(path, root):
      continue
    text = path.read_text()
    calls = [call for call in ASKING.finditer(text) if not ERROR_CODES.search(call['arguments'])]
    for call in [*calls, *LOOPING.finditer(text)]:
      line = text.count('\n', 0, call.start()) + 1
      yield f'{name}:{line}: {call.group()} throws: give it an error_code named error (or walk with increment(error))'


def misplaced_doubles(root):
  """What only tests use stands in tests/support: headers named after tests, and others that need GoogleTest."""
  for path in source_files(root):
    if path.relative_to(root).parts[0] not in ('src', 'include') or path.stem.endswith('_test') and path.suffix == '.cc':
      continue
    if path.stem.endswith('_test') or GOOGLETEST.search(path.read_text()):
      yield f'{path.relative_to(root)}: what tests share belongs to tests/support'


def main():
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--root', type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
  root = parser.parse_args().root.resolve()
  errors = [*long_files(root), *unlabelled_threads(root), *throwing_calls(root), *misplaced_doubles(root)]
  for error in errors:
    print(error)
  return 1 if errors else 0


if __name__ == '__main__':
  sys.exit(main())
