"""Learns which words name the metric of a value: python -m tests.train

Reads tests/annotated.jsonl and the shared gold, weighs what pipeline.extractors.binding.learned
sees of each word, and writes metric_weights.json beside that module. Prints how many metrics are
right on papers that were left out in turn: those of the patterns alone, and those of both. The
same annotations give the same file.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from pipeline.extract import Extractor
from pipeline.extractors.binding import Binding, Claim, learned
from pipeline.records import Gain
from pipeline.rules import load_rules
from pipeline.score import Record, read_gold, read_papers, share_a_word
from tests.annotated import Annotated, annotated

WEIGHTS = Path(learned.__file__).with_name("metric_weights.json")
GOLD = Path(__file__).parents[2] / "shared" / "gold"
PATTERNS = Extractor(load_rules(), only_patterns=True)
FOLDS = 6
ROUNDS = 20
OFTEN = 3  # what is seen less often is not weighed
STEP, DECAY = 0.1, 0.0003

Weights = dict[str, float]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A value whose metric a reader told: what is seen of each word, and which words are right."""

    paper_id: str
    counts: bool
    by_pattern: str | None
    pattern_is_right: bool
    seen: list[list[str]]
    right: list[bool]


def papers() -> Iterator[Annotated]:
    """All papers that readers annotated."""
    yield from annotated()
    for name in ("seed", "dev1", "dev2"):
        records = read_gold(GOLD / f"{name}.gold.jsonl")
        for paper in read_papers(GOLD / f"{name}.docs.jsonl"):
            yield Annotated(paper, records[paper.paper_id])


def lessons(one: Annotated) -> Iterator[Lesson]:
    """What the values of a paper teach that were found and that its record holds."""
    bound: dict[tuple[str, int, str], tuple[Claim, Sequence[Claim], Sequence[Claim]]] = {}

    def binds(binding: Binding) -> None:
        bind(binding)
        for claim, group in zip(binding._claims, binding._groups, strict=True):
            span = claim.text.span(claim.item.start, claim.item.end)
            bound[span.field, span.start, claim.kind] = claim, binding._claims, group

    bind = Binding.bind
    with mock.patch.object(Binding, "bind", binds):
        found = PATTERNS.extract(one.paper)
    text = f"{one.paper.title}\n\n{one.paper.abstract}"
    for gain in found.gains:
        record = next((r for r in one.record["gains"] if _same(r, gain, text)), None)
        if record is None or gain.kind == "sota":
            continue
        claim, claims, group = bound[gain.span.field, gain.span.start, gain.kind]
        accepted = [record["metric"]]
        if "metric" in record.get("or", {}):
            accepted.append(record["or"]["metric"])
        seen, right = [], []
        for word, what in learned.candidates(claim, claims, group):
            seen.append(what)
            low, high = claim.sentence.places[word] if word is not None else (0, 0)
            named = claim.text.text[low:high] or None
            right.append(any(bool(m) == bool(named) and share_a_word(m, named) for m in accepted))
        yield Lesson(
            one.paper.paper_id,
            not record.get("optional"),
            claim.metric,
            any(share_a_word(metric, claim.metric) for metric in accepted),
            seen,
            right,
        )


def _same(record: Record, gain: Gain, text: str) -> bool:
    """Whether a gain is the one a record tells of: its kind, its numbers, its place."""
    numbers = ("value", "value_low", "value_high", "value_from", "value_to")
    told = [abs(record[name]) for name in numbers if record.get(name) is not None]
    found = [abs(n) for name in numbers if (n := getattr(gain, name)) is not None]
    at = text.find(record["evidence"])
    start = gain.span.start + (text.index("\n\n") + 2 if gain.span.field == "abstract" else 0)
    overlaps = at <= start < at + len(record["evidence"])
    return record["kind"] == gain.kind and told == found and overlaps


def learn(known: Sequence[Lesson]) -> Weights:
    """Weights under which the right words of each lesson outweigh the others (AdaGrad)."""
    often = Counter(one for lesson in known for seen in lesson.seen for one in set(seen))
    number = {one: i for i, one in enumerate(sorted(k for k, n in often.items() if n >= OFTEN))}
    taught: list[tuple[list[NDArray[np.intp]], NDArray[np.float64]]] = []
    for lesson in known:
        if any(lesson.right):
            rows = [
                np.array([number[one] for one in seen if one in number], dtype=np.intp)
                for seen in lesson.seen
            ]
            taught.append((rows, np.array(lesson.right, dtype=float)))
    weights, squares = np.zeros(len(number)), np.full(len(number), 1e-6)
    shuffled = random.Random(1)
    for _ in range(ROUNDS):
        shuffled.shuffle(taught)
        for rows, right in taught:
            sums = np.array([weights[row].sum() for row in rows])
            odds = np.exp(sums - sums.max())
            odds /= odds.sum()
            wanted = odds * right / max(float((odds * right).sum()), 1e-12)
            for row, error in zip(rows, wanted - odds, strict=True):
                if abs(error) > 1e-4:
                    step = error - DECAY * weights[row]
                    squares[row] += step * step
                    weights[row] += STEP * step / np.sqrt(squares[row])
    return {one: float(weights[i]) for one, i in number.items()}


def chosen(weights: Weights, lesson: Lesson) -> int | None:
    """Which word of a lesson is taken, if one surely is."""
    sums = [sum(weights.get(one, 0.0) for one in seen) for seen in lesson.seen]
    best = max(range(len(sums) - 1), key=sums.__getitem__, default=None)
    if best is None or 100 * (sums[best] - sums[-1]) < learned.SURE:
        return None
    return best


def main() -> None:
    known = [lesson for one in papers() for lesson in lessons(one)]
    ids = sorted({lesson.paper_id for lesson in known})
    random.Random(0).shuffle(ids)
    fold = {paper_id: i % FOLDS for i, paper_id in enumerate(ids)}
    counted = pattern = both = filled = 0
    for left_out in range(FOLDS):
        weights = learn([one for one in known if fold[one.paper_id] != left_out])
        for lesson in known:
            if fold[lesson.paper_id] != left_out or not lesson.counts:
                continue
            word = chosen(weights, lesson) if lesson.by_pattern is None else None
            counted += 1
            filled += word is not None
            pattern += lesson.pattern_is_right
            both += lesson.pattern_is_right if word is None else lesson.right[word]
    print(f"{counted} values: patterns {pattern / counted:.3f}, both {both / counted:.3f}")
    print(f"{filled} metrics by weights alone")
    weights = {one: round(100 * weight) for one, weight in learn(known).items()}
    kept = {one: weight for one, weight in sorted(weights.items()) if abs(weight) >= 5}
    WEIGHTS.write_text(json.dumps(kept, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    print(f"{len(kept)} weights to {WEIGHTS.name}")


if __name__ == "__main__":
    main()
