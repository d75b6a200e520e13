"""Traces as others read them: with ASAM's own bindings and reader, field by field."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet
from mcap.reader import make_reader
from osi3.osi_sensordata_pb2 import SensorData
from osi_utilities import MessageType
from osi_utilities.filename import parse_osi_trace_filename
from osi_utilities.tracefile.readers.multi import MultiTraceReader
from osi_utilities.tracefile.readers.single import SingleTraceReader

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("traces")
    cargo = os.environ.get("CARGO", "cargo")
    example = ["run", "--quiet", "--package", "bevrt-osi", "--example", "write_traces", "--"]
    subprocess.run([cargo, *example, str(folder)], cwd=REPOSITORY, check=True)
    return folder


@pytest.fixture(scope="session")
def expected(folder: Path) -> list[dict[str, Any]]:
    messages = json.loads((folder / "messages.json").read_text())
    assert len(messages) == 12
    return [without_absent(message) for message in messages]


def only(folder: Path, extension: str) -> Path:
    [file] = folder.glob(f"*.{extension}")
    return file


def without_absent(value: Any) -> Any:
    """Leaves out what protobuf does not tell: fields that are not set, empty lists."""
    if isinstance(value, dict):
        kept = {name: without_absent(entry) for name, entry in value.items()}
        return {name: entry for name, entry in kept.items() if entry is not None and entry != []}
    if isinstance(value, list):
        return [without_absent(entry) for entry in value]
    return value


def as_read(message: Message) -> dict[str, Any]:
    """Every field that is set, by its name; a field that the bindings do not know fails."""
    assert len(UnknownFieldSet(message)) == 0, message.DESCRIPTOR.full_name
    fields = {}
    for field, value in message.ListFields():
        if field.message_type is None:
            fields[field.name] = list(value) if field.is_repeated else value
        elif field.is_repeated:
            fields[field.name] = [as_read(entry) for entry in value]
        else:
            fields[field.name] = as_read(value)
    return fields


def read(reader: SingleTraceReader | MultiTraceReader, file: Path) -> list[dict[str, Any]]:
    assert reader.open(file), file
    messages = []
    with reader:
        for result in reader:
            assert result.message is not None, result.error_message
            assert result.message_type == MessageType.SENSOR_DATA
            messages.append(as_read(result.message))
    return messages


def names(prefix: str, value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for entry in value:
            yield from names(prefix, entry)
    elif isinstance(value, dict):
        for name, entry in value.items():
            yield f"{prefix}.{name}"
            yield from names(f"{prefix}.{name}", entry)


def test_binary_trace_reads_as_written(folder: Path, expected: list[dict[str, Any]]) -> None:
    assert read(SingleTraceReader(), only(folder, "osi")) == expected


@pytest.mark.parametrize("decoder", ["precompiled", "mcap-contained"])
def test_mcap_trace_reads_as_written(
    folder: Path, expected: list[dict[str, Any]], decoder: str
) -> None:
    assert read(MultiTraceReader(decoder_mode=decoder), only(folder, "mcap")) == expected


def test_messages_hold_what_they_are_about(expected: list[dict[str, Any]]) -> None:
    seen = set(names("", expected))
    for name in [
        ".moving_object.base.velocity.y",
        ".moving_object.base.orientation_rate.yaw",
        ".moving_object.base_rmse.dimension.height",
        ".moving_object.candidate.vehicle_classification.type",
        ".stationary_object.candidate.classification.type",
        ".road_marking.candidate.classification.traffic_main_sign_type",
        ".road_marking.base.orientation.pitch",
        ".lane_boundary.boundary_line.position.z",
        ".lane_boundary.boundary_line_rmse.position.x",
        ".lane_boundary.boundary_line_confidences",
        ".lane_boundary.candidate.classification.color",
        ".lane_boundary_header.data_qualifier",
        ".mounting_position.position.z",
        ".virtual_detection_area.polygon.vertex.x",
    ]:
        assert name in seen, name
    assert any("velocity" not in message["moving_object"][0]["base"] for message in expected)


def test_metadata_is_what_the_specification_asks_for(folder: Path) -> None:
    version = "3.8.0"
    with only(folder, "mcap").open("rb") as file:
        reader = make_reader(file)
        [record] = [m for m in reader.iter_metadata() if m.name == "net.asam.osi.trace"]
        summary = reader.get_summary()
        times = [
            (message.log_time, message.publish_time)
            for _, _, message in reader.iter_messages()
        ]
    for key in ["version", "min_osi_version", "max_osi_version"]:
        assert record.metadata[key] == version
    assert record.metadata["min_protobuf_version"] == record.metadata["max_protobuf_version"]
    assert record.metadata["creation_time"] == "2021-08-18T15:05:42Z"
    assert summary is not None
    [channel], [schema] = summary.channels.values(), summary.schemas.values()
    assert (schema.name, schema.encoding) == ("osi3.SensorData", "protobuf")
    assert (channel.message_encoding, channel.schema_id) == ("protobuf", schema.id)
    prefix = "net.asam.osi.trace.channel"
    assert channel.metadata[f"{prefix}.osi_version"] == version
    assert channel.metadata[f"{prefix}.protobuf_version"]
    assert channel.metadata[f"{prefix}.description"] == "made-up frames"
    assert all(chunk.compression == "zstd" for chunk in summary.chunk_indexes)
    first = 5_060_000_000
    assert times == [(first + 100_000_001 * k,) * 2 for k in range(12)]


def test_file_name_is_parsed(folder: Path) -> None:
    parsed = parse_osi_trace_filename(only(folder, "osi").name)
    assert parsed["message_type"] == MessageType.SENSOR_DATA
    assert parsed["osi_version"] == "380"
    assert parsed["number_of_frames"] == 12
    assert parsed["custom_trace_name"] == "made-up"


def assert_same(ours: Descriptor, theirs: Descriptor, done: set[str]) -> None:
    """Every field, type and enum member of ours is theirs, too."""
    if ours.full_name in done:
        return
    done.add(ours.full_name)
    assert ours.full_name == theirs.full_name
    for field in ours.fields:
        other = theirs.fields_by_number[field.number]
        assert (field.name, field.type, field.is_repeated, field.is_packed) == (
            other.name,
            other.type,
            other.is_repeated,
            other.is_packed,
        ), field.full_name
        if field.message_type is not None:
            assert_same(field.message_type, other.message_type, done)
        if field.enum_type is not None:
            assert field.enum_type.full_name == other.enum_type.full_name
            numbers = {v.name: v.number for v in field.enum_type.values}
            assert numbers.items() <= {v.name: v.number for v in other.enum_type.values}.items()


def test_schema_is_a_part_of_osi(folder: Path) -> None:
    with only(folder, "mcap").open("rb") as file:
        summary = make_reader(file).get_summary()
    assert summary is not None
    [schema] = summary.schemas.values()
    pool = DescriptorPool()
    for file_descriptor in FileDescriptorSet.FromString(schema.data).file:
        pool.Add(file_descriptor)
    done: set[str] = set()
    assert_same(pool.FindMessageTypeByName(schema.name), SensorData.DESCRIPTOR, done)
    assert len(done) > 25, done
