"""The phrases of a rule file, tried only on skeletons and at places that hold their words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from pipeline.rules import PIECE, SYMBOLS, Entry, Rules, compile_phrase
from pipeline.skeleton import Skeleton, spaced

# words and symbols that stand in a tenth of all sentences and more
_COMMON = frozenset(
    "the of and to a in for , . ( ) - on with is that we by are from as our this Z M B P N".split()
)
_SIGNS = frozenset((*SYMBOLS.values(), *"(),.:;[]"))
_BRACKETS = {"(": "[(]", ")": "[)]"}  # those of the text, apart from those of a choice


@dataclass(frozen=True, slots=True)
class _Phrase:
    order: int
    entry: Entry
    pattern: re.Pattern[str]
    needs: tuple[frozenset[str], ...]  # of each set, one word must stand in the skeleton
    firsts: frozenset[str] | None  # the words it may begin with; None if any may


class Phrases:
    """The phrases of one rule file, in the order of its entries."""

    def __init__(self, rules: Rules, file: str) -> None:
        # the phrases to try by one of the words they need, the shortest list's
        self._by_word: dict[str, list[_Phrase]] = {}
        self._always: list[_Phrase] = []
        # likewise by a word that is said and no sign for a name or number
        self._by_spoken: dict[str, list[tuple[frozenset[str], ...]]] = {}
        self._unspoken = False
        texts = [(entry, text) for entry in rules.entries[file] for text in entry["phrases"] or ()]
        for order, (entry, text) in enumerate(texts):
            pattern = compile_phrase(text, rules.words, f"rules/{file}.yaml, {entry.key}")
            needs = sorted(_needs(text, rules.words), key=_commonness)
            firsts = _firsts(text, rules.words)
            phrase = _Phrase(order, entry, pattern, tuple(needs[1:]), firsts)
            if not needs:
                self._always.append(phrase)
            for word in needs[0] if needs else ():
                self._by_word.setdefault(word, []).append(phrase)
            spoken = [need for need in needs if need.isdisjoint(_SIGNS)]
            self._unspoken |= not spoken
            for word in spoken[0] if spoken else ():
                self._by_spoken.setdefault(word, []).append(tuple(spoken[1:]))

    def may_match(self, words: Set[str]) -> bool:
        """Whether a phrase may match in the skeleton of a sentence with these words.

        Names, metrics and numbers are signs in a skeleton; what they say is not asked for.
        """
        return self._unspoken or any(
            not any(need.isdisjoint(words) for need in needs)
            for word in self._by_spoken.keys() & words
            for needs in self._by_spoken[word]
        )

    def find(self, sentence: Skeleton) -> Iterator[tuple[Entry, re.Match[str]]]:
        """Each match in a skeleton with its entry, those of earlier phrases first."""
        words = set(sentence.words)
        tried = {phrase.order: phrase for phrase in self._always}
        for word in self._by_word.keys() & words:
            for phrase in self._by_word[word]:
                tried[phrase.order] = phrase
        if not tried:
            return
        places: dict[str, list[int]] = {}
        for word, offset in zip(sentence.words, sentence.offsets, strict=True):
            places.setdefault(word, []).append(offset)
        for order in sorted(tried):
            phrase = tried[order]
            for need in phrase.needs:
                if need.isdisjoint(words):
                    break
            else:
                for match in _matches(phrase, sentence.text, words, places):
                    yield phrase.entry, match


def _matches(
    phrase: _Phrase, body: str, words: Set[str], places: Mapping[str, Sequence[int]]
) -> Iterator[re.Match[str]]:
    """The matches of a phrase, none overlapping another, as `finditer` gives them, but tried only
    at the words it may begin with.
    """
    if phrase.firsts is None:
        yield from phrase.pattern.finditer(body)
        return
    end = 0
    for offset in sorted([at for word in phrase.firsts & words for at in places[word]]):
        if offset >= end and (match := phrase.pattern.match(body, offset)):
            yield match
            end = match.end()


def _commonness(need: frozenset[str]) -> tuple[int, list[str]]:
    """What puts the need first that the fewest sentences meet: few words, none of them common."""
    return len(need) + 100 * len(need & _COMMON), sorted(need)


def _needs(phrase: str, words: Mapping[str, tuple[str, ...]]) -> list[frozenset[str]]:
    """What a skeleton must hold for a phrase to match: for each word that is not optional, the
    word, or the first words of its list; for a choice, a word of each of its parts.
    """
    return _needs_of_choice(_pieces(phrase), words)[0]


def _pieces(phrase: str) -> Iterator[str]:
    """The words, gaps, slots and brackets of a phrase."""
    for match in PIECE.finditer(phrase):
        yield _BRACKETS[match.group()] if match["literal"] else match.group()


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
    if piece in _BRACKETS.values():
        return [frozenset(piece[1])]
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


def _firsts(phrase: str, words: Mapping[str, tuple[str, ...]]) -> frozenset[str] | None:
    """The words that a match of a phrase may begin with; None if any word may."""
    firsts, optional, _ = _firsts_of_choice(_pieces(phrase), words)
    return None if optional else firsts


def _firsts_of_choice(
    pieces: Iterator[str], words: Mapping[str, tuple[str, ...]]
) -> tuple[frozenset[str] | None, bool, str]:
    """What the text up to the bracket that closes it may begin with, whether it may be empty, and
    that bracket.
    """
    firsts: frozenset[str] | None = frozenset()
    empty = False
    begun = False  # whether the part of the choice that is read has a word that is not optional
    end = ""
    for piece in pieces:
        if piece == "|":
            empty |= not begun
            begun = False
            continue
        if piece.startswith(")"):
            end = piece
            break
        if piece == "(":
            first, optional, closer = _firsts_of_choice(pieces, words)
            optional |= closer.endswith("?")
        else:
            first, optional = _firsts_of_word(piece, words)
        if not begun:
            firsts = None if firsts is None or first is None else firsts | first
            begun = not optional
    return firsts, empty or not begun, end


def _firsts_of_word(
    piece: str, words: Mapping[str, tuple[str, ...]]
) -> tuple[frozenset[str] | None, bool]:
    """The words that a piece without brackets may begin with, and whether it may be left out."""
    if piece == "^" or piece in ("..", "...", "...."):
        return None, True
    optional = piece.endswith("?") and piece != "?"
    body = piece[:-1] if optional else piece
    if body == "{q}":
        return frozenset(spaced(word).split()[0] for word in words["q"]), True
    needs = _needs_of_word(body, words)
    return (needs[0], optional) if needs else (None, True)
