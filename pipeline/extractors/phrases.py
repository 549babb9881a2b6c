"""The phrases of a rule file, tried on a skeleton only where their words stand in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.rules import SYMBOLS, Entry, Rules, compile_phrase
from pipeline.skeleton import spaced

# words and symbols that stand in a tenth of all sentences and more
_COMMON = frozenset(
    "the of and to a in for , . ( ) - on with is that we by are from as our this Z M B P N".split()
)
_SIGNS = frozenset((*SYMBOLS.values(), *"(),.:;[]"))
_SPOKEN = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_PIECE = re.compile(r"(?<![^\s])[()](?![^\s])|[()|]\??|[^\s()|]+")


@dataclass(frozen=True, slots=True)
class _Phrase:
    order: int
    entry: Entry
    pattern: re.Pattern[str]
    needs: tuple[frozenset[str], ...]  # of each set, one word must stand in the skeleton


class Phrases:
    """The phrases of one rule file, in the order of its entries."""

    def __init__(self, rules: Rules, file: str) -> None:
        # the phrases to try by one of the words they need, the shortest list's
        self._by_word: dict[str, list[_Phrase]] = {}
        self._always: list[_Phrase] = []
        texts = [(entry, text) for entry in rules.entries[file] for text in entry["phrases"] or ()]
        for order, (entry, text) in enumerate(texts):
            pattern = compile_phrase(text, rules.words, f"rules/{file}.yaml, {entry.key}")
            first, *others = sorted(_needs(text, rules.words), key=_commonness) or [frozenset()]
            phrase = _Phrase(order, entry, pattern, tuple(others))
            if not first:
                self._always.append(phrase)
            for word in first:
                self._by_word.setdefault(word, []).append(phrase)

    def may_match(self, text: str) -> bool:
        """Whether a phrase may match in the skeleton of a text, told by the words it must hold.

        Names, metrics and numbers are signs in a skeleton; what they say is not asked for.
        """
        if self._always or not _SIGNS.isdisjoint(self._by_word):
            return True
        spoken = _SPOKEN.findall(text.lower())
        words = {part for word in spoken if "-" in word for part in word.split("-")}.union(spoken)
        return any(
            all(need.isdisjoint(_SIGNS) <= (not need.isdisjoint(words)) for need in phrase.needs)
            for word in self._by_word.keys() & words
            for phrase in self._by_word[word]
        )

    def find(self, body: str) -> Iterator[tuple[Entry, re.Match[str]]]:
        """Each match in a skeleton with its entry, those of earlier phrases first."""
        words = set(body.split())
        tried = {phrase.order: phrase for phrase in self._always}
        for word in self._by_word.keys() & words:
            for phrase in self._by_word[word]:
                tried[phrase.order] = phrase
        for order in sorted(tried):
            phrase = tried[order]
            for need in phrase.needs:
                if need.isdisjoint(words):
                    break
            else:
                for match in phrase.pattern.finditer(body):
                    yield phrase.entry, match


def _commonness(need: frozenset[str]) -> tuple[int, list[str]]:
    """What puts the need first that the fewest sentences meet: few words, none of them common."""
    return len(need) + 100 * len(need & _COMMON), sorted(need)


def _needs(phrase: str, words: Mapping[str, tuple[str, ...]]) -> list[frozenset[str]]:
    """What a skeleton must hold for a phrase to match: for each word that is not optional, the
    word, or the first words of its list; for a choice, a word of each of its parts.
    """
    pieces = iter(_PIECE.findall(phrase))
    return _needs_of_choice(pieces, words)[0]


def _needs_of_choice(
    pieces: Iterator[str], words: Mapping[str, tuple[str, ...]]
) -> tuple[list[frozenset[str]], str]:
    """The needs of what stands up to the bracket that closes it, and that bracket."""
    parts: list[list[frozenset[str]]] = [[]]
    end = ""
    for piece in pieces:
        if piece == "(":
            inside, closer = _needs_of_choice(pieces, words)
            if not closer.endswith("?"):
                parts[-1] += inside
        elif piece.startswith(")"):
            end = piece
            break
        elif piece == "|":
            parts.append([])
        elif not piece.endswith("?") and piece[0] not in ".^":
            parts[-1] += _needs_of_word(piece, words)
    if len(parts) == 1:
        return parts[0], end
    if not all(parts):
        return [], end
    # of each part the rarest of its needs will do
    return [frozenset().union(*(min(part, key=_commonness) for part in parts))], end


def _needs_of_word(piece: str, words: Mapping[str, tuple[str, ...]]) -> list[frozenset[str]]:
    if piece.startswith("<") and len(piece) > 1:
        return [frozenset(SYMBOLS[name] for name in piece[1:-1].split(",") if name in SYMBOLS)]
    if not piece.startswith("{"):
        return [frozenset(spaced(piece).split()[:1])]
    if piece == "{names}":
        return [frozenset("ZMB")]
    if piece[1:-1] in SYMBOLS:
        return [frozenset(SYMBOLS[piece[1:-1]])]
    if piece == "{amount}":
        return [frozenset("PXQNU")]
    if piece[1:-1] in words and piece != "{q}":
        return [frozenset(spaced(word).split()[0] for word in words[piece[1:-1]])]
    return []
