#!/usr/bin/python3
"""A private ejabberd (23.01) on loopback, started from nothing in a folder of its own.

Its node takes no part in distribution, so it needs no epmd and no port of one.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from kit.accounts import USERS, account_of
from kit.certs import Authority
from kit.process import Daemon, free_ports, port_open

CONFIG = """
hosts: [localhost]
loglevel: {level}
hide_sensitive_log_data: false
certfiles: ["{cert}", "{key}"]
auth_method: internal
auth_password_format: plain
sql_type: sqlite
sql_database: "{folder}/archive.db"
disable_sasl_mechanisms: []
registration_timeout: infinity
c2s_ciphers: HIGH
shaper_rules: {{}}
acl: {{local: {{user_regexp: ""}}}}
access_rules:
  local: {{allow: local}}
listen:
  - {{port: {port}, ip: "127.0.0.1", module: ejabberd_c2s, starttls: true, zlib: true, max_stanza_size: 1048576}}
  - {{port: {direct_port}, ip: "127.0.0.1", module: ejabberd_c2s, tls: true, zlib: true, max_stanza_size: 1048576}}
  - port: {tls12_port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    tls: true
    protocol_options: [no_sslv3, no_tlsv1, no_tlsv1_1, no_tlsv1_3]
  - {{port: {plain_port}, ip: "127.0.0.1", module: ejabberd_c2s, zlib: true, max_stanza_size: 1048576}}
  - port: {https_port}
    ip: "127.0.0.1"
    module: ejabberd_http
    tls: true
    request_handlers: {{/upload: mod_http_upload, /bosh: mod_bosh, /ws: ejabberd_http_ws}}
modules:
  mod_adhoc: {{}}
  mod_blocking: {{}}
  mod_bosh: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_client_state: {{}}
  mod_disco: {{}}
  mod_http_upload: {{put_url: "https://@HOST@:{https_port}/upload", docroot: "{folder}/upload"}}
  mod_last: {{}}
  mod_mam: {{default: always, db_type: sql}}
  mod_muc: {{host: "rooms.@HOST@", default_room_options: {{mam: true}}}}
  mod_offline: {{}}
  mod_ping: {{}}
  mod_privacy: {{}}
  mod_private: {{}}
  mod_proxy65: {{host: "proxy.@HOST@", ip: "127.0.0.1", port: {proxy_port}}}
  mod_pubsub: {{host: "pubsub.@HOST@", plugins: [flat, pep]}}
  mod_push: {{}}
  mod_register: {{ip_access: all, password_strength: 0}}
  mod_roster: {{versioning: true}}
  mod_stream_mgmt: {{resend_on_timeout: if_offline}}
  mod_time: {{}}
  mod_vcard: {{}}
  mod_version: {{show_os: false}}
"""

# Runs in the node after ejabberd has started: accounts first, then the sign that it is ready.
REGISTER = """
{{ok, Accounts}} = file:consult("{folder}/accounts"),
[ok = ejabberd_auth:try_register(User, <<"localhost">>, Password) || {{User, Password}} <- Accounts],
ok = file:write_file("{folder}/ready", <<>>).
"""


class Ejabberd:
    """Running once made. `plain_port` has no TLS, `tls12_port` TLS 1.2 from the first byte; zlib is
    offered on the others."""

    name = "ejabberd"
    # At a resumption, what reached the process of the new connection overtakes what still lay in
    # front of the old one's; and what the old one took after it had said how far it was is taken
    # again when it is sent again.
    hands_over_in_order = False
    rooms = "rooms.localhost"

    def __init__(self, folder, users=USERS, level="warning"):
        for name in ("spool", "home", "upload"):
            os.makedirs(os.path.join(folder, name), mode=0o700, exist_ok=True)
        authority = Authority(os.path.join(folder, "ca"))
        self.ca = authority.file
        cert = authority.issue("localhost", "localhost", "*.localhost")
        ports = free_ports(6)
        self.port, self.direct_port, self.plain_port, self.https_port, self.tls12_port, proxy_port = ports
        self.folder = folder
        config = os.path.join(folder, "ejabberd.yml")
        with open(config, "w") as f:
            f.write(CONFIG.format(folder=folder, level=level, cert=cert.cert, key=cert.key,
                                  port=self.port, direct_port=self.direct_port,
                                  plain_port=self.plain_port, https_port=self.https_port,
                                  tls12_port=self.tls12_port, proxy_port=proxy_port))
        self._accounts = iter(self._make_accounts(folder, users))
        self.daemon = Daemon(self._argv(folder), os.path.join(folder, "ejabberd.out"),
                             env=self._env(folder, config), cwd=folder)
        ready = os.path.join(folder, "ready")
        self.daemon.wait_ready(lambda: os.path.exists(ready) and port_open(self.port) and
                               port_open(self.direct_port) and port_open(self.plain_port), 60)

    def _make_accounts(self, folder, users):
        made = [account_of(user) for user in users]
        with open(os.path.join(folder, "accounts"), "w", encoding="utf-8") as f:
            f.write("%% -*- coding: utf-8 -*-\n")
            for jid, password in made:
                f.write('{<<"%s">>, <<"%s"/utf8>>}.\n' % (jid.split("@")[0], password))
        return made

    def _argv(self, folder):
        register = REGISTER.format(folder=folder)
        return ["erl", "-noinput", "-start_epmd", "false", "-mnesia", "dir", '"%s/spool"' % folder,
                "-s", "ejabberd", "-eval", register]

    def _env(self, folder, config):
        resolver = os.path.join(folder, "inetrc")
        with open(resolver, "w") as f:
            f.write("{lookup, [file]}.\n{host, {127,0,0,1}, [\"localhost\"]}.\n")
        env = dict(os.environ)
        env.update(ERL_LIBS="/usr/lib/x86_64-linux-gnu", EJABBERD_CONFIG_PATH=config, HOME=folder + "/home",
                   EJABBERD_LOG_PATH=os.path.join(folder, "ejabberd.log"), ERL_INETRC=resolver,
                   ERL_CRASH_DUMP=os.path.join(folder, "crash.dump"))
        return env

    def account(self):
        """The next unused (address, password)."""
        return next(self._accounts)

    def log(self):
        return self.daemon.tail()

    def stop(self):
        self.daemon.stop()
