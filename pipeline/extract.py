"""One paper's path: from its raw text to all its records, on one screen."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import regex

from pipeline.extractors import benchmarks as benchmarks_
from pipeline.extractors import models as models_
from pipeline.extractors.counts import Counts, Use
from pipeline.extractors.gains import SYMBOL, Gains, Known
from pipeline.extractors.links import Links, places
from pipeline.extractors.names import Name, Names, key_of
from pipeline.extractors.sizes import SizeMention, Sizes, distinct
from pipeline.fold import fold
from pipeline.language import Text, own_part, read_texts
from pipeline.lexicon import Found, Lexicon
from pipeline.numbers import Quantity, joined, scan
from pipeline.records import Benchmark, Extraction, Gain, Link, Model, Paper
from pipeline.rules import Entry, Rules, load_rules
from pipeline.skeleton import Item, apart

_CHANGE = regex.compile(
    r"(?:speed-?ups?|gains?|improvements?|reductions?|savings?|acceleration|overhead)$",
    regex.IGNORECASE,
)


_AT = regex.compile(r"@\w+")


class Extractor:
    """Reads papers with one set of rules. Building it takes a second, a paper milliseconds.

    What a value measures is weighed where no pattern finds it, unless only patterns are asked for:
    the examples of the rules are about these alone.
    """

    def __init__(self, rules: Rules, *, only_patterns: bool = False) -> None:
        self.rules = rules
        self._links = Links(rules)
        self._names = Names(rules)
        self._metrics = Lexicon(rules.entries["metrics"], any_case=True)
        self._sizes = Sizes(rules)
        self._gains = Gains(rules, only_patterns=only_patterns)
        self._counts = Counts(rules)

    def extract(self, paper: Paper) -> Extraction:
        """All records of a paper. The same paper and rules give the same records."""
        texts = read_texts(paper)
        links, code_status = self._links.find(texts)
        linked = [_linked(text) for text in texts]
        names = self._names.find(texts, linked)
        spelt = {id(name): _canonical(name) for name in names}
        mentions = [_mentions(t, names, spelt, at) for t, at in zip(texts, linked, strict=True)]
        quantities = [scan(text.text) for text in texts]
        counts = Counter(item.of for named in mentions for item in named)
        models = models_.models(names, counts)
        benchmarks = benchmarks_.benchmarks(names, counts)
        known = _known(texts, models, benchmarks)
        sizes = [
            self._sizes.find(text, apart(found, at), named, known.proposed)
            for text, found, at, named in zip(texts, quantities, linked, mentions, strict=True)
        ]
        rules = {spelt[id(name)]: name.rule for name in names}
        gains: list[Gain] = []
        numbers = []
        for text, at, named, sized, found in zip(
            texts, linked, mentions, sizes, quantities, strict=True
        ):
            items = self._items(text, at, named, sized, found)
            reported = self._gains.find(text, items, known)
            gains += reported
            uses = _uses(text, at, links, named, rules, sized, reported)
            numbers += self._counts.find(text, found, items, uses)
        return Extraction(
            paper=paper,
            code_status=code_status,
            models=tuple(models),
            sizes=tuple(distinct([size for sized in sizes for size in sized])),
            benchmarks=tuple(benchmarks),
            gains=tuple(gains),
            links=tuple(links),
            numbers=tuple(numbers),
        )

    def metrics(self, text: str) -> list[tuple[Entry, int, int]]:
        """The metrics named in a text, each with its half-open range."""
        folded = fold(text)
        return [
            (h.entry, *folded.raw_span(h.start, h.end)) for h in self._metrics.find(folded.text)
        ]

    def _items(
        self,
        text: Text,
        linked: Sequence[Item],
        named: Sequence[Item],
        sized: Sequence[SizeMention],
        quantities: Sequence[Quantity],
    ) -> list[Item]:
        """What stands as one symbol in a text's skeletons: names and links before sizes, these
        before metrics and free numbers.
        """
        taken = _merged(linked, named)
        sizes = [Item(s.start, s.end, "S", s) for s in sorted(sized, key=lambda s: s.start)]
        taken = _merged(taken, apart(sizes, taken))
        free = [q for q in apart(quantities, taken) if not _in_word(q, text.text)]
        amounts = [
            Item(q.start, q.end, _symbol(q), q) for q in apart(joined(free, text.text), taken)
        ]
        taken = _merged(taken, amounts)
        metrics = _metric_items(text.text, self._metrics.find(text.text))
        return _merged(taken, apart(metrics, taken))


def _linked(text: Text) -> list[Item]:
    """The places of the links of a text in its folded text."""
    return [Item(*place, "L") for place in text.folded_places(places(text.folded.raw))]


def _symbol(quantity: Quantity) -> str:
    return "D" if quantity.sign in ("+", "-") and quantity.low is None else SYMBOL[quantity.shape]


def _merged(one: Sequence[Item], two: Sequence[Item]) -> list[Item]:
    return sorted((*one, *two), key=lambda item: item.start)


def _metric_items(text: str, found: Sequence[Found]) -> list[Item]:
    """The metrics of a text; a name and its acronym in brackets, "word error rate (WER)", are one.

    Words for a change ("decoding speedup") are left to the phrases of rules/gains.yaml.
    """
    items: list[Item] = []
    for hit in found:
        start, end = hit.start, hit.end
        if _CHANGE.search(text, start, end):
            continue
        if cut := _AT.match(text, end):
            end = cut.end()  # "Acc@3"
        if text.startswith("s", end) and not text[end + 1 : end + 2].isalnum():
            end += 1
        if items and text[items[-1].end : start] == " (" and text.startswith(")", end):
            items[-1] = Item(items[-1].start, end + 1, "K", items[-1].of)
        else:
            items.append(Item(start, end, "K", hit.entry))
    return items


def _canonical(name: Name) -> str:
    if name.table == "models":
        return models_.canonical(name, name.best)
    return benchmarks_.canonical(name)


def _known(
    texts: Sequence[Text], models: Sequence[Model], benchmarks: Sequence[Benchmark]
) -> Known:
    """What gains are bound to when their sentence says "we": the main proposal, and the benchmark
    that the paper is about, if it is one.
    """
    paper = texts[0].paper
    proposed = [m for m in models if m.role == "proposed"]
    main = max(
        proposed, key=lambda m: (m.mentions, m.span.field == "title", -m.span.start), default=None
    )
    own = [b.name for b in benchmarks if b.role == "introduced"]
    titled = [name for name in own or [b.name for b in benchmarks] if name in paper.title]
    if len(titled) == 1:
        own = titled
    elif main is not None:
        # "ZapWorld" comes with "ZapWorld-Bench"
        own = [name for name in own if name.startswith(main.name) and "bench" in name.lower()]
    elif not own and len(benchmarks) == 1 and benchmarks[0].role == "evaluated":
        own = [benchmarks[0].name]
    only = own[0] if len(own) == 1 else None
    span = next((b.span for b in benchmarks if b.name == only), None)
    said = None if span is None else 0 if span.field == "title" else span.start
    abstract = next(text for text in texts if text.field == "abstract")
    begins = [] if (at := own_part(abstract.text)) is None else [abstract.span(at, at + 1).start]
    begins += [m.span.start for m in proposed if m.span.field == "abstract"]
    if (
        main is not None
        and main.span.field == "abstract"
        and key_of(main.name) not in key_of(paper.title)
    ):
        begins = [main.span.start]  # nothing was attained by what had not been spoken of
    return Known(
        main.name if main else None,
        frozenset(m.name for m in proposed),
        min(begins, default=0),
        only,
        said,
    )


def _mentions(
    text: Text, names: Sequence[Name], spelt: dict[int, str], linked: Sequence[Item]
) -> list[Item]:
    """Every place of a text where one of the paper's names stands, longest name first."""
    surfaces = {surface: name for name in names for surface in name.also}
    surfaces |= {c.surface: name for name in reversed(names) for c in reversed(name.candidates)}
    places: list[tuple[int, int, str]] = []
    folded = text.text
    for surface in surfaces:
        at = folded.find(surface)
        while at >= 0:
            end = at + len(surface)
            if _stands_alone(folded, at, end):
                places.append((at, end, surface))
            at = folded.find(surface, end)
    places.sort(key=lambda place: (place[0], -place[1]))
    items: list[Item] = []
    for start, end, surface in places:
        if not items or start >= items[-1].end:
            name = surfaces[surface]
            symbol = "M" if name.table == "models" else "B"
            items.append(Item(start, end, symbol, spelt[id(name)]))
    return apart(items, linked)


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether a name found here is no part of a longer word: not CLIP in "CLIP-2" or "AltCLIP"."""
    before, after = text[max(0, start - 2) : start], text[end : end + 3]
    if before[-1:].isalnum() or before[-1:] in ("_", "\\"):
        return False
    if before[-1:] == "-" and before[:1].isalnum():
        return False
    if after[:1].isalnum() or after[:1] == "_":
        return False
    capitals = len(after) > 2 and after[1:].isupper()
    return not (after[:1] == "-" and (after[1:2].isdigit() or capitals))


def _in_word(quantity: Quantity, text: str) -> bool:
    """Whether a number is part of a word ("5-shot", "Hit@5") and no amount of its own."""
    if quantity.shape != "number":
        return False
    before = text[max(0, quantity.start - 2) : quantity.start]
    after = text[quantity.end : quantity.end + 2]
    if after[:1].isalpha() or (after[:1] == "-" and after[1:].isalpha()):
        return True
    if before[-1:].isalpha() or before[-1:] in ("_", "^", "@", "#"):
        return True
    return before[-1:] == "-" and before[:1].isalpha()


def _uses(
    text: Text,
    linked: Sequence[Item],
    links: Sequence[Link],
    named: Sequence[Item],
    rules: dict[str, str],
    sized: Sequence[SizeMention],
    gains: Sequence[Gain],
) -> list[Use]:
    """The folded places whose numbers are put to use; a later use outweighs an earlier."""
    link_rule = links[0].rule if links else "links/other"
    spans = [(g.span.start, g.span.end) for g in gains if g.kind != "sota"]
    valued = [g for g in gains if g.kind != "sota"]
    return [
        *(Use(item.start, item.end, "name", rules[item.of]) for item in named),
        *(Use(size.start, size.end, "size", size.rule) for size in sized),
        *(Use(item.start, item.end, "link", link_rule) for item in linked),
        *(
            Use(*place, "gain", gain.rule, gain.gain_id)
            for place, gain in zip(text.folded_places(spans, clip=False), valued, strict=True)
        ),
    ]


@functools.lru_cache(maxsize=4)
def extractor_for(folders: tuple[str, ...]) -> Extractor:
    """The extractor of our rules and these folders of the user's; made once per process."""
    return Extractor(load_rules([Path(folder) for folder in folders]))
