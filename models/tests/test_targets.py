"""What is drawn into a target must come out again by the decoder's arithmetic."""

import numpy as np

from bevrt_models import config, targets
from bevrt_models.config import COARSE_GRID, FINE_GRID


def objects_of(*rows):
    array = np.zeros((len(rows), 16), np.float32)
    for index, row in enumerate(rows):
        array[index, : len(row)] = row
    return array


def cell_of(grid, x, y):
    row, col = grid.to_index(np.array(x), np.array(y))
    return int(np.rint(row)), int(np.rint(col))


CAR = [0, 12.3, -4.1, 0.8, 4.6, 1.9, 1.6, 2.5, 7.0, -3.0, 0.1, 1.0, 200, 1, 0, 5]
WALKER = [6, -7.9, 10.2, 0.9, 0.6, 0.5, 1.7, -1.0, 1.0, 0.5, 0.0, 0.5, 60, 1, 0, 6]


def test_an_object_comes_back_from_its_centre_cell():
    target = targets.object_target(COARSE_GRID, objects_of(CAR, WALKER))
    for box in (CAR, WALKER):
        row, col = cell_of(COARSE_GRID, box[1], box[2])
        assert target.heat[box[0], row, col] == 1.0
        assert target.weight[row, col] == 1.0
        values = target.values[:, row, col]
        x = COARSE_GRID.centres_x_m()[row] + values[0]
        y = COARSE_GRID.centres_y_m()[col] + values[1]
        np.testing.assert_allclose([x, y, values[2]], box[1:4], atol=1e-5)
        np.testing.assert_allclose(np.exp(values[3:6]), box[4:7], rtol=1e-5)
        np.testing.assert_allclose(np.arctan2(values[6], values[7]), box[7], atol=1e-5)
        np.testing.assert_allclose(values[8:11], box[8:11], atol=1e-5)


def test_offsets_of_neighbour_cells_point_to_the_same_centre():
    target = targets.object_target(COARSE_GRID, objects_of(CAR))
    rows, cols = np.nonzero(target.weight)
    assert len(rows) == 9
    x = COARSE_GRID.centres_x_m()[rows] + target.values[0, rows, cols]
    np.testing.assert_allclose(x, CAR[1], atol=1e-5)


def test_an_object_that_does_not_count_is_neither_positive_nor_negative():
    hidden = list(CAR)
    hidden[13] = 0
    target = targets.object_target(COARSE_GRID, objects_of(hidden))
    row, col = cell_of(COARSE_GRID, CAR[1], CAR[2])
    assert target.heat.max() == 0.0 and target.weight.max() == 0.0
    assert target.negative[row, col] == 0.0
    assert target.negative.mean() > 0.99


def test_objects_outside_of_the_grid_are_left_out():
    far = list(CAR)
    far[1] = 80.0
    target = targets.object_target(COARSE_GRID, objects_of(far))
    assert target.heat.max() == 0.0
    assert targets.object_target(COARSE_GRID, np.zeros((0, 16), np.float32)).heat.max() == 0.0


def test_marks_come_back_from_their_centre_cells():
    arrow = np.array([[5.1, -2.2, 0.1, -2.0, 3, 1, 9]], np.float32)
    target = targets.arrow_target(FINE_GRID, arrow)
    row, col = cell_of(FINE_GRID, 5.1, -2.2)
    assert target.heat[3, row, col] == 1.0 and target.heat[:3].max() == 0.0
    np.testing.assert_allclose(
        np.arctan2(target.values[2, row, col], target.values[3, row, col]), -2.0, atol=1e-5
    )
    walk = np.array([[-8.0, 3.3, 0.0, 1.2, 8.0, 3.5, 1, 4]], np.float32)
    target = targets.crosswalk_target(FINE_GRID, walk)
    row, col = cell_of(FINE_GRID, -8.0, 3.3)
    values = target.values[:, row, col]
    np.testing.assert_allclose(0.5 * np.arctan2(values[3], values[2]), 1.2, atol=1e-5)
    np.testing.assert_allclose(np.exp(values[4:6]), [8.0, 3.5], rtol=1e-5)
    line = np.array([[10.0, 0.4, 0.2, -1.4, 6.5, 1, 4]], np.float32)
    target = targets.stop_line_target(FINE_GRID, line)
    row, col = cell_of(FINE_GRID, 10.0, 0.4)
    values = target.values[:, row, col]
    np.testing.assert_allclose(0.5 * np.arctan2(values[3], values[2]), -1.4, atol=1e-5)
    np.testing.assert_allclose([np.exp(values[4]), values[5]], [6.5, 0.2], rtol=1e-5)


def line(seen=1.0, kind=1, colour=1):
    x = np.linspace(-10, 10, 6)
    points = np.stack([x, 0.3 * x + 1.0, 0.01 * x, np.full(6, seen)], 1).astype(np.float32)
    return points, np.array([[0, 6, kind, colour]], np.int32)


def test_lane_vectors_land_on_the_line():
    points, lanes = line()
    target = targets.lane_target(FINE_GRID, points, lanes)
    rows, cols = np.nonzero(target.mask)
    assert len(rows) > 60
    x = FINE_GRID.centres_x_m()[rows] + target.values[0, rows, cols]
    y = FINE_GRID.centres_y_m()[cols] + target.values[1, rows, cols]
    np.testing.assert_allclose(y, 0.3 * x + 1.0, atol=1e-5)
    np.testing.assert_allclose(target.values[4, rows, cols], 0.01 * x, atol=1e-5)
    angle = 0.5 * np.arctan2(target.values[3, rows, cols], target.values[2, rows, cols])
    np.testing.assert_allclose(angle, np.arctan(0.3), atol=1e-5)
    assert set(target.kind[rows, cols]) == {1} and set(target.colour[rows, cols]) == {1}
    distance = np.hypot(target.values[0, rows, cols], target.values[1, rows, cols])
    assert distance.max() <= targets.LANE_POSITIVE_M
    assert (target.care[rows, cols] == 1.0).all()


def test_every_cell_near_the_line_is_positive():
    points, lanes = line()
    target = targets.lane_target(FINE_GRID, points, lanes)
    x, y = np.meshgrid(FINE_GRID.centres_x_m(), FINE_GRID.centres_y_m(), indexing="ij")
    normal = np.array([-0.3, 1.0]) / np.hypot(0.3, 1.0)
    distance = np.abs(normal[0] * x + normal[1] * (y - 1.0))
    inner = np.abs(x) < 9.0
    np.testing.assert_array_equal(
        target.mask[inner] > 0, (distance <= targets.LANE_POSITIVE_M)[inner]
    )
    ring = inner & (distance > 0.31) & (distance < 0.44)
    assert (target.care[ring] == 0.0).all()


def test_an_unseen_line_is_ignored_and_an_edge_has_no_colour():
    points, lanes = line(seen=0.0)
    target = targets.lane_target(FINE_GRID, points, lanes)
    assert target.mask.max() == 0.0 and (target.care == 0.0).sum() > 60
    points, lanes = line(kind=config.ROAD_EDGE)
    target = targets.lane_target(FINE_GRID, points, lanes)
    assert set(target.colour[target.mask > 0]) == {-1}


def test_no_lanes_give_an_empty_target():
    empty = np.zeros((0, 4), np.float32), np.zeros((0, 4), np.int32)
    assert targets.lane_target(FINE_GRID, *empty).mask.max() == 0.0
    single = np.zeros((1, 4), np.float32), np.array([[0, 1, 0, 0]], np.int32)
    assert targets.lane_target(FINE_GRID, *single).mask.max() == 0.0


def test_depth_bins_follow_the_contract():
    bins = config.tiny_contract().lift("coarse").depth_bins
    got = targets.depth_target(np.array([[[0.0, 1.0, 2.1, 18.7651, 100.0]]], np.float32), bins)
    assert got.tolist() == [[[-1, 0, 0, 19, 31]]]
