"""Tables as reviewers left them, and accepted papers as gold."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline import tables
from pipeline.audit import OURS, Declared, checked
from pipeline.audit.published import CLAIMS, Case, cases, claim_id, run_of, text_hash
from pipeline.review.claims import EDITABLE, fields_of
from pipeline.review.verdicts import JUDGED, Verdict, Verdicts
from pipeline.store.publishing import LARGEST_SHARD, publish_tables

# A run in a place of reviewed tables makes all anew: their rows are not what the rules give.
_MAKER = "review"
_EXTRACTED = ("papers", *CLAIMS, "numbers")


def apply(out: Path, verdicts: Verdicts, to: Path, *, declared: Declared = OURS) -> Counter[str]:
    """Publish in the place `to`, as a snapshot of it, what `out` holds as reviewers left it.

    Rejected rows are gone, edited ones corrected, missed ones added, each marked in the column
    `reviewed`; what is left is audited. Verdicts that contradict each other, or were given on
    another text, change nothing. Gives how many rows were accepted, edited, rejected and added.
    """
    snapshot = tables.snapshot(out)
    settled, missed = _settled(verdicts)
    done: Counter[str] = Counter()

    def made() -> Iterator[dict[str, pa.Table]]:
        found = cases(snapshot)
        while some := list(itertools.islice(found, LARGEST_SHARD)):
            batch: dict[str, list[dict[str, Any]]] = {name: [] for name in _EXTRACTED}
            for case in some:
                if case.paper:
                    for name, rows in _reviewed(case, settled, missed, done).items():
                        batch[name] += rows
            read = {
                name: pa.Table.from_pylist(rows, schema=tables.TABLES[name])
                for name, rows in batch.items()
            }
            yield read | {"gains": checked(read, declared)}

    publish_tables(to, made(), maker=_MAKER, sources=[str(out)], fingerprint=run_of(snapshot)[1])
    return done


def _settled(verdicts: Verdicts) -> tuple[dict[str, Verdict], dict[str, list[Verdict]]]:
    """By claim what counts, and by paper the claims that were missed."""
    settled = verdicts.settled()
    missed: dict[str, list[Verdict]] = {}
    for one in settled.values():
        if one.verdict == "missed":
            missed.setdefault(one.paper_id, []).append(one)
    return settled, missed


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
    settled, missed = _settled(verdicts)
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
