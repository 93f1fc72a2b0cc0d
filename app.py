"""What is deployed, and every difference between environments: context in cdk.json, or `-c name=value`."""

import json
import sys

from infra import ROOT  # first: it chooses the Node that the CDK starts when it is imported

# isort: split
from aws_cdk import App, Validations
from aws_cdk import aws_logs as logs
from cdk_nag import AwsSolutionsChecks

from demarc.authoring.compile import MatrixInvalid, compile_matrix
from infra.bundle import build
from infra.encryption import Encryption
from infra.stack import DemarcStack


def main() -> None:
    # The CDK's command line passes this on by itself; read here too, so that `python app.py` needs no command line.
    app = App(context=json.loads((ROOT / "cdk.json").read_text())["context"])
    try:
        matrix = compile_matrix(ROOT / app.node.get_context("matrix"))
    except MatrixInvalid as problems:
        sys.exit(f"{problems}\nThe matrix cannot be deployed.")
    bundle = build(matrix, ROOT / "build" / "function")
    sys.stderr.write(f"bundle: {bundle}\n")
    DemarcStack(
        app,
        app.node.get_context("stack"),
        matrix=matrix,
        bundle=bundle,
        encryption=Encryption(app.node.get_context("encryption")),
        log_retention=logs.RetentionDays[app.node.get_context("log_retention")],
        operators=matrix.organization.teams[app.node.get_context("operators")].email,
    )
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()


if __name__ == "__main__":
    main()
