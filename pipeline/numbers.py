"""Every number of a text, once: where it stands, its value as written, and its unit.

What a number is used for is decided later, by the extractors; here is only the grammar of how
numbers are written: signs, thousands, magnitudes, percent, points, multiples, ranges, from-to.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import regex

Shape = Literal["percent", "factor", "points", "number", "unit", "change"]

# "79,93%" is a decimal in many languages, and in abstracts of their speakers
_DECIMAL_COMMA = (
    r"(?<![\d,.])\d{1,2},\d{1,2}(?![\d,])(?=\s?\\?%|\s(?:percent|F1|F-score|accuracy)(?!\w))"
)
_DIGITS = (
    rf"(?<![\w.)\]])\.\d+|{_DECIMAL_COMMA}|\d{{1,3}}(?:,\d{{3}})+(?![\d,])(?:\.\d+)?|\d+(?:\.\d+)?"
)
_UNITS = (
    r"milliseconds?|msecs?|ms|seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|fps|FPS|"
    r"frames\sper\ssecond|tokens?(?:/s(?:ec)?|\s?/\s?second|\sper\ssecond)|"
    r"GB|MB|KB|TB|GiB|MiB|kB|Hz|kHz|dB|"
    r"W|mW|kWh|Wh|mJ|J|GFLOPs?|TFLOPs?|FLOPs|meters?|cm|mm|km|degrees?|\xb0|words?|bits?|bpp|bpc|"
    r"dollars?|USD|Elo|epochs?|kg|ns|\u03bcs|us(?=[\s,.;)])"
)
_NUMBER = re.compile(
    rf"""
    (?P<about>[<>]=?\s?|~\s?|(?<![A-Za-z])sim(?=\d))?
    (?P<sign>(?<![\w.)%])[+\-]|(?:(?<=[\s,(](?:by|of|to|is)\s)|(?<=[\s,(]and\s)|(?<=[\s,(],\s))\+\s|(?<!\w)\+/?-\s?|\xb1\s?|(?<![\w.)%])\u2191\s?|(?<![\w.)%])\u2193\s?)?
    \$?
    (?P<digits>{_DIGITS})
    (?:
      (?P<magnitude>(?:[KkMBbTG](?![A-Za-z0-9]))|[\s-]?(?:thousand|million|billion|trillion|hundred|[Bb]n|[Mm]n)(?![A-Za-z]))
      (?P<plus>\+)?
      |(?P<points>\s?%p(?![a-z])|\s?pp(?![a-z])|(?:\s?%)?[\s-](?:absolute\s|relative\s)?(?:percentage[\s-]|percent\s|%\s)?points?(?![a-z])|(?:\s[A-Z][A-Za-z\d@-]*(?:\sand\s[A-Z][A-Za-z\d-]*)?|\saccuracy|\sabsolute)\spoints?(?![a-z]))
      |(?P<percent>\s?%|\s?[\s-]?percent(?![a-z])|\sper\scent(?![a-z]))
      |(?P<factor>x(?![A-Za-z0-9])|\s?X(?![A-Za-z0-9])|\sx(?=\s[a-z])(?!\s\d)|[\s-]?times(?![A-Za-z])(?!\s\d)|\s?[\s-]?[Ff]olds?(?![A-Za-z]))
      |(?P<ordinal>(?:st|nd|rd|th)(?![A-Za-z]))
      |(?P<unit>[\s-]?(?:{_UNITS})(?![A-Za-z])|\s(?:m|s)(?![\w/'.-]*\w))
    )?
    (?=(?P<after>\s?\\?(?:(?:up|down)arrow(?![A-Za-z])|[\u2191\u2193])|(?<=%)-(?=\s?[),.;])|(?<=%)\s[+-](?=[\s),.;])))?
    """,
    re.VERBOSE,
)
_DIGIT = re.compile(r"\d")
# what may stand before the digits of a number, "<= +/- $.", and how much of it at most
_LEAD = frozenset("<>=~sim+-/\xb1\u2191\u2193$. ")
_LONGEST_LEAD = 16
_SPELT = {
    "two": 2.0,
    "three": 3.0,
    "four": 4.0,
    "five": 5.0,
    "six": 6.0,
    "seven": 7.0,
    "eight": 8.0,
    "nine": 9.0,
    "ten": 10.0,
    "twenty": 20.0,
    "hundred": 100.0,
}
_SPELT_CHOICE = "|".join(_SPELT)
_WORDS = re.compile(
    rf"""(?<![\w-])(?:
    (?P<orders>(?:(?P<count>{_SPELT_CHOICE}|\d+(?:\.\d+)?)|(?P<one>an|one))[\s-](?:to[\s-]\w+[\s-])?orders?[\s-]of[\s-]magnitudes?)
    |(?P<twice>[Tt]wice|[Tt]wofold|[Tt]wo-fold|[Dd]oubl(?:e|es|ed|ing))
    |(?P<thrice>[Tt]hreefold|[Tt]hree-fold|[Tt]ripl(?:ed|ing))
    |(?P<half>[Hh]al(?:f|ves|ved|ving))
    |(?P<fold>(?P<folded>{_SPELT_CHOICE})[\s-]?fold)
    |(?P<times>(?P<timed>{_SPELT_CHOICE})\stimes)
    )(?![\w-]*\w-)(?!\w|-\w)""",
    re.VERBOSE,
)
# what the words of a number are not without
_WORD_HINTS = ("wice", "fold", "oubl", "ripl", "alf", "alv", "magnitude", " times")
_MAGNITUDES = {
    "k": 1e3,
    "thousand": 1e3,
    "hundred": 1e2,
    "m": 1e6,
    "mn": 1e6,
    "million": 1e6,
    "b": 1e9,
    "bn": 1e9,
    "g": 1e9,
    "billion": 1e9,
    "t": 1e12,
    "trillion": 1e12,
}
_TO = re.compile(
    r"\s?-{1,2}>?\s?|\s?\\?rightarrow\s?|to\s?|\sto\s(?:(?:just|only|about|around|over|nearly|approximately|almost|below|an?)\s|~)?|-to-|\s?~\s?|\s?>\s?"
)
_PAIR_ASIDE = re.compile(r"(?:%|points?|\dx|times)\s\($")
_MORE_AFTER = re.compile(
    r"\s(?:[a-z]+ly\s)?(?:faster|slower|higher|lower|fewer|less|more|better|worse|larger|smaller|cheaper|"
    r"greater|improvements?|increases?|reductions?|gains?|speed-?ups?)(?![A-Za-z])"
)
_ARROWS = (">", "->", "-->", "rightarrow", "\\rightarrow")
_GLUED_ARROW = re.compile(r"\s?\\?rightarrow\s?")
_FALL = re.compile(r"\s?to\s")
_FROM = regex.compile(
    r"(?P<ranging>(?:rang|vary|vari|span)\w*\s+|(?<=[Ii]mprovements?\s[^.;:,]{0,40}|\bgains?\s[^.;:,]{0,40})(?:are|is|were)\s)?(?P<from>(?<![A-Za-z])from)\s(?:an?\s|the\s|about\s|only\s|around\s)?$"
)
_BETWEEN = re.compile(r"[Bb]etween\s$")
_AND = re.compile(r"\sand\s")
_SIGNS = {
    "+": "+", "-": "-", "\u2191": "+", "\u2193": "-", "uparro": "+", "downar": "-", "\\uparr": "+",
    "\\downa": "-", "\xb1": "\xb1", "+/-": "\xb1", "+-": "\xb1",
}  # fmt: skip
_SPEED_NEXT = regex.compile(
    r"\s(?:speed-?ups?|acceleration)(?![a-z])|(?<=\.\d+)\s[a-z]+\s(?:speed-?ups?|acceleration)(?![a-z])"
)
_FACTOR_OF = re.compile(
    r"factors?\s(?:of|is|are)\s(?:up\sto\s|about\s|over\s|more\sthan\s|approximately\s|around\s|nearly\s|at\sleast\s)?$"
)


@dataclass(slots=True)  # a frozen one takes four times as long to make
class Quantity:
    """A number as written, half-open in the folded text; `first` is where its digits begin.

    `value` is in the unit as written (36.2 for 36.2%, 7 for 7B with `magnitude` 1e9), or None
    where a range (`low`, `high`) or a change (`low` the start, `high` the end) stands.
    """

    start: int
    end: int
    shape: Shape
    value: float | None
    low: float | None = None
    high: float | None = None
    unit: str | None = None
    magnitude: float | None = None
    sign: str = ""
    bound: str = ""
    ordinal: bool = False
    # how a multiple is spelt: "halves", "doubles", "half", "twice", "named"; "listed": a/b/c
    form: str = ""
    decimal: bool = False
    parts: tuple[tuple[int, int, float | None], ...] = ()

    @property
    def absolute(self) -> float | None:
        """The value with its magnitude: 7e9 for 7B."""
        return None if self.value is None else self.value * (self.magnitude or 1.0)


def plain_value(digits: str) -> float | None:
    """The value of a run of digits, or None where it is no finite number."""
    grouped = len(digits) - digits.rfind(",") - 1 == 3 or "." in digits  # or a decimal comma
    value = float(digits.replace(",", "" if grouped else "."))
    return value if math.isfinite(value) else None


def scan(text: str) -> list[Quantity]:
    """Every number of a folded text in order, each run of digits in exactly one; linear in time."""
    found: list[Quantity] = []
    worded = _in_words(text)
    at = 0
    multiplied = "factor" in text or "speed" in text or "acceleration" in text
    for match in _numbers(text):
        start = match.start("digits")
        while at < len(worded) and worded[at].end <= start:
            found.append(worded[at])
            at += 1
        if at == len(worded) or worded[at].start > start:
            found.append(_written(match, text, multiplied=multiplied))
    found += worded[at:]
    return _arrowed(found, text) if "rightarrow" in text else found


def _in_words(text: str) -> list[Quantity]:
    """The multiples that are told in words."""
    for hint in _WORD_HINTS:
        if hint in text:
            return [_worded(match) for match in _WORDS.finditer(text)]
    return []


def _numbers(text: str) -> Iterator[re.Match[str]]:
    """The matches of numbers, as `finditer` gives them: each is looked for at its first digit, and
    before it as far as there is what may lead it.
    """
    end = 0
    while digit := _DIGIT.search(text, end):
        low = at = digit.start()
        least = max(end, at - _LONGEST_LEAD)
        while at > least and (text[at - 1] in _LEAD or text[at - 1].isspace()):
            at -= 1
            if text[at] != " ":
                low = at  # no number begins with a space
        match = _NUMBER.search(text, low)
        if match is None:
            return
        yield match
        end = match.end()


def _arrowed(quantities: Sequence[Quantity], text: str) -> list[Quantity]:
    """Numbers with the residue of an arrow between them joined: "0.73rightarrow0.90"."""
    out: list[Quantity] = []
    for quantity in quantities:
        last = out[-1] if out else None
        if last is not None and _GLUED_ARROW.fullmatch(text, last.end, quantity.start):
            pair = _pair(last, quantity, text)
            if pair is not None:
                out[-1] = pair
                continue
        out.append(quantity)
    return out


def _worded(match: re.Match[str]) -> Quantity:
    start, end = match.span()
    form = ""
    if match["orders"]:
        count = match["count"]
        power = 1.0 if match["one"] else _SPELT.get(count) or plain_value(count) or 0.0
        value: float | None = 10.0**power if power < 300 else None
        if match["count"] and value is not None and value.is_integer() is False:
            value = round(value, 6)
    elif match["twice"]:
        value = 2.0
        form = "doubles" if match["twice"].lower().startswith("doubl") else "twice"
        if match["twice"] == "Double":
            form = "named"  # "Double Learning", no verb
    elif match["thrice"]:
        value = 3.0
        form = "doubles" if match["thrice"].lower().startswith("tripl") else ""
    elif match["half"]:
        value = 0.5
        form = "half" if match["half"].lower() == "half" else "halves"
    else:
        value = _SPELT[match["folded"] or match["timed"]]
    return Quantity(start, end, "factor", value, unit="x", form=form, parts=((start, end, value),))


def _written(match: re.Match[str], text: str, *, multiplied: bool) -> Quantity:
    """A number in digits; `multiplied` is whether its text has words that tell of multiples."""
    about, leading, digits, magnitude, points, percent, factor, ordinal, unit, after = match.group(
        "about", "sign", "digits", "magnitude", "points", "percent", "factor", "ordinal", "unit",
        "after",
    )  # fmt: skip
    first, end = match.start("digits"), match.end()
    value = plain_value(digits)
    shape: Shape = "number"
    named = scale = None
    if percent:
        shape, named = "percent", "percent"
    elif points:
        shape, named = "points", "points"
    elif factor:
        shape, named = "factor", "x"
    elif magnitude:
        scale = _MAGNITUDES[magnitude.strip(" -").lower()]
    elif unit:
        shape, named = "unit", unit.strip(" -")
    elif multiplied and _is_factor(text, first, end):
        shape, named = "factor", "x"
    sign = leading or after
    if leading:
        first = match.start("sign")
    return Quantity(
        first,
        end,
        shape,
        value,
        unit=named,
        magnitude=scale,
        sign=_SIGNS.get(sign.strip()[:6], "") if sign else "",
        bound=about.strip() if about else "",
        decimal="." in digits or (value is not None and not value.is_integer()),
        ordinal=ordinal is not None,
        parts=((first, end, value),),
    )


def _is_factor(text: str, start: int, end: int) -> bool:
    """Whether the words around a bare number say that it is a multiple."""
    low = max(0, start - 40)
    if "factor" in text[low:start] and _FACTOR_OF.search(text, low, start):
        return True
    return _SPEED_NEXT.match(text, end) is not None


def joined(quantities: Sequence[Quantity], text: str) -> list[Quantity]:
    r"""Ranges and from-to pairs made one quantity: "3.3% to 5.9%", "from 36.2% to 40.7%"; a value
    takes in its spread ("75.2 \xb1 0.3%"), and those of a list with slashes share their unit.

    The quantities are in order; those not joined come back as they are.
    """
    quantities = _with_units(_slashed(_with_spread(quantities, text), text), text)
    out: list[Quantity] = []
    i = 0
    while i < len(quantities):
        if i + 1 < len(quantities):
            pair = _pair(quantities[i], quantities[i + 1], text)
            if pair is not None:
                out.append(pair)
                i += 2
                continue
        out.append(quantities[i])
        i += 1
    return out


def _with_spread(quantities: Sequence[Quantity], text: str) -> list[Quantity]:
    r"""Each spread made a part of the value before it: "75.2 \xb1 0.3%" is 75.2%."""
    out: list[Quantity] = []
    for quantity in quantities:
        last = out[-1] if out else None
        if (
            last is not None
            and quantity.sign == "\xb1" != last.sign
            and last.shape in (quantity.shape, "number")
            and not last.magnitude
            and not text[last.end : quantity.start].strip()
        ):
            out[-1] = replace(
                last,
                end=quantity.end,
                shape=quantity.shape,
                unit=quantity.unit,
                parts=(*last.parts, *quantity.parts),
            )
        else:
            out.append(quantity)
    return out


def _slashed(quantities: Sequence[Quantity], text: str) -> list[Quantity]:
    """The values of a list with slashes, "14.4/11.4/4.5%", each with the unit of the last.

    Integers without a unit are no such list: "3/4 of them".
    """
    out = list(quantities)
    i = len(out) - 1
    while i > 0:
        first = i
        while first and text[out[first - 1].end : out[first].start].strip() == "/":
            first -= 1
        run, last = out[first : i + 1], out[i]
        if (
            len(run) > 1
            and last.shape in ("number", "percent", "points", "factor")
            and not last.magnitude
        ):
            alike = all(q.shape in ("number", last.shape) and not q.magnitude for q in run)
            if alike and (last.shape != "number" or all(q.decimal for q in run)):
                for at, q in enumerate(run, first):
                    out[at] = replace(q, shape=last.shape, unit=last.unit, form="listed")
        i = first - 1
    return out


def _with_units(quantities: list[Quantity], text: str) -> list[Quantity]:
    """Bare values of a list given the unit that is said once: "by 21.4 and 13.4 points"."""
    for i in range(len(quantities) - 1, 0, -1):
        one, two = quantities[i - 1], quantities[i]
        if one.shape != "number" or one.magnitude or one.ordinal or two.low is not None:
            continue
        glue = text[one.end : two.start]
        said = two.shape == "points" and glue in (" and ", " or ", ", ", ", and ")
        said |= two.shape == "percent" and one.decimal and glue in (" and ", " or ")
        if text.endswith((" at ", "@"), 0, one.start):
            continue  # a threshold is no value: "recall at 0.7 and 3 points of F1"
        if said and not one.bound:
            quantities[i - 1] = replace(one, shape=two.shape, unit=two.unit)
    return quantities


def _pair(a: Quantity, b: Quantity, text: str) -> Quantity | None:
    if a.ordinal or b.ordinal or a.value is None or b.value is None:
        return None
    alike = a.shape in (b.shape, "number")
    odd = not alike or (a.magnitude and a.magnitude != b.magnitude) or not text[a.start].isdigit()
    if odd and not (
        a.sign and (a.sign == b.sign or (a.sign == "+" and b.start == a.end + 1)) and alike
    ):
        return None
    glue = text[a.end : b.start]
    if b.sign and glue.strip() == "" and b.sign == "-":
        glue = glue + "-"
    before = text[max(0, a.start - 40) : a.start]
    both = Quantity(
        a.start,
        b.end,
        b.shape,
        None,
        a.value,
        b.value,
        b.unit,
        b.magnitude,
        a.sign,
        a.bound,
        decimal=a.decimal or b.decimal,
        parts=(*a.parts, *b.parts),
    )
    if _BETWEEN.search(before) and _AND.fullmatch(glue):
        return both
    # "75% 89%", "3.3 6.1 points": the dash between was lost on the way to the source
    lost = glue == " " and b.shape in ("percent", "points") and a.value < b.value
    if lost and not a.sign and not b.sign and (a.shape == b.shape or "." in text[a.start : a.end]):
        return both
    if not _TO.fullmatch(glue):
        return None
    source = _FROM.search(before)
    if _PAIR_ASIDE.search(before) and alike and _FALL.fullmatch(glue):
        return replace(both, shape="change")  # "by 30% (31.2 to 40.5)"
    if source and _MORE_AFTER.match(text, b.end):
        return both  # "from 7 to 40 times faster"
    if source and not source["ranging"] and glue.strip().startswith(("to", *_ARROWS)):
        return replace(both, shape="change")
    if glue.strip() in _ARROWS:
        return replace(both, shape="change")
    if a.value > b.value and alike and _FALL.fullmatch(glue) and not (source and source["ranging"]):
        return replace(both, shape="change")  # "(95.1% to 94.9%)": no range runs downwards
    if a.value >= b.value or (a.shape == b.shape == "number" and not _is_plain_range(a, b, text)):
        return None
    return both


def _is_plain_range(a: Quantity, b: Quantity, text: str) -> bool:
    """Whether two bare numbers are a range of results and not years, grades or a name's parts."""
    around = text[max(0, a.start - 1) : a.start] + text[b.end : b.end + 1]
    return not any(c.isalnum() or c in "-_/" for c in around)
