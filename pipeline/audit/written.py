"""The audit's own tables, beside those that it audits."""

from __future__ import annotations

import csv
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.audit import Audited, Finding
from pipeline.places import sync_folder

_PART = "part-00000.parquet"
# Where the tables of the last audit are, and the link that leads to them.
_KEPT, _CURRENT = ".audited", "current"


def _schema(description: str, *columns: tuple[str, pa.DataType, str, str]) -> pa.Schema:
    return pa.schema(
        [
            pa.field(
                name, kind, nullable=null != "never", metadata={"description": told, "null": null}
            )
            for name, kind, told, null in columns
        ],
        metadata={"description": description},
    )


_WORDS, _INT32, _FLOAT = pa.string(), pa.int32(), pa.float64()
_RUN = ("run_id", _WORDS, "The run whose tables were audited.", "never")
_PAPER = ("paper_id", _WORDS, "The paper; joins to `papers`.", "never")

AUDIT_TABLES: dict[str, pa.Schema] = {
    "audit": _schema(
        "One row per finding of a check.",
        _RUN,
        _PAPER,
        (
            "table",
            _WORDS,
            "The table that the row stands in; `papers` where it is the text.",
            "never",
        ),
        ("claim_id", _WORDS, "The claim: of `gains` the `gain_id`.", "of the paper, not of a row"),
        ("check", _WORDS, "The check, by its name in the catalogue.", "never"),
        ("severity", _WORDS, "`error`, `warning` or `note`.", "never"),
        ("message", _WORDS, "What is wrong.", "never"),
        ("expected", _WORDS, "What it should be.", "not known"),
        ("found", _WORDS, "What it is.", "nothing"),
        ("field", _WORDS, "Which text: `title` or `abstract`.", "no place"),
        ("start", _INT32, "Where in that text it begins.", "no place"),
        ("end", _INT32, "Where it ends.", "no place"),
    ),
    "audit_basis": _schema(
        "One row per change that agrees with the two ends told with it.",
        _RUN,
        _PAPER,
        ("claim_id", _WORDS, "The gain; joins to `gains.gain_id`.", "extracted as none"),
        ("basis", _WORDS, "What the percentage is of: `relative` or `points`.", "no percentage"),
        ("reading", _WORDS, "The way to read it under which it computes.", "never"),
        ("said", _WORDS, "Change and ends, as written.", "never"),
    ),
    "audit_papers": _schema(
        "One row per paper: how it fares.",
        _RUN,
        _PAPER,
        ("gains", _INT32, "Rows of `gains` that have a value.", "never"),
        ("complete", _FLOAT, "What part of metrics, benchmarks and baselines they name.", "never"),
        ("errors", _INT32, "Findings that are errors.", "never"),
        ("warnings", _INT32, "Findings that are warnings.", "never"),
        ("notes", _INT32, "Findings that are notes.", "never"),
    ),
}


def write(out: Path, audited: Audited) -> None:
    """Write the findings, readings and scores into `out`, as tables like those published there.

    All three are replaced in one step, once they are on the disk.
    """
    rows: dict[str, Sequence[object]] = {
        "audit": audited.findings,
        "audit_basis": audited.bases,
        "audit_papers": audited.scores,
    }
    kept = out / _KEPT
    kept.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=kept))
    made.chmod(0o755)
    for name, listed in rows.items():
        dicts: list[dict[str, Any]] = [
            {"run_id": audited.run_id, **asdict(one)}  # type: ignore[call-overload]
            for one in listed
        ]
        (made / name).mkdir()
        path = made / name / _PART
        table = pa.Table.from_pylist(dicts, schema=AUDIT_TABLES[name])
        pq.write_table(table, path, compression="zstd")
        with path.open("rb") as file:
            os.fsync(file.fileno())
        sync_folder(made / name)
    sync_folder(made)
    turned = kept / f"{made.name}.new"
    turned.symlink_to(made.name)
    turned.replace(kept / _CURRENT)
    for name in rows:
        if not (out / name).is_symlink():
            (out / name).symlink_to(Path(_KEPT, _CURRENT, name))
    for other in kept.iterdir():
        if other.name not in (made.name, _CURRENT):
            shutil.rmtree(other, ignore_errors=True)


def read(out: Path, run_id: str) -> list[Finding] | None:
    """The findings written for this run, or None where there are none for it."""
    path = out / "audit" / _PART
    if not run_id or not path.exists():
        return None
    try:
        rows = pq.read_table(path, schema=AUDIT_TABLES["audit"]).to_pylist()
    except (OSError, pa.ArrowException):
        return None
    if not rows or {row.pop("run_id") for row in rows} != {run_id}:
        return None
    return [Finding(**row) for row in rows]


def write_csv(path: Path, findings: Iterable[Finding]) -> None:
    """Write the findings for a spreadsheet, which must not take a text of a paper for a formula."""
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file)
        columns = [name for name in AUDIT_TABLES["audit"].names if name != "run_id"]
        writer.writerow(columns)
        for one in findings:
            writer.writerow([_harmless(getattr(one, column)) for column in columns])


def _harmless(cell: object) -> object:
    """The cell with an apostrophe before what a spreadsheet would calculate."""
    if isinstance(cell, str) and cell.lstrip()[:1] in {"=", "+", "-", "@", "|", "%"}:
        return f"'{cell}"
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {"\t", "\r", "\n"} else cell
