"""A small XMPP client of the tests' own: what it sees is the second opinion on what jabiru did.

It shares no code with jabiru. TLS and PLAIN only; xml.etree does the reading.
"""
import base64
import itertools
import select
import socket
import ssl
import threading
import time
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

CLIENT = "{jabber:client}"
STREAM = "{http://etherx.jabber.org/streams}"
SASL = "{urn:ietf:params:xml:ns:xmpp-sasl}"
TLS = "{urn:ietf:params:xml:ns:xmpp-tls}"
BIND = "{urn:ietf:params:xml:ns:xmpp-bind}"
MAM = "{urn:xmpp:mam:2}"
FORWARD = "{urn:xmpp:forward:0}"
RSM = "{http://jabber.org/protocol/rsm}"
ROSTER = "{jabber:iq:roster}"


def attributes(**pairs):
    """Written-out attributes, those that are None left out."""
    return "".join(" %s=%s" % (n.rstrip("_"), quoteattr(v)) for n, v in pairs.items() if v is not None)


class Reader:
    """Bytes of a stream in, its children out.

    Debian's expat holds incomplete tokens back, so it is fed up to the last '>'
    and gets only complete ones.
    """

    def __init__(self):
        self._parser = ET.XMLPullParser(("start", "end"))
        self._depth = 0
        self.root = None
        self.ended = False
        self._rest = b""

    def feed(self, data):
        data = self._rest + data
        cut = data.rfind(b">") + 1
        self._rest = data[cut:]
        self._parser.feed(data[:cut])
        for kind, element in self._parser.read_events():
            if kind == "start":
                self._depth += 1
                self.root = element if self._depth == 1 else self.root
                continue
            self._depth -= 1
            self.ended = self._depth == 0
            if self._depth == 1:
                yield element
                self.root.clear()


class Channel:
    """A socket, with or without TLS, for one reading and several writing threads.

    OpenSSL lets only one thread at a time into a connection, so nothing waits
    inside the lock.
    """

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), 10)
        self._lock = threading.Lock()

    def wrap(self, context, name):
        self._socket.settimeout(20)
        self._socket = context.wrap_socket(self._socket, server_hostname=name)

    def _wait(self, reading, seconds):
        if reading and isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return
        sides = ([self._socket], []) if reading else ([], [self._socket])
        if not any(select.select(*sides, [], seconds)):
            raise AssertionError("the server of the test's own client does not react")

    def recv(self, seconds):
        """Some bytes; none at the end."""
        while True:
            self._wait(True, seconds)
            with self._lock:
                self._socket.setblocking(False)
                try:
                    return self._socket.recv(65536)
                except (ssl.SSLWantReadError, BlockingIOError):
                    continue

    def send(self, data):
        while data:
            with self._lock:
                self._socket.setblocking(False)
                try:
                    data = data[self._socket.send(data):]
                    continue
                except (ssl.SSLWantWriteError, BlockingIOError):
                    pass
            self._wait(False, 20)

    def tls_unique(self):
        return self._socket.get_channel_binding("tls-unique")

    def shutdown(self):
        """Ends it for the reading thread, too."""
        self._socket.shutdown(socket.SHUT_RDWR)


class Client:
    """Connects at once; stanzas are collected by a thread and waited for with take()."""

    def __init__(self, jid, password, port, ca=None, direct=False, tls=True, resource="raw"):
        self.bare = jid
        self._user, self._domain = jid.split("@")
        self._ids = itertools.count(1)
        self.stanzas = []
        self.answers = {}
        self._changed = threading.Condition()
        self._context = ssl.create_default_context(cafile=ca) if tls else None
        self._channel = Channel(port)
        self._patience = 20
        if tls and direct:
            self._wrap()
        self._open()
        if tls and not direct:
            self._request("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", TLS + "proceed")
            self._wrap()
            self._open()
        blob = base64.b64encode(b"\0" + self._user.encode() + b"\0" + password.encode()).decode()
        self._request("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>%s</auth>"
                      % blob, SASL + "success")
        self._open()
        self._bind(resource)
        self._patience = None
        threading.Thread(target=self._collect, daemon=True).start()

    # -- Log-in ---------------------------------------------------------------

    def _wrap(self):
        self._channel.wrap(self._context, self._domain)

    def _open(self):
        self._reader = Reader()
        self._pending = iter(())
        self.send("<?xml version='1.0'?><stream:stream to='%s' version='1.0' xmlns='jabber:client'"
                  " xmlns:stream='http://etherx.jabber.org/streams'>" % self._domain)
        self.features = self._next()
        assert self.features.tag == STREAM + "features", self.features.tag

    def _next(self):
        while True:
            for element in self._pending:
                return element
            data = self._channel.recv(self._patience)
            if not data:
                raise AssertionError("the server closed the stream of the test's own client")
            self._pending = self._reader.feed(data)

    def _request(self, xml, answer):
        self.send(xml)
        element = self._next()
        assert element.tag == answer, ET.tostring(element)

    def _bind(self, resource):
        self.send("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                  "<resource>%s</resource></bind></iq>" % resource)
        self.jid = self._next().findtext(BIND + "bind/" + BIND + "jid")
        assert self.jid and self.jid.startswith(self.bare + "/"), self.jid

    # -- Stanzas --------------------------------------------------------------

    def _collect(self):
        try:
            while True:
                self._store(self._next())
        except (OSError, ValueError, AssertionError, ET.ParseError):
            pass

    def _store(self, element):
        if element.tag == CLIENT + "iq" and element.get("type") in ("get", "set"):
            self._answer(element)
        with self._changed:
            self.stanzas.append(element)
            self._changed.notify_all()

    def _answer(self, request):
        payload = self.answers.get(request[0].tag if len(request) else None)
        own = request.get("from") in (None, self.bare)
        refusal = ("<error type='cancel'><service-unavailable"
                   " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>")
        good = payload is not None or own
        self.send("<iq%s>%s</iq>" % (
            attributes(type="result" if good else "error", id=request.get("id"),
                       to=request.get("from")), (payload or "") if good else refusal))

    def send(self, xml):
        self._channel.send(xml.encode())

    def take(self, test, seconds=15, what="a stanza"):
        """The first stanza that passes the test; it is taken out of the collection."""
        end = time.monotonic() + seconds
        with self._changed:
            while True:
                for element in self.stanzas:
                    if test(element):
                        self.stanzas.remove(element)
                        return element
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError("%s did not reach %s; there were:\n%s" % (
                        what, self.jid, "\n".join(ET.tostring(e, "unicode")[:500]
                                                  for e in self.stanzas)))
                self._changed.wait(left)

    def take_message(self, seconds=15, **wanted):
        """A message with these attributes; `body` is compared with its text."""
        body = wanted.pop("body", None)

        def test(e):
            return (e.tag == CLIENT + "message" and
                    all(e.get(n) == v for n, v in wanted.items()) and
                    (body is None or e.findtext(CLIENT + "body") == body))
        return self.take(test, seconds, "a message %r" % (wanted,))

    def take_presence(self, sender, type=None, seconds=15, test=lambda e: True):
        """Presence of a bare or full address with exactly this type."""
        return self.take(lambda e: e.tag == CLIENT + "presence" and e.get("type") == type and
                         (e.get("from") or "").startswith(sender) and test(e),
                         seconds, "presence %s from %s" % (type, sender))

    def take_push(self, jid, seconds=15, test=lambda item: True):
        """The item of a roster push for an address."""
        def has(e):
            item = e.find(ROSTER + "query/" + ROSTER + "item")
            return (e.tag == CLIENT + "iq" and e.get("type") == "set" and item is not None and
                    item.get("jid") == jid and test(item))
        return self.take(has, seconds, "a roster push for " + jid)[0][0]

    def iq(self, kind, payload, to=None, seconds=15):
        """Asks and returns the reply, whatever its type."""
        number = "q%d" % next(self._ids)
        self.send("<iq%s>%s</iq>" % (attributes(type=kind, id=number, to=to), payload))
        return self.take(lambda e: e.tag == CLIENT + "iq" and e.get("id") == number and
                         e.get("type") in ("result", "error"), seconds, "a reply")

    def roster(self):
        """The roster as {address: item element}; from now on its changes are pushed."""
        reply = self.iq("get", "<query xmlns='jabber:iq:roster'/>")
        return {item.get("jid"): item for item in reply[0]}

    def archive(self):
        """The messages of the own archive (XEP-0313), oldest first."""
        found, after = [], ""
        while True:
            reply = self.iq("set", "<query xmlns='urn:xmpp:mam:2' queryid='%d'>"
                            "<set xmlns='http://jabber.org/protocol/rsm'><max>50</max>%s</set></query>"
                            % (len(found), after), seconds=60)
            assert reply.get("type") == "result", ET.tostring(reply)
            with self._changed:
                results = [e for e in self.stanzas if e.find(MAM + "result") is not None]
                self.stanzas = [e for e in self.stanzas if e.find(MAM + "result") is None]
            found += [e.find("/".join((MAM + "result", FORWARD + "forwarded", CLIENT + "message")))
                      for e in results]
            fin = reply.find(MAM + "fin")
            last = fin.findtext(RSM + "set/" + RSM + "last")
            if fin.get("complete") in ("true", "1") or not last:
                return found
            after = "<after>%s</after>" % escape(last)

    def presence(self, to=None, type=None, inner=""):
        self.send("<presence%s>%s</presence>" % (attributes(to=to, type=type), inner))

    def message(self, to, body, type="chat", inner="", id=None):
        self.send("<message%s><body>%s</body>%s</message>" % (
            attributes(to=to, type=type, id=id), escape(body), inner))

    def close(self):
        try:
            self.send("</stream:stream>")
            self._channel.shutdown()
        except OSError:
            pass
