"""What a body is, by its first bytes; how large a picture is; and what is not taken at all."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

_MIB = 1024 * 1024

SNIFFED = 4096
"""Bytes from the beginning by which the type is told."""


@dataclass(frozen=True)
class MediaType:
    """A type, the ending of its names, the most bytes of a body, and whether a page may show it."""

    mime: str
    ending: str
    limit: int = 100 * _MIB
    is_inline: bool = False
    is_refused: bool = False


JPEG = MediaType("image/jpeg", "jpg", 50 * _MIB, is_inline=True)
PNG = MediaType("image/png", "png", 50 * _MIB, is_inline=True)
GIF = MediaType("image/gif", "gif", 10 * _MIB, is_inline=True)
WEBP = MediaType("image/webp", "webp", 50 * _MIB, is_inline=True)
MP4 = MediaType("video/mp4", "mp4", 500 * _MIB, is_inline=True)
PDF = MediaType("application/pdf", "pdf")
XML = MediaType("text/xml", "xml")
BYTES = MediaType("application/octet-stream", "bin")
HTML = MediaType("text/html", "html", is_refused=True)
SVG = MediaType("image/svg+xml", "svg", is_refused=True)
PROGRAM = MediaType("application/x-executable", "bin", is_refused=True)

_BEGINNINGS = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"%PDF-", PDF),
    (b"MZ", PROGRAM),
    (b"\x7fELF", PROGRAM),
    (b"\xfe\xed\xfa\xce", PROGRAM),
    (b"\xfe\xed\xfa\xcf", PROGRAM),
    (b"\xce\xfa\xed\xfe", PROGRAM),
    (b"\xcf\xfa\xed\xfe", PROGRAM),
    (b"\xca\xfe\xba\xbe", PROGRAM),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", PROGRAM),
    (b"!<arch>\ndebian", PROGRAM),
    (b"\xed\xab\xee\xdb", PROGRAM),
    (b"#!", PROGRAM),
)
_HTML = re.compile(
    rb"\s*(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|script|iframe|title|style)[\s>]",
    re.IGNORECASE | re.DOTALL,
)
_SVG = re.compile(rb"\s*(<!--.*?-->\s*)*<svg[\s>]", re.IGNORECASE | re.DOTALL)
_XML = re.compile(rb"\s*<\?xml\s", re.IGNORECASE)
_XHTML = re.compile(rb"<html[\s>]", re.IGNORECASE)


def type_of(beginning: bytes) -> MediaType:
    """The type of a body, by its first bytes and nothing else."""
    text = beginning.removeprefix(b"\xef\xbb\xbf")
    if _XML.match(text):
        return HTML if _XHTML.search(text) else XML
    if _HTML.match(text):
        return HTML
    if _SVG.match(text):
        return SVG
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        return WEBP
    if beginning[4:8] == b"ftyp":
        return MP4
    return next((one for start, one in _BEGINNINGS if beginning.startswith(start)), BYTES)


def size_of_picture(content: bytes, kind: MediaType) -> tuple[int, int] | None:
    """Width and height of a whole picture; None where it is broken off or is none."""
    try:
        width, height = _MEASURES[kind.mime](content)
    except (struct.error, IndexError, ValueError):
        return None
    return (width, height) if width > 0 and height > 0 else None


def _png(content: bytes) -> tuple[int, int]:
    if content[12:16] != b"IHDR" or content[-8:-4] != b"IEND":
        raise ValueError("it does not begin with IHDR and end with IEND")
    return struct.unpack(">II", content[16:24])


def _gif(content: bytes) -> tuple[int, int]:
    if content[-1:] != b";":
        raise ValueError("it has no trailer")
    return struct.unpack("<HH", content[6:10])


def _jpeg(content: bytes) -> tuple[int, int]:
    if content[-2:] != b"\xff\xd9":
        raise ValueError("it has no end of image")
    place = 2
    while content[place] == 0xFF:
        marker, (length,) = content[place + 1], struct.unpack(">H", content[place + 2 : place + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[place + 5 : place + 9])
            return width, height
        place += 2 + length
    raise ValueError("it has no frame")


def _webp(content: bytes) -> tuple[int, int]:
    (length,) = struct.unpack("<I", content[4:8])
    if length + 8 > len(content):
        raise ValueError("it is broken off")
    if content[12:16] == b"VP8X":
        wide = int.from_bytes(content[24:27], "little")
        return wide + 1, int.from_bytes(content[27:30], "little") + 1
    if content[12:16] == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    width, height = struct.unpack("<HH", content[26:30])
    return width & 0x3FFF, height & 0x3FFF


_MEASURES = {JPEG.mime: _jpeg, PNG.mime: _png, GIF.mime: _gif, WEBP.mime: _webp}
PICTURES = frozenset(_MEASURES)
