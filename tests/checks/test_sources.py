"""What the sources promise: direction of includes, lengths, nothing banned, documents current."""
import os
import re
import subprocess
import sys

from kit.accounts import ROOT

sys.path.insert(0, os.path.join(ROOT, "tools"))
import check_includes
from sources import c_files, code_only, functions, read

FILE_LINES = 600
FUNCTION_LINES = 80
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|atoi|alloca|gets|system|popen|strtok)\s*\(")


def places(pattern, text, path):
    return ["%s:%d %s" % (path, text.count("\n", 0, m.start()) + 1, m.group(0))
            for m in pattern.finditer(text)]


def run(*argv):
    done = subprocess.run(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, "%s\n%s" % (" ".join(argv), done.stdout[-4000:])
    return done.stdout


def test_includes_point_downwards():
    wrong = [(p, n) for p in c_files("src", "include", "app", "cli", "examples")
             for n in check_includes.wrong_in(p)]
    assert not wrong, wrong


def test_the_include_check_finds_a_wrong_one():
    assert check_includes.layer_of("net/tls.h") == "net"
    assert check_includes.layer_of("jabiru/base.h") is None


def test_no_function_is_long_without_a_reason():
    long = ["%s:%d %s has %d lines" % (f.file, f.line, f.name, f.lines)
            for path in c_files() for f in functions(path)
            if f.lines > FUNCTION_LINES and not f.reason]
    assert not long, "\n".join(long)


def test_functions_are_found():
    found = {f.name for f in functions("src/base/buf.c")}
    assert {"jabi_buf_init", "jabi_buf_fini"} <= found, found


def test_no_file_is_long():
    long = ["%s has %d lines" % (path, n) for path in c_files()
            for n in [read(path).count("\n")] if n > FILE_LINES]
    assert not long, "\n".join(long)


def test_nothing_banned_is_called():
    found = [place for path in c_files("src", "include", "app", "cli", "examples")
             for place in places(BANNED, code_only(read(path)), path)]
    assert not found, "\n".join(found)


def test_the_banned_list_is_noticed():
    assert places(BANNED, code_only('x(); /* gets( */ y("atoi(1)"); system ("a");'), "x") == ["x:1 system ("]


def test_every_source_opens_with_what_it_is():
    bare = [path for path in c_files("src", "include", "app", "cli", "examples", "fuzz", "bench")
            if not read(path).startswith("/*")]
    assert not bare, bare


def test_doap_file_is_current():
    run("/usr/bin/python3", "tools/doap.py", "--check")


def test_manual_pages_are_well_formed():
    pages = sorted(os.path.join("man", n) for n in os.listdir(os.path.join(ROOT, "man"))
                   if re.search(r"\.[1-8]$", n))
    assert pages, "there are no manual pages"
    run("mandoc", "-T", "lint", "-W", "error", *pages)


def test_every_python_and_shell_script_parses():
    scripts = [os.path.join(path, name) for folder in ("tests", "tools", "bench")
               for path, _, names in os.walk(os.path.join(ROOT, folder))
               for name in names if name.endswith(".py")]
    assert len(scripts) > 20, scripts
    for path in scripts:
        compile(read(path), path, "exec")
    run("sh", "-n", "tools/install-packages")
    run("bash", "-n", ".ci/run")
