"""Builds the one spaCy Language, and reads a field of a paper with it: tokens and sentences."""

from __future__ import annotations

import functools
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import regex
import spacy
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc
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
_STARTS = regex.compile(r"[\p{Lu}\p{N}\\(\[\"'`$]|[a-z]+[A-Z\d]")


@Language.component("claim_sentences")
def claim_sentences(doc: Doc) -> Doc:
    """Sets sentence starts: after a stop that ends no abbreviation and no initial.

    spaCy's own sentenciser ends a sentence at every stop, also after "et al." and "vs.".
    """
    starts = []
    tokens = [token.text for token in doc]
    for i in [i for i, token in enumerate(tokens[:-1], 1) if token[0] in _ENDS]:
        before = tokens[i - 1]
        if before[0] in ")\"'" and not (i > 1 and tokens[i - 2][0] in ".?!"):
            continue
        if before == "." and i > 1:
            word = tokens[i - 2].lower()
            if word in _ABBREVIATIONS and not (word in ("etc", "al") and tokens[i][0].isupper()):
                continue
            if len(word) == 1 and word.isalpha() and tokens[i - 2].isupper() and i > 2:
                continue
        if _STARTS.match(tokens[i]) or before[0] in "?!":
            doc[i].is_sent_start = True
            starts.append(doc[i].idx)
    doc.user_data["starts"] = starts
    return doc


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
    nlp.add_pipe("claim_sentences")
    nlp.max_length = 1 << 40  # blank English has no component whose memory grows with the text
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
    if not text.strip() or _LONG_WORD.search(text):
        return [(0, len(text))]
    found: list[tuple[int, int]] = []
    # starts as the component set them: reading them back by Doc.sents takes as long as all else
    starts = language()(text.encode("utf-8", "replace").decode()).user_data["starts"]
    for start, end in pairwise([0, *starts, len(text)]):
        sentence = text[start:end]
        left = len(sentence) - len(sentence.lstrip())
        right = len(sentence.rstrip())
        if left < right:
            found.append((start + left, start + right))
    return found or [(0, len(text))]


_OWN_PART = regex.compile(
    r"\b(?:[Ww]e|[Oo]ur|[Tt]his (?:paper|work|study|report|article|survey|thesis|technical report|"
    r"research|tutorial|demo)|[Ii]n this|[Hh]ere,|[Hh]erein|[Tt]he (?:paper|present))\b"
)


def own_part(abstract: str) -> int | None:
    """Where an abstract begins to speak of its own work ("we", "this paper"), if it does."""
    match = _OWN_PART.search(abstract)
    return match.start() if match else None


_LONG_WORD = regex.compile(rf"\S{{{_LONGEST_WORD}}}")
