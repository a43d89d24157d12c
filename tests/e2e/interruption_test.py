"""Sudden ends: kill -9, Ctrl-C, closed pipes, full disks, two processes at once."""

import os
import signal
import subprocess
import time
import unittest

from program import KEYS, SANITIZED, YARROW, ProgramTest, data_file

FLIGHTS = 336776
# The same file several times, each replacing the rows of the one before: an import that takes a while.
LONG_IMPORT = [data_file('flights')] * (1 if SANITIZED else 3) + ['--primary-key', ','.join(KEYS['flights']), '--mode', 'upsert']


class KillTest(ProgramTest):

  def whole_or_nothing(self):
    """Rows of the table after the program was killed."""
    if not self.db.exists() or not any(self.db.iterdir()):
      return None
    listed = subprocess.run([YARROW, 'tables', self.db], capture_output=True, check=False)
    if listed.returncode != 0:
      # Killed before there was a database.
      self.assertIn(b'there is no database', listed.stderr)
      return None
    rows = self.row_count('flights')
    self.assertIn(rows, (None, FLIGHTS))
    return rows

  def test_killed_at_any_moment(self):
    start = time.monotonic()
    self.run_yarrow('import', self.folder / 'measure', 'flights', *LONG_IMPORT)
    duration = time.monotonic() - start
    cut_short = 0
    for step in range(2 if SANITIZED else 5):
      process = self.start_yarrow('import', self.db, 'flights', *LONG_IMPORT)
      time.sleep(duration * (step + 1) / (3 if SANITIZED else 6))
      process.kill()
      process.wait()
      cut_short += self.whole_or_nothing() != FLIGHTS
    self.assertGreater(cut_short, 0, 'no import was killed in time')
    self.run_yarrow('import', self.db, 'flights', *LONG_IMPORT)
    self.assertEqual(self.row_count('flights'), FLIGHTS)
    self.assertEqual(list((self.db / 'tmp').iterdir()), [], 'files of killed imports are left')

  def test_killed_beside_other_rows(self):
    self.import_table('airlines')
    self.run_yarrow('import', self.db, 'flights', *LONG_IMPORT)
    for pause in (0.3, 0.9, 1.5):
      process = self.start_yarrow('import', self.db, 'flights', *LONG_IMPORT)
      time.sleep(pause)
      process.kill()
      process.wait()
      self.assertEqual(self.row_count('airlines'), 16)
      self.assertEqual(self.row_count('flights'), FLIGHTS)

  def test_what_was_acknowledged_stays(self):
    for durability in ('sync', 'os'):
      self.db = self.folder / durability
      process = self.start_yarrow('import', self.db, 'flights', data_file('flights'), '--primary-key',
                                  ','.join(KEYS['flights']), '--durability', durability)
      self.assertIn(b'imported 336,776 rows', process.stdout.readline())
      process.kill()
      process.wait()
      self.assertEqual(self.row_count('flights'), FLIGHTS)


class SignalTest(ProgramTest):

  def test_ctrl_c_during_import(self):
    for number in (signal.SIGINT, signal.SIGTERM):
      process = self.start_yarrow('import', self.db, 'flights', *LONG_IMPORT)
      self.send_when_awaited(process, number)
      out, error = process.communicate(timeout=60)
      self.assertEqual((process.returncode, out), (128 + number, b''))
      self.assertEqual(error, b'yarrow: cancelled; nothing was imported\n')
      self.assertFalse(self.db.exists())

  def test_ctrl_c_during_import_into_a_database(self):
    self.import_table('airlines')
    process = self.start_yarrow('import', self.db, 'flights', *LONG_IMPORT)
    deadline = time.monotonic() + 60
    while not list(self.db.glob('tmp/*')) and time.monotonic() < deadline:
      time.sleep(0.01)  # until rows are being loaded
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    self.assertEqual(process.returncode, 130)
    self.assertEqual((self.row_count('airlines'), self.row_count('flights')), (16, None))

  def test_ctrl_c_during_scan(self):
    self.import_table('flights')
    process = self.start_yarrow('scan', self.db, 'flights', '--format', 'csv')
    process.stdout.read(1000)
    time.sleep(0.3)  # the program waits for the pipe to be read
    process.send_signal(signal.SIGINT)
    process.wait(timeout=10)
    self.assertEqual(process.returncode, 130)
    self.assertEqual(process.stderr.read(), b'yarrow: cancelled\n')

  def test_ignored_signals_stay_ignored(self):
    process = subprocess.Popen(['sh', '-c', 'trap "" INT; exec "$@"', 'sh', YARROW, 'import', self.db, 'flights',
                                *map(str, LONG_IMPORT)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    self.addCleanup(self.end, process)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=300)
    self.assertEqual(process.returncode, 0)
    self.assertIn(b'imported', out)


class OutputTest(ProgramTest):

  def test_closed_pipe(self):
    self.import_table('flights')
    for output in ('csv', 'jsonlines', 'table'):
      process = self.start_yarrow('scan', self.db, 'flights', '--format', output)
      process.stdout.readline()
      process.stdout.close()
      self.assertEqual(process.wait(timeout=30), 141)
      self.assertEqual(process.stderr.read(), b'')
      process.stdout = open(os.devnull, 'rb')  # pylint: disable=consider-using-with

  def test_full_disk(self):
    self.import_table('airlines')
    with open('/dev/full', 'wb') as full:
      done = subprocess.run([YARROW, 'scan', self.db, 'airlines'], stdout=full, stderr=subprocess.PIPE, check=False)
    self.assertEqual(done.returncode, 1)
    self.assertIn(b'cannot write to standard output', done.stderr)


class LockTest(ProgramTest):

  def test_a_locked_database_names_who_has_it(self):
    self.import_table('flights')
    holder = self.start_yarrow('scan', self.db, 'flights', '--format', 'csv')
    holder.stdout.read(1000)
    self.assertIn(str(holder.pid), self.fail_yarrow('tables', self.db))
    self.assertIn(str(holder.pid), self.fail_yarrow('import', self.db, 'airlines', data_file('airlines')))
    holder.stdout.read()
    self.assertEqual(holder.wait(timeout=60), 0)
    self.run_yarrow('tables', self.db)


if __name__ == '__main__':
  unittest.main()
