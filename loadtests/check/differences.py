"""What differs between two running apps, or from the contract."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import uuid4

import httpx2

from loadtests.check.broken import broken_requests
from loadtests.check.conversations import CONVERSATIONS
from loadtests.check.steps import Conversation, Step
from loadtests.errors import CheckError
from shared.shop.seeded import ADMIN, PASSWORD

TIMEOUT_S = 30.0
HEADERS = ("content-type", "location", "allow", "retry-after", "www-authenticate", "cache-control")
_MOMENT = re.compile(
    r'"(created_at|updated_at)":"[0-9]{4}(?:-[0-9]{2}){2}T(?:[0-9]{2}:){2}[0-9]{2}\.[0-9]{6}Z"'
)
_ID = re.compile(r'("(?:id|item_id|user_id)":|\bitem )([0-9]+)')
_ROWS = ("/api/items", "/api/users", "/api/orders")
_PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Difference:
    """One deviation.

    where: conversation, method and path. what: the part of the answer (`status`, `body`, `location`, ...).
    first, second: what the two apps gave; for a breach of the contract, what one gave and what was expected.
    """

    where: str
    what: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, ids of the conversation replaced by their names and moments masked; a problem without its words."""

    status: int
    headers: Mapping[str, str | None]
    body: str


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a conversation, and what it has kept so far."""

    url: str
    client: httpx2.Client
    kept: dict[str, str]


@dataclass(frozen=True, slots=True)
class Login:
    """An admin of both apps; the default is the one of seeded databases."""

    username: str = ADMIN
    password: str = field(default=PASSWORD, repr=False)


def check(
    url_a: str, url_b: str, seed: int = 0, broken: int = 300, login: Login = Login()
) -> list[Difference]:
    """What differs between two running apps, or from the contract; empty when both comply.

    `broken` requests that no app accepts are drawn from `seed`. Each app's rows get new names, so the two may
    share a database; the rows stay. Raises CheckError when a URL does not answer or refuses the login.
    """
    drawn = Conversation("broken requests", tuple(broken_requests(seed, broken)))
    with _client(url_a, login) as first, _client(url_b, login) as second:
        found = []
        for conversation in (*CONVERSATIONS, drawn):
            sides = _Side(url_a, first, _new_mark()), _Side(url_b, second, _new_mark())
            found += [one for step in conversation.steps for one in _compare(conversation.name, step, sides)]
        return found


def _new_mark() -> dict[str, str]:
    return {"mark": f"m{uuid4().hex[:11]}"}


@contextmanager
def _client(url: str, login: Login) -> Iterator[httpx2.Client]:
    """A client of an app that answers, signed in."""
    with _opened(url) as client:
        try:
            answer = client.post("/api/auth/token", json=asdict(login))
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise _unanswered(url, error) from error
        client.headers["Authorization"] = f"Bearer {_token(url, login, answer)}"
        yield client


def _token(url: str, login: Login, answer: httpx2.Response) -> str:
    document = _document(answer.text)
    if answer.status_code != 200 or not isinstance(document, dict):
        raise CheckError(
            f"{url} refuses to log in {login.username} (POST /api/auth/token answers {answer.status_code}); "
            "name an admin of both apps with --username and --password"
        )
    return str(document.get("access_token"))


def _opened(url: str) -> httpx2.Client:
    try:
        return httpx2.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False)
    except (httpx2.InvalidURL, ValueError) as error:
        raise _unanswered(url, error) from error


def _unanswered(url: str, error: Exception) -> CheckError:
    return CheckError(f"{url} does not answer ({_one_line(error)}); start an app there, or correct the URL")


def _one_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _compare(name: str, step: Step, sides: tuple[_Side, _Side]) -> Iterator[Difference]:
    """Sends one step to both; gives breaches of the contract first, then differences."""
    where = f"{name}: {step.method} {step.path}"
    answers = []
    for side in sides:
        answer = _send(side, step)
        answers.append(answer)
        yield from _breaches(f"{where} at {side.url}", step, answer)
    first, second = answers
    if first.status != second.status:
        yield Difference(where, "status", str(first.status), str(second.status))
    for header in first.headers:
        if first.headers[header] != second.headers[header]:
            yield Difference(where, header, str(first.headers[header]), str(second.headers[header]))
    if first.body != second.body:
        yield Difference(where, "body", first.body, second.body)


def _send(side: _Side, step: Step) -> Answer:
    body = _filled(step.body, side.kept) if isinstance(step.body, str) else step.body
    headers = {name: _filled(value, side.kept) for name, value in step.headers.items()}
    try:
        response = side.client.request(
            step.method, _filled(step.path, side.kept), content=body, headers=headers
        )
    except httpx2.HTTPError as error:
        raise CheckError(
            f"{side.url} stopped answering at {step.method} {step.path} ({_one_line(error)})"
        ) from error
    _keep(side.kept, step, response)
    given = {name: _named(response.headers.get(name)) for name in HEADERS}
    given["x-request-id"] = _request_id(headers.get("X-Request-ID"), response)
    body = response.content if response.status_code < 400 else _without_words(response.content)
    return Answer(response.status_code, given, _masked(step, body, side.kept))


def _without_words(body: bytes) -> bytes:
    """A problem without its texts, which are each library's own."""
    problem = _document(body.decode("utf-8", "replace"))
    if not isinstance(problem, dict):
        return body
    for one in (problem, *problem.get("errors", ())):
        for words in ("title", "detail", "message"):
            one.pop(words, None)
    return json.dumps(problem, separators=(",", ":"), ensure_ascii=False).encode()


def _filled(text: str, kept: Mapping[str, str]) -> str:
    for name, value in kept.items():
        text = text.replace("{" + name + "}", value)
    return text


def _keep(kept: dict[str, str], step: Step, response: httpx2.Response) -> None:
    document = _document(response.text)
    for name, member in step.keep.items():
        kept[name] = str(document.get(member, 0)) if isinstance(document, dict) else "0"


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _named(text: str | None) -> str | None:
    """A header's value; the id at the end of a location is masked."""
    return text and re.sub(r"^(/.*/)[0-9]+$", r"\1{id}", text)


def _request_id(asked: str | None, response: httpx2.Response) -> str | None:
    named = response.headers.get("x-request-id")
    return named if asked or named is None else "new"


def _masked(step: Step, body: bytes, kept: Mapping[str, str]) -> str:
    """The body with moments and marks masked and ids of rows by name; other ids are numbered as they appear."""
    text = _MOMENT.sub(r'"\1":"..."', body.decode("utf-8", "backslashreplace"))
    text = text.replace(kept["mark"], "{mark}")
    text = text.replace(kept.get("token", "{token}"), "{token}")
    if step.path.startswith(_ROWS):
        names = {value: name for name, value in kept.items() if name != "mark"}
        text = _ID.sub(lambda found: found[1] + names.setdefault(found[2], f"#{len(names)}"), text)
    return text


def _breaches(where: str, step: Step, answer: Answer) -> Iterator[Difference]:
    """Where one answer is not what the contract says."""
    if step.status and answer.status != step.status:
        yield Difference(where, "status", str(answer.status), str(step.status))
    if not step.status and not 400 <= answer.status < 500:
        yield Difference(where, "status", str(answer.status), "a refusal")
    if answer.headers["x-request-id"] is None:
        yield Difference(where, "x-request-id", "None", "an id")
    if answer.status >= 400 and answer.headers["content-type"] != _PROBLEM:
        yield Difference(where, "content-type", str(answer.headers["content-type"]), _PROBLEM)
    document = _document(answer.body) if answer.status >= 400 else None
    problem = document if isinstance(document, dict) else {}
    if step.code and problem.get("code") != step.code:
        yield Difference(where, "code", str(problem.get("code")), step.code)
    faults = tuple((fault["pointer"], fault["code"]) for fault in problem.get("errors", ()))
    if step.pointers is not None and faults != step.pointers:
        yield Difference(where, "pointers", str(faults), str(step.pointers))
