"""What reviewers said: one line of JSON for each verdict, on the disk before it is answered.

Verdicts are only ever added. A later one of the same reviewer on the same claim takes the place of
the earlier; an undo takes the last one back. A verdict names its claim and the text it was given
on: it holds in every later run that makes the claim, and is stale once the text is another.
"""

from __future__ import annotations

import datetime
import itertools
import json
import os
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.records import PipelineError

WORDS = ("accept", "reject", "edit", "missed", "skip", "undo")
JUDGED = ("accept", "reject", "edit", "missed")


class VerdictError(PipelineError):
    """A verdict that says nothing that can be kept, or a file of them that cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Who said when what of which claim, on which text; `fields` are what it should be."""

    id: str
    who: str
    when: str
    verdict: str
    claim: str
    table: str
    paper_id: str
    text_sha256: str
    rule: str = ""
    rules: str = ""
    queue: str = ""
    said: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    place: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


class Verdicts:
    """The verdicts of a file; every one added is on the disk when `add` returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._said: list[Verdict] = []
        self.torn = 0
        if path.exists():
            for line in path.read_bytes().split(b"\n"):
                if not line.strip():
                    continue
                try:
                    self._said.append(_read(json.loads(line)))
                except (ValueError, TypeError, KeyError):
                    # A line cut off by a crash was never answered, so nobody counts on it.
                    self.torn += 1

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self._said)

    def __len__(self) -> int:
        return len(self._said)

    def add(self, *, who: str, verdict: str, claim: str, **rest: Any) -> Verdict:
        """Append a verdict and see it on the disk."""
        if verdict not in WORDS:
            raise VerdictError(f"'{verdict}' is no verdict; there are {', '.join(WORDS)}")
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        made = Verdict(id=uuid.uuid4().hex, who=who, when=now, verdict=verdict, claim=claim, **rest)
        line = json.dumps(asdict(made), ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        with self._lock:
            self._append(line)
            self._said.append(made)
        return made

    def _append(self, line: bytes) -> None:
        new = not self.path.exists()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line  # what a crash cut off stays a line of its own
            written = os.write(descriptor, line)
            if written != len(line):
                raise OSError(f"{self.path}: only {written} of {len(line)} bytes were written")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if new:
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def last(self, who: str) -> Verdict | None:
        """The reviewer's last verdict that was not taken back."""
        standing = [one for one in _standing(self._said) if one.who == who]
        return standing[-1] if standing else None

    def latest(self) -> dict[tuple[str, str], Verdict]:
        """By claim and reviewer, the verdict that counts."""
        return {(one.claim, one.who): one for one in _standing(self._said)}

    def of_claims(self) -> dict[str, list[Verdict]]:
        """By claim, the verdicts that count, one for each reviewer."""
        found: dict[str, list[Verdict]] = {}
        for (claim, _), one in self.latest().items():
            found.setdefault(claim, []).append(one)
        return found

    def settled(self) -> dict[str, Verdict]:
        """By claim, the one verdict: the latest, where reviewers do not contradict each other."""
        return {
            claim: max(said, key=lambda one: one.when)
            for claim, given in self.of_claims().items()
            if (said := [one for one in given if one.verdict in JUDGED])
            and len({_meaning(one) for one in said}) == 1
        }

    def conflicts(self) -> list[str]:
        """Claims of which two reviewers say different things, in the order of the first verdict."""
        return [
            claim
            for claim, given in self.of_claims().items()
            if len({_meaning(one) for one in given if one.verdict in JUDGED}) > 1
        ]


def _read(record: Mapping[str, Any]) -> Verdict:
    return Verdict(**{name: record[name] for name in record if name in Verdict.__slots__})


def _standing(said: Iterable[Verdict]) -> list[Verdict]:
    """The verdicts without those taken back: an undo names what it takes back in `said`."""
    taken = {one.said for one in said if one.verdict == "undo"}
    return [one for one in said if one.verdict != "undo" and one.id not in taken]


def _meaning(one: Verdict) -> str:
    fields = json.dumps(one.fields, sort_keys=True) if one.verdict in ("edit", "missed") else ""
    return one.verdict + fields


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two reviewers agree on the claims both judged."""

    one: str
    other: str
    claims: int
    observed: float
    kappa: float
    span_f1: float


def agreements(verdicts: Verdicts) -> list[Agreement]:
    """Cohen's kappa and span F1 of every two reviewers who judged a claim in common.

    Spans are the places that a reviewer holds to be claims (accepted, edited or added), in papers
    in which both judged anything; F1 is the same whoever of the two is taken for the truth.
    """
    latest = {key: one for key, one in verdicts.latest().items() if one.verdict in JUDGED}
    people = sorted({who for _, who in latest})
    found = []
    for a, b in itertools.combinations(people, 2):
        of_a = {claim: one for (claim, who), one in latest.items() if who == a}
        of_b = {claim: one for (claim, who), one in latest.items() if who == b}
        both = sorted(of_a.keys() & of_b.keys())
        if both:
            pairs = [(of_a[claim].verdict, of_b[claim].verdict) for claim in both]
            observed, kappa = cohen(pairs)
            found.append(Agreement(a, b, len(both), observed, kappa, _span_f1(of_a, of_b)))
    return found


def cohen(pairs: list[tuple[str, str]]) -> tuple[float, float]:
    """Observed agreement, and how far it is beyond chance (1 where chance leaves no room)."""
    total = len(pairs)
    observed = sum(a == b for a, b in pairs) / total
    words = {word for pair in pairs for word in pair}
    chance = sum(
        (sum(a == word for a, _ in pairs) / total) * (sum(b == word for _, b in pairs) / total)
        for word in words
    )
    return observed, 1.0 if chance >= 1 else (observed - chance) / (1 - chance)


def _span_f1(of_a: Mapping[str, Verdict], of_b: Mapping[str, Verdict]) -> float:
    shared = {one.paper_id for one in of_a.values()} & {one.paper_id for one in of_b.values()}

    def spans(given: Mapping[str, Verdict]) -> set[tuple[object, ...]]:
        return {
            (one.paper_id, one.table, *(one.place.get(key) for key in ("field", "start", "end")))
            for one in given.values()
            if one.paper_id in shared and one.verdict in ("accept", "edit", "missed")
        }

    a, b = spans(of_a), spans(of_b)
    return 2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0
