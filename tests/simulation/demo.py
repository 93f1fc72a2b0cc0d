"""`make demo`: the story on embedded AWS, from the call that somebody makes to the message that their team receives.

Findings that are shown come out of DynamoDB, messages out of SNS, verdicts out of the functions' logs; the script knows
the people and their deeds, and nothing of what Demarc makes of them.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from moto import mock_aws
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from demarc.core.actor import identify
from demarc.core.announcement import spoken
from demarc.core.model import Finding, Severity, Status
from tests.infrastructure.synthesis import ROOT, Assembly, synthesise
from tests.simulation.cloud import Cloud, Letter, deploy
from tests.simulation.story import story
from tests.simulation.trail import Trail

# IAM's events arrive in us-east-1 and nowhere else, so that is where one deployment sees the whole story.
ACCOUNT, REGION = "123456789012", "us-east-1"
WIDTH = 110

# How many messages of one scene are shown, and how many subjects of one team.
_SHOWN, _LISTED = 6, 12

_SEVERITIES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFORMATIONAL: "dim",
}
_STATUSES = {Status.OPEN: "bold red", Status.ACCEPTED: "magenta", Status.RESOLVED: "bold green", Status.GONE: "green"}
_VERDICTS = {
    "COMPLIANT": "hold",
    "NON_COMPLIANT": "broken",
    "NOT_APPLICABLE": "not applicable",
    "INSUFFICIENT_DATA": "without evidence",
}


def main() -> int:
    console = Console(highlight=False)
    if console.width > WIDTH or not console.is_terminal:
        console = Console(width=WIDTH, highlight=False)
    console.print(Rule("[bold]Demarc[/]: a day at Fjordline Travel, on AWS as moto plays it"))
    console.print("synthesising what would be deployed ...", style="dim")
    assembled = ROOT / "build" / "demo"
    shutil.rmtree(assembled, ignore_errors=True)
    assembly = synthesise(assembled, {})
    forget_aws()
    with mock_aws():
        return play(console, assembly)


def forget_aws() -> None:
    """Whatever account this machine can reach, nothing here may touch it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
    os.environ |= dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "demo")


def play(console: Console, assembly: Assembly) -> int:
    """Deploy, live through the day, and show what became of it; 1 if anything was left unprocessed."""
    cloud = deploy(assembly, account=ACCOUNT, region=REGION)
    show_deployment(console, cloud)
    trail = Trail(ACCOUNT, REGION)
    received: dict[str, list[Letter]] = {team: [] for team in cloud.mailboxes}
    for number, scene in enumerate(story(trail), start=1):
        console.print()
        console.print(Rule(f"[bold]{number}. {escape(scene)}[/]", align="left", style="blue"))
        show_events(console, [(envelope["detail"], cloud.put(envelope)) for envelope in trail.take()])
        cloud.run()
        show_verdicts(console, cloud.logged())
        fresh = {team: list(cloud.letters(team)) for team in cloud.mailboxes}
        show_news(console, [letter for letters in fresh.values() for letter in letters])
        for team, letters in fresh.items():
            received[team] += letters
    show_findings(console, cloud.store.find())
    show_letters(console, received)
    return show_what_is_left(console, cloud)


def show_deployment(console: Console, cloud: Cloud) -> None:
    console.print(
        f"deployed: a table, {len(cloud.functions)} functions with queues, {len(cloud.rules)} rules, a topic that"
        f" {len(cloud.mailboxes)} teams listen to;\nnot played by moto, so left out: {', '.join(cloud.left_out)}",
        style="dim",
    )


# --- as it goes ------------------------------------------------------------------------------------------------------


def show_events(console: Console, passed_on: Iterable[tuple[Mapping[str, Any], Sequence[str]]]) -> None:
    """The calls, who made them, and where EventBridge passed them on to; like calls in a row are told together."""
    for told, events in groupby(passed_on, key=lambda each: (*_who(each[0]), _fate(*each))):
        name, kind, via, fate = told
        calls = [record for record, _ in events]
        service = calls[0]["eventSource"].removesuffix(".amazonaws.com")
        names = ", ".join(record["eventName"] for record in calls)
        _print(console, f"[bold]{escape(name)}[/] ({kind}, {via}) calls {service}: {escape(names)}")
        _print(console, fate)


def _print(console: Console, line: str) -> None:
    console.print(Padding(line, (0, 2), expand=False))


def _who(record: Mapping[str, Any]) -> tuple[str, str, str]:
    actor, via, _ = identify(record)
    return actor.name, actor.kind.value, via.value


def _fate(record: Mapping[str, Any], responders: Sequence[str]) -> str:
    if refused := record.get("errorCode"):
        return (
            f"[red]AWS refuses: {escape(refused)}[/][dim]; EventBridge keeps it, no rule asks for calls that failed[/]"
        )
    return f"[dim]to the {' and '.join(responders)} responder[/]" if responders else "[dim]no rule asks for these[/]"


def show_verdicts(console: Console, lines: Iterable[Mapping[str, Any]]) -> None:
    """What each function said it judged."""
    for line in lines:
        if line.get("message") == "judged":
            results = line["results"]
            said = ", ".join(f"{results[each]} {verb}" for each, verb in _VERDICTS.items() if each in results)
            verdict = "is gone" if line["gone"] else f"[dim]controls:[/] {said}"
            _print(console, f"{line['resource_type']} [bold]{escape(_named(line['resource']))}[/] {verdict}")


def _named(arn: str) -> str:
    *_, account, name = arn.split(":", 5)
    return account if name == "root" else name.rpartition("/")[2].rpartition(":")[2]


def show_news(console: Console, letters: Sequence[Letter]) -> None:
    """What was just announced: the weightiest in short, a few more by their headlines."""
    ranked = sorted(letters, key=lambda letter: (letter.body["status"] != Status.OPEN, _weight(letter)))
    if not ranked:
        _print(console, "[green]nothing to tell[/]")
        return
    console.print(_news(ranked[0]))
    table = Table.grid(padding=(0, 1))
    for letter in ranked[1:_SHOWN]:
        table.add_row(_headline(letter), Text(letter.body["attribution"]["owner"]["team"], style="cyan"))
    console.print(Padding(table, (0, 2), expand=False))
    if rest := len(ranked[_SHOWN:]):
        _print(console, f"[dim]and {rest} more[/]")


def _weight(letter: Letter) -> int:
    return list(Severity).index(letter.body["severity"])


def _headline(letter: Letter) -> Text:
    """The first line of the e-mail."""
    colours = _SEVERITIES if letter.body["status"] == Status.OPEN else _STATUSES
    key = "severity" if letter.body["status"] == Status.OPEN else "status"
    return Text(letter.text.partition("\n")[0], style=colours[letter.body[key]])


def _news(letter: Letter) -> Panel:
    body = letter.body
    table = Table.grid(padding=(0, 1))
    table.add_column(style="dim", no_wrap=True, min_width=9)
    table.add_column(overflow="fold")
    table.add_row("on", Text(f"{body['resource']['type']} {body['resource']['identifier']}", style="bold"))
    for drift in body["drift"][:2] if body["status"] != Status.GONE else ():
        table.add_row("is", Text(f"{drift['path']} = {spoken(drift['actual'])}"))
        table.add_row("must be", Text(f"{spoken(drift['required'])}{_reason(drift['because'])}"))
    attribution, owner = body["attribution"], body["attribution"]["owner"]
    table.add_row("whose", Text(f"{owner['person']}, team {owner['team']}: {owner['because']}", style="cyan"))
    table.add_row("the line", Text(f"{body['layer']} of {attribution['tier']}: {attribution['line']}"))
    ended = "ended by" if body["status"] == Status.GONE else "mended by"
    for label, cause in (("set by", body["cause"]), (ended, body["resolved_by"])):
        if cause:
            who = f"{cause['actor']['name']} ({cause['relation']}), {cause['event_name']} through {cause['via']}"
            table.add_row(label if cause["set_it"] else "seen with", Text(who, style="magenta"))
    return Panel(table, title=_headline(letter), title_align="left", padding=(0, 1))


def _reason(because: str) -> str:
    return f" ({because})" if because else ""


# --- at the end -------------------------------------------------------------------------------------------------------


def show_findings(console: Console, findings: Iterable[Finding]) -> None:
    """The table of findings, as it is in DynamoDB."""
    console.print()
    title = "Findings, out of DynamoDB, soonest due first"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    widths = {"status": 8, "severity": 8, "control": 48, "resource": 21, "owner": 16, "due": 6}
    for column, width in widths.items():
        table.add_column(column, overflow="fold", max_width=width)
    for finding in findings:
        owner = finding.attribution.owner
        table.add_row(
            Text(finding.status.value, style=_STATUSES[finding.status]),
            Text(finding.severity.value, style=_SEVERITIES[finding.severity]),
            escape(finding.control),
            escape(finding.resource.identifier),
            f"{owner.team}{' (gap)' if owner.attribution_gap else ''}",
            f"{finding.due_at:%d %b}" if finding.status is Status.OPEN else "",
        )
    console.print(table)


def show_letters(console: Console, received: Mapping[str, Sequence[Letter]]) -> None:
    """What each team received from SNS: every subject, and the weightiest message whole."""
    for team, letters in received.items():
        if not letters:
            continue
        console.print()
        console.print(Rule(f"What team [bold]{team}[/] received: {len(letters)} messages", align="left"))
        for letter in letters[:_LISTED]:
            console.print(f"  {escape(letter.subject)}")
        if len(letters) > _LISTED:
            console.print(f"  [dim]and {len(letters) - _LISTED} more[/]")
        worst = min(letters, key=_weight)
        console.print(Panel(Text(worst.text), title=escape(worst.subject), title_align="left"))


def show_what_is_left(console: Console, cloud: Cloud) -> int:
    """Say whether every event was settled and every finding told; 1 if not."""
    untold, dead = len(list(cloud.store.unannounced())), len(cloud.dead_letters())
    console.print()
    if untold or dead:
        console.print(f"[bold red]Left unprocessed: {dead} dead letters, {untold} findings that nobody was told of.[/]")
        return 1
    console.print("[green]Everything was processed: no dead letters, and every finding was told to its owner.[/]")
    return 0


if __name__ == "__main__":
    sys.exit(main())
