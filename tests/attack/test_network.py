"""Name servers and ports: the unknown, the refused, the lying."""
from attack.scripted import Scripted, mechanisms
from kit.certs import key_sha256
from kit.dns import A, NOERROR, SERVFAIL, SRV, TLSA, NameServer, a, srv, tlsa
from kit.process import free_ports

DOMAIN = "jab.example"


def ask(lab, dns, domain=DOMAIN, *options):
    person = lab.person("--nameserver", dns.address, *options, domain=domain)
    attempt = lab.attempt(person, "ping")
    dns.close()
    return attempt


def test_an_unknown_host(lab):
    dns = NameServer()
    ask(lab, dns).fails(4, says=("dns", DOMAIN))
    assert ("_xmpp-client._tcp." + DOMAIN, 33) in dns.asked


def test_a_name_server_that_fails(lab):
    ask(lab, NameServer(otherwise=SERVFAIL)).fails(4, says="dns")


def test_a_name_without_addresses(lab):
    ask(lab, NameServer(otherwise=NOERROR)).fails(4, says="dns")


def test_a_domain_that_declares_to_have_no_service(lab):
    """RFC 6120 3.2.1: a target of "." ends the matter, addresses or not."""
    dns = NameServer({"_xmpp-client._tcp." + DOMAIN: [srv(".", 0)],
                      "_xmpps-client._tcp." + DOMAIN: [srv(".", 0)], DOMAIN: [a("127.0.0.1")]})
    ask(lab, dns).fails(4)
    assert (DOMAIN, A) not in dns.asked, dns.asked


def test_a_refused_port(lab):
    port, = free_ports(1)
    person = lab.person("--host", "127.0.0.1:%d" % port)
    lab.attempt(person, "ping").fails(4, says=("tcp", str(port)))


def test_a_refused_port_from_dns(lab):
    port, = free_ports(1)
    dns = NameServer({"_xmpp-client._tcp." + DOMAIN: [srv("x." + DOMAIN, port)],
                      "x." + DOMAIN: [a("127.0.0.1")]})
    ask(lab, dns).fails(4)


def test_a_server_found_by_dns(lab):
    """The control: what these tests forge can also lead to a log-in."""
    cert = lab.authority.issue("dns", DOMAIN)
    server = Scripted(lambda peer: logged_in(peer, cert, lab), DOMAIN)
    dns = NameServer({"_xmpp-client._tcp." + DOMAIN: [srv("x." + DOMAIN, server.port)],
                      "x." + DOMAIN: [a("127.0.0.1")]})
    ask(lab, dns).succeeds()


def logged_in(peer, cert, lab):
    peer.login(lab.canary, cert, direct=False)
    peer.serve({})


def test_the_next_target_is_tried(lab):
    cert = lab.authority.issue("next", DOMAIN)
    server = Scripted(lambda peer: logged_in(peer, cert, lab), DOMAIN)
    closed, = free_ports(1)
    dns = NameServer({"_xmpp-client._tcp." + DOMAIN: [srv("b." + DOMAIN, server.port, priority=20),
                                                      srv("a." + DOMAIN, closed, priority=10)],
                      "a." + DOMAIN: [a("127.0.0.1")], "b." + DOMAIN: [a("127.0.0.1")]})
    ask(lab, dns).succeeds()


def test_a_certificate_for_the_target_is_none_for_the_domain(lab):
    """Who answers DNS must not choose the name that is verified (CVE-2022-24968)."""
    cert = lab.authority.issue("target", "evil.example")
    server = Scripted(lambda peer: peer.login(lab.canary, cert, direct=False), DOMAIN)
    dns = NameServer({"_xmpp-client._tcp." + DOMAIN: [srv("evil.example", server.port)],
                      "evil.example": [a("127.0.0.1")]})
    attempt = ask(lab, dns)
    attempt.wire = server.wire
    attempt.fails(6)


def by_dane(lab, shown, named, secure, *options):
    """An attempt at a server that shows one certificate, while a TLSA record names another's key."""
    server = Scripted(lambda peer: logged_in(peer, shown, lab), DOMAIN)
    records = {"_xmpp-client._tcp." + DOMAIN: [srv("x." + DOMAIN, server.port)],
               "x." + DOMAIN: [a("127.0.0.1")]}
    if named:
        records["_%d._tcp.x.%s" % (server.port, DOMAIN)] = [tlsa(key_sha256(named.cert))]
    attempt = ask(lab, NameServer(records, secure=secure), DOMAIN, *options)
    attempt.wire = server.wire
    return attempt


def test_a_key_that_dnssec_vouches_for(lab):
    by_dane(lab, lab.untrusted, lab.untrusted, (SRV, A, TLSA), "--dane").succeeds()
    by_dane(lab, lab.untrusted, lab.untrusted, (SRV, A, TLSA)).fails(6)


def test_a_tlsa_record_that_is_not_validated(lab):
    for secure in [(), (A, TLSA), (SRV, TLSA), (SRV, A)]:
        by_dane(lab, lab.untrusted, lab.untrusted, secure, "--dane").fails(6)


def test_a_certificate_that_no_tlsa_record_names(lab):
    good = lab.authority.issue("dane", DOMAIN)
    by_dane(lab, good, lab.untrusted, (SRV, A, TLSA), "--dane").fails(6, says="TLSA")
    by_dane(lab, good, None, (SRV, A, TLSA), "--dane").succeeds()


def test_dane_that_is_required_and_not_there(lab):
    good = lab.authority.issue("required", DOMAIN)
    by_dane(lab, good, None, (SRV, A, TLSA), "--dane", "--dane").fails(4, says="DANE")
    by_dane(lab, good, good, (), "--dane", "--dane").fails(4, says="DANE")


def test_a_redirect_before_tls_is_not_followed(lab):
    elsewhere = Scripted(lambda peer: None)

    def script(peer):
        peer.header()
        peer.send("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
                  " id='1' version='1.0' from='localhost'><stream:error><see-other-host"
                  " xmlns='urn:ietf:params:xml:ns:xmpp-streams'>127.0.0.1:%d</see-other-host>"
                  "</stream:error></stream:stream>" % elsewhere.port)
    lab.run(script, tls="required").fails(4)
    assert elsewhere.connections == 0
    elsewhere.close()


def test_a_redirect_in_clear_is_not_followed_with_tls_off(lab):
    elsewhere = Scripted(lambda peer: None)

    def script(peer):
        peer.open(mechanisms("SCRAM-SHA-1"))
        peer.send("<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>"
                  "127.0.0.1:%d</see-other-host></stream:error></stream:stream>" % elsewhere.port)
    lab.run(script, tls="off").fails(4)
    assert elsewhere.connections == 0
    elsewhere.close()
