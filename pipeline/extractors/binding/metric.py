"""The metric a value is one of: a known one, or the noun that stands in its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import regex

from pipeline.extractors.binding.benchmark import BenchmarkBinding
from pipeline.extractors.binding.claims import FAR, VERSUS, Claim, places

_LEAD = re.compile(
    r"(?:(?:the|a|an|its|their|our|this|these|overall|further|also|significantly|by|of|in|on|up|to|"
    r"both|only|more|additional|final|remarkable|substantial|consistent|significant|"
    r"relative(?! error)|absolute(?! error)|highest|lowest|best|superior|impressive|competitive|state-of-the-art|new|high|"
    r"strong|comparable|notable|considerable|better|higher|lower|faster|larger|smaller|promising|"
    r"near-perfect|outstanding|exceptional|approximately|about|around|nearly|almost|just|merely|"
    r"even|current|previous|best-performing|top|maximum|minimum|official|terms) )+"
)
_NO_NOUNS = frozenset(
    "average mean relative absolute overall total gain gains improvement range result results value longer shorter larger "
    "smaller bigger faster slower higher lower better worse more less fewer cheaper sota state-of-the-art".split()
)
_NO_METRIC_HEADS = (
    "model method baseline system agent gpu llm vlm mllm lvlm lrm network transformer classifier "
    "domain task setting scenario benchmark dataset language environment condition"
)
_NO_METRIC_ENDS = tuple(f"{head}{end}" for head in _NO_METRIC_HEADS.split() for end in ("", "s"))
_PART_RULES = frozenset(("share-of-resource", "by-up", "by-down"))  # "6% of the cost"
_SCORING_VERB = regex.compile(r"(?:\p{L}{3,}s|can|could|only) $")  # "models score under 20%"
_NAMELIKE = regex.compile(r"\p{Lu}\p{L}*\p{Ll}\p{Lu}[\p{L}\d-]*$")
_NO_NOUN = regex.compile(r"[^\p{L}]*|.*\d-shot .*")
_LISTED_METRICS = re.compile(
    r"(?<![^ ])(?P<list>(?:the |both )?K (?:, (?:the )?K )*(?:, )?and (?:the )?(?:(?!on |in |for |by |of )[^ ,.;:()PXQNUCDBK]+ ){0,2}K )"
    r"(?:by|of|to|at|from) (?:(?!K )[^ ]+ ){0,4}$"
)
_METRICS_AFTER = re.compile(
    r"(?:points? |absolute |relative )*" + "(?:improvements? |gains? |increases? |reductions? )?"
    r"(?:in|on|of|for) (?:terms of )?(?P<list>(?:the |both )?K (?:, (?:the )?K )*(?:, )?and (?:the )?K )"
)
# "by 9.1% (average recall) on A"
_METRIC_ASIDE = re.compile(r"\( (?:in )?(?P<np>(?:[^ ()]+ ){0,2}?K )\) ")
_NOUN = (
    r"(?:(?!(?:by|of|on|in|for|and|from|with|to|at|than|over|the|a|an) )[^ ,.;:()PXQNUCDMB]+ ){1,4}"
)
_NOUNS = rf"(?P<list>{_NOUN}(?:, {_NOUN})*(?:, )?and {_NOUN})"
_NOUNS_BEFORE = re.compile(
    r"(?<![^ ])(?:reduc|improv|increas|decreas|lower|cut|boost|rais)\w* (?:(?:the|its|their|both|average|mean) )?"
    + _NOUNS
    + r"by (?:[^ ,.;()]+ ){0,3}$"
)
_NOUNS_AFTER = re.compile(r"in (?:terms of )?(?:the )?" + _NOUNS + r"(?:, )?respectively ")
_PART = re.compile(_NOUN)
_LITTLE = (
    r"(?:(?:about|around|up|to|over|nearly|approximately|only|just|above|below|at|least) ){0,3}"
)
# "an F1 score of 92%": nothing can be nearer
_METRIC_OF = re.compile(
    r"(?<![^ ])(?P<np>(?:(?!on |in |for |over |and |than |of |by |with |to |an? |the |we |it |that |achiev|improv|reach|our )"
    r"[^ ,.;:()PXQNUCDMBZ]+ ){0,3}(?:(?:B )?K (?:score |scores |rate |rates |value )?|B scores? ))(?:\( [^ ()]+ \) )?(?:of|:|=) "
    + _LITTLE
    + "$"
)
# "cuts WER by 13%, WIL by 9%"
_BY_ITSELF = re.compile(
    r"[PQDX] (?:(?:points?|absolute|relative) )?(?:, and |, |and )(?P<np>(?:(?!on |in |for |over |of |by |with |to |it |we |that |outperform|surpass|exceed|beat|further )"
    r"[^ ,.;:()PXQNUCDMBZ]+ ){1,3})by (?:(?:up|to|about|over|nearly|an?|average|of|around|approximately) ){0,3}$"
)
# "a Rate of Return (RR) of 27%": known by its letters
_ACRONYM_OF = regex.compile(
    r"(?<![^ ])\( (?P<letters>\p{Ll}{2,6}) \) (?:of|at|is) " + _LITTLE + "$"
)
_METRIC_NEXT = re.compile(
    r"(?:\( [^ ()]+ \) )?(?:(?:points?|absolute|relative|in|of|on|for|the|average|higher|lower|better|more|less|fewer|greater|smaller|larger|improvement|"
    r"gain|gains|increase|reduction|improvements|drop|decrease|boost|terms) ){0,4}"
    r"(?P<np>(?:(?!K |on |in |for |over |and |than |of |by |with |to |at |under |when |after |via |"
    r"across |using |while |without |as |an? |the |from |compared )[^ ,.;:()PXQNUCD]+ ){0,3}?"
    r"(?:K |performance |score |scores )+"
    r"(?:(?:score|scores|rate|rates|metric|time|cost|costs|points) )?)"
)
_METRIC_BEFORE = re.compile(
    r"(?<![^ ])(?P<np>(?:(?!on |in |for |over |and |than |of |by |with |to |an? |the |we |it |that |"
    r"achiev\w+ |improv\w+ |reach\w+ |our |(?:cut|lower|reduce|raise|lift|boost|yield|drop|increase|decrease)s )"
    r"[^ ,.;:()PXQNUCDMBZ]+ ){0,3}"
    r"(?:K |performance |score |scores (?!$))+(?:score |scores |rate |rates |values? )?)"
    r"(?:(?:(?:ris|rose|drop|fall|fell|increas|decreas|improv|reduc|declin|jump|grow|degrad|deteriorat|worsen|climb|shrink|surg|plummet|slip)\w*|of|is|at|to|by|from|between|reach\w*|near|attains?|\(|as|exceeding|above|below|up|high|low|average|"
    r"about|on|an?|over|was|are|that|which|,|:|=|for|the|~|[BM]|more|less|than|almost|nearly|approximately|around|"
    r"roughly|in|under|range|model|models|only|just) ){0,6}$"
)
_WHAT_END = re.compile(
    r"(?:^| )(?:on|of (?=[MB] )|for|across|over|than|compared|while|with|when|from|using|by|under|"
    r"at|without|per|during|relative|to|that|which|,|\() "
)
_NO_METRIC = re.compile(
    r"(?:(?:[MZ]|llms?|mllms?|vlms?|vits?|and|or|,|the) )+|(?:[MBZ]|it|them|,|and|is|are|results?|baselines?|methods?|models?|upon|that|which|those|we|"
    r"[^ ]*ing|this|sota|state-of-the-art|average) "
)
_SPEEDUP_NEXT = re.compile(
    r"(?P<np>(?:(?!in |on |of |for )[^ ,.;:()PXQNUCD]+ ){0,2}?(?:speed-?ups?|acceleration) )"
)
# "an 18x attention speedup"
_SPEEDUP_OF_KIND = re.compile(
    r"(?P<np>(?:(?!in |on |of |for |faster |overall |average )[^ ,.;:()PXQNUCD]+ ){1,2}(?:speed-?ups?|acceleration) )"
)
_SUBJECT_BEFORE = re.compile(
    r"(?:^|, |and |while |that |whereas |but |with )"
    r"(?P<np>(?:(?!we |it |our |this |which |they |can |and )[^ ,.;:()PXQNUCDMB]+ ){1,4}?(?:\( [^ ()]+ \) )?(?:metric |score |rate )?)"
    r"(?:is |are |was |were |can be )?(?:further |also |significantly )?"
    r"(?:reduc|drop|fall|fell|ris|rose|increas|decreas|improv|cut|lower|shrink|grow|declin|degrad|deteriorat|worsen|climb|surg|plummet|slip)\w* "
    r"(?:by |from |to |up to |only |about |over |more than |less than ){1,3}$"
)
_SPEED_BEFORE = re.compile(
    r"(?<![^ ])(?P<np>(?:speed-?ups?|accelerations?|faster|speed) )(?:[^ ,.;:()]+ ){0,4}$"
)
_MORE_NEXT = re.compile(
    r"(?:more|fewer|less|faster|larger|smaller|lower|higher|greater|better) "
    r"(?P<np>(?:(?!than |on |in |for |over |and |of |by |with |to |while |due )"
    r"[^ ,.;:()PXQNUCD]+ ){1,3})"
)
_SHARED = re.compile(
    r"(?:of )?(?:the |its |their |our |a |all )*"
    r"(?P<np>(?:(?!of |for |on |in |at |and |by |with |while |compared |to |than |from |during |across |over |under |when |as )"
    r"[^ ,.;:()PXQNUCD]+ ){1,4})"
)
_TAIL_METRIC = regex.compile(
    r"(?:\( (?:[^ ()]+ ){1,4}\) )?(?:[^ ,.;:()PXQNUCD]+ ){0,4}?(?P<np>(?:K |performance )+(?:score |rate )?)"
    r"|in (?:the )?(?P<np>(?:[^ ,.;:()PXQNUCDKB]+ ){1,3}?(?:metrics?|scores?|rate|time) )"
)
_NEAR_METRIC = re.compile(
    r"(?<![^ ])(?P<np>(?:K )+)(?:(?!(?:[.;:]|, (?:we|it|our|the|M)) )[^ PXQNUCD]+ ){0,9}$"
)
_ASIDE_METRIC = re.compile(
    r"(?<![^ ])(?P<np>performance |K )(?:(?![.;:()] )[^ PXQNUCDK]+ ){0,9}\( (?:[^ ()]+ ){0,3}$"
)
_TURN = re.compile(r" (?:while|whereas|but) |, achieving $")
# "For zero-shot accuracy, X gains 8.2%"
_OPENING_METRIC = re.compile(
    r"(?:[^ ,]+ (?:, )?)?(?:for|in|on|in terms of) (?:the )?(?:[^ ,.;:()K]+ ){0,2}?(?P<np>(?:[^ ,.;:()KBM]+ )?K ), "
)
_TERMS = regex.compile(
    r"(?:(?!while )[^ .;:PXQNUCD]+ ){0,10}?(?:in terms of|measured by|in|w\.r\.t) (?:the |average |both )?"
    r"(?P<np>(?:[^ ,.;:()PXQNUCD]+ ){0,2}?(?:K )+(?:score |rate )?)"
    r"|(?:(?!while )[^ .;:PXQNUCD]+ ){0,10}?in terms of (?:the |average )?(?P<np>(?:[^ ,.;:()PXQNUCDMB]+ ){1,3}?)"
    r"(?:metric |metrics )?(?=,|\.|;|\(|\)|on |and |in |for |over |compared |than |at |with |$)"
)
_MEASURE = (
    r"(?P<np>(?:(?!on |in |for |over |and |than |of |by |with |to |an? |the |at |is |are |we |it )"
    r"[^ ,.;:()PXQNUCDMB]+ ){0,2}(?:errors?|rates?|ratios?|index|coefficient|correlation|latency|"
    r"throughput|accuracies|aurocs?|aucs?|f1s|wers) )"
)
_MEASURE_BEFORE = re.compile(
    r"(?<![^ ])" + _MEASURE + r"(?:(?:(?:ris|rose|drop|fall|fell|increas|decreas|improv|reduc|"
    r"declin|jump|grow|degrad|deteriorat|worsen|climb|shrink|surg|plummet|slip)\w*|of|is|at|to|by|from|between|reaching|\(|as|up|was|were|are|"
    r"about|over|an?|the|average|only|just|:|=|nearly|approximately|around|below|above) ){0,4}$"
)
# "69.0% OSR on R2R": the words between a level and what it is measured on, known as a metric or not
_NOUN_NEXT = regex.compile(
    r"(?:\( [^ ()]+ \) )?(?:(?:overall|average|mean|absolute|relative) )*"
    r"(?P<np>(?:(?!(?:on|in|of|for|over|and|or|than|by|with|to|as|at|from|is|are|was|were|we|it|that|which|who|when|after|via|across|"
    r"using|while|without|under|points?|improvements?|gains?|increases?|reductions?|drops?|respectively|compared|"
    r"relative|higher|lower|better|worse|more|less|fewer|faster|only|but|even|both|the|an?|vs|versus|per|through|during|within|downarrow|uparrow|here|there|now|factors?|times|years?|hours?|days?|minutes?|seconds?|samples?|examples?|steps?|"
    r"among|between|[a-z]+ly|using|achieving|outperforming|surpassing|exceeding|reducing|improving|including|being|making|showing|demonstrating|reaching|beating|setting|running|requiring|achieved|obtained|reported|trained|observed|reached|used|based|given|attained|produced|set) )[^ ,.;:()\p{Lu}]+ ){1,3})"
    r"(?=(?:on|in|for|across|over|and|with|under|at|using|while|when|by|,|\.|;|\(|\)|from|without|after|compared|than|vs|versus|against|as) |$)"
)
_CHANGE_NOUN = r"(?:improvements?|gains?|increases?|reductions?|drops?|decreases?|savings?|boosts?|loss|losses|degradations?|lifts?|uplifts?) "
# "3% success rate improvement", "a 2.9% increase in revenue"
_CHANGED = regex.compile(
    r"(?:(?:absolute|relative|average|overall|mean|substantial|significant|further|additional|consistent|points?|percentage) )*"
    r"(?:(?P<np>(?:(?!(?:on|in|of|for|over|and|than|by|with|to|performance) |[a-z]+ly )[^ ,.;:()PXQNUCDMB]+ ){1,3}?)"
    + _CHANGE_NOUN
    + r"|"
    + _CHANGE_NOUN
    + r"(?:in|of|on(?= (?:[^ ,.]+ ){0,3}(?:memory|time|latency|costs?|usage|compute|flops|parameters|tokens|consumption|footprint|overhead) )) (?:(?:the|its|their|average|overall|both) )*"
    r"(?P<np>(?:(?!(?:on|in|of|for|over|and|than|by|with|to|from|at|when|while|across|compared|using|per) )[^ ,.;:()PXQNUCDMB]+ ){1,4}))"
)
# "user experience gains ranging from 17% to 28%"
_GAINS_BEFORE = re.compile(
    r"(?<![^ ])(?P<np>(?:(?!(?:on|in|of|for|over|and|or|than|by|with|to|as|at|from|the|an?|its|their|our|we|it|that|which|"
    r"consistent|significant|substantial|notable|average|relative|absolute|further|additional|large|larger|impressive|remarkable|overall|"
    r"strong|clear|considerable|maximum|mean|median|modest|steady|dramatic|marked|corresponding|respective|similar|up|more|greater|major|"
    r"noticeable|sizable|respectable|big|small|slight|total|net|zero-shot|new|obvious|great|huge|several|better|"
    r"[a-z]+ing|[a-z]+s|[a-z]+ly|[a-z]+ed) )[^ ,.;:()PXQNUCDMBZ]+ ){1,2})"
    + _CHANGE_NOUN
    + r"(?:(?:of|ranging|by|up|to|from|at|exceeding|over|above|about|around|nearly|as|high|an?|average|more|than|least|between|is|are|in|the|range|reaching) ){1,6}$"
)
# "reduces load imbalance from 1.34 to 1.08"
_OBJECT_BEFORE = re.compile(
    r"(?<![^ ])(?:reduc|decreas|increas|improv|lower|rais|cut|boost|lift|push|bring|drop|shrink|driv)\w* "
    r"(?:(?:the|its|their|our|average|mean|overall) )*"
    r"(?P<np>(?:(?!(?:on|of|for|in|over|and|by|with|to|than|an?|it|that|which|upon|baselines?|methods?|models?|approach|approaches|"
    r"systems?|state-of-the-art|sota|llms?|work|art) )[^ ,.;:()PXQNUCDMBZ]+ ){1,4})"
    r"(?:(?:on|of|for|in) (?:the )?(?:[^ ,.;:()PXQNUCD]+ ){1,7}?)?(?:from |by (?:[^ ,.;:()]+ ){0,3})$"
)
# "reduces unsafe answers (from 39% to 5%)"
_ASIDE_BEFORE = re.compile(
    r"(?<![^ ])(?:(?:both|the|its|their|average|mean) )*(?P<np>(?:(?!(?:on|of|for|in|over|and|by|with|to|than|an?|it|that|which|both|the|"
    r"[a-z]+ly|reduc\w*|improv\w*|increas\w*|lower\w*|rais\w*|cut\w*|decreas\w*|boost\w*) )[^ ,.;:()PXQNUCDMBZ]+ ){1,3})"
    r"\( (?:e\.g \. , )?(?:from )?$"
)
# "the reduction of tensor products by 92%"
_NOMINAL = re.compile(
    r"(?<![^ ])(?:reduction|increase|improvement|decrease|drop|growth|rise) (?:of|in) (?:(?:the|its|their) )?"
    r"(?P<np>(?:(?!on |for |over |and |by |with |to |than )[^ ,.;:()PXQNUCDMBZ]+ ){1,5})(?:by|of) (?:[^ ,.;()]+ ){0,3}$"
)
# "by 25.1% in Rank-1 on MSMT17": a word that looks like a metric's name
_IN_NAMED = regex.compile(
    r"(?:points? |absolute |relative )*in (?:terms of )?(?P<np>[^ ,.;:()\p{Lu}]+ (?:score |rate )?)(?:on|for|,|\.|\)|over|and|compared) "
)
_METRIC_LIKE = regex.compile(r"\p{Lu}[\p{L}-]*[\d@]|\p{Lu}{2}|\p{Ll}\p{Lu}")
# "80% of failures arise": what is counted
_PART_OF = re.compile(
    r"of (?:all |the |these |its )?(?P<np>(?:(?!(?:cases|questions|problems|tasks|instances|samples|time|examples|items|data|queries|the) )"
    r"[^ ,.;:()PXQNUCDMBK]+ ){0,2}?(?!(?:cases|questions|problems|tasks|instances|samples|examples|items|queries) )[a-z]{3,}s )"
)
# "to a memory size of 5MB"
_SIZE_OF = re.compile(
    r"(?<![^ ])(?:an?|the|achiev\w+|attain\w+|reach\w+|obtain\w*|with|yield\w*) (?:(?:average|mean|overall|an?|the|high|low|best) )*"
    r"(?P<np>(?:(?!(?:on|of|for|in|over|and|by|with|to|than|total|an?|the|improvements?|gains?|increases?|reductions?|score|scores) )"
    r"[^ ,.;:()PXQNUCDMBZ]+ ){1,3})(?<!(?:ment|gain|ease|tion|drop|loss|ings|sets|mean) )(?<!(?:ments|gains|eases|tions|drops|boost|level|scale|batch|total|ratio|reach) )"
    r"(?<!(?:margin|factor|sample) )(?<!(?:margins|factors|average|speedup) )(?<!set )(?<!up )(?:\( [^ ()]+ \) )?"
    r"of (?:(?:up|to|about|around|over|nearly|approximately|only|just|more|less|than|roughly|almost) ){0,2}$"
)
# "fast inference (12 ms)"
_COST_BEFORE = re.compile(
    r"(?<![^ ])(?P<np>(?:inference |decoding |training |planning |processing )?(?:inference|decoding|training|latency|runtime|time|speed|memory|cost|throughput|delay|footprint) )"
    r"(?:\(|of|is|at|to|within|under|below|,|only|just|about|<|~|as low as|-) (?:[^ ,.;()]+ ){0,2}$"
)
_SPEEDUPS_OF = re.compile(
    r"speed-?ups? (?:(?:of|is|are) (?:[^ ,.;()]+ ){0,3}|(?:on|for|in|over) (?:[^ ,.;()]+ ){1,5}(?:by|of) (?:up to |about |over )?)$"
)
_RATE_NEXT = regex.compile(
    r"(?P<np>(?:[^ ,.;:()\p{Lu}]+ ){0,2}?(?:compression (?:ratio |rate |factor )?|down-?sampling "
    r"|[a-z]+(?<!(?:er)) (?:ratio |rate |factor )))(?=(?:with|on|in|for|over|and|while|than|compared|from|of|without|,|\.|\)|;|as) |$)"
)
_FASTER_NEXT = re.compile(
    r"(?:[a-z]+ly )?(?:faster|speed-?ups?|as fast|quicker) (?:than |and |, |\. |\) |while |on |in |with |compared |$)"
)
_BEATING_WORD = re.compile(r"(?:outperform|surpass|exceed|beat)\w* ")
_RIVALS_END = re.compile(
    r"(?:baselines?|methods?|models?|approach|approaches|competitors?|systems?|counterparts?|sota|state-of-the-art) $"
)
_MEASURE_NEXT = re.compile(r"(?:in |of |higher |lower |average ){0,2}" + _MEASURE)
_POINTS_OF = re.compile(
    r"\d\s((?!percent|absolute|full|relative|average|basis)[A-Za-z][A-Za-z\d@-]*)\spoints?$"
)
_ATTAINS = re.compile(
    r"(?:achiev|reach|attain|obtain|get|scor|yield|averag|perform|manag)\w* (?:(?:at|to|only|just|around|about|merely|a|nearly|over|under|below|above|approximately|up) ){0,3}$"
    r"|(?:but|yet|and) (?:only|just|merely) $"
)
_FASTER_IN = re.compile(
    r"(?:[a-z]+ly )?(?:faster|slower|quicker) (?:in|at|for) (?P<np>(?:[^ ,.;:()PXQNUCDMBK]+ ){1,2})(?:than|compared) "
)
_AS_MUCH = re.compile(r"as (?P<np>(?!fast |many |much |large |high |good |long )[^ ,.;:()]+ )as ")
# "the inference speed of tuned models is 2x faster"
_SPEED_OF = re.compile(
    r"(?<![^ ])(?P<np>(?:(?!the |an? |and |of |in )[^ ,.;:()PXQNUCDMBZ]+ )?(?:K|speed|throughput|latency|runtime) )"
    r"(?:of (?:[^ ,.;:()]+ ){1,8})?(?:is|are|was|were) (?:[^ ,.;:()]+ ){0,3}$"
)
# "in color (3%), font (4%) and size (5%)", "the highest UAR (45)": the word that holds a value
_HELD_BY_NOUN = re.compile(
    r"(?<![^ ])(?:in|highest|lowest|best) (?:(?!on )[^ ,.;:()PXQNUCDMBZ]+ ){1,4}"
    r"(?:\( [^()]{1,30}\) (?:, and |, |and )(?:[^ ,.;:()PXQNUCDMBZ]+ ){1,4})*\( (?:up to )?$"
)
_CLOSES = re.compile(r"\) (?:[,.;:]|and|on|with|over|in|across|while|compared|for) ")
_NOUN_HOLDS = re.compile(
    r"(?:^|in |highest |lowest |best |of |, |and )"
    r"(?P<np>(?:(?!(?:and|in|on|the|of|highest|lowest|best) )[^ ,.;:()PXQNUCDMBZK]+ ){1,3})\( (?:up to )?$"
)
# "an increase of 8% in reasoning, 4% in knowledge"
_CHANGE_OF = re.compile(
    r"(?:improvement|gain|increase|boost|reduction|drop|decrease|rise)s? of [^.;:()]{0,80}$"
)
_IN_NOUN = re.compile(
    r"in (?:(?:the|its|their|average|overall) )*"
    r"(?P<np>(?:(?!and |on |over |for |with |by |of |the |an? |using |including )[^ ,.;:()PXQNUCDMBZ]+ ){1,3}"
    r"(?:\( [^ ()]+ \) [^ ,.;:()PXQNUCDMBZ]+ )?)(?=, |\. |; |and |on |over |with |compared )"
)
# "inference is 1.3x faster", "decoding becomes 3x faster"
_PROCESS = re.compile(
    r"(?<![^ ])(?P<np>(?:[^ ,.;:()PXQNUCDMBZ]+ )?(?:inference|training|decoding|sampling|convergence|generation|search|rendering|"
    r"pretraining|fine-tuning|prefilling|prefill|encoding|simulation|optimization|evaluation|planning) )"
    r"(?:is|are|becomes|runs|gets) (?:[^ ,.;()]+ ){0,3}$"
)
_OF_THINGS = re.compile(r"(?:of|on average of) ")
_MORE_THAN = re.compile(r"(?:more|fewer|less) than ")
_EXCELS = re.compile(
    r"(?:outperform|surpass|exceed|beat|improv)\w* |which is |(?:, |\( )(?:a|an) |yielding |representing |corresponding |"
    r"achieving |, (?:up )?$|\( (?:up )?$|- an? |^\) by "
)
_OTHER_MATTER = re.compile(
    r"(?:^| )(?:while|whereas|but|and (?:reduc|improv|increas|cut|sav|requir|us)\w*) |; "
)


def _metric_before(before: str) -> re.Match[str] | None:
    if "K " in before or "performance " in before or "score" in before:
        return _METRIC_BEFORE.search(before)
    return None


class MetricBinding(BenchmarkBinding):
    """Binds claims to metrics, on the strongest evidence first."""

    def _metric(self, i: int) -> str | None:
        claim = self._claims[i]
        if named := _POINTS_OF.search(claim.text.text, claim.item.start, claim.item.end):
            return named[1]
        for low, high in self._metric_places(i):
            if self._body.find("without ", low, high) >= 0:
                continue
            lead = _LEAD.match(self._body, low, high)
            if lead and lead.end() >= high:
                continue
            start = lead.end() if lead else low
            start = self._words.noun_start(self._body, start, high)
            if again := _LEAD.match(self._body, start, high):
                start = again.end() if again.end() < high else start
            if not _NO_NOUN.fullmatch(self._body, start, high):
                found = self._words.surface(claim, start, high)
                if (
                    found
                    and found.lower() not in _NO_NOUNS
                    and not found.startswith("\\")
                    and not found.lower().endswith(_NO_METRIC_ENDS)
                    and not (
                        found == "score"
                        and _SCORING_VERB.search(self._body, max(0, start - 20), start)
                    )
                    and ("K " in self._body[start:high] or not _NAMELIKE.match(found))
                ):
                    return found
        if claim.kind != "share" and claim.listed is not None:
            return claim.listed.metric
        if claim.kind == "factor" and _FASTER_NEXT.match(self._body, claim.offset + 2):
            return "speedup"
        return None

    def _metric_places(self, i: int) -> Iterator[tuple[int, int]]:
        """Where a claim's metric may stand, on the strongest evidence first."""
        claim = self._claims[i]
        low = claim.offset + 2
        after = self._body[low : low + FAR]
        before, base = self._window(i)
        yield from self._held_metric(i, before, base, after)
        if after.startswith(("on ", "for ")) and claim.kind != "share":
            # "improves F1 by 13% on hallucination": the nearer one
            yield from places(base, [_metric_before(before)])
        yield from places(low, [_METRIC_NEXT.match(after)])
        if claim.item.symbol in "PND" and (claim.kind == "score" or claim.entry.key == "signed"):
            found = _NOUN_NEXT.match(after)
            # "+0.017 Spanish" is no metric
            if found and (
                claim.kind == "score" or self._may_name_metric(claim, low + found.start("np"))
            ):
                yield from places(low, [found])
        if claim.kind == "factor":
            yield from places(low, [_SPEEDUP_OF_KIND.match(after)])
        if claim.kind in ("delta", "factor"):
            yield from places(low, [_CHANGED.match(after)])
        if claim.kind == "delta":
            yield from places(low, [_MORE_NEXT.match(after)])
        if claim.kind != "share":
            yield from places(base, [_metric_before(before)])
        if claim.kind == "factor":
            yield from self._speed(claim, before, base, after)
        elif claim.kind == "delta" and _SPEEDUPS_OF.search(before):
            yield from places(base, [_SPEED_BEFORE.search(before)])
        last = claim.what is not None and self._body.endswith("for ", 0, claim.what[0])
        if claim.what is not None and not last:
            yield from self._what(*claim.what)
        yield from places(low, [_MEASURE_NEXT.match(after)])
        if claim.kind != "share":
            yield from places(base, [_MEASURE_BEFORE.search(before)])
        if claim.what is not None and last:
            yield from self._what(*claim.what)
        yield from self._changed(claim, before, base, after)
        yield from places(low, [_SPEEDUP_NEXT.match(after)])
        if claim.kind == "share" or claim.entry.key in ("doubles", "halves"):
            yield from places(low, [_SHARED.match(after)])
        elif not (claim.kind == "factor" and _FASTER_NEXT.match(after)):
            if claim.kind == "delta" and _CHANGE_OF.search(before):
                yield from places(low, [_IN_NOUN.match(after)])
            yield from self._far_metric(i, before, base)

    def _held_metric(self, i: int, before: str, base: int, after: str) -> Iterator[tuple[int, int]]:
        """A metric that can be no other value's: its own in a list, or just beside the value."""
        claim, group = self._claims[i], self._groups[i]
        low = claim.offset + 2
        yield from self._listed_metric(claim, group)
        if (run := self._runs[i]) is not group and len(run) < len(group):
            yield from self._listed_metric(claim, run)
        if after.startswith("of ") and claim.entry.key in _PART_RULES:
            yield from places(low, [_SHARED.match(after)])
        yield from places(low, [_METRIC_ASIDE.match(after)])
        if claim.kind == "score":
            yield from places(base, [_METRIC_OF.search(before)])
        yield from self._listed_noun(claim, group)
        if _CLOSES.match(after) and _HELD_BY_NOUN.search(before):
            yield from places(base, [_NOUN_HOLDS.search(before)])
        yield from places(base, [_BY_ITSELF.search(before)])
        if claim.kind == "score":
            yield from self._by_its_letters(before, base)

    def _by_its_letters(self, before: str, base: int) -> Iterator[tuple[int, int]]:
        """The words before an acronym in brackets whose letters they begin with, and it."""
        found = _ACRONYM_OF.search(before)
        if found is None or found["letters"] == "sota":
            return
        letters, end = found["letters"], found.start()
        starts = [0, *(at + 1 for at in range(end - 1) if before[at] == " ")]
        for start in starts[-len(letters) - 2 :]:
            initials = iter([word[0] for word in before[start:end].split()])
            if before[start] == letters[0] and all(letter in initials for letter in letters):
                yield base + start, base + found.start("letters") + len(letters) + 3
                return

    def _speed(self, claim: Claim, before: str, base: int, after: str) -> Iterator[tuple[int, int]]:
        """What a multiple is one of: "speedups of 3x", "a 4x compression ratio"."""
        yield from places(claim.offset + 2, [_AS_MUCH.match(after), _FASTER_IN.match(after)])
        if _FASTER_NEXT.match(after):
            yield from places(base, [_SPEED_OF.search(before), _PROCESS.search(before)])
        if _SPEEDUPS_OF.search(before):
            yield from places(base, [_SPEED_BEFORE.search(before)])
        if claim.what is None or claim.what[0] < claim.offset:
            found = [_SPEEDUP_NEXT.match(after), _RATE_NEXT.match(after)]
            yield from places(claim.offset + 2, found)
        yield from places(claim.offset + 2, [_MORE_NEXT.match(after)])

    def _changed(
        self, claim: Claim, before: str, base: int, after: str
    ) -> Iterator[tuple[int, int]]:
        """The noun of a change or a level that is no known metric: "cuts queue length from"."""
        low = claim.offset + 2
        if claim.kind in ("delta", "factor", "from_to"):
            yield from places(base, [_SUBJECT_BEFORE.search(before), _NOMINAL.search(before)])
            yield from places(base, [_GAINS_BEFORE.search(before)])
        if (named := _IN_NAMED.match(after)) and self._is_metric_like(
            claim, low + named.start("np"), low + named.end("np")
        ):
            yield from places(low, [named])
        if claim.kind in ("delta", "factor", "from_to"):
            yield from places(base, [_OBJECT_BEFORE.search(before)])
        if claim.kind == "from_to" and self._told_ends(claim) is None:
            yield from places(base, [_ASIDE_BEFORE.search(before)])
        if claim.kind == "score":
            yield from places(base, [_SIZE_OF.search(before)])
            yield from places(low, [_PART_OF.match(after)])
            if claim.item.symbol == "U":
                yield from places(base, [_COST_BEFORE.search(before)])

    def _far_metric(self, i: int, before: str, base: int) -> Iterator[tuple[int, int]]:
        """A metric that stands further off: at the end of a list, or before the verb."""
        claim, group = self._claims[i], self._groups[i]
        if claim.kind == "factor":
            yield from places(base, [_SPEED_BEFORE.search(before)])
            yield from places(
                claim.offset + 2,
                [_NOUN_NEXT.match(self._body[claim.offset + 2 : claim.offset + FAR])],
            )
        if claim.listed is not None and claim.listed.metric is not None:
            return
        tail = group[-1].offset + 2
        rest = self._body[tail : tail + FAR]
        if len(group) == 1 or (group[-1] is not claim and not self._interleaved(i)):
            yield from places(tail, [_TAIL_METRIC.match(rest)])
        near = _NEAR_METRIC.search(before) or _ASIDE_METRIC.search(before)
        turn = near and _TURN.search(before, near.start())
        if near and claim.kind != "factor" and not turn:
            yield from places(base, [near])
        if "K " not in self._body[claim.offset : min(group[-1].offset, claim.offset + FAR)]:
            yield from places(tail, [_TERMS.match(rest)])
        yield from places(0, [_OPENING_METRIC.match(self._body, 0, claim.offset)])

    def _may_name_metric(self, claim: Claim, at: int) -> bool:
        start, end = self._sentence.range(at, at + 1)
        return (
            claim.text.text[start].islower()
            or _METRIC_LIKE.search(claim.text.text, start, end) is not None
        )

    def _is_metric_like(self, claim: Claim, low: int, high: int) -> bool:
        start, end = self._sentence.range(low, high)
        return _METRIC_LIKE.search(claim.text.text, start, end) is not None

    def _listed_metric(self, claim: Claim, group: Sequence[Claim]) -> Iterator[tuple[int, int]]:
        """The one of "F1 and recall by 3% and 5%": one metric for each value."""
        if len(group) < 2:
            return
        low = max(0, group[0].offset - FAR)
        listed = _LISTED_METRICS.search(self._body[low : group[0].offset])
        if listed is None:
            low = group[-1].offset + 2
            listed = _METRICS_AFTER.match(self._body[low : low + FAR])
        if listed is None:
            return
        places = self._sentence.items_in(low + listed.start("list"), low + listed.end("list"))
        names = [offset for offset, item in places if item.symbol == "K"]
        if len(names) == len(group):
            at = names[self._order[id(claim)] - self._order[id(group[0])]]
            begin = max(
                self._body.rfind(glue, 0, at) + len(glue) for glue in (", ", "and ", "both ")
            )
            yield max(begin, low + listed.start("list")), at + 2

    def _listed_noun(self, claim: Claim, group: Sequence[Claim]) -> Iterator[tuple[int, int]]:
        """The one of "reduces omission, load and memory by 3%, 4% and 5%, respectively"."""
        end = group[-1].offset + 2
        rest = self._body[end : end + FAR]
        if len(group) < 2 or "respectively " not in rest[:120]:
            return
        low = max(0, group[0].offset - FAR)
        found = _NOUNS_BEFORE.search(self._body[low : group[0].offset])
        if found is None:
            low, found = end, _NOUNS_AFTER.match(rest)
        if found is None:
            return
        start = low + found.start("list")
        parts = [*_PART.finditer(self._body, start, low + found.end("list"))]
        if len(parts) == len(group):
            yield parts[self._order[id(claim)] - self._order[id(group[0])]].span()

    def _what(self, low: int, high: int) -> Iterator[tuple[int, int]]:
        """The words a phrase names the metric by, up to where its noun phrase ends."""
        if self._body.startswith(("on a ", "on an ", "on the ", "per "), low):
            return
        lead = _LEAD.match(self._body, low, high)
        if lead:
            low = lead.end()
        piece = self._body[low:high]
        cut = _WHAT_END.search(piece)
        if cut:
            piece = piece[: cut.start() + 1] if cut.start() else ""
        if _BEATING_WORD.search(piece):
            return
        if _RIVALS_END.search(piece):
            piece = piece[: piece.find(" of ") + 1]  # "accuracy of the baseline model"
        if piece and not _NO_METRIC.fullmatch(piece) and "B " not in piece:
            yield low, low + len(piece)

    def _lent_metric(self, i: int, level: Claim | None) -> str | None:
        """The metric that a value without one shares with a value before it."""
        claim = self._claims[i]
        before = self._claims[i - 1] if i else None
        if before is None:
            return None
        near = self._body[max(before.offset + 2, claim.offset - 40) : claim.offset]
        against = claim.kind == before.kind and VERSUS.search(near)
        if before.metric and (against or self._same_measure(before, claim)):
            return before.metric
        if level is not None:
            return level.metric
        if (told := self._told_ends(claim)) is not None:
            return told.metric
        if self._bracketed(claim):
            # "reaches 85% success, beating X (66%) and Y (55%)"
            for other in reversed(self._claims[max(0, i - 12) : i]):
                alike = (
                    other.kind in ("score", "from_to") and other.item.of.unit == claim.item.of.unit
                )
                if other.metric and alike:
                    return other.metric
        return None

    def _same_measure(self, before: Claim, claim: Claim) -> bool:
        """Whether a value is one more of the measure before: "reaches 39% accuracy, while GPT-4
        reaches 20%", "12% more errors than A and 27% more than B".
        """
        if (
            claim.kind in ("score", "factor")
            and claim.kind == before.kind
            and before.item.of.unit == claim.item.of.unit
        ):
            low = max(before.offset + 2, claim.offset - 60)
            attained = _ATTAINS.search(self._body[low : claim.offset])
            return attained is not None and not _OF_THINGS.match(self._body, claim.offset + 2)
        return claim.kind == "delta" and _MORE_THAN.match(self._body, claim.offset + 2) is not None

    def _level_of(self, i: int) -> Claim | None:
        """The level that a difference is told of: "reaches 61% accuracy, 12% above X"."""
        first = self._order[id(self._groups[i][0])]
        level = self._claims[first - 1] if first else None
        if level is None or level.kind not in ("score", "from_to", "delta"):
            return None
        between = self._body[level.offset + 2 : self._offsets[first]]
        if _OTHER_MATTER.search(between) or not _EXCELS.search(between):
            return None
        return level
