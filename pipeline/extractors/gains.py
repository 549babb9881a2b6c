"""Reported results: each value a text reports, and what it is bound to on evidence.

A value is claimed by the first phrase of rules/gains.yaml that holds it; values in a list with a
claimed one are claimed with it. Then it is bound (pipeline/extractors/binding.py).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

import regex

from pipeline.extractors.best import MAYBE_BEST, Best
from pipeline.extractors.binding import (
    COMMAS,
    Binding,
    Claim,
    Direction,
    Known,
    Words,
    is_list_glue,
)
from pipeline.extractors.phrases import Phrases
from pipeline.language import Text
from pipeline.numbers import Quantity
from pipeline.records import Gain, GainKind
from pipeline.rules import Entry, Rules
from pipeline.skeleton import Item, Skeleton, by_sentence, skeleton

__all__ = ["SYMBOL", "Gains", "Known"]

SYMBOL = {"percent": "P", "factor": "X", "points": "Q", "number": "N", "unit": "U", "change": "C"}
_AMOUNTS = frozenset("PXQNUCD")

# --- qualifiers ---

_QUALIFIERS = tuple(
    (name, regex.compile(r"(?:^| )" + pattern))
    for name, pattern in (
        (
            "up_to",
            r"(?:up to|upto|as much as|at most|as high as|as low as|maximum of|no more than|within|up -) "
            r"(?:a |an |the |about |\w+ ){0,2}$",
        ),
        (
            "at_least",
            r"(?:at least|more than|over|above|exceeding|greater than|> ?|beyond|surpassing|"
            r"well over) (?:an? |\w+ ){0,1}$",
        ),
        ("under", r"(?:less than|fewer than|below|under|< ?|lower than) (?:an? )?$"),
        (
            "about",
            r"(?:about|approximately|around|nearly|almost|roughly|~|approx|close to|an estimated) "
            r"(?:an? )?$",
        ),
        ("average", r"(?:average|averaging|averaged|avg|mean|averages)(?: [^ ]+){0,4} $"),
    )
)
_AVERAGE_AFTER = regex.compile(
    r"(?:[^ ,.;()]+ ){0,6}(?:, )?(?:on average|in average|average |averaged|averaging|on avg)"
)
_AVERAGED_OVER = ("averaged over ", "averaged across ", "on average , ")
_GAIN_OVER = regex.compile(
    r"(?:improv\w+|gains?|advantage|increase|performance|boost|wins?|reduction) over $"
)
_BOUNDS = {"<": "under", ">": "at_least", "~": "about", "<=": "up_to"}

# --- what a number of each shape can be ---

_METRIC_WORDS_BEFORE = regex.compile(r"K (?:[^ ]+ ){0,4}$")
_PART_AFTER = regex.compile(r"(?:%|x N|[-/] N)")
_PART_BEFORE = regex.compile(r"(?:x|[-/]) $")
_SIGNED_AFTER = regex.compile(r"(?:(?!N )[^ ]+ ){0,2}?(?:K|on|B|for|in|points|over|\)|,)")
_SPREAD_BEFORE = regex.compile(r"(?:/|\+|\xb1|pm|\\pm) $")
_UNIT_AFTER = regex.compile(r"(?:[^ ]+ ){0,2}?(?:K |percentage|% )")
_METRIC_AFTER = regex.compile(r"K (?!metrics|measures)")
_SCORE_BEFORE = regex.compile(
    r"K (?:score |scores |rate )?(?:of|is|to|at|from|between|reaching) (?:[^ ]+ )?$"
)
_BY_BEFORE = regex.compile(r" by (?:[^ ]+ )?$")
_MEASURED_BEFORE = regex.compile(
    r"M \( (?:[^ ]+ )?$|(?:K|B|score|scores|rating|elo|loss|value|correlation|errors?|error rates?|"
    r"coefficient|aurocs?|aucs?|f1s|wers) (?:[^ ]+ ){0,5}$"
)
_MEASURED_AFTER = regex.compile(r"(?:[^ ]+ ){0,2}?(?:K|B|on) ")
_COST_BEFORE = regex.compile(
    r"(?:K|latency|time|speed|throughput|within|only|memory|at|takes?|took|requires?) "
    r"(?:[^ ]+ ){0,4}$"
)
_COST_AFTER = regex.compile(r"(?:[^ ]+ ){0,2}?(?:K|latency|per)")
_CHANGE_BEFORE = regex.compile(
    r"(?: by|reduction|improvement|gain|saving|savings) (?:[^ ]+ ){0,3}$"
)
_CHANGE_AFTER = regex.compile(
    r"(?:[^ ]+ ){0,2}?(?:lower|less|fewer|higher|faster|better|improvement|reduction|gain)"
)
_NO_RESULT_UNITS = (
    "day", "week", "month", "year", "word", "epoch", "token", "bit", "km", "meter", "hour",
    "degree", "Hz", "kHz",
)  # fmt: skip
_COUNTED_UNITS = ("token", "word", "bit", "epoch")
_NO_FACTOR_AFTER = regex.compile(
    r"(?:N|X|B|a100|gpu|super|upsampl|zoom|magnif|resolution|downsampl)"
)
_BY_AND_MORE = frozenset(("by-up", "by-down", "more-up", "more-down"))
_LEVEL_BEFORE = regex.compile(
    r"(?<!up )(?<!by )(?<!due )(?<!compared )(?<!relative )(?<! of )to "
    r"(?:(?:about|around|nearly|over|only|just|below|above|approximately|almost|roughly|~) )?$"
)
_NO_RESULT_BEFORE = regex.compile(
    r"(?:^| )(?:p (?:=|<|>)|\[) (?:[^ ]+ , )?$|(?:^| )p (?:=|<|>|~) $"
)
_INTERVAL_AFTER = regex.compile(r"(?:, [PND] )?\] |= ")
_SCALE_AFTER = regex.compile(
    r"(?:[^ ,.]+ ){0,2}?(?:scales?|likert|ratings?|rubrics?|annotations?) "
)
_CHANGE_NEXT = regex.compile(
    r"(?:[^ ,.;()]+ ){0,3}?(?:improvements?|gains?|increases?|speed-?ups?|boosts?|reductions?|drops?|"
    r"decreases?|savings?|higher|lower|more|less|fewer|faster|better|worse|slower) "
)
_RISE_AFTER = regex.compile(
    r"(?:[^ ,.;()]+ ){0,2}?(?:improvements?|gains?|increases?|speed-?ups?|boosts?) "
)
_DIFFERENCES = frozenset(("score-of", "by-up", "by-down", "more-up", "more-down"))


class Gains:
    """Finds gains; built once from the rules."""

    def __init__(self, rules: Rules) -> None:
        self._phrases = Phrases(rules, "gains")
        self._words = Words(rules)
        self._best = Best(rules)
        choice = "|".join(sorted(map(regex.escape, rules.words["setting-noun"]), key=len)[::-1])
        self._setting = regex.compile(rf"(?:of (?:[^ ,.;()]+ ){{0,2}}?|[^ ,.;()]+ )?(?:{choice}) ")
        self._trend = regex.compile(
            r"(?<![^ ])(?:(?P<down>{}|down)|(?:{}|up(?! to))) ".format(
                *("|".join(_single(rules, f"{way}-verb", f"{way}-noun")) for way in ("down", "up"))
            )
        )

    def find(self, text: Text, items: Sequence[Item], known: Known) -> list[Gain]:
        """The gains of one text; `items` are its names, metrics, sizes and free quantities."""
        gains: list[Gain] = []
        context: tuple[str, ...] = ()
        for (start, end), inside in by_sentence(text.sentences, items):
            amounts = any(item.symbol in _AMOUNTS for item in inside)
            best = text.field == "abstract" and MAYBE_BEST.search(text.text, start, end)
            if amounts or best:
                sentence = skeleton(text.text, start, end, inside)
                claims = self._claims(text, sentence, (start, end)) if amounts else []
                binding = Binding(sentence, claims, known, context, self._words)
                binding.bind()
                gains += map(_gain, claims)
                if best:
                    found = self._best.find(text, sentence, (start, end), binding, claims)
                    gains += map(_gain, found)
            context = tuple(item.of for item in inside if item.symbol == "B") or context
        return gains

    def _claims(self, text: Text, sentence: Skeleton, bounds: tuple[int, int]) -> list[Claim]:
        claimed: dict[int, Claim] = {}
        body = sentence.text
        for entry, match in self._phrases.find(body):
            offset = match.start("amount")
            item = sentence.item(offset)
            if offset in claimed or item is None or not self._may_be(entry, item.of, body, offset):
                continue
            kind, direction = _kind_of(entry, item.of)
            if direction == "up" and match[0].startswith("by "):
                direction = self._trend_before(body, match.start())
            elif (
                entry.key == "more-down"
                and match.end("amount") == match.end()
                and not match[0][:-2].endswith(" of ")
                and _RISE_AFTER.match(body, match.end())
            ):
                continue  # "a reduction in memory and up to 40% improvement in latency"
            claimed[offset] = Claim(
                text, sentence, bounds, offset, item, entry, kind, direction,
                _whole(match),
                match.span("whom") if "whom" in match.re.groupindex else None,
            )  # fmt: skip
        _claim_lists(sentence, claimed)
        for claim in claimed.values():
            claim.qualifiers = _qualifiers(body, claim.offset, claim.item.of)
        for claim in claimed.values():
            if claim.listed is not None:
                own, said = claim.qualifiers, claim.listed.qualifiers
                if "up_to" in said and not own and claim.offset > claim.listed.offset:
                    own.add("up_to")
                own.update(said & {"average"})
        return [claimed[offset] for offset in sorted(claimed)]

    def _trend_before(self, body: str, at: int) -> Direction:
        """The way the nearest verb before a "by" tells."""
        found = list(self._trend.finditer(body, max(0, at - 160), at))
        return "down" if found and found[-1]["down"] else "up"

    def _may_be(self, entry: Entry, quantity: Quantity, body: str, offset: int) -> bool:
        """Whether a number of this shape can be a result of this kind, here."""
        if quantity.ordinal or quantity.sign == "\xb1":
            return False
        before = body[max(0, offset - 60) : offset]
        after = body[offset + 2 : offset + 80]
        level = _LEVEL_BEFORE.search(before) and not _CHANGE_NEXT.match(after)
        if entry.key in _BY_AND_MORE and level:
            return False  # "rises to 88%" is a level attained
        if _NO_RESULT_BEFORE.search(before) or _INTERVAL_AFTER.match(after):
            return False
        match quantity.shape:
            case "change":
                values = (quantity.low, quantity.high)
                decimal = any(v is not None and v != int(v) for v in values)
                named = quantity.unit or decimal or _METRIC_WORDS_BEFORE.search(before)
                return bool(named) and not quantity.magnitude
            case "number":
                return _number_may_be(entry, quantity, before, after)
            case "unit":
                return _unit_may_be(entry, quantity, before, after)
            case "factor":
                if quantity.form in ("doubles", "halves") or entry.key in ("doubles", "halves"):
                    return quantity.form == entry.key
                if quantity.form == "half" and entry.key not in ("share-of-resource", "by-down"):
                    return False  # "half of them" is no result
                return entry.key != "score-of" and not _NO_FACTOR_AFTER.match(after)
            case "percent":
                if entry.key == "signed" and _SPREAD_BEFORE.search(before):
                    return False
                return entry.key != "score-of" or not self._setting.match(after)
            case "points":
                return not _SCALE_AFTER.match(after)


_WHAT_NEXT = regex.compile(r"(?:(?![PXQNUCDL.,;:()] )[^ ]+ ){0,6}")


def _whole(match: re.Match[str]) -> tuple[int, int] | None:
    """The words that name a metric; those a phrase ends with are read on to their end."""
    if "what" not in match.re.groupindex or match.start("what") < 0:
        return None
    low, high = match.span("what")
    if high == match.end() and (more := _WHAT_NEXT.match(match.string, high)):
        high = more.end()
    return low, high


def _single(rules: Rules, *names: str) -> Iterator[str]:
    """The single words of some lists."""
    for name in names:
        yield from (regex.escape(word) for word in rules.words[name] if " " not in word)


def _number_may_be(entry: Entry, quantity: Quantity, before: str, after: str) -> bool:
    """Whether a bare number can be a result: it has decimals, or a metric stands beside it."""
    value = quantity.value if quantity.value is not None else quantity.high
    if value is None or quantity.magnitude:
        return False
    if _PART_AFTER.match(after) or _PART_BEFORE.search(before):
        return False
    if entry.key == "signed":
        beside = _SIGNED_AFTER.match(after) or before.endswith((" by ", " of ", " up to "))
        return bool(beside) and not _SPREAD_BEFORE.search(before)
    if abs(value) >= 1e15 or value == int(value):
        if entry.key in _DIFFERENCES and _UNIT_AFTER.match(after):
            return bool(_METRIC_AFTER.match(after))
        if entry.key == "score-of":
            return bool(_SCORE_BEFORE.search(before))
        return (
            entry.key == "by-up"
            and bool(_BY_BEFORE.search(before))
            and bool(_METRIC_AFTER.match(after))
        )
    if entry.key in ("share-of-performance", "share-of-resource"):
        return False
    if entry.key == "score-of":
        return bool(_MEASURED_BEFORE.search(before) or _MEASURED_AFTER.match(after))
    return True


def _unit_may_be(entry: Entry, quantity: Quantity, before: str, after: str) -> bool:
    """Whether a number with a unit ("7 ms") can be a result: a cost attained, or one changed."""
    unit = quantity.unit or ""
    if before.endswith("- "):
        return False  # "A100-80GB"
    if entry.key == "score-of":
        beside = _COST_BEFORE.search(before) or _COST_AFTER.match(after)
        return bool(beside) and not unit.startswith(_NO_RESULT_UNITS)
    if entry.key not in ("by-up", "by-down", "more-up", "more-down"):
        return False
    beside = _CHANGE_BEFORE.search(before) or _CHANGE_AFTER.match(after)
    return bool(beside) and not unit.startswith(_COUNTED_UNITS)


def _claim_lists(sentence: Skeleton, claimed: dict[int, Claim]) -> None:
    """Claims the values in one list with a claimed one, of its kind and direction."""
    amounts = [
        (offset, item)
        for offset, item in sentence.items_in(0, len(sentence.text))
        if item.symbol in _AMOUNTS
    ]
    pairs = list(pairwise(amounts))
    for one, two in pairs:
        _claim_like(sentence, claimed, one, two)
    for one, two in reversed(pairs):
        _claim_like(sentence, claimed, two, one)


def _claim_like(
    sentence: Skeleton,
    claimed: dict[int, Claim],
    source: tuple[int, Item],
    target: tuple[int, Item],
) -> None:
    """Claims one of two neighbouring values as the other is, if they stand in one list."""
    said = claimed.get(source[0])
    if said is None:
        return
    forward = source[0] < target[0]
    first, last = (source, target) if forward else (target, source)
    glue = sentence.text[first[0] + 2 : last[0]]
    present = claimed.get(target[0])
    if present is not None:
        weaker = present.entry.key == "score-of" and said.kind in ("delta", "share")
        if not weaker or not (forward or len(glue.split()) <= 2):
            return
    quantity = target[1].of
    if quantity.ordinal or quantity.sign == "\xb1" or quantity.magnitude or not is_list_glue(glue):
        return
    if _NO_RESULT_BEFORE.search(sentence.text, max(0, target[0] - 60), target[0]):
        return
    alike = source[1].of.shape == quantity.shape
    if forward and quantity.shape == "number":
        # "by 3.1 points on A and 4.8 on B", "factors of 2.5, 2.4 and 2.0"
        on = sentence.text.startswith(("on ", "in ", "for "), target[0] + 2)
        shape = source[1].of.shape
        alike |= (shape == "points" and on) or (shape == "factor" and glue in COMMAS)
    elif forward and source[1].of.shape == "number":
        alike |= glue in COMMAS  # "by 21.4 and 13.4 points"
    if alike:
        claimed[target[0]] = Claim(
            said.text, sentence, said.bounds, *target, said.entry, said.kind, said.direction,
            listed=said,
        )  # fmt: skip


def _kind_of(entry: Entry, quantity: Quantity) -> tuple[GainKind, Direction | None]:
    kind: GainKind = entry["kind"]
    direction: Direction | Literal["sign"] | None = entry["direction"]
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
    rest = body[max(0, offset - 60) : offset]
    for _ in range(3):
        for name, pattern in _QUALIFIERS:
            match = pattern.search(rest)
            if match and not (name == "at_least" and _GAIN_OVER.search(rest)):
                found.add(name)
                if name != "average":
                    rest = rest[: match.start() + 1]
    if quantity.bound:
        found.add(_BOUNDS.get(quantity.bound) or _BOUNDS.get(quantity.bound[0], "about"))
    if _AVERAGE_AFTER.match(body, offset + 2) or body.startswith(_AVERAGED_OVER):
        found.add("average")
    return found


def _gain(claim: Claim) -> Gain:
    quantity: Quantity | None = claim.item.of
    text = claim.text
    span = text.span(claim.item.start, claim.item.end)
    place = (text.paper.paper_id, text.field, str(span.start), str(span.end))
    identity = "\0".join((*place, claim.kind, span.surface))
    value = low = high = start = end = None
    if quantity is not None:
        if claim.kind == "from_to":
            start, end = quantity.low, quantity.high
        elif quantity.low is not None:
            low, high = quantity.low, quantity.high
        else:
            value = quantity.value
    directed = claim.kind not in ("score", "sota")
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
        unit="x" if claim.kind == "factor" else quantity.unit if quantity else None,
        basis=_basis(claim),
        direction=claim.direction if directed else None,
        qualifiers=tuple(sorted(claim.qualifiers)),
        metric=claim.metric,
        benchmarks=tuple(dict.fromkeys(claim.benchmarks)),
        model=claim.model,
        baseline=claim.baseline,
        sentence=text.span(*claim.bounds),
    )


def _basis(claim: Claim) -> Literal["relative", "points"] | None:
    """Whether a difference is one of points or a share of the value before, where it is said."""
    quantity: Quantity | None = claim.item.of
    if quantity is None or quantity.unit == "points":
        return "points" if quantity else None
    if quantity.unit == "percent" and claim.kind == "delta":
        near = claim.text.text[max(0, claim.item.start - 12) : claim.item.end + 24].lower()
        if "relative" in near:
            return "relative"
        if "absolute" in near:
            return "points"
    return None
