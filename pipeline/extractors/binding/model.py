"""The system that a value is attained by."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

import regex

from pipeline.extractors.binding.baseline import BaselineBinding
from pipeline.extractors.binding.claims import FAR, Claim, Context, Known, Words
from pipeline.skeleton import Skeleton

_OWN_SUBJECT = re.compile(
    r"(?:^| )(?:we|our|it|(?<!and )its|this (?:method|approach|model|framework|work|system|strategy|"
    r"technique|paper)|the (?:proposed|resulting)|ours|they|these|"
    r"the (?:method|approach|model|framework|system|algorithm)) "
)
_BY_MODEL = re.compile(
    r"(?:(?:was |is |were )?(?:achieved|attained|obtained|reached|reported) )?(?:by|for) (?:the )?(?P<m>M )"
)
_HOLDS = re.compile(r"(?<![^ ])(?P<m>M )\( (?:[^ ()]+ ){0,6}$")
# "tuned T5 with 100x fewer parameters"
_M_WITH = re.compile(
    r"(?<![^ ])(?P<m>M )(?:models? )?with (?:only |just |about |around |up to |over )*$"
)
# "On A with GPT-4, pass@1 rises by 6%"
_OPENED_WITH = re.compile(
    r"(?:(?:(?:on|in|for) [^ ,]+ )?(?:with|using)|for) (?:the )?(?P<m>M )(?:model )?, (?!M |we |our |it )"
)
# "our method reaches 73% on A and 58% on B with GPT-4"
_WITH_MODEL = re.compile(r"(?:[^ ,.;:()PXQNUCDM]+ ){0,9}?(?:with|using) (?:the )?(?P<m>M )")
# "compared to GPT-4 at 0.97"
_RIVAL_AT = re.compile(
    r"(?:compared (?:to|with)|versus|vs \. |against|than|over|to (?:those|that|results) of) (?:[^ ,.;:()]+ ){0,3}?(?P<m>M )"
    r"(?:at|with|having|' s) (?:(?!achiev|reach|attain)[^ ,.;()]+ ){0,4}$"
)
_OF_MODEL = regex.compile(
    r"(?:(?:K|performance|performances|rate|score|accuracy) (?:of|for) (?:the |our |an? )?"
    r"(?P<m>M )(?:model )?(?:[^ ,.;]+ )?(?:from |by |\( )(?:[^ ]+ ){0,3}|(?P<m>M )from )$"
)
_ACTS = re.compile(
    r"(?:and (?:its|their) (?:variants?|extensions?) )?(?:with (?!it |them )(?:[^ ,.;:()PXQNUCDM]+ ){1,6}?)?(?:(?:models?|methods?|framework|agents?|system|family|series|approach|algorithm|network|pipeline|architecture|technique|variants?|module) )?(?:(?:can|could|only|still|also|even|consistently|significantly|already) )?"
    r"(?:achiev|attain|reach|obtain|scor|complet|solv|perform|outperform|surpass|yield|fail|gain|"
    r"improv|drop|lead|exhibit|deliver|show|showcas|demonstrat|display|establish|generat|produc|predict|identif|classif|answer|retriev|detect|"
    r"translat|requir|retain|maintain|sav|reduc|lower|boost|rais|hit|record|register|win|trail|lag|use|run|take|need|correctly|accelerat)\w* "
    r"|' s (?:[^ ,.;:()]+ ){0,2}?K (?:is|was|are|were|drops?|falls?|rises?|improves?|dropped|fell|rose|improved|reaches|reached) "
)
# "the best model we tried, GPT-4"
_BEST_NAMED = re.compile(
    r"(?<![^ ])(?:best|highest|strongest|top|leading|most)[^ ]* (?:[^ ,]+ ){0,3}?(?:models?|systems?|llms?|agents?|methods?) "
    r"(?:[^ ,]+ ){0,3}?(?:, |\( )(?:even |namely |i\.e \. , )?$"
)
_BEST = re.compile(
    r"the (?:best|strongest|top)(?:-performing)? , (?P<m>M ), (?:only )?(?:reach|achiev|attain|scor|obtain|solv)\w* "
)
_SCORING = re.compile(
    r", (?:scoring|achieving|reaching|attaining|obtaining|(?:which|who) (?:only )?(?:scores|achieves|reaches|attains|obtains)) "
)
_SUCH_AS = re.compile(r"(?:such as|like|including|e\.g \.) $")
_NOT_SUBJECT = re.compile(
    r"(?:than|over|compared to|compared with|outperform\w*|surpass\w*|beat\w*|exceed\w*|against|"
    r"like|as|with|including|,|relative to|on|to|of|from|e\.g \.|using|versus|vs|\(|in|by|for|and|"
    r"\+|match\w*|rival\w*|approach\w*|trail\w*|lag\w*|rais\w*|lift\w*|push\w*|advanc\w*|accelerat\w*|elevat\w*|train\w*|tun\w*|atop|upon|improv\w*|reduc\w*|increas\w*|lower\w*|enhanc\w*|both|the|boost\w*|into) (?:the |an? |our |strong |previous )?$"
    r"|(?:^|, )(?:on|for|with|over|across|among|unlike|against|compared to|than) (?:[^ ,.;]+ ){1,2}$"
    r"|(?:outperform|surpass|beat|exceed)\w* (?:[^ ,.;:]+ ){1,3}$"
)
_OTHERS = (
    "most", "many", "every", "any", "each", "other", "current", "existing", "several", "various",
    "strongest", "best", "best-performing", "top", "top-performing", "leading", "strong", "human",
    "previous", "prior", "all", "average", "random", "open-source", "proprietary", "frontier",
    "state-of-the-art", "sota", "second-best", "next",
)  # fmt: skip
# "most models yield 3%": others than any model named before
_OTHER_SUBJECT = re.compile(
    r"(?:^|, |; |and |while |whereas |but |even |that )(?:the |all |even )?"
    r"(?:(?:" + "|".join(_OTHERS) + r") )+"
    r"(?:(?:[^ ,.;:]+ ){0,2}?(?:models?|methods?|baselines?|approach|approaches|systems?|llms?|vlms?|mllms?|agents?|experts?|annotators?|"
    r"performance|participants?|algorithms?) )?(?:(?:still|only|also|even|can|could|typically) )?"
    r"(?:achiev|attain|reach|obtain|scor|complet|solv|perform|yield|fail|drop|fall|exhibit|get|remain|stay|manag|struggl|hover|report|produc|deliver|show|record)\w* "
    r"|(?<![^ ])(?:humans?|people|human (?:participants?|experts?|annotators?|raters?)) who "
    r"|(?:^|, |; |and |while |whereas |but |compared to |versus )(?:humans?|human (?:performance|experts?|annotators?|accuracy)) "
)
_OTHER_WORDS = frozenset((*_OTHERS, "humans", "people"))
_TRAINED_BY = re.compile(
    r"M (?:- )?-?(?:trained|tuned|fine-tuned|finetuned|aligned|enhanced|optimized|augmented|equipped|enabled|improved|compressed|quantized|pruned) M "
)
_MODELS = r"(?P<list>M (?:, M )*(?:, )?and M )"
_FOR_MODELS = re.compile(r"(?:[^ ,.;]+ ){0,4}?(?:for|by|with|using) (?:the )?" + _MODELS)
_MODELS_ACT = re.compile(
    _MODELS
    + r"(?:(?:that|which) )?(?:[a-z]+ly )?(?:achiev|attain|reach|obtain|scor|outperform|surpass|yield|improv|exceed|beat|gain)\w* "
)
_IMPROVING = re.compile(
    r"(?:improv|boost|rais|lift|enhanc|increas|push|bring)\w* (?:[^ ,.;]+ ){0,4}$"
)
_TUNED = re.compile(
    r"(?:^|, )(?:[^ ,.;]+ ){0,3}?(?:fine-tuning|finetuning|training|tuning|prompting|distilling|aligning) (?:the )?(?:an? (?:[^ ,.;:()PXQNUCDM]+ ){1,4}, )?(?P<m>M )"
)
_IMPROVES = re.compile(
    r"(?<![^ ])(?:improv|boost|enhanc|increas|rais|lift|reduc|lower)\w* (?:the )?(?:(?!by |on |in |over )[^ ,.;:()PXQNUCD]+ ){0,3}?(?P<m>M )"
    r"(?:(?!by |over )[^ ,.;:()PXQNUCD]+ ){0,6}(?:by|from) (?:[^ ]+ ){0,3}$"
)
_FOR_OTHERS = re.compile(
    r"for (?:the )?(?:(?:strongest|best|other|existing|previous|prior|competing|standard|baseline|all|most) )+(?:[^ ,.;]+ )?(?:models?|methods?|baselines?|systems?|approach|approaches) "
)
_RIVAL_BEFORE = re.compile(
    r"(?:outperform\w*|surpass\w*|beat\w*|exceed\w*|compared (?:to|with)|over|than|versus|vs|against) "
    r"(?:(?!achiev|reach|attain|M )[^ ,.;:()]+ ){1,8}(?:\( [^()]{1,60}\) (?:, |and )(?:[^ ,.;:()]+ ){1,6})?\( (?:[^ ()]+ ){0,6}$"
)
# "we find that 37% of outputs hold": the things counted are the subject
_PART_OF_ALL = regex.compile(r"of (?:the |all |its |these )?\p{Ll}")
_CLAUSE_OPENS = re.compile(r"(?:^|that |find |: )(?:only |about |nearly |over |up to )*$")
_SCORED = ("score ", "scores ", "similarity ", "similarities ")  # "a CLIP score"
_RIVAL = re.compile(
    r"(?:than|over|compared to|compared with|outperform\w*|surpass\w*|beat\w*|exceed\w*|against|"
    r"relative to|versus|vs|improv\w*|boost\w*|of|by|on|to|atop|using|across|for|in|from|"
    r"(?:trained|built|based|tuned|finetuned|fine-tuned|initialized|implemented|instantiated|"
    r"equipped|combined|integrated|paired) (?:upon|from|with|using|in|into)) "
    r"(?:the |an? |our |strong |previous )?$"
)
_LISTED_BEFORE = re.compile(r"M (?:, M )*(?:, )?and $")
# "and the second-best GPT-4 (1T) by 6.9%"
_OUTDONE_BY = re.compile(r"(?:\( [^()]{0,40}\) )?by (?:[^ ]+ ){0,2}?[PQDXN] ")
_OWN_MEANS = re.compile(r"(?:using|with|by|of|,|and|our|the|for) (?:the |our )?$")


class ModelBinding(BaselineBinding):
    """Binds claims to models: the subject before a value, else what the paper proposes."""

    def __init__(
        self,
        sentence: Skeleton,
        claims: Sequence[Claim],
        known: Known,
        context: Context,
        words: Words,
    ) -> None:
        super().__init__(sentence, claims, known, context, words)
        self._subjects = list(_subjects(sentence, known))
        # whether what acts may be none of the models that are named
        self._tells_of_others = not _OTHER_WORDS.isdisjoint(sentence.words)

    def _each_by_its_own(self, claim: Claim) -> str | None:
        """The model of one value of a list, where as many are named and "respectively" said."""
        group = [claim] if claim.kind == "sota" else self._groups[self._order[id(claim)]]
        if len(group) < 2:
            return None
        low, high = max(0, group[0].offset - FAR), group[-1].offset + 2
        rest = self._body[high : high + FAR]
        if "respectively " not in rest:
            return None
        after = _FOR_MODELS.match(rest)
        listed = after or [*_MODELS_ACT.finditer(self._body, low, group[0].offset), None][0]
        if listed is None:
            return None
        base = high if after else 0
        items = self._sentence.items_in(base + listed.start("list"), base + listed.end("list"))
        names = [str(item.of) for _, item in items if item.symbol == "M"]
        place = self._in_list[id(claim)]
        if len(group) % len(names):
            return None
        return names[place % len(names)] if after is None or len(names) == len(group) else None

    def _improved_by_another(self, of: int) -> bool:
        """Whether a model is what another one improves: "ZapTune improves GPT-4 from"."""
        at = bisect_left(self._subjects, of, key=lambda subject: subject[0])
        verb = _IMPROVING.search(self._body[max(0, of - 40) : of])
        own = self._known.proposed and _OWN_SUBJECT.search(" " + self._body[max(0, of - FAR) : of])
        return verb is not None and bool(own or (at and self._subjects[at - 1][1] is not None))

    def _is_background(self, claim: Claim) -> bool:
        """Whether a claim stands before the paper begins to speak of its own work."""
        span = claim.text.span(claim.item.start, claim.item.end)
        return span.field == "abstract" and span.start < self._known.own_from

    def _acting(self, at: int) -> int:
        """Where the last model up to this one stands that does something itself."""
        while at >= 0 and not self._subjects[at][2]:
            at -= 1
        return self._subjects[at][0] if at >= 0 else 0

    def model(self, claim: Claim) -> str | None:
        """The system a claim is made of: the subject before it, else what the paper proposes."""
        if claim.kind != "sota" and (told := self._told_ends(claim)) is not None:
            return told.model
        near = max(0, claim.offset - 100)
        before = self._body[near : claim.offset]
        of = None
        if claim.kind == "score" and (by := _BY_MODEL.match(self._body, claim.offset + 2)):
            of = by.start("m")
        elif (
            claim.kind == "score" and (held := _HOLDS.search(before) or _RIVAL_AT.search(before))
        ) or (claim.kind == "factor" and (held := _M_WITH.search(before))):
            of = near + held.start("m")
        elif claim.kind == "from_to":
            found = _OF_MODEL.search(before)
            of = near + found.start("m") if found else None
        if claim.kind == "from_to" and of is not None and self._improved_by_another(of):
            of = None
        if of is not None and (item := self._sentence.item(of)):
            return str(item.of)
        if named := self._each_by_its_own(claim):
            return named
        if claim.kind == "score" and _RIVAL_BEFORE.search(before):
            return None
        if (
            claim.kind == "score"
            and claim.item.symbol == "P"
            and _PART_OF_ALL.match(self._body, claim.offset + 2)
            and _CLAUSE_OPENS.search(before)
        ):
            return None
        if _FOR_OTHERS.match(self._body, claim.offset + 2):
            return None
        if claim.kind == "score" and self._is_rival(claim):
            rivals = self._beaten(claim)
            return rivals[0] if len(rivals) == 1 else None
        at = bisect_left(self._subjects, claim.offset, key=lambda subject: subject[0])
        where, subject, _ = self._subjects[at - 1] if at else (0, None, False)
        proposed = self._known.proposed
        far = max(where, claim.offset - FAR)
        low = max(self._acting(at - 1), claim.offset - FAR, 0)
        own = _OWN_SUBJECT.search(" " + self._body[low : claim.offset])
        others = []
        if self._tells_of_others:
            others = list(_OTHER_SUBJECT.finditer(self._body, far, claim.offset))
        rest = others[-1].start() if others else claim.offset
        if others and not (
            _OWN_SUBJECT.search(self._body, rest, claim.offset)
            or "M " in self._body[rest : claim.offset]
        ):
            return None
        opened = None if subject or proposed else _OPENED_WITH.match(self._body)
        if opened and (item := self._sentence.item(opened.start("m"))):
            return str(item.of)
        if subject is None and not proposed and claim.kind == "score":
            last = self._order[id(self._runs[self._order[id(claim)]][-1])]
            after = _WITH_MODEL.match(self._body, self._offsets[last] + 2, self._next(last))
            if after and (item := self._sentence.item(after.start("m"))):
                return str(item.of)
        if subject is None and not proposed and not own:
            improved = _IMPROVES.search(before)
            tuned = _TUNED.match(self._body, 0, claim.offset)
            place = near + improved.start("m") if improved else tuned.start("m") if tuned else None
            item = self._sentence.item(place) if place is not None else None
            return str(item.of) if item else None
        if subject is None and self._is_background(claim):
            return None
        if subject is None or subject == proposed or not proposed:
            return subject or proposed
        return proposed if own and subject not in self._known.own else subject


def _subjects(sentence: Skeleton, known: Known) -> Iterator[tuple[int, str | None, bool]]:
    """After each model of a sentence, which one is the subject of what follows, and whether the
    model itself acts: "GPT-4 reaches".
    """
    body = sentence.text
    subject: str | None = None
    trained: int | None = None
    for offset, item in sentence.items_in(0, len(body)):
        if item.symbol != "M" or body.startswith(_SCORED, offset + 2):
            continue
        lead = body[max(0, offset - 40) : offset]
        if trained is not None and offset < trained:
            continue  # "the ZipTune-trained Llama": the model is ZipTune
        by = _TRAINED_BY.match(body, offset)
        if by and item.of == known.proposed:
            trained, subject = by.end(), item.of
            yield offset, subject, True
            continue
        acts = _ACTS.match(body, offset + 2) is not None and not _RIVAL.search(lead)
        acts |= _BEST_NAMED.search(body, max(0, offset - 100), offset) is not None
        best = _BEST.search(body, max(0, offset - 40), offset + 40)
        acts |= best is not None and best.start("m") == offset
        scoring = _SCORING.match(body, offset + 2)
        if scoring:
            such = scoring[0].startswith(", wh") and _SUCH_AS.search(lead) is not None
            acts |= such or not _NOT_SUBJECT.search(lead)
        if not acts and (_NOT_SUBJECT.search(lead) or _OUTDONE_BY.match(body, offset + 2)):
            if item.of == known.proposed and subject is None and _OWN_MEANS.search(lead):
                subject = item.of
        elif subject != known.proposed or subject is None or acts:
            # "LoRA and DoRA reach 40%": the first of them
            listed = _LISTED_BEFORE.search(body, max(0, offset - 60), offset) if acts else None
            if listed and _RIVAL.search(body, max(0, listed.start() - 40), listed.start()):
                listed = None  # "A surpasses GPT-4, and B outperforms"
            first = sentence.item(listed.start()) if listed else None
            subject = first.of if first else item.of
        yield offset, subject, acts
