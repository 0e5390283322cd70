"""Moments: parameters that take a date, a time, both, or how long something takes."""

import re

from turnwise.engine.rules.parameters import COMPACT, Param
from turnwise.engine.rules.reading import Reading
from turnwise.engine.rules.values import Value

_SHORT = (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60))
"""Units of durations in short, in seconds."""


def choose_moment(reading: Reading, param: Param) -> None:
    """Take a date, a time, or both; of two, the one that the direction says."""
    dates, times = reading.of_kind("date"), reading.of_kind("time")
    if param.role == "datetime" and (dates or times):
        day = dates[-1 if param.direction == "to" and len(dates) > 1 else 0] if dates else None
        hour = times[-1 if param.direction == "to" and len(times) > 1 else 0] if times else None
        hour = hour or (_bare_hour(reading, day) if day else None)
        both = [value for value in (day, hour) if value]
        reading.take(param, datetime(reading, param, day, hour), *((v.start, v.end) for v in both))
        return
    if param.role == "datetime":
        _choose_stretch(reading, param)
        return
    found = dates if param.role == "date" else times
    hinted = [v for v in found if {w.stem for w in reading.before(v, 2)} & set(param.words)]
    if not found:
        choose_bare_hour(reading, param)
        return
    last = param.direction == "to"
    said = sum(v.kind == found[0].kind for v in reading.values)
    if param.direction and said == 1 and not param.required and not hinted and last:
        return
    value = hinted[0] if hinted and not param.direction else found[-1 if last else 0]
    reading.take(param, render_moment(param, value), (value.start, value.end))


def _bare_hour(reading: Reading, day: Value) -> Value | None:
    """The hour of "tonight at 9" and "at 9 on Friday", which is a bare number beside a day."""
    for value in reading.of_kind("number"):
        near = re.fullmatch(r"(?i),? at ", reading.request[day.end : value.start]) or re.fullmatch(
            r"(?i) (?:on )?", reading.request[value.end : day.start]
        )
        said = reading.request[: value.start].lower().endswith("at ")
        if near and said and isinstance(value.meaning, int) and value.meaning <= 24:
            return Value("time", value.start, value.end, value.text, f"{value.meaning:02}:00")
    return None


def _choose_stretch(reading: Reading, param: Param) -> None:
    """Take "the last 24 hours" for when something begins; else the hour of "at 8"."""
    for value in reading.of_kind("duration"):
        if (said := re.search(r"(?i)\b(?:last|past) (?:\w+ )?$", reading.request[: value.start])) is not None:
            reading.take(param, reading.request[said.start() : value.end], (said.start(), value.end))
            return
    choose_bare_hour(reading, param)


def choose_bare_hour(reading: Reading, param: Param) -> None:
    """Take the number of "at 8" for a time."""
    if param.role != "time" and param.name != "time":
        return
    for value in reading.of_kind("number"):
        before = reading.before(value, 1)
        if (
            before
            and before[0].low in ("at", "until", "by", "for")
            and isinstance(value.meaning, int)
            and value.meaning <= 24
        ):
            if before[0].low == "for" and "alarm" not in reading.nouns:
                continue
            text = f"{value.meaning:02}:00" if wants_clock(param) else value.text
            reading.take(param, text, (value.start, value.end))
            return


def datetime(reading: Reading, param: Param, day: Value | None, hour: Value | None) -> str:
    """A day and an hour in one: ISO 8601 if the day is, else as they were said."""
    iso = bool(day and re.match(r"\d{4}-", str(day.meaning)))
    if iso and day and hour:
        space = re.search(r"\d \d\d:|DD HH", param.text)
        seconds = "" if re.search(r"HH:MM(?!:)|T\d\d:\d\d(?![:\d])", param.text) or space else ":00"
        return f"{day.meaning}{' ' if space else 'T'}{hour.meaning}{seconds}"
    if day and hour:
        first, last = sorted((day, hour), key=lambda value: value.start)
        if re.fullmatch(r"(?i)(?:,? (?:at|on|around|by) |,? )", reading.request[first.end : last.start]) and not iso:
            return reading.request[first.start : last.end]
        if not reading.request[first.end : last.start].strip() and not iso:
            return reading.request[first.start : last.end]
    return " ".join(str(v.meaning if v.kind == "date" else v.text) for v in (day, hour) if v)


def choose_duration(reading: Reading, param: Param) -> None:
    """Take how long something lasts, as it was said."""
    found = reading.of_kind("duration")
    if found:
        lead = re.search(
            r"(?i)\b(?:for |over |in |from |of )?(?:the )?(?:last|past) $", reading.request[: found[0].start]
        )
        start = lead.start() if lead else found[0].start
        reading.take(param, render_duration(param, found[0]), (start, found[0].end))


def render_duration(param: Param, value: Value) -> str:
    """A duration as it was said; in short, as "15m", where the parameter is described so."""
    if not COMPACT.search(param.text):
        return value.text
    unit, size = next(((unit, size) for unit, size in _SHORT if float(value.meaning) % size == 0), ("s", 1))
    return f"{int(float(value.meaning) // size)}{unit}"


def wants_clock(param: Param) -> bool:
    """Whether a time is wanted as HH:MM."""
    spoken = re.search(r"\d ?[ap]\.?m\b", param.text, re.IGNORECASE)
    return (bool(re.search(r"HH:MM|\d\d?:\d\d|24.hour", param.text, re.IGNORECASE)) and not spoken) or param.schema.get(
        "format"
    ) == "time"


def render_moment(param: Param, value: Value) -> str:
    """A date or a time in the form that the parameter's description shows; without one, as it was said."""
    if value.kind == "time":
        return str(value.meaning) if wants_clock(param) else value.text
    shown = re.search(r"YYYY|\d{4}-\d\d|ISO", param.text) or param.schema.get("format") == "date"
    return str(value.meaning) if shown or re.match(r"\d{4}-", value.text) else value.text
