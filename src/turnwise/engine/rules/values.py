"""Values: what a request carries that could be an argument. Numbers, dates, times, money, names, addresses, quotations.

    read_values("Table for 4 at Luigi's on May 9, 2026 at 8 pm")
    4, "Luigi's", 2026-05-09, 20:00        each with where it stands, its kind and what it means

Pure, and without a clock: "tomorrow" stays "tomorrow". Which value goes into which parameter is `filling.py`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

from turnwise.engine.rules.words import is_verb, listed

Kind: TypeAlias = Literal[
    "quote", "email", "url", "file", "date", "time", "duration", "id", "phone", "number", "currency", "language",
    "color", "unit", "expression", "name", "statement",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Value:
    """A piece of the request that means something by itself."""

    kind: Kind
    start: int
    end: int
    text: str
    """As the request has it."""
    meaning: str | float | int
    """What it says: ISO dates, times as HH:MM, currencies by code, durations in seconds, numbers as numbers."""
    unit: str = ""
    """Of a number: `percent`, `money`, `duration`, `degree`, or nothing."""


MONTHS = listed("""january february march april may june july august september october november december""")
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
SMALL = listed(
    """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
        seventeen eighteen nineteen"""
)
TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
NUMBERS = {word: number for number, word in enumerate(SMALL)} | TENS | {"dozen": 12, "hundred": 100, "thousand": 1000}
MULTIPLES = {"k": 1000, "thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000}
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800,
           "second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3600, "hr": 3600, "day": 86400, "week": 604800,
           "month": 2629746, "year": 31556952}  # fmt: skip

CURRENCIES = {
    "USD": "us dollars?|american dollars?|u\\.s\\. dollars?|dollars?|bucks|\\$",
    "EUR": "euros?|€",
    "GBP": "british pounds?|pounds? sterling|pounds?|£",
    "JPY": "japanese yen|yen|¥",
    "CHF": "swiss francs?|francs?",
    "CAD": "canadian dollars?",
    "AUD": "australian dollars?",
    "NZD": "new zealand dollars?",
    "SGD": "singapore dollars?",
    "HKD": "hong kong dollars?",
    "INR": "indian rupees?|rupees?|₹",
    "CNY": "chinese yuan|yuan|renminbi",
    "KRW": "korean won|₩",
    "MXN": "mexican pesos?|pesos?",
    "BRL": "brazilian reais|brazilian real|reais",
    "SEK": "swedish kron(?:a|or)",
    "NOK": "norwegian kron(?:e|er)",
    "DKK": "danish kron(?:e|er)",
    "PLN": "polish zloty|zlotys?|złoty",
    "CZK": "czech koruna|koruna",
    "TRY": "turkish lira|lira",
    "ZAR": "south african rand|rand",
    "RUB": "russian rubles?|rubles?",
    "THB": "thai baht|baht",
    "ILS": "shekels?",
    "AED": "dirhams?",
    "HUF": "forints?",
    "TWD": "taiwan dollars?",
    "PHP": "philippine pesos?",
    "IDR": "rupiah",
    "VND": "dong",
    "BTC": "bitcoins?",
}
"""Currencies by code, and what people call them."""

LANGUAGES = listed(
    """English French German Spanish Italian Portuguese Dutch Russian Chinese Mandarin Cantonese Japanese
        Korean Arabic Hindi Bengali Urdu Turkish Polish Czech Slovak Hungarian Romanian Bulgarian Greek
        Swedish Norwegian Danish Finnish Icelandic Estonian Latvian Lithuanian Ukrainian Serbian
        Croatian Slovenian Hebrew Persian Farsi Thai Vietnamese Indonesian Malay Tagalog Swahili Latin
        Welsh Irish Catalan Basque Esperanto Tamil Telugu Zulu Afrikaans"""
)
COLORS = listed(
    """red green blue yellow orange purple violet pink white black gray grey brown turquoise cyan magenta teal
        gold silver beige amber indigo lavender crimson"""
)
UNITS = listed(
    """kilometers? kilometres? km miles? mi meters? metres? m centimeters? centimetres? cm millimeters? mm
        inch(?:es)? feet foot ft yards? yd kilograms? kilos? kg grams? g pounds? lbs? ounces? oz tons?
        tonnes? stones? liters? litres? l milliliters? ml gallons? pints? cups? tablespoons? teaspoons?
        celsius fahrenheit kelvin seconds? minutes? hours? days? weeks? knots? mph kph acres? hectares?
        joules? calories watts? bytes? kb mb gb tb psi bar pascals?"""
)

_UNIT_LINES = """
km kilometer kilometers kilometre kilometres
mile miles mi
m meter meters metre metres
cm centimeter centimeters centimetre centimetres
mm millimeter millimeters millimetre millimetres
inch inches in
foot feet ft
yard yards yd
kg kilogram kilograms kilo kilos
g gram grams
lb lbs pound pounds
oz ounce ounces
ton tons tonne tonnes t
stone stones st
l liter liters litre litres
ml milliliter milliliters millilitre millilitres
gallon gallons gal
pint pints pt
cup cups
tablespoon tablespoons tbsp
teaspoon teaspoons tsp
celsius c centigrade metric
fahrenheit f imperial
kelvin k
second seconds sec secs s
minute minutes min mins
hour hours hr hrs h
day days d
week weeks w
kb kilobyte kilobytes
mb megabyte megabytes
gb gigabyte gigabytes
tb terabyte terabytes
byte bytes b
kph kmh km/h
knot knots
hectare hectares ha
acre acres
"""
UNIT_NAMES = tuple(frozenset(line.split()) for line in _UNIT_LINES.strip().split("\n"))
"""Units, each with all that people and schemas call it."""


def same_unit(one: str, other: str) -> bool:
    """Whether two words name the same unit."""
    return one.lower() == other.lower() or any({one.lower(), other.lower()} <= names for names in UNIT_NAMES)


_MONTH = "|".join(f"{month[:3]}(?:{month[3:]})?" if len(month) > 3 else month for month in MONTHS)
_NUMBER = (
    r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|(?:"
    + "|".join(sorted(TENS, key=len, reverse=True))
    + r")(?:[- ](?:" + "|".join(SMALL[1:10]) + r"))?|(?:" + "|".join(sorted(SMALL, key=len, reverse=True))
    + r")(?: (?:hundred|thousand))?|a (?:dozen|hundred|thousand)"
)  # fmt: skip
_CODES = "|".join(CURRENCIES)
_MONEY_WORDS = "|".join(
    name for names in CURRENCIES.values() for name in names.split("|") if name.isascii() and "$" not in name
)
_PLAIN_CODES = "usd|eur|gbp|jpy|chf|aud|nzd|inr|cny|krw|mxn|brl|sek|nok|dkk|zar|sgd|hkd|btc"
"""Codes that are no words in small letters either."""
_UNIT = "|".join(sorted(UNITS, key=len, reverse=True))

_PATTERNS: tuple[tuple[str, str], ...] = (
    ("statement", r"(?<![`\"“'])\b(?:SELECT\s.+?\sFROM|select (?:\*|\w+\(.*?\)) from|INSERT\s+INTO|UPDATE\s+\w+\s+SET|"
                  r"DELETE\s+FROM|(?:CREATE|ALTER|DROP)\s+TABLE)\s[^?]*[^?.;\s]"),
    ("quote", r"\"([^\"]+)\"|“([^”]+)”|«([^»]+)»|(?<!\w)'((?:[^']|'(?=\w))+)'(?!\w)|(?<!\w)‘([^’]+)’(?!\w)|`([^`]+)`"),
    ("email", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    ("url", r"https?://[^\s,;]*[^\s,;.?!)]|\bwww\.[^\s,;]*[^\s,;.?!)]"),
    ("file", r"(?<![\w@])(?:[\w-]+/)*[\w-]+\.(?:docx?|xlsx?|pptx?|pdf|txt|csv|json|xml|html?|md|py|js|ts|"
            r"jpe?g|png|gif|svg|mp[34]|wav|mov|zip|tar|gz|log|ya?ml|toml|sql|ini)\b|"
            r"(?<![\w@.])[\w-]{2,}\.(?!(?:com|org|net|io|co|edu|gov|de|uk|fr|eu|ai|app|dev)\b)[a-z]{2,5}\b(?!\.)"),
    ("name", r"\b\d+[A-Za-z]? (?:[A-Z][\w'’.-]* ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Boulevard|"
            r"Blvd|Drive|Dr|Square|Sq|Way|Place|Court|Ct|Terrace|Highway|Hwy)\b"),
    ("name", r"\b(?:[A-Z]\w+ )*(?:Room|Gate|Hall|Suite|Building|Terminal|Platform|Studio|Lab|Stage|Dock) "
             r"(?:\d+[A-Z]?|[A-Z]\d*)\b"),
    ("name", r"(?:(?<=\ba )|(?<=\ban )|(?<=\bmy ))[A-Z]\w+ \d{1,3}\b(?![:.]\d)"),
    ("name", r"(?<![\w/])[#@](?![\w-]*\d)[A-Za-z][\w-]*|"
             r"(?<![\w./])(?!(?:and|or|he|she|his|km|him)/)[A-Za-z][\w.-]+/[A-Za-z][\w./-]*\w"),
    ("moment", r"\b(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::\d\d)?(?:Z|[+-]\d\d:?\d\d)?\b"),
    ("date", r"\b(?P<iso>\d{4}-\d\d?-\d\d?)\b"),
    ("date", rf"\b(?P<m1>{_MONTH})\.? (?P<d1>\d\d?)(?:st|nd|rd|th)?(?:,? (?P<y1>\d{{4}}))?\b(?! ?(?:am|pm|:))"),
    ("date", rf"\b(?:the )?(?P<d2>\d\d?)(?:st|nd|rd|th)?(?: of)? (?P<m2>{_MONTH})\b\.?(?:,? (?P<y2>\d{{4}}))?"),
    ("date", r"\b(?P<n1>\d\d?)/(?P<n2>\d\d?)/(?P<y3>\d{4})\b|\b(?P<d4>\d\d?)\.(?P<m4>\d\d?)\.(?P<y4>\d{4})\b"),
    ("date", r"\b(?P<word>(?:(?<=\d )|(?<=[ap]m )|(?<=o'clock ))tomorrow (?:morning|afternoon|evening|night)|"
             r"the day after tomorrow|today|tonight|tomorrow|yesterday|(?:(?:this|next|coming|last) )?(?:"
             + "|".join(WEEKDAYS) + r")|(?:this|next|last) (?:week(?:end)?|month|year)|"
             r"this (?:morning|afternoon|evening)|last night)\b"),
    ("month", r"(?:(?<=\bin )|(?<=\bfor )|(?<=\bof )|(?<=\bnext )|(?<=\blast ))(?:"
              + "|".join(month.title() for month in MONTHS) + r")\b(?: \d{4})?"),
    ("time", r"\b(?P<h>\d\d?)(?:[:.](?P<min>\d\d))? ?(?P<ap>a\.?m\b\.?|p\.?m\b\.?)"),
    ("time", r"\b(?P<h3>\d\d?)(?::(?P<min3>\d\d))?(?: o'?clock)? (?P<part>in the (?:morning|afternoon|"
            r"evening)|at night|tonight)"),
    ("time", r"\b(?P<h2>[01]?\d|2[0-3]):(?P<min2>[0-5]\d)(?::\d\d)?\b"),
    ("time", r"(?<=\bat )(?P<h5>\d\d?)(?::(?P<min5>\d\d))?(?= (?:tomorrow|today|tonight|this|on|in the)\b)"),
    ("time", r"\b(?P<h4>\d\d?) o'?clock\b|\b(?P<noon>noon|midday|midnight)\b"),
    ("duration", r"\bhalf an hour\b|\b(?:an|one) hour and a half\b|\ba quarter of an hour\b|\ban? (?:hour|"
            r"minute)\b(?! and)"),
    ("duration", rf"\b(?P<big>{_NUMBER})[ -]?(?:hours?|hrs?|h)(?: and| ,)? (?P<small>{_NUMBER})[ -]?(?:minutes?|"
            rf"mins?|m)\b"),
    ("duration", rf"\b(?P<half>{_NUMBER}) and a half (?P<halfunit>hours?|minutes?)\b"),
    ("duration", rf"\b(?P<n>{_NUMBER})[ -]?(?P<per>seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|"
            rf"months?|years?)\b"),
    ("duration", r"(?:(?<=\blast )|(?<=\bpast ))(?P<n>\d+)(?P<per>[smhdw])\b|\b(?P<n2>\d+)(?P<per2>[hd])\b"),
    ("phone", r"\+\d[\d ()-]{7,}\d|\(?\b\d{3}\)?[- .]\d{3}[- .]\d{4}\b|\b\d{3}-\d{4}\b"),
    ("expression", r"(?<![\w.])\d*[a-z](?:\^\d+)?(?: ?[-+*/=] ?\d*(?:\.\d+)?[a-z]?(?:\^\d+)?)*"
                   r" ?= ?[-\d.]+[a-z]?(?!\w)"),
    ("expression", r"(?<![\w.-])\(?\d+(?:\.\d+)?(?: ?[-+*/^×÷x] ?\(?\d+(?:\.\d+)?\)?)+(?![\w-])"),
    ("money", rf"(?P<sign>[$€£¥₹])\s?(?P<m>\d[\d,]*(?:\.\d+)?)(?P<k>k\b| ?(?:thousand|million|billion)\b)?|"
            rf"\b(?P<m5>{_NUMBER})\s?(?P<word2>{_CODES}|{_MONEY_WORDS}|[€£¥₹])(?!\w)"),
    ("number%", rf"(?P<p>{_NUMBER})\s?(?:%|percent\b|per cent\b)"),
    ("number°", rf"(?P<p>-?(?:{_NUMBER}))\s?(?:°\s?[CF]?\b|°|degrees?\b)"),
    ("color", r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b"),
    ("number", r"(?<![\w.-])\d{1,3}(?=-[a-z]{3,}\b(?!-))"),
    ("id", r"\bv?\d+(?:\.\d+){2,}(?:-[\w.]+)?\b"),
    ("id", r"#[\w-]*\d[\w-]*|"
            r"(?<![\w.])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*(?<!st)(?<!nd)(?<!rd)(?<!th)(?![\w@])"),
    ("id", rf"\b(?!(?:{_CODES}|AM|PM|AD|BC|TV|PC|US|UK|EU|CO)\b)[A-Z]{{2,4}} \d{{2,}}\b"),
    ("id", r"(?<![\w.])\d+(?:-\d+)+(?![\w@])"),
    ("currency", rf"\b(?:{_CODES})\b|(?i:\b(?:{_MONEY_WORDS}|{_PLAIN_CODES})\b)"),
    ("language", r"\b(?:" + "|".join(LANGUAGES) + r")\b"),
    ("color", r"(?i)\b(?:(?:warm|cool|dark|light|bright|soft|pale|deep|hot)[ -])?(?:" + "|".join(COLORS) + r")\b"),
    ("quantity", rf"(?<![\w.])(?P<q>-?(?:{_NUMBER}))(?: |-)?(?P<u>{_UNIT})\b"),
    ("unit", rf"\b(?:{_UNIT})\b"),
    ("number", r"(?<![\w.])(?P<few>\d+(?:\.\d+)?) ?(?P<many>[kK]|thousand|million|billion)\b"),
    ("number", rf"(?<![\w.])-?(?:{_NUMBER})(?!\w)"),
)  # fmt: skip
_COMPILED = tuple(
    (
        kind,
        re.compile(
            pattern if kind in ("id", "language", "name", "currency", "month", "statement") else f"(?i:{pattern})"
        ),
    )
    for kind, pattern in ((kind, pattern.replace("(?i)", "")) for kind, pattern in _PATTERNS)
)
_MONEY_NAMES = tuple((code, re.compile(rf"(?i)^(?:{names})$")) for code, names in CURRENCIES.items())
_CAPITAL = re.compile(
    r"(?:(?:Dr|Mr|Mrs|Ms|Prof|St)\. )?[A-ZÀ-ÖØ-Þ][\w’'&-]*"
    r"(?:(?: (?:of|the|de|la|le|du|di|da|van|von|del|for|and the|"
            r"in the))*[ ](?!I\b)(?:[A-ZÀ-ÖØ-Þ][\w’'&-]*|\d+(?=[^\w:.]|$)))*"
)  # fmt: skip


@lru_cache(maxsize=512)
def read_values(request: str) -> tuple[Value, ...]:
    """The values of a request, in the order in which they stand. None overlaps another."""
    taken = [False] * (len(request) + 1)
    found: list[Value] = []
    for kind, pattern in _COMPILED:
        for match in pattern.finditer(request):
            if kind in ("color", "unit") and _is_part_of_name(request, match):
                continue
            if not any(taken[match.start() : match.end()]) and match.end() > match.start():
                for value in _values(kind, match):
                    found.append(value)
                    taken[match.start() : match.end()] = [True] * (match.end() - match.start())
    found.extend(_names(request, taken))
    return tuple(sorted(found, key=lambda value: value.start))


def _is_part_of_name(request: str, match: re.Match[str]) -> bool:
    """Whether a colour or a unit is none, as in "Hotel Indigo" and "World Cup"."""
    return match.group()[0].isupper() and bool(re.search(r"[A-Z]\w+ $", request[: match.start()]))


def parse_number(text: str) -> float | int:
    """A number in digits or in words."""
    text = text.lower().replace(",", "").strip()
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    if re.fullmatch(r"-?\d*\.\d+", text):
        number = float(text)
        return int(number) if number.is_integer() else number
    total = 0
    for word in re.split(r"[ -]", text):
        if word in ("hundred", "thousand", "dozen"):
            total = max(total, 1) * NUMBERS[word]
        else:
            total += NUMBERS.get(word, 0)
    return total


def currency_code(text: str) -> str | None:
    """The ISO code of a currency, by its code, its sign or its everyday name."""
    if text.upper() in CURRENCIES:
        return text.upper()
    return next((code for code, pattern in _MONEY_NAMES if pattern.match(text)), None)


def _values(kind: str, match: re.Match[str]) -> Iterator[Value]:
    start, end, text, part = match.start(), match.end(), match.group(), match.groupdict()
    match kind:
        case "quote":
            inner = next(group for group in match.groups() if group is not None)
            yield Value("quote", start, end, inner, inner)
        case "moment":
            yield Value("date", start, start + 10, match.group(1), match.group(1))
            yield Value("time", start + 11, end, match.group(2), match.group(2))
        case "date":
            meaning = _date(part)
            if meaning:
                yield Value("date", start, end, text, meaning)
        case "month":
            yield Value("date", start, end, text, text)
        case "time":
            meaning = _time(part)
            if meaning:
                yield Value("time", start, end, text, meaning)
        case "duration" if re.match(r"(?i)an? ", text) and _RATE.search(match.string[:start]):
            return
        case "duration":
            yield Value("duration", start, end, text, _seconds(text.lower(), part), "duration")
        case "money":
            digits = part["m"] or part["m5"]
            number = parse_number(digits) * MULTIPLES.get((part["k"] or "").strip().lower(), 1)
            at = request_index(match, "m" if part["m"] else "m5")
            yield Value("number", at, at + len(digits), digits, number, "money")
            name = part["sign"] or part["word2"]
            where = request_index(match, "sign" if part["sign"] else "word2")
            yield Value("currency", where, where + len(name), name, currency_code(name) or name)
        case "number%" | "number°":
            unit = "percent" if kind == "number%" else "degree"
            yield Value("number", start, end, part["p"], parse_number(part["p"]), unit)
        case "quantity":
            at = request_index(match, "q")
            yield Value("number", at, at + len(part["q"]), part["q"], parse_number(part["q"]))
            yield Value("unit", request_index(match, "u"), end, part["u"], part["u"])
        case "number" if part.get("few"):
            number = parse_number(str(part["few"])) * MULTIPLES[str(part["many"]).lower()]
            yield Value("number", start, end, text, number)
        case "number" if text.lower() == "one" and _stands_for_thing(match.string, start, end):
            return
        case "number":
            yield Value("number", start, end, text, parse_number(text))
        case "currency":
            yield Value("currency", start, end, text, currency_code(text) or text)
        case "id":
            if not re.fullmatch(r"\d+(?:st|nd|rd|th|k|km|kg|cm|mm|mb|gb|min|h|am|pm|x|p|s)", text, re.IGNORECASE):
                yield Value("id", start, end, text.removeprefix("#"), text.removeprefix("#"))
        case "email" | "url" | "file" | "phone" | "language" | "color" | "unit" | "expression" | "name" | "statement":
            yield Value(kind, start, end, text, text)
        case _:
            raise AssertionError(kind)


_RATE = re.compile(r"(?i)(?:\d|[$€£]|dollars?|bucks|euros?|pounds?|usd|eur|gbp) $")
"""What stands before "an hour" when it says how much one costs."""


def _stands_for_thing(request: str, start: int, end: int) -> bool:
    """Whether "one" is no number: "one of us", "this one"."""
    before = re.search(r"(?i)\b(?:this|that|the|another|which|good|new|each|any|every|no)\s*$", request[:start])
    return bool(before) or bool(re.match(r"(?i)\s+of\b", request[end:]))


def request_index(match: re.Match[str], group: str) -> int:
    """Where a group of a match begins in the request."""
    return match.start(group)


def _date(part: dict[str, str | None]) -> str | None:
    if part.get("iso"):
        year, month, day = str(part["iso"]).split("-")
        return f"{year}-{int(month):02}-{int(day):02}"
    if part.get("word"):
        return str(part["word"])
    for month, day, year in (("m1", "d1", "y1"), ("m2", "d2", "y2"), ("m4", "d4", "y4"), ("n1", "n2", "y3")):
        if part.get(day):
            name = str(part[month]).lower()
            number = int(name) if name.isdigit() else next(n for n, m in enumerate(MONTHS, 1) if m[:3] == name[:3])
            if not (1 <= number <= 12 and 1 <= int(str(part[day])) <= 31):
                return None
            rest = f"{number:02}-{int(str(part[day])):02}"
            return f"{part[year]}-{rest}" if part.get(year) else f"{MONTHS[number - 1].title()} {int(str(part[day]))}"
    return None


def _time(part: dict[str, str | None]) -> str | None:
    if part.get("noon"):
        return "00:00" if part["noon"] == "midnight" else "12:00"
    hour = int(str(part.get("h") or part.get("h2") or part.get("h3") or part.get("h4") or part.get("h5")))
    minute = int(part.get("min") or part.get("min2") or part.get("min3") or part.get("min5") or 0)
    late = (part.get("ap") or "").lower().startswith("p") or (part.get("part") or "").endswith(
        ("afternoon", "evening", "night")
    )
    if part.get("ap") or part.get("part"):
        hour = hour % 12 + (12 if late else 0) if hour <= 12 else hour
    return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else None


def _seconds(text: str, part: dict[str, str | None]) -> float | int:
    if part.get("big"):
        return parse_number(str(part["big"])) * 3600 + parse_number(str(part["small"])) * 60
    if part.get("half"):
        return int((parse_number(str(part["half"])) + 0.5) * _scale(str(part["halfunit"])))
    if part.get("n") or part.get("n2"):
        return parse_number(str(part.get("n") or part["n2"])) * _scale(str(part.get("per") or part["per2"]))
    if "quarter" in text:
        return 900
    if text.startswith("half"):
        return 1800
    return 5400 if "half" in text else 60 if "minute" in text else 3600


def _scale(unit: str) -> int:
    unit = unit.lower()
    return SECONDS[unit if unit in SECONDS else unit.removesuffix("s")]


STARTERS = frozenset(
    listed(
        """what what's who who's whose when when's where where's how how's why which is are was were do does did
        will would can could should shall may the a an i i'd i'm i'll i've my your our we you it this
        that these those please hey hi hello ok okay thanks thank and or but if then also good tell give
        show find get set make let turn put write explain describe name list add play book order send
        check translate convert calculate search look open close start stop schedule create call text
        email remind wake lock unlock track cancel rent post rename assign log generate transfer refund
        switch reserve pay buy read record delete remove update change move share ask mark invite
        message need want compute dim increase decrease raise lower resume pause mute navigate take plan
        arrange draft compose summarize recommend suggest help go ring dial wire ship return submit
        upload download attach draw save store note jot any are there timer for in on at to from with
        about tomorrow today tonight yesterday next now could've is't isn't aren't mail exchange
        split adjust locate count forecast news directions weather yes no not never sure
        don't won't can't deliver fly drive charge water feed clean vacuum i have has had be alert
        notify report look-up lookup define spell print scan sign register enroll join leave rate review
        compare total sum monitor measure estimate predict analyze analyse fetch retrieve display view
        hide enable disable activate deactivate confirm approve reject accept decline reply forward
        publish tweet broadcast stream watch listen cook bake brew heat cool warm preheat adjust reduce
        boost"""
    )
)
"""Words that may stand at the head of a sentence in a capital letter and be no name."""


_PRONOUN = re.compile(
    r"(?:i|it|that|there|he|she|we|you|they|this|what|who|where|when|how|let|here)(?:'(?:s|d|m|ll|ve|re))?$"
)

_TOLD = r"(?:my|the|an?|all|this|that|me|us|it|our|some|to|for|up|down|off|on|out|\d+)\b|\d"
"""What follows a verb at the head of a sentence, and seldom a name."""

_OWNED = r" (?!on\b|at\b|for\b|to|this\b|next\b|in\b|please\b|and\b|with\b|by\b|from\b|around\b|near\b)[a-z]"
"""What follows a name that owns something: "Karim's phone", but not "Luigi's at eight"."""


def _names(request: str, taken: list[bool]) -> Iterator[Value]:
    for match in _CAPITAL.finditer(request):
        start, end = match.span()
        while start < end:
            first = re.match(r"[\w’'&.-]+ ?", request[start:end])
            assert first is not None
            at_head = not request[:start].rstrip() or request[:start].rstrip()[-1] in ".!?:;,\"'"
            word = first.group().strip().lower().replace("’", "'")
            if (
                _PRONOUN.match(word)
                or (at_head and not request[start + first.end() :][:1].islower() and is_verb(word))
                or (at_head and (word in STARTERS or re.match(_TOLD, request[start + first.end() :])))
            ):
                start += first.end()
                if start < end and not request[start].isupper():
                    following = re.search(r"[A-ZÀ-ÖØ-Þ]", request[start:end])
                    start = start + following.start() if following else end
                continue
            break
        text = request[start:end].rstrip(" '’")
        if re.search(r"(?i)\bbetween (?:the )?$", request[:start]):
            text = text.split(" and the ")[0]
        if text.endswith(("'s", "’s")) and re.match(_OWNED, request[start + len(text) :]):
            text = text[:-2]
        free = start < end and not any(taken[start : start + len(text)])
        if not free and start < end:  # a value inside cuts the name short
            cut = next((i for i in range(start, start + len(text)) if taken[i]), start)
            text = request[start:cut].strip()
            text = re.sub(r" (?:of|the|de|for|in the)$", "", text)
        if text and len(text) > 1:
            yield Value("name", start, start + len(text), text, text)
