"""Builds the one spaCy Language, and cuts a field of a paper into sentences by its tokens."""

from __future__ import annotations

import functools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import regex
import spacy
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.util import compile_infix_regex, compile_prefix_regex, compile_suffix_regex

from pipeline.fold import Folded, fold
from pipeline.records import FIELDS, Field, Paper, Span

# What is cut off the ends of a chunk between spaces. Signs and units stay with their number, so
# that "+8.81", "3.2%", "2.5x" and "~45%" are one token each.
_PREFIXES = [r"[(\[\"'`*=|]+", r"\u2014", r"[<>](?!\d)", r"~(?!\d)"]
_SUFFIXES = [r"[)\]\"'`,;:!?|]+", r"\u2014", r"\.+", r"'s", r"(?<=[a-z])\*"]
_INFIXES = [
    r"\u2014|--+",
    r"[()\[\]\";|]",
    r",(?!\d{3}(?!\d))",
    r"(?<=[a-z]{3})[.:](?=[A-Z][a-z])",
    r"(?<=[\d%])\.(?=[A-Z][a-z])",
    r"(?<=[A-Za-z]{2})/(?=[A-Za-z]{2})",
]
_LINK = regex.compile(r"(?:https?://|www\.)\S+")

_ABBREVIATIONS = frozenset(
    "e.g i.e eg ie vs cf al fig figs eq eqs sec secs no nos approx resp etc dr mr mrs prof st tab"
    " ref refs w.r.t wrt i.i.d a.k.a aka viz incl ca et".split()
)
_ENDS = frozenset(".?!)\"'")
_QUOTES = (")", '"', "'")
_STOP = re.compile(r"[.?!]")
_STARTS = regex.compile(r"[\p{Lu}\p{N}\\(\[\"'`$]|[a-z]+[A-Z\d]")


@functools.cache
def language() -> Language:
    """Blank English with a tokeniser that keeps names, numbers and links whole."""
    nlp = spacy.blank("en")
    nlp.tokenizer = Tokenizer(
        nlp.vocab,
        rules={},
        prefix_search=compile_prefix_regex(_PREFIXES).search,
        suffix_search=compile_suffix_regex(_SUFFIXES).search,
        infix_finditer=compile_infix_regex(_INFIXES).finditer,
        url_match=_LINK.fullmatch,
        max_cache_size=100_000,
    )
    return nlp


@dataclass(frozen=True, slots=True)
class Text:
    """A field of a paper, folded, with the ranges of its sentences in the folded text.

    A field longer than any abstract comes as several texts, so that whatever takes more than
    linear time in a text takes linear time in a field.
    """

    paper: Paper
    field: Field
    folded: Folded
    sentences: tuple[tuple[int, int], ...]

    @property
    def text(self) -> str:
        """The folded text."""
        return self.folded.text

    def span(self, start: int, end: int) -> Span:
        """The raw span of a folded range."""
        return Span.of(self.paper, self.field, *self.folded.raw_span(start, end))

    def sentence_of(self, at: int) -> tuple[int, int]:
        """The sentence that holds a folded place."""
        i = bisect_right(self.sentences, at, key=lambda sentence: sentence[0])
        return self.sentences[max(0, i - 1)]

    def folded_places(
        self, ranges: Sequence[tuple[int, int]], *, clip: bool = True
    ) -> list[tuple[int, int]]:
        """Raw ranges of the field as ranges of this text; with `clip`, those that lie in it."""
        places = self.folded.places
        if places is None:
            return list(ranges)
        found = [(bisect_left(places, start), bisect_left(places, end)) for start, end in ranges]
        return [(start, end) for start, end in found if start < end] if clip else found


# A text without any space is one token; spaCy's affix search is quadratic in a token's length.
_LONGEST_WORD = 2_000
# The longest of 66,449 real abstracts has 12,694 characters, the second longest 5,221.
_LONGEST_TEXT = 16_000


def read_texts(paper: Paper) -> list[Text]:
    """The texts of a paper: its title and its abstract, folded and cut into sentences."""
    texts = []
    for field in FIELDS:
        folded = fold(paper.title if field == "title" else paper.abstract)
        texts += [
            Text(paper, field, piece, tuple(_sentences(piece.text))) for piece in _pieces(folded)
        ]
    return texts


def _pieces(folded: Folded) -> Iterator[Folded]:
    """A folded text whole, or if it is too long cut at a space, and never within a number."""
    length = len(folded.text)
    places = range(length) if folded.places is None else folded.places
    start = 0
    while length - start > _LONGEST_TEXT:
        limit = start + _LONGEST_TEXT
        space = folded.text.rfind(" ", start + 1, limit)
        end = space if space > start else limit
        while end < length and folded.text[end - 1].isdigit() and folded.text[end].isdigit():
            end += 1
        yield Folded(folded.raw, folded.text[start:end], places[start:end])
        start = end
    if start:
        yield Folded(folded.raw, folded.text[start:], places[start:])
    else:
        yield folded


def _sentences(text: str) -> list[tuple[int, int]]:
    if not text.strip() or (len(text) >= _LONGEST_WORD and _LONG_WORD.search(text)):
        return [(0, len(text))]
    found: list[tuple[int, int]] = []
    for start, end in pairwise([0, *_starts(text), len(text)]):
        sentence = text[start:end]
        left = len(sentence) - len(sentence.lstrip())
        right = len(sentence.rstrip())
        if left < right:
            found.append((start + left, start + right))
    return found or [(0, len(text))]


def _starts(text: str) -> Iterator[int]:
    """Where sentences start but for the first: after a stop that ends no abbreviation and no
    initial. spaCy's own sentenciser ends one at every stop, also after "et al." and "vs.".

    spaCy's tokeniser cuts each chunk between spaces by itself, so only the chunks that hold a stop
    are cut, and what stands beside them.
    """
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    done = 0
    for match in _STOP.finditer(text):
        at = match.start()
        if at < done or (text[at - 1 : at].isdigit() and text[at + 1 : at + 2].isdigit()):
            continue  # the point of "3.2" is within a token
        low = text.rfind(" ", 0, at) + 1
        done = _chunk_end(text, low)
        if _is_plain_end(text[low:done]):
            if (after := _first_token(text, done + 1)) and _may_start(after):
                yield done + 1
        else:
            yield from _starts_after(text, low, done)
        while text.startswith(_QUOTES, done + 1):  # a quote ends a sentence after its stop
            low = done + 1
            done = _chunk_end(text, low)
            yield from _starts_after(text, low, done)


def _starts_after(text: str, low: int, end: int) -> Iterator[int]:
    """Where sentences start after a token of the chunk at this place."""
    tokens = _tokens(text[low:end])
    at = low
    for i, token in enumerate(tokens):
        at += len(token)
        if token[0] not in _ENDS:
            continue
        before = tokens[max(0, i - 2) : i] if i > 1 else (*_tokens_before(text, low), *tokens[:i])
        if not _may_end(before, token):
            continue
        if i + 1 < len(tokens):
            after, start = tokens[i + 1], at
        else:
            after, start = _first_token(text, end + 1), end + 1
        if after and _is_end(before, token, after):
            yield start


def _may_end(before: Sequence[str], token: str) -> bool:
    """Whether a sentence may end with a token: a bracket or quote ends one after a stop only.

    `before` are the two tokens before it, of the first tokens of a text fewer.
    """
    return token[0] in ".?!" or (bool(before) and before[-1][0] in ".?!")


def _is_end(before: Sequence[str], token: str, after: str) -> bool:
    """Whether a sentence ends with a token that may end one and is followed by `after`."""
    if token == "." and before:
        last = before[-1]
        word = last.lower()
        if word in _ABBREVIATIONS and not (word in ("etc", "al") and after[0].isupper()):
            return False
        if len(word) == 1 and word.isalpha() and last.isupper() and len(before) > 1:
            return False
    return token[0] in "?!" or _may_start(after)


@functools.lru_cache(maxsize=1 << 16)
def _is_plain_end(chunk: str) -> bool:
    """Whether a chunk is a word and its full stop, and no abbreviation nor initial: nine of ten."""
    word = chunk[:-1]
    return (
        len(word) > 1 and chunk[-1] == "." and word.isalpha() and word.lower() not in _ABBREVIATIONS
    )


@functools.lru_cache(maxsize=1 << 16)
def _tokens(chunk: str) -> tuple[str, ...]:
    """The tokens of what stands between two spaces; the same chunks come again and again."""
    # nothing is cut off letters but a stop after them
    if chunk.isalpha():
        return (chunk,)
    if chunk[-1] == "." and chunk[:-1].isalpha():
        return chunk[:-1], "."
    return tuple(token.text for token in language().tokenizer(chunk))


@functools.lru_cache(maxsize=1 << 16)
def _may_start(token: str) -> bool:
    return _STARTS.match(token) is not None


def _chunk_end(text: str, start: int) -> int:
    end = text.find(" ", start)
    return len(text) if end < 0 else end


def _first_token(text: str, start: int) -> str:
    """The token that begins at a place: more than one space is a token, too."""
    if text.startswith(" ", start):
        return " "
    return _tokens(text[start : _chunk_end(text, start)])[0] if start < len(text) else ""


def _tokens_before(text: str, start: int) -> tuple[str, ...]:
    """The two tokens before a chunk, of its first chunk fewer."""
    chunk = text[text.rfind(" ", 0, max(0, start - 1)) + 1 : max(0, start - 1)]
    tokens = _tokens(chunk) if chunk else (" ",) if start else ()
    if start - 1 > len(chunk) and len(tokens) < 2:
        return " ", *tokens  # what stands before does not matter, but that something does
    return tokens[-2:]


_OWN_PART = regex.compile(
    r"\b(?:[Ww]e|[Oo]ur|[Tt]his (?:paper|work|study|report|article|survey|thesis|technical report|"
    r"research|tutorial|demo)|[Ii]n this|[Hh]ere,|[Hh]erein|[Tt]he (?:paper|present))\b"
)


def own_part(abstract: str) -> int | None:
    """Where an abstract begins to speak of its own work ("we", "this paper"), if it does."""
    match = _OWN_PART.search(abstract)
    return match.start() if match else None


_LONG_WORD = regex.compile(rf"\S{{{_LONGEST_WORD}}}")
