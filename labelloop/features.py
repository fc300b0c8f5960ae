"""Media turned into the numbers a model reads: grey or colour pixels, or hashed words.

The same bytes and the same declaration give the same vector for ever; its version names both. Reading media is the
business of `tasks/`.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from labelloop.errors import InputError
from labelloop.spec.model import Features

# An image of more pixels than this is an attack on memory or no single photograph.
MAXIMUM_PIXELS: Final = 200_000_000
TEXT_WIDTH: Final = 512
# Kinds of media that have feature vectors; what is neither picture nor words is told apart by models of its own.
FEATURED: Final = frozenset(["image", "text", "time_series", "dialogue", "record"])
# Raised whenever the arithmetic below changes, so that old vectors are not taken for new ones.
_GENERATION: Final = 1
_MEND: Final = "upload it again or delete it"


def features_version(kind: str, features: Features) -> str:
    """Return the name under which the vectors of this declaration are kept.

    Args:
        kind: one of `FEATURED`.
        features: how an image is shrunk; without meaning for others.

    >>> features_version("text", Features(width=8)) == features_version("text", Features(width=9))
    True
    """
    declared = features.model_dump_json() if kind == "image" else str(TEXT_WIDTH)
    return "features-" + hashlib.sha256(f"{_GENERATION}/{kind}/{declared}".encode()).hexdigest()[:12]


def features_width(kind: str, features: Features) -> int:
    """Return the length of the vectors.

    >>> features_width("image", Features(width=8, height=4, mode="RGB"))
    96
    """
    if kind != "image":
        return TEXT_WIDTH
    return features.width * features.height * len(features.mode)


def extract(kind: str, data: bytes, features: Features) -> NDArray[np.float32]:
    """Return the vector of one media object; what is no image is read as words.

    Raises:
        InputError: the bytes are not of that kind; the message is the reason.
    """
    return image_features(data, features) if kind == "image" else text_features(data)


def image_features(data: bytes, features: Features) -> NDArray[np.float32]:
    """Return the pixels of an image, averaged down to the declared size, as float32 in [0, 1], row by row.

    The image is turned upright as its EXIF data says, what is transparent becomes white, of an animation the first
    frame counts.

    Raises:
        InputError: the bytes are empty, no image, a damaged one, or one of too many pixels.

    >>> png = io.BytesIO(); Image.new("L", (4, 4), 255).save(png, "PNG")
    >>> image_features(png.getvalue(), Features(width=2, height=1)).tolist()
    [1.0, 1.0]
    """
    small = open_image(data, features.mode).resize((features.width, features.height), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32).reshape(-1) / np.float32(255)


def open_image(data: bytes, mode: str) -> Image.Image:
    """Return a picture as people see it, upright and without transparency, in grey (`L`) or colour (`RGB`).

    Raises:
        InputError: the bytes are empty, no image, a damaged one, or one of too many pixels.
    """
    if not data:
        raise InputError("the object is empty", remedy=_MEND)
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(data)) as image:
            warnings.simplefilter("ignore")  # Pillow warns of what is judged here anyway
            if image.width * image.height > MAXIMUM_PIXELS:
                raise InputError("the image has too many pixels", remedy="make it smaller")
            return _opaque(ImageOps.exif_transpose(image)).convert(mode)
    except UnidentifiedImageError:
        raise InputError("the object is no image", remedy=_MEND) from None
    # Damaged files surface as any of these, depending on the format.
    except (OSError, ValueError, SyntaxError, EOFError, OverflowError, Image.DecompressionBombError):
        raise InputError("the image is damaged", remedy=_MEND) from None


def _opaque(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image
    layered = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered)


def text_features(data: bytes) -> NDArray[np.float32]:
    """Return hashed counts of the words and word pairs of a UTF-8 text, scaled to length one (zero for no words).

    Raises:
        InputError: the bytes are empty or no UTF-8 text.

    >>> float(np.linalg.norm(text_features(b"the cat sat")).round(3))
    1.0
    """
    vector: NDArray[np.float32] = _vectorizer().transform([read_text(data)]).toarray()[0]
    return vector


@cache
def _vectorizer() -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer  # not above: a second for all who open a world

    return HashingVectorizer(n_features=TEXT_WIDTH, ngram_range=(1, 2), norm="l2", dtype=np.float32)


def read_text(data: bytes) -> str:
    r"""Return a UTF-8 text without its byte order mark.

    Raises:
        InputError: the bytes are empty or no UTF-8 text.

    >>> read_text(b"\xef\xbb\xbfcat")
    'cat'
    """
    if not data:
        raise InputError("the object is empty", remedy=_MEND)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("the object is no UTF-8 text", remedy=_MEND) from None
