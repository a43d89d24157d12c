"""yarrow import: what comes out is what Python's csv module reads."""

import base64
import gzip
import json
import os
import pty
import subprocess
import time
import unittest

from program import KEYS, YARROW, ProgramTest, by_key, data_file, read_csv, typed


class ImportTest(ProgramTest):

  def test_five_tables_hold_what_the_files_hold(self):
    rows = {'airlines': 16, 'airports': 1458, 'flights': 336776, 'planes': 3322, 'weather': 26115}
    for table, count in rows.items():
      with self.subTest(table):
        self.assertRegex(self.import_table(table), fr'^imported {count:,} rows into {table} in [0-9.]+ s \(.* rows/s\)\n$')
        types = self.types(table)
        expected = by_key(typed(read_csv(data_file(table)), types), KEYS[table])
        self.assertEqual(len(expected), count)
        got = self.scan(table)
        self.assertEqual(len(got), count)
        # One comparison of all rows would take minutes to print its difference.
        different = [(a, b) for a, b in zip(got, expected) if a != b]
        self.assertEqual(different[:3], [])

  def test_what_sql_computes_and_tests(self):
    # Defaults that are expressions, and CHECK constraints, which go by an INSERT: all rows or none.
    self.run_yarrow(self.db, '-c', "CREATE SEQUENCE ids START 10; CREATE TABLE t (id INT PRIMARY KEY DEFAULT nextval('ids'), "
                    "n INT CHECK (n > 0), twice AS (n * 2), s VARCHAR DEFAULT 'x')")
    good, bad, keyed = (self.write(name, text) for name, text in (
        ('good.csv', 'n\n' + ''.join(f'{i}\n' for i in range(1, 3001))), ('bad.csv', 'n\n5\n0\n'),
        ('keyed.csv', 'id,n\n10,77\n')))
    self.assertIn('imported 3,000 rows into t', self.run_yarrow('import', self.db, 't', good))
    self.assertIn('CHECK constraint failed on table t with expression CHECK((n > 0)), by the row',
                  self.fail_yarrow('import', self.db, 't', bad))
    self.assertIn('Duplicate key "id: 10"', self.fail_yarrow('import', self.db, 't', keyed))
    query = 'SELECT count(*) AS c, min(id) AS a, max(id) AS b, sum(twice) AS s FROM t'
    self.assertEqual(json.loads(self.run_yarrow(self.db, '--format', 'json', '-c', query)),
                     [{'c': 3000, 'a': 10, 'b': 3009, 's': 3000 * 3001}])
    self.run_yarrow('import', self.db, 't', keyed, '--mode', 'upsert')
    query = 'SELECT n, (SELECT count(*) FROM t) AS c FROM t WHERE id = 10'
    self.assertEqual(json.loads(self.run_yarrow(self.db, '--format', 'json', '-c', query)), [{'n': 77, 'c': 3000}])
    schema = self.run_yarrow('schema', self.db, 't', '--format', 'csv')
    self.assertEqual(schema.splitlines()[1:], ["id,INTEGER,false,1,nextval('ids')", 'n,INTEGER,true,,',
                                               'twice,INTEGER,true,,AS (CAST((n * 2) AS INTEGER))', 's,VARCHAR,true,,x'])

  def test_types_come_from_all_values(self):
    path = self.write('t.csv', 'i,d,b,day,time,at,zoned,code,none\n' +
                      '1,2,true,2013-01-01,10:00:00,2013-01-01 00:00:00,2013-01-01T10:00:00Z,007,\n' * 200000 +
                      '9,2.5,FALSE,,23:59:59.5,2013-01-01 10:00:00,2013-01-01 10:00:00+02,x7,\n')
    self.run_yarrow('import', self.db, 't', path)
    self.assertEqual(self.types('t'), {
        'i': 'BIGINT', 'd': 'DOUBLE', 'b': 'BOOLEAN', 'day': 'DATE', 'time': 'TIME', 'at': 'TIMESTAMP',
        'zoned': 'TIMESTAMP WITH TIME ZONE', 'code': 'VARCHAR', 'none': 'VARCHAR'})
    self.assertEqual(self.scan('t', '--where', 'i = 9'), [{
        'i': 9, 'd': 2.5, 'b': False, 'day': None, 'time': '23:59:59.5', 'at': '2013-01-01 10:00:00',
        'zoned': '2013-01-01 08:00:00Z', 'code': 'x7', 'none': None}])

  def test_types_can_be_told(self):
    path = self.write('t.csv', 'id,code,price\n1,007,1.5\n')
    self.run_yarrow('import', self.db, 't', path, '--primary-key', 'id', '--type', 'code=VARCHAR',
                    '--type', 'price=DECIMAL(10,2)', '--type', 'id=SMALLINT')
    self.assertEqual(self.types('t'), {'id': 'SMALLINT', 'code': 'VARCHAR', 'price': 'DECIMAL(10,2)'})
    self.assertEqual(self.run_yarrow('scan', self.db, 't', '--format', 'csv'), 'id,code,price\n1,007,1.50\n')

  def test_dialects(self):
    self.run_yarrow('import', self.db, 'semicolons', self.write('a.csv', 'a;b\n1;-\n2;NA\n'), '--delimiter', ';',
                    '--null', '-', '--null', '?')
    self.assertEqual(self.scan('semicolons'), [{'a': 1, 'b': None}, {'a': 2, 'b': 'NA'}])
    self.run_yarrow('import', self.db, 'found', self.write('a.csv', 'a;b\n1;x\n2;y\n'))
    self.assertEqual(self.scan('found'), [{'a': 1, 'b': 'x'}, {'a': 2, 'b': 'y'}])
    self.run_yarrow('import', self.db, 'tabs', self.write('a.tsv', 'a\tb\n1\t2\n'))
    self.assertEqual(self.scan('tabs'), [{'a': 1, 'b': 2}])
    self.run_yarrow('import', self.db, 'bare', self.write('b.csv', '1,2\n'), '--no-header')
    self.assertEqual(self.scan('bare'), [{'column1': 1, 'column2': 2}])
    self.run_yarrow('import', self.db, 'named', self.write('b.csv', '1,2\n'), '--no-header', '--names', 'x,"y,z"')
    self.assertEqual(self.scan('named'), [{'x': 1, 'y,z': 2}])
    self.run_yarrow('import', self.db, 'packed', self.write('a.csv.gz', gzip.compress(b'a\n1\n2\n')))
    self.assertEqual(self.scan('packed'), [{'a': 1}, {'a': 2}])
    quoted = self.write('q.csv', '\ufefft,n\n"",""\n"NA","7"\n"a ""b""\n,c",\n')
    self.run_yarrow('import', self.db, 'quoted', quoted, '--null', 'NA', '--null', '')
    self.assertEqual(self.scan('quoted'), [{'t': '', 'n': None}, {'t': 'NA', 'n': 7}, {'t': 'a "b"\n,c', 'n': None}])

  def test_na_is_a_country(self):
    path = self.write('c.csv', 'code,name\nNA,Namibia\n,nowhere\nNULL,null island\n')
    self.run_yarrow('import', self.db, 'c', path)
    self.assertEqual([row['code'] for row in self.scan('c')], ['NA', None, 'NULL'])

  def test_nothing_is_skipped_that_looks_like_notes(self):
    path = self.write('n.csv', 'a,b\n#1,2\n,\n')
    self.run_yarrow('import', self.db, 'n', path)
    self.assertEqual(self.scan('n'), [{'a': '#1', 'b': 2}, {'a': None, 'b': None}])
    one = self.write('o.csv', 'name\na|b\nc|d\n')
    self.run_yarrow('import', self.db, 'o', one)
    self.assertEqual(self.scan('o'), [{'name': 'a|b'}, {'name': 'c|d'}])

  def test_values_that_types_would_change_stay_text(self):
    path = self.write('t.csv', 'code,day,big,at,ns\n' + '1,x,1.5,x,2013-01-01 10:00:00\n' * 30000 +
                      '12345678901234567890,01/02/2013,9007199254740993,01/02/2013 10:00:00,'
                      '2013-01-01 10:00:00.123456789\n')
    self.run_yarrow('import', self.db, 't', path)
    self.assertEqual(self.types('t'), {'code': 'VARCHAR', 'day': 'VARCHAR', 'big': 'VARCHAR', 'at': 'VARCHAR',
                                       'ns': 'TIMESTAMP_NS'})
    self.assertEqual(self.scan('t', '--where', "code <> '1'"), [
        {'code': '12345678901234567890', 'day': '01/02/2013', 'big': '9007199254740993', 'at': '01/02/2013 10:00:00',
         'ns': '2013-01-01 10:00:00.123456789'}])

  def test_standard_input(self):
    def feed(text, *options):
      done = subprocess.run([YARROW, 'import', self.db, *options], input=text.encode(), capture_output=True, check=False)
      return done.returncode, done.stdout.decode() + done.stderr.decode()
    code, out = feed('id,v\n2,b\n1,a\n', 't', '-', '--primary-key', 'id')
    self.assertEqual((code, out[:24]), (0, 'imported 2 rows into t i'))
    self.assertEqual(feed('{"id": 3, "v": "c"}\n', 't', '-', '--format', 'jsonlines')[0], 0)
    self.assertEqual(self.scan('t'), [{'id': 1, 'v': 'a'}, {'id': 2, 'v': 'b'}, {'id': 3, 'v': 'c'}])
    self.assertEqual(feed('id,v\n4,d\n5x,e\n', 't', '-'),
                     (1, "yarrow: standard input: line 3: column id: cannot read '5x' as BIGINT\n"))
    self.assertEqual(feed('', 't', '-'), (1, 'yarrow: standard input: the file is empty\n'))
    self.assertEqual(len(self.scan('t')), 3)
    self.assertEqual([path.name for path in self.folder.iterdir()], ['db'])
    self.assertEqual(list((self.db / 'tmp').iterdir()), [])

  def test_patterns(self):
    for i in (1, 2, 3):
      self.write(f'day-{i}.csv', f'id,v\n{i},x\n')
    self.write('odd[1].csv', 'id,v\n9,y\n')
    self.run_yarrow('import', self.db, 't', self.folder / 'day-*.csv', '--primary-key', 'id')
    self.run_yarrow('import', self.db, 't', self.folder / 'odd[1].csv')
    self.assertEqual([row['id'] for row in self.scan('t')], [1, 2, 3, 9])
    none = self.folder / 'none-*.csv'
    self.assertEqual(self.fail_yarrow('import', self.db, 't', none), f"no file matches '{none}'")

  def test_json(self):
    lines = self.write('a.jsonl', '{"id": 1, "v": 1.5, "day": "2013-01-31"}\n{"id": 2, "o": [1, {"x": "y"}], "day": null}\n')
    self.run_yarrow('import', self.db, 'j', lines, '--primary-key', 'id')  # values of several types are JSON
    self.assertIn('{"x":"y"}', self.run_yarrow(self.db, '-c', 'SELECT o[2] FROM j'))
    self.assertIn('JSON[]', self.run_yarrow(self.db, '-c', 'SELECT typeof(o) FROM j'))
    self.run_yarrow('import', self.db, 'a', lines, '--primary-key', 'id', '--type', 'o=VARCHAR')
    self.assertEqual(self.types('a'), {'id': 'BIGINT', 'v': 'DOUBLE', 'day': 'DATE', 'o': 'VARCHAR'})
    self.assertEqual(self.scan('a'), [{'id': 1, 'v': 1.5, 'day': '2013-01-31', 'o': None},
                                      {'id': 2, 'v': None, 'day': None, 'o': '[1,{"x":"y"}]'}])
    array = self.write('b.json', '[{"id": 18446744073709551615, "m": 1}, {"id": 2, "m": "x"}]')
    self.run_yarrow('import', self.db, 'b', array)
    self.assertEqual(self.scan('b'), [{'id': 18446744073709551615, 'm': '1'}, {'id': 2, 'm': 'x'}])
    late = self.write('c.jsonl', '{"id": 10}\n' * 30000 + '{"id": 11, "late": true}\n')
    self.run_yarrow('import', self.db, 'c', late)
    self.assertEqual(self.scan('c', '--where', 'late'), [{'id': 11, 'late': True}])
    bad = self.write('d.jsonl', '{"id": 3}\n{"id": "many"}\n')
    self.assertEqual(self.fail_yarrow('import', self.db, 'a', bad), f"{bad}: row 2: column id: cannot read 'many' as BIGINT")
    self.assertIn('Malformed JSON', self.fail_yarrow('import', self.db, 'a', self.write('e.jsonl', '{"id": 3}\n{id\n')))

  def test_several_files_are_one_import(self):
    first = self.write('1.csv', 'id,v\n3,c\n1,a\n')
    second = self.write('2.csv', 'v,id\nb,2\n')
    self.run_yarrow('import', self.db, 't', first, second, '--primary-key', 'id')
    self.assertEqual(self.scan('t'), [{'id': 1, 'v': 'a'}, {'id': 2, 'v': 'b'}, {'id': 3, 'v': 'c'}])

  def test_parquet(self):
    # Written by Arrow: id int64 (1, 2, 3), name string ('a', NULL, 'c'), at timestamp[us, UTC] (2013-01-01 + id seconds).
    path = self.write('t.parquet', base64.b64decode(PARQUET))
    self.run_yarrow('import', self.db, 't', path, '--primary-key', 'id')
    self.assertEqual(self.types('t'), {'id': 'BIGINT', 'name': 'VARCHAR', 'at': 'TIMESTAMP WITH TIME ZONE'})
    self.assertEqual(self.scan('t'), [{'id': 1, 'name': 'a', 'at': '2013-01-01 00:00:01Z'},
                                      {'id': 2, 'name': None, 'at': '2013-01-01 00:00:02Z'},
                                      {'id': 3, 'name': 'c', 'at': '2013-01-01 00:00:03Z'}])
    self.assertEqual(self.fail_yarrow('import', self.db, 'u', path, '--primary-key', 'name'),
                     f'{path}: row 2: column name: NULL in the primary key')

  def test_timestamps_of_parquet_keep_their_value(self):
    path = self.write('int96.parquet', base64.b64decode(INT96))
    self.run_yarrow('import', self.db, 't', path, '--primary-key', 'id')
    self.assertEqual([row['at'] for row in self.scan('t')], ['9999-12-31 00:00:00', '0001-01-01 00:00:00'])
    path = self.write('nanos.parquet', base64.b64decode(INT96_NANOS))
    self.assertRegex(self.fail_yarrow('import', self.db, 'u', path), 'nanos.parquet: row 2: column at: .*nanoseconds')
    for digits in ('123456', '123456789'):
      text = self.write('z.csv', f'id,z\n1,2013-01-01 00:00:00.{digits}Z\n')
      self.run_yarrow('import', self.db, f'z{digits}', text, '--type', 'z=TIMESTAMP_NS WITH TIME ZONE')
      self.run_yarrow('export', self.db, f'z{digits}', self.folder / f'{digits}.parquet')
    self.run_yarrow('import', self.db, 'micros', self.folder / '123456.parquet')
    self.assertEqual(self.scan('micros'), [{'id': 1, 'z': '2013-01-01 00:00:00.123456Z'}])
    self.assertRegex(self.fail_yarrow('import', self.db, 'nanos', self.folder / '123456789.parquet'),
                     '123456789.parquet: row 1: column z: .*nanoseconds')

  def test_keys_of_json_that_have_no_name_of_their_own(self):
    self.run_yarrow('import', self.db, 't', self.write('a.jsonl', '{"a": 1, "a_1": 2, "C0": 3}\n'))
    self.assertEqual(self.scan('t'), [{'a': 1, 'a_1': 2, 'C0': 3}])
    for text in ('{"a": 1, "A": 2}\n', '{"": 1}\n'):
      self.assertIn('rename it', self.fail_yarrow('import', self.db, 'u', self.write('b.jsonl', text)))

  def test_a_file_that_changes_is_refused(self):
    path = self.write('t.csv', 'id\n' + '1\n' * 3000000)
    process = self.start_yarrow('import', self.db, 't', path)
    while not list(self.db.glob('tmp/*')):
      self.assertIsNone(process.poll(), 'it was too fast')
      time.sleep(0.01)
    with open(path, 'a') as file:
      file.write('2\n')
    _, error = process.communicate(timeout=120)
    self.assertEqual(error.decode(), f'yarrow: {path}: the file changed while it was read\n')
    self.assertFalse(self.db.exists())

  def test_quiet_and_progress(self):
    self.assertEqual(self.import_table('airlines', '-q'), '')
    primary, secondary = pty.openpty()
    done = subprocess.run([YARROW, 'import', self.db, 'flights', data_file('flights'), '--null', 'NA', '--primary-key',
                           ','.join(KEYS['flights'])], stdout=subprocess.PIPE, stderr=secondary, check=True)
    os.close(secondary)
    terminal = os.read(primary, 1 << 20).decode()
    os.close(primary)
    self.assertIn('reading types', terminal)
    self.assertRegex(terminal, r'loading +\d+% \[=*>? *\]  [0-9,]+ rows  [0-9,]+ rows/s')
    self.assertTrue(terminal.endswith('\r\x1b[K'), 'the line is not wiped')
    self.assertIn(b'imported 336,776 rows', done.stdout)

  def test_without_key_rows_keep_their_order(self):
    path = self.write('t.csv', 'v\nc\na\nb\na\n')
    self.run_yarrow('import', self.db, 't', path)
    self.run_yarrow('import', self.db, 't', path)
    self.assertEqual([row['v'] for row in self.scan('t')], ['c', 'a', 'b', 'a'] * 2)

  def test_into_another_schema(self):
    path = self.write('t.csv', 'a\n1\n')
    self.run_yarrow('import', self.db, 'sales.t', path)
    self.assertEqual(self.scan('sales.t'), [{'a': 1}])
    self.assertIn('sales', self.run_yarrow('tables', self.db))


PARQUET = '''
UEFSMRUAFTwVPCwVBhUAFQYVBgAAAgAAAAYBAQAAAAAAAAACAAAAAAAAAAMAAAAAAAAAFQAVIBUgLBUGFQAVBhUGAAACAAAAAwUBAAAAYQEAAABjFQAVPBU8
LBUGFQAVBhUGAAACAAAABgFAAqfPLtIEAIBEts8u0gQAwIbFzy7SBAAZHBYIFV4WAAAAGRwWZhVCFgAAGRYEABkcFqgBFV4WAAAAFQQZTDUAGAZzY2hlbWEV
BgAVBCUCGAJpZAAVDCUCGARuYW1lJQBMHAAAABUEJQIYAmF0JRRMjBEcLAAAAAAAFgYZHBk8JgAcFQQZJQYAGRgCaWQVABYGFl4WXiYISRwVABUAFQIAPCkG
GSYABgAAFoYCFRQAJgAcFQwZJQYAGRgEbmFtZRUAFgYWQhZCJmZJHBUAFQAVAgA8FgQZBhkmAgQAABaaAhUaACYAHBUEGSUGABkYAmF0FQAWBhZeFl4mqAFJ
HBUAFQAVAgA8KQYZJgAGAAAWtAIVFgAW/gEWBiYIFv4BACggcGFycXVldC1jcHAtYXJyb3cgdmVyc2lvbiAyNi4wLjEZPBwAABwAABwAAAATAQAAUEFSMQ==
'''

# Timestamps as INT96: 9999-12-31 and 0001-01-01 (id 1, 2).
INT96 = '''
UEFSMRUEFSAVIEwVBBUAEgAAAQAAAAAAAAACAAAAAAAAABUAFRIVEiwVBBUQFQYVBhwYCAIAAAAAAAAAGAgBAAAAAAAAABYAKAgCAAAAAAAAABgIAQAAAAAA
AAAREQAAAAIAAAAEAQEDAhUEFTAVMEwVBBUAEgAAAAAAAAAAAAAs/lEAAAAAAAAAAABSRBoAFQAVEhUSLBUEFRAVBhUGHAAAAAIAAAAEAQEDAhUEGTw1ABgG
c2NoZW1hFQQAFQQlAhgCaWQAFQYlAhgCYXQAFgQZHBksJgAcFQQZNQAGEBkYAmlkFQAWBBbMARbMASZEJggcGAgCAAAAAAAAABgIAQAAAAAAAAAWACgIAgAA
AAAAAAAYCAEAAAAAAAAAEREAGSwVBBUAFQIAFQAVEBUCADwpBhkmAAQAAAAmABwVBhk1AAYQGRgCYXQVABYEFoQBFoQBJqACJtQBKSwVBBUAFQIAFQAVEBUC
ADwpBhkmAAQAAAAW0AIWBCYIFtACACggcGFycXVldC1jcHAtYXJyb3cgdmVyc2lvbiAyNi4wLjEZLBwAABwAAAD9AAAAUEFSMQ==
'''

# Two timestamps as INT96, the second with nanoseconds.
INT96_NANOS = '''
UEFSMRUEFTAVMEwVBBUAEgAAAMpbBwAAAADmeiUAFc1bBwAAAADmeiUAFQAVEhUSLBUEFRAVBhUGHAAAAAIAAAAEAQEDAhUEGSw1ABgGc2NoZW1hFQIAFQYl
AhgCYXQAFgQZHBkcJgAcFQYZNQAGEBkYAmF0FQAWBBaEARaEASZUJggpLBUEFQAVAgAVABUQFQIAPCkGGSYABAAAABaEARYEJggWhAEAKCBwYXJxdWV0LWNw
cC1hcnJvdyB2ZXJzaW9uIDI2LjAuMRkcHAAAAIoAAABQQVIx
'''

if __name__ == '__main__':
  unittest.main()
