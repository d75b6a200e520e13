"""bevrt and the Python pipeline on the same frames, in turn; prints a table in Markdown.

Every round runs both, each in a process of its own that warms up by itself; which goes first
changes from round to round. A ratio is taken within a round, so that what disturbs the machine
for longer than a round meets both sides.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PEER = Path(__file__).with_name("python_pipeline.py")
ROWS = (
    ("total", "whole work of a set, ms"),
    ("preprocess", "preprocess, ms"),
    ("align", "align, ms"),
    ("network", "network, ms"),
    ("decode", "decode, ms"),
    ("bare_run", "bare run of the network, ms"),
)


def run_bevrt(arguments: argparse.Namespace, folder: Path) -> dict:
    """One round of `bevrt bench`; medians in milliseconds by name, and the report."""
    report = folder / "bevrt.json"
    command = [
        arguments.bevrt, "bench", "--frames", arguments.frames, "--package", arguments.package,
        "--precision", arguments.precision, "--threads", str(arguments.threads),
        "--seconds", str(arguments.seconds), "--mode", "flat-out", "--json", report,
    ]  # fmt: skip
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    found = json.loads(report.read_text())
    times = found["modes"]["flat_out"]["times"]
    medians = {row["name"]: statistics.median(row["block_medians_ms"]) for row in times}
    return {"median_ms": medians, "report": found}


def run_python(arguments: argparse.Namespace) -> dict:
    """One round of the Python pipeline: its report."""
    command = [
        sys.executable, PEER, "--frames", arguments.frames, "--package", arguments.package,
        "--precision", arguments.precision, "--threads", str(arguments.threads),
        "--seconds", str(arguments.seconds),
    ]  # fmt: skip
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def run_rounds(arguments: argparse.Namespace) -> list[tuple[dict, dict]]:
    """(bevrt, Python) of each round."""
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.rounds):
            print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
            if number % 2 == 0:
                bevrt = run_bevrt(arguments, Path(folder))
                python = run_python(arguments)
            else:
                python = run_python(arguments)
                bevrt = run_bevrt(arguments, Path(folder))
            rounds.append((bevrt, python))
    return rounds


def table(rounds: list[tuple[dict, dict]]) -> str:
    """The rounds as a table in Markdown: medians over rounds, ratios with their range."""
    report, python = rounds[-1][0]["report"], rounds[-1][1]
    subject, machine = report["subject"], report["machine"]
    lines = [
        f"{subject['package']} {subject['package_version']}, {subject['precision']}, "
        f"{subject['threads']} threads, {subject['cameras']}; {machine['cpu']}, "
        f"{machine['cores']} cores, Linux {machine['kernel']}; bevrt "
        f"{report['versions']['bevrt']} ({subject['build']}), Python "
        f"{sys.version.split()[0]}, OpenCV {python['opencv']}, NumPy {python['numpy']}, "
        f"ONNX Runtime {report['versions']['onnxruntime']} and {python['onnxruntime']}; "
        f"{len(rounds)} rounds, medians; ratio Python / bevrt with the range over rounds.",
        "",
        "| | bevrt | Python | ratio |",
        "|---|---|---|---|",
    ]
    for name, label in ROWS:
        ours = [bevrt["median_ms"][name] for bevrt, _ in rounds]
        theirs = [peer["median_ms"][name] for _, peer in rounds]
        lines.append(row(label, ours, theirs))
    ours = [bevrt["report"]["step_per_bare"]["median"] for bevrt, _ in rounds]
    lines.append(f"| step from the last image / bare run | {statistics.median(ours):.3f} | | |")
    doubts = sorted({doubt for bevrt, _ in rounds for doubt in bevrt["report"]["doubts"]})
    lines += ["", *(f"Doubtful: {doubt}." for doubt in doubts)]
    return "\n".join(lines).rstrip() + "\n"


def row(label: str, ours: list[float], theirs: list[float]) -> str:
    """One line: both medians, and the ratio within rounds with its range."""
    ratios = [
        other / own if own > 0 else float("nan") for own, other in zip(ours, theirs, strict=True)
    ]
    spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    return (
        f"| {label} | {statistics.median(ours):.2f} | {statistics.median(theirs):.2f} | {spread} |"
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bevrt", type=Path, default=Path("target/release/bevrt"))
    parser.add_argument("--package", type=Path, default=Path("models/packages/tiny"))
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument(
        "--frames", type=Path, default=Path("out/frames"),
        help="folder of --dump-frames; written when it is not there",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each side in each round")
    arguments = parser.parse_args()
    if not (arguments.frames / "frames.json").is_file():
        dump = [arguments.bevrt, "bench", "--package", arguments.package, "--precision",
                arguments.precision, "--dump-frames", arguments.frames]  # fmt: skip
        subprocess.run(dump, check=True, stdout=subprocess.DEVNULL)
    print(table(run_rounds(arguments)), end="")


if __name__ == "__main__":
    main()
