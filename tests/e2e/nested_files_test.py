"""Nested values, JSON and what Arrow lacks, out into files and back."""

import json
import unittest

from program import ProgramTest

COLUMNS = """id INTEGER PRIMARY KEY, l INTEGER[], s STRUCT(a INTEGER, b VARCHAR), m MAP(VARCHAR, INTEGER), ar INTEGER[2],
             iv INTERVAL[], j JSON, deep STRUCT(x JSON, e ENUM('p', 'q'))[]"""
ROWS = """(1, [1, NULL, 3], {'a': 5, 'b': 'a, "b"'}, MAP {'k': 1}, [7, 8], [INTERVAL 1 DAY], '{"a":[1,2]}',
           [{'x': '"t"', 'e': 'q'}]),
          (2, [], NULL, MAP {}, NULL, [], '"text"', NULL), (3, NULL, {'a': NULL, 'b': ''}, NULL, [NULL, 1], NULL, 'null', [])"""


class NestedFilesTest(ProgramTest):

  def test_there_and_back(self):
    self.run_yarrow(self.db, '-c', f'CREATE TABLE t ({COLUMNS})', '-c', f'INSERT INTO t VALUES {ROWS}')
    for extra in ('', ', g GEOMETRY'):  # with such a column the rows go by an INSERT
      for name in ('t.csv', 't.json', 't.jsonl', 't.parquet'):
        with self.subTest(extra + name):
          file = self.write(name, '')
          self.run_yarrow('export', self.db, 't', file, '--quiet')
          self.run_yarrow(self.db, '-c', f'CREATE OR REPLACE TABLE back ({COLUMNS}{extra})')
          self.run_yarrow('import', self.db, 'back', file)
          same = 'SELECT count(*) FROM (FROM t INTERSECT SELECT * ' + ('EXCLUDE g ' if extra else '') + 'FROM back)'
          # A JSON null is a NULL in a file of JSON.
          self.assertEqual(self.run_yarrow(self.db, '--format', 'csv', '-c', same).split()[-1],
                           '2' if 'json' in name else '3')

  def test_what_arrow_has_in_parts_is_shown_as_sql_shows_it(self):
    self.run_yarrow(
        self.db, '-c', 'CREATE TABLE t (id INTEGER PRIMARY KEY, u UNION(n INTEGER, v VARCHAR), w VARIANT, g GEOMETRY, '
        'd STRUCT(v VARIANT)[])', '-c',
        "INSERT INTO t VALUES (1, 5, {'a': 1, 'b': [1, 2]}::VARIANT, 'POINT (1 2)', [{'v': 7::VARIANT}])")
    for options in ([], ['--where', 'id = 1']):
      file = self.write('t.json', '')
      self.run_yarrow('export', self.db, 't', file, '--quiet', *options)
      with open(file, encoding='utf-8') as exported:
        self.assertEqual(json.load(exported), [{
            'id': 1, 'u': {'n': 5}, 'w': {'a': 1, 'b': [1, 2]}, 'g': 'POINT (1 2)', 'd': [{'v': '7'}]}])
      file = self.write('t.csv', '')
      self.run_yarrow('export', self.db, 't', file, '--quiet', *options)
      with open(file, encoding='utf-8') as exported:
        self.assertEqual(exported.read(), 'id,u,w,g,d\n1,5,"{\'a\': 1, \'b\': [1, 2]}",POINT (1 2),[{\'v\': 7}]\n')
    self.assertIn('POINT (1 2)', self.run_yarrow('scan', self.db, 't'))
    self.run_yarrow(self.db, '-c', 'CREATE TABLE places (id INTEGER, g GEOMETRY)')
    self.run_yarrow('import', self.db, 'places', self.write('g.csv', 'id,g\n1,POINT (3 4)\n'))
    self.assertIn('POINT (3 4)', self.run_yarrow(self.db, '-c', 'FROM places'))

  def test_what_does_not_fit_is_refused_with_its_line(self):
    self.run_yarrow(self.db, '-c', "CREATE TABLE t (id INTEGER, l INTEGER[], j JSON, e ENUM('p')[])")
    for text, message in (('1,"[1, 2.5]",,', "line 2: column l: value 2.5 of type string does not fit INTEGER"),
                          ('1,"[1]",,\n2,hello,,', "line 3: column l: cannot read 'hello' as INTEGER[]"),
                          ('1,,hello,', "line 2: column j: cannot read 'hello' as JSON"),
                          ('1,,,[q]', "line 2: column e: value q of type string does not fit ENUM('p')")):
      with self.subTest(text):
        file = self.write('bad.csv', f'id,l,j,e\n{text}\n')
        self.assertIn(message, self.fail_yarrow('import', self.db, 't', file))
    self.run_yarrow('import', self.db, 't', self.write('quoted.csv', 'id,l,j,e\n9,"","",""\n'))
    self.assertIn('(1 row)', self.run_yarrow(self.db, '-c', 'FROM t WHERE id = 9 AND l IS NULL AND j IS NULL AND e IS NULL'))
    self.run_yarrow(self.db, '-c', 'DELETE FROM t')
    file = self.write('bad.jsonl', '{"id": 1, "l": [1]}\n{"id": 2, "l": [1, 2.5]}\n')
    self.assertIn('row 2: column l: value 2.5', self.fail_yarrow('import', self.db, 't', file))
    self.assertIn('(0 rows)', self.run_yarrow(self.db, '-c', 'FROM t'))


if __name__ == '__main__':
  unittest.main()
