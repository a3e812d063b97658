#!/usr/bin/env python3
"""compare_tool BUILD: Google Benchmark's own compare.py reads two results.json as they are and matches every row."""
import json
import pathlib
import subprocess
import sys
import unittest

import e2e

TOOL = pathlib.Path("/usr/share/benchmark/compare.py")
PYTHON = "/usr/bin/python3"  # Debian's, whose modules the tool imports
SKIPPED = 77
ROUNDS = 4


def why_not():
    """Why it cannot be run here, or nothing."""
    if not TOOL.exists():
        return f"no {TOOL}: install libbenchmark-tools"
    done = subprocess.run([PYTHON, TOOL, "--help"], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"{TOOL}: {done.stderr.strip().splitlines()[-1]}: install python3-scipy"


class Compared(e2e.Test):
    def test_two_runs_match_in_every_row(self):
        self.programs.falsify()
        runs = [self.programs.folder / name for name in ("base", "cand")]
        for run in runs:
            status, _, err = self.programs.pvt("run", "--rounds", ROUNDS, "--out", run)
            self.assertEqual(status, 0, err)
        results = [json.loads((run / "results.json").read_text()) for run in runs]
        for key in ("date", "host_name", "executable", "num_cpus", "library_build_type", "caches", "load_avg"):
            self.assertIn(key, results[0]["context"])
        self.assertRegex(results[0]["context"]["date"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$")
        self.assertNotEqual(results[0]["context"]["host_name"], "")
        self.assertGreater(results[0]["context"]["num_cpus"], 0)

        compared = self.programs.folder / "compared.json"
        done = subprocess.run(
            [PYTHON, TOOL, "--no-color", "-d", compared, "benchmarks", *(run / "results.json" for run in runs)],
            capture_output=True,
            text=True,
            timeout=e2e.HELD_S,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        both = set.intersection(*({entry["name"] for entry in result["benchmarks"]} for result in results))
        self.assertEqual(both, {"create/a", "create/b", "create/c"})
        rows = {row["name"]: row for row in json.loads(compared.read_text()) if row["run_type"] == "iteration"}
        self.assertTrue(both <= set(rows), rows.keys())
        for name in both:
            self.assertIn(name, done.stdout)
            counts = [sum(entry["name"] == name for entry in result["benchmarks"]) for result in results]
            self.assertEqual(len(rows[name]["measurements"]), min(counts))


if __name__ == "__main__":
    reason = why_not()
    if reason:
        print("skipped:", reason)
        sys.exit(SKIPPED)
    unittest.main()
