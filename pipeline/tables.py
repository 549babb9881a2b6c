"""Out: the tables' schemas, written by hand, beside the functions that make their rows.

Every column says what it means, in which unit it counts and what a null in it means; the Parquet
files carry that with them, and `data_dictionary` writes it out for people. Rows stand in the order
of their papers' ids and, within a paper, in the order of the text, title first.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.places import CURRENT, MANIFEST, SNAPSHOTS, is_remote, place_of
from pipeline.records import (
    FIELDS,
    Benchmark,
    Extraction,
    Gain,
    Link,
    Model,
    Number,
    Paper,
    PipelineError,
    PlaceError,
    Reject,
    Size,
    Span,
)

Row = dict[str, object]
Found = Model | Size | Benchmark | Gain | Link | Number

NEVER = "never"


class TableError(PipelineError):
    """A published table that is missing or cannot be read, or rows that do not fit their schema."""


def _column(
    name: str, kind: pa.DataType, description: str, *, unit: str = "", null: str = NEVER
) -> pa.Field:
    """A column; it may hold nulls only where `null` says what they mean."""
    metadata = {"description": description, "unit": unit, "null": null}
    return pa.field(name, kind, nullable=null != NEVER, metadata=metadata)


def _schema(description: str, *columns: pa.Field) -> pa.Schema:
    return pa.schema(columns, metadata={"description": description})


_WORDS = pa.string()
_INT32 = pa.int32()
_INT64 = pa.int64()
_FLOAT = pa.float64()
_LIST = pa.list_(pa.string())
_UTC = pa.timestamp("us", tz="UTC")

_PAPER_ID = _column("paper_id", _WORDS, "The paper; joins to `papers`.")
_PLACE = (
    _PAPER_ID,
    _column("field", _WORDS, "Which of the paper's texts it stands in: `title` or `abstract`."),
    _column(
        "start",
        _INT32,
        "Where it begins in that text, as `papers` has it; the first character is 0.",
        unit="characters (Unicode code points)",
    ),
    _column(
        "end",
        _INT32,
        "Where it ends: the place of the first character after it.",
        unit="characters (Unicode code points)",
    ),
    _column("surface", _WORDS, "What stands there: always exactly `papers[field][start:end]`."),
    _column(
        "rule",
        _WORDS,
        "The rule that made the row: file and entry in `rules/`, as in `benchmarks/MMLU`.",
    ),
)
_MENTIONS = _column("mentions", _INT32, "How often the paper names it.", unit="mentions")
_REVIEWED = _column(
    "reviewed",
    _WORDS,
    "What reviewers said of the row: `accept`, `edit` (it was corrected) or `missed` (they added "
    "it). Only `paperclaims precision --apply` tells it; what they rejected is gone there.",
    null="not reviewed",
)

# Tables whose rows come from papers, in the order people read about them.
EXTRACTED = ("papers", "models", "sizes", "benchmarks", "gains", "links", "numbers")

TABLES: dict[str, pa.Schema] = {
    "papers": _schema(
        "One row per paper.",
        _column(
            "paper_id",
            _WORDS,
            "The id given in the input; else the id of its source with the scheme "
            "(`arxiv:2509.01234`), else one made from the title.",
        ),
        _column(
            "title",
            _WORDS,
            "As the source has it, LaTeX and all. Half a surrogate pair, which no file in UTF-8 "
            "can hold, is stored as U+FFFD.",
        ),
        _column("abstract", _WORDS, "Likewise."),
        _column("published", pa.date32(), "When it was published.", null="not known"),
        _column("url", _WORDS, "Where to read it.", null="not known"),
        _column("source", _WORDS, "The file or address it was read from."),
        _column(
            "text_sha256",
            _WORDS,
            "SHA-256 of title, blank line and abstract in UTF-8: another value is another text.",
            unit="hexadecimal",
        ),
        _column(
            "code_status",
            _WORDS,
            "What the text says of its code: `released`, `promised` or `not_stated`.",
        ),
    ),
    "models": _schema(
        "One row per distinct model or method of a paper, at its best mention.",
        *_PLACE,
        _column("name", _WORDS, "Its name in canonical spelling."),
        _column("family", _WORDS, "The family it belongs to.", null="none known"),
        _column(
            "kind",
            _WORDS,
            "`model` (has weights) or `method` (algorithm, framework, system, recipe).",
        ),
        _column(
            "role",
            _WORDS,
            "`proposed` (the paper's own), `base` (built on or studied), `baseline` (compared "
            "with) or `mentioned`.",
        ),
        _MENTIONS,
        _REVIEWED,
    ),
    "sizes": _schema(
        "One row per distinct size of a paper.",
        *_PLACE,
        _column(
            "kind", _WORDS, "What is counted: `parameters`, `tokens` or `examples` (items of data)."
        ),
        _column(
            "value",
            _INT64,
            "The absolute number: 1700000000 for 1.7B.",
            unit="parameters, tokens or examples, as `kind` says",
        ),
        _column(
            "model",
            _WORDS,
            "Whose size it is: the `name` of a row of `models` of the same paper.",
            null="the text ties it to no model",
        ),
        _REVIEWED,
    ),
    "benchmarks": _schema(
        "One row per distinct benchmark or dataset of a paper, at its best mention.",
        *_PLACE,
        _column("name", _WORDS, "Its name in canonical spelling."),
        _column(
            "role",
            _WORDS,
            "`evaluated` (results are measured on it), `introduced` (the paper's own), `training` "
            "or `mentioned`.",
        ),
        _MENTIONS,
        _REVIEWED,
    ),
    "gains": _schema(
        "One row per reported value and benchmark: a value reported for three benchmarks is three "
        "rows with one `gain_id`. The place is that of the value; of a claim of being best, that "
        "of its words.",
        *_PLACE,
        _column(
            "gain_id",
            _WORDS,
            "The claim; depends on the paper, the place and the claim, not on the run.",
        ),
        _column(
            "kind",
            _WORDS,
            "`delta` (a difference), `factor` (a multiple), `from_to`, `score` (a level attained), "
            "`share` (a part of another's) or `sota` (a claim of being best without a value).",
        ),
        _column(
            "value",
            _FLOAT,
            "The number as written: 3.2 for 3.2%, 2.5 for 2.5x.",
            unit="as `unit` says",
            null="a range, from_to or sota",
        ),
        _column(
            "value_low",
            _FLOAT,
            "Lower end of a range.",
            unit="as `unit` says",
            null="not a range",
        ),
        _column(
            "value_high",
            _FLOAT,
            "Upper end of a range.",
            unit="as `unit` says",
            null="not a range",
        ),
        _column(
            "value_from",
            _FLOAT,
            "Where a from_to begins.",
            unit="as `unit` says",
            null="not a from_to",
        ),
        _column(
            "value_to",
            _FLOAT,
            "Where a from_to ends.",
            unit="as `unit` says",
            null="not a from_to",
        ),
        _column(
            "unit",
            _WORDS,
            "`percent`, `points`, `x` (a multiple) or another unit as written.",
            null="a bare number, or no value",
        ),
        _column(
            "basis",
            _WORDS,
            "What a percentage is of: `relative` (of the value compared with) or `points`; as the "
            "text says, or as it computes from the two ends told with it.",
            null="no percentage, or the text does not settle it",
        ),
        _column(
            "direction",
            _WORDS,
            "What happens to the quantity measured: `up` or `down`.",
            null="nothing (score, sota), or the text does not say",
        ),
        _column(
            "qualifiers",
            _LIST,
            "Any of `up_to`, `at_least`, `under`, `about`, `average`; an empty list when none.",
        ),
        _column("metric", _WORDS, "What is measured, as written.", null="the text names none"),
        _column(
            "benchmark",
            _WORDS,
            "What it is measured on: the `name` of a row of `benchmarks` of the same paper.",
            null="the text names none",
        ),
        _column(
            "model",
            _WORDS,
            "Who attains it: the `name` of a row of `models` of the same paper.",
            null="no name stands for it",
        ),
        _column(
            "baseline", _WORDS, "What it is compared with, as written.", null="the text names none"
        ),
        _column("sentence", _WORDS, "The sentence: `papers[field][sentence_start:sentence_end]`."),
        _column(
            "sentence_start",
            _INT32,
            "Where the sentence begins in the same text.",
            unit="characters (Unicode code points)",
        ),
        _column(
            "sentence_end",
            _INT32,
            "Where it ends.",
            unit="characters (Unicode code points)",
        ),
        _column(
            "checks",
            _LIST,
            "What the audit of its paper holds against the row, notes apart (`arithmetic`, "
            "`bounds`, `direction`, ...); an empty list when nothing.",
        ),
        _REVIEWED,
    ),
    "links": _schema(
        "One row per distinct URL of a paper.",
        *_PLACE,
        _column("url", _WORDS, "What a browser should open, without what LaTeX left around it."),
        _column(
            "kind",
            _WORDS,
            "`code`, `model`, `dataset`, `project`, `archive`, `paper` or `other`.",
        ),
        _column("host", _WORDS, "The host of the URL."),
        _column(
            "repository", _WORDS, "`owner/name` of a repository.", null="not a repository's address"
        ),
        _REVIEWED,
    ),
    "numbers": _schema(
        "One row per number in a text, so that nothing is dropped in silence: every run of digits "
        "lies in exactly one row. Numbers in words that carry a value (twice, half) have rows too.",
        *_PLACE,
        _column("value", _FLOAT, "The number, as written.", null="not a plain number"),
        _column(
            "use",
            _WORDS,
            "What the number is put to: `gain`, `size`, `name` (part of a name), `link`, `date`, "
            "`citation`, `count`, `setting`, `ordinal`, `statistic` (a p-value, an interval), "
            "`formula`, `price` or `other`.",
        ),
        _column(
            "gain_id",
            _WORDS,
            "The row or rows of `gains` it belongs to.",
            null="not part of a gain",
        ),
    ),
    "runs": _schema(
        "One row per run that was published. The only table that holds times, and so the only one "
        "that differs between two runs over the same papers with the same rules.",
        _column("run_id", _WORDS, "The run; also the name of its snapshot's folder."),
        _column("started", _UTC, "When it began.", unit="UTC"),
        _column("finished", _UTC, "When its tables were complete.", unit="UTC"),
        _column(
            "version", _WORDS, "The version of paperclaims.", null="not installed as a package"
        ),
        _column(
            "rules_fingerprint", _WORDS, "Which rules: changes with any change of a rule file."
        ),
        _column("sources", _LIST, "What was read, as it was given."),
        _column("read", _INT64, "Distinct papers read.", unit="papers"),
        _column("new", _INT64, "Papers that the tables did not hold before.", unit="papers"),
        _column("changed", _INT64, "Papers whose text is another than before.", unit="papers"),
        _column("unchanged", _INT64, "Papers whose text is the same as before.", unit="papers"),
        _column(
            "removed",
            _INT64,
            "Papers that the tables held before and do not any more.",
            unit="papers",
        ),
        _column("rejected", _INT64, "Rows of `rejects`.", unit="records"),
        *(_column(f"rows_{name}", _INT64, f"Rows of `{name}`.", unit="rows") for name in EXTRACTED),
        _column("seconds", _FLOAT, "How long the run took.", unit="seconds"),
    ),
    "rejects": _schema(
        "One row per record that could not be read when its source was read last, or not be "
        "extracted from.",
        _column("source", _WORDS, "The file or address it stands in."),
        _column("position", _WORDS, "Where in it: line, entry, byte or paper."),
        _column("reason", _WORDS, "Why it is no paper."),
        _column("excerpt", _WORDS, "What stands there.", unit="up to 500 characters"),
    ),
}

# Columns of few distinct values; the others would only pay for a dictionary of all their values.
_FEW_VALUES = frozenset(
    {
        "paper_id", "field", "rule", "kind", "role", "name", "family", "model", "benchmark",
        "unit", "basis", "direction", "qualifiers.list.element", "checks.list.element", "metric",
        "use", "host", "source", "code_status", "reason", "reviewed",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run that was published: when, with what, and how many; `rows` counts by table."""

    run_id: str
    started: datetime.datetime
    finished: datetime.datetime
    version: str | None
    rules_fingerprint: str
    sources: tuple[str, ...]
    read: int
    new: int
    changed: int
    unchanged: int
    removed: int
    rejected: int
    rows: Mapping[str, int]
    seconds: float


def rows(extractions: Iterable[Extraction]) -> dict[str, pa.Table]:
    """The rows of these papers, a table for each name in EXTRACTED.

    The order of the papers does not matter. Raises PlaceError for the first row that does not
    stand where it says it does.
    """
    made: dict[str, list[Row]] = {name: [] for name in EXTRACTED}
    for extraction in sorted(extractions, key=lambda extraction: extraction.paper.paper_id):
        paper = extraction.paper
        made["papers"].append(_paper_row(paper, extraction.code_status))
        made["models"].extend(_rows_in_order("models", paper, extraction.models))
        made["sizes"].extend(_rows_in_order("sizes", paper, extraction.sizes))
        made["benchmarks"].extend(_rows_in_order("benchmarks", paper, extraction.benchmarks))
        made["gains"].extend(_gain_rows(paper, extraction.gains))
        made["links"].extend(_rows_in_order("links", paper, extraction.links))
        made["numbers"].extend(_rows_in_order("numbers", paper, extraction.numbers))
    return {name: _table(name, made[name]) for name in EXTRACTED}


def reject_table(rejects: Iterable[Reject]) -> pa.Table:
    """The rows of `rejects`, in the order given."""
    return _table(
        "rejects",
        [
            {
                "source": reject.source,
                "position": reject.position,
                "reason": reject.reason,
                "excerpt": reject.excerpt[:500],
            }
            for reject in rejects
        ],
    )


def run_table(run: Run) -> pa.Table:
    """The row of `runs` for this run."""
    row: Row = {
        name: getattr(run, name)
        for name in TABLES["runs"].names
        if not name.startswith("rows_") and name != "sources"
    }
    row["sources"] = list(run.sources)
    row |= {f"rows_{name}": run.rows[name] for name in EXTRACTED}
    return _table("runs", [row])


def text_sha256(paper: Paper) -> str:
    """What tells one text of a paper from another: SHA-256 of title, blank line, abstract."""
    return hashlib.sha256(f"{paper.title}\n\n{paper.abstract}".encode()).hexdigest()


def encodable(text: str) -> str:
    """The text with halves of surrogate pairs, which UTF-8 cannot hold, as U+FFFD.

    One character for one, so that places stay what they are.
    """
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


_SURROGATE = re.compile("[\ud800-\udfff]")


def write_table(name: str, parts: Iterable[pa.Table], path: Path) -> None:
    """A Parquet file of these rows, a row group for each part; the same rows give the same bytes.

    With no parts it is a file without rows that still has the table's columns.
    """
    few = [column for column in _parquet_columns(name) if column in _FEW_VALUES]
    with pq.ParquetWriter(path, TABLES[name], compression="zstd", use_dictionary=few) as writer:
        for part in parts:
            # However a table came together, the same rows are the same bytes.
            writer.write_table(part.combine_chunks())


def _parquet_columns(name: str) -> Iterator[str]:
    for column in TABLES[name]:
        is_list = pa.types.is_list(column.type)
        yield f"{column.name}.list.element" if is_list else column.name


def snapshot(out: Path) -> Path:
    """The folder that holds the tables now published in `out`, all of one run.

    Read two tables of it by this path and they belong together, whatever is published meanwhile.
    A folder that holds tables itself is its own snapshot.
    """
    current = out / CURRENT
    return current.resolve() if current.exists() else out


def files(out: Path | str, name: str) -> list[str]:
    """The files of a published table in order, for whatever reads Parquet: paths or addresses.

    They belong to one snapshot, and none of them ever changes. Elsewhere than in a folder, `out`
    may also be an earlier snapshot, as `s3://bucket/tables/snapshots/<run id>`.
    """
    if not is_remote(out):
        return [str(path) for path in _part_files(Path(out), name)]
    address, _, snapshot_id = str(out).rstrip("/").partition(f"/{SNAPSHOTS}/")
    place = place_of(address)
    try:
        name_of_it = f"{SNAPSHOTS}/{snapshot_id or place.current()}/{MANIFEST}"
        manifest = json.loads(place.read(name_of_it))
    except FileNotFoundError as error:
        raise TableError(f"{out}: nothing is published here") from error
    return [
        f"{address}/parts/{name}/{file['sha256'][:32]}.parquet"
        for part, file in manifest["files"].items()
        if part.startswith(f"{name}/")
    ]


def read_table(folder: Path | str, name: str, columns: Sequence[str] | None = None) -> pa.Table:
    """A published table, or some of its columns, by the order of its papers.

    It is a folder of part files, or one file; or an address that holds what a run published.
    """
    schema = TABLES[name]
    if columns is not None:
        schema = pa.schema([schema.field(column) for column in columns])
    found = pa.Table.from_batches(read_batches(folder, name, columns), schema=schema)
    return _by_paper(found) if "paper_id" in schema.names else found


def _by_paper(found: pa.Table) -> pa.Table:
    """The rows in the order of their papers, which those of several runs are not yet in."""
    ids = found.column("paper_id")
    if len(ids) < 2 or pc.all(pc.less_equal(ids[:-1], ids[1:])).as_py():
        return found
    return found.take(pc.sort_indices(ids)).combine_chunks()


def read_batches(
    folder: Path | str, name: str, columns: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """The rows of a published table in their order, some thousand at a time.

    Raises TableError where the table is missing, damaged, or lacks a column.
    """
    wanted = list(TABLES[name].names if columns is None else columns)
    schema = pa.schema([TABLES[name].field(column) for column in wanted])
    for path in files(folder, name):
        try:
            with _opened(path) as opened, pq.ParquetFile(opened) as file:
                if missing := set(wanted) - set(file.schema_arrow.names):
                    raise TableError(
                        f"{path}: no column {', '.join(sorted(missing))}; publish the tables anew"
                    )
                for batch in file.iter_batches(batch_size=4096, columns=wanted):
                    yield batch.select(wanted).cast(schema)
        except (OSError, pa.ArrowException) as error:
            raise TableError(
                f"{path}: not readable as Parquet ({error}); publish the tables anew"
            ) from error


def _opened(path: str) -> IO[bytes]:
    if not is_remote(path):
        return Path(path).open("rb")
    address, _, name = path.rpartition("/parts/")
    return place_of(address).open(f"parts/{name}")


def _part_files(folder: Path, name: str) -> list[Path]:
    for path in (folder / name, folder / f"{name}.parquet"):
        if path.is_dir() and (parts := sorted(path.glob("*.parquet"))):
            return parts
        if path.is_file():
            return [path]
    raise TableError(
        f"{folder}: no table '{name}' here; name the folder that `paperclaims run` published in"
    )


def _paper_row(paper: Paper, code_status: str) -> Row:
    return {
        "paper_id": paper.paper_id,
        "title": paper.title,
        "abstract": paper.abstract,
        "published": paper.published,
        "url": paper.url,
        "source": paper.source,
        "text_sha256": text_sha256(paper),
        "code_status": code_status,
    }


def _rows_in_order(table: str, paper: Paper, found: Iterable[Found]) -> Iterator[Row]:
    """A row per record whose columns, after those of the place, are the record's own fields."""
    own = [name for name in TABLES[table].names[len(_PLACE) :] if name != _REVIEWED.name]
    for record in sorted(found, key=_place):
        row = _place_row(table, paper, record)
        for column in own:
            row[column] = getattr(record, column)
        yield row


def _gain_rows(paper: Paper, gains: Iterable[Gain]) -> Iterator[Row]:
    copied = (
        "gain_id", "kind", "value", "value_low", "value_high", "value_from", "value_to", "unit",
        "basis", "direction", "metric", "model", "baseline",
    )  # fmt: skip
    for gain in sorted(gains, key=lambda gain: (_place(gain), gain.gain_id)):
        row = _place_row("gains", paper, gain)
        for column in copied:
            row[column] = getattr(gain, column)
        if gain.sentence.field != gain.span.field:
            raise PlaceError(
                f"{paper.paper_id}, gains ({gain.rule}): the value stands in the "
                f"{gain.span.field}, its sentence in the {gain.sentence.field}; mend the extractor"
            )
        _check_place(paper, gain.sentence, f"gains, sentence ({gain.rule})")
        row |= {
            "qualifiers": list(gain.qualifiers),
            "sentence": gain.sentence.surface,
            "sentence_start": gain.sentence.start,
            "sentence_end": gain.sentence.end,
            "checks": [],
        }
        # One row for each benchmark, and one without where the text names none.
        benchmarks: Iterable[str | None] = dict.fromkeys(gain.benchmarks) or (None,)
        for benchmark in benchmarks:
            yield {**row, "benchmark": benchmark}


def _place_row(table: str, paper: Paper, record: Found) -> Row:
    span = record.span
    _check_place(paper, span, f"{table} ({record.rule})")
    return {
        "paper_id": paper.paper_id,
        "field": span.field,
        "start": span.start,
        "end": span.end,
        "surface": span.surface,
        "rule": record.rule,
    }


def _check_place(paper: Paper, span: Span, what: str) -> None:
    text = paper.title if span.field == "title" else paper.abstract
    # Checked apart: a negative place would count from the end, and the slice could still agree.
    inside = 0 <= span.start < span.end <= len(text)
    if not inside or text[span.start : span.end] != span.surface:
        there = repr(text[span.start : span.end]) if inside else "outside the text"
        raise PlaceError(
            f"{paper.paper_id}, {what}: {span.field}[{span.start}:{span.end}] is {there}, "
            f"not {span.surface!r}; mend the extractor"
        )


def _place(record: Found) -> tuple[int, int, int]:
    return FIELDS.index(record.span.field), record.span.start, record.span.end


def _table(name: str, made: list[Row]) -> pa.Table:
    schema = TABLES[name]
    table = pa.Table.from_pylist(made, schema=schema)
    # Arrow takes a null wherever it is told otherwise, and writes a file that cannot be read.
    for column in schema:
        if not column.nullable and table.column(column.name).null_count:
            raise TableError(f"{name}: a null in '{column.name}', which never holds one")
    return table


def data_dictionary() -> str:
    """What every table and column holds, in Markdown: outputs/README.md."""
    lines = [
        "# The tables",
        "",
        "What `paperclaims run` publishes here; this page is written by `paperclaims tables`.",
        "",
        "Each table is a folder of Parquet files, read by its path:",
        "",
        "```python",
        "import pandas as pd",
        "",
        'gains = pd.read_parquet("outputs/gains")',
        "```",
        "",
        "The folders lead to `current`, the snapshot of the last run, which is published whole or",
        "not at all; those before it are kept in `snapshots` (`paperclaims snapshots`). To read",
        "several tables that surely belong together while runs go on, read them from the folder",
        "that `current` points to. Its `manifest.json` has every file with its digest and rows.",
        "",
        "In every row taken from a text, `papers[field][start:end]` is exactly `surface`. Rows",
        "of a file stand in the order of `paper_id` and, within a paper, of the text, title first.",
        "Papers of a later run stand in files of their own until the snapshot is compacted. Names",
        "are joined by value: `sizes.model`, `gains.model` and `gains.benchmark` hold the `name`",
        "of a row of `models` or `benchmarks` of the same paper.",
    ]
    for name, schema in TABLES.items():
        lines += [
            "",
            f"## {name}",
            "",
            schema.metadata[b"description"].decode(),
            "",
            "| column | type | meaning | unit | null means |",
            "|---|---|---|---|---|",
        ]
        for column in schema:
            told = {key.decode(): value.decode() for key, value in column.metadata.items()}
            lines.append(
                f"| `{column.name}` | `{_type_name(column.type)}` | {told['description']} "
                f"| {told['unit']} | {told['null']} |"
            )
    return "\n".join(lines) + "\n"


def _type_name(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"list<{kind.value_type}>"
    return "timestamp, UTC" if pa.types.is_timestamp(kind) else str(kind).replace("[day]", "")
