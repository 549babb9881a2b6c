"""Rows and schemas: what a record becomes, what is refused, and what people are told of it."""

import dataclasses
import datetime
import hashlib
import random
import re
from dataclasses import replace
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import tables
from pipeline.records import (
    Benchmark,
    Extraction,
    Gain,
    Link,
    Model,
    Number,
    Paper,
    PlaceError,
    Reject,
    Size,
    Span,
)

SHARED = Path(__file__).parents[2] / "shared"

PAPER = Paper(
    "own:otter",
    "Otter-7B, a reader of maps",
    "Otter gains 3.2% on MapQA and RoadQA.\nCode: https://github.com/riverside/otter",
    datetime.date(2025, 3, 4),
    "https://example.org/otter",
    "papers.jsonl",
)


def place(field: str, surface: str, paper: Paper = PAPER) -> Span:
    start = getattr(paper, field).index(surface)
    return Span.of(paper, field, start, start + len(surface))


GAIN = Gain(
    span=place("abstract", "3.2%"),
    rule="gains/gains-value",
    gain_id="g1",
    kind="delta",
    value=3.2,
    value_low=None,
    value_high=None,
    value_from=None,
    value_to=None,
    unit="percent",
    basis=None,
    direction="up",
    qualifiers=("about",),
    metric=None,
    benchmarks=("MapQA", "RoadQA"),
    model="Otter-7B",
    baseline=None,
    sentence=place("abstract", "Otter gains 3.2% on MapQA and RoadQA."),
)
URL = "https://github.com/riverside/otter"
EXTRACTION = Extraction(
    paper=PAPER,
    code_status="released",
    models=(
        Model(
            span=place("title", "Otter-7B"),
            rule="models/Otter",
            name="Otter-7B",
            family="Otter",
            kind="model",
            role="proposed",
            mentions=2,
        ),
    ),
    sizes=(
        Size(
            span=place("title", "7B"),
            rule="sizes/parameters",
            kind="parameters",
            value=7_000_000_000,
            model="Otter-7B",
        ),
    ),
    benchmarks=(
        Benchmark(
            span=place("abstract", "MapQA"),
            rule="benchmarks/MapQA",
            name="MapQA",
            role="evaluated",
            mentions=1,
        ),
    ),
    gains=(GAIN,),
    links=(
        Link(
            span=place("abstract", URL),
            rule="links/github",
            url=URL,
            kind="code",
            host="github.com",
            repository="riverside/otter",
        ),
    ),
    numbers=(
        Number(
            span=place("abstract", "3.2%"), rule="numbers/gain", value=3.2, use="gain", gain_id="g1"
        ),
        Number(span=place("title", "7B"), rule="numbers/size", value=7e9, use="size", gain_id=None),
    ),
)


def one_row(name: str, extraction: Extraction = EXTRACTION) -> dict[str, object]:
    (row,) = tables.rows([extraction])[name].to_pylist()
    return row


PLACE = ["paper_id", "field", "start", "end", "surface", "rule"]


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("models", Model),
        ("sizes", Size),
        ("benchmarks", Benchmark),
        ("links", Link),
        ("numbers", Number),
    ],
)
def test_a_table_has_the_columns_of_a_place_and_the_fields_of_its_record(name, record):
    fields = [field.name for field in dataclasses.fields(record)]
    assert fields[:2] == ["span", "rule"]
    reviewed = [] if name == "numbers" else ["reviewed"]
    assert tables.TABLES[name].names == PLACE + fields[2:] + reviewed


def test_the_other_tables_have_the_fields_of_their_records_too():
    fields = [field.name for field in dataclasses.fields(Gain)][2:]
    at = fields.index("sentence")
    fields[at : at + 1] = ["sentence", "sentence_start", "sentence_end"]
    fields[fields.index("benchmarks")] = "benchmark"
    assert tables.TABLES["gains"].names == [*PLACE, *fields, "checks", "reviewed"]

    paper = [field.name for field in dataclasses.fields(Paper)]
    assert tables.TABLES["papers"].names == [*paper, "text_sha256", "code_status"]

    assert tables.TABLES["rejects"].names == [field.name for field in dataclasses.fields(Reject)]

    run = [field.name for field in dataclasses.fields(tables.Run)]
    run[run.index("rows") : run.index("rows") + 1] = [f"rows_{name}" for name in tables.EXTRACTED]
    assert tables.TABLES["runs"].names == run


def test_every_column_says_what_it_means_and_what_a_null_means():
    for name, schema in tables.TABLES.items():
        assert schema.metadata[b"description"].endswith(b"."), name
        for column in schema:
            assert sorted(column.metadata) == [b"description", b"null", b"unit"], column
            assert column.metadata[b"description"], column
            assert column.nullable == (column.metadata[b"null"] != b"never"), column


@pytest.mark.skipif(not SHARED.exists(), reason="the description of the tables is not here")
def test_every_column_promised_to_readers_is_there():
    promised = (SHARED / "tables.md").read_text(encoding="utf-8")
    # The table they share, then one section per table.
    shared, *sections = re.split(r"^## ", promised, flags=re.MULTILINE)
    assert re.findall(r"^\| `(\w+)`(?:, `(\w+)`)? ", shared, flags=re.MULTILINE)[2] == (
        "start",
        "end",
    )
    assert len(sections) == len(tables.TABLES)
    for section in sections:
        name = section.split(":")[0]
        columns = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section, flags=re.MULTILINE)
        if not columns:
            # In running text, a column is a code word that no bracket holds (those are values).
            text = re.sub(r"\([^()]*(?:\([^()]*\)[^()]*)*\)", "", section.split("\n", 1)[1])
            columns = [text.split(". An id given")[0].split(". Numbers in words")[0]]
        for column in re.findall(r"`(\w+)`", " ".join(columns)):
            assert column in tables.TABLES[name].names, f"{name}.{column}"


def test_types_are_those_people_rely_on():
    gains, papers = tables.TABLES["gains"], tables.TABLES["papers"]
    assert gains.field("start").type == gains.field("sentence_end").type == pa.int32()
    assert gains.field("value").type == pa.float64()
    assert gains.field("qualifiers").type == gains.field("checks").type == pa.list_(pa.string())
    assert papers.field("published").type == pa.date32()
    assert tables.TABLES["sizes"].field("value").type == pa.int64()
    assert tables.TABLES["models"].field("mentions").type == pa.int32()
    assert tables.TABLES["runs"].field("started").type == pa.timestamp("us", tz="UTC")


def test_a_paper_is_one_row():
    text = f"{PAPER.title}\n\n{PAPER.abstract}"
    assert one_row("papers") == {
        "paper_id": "own:otter",
        "title": PAPER.title,
        "abstract": PAPER.abstract,
        "published": datetime.date(2025, 3, 4),
        "url": "https://example.org/otter",
        "source": "papers.jsonl",
        "text_sha256": hashlib.sha256(text.encode("utf-8")).hexdigest(),
        "code_status": "released",
    }


def test_a_record_is_a_row_with_its_place():
    assert one_row("sizes") == {
        "paper_id": "own:otter",
        "field": "title",
        "start": 6,
        "end": 8,
        "surface": "7B",
        "rule": "sizes/parameters",
        "kind": "parameters",
        "value": 7_000_000_000,
        "model": "Otter-7B",
        "reviewed": None,
    }


def test_a_gain_of_two_benchmarks_is_two_rows_of_one_claim():
    rows = tables.rows([EXTRACTION])["gains"].to_pylist()
    assert [row["benchmark"] for row in rows] == ["MapQA", "RoadQA"]
    assert [row.pop("benchmark") for row in rows]
    assert rows[0] == rows[1]
    assert rows[0]["gain_id"] == "g1"
    assert rows[0]["qualifiers"] == ["about"]
    assert rows[0]["checks"] == []
    start, end = rows[0]["sentence_start"], rows[0]["sentence_end"]
    assert PAPER.abstract[start:end] == rows[0]["sentence"] == GAIN.sentence.surface


def test_a_gain_without_a_benchmark_is_one_row_without_one():
    row = one_row("gains", replace(EXTRACTION, gains=(replace(GAIN, benchmarks=()),)))
    assert row["benchmark"] is None


def test_a_benchmark_named_twice_by_a_gain_is_one_row():
    row = one_row("gains", replace(EXTRACTION, gains=(replace(GAIN, benchmarks=("A", "A")),)))
    assert row["benchmark"] == "A"


def test_rows_stand_in_the_order_of_the_text_title_first():
    numbers = EXTRACTION.numbers
    assert [number.span.field for number in numbers] == ["abstract", "title"]
    rows = tables.rows([EXTRACTION])["numbers"].to_pylist()
    assert [row["field"] for row in rows] == ["title", "abstract"]


@given(st.randoms(use_true_random=False))
def test_the_order_of_papers_and_records_makes_no_difference(chance: random.Random):
    other = Paper("own:badger", PAPER.title, PAPER.abstract)
    second = replace(EXTRACTION, paper=other)
    expected = tables.rows([second, EXTRACTION])
    assert expected["papers"].column("paper_id").to_pylist() == ["own:badger", "own:otter"]
    gains = [GAIN, replace(GAIN, gain_id="g0"), replace(GAIN, span=place("abstract", "Otter"))]
    numbers = list(EXTRACTION.numbers)
    given_here = [replace(second, gains=tuple(gains)), replace(EXTRACTION, gains=tuple(gains))]
    expected = tables.rows(given_here)
    chance.shuffle(gains)
    chance.shuffle(numbers)
    given_here = [replace(one, gains=tuple(gains), numbers=tuple(numbers)) for one in given_here]
    chance.shuffle(given_here)
    assert tables.rows(given_here) == expected


@pytest.mark.parametrize(
    ("span", "reason"),
    [
        (Span("abstract", 12, 16, "3.3%"), "is '3.2%', not '3.3%'"),
        (Span("title", 12, 16, "3.2%"), "not '3.2%'"),
        (Span("abstract", 70, 999, PAPER.abstract[70:]), "outside the text"),
        (Span("title", -4, -1, PAPER.title[-4:-1]), "outside the text"),
        (Span("title", 3, 3, ""), "outside the text"),
    ],
)
def test_a_row_that_does_not_stand_where_it_says_is_refused(span, reason):
    wrong = replace(EXTRACTION.sizes[0], span=span)
    with pytest.raises(PlaceError, match=f"own:otter, sizes .sizes/parameters.: .*{reason}"):
        tables.rows([replace(EXTRACTION, sizes=(wrong,))])
    wrong_gain = replace(GAIN, sentence=span)
    with pytest.raises(PlaceError, match="own:otter, gains"):
        tables.rows([replace(EXTRACTION, gains=(wrong_gain,))])


def test_a_sentence_of_another_field_than_its_value_is_refused():
    wrong = replace(GAIN, sentence=place("title", PAPER.title))
    with pytest.raises(
        PlaceError, match="the value stands in the abstract, its sentence in the ti"
    ):
        tables.rows([replace(EXTRACTION, gains=(wrong,))])


def test_a_null_where_there_never_is_one_is_refused():
    wrong = replace(EXTRACTION.models[0], name=None)
    with pytest.raises(tables.TableError, match="models: a null in 'name'"):
        tables.rows([replace(EXTRACTION, models=(wrong,))])


@given(st.text())
def test_text_that_is_made_encodable_keeps_its_places(text: str):
    broken = text + "\ud800" + text
    made = tables.encodable(broken)
    assert made.encode("utf-8")
    assert len(made) == len(broken)
    assert made == text + "\ufffd" + text


def test_rejects_keep_up_to_500_characters():
    (row,) = tables.reject_table([Reject("a.csv", "line 3", "no title", "x" * 600)]).to_pylist()
    assert row == {
        "source": "a.csv", "position": "line 3", "reason": "no title", "excerpt": "x" * 500,
    }  # fmt: skip


def test_a_written_table_is_what_was_written_and_says_what_its_columns_mean(tmp_path):
    made = tables.rows([EXTRACTION])
    for name, table in made.items():
        (tmp_path / name).mkdir()
        tables.write_table(name, [table], tmp_path / name / "part-0.parquet")
        assert tables.read_table(tmp_path, name) == table
        schema = pa.parquet.read_schema(tmp_path / name / "part-0.parquet")
        assert schema.equals(tables.TABLES[name])
        for column in tables.TABLES[name]:
            written = schema.field(column.name).metadata
            assert written[b"description"] == column.metadata[b"description"]


def test_few_distinct_strings_are_stored_once_and_long_texts_are_not_looked_up(tmp_path):
    tables.write_table("gains", [tables.rows([EXTRACTION])["gains"]], tmp_path / "gains.parquet")
    group = pa.parquet.ParquetFile(tmp_path / "gains.parquet").metadata.row_group(0)
    encodings = {
        group.column(number).path_in_schema: group.column(number).encodings
        for number in range(group.num_columns)
    }
    for column in ("paper_id", "rule", "benchmark", "qualifiers.list.element"):
        assert "RLE_DICTIONARY" in encodings[column], column
    for column in ("sentence", "surface", "value"):
        assert "RLE_DICTIONARY" not in encodings[column], column


def test_a_table_without_rows_has_its_columns(tmp_path):
    (tmp_path / "gains").mkdir()
    tables.write_table("gains", [], tmp_path / "gains" / "part-0.parquet")
    assert pd.read_parquet(tmp_path / "gains").columns.tolist() == tables.TABLES["gains"].names
    assert tables.read_table(tmp_path, "gains").num_rows == 0


def test_all_readers_read_a_folder_of_parts_by_its_path(tmp_path):
    for number, paper_id in enumerate(["own:a", "own:b"]):
        made = tables.rows([replace(EXTRACTION, paper=replace(PAPER, paper_id=paper_id))])
        (tmp_path / "gains").mkdir(exist_ok=True)
        tables.write_table("gains", [made["gains"]], tmp_path / "gains" / f"part-{number}.parquet")
    folder = tmp_path / "gains"
    expected = ["own:a", "own:a", "own:b", "own:b"]
    assert pd.read_parquet(folder)["paper_id"].tolist() == expected
    assert pl.read_parquet(folder)["paper_id"].to_list() == expected
    rows = duckdb.sql(f"select paper_id from read_parquet('{folder}') order by 1").fetchall()
    assert [paper_id for (paper_id,) in rows] == expected


def test_a_missing_or_damaged_table_is_told_by_its_path(tmp_path):
    with pytest.raises(tables.TableError, match="no table 'gains' here"):
        tables.read_table(tmp_path, "gains")
    (tmp_path / "gains.parquet").write_bytes(b"PAR1 cut short")
    with pytest.raises(tables.TableError, match=r"gains\.parquet: not readable as Parquet"):
        tables.read_table(tmp_path, "gains")
    tables.write_table("links", [], tmp_path / "links.parquet")
    (tmp_path / "links.parquet").rename(tmp_path / "gains.parquet")
    with pytest.raises(tables.TableError, match=r"gains\.parquet: no column baseline, basis"):
        tables.read_table(tmp_path, "gains")


def test_the_page_on_the_tables_is_current():
    page = Path(__file__).parents[1] / "outputs" / "README.md"
    assert page.read_text(encoding="utf-8") == tables.data_dictionary(), (
        "write it anew: python -c 'from pipeline.tables import data_dictionary as d; "
        'print(d(), end="")\' > outputs/README.md'
    )


def test_the_page_on_the_tables_names_every_column_once_per_table():
    sections = tables.data_dictionary().split("\n## ")[1:]
    assert [section.split("\n")[0] for section in sections] == list(tables.TABLES)
    for section, schema in zip(sections, tables.TABLES.values(), strict=True):
        rows = [line for line in section.splitlines() if line.startswith("| `")]
        assert [row.split("`")[1] for row in rows] == schema.names
        # A bar inside a cell would shift the columns after it.
        assert {row.count("|") for row in rows} == {6}
