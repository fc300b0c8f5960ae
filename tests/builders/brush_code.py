"""Masks as brushes leave them: bytes in the run-length code that `labelloop.geometry.brush` describes."""

from __future__ import annotations

from collections.abc import Sequence


def brush_code(values: Sequence[int]) -> list[int]:
    """Return a code of bytes, red, green, blue, alpha and on with the next pixel, each a run of its own."""
    runs = "".join(f"000000{value:08b}" for value in values)
    bits = f"{len(values):032b}{7:05b}{2:04b}{3:04b}{7:04b}{15:04b}{runs}"
    padded = bits.ljust(len(bits) + -len(bits) % 8, "0")
    return [int(padded[at : at + 8], 2) for at in range(0, len(padded), 8)]
