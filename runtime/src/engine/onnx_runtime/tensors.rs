use ort::memory::Allocator;
use ort::session::{IoBinding, Session};
use ort::value::Tensor;

use crate::engine::{
    ElementType, EngineError, ImageSet, InputRole, InputSpec, NetworkInterface, OutputRole,
};

/// All memory of a network, on the CPU side.
pub(super) struct Tensors {
    images_name: String,
    images: [Tensor<f32>; 2],
    inputs: Vec<Input>,
    outputs: Vec<Output>,
}

struct Input {
    role: InputRole,
    name: String,
    values: Values,
    /// For each binding, whether the values may differ from what the device was given.
    has_changed: [bool; 2],
}

enum Values {
    F32(Tensor<f32>),
    I32(Tensor<i32>),
}

struct Output {
    role: OutputRole,
    name: String,
    values: Tensor<f32>,
}

impl Tensors {
    /// Takes all memory and fills it with zeros.
    pub(super) fn new(interface: &NetworkInterface) -> ort::Result<Self> {
        let allocator = Allocator::default();
        let is_images = |spec: &&InputSpec| spec.role == InputRole::Images;
        let images = interface
            .inputs()
            .iter()
            .find(is_images)
            .ok_or_else(|| ort::Error::new("the interface has no images"))?;
        let inputs = interface
            .inputs()
            .iter()
            .filter(|spec| !is_images(spec))
            .map(|spec| Input::new(&allocator, spec));
        let outputs = interface.outputs().iter().map(|spec| {
            Ok(Output {
                role: spec.role,
                name: spec.name.clone(),
                values: zeros(&allocator, &spec.shape)?,
            })
        });
        Ok(Self {
            images_name: images.name.clone(),
            images: [
                zeros(&allocator, &images.shape)?,
                zeros(&allocator, &images.shape)?,
            ],
            inputs: inputs.collect::<ort::Result<_>>()?,
            outputs: outputs.collect::<ort::Result<_>>()?,
        })
    }

    /// A binding of one image set and all other tensors.
    pub(super) fn bind(&mut self, session: &Session, set: ImageSet) -> ort::Result<IoBinding> {
        let mut binding = session.create_binding()?;
        binding.bind_input(self.images_name.as_str(), &self.images[set.index()])?;
        for input in &mut self.inputs {
            input.bind(&mut binding, set)?;
        }
        for output in &mut self.outputs {
            binding.bind_output(output.name.as_str(), &mut output.values)?;
        }
        Ok(binding)
    }

    /// Binds the images and all inputs that may have changed again.
    pub(super) fn bind_changed(
        &mut self,
        binding: &mut IoBinding,
        set: ImageSet,
    ) -> ort::Result<()> {
        binding.bind_input(self.images_name.as_str(), &self.images[set.index()])?;
        for input in &mut self.inputs {
            if input.has_changed[set.index()] {
                input.bind(binding, set)?;
            }
        }
        Ok(())
    }

    pub(super) fn images_mut(&mut self, set: ImageSet) -> &mut [f32] {
        self.images[set.index()].extract_tensor_mut().1
    }

    pub(super) fn f32_mut(&mut self, role: InputRole) -> Result<&mut [f32], EngineError> {
        match &mut self.input_mut(role)?.values {
            Values::F32(tensor) => Ok(tensor.extract_tensor_mut().1),
            Values::I32(_) => Err(EngineError::NoSuchTensor),
        }
    }

    pub(super) fn i32_mut(&mut self, role: InputRole) -> Result<&mut [i32], EngineError> {
        match &mut self.input_mut(role)?.values {
            Values::I32(tensor) => Ok(tensor.extract_tensor_mut().1),
            Values::F32(_) => Err(EngineError::NoSuchTensor),
        }
    }

    pub(super) fn output(&self, role: OutputRole) -> Result<&[f32], EngineError> {
        self.outputs
            .iter()
            .find(|output| output.role == role)
            .map(|output| output.values.extract_tensor().1)
            .ok_or(EngineError::NoSuchTensor)
    }

    fn input_mut(&mut self, role: InputRole) -> Result<&mut Input, EngineError> {
        let input = self
            .inputs
            .iter_mut()
            .find(|input| input.role == role)
            .ok_or(EngineError::NoSuchTensor)?;
        input.has_changed = [true; 2];
        Ok(input)
    }
}

impl Input {
    fn new(allocator: &Allocator, spec: &InputSpec) -> ort::Result<Self> {
        Ok(Self {
            role: spec.role,
            name: spec.name.clone(),
            values: match spec.element {
                ElementType::F32 => Values::F32(zeros(allocator, &spec.shape)?),
                ElementType::I32 => Values::I32(zeros(allocator, &spec.shape)?),
            },
            has_changed: [false; 2],
        })
    }

    fn bind(&mut self, binding: &mut IoBinding, set: ImageSet) -> ort::Result<()> {
        match &self.values {
            Values::F32(tensor) => binding.bind_input(self.name.as_str(), tensor)?,
            Values::I32(tensor) => binding.bind_input(self.name.as_str(), tensor)?,
        }
        self.has_changed[set.index()] = false;
        Ok(())
    }
}

fn zeros<T>(allocator: &Allocator, shape: &[usize]) -> ort::Result<Tensor<T>>
where
    T: ort::value::PrimitiveTensorElementType + std::fmt::Debug + Copy + Default,
{
    let mut tensor = Tensor::<T>::new(allocator, shape.to_vec())?;
    tensor.extract_tensor_mut().1.fill(T::default());
    Ok(tensor)
}
