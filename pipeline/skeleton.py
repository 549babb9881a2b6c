"""A sentence as its skeleton: what the phrases of the rules are matched against.

Words stand in lower case, each followed by one space; a number or a known name stands as one
capital letter (pipeline.rules.SYMBOLS). "It beats GPT-4 by 3.2% on MMLU." has the skeleton
"it beats M by P on B . ", so that a phrase says how people write and not which names they use.
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Protocol, TypeVar

_WORD = re.compile(r"\\?[^\W_]+(?:[-'_.@&^/][^\W_]+)*|[^\w\s]|_")
# What stands in place of items where a sentence is cut into words: private characters, which are
# in no word, and by turns another, as two items may stand side by side.
_MASKS = "\ue000\ue001"
_NO_MASKS = dict.fromkeys(map(ord, _MASKS), "\ufffd")
_PIECES = re.compile(f"({_MASKS[0]}+|{_MASKS[1]}+|{_WORD.pattern})")


@functools.lru_cache(maxsize=1 << 13)  # the lists of the rules stand in many phrases
def spaced(words: str) -> str:
    """Words as they stand in a skeleton: "e.g.," is "e.g . ,"."""
    return " ".join(_WORD.findall(words))


class Placed(Protocol):
    """Anything at a half-open range of a folded text."""

    @property
    def start(self) -> int:
        """Where it begins."""

    @property
    def end(self) -> int:
        """Where it ends, itself not in it."""


P = TypeVar("P", bound=Placed)


def apart(things: Sequence[P], taken: Sequence[Placed]) -> list[P]:
    """The things that overlap nothing taken. Both are in order; the taken do not overlap."""
    free: list[P] = []
    at = 0
    for thing in things:
        while at < len(taken) and taken[at].end <= thing.start:
            at += 1
        if at == len(taken) or thing.end <= taken[at].start:
            free.append(thing)
    return free


@dataclass(slots=True)  # made a hundred times a paper: a frozen one takes four times as long
class Item:
    """What stands as one symbol: its half-open range in the folded text, and what it is."""

    start: int
    end: int
    symbol: str
    of: Any = None


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The skeleton's text, its words, and for each where it begins and what it stands for."""

    text: str
    words: list[str]
    offsets: list[int]
    places: list[tuple[int, int]]
    items: list[Item | None]

    def at(self, offset: int) -> int:
        """The index of the word that holds a character of the skeleton."""
        return bisect_right(self.offsets, offset) - 1

    def item(self, offset: int) -> Item | None:
        """The item whose symbol stands at a character of the skeleton."""
        return self.items[self.at(offset)]

    def range(self, start: int, end: int) -> tuple[int, int]:
        """The folded range of a non-empty range of the skeleton."""
        return self.places[self.at(start)][0], self.places[self.at(end - 1)][1]

    def items_in(self, start: int, end: int) -> Iterator[tuple[int, Item]]:
        """The items in a range of the skeleton, each with its offset."""
        for i in range(self.at(start) if start < end else 0, len(self.offsets)):
            if self.offsets[i] >= end:
                return
            item = self.items[i]
            if item is not None and self.offsets[i] >= start:
                yield self.offsets[i], item


def by_sentence(
    sentences: Sequence[tuple[int, int]], items: Sequence[Item]
) -> Iterator[tuple[tuple[int, int], list[Item]]]:
    """Each sentence with the items that begin in it. Both are in order."""
    at = 0
    for start, end in sentences:
        inside = []
        while at < len(items) and items[at].start < end:
            if items[at].start >= start:
                inside.append(items[at])
            at += 1
        yield (start, end), inside


def skeleton(text: str, start: int, end: int, items: Sequence[Item]) -> Skeleton:
    """The skeleton of one sentence. Items are in order and do not overlap."""
    sentence = text[start:end]
    plain = sentence.isascii()
    sentence = sentence.lower() if plain else sentence.translate(_NO_MASKS)
    inside: list[Item] = []
    masked: list[str] = []
    at = start
    for item in items:
        if item.end <= start or item.start >= end or item.start < at:
            continue
        masked.append(sentence[at - start : item.start - start])
        masked.append(_MASKS[len(inside) % 2] * (min(end, item.end) - item.start))
        inside.append(item)
        at = item.end
    if inside:
        masked.append(sentence[at - start :])
        sentence = "".join(masked)
    # what stands between the words, and these, by turns: their places are then known
    pieces = _PIECES.split(sentence)
    words = pieces[1::2] if plain else [word.lower() for word in pieces[1::2]]
    ends = list(accumulate(map(len, pieces), initial=start))
    starts = ends[1:-1:2]
    places = list(zip(starts, ends[2::2], strict=True))
    kept: list[Item | None] = [None] * len(words)
    for item in inside:
        i = bisect_left(starts, item.start)
        words[i], places[i], kept[i] = item.symbol, (item.start, item.end), item
    offsets = list(accumulate([len(word) + 1 for word in words], initial=0))
    del offsets[-1]
    return Skeleton(" ".join(words) + " " if words else "", words, offsets, places, kept)
