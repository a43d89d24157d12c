"""yarrow import: into tables that exist, and files that cannot be imported, which leave no trace."""

import gzip
import unittest

from program import SANITIZED, ProgramTest


class IntoExistingTest(ProgramTest):

  def setUp(self):
    super().setUp()
    self.run_yarrow('import', self.db, 't', self.write('t.csv', 'id,n,v\n1,10,a\n2,20,b\n'), '--primary-key', 'id')
    self.before = self.scan('t')

  def import_text(self, text, *options):
    return self.run_yarrow('import', self.db, 't', self.write('more.csv', text), *options)

  def refuse(self, text, *options):
    """The message, without the path of the file."""
    path = self.write('more.csv', text)
    message = self.fail_yarrow('import', self.db, 't', path, *options)
    self.assertEqual(self.scan('t'), self.before)
    return message.replace(str(path), 'more.csv')

  def test_columns_go_by_name(self):
    self.import_text('v,id\nc,3\n')
    self.assertEqual(self.scan('t'), self.before + [{'id': 3, 'n': None, 'v': 'c'}])

  def test_text_that_looks_like_numbers_stays_text(self):
    self.import_text('id,v\n3,5\n', '--primary-key', 'id')
    self.assertEqual(self.scan('t')[-1], {'id': 3, 'n': None, 'v': '5'})

  def test_upsert_replaces(self):
    self.import_text('id,n,v\n2,21,B\n3,30,c\n', '--mode', 'upsert')
    self.assertEqual(self.scan('t'), [self.before[0], {'id': 2, 'n': 21, 'v': 'B'}, {'id': 3, 'n': 30, 'v': 'c'}])

  def test_a_key_that_exists_is_refused(self):
    message = self.refuse('id,v\n3,c\n2,x\n')
    self.assertRegex(message, r'^more.csv: .*main\.t.*\b2\b.*; nothing was imported \(--mode upsert replaces rows\)$')

  def test_values_must_fit(self):
    self.assertEqual(self.refuse('id,n\n3,30\n4,many\n'), "more.csv: line 3: column n: cannot read 'many' as BIGINT")

    self.assertEqual(self.refuse('id,n\n3,5.5\n'), "more.csv: line 2: column n: cannot read '5.5' as BIGINT")
    self.assertEqual(self.refuse('id,v,n\n3,"x\ny",1\n\n4,z,many\n'),
                     "more.csv: line 5: column n: cannot read 'many' as BIGINT")

  def test_values_of_parquet_must_fit(self):
    def make(name, query):
      path = self.folder / f'{name}.parquet'
      self.run_yarrow(self.folder / 'other', '-c', f"COPY ({query}) TO '{path}'")
      return path
    half = make('half', 'SELECT 3::BIGINT AS id, 5.5::DOUBLE AS n')
    self.assertRegex(self.fail_yarrow('import', self.db, 't', half), r'half\.parquet: .*column n.*5\.5')
    large = make('large', 'SELECT 99999999999999999999::DECIMAL(38,0) AS id')
    self.assertRegex(self.fail_yarrow('import', self.db, 't', large), r'large\.parquet: .*column id.*99999999999999999999')
    self.assertEqual(self.scan('t'), self.before)
    self.run_yarrow('import', self.db, 't', make('whole', "SELECT 3::SMALLINT AS id, 5.0::DOUBLE AS n, '6' AS v"))
    self.assertEqual(self.scan('t')[-1], {'id': 3, 'n': 5, 'v': '6'})

  def test_columns_must_exist(self):
    self.assertEqual(self.refuse('id,w\n3,x\n'), 'table main.t exists, and has no column w; it has: id, n, v')
    self.assertEqual(self.refuse('v\nx\n'), 'table main.t exists, and needs a value for column id, '
                     'which the files do not have')

  def test_options_must_agree(self):
    self.assertEqual(self.refuse('id\n3\n', '--primary-key', 'id,n'),
                     'table main.t exists, and its primary key is (id)')
    self.assertEqual(self.refuse('id\n3\n', '--kind', 'user', '--user', 'ada'), 'table main.t exists, and is of kind shared')
    self.assertEqual(self.refuse('id\n3\n', '--type', 'id=VARCHAR'), 'table main.t exists, and column id is BIGINT')

  def test_system_tables_are_closed(self):
    path = self.write('s.csv', 'name,value\nx,1\n')
    self.fail_yarrow('import', self.db, 'system.settings', path)


class BadFileTest(ProgramTest):
  """Nothing is imported, and nothing is left: no table, no directory."""

  def refuse(self, content, *options, name='bad.csv'):
    path = self.write(name, content)
    new = self.folder / 'a/b/db'
    message = self.fail_yarrow('import', new, 't', path, *options)
    self.assertFalse((self.folder / 'a').exists(), 'the directory is still there')
    self.run_yarrow('import', self.db, 'other', self.write('other.csv', 'a\n1\n'), '-q')
    self.assertEqual(self.fail_yarrow('import', self.db, 't', path, *options), message)
    self.assertEqual(self.row_count('other'), 1)
    self.assertIsNone(self.row_count('t'), 'the table is still there')
    self.run_yarrow('drop', self.db, 'other')
    return message.replace(str(path), name)

  def test_wrong_number_of_fields(self):
    many = 100000 if SANITIZED else 1000000
    for text, line, fields in (('a,b\n1,2\n\n3,4\n5\n6,7\n', 5, 1), ('a,b\n1,2,3\n', 2, 3),
                               ('a,b\n' + '1,2\n' * many + '1\n', many + 2, 1), ('a;b\n1;2\n3\n', 3, 1),
                               ('a,b\n1,2,3\n4,5,6\n', 2, 3), ('note\na,b\n1,2\n', 2, 2)):
      message = self.refuse(text)
      self.assertRegex(message, fr'^bad\.csv: CSV Error on Line: {line}: Original Line: .*: '
                                fr'Expected Number of Columns: \d Found: {fields}$')

  def test_a_value_that_is_not_of_the_type(self):
    self.assertEqual(self.refuse('a,b\n1,2\n1,2x\n', '--type', 'b=INTEGER'),
                     "bad.csv: line 3: column b: cannot read '2x' as INTEGER")
    many = 100000 if SANITIZED else 1000000
    self.assertEqual(self.refuse('a\n' + '1\n' * many + '300\n', '--type', 'a=TINYINT'),
                     f"bad.csv: line {many + 2}: column a: cannot read '300' as TINYINT: it is out of range")

  def test_null_in_the_key(self):
    self.assertEqual(self.refuse('a,b\n1,2\n,3\n', '--primary-key', 'b,a'),
                     'bad.csv: line 3: column a: NULL in the primary key')

  def test_the_same_key_twice(self):
    message = self.refuse('a,b\n1,x\n2,y\n1,z\n', '--primary-key', 'a')
    self.assertRegex(message, r'^bad\.csv: .*\b1\b.*; nothing was imported \(--mode upsert replaces rows\)$')

  def test_bytes_that_are_not_text(self):
    message = self.refuse(b'a\nok\n\xff\xfe\n')
    self.assertRegex(message, r'^bad\.csv: CSV Error on Line: 3: .*not utf-8')

  def test_quotes_without_end(self):
    self.assertRegex(self.refuse('a,b\n1,2\n3,"4\n5,6\n'), '^bad.csv: CSV Error on Line: 3: .*unterminated quote')

  def test_headers(self):
    self.assertEqual(self.refuse(''), 'bad.csv: the file is empty')
    self.assertEqual(self.refuse('a,b\n1,2\n', '--primary-key', 'id'),
                     '--primary-key: the files have no column id; there are: a, b')
    self.assertEqual(self.refuse('a,b\n1,2\n', '--type', 'c=DATE'), '--type: the files have no column c; there are: a, b')

  def test_headers_without_names(self):
    self.run_yarrow('import', self.db, 'twice', self.write('t.csv', 'a,,a\n1,2,3\n'))
    self.assertEqual(self.scan('twice'), [{'a': 1, 'column1': 2, 'a_1': 3}])

  def test_broken_containers(self):
    self.assertIn('bad.parquet: ', self.refuse('PAR1 it says', name='bad.parquet'))
    self.assertIn('bad.csv.gz: ', self.refuse(gzip.compress(b'a\n' + b'1\n' * 100000)[:100], name='bad.csv.gz'))

  def test_files_of_other_formats(self):
    self.assertIn("files of .xlsx are not read, only CSV, JSON", self.refuse('a\n1\n', name='bad.xlsx'))
    self.assertIn("files of .avro are not read", self.refuse(gzip.compress(b'a\n'), name='bad.AVRO.gz'))
    self.assertIn('bad.jsonl: ', self.refuse('5\n6\n', name='bad.jsonl'))

  def test_files_that_are_none(self):
    missing = self.folder / 'none.csv'
    self.assertEqual(self.fail_yarrow('import', self.db, 't', missing), f"there is no file '{missing}'")
    self.assertIn('is no regular file', self.fail_yarrow('import', self.db, 't', self.folder))
    self.assertFalse(self.db.exists())

  def test_an_empty_directory_stays(self):
    self.db.mkdir()
    self.fail_yarrow('import', self.db, 't', self.write('bad.csv', 'a\nx\n'), '--type', 'a=DATE')
    self.assertEqual(list(self.db.iterdir()), [])

  def test_another_programs_directory_is_left_alone(self):
    self.db.mkdir()
    (self.db / 'letter.txt').write_text('dear')
    message = self.fail_yarrow('import', self.db, 't', self.write('t.csv', 'a\n1\n'))
    self.assertIn('is not a Yarrow database', message)
    self.assertEqual((self.db / 'letter.txt').read_text(), 'dear')


if __name__ == '__main__':
  unittest.main()
