"""What databases, and their groups of parameters and options, must have that depends on their engine or on the day."""

from __future__ import annotations

import re
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


# --- groups of parameters and of options -----------------------------------------------------------------------------


_FAMILY = re.compile(r"(?P<engine>.+?)-?(?P<version>\d[\d.]*)")
_ON = ("1", "on")


@needs("Family", "Observed.Parameters")
def parameters_require_tls(
    snapshot: Snapshot, *, switches: Mapping[str, str], since: Mapping[str, str]
) -> Iterator[Drift]:
    """That no connection is taken in the clear (NIST SP 800-53 SC-8; Security Hub RDS.38, RDS.39, RDS.41, RDS.44).

    Args:
        snapshot: a group of parameters.
        switches: by engine, or by the first word of several (`sqlserver`), the parameter that requires TLS.
        since: by engine, the first version that requires it where nobody says otherwise.

    Raises:
        NotApplicable: if the row knows no parameter of the engine.
    """
    engine, version = _engine_and_version(snapshot["Family"] or "")
    name = switches.get(engine) or switches.get(engine.partition("-")[0])
    if name is None:
        raise NotApplicable(f"no parameter of {engine} requires TLS")
    value = snapshot[f"Observed.Parameters.{name}"]
    if _folded(value) not in _ON and not (value is None and _is_since(since.get(engine), version)):
        yield Drift(f"Observed.Parameters.{name}", {"one_of": ["1", "ON"]}, value)


@needs("DBParameterGroupName")
def default_group_requires_tls(snapshot: Snapshot, *, since: Mapping[str, str | None]) -> Iterator[Drift]:
    """That an instance which runs with AWS's own group of parameters is of a version that requires TLS by itself.

    Amazon RDS User Guide, "Requiring SSL/TLS for all connections" (of MySQL, of MariaDB) and "Using SSL with a
    PostgreSQL DB instance". A group of ours is judged where it is.

    Args:
        snapshot: a DB instance.
        since: by engine, or by the first word of several, the first such version; null for an engine without.
    """
    yield from _default_requires_tls(snapshot, "DBParameterGroupName", since)


@needs("DBClusterParameterGroupName")
def default_cluster_group_requires_tls(snapshot: Snapshot, *, since: Mapping[str, str | None]) -> Iterator[Drift]:
    """The same of a cluster (Amazon Aurora User Guide, "Securing Aurora PostgreSQL data with SSL/TLS" and "Comparing
    Aurora MySQL version 3 and Aurora MySQL version 8.4").

    Args:
        snapshot: a cluster.
        since: as above.
    """
    yield from _default_requires_tls(snapshot, "DBClusterParameterGroupName", since)


def _default_requires_tls(snapshot: Snapshot, path: str, since: Mapping[str, str | None]) -> Iterator[Drift]:
    name = snapshot[path] or ""
    if not name.startswith("default."):
        raise NotApplicable("its group of parameters is not AWS's own")
    engine, version = _engine_and_version(name.removeprefix("default."))
    known = next((each for each in (engine, engine.partition("-")[0]) if each in since), None)
    if known is None:
        raise NotApplicable(f"no parameter of {engine} requires TLS")
    if not _is_since(since[known], version):
        yield Drift(
            path, "a group that requires TLS", name, because="it cannot be changed, and takes plain connections"
        )


def _engine_and_version(family: str) -> tuple[str, str]:
    """`aurora-mysql` and `8.0` of aurora-mysql8.0, `sqlserver-ee` and `15.0` of sqlserver-ee-15.0."""
    found = _FAMILY.fullmatch(family)
    return (found["engine"], found["version"]) if found else (family, "")


def _is_since(first: str | None, version: str) -> bool:
    return bool(first and version) and _numbers(version) >= _numbers(first)


def _numbers(version: str | None) -> list[int]:
    return [int(each) for each in (version or "").split(".") if each]


@needs("Observed.Engine", "Observed.Parameters")
def parameters_are(
    snapshot: Snapshot, *, required: Mapping[str, Mapping[str, Sequence[str | None]]]
) -> Iterator[Drift]:
    """Each parameter with a value that its engine should not run with (NIST SP 800-53 CM-6).

    Args:
        snapshot: a group of parameters.
        required: by engine or by the first word of several (`sqlserver`), the values that each parameter may have; with
            null among them also none, which leaves it to the engine.

    Raises:
        NotApplicable: if the row asks nothing of the engine.
    """
    engine = snapshot["Observed.Engine"] or ""
    wanted = next((each for each in required if engine == each or engine.startswith(f"{each}-")), None)
    if wanted is None:
        raise NotApplicable(f"nothing is asked of {engine}")
    for name, allowed in required[wanted].items():
        actual = snapshot[f"Observed.Parameters.{name}"]
        if _folded(actual) not in map(_folded, allowed):
            yield Drift(f"Observed.Parameters.{name}", {"one_of": list(allowed)}, actual)


def _folded(value: str | None) -> str | None:
    """MySQL takes ON and on alike, and lists with blanks in them."""
    return value.lower().replace(" ", "") if value is not None else None


_POSTGRES = ("postgres", "aurora-postgresql")


@needs("Observed.Engine", "Observed.Parameters")
def statements_are_logged(snapshot: Snapshot) -> Iterator[Drift]:
    """That PostgreSQL logs what changes its tables and rights, by itself or by pgAudit (NIST SP 800-53 AU-2, AU-12).

    Amazon RDS User Guide, "Using pgAudit to log database activity": it is loaded with the server, and told what to log.
    """
    if snapshot["Observed.Engine"] not in _POSTGRES:
        raise NotApplicable(f"{snapshot['Observed.Engine']} is told by other means")
    found = snapshot["Observed.Parameters"] or {}
    loaded = "pgaudit" in found.get("shared_preload_libraries", "").split(",")
    audits = loaded and found.get("pgaudit_log", "none").lower() not in ("", "none")
    if not audits and found.get("log_statement") not in ("ddl", "mod", "all"):
        yield Drift("Observed.Parameters.log_statement", {"one_of": ["ddl", "mod", "all"]}, found.get("log_statement"))


_NATIVE, _TLS = "NATIVE_NETWORK_ENCRYPTION", "SSL"


@needs("EngineName", "OptionConfigurations")
def connections_are_encrypted(snapshot: Snapshot) -> Iterator[Drift]:
    """That Oracle speaks TLS, or encrypts by itself and takes no connection without (NIST SP 800-53 SC-8).

    Amazon RDS User Guide, "Oracle Secure Sockets Layer" and "Oracle native network encryption": one of them, not both.
    """
    options = _options(snapshot)
    if _TLS in options:
        return
    said = options.get(_NATIVE, {}).get("SQLNET.ENCRYPTION_SERVER")
    if said != "REQUIRED":
        yield Drift(
            "OptionConfigurations",
            f"{_TLS}, or {_NATIVE} with SQLNET.ENCRYPTION_SERVER REQUIRED",
            f"{_NATIVE} with {said}" if _NATIVE in options else "neither",
        )


# What Oracle itself calls not secure, each with the words that give it away.
_WEAK = {
    "SQLNET.ALLOW_WEAK_CRYPTO": ("TRUE",),
    "SQLNET.ALLOW_WEAK_CRYPTO_CLIENTS": ("TRUE",),
    "SQLNET.CRYPTO_CHECKSUM_TYPES_SERVER": ("MD5", "SHA1"),
    "SQLNET.ENCRYPTION_TYPES_SERVER": ("RC4", "DES"),
    "SQLNET.SSL_VERSION": ("1.0",),
}


@needs("EngineName", "OptionConfigurations")
def ciphers_are_strong(snapshot: Snapshot) -> Iterator[Drift]:
    """Each setting that lets a client choose what can be broken (NIST SP 800-53 SC-13; Amazon RDS User Guide,
    "NATIVE_NETWORK_ENCRYPTION option settings").

    Raises:
        NotApplicable: if the group has nothing that encrypts.
    """
    encrypting = {name: settings for name, settings in _options(snapshot).items() if name in (_NATIVE, _TLS)}
    if not encrypting:
        raise NotApplicable("nothing in it encrypts connections")
    for name, settings in encrypting.items():
        for setting, weak in _WEAK.items():
            found = settings.get(setting) or ""
            if any(_is_among(word, found) for word in weak):
                yield Drift("OptionConfigurations", f"{setting} without {', '.join(weak)}", found, f"set for {name}")


def _is_among(word: str, found: str) -> bool:
    """RC4 is in RC4_256 and DES in 3DES168; SHA1 is itself alone."""
    listed = [each.strip() for each in re.split(r",|\bor\b", found)]
    return any(each == word if word == "SHA1" else word in each for each in listed)


def _options(snapshot: Snapshot) -> dict[str, dict[str, str]]:
    """Options by their names, with their settings; of Oracle.

    Raises:
        NotApplicable: if the group is for another engine.
    """
    if "oracle" not in (snapshot["EngineName"] or ""):
        raise NotApplicable(f"it is for {snapshot['EngineName']}")
    return {
        each.get("OptionName", ""): {
            setting["Name"]: setting.get("Value", "") for setting in each.get("OptionSettings", ())
        }
        for each in snapshot["OptionConfigurations"] or ()
    }


@needs("EngineName", "OptionConfigurations")
def options_audit(snapshot: Snapshot, *, options: Mapping[str, str]) -> Iterator[Drift]:
    """That the option is there by which an engine writes down who did what (NIST SP 800-53 AU-2, AU-12).

    Args:
        snapshot: a group of options.
        options: by engine, or by the first word of several (`sqlserver`), the option.

    Raises:
        NotApplicable: if the engine has no such option.
    """
    engine = snapshot["EngineName"] or ""
    wanted = options.get(engine.partition("-")[0])
    if wanted is None:
        raise NotApplicable(f"{engine} audits by other means")
    if all(each.get("OptionName") != wanted for each in snapshot["OptionConfigurations"] or ()):
        yield Drift("OptionConfigurations", wanted, "none", because="it is what writes down who did what")
