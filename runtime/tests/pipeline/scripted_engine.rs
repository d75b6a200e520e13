//! An engine without a network: a function of the inputs, for tests that need no ONNX Runtime.

use bevrt_runtime::{
    ElementType, Engine, EngineError, ImageSet, InputRole, MapRing, NetworkInterface, OutputRole,
    Provider,
};

/// What a script sees and writes.
pub struct Tensors {
    pub images: [Vec<f32>; 2],
    pub floats: Vec<(InputRole, Vec<f32>)>,
    pub indices: Vec<(InputRole, Vec<i32>)>,
    pub outputs: Vec<(OutputRole, Vec<f32>)>,
}

impl Tensors {
    pub fn output_mut(&mut self, role: OutputRole) -> &mut [f32] {
        &mut self
            .outputs
            .iter_mut()
            .find(|(of, _)| *of == role)
            .expect("it is promised")
            .1
    }
}

type Script = Box<dyn FnMut(&mut Tensors, ImageSet) -> Result<(), EngineError> + Send>;

pub struct ScriptedEngine {
    interface: NetworkInterface,
    tensors: Tensors,
    script: Script,
}

impl ScriptedEngine {
    pub fn new(
        interface: NetworkInterface,
        script: impl FnMut(&mut Tensors, ImageSet) -> Result<(), EngineError> + Send + 'static,
    ) -> Self {
        let mut tensors = Tensors {
            images: [Vec::new(), Vec::new()],
            floats: Vec::new(),
            indices: Vec::new(),
            outputs: Vec::new(),
        };
        for input in interface.inputs() {
            let len = input.shape.iter().product();
            match (input.role, input.element) {
                (InputRole::Images, _) => tensors.images = [vec![0.0; len], vec![0.0; len]],
                (role, ElementType::F32) => tensors.floats.push((role, vec![0.0; len])),
                (role, ElementType::I32) => tensors.indices.push((role, vec![0; len])),
            }
        }
        for output in interface.outputs() {
            let len = output.shape.iter().product();
            tensors.outputs.push((output.role, vec![0.0; len]));
        }
        Self {
            interface,
            tensors,
            script: Box::new(script),
        }
    }
}

fn find<T>(tensors: &mut [(InputRole, Vec<T>)], role: InputRole) -> Result<&mut [T], EngineError> {
    tensors
        .iter_mut()
        .find(|(of, _)| *of == role)
        .map(|(_, values)| values.as_mut_slice())
        .ok_or(EngineError::NoSuchTensor)
}

impl Engine for ScriptedEngine {
    fn interface(&self) -> &NetworkInterface {
        &self.interface
    }

    fn provider(&self) -> &Provider {
        &Provider::Cpu
    }

    fn images_mut(&mut self, set: ImageSet) -> &mut [f32] {
        &mut self.tensors.images[set.index()]
    }

    fn input_mut(&mut self, role: InputRole) -> Result<&mut [f32], EngineError> {
        find(&mut self.tensors.floats, role)
    }

    fn index_mut(&mut self, role: InputRole) -> Result<&mut [i32], EngineError> {
        find(&mut self.tensors.indices, role)
    }

    fn map_ring(&mut self) -> Option<&mut dyn MapRing> {
        None
    }

    fn run(&mut self, images: ImageSet) -> Result<(), EngineError> {
        (self.script)(&mut self.tensors, images)
    }

    fn output(&self, role: OutputRole) -> Result<&[f32], EngineError> {
        self.tensors
            .outputs
            .iter()
            .find(|(of, _)| *of == role)
            .map(|(_, values)| values.as_slice())
            .ok_or(EngineError::NoSuchTensor)
    }

    fn last_failure(&self) -> Option<&str> {
        None
    }
}
