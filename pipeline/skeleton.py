"""A sentence as its skeleton: what the phrases of the rules are matched against.

Words stand in lower case, each followed by one space; a number or a known name stands as one
capital letter (pipeline.rules.SYMBOLS). "It beats GPT-4 by 3.2% on MMLU." has the skeleton
"it beats M by P on B . ", so that a phrase says how people write and not which names they use.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

_WORD = re.compile(r"\\?[^\W_]+(?:[-'_.@&^/][^\W_]+)*|[^\w\s]|_")


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
    """The skeleton's text, and for each of its words where it begins and what it stands for."""

    text: str
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
    parts: list[str] = []
    offsets: list[int] = []
    places: list[tuple[int, int]] = []
    kept: list[Item | None] = []
    length = 0

    def words(low: int, high: int) -> None:
        nonlocal length
        for match in _WORD.finditer(text, low, high):
            word = match.group().lower()
            parts.append(word)
            offsets.append(length)
            places.append(match.span())
            kept.append(None)
            length += len(word) + 1

    at = start
    for item in items:
        if item.end <= start or item.start >= end or item.start < at:
            continue
        words(at, item.start)
        parts.append(item.symbol)
        offsets.append(length)
        places.append((item.start, item.end))
        kept.append(item)
        length += 2
        at = item.end
    words(at, end)
    return Skeleton(" ".join(parts) + " " if parts else "", offsets, places, kept)
