#!/usr/bin/env python3
"""faults BUILD: whatever a harness, a subject, a disk or a person does: a reason, the documented status, no orphan."""
import json
import os
import pty
import resource
import select
import signal
import subprocess
import time
import unittest

import e2e

ROW = "create/reaped/model:thread/call:pthread/placement:same_cpu/dirty_mib:0"


class Lists(e2e.Test):
    """A harness that cannot be listed is a broken build: exit 99, and no folder is left."""

    def check(self, commands, *parts):
        self.programs.falsify(list=f'[ "$question" != create ] || {{ {commands}; exit; }}')
        status, out, err = self.programs.pvt("list")
        self.assertEqual((status, out), (99, ""), err)
        self.assert_one_line(err, "pvt list: ", *parts)
        status, out, err = self.programs.pvt("run", "--out", self.programs.run)
        self.assertEqual((status, out), (99, ""), err)
        self.assert_one_line(err, "pvt run: ", *parts)
        self.assertFalse(self.programs.run.exists())

    def test_garbage(self):
        self.check("echo garbage", "pvt-create ended with status 0 and gave no JSON")

    def test_nothing(self):
        self.check("exit 0", "pvt-create ended with status 0 and gave no result")

    def test_flood(self):
        self.check("yes | head -c 20000000", "pvt-create wrote more than 8 MiB and was killed")

    def test_crash(self):
        self.check("kill -SEGV $$", "pvt-create was ended by signal 11")

    def test_another_shape(self):
        self.check("echo '{\"rows\":7}'", "gave no title, rows and contrasts: build it anew")

    def test_hostile_names(self):
        self.check(
            """printf '{"title":"?","rows":[{"name":"create/\\\\u001b[2J","question":"create"}],"contrasts":[]}'""",
            "row 0 has no proper name and question",
        )

    def test_missing(self):
        self.programs.falsify()
        (self.programs.folder / "pvt-create").unlink()
        status, _, err = self.programs.pvt("list")
        self.assertEqual(status, 99)
        self.assert_one_line(err, "No such file or directory: build it, or set PVT_LIBEXECDIR")

    def test_no_reaper(self):
        (self.programs.folder / "pvt-reaper").unlink()
        status, _, err = self.programs.pvt("list")
        self.assertEqual(status, 99)
        self.assert_one_line(err, "cannot start pvt-reaper")


class Launches(e2e.Test):
    """One row fails: an error with its reason, exit 99, not launched a third time, and the other rows are kept."""

    def check(self, commands, why, verb="launch", row="create/b"):
        self.programs.falsify(**{verb: f'[ "$row" != {row} ] || {{ {commands}; exit; }}'})
        status, out, err = self.programs.pvt("run", "--rounds", "4", "--timeout", "1", "--out", self.programs.run)
        self.assertEqual(status, 99, err)
        self.assertIn("\nFailed\n", out)
        summary = self.programs.show()
        self.assertEqual([error["row"] for error in summary["errors"]], [row])
        self.assertIn(why, summary["errors"][0]["why"])
        launches = [line for line in e2e.whole_lines(self.programs.journal())[1:] if line.get("row") == row]
        self.assertEqual(len(launches), 2 if verb == "launch" else 0)
        self.assertEqual(e2e.unfinished(self.programs.journal()), [])
        results = json.loads((self.programs.run / "results.json").read_text())
        self.assertNotIn(row, [entry["name"] for entry in results["benchmarks"]])
        status, _, err = self.programs.pvt("run", "--resume", self.programs.run)  # nothing changes its mind
        self.assertEqual(status, 99, err)
        again = [line for line in e2e.whole_lines(self.programs.journal())[1:] if line.get("row") == row]
        self.assertEqual(again, launches)

    def test_crash(self):
        self.check("kill -SEGV $$", "pvt-create was ended by signal 11")

    def test_kill(self):
        self.check("kill -KILL $$", "pvt-create was ended by signal 9")

    def test_nothing(self):
        self.check("exit 0", "ended with status 0 and gave no result")

    def test_reason(self):
        self.check("echo because >&2; exit 3", "ended with status 3 and gave no result: because")

    def test_garbage(self):
        self.check("echo '{\"status\":' >&3", "gave no JSON")

    def test_flood(self):
        self.check("yes | head -c 20000000 >&3", "wrote more than 8 MiB")

    def test_hang(self):
        self.check("sleep 100", "gave no result within 1 s and was killed")

    def test_no_value(self):
        self.check("""echo '{"status":"ok"}' >&3""", "a record without status, value_ns or why")

    def test_zero(self):
        self.check("""echo '{"status":"ok","value_ns":0}' >&3""", "a record without status, value_ns or why")

    def test_no_status(self):
        self.check("""echo '{"value_ns":5}' >&3""", "a record without status, value_ns or why")

    def test_own_words(self):
        self.check(
            """echo '{"status":"error","why":"two words","end":true,"resumed":true,"round":77}' >&3""", "two words"
        )

    def test_calibration_crash(self):
        self.check("kill -SEGV $$", "pvt-create was ended by signal 11", verb="calibrate")

    def test_calibration_without_a_number(self):
        self.check("""echo '{"status":"ok"}' >&3""", "found no number of operations", verb="calibrate")

    def test_alone(self):
        self.check("exit 5", "ended with status 5", row="create/c")

    def test_lies_that_would_end_the_group(self):
        self.programs.falsify(launch="""echo '{"status":"ok","value_ns":5,"end":true,"resumed":true}' >&3; exit""")
        status, _, err = self.programs.pvt("run", "--rounds", "2", "--out", self.programs.run)
        self.assertEqual(status, 0, err)
        self.assertEqual(e2e.unfinished(self.programs.journal()), [])


class TrueRows(e2e.Test):
    def test_each_shows_its_proof(self):
        self.programs.silence("create", "control")
        rows = [f"create/reaped/*/call:{call}/placement:same_cpu/dirty_mib:0" for call in ("fork", "pthread")]
        status, _, err = self.programs.pvt("run", "--rounds", "1", "--out", self.programs.run, *rows)
        self.assertIn(status, (0, 77), err)  # 77: a null check failed, as it may after one round
        summary = self.programs.show()
        self.assertEqual(summary["errors"], [])
        self.assertEqual(sum(row["question"] == "create" for row in summary["rows"]), 2)


class Subjects(e2e.Test):
    """True harness, true subject, which dies in mid-launch."""

    def check(self, signal_name, why):
        subject = e2e.BUILD / "pvt-create-subject"
        self.programs.silence("create", "control")
        self.programs.replace(
            "pvt-create-subject", f'#!/bin/sh\n(sleep 0.02; kill -{signal_name} $$) >/dev/null 2>&1 3>&- &\nexec {subject}\n'
        )
        status, _, err = self.programs.pvt("run", "--rounds", "2", "--out", self.programs.run, ROW)
        self.assertEqual(status, 99, err)
        summary = self.programs.show()
        self.assertEqual([error["row"] for error in summary["errors"]], [ROW])
        self.assertIn(why, summary["errors"][0]["why"])
        for row in summary["rows"]:
            self.assertTrue(row["name"] == ROW or row["launches"] + row["disturbed"] > 0, row["name"])

    def test_killed(self):
        self.check("KILL", "the subject was ended by signal 9 (Killed)")

    def test_segmentation_fault(self):
        self.check("SEGV", "the subject was ended by signal 11 (Segmentation fault)")

    def test_stopped(self):
        self.programs.silence("create")
        subject = e2e.BUILD / "pvt-create-subject"
        self.programs.replace("pvt-create-subject", f"#!/bin/sh\n(kill -STOP $$) &\nexec {subject}\n")
        status, _, err = self.programs.pvt("run", "--rounds", "1", "--timeout", "8", "--out", self.programs.run, ROW)
        self.assertEqual(status, 99, err)
        self.assertIn("no answer within 1 s: killed", self.programs.show()["errors"][0]["why"])

    def test_exit(self):
        self.programs.silence("create")
        self.programs.replace("pvt-create-subject", "#!/bin/sh\nexit 3\n")
        status, _, err = self.programs.pvt("run", "--rounds", "1", "--out", self.programs.run, ROW)
        self.assertEqual(status, 99, err)
        self.assertIn("the subject ended with status 3", self.programs.show()["errors"][0]["why"])

    def test_missing(self):
        self.programs.silence("create")
        (self.programs.folder / "pvt-create-subject").unlink()
        status, _, err = self.programs.pvt("run", "--rounds", "1", "--out", self.programs.run, ROW)
        self.assertEqual(status, 99)
        self.assert_one_line(err, "pvt-create-subject: No such file or directory: build it")
        self.assertFalse(self.programs.run.exists())


class Resumes(e2e.Test):
    """Only the run's own build on its own machine goes on with it."""

    def begun(self):
        self.programs.falsify()
        status, _, err = self.programs.pvt("run", "--rounds", "2", "--out", self.programs.run)
        self.assertEqual(status, 0, err)

    def refused(self, *parts):
        before = self.programs.journal()
        status, out, err = self.programs.pvt("run", "--resume", self.programs.run)
        self.assertEqual((status, out), (2, ""), err)
        self.assert_one_line(err, ": start a new one", *parts)
        self.assertEqual(self.programs.journal(), before)

    def test_another_harness(self):
        self.begun()
        self.programs.replace("pvt-create", e2e.FALSE_HARNESS + "#")
        self.refused("pvt-create is not the build that began the run")

    def test_another_subject(self):
        self.begun()
        self.programs.replace("pvt-create-subject", "#!/bin/sh\n")
        self.refused("pvt-create-subject is not the build that began the run")

    def test_another_pvt(self):
        self.begun()
        path = self.programs.run / "rounds.jsonl"
        text = path.read_text()
        at = text.index('"pvt":"') + 7
        path.write_text(text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :])
        self.refused("pvt is not the build that began the run")

    def test_another_machine(self):
        self.begun()
        path = self.programs.run / "rounds.jsonl"
        plan, rest = path.read_text().split("\n", 1)
        plan = json.loads(plan)
        plan["machine"]["cpu"]["name"] = "Another"
        path.write_text(json.dumps(plan) + "\n" + rest)
        self.refused("another machine", "cpu.name")

    def test_the_same_goes_on(self):
        self.begun()
        before = self.programs.journal()
        status, _, err = self.programs.pvt("run", "--resume", self.programs.run)
        self.assertEqual(status, 0, err)
        self.assertTrue(self.programs.journal().startswith(before))

    def test_no_second_run_in_one_folder(self):
        self.begun()
        before = self.programs.journal()
        status, _, err = self.programs.pvt("run", "--out", self.programs.run)
        self.assertEqual(status, 2)
        self.assert_one_line(err, "there is a run already: --resume it, or take another --out")
        self.assertEqual(self.programs.journal(), before)

    def test_no_second_command_in_one_run(self):
        self.programs.falsify(launch="sleep 0.2")
        first = self.programs.start("run", "--rounds", "3", "--out", self.programs.run)
        while not self.programs.journal():
            time.sleep(0.01)
        status, _, err = self.programs.pvt("run", "--resume", self.programs.run)
        self.assertEqual(status, 2)
        self.assert_one_line(err, "another pvt run is writing it")
        first.communicate(timeout=e2e.HELD_S)
        self.assertEqual(first.returncode, 0)
        self.assertEqual(e2e.unfinished(self.programs.journal()), [])


class Interruptions(e2e.Test):
    def check_measuring(self, number):
        self.programs.falsify(launch="sleep 0.05")
        process = self.programs.start("run", "--rounds", "20", "--out", self.programs.run)
        while len(self.programs.journal().splitlines()) < 5:
            time.sleep(0.01)
        process.send_signal(number)
        out, err = process.communicate(timeout=e2e.HELD_S)
        self.assertEqual(process.returncode, 130, err)
        self.assert_one_line(err, "interrupted: finished launches are kept: pvt run --resume ")
        self.assertIn(" of 20 rounds", out)
        self.assertTrue((self.programs.run / "results.json").exists())
        kept = e2e.closed_lines(self.programs.journal())
        self.assertGreater(len(kept), 0)
        (self.programs.folder / "launch").unlink()
        status, _, err = self.programs.pvt("run", "--resume", self.programs.run)
        self.assertEqual(status, 0, err)
        self.assertEqual(e2e.unfinished(self.programs.journal()), [])
        self.assertEqual(e2e.closed_lines(self.programs.journal())[: len(kept)], kept)

    def test_measuring(self):
        self.check_measuring(signal.SIGINT)

    def test_measuring_and_terminated(self):
        self.check_measuring(signal.SIGTERM)

    def test_calibrating(self):
        self.programs.falsify(calibrate='touch "$folder/began"; sleep 100')
        process = self.programs.start("run", "--out", self.programs.run)
        while not (self.programs.folder / "began").exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=e2e.HELD_S)
        self.assertEqual(process.returncode, 130, err)
        self.assert_one_line(err, "interrupted before the first launch: nothing was kept")
        self.assertFalse(self.programs.run.exists())

    def test_hanging_up_is_ignored_under_nohup(self):
        self.programs.falsify(launch="sleep 0.05")
        process = self.programs.start(
            "run", "--rounds", "2", "--out", self.programs.run, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)
        )
        while not self.programs.journal():
            time.sleep(0.01)
        process.send_signal(signal.SIGHUP)
        _, err = process.communicate(timeout=e2e.HELD_S)
        self.assertEqual(process.returncode, 0, err)

    def test_reaper_killed(self):
        self.programs.falsify(launch="sleep 0.05")
        process = self.programs.start("run", "--rounds", "20", "--out", self.programs.run)
        while len(self.programs.journal().splitlines()) < 5:
            time.sleep(0.01)
        (reaper,) = e2e.children(process.pid, "pvt-reaper")
        os.kill(reaper, signal.SIGKILL)
        _, err = process.communicate(timeout=e2e.HELD_S)
        self.assertEqual(process.returncode, 99, err)
        self.assert_one_line(err, "pvt-reaper was ended from outside", "pvt run --resume ")
        (self.programs.folder / "launch").unlink()
        self.assertEqual(self.programs.pvt("run", "--resume", self.programs.run)[0], 0)
        self.assertEqual(e2e.unfinished(self.programs.journal()), [])


class Outputs(e2e.Test):
    def test_full_disk(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (24000, resource.RLIM_INFINITY))

        self.programs.falsify()
        status, _, err = self.programs.pvt("run", "--rounds", "100", "--out", self.programs.run, preexec_fn=limit)
        self.assertEqual(status, 2, err)
        self.assert_one_line(err, "cannot write rounds.jsonl: File too large", "--resume")
        kept = e2e.closed_lines(self.programs.journal())
        self.assertGreater(len(kept), 0)
        status, _, err = self.programs.pvt("run", "--resume", self.programs.run)
        self.assertEqual(status, 0, err)
        self.assertEqual(e2e.closed_lines(self.programs.journal())[: len(kept)], kept)
        self.assertEqual(e2e.unfinished(self.programs.journal()), [])

    def test_no_room_for_the_plan(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))

        self.programs.falsify()
        status, _, err = self.programs.pvt("run", "--out", self.programs.run, preexec_fn=limit)
        self.assertEqual(status, 2, err)
        self.assert_one_line(err, "cannot write rounds.jsonl: File too large")
        self.assertFalse(self.programs.run.exists())

    def test_out_is_a_file(self):
        self.programs.falsify()
        self.programs.run.write_text("mine")
        status, _, err = self.programs.pvt("run", "--out", self.programs.run)
        self.assertEqual(status, 2)
        self.assert_one_line(err, "Not a directory: give another --out")
        self.assertEqual(self.programs.run.read_text(), "mine")

    def test_an_empty_folder_of_mine_is_not_removed(self):
        self.programs.falsify(calibrate="sleep 100")
        self.programs.run.mkdir()
        process = self.programs.start("run", "--out", self.programs.run)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=e2e.HELD_S)
        self.assertEqual(process.returncode, 130)
        self.assertTrue(self.programs.run.is_dir())

    def test_full_standard_output(self):
        self.programs.falsify()
        self.assertEqual(self.programs.pvt("run", "--rounds", "1", "--out", self.programs.run)[0], 0)
        for arguments in (("show", self.programs.run), ("show", "--json", self.programs.run), ("list",), ("--help",)):
            with open("/dev/full", "w") as full:
                status, _, err = self.programs.pvt(*arguments, stdout=full)
            self.assertEqual(status, 2, arguments)
            self.assert_one_line(err, "No space left on device")

    def test_closed_standard_streams(self):
        self.programs.falsify()
        command = f'exec "{e2e.BUILD}/pvt" run --rounds 2 --out "{self.programs.run}" <&- >&- 2>&-'
        done = subprocess.run(["sh", "-c", command], env=self.programs.environment, timeout=e2e.HELD_S)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(e2e.unfinished(self.programs.journal()), [])

    def test_progress_is_for_terminals(self):
        self.programs.falsify(launch="sleep 0.05")
        status, _, err = self.programs.pvt("run", "--rounds", "3", "--out", self.programs.run)
        self.assertEqual(status, 0)
        self.assertEqual(err, f"calibrating\nrun folder: {self.programs.run}\nmeasuring\n")
        master, slave = pty.openpty()
        process = self.programs.start("run", "--rounds", "3", "--out", self.programs.folder / "two", stderr=slave)
        os.close(slave)
        seen = b""
        while process.poll() is None or select.select([master], [], [], 0)[0]:
            if select.select([master], [], [], 0.1)[0]:
                try:
                    seen += os.read(master, 65536)
                except OSError:  # the last end was closed
                    break
        process.communicate(timeout=e2e.HELD_S)
        os.close(master)
        self.assertEqual(process.returncode, 0)
        self.assertIn(b"measuring [", seen)
        self.assertRegex(seen, rb"\d+/9 ")
        self.assertTrue(seen.endswith(b"\r\x1b[K"), seen[-80:])


if __name__ == "__main__":
    unittest.main()
