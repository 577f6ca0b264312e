"""A man in the middle whose certificate verifies: TLS ends with him, he speaks TLS of his own to the server,
reads everything, and passes it on, changed where he likes.

Both sides are direct TLS. He is what a mis-issued certificate makes possible; the channel binding is what he
cannot pass on.
"""
import re
import select
import socket
import ssl
import threading

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def removes(pattern):
    """A change that takes out of the server's features what the pattern matches."""
    compiled = re.compile(pattern, re.S)
    return lambda text: compiled.sub("", text)


without_plus = removes(r"<mechanism>[^<]*-PLUS</mechanism>")
without_bindings = removes(r"<sasl-channel-binding\b.*?</sasl-channel-binding>")
without_sasl2 = removes(r"<authentication\b.*?</authentication>")
without_tokens = removes(r"<fast\b.*?</fast>")


def without_mechanism(name):
    return removes(r"<mechanism>%s</mechanism>" % re.escape(name))


def only_mechanisms(*names):
    return removes(r"<mechanism>(?!(%s)</mechanism>)[^<]*</mechanism>" % "|".join(map(re.escape, names)))


class Side:
    """One end of the way through him. Never blocks in recv()."""

    def __init__(self, connection):
        self.socket = connection

    def recv(self):
        """Bytes; None when there are none yet; b"" at the end."""
        self.socket.setblocking(False)
        try:
            return self.socket.recv(65536)
        except (ssl.SSLWantReadError, BlockingIOError):
            return None
        except OSError:
            return b""

    def send(self, data):
        self.socket.settimeout(20)
        self.socket.sendall(data)

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


class Middle:
    """Listens on `port`. `changes` are applied to each features element of the server, in their order.

    `up` and `down` are what the client and the server said, in clear.
    """

    def __init__(self, cert, server_port, ca, *changes, near=V13, far=V13):
        self.server_port, self.changes = server_port, changes
        self.up, self.down = bytearray(), bytearray()
        self.connections = 0
        self._near = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._near.load_cert_chain(cert.cert, cert.key)
        self._near.set_alpn_protocols(["xmpp-client"])
        self._near.minimum_version = self._near.maximum_version = near
        self._far = ssl.create_default_context(cafile=ca)
        self._far.minimum_version = self._far.maximum_version = far
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        near.settimeout(20)
        sides = [Side(near)]
        try:
            sides[0].socket = self._near.wrap_socket(near, server_side=True)
            far = socket.create_connection(("127.0.0.1", self.server_port), 20)
            sides.append(Side(far))
            sides[1].socket = self._far.wrap_socket(far, server_hostname="localhost")
            self._relay(*sides)
        except OSError:
            pass
        finally:
            for side in sides:
                side.close()

    def _relay(self, near, far):
        held = b""
        while True:
            if not (near.socket.pending() or far.socket.pending()):
                select.select([near.socket, far.socket], [], [])
            data = near.recv()
            if data:
                self.up += data
                far.send(data)
            answer = far.recv()
            if answer:
                self.down += answer
                held = self._pass_down(held + answer, near)
            if data == b"" or answer == b"":
                return

    def _pass_down(self, data, near):
        """Sends what is complete; the value is what has to wait for the rest of a features element."""
        begin = data.rfind(b"<stream:features")
        if self.changes and begin >= 0 and b"</stream:features>" not in data[begin:]:
            return data
        text = data.decode() if self.changes else data
        for change in self.changes:
            text = change(text)
        near.send(text.encode() if self.changes else data)
        return b""

    def close(self):
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
