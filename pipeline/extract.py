"""One paper's path: from its raw text to all its records, on one screen."""

from __future__ import annotations

import functools
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import regex

from pipeline.extractors import benchmarks as benchmarks_
from pipeline.extractors import models as models_
from pipeline.extractors.counts import Counts, Use
from pipeline.extractors.gains import SYMBOL, Gains, Known
from pipeline.extractors.links import Links
from pipeline.extractors.names import Name, Names
from pipeline.extractors.sizes import SizeMention, Sizes, distinct
from pipeline.fold import fold
from pipeline.language import Text, read_text
from pipeline.lexicon import Found, Lexicon
from pipeline.numbers import Quantity, joined, scan
from pipeline.records import FIELDS, Extraction, Gain, Paper
from pipeline.rules import Entry, Rules, load_rules
from pipeline.skeleton import Item


_CHANGE = regex.compile(r"(?:speed-?ups?|gains?|improvements?|reductions?|savings?|acceleration|overhead)$", regex.I)


class Extractor:
    """Reads papers with one set of rules. Building it takes a second, a paper milliseconds."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._links = Links(rules)
        self._names = Names(rules)
        self._metrics = Lexicon(rules.entries["metrics"], any_case=True)
        self._sizes = Sizes(rules)
        self._gains = Gains(rules)
        self._counts = Counts(rules)

    def extract(self, paper: Paper) -> Extraction:
        """All records of a paper. The same paper and rules give the same records."""
        texts = [read_text(paper, field) for field in FIELDS]
        links, code_status = self._links.find(texts)
        link_places = {t.field: self._folded_links(t) for t in texts}
        names = self._names.find(texts, link_places)
        spelt = {id(n): _canonical(n) for n in names}

        sizes: list[SizeMention] = []
        gains: list[Gain] = []
        quantities: dict[str, list[Quantity]] = {}
        mentions: dict[str, list[Item]] = {}
        counts: Counter[str] = Counter()
        for text in texts:
            mentions[text.field] = _mentions(text, names, spelt, link_places[text.field])
            counts.update(item.of for item in mentions[text.field])
            quantities[text.field] = scan(text.text)
            places = [(i.start, i.end, i.of, i.symbol == "M") for i in mentions[text.field]]
            free = _outside(quantities[text.field], link_places[text.field])
            sizes += self._sizes.find(text, free, places)

        benchmarks = benchmarks_.benchmarks(names, counts)
        models = models_.models(names, counts)
        proposed = [m for m in models if m.role == "proposed"]
        main = max(proposed, key=lambda m: (m.mentions, m.span.field == "title", -m.span.start), default=None)
        own = [b.name for b in benchmarks if b.role == "introduced"]
        if not own:
            own = [b.name for b in benchmarks if b.span.field == "title" or b.name in paper.title]
        known = Known(
            proposed=main.name if main else None,
            only=own[0] if len(own) == 1 and (main is None or own[0] in paper.title) else None,
        )
        skeletons: dict[str, list[Item]] = {}
        for text in texts:
            items = self._items(text, mentions[text.field], sizes, quantities[text.field], link_places[text.field])
            skeletons[text.field] = items
            gains += self._gains.find(text, items, known)

        numbers = self._counts.find(
            texts, quantities, skeletons, _uses(texts, link_places, links, mentions, names, spelt, sizes, gains)
        )
        return Extraction(
            paper=paper,
            code_status=code_status,
            models=tuple(models),
            sizes=tuple(distinct(sizes)),
            benchmarks=tuple(benchmarks),
            gains=tuple(gains),
            links=tuple(links),
            numbers=tuple(numbers),
        )

    def metrics(self, text: str) -> list[tuple[Entry, int, int]]:
        """The metrics named in a text, each with its half-open range."""
        folded = fold(text)
        return [(h.entry, *folded.raw_span(h.start, h.end)) for h in self._metrics.find(folded.text)]

    def _folded_links(self, text: Text) -> list[tuple[int, int]]:
        places = text.folded.places
        ranges = self._links.places(text.folded.raw)
        if places is None:
            return ranges
        return [(bisect_left(places, start), bisect_left(places, end)) for start, end in ranges]

    def _items(
        self,
        text: Text,
        mentions: Sequence[Item],
        sizes: Sequence[SizeMention],
        quantities: Sequence[Quantity],
        links: Sequence[tuple[int, int]],
    ) -> list[Item]:
        """What stands as one symbol in the skeletons of a field, names before sizes before numbers."""
        items = [*mentions, *(Item(a, b, "L") for a, b in links)]
        sized = [Item(s.start, s.end, "S", s) for s in sizes if s.text is text]
        items += [s for s in sized if not _overlaps(s, mentions)]
        items.sort(key=lambda i: i.start)
        free = [q for q in quantities if not _overlaps(q, items) and not _in_word(q, text.text)]
        metric_items = _metric_items(text.text, self._metrics.find(text.text))
        items += [m for m in metric_items if not _overlaps(m, items)]
        for quantity in joined(free, text.text):
            symbol = "D" if quantity.sign in ("+", "-") and quantity.low is None else SYMBOL[quantity.shape]
            item = Item(quantity.start, quantity.end, symbol, quantity)
            overlapped = [i for i in items if i.start < item.end and item.start < i.end]
            if all(i.symbol == "K" for i in overlapped):
                items = [i for i in items if i not in overlapped]
                items.append(item)
        items.sort(key=lambda i: i.start)
        return items


def _metric_items(text: str, found: Sequence[Found]) -> list[Item]:
    """The metrics of a text; a name and its acronym in brackets, "word error rate (WER)", are one.

    Words for a change ("decoding speedup") are left to the phrases of rules/gains.yaml.
    """
    items: list[Item] = []
    for hit in found:
        start, end = hit.start, hit.end
        if _CHANGE.search(text, start, end):
            continue
        while text.startswith("s", end) and not text[end + 1 : end + 2].isalnum():
            end += 1
        if items and text[items[-1].end : start] == " (" and text.startswith(")", end):
            items[-1] = Item(items[-1].start, end + 1, "K", items[-1].of)
        else:
            items.append(Item(start, end, "K", hit.entry))
    return items


def _canonical(name: Name) -> str:
    if name.table == "models":
        best = next((c for c in name.candidates if c.text.field == "abstract"), name.candidates[0])
        return models_.canonical(name, best)
    return benchmarks_.canonical(name)


def _mentions(
    text: Text, names: Sequence[Name], spelt: dict[int, str], links: Sequence[tuple[int, int]]
) -> list[Item]:
    """Every place of a field where one of the paper's names stands, longest name first."""
    surfaces: dict[str, Name] = {}
    for name in names:
        for candidate in name.candidates:
            surfaces.setdefault(candidate.surface, name)
    places: list[tuple[int, int, str]] = []
    folded = text.text
    for surface in surfaces:
        at = folded.find(surface)
        while at >= 0:
            end = at + len(surface)
            if _stands_alone(folded, at, end) and not any(a < end and at < b for a, b in links):
                places.append((at, end, surface))
            at = folded.find(surface, end)
    places.sort(key=lambda place: (place[0], -place[1]))
    items: list[Item] = []
    for start, end, surface in places:
        if not items or start >= items[-1].end:
            name = surfaces[surface]
            items.append(Item(start, end, "M" if name.table == "models" else "B", spelt[id(name)]))
    return items


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether a name found here is no part of a longer word: not CLIP in "CLIP-2" or "AltCLIP"."""
    before, after = text[max(0, start - 2) : start], text[end : end + 3]
    if before[-1:].isalnum() or before[-1:] in ("_", "\\") or (before[-1:] == "-" and before[:1].isalnum()):
        return False
    if after[:1].isalnum() or after[:1] == "_":
        return False
    return not (after[:1] == "-" and (after[1:2].isdigit() or after[1:].isupper() and len(after) == 3))  # noqa: PLR2004


def _in_word(quantity: Quantity, text: str) -> bool:
    """Whether a number is part of a word ("5-shot", "Hit@5") and no amount of its own."""
    before, after = text[max(0, quantity.start - 2) : quantity.start], text[quantity.end : quantity.end + 2]
    if quantity.shape != "number":
        return False
    if len(after) == 2 and after[0] == "-" and after[1].isalpha():  # noqa: PLR2004
        return True
    return before[-1:].isalpha() or before[-1:] in ("_", "^", "@", "#") or (
        len(before) == 2 and before[1] == "-" and before[0].isalpha()  # noqa: PLR2004
    ) or after[:1].isalpha()


def _overlaps(one: Item | Quantity, items: Sequence[Item]) -> bool:
    return any(i.start < one.end and one.start < i.end for i in items)


def _outside(quantities: Sequence[Quantity], ranges: Sequence[tuple[int, int]]) -> list[Quantity]:
    return [q for q in quantities if not any(a < q.end and q.start < b for a, b in ranges)]


def _uses(texts, link_places, links, mentions, names, spelt, sizes, gains) -> list[Use]:
    """The places numbers are already put to use in, the first that covers a number decides."""
    rules = {spelt[id(n)]: n.rule for n in names}
    other = links[0].rule if links else "links/other"
    uses = []
    for text in texts:
        for start, end in link_places[text.field]:
            uses.append(Use(text.field, start, end, "link", other))
        for size in sizes:
            if size.text is text:
                uses.append(Use(text.field, size.start, size.end, "size", size.rule))
        for item in mentions[text.field]:
            uses.append(Use(text.field, item.start, item.end, "name", rules[item.of]))
    for gain in gains:
        if gain.kind != "sota":
            uses.append(Use(gain.span.field, gain.span.start, gain.span.end, "gain", gain.rule, gain.gain_id, raw=True))
    return uses


@functools.lru_cache(maxsize=4)
def extractor_for(folders: tuple[str, ...]) -> Extractor:
    """The extractor of our rules and these folders of the user's; made once per process."""
    return Extractor(load_rules([Path(folder) for folder in folders]))
