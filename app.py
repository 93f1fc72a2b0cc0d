"""What is deployed, and every difference between environments: context in cdk.json, or `-c name=value`."""

import json
import re
import sys
from collections.abc import Collection, Iterator, Mapping
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

# What a context value has to look like, and how that is said.
_FORMS = {
    # CloudFormation API Reference, CreateStack.
    "stack": (re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}", re.ASCII), "the name of a stack in CloudFormation"),
    "sweep": (re.compile(r"(rate|cron)\([^()]+\)"), "a schedule expression of EventBridge such as cron(30 2 * * ? *)"),
    # The characters of a secret's name (Secrets Manager API Reference, CreateSecret); empty for none.
    "slack_secret": (re.compile(r"[\w/+=.@-]{0,512}", re.ASCII), "the name of a secret in Secrets Manager"),
    "answers_at_once": (re.compile(r"\d{1,4}", re.ASCII), "a number"),
    "pages_url": (re.compile(r"(https://\S+)?"), "a URL that begins with https://"),
}


def main() -> None:
    # The CDK's command line passes this on by itself; read here too, so that `python app.py` needs no command line.
    app = App(context=json.loads((ROOT / "cdk.json").read_text())["context"])
    try:
        matrix = compile_matrix(ROOT / app.node.get_context("matrix"), stack=_given(app, "stack"))
    except MatrixInvalid as problems:
        sys.exit(f"{problems}\nThe matrix cannot be deployed.")
    teams = matrix.organization.teams
    known = {"encryption": list(Encryption), "log_retention": logs.RetentionDays.__members__, "operators": teams}
    if wrong := list(_wrong(app, known)):
        sys.exit("\n".join(wrong))
    choices = Choices(
        encryption=Encryption(_given(app, "encryption")),
        log_retention=logs.RetentionDays[_given(app, "log_retention")],
        operators=teams[_given(app, "operators")].email,
        sweep=_given(app, "sweep"),
        slack_secret=_given(app, "slack_secret") or None,
        answers_at_once=int(_given(app, "answers_at_once")),
        pages_url=_given(app, "pages_url") or None,
    )
    # The assembly keeps a copy of the bundle, so that several of us may synthesise at once.
    with TemporaryDirectory(prefix="demarc-") as folder:
        bundle = build(matrix, Path(folder) / "function")
        sys.stderr.write(f"bundle: {bundle}\n")
        DemarcStack(
            app,
            _given(app, "stack"),
            matrix=matrix,
            bundle=bundle,
            choices=choices,
            description="Demarc: configuration changes become attributed findings, tracked to resolution",
        )
        Validations.of(app).add_plugins(AwsSolutionsChecks(app))
        app.synth()


def _given(app: App, name: str) -> str:
    return str(app.node.get_context(name))


def _wrong(app: App, known: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Every context value that is none of those that are known, or not of its form."""
    for name, values in known.items():
        if (value := _given(app, name)) not in values:
            yield f"cdk.json or -c {name}=...: {value!r} is none of {', '.join(values)}"
    for name, (form, what) in _FORMS.items():
        if not form.fullmatch(value := _given(app, name)):
            yield f"cdk.json or -c {name}=...: {value!r} is not {what}"


if __name__ == "__main__":
    main()
