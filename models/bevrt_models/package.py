"""Writes model packages: the exported network and the manifest that describes it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from pathlib import Path

import torch

from .config import HEAD_CHANNELS, SIGMA_CHANNELS, BevGrid, Contract, GroundRange, Head
from .export import export
from .network import BevNetwork

MANIFEST_FORMAT = 1
GOLDEN_FILE = "golden.json"


@dataclasses.dataclass(frozen=True)
class NetworkFile:
    """One network of a package."""

    file: str
    precision: str
    providers: tuple[str, ...] = ("cpu", "cuda", "tensorrt")
    cpu_features: tuple[str, ...] = ()


def write_package(
    network: BevNetwork, folder: Path, version: str, world: str, thresholds: Path | None,
    sigmas: Path | None = None,
) -> None:  # fmt: skip
    """Exports the network into `folder` and writes its manifest.

    `thresholds` is a JSON object, head -> one number a class; heads that it leaves out keep the
    contract's. `sigmas` is a report of `bevrt eval --json` over tuning drives, by which standard
    deviations are corrected. Golden cases that lie in the folder are referred to, and must be
    filled anew.
    """
    if sigmas is not None:
        correct_sigmas(network, json.loads(sigmas.read_text())["details"]["sigma"])
    chosen = json.loads(thresholds.read_text()) if thresholds else {}
    contract = dataclasses.replace(
        network.contract, version=version, world=world,
        heads=tuple(_with_thresholds(head, chosen) for head in network.contract.heads),
    )  # fmt: skip
    entry = NetworkFile(f"{contract.name}-fp32.onnx", "fp32")
    export(network, folder / entry.file)
    write_manifest(contract, folder, [entry])


def correct_sigmas(network: BevNetwork, found: dict[str, dict]) -> None:
    """Multiplies standard deviations by the factors that a report found.

    What a loss teaches at the cells around a centre is too small where the centre itself is found
    in a wrong cell; a constant factor a quantity mends the mean of that.
    """
    with torch.no_grad():
        for name, (head, channel) in SIGMA_CHANNELS.items():
            if head in network.contract.tasks and name in found:
                last = network.get_submodule(head)[-1]
                last.bias[HEAD_CHANNELS[head].index(channel)] += math.log(found[name]["factor"])


def write_manifest(contract: Contract, folder: Path, networks: list[NetworkFile]) -> None:
    """Writes `manifest.toml` for network files that lie in `folder`."""
    text = manifest_text(contract, folder, networks)
    (folder / "manifest.toml").write_text(text)


def manifest_text(contract: Contract, folder: Path, networks: list[NetworkFile]) -> str:
    """The manifest; the hashes are those of the files in `folder`."""
    lines = [
        f"format = {MANIFEST_FORMAT}",
        f"name = {_value(contract.name)}",
        f"version = {_value(contract.version)}",
        f"world = {_value(contract.world)}",
    ]
    for network in networks:
        digest = hashlib.sha256((folder / network.file).read_bytes()).hexdigest()
        lines += section("[[network]]", {**dataclasses.asdict(network), "sha256": digest})
    lines += section("[preprocess]", dataclasses.asdict(contract.preprocess))
    if contract.ray_stride:
        lines += section("[rays]", {"stride": contract.ray_stride})
    for lift in contract.lifts:
        fields = {
            "name": lift.name, "stride": lift.stride, "taps": lift.taps,
            "heights_m": lift.heights_m, "geometry": lift.geometry, "grid": lift.grid,
        }  # fmt: skip
        if lift.depth_bins is not None:
            fields["depth_bins"] = dataclasses.asdict(lift.depth_bins)
        lines += section("[[lift]]", fields)
    if contract.largest_distortion_px is not None:
        fields = {"largest_distortion_px": contract.largest_distortion_px}
        lines += section("[matrices]", fields)
    if contract.queue is not None:
        queue = contract.queue
        fields = {
            "grid": queue.grid, "channels": queue.channels, "slots": queue.slots,
            "stride_s": queue.stride_s, "storage": queue.storage,
        }  # fmt: skip
        if queue.alignment != "runtime":
            fields["alignment"] = queue.alignment
        lines += section("[queue]", fields)
    for head in contract.heads:
        lines += section("[[head]]", head.manifest_fields())
    if (folder / GOLDEN_FILE).exists():
        lines += section("[golden]", {"file": GOLDEN_FILE, "tolerance": contract.tolerance})
        lines += files_section(folder)
    return "\n".join(lines) + "\n"


def add_network(folder: Path, network: NetworkFile) -> None:
    """Enters a network file that lies in `folder` into its manifest, behind those that are there.

    An entry of the same precision is replaced.
    """
    path = folder / "manifest.toml"
    blocks = path.read_text().rstrip("\n").split("\n\n")
    same = f"precision = {_value(network.precision)}"
    blocks = [b for b in blocks if not (b.startswith("[[network]]") and same in b.splitlines())]
    last = max(i for i, block in enumerate(blocks) if block.startswith("[[network]]"))
    digest = hashlib.sha256((folder / network.file).read_bytes()).hexdigest()
    lines = section("[[network]]", {**dataclasses.asdict(network), "sha256": digest})
    blocks.insert(last + 1, "\n".join(lines[1:]))
    path.write_text("\n\n".join(blocks) + "\n")


def write_file_hashes(folder: Path) -> None:
    """Writes the hashes of the golden cases into the manifest, in place of what stands there."""
    path = folder / "manifest.toml"
    text = path.read_text().split("[files]")[0].rstrip("\n")
    path.write_text("\n".join([text, *files_section(folder)]) + "\n")


def files_section(folder: Path) -> list[str]:
    """Lines of the section that holds the SHA-256 of every file beside the networks."""
    files = [folder / GOLDEN_FILE, *sorted((folder / "golden").rglob("*.*"))]
    digests = {
        json.dumps(file.relative_to(folder).as_posix()): hashlib.sha256(
            file.read_bytes()
        ).hexdigest()
        for file in files
    }
    return section("[files]", digests)


def _with_thresholds(head: Head, chosen: dict[str, list[float]]) -> Head:
    if head.kind not in chosen:
        return head
    values = tuple(float(value) for value in chosen[head.kind])
    if len(values) != len(head.thresholds):
        raise ValueError(
            f"thresholds of {head.kind}: {len(values)} given, {len(head.thresholds)} expected"
        )
    return dataclasses.replace(head, thresholds=values)


def section(title: str, fields: dict) -> list[str]:
    """Lines of a TOML section, an empty one before."""
    return ["", title, *(f"{key} = {_value(value)}" for key, value in fields.items())]


def _value(value) -> str:
    """A TOML value on one line."""
    if isinstance(value, (BevGrid, GroundRange)):
        value = dataclasses.asdict(value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, (int, float)):
        return repr(value)
    return json.dumps(value)
