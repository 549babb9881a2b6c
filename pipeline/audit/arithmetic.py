"""Whether a change that a text tells agrees with the two ends that it tells.

"A 63.5% improvement (from 19.5 to 31.5)": 31.5 is 61.5% above 19.5, so this does not compute. Every
way to read such a sentence is tried with the whole range that each printed number may have been
rounded from; only where none computes is it held against the text. Which way computes says what
the percentage is of, and goes into `basis`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.audit.reading import (
    MAGNITUDE,
    NUMBER,
    SCALES,
    UNIT,
    Printed,
    decimals,
    folded,
    printed,
)

_APPROXIMATE = (
    r"(?:~|about|around|approximately|roughly|nearly|almost|over|more\sthan|less\sthan|at\sleast|"
    r"up\sto|as\smuch\sas|as\shigh\sas|above|below|under|only|just|even|merely|an?|the|[<>]=?)"
)


def _number(name: str) -> str:
    return (
        rf"(?P<{name}about>(?:{_APPROXIMATE}\s?){{0,2}})(?P<{name}sign>[+-])?\s?(?P<{name}>{NUMBER})"
        rf"(?P<{name}magnitude>{MAGNITUDE})?(?P<{name}unit>{UNIT})?(?![\w.]*\d)"
    )


# Up to some words, names like LLaMA-2-7B among them, none of which begins something else.
_WORD = r"[\"A-Za-z(&][\w@+/'.-]*(?<!\.)[\")]?"
_OTHER = (
    r"(?:and|or|but|while|when|whereas|using|after|from|vs\.?|versus|to|only|retaining|achieving|"
    r"despite|reduces|reducing|improves|improving|increases|increasing)\s"
)
_WORDS = (
    rf"(?:\sthan\swith(?=\s)|\srelative\sto(?=\s)|\s(?!with\s(?![A-Z]))(?!{_OTHER}){_WORD}){{0,8}}?"
)
# Ends in brackets are of the change right before them, whatever it was done with.
_WORDS_THEN = (
    rf"(?:\s(?!with\s(?:an?|the|its?|only|no|half|less|fewer|more)\s)(?!{_OTHER}){_WORD}){{0,12}}?"
)
_AN = r"(?:\s(?:an?|the))?"
_UNIT_NOUN = r"(?:[A-Za-z@(\"-][\w@/-]*[)\"]?)"
_FROM_TO = (
    rf"(?<![A-Za-z])from\s(?:an?\s|the\s)?(?:[a-z-]+\s){{0,3}}?{_number('a')}"
    rf"(?:\s(?!to\s){_UNIT_NOUN}){{0,4}}?,?\s?(?:to|>)\s"
    rf"(?:an?\s|the\s)?(?:[a-z-]+\s){{0,3}}?{_number('b')}"
)
_ARROW = rf"{_number('a')}\s*(?:>|to)\s*{_number('b')}"
_VERSUS = (
    rf"{_number('a')}{_WORDS},?\s(?:vs\.?|versus|compared\s(?:to|with)){_WORDS}\s{_number('b')}"
)
_OPEN = r"\s?[(\[]\s?(?:i\.e\.,?\s|e\.g\.,?\s|for\sexample,\s)?"
_LABEL = r"(?:[A-Za-z][\w@-]*\s?[:=]\s?)?"
_NOUN = (
    r"(?:improvements?|increases?|gains?|reductions?|decreases?|drops?|boosts?|savings?|"
    r"speed-?ups?|declines?|degradation|jump|rise|lift|uplift|collapse|higher|lower|faster|slower|"
    r"better|worse|fewer|less|more|smaller|larger|cheaper)"
)
_KIND = (
    r"(?:\s?-?(?:absolute|relative|abs\.|rel\.|percentage|average|overall|mean|accuracy|F1|"
    r"performance|points?|error|error\srate|WER|latency)){0,3}"
)
# A change says that it is one: by its sign, by what stands before it, or by its noun.
_CHANGE = (
    r"(?<![\w@.,/^=-])"
    rf"(?:(?<=by\s)(?:an?\s|an\sabsolute\s|an\saverage\sof\s)?{_number('c')}|(?<=\sof\s){_number('c2')}|(?<=\sand\s){_number('c6')}|(?P<plus>(?=[+-])){_number('c3')}|"
    rf"(?P<verb>(?:gain(?:s|ed)?|los(?:es?|t)|adds?|improve[sd]?|rises?|rose|drop(?:s|ped)?|falls?|fell|jump(?:s|ed)?|saves?)\s){_number('c5')}|{_number('c4')}(?={_KIND}(?:\s[A-Za-z][\w@-]*){{0,3}}?\s{_NOUN}(?![a-z])))"
    r"(?!\s?of\s(?:the|its|all)\s)"
)
_BARE = _number("c")
# After a change that its ends stand before, nothing may say that it is of something else.
_END = r"(?=\s?[.,;):]|\s?--|\s(?:over|compared|relative|in\sabsolute|absolute|on\saverage|and|that|which|with)\s|$)"
_ENDS_THEN = r"(?:\s(?!and\s|with\s)[\w@-]+){0,5}"
# Between ends and the change that they are said to be: what says so, and up to three words more.
_SO = (
    r"(?:\s\([^()\d]{0,60}\))?\s?(?:,|--?)\s?(?:which\s(?:is|represents)\s|i\.e\.,?\s|"
    r"[a-z]+ing\s(?:to\s)?|equivalent\sto\s)?"
)
_A_CHANGE = (
    rf"(?:with\s)?(?:an?\s)?(?:(?!with\s|and\s)[a-z-]+\s){{0,3}}?{_BARE}{_KIND}\s{_NOUN}{_END}"
)
_A_CHANGE_OF = rf"(?:an?\s)?(?:[a-z-]+\s){{0,3}}?{_NOUN}\s(?:of|by)\s{_BARE}"

# Each sentence of these has one change and one pair of ends that it surely is the change between.
# Before each what is looked for first, because that is quick.
_BRACKETS, _AGAINST = ("(", "["), (" vs", " versus ", " compared ")
_PATTERNS: tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...] = tuple(
    (name, signs, re.compile(pattern))
    for name, signs, pattern in (
        # improves F1 by 12.3% on X (from 45.2 to 57.5)
        ("change (from, to)", ("from ",), rf"{_CHANGE}{_WORDS_THEN}{_OPEN}{_FROM_TO}{_ENDS_THEN}\s?[)\],;]"),
        # improves F1 by 12.3%, from 45.2 to 57.5
        ("change, from to", ("from ",), rf"{_CHANGE}{_WORDS},?\s(?:that\sis,\s|--?\s)?{_FROM_TO}(?!\s?[(\[,])"),
        # improves F1 by 12.3%, raising it from 45.2 to 57.5
        ("change, raising from to", ("from ",), rf"{_CHANGE}{_WORDS},\s(?:raising|increasing|reducing|lowering|cutting|improving)\s(?:it|its\s[A-Za-z@][\w@-]*)\s{_FROM_TO}"),
        # from 45.2 to 57.5 (+12.3)
        ("from to (change)", ("from ",), rf"{_FROM_TO}{_ENDS_THEN}{_OPEN}(?:an?\s|by\s)?{_BARE}{_KIND}(?:\s{_UNIT_NOUN})?(?:\s{_NOUN})?\s?[)\],;]"),
        # from 45.2 to 57.5 (a relative gain of 12.3%)
        ("from to (noun of change)", ("from ",), rf"{_FROM_TO}{_ENDS_THEN}{_OPEN}{_A_CHANGE_OF}\s?[)\],;]"),
        # from 45.2 to 57.5, a 12.3% improvement
        ("from to, a change", ("from ",), rf"{_FROM_TO}{_ENDS_THEN}(?:{_SO}|\s(?=with\s)){_A_CHANGE}"),
        # from 45.2 to 57.5, a relative improvement of 12.3%
        ("from to, noun of change", ("from ",), rf"{_FROM_TO}{_ENDS_THEN}{_SO}{_A_CHANGE_OF}{_END}"),
        # 45.2 > 57.5 (+12.3)
        ("arrow (change)", (">",), rf"{_number('a')}\s*>\s*{_number('b')}\s?(?:,\s?(?=[+-])|[(\[]\s?(?=[+-]|(?:by\s|an?\s)?\d[\d.]*\s?(?:%|x|pp|points)))(?:by\s|an?\s)?{_BARE}{_KIND}(?:\s{_NOUN})?\s?[)\],;]"),
        # +12.3% (45.2 > 57.5)
        ("change (arrow)", _BRACKETS, rf"{_CHANGE}{_WORDS}{_OPEN}{_LABEL}{_ARROW}{_WORDS}\s?[)\],;]"),
        # 12.3% higher (57.5 vs. 45.2)
        ("change (versus)", _AGAINST, rf"{_CHANGE}{_WORDS}{_OPEN}{_LABEL}{_VERSUS}{_WORDS}\s?[)\],;]"),
        # 57.5 versus 45.2 for LLaMA (12.3% higher)
        ("versus (change)", _AGAINST, rf"{_VERSUS}{_WORDS}\s?[(\[]\s?(?:an?\s)?{_BARE}(?:{_KIND}\s{_NOUN})?\s?[)\],;]"),
        # 57.5% against 45.2%, a 12.3% improvement
        ("versus, a change", _AGAINST, rf"{_VERSUS}{_WORDS},\s(?:[a-z]+ing\s|which\sis\s)?an?\s(?:[a-z-]+\s){{0,3}}?{_BARE}{_KIND}\s{_NOUN}{_END}"),
        # reaches 57.5, a 12.3% improvement over 45.2
        ("level, change over", (" over ",), rf"{_number('b')}{_WORDS}\s?[,(]\s?(?:an?\s)?{_BARE}{_KIND}\s{_NOUN}\sover{_WORDS}\s(?:of\s)?{_number('a')}"),
    )
)  # fmt: skip
_SIGNS = frozenset(signs for _, signs, _ in _PATTERNS)
# Sizes, settings and dates are ends of no change that is told.
_ERRORS = re.compile(r"(?i)error|gap|remaining|fail|mistake|miss")
_ABSOLUTE = re.compile(r"(?i)\babsolute(?:ly)?\b")
_RELATIVE = re.compile(r"(?i)\brelative(?:ly)?\b")
_A_NOUN = re.compile(rf"(?<![a-z]){_NOUN}(?![a-z])|(?<![a-z])by\s")
_MORE = re.compile(r"(?i)\b(?:higher|more|increases?|larger|greater|longer|gains?)\b")
_LESS = re.compile(
    r"(?i)\b(?:lower|fewer|less|reductions?|decreases?|smaller|shorter|drops?|savings?)\b"
)
_CHANGES = ("c", "c2", "c3", "c5", "c6", "c4")
_NO_END = re.compile(r"(?:19|20)\d\d$")


@dataclass(frozen=True, slots=True)
class Told:
    """A change between two ends as a text tells it; places are those of the text."""

    pattern: str
    start: int
    end: int
    change_start: int
    change_end: int
    ends_start: int
    ends_end: int
    first: Printed
    last: Printed
    change: Printed
    approximate: bool
    text: str
    around: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A way to read a change, and the range of what it would be."""

    name: str
    basis: str | None
    low: float
    high: float
    exact: float

    def holds(self, change: Printed) -> bool:
        """Whether the change as printed may be this one, rounded."""
        return self.low <= change.high + 1e-9 and self.high >= change.low - 1e-9


_THREE = re.compile(r"\d\D+\d+\D+\d")


def told(text: str) -> Iterator[Told]:
    """Every change of a text that is told with both its ends, in the order of the patterns."""
    if not _THREE.search(text):
        return
    plain, places = _squeezed(folded(text))
    seen: set[int] = set()
    for start, end in _sentences(plain):
        sentence = plain[start:end]
        held = {signs: any(sign in sentence for sign in signs) for signs in _SIGNS}
        for name, signs, pattern in _PATTERNS:
            if not held[signs]:
                continue
            for found in pattern.finditer(plain, start, end):
                change = next(
                    key for key in _CHANGES if key in pattern.groupindex and found[key] is not None
                )
                # The first pattern that finds a change or its ends says what belongs to them.
                places_of = {found.start(change), found.start("a")}
                if not places_of & seen and (one := _told(name, change, found, text, places)):
                    seen |= places_of
                    yield one


def _sentences(plain: str) -> Iterator[tuple[int, int]]:
    """Where each sentence with the three numbers of a change and its ends begins and ends."""
    start = 0
    for found in _FULL_STOP.finditer(plain):
        if _THREE.search(plain, start, found.end()):
            yield start, found.end()
        start = found.end()
    if _THREE.search(plain, start):
        yield start, len(plain)


def _squeezed(plain: str) -> tuple[str, Sequence[int]]:
    """The text without doubled blanks and those before signs, and each character's place in it."""
    if not _BLANKS.search(plain):
        return plain, range(len(plain) + 1)
    kept: list[int] = []
    pieces: list[str] = []
    at = 0
    for blank in _BLANKS.finditer(plain):
        kept.extend(range(at, blank.start()))
        pieces.append(plain[at : blank.start()])
        at = blank.end()
    kept.extend(range(at, len(plain) + 1))
    pieces.append(plain[at:])
    return "".join(pieces), kept


_FULL_STOP = re.compile(
    r"[.!?](?<!\bvs[.!?])(?<!\bal[.!?])(?<!e\.g[.!?])(?<!i\.e[.!?])(?<!approx[.!?])\s(?=[A-Z])"
)
_BLANKS = re.compile(r"\s+(?=\s)|\s+(?=[%,.;)])")


def _told(
    name: str, change: str, found: re.Match[str], text: str, places: Sequence[int]
) -> Told | None:
    a, b, c = (
        printed(
            found[end], found[f"{end}magnitude"], found[f"{end}unit"], found[f"{end}sign"] or ""
        )
        for end in ("a", "b", change)
    )
    # Of two set against each other, "300 episodes versus 70.8%" are no ends.
    if not (name.startswith("versus") and None in (a.unit, b.unit)):
        a, b = _same_unit(a, b)
    if a.unit != b.unit or any(_NO_END.match(found[end]) for end in "ab"):
        return None
    # "by 12.3" and "+12.3" need no unit to be a change; "12.3" elsewhere does.
    bare = change == "c3" or (change == "c" and (name.startswith("change") or bool(c.sign)))
    if not _a_change(a, b, c, bare):
        return None
    about = " ".join(found[f"{end}about"] or "" for end in ("a", "b", change))
    start, end = places[found.start()], places[found.end()]
    last = f"{change}unit" if found[f"{change}unit"] else change
    return Told(
        pattern=name,
        start=start,
        end=end,
        change_start=places[found.start(change)],
        change_end=places[found.end(last)],
        ends_start=places[min(found.start("a"), found.start("b"))],
        ends_end=places[max(found.end("b"), found.end("a"))],
        first=a,
        last=b,
        change=c,
        approximate=bool(_ROUGH.sub("", about)),
        text=text[start:end],
        around=text[max(0, start - 60) : end + 40],
    )


_ROUGH = re.compile(r"(?<![a-z])(?:an?|the|only|just|even|merely)(?![a-z])|\s")


def _a_change(a: Printed, b: Printed, c: Printed, bare_change: bool) -> bool:
    """Whether such a change is told of such ends at all."""
    if c.unit not in ("%", "points", "x", None, a.unit):
        return False  # 3 ms less where the ends are percentages
    if a.sign or b.sign or a.unit == "x":
        return False  # the ends are changes themselves
    if c.unit is None and not bare_change:
        return False  # "54 models", "Opus 4.7"
    whole = a.unit is None and b.unit is None and a.half == b.half == 0.5
    if whole and c.unit in ("points", None) and c.half < 0.5:
        return False  # from 15 to 50 steps is not what gave the 4.3 points
    # Points are of a scale that ends at 100, as are differences without a unit.
    return not (c.unit == "points" and a.unit != "%" and max(a.value, b.value) > 100)


def _same_unit(a: Printed, b: Printed) -> tuple[Printed, Printed]:
    """Both ends in one unit: one that is told only once holds for both, times are in seconds."""
    if a.unit is None and b.unit is not None:
        a = Printed(a.value, b.unit, a.half, a.sign)
    elif b.unit is None and a.unit is not None:
        b = Printed(b.value, a.unit, b.half, b.sign)
    if a.unit != b.unit and a.unit in SCALES and b.unit in SCALES:
        (kind, one), (other, two) = SCALES[a.unit], SCALES[b.unit]
        if kind == other:
            a = Printed(a.value * one, kind, a.half * one, a.sign)
            b = Printed(b.value * two, kind, b.half * two, b.sign)
    return a, b


def readings(one: Told) -> list[Reading]:
    """Every way to read the change, those first that say most."""
    a, b, c = one.first, one.last, one.change
    found: list[Reading] = []

    def add(name: str, basis: str | None, corners: list[float], exact: float) -> None:
        found.append(Reading(name, basis, min(corners), max(corners), exact))

    gap = [abs(y - x) for x in (a.low, a.high) for y in (b.low, b.high)]
    if (b.low - a.high) * (b.high - a.low) < 0:
        gap.append(0.0)
    exact = abs(b.value - a.value)
    # "12 points", "12% absolute" and a bare 12.3 are differences; "12% relative" is none.
    difference = c.unit in ("points", None) or (_ABSOLUTE.search(one.text) and c.unit == "%")
    relatively = bool(_RELATIVE.search(one.text)) and c.unit == "%" and not difference
    if c.unit != "x" and a.unit in (None, "%", "points", c.unit) and not relatively:
        add("points", "points", gap, exact)
        if max(a.value, b.value) <= 1.0 and (c.unit is not None or c.value >= 1.0):
            add("points of a share", "points", [100 * x for x in gap], 100 * exact)
    corners = [(x, y) for x in (a.low, a.high) for y in (b.low, b.high)]
    positive = a.low > 0 and b.low > 0
    if c.unit == "%" and not difference and positive:
        add("relative", "relative", [100 * abs(y - x) / x for x, y in corners],
            100 * exact / a.value)  # fmt: skip
        add("relative, ends swapped", "relative", [100 * abs(y - x) / y for x, y in corners],
            100 * exact / b.value)  # fmt: skip
        if not _A_NOUN.search(one.text):
            add("ratio in percent", None, [100 * y / x for x, y in corners],
                100 * b.value / a.value)  # fmt: skip
            add("ratio in percent, ends swapped", None, [100 * x / y for x, y in corners],
                100 * a.value / b.value)  # fmt: skip
        whole = 1.0 if max(a.high, b.high) <= 1.0 else 100.0
        if max(a.high, b.high) < whole and _ERRORS.search(one.around):
            add("error reduction", "relative", [100 * abs(y - x) / (whole - x) for x, y in corners],
                100 * exact / (whole - a.value))  # fmt: skip
            add("error reduction, ends swapped", "relative",
                [100 * abs(y - x) / (whole - y) for x, y in corners],
                100 * exact / (whole - b.value))  # fmt: skip
    if c.unit == "x" and positive:
        add("ratio", None, [y / x for x, y in corners], b.value / a.value)
        add("ratio, ends swapped", None, [x / y for x, y in corners], a.value / b.value)
        if _MORE.search(one.text):
            add("times more", None, [abs(y - x) / min(x, y) for x, y in corners],
                exact / min(a.value, b.value))  # fmt: skip
    return found


def of_other_end(one: Told, way: Reading) -> bool:
    """Whether a relative change is told of the end that it is not compared with.

    From one value to another, that is the second; where two are set against each other, more is
    more than the lesser and less is less than the greater.
    """
    if way.basis != "relative" or "error" in way.name:
        return False
    if "from" in one.pattern or "arrow" in one.pattern:
        return "swapped" in way.name
    rises, falls = _MORE.search(one.text), _LESS.search(one.text)
    if bool(rises) == bool(falls):
        return False
    of_first = "swapped" not in way.name
    return (one.first.value > one.last.value) == (of_first if rises else not of_first)


def reading(one: Told) -> Reading | None:
    """The first way to read the change under which it computes."""
    return next((way for way in readings(one) if way.holds(one.change)), None)


_USUAL = {"points", "relative", "ratio", "ratio, ends swapped", "points of a share"}


def expected(one: Told) -> Reading:
    """Of the ways the words ask for, the one that comes nearest: what it should have been."""
    ways = readings(one)
    if one.change.unit == "points":
        ways = [way for way in ways if way.basis == "points"] or ways
    usual = [way for way in ways if way.name in _USUAL]
    return min(usual or ways, key=lambda way: abs(way.exact - one.change.value))


def fault(one: Told) -> tuple[str, str] | None:
    """What a change should be and what it is said to be, where it computes in no way.

    None where it computes, and where it is only told about how much it is.
    """
    if one.approximate or reading(one) is not None:
        return None
    near = expected(one)
    places = decimals(one.change.half)
    unit = {"%": "%", "x": "x", "points": " points"}.get(one.change.unit or "", "")
    return f"{near.exact:.{places}f}{unit} ({near.name})", f"{one.change.value:.{places}f}{unit}"
