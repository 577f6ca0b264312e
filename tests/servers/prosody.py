#!/usr/bin/python3
"""A private Prosody (0.12) on loopback, started from nothing in a folder of its own."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from kit.accounts import USERS, account_of
from kit.certs import Authority
from kit.process import Daemon, free_ports, port_open

CONFIG = """
run_as_root = true
daemonize = false
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
admin_socket = "{folder}/admin.sock"
certificates = "{folder}"
log = {{ {{ levels = {{ min = "{level}" }}, to = "console" }} }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
c2s_direct_tls_ports = {{ {direct_port} }}
s2s_ports = {{ }}
http_ports = {{ {http_port} }}
https_ports = {{ {https_port} }}
proxy65_ports = {{ {proxy_port} }}
proxy65_interfaces = {{ "127.0.0.1" }}
ssl = {{ key = "{key}", certificate = "{cert}" }}
https_ssl = {{ key = "{key}", certificate = "{cert}" }}
c2s_require_encryption = true
c2s_stanza_size_limit = 1024 * 1024
allow_unencrypted_plain_auth = false
allow_registration = true
authentication = "internal_plain"
storage = "internal"
archive_expires_after = "never"
consider_bosh_secure = true
consider_websocket_secure = true
modules_enabled = {{
    "roster", "saslauth", "tls", "disco", "carbons", "pep", "private", "blocklist", "vcard4",
    "vcard_legacy", "version", "uptime", "time", "ping", "register", "mam", "csi_simple",
    "smacks", "bosh", "websocket", "admin_shell", "offline", "posix", "lastactivity",
    {modules}
}}
modules_disabled = {{ "s2s", "limits" }}
{more}

VirtualHost "localhost"
VirtualHost "anon.localhost"
    authentication = "anonymous"

Component "rooms.localhost" "muc"
    modules_enabled = {{ "muc_mam" }}
    restrict_room_creation = false
Component "upload.localhost" "http_file_share"
    http_host = "localhost"
    http_external_url = "https://localhost:{https_port}/"
Component "proxy.localhost" "proxy65"
    proxy65_address = "127.0.0.1"
"""


class Prosody:
    """Running once made. `port` speaks STARTTLS, `direct_port` TLS from the first byte."""

    name = "prosody"
    hands_over_in_order = True
    rooms = "rooms.localhost"

    def __init__(self, folder, users=USERS, level="warn", modules="", more=""):
        os.makedirs(os.path.join(folder, "data"), mode=0o700, exist_ok=True)
        authority = Authority(os.path.join(folder, "ca"))
        self.ca = authority.file
        cert = authority.issue("localhost", "localhost", "*.localhost")
        ports = free_ports(5)
        self.port, self.direct_port, self.http_port, self.https_port, proxy_port = ports
        self.folder, self.cert = folder, cert
        config = os.path.join(folder, "prosody.cfg.lua")
        with open(config, "w") as f:
            f.write(CONFIG.format(folder=folder, level=level, modules=modules, port=self.port,
                                  direct_port=self.direct_port, http_port=self.http_port,
                                  https_port=self.https_port, proxy_port=proxy_port, cert=cert.cert,
                                  key=cert.key, more=self._more(cert) + more))
        self._accounts = iter(self._make_accounts(folder, users))
        self.daemon = Daemon(["prosody", "-F", "--config", config],
                             os.path.join(folder, "prosody.log"), cwd=folder)
        self.daemon.wait_ready(lambda: port_open(self.port) and port_open(self.direct_port), 20)

    def _more(self, cert):
        return ""

    def _make_accounts(self, folder, users):
        """Written as the storage has them: hundreds of registrations would take seconds."""
        store = os.path.join(folder, "data", "localhost", "accounts")
        os.makedirs(store)
        made = [account_of(user) for user in users]
        for jid, password in made:
            with open(os.path.join(store, jid.split("@")[0] + ".dat"), "w", encoding="utf-8") as f:
                f.write('return { ["password"] = "%s"; };\n' % password)
        return made

    def account(self):
        """The next unused (address, password)."""
        return next(self._accounts)

    def log(self):
        return self.daemon.tail()

    def stop(self):
        self.daemon.stop()


SASL2_MODULES = '"test_sasl2", "sasl2", "sasl2_bind2", "sasl2_fast", "sasl2_sm",'

SASL2_CONFIG = """
plugin_paths = {{ "{lua}" }}
authentication = "internal_hashed"
password_hash = "SHA-256"
default_iteration_count = 4096
c2s_direct_tls_ports = {{ {direct_port}, {tls12_port} }}
c2s_direct_tls_ssl = {{ key = "{key}", certificate = "{cert}", [{tls12_port}] = {{ protocol = "tlsv1_2" }} }}
"""


class Sasl2Prosody(Prosody):
    """With SASL2, Bind 2, FAST and channel binding; passwords are kept as SCRAM keys. `tls12_port` is
    direct TLS of version 1.2."""

    name = "prosody with SASL2"

    def __init__(self, folder, users=USERS, level="debug", more=""):
        self.tls12_port, = free_ports(1)
        super().__init__(folder, users, level, SASL2_MODULES, more)

    def _more(self, cert):
        return SASL2_CONFIG.format(lua=os.path.join(os.path.dirname(os.path.abspath(__file__)), "lua"),
                                   direct_port=self.direct_port, tls12_port=self.tls12_port,
                                   cert=cert.cert, key=cert.key)

    def sessions_of(self, jid):
        """What the log says of each connection that logged in to the account, first to last."""
        lines, whose, done = {}, {}, []
        with open(self.daemon.log, errors="replace") as f:
            for line in f:
                name, _, words = line.partition(" ")
                if "Client connected" in words:  # names are used again
                    lines[name] = []
                    done.append(lines[name])
                if name in lines:
                    lines[name].append(words)
                if "Authenticated as %s " % jid in words.replace("\n", " "):
                    whose[id(lines[name])] = True
        return ["".join(words) for words in done if id(words) in whose]

    def tokens(self, jid):
        """The tokens of an account as {"new" or "cur": secret}, and `path`, where they are kept."""
        path = os.path.join(self.folder, "data", "localhost", "fast_tokens", jid.split("@")[0] + ".dat")
        if not os.path.exists(path):
            return {}, path
        with open(path, encoding="utf-8") as f:
            entries = re.findall(r'\["[0-9a-f]+-+(new|cur)"\] = \{(.*?)\}', f.read(), re.S)
        return {age: re.search(r'\["secret"\] = "([^"]+)"', rest)[1] for age, rest in entries}, path

    def change_tokens(self, jid, name, seconds):
        """Sets a time of the account's tokens to so many seconds from now."""
        _, path = self.tokens(jid)
        with open(path, encoding="utf-8") as f:
            text = f.read()
        changed = re.sub(r'(\["%s"\] = )[0-9.]+' % name, r"\g<1>%d" % (time.time() + seconds), text)
        assert changed != text, text
        with open(path, "w", encoding="utf-8") as f:
            f.write(changed)
