"""What a reported value is bound to: benchmark, metric, baseline and model.

Each is read from what stands in the value's clause, else from its list ("17.5% and 24.1% on A and
B"), else by an explicit carry-over, else not at all. Patterns run over the sentence's skeleton;
every gap in them is bounded.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import regex

from pipeline.language import Text
from pipeline.records import GainKind
from pipeline.rules import Entry, Rules
from pipeline.skeleton import Item, Skeleton

Direction = Literal["up", "down"]

_FAR = 500  # characters of a skeleton beyond which nothing is bound to a value

# --- lists of values ---

_LIST_GLUE = regex.compile(r"(?:^| )(?:and|,|or|&|/|to) ")
COMMAS = frozenset((", ", "and ", ", and ", "or "))
_ASIDE = regex.compile(r"\( [^ ()]+ \) ")
_VERBISH = regex.compile(
    r"(?:^| )(?:achiev\w+|outperform\w*|surpass\w*|improv(?:es?|ed|ing)|reduc(?:es?|ed|ing)|"
    r"increas(?:es?|ed|ing)|attain\w*|reach\w*|obtain\w*|is|are|was|were|shows?|demonstrat\w+|"
    r"requir\w+|us(?:es?|ing)|we|it|which|while|whereas|but|decreas(?:es?|ed|ing)|trained|"
    r"compared) "
)


def is_list_glue(glue: str) -> bool:
    """Whether two values with only this between them stand in one list."""
    if len(glue) > _FAR or not _LIST_GLUE.search(glue):
        return False
    return len(glue.split()) <= 14 and not _VERBISH.search(glue) and ". " not in glue


# --- benchmarks ---

_NOUNS = r"(?:benchmark|benchmarks|dataset|datasets|test|set|tests|data|task|tasks|evaluation) "
_ON = regex.compile(
    r"(?<![^ ])(?<!train(?:ed|ing) )(?<!tun(?:ed|ing) )(?:on|in|for|over|across|at|from|of|to|with|using|against|under|within|,|\() "
    r"(?:(?!on |in |and |or |by |with |of |B |, |\. |; |than )[^ ]+ ){0,5}?"
    rf"(?P<b>B (?:\( [^ ]+ (?:[^ ]+ )?\) )?(?:{_NOUNS}){{0,2}}"
    r"(?:(?:, and |, or |, |and |or |& |/ |as well as |, as well as )(?:on |the |on the |both )?"
    r"B (?:(?:benchmark|benchmarks|dataset|datasets) )?)*)"
)
# "B by 3%", "B (depth) by 3%", "B (81.2%": no other benchmark can be meant
_HELD = regex.compile(
    r"(?<![^ ])(?P<b>B )(?:\( (?:[^ ()]+ ){1,3}\) )?(?:by|to|:|is|=|\() "
    r"(?:(?:up|to|about|around|over|nearly|approximately|an?|average|of|the) ){0,3}$"
)
# the same after prepositions that can mean nothing else, for what stands before another value
_ON_FIRM = regex.compile(
    r"(?<![^ ])(?:on|in|for|over|across) "
    r"(?:(?!on |in |and |or |by |with |of |an? |B |, |\. |; |than )[^ ]+ ){0,4}"
    r"(?P<b>B (?:(?:, and |, |and |& |/ )B )*)"
)
_CLOSED = regex.compile(r"[^()]{0,200}\) (?!on |in |for |across |over )")
_AND_ON = regex.compile(
    r"(?:, )?and (?:in |for )?(?:(?!on |in |and |by |B |, |\. |; |than |outperform|achiev|improv|reduc)[^ ]+ ){0,5}?(?:on|in|for) "
    r"(?:the )?(?P<b>B )"
)
_ON_A_NAME = regex.compile(
    r"\s(?:on|across|of)\s(?:the\s)?\p{Lu}[\p{L}\d]*(?:[-\p{Lu}\d]|\s\p{Lu})"
)
_ON_MANY = regex.compile(
    r"(?:[^ ,.;:()]+ ){0,2}?(?:on|across|over) (?:multiple|various|several|diverse|different|many|unseen|other|real-world) "
    r"(?:[^ ,.;]+ ){0,3}?(?:benchmarks?|datasets?|tasks?|domains?|settings?) "
)
_SUCH_AS = regex.compile(
    r"(?:such as|like|e\.?g \.|e\.g \. ,|including|than|unlike) (?:[^ ]+ ){0,3}$"
)
# what a sentence says its values are measured on: the benchmarks of the one before, or others
_THESE = regex.compile(
    r"(?<![^ ])(?:these|both|the (?:two|three|four|five|six|same)|all (?:two|three|four|five|six|of them)|each of (?:these|them)) "
    r"(?:[^ ,.;]+ ){0,2}?(?:benchmarks?|datasets?|tasks?|test sets?|corpora|testbeds?|suites?|collections?|settings?) "
)
_OTHER_DATA = regex.compile(
    r"(?<![^ ])(?:on|across|over) (?!(?:the|our|this) )(?:[^ ,.;]+ ){0,4}?(?:benchmarks|datasets?|tasks?|problems|images|videos|environments) "
)
_BREAK = regex.compile(r";|(?:^| )(?:while|whereas|but) ")
_RESOURCES = regex.compile(
    r"memory|time|latency|cost|comput|token|flops|storage|speed", regex.IGNORECASE
)
_CARRIES = regex.compile(
    r"(?:more importantly|furthermore|moreover|further|additionally|also|in addition|besides|"
    r"specifically|notably|in particular|surprisingly|continued) "
)

# --- baselines ---

_OVER = (
    r"(?<![^ ])(?:comparable (?:[^ ]+ ){0,3}?(?:to|with)|similar (?:[^ ]+ ){0,2}?(?:to|as)|"
    r"on par with|in comparison (?:to|with)|with respect to|"
    r"(?:when |as )?compared (?:to|with|against)|relative to|comparing (?:to|with)|versus|vs \. |"
    r"vs|than|over|against|better than|from|beyond|surpassing|outperforming|exceeding|w\.r\.t|"
    r"(?:fast|many|much|efficient|large|high|good|accurate|likely|effective) as|beating|behind|ahead of|above|below) "
)
_NP_END = (
    r"(?=(?:, |- |\. |; |: |\) |\( |and (?:(?!, )[^ ]+ ){0,3}?(?:achiev|improv|reduc|outperform|"
    r"offers|provides|shows|demonstrat|exhibits|maintains|enables|generalizes|reaches|by|a P|X|P)|"
    r"while |whereas |with (?!(?:supervised|full|no|only|prior|previous) )|on |in (?!-)|for |by |"
    r"when |using |across |under |at |through |without |despite |as |but |where |which |that |"
    r"after |during |via |achieving |and P |and X |and Q |respectively|to (?!the)|"
    r"P |X |Q |C |D |is |are |per )|$)"
)
_NP = r"(?P<np>(?:such as |(?![.;:] )[^ ]+ ){1,10}?)"
_BASELINE_AFTER = regex.compile(_OVER + _NP + _NP_END)
_BASELINE_VERB = regex.compile(
    r"(?<![^ ])(?:outperform(?:s|ed|ing)?|surpass(?:es|ed|ing)?|exceed(?:s|ed|ing)?|"
    r"beat(?:s|ing)?|improv(?:es?|ed|ing) (?:up)?on|improv(?:es?|ed|ing) over|"
    r"outscor(?:es?|ed|ing)|better(?:s|ed)|superior to) " + _NP + _NP_END
)
# "over five datasets", "with very short time": what is compared across, or at what cost
_NO_RIVAL = regex.compile(
    r"(?:only|fewer|less|much|very|significantly|far|lower|higher|minimal|no|half|[PNQXUBK]) |"
    r"(?:[^ ]+ ){0,4}?(?:datasets|benchmarks|tasks|settings|runs|seeds|images|languages|domains|"
    r"scenarios|time|years|epochs|times|samples|questions|subjects|participants|steps|metrics) "
)
_SPATIAL = ("over ", "from ", "against ", "with ", "behind ", "above ", "below ")
_OPENED = regex.compile(
    r"(?:when |as )?(?:compared (?:to|with|against)|relative to|in comparison (?:to|with)|"
    r"comparing (?:to|with)) (?P<np>(?:[^ ,.;:()]+ ){1,9})(?:\( [^ ()]+ \) )?, "
)
_ORIGIN = regex.compile(
    r"(?:the |its |a |our )?(?:base|baseline|original|initial|previous|prior|vanilla|standard|"
    r"earlier|unmodified|M) "
)
_COMPARED = (
    "compared", "relative", "when compared", "as compared", "in comparison", "than ", "over ",
)  # fmt: skip
_VALUE_OF = regex.compile(
    r"(?:compared (?:to|with)|versus|vs \. |vs|against|over) [PNQ] "
    r"(?:by|for|of|from|achieved by|with) (?P<np>(?:[^ ,.;]+ ){1,5}?)" + _NP_END
)
_SHARE_OF = (
    regex.compile(
        r"of (?P<np>(?:[^ ,.;]+ ){0,3}?(?:M |human |full |fully-trained |original |baseline |"
        r"teacher )(?:[^ ,.;]+ ){0,2}?)" + _NP_END
    ),
    regex.compile(r"of (?:[^ ,.;]+ ){1,4}?(?:of|in) (?P<np>(?:[^ ,.;]+ ){1,6}?)" + _NP_END),
)
_IMPROVED = regex.compile(
    r"(?<![^ ])(?:improv|boost|enhanc|increas|rais)\w* (?:the |[^ ]+ ){0,3}?"
    r"(?:K|performance|performances|results|capabilities|abilities) of "
    r"(?P<np>(?:[^ ,.;:()]+ ){1,6}?)(?=, |\( |by |from |on |including )"
)
_BASE_IMPROVED = regex.compile(
    r"(?<![^ ])(?:improv|boost|enhanc|increas)\w* (?:over |upon |on )?(?P<np>(?:(?:the|a|our|its) )?(?:[^ ,.;:()PXQNUCD]+ ){0,3}?baselines? )"
    r"(?:performance |accuracy |K |results? )?(?:by|from) "
)
_OPENING = regex.compile(
    r"(?:on|for|with|over) (?:the )?(?P<np>M )(?:[^ ,]+ ){0,2}?, (?:it|we|our) "
)
_BEATING = regex.compile(
    r"(?<![^ ])(?:outperforming|surpassing|exceeding|beating) (?P<np>(?:[^ ,.;:()]+ ){1,7}?)"
    + _NP_END
)
_AMONG = regex.compile(
    r"(?:compared (?:to|with)|among|over) (?P<np>(?:[^ ,.;:()]+ ){1,8}?)" + _NP_END
)
# "the second-best model, GPT-4, by"
_NAMED_AFTER = regex.compile(
    r"(?:the |a |an )?(?:[^ ,.;:()M]+ ){0,4}?(?:models?|methods?|baselines?|systems?|approach|competitor|rival|art) "
    r"(?:, |\( )(?P<np>M )(?:, |\) |by )"
)
_NP_LEAD = regex.compile(r"(?:that of |those of )")
_NP_TAIL = (" and", " or", ",", " by", " with", " (")

# --- metrics ---

_LEAD = regex.compile(
    r"(?:(?:the|a|an|its|their|our|this|these|overall|further|also|significantly|by|of|in|on|up|to|"
    r"both|only|more|additional|final|remarkable|substantial|consistent|significant|"
    r"relative(?! error)|absolute(?! error)|highest|lowest|best|superior|impressive|competitive|state-of-the-art|new|high|"
    r"strong|comparable|notable|considerable|better|higher|lower|faster|larger|smaller|promising|"
    r"near-perfect|outstanding|exceptional|approximately|about|around|nearly|almost|just|merely|"
    r"even|current|previous|best-performing|top|maximum|minimum|official|terms) )+"
)
_NO_NOUNS = frozenset("average mean relative absolute overall total gain gains improvement".split())
_NAMELIKE = regex.compile(r"\p{Lu}\p{L}*\p{Ll}\p{Lu}[\p{L}\d-]*$")
_NO_NOUN = regex.compile(r"[^\p{L}]*|.*\d-shot .*")
_LISTED_METRICS = regex.compile(
    r"(?<![^ ])(?P<list>(?:the |both )?K (?:, (?:the )?K )*(?:, )?and (?:the )?K )"
    r"(?:by|of|to|at|from) (?:(?!K )[^ ]+ ){0,4}$"
)
_METRICS_AFTER = regex.compile(
    r"(?:points? |absolute |relative )*" + "(?:improvements? |gains? |increases? |reductions? )?"
    r"(?:in|on|of|for) (?:terms of )?(?P<list>(?:the |both )?K (?:, (?:the )?K )*(?:, )?and (?:the )?K )"
)
# "by 9.1% (average recall) on A"
_METRIC_ASIDE = regex.compile(r"\( (?:in )?(?P<np>(?:[^ ()]+ ){0,2}?K )\) ")
_METRIC_NEXT = regex.compile(
    r"(?:\( [^ ()]+ \) )?(?:(?:points?|absolute|relative|in|of|on|for|the|average|higher|lower|better|more|less|fewer|greater|smaller|larger|improvement|"
    r"gain|gains|increase|reduction|improvements|drop|decrease|boost|terms) ){0,4}"
    r"(?P<np>(?:(?!K |on |in |for |over |and |than |of |by |with |to |at |under |when |after |via |"
    r"across |using |while |without |as |an? |the |from |compared )[^ ,.;:()PXQNUCD]+ ){0,3}?"
    r"(?:K |performance |score |scores )+"
    r"(?:(?:score|scores|rate|rates|metric|time|cost|costs|points) )?)"
)
_METRIC_BEFORE = regex.compile(
    r"(?<![^ ])(?P<np>(?:(?!on |in |for |over |and |than |of |by |with |to |an? |the |we |it |that |"
    r"achiev\w+ |improv\w+ |reach\w+ |our )[^ ,.;:()PXQNUCDMBZ]+ ){0,3}"
    r"(?:K |performance |score |scores (?!$))+(?:score |scores |rate |rates |values? )?)"
    r"(?:(?:(?:ris|rose|drop|fall|fell|increas|decreas|improv|reduc|declin|jump|grow)\w*|of|is|at|to|by|from|between|reach\w*|near|attains?|\(|as|exceeding|above|below|up|high|low|average|"
    r"about|on|an?|over|was|are|that|which|,|:|=|for|the|~|[BM]|more|less|than|almost|nearly|approximately|around|"
    r"roughly|in|under|model|models|only|just) ){0,6}$"
)
_WHAT_END = regex.compile(
    r"(?:^| )(?:on|of (?=[MB] )|for|across|over|than|compared|while|with|when|from|using|by|under|"
    r"at|without|per|during|relative|to|that|which|,|\() "
)
_NO_METRIC = regex.compile(
    r"(?:[MBZ]|it|them|,|and|is|are|results?|baselines?|methods?|models?|upon|that|which|those|we|"
    r"[^ ]*ing|this|sota|state-of-the-art|average) "
)
_SPEEDUP_NEXT = regex.compile(
    r"(?P<np>(?:(?!in |on |of |for )[^ ,.;:()PXQNUCD]+ ){0,2}?(?:speed-?ups?|acceleration) )"
)
_SUBJECT_BEFORE = regex.compile(
    r"(?:^|, |and |while |that |whereas |but |with )"
    r"(?P<np>(?:(?!we |it |our |this |which |they |can |and )[^ ,.;:()PXQNUCDMB]+ ){1,4}?)"
    r"(?:is |are |was |were |can be )?(?:further |also |significantly )?"
    r"(?:reduc|drop|fall|fell|ris|rose|increas|decreas|improv|cut|lower|shrink|grow|declin)\w* "
    r"(?:by |from |to |up to |only |about |over |more than |less than ){1,3}$"
)
_SPEED_BEFORE = regex.compile(
    r"(?<![^ ])(?P<np>(?:speed-?ups?|accelerations?|faster|speed) )(?:[^ ,.;:()]+ ){0,4}$"
)
_MORE_NEXT = regex.compile(
    r"(?:more|fewer|less|faster|larger|smaller|lower|higher|greater|better) "
    r"(?P<np>(?:(?!than |on |in |for |over |and |of |by |with |to |while )"
    r"[^ ,.;:()PXQNUCD]+ ){1,3})"
)
_SHARED = regex.compile(
    r"(?:of )?(?:the |its |their |our |a |all )*"
    r"(?P<np>(?:(?!of |for |on |in |at |and |by |with |while |compared |to |than |from |during )"
    r"[^ ,.;:()PXQNUCD]+ ){1,4})"
)
_TAIL_METRIC = regex.compile(
    r"(?:\( (?:[^ ()]+ ){1,4}\) )?(?:[^ ,.;:()PXQNUCD]+ ){0,4}?(?P<np>(?:K |performance )+(?:score |rate )?)"
    r"|in (?:the )?(?P<np>(?:[^ ,.;:()PXQNUCDKB]+ ){1,3}?(?:metrics?|scores?|rate|time) )"
)
_NEAR_METRIC = regex.compile(
    r"(?<![^ ])(?P<np>(?:K )+)(?:(?!(?:[.;:]|, (?:we|it|our|the|M)) )[^ PXQNUCD]+ ){0,9}$"
)
_ASIDE_METRIC = regex.compile(
    r"(?<![^ ])(?P<np>performance |K )(?:(?![.;:()] )[^ PXQNUCDK]+ ){0,9}\( (?:[^ ()]+ ){0,3}$"
)
_TURN = regex.compile(r" (?:while|whereas|but) |, achieving $")
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
_MEASURE_BEFORE = regex.compile(
    r"(?<![^ ])" + _MEASURE + r"(?:(?:(?:ris|rose|drop|fall|fell|increas|decreas|improv|reduc|"
    r"declin|jump|grow)\w*|of|is|at|to|by|from|between|reaching|\(|as|up|was|were|are|"
    r"about|over|an?|the|average|only|just|:|=|nearly|approximately|around|below|above) ){0,4}$"
)
# "69.0% OSR on R2R": the words between a level and what it is measured on, known as a metric or not
_NOUN_NEXT = regex.compile(
    r"(?:\( [^ ()]+ \) )?(?:(?:overall|average|mean|absolute|relative) )*"
    r"(?P<np>(?:(?!(?:on|in|of|for|over|and|or|than|by|with|to|as|at|from|is|are|was|were|we|it|that|which|who|when|after|via|across|"
    r"using|while|without|under|points?|improvements?|gains?|increases?|reductions?|drops?|respectively|compared|"
    r"relative|higher|lower|better|worse|more|less|fewer|faster|only|but|even|both|the|an?|vs|versus|per|through|during|within|downarrow|uparrow|"
    r"among|between|[a-z]+ly|using|achieving|outperforming|surpassing|exceeding|reducing|improving|including|being|making|showing|demonstrating|reaching|beating|setting|running|requiring|achieved|obtained|reported|trained|observed|reached|used|based|given|attained|produced|set) )[^ ,.;:()\p{Lu}]+ ){1,3})"
    r"(?=(?:on|in|for|across|over|and|with|under|at|using|while|when|by|,|\.|;|\(|\)|from|without|after|compared|than|vs|against|as) |$)"
)
_CHANGE_NOUN = r"(?:improvements?|gains?|increases?|reductions?|drops?|decreases?|savings?|boosts?|loss|losses|degradations?|lifts?|uplifts?) "
# "3% success rate improvement", "a 2.9% increase in revenue"
_CHANGED = regex.compile(
    r"(?:(?:absolute|relative|average|overall|mean|substantial|significant|further|additional|consistent|points?|percentage) )*"
    r"(?:(?P<np>(?:(?!(?:on|in|of|for|over|and|than|by|with|to|performance) |[a-z]+ly )[^ ,.;:()PXQNUCDMB]+ ){1,3}?)"
    + _CHANGE_NOUN
    + r"|"
    + _CHANGE_NOUN
    + r"(?:in|of) (?:(?:the|its|their|average|overall|both) )*"
    r"(?P<np>(?:(?!(?:on|in|of|for|over|and|than|by|with|to|from|at|when|while|across|compared|using|per) )[^ ,.;:()PXQNUCDMB]+ ){1,4}))"
)
# "user experience gains ranging from 17% to 28%"
_GAINS_BEFORE = regex.compile(
    r"(?<![^ ])(?P<np>(?:(?!(?:on|in|of|for|over|and|or|than|by|with|to|as|at|from|the|an?|its|their|our|we|it|that|which|"
    r"consistent|significant|substantial|notable|average|relative|absolute|further|additional|large|larger|impressive|remarkable|overall|"
    r"strong|clear|considerable|maximum|mean|median|modest|steady|dramatic|marked|corresponding|respective|similar|up|more|greater|major|"
    r"noticeable|sizable|respectable|big|small|slight|total|net|zero-shot|new|obvious|great|huge|several|better|"
    r"[a-z]+ing|[a-z]+s|[a-z]+ly|[a-z]+ed) )[^ ,.;:()PXQNUCDMBZ]+ ){1,2})"
    + _CHANGE_NOUN
    + r"(?:(?:of|ranging|by|up|to|from|at|exceeding|over|above|about|around|nearly|as|high|an?|average|more|than|least|between|is|are|reaching) ){1,5}$"
)
# "reduces load imbalance from 1.34 to 1.08"
_OBJECT_BEFORE = regex.compile(
    r"(?<![^ ])(?:reduc|decreas|increas|improv|lower|rais|cut|boost|lift|push|bring|drop|shrink|driv)\w* "
    r"(?:(?:the|its|their|our|average|mean|overall) )*"
    r"(?P<np>(?:(?!(?:on|of|for|in|over|and|by|with|to|than|an?|it|that|which) )[^ ,.;:()PXQNUCDMBZ]+ ){1,4})"
    r"(?:(?:on|of|for|in) (?:the )?(?:[^ ,.;:()PXQNUCD]+ ){1,3}?)?from $"
)
# "the reduction of tensor products by 92%"
_NOMINAL = regex.compile(
    r"(?<![^ ])(?:reduction|increase|improvement|decrease|drop|growth|rise) (?:of|in) (?:(?:the|its|their) )?"
    r"(?P<np>(?:(?!on |for |over |and |by |with |to |than )[^ ,.;:()PXQNUCDMBZ]+ ){1,5})(?:by|of) (?:[^ ,.;()]+ ){0,3}$"
)
# "by 25.1% in Rank-1 on MSMT17": a word that looks like a metric's name
_IN_NAMED = regex.compile(
    r"(?:points? |absolute |relative )*in (?:terms of )?(?P<np>[^ ,.;:()\p{Lu}]+ (?:score |rate )?)(?:on|for|,|\.|\)|over|and|compared) "
)
_METRIC_LIKE = regex.compile(r"\p{Lu}[\p{L}-]*[\d@]|\p{Lu}{2}|\p{Ll}\p{Lu}")
# "to a memory size of 5MB"
_SIZE_OF = regex.compile(
    r"(?<![^ ])(?:an?|the|achiev\w+|attain\w+|reach\w+|obtain\w*|with|yield\w*) (?:(?:average|mean|overall|an?|the|high|low|best) )*"
    r"(?P<np>(?:(?!(?:on|of|for|in|over|and|by|with|to|than|total|an?|the|improvements?|gains?|increases?|reductions?|score|scores) )"
    r"[^ ,.;:()PXQNUCDMBZ]+ ){1,3})(?<!(?:ment|ments|gain|gains|ease|eases|tion|tions|drop|drops|boost|loss|margin|margins|factor|factors|ings|speedup|level|scale|sample|batch|total|set|ratio|reach|average|mean|up) )"
    r"(?:of|at) (?:(?:up|to|about|around|over|nearly|approximately|only|just|more|less|than|roughly|almost) ){0,2}$"
)
# "fast inference (12 ms)"
_COST_BEFORE = regex.compile(
    r"(?<![^ ])(?P<np>(?:inference |decoding |training |planning |processing )?(?:inference|decoding|training|latency|runtime|time|speed|memory|cost|throughput|delay|footprint) )"
    r"(?:\(|of|is|at|to|within|under|below|,|only|just|about|<|~|as low as|-) (?:[^ ,.;()]+ ){0,2}$"
)
_SPEEDUPS_OF = regex.compile(r"speed-?ups? (?:of|is|are) (?:[^ ,.;()]+ ){0,3}$")
_RATE_NEXT = regex.compile(
    r"(?P<np>(?:[^ ,.;:()\p{Lu}]+ ){0,2}?(?:compression (?:ratio |rate |factor )?|down-?sampling "
    r"|[a-z]+(?<!(?:er)) (?:ratio |rate |factor )))(?=(?:with|on|in|for|over|and|while|than|compared|from|of|without|,|\.|\)|;|as) |$)"
)
_FASTER_NEXT = regex.compile(
    r"(?:[a-z]+ly )?(?:faster|speed-?ups?|as fast|quicker) (?:than |and |, |\. |\) |while |on |in |with |compared |$)"
)
_BEATING_WORD = regex.compile(r"(?:outperform|surpass|exceed|beat)\w* ")
_RIVALS_END = regex.compile(
    r"(?:baselines?|methods?|models?|approach|approaches|competitors?|systems?|counterparts?|sota|state-of-the-art) $"
)
_BRACKETED = regex.compile(r"\( (?:only |just |~ )?$")
_MEASURE_NEXT = regex.compile(r"(?:in |of |higher |lower |average ){0,2}" + _MEASURE)
_POINTS_OF = regex.compile(
    r"\d\s((?!percent|absolute|full|relative|average|basis)[A-Za-z][A-Za-z\d-]*)\spoints?$"
)
_AVERAGED = regex.compile(
    r"\b(?:average(?! (?:precision|recall|displacement|surface|symmetric|treatment|return))|"
    r"mean(?! (?:average|squared?|absolute|reciprocal|intersection|opinion|iou)))\b",
    regex.IGNORECASE,
)
_VERSUS = regex.compile(
    r"(?:\( |, |^|(?<= ))(?:vs \. |vs |versus |compared (?:to|with) |against )(?:[^ ]+ ){0,2}$"
)
_ATTAINS = regex.compile(
    r"(?:achiev|reach|attain|obtain|get|scor|yield|averag|perform|manag)\w* (?:(?:at|to|only|just|around|about|merely|a|nearly|over|under|below|above|approximately|up) ){0,3}$"
)
_OF_THINGS = regex.compile(r"(?:of|on average of) ")
_MORE_THAN = regex.compile(r"(?:more|fewer|less) than ")
_AGAINST = regex.compile(r"[PN] (?:vs \. |vs |versus |compared (?:to|with) )(?:only |just )?$")
_EXCELS = regex.compile(
    r"(?:outperform|surpass|exceed|beat|improv)\w* |which is |(?:, |\( )(?:a|an) |yielding |representing |corresponding |"
    r"achieving |, (?:up )?$|\( (?:up )?$"
)
_OTHER_MATTER = regex.compile(
    r"(?:^| )(?:while|whereas|but|and (?:reduc|improv|increas|cut|sav|requir|us)\w*) |; "
)

# --- models ---

_OWN_SUBJECT = regex.compile(
    r"(?:^| )(?:we|our|it|its|this (?:method|approach|model|framework|work|system|strategy|"
    r"technique|paper)|the (?:proposed|resulting)|ours|they|these|"
    r"the (?:method|approach|model|framework|system|algorithm)) "
)
_BY_MODEL = regex.compile(r"(?:by|for) (?P<m>M )")
_HOLDS = regex.compile(r"(?<![^ ])(?P<m>M )\( (?:[^ ]+ ){0,2}$")
_OF_MODEL = regex.compile(
    r"(?:(?:K|performance|performances|rate|score|accuracy) (?:of|for) (?:the |our |an? )?"
    r"(?P<m>M )(?:model )?(?:[^ ,.;]+ )?(?:from |by |\( )(?:[^ ]+ ){0,3}|(?P<m>M )from )$"
)
_ACTS = regex.compile(
    r"(?:(?:models?|methods?|framework|agents?|system|family|series) )?(?:(?:can|could|only|still|also|even|consistently|significantly|already) )?"
    r"(?:achiev|attain|reach|obtain|scor|complet|solv|perform|outperform|surpass|yield|fail|gain|"
    r"improv|drop|lead|exhibit|deliver)\w* "
)
# "the best model we tried, GPT-4"
_BEST_NAMED = regex.compile(
    r"(?<![^ ])(?:best|highest|strongest|top|leading|most)[^ ]* (?:[^ ,]+ ){0,3}?(?:models?|systems?|llms?|agents?|methods?) "
    r"(?:[^ ,]+ ){0,3}?(?:, |\( )(?:even |namely |i\.e \. , )?$"
)
_SCORING = regex.compile(r", (?:scoring|achieving|reaching|attaining|obtaining) ")
_NOT_SUBJECT = regex.compile(
    r"(?:than|over|compared to|compared with|outperform\w*|surpass\w*|beat\w*|exceed\w*|against|"
    r"like|as|with|including|,|relative to|on|to|of|from|e\.g \.|using|versus|vs|\(|in|by|for|and|"
    r"train\w*|tun\w*|atop|upon|improv\w*|reduc\w*|increas\w*|lower\w*|enhanc\w*|both|the|boost\w*|into) (?:the |an? |our |strong |previous )?$"
    r"|(?:^|, )(?:on|for|with|over|unlike|against|compared to|than) (?:[^ ,.;]+ ){1,2}$"
    r"|(?:outperform|surpass|beat|exceed)\w* (?:[^ ,.;:]+ ){1,3}$"
)
# "most models yield 3%": others than any model named before
_OTHER_SUBJECT = regex.compile(
    r"(?:^|, |; |and |while |whereas |but |even |that )(?:the |all |even )?"
    r"(?:(?:most|many|other|current|existing|several|various|strongest|best|best-performing|top|top-performing|leading|strong|human|"
    r"previous|prior|all|average|random|open-source|proprietary|frontier|state-of-the-art|sota|second-best|next) )+"
    r"(?:(?:[^ ,.;:]+ ){0,2}?(?:models?|methods?|baselines?|approach|approaches|systems?|llms?|vlms?|mllms?|agents?|experts?|annotators?|"
    r"performance|participants?|algorithms?) )?(?:(?:still|only|also|even|can|could|typically) )?"
    r"(?:achiev|attain|reach|obtain|scor|complet|solv|perform|yield|fail|drop|fall|exhibit|get|remain|manag|struggl|hover)\w* "
    r"|(?<![^ ])(?:humans?|people|human (?:participants?|experts?|annotators?|raters?)) who "
    r"|(?:^|, |; |and |while |whereas |but |compared to |versus )(?:humans?|human (?:performance|experts?|annotators?|accuracy)) "
)
_TRAINED_BY = regex.compile(
    r"M (?:- )?-?(?:trained|tuned|fine-tuned|finetuned|aligned|enhanced|optimized|augmented|equipped|enabled|improved|compressed|quantized|pruned) M "
)
_MODELS = r"(?P<list>M (?:, M )*(?:, )?and M )"
_FOR_MODELS = regex.compile(r"(?:[^ ,.;]+ ){0,4}?(?:for|by|with|using) (?:the )?" + _MODELS)
_MODELS_ACT = regex.compile(
    _MODELS
    + r"(?:[a-z]+ly )?(?:achiev|attain|reach|obtain|scor|outperform|surpass|yield|improv|exceed|beat|gain)\w* "
)
_IMPROVING = regex.compile(
    r"(?:improv|boost|rais|lift|enhanc|increas|push|bring)\w* (?:[^ ,.;K]+ ){0,3}$"
)
_TUNED = regex.compile(
    r"(?:^|, )(?:[^ ,.;]+ ){0,3}?(?:fine-tuning|finetuning|training|tuning|prompting|distilling|aligning) (?:the )?(?P<m>M )"
)
_IMPROVES = regex.compile(
    r"(?<![^ ])(?:improv|boost|enhanc|increas|rais|lift|reduc|lower)\w* (?:the )?(?:(?!by |on |in |over )[^ ,.;:()PXQNUCD]+ ){0,3}?(?P<m>M )"
    r"(?:(?!by |over )[^ ,.;:()PXQNUCD]+ ){0,6}(?:by|from) (?:[^ ]+ ){0,3}$"
)
_RIVAL_BEFORE = regex.compile(
    r"(?:outperform\w*|surpass\w*|beat\w*|exceed\w*|compared (?:to|with)|over|than|versus|vs|against) "
    r"(?:(?!achiev|reach|attain|M )[^ ,.;:]+ ){1,8}\( $"
)
_SCORED = ("score ", "scores ", "similarity ", "similarities ")  # "a CLIP score"
_RIVAL = regex.compile(
    r"(?:than|over|compared to|compared with|outperform\w*|surpass\w*|beat\w*|exceed\w*|against|"
    r"relative to|versus|vs|improv\w*|boost\w*|of|by|on|to|atop|"
    r"(?:trained|built|based|tuned|finetuned|fine-tuned|initialized|implemented|instantiated|"
    r"equipped|combined|integrated|paired) (?:upon|from|with|using|in|into)) "
    r"(?:the |an? |our |strong |previous )?$"
)
_OWN_MEANS = regex.compile(r"(?:using|with|by|of|,|and|our|the|for) (?:the |our )?$")


@dataclass(slots=True, eq=False)
class Claim:
    """A value and what is bound to it so far; ranges are in the folded text of `text`."""

    text: Text
    sentence: Skeleton
    bounds: tuple[int, int]
    offset: int
    item: Item
    entry: Entry
    kind: GainKind
    direction: Direction | None
    what: tuple[int, int] | None = None
    whom: tuple[int, int] | None = None
    listed: Claim | None = None
    qualifiers: set[str] = field(default_factory=set)
    benchmarks: list[str] = field(default_factory=list)
    metric: str | None = None
    model: str | None = None
    baseline: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the other extractors found in a paper that gains are bound to."""

    proposed: str | None
    only: str | None  # the benchmark a value is measured on if its sentence names none,
    only_said: int | None = None  # once it was named: from this place of the raw abstract on


class Words:
    """Words that may stand before a metric or a baseline and are no part of it."""

    def __init__(self, rules: Rules) -> None:
        lists = ("up-verb", "down-verb", "achieve", "verb-score")
        verbs = {word for name in lists for word in rules.words[name] if " " not in word}
        nouns = "training compression best latency score scores models success model".split()
        other = "and or it we an a its their our by also both .".split()
        self._verbs = (verbs - set(nouns)) | set(other)
        last = ("up-noun", "down-noun", "performance")
        self._nouns = {word for name in last for word in rules.words[name]}
        acts = {verb for verb in verbs if verb.endswith(("es", "ed", "s")) and len(verb) > 3}
        acts |= {verb for verb in verbs if {verb + "d", verb + "ed"} & verbs}
        self._acts = acts - self._nouns - set("performs benchmarks benchmark".split())

    def noun_start(self, body: str, low: int, high: int) -> int:
        """Where the noun of a metric begins: after a verb that its words hold."""
        at = low
        while (end := body.find(" ", at, high)) >= 0 and end + 1 < high:
            if body[at:end] in self._acts:
                low = end + 1
            at = end + 1
        return low

    def surface(self, claim: Claim, low: int, high: int) -> str | None:
        """The words of a range of the claim's skeleton as written, less those before the noun."""
        body = claim.sentence.text
        while low < high and (word := body[low : body.index(" ", low)]) in self._verbs:
            if low + len(word) + 1 >= high and word in self._nouns:
                break
            low += len(word) + 1
        if high <= low:
            return None
        start, end = claim.sentence.range(low, high)
        return claim.text.span(start, end).surface.strip() or None


class Binding:
    """The claims of one sentence, bound one after the other."""

    def __init__(
        self,
        sentence: Skeleton,
        claims: Sequence[Claim],
        known: Known,
        context: Sequence[str],
        words: Words,
    ) -> None:
        self._sentence = sentence
        self._claims = claims
        self._known = known
        self._context = context
        self._words = words
        self._body = sentence.text
        self._offsets = [claim.offset for claim in claims]
        self._groups = list(self._grouped())
        self._subjects = list(_subjects(sentence, known))

    def bind(self) -> None:
        """Binds every claim; a baseline said once of a list is said of each of its values."""
        for i, claim in enumerate(self._claims):
            claim.metric = self._metric(i)
            before = self._claims[i - 1] if i else None
            if (
                before is not None
                and claim.metric is None
                and claim.kind == before.kind
                and _VERSUS.search(
                    self._body[max(before.offset + 2, claim.offset - 40) : claim.offset]
                )
            ):
                claim.metric = before.metric
            if before is not None and claim.metric is None and self._same_measure(before, claim):
                claim.metric = before.metric
            level = self._level_of(i) if claim.kind == "delta" else None
            if level is not None:
                claim.metric = claim.metric or level.metric
            if before is not None and claim.metric is None and self._bracketed(claim):
                # "reaches 85% success, beating X (66%) and Y (55%)"
                alike = before.kind == claim.kind and before.item.of.unit == claim.item.of.unit
                claim.metric = before.metric if alike else None
            claim.benchmarks = self._benchmarks(i)
            if level is not None and level.metric == claim.metric:
                claim.benchmarks = claim.benchmarks or list(level.benchmarks)
            claim.baseline = self._baseline(i)
            claim.model = self.model(claim)
            if claim.metric and _AVERAGED.search(claim.metric):
                claim.qualifiers.add("average")
        for i, group in enumerate(self._groups):
            if len(group) > 1 and group[0] is self._claims[i]:
                self._share(group)

    def _same_measure(self, before: Claim, claim: Claim) -> bool:
        """Whether a value is one more of the measure before: "reaches 39% accuracy, while GPT-4
        reaches 20%", "12% more errors than A and 27% more than B".
        """
        if claim.kind == "score" == before.kind and before.item.of.unit == claim.item.of.unit:
            low = max(before.offset + 2, claim.offset - 60)
            attained = _ATTAINS.search(self._body[low : claim.offset])
            return attained is not None and not _OF_THINGS.match(self._body, claim.offset + 2)
        return claim.kind == "delta" and _MORE_THAN.match(self._body, claim.offset + 2) is not None

    def _level_of(self, i: int) -> Claim | None:
        """The level that a difference is told of: "reaches 61% accuracy, 12% above X"."""
        first = self._claims.index(self._groups[i][0])
        level = self._claims[first - 1] if first else None
        if level is None or level.kind not in ("score", "from_to", "delta"):
            return None
        between = self._body[level.offset + 2 : self._offsets[first]]
        if _OTHER_MATTER.search(between) or not _EXCELS.search(between):
            return None
        return level

    def _bracketed(self, claim: Claim) -> bool:
        """Whether a value stands in brackets after what attains it: "X (66.3%)"."""
        low = max(0, claim.offset - 20)
        opened = _BRACKETED.search(self._body[low : claim.offset])
        return opened is not None and self._body.startswith(") ", claim.offset + 2)

    def _share(self, group: Sequence[Claim]) -> None:
        """Gives each value of a list what is said once of all of them."""
        baseline = next((claim.baseline for claim in group if claim.baseline), None)
        if group[0].kind != "factor":
            for claim, after in zip(reversed(group[:-1]), reversed(group[1:]), strict=True):
                if _ASIDE.sub("", self._body[claim.offset + 2 : after.offset]) in COMMAS:
                    claim.metric = claim.metric or after.metric
            for claim, before in zip(group[1:], group, strict=False):
                claim.metric = claim.metric or before.metric
        shared = group[0].benchmarks
        for claim in group:
            if claim.kind != "score" or not self._is_rival(claim):
                claim.baseline = claim.baseline or baseline
        if any(claim.benchmarks and claim.benchmarks != shared for claim in group):
            return
        if not self._measured_on(self._claims.index(group[0]), turn=False):
            apart = [self._body[a.offset + 2 : b.offset] for a, b in pairwise(group)]
            one_each = (
                len(shared) == len(group)
                and len({claim.metric for claim in group}) == 1
                and all(glue in COMMAS for glue in apart)
            )
            for claim, own in zip(group, shared if one_each else group, strict=True):
                claim.benchmarks = [own] if isinstance(own, str) else shared

    def _grouped(self) -> Iterator[list[Claim]]:
        """For each claim the values of its list, in order, itself among them."""
        group: list[Claim] = []
        for i, claim in enumerate(self._claims):
            if group:
                glue = self._body[self._offsets[i - 1] + 2 : claim.offset]
                if group[-1].kind != claim.kind or not is_list_glue(glue):
                    group = []
            group.append(claim)
            yield group

    def _next(self, i: int) -> int:
        """Where the value after a claim begins, or the sentence ends."""
        return self._offsets[i + 1] if i + 1 < len(self._offsets) else len(self._body)

    def _window(self, i: int) -> tuple[str, int]:
        """What stands before a claim, as far as anything is bound, and where that begins."""
        low = max(0, self._offsets[i] - _FAR)
        low = self._body.rfind(" ", 0, low) + 1 if low else 0
        return self._body[low : self._offsets[i]], low

    # --- benchmarks ---

    def _benchmarks(self, i: int) -> list[str]:
        claim = self._claims[i]
        previous = self._offsets[i - 1] + 2 if i else 0
        start = max(previous, claim.offset - _FAR)
        if held := _HELD.search(self._body[start : claim.offset]):
            return self._names(start + held.start("b"), start + held.end("b"))
        group = self._groups[i]
        here = self._measured_on(i)
        if here:
            one_each = len(group) > 1 and group[-1] is claim and len(here) == len(group)
            return here[-1:] if one_each and not self._interleaved(i) else here
        if self._elsewhere(i):
            return []
        before = self._claims[i - 1] if i else None
        if before is not None and _VERSUS.search(
            self._body[max(previous, claim.offset - 40) : claim.offset]
        ):
            return list(before.benchmarks)
        if named := self._respectively(group):
            return [named[group.index(claim)]]
        if group[-1] is not claim:
            place = group.index(claim)
            names = self._measured_on(i + len(group) - 1 - place, turn=False)
            if len(names) == len(group):
                return [names[place]]
            # "26.8 PQ, 16.8 AP and 34.1 mIoU on A, 18.2 PQ and 27.9 mIoU on B"
            for n in range(i + 1, i - place + len(group)):
                if named := self._measured_on(n, turn=False):
                    return named
        return self._benchmarks_before(i, previous) or self._carried(claim)

    def _respectively(self, group: Sequence[Claim]) -> list[str]:
        """The benchmarks named before a list of as many values, "respectively" one each."""
        end = group[-1].offset + 2
        if len(group) < 2 or "respectively " not in self._body[end : end + 80]:
            return []
        first = self._claims.index(group[0])
        low = self._offsets[first - 1] + 2 if first else 0
        names = list(dict.fromkeys(self._names(max(low, group[0].offset - _FAR), group[0].offset)))
        return names if len(names) == len(group) else []

    def _measured_on(self, i: int, *, turn: bool = True) -> list[str]:
        """The benchmarks named after a value and before the next."""
        low = self._offsets[i] + 2
        after = " " + self._body[low : min(self._next(i), low + _FAR)]
        if closed := _CLOSED.match(after):
            after = after[: closed.end()]  # "Maths (+5.5 points) and more, as good as X on A"
        match = _ON.search(after)
        if not match or (turn and _BREAK.search(after, 0, match.start("b"))):
            return []
        if after.endswith("( ", 0, match.start("b")) and after.startswith(": ", match.end()):
            return []  # "(MMLU: 71%": held for the value after it
        names = self._names(low - 1 + match.start("b"), low - 1 + match.end("b"))
        while more := _AND_ON.match(after, match.end()):
            # "by 5% in image compression on A and video compression on B"
            names += self._names(low - 1 + more.start("b"), low - 1 + more.end("b"))
            match = more
        return names

    def _elsewhere(self, i: int) -> bool:
        """Whether a value is said to be measured on other things: by a name that is no record,
        on average over them, or on "multiple benchmarks".
        """
        claim = self._claims[i]
        if self._measured_on(i, turn=False):
            return False
        if _ON_A_NAME.match(claim.text.text, claim.item.end, claim.bounds[1]):
            return True
        low = self._offsets[i] + 2
        average = self._body.startswith("on average and ", low)
        return average or _ON_MANY.match(self._body, low, self._next(i)) is not None

    def _names(self, low: int, high: int) -> list[str]:
        return [item.of for _, item in self._sentence.items_in(low, high) if item.symbol == "B"]

    def _interleaved(self, i: int) -> bool:
        """Whether benchmarks stand between the values of a claim's list."""
        group = self._groups[i]
        first = i - group.index(self._claims[i])
        return any(self._measured_on(first + n, turn=False) for n in range(len(group) - 1))

    def _benchmarks_before(self, i: int, previous: int) -> list[str]:
        """Those of "On A, it gains 3%": before the value, and after the one before it if any."""
        claim = self._claims[i]
        low = self._window(i)[1]
        start = max(previous, low)
        near = self._names(start, claim.offset)
        if near:
            matches = list(_ON.finditer(" " + self._body[start : claim.offset]))
            if matches:
                match = matches[-1]
                apart = start - 1 + match.end("b")
                if claim.kind in ("factor", "share") and _BREAK.search(
                    self._body, apart, claim.offset
                ):
                    return []
                return self._names(start - 1 + match.start("b"), start - 1 + match.end("b"))
            last = self._body.rfind("B ", start, claim.offset)
            return [] if _SUCH_AS.search(self._body[max(0, last - 60) : last]) else near[-1:]
        if previous > low and claim.listed is None:
            if _BREAK.search(self._body, previous, claim.offset):
                return []
            matches = list(_ON_FIRM.finditer(" " + self._body[low:previous]))
            if matches:
                match = matches[-1]
                return self._names(low - 1 + match.start("b"), low - 1 + match.end("b"))
        return []

    def _carried(self, claim: Claim) -> list[str]:
        """A benchmark named outside the sentence, where it is unmistakably what was measured."""
        resource = claim.metric is not None and _RESOURCES.search(claim.metric)
        if claim.kind in ("factor", "share") or "B " in self._body or resource:
            return []
        these = _THESE.search(self._body)
        if len(self._context) > 1 and (these or "respectively " in self._body):
            group = self._groups[self._claims.index(claim)]
            if len(group) == len(self._context):
                return [self._context[group.index(claim)]]
            return list(self._context) if these and len(group) == 1 else []
        if _OTHER_DATA.search(self._body) and not these:
            return []
        if len(self._context) == 1 and (these or _CARRIES.match(self._body)):
            return list(self._context)
        only, said = self._known.only, self._known.only_said
        place = claim.text.span(claim.item.start, claim.item.end).start
        return [only] if only and said is not None and place >= said else []

    # --- metric ---

    def _metric(self, i: int) -> str | None:
        claim = self._claims[i]
        if named := _POINTS_OF.search(claim.text.text, claim.item.start, claim.item.end):
            return named[1]
        for low, high in self._metric_places(i):
            lead = _LEAD.match(self._body, low, high)
            if lead and lead.end() >= high:
                continue
            start = lead.end() if lead else low
            start = self._words.noun_start(self._body, start, high)
            if not _NO_NOUN.fullmatch(self._body, start, high):
                found = self._words.surface(claim, start, high)
                if (
                    found
                    and found.lower() not in _NO_NOUNS
                    and ("K " in self._body[start:high] or not _NAMELIKE.match(found))
                ):
                    return found
        if claim.kind != "share" and claim.listed is not None:
            return claim.listed.metric
        low = claim.offset + 2
        if claim.kind == "factor" and _FASTER_NEXT.match(self._body, low):
            return "speedup"
        return None

    def _metric_places(self, i: int) -> Iterator[tuple[int, int]]:
        """Where a claim's metric may stand, on the strongest evidence first."""
        claim, group = self._claims[i], self._groups[i]
        low = claim.offset + 2
        after = self._body[low : low + _FAR]
        before, base = self._window(i)
        yield from self._listed_metric(claim, group)
        yield from _places(low, [_METRIC_ASIDE.match(after), _METRIC_NEXT.match(after)])
        if claim.item.symbol in "PND" and (claim.kind == "score" or claim.entry.key == "signed"):
            yield from _places(low, [_NOUN_NEXT.match(after)])
        if claim.kind in ("delta", "factor"):
            yield from _places(low, [_CHANGED.match(after)])
        if claim.kind == "delta":
            yield from _places(low, [_MORE_NEXT.match(after)])
        if claim.kind != "share":
            yield from _places(base, [_METRIC_BEFORE.search(before)])
        if claim.kind == "factor":
            yield from self._speed(claim, before, base, after)
        last = claim.what is not None and self._body.endswith("for ", 0, claim.what[0])
        if claim.what is not None and not last:
            yield from self._what(*claim.what)
        yield from _places(low, [_MEASURE_NEXT.match(after)])
        if claim.kind != "share":
            yield from _places(base, [_MEASURE_BEFORE.search(before)])
        if claim.what is not None and last:
            yield from self._what(*claim.what)
        yield from self._changed(claim, before, base, after)
        yield from _places(low, [_SPEEDUP_NEXT.match(after)])
        if claim.kind == "share" or claim.entry.key in ("doubles", "halves"):
            yield from _places(low, [_SHARED.match(after)])
        elif not (claim.kind == "factor" and _FASTER_NEXT.match(after)):
            yield from self._far_metric(i, before, base)

    def _speed(self, claim: Claim, before: str, base: int, after: str) -> Iterator[tuple[int, int]]:
        """What a multiple is one of: "speedups of 3x", "a 4x compression ratio"."""
        if _SPEEDUPS_OF.search(before):
            yield from _places(base, [_SPEED_BEFORE.search(before)])
        if claim.what is None or claim.what[0] < claim.offset:
            found = [_SPEEDUP_NEXT.match(after), _RATE_NEXT.match(after), _MORE_NEXT.match(after)]
            yield from _places(claim.offset + 2, found)

    def _changed(
        self, claim: Claim, before: str, base: int, after: str
    ) -> Iterator[tuple[int, int]]:
        """The noun of a change or a level that is no known metric: "cuts queue length from"."""
        low = claim.offset + 2
        if claim.kind in ("delta", "factor", "from_to"):
            yield from _places(base, [_SUBJECT_BEFORE.search(before), _NOMINAL.search(before)])
            yield from _places(base, [_GAINS_BEFORE.search(before)])
        if (named := _IN_NAMED.match(after)) and self._is_metric_like(
            claim, low + named.start("np"), low + named.end("np")
        ):
            yield from _places(low, [named])
        if claim.kind == "from_to":
            yield from _places(base, [_OBJECT_BEFORE.search(before)])
        if claim.kind == "score":
            yield from _places(base, [_SIZE_OF.search(before)])
            if claim.item.symbol == "U":
                yield from _places(base, [_COST_BEFORE.search(before)])

    def _far_metric(self, i: int, before: str, base: int) -> Iterator[tuple[int, int]]:
        """A metric that stands further off: at the end of a list, or before the verb."""
        claim, group = self._claims[i], self._groups[i]
        if claim.kind == "factor":
            yield from _places(base, [_SPEED_BEFORE.search(before)])
        if claim.listed is not None and claim.listed.metric is not None:
            return
        tail = group[-1].offset + 2
        rest = self._body[tail : tail + _FAR]
        if len(group) == 1 or (group[-1] is not claim and not self._interleaved(i)):
            yield from _places(tail, [_TAIL_METRIC.match(rest)])
        near = _NEAR_METRIC.search(before) or _ASIDE_METRIC.search(before)
        turn = near and _TURN.search(before, near.start())
        if near and claim.kind != "factor" and not turn:
            yield from _places(base, [near])
        yield from _places(tail, [_TERMS.match(rest)])

    def _is_metric_like(self, claim: Claim, low: int, high: int) -> bool:
        start, end = self._sentence.range(low, high)
        return _METRIC_LIKE.search(claim.text.text, start, end) is not None

    def _listed_metric(self, claim: Claim, group: Sequence[Claim]) -> Iterator[tuple[int, int]]:
        """The one of "F1 and recall by 3% and 5%": one metric for each value."""
        if len(group) < 2:
            return
        low = max(0, group[0].offset - _FAR)
        listed = _LISTED_METRICS.search(self._body[low : group[0].offset])
        if listed is None:
            low = group[-1].offset + 2
            listed = _METRICS_AFTER.match(self._body[low : low + _FAR])
        if listed is None:
            return
        places = self._sentence.items_in(low + listed.start("list"), low + listed.end("list"))
        names = [offset for offset, item in places if item.symbol == "K"]
        if len(names) == len(group):
            at = names[group.index(claim)]
            yield at, at + 2

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

    # --- baseline ---

    def _baseline(self, i: int) -> str | None:
        claim = self._claims[i]
        if claim.kind == "score" and (self._bracketed(claim) or self._outdone(i)):
            # "reaches 52.2 mIoU, +4.1 higher than X": what is over X is the difference
            return None
        for low, high in self._baseline_places(i):
            return self._noun_phrase(self._claims[i], low, high)
        return None

    def _outdone(self, i: int) -> bool:
        """Whether what a level is compared with is said of a difference that follows it."""
        low = self._offsets[i] + 2
        differences = any(claim.kind in ("delta", "factor") for claim in self._claims[i + 1 :])
        own = _compared_with(self._body, low, min(self._next(i), low + _FAR))
        return differences and not any(match[0].startswith(_COMPARED[:5]) for match in own)

    def _baseline_places(self, i: int) -> Iterator[tuple[int, int]]:
        """Where a claim's baseline may stand, on the strongest evidence first."""
        claim, body = self._claims[i], self._body
        low = claim.offset + 2
        end = min(self._next(i), low + _FAR)
        far = max(0, claim.offset - _FAR)
        previous = max(self._offsets[i - 1] if i else 0, far)
        after = body[low : low + _FAR]
        if claim.kind == "share":
            yield from _places(low, (pattern.match(after) for pattern in _SHARE_OF))
        yield from _places(low, [_VALUE_OF.match(after)])
        yield from _places(0, _compared_with(body, low, end))
        if claim.whom is not None and claim.kind != "score":
            yield claim.whom
        for start in (previous, far):
            yield from _places(0, [*_BASELINE_VERB.finditer(body, start, claim.offset)][-1:])
        before = _compared_with(body, previous, claim.offset)
        yield from _places(0, [m for m in before if m[0].startswith(_COMPARED)][-1:])
        if claim.listed is not None or len(self._groups[i]) > 1:
            rest = _compared_with(body, claim.offset, claim.offset + 2 * _FAR)
            yield from _places(0, rest[:1])
        if claim.kind == "delta":
            yield from _places(previous, [_IMPROVED.search(body[previous : claim.offset])])
            yield from _places(0, [_OPENING.match(body)])
            yield from _places(previous, [_BASE_IMPROVED.search(body[previous : claim.offset])])
        yield from _places(0, [_OPENED.match(body)])
        start = end if end < len(body) else claim.offset
        yield from _places(0, [_BEATING.search(body, start, start + _FAR)])

    def best_baseline(self, claim: Claim, high: int, *, beats: bool) -> str | None:
        """What a claim of being best is made over: named in its words, or after them."""
        over = _BASELINE_VERB.search(self._body, claim.offset) if beats else None
        over = over or _AMONG.search(self._body, high - 1, high + _FAR)
        return self._noun_phrase(claim, *over.span("np")) if over else None

    def best_benchmarks(self, low: int, next_claim: int) -> list[str]:
        """The benchmarks a claim of being best is made on."""
        if not any(i.symbol == "B" for _, i in self._sentence.items_in(low, next_claim)):
            return []
        match = _ON.search(" " + self._body[low : low + _FAR])
        return self._names(low - 1 + match.start("b"), low - 1 + match.end("b")) if match else []

    def _noun_phrase(self, claim: Claim, low: int, high: int) -> str | None:
        body = self._body
        if named := _NAMED_AFTER.match(body, low):
            low, high = named.span("np")
        if lead := _NP_LEAD.match(body, low, high):
            low = lead.end()
        while high > low and body[low:high].rstrip().endswith(_NP_TAIL):
            high = low + body[low:high].rstrip().rfind(" ") + 1
        return self._words.surface(claim, low, high) if high > low else None

    # --- model ---

    def _each_by_its_own(self, claim: Claim) -> str | None:
        """The model of one value of a list, where as many are named and "respectively" said."""
        group = [claim] if claim.kind == "sota" else self._groups[self._claims.index(claim)]
        if len(group) < 2:
            return None
        low, high = max(0, group[0].offset - _FAR), group[-1].offset + 2
        rest = self._body[high : high + _FAR]
        if "respectively " not in rest:
            return None
        after = _FOR_MODELS.match(rest)
        listed = after or [*_MODELS_ACT.finditer(self._body, low, group[0].offset), None][0]
        if listed is None:
            return None
        base = high if after else 0
        items = self._sentence.items_in(base + listed.start("list"), base + listed.end("list"))
        names = [str(item.of) for _, item in items if item.symbol == "M"]
        place = group.index(claim)
        if len(group) % len(names):
            return None
        return names[place % len(names)] if after is None or len(names) == len(group) else None

    def _improved_by_another(self, of: int) -> bool:
        """Whether a model is what another one improves: "ZapTune improves GPT-4 from"."""
        at = bisect_left(self._subjects, of, key=lambda subject: subject[0])
        verb = _IMPROVING.search(self._body[max(0, of - 40) : of])
        return at > 0 and verb is not None and self._subjects[at - 1][1] is not None

    def _is_rival(self, claim: Claim) -> bool:
        """Whether a value is what another one is set against: the second of "96% vs. 61%"."""
        return _AGAINST.search(self._body[max(0, claim.offset - 20) : claim.offset]) is not None

    def _beaten(self, claim: Claim) -> list[str]:
        """The models a sentence says are beaten, before a value: "beats GPT-4: 96% vs. 61%"."""
        low = max(0, claim.offset - _FAR)
        matches = list(_BASELINE_VERB.finditer(self._body, low, claim.offset))
        if not matches:
            return []
        items = self._sentence.items_in(*matches[-1].span("np"))
        return [str(item.of) for _, item in items if item.symbol == "M"]

    def _acting(self, at: int) -> int:
        """Where the last model up to this one stands that does something itself."""
        while at >= 0 and not self._subjects[at][2]:
            at -= 1
        return self._subjects[at][0] if at >= 0 else 0

    def model(self, claim: Claim) -> str | None:
        """The system a claim is made of: the subject before it, else what the paper proposes."""
        near = max(0, claim.offset - 100)
        before = self._body[near : claim.offset]
        of = None
        if claim.kind == "score" and (by := _BY_MODEL.match(self._body, claim.offset + 2)):
            of = by.start("m")
        elif claim.kind == "score" and (held := _HOLDS.search(before)):
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
        if claim.kind == "score" and self._bracketed(claim) and _RIVAL_BEFORE.search(before):
            return None
        if claim.kind == "score" and self._is_rival(claim):
            rivals = self._beaten(claim)
            return rivals[0] if len(rivals) == 1 else None
        at = bisect_left(self._subjects, claim.offset, key=lambda subject: subject[0])
        where, subject, _ = self._subjects[at - 1] if at else (0, None, False)
        proposed = self._known.proposed
        far = max(where, claim.offset - _FAR)
        low = max(self._acting(at - 1), claim.offset - _FAR, 0)
        own = _OWN_SUBJECT.search(" " + self._body[low : claim.offset])
        others = list(_OTHER_SUBJECT.finditer(self._body, far, claim.offset))
        rest = others[-1].start() if others else claim.offset
        if others and not (
            _OWN_SUBJECT.search(self._body, rest, claim.offset)
            or "M " in self._body[rest : claim.offset]
        ):
            return None
        if subject is None and not proposed and not own:
            improved = _IMPROVES.search(before)
            tuned = _TUNED.match(self._body, 0, claim.offset)
            place = near + improved.start("m") if improved else tuned.start("m") if tuned else None
            item = self._sentence.item(place) if place is not None else None
            return str(item.of) if item else None
        if subject is None or subject == proposed or not proposed:
            return subject or proposed
        return proposed if own else subject


def _places(base: int, matches: Iterable[regex.Match[str] | None]) -> Iterator[tuple[int, int]]:
    """Where the noun phrases of matches stand, those of a slice from where it begins."""
    for match in matches:
        if match:
            yield base + match.start("np"), base + match.end("np")


def _compared_with(body: str, low: int, high: int) -> list[regex.Match[str]]:
    """Where a range names what a value is compared with, and not what it is measured over."""
    return [
        match
        for match in _BASELINE_AFTER.finditer(body, low, high)
        if not (match[0].startswith("from ") and not _ORIGIN.match(match["np"]))
        and not (
            body.endswith(_SPATIAL, match.start(), match.start("np"))
            and _NO_RIVAL.match(match["np"])
        )
    ]


def _subjects(sentence: Skeleton, known: Known) -> Iterator[tuple[int, str | None, bool]]:
    """After each model of a sentence, which one is the subject of what follows, and whether the
    model itself acts: "GPT-4 reaches".
    """
    body = sentence.text
    subject: str | None = None
    trained: int | None = None
    previous: str | None = None
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
        acts |= _SCORING.match(body, offset + 2) is not None and not _NOT_SUBJECT.search(lead)
        if not acts and _NOT_SUBJECT.search(lead):
            if item.of == known.proposed and subject is None and _OWN_MEANS.search(lead):
                subject = item.of
        elif subject != known.proposed or subject is None or acts:
            # "LoRA and DoRA reach 40%": the first of them
            listed = previous if acts and body.endswith("M and ", 0, offset) else None
            subject = listed or item.of
        previous = item.of
        yield offset, subject, acts
