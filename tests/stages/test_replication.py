"""Where a bucket is copied to, told by replies of Amazon S3 written down by hand: the local server copies nothing."""

from __future__ import annotations

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from labelloop.errors import AccessError
from tasks.clients.media import S3MediaStore

NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
TWO_RULES = f"""<?xml version="1.0" encoding="UTF-8"?>
<ReplicationConfiguration {NAMESPACE}><Role>arn:aws:iam::111122223333:role/replicate</Role>
<Rule><ID>all</ID><Priority>1</Priority><Status>Enabled</Status><Filter><Prefix></Prefix></Filter>
<DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>
<Destination><Bucket>arn:aws:s3:::media-ireland</Bucket><StorageClass>STANDARD_IA</StorageClass></Destination></Rule>
<Rule><ID>was</ID><Priority>2</Priority><Status>Disabled</Status><Filter><Prefix>faces/</Prefix></Filter>
<DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>
<Destination><Account>444455556666</Account><Bucket>arn:aws:s3:::media-archive</Bucket></Destination></Rule>
</ReplicationConfiguration>"""


def refusal(code):
    return f"<Error><Code>{code}</Code><Message>told</Message><RequestId>1</RequestId></Error>"


class _Raw:
    def __init__(self, body):
        self._body = body.encode()

    def stream(self, **_):
        yield self._body


def store(status, body):
    """A store whose server gives this answer to every question, without network."""
    client = boto3.client("s3", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    client.meta.events.register(
        "before-send.s3", lambda request, **_: AWSResponse(request.url, status, {}, _Raw(body))
    )
    return S3MediaStore(client)


def test_every_destination_counts_also_of_a_rule_that_is_switched_off():
    # What was copied before the rule was switched off is still there.
    assert store(200, TWO_RULES).replication_targets("media") == {"media-ireland", "media-archive"}


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "ReplicationConfigurationNotFoundError"), (501, "NotImplemented"), (405, "MethodNotAllowed")],
)
def test_a_bucket_without_rules_or_a_server_that_cannot_copy_has_no_destination(status, code):
    assert store(status, refusal(code)).replication_targets("media") == frozenset()


def test_a_question_that_is_not_allowed_is_no_answer():
    with pytest.raises(AccessError, match="where the bucket is copied to"):
        store(403, refusal("AccessDenied")).replication_targets("media")
