#!/usr/bin/env python3
"""Fails when a source file outgrows one subject, or starts threads that ThreadSanitizer never sees.

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


def main():
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--root', type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
  root = parser.parse_args().root.resolve()
  errors = [*long_files(root), *unlabelled_threads(root)]
  for error in errors:
    print(error)
  return 1 if errors else 0


if __name__ == '__main__':
  sys.exit(main())
