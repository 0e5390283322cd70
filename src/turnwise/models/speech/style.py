"""How something is said, told from ordinary words: "slowly", "in a sad whisper", "very excited", "大聲".

Each word that is known stands for factors of speed, pitch, liveliness and loudness; several words multiply. A degree
before a word makes it stronger or weaker, and a negation before it takes it away. Words that are not known (an accent,
a character) mean nothing to a voice that only has these dials, and change nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """Factors of how the voice speaks by itself: 1 is as it does."""

    rate: float = 1.0
    pitch: float = 1.0
    """Of the fundamental frequency."""
    range: float = 1.0
    """How far the melody goes up and down: 0 is one tone."""
    volume: float = 1.0
    whisper: bool = False

    def then(self, other: "Style", strength: float = 1.0) -> "Style":
        """Both together, the other one weaker or stronger than it is written."""
        return Style(
            rate=_within(self.rate * other.rate**strength, 0.4, 2.5),
            pitch=_within(self.pitch * other.pitch**strength, 0.6, 1.7),
            range=_within(self.range * other.range**strength, 0.0, 2.0),
            volume=_within(self.volume * other.volume**strength, 0.3, 2.0),
            whisper=self.whisper or other.whisper,
        )


PLAIN = Style()

SLOW = Style(rate=0.7)
FAST = Style(rate=1.45)
LOUD = Style(volume=1.8, rate=0.97, pitch=1.08)
SOFT = Style(volume=0.5, rate=0.95)
WHISPER = Style(volume=0.7, rate=0.9, whisper=True)
CHEERFUL = Style(rate=1.08, pitch=1.18, range=1.5)
EXCITED = Style(rate=1.2, pitch=1.22, range=1.6, volume=1.3)
SAD = Style(rate=0.78, pitch=0.87, range=0.55, volume=0.75)
TIRED = Style(rate=0.72, pitch=0.9, range=0.5, volume=0.8)
ANGRY = Style(rate=1.12, pitch=1.08, range=1.4, volume=1.6)
AFRAID = Style(rate=1.2, pitch=1.2, range=1.2, volume=0.85)
CALM = Style(rate=0.85, pitch=0.96, range=0.8, volume=0.85)
SERIOUS = Style(rate=0.92, pitch=0.93, range=0.65)
EERIE = Style(rate=0.78, pitch=0.85, range=1.2, volume=0.8)
FLAT = Style(range=0.0)
DEEP = Style(pitch=0.78)
HIGH = Style(pitch=1.28)

WORDS: dict[str, Style] = {
    word: style
    for style, words in (
        (SLOW, "slow slowly slower unhurried leisurely drawling 慢 緩慢 缓慢"),
        (
            FAST,
            "fast faster quick quickly quicker rapid rapidly speedy hurried hurriedly hasty hastily 快 快速 急促 急忙",
        ),
        (LOUD, "loud loudly louder shout shouting shouted yell yelling scream screaming 大聲 大声 高聲 高声 響亮 响亮"),
        (SOFT, "soft softly softer quiet quietly quieter gentle gently 小聲 小声 輕聲 轻声 低聲 低声 溫柔 温柔"),
        (WHISPER, "whisper whispers whispering whispered whispery 耳語 耳语 悄悄"),
        (
            CHEERFUL,
            "cheerful cheerfully happy happily joyful joyfully glad gladly merry merrily upbeat friendly bright"
            " brightly playful playfully 開心 开心 高興 高兴 快樂 快乐 愉快 歡快 欢快",
        ),
        (
            EXCITED,
            "excited excitedly enthusiastic enthusiastically energetic energetically thrilled ecstatic elated lively"
            " 興奮 兴奋 激動 激动 熱情 热情",
        ),
        (
            SAD,
            "sad sadly sorrowful sorrowfully mournful mournfully gloomy gloomily melancholy melancholic depressed"
            " heartbroken 悲傷 悲伤 難過 难过 傷心 伤心 憂鬱 忧郁",
        ),
        (
            TIRED,
            "tired tiredly bored weary wearily sleepy sleepily exhausted lazily 疲倦 疲憊 疲惫 無聊 无聊 慵懶 慵懒",
        ),
        (ANGRY, "angry angrily furious furiously mad outraged annoyed 生氣 生气 憤怒 愤怒"),
        (
            AFRAID,
            "afraid scared fearful fearfully frightened nervous nervously anxious anxiously panicked 害怕 緊張 紧张",
        ),
        (CALM, "calm calmly relaxed soothing soothingly peaceful peacefully serene 平靜 平静 冷靜 冷静 安靜 安静"),
        (SERIOUS, "serious seriously solemn solemnly stern sternly grave gravely formal formally 嚴肅 严肃 莊重 庄重"),
        (EERIE, "spooky eerie eerily mysterious mysteriously creepy ominous ominously 神秘 陰森 阴森"),
        (FLAT, "monotone monotonous monotonously robotic robotically deadpan flat 單調 单调"),
        (DEEP, "deep deeper deeply low-pitched 低沉"),
        (HIGH, "high-pitched squeaky shrill 尖銳 尖锐"),
    )
    for word in words.split()
}
"""What a word of style asks for."""

DEGREES = {
    "very": 1.5,
    "really": 1.4,
    "extremely": 2.0,
    "super": 1.6,
    "so": 1.4,
    "too": 1.3,
    "much": 1.4,
    "even": 1.2,
    "slightly": 0.5,
    "little": 0.5,
    "bit": 0.5,
    "somewhat": 0.6,
    "fairly": 0.8,
    "quite": 1.1,
    "非常": 1.5,
    "很": 1.2,
    "稍微": 0.5,
}
"""How strong a word is behind one of these."""

NEGATIONS = frozenset({"not", "no", "never", "don't", "don’t", "without", "不", "別", "别", "不要"})

REACH = 2
"""How many words further a degree or a negation is heard."""

_KNOWN = sorted((*WORDS, *DEGREES, *NEGATIONS), key=len, reverse=True)
_TOKEN = re.compile("|".join([*(re.escape(word) for word in _KNOWN if not word.isascii()), r"[a-z]+(?:[-'’][a-z]+)*"]))


def read_style(directions: str) -> Style:
    """What these words ask for."""
    style = PLAIN
    for asked, strength in _asked(directions):
        style = style.then(asked, strength)
    return style


def has_style(words: str) -> bool:
    """Whether any of these words is one of style."""
    return any(True for _ in _asked(words))


def _asked(directions: str) -> Iterator[tuple[Style, float]]:
    """Each style that is named, once, and how strongly."""
    tokens = _TOKEN.findall(directions.lower())
    seen: list[Style] = []
    for index, token in enumerate(tokens):
        before = tokens[max(0, index - REACH) : index]
        if token in WORDS and not NEGATIONS.intersection(before) and WORDS[token] not in seen:
            seen.append(WORDS[token])
            yield WORDS[token], next((DEGREES[word] for word in reversed(before) if word in DEGREES), 1.0)


def _within(value: float, least: float, most: float) -> float:
    return min(max(value, least), most)
