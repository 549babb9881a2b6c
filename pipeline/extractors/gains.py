"""Reported results: each value a text reports, and what it is bound to on evidence.

A value is claimed by the first phrase of rules/gains.yaml that holds it; values in a list with a
claimed one are claimed with it. Then it is bound (pipeline/extractors/binding).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Literal

import regex

from pipeline.extractors.best import Best, bound
from pipeline.extractors.binding import (
    COMMAS,
    Binding,
    Claim,
    Context,
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
    (name, re.compile(r"(?:^| )" + pattern))
    for name, pattern in (
        (
            "up_to",
            r"(?:up to|upto|as much as|at most|as high as|as low as|as large as|maximum of|no more than|within|up -|"
            r"(?:not|never|rarely) exceed(?:s|ing)?) "
            r"(?:a |an |the |about |\w+ ){0,2}$",
        ),
        (
            "at_least",
            r"(?:at least|more than|over|above|exceeding|exceeds?|exceeded|greater than|> ?|beyond|"
            r"surpassing|\\?textgreater|higher than|"
            r"well over) (?:an? |\w+ ){0,1}$",
        ),
        (
            "under",
            r"(?:less than|fewer than|below|under|< ?|lower than|\\?textless) (?:an? )?$",
        ),
        (
            "about",
            r"(?:about|approximately|around|nearly|almost|roughly|~|approx|close to|an estimated|near|"
            r"approx \.) "
            r"(?:an? )?$",
        ),
        (
            "average",
            r"(?:average|averaging|averaged|avg|mean|averages)(?: (?!(?:and|[,;:(]) )[^ ]+){0,6} $"
            r"|on average (?:, )?(?:(?!(?:and|or|[,;:]) )[^ ]+ ){0,8}$",
        ),
    )
)
_QUALIFIED = re.compile("|".join(pattern.pattern for _, pattern in _QUALIFIERS))
_AVERAGE_AFTER = re.compile(
    r"(?:(?:, )?(?:and|or|,|/) [PXQN] ){0,3}(?:(?![PXQNUDC] )[^ ,.;()]+ ){0,6}(?:, )?(?:on average|in average|average |averaged|averaging|on avg|mean \))"
)
_AVERAGED_OVER = ("averaged over ", "averaged across ", "on average ")
_GAIN_OVER = re.compile(
    r"(?:improv\w+|gains?|advantage|increase|performance|boost|wins?|reduction) over $"
)
_BOUNDS = {"<": "under", ">": "at_least", "~": "about", "<=": "up_to"}

# --- what a number of each shape can be ---

_CUT_FROM = re.compile(
    r"(?<![^ ])(?:reduc|decreas|dropp?|cut|lower|shorten|shrink)\w* (?:[^ ,.;()]+ ){0,6}?from (?:[^ ]+ )?$"
)
_METRIC_WORDS_BEFORE = re.compile(r"K (?:[^ ]+ ){0,4}$")
_PART_AFTER = re.compile(r"(?:%|x N|[-/] N)")
_PART_BEFORE = re.compile(r"(?:x|[-/]|N :) $")
_SIGNED_AFTER = re.compile(
    r"(?:(?!N )[^ ]+ ){0,2}?(?:K|on|B|for|in|points|over|\)|,|higher|lower|better|improvement|gain)"
    r"|\\?(?:up|down)arrow |[\u2191\u2193] "
)
_COEFFICIENT_BEFORE = re.compile(r"(?<!delta )(?<!\u03b4 )= $")
_SPREAD_BEFORE = regex.compile(r"(?:/|\+|\xb1|pm|\\pm) $")
_UNIT_AFTER = re.compile(r"(?:[^ ]+ ){0,2}?(?:K |percentage|% )")
_METRIC_AFTER = re.compile(
    r"K (?!(?:metrics|measures|models?|functions?|methods|estimators|datasets|benchmarks|tasks|"
    r"techniques|signals|losses|variants|baselines|algorithms|objectives|types|aspects) )"
)
_SCORE_BEFORE = re.compile(
    r"K (?:score |scores |rate )?(?:of|is|to|at|from|between|reaching) (?:[^ ]+ )?$"
)
_SOLVED_BEFORE = re.compile(
    r"(?:^| )(?:solve[sd]?|solving|wins|won|completes|completed|passe[sd]|answer(?:s|ed)) (?:[^ ]+ ){0,2}$"
)
_SCORE_AFTER = re.compile(r"(?:average |mean |overall )?(?:[^ ,.;:()]+ ){0,2}?score ")
_RANKS = (1, 3, 5, 10, 20, 50, 100, 1000)  # "nDCG at 10"
_BY_BEFORE = re.compile(r" by (?:[^ ]+ )?$")
_MEASURED_BEFORE = re.compile(
    r"M \( (?:[^ ]+ )?$|M (?:at|:) $|(?:K|B|score|scores|rating|elo|loss|value|correlation|errors?|error rates?|"
    r"coefficient|aurocs?|aucs?|f1s|wers|similarity|similarities|self-similarity) (?:[^ ]+ ){0,6}$|"
    r"(?:^| )results? (?:[^ .;]+ ){0,9}(?:is|are|was|were) $|"
    r"(?:^| )(?:r|r2|r\\^2|rho|\u03c1|kappa|\u03ba) (?:=|:|of|>|<|up to) (?:[^ ]+ ){0,1}$"
)
_ATTAINS_BEFORE = re.compile(
    r"(?:improved|increased|improves|raised|raises|dropped|drops|rises|rose|fell|falls|reduced|decreased) to $|"
    r"(?<![^ ])(?:improv|push|rais|increas|boost|lift|bring|reduc|lower)\w* (?:[^ ,.;()]+ ){1,6}to (?:about )?$|"
    r"(?<![^ ])(?:achiev|attain|reach|obtain|scor)(?:e|es|ed|ing|s)? "
    r"(?:(?:only|just|about|around|over|nearly|approximately|an?|up to) ){0,2}$"
)
_MEASURED_AFTER = re.compile(r"(?:[^ ]+ ){0,2}?(?:K|B|on) ")
_COST_BEFORE = re.compile(
    r"(?:K|latency|inference|time|speed|throughput|within|only|memory|at|takes?|took|requires?) "
    r"(?:[^ ]+ ){0,4}$"
)
_COST_AFTER = re.compile(r"(?:[^ ]+ ){0,2}?(?:K|latency|per)")
_CHANGE_BEFORE = re.compile(r"(?: by|reduction|improvement|gain|saving|savings) (?:[^ ]+ ){0,3}$")
_CHANGE_AFTER = re.compile(
    r"(?:[^ ]+ ){0,2}?(?:lower|less|fewer|higher|faster|better|improvement|reduction|gain)"
)
_NO_RESULT_UNITS = (
    "day", "week", "month", "year", "word", "epoch", "token", "bit", "km", "meter", "hour",
    "degree", "Hz", "kHz",
)  # fmt: skip
_RATE = re.compile(r"fps|FPS|frames per second|tokens? ?(?:/|per ).*")
_BRIEF = re.compile(r"m?s|m?secs?|(?:milli)?seconds?")
_QUICK_BEFORE = re.compile(
    r"(?<![^ ])in (?:as little as |(?:just|only|under|less than|about|approximately|around|merely|roughly|~) ){1,2}$"
)
_COUNTED_UNITS = ("token", "word", "bit", "epoch")
_NO_FACTOR_AFTER = re.compile(
    r"(?:N|X|B|a100|gpu|schedules?|coverage|lr|training schedule|learning schedule|super|upsampl|zoom|magnif|resolution|downsampl)"
)
_CONFIDENCE_AFTER = re.compile(r"(?:[a-z-]*bootstrap )?(?:cis?|confidence|credible) ")
# a sentence that tells what was tested on what: the next one tells what came of it
_TESTED = re.compile(
    r"\b(?:experiments?|evaluations?|evaluated?|tested|tests|validated?|results)\b[^.;]{0,40}?\s(?:on|in|across)\s",
    re.IGNORECASE,
)
_SET_BEFORE = re.compile(r" (?:at|under|with) (?:an? )?$")
_SET_AT_AFTER = re.compile(
    r"of (?!(?:[^ ,.;()]+ ){0,3}?(?:costs?|price|parameters|latency|memory|size|K) )|"
    r"(?:compression|sparsity|pruning|masking|dropout) "
)
_SETTING_BEFORE = re.compile(
    r"(?:learning|mask|masking|sampling|dropout|frame|pruning|sparsity|mixing|noise|corruption|drop|"
    r"missing|labell?ing|compression|replacement|decay|poisoning|injection|duplication) "
    r"(?:rates?|ratios?) (?:[^ ]+ ){0,3}$"
)
# "can make up 30% of the annotated data": what data are like, and no result
_PART_OF_DATA = re.compile(
    r"(?:^| )(?:compos|compris|constitut)(?:e|es|ed|ing) (?:[^ ]+ ){0,2}$|(?:^| )(?:make|makes|making|made) up "
    r"(?:[^ ]+ ){0,2}$"
)
_DATA_BEFORE = re.compile(r"(?:^| )account(?:s|ed|ing)? for (?:[^ ]+ ){0,2}$")
_DATA_AFTER = re.compile(
    r"of (?:[^ ,.;()]+ ){0,4}?(?:data|dataset|corpus|population|tweets|posts|web|internet|world|sentences|words|"
    r"vocabulary|traffic|market|articles|documents|cases|deaths|cancers|people|speakers|B) "
)
_ATTAINED = re.compile(r"(?<![^ ])(?:achiev|reach|attain|obtain)\w* (?:[^ ]+ ){1,6}$")
_SPLIT_AFTER = re.compile(
    r"(?:of (?:[^ ,.;()]+ ){1,3})?(?:as|for) (?:the |our |an? )?(?:training|train|test|testing|validation|"
    r"development) (?:set|data|split|\. |, |and )"
)
_SOLVES_BEFORE = re.compile(
    r"(?:^| )(?:pass|solv|answer|complet|detect|resolv|recogni|identif|classif|cover|win|won)\w* "
    r"(?:[^ ]+ ){0,2}$"
)
_DATA_SIZE_AFTER = re.compile(
    r"the (?:size|number) of (?:[^ ]+ ){0,4}?(?:datasets?|corpus|corpora|benchmarks?|collections?|B) "
)
# "a model ten times larger": the size of a rival or of data, and no result
_LARGER_AFTER = re.compile(
    r"(?:larger|bigger) (?:[,.;)] |in (?:size|scale) |than |(?:[^ ,.;()]+ ){0,2}?(?:models?|llms?|networks?|"
    r"counterparts?|baselines?|datasets?|benchmarks?|corpora|corpus|M) )"
)
_BY_AND_MORE = frozenset(("by-up", "by-down", "more-up", "more-down"))
_LEVEL_BEFORE = re.compile(
    r"(?<![^ ])(?<!up )(?<!by )(?<!close )(?<!equal )(?<!due )(?<!compared )(?<!relative )(?<! of )to "
    r"(?:(?:about|around|nearly|over|only|just|below|above|approximately|almost|roughly|~) )?$"
)
_BELOW_BEFORE = re.compile(
    r"(?<!by )(?<!by well )(?<!by far )(?:below|under|above|beyond) (?:the )?$"
)
_FALLS_BEFORE = re.compile(r"(?:^| )(?:fall|drop|sink|decline)s? (?:well |far )?(?:below|under) $")
_DONE_BY = re.compile(
    r"(?<![^ ])(?:confirmed|preferred|chosen|used|reported|supported|rated|shared|selected|cited|adopted|"
    r"answered|judged) by (?:[^ ]+ ){0,2}$"
)
_EXCEEDING_BEFORE = re.compile(
    r"(?:^| )(?:exceed|surpass)(?:s|es|ed|ing)? (?:over |about |nearly |even |the |an? )?$"
)
_NO_RESULT_BEFORE = re.compile(r"(?:^| )(?:p (?:=|<|>)|\[) (?:[^ ]+ , )?$|(?:^| )p (?:=|<|>|~) $")
_NO_RESULT_ENDS = ("= ", "< ", "> ", "~ ", "[ ", ", ")
_INTERVAL_AFTER = re.compile(r"(?:, [PND] )?\] |= ")
_SCALE_AFTER = re.compile(
    r"(?:(?!and |or |on |in )[^ ,.]+ ){0,2}?(?:scales?|likert|ratings?|rubrics?|annotations?) "
)
# "the time needed to reach 90% accuracy", "targets to attain": a goal, and no result
_GOAL_BEFORE = re.compile(
    r"(?:needed|need|needs|required|requires|require|necessary|targets?|goals?|aims?|aiming|order|"
    r"(?:targets?|goals?|aims?) (?:is|are|was|were)|takes?|took|enough|wish\w*|want\w*) to "
    r"(?:achieve|reach|attain|obtain|get|hit|match) (?:(?:\( )?e\.g \. , )?(?:[^ ,.;:()]+ ){0,4}$|"
    r"to (?:achieve|reach|attain|obtain) \( e\.g \. , (?:[^ ]+ ){0,2}$"
)
# "at 95% precision" after a value: where it was measured
_POINT_OF_CURVE = re.compile(r"(?:^| )[PN] (?:K |fpr |tpr )at (?:an? )?$")
_HARDWARE_AFTER = re.compile(
    r"(?:(?!for |on |in |of )[^ ,.;:()]+ ){0,2}?(?:N )?(?:gpus?|cpus?|cards?|vram|ram|laptops?|devices?|phones?|nvidia|"
    r"rtx|a100s?|h100s?|v100s?|machines?|accelerators?) "
)
_CHANGE_NEXT = re.compile(
    r"(?:[^ ,.;()]+ ){0,3}?(?:improvements?|gains?|increases?|speed-?ups?|boosts?|reductions?|drops?|"
    r"decreases?|savings?|higher|lower|more|less|fewer|faster|better|worse|slower) "
)
_FALL_NEXT = re.compile(
    r"(?:(?!and |or |while )[^ ,.;()]+ ){0,2}?(?:reductions?|drops?|decreases?|savings) "
)
_RISE_AFTER = re.compile(
    r"(?:[^ ,.;()]+ ){0,2}?(?:improvements?|gains?|increases?|speed-?ups?|boosts?) "
)
_DIFFERENCES = frozenset(("score-of", "by-up", "by-down", "more-up", "more-down"))


_SPLIT_CHANGE = re.compile(
    r"(?<![^ ])from (?:(?:about|around|only|just|an?|roughly|nearly|approximately|the) ){0,2}"
    r"(?P<one>(?P<sign>[PQNU])) (?:(?![PXQNUCDMBSLZ.;:] |to |from )[^ ]+ ){1,8}?"
    r"to (?:(?:about|around|only|just|an?|over|roughly|nearly|approximately) ){0,2}"
    r"(?P<two>(?P=sign)) "
)
# "improved F1 on A (57% to 90%)": levels before and after, told by a verb and what was measured
_CHANGE_ASIDE = re.compile(
    r"(?<=[(;] )(?:(?:[^ ():;]+ ){1,3}: )?(?:from )?(?P<one>[PN]) (?:[);]|, D )"
)
_MEASURED_ASIDE = re.compile(r"(?<![^ ])[KB] |(?<![^ ])[PQ] (?:[^ ,.;()]+ ){0,6}$")
_RIVAL_LEVEL = re.compile(
    r"(?:compared (?:to|with)|versus|vs|relative to|over|surpassing|than) (?:[^ ,.;()]+ ){0,4}?"
    r"(?:state-of-the-art|state of the art|sota|score|record|best|result|performance|K|baseline's) (?:[^ ,.;()]+ )?"
    r"(?:of|at) (?:[^ ]+ )?$"
)
_ELSEWHERE = re.compile(
    r" (?:with|using|via|under|at|from|against|after|before|which|that|is|are|was|were|while|without|"
    r"through|and|achieving|yielding|showing|demonstrating|representing|indicating|due) "
)
_LEVEL_OVER = re.compile(r"K (?:of|is|at|above|exceeding|below|reaching|was|are) $")
_OWNED_BEFORE = re.compile(
    r"(?<![^ ])(?:surpass\w*|exceed\w*|beat\w*|outperform\w*|match\w*|approach\w*|versus|vs|than|over|against|"
    r"to|with) (?:[^ ,.;()]+ ){0,3}(?:[^ ]+'s|[a-z]s'|' s|s ') (?:[^ ,.;()]+ ){0,1}$"
)
_FURTHER_BEFORE = re.compile(
    r"(?:, |(?:^| )(?:and|while|but|whereas|although|though|yet) )(?:(?:only|just|about|another|over|nearly|the|other|a|"
    r"remaining|further|up to|~) ){0,3}$"
)
_FURTHER_AFTER = re.compile(
    r"(?:is|are|was|were|had|have|has|can|could|fail|failed|remain|remained|still|rely|relied|contain|contained|"
    r"showed|show|do|did|of) "
)
_FROM_BEFORE = re.compile(r"(?<![^ ])from (?:(?:an?|the|about|only|around) )?$")
_COMPARED_TO = re.compile(
    r"(?:compared (?:to|with)|versus|vs \.|vs|against|close to|approaching|rivall?ing) "
    r"(?:(?:an?|the|over|about|only|just|more than|less than|up to|>|<|~) ){0,2}$"
)
_HAS_AMOUNT = re.compile(r"(?<![^ ])[PXQND] (?:(?![PXQNDUC,;:.()] )[^ ]+ ){0,3}$")
_LIST = 90  # characters between two values of a list


class Gains:
    """Finds gains; built once from the rules."""

    def __init__(self, rules: Rules, *, only_patterns: bool = False) -> None:
        self._only_patterns = only_patterns
        self._phrases = Phrases(rules, "gains")
        self._words = Words(rules)
        self._best = Best(rules)
        self._score = next((e for e in rules.entries["gains"] if e.key == "score-of"), None)
        self._change = next((e for e in rules.entries["gains"] if e.key == "change"), None)
        choice = "|".join(sorted(map(regex.escape, rules.words["setting-noun"]), key=len)[::-1])
        self._setting = re.compile(
            rf"(?:(?:and|or|,|/) [PN] |, (?:and|or) [PN] ){{0,4}}"
            rf"(?:of (?:[^ ,.;()]+ ){{0,2}}?|[^ ,.;()]+ )?(?:{choice}) "
        )
        verbs = {w for w in (*rules.words["verb-score"], *rules.words["stay"]) if " " not in w}
        nouns = {w for name in ("up-noun", "down-noun", "performance") for w in rules.words[name]}
        acts = {w for w in verbs - nouns if w.endswith(("s", "ed", "ing")) and len(w) > 4}
        acts -= {"scores", "having", "matches", "covers"}
        self._acts = re.compile(rf"(?<![^ ])(?:{'|'.join(sorted(map(re.escape, acts)))}) ")
        self._rise = re.compile(
            r"(?<![^ ])(?:(?P<down>{})|{}|gains?|results) ".format(
                *("|".join(_single(rules, f"{way}-verb")) for way in ("down", "up"))
            )
        )
        self._trend = re.compile(
            r"(?<![^ ])(?:(?P<down>{}|down)|(?:{}|up(?! to))) ".format(
                *("|".join(_single(rules, f"{way}-verb", f"{way}-noun")) for way in ("down", "up"))
            )
        )

    def find(self, text: Text, items: Sequence[Item], known: Known) -> list[Gain]:
        """The gains of one text; `items` are its names, metrics, sizes and free quantities."""
        gains: list[Gain] = []
        context = Context((), tested=False)
        for (start, end), inside in by_sentence(text.sentences, items):
            symbols = [item.symbol for item in inside]
            amounts = not _AMOUNTS.isdisjoint(symbols)
            if amounts or self._best.may_claim(text.text[start:end]):
                gains += self._of_sentence(
                    text, (start, end), inside, known, context, amounts=amounts
                )
            if "B" in symbols:
                named = tuple([item.of for item in inside if item.symbol == "B"])
                context = Context(named, _TESTED.search(text.text, start, end) is not None)
            elif context.tested:
                context = Context(context.benchmarks, tested=False)
        return gains

    def _of_sentence(
        self,
        text: Text,
        bounds: tuple[int, int],
        items: Sequence[Item],
        known: Known,
        context: Context,
        *,
        amounts: bool,
    ) -> list[Gain]:
        """The gains of a sentence that holds amounts, or words of a claim of being best."""
        if amounts:
            items = [i for i in items if i.symbol != "K" or not _is_verb(text.text, i)]
        sentence = skeleton(text.text, *bounds, items)
        claims = self._claims(text, sentence, bounds) if amounts else []
        places = self._best.places(sentence, claims)
        if not claims and not places:
            return []
        binding = Binding(sentence, claims, known, context, self._words)
        binding.bind()
        if not self._only_patterns:
            binding.weigh()
        return [
            _gain(claim) for claim in (*claims, *bound(places, text, sentence, bounds, binding))
        ]

    def _claims(self, text: Text, sentence: Skeleton, bounds: tuple[int, int]) -> list[Claim]:
        body = sentence.text
        claimed = self._split_changes(text, sentence, bounds)
        ends = {claim.item.end for claim in claimed.values()}
        for entry, match in self._phrases.find(sentence):
            offset = match.start("amount")
            item = sentence.item(offset)
            if offset in claimed or (item is not None and item.end in ends):
                continue
            if item is None or not (
                self._may_be(entry, item.of, body, offset)
                or (entry.key == "score-of" and _beside_acronym(text, item))
            ):
                continue
            if _SET_BEFORE.search(body, max(0, offset - 12), offset) and self._is_setting(
                sentence, offset
            ):
                continue
            if entry.key == "share-of-resource" and not _is_cost(sentence, match):
                continue
            kind, direction = _kind_of(entry, item.of)
            if entry.key == "multiple-of" and _is_compression(sentence, match):
                direction = "down"
            if direction == "up" and match[0].startswith("by "):
                direction = self._trend_before(body, match.start())
            elif (
                entry.key == "more-down"
                and match.end("amount") == match.end()
                and not match[0][:-2].endswith(" of ")
                and _RISE_AFTER.match(body, match.end())
            ):
                continue  # "a reduction in memory and up to 40% improvement in latency"
            aside = claimed.get(_amount_before(body, offset))
            if aside is not None and aside.kind == "delta" and entry.key == "score-of":
                claimed[offset] = _like(aside, offset, item)
                continue  # "a gain of up to 13% (7% on average)", "by 15 points (83%)"
            if (
                entry.key in _BY_AND_MORE
                and " ( " in match[0]
                and match.end("amount") == match.end()
                and _HAS_AMOUNT.search(body, max(0, match.start() - 60), match.start())
            ):
                continue  # "a 24% drop in accuracy for natural data (88%)"
            if entry.key in ("more-up", "more-down") and match.start() == match.start("amount"):
                if _ELSEWHERE.search(body, match.end("amount") - 1, match.end()):
                    continue  # "the accuracy is 22.1% with improvements of 3.5%"
                if item.symbol in "PN" and _LEVEL_OVER.search(body, max(0, offset - 60), offset):
                    continue  # "an accuracy above 0.9 over all languages"
            if entry.key in _BY_AND_MORE and _RIVAL_LEVEL.search(body, max(0, offset - 80), offset):
                continue  # "a gain compared to the best score of 89%"
            claimed[offset] = Claim(
                text, sentence, bounds, offset, item, entry, kind, direction,
                _whole(match),
                match.span("whom") if "whom" in match.re.groupindex else None,
            )  # fmt: skip
        if claimed or body.count("( N )") > 2:
            self._claim_lists(text, sentence, bounds, claimed, ends)
        claims = [claimed[offset] for offset in sorted(claimed)]
        claims = _without_grids(body, claims)
        if "B " in body:
            claims = [
                c for c in claims if not _OF_DATA.search(body, max(0, c.offset - 300), c.offset)
            ]
        for claim in claims:
            claim.qualifiers = _qualifiers(body, claim.offset, claim.item.of)
        _share_qualifiers(body, claims)
        return claims

    def _split_changes(
        self, text: Text, sentence: Skeleton, bounds: tuple[int, int]
    ) -> dict[int, Claim]:
        """The changes whose ends stand apart: "rises from 61% for plain tuning to 70%"."""
        found: dict[int, Claim] = {}
        entry = self._change
        if entry is None:
            return found
        body = sentence.text
        for match in _SPLIT_CHANGE.finditer(body) if "from " in body else ():
            one, two = (sentence.item(match.start(group)) for group in ("one", "two"))
            told = body[max(0, match.start() - 100) : match.start()]
            if one is None or two is None or not (self._trend.search(told) or "K " in told):
                continue
            low, high = one.of.value, two.of.value
            if low is None or high is None or low == high or one.of.magnitude or two.of.magnitude:
                continue
            whole = replace(
                two.of, start=one.of.start, shape="change", value=None, low=low, high=high,
                parts=(*one.of.parts, *two.of.parts),
            )  # fmt: skip
            item = Item(one.start, two.end, "C", whole)
            kind, direction = _kind_of(entry, whole)
            offset = match.start("one")
            found[offset] = Claim(text, sentence, bounds, offset, item, entry, kind, direction)
        for match in _CHANGE_ASIDE.finditer(body) if "( " in body or "; " in body else ():
            offset = match.start("one")
            aside = sentence.item(offset)
            if aside is None or not self._is_change(text, sentence, offset, aside.of):
                continue
            whole = replace(aside.of, shape="change")
            kind, direction = _kind_of(entry, whole)
            item = Item(aside.start, aside.end, "C", whole)
            found[offset] = Claim(text, sentence, bounds, offset, item, entry, kind, direction)
        return found

    def _is_change(self, text: Text, sentence: Skeleton, offset: int, quantity: Quantity) -> bool:
        """Whether what reads as a range in brackets are the levels before and after a change."""
        low, high = quantity.low, quantity.high
        if low is None or high is None or quantity.magnitude or low >= high:
            return False
        if " to " not in text.text[quantity.start : quantity.end]:
            return False
        told = sentence.text[max(0, offset - 100) : offset]
        trends = list(self._rise.finditer(told))
        if not trends or trends[-1]["down"] or not _MEASURED_ASIDE.search(told):
            return False
        # shares of 30% and fractions of 1 are levels; "by 3% to 12%" may be differences
        return high >= 30 or (quantity.shape == "number" and quantity.decimal and low >= 0.1)

    def _claim_lists(
        self,
        text: Text,
        sentence: Skeleton,
        bounds: tuple[int, int],
        claimed: dict[int, Claim],
        ends: set[int],
    ) -> None:
        """Claims the values in one list with a claimed one, of its kind and direction.

        `ends` are where the claimed changes end: what stands there is claimed.
        """
        amounts = [
            (offset, item)
            for offset, item in sentence.items_in(0, len(sentence.text))
            if item.symbol in _AMOUNTS and (item.end not in ends or offset in claimed)
        ]
        pairs = list(pairwise(amounts))
        for one, two in pairs:
            self._claim_like(sentence, claimed, one, two)
        for one, two in reversed(pairs):
            self._claim_like(sentence, claimed, two, one)
        changes = [(offset, item) for offset, item in amounts if item.symbol == "C"]
        for one, two in pairwise(changes):
            self._claim_like(sentence, claimed, one, two)
        _claim_further(sentence, claimed, changes)
        _claim_rivals(sentence, claimed, amounts)
        _claim_compared(sentence, claimed, pairs)
        self._claim_table(text, sentence, bounds, claimed, amounts)
        _claim_brackets(sentence, claimed, amounts)

    def _claim_table(
        self,
        text: Text,
        sentence: Skeleton,
        bounds: tuple[int, int],
        claimed: dict[int, Claim],
        amounts: Sequence[tuple[int, Item]],
    ) -> None:
        """Claims the first of three fractions in brackets, where a metric is named before them:
        "F1 in three languages: Basque (0.85), Welsh (0.91) and Irish (0.90)".
        """
        body = sentence.text
        alone = [
            (offset, item)
            for offset, item in amounts
            if item.symbol == "N"
            and offset not in claimed
            and item.of.decimal
            and 0 < (item.of.value or 0) < 1
            and body[max(0, offset - 2) : offset + 3] == "( N )"
        ]
        if len(alone) < 3 or self._score is None or "K " not in body[: alone[0][0]]:
            return
        offset, item = alone[0]
        claimed[offset] = Claim(text, sentence, bounds, offset, item, self._score, "score", None)

    def _claim_like(
        self,
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
        if (
            quantity.ordinal
            or quantity.sign == "\xb1"
            or quantity.magnitude
            or not is_list_glue(glue)
        ):
            return
        opened, closed = glue.count("( "), glue.count(") ")
        if self._acts.search(glue) or closed > opened or (opened > closed and len(glue) > 30):
            return  # "gains 5% and secures 80%", "(by 5%), and 80% accuracy"
        body, at = sentence.text, target[0]
        percent = quantity.shape == "percent"
        if _is_no_result(body[max(0, at - 60) : at], body[at + 2 : at + 80], percent=percent):
            return
        alike = source[1].of.shape == quantity.shape
        if quantity.shape == "number" and not quantity.decimal and len(glue) > 12:
            return  # "+0.57 in August 2021, ... dated August 5"
        if glue == "/ " and quantity.form != "listed":
            return  # "3.74/5"
        if forward and quantity.shape == "number":
            # "by 3.1 points on A and 4.8 on B", "factors of 2.5, 2.4 and 2.0"
            on = sentence.text.startswith(("on ", "in ", "for "), target[0] + 2)
            shape = source[1].of.shape
            alike |= (shape == "points" and on) or (shape == "factor" and glue in COMMAS)
        elif forward and source[1].of.shape == "number":
            alike |= glue in COMMAS  # "by 21.4 and 13.4 points"
        if alike:
            claimed[target[0]] = _like(said, *target)
        elif not forward and glue == "and " and said.kind in ("delta", "factor"):
            # "3x and 40% improvements"
            shapes = {source[1].of.shape, quantity.shape}
            if shapes == {"percent", "factor"} and not quantity.form:
                like = _like(said, *target)
                like.kind = "factor" if quantity.shape == "factor" else "delta"
                claimed[target[0]] = like

    @staticmethod
    def _is_setting(sentence: Skeleton, offset: int) -> bool:
        """Whether a value is followed by a metric that is set: "at 20% sparsity"."""
        if not sentence.text.startswith("K ", offset + 2):
            return False
        item = sentence.item(offset + 2)
        return item is not None and item.of.key.startswith(("compression", "sparsity", "coverage"))

    def _trend_before(self, body: str, at: int) -> Direction:
        """The way the nearest verb before a "by" tells."""
        found = list(self._trend.finditer(body, max(0, at - 160), at))
        return "down" if found and found[-1]["down"] else "up"

    def _may_be(self, entry: Entry, quantity: Quantity, body: str, offset: int) -> bool:
        """Whether a number of this shape can be a result of this kind, here."""
        if quantity.ordinal or quantity.sign == "\xb1" or quantity.form == "named":
            return False
        if entry.key == "signed" and _COEFFICIENT_BEFORE.search(body, max(0, offset - 20), offset):
            return False
        before = body[max(0, offset - 60) : offset]
        after = body[offset + 2 : offset + 80]
        if (
            entry.key in _BY_AND_MORE
            and "to " in before[-20:]
            and _LEVEL_BEFORE.search(before)
            and not _CHANGE_NEXT.match(after)
        ):
            return False  # "rises to 88%" is a level attained
        if quantity.shape == "number" and "{ " in before and _IN_BRACES.search(before):
            return False  # "weights in {-1, 0, 1}"
        if entry.key == "more-up" and after.startswith("over ") and _PREFERRED.search(before):
            return False  # "a preference of 72% over the best rival" is a level
        if entry.key == "by-up" and _FALL_NEXT.match(after):
            return False  # "using the improved plan achieves up to 14% reduction"
        if entry.key in _BY_AND_MORE and _FALLS_BEFORE.search(before):
            return False  # "falls below 5%"
        if entry.key in ("by-up", "by-down") and _DONE_BY.search(before):
            return False  # "confirmed by 80% of the users"
        if entry.key in ("by-up", "by-down") and (
            _BELOW_BEFORE.search(before)
            or (_EXCEEDING_BEFORE.search(before) and not _CHANGE_NEXT.match(after))
        ):
            return False  # "falls well below", "an accuracy exceeding 98%"
        if _is_no_result(before, after, percent=quantity.shape == "percent"):
            return False
        if entry.key == "score-of" and (
            (" to " in before and _GOAL_BEFORE.search(before)) or _POINT_OF_CURVE.search(before)
        ):
            return False
        match quantity.shape:
            case "change":
                values = (quantity.low, quantity.high)
                decimal = any(v is not None and v != int(v) for v in values)
                named = (
                    quantity.unit
                    or decimal
                    or quantity.decimal
                    or _CUT_FROM.search(before)
                    or _METRIC_WORDS_BEFORE.search(before)
                )
                falls = quantity.magnitude and (quantity.low or 0) > (quantity.high or 0)
                return bool(named) and (not quantity.magnitude or bool(falls))
            case "number":
                return _number_may_be(entry, quantity, before, after)
            case "unit":
                return _unit_may_be(entry, quantity, before, after)
            case "factor":
                if after.startswith(("time ", "period ", "rate ")) and quantity.form == "doubles":
                    return False  # "a doubling time of two years"
                if quantity.form in ("doubles", "halves") or entry.key in ("doubles", "halves"):
                    return quantity.form == entry.key
                if entry.key == "multiple-of":
                    if quantity.form == "half" and not after.startswith(("the ", "that ", "of ")):
                        return False  # "half precision"
                    return not _DATA_SIZE_AFTER.match(after)
                if quantity.form == "half" and entry.key not in ("share-of-resource", "by-down"):
                    return False  # "half of them" is no result
                if _LARGER_AFTER.match(after):
                    return False
                return entry.key != "score-of" and not _NO_FACTOR_AFTER.match(after)
            case "percent":
                if entry.key == "signed" and _SPREAD_BEFORE.search(before):
                    return False
                if entry.key == "share-of-performance" and _SOLVES_BEFORE.search(before):
                    return False
                return entry.key != "score-of" or not self._setting.match(after)
            case "points":
                return not _SCALE_AFTER.match(after)


# "ZebraBench requires twice as many steps (28 vs. 14)": what a benchmark is like is no result
_OF_DATA = re.compile(
    r"(?:^|, |: |; |that |and )B (?:also )?(?:requires|includes|contains|covers|spans|comprises|features|consists|holds) "
    r"(?!(?:[^ ]+ )*?(?:; |we |our |ours |M |models? |agents? |methods? |humans? |accuracy |improv[^ ]+ |outperform[^ ]+ |achiev[^ ]+ |reach[^ ]+ |K ))"
)
_IN_BRACES = re.compile(r"\{ [^}]*$")
_PREFERRED = re.compile(
    r"(?:preferences?|win-?rates?|win rates?) (?:rates? )?(?:of|at) (?:[^ ,.;()]+ ){0,2}$"
)
_PRICES = re.compile(r"cost|latency|memory|parameter|size", re.IGNORECASE)
_COSTS = re.compile(
    r"cost|time|latency|flops|memory|comput|parameter|token|energy|size|storage|budget|overhead",
    re.IGNORECASE,
)


def _is_no_result(before: str, after: str, *, percent: bool) -> bool:
    """Whether a number is a p-value, the end of an interval, or where something was set."""
    if before.endswith(_NO_RESULT_ENDS) and _NO_RESULT_BEFORE.search(before):
        return True
    if _INTERVAL_AFTER.match(after):
        return True
    if " rat" in before and _SETTING_BEFORE.search(before) and not _ATTAINED.search(before):
        return True
    if _SPLIT_AFTER.match(after) or before.endswith("cc by "):
        return True
    if percent and after.startswith("of ") and _PART_OF_DATA.search(before):
        return True
    if percent and _DATA_AFTER.match(after) and _DATA_BEFORE.search(before):
        return True
    if percent and _CONFIDENCE_AFTER.match(after):
        return True
    # "pruning begins at 25% of all steps", "at 50% sparsity"
    return percent and before.endswith(" at ") and bool(_SET_AT_AFTER.match(after))


_ACRONYM_BEFORE = re.compile(
    r"(?<![\w-])(?!(?:LR|CI|CIs|SD|IQR|SNR|AI|ML|US|SE|STD|ID|LLMs?)\W)[A-Z][A-Za-z]*[A-Z][\w@]*"
    r"(?:\s(?:scores?|values?))?\s(?:of|=|is|was)\s(?:up to |about |over |only |just )?$"
)


def _beside_acronym(text: Text, item: Item) -> bool:
    """Whether a bare decimal is told of an acronym, "a UAS of 89.6": a metric without a rule."""
    quantity: Quantity = item.of
    if quantity.shape != "number" or not quantity.decimal or quantity.magnitude or quantity.sign:
        return False
    return bool(_ACRONYM_BEFORE.search(text.text, max(0, item.start - 40), item.start))


def _metric_at_end(sentence: Skeleton, match: re.Match[str]) -> Entry | None:
    """The metric that a phrase ends with."""
    item = sentence.item(match.end() - 2)
    return item.of if item is not None and item.symbol == "K" else None


def _is_cost(sentence: Skeleton, match: re.Match[str]) -> bool:
    """Whether the metric that a phrase ends with, if it does, is a cost ("40% of the FLOPs")."""
    metric = _metric_at_end(sentence, match)
    if match[0].startswith("at "):  # "at 25% of total training compute" is a setting
        return metric is None or bool(_PRICES.search(metric.key))
    return metric is None or bool(_COSTS.search(metric.key))


def _is_compression(sentence: Skeleton, match: re.Match[str]) -> bool:
    """Whether a multiple is one of compression, "a 16x compression rate"."""
    ends = (sentence.item(match.start()), sentence.item(match.end() - 2))
    return any(i and i.symbol == "K" and i.of.key.startswith("compression") for i in ends)


_WHAT_NEXT = re.compile(r"(?:(?![PXQNUCDL.,;:()] )[^ ]+ ){0,6}")


def _whole(match: re.Match[str]) -> tuple[int, int] | None:
    """The words that name a metric; those a phrase ends with are read on to their end."""
    if "what" not in match.re.groupindex or match.start("what") < 0:
        return None
    low, high = match.span("what")
    if high == match.end() and (more := _WHAT_NEXT.match(match.string, high)):
        high = more.end()
    return low, high


_COSTING = re.compile(
    r"cost(?:s|ing)\s(?:(?:only|just|about|over|up\sto|less\sthan|more\sthan|roughly|nearly|an?)\s){0,2}"
    r"\d+(?:\.\d+)?\s?(?:%|percent|pp|points)"
)
_GAP = regex.compile(r"\p{Ll}[\p{Ll}\s-]*\sgaps?")


def _is_verb(text: str, item: Item) -> bool:
    """Whether what reads as a metric tells of a difference: "costs 3 points", "accuracy gap"."""
    at_cost = text.startswith("cost", item.start) and _COSTING.match(text, item.start)
    if at_cost:
        return True
    gap = text.endswith(("gap", "gaps"), item.start, item.end)
    return gap and _GAP.fullmatch(text, item.start, item.end) is not None


_ON_AVERAGE_NEXT = re.compile(r"(?:\) |on average \) |relative \) |average \) )")
_AMOUNT_ASIDE = re.compile(
    r"(?<![^ ])(?P<amount>[PQD]) (?:[^ ,.;()]+ ){0,3}\( (?:up to |about |only )?$"
)


def _amount_before(body: str, offset: int) -> int:
    """Where the difference stands that a percentage in brackets says once more, or -1: as its
    average, or as what its points are in percent.
    """
    after = _ON_AVERAGE_NEXT.match(body, offset + 2)
    if body[offset] != "P" or after is None:
        return -1
    low = max(0, offset - 60)
    match = _AMOUNT_ASIDE.search(body, low, offset)
    if match is None or (after[0] == ") " and match["amount"] == "P"):
        return -1
    return match.start("amount")


def _single(rules: Rules, *names: str) -> Iterator[str]:
    """The single words of some lists."""
    for name in names:
        yield from (regex.escape(word) for word in rules.words[name] if " " not in word)


def _number_may_be(entry: Entry, quantity: Quantity, before: str, after: str) -> bool:
    """Whether a bare number can be a result: it has decimals, or a metric stands beside it."""
    value = quantity.value if quantity.value is not None else quantity.high
    if value is None or quantity.magnitude or (quantity.decimal and 2000 <= value < 2040):
        return False  # "2024.08" is a month
    if entry.key == "score-in-brackets":
        return quantity.decimal and abs(value) < 1000
    listed = quantity.form == "listed"
    if not listed and (_PART_AFTER.match(after) or _PART_BEFORE.search(before)):
        return False
    if entry.key == "signed":
        beside = _SIGNED_AFTER.match(after) or before.endswith((" by ", " of ", " up to "))
        return bool(beside) and not _SPREAD_BEFORE.search(before)
    if not quantity.decimal:
        if entry.key == "score-of" and _SOLVED_BEFORE.search(before):
            return True  # "solves 11 out of 12"
        if entry.key in _DIFFERENCES and _UNIT_AFTER.match(after):
            return bool(_METRIC_AFTER.match(after))
        if entry.key == "score-of":
            if 10 <= value <= 100 and _SCORE_AFTER.match(after):
                return True  # "reaches only 36 average ZapBench score"
            return bool(_SCORE_BEFORE.search(before)) and not (
                value in _RANKS and before.endswith("K at ")
            )
        return (
            entry.key == "by-up"
            and bool(_BY_BEFORE.search(before))
            and bool(_METRIC_AFTER.match(after))
        )
    if entry.key in ("share-of-performance", "share-of-resource"):
        return False
    if entry.key == "pair":
        return quantity.decimal and abs(value) < 1000
    if entry.key == "score-of":
        return bool(
            _MEASURED_BEFORE.search(before)
            or _MEASURED_AFTER.match(after)
            or (value < 100 and _ATTAINS_BEFORE.search(before))
        )
    return True


def _unit_may_be(entry: Entry, quantity: Quantity, before: str, after: str) -> bool:
    """Whether a number with a unit ("7 ms") can be a result: a cost attained, or one changed."""
    unit = quantity.unit or ""
    if before.endswith(("- ", " first ", " last ")):
        return False  # "A100-80GB", "within the first 15 minutes"
    if unit in ("m", "kg") or _HARDWARE_AFTER.match(after):
        return False
    if entry.key == "score-of" and _RATE.fullmatch(unit) and before.endswith("( "):
        return True
    if entry.key == "score-of" and _QUICK_BEFORE.search(before) and _BRIEF.fullmatch(unit):
        return True
    if entry.key == "score-of":
        beside = _COST_BEFORE.search(before) or _COST_AFTER.match(after)
        return bool(beside) and not unit.startswith(_NO_RESULT_UNITS)
    if entry.key == "signed":
        return unit == "dB"
    if entry.key not in _BY_AND_MORE:
        return False
    beside = _CHANGE_BEFORE.search(before) or _CHANGE_AFTER.match(after)
    return bool(beside) and not unit.startswith(_COUNTED_UNITS)


def _like(said: Claim, offset: int, item: Item) -> Claim:
    """A value claimed as another one is."""
    direction = said.direction if said.kind != "from_to" else _kind_of(said.entry, item.of)[1]
    return Claim(
        said.text, said.sentence, said.bounds, offset, item, said.entry, said.kind, direction,
        listed=said,
    )  # fmt: skip


def _claim_rivals(
    sentence: Skeleton, claimed: dict[int, Claim], amounts: Sequence[tuple[int, Item]]
) -> None:
    """Claims a rival's score and a further share of a sentence with a score before it: "surpassing
    ZapNet's 85.5%", "30% are wrong, while 20% are late".
    """
    said: Claim | None = None
    for offset, item in amounts:
        present = claimed.get(offset)
        if present is not None:
            said = present if present.kind == "score" else said
        elif said is not None and item.of.shape == said.item.of.shape and item.symbol in "PN":
            before = sentence.text[max(0, offset - 60) : offset]
            after = sentence.text[offset + 2 : offset + 40]
            further = item.symbol == "P" and _FURTHER_BEFORE.search(before)
            further = further and _FURTHER_AFTER.match(after)
            if (further or _OWNED_BEFORE.search(before)) and not _is_no_result(
                before, after, percent=item.symbol == "P"
            ):
                claimed[offset] = _like(said, offset, item)


def _claim_further(
    sentence: Skeleton, claimed: dict[int, Claim], changes: Sequence[tuple[int, Item]]
) -> None:
    """Claims what goes "from 30% to 3%" in a sentence with a claimed change before it."""
    said: Claim | None = None
    for offset, item in changes:
        present = claimed.get(offset)
        if present is not None:
            said = present if present.kind == "from_to" else said
        elif (
            said is not None
            and said.item.of.unit == item.of.unit
            and not item.of.magnitude
            and _FROM_BEFORE.search(sentence.text, max(0, offset - 20), offset)
        ):
            claimed[offset] = _like(said, offset, item)


def _claim_compared(
    sentence: Skeleton,
    claimed: dict[int, Claim],
    pairs: Sequence[tuple[tuple[int, Item], tuple[int, Item]]],
) -> None:
    """Claims what a difference is compared to as a difference: "a 4% drop, compared to 35%"."""
    for (one, first), (two, last) in pairs:
        said, present = claimed.get(one), claimed.get(two)
        if said is None or said.kind not in ("delta", "factor", "score"):
            continue
        if first.of.shape != last.of.shape or (present and present.entry.key != "score-of"):
            continue
        glue = sentence.text[one + 2 : two]
        if not _COMPARED_TO.search(glue) or len(glue) > _LIST or last.of.magnitude:
            continue
        if present is None if said.kind == "score" else "K " not in glue:
            claimed[two] = _like(said, two, last)


def _claim_brackets(
    sentence: Skeleton, claimed: dict[int, Claim], amounts: Sequence[tuple[int, Item]]
) -> None:
    """Claims the scores that stand alone in brackets behind others: "A (0.82) and B (0.64)"."""
    said: Claim | None = None
    for offset, item in amounts:
        present = claimed.get(offset)
        if present is not None:
            said = present if present.kind == "score" else said
            continue
        quantity: Quantity = item.of
        alone = sentence.text[max(0, offset - 2) : offset + 3] == f"( {item.symbol} )"
        result = quantity.shape == "percent" or (quantity.shape == "number" and quantity.decimal)
        if said is not None and alone and result and said.item.of.shape == quantity.shape:
            claimed[offset] = _like(said, offset, item)


def _kind_of(entry: Entry, quantity: Quantity) -> tuple[GainKind, Direction | None]:
    kind: GainKind = entry["kind"]
    direction: Direction | Literal["sign"] | None = entry["direction"]
    if kind == "from_to":
        low, high = quantity.low, quantity.high
        if low is None or high is None or low == high:
            return kind, None
        return kind, "up" if high > low else "down"
    if direction == "sign" and quantity.shape == "factor":
        direction = "down" if (quantity.value or 0) < 1 and quantity.low is None else "up"
    if direction == "sign":
        direction = "down" if quantity.sign == "-" else "up"
    if quantity.shape == "factor" and kind in ("delta", "score"):
        kind = "factor"
    return kind, direction


def _qualifiers(body: str, offset: int, quantity: Quantity) -> set[str]:
    found = set()
    rest = body[max(0, offset - 60) : offset]
    for _ in range(3):
        if not _QUALIFIED.search(rest):
            break
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


def _without_grids(body: str, claims: list[Claim]) -> list[Claim]:
    """The claims but for lists of round steps, as settings are: "of 20%, 40%, 60% and 80%"."""
    runs: list[list[Claim]] = []
    for claim in claims:
        last = runs[-1][-1] if runs else None
        glue = body[last.offset + 2 : claim.offset] if last else ""
        if last and glue in COMMAS and claim.item.symbol == last.item.symbol == "P":
            runs[-1].append(claim)
        else:
            runs.append([claim])
    kept: list[Claim] = []
    for run in runs:
        values = [claim.item.of.value or 0 for claim in run]
        round_ = all(value == 1 or value % 5 == 0 for value in values)
        if len(run) < 3 or not round_ or run[0].kind != "score" or sorted(values) != values:
            kept += run
    return kept


# "36 on average and 28%", "and an accuracy of 28%": what follows is no average
_OWN_METRIC = re.compile(r"(?:^| )average |(?:and|,|or|&) (?:[^ ,]+ ){0,5}?K (?:[^ ,]+ ){0,5}$")
_ALONE_BEFORE = re.compile(r"(?:and|,|or|&|/) (?:an? |the )?$")


def _share_qualifiers(body: str, claims: Sequence[Claim]) -> None:
    """What is said of the first value of a list holds for those after it: "up to 8% and 5%"."""
    for said, claim in pairwise(claims):
        glue = body[said.offset + 2 : claim.offset]
        alike = claim.kind == said.kind and claim.item.of.shape == said.item.of.shape
        own = claim.qualifiers
        if not alike or not said.qualifiers or len(glue) > _LIST or not is_list_glue(glue):
            continue
        if not own - {"average"} and not claim.item.of.sign and _ALONE_BEFORE.search(glue):
            own.update(said.qualifiers - {"average"})
        if "average" in said.qualifiers and not _OWN_METRIC.search(glue):
            own.add("average")


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
