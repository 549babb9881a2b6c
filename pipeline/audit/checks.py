"""The checks of one paper and its rows; each is entered in the catalogue by its decorator.

None of them imports an extractor. They read the published rows, the stored texts, and of the rules
only what is declared there: how names are spelt and whether more of a metric is better.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from pipeline.audit import arithmetic
from pipeline.audit.findings import Told, check
from pipeline.audit.published import CLAIMS, Case, Row, text_hash
from pipeline.audit.reading import MAGNITUDE, NUMBER, Printed, folded, printed

PLACED = (*CLAIMS, "numbers")
_VALUES = ("value", "value_low", "value_high", "value_from", "value_to")
_SPELT = re.compile(
    r"(?i)(?<![a-z])(?:one|two|three|four|five|six|seven|eight|nine|ten|twenty|hundred|thousand|"
    r"half|halves|halved|halving|twice|twofold|doubl\w+|tripl\w+|quadrupl\w+|\w+fold|orders?|"
    r"magnitudes?|an|a|once|thrice|quarter|third|zero|perfect|million|billion|dozen)(?![a-z])"
)


# --- grounding ---


@check("place", "grounding", "error", "`abstract[10:14]` is not `5.2%`")
def _place(case: Case) -> Told:
    """Does each row stand where it says, with exactly its surface there?"""
    for table in PLACED:
        for row in case.rows[table]:
            there = _cut(case, row["field"], row["start"], row["end"])
            if there != row["surface"]:
                yield table, row, "the text at its place is not its surface", row["surface"], there


@check("sentence", "grounding", "error", "the sentence of `5.2%` does not hold `5.2%`")
def _sentence(case: Case) -> Told:
    """Is the sentence of each gain the text at its place, and does the value stand in it?"""
    for row in case.rows["gains"]:
        start, end = row["sentence_start"], row["sentence_end"]
        there = _cut(case, row["field"], start, end)
        if there != row["sentence"]:
            yield (
                "gains",
                row,
                "the text at its sentence's place is another",
                row["sentence"],
                there,
            )
        elif not start <= row["start"] <= row["end"] <= end:
            yield "gains", row, "its value stands outside its sentence", f"{start}:{end}", None


@check("number", "grounding", "error", "surface `5.2%`, value 52")
def _number(case: Case) -> Told:
    """Is every value of a row the number that its surface tells, read anew?"""
    for table in ("gains", "sizes", "numbers"):
        for row in case.rows[table]:
            values = [row[name] for name in _VALUES if row.get(name) is not None]
            if not values or _SPELT.search(row["surface"]):
                continue
            after = case.text(row["field"])[row["end"] : row["end"] + 30]
            read = list(_numbers(row["surface"], after))
            for value in values:
                if not any(math.isclose(value, number, rel_tol=1e-9) for number in read):
                    told = ", ".join(f"{number:g}" for number in read) or "no number"
                    yield table, row, "its value is not told by its surface", told, f"{value:g}"


def _numbers(surface: str, after: str) -> Iterator[float]:
    surface = re.sub(r"\{,\}|(?<=\d)\$", lambda found: found[0].strip("{}$"), surface)
    for found in _NUMBER.finditer(folded(surface)):
        one = printed(found["digits"], None, None)
        many = printed(found["digits"], found["magnitude"], None)
        yield from {one.value, many.value, -one.value, 1 / one.value if one.value else 0.0}
        yield from {one.value * 100, one.value / 100} if "%" in surface else ()
    # One magnitude may hold for both numbers of a range: 100-200k, 2 to 3 million; or it may be
    # one that the surface leaves out.
    numbers = [found["digits"] for found in _NUMBER.finditer(folded(surface))]
    for found in (*_MAGNITUDE.finditer(folded(surface)), *_magnitudes_after(folded(after))):
        yield from (printed(digits, found["magnitude"], None).value for digits in numbers)
    product = re.fullmatch(
        r"(\d+)\s*x\s*(\d+(?:\.\d+)?)\s?([KkMmBbTt])\w*", folded(surface).strip()
    )
    if product:
        yield float(product[1]) * printed(product[2], product[3], None).value


_NUMBER = re.compile(rf"(?P<digits>{NUMBER})(?P<magnitude>{MAGNITUDE})?")
_ANY = (
    rf"{MAGNITUDE}|[-\s]?(?:hundred|thousand|million|billion|trillion|bn|mn)(?![a-z])|"
    r"[bGm](?![A-Za-z])"
)
_MAGNITUDE = re.compile(rf"(?:{NUMBER})(?P<magnitude>{_ANY})")
_NEXT = re.compile(rf"\s?(?:(?:--?|to|and|or|,)\s?(?:{NUMBER})\s?-?)?(?P<magnitude>{_ANY})")


def _magnitudes_after(after: str) -> Iterator[re.Match[str]]:
    if found := _NEXT.match(after):
        yield found


@check("name", "grounding", "warning", "name `GPT-4` where the text has only `GPT-3`")
def _name(case: Case) -> Told:
    """Does each model's and benchmark's name stand in the text, or is it declared for what does?"""
    plain = _plain(f"{case.text('title')}\n{case.text('abstract')}")
    for table in ("models", "benchmarks"):
        for row in case.rows[table]:
            if not _stands(row["name"], plain) and not _declared(case, row):
                yield table, row, "its name does not stand in the text", row["name"], row["surface"]


def _declared(case: Case, row: Row) -> bool:
    """Whether the rule declares a spelling that stands in the surface to be one of its name."""
    names = case.declared.spellings.get(row["rule"], ())
    surface = _plain(row["surface"])
    return any(_plain(name) in surface for name in names) and (
        _plain(str(row["rule"]).partition("/")[2]) in _plain(row["name"])
        or _plain(row["name"]) in {_plain(name) for name in names}
    )


@check("metric", "grounding", "warning", "metric `accuracy` where the text says `F1`")
def _metric(case: Case) -> Told:
    """Do metric and baseline of each gain stand in the paper's text as written?"""
    plain = _plain(f"{case.text('title')}\n{case.text('abstract')}")
    for row in case.rows["gains"]:
        for column in ("metric", "baseline"):
            if row[column] == "speedup" and re.search(r"speed|fast|accelerat|slow", plain):
                continue  # what is measured where something is told to be faster
            if row[column] is not None and not _stands(row[column], plain):
                yield "gains", row, f"its {column} does not stand in the text", None, row[column]


@check("url", "grounding", "error", "url `github.com/a/b` where the text has `github.com/a/c`")
def _url(case: Case) -> Told:
    """Is each link's address made of what stands in the text, with the host it says?"""
    for row in case.rows["links"]:
        there = re.sub(r"[^a-z0-9]", "", row["surface"].lower())
        bare = re.sub(r"^[a-z]+://(?:www\.)?", "", row["url"].lower())
        parts = re.split(r"[^a-z0-9]+", bare)
        if any(part not in there for part in parts):
            yield "links", row, "its address is not that of the text", row["surface"], row["url"]
        host = re.sub(r"^www\.|:\d+$", "", row["url"].partition("//")[2].split("/")[0].lower())
        if host and host != row["host"].removeprefix("www.").lower():
            yield "links", row, "its host is not that of its address", host, row["host"]


@check("reference", "references", "error", "a gain on `MMLU` in a paper without that benchmark")
def _reference(case: Case) -> Told:
    """Does each name that a row refers to have a row of its own, and each row its paper?"""
    if not case.paper:
        yield "papers", None, "rows of a paper that is not there", None, case.paper_id
    names = {table: {row["name"] for row in case.rows[table]} for table in ("models", "benchmarks")}
    for table, column, other in (
        ("gains", "model", "models"),
        ("gains", "benchmark", "benchmarks"),
        ("sizes", "model", "models"),
    ):
        for row in case.rows[table]:
            if row[column] is not None and row[column] not in names[other]:
                yield table, row, f"its {column} has no row in {other}", None, row[column]
    gains = {row["gain_id"] for row in case.rows["gains"]}
    for row in case.rows["numbers"]:
        if row["gain_id"] is not None and row["gain_id"] not in gains:
            yield "numbers", row, "its gain has no row in gains", None, row["gain_id"]


@check("unique", "references", "error", "two rows `GPT-4` in `models` of one paper")
def _unique(case: Case) -> Told:
    """Is each paper, name, size, address, and pair of gain and benchmark there only once?"""
    if case.paper.get("_papers", 1) > 1:
        yield "papers", None, "its id stands twice in papers", 1, case.paper["_papers"]
    keys = {
        "models": ("name",),
        "benchmarks": ("name",),
        "links": ("url",),
        "gains": ("gain_id", "benchmark"),
        "numbers": ("field", "start"),
    }
    for table, columns in keys.items():
        seen: set[tuple[object, ...]] = set()
        for row in case.rows[table]:
            key = tuple(row[column] for column in columns)
            if key in seen:
                yield table, row, f"a second row of the same {' and '.join(columns)}", None, key
            seen.add(key)


@check("text-hash", "grounding", "error", "`text_sha256` is that of another abstract", of_text=True)
def _text_hash(case: Case) -> Told:
    """Is the text's hash the one that the data dictionary describes?"""
    if case.paper:
        made = text_hash(case.text("title"), case.text("abstract"))
        if made != case.paper["text_sha256"]:
            yield (
                "papers",
                None,
                "the text is not the one that was hashed",
                case.paper["text_sha256"],
                made,
            )


@check("twice", "grounding", "error", "`5.2%` on MMLU is a gain twice")
def _twice(case: Case) -> Told:
    """Is no value counted twice: two gains of one place, or two numbers that overlap?"""
    claims: dict[tuple[object, ...], str] = {}
    for row in case.rows["gains"]:
        if row["kind"] == "sota":
            continue
        key = (row["field"], row["start"], row["end"], *(row[name] for name in _VALUES))
        if claims.setdefault(key, row["gain_id"]) != row["gain_id"]:
            yield "gains", row, "a second gain of the same value and place", claims[key], None
    end: dict[str, int] = {}
    for row in case.rows["numbers"]:
        if row["start"] < end.get(row["field"], 0):
            yield "numbers", row, "it overlaps the number before it", None, row["surface"]
        end[row["field"]] = max(end.get(row["field"], 0), row["end"])


@check(
    "cover", "grounding", "error", "no row of `numbers` holds the `5.2` of the title", of_text=True
)
def _cover(case: Case) -> Told:
    """Does every run of digits of a text lie in a row of numbers?"""
    for field in ("title", "abstract"):
        rows = [row for row in case.rows["numbers"] if row["field"] == field]
        at = 0
        for found in re.finditer(r"[0-9]+", case.text(field)):
            while at < len(rows) and rows[at]["end"] <= found.start():
                at += 1
            if at == len(rows) or rows[at]["start"] > found.start():
                row = {"field": field, "start": found.start(), "end": found.end()}
                yield "papers", row, "digits that no row of numbers holds", None, found[0]


# --- arithmetic ---


@check(
    "arithmetic", "arithmetic", "warning", "a 63.5% improvement (from 19.5 to 31.5): it is 61.5%"
)
def _arithmetic(case: Case) -> Told:
    """Where a text tells both ends and the change, does it compute under any reading?"""
    for field, one in told(case):
        if (wrong := arithmetic.fault(one)) is not None:
            yield (*_claimed(case, field, one), "the change is not that of its ends", *wrong)


@check("other-end", "arithmetic", "note", "from 50 to 100, a 50% increase: 50% of the 100")
def _other_end(case: Case) -> Told:
    """Is a relative change one of the value compared with, and not of the other end?"""
    for field, one in told(case):
        way = arithmetic.reading(one)
        if way is not None and arithmetic.of_other_end(one, way):
            gap = abs(one.last.value - one.first.value)
            ends = {one.first.value, one.last.value}
            should = " or ".join(sorted(f"{100 * gap / end:.1f}%" for end in ends))
            yield (*_claimed(case, field, one), f"it is {way.name}, not of what it is set against",
                   should, f"{one.change.value:g}%")  # fmt: skip


def told(case: Case) -> Iterator[tuple[str, arithmetic.Told]]:
    """Every change told with both its ends, with the field it stands in."""
    for field in ("title", "abstract"):
        for one in _told_in(case.text(field)):
            yield field, one


@lru_cache(maxsize=4)  # three look at the same text in turn
def _told_in(text: str) -> tuple[arithmetic.Told, ...]:
    return tuple(arithmetic.told(text))


def _claimed(case: Case, field: str, one: arithmetic.Told) -> tuple[str, Row]:
    row = claim_of(case, field, one)
    if row is not None:
        return "gains", row
    return "papers", {"field": field, "start": one.start, "end": one.end}


def claim_of(case: Case, field: str, one: arithmetic.Told) -> Row | None:
    """The gain whose value the change is, or else that of its ends."""
    for start, end in ((one.change_start, one.change_end), (one.ends_start, one.ends_end)):
        for row in case.rows["gains"]:
            if row["field"] == field and row["start"] < end and start < row["end"]:
                return row
    return None


@check("told-twice", "arithmetic", "warning", "5.2% in the title, 5.8% in the abstract")
def _told_twice(case: Case) -> Told:
    """Does a result that title and abstract both tell have the same value in both?"""
    seen: dict[tuple[object, ...], Row] = {}
    for row in case.rows["gains"]:
        key = tuple(
            row[name] for name in ("kind", "metric", "benchmark", "model", "direction", "unit")
        )
        if row["value"] is None or row["metric"] is None or row["benchmark"] is None:
            continue
        other = seen.setdefault(key, row)
        if other["field"] != row["field"] and not math.isclose(other["value"], row["value"]):
            half = max(
                0.5 * 10.0 ** -_places(other["surface"]), 0.5 * 10.0 ** -_places(row["surface"])
            )
            if abs(other["value"] - row["value"]) > half * 2:
                yield "gains", row, "told otherwise in the title", other["surface"], row["surface"]


@check("apart", "arithmetic", "warning", "F1 rises from 40 to 50; later: F1 gains 12 points")
def _apart(case: Case) -> Told:
    """Where ends and change of one quantity stand in two sentences, does the change compute?"""
    ends, changes = _by_quantity(case, "from_to"), _by_quantity(case, "delta")
    for key, row in ends.items():
        other = changes.get(key)
        if row is None or other is None or other["sentence_start"] == row["sentence_start"]:
            continue
        if row["qualifiers"] or other["qualifiers"] or other["unit"] not in ("percent", "points"):
            continue
        half = 0.5 * 10.0 ** -_places(row["surface"])
        fine = 0.5 * 10.0 ** -_places(other["surface"])
        unit = "%" if row["unit"] == "percent" else row["unit"]
        one = arithmetic.Told(
            "apart", 0, 0, 0, 0, 0, 0,
            Printed(row["value_from"], unit, half), Printed(row["value_to"], unit, half),
            Printed(other["value"], "%" if other["unit"] == "percent" else "points", fine),
            False, "", "",
        )  # fmt: skip
        if (wrong := arithmetic.fault(one)) is not None:
            yield "gains", other, f"not the change of {row['surface']}", *wrong


def _by_quantity(case: Case, kind: str) -> dict[tuple[object, ...], Row | None]:
    """The gains of a kind by what they are of; None where there are two of one."""
    found: dict[tuple[object, ...], Row | None] = {}
    for row in case.rows["gains"]:
        if row["kind"] == kind and row["metric"] and row["benchmark"] and row["model"]:
            if kind == "delta" and row["value"] is None:
                continue
            key = tuple(row[name] for name in ("metric", "benchmark", "model", "direction"))
            found[key] = None if key in found else row
    return found


def _places(surface: str) -> int:
    found = re.search(r"\d\.(\d+)", surface)
    return len(found[1]) if found else 0


# --- bounds and direction ---

_BOUNDED = re.compile(
    r"(?i)(?:^|[\s-])(?:accurac(?:y|ies)|f1|f-score|f-measure|precision|recall|auc|auroc|auprc|map|"
    r"m?iou|dice|exact match|em|pass@\d+|success rate|win rate|hit rate|mrr|ndcg(?:@\d+)?|"
    r"top-\d+)(?:$|\s)"
)
_LOSSLESS = re.compile(
    r"(?i)(?:memory|cost|time|latency|parameters?|flops|size|tokens?|energy|error|wer|compute|"
    r"usage|hallucinations?|budget|footprint|overhead|storage|computation|power)s?(?:$|\s)"
)


@check("bounds", "bounds", "warning", "an accuracy of 104%; latency lower by 130%")
def _bounds(case: Case) -> Told:
    """Is a level of a metric that ends at 100 below that, and no reduction over 100%?"""
    for row in case.rows["gains"]:
        metric = row["metric"] or ""
        levels = [row[name] for name in _VALUES if row[name] is not None]
        if row["kind"] in ("score", "from_to") and _BOUNDED.search(metric):
            if row["unit"] in ("percent", None) and any(not 0 <= value <= 100 for value in levels):
                yield (
                    "gains",
                    row,
                    f"a level of {metric} outside 0 to 100",
                    "0 to 100",
                    row["surface"],
                )
        elif (
            row["kind"] == "delta"
            and row["unit"] == "percent"
            and row["direction"] == "down"
            and _LOSSLESS.search(metric)
            and any(abs(value) > 100 for value in levels)
        ):
            yield (
                "gains",
                row,
                f"{metric} cannot fall by more than all of it",
                "to 100%",
                row["surface"],
            )


@check("size", "bounds", "warning", "a model of 7,000,000,000,000,000 parameters")
def _size(case: Case) -> Told:
    """Is a size within what there is: up to 100 trillion parameters, 10 quadrillion tokens?"""
    for row in case.rows["sizes"]:
        limit = 1e14 if row["kind"] == "parameters" else 1e16
        if not 0 < row["value"] <= limit:
            yield "sizes", row, f"no such number of {row['kind']}", f"to {limit:g}", row["value"]


@check("p-value", "bounds", "warning", "p = 1.7", of_text=True)
def _p_value(case: Case) -> Told:
    """Is each p-value between 0 and 1?"""
    for field in ("title", "abstract"):
        for found in _P.finditer(folded(case.text(field))):
            if float(found[1]) > 1:
                row = {"field": field, "start": found.start(), "end": found.end()}
                yield "papers", row, "a p-value above 1", "0 to 1", found[1]


_P = re.compile(
    r"(?<![\w@-])p(?:-value\s?(?:of|=|<)|\s?<)\s?(\d{1,4}(?:\.\d+)?)(?![\d.]*\s*[x%e^\d])"
)
_RISE = re.compile(
    r"(?i)(?<![a-z])(?:improv|rais|boost|lift|increas|rises?|rose|grow|grew|climb|elevat)\w*(?![a-z])"
)


@check("direction", "direction", "error", "from 10 to 12, direction `down`")
def _direction(case: Case) -> Told:
    """Does a change from one value to another go the way that its two values do?"""
    for row in case.rows["gains"]:
        if row["value_from"] is None or row["value_to"] is None or row["direction"] is None:
            continue
        goes = "up" if row["value_to"] > row["value_from"] else "down"
        if goes != row["direction"] and row["value_to"] != row["value_from"]:
            yield "gains", row, "its values go the other way", goes, row["direction"]


@check("better", "direction", "warning", "improves perplexity from 10 to 12")
def _better(case: Case) -> Told:
    """Where a text says that a metric improves, is the value after better than the one before?"""
    for row in case.rows["gains"]:
        better = case.declared.better(row["metric"])
        if better is None or row["value_from"] is None or row["value_to"] is None:
            continue
        before = folded(
            case.text(row["field"])[max(row["sentence_start"], row["start"] - 60) : row["start"]]
        )
        if not re.search(r"(?i)(?<![a-z])improv(?:e|es|ed|ing)(?![a-z])[^.;,]{0,58}$", before):
            continue
        goes = "up" if row["value_to"] > row["value_from"] else "down"
        if goes != better and row["value_to"] != row["value_from"]:
            yield (
                "gains",
                row,
                f"said to improve, yet {row['metric']} is better {better}",
                better,
                goes,
            )


@check("verb", "direction", "warning", "reduces accuracy by 5%, direction `up`")
def _verb(case: Case) -> Told:
    """Does a difference go the way that the verb right before it says?"""
    for row in case.rows["gains"]:
        if row["kind"] != "delta" or row["direction"] is None:
            continue
        if re.search(r"[\u2191\u2193]|^[+-]", row["surface"]):
            continue
        before = folded(
            case.text(row["field"])[max(row["sentence_start"], row["start"] - 40) : row["start"]]
        )
        if near := _VERB_BY.search(before):
            goes = "up" if _RISE.fullmatch(near[1]) else "down"
            if goes != row["direction"]:
                yield "gains", row, f"'{near[1]}' says that it goes {goes}", goes, row["direction"]


_VERB_BY = re.compile(
    r"(?i)(?<![a-z-])((?:increas|rais|boost|lift|reduc|decreas|lower)(?:es?|s|ed|ing))"
    r"(?:\s[a-z0-9@-]+){1,2}\sby\s(?:up\sto\s|about\s)?$"
)


# --- completeness ---


@check("no-metric", "completeness", "note", "5.2% on MMLU, of what?")
def _no_metric(case: Case) -> Told:
    """Does each value name its metric?"""
    yield from _lacking(case, "metric", ("delta", "factor", "from_to", "score", "share"))


@check("no-benchmark", "completeness", "note", "an accuracy of 75%, on what?")
def _no_benchmark(case: Case) -> Told:
    """Does each value name what it is measured on?"""
    yield from _lacking(case, "benchmark", ("delta", "from_to", "score"))


@check("no-baseline", "completeness", "note", "better by 5.2%, than what?")
def _no_baseline(case: Case) -> Told:
    """Does each difference and multiple name what it is compared with?"""
    yield from _lacking(case, "baseline", ("delta", "factor", "share"))


def _lacking(case: Case, column: str, kinds: tuple[str, ...]) -> Told:
    for row in case.rows["gains"]:
        if row["kind"] in kinds and row[column] is None:
            yield "gains", row, f"no {column}", None, row["surface"]


@check("unbound", "completeness", "note", "`12.5%` stands in a sentence without a gain")
def _unbound(case: Case) -> Told:
    """Is each percentage, multiple and difference of a text put to some use?"""
    for row in case.rows["numbers"]:
        if row["use"] != "other":
            continue
        text = folded(case.text(row["field"]))
        if _RESULT.match(text, row["end"]) or re.search(r"(?:%|x)$", folded(row["surface"])):
            yield (
                "numbers",
                row,
                "a number that looks like a result and is none",
                None,
                row["surface"],
            )


_RESULT = re.compile(
    r"\s?(?:%|percent|points?(?![a-z])|x(?![A-Za-z0-9])|times\s(?:faster|more|fewer|less))"
)


# --- names ---


def _cut(case: Case, field: str, start: int, end: int) -> str | None:
    text = case.text(field)
    return text[start:end] if 0 <= start < end and (end <= len(text) or start < len(text)) else None


@lru_cache(maxsize=1 << 12)  # the same names come again and again, and a text in several checks
def _plain(text: str) -> str:
    """Letters and digits only, so that LaTeX, dashes and blanks make no difference."""
    text = re.sub(r"\\([A-Za-z]+)", _letter, text) if "\\" in text else text
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def _letter(command: re.Match[str]) -> str:
    """The letter that a LaTeX command stands for; commands of layout are nothing."""
    if command[1] in ("times", "ell"):
        return {"times": "x", "ell": "l"}[command[1]]
    size = "CAPITAL" if command[1][0].isupper() else "SMALL"
    letter = command[1].removeprefix("var").upper().replace("LAMBDA", "LAMDA")
    try:
        return unicodedata.lookup(f"GREEK {size} LETTER {letter}")
    except KeyError:
        return " "


def _stands(name: str, plain: str) -> bool:
    if (bare := _plain(name)) in plain:
        return True
    # Words of a name may stand apart: "Llama2 and 3", "pass@1 and pass@10 rates".
    words = [_plain(word) for word in re.split(r"[\s/-]+", name)]
    return bool(bare) and all(word in plain for word in words)
