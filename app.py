"""What is deployed, and every difference between environments: context in cdk.json, or `-c name=value`."""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from infra import ROOT  # first: it chooses the Node that the CDK starts when it is imported

# isort: split
from aws_cdk import App, Validations
from aws_cdk import aws_logs as logs
from cdk_nag import AwsSolutionsChecks

from demarc.authoring.compile import MatrixInvalid, compile_matrix
from infra.bundle import build
from infra.encryption import Encryption
from infra.stack import Choices, DemarcStack

_SCHEDULE = re.compile(r"(rate|cron)\([^()]+\)")
# The characters of a secret's name (Secrets Manager API Reference, CreateSecret); empty for none.
_SECRET = re.compile(r"[\w/+=.@-]{0,512}", re.ASCII)
_URL = re.compile(r"(https://\S+)?")
_NUMBER = re.compile(r"\d{1,4}", re.ASCII)


def main() -> None:
    # The CDK's command line passes this on by itself; read here too, so that `python app.py` needs no command line.
    app = App(context=json.loads((ROOT / "cdk.json").read_text())["context"])
    try:
        matrix = compile_matrix(ROOT / app.node.get_context("matrix"))
    except MatrixInvalid as problems:
        sys.exit(f"{problems}\nThe matrix cannot be deployed.")
    teams = matrix.organization.teams
    choices = Choices(
        encryption=Encryption(_chosen(app, "encryption", list(Encryption))),
        log_retention=logs.RetentionDays[_chosen(app, "log_retention", logs.RetentionDays.__members__)],
        operators=teams[_chosen(app, "operators", teams)].email,
        sweep=_like(app, "sweep", _SCHEDULE, "a schedule expression of EventBridge such as cron(30 2 * * ? *)"),
        slack_secret=_like(app, "slack_secret", _SECRET, "the name of a secret in Secrets Manager") or None,
        answers_at_once=int(_like(app, "answers_at_once", _NUMBER, "a number")),
        pages_url=_like(app, "pages_url", _URL, "a URL that begins with https://") or None,
    )
    # The assembly keeps a copy of the bundle, so that several of us may synthesise at once.
    with TemporaryDirectory(prefix="demarc-") as folder:
        bundle = build(matrix, Path(folder) / "function")
        sys.stderr.write(f"bundle: {bundle}\n")
        DemarcStack(
            app,
            app.node.get_context("stack"),
            matrix=matrix,
            bundle=bundle,
            choices=choices,
            description="Demarc: configuration changes become attributed findings, tracked to resolution",
        )
        Validations.of(app).add_plugins(AwsSolutionsChecks(app))
        app.synth()


def _chosen(app: App, name: str, values: Iterable[str]) -> str:
    """A context value that is one of a few."""
    value = str(app.node.get_context(name))
    known = list(values)
    if value not in known:
        sys.exit(f"cdk.json or -c {name}=...: {value!r} is none of {', '.join(known)}")
    return value


def _like(app: App, name: str, form: re.Pattern[str], what: str) -> str:
    """A context value of some form."""
    value = str(app.node.get_context(name))
    if not form.fullmatch(value):
        sys.exit(f"cdk.json or -c {name}=...: {value!r} is not {what}")
    return value


if __name__ == "__main__":
    main()
