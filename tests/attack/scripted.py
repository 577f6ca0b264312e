"""A server that plays a script to each client and keeps every byte that it was sent."""
import base64
import hashlib
import hmac
import os
import socket
import ssl
import threading
import zlib
import xml.etree.ElementTree as ET

from kit.xmpp import Reader, SASL, STREAM, TLS

HEADER = ("<?xml version='1.0'?><stream:stream from='%s' id='s%s' version='1.0' xml:lang='en'"
          " xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
BIND = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
ZLIB = ("<compression xmlns='http://jabber.org/features/compress'><method>zlib</method>"
        "</compression>")
UNAVAILABLE = ("<error type='cancel'><service-unavailable"
               " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>")


def mechanisms(*names):
    return "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>%s</mechanisms>" % "".join(
        "<mechanism>%s</mechanism>" % n for n in names)


def sasl(name, data=None):
    text = base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode() if data else ""
    return "<%s xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>%s</%s>" % (name, text, name)


class Gone(Exception):
    """The client closed the connection: the usual end of a script."""


class Peer:
    """One client. Reads stanzas one by one; everything it sent is added to the server's wire."""

    def __init__(self, connection, server):
        self.socket, self.server = connection, server
        self.socket.settimeout(30)
        self.jid = None
        self._decode = lambda data: data
        self._encode = lambda data: data
        self._restart()

    def _restart(self):
        self._reader, self._elements = Reader(), iter(())

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except OSError:
            data = b""
        if not data:
            raise Gone()
        self.server.wire += data
        try:
            self._elements = iter(list(self._reader.feed(self._decode(data))))
        except ET.ParseError:
            if b"</stream:stream>" in data:
                raise Gone()
            raise

    def send(self, xml):
        data = xml.encode() if isinstance(xml, str) else xml
        try:
            self.socket.sendall(self._encode(data))
        except OSError:
            raise Gone()

    def next(self):
        """The next element of the stream; it is the end of the script when the client gives up."""
        while True:
            for element in self._elements:
                if element.tag in (STREAM + "error", SASL + "abort"):
                    raise Gone()
                return element
            if self._reader.ended:
                self.send("</stream:stream>")
                raise Gone()
            self._more()

    def header(self):
        """Waits for the client's stream header; what it sends with that is there for next()."""
        self._restart()
        while self._reader.root is None:
            self._more()

    def open(self, *features):
        """Takes the client's header; sends an own one and features."""
        self.header()
        self.send(HEADER % (self.server.domain, os.urandom(4).hex()) +
                  "<stream:features>%s</stream:features>" % "".join(features))

    def wrap(self, cert):
        """The server's half of a TLS handshake."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert.cert, cert.key)
        try:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        except (OSError, ssl.SSLError):
            raise Gone()

    def starttls(self, cert, inject=""):
        """STARTTLS up to TLS; `inject` is sent in clear right behind <proceed/>."""
        self.open(STARTTLS)
        element = self.next()
        assert element.tag == TLS + "starttls", element.tag
        self.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + inject)
        self.wrap(cert)

    def compressed(self):
        """Takes <compress/>, answers, and goes on under zlib."""
        element = self.next()
        assert element.tag.endswith("}compress"), element.tag
        self.send("<compressed xmlns='http://jabber.org/protocol/compress'/>")
        out, into = zlib.compressobj(), zlib.decompressobj()
        self._encode = lambda data: out.compress(data) + out.flush(zlib.Z_SYNC_FLUSH)
        self._decode = into.decompress

    def auth(self):
        """Takes <auth/>; its mechanism and decoded data."""
        element = self.next()
        assert element.tag == SASL + "auth", element.tag
        text = element.text or ""
        return element.get("mechanism"), base64.b64decode("" if text == "=" else text)

    def response(self):
        element = self.next()
        assert element.tag == SASL + "response", element.tag
        return base64.b64decode(element.text or "")

    def scram(self, password, first=None, final=None, iterations="4096", salt=b"0123456789abcdef"):
        """SCRAM as the client asked for. `first` and `final` may change what is sent."""
        mechanism, data = self.auth()
        digest = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}[mechanism]
        bare = data.split(b",", 2)[2]
        nonce = bare.split(b"r=")[1].decode()
        challenge = "r=%sSERVER,s=%s,i=%s" % (nonce, base64.b64encode(salt).decode(), iterations)
        challenge = first(challenge) if first else challenge
        self.send(sasl("challenge", challenge))
        response = self.response()
        without_proof = response.rsplit(b",p=", 1)[0]
        salted = hashlib.pbkdf2_hmac(digest, password.encode(), salt, int(iterations))
        key = hmac.digest(salted, b"Server Key", digest)
        signed = bare + b"," + challenge.encode() + b"," + without_proof
        proof = "v=" + base64.b64encode(hmac.digest(key, signed, digest)).decode()
        self.send(final(proof) if final else sasl("success", proof))

    def login(self, password, cert=None, direct=True, extra=""):
        """A log-in that goes well, up to and with binding."""
        if cert and direct:
            self.wrap(cert)
        elif cert:
            self.starttls(cert)
        self.open(mechanisms("SCRAM-SHA-256", "SCRAM-SHA-1"))
        self.scram(password)
        self.open(BIND, extra)
        self.bind()

    def bind(self):
        element = self.next()
        wanted = element.findtext(".//{urn:ietf:params:xml:ns:xmpp-bind}resource") or "made-up"
        self.jid = "user@%s/%s" % (self.server.domain, wanted)
        self.send("<iq type='result' id='%s'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                  "<jid>%s</jid></bind></iq>" % (element.get("id"), self.jid))

    def serve(self, answers, seen=lambda stanza: None):
        """Answers requests until the client leaves, and shows every stanza to seen().

        `answers` maps the tag of a payload to text or to a function(peer, iq) that
        answers by itself; other requests get an empty result.
        """
        while True:
            stanza = self.next()
            seen(stanza)
            if stanza.tag.endswith("}iq") and stanza.get("type") in ("get", "set"):
                answer = answers.get(stanza[0].tag, "")
                if callable(answer):
                    answer(self, stanza)
                else:
                    self.result(stanza, answer)

    def result(self, iq, payload, sender=None):
        sender = sender or iq.get("to")
        self.send("<iq type='result' id='%s' to='%s'%s>%s</iq>" % (
            iq.get("id"), self.jid, " from='%s'" % sender if sender else "", payload))

    def wait_gone(self):
        """Reads until the client leaves."""
        while True:
            try:
                self.socket.settimeout(60)
                data = self.socket.recv(65536)
            except OSError:
                data = b""
            if not data:
                raise Gone()
            self.server.wire += data


class Scripted:
    """Listens on loopback and plays `script(peer)` to each client."""

    def __init__(self, script, domain="localhost"):
        self.script, self.domain = script, domain
        self.wire = bytearray()
        self.connections = 0
        self.failures = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._play, args=(connection,), daemon=True).start()

    def _play(self, connection):
        peer = Peer(connection, self)
        try:
            self.script(peer)
            peer.wait_gone()
        except Gone:
            pass
        except Exception as e:
            self.failures.append(e)
        finally:
            peer.socket.close()

    def close(self):
        self._socket.close()
