"""What the attributes of Label Studio 1.23 take, where that is not any text; their letter case does not matter there.

Read off the table of tags in the server's own page. Attributes that are not listed may hold anything.
"""

from __future__ import annotations

import re
from typing import Final

_FLAGS = """
accordion allownested brightnesscontrol canrotate clickablelinks closable contextscroll contrastcontrol crosshair
curves default editable fixedscale grid inline labeling leafsonly legacy muted negativezoom open peritem perregion
required rotatecontrol selected selectionenabled showalias showaxis showfullpath showinline showlabels showplayer
showsubmitbutton showyaxis skeleton skipduplicates slider smart smartonly smoothing spectrogram splitchannels
transcription underline zoom zoomcontrol
"""
_COUNTS = "maxrating maxsubmissions maxusages rows"
_NUMBERS = """
blurradius category defaultplaybackspeed defaultthreshold defaultvalue framerate gridsize max maxmessages maxpoints
min minlength minmessages minplaybackspeed minpoints opacity pointsizedisabled pointsizeenabled step strokewidth
timelineheight zoomby
"""
# What else some of them take. No other may name a field of the task: the page would break, or show nothing.
_ALSO: Final = {
    "maxmessages": re.compile(r"\$.+"),
    "minmessages": re.compile(r"\$.+"),
    "maxpoints": re.compile("none"),
    "minpoints": re.compile("none"),
    "DateTime max": re.compile(".+"),
    "DateTime min": re.compile(".+"),
}
FLAGS: Final = frozenset(_FLAGS.split())
COUNTS: Final = frozenset(_COUNTS.split())
NUMBERS: Final = frozenset(_NUMBERS.split())
_CONDITIONS = "choice-selected choice-unselected no-region-selected region-selected"
# By tag and attribute, or by attribute alone.
WORDS: Final = {
    key: frozenset(words.split())
    for key, words in {
        "Choices choice": "single single-radio multiple",
        "choice": "single multiple",
        "crossorigin": "anonymous none use-credentials",
        "defaultzoom": "auto fit original",
        "display": "block inline",
        "displaymode": "region-list tag",
        "encoding": "none base64 base64unicode",
        "granularity": "symbol word sentence paragraph",
        "Label granularity": "symbol word",
        "horizontalalignment": "left center right",
        "verticalalignment": "top center bottom",
        "Paragraphs layout": "none dialogue",
        "Choices layout": "select inline vertical",
        "pointsize": "small medium large",
        "pointstyle": "rectangle circle",
        "Rating size": "small medium large",
        "savetextresult": "yes no",
        "snap": "pixel none",
        "HyperText valuetype": "text url",
        "Text valuetype": "text url",
        "Paragraphs valuetype": "json url",
        "TimeSeries valuetype": "json url",
        "visiblewhen": _CONDITIONS,
    }.items()
}
_COUNT = re.compile(r"[1-9]\d*")
_NUMBER = re.compile(r"-?(\d+(\.\d*)?|\.\d+)")


def misfit(tag: str, attribute: str, value: str) -> str | None:
    """Return what the attribute takes if the value is none of it, else None; values are told by letter case.

    >>> misfit("Choices", "choice", "banana")
    'multiple, single or single-radio'
    """
    name = attribute.lower()
    also = _ALSO.get(f"{tag} {name}", _ALSO.get(name))
    if also and also.fullmatch(value):
        return None
    if name in FLAGS:
        return None if value in ("true", "false") else "true or false"
    if name in COUNTS:
        return None if _COUNT.fullmatch(value.strip()) else "a number, whole and above 0"
    if name in NUMBERS:
        return None if _NUMBER.fullmatch(value.strip()) else "a number"
    words = WORDS.get(f"{tag} {name}", WORDS.get(name))
    if words is None or value in words:
        return None
    *first, last = sorted(words)
    return f"{', '.join(first)} or {last}"
