"""The ADBC driver (YARROW_ADBC) as Python programs use it: through adbc_driver_manager and pyarrow."""

import datetime
import decimal
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

import adbc_driver_manager
import pyarrow as pa
from adbc_driver_manager import dbapi

DRIVER = os.environ["YARROW_ADBC"]
PROGRAM = os.environ["YARROW_BIN"]


def connect(path, autocommit=True, **options):
    return dbapi.connect(driver=DRIVER, db_kwargs={"path": str(path), **options}, autocommit=autocommit)


class AdbcTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "db"

    def open(self, *args, **options):
        connection = connect(self.path, *args, **options)
        self.addCleanup(connection.close)
        return connection

    def run_sql(self, connection, sql, parameters=None):
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall()

    def make_table(self, connection, rows=3):
        self.run_sql(connection, "CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR NOT NULL, price DECIMAL(10,2))")
        self.run_sql(connection, f"INSERT INTO t SELECT range, 'n' || range, range * 1.5 FROM range({rows})")


class Queries(AdbcTest):
    def test_rows_and_tables_of_arrow(self):
        connection = self.open()
        self.make_table(connection)
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, name FROM t ORDER BY id DESC")
            self.assertEqual(cursor.fetchall(), [(2, "n2"), (1, "n1"), (0, "n0")])
            cursor.execute("SELECT * FROM t WHERE price > 1")
            table = cursor.fetch_arrow_table()
        self.assertEqual(table.schema.names, ["id", "name", "price"])
        self.assertEqual(table.schema.field("price").type, pa.decimal128(10, 2))
        self.assertEqual(table["id"].to_pylist(), [1, 2])

    def test_statements_that_run_as_several(self):
        """DuckDB makes three statements of a PIVOT, and has no text for the last. The spaces once hid a condition."""
        connection = self.open()
        self.run_sql(connection, "CREATE TABLE c (country VARCHAR, year INTEGER, pop INTEGER)")
        self.run_sql(connection, "INSERT INTO c SELECT 'C' || i, 2000 + i % 2, i FROM range(20) r(i)")
        pivot = "SELECT country FROM (PIVOT c ON year USING sum(pop)) WHERE country = 'C1' AND country <> 'C1'"
        for spaces in range(0, 80, 3):
            self.assertEqual(self.run_sql(connection, pivot + " " * spaces + ";"), [], spaces)
        self.assertEqual(len(self.run_sql(connection, "PIVOT c ON year USING sum(pop);")), 20)
        several = "INSERT INTO c VALUES ('D', 2000, 1); WITH p AS (PIVOT c ON year USING sum(pop)) FROM p;"
        self.assertEqual(len(self.run_sql(connection, several)), 21)

    def test_a_large_result_comes_in_batches(self):
        connection = self.open()
        self.make_table(connection, 100_000)
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM t")
            rows = 0
            for batch in cursor.fetch_record_batch():
                self.assertLess(batch.num_rows, 100_000)
                rows += batch.num_rows
        self.assertEqual(rows, 100_000)

    def test_parameters(self):
        connection = self.open()
        self.make_table(connection)
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM t WHERE id = ? OR name = ?", (1, "n2"))
            self.assertEqual(sorted(cursor.fetchall()), [("n1",), ("n2",)])
            cursor.executemany("INSERT INTO t VALUES (?, ?, NULL)", [(10, "ten"), (11, "eleven")])
            with self.assertRaisesRegex(dbapi.Error, "one row of parameters"):
                cursor.adbc_statement.set_sql_query("SELECT ? + 1")
                rows = pa.record_batch({"x": [1, 2]})
                cursor.adbc_statement.bind_stream(pa.RecordBatchReader.from_batches(rows.schema, [rows]))
                cursor.adbc_statement.execute_query()
            cursor.execute("SELECT name FROM t WHERE id = ?", (11,))
            self.assertEqual(cursor.fetchone(), ("eleven",))

    def test_what_the_catalog_tells(self):
        connection = self.open()
        self.make_table(connection)
        info = connection.adbc_get_info()
        self.assertEqual((info["vendor_name"], info["driver_name"]), ("Yarrow", "ADBC Yarrow Driver"))
        self.assertEqual(connection.adbc_get_table_schema("t").names, ["id", "name", "price"])
        self.assertIn("BASE TABLE", connection.adbc_get_table_types())
        catalogs = connection.adbc_get_objects(catalog_filter="db").read_all().to_pylist()
        tables = {
            (schema["db_schema_name"], table["table_name"])
            for catalog in catalogs
            for schema in catalog["catalog_db_schemas"]
            for table in schema["db_schema_tables"]
        }
        # System tables are internal views to DuckDB, which lists neither its own nor ours here.
        self.assertEqual(tables, {("main", "t")})


class Ingest(AdbcTest):
    BATCH = pa.table({"id": [7, 8], "name": ["seven", None]})

    def test_append_and_create(self):
        connection = self.open()
        self.make_table(connection)
        with connection.cursor() as cursor:
            rows = pa.table({"id": [10, 11], "name": ["a", "b"], "price": pa.array([1, None], pa.decimal128(10, 2))})
            self.assertEqual(cursor.adbc_ingest("t", rows, mode="append"), 2)
            self.assertEqual(cursor.adbc_ingest("fresh", self.BATCH, mode="create"), 2)
            self.assertEqual(cursor.adbc_ingest("fresh", self.BATCH, mode="create_append"), 2)
            cursor.adbc_ingest("fresh", pa.table({"x": [1.5]}), mode="replace")
        self.assertEqual(self.run_sql(connection, "SELECT count(*), sum(price) FROM t"), [(5, 5.5)])
        self.assertEqual(self.run_sql(connection, "FROM fresh"), [(1.5,)])
        self.assertEqual(self.run_sql(connection, "SELECT kind FROM db.system.tables WHERE table_name = 'fresh'"),
                         [("shared",)])

    def test_a_bad_row_and_nothing_is_ingested(self):
        connection = self.open()
        self.make_table(connection)
        with connection.cursor() as cursor:
            for rows, part in ((self.BATCH, "name"), (pa.table({"id": [20, 1], "name": ["x", "y"]}), "key (1)")):
                rows = rows.append_column("price", pa.nulls(2, pa.decimal128(10, 2)))
                with self.assertRaisesRegex(dbapi.Error, part.replace("(", r"\(").replace(")", r"\)")):
                    cursor.adbc_ingest("t", rows, mode="append")
        self.assertEqual(self.run_sql(connection, "SELECT count(*) FROM t"), [(3,)])


    def test_values_are_kept_or_refused(self):
        connection = self.open()
        columns = {"whole": "BIGINT", "small": "TINYINT", "single": "FLOAT", "price": "DECIMAL(10,2)", "day": "DATE",
                   "second": "TIMESTAMP_S", "moment": "TIMESTAMPTZ", "local": "TIMESTAMP", "text": "VARCHAR",
                   "bytes": "BLOB", "uid": "UUID"}
        declared = ", ".join(f"{name} {type_name}" for name, type_name in columns.items())
        self.run_sql(connection, f"CREATE TABLE t (id BIGINT PRIMARY KEY, {declared})")
        never = 2**63 - 1

        def ingest(name, values, table="t", mode="append"):
            rows = pa.table({"id": pa.array(range(len(values)), pa.int64()), name: values})
            with connection.cursor() as cursor:
                cursor.adbc_ingest(table, rows, mode=mode)
            result = self.run_sql(connection, f"SELECT {name} FROM {table} ORDER BY id")
            self.run_sql(connection, f"DELETE FROM {table}")
            return [row[0] for row in result]

        for name, values, part in (
            ("whole", pa.array([5.0, 5.5]), "5.5"),
            ("whole", pa.array(["5", "5.5"]), "5.5"),
            ("whole", pa.array([1, 2**64 - 1], pa.uint64()), "18446744073709551615"),
            ("small", pa.array([127, 128]), "128"),
            ("single", pa.array([0.5, 0.1]), "0.1"),
            ("price", pa.array([1.25, 1.255]), "1.255"),
            ("price", pa.array([decimal.Decimal("1.255")]), "1.255"),
            ("day", pa.array([86400000, 86400001], pa.date64()), "1970-01-02"),
            ("second", pa.array([1_000_000, 1_500_000], pa.timestamp("us")), "00:00:01.5"),
            ("local", pa.array([1000, 1001], pa.timestamp("ns")), "000001001"),
            ("local", pa.array([1000], pa.timestamp("us", "UTC")), "no cast"),
            ("moment", pa.array([1000, 1001], pa.timestamp("ns", "UTC")), "000001001"),
            ("text", pa.array([b"a", b"\xff"]), "UTF-8"),
            ("uid", pa.array([b"0123456789abcdef", b"short"]), "short|73686F7274"),
        ):
            with self.subTest(name=name, type=values.type):
                with self.assertRaisesRegex(dbapi.Error, rf"(?s)table t.*column {name}.*({part})"):
                    ingest(name, values)
                self.assertEqual(self.run_sql(connection, "SELECT count(*) FROM t"), [(0,)])
        for name, values, expected in (
            ("whole", pa.array([5.0, None, -7.0]), [5, None, -7]),
            ("single", pa.array([0.5, 2.25]), [0.5, 2.25]),
            ("price", pa.array([1.25, 3], pa.float64()), [decimal.Decimal("1.25"), decimal.Decimal("3.00")]),
            ("day", pa.array([86400000], pa.date64()), [datetime.date(1970, 1, 2)]),
            ("second", pa.array([1_000_000], pa.timestamp("us")), [datetime.datetime(1970, 1, 1, 0, 0, 1)]),
            ("text", pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
            ("text", pa.array([b"a"]), ["a"]),
            ("bytes", pa.array(["\\x41"]), [b"\\x41"]),
        ):
            with self.subTest(name=name, type=values.type):
                self.assertEqual(ingest(name, values), expected)
        # A table made of the rows, where DuckDB would drop what is finer.
        for values, part in ((pa.array([86400001], pa.date64()), "1970-01-02"),
                             (pa.array([1001], pa.timestamp("ns", "UTC")), "000001001")):
            with self.assertRaisesRegex(dbapi.Error, rf"(?s)table fresh.*column x.*{part}"):
                ingest("x", values, "fresh", "create")
        self.run_sql(connection, "INSERT INTO t (id, second) VALUES (1, 'infinity')")
        infinite = pa.array([never, -never], pa.timestamp("us"))
        with connection.cursor() as cursor:
            cursor.adbc_ingest("t", pa.table({"id": [2, 3], "second": infinite}), mode="append")
        self.assertEqual(self.run_sql(connection, "SELECT count(*) FROM t WHERE abs(epoch(second)) = 'inf' OR second IN "
                                                  "('infinity', '-infinity')"), [(3,)])

    def test_nested_and_other_types(self):
        connection = self.open()
        rows = pa.table({
            "id": pa.array([1, 2, 3], pa.int64()),
            "tags": pa.array([["a", None], [], None], pa.list_(pa.string())),
            "point": pa.array([{"x": 1, "y": [0.5]}, {"x": None, "y": None}, None],
                              pa.struct([("x", pa.int32()), ("y", pa.list_(pa.float64()))])),
            "scores": pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int32())),
            "kind": pa.array(["b", "a", None]).dictionary_encode(),
        })
        with connection.cursor() as cursor:
            cursor.adbc_ingest("t", rows, mode="create")
            cursor.adbc_ingest("t", rows, mode="append")
        types = "SELECT data_type FROM duckdb_columns() WHERE table_name = 't' ORDER BY column_index"
        self.assertEqual([row[0] for row in self.run_sql(connection, types)][1:4],
                         ["VARCHAR[]", "STRUCT(x INTEGER, y DOUBLE[])", "MAP(VARCHAR, INTEGER)"])
        for _ in range(2):  # hot, then from a segment
            with connection.cursor() as cursor:
                cursor.execute("SELECT DISTINCT tags, point, scores, kind, id FROM t ORDER BY id")
                result = cursor.fetch_arrow_table()
            for name in ("tags", "point", "scores", "kind"):
                self.assertEqual(result[name].to_pylist(), rows[name].to_pylist(), name)
            self.run_sql(connection, "CALL yarrow_flush('t')")
        self.run_sql(connection, "CREATE TABLE e (m ENUM ('sad', 'ok'), h HUGEINT, i INTERVAL)")
        self.run_sql(connection, "INSERT INTO e VALUES ('ok', 12345678901234567890123, INTERVAL '1 month 2 days')")
        self.assertEqual(self.run_sql(connection, "SELECT m, h FROM e"),
                         [("ok", decimal.Decimal("12345678901234567890123"))])
        with self.assertRaisesRegex(dbapi.Error, "angry"), connection.cursor() as cursor:
            cursor.adbc_ingest("e", pa.table({"m": ["ok", "angry"]}), mode="append")
        self.assertEqual(self.run_sql(connection, "SELECT count(*) FROM e"), [(1,)])

    def test_parameters_are_kept_or_refused(self):
        connection = self.open()
        self.run_sql(connection, "CREATE TABLE t (id BIGINT PRIMARY KEY, day DATE, moment TIMESTAMPTZ)")
        with connection.cursor() as cursor:
            for name, value in (("day", pa.array([86400001], pa.date64())), ("moment", pa.array([1001], pa.timestamp("ns", "UTC")))):
                with self.assertRaisesRegex(dbapi.Error, f"(?s)parameters.*{name}"):
                    cursor.execute(f"INSERT INTO t (id, {name}) VALUES (?, ?)",
                                   pa.record_batch({"id": pa.array([1]), name: value}))
        self.assertEqual(self.run_sql(connection, "SELECT count(*) FROM t"), [(0,)])

    def test_streams_are_taken_whole_or_not_at_all(self):
        connection = self.open()
        self.make_table(connection)
        schema = pa.schema({"name": pa.string(), "id": pa.int64()})  # columns go by name

        def batches(breaks):
            for start in range(100, 200_100, 20_000):
                ids = range(start, start + 20_000)
                yield pa.record_batch([[f"n{i}" for i in ids], list(ids)], schema=schema)
            if breaks:
                raise ValueError("the source broke")

        with connection.cursor() as cursor:
            with self.assertRaisesRegex(dbapi.Error, "the source broke"):
                cursor.adbc_ingest("t", pa.RecordBatchReader.from_batches(schema, batches(True)), mode="append")
            self.assertEqual(self.run_sql(connection, "SELECT count(*) FROM t"), [(3,)])
            with self.assertRaisesRegex(dbapi.Error, "the source broke"):
                cursor.adbc_ingest("fresh", pa.RecordBatchReader.from_batches(schema, batches(True)))
            with self.assertRaises(dbapi.Error):
                self.run_sql(connection, "FROM fresh")
            reader = pa.RecordBatchReader.from_batches(schema, batches(False))
            self.assertEqual(cursor.adbc_ingest("t", reader, mode="append"), 200_000)
        self.assertEqual(self.run_sql(connection, "SELECT count(*) FROM t WHERE name = 'n' || id"), [(200_003,)])
        self.assertEqual(self.run_sql(connection, "SELECT count(*) FROM duckdb_views() WHERE NOT internal"), [(0,)])

    def test_targets(self):
        connection = self.open()
        self.run_sql(connection, "CREATE SCHEMA app")
        with connection.cursor() as cursor:
            cursor.adbc_ingest("t", self.BATCH, db_schema_name="app")
            self.assertEqual(self.run_sql(connection, "SELECT count(*) FROM app.t"), [(2,)])
            with self.assertRaisesRegex(dbapi.Error, "already exists"):
                cursor.adbc_ingest("t", self.BATCH, db_schema_name="app")
            with self.assertRaisesRegex(dbapi.Error, "missing"):
                cursor.adbc_ingest("missing", self.BATCH, mode="append")

    def schema_of(self, connection, table):
        return self.run_sql(
            connection,
            f"SELECT database_name || '.' || schema_name FROM duckdb_tables() WHERE table_name = '{table}' ORDER BY ALL")

    def test_a_target_says_nothing_about_the_next(self):
        connection = self.open()
        self.run_sql(connection, "CREATE SCHEMA app")
        with connection.cursor() as cursor:
            cursor.adbc_ingest("a", self.BATCH, db_schema_name="app")
            cursor.adbc_ingest("b", self.BATCH)
            with self.assertRaises(TypeError):
                cursor.adbc_ingest("c", 5, db_schema_name="app")  # fails before it runs
            cursor.adbc_ingest("c", self.BATCH)
            cursor.adbc_ingest("d", self.BATCH, temporary=True)
            cursor.adbc_ingest("e", self.BATCH)
            cursor.execute("SELECT 1")
        schemas = {name: self.schema_of(connection, name) for name in "abcde"}
        self.assertEqual(schemas, {"a": [("db.app",)], "b": [("db.main",)], "c": [("db.main",)], "d": [("temp.main",)],
                                   "e": [("db.main",)]})

    def test_a_target_holds_for_several_ingests(self):
        connection = self.open()
        self.run_sql(connection, "CREATE SCHEMA app")
        statement = adbc_driver_manager.AdbcStatement(connection.adbc_connection)
        self.addCleanup(statement.close)

        def ingest(**options):
            names = {"schema": "adbc.ingest.target_db_schema", "table": "adbc.ingest.target_table",
                     "mode": "adbc.ingest.mode"}
            for name, value in options.items():
                statement.set_options(**{names[name]: value})
            statement.bind_stream(self.BATCH.to_reader())
            statement.execute_update()

        ingest(schema="app", table="t", mode="adbc.ingest.mode.create")  # in this order, too
        ingest(mode="adbc.ingest.mode.append")
        ingest()
        self.assertEqual(self.run_sql(connection, "SELECT count(*) FROM app.t"), [(6,)])
        ingest(schema="app", table="u", mode="adbc.ingest.mode.create")
        self.assertEqual(self.schema_of(connection, "u"), [("db.app",)])
        ingest(table="u")
        self.assertEqual(self.schema_of(connection, "u"), [("db.app",), ("db.main",)])

    def test_the_current_schema_is_the_default(self):
        connection = self.open()
        self.run_sql(connection, "CREATE SCHEMA app")
        connection.adbc_current_db_schema = "app"
        with connection.cursor() as cursor:
            cursor.adbc_ingest("t", self.BATCH)
            cursor.adbc_ingest("t", self.BATCH, mode="append")
            self.assertEqual(self.run_sql(connection, "SELECT count(*) FROM db.app.t"), [(4,)])
            cursor.adbc_ingest("m", self.BATCH, catalog_name="memory")
        self.assertEqual(self.schema_of(connection, "m"), [("memory.main",)])

    def test_temporary_tables(self):
        connection = self.open()
        self.make_table(connection)
        with connection.cursor() as cursor:
            self.assertEqual(cursor.adbc_ingest("x", self.BATCH, temporary=True), 2)
            self.assertEqual(cursor.adbc_ingest("x", self.BATCH, mode="append", temporary=True), 2)
            self.assertEqual(cursor.adbc_ingest("x", self.BATCH, mode="create_append", temporary=True), 2)
            self.assertEqual(self.run_sql(connection, "SELECT count(*) FROM x"), [(6,)])
            cursor.adbc_ingest("x", self.BATCH, mode="replace", temporary=True)
            self.assertEqual(self.run_sql(connection, "SELECT count(*) FROM temp.x"), [(2,)])
            cursor.adbc_ingest("x", pa.table({"z": [1]}))  # a table beside the temporary one
            self.assertEqual(self.run_sql(connection, "SELECT count(*) FROM db.x"), [(1,)])
            with self.assertRaisesRegex(dbapi.Error, "a temporary table is in no catalog or schema"):
                cursor.adbc_ingest("y", self.BATCH, db_schema_name="main", temporary=True)
        other = self.open()
        self.assertEqual(self.schema_of(other, "x"), [("db.main",)])


class Transactions(AdbcTest):
    def test_commit_and_rollback(self):
        self.make_table(self.open())
        connection = self.open(autocommit=False)
        self.run_sql(connection, "DELETE FROM t WHERE id = 0")
        self.assertEqual(self.run_sql(connection, "SELECT count(*) FROM t"), [(2,)])
        connection.rollback()
        self.assertEqual(self.run_sql(connection, "SELECT count(*) FROM t"), [(3,)])
        self.run_sql(connection, "DELETE FROM t WHERE id = 0")
        connection.commit()
        self.assertEqual(self.run_sql(connection, "SELECT count(*) FROM t"), [(2,)])

    def test_connections_are_isolated_and_the_first_committer_wins(self):
        first = self.open()
        self.make_table(first)
        second = self.open(autocommit=False)  # another handle of the same directory in one process
        self.assertEqual(self.run_sql(second, "SELECT count(*) FROM t"), [(3,)])
        self.run_sql(first, "UPDATE t SET name = 'first' WHERE id = 1")
        self.assertEqual(self.run_sql(second, "SELECT name FROM t WHERE id = 1"), [("n1",)])
        with self.assertRaisesRegex(dbapi.Error, r"write conflict.*table main.t with key \(1\).*run the transaction again"):
            self.run_sql(second, "UPDATE t SET name = 'second' WHERE id = 1")
        second.rollback()
        self.run_sql(second, "UPDATE t SET name = 'second' WHERE id = 1")
        second.commit()
        self.assertEqual(self.run_sql(first, "SELECT name FROM t WHERE id = 1"), [("second",)])

    def test_connections_in_threads(self):
        self.make_table(self.open(), 8)
        errors = []

        def add(row):
            try:
                with connect(self.path) as connection:
                    for _ in range(20):
                        self.run_sql(connection, f"UPDATE t SET price = price + 1 WHERE id = {row}")
            except dbapi.Error as error:
                errors.append(error)

        threads = [threading.Thread(target=add, args=(row,)) for row in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        self.assertEqual(self.run_sql(self.open(), "SELECT sum(price) FROM t"), [(202,)])  # 42 before

    def test_statements_that_lose_a_race_run_again(self):
        self.make_table(self.open())
        errors = []
        statements = ["UPDATE t SET price = price + 1 WHERE id = 1",
                      "UPDATE t SET price = price + 1 WHERE id = 1 RETURNING price",
                      "UPDATE t SET price = price + 0 WHERE id = 1; UPDATE t SET price = price + 1 WHERE id = 1"]

        def add(sql, parameters=None):
            try:
                with self.open() as connection, connection.cursor() as cursor:
                    if parameters:
                        cursor.executemany(sql, parameters)
                        return
                    for _ in range(50):
                        cursor.execute(sql)
            except dbapi.Error as error:
                errors.append(error)

        threads = [threading.Thread(target=add, args=(sql,)) for sql in statements]
        threads.append(threading.Thread(target=add, args=("UPDATE t SET price = price + ? WHERE id = 1", [(1,)] * 50)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        before = 1.5  # see make_table
        self.assertEqual(self.run_sql(self.open(), "SELECT price FROM t WHERE id = 1"), [(before + 200,)])

    def test_conflicts_are_one_kind_of_error(self):
        first, second = self.open(), self.open(autocommit=False)
        rows = pa.table({"id": [9], "name": ["n"], "price": [0.0]})
        mine = ["UPDATE t SET name = 'mine' WHERE id = 9", "INSERT INTO t VALUES (9, 'mine', 0)", "DELETE FROM t",
                "ALTER TABLE t ADD COLUMN mine BIGINT", "SELECT 1; DELETE FROM t", "ingest"]
        for change in ("INSERT INTO t VALUES (9, 'n', 0)", "ALTER TABLE t ADD COLUMN other BIGINT", "DROP TABLE t"):
            for sql in mine:
                if change.startswith("INSERT") and ("UPDATE" in sql or "ALTER" in sql or "DELETE" in sql):
                    continue  # no row of theirs is changed
                self.run_sql(first, "DROP TABLE IF EXISTS t")
                self.make_table(first)
                second.rollback()
                self.run_sql(second, "SELECT count(*) FROM t")
                self.run_sql(first, change)
                with self.subTest(mine=sql, theirs=change), self.assertRaises(dbapi.Error) as raised:
                    if sql == "ingest":
                        with second.cursor() as cursor:
                            cursor.adbc_ingest("t", rows, mode="append")
                    else:
                        self.run_sql(second, sql)
                    second.commit()
                self.assertRegex(str(raised.exception), "write conflict: .*; run the transaction again")
                self.assertIsInstance(raised.exception, dbapi.OperationalError)
                self.assertEqual(raised.exception.sqlstate, "40001")

    def test_a_child_beside_the_removal_of_its_parent_is_a_conflict(self):
        first, second = self.open(), self.open(autocommit=False)
        self.run_sql(first, "CREATE TABLE parent (id INT PRIMARY KEY, note VARCHAR)")
        self.run_sql(first, "CREATE TABLE child (id INT PRIMARY KEY, parent INT REFERENCES parent)")
        self.run_sql(first, "INSERT INTO parent VALUES (1, ''), (2, '')")
        self.run_sql(second, "INSERT INTO child VALUES (1, 1)")
        self.run_sql(first, "UPDATE parent SET note = 'changed'")
        self.run_sql(first, "INSERT INTO child VALUES (2, 1)")
        second.commit()
        self.run_sql(second, "INSERT INTO child VALUES (3, 2)")
        self.run_sql(first, "DELETE FROM parent WHERE id = 2")
        with self.assertRaises(dbapi.OperationalError) as raised:
            second.commit()
        self.assertEqual(raised.exception.sqlstate, "40001")
        self.assertEqual(self.run_sql(first, "SELECT id FROM child ORDER BY id"), [(1,), (2,)])

    def test_errors_have_classes_and_states(self):
        connection = self.open()
        self.run_sql(connection, "CREATE TABLE c (id INT PRIMARY KEY, n INT NOT NULL CHECK (n > 0), s VARCHAR)")
        self.run_sql(connection, "INSERT INTO c VALUES (1, 1, '1'), (2, 2, 'x')")
        self.run_sql(connection, "CREATE TABLE of_c (id INT PRIMARY KEY, c INT REFERENCES c (id))")
        self.run_sql(connection, "INSERT INTO of_c VALUES (1, 1)")
        self.run_sql(connection, "CREATE SEQUENCE few MINVALUE 0 MAXVALUE 1 START 1")
        self.run_sql(connection, "SELECT nextval('few')")
        for sql, error, state in (
            ("INSERT INTO c VALUES (1, 1, '')", dbapi.IntegrityError, "23505"),
            ("INSERT INTO c VALUES (3, NULL, '')", dbapi.IntegrityError, "23502"),
            ("INSERT INTO c VALUES (3, 0, '')", dbapi.IntegrityError, "23514"),
            ("INSERT INTO of_c VALUES (2, 9)", dbapi.IntegrityError, "23503"),
            ("DELETE FROM c WHERE id = 1", dbapi.IntegrityError, "23503"),
            ("SELEC 1", dbapi.ProgrammingError, "42601"),
            ("SELECT * FROM nowhere", dbapi.ProgrammingError, "42P01"),
            ("SELECT nothing FROM c", dbapi.ProgrammingError, "42703"),
            ("SELECT no_function(1)", dbapi.ProgrammingError, "42883"),
            ("CREATE TABLE c (id INT)", dbapi.ProgrammingError, "42P07"),
            ("CREATE TABLE nowhere.c (id INT)", dbapi.ProgrammingError, "3F000"),
            ("SELECT s::INT FROM c", dbapi.DataError, "22018"),
            ("SELECT 200::TINYINT", dbapi.DataError, "22018"),
            ("SELECT nextval('few')", dbapi.DataError, "2200H"),
            ("SELECT * FROM '/no/file.parquet'", dbapi.OperationalError, "58030"),
            ("COMMIT", dbapi.ProgrammingError, "25P01"),
            ('CREATE TABLE x (s "NULL")', dbapi.NotSupportedError, "0A000"),
        ):
            with self.subTest(sql=sql), self.assertRaises(dbapi.Error) as raised:
                self.run_sql(connection, sql)
            self.assertIsInstance(raised.exception, error, sql)
            self.assertEqual(raised.exception.sqlstate, state, sql)
        rows = pa.table({"id": [3, 3], "n": [1, 1], "s": ["", ""]})
        with self.assertRaises(dbapi.IntegrityError) as raised, connection.cursor() as cursor:
            cursor.adbc_ingest("c", rows, mode="append")
        self.assertEqual(raised.exception.sqlstate, "23505")
        # Of rows that are on their way already.
        with self.assertRaises(dbapi.DataError), connection.cursor() as cursor:
            cursor.execute("SELECT CASE WHEN i = 900000 THEN error_of(i) ELSE i END FROM (SELECT i, i FROM range(1000000) r(i))"
                           .replace("error_of(i)", "('x' || i)::BIGINT"))
            cursor.fetchall()

    def test_commit_after_a_failed_statement_is_an_error(self):
        connection, reader = self.open(autocommit=False), self.open()
        self.make_table(reader)
        for end in (connection.commit, lambda: self.run_sql(connection, "COMMIT"),
                    lambda: connection.adbc_connection.set_autocommit(True)):
            self.run_sql(connection, "INSERT INTO t VALUES (7, 'lost', 0)")
            with self.assertRaisesRegex(dbapi.Error, r"key \(1\)"):
                self.run_sql(connection, "INSERT INTO t VALUES (1, 'again', 0)")
            with self.assertRaisesRegex(dbapi.Error, r"nothing was committed.*rolled back.*key \(1\)") as raised:
                end()
            self.assertEqual(raised.exception.status_code, adbc_driver_manager.AdbcStatusCode.INVALID_STATE)
            self.assertEqual(raised.exception.sqlstate, "25P02")
            self.assertEqual(self.run_sql(reader, "SELECT count(*) FROM t"), [(3,)])
            self.run_sql(connection, "INSERT INTO t VALUES (8, 'not yet', 0)")  # the connection is manual still
            self.assertEqual(self.run_sql(reader, "SELECT count(*) FROM t"), [(3,)])
            connection.rollback()
        with self.assertRaises(dbapi.Error):
            self.run_sql(connection, "INSERT INTO t VALUES (1, 'again', 0)")
        connection.rollback()
        self.run_sql(connection, "INSERT INTO t VALUES (7, 'kept', 0)")
        connection.commit()
        self.assertEqual(self.run_sql(reader, "SELECT count(*) FROM t"), [(4,)])

    def test_a_failed_commit_leaves_the_connection_manual(self):
        reader = self.open()
        self.make_table(reader)
        first, second = self.open(autocommit=False), self.open(autocommit=False)
        self.run_sql(first, "UPDATE t SET name = 'first' WHERE id = 1")
        self.run_sql(second, "UPDATE t SET name = 'second' WHERE id = 1")
        first.commit()
        with self.assertRaisesRegex(dbapi.Error, "write conflict"):
            second.commit()
        self.run_sql(second, "INSERT INTO t VALUES (77, 'not yet', 0)")
        self.assertEqual(self.run_sql(reader, "SELECT count(*) FROM t"), [(3,)])
        second.rollback()
        self.assertEqual(self.run_sql(reader, "SELECT count(*) FROM t"), [(3,)])
        self.run_sql(second, "UPDATE t SET name = 'second' WHERE id = 1")  # the second try
        second.commit()
        self.assertEqual(self.run_sql(reader, "SELECT name FROM t WHERE id = 1"), [("second",)])

    def test_transactions_that_sql_ends_are_followed_by_the_next(self):
        reader = self.open()
        self.make_table(reader)
        connection = self.open(autocommit=False)
        for end in ("ROLLBACK", "COMMIT", "INSERT INTO t VALUES (7, 'committed', 0); COMMIT", "COMMIT; SELECT 1"):
            self.run_sql(connection, end)
            self.run_sql(connection, "DELETE FROM t")
            self.assertGreater(self.run_sql(reader, "SELECT count(*) FROM t"), [(0,)], end)
            connection.rollback()
        self.assertEqual(self.run_sql(reader, "SELECT count(*) FROM t"), [(4,)])
        self.run_sql(connection, "COMMIT; DELETE FROM t; SELECT 1")  # between the two as well
        connection.rollback()
        self.assertEqual(self.run_sql(reader, "SELECT count(*) FROM t"), [(4,)])
        connection.adbc_connection.set_autocommit(True)
        self.run_sql(connection, "DELETE FROM t WHERE id = 7")
        self.assertEqual(self.run_sql(reader, "SELECT count(*) FROM t"), [(3,)])
        self.run_sql(connection, "BEGIN")  # a transaction of one's own, after which it commits by itself again
        self.run_sql(connection, "ROLLBACK")
        self.run_sql(connection, "DELETE FROM t WHERE id = 0")
        self.assertEqual(self.run_sql(reader, "SELECT count(*) FROM t"), [(2,)])


class Users(AdbcTest):
    def test_each_sees_their_own_rows(self):
        ada, bob, nobody = self.open(user="ada"), self.open(user="bob"), self.open()
        self.run_sql(ada, "CREATE TABLE notes (id BIGINT PRIMARY KEY, text VARCHAR) WITH (kind = 'user')")
        self.run_sql(ada, "INSERT INTO notes VALUES (1, 'mine')")
        self.assertEqual(self.run_sql(bob, "SELECT * FROM notes"), [])
        self.assertEqual(self.run_sql(ada, "SELECT * FROM notes"), [(1, "mine")])
        with self.assertRaisesRegex(dbapi.Error, "user"):
            self.run_sql(nobody, "SELECT * FROM notes")

    def test_confined_users_reach_their_own_rows_only(self):
        ada = self.open(user="ada")
        self.run_sql(ada, "CREATE TABLE notes (id BIGINT PRIMARY KEY, text VARCHAR) WITH (kind = 'user')")
        self.run_sql(ada, "INSERT INTO notes VALUES (1, 'swordfish')")
        bob = self.open(user="bob", confined="true")
        with bob.cursor() as cursor:
            rows = pa.table({"id": [1, 2], "text": ["own", "too"]})
            self.assertEqual(cursor.adbc_ingest("notes", rows, mode="append"), 2)
            cursor.executemany("INSERT INTO notes VALUES (?, ?)", [(3, "three")])
            cursor.adbc_ingest("mine", rows, temporary=True)
            self.assertEqual(self.run_sql(bob, "SELECT count(*) FROM mine"), [(2,)])
            for mode in ("create", "replace"):
                with self.assertRaisesRegex(dbapi.Error, "confined"):
                    cursor.adbc_ingest("notes" if mode == "replace" else "other", rows, mode=mode)
        self.assertEqual(self.run_sql(bob, "SELECT id FROM notes ORDER BY id"), [(1,), (2,), (3,)])
        for sql in ("SET threads = 1", "USE memory", f"ATTACH '{self.path}' AS z (TYPE yarrow, USER 'ada')", "DROP TABLE notes",
                    f"SELECT * FROM read_parquet('{self.path}/cold/**/*.parquet')", "CALL yarrow_flush('notes')",
                    "SELECT * FROM system.main.yarrow_ingest()"):
            with self.subTest(sql=sql), self.assertRaises(dbapi.Error):
                self.run_sql(bob, sql)
        objects = str(bob.adbc_get_objects().read_all().to_pylist())
        self.assertIn("notes", objects)
        told = objects + str(bob.adbc_get_info())
        for secret in ("swordfish", "ada'", str(self.path)):
            self.assertNotIn(secret, told)
        self.assertEqual(bob.adbc_get_table_schema("notes").names, ["id", "text"])
        with self.assertRaises(dbapi.Error):
            bob.adbc_connection.set_options(**{"adbc.connection.catalog": "memory"})
        self.assertEqual(self.run_sql(ada, "SELECT text FROM notes"), [("swordfish",)])
        with self.assertRaisesRegex(dbapi.Error, "'user'"):
            self.open(confined="true")


class Settings(AdbcTest):
    def test_arrow_layouts(self):
        connection = self.open()
        query = "SELECT 'a longer text than twelve bytes' AS t, 1.5::DECIMAL(4,1) AS d, [1, 2] AS l, 'x'::BLOB AS b"
        expected = self.run_sql(connection, query)
        settings = ("arrow_large_buffer_size = true", "arrow_output_version = '1.5'", "produce_arrow_string_view = true",
                    "arrow_output_list_view = true")
        for setting in settings:
            self.run_sql(connection, "SET " + setting)
            self.assertEqual(self.run_sql(connection, query), expected, setting)
            self.assertEqual((connection.adbc_current_catalog, connection.adbc_current_db_schema), ("db", "main"), setting)
            self.assertIn("db", [c["catalog_name"] for c in connection.adbc_get_objects().read_all().to_pylist()], setting)
            with connection.cursor() as cursor:
                cursor.adbc_ingest("t", pa.table({"t": ["a longer text than twelve bytes"]}), mode="replace")
                cursor.execute("SELECT t FROM t WHERE t = ?", ("a longer text than twelve bytes",))
                self.assertEqual(cursor.fetchall(), [("a longer text than twelve bytes",)], setting)


class Errors(AdbcTest):
    def test_messages_are_the_drivers_own(self):
        with self.assertRaises(dbapi.Error) as caught:
            dbapi.connect(driver=DRIVER)
        self.assertNotIn("dlsym", str(caught.exception))

    def test_a_statement_that_failed_may_be_run_again(self):
        connection = self.open()
        with connection.cursor() as cursor:
            for sql, parameters in (("SELECT * FROM missing", None), ("SELECT * FROM missing WHERE id = ?", (1,)),
                                    ("SELEC 1", None), ("SELECT 1; SELECT * FROM missing", None)):
                for _ in range(3):
                    with self.assertRaisesRegex(dbapi.Error, "missing|syntax error"):
                        cursor.execute(sql, parameters)
            for _ in range(2):
                with self.assertRaisesRegex(dbapi.Error, "missing"):
                    cursor.adbc_execute_schema("SELECT * FROM missing")
            sql = "SELECT * FROM later"
            with self.assertRaisesRegex(dbapi.Error, "later"):
                cursor.execute(sql)
            for columns in (1, 2):
                self.run_sql(connection, f"CREATE TABLE later AS SELECT {', '.join(f'{i} AS c{i}' for i in range(columns))}")
                cursor.execute(sql)
                self.assertEqual(len(cursor.fetchone()), columns)
                self.run_sql(connection, "DROP TABLE later")
                for _ in range(2):
                    with self.assertRaisesRegex(dbapi.Error, "later"):
                        cursor.execute(sql)

    def test_a_text_without_statements_has_no_rows(self):
        with self.open().cursor() as cursor:
            cursor.execute("-- only a comment")
            self.assertEqual(cursor.fetch_arrow_table().num_rows, 0)

    def test_options(self):
        with self.assertRaisesRegex(dbapi.Error, "'path' is missing"):
            dbapi.connect(driver=DRIVER)
        with self.assertRaisesRegex(dbapi.Error, "nonsense"):
            connect(self.path, nonsense="1")
        self.path.mkdir()
        (self.path / "letter.txt").write_text("not a database")
        with self.assertRaisesRegex(dbapi.Error, str(self.path)):
            connect(self.path)

    def test_statements(self):
        connection = self.open()
        self.make_table(connection)
        for sql, part in (
            ("SELEC 1", "syntax error"),
            ("SELECT * FROM missing", "missing"),
            ("INSERT INTO t VALUES (1, 'x', 0)", r"main\.t.*key \(1\)"),
            ("INSERT INTO t VALUES (9, NULL, 0)", "name"),
            ("SELECT ? + 1", "[Pp]arameter"),
        ):
            with self.assertRaisesRegex(dbapi.Error, part):
                self.run_sql(connection, sql)
        self.assertEqual(self.run_sql(connection, "SELECT count(*) FROM t"), [(3,)])

    def test_the_directory_is_locked_and_free_again(self):
        script = (
            "import sys; from adbc_driver_manager import dbapi\n"
            f"c = dbapi.connect(driver={DRIVER!r}, db_kwargs={{'path': {str(self.path)!r}}}, autocommit=True)\n"
            "print('open', flush=True); sys.stdin.read()\n"
        )
        with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            self.assertEqual(other.stdout.readline(), b"open\n")
            with self.assertRaisesRegex(dbapi.Error, str(other.pid)):
                connect(self.path)
            other.stdin.close()
        connection = connect(self.path)
        self.make_table(connection)
        connection.close()
        listed = subprocess.run([PROGRAM, "tables", str(self.path)], capture_output=True, text=True, check=True)
        self.assertIn("t", listed.stdout)  # the lock went with the handle

    def test_handles_are_closed_in_any_order(self):
        database = adbc_driver_manager.AdbcDatabase(driver=DRIVER, path=str(self.path))
        connection = adbc_driver_manager.AdbcConnection(database)
        statement = adbc_driver_manager.AdbcStatement(connection)
        statement.set_sql_query("SELECT 1")
        stream, _ = statement.execute_query()
        reader = pa.RecordBatchReader._import_from_c(stream.address)
        self.assertEqual(reader.read_all().num_rows, 1)
        self.assertEqual(database.get_option("path"), str(self.path))
        statement.close()
        connection.close()
        database.close()
        self.make_table(self.open())


class Forks(AdbcTest):
    """A process that was forked while a database is open: an error at each call, and no hang at its end."""

    MESSAGE = "fork first and open afterwards"

    def in_child(self, check):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            signal.alarm(60)  # ends a child that hangs
            complaint = b""
            try:
                check()
            except BaseException as error:  # pylint: disable=broad-exception-caught
                complaint = repr(error).encode()
            os.write(writer, b"done " + complaint)
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as said:
            self.assertEqual(said.read(), b"done ")
        self.assertEqual(os.waitpid(child, 0)[1], 0)

    def assert_refused(self, call):
        try:
            call()
        except (dbapi.Error, pa.ArrowException, OSError) as error:
            assert self.MESSAGE in str(error), str(error)
        else:
            raise AssertionError("not refused")

    def test_both_write_and_nothing_is_lost(self):
        connection = self.open()
        self.make_table(connection, 0)
        acknowledged = []

        def write():
            for open_one in (lambda: connect(self.path), lambda: connection):
                self.assert_refused(lambda: acknowledged.append(self.run_sql(open_one(), "INSERT INTO t VALUES (-1, 'x', 0)")))
            self.assert_refused(lambda: connect(self.path.parent / "another"))

        self.in_child(write)
        for i in range(100):
            self.run_sql(connection, f"INSERT INTO t VALUES ({i}, 'x', 0)")
        connection.close()
        again = connect(self.path)
        self.addCleanup(again.close)
        self.assertEqual(self.run_sql(again, "SELECT count(*) FROM t"), [(100,)])

    def test_each_handle_is_refused_and_closed(self):
        database = adbc_driver_manager.AdbcDatabase(driver=DRIVER, path=str(self.path))
        connection = adbc_driver_manager.AdbcConnection(database)
        statement = adbc_driver_manager.AdbcStatement(connection)
        statement.set_sql_query("SELECT range FROM range(100000)")
        stream, _ = statement.execute_query()
        rows = pa.RecordBatchReader._import_from_c(stream.address)
        rows.read_next_batch()

        def use():
            for call in (
                lambda: adbc_driver_manager.AdbcConnection(database),
                lambda: database.get_option("path"),
                connection.commit,
                connection.get_table_types,
                lambda: connection.get_objects(adbc_driver_manager.GetObjectsDepth.ALL),
                lambda: adbc_driver_manager.AdbcStatement(connection),
                statement.execute_query,
                statement.prepare,
                lambda: statement.set_sql_query("SELECT 2"),
                rows.read_next_batch,
            ):
                self.assert_refused(call)
            rows.close()
            statement.close()
            connection.close()
            database.close()

        self.in_child(use)
        self.assertGreater(rows.read_all().num_rows, 0)
        statement.close()
        connection.close()
        database.close()

    def test_a_child_that_ends_as_programs_do(self):
        script = (
            "import os, signal, sys; from adbc_driver_manager import dbapi\n"
            f"c = dbapi.connect(driver={DRIVER!r}, db_kwargs={{'path': {str(self.path)!r}}}, autocommit=True)\n"
            "k = c.cursor(); k.execute('CREATE TABLE t (id BIGINT PRIMARY KEY)'); k.execute('INSERT INTO t VALUES (1)')\n"
            "k.execute('FROM t')\n"
            "child = os.fork()\n"
            "if child == 0: signal.alarm(60); sys.exit(0)\n"
            "assert os.waitpid(child, 0)[1] == 0\n"
            "assert k.fetchall() == [(1,)]; k.close(); c.close()\n"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_child_may_open_what_is_closed(self):
        connection = connect(self.path)
        self.make_table(connection, 5000)
        connection.close()

        def write():
            mine = connect(self.path)
            self.run_sql(mine, "INSERT INTO t SELECT range, 'x', 0 FROM range(5000, 10000)")
            self.run_sql(mine, "CALL yarrow_flush('t')")
            mine.close()

        self.in_child(write)
        self.assertEqual(self.run_sql(self.open(), "SELECT count(*) FROM t"), [(10000,)])


if __name__ == "__main__":
    unittest.main()
