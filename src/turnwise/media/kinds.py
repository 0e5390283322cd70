"""What a file is, by its bytes: from its first and last few, however large it is.

A table of our own, because only some twenty forms matter here, and what tells them apart is inside: whether a container
holds pictures or only sound, whether two frames of MP3 follow one another. Libraries that know hundreds of forms guess
at these by a few bytes. Whatever is no known form and is valid text is a text document of the kind that is claimed.
"""

import codecs
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from turnwise.domain.content import MEDIA_TYPES, MediaType
from turnwise.domain.errors import InvalidRequest
from turnwise.media.media import Kind

HEAD = 64 * 1024
"""How many bytes of the beginning, and of the end, are looked at."""

BOXES = 64
"""How many of an MP4 file's boxes are passed on the way to the one that tells what it holds."""
CONTENTS = 4 * 1024**2
"""How many bytes of that box are read."""

ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "image/x-bmp": "image/bmp",
    "image/x-ms-bmp": "image/bmp",
    "image/tif": "image/tiff",
    "audio/mpeg": "audio/mp3",
    "audio/mpeg3": "audio/mp3",
    "audio/x-mp3": "audio/mp3",
    "audio/x-mpeg": "audio/mp3",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-pn-wav": "audio/wav",
    "audio/x-aiff": "audio/aiff",
    "audio/aif": "audio/aiff",
    "audio/aifc": "audio/aiff",
    "audio/x-aac": "audio/aac",
    "audio/aacp": "audio/aac",
    "audio/x-flac": "audio/flac",
    "audio/x-m4a": "audio/m4a",
    "audio/mp4": "audio/m4a",
    "audio/mp4a-latm": "audio/m4a",
    "audio/x-ogg": "audio/ogg",
    "audio/vorbis": "audio/ogg",
    "audio/ogg_opus": "audio/opus",
    "application/ogg": "audio/ogg",
    "audio/basic": "audio/mulaw",
    "audio/pcmu": "audio/mulaw",
    "audio/pcma": "audio/alaw",
    "audio/x-alaw": "audio/alaw",
    "audio/x-mulaw": "audio/mulaw",
    "audio/pcm": "audio/l16",
    "audio/x-ms-wma": "audio/wma",
    "video/quicktime": "video/mov",
    "video/mpg": "video/mpeg",
    "video/mpegps": "video/mpeg",
    "video/mp2t": "video/mpeg",
    "video/x-mpeg": "video/mpeg",
    "video/x-msvideo": "video/avi",
    "video/msvideo": "video/avi",
    "video/flv": "video/x-flv",
    "video/x-ms-wmv": "video/wmv",
    "video/x-ms-asf": "video/wmv",
    "video/3gp": "video/3gpp",
    "video/3gpp2": "video/3gpp",
    "audio/3gpp": "audio/m4a",
    "video/x-m4v": "video/mp4",
    "video/matroska": "video/x-matroska",
    "audio/matroska": "audio/x-matroska",
    "application/mp4": "video/mp4",
    "application/x-pdf": "application/pdf",
    "application/acrobat": "application/pdf",
    "text/pdf": "application/pdf",
    "text/x-pdf": "application/pdf",
}
"""Other names of the types that are used here, which are the API's where it has one."""

HEADERLESS = frozenset({"audio/l16", "audio/alaw", "audio/mulaw"})
"""Sound that is nothing but samples. It cannot be told by its bytes: the claim is all there is, `rate` included."""

NOTHING_CLAIMED = frozenset({"", "*/*", "application/octet-stream", "binary/octet-stream", "application/binary"})

TEXTS = frozenset(
    {
        "application/csv",
        "application/ecmascript",
        "application/graphql",
        "application/javascript",
        "application/json",
        "application/jsonl",
        "application/markdown",
        "application/rtf",
        "application/sql",
        "application/toml",
        "application/typescript",
        "application/x-httpd-php",
        "application/x-javascript",
        "application/x-latex",
        "application/x-ndjson",
        "application/x-python",
        "application/x-python-code",
        "application/x-rtf",
        "application/x-sh",
        "application/x-subrip",
        "application/x-tex",
        "application/x-typescript",
        "application/x-yaml",
        "application/xml",
        "application/yaml",
    }
)
"""Types of text that are not called `text/...`."""

_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
"""What no text holds, in any encoding that has ASCII in it."""
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([\w.:-]+)"?', re.ASCII | re.IGNORECASE)

_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class _Form:
    """A form that bytes can have."""

    name: str
    """What people call it."""
    types: tuple[str, ...] = ()
    """What it may be called, the first by default. Empty: it cannot be read."""
    alike: frozenset[str] = frozenset()
    """What else it may be said to be: other names for the same container, whatever is in it."""
    instead: str = ""
    """What to give in its place, if it cannot be read."""


def _image(name: str, *types: str) -> _Form:
    return _Form(f"{name} image", types)


_ISO_MEDIA = frozenset({"video/mp4", "video/mov", "video/3gpp", "audio/m4a", "audio/aac"})
_MATROSKA = frozenset({"video/webm", "audio/webm", "video/x-matroska", "audio/x-matroska"})
_OGG = frozenset({"audio/ogg", "audio/opus", "video/ogg"})

_PDF = _Form("PDF document", ("application/pdf",))
_WAV = _Form("WAV file", ("audio/wav",))
_MP3 = _Form("MP3 file", ("audio/mp3",))
_AAC = _Form("AAC file", ("audio/aac",))
_FLAC = _Form("FLAC file", ("audio/flac",))
_MPEG = _Form("MPEG video", ("video/mpeg",))
_BMP = _image("BMP", "image/bmp")
_HEIC = _image("HEIC", "image/heic", "image/heif")
_HEIF = _image("HEIF", "image/heif", "image/heic")
_AVIF = _image("AVIF", "image/avif")

_BEGINNINGS: tuple[tuple[bytes, _Form], ...] = (
    (b"\x89PNG\r\n\x1a\n", _image("PNG", "image/png")),
    (b"\xff\xd8\xff", _image("JPEG", "image/jpeg")),
    (b"GIF87a", _image("GIF", "image/gif")),
    (b"GIF89a", _image("GIF", "image/gif")),
    (b"II*\0", _image("TIFF", "image/tiff")),
    (b"MM\0*", _image("TIFF", "image/tiff")),
    (b"II+\0", _image("TIFF", "image/tiff")),
    (b"MM\0+", _image("TIFF", "image/tiff")),
    (b"fLaC", _FLAC),
    (b"ADIF", _AAC),
    (b"FLV\x01", _Form("FLV video", ("video/x-flv",))),
    (b"0&\xb2u\x8ef\xcf\x11", _Form("Windows Media file", ("video/wmv", "audio/wma"))),
    (b"\0\0\x01\xba", _MPEG),
    (b"\0\0\x01\xb3", _MPEG),
    (b"\0\0\0\x0cJXL ", _Form("JPEG XL image", instead="a PNG, JPEG or WebP image")),
    (b"\xff\x0a", _Form("JPEG XL image", instead="a PNG, JPEG or WebP image")),
    (b"\0\0\0\x0cjP  ", _Form("JPEG 2000 image", instead="a PNG, JPEG or WebP image")),
    (b"8BPS", _Form("Photoshop file", instead="a PNG, JPEG or WebP image")),
    (b"\0\0\x01\0", _Form("Windows icon", instead="a PNG, JPEG or WebP image")),
    (b"MThd", _Form("MIDI file", instead="a recording, such as WAV or MP3")),
    (b"#!AMR", _Form("AMR file", instead="another form of sound, such as WAV, MP3 or OGG")),
    (b"caff", _Form("Core Audio file", instead="another form of sound, such as WAV, MP3 or M4A")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _Form("old Microsoft Office file", instead="the document as PDF")),
    (b"Rar!\x1a\x07", _Form("RAR archive", instead="what is in it, file by file")),
    (b"7z\xbc\xaf\x27\x1c", _Form("7z archive", instead="what is in it, file by file")),
    (b"\x1f\x8b", _Form("gzip archive", instead="what is in it, unpacked")),
    (b"BZh", _Form("bzip2 archive", instead="what is in it, unpacked")),
    (b"\xfd7zXZ\0", _Form("xz archive", instead="what is in it, unpacked")),
    (b"(\xb5/\xfd", _Form("zstd archive", instead="what is in it, unpacked")),
    (b"\x7fELF", _Form("program (ELF)", instead="something to look at, to hear or to read")),
    (b"SQLite format 3\0", _Form("SQLite database", instead="what is in it as CSV")),
    (b"PAR1", _Form("Parquet file", instead="what is in it as CSV")),
    (b"wOFF", _Form("font", instead="something to look at, to hear or to read")),
    (b"wOF2", _Form("font", instead="something to look at, to hear or to read")),
)


def identify(path: Path, claimed: str | None) -> Kind:
    """What a file is. See `Reader.identify` in `media.py`."""
    claim = (claimed or "").strip().lower()
    wanted = _canonical(claim)
    if not path.stat().st_size:
        raise InvalidRequest("the file is empty: it has 0 bytes")
    with path.open("rb") as file:
        form = _find_form(file)
        if form is None and wanted in HEADERLESS:
            return Kind("audio", claim.replace(claim.partition(";")[0], wanted, 1).replace(" ", ""))
        if form is None and _is_text(file, trusted=_is_text_type(wanted)):
            return _text_kind(file, wanted, claim)
    if form is None:
        raise InvalidRequest(_unknown(_said(claim) if wanted else ""))
    if not form.types:
        raise InvalidRequest(f"a file of this form cannot be read: {form.name}. Give {form.instead}")
    return _kind_of(form, wanted, _said(claim))


def _said(claim: str) -> str:
    """A claim without its parameters."""
    return claim.partition(";")[0].strip()


def _canonical(claim: str) -> str:
    """A claimed type by the name that is used here, without parameters. Empty: nothing is claimed."""
    name = _said(claim)
    return "" if name in NOTHING_CLAIMED else ALIASES.get(name, name)


def _media_type(mime_type: str) -> MediaType:
    major = mime_type.partition("/")[0]
    return major if major in MEDIA_TYPES else "document"


def _kind_of(form: _Form, wanted: str, said: str) -> Kind:
    """The kind of a form that can be read, and of those that it may have, the one that is claimed.

    Raises:
        InvalidRequest: it is something else.
    """
    kinds = [Kind(_media_type(mime_type), mime_type) for mime_type in form.types]
    if not wanted:
        return kinds[0]
    claimed = Kind(_media_type(wanted), wanted)
    if claimed in kinds:
        return claimed
    same = [kind for kind in kinds if kind.type == claimed.type]
    if same and (wanted.endswith("/*") or wanted in form.alike):
        return same[0]
    really = kinds[0]
    raise InvalidRequest(
        f"the file is said to be {said}, but its bytes say {form.name}:"
        f" give the type '{really.type}' and the mime_type '{really.mime_type}', or another file"
    )


def _text_kind(file: BinaryIO, wanted: str, claim: str) -> Kind:
    """The kind of a text: what is claimed, if that is a kind of text."""
    if not wanted or wanted == "text/*":
        return Kind("document", _guess_text(file))
    if not _is_text_type(wanted):
        really = _guess_text(file)
        raise InvalidRequest(
            f"the file is said to be {_said(claim)}, but its bytes say text:"
            f" give the type 'document' and the mime_type '{really}', or another file"
        )
    charset = _CHARSET.search(claim)
    if charset is None or _means_unicode(charset[1]):
        return Kind("document", wanted)
    return Kind("document", f"{wanted};charset={charset[1]}")


def _means_unicode(charset: str) -> bool:
    """Whether it goes without saying: such texts are known by their bytes.

    Raises:
        InvalidRequest: there is no such charset.
    """
    try:
        b"a".decode(charset)
    except LookupError:
        raise InvalidRequest(f"the file's charset is said to be '{charset}', which is not known: give utf-8") from None
    return codecs.lookup(charset).name in ("utf-8", "ascii", "utf-16", "utf-16-le", "utf-16-be")


def _is_text_type(mime_type: str) -> bool:
    if mime_type == "image/svg+xml":
        return False
    return mime_type.startswith("text/") or mime_type in TEXTS or mime_type.endswith(("+json", "+xml", "+yaml"))


def _unknown(said: str) -> str:
    beginning = f"the file is said to be {said}, but its bytes" if said else "the file's bytes"
    return (
        f"{beginning} are of no form that can be read: give an image (PNG, JPEG, WebP, HEIC, GIF, BMP, TIFF), a sound"
        " (WAV, MP3, AIFF, AAC, OGG, FLAC, M4A), a video (MP4, MOV, WebM, AVI, MPEG, FLV, WMV, 3GPP), a PDF document"
        " or text"
    )


def _find_form(file: BinaryIO) -> _Form | None:
    head = file.read(HEAD)
    if _CONTROLS.search(head) is None:  # all other forms have such bytes: a text may begin with any of their names
        return _pdf(head)
    for beginning, form in _BEGINNINGS:
        if head.startswith(beginning):
            return form
    if head[4:8] == b"ftyp":
        return _iso_media(file, head)
    for find in _FINDERS:
        found = find(head)
        if found is not None:
            return found
    return None


def _riff(head: bytes) -> _Form | None:
    if head[:4] not in (b"RIFF", b"RF64", b"RIFX", b"FORM"):
        return None
    return {
        b"WAVE": _WAV,
        b"AVI ": _Form("AVI video", ("video/avi",)),
        b"WEBP": _image("WebP", "image/webp"),
        b"AIFF": _Form("AIFF file", ("audio/aiff",)),
        b"AIFC": _Form("AIFF file", ("audio/aiff",)),
    }.get(head[8:12])


def _bmp(head: bytes) -> _Form | None:
    """`BM` alone would do for a text that begins so: what follows must be the header of a picture."""
    if head[:2] == b"BM" and len(head) >= 18:
        (header,) = struct.unpack_from("<I", head, 14)
        return _BMP if header in (12, 16, 40, 52, 56, 64, 108, 124) else None
    return None


def _pdf(head: bytes) -> _Form | None:
    """A PDF may have something before it, but not words: a text may be about PDF."""
    at = head.find(b"%PDF-", 0, 1024)
    if at < 0 or (at and _CONTROLS.search(head) is None and head[:at].strip(b"\xef\xbb\xbf \t\r\n")):
        return None
    return _PDF


_OFFICE = (
    (b"word/", "Word file", "the document as PDF"),
    (b"xl/", "Excel file", "its tables as CSV"),
    (b"ppt/", "PowerPoint file", "the slides as PDF"),
)


def _zip(head: bytes) -> _Form | None:
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return None
    for part, name, instead in _OFFICE:
        if part in head:
            return _Form(name, instead=instead)
    if head[30:38] == b"mimetype":
        return _Form("OpenDocument or EPUB file", instead="the document as PDF")
    return _Form("ZIP archive", instead="what is in it, file by file")


def _program(head: bytes) -> _Form | None:
    if head[:2] == b"MZ" and b"\0" in head[:64]:
        return _Form("program (Windows)", instead="something to look at, to hear or to read")
    return None


def _matroska(head: bytes) -> _Form | None:
    if not head.startswith(b"\x1aE\xdf\xa3"):
        return None
    webm = b"webm" in head[:64]
    types = ("video/webm", "audio/webm") if webm else ("video/x-matroska", "audio/x-matroska")
    pictures = any(codec in head for codec in (b"V_VP", b"V_AV1", b"V_MPEG", b"V_MS", b"V_THEORA"))
    sounds = any(codec in head for codec in (b"A_OPUS", b"A_VORBIS", b"A_AAC", b"A_FLAC", b"A_MPEG", b"A_PCM"))
    ordered = types[::-1] if sounds and not pictures else types
    return _Form("WebM file" if webm else "Matroska file", ordered, _MATROSKA)


def _ogg(head: bytes) -> _Form | None:
    if not head.startswith(b"OggS"):
        return None
    beginning = head[:4096]
    if b"\x80theora" in beginning:
        return _Form("OGG video", ("video/ogg", "audio/ogg"), _OGG)
    opus = b"OpusHead" in beginning
    return _Form("OGG file", ("audio/ogg", "audio/opus") if opus else ("audio/ogg",), _OGG)


def _transport_stream(head: bytes) -> _Form | None:
    """Packets of 188 bytes, each of which begins with a `G`."""
    packets = len(head) // 188
    return _MPEG if packets >= 3 and all(head[188 * at] == 0x47 for at in range(min(packets, 8))) else None


def _tagged_sound(head: bytes) -> _Form | None:
    """Sound behind an ID3 tag, which can be longer than what is looked at: then it is MP3, as nearly all such are."""
    if head[:3] != b"ID3" or len(head) < 10 or head[3] not in (2, 3, 4):
        return None
    size = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    return _FLAC if head[size : size + 4] == b"fLaC" else _bare_sound(head[size:]) or _MP3


def _bare_sound(head: bytes) -> _Form | None:
    """MP3 or AAC without anything around it: two frames, the second where the first one says."""
    head = head.lstrip(b"\0")
    for length_of, form in ((_adts_length, _AAC), (_mpeg_length, _MP3)):
        length = length_of(head)
        rest = head[length:]
        if length and (not rest or length_of(rest)):
            return form
    return None


def _adts_length(frame: bytes) -> int:
    """How long a frame of AAC is. 0: it is none."""
    if len(frame) < 7 or frame[0] != 0xFF or frame[1] & 0xF6 != 0xF0 or (frame[2] >> 2) & 15 > 12:
        return 0
    length = (frame[3] & 3) << 11 | frame[4] << 3 | frame[5] >> 5
    return length if length >= 7 else 0


_KILOBITS = {
    (3, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (3, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
}
"""By version (3 is MPEG 1) and layer (1 is layer III, 2 is layer II)."""
_SLOW_KILOBITS = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = (44100, 48000, 32000)


def _mpeg_length(frame: bytes) -> int:
    """How long a frame of MPEG sound is, layer II or III. 0: it is none."""
    if len(frame) < 4 or frame[0] != 0xFF or frame[1] & 0xE0 != 0xE0:
        return 0
    version, layer = (frame[1] >> 3) & 3, (frame[1] >> 1) & 3
    bits, rate = frame[2] >> 4, (frame[2] >> 2) & 3
    if version == 1 or layer not in (1, 2) or bits in (0, 15) or rate == 3:
        return 0
    kilobits = _KILOBITS.get((version, layer), _SLOW_KILOBITS)[bits - 1]
    hertz = _RATES[rate] // {3: 1, 2: 2, 0: 4}[version]
    samples = 72 if layer == 1 and version != 3 else 144
    return samples * kilobits * 1000 // hertz + ((frame[2] >> 1) & 1)


_FINDERS: tuple[Callable[[bytes], _Form | None], ...] = (
    _riff,
    _bmp,
    _pdf,
    _zip,
    _program,
    _matroska,
    _ogg,
    _tagged_sound,
    _bare_sound,
    _transport_stream,
)


def _iso_media(file: BinaryIO, head: bytes) -> _Form | None:
    """MP4 and its kin: the brands say which, what is inside says whether there are pictures."""
    size = min(max(int.from_bytes(head[:4], "big"), 12), 512)
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, size, 4))}
    if brands & {b"avif", b"avis"}:
        return _AVIF
    if brands & {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}:
        return _HEIC
    if brands & {b"mif1", b"msf1", b"heif"}:
        return _HEIF
    video = "video/mov" if head[8:12] == b"qt  " else "video/3gpp" if head[8:10] == b"3g" else "video/mp4"
    sound_only = head[8:12] in (b"M4A ", b"M4B ", b"M4P ") or _handlers(file) in ({b"soun"}, {b"soun", b"text"})
    if sound_only:
        return _Form("M4A file", ("audio/m4a", video), _ISO_MEDIA)
    return _Form("MOV video" if video == "video/mov" else "MP4 video", (video, "audio/m4a"), _ISO_MEDIA)


def _handlers(file: BinaryIO) -> set[bytes]:
    """What kinds of tracks an MP4 file has, by its own words (`vide`, `soun`); none if it does not say early enough."""
    at, end = 0, file.seek(0, 2)
    for _ in range(BOXES):
        file.seek(at)
        header = file.read(16)
        if len(header) < 8:
            break
        size = int.from_bytes(header[:4], "big")
        if size == 1:
            size = int.from_bytes(header[8:16], "big")
        if header[4:8] == b"moov":
            file.seek(at)
            contents = file.read(min(size or end, CONTENTS))
            return set(re.findall(rb"hdlr.{8}(vide|soun|text)", contents, re.DOTALL))
        if size < 8:
            break
        at += size
    return set()


def _is_text(file: BinaryIO, *, trusted: bool) -> bool:
    """Whether the beginning and the end are valid text. `trusted`: it is said to be, so any 8-bit encoding will do."""
    end = file.seek(0, 2)
    file.seek(0)
    head = file.read(HEAD)
    file.seek(max(HEAD, end - HEAD))
    tail = file.read(HEAD)
    cut = next((at for at, byte in enumerate(tail[:4]) if byte & 0xC0 != 0x80), 0)  # of a character that begins before
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return not end % 2
    if _CONTROLS.search(head) or _CONTROLS.search(tail):
        return False
    if _is_utf8(head, whole=not tail) and _is_utf8(tail[cut:], whole=True):
        return True
    return trusted or sum(byte >= 0x80 for byte in head) < len(head) * 0.3


def _is_utf8(data: bytes, *, whole: bool) -> bool:
    """Whether a piece is UTF-8. Unless it is the whole, its last character may be cut."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, final=whole)
    except UnicodeDecodeError:
        return False
    return True


def _guess_text(file: BinaryIO) -> str:
    """What kind of text it is, where it says so itself."""
    file.seek(0)
    head = file.read(1024)
    for mark in _MARKS:
        head = head.removeprefix(mark)
    beginning = head.replace(b"\0", b"").lstrip().lower()
    if beginning.startswith((b"<!doctype html", b"<html")):
        return "text/html"
    if beginning.startswith(b"<?xml"):
        return "text/xml"
    return "text/rtf" if beginning.startswith(b"{\\rtf") else "text/plain"
