#!/usr/bin/env python3
"""Turns google-benchmark results into the table of ratios that the project promises.

Usage: report.py --rows rows.json [--json FILE] [--svg FILE] [--strict] RESULT.json...

rows.json is a list, one object a line of the table:
  what         text of the line
  numerator    name of a benchmark, without google-benchmark's suffixes (/real_time, /min_time:...); may hold {state},
               which makes one value for each state of the table: fresh, aged
  denominator  the benchmark that it is divided by; without one, the value is the numerator itself
  metric       real_time (default), cpu_time or the name of a counter
  target       "<= 1.5", ">= 1000" or, without a denominator, "<= 0.5 ms" (or a counter's own unit)
  against      what the denominator is, in words
Each value is the median over the repetitions. A missed target is reported, not an error; --strict fails for a line that
was not measured.
"""

import argparse
import json
import math
import pathlib
import re
import statistics
import sys
from xml.sax.saxutils import escape

STATES = ('fresh', 'aged')
SUFFIX = re.compile(r'/(real_time|process_time|manual_time|(min_time|min_warmup_time|iterations|repeats):[^/]*)')
TIMES = ('real_time', 'cpu_time')
NANOSECONDS = {'ns': 1, 'us': 1e3, 'ms': 1e6, 's': 1e9}
TARGET = re.compile(r'^(<=|>=) ([0-9.]+)(?: (\S+))?$')


class Results:
  """Medians by benchmark name and metric; times in nanoseconds."""

  def __init__(self, files):
    self.context = {}
    self._samples = {}
    for file in files:
      document = json.loads(file.read_text())
      self.context = {**document['context'], **self.context}
      for run in document['benchmarks']:
        if run.get('error_occurred'):
          sys.exit(f'{file}: {run["name"]} failed: {run.get("error_message", "")}')
        if run.get('run_type') == 'iteration':
          self._samples.setdefault(SUFFIX.sub('', run['run_name']), []).append(run)

  def median(self, name, metric):
    """None when the benchmark was not run; an error when it has no such counter."""
    samples = self._samples.get(name)
    if samples is None:
      return None
    if metric not in samples[0]:
      sys.exit(f'benchmark {name} has no {metric}')
    scale = NANOSECONDS[samples[0]['time_unit']] if metric in TIMES else 1
    return statistics.median(sample[metric] for sample in samples) * scale


class Cell:
  """One value of a line: the ratio (or plain value) in one state of the table."""

  def __init__(self, row, state, results):
    self.state = state
    self.numerator, self.denominator = (
        results.median(row[part].replace('{state}', state), row.get('metric', 'real_time')) if part in row else None
        for part in ('numerator', 'denominator'))
    measured = self.numerator is not None and ('denominator' not in row or self.denominator)
    self.value = (self.numerator / (self.denominator or 1)) if measured else None


class Line:
  """One line of the table."""

  def __init__(self, row, results):
    self.row = row
    match = TARGET.match(row['target'])
    if not match:
      sys.exit(f'the line "{row["what"]}" has a target that cannot be read: {row["target"]}')
    self.sense, limit, self.unit = match.groups()
    # Times without a denominator stay in nanoseconds; counters have the unit that they have.
    is_time = row.get('metric', 'real_time') in TIMES
    self.scale = NANOSECONDS.get(self.unit, 1) if is_time else 1
    self.limit = float(limit) * self.scale
    states = STATES if '{state}' in row['numerator'] else ('',)
    self.cells = [Cell(row, state, results) for state in states]

  def share_of_target(self, value):
    """1 at the target, less when better."""
    above, below = (value, self.limit) if self.sense == '<=' else (self.limit, value)
    if above == below:
      return 1
    return above / below if below else float('inf')

  def show(self, cell):
    if cell.value is None:
      return 'not measured'
    return self.show_value(cell) + ('' if self.share_of_target(cell.value) <= 1 else ' (missed)')

  def show_value(self, cell):
    value = cell.value / self.scale
    text = f'{value:,.0f}' if value >= 100 else f'{value:.3g}'
    unit = f' {self.unit}' if self.unit else ('x' if 'denominator' in self.row else '')
    return text + unit

  def to_json(self):
    values = [{'state': cell.state or None, 'value': cell.value, 'numerator': cell.numerator,
               'denominator': cell.denominator,
               'met': cell.value is not None and self.share_of_target(cell.value) <= 1} for cell in self.cells]
    return {**self.row, 'values': values}


def text_table(lines):
  """Markdown, so that it can be pasted into the README or an issue."""
  rows = [['what', 'against', 'target', *STATES]]
  for line in lines:
    cells = [line.show(cell) for cell in line.cells]
    cells += [''] * (len(STATES) - len(cells))
    rows.append([line.row['what'], line.row.get('against', ''), line.row['target'], *cells])
  widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
  rows.insert(1, ['-' * width for width in widths])
  return '\n'.join('| ' + ' | '.join(cell.ljust(width) for cell, width in zip(row, widths)) + ' |' for row in rows)


def svg_chart(lines):
  """Bars of the share of each target that was used, on a logarithmic scale: shorter is better, the rule is the target."""
  label_width, plot_width, bar, gap, top = 380, 420, 13, 12, 56
  shares = [line.share_of_target(cell.value) for line in lines for cell in line.cells if cell.value]
  low = min([-1, *(math.log10(share) - 0.1 for share in shares)])
  high = max([0.2, *(math.log10(share) for share in shares)])

  def x(share):
    return label_width + plot_width * (math.log10(share) - low) / (high - low)

  out, y = [], top
  for line in lines:
    measured = [cell for cell in line.cells if cell.value]
    if not measured:
      continue
    out.append(f'<text x="{label_width - 8}" y="{y + bar * len(measured) / 2 + 4:.0f}" text-anchor="end">'
               f'{escape(line.row["what"])}</text>')
    for cell in measured:
      share = line.share_of_target(cell.value)
      colour = '#b5382c' if share > 1 else ('#7aa6c2' if cell.state == 'aged' else '#2f6f9f')
      out.append(f'<rect x="{label_width}" y="{y}" width="{max(1, x(share) - label_width):.1f}" height="{bar - 2}" '
                 f'fill="{colour}"/>')
      note = f'{line.show_value(cell)} (target {line.row["target"].replace("<= ", "≤ ").replace(">= ", "≥ ")})'
      out.append(f'<text x="{x(share) + 5:.1f}" y="{y + bar - 4}" class="value">{escape(note)}</text>')
      y += bar
    y += gap
  height = y + 20
  rule = x(1)
  head = [
      f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 {height}" width="1000" height="{height}" '
      'font-family="sans-serif" font-size="12">',
      '<style>.value{font-size:10px;fill:#444}</style>',
      f'<rect width="1000" height="{height}" fill="#ffffff"/>',
      '<text x="12" y="20" font-size="15" font-weight="bold">Share of each target used (log scale; shorter is better)'
      '</text>',
      '<rect x="12" y="30" width="10" height="10" fill="#2f6f9f"/><text x="26" y="39">freshly loaded</text>',
      '<rect x="120" y="30" width="10" height="10" fill="#7aa6c2"/><text x="134" y="39">after updates and deletes</text>',
      '<rect x="300" y="30" width="10" height="10" fill="#b5382c"/><text x="314" y="39">target missed</text>',
      f'<line x1="{rule}" y1="{top - 8}" x2="{rule}" y2="{y}" stroke="#222" stroke-dasharray="4 3"/>',
      f'<text x="{rule}" y="{y + 12}" text-anchor="middle" class="value">target</text>',
  ]
  return '\n'.join([*head, *out, '</svg>', ''])


def main():
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--rows', type=pathlib.Path, required=True)
  parser.add_argument('--json', type=pathlib.Path)
  parser.add_argument('--svg', type=pathlib.Path)
  parser.add_argument('--strict', action='store_true')
  parser.add_argument('results', type=pathlib.Path, nargs='+')
  options = parser.parse_args()

  results = Results(options.results)
  lines = [Line(row, results) for row in json.loads(options.rows.read_text())]
  print(text_table(lines))
  if options.json:
    context = {key: results.context.get(key) for key in ('date', 'num_cpus', 'mhz_per_cpu')}
    options.json.write_text(json.dumps({'context': context, 'lines': [line.to_json() for line in lines]}, indent=1) + '\n')
  if options.svg:
    options.svg.write_text(svg_chart(lines))
  cells = [cell for line in lines for cell in line.cells]
  missing = sum(cell.value is None for cell in cells)
  missed = sum(cell.value is not None and line.share_of_target(cell.value) > 1 for line in lines for cell in line.cells)
  print(f'\n{len(cells)} values: {len(cells) - missing - missed} within target, {missed} missed, {missing} not measured')
  return 1 if options.strict and missing else 0


if __name__ == '__main__':
  sys.exit(main())
