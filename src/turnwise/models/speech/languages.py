"""Languages: which of an engine's voices speaks one, and which one a text is in.

A language is asked for by its BCP-47 code, and found among those that an engine has, from the most exact to the least:
`de-AT` is spoken by `de`. When a request names none, the text says: its script decides, and where that is Latin, its
small words and its letters. That is a guess made for speech, where a wrong one is heard at once and cured by naming
the language; English is the answer when nothing speaks for another.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection

DEFAULT = "en-us"

READ = 4000
"""How many characters of a text are looked at to tell its language."""

SPOKEN_AS: dict[str, tuple[str, ...]] = {
    "zh-hk": ("yue",),
    "zh-mo": ("yue",),
    "zh": ("cmn", "zh"),
    "cmn": ("cmn", "zh"),
    "es-es": ("es",),
    "es": ("es", "es-419"),
    "en-us": ("en-us", "en"),
    "en-ca": ("en-us", "en"),
    "en-ph": ("en-us", "en"),
    "en": ("en-us", "en", "en-gb"),
    "pt-br": ("pt-br", "pt"),
    "no": ("nb", "no"),
    "nb": ("nb", "no"),
    "nn": ("nb", "no"),
    "iw": ("he",),
    "in": ("id",),
    "arb": ("ar",),
}
"""What a code is spoken as, where it is not by a voice of the same code. Engines differ in what they call it."""

_REGIONS: dict[str, tuple[str, ...]] = {"es": ("es-419", "es"), "en": ("en-gb", "en"), "pt": ("pt",)}
"""What the other regions of a language are spoken as."""


def find_language(code: str, spoken: Collection[str]) -> str | None:
    """Which of the languages that are spoken (in small letters) serves this code. None: none does."""
    code = code.strip().lower().replace("_", "-")
    language = code.split("-")[0]
    tries = [code, *SPOKEN_AS.get(code, ())]
    if code != language:
        tries += _REGIONS.get(language, ())
    tries += [*SPOKEN_AS.get(language, ()), language]
    exact = next((one for one in tries if one in spoken), None)
    return exact or next((one for wanted in tries for one in sorted(spoken) if _is_region(one, wanted)), None)


def _is_region(code: str, of: str) -> bool:
    """Whether this is a language as one of its regions speaks it."""
    return bool(of) and code.split("-")[0] == of


_SCRIPTS: dict[str, str] = {
    "CJK": "cmn",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "CYRILLIC": "ru",
    "GREEK": "el",
    "ARABIC": "ar",
    "HEBREW": "he",
    "THAI": "th",
    "DEVANAGARI": "hi",
    "BENGALI": "bn",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "ORIYA": "or",
    "SINHALA": "si",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
    "ETHIOPIC": "am",
    "MYANMAR": "my",
    "LATIN": "latin",
}
"""Scripts, by the first word of their letters' names, and the language that most often has them."""

_LETTERS: dict[str, tuple[tuple[str, str], ...]] = {
    "ru": (("uk", "іїєґ"), ("be", "ў"), ("sr", "ђћљњџј"), ("mk", "ѓќѕ"), ("kk", "қңғүұһ")),
    "ar": (("ur", "ٹڈڑےں"), ("fa", "پچژگ")),
}
"""Letters that only another language of the same script has."""

_LATIN_LETTERS: dict[str, str] = {
    "de": "äöüß",
    "es": "ñ¿¡",
    "fr": "çœêèëùûîï",
    "pt": "ãõ",
    "it": "ìò",
    "sv": "å",
    "da": "øæ",
    "pl": "łąężźśćń",
    "cs": "ěřůžš",
    "tr": "ğış",
    "hu": "őű",
    "ro": "țșăţş",
    "vi": "ơưđạảấầẩẫậắằẳẵặẹẻẽếềểễệịỉĩọỏốồổỗộớờởỡợụủũứừửữựỳỵỷỹ",
    "fi": "äö",
}

_LATIN_WORDS: dict[str, str] = {
    "en-us": "a an the and is are was of to in that it you your for on with as this have be not no yes so at by from"
    " will would can there all what how hello hi i me my we they he she do",
    "de": "der die das und ist nicht ich sie wir ein eine zu mit auf den dem für von wie geht heute hallo guten es ja",
    "fr": "le la les et est pas je vous nous un une des du dans pour que qui avec bonjour comment ça ce il elle au oui",
    "es": "el la los las y es no yo usted un una de que en por para con hola cómo está qué muy bien gracias buenos",
    "it": "il lo la gli e è non io un una di che per con ciao come sono questo della buongiorno grazie molto bene",
    "pt": "o a os as e é não eu você um uma de que em por para com olá como está muito bem obrigado bom dia",
    "nl": "de het een en is niet ik jij we van te dat op voor met hallo hoe gaat goed zijn dit ook naar maar vandaag",
    "sv": "och är inte jag du vi en ett att på för med det som hej hur mår bra tack idag god den har",
    "da": "og er ikke jeg du vi en et at på for med det som hej hvordan godt tak i dag den har",
    "pl": "i jest nie ja ty my to na z w do że się jak cześć dzień dobry dziękuję dla co czy",
    "cs": "a je ne já ty my to na s v do že se jak ahoj dobrý den děkuji pro co není",
    "tr": "ve bir bu ne ben sen biz için ile çok merhaba nasıl iyi değil var teşekkürler günaydın bugün",
    "fi": "ja on ei minä sinä me se että hei mitä kuuluu hyvää kiitos tämä mutta kun ovat olen",
    "hu": "és a az nem én te mi egy hogy van szia jó napot köszönöm ez de mint",
    "ro": "și este nu eu tu noi un o de că la cu bună ziua mulțumesc ce cum sunt pentru",
    "id": "dan yang di ini itu tidak saya kamu kami untuk dengan apa kabar selamat pagi terima kasih adalah ke dari",
    "vi": "và là không tôi bạn của có cho một được xin chào cảm ơn các này",
}

_WORD = re.compile(r"[^\W\d_]+")


def guess_language(text: str) -> str:
    """The language of a text, as espeak-ng calls it; `en-us` when nothing in it tells."""
    text = unicodedata.normalize("NFC", text[:READ]).lower()
    scripts = Counter(script for character in text if character.isalpha() and (script := _script(character)))
    if not scripts:
        return DEFAULT
    if scripts["ja"] and scripts["ja"] * 10 >= scripts["cmn"]:
        scripts["ja"] += scripts.pop("cmn", 0)
    # A word in Latin letters has about as many of them as a Chinese sentence has signs.
    scripts["latin"] //= 3
    script = max(scripts, key=lambda name: scripts[name])
    if script == "latin":
        return _guess_latin(text)
    for language, letters in _LETTERS.get(script, ()):
        if any(letter in text for letter in letters):
            return language
    return script


def _guess_latin(text: str) -> str:
    words = Counter(_WORD.findall(text))
    scores = {
        language: sum(words[word] for word in small.split())
        + 2 * sum(text.count(letter) for letter in _LATIN_LETTERS.get(language, ""))
        for language, small in _LATIN_WORDS.items()
    }
    return max(scores, key=lambda language: scores[language])  # the first of equals, and English is first


def _script(character: str) -> str | None:
    if character.isascii():
        return "latin"
    return _SCRIPTS.get(unicodedata.name(character, "").split(" ")[0].split("-")[0])
