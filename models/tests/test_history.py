import numpy as np
import torch

from bevrt_models.batch import Augment
from bevrt_models.config import tiny_contract
from bevrt_models.history import DriveQueues
from bevrt_models.stream import Message

CONTRACT = tiny_contract()
QUIET = Augment(slot_drop=0.0, history_drop=0.0, ego_yaw_rad=0.0, ego_shift_m=0.0)
CELLS, CHANNELS = 128 * 128, 32


def message(step: int, drive: int = 0, x_m: float = 0.0, span_s: float = 0.5) -> Message:
    pose = np.eye(4)
    pose[0, 3] = x_m
    return Message(
        drive, 1, step, step == 0, int(step * span_s * 1e9), {"odom_from_ego_noisy": pose}
    )


def filled(value: float) -> torch.Tensor:
    return torch.full((CELLS, CHANNELS), value)


def slots_of(maps: torch.Tensor) -> torch.Tensor:
    return maps.float().reshape(-1, CELLS, 4, CHANNELS)


def test_slot_k_holds_the_map_of_k_strides_ago():
    queues = DriveQueues(CONTRACT, QUIET, 0)
    for step in range(7):
        maps, state = queues.history([message(step)], has_history=True)
        queues.push(message(step), filled(step + 1.0))
    # Now is step 6: half a second ago step 5 was pushed, with value 6.
    assert slots_of(maps)[0, 0, :, 0].tolist() == [6.0, 5.0, 4.0, 3.0]
    torch.testing.assert_close(state[0, :, 1], torch.tensor([0.5, 1.0, 1.5, 2.0]))
    assert state[0, :, 0].tolist() == [1.0] * 4


def test_slots_that_are_not_filled_yet_are_zero_and_invalid():
    queues = DriveQueues(CONTRACT, QUIET, 0)
    queues.history([message(0)], has_history=True)
    queues.push(message(0), filled(2.0))
    maps, state = queues.history([message(1)], has_history=True)
    assert state[0].tolist() == [[1.0, 0.5], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    assert slots_of(maps)[0, :, 1:].abs().max() == 0.0


def test_a_new_drive_starts_without_history_and_drives_do_not_mix():
    queues = DriveQueues(CONTRACT, QUIET, 0)
    for drive in (0, 1):
        queues.push(message(0, drive), filled(drive + 1.0))
    maps, _ = queues.history([message(1, 1), message(1, 0)], has_history=True)
    assert slots_of(maps)[:, 0, 0, 0].tolist() == [2.0, 1.0]
    _, state = queues.history([message(0, 0), message(2, 1)], has_history=True)
    assert state[0].abs().max() == 0.0 and state[1, 1, 0] == 1.0


def test_the_past_is_warped_to_the_present():
    queues = DriveQueues(CONTRACT, QUIET, 0)
    past = torch.zeros(128, 128, CHANNELS)
    past[80, 70] = 4.0
    queues.history([message(0)], has_history=True)
    queues.push(message(0), past.reshape(CELLS, CHANNELS))
    # Eight metres ahead are ten cells: the point is ten rows nearer now.
    maps, _ = queues.history([message(1, x_m=8.0)], has_history=True)
    found = slots_of(maps)[0, :, 0, 0].reshape(128, 128)
    assert found[70, 70] == 4.0 and found.sum() == 4.0


def test_the_ablation_has_no_history():
    queues = DriveQueues(CONTRACT, QUIET, 0)
    queues.push(message(0), filled(1.0))
    maps, state = queues.history([message(1)], has_history=False)
    assert maps.abs().max() == 0.0 and state.abs().max() == 0.0


def test_dropouts_clear_slot_and_state_together():
    queues = DriveQueues(CONTRACT, Augment(slot_drop=0.5, history_drop=0.2), 4)
    seen = set()
    for step in range(40):
        maps, state = queues.history([message(step)], has_history=True)
        queues.push(message(step), filled(1.0))
        content = slots_of(maps)[0, 64 * 128 + 64, :, 0] > 0
        assert content.tolist() == (state[0, :, 0] > 0).tolist()
        seen.add(tuple(content.tolist()))
    assert len(seen) > 4
