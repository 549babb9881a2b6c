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
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

from pipeline.extractors.binding.claims import Claim

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
    view = _View(claim, claims, group)
    none = sum(map(_weight, view.of_none()))
    words = {word: sum(map(_weight, seen)) for word, seen in view.of_words()}
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
    view = _View(claim, claims, group)
    for word, seen in view.of_words():
        yield word, [one for tell, *of in seen for one in tell(*of)]
    yield None, [one for tell, *of in view.of_none() for one in tell(*of)]


def _near(claim: Claim, claims: Sequence[Claim]) -> Iterator[Claim]:
    """The other claims of a sentence that may stand where its words are looked at."""
    i = bisect_left(claims, claim.offset, key=lambda other: other.offset)
    for other in claims[max(0, i - BEFORE) : i + AFTER]:
        if other is not claim:
            yield other


# What is seen is told in parts: a function, and what it tells of. A part comes again in other
# sentences, and is weighed once.
_Seen = tuple[Any, ...]


class _View:
    """The words around a value, which of them are items, where the value and the others stand."""

    def __init__(self, claim: Claim, claims: Sequence[Claim], group: Sequence[Claim]) -> None:
        at = claim.sentence.at(claim.offset)
        self._low = low = max(0, at - BEFORE)
        self._claim, self._group = claim, group
        self._words = claim.sentence.words[low : at + AFTER]
        self._items = claim.sentence.items[low : at + AFTER]
        self._value = at - low
        self._others = [claim.sentence.at(other.offset) - low for other in _near(claim, claims)]
        self._metrics = [
            j for j, item in enumerate(self._items) if item is not None and item.symbol == "K"
        ]

    def of_words(self) -> Iterator[tuple[int, list[_Seen]]]:
        """The words that may name what is measured, each with what is seen of it."""
        claim, group = self._claim, self._group
        lists = self._lists()
        place = next(k for k, one in enumerate(group) if one is claim)
        padded = ["^", "^", *self._words, "$", "$"]
        for j, (word, item) in enumerate(zip(self._words, self._items, strict=True)):
            if item is None:
                if word not in _PASSED_OVER and any(map(str.isalpha, word)):
                    yield self._low + j, self._of_word(j, word, padded)
            elif item.symbol == "K":
                name = claim.text.text[item.start : item.end].lower()
                nth, length = lists[j]
                said = (nth == place, length == len(group), length > 1, len(group) > 1)
                listed = (_listed, said, "R" if j > self._value else "L")
                yield self._low + j, [*self._of_word(j, name, padded), listed]

    def _lists(self) -> dict[int, tuple[int, int]]:
        """For each metric its place in the list of metrics it stands in, and how long that is."""
        runs: list[list[int]] = []
        for j in self._metrics:
            if runs and all(word in _GLUE for word in self._words[runs[-1][-1] + 1 : j]):
                runs[-1].append(j)
            else:
                runs.append([j])
        return {j: (place, len(run)) for run in runs for place, j in enumerate(run)}

    def _of_word(self, j: int, name: str, padded: Sequence[str]) -> list[_Seen]:
        """What is seen of a word: itself, its neighbours, and what lies between it and the value."""
        before2, before, _, after, after2 = padded[j : j + 5]
        previous, following = padded[self._value + 1], padded[self._value + 3]
        claim = self._claim
        side = "R" if j > self._value else "L"
        known = "K" if self._items[j] is not None else "-"
        low, high = (self._value, j) if side == "R" else (j, self._value)
        apart = high - low
        between = self._words[low + 1 : high]
        rival = min([abs(j - other) for other in self._others], default=99)
        ends = after in _PASSED_OVER or after in _SYMBOLS or not after.isalpha()
        seen: list[_Seen] = [
            (_named, name, claim.kind, side),
            (
                _placed, claim.kind, claim.entry.key, claim.item.symbol, side, known,
                _step(apart), min(apart, 5), min(rival, 5), apart <= rival, ends,
            ),
            (_beside, before2, before, after, after2),
            (_beside_value, previous, following, side, known, min(apart, 3)),
        ]  # fmt: skip
        seen += [(_between, word, side, known) for word in _SEEN_BETWEEN.intersection(between)]
        if apart <= _STEPS[0]:
            seen.append((_path, side, known, *between))
        if known == "K":
            seen.append((_hidden, any(low < other < high for other in self._metrics), side))
        return seen

    def of_none(self) -> list[_Seen]:
        """What speaks for a value whose sentence does not say what it measures."""
        padded = ["^", *self._words, "$"]
        at = self._value
        near = any(abs(j - at) < _STEPS[0] for j in self._metrics)
        claim = self._claim
        return [
            (
                _none,
                claim.kind,
                claim.entry.key,
                claim.item.symbol,
                min(len(self._metrics), 2),
                near,
            ),
            (_none_beside, padded[at], padded[at + 2]),
            *((_none_left, word) for word in self._words[max(0, at - 6) : at]),
            *((_none_right, word) for word in self._words[at + 1 : at + 5]),
        ]


def _step(apart: int) -> int:
    """A distance in words, the long ones in steps."""
    return apart if apart < _STEPS[0] else _STEPS[bisect_right(_STEPS, apart) - 1]


def _listed(said: Sequence[bool], side: str) -> tuple[str, ...]:
    return (f"listed:{''.join(f'{one:d}' for one in said)}{side}",)


def _named(name: str, kind: str, side: str) -> tuple[str, ...]:
    return f"word:{name}", f"ends:{name[-3:]}", f"word:{name}|{kind}", f"word:{name}|{side}"


def _placed(
    kind: str,
    rule: str,
    symbol: str,
    side: str,
    known: str,
    far: int,
    apart: int,
    rival: int,
    nearest: bool,
    ends: bool,
) -> tuple[str, ...]:
    nearer = "mine" if nearest else "rival"
    return (
        f"is:{known}", f"kind:{kind}{side}{known}",
        f"far:{side}{far}", f"far:{side}{far}{known}", f"far:{side}{far}{kind}",
        f"rival:{rival}{side}", nearer, f"{nearer}{side}{known}",
        f"noun-ends:{ends:d}", f"noun-ends:{ends:d}{side}{apart}",
        f"rule:{rule}{side}{known}", f"value:{symbol}{side}{known}",
    )  # fmt: skip


def _beside(before2: str, before: str, after: str, after2: str) -> tuple[str, ...]:
    return (
        f"before:{before}", f"after:{after}", f"around:{before} {after}",
        f"before:{before2} {before}", f"after:{after} {after2}",
    )  # fmt: skip


def _beside_value(
    previous: str, following: str, side: str, known: str, apart: int
) -> tuple[str, ...]:
    return (
        f"value-after:{following}{side}{apart}", f"value-after:{following}{side}{known}",
        f"value-before:{previous}{side}{apart}", f"value-before:{previous}{side}{known}",
    )  # fmt: skip


def _between(word: str, side: str, known: str) -> tuple[str, ...]:
    return f"between:{word}{side}", f"between:{word}{side}{known}"


def _path(side: str, known: str, *between: str) -> tuple[str, ...]:
    return (f"path:{side}{known} {' '.join(between)}",)


def _hidden(hidden: bool, side: str) -> tuple[str, ...]:
    return (f"hidden:{hidden:d}{side}",)


def _none(kind: str, rule: str, symbol: str, many: int, near: bool) -> tuple[str, ...]:
    return (
        "none", f"none-kind:{kind}", f"none-rule:{rule}", f"none-value:{symbol}",
        f"none-metrics:{many}", f"none-metrics:{many}{kind}", f"none-near:{near:d}",
    )  # fmt: skip


def _none_beside(previous: str, following: str) -> tuple[str, ...]:
    around = f"none-around:{previous} {following}"
    return f"none-after:{following}", f"none-before:{previous}", around


def _none_left(word: str) -> tuple[str, ...]:
    return (f"none-left:{word}",)


def _none_right(word: str) -> tuple[str, ...]:
    return (f"none-right:{word}",)


@functools.lru_cache(maxsize=1 << 15)
def _weight(seen: _Seen) -> int:
    """What a part of what is seen weighs."""
    weights = _weights()
    tell, *of = seen
    return sum([weights.get(one, 0) for one in tell(*of)])


@functools.cache
def _weights() -> dict[str, int]:
    """What each thing that is seen weighs."""
    told = files(__package__).joinpath("metric_weights.json").read_text(encoding="utf-8")
    weights: dict[str, int] = json.loads(told)
    return weights
