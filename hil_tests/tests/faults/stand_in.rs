//! An engine with the tensors of a network and none of its cost: it shows one car, whose length follows
//! from the levels of all images, and the map of the queue follows from them, too.

use bevrt_runtime::{
    ElementType, Engine, EngineError, ImageSet, InputRole, Manifest, MapRing, NetworkInterface,
    OutputRole, Provider,
};

/// Beyond every threshold, and far below.
const SURE: f32 = 4.0;
const NEVER: f32 = -12.0;

/// See the module.
pub struct StandIn {
    interface: NetworkInterface,
    images: [Vec<f32>; 2],
    floats: Vec<(InputRole, Vec<f32>)>,
    indices: Vec<(InputRole, Vec<i32>)>,
    outputs: Vec<(OutputRole, Vec<f32>)>,
    /// Called when a run begins.
    pub before_run: Box<dyn FnMut() + Send>,
    /// Place of the heat of one car in the objects' output, and the size of a channel.
    car: usize,
    cells: usize,
}

impl StandIn {
    /// For the network that `manifest` describes, whose first head has dense objects, and a rig of
    /// `cameras` cameras. The car stands at `car`, shares of the rows and columns of that head.
    pub fn new(manifest: &Manifest, cameras: usize, car: [f64; 2]) -> Self {
        let interface = NetworkInterface::new(manifest, cameras);
        let mut images = [Vec::new(), Vec::new()];
        let (mut floats, mut indices) = (Vec::new(), Vec::new());
        for input in interface.inputs() {
            let len = input.shape.iter().product();
            match (input.role, input.element) {
                (InputRole::Images, _) => images = [vec![0.0; len], vec![0.0; len]],
                (role, ElementType::F32) => floats.push((role, vec![0.0; len])),
                (role, ElementType::I32) => indices.push((role, vec![0; len])),
            }
        }
        let mut outputs = Vec::new();
        let (mut car_cell, mut cells) = (0, 1);
        for output in interface.outputs() {
            let len = output.shape.iter().product();
            let value = if output.role == OutputRole::Bev {
                0.0
            } else {
                NEVER
            };
            outputs.push((output.role, vec![value; len]));
            if output.role == OutputRole::Head(0) {
                let [rows, cols] = [output.shape[2], output.shape[3]];
                cells = rows * cols;
                let at = |share: f64, count: usize| (share * count as f64) as usize;
                car_cell = at(car[0], rows) * cols + at(car[1], cols);
            }
        }
        Self {
            interface,
            images,
            floats,
            indices,
            outputs,
            before_run: Box::new(|| {}),
            car: car_cell,
            cells,
        }
    }
}

fn find<T>(tensors: &mut [(InputRole, Vec<T>)], role: InputRole) -> Result<&mut [T], EngineError> {
    let found = tensors.iter_mut().find(|(of, _)| *of == role);
    found
        .map(|(_, values)| values.as_mut_slice())
        .ok_or(EngineError::NoSuchTensor)
}

impl Engine for StandIn {
    fn interface(&self) -> &NetworkInterface {
        &self.interface
    }

    fn provider(&self) -> &Provider {
        &Provider::Cpu
    }

    fn images_mut(&mut self, set: ImageSet) -> &mut [f32] {
        &mut self.images[set.index()]
    }

    fn input_mut(&mut self, role: InputRole) -> Result<&mut [f32], EngineError> {
        find(&mut self.floats, role)
    }

    fn index_mut(&mut self, role: InputRole) -> Result<&mut [i32], EngineError> {
        find(&mut self.indices, role)
    }

    fn map_ring(&mut self) -> Option<&mut dyn MapRing> {
        None
    }

    fn run(&mut self, images: ImageSet) -> Result<(), EngineError> {
        (self.before_run)();
        let images = &self.images[images.index()];
        let mean = images.iter().sum::<f32>() / images.len() as f32;
        for (role, values) in &mut self.outputs {
            match role {
                OutputRole::Bev => values.fill(0.01 * mean),
                OutputRole::Head(0) => {
                    values[8 * self.cells..].fill(0.0);
                    values[self.car] = SURE;
                    values[11 * self.cells + self.car] = 4.5_f32.ln() + 0.1 * mean;
                    values[12 * self.cells + self.car] = 1.8_f32.ln();
                    values[13 * self.cells + self.car] = 1.5_f32.ln();
                    values[15 * self.cells + self.car] = 1.0;
                }
                OutputRole::Head(_) | OutputRole::HeadValues(_) => {}
            }
        }
        Ok(())
    }

    fn output(&self, role: OutputRole) -> Result<&[f32], EngineError> {
        let found = self.outputs.iter().find(|(of, _)| *of == role);
        found
            .map(|(_, values)| values.as_slice())
            .ok_or(EngineError::NoSuchTensor)
    }

    fn last_failure(&self) -> Option<&str> {
        None
    }
}
