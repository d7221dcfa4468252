"""Names of headers, parameters and keys that usually stand beside a credential.

A name is read by its words, whatever joins them: ``listenKey``, ``listen_key``, ``Listen-Key`` and
``LISTENKEY`` are one name, and the "key" of ``keyboard`` is none.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LONGEST: Final = 100

# The word alone tells, wherever it stands in the name.
_ANYWHERE: Final = frozenset(
    {
        *("token", "tokens", "secret", "secrets", "jwt", "bearer", "auth", "authorization", "dpop"),
        *("password", "passwords", "passwd", "passphrase", "passcode", "pwd", "pswd", "psw", "pw", "psk"),
        *("credential", "credentials", "cred", "creds", "signature", "sig", "hmac", "ticket", "verifier"),
        *("session", "sessionid", "sessid", "cookie", "cookies", "csrf", "xsrf", "otp", "totp", "mfa"),
        *("assertion", "samlresponse", "passwort", "kennwort", "macaroon", "authz", "tkn"),
    }
)
# The word tells where the name ends in it: "user_pass", and not "pass_through".
_LAST: Final = frozenset({"pass", "pin", "sid", "sign", "authentication"})
# Behind "key" they still name the same thing: "access_key_id".
_AFTER_KEY: Final = frozenset({"id", "value", "secret", "text", "pem"})
_KEYS_OF_ANYBODY: Final = frozenset(
    {
        *("public", "pub", "primary", "foreign", "sort", "order", "partition", "routing", "cache"),
        *("group", "row", "map", "hot", "object"),
    }
)
# A code is a secret where it stands for a login; most codes are of countries and errors.
_CODES: Final = frozenset(
    {"auth", "authorization", "access", "verification", "security", "login", "device", "pin", "pass"}
)
# What a name that ends so says of a credential is not the credential.
_ABOUT: Final = frozenset(
    {
        *(
            "type",
            "types",
            "method",
            "mode",
            "format",
            "algorithm",
            "alg",
            "kind",
            "name",
            "version",
            "provider",
        ),
        *(
            "count",
            "limit",
            "length",
            "size",
            "ttl",
            "expiry",
            "expires",
            "expiration",
            "expired",
            "required",
        ),
        *("url", "uri", "page", "endpoint", "enabled", "status", "scheme", "field", "index"),
    }
)
_COUNTED: Final = frozenset(
    {"max", "min", "num", "total", "used", "prompt", "completion", "input", "output", "cached", "reasoning"}
)

# Words that are written as one: "accesskey", "authtoken", "PHPSESSID".
_GLUED: Final = (
    r"password|passwd|passphrase|passcode|credential|signature|authorization"
    r"|(?:token|secret|pwd|jwt|otp|sess(?:ion)?id)s?$"
    r"|(?:api|app|auth|access|account|admin|client|consumer|dev|listen|license|login|master|private|secret"
    r"|security|service|session|shared|sign(?:ing)?|stream|subscription|user|enc(?:ryption)?|ws|rtmp)keys?(?:id)?$"
    r"|(?:user|my|db|ws|login|admin|http|proxy|auth|api|app|key)pass$|authcode$"
)


def is_sensitive(name: str) -> bool:
    """Tell whether a header, parameter or key of this name usually carries a credential.

    Args:
        name: The name. Of a long one the first 100 characters count.
    """
    return _is_sensitive(name[:_LONGEST])


@lru_cache(maxsize=1024)
def _is_sensitive(name: str) -> bool:
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[-1] in _ABOUT:
        return False
    if "tokens" in words and not _COUNTED.isdisjoint(words):
        return False
    words_told = any(map(_tells, words)) or "".join(words) in _ANYWHERE
    return words_told or words[-1] in _LAST or _is_key(words) or _is_code(words)


def _tells(word: str) -> bool:
    return word in _ANYWHERE or _glued().search(word) is not None


@cache
def _glued() -> re.Pattern[str]:
    return re.compile(_GLUED)


def _is_key(words: list[str]) -> bool:
    if words[-1] in _AFTER_KEY and len(words) > 1:
        words = words[:-1]
    return words[-1] in ("key", "keys") and _KEYS_OF_ANYBODY.isdisjoint(words)


def _is_code(words: list[str]) -> bool:
    """Tell whether the name is that of an OAuth code, or of one that is typed to log in."""
    return words[-1] == "code" and (len(words) == 1 or not _CODES.isdisjoint(words))
