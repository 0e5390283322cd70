"""What kind of file code has made, by its name, and for pictures by what is in it."""

import mimetypes

UNKNOWN = "application/octet-stream"

_PICTURES = {
    "image/png": (0, b"\x89PNG\r\n\x1a\n"),
    "image/jpeg": (0, b"\xff\xd8\xff"),
    "image/gif": (0, b"GIF8"),
    "image/webp": (8, b"WEBP"),
    "image/bmp": (0, b"BM"),
    "image/tiff": (0, b"II*\x00"),
}
"""How pictures begin, and where."""

_TEXTS = {".csv": "text/csv", ".md": "text/markdown", ".json": "application/json", ".txt": "text/plain"}
"""Kinds that some machines do not know or call otherwise."""


def kind_of(name: str, data: bytes) -> str:
    """The mime type. What says to be a picture and does not begin like one is called bytes."""
    for kind, (place, beginning) in _PICTURES.items():
        if data[place : place + len(beginning)] == beginning:
            return kind
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    kind = _TEXTS.get(ending) or mimetypes.guess_type(f"file{ending}", strict=False)[0] or UNKNOWN
    return UNKNOWN if kind.startswith("image/") and kind != "image/svg+xml" else kind
