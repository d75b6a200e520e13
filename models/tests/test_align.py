import json

import align_cases
import numpy as np
import torch
from align_cases import past_map, pose

from bevrt_models import align
from bevrt_models.config import COARSE_GRID


def warped(motion) -> torch.Tensor:
    past = torch.from_numpy(past_map(128, 128, 4))
    return align.warp(COARSE_GRID, past, align.index_affine(COARSE_GRID, pose(*motion)))


PAST = torch.from_numpy(past_map(128, 128, 4))


def test_identity_is_exact():
    assert torch.equal(warped((0.0, 0.0, 0.0)), PAST)


def test_whole_cells_are_exact():
    # The vehicle moved 5 cells ahead and 2 to the left: what was at row 5 + i is now at row i.
    moved = warped((5 * 0.8, 2 * 0.8, 0.0))
    assert torch.equal(moved[:-5, :-2], PAST[5:, 2:])
    assert moved[-5:].abs().max() == 0.0 and moved[:, -2:].abs().max() == 0.0


def test_quarter_turns_are_exact():
    # A left turn by 90 degrees: what was on the left (+y) is ahead (+x) now.
    turned = warped((0.0, 0.0, np.pi / 2))
    assert torch.equal(turned, torch.rot90(PAST, -1, (0, 1)))
    assert torch.equal(warped((0.0, 0.0, np.pi)), torch.rot90(PAST, 2, (0, 1)))


def test_half_a_cell_is_the_mean_of_neighbours():
    moved = warped((0.4, 0.0, 0.0))
    torch.testing.assert_close(moved[:-1], (PAST[1:] + PAST[:-1]) / 2, atol=1e-5, rtol=0)
    # Beyond the last row lies zero.
    torch.testing.assert_close(moved[-1], PAST[-1] / 2, atol=1e-4, rtol=0)


def test_far_away_is_zero():
    assert warped((1e7, 0.0, 0.3)).abs().max() == 0.0


def test_height_and_tilt_change_nothing_in_the_plane():
    lifted = pose(1.0, 2.0, 0.3)
    lifted[2, 3] = 5.0
    np.testing.assert_array_equal(
        align.index_affine(COARSE_GRID, lifted),
        align.index_affine(COARSE_GRID, pose(1.0, 2.0, 0.3)),
    )


def test_a_point_keeps_its_place_on_the_ground():
    # A blob at (10.0, -6.0) in the past frame; the vehicle then drove 4 m and turned by 0.2 rad.
    x, y = np.meshgrid(COARSE_GRID.centres_x_m(), COARSE_GRID.centres_y_m(), indexing="ij")
    blob = np.exp(-((x - 10.0) ** 2 + (y + 6.0) ** 2) / 8.0).astype(np.float32)
    hist_from_now = pose(4.0, 0.5, 0.2)
    now = align.warp(
        COARSE_GRID, torch.from_numpy(blob)[..., None],
        align.index_affine(COARSE_GRID, hist_from_now),
    )[..., 0].numpy()  # fmt: skip
    centre = np.linalg.inv(hist_from_now) @ [10.0, -6.0, 0.0, 1.0]
    found = (now * x).sum() / now.sum(), (now * y).sum() / now.sum()
    np.testing.assert_allclose(found, centre[:2], atol=0.02)


def test_the_fixture_for_the_runtime_is_up_to_date():
    stored = json.loads(align_cases.FILE.read_text())
    fresh = align_cases.cases()
    assert stored["grid"] == fresh["grid"]
    for old, new in zip(stored["cases"], fresh["cases"], strict=True):
        assert old["name"] == new["name"]
        np.testing.assert_allclose(old["aligned"], new["aligned"], atol=1e-6)
