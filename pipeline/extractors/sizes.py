"""Sizes: parameters of models, tokens of text, items of data.

"LLaMA-2-7B" (parameters, within a name), "360 million parameters", "20 billion tokens",
"29M image-text pairs", "1,319 questions"; not "32K context", "8xA100-40G" or "128 layers".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import regex

from pipeline.language import Text
from pipeline.numbers import Quantity
from pipeline.records import Size, SizeKind
from pipeline.rules import Entry, Rules
from pipeline.skeleton import Item

_COUNTS = {
    word: count
    for count, word in enumerate(
        "one two three four five six seven eight nine ten eleven twelve".split(), start=1
    )
} | {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "hundred": 100}
_MAGNITUDES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_SMALLEST, _LARGEST = 1_000, 10**18
_LONGEST_CONTEXT = 10**8  # tokens; what models read at once is below, what they train on above
# what a noun phrase may hold between a number and the noun that is counted
_BETWEEN = (
    r"[\s-]*\(?(?:(?:of\s)?(?!(?:and|or|to|in|on|for|with|is|are|was|were|from|by|we|our|which|that|than|at|per|across|over|"
    r"against|as|while|model|models|using|via|can|has|have)(?![\w-]))[\p{L}\d][\p{L}\d/'+&.-]*(?<!\.),?[\s-]+){0,4}?"
)
_LISTED_KINDS = regex.compile(r" \p{Lu}[\p{L}-]+(?:,| and|, and) ")
# "13.6k probes (10.5k for fine-tuning and 3.1k for testing)"
_SPLIT = re.compile(
    r" for (?:training|fine-tuning|testing|evaluation|validation|development|dev|test)\b"
)
_COUNTS_NEAR = regex.compile(r"\d[\d.,]*[kKM]?\s(?:[\p{L}-]+\s){1,4}\((?:[^()]{0,60}\band\s)?$")
_COUNTED = regex.compile(_BETWEEN + r"(?P<noun>\p{Ll}{3,}s)(?![\p{L}-])")
_NEVER_COUNTED = frozenset(
    "tokens steps iterations languages tasks classes categories hours days years months weeks minutes seconds times layers dollars users"
    " downloads gpus tpus epochs pixels flops stars citations frames views characters contexts lengths bits bytes is has was does this its"
    " less plus across domains parameters operations dimensions runs updates calls rounds generations evaluations experiments sizes costs models agents".split()
)
_NOT_A_SIZE = re.compile(
    r"[\s-]*(?:token\s)?(?:contexts?|windows?|sequences?\slength|length|steps?|iterations?|resolution|pixels?|frames?\sper|hours?|"
    r"epochs?|gpus?|dimension|languages?|tasks?|classes|downloads|users|times|layers|citations?|stars|cost|characters? per|budget|"
    r"USD|dollars|FLOPs?|Hz|x\s?\d)",
    re.IGNORECASE,
)
_LENGTH = re.compile(
    r"(?:contexts?|sequences?|lengths?|windows?|inputs?|long|up to|as long as|beyond|extend\w*|every|within)(?:\s\w+){0,3}\s(?:of\s|to\s|as\s|up\sto\s|over\s)*$",
    re.IGNORECASE,
)
_GPU = re.compile(r"(?:[AHVLT]\d{2,3}|RTX|GPU|GB)[-\s]*$|x[AHV]\d+-$")
_PARAMETERS_BEFORE = re.compile(
    r"(?:parameters?|parameter\scounts?|parameter\ssizes?|model\ssizes?|model\sscales?|models?)\s(?:\(|from\s|of\s|ranging\sfrom\s|between\s|sizes?\s|counts?\s|up\sto\s|as\ssmall\sas\s|with\s|at\s){1,3}"
    r"(?:(?<=from\s)[\d.,]+\s?(?:[KMBT]|million|billion|trillion)?\s(?:up\s)?to\s)?$",
    re.IGNORECASE,
)
_MODEL_AFTER = regex.compile(
    r"[\s-]*\)?[\s-]*(?:[\p{L}-]+\s){0,3}?(?:models?|LLMs?|LMs?|variants?|backbones?|networks?|transformers?|VLMs?|MLLMs?|versions?|"
    r"scales?|counterparts?|baselines?|checkpoints?|dense|MoE|active|activated|family|decoder|encoder|params|agents?|policy|VLA|"
    r"sized?|level|open|larger|smaller|base|foundation|instruct)(?![a-z])"
)
# "a 1.6 billion model", but not "1.6 million models": these are counted
_NAMED_AFTER = regex.compile(r"(?![\s-]*(?:[\p{L}-]+\s){0,2}models\b)" + _MODEL_AFTER.pattern)
# "a 2B Vision-Language Retriever", whatever follows it
_NETWORK_NEXT = regex.compile(
    r"[\s-]*(?:[\p{L}-]+\s){0,2}?(?i:retriever|encoder|decoder|reranker|embedder|tokenizer)s?(?![\w-])"
)
_FEW = 100
_NO_SIZES = frozenset(("percent", "factor", "points"))
# "1,809 annotated obituaries", "9,000 quality guaranteed environments"
_MADE = regex.compile(
    r"\s(?:[\p{Ll}-]+\s)?(?:annotated|labell?ed|curated|verified|handcrafted|crowdsourced|guaranteed)\s"
    r"(?:\p{Ll}+\s){0,2}(?P<noun>\p{Ll}{3,}s)(?![\p{L}-])"
)
_WITH_SIZE = re.compile(
    r"\s?\(|,?\s(?:(?:model|models|with|of|has|have|having|is|a|an|at|using|contains?|comprising|consists?|and|in|from|only|just|merely|"
    r"about|up|to|size|sizes|scale|scales|ranging|the|available|which|total|parameters?|over|approximately|around|architecture|that)[\s,(]*)+"
    r"(?:[\d.]+\s?(?:[BbMm]|billion|million)?(?:,\s?|\sand\s|\sto\s|,\sand\s|-))*"
)
# what ties an amount of data to the model before it
_LEARNT_FROM = re.compile(
    r"\b(?:pre-?train|train|fine-?tun|finetun|tun|align)(?:ed|s|ing|e|es)?\b[^.;:]{0,60}?"
    r"\b(?:on|with|using|from|over)\s[^.;:]{0,40}$"
    r"|\b(?:using|uses|used|with\sonly|with\sjust)\s(?:only\s|just\s|about\s|over\s|~|approximately\s|around\s|more\sthan\s){0,2}$",
    re.IGNORECASE,
)
_LISTED = re.compile(r",?\s?(?:and|or|to|,|/|-|&|~)\s?|,\s")


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


@dataclass(slots=True)
class _Place:
    """Where a name stands, and whether it names a model."""

    start: int
    end: int
    name: str
    is_model: bool


def _may_be_size(q: Quantity) -> bool:
    """Whether a number is of the kind and magnitude of a size; most are not."""
    absolute = q.absolute
    return (
        absolute is not None
        and _SMALLEST <= round(absolute) <= _LARGEST
        and not q.ordinal
        and q.shape not in _NO_SIZES
    )


class Sizes:
    """Finds sizes; built once from the rules."""

    def __init__(self, rules: Rules) -> None:
        self._nouns: list[tuple[regex.Pattern[str], regex.Pattern[str], Entry]] = []
        for entry in rules.entries["sizes"]:
            if not entry["phrases"]:
                continue
            nouns = sorted(entry["phrases"], key=len, reverse=True)
            choice = "|".join(regex.escape(noun, literal_spaces=True) for noun in nouns)
            noun = rf"(?:{choice})(?:(?<=s)|(?![\p{{L}}-]))(?!\p{{L}})"
            self._nouns.append(
                (
                    regex.compile(_BETWEEN + noun, regex.IGNORECASE),
                    regex.compile(r"[\s-]?" + noun, regex.IGNORECASE),
                    entry,
                )
            )

    def find(
        self,
        text: Text,
        quantities: Sequence[Quantity],
        names: Sequence[Item],
        own: str | None,
    ) -> list[SizeMention]:
        """The sizes of a text; `names` are the places of its names, models marked M, and `own` is
        the model that the paper proposes.
        """
        if spelt := _spelt(text.text):
            quantities = sorted((*quantities, *spelt), key=lambda q: q.start)
        if not any(map(_may_be_size, quantities)):
            return []
        places = [_Place(item.start, item.end, item.of, item.symbol == "M") for item in names]
        found = [self._size(text, q, places, own) if _may_be_size(q) else None for q in quantities]
        # "210 million to 1 billion parameters", "1B, 3B and 7B models": the last noun counts for all
        for i in reversed(range(len(quantities) - 1)):
            after = found[i + 1]
            if found[i] is None and after is not None and after.rule not in _NAMED:
                q, other = quantities[i], quantities[i + 1]
                glue = text.text[q.end : other.start]
                scale = q.magnitude or (
                    other.magnitude if glue.strip() in ("-", "to", "to over") else None
                )
                if after.kind == "examples" and _LISTED_KINDS.fullmatch(glue):
                    scale = scale or 1  # "1,200 Danish, 900 Dutch and 300 Finnish questions"
                elif not _LISTED.fullmatch(glue):
                    scale = None
                if scale and q.value is not None and q.shape == "number":
                    value = q.value * scale
                    if _SMALLEST <= value <= _LARGEST:
                        found[i] = replace(after, start=q.start, end=q.end, value=round(value))
        for i, (one, two) in enumerate(pairwise(quantities)):
            before = found[i]
            if (
                found[i + 1] is None
                and before is not None
                and two.magnitude
                and before.kind == "parameters"
            ) and (
                _LISTED.fullmatch(text.text[one.end : two.start])
                and before.rule not in _NAMED
                and two.value
            ):
                found[i + 1] = replace(
                    before, start=two.start, end=two.end, value=round(two.value * two.magnitude)
                )
        return [mention for mention in found if mention is not None]

    def _size(
        self, text: Text, q: Quantity, places: Sequence[_Place], own: str | None
    ) -> SizeMention | None:
        value, folded = round(q.absolute or 0), text.text
        letter = folded[q.end - 1] if q.magnitude and folded[q.end - 2].isdigit() else ""
        for place in places:
            if place.start <= q.start and q.end <= place.end:
                return self._in_name(text, q, value, letter, place)
        before = folded[max(0, q.start - 2) : q.start]
        in_word = before[-1:].isalpha() or before[-1:] in ("_", "#", "@")
        if in_word or (before[-1:] == "-" and before[:1].isalnum() and not q.magnitude):
            return None
        if letter == "G" or _GPU.search(folded, max(0, q.start - 12), q.start):
            return None
        rest = folded[q.end : q.end + 100]
        if _NOT_A_SIZE.match(rest):
            return None
        is_length = _LENGTH.search(folded, max(0, q.start - 60), q.start) is not None
        if q.shape == "unit":
            plain = (q.unit or "").lower() in ("token", "tokens")
            if not plain or (is_length and value < _LONGEST_CONTEXT):
                return None
            mention = self._mention(text, q, value, "tokens", "tokens")
            return replace(mention, model=_learner(text, q, places, own))
        if letter and letter in "BM" and _NETWORK_NEXT.match(rest):
            mention = self._mention(text, q, value, "parameters", "parameters-bare")
            return replace(mention, model=_holder(text, q, places, own))
        for within, direct, entry in self._nouns:
            if not within.match(rest):
                continue
            kind: SizeKind = entry["kind"]
            if kind == "tokens" and is_length and value < _LONGEST_CONTEXT:
                return None
            if (
                kind == "examples"
                and not q.magnitude
                and 1900 <= value < 2100
                and "," not in folded[q.start : q.end]
            ):
                return None
            unit = direct.match(rest)
            mention = self._mention(text, q, value, kind, entry.key, unit.end() if unit else 0)
            if kind == "parameters":
                return replace(mention, model=_holder(text, q, places, own))
            return replace(mention, model=_learner(text, q, places, own))
        is_parameters = bool(q.magnitude) and (
            letter == "B"
            or (letter in "bMT" and letter != "" and _MODEL_AFTER.match(rest) is not None)
            or (not letter and _NAMED_AFTER.match(rest) is not None and value >= 1e6)
            or _PARAMETERS_BEFORE.search(folded, max(0, q.start - 60), q.start) is not None
        )
        if letter == "T" and regex.match(
            r"[\s-]*(?:tokens?|corpus|data|multimodal|pre-?training)", rest
        ):
            mention = self._mention(text, q, value, "tokens", "tokens")
            return replace(mention, model=_learner(text, q, places, own))
        if is_parameters:
            mention = self._mention(text, q, value, "parameters", "parameters-bare")
            return replace(mention, model=_holder(text, q, places, own))
        counted, made = _COUNTED.match(rest), _MADE.match(rest)
        split = _SPLIT.match(rest) and _COUNTS_NEAR.search(folded, max(0, q.start - 120), q.start)
        if (
            split
            or (q.magnitude and counted and counted["noun"] not in _NEVER_COUNTED)
            or (made and value >= _FEW and made["noun"] not in _NEVER_COUNTED)
        ):
            mention = self._mention(text, q, value, "examples", "counted-things")
            return replace(mention, model=_learner(text, q, places, own))
        return None

    def _in_name(
        self, text: Text, q: Quantity, value: int, letter: str, name: _Place
    ) -> SizeMention | None:
        before = text.text[q.start - 1 : q.start]
        if letter not in ("B", "b", "M", "m", "T") or (before.isalpha() and before != "x"):
            return None
        if name.is_model:
            mention = self._mention(text, q, value, "parameters", "parameters-in-name")
            return replace(mention, model=name.name)
        kind: SizeKind = "tokens" if value >= 1e9 else "examples"
        return self._mention(text, q, value, kind, "size-in-data-name")

    def _mention(
        self, text: Text, q: Quantity, value: int, kind: SizeKind, rule: str, unit: int = 0
    ) -> SizeMention:
        start = q.start
        times = regex.search(r"(?<!\d)(\d{1,2})x$", text.text[max(0, start - 4) : start])
        if times and kind == "parameters":
            # a mixture of experts: "8x7B" is 56 billion
            value *= int(times[1])
            start -= len(times[0])
        return SizeMention(text, start, q.end + unit, kind, value, f"sizes/{rule}")


_NAMED = ("sizes/parameters-in-name", "sizes/size-in-data-name")


_SPELT = re.compile(
    rf"(?<![\w-])(?P<count>{'|'.join(_COUNTS)})[\s-](?P<magnitude>thousand|million|billion|trillion)(?!\w)",
    re.IGNORECASE,
)


def _spelt(text: str) -> list[Quantity]:
    """Amounts in words: "three billion". They hold no digits and are no rows of `numbers`."""
    found: list[Quantity] = []
    if "illion" not in text and "housand" not in text:
        return found
    for match in _SPELT.finditer(text):
        count = float(_COUNTS[match["count"].lower()])
        magnitude = _MAGNITUDES[match["magnitude"].lower()]
        found.append(Quantity(*match.span(), "number", count, magnitude=magnitude))
    return found


def _holder(text: Text, q: Quantity, places: Sequence[_Place], own: str | None) -> str | None:
    """The model that has a number of parameters: "X (7B)", "X with 7B parameters", "the 7B X"."""
    folded = text.text
    low, high = text.sentence_of(q.start)
    models = _models_in(folded, places, low, high)
    before = [p for p in models if p.end <= q.start]
    if _OF_MANY.search(folded, low, q.start):
        return None
    only = _WITH_ONLY.search(folded, low, q.start)
    if only and before and _BEATEN.search(folded, low, before[-1].start):
        return own
    if before and (
        _WITH_SIZE.fullmatch(folded, before[-1].end, q.start)
        or _APPOSED.fullmatch(folded, before[-1].end, q.start)
    ):
        return before[-1].name
    after = [p for p in models if p.start >= q.end]
    if after and regex.fullmatch(
        r"[\s-]*(?:parameters?|params)?[\s-]*(?:parameter\s)?(?:\p{L}+\s)?",
        folded[q.end : after[0].start],
    ):
        return after[0].name
    if after and regex.fullmatch(
        r"[^.;:]{0,30},\s(?:our\s|the\s)?", folded[q.end : after[0].start]
    ):
        return after[0].name  # "With 360 million parameters, X"
    if not before and _OWN_SCALES.search(folded, low, q.start):
        return own
    if only or ({p.name for p in models} <= {own} and _SCALED.search(folded, low, q.start)):
        return own
    return _only(folded, q, models)


def _learner(text: Text, q: Quantity, places: Sequence[_Place], own: str | None) -> str | None:
    """The model trained on an amount of data: "X is trained on 2T tokens", "X (500M tokens)"."""
    folded = text.text
    low, high = text.sentence_of(q.start)
    models = _models_in(folded, places, low, high)
    before = [p for p in models if p.end <= q.start]
    if before and _BRACKET.fullmatch(folded, before[-1].end, q.start):
        return before[-1].name
    if before and _TRAINED_ON.fullmatch(folded, before[-1].end, q.start):
        return before[-1].name
    used = _USED_BY.match(folded, q.end)
    if used:
        return next((p.name for p in models if p.start == used.end()), None)
    trained = _LEARNT_FROM.search(folded, low, q.start)
    if trained is None:
        return None
    if not before:
        return own if _OWN_MODEL.search(folded, low, q.start) else None
    return _only(folded, q, before)


def _models_in(folded: str, places: Sequence[_Place], low: int, high: int) -> list[_Place]:
    """The models of a sentence, less those that others are like: "a LLaMA-based model"."""
    return [
        p
        for p in places
        if p.is_model
        and low <= p.start
        and p.end <= high
        and not folded.startswith(("-based", "-like", "-style"), p.end)
    ]


def _only(folded: str, q: Quantity, models: Sequence[_Place]) -> str | None:
    """The one model that a sentence speaks of before a size, if nothing else can have it."""
    before = [p for p in models if p.end <= q.start]
    if len({p.name for p in models}) != 1 or not before:
        return None
    return None if _OTHER_MODEL.search(folded, before[-1].end, q.start) else before[-1].name


_BRACKET = re.compile(r"\s?\(")
# "X, a fully open 1.7B-parameter model"
_APPOSED = re.compile(r",\s(?:a|an|our|the)\s[^,.;:()]{0,90}|,\s(?:a|an|our|the)\s[^.;:()]{0,60}")
# "beats baselines such as Y with only 8B parameters", "while adding fewer than 10M parameters"
_WITH_ONLY = re.compile(
    r"\b(?:(?:with|using|adding|training|requiring|having)\s(?:only|just|merely|as\sfew\sas)\s(?:about\s|around\s)?"
    r"|(?:even\swith|while\s\w+ing)\s(?:only\s|fewer\sthan\s|less\sthan\s|just\s)?)$"
)
# "ZapTune helps across different model sizes (1B and 7B)"
_OF_MANY = re.compile(
    r"\bacross\s(?:\d+(?:\.\d+)?[BM]\s?(?:-|to|and)\s?)?$"
    r"|\b(?:across|different|various|multiple|several|varying)\s(?:\w+\s){0,2}(?:sizes|scales|LMs|LLMs|models|backbones)\s?"
    r"\((?:from\s)?(?:[\d.]+\s?[BM]?(?:,?\sand\s|,\s|\sto\s|-|\s))*$"
)
_BEATEN = re.compile(
    r"\b(?:than|over|beat\w*|outperform\w*|surpass\w*|exceed\w*|such\sas|like|including)\s(?:the\s|a\s)?$"
)
# "where its number of parameters goes from 100 million to 2 billion"
_SCALED = re.compile(
    r"\bnumber\sof\sparameters\s(?:from|to)\s[^.;]{0,30}$|\bscal(?:e|ed|es|ing)\s(?:\w+\s){0,3}(?:up\s)?to\s$"
)
# "surpasses X, pretrained on over 3.3T tokens"
_TRAINED_ON = re.compile(
    r",\s(?:which\s(?:is|was)\s)?(?:pre-?)?trained\s(?:on|with|using)\s(?:over\s|about\s|more\sthan\s|around\s)?"
)
_USED_BY = re.compile(r"[\s\w-]{0,30}\s(?:used|seen|consumed|needed|required)\sby\s")
# "We develop models at multiple scales: 2B, 9B"
_OWN_SCALES = re.compile(
    r"\b[Ww]e\s(?:\w+\s){0,2}(?:train|develop|release|introduce|build|propose|offer|provide|open-source)\w*\s[^.;]{0,60}"
    r"\b(?:scales|sizes|from)\b[^.;]{0,30}$"
)
_OWN_MODEL = re.compile(
    r"\b(?:[Ww]e|[Oo]ur|[Ii]t|[Tt]he|[Tt]his|[Tt]he proposed|[Tt]he resulting)\s(?:model\s)?"
)
# between a model and a size: a word that gives the size to something else
_OTHER_MODEL = re.compile(
    r"\b(?:our|than|over|compared|outperform\w*|models|LLMs|dataset|benchmark|corpus|while|and a|versus|vs)\b"
)


def distinct(mentions: Sequence[SizeMention]) -> list[Size]:
    """One record per distinct size of a paper: kind, value and model; at its first mention."""
    found: dict[tuple[str, int, str | None], SizeMention] = {}
    for mention in mentions:
        found.setdefault((mention.kind, mention.value, mention.model), mention)
    owned = {(kind, value) for kind, value, model in found if model is not None}
    return [
        Size(
            span=m.text.span(m.start, m.end), rule=m.rule, kind=m.kind, value=m.value, model=m.model
        )
        for (kind, value, model), m in found.items()
        if model is not None or (kind, value) not in owned
    ]
