"""Makes files of all kinds, as small as they may be, good ones and bad ones."""

import io
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

ENDLESS_DEPTH = 12


def picture(form: str = "PNG", size: tuple[int, int] = (24, 16), color: str = "red") -> bytes:
    """An image of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, form)
    return file.getvalue()


def film(path: Path, form: str, codec: str) -> Path:
    """Five frames of video without sound."""
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode())
    return path


def recording(path: Path, form: str, codec: str, seconds: float = 1.0, rate: int = 48000) -> Path:
    """A tone."""
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate)
        tone = np.sin(np.arange(int(rate * seconds)) * 440 * 2 * np.pi / rate) * 8000
        frame = av.AudioFrame.from_ndarray(tone.astype(np.int16)[None, :], format="s16", layout="mono")
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def pdf(path: Path, pages: Sequence[Sequence[str]], *, title: str = "", author: str = "", password: str = "") -> Path:
    """A PDF with these lines on its pages."""
    encryption = StandardEncryption(password, ownerPassword="owner", strength=128) if password else None
    canvas = _canvas(path, encryption)
    canvas.setTitle(title)
    canvas.setAuthor(author)
    for lines in pages:
        text = canvas.beginText(50, 780)
        for line in lines:
            text.textLine(line)
        canvas.drawText(text)
        canvas.showPage()
    canvas.save()
    return path


def _canvas(path: Path, encryption: StandardEncryption | None = None) -> Canvas:
    canvas = Canvas(str(path), encrypt=encryption)
    canvas.setTitle("")
    canvas.setAuthor("")
    return canvas


def scanned_pdf(path: Path, pages: Sequence[Image.Image | None], stamp: str = "") -> Path:
    """A PDF whose pages are pictures, with a stamp over them; None is a page with text."""
    canvas = _canvas(path)
    for picture in pages:
        if picture is None:
            canvas.drawString(50, 780, "A page with text on it.")
        else:
            canvas.drawImage(ImageReader(picture), 0, 0, 595, 842)
            canvas.drawString(290, 20, stamp)
        canvas.showPage()
    canvas.save()
    return path


def filled_form(path: Path, value: str) -> Path:
    """A PDF with a form field that somebody filled in."""
    canvas = _canvas(path)
    canvas.drawString(50, 780, "Please tell us your name in this form")
    canvas.acroForm.textfield(name="name", value=value, x=50, y=700, width=300, height=30)
    canvas.showPage()
    canvas.save()
    return path


def pdf_of_objects(objects: Sequence[bytes]) -> bytes:
    """A PDF of these objects, written out by hand; the first is the catalogue."""
    data = b"%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(data)
    size = len(objects) + 1
    data += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    return data + b"trailer\n<< /Root 1 0 R /Size %d >>\nstartxref\n%d\n%%%%EOF\n" % (size, start)


def pdf_with_pages(number: int) -> bytes:
    """A PDF with so many empty pages."""
    kids = b" ".join(b"%d 0 R" % (at + 3) for at in range(number))
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>"
    pages = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (number, kids)
    return pdf_of_objects([b"<< /Type /Catalog /Pages 2 0 R >>", pages, *[page] * number])


def pdf_without_end() -> bytes:
    """A PDF of 3 kB in which each drawing is made of ten others, twelve levels deep: no machine ever draws it."""
    font = b"/Font << /T << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
    form = b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << %s >> /Length %d >>\nstream\n%s\nendstream"
    ten, letter = b"/F Do " * 10, b"BT /T 9 Tf (a) Tj ET"
    forms = [form % (b"/XObject << /F %d 0 R >>" % (level + 5), len(ten), ten) for level in range(ENDLESS_DEPTH - 1)]
    contents = b"/Contents %d 0 R /Resources << /XObject << /F 4 0 R >> >>" % (ENDLESS_DEPTH + 4)
    return pdf_of_objects(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] %s >>" % contents,
            *forms,
            form % (font, len(letter), letter),
            b"<< /Length 5 >>\nstream\n/F Do\nendstream",
        ]
    )


def png_of_nothing(width: int, height: int) -> bytes:
    """A PNG that can be seen through everywhere: a thousand times as large when it is unpacked."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packer = zlib.compressobj(9)
    row = bytes(1 + width * 4)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
