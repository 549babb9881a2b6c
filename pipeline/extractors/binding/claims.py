"""The claims of one sentence, and where each stands: what every part of the binding reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import regex

from pipeline.language import Text
from pipeline.records import GainKind
from pipeline.rules import Entry, Rules
from pipeline.skeleton import Item, Skeleton

Direction = Literal["up", "down"]

FAR = 500  # characters of a skeleton beyond which nothing is bound to a value
COMMAS = frozenset((", ", "and ", ", and ", "or "))
SIDE_BY_SIDE = COMMAS | {"/ ", "| "}
VERSUS = re.compile(
    r"(?:\( |, |^|(?<= ))(?:vs \. |vs |versus |compared (?:to|with) |against )(?:[^ ]+ ){0,2}$"
)
_LIST_GLUE = re.compile(r"(?:^| )(?:and|,|or|&|/|\||to) ")
_VERBISH = re.compile(
    r"(?:^| )(?:achiev\w+|outperform\w*|surpass\w*|improv(?:es?|ed|ing)|reduc(?:es?|ed|ing)|"
    r"increas(?:es?|ed|ing)|attain\w*|reach\w*|obtain\w*|is|are|was|were|shows?|demonstrat\w+|"
    r"requir\w+|us(?:es?|ing)|we|it|which|while|whereas|but|decreas(?:es?|ed|ing)|trained|"
    r"compared) "
)
_ENDS_TOLD = re.compile(r"\( (?:[^ ()]+ ){0,3}$")
_BRACKETED = re.compile(r"\( (?:only |just |~ )?$")
# words that end what stands before a metric, and those that are no part of it at its end
_TURNS = frozenset("while whereas where but despite that which when respectively".split())
_LOOSE_ENDS = frozenset(
    "respectively at in of to by with from on for when while and as than is are was were induced "
    "downarrow uparrow".split()
)
ASIDE = re.compile(r"\( [^ ()]+ \) ")
_AGAINST = re.compile(r"[PN] (?:vs \. |vs |versus |compared (?:to|with) )(?:only |just )?$")


def is_list_glue(glue: str) -> bool:
    """Whether two values with only this between them stand in one list."""
    if len(glue) > FAR or not _LIST_GLUE.search(glue):
        return False
    return len(glue.split()) <= 14 and not _VERBISH.search(glue) and ". " not in glue


@dataclass(slots=True, eq=False)
class Claim:
    """A value and what is bound to it so far; ranges are in the folded text of `text`."""

    text: Text
    sentence: Skeleton
    bounds: tuple[int, int]
    offset: int
    item: Item
    entry: Entry
    kind: GainKind
    direction: Direction | None
    what: tuple[int, int] | None = None
    whom: tuple[int, int] | None = None
    listed: Claim | None = None
    qualifiers: set[str] = field(default_factory=set)
    benchmarks: list[str] = field(default_factory=list)
    metric: str | None = None
    model: str | None = None
    baseline: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the other extractors found in a paper that gains are bound to."""

    proposed: str | None
    own: frozenset[str]  # all that the paper proposes
    own_from: int  # the place of the raw abstract from which on it speaks of its own work
    only: str | None  # the benchmark a value is measured on if its sentence names none,
    only_said: int | None  # once it was named: from this place of the raw abstract on


@dataclass(frozen=True, slots=True)
class Context:
    """The benchmarks that were named last before a sentence, and whether the sentence just before
    it says that something was tested on them.
    """

    benchmarks: tuple[str, ...]
    tested: bool


class Words:
    """Words that may stand before a metric or a baseline and are no part of it."""

    def __init__(self, rules: Rules) -> None:
        lists = ("up-verb", "down-verb", "achieve", "verb-score")
        verbs = {word for name in lists for word in rules.words[name] if " " not in word}
        nouns = "training compression best latency score scores models success model".split()
        other = "and or it we an a its their our by also both .".split()
        self._verbs = (verbs - set(nouns)) | set(other)
        last = ("up-noun", "down-noun", "performance")
        self._nouns = {word for name in last for word in rules.words[name]}
        acts = {verb for verb in verbs if verb.endswith(("es", "ed", "s")) and len(verb) > 3}
        acts |= {verb for verb in verbs if {verb + "d", verb + "ed"} & verbs}
        acts |= {
            verb
            for name in ("up-verb", "down-verb")
            for verb in rules.words[name]
            if verb.endswith("ing")
        }
        acts |= {word for word in rules.words["stay"] if " " not in word} | _TURNS
        self._acts = acts - self._nouns - set("performs benchmarks benchmark".split())

    def noun_start(self, body: str, low: int, high: int) -> int:
        """Where the noun of a metric begins: after a verb that its words hold."""
        at = low
        while (end := body.find(" ", at, high)) >= 0 and end + 1 < high:
            if body[at:end] in self._acts:
                low = end + 1
            at = end + 1
        return low

    def surface(self, claim: Claim, low: int, high: int) -> str | None:
        """The words of a range of the claim's skeleton as written, less those before the noun."""
        body = claim.sentence.text
        while low < high and (word := body[low : body.index(" ", low)]) in self._verbs:
            if low + len(word) + 1 >= high and (word in self._nouns or word.endswith("ing")):
                break
            low += len(word) + 1
        while low < high and (at := body.rfind(" ", low, high - 1) + 1) > low:
            if body[at : high - 1] not in _LOOSE_ENDS:
                break
            high = at
        if high <= low:
            return None
        start, end = claim.sentence.range(low, high)
        return claim.text.span(start, end).surface.strip() or None


class SentenceClaims:
    """The claims of one sentence, in order, with the lists they stand in."""

    def __init__(
        self,
        sentence: Skeleton,
        claims: Sequence[Claim],
        known: Known,
        context: Context,
        words: Words,
    ) -> None:
        self._sentence = sentence
        self._claims = claims
        self._known = known
        self._context = context.benchmarks
        self._tested = context.tested
        self._words = words
        self._body = sentence.text
        self._offsets = [claim.offset for claim in claims]
        self._groups = list(self._grouped())
        self._order = {id(claim): i for i, claim in enumerate(claims)}
        # where each claim stands in its list; a list may be as long as its sentence
        self._in_list: dict[int, int] = {}
        for claim, group in zip(claims, self._groups, strict=True):
            self._in_list[id(claim)] = self._order[id(claim)] - self._order[id(group[0])]
        self._runs = list(self._run())

    def _grouped(self) -> Iterator[list[Claim]]:
        """For each claim the values of its list, in order, itself among them."""
        group: list[Claim] = []
        for i, claim in enumerate(self._claims):
            if group:
                glue = self._body[self._offsets[i - 1] + 2 : claim.offset]
                if group[-1].kind != claim.kind or not is_list_glue(glue):
                    group = []
            group.append(claim)
            yield group

    def _run(self) -> Iterator[list[Claim]]:
        """For each claim the values that stand side by side with it: "3%, 4% and 5%"."""
        run: list[Claim] = []
        for i, claim in enumerate(self._claims):
            if run:
                glue = self._body[self._offsets[i - 1] + 2 : claim.offset]
                if run[-1].kind != claim.kind or ASIDE.sub("", glue) not in SIDE_BY_SIDE:
                    run = []
            run.append(claim)
            yield run

    def _next(self, i: int) -> int:
        """Where the value after a claim begins, or the sentence ends."""
        return self._offsets[i + 1] if i + 1 < len(self._offsets) else len(self._body)

    def _window(self, i: int) -> tuple[str, int]:
        """What stands before a claim, as far as anything is bound, and where that begins."""
        low = max(0, self._offsets[i] - FAR)
        low = self._body.rfind(" ", 0, low) + 1 if low else 0
        return self._body[low : self._offsets[i]], low

    def _names(self, low: int, high: int) -> list[str]:
        return [item.of for _, item in self._sentence.items_in(low, high) if item.symbol == "B"]

    def _bracketed(self, claim: Claim) -> bool:
        """Whether a value stands in brackets after what attains it: "X (66.3%)"."""
        low = max(0, claim.offset - 20)
        opened = _BRACKETED.search(self._body[low : claim.offset])
        return opened is not None and self._body.startswith(") ", claim.offset + 2)

    def _told_ends(self, claim: Claim) -> Claim | None:
        """The difference whose ends a claim tells: "gains 63% in F1 (from 19.5 to 31.5)"."""
        i = self._order[id(claim)] if claim.kind == "from_to" else 0
        if (
            i
            and self._claims[i - 1].kind != "from_to"
            and _ENDS_TOLD.search(self._body[max(0, claim.offset - 40) : claim.offset])
        ):
            return self._claims[i - 1]
        return None

    def _is_rival(self, claim: Claim) -> bool:
        """Whether a value is what another one is set against: the second of "96% vs. 61%"."""
        return _AGAINST.search(self._body[max(0, claim.offset - 20) : claim.offset]) is not None


def places(
    base: int, matches: Iterable[re.Match[str] | regex.Match[str] | None]
) -> Iterator[tuple[int, int]]:
    """Where the noun phrases of matches stand, those of a slice from where it begins."""
    for match in matches:
        if match:
            yield base + match.start("np"), base + match.end("np")
