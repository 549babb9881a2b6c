"""Sizes: parameters of models, tokens of text, items of data.

"LLaMA-2-7B" (parameters, within a name), "360 million parameters", "20 billion tokens",
"29M image-text pairs", "1,319 questions"; not "32K context", "8xA100-40G" or "128 layers".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import regex

from pipeline.language import Text
from pipeline.numbers import Quantity
from pipeline.records import Size, SizeKind
from pipeline.rules import Entry, Rules

_AFTER = regex.compile(
    r"[\s-]*(?:\(|of\s)?(?:(?!(?:and|or|to|in|on|for|with|the|is|are|from|by|we|our|model|parameters?|which|that|than|at)(?![\w-]))[\p{L}\d/'+&.-]+(?<![.])[\s]+){0,4}?"
)
_SMALLEST = 1_000
_CONTEXT = regex.compile(
    r"[\s-]*(?:token\s)?(?:context|window|sequence|steps?|iterations?|resolution|pixels?|frames?|hours?|epochs?|gpu|"
    r"dimension|languages?|tasks?|classes|downloads|users|times|layers|citations?|stars|cost|characters? per|budget)",
    regex.IGNORECASE,
)
_LENGTH = regex.compile(
    r"(?:context|contexts|sequence|length|lengths|window|windows|inputs?|long|up to|as long as|beyond|extend\w*)(?:\s\w+){0,3}\s(?:of\s|to\s|as\s|up\sto\s|over\s)*$",
    regex.IGNORECASE,
)
_GPU = regex.compile(r"(?:[AHVLT]\d{2,3}|RTX|GPU|GB)[-\s]*$|x[AHV]\d+-$")
_MODEL_AFTER = regex.compile(
    r"[\s-]*(?:\)\s?)?(?:[\p{L}-]+\s){0,3}?(?:models?|LLMs?|LMs?|language models?|variants?|backbones?|network|transformers?|VLMs?|MLLMs?|versions?|scales?|parameters?|counterparts?|baselines?|checkpoints?|dense|MoE|active|activated|family|decoder|encoder|params|agents?|policy|VLA|-scale|-sized?|and\s\d+(?:\.\d+)?B|level|(?:open|larger|smaller|base|foundation|instruct))(?![a-z])"
)


@dataclass(frozen=True, slots=True)
class SizeMention:
    """One mention of a size in a folded text, its kind and absolute value."""

    text: Text
    start: int
    end: int
    kind: SizeKind
    value: int
    rule: str
    model: str | None = None


class Sizes:
    """Finds sizes; built once from the rules."""

    def __init__(self, rules: Rules) -> None:
        self._entries = {entry.key: entry for entry in rules.entries["sizes"]}
        self._nouns: list[tuple[regex.Pattern[str], Entry]] = []
        for entry in rules.entries["sizes"]:
            nouns = sorted(entry["phrases"], key=len, reverse=True)
            choice = "|".join(regex.escape(noun, literal_spaces=True) for noun in nouns)
            self._nouns.append((regex.compile(rf"(?:{choice})(?![\p{{L}}-])", regex.IGNORECASE), entry))

    def find(
        self, text: Text, quantities: Sequence[Quantity], names: Sequence[tuple[int, int, str, bool]]
    ) -> list[SizeMention]:
        """The sizes of a field. `names` are the places of names: start, end, name, is a model."""
        found = []
        for quantity in quantities:
            for start, end, value in quantity.parts:
                mention = self._size(text, quantity, start, end, value, names)
                if mention is not None:
                    found.append(mention)
        return found

    def _size(
        self, text: Text, q: Quantity, start: int, end: int, part: float | None,
        names: Sequence[tuple[int, int, str, bool]],
    ) -> SizeMention | None:
        if part is None or q.ordinal or q.shape in ("percent", "factor", "points"):
            return None
        folded = text.text
        value = part * (q.magnitude or 1.0)
        if not value.is_integer():
            value = round(value)
        if value < _SMALLEST or value > 1e18:  # noqa: PLR2004
            return None
        inside = next((n for n in names if n[0] <= start and end <= n[1]), None)
        letter = folded[end - 1 : end] if q.magnitude else ""
        if inside is not None:
            if not q.magnitude or letter not in "BbMT":
                return None
            before = folded[start - 1 : start]
            if before.isalpha() and before != "x":
                return None
            if inside[3]:
                return self._mention(text, start, end, "parameters", value, "parameters-in-name", inside[2])
            kind: SizeKind = "tokens" if value >= 1e9 else "examples"  # noqa: PLR2004
            return self._mention(text, start, end, kind, value, "size-in-data-name", None)
        if _GPU.search(folded, max(0, start - 12), start) or letter == "G":
            return None
        if start and (folded[start - 1].isalpha() or folded[start - 1] in "-_/#" and folded[start - 2 : start - 1].isalpha() and not q.magnitude):
            return None
        rest = folded[end : end + 90]
        if q.shape == "unit" and q.unit and not q.unit.startswith("token"):
            return None
        if _CONTEXT.match(rest) or (q.unit or "").startswith("token") and _LENGTH.search(folded, max(0, start - 60), start):
            return None
        if q.unit and q.unit.startswith("token"):
            if "/" in q.unit or "per" in q.unit:
                return None
            return self._mention(text, start, end, "tokens", value, "tokens", None)
        gap = regex.match(r"[\s-]*\(?(?:(?:of\s)?(?!(?:and|or|to|in|on|for|with|is|are|from|by|we|our|which|that|than|at|per|across|over|against)\b)[\p{L}\d][\p{L}\d/'+&-]*,?[\s-]+){0,5}?", rest)
        for pattern, entry in self._nouns:
            match = regex.match(
                r"[\s-]*\(?(?:(?:of\s)?(?!(?:and|or|to|in|on|for|with|is|are|from|by|we|our|which|that|than|at|per|across|over|against|model|models)\b)[\p{L}\d][\p{L}\d/'+&-]*,?[\s-]+){0,4}?" + pattern.pattern,
                rest,
                regex.IGNORECASE,
            )
            if match is None:
                continue
            kind = entry["kind"]
            direct = regex.match(r"[\s-]?" + pattern.pattern, rest, regex.IGNORECASE)
            if kind == "tokens" and _LENGTH.search(folded, max(0, start - 60), start):
                return None
            if kind == "parameters":
                model = self._model_near(text, start, end, names)
                return self._mention(text, start, end + (direct.end() if direct else 0), kind, value, entry.key, model)
            if kind == "examples" and not q.magnitude and value in range(1900, 2100) and "," not in folded[start:end]:
                return None
            return self._mention(text, start, end + (direct.end() if direct else 0), kind, value, entry.key, None)
        del gap
        if q.magnitude and letter in "Bb" or (letter in "M" and _MODEL_AFTER.match(rest)) or (folded[start:end].endswith(("billion", "B")) and _MODEL_AFTER.match(rest)):
            if letter == "b" and not _MODEL_AFTER.match(rest):
                return None
            return self._mention(text, start, end, "parameters", value, "parameters-bare", self._model_near(text, start, end, names))
        if letter == "T" and regex.match(r"[\s-]*(?:tokens?|corpus|data|multimodal|pre-?training)", rest):
            return self._mention(text, start, end, "tokens", value, "tokens", None)
        if letter == "T" and _MODEL_AFTER.match(rest):
            return self._mention(text, start, end, "parameters", value, "parameters-bare", self._model_near(text, start, end, names))
        return None

    def _mention(
        self, text: Text, start: int, end: int, kind: SizeKind, value: float, rule: str, model: str | None
    ) -> SizeMention:
        if regex.match(r"\d+x$", text.text[max(0, start - 3) : start]):
            times = regex.search(r"(\d+)x$", text.text[max(0, start - 3) : start])
            if times:
                value *= int(times[1])
                start -= len(times[0])
        return SizeMention(text, start, end, kind, int(value), f"sizes/{rule}", model)

    def _model_near(
        self, text: Text, start: int, end: int, names: Sequence[tuple[int, int, str, bool]]
    ) -> str | None:
        """The model a size belongs to: "X (7B)", "X with 7B parameters", "the 7B X"."""
        folded = text.text
        low, high = text.sentence_of(start)
        before = [n for n in names if n[3] and low <= n[0] and n[1] <= start]
        if before:
            near = before[-1]
            gap = folded[near[1] : start]
            if regex.fullmatch(r"(?:\s?\(|,?\s(?:model\s|models\s)?(?:with|of|has|have|having|is|a|at|using|\(|contains?|comprising|consists? of|and|,|in|from|only|just|merely|about|up to|sizes?|scales?|ranging|[\d.]+[BbMm],?|parameters?|an?|the|available|which|total|models?|[\p{L}-]+)(?:[\s,(]|$)){1}(?:[\p{L}\d.,-]+[\s(-]?){0,6}", gap):
                return near[2]
        after = [n for n in names if n[3] and n[0] >= end and n[1] <= high]
        if after and regex.fullmatch(r"[\s-]*(?:parameters?|params)?[\s-]*(?:parameter\s)?", folded[end : after[0][0]]):
            return after[0][2]
        return None


def distinct(mentions: Sequence[SizeMention]) -> list[Size]:
    """One record per distinct size of a paper: kind, value and model; at its first mention."""
    found: dict[tuple[str, int, str | None], SizeMention] = {}
    for mention in mentions:
        found.setdefault((mention.kind, mention.value, mention.model), mention)
    kept = [
        m for (kind, value, model), m in found.items()
        if model is not None or not any(k == kind and v == value and o for k, v, o in found)
    ]
    return [
        Size(span=m.text.span(m.start, m.end), rule=m.rule, kind=m.kind, value=m.value, model=m.model)
        for m in kept
    ]
