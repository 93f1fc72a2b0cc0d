"""A small organization for tests: two teams, a shared account and one that a team has to itself."""

from __future__ import annotations

from datetime import UTC, datetime

from demarc.authoring.compile import CompiledMatrix
from demarc.core.matrix import (
    Account,
    Assignment,
    Line,
    Matrix,
    Organization,
    Person,
    Responsibility,
    RiskException,
    Roles,
    Team,
    Workload,
)
from demarc.core.model import OCCURRENCE, Control, Layer, Party, Severity, Tier

SHARED, OWNED = "123456789012", "777788889999"


def organization(**changes: object) -> Organization:
    facts: dict[str, object] = {
        "id": "o-exampleorgid",
        "name": "Example",
        "governance": "grc",
        "owner_tags": ("owner", "team"),
        "workload_tag": "workload",
        "deadlines": {Severity.CRITICAL: 24, Severity.HIGH: 72, Severity.MEDIUM: 336, Severity.LOW: 720}
        | {Severity.INFORMATIONAL: 1440},
        "teams": {
            "payments": Team("payments", "Payments", "payments@example.com", "jonas", "#payments"),
            "platform": Team("platform", "Platform", "platform@example.com", "mara", "#platform"),
            "grc": Team("grc", "Governance", "grc@example.com", "helena"),
        },
        "people": {
            "jonas": Person("jonas", "Jonas Weber", "jonas@example.com", "payments"),
            "aiko": Person("aiko", "Aiko Tanaka", "aiko@example.com", "payments"),
            "mara": Person("mara", "Mara Lindqvist", "mara@example.com", "platform"),
            "helena": Person("helena", "Helena Novak", "helena@example.com", "grc"),
        },
        "accounts": {
            SHARED: Account(SHARED, "production", "production"),
            OWNED: Account(OWNED, "development", "development", team="platform"),
        },
        "workloads": {"vault": Workload("vault", "Card vault", Tier.PAAS, "payments")},
        "assignments": (
            Assignment(
                "vault-network",
                "platform",
                "Platform runs the vault's network",
                layers=(Layer.NETWORK_CONFIGURATION,),
                workloads=("vault",),
            ),
            Assignment("vault", "payments", "Payments runs the vault", person="aiko", workloads=("vault",)),
            Assignment("logs", "platform", "Platform keeps the logs", arns=("arn:aws:s3:::logs-*",)),
        ),
        "exceptions": (
            RiskException(
                "RISK-1",
                "bucket-is-logged",
                "arn:aws:s3:::logs-*",
                "it is the log bucket",
                "helena",
                datetime(2027, 1, 1, tzinfo=UTC),
            ),
        ),
        "roles": Roles(
            pipelines=("arn:aws:iam::*:role/deploy-*",),
            break_glass=("arn:aws:iam::*:role/break-glass",),
            demarc=("arn:aws:iam::*:role/Demarc-*",),
        ),
    }
    return Organization(**(facts | changes))  # type: ignore[arg-type]


def responsibility() -> Responsibility:
    line = Line(Party.CUSTOMER, "AWS enforces what we set; what we set is ours.")
    engine = Line(Party.SHARED, "AWS publishes versions; we choose one.")
    lines = dict.fromkeys(Layer, line) | {Layer.RUNTIME: engine}
    return Responsibility(
        tiers={"AWS::S3::Bucket": Tier.PAAS, "AWS::EC2::SecurityGroup": Tier.IAAS, OCCURRENCE: Tier.PAAS},
        lines=dict.fromkeys(Tier, lines),
    )


def compiled(ours: Organization, *controls: Control) -> CompiledMatrix:
    """The matrix of an organization, as it is deployed."""
    rows: dict[str, tuple[Control, ...]] = {}
    for control in controls:
        rows[control.resource_type] = (*rows.get(control.resource_type, ()), control)
    return CompiledMatrix("test", ours, responsibility(), rows)


def matrix_of(*controls: Control, **changes: object) -> Matrix:
    return compiled(organization(**changes), *controls).matrix()
