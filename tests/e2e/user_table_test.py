"""User tables: rows belong to who imported them."""

import subprocess
import unittest

from program import YARROW, ProgramTest


class UserTableTest(ProgramTest):

  def setUp(self):
    super().setUp()
    self.ada = self.write('ada.csv', 'id,note\n1,from ada\n2,more\n')
    self.bob = self.write('bob.csv', 'id,note\n1,from bob\n')
    options = ['--primary-key', 'id', '--kind', 'user']
    self.run_yarrow('import', self.db, 'notes', self.ada, *options, '--user', 'ada')
    self.run_yarrow('import', self.db, 'notes', self.bob, *options, '--user', 'bob')

  def test_each_user_has_rows_of_their_own(self):
    self.assertEqual(self.scan('notes', '--user', 'ada'), [{'id': 1, 'note': 'from ada'}, {'id': 2, 'note': 'more'}])
    self.assertEqual(self.scan('notes', '--user', 'bob'), [{'id': 1, 'note': 'from bob'}])
    self.assertEqual(self.scan('notes', '--user', 'b'), [])
    self.assertIn('from bob', self.run_yarrow('get', self.db, 'notes', 1, '--user', 'bob'))
    self.fail_yarrow('get', self.db, 'notes', 2, '--user', 'bob')
    self.assertEqual(self.row_count('notes', '--user', 'ada'), 2)
    self.assertIsNone(self.row_count('notes'))
    self.assertIn('user', self.run_yarrow('tables', self.db))

  def test_filters_stay_inside_a_users_rows(self):
    self.assertEqual(self.scan('notes', '--user', 'bob', '--where', 'id = 2'), [])
    self.assertEqual(self.scan('notes', '--user', 'bob', '--where', "note LIKE 'from%'", '--threads', 4),
                     [{'id': 1, 'note': 'from bob'}])

  def test_nobody_sees_nothing(self):
    expected = 'the rows of table main.notes belong to users: say whose with --user NAME'
    self.assertEqual(self.fail_yarrow('scan', self.db, 'notes'), expected)
    self.assertEqual(self.fail_yarrow('get', self.db, 'notes', 1), expected)
    self.fail_yarrow('import', self.db, 'notes', self.write('c.csv', 'id,note\n9,x\n'))
    self.assertEqual(self.fail_yarrow('import', self.db, 'new', self.ada, '--kind', 'user'),
                     'the rows of a table of kind user belong to users: say whose with --user NAME')

  def test_the_same_key_again_is_refused_for_its_user_only(self):
    self.fail_yarrow('import', self.db, 'notes', self.bob, '--user', 'bob')
    self.run_yarrow('import', self.db, 'notes', self.bob, '--user', 'eve')
    self.assertEqual(self.scan('notes', '--user', 'eve'), [{'id': 1, 'note': 'from bob'}])

  def test_confined_statements_reach_their_users_rows_only(self):
    bob = ['sql', self.db, '--user', 'bob', '--confined', '--format', 'csv']
    self.assertEqual(self.run_yarrow(*bob, '-c', 'SELECT note FROM notes'), 'note\nfrom bob\n')
    self.run_yarrow(*bob, '-c', "UPDATE notes SET note = 'by bob'")
    for sql in (f"ATTACH '{self.db}' AS z (TYPE yarrow, USER 'ada')", f"FROM read_csv('{self.ada}')", f"FROM '{self.ada}'",
                'DROP TABLE notes', 'SET threads = 1', "CALL yarrow_flush('notes')", 'FROM db.system.users',
                f'.read {self.ada}', f'.import {self.ada} notes'):
      done = subprocess.run([YARROW, *map(str, bob), '-c', sql], capture_output=True, check=False)
      self.assertEqual(done.returncode, 1, sql)
      self.assertNotIn(b'from ada', done.stdout + done.stderr, sql)
    self.assertIn('notes', self.run_yarrow(*bob, '-c', '.tables'))
    self.assertIn('CREATE TABLE', self.run_yarrow(*bob, '-c', '.schema'))
    self.fail_yarrow('sql', self.db, '--confined', '-c', 'SELECT 1', code=2)
    self.assertEqual(self.scan('notes', '--user', 'ada'), [{'id': 1, 'note': 'from ada'}, {'id': 2, 'note': 'more'}])
    self.assertEqual(self.scan('notes', '--user', 'bob'), [{'id': 1, 'note': 'by bob'}])


if __name__ == '__main__':
  unittest.main()
