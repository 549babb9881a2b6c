"""Published tables as the audit reads them: one paper at a time, with all its rows."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import tables
from pipeline.audit.declared import OURS, Declared
from pipeline.places import MANIFEST

Row = Mapping[str, Any]

# Tables whose rows are claims that a person can judge, in the order in which they are shown.
CLAIMS = ("gains", "models", "benchmarks", "sizes", "links")
_READ = (*CLAIMS, "numbers")
_IDENTITY: Mapping[str, tuple[str, ...]] = {
    "models": ("name",),
    "benchmarks": ("name",),
    "sizes": ("kind", "value", "model"),
    "links": ("url",),
}


@dataclass(frozen=True, slots=True)
class Case:
    """A paper with its rows of every table; `paper` is empty where rows belong to no paper."""

    paper_id: str
    paper: Row
    rows: Mapping[str, list[dict[str, Any]]]
    declared: Declared = OURS

    def text(self, field: str) -> str:
        """The paper's title or abstract."""
        found = self.paper.get(field)
        return found if isinstance(found, str) else ""


def claim_id(table: str, row: Row) -> str:
    """The claim that a row makes: the same in every run in which the paper says the same thing.

    What a gain is bound to is no part of it, nor is the place of a name's best mention, so that a
    verdict finds its claim again after the rules have changed.
    """
    if table == "gains":
        return str(row["gain_id"])
    own: tuple[str, ...]
    if table == "numbers":
        own = (row["field"], str(row["start"]))
    else:
        own = tuple(str(row[column]) for column in _IDENTITY[table])
    identity = "\0".join((str(row["paper_id"]), table, *own))
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def text_hash(title: str, abstract: str) -> str:
    """What tells one text of a paper from another, made anew as the data dictionary says it is."""
    return hashlib.sha256(f"{title}\n\n{abstract}".encode("utf-8", "surrogatepass")).hexdigest()


def run_of(snapshot: Path) -> tuple[str, str]:
    """Id and rules' fingerprint of the run that made a snapshot; empty where it does not say."""
    try:
        runs = tables.read_table(snapshot, "runs", ["run_id", "rules_fingerprint", "finished"])
    except tables.TableError:
        return "", ""
    if not runs.num_rows:
        return "", ""
    last = max(runs.to_pylist(), key=lambda run: run["finished"])
    return last["run_id"], last["rules_fingerprint"]


@dataclass(frozen=True, slots=True)
class Held:
    """Another record of a published paper: from another source, or of another version."""

    paper_id: str
    source: str
    title: str
    abstract: str


def held(snapshot: Path) -> dict[str, list[Held]]:
    """By published paper, its other records, which a run keeps beside the tables."""
    manifest = snapshot / MANIFEST
    found: dict[str, list[Held]] = {}
    if not manifest.exists():
        return found
    for name, file in json.loads(manifest.read_text(encoding="utf-8"))["files"].items():
        table = name.partition("/")[0]
        if table == "held":
            path = snapshot.parents[1] / "parts" / table / f"{file['sha256'][:32]}.parquet"
            for row in pq.read_table(path).to_pylist():
                if row["same_as"] is not None:
                    record = (row["source_text"], row["title_text"], row["abstract"])
                    found.setdefault(row["same_as"], []).append(Held(row["paper_id"], *record))
    return found


def cases(
    snapshot: Path, wanted: tuple[str, ...] = _READ, declared: Declared = OURS
) -> Iterator[Case]:
    """Every paper of a snapshot with its rows, in the order of the ids.

    Rows of a paper that is not there come as a case with an empty `paper`. The order in which the
    files hold the rows does not matter.
    """
    read = {name: tables.read_table(snapshot, name) for name in ("papers", *wanted)}
    return cases_of(read, declared)


def cases_of(read: Mapping[str, pa.Table], declared: Declared = OURS) -> Iterator[Case]:
    """Likewise, of tables that are held, `papers` among them; others have no rows."""
    sources = {name: _by_paper(table) for name, table in read.items()}
    heads = {name: next(source, None) for name, source in sources.items()}
    while ids := [head[0] for head in heads.values() if head is not None]:
        paper_id = min(ids)
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in _READ}
        for name, head in heads.items():
            if head is not None and head[0] == paper_id:
                found[name] = head[1]
                heads[name] = next(sources[name], None)
            else:
                found[name] = []
        papers = found.pop("papers")
        # A second paper of the same id is told by a check, which sees how many there were.
        paper = {**papers[0], "_papers": len(papers)} if papers else {}
        yield Case(paper_id, paper, found, declared)


def _by_paper(table: pa.Table) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    keys = [("paper_id", "ascending")]
    if "start" in table.column_names:
        # The title stands before the abstract, as in the tables themselves.
        keys += [("field", "descending"), ("start", "ascending"), ("end", "ascending")]
    order = pc.sort_indices(table.select([key for key, _ in keys]), sort_keys=keys)

    def rows() -> Iterator[dict[str, Any]]:
        for first in range(0, table.num_rows, 4096):
            yield from table.take(order.slice(first, 4096)).to_pylist()

    for paper_id, group in itertools.groupby(rows(), key=lambda row: str(row["paper_id"])):
        yield paper_id, list(group)
