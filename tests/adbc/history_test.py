"""Histories of concurrent transactions through the ADBC driver (YARROW_ADBC), and a checker that sees nothing but the history.

Names of anomalies are those of Adya, "Weak Consistency" (1999); lists that are appended to tell the order of versions, after
Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations" (VLDB 2020). Snapshot isolation has no
cycle of dependencies without two rw edges in a row; strong snapshot isolation has none with edges of time, from the end of a
transaction to later beginnings, either. YARROW_SEED chooses what transactions do (not when), YARROW_ROUNDS multiplies them.
"""

import collections
import concurrent.futures
import graphlib
import itertools
import os
import random
import tempfile
import time
import unittest

from adbc_driver_manager import dbapi

SEED = int(os.environ.get("YARROW_SEED", int(time.time()) // 86400))
ROUNDS = int(os.environ.get("YARROW_ROUNDS", "1"))
LATER = float("inf")
CLOCK = itertools.count()  # a later call has a greater number
NUMBERS = itertools.count(1)  # no value is written twice


class Txn:
    """Its snapshot was taken between begin and started, its commit happened between committing and end."""

    def __init__(self, name, begin, started=LATER, committing=LATER, end=LATER, outcome="running"):
        self.name, self.begin, self.started, self.committing, self.end = name, begin, started, committing, end
        self.outcome = outcome  # or committed, conflict, rolled back
        self.ops = []  # what succeeded: (append or write, key, number), or (read, key, tuple): a register has one number
        self.touched = set()  # what it tried to write

    def __str__(self):
        return f"{self.name} [{self.begin}-{self.end} {self.outcome}] " + " ".join(f"{k}({key}, {v})" for k, key, v in self.ops)


class Checker:
    """The anomalies of a history. What aborted transactions read counts, too: their snapshots are like any other."""

    def __init__(self, history):
        committed = {txn for txn in history if txn.outcome == "committed"}
        self.anomalies = []  # (name, text)
        self.edges = {kind: collections.defaultdict(dict) for kind in ("ww", "wr", "rw", "time")}  # kind -> from -> to -> key
        self.reads = collections.defaultdict(dict)  # key -> txn -> the version that it read, without its own writes
        self.writers = collections.defaultdict(dict)  # key -> value -> txn
        self.last = collections.defaultdict(dict)  # key -> committed txn -> the last value that it wrote
        for txn in history:
            self.inside(txn)
        registers = {key for txn in history for kind, key, _ in txn.ops if kind == "write"}
        for key in set(self.reads) | set(self.writers):
            self.versions(key, key in registers)
            for a, b in itertools.combinations(self.last[key], 2):
                if a.started < b.committing and b.started < a.committing:
                    self.report("G-SIa", f"both wrote {key}, though they were concurrent", a, b)
        for txn in history:
            before = [other for other in history if other.end < txn.begin]
            latest = max((other.begin for other in before), default=0)
            for other in (other for other in before if other.end >= latest):  # to the rest by way of the latest
                self.add("time", other, txn, "")
            # Only who wrote the same and committed meanwhile is a reason to fail.
            if txn.outcome == "conflict" and not any(other.end > txn.begin and other.committing < txn.end and
                                                     other.touched & txn.touched for other in committed):
                self.report("needless conflict", f"nobody changed any of {txn.touched}", txn)
        self.cycles()
        self.write_skews = sum(a in self.edges["rw"].get(b, ()) and {a, b} <= committed
                               for a, successors in self.edges["rw"].items() for b in list(successors)) // 2

    def report(self, name, text, *txns):
        self.anomalies.append((name, "\n  ".join([f"{name}: {text}", *map(str, txns)])))

    def inside(self, txn):
        known, own = {}, collections.defaultdict(list)
        for kind, key, value in txn.ops:
            if kind in ("append", "write"):
                own[key].append(value)
                if kind == "write" or key in known:
                    known[key] = (value,) if kind == "write" else (*known[key], value)
                other = self.writers[key].setdefault(value, txn)
                if txn.outcome == "committed":
                    if other is not txn and other.outcome == "committed":
                        self.report("lost update", f"both made {value} of {key}", txn, other)
                    self.writers[key][value] = txn
                    self.last[key][txn] = value
            elif key in known and known[key] != value:
                unseen = own[key] and own[key][-1] not in value
                self.report("own write not seen" if unseen else "non-repeatable read", f"{key}, not {known[key]}", txn)
            elif key not in known:
                known[key], others = value, len(value) - len(own[key])
                if value[others:] == tuple(own[key]):
                    self.reads[key][txn] = value[:others]
                else:
                    self.report("own write not seen", f"{own[key]} of {key}", txn)

    def writer(self, key, value):
        txn = self.writers[key].get(value)
        if not txn or txn.outcome != "committed":
            self.report("G1a" if txn else "garbage read", f"{value} of {key} was read", *filter(None, [txn]))
        return txn if txn in self.last[key] else None

    def add(self, kind, a, b, key):
        if a and b and a is not b:
            self.edges[kind][a].setdefault(b, key)

    def versions(self, key, register):
        """Where the first committer wins, writers of a register are in the order in which they began to commit."""
        reads, last = self.reads[key], self.last[key]
        order = max(reads.values(), key=len, default=())
        if register:
            order = tuple(last[txn] for txn in sorted(last, key=lambda txn: txn.committing))
            for txn, (value,) in reads.items():
                if value not in order and self.writer(key, value):
                    self.report("G1b", f"{value} of {key} was read", txn)
            reads = {txn: order[:order.index(value) + 1] for txn, (value,) in reads.items() if value in order}
        writers = [None, *(self.writer(key, value) for value in order), None]
        for a, b in zip(writers, writers[1:]):
            self.add("ww", a, b, key)
        for txn, value in reads.items():
            before, after = writers[len(value):][:2]
            if order[:len(value)] != value:
                self.report("incompatible order", f"{key} was also {order}", txn)
                continue
            if before and before is after:
                self.report("G1b", f"{key}, and one more was appended", txn, before)
            self.add("wr", before, txn, key)
            self.add("rw", txn, after, key)
        for value, txn in self.writers[key].items():
            if txn in last and value not in order and not register:
                for reader in [reader for reader in reads if reader.begin > txn.end][:1]:
                    self.report("lost update", f"{value} is not in {key}", txn, reader)

    def cycles(self):
        """The first of G0, G1c, a cycle with rw edges, one with edges of time. A node knows whether an rw edge led to it."""
        graph = collections.defaultdict(dict)
        for added in ("ww", "wr", "rw", "time"):
            for a, b, key in ((a, b, key) for a, successors in self.edges[added].items() for b, key in successors.items()):
                for after_rw in (False,) if added == "rw" else (False, True):
                    graph[a, after_rw].setdefault((b, added == "rw"), (added, key))
            try:
                graphlib.TopologicalSorter(graph).prepare()
                continue
            except graphlib.CycleError as error:
                start = error.args[1][0]
            paths, queue = {}, collections.deque([[start]])
            while start not in paths:  # the shortest one through that node
                path = queue.popleft()
                for node in graph.get(path[-1], {}).keys() - paths.keys():
                    paths[node] = [*path, node]
                    queue.append(paths[node])
            edges = [(a[0], *graph[a][b]) for a, b in zip(paths[start], paths[start][1:])]
            txns, kinds, keys = zip(*edges)
            name = {"ww": "G0", "wr": "G1c", "rw": "G-single", "time": "real-time violation"}[added]
            if added == "rw" and kinds.count("rw") > 1:
                name = "G-nonadjacent"
            elif sorted(kinds) == ["rw", "ww"] and keys[0] == keys[1]:
                name = "lost update"
            self.report(name, " ".join(f"{txn.name} -{kind} {key}->" for txn, kind, key in edges), *txns)
            return


def history_of(text):
    """A:1-9 x+1 x[1,2] r=5 r[5]: A appends, reads a list, writes, reads. B!2-3 is rolled back, C~2-3 fails by a conflict."""
    for head, *ops in map(str.split, text.split(";")):
        begin, end = map(int, head[2:].split("-"))
        txn = Txn(head[0], begin, begin, end, end, {":": "committed", "!": "rolled back", "~": "conflict"}[head[1]])
        for key, kind, *rest in ops:
            numbers = tuple(int(n) for n in "".join(rest).strip("]").split(",") if n)
            txn.ops.append(("read", key, numbers) if kind == "[" else ({"+": "append", "=": "write"}[kind], key, numbers[0]))
            txn.touched.update(key if kind in "+=" else "")
        yield txn


class Client:
    """One connection, and the history of its transactions."""

    def __init__(self, name, connection, history):
        self.name, self.connection, self.history, self.txn = name, connection, history, None
        self.random = random.Random(f"{SEED} {name}")

    def sql(self, text, *parameters):
        time.sleep(self.random.choice([0, self.random.random() * 0.002]))
        with self.connection.cursor() as cursor:
            cursor.execute(text, parameters or None)
            rows = cursor.fetchall()
        self.txn.started = min(self.txn.started, next(CLOCK))
        return rows

    def transact(self, body):
        self.txn = txn = Txn(f"{self.name}{len(self.history)}", next(CLOCK))
        self.history.append(txn)
        try:
            outcome = "rolled back" if body() == "rolled back" else "committed"
            txn.committing = next(CLOCK)
            (self.connection.commit if outcome == "committed" else self.connection.rollback)()
        except dbapi.OperationalError as error:
            if error.sqlstate != "40001" or "write conflict" not in str(error):
                raise  # and the test fails
            outcome = "conflict"
            self.connection.rollback()
        txn.outcome, txn.end = outcome, next(CLOCK)


class Mixed(Client):
    """Lists, counters (the lists of the numbers up to them), and accounts of a constant sum (registers beside a balance)."""

    TABLES = {"lists": "l BIGINT[]", "counters": "n BIGINT", "accounts": "v BIGINT, balance BIGINT"}

    def fill(self, half):
        self.sql(f"INSERT INTO lists SELECT i, [] FROM range({half}, 8, 2) r(i)")
        self.sql(f"INSERT INTO counters SELECT i, 0 FROM range({half}, 8, 2) r(i)")
        for i in range(half, 8, 2):
            self.write_account(i, "INSERT INTO accounts VALUES ($2, $1, 100)")
        self.sql("CREATE INDEX IF NOT EXISTS accounts_v ON accounts (v)")

    def body(self):
        row = self.random.randrange(8)
        reads = self.read_lists, self.read_lists, self.read_counters, self.read_accounts, lambda: self.read_accounts(row)
        writes = self.append, self.write_list, self.write_list, self.count, self.transfer, lambda: self.write_account(row)
        only_reads = self.random.random() < 0.25
        for _ in range(self.random.randint(1, 5)):
            self.random.choice(reads if only_reads or self.random.random() < 0.4 else writes)()
        return self.random.choice(["committed"] * 9 + ["rolled back"])

    def list_row(self):
        return len(self.history) // 80 + self.random.randrange(8)  # of late ones, which the first writer inserts

    def read_lists(self, *rows):
        first = self.list_row()
        rows = rows or range(first, first + self.random.choice([1, 4]))
        where = f"BETWEEN {rows[0]} AND {rows[-1]}" if len(rows) > 1 else f"= {rows[0]}"
        lists = dict(self.sql(f"SELECT id, l FROM lists WHERE id {where}"))
        self.txn.ops += [("read", ("list", i), tuple(lists.get(i, ()))) for i in rows]
        return lists

    def append(self, *rows):
        rows, number = rows or {self.list_row() for _ in range(self.random.randint(1, 2))}, next(NUMBERS)
        self.txn.touched |= {("list", i) for i in rows}
        where = " OR ".join(f"id = {i}" for i in rows)
        lists = dict(self.sql(f"UPDATE lists SET l = list_append(l, ?) WHERE {where} RETURNING id, l", number))
        self.txn.ops += [("append", ("list", i), number) for i in rows if i in lists]
        self.txn.ops += [("read", ("list", i), tuple(lists.get(i, ()))) for i in rows]

    def write_list(self):
        i, number = self.list_row(), next(NUMBERS)
        self.txn.touched.add(("list", i))
        if self.random.random() < 0.5:
            on_conflict = "ON CONFLICT (id) DO UPDATE SET l = list_append(l, excluded.l[1])"
            self.sql(f"INSERT INTO lists VALUES (?, [?]) {on_conflict}", i, number)
        else:
            lists = self.read_lists(i)
            self.sql("DELETE FROM lists WHERE id = ?", i)
            self.sql("INSERT INTO lists VALUES (?, ?::BIGINT[])", i, str([*lists.get(i, ()), number]))
        self.txn.ops.append(("append", ("list", i), number))

    def count(self):
        rows = self.random.choice([range(8), *([i] for i in range(8))])
        self.txn.touched |= {("counter", i) for i in rows}
        where = f" WHERE id = {rows[0]}" if len(rows) == 1 else ""
        rows = self.sql(f"UPDATE counters SET n = n + 1{where} RETURNING id, n")
        self.txn.ops += [("append", ("counter", i), n) for i, n in rows]
        self.read_counters(rows)

    def read_counters(self, rows=None):
        rows = rows or self.sql("SELECT id, n FROM counters")
        self.txn.ops += [("read", ("counter", i), tuple(range(1, n + 1))) for i, n in rows]

    def write_account(self, i, sql="UPDATE accounts SET v = $1 WHERE id = $2", *parameters):
        number = next(NUMBERS)
        self.txn.touched.add(("account", i))
        self.sql(sql, number, i, *parameters)
        self.txn.ops.append(("write", ("account", i), number))

    def read_accounts(self, one=None):
        rows = self.sql("SELECT id, v, balance FROM accounts" + f" WHERE id = {one}" * (one is not None))
        self.txn.ops += [("read", ("account", i), (value,)) for i, value, _ in rows]
        if one is None:
            assert sum(balance for _, _, balance in rows) == 800, f"read skew: the sum of {rows}, {self.txn}"
        else:
            assert self.sql("SELECT id FROM accounts WHERE v = ?", rows[0][1]) == [(one,)], f"no {rows} by the index: {self.txn}"
        return rows[0][2]

    def transfer(self):
        rows, amount = self.random.sample(range(8), 2), self.random.randint(1, 20)
        for i, balance, change in zip(rows, [self.read_accounts(i) for i in rows], (-amount, amount)):
            self.write_account(i, "UPDATE accounts SET v = $1, balance = $3 WHERE id = $2", balance + change)

    def read_all(self):
        self.read_lists(*range(len(self.history)))
        self.read_counters()
        self.read_accounts()


class Constrained(Client):
    """A UNIQUE column and a FOREIGN KEY. The snapshot and the transaction's own writes foretell each error."""

    TABLES = {"parents": "tag BIGINT", "children": "tag BIGINT, parent BIGINT REFERENCES parents (id), v BIGINT UNIQUE"}

    @staticmethod
    def errors(tables):
        children = tables["children"].values()
        values = [v for _, _, v in children if v is not None]
        orphans = [parent for _, parent, _ in children if parent not in tables["parents"]]
        return ["23505"] * (len(set(values)) < len(values)) + ["23503"] * len(orphans)

    def fill(self, half):
        for i in range(half, 6, 2):
            self.write({}, "parents", i, (next(NUMBERS),))
            self.write({}, "children", i, (next(NUMBERS), i, i))

    def read_all(self):
        names = self.random.sample(list(self.TABLES), 2)
        self.tables = {name: {i: tuple(row) for i, *row in self.sql(f"FROM {name}")} for name in names}
        assert not self.errors(self.tables), f"one value twice, or an orphan: {self.tables}, {self.txn}"

    def write(self, old, name, i, row):
        """Row i becomes this one, or none. For the history a delete is a write, too."""
        references = [reference for row in (old.get(i), row) if row for reference in zip(("parents", "value"), row[1:])]
        self.txn.touched |= {(name, i), *references}
        values = ["NULL" if value is None else str(value) for value in row or ()]
        cells = ", ".join(f"{column} = {value}" for column, value in zip(("tag", "parent", "v"), values))
        self.sql(f"DELETE FROM {name} WHERE id = {i}" if row is None else f"UPDATE {name} SET {cells} WHERE id = {i}" if i in old
                 else f"INSERT INTO {name} VALUES ({i}, {', '.join(values)})")
        self.txn.ops.append(("write", (name, i), row[0] if row else next(NUMBERS)))

    def body(self):
        self.read_all()
        tables = self.tables
        self.txn.ops += [("read", (name, i), row[:1]) for name, rows in tables.items() for i, row in rows.items()]
        for _ in range(self.random.randint(1, 4)):
            for _ in range(self.random.choice([1, 5])):  # with more tries errors are rarer
                name, i = self.random.choice(["parents", "children", "children"]), self.random.randrange(8)
                row = (next(NUMBERS), self.random.randrange(8), self.random.choice([None, *range(10)]))
                row = None if i in tables[name] and self.random.random() < 0.4 else row[:1] if name == "parents" else row
                after = {**tables, name: {k: v for k, v in {**tables[name], i: row}.items() if v}}
                if not self.errors(after):
                    break
            try:
                self.write(tables[name], name, i, row)
            except dbapi.IntegrityError as error:
                assert error.sqlstate in self.errors(after), f"{error}: {after}, {self.txn}"
                return "rolled back"
            assert not self.errors(after), f"{self.errors(after)} did not come: {after}, {self.txn}"
            tables = after
        self.read_all()
        assert self.tables == tables, f"{self.tables}, not {tables}, {self.txn}"
        for i, (_, _, v) in list(tables["children"].items())[:1]:
            assert v is None or self.sql(f"SELECT id FROM children WHERE v = {v}") == [(i,)], f"no {v} by the index: {self.txn}"
        return self.random.choice(["committed"] * 9 + ["rolled back"])


class HistoryTest(unittest.TestCase):
    def race(self, kind, transactions, start=lambda *clients: None):
        folder, history = tempfile.TemporaryDirectory(), []
        self.addCleanup(folder.cleanup)

        def connect(threads, autocommit=False):
            options = {"path": f"{folder.name}/db", "threads": str(threads)}
            connection = dbapi.connect(driver=os.environ["YARROW_ADBC"], db_kwargs=options, autocommit=autocommit)
            self.addCleanup(connection.close)
            return connection

        def keep(keeper, choose):
            while not all(future.done() for future in working):
                function, table = choose.choice(["flush", "flush", "compact"]), choose.choice(list(kind.TABLES))
                keeper.execute(f"CALL yarrow_{function}('main.{table}')").fetchall()
                time.sleep(choose.random() * 0.05)

        keeper, setup = connect(2, autocommit=True), kind("setup", connect(2), history)
        for table, columns in kind.TABLES.items():
            keeper.execute(f"CREATE TABLE {table} (id BIGINT PRIMARY KEY, {columns})").fetchall()
        setup.transact(lambda: setup.fill(0))
        for table in kind.TABLES:  # half of their rows
            keeper.execute(f"CALL yarrow_flush('main.{table}')").fetchall()
        setup.transact(lambda: setup.fill(1))
        clients = [kind(name, connect(1 + i % 2), history) for i, name in enumerate("ABCDEF")]
        start(*clients)
        with concurrent.futures.ThreadPoolExecutor(len(clients) + 1) as pool:
            working = [pool.submit(lambda c: [c.transact(c.body) for _ in range(transactions * ROUNDS)], c) for c in clients]
            keeping = pool.submit(keep, keeper, random.Random(f"{SEED} keeper"))
        failures = [repr(future.exception()) for future in (*working, keeping) if future.exception()]
        if not failures:
            setup.transact(setup.read_all)
        checker, outcomes = Checker(history), collections.Counter(txn.outcome for txn in history)
        done = f"{kind.__name__}: YARROW_SEED={SEED} {dict(outcomes)}, write skews: {checker.write_skews}"
        print(done)
        failures = [text for _, text in checker.anomalies] + failures
        if failures:
            self.fail("\n".join([done, *failures[:8]]))
        return checker.write_skews, min(outcomes["committed"], 5 * outcomes["conflict"]) / len(history)

    def test_lists_counters_and_registers(self):
        self.assertGreater(self.race(Mixed, 100)[1], 0.1)  # enough has happened

    def test_unique_values_and_foreign_keys(self):
        self.assertGreater(self.race(Constrained, 70)[1], 0.1)

    def test_write_skew_occurs(self):
        def start(a, b, *_):  # as docs/transactions.md has it
            a.transact(lambda: (a.read_lists(0), b.transact(lambda: (b.read_lists(1), b.append(0))), a.append(1)))

        self.assertEqual(self.race(Mixed, 0, start)[0], 1)

    def test_checker(self):
        for names, *texts in (
            ("", "S:0-0 r=1; A:1-2 x+1 r[1] r=2; B:3-4 x[1] x+2 x[1,2] r[2]; C~3-5 x+3; D!6-7 x[1,2] x+4; E:8-9 x[1,2] r[2]",
             "A:1-9 x+1; B:2-8 x[] y+1; C:10-11 x[1] y[1]",  # as if B were before A
             "A:1-5 x[] y+1; B:2-6 y[] x+1; C:7-8 x[1] y[1]",  # write skew
             "A:1-9 x[] y[] y+1; B:2-4 x+1; C:5-6 x[1] y[]; D:10-11 x[1] y[1]"),  # read-only anomaly
            ("G0|G-SIa", "A:1-9 x+1 y+1; B:2-8 x+2 y+2; C:10-11 x[1,2] y[2,1]"),
            ("G0", "A:1-2 x+1 x+3; B:3-4 x+2; C:10-11 x[1,2,3]"),
            ("G1a", "A!1-2 x+1; B:3-4 x[1]", "A!1-2 r=1; B:3-4 r[1]", "A!1-9 x+1; B!3-4 x[1]"),
            ("G1b|G-single", "A:1-9 x+1 x+2; B:3-4 x[1]; C:10-11 x[1,2]"),
            ("G1b", "A:1-9 r=1 r=2; B:3-4 r[1]"),
            ("G1c", "A:1-9 x+1 y[1]; B:2-8 y+1 x[1]", "A:1-9 r=1 s[1]; B:2-8 s=1 r[1]"),
            ("G-single", "A:1-5 x+1 y+1; B:2-9 x[] y[1]; C:10-11 x[1]", "A:1-5 x+1 y+1; B!2-9 x[] y[1]; C:10-11 x[1]",
             "S:0-0 r=1 s=1; A:1-5 r=2 s=2; B:2-9 r[1] s[2]", "A:1-5 x+1; B:2-6 x[1] y+1; C:2-9 x[] y[1]"),
            ("G-nonadjacent", "A:1-5 x+1; B:1-5 x[] y[1]; C:1-5 y+1; D:1-5 y[] x[1]"),  # long fork
            ("lost update|G-SIa", "A:1-5 x[] x+1; B:2-6 x[] x+2; C:9-10 x[1,2]", "S:0-0 r=1; A:1-5 r[1] r=2; B:2-6 r[1] r=3",
             "A:1-5 x+1; B:2-6 x+1; C:9-10 x[1]"),
            ("lost update", "A:1-2 x+1; B:3-4 x+2; C:5-6 x[2]", "A:1-2 x+1; B:3-4 x[]"),
            ("G-SIa", "S:0-0 r=1; A:1-5 r=2; B:2-6 r=3"),  # blind writes
            ("non-repeatable read", "A:1-2 x+1; B:1-5 x[] x[1]", "S:0-0 r=1; A:1-2 r=2; B:1-5 r[1] r[2]",
             "A:1-2 x+1; B!1-5 x[] x+2 x[1,2]"),
            ("own write not seen", "A:1-2 x+1 x[]", "S:0-0 r=1; A:1-2 r[1] r=2 r[1]"),
            ("real-time violation", "A:1-2 x+1; B:3-4 x[]; C:5-6 x[1]", "S:0-0 r=1; A:1-2 r=2; B:3-4 r[1]",
             "A:1-9 x+1; B:2-3 x[1]; C:4-5 x[]", "A:3-4 x+1; B:1-2 x[1]"),
            ("incompatible order", "A:1-5 x+1; B:6-7 x+2; C:8-9 x[1,2]; D:8-9 x[2]"),
            ("garbage read", "A:1-2 x[7]", "A:1-2 r[7]"),
            ("needless conflict", "A~1-5 x+1; B:2-3 y+1", "A~4-5 x+1; B:2-3 x+1; C:6-7 x[1]"),
        ):
            for text in texts:
                with self.subTest(text):
                    found = {name for name, _ in Checker([*history_of(text)]).anomalies}
                    self.assertEqual(found, set(names.split("|")) - {""})


if __name__ == "__main__":
    unittest.main()
