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


if __name__ == '__main__':
  unittest.main()
