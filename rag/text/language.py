"""Languages, sentences and index terms, for English and Chinese in one text.

Owns three questions about a text: which script it is in, where its sentences end, and which terms the keyword index
knows it by. Pure functions over strings; no model, no I/O.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable
from functools import lru_cache

CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af\U00020000-\U0003134f"
CJK_RUN = re.compile(f"[{CJK}]+")
_TOKEN = re.compile(f"[{CJK}]+|[^\\W_{CJK}]+(?:['’][^\\W_{CJK}]+)*")

# What only asks, in Chinese.
QUESTION_WORDS = re.compile(
    "请问|请|为什么|为何|什么时候|什么|甚么|哪一年|哪一天|哪一个|哪一|哪些|哪个|哪里|哪儿|哪位|哪年|哪种|哪|多少|多大|多久|多长|多高|怎么样|怎样|怎么|如何|"
    "是否|有没有|是不是|何时|何地|何处|何人|何年|何|谁|几个|几年|几次|几|吗|呢|么"
)
_CAPITALISED = re.compile(r"[A-Z][\w'’-]*")

# Which language a text of both is in: a logistic regression on the questions of tests/rag/query/fixtures/mixed_languages.txt,
# fitted by `python -m tests.rag.query.fitting`.
LANGUAGE_WEIGHTS = {
    "bias": 1.27,
    "english grammar": -10.94,
    "chinese grammar": 4.8,
    "asks in chinese": 3.06,
    "ends in chinese": 0.91,
}
CHARACTERS_PER_WORD = 1.5  # of Chinese
_QUOTED = re.compile(r"《[^》]*》|“[^”]*”|「[^」]*」|\"[^\"]*\"|`[^`]*`")
_EDGES = " \t\n,.?!:;-–()[]，。？！：；（）、"
_LETTER = re.compile(f"[A-Za-z{CJK}]")
_LATIN_WORD = re.compile(r"[A-Za-z]+(?:['’][a-z]+)?")
_CHINESE_GRAMMAR = re.compile(
    "[的了吗呢是在谁哪几么咋请不没啥]|怎|什|多[少大久长]|可以|是否|有没有|如何|为何|为啥|步骤|区别"
)
_ASKS_IN_CHINESE = re.compile("什么|怎|吗|谁|哪|多[少大久长]|咋|啥|为何|为啥|如何|请问")

# A full stop ends a sentence when white space follows it, unless it closes an abbreviation, an initial or a list number.
_BOUNDARY = re.compile(
    "[。！？；…]+[”’」』）)\\]\"']*"  # CJK enders need no space after them
    "|[.!?]+[”’」』）)\\]\"']*(?=\\s|$)"
    f"|[.!?]+[”’\"')]*(?=[{CJK}])"
    "|\\n\\s*\\n"
    "|\\n(?=[^\\n]* \\| )|(?<= \\|)\\n"  # rows of a table
    "|\\n(?=\\s*(?:[-*•▪◦·‣●○]|\\d{1,3}[.)、]|\\|)\\s*)"
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[“\"'])(?:Mr|Mrs|Ms|Dr|Prof|Sr|Jr|St|vs|etc|al|cf|e\.g|i\.e|viz|approx|No|Nos|Fig|Figs|Eq|Sec|Ch|Vol|vol|pp|p|ed|eds|"
    r"Inc|Ltd|Co|Corp|Bros|Gen|Col|Lt|Sgt|Capt|Rev|Hon|Gov|Sen|Rep|Pres|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|"
    r"a\.m|p\.m|U\.S|U\.K|U\.N|[A-Z]|(?<=\s)\d{1,2})\.$"
)
_LEANS_BACK = re.compile(
    r"(?:It|Its|They|Their|He|She|His|Her|This|These|Those|That|Such|Both|The (?:latter|former))\b|[它他她该其此这那](?!种|些|个)"
)
# Of these, the words that stand for what the sentence before said, rather than for whom it spoke of.
_REFERS_BACK = re.compile(
    r"(?:(?:This|These|That|Such)\b(?! [A-Z])|(?:Both|Those)(?= (?:are|were|have|had)\b)|The (?:latter|former)\b)"
    r"|[这此](?:些|个|种|样|项|类|点|是|一|会|将|也|，|举)"
)
# Things of which a sentence only says that there are some: what they are is in the next ones.
_ANNOUNCED = (
    r"(?:tip|step|way|thing|reason|exception|type|kind|option|factor|point|requirement|condition|limitation|restriction|exclusion"
    r"|rule|guideline|consideration|measure|method|example|feature|benefit|advantage|case|circumstance|situation|service|strateg(?:y|ie)"
    r"|practice|difference|question|resource|suggestion|recommendation)s|criteria"
)
_LEANS_FORWARD = re.compile(
    r"\b(?:there (?:are|were|may be)|here are|(?:these|those) are)\s+(?:also\s+)?"
    r"(?:(?:an?|the)\s+)?(?:few|couple|number|variety|range|several|some|many|various|certain|multiple|following|two|three|four|five"
    rf"|six|seven|eight|\d{{1,2}})\b(?:\s+of)?(?:\s+[\w-]+){{0,2}}?\s+(?:{_ANNOUNCED})\b"
    r"|\b(?:as follows|the following)[.:]?$|\b(?:are|is) (?:listed|described|given|shown) below\b"
    r"|(?:有|存在|包括|包含|分为|以下|下列)(?:以下|下列|如下|几|若干|一些|许多|[两二三四五六七八九十\d])[个点种项条类大些]{1,2}.{0,8}"
    r"(?:步骤|方法|方式|建议|技巧|例外|情况|情形|类型|种类|原因|因素|要求|条件|选择|限制|措施|特点|优点|好处|规定|事项|方面|内容)[^，,；;]{0,6}[。：:]?$"
    r"|如下[。：:]?$",
    re.IGNORECASE,
)
_TOLD_AT_ONCE = re.compile(
    r"\b(?:such as|including|includ(?:e|es)|for example|e\.g\.|namely|i\.e\.)|[:：]\s*\S|例如|比如|诸如|分别|即[是为]",
    re.IGNORECASE,
)
_ASKS_WHETHER = re.compile(
    r"^(?:(?:and|but|so|then),?\s+)?(?:is|are|was|were|am|do|does|did|has|have|had|can|could|may|might|must|shall|should|will|would|need)"
    r"(?:n['’]t)?\b|吗[？?]?$|是否|能否|可否|有无|有没有|是不是|能不能|可不可以|会不会|要不要",
    re.IGNORECASE,
)
_LIST_NUMBER = re.compile(r"(?:^|\n)\s*(?:\d{1,3}|[A-Za-z])[.]$")


def is_cjk(text: str) -> bool:
    """Whether the text holds any Chinese, Japanese or Korean character."""
    return CJK_RUN.search(text) is not None


def language(text: str) -> str:
    """ "zh" or "en": the language whose grammar holds a text together, whichever words of the other stand in it.

    "What does 负载均衡 mean here" is English, "standalone模式重启以后数据还在吗" is Chinese. Quotations and code are left out where
    anything else is said. All of CJK counts as Chinese: Japanese and Korean have no name of their own here.
    """
    if not is_cjk(text):
        return "en"
    score = sum(LANGUAGE_WEIGHTS[name] * share for name, share in mixture(text).items()) + LANGUAGE_WEIGHTS["bias"]
    return "zh" if score > 0 else "en"


def mixture(text: str) -> dict[str, float]:
    """How much of either language a text has: shares of its words, and whether it asks with Chinese words, 0 or 1."""
    said = _QUOTED.sub(" ", text)
    if not _LETTER.search(said):
        said = text
    chinese = sum(len(run) for run in CJK_RUN.findall(said)) / CHARACTERS_PER_WORD
    latin = list(_LATIN_WORD.finditer(said))
    size = (chinese + len(latin)) or 1.0
    # "it部门" and "log in按钮": what stands in a Chinese phrase is a name, not grammar
    grammar = sum(
        re.split("['’]", word.group().lower())[0] in _ENGLISH_GRAMMAR
        for word in latin
        if not CJK_RUN.match(said, word.end())
    )
    return {
        "english grammar": grammar / size,
        "chinese grammar": len(_CHINESE_GRAMMAR.findall(said)) / size,
        "asks in chinese": float(_ASKS_IN_CHINESE.search(said) is not None),
        "ends in chinese": float(is_cjk(said.strip(_EDGES)[-1:])),
    }


def sentences(text: str) -> list[tuple[int, int]]:
    """The sentences of a text as (start, end), half-open, in order, without surrounding white space.

    They cover every character that is not white space. Line ends do not end a sentence (PDF text wraps), blank lines
    and list items do.
    """
    spans = []
    start = 0
    for match in _BOUNDARY.finditer(text):
        end = match.end()
        if match.group()[0] == "." and _is_abbreviation(text, start, match.start() + 1):
            continue
        spans.append((start, end))
        start = end
    spans.append((start, len(text)))
    return [span for span in (trim(text, *span) for span in spans) if span[0] < span[1]]


def _is_abbreviation(text: str, start: int, dot: int) -> bool:
    tail = text[max(start, dot - 12) : dot]
    following = text[dot : dot + 12].lstrip()
    if following[:1].islower():
        return True
    if dot - start < 8 and _LIST_NUMBER.search("\n" + text[start:dot].lstrip()):
        return True
    if not _ABBREVIATION.search(tail):
        return False
    # "in the U.S. The" and "at 5 p.m. We" do end a sentence; "Dr. Smith" and "J. Smith" do not.
    closes = re.search(r"(?:U\.S|U\.K|U\.N|a\.m|p\.m|etc|Inc|Ltd|Co|Corp|Jr|\d)\.$", tail)
    return not (closes and following[:1].isupper())


def leans_back(sentence: str) -> bool:
    """Whether a sentence opens with a word that only the one before it explains: "It runs at night"."""
    return _LEANS_BACK.match(sentence) is not None


def asks_whether(question: str) -> bool:
    """Whether a question wants a yes or no, and so says all of the answer itself: "Does the plan cover dental care?"."""
    return _ASKS_WHETHER.search(question.strip()) is not None


@lru_cache(maxsize=8192)
def leans_forward(sentence: str) -> bool:
    """Whether a sentence only says that something follows: "There are a few exceptions to this rule", "It covers:".

    Remembered, because popular passages come back with every other question.
    """
    if sentence.endswith((":", "：")):
        return True
    return _LEANS_FORWARD.search(sentence) is not None and _TOLD_AT_ONCE.search(sentence) is None


def refers_back(sentence: str) -> bool:
    """Whether a sentence opens by pointing at what the one before it said: "This saves money"."""
    return _REFERS_BACK.match(sentence.lstrip("*_#> ")) is not None


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without white space at its ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def fold(text: str) -> str:
    """NFKC and case folding: the form in which texts are compared."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def words(text: str) -> list[str]:
    """Latin words and CJK runs of the folded text, in order."""
    return _TOKEN.findall(fold(text))


def terms(text: str, *, stop_words: bool = False) -> list[str]:
    """The index terms of a text in order: English stems, and overlapping bigrams of CJK runs.

    A CJK run of one character gives that character. Stop words are left out unless `stop_words`.
    """
    found = words(text) if stop_words else [word for word in words(text) if word not in STOP_WORDS]
    if text.isascii():
        return [stem(word) for word in found]
    return [term for word in found for term in (bigrams(word) if CJK_RUN.match(word) else [stem(word)])]


def query_terms(text: str) -> list[str]:
    """The terms of a question in order, without those that only ask; its stop words only where it has nothing else.

    Bigrams such as 什么 or 么科 stand in no statement, yet weigh as much as a name: without them cmrc2018's nDCG@10 rises
    from .977 to .987.
    """
    if is_cjk(text):
        # only terms of the whole text: a character left alone between two cuts is no term of any index
        known = set(terms(text))
        asked = [term for term in terms(QUESTION_WORDS.sub(" ", text)) if term in known]
        if asked:
            return asked
    return terms(text) or terms(text, stop_words=True)


def keywords(text: str) -> list[str]:
    """The terms of a question that a keyword index is asked for: `query_terms` without pairs of Chinese characters that join
    words, where two others are left.

    On 2,000 questions of cmrc2018, nDCG@10 rises from .990 to .992.
    """
    wanted = query_terms(text)
    whole = [term for term in wanted if not joins_words(term)]
    return whole if len(whole) > 1 else wanted


def joins_words(term: str) -> bool:
    """Whether a pair of Chinese characters holds one that serves grammar alone: 的名 and 名叫 stand between words far oftener than
    they are one, and are as rare as a name.
    """
    return len(term) > 1 and not _GRAMMAR.isdisjoint(term)


def only_asks(term: str) -> bool:
    """Whether a term is of the wording in which questions come, rather than of what they are about."""
    return term in _ASKING or joins_words(term)


def names(text: str) -> frozenset[str]:
    """The index terms of capitalised words that do not begin the text: what a question is most likely about."""
    return frozenset(term for match in _CAPITALISED.finditer(text) if match.start() for term in terms(match.group()))


def bigrams(run: str) -> list[str]:
    """Overlapping pairs of characters; a run of one character is its own term."""
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The English (Porter 2) stem of a folded word, without a possessive ending."""
    return _stemmer().stem(re.sub(r"['’]s$", "", word).replace("'", "").replace("’", ""))


class _Stemmer(threading.local):
    """A stemmer for each thread: it is not safe to share one."""

    def __init__(self) -> None:
        from Stemmer import Stemmer

        self.stem: Callable[[str], str] = Stemmer("english").stemWord


@lru_cache(maxsize=1)
def _stemmer() -> _Stemmer:
    return _Stemmer()


STOP_WORDS = frozenset(
    "a about above after again against all also am an and any are as at be because been before being below between both but by can could did do"
    " does doing don down during each few for from further had has have having he her here hers herself him himself his how i if in into is it its"
    " itself just me more most my myself no nor not now of off on once only or other our ours ourselves out over own s same she should so some such t than"
    " that the their theirs them themselves then there these they this those through to too under until up very was we were what when where which while"
    " who whom whose why will with would you your yours yourself yourselves".split()
)

_ENGLISH_GRAMMAR = STOP_WORDS | frozenset(
    "may must might shall one explain translate show tell say says mean means meaning difference get please list compare whats hows anyone".split()
)

# Not 和, 及 or 有, which stand in words and names too (和平, 埃及, 有限).
_GRAMMAR = frozenset("的是吗呢吧么哪谁叫")

# Stems of "What are the key points to consider …?": rare in many collections, and no sign that a text answers.
_ASKING = frozenset(
    "accord aspect avail awar call common concern consid consider describ detail differ ensur exampl explain general import includ key kind know list"
    " main major mean name point procedur process provid purpos reason regard relat role sort specif step tell term thing tip type understand way".split()
)
