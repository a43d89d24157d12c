"""The interactive shell on a terminal of its own, and the same commands in scripts."""

import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
import unittest

from program import YARROW, ProgramTest, data_file

PROMPT = 'yarrow> '
ESCAPES = re.compile(r'\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r|\x07')
ENDLESS = 'SELECT count(*) FROM range(100000000000) a, range(100000) b WHERE a.range + b.range = -1;'


class Terminal:
  """A program on a pseudo terminal."""

  def __init__(self, test, *arguments, history):
    self.test = test
    self.primary, secondary = pty.openpty()
    environment = os.environ | {'YARROW_HISTORY': str(history), 'TERM': 'xterm', 'LC_ALL': 'C.UTF-8'}
    self.process = subprocess.Popen(
        [YARROW, *map(str, arguments)], stdin=secondary, stdout=secondary, stderr=secondary, env=environment,
        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(secondary)
    self.seen = ''

  def expect(self, text, timeout=60):
    """Everything up to `text`, which must come."""
    deadline = time.monotonic() + timeout
    while text not in self.seen:
      ready, _, _ = select.select([self.primary], [], [], max(0, deadline - time.monotonic()))
      if not ready:
        self.test.fail(f'{text!r} did not come; there is {self.seen!r}')
      try:
        data = os.read(self.primary, 4096)
      except OSError:
        data = b''
      if not data:
        self.test.fail(f'the program ended before {text!r}; there is {self.seen!r}')
      self.seen += ESCAPES.sub('', data.decode('utf-8', 'replace'))
    before, _, self.seen = self.seen.partition(text)
    return before

  def type(self, text):
    os.write(self.primary, text.encode())

  def run(self, line):
    """What a whole statement or command prints."""
    self.type(line + '\n')
    return self.expect(PROMPT)

  def end(self):
    return self.process.wait(60)

  def close(self):
    self.process.kill()
    self.process.wait()
    os.close(self.primary)


class InteractiveTest(ProgramTest):

  def open(self, *arguments):
    terminal = Terminal(self, self.db, *arguments, history=self.folder / 'history')
    self.addCleanup(terminal.close)
    terminal.expect(PROMPT)
    return terminal

  def test_statements_of_several_lines(self):
    shell = self.open()
    shell.type('CREATE TABLE t (id BIGINT PRIMARY KEY,\n')
    shell.expect('...> ')
    shell.type("name VARCHAR DEFAULT ';');\n")
    shell.expect(PROMPT)
    shell.run("INSERT INTO t VALUES (1, 'ä'), (2, 'b');")
    self.assertIn('(2 rows)', shell.run('SELECT * FROM t ORDER BY id;'))
    self.assertIn(' 2 | b', shell.run('SELECT * FROM t WHERE id = 2;'))
    shell.type('.quit\n')
    self.assertEqual(shell.end(), 0)
    self.assertEqual(self.run_yarrow('get', self.db, 't', '1', '--format', 'jsonlines').strip(), '{"id":1,"name":"ä"}')

  def test_errors_do_not_end_it(self):
    shell = self.open()
    self.assertIn('Parser Error', shell.run('SELEC 1;'))
    self.assertIn('.help', shell.run('.nonsense'))
    self.assertIn('usage: .mode', shell.run('.mode'))
    self.assertIn('(1 row)', shell.run('SELECT 42;'))
    shell.type('\x04')
    self.assertEqual(shell.end(), 0)

  def test_keys_are_the_shells_own_from_the_moment_it_prompts(self):
    shell = self.open()
    edited_by_terminal = 0
    for _ in range(50):
      shell.run('')
      edited_by_terminal += bool(termios.tcgetattr(shell.primary)[3] & termios.ICANON)
    self.assertEqual(edited_by_terminal, 0)

  def test_ctrl_c_cancels_the_statement_and_not_the_shell(self):
    shell = self.open()
    for _ in range(2):
      shell.type(ENDLESS + '\n')
      time.sleep(0.5)
      shell.type('\x03')
      self.assertIn('cancelled', shell.expect(PROMPT))
    shell.run('BEGIN;')
    shell.type('SELECT 1 +\n')
    shell.expect('...> ')
    shell.type('nonsense\x03')
    shell.expect(PROMPT)
    self.assertIn('(1 row)', shell.run('SELECT 7 AS seven;'))
    shell.process.send_signal(signal.SIGTERM)
    self.assertEqual(shell.end(), 128 + signal.SIGTERM)

  def test_a_terminal_that_goes_away_ends_the_shell(self):
    shell = self.open()
    shell.run('SELECT 7 AS seven;')
    shell.process.send_signal(signal.SIGHUP)
    self.assertEqual(shell.end(), 128 + signal.SIGHUP)

  def test_history_outlives_the_shell(self):
    shell = self.open()
    shell.run("SELECT 'first' AS x,\n 2;")
    shell.type('\x04')
    self.assertEqual(shell.end(), 0)
    shell = self.open()
    shell.type('\x1b[A\n')  # up
    self.assertIn('first', shell.expect(PROMPT))

  def test_history_keeps_the_lines_of_a_statement(self):
    shell = self.open()
    shell.run('-- a note')
    shell.type("SELECT 'a\n")
    shell.expect('...> ')
    shell.run("b' AS x, 77 AS q;")
    script = self.folder / 'script.sql'
    script.write_text('SELECT 1 AS from_script;\n')
    shell.run(f'.read {script}')
    for _ in range(2):
      shell.type('\x1b[A\x1b[A\n')  # up, beyond .read: lines of the script are not in between
      self.assertRegex(shell.expect('(1 row)'), r'a\\nb \| 77')
      shell.expect(PROMPT)
      shell.type('\x04')
      self.assertEqual(shell.end(), 0)
      shell = self.open()  # the file has them, too
      shell.run('SELECT 3;')

  def test_commands(self):
    shell = self.open()
    self.assertIn('.import FILE TABLE', shell.run('.help'))
    self.assertIn('imported 1,458 rows', shell.run(f".import {data_file('airports')} airports --primary-key faa"))
    self.assertIn('airports', shell.run('.tables'))
    self.assertNotIn('airports', shell.run('.tables plane%'))
    self.assertIn('PRIMARY KEY', shell.run('.schema airports'))
    shell.run('.mode csv')
    self.assertIn('JFK', shell.run("SELECT faa FROM airports WHERE faa = 'JFK';"))
    shell.run('.timer on')
    self.assertRegex(shell.run('SELECT 1;'), r'run time: \d+\.\d+ ms')
    script = self.folder / 'script.sql'
    script.write_text(".mode json\nSELECT 1 AS one;\n.mode nonsense\nSELECT 2 AS never;\n")
    printed = shell.run(f'.read {script}')
    self.assertIn('"one":1', printed)
    self.assertIn('script.sql: there is no mode', printed)
    self.assertNotIn('never', printed)


class ScriptTest(ProgramTest):

  def test_import_is_no_part_of_a_transaction(self):
    file = self.write('a.csv', 'id\n1\n')
    for end in ('COMMIT', 'ROLLBACK'):
      message = self.fail_yarrow(self.db, '-c', 'BEGIN', '-c', f'.import {file} a')
      self.assertIn('.import: a transaction is open', message)
      self.run_yarrow(self.db, '-c', 'BEGIN', '-c', end, '-c', f'.import {file} {end}')
    self.assertEqual(self.run_yarrow(self.db, '--format', 'csv', '-c', '.tables').split(),
                     ['schema,name,kind', 'main,COMMIT,shared', 'main,ROLLBACK,shared'])

  def test_commands_in_scripts(self):
    schema = "CREATE TABLE notes (id BIGINT PRIMARY KEY, text VARCHAR NOT NULL DEFAULT 'it''s') WITH (kind = 'user');"
    self.run_yarrow(self.db, '-c', schema, '-c', 'CREATE SCHEMA app; CREATE TABLE app.t (a INTEGER, b DECIMAL(9,2))')
    self.run_yarrow(self.db, '-c', 'CREATE MACRO app.half(a) AS a / 2; CREATE VIEW v AS SELECT app.half(a) AS h FROM app.t',
                    '-c', "CREATE VIEW app.a AS SELECT h FROM v; CREATE TYPE mood AS ENUM ('sad', 'ok')",
                    '-c', 'CREATE SEQUENCE app.ids START 5; CREATE SEQUENCE other',
                    '-c', "CREATE TABLE app.ordered (id INT DEFAULT nextval('ids'), n INT CHECK (n > 0), g AS (n + 1))",
                    '-c', "SELECT nextval('app.ids')")
    printed = self.run_yarrow(self.db, '-c', '.schema')
    self.assertEqual(printed.count('CREATE VIEW'), 2)
    self.assertIn('CREATE VIEW app.a', self.run_yarrow(self.db, '-c', '.schema app.a'))
    self.assertEqual(self.run_yarrow(self.db, '--format', 'csv', '-c', '.tables').split(),
                     ['schema,name,kind', 'app,a,view', 'app,ordered,shared', 'app,t,shared', 'main,notes,user', 'main,v,view'])
    copy = self.folder / 'copy'
    self.run_yarrow(copy, '-c', 'CREATE SCHEMA app', '-c', printed)
    self.assertEqual(self.run_yarrow(copy, '-c', '.schema'), printed)
    self.assertIn("'user'", printed)
    script = self.folder / 'script.sql'
    script.write_text('.mode markdown\nSELECT 1 AS a, NULL AS b,\n  \'x|y\' AS c;\n-- the end')
    self.assertEqual(self.run_yarrow(self.db, '-f', script), '| a | b | c |\n| --- | --- | --- |\n| 1 |  | x\\|y |\n')

  def test_json(self):
    self.assertEqual(self.run_yarrow(self.db, '--format', 'json', '-c', "SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, NULL"),
                     '[{"a":1,"b":"x"},\n {"a":2,"b":null}]\n')
    self.assertEqual(self.run_yarrow(self.db, '--format', 'json', '-c', 'SELECT 1 AS a WHERE false'), '[]\n')
    nested = """SELECT [1, NULL] AS l, {'a': 'x', 'b': [2.5]} AS s, MAP {'k': 1} AS m"""
    self.assertEqual(self.run_yarrow(self.db, '--format', 'jsonlines', '-c', nested),
                     '{"l":[1,null],"s":{"a":"x","b":[2.5]},"m":{"k":1}}\n')
    self.assertEqual(self.run_yarrow(self.db, '--format', 'csv', '-c', 'SELECT [1, 2] AS l'), 'l\n"[1, 2]"\n')

  def test_explain_is_printed_as_it_is(self):
    self.run_yarrow(self.db, '-c', 'CREATE TABLE t (id BIGINT PRIMARY KEY)')
    lines = self.run_yarrow(self.db, '-c', 'EXPLAIN SELECT * FROM t WHERE id > 5').splitlines()
    self.assertIn('[(6), last)', '\n'.join(lines))
    self.assertTrue(lines[0].startswith('┌'), lines[0])


if __name__ == '__main__':
  unittest.main()
