"""Which language, and who speaks it."""

import pytest

from turnwise.models.speech.languages import find_language, guess_language

SPOKEN = {"en-us", "en-gb", "de", "cmn", "yue", "pt", "pt-br", "es", "es-419", "fr", "nb", "he", "ja"}


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("en-US", "en-us"),
        ("en_us", "en-us"),
        ("en", "en-us"),
        ("en-AU", "en-gb"),
        ("de-AT", "de"),
        ("zh-CN", "cmn"),
        ("cmn-Hans-CN", "cmn"),
        ("zh-HK", "yue"),
        ("pt-BR", "pt-br"),
        ("pt-PT", "pt"),
        ("es-ES", "es"),
        ("es-US", "es-419"),
        ("fr-CA", "fr"),
        ("no", "nb"),
        ("iw", "he"),
        ("fil-PH", None),
        ("", None),
    ],
)
def test_a_code_is_spoken_by_the_nearest_voice(code: str, found: str | None) -> None:
    assert find_language(code, SPOKEN) == found


@pytest.mark.parametrize(("code", "found"), [("de-AT", "de-de"), ("cmn", "zh-cn"), ("nb", "no-no"), ("fr", None)])
def test_another_region_speaks_for_one_that_there_is_not(code: str, found: str | None) -> None:
    assert find_language(code, {"de-de", "zh-cn", "no-no"}) == found


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("WOOHOO This is so much fun!.", "en-us"),
        ("A day", "en-us"),
        ("No way!", "en-us"),
        ("42", "en-us"),
        ("你好,世界", "cmn"),
        ("iPhone 15 很好用", "cmn"),
        ("The word 你好 means hello", "en-us"),
        ("こんにちは、世界", "ja"),
        ("東京は日本の首都です", "ja"),
        ("안녕하세요", "ko"),
        ("Привет, мир", "ru"),
        ("Привіт, як справи", "uk"),
        ("مرحبا بالعالم", "ar"),
        ("سلام، چطورید", "fa"),
        ("שלום", "he"),
        ("नमस्ते", "hi"),
        ("สวัสดี", "th"),
        ("Γειά σου", "el"),
        ("Guten Tag, wie geht es Ihnen?", "de"),
        ("Bonjour à tous", "fr"),
        ("¿Qué tal?", "es"),
        ("Ciao, come stai?", "it"),
        ("Olá, como está?", "pt"),
        ("Goedemorgen, hoe gaat het met jou?", "nl"),
        ("Hej, hur mår du?", "sv"),
        ("Dzień dobry, jak się masz?", "pl"),
        ("Merhaba, nasılsın?", "tr"),
        ("Xin chào các bạn", "vi"),
    ],
)
def test_a_text_tells_its_language(text: str, language: str) -> None:
    assert guess_language(text) == language
