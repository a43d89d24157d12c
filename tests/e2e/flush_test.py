"""yarrow flush and compact: rows in Parquet files answer like others, and survive a kill -9 at any moment."""

import hashlib
import json
import os
import random
import resource
import signal
import subprocess
import time
import unittest

from program import KEYS, SANITIZED, YARROW, ProgramTest


class FlushTest(ProgramTest):

  def sql(self, statement, *options):
    lines = self.run_yarrow(self.db, '--format', 'jsonlines', '-c', statement, *options).splitlines()
    return [json.loads(line) for line in lines]

  def digests(self, db):
    return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in (db / 'cold').rglob('*.parquet'))

  QUESTIONS = (
      'SELECT count(*), sum(distance), min(time_hour), max(tailnum) FROM flights',
      "FROM flights WHERE origin = 'JFK' AND dep_delay > 500 ORDER BY ALL",
      'SELECT carrier, flight FROM flights ORDER BY year, month, day, carrier, flight, origin LIMIT 20',
      'FROM flights WHERE year = 2013 AND month = 7 AND day = 4 AND carrier = \'UA\' ORDER BY ALL',
      'SELECT carrier, count(*), avg(arr_delay) FROM flights GROUP BY ALL ORDER BY ALL',
      'SELECT name, count(*) FROM flights JOIN airlines USING (carrier) WHERE month < 3 GROUP BY ALL ORDER BY ALL',
  )

  @unittest.skipIf(SANITIZED, 'minutes')
  def test_flights_answer_alike(self):
    self.keep_rows_hot()
    for table in ('flights', 'airlines'):
      self.import_table(table)
    before = [self.sql(question) for question in self.QUESTIONS]
    printed = self.run_yarrow('flush', self.db, 'flights', '--max-segment-rows', '100000')
    self.assertRegex(printed, r'^flushed 336,776 rows of flights into 4 files, ')
    self.assertEqual([self.sql(question) for question in self.QUESTIONS], before)
    change = ("UPDATE flights SET dep_delay = 7 WHERE month = 5 AND carrier = 'AA';"
              "DELETE FROM flights WHERE month = 6 AND carrier = 'DL';"
              'BEGIN; DELETE FROM flights; ROLLBACK;'
              'INSERT INTO flights SELECT * REPLACE (2014 AS year) FROM flights WHERE day = 1')
    copy = self.folder / 'hot'
    self.run_yarrow('export', self.db, 'flights', self.folder / 'flights.parquet', '--quiet')
    self.run_yarrow('import', copy, 'flights', self.folder / 'flights.parquet', '--primary-key',
                    ','.join(KEYS['flights']))
    for db in (self.db, copy):
      self.run_yarrow(db, '-c', change)
    everything = ('-c', 'FROM flights ORDER BY ALL', '--format', 'csv')
    changed = self.run_yarrow(copy, *everything)
    self.assertEqual(self.run_yarrow(self.db, *everything), changed)
    self.sql("CALL yarrow_flush('flights')")
    self.assertEqual(self.run_yarrow(self.db, *everything), changed)
    self.assertIn('key (2013, 1, 1', self.fail_yarrow(
        self.db, '-c', 'INSERT INTO flights SELECT * FROM flights WHERE year = 2013 AND month = 1 LIMIT 1'))

  @unittest.skipIf(SANITIZED, 'minutes')
  def test_more_segments_than_files_that_may_be_open(self):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
    self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
    for table in ('hot', 't'):
      self.sql(f"CREATE TABLE {table} (id BIGINT PRIMARY KEY, n INT, v VARCHAR);"
               f"INSERT INTO {table} SELECT i, i % 7, 'row ' || i FROM range(3000) r(i)")
    self.assertEqual(self.sql("CALL yarrow_flush('t', max_segment_rows = 3)")[0]['files'], 1000)
    questions = ('SELECT count(*), sum(n), max(v) FROM {}', 'FROM {} WHERE id IN (5, 777, 2999) ORDER BY ALL',
                 'FROM {} ORDER BY id LIMIT 5 OFFSET 2000', 'FROM {} ORDER BY id DESC LIMIT 5',
                 'SELECT a.v FROM {} a JOIN {} b ON a.id = b.id + 1 WHERE b.n = 3 ORDER BY ALL LIMIT 9',
                 'SELECT n, count(*) FROM {} GROUP BY n ORDER BY n')
    changes = ("UPDATE {} SET n = n + 10 WHERE id % 5 = 0", "DELETE FROM {} WHERE id % 11 = 3",
               "INSERT OR REPLACE INTO {} SELECT i * 100, 1, 'new' FROM range(40) r(i)")
    for change in ('SELECT 1', *changes):
      for table in ('hot', 't'):
        self.sql(change.format(table))
      for question in questions:
        self.assertEqual(self.sql(question.replace('{}', 't')), self.sql(question.replace('{}', 'hot')), question)
    self.assertEqual(self.run_yarrow('scan', self.db, 't'), self.run_yarrow('scan', self.db, 'hot'))
    for table in ('hot', 't'):
      self.run_yarrow('export', self.db, table, self.folder / f'{table}.csv', '--quiet')
    self.assertEqual((self.folder / 't.csv').read_text(), (self.folder / 'hot.csv').read_text())
    self.assertIn('no problems found', self.run_yarrow('check', self.db))
    self.run_yarrow('compact', self.db, 't')
    self.assertLess(len(list((self.db / 'cold').rglob('*.parquet'))), 1200)
    self.assertEqual(self.run_yarrow('scan', self.db, 't'), self.run_yarrow('scan', self.db, 'hot'))

  def test_uuids_are_found_by_value(self):
    some, other = (f'{i}2345678-1234-5678-1234-567812345678' for i in (1, 2))
    self.db.mkdir()
    self.sql(f"CREATE TABLE u (id UUID PRIMARY KEY, v UUID); INSERT INTO u VALUES ('{some}', '{other}'), ('{other}', NULL)")
    questions = [f"v = '{other}'", f"id > '{some}'", f"v IN ('{some}', '{other}')", f"v <> '{some}' OR id = '{other}'"]
    before = [self.run_yarrow('scan', self.db, 'u', '--where', where) for where in questions]
    self.assertIn('(1 row)', before[0])
    self.run_yarrow('flush', self.db, 'u', '--quiet')
    self.assertEqual([self.run_yarrow('scan', self.db, 'u', '--where', where) for where in questions], before)

  def test_repeatable(self):
    for name in ('a', 'b'):
      self.db = self.folder / name
      self.import_table('weather')
      if name == 'b':
        self.run_yarrow(self.db, '-c', "INSERT INTO weather FROM weather ON CONFLICT DO UPDATE SET temp = excluded.temp")
      self.run_yarrow('flush', self.db, 'weather', '--quiet')
    self.assertEqual(len(self.digests(self.folder / 'a')), 1)
    self.assertEqual(self.digests(self.folder / 'a'), self.digests(self.folder / 'b'))

  @unittest.skipIf(SANITIZED, 'minutes')
  def test_compact(self):
    self.run_yarrow(self.db, '-c', "CALL yarrow_set('background_jobs', '0')")
    for table in ('flights', 'airlines'):
      self.import_table(table)
    for month in range(1, 13, 2):
      self.run_yarrow(self.db, '-c', f'UPDATE flights SET dep_delay = dep_delay WHERE month = {month}',
                      '-c', "CALL yarrow_flush('flights')")
    before = [self.sql(question) for question in self.QUESTIONS]
    files = len(self.digests(self.db))
    printed = self.run_yarrow('compact', self.db, 'flights')
    self.assertRegex(printed, fr'^compacted {files} files of flights into \d files?: wrote [\d,]+ rows, [\d,]+ bytes, in ')
    self.assertEqual([self.sql(question) for question in self.QUESTIONS], before)
    self.assertGreater(len(self.digests(self.db)), files, 'old files stay for 7 days')
    printed = self.run_yarrow('compact', self.db, 'flights', '--full', '--max-segment-rows', '100000', '--keep-old', '0')
    self.assertIn('into 4 files: wrote 336,776 rows', printed)
    self.assertEqual(len(self.digests(self.db)), 4)
    self.assertEqual([self.sql(question) for question in self.QUESTIONS], before)
    self.assertEqual(self.run_yarrow('compact', self.db, 'flights', '--max-segment-rows', '100000'),
                     'nothing to merge in the 4 files of flights\n')
    # The same rows, flushed once, are the same bytes.
    copy = self.folder / 'copy'
    self.run_yarrow('export', self.db, 'flights', self.folder / 'flights.parquet', '--quiet')
    self.run_yarrow('import', copy, 'flights', self.folder / 'flights.parquet', '--primary-key',
                    ','.join(KEYS['flights']))
    self.run_yarrow('flush', copy, 'flights', '--quiet')
    self.run_yarrow('compact', copy, 'flights', '--full', '--max-segment-rows', '100000', '--keep-old', '0', '--quiet')
    self.assertEqual(self.digests(copy), self.digests(self.db))

  def test_errors(self):
    self.run_yarrow(self.db, '-c', 'CREATE SCHEMA s', '-c', 'CREATE TABLE s.t (a INT)')
    self.assertIn('no table', self.fail_yarrow('flush', self.db, 'nope'))
    self.assertIn('lookup', self.fail_yarrow(self.db, '-c', "CALL yarrow_flush('s.t', optimize_for = 'x')"))
    self.assertIn('system.tables', self.fail_yarrow(self.db, '-c', "CALL yarrow_flush('db.system.tables')"))
    self.assertEqual(self.sql("CALL yarrow_flush('db.s.t')"), [{'rows': 0, 'bytes': 0, 'files': 0}])

  def test_kill_while_flushing(self):
    # Each round a process writes, flushes and says so; it is killed somewhere in between. What it said must be there.
    self.run_yarrow(self.db, '-c', 'CREATE TABLE t (id BIGINT PRIMARY KEY, round BIGINT, text VARCHAR)')
    seed = int(os.environ.get('YARROW_SEED', '20261127'))
    chance = random.Random(seed)
    for number in range(6 * int(os.environ.get('YARROW_ROUNDS', '1'))):
      first = number * 2000
      script = (f"INSERT INTO t SELECT range, {number}, repeat('x', 100) FROM range({first}, {first + 2000});"
                f"SELECT 'inserted' AS said;"
                f'UPDATE t SET round = {number} WHERE id % 7 = {number % 7};'
                f"DELETE FROM t WHERE id % 1000 = {number};"
                f"SELECT 'changed' AS said;"
                f"CALL yarrow_flush('t', max_segment_rows = 3000);"
                f"SELECT 'flushed' AS said;"
                f'UPDATE t SET text = \'y\' WHERE id % 11 = {number % 11};')
      before = self.sql('SELECT count(*) AS n, sum(round) AS r FROM t')[0]
      process = self.start_yarrow(self.db, '--format', 'csv', stdin=subprocess.PIPE)
      process.stdin.write(script.encode())
      process.stdin.close()
      time.sleep(chance.random() * 0.6)
      process.send_signal(signal.SIGKILL)
      said = process.stdout.read().decode()
      process.wait()
      with self.subTest(seed=seed, round=number, said=said):
        rows = self.sql('FROM t ORDER BY id')
        self.assertEqual(len({row['id'] for row in rows}), len(rows), 'a key is there twice')
        self.assertEqual(len(rows), self.sql('SELECT count(*) AS n FROM t')[0]['n'])
        mine = [row for row in rows if row['id'] >= first]
        self.assertIn(len(mine), (0, 1998, 2000))
        if 'inserted' in said:
          self.assertGreaterEqual(len(mine), 1998)
        if 'changed' in said:
          self.assertTrue(all(row['round'] == number for row in rows if row['id'] % 7 == number % 7))
          self.assertFalse([row for row in rows if row['id'] % 1000 == number])
        if not mine:
          self.assertEqual(self.sql('SELECT count(*) AS n, sum(round) AS r FROM t')[0], before)
          self.sql(f"INSERT INTO t SELECT range, {number}, 'z' FROM range({first}, {first + 2000})")

  def test_kill_while_compacting(self):
    # Each round a process flushes and compacts small changes and says what it did; it is killed somewhere in between.
    self.run_yarrow(self.db, '-c', 'CREATE TABLE t (id BIGINT PRIMARY KEY, round BIGINT, text VARCHAR);'
                    "INSERT INTO t SELECT range, -1, repeat('x', 100) FROM range(20000)")
    self.run_yarrow('compact', self.db, 't', '--keep-old', '0')
    seed = int(os.environ.get('YARROW_SEED', '20261128'))
    chance = random.Random(seed)
    for number in range(6 * int(os.environ.get('YARROW_ROUNDS', '1'))):
      steps = []
      for part in range(4):
        steps.append(f'UPDATE t SET round = {number} WHERE id % 40 = {number % 10 * 4 + part};'
                     f"SELECT 'updated {part}' AS said;"
                     f"CALL yarrow_flush('t', max_segment_rows = 3000);"
                     f"""CALL yarrow_compact('t', "full" = {part % 2 == 1}, max_segment_rows = 7000);""")
      process = self.start_yarrow(self.db, '--format', 'csv', stdin=subprocess.PIPE)
      process.stdin.write((''.join(steps)).encode())
      process.stdin.close()
      time.sleep(0.05 + chance.random() * 0.9)
      process.send_signal(signal.SIGKILL)
      said = process.stdout.read().decode()
      process.wait()
      with self.subTest(seed=seed, round=number, said=said):
        self.assertEqual(self.sql('SELECT count(*) AS n, count(DISTINCT id) AS d, sum(id) AS s FROM t'),
                         [{'n': 20000, 'd': 20000, 's': 19999 * 10000}])
        for part in range(4):
          mine = self.sql(f'SELECT count(*) AS n FROM t WHERE id % 40 = {number % 10 * 4 + part} AND round = {number}')
          self.assertIn(mine[0]['n'], (500,) if f'updated {part}' in said else (0, 500))
        self.assertEqual(self.sql("SELECT count(*) AS n FROM db.system.jobs WHERE state = 'running'")[0]['n'], 0)
    self.run_yarrow('flush', self.db, 't', '--quiet')
    self.run_yarrow('compact', self.db, 't', '--full', '--quiet')
    self.assertEqual(len(self.digests(self.db)), 1, 'an orphan')
    self.assertEqual(self.sql('SELECT count(*) AS n, sum(id) AS s FROM t'), [{'n': 20000, 's': 19999 * 10000}])

  PAUSE = 'SELECT count(*) AS waited FROM range(20000000);'

  def test_kill_while_the_background_is_at_work(self):
    # A table that flushes, compacts and expires by itself; the process is killed at some moment, again and again.
    self.run_yarrow(self.db, '-c', "CREATE TABLE t (id BIGINT PRIMARY KEY, seen TIMESTAMP, text VARCHAR) WITH (flush_rows = 3000, "
                    "ttl_column = 'seen', ttl = '1 hour'); CALL yarrow_set('deleted_file_retention', '0')")
    seed = int(os.environ.get('YARROW_SEED', '20261129'))
    chance = random.Random(seed)
    acknowledged = set()
    for number in range(4 * int(os.environ.get("YARROW_ROUNDS", "1"))):
      process = self.start_yarrow(self.db, '--format', 'csv', stdin=subprocess.PIPE)
      script = []
      for part in range(12):
        first = (number * 12 + part) * 1000
        script.append(f"INSERT INTO t SELECT range, CASE WHEN range % 5 = 0 THEN TIMESTAMP '2020-01-01' ELSE NULL END, "
                      f"repeat('x', 200) FROM range({first}, {first + 1000}); SELECT 'in {first}' AS said;")
      process.stdin.write((''.join(script) + self.PAUSE * 40).encode())
      process.stdin.close()
      said = process.stdout.readline().decode() + process.stdout.readline().decode()  # it is at work by now
      time.sleep(0.1 + chance.random() * 0.9)
      process.send_signal(signal.SIGKILL)
      said += process.stdout.read().decode()
      process.wait()
      acknowledged.update(int(line[3:]) for line in said.splitlines() if line.startswith('in '))
      with self.subTest(seed=seed, round=number, said=said):
        rows = self.sql('SELECT id FROM t WHERE seen IS NULL ORDER BY id')
        batches = sorted({row['id'] // 1000 * 1000 for row in rows})
        self.assertEqual([row['id'] for row in rows], [first + i for first in batches for i in range(1000) if i % 5 > 0])
        self.assertLessEqual(acknowledged, set(batches))
        # A batch whose commit was not told may be there; from then on it is as good as told.
        acknowledged.update(batches)
        self.assertEqual(self.run_yarrow('check', self.db, '--quiet').strip(), '')
    self.assertEqual(self.sql("SELECT count(*) AS n FROM db.system.jobs WHERE state IN ('running', 'queued')")[0]['n'], 0)
    # Left to itself it does all there is to do.
    process = self.start_yarrow(self.db, '--format', 'csv', stdin=subprocess.PIPE)
    process.stdin.write(("SELECT 'due ' || count(seen) || ' ' || (SELECT any_value(state) FROM db.system.jobs "
                         "WHERE kind = 'flush' AND state = 'completed') AS said FROM t;" + self.PAUSE).encode() * 1000)
    process.stdin.close()
    self.assertTrue(any(line == b'due 0 completed\n' for line in process.stdout), 'rows did not expire or move')


if __name__ == '__main__':
  unittest.main()
