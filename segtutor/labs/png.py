"""PNG files that are the same bytes on every machine.

Libraries compress a little differently from version to version, and then a stored output
differs from a new one for no reason. These files are not compressed at all.
"""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

LARGEST_BLOCK = 65535  # of stored bytes in one block of a deflate stream


def png(pixels: np.ndarray, palette: np.ndarray | None = None) -> bytes:
    r"""Encode a picture without compressing it.

    Args:
        pixels: uint8 of shape (H, W), gray or, with a palette, its indices; or (H, W, 3), RGB.
        palette: uint8 of shape (256, 3).

    Returns:
        The file.

    Example:
        >>> png(np.zeros((2, 3), dtype=np.uint8))[:4]
        b'\x89PNG'
    """
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3):
        raise ValueError(
            f"pixels must be uint8 (H, W) or (H, W, 3), got {pixels.dtype} {pixels.shape}"
        )
    height, width = pixels.shape[:2]
    kind = 2 if pixels.ndim == 3 else 0 if palette is None else 3
    # Each line begins with the number of its filter: 0, none.
    lines = np.pad(pixels.reshape(height, -1), ((0, 0), (1, 0))).tobytes()
    blocks = [lines[i : i + LARGEST_BLOCK] for i in range(0, len(lines), LARGEST_BLOCK)]
    stream = b"\x78\x01"
    for index, block in enumerate(blocks):
        last = index == len(blocks) - 1
        stream += struct.pack("<BHH", last, len(block), 0xFFFF ^ len(block)) + block
    stream += struct.pack(">I", zlib.adler32(lines))
    parts = [_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))]
    if palette is not None:
        parts.append(_chunk(b"PLTE", palette.astype(np.uint8).tobytes()))
    parts += [_chunk(b"IDAT", stream), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def data_uri(pixels: np.ndarray, palette: np.ndarray | None = None) -> str:
    """The PNG as the address of an `<img>`."""
    return "data:image/png;base64," + base64.b64encode(png(pixels, palette)).decode()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
