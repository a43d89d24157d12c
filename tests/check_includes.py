#!/usr/bin/env python3
"""Fails on any #include that src/layers.txt does not allow.

Usage: check_includes.py [--root FOLDER]

A file of src/<layer>/ may include its own layer, the layers of its row and their public headers, the third-party folders
of its row, and the standard library; *_test.cc also GoogleTest and tests/support. A public header (include/yarrow/)
belongs to exactly one layer, has that layer's rights, and includes nothing private and no storage or SQL engine.
"""

import argparse
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*(?:include|import|include_next)\b\s*(.*)')
TARGET = re.compile(r'(<([^>]+)>|"([^"]+)")')
SOURCES = {'.h', '.hpp', '.cc', '.cpp'}
NEVER_PUBLIC = {'rocksdb', 'duckdb'}
TEST_FOLDERS = {'gtest', 'gmock'}
# POSIX and C headers by name, since an unknown <x.h> is more likely a third-party library than the system's.
SYSTEM_HEADERS = {'dirent.h', 'errno.h', 'fcntl.h', 'nmmintrin.h', 'poll.h', 'pthread.h', 'sched.h', 'signal.h', 'termios.h',
                  'time.h', 'unistd.h'}


class Layer:
  def __init__(self, name, uses, headers, third_party):
    self.name = name
    self.uses = uses  # names of the layers it may include
    self.headers = headers  # file names in include/yarrow/
    self.third_party = third_party  # first folders of includes, or headers that have no folder


def read_layers(table, errors):
  """The rows of src/layers.txt, by name, in order."""
  layers = {}
  for number, line in enumerate(table.read_text().splitlines(), 1):
    if not line.strip() or line.startswith('#'):
      continue
    cells = [cell.split() for cell in line.split('|')]
    if len(cells) != 4 or len(cells[0]) != 1:
      errors.append(f'{table}:{number}: expected "name | layers | public headers | third-party folders"')
      continue
    layer = Layer(cells[0][0], *cells[1:])
    for used in layer.uses:
      if used not in layers:
        errors.append(f'{table}:{number}: layer {layer.name} names {used}, which has no row above it')
    if layer.name in layers:
      errors.append(f'{table}:{number}: layer {layer.name} has two rows')
    layers[layer.name] = layer
  return layers


def find_owners(root, layers, errors):
  """Public header -> the layer that owns it; tells of headers with no owner, with two, or without a file."""
  owners = {}
  for layer in layers.values():
    for header in layer.headers:
      if header in owners:
        errors.append(f'src/layers.txt: include/yarrow/{header} is owned by both {owners[header]} and {layer.name}')
      owners[header] = layer.name
      if not (root / 'include/yarrow' / header).is_file():
        errors.append(f'src/layers.txt: layer {layer.name} owns include/yarrow/{header}, which does not exist')
  for path in sorted((root / 'include').rglob('*')):
    if path.is_file() and (path.parent != root / 'include/yarrow' or path.name not in owners):
      errors.append(f'{path.relative_to(root)}: no layer of src/layers.txt owns this header')
  return owners


def refusal(target, is_system, layer, layers, owners, is_public, is_test, support):
  """Why a file of `layer` may not include `target`, or None."""
  parts = target.split('/')
  first = parts[0]
  if '..' in parts or '.' in parts:
    return 'write the path from the layer folder, without dots'
  if is_system and len(parts) == 1:
    if '.' not in target or target in SYSTEM_HEADERS or (target in layer.third_party and not is_public):
      return None
    return 'neither the standard library nor a system header known to tests/check_includes.py'
  if first == 'sys' and is_system:
    return None
  if is_test and (first in TEST_FOLDERS or target in support):
    return None
  if first == 'yarrow':
    owner = owners.get('/'.join(parts[1:]))
    if owner is None:
      return 'no layer owns that public header'
    if owner != layer.name and owner not in layer.uses:
      return f'it belongs to layer {owner}, and {layer.name} may use only: {" ".join(layer.uses) or "no other layer"}'
    return None
  if is_public and first in NEVER_PUBLIC:
    return 'a public header shows no storage or SQL engine'
  if first in layer.third_party:
    return None
  if len(parts) == 1:
    return f'write it with its folder, as in "{layer.name}/{target}"'
  if first in layers:
    if is_public:
      return 'a public header may not include a private one'
    if first != layer.name and first not in layer.uses:
      return f'layer {layer.name} may use only: {" ".join(layer.uses) or "no other layer"}'
    return None
  return f'layer {layer.name} may use only these libraries: {" ".join(layer.third_party)}'


def check_file(path, root, layer, layers, owners, support, errors):
  is_public = root / 'include' in path.parents
  is_test = path.stem.endswith('_test')
  for number, line in enumerate(path.read_text().splitlines(), 1):
    include = INCLUDE.match(line)
    if not include:
      continue
    target = TARGET.match(include.group(1))
    if not target:
      reason = 'an include by macro cannot be checked'
    else:
      name = target.group(2) or target.group(3)
      reason = refusal(name, target.group(2) is not None, layer, layers, owners, is_public, is_test, support)
    if reason:
      errors.append(f'{path.relative_to(root)}:{number}: #include {include.group(1).strip()}: {reason}')


def check(root):
  errors = []
  layers = read_layers(root / 'src/layers.txt', errors)
  owners = find_owners(root, layers, errors)
  support = {path.name for path in (root / 'tests/support').glob('*.h')}
  checked = 0
  for folder in sorted(path for path in (root / 'src').iterdir() if path.is_dir()):
    if folder.name not in layers:
      errors.append(f'src/{folder.name}: no row in src/layers.txt')
      continue
    for path in sorted(path for path in folder.rglob('*') if path.suffix in SOURCES):
      check_file(path, root, layers[folder.name], layers, owners, support, errors)
      checked += 1
  for header, owner in owners.items():
    path = root / 'include/yarrow' / header
    if path.is_file():
      check_file(path, root, layers[owner], layers, owners, support, errors)
      checked += 1
  return errors, checked


def main():
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--root', type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
  errors, checked = check(parser.parse_args().root.resolve())
  for error in errors:
    print(error)
  print(f'{checked} files checked, {len(errors)} errors')
  return 1 if errors else 0


if __name__ == '__main__':
  sys.exit(main())
