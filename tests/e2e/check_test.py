"""yarrow check: says nothing against a sound database, and what is wrong with one that is not."""

import subprocess
import unittest

from program import YARROW, ProgramTest


class CheckTest(ProgramTest):

  def test_sound_and_damaged(self):
    self.import_table('weather')
    self.import_table('airlines')
    self.assertEqual(self.run_yarrow('check', self.db),
                     'main.airlines: 16 rows, 0 segments of 0 bytes\n'
                     'main.weather: 26,115 rows, 0 segments of 0 bytes\nno problems found\n')
    self.run_yarrow('flush', self.db, 'weather', '--max-segment-rows', '10000', '--quiet')
    self.run_yarrow(self.db, '-c', "DELETE FROM weather WHERE origin = 'JFK' AND temp > 80")
    printed = self.run_yarrow('check', self.db)
    self.assertRegex(printed, r'main\.weather: [0-9,]+ rows, 3 segments of [0-9,]+ bytes\n')
    self.assertTrue(printed.endswith('no problems found\n'))
    self.assertEqual(self.run_yarrow('check', self.db, '--quiet'), '')

    path = sorted((self.db / 'cold').rglob('*.parquet'))[1]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    done = subprocess.run([YARROW, 'check', self.db], capture_output=True, check=False)
    self.assertEqual(done.returncode, 1)
    self.assertIn(str(path).encode(), done.stdout)
    self.assertIn(b'1 problem found', done.stderr)

    # By SQL, who needs that segment is told of it, and all others go on.
    for sql in ('SELECT max(weather) FROM weather', 'UPDATE weather SET temp = temp + 1', 'CREATE TABLE w AS FROM weather'):
      done = subprocess.run([YARROW, self.db, '-c', sql], capture_output=True, check=False)
      self.assertEqual(done.returncode, 1)
      self.assertIn(str(path).encode(), done.stderr)
    self.assertEqual(self.run_yarrow(self.db, '--format', 'csv', '-c', 'SELECT count(*) FROM airlines'), 'count_star()\n16\n')

  def test_a_damaged_log_with_segments_is_salvaged(self):
    def rows(first):
      return f"INSERT INTO t SELECT i, 'row ' || i FROM range({first}, {first + 50}) r(i)"
    flush = "CALL yarrow_flush('t')"
    self.run_yarrow(self.db, '-c', f'CREATE TABLE t (id BIGINT PRIMARY KEY, v VARCHAR); {rows(0)}; {flush}')
    self.run_yarrow(self.db, '-c', f'{rows(50)}; {flush}; {rows(100)}')
    self.assertEqual(len(list((self.db / 'cold').rglob('*.parquet'))), 2)
    log = max((self.db / 'hot').glob('*.log'))
    content = bytearray(log.read_bytes())
    content[40] ^= 1
    log.write_bytes(bytes(content))

    def count():
      return self.run_yarrow(self.db, '--format', 'csv', '-c', 'SELECT count(*), max(id) FROM t')

    done = subprocess.run([YARROW, self.db, '-c', 'FROM t'], capture_output=True, check=False)
    self.assertEqual(done.returncode, 1)
    self.assertIn(log.name.encode(), done.stderr)
    self.assertEqual(len(list((self.db / 'cold').rglob('*.parquet'))), 2)
    self.assertIn(log.name, self.run_yarrow('check', self.db, '--salvage'))
    self.assertEqual(count(), 'count_star(),max(id)\n50,49\n')
    # The segment of the second flush is named by nothing any more, and kept.
    self.assertEqual(len(list((self.db / 'cold').rglob('*.parquet'))), 1)
    self.assertEqual(len(list((self.db / 'salvaged').rglob('*.parquet'))), 1)
    self.run_yarrow(self.db, '-c', f'{rows(200)}; {flush}; {rows(300)}')
    self.assertEqual(count(), 'count_star(),max(id)\n150,349\n')
    self.assertTrue(self.run_yarrow('check', self.db).endswith('no problems found\n'))
    self.assertEqual(len(list((self.db / 'salvaged').rglob('*.parquet'))), 1)


if __name__ == '__main__':
  unittest.main()
