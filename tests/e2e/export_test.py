"""yarrow export: files that hold the rows, all of them or none."""

import json
import signal
import unittest

from program import KEYS, ProgramTest, by_key, data_file, read_csv


class ExportTest(ProgramTest):

  def test_what_is_exported_can_be_imported_again(self):
    self.import_table('planes')
    before = self.scan('planes')
    for name in ('planes.csv', 'planes.parquet'):
      printed = self.run_yarrow('export', self.db, 'planes', self.folder / name)
      self.assertRegex(printed, r'^exported 3,322 rows of planes to .*planes\.\w+ in ')
      self.run_yarrow('import', self.folder / 'copy', name[-3:], self.folder / name, '--primary-key', 'tailnum')
      rows = self.run_yarrow('scan', self.folder / 'copy', name[-3:], '--format', 'jsonlines').splitlines()
      self.assertEqual([json.loads(row) for row in rows], before)

  def test_nested_and_other_types(self):
    self.run_yarrow(
        self.db, '-c', "CREATE TABLE t (id INT PRIMARY KEY, tags VARCHAR[], place STRUCT(x DOUBLE, who VARCHAR), "
        "n MAP(VARCHAR, INTEGER), big HUGEINT, kind ENUM ('a', 'b'), span INTERVAL)", '-c',
        "INSERT INTO t VALUES (1, ['x', NULL], {'x': 1.5, 'who': 'me'}, MAP {'k': 1}, 12345678901234567890123, 'b', "
        "INTERVAL '1 month 2 days'), (2, NULL, NULL, NULL, NULL, NULL, NULL), (3, [], {'x': NULL, 'who': NULL}, "
        "MAP {}, -1, 'a', INTERVAL '-1 second')")
    before = self.scan('t')
    self.assertEqual(before[0], {'id': 1, 'tags': ['x', None], 'place': {'x': 1.5, 'who': 'me'}, 'n': {'k': 1},
                                 'big': 12345678901234567890123, 'kind': 'b', 'span': '1 month 2 days'})
    self.run_yarrow('flush', self.db, 't')
    self.assertEqual(self.scan('t'), before)
    self.assertEqual(self.scan('t', '--where', 'place.x = 1.5'), before[:1])
    self.run_yarrow(self.db, '-c', 'CREATE TABLE u (id INT PRIMARY KEY, h UHUGEINT, list UHUGEINT[])', '-c',
                    f'INSERT INTO u VALUES (1, {2**128 - 1}, [{2**128 - 1}::UHUGEINT, 0::UHUGEINT])')
    self.assertEqual(self.scan('u'), [{'id': 1, 'h': 2**128 - 1, 'list': [2**128 - 1, 0]}])
    self.run_yarrow('export', self.db, 'u', self.folder / 'u.parquet')
    self.run_yarrow('import', self.db, 'v', self.folder / 'u.parquet', '--primary-key', 'id')
    self.assertEqual(self.scan('v'), [{'id': 1, 'h': str(2**128 - 1), 'list': [str(2**128 - 1), '0']}])
    self.run_yarrow('export', self.db, 't', self.folder / 't.parquet')
    self.run_yarrow('import', self.db, 'copy', self.folder / 't.parquet', '--primary-key', 'id')
    # What Parquet has comes back as it was; the rest is text there.
    query = ("SELECT count(*) FROM t a, copy b WHERE a.id = b.id AND a.tags IS NOT DISTINCT FROM b.tags AND a.place IS NOT "
             "DISTINCT FROM b.place AND a.n IS NOT DISTINCT FROM b.n AND a.big IS NOT DISTINCT FROM b.big::HUGEINT AND "
             "a.kind::VARCHAR IS NOT DISTINCT FROM b.kind AND a.span IS NOT DISTINCT FROM b.span::INTERVAL")
    self.assertEqual(self.run_yarrow(self.db, '--format', 'csv', '-c', query), 'count_star()\n3\n')
    self.run_yarrow('export', self.db, 't', self.folder / 't.jsonl')
    self.assertEqual([json.loads(line) for line in (self.folder / 't.jsonl').read_text().splitlines()], before)

  def test_json(self):
    self.import_table('airlines')
    expected = by_key(read_csv(data_file('airlines')), KEYS['airlines'])
    self.run_yarrow('export', self.db, 'airlines', self.folder / 'a.JSON', '--quiet')
    self.assertEqual(json.loads((self.folder / 'a.JSON').read_text()), expected)
    self.run_yarrow('export', self.db, 'airlines', self.folder / 'a.txt', '--format', 'jsonlines', '--quiet')
    self.assertEqual([json.loads(line) for line in (self.folder / 'a.txt').read_text().splitlines()], expected)

  def test_infinite_dates_and_timestamps(self):
    self.run_yarrow(
        self.db, '-c', 'CREATE TABLE t (id INT PRIMARY KEY, d DATE, t TIMESTAMP, z TIMESTAMPTZ)', '-c',
        "INSERT INTO t VALUES (1, 'infinity', '-infinity', 'infinity'), (2, '-infinity', 'infinity', '-infinity'), "
        "(3, '2024-01-31', '2024-01-31', '2024-01-31 00:00:00+00')")
    query = 'SELECT d, t, z FROM t WHERE id = 1'
    self.assertEqual(self.run_yarrow(self.db, '--format', 'csv', '-c', query),
                     'd,t,z\ninfinity,-infinity,infinity\n')
    before = self.scan('t')
    self.assertEqual(before[1], {'id': 2, 'd': '-infinity', 't': 'infinity', 'z': '-infinity'})
    self.assertEqual(self.scan('t', '--where', "d = DATE 'infinity' AND t < TIMESTAMP '1000-01-01'"), before[:1])
    for name in ('t.csv', 't.parquet'):
      self.run_yarrow('export', self.db, 't', self.folder / name)
      self.run_yarrow('import', self.db, name[2:], self.folder / name, '--primary-key', 'id')
      self.assertEqual(self.scan(name[2:]), before)
      self.assertEqual(self.run_yarrow(self.db, '--format', 'csv', '-c',
                                       f'SELECT count(*) FROM t JOIN {name[2:]} USING (id, d, t, z)'), 'count_star()\n3\n')

  def test_infinite_timestamps_of_a_unit_that_sql_has_not(self):
    file = self.write('t.csv', 'id,z\n1,infinity\n2,-infinity\n3,2024-01-31 00:00:00Z\n')
    self.run_yarrow('import', self.db, 't', file, '--type', 'z=TIMESTAMP_S WITH TIME ZONE', '--primary-key', 'id')
    self.assertEqual(self.run_yarrow(self.db, '--format', 'csv', '-c', 'FROM t'), file.read_text())
    self.run_yarrow(self.db, '-c', "UPDATE t SET z = 'infinity' WHERE id = 3")
    self.assertEqual(self.scan('t', '--where', 'id = 3'), [{'id': 3, 'z': 'infinity'}])

  def test_columns_rows_and_limit(self):
    self.import_table('flights')
    file = self.folder / 'late.csv'
    self.run_yarrow('export', self.db, 'flights', file, '--columns', 'flight,dep_delay', '--where', 'dep_delay > 900',
                    '--limit', '3')
    lines = file.read_text().splitlines()
    self.assertEqual((lines[0], len(lines)), ('flight,dep_delay', 4))
    self.assertTrue(all(float(line.split(',')[1]) > 900 for line in lines[1:]))

  def test_errors_leave_no_file_and_the_old_one_alone(self):
    self.import_table('airlines')
    file = self.write('old.csv', 'old')
    self.assertIn("which format", self.fail_yarrow('export', self.db, 'airlines', self.folder / 'a.xml'))
    self.assertIn('"nope" not found', self.fail_yarrow('export', self.db, 'airlines', file, '--where', 'nope = 1'))
    self.assertIn('no table', self.fail_yarrow('export', self.db, 'nope', file))
    self.assertIn('missing', self.fail_yarrow('export', self.db, 'airlines', self.folder / 'missing' / 'a.csv'))
    self.assertEqual(file.read_text(), 'old')
    self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ['db', 'old.csv'])

  def test_ctrl_c(self):
    self.run_yarrow(self.db, '-c', 'CREATE TABLE t AS SELECT range AS id, repeat(\'x\', 200) AS text FROM range(2000000)')
    process = self.start_yarrow('export', self.db, 't', self.folder / 't.csv')
    while not list(self.folder.glob('t.csv.partial*')):
      self.assertIsNone(process.poll(), 'it was too fast')
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    self.assertEqual((process.returncode, error), (130, b'yarrow: cancelled; nothing was exported\n'))
    self.assertEqual([path.name for path in self.folder.iterdir()], ['db'])


if __name__ == '__main__':
  unittest.main()
