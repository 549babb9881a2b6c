"""What a value measures where no pattern finds it, as weighed from what readers found.

A linear model over the words of the value's sentence, one of which may name the metric, and over
there being none of them. Its weights are learned from annotated abstracts by `python -m
tests.train`, which tells how well it does on papers it has not seen; they are read from
metric_weights.json. They are whole numbers, hundredths of a natural logarithm of odds, so that the
same sentence gives the same word in whichever order they are summed.
"""

from __future__ import annotations

import functools
import json
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files

from pipeline.extractors.binding.claims import Claim
from pipeline.skeleton import Item

BEFORE, AFTER = 40, 30  # how many words are looked at on both sides of a value
SURE = 200  # by how much the best word must outweigh that there is none: odds of e^2 to 1

_PASSED_OVER = frozenset(
    "the a an of in on at by with to for and or than as from is are was were be been it its we our "
    "their this that these those which while when where up over only about more less using use via "
    "across between among both all also not no but such through within per during after before "
    "without under".split()
)
_GLUE = frozenset((",", "and", "or", "both"))
_SEEN_BETWEEN = frozenset(
    ", ( ) ; : and by on in of to from while with which than at M B P X N Q U C D K".split()
)
_SYMBOLS = frozenset("MBPXNQUCDKZ")
_STEPS = (5, 7, 10, 15, 25)


def metric(claim: Claim, claims: Sequence[Claim], group: Sequence[Claim]) -> tuple[int, int] | None:
    """The half-open range of the skeleton that names what a claim measures, if one surely does.

    `claims` are all those of its sentence, `group` those of its list, itself among both.
    """
    weights = _weights()
    weighed = {
        word: sum(weights.get(one, 0) for one in seen)
        for word, seen in candidates(claim, claims, group)
    }
    none = weighed.pop(None)
    words = {word: weight for word, weight in weighed.items() if word is not None}
    best = max(words, key=words.__getitem__, default=None)
    if best is None or words[best] - none < SURE:
        return None
    likely = {word for word, weight in words.items() if weight > none}
    first = next((j for j in (best - 2, best - 1) if likely.issuperset(range(j, best))), best)
    last = best + 1 if best + 1 in likely else best
    sentence = claim.sentence
    return sentence.offsets[first], sentence.offsets[last] + len(sentence.words[last]) + 1


def candidates(
    claim: Claim, claims: Sequence[Claim], group: Sequence[Claim]
) -> Iterator[tuple[int | None, list[str]]]:
    """The words that may name what a claim measures, each with what is seen of it; last comes
    None with what speaks for there being no such word.
    """
    at = claim.sentence.at(claim.offset)
    low = max(0, at - BEFORE)
    view = _View(
        claim,
        claim.sentence.words[low : at + AFTER],
        claim.sentence.items[low : at + AFTER],
        at - low,
        [claim.sentence.at(other.offset) - low for other in _near(claim, claims)],
    )
    lists = view.lists()
    place = next(k for k, one in enumerate(group) if one is claim)
    for j, (word, item) in enumerate(zip(view.words, view.items, strict=True)):
        if item is None and word not in _PASSED_OVER and any(map(str.isalpha, word)):
            yield low + j, list(view.of_word(j, word))
        elif item is not None and item.symbol == "K":
            name = claim.text.text[item.start : item.end].lower()
            side = "R" if j > view.value else "L"
            nth, length = lists[j]
            listed = f"{nth == place:d}{length == len(group):d}{length > 1:d}{len(group) > 1:d}"
            yield low + j, [*view.of_word(j, name), f"listed:{listed}{side}"]
    yield None, list(view.of_none())


def _near(claim: Claim, claims: Sequence[Claim]) -> Iterator[Claim]:
    """The other claims of a sentence that may stand where its words are looked at."""
    i = bisect_left(claims, claim.offset, key=lambda other: other.offset)
    for other in claims[max(0, i - BEFORE) : i + AFTER]:
        if other is not claim:
            yield other


@dataclass(frozen=True, slots=True)
class _View:
    """The words around a value, which of them are items, where the value and the others stand."""

    claim: Claim
    words: list[str]
    items: list[Item | None]
    value: int
    others: list[int]

    def lists(self) -> dict[int, tuple[int, int]]:
        """For each metric its place in the list of metrics it stands in, and how long that is."""
        runs: list[list[int]] = []
        for j in self._metrics():
            if runs and all(word in _GLUE for word in self.words[runs[-1][-1] + 1 : j]):
                runs[-1].append(j)
            else:
                runs.append([j])
        return {j: (place, len(run)) for run in runs for place, j in enumerate(run)}

    def _metrics(self) -> list[int]:
        return [j for j, item in enumerate(self.items) if item is not None and item.symbol == "K"]

    def of_word(self, j: int, name: str) -> Iterator[str]:
        """What is seen of a word: itself, its neighbours, and what lies between it and the value."""
        padded = ["^", "^", *self.words, "$", "$"]
        before2, before, _, after, after2 = padded[j : j + 5]
        previous, following = padded[self.value + 1], padded[self.value + 3]
        kind = self.claim.kind
        side = "R" if j > self.value else "L"
        known = "K" if self.items[j] is not None else "-"
        low, high = sorted((self.value, j))
        apart = high - low
        far = apart if apart < _STEPS[0] else max(step for step in _STEPS if step <= apart)
        between = self.words[low + 1 : high]
        rival = min((abs(j - other) for other in self.others), default=99)
        nearer = "mine" if apart <= rival else "rival"
        ends = after in _PASSED_OVER or after in _SYMBOLS or not after.isalpha()
        yield from (
            f"word:{name}", f"ends:{name[-3:]}", f"word:{name}|{kind}", f"word:{name}|{side}",
            f"is:{known}", f"kind:{kind}{side}{known}",
            f"far:{side}{far}", f"far:{side}{far}{known}", f"far:{side}{far}{kind}",
            f"before:{before}", f"after:{after}", f"around:{before} {after}",
            f"before:{before2} {before}", f"after:{after} {after2}",
            f"value-after:{following}{side}{min(apart, 3)}", f"value-after:{following}{side}{known}",
            f"value-before:{previous}{side}{min(apart, 3)}",
            f"value-before:{previous}{side}{known}",
            f"rival:{min(rival, 5)}{side}", f"{nearer}", f"{nearer}{side}{known}",
            f"noun-ends:{ends:d}", f"noun-ends:{ends:d}{side}{min(apart, 5)}",
            f"rule:{self.claim.entry.key}{side}{known}",
            f"value:{self.claim.item.symbol}{side}{known}",
        )  # fmt: skip
        for word in _SEEN_BETWEEN.intersection(between):
            yield f"between:{word}{side}"
            yield f"between:{word}{side}{known}"
        if apart <= _STEPS[0]:
            yield f"path:{side}{known} {' '.join(between)}"
        if known == "K":
            yield f"hidden:{any(low < other < high for other in self._metrics()):d}{side}"

    def of_none(self) -> Iterator[str]:
        """What speaks for a value whose sentence does not say what it measures."""
        padded = ["^", *self.words, "$"]
        previous, following = padded[self.value], padded[self.value + 2]
        metrics = self._metrics()
        many = min(len(metrics), 2)
        near = any(abs(j - self.value) < _STEPS[0] for j in metrics)
        kind = self.claim.kind
        yield from (
            "none", f"none-kind:{kind}", f"none-rule:{self.claim.entry.key}",
            f"none-value:{self.claim.item.symbol}", f"none-after:{following}",
            f"none-before:{previous}", f"none-around:{previous} {following}",
            f"none-metrics:{many}", f"none-metrics:{many}{kind}", f"none-near:{near:d}",
        )  # fmt: skip
        yield from (f"none-left:{w}" for w in self.words[max(0, self.value - 6) : self.value])
        yield from (f"none-right:{w}" for w in self.words[self.value + 1 : self.value + 5])


@functools.cache
def _weights() -> dict[str, int]:
    """What each thing that is seen weighs."""
    told = files(__package__).joinpath("metric_weights.json").read_text(encoding="utf-8")
    weights: dict[str, int] = json.loads(told)
    return weights
