"""A TCP relay on loopback that does to what goes through it what networks do."""
import socket
import struct
import threading
import time

UP, DOWN = "up", "down"  # from the client, from the server

RESET = struct.pack("ii", 1, 0)


class Fault:
    """What happens to the byte `at` of one direction of the connection with this number (from 0).

    reset    the connection is reset: what was under way may be lost
    close    both sides see an orderly end of the connection
    silence  from there on nothing passes, either way, and nobody is told
    stall    this direction pauses for `seconds`
    flip     one bit of the byte is another one
    """

    def __init__(self, kind, at, direction=UP, connection=0, seconds=1):
        assert kind in ("reset", "close", "silence", "stall", "flip"), kind
        self.kind, self.at, self.direction = kind, at, direction
        self.connection, self.seconds = connection, seconds
        self.happened = False

    def __str__(self):
        return "%s at byte %d %s of connection %d" % (self.kind, self.at, self.direction, self.connection)


class Link:
    """One connection through the relay."""

    def __init__(self, number, near, far):
        self.number, self.near, self.far = number, near, far
        self.silent = False
        self.passed = {UP: 0, DOWN: 0}
        self._ways = 2
        self._lock = threading.Lock()

    def way_ended(self):
        with self._lock:
            self._ways -= 1
            if self._ways == 0:
                self.near.close()
                self.far.close()

    def end(self, reset):
        for side in (self.near, self.far):
            try:
                if reset:
                    side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            if reset:
                side.close()


class Relay:
    """Listens on `port` and passes bytes to and from `target`.

    `delay` holds each piece up for so many seconds, by direction; `rate` passes at most so
    many bytes per second.
    """

    def __init__(self, target, faults=(), delay=None, rate=None):
        self.target = target
        self.faults = list(faults)
        self.delay = delay or {}
        self.rate = rate
        self.links = []
        self.accepted = 0
        self._open = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            for side in (near, far):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                link = Link(self.accepted, near, far)
                self.accepted += 1
                self.links.append(link)
                self._open.append(link)
            for direction, source, sink in ((UP, near, far), (DOWN, far, near)):
                threading.Thread(target=self._pass, args=(link, direction, source, sink),
                                 daemon=True).start()

    def _pass(self, link, direction, source, sink):
        try:
            while data := source.recv(min(65536, self.rate or 65536)):
                time.sleep(self.delay.get(direction, 0) + (len(data) / self.rate if self.rate else 0))
                if not self._forward(link, direction, data, sink):
                    return
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        finally:
            link.way_ended()

    def _due(self, link, direction, n):
        """The first fault that is to happen within the next n bytes."""
        before = link.passed[direction]
        due = [f for f in self.faults if not f.happened and f.connection == link.number and
               f.direction == direction and before <= f.at < before + n]
        return min(due, key=lambda f: f.at, default=None)

    def _forward(self, link, direction, data, sink):
        """Passes data on; False when the connection was ended."""
        while data:
            fault = self._due(link, direction, len(data))
            n = fault.at - link.passed[direction] if fault else len(data)
            if not link.silent:
                sink.sendall(data[:n])
            link.passed[direction] += n
            data = data[n:]
            if fault:
                fault.happened = True
                data = self._happen(fault, link, data)
            if data is None:
                return False
        return True

    @staticmethod
    def _happen(fault, link, data):
        """What is left of the data; None when the connection is over."""
        if fault.kind in ("reset", "close"):
            link.end(fault.kind == "reset")
            return None
        if fault.kind == "silence":
            link.silent = True
        elif fault.kind == "stall":
            time.sleep(fault.seconds)
        elif fault.kind == "flip":
            data = bytes([data[0] ^ 0x10]) + data[1:]
        return data

    def cut(self):
        """Resets every connection; new ones are taken."""
        with self._lock:
            links, self._open = self._open, []
        for link in links:
            link.end(reset=True)

    def close(self):
        # shutdown() wakes the thread that waits in accept()
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self.cut()
