#!/usr/bin/env python3
"""kill_resume BUILD: SIGKILL at any moment: nothing runs on, nothing that was finished is lost, the run goes on."""
import os
import pathlib
import random
import signal
import time
import unittest

import e2e

KILLS = 10
SEED = 20260131
PAIR = "create/reaped/model:*/placement:same_cpu/dirty_mib:0"


def started_by(programs, *words):
    """Processes of this test whose command line has all the words."""
    found = []
    for pid in programs.left_behind():
        try:
            line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if all(word in line for word in words):
            found.append(int(pid))
    return found


def kill(*pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class KilledRuns(e2e.Test):
    """Again and again in one run: begun, killed, resumed, killed."""

    def begin(self, *arguments):
        """Goes on with the run, or begins it as long as it has no plan."""
        if b"\n" in self.programs.journal():
            return self.programs.start("run", "--resume", self.programs.run)
        return self.programs.start("run", "--out", self.programs.run, *arguments)

    def kill_often(self, longest_s, *arguments):
        chance = random.Random(SEED)
        kept = []
        for nth in range(KILLS):
            process = self.begin(*arguments)
            time.sleep(chance.uniform(0, longest_s))
            process.kill()
            process.communicate(timeout=e2e.HELD_S)
            self.assertEqual(self.programs.left_after(e2e.GONE_S), [], f"after kill {nth}")
            now = e2e.closed_lines(self.programs.journal()) if self.programs.journal() else []
            self.assertEqual(now[: len(kept)], kept, f"kill {nth} lost a line")
            kept = now
        process = self.begin(*arguments)
        _, err = process.communicate(timeout=e2e.HELD_S)
        self.assertIn(process.returncode, (0, 77), err)  # 77: the machine treats both sides of a null check unlike
        journal = self.programs.journal()
        self.assertEqual(e2e.closed_lines(journal)[: len(kept)], kept)
        self.assertEqual(e2e.unfinished(journal), [])
        counted = e2e.counted(journal)
        self.assertEqual(len(counted), len(set(counted)), "a launch counts twice")
        return e2e.whole_lines(journal)[0], counted, journal

    def test_false_harnesses(self):
        self.programs.falsify(launch="sleep 0.02", calibrate="sleep 0.02")
        plan, counted, journal = self.kill_often(1, "--rounds", "40")
        given_up = sum(line.get("status") == "disturbed" for line in e2e.whole_lines(journal))
        asked = {(row["name"], number) for row in plan["rows"] for number in range(40)}
        self.assertTrue(set(counted) <= asked)
        if given_up == 0:
            self.assertEqual(set(counted), asked)

    def test_true_harnesses(self):
        plan, counted, _ = self.kill_often(2, "--rounds", "2", PAIR)
        self.assertTrue(set(counted) <= {(row["name"], number) for row in plan["rows"] for number in range(2)})


class KilledParts(e2e.Test):
    def begin_with_a_subject_that_hangs(self):
        self.programs.silence("create")
        self.programs.replace("pvt-create-subject", "#!/bin/sh\nsleep 100 & sleep 100\n")
        row = "create/reaped/model:thread/call:pthread/placement:same_cpu/dirty_mib:0"
        process = self.programs.start("run", "--rounds", "1", "--out", self.programs.run, row)
        while not started_by(self.programs, "pvt-create-subject"):
            self.assertIsNone(process.poll())
            time.sleep(0.01)
        return process

    def test_command(self):
        process = self.begin_with_a_subject_that_hangs()
        process.kill()
        process.communicate(timeout=e2e.HELD_S)

    def test_harness(self):
        process = self.begin_with_a_subject_that_hangs()
        kill(*started_by(self.programs, "pvt-create", "--pvt_calibrate"))
        _, err = process.communicate(timeout=e2e.HELD_S)
        self.assertEqual(process.returncode, 99, err)
        self.assertIn("pvt-create was ended by signal 9 (Killed)", self.programs.show()["errors"][0]["why"])

    def test_subject(self):
        process = self.begin_with_a_subject_that_hangs()
        kill(*started_by(self.programs, "pvt-create-subject"))
        _, err = process.communicate(timeout=e2e.HELD_S)
        self.assertEqual(process.returncode, 99, err)
        self.assertIn("the subject was ended by signal 9 (Killed)", self.programs.show()["errors"][0]["why"])

    def test_command_and_its_reaper(self):
        """The harness ends with whoever started it, and has a reaper of its own."""
        chance = random.Random(SEED)
        self.programs.silence("create", "control")
        for _ in range(KILLS):
            process = self.programs.start("run", "--rounds", "9", "--out", self.programs.run, PAIR)
            time.sleep(chance.uniform(0, 1))
            kill(*e2e.children(process.pid, "pvt-reaper"), process.pid)
            process.communicate(timeout=e2e.HELD_S)
            self.assertEqual(self.programs.left_after(e2e.GONE_S), [])
            (self.programs.run / "rounds.jsonl").unlink(missing_ok=True)


if __name__ == "__main__":
    unittest.main()
