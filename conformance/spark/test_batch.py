"""PySpark over Spark Connect, frames that end: what they give is what Spark gives."""

import datetime

import pytest
from pyspark.errors import AnalysisException, ArithmeticException, NumberFormatException, ParseException
from pyspark.errors import UnsupportedOperationException
from pyspark.sql import Window
from pyspark.sql import functions as F

pytestmark = pytest.mark.tidemill_only


@pytest.fixture
def people(spark):
    rows = [(1, "Ann", 2.5), (2, "Bob", None), (3, None, 1.0), (4, "Ann", 4.0)]
    return spark.createDataFrame(rows, "id long, name string, x double")


@pytest.fixture
def cities(spark):
    return spark.createDataFrame([("Ann", "NY"), ("Cy", "LA")], "name string, city string")


def tuples(frame):
    return [tuple(row) for row in frame.collect()]


def test_a_frame_is_shown_as_spark_shows_it(people, capsys):
    people.show()
    assert capsys.readouterr().out == (
        "+---+----+----+\n| id|name|   x|\n+---+----+----+\n|  1| Ann| 2.5|\n|  2| Bob|NULL|\n"
        "|  3|NULL| 1.0|\n|  4| Ann| 4.0|\n+---+----+----+\n\n"
    )
    people.printSchema()
    assert " |-- x: double (nullable = true)" in capsys.readouterr().out


def test_columns_that_nobody_named_have_sparks_names(people):
    frame = people.select(F.upper("name"), F.col("id") + 1, F.col("x") / 2, F.col("id").cast("string"))
    assert frame.columns == ["upper(name)", "(id + 1)", "(x / 2)", "id"]


def test_null_is_neither_true_nor_equal(people):
    assert people.filter(F.col("name") != "Ann").count() == 1
    assert people.filter(F.col("name").isNull()).count() == 1
    assert tuples(people.select(F.concat("name", F.lit("!"))))[2] == (None,)


def test_groups_and_aggregates(people):
    grouped = people.groupBy("name").agg(F.count("*").alias("n"), F.sum("x"), F.avg("id")).orderBy("name")
    assert tuples(grouped) == [(None, 1, 1.0, 3.0), ("Ann", 2, 6.5, 2.5), ("Bob", 1, None, 2.0)]
    assert people.count() == 4
    assert tuples(people.selectExpr("count(*)", "max(id)")) == [(4, 4)]


def test_joins_by_name_and_by_condition(people, cities):
    left = people.join(cities, "name", "left").orderBy("id")
    assert left.columns == ["name", "id", "x", "city"]
    assert [row.city for row in left.collect()] == ["NY", None, None, "NY"]
    inner = people.join(cities, people.name == cities.name).select(people.id, cities.city, people.name)
    assert sorted(tuples(inner)) == [(1, "NY", "Ann"), (4, "NY", "Ann")]


def test_functions_over_a_window_of_rows(people):
    latest = Window.partitionBy("name").orderBy(F.col("id").desc())
    frame = people.select("id", F.row_number().over(latest), F.sum("id").over(Window.partitionBy("name")))
    assert sorted(tuples(frame)) == [(1, 2, 5), (2, 1, 2), (3, 1, 3), (4, 1, 5)]


def test_sql_sees_temporary_views(spark, people, cities):
    people.createOrReplaceTempView("people")
    cities.createOrReplaceTempView("cities")
    query = "select name, count(*) n from people group by name having count(*) > 1"
    assert tuples(spark.sql(query)) == [("Ann", 2)]
    query = "select p.id, c.city from people p left join cities c on p.name = c.name where p.id < 3 order by p.id desc"
    assert tuples(spark.sql(query)) == [(2, None), (1, "NY")]
    query = "with a as (select id * 2 as d from people) select d from a union all select 100 order by d"
    assert tuples(spark.sql(query)) == [(2,), (4,), (6,), (8,), (100,)]
    assert spark.catalog.tableExists("people") and spark.catalog.dropTempView("people")


def test_division_and_casts_are_ansi(spark):
    assert tuples(spark.sql("select 7 / 2, 7 div 2, -7 div 2, 7 % 3, try_cast('x' as int)")) == [(3.5, 3, -3, 1, None)]
    with pytest.raises(ArithmeticException) as error:
        spark.sql("select 1 / 0").collect()
    assert error.value.getErrorClass() == "DIVIDE_BY_ZERO"
    with pytest.raises(NumberFormatException) as error:
        spark.sql("select cast('abc' as int)").collect()
    assert error.value.getErrorClass() == "CAST_INVALID_INPUT"


def test_times_are_read_and_written(spark):
    row = spark.range(1).select(
        F.to_timestamp(F.lit("2024-03-01 10:11:12")).cast("string"), F.to_date(F.lit("2024-03-01")),
        F.date_format(F.to_timestamp(F.lit("2024-03-01 10:11:12")), "yyyy/MM/dd"),
        F.unix_timestamp(F.lit("2024-03-01 10:11:12")),
    ).first()
    assert tuple(row) == ("2024-03-01 10:11:12", datetime.date(2024, 3, 1), "2024/03/01", 1709287872)


def test_documents_become_columns(spark):
    frame = spark.createDataFrame([('{"a":1,"b":{"c":"x"}}',), ("no document",)], "j string")
    parsed = frame.select(F.get_json_object("j", "$.b.c"), F.from_json("j", "a int, b struct<c:string>").alias("p"))
    assert tuples(parsed.select("*", "p.a", "p.b.c"))[0][2:] == (1, "x")
    assert tuples(parsed.select("p.a")) == [(1,), (None,)]


def test_rows_become_several_and_several_one(spark):
    frame = spark.createDataFrame([(1, [1, 2])], "a int, l array<int>")
    assert tuples(frame.select("a", F.explode("l").alias("e"))) == [(1, 1), (1, 2)]
    assert tuples(spark.range(0, 10, 3).agg(F.sum("id"), F.collect_list("id"))) == [(18, [0, 3, 6, 9])]


def test_frames_are_repaired_and_reshaped(people):
    assert people.na.fill({"name": "?"}).collect()[2].name == "?"
    assert people.na.drop().count() == 2
    assert people.withColumn("y", F.lit(1)).drop("x").withColumnRenamed("id", "ID").columns == ["ID", "name", "y"]
    assert people.select("name").distinct().count() == people.dropDuplicates(["name"]).count() == 3
    assert people.toPandas().shape == (4, 3)


@pytest.mark.parametrize(
    ("work", "exception", "error_class"),
    [
        (lambda spark, people: people.select("nme").collect(), AnalysisException, "UNRESOLVED_COLUMN.WITH_SUGGESTION"),
        (lambda spark, people: spark.sql("select * from nothing").collect(), AnalysisException, "TABLE_OR_VIEW_NOT_FOUND"),
        (lambda spark, people: spark.sql("selec 1").collect(), ParseException, "PARSE_SYNTAX_ERROR"),
        (lambda spark, people: spark.sql("select foo(1)").collect(), AnalysisException, "UNRESOLVED_ROUTINE"),
        (lambda spark, people: people.groupBy("name").pivot("id").count().collect(), UnsupportedOperationException, "UNSUPPORTED_FEATURE"),
        (lambda spark, people: people.select(F.udf(lambda x: x)("id")).collect(), UnsupportedOperationException, "UNSUPPORTED_FEATURE"),
        (lambda spark, people: spark.readStream.format("kinesis").load().schema, AnalysisException, "DATA_SOURCE_NOT_FOUND"),
    ],
)
def test_an_error_is_sparks_exception_with_sparks_class(spark, people, work, exception, error_class):
    with pytest.raises(exception) as error:
        work(spark, people)
    assert error.value.getErrorClass() == error_class


def test_a_setting_that_would_change_results_is_refused(spark):
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"
    with pytest.raises(UnsupportedOperationException):
        spark.conf.set("spark.sql.session.timeZone", "Europe/Berlin")


def test_files_are_frames(spark, tmp_path):
    (tmp_path / "a.csv").write_text("id,name\n1,Ann\n2,Bob\n")
    options = {"header": True, "inferSchema": True}
    assert tuples(spark.read.options(**options).csv(str(tmp_path / "a.csv"))) == [(1, "Ann"), (2, "Bob")]
    assert spark.read.csv(str(tmp_path / "a.csv")).columns == ["_c0", "_c1"]
    (tmp_path / "b.json").write_text('{"b": "x", "a": 1}\n{"a": 2}\n')
    frame = spark.read.json(str(tmp_path / "b.json"))
    assert frame.columns == ["a", "b"] and tuples(frame) == [(1, "x"), (2, None)]
    assert spark.read.schema("a int").json(str(tmp_path / "b.json")).count() == 2
    assert tuples(spark.read.text(str(tmp_path / "a.csv")))[0] == ("id,name",)


def test_frames_are_rolled_up_unpivoted_and_united(spark, people):
    rolled = people.na.drop().rollup("name").count().orderBy("name")
    assert tuples(rolled) == [(None, 2), ("Ann", 2)]
    wide = spark.createDataFrame([(1, 10, 20)], "id int, a int, b int")
    assert sorted(tuples(wide.unpivot("id", ["a", "b"], "k", "v"))) == [(1, "a", 10), (1, "b", 20)]
    assert people.union(people).count() == 8 and people.unionByName(people).distinct().count() == 4
    assert people.intersect(people.limit(2)).count() == 2 and people.exceptAll(people.limit(1)).count() == 3
    assert [row.id for row in people.tail(2)] == [3, 4]


def test_a_session_is_cloned_and_its_work_is_interrupted(spark, people):
    people.createOrReplaceTempView("cloned_people")
    clone = spark.cloneSession() if hasattr(spark, "cloneSession") else spark.newSession()
    if hasattr(spark, "cloneSession"):
        assert clone.table("cloned_people").count() == 4
    assert spark.interruptAll() == []


def test_frames_are_written_to_files_and_read_again(spark, people, tmp_path):
    people.write.json(str(tmp_path / "j"))
    assert spark.read.schema("id long, name string, x double").json(str(tmp_path / "j")).count() == 4
    with pytest.raises(AnalysisException) as error:
        people.write.json(str(tmp_path / "j"))
    assert error.value.getErrorClass() == "PATH_ALREADY_EXISTS"
    people.limit(1).write.mode("overwrite").option("header", True).csv(str(tmp_path / "j"))
    assert tuples(spark.read.option("header", True).csv(str(tmp_path / "j"))) == [("1", "Ann", "2.5")]


def test_frames_are_written_to_topics_and_tables(spark, kafka, cql, name):
    from cassandra.cluster import Cluster

    rows = spark.createDataFrame([("a", 1), ("b", 2)], "k string, v int")
    out = rows.select(F.col("k").alias("key"), F.col("v").cast("string").alias("value"))
    servers = {"kafka.bootstrap.servers": kafka}
    out.write.format("kafka").options(**servers).option("topic", name).save()
    read = spark.read.format("kafka").options(**servers).option("subscribe", name).load()
    assert sorted(tuples(read.selectExpr("CAST(key AS STRING)", "CAST(value AS STRING)"))) == [("a", "1"), ("b", "2")]
    host, port = cql.split(":")
    cluster = Cluster([host], port=int(port))
    session = cluster.connect()
    session.execute(f"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}")
    session.execute(f"CREATE TABLE {name}.t (k text PRIMARY KEY, v int)")
    where = {"spark.cassandra.connection.host": host, "spark.cassandra.connection.port": port}
    table = rows.write.format("org.apache.spark.sql.cassandra").options(keyspace=name, table="t", **where)
    table.mode("append").save()
    assert {row.k: row.v for row in session.execute(f"SELECT * FROM {name}.t")} == {"a": 1, "b": 2}
    cluster.shutdown()
