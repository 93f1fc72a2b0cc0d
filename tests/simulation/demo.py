"""`make demo`: the story on embedded AWS, from the call that somebody makes to the message that their team receives.

Findings that are shown come out of DynamoDB, letters out of SNS, chat out of a Slack on this machine, verdicts out of
the functions' logs; the script knows the people and their deeds, and nothing of what Demarc makes of them.
"""

from __future__ import annotations

import html
import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby
from typing import Any

import time_machine
from moto import mock_aws
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text
from time_machine import Traveller

from demarc.core.actor import identify
from demarc.core.announcement import SCHEMA, claim_of, findings_in, headline_of, said, spoken, was_of
from demarc.core.model import STANDING, TO_DO, Finding, Severity, Status
from tests.infrastructure.synthesis import ROOT, Assembly, synthesise
from tests.simulation.aftermath import Days
from tests.simulation.cloud import Cloud, Letter, deploy
from tests.simulation.slack import Slack
from tests.simulation.story import story
from tests.simulation.trail import Trail
from tests.simulation.workspace import Workspace, unhurried

# IAM's events arrive in us-east-1 and nowhere else, so that is where one deployment sees the whole story.
ACCOUNT, REGION = "123456789012", "us-east-1"
WIDTH = 110
MORNING = datetime(2026, 11, 24, 8, tzinfo=UTC)

# How many messages of one scene are shown, how many subjects of one team, how many messages of its channel.
_SHOWN, _LISTED, _POSTED = 6, 12, 4

_SEVERITIES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFORMATIONAL: "dim",
}
_STATUSES = {
    Status.OPEN: "bold red",
    Status.ACKNOWLEDGED: "yellow",
    Status.ACCEPTED: "magenta",
    Status.RESOLVED: "bold green",
    Status.GONE: "green",
}
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
    assembly = synthesise(assembled, {"slack_secret": "demarc/slack"})
    forget_aws()
    # A working day, so that nobody's quiet hours keep a message from being seen.
    with mock_aws(), Slack() as slack, unhurried(), time_machine.travel(MORNING, tick=True) as clock:
        return play(console, assembly, slack, clock)


def forget_aws() -> None:
    """Whatever account this machine can reach, nothing here may touch it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)
    os.environ |= dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "demo")


def play(console: Console, assembly: Assembly, slack: Slack, clock: Traveller) -> int:
    """Deploy, live through the days, and show what became of it; 1 if anything was left unprocessed."""
    cloud = deploy(assembly, account=ACCOUNT, region=REGION)
    cloud.pass_time = clock.shift
    workspace = Workspace(cloud, slack)
    workspace.install()
    show_deployment(console, cloud)

    def a_second_later() -> datetime:
        clock.shift(timedelta(seconds=1))
        return datetime.now(UTC)

    trail = Trail(ACCOUNT, REGION, clock=a_second_later)
    shown = _Shown(console, cloud, workspace)
    scenes = chain(story(trail), first_sweep(cloud), Days(cloud, trail, workspace, clock).story())
    for number, scene in enumerate(scenes, start=1):
        console.print()
        console.print(Rule(f"[bold]{number}. {escape(scene)}[/]", align="left", style="blue"))
        show_events(console, [(envelope["detail"], cloud.put(envelope)) for envelope in trail.take()])
        cloud.run()
        shown.news()
    show_findings(console, cloud.store.find())
    show_letters(console, shown.received)
    show_channel(console, workspace, "storefront")
    return show_what_is_left(console, cloud)


def first_sweep(cloud: Cloud) -> Iterator[str]:
    """The first time that everything is looked at, after the day that was told above."""
    cloud.fire("SweeperRequestsSchedule")
    yield "The first nightly sweep: what it finds beyond that is told in one digest per team"


class _Shown:
    """What was shown already, so that each scene shows what is new."""

    def __init__(self, console: Console, cloud: Cloud, workspace: Workspace) -> None:
        self._console = console
        self._cloud = cloud
        self._workspace = workspace
        self.received: dict[str, list[Letter]] = {team: [] for team in cloud.mailboxes}

    def news(self) -> None:
        show_verdicts(self._console, self._cloud.logged())
        fresh = {team: list(self._cloud.letters(team)) for team in self._cloud.mailboxes}
        letters = {(letter.subject, letter.text): letter for received in fresh.values() for letter in received}
        show_news(self._console, list(letters.values()))
        for whisper in self._workspace.whispered():
            _print(self._console, f"[dim]Slack, for their eyes only:[/] {escape(whisper)}")
        for team, received in fresh.items():
            self.received[team] += received


def show_deployment(console: Console, cloud: Cloud) -> None:
    console.print(
        f"deployed: a table, {len(cloud.functions)} functions, {len(cloud.rules)} rules for changes, a topic that"
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
    """What each function said it judged, or swept."""
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
    """What was just announced: one of it in short, a few more by their headlines, and digests whole.

    News that a scene has once comes before news that it has many times, and then the weightiest.
    """
    told = [finding for letter in letters for finding in _findings_in(letter)]
    often = Counter(map(headline_of, told))
    ranked = sorted(told, key=lambda each: (each.status not in STANDING, often[headline_of(each)], _weight(each)))
    digests = [letter for letter in letters if not _findings_in(letter)]
    if not ranked and not digests:
        _print(console, "[green]nothing to tell[/]")
        return
    if ranked:
        console.print(_news(ranked[0]))
    table = Table.grid(padding=(0, 1))
    for finding in ranked[1:_SHOWN]:
        table.add_row(_headline(finding), Text(" ".join(finding.audience), style="cyan"))
    console.print(Padding(table, (0, 2), expand=False))
    if rest := len(ranked[_SHOWN:]):
        _print(console, f"[dim]and {rest} more[/]")
    for letter in digests[:1]:
        console.print(Panel(Text(letter.text), title=escape(letter.subject), title_align="left"))
    for letter in digests[1:]:
        _print(console, escape(letter.subject))


def _findings_in(letter: Letter) -> tuple[Finding, ...]:
    return findings_in(letter.body) if letter.body["schema"] == SCHEMA else ()


def _weight(finding: Finding) -> int:
    return list(Severity).index(finding.severity)


def _headline(finding: Finding) -> Text:
    """The first line of the e-mail."""
    style = _SEVERITIES[finding.severity] if finding.status is Status.OPEN else _STATUSES[finding.status]
    return Text(f"{headline_of(finding)} ({finding.severity}). {claim_of(finding)}", style=style)


def _news(finding: Finding) -> Panel:
    table = Table.grid(padding=(0, 1))
    table.add_column(style="dim", no_wrap=True, min_width=9)
    table.add_column(overflow="fold")
    table.add_row("on", Text(f"{finding.resource.type} {finding.resource.identifier}", style="bold"))
    for drift in finding.drift[:2] if finding.status is not Status.GONE else ():
        if drift.was:
            table.add_row("was", Text(was_of(drift)))
        table.add_row("is", Text(f"{drift.path} = {spoken(drift.actual)}"))
        table.add_row("must be", Text(f"{spoken(drift.required)}{_reason(drift.because)}"))
    attribution, owner = finding.attribution, finding.attribution.owner
    table.add_row("whose", Text(f"{owner.person}, team {owner.team}: {owner.because}", style="cyan"))
    table.add_row("the line", Text(f"{finding.layer} of {attribution.tier}: {attribution.line}"))
    ended = "ended by" if finding.status is Status.GONE else "mended by"
    for label, cause in (("set by", finding.cause), (ended, finding.resolved_by)):
        if cause:
            who = f"{cause.actor.name} ({cause.relation}), {cause.event_name} through {cause.via}"
            table.add_row(label if cause.set_it else "seen with", Text(who, style="magenta"))
    if finding.transition and (news := said(finding.transition)):
        table.add_row("news", Text(news, style="yellow"))
    return Panel(table, title=_headline(finding), title_align="left", padding=(0, 1))


def _reason(because: str) -> str:
    return f" ({because})" if because else ""


# --- at the end -------------------------------------------------------------------------------------------------------


def show_findings(console: Console, findings: Iterable[Finding]) -> None:
    """The table of findings, as it is in DynamoDB."""
    console.print()
    title = "Findings, out of DynamoDB, soonest due first"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    widths = {"status": 12, "severity": 8, "control": 48, "resource": 19, "owner": 11, "due": 6}
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
            f"{finding.due_at:%d %b}" if finding.status in TO_DO else "",
        )
    console.print(table)


def show_letters(console: Console, received: Mapping[str, Sequence[Letter]]) -> None:
    """What each team received from SNS: every subject, and the weightiest message whole."""
    for team, letters in received.items():
        if not letters:
            continue
        console.print()
        console.print(Rule(f"What team [bold]{team}[/] received by e-mail: {len(letters)} messages", align="left"))
        for letter in letters[:_LISTED]:
            console.print(f"  {escape(letter.subject)}")
        if len(letters) > _LISTED:
            console.print(f"  [dim]and {len(letters) - _LISTED} more[/]")
        worst = min(letters, key=lambda letter: min(map(_weight, _findings_in(letter)), default=len(Severity)))
        console.print(Panel(Text(worst.text), title=escape(worst.subject), title_align="left"))


def show_channel(console: Console, workspace: Workspace, team: str) -> None:
    """The end of a team's channel in Slack, with its threads, by the text that a notification shows."""
    messages = workspace.in_channel(team)
    console.print()
    console.print(Rule(f"What team [bold]{team}[/] sees in its Slack channel: {len(messages)} messages", align="left"))
    for message in messages[-_POSTED:]:
        console.print(f"  [bold]{escape(_plain(message.text))}[/]{' [dim](edited)[/]' if message.edits else ''}")
        for reply in workspace.slack.replies(message):
            console.print(Padding(f"[dim]>[/] {escape(_plain(reply.text))}", (0, 0, 0, 4)))


def _plain(text: str) -> str:
    """Slack's text as it is seen: the first line, without markup, and moments in words."""
    first, *rest = text.splitlines()
    seen = re.sub(r"<[^|>]*\|([^>]*)>", r"\1", first).replace("*", "").replace("`", "")
    return f"{html.unescape(seen)}{f' (and {len(rest)} more lines)' if rest else ''}"


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
