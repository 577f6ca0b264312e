"""What `jabiru --xml` tells of the wire: who said what in which order, secrets left out."""
import re


class Wire:
    """The lines of one or several log-ins, in their order, as (side, text); side is "C" or "S"."""

    def __init__(self, text):
        self.lines = re.findall(r"^([CS]): (.*)$", text, re.M)

    def said(self, side, pattern):
        """The lines of a side that match."""
        return [text for who, text in self.lines if who == side and re.search(pattern, text)]

    def until(self, pattern):
        """A Wire that ends with the server's first line that matches."""
        for n, (who, text) in enumerate(self.lines):
            if who == "S" and re.search(pattern, text):
                cut = Wire("")
                cut.lines = self.lines[:n + 1]
                return cut
        raise AssertionError("the server never said %s:\n%s" % (pattern, self))

    def flights(self):
        """How often the client spoke after it had listened."""
        sides = "".join(who for who, _ in self.lines)
        return len(re.findall(r"C+", sides))

    def streams(self):
        """How many connections or restarts the client began with a stream header."""
        return len(self.said("C", r"<stream:stream\b"))

    def __str__(self):
        return "\n".join("%s: %s" % line for line in self.lines)
