"""Reported results: each value a text reports, and what it is bound to on evidence.

A value is claimed by the first phrase of rules/gains.yaml that holds it; values in a list with a
claimed one are claimed with it. Then it is bound: benchmark, metric, model and baseline each by
what stands in its clause, else by an explicit carry-over, else not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import regex

from pipeline.language import Text
from pipeline.numbers import Quantity
from pipeline.records import Gain, GainKind
from pipeline.rules import Entry, Rules, compile_phrase
from pipeline.skeleton import Item, Skeleton, by_sentence, skeleton

SYMBOL = {"percent": "P", "factor": "X", "points": "Q", "number": "N", "unit": "U", "change": "C"}
_AMOUNTS = frozenset("PXQNUCD")
_LIST_GLUE = regex.compile(
    r"(?:(?:on|in|for|at|of|and|or|,|to|over|the|&|\(|\)|a|an|dataset|benchmark|datasets|benchmarks|points|point|respectively|while|up|with|under|/|by|K|B|M|;|absolute|relative|improvement|about|around|both|than|gain|gains|reduction|from|score|scores|task|tasks|setting|settings|set|sets|when|using|across|test|average|[\w'-]+) ){0,12}"
)
_VERBISH = regex.compile(
    r"(?:^| )(?:achiev\w+|outperform\w*|surpass\w*|improv(?:es?|ed|ing)|reduc(?:es?|ed|ing)|increas(?:es?|ed|ing)|attain\w*|reach\w*|obtain\w*|is|are|was|were|shows?|demonstrat\w+|requir\w+|us(?:es?|ing)|we|it|which|while|whereas|but|decreas(?:es?|ed|ing)|trained|compared) "
)
_QUALIFIERS: tuple[tuple[str, str], ...] = (
    ("up_to", r"(?:up to|as much as|at most|as high as|as low as|maximum of|no more than|within|up -) (?:a |an |the |about |\w+ ){0,2}$"),
    ("at_least", r"(?:at least|more than|over|above|exceeding|greater than|> ?|beyond|surpassing|well over) (?:an? |\w+ ){0,1}$"),
    ("under", r"(?:less than|fewer than|below|under|< ?|lower than) (?:an? )?$"),
    ("about", r"(?:about|approximately|around|nearly|almost|roughly|~|approx|close to|an estimated) (?:an? )?$"),
    ("average", r"(?:average|averaging|averaged|avg|mean|averages)(?: [^ ]+){0,4} $"),
)
_QUALIFIER_PATTERNS = tuple((name, regex.compile(r"(?:^| )" + pattern)) for name, pattern in _QUALIFIERS)
_AVERAGE_AFTER = regex.compile(r"(?:[^ ,.;()]+ ){0,6}(?:, )?(?:on average|in average|average |averaged|averaging|on avg)")
_ON = regex.compile(
    r"(?<![^ ])(?:on|in|for|over|across|at|from|of|to|with|using|against|under|within|,|\() (?:(?!on |in |and |or |by |with |of |B |, |\. |; |than )[^ ]+ ){0,5}?(?P<b>B (?:\( [^ ]+ (?:[^ ]+ )?\) )?(?:(?:benchmark|benchmarks|dataset|datasets|test|set|tests|data|task|tasks|evaluation) ){0,2}(?:(?:, and |, or |, |and |or |& |/ |as well as |, as well as )(?:on |the |on the |both )?B (?:(?:benchmark|benchmarks|dataset|datasets) )?)*)"
)
_OVER = (
    r"(?<![^ ])(?:comparable (?:[^ ]+ ){0,3}?(?:to|with)|similar (?:[^ ]+ ){0,2}?(?:to|as)|on par with|in comparison (?:to|with)|with respect to|(?:when |as )?compared (?:to|with|against)|relative to|comparing (?:to|with)|versus|vs \. |vs|than|over|against|better than|from|beyond|surpassing|outperforming|exceeding|w\.r\.t|beating) "
)
_NP_END = (
    r"(?=(?:, |\. |; |: |\) |\( |and (?:[^ ]+ ){0,3}?(?:achiev|improv|reduc|outperform|by|a P|X|P)|while |whereas |with (?!(?:supervised|full|no|only|prior|previous) )|on |in (?!-)|for |by |when |using |across |under |at |through |without |despite |as |but |where |which |that |after |during |via |achieving |and P |and X |and Q |respectively|to (?!the)|P |X |N |Q |C |U |D |is |are |per )|$)"
)
_BASELINE_AFTER = regex.compile(_OVER + r"(?P<np>(?:such as |(?![.;:] )[^ ]+ ){1,10}?)" + _NP_END)
_BASELINE_VERB = regex.compile(
    r"(?<![^ ])(?:outperform(?:s|ed|ing)?|surpass(?:es|ed|ing)?|exceed(?:s|ed|ing)?|beat(?:s|ing)?|improv(?:es?|ed|ing) (?:up)?on|improv(?:es?|ed|ing) over|outscor(?:es?|ed|ing)|better(?:s|ed)|superior to) "
    r"(?P<np>(?:such as |(?![.;:] )[^ ]+ ){1,10}?)" + _NP_END
)
_PERFORMANCE_HEADS = frozenset("performance accuracy quality score scores results".split())
_LEAD = regex.compile(r"^(?:(?:the|a|an|its|their|our|this|these|overall|further|also|significantly|by|of|in|on|up|to|both|only|more|additional|final|remarkable|substantial|consistent|significant|relative|absolute) )+")
_OWN_SUBJECT = regex.compile(
    r"(?:^| )(?:we|our|it|its|this (?:method|approach|model|framework|work|system|strategy|technique|paper)|the (?:proposed|resulting)|ours|they|these|the (?:method|approach|model|framework|system|algorithm)) "
)
_PART = regex.compile(r"(?:^| )(?:who|while|whereas|but|; ) ")


@dataclass(slots=True)
class Claim:
    """A value and what is bound to it so far; ranges are in the folded text of `text`."""

    text: Text
    sentence: Skeleton
    bounds: tuple[int, int]
    offset: int
    item: Item
    entry: Entry
    kind: GainKind
    direction: str | None
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
    only: str | None


class Gains:
    """Finds gains; built once from the rules."""

    def __init__(self, rules: Rules) -> None:
        words = rules.words
        self._entries = [
            (entry, [compile_phrase(p, words, f"rules/gains.yaml, {entry.key}") for p in entry["phrases"] or ()])
            for entry in rules.entries["gains"]
        ]
        self._sota = [
            (entry, [compile_phrase(p, words, f"rules/sota.yaml, {entry.key}") for p in entry["phrases"] or ()])
            for entry in rules.entries["sota"]
        ]
        # words that may stand before a metric or baseline and are no part of it
        self._no_head = {
            word for name in ("up-verb", "down-verb", "achieve", "verb-score") for word in words[name] if " " not in word
        } - {"training", "compression", "best", "latency"} | {"and", "or", "it", "we", "an", "a", "its", "their", "our", "by", "also", "both", "."}

    def find(self, text: Text, items: Sequence[Item], known: Known) -> list[Gain]:
        """The gains of one field; `items` are its names, metrics, sizes and free quantities."""
        gains: list[Gain] = []
        context: tuple[str, ...] = ()
        for (start, end), inside in by_sentence(text.sentences, items):
            symbols = {i.symbol for i in inside}
            here = tuple(i.of for i in inside if i.symbol == "B")
            low = text.text[start:end].lower()
            amounts = bool(symbols & _AMOUNTS)
            maybe_sota = _MAYBE_SOTA.search(low) is not None
            claims: list[Claim] = []
            if amounts or maybe_sota:
                sentence = skeleton(text.text, start, end, inside)
                if amounts:
                    claims = self._claims(text, sentence, (start, end))
                    for claim in claims:
                        self._bind(claim, claims, known, context)
                    _share_baselines(claims)
                    gains += [_gain(c) for c in claims]
                if maybe_sota and text.field == "abstract":
                    valued = [c.offset for c in claims if c.kind in ("delta", "factor")]
                    gains += self._best(text, sentence, (start, end), known, valued)
            context = here or context
        return gains

    # --- claiming ---

    def _claims(self, text: Text, sentence: Skeleton, bounds: tuple[int, int]) -> list[Claim]:
        claimed: dict[int, Claim] = {}
        body = sentence.text
        for entry, patterns in self._entries:
            for pattern in patterns:
                for match in pattern.finditer(body):
                    offset = match.start("amount")
                    if offset in claimed:
                        continue
                    item = sentence.item(offset)
                    if item is None or not self._plausible(entry, item.of, body, offset):
                        continue
                    groups = match.groupdict()
                    claimed[offset] = Claim(
                        text,
                        sentence,
                        bounds,
                        offset,
                        item,
                        entry,
                        *_kind_of(entry, item.of),
                        match.span("what") if groups.get("what") else None,
                        match.span("whom") if groups.get("whom") else None,
                    )
        self._share_list(sentence, claimed, text, bounds)
        for offset, claim in claimed.items():
            claim.qualifiers = _qualifiers(body, offset, claim.item.of)
        for claim in claimed.values():
            if claim.listed is not None and "up_to" in claim.listed.qualifiers and not claim.qualifiers and claim.offset > claim.listed.offset:
                claim.qualifiers.add("up_to")
            if claim.listed is not None and "average" in claim.listed.qualifiers:
                claim.qualifiers.add("average")
        return [claimed[o] for o in sorted(claimed)]

    def _plausible(self, entry: Entry, quantity: Quantity, body: str, offset: int) -> bool:
        """Whether a number of this shape can be a result of this kind, here."""
        before = body[max(0, offset - 40) : offset]
        after = body[offset + 2 : offset + 60]
        if quantity.ordinal:
            return False
        if quantity.shape == "change":
            if quantity.magnitude:
                return False
            decimal = any(v is not None and v != int(v) for v in (quantity.low, quantity.high))
            return bool(quantity.unit) or decimal or bool(regex.search(r"K (?:[^ ]+ ){0,4}$", body[:offset]))
        if quantity.shape == "number":
            value = quantity.value if quantity.value is not None else quantity.high
            if value is None or quantity.magnitude:
                return False
            if regex.match(r"(?:%|x N|[-/] N)", after) or regex.search(r"(?:x|[-/]) $", before):
                return False
            decimal = value != int(value) if abs(value) < 1e15 else False  # noqa: PLR2004
            key = entry.key
            if key == "signed":
                return bool(regex.match(r"(?:(?!N )[^ ]+ ){0,2}?(?:K|on|B|for|in|points|over|\)|,)", after))
            if not decimal:
                if regex.match(r"(?:[^ ]+ ){0,2}?(?:K |percentage|% )", after) and key in ("score-of", "by-up", "by-down", "more-up", "more-down"):
                    return bool(regex.match(r"K ", after)) and not regex.match(r"K (?:metrics|measures)", after)
                return key == "score-of" and bool(regex.search(r"K (?:score |scores |rate )?(?:of|is|to|at|from|between|reaching) (?:[^ ]+ )?$", before)) or (
                    key == "by-up" and bool(regex.search(r" by (?:[^ ]+ )?$", before)) and bool(regex.match(r"K ", after))
                )
            if key in ("share-of-performance", "share-of-resource"):
                return False
            if key == "score-of":
                return bool(
                    regex.search(r"(?:K|B|score|scores|rating|elo|loss|value|correlation) (?:[^ ]+ ){0,5}$", before)
                    or regex.match(r"(?:[^ ]+ ){0,2}?(?:K|B|on) ", after)
                )
            return True
        if quantity.shape == "unit":
            unit = quantity.unit or ""
            if entry.key == "score-of":
                return bool(regex.search(r"(?:K|latency|time|speed|throughput|within|only|memory|at) (?:[^ ]+ ){0,4}$", before) or regex.match(r"(?:[^ ]+ ){0,2}?(?:K|latency|per)", after)) and not unit.startswith(("day", "week", "month", "year", "word", "epoch", "token", "bit", "km", "meter", "hour", "degree"))
            return entry.key in ("by-up", "by-down", "more-up", "more-down", "change") and bool(
                quantity.shape == "unit" and (entry.key == "change" or regex.search(r"(?: by|reduction|improvement|gain|saving|savings) (?:[^ ]+ ){0,3}$", before) or regex.match(r"(?:[^ ]+ ){0,2}?(?:lower|less|fewer|higher|faster|better|improvement|reduction|gain)", after))
            ) and not unit.startswith(("token", "word", "bit", "epoch"))
        if quantity.shape == "factor":
            if quantity.value == 0.5 and entry.key not in ("share-of-resource", "by-down"):  # noqa: PLR2004
                return False  # "half of them" is no result
            if entry.key == "score-of":
                return False
            if regex.match(r"(?:N|X|B|a100|gpu|super|upsampl|zoom|magnif|resolution|downsampl)", after):
                return False
        return True

    def _share_list(
        self, sentence: Skeleton, claimed: dict[int, Claim], text: Text, bounds: tuple[int, int]
    ) -> None:
        """Values in one list with a claimed one are of its kind and direction."""
        amounts = [(o, i) for o, i in sentence.items_in(0, len(sentence.text)) if i.symbol in _AMOUNTS]
        order = [*range(1, len(amounts))]
        for forward in (True, False):
            for n in order if forward else reversed(order):
                one, two = amounts[n - 1], amounts[n]
                source, target = (one, two) if forward else (two, one)
                if source[0] not in claimed:
                    continue
                model = claimed[source[0]]
                present = claimed.get(target[0])
                glue = sentence.text[one[0] + 2 : two[0]]
                if present is not None and not (present.entry.key == "score-of" and model.kind == "delta" and (forward or len(glue.split()) <= 2)):  # noqa: PLR2004
                    continue
                if source[1].of.shape != target[1].of.shape or not _is_list_glue(glue):
                    continue
                if model.kind == "from_to" or target[1].of.ordinal or target[1].of.magnitude:
                    continue
                claimed[target[0]] = Claim(
                    text, sentence, bounds, target[0], target[1], model.entry, model.kind, model.direction,
                    listed=model,
                )

    # --- binding ---

    def _bind(self, claim: Claim, claims: Sequence[Claim], known: Known, context: Sequence[str]) -> None:
        claim.metric = self._metric(claim, claims)
        claim.benchmarks = self._benchmarks(claim, claims, known, context)
        claim.baseline = self._baseline(claim, claims)
        claim.model = self._model(claim, known)
        if claim.metric and regex.search(r"\b(?:average|mean)\b", claim.metric, regex.IGNORECASE):
            claim.qualifiers.add("average")

    def _benchmarks(self, claim: Claim, claims: Sequence[Claim], known: Known, context: Sequence[str]) -> list[str]:
        sentence, body = claim.sentence, claim.sentence.text
        offsets = [c.offset for c in claims]
        i = offsets.index(claim.offset)
        next_amount = offsets[i + 1] if i + 1 < len(offsets) else len(body)
        previous = offsets[i - 1] + 2 if i else 0
        after = body[claim.offset + 2 : next_amount]
        # a benchmark after the value, before the next value
        match = _ON.search(" " + after)
        if match and not regex.search(r"[;]|(?:^| )(?:while|whereas|but) ", after[: match.start()]):
            names = [item.of for _, item in sentence.items_in(
                claim.offset + 2 + match.start("b") - 1, claim.offset + 2 + match.end("b") - 1) if item.symbol == "B"]
            group = _group(claim, claims)
            if len(group) > 1 and group[-1] is claim and len(names) == len(group) and not any(
                _ON.search(" " + body[c.offset + 2 : n.offset]) for c, n in zip(group, group[1:], strict=False)
            ):
                return [names[-1]]
            return names
        # values before a list of benchmarks: "17.5% and 24.1% on A and B", pairwise or all
        group = _group(claim, claims)
        if len(group) > 1 and group[-1] is not claim:
            tail = group[-1]
            end = offsets[offsets.index(tail.offset) + 1] if offsets.index(tail.offset) + 1 < len(offsets) else len(body)
            match = _ON.search(" " + body[tail.offset + 2 : end])
            if match:
                base = tail.offset + 2 - 1
                names = [item.of for _, item in sentence.items_in(base + match.start("b"), base + match.end("b")) if item.symbol == "B"]
                if len(names) == len(group):
                    return [names[group.index(claim)]]
                if not any(_ON.search(" " + body[c.offset + 2 : n.offset]) for c, n in zip(group, group[1:], strict=False)):
                    return names
        # before the value: "On A, it gains 3%", "A (81.2%)", "A by 7.6"
        before = body[previous : claim.offset]
        names_before = [(o, item) for o, item in sentence.items_in(previous, claim.offset) if item.symbol == "B"]
        if names_before:
            matches = list(_ON.finditer(" " + before))
            if matches:
                m = matches[-1]
                base = previous - 1
                return [item.of for _, item in sentence.items_in(base + m.start("b"), base + m.end("b")) if item.symbol == "B"]
            return [names_before[-1][1].of]
        if previous and claim.listed is None:
            all_before = [
                m for m in _ON.finditer(" " + body[:previous])
            ]
            if all_before and not regex.search(r"; |(?:^| )(?:while|whereas) ", body[previous:claim.offset]):
                m = all_before[-1]
                return [item.of for _, item in sentence.items_in(m.start("b") - 1, m.end("b") - 1) if item.symbol == "B"]
        if claim.kind in ("factor", "share") or "B " in body or regex.search(r"memory|time|latency|cost|comput|token|flops|storage|speed", claim.metric or "", regex.IGNORECASE):
            return []
        if len(context) == 1 and regex.match(r"(?:more importantly|furthermore|moreover|further|additionally|also|in addition|besides|specifically|notably|in particular|surprisingly|continued) ", body):
            return list(context)
        return [known.only] if known.only else []

    def _metric(self, claim: Claim, claims: Sequence[Claim]) -> str | None:
        sentence, body = claim.sentence, claim.sentence.text
        group = _group(claim, claims)
        if len(group) > 1:
            listed = regex.search(r"(?<![^ ])(?P<list>(?:the |both )?K (?:, (?:the )?K )*(?:, )?and (?:the )?K )(?:by|of|to|at|from) (?:(?!K )[^ ]+ ){0,4}$", body[: group[0].offset])
            names = [o for o, i in sentence.items_in(*listed.span("list")) if i.symbol == "K"] if listed else []
            if len(names) == len(group):
                at = names[group.index(claim)]
                return self._words(claim, at, at + 2)
        after = body[claim.offset + 2 :]
        before = body[: claim.offset]
        match = regex.match(r"(?:(?:points?|absolute|relative|in|of|on|for|the|average|higher|lower|better|improvement|gain|gains|increase|reduction|improvements|drop|decrease|boost) ){0,4}(?P<np>(?:(?!K |on |in |for |over |and |than |of |by |with |to )[^ ,.;:()PXQNUCD]+ ){0,3}?(?:K |performance |score |scores )+(?:(?:score|scores|rate|rates|metric|time|cost|costs|points) )?)", after)
        if match:
            return self._words(claim, claim.offset + 2 + match.start("np"), claim.offset + 2 + match.end("np"))
        match = regex.search(r"(?<![^ ])(?P<np>(?:(?!on |in |for |over |and |than |of |by |with |to |an? |the |we |it |that |achiev\w+ |improv\w+ |reach\w+ |our )[^ ,.;:()PXQNUCD]+ ){0,2}(?:K |performance |score |scores )+(?:score |scores |rate |rates |values? )?)(?:(?:of|is|at|to|by|from|between|reaching|\(|as|exceeding|above|below|up|high|low|average|about|on|an?|over|was|are|,|for|the|~|[BM]|more|less|than|almost|nearly|approximately|around|roughly|in|under) ){0,5}$", before)
        if match and claim.kind != "share":
            return self._words(claim, match.start("np"), match.end("np"))
        if claim.what is not None:
            what = body[claim.what[0] : claim.what[1]]
            lead = _LEAD.match(what)
            low = claim.what[0] + (lead.end() if lead else 0)
            high = claim.what[1]
            piece = body[low:high]
            cut = regex.search(r"(?:^| )(?:on|of (?=[MB] )|for|across|over|than|compared|while|with|when|from|using|by|under|at|without|per|during|,|\() ", piece)
            if cut and cut.start() > 0:
                high = low + cut.start() + 1
            elif cut:
                high = low
            piece = body[low:high]
            if high > low and not regex.fullmatch(r"(?:[MBZ]|it|them|,|and|is|are|results?|baselines?|methods?|models?|upon|that|which|those|we|[^ ]*ing) ", piece) and "B " not in piece:
                return self._words(claim, low, high)
        nouns = regex.match(r"(?:[^ ,.;:()]+ ){0,2}?(?P<np>speed-?ups?|acceleration) ", after) or None
        if nouns:
            return self._words(claim, claim.offset + 2 + nouns.start("np"), claim.offset + 2 + nouns.end("np"))
        if claim.kind == "factor":
            nouns = regex.search(r"(?<![^ ])(?P<np>speed-?ups?|accelerations?|faster|speed) (?:[^ ,.;:()]+ ){0,4}$", before)
            if nouns:
                return self._words(claim, nouns.start("np"), nouns.end("np"))
            nouns = regex.match(r"(?:more|fewer|less|faster|larger|smaller|lower|higher|greater|better) (?P<np>(?:(?!than |on |in |for |over |and |of |by |with |to |while )[^ ,.;:()PXQNUCD]+ ){1,3})", after)
            if nouns:
                return self._words(claim, claim.offset + 2 + nouns.start("np"), claim.offset + 2 + nouns.end("np"))
        if claim.kind == "share":
            match = regex.match(r"(?:of )?(?:the |its |their |our |a |all )*(?P<np>(?:(?!of |for |on |in |and |by |with |while |compared |to |than |from )[^ ,.;:()PXQNUCD]+ ){1,4})", after)
            if match:
                return self._words(claim, claim.offset + 2 + match.start("np"), claim.offset + 2 + match.end("np"))
            return None
        if claim.listed is not None and claim.listed.metric is not None:
            return claim.listed.metric
        group = _group(claim, claims)
        if len(group) > 1 and group[-1] is not claim:
            tail = group[-1]
            match = regex.match(r"(?:[^ ,.;:()PXQNUCD]+ ){0,4}?(?P<np>(?:K )+(?:score |scores |rate )?)", body[tail.offset + 2 :])
            if match:
                return self._words(claim, tail.offset + 2 + match.start("np"), tail.offset + 2 + match.end("np"))
        near = regex.search(r"(?<![^ ])(?P<np>(?:K )+)(?:(?![.;:] )[^ PXQNUCD]+ ){0,9}$", before)
        if near and not regex.search(r"(?: while | whereas | but )", before[near.start():]) and claim.kind != "factor":
            return self._words(claim, near.start("np"), near.end("np"))
        in_terms = regex.match(r"(?:[^ .;:]+ ){0,10}?(?:in terms of|measured by|in|w\.r\.t) (?:the |average |both )?(?P<np>(?:[^ ,.;:()PXQNUCD]+ ){0,2}?(?:K )+(?:score |rate )?)", after)
        if in_terms:
            return self._words(claim, claim.offset + 2 + in_terms.start("np"), claim.offset + 2 + in_terms.end("np"))
        return None

    def _words(self, claim: Claim, low: int, high: int) -> str | None:
        if high <= low:
            return None
        while (word := regex.match(r"([^ ]+) ", claim.sentence.text[low:high])) and word[1] in self._no_head:
            low += word.end()
        if high <= low:
            return None
        start, end = claim.sentence.range(low, high)
        words = claim.text.span(start, end).surface.strip()
        return words or None

    def _baseline(self, claim: Claim, claims: Sequence[Claim]) -> str | None:
        body = claim.sentence.text
        offsets = [c.offset for c in claims]
        if claim.kind == "share":
            match = regex.match(r"of (?P<np>(?:[^ ,.;]+ ){0,3}?(?:M |human |full |fully-trained |original |baseline |teacher )(?:[^ ,.;]+ ){0,2}?)" + _NP_END, body[claim.offset + 2 :])
            if match:
                return self._noun_phrase(claim, claim.offset + 2 + match.start("np"), claim.offset + 2 + match.end("np"))
            match = regex.match(r"of (?:[^ ,.;]+ ){1,4}?(?:of|in) (?P<np>(?:[^ ,.;]+ ){1,6}?)" + _NP_END, body[claim.offset + 2 :])
            if match:
                return self._noun_phrase(claim, claim.offset + 2 + match.start("np"), claim.offset + 2 + match.end("np"))
        i = offsets.index(claim.offset)
        end = offsets[i + 1] if i + 1 < len(offsets) else len(body)
        previous = offsets[i - 1] if i else 0
        other = regex.match(r"(?:compared (?:to|with)|versus|vs \. |vs|against|over) [PNQ] (?:by|for|of|from|achieved by|with) (?P<np>(?:[^ ,.;]+ ){1,5}?)" + _NP_END, body[claim.offset + 2 :])
        if other:
            return self._noun_phrase(claim, claim.offset + 2 + other.start("np"), claim.offset + 2 + other.end("np"))
        for low, high in ((claim.offset + 2, end),):
            match = _BASELINE_AFTER.search(body, low, high)
            if match and not (match.group().startswith(("from ", "over ")) and regex.match(r"(?:from|over) (?:the )?(?:B |K |N |\d)", match.group())):
                return self._noun_phrase(claim, match.start("np"), match.end("np"))
        if claim.whom is not None and claim.kind != "score":
            return self._noun_phrase(claim, *claim.whom)
        for low, high in ((previous, claim.offset), (0, claim.offset)):
            matches = [m for m in _BASELINE_VERB.finditer(body, low, high)]
            if matches:
                m = matches[-1]
                return self._noun_phrase(claim, m.start("np"), m.end("np"))
        matches = [m for m in _BASELINE_AFTER.finditer(body, previous, claim.offset) if m.group().startswith(("compared", "relative", "when compared", "in comparison", "than ", "over "))]
        if matches:
            return self._noun_phrase(claim, matches[-1].start("np"), matches[-1].end("np"))
        if claim.listed is not None or len(_group(claim, claims)) > 1:
            match = _BASELINE_AFTER.search(body, claim.offset)
            if match and not match.group().startswith("from "):
                return self._noun_phrase(claim, match.start("np"), match.end("np"))
        improved = regex.search(r"(?<![^ ])(?:improv|boost|enhanc|increas|rais)\w* (?:the |[^ ]+ ){0,3}?(?:K|performance|performances|results|capabilities|abilities) of (?P<np>(?:[^ ,.;:()]+ ){1,6}?)(?=, |\( |by |from |on |including )", body[: claim.offset])
        if improved and claim.kind == "delta":
            return self._noun_phrase(claim, improved.start("np"), improved.end("np"))
        opening = regex.match(r"(?:on|for|with|over) (?:the )?(?P<np>M )(?:[^ ,]+ ){0,2}?, (?:it|we|our) ", body)
        if opening and claim.kind == "delta":
            return self._noun_phrase(claim, opening.start("np"), opening.end("np"))
        match = regex.search(r"(?<![^ ])(?:outperforming|surpassing|exceeding|beating) (?P<np>(?:[^ ,.;:()]+ ){1,7}?)" + _NP_END, body[end if end < len(body) else claim.offset :])
        if match:
            base = end if end < len(body) else claim.offset
            return self._noun_phrase(claim, base + match.start("np"), base + match.end("np"))
        return None

    def _noun_phrase(self, claim: Claim, low: int, high: int) -> str | None:
        body = claim.sentence.text
        while high > low and body[low:high].rstrip().endswith((" and", " or", ",", " by", " with")):
            high = low + body[low:high].rstrip().rfind(" ") + 1
        lead = regex.match(r"(?:the |a |an |that of |those of )", body[low:high])
        if lead and lead.group() in ("that of ", "those of "):
            low += lead.end()
        if high <= low:
            return None
        return self._words(claim, low, high)

    def _model(self, claim: Claim, known: Known) -> str | None:
        sentence, body = claim.sentence, claim.sentence.text
        by = regex.match(r"(?:[^ ,.;:()PXQNUCD]+ ){0,2}?(?:by|for|with) (?P<m>M )", body[claim.offset + 2 :])
        if by and claim.kind == "score" and regex.match(r"(?:by|for) M ", body[claim.offset + 2 :]):
            item = sentence.item(claim.offset + 2 + by.start("m"))
            return None if item is None else item.of
        models = [(o, i) for o, i in sentence.items_in(0, claim.offset) if i.symbol == "M"]
        subject = None
        for offset, item in models:
            lead = body[max(0, offset - 40) : offset]
            if regex.search(r"(?:than|over|compared to|compared with|outperform\w*|surpass\w*|beat\w*|exceed\w*|against|like|as|with|including|,|relative to|on|to|of|from|e\.g \.|using|versus|vs|\(|in|by|for|and|train\w*|tun\w*|improv\w*|both|the|boost\w*|into) (?:the |an? |our |strong |previous )?$", lead):
                if item.of == known.proposed and subject is None and regex.search(r"(?:using|with|by|of|,|and|our|the|for) (?:the |our )?$", lead):
                    subject = item.of
                continue
            if regex.match(r"(?:'s |\( [^ ]+ \) |model |models |- |, |[^ ]+ed |[^ ]+-[^ ]+ )?", body[offset + 2 :]):
                subject = item.of
                if item.of == known.proposed:
                    break
        if subject is not None and not (_OWN_SUBJECT.search(" " + body[: claim.offset]) and known.proposed and subject != known.proposed):
            return subject
        return known.proposed

    # --- best claims ---

    def _best(
        self, text: Text, sentence: Skeleton, bounds: tuple[int, int], known: Known, valued: Sequence[int]
    ) -> list[Gain]:
        found: list[tuple[int, int, Entry]] = []
        for entry, patterns in self._sota:
            for pattern in patterns:
                for match in pattern.finditer(sentence.text):
                    low, high = match.span()
                    if any(low < b and a < high for a, b, _ in found) or not _claims_best(sentence.text, low, high, valued):
                        continue
                    found.append((low, high, entry))
        out = []
        for low, high, entry in sorted(found, key=lambda f: f[0]):
            start, end = sentence.range(low, high)
            item = Item(start, end, "N", None)
            claim = Claim(text, sentence, bounds, low, item, entry, "sota", None)
            following = [
                i for o, i in sentence.items_in(low, len(sentence.text))
                if i.symbol == "B" and not any(other[0] < o and other[0] > low for other in found)
            ]
            match = _ON.search(" " + sentence.text[low:])
            if following and match:
                claim.benchmarks = [i.of for _, i in sentence.items_in(low - 1 + match.start("b"), low - 1 + match.end("b")) if i.symbol == "B"]
            over = _BASELINE_VERB.search(sentence.text, max(0, low - 1)) if entry.key == "beats-all" else None
            over = over or regex.compile(r"(?:compared (?:to|with)|among|over) (?P<np>(?:[^ ,.;:()]+ ){1,8}?)" + _NP_END).search(sentence.text, high - 1)
            if over:
                claim.baseline = self._noun_phrase(claim, over.start("np"), over.end("np"))
            claim.model = self._model(claim, known)
            out.append(_gain(claim))
        return out


_MAYBE_SOTA = regex.compile(
    r"state[- ]of[- ](?:the[- ])?art|states[- ]of[- ]the|\bsota\b|best|outperform|surpass|highest|exceed|superior|beat|improv\w+ (?:up)?on|top\b|first place|rank|record|cutting-edge|leader"
)
def _claims_best(body: str, low: int, high: int, valued: Sequence[int]) -> bool:
    """Whether words about the state of the art claim it, and do not merely mention it.

    `valued` are the offsets of the sentence's differences: where "outperforms X by 3%" has its
    value, the value is the claim.
    """
    before, words = body[max(0, low - 80) : low], body[low:high]
    clause_end = body.find("; ", high) if "; " in body[high:] else len(body)
    if regex.search(r"(?:compared (?:with|to)|over|against|short of|than|previous|prior|existing|versus|among|two|three|four|five|several|many|by) (?:the |previous |prior |existing |other )?$", before) and not _BEATS.search(words):
        return False
    if regex.search(r"(?:not|fail\w*|without|far from|however|struggle\w*|par with|currently|become|becoming|been) (?:[^ ]+ ){0,2}$", before):
        return False
    beats = _BEATS.search(words) or _BEATS.search(body, max(0, low - 24), low)
    if beats:
        return not any(high - 2 <= offset < clause_end for offset in valued)
    if _LEADS.match(words):
        return not _PURPOSE.search(before + " " + words)
    reached = regex.search(r"(?:^| )(?:new|a new|the new) ", before[-9:] + words[:9]) or _REACHES.search(before) or _REACHES.search(words)
    if not reached or _PURPOSE.search(before) or _PURPOSE.search(before[-40:] + words):
        return False
    return True


_BEATS = regex.compile(r"(?:outperform|surpass|exceed|beat|improv|outscor|outpac|superior|better than|outclass|outshin|excel|over|gains? over)\w* ")
_LEADS = regex.compile(r"(?:is|are|remains|becomes|ranks?|ranked|ranking|wins?|won|placed|secured|highest|best|top) ")
_REACHES = regex.compile(
    r"(?:^| )(?:achiev|attain|obtain|set|sets|setting|establish|reach|yield|deliver|demonstrat|show|report|produc|advanc|push|exhibit|"
    r"secur|provid|result|lead|gain|maintain|enabl|offer|match|highlight|with|are|is|at)\w* (?:(?:in|to|the|a|an|new|its|their|our|both|consistent|overall|competitive|or|and|on|strong|remarkable|[^ ]+ly) ){0,4}(?:[^ ]+ ){0,1}$"
    r"|(?:^| )(?:achiev|attain|obtain|set|establish|reach|yield|deliver|demonstrat|advanc|push|show|exhibit)\w* (?:[^ ]+ ){0,6}"
)
_PURPOSE = regex.compile(
    r"(?:(?<!able |shown |manages |us |it |them |proven |demonstrated |model |models |found )to|for|of|towards?|toward|while|can|could|have|has|had|often|often|typically|usually) (?:be |been )?(?:achiev|reach|attain|obtain|push|train|advanc|establish|yield|demonstrat|show)\w* (?:[^ ]+ ){0,3}"
)


def _kind_of(entry: Entry, quantity: Quantity) -> tuple[GainKind, str | None]:
    kind: GainKind = entry["kind"]
    direction: str | None = entry["direction"]
    if kind == "from_to":
        low, high = quantity.low, quantity.high
        if low is None or high is None or low == high:
            return kind, None
        return kind, "up" if high > low else "down"
    if direction == "sign":
        direction = "down" if quantity.sign == "-" else "up"
    if quantity.shape == "factor" and kind in ("delta", "score"):
        kind = "factor"
    return kind, direction


def _qualifiers(body: str, offset: int, quantity: Quantity) -> set[str]:
    found = set()
    before = body[max(0, offset - 60) : offset]
    rest = before
    for _ in range(3):
        for name, pattern in _QUALIFIER_PATTERNS:
            match = pattern.search(rest)
            if match and not (name == "at_least" and regex.search(r"(?:improv\w+|gains?|advantage|increase|performance|boost|wins?|reduction) over $", rest)):
                found.add(name)
                if name != "average":
                    rest = rest[: match.start() + 1]
    if quantity.bound:
        found.add({"<": "under", ">": "at_least", "~": "about"}.get(quantity.bound[0], "about"))
        if quantity.bound == "<=":
            found.discard("under")
            found.add("up_to")
    if _AVERAGE_AFTER.match(body[offset + 2 :]):
        found.add("average")
    return found


def _is_list_glue(glue: str) -> bool:
    """Whether two values with only this between them stand in one list."""
    if not regex.search(r"(?:^| )(?:and|,|or|&|/|to|;) ", glue):
        return False
    if len(glue.split()) > 14 or _VERBISH.search(glue):  # noqa: PLR2004
        return False
    return not regex.search(r"\. ", glue)


def _group(claim: Claim, claims: Sequence[Claim]) -> list[Claim]:
    """The values that stand in one list with a claim, in order, itself among them."""
    group = [claim]
    i = [c.offset for c in claims].index(claim.offset)
    body = claim.sentence.text
    for j in range(i + 1, len(claims)):
        if claims[j].kind != claim.kind or not _is_list_glue(body[claims[j - 1].offset + 2 : claims[j].offset]):
            break
        group.append(claims[j])
    for j in range(i - 1, -1, -1):
        if claims[j].kind != claim.kind or not _is_list_glue(body[claims[j].offset + 2 : claims[j + 1].offset]):
            break
        group.insert(0, claims[j])
    return group


def _share_baselines(claims: Sequence[Claim]) -> None:
    """What is said once of a list of values is said of each: a baseline named at either end."""
    for claim in claims:
        if claim.baseline is None:
            claim.baseline = next((c.baseline for c in _group(claim, claims) if c.baseline), None)


def _gain(claim: Claim) -> Gain:
    quantity: Quantity | None = claim.item.of
    text = claim.text
    span = text.span(claim.item.start, claim.item.end)
    sentence = text.span(*claim.bounds)
    value = low = high = start = end = None
    unit = None
    if quantity is not None:
        unit = quantity.unit
        if claim.kind == "from_to":
            start, end = quantity.low, quantity.high
        elif quantity.low is not None:
            low, high = quantity.low, quantity.high
        else:
            value = quantity.value
    identity = "\0".join((text.paper.paper_id, text.field, str(span.start), str(span.end), claim.kind, span.surface))
    basis: Any = None
    if unit == "points":
        basis = "points"
    elif unit == "percent" and claim.kind == "delta":
        around = text.text[claim.item.start - 12 : claim.item.end + 24].lower() if claim.item.start > 12 else text.text[: claim.item.end + 24].lower()
        if "relative" in around:
            basis = "relative"
        elif "absolute" in around:
            basis = "points"
    direction: Any = claim.direction if claim.kind not in ("score", "sota") else None
    return Gain(
        span=span,
        rule=claim.entry.path,
        gain_id=hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16],
        kind=claim.kind,
        value=value,
        value_low=low,
        value_high=high,
        value_from=start,
        value_to=end,
        unit=unit,
        basis=basis,
        direction=direction,
        qualifiers=tuple(sorted(claim.qualifiers)),
        metric=claim.metric,
        benchmarks=tuple(dict.fromkeys(claim.benchmarks)),
        model=claim.model,
        baseline=claim.baseline,
        sentence=sentence,
    )
