"""Whether a listing looks like the source the lake knows; if not, a person decides before anything changes."""

from __future__ import annotations

from labelloop.errors import DecisionNeeded, InputError
from labelloop.spec.media import Media


def check_not_empty(listed: int, in_scope: int, known: int, media: Media) -> None:
    """Pass if the source holds media, or held some.

    Args:
        listed: objects of the listing.
        in_scope: of them, those that the spec means.
        known: references of the source.
        media: the source.

    Raises:
        InputError: nothing is there and nothing is known: wrong prefix or empty bucket.
    """
    if in_scope or known:
        return
    what = f"none of the {listed} objects below the prefix is media of this spec" if listed else "there is no object"
    raise InputError(
        f"{what} in bucket {media.bucket!r} below prefix {media.prefix!r}",
        remedy="upload media, or mend media.bucket, media.prefix, media.include or interface.media",
    )


def check_missing(missing: int, known: int, media: Media, *, accepted: bool = False) -> None:
    """Pass if no larger share of the known objects is missing than the spec allows.

    Args:
        missing: references whose object is not there any more.
        known: references that had one.
        media: the source.
        accepted: a person has looked and says that they are really gone.

    Raises:
        DecisionNeeded: wrong prefix, lost rights, or a real loss.

    >>> check_missing(2, 10, Media(bucket="media"))
    """
    if missing > media.missing_share_limit * known and not accepted:
        raise DecisionNeeded(
            f"{missing} of {known} known objects are missing, above media.missing_share_limit "
            f"{media.missing_share_limit:g}; nothing was changed",
            remedy="mend bucket, prefix, globs or rights; if they are really gone, run sync with accept_missing=true",
            missing=missing,
            known=known,
        )


def check_changed(changed: int, known: int, media: Media, *, accepted: bool = False) -> None:
    """Pass if no larger share of the known objects holds other bytes than the spec allows.

    Args:
        changed: references whose object has another media version.
        known: references that had an object.
        media: the source.
        accepted: a person has looked and says that the media really changed.

    Raises:
        DecisionNeeded: all labels of so many objects would cease to count; another bucket, or a rewrite of all media.

    >>> check_changed(5, 10, Media(bucket="media"))
    """
    if changed > media.changed_share_limit * known and not accepted:
        raise DecisionNeeded(
            f"{changed} of {known} known objects hold other bytes, above media.changed_share_limit "
            f"{media.changed_share_limit:g}; nothing was changed, since their labels would not count any more",
            remedy="mend media.bucket; if the media was really replaced, run sync with accept_changed=true",
            changed=changed,
            known=known,
        )
