"""What can go wrong between a client and the small Hub: each fault strikes requests by method and address."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Fault:
    """Strikes the next ``times`` requests that match, after leaving ``skip`` of them alone.

    ``how``: ``drop`` (connection closed before the request is read), ``break`` (closed when half of its body is read),
    ``lose`` (carried out, then closed without an answer), ``cut`` (carried out, then half of the answer's body is
    sent), ``status`` (answered with ``status`` and ``headers``, not carried out), ``call`` (none of that, the request
    goes its way). ``action()`` is called first, if there is one.
    """

    method: str
    address: str  # regular expression, searched in the path
    how: str
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    action: Callable[[], Any] | None = None
    times: int = 1
    skip: int = 0
    struck: int = 0

    def strikes(self, method: str, path: str) -> bool:
        """Whether it strikes this request; counts."""
        if method != self.method or not re.search(self.address, path) or self.struck >= self.times:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.struck += 1
        return True


def reset(connection: socket.socket) -> None:
    """Close at once, so that the peer sees a broken connection and no orderly end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
