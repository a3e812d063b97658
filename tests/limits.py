#!/usr/bin/env python3
"""limits BUILD: under limits of every kind, however tight: a skip or an error with its reason, or one clear line.

Never a hang, a crash or an orphan; the exit status is a documented one.
"""
import os
import pathlib
import resource
import unittest

import e2e

NOBODY = 65534
ROWS = [f"create/reaped/*/call:{call}/placement:same_cpu/dirty_mib:0" for call in ("fork", "pthread")]
MIB = 1 << 20


def limit(which, soft):
    return lambda: resource.setrlimit(which, (soft, soft))


class Limits(e2e.Test):
    def setUp(self):
        super().setUp()
        self.programs.silence("create")
        self.programs.environment["ASAN_OPTIONS"] += ":detect_leaks=0"  # it looks for them in a thread of its own
        self.programs.folder.chmod(0o755)
        self.runs = 0

    def measure(self, statuses=(0, 2, 77, 99), expect=None, **options):
        """One short run; returns its status, its errors and its summary, or none."""
        self.runs += 1
        run = self.programs.folder / "out" / f"run{self.runs}"
        status, out, err = self.programs.pvt("run", "--rounds", "1", "--timeout", "60", "--out", run, *ROWS, **options)
        self.assertIn(status, statuses, err)
        self.assertEqual(self.programs.left_after(e2e.GONE_S), [])
        if not (run / "rounds.jsonl").exists():
            self.assertIn(status, (2, 99), err)
            self.assert_one_line(err)
            self.assertEqual(out, "")
            return status, err, None
        summary = self.programs.show(run)
        failed = {error["row"] for error in summary["errors"]}
        for row in summary["rows"]:
            self.assertTrue(row["launches"] + row["disturbed"] > 0 or row["name"] in failed, (status, row["name"], err))
        for reason in summary["errors"] + summary["skipped"]:
            self.assertGreater(len(reason["why"]), 10)
        self.assertEqual(status == 99, len(failed) > 0, err)
        return status, err, summary

    def as_nobody(self):
        """Options that start pvt as nobody, in a folder of its own; skips where that cannot be."""
        out = self.programs.folder / "out"
        out.mkdir(exist_ok=True)
        if os.geteuid() != 0:
            return {}
        os.chown(out, NOBODY, NOBODY)
        for folder in [e2e.BUILD, *e2e.BUILD.parents]:
            if not folder.stat().st_mode & 0o001:
                self.skipTest(f"nobody cannot read {folder}")
        return {"user": NOBODY, "group": NOBODY, "extra_groups": []}

    def test_without_privileges(self):
        status, err, summary = self.measure((0, 77), **self.as_nobody())
        self.assertEqual(summary["errors"], [], (status, err))

    def test_processes(self):
        """Root has no such limit; the count is of all processes of the user."""
        nobody = self.as_nobody()
        if not nobody:
            self.skipTest("needs root, to be a user without other processes")
        sentences = set()
        for most in (0, 1, 2, 3, 4, 5, 6, 8, 12, 20):
            _, err, summary = self.measure(preexec_fn=limit(resource.RLIMIT_NPROC, most), **nobody)
            sentences |= {err} if summary is None else {reason["why"] for reason in summary["skipped"]}
        self.assertTrue(any("the limit of processes" in sentence for sentence in sentences), sentences)

    def test_open_files(self):
        nobody = self.as_nobody()
        for most in (4, 5, 6, 7, 8, 10, 12, 16, 24, 64):
            status, err, summary = self.measure(preexec_fn=limit(resource.RLIMIT_NOFILE, most), **nobody)
            if most >= 16:
                self.assertIn(status, (0, 77), (most, err))

    def test_memory(self):
        nobody = self.as_nobody()
        for most in (24, 32, 48, 64, 96, 128, 200, 400):
            options = {"preexec_fn": limit(resource.RLIMIT_AS, most * MIB), **nobody}
            # Too little for the loader itself: then it is the loader that says so.
            if self.programs.pvt("--version", **options)[0] == 0:
                self.measure(**options)

    def test_one_cpu(self):
        first = min(os.sched_getaffinity(0))
        self.programs.restore("control")
        status, err, summary = self.measure((0, 77), preexec_fn=lambda: os.sched_setaffinity(0, {first}), **self.as_nobody())
        if "control" in self.programs.questions():
            reasons = {skipped["why"] for skipped in summary["skipped"]}
            self.assertEqual({why for why in reasons if "CPU" in why}, {"needs 2 CPUs, this machine has 1"}, err)

    def test_read_only_folder(self):
        nobody = self.as_nobody()
        (self.programs.folder / "out").chmod(0o555)
        if not nobody:
            self.skipTest("needs root, to be another user")
        status, err, summary = self.measure((2,), **nobody)
        self.assertIsNone(summary)
        self.assertIn("Permission denied: give another --out", err)


class Groups(e2e.Test):
    """Control groups, where this process may make one."""

    def setUp(self):
        super().setUp()
        self.programs.silence("create")
        self.programs.environment["ASAN_OPTIONS"] += ":detect_leaks=0"
        self.group = None

    def tearDown(self):
        super().tearDown()
        if self.group is not None:
            self.group.rmdir()

    def enter(self, controller, **settings):
        """A new group with these settings; returns what makes a process its member."""
        for parent in (pathlib.Path("/sys/fs/cgroup") / controller, pathlib.Path("/sys/fs/cgroup")):
            group = parent / f"pvt-test-{os.getpid()}"
            try:
                group.mkdir()
            except OSError:
                continue
            self.group = group
            try:
                for name, value in settings.items():
                    (group / f"{controller}.{name}").write_text(str(value))
            except OSError as error:
                self.group = None
                group.rmdir()
                self.skipTest(f"{group}: {error}")
            return lambda: (group / "cgroup.procs").write_text(str(os.getpid()))
        self.skipTest(f"no control group of {controller} can be made here")

    measure = Limits.measure
    runs = 0

    def test_processes(self):
        for most in (1, 2, 3, 4, 6, 8, 12, 40):
            join = self.enter("pids", max=most)
            (self.programs.folder / "out").mkdir(exist_ok=True)
            self.measure(preexec_fn=join)
            self.group.rmdir()
            self.group = None

    def test_cpu_time(self):
        version_1 = pathlib.Path("/sys/fs/cgroup/cpu").exists()
        settings = {"cfs_period_us": 100000, "cfs_quota_us": 50000} if version_1 else {"max": "50000 100000"}
        join = self.enter("cpu", **settings)
        self.programs.restore("control")
        (self.programs.folder / "out").mkdir()
        _, err, summary = self.measure(preexec_fn=join)
        reasons = {skipped["why"] for skipped in summary["skipped"]}
        if "control" in self.programs.questions():
            self.assertIn("needs 2 CPUs at once, the cgroup's quota is 0.50", reasons, err)


if __name__ == "__main__":
    unittest.main()
