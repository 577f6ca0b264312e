#!/usr/bin/python3
"""Shows jabiru at work; `make demo` is this.

    tools/demo.py PROGRAM

A private server on loopback, two people on it, each command printed before it
runs. On a terminal you then talk to one of them. Nothing of yours is touched:
the configuration lies in a temporary folder, and the server ends with the demo.
"""
import os
import shutil
import sys
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests"))
sys.dont_write_bytecode = True
from kit import tap
from kit.process import Running
from servers.ejabberd import Ejabberd
from servers.prosody import Prosody

ECHO = '(printf "Wilt thou say \\""; cat; printf "\\"?") | jabiru -a juliet send "$JABIRU_FROM"'


class Demo:
    def __init__(self, program):
        self.folder = tap.folder()
        self.env = dict(os.environ, XDG_CONFIG_HOME=os.path.join(self.folder, "config"))
        self.env["PATH"] = os.path.dirname(os.path.abspath(program)) + ":" + os.environ["PATH"]
        self.tell("A private server on loopback, with a certificate made for it.")
        self.server = start_server(self.folder)
        print("   %s on 127.0.0.1:%d" % (self.server.name, self.server.port))

    def tell(self, text):
        print("\n\033[1m%s\033[0m" % text if sys.stdout.isatty() else "\n" + text, flush=True)

    def show(self, command):
        print("$ " + command, flush=True)

    def run(self, command):
        """Prints a command, runs it in a shell as the reader would, and insists on success."""
        self.show(command)
        done = subprocess.run(["sh", "-c", command], env=self.env, stdin=subprocess.DEVNULL, timeout=60)
        if done.returncode:
            sys.exit("the demo failed: exit %d" % done.returncode)

    def background(self, command):
        """Starts a command that goes on; its output is shown by heard()."""
        self.show(command + " &")
        return Running(["sh", "-c", "exec " + command], self.env, self.folder)

    def heard(self, running, text):
        print("   " + running.line(lambda line: text in line), flush=True)

    def person(self, name):
        """An account in the configuration, its password in a file only for its owner."""
        jid, password = self.server.account()
        path = os.path.join(self.folder, name + ".password")
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="utf-8") as f:
            f.write(password + "\n")
        self.run("jabiru account add %s %s --host 127.0.0.1:%d --ca-file %s --password-file %s" %
                 (name, jid, self.server.port, self.server.ca, path))

    def acquaint(self):
        self.tell("They become each other's contacts.")
        for me, other in (("romeo", "juliet"), ("juliet", "romeo")):
            self.run("jabiru -a %s roster add %s@localhost --name %s --group Verona" %
                     (me, other, other.capitalize()))
        for me, other in (("romeo", "juliet"), ("juliet", "romeo")):
            self.run("jabiru -a %s roster approve %s@localhost" % (me, other))

    def converse(self):
        self.tell("Juliet listens; Romeo sees her in his roster.")
        juliet = self.background("jabiru -a juliet listen --resource balcony -v")
        juliet.error_has("online as")
        self.run("jabiru -a romeo ping juliet@localhost/balcony")
        self.run("jabiru -a romeo roster list")
        self.run("jabiru -a romeo presence get juliet@localhost")
        self.tell("Romeo speaks, and Juliet hears it.")
        self.run("jabiru -a romeo send juliet@localhost 'It is the east, and Juliet is the sun \u2600'")
        self.heard(juliet, "It is the east")
        self.run("jabiru -a romeo version juliet@localhost/balcony")
        juliet.interrupt()
        juliet.finish()
        self.tell("And the other way round, as JSON for scripts.")
        romeo = self.background("jabiru -a romeo listen --json --count 1 -v")
        romeo.error_has("online as")
        self.run("echo 'Art thou not Romeo, and a Montague?' | jabiru -a juliet send romeo@localhost")
        self.heard(romeo, "and a Montague?")
        romeo.finish()
        self.tell("What the server is and can, and how a message to nobody fails.")
        self.run("jabiru -a romeo version localhost")
        self.run("jabiru -a romeo send nobody@localhost hello; test $? = 5")

    def chat(self):
        self.tell("Now you are Romeo. Juliet repeats what you say; ^D ends.")
        juliet = self.background("jabiru -a juliet listen -v --exec '%s'" % ECHO)
        juliet.error_has("online as")
        self.show("jabiru -a romeo chat juliet@localhost")
        try:
            subprocess.run(["jabiru", "-a", "romeo", "chat", "juliet@localhost"], env=self.env)
        except KeyboardInterrupt:
            pass
        juliet.interrupt()
        juliet.finish()


def start_server(folder):
    kind = Prosody if shutil.which("prosody") else Ejabberd
    return kind(folder, users=["romeo", "juliet"])


def main():
    if len(sys.argv) != 2 or not os.access(sys.argv[1], os.X_OK):
        sys.exit("usage: tools/demo.py PROGRAM")
    demo = Demo(sys.argv[1])
    demo.tell("From here on, each command as you would type it, with")
    for name in ("XDG_CONFIG_HOME", "PATH"):
        demo.show("export %s=%s" % (name, demo.env[name].split(":")[0] + (":$PATH" if name == "PATH" else "")))
    demo.tell("Two accounts, and how their log-in goes.")
    for name in ("romeo", "juliet"):
        demo.person(name)
        demo.run("jabiru account test " + name)
    demo.acquaint()
    demo.converse()
    if sys.stdin.isatty() and sys.stdout.isatty():
        demo.chat()
    demo.server.stop()
    demo.tell("That was all; the server has ended, and its folder is gone.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
