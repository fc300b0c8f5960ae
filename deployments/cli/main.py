"""The `labelloop` command: the verbs and where each lives; modules are imported only when called.

One line registers a verb, `command("package.module:function", name="verb")`. This file imports neither
Prefect nor any SDK, so `labelloop --help` answers at once.
"""

from __future__ import annotations

import sys
import traceback

from cyclopts import App, CycloptsError
from rich.console import Console

from deployments.cli import environment
from labelloop.errors import ConfigurationError, DataError, LabelloopError

app = App(
    name="labelloop",
    help="The human side of a machine-learning project as Prefect flows.",
    help_format="plaintext",
)
app.command("deployments.cli.stack_verbs:up", name="up", help="Start the local stack.")
app.command("deployments.cli.stack_verbs:down", name="down", help="End the local stack.")
app.command("deployments.cli.stack_verbs:status", name="status", help="Show how the local stack is.")
app.command("deployments.cli.demo_verb:demo", name="demo", help="Turn the whole loop on real images.")
app.command("deployments.cli.flow_verbs:run", name="run", help="Run a flow here and now.")
app.command("deployments.cli.statistics_verbs:agreement", name="agreement", help="Measure how far annotators agree.")
app.command("deployments.cli.statistics_verbs:consensus", name="consensus", help="Write one label for each unit.")
app.command(
    "deployments.cli.convert_verb:convert", name="convert", help="Write an export of Label Studio as typed rows."
)
app.command("deployments.cli.sampling_verbs:sample", name="sample", help="Choose what is most worth labelling.")
app.command("deployments.cli.forecast_verb:forecast", name="forecast", help="Foresee when open work is done.")
app.command("deployments.cli.doctor_verb:doctor", name="doctor", help="Check settings, servers and specs one by one.")
app.command("deployments.cli.alarm_verb:alarm", name="alarm", help="Have people called when agreement is low.")
app.command("deployments.cli.quarantine_verb:quarantine", name="quarantine", help="Show which rows were refused.")
app.command("deployments.cli.spec_verbs:init", name="init", help="Write a spec of a labelling project to edit.")
app.command("deployments.cli.adopt_verb:adopt", name="adopt", help="Take over a project of Label Studio.")
app.command("deployments.cli.plan_verbs:plan", name="plan", help="Show what would change in Label Studio.")
app.command("deployments.cli.plan_verbs:apply", name="apply", help="Change in Label Studio what plan shows.")
spec = App(name="spec", help="Check a spec of a labelling project, or show its fields.")
spec.command("deployments.cli.spec_verbs:check", name="check", help="Say that a spec is right, or all that is not.")
spec.command("deployments.cli.spec_verbs:schema", name="schema", help="Print the JSON Schema of a spec.")
app.command(spec)
interface = App(name="interface", help="Build the labelling interface of a spec, or lint one.")
interface.command("deployments.cli.interface_verbs:build", name="build", help="Write a spec's interface as XML.")
interface.command(
    "deployments.cli.interface_verbs:validate", name="validate", help="Name all that is wrong with one."
)
interface.command("deployments.cli.interface_verbs:preview", name="preview", help="Draw what annotators would see.")
app.command(interface)
dataset = App(name="dataset", help="Show the training sets of a project.")
dataset.command("deployments.cli.dataset_verbs:list_datasets", name="list", help="List them, oldest first.")
dataset.command("deployments.cli.dataset_verbs:show", name="show", help="Show the card of one.")
dataset.command("deployments.cli.dataset_verbs:diff", name="diff", help="Count what changed between two.")
dataset.command("deployments.cli.dataset_verbs:lineage", name="lineage", help="Show where one came from and went.")
app.command(dataset)

erase = App(name="erase", help="Ask for erasures, carry them out, check them.")
erase.command("deployments.cli.erasure_verbs:request", name="request", help="Record a request from a file or stdin.")
erase.command("deployments.cli.erasure_verbs:plan", name="plan", help="Count what open requests would reach.")
_DECISIONS = "deployments.cli.erasure_decision_verbs"
erase.command(f"{_DECISIONS}:approve", name="approve", help="Stand behind a large request as a second person.")
erase.command(f"{_DECISIONS}:extend", name="extend", help="Move a deadline, once and in time.")
erase.command(f"{_DECISIONS}:lift", name="lift", help="End the suppression of a request.")
erase.command(f"{_DECISIONS}:take_back", name="take-back", help="Write a refused request file out to be mended.")
erase.command("deployments.cli.erasure_verbs:run", name="run", help="Carry out open requests.")
erase.command("deployments.cli.erasure_verbs:status", name="status", help="List requests and their deadlines.")
erase.command("deployments.cli.erasure_verbs:verify", name="verify", help="Check that nothing has come back.")
erase.command("deployments.cli.erasure_verbs:replay", name="replay", help="Erase what a backup brought back.")
app.command(erase)
receipt = App(name="receipt", help="Show and verify erasure receipts.")
receipt.command("deployments.cli.receipt_verbs:show", name="show", help="Write a receipt as JSON.")
receipt.command("deployments.cli.receipt_verbs:key", name="key", help="Write the public keys of receipts as PEM.")
receipt.command("deployments.cli.receipt_verbs:verify", name="verify", help="Verify a receipt, offline.")
app.command(receipt)


def main() -> None:
    """Run the command line; exit code 0 done, 1 failed, 2 bad usage or input, never a traceback for our errors."""
    environment.load()
    try:
        app(sys.argv[1:], exit_on_error=False)
    except CycloptsError:
        sys.exit(2)  # cyclopts has said what is wrong
    except LabelloopError as error:
        Console(stderr=True, highlight=False).print(f"labelloop: {error}", markup=False, soft_wrap=True)
        # What frames still hold of DuckDB at the end would be told as a leak, a hundred lines long.
        traceback.clear_frames(error.__traceback__)
        sys.exit(2 if isinstance(error, (ConfigurationError, DataError)) else 1)


if __name__ == "__main__":
    main()
