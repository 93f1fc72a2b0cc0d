"""What database instances must have that depends on their engine or on the day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from demarc.checks import NotApplicable, needs
from demarc.core.model import Drift
from demarc.core.snapshot import Snapshot

# The port that RDS proposes for each engine (Amazon RDS API Reference, CreateDBInstance, Port).
_DEFAULT_PORTS = {
    "db2": "50000",
    "mariadb": "3306",
    "mysql": "3306",
    "oracle": "1521",
    "postgres": "5432",
    "sqlserver": "1433",
}


@needs("Engine", "EnableCloudwatchLogsExports")
def publishes_the_logs_of_its_engine(snapshot: Snapshot, *, logs: Mapping[str, Sequence[str]]) -> Iterator[Drift]:
    """Each log of the engine that is not sent to CloudWatch Logs (NIST SP 800-53 AU-2, AU-12; Security Hub RDS.9).

    Args:
        snapshot: a DB instance.
        logs: the log types that must be sent, by family of engines (`oracle` for oracle-ee, oracle-se2 ...).

    Raises:
        NotApplicable: if the row lists no logs for the engine.
    """
    engine = _family(snapshot)
    if engine not in logs:
        raise NotApplicable(f"no logs are listed for {snapshot['Engine']}")
    sent = snapshot["EnableCloudwatchLogsExports"] or []
    missing = [log for log in logs[engine] if log not in sent]
    if missing:
        because = f"{', '.join(missing)} not sent to CloudWatch Logs"
        yield Drift("EnableCloudwatchLogsExports", sorted(logs[engine]), sorted(sent), because)


@needs("Engine", "Port")
def listens_on_a_port_of_its_own(snapshot: Snapshot) -> Iterator[Drift]:
    """The engine's default port is the first that a scanner tries (NIST SP 800-53 SC-7; Security Hub RDS.23)."""
    default = _DEFAULT_PORTS.get(_family(snapshot))
    port = snapshot["Port"]
    if port is not None and port == default:
        yield Drift("Port", {"none_of": [default]}, port, f"{port} is the default of {snapshot['Engine']}")


@needs("CertificateDetails")
def server_certificate_lasts(snapshot: Snapshot, *, days: int) -> Iterator[Drift]:
    """A certificate that runs out breaks every client that verifies it, or teaches it not to (NIST SP 800-53 SC-17)."""
    until = snapshot["CertificateDetails.ValidTill"]
    if until is not None and datetime.fromisoformat(until) - snapshot.observed_at < timedelta(days=days):
        yield Drift("CertificateDetails.ValidTill", f"at least {days} days from now", until)


@needs("Engine", "EngineVersion")
def engine_version_is_in_standard_support(
    snapshot: Snapshot, *, ends: Mapping[str, Mapping[str, str]]
) -> Iterator[Drift]:
    """The engine's major version still gets the community's fixes (NIST SP 800-53 SI-2, SA-22).

    Args:
        snapshot: a DB instance.
        ends: the last day of standard support (YYYY-MM-DD) by engine and major version. A version that is not listed
            is taken to be supported: AWS announces an end years ahead, and it is added here then.
    """
    version = str(snapshot["EngineVersion"])
    for major, end in ends.get(snapshot["Engine"], {}).items():
        if f"{version}.".startswith(f"{major}.") and snapshot.observed_at.date() > date.fromisoformat(end):
            yield Drift("EngineVersion", f"later than {major}", version, f"standard support of {major} ended on {end}")


def _family(snapshot: Snapshot) -> str:
    """`oracle` for oracle-ee and oracle-se2-cdb; the engine itself where it has no editions."""
    return str(snapshot["Engine"]).partition("-")[0]
