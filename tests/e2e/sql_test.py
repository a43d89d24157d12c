"""SQL through the program: yarrow DIR -c, -f and standard input."""

import json
import signal
import subprocess
import unittest

from program import KEYS, YARROW, ProgramTest, read_csv, data_file


class SqlTest(ProgramTest):

  def sql(self, statement, *options):
    """Rows as dicts."""
    lines = self.run_yarrow(self.db, '--format', 'jsonlines', '-c', statement, *options).splitlines()
    return [json.loads(line) for line in lines]

  def test_five_tables_in_one_query(self):
    for table in KEYS:
      self.import_table(table)
    rows = self.sql("""
        SELECT a.name, count(*) AS flights FROM flights f
        JOIN airlines a USING (carrier) JOIN planes p USING (tailnum) JOIN airports d ON f.dest = d.faa
        JOIN weather w ON w.origin = f.origin AND w.time_hour = f.time_hour
        WHERE p.seats > 300 GROUP BY a.name ORDER BY flights DESC, a.name""")
    airlines = {row['carrier']: row['name'] for row in read_csv(data_file('airlines'))}
    large = {row['tailnum'] for row in read_csv(data_file('planes')) if int(row['seats']) > 300}
    airports = {row['faa'] for row in read_csv(data_file('airports'))}
    weather = {(row['origin'], row['time_hour']) for row in read_csv(data_file('weather'))}
    counts = {}
    for row in read_csv(data_file('flights')):
      if row['tailnum'] in large and row['dest'] in airports and (row['origin'], row['time_hour']) in weather:
        name = airlines[row['carrier']]
        counts[name] = counts.get(name, 0) + 1
    expected = sorted(({'name': name, 'flights': count} for name, count in counts.items()),
                      key=lambda row: (-row['flights'], row['name']))
    self.assertGreater(len(expected), 2)
    self.assertEqual(rows, expected)

  def test_scripts_run_until_one_statement_fails(self):
    script = self.write('script.sql', "CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2);\n"
                        "INSERT INTO t VALUES (3), (1); INSERT INTO t VALUES (4)")
    self.db.mkdir()
    self.assertIn('key (1)', self.fail_yarrow(self.db, '-f', script))
    self.assertEqual(self.sql('FROM t'), [{'id': 1}, {'id': 2}])
    done = subprocess.run([YARROW, self.db, '--format', 'csv'], input=b'SELECT count(*) AS n FROM t; SELECT 7 AS x',
                          capture_output=True, check=True)
    self.assertEqual(done.stdout, b'n\n2\nx\n7\n')
    self.assertEqual(self.run_yarrow('sql', self.db, '-c', 'DELETE FROM t', '-c', 'SELECT count(*) AS n FROM t'),
                     ' n\n---\n 0\n(1 row)\n')

  def test_errors(self):
    self.db.mkdir()
    for statement, message in (('SELEC 1', 'syntax error'), ('SELECT * FROM nope', 'nope does not exist'),
                               ("SELECT 'x'::INT", "Could not convert string 'x' to INT32")):
      done = subprocess.run([YARROW, self.db, '-c', statement], capture_output=True, check=False)
      self.assertEqual((done.returncode, done.stdout), (1, b''))
      self.assertIn(message, done.stderr.decode())
    self.assertIn("cannot open", self.fail_yarrow(self.db, '-f', self.folder / 'none.sql'))

  def test_types_that_arrow_has_not_are_text(self):
    self.db.mkdir()
    self.assertEqual(self.sql("SELECT [1, 2] AS l, {'a': 1} AS s, INTERVAL 3 DAY AS i, NULL AS n"),
                     [{'l': [1, 2], 's': {'a': 1}, 'i': '3 days', 'n': None}])

  def test_settings_of_arrow_change_no_cell(self):
    self.db.mkdir()
    query = ("SELECT 'abc' AS x, 'a longer text than twelve bytes' AS y, 1.5::DECIMAL(4,1) AS d, 1.25::DECIMAL(18,2) AS e, "
             "'00112233-4455-6677-8899-aabbccddeeff'::UUID AS u, 'ABC'::BLOB AS b, [1, 2] AS l, 7::HUGEINT AS h, "
             "TIMESTAMPTZ '2024-01-31 10:00:00+02' AS z, TIME '01:02:03' AS t, 'a'::ENUM('a', 'b') AS k")
    expected = self.sql(query)
    self.assertEqual((expected[0]['y'], expected[0]['d'], expected[0]['b']), ('a longer text than twelve bytes', 1.5, 'ABC'))
    for setting in ("arrow_large_buffer_size = true", "arrow_output_version = '1.5'", "produce_arrow_string_view = true",
                    "arrow_lossless_conversion = true", "arrow_output_list_view = true", "TimeZone = 'Asia/Tokyo'"):
      with self.subTest(setting):
        self.assertEqual(self.sql(f'SET {setting}; {query}'), expected)

  def test_ctrl_c(self):
    self.db.mkdir()
    process = self.start_yarrow(self.db, '-c', 'SELECT count(*) FROM range(100000) a, range(100000000) b')
    self.send_when_awaited(process, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    self.assertEqual((process.returncode, error), (130, b'yarrow: cancelled\n'))

  def test_killed_between_statements(self):
    self.db.mkdir()
    self.sql('CREATE TABLE t (id INT PRIMARY KEY)')
    process = self.start_yarrow(self.db, stdin=subprocess.PIPE)
    process.stdin.close()
    process.wait(timeout=60)
    statements = ''.join(f'INSERT INTO t VALUES ({i}); SELECT {i} AS done;' for i in range(100000))
    process = self.start_yarrow(self.db, '--format', 'csv', '-f', self.write('many.sql', statements))
    last = -1
    while last < 50:
      line = process.stdout.readline().strip()
      if line.isdigit():
        last = int(line)
    process.kill()
    process.wait()
    count, most = (self.sql('SELECT count(*) AS c, max(id) AS m FROM t')[0][name] for name in 'cm')
    self.assertEqual(count, most + 1)
    self.assertGreaterEqual(most, last, 'a row that was told of is gone')

  def test_killed_between_numbers(self):
    # None that a sequence gave comes again, and few are passed over.
    self.db.mkdir()
    self.sql('CREATE SEQUENCE ids; CREATE TABLE t (id INT PRIMARY KEY DEFAULT nextval(\'ids\'), n INT)')
    statements = ''.join(f'SELECT nextval(\'ids\') AS given; INSERT INTO t (n) VALUES ({i});' for i in range(100000))
    script = self.write('numbers.sql', statements)
    given = 0
    for _ in range(4):
      process = self.start_yarrow(self.db, '--format', 'csv', '-f', script)
      for _ in range(60):
        line = process.stdout.readline().strip()
        if line.isdigit():
          self.assertGreater(int(line), given, 'a number came twice')
          given = int(line)
      process.kill()
      process.wait()
    next_number = self.sql("SELECT nextval('ids') AS n")[0]['n']
    self.assertGreater(next_number, given)
    self.assertLess(next_number, given + 8192)
    self.assertEqual(self.sql("SELECT nextval('ids') AS n"), [{'n': next_number + 1}], 'a clean end passes none over')

  def test_scans_leave_generated_columns_out(self):
    self.db.mkdir()
    self.sql('CREATE TABLE t (g AS (b * 2), id INT PRIMARY KEY, b INT, h VARCHAR AS (b || \'x\'), c VARCHAR)')
    self.sql("INSERT INTO t VALUES (1, 5, 'one'), (2, 6, 'two'), (3, 7, 'three')")
    for flushed in (False, True):
      if flushed:
        self.sql("CALL yarrow_flush('t')")
      for arguments in ((), ('--where', 'g >= 12'), ('--where', "h <> '5x'", '--columns', 'id,b,c')):
        with self.subTest(flushed=flushed, arguments=arguments):
          rows = self.run_yarrow('scan', self.db, 't', '--format', 'csv', *arguments).splitlines()
          self.assertEqual(rows[0], 'id,b,c')
          self.assertEqual(rows[-2:], ['2,6,two', '3,7,three'])
          self.assertEqual(len(rows), 3 if arguments else 4)
    self.assertIn("no column 'g'", self.fail_yarrow('scan', self.db, 't', '--columns', 'g'))

  def test_user_tables(self):
    self.db.mkdir()
    self.sql("CREATE TABLE notes (id INT PRIMARY KEY, text VARCHAR) WITH (kind = 'user')")
    self.sql("INSERT INTO notes VALUES (1, 'mine')", '--user', 'ada')
    self.assertEqual(self.sql('FROM notes', '--user', 'ada'), [{'id': 1, 'text': 'mine'}])
    self.assertEqual(self.sql('FROM notes', '--user', 'bob'), [])
    self.assertIn('acting user', self.fail_yarrow(self.db, '-c', 'FROM notes'))


if __name__ == '__main__':
  unittest.main()
