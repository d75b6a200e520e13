use ort::memory::Allocator;
use ort::session::{IoBinding, Session};
use ort::value::Tensor;

use super::ring::RingEnds;
use crate::engine::{
    ElementType, EngineError, ImageSet, InputRole, InputSpec, NetworkInterface, OutputRole,
};

/// Where the network reads and writes.
pub(super) enum Place<'a> {
    /// In the tensors that are handed out.
    Here,
    /// In copies that the provider makes when an input is bound.
    Copies,
    /// In tensors of the device that never move, to which inputs are copied before a run and from
    /// which outputs are copied after it. A captured graph needs that.
    Device(&'a Allocator),
}

/// All memory of a network.
pub(super) struct Tensors {
    images_name: String,
    images: [Tensor<f32>; 2],
    /// One for both sets, so that a captured graph serves both.
    device_images: Option<Tensor<f32>>,
    inputs: Vec<Input>,
    outputs: Vec<Output>,
    makes_copies: bool,
}

struct Input {
    role: InputRole,
    name: String,
    values: Values,
    on_device: Option<Values>,
    /// Whether it is written on the device itself, so that nothing is brought there.
    is_kept: bool,
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
    on_device: Option<Tensor<f32>>,
    /// Whether it stays on the device until somebody asks for it.
    is_kept: bool,
    /// Whether `values` are those of the last run.
    is_here: bool,
}

impl Tensors {
    /// Takes all memory and fills what is handed out with zeros.
    pub(super) fn new(interface: &NetworkInterface, place: &Place<'_>) -> ort::Result<Self> {
        let allocator = Allocator::default();
        let device = match place {
            Place::Device(allocator) => Some(*allocator),
            Place::Here | Place::Copies => None,
        };
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
            .map(|spec| Input::new(&allocator, device, spec));
        let outputs = interface.outputs().iter().map(|spec| {
            Ok(Output {
                role: spec.role,
                name: spec.name.clone(),
                values: zeros(&allocator, &spec.shape)?,
                on_device: on_device(device, &spec.shape)?,
                is_kept: false,
                is_here: true,
            })
        });
        Ok(Self {
            images_name: images.name.clone(),
            images: [
                zeros(&allocator, &images.shape)?,
                zeros(&allocator, &images.shape)?,
            ],
            device_images: on_device(device, &images.shape)?,
            makes_copies: matches!(place, Place::Copies),
            inputs: inputs.collect::<ort::Result<_>>()?,
            outputs: outputs.collect::<ort::Result<_>>()?,
        })
    }

    /// A binding of one image set and all other tensors.
    pub(super) fn bind(&mut self, session: &Session, set: ImageSet) -> ort::Result<IoBinding> {
        let mut binding = session.create_binding()?;
        let images = self.device_images.as_ref();
        let images = images.unwrap_or(&self.images[set.index()]);
        binding.bind_input(self.images_name.as_str(), images)?;
        for input in &mut self.inputs {
            input.bind(&mut binding, set)?;
        }
        for output in &mut self.outputs {
            let values = output.on_device.as_mut().unwrap_or(&mut output.values);
            binding.bind_output(output.name.as_str(), values)?;
        }
        Ok(binding)
    }

    /// Gives the device what it has not seen of this image set and the inputs.
    pub(super) fn upload(&mut self, binding: &mut IoBinding, set: ImageSet) -> ort::Result<()> {
        if self.makes_copies {
            return self.bind_changed(binding, set);
        }
        if let Some(images) = &mut self.device_images {
            self.images[set.index()].copy_into(images)?;
        }
        for input in &mut self.inputs {
            input.upload()?;
        }
        Ok(())
    }

    /// Brings the outputs back from the device.
    pub(super) fn download(&mut self) -> ort::Result<()> {
        for output in &mut self.outputs {
            output.is_here = output.on_device.is_none() || !output.is_kept;
            if output.is_here {
                output.bring()?;
            }
        }
        Ok(())
    }

    /// The network's map and its history, where the network gives and takes them.
    pub(super) fn ring_ends(&mut self) -> ort::Result<RingEnds<'_>> {
        let map = self
            .outputs
            .iter()
            .find(|output| output.role == OutputRole::Bev)
            .map(|output| output.on_device.as_ref().unwrap_or(&output.values));
        let history = self
            .inputs
            .iter_mut()
            .find(|input| input.role == InputRole::History)
            .map(|input| input.on_device.as_mut().unwrap_or(&mut input.values));
        match (map, history) {
            (Some(map), Some(Values::F32(history))) => Ok(RingEnds { map, history }),
            _ => Err(ort::Error::new("the network has no map and history")),
        }
    }

    /// From now on the history is written, and the map read, where the network has them.
    pub(super) fn keep_history(&mut self) {
        for input in &mut self.inputs {
            input.is_kept = input.role == InputRole::History;
        }
        for output in &mut self.outputs {
            output.is_kept = output.role == OutputRole::Bev;
        }
    }

    /// Changes the network's map where it is.
    pub(super) fn change_map(&mut self, change: &mut dyn FnMut(&mut [f32])) -> ort::Result<()> {
        for output in &mut self.outputs {
            if output.role == OutputRole::Bev {
                change(output.values.extract_tensor_mut().1);
                if let Some(to) = &mut output.on_device {
                    output.values.copy_into(to)?;
                }
            }
        }
        Ok(())
    }

    /// Brings the map of the last run here.
    pub(super) fn bring_map(&mut self) -> ort::Result<()> {
        for output in &mut self.outputs {
            if !output.is_here {
                output.bring()?;
                output.is_here = true;
            }
        }
        Ok(())
    }

    /// Brings the history here as the network has it.
    pub(super) fn bring_history(&mut self) -> ort::Result<&[f32]> {
        for input in &mut self.inputs {
            if let (InputRole::History, Values::F32(values)) = (input.role, &mut input.values) {
                if let Some(Values::F32(from)) = &input.on_device {
                    from.copy_into(&mut *values)?;
                }
                return Ok(values.extract_tensor().1);
            }
        }
        Err(ort::Error::new("the network has no history"))
    }

    /// Binds the images and all inputs that may have changed again.
    fn bind_changed(&mut self, binding: &mut IoBinding, set: ImageSet) -> ort::Result<()> {
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
        let output = self.outputs.iter().find(|output| output.role == role);
        let output = output.ok_or(EngineError::NoSuchTensor)?;
        if output.is_here {
            Ok(output.values.extract_tensor().1)
        } else {
            Err(EngineError::Kept)
        }
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
    fn new(
        allocator: &Allocator,
        device: Option<&Allocator>,
        spec: &InputSpec,
    ) -> ort::Result<Self> {
        let shape = &spec.shape;
        let (values, on_device) = match spec.element {
            ElementType::F32 => (
                Values::F32(zeros(allocator, shape)?),
                on_device(device, shape)?.map(Values::F32),
            ),
            ElementType::I32 => (
                Values::I32(zeros(allocator, shape)?),
                on_device(device, shape)?.map(Values::I32),
            ),
        };
        Ok(Self {
            role: spec.role,
            name: spec.name.clone(),
            values,
            on_device,
            is_kept: false,
            has_changed: [true; 2],
        })
    }

    fn upload(&mut self) -> ort::Result<()> {
        let Some(to) = &mut self.on_device else {
            return Ok(());
        };
        if self.is_kept || !std::mem::take(&mut self.has_changed).contains(&true) {
            return Ok(());
        }
        match (&self.values, to) {
            (Values::F32(from), Values::F32(to)) => from.copy_into(to),
            (Values::I32(from), Values::I32(to)) => from.copy_into(to),
            (Values::F32(_), Values::I32(_)) | (Values::I32(_), Values::F32(_)) => {
                Err(ort::Error::new("an input has two types"))
            }
        }
    }

    fn bind(&mut self, binding: &mut IoBinding, set: ImageSet) -> ort::Result<()> {
        match self.on_device.as_ref().unwrap_or(&self.values) {
            Values::F32(tensor) => binding.bind_input(self.name.as_str(), tensor)?,
            Values::I32(tensor) => binding.bind_input(self.name.as_str(), tensor)?,
        }
        if self.on_device.is_none() {
            self.has_changed[set.index()] = false;
        }
        Ok(())
    }
}

impl Output {
    fn bring(&mut self) -> ort::Result<()> {
        match &self.on_device {
            Some(from) => from.copy_into(&mut self.values),
            None => Ok(()),
        }
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

/// Memory of the device, if there is one; what it holds is not defined.
fn on_device<T>(device: Option<&Allocator>, shape: &[usize]) -> ort::Result<Option<Tensor<T>>>
where
    T: ort::value::PrimitiveTensorElementType + std::fmt::Debug,
{
    device
        .map(|allocator| Tensor::<T>::new(allocator, shape.to_vec()))
        .transpose()
}
