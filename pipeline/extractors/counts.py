"""The use of every number of a text: what the other extractors took it for, else by phrase.

"in 2023" is a date, "[12]" a citation, "three of 11 tasks" a count, "5-shot" a setting; a number
no phrase knows is `other`, so that nothing is dropped in silence, and its rule tells why.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import regex

from pipeline.extractors.phrases import Phrases
from pipeline.language import Text
from pipeline.numbers import Quantity
from pipeline.records import Number, NumberUse
from pipeline.rules import Rules
from pipeline.skeleton import Item, by_sentence, skeleton

_YEAR = re.compile(r"(?:19|20)\d\d[a-z]?")
# "97 public benchmark configurations": a number of things
_THINGS = regex.compile(
    r"\+?\s(?:(?!(?:of|on|in|for|to|and|with|at|by|is|are|was|were|than|from|or|as)\s)[\w-]+,?\s|and\s){0,4}?"
    r"(?!(?:is|was|has|as|this|across|versus|its|plus|less|does|thus|us|vs|whereas|always)\b)"
    r"\p{Ll}[\p{Ll}-]+[^s\W]s\b"
)
_TIMES_BEFORE = re.compile(r"\d\s?[x*]\s?$")
_TIMES_AFTER = re.compile(r"\s?[x*]\s?\d")
_OPERATOR = frozenset("^/=*\\|")
_WORDED = re.compile(r"\d")
_AMOUNTS = frozenset("PXQNUCD")


@dataclass(slots=True)
class Use:
    """A half-open range of a folded text whose numbers are put to one use, and by which rule."""

    start: int
    end: int
    use: NumberUse
    rule: str
    gain_id: str | None = None


class Counts:
    """Puts every number to one use; built once from the rules."""

    def __init__(self, rules: Rules) -> None:
        self._phrases = Phrases(rules, "numbers")

    def find(
        self,
        text: Text,
        quantities: Sequence[Quantity],
        items: Sequence[Item],
        uses: Sequence[Use],
    ) -> list[Number]:
        """The rows of the numbers of a text, in its order; a later use outweighs an earlier."""
        owners: dict[int, Use] = {}
        for use in uses:
            owners.update(dict.fromkeys(range(use.start, use.end), use))
        owned = [
            (quantity, part, next(filter(None, map(owners.get, range(part[0], part[1]))), None))
            for quantity in quantities
            for part in quantity.parts
        ]
        phrased = self._phrased(text, items, [part[0] for _, part, owner in owned if not owner])
        numbers = []
        for quantity, (start, end, value), owner in owned:
            span = text.span(start, end)
            gain_id = None
            if owner is not None:
                kind, rule, gain_id = owner.use, owner.rule, owner.gain_id
            elif not _WORDED.search(span.surface):
                continue
            else:
                told = phrased.get(start) or _by_form(text, quantity, start, end)
                kind, rule = told or ("other", _why_unbound(text, items, quantity, start))
            # The two numbers of `\frac{1}{2}` are one run of digits once its braces are gone.
            read = None if "}{" in span.surface else value
            numbers.append(Number(span=span, rule=rule, value=read, use=kind, gain_id=gain_id))
        return numbers

    def _phrased(
        self, text: Text, items: Sequence[Item], free: Sequence[int]
    ) -> dict[int, tuple[NumberUse, str]]:
        """What phrases say of the numbers of sentences in which one begins that is free."""
        found: dict[int, tuple[NumberUse, str]] = {}
        if not free or _AMOUNTS.isdisjoint([item.symbol for item in items]):
            return found
        for (start, end), inside in by_sentence(text.sentences, items):
            if bisect_left(free, start) == bisect_left(free, end):
                continue
            if _AMOUNTS.isdisjoint([item.symbol for item in inside]):
                continue
            sentence = skeleton(text.text, start, end, inside)
            for entry, match in self._phrases.find(sentence):
                item = sentence.item(match.start("amount"))
                if item is not None:
                    for part in item.of.parts:
                        found.setdefault(part[0], (entry["use"], entry.path))
        return found


def _why_unbound(text: Text, items: Sequence[Item], quantity: Quantity, start: int) -> str:
    """The rule that tells why a number was left: no words of a result, no metric, no thing."""
    if quantity.shape in ("percent", "factor", "points", "change"):
        return "numbers/no-claim"
    if quantity.magnitude or quantity.unit:
        return "numbers/no-thing"
    low, high = text.sentence_of(start)
    if low <= start < high:
        for item in items:
            if item.symbol == "K" and low <= item.start < high:
                return "numbers/beside-metric"
    return "numbers/no-measure" if quantity.decimal else "numbers/no-thing"


def _by_form(text: Text, quantity: Quantity, start: int, end: int) -> tuple[NumberUse, str] | None:
    """The use a number's own form and neighbours tell: a year, a numbered point, part of a word."""
    folded = text.text
    before, after = folded[max(0, start - 1) : start], folded[end : end + 1]
    if before == "$":
        return "price", "numbers/price"
    if quantity.ordinal or (before == "(" and after == ")" and end - start < 3):
        return "ordinal", "numbers/ordinal"
    if _YEAR.fullmatch(folded, start, end):
        return "date", "numbers/year"
    if before == "[" or (before in ", " and after == "]"):
        return "citation", "numbers/citation"
    if quantity.sign == "\xb1":
        return "statistic", "numbers/spread"
    in_word = before.isalpha() or after.isalpha() or (before and before in "_@#")
    in_word = in_word and not folded.endswith("sim", 0, start)
    if in_word or (before == "-" and folded[start - 2 : start - 1].isalnum()):
        return "name", "numbers/part-of-word"
    near = max(0, start - 200)
    if (
        after == ")"
        and before in (" ", "")
        and folded.count("(", near, start) <= folded.count(")", near, start)
    ):
        return "ordinal", "numbers/ordinal"  # "1) it reads"
    if _TIMES_AFTER.match(folded, end) or _TIMES_BEFORE.search(folded, max(0, start - 6), start):
        return "setting", "numbers/setting"
    if (before and before in _OPERATOR) or (after and after in _OPERATOR):
        return "formula", "numbers/formula"
    if after == "-" and folded[end + 1 : end + 2].isalpha():
        return "setting", "numbers/setting"
    if quantity.shape == "number" and not quantity.decimal and _THINGS.match(folded, end):
        return "count", "numbers/count"
    return None
