"""A name server on loopback that says what a test wants: records, an error, or nothing."""
import socket
import struct
import threading

A, AAAA, SRV, TLSA = 1, 28, 33, 52
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5


def encode_name(name):
    labels = [l for l in name.rstrip(".").split(".") if l]
    return b"".join(bytes([len(l)]) + l.encode() for l in labels) + b"\0"


def a(address):
    return A, socket.inet_aton(address)


def srv(target, port, priority=0, weight=0):
    return SRV, struct.pack("!HHH", priority, weight, port) + encode_name(target)


def tlsa(key_sha256):
    """DANE-EE of a key (RFC 7671 5.1)."""
    return TLSA, b"\3\1\1" + key_sha256


class NameServer:
    """`records` maps names to lists of (type, data); other names get `otherwise`. What is asked
    about the types in `secure` is validated by DNSSEC, and who wants to know is told."""

    def __init__(self, records=None, otherwise=NXDOMAIN, silent=False, secure=()):
        self.records, self.otherwise, self.silent = records or {}, otherwise, silent
        self.secure = secure
        self.asked = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                query, sender = self._socket.recvfrom(4096)
                reply = self._answer(query)
                if reply and not self.silent:
                    self._socket.sendto(reply, sender)
            except OSError:
                return

    def _answer(self, query):
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        kind, = struct.unpack_from("!H", query, at + 1)
        question = query[12:at + 5]
        name = ".".join(labels).lower()
        self.asked.append((name, kind))
        known = name in self.records
        found = [data for k, data in self.records.get(name, ()) if k == kind]
        authentic = 0x20 if kind in self.secure and query[3] & 0x20 else 0  # RFC 6840 5.7
        flags = 0x8180 | authentic | (NOERROR if known else self.otherwise)
        answers = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(d)) + d for d in found)
        return query[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0) + question + answers

    def close(self):
        self._socket.close()
