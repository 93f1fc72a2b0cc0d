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


@needs("SourceType", "EventCategories", "Enabled")
def subscription_tells_what_matters(snapshot: Snapshot, *, categories: Mapping[str, Sequence[str]]) -> Iterator[Drift]:
    """Each kind of event that a subscription to a source should tell and does not (NIST SP 800-53 SI-4(12), CA-7).

    Args:
        snapshot: a subscription.
        categories: by kind of source, the categories that matter. A subscription without categories tells all of them.
    """
    wanted = categories.get(snapshot["SourceType"] or "", ())
    told = snapshot["EventCategories"] or ()
    if snapshot["Enabled"] is False:
        yield Drift("Enabled", True, False, because="the subscription tells nobody")
    missing = [each for each in wanted if told and each not in told]
    if missing:
        yield Drift("EventCategories", list(wanted), list(told), because=f"nobody hears of {', '.join(missing)}")


def _family(snapshot: Snapshot) -> str:
    """`oracle` for oracle-ee and oracle-se2-cdb; the engine itself where it has no editions."""
    return str(snapshot["Engine"]).partition("-")[0]


@needs("Observed.Zones", "Observed.MultiAZ")
def cluster_can_fail_over(snapshot: Snapshot) -> Iterator[Drift]:
    """That another instance can take over (NIST SP 800-53 CP-10, SC-36; Security Hub RDS.15)."""
    instances = snapshot["Observed.Zones"] or 0
    if not snapshot["Observed.MultiAZ"] and instances < 2:
        yield Drift("Observed.Zones", {"at_least": 2}, instances)


@needs("Engine", "EnableCloudwatchLogsExports")
def cluster_publishes_logs(snapshot: Snapshot, *, logs: Mapping[str, Sequence[str]]) -> Iterator[Drift]:
    """Each log of its engine that a cluster sends nowhere (NIST SP 800-53 AU-2, AU-12; Security Hub RDS.34, RDS.37).

    Args:
        snapshot: a cluster.
        logs: by engine, the logs that matter.
    """
    wanted = logs.get(snapshot["Engine"] or "", ())
    sent = snapshot["EnableCloudwatchLogsExports"] or ()
    if any(each not in sent for each in wanted):
        yield Drift("EnableCloudwatchLogsExports", list(wanted), list(sent))


@needs("EnableCloudwatchLogsExports")
def publishes_its_audit_log(snapshot: Snapshot) -> Iterator[Drift]:
    """That the audit log is sent to CloudWatch (NIST SP 800-53 AU-2, AU-12; Security Hub DocumentDB.4, Neptune.2)."""
    sent = snapshot["EnableCloudwatchLogsExports"] or ()
    if "audit" not in sent:
        yield Drift("EnableCloudwatchLogsExports", ["audit"], list(sent))
