"""One rule for what is a secret: by its form, by the name of its field, by being known as one.

Whatever leaves for logs, events or errors goes through here. The files that services of users write
themselves (`<data>/logs/growqr-*.log`, the engine's) are other programs' words and are not touched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

BLANK: Final = "***"
SHORTEST: Final = 8
"""Characters a known secret must have to be looked for in texts."""


REASONS: Final = frozenset({"error", "reason", "message", "why"})
"""Fields of an event that say why something failed."""


class Form(NamedTuple):
    """How one kind of secret looks. A text without any of the `signs`, in lower case, has none."""

    signs: tuple[str, ...]
    pattern: re.Pattern[str]
    shown: str = BLANK


_PEM = r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"

KINDS: Final[dict[str, Form]] = {
    kind: Form(signs, re.compile(pattern))
    for kind, signs, pattern in (
        ("an Anthropic key", ("sk-ant-",), r"\bsk-ant-[\w-]{6,}"),
        ("a growqr API key", ("gq_",), r"\bgq_[A-Za-z0-9_-]{8,}"),
        ("a growqr gateway token", ("gqm.",), r"\bgqm\.\S{1,300}\.\d+\.[\w-]{8,}"),
        (
            "a GitHub token",
            ("gho_", "ghp_", "ghr_", "ghs_", "ghu_", "github_pat_"),
            r"\bgh[oprsu]_[A-Za-z0-9]{16,}|\bgithub_pat_\w{16,}",
        ),
        ("a GitLab token", ("glpat-",), r"\bglpat-[\w.-]{16,}"),
        ("an npm token", ("npm_",), r"\bnpm_[A-Za-z0-9]{30,}"),
        ("a Slack token", ("xox",), r"\bxox[a-z]-[\w-]{8,}"),
        ("a webhook secret", ("whsec_",), r"\bwhsec_[\w+/=-]{8,}"),
        ("a private key", ("private key",), rf"{_PEM}(?s:.*?(?:-----END [A-Z0-9 ]+-----|\Z))"),
        ("an AWS key", ("akia", "asia"), r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
        (
            "an AWS secret",
            ("aws_secret_access_key",),
            r"(?i:aws_secret_access_key)\W{1,5}[\w+/]{30,}",
        ),
        ("an OpenAI key", ("sk-",), r"\bsk-(?:proj-)?[\w-]{32,}"),
        ("a Stripe key", ("k_live_", "k_test_"), r"\b[rs]k_(?:live|test)_\w{16,}"),
        ("a Google key", ("aiza", "ya29."), r"\bAIza[\w-]{30,}|\bya29\.[\w.-]{20,}"),
        (
            "a signed token (JWT)",
            ("eyj",),
            r"\beyJ[\w-]{10,1000}\.eyJ[\w-]{10,8000}\.[\w-]{10,}",
        ),
    )
}
"""Kinds that are certain: memory refuses them, and everything else blanks them."""

_NAMES = (
    "password", "passwd", "passphrase", "secret", "token", "authorization", "cookie", "credential",
    "verifier", "api_key", "apikey", "private_key", "access_key", "secret_key",
)  # fmt: skip
_NAMED = rf"(?:{'|'.join(_NAMES).replace('_', '[_-]?')})(?:(?<!token)s)?(?:\s*=\s*|\\?[\"']\s*:\s*)"
_VALUE = r"""(?!(?:None|null|True|False)\b)(?:b?(\\?["'])[^"'\\]+|[^\s"'\\&,;)}\]]+)"""
_SURE = r"(?:password|passwd|passphrase|(?:x-)?api[_-]?key|(?:private|access|secret)[_-]?key)"

# What may be cut short, or is a secret by what stands before it.
_LOOSE: Final = (
    Form(("sk-",), re.compile(r"\bsk-[\w-]{8,}")),
    Form(("gqm.",), re.compile(r"\bgqm\.[\w:@.#-]+")),
    Form(("gho_", "ghp_", "ghr_", "ghs_", "ghu_"), re.compile(r"\bgh[oprsu]_\w{4,}")),
    Form(("eyj",), re.compile(r"\beyJ[\w-]{10,}(?:\.[\w-]*)*")),
    Form(("authorization", "cookie"), re.compile(
        r"""(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)(\\?["']?\s*:\s*\\?["']?)[^"'\\\r\n]+"""
    ), r"\1\2***"),
    Form(("bearer",), re.compile(
        r"(?i)\b(bearer\s+)(?!(?:tokens?|auth\w*|scheme|credentials?)\b)[^\s\"',;]{3,}"
    ), r"\1***"),
    Form(("basic",), re.compile(
        r"\b([Bb]asic\s+)(?=[A-Za-z+/_-]*(?:[a-z][A-Z]|[0-9=]))[A-Za-z0-9+/_=-]{6,}"
    ), r"\1***"),
    Form(("://",), re.compile(r"(?<=://)[^/\s\"'<>]+(?=@)")),
    Form(("growqr_session", "growqr_oauth"), re.compile(
        r"((?:__Host-)?growqr_(?:session|oauth)=)[^;\s\"',]+"), r"\1***"),
    Form(("link=", "invite="), re.compile(r"(?<![A-Za-z])((?:link|invite)=)[\w-]{20,}"), r"\1***"),
    Form(("code=", "state=", "ticket="), re.compile(
        r"([?&#](?:code|state|ticket)=)[^&\s\"'#]+"), r"\1***"),
    Form((*_NAMES[:3], "key"), re.compile(
        rf"(?i)\b({_SURE}\s*:[ \t]+)(?!\*)[^\s\"',;]{{6,}}"), r"\1***"),
    Form((*_NAMES[:9], "key"), re.compile(rf"(?i)({_NAMED}){_VALUE}"), r"\1\2***"),
)  # fmt: skip

_ALL: Final = (*KINDS.values(), *_LOOSE)
_SIGNS: Final = tuple(dict.fromkeys(sign for form in _ALL for sign in form.signs))
_FIELD: Final = re.compile(rf"(?:.*_)?(?:{'|'.join(_NAMES)}|(?:{'|'.join(_NAMES)})(?<!token)s)")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_CONTROL: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_known: set[str] = set()


def know(*values: str | None) -> None:
    """Blank these very values from now on, in this process; short ones are left alone."""
    _known.update(value for value in values if value and len(value) >= SHORTEST)


def blank(text: str) -> str:
    """`text` with everything that is, or looks like, a key, token or password replaced."""
    lower = text.lower()
    if any(map(lower.__contains__, _SIGNS)):  # most texts have none: this costs a microsecond
        for signs, pattern, shown in _ALL:
            if any(map(lower.__contains__, signs)):
                text = pattern.sub(shown, text)
    for value in _known:
        if value in text:
            text = text.replace(value, BLANK)
    return text


def blanked(value: Any, name: str = "") -> Any:
    """The same value, all that is in it included; a field with a secret's `name` has no text."""
    match value:
        case str():
            return BLANK if value and secret_name(name) else blank(value)
        case Mapping():
            return {
                blank(key) if isinstance(key, str) else key: blanked(entry, str(key))
                for key, entry in value.items()
            }
        case list() | tuple():
            return [blanked(entry, name) for entry in value]
        case bytes():
            return BLANK if secret_name(name) else blank(value.decode(errors="replace"))
        case _:
            return value


def unsaid(told: dict[str, Any]) -> dict[str, Any]:
    """What an event tells, its reasons of a failure blanked: the fields of `REASONS`, at its top.

    Nothing deeper, and nothing else: `content`, `text`, `input`, `output` and `asked` are words of
    the user, the model or a tool, and belong to them.
    """
    if not told.keys() & REASONS:
        return told
    return {key: blanked(value) if key in REASONS else value for key, value in told.items()}


def secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret: `api_key`, `X-Api-Key`, `accessToken`.

    `input_tokens`, `token_count`, `max_tokens` and `token_id` do not; nor does any number.
    """
    return bool(name) and bool(_FIELD.fullmatch(_HUMP.sub("_", name.replace("-", "_")).lower()))


def one_line(text: str) -> str:
    """`text` with its control characters as escapes, so that it cannot pass for a second record."""
    if text.isprintable():
        return text
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
