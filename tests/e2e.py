"""What the end-to-end tests share: pvt among true or false harnesses, and a look at what it left behind."""
import collections
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BUILD = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else ".").resolve()
HELD_S = 300  # a command that needs longer hangs
GONE_S = 5  # what a killed command started is gone in so long
ATTEMPTS = 3  # a disturbed group is launched so often in a round
FAILURES = 2  # a row that failed so often is not launched again

# A harness with three rows, of which two are compared. What the files list, calibrate and launch beside it hold is done
# first: it may exit.
FALSE_HARNESS = r"""#!/bin/sh
folder=${0%/*} question=${0##*/pvt-} row= verb=
for argument; do
  case $argument in
  --list) verb=list ;;
  --pvt_calibrate=*) verb=calibrate row=${argument#*=} ;;
  --pvt_launch=*) verb=launch row=${argument#*=} ;;
  esac
done
[ ! -f "$folder/$verb" ] || . "$folder/$verb"
describe() { # ROW
  printf '{"name":"%s","question":"create","axes":{},"unit":"ns","better":"lower","timing":"counted",' "$1"
  printf '"profiles":["quick","standard","full"],"skip":null}'
}
case $verb:$question in
list:create)
  printf '{"title":"What?","rows":['
  describe create/a; printf ,; describe create/b; printf ,; describe create/c
  printf '],"contrasts":[{"id":"create/a-vs-b","kind":"model","arm":"create/a","against":"create/b"}]}\n' ;;
list:*) printf '{"title":"What?","rows":[],"contrasts":[]}\n' ;;
calibrate:*) printf '{"status":"ok","operations":10,"window_ns":0}\n' >&3 ;;
launch:*) printf '{"status":"ok","operations":10,"value_ns":%d,"cpu_ns":50,"faults":1}\n' $((100 + $$ % 7)) >&3 ;;
esac
"""


def is_there(pid, mark):
    """Is it a process, no zombie, that the mark in its command line or environment gives away?"""
    try:
        if pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX":
            return False
        if mark in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
            return True
        return mark in pathlib.Path(f"/proc/{pid}/environ").read_bytes()
    except (OSError, IndexError):
        return False


def children(parent, name):
    """Processes of that name whose parent it is."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            before, after = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)
        except OSError:
            continue
        if int(after.split()[1]) == parent and before.split("(", 1)[1] == name:
            found.append(int(pid))
    return found


class Programs:
    """A private folder with this build's programs, true or false, and room for runs. Its path marks what is started."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pvt-e2e-"))
        self.run = self.folder / "run"
        for program in BUILD.iterdir():
            if program.name.startswith("pvt-") and program.is_file() and os.access(program, os.X_OK):
                (self.folder / program.name).symlink_to(program)
        self.environment = {
            **os.environ,
            "PVT_LIBEXECDIR": str(self.folder),
            "PVT_MARK": str(self.folder),
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":handle_segv=0",  # a crash is to be one
        }

    def questions(self):
        return [path.name[4:-8] for path in self.folder.glob("pvt-*-subject")]

    def replace(self, name, text):
        (self.folder / name).unlink(missing_ok=True)
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)

    def falsify(self, **verbs):
        """False harnesses for all questions; verbs: what they do first, as shell commands."""
        for question in self.questions():
            self.replace(f"pvt-{question}", FALSE_HARNESS)
        for verb, commands in verbs.items():
            (self.folder / verb).write_text(commands + "\n")

    def silence(self, *but):
        """False harnesses without rows for all questions but these."""
        for question in self.questions():
            if question not in but:
                self.replace(f"pvt-{question}", "#!/bin/sh\necho '{\"title\":\"?\",\"rows\":[],\"contrasts\":[]}'\n")

    def restore(self, question):
        """The true harness again, if this build has it."""
        if question in self.questions():
            (self.folder / f"pvt-{question}").unlink()
            (self.folder / f"pvt-{question}").symlink_to(BUILD / f"pvt-{question}")

    def start(self, *arguments, **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": self.environment, **options}
        return subprocess.Popen([BUILD / "pvt", *map(str, arguments)], cwd=self.folder, **options)

    def pvt(self, *arguments, **options):
        """Runs it to its end: exit status, output, errors."""
        process = self.start(*arguments, **options)
        out, err = process.communicate(timeout=HELD_S)
        return process.returncode, out, err

    def left_behind(self):
        mark = str(self.folder).encode()
        return [pid for pid in os.listdir("/proc") if pid.isdigit() and int(pid) != os.getpid() and is_there(pid, mark)]

    def left_after(self, seconds):
        """What is still there after so long; waits no longer than needed."""
        end = time.monotonic() + seconds
        left = self.left_behind()
        while left and time.monotonic() < end:
            time.sleep(0.02)
            left = self.left_behind()
        return [pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() for pid in left if os.path.exists(f"/proc/{pid}")]

    def journal(self, run=None):
        """The bytes of the journal; none if there is none."""
        path = (run or self.run) / "rounds.jsonl"
        return path.read_bytes() if path.exists() else b""

    def show(self, run=None):
        status, out, err = self.pvt("show", "--json", run or self.run)
        assert status == 0, err
        return json.loads(out)

    def remove(self):
        for pid in self.left_behind():  # a test that failed must not leave them
            try:
                os.kill(int(pid), signal.SIGKILL)
            except OSError:
                pass
        shutil.rmtree(self.folder, ignore_errors=True)


class Test(unittest.TestCase):
    def setUp(self):
        self.programs = Programs()

    def tearDown(self):
        try:
            self.assertEqual(self.programs.left_after(GONE_S), [], "processes are left behind")
        finally:
            self.programs.remove()

    def assert_one_line(self, err, *parts):
        """The stages of a run apart, one line that begins with the command and says what to do."""
        lines = [line for line in err.splitlines() if line not in ("calibrating", "measuring")]
        lines = [line for line in lines if not line.startswith("run folder: ")]
        self.assertEqual(len(lines), 1, err)
        self.assertRegex(lines[0], r"^pvt( [a-z]+)?: .*: ")
        for part in parts:
            self.assertIn(part, lines[0])


def whole_lines(journal):
    return [json.loads(line) for line in journal.split(b"\n")[:-1]]


def closed_lines(journal):
    """The lines that count, as bytes: those of closed groups with their ends."""
    closed, pending = [], []
    for line in journal.split(b"\n")[1:-1]:
        if b'"resumed"' in line:
            pending = []
            continue
        pending.append(line)
        if line.startswith(b'{"end"'):
            closed += pending
            pending = []
    return closed


def unfinished(journal):
    """Groups of a round that were neither closed in peace, once, nor given up after so many disturbed attempts.

    Groups of which every row failed for good are not waited for.
    """
    lines = whole_lines(journal)
    rows = {line["row"]: line["group"] for line in lines[1:] if "row" in line}
    failures = collections.Counter(line["row"] for line in lines[1:] if line.get("status") == "error")
    living = {group for row, group in rows.items() if failures[row] < FAILURES}
    wrong = []
    for number in range(lines[0]["rounds"]):
        for group in living:
            ends, disturbed = 0, 0
            for line in lines[1:]:
                if "resumed" in line:
                    disturbed = 0
                elif "end" in line and (line["round"], line["group"]) == (number, group):
                    ends += line["status"] == "ok"
                    disturbed += line["status"] == "disturbed"
            if ends != 1 and not (ends == 0 and disturbed == ATTEMPTS):
                wrong.append((number, group, ends, disturbed))
    return wrong


def counted(journal):
    """(row, round) of every launch that counts, in order."""
    pairs, pending = [], []
    for line in whole_lines(journal)[1:]:
        if "resumed" in line:
            pending = []
        elif "end" not in line:
            pending.append((line["row"], line["round"], line["status"]))
        else:
            pairs += [pair[:2] for pair in pending if line["status"] == "ok" and pair[2] == "ok"]
            pending = []
    return sorted(pairs)
