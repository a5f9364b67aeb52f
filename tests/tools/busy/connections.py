"""Opens and closes TCP connections on this host, RATE per second: `python -m tests.tools.busy.connections RATE`."""

import socket
import sys
import threading
import time


def _accept(server: socket.socket) -> None:
    while True:
        server.accept()[0].close()


def main(rate: float) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        threading.Thread(target=_accept, args=[server], daemon=True).start()
        while True:
            socket.create_connection(server.getsockname()).close()
            time.sleep(1 / rate)


if __name__ == "__main__":
    main(float(sys.argv[1]))
