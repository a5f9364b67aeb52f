"""The address at which metrics are served: as users write it, and a socket that listens there."""

import socket
from typing import NamedTuple

from slabtui.errors import SlabtuiError, Status

HOST = "127.0.0.1"  # what is served names the caches of the host: others see it only where the user says so

_LAST_PORT = 65535


class Address(NamedTuple):
    """Where a server listens; port 0: any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return the address as it is written in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Return the address that is written as `[ADDRESS:]PORT`; an IPv6 address is in brackets.

        Raises:
            ValueError: it is not.
        """
        host, colon, port = text.rpartition(":")
        if not (port.isascii() and port.isdecimal() and len(port) <= len(str(_LAST_PORT)) and int(port) <= _LAST_PORT):
            raise ValueError(text)
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            raise ValueError(text)
        if colon and not host:
            raise ValueError(text)
        return cls(host or HOST, int(port))

    def listen(self) -> socket.socket:
        """Return a socket that listens there; at `::` also for IPv4.

        Raises:
            SlabtuiError: the address is none of this machine's, it is in use, or this process may not use the port.
        """
        try:
            family, _, _, _, resolved = socket.getaddrinfo(*self, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
            both = self.host == "::" and socket.has_dualstack_ipv6()
            return socket.create_server(resolved, family=family, backlog=socket.SOMAXCONN, dualstack_ipv6=both)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise SlabtuiError(
                f"cannot listen at {self} ({reason.partition(' (')[0]})", "choose another address or port", Status.USAGE
            ) from error
