"""Sudden ends: kill -9, Ctrl-C, closed pipes, full disks, two processes at once."""

import os
import signal
import subprocess
import threading
import time
import unittest

from program import KEYS, SANITIZED, YARROW, ProgramTest, data_file

FLIGHTS = 336776
# The same file several times, each replacing the rows of the one before: an import that takes a while.
LONG_IMPORT = [data_file('flights')] * (1 if SANITIZED else 3) + ['--primary-key', ','.join(KEYS['flights']), '--mode', 'upsert',
                                                                   '--null', 'NA']


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

  @unittest.skipIf(SANITIZED, 'minutes')
  def test_killed_at_any_moment(self):
    start = time.monotonic()
    self.run_yarrow('import', self.folder / 'measure', 'flights', *LONG_IMPORT)
    duration = time.monotonic() - start
    cut_short = 0
    for step in range(5):
      process = self.start_yarrow('import', self.db, 'flights', *LONG_IMPORT)
      time.sleep(duration * (step + 1) / 6)
      process.kill()
      process.wait()
      cut_short += self.whole_or_nothing() != FLIGHTS
    self.assertGreater(cut_short, 0, 'no import was killed in time')
    self.run_yarrow('import', self.db, 'flights', *LONG_IMPORT)
    self.assertEqual(self.row_count('flights'), FLIGHTS)
    self.assertEqual(list((self.db / 'tmp').iterdir()), [], 'files of killed imports are left')

  @unittest.skipIf(SANITIZED, 'minutes')
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

  def test_killed_between_truncations(self):
    """All rows are there, or none; of both tiers."""
    fill = 'INSERT INTO t SELECT i, md5(i::VARCHAR) FROM range(150000) r(i); INSERT INTO t SELECT -i, NULL FROM range(1, 101) r(i);'
    self.run_yarrow(self.db, '-c', "CREATE TABLE t (id BIGINT PRIMARY KEY, v VARCHAR); CALL yarrow_set('deleted_file_retention', 0)")
    script = f'BEGIN; {fill} COMMIT; DELETE FROM t WHERE id % 1000 = 0; TRUNCATE t;' * 200
    for pause in (0.6, 0.9, 1.3, 1.7):
      self.run_yarrow(self.db, '-c', 'TRUNCATE t')
      process = self.start_yarrow(self.db, '-c', script)
      time.sleep(pause)
      process.kill()
      process.wait()
      rows = self.row_count('t')
      self.assertIn(rows, (0, 150_100, 150_100 - 150))
      self.run_yarrow('check', self.db)

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

  def test_ctrl_c_while_standard_input_is_awaited(self):
    process = self.start_yarrow('import', self.db, 't', '-', stdin=subprocess.PIPE)
    self.addCleanup(process.stdin.close)
    process.stdin.write(b'a\n1\n')
    process.stdin.flush()
    self.send_when_awaited(process, signal.SIGINT)
    self.assertEqual(process.wait(timeout=60), 130)
    self.assertEqual(process.stderr.read(), b'yarrow: cancelled; nothing was imported\n')
    self.assertEqual(list(self.folder.iterdir()), [])

  def test_ctrl_c_during_import_into_a_database(self):
    self.import_table('airlines')
    process = self.start_yarrow('import', self.db, 'flights', *LONG_IMPORT)
    deadline = time.monotonic() + 60
    while not [*self.db.glob('tmp/*'), *self.db.glob('cold/*/*')] and time.monotonic() < deadline:
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


class ScriptSignalTest(ProgramTest):
  """A signal while the program waits for statements."""

  def check_end(self, process, number):
    self.send_when_awaited(process, number)
    start = time.monotonic()
    self.assertEqual(process.wait(timeout=30), 128 + number)
    self.assertLess(time.monotonic() - start, 10)
    self.assertEqual(process.stderr.read(), b'yarrow: cancelled\n')

  def test_standard_input_is_a_pipe(self):
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
      process = self.start_yarrow(self.db, '--format', 'csv', stdin=subprocess.PIPE)
      process.stdin.write(b'CREATE TABLE IF NOT EXISTS t (id BIGINT PRIMARY KEY);\nINSERT OR IGNORE INTO t VALUES (1);\n'
                          b'SELECT 42 AS a;\nSELECT')
      process.stdin.flush()
      self.assertEqual((process.stdout.readline(), process.stdout.readline()), (b'a\n', b'42\n'))
      self.check_end(process, number)
      process.stdin.close()
      self.assertEqual(self.run_yarrow(self.db, '--format', 'csv', '-c', 'FROM t'), 'id\n1\n')

  def test_a_file_is_a_pipe(self):
    fifo = self.folder / 'fifo'
    os.mkfifo(fifo)
    process = self.start_yarrow(self.db, '-f', fifo)  # to which nobody writes
    self.check_end(process, signal.SIGTERM)
    process = self.start_yarrow(self.db, '-f', fifo)
    with open(fifo, 'wb', buffering=0) as script:
      script.write(b'CREATE TABLE u (id BIGINT PRIMARY KEY);\n')
      self.check_end(process, signal.SIGHUP)
    self.assertIn('u', self.run_yarrow('tables', self.db))

  def test_between_statements(self):
    script = self.write('script.sql', 'SELECT 1;\n' * 2_000_000)
    with open(script, 'rb') as statements:
      process = self.start_yarrow(self.db, '--format', 'csv', stdin=statements)
      reader = threading.Thread(target=process.stdout.read)
      reader.start()
      self.check_end(process, signal.SIGTERM)
      reader.join()

  def test_whole_scripts_are_read(self):
    process = self.start_yarrow(self.db, '--format', 'csv', stdin=subprocess.PIPE)
    out, error = process.communicate(b'SELECT 1 AS a;\n' * 5000 + b"SELECT 'no newline' AS b", timeout=300)
    self.assertEqual((process.returncode, error), (0, b''))
    self.assertEqual(out, b'a\n1\n' * 5000 + b'b\nno newline\n')


class ClosedDescriptorTest(ProgramTest):
  """What would be printed must not go into a file of the database."""

  def run_without(self, redirections, *arguments):
    command = f'exec "$@" {redirections}'
    return subprocess.run(['sh', '-c', command, 'sh', YARROW, *map(str, arguments)], capture_output=True, timeout=300,
                          check=False)

  def texts_below(self):
    return b''.join(path.read_bytes() for path in self.db.rglob('LOG*'))

  def test_no_row_goes_into_the_database(self):
    self.import_table('airlines')
    for redirections in ('>&-', '<&- >&-', '<&- >&- 2>&-', '>&- 2>&-'):
      for arguments in (['scan', self.db, 'airlines'], [self.db, '-c', 'FROM airlines'], ['check', self.db]):
        done = self.run_without(redirections, *arguments)
        self.assertEqual(done.returncode, 1, (redirections, arguments))
        self.assertEqual(done.stdout, b'')
        if '2>' not in redirections:
          self.assertIn(b'cannot write to standard output', done.stderr)
        self.assertNotIn(b'Endeavor', self.texts_below())
    self.assertEqual(self.row_count('airlines'), 16)

  def test_errors_neither(self):
    self.import_table('airlines')
    done = self.run_without('2>&-', self.db, '-c', 'SELECT nothing_like_that')
    self.assertEqual(done.returncode, 1)
    self.assertNotIn(b'nothing_like_that', self.texts_below())

  def test_a_closed_input_is_no_script(self):
    done = self.run_without('<&-', self.db.parent / 'new')
    self.assertEqual(done.returncode, 1)
    self.assertIn(b'cannot read the script', done.stderr)


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
    (self.db / 'hot' / 'LOCK').unlink()
    self.assertIn(str(holder.pid), self.fail_yarrow('tables', self.db))
    holder.stdout.read()
    self.assertEqual(holder.wait(timeout=60), 0)
    self.run_yarrow('tables', self.db)


if __name__ == '__main__':
  unittest.main()
