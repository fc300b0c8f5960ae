"""People are called when agreement is low: by an automation of the Prefect server, through a block of its own.

Which people and how (Slack, Teams, e-mail, any webhook) the block says, so no address or secret is known here.
"""

from __future__ import annotations

from uuid import UUID

from prefect.automations import AutomationCore, EventTrigger, Posture, SendNotification
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound

from deployments.prefect_api import prefect_errors
from labelloop.errors import InputError

NAME = "Call people when agreement is low"
_SUBJECT = "Annotators of {{ event.resource.id.split('.')[-1] }} disagree"
_BODY = (
    "Agreement on {{ event.payload.control }} is {{ event.payload.alpha|round(2) }}, below the alarm at "
    "{{ event.payload.alarm }}. The report, which is being written, shows between whom and on which labels."
)


def call_people(block: str) -> None:
    """Have the Prefect server tell the block whenever a night measures agreement below the alarm; repeatable.

    Args:
        block: type and name of a notification block, as `slack-webhook/leads`.

    Raises as `prefect_errors`, and

    Raises:
        InputError: there is no such block, or it cannot notify.
    """
    kind, _, name = block.partition("/")
    with prefect_errors(), get_client(sync_client=True) as client:
        try:
            found = client.read_block_document_by_name(name, kind)
        except ObjectNotFound:
            raise InputError(f"Prefect has no block {block!r}", remedy="make it in the Prefect UI, Blocks") from None
        if found.block_schema is None or "notify" not in found.block_schema.capabilities:
            raise InputError(f"the block {block!r} cannot notify", remedy="choose one of the notification blocks")
        earlier = client.read_automations_by_name(NAME)
        if earlier:
            client.update_automation(earlier[0].id, _automation(found.id))
        else:
            client.create_automation(_automation(found.id))


def _automation(block: UUID) -> AutomationCore:
    trigger = EventTrigger(
        expect={"labelloop.agreement.low"},
        match={"prefect.resource.id": "labelloop.project.*"},
        posture=Posture.Reactive,
        threshold=1,
    )
    told = SendNotification(block_document_id=block, subject=_SUBJECT, body=_BODY)
    about = "The night measured agreement below quality.alarm of a spec. Written by `labelloop alarm`."
    return AutomationCore(name=NAME, description=about, trigger=trigger, actions=[told])
