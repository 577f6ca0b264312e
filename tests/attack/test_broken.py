"""XML that is no XMPP: every kind ends the stream with status 4, in the header and in the session."""
from attack.scripted import HEADER, mechanisms
from kit.tap import rows

GOOD = HEADER % ("localhost", "1")
NO_ENTITIES = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>"

HEADERS = [
    ("another protocol", "HTTP/1.1 400 Bad Request\r\n\r\n"),
    ("a web page", "<html><body>It works!</body></html>"),
    ("noise", bytes(range(128, 256)) * 20),
    ("NUL bytes", b"\0" * 100),
    ("XML 1.1", GOOD.replace("version='1.0'?", "version='1.1'?")),
    ("another encoding", GOOD.replace("version='1.0'?", "version='1.0' encoding='ISO-8859-1'?")),
    ("UTF-16", GOOD.encode("utf-16")),
    ("a document type", GOOD.replace("?>", "?>" + NO_ENTITIES)),
    ("a comment", GOOD.replace("?>", "?><!-- hello -->")),
    ("a processing instruction", GOOD.replace("?>", "?><?php evil ?>")),
    ("another stream namespace", GOOD.replace("etherx.jabber.org", "example.org")),
    ("no stream namespace", "<stream xmlns='jabber:client' version='1.0' id='1'>"),
    ("the server's namespace", GOOD.replace("jabber:client", "jabber:server") + "<stream:features/>"),
    ("an unbound prefix", "<?xml version='1.0'?><stream:stream id='1' version='1.0'>"),
    ("text before it", "hello " + GOOD),
    ("text behind it", GOOD + "hello"),
    ("the end at once", GOOD + "</stream:stream>"),
    ("bad UTF-8 in an attribute", GOOD.encode().replace(b"id='", b"id='\xc0\xaf")),
    ("a duplicate attribute", GOOD.replace("version='1.0' xml", "version='1.0' version='1.0' xml")),
    ("a stanza before features", GOOD + "<message><body>hi</body></message>"),
    ("an endless tag", GOOD + "<" + "a" * 2000000),
    ("an endless attribute", GOOD + "<stream:features x='" + "a" * 2000000),
    ("endless features", GOOD + "<stream:features>" + "<f xmlns='x:y'/>" * 200000),
    ("too deep features", GOOD + "<stream:features>" + "<f>" * 100000),
    ("too many attributes", GOOD + "<stream:features %s/>" % " ".join("a%d='1'" % i for i in range(5000))),
    ("a stream error", GOOD + "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
     "</stream:error></stream:stream>"),
]

STANZAS = [
    ("a comment", "<!-- x -->"),
    ("a comment within", "<message><!-- x --></message>"),
    ("a processing instruction", "<message><?x y?></message>"),
    ("a document type", NO_ENTITIES + "<message/>"),
    ("an entity", "<message><body>&evil;</body></message>"),
    ("billion laughs", "<message><body>" + "&b;" * 100 + "</body></message>"),
    ("a character that is none", "<message><body>&#0;</body></message>"),
    ("a surrogate", "<message><body>&#xD800;</body></message>"),
    ("an overlong sequence", b"<message><body>\xc0\xbc</body></message>"),
    ("a surrogate in bytes", b"<message><body>\xed\xa0\x80</body></message>"),
    ("beyond Unicode", b"<message><body>\xf4\x90\x80\x80</body></message>"),
    ("a cut sequence", b"<message><body>\xe2\x82</body></message>"),
    ("a control character", b"<message><body>\x1b[2J</body></message>"),
    ("tags that do not match", "<message><body></message></body>"),
    ("the end inside a stanza", "<message><body></stream:stream>"),
    ("a second stream", "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'></stream:stream>"),
    ("a second XML declaration", "<?xml version='1.0'?><message/>"),
    ("an unbound prefix", "<evil:message/>"),
    ("xmlns as a prefix", "<message xmlns:xmlns='x'/>"),
    ("xml bound elsewhere", "<message xmlns:xml='urn:evil'/>"),
    ("an empty namespace for a prefix", "<message xmlns:a=''/>"),
    ("the same attribute twice", "<message to='a' to='b'/>"),
    ("the same attribute by two prefixes", "<message xmlns:a='x:y' xmlns:b='x:y' a:c='1' b:c='2'/>"),
    ("an attribute without quotes", "<message to=a/>"),
    ("an attribute without a value", "<message to/>"),
    ("a < in an attribute", "<message to='<'/>"),
    ("a bare ampersand", "<message><body>a & b</body></message>"),
    ("]]> in text", "<message><body>]]></body></message>"),
    ("text between stanzas", "boo"),
    ("too deep", "<message>" + "<a>" * 100000),
    ("too large", "<message><body>" + "a" * 40000000),
    ("too many attributes", "<message %s/>" % " ".join("a%d='1'" % i for i in range(5000))),
    ("an endless name", "<" + "a" * 2000000),
    ("a stream error", "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"),
    ("features in the session", "<stream:features/>"),
    ("success in the session", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"),
    ("a challenge in the session", "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"),
    ("proceed in the session", "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
    ("compressed in the session", "<compressed xmlns='http://jabber.org/protocol/compress'/>"),
]


@rows(*HEADERS)
def test_in_the_header(lab, data):
    def script(peer):
        peer.wrap(lab.good)
        peer.header()
        peer.send(data)
    attempt = lab.run(script)
    attempt.fails(4)
    assert b"<auth" not in attempt.wire


@rows(*STANZAS)
def test_in_the_session(lab, data):
    def then(peer):
        peer.next()  # the first request
        peer.send(data)
    lab.run(lab.logged_in(then), "version", "peer@localhost/x").fails(4)


def test_features_twice(lab):
    def script(peer):
        peer.wrap(lab.good)
        peer.open(mechanisms("SCRAM-SHA-1"))
        peer.send("<stream:features>%s</stream:features>" % mechanisms("PLAIN"))
    lab.run(script).fails(4)


@rows(("without a word", b""), ("inside a stanza", b"<message><body>never fini"),
      ("after a stream end", b"</stream:stream>"))
def test_a_connection_that_ends(lab, data):
    def then(peer):
        peer.next()
        peer.send(data)
        peer.socket.close()
    lab.run(lab.logged_in(then), "version", "peer@localhost/x").fails(4)
