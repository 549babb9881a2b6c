"""Tables as reviewers left them, and accepted papers as gold."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import tables
from pipeline.audit import Audited, AuditError
from pipeline.audit.claims import EDITABLE, fields_of
from pipeline.audit.published import CLAIMS, Case, cases, claim_id, text_hash
from pipeline.audit.verdicts import JUDGED, Verdict, Verdicts

REVIEWED = pa.field(
    "reviewed",
    pa.string(),
    metadata={
        "description": "What reviewers said of the row: `accept`, `edit` (corrected) or `missed` "
        "(added by them); rows that they rejected are gone.",
        "null": "not reviewed",
    },
)


def apply(out: Path, verdicts: Verdicts, to: Path, audited: Audited) -> Counter[str]:
    """Publish in the folder `to` what `out` holds, as reviewers and the audit left it.

    Rejected rows are gone, edited ones corrected, missed ones added, each marked in a column
    `reviewed`; `gains.basis` and `gains.checks` are filled in from the audit. Verdicts that
    contradict each other, or were given on another text, change nothing. `to` must not be there
    yet; it appears in one step. Gives how many rows were accepted, edited, rejected and added.
    """
    if to.exists():
        raise AuditError(f"{to}: is there already; name a folder that is not")
    snapshot = tables.snapshot(out)
    settled = verdicts.settled()
    missed: dict[str, list[Verdict]] = {}
    for one in settled.values():
        if one.verdict == "missed":
            missed.setdefault(one.paper_id, []).append(one)
    bases = {one.claim_id: one.basis for one in audited.bases if one.claim_id and one.basis}
    checks: dict[str, list[str]] = {}
    for finding in audited.findings:
        if finding.table == "gains" and finding.claim_id and finding.severity != "note":
            checks.setdefault(finding.claim_id, []).append(finding.check)
    done: Counter[str] = Counter()
    to.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{to.name}-", dir=to.parent))
    try:
        schemas = {
            name: tables.TABLES[name].append(REVIEWED) if name in CLAIMS else tables.TABLES[name]
            for name in tables.TABLES
        }
        for name in schemas:
            (work / name).mkdir()
        for name in ("runs", "rejects"):
            pq.write_table(tables.read_table(snapshot, name), work / name / "part-00000.parquet")
        extracted = ("papers", *CLAIMS, "numbers")
        writers = {
            name: pq.ParquetWriter(
                work / name / "part-00000.parquet", schemas[name], compression="zstd"
            )
            for name in extracted
        }
        batch: dict[str, list[dict[str, Any]]] = {name: [] for name in extracted}

        def flush() -> None:
            for name, rows in batch.items():
                writers[name].write_table(pa.Table.from_pylist(rows, schema=schemas[name]))
                rows.clear()

        for case in cases(snapshot):
            for name, rows in _reviewed(case, settled, missed, done).items():
                batch[name] += rows
            for row in batch["gains"]:
                row["basis"] = row["basis"] or bases.get(row["gain_id"])
                row["checks"] = sorted({*row["checks"], *checks.get(row["gain_id"], ())})
            if sum(map(len, batch.values())) > 50_000:
                flush()
        flush()
        for writer in writers.values():
            writer.close()
        for path in work.rglob("*.parquet"):
            with path.open("rb") as file:
                os.fsync(file.fileno())
        work.chmod(0o755)
        work.rename(to)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return done


def _reviewed(
    case: Case,
    settled: Mapping[str, Verdict],
    missed: Mapping[str, list[Verdict]],
    done: Counter[str],
) -> dict[str, list[dict[str, Any]]]:
    digest = text_hash(case.text("title"), case.text("abstract"))
    made: dict[str, list[dict[str, Any]]] = {
        "papers": [{name: case.paper[name] for name in tables.TABLES["papers"].names}]
        if case.paper
        else [],
        "numbers": [dict(row) for row in case.rows["numbers"]],
    }
    gone: set[str] = set()
    dropped: dict[str, set[str]] = {"models": set(), "benchmarks": set()}
    renamed: dict[str, dict[str, str]] = {"models": {}, "benchmarks": {}}
    for table in CLAIMS:
        made[table] = []
        seen: set[str] = set()
        for row in case.rows[table]:
            claim = claim_id(table, row)
            one = settled.get(claim)
            said = one.verdict if one is not None and one.text_sha256 == digest else None
            first = claim not in seen
            seen.add(claim)
            if said is not None and first:
                done[said] += 1
            if said == "reject":
                gone.add(claim)
                if table in dropped:
                    dropped[table].add(row["name"])
            elif said == "edit" and one is not None:
                if first:
                    corrected = list(_corrected(table, row, one.fields, said))
                    made[table] += corrected
                    if table in renamed and corrected[0]["name"] != row["name"]:
                        renamed[table][row["name"]] = corrected[0]["name"]
            else:
                made[table].append({**row, "reviewed": "accept" if said == "accept" else None})
    for one in missed.get(case.paper_id, ()):
        if one.text_sha256 == digest and one.table in CLAIMS and _stands(case, one):
            made[one.table] += _added(case, one)
            done["missed"] += 1
    _rejoin(case, made, gone, dropped, renamed)
    return made


def _corrected(
    table: str, row: Mapping[str, Any], fields: Mapping[str, Any], said: str
) -> Iterator[dict[str, Any]]:
    """The row as it should be: of a gain, one for each of its benchmarks."""
    changes = {name: value for name, value in fields.items() if name in EDITABLE[table]}
    benchmarks = changes.pop("benchmarks", None)
    new = {**row, **changes, "reviewed": said}
    if table == "gains" and benchmarks is not None:
        for benchmark in benchmarks or [None]:
            yield {**new, "benchmark": benchmark}
    else:
        yield new


def _stands(case: Case, one: Verdict) -> bool:
    place = one.place
    text = case.text(str(place.get("field")))
    start, end = int(place.get("start", 0)), int(place.get("end", 0))
    return 0 <= start < end <= len(text) and text[start:end] == place.get("surface")


def _added(case: Case, one: Verdict) -> Iterator[dict[str, Any]]:
    place = one.place
    row: dict[str, Any] = dict.fromkeys(tables.TABLES[one.table].names)
    row |= {
        "paper_id": case.paper_id,
        "field": place["field"],
        "start": int(place["start"]),
        "end": int(place["end"]),
        "surface": place["surface"],
        "rule": "review/missed",
    }
    if one.table == "gains":
        start, end = place.get("sentence") or (row["start"], row["end"])
        row |= {
            "gain_id": one.claim,
            "kind": "score",
            "qualifiers": [],
            "checks": [],
            "sentence_start": start,
            "sentence_end": end,
            "sentence": case.text(row["field"])[start:end],
        }
    elif one.table in ("models", "benchmarks"):
        row |= {"name": row["surface"], "mentions": 1, "role": "mentioned"}
        row |= {"kind": "model"} if one.table == "models" else {}
    elif one.table == "sizes":
        row |= {"kind": "parameters", "value": 0}
    elif one.table == "links":
        row |= {"url": row["surface"], "kind": "other"}
    for new in _corrected(one.table, row, one.fields, "missed"):
        if one.table == "links":
            new["host"] = new["url"].partition("//")[2].split("/")[0]
        yield new


def _rejoin(
    case: Case,
    made: dict[str, list[dict[str, Any]]],
    gone: set[str],
    dropped: Mapping[str, set[str]],
    renamed: Mapping[str, Mapping[str, str]],
) -> None:
    """See that every name that a row refers to still has its row, and numbers their gain."""
    for table, column, names in (
        ("gains", "model", "models"),
        ("gains", "benchmark", "benchmarks"),
        ("sizes", "model", "models"),
    ):
        known = {row["name"] for row in made[names]}
        for row in made[table]:
            name = renamed[names].get(row[column], row[column])
            if name is not None and name not in known:
                if name in dropped[names] or not (added := _named(case, names, name)):
                    name = None  # the name was rejected, or stands nowhere in the text
                else:
                    made[names].append(added)
                    known.add(name)
            row[column] = name
    for row in made["numbers"]:
        if row["gain_id"] in gone:
            row |= {"gain_id": None, "use": "other"}
    for names in ("models", "benchmarks"):
        made[names].sort(key=lambda row: (row["field"] == "abstract", row["start"]))


def _named(case: Case, table: str, name: str) -> dict[str, Any] | None:
    """A row for a name that a reviewer bound a value to, if it stands in the text."""
    for field in ("title", "abstract"):
        at = case.text(field).find(name)
        if at >= 0:
            row: dict[str, Any] = dict.fromkeys(tables.TABLES[table].names)
            row |= {
                "paper_id": case.paper_id, "field": field, "start": at, "end": at + len(name),
                "surface": name, "rule": "review/edit", "name": name, "mentions": 1,
                "role": "mentioned" if table == "models" else "evaluated", "reviewed": "missed",
            }  # fmt: skip
            return row | ({"kind": "model"} if table == "models" else {})
    return None


def gold(out: Path, verdicts: Verdicts, to: Path) -> int:
    """Write papers of which every claim was judged as `docs.jsonl` and `gold.jsonl` into `to`.

    A paper counts where each of its claims is accepted, rejected or edited, and none is disputed.
    `paperclaims score` reads both files. Gives how many papers there are.
    """
    settled = verdicts.settled()
    missed: dict[str, list[Verdict]] = {}
    for one in settled.values():
        if one.verdict == "missed":
            missed.setdefault(one.paper_id, []).append(one)
    judged = {one.paper_id for one in settled.values()}
    count = 0
    to.mkdir(parents=True, exist_ok=True)
    with (
        (to / "docs.jsonl").open("w", encoding="utf-8") as docs,
        (to / "gold.jsonl").open("w", encoding="utf-8") as records,
    ):
        for case in cases(tables.snapshot(out)):
            digest = text_hash(case.text("title"), case.text("abstract"))
            if case.paper_id not in judged or not case.paper:
                continue
            claims = {claim_id(table, row) for table in CLAIMS for row in case.rows[table]}
            if any(
                (given := settled.get(claim)) is None
                or given.verdict not in JUDGED
                or given.text_sha256 != digest
                for claim in claims
            ):
                continue
            left = _reviewed(case, settled, missed, Counter())
            texts = {
                "paper_id": case.paper_id,
                "title": case.text("title"),
                "abstract": case.text("abstract"),
            }
            docs.write(json.dumps(texts, ensure_ascii=False) + "\n")
            records.write(json.dumps(_record(case, left), ensure_ascii=False) + "\n")
            count += 1
    return count


def _record(case: Case, rows: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """A paper's rows in the gold format: names by surface, a gain with all its benchmarks."""
    surfaces = {
        table: {row["name"]: row["surface"] for row in rows[table]}
        for table in ("models", "benchmarks")
    }
    gains: dict[str, dict[str, Any]] = {}
    for row in rows["gains"]:
        one = gains.setdefault(
            row["gain_id"],
            {
                "evidence": row["surface"] if row["kind"] == "sota" else row["sentence"],
                "start": row["start"], "field": row["field"],
                **{k: v for k, v in fields_of("gains", row, []).items()
                   if k != "basis" and not (k.startswith("value") and v is None)},
                "model": surfaces["models"].get(row["model"]),
            },
        )  # fmt: skip
        if row["benchmark"] is not None:
            one["benchmarks"].append(surfaces["benchmarks"].get(row["benchmark"], row["benchmark"]))
    for one in gains.values():
        del one["start"], one["field"]
    own = {
        "models": ("surface", "kind", "role"),
        "sizes": ("surface", "kind", "value"),
        "benchmarks": ("surface", "role"),
        "links": ("surface", "url", "kind"),
    }
    record: dict[str, Any] = {"paper_id": case.paper_id}
    for table, columns in own.items():
        record[table] = [{column: row[column] for column in columns} for row in rows[table]]
    for size, row in zip(record["sizes"], rows["sizes"], strict=True):
        size["model"] = surfaces["models"].get(row["model"])
    record["gains"] = list(gains.values())
    record["code_status"] = case.paper["code_status"]
    return record
