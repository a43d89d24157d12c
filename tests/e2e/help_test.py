"""The command line itself: help, version, mistakes."""

import unittest

from program import ProgramTest

COMMANDS = ('import', 'export', 'flush', 'compact', 'scan', 'get', 'tables', 'schema', 'stats', 'drop')


class HelpTest(ProgramTest):

  def test_every_command_has_help_with_an_example(self):
    overview = self.run_yarrow('--help')
    for command in COMMANDS:
      self.assertRegex(overview, fr'\n +{command} +\w')
      text = self.run_yarrow(command, '--help')
      self.assertIn(f'  yarrow {command} ./db', text)
      for line in text.splitlines():
        self.assertLessEqual(len(line), 100, line)

  def test_version(self):
    self.assertRegex(self.run_yarrow('--version'), r'^yarrow \d+\.\d+\.\d+\n$')

  def test_mistakes_are_usage_errors(self):
    for arguments in ([], ['nonsense'], ['scan'], ['scan', self.db], ['scan', self.db, 't', '--format', 'xml'],
                      ['scan', self.db, 't', '--limit', 'many'], ['scan', self.db, 't', '--limit', '-1'],
                      ['scan', self.db, 't', '--columns', 'a,,b'], ['scan', self.db, 't', '--nope'],
                      ['import', self.db, 't'], ['import', self.db, 't', 'a.csv', '--type', 'a'],
                      ['import', self.db, 't', 'a.csv', '--type', 'a=NONSENSE'],
                      ['import', self.db, 't', 'a.csv', '--delimiter', 'ab'],
                      ['import', self.db, 't', 'a.csv', '--mode', 'replace'],
                      ['import', self.db, 't', 'a.csv', '--kind', 'system']):
      with self.subTest(arguments):
        self.fail_yarrow(*arguments, code=2)
    self.assertFalse(self.db.exists())

  def test_mistakes_say_what_to_do(self):
    self.assertIn("no command and no directory 'newdb'; see yarrow --help, or make a database there with yarrow ./newdb",
                  self.fail_yarrow('newdb', '-c', 'SELECT 1', code=2))
    self.assertIn('--limit: -1 is less than 0 rows', self.fail_yarrow('scan', self.db, 't', '--limit', '-1', code=2))


if __name__ == '__main__':
  unittest.main()
