"""yarrow scan, get, tables, schema, drop: answers compared with Python's over the same files."""

import csv
import io
import re
import subprocess
import unittest

from program import KEYS, YARROW, ProgramTest, by_key, data_file, read_csv, typed


class FlightsTest(ProgramTest):
  """Reads only: one import for all tests."""

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    maker = ProgramTest()
    maker.setUp()
    cls.maker = maker
    for table in ('flights', 'planes', 'airports'):
      maker.import_table(table)
    cls.flights = by_key(typed(read_csv(data_file('flights')), maker.types('flights')), KEYS['flights'])
    cls.addClassCleanup(maker.doCleanups)

  def setUp(self):
    super().setUp()
    self.db = self.maker.db

  def expect_rows(self, where, condition):
    got = self.scan('flights', '--where', where)
    expected = [row for row in self.flights if condition(row)]
    self.assertGreater(len(expected), 0, 'the test tests nothing')
    self.assertEqual(len(got), len(expected), where)
    self.assertEqual([(a, b) for a, b in zip(got, expected) if a != b][:3], [], where)

  def test_where(self):
    known = lambda *values: all(value is not None for value in values)
    self.expect_rows("origin = 'JFK' AND dep_delay > 300",
                     lambda r: r['origin'] == 'JFK' and known(r['dep_delay']) and r['dep_delay'] > 300)
    self.expect_rows('year = 2013 AND month = 2 AND day BETWEEN 3 AND 4',
                     lambda r: r['month'] == 2 and r['day'] in (3, 4))
    self.expect_rows('dep_time IS NULL AND month IN (1, 12)', lambda r: r['dep_time'] is None and r['month'] in (1, 12))
    self.expect_rows("tailnum LIKE 'N10%' OR tailnum LIKE '%9_MQ'",
                     lambda r: known(r['tailnum']) and re.search('^N10|9.MQ$', r['tailnum']))
    self.expect_rows("NOT (carrier IN ('UA', 'B6', 'EV', 'DL', 'AA') OR distance > 500)",
                     lambda r: r['carrier'] not in ('UA', 'B6', 'EV', 'DL', 'AA') and r['distance'] <= 500)
    self.expect_rows('arr_delay NOT BETWEEN -60 AND 600',
                     lambda r: known(r['arr_delay']) and not -60 <= r['arr_delay'] <= 600)
    self.expect_rows("time_hour >= TIMESTAMP '2013-12-31 23:00:00' AND dest <> 'ATL'",
                     lambda r: r['time_hour'] >= '2013-12-31 23:00:00Z' and r['dest'] != 'ATL')
    self.expect_rows('dep_delay > arr_delay AND arr_delay > 400',
                     lambda r: known(r['dep_delay'], r['arr_delay']) and r['dep_delay'] > r['arr_delay'] > 400)
    self.expect_rows('air_time < 20.5', lambda r: known(r['air_time']) and r['air_time'] < 20.5)
    self.assertEqual(self.scan('flights', '--where', "tailnum NOT IN ('N10156', NULL)"), [])
    self.assertEqual(self.scan('flights', '--where', 'distance > 1e300'), [])
    self.expect_rows("upper(dest) || '!' = 'HNL!' OR flight % 1000 = 7 AND month = 3",
                     lambda r: r['dest'] == 'HNL' or r['flight'] % 1000 == 7 and r['month'] == 3)
    self.expect_rows('month = 1 AND tailnum IN (SELECT tailnum FROM planes WHERE seats > 370)',
                     lambda r, large={p['tailnum'] for p in self.scan('planes', '--where', 'seats > 370')}:
                     r['month'] == 1 and r['tailnum'] in large)

  def test_where_errors(self):
    message = lambda where: self.fail_yarrow('scan', self.db, 'flights', '--where', where)
    self.assertRegex(message('delay > 5'), '^--where: Binder Error: Referenced column "delay" not found.*dep_delay')
    self.assertRegex(message('month = '), '^--where: Parser Error: ')
    self.assertRegex(message("month = 'May'"), "^--where: Conversion Error: .*'May'.* INT64")
    self.assertEqual(message('month + 1'), "--where: 'month + 1' is no condition: it is of type BIGINT, not BOOLEAN")
    for text in ('1 = 1; DROP TABLE flights', 'month = 1) OR (1 = 1', 'month = 1 FROM planes', 'month = 1, day = 2'):
      message(text)
    self.assertEqual(message('month = 1 FROM planes'), "--where: 'month = 1 FROM planes' is not one expression")

  def test_columns_limit_and_order(self):
    rows = self.scan('flights', '--columns', 'dest,year,"month"', '--limit', 20000)
    self.assertEqual(rows, [{'dest': r['dest'], 'year': r['year'], 'month': r['month']} for r in self.flights[:20000]])
    self.assertEqual(list(rows[0]), ['dest', 'year', 'month'])
    self.assertEqual(self.scan('flights', '--reverse', '--limit', 3), self.flights[:-4:-1])
    self.assertEqual(self.scan('flights', '--limit', 0), [])
    self.assertEqual(self.scan('flights', '--threads', 4, '--columns', 'flight'),
                     [{'flight': r['flight']} for r in self.flights])
    self.assertIn('nope', self.fail_yarrow('scan', self.db, 'flights', '--columns', 'nope'))

  def stats(self, *options):
    done = subprocess.run([YARROW, 'scan', self.db, 'flights', '--stats', '--format', 'csv', *map(str, options)],
                          capture_output=True, check=True)
    figures = re.fullmatch(r'([0-9,]+) rows in [0-9.]+ s; visited ([0-9,]+) rows, ([0-9,]+) bytes; '
                           r'decoded ([0-9,]+) rows, ([0-9,]+) bytes\n', done.stderr.decode())
    self.assertIsNotNone(figures, done.stderr)
    return [int(figure.replace(',', '')) for figure in figures.groups()]

  def test_stats_count_what_was_read(self):
    hot = ProgramTest()
    hot.setUp()
    self.addCleanup(hot.doCleanups)
    hot.keep_rows_hot()
    hot.import_table('flights')
    self.db = hot.db
    whole = self.stats()
    self.assertEqual(whole[:2], [336776, 336776])
    self.assertEqual(self.stats('--limit', 10)[:2], [10, 10])
    rows, visited, _, decoded, _ = self.stats('--where', 'year = 2013 AND month = 6 AND day = 15')
    self.assertEqual(rows, sum(r['month'] == 6 and r['day'] == 15 for r in self.flights))
    self.assertEqual(decoded, rows)
    self.assertLess(visited, rows + 100)
    rows, visited, _, decoded, _ = self.stats('--where', 'dep_delay > 600')
    self.assertEqual((visited, decoded), (336776, rows))
    self.assertLess(self.stats('--columns', 'distance')[4] * 10, whole[4])
    # Threads that begin at once look at so many rows each.
    one = ('--threads', 1)
    self.assertEqual(self.stats('--where', 'day > 0', '--limit', 5, *one)[:2], [5, 5])
    self.assertEqual(self.stats('--where', 'month = 12 AND day = 31', '--reverse', '--limit', 2, *one)[:2], [2, 2])
    # A condition that only DuckDB can test: the scan still ends early.
    rows, visited = self.stats('--where', 'flight % 2 = 0', '--limit', 5, '--threads', 1)[:2]
    self.assertEqual(rows, 5)
    self.assertLess(visited, 40000)

  def test_explain_reads_nothing(self):
    plan = self.run_yarrow('scan', self.db, 'flights', '--where', 'year = 2013 AND dep_delay > 600', '--limit', 5,
                           '--explain')
    self.assertIn('dep_delay', plan)
    self.assertNotIn('JFK', plan)

  def test_formats_parse_back(self):
    text = self.run_yarrow('scan', self.db, 'flights', '--format', 'csv', '--limit', 5000)
    rows = [{name: cell or None for name, cell in row.items()} for row in csv.DictReader(io.StringIO(text))]
    self.assertEqual(typed(rows, self.types('flights')), self.flights[:5000])
    table = self.run_yarrow('scan', self.db, 'flights', '--columns', 'carrier,dep_time,dest', '--where', 'dep_time IS NULL',
                            '--limit', 2)
    self.assertRegex(table, r'\A carrier \| dep_time \| dest\n-{9}\+-{10}\+-{6}\n( \w\w      \|     NULL \| \w{3}\n){2}'
                     r'\(2 rows\)\n\Z')

  def test_a_table_survives_export_and_import(self):
    for table in ('planes', 'airports'):
      path = self.folder / f'{table}.csv'
      path.write_text(self.run_yarrow('scan', self.db, table, '--format', 'csv'))
      copy = self.folder / 'copy'
      self.run_yarrow('import', copy, table, path, '--primary-key', ','.join(KEYS[table]))
      self.assertEqual(self.run_yarrow('scan', copy, table, '--format', 'csv'), path.read_text())

  def test_get(self):
    row = self.flights[123456]
    key = [row[name] for name in KEYS['flights']]
    shown = self.run_yarrow('get', self.db, 'flights', *key)
    lines = dict(line.split(maxsplit=1) for line in shown.splitlines())
    self.assertEqual(lines, {name: 'NULL' if cell is None else str(cell) for name, cell in row.items()})
    self.assertEqual(self.run_yarrow('get', self.db, 'planes', 'N14228', '--format', 'csv').splitlines()[1],
                     'N14228,1999,Fixed wing multi engine,BOEING,737-824,2,149,,Turbo-fan')
    self.assertEqual(self.fail_yarrow('get', self.db, 'planes', 'N1'), 'table main.planes has no row with the key (N1)')
    self.assertEqual(self.fail_yarrow('get', self.db, 'planes', 'a', 'b'),
                     'the primary key of table main.planes is (tailnum): 1 values, not 2')
    self.assertEqual(self.fail_yarrow('get', self.db, 'flights', 2013, 'May', 1, 'UA', 1545, 'EWR'),
                     "key column month: cannot read 'May' as BIGINT")

  def test_tables_and_schema(self):
    self.assertEqual(self.run_yarrow('tables', self.db, '--count', '--format', 'csv'),
                     'schema,name,kind,columns,primary_key,rows\n'
                     'main,airports,shared,8,faa,1458\n'
                     'main,flights,shared,19,"year, month, day, carrier, flight, origin",336776\n'
                     'main,planes,shared,9,tailnum,3322\n')
    self.assertIn('settings', self.run_yarrow('tables', self.db, '--system'))
    self.assertEqual(self.run_yarrow('schema', self.db, 'planes', '--format', 'csv').splitlines()[:3],
                     ['column,type,nullable,key,default', 'tailnum,VARCHAR,false,1,', 'year,BIGINT,true,,'])
    self.assertEqual(self.scan('system.tables', '--columns', 'table_name', '--where', "table_name LIKE 'fl%'"),
                     [{'table_name': 'flights'}])

  def test_stats_command(self):
    rows = list(csv.DictReader(io.StringIO(self.run_yarrow('stats', self.db, '--format', 'csv'))))
    figures = {row['name']: int(row['value']) for row in rows}
    self.assertGreater(figures['hot.rows_estimate'], 3322 + 1458)
    self.assertLess(figures['hot.rows_estimate'], 20000, 'flights are in a segment')
    self.assertEqual(self.scan('system.segments', '--columns', 'rows'), [{'rows': 336776}])

  def test_errors_name_what_is_missing(self):
    nowhere = self.folder / 'nowhere'
    for command in (['scan', nowhere, 't'], ['get', nowhere, 't', 1], ['tables', nowhere], ['stats', nowhere],
                    ['schema', nowhere, 't'], ['drop', nowhere, 't']):
      self.assertEqual(self.fail_yarrow(*command), f"there is no database at '{nowhere}'; `yarrow import` creates one")
    self.assertFalse(nowhere.exists())
    self.assertIn('flights', self.fail_yarrow('scan', self.db, 'flight'))
    self.assertIn('flight', self.fail_yarrow('drop', self.db, 'flight'))


class SmallTableTest(ProgramTest):

  def test_values_of_all_kinds(self):
    path = self.write('t.csv', 'id,d,price,bytes,flag\n-5,nan,1.50,a\\xff,true\n1,inf,-0.01,,false\n2,1e300,,,\n')
    self.run_yarrow('import', self.db, 't', path, '--primary-key', 'id', '--type', 'price=DECIMAL(38,2)', '--type',
                    'bytes=BLOB', '--type', 'd=DOUBLE')
    self.assertEqual(self.run_yarrow('scan', self.db, 't', '--format', 'jsonlines'),
                     '{"id":-5,"d":"nan","price":1.50,"bytes":"a\\\\xff","flag":true}\n'
                     '{"id":1,"d":"inf","price":-0.01,"bytes":null,"flag":false}\n'
                     '{"id":2,"d":1e+300,"price":null,"bytes":null,"flag":null}\n')
    self.assertIn('price  1.50\n', self.run_yarrow('get', self.db, 't', '--', '-5'))
    self.assertEqual([row['id'] for row in self.scan('t', '--where', "d > 5")], [-5, 1, 2])
    self.assertEqual([row['id'] for row in self.scan('t', '--where', "price < 0 OR NOT flag")], [1])

  def test_drop(self):
    self.import_table('airlines')
    self.run_yarrow('drop', self.db, 'airlines')
    self.assertEqual(self.run_yarrow('tables', self.db, '--format', 'jsonlines'), '')
    self.import_table('airlines')
    self.assertEqual(self.row_count('airlines'), 16)
    self.fail_yarrow('drop', self.db, 'system.tables')


if __name__ == '__main__':
  unittest.main()
