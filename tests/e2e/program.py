"""Runs the program under test (YARROW_BIN) on the tables of YARROW_DATA."""

import csv
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

YARROW = os.environ['YARROW_BIN']
DATA = pathlib.Path(os.environ['YARROW_DATA'])
SANITIZED = bool(os.environ.get('YARROW_SANITIZED'))  # several times as slow

# The primary keys of the five tables; no two rows share one.
KEYS = {
    'airlines': ['carrier'],
    'airports': ['faa'],
    'flights': ['year', 'month', 'day', 'carrier', 'flight', 'origin'],
    'planes': ['tailnum'],
    'weather': ['origin', 'time_hour'],
}


def data_file(table):
  path = DATA / f'{table}.csv'
  if not path.is_file():
    raise FileNotFoundError(f'{path} is missing: run scripts/deps --data')
  return path


def read_csv(path):
  """Rows as dicts of text; None for what import_table takes for NULL."""
  with open(path, newline='', encoding='utf-8') as file:
    return [{name: None if cell in ('', 'NA', 'NULL') else cell for name, cell in row.items()}
            for row in csv.DictReader(file)]


def typed(rows, types):
  """The same rows with numbers as numbers and instants as yarrow writes them; by the types that `yarrow schema` tells."""
  convert = {
      'BIGINT': int,
      'DOUBLE': float,
      'VARCHAR': str,
      'BOOLEAN': lambda cell: cell == 'true',
      'TIMESTAMP WITH TIME ZONE': lambda cell: cell.replace('T', ' '),
  }
  return [{name: None if cell is None else convert[types[name]](cell) for name, cell in row.items()} for row in rows]


def by_key(rows, key):
  return sorted(rows, key=lambda row: [row[name] for name in key])


class ProgramTest(unittest.TestCase):
  """Each test has a folder of its own."""

  maxDiff = 2000

  def setUp(self):
    self.folder = pathlib.Path(tempfile.mkdtemp(prefix='yarrow_e2e_'))
    self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
    self.db = self.folder / 'db'

  def write(self, name, content):
    path = self.folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path

  def run_yarrow(self, *arguments, code=0):
    """Standard output; fails unless the program ends with that exit code."""
    done = subprocess.run([YARROW, *map(str, arguments)], capture_output=True, timeout=300, check=False)
    self.assertEqual(done.returncode, code, f'{arguments}: {done.stderr.decode()}')
    if code == 0:
      self.assertEqual(done.stderr, b'', arguments)
    return done.stdout.decode()

  def fail_yarrow(self, *arguments, code=1):
    """The message of an error, without the program's name."""
    done = subprocess.run([YARROW, *map(str, arguments)], capture_output=True, timeout=300, check=False)
    message = done.stderr.decode()
    self.assertEqual(done.returncode, code, f'{arguments}: {message}')
    self.assertTrue(message.startswith('yarrow: '), message)
    self.assertEqual(message.count('\n'), 1, message)
    self.assertEqual(done.stdout, b'', arguments)
    return message[len('yarrow: '):].rstrip('\n')

  def start_yarrow(self, *arguments, **options):
    process = subprocess.Popen([YARROW, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               preexec_fn=ProgramTest.heed_signals, **options)
    self.addCleanup(self.end, process)
    return process

  @staticmethod
  def heed_signals():
    """A runner of tests may ignore them, and the program would inherit that."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
      signal.signal(number, signal.SIG_DFL)

  @staticmethod
  def send_when_awaited(process, number):
    """Sends a signal a little after the program has begun to await it, however slow the machine is."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
      status = pathlib.Path(f'/proc/{process.pid}/status').read_text()
      if int(re.search(r'SigBlk:\s*(\w+)', status)[1], 16) >> (number - 1) & 1:
        break  # a thread of its own waits for it
      time.sleep(0.01)
    time.sleep(0.5)
    process.send_signal(number)

  @staticmethod
  def end(process):
    if process.poll() is None:
      process.kill()
    process.wait()
    process.stdout.close()
    process.stderr.close()

  def keep_rows_hot(self):
    """Imports of many rows write segments otherwise."""
    self.run_yarrow(self.db, '-c', "CALL yarrow_set('rows_to_segment', '0')")

  def import_table(self, table, *options):
    return self.run_yarrow('import', self.db, table, data_file(table), '--primary-key', ','.join(KEYS[table]), '--null', 'NA',
                           *options)

  def scan(self, table, *options):
    """Rows as dicts, in the order of the scan."""
    lines = self.run_yarrow('scan', self.db, table, '--format', 'jsonlines', *options).splitlines()
    return [json.loads(line) for line in lines]

  def types(self, table):
    rows = [json.loads(line)
            for line in self.run_yarrow('schema', self.db, table, '--format', 'jsonlines').splitlines()]
    return {row['column']: row['type'] for row in rows}

  def row_count(self, table, *options):
    rows = [json.loads(line)
            for line in self.run_yarrow('tables', self.db, '--count', '--format', 'jsonlines', *options).splitlines()]
    return {row['name']: row['rows'] for row in rows}.get(table)
