"""TPC-H: the 22 queries of tests/tpch give the answers that they give on native DuckDB tables, to the last digit.

The tables (YARROW_TPCH) have scale factor 0.1, under the sanitizers 0.01. All sums are of decimals, whose order does not
matter, and no two rows of an ordered answer tie, so that answers are compared as text.
"""

import os
import pathlib
import unittest

from program import ProgramTest

TPCH = pathlib.Path(os.environ['YARROW_TPCH'])
SQL = pathlib.Path(__file__).resolve().parent.parent / 'tpch'
TABLES = ['region', 'nation', 'supplier', 'customer', 'part', 'partsupp', 'orders', 'lineitem']
QUERIES = [f'q{number:02}' for number in range(1, 23)]

# More than the specification's refresh functions: some of each large table is new, gone or different.
CHANGES = """
    DELETE FROM orders WHERE o_orderkey % 10 = 3;
    DELETE FROM lineitem USING (SELECT o_orderkey FROM orders WHERE o_orderkey % 10 = 4) o WHERE l_orderkey = o_orderkey;
    INSERT INTO orders SELECT * REPLACE (o_orderkey + 100000000 AS o_orderkey, o_orderdate + 40 AS o_orderdate)
      FROM orders WHERE o_orderkey % 10 = 5;
    INSERT INTO lineitem SELECT * REPLACE (l_orderkey + 100000000 AS l_orderkey, l_shipdate + 30 AS l_shipdate)
      FROM lineitem WHERE l_orderkey % 10 = 5;
    UPDATE lineitem SET l_quantity = l_quantity + 5, l_receiptdate = l_receiptdate - 7 WHERE l_linenumber = 2;
    UPDATE lineitem SET l_linenumber = l_linenumber + 10 WHERE l_orderkey % 7 = 1;
    UPDATE partsupp SET ps_supplycost = ps_supplycost * 2 WHERE ps_suppkey IN
      (SELECT s_suppkey FROM supplier WHERE s_nationkey IN (6, 7));
    UPDATE part SET p_name = 'green ' || p_name, p_size = 15 WHERE p_partkey % 11 = 0;
    UPDATE customer SET c_acctbal = -c_acctbal WHERE c_custkey % 5 = 0;
    DELETE FROM supplier WHERE s_suppkey % 50 = 0;
    """


def table_file(table):
  path = TPCH / f'{table}.parquet'
  if not path.is_file():
    raise FileNotFoundError(f'{path} is missing: run scripts/deps --data')
  return path


class TpchTest(ProgramTest):

  def run_on(self, side, *parts):
    """Output of a script that finds the tables of that side by their names."""
    script = [f"SET threads = 4; ATTACH '{self.folder / 'native.duckdb'}' AS native; USE {side};", *parts]
    return self.run_yarrow(self.db, '--format', 'csv', '-f', self.write('script.sql', '\n'.join(script)))

  def load(self, side):
    self.run_on(side, (SQL / 'schema.sql').read_text(), *(f"COPY {name} FROM '{table_file(name)}';" for name in TABLES))

  def answers(self, side, before='', after=''):
    """The lines of each query's answer, its header first."""
    queries = (f"SELECT '{name}' AS query;\n{(SQL / name).with_suffix('.sql').read_text()}" for name in QUERIES)
    output = self.run_on(side, before, *queries, after)
    answers = {}
    for part in output.split('query\n')[1:]:
      name, *lines = part.splitlines()
      answers[name] = lines
    self.assertEqual(list(answers), QUERIES)
    return answers

  def compare(self, what, **script):
    """The answers, which are the same on both sides."""
    ours, native = self.answers('db', **script), self.answers('native', **script)
    for name in QUERIES:
      with self.subTest(what, query=name):
        self.assertGreater(len(native[name]), 1, 'it has no rows to compare')
        self.assertEqual(ours[name], native[name])
    return native

  def test_22_queries(self):
    self.db.mkdir()
    for side in ('db', 'native'):
      self.load(side)
    loaded = self.compare('as loaded')
    changed = self.compare('in the transaction that changes tables', before=f'BEGIN; {CHANGES}', after='COMMIT;')
    different = [name for name in QUERIES if changed[name] != loaded[name]]
    self.assertGreater(len(different), 18, f'the changes show in {different} alone')
    self.assertEqual(self.compare('in the next process'), changed)


if __name__ == '__main__':
  unittest.main()
