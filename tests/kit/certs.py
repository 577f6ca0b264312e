"""Certificates of a throw-away authority, made with the openssl program while the tests run."""
import base64
import hashlib
import os
import subprocess
from collections import namedtuple

Cert = namedtuple("Cert", "cert key")
NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def openssl(*args):
    subprocess.run(("openssl",) + args, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def key_sha256(cert):
    """What a TLSA record of a certificate's key holds."""
    pem = subprocess.run(("openssl", "x509", "-in", cert, "-noout", "-pubkey"), check=True,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout
    der = base64.b64decode(b"".join(pem.splitlines()[1:-1]))
    return hashlib.sha256(der).digest()


class Authority:
    """Issues certificates into a folder; `file` is what clients are to trust. One that was made
    there before is used again."""

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        self.file = self._path("ca.pem")
        self._key = self._path("ca.key")
        if os.path.exists(self.file):
            return
        openssl("req", "-x509", *NEW_KEY, "-keyout", self._key, "-out", self.file, "-days", "30",
                "-subj", "/CN=Throw-away test authority",
                "-addext", "keyUsage=critical,keyCertSign")

    def _path(self, name):
        return os.path.join(self.folder, name)

    def issue(self, tag, *names, days=30):
        """A certificate for DNS names; `days` below zero gives one that has expired."""
        cert, key, request, extensions = (self._path(tag + end)
                                          for end in (".pem", ".key", ".csr", ".ext"))
        openssl("req", "-new", *NEW_KEY, "-keyout", key, "-out", request, "-subj", "/CN=" + names[0])
        with open(extensions, "w") as f:
            f.write("subjectAltName=" + ",".join("DNS:" + n for n in names) + "\n"
                    "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n")
        openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self._key,
                "-set_serial", str(int.from_bytes(os.urandom(8), "big")), "-days", str(days), "-extfile", extensions, "-out", cert)
        with open(cert) as f:
            assert "BEGIN CERTIFICATE" in f.read()
        return Cert(cert, key)

    def self_signed(self, tag, name):
        """A certificate that nobody vouches for."""
        cert, key = self._path(tag + ".pem"), self._path(tag + ".key")
        openssl("req", "-x509", *NEW_KEY, "-keyout", key, "-out", cert, "-days", "30",
                "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:" + name)
        return Cert(cert, key)
