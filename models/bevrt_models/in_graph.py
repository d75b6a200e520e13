"""What networks of other families do inside the graph: lift by matrices, align their history."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .config import BevGrid

NEAREST_M = 0.1
"""Points nearer to the image plane are seen by no camera."""


def centres(grid: BevGrid) -> Tensor:
    """[rows, cols, 2] f32: x and y of the cell centres, in ego."""
    x = torch.from_numpy(grid.centres_x_m()).float()
    y = torch.from_numpy(grid.centres_y_m()).float()
    return torch.stack(torch.meshgrid(x, y, indexing="ij"), dim=-1)


class MatrixLift(nn.Module):
    """Lifts image features onto a grid by intrinsics and poses, weighed by a distance softmax.

    Every voxel is projected into every camera and reads features and the probability of its own
    depth there, bilinearly; cameras add up. Splatting along the rays gives the same kind of map.
    """

    def __init__(
        self, grid: BevGrid, heights_m: tuple[float, ...], image: tuple[int, int],
        depth_m: tuple[float, float], bins: int,
    ) -> None:  # fmt: skip
        """`image` is (height, width) in pixels, `depth_m` the first and last edge of the bins."""
        super().__init__()
        self.grid, self.levels, self.image = grid, len(heights_m), image
        self.nearest_m, self.bin_m = depth_m[0], (depth_m[1] - depth_m[0]) / bins
        flat = centres(grid).reshape(1, -1, 2).expand(self.levels, -1, -1)
        height = torch.tensor(heights_m)[:, None, None].expand(-1, grid.cells, 1)
        voxels = torch.cat([flat, height], dim=2).reshape(-1, 3)
        self.register_buffer("voxels_in_ego", voxels)
        self.register_buffer("bins", torch.arange(bins, dtype=torch.float32)[None, :, None, None])

    def forward(
        self, features: Tensor, depth: Tensor, intrinsics: Tensor, ego_from_cam: Tensor,
        camera_valid: Tensor,
    ) -> Tensor:  # fmt: skip
        """features [N, C, h, w], depth [N, D, h, w] (softmax) -> [1, C * levels, rows, cols]."""
        rows, cols = self.grid.rows, self.grid.cols
        rotation, position = ego_from_cam[:, :3, :3], ego_from_cam[:, :3, 3]
        # Row vectors times R are R transposed times column vectors: ego to camera.
        in_cam = torch.matmul(self.voxels_in_ego[None] - position[:, None], rotation)
        along = in_cam[..., 2:]
        pixel = torch.matmul(in_cam, intrinsics.transpose(1, 2))[..., :2]
        pixel = pixel / along.clamp(min=NEAREST_M)
        # Whole numbers are pixel centres: the image covers -0.5 to size - 0.5.
        size = torch.tensor([self.image[1], self.image[0]], dtype=torch.float32)
        place = (pixel + 0.5) * (2.0 / size) - 1.0
        seen = (along[..., 0] > NEAREST_M) & (place.abs() <= 1.0).all(dim=2)
        share = seen.float() * camera_valid[:, None]
        place = place.clamp(-2.0, 2.0).reshape(-1, self.levels * rows, cols, 2)
        read = F.grid_sample(features, place, align_corners=False, padding_mode="border")
        likely = F.grid_sample(depth, place, align_corners=False, padding_mode="border")
        bin_of = (along - self.nearest_m) / self.bin_m - 0.5
        bin_of = bin_of.reshape(-1, 1, self.levels * rows, cols)
        weight = (1.0 - (bin_of - self.bins).abs()).clamp(min=0.0)
        weight = (likely * weight).sum(dim=1, keepdim=True)
        weight = weight * share.reshape(-1, 1, self.levels * rows, cols)
        lifted = (read * weight).sum(dim=0)
        lifted = lifted.reshape(-1, self.levels, rows, cols)
        return lifted.reshape(1, -1, rows, cols)


class HistoryAligner(nn.Module):
    """Reads raw past maps where the present cells lie in them; the outside is zero."""

    def __init__(self, grid: BevGrid, slots: int) -> None:
        super().__init__()
        self.grid, self.slots = grid, slots
        ones = torch.ones(grid.rows, grid.cols, 1)
        points = torch.cat([centres(grid), ones], dim=2).reshape(-1, 3)
        self.register_buffer("points_now", points)
        # grid_sample wants (column, row), each from -1 to 1 over the outer edges of the map.
        first = torch.tensor([grid.y_min_m, grid.x_min_m], dtype=torch.float32)
        extent = torch.tensor([grid.cols, grid.rows], dtype=torch.float32) * grid.cell_m
        self.register_buffer("first_m", first)
        self.register_buffer("extent_m", extent)

    def forward(self, history: Tensor, history_from_now: Tensor) -> Tensor:
        """history [1, H, W, S * C], history_from_now [S, 3, 3] (metres) -> [S, C, H, W]."""
        rows, cols = self.grid.rows, self.grid.cols
        past = torch.matmul(self.points_now[None], history_from_now.transpose(1, 2))
        column_row = torch.stack([past[..., 1], past[..., 0]], dim=2)
        place = 2.0 * (column_row - self.first_m) / self.extent_m - 1.0
        maps = history.reshape(rows, cols, self.slots, -1).permute(2, 3, 0, 1)
        return F.grid_sample(maps, place.reshape(-1, rows, cols, 2), align_corners=False)
