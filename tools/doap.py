#!/usr/bin/python3
"""Writes jabiru.doap and docs/xeps.md from the extensions' descriptors.

    tools/doap.py            writes both
    tools/doap.py --check    says what is out of date, and fails

An extension says in its `.spec` which specifications it implements, and in a
sentence of its opening comment that begins "Not yet:" what is missing.
"""
import pathlib
import re
import sys
from xml.sax.saxutils import escape

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What is not an extension: specification, version, where it is done, what is
# missing. The file named must mention the specification, so that no row
# outlives it.
CORE = [
    ("RFC 5122", "", "src/jid/uri.c", ""),
    ("RFC 6120", "", "src/stream/stream.c", ""),
    ("RFC 7590", "", "src/net/tls.h", ""),
    ("RFC 7622", "", "src/jid/precis.c", ""),
    ("XEP-0106", "1.1.1", "src/jid/escape.c", ""),
    ("XEP-0138", "2.1", "src/stream/compress.c", ""),
    ("XEP-0147", "1.2", "src/jid/uri.c", "acting on the queries: they are only parsed"),
    ("XEP-0198", "1.6.3", "src/session/sm.c", ""),
    ("XEP-0305", "0.3", "src/stream/ahead.c", "what the older log-in has behind the resource"),
    ("XEP-0368", "1.1.0", "src/net/srv.c", ""),
    ("XEP-0386", "1.1.0", "src/stream/bind2.c", "the archive's place at the log-in is not used"),
    ("XEP-0388", "1.0.4", "src/stream/sasl2.c", "tasks other than upgrades"),
    ("XEP-0440", "1.0.0", "src/stream/plan.c", ""),
    ("XEP-0474", "0.5.0", "src/sasl/offer.c", ""),
    ("XEP-0478", "0.2.0", "src/stream/stream.c", ""),
    ("XEP-0480", "0.2.0", "src/stream/upgrade.c", ""),
    ("XEP-0484", "0.2.0", "src/stream/fast.c", ""),
    ("XEP-0509", "0.2.0", "src/stream/ahead.c", ""),
    ("XEP-0515", "0.1.0", "src/sasl/offer.c", ""),
]

TITLES = {
    "RFC 5122": "IRIs and URIs for XMPP",
    "RFC 6120": "XMPP: Core",
    "RFC 6121": "XMPP: Instant Messaging and Presence",
    "RFC 7590": "Use of TLS in XMPP",
    "RFC 7622": "XMPP: Address Format",
    "XEP-0012": "Last Activity",
    "XEP-0030": "Service Discovery",
    "XEP-0045": "Multi-User Chat",
    "XEP-0059": "Result Set Management",
    "XEP-0082": "XMPP Date and Time Profiles",
    "XEP-0092": "Software Version",
    "XEP-0106": "JID Escaping",
    "XEP-0115": "Entity Capabilities",
    "XEP-0138": "Stream Compression",
    "XEP-0147": "XMPP URI Scheme Query Components",
    "XEP-0184": "Message Delivery Receipts",
    "XEP-0198": "Stream Management",
    "XEP-0199": "XMPP Ping",
    "XEP-0202": "Entity Time",
    "XEP-0203": "Delayed Delivery",
    "XEP-0237": "Roster Versioning",
    "XEP-0280": "Message Carbons",
    "XEP-0297": "Stanza Forwarding",
    "XEP-0305": "XMPP Quickstart",
    "XEP-0313": "Message Archive Management",
    "XEP-0333": "Displayed Markers",
    "XEP-0334": "Message Processing Hints",
    "XEP-0352": "Client State Indication",
    "XEP-0359": "Unique and Stable Stanza IDs",
    "XEP-0368": "SRV records for XMPP over TLS",
    "XEP-0386": "Bind 2",
    "XEP-0388": "Extensible SASL Profile",
    "XEP-0440": "SASL Channel-Binding Type Capability",
    "XEP-0474": "SASL SCRAM Downgrade Protection",
    "XEP-0478": "Stream Limits Advertisement",
    "XEP-0480": "SASL Upgrade Tasks",
    "XEP-0484": "Fast Authentication Streamlining Tokens",
    "XEP-0509": "Initial Authentication Pipelining",
    "XEP-0515": "TLS Channel-Binding Downgrade Protection",
}

DOAP = """<?xml version='1.0' encoding='UTF-8'?>
<!-- Written by tools/doap.py. -->
<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'
         xmlns='http://usefulinc.com/ns/doap#'
         xmlns:xmpp='https://linkmauve.fr/ns/xmpp-doap#'>
  <Project>
    <name>jabiru</name>
    <shortdesc xml:lang='en'>An XMPP client library and its programs</shortdesc>
    <programming-language>C</programming-language>
    <os>Linux</os>
    <license rdf:resource='https://spdx.org/licenses/MIT'/>
    <category rdf:resource='https://linkmauve.fr/ns/xmpp-doap#category-jabber'/>
    <category rdf:resource='https://linkmauve.fr/ns/xmpp-doap#category-client'/>
    <category rdf:resource='https://linkmauve.fr/ns/xmpp-doap#category-library'/>
{rfcs}
{xeps}
  </Project>
</rdf:RDF>
"""

DOAP_XEP = """    <implements>
      <xmpp:SupportedXep>
        <xmpp:xep rdf:resource='https://xmpp.org/extensions/{file}.html'/>
        <xmpp:status>{status}</xmpp:status>
        <xmpp:version>{version}</xmpp:version>{note}
      </xmpp:SupportedXep>
    </implements>"""

PAGE = """# What is implemented

Written by `tools/doap.py` from the descriptors in `src/ext` and a list of what is not an extension. `jabiru.doap` says the same to programs.

| specification | version | title | where | not yet |
|---|---|---|---|---|
{rows}
"""


def descriptors():
    """(spec, version, file, what is missing) of each extension, a row per spec."""
    for path in sorted((ROOT / "src/ext").glob("*.c")):
        text = path.read_text()
        spec = re.search(r'\.spec = "([^"]*)"', text)
        if not spec:
            continue
        comment = " ".join(re.split(r"[\s*]+", text[: text.index("*/")]))
        missing = re.search(r"Not yet: (.*?)\.(?: |$)", comment)
        for one in spec.group(1).split(", "):
            name = re.match(r"(XEP-\d{4}|RFC \d{4})(?: (\S+))?$", one)
            if not name:
                sys.exit(f"{path}: cannot read .spec {one!r}")
            note = missing.group(1) if missing and name.group(1) in comment else ""
            yield name.group(1), name.group(2) or "", str(path.relative_to(ROOT)), note


def core():
    for spec, version, file, missing in CORE:
        if spec not in (ROOT / file).read_text().replace("\n * ", " "):
            sys.exit(f"{file} does not mention {spec}")
        yield spec, version, file, missing


def collect():
    rows = {}
    for spec, version, file, missing in [*descriptors(), *core()]:
        if spec not in TITLES:
            sys.exit(f"{file}: add the title of {spec} to tools/doap.py")
        row = rows.setdefault(spec, {"version": version, "files": [], "missing": missing})
        if row["version"] != version:
            sys.exit(f"{file}: {spec} in two versions")
        row["files"].append(file)
        row["missing"] = row["missing"] or missing
    return dict(sorted(rows.items()))


def doap(rows):
    rfcs, xeps = [], []
    for spec, row in rows.items():
        if spec.startswith("RFC"):
            url = f"https://www.rfc-editor.org/info/rfc{spec[4:]}"
            rfcs.append(f"    <implements rdf:resource='{url}'/>")
            continue
        missing = row["missing"]
        note = f"\n        <xmpp:note xml:lang='en'>Not yet: {escape(missing)}.</xmpp:note>"
        xeps.append(DOAP_XEP.format(
            file=spec.lower(), version=row["version"],
            status="partial" if missing else "complete", note=note if missing else ""))
    return DOAP.format(rfcs="\n".join(rfcs), xeps="\n".join(xeps))


def page(rows):
    lines = []
    for spec, row in rows.items():
        files = ", ".join(f"`{f}`" for f in row["files"])
        cells = (spec, row["version"], TITLES[spec], files, row["missing"])
        lines.append("| " + " | ".join(cells) + " |")
    return PAGE.format(rows="\n".join(lines))


def main():
    rows = collect()
    written = {ROOT / "jabiru.doap": doap(rows), ROOT / "docs/xeps.md": page(rows)}
    stale = [p for p, text in written.items() if not p.exists() or p.read_text() != text]
    if sys.argv[1:] == ["--check"]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date: run tools/doap.py")
        sys.exit(bool(stale))
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(written[path])


if __name__ == "__main__":
    main()
