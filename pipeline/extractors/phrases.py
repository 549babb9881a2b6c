"""The phrases of a rule file, tried on a skeleton only where their words stand in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import regex

from pipeline.rules import SYMBOLS, Entry, Rules, compile_phrase
from pipeline.skeleton import spaced

_PIECE = regex.compile(r"(?<![^\s])[()](?![^\s])|[()|]\??|[^\s()|]+")


@dataclass(frozen=True, slots=True)
class _Phrase:
    entry: Entry
    pattern: regex.Pattern[str]
    needs: tuple[frozenset[str], ...]  # of each set, one word must stand in the skeleton


class Phrases:
    """The phrases of one rule file, in the order of its entries."""

    def __init__(self, rules: Rules, file: str) -> None:
        self._phrases = [
            _Phrase(
                entry,
                compile_phrase(phrase, rules.words, f"rules/{file}.yaml, {entry.key}"),
                tuple(_needs(phrase, rules.words)),
            )
            for entry in rules.entries[file]
            for phrase in entry["phrases"] or ()
        ]

    def find(self, body: str) -> Iterator[tuple[Entry, regex.Match[str]]]:
        """Each match in a skeleton with its entry, those of earlier phrases first."""
        words = set(body.split())
        for phrase in self._phrases:
            if any(need.isdisjoint(words) for need in phrase.needs):
                continue
            for match in phrase.pattern.finditer(body):
                yield phrase.entry, match


def _needs(phrase: str, words: Mapping[str, tuple[str, ...]]) -> Iterator[frozenset[str]]:
    """What a skeleton must hold for a phrase to match: for each word that is not optional, the
    word, or the first words of its list.
    """
    depth = 0
    for piece in _PIECE.findall(phrase):
        if piece == "(":
            depth += 1
        elif piece.startswith(")"):
            depth -= 1
        elif depth or piece.endswith("?") or piece[0] in "|.^":
            continue
        elif piece.startswith("<"):
            yield frozenset(SYMBOLS[name] for name in piece[1:-1].split(",") if name in SYMBOLS)
        elif not piece.startswith("{"):
            yield frozenset(spaced(piece).split()[:1])
        elif piece[1:-1] in SYMBOLS:
            yield frozenset(SYMBOLS[piece[1:-1]])
        elif piece[1:-1] in words and piece != "{q}":
            yield frozenset(spaced(word).split()[0] for word in words[piece[1:-1]])
