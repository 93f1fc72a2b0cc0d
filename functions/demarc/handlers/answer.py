"""What people answer in Slack: a request to the function's URL in, an act on a finding out.

Anybody may call the URL, so nothing is done before the request has proven itself: its size, its signature, its age,
that it is no replay, the workspace, the person. Slack waits for 3 seconds: one call to it per request, and one more
where the matrix does not say who a Slack user is.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from demarc import pipeline, queues, readers
from demarc.announcers.chat import Rejected, Throttled, Unreachable
from demarc.announcers.https import Answer, Web
from demarc.announcers.slack import SlackApi
from demarc.announcers.sns import SnsAnnouncer
from demarc.aws import AwsClients
from demarc.core import acts
from demarc.core.announcement import clean
from demarc.core.chat import slack_forms
from demarc.core.chat.slack_forms import Incomplete
from demarc.core.chat.slack_request import (
    FORMS,
    LARGEST_BODY,
    Button,
    Caller,
    Malformed,
    NotFromSlack,
    Other,
    Press,
    Reason,
    Submission,
    is_at_home,
    parse,
    person_by_id,
    person_by_profile,
    prove,
)
from demarc.core.look import Look, message_of
from demarc.core.matrix import Matrix, Person
from demarc.core.metering import COUNT, Metric
from demarc.core.model import STANDING, Finding, Occasion, Origin
from demarc.core.occurrence import is_occurrence
from demarc.handlers.metering import emit
from demarc.secret import BadSecret, Secrets
from demarc.settings import SLACK, NotConfigured, Settings
from demarc.stores import Conflict
from demarc.stores.dynamodb import DynamoFindingStore
from demarc.stores.nonces import NonceStore, Replayed

logger = Logger()
metrics = Metrics()

# What somebody agrees or disagrees to, and not merely takes note of.
_ABOUT_WHAT_WAS_SEEN = (Button.ACCEPT, Button.APPROVE, Button.DECLINE)

# Where Slack takes answers to a press. A URL in a request is somebody's word, and is called only if it is one of these.
_RESPONSE_URL = re.compile(r"https://hooks\.slack\.com/[A-Za-z0-9/_.~%-]+", re.ASCII)

_SECONDS = 2.0
_JSON = {"content-type": "application/json; charset=utf-8"}

# Slack's words for a user whom it does not know, or whom the app may not see.
_NOBODY = ("user_not_found", "user_not_visible", "users_not_found")

_Response = dict[str, Any]


class _Prompt(Web):
    """Waits for as long as Slack itself waits for us, and not longer."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float = _SECONDS) -> Answer:
        return super().post(url, body, headers, seconds=seconds)


class _No(Exception):
    """What was asked for is not done. The message tells the person why and what to do, `reason` tells the operator."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@metrics.log_metrics
def handler(event: dict[str, Any], _: LambdaContext) -> _Response:
    """Answer one request: 200, or 401 to what Slack did not send now, or 400 to what Slack would not send."""
    now = datetime.now(UTC)
    metrics.add_metric("SlackRequests", MetricUnit.Count, 1)
    headers = _headers(event)
    try:
        desk = _desk(Settings.of())
        body = _body(event)
        desk.admit(headers, body, now)
        answer = desk.answer(parse(body), now)
    except NotFromSlack as refused:
        _refused(refused.reason)
        return _response(401)
    except Replayed:
        _refused(Reason.REPLAYED)
        # Slack does not repeat a press; should it ever, it is content to hear that all is well.
        return _response(200 if "x-slack-retry-num" in headers else 401)
    except Malformed as malformed:
        _refused(Reason.MALFORMED, detail=str(malformed))
        return _response(400)
    return _response(200, answer)


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    headers = event.get("headers") or {}
    return {str(name).lower(): str(value) for name, value in headers.items()}


def _body(event: Mapping[str, Any]) -> bytes:
    """The body as Slack sent it. A function URL hands over what is no JSON and no text in base64."""
    body = event.get("body") or ""
    if not isinstance(body, str) or len(body) > 2 * LARGEST_BODY:
        raise Malformed("no body, or one that is too large")
    try:
        return base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    except ValueError:
        raise Malformed("the body is not what it says it is") from None


def _response(status: int, answer: _Response | None = None) -> _Response:
    if answer is None:
        return {"statusCode": status, "body": ""}
    return {"statusCode": status, "headers": _JSON, "body": json.dumps(answer)}


def _refused(reason: Reason, **facts: Any) -> None:
    """Count a refusal and say why, without a word of what was sent."""
    emit([Metric("RefusedRequests", COUNT, 1, ("reason", reason))])
    logger.warning("refused", extra={"reason": reason, **facts})


@cache
def _desk(settings: Settings) -> _Desk:
    return _Desk(settings)


class _Desk:
    """Where requests are answered; it lives as long as the container."""

    def __init__(self, settings: Settings) -> None:
        if settings.slack_secret is None:
            raise NotConfigured("the environment variable DEMARC_SLACK_SECRET is not set")
        self._settings = settings
        self._secret = settings.slack_secret
        self._organization = Matrix.from_json(settings.matrix.read_bytes()).organization
        self._clients = AwsClients(endpoint_url=settings.endpoint_url)
        self._secrets = Secrets(self._clients("secretsmanager", settings.region))
        table = self._clients("dynamodb", settings.region)
        self._store = DynamoFindingStore(table, settings.table)
        self._nonces = NonceStore(table, settings.table)
        self._announcer = SnsAnnouncer(self._clients("sns", settings.region), settings.topic_arn)
        # Only what plays Slack for a test is not reached through TLS.
        self._web = _Prompt(insecure=settings.slack_url.startswith("http://"))
        self._slack = SlackApi(
            self._web,
            lambda: self._field("bot_token"),
            url=settings.slack_url,
            forget=lambda: self._secrets.forget(self._secret),
        )

    def _field(self, name: str) -> str:
        value = self._secrets.fields(self._secret).get(name)
        if not value:
            raise BadSecret(f"the secret {self._secret} has no {name}")
        return value

    def admit(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Let a request in that Slack sent now, and that was not let in before.

        Raises:
            Malformed, NotFromSlack, Replayed: each for what it says.
        """
        if len(body) > LARGEST_BODY:
            raise Malformed(f"the body is over {LARGEST_BODY} bytes")
        self._nonces.use(prove(headers, body, secret=self._field("signing_secret"), now=now), now=now)

    def answer(self, request: Press | Submission | Other, now: datetime) -> _Response | None:
        """Do what is asked for, and say what came of it: in the answer to a form, to a press where only they see it."""
        if isinstance(request, Other):
            logger.info("nothing to do", extra={"kind": clean(request.kind)})
            metrics.add_metric("AnsweredRequests", MetricUnit.Count, 1)
            return None
        try:
            by = self._person(request.caller)
            said = self._pressed(request, by, now) if isinstance(request, Press) else self._changed(request, by, now)
            metrics.add_metric("AnsweredRequests", MetricUnit.Count, 1)
        except _No as no:
            _refused(no.reason, slack_user=request.caller.user, button=request.button, finding=request.finding_id)
            said = str(no)
            if isinstance(request, Submission) and no.reason is Reason.RULE:
                return _errors({slack_forms.FIRST[request.button]: said})
        except Incomplete as incomplete:
            _refused(
                Reason.INCOMPLETE, slack_user=request.caller.user, button=request.button, finding=request.finding_id
            )
            return _errors(incomplete.errors)
        if isinstance(request, Submission):
            return {"response_action": "update", "view": slack_forms.last_page(said or "")}
        if said:
            self._whisper(request.response_url, said)
        return None

    def _person(self, caller: Caller) -> Person:
        """Who of the matrix a Slack user is."""
        if not is_at_home(caller, self._secrets.fields(self._secret).get("team_id") or None):
            raise _No(Reason.OTHER_WORKSPACE, "Demarc answers to people of its own workspace only.")
        person = person_by_id(caller, self._organization) or self._person_by_address(caller)
        if person is None:
            raise _No(
                Reason.UNKNOWN_USER,
                "Nothing was done: Demarc does not know you. Nobody in its matrix has your e-mail address, or your "
                f"member id {caller.user}. Ask whoever keeps the matrix to add you to its people.",
            )
        return person

    def _person_by_address(self, caller: Caller) -> Person | None:
        try:
            user = self._slack.call("users.info", user=caller.user).get("user")
        except (Rejected, Throttled, Unreachable) as failed:
            if isinstance(failed, Rejected) and failed.code in _NOBODY:
                return None
            logger.warning("users.info failed", extra={"error": str(failed)})
            raise _No(
                Reason.SLACK, f"Nothing was done: Slack did not say who you are ({failed}). Press again in a minute."
            ) from failed
        return person_by_profile(caller, user, self._organization)

    def _pressed(self, press: Press, by: Person, now: datetime) -> str | None:
        """What to say to a press; None where a form was opened, and says it."""
        if press.button is Button.RECHECK:
            return self._look_again(press, by)
        if self._asks_in_a_form(press):
            self._open(press, self._form(press, by, now))
            return None
        return self._changed(press, by, now)

    def _asks_in_a_form(self, press: Press) -> bool:
        """Whether a press is not enough: it is to take note of a finding, but not to close what happened."""
        if press.button is Button.ACKNOWLEDGE:
            return is_occurrence(self._finding(press))
        return press.button in FORMS

    def _changed(self, asked: Press | Submission, by: Person, now: datetime) -> str:
        """What came of what somebody asked for.

        Raises:
            Incomplete: if a form cannot be taken as it is.
        """
        act = slack_forms.act_of(asked, by=by, organization=self._organization, at=now)

        def amended(finding: Finding) -> Finding:
            after = act(finding)
            closes = asked.button is Button.ACKNOWLEDGE and is_occurrence(finding)
            if closes or asked.button in _ABOUT_WHAT_WAS_SEEN:
                self._refuse_unless_as_seen(asked, finding)
            return after

        # Whether it exists is asked first: what else raises a LookupError is a fault and no answer.
        self._finding(asked)
        try:
            after = pipeline.amend(asked.finding_id, amended, store=self._store, announcer=self._announcer)
        except acts.Refused as refused:
            raise self._refusal(asked, refused) from refused
        except Conflict as conflict:
            raise _No(
                Reason.CONFLICT, "Nothing was done: somebody else was faster. Look again, and press again."
            ) from conflict
        logger.info("answered", extra=_facts(asked, by) | {"revision": after.revision, "status": after.status})
        return slack_forms.outcome_of(after, self._organization)

    def _refusal(self, asked: Press | Submission, refused: acts.Refused) -> _No:
        """The refusal in words. What an earlier try recorded and died before telling is told now."""
        finding = self._finding(asked)
        if finding.announced < finding.revision:
            pipeline.tell([finding], store=self._store, announcer=self._announcer)
        # Whoever pressed an old button does not know when it ended.
        ended = "" if finding.status in STANDING else f" {slack_forms.standing_of(finding)}"
        return _No(Reason.RULE, f"{refused}{ended}")

    def _refuse_unless_as_seen(self, asked: Press | Submission, finding: Finding) -> None:
        """Nobody agrees to what they have not seen: another drift, another proposal."""
        if asked.revision == finding.revision:
            return
        for seen in self._store.history(finding.id):
            if seen.revision == asked.revision and _agreed_on(seen) == _agreed_on(finding):
                return
        now = slack_forms.standing_of(finding)
        raise _No(
            Reason.OUTDATED, f"Nothing was done: it has changed since. {now} Press again under the newest message."
        )

    def _finding(self, asked: Press | Submission) -> Finding:
        finding = self._store.get(asked.finding_id)
        if finding is None:
            raise _No(Reason.UNKNOWN_FINDING, "Nothing was done: there is no such finding any more.")
        return finding

    def _form(self, press: Press, by: Person, now: datetime) -> slack_forms.View:
        """The form of a button, if what it is for could be done: nobody fills one in to be refused."""
        finding = self._finding(press)
        try:
            return slack_forms.form_of(press.button, finding, by=by, organization=self._organization, at=now)
        except acts.Refused as refused:
            raise self._refusal(press, refused) from refused

    def _look_again(self, press: Press, by: Person) -> str:
        """Send the resource to its responder; what it finds comes as the finding's next revision."""
        resource = self._finding(press).resource
        if is_occurrence(resource):
            raise _No(
                Reason.RULE,
                "Nothing was done: it happened, and there is nothing to look at again. Acknowledge it, with what came "
                "of it, and it is closed.",
            )
        try:
            (reader,) = readers.load((resource.type,))
        except LookupError as missing:
            raise _No(Reason.RULE, f"Nothing was done: Demarc no longer reads {resource.type}.") from missing
        look = Look((resource,), Occasion(Origin.SLACK, by.name))
        queue = self._settings.queue_of(reader.responder)
        queues.send(self._clients("sqs", self._settings.region), queue, [queues.Message(message_of(look))])
        logger.info("answered", extra=_facts(press, by))
        return "Demarc looks at it again now. If anything is different, the message says so within a minute."

    def _open(self, press: Press, view: slack_forms.View) -> None:
        try:
            self._slack.call("views.open", trigger_id=press.trigger, view=view)
        except (Rejected, Throttled, Unreachable) as failed:
            logger.warning("views.open failed", extra={"error": str(failed)})
            raise _No(Reason.SLACK, "Nothing was done: Slack did not open the form. Press again.") from failed

    def _whisper(self, url: str, text: str) -> None:
        """Say it where only whoever pressed reads it. What is done is done, whether or not they hear of it."""
        if not _is_slacks(url, self._settings.slack_url):
            logger.warning("the address to answer to is none of Slack's")
            return
        try:
            answer = self._web.post(url, json.dumps(slack_forms.whisper(text)).encode(), _JSON)
        except (Throttled, Unreachable) as failed:
            logger.warning("the answer was not taken", extra={"error": str(failed)})
            return
        if answer.status != 200:
            logger.warning("the answer was not taken", extra={"error": f"HTTP {answer.status}"})


def _is_slacks(url: str, slack_url: str) -> bool:
    """Whether an address is where Slack takes answers; what plays Slack for a test takes them beside its API."""
    played = slack_url != SLACK and url.startswith(slack_url.removesuffix("api/"))
    return played or _RESPONSE_URL.fullmatch(url) is not None


def _agreed_on(finding: Finding) -> tuple[Any, ...]:
    return finding.drift, finding.severity, finding.attribution.owner.team, finding.proposal, finding.exception


def _errors(errors: Mapping[str, str]) -> _Response:
    return {"response_action": "errors", "errors": dict(errors)}


def _facts(asked: Press | Submission, by: Person) -> dict[str, Any]:
    return {"act": asked.button, "finding": asked.finding_id, "by": by.id, "slack_user": asked.caller.user}
