"""Benchmarks and datasets: one record per distinct name, and what it is to the paper."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence

from pipeline.extractors.names import Name, key_of
from pipeline.records import Benchmark, BenchmarkRole
from pipeline.rules import Entry

# how a known benchmark is introduced; looser phrases hold of those a paper merely uses
_DIRECT = frozenset(
    {"title-colon", "propose", "propose-near", "propose-called", "named", "our-name"}
)
# what tells that results are measured on it, whatever else it is used for
_MEASURED = frozenset({"score-on", "figure-on", "on-names-first"})
_SHARED_TASK = re.compile(r"Task \d|[Ss]hared|SemEval|WMT|CoNLL")


def canonical(name: Name) -> str:
    """The entry's spelling for a known benchmark, else the name as the paper writes it."""
    entry = name.entry
    if entry is not None and name.key in _keys(entry):
        return entry.key
    return name.candidates[0].surface


@functools.lru_cache(maxsize=1 << 14)
def _keys(entry: Entry) -> frozenset[str]:
    return frozenset(map(key_of, entry["names"]))


def benchmarks(names: Sequence[Name], counts: Mapping[str, int]) -> list[Benchmark]:
    """The records of the names that are benchmarks; `counts` are their mentions by name."""
    found: dict[str, Benchmark] = {}
    for name in names:
        if name.table != "benchmarks":
            continue
        spelling = canonical(name)
        if spelling in found:
            continue
        best = name.best
        found[spelling] = Benchmark(
            span=best.text.span(best.start, best.end),
            rule=name.rule,
            name=spelling,
            role=_role(name),
            mentions=max(1, counts.get(spelling, 0)),
        )
    return list(found.values())


def _role(name: Name) -> BenchmarkRole:
    """What a benchmark is to the paper, by the phrases it stands in.

    A corpus that people train on is for training where nothing else is said; what stands only in
    the part before the paper speaks of itself, or only as what something was made of, is mentioned.
    """
    roles, entry = name.roles, name.entry
    direct = name.said & _DIRECT
    if entry is not None and _SHARED_TASK.search(name.best.surface):
        direct &= {"title-colon"}  # a team describes its entry to the task, not the task
    if roles["proposed"] and (entry is None or direct):
        return "introduced"
    if roles["mentioned"] and roles["mentioned"] >= roles["own part"]:
        return "mentioned"
    if roles["training"] and not (roles["own part"] > 1 and name.said & _MEASURED):
        return "training"
    if not roles["own part"]:
        return "mentioned"
    return "training" if entry is not None and entry["corpus"] else "evaluated"
