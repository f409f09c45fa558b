"""What the SDK or the system says of a fault → the few words of it that tell something."""

from __future__ import annotations

import re

_ERRNO = re.compile(r"^\[Errno \d+\] ")
_GIVEN_UP = re.compile(
    r".*giving up after (\d+) attempt\(s\):?(?: while retrying:)? (.+?)(?: while retrying: .*)?"
)
"""What the SDK says in the end: the last cause, and once more the one before."""
_ANSWER = re.compile(r'.*\{"errors":\[\{"message":"([^"]+)".*')
_NOISE = re.compile(r'\b(?:Get|Post|Put) "[^"]*": |\. got response: <nil>$')


def plain(detail: str) -> str:
    """The SDK's or the system's words, without what the sentence around them says already."""
    tries = ""
    if given_up := _GIVEN_UP.fullmatch(detail):
        tries = f"after {given_up[1]} attempts: "
        detail = given_up[2]
    if answer := _ANSWER.fullmatch(detail):
        detail = answer[1]
    return tries + _NOISE.sub("", _ERRNO.sub("", detail))
