"""slow_relay.py: a TCP relay on loopback that is far away, and counts round trips.

Each piece is passed on so long after it came, however many are under way: what is sent in one
go arrives in one go. A piece of the client's is one trip deeper than the deepest piece of the
server's that had reached the client when it left; a piece of the server's is as deep as the
deepest of the client's that had reached the server. So what crosses on the way, as TLS tickets
do with what the client sends behind its handshake, is no trip of its own. TCP's own trip
is not in it: the relay is near.
"""

import queue
import socket
import threading
import time
from collections import namedtuple

UP, DOWN = 'up', 'down'
Piece = namedtuple('Piece', 'time direction bytes depth')  # when it was at the client
Count = namedtuple('Count', 'trips up down')


class Link:
    """One connection: what the client sent and got, and when."""

    def __init__(self, near, far, delay):
        self.pieces, self.delay = [], delay
        self.began = time.monotonic()
        self.heard = {UP: 0, DOWN: 0}  # the deepest piece that arrived
        self.waiting = {UP: queue.SimpleQueue(), DOWN: queue.SimpleQueue()}
        for direction, source, sink in ((UP, near, far), (DOWN, far, near)):
            for side in (self._take, self._pass):
                threading.Thread(target=side, args=(direction, source, sink), daemon=True).start()

    def _take(self, direction, source, _):
        """Reads; acknowledged at once, as no delay but the relay's own is to count."""
        data = True
        while data:
            try:
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
                data = source.recv(65536)
            except OSError:
                data = b''
            now = time.monotonic()
            depth = self.heard[DOWN] + 1 if direction == UP else self.heard[UP]
            if direction == UP and data:
                self.pieces.append(Piece(now, UP, len(data), depth))
            self.waiting[direction].put((now + self.delay, data, depth))

    def _pass(self, direction, _, sink):
        data = True
        while data:
            due, data, depth = self.waiting[direction].get()
            time.sleep(max(0, due - time.monotonic()))
            self.heard[direction] = max(self.heard[direction], depth)
            if direction == DOWN and data:
                self.pieces.append(Piece(time.monotonic(), DOWN, len(data), depth))
            try:
                sink.sendall(data) if data else sink.shutdown(socket.SHUT_WR)
            except OSError:
                return

    def count(self, until):
        """Trips that were over and bytes that had passed the client by then."""
        pieces = [piece for piece in self.pieces if piece.time <= until]
        up, down = ([p for p in pieces if p.direction == way] for way in (UP, DOWN))
        return Count(max((p.depth for p in down), default=0),
                     sum(p.bytes for p in up), sum(p.bytes for p in down))

    def last(self, direction):
        """The last piece that went this way."""
        return [piece for piece in self.pieces if piece.direction == direction][-1]


class Relay:
    """Listens on `port` for as long as the process lives; `link` is the latest connection."""

    def __init__(self, target, delay):
        self.target, self.delay, self.link = target, delay, None
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            near, _ = self._listener.accept()
            far = socket.create_connection(('127.0.0.1', self.target))
            for side in (near, far):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.link = Link(near, far, self.delay)
