"""Agreement of free text and transcriptions: how many edits turn one answer into the other.

Texts are compared as given, or folded: without differences of case, of white space or of how a character is encoded.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Unpack

import numpy as np
import pandas as pd
import pyarrow as pa
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import Precision, PrecisionSettings
from labelloop.agreement.patterns import patterns_of
from labelloop.agreement.ratings import FloatArray, IntArray, Ratings, read_ratings, select_columns
from labelloop.agreement.similarity import MOST_CATEGORIES, Scale
from labelloop.agreement.table import Extent, figure_of
from labelloop.agreement.unit_means import mean_figure
from labelloop.errors import InputError

ALPHA: Final = "krippendorff_alpha"
LEVEL: Final = "edit_distance"


def edit_similarity(one: str, other: str) -> float:
    """1 - edits / characters of the longer text (Levenshtein 1966); 1 for two empty ones.

    >>> edit_similarity("kitten", "sitting")
    0.5714285714285714
    """
    return float(Levenshtein.normalized_similarity(one, other))


def character_error_rate(one: str, other: str) -> float:
    """Edits / characters of the text that is taken for the truth, in the mean of both ways; 0 is perfect, at most 1.

    >>> character_error_rate("abcd", "abxd")
    0.25
    """
    return _error_rate(one, other)


def word_error_rate(one: str, other: str) -> float:
    """The same of words, as white space divides them.

    >>> word_error_rate("the cat sat", "the hat sat")
    0.3333333333333333
    """
    return _error_rate(one.split(), other.split())


METRICS_OF_TEXTS: Final[Mapping[str, Callable[[str, str], float]]] = MappingProxyType(
    {
        "edit_similarity": edit_similarity,
        "character_error_rate": character_error_rate,
        "word_error_rate": word_error_rate,
    }
)


def text_figures(
    table: pa.Table | pd.DataFrame,
    metrics: Sequence[str] = (*METRICS_OF_TEXTS, ALPHA),
    *,
    folded: bool = True,
    group: str | None = None,
    **settings: Unpack[PrecisionSettings],
) -> list[Figure]:
    """Agreement of texts, one figure per metric, with interval or reason; each unit counts once.

    Alpha weighs a difference by its share of edits. It compares every two texts: of more than 2,000 different ones,
    units are drawn at random (`seed`) until so many are met, and the figure says how many units it rests on.

    Args:
        table: unit, annotator, value; a value is a text, an empty one an answer.
        metrics: names of `METRICS_OF_TEXTS`, or `krippendorff_alpha`.
        folded: compare texts after `fold`.
        group: column that clusters units.
        settings: the fields of `Precision`: seed, n_boot, confidence, n_min.

    Raises:
        InputError: an unknown metric, or values that are no texts.

    >>> table = pd.DataFrame({"unit": [1, 1], "annotator": ["a", "b"], "value": ["A  cat", "a cat"]})
    >>> text_figures(table, ["word_error_rate"], n_min=1)[0].value
    0.0
    """
    if unknown := [name for name in metrics if name not in (*METRICS_OF_TEXTS, ALPHA)]:
        known = ", ".join((*METRICS_OF_TEXTS, ALPHA))
        raise InputError(f"metric {unknown[0]!r} does not compare texts", remedy=f"give one of {known}")
    ratings, precision = read_texts(table, folded=folded, group=group), Precision(**settings)
    return [
        _alpha(ratings, precision)
        if name == ALPHA
        else mean_figure(name, "text", ratings, _of_pairs(METRICS_OF_TEXTS[name], ratings), precision)
        for name in metrics
    ]


def read_texts(table: pa.Table | pd.DataFrame, *, folded: bool = True, group: str | None = None) -> Ratings:
    """Ratings whose values are texts, folded or as given.

    Raises:
        InputError: values that are no texts; and what `read_ratings` refuses.
    """
    columns = select_columns(table, ["unit", "annotator", "value", *([group] if group else [])], "texts")
    kind = columns["value"].type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)):
        raise InputError(f"texts are {kind}", remedy="give one text per answer")
    if folded:
        given = columns["value"].combine_chunks().cast(pa.string()).dictionary_encode()
        texts = pa.array([fold(text) for text in given.dictionary.to_pylist()], pa.string())
        at = columns.column_names.index("value")
        columns = columns.set_column(at, "value", texts.take(given.indices))
    return read_ratings(columns, group=group)


def fold(text: str) -> str:
    """The text in composed characters (Unicode NFC), lower case, with single spaces.

    >>> fold(" The  CAT ")
    'the cat'
    """
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def text_distances(texts: Sequence[str]) -> FloatArray:
    """Edits of each two texts as a share of the longer one, texts x texts."""
    return np.asarray(cdist(texts, texts, scorer=Levenshtein.normalized_distance, dtype=np.float64))


def _error_rate(one: Sequence[str], other: Sequence[str]) -> float:
    edits, sizes = Levenshtein.distance(one, other), (len(one), len(other))
    return sum(min(edits / max(size, 1), 1.0) for size in sizes) / 2.0


def _of_pairs(metric: Callable[[str, str], float], ratings: Ratings) -> Callable[[IntArray, IntArray], FloatArray]:
    texts = ratings.values.to_pylist()

    def of_pairs(first: IntArray, second: IntArray) -> FloatArray:
        pairs = zip(ratings.value[first].tolist(), ratings.value[second].tolist(), strict=True)
        return np.array([metric(texts[one], texts[other]) for one, other in pairs], dtype=np.float64)

    return of_pairs


def _alpha(ratings: Ratings, precision: Precision) -> Figure:
    several = ratings.per_unit[ratings.unit] >= 2
    drawn = _few_texts(ratings.take(several), np.random.default_rng(precision.seed))
    texts = drawn.values.to_pylist()
    scale = Scale(LEVEL, len(texts), ordered=False, apart=text_distances(texts))
    extent = Extent(len(np.unique(drawn.unit)), len(np.unique(drawn.annotator)), len(drawn.unit))
    return figure_of(ALPHA, scale, patterns_of(drawn), extent, precision)


def _few_texts(ratings: Ratings, rng: np.random.Generator) -> Ratings:
    """Ratings of as many units, drawn at random, as still make a table of their different texts; values recoded."""
    turn = rng.permutation(len(ratings.units))[ratings.unit]
    order = np.argsort(turn, kind="stable")
    _, first = np.unique(ratings.value[order], return_index=True)
    fresh = np.zeros(len(order), dtype=np.int64)
    fresh[first] = 1
    met = np.cumsum(fresh)
    late = turn[order][met > MOST_CATEGORIES]
    kept = ratings.take(turn < (late.min() if len(late) else len(ratings.units)))
    codes, value = np.unique(kept.value, return_inverse=True)
    names = kept.units, kept.annotators, kept.values.take(pa.array(codes))
    return Ratings(kept.unit, kept.annotator, value, *names, group=kept.group)
