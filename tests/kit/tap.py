"""Runs functions named test_... and reports each in TAP, a few at a time.

A test takes the arguments that its program binds to it (the world that it runs
in) and fails by raising.
"""
import atexit
import os
import shutil
import signal
import sys
import tempfile
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor


class Case:
    def __init__(self, name, run):
        self.name = name
        self.run = run


def rows(*table):
    """Decorator: the test runs once for each row, (label, further arguments...)."""
    def mark(function):
        function.rows = table
        return function
    return mark


def cases_of(module, *args, prefix=""):
    """The test_... functions of a module, in their order, bound to arguments."""
    label = prefix + module.__name__.split(".")[-1].replace("test_", "", 1)
    for name, function in list(vars(module).items()):
        if not name.startswith("test_") or not callable(function):
            continue
        words = "%s: %s" % (label, name[5:].replace("_", " "))
        for row in getattr(function, "rows", [None]):
            more = row[1:] if row else ()
            yield Case(words + (", " + row[0] if row else ""),
                       lambda f=function, m=more: f(*args, *m))


def wanted(cases):
    """Those whose name holds the pattern that the runner was given with -k."""
    pattern = os.environ.get("TEST_PATTERN", "").lower()
    return [c for c in cases if pattern in c.name.lower()]


def beyond_this_file(frames):
    """A traceback from where the test's own code begins."""
    while frames.tb_next and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    return frames


def report(number, case, failure, lock):
    with lock:
        print("%sok %d - %s" % ("not " if failure else "", number, case.name))
        if failure:
            failure.__traceback__ = beyond_this_file(failure.__traceback__)
            text = "".join(traceback.format_exception(failure))
            print("".join("#   %s\n" % line for line in text.rstrip().split("\n")), end="")
        sys.stdout.flush()


def run_one(number, case, lock):
    failure = None
    try:
        case.run()
    except Exception as e:
        failure = e
    report(number, case, failure, lock)
    return failure is None


def end_at_once(*_):
    """On SIGTERM: servers and folders go, but no test is waited for."""
    atexit._run_exitfuncs()
    os._exit(143)


def run(cases, threads=1):
    """Runs the cases; the value is the program's exit status."""
    signal.signal(signal.SIGTERM, end_at_once)
    lock = threading.Lock()
    print("1..%d" % len(cases), flush=True)
    with ThreadPoolExecutor(threads) as pool:
        good = list(pool.map(lambda pair: run_one(pair[0], pair[1], lock), enumerate(cases, 1)))
    return 0 if all(good) else 1


def folder():
    """A temporary folder that goes when the program ends."""
    path = tempfile.mkdtemp(prefix="jabiru-test-")
    atexit.register(shutil.rmtree, path, True)
    return path
