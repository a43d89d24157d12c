#!/usr/bin/env python3
"""Plants forbidden includes in a copy of the tree and expects check_includes.py to name each."""

import pathlib
import shutil
import tempfile
import unittest

import check_includes

ROOT = pathlib.Path(__file__).resolve().parent.parent


class CheckIncludesTest(unittest.TestCase):
  def setUp(self):
    folder = tempfile.TemporaryDirectory()
    self.addCleanup(folder.cleanup)
    self.root = pathlib.Path(folder.name)
    for part in ('src', 'include', 'tests/support'):
      shutil.copytree(ROOT / part, self.root / part)
    self.known = set(check_includes.check(self.root)[0])

  def plant(self, path, text):
    """Appends `text` to a file of the copy; returns the complaints that this adds."""
    planted = self.root / path
    planted.parent.mkdir(exist_ok=True)
    with open(planted, 'a') as file:
      file.write(text + '\n')
    complaints = set(check_includes.check(self.root)[0])
    added, self.known = complaints - self.known, complaints
    return added

  def assert_refused(self, path, include, reason):
    complaints = self.plant(path, f'#include {include}')
    self.assertEqual(len(complaints), 1, complaints)
    self.assertIn(path, *complaints)
    self.assertIn(reason, *complaints)

  def test_includes_outside_the_row_are_refused(self):
    self.assert_refused('src/key/planted.cc', '"row/row_layout.h"', 'layer key may use only: type')
    self.assert_refused('src/row/planted.h', '"store/planted.h"', 'layer row may use only: type key')
    self.assert_refused('src/row/planted.cc', '<yarrow/store.h>', 'belongs to layer store')
    self.assert_refused('src/batch/planted.cc', '<rocksdb/db.h>', 'may use only these libraries: arrow')
    self.assert_refused('src/table/planted.cc', '<parquet/file_reader.h>', 'may use only these libraries: arrow')
    self.assert_refused('src/store/planted.cc', '<duckdb.hpp>', 'neither the standard library')
    self.assert_refused('src/table/planted.cc', '"duckdb/main/database.hpp"', 'may use only these libraries')

  def test_disguises_are_refused(self):
    self.assert_refused('src/key/dots.cc', '"../row/row_layout.h"', 'without dots')
    self.assert_refused('src/key/inner_dots.cc', '"key/../row/row_layout.h"', 'without dots')
    self.assert_refused('src/key/bare.cc', '"row_layout.h"', 'write it with its folder')
    self.assert_refused('src/key/macro.cc', 'SOME_HEADER', 'by macro')
    self.assertEqual(len(self.plant('src/key/spaces.cc', '  #  include   "row/row_layout.h"')), 1)

  def test_tests_see_gtest_and_support_but_no_other_layer(self):
    self.assertFalse(self.plant('src/key/planted_test.cc', '#include <gtest/gtest.h>\n#include "arrow_assert.h"'))
    self.assert_refused('src/key/planted_test.cc', '"table/planted.h"', 'layer key may use only')
    self.assert_refused('src/type/planted.cc', '<gtest/gtest.h>', 'may use only these libraries')

  def test_public_headers_show_no_private_ones_and_no_engine(self):
    self.assert_refused('include/yarrow/store.h', '<rocksdb/db.h>', 'no storage or SQL engine')
    self.assert_refused('include/yarrow/value.h', '"type/decimal.h"', 'may not include a private one')
    self.assert_refused('include/yarrow/type.h', '<yarrow/table.h>', 'belongs to layer database')

  def test_every_header_and_folder_has_one_owner(self):
    self.assertIn('no layer of src/layers.txt owns', *self.plant('include/yarrow/planted.h', '#pragma once'))
    (self.root / 'include/yarrow/planted.h').unlink()
    table = 'src/layers.txt'
    self.assertIn('owned by both', ' '.join(self.plant(table, 'extra | | type.h | arrow')))
    self.assertIn('no row above it', ' '.join(self.plant(table, 'more | missing | | arrow')))
    self.assertIn('src/warm: no row in src/layers.txt', self.plant('src/warm/a.h', ''))

  def test_what_the_row_names_is_allowed(self):
    allowed = ['<vector>', '<sys/stat.h>', '<unistd.h>', '<arrow/api.h>', '"row/row_layout.h"', '"key/key_codec.h"',
               '<yarrow/type.h>']
    self.assertFalse(self.plant('src/row/planted.cc', '\n'.join(f'#include {include}' for include in allowed)))


if __name__ == '__main__':
  unittest.main()
