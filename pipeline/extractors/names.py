"""Which words of a paper are names, and of what: known names, and evidence for unknown ones.

Most names a paper turns on are its own and stand in no lexicon. So each word that looks like a
name gathers evidence over title and abstract: phrases of rules/names.yaml, the noun it stands
beside ("X, a framework"), the company it keeps in lists. Two points of evidence make a record.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import regex

from pipeline.extractors.phrases import Phrases
from pipeline.language import Text, own_part
from pipeline.lexicon import Found, Lexicon
from pipeline.rules import Entry, Rules
from pipeline.skeleton import Item, Placed, Skeleton, apart, by_sentence, skeleton

# A word that may be a name, LaTeX macros ("\ewtune") among them.
_OF = (" of ", "-of-")
_JOINED = regex.compile(r"(\p{Ll}{4,})-(?=\p{Lu})")
# commands of mathematics, often with their argument glued to them: "\\tildeO", "\\sqrtT"
_MATHS = regex.compile(
    r"\\(?:sqrt|(?:wide)?(?:tilde|hat)|bar|var\p{L}+|eta|eps|theta|Theta|omega|Omega|delta|Delta|sigma|Sigma|rho|kappa|chi|psi|Psi|Phi|nu|xi|zeta|Lambda|lambda|Gamma|gamma|alpha|beta|mu|tau|pi|Pi|phi|epsilon|ell|"
    r"log|ln|exp|min|max|arg|frac|math\p{L}+|text\p{L}*|cite\p{L}*|ref|footnote|label|big|Big|quad|mid|vert|Vert|sum|prod|int|in|partial|nabla|"
    r"forall|exists|cup|cap|subset|neq|equiv|propto|ldots|dots|cdots|star|dagger|prime|circ|perp|top|bot|langle|rangle|lfloor|lceil|gtrsim|lesssim|"
    r"over\p{L}+|under\p{L}+|boldsymbol|displaystyle|noindent|item|begin|end|par|href|url)"
)
# "multi-UAV", "image-to-3D": a word in small letters joined to a name is no name of its own
_PREFIXED = regex.compile(r"\p{Ll}{3,}-(?!\d)")
_SUB = re.compile(
    r"(?:sub|no|non|multi|pre|post|mid|over|under|near|few|top|pass|best)-", regex.IGNORECASE
)
_SYMBOL = regex.compile(r"\p{L}_\w{1,2}")  # "W_t", "G_LM"
_X_TO_Y = regex.compile(r"\p{Lu}2\p{Lu}")  # "T2I", text to image: a kind of task
_SMALL = regex.compile(r"(?<![\w-])\p{Ll}[\p{L}\d-]*")
_TOKEN = regex.compile(
    r"\\?[\p{L}\p{N}]+(?:(?:[-_^@&]|\.(?=\d)|'(?=\d)|\+(?=[\p{L}\p{N}]))[\p{L}\p{N}]+|%(?=\s[A-Z]))*"
    r"(?:\+{1,2}|\*(?!\*))?(?![\p{L}\p{N}])"
)
# from a capital, a digit or a backslash, which all names have, to the end of the chunk
_SIGNED = regex.compile(r"[\p{Lu}\p{N}\\][^ ]*")
_SIGNED_ASCII = re.compile(r"[A-Z0-9\\][^ ]*")
_CAMEL = regex.compile(
    r"[\p{Ll}\d]\p{Lu}|\p{Lu}{2}|\p{Lu}[\p{Ll}]*\d|^\p{Lu}-\p{Lu}\p{Ll}|^\p{Lu}_\p{L}|\p{Lu}\^\d|-\p{Lu}(?!\p{Ll})"
)
_CAPITAL = regex.compile(
    r"\p{Lu}[\p{L}'-]*\p{Ll}[\p{L}\d'-]*\+{0,2}$|\p{Lu}\p{Lu}[\p{L}\d-]*$|\p{Lu}[\d-]+$"
)
_VERSION = regex.compile(
    r"(?:[- ~]?[vV]?\d{1,2}(?:\.\d{1,2}){0,2}(?!\d|%|\.\d)(?:[a-zA-Z](?![A-Za-z]))?"
    r"|[- ]?\d+(?:\.\d+)?[oxX](?![A-Za-z\d])|\.\d(?!\d)"
    r"|[- _]?(?:\d+x)?\d+(?:\.\d+)?[BbMmTK](?![A-Za-z\d])(?!\s(?:param|token|sample|example|image|imag|pair))"
    r"|-\d{2,4}(?!\d)"
    r"|[- ](?:Instruct|Chat|Base|Large|Small|Tiny|Medium|Huge|Giant|XL|XXL|Turbo|Pro|Flash|Ultra|Nano|Mini|Lite|Sonnet|"
    r"Opus|Haiku|Vision|VL|Coder|Math|Omni|Audio|Next|NeXT|Plus|Max|Preview|Thinking|Zero|Distill|Image|Video|Code|"
    r"Dev|Schnell|OneVision|Reasoning|Reasoner|Think|LM|Embedding|R1|V\d|Math-Instruct|Coder-Instruct)(?![A-Za-z])"
    r"|-(?:instruct|chat|base|large|small|tiny|medium|huge|xl|xxl|turbo|mini|nano|it|sft|dpo|preview|vision|vl|coder|math|"
    r"pro|flash|dev|schnell|klein|kontext|lite|plus|max|thinking|exp|sonnet|opus|haiku|distill|video|audio|omni|"
    r"uncased|cased|Base|L|B|S|H|G|XS|T|Ti)(?![A-Za-z\d])"
    r"|-A\d{1,2}(?:\.\d)?B(?![A-Za-z\d])|[- ](?:Curie|Davinci|Ada|Babbage|Air|Codex|Fable|Opus|Sol|Terminus|Speciale|Exp|Guard|Edit|Live|Fast|High|Low|latest)(?![A-Za-z])"
    r"|-(?:[IT]2[VI]|TI2V|FP8|NVFP4|AWQ|GPTQ|PT|IT|DPO|SFT|RL)(?![A-Za-z\d])"
    r"|-[A-Z][A-Za-z]?/\d+(?:@\d+)?|-X{1,2}L/\d|/\d{1,2}(?=[^\w/]|$)(?<=[LBSHGT]/\d{1,2})|[- ][A-Z]\d(?!\w)|-preview(?!\w))"
)
_COMPOUND = regex.compile(
    r"-(?:\p{Ll}{3,}(?:ed|ing|able)|ed|ing|based|style|like|trained|tuned|enhanced|powered|driven|generated|augmented|level|family|type|only|free|guided|"
    r"assisted|aware|pretrained|finetuned|specific|inspired|compatible|equipped|initialized|as|to|and|or|related|"
    r"compliant|capable|ready|facing|derived|produced|optimized|centric|backed|native|agnostic|distilled|quantized|oriented|induced|integrated|"
    r"backbone|baseline|scale|class|series|models?|sized|size|wise|in|on|the|pre|fine|a|aligned|annotated|"
    r"labeled|scored|judged|written|encoded|adapted|variants?|score|scores|supervised|adjusted|consistent|"
    r"embedding|embeddings|encoder|features|agents|methods?|benchmark|dataset)(?:-[a-z]+)*$"
)
# what goes before a name of several words within a sentence: "Crowd-based Comparative Evaluation"
_FEW_WORDS = 2
_COMPOUND_LEAD = regex.compile(r"(?<=\p{Ll} )(?P<lead>\p{Lu}\p{Ll}+-\p{Ll}+ )$")
_TAIL = regex.compile(r"(?:-[\p{L}\p{N}][\p{L}\p{N}.]*(?<!\.))+[+*]?|[+*]+(?![\p{L}\p{N}])")
_MARKED = regex.compile(r"[\p{Lu}\d+*]")
_SEVERAL = re.compile(r"[\s.]")
_AMOUNT = re.compile(r"\d[\d.,]*(?:[KMGTP]i?B|[kMG]?Hz|[KMBT])")  # "1.5TB"
_NUMBERED = regex.compile(r"\p{Ll}\p{Lu}|\p{Lu}{2}")
# what a benchmark's name goes on with: "2014", "2.1", "2018 Shared Task"
_EDITION = regex.compile(
    r"(?:[- ~]?['\u2018\u2019]?(?:(?:19|20)\d\d|(?<=['\u2018\u2019])\d\d)(?![\d.,%-]|\s(?:[a-z]+s)\b)"
    r"|[- ~]?[vV]?\d\.\d(?!\.?\d|[%\\]|\s?(?:points?|percent|pp|x|times|BLEU|mAP|and \d|to \d|on|by|in)\b|\s?%))?"
    r"(?:(?:\s\p{Lu}\p{L}+){0,3}\s[Ss]hared(?:\s\p{Ll}+){0,2}\s[Tt]ask(?![a-z])(?:\s\d(?!\d))?)?"
)
# words with capitals that may go on a model's name, and their acronym
_LONGER = regex.compile(
    r"(?P<words>(?: \p{Lu}\p{Ll}{2,}){1,3})(?![\w-])(?: \((?P<short>\p{Lu}{2,6})\))?"
)
_PART_OF_DATA = re.compile(
    r"-(?:dev|test|val|train|long|short|easy|hard|challenge|mini|full|lite|verified|diamond|extended|clean|other|core|live)(?![\w-])"
)
_YEAR = regex.compile(
    r"[- ~]?(?:(?:(?:19|20)\d\d|['\u2018\u2019]?\d\d)(?![\d.])(?:.*[Tt]ask.*)?|.*[Ss]hared.*[Tt]ask.*)$"
)
_DATA_BEFORE = re.compile(r"\b(?:on|over|in|from|data|datasets?|corpus|corpora)(?: the)? $")
_WORD_AFTER = regex.compile(r" ([\p{L}-]+)")
_SENTENCE_WORD = re.compile(r"[a-z0-9@-]+")
_TITLE_HEAD = regex.compile(r"([^:]{2,60}?)(?::\s|\s-\s|\s\u2014\s)")
_HEAD_ENDS = re.compile(r"[:\u2014]|\s-")
_SIZED_HEAD = regex.compile(r"\p{Lu}[\p{L}-]+\p{Ll}[ -]\d+(?:\.\d+)?[BM]")  # "Zapwain 1.5B: ..."
_SENTENCE_START = re.compile(r"[\s\"'(\[*]*")
_JOINER = re.compile(r" |-")
_EXPANSION = re.compile(r"([ZMB]) \( ([ZMB]) \) ")
_PLAIN = re.compile(r"[^a-z0-9+*\\]")
_LIST = re.compile(
    r"[ZMB] (?:\( (?:[^ ]+ ){1,5}?\) )?"
    r"(?:(?:, (?:and |or |& )?|and |or |& |/ |\+ |as well as |, as well as )(?:the |on |on the |from |both )?[ZMB] (?:\( (?:[^ ]+ ){1,5}?\) )?)+"
)
# words that begin no name after "we propose", and those that end one
_NO_FIRST = (
    r"(?!(?:a|an|the|our|this|these|to|and|new|novel|several|two|three|four|five|six|seven|eight|nine|ten|some|that|how|it|its|his|her|"
    r"their|here|such|what|one|both|another|more|in|using|for|by|other|first|second|general|different|various|multiple|many|extensive|"
    r"empirical|theoretical|experimental|preliminary|numerical|detailed|simple|efficient|effective|improved|practical|strong|significant|"
    r"additional|further|all|as|or|of|methods|results|techniques|experiments|evidence|algorithms|strategies|approaches|models|solutions|data)\b)"
)
_NO_MORE = (
    r"(?!(?:for|of|to|in|on|with|and|that|which|as|by|from|based|via|where|using|or|at|is|are|was|into|through|methods?|algorithms?|models?|"
    r"techniques?|results|experiments|approach|approaches)\b)"
)
# what the next two and _OWN_NAME begin with
_PROPOSING = ("propos", "introduc", "present", "develop", "releas")
# "we propose meta-tuning, which ...": a name in lower case, told by the want of an article
_PROPOSED_PLAIN = regex.compile(
    r"(?<=\b(?:[Ww]e|[Pp]aper|[Ww]ork)\s(?:\w+ly\s|then\s|also\s|thus\s|therefore\s|further\s)?)(?:propose|introduce|present|develop|proposes|introduces|presents)\s"
    rf"(?P<name>{_NO_FIRST}\p{{Ll}}[\p{{L}}\d]*(?:[- ]{_NO_MORE}[\p{{Ll}}\d]+){{0,3}})(?:\s-\s|,\s(?:a|an|which|the|our|where)\s|\s\([A-Z]|:\s)"
)
# "we introduce spatial memory for ...": words that may be a name if results are told of them
_PROPOSED_WORDS = regex.compile(
    r"\b(?:propos|introduc|present|develop)(?:e|es|ed|s)?\s(?:the\s(?=\p{Lu}))?"
    rf"(?P<words>{_NO_FIRST}[\p{{L}}\d]+(?:[- ]{_NO_MORE}[\p{{L}}\d]+){{0,3}})"
)
_PLAIN_WORD = regex.compile(r"[\p{L}\d]+(?:-[\p{L}\d]+)*")
_TELLS = regex.compile(
    r"\s(?:\w+ly\s|also\s|even\s|still\s){0,2}(?:achieves|improves|outperforms|boosts|reduces|reaches|yields|attains|surpasses|"
    r"obtains|delivers|establishes|exceeds|beats|cuts|increases|provides|enables|leads|maintains|performs|accelerates|allows|"
    r"offers|exhibits|generalizes|scales|helps|is\s(?:able|more|better|up|the\s(?:first|best)))\b"
)
_LEADS_IN = regex.compile(
    r"(?:^|[.,:;(]|\bthat|\band|\b[Tt]he|\bwhile|\bbut|\bwith|[Mm]oreover,|\bshow)\s?$"
)
_MIXED = regex.compile(r"\p{Ll}\p{Lu}|\p{Lu}{2}\p{Ll}|\p{Lu}-\p{Lu}|\d\p{Lu}|\p{Lu}\d|^\\\\|_|\+$")
_PART = re.compile(r"[^\W_]+")
_SHORT_CAPITALS = regex.compile(r"\p{Lu}{2,3}s?")
_BRACKETED = regex.compile(
    r"\(\s?(?:\*\*)?([\p{L}\d][\p{L}\d-]*[\p{Lu}\d][\p{L}\d-]*?)s?\s?(?:\*\*)?[);,]"
)
_DATA_FORM = re.compile(
    r"(?:[Bb]ench|BENCH|Benchmark|Eval|EVAL|QA|Corpus|corpus|Corpora|Dataset|dataset|[Tt]reebank|Bank|Arena|NLI|"
    r"-\d+(?:\.\d+)?[KkM])(?:[-+]?(?:[vV]?\d[\d.]*[KkMB]?|XL|[Pp]ro|[Pp]lus|[Hh]ard|[Ll]ite|[Mm]ini|V|VL|X|ZH|CN|EN|\+))*$"
)
_BENCH_FORM = regex.compile(
    r"(?:[Bb]ench|BENCH|Benchmark|Corpus|Dataset|Treebank)(?:[-+]?(?:[vV]?\d[\d.]*|Pro|Plus|Hard|Lite|V|VL|\+)|-\p{L}[\p{L}\d]{1,15})*$"
)
# what ends in a metric is one: "SC-IoU", "Recall@10"
_METRIC_FORM = regex.compile(
    r"(?:(?<!\p{Lu})(?:IoU|IOU|mAP|MAP|AP\d*|F1|BLEU|ROUGE|FID|FVD|PSNR|SSIM|LPIPS|Acc)|@[\dkKn]+)$"
)
# what a data set is said to hold: "X contains 3,000 questions", "X, a set of 2M pairs", "X: 120 tasks"
_HOLDS = regex.compile(
    r"[ZMB] (?:\( (?:[^ ]+ ){1,6}?\) )?(?:, |: |- |\u2014 |\u2013 )?(?:(?:which|that|it) )?"
    r"(?:(?:is )?an? (?:[^ .;:]+ ){0,5}?(?:set|suite|pool|compilation|bank) of |contain(?:s|ing) |compris(?:es|ing) |consist(?:s|ing) of |"
    r"includ(?:es|ing) |cover(?:s|ing) |span(?:s|ning) |(?:is )?composed of |features |featuring |(?<=: )|with )"
    r"(?:a (?:total|set|collection) of )?(?:(?:over|more|than|about|around|approximately|nearly|roughly|up|to|some) ){0,3}"
    r"\$?\d[^ ]* (?:, \d{3} )?(?:[^ .;:()]+ ){0,7}?"
    r"(?:questions?|problems?|pairs|instances|samples|examples|images|videos|clips|texts|documents|sentences|articles|papers|episodes|"
    r"scenarios|dialogues?|conversations|utterances|trajectories|tasks|queries|prompts|annotations|scenes|recordings|hours|posts|tweets|stories|"
    r"reports|items|entries|tables|charts|passages|cases|games|environments|reviews|patients|languages|objects|triples|captions) "
)
# "on A and B, Z outperforms", "on A, Z outperforms": the list ends before the comma
_CLOSED_LIST = re.compile(r"(?:(?<=and [ZMB] )|(?<=^[ZMB] )), [ZMB] $")
# a name with its own figure beside it where the sentence compares: "Z by 3.2 %", "Z ( 43.6 % )"
_RIVAL = re.compile(
    r"([Z]) (?:by (?:(?:up to|about|over|more than|around|nearly) )?(?:\$ )?[+]?\d|\( (?:\$ )?(?:[+-] )?\d+\.?\d* ?\\? ?(?:%|\)|[a-z]+ \)|v))"
)
# "by 3 % on Z and Z", "0.82 on the Z", "12.3 ( SOTA ) on Z"
_FIGURE_ON = re.compile(
    r"(?<= )(?:\\ )?(?:\d[^ ]*|%|x|points?|pp|times) (?:\( [^()]{1,30} \) |(?!(?:faster|lower|less|fewer|reduction|speedup|memory|latency|tokens|gpus?|cpus?) )[^ \d,.;:()]+ ){0,2}(?:on|across) (?:(?:both|the|standard|challenging|popular) )*"
    r"(?P<names>[ZMB] (?:(?:, and |, |and |& |/ )(?:the |on )?[ZMB] ){0,9})(?!(?:gpus?|cpus?|hardware|chips?|devices?|models?|agents?|backbones?) )"
)
# "3 % over Z", "2 x faster than Z", "by 3 points against the original Z"
_OVER = re.compile(
    r"(?:%|\dx|x|points?|times|pp) (?:(?!on |in |of )[^ \d,.;:()ZMB]+ ){0,3}?(?:over|than|against|vs\.?|versus) "
    r"(?:(?:the|standard|vanilla|original|previous|best|strong|strongest|existing|state-of-the-art|sota|baseline|prior|dense|full|plain|naive|native|raw) ){0,3}([ZM]) (?!(?:-|benchmark|dataset))"
)
_COMPARES = re.compile(
    r"\b(?:outperform|surpass|exceed|beat|compar|than |over (?:the |state|previous|prior|existing|strong)|versus|vs |against|best)"
)
# the rules by which a technique counts as one of the systems that a paper compares
_NEAR = frozenset({"beats-near", "worked-on"})
# the rules that make a name of a word with no more than a capital: "than Zebra", "the Zebra corpus"
_TELLING = frozenset({"beats-near", "data-noun", "listed", "listed-data"})
# the rules by which a paper says what it calls its own
_CALLED_SO = frozenset({"propose-called", "named"})
# rules that hold of half the words of a text
_TIGHT = frozenset({"propose", "propose-near"})
# what says "on X" or "train with X" of data says it of methods, too
_FAINT = frozenset({"names/on-names", "names/trained-on-names"})
_LOOSE = frozenset({"on-names", "builds-on"})
_BESIDE = frozenset({"benchmark-noun", "model-noun", "method-noun"})
_SENTENCE_OPENER = regex.compile(
    r"(?:\p{L}+ing|can|could|how|do|does|did|is|are|when|what|where|why|who|which|should|will|towards?|on|from|in|learn|making|make|rethink)$"
)
_OPENERS = frozenset(
    "A An And As At Both By Can Does Do For From How In Is It Its On Our That The These This To Using We What When Where"
    " While Why With Or Of Are New Towards Toward".split()
)
# "the N-Body Problem"
_NO_MODEL_NOUNS = frozenset(
    "problem problems task tasks challenge challenges administration".split()
)
_HEAD = regex.compile(r"\p{Lu}\p{Ll}{3,}(?=[\p{Lu}\d-])|\p{Lu}{3,}(?=-|\p{Ll}{3})")
_ON_DATA = re.compile(r"on B \)")
_SCORE = re.compile(r"(?:metric|metrics|score|scores|loss|losses) ")
_DIGIT = re.compile(r"\d")
# "we propose Zebra Feature Selection (ZFS)", if ZFS is no name elsewhere
_OWN_ACRONYM = regex.compile(
    r"\b(?:propos|introduc|present|develop|call|term|nam|dub)(?:e|es|ed|ing|s)?\s(?:(?:a|an|the|our|novel|new|simple|called|named|method|framework|approach)\s){0,4}"
    r"(?P<words>(?:[\p{Lu}][\p{L}-]*\s){2,6})\((?P<name>\p{Lu}{3,6})\)"
)
# "we propose BLEUR, a framework": likewise, told by what it is said to be
_OWN_NAME = regex.compile(
    r"\b(?:propos|introduc|present|develop|releas)(?:e|es|ed|ing|s)?\s(?P<name>\p{Lu}[\p{L}\d-]{2,20}),\s(?:a|an|the first)\s(?=[\p{Ll}-])"
)
# "a method called graph sampling (GS)", "a strategy named KV Folding"
_CALLED = regex.compile(
    r"\b(?:method|approach|framework|algorithm|strategy|technique|scheme|mechanism|paradigm|system|model|network|module|procedure|pipeline)s?,?\s"
    r"(?:called|named|dubbed|termed|coined)\s(?:as\s)?(?!(?:the|an|our|its|this|named)\s)"
    r"(?P<name>\p{Lu}[\p{L}\d]*(?:[ -]\p{Lu}[\p{L}\d]*){1,4}(?![\w-])|\p{Ll}{3,}(?:[ -]\p{Ll}{2,}){1,4}(?=\s\([\p{L}\d-]{2,8}\)|,\s(?:which|that|to|an?|where|for|in)\b|\.\s))"
)
_CALLING = ("called", "named", "dubbed", "termed", "coined")  # what these two are not without
# "which is called ``zebra feature selection''"
_QUOTED = regex.compile(
    r"\b(?:called|named|dubbed|termed|coined)\s(?:as\s)?(?:``|[\"\u201c'\u2018])(?P<name>\p{L}[\p{L}\d-]*(?:\s[\p{L}\d-]+){0,4})(?:''|[\"\u201d'\u2019])"
)
_SIZED = re.compile(r"-\d+(?:\.\d+)?B(?:$|-)")
_SPELLING = (" (", ", the ", ", a ", ", an ", ", short for ", ", which stands for ")
_SPELT_OUT = regex.compile(rf"(?:{'|'.join(map(re.escape, _SPELLING))})([^(),.;:]{{8,90}})")
_LAST_WORD = re.compile(r"[^\W_](?:[^\W_]|-){1,20}$")
# what makes an acronym the name of a part: "clustering (OSC) loss"
_PART_NOUN = re.compile(
    r"[)*]* (?:loss|module|block|layer|unit|analysis|allocation|detection|metric|score|problem|task)"
)
_NEEDED = 2.0
_KNOWN = 4.0  # what an entry of the lexicon says of a name, once; see Name.add for the next times
_WEAK_NEEDED = 3.0
_SHORTEST = 3
_TITLE_WORDS = 5
_MOST_FORMS = 1 << 16


@dataclass(slots=True)
class Candidate:
    """A word or words that may be a name, in one place."""

    text: Text
    start: int
    end: int
    surface: str
    strong: bool
    entry: Entry | None = None
    variant: bool = False


class _Form(NamedTuple):
    """A word's form: the range of its chunk that it takes, and that of the name in it; whether it
    is a name by its form, may be one by its capital, or may be the number of a version; whether it
    is no name by itself, no word that a name begins with, and no metric.
    """

    start: int
    end: int
    begin: int
    stop: int
    strong: bool
    capital: bool
    number: bool
    never: bool
    first: bool
    last: bool


class _Forms(dict[str, tuple[_Form, ...]]):
    """The forms of the words of a chunk between spaces that may be parts of names; read once for
    each distinct chunk, since the same chunks come again and again.
    """

    def __init__(self, read: Callable[[str], tuple[_Form, ...]]) -> None:
        self._read = read

    def __missing__(self, chunk: str) -> tuple[_Form, ...]:
        if len(self) >= _MOST_FORMS:
            self.clear()
        forms = self[chunk] = self._read(chunk)
        return forms


class _Says(NamedTuple):
    """What a phrase says of the names in it: an entry of rules/names.yaml."""

    key: str
    path: str
    title: bool
    table: str | None
    weight: float
    role: str | None
    kind: str | None


class _Word(NamedTuple):
    """A word of a text that may be part of a name."""

    start: int
    end: int
    form: _Form


@dataclass(slots=True)
class Name:
    """A distinct name of a paper and what speaks for it."""

    key: str
    candidates: list[Candidate] = field(default_factory=list)
    scores: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    rules: dict[str, dict[str, float]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(float))
    )
    roles: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    kinds: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    entry: Entry | None = None
    table: str | None = None
    alias_of: str | None = None
    generic: bool = False
    ordinary: bool = False
    open: dict[str, float] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)
    also: list[str] = field(default_factory=list)  # other names that a benchmark has in the paper

    @property
    def best(self) -> Candidate:
        """The mention that the record stands at: the first of the abstract, else of the title."""
        for candidate in self.candidates:
            if candidate.text.field == "abstract":
                return candidate
        return self.candidates[0]

    @property
    def strong(self) -> bool:
        """Whether its form alone marks it as a name: capitals within, or four of them, or digits."""
        for candidate in self.candidates:
            if candidate.strong:
                return not _is_short(self.candidates[0].surface)
        return False

    @property
    def holds_data(self) -> bool:
        """Whether its form says that it is a benchmark or a data set: ZipBench, ZipMath-40K."""
        return _holds_data(self.candidates[0].surface)

    @property
    def is_own_method(self) -> bool:
        """Whether the paper proposes a method of this name, not the benchmark that has it, too."""
        own = len(self.said & {"title-colon", "propose", "name-is-a", "propose-near"}) > 1
        methods = sum(self.kinds[kind] for kind in ("model", "method"))
        return own and methods > 3 and "benchmark-noun" not in self.said

    def part_from_entry(self) -> None:
        """Takes back what its entry has said of it, for a name that is not the one that is known."""
        if self.entry is not None:
            rule = self.entry.path
            self.scores[self.entry.file] -= _KNOWN * (3 + len(self.candidates)) / 4
            self.rules[self.entry.file].pop(rule, None)
            self.entry = None

    def add(self, table: str | None, weight: float, rule: str) -> None:
        """Adds evidence that the name is one of a table."""
        if table:
            # the same phrase again adds little: what counts is evidence of different kinds
            rules = self.rules[table]
            if rule in rules:
                self.scores[table] += weight / 4
                rules[rule] = max(rules[rule], weight)
            else:
                self.scores[table] += weight
                rules[rule] = max(0.0, weight)

    @property
    def rule(self) -> str:
        """The rule that speaks loudest for the table the name was put in."""
        if self.entry is not None:
            return self.entry.path
        votes = self.rules[self.table or ""]
        return max(votes, key=lambda rule: (votes[rule], rule))


@functools.lru_cache(maxsize=1 << 16)
def key_of(surface: str) -> str:
    """What two spellings of one name have in common: case, hyphens and spaces do not count."""
    return _PLAIN.sub("", surface.lower())


@functools.lru_cache(maxsize=1 << 16)
def _is_short(surface: str) -> bool:
    """Whether a name is no more than two or three capitals, which may be any acronym."""
    return _SHORT_CAPITALS.fullmatch(surface) is not None


@functools.lru_cache(maxsize=1 << 16)
def _holds_data(surface: str) -> bool:
    return bool(_DATA_FORM.search(surface) or _BENCH_FORM.search(surface))


class Names:
    """Finds the names of a paper; built once from the rules."""

    def __init__(self, rules: Rules) -> None:
        self._lexicon = Lexicon((*rules.entries["benchmarks"], *rules.entries["models"]))
        self._never = {key_of(word) for word in rules.never} | {
            key_of(name) for metric in rules.entries["metrics"] for name in metric["names"]
        }
        words = rules.words
        self._phrases = Phrases(rules, "names")
        self._says = {
            entry.key: _Says(
                entry.key,
                entry.path,
                entry["where"] == "title",
                entry["table"],
                float(entry["weight"] or 0),
                entry["role"],
                entry["kind"],
            )
            for entry in rules.entries["names"]
        }
        self._classes = frozenset(words["class-noun"])
        self._no_names = self._classes | {word.lower() for word in rules.never}
        self._heads: dict[str, str] = {}
        for noun_class in ("method-noun", "model-head", "no-thing", "dataset-head"):
            for word in words[noun_class]:
                self._heads[word] = noun_class
        self._needs = {
            entry.path: (
                frozenset(entry["needs"]),
                tuple(need for need in entry["needs"] if " " in need),
            )
            for file in ("models", "benchmarks")
            for entry in rules.entries[file]
            if entry["needs"]
        }
        self._models = frozenset(
            name
            for entry in rules.entries["models"]
            for name in entry["names"]
            if len(name) > 2 and not entry["compared"] and not entry["needs"]
        )
        self._forms = _Forms(self._read_chunk)
        self._twins: dict[tuple[str, str], list[Entry]] = _twins(rules)

    # --- candidates ---

    def candidates(
        self, text: Text, links: Sequence[Item], head: Candidate | None = None
    ) -> list[Candidate]:
        """The places of a text that may be names, in order, none overlapping another; `head` is
        the name that the title begins with, if its words alone would not show it.
        """
        known = self._known(text, links)
        if head is not None:
            again = [
                Candidate(text, *span, head.surface, head.strong)
                for span in _places(text, head.surface)
            ]
            known = sorted((*again, *apart(known, again)), key=lambda place: place.start)
        plain: list[Candidate] = []
        own: list[Candidate] = []
        verbs = [
            at
            for at in _places_of_any(_PROPOSING, text.text)
            if not text.text[at - 1 : at].isalpha()  # the "present" of "representation"
        ]
        if verbs:
            plain = apart(self._proposed(text, verbs), known)
            own = [
                Candidate(text, *m.span("name"), m["name"], strong=True)
                for m in _matches_at(_OWN_NAME, text.text, verbs)
                if key_of(m["name"]) in self._never
            ]
        if any(key in self._never for key in _bracketed_keys(text.text)):
            own += [
                Candidate(text, *m.span("name"), m["name"], strong=True)
                for m in _OWN_ACRONYM.finditer(text.text)
                if key_of(m["name"]) in self._never and self._is_spelt_out(m)
            ]
        if any(map(text.text.__contains__, _CALLING)):
            own += [
                Candidate(text, *m.span("name"), m["name"], strong=True)
                for pattern in (_CALLED, _QUOTED)
                for m in pattern.finditer(text.text)
            ]
        if own:
            own += [
                Candidate(text, *span, c.surface, strong=True)
                for c in own
                if key_of(c.surface) in self._never
                for span in _places(text, c.surface)
                if span[0] != c.start
            ]
            own.sort(key=lambda candidate: candidate.start)
            own = [c for i, c in enumerate(own) if not i or own[i - 1].end <= c.start]
            known = [*known, *apart(own, sorted((*known, *plain), key=lambda c: c.start))]
        taken: list[Placed] = sorted((*known, *plain, *links), key=lambda place: place.start)
        found = [c for run in self._runs(text, taken) for c in self._of_run(text, run)]
        return sorted((*known, *plain, *found), key=lambda candidate: candidate.start)

    def _proposed(self, text: Text, verbs: Sequence[int]) -> list[Candidate]:
        """Words in small letters that a paper proposes as if they were a name, in order."""
        plain = [
            Candidate(text, *m.span("name"), m["name"], strong=True)
            for m in _matches_at(_PROPOSED_PLAIN, text.text, verbs)
            if key_of(m["name"]) not in self._never
        ]
        plain += [
            candidate
            for candidate in self._proposed_again(text, verbs)
            if not any(c.start < candidate.end and candidate.start < c.end for c in plain)
        ]
        return sorted(plain, key=lambda c: c.start)

    def _proposed_again(self, text: Text, verbs: Sequence[int]) -> Iterator[Candidate]:
        """Words that a paper proposes, and of which it tells results: "we introduce spatial memory
        for ..., spatial memory achieves".
        """
        low = text.text.lower()
        if len(low) != len(text.text):
            return
        for match in _matches_at(_PROPOSED_WORDS, text.text, verbs):
            words = list(_PLAIN_WORD.finditer(text.text, *match.span("words")))
            start = words[0].start()
            # one word only if it has a hyphen; what does not come again does not with more words
            shortest = words[0 if "-" in words[0].group() else min(1, len(words) - 1)].end()
            if low.find(low[start:shortest], shortest) < 0:
                continue
            for count in range(len(words), 0, -1):
                end = words[count - 1].end()
                phrase = text.text[start:end]
                if count == 1 and "-" not in phrase:
                    break
                if key_of(phrase) not in self._never and _acts_again(text.text, low, start, end):
                    yield from (
                        Candidate(text, *span, phrase, strong=True)
                        for span in _places(text, phrase)
                    )
                    break

    def _is_spelt_out(self, match: regex.Match[str]) -> bool:
        """Whether the words before an acronym are what it stands for, and no noun of the trade."""
        words = match["words"].split()
        initials = [part[0] for word in words for part in word.split("-") if part]
        capitals = "".join(letter for letter in initials if letter.isupper()).lower()
        spelt = capitals == key_of(match["name"]) or (
            len(initials) > len(words)
            and "".join(initials).lower().startswith(match["name"][0].lower())
            and _in_order(match["name"].lower(), "".join(initials).lower())
        )
        whole = key_of(match["words"])
        return spelt and not (whole in self._never or words[-1].lower() in self._classes)

    def _runs(self, text: Text, taken: Sequence[Placed]) -> Iterator[list[_Word]]:
        """Runs of words with one space between them that may be one name, "Control LLM", other
        than in places taken.
        """
        folded = text.text
        title = text.field == "title"
        firsts = frozenset[int]() if title else _first_words(text)
        run: list[_Word] = []
        at = 0
        for match in (_SIGNED_ASCII if folded.isascii() else _SIGNED).finditer(folded):
            place, stop = folded.rfind(" ", 0, match.start()) + 1, match.end()
            if folded.endswith("%", place, stop):
                stop += 2  # a capital after it makes it part of the word
            for form in self._forms[folded[place:stop]]:
                if not form.strong and (title or not (run or (form.capital and form.first))):
                    continue  # begins no name; in a title, any word may have a capital
                start, end = place + form.start, place + form.end
                while at < len(taken) and taken[at].end <= start:
                    at += 1
                if at < len(taken) and taken[at].start < end:
                    continue
                start, end = place + form.begin, place + form.stop
                if folded.startswith(" et al", end):
                    continue  # "on ZapBench Zebra et al. (2026)"
                if run and (start != run[-1].end + 1 or folded[start - 1] != " "):
                    yield run
                    run = []
                # "Mixture" of "Mixture of Experts" is no name, nor is a sentence's first word
                if form.strong or (
                    form.capital and start not in firsts and not folded.startswith(_OF, end)
                ):
                    if run or form.first:
                        run.append(_Word(start, end, form))
                elif run and form.number and run[-1].form.strong:
                    run.append(_Word(start, end, form))
                elif run:
                    yield run
                    run = []
        if run:
            yield run

    def _read_chunk(self, chunk: str) -> tuple[_Form, ...]:
        """The forms of the words of a chunk; what stands after it, of which one character may be
        given, is not read.
        """
        end = chunk.find(" ")
        forms = [
            self._form(match.group(), match.start())
            for match in _TOKEN.finditer(chunk)
            if end < 0 or match.start() < end
        ]
        return tuple(form for form in forms if form.capital or form.number)

    def _form(self, token: str, start: int) -> _Form:
        end, begin = start + len(token), start
        joined = _JOINED.match(token)
        if joined and joined[1].lower() in self._heads:
            # "datasets-HateXplain": a dash written as a hyphen
            begin += joined.end()
            token = token[joined.end() :]
        compound = _COMPOUND.search(token)
        cut = compound is not None and compound.start() > 0
        if compound and cut:
            token = token[: compound.start()]
        strong = self._is_strong(token)
        capital = strong or (_CAPITAL.match(token) is not None and not cut)
        number = token[0].isdigit() and len(token) <= 4
        never = key_of(token) in self._never
        first = not (never or token in _OPENERS)
        last = _METRIC_FORM.search(token) is None
        return _Form(
            start, end, begin, begin + len(token), strong, capital, number, never, first, last
        )

    def _of_run(self, text: Text, run: list[_Word]) -> Iterator[Candidate]:
        """Makes of a run of name-like words one candidate; in a title, where all words have
        capitals, one of each that has the form of a name.
        """
        folded = text.text
        while run[-1].form.never and run[0].form.strong:
            run = run[:-1]
        strong = False
        for word in run:
            strong = strong or word.form.strong
        if text.field == "title":
            groups = [(word, word) for word in run if word.form.strong]
        else:
            groups = [(run[0], run[-1])]
        for first, last in groups:
            start = first.start
            if first is not last and (
                lead := _COMPOUND_LEAD.search(folded, max(0, start - 40), start)
            ):
                start = lead.start("lead")
            surface = folded[start : last.end]
            key = key_of(surface)
            if key and key not in self._never and last.form.last:
                yield Candidate(text, start, last.end, surface, strong)

    def _is_strong(self, token: str) -> bool:
        if token.startswith("\\"):
            return len(token) > 3 and not _MATHS.match(token)
        if _PREFIXED.match(token) or _SUB.match(token):
            return False
        if _X_TO_Y.fullmatch(token) or _SYMBOL.fullmatch(token):
            return False
        if token[0].isdigit() and (_AMOUNT.fullmatch(token) or not _NUMBERED.search(token)):
            return False
        if not _CAMEL.search(token) and not (token.endswith(("+", "*")) and token[0].isupper()):
            return False
        if _METRIC_FORM.search(token):
            return False
        key = key_of(token)
        return not (key in self._never or (key.endswith("s") and key[:-1] in self._never))

    def _known(self, text: Text, links: Sequence[Item]) -> list[Candidate]:
        found: list[Candidate] = []
        folded = text.text
        last = 0
        for hit in apart(self._lexicon.find(folded), links):
            start, end = hit.start, hit.end
            if start < last:
                continue
            meant = self._meant(text, hit)
            if meant is None:
                continue
            entry, strong = meant, True
            if entry.file == "models":
                while (more := _VERSION.match(folded, end)) is not None:
                    end = more.end()
            else:
                edition = _EDITION.match(folded, end)
                end = edition.end() if edition else end
                part = _PART_OF_DATA.match(folded, end)
                end = part.end() if part else end
            tail = _TAIL.match(folded[end : end + 60])
            variant = False
            if tail:
                compound = _COMPOUND.search("x" + tail.group())
                piece = tail.group()[: compound.start() - 1] if compound else tail.group()
                if piece and _MARKED.search(piece):
                    end += len(piece)
                    variant = True
            longer = None
            if entry.file == "models" and not variant and text.field == "abstract":
                longer = _LONGER.match(folded, end)
            if longer and longer["short"]:
                whole = folded[start : longer.end("words")]
                if _is_acronym(longer["short"], "".join(p[0] for p in whole.split())):
                    continue  # "LLaMA Delta Attention (LDA)" is another thing than LLaMA
            elif longer and self._is_longer(text, start, longer.end("words"), longer["words"]):
                end = longer.end("words")
                variant = True
            if variant and entry.file == "models":
                # "LLaMA-NAS" is another thing than LLaMA
                found.append(Candidate(text, start, end, folded[start:end], strong, variant=True))
            else:
                found.append(Candidate(text, start, end, folded[start:end], strong, entry))
            last = end
        return found

    def _is_longer(self, text: Text, start: int, end: int, words: str) -> bool:
        """Whether a known name and the words with capitals after it are one name: "LLaMA Guardian",
        if it comes again so, and none of the words is a noun of the trade.
        """
        return text.text.count(text.text[start:end]) > 1 and not any(
            word in self._no_names or word in self._heads or key_of(word) in self._never
            for word in words.lower().split()
        )

    def _meant(self, text: Text, hit: Found) -> Entry | None:
        """The entry that a known name stands for here; None if words that it needs are missing.

        A name may be both a model's and a benchmark's, as that of a model's own data set.
        """
        low, high = text.sentence_of(hit.start)
        entries: list[Entry] = [
            hit.entry,
            *self._twins.get((hit.entry.path, key_of(text.text[hit.start : hit.end])), ()),
        ]
        entries = [e for e in entries if self._has_needs(e, text, low, high)]
        if len(entries) < 2:
            return next(iter(entries), None)
        needing = [e for e in entries if e["needs"]]
        if len(needing) == 1:
            return needing[0]
        data = _DATA_BEFORE.search(text.text, low, hit.start) is not None
        after = _WORD_AFTER.match(text.text, hit.end)
        if after and self._heads.get(after[1].lower(), "") == "dataset-head":
            data = True
        file = "benchmarks" if data else "models"
        return next((e for e in entries if e.file == file), entries[0])

    def _has_needs(self, entry: Entry, text: Text, low: int, high: int) -> bool:
        """Whether one of the words that a known name needs is there: for a model anywhere in the
        text, for a benchmark, whose words are common ones, in the sentence.
        """
        needs = self._needs.get(entry.path)
        if not needs:
            return True
        words, phrases = needs
        around = text.text if entry.file == "models" else text.text[low:high]
        if not words.isdisjoint(_words_of(around)):
            return True
        return bool(phrases) and any(phrase in around.lower() for phrase in phrases)

    # --- evidence ---

    def find(self, texts: Sequence[Text], links: Sequence[Sequence[Item]]) -> list[Name]:
        """The names of a paper that have evidence enough, each with its table, rule and places."""
        names: dict[str, Name] = {}
        sentences: list[tuple[Text, Skeleton]] = []
        several: list[Skeleton] = []  # those of several names
        head: Candidate | None = None
        for i, text in enumerate(texts):
            candidates = self.candidates(text, links[i], head)
            if i == 0:
                candidates = self._with_title_head(text, candidates, texts[-1].text)
                first = candidates[0] if candidates else None
                if first and first.entry is None and _SEVERAL.search(first.surface):
                    head = first if first.start == 0 else None
            items = []
            for candidate in candidates:
                key = key_of(candidate.surface)
                name = names.get(key)
                if name is None:
                    name = names[key] = Name(key)
                name.candidates.append(candidate)
                symbol = "Z"
                if candidate.entry is not None:
                    name.entry = candidate.entry
                    name.add(candidate.entry.file, _KNOWN, candidate.entry.path)
                    symbol = "M" if candidate.entry.file == "models" else "B"
                items.append(Item(candidate.start, candidate.end, symbol, name))
            for (start, end), inside in by_sentence(text.sentences, items):
                if inside:
                    sentence = skeleton(text.text, start, end, inside)
                    sentences.append((text, sentence))
                    if len(inside) > 1:
                        several.append(sentence)
        begins = _own_part(texts[1], names)
        for text, sentence in sentences:
            own = text is not texts[1] or sentence.places[-1][1] > begins
            self._read_sentence(text, sentence, own=own)
        _merge_expansions(several)
        for text in texts:
            _read_brackets(text, texts[0].text, names, self._classes)
            _read_spelt_out(text, names)
        for sentence in several:
            _share_lists(sentence)
        _mark_ordinary(names, texts, links)
        return _decide(names, self._no_names, self._models)

    def _with_title_head(
        self, text: Text, candidates: list[Candidate], body: str
    ) -> list[Candidate]:
        """The part of a title before its colon is one candidate, if it is as short as a name."""
        folded = text.text
        match = _TITLE_HEAD.match(folded) if _HEAD_ENDS.search(folded) else None
        if (
            not match
            or len(match[1].split()) > _TITLE_WORDS
            or not any(character.isalpha() for character in match[1])
        ):
            return candidates
        end = match.end(1)
        inside = [c for c in candidates if c.end <= end]
        words = match[1].split()
        if any(c.entry is not None and c.end == end for c in inside) and len(words) == 1:
            return candidates
        strong = [c for c in inside if c.strong]
        if len(words) > 1 and strong and strong[0].start > 0 and len(words) > 2:
            return candidates
        sized = _SIZED_HEAD.fullmatch(match[1]) is not None
        if key_of(match[1]) in self._never or (
            len(words) > 1 and not sized and match[1].lower() not in body.lower()
        ):
            return candidates
        whole = Candidate(text, 0, end, match[1], len(words) == 1 and self._is_strong(match[1]))
        again = body.lower().count(match[1].lower()) > 1
        if len(words) > 1 and (again or sized or any(c.strong for c in inside)):
            whole.strong = True
        return [whole, *(c for c in candidates if c.start >= end)]

    def _read_sentence(self, text: Text, sentence: Skeleton, *, own: bool) -> None:
        """Gathers evidence from one sentence; what comes before the paper speaks of itself tells
        what names are, not what they are to the paper.
        """
        part = "own part" if own else "background"
        for item in sentence.items:
            if item is not None:
                item.of.roles[part] += 1
        title = text.field == "title"
        whole = sentence.text
        if title and whole.startswith("from "):
            return  # "From A to B: ..." names neither of them as its own
        for entry, match in self._phrases.find(sentence):
            says = self._says[entry.key]
            if says.title == title:
                for offset, item in sentence.items_in(*match.span("names")):
                    self._read_place(text, sentence, says, offset, item, own=own)
        if own and not title:
            _read_figures(sentence)

    def _read_place(
        self,
        text: Text,
        sentence: Skeleton,
        says: _Says,
        offset: int,
        item: Item,
        *,
        own: bool,
    ) -> None:
        """Gathers what a phrase says of one name in it."""
        name: Name = item.of
        key, table, weight, role = says.key, says.table, says.weight, says.role
        if table == "benchmarks" and _ON_DATA.match(sentence.text, offset + 2):
            name.add("models", 2.0, "names/held-on")
            return  # "on two tasks (ZipTune on MMLU)"
        if key in _BESIDE and text.text.startswith("-", item.end):
            return  # "a ZipTune-based dataset" is not called ZipTune
        if table and _SCORE.match(sentence.text, offset + 2):
            name.roles["no thing"] += 1
            return  # "the ZapScore metric"
        head = self._head(sentence, offset) if weight and not table else None
        if head == "no-thing":
            name.roles["no thing"] += 1
            return
        if (
            key == "title-colon"
            and offset
            and (name.entry is not None or " at " in sentence.text[:offset])
        ):
            return  # "Team Zebra at SemEval-2020 Task 1: ...", "Collapse in BERT: ..."
        if key == "propose-bracket" and _is_aside(text, item):
            return
        if own:
            name.said.add(key)
        if role and (own or role == "training"):
            name.roles[role] += 2 if key == "beats-near" else 1
        if says.kind:
            name.kinds[says.kind] += 1
        if table:
            name.add(table, weight, says.path)
        elif weight:
            if head == "model-head":
                name.kinds["model"] += 2
            elif head == "method-noun":
                name.kinds["method"] += 2
            if head is None and not name.holds_data:
                name.open[says.path] = max(weight, name.open.get(says.path, 0))
            else:
                data = head in (None, "dataset-head")
                name.add("benchmarks" if data else "models", weight + bool(head), says.path)

    def _head(self, sentence: Skeleton, offset: int) -> str | None:
        """The class of the noun a name stands beside: "X, a framework", "the dataset X"."""
        words = sentence.words
        at = sentence.at(offset)
        after = at + 1
        if after < len(words) and words[after] == "(":
            while after < len(words) and words[after] != ")":
                after += 1
            after += 1
        elif after < len(words) and words[after] == ")":
            after += 1
        if after < len(words) and words[after] in self._heads:
            return self._heads[words[after]]
        if after + 1 < len(words) and " ".join(words[after : after + 2]) in self._heads:
            return self._heads[" ".join(words[after : after + 2])]
        if _HOLDS.match(sentence.text, sentence.offsets[at]):
            return "dataset-head"
        opens = after + 1 < len(words) and words[after + 1] not in _STOPS
        if opens and words[after] == ":" and _SENTENCE_OPENER.match(words[after + 1]):
            opens = False  # "ZipTune: Can Models Count?" says nothing of what ZipTune is
        if opens and words[after] == "," and words[after + 1] in _GOES_ON:
            opens = False  # "ZipTune, outperforms all on hard benchmarks"
        if opens and words[after] == "as" and words[after + 1] == "well":
            opens = False
        if opens and words[after] in (",", ":", "is", "are", "-", "\u2013", "\u2014", "as"):
            found = self._noun(words, after + 1)
            if found:
                return found
        before = at - 1
        while before >= 0 and words[before] in _NAMING:
            before -= 1
        if before >= 0:
            if words[before] in self._heads:
                return self._heads[words[before]]
            start = before
            while start > 0 and before - start < 14 and words[start - 1] not in _BEFORE_NOUN:
                start -= 1
            return self._noun(words, start) if words[before + 1 : at] else None
        return None

    def _noun(self, words: list[str], at: int) -> str | None:
        """The class of the head noun of the noun phrase that begins here.

        Adjectives may be set off by commas, and an acronym may stand in brackets before the noun:
        "a clean, fast visual question answering (VQA) benchmark".
        """
        found = None
        inside = False
        skip = -1
        for i in range(at, min(at + 18, len(words))):
            word = words[i]
            if word in "()":
                if found or i == at:
                    break
                inside = word == "("
                continue
            if inside or (word == "of" and found == "model-head"):
                continue
            if word in ("based", ",", "and") and i > at:
                if not found or (word == "based" and words[i - 1] == "-"):
                    continue
                break
            if word in _STOPS and i > at:
                break
            two = f"{word} {words[i + 1]}" if i + 1 < len(words) else word
            if i != skip:
                head = self._heads.get(two) or self._heads.get(word)
                if found == "no-thing" and word.isalpha() and not word.endswith("ed"):
                    found = None  # "Metric Lifting of ...", "Task Arithmetic for ..."
                found = head or found
                skip = i + 1 if two in self._heads else skip
        return found


@functools.lru_cache(maxsize=64)
def _words_of(text: str) -> frozenset[str]:
    """The words of a text in small letters; kept, since several known names ask for them."""
    return frozenset(_SENTENCE_WORD.findall(text.lower()))


def _mark_ordinary(
    names: dict[str, Name], texts: Sequence[Text], links: Sequence[Sequence[Item]]
) -> None:
    """Marks the words that the paper also writes small, other than in links: "Prompt" beside
    "prompt" is a word.
    """
    weak: dict[str, Name] = {}
    for name in names.values():
        word = name.candidates[0].surface
        if name.entry is None and " " not in word and (not name.strong or word.isupper()):
            weak[word.lower()] = weak[word.lower() + "s"] = name
    if not weak:
        return
    for text, linked in zip(texts, links, strict=True):
        for word, name in weak.items():
            at = -1 if name.ordinary else text.text.find(word)
            while at >= 0:
                match = _SMALL.match(text.text, at)
                if (
                    match is not None
                    and match.group() == word
                    and not any(link.start <= at < link.end for link in linked)
                ):
                    name.ordinary = True
                    break
                at = text.text.find(word, at + 1)


def _is_aside(text: Text, item: Item) -> bool:
    """Whether a word in brackets is no acronym of what stands before: "two steps (Planning)"."""
    surface = text.text[item.start : item.end]
    if not surface.isalpha() or not surface[1:].islower():
        return False
    lead = text.text[max(0, item.start - 80) : item.start]
    return not any(word.group()[0].lower() == surface[0].lower() for word in _PART.finditer(lead))


def _places_of_any(words: Sequence[str], text: str) -> list[int]:
    """Where one of some words, or the first letters of one, stands in a text, in order."""
    found: list[int] = []
    for word in words:
        at = text.find(word)
        while at >= 0:
            found.append(at)
            at = text.find(word, at + 1)
    found.sort()
    return found


def _bracketed_keys(text: str) -> Iterator[str]:
    """The keys of what stands in brackets and is as short as an acronym."""
    at = text.find("(")
    while at >= 0:
        end = text.find(")", at, at + 8)
        if end > at + 3:
            yield key_of(text[at + 1 : end])
        at = text.find("(", at + 1)


def _matches_at(
    pattern: regex.Pattern[str], text: str, places: Sequence[int]
) -> Iterator[regex.Match[str]]:
    """What `finditer` gives of a pattern that matches at some of these places and nowhere else."""
    end = 0
    for at in places:
        if at >= end and (match := pattern.match(text, at)):
            yield match
            end = match.end()


def _places(text: Text, surface: str) -> Iterator[tuple[int, int]]:
    """Where a name stands in a text as a word of its own."""
    folded = text.text
    at = folded.find(surface)
    while at >= 0:
        end = at + len(surface)
        around = folded[at - 1 : at] + folded[end : end + 1]
        if not any(c.isalnum() or c in "_-" for c in around):
            yield at, end
        at = folded.find(surface, end)


def _first_words(text: Text) -> frozenset[int]:
    """Where the first words of sentences begin, after quotes and brackets."""
    folded = text.text
    firsts: list[int] = []
    for start, _ in text.sentences:
        begun = folded[start : start + 1].isalnum()  # not in a text of nothing
        opening = None if begun else _SENTENCE_START.match(folded, start)
        firsts.append(opening.end() if opening else start)
    return frozenset(firsts)


def _twins(rules: Rules) -> dict[tuple[str, str], list[Entry]]:
    """For each benchmark's name that is a model's too, the entries of the models."""
    models: dict[str, list[Entry]] = defaultdict(list)
    for entry in rules.entries["models"]:
        for name in entry["names"]:
            models[key_of(name)].append(entry)
    return {
        (entry.path, key_of(name)): models[key_of(name)]
        for entry in rules.entries["benchmarks"]
        for name in entry["names"]
        if key_of(name) in models
    }


# what may stand between a noun and the name that it is said of
_NAMING = frozenset(
    "called named dubbed termed , : ( as namely i.e is call name we which that coined \" ' `"
    " denoted referred to".split()
)
# what the words up to that noun do not go back over
_BEFORE_NOUN = frozenset(
    ". ; propose introduce present proposes introduces presents develop release".split()
)
_GOES_ON = frozenset(
    "outperforms surpasses exceeds beats achieves attains reaches obtains scores matches improves"
    " shows demonstrates significantly consistently further outperformed achieved along together"
    " as not but then we it so".split()
)
_ARTICLES = frozenset("a an the our this called named new novel".split())
_PREPOSITIONS = frozenset(
    "for of in on via with to using from by and through into between as both including".split()
)
_STOPS = frozenset(
    "for that which to in with on by from based where using designed capable , . ; : ( ) is are was who via"
    " tailored aimed built trained leveraging consisting comprising containing featuring of and enabling covering spanning measuring"
    " testing evaluating assessing including probing across over".split()
)


def _own_part(abstract: Text, names: dict[str, Name]) -> int:
    """Where an abstract begins to speak of its own work: "we", "this paper", or the name that its
    title gives; from the start if it never says.
    """
    begins = own_part(abstract.text)
    places = [] if begins is None else [begins]
    for name in names.values():
        if name.entry is None and any(c.text.field == "title" for c in name.candidates):
            places += [c.start for c in name.candidates if c.text is abstract]
    return min(places, default=0)


def _read_brackets(text: Text, title: str, names: dict[str, Name], classes: frozenset[str]) -> None:
    """Reads "what it stands for (ACRONYM)": the acronym is the name, and the words before it none.

    An acronym of ordinary words, "question answering (QA)", or of a class of things, "Video
    Language Models (VLMs)", names no single thing unless the paper proposes it.
    """
    for match in _BRACKETED.finditer(text.text):
        name = names.get(key_of(match[1])) or names.get(key_of(match[1]) + "s")
        if name is None or (name.entry is not None and not name.roles["proposed"]):
            continue
        low = max(text.sentence_of(match.start())[0], match.start() - 160)
        words = list(_PART.finditer(text.text, low, match.start()))
        begin = _begin_of_expansion(words, match[1])
        spelt = begin is not None
        if name.entry is not None:
            if begin is None or not _is_spelt_otherwise(
                name.entry, text, words[begin].start(), match
            ):
                continue
            name.part_from_entry()
        if begin is None:
            begin = _begin_by_letters(words, match[1])
        if begin is None and words and match[1].isupper():
            name.generic |= words[-1].group().lower() in classes
        if begin is None:
            continue
        expansion = words[begin:]
        for other in names.values():
            if other is name or other.entry is not None or other.alias_of is not None:
                continue
            inside = [
                c
                for c in other.candidates
                if c.text is text and expansion[0].start() <= c.start and c.end <= match.start()
            ]
            if inside and (not other.strong or len(other.candidates) == len(inside)):
                _give(other, name)
        if not spelt:
            continue
        content = [
            word.group()
            for word in expansion[1:]
            if word.group() not in _PREPOSITIONS and text.text[word.start() - 1] != "-"
        ]
        whole = text.text[expansion[0].start() : expansion[-1].end()]
        opens = len(expansion) > _FEW_WORDS and key_of(title).startswith(key_of(whole))
        told = text.field == "abstract" and not (name.roles["background"] or name.roles["no thing"])
        if opens and told:
            # the title opens with what the acronym stands for
            name.add("models", 2.0, "names/title-colon")
            name.roles["proposed"] += 1
            continue
        starts = sum(word[0].isupper() for word in content)
        if starts < max(1, len(content) - 1):
            name.generic = True
            if _is_of_a_phrase(words[:begin]) or _PART_NOUN.match(text.text, match.end()):
                name.roles["of a phrase"] += 1
        elif expansion[-1].group().lower() in classes and match[1].isupper():
            name.generic = True
        elif len(expansion) > _FEW_WORDS and told and key_of(whole) in key_of(title):
            name.add("models", 2.0, "names/title-colon")
            name.roles["proposed"] += 1


def _is_of_a_phrase(before: Sequence[re.Match[str]]) -> bool:
    """Whether what stands before is a preposition, or one and some adjectives: "of Thai text"."""
    for word in reversed(before[-3:]):
        if word.group().lower() in _PREPOSITIONS:
            return True
        if word.group().lower() in _ARTICLES:
            return False
    return False


def _is_spelt_otherwise(entry: Entry, text: Text, start: int, bracket: regex.Match[str]) -> bool:
    """Whether a paper's own acronym stands for other words than those of the entry it is found as:
    "Roads to Rome (R2R)" is not Room-to-Room.
    """
    words = key_of(text.text[start : bracket.start()])
    long = [key_of(one) for one in (entry.key, *entry["names"]) if len(one) > 2 * len(bracket[1])]
    return bool(long) and words not in long and " " in text.text[start : bracket.start() - 1]


def _read_spelt_out(text: Text, names: dict[str, Name]) -> None:
    """Reads "NAME (What It Stands For)": the words in the brackets are no names."""
    for match in _matches_at(_SPELT_OUT, text.text, _places_of_any(_SPELLING, text.text)):
        short = _last_word(text.text, match.start())
        name = names.get(key_of(short)) if short else None
        if name is None:
            continue
        words = [word.group() for word in _PART.finditer(match[1])]
        letters = [c for c in short.lower() if c.isalpha()]
        if not words or not _in_order(letters, "".join(words).lower()):
            continue
        if not _in_order([word[0].lower() for word in words if word[0].isupper()], letters):
            continue
        for other in names.values():
            if other is not name and other.entry is None and other.alias_of is None:
                places = [
                    match.start(1) <= c.start and c.end <= match.end(1)
                    for c in other.candidates
                    if c.text is text
                ]
                several = " " in other.candidates[0].surface
                if any(places) and (several or len(other.candidates) == sum(places)):
                    other.alias_of = name.key


def _last_word(text: str, end: int) -> str:
    """The word of two letters and more that ends at a place, if it is as short as a name."""
    low = max(0, end - 21)
    at = text.rfind(" ", low, end) + 1
    if 0 < at < end - 1 and text[at:end].isalpha():
        return text[at:end]
    match = _LAST_WORD.search(text, low, end)
    return match.group() if match else ""


def _begin_of_expansion(words: Sequence[re.Match[str]], short: str) -> int | None:
    """The index of the word that the expansion of an acronym begins with."""
    letters = [c for c in short.lower() if c.isalpha()]
    if not words or len(letters) < 2:
        return None
    for begin in range(len(words) - 1, max(-1, len(words) - len(letters) - 4), -1):
        part = [word.group() for word in words[begin:]]
        if part[0][0].lower() != letters[0]:
            continue
        # "gArment-manipuLation pOlicy": the letters of the acronym are its capitals
        capitals = [c.lower() for word in part for c in word if c.isupper()]
        upper = [c.lower() for c in short if c.isupper()]
        blend = capitals == upper and len(upper) > 1 and part[0][:2].lower() == short[:2].lower()
        if capitals == letters or blend or _in_order(letters, [word[0].lower() for word in part]):
            return begin
    tail = [word.group()[0].lower() for word in words[-len(letters) - 2 :]]
    met = 0
    for initial in tail:
        met += met < len(letters) and initial == letters[met]
    if met >= max(2, len(letters) - 1):
        return max(0, len(words) - len(letters))
    return None


def _begin_by_letters(words: Sequence[re.Match[str]], short: str) -> int | None:
    """Likewise where the acronym takes letters from within words: "Prompt Tuning (ProT)"; a noun
    may stand between: "Zebra Language Grounding benchmark (ZeLG)".
    """
    if sum(c.isupper() for c in short) < 2 or len(short) < 3:
        return None
    for begin in range(len(words) - 2, max(-1, len(words) - 8), -1):
        word = words[begin].group()
        if word[0].isupper() and word[0] == short[0].upper():
            text = "".join(word.group() for word in words[begin:])
            if _is_acronym(short, text):
                return begin
    return None


def _in_order(letters: Sequence[str], initials: Sequence[str]) -> bool:
    rest = iter(initials)
    return all(letter in rest for letter in letters)


def _give(giver: Name, taker: Name) -> None:
    """Makes one name an alias of another, which gets what was said of it."""
    giver.alias_of = taker.key
    for table, score in giver.scores.items():
        rule = max(giver.rules[table], key=lambda r: giver.rules[table][r])
        taker.add(table, score, rule)
    for rule, weight in giver.open.items():
        taker.open[rule] = max(weight, taker.open.get(rule, 0))
    taker.said |= giver.said - {"title-colon"}
    _count_in(taker.roles, giver.roles)
    _count_in(taker.kinds, giver.kinds)


def _count_in(counts: dict[str, int], others: Mapping[str, int]) -> None:
    for what, count in others.items():
        counts[what] += count


def _read_figures(sentence: Skeleton) -> None:
    """Names that stand with figures: those that a figure is "on" are data, and those that have a
    figure of their own in a comparison are what is compared with.
    """
    if not _DIGIT.search(sentence.text):
        return
    for match in _FIGURE_ON.finditer(sentence.text):
        for _, item in sentence.items_in(*match.span("names")):
            item.of.add("benchmarks", 2.0, "names/figure-on")
            item.of.said.add("figure-on")
    for match in _OVER.finditer(sentence.text):
        rival = sentence.item(match.start(1))
        if rival is not None:
            rival.of.add("models", 2.0, "names/beats-near")
            rival.of.roles["baseline"] += 2
            rival.of.said.add("beats-near")
    compares = _COMPARES.search(sentence.text)
    if compares is None:
        return
    for match in _RIVAL.finditer(sentence.text, compares.end()):
        rival = sentence.item(match.start())
        if rival is not None:
            by = sentence.text.startswith(" by ", match.start() + 1)
            rival.of.add("models", 2.0 if by else 1.0, "names/beats")
            rival.of.roles["baseline"] += 1


def _share_lists(sentence: Skeleton) -> None:
    """Names in one list are of one kind: what is known of one speaks for the others."""
    for match in _LIST.finditer(sentence.text):
        follows = sentence.text[match.end() : match.end() + 1]
        closed = _CLOSED_LIST.search(match[0]) if follows not in "(),.;:/" else None
        end = match.start() + closed.start() if closed else match.end()
        members = [
            item.of for _, item in sentence.items_in(match.start(), end) if item.symbol in "ZMB"
        ]
        for table in ("models", "benchmarks"):
            sure = [m for m in members if m.scores.get(table, 0) >= _NEEDED]
            if table == "models" and members and members[0].roles["baseline"]:
                for member in members:
                    member.roles["baseline"] += not member.roles["baseline"]
            if sure:
                for member in members:
                    if member not in sure:
                        member.add(
                            table,
                            1.5 if len(sure) == 1 and len(members) < 3 else 2.0,
                            sure[0].rules[table] and max(sure[0].rules[table]),
                        )


def _merge_expansions(sentences: Sequence[Skeleton]) -> None:
    """Merges an acronym and its expansion: in "Multimodal Graph Learning (MMGL)" the acronym is the name."""
    for sentence in sentences:
        for match in _EXPANSION.finditer(sentence.text):
            first, second = sentence.item(match.start(1)), sentence.item(match.start(2))
            if first is None or second is None or first.of is second.of:
                continue
            long, short = first.of, second.of
            if (
                long.entry is None
                and long.alias_of is None
                and _is_acronym(short.candidates[0].surface, first.of.candidates[0].surface)
            ):
                _give(long, short)


def _is_acronym(short: str, expansion: str) -> bool:
    """Whether the letters of an acronym stand in its expansion in order, the first one first."""
    letters = [c for c in short.lower() if c.isalpha()]
    at = 0
    text = expansion.lower()
    if not letters or not text or letters[0] != text[0]:
        return False
    for letter in letters:
        at = text.find(letter, at) + 1
        if not at:
            return False
    return True


def _merge_editions(names: dict[str, Name]) -> None:
    """A benchmark's bare name beside that of its edition, "the CoNLL data" beside CoNLL-2012, is
    the edition's.
    """
    known = [n for n in names.values() if n.entry is not None and n.entry.file == "benchmarks"]
    for name in known:
        for other in known:
            bare, whole = name.best.surface, other.best.surface
            same = other.entry is name.entry and "ask" in whole and "ask" not in bare
            if same or (whole.startswith(bare) and _YEAR.match(whole, len(bare))):
                name.alias_of = other.key
                _count_in(other.roles, name.roles)
                break


def _read_open(names: dict[str, Name]) -> None:
    """What is proposed without a word of what it is goes with what is said of it elsewhere."""
    for name in names.values():
        models, data = name.scores.get("models", 0), name.scores.get("benchmarks", 0)
        if set(name.rules.get("benchmarks", ())) <= _FAINT:
            data = 0
        for rule, weight in name.open.items():
            name.add("benchmarks" if data > max(models, 1) else "models", weight, rule)


def _may_be_weak(name: Name, classes: frozenset[str]) -> bool:
    """Whether a word with no more than a capital may be a name: not the name of a task or a class
    of models; a short one only if the paper proposes it or calls it data.
    """
    surface = name.candidates[0].surface
    if name.said & {"title-colon", "named", "name-is-a"} or name.said >= _TIGHT:
        return len(name.key) > 1
    if name.said <= {"propose-bracket", *_LOOSE} and surface[1:].islower():
        return False  # "a Memory mechanism (Think and Memorize)"
    if name.said <= {"propose-called", *_LOOSE} and len(name.candidates) == 1:
        return " " in surface or not surface[1:].islower()  # "four parts: Setup, Event, Light"
    if " " in surface and surface.split()[-1].lower() in classes:
        # "than the Levenshtein Transformer": what is compared is one system, not a class
        plural = surface.endswith("s") or surface.isupper()
        return "beats-near" in name.said and not (plural or name.roles["of a phrase"])
    if name.roles["proposed"]:
        return len(name.key) >= _SHORTEST - (name.roles["proposed"] > 1)
    rival = "listed" in name.said and surface.isupper()
    data = not name.said.isdisjoint(("data-noun", "listed-data"))
    return len(name.key) >= _SHORTEST + (not data and not rival)


def _read_kin(names: dict[str, Name], words: frozenset[str]) -> None:
    """A name that begins with another, "ZipTune-Large" beside ZipTune, is of its family."""
    for name in list(names.values()):
        first = name.candidates[0]
        surface = first.surface
        if name.entry is not None or name.alias_of is not None:
            continue
        if not (first.strong or surface.count("-") > 1):
            continue
        stem = None
        at = max(surface.rfind("-"), surface.rfind("@"))
        while at > 0 and stem is None:
            stem = names.get(key_of(surface[:at]))
            at = surface.rfind("-", 0, at)
        if stem is not None and (stem.entry is not None or stem.roles["proposed"]):
            table = (
                "benchmarks"
                if name.holds_data
                else max(stem.scores, key=lambda t: stem.scores[t], default="models")
            )
            name.add(table, 1.5 if stem.entry is not None else 2.0, "names/kin")
            if stem.entry is None and not name.roles["baseline"]:
                name.roles["proposed"] += 1
                _count_in(name.kinds, stem.kinds)
        elif _shares_head(surface, names) or (
            (first.variant or not words.isdisjoint(surface.split("-")))
            and name.scores["benchmarks"] < _NEEDED
        ):
            name.add("models", 1.0, "names/kin")


def _shares_head(surface: str, names: dict[str, Name]) -> bool:
    """Whether it begins as the name of a proposal does: CraftEditor beside CraftBench."""
    head = _HEAD.match(surface)
    return head is not None and any(
        name.roles["proposed"]
        and name.entry is None
        and name.candidates[0].surface != surface
        and name.candidates[0].surface.startswith(head.group())
        and not (head.group().isupper() and name.candidates[0].surface.isupper())
        for name in names.values()
    )


def _decide(names: dict[str, Name], classes: frozenset[str], words: frozenset[str]) -> list[Name]:
    """The names with evidence enough; spelling variants and plurals of one name are one."""
    for key, name in list(names.items()):
        plural = name.candidates[0].surface.endswith("s")
        singular = names.get(key[:-1]) if plural else None
        if singular is not None and singular is not name and name.alias_of is None:
            _give(name, singular)
            singular.candidates += name.candidates
    _merge_editions(names)
    _read_open(names)
    for name in names.values():
        if name.entry is not None and name.entry.file == "benchmarks" and name.is_own_method:
            name.entry = None
            name.scores.pop("benchmarks")
    _read_kin(names, words)
    for name in names.values():
        if name.entry is None:
            _read_form(name)
    records = [name for name in names.values() if _is_record(name, classes)]
    kept = {id(name) for name in records}
    for name in names.values():
        whole = name
        for _ in range(len(names)):
            if whole.alias_of is None or whole.alias_of not in names:
                break
            whole = names[whole.alias_of]
        if whole is not name and id(whole) in kept and whole.table == "benchmarks":
            whole.also += [c.surface for c in name.candidates]
    return records


def _read_form(name: Name) -> None:
    """What the form of an unknown name says, and how often and where it stands."""
    surface = name.candidates[0].surface
    if name.holds_data and (name.strong or " " in name.best.surface):
        bench = _BENCH_FORM.search(surface) is not None
        name.add("benchmarks", 3.0 if bench else 1.0, "names/form")
    if name.strong and _SIZED.search(surface):
        name.add("models", 1.5, "names/form")
        name.kinds["model"] += 9
    if not name.strong and name.said & _CALLED_SO and len(name.candidates) > 2:
        table = max(sorted(name.scores), key=lambda t: name.scores[t], default="models")
        name.add(table, 1.0, "names/again")  # "which we name Zebra ... Zebra ... Zebra"
    if name.strong:
        # a word in the form of a name that comes again and again, or in the title too, is one
        fields = {c.text.field for c in name.candidates}
        mixed = _MIXED.search(surface) is not None
        again = min(1.5, 0.5 * (len(name.candidates) - 1))
        again += 1.0 if len(fields) > 1 and mixed else 0.0
        if name.scores or (again > 1 and mixed):
            table = max(sorted(name.scores), key=lambda t: name.scores[t], default="models")
            if table == "models" or not name.rules[table].keys() <= _FAINT:
                name.add(table, again, "names/again")


def _is_record(name: Name, classes: frozenset[str]) -> bool:
    """Whether the evidence is enough; puts the name in its table if it is."""
    if name.alias_of is not None or not name.scores:
        return False
    proposed, titled = name.roles["proposed"], "title-colon" in name.said
    own = titled or "our-name" in name.said or "names/title-colon" in name.rules.get("models", {})
    if name.generic and not (
        proposed and (own or not (name.roles["of a phrase"] or len(name.key) < _SHORTEST))
    ):
        return False
    table = max(sorted(name.scores), key=lambda t: (name.scores[t], t))
    surface = name.best.surface
    if name.entry is None and surface.endswith(("Bench", "bench")):
        name.add("benchmarks", name.scores[table], "names/form")
        table = "benchmarks"
    if table == "models" and surface.rpartition(" ")[2].lower() in _NO_MODEL_NOUNS:
        return False
    if name.entry is not None:
        table = name.entry.file
        if name.entry["compared"] and not name.said & _NEAR:
            return False
    elif not name.strong:
        figure = "figure-on" in name.said and surface.isupper() and len(surface) > 2
        told = proposed or figure or name.said & _TELLING or _BENCH_FORM.search(name.best.surface)
        if name.ordinary or not told or not _may_be_weak(name, classes):
            return False
    elif name.ordinary and not proposed:
        return False
    if titled and any(c.text.field == "abstract" for c in name.candidates):
        name.add(table, 1.0, "names/title-colon")
        name.scores[table] += 0.75
    if name.scores[table] < (_NEEDED if name.strong else _WEAK_NEEDED):
        return False
    name.table = table
    return True


def _acts_again(text: str, low: str, start: int, end: int) -> bool:
    """Whether a result is told of the words of this range, in whatever letters, after it; `low` is
    the text in small letters.
    """
    sought = low[start:end]
    at = low.find(sought, end)
    while at >= 0:
        if _TELLS.match(text, at + len(sought)) and _LEADS_IN.search(text, max(0, at - 12), at):
            return True
        at = low.find(sought, at + 1)
    return False
