"""The use of every number of a text: what the other extractors took it for, else by phrase.

"in 2023" is a date, "[12]" a citation, "three of 11 tasks" a count, "5-shot" a setting; a number
no phrase knows is `other`, so that nothing is dropped in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import regex

from pipeline.language import Text
from pipeline.numbers import Quantity
from pipeline.records import Number, NumberUse
from pipeline.rules import Rules, compile_phrase
from pipeline.skeleton import Item, skeleton

_YEAR = regex.compile(r"(?:19|20)\d\d")
_WORDED = regex.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Use:
    """A range that is put to use; in the raw text if `raw`, else in the folded text."""

    field: str
    start: int
    end: int
    use: NumberUse
    rule: str
    gain_id: str | None = None
    raw: bool = False


class Counts:
    """Puts every number to one use; built once from the rules."""

    def __init__(self, rules: Rules) -> None:
        self._entries = [
            (entry, [compile_phrase(p, rules.words, f"rules/numbers.yaml, {entry.key}") for p in entry["phrases"] or ()])
            for entry in rules.entries["numbers"]
        ]

    def find(
        self,
        texts: Sequence[Text],
        quantities: Mapping[str, Sequence[Quantity]],
        items: Mapping[str, Sequence[Item]],
        uses: Sequence[Use],
    ) -> list[Number]:
        """The rows of the numbers of a paper, in the order of the text."""
        numbers = []
        for text in texts:
            loose = [
                Item(i.start, i.end, i.symbol, i.of)
                for i in items[text.field]
                if i.symbol in "PXQNUCD"
            ]
            phrased = self._phrased(text, items[text.field]) if loose else {}
            mine = [u for u in uses if u.field == text.field]
            for quantity in quantities[text.field]:
                for start, end, value in quantity.parts:
                    span = text.span(start, end)
                    use = next(
                        (
                            u for u in mine
                            if (u.start < span.end and span.start < u.end if u.raw else u.start < end and start < u.end)
                        ),
                        None,
                    )
                    gain = next((u for u in mine if u.use == "gain" and u.start < span.end and span.start < u.end), None)
                    use = gain or use
                    if use is None and not _WORDED.search(span.surface):
                        continue
                    if use is not None:
                        kind, rule, gain_id = use.use, use.rule, use.gain_id
                    else:
                        kind, rule = phrased.get(start) or _by_form(text, quantity, start, end)
                        gain_id = None
                    numbers.append(
                        Number(span=span, rule=rule, value=value, use=kind, gain_id=gain_id)
                    )
        return numbers

    def _phrased(self, text: Text, items: Sequence[Item]) -> dict[int, tuple[NumberUse, str]]:
        found: dict[int, tuple[NumberUse, str]] = {}
        for start, end in text.sentences:
            inside = [i for i in items if start <= i.start < end]
            if not any(i.symbol in "PXQNUCD" for i in inside):
                continue
            sentence = skeleton(text.text, start, end, inside)
            for entry, patterns in self._entries:
                for pattern in patterns:
                    for match in pattern.finditer(sentence.text):
                        item = sentence.item(match.start("amount"))
                        if item is not None:
                            for part in item.of.parts:
                                found.setdefault(part[0], (entry["use"], entry.path))
        return found


def _by_form(text: Text, quantity: Quantity, start: int, end: int) -> tuple[NumberUse, str]:
    """The use a number's own form and neighbours tell: a year, a numbered point, part of a word."""
    folded = text.text
    before, after = folded[max(0, start - 1) : start], folded[end : end + 1]
    if quantity.ordinal or (before == "(" and after == ")" and end - start < 3):  # noqa: PLR2004
        return "ordinal", "numbers/ordinal"
    if _YEAR.fullmatch(folded, start, end):
        return "date", "numbers/year"
    if before == "[" or (before in ", " and after == "]"):
        return "citation", "numbers/citation"
    if before.isalpha() or after.isalpha() or before in "_^" or (before == "-" and folded[start - 2 : start - 1].isalnum()):
        return "name", "numbers/part-of-word"
    if after == "-" and folded[end + 1 : end + 2].isalpha():
        return "setting", "numbers/setting"
    return "other", "numbers/unbound"
