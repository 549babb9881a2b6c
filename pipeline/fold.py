"""Folds raw text into text that is easy to match, and leads every match exactly back.

A character is kept as it is, replaced by one other, or deleted; nothing is inserted or moved. So
each folded character has one place in the raw text, and every folded span one raw span.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import regex

_REPLACED = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-"),
    **dict.fromkeys("\u2015", "\u2014"),
    **dict.fromkeys(
        "\t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
        "\u200a\u2028\u2029\u202f\u205f\u3000",
        " ",
    ),
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u2032\uff07", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\uff02", '"'),
    **dict.fromkeys("\xd7\u2715\u2a09", "x"),
    **dict.fromkeys("\u223c\u02dc\uff5e\u2248", "~"),
    **dict.fromkeys("\u2264\u2a7d\uff1c", "<"),
    **dict.fromkeys("\u2265\u2a7e\uff1e", ">"),
    **dict.fromkeys("\u2192\u21d2\u27f6", ">"),
    "\uff05": "%",
    "\uff0c": ",",
    "\uff08": "(",
    "\uff09": ")",
    **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
}
_TABLE = str.maketrans(_REPLACED)

# Commands whose argument is the text, and commands that stand for one sign.
_STYLES = (
    "textbf|textit|texttt|textsc|textsf|textrm|textnormal|textsuperscript|textsubscript|emph|"
    "underline|mathcal|mathbf|mathrm|mathit|mathsf|mathtt|mathbb|boldsymbol|bm|text|mbox|url|href|"
    "operatorname|bf|it|tt|sc|em|large|small|xspace|left|right|displaystyle|ensuremath|uline"
)
_SIGNS = {
    "times": "x",
    "sim": "~",
    "approx": "~",
    "leq": "<",
    "le": "<",
    "lt": "<",
    "geq": ">",
    "ge": ">",
    "gt": ">",
    "rightarrow": ">",
    "to": ">",
    "uparrow": "+",
    "downarrow": "-",
    "pm": "\xb1",
    "cdot": "x",
    "alpha": "\u03b1",
    "beta": "\u03b2",
    "gamma": "\u03b3",
    "lambda": "\u03bb",
    "mu": "\u03bc",
    "pi": "\u03c0",
    "tau": "\u03c4",
    "phi": "\u03c6",
    "epsilon": "\u03b5",
    "infty": "\u221e",
    "ell": "\u2113",
}
_SPECIAL = regex.compile(
    # links stand first: nothing inside one is folded
    r"(?P<link>(?:https?://|www\.)[^\s{}\\<>\"]+)"
    rf"|(?P<style>\\(?:{_STYLES})(?![A-Za-z])\s?(?=[{{\s\\$])|\\(?:{_STYLES})(?![A-Za-z]))"
    rf"|(?P<sign>\\(?:{'|'.join(sorted(_SIGNS, key=len, reverse=True))})(?![A-Za-z]))"
    r"|(?P<escape>\\(?=[%&_#${}]))[%&_#${}]?"
    r"|(?P<thin>\\[,;:!])"
    r"|(?P<junk>[${}\u200b\u200c\u200d\u2060\ufeff\xad]+|(?<!\d)\*\*|\*\*(?!\d))"
    r"|(?P<tie>(?<=\S)~(?=\S))"
    r"|(?P<space>\\ |\\\\)"
)
# without one of these nothing in a text is special
_MAYBE_SPECIAL = ("**", *"\\${}~\u200b\u200c\u200d\u2060\ufeff\xad")
_CLOSER = {"}": "{", "$": "$"}


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text; `places[i]` is the raw index of `text[i]`, or `places` is None: all the same."""

    raw: str
    text: str
    places: Sequence[int] | None = field(default=None, repr=False)

    def raw_span(self, start: int, end: int) -> tuple[int, int]:
        r"""The half-open raw range of a non-empty folded range.

        Braces and dollar signs that belong to the range, though folded away, are taken in, so
        that `$\mathcal{B}$-Coder` is cut whole and not as `B}$-Coder`.
        """
        if self.places is None:
            return start, end
        low, high = self.places[start], self.places[end - 1] + 1
        floor = self.places[start - 1] + 1 if start else 0
        ceiling = self.places[end] if end < len(self.places) else len(self.raw)
        if low > floor or high < ceiling:
            inside = self.raw[low:high]
            before, after = self.raw[floor:low], self.raw[high:ceiling]
            if "{" in before and inside.count("}") > inside.count("{"):
                missing = inside.count("}") - inside.count("{")
                while missing and low > floor:
                    low -= 1
                    missing -= self.raw[low] == "{"
                low = max(floor, floor + _command_start(self.raw[floor:low]))
            elif "{" in after or "}" in after:
                missing = inside.count("{") - inside.count("}")
                while missing > 0 and high < ceiling:
                    missing -= self.raw[high] == "}"
                    high += 1
            inside = self.raw[low:high]
            if inside.count("$") % 2:
                if "$" in self.raw[floor:low]:
                    low = floor + self.raw[floor:low].rindex("$")
                elif "$" in self.raw[high:ceiling]:
                    high += self.raw[high:ceiling].index("$") + 1
        return low, high


def _command_start(before: str) -> int:
    """Where the LaTeX command that ends this text begins; its length when it ends in none."""
    match = regex.search(r"\\[A-Za-z]+\s?$", before)
    return match.start() if match else len(before)


def fold(raw: str) -> Folded:
    """Folds a text: LaTeX commands, braces and dollars go, odd dashes, spaces and signs become
    plain ones. Linear in the length of the text.
    """
    text = raw if raw.isascii() and raw.isprintable() else raw.translate(_TABLE)
    if not any(map(text.__contains__, _MAYBE_SPECIAL)):
        return Folded(raw, text)
    places: list[int] = []
    pieces: list[str] = []
    last = 0

    def keep(start: int, end: int) -> None:
        pieces.append(text[start:end])
        places.extend(range(start, end))

    for match in _SPECIAL.finditer(text):
        start, end = match.span()
        keep(last, start)
        last = end
        kind = match.lastgroup
        if kind == "link":
            keep(start, end)
        elif kind == "sign":
            pieces.append(_SIGNS[match.group()[1:]])
            places.append(start)
        elif kind == "escape":
            keep(start + 1, end)
        elif kind == "tie":
            # "of~99%" is a LaTeX space; "~99%" after a space or bracket means about
            after_open = text[start - 1] in "([<>=/-"
            pieces.append("~" if after_open else " ")
            places.append(start)
        elif kind in ("thin", "space"):
            pieces.append(" ")
            places.append(start)
    keep(last, len(text))
    folded = "".join(pieces)
    if len(folded) == len(text):
        return Folded(raw, folded)
    return Folded(raw, folded, places)


def is_sound(folded: Folded) -> bool:
    """Whether each folded character has one raw place and these rise: what `fold` promises."""
    if folded.places is None:
        return len(folded.raw) == len(folded.text)
    return len(folded.places) == len(folded.text) and all(a < b for a, b in pairwise(folded.places))
