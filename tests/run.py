#!/usr/bin/python3
"""Builds jabiru and runs all its tests; `make test` is this. The last line counts them.

Each test program is a job: a process that prints TAP, with a time limit of its
own. Two run at a time, fuzzing comes last. See tests/README.md.
"""
import argparse
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

TESTS = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(TESTS)
LOGS = os.path.join(ROOT, "build-test", "logs")
CORES = 2

# What is compiled how. Warnings are errors in each.
BUILDS = {
    "build-test": ({}, ["-Dtests=true", "-Dbuildtype=debugoptimized", "-Db_sanitize=address,undefined"]),
    "build": ({}, ["--prefix=/usr/local", "--libdir=lib"]),
    "build-fuzz": ({"CC": "clang-14"}, ["-Dfuzz=true", "-Dbuildtype=debugoptimized",
                                        "-Db_sanitize=address,undefined", "-Db_lundef=false"]),
}

ENVIRONMENT = {
    "CMOCKA_MESSAGE_OUTPUT": "TAP",
    "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "LANG": "C.UTF-8",
}


class Job:
    """One process and what it needs: which build, how many seconds at most."""

    def __init__(self, name, argv, build="build-test", seconds=240, tap=True):
        self.name, self.argv, self.build, self.seconds, self.tap = name, argv, build, seconds, tap
        self.pattern = ""
        self.log = os.path.join(LOGS, name.replace("/", "-") + ".log")


class Outcome:
    def __init__(self, passed, failures, seconds):
        self.passed, self.failures, self.seconds = passed, failures, seconds


# -- Building ------------------------------------------------------------------

def build(name, only=()):
    """Configures and compiles; returns the reason if that failed."""
    folder = os.path.join(ROOT, name)
    variables, options = BUILDS[name]
    env = dict(os.environ, **variables)
    log = os.path.join(LOGS, name + ".log")
    commands = [["ninja", "-C", folder, "-j", str(CORES), *only]]
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        commands.insert(0, ["meson", "setup", folder, ROOT] + options)
    with open(log, "wb") as out:
        for command in commands:
            if subprocess.run(command, env=env, cwd=ROOT, stdout=out, stderr=out).returncode:
                return tail(log)
    return None


def targets(build_name):
    """The programs of a build as {name: path}."""
    listed = subprocess.run(["meson", "introspect", os.path.join(ROOT, build_name), "--targets"],
                            check=True, stdout=subprocess.PIPE).stdout
    return {t["name"]: t["filename"][0] for t in json.loads(listed) if t["type"] == "executable"}


# -- What there is to run ------------------------------------------------------

def python_job(name, path, *args, **settings):
    return Job(name, ["/usr/bin/python3", os.path.join(TESTS, path)] + list(args), **settings)


def program_jobs():
    """The compiled test programs: unit tests, transcripts."""
    for name, path in sorted(targets("build-test").items()):
        folder = os.path.relpath(path, os.path.join(ROOT, "build-test")).split(os.sep)
        if folder[0] == "tests" and (name.startswith("test_") or name == "transcript"):
            label = name.replace("test_", "unit/", 1)
            args = [os.path.join(TESTS, "transcripts")] if name == "transcript" else []
            yield Job(label, [path] + args, seconds=300)


def sim_jobs():
    """Sessions under virtual time: many quickly, some with sanitizers. The same in every run; `make sim` explores."""
    known = os.path.join(TESTS, "sim", "seeds.txt")
    programs = targets("build-test")
    for name, runs, stride in (("sim", 8000, 41), ("sim_checked", 300, 1009)):
        yield Job("sim/" + name, [programs[name], "--tap", known, "--seed", "1", "--runs", str(runs),
                                  "--stride", str(stride), "--jobs", "1"], seconds=600)


def fuzz_seed():
    """The commit's own: each one explores anew, and what it found is found again. 0: by chance."""
    if "FUZZ_SEED" in os.environ:
        return int(os.environ["FUZZ_SEED"])
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True).stdout
    except OSError:
        commit = ""
    return int(commit[:7] or "0", 16)


def fuzz_jobs(seconds):
    for name, path in sorted(targets("build-fuzz").items()):
        if not name.startswith("fuzz_"):
            continue
        short = name.replace("fuzz_", "", 1)
        corpus = os.path.join(ROOT, "build-fuzz", "corpus", short)
        seeds = os.path.join(ROOT, "fuzz", "corpus", short)
        dictionary = os.path.join(ROOT, "fuzz", short + ".dict")
        os.makedirs(corpus, exist_ok=True)
        argv = [path, "-max_total_time=%d" % seconds, "-timeout=10", "-seed=%d" % fuzz_seed(), "-rss_limit_mb=2048",
                "-print_final_stats=1", "-artifact_prefix=%s/found-%s-" % (LOGS, short), corpus]
        argv += [seeds] if os.path.isdir(seeds) else []
        argv += ["-dict=" + dictionary] if os.path.exists(dictionary) else []
        yield Job("fuzz/" + short, argv, build="build-fuzz", seconds=seconds + 60, tap=False)


def script_jobs():
    yield python_job("checks/sources", "checks/suite.py", "sources")
    yield python_job("checks/built", "checks/suite.py", "built", build="build")
    yield python_job("attack", "attack/suite.py")
    for server in ("prosody", "ejabberd", "sasl2"):
        yield python_job("servers/" + server, "servers/suite.py", server, seconds=600)
    yield python_job("interop", "interop/suite.py")


def soak_jobs():
    for server in ("prosody", "ejabberd", "sasl2"):
        yield python_job("soak/" + server, "servers/suite.py", server, "--soak", seconds=5400)


# -- Running -------------------------------------------------------------------

def tail(path, n=60):
    with open(path, errors="replace") as f:
        return "".join(f.readlines()[-n:])


def end_group(process):
    """Ends a job with everything that it started."""
    for number, patience in ((signal.SIGTERM, 3), (signal.SIGKILL, 3)):
        try:
            os.killpg(process.pid, number)
            process.wait(patience)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def judge_tap(text, status):
    """(passed, failure lines) of a TAP report and the status that came with it."""
    passed = len(re.findall(r"^ok\b", text, re.M))
    failures = re.findall(r"^not ok\b.*", text, re.M)
    plan = re.search(r"^1\.\.(\d+)", text, re.M)
    missing = int(plan.group(1)) - passed - len(failures) if plan else 1
    if missing > 0:
        failures += ["not ok - %d of the planned tests did not report" % missing]
    if status and not failures:
        failures.append("not ok - the program ended with status %d" % status)
    return passed, failures


def run(job):
    began = time.monotonic()
    env = dict(os.environ, **ENVIRONMENT)
    env["TEST_PATTERN"] = job.pattern
    with open(job.log, "wb") as out:
        process = subprocess.Popen(job.argv, cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            status = process.wait(job.seconds)
            late = []
        except subprocess.TimeoutExpired:
            status = -1
            late = ["not ok - still running after %d s" % job.seconds]
        end_group(process)
    with open(job.log, errors="replace") as f:
        text = f.read()
    if job.tap:
        passed, failures = judge_tap(text, status)
    else:
        passed, failures = (1, []) if status == 0 else (0, ["not ok - status %d" % status])
    return Outcome(passed, late or failures, time.monotonic() - began)


def explain(failures, log):
    """What to print of a failed job: each failed test with its notes, else the end of the log."""
    with open(log, errors="replace") as f:
        blocks = re.findall(r"^not ok\b.*\n(?:#.*\n)*", f.read(), re.M)
    text = "".join(blocks) if len(blocks) >= len(failures) else "\n".join(failures) + "\n" + tail(log)
    lines = text.splitlines()
    return lines[:150] + ["... and %d lines more in %s" % (len(lines) - 150, os.path.relpath(log, ROOT))] \
        if len(lines) > 150 else lines


class Tally:
    """Prints each outcome as it comes and adds up."""

    def __init__(self):
        self.passed = self.failed = 0
        self._lock = threading.Lock()

    def add(self, name, outcome, log):
        with self._lock:
            self.passed += outcome.passed
            self.failed += len(outcome.failures)
            print("%-4s %-22s %4d passed %3d failed  %6.1f s" % (
                "FAIL" if outcome.failures else "ok", name, outcome.passed, len(outcome.failures),
                outcome.seconds), flush=True)
            if outcome.failures:
                print("".join("     | %s\n" % l for l in explain(outcome.failures, log)), end="", flush=True)

    def build(self, name):
        began = time.monotonic()
        reason = build(name)
        self.add("compile/" + name, Outcome(0 if reason else 1, ["not ok"] if reason else [],
                                            time.monotonic() - began),
                 os.path.join(LOGS, name + ".log"))
        return reason is None

    def run(self, jobs):
        with ThreadPoolExecutor(CORES) as pool:
            list(pool.map(lambda job: self.add(job.name, run(job), job.log), jobs))


def selected(jobs, pattern):
    """Jobs whose name has the pattern; scripts also look for it in their tests."""
    for job in jobs:
        if pattern not in job.name:
            job.pattern = pattern
            if not job.argv[0].endswith("python3"):
                continue
        yield job


def simulate(arguments):
    """Builds the simulator, and becomes it."""
    reason = build("build-test", ["tests/sim/sim"])
    if reason:
        sys.exit(reason)
    program = os.path.join(ROOT, "build-test", "tests", "sim", "sim")
    os.execv(program, [program] + arguments)


def slow_first(jobs):
    """The real servers take longest, so they begin."""
    return sorted(jobs, key=lambda job: not job.name.startswith(("servers", "attack")))


def main():
    parser = argparse.ArgumentParser(description="Builds jabiru and runs its tests.")
    parser.add_argument("-k", metavar="PATTERN", default="", help="only jobs or tests with this in the name")
    parser.add_argument("--fast", action="store_true", help="without fuzzing and the other builds")
    parser.add_argument("--fuzz", action="store_true", help="only fuzzing")
    parser.add_argument("--sim", nargs=argparse.REMAINDER, help="only the simulator, with these arguments")
    parser.add_argument("--soak", action="store_true", help="only faults and kills at real servers, many of them")
    options = parser.parse_args()
    os.makedirs(LOGS, exist_ok=True)
    if options.sim is not None:
        simulate(options.sim)
    began = time.monotonic()
    tally = Tally()
    builds = {"build-test", "build", "build-fuzz"}
    if options.fast or options.soak:
        builds = {"build-test"}
    if options.fuzz:
        builds = {"build-fuzz"}
    good = [name for name in BUILDS if name in builds and tally.build(name)]
    if "build-test" in good:
        chosen = soak_jobs() if options.soak else (*program_jobs(), *sim_jobs(), *script_jobs())
        jobs = [job for job in chosen if job.build in good]
        tally.run(slow_first(selected(jobs, options.k)))
    if "build-fuzz" in good:
        seconds = int(os.environ.get("FUZZ_SECONDS", "60"))
        tally.run(selected(fuzz_jobs(seconds), options.k))
    print("%.0f s" % (time.monotonic() - began))
    print("%d passed, %d failed" % (tally.passed, tally.failed))
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
