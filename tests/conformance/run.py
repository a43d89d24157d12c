"""Runs test scripts of DuckDB or SQLite by yarrow_conformance and reports: see scripts/conformance --help."""

import argparse
import collections
import fnmatch
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading

# The folder of a suite's scripts, and the time that one may take.
SUITES = {'duckdb': ('test/sql', 60), 'sqlite': ('test', 1200)}


class Worker:
  """One yarrow_conformance after the other: a new one behind a script that crashed or took too long."""

  def __init__(self, program, engine, suite, root, output):
    self.command = [program, engine, suite]
    self.seconds = SUITES[suite][1]
    self.root = root
    self.output = output

  def run(self, take):
    """Runs the scripts that `take` gives, until it gives None."""
    with tempfile.TemporaryDirectory(prefix='yarrow_conformance_') as folder:
      path = take()
      while path is not None:
        # What DuckDB keeps in the home folder, such as secrets, is gone with the run.
        process = subprocess.Popen(self.command + [folder + '/test'], cwd=self.root, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors='replace',
                                   env={**os.environ, 'HOME': folder})
        path = self.feed(process, path, take)
        process.stdin.close()
        process.wait()

  def feed(self, process, path, take):
    """Runs scripts by one process; returns the one that the next process begins with."""
    while path is not None:
      late = threading.Event()
      timer = threading.Timer(self.seconds, lambda: (late.set(), process.kill()))
      timer.start()
      outcome = self.ask(process, path)
      timer.cancel()
      if outcome is None:
        process.wait()
        what = f'took over {self.seconds} s' if late.is_set() else f'crashed with {-process.returncode}'
        self.output[path] = {'path': path, 'kind': 'failed', 'line': 0, 'sql': '', 'message': what}
        return take()
      self.output[path] = outcome
      path = take()
    return None

  @staticmethod
  def ask(process, path):
    try:
      process.stdin.write(path + '\n')
      process.stdin.flush()
    except OSError:
      return None
    # Scripts may write to standard output themselves.
    for line in process.stdout:
      if line.startswith('{"kind":'):
        return json.loads(line)
    return None


def run_all(program, engine, suite, root, paths, jobs):
  output = {}
  left = collections.deque(paths)
  lock = threading.Lock()

  def take():
    with lock:
      if len(left) % 100 == 0:
        print(f'{engine}: {len(left)} scripts left', file=sys.stderr)
      return left.popleft() if left else None

  threads = [threading.Thread(target=Worker(program, engine, suite, root, output).run, args=(take,)) for _ in range(jobs)]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  return output


def read_exclusions(path):
  """Pairs of a pattern and a reason, one a line."""
  lines = [line.strip() for line in path.read_text().splitlines()]
  return [line.split(None, 1) for line in lines if line and not line.startswith('#')]


NESTED = re.compile(r'(STRUCT|MAP|UNION|ENUM|DECIMAL)\(')


def outer_type(text):
  """LIST for INTEGER[], STRUCT for STRUCT(a INTEGER) and so on."""
  if text.endswith('[]'):
    return 'LIST'
  if text.endswith(']'):
    return 'ARRAY'
  nested = NESTED.match(text)
  return nested.group(1) if nested else text


def reason_of(outcome):
  """The message without what differs from script to script."""
  first = outcome['message'].splitlines()[0] if outcome['message'] else '?'
  stored = re.search(r'column \S+: (?:columns of )?type (.*?) (?:cannot be stored|is not supported)', first)
  if stored:
    return 'type ' + outer_type(stored.group(1))
  if ' <> ' in first and not first.startswith(('Catalog', 'Binder', 'Constraint')):
    return 'another result'
  first = re.sub(r'"[^"]*"|\'[^\']*\'', '...', first)
  first = re.sub(r'\b(table|column) \S+?(:| )', r'\1 ...\2', first, flags=re.I)
  return re.sub(r'[0-9]+', 'N', first)[:110]


def folder_of(path, suite):
  depth = len(pathlib.PurePath(SUITES[suite][0]).parts)
  return '/'.join(pathlib.PurePath(path).parent.parts[depth:depth + (1 if suite == 'duckdb' else 2)])


def report(engine, suite, native, excluded, outcomes, file):
  counts = collections.defaultdict(collections.Counter)
  for path, outcome in native.items():
    kind = outcome['kind']
    if kind == 'passed':
      kind = 'not applicable' if path in excluded else outcomes[path]['kind']
      counts[folder_of(path, suite)][kind] += 1
  total = sum(counts.values(), collections.Counter())
  print(f'\n## {engine}\n\n| folder | passed | failed | skipped | not applicable |\n| --- | ---: | ---: | ---: | ---: |',
        file=file)
  for folder, row in sorted(counts.items()) + [('all', total)]:
    print(f'| {folder} | ' + ' | '.join(str(row[kind]) for kind in ('passed', 'failed', 'skipped', 'not applicable')) +
          ' |', file=file)
  reasons = collections.Counter(reason_of(outcome) for outcome in outcomes.values() if outcome['kind'] == 'failed')
  print('\n| scripts | fail first by |\n| ---: | --- |', file=file)
  for reason, count in reasons.most_common(60):
    print(f'| {count} | {reason.replace("|", " ")} |', file=file)
  counted = total['passed'] + total['failed'] + total['skipped']
  return total['passed'] / counted if counted else 0


def main():
  parser = argparse.ArgumentParser()
  parser.add_argument('--program', required=True)
  parser.add_argument('--suite', choices=SUITES, default='duckdb')
  parser.add_argument('--root', type=pathlib.Path, required=True)
  parser.add_argument('--results', type=pathlib.Path, required=True)
  parser.add_argument('--engines', nargs='+', required=True)
  parser.add_argument('--native', type=pathlib.Path, help='results of native DuckDB, in place of a run')
  parser.add_argument('--filter', default='.')
  parser.add_argument('--jobs', type=int, required=True)
  arguments = parser.parse_args()

  scripts = sorted(str(path.relative_to(arguments.root)) for path in (arguments.root / SUITES[arguments.suite][0]).rglob('*.test'))
  scripts = [path for path in scripts if re.search(arguments.filter, path)]
  known = json.loads(arguments.native.read_text()) if arguments.native else None
  shutil.rmtree(arguments.results, ignore_errors=True)
  arguments.results.mkdir(parents=True)

  def run(engine, paths):
    outcomes = run_all(arguments.program, engine, arguments.suite, arguments.root, paths, arguments.jobs)
    (arguments.results / f'{engine}.json').write_text(json.dumps(outcomes, indent=1, sort_keys=True))
    return outcomes

  native = run('native', scripts) if known is None else {path: known[path] for path in scripts}
  exclusions = read_exclusions(pathlib.Path(__file__).parent / 'exclusions.txt')
  passed = [path for path, outcome in native.items() if outcome['kind'] == 'passed']
  if not passed:
    sys.exit(f'no script passes on native DuckDB: does {arguments.program} run?')
  excluded = {path for path in passed if any(fnmatch.fnmatch(path, pattern) for pattern, _ in exclusions)}
  with open(arguments.results / 'report.md', 'w', encoding='utf-8') as file:
    print(f'{len(scripts)} scripts, {len(passed)} pass on native DuckDB', file=file)
    for engine in arguments.engines:
      outcomes = run(engine, sorted(set(passed) - excluded))
      share = report(engine, arguments.suite, native, excluded, outcomes, file)
      print(f'{engine}: {share:.1%} of what native passes', file=file)
  print((arguments.results / 'report.md').read_text())


if __name__ == '__main__':
  main()
