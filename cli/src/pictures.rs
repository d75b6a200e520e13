//! `bevrt pictures`: frames of a simulated drive as one PNG sheet each, ground truth drawn in.

use crate::demo::elements::Elements;
use crate::demo::overlay::{self, ImageLine};
use crate::failure::Failure;
use crate::rig;
use bevrt_calibration::{Camera, PixelRect, Rig};
use bevrt_hil::FrameTruth;
use bevrt_runtime::Stamp;
use bevrt_sim::{
    Drive, DriveOptions, Observer, RenderConfig, RenderedImage, Renderer, VisibilityMemory,
};
use clap::Args;
use image::{Rgb, RgbImage};
use std::path::PathBuf;

/// Options of `bevrt pictures`.
#[derive(Args)]
pub struct PicturesArguments {
    /// Seed of the drive
    #[arg(long)]
    seed: u64,
    /// Seconds into the drive, one sheet each
    #[arg(long, value_delimiter = ',', default_value = "2.0")]
    at: Vec<f64>,
    #[arg(long, default_value = "six-pinhole", help = rig::RIG_HELP)]
    rig: String,
    /// Width of each camera's picture
    #[arg(long, default_value_t = 640)]
    width: u32,
    /// Without ground truth
    #[arg(long)]
    plain: bool,
    /// Folder of the pictures
    #[arg(long, default_value = "out/pictures")]
    out: PathBuf,
}

/// Renders the sheets.
pub fn run(arguments: &PicturesArguments) -> Result<(), Failure> {
    std::fs::create_dir_all(&arguments.out)?;
    let rig = scaled(&rig::resolve(&arguments.rig)?, arguments.width)?;
    let last_s = arguments.at.iter().copied().fold(0.0, f64::max);
    let drive = Drive::new(
        arguments.seed,
        &rig,
        DriveOptions {
            duration_s: last_s + 1.0,
            ..DriveOptions::default()
        },
    );
    let renderer = Renderer::new(RenderConfig::FULL_SIZE).with_threads(2);
    let mut observer = Observer::new(rig.clone(), 352, renderer);
    let mut memory = VisibilityMemory::new();
    for &t_s in &arguments.at {
        let mut truth = observer.observe(&drive, t_s);
        memory.observe(&mut truth);
        let elements = Elements::from(&FrameTruth::from_simulated(
            Stamp::from_seconds(t_s),
            &truth,
        ));
        let pictures = rig
            .cameras()
            .iter()
            .zip(observer.images())
            .map(|(camera, image)| {
                let lines = if arguments.plain {
                    Vec::new()
                } else {
                    overlay::project(&elements, camera, 1.0)
                };
                drawn(image, &lines)
            });
        let sheet = sheet(&rig, &pictures.collect::<Vec<_>>());
        let path = arguments
            .out
            .join(format!("seed{}_{t_s:05.2}s.png", arguments.seed));
        sheet
            .save(&path)
            .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
        println!("{} ({:?})", path.display(), drive.condition());
    }
    Ok(())
}

/// The same cameras with pictures `width` wide.
pub fn scaled(rig: &Rig, width: u32) -> Result<Rig, Failure> {
    let cameras = rig.cameras().iter().map(|camera| {
        let lens = &camera.intrinsics;
        let height = (width * lens.height() / lens.width()).next_multiple_of(2);
        let whole = PixelRect {
            x: 0.0,
            y: 0.0,
            width: lens.width().into(),
            height: lens.height().into(),
        };
        Camera {
            intrinsics: lens.cropped_and_scaled(whole, width, height),
            ..camera.clone()
        }
    });
    Ok(Rig::new(cameras.collect(), rig.reference())?)
}

/// Colours as on the demo page.
fn colour(kind: &str) -> Rgb<u8> {
    match kind {
        "vehicle" => Rgb([41, 182, 246]),
        "two_wheeler" => Rgb([171, 125, 248]),
        "person" => Rgb([255, 112, 67]),
        "cone" => Rgb([255, 179, 0]),
        "lane_yellow" => Rgb([255, 213, 79]),
        "road_edge" => Rgb([102, 187, 106]),
        "arrow" => Rgb([0, 229, 192]),
        "crosswalk" => Rgb([240, 98, 146]),
        "stop_line" => Rgb([239, 83, 80]),
        _ => Rgb([255, 255, 255]),
    }
}

fn drawn(image: &RenderedImage, lines: &[ImageLine]) -> RgbImage {
    let mut picture = RgbImage::from_raw(image.width, image.height, image.rgb.clone())
        .expect("a rendered image holds three bytes a pixel");
    for line in lines {
        let points: Vec<_> = line.points.chunks_exact(2).map(|p| (p[0], p[1])).collect();
        for pair in points.windows(2) {
            stroke(&mut picture, pair[0], pair[1], colour(line.kind));
        }
    }
    picture
}

/// A line one pixel wide.
fn stroke(picture: &mut RgbImage, from: (f64, f64), to: (f64, f64), colour: Rgb<u8>) {
    let steps = (to.0 - from.0)
        .abs()
        .max((to.1 - from.1).abs())
        .ceil()
        .clamp(1.0, 4000.0);
    for step in 0..=steps as u32 {
        let share = f64::from(step) / steps;
        let (x, y) = (
            from.0 + (to.0 - from.0) * share,
            from.1 + (to.1 - from.1) * share,
        );
        if x >= 0.0 && y >= 0.0 && x < picture.width().into() && y < picture.height().into() {
            picture.put_pixel(x as u32, y as u32, colour);
        }
    }
}

/// Front cameras above, back cameras below, as a driver would look around.
fn sheet(rig: &Rig, pictures: &[RgbImage]) -> RgbImage {
    let order = [
        "front_left",
        "front",
        "front_right",
        "back_left",
        "back",
        "back_right",
    ];
    let mut indices: Vec<_> = order.iter().filter_map(|name| rig.index_of(name)).collect();
    if indices.len() != pictures.len() {
        indices = (0..pictures.len()).collect();
    }
    let columns = if pictures.len() > 4 { 3 } else { 2 };
    let (width, height) = pictures[0].dimensions();
    let rows = pictures.len().div_ceil(columns) as u32;
    let mut sheet = RgbImage::new(width * columns as u32, height * rows);
    for (place, index) in indices.into_iter().enumerate() {
        let (column, row) = ((place % columns) as u32, (place / columns) as u32);
        image::imageops::replace(
            &mut sheet,
            &pictures[index],
            (column * width).into(),
            (row * height).into(),
        );
    }
    sheet
}
