//! The few shapes that the picture is made of.

use std::fmt::Write as _;

use super::{FAINT, PAPER};

/// A rectangle, pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Frame {
    pub(super) const fn new(x: f64, y: f64, width: f64, height: f64) -> Self {
        Self {
            x,
            y,
            width,
            height,
        }
    }

    pub(super) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y + self.height
    }

    /// The same size, further right.
    pub(super) fn moved(self, by: f64) -> Self {
        Self {
            x: self.x + by,
            ..self
        }
    }

    /// What margins leave.
    pub(super) fn inset(self, left: f64, top: f64, right: f64, bottom: f64) -> Self {
        Self {
            x: self.x + left,
            y: self.y + top,
            width: self.width - left - right,
            height: self.height - top - bottom,
        }
    }
}

/// Which end of a text stands at its place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    size: f64,
    colour: &'static str,
    is_bold: bool,
    anchor: Anchor,
}

impl Text {
    pub(super) const fn new(size: f64, colour: &'static str) -> Self {
        Self {
            size,
            colour,
            is_bold: false,
            anchor: Anchor::Start,
        }
    }

    pub(super) const fn bold(self) -> Self {
        Self {
            is_bold: true,
            ..self
        }
    }

    pub(super) const fn anchored(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }
}

/// A picture that grows shape by shape. Writing into a string does not fail.
pub(super) struct Svg {
    text: String,
}

impl Svg {
    pub(super) fn new(width: f64, height: f64) -> Self {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             font-family=\"Inter, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif\">"
        );
        let _ = writeln!(
            text,
            "<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>"
        );
        Self { text }
    }

    pub(super) fn finish(mut self) -> String {
        self.text += "</svg>\n";
        self.text
    }

    /// The ground of a panel.
    pub(super) fn panel(&mut self, frame: Frame) {
        let Frame {
            x,
            y,
            width,
            height,
        } = frame;
        let _ = writeln!(
            self.text,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"10\" fill=\"{PAPER}\" stroke=\"{FAINT}\"/>"
        );
    }

    pub(super) fn rectangle(&mut self, frame: Frame, colour: &str, opacity: f64) {
        let Frame {
            x,
            y,
            width,
            height,
        } = frame;
        let width = width.max(0.0);
        let _ = writeln!(
            self.text,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"2\" fill=\"{colour}\" fill-opacity=\"{opacity}\"/>"
        );
    }

    pub(super) fn line(&mut self, from: [f64; 2], to: [f64; 2], colour: &str, width: f64) {
        let ([x1, y1], [x2, y2]) = (from, to);
        let _ = writeln!(
            self.text,
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\"/>"
        );
    }

    pub(super) fn dashed(&mut self, from: [f64; 2], to: [f64; 2], colour: &str) {
        let ([x1, y1], [x2, y2]) = (from, to);
        let _ = writeln!(
            self.text,
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\" stroke-width=\"1.5\" stroke-dasharray=\"6 4\"/>"
        );
    }

    pub(super) fn dot(&mut self, [x, y]: [f64; 2], colour: &str) {
        let _ = writeln!(
            self.text,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.4\" fill=\"{colour}\" fill-opacity=\"0.75\"/>"
        );
    }

    /// A closed area with an outline along its upper side.
    pub(super) fn area(&mut self, points: &[[f64; 2]], ground_y: f64, colour: &str) {
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return;
        };
        let mut path = String::new();
        for [x, y] in points {
            let _ = write!(path, "{x:.1},{y:.1} ");
        }
        let (left, right) = (first[0], last[0]);
        let _ = writeln!(
            self.text,
            "<polygon points=\"{left:.1},{ground_y:.1} {path}{right:.1},{ground_y:.1}\" fill=\"{colour}\" fill-opacity=\"0.16\"/>\
             <polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\"/>"
        );
    }

    pub(super) fn text(&mut self, x: f64, y: f64, text: &str, look: Text) {
        let anchor = match look.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let weight = if look.is_bold { 600 } else { 400 };
        let (size, colour) = (look.size, look.colour);
        let _ = writeln!(
            self.text,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" font-weight=\"{weight}\" fill=\"{colour}\" text-anchor=\"{anchor}\">{}</text>",
            escaped(text)
        );
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
