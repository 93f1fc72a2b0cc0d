"""`demarc attest`: give a person's word that a requirement is met, and see who gave theirs before."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from demarc.cli import options
from demarc.cli.deployment import STACK, Deployment
from demarc.cli.failures import Refusal, Unusable, asking_aws
from demarc.cli.terminal import fact, headline, say_json, table
from demarc.cli.told import counted, meant
from demarc.core.framework import Attestation, Attested, is_providers_report

if TYPE_CHECKING:
    from demarc.authoring.compile import CompiledMatrix
    from demarc.core.attestation import Recorded
    from demarc.core.matrix import Organization, Person
    from demarc.stores.attestations import AttestationStore

_RESPONDER = "visibility"


@click.command()
@click.argument("requirement", metavar="REQUIREMENT")
@click.option("--by", metavar="PERSON", help="The id of the person whose word it is.")
@click.option("--until", metavar="DAY", help="The last day on which it counts, 2027-06-30.")
@click.option("--evidence", metavar="URI", help="Where what it rests on can be seen.")
@click.option("--history", is_flag=True, help="Tell every word that was given for it, and give none.")
@options.as_json
@options.matrix
@options.recorded
def attest(
    *,
    requirement: str,
    by: str | None,
    until: str | None,
    evidence: str | None,
    history: bool,
    as_json: bool,
    matrix: Path,
    deployment: Deployment,
) -> None:
    """Give a person's word that a requirement is met, until some day.

    That is for requirements that the matrix verifies by attestation, and for the team that answers for them or
    governance. The word is kept with all that were given before, and with whose credentials recorded it. When its last
    day has passed, that is a finding for whoever answers.

    REQUIREMENT is a number, with its framework where several have it.

    \b
      demarc attest AT-2 --by helena.novak --until 2027-09-14 --evidence https://wiki.example.com/awareness
      demarc attest nist-800-53-r5/AT-2 --history
    """
    from demarc.cli.matrices import compiled
    from demarc.stores.attestations import AttestationStore

    rules = compiled(matrix)
    chosen = _chosen(requirement, rules)
    with asking_aws():
        store = AttestationStore(
            deployment.connection.clients("dynamodb", deployment.connection.region), deployment.table_name
        )
    if history:
        if by or until or evidence:
            raise click.UsageError("--history gives no word. Leave --by, --until and --evidence out.")
        _tell_history(chosen, store, as_json=as_json)
        return
    if not (by and until and evidence):
        raise click.UsageError("A word needs --by, --until and --evidence.")
    today = datetime.now(UTC).date()
    word = Attestation(_speaker(by, chosen, rules.organization).id, today, _last_day(until, chosen, today), evidence)
    _own_evidence(evidence)
    recorded = _record(word, chosen, store, deployment, rules.organization)
    asked = _ask_for_a_look(chosen, deployment)
    if as_json:
        say_json(_row(chosen, recorded))
        return
    headline(chosen.id, f"attested by {rules.organization.people[word.by].name} until {word.until.isoformat()}")
    fact("rests on", word.evidence)
    fact("recorded", f"with the credentials of {recorded.recorder}")
    if not asked:
        fact("note", "no stack was asked to look at it again: a finding of it is resolved by the next look")


def _chosen(named: str, rules: CompiledMatrix) -> Attested:
    """The requirement that is meant.

    Raises:
        Unusable: if it is none that rests on somebody's word, or several frameworks have it.
    """
    found = [each for each in rules.attested if named in (each.id, each.requirement)]
    if len(found) > 1:
        raise Unusable(f"{named} may be {' or '.join(each.id for each in found)}. Name the framework too")
    if not found:
        known = [each.id for each in rules.attested]
        raise Unusable(
            f"no requirement {named!r} is verified by attestation. {meant(named, known)} Where somebody's word is what "
            "shows it, say `verified: attestation` in signed.yaml"
        )
    return found[0]


def _speaker(by: str, chosen: Attested, organization: Organization) -> Person:
    """Whose word it is: somebody who answers for it, or of governance.

    Raises:
        Unusable: if there is no such person.
        Refusal: if it is nobody whose word it could be.
    """
    person = organization.people.get(by)
    if person is None:
        raise Unusable(f"there is no person {by!r}. {meant(by, organization.people)}")
    if person.team not in (chosen.team, organization.governance):
        answering = f"the team {chosen.team} answers" if chosen.team else "nobody answers"
        raise Refusal(
            f"{answering} for {chosen.id}, and {person.name} is of {person.team}. Let somebody of them or of "
            f"{organization.governance} give their word"
        )
    return person


def _last_day(until: str, chosen: Attested, today: date) -> date:
    try:
        last = date.fromisoformat(until)
    except ValueError as error:
        raise click.BadParameter(f"{until!r} is not a day such as 2027-06-30.", param_hint="--until") from error
    if last < today:
        raise Unusable(f"{until} has passed: such a word counts for nothing. Name a day to come")
    longest = today + timedelta(days=chosen.every)
    if last > longest:
        raise Unusable(
            f"{chosen.id} is attested again after {chosen.every} days at the latest. Name {longest.isoformat()} or "
            "before"
        )
    return last


def _own_evidence(evidence: str) -> None:
    if is_providers_report(evidence):
        raise Refusal(
            "our part cannot rest on what AWS reports of itself: certifications are not inherited. Name evidence of "
            "our own"
        )
    if ":" not in evidence:
        raise Unusable(f"{evidence!r} is no address that somebody could open. Give a URI, such as https://...")


def _record(
    word: Attestation, chosen: Attested, store: AttestationStore, deployment: Deployment, organization: Organization
) -> Recorded:
    """Keep it, in the name of whoever's credentials these are.

    Raises:
        Refusal: if they are of nobody in the matrix, or of somebody who would speak for another without being of
            governance; or somebody recorded a later word.
    """
    from demarc.cli.acting import acting
    from demarc.core.attestation import Recorded
    from demarc.stores.attestations import LaterGiven

    recorder = acting(deployment.connection, organization)
    if recorder.id != word.by and recorder.team != organization.governance:
        raise Refusal(
            f"you are {recorder.name}, and this would be the word of {organization.people[word.by].name}. Only "
            f"{organization.governance} records what others say"
        )
    recorded = Recorded(word, datetime.now(UTC), recorder.name)
    with asking_aws():
        try:
            store.record(chosen.framework, chosen.requirement, recorded)
        except LaterGiven as later:
            raise Refusal(f"{later}. `demarc attest {chosen.id} --history` tells it") from later
    return recorded


def _ask_for_a_look(chosen: Attested, deployment: Deployment) -> bool:
    """Let the responder look at the requirement now, where a stack says how; whether it was asked."""
    from demarc import readers
    from demarc.cli.acting import caller
    from demarc.core.look import Look, message_of
    from demarc.core.model import Occasion, Origin
    from demarc.readers.framework import REQUIREMENT

    url = deployment.queue_of(_RESPONDER) if deployment.outputs else None
    if url is None:
        return False
    connection = deployment.connection
    identifier = f"{deployment.stack or STACK}/{chosen.id}"
    resource = readers.resource_of(REQUIREMENT, identifier, connection.account, connection.region)
    look = Look(resources=(resource,), occasion=Occasion(Origin.CLI, caller(connection).name))
    with asking_aws():
        connection.clients("sqs", connection.region).send_message(
            QueueUrl=url, MessageBody=json.dumps(message_of(look), separators=(",", ":"))
        )
    return True


def _tell_history(chosen: Attested, store: AttestationStore, *, as_json: bool) -> None:
    with asking_aws():
        given = store.history(chosen.framework, chosen.requirement)
    if as_json:
        for each in given:
            say_json(_row(chosen, each))
        return
    headline(chosen.id, counted(len(given), "attestation"))
    rows = [_line(each) for each in given]
    table(("recorded", "by", "until", "with credentials of", "rests on"), rows)


def _line(each: Recorded) -> tuple[str, ...]:
    word = each.attestation
    return (f"{each.at:%Y-%m-%d %H:%M}", word.by, word.until.isoformat(), each.recorder, word.evidence)


def _row(chosen: Attested, recorded: Recorded) -> dict[str, Any]:
    word = recorded.attestation
    return {
        "framework": chosen.framework,
        "requirement": chosen.requirement,
        "by": word.by,
        "given": word.given.isoformat(),
        "until": word.until.isoformat(),
        "evidence": word.evidence,
        "recorded_at": recorded.at,
        "recorder": recorded.recorder,
    }
