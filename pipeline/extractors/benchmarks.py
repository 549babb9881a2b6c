"""Benchmarks and datasets: one record per distinct name, and what it is to the paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.extractors.names import Name, key_of
from pipeline.records import Benchmark, BenchmarkRole


def canonical(name: Name) -> str:
    """The entry's spelling for a known benchmark, else the name as the paper writes it."""
    entry = name.entry
    if entry is not None and any(key_of(n) == name.key for n in entry["names"]):
        return entry.key
    return name.candidates[0].surface


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
    roles = name.roles
    if (roles["proposed"] and name.entry is None) or roles["introduced"] or roles["proposed"] > 1:
        return "introduced"
    if roles["training"]:
        return "training"
    return "evaluated"
