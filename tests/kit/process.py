"""Processes that the tests start: found ports, waiting, and an end for each of them."""
import atexit
import os
import signal
import socket
import subprocess
import threading
import time


def free_ports(n):
    """n port numbers of 127.0.0.1 that nobody uses at the moment."""
    held = [socket.socket() for _ in range(n)]
    for s in held:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def wait_until(test, seconds, what):
    """Polls until test() is true and returns its value; fails after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = test()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("%s: not within %g s" % (what, seconds))
        time.sleep(0.02)


def port_open(port):
    """Whether something listens on 127.0.0.1."""
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


class Daemon:
    """A server in the foreground, in the folder of its own, its output in a file."""

    def __init__(self, argv, log, env=None, cwd=None):
        self.log = log
        with open(log, "ab") as out:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            env=env, cwd=cwd)
        atexit.register(self.stop)

    def running(self):
        return self.process.poll() is None

    def tail(self):
        with open(self.log, errors="replace") as f:
            return f.read()[-3000:]

    def wait_ready(self, test, seconds):
        def ready():
            if not self.running():
                raise AssertionError("the server ended at start:\n" + self.tail())
            return test()
        try:
            wait_until(ready, seconds, "server start")
        except AssertionError as e:
            raise AssertionError("%s\n%s" % (e, self.tail()))

    def stop(self):
        if self.running():
            self.process.kill()
        self.process.wait()


class Running:
    """A program under way whose lines of output can be waited for."""

    def __init__(self, argv, env, cwd, stdin=subprocess.DEVNULL):
        self.argv = argv
        self.process = subprocess.Popen(argv, env=env, cwd=cwd, stdin=stdin,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.lines = []
        self.errors = b""
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=t, daemon=True)
                         for t in (self._read_lines, self._read_errors)]
        for t in self._threads:
            t.start()
        atexit.register(self.kill)

    def _read_lines(self):
        for raw in self.process.stdout:
            with self._changed:
                self.lines.append(raw.decode("utf-8").rstrip("\n"))
                self._changed.notify_all()
        self.process.stdout.close()  # long runs start thousands
        with self._changed:
            self._changed.notify_all()

    def _read_errors(self):
        while True:
            part = os.read(self.process.stderr.fileno(), 65536)
            if not part:
                self.process.stderr.close()
                return
            with self._changed:
                self.errors += part
                self._changed.notify_all()

    def _wait(self, found, seconds, what):
        end = time.monotonic() + seconds
        with self._changed:
            while True:
                value = found()
                if value is not None:
                    return value
                left = end - time.monotonic()
                if left <= 0 or not self._threads[0].is_alive():
                    raise AssertionError("%s: %s; printed:\n%s\n%s" % (
                        " ".join(self.argv), what, "\n".join(self.lines)[-2000:],
                        self.errors.decode(errors="replace")[-2000:]))
                self._changed.wait(min(left, 0.2))

    def line(self, test=lambda line: True, seconds=15):
        """The first line, from the beginning on, that passes the test."""
        return self._wait(lambda: next((l for l in self.lines if test(l)), None),
                          seconds, "the awaited line did not come")

    def error_has(self, text, seconds=15, times=1):
        """Waits until standard error holds a text so many times."""
        return self._wait(lambda: self.errors.count(text.encode()) >= times or None, seconds,
                          "no %r on standard error" % text)

    def finish(self, seconds=15):
        """Waits for the end; returns the exit status."""
        code = self.process.wait(seconds)
        for t in self._threads:
            t.join(5)
        return code

    def interrupt(self, number=signal.SIGINT):
        self.process.send_signal(number)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
