"""The numbers of a text, read anew and on purpose not with the extractors' grammar.

What the audit says of a row must not rest on the code that made the row. This reader is simple: it
knows digits, decimals, thousands, a magnitude, a unit, and how exactly a number was printed.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

# Each is replaced by as many characters, so that places stay what they are.
_FOLDED = str.maketrans(
    {
        "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2212": "-",
        "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2007": " ", "\u200a": " ", "\u2192": ">",
        "\u00d7": "x", "\uff05": "%", "\u2248": "~", "\u223c": "~", "$": " ", "{": " ", "}": " ",
        "\n": " ", "\t": " ", "\r": " ", "*": " ", "\u2217": " ",
    }
)  # fmt: skip
_COMMANDS = (
    (re.compile(r"\\%"), " %"),
    (re.compile(r"\\(?:rightarrow|longrightarrow|to)(?![A-Za-z])"), ">"),
    (re.compile(r"\\times(?![A-Za-z])"), "x"),
    (re.compile(r"\\(?:sim|approx|simeq)(?![A-Za-z])"), "~"),
    (
        re.compile(r"\\(?:textbf|mathbf|textit|emph|text|mathrm|bf|it|boldsymbol|bm)(?![A-Za-z])"),
        "",
    ),
    (re.compile(r"\\[,;:! ]"), ""),
    (re.compile(r"->"), " >"),
)

# thousands in groups, a decimal comma ("70,3%"), or plain digits
NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d{1,2},\d{1,2}(?![\d,])|\d+)(?:\.\d+)?|(?<![\w.)])\.\d+"
_MAGNITUDES = {
    "k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "b": 1e9, "billion": 1e9, "t": 1e12,
    "trillion": 1e12, "hundred": 1e2, "bn": 1e9, "mn": 1e6, "g": 1e9,
}  # fmt: skip
MAGNITUDE = r"[KkMBT](?![A-Za-z])|\s?(?:thousand|million|billion|trillion)(?![A-Za-z])"
_UNITS = {
    "%": "%", "percent": "%", "per cent": "%", "percentage points": "points",
    "percentage point": "points", "percent points": "points", "pp": "points", "pps": "points",
    "% points": "points", "%p": "points", "points": "points", "point": "points", "pts": "points",
    "x": "x", "times": "x", "fold": "x",
}  # fmt: skip
# What a unit of time counts in seconds, of memory in bytes: two of one kind can be compared.
SCALES: dict[str, tuple[str, float]] = {
    "s": ("time", 1.0), "sec": ("time", 1.0), "secs": ("time", 1.0), "seconds": ("time", 1.0),
    "second": ("time", 1.0), "ms": ("time", 1e-3), "milliseconds": ("time", 1e-3),
    "us": ("time", 1e-6), "minutes": ("time", 60.0), "minute": ("time", 60.0),
    "min": ("time", 60.0), "mins": ("time", 60.0), "hours": ("time", 3600.0),
    "hour": ("time", 3600.0), "h": ("time", 3600.0), "days": ("time", 86400.0),
    "day": ("time", 86400.0), "weeks": ("time", 604800.0), "KB": ("memory", 1e3),
    "kB": ("memory", 1e3),
    "MB": ("memory", 1e6), "GB": ("memory", 1e9), "TB": ("memory", 1e12),
}  # fmt: skip
UNIT = (
    r"\s?-?(?:percentage|percent|%)[\s-]points?(?![a-z])|\s?%p(?![a-z])|\s?pps?(?![a-z])|\s?%|"
    r"\s?-?percent(?![a-z])|\sper\scent(?![a-z])|\s?-?points?(?![a-z])|\spts(?![a-z])|"
    r"\s?x(?![A-Za-z0-9])|[\s-]times(?![a-z])|[\s-]?folds?(?![a-z])|"
    r"\s?(?:seconds?|secs?|ms|milliseconds|minutes?|mins?|hours?|days?|weeks|[kK]B|MB|GB|TB|"
    r"mm|cm|km|[mk]?J|[mk]?W|[kMG]?Hz|[kM]?Wh|EUR|USD|tokens|FPS|fps|dB|degrees|mAP|[GMT]?FLOPs|words|"
    r"bits|bpp|BLEU|examples|epochs|steps)(?![A-Za-z])|"
    r"\s?[sh](?![A-Za-z'-])"
)


def folded(text: str) -> str:
    """The text with LaTeX and odd signs made plain; every other character keeps its place."""
    text = text.translate(_FOLDED)
    if "\\" in text or "->" in text:
        for pattern, sign in _COMMANDS:
            text = pattern.sub(lambda found, sign=sign: sign.rjust(len(found[0])), text)  # type: ignore[misc]
    return text


@dataclass(frozen=True, slots=True)
class Printed:
    """A number as printed: its value, its unit, and half of what its last digit counts."""

    value: float
    unit: str | None
    half: float
    sign: str = ""
    scale: float = 1.0

    @property
    def low(self) -> float:
        """The least it may have been before it was rounded."""
        return self.value - self.half

    @property
    def high(self) -> float:
        """The most it may have been."""
        return self.value + self.half


def printed(digits: str, magnitude: str | None, unit: str | None, sign: str = "") -> Printed:
    """What these parts of a number say, as NUMBER, MAGNITUDE and UNIT find them."""
    grouped = len(digits) - digits.rfind(",") - 1 == 3 or "." in digits
    plain = digits.replace(",", "" if grouped else ".")
    decimals = len(plain.partition(".")[2])
    many = _MAGNITUDES.get((magnitude or "").strip(" -").lower(), 1.0)
    named = (unit or "").strip().lstrip("-").strip()
    known = _UNITS.get(re.sub(r"[\s-]+", " ", named.lower()).removesuffix("s")) or _UNITS.get(
        re.sub(r"[\s-]+", " ", named.lower())
    )
    half = 0.5 * 10.0**-decimals * many
    return Printed(float(plain) * many, known or named or None, half, sign.strip())


def decimals(half: float) -> int:
    """How many places after the point a number has whose last digit counts twice this."""
    return max(0, min(4, round(-math.log10(2 * half))))
