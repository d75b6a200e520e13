//! Sorts the samples of a tile into spans: points that see the same triangle and are shaded together.

use super::geometry::Geometry;
use super::image::{RenderedImage, VisibilityCounts};
use super::lens::{RayTable, TILE, TILE_AREA};
use super::raster::{NOBODY, Surface};
use nalgebra::Vector3;

/// One point to shade.
#[derive(Clone, Copy, Default)]
pub(super) struct Point {
    pub(super) pixel: u32,
    pub(super) weight: f32,
    pub(super) ray: [f32; 3],
}

/// The points of a tile, grouped by the triangle that they see.
#[derive(Default)]
pub(super) struct Spans {
    /// Triangle and number of points of each span.
    pub(super) owners: Vec<(u32, u32)>,
    points: Vec<Point>,
    found: Vec<(u32, Point)>,
    starts: Vec<u32>,
}

impl Spans {
    /// Points of the span that follow `first`.
    pub(super) fn points(&self, first: usize, count: usize) -> &[Point] {
        &self.points[first..first + count]
    }

    /// Collects the points of a tile and writes the ground truth of its pixels.
    pub(super) fn collect(
        &mut self,
        table: &RayTable,
        geometry: &Geometry,
        surface: &Surface,
        tile: usize,
        out: &mut RenderedImage,
    ) {
        self.owners.clear();
        self.found.clear();
        let sampling = table.sampling;
        let side = TILE / sampling;
        let (tile_x, tile_y) = (tile % table.tiles_x * side, tile / table.tiles_x * side);
        let owners = &surface.owner[tile * TILE_AREA..(tile + 1) * TILE_AREA];
        let is_whole = tile_x + side <= table.width_px
            && tile_y + side <= table.height_px
            && (table.blind.is_empty() || owners[0] != NOBODY);
        if is_whole && is_uniform(owners) {
            self.collect_whole(table, geometry, (tile, tile_x, tile_y), owners[0], out);
            return;
        }
        for y in 0..side.min(table.height_px.saturating_sub(tile_y)) {
            for x in 0..side.min(table.width_px.saturating_sub(tile_x)) {
                let pixel = (tile_y + y) * table.width_px + tile_x + x;
                let centre = table.centres[tile * side * side + y * side + x];
                if centre == [0.0; 3] {
                    (out.depth_m[pixel], out.instance[pixel]) = (0.0, 0);
                    continue;
                }
                let first = y * sampling * TILE + x * sampling;
                let main = if sampling == 1 {
                    let owner = owners[first];
                    count_visible(geometry, owner, 1, &mut out.visibility);
                    self.found.push((
                        owner,
                        Point {
                            pixel: pixel as u32,
                            weight: 1.0,
                            ray: centre,
                        },
                    ));
                    owner
                } else {
                    self.split_pixel(
                        table,
                        geometry,
                        owners,
                        (tile, first, pixel),
                        centre,
                        &mut out.visibility,
                    )
                };
                (out.depth_m[pixel], out.instance[pixel]) = truth(geometry, main, centre);
            }
        }
        self.group();
    }

    /// A tile whose samples all see one thing.
    fn collect_whole(
        &mut self,
        table: &RayTable,
        geometry: &Geometry,
        (tile, tile_x, tile_y): (usize, usize, usize),
        owner: u32,
        out: &mut RenderedImage,
    ) {
        count_visible(geometry, owner, TILE_AREA, &mut out.visibility);
        let side = TILE / table.sampling;
        let count = side * side;
        self.owners.push((owner, count as u32));
        self.points
            .resize(count.max(self.points.len()), Point::default());
        let (plane, id) = match owner {
            NOBODY => (Vector3::zeros(), 0),
            _ => (
                geometry.triangles[owner as usize].plane,
                geometry.triangles[owner as usize].id,
            ),
        };
        let centres = &table.centres[tile * count..(tile + 1) * count];
        for (y, rays) in centres.chunks_exact(side).enumerate() {
            let first = (tile_y + y) * table.width_px + tile_x;
            let points = &mut self.points[y * side..(y + 1) * side];
            for (x, (point, &ray)) in points.iter_mut().zip(rays).enumerate() {
                *point = Point {
                    pixel: (first + x) as u32,
                    weight: 1.0,
                    ray,
                };
            }
            out.instance[first..first + side].fill(id);
            for (depth, ray) in out.depth_m[first..first + side].iter_mut().zip(rays) {
                let inverse = plane.x * ray[0] + plane.y * ray[1] + plane.z * ray[2];
                *depth = if owner == NOBODY {
                    0.0
                } else {
                    1.0 / inverse.max(1e-4)
                };
            }
        }
    }

    /// Adds the points of a pixel with several samples; returns what covers most of it.
    fn split_pixel(
        &mut self,
        table: &RayTable,
        geometry: &Geometry,
        owners: &[u32],
        (tile, first, pixel): (usize, usize, usize),
        centre: [f32; 3],
        visibility: &mut VisibilityCounts,
    ) -> u32 {
        let sampling = table.sampling;
        let samples = sampling * sampling;
        let owner = owners[first];
        let rows = owners[first..].chunks(TILE).take(sampling);
        if rows
            .flat_map(|row| &row[..sampling])
            .all(|&other| other == owner)
        {
            count_visible(geometry, owner, samples, visibility);
            self.found.push((
                owner,
                Point {
                    pixel: pixel as u32,
                    weight: 1.0,
                    ray: centre,
                },
            ));
            return owner;
        }
        // Samples of one material on one object are shaded once: facets of a body or of the ground are no edges.
        let mut groups = [(NOBODY, 0usize, 0usize); 16];
        let mut count = 0;
        for i in 0..samples {
            let sample = first + i / sampling * TILE + i % sampling;
            match groups[..count]
                .iter_mut()
                .find(|group| is_alike(geometry, group.0, owners[sample]))
            {
                Some(group) => group.1 += 1,
                None => {
                    groups[count] = (owners[sample], 1, sample);
                    count += 1;
                }
            }
        }
        let per_sample = 1.0 / samples as f32;
        let mut main = groups[0];
        for &group in &groups[..count] {
            let (owner, members, sample) = group;
            if members > main.1 {
                main = group;
            }
            count_visible(geometry, owner, members, visibility);
            let at = tile * TILE_AREA + sample;
            let ray = if members == samples {
                centre
            } else {
                [table.x[at], table.y[at], table.z[at]]
            };
            self.found.push((
                owner,
                Point {
                    pixel: pixel as u32,
                    weight: members as f32 * per_sample,
                    ray,
                },
            ));
        }
        main.0
    }

    /// Orders the points by owner, in the order in which owners appear.
    fn group(&mut self) {
        let mut last = 0;
        let Some(&(first, _)) = self.found.first() else {
            return;
        };
        self.owners.push((first, 0));
        // The owner field is replaced by the index of its span.
        for (owner, _) in &mut self.found {
            if self.owners[last].0 != *owner {
                last = match self.owners.iter().position(|span| span.0 == *owner) {
                    Some(index) => index,
                    None => {
                        self.owners.push((*owner, 0));
                        self.owners.len() - 1
                    }
                };
            }
            self.owners[last].1 += 1;
            *owner = last as u32;
        }
        self.starts.clear();
        let mut start = 0;
        for &(_, count) in &self.owners {
            self.starts.push(start);
            start += count;
        }
        self.points
            .resize(self.found.len().max(self.points.len()), Point::default());
        for (span, point) in &self.found {
            let at = &mut self.starts[*span as usize];
            self.points[*at as usize] = *point;
            *at += 1;
        }
    }
}

fn is_uniform(owners: &[u32]) -> bool {
    owners
        .iter()
        .fold(0, |differs, &owner| differs | (owner ^ owners[0]))
        == 0
}

fn is_alike(geometry: &Geometry, a: u32, b: u32) -> bool {
    if a == b {
        return true;
    }
    if a == NOBODY || b == NOBODY {
        return false;
    }
    let (a, b) = (
        &geometry.triangles[a as usize],
        &geometry.triangles[b as usize],
    );
    a.material == b.material && a.id == b.id
}

fn count_visible(
    geometry: &Geometry,
    owner: u32,
    samples: usize,
    visibility: &mut VisibilityCounts,
) {
    if owner != NOBODY {
        let id = geometry.triangles[owner as usize].id;
        if id != 0 {
            visibility.add_visible(id, samples as f32);
        }
    }
}

/// Distance and identity at the centre of a pixel.
fn truth(geometry: &Geometry, owner: u32, centre: [f32; 3]) -> (f32, u32) {
    if owner == NOBODY {
        return (0.0, 0);
    }
    let triangle = &geometry.triangles[owner as usize];
    (
        1.0 / triangle.plane.dot(&Vector3::from(centre)).max(1e-4),
        triangle.id,
    )
}
