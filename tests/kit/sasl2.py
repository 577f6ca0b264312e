"""A log-in by SASL2 (XEP-0388) of the tests' own, step by step: the second opinion on a server that offers it.

Python's ssl gives tls-unique only, so what is bound to TLS 1.3 is left to jabiru.
"""
import base64
import hashlib
import hmac
import os
import ssl
import xml.etree.ElementTree as ET

from kit.xmpp import Channel, Reader, STREAM

SASL2 = "{urn:xmpp:sasl:2}"
FAST = "{urn:xmpp:fast:0}"
BIND2 = "{urn:xmpp:bind:0}"
SM = "{urn:xmpp:sm:3}"


def b64(data):
    return base64.b64encode(data).decode()


def user_agent(number):
    return ("<user-agent id='%s'><software>test</software><device>rig</device></user-agent>"
            % ("d4565fa7-4d72-4749-b3d3-%012d" % number))


class Scram:
    """SCRAM-SHA-256 (RFC 7677), bound to the channel when `binding` is (type, bytes)."""

    def __init__(self, user, password, binding=None):
        self.name = "SCRAM-SHA-256" + ("-PLUS" if binding else "")
        self._header = "p=%s,," % binding[0] if binding else "n,,"
        self._bound = self._header.encode() + (binding[1] if binding else b"")
        self._bare = "n=%s,r=%s" % (user, os.urandom(12).hex())
        self._password = password

    def first(self):
        return (self._header + self._bare).encode()

    def final(self, challenge):
        fields = dict(part.split("=", 1) for part in challenge.decode().split(","))
        salted = hashlib.pbkdf2_hmac("sha256", self._password.encode(), base64.b64decode(fields["s"]),
                                     int(fields["i"]))
        without_proof = "c=%s,r=%s" % (b64(self._bound), fields["r"])
        signed = ",".join((self._bare, challenge.decode(), without_proof)).encode()
        key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        self._expected = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")
        return (without_proof + ",p=" + b64(bytes(a ^ b for a, b in zip(key, signature)))).encode()

    def check(self, data):
        assert data == b"v=" + b64(self._expected).encode(), data


class Token:
    """HT-SHA-256-NONE or -UNIQ (XEP-0484)."""

    def __init__(self, user, token, binding=None):
        self.name = "HT-SHA-256-" + ("UNIQ" if binding else "NONE")
        self._user, self._token = user, token.encode()
        self._bound = binding[1] if binding else b""

    def first(self):
        return self._user.encode() + b"\0" + hmac.digest(self._token, b"Initiator" + self._bound, "sha256")

    def check(self, data):
        assert data == hmac.digest(self._token, b"Responder" + self._bound, "sha256"), data


class Login:
    """A connection by direct TLS, and the features of its first stream."""

    def __init__(self, jid, port, ca, version=ssl.TLSVersion.TLSv1_3):
        self.user, domain = jid.split("@")
        context = ssl.create_default_context(cafile=ca)
        context.minimum_version = context.maximum_version = version
        self._channel = Channel(port)
        self._channel.wrap(context, domain)
        self._reader, self._pending = Reader(), iter(())
        self.send("<?xml version='1.0'?><stream:stream to='%s' from='%s' version='1.0' xmlns='jabber:client'"
                  " xmlns:stream='http://etherx.jabber.org/streams'>" % (domain, jid))
        self.features = self.next()
        assert self.features.tag == STREAM + "features", ET.tostring(self.features)

    def binding(self):
        return "tls-unique", self._channel.tls_unique()

    def send(self, xml):
        self._channel.send(xml.encode())

    def next(self, seconds=10):
        while True:
            for element in self._pending:
                return element
            data = self._channel.recv(seconds)
            assert data, "the server ended the stream"
            self._pending = iter(list(self._reader.feed(data)))

    def take(self, tag):
        element = self.next()
        assert element.tag == tag, ET.tostring(element)
        return element

    def offered(self):
        """What of SASL2 the features name: mechanisms, those of tokens, inline features, channel bindings."""
        top = self.features.find(SASL2 + "authentication")
        return {
            "mechanisms": {e.text for e in top.findall(SASL2 + "mechanism")},
            "tokens": {e.text for e in top.iter(FAST + "mechanism")},
            "inline": {e.get("var") for e in top.iter(BIND2 + "feature")},
            "bindings": {e.get("type") for e in self.features.iter("{urn:xmpp:sasl-cb:0}channel-binding")},
        }

    def authenticate(self, mechanism, inner=""):
        """Sends the first step with what goes with it; the value is the server's <success/> or <failure/>."""
        self.send("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='%s'><initial-response>%s</initial-response>"
                  "%s</authenticate>" % (mechanism.name, b64(mechanism.first()), inner))
        answer = self.next()
        if answer.tag == SASL2 + "challenge":
            self.send("<response xmlns='urn:xmpp:sasl:2'>%s</response>"
                      % b64(mechanism.final(base64.b64decode(answer.text))))
            answer = self.next()
        if answer.tag == SASL2 + "success":
            mechanism.check(base64.b64decode(answer.findtext(SASL2 + "additional-data")))
        return answer

    def cut(self):
        self._channel.shutdown()
