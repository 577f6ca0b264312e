"""What was built: headers that stand alone, exported symbols, an installation that can be used."""
import glob
import os
import re
import subprocess
import tempfile

from kit.accounts import ROOT
from kit.process import Running
from kit.xmpp import Client
from servers.prosody import Prosody

BUILD = os.path.join(ROOT, "build")
LIBRARY = os.path.join(BUILD, "libjabiru.so")
HEADERS = sorted(glob.glob(os.path.join(ROOT, "include", "jabiru", "*.h")))
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def run(argv, **settings):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **settings)
    assert done.returncode == 0, "%s\n%s" % (" ".join(argv), done.stdout[-4000:])
    return done.stdout


def compile_alone(compiler, standard, language):
    """Each header as the only include of a file."""
    for header in HEADERS:
        name = "jabiru/" + os.path.basename(header)
        with tempfile.NamedTemporaryFile("w", suffix="." + language) as source:
            source.write("#include <%s>\n#include <%s>\nint main(void) { return 0; }\n" % (name, name))
            source.flush()
            run([compiler, "-std=" + standard, *STRICT, "-fsyntax-only",
                 "-I" + os.path.join(ROOT, "include"), source.name])


def declared():
    """The names that the public headers declare."""
    text = "\n".join(open(h).read() for h in HEADERS)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    functions = re.findall(r"^(?:extern )?JAB_API [^;]*?\b(jab_\w+)\(", text, re.M)
    objects = re.findall(r"^extern JAB_API [^;(]*?\b(jab_\w+)\s*(?:\[[^]]*\])?;", text, re.M)
    objects += re.findall(r"^JAB_API extern [^;(]*?\b(jab_\w+)\s*(?:\[[^]]*\])?;", text, re.M)
    return set(functions) | set(objects)


def exported():
    lines = run(["nm", "-D", "--defined-only", LIBRARY]).splitlines()
    names = [line.split()[-1].split("@")[0] for line in lines]
    return {n for n in names if n != "JABIRU_0"}


def test_public_headers_stand_alone_in_c17():
    compile_alone("gcc", "c17", "c")


def test_public_headers_stand_alone_in_cxx17():
    compile_alone("g++", "c++17", "cc")


def test_public_headers_stand_alone_for_clang():
    compile_alone("clang-14", "c17", "c")


def test_only_public_names_are_exported():
    other = {n for n in exported() if not n.startswith("jab_")}
    assert not other, other


def test_every_declared_function_is_exported():
    missing = declared() - exported()
    assert len(declared()) > 50 and not missing, missing


def test_nothing_undeclared_is_exported():
    extra = exported() - declared()
    assert not extra, extra


def test_the_library_has_no_mutable_globals():
    sections = dict(re.findall(r"^\s*\[\s*(\d+)\]\s+(\.\S+)", run(["readelf", "-SW", LIBRARY]), re.M))
    writable = {n for n, name in sections.items() if name in (".data", ".bss", ".tdata", ".tbss")}
    objects = re.findall(r"^\s*\d+:\s+\S+\s+([1-9]\d*)\s+(?:OBJECT|TLS)\s+\w+\s+\w+\s+(\d+)\s+(\S+)",
                         run(["readelf", "-sW", LIBRARY]), re.M)
    found = {name for _, section, name in objects if section in writable}
    assert found <= {"completed.0", "__dso_handle"}, found


def test_program_and_library_are_hardened():
    for path in (LIBRARY, os.path.join(BUILD, "jabiru")):
        dynamic = run(["readelf", "-dW", path])
        headers = run(["readelf", "-lW", path])
        assert "BIND_NOW" in dynamic or "NOW" in dynamic, path
        assert "GNU_RELRO" in headers, path
        assert re.search(r"GNU_STACK.*RW ", headers), path
        assert re.search(r"DYN \(", run(["readelf", "-hW", path])), path


def test_the_manual_has_the_options_of_the_program():
    run(["/usr/bin/python3", os.path.join(ROOT, "tools", "manual.py"), "--check",
         os.path.join(BUILD, "jabiru")])


def install(folder):
    """`make install` into a folder; the environment that builds against it."""
    run(["make", "install", "DESTDIR=" + folder, "PREFIX=/usr"], cwd=ROOT)
    found = glob.glob(folder + "/usr/lib/**/libjabiru.pc", recursive=True)
    assert len(found) == 1, found
    env = dict(os.environ, PKG_CONFIG_PATH=os.path.dirname(found[0]), PKG_CONFIG_SYSROOT_DIR=folder,
               LD_LIBRARY_PATH=os.path.dirname(os.path.dirname(found[0])))
    return env


def check_example(source, folder, env):
    """Builds as a user would and starts it without arguments: it must say what it lacks, or, when
    it needs nothing from outside, do its work."""
    flags = run(["pkg-config", "--cflags", "--libs", "libjabiru"], env=env).split()
    program = os.path.join(folder, os.path.basename(source)[:-2])
    run(["gcc", "-std=c17", "-D_GNU_SOURCE", *STRICT, source, "-o", program, *flags])
    clean = {n: v for n, v in env.items() if not n.startswith("JAB")}
    done = subprocess.run([program], env=clean, stdin=subprocess.DEVNULL, timeout=30,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with open(source) as f:
        lacks_something = "getenv" in f.read()
    if lacks_something:
        assert done.returncode in (0, 1, 2) and (done.stderr + done.stdout).strip(), (program, done)
    else:
        assert done.returncode == 0 and done.stdout.strip(), (program, done)


def examples_talk(folder, env):
    """The installed library under the examples, against a real server."""
    server = Prosody(os.path.join(folder, "prosody"))
    try:
        (jid, password), (other, word) = server.account(), server.account()
        login = dict(env, JAB_JID=jid, JAB_PASSWORD=password, JAB_HOST="127.0.0.1",
                     JAB_PORT=str(server.port), JAB_CA_FILE=server.ca)
        watcher = Client(jid, password, server.port, server.ca, resource="watcher")
        watcher.iq("set", "<query xmlns='jabber:iq:roster'><item jid='%s' name='Friend'/></query>" % other)
        assert other in run([folder + "/roster"], env=login)
        watcher.presence(inner="<priority>-1</priority>")
        echo = Running([folder + "/echo"], login, folder)
        watcher.take_presence(jid, test=lambda e: e.get("from") != watcher.jid)
        friend = Client(other, word, server.port, server.ca)
        friend.message(jid, "are you there?")
        friend.presence()
        friend.take_message(body="Heard you.")
        assert "are you there?" in echo.line()
        echo.kill()
    finally:
        server.stop()


def test_an_installation_serves_the_examples():
    examples = sorted(glob.glob(os.path.join(ROOT, "examples", "*.c")))
    assert examples
    with tempfile.TemporaryDirectory() as folder:
        env = install(folder)
        for header in HEADERS:
            assert os.path.exists(folder + "/usr/include/jabiru/" + os.path.basename(header)), header
        version = run([folder + "/usr/bin/jabiru", "--version"], env=env)
        assert re.search(r"\d+\.\d+\.\d+", version), version
        for source in examples:
            check_example(source, folder, env)
        examples_talk(folder, env)
