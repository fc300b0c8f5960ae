"""What changed between a listing and the references, decided on tables alone."""

from __future__ import annotations

import pyarrow as pa
import pytest

from labelloop.contracts import contract
from labelloop.errors import DecisionNeeded, InputError, UnavailableError
from labelloop.moves import paired
from labelloop.source_checks import check_not_empty, check_share
from labelloop.spec import ProjectSpec, load_spec
from labelloop.spec.media import Media
from labelloop.sql import workspace
from labelloop.streams import reader_of
from labelloop.sync import ADMITTED, Diff
from tests.builders.digits import SPEC, START
from tests.builders.rows import hex_id, rows_of

LISTED = pa.schema(
    [("key", pa.string()), ("size", pa.int64())]
    + [(name, pa.string()) for name in ("etag", "version_id", "subject", "source")]
)
MEDIA = Media(bucket="media", prefix="digits/")


def spec_with(**media) -> ProjectSpec:
    spec = load_spec(SPEC)
    return spec.model_copy(update={"media": spec.media.model_copy(update=media)})


def listing(*objects: dict) -> pa.Table:
    plain = {"key": "digits/a.png", "size": 3, "etag": "e"}
    return pa.Table.from_pylist([plain | given for given in objects], schema=LISTED)


def known(*references: dict) -> pa.Table:
    plain = {"bucket": "media", "key": "digits/a.png", "media_version": "e-3", "etag": "e", "size": 3}
    return rows_of("references", [plain | given for given in references])


@pytest.fixture
def compared():
    """Return a comparison of some listed objects with some references."""
    with workspace("", 100) as db:
        made = iter([Diff(db, spec_with())])

        def compare(listed: pa.Table, references: pa.Table) -> Diff:
            diff = next(made)
            diff.take(listed)
            diff.compare(
                references.select(
                    ["ref_id", "bucket", "key", "media_version", "object_version", "etag", "size", "state"]
                ).to_batches()
            )
            return diff

        yield compare


def changes(diff: Diff) -> dict[str, int]:
    return {change: n for change, n in diff.counts().items() if n}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("listed", "reference", "change"),
    [
        ({}, {}, "unchanged"),
        ({"etag": "f"}, {}, "changed"),
        ({"size": 4}, {}, "changed"),
        ({"version_id": "v1"}, {"media_version": "v1"}, "unchanged"),
        ({"version_id": "v2"}, {"media_version": "v1"}, "changed"),
        # The bucket began to keep versions, and the same bytes were written again.
        ({"version_id": "v1"}, {}, "unchanged"),
        ({"version_id": "v1", "etag": "f"}, {}, "changed"),
        ({"version_id": "v1", "size": 4}, {}, "changed"),
        # It ceased to, or an inventory leaves versions out.
        ({}, {"media_version": "v1"}, "unchanged"),
        ({"etag": "f"}, {"media_version": "v1"}, "changed"),
        # The object was moved before: the bucket calls its bytes otherwise than its labels do.
        ({"version_id": "v2"}, {"media_version": "v1", "object_version": "v2"}, "unchanged"),
        ({"version_id": "v1"}, {"media_version": "v1", "object_version": "v2"}, "changed"),
        ({}, {"state": "missing"}, "reappeared"),
        ({"etag": "f"}, {"state": "restricted"}, "unchanged"),
    ],
)
def test_an_object_is_compared_with_the_version_the_bucket_gave_it(compared, listed, reference, change):
    assert changes(compared(listing(listed), known(reference))) == {change: 1}


@pytest.mark.parametrize(
    ("state", "change"),
    [("active", {"missing": 1}), ("missing", {"away": 1, "unchanged": 1}), ("restricted", {"unchanged": 1})],
)
def test_a_reference_without_object_is_missing_once(compared, state, change):
    assert changes(compared(listing(), known({"state": state}))) == change


def test_references_of_other_sources_are_ignored(compared):
    others = known({"bucket": "other"}, {"key": "digitsx/a.png"})
    assert changes(compared(listing({}), others)) == {"added": 1}


def test_all_rows_of_an_unchanged_source_stay_in_the_workspace(compared):
    diff = compared(listing({}), known({}))
    assert list(diff.arriving()) == []
    diff.settle(known({}).to_batches())
    assert list(diff.added(now=START, new_id=lambda: hex_id(9))) == []
    assert list(diff.altered(now=START)) == []


def test_a_reference_that_an_erasure_restricts_meanwhile_is_left_to_it(compared):
    diff = compared(listing(), known({}))
    diff.settle(known({"state": "restricted"}).to_batches())
    assert list(diff.altered(now=START)) == []


def test_a_moved_reference_keeps_its_media_version_and_remembers_its_old_key(compared):
    diff = compared(listing({"key": "digits/b.png", "version_id": "v2"}), known({"media_version": "v1"}))
    diff.admit(pa.Table.from_pylist([{"key": "digits/b.png", "media_type": "image/png"}], schema=ADMITTED))
    diff.settle(known({"media_version": "v1"}).to_batches())
    diff.move(pa.table({"key": ["digits/b.png"], "ref_id": [hex_id(0)]}))
    assert list(diff.added(now=START, new_id=lambda: hex_id(9))) == []
    (row,) = pa.concat_tables(diff.altered(now=START)).to_pylist()
    assert (row["ref_id"], row["key"], row["former_keys"]) == (hex_id(0), "digits/b.png", ["digits/a.png"])
    assert (row["media_version"], row["object_version"], row["state"]) == ("v1", "v2", "active")
    assert changes(diff) == {"moved": 1}


def gone(*rows: dict) -> pa.Table:
    plain = {"key": "a", "size": 3, "subject_hmac": "s", "source_hmac": None, "digest": "d"}
    schema = pa.schema(
        [("ref_id", pa.string()), ("size", pa.int64())]
        + [(name, pa.string()) for name in ("key", "subject_hmac", "source_hmac", "digest")]
    )
    return pa.Table.from_pylist([plain | {"ref_id": f"r{n}"} | row for n, row in enumerate(rows)], schema=schema)


@pytest.mark.parametrize(
    ("other", "moved"),
    [
        ({}, True),
        ({"digest": "e"}, False),
        ({"digest": None}, False),
        ({"size": 4}, False),
        ({"subject_hmac": "t"}, False),
        ({"subject_hmac": None}, False),
        ({"source_hmac": "p"}, False),
    ],
)
def test_only_the_same_bytes_of_the_same_subject_and_source_are_a_move(other, moved):
    assert bool(paired(gone({}), gone({"key": "b", **other})).num_rows) is moved


def test_each_of_several_copies_is_paired_once(compared):
    pairs = paired(gone({"key": "a"}, {"key": "b"}), gone({"key": "z"}, {"key": "x"}, {"key": "y"})).to_pylist()
    assert pairs == [{"key": "x", "ref_id": "r0"}, {"key": "y", "ref_id": "r1"}]


@pytest.mark.parametrize("change", ["missing", "changed"])
def test_more_than_the_limit_needs_a_person(change):
    media = Media(
        bucket="media", **{"missing_share_limit": 1, "changed_share_limit": 1, f"{change}_share_limit": 0.2}
    )
    check_share(change, 2, 10, media)
    check_share(change, 3, 10, media, accepted=True)
    with pytest.raises(
        DecisionNeeded, match=f"3 of 10.*media.{change}_share_limit 0.2.*accept_{change}=true"
    ) as stop:
        check_share(change, 3, 10, media)
    assert stop.value.facts[change] == 3


def test_a_source_that_is_and_was_empty_is_named():
    check_not_empty(0, 0, 1, MEDIA)
    with pytest.raises(InputError, match="no object"):
        check_not_empty(0, 0, 0, MEDIA)


def test_an_error_of_who_makes_the_batches_comes_out_as_itself():
    def breaking():
        yield known({}).select(["ref_id"]).to_batches()[0]
        raise UnavailableError("the lake did not answer")

    def read(db):
        with reader_of(pa.schema([contract("references").schema.field("ref_id")]), breaking()) as reader:
            db.register("rows", reader)
            db.execute("CREATE TABLE t AS FROM rows")

    with workspace("", 100) as db, pytest.raises(UnavailableError, match="the lake"):
        read(db)


def test_a_workspace_holds_more_than_its_memory(tmp_path):
    with workspace(str(tmp_path), 20) as db:
        db.execute("CREATE TABLE t AS SELECT md5(i::VARCHAR) AS text FROM range(400_000) r(i)")
        assert db.execute("SELECT count(DISTINCT text) FROM t").fetchall() == [(400_000,)]
        assert any(tmp_path.iterdir())
    assert not any(tmp_path.iterdir())
