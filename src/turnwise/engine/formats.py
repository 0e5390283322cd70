"""The formats of JSON Schema: whether a string is a date, an address, an identifier. Strict, and the standard library
only, so that what is valid does not depend on what happens to be installed.

A format that is not listed here says nothing, as the specification wants it.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII | re.I)
_DURATION = re.compile(r"P(?!$)(\d+W|(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?)", re.ASCII)
_LABEL = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
_HOSTNAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")
_IDN_HOSTNAME = re.compile(r"(?=.{1,253}$)(?!-)[\w-]{1,63}(?<!-)(\.(?!-)[\w-]{1,63}(?<!-))*")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL = re.compile(rf'(?=.{{3,254}}$)({_ATOM}(\.{_ATOM})*|"[^"\\\r\n]+")@{_LABEL}(\.{_LABEL})*')
_IDN_EMAIL = re.compile(r"(?=.{3,254}$)[^\s@]+@[\w-]+(\.[\w-]+)*")
_UUID = re.compile(r"[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_URI_CHARACTERS = r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})"
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*:"
_URI = re.compile(rf"{_SCHEME}{_URI_CHARACTERS}*")
_URI_REFERENCE = re.compile(rf"{_URI_CHARACTERS}*")
_IRI = re.compile(rf'{_SCHEME}[^\s<>"{{}}|\\^`]*')
_IRI_REFERENCE = re.compile(r'[^\s<>"{}|\\^`]*')
_URI_TEMPLATE = re.compile(r'(?:[^\s<>"{}|\\^`]|\{[^\s{}]+\})*')
_POINTER = r"(?:/(?:[^/~]|~[01])*)*"
_JSON_POINTER = re.compile(_POINTER)
_RELATIVE_POINTER = re.compile(rf"(?:0|[1-9][0-9]*)(?:#|{_POINTER})")


def _whole(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


def _is_date(text: str) -> bool:
    with suppress(ValueError):
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII)) and bool(date.fromisoformat(text))
    return False


def _is_date_time(text: str) -> bool:
    return _is_date(text[:10]) and text[10:11] in ("T", "t") and _TIME.fullmatch(text[11:]) is not None


def _is_address(kind: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        with suppress(ValueError):
            return bool(text.isascii() and "%" not in text and kind(text))
        return False

    return check


def _is_regex(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True


FORMATS: Mapping[str, Callable[[str], bool]] = {
    "date": _is_date,
    "time": _whole(_TIME),
    "date-time": _is_date_time,
    "duration": _whole(_DURATION),
    "email": _whole(_EMAIL),
    "idn-email": _whole(_IDN_EMAIL),
    "hostname": _whole(_HOSTNAME),
    "idn-hostname": _whole(_IDN_HOSTNAME),
    "ipv4": _is_address(ipaddress.IPv4Address),
    "ipv6": _is_address(ipaddress.IPv6Address),
    "uuid": _whole(_UUID),
    "uri": _whole(_URI),
    "uri-reference": _whole(_URI_REFERENCE),
    "iri": _whole(_IRI),
    "iri-reference": _whole(_IRI_REFERENCE),
    "uri-template": _whole(_URI_TEMPLATE),
    "json-pointer": _whole(_JSON_POINTER),
    "relative-json-pointer": _whole(_RELATIVE_POINTER),
    "regex": _is_regex,
}
"""Whether a string has each format."""
