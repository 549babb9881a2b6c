"""The phrases of a rule file, tried only on skeletons and at places that hold their words."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.rules import PIECE, SYMBOLS, Entry, Rules, compile_phrase
from pipeline.skeleton import Skeleton, spaced

# words and symbols that stand in a tenth of all sentences and more
_COMMON = frozenset(
    "the of and to a in for , . ( ) - on with is that we by are from as our this Z M B P N".split()
)
_SIGNS = frozenset((*SYMBOLS.values(), *"(),.:;[]"))
_PART = re.compile(r"[^\W_]+")
_MOST_CHUNKS = 1 << 16
_BRACKETS = {"(": "[(]", ")": "[)]"}  # those of the text, apart from those of a choice


class Phrases:
    """The phrases of one rule file, in the order of its entries.

    A set of phrases is an int here, its lowest bit the first phrase, so that a few operations ask
    of all phrases at once whether a sentence holds what they need.
    """

    def __init__(self, rules: Rules, file: str) -> None:
        texts = [(entry, text) for entry in rules.entries[file] for text in entry["phrases"] or ()]
        self._entries = [entry for entry, _ in texts]
        self._patterns = [
            compile_phrase(text, rules.words, f"rules/{file}.yaml, {entry.key}")
            for entry, text in texts
        ]
        needs = [_needs(text, rules.words) for _, text in texts]
        self._needs = _Needs(needs)
        self._spoken = _Needs([[n for n in need if n.isdisjoint(_SIGNS)] for need in needs])
        # the phrases that may begin with a word, whatever follows it or by what does; with the
        # first word only, or with any
        self._beginning: dict[str, dict[str, int]] = {}
        self._at_start = self._anywhere = 0
        for order, (_, text) in enumerate(texts):
            begun = _begun(text, rules.words)
            if text.startswith("^"):
                self._at_start |= 1 << order
            elif begun.any:
                self._anywhere |= 1 << order
            else:
                for word, after in begun.words.items():
                    by_next = self._beginning.setdefault(word, {})
                    for follows in _ANY if after & (_ANY | _END) else after:
                        by_next[follows] = by_next.get(follows, 0) | 1 << order

    def may_match(self, sentence: str) -> bool:
        """Whether a phrase may match in the skeleton of a sentence, given as it stands, or in that
        of one of several sentences.

        Names, metrics and numbers are signs in a skeleton; what they say is not asked for, and
        they may be parts of words.
        """
        return self._spoken.met_in(sentence.lower().split()) != 0

    def find(self, sentence: Skeleton) -> Iterator[tuple[Entry, re.Match[str]]]:
        """Each match in a skeleton with its entry, those of earlier phrases first; those of one
        phrase as `finditer` gives them, but tried only at the words that it may begin with.
        """
        possible = self._needs.met_by(sentence.words)
        if not possible:
            return
        tried: list[tuple[int, int]] = []
        beginning, others = self._beginning, self._anywhere | self._at_start
        words = sentence.words
        for word, follows, offset in zip(words, (*words[1:], ""), sentence.offsets, strict=True):
            begun = others
            if (by_next := beginning.get(word)) is not None:
                begun |= by_next.get("*any", 0) | by_next.get(follows, 0)
            begun &= possible
            others = self._anywhere
            while begun:
                lowest = begun & -begun
                tried.append((lowest.bit_length() - 1, offset))
                begun ^= lowest
        tried.sort()
        last, end = -1, 0
        for order, offset in tried:
            if order != last:
                last, end = order, 0
            if offset >= end and (match := self._patterns[order].match(sentence.text, offset)):
                yield self._entries[order], match
                end = match.end()


class _Needs:
    """What each of some phrases needs: of each of its sets of words, one must be there."""

    def __init__(self, needs: Sequence[Sequence[frozenset[str]]]) -> None:
        self._count = len(needs)
        self._depth = max(map(len, needs), default=0)
        # bit `i * count + order` is set where the need `i` of a phrase is met by a word, or is none
        self._none = 0
        self._by_word: dict[str, int] = {}
        for order, sets in enumerate(needs):
            for i in range(self._depth):
                bit = 1 << (i * self._count + order)
                if i >= len(sets):
                    self._none |= bit
                    continue
                for word in sets[i]:
                    self._by_word[word] = self._by_word.get(word, 0) | bit
        self._by_chunk = _ByChunk(self._by_word)

    def met_by(self, words: Iterable[str]) -> int:
        """The phrases all of whose needs are met by these words."""
        return self._met(filter(None, map(self._by_word.get, words)))

    def met_in(self, chunks: Iterable[str]) -> int:
        """Likewise by the words, and by their parts, of what stands between spaces."""
        return self._met(filter(None, map(self._by_chunk.__getitem__, chunks)))

    def _met(self, each: Iterable[int]) -> int:
        met = self._none
        for bits in each:
            met |= bits
        found = (1 << self._count) - 1
        for _ in range(self._depth):
            found &= met
            met >>= self._count
        return found


class _ByChunk(dict[str, int]):
    """What is met by each chunk that was asked for, by its words and their parts: by "based" in
    "(X-based)".
    """

    def __init__(self, by_word: Mapping[str, int]) -> None:
        self._by_word = by_word

    def __missing__(self, chunk: str) -> int:
        if len(self) >= _MOST_CHUNKS:
            self.clear()
        word = chunk.rstrip(",.")
        if word.isalpha():
            bits = self._by_word.get(word, 0)
        else:
            bits = 0
            for part in (*_PART.findall(chunk), *spaced(chunk).split()):
                bits |= self._by_word.get(part, 0)
        self[chunk] = bits
        return bits


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


@dataclass(slots=True)
class _Begun:
    """How a stretch of a phrase may begin: with which words, each with those that may follow it, or
    "" where the stretch may end; with any word; or, where it may be left out, with what follows.
    """

    words: dict[str, frozenset[str]]
    any: bool = False
    empty: bool = False

    def then(self, other: _Begun) -> _Begun:
        """Of a stretch and the next."""
        if not (self.empty or self.any or any("" in after for after in self.words.values())):
            return self  # its first two words are known
        follows = frozenset((*other.words, *_ANY)) if other.any else frozenset(other.words)
        if other.empty:
            follows |= _END
        words = {
            word: (after - _END) | follows if after >= _END else after
            for word, after in self.words.items()
        }
        if not self.empty:
            return _Begun(words, self.any, empty=False)
        return _Begun(words, self.any, empty=False).or_else(other)

    def or_else(self, other: _Begun) -> _Begun:
        """Of a stretch, or another in its place."""
        words = dict(self.words)
        for word, after in other.words.items():
            words[word] = words.get(word, frozenset()) | after
        return _Begun(words, self.any or other.any, self.empty or other.empty)


_GAPS = frozenset(("..", "...", "...."))
_END = frozenset(("",))
_ANY = frozenset(("*any",))  # no word, as a word with a sign before letters is two
# what may stand after a name of a list of names
_AFTER_NAME = frozenset((*",/&", "and", "or", "as", ""))


def _begun(phrase: str, words: Mapping[str, tuple[str, ...]]) -> _Begun:
    """How a match of a phrase may begin."""
    return _begun_of_choice(_pieces(phrase), words)[0]


def _begun_of_choice(
    pieces: Iterator[str], words: Mapping[str, tuple[str, ...]]
) -> tuple[_Begun, str]:
    """How the text up to the bracket that closes it may begin, and that bracket."""
    parts: list[_Begun] = []
    begun = _Begun({}, empty=True)
    end = ""
    for piece in pieces:
        if piece == "|":
            parts.append(begun)
            begun = _Begun({}, empty=True)
            continue
        if piece.startswith(")"):
            end = piece
            break
        if piece == "(":
            inside, closer = _begun_of_choice(pieces, words)
            inside.empty |= closer.endswith("?")
        else:
            inside = _begun_of_piece(piece, words)
        begun = begun.then(inside)
    return functools.reduce(_Begun.or_else, parts, begun), end


def _begun_of_piece(piece: str, words: Mapping[str, tuple[str, ...]]) -> _Begun:
    """How a piece without brackets may begin."""
    if piece == "^":
        return _Begun({}, empty=True)
    if piece in _GAPS:
        return _Begun({}, any=True, empty=True)
    optional = piece.endswith("?") and piece != "?"
    body = piece[:-1] if optional else piece
    listed = words.get(body[1:-1], ()) if body.startswith("{") else ()
    if listed or not (body.startswith(("{", "<")) or body in _BRACKETS.values()):
        begun = _Begun({}, empty=optional)
        for one in listed or (body,):
            word, *rest = spaced(one).split()
            begun.words[word] = begun.words.get(word, frozenset()) | (frozenset(rest[:1]) or _END)
        if body == "{q}":  # any number of them
            again = frozenset(begun.words)
            begun = _Begun({word: after | again for word, after in begun.words.items()}, empty=True)
        return begun
    needs = _needs_of_word(body, words)
    if not needs:
        return _Begun({}, any=True, empty=True)
    after = _AFTER_NAME if body == "{names}" else _END
    return _Begun(dict.fromkeys(needs[0], after), empty=optional)
