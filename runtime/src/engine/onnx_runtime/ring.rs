//! A ring of past maps in the memory of a provider, and the graphs that fill and read it.

mod check;
mod graphs;

use half::f16;
use ort::memory::Allocator;
use ort::session::{IoBinding, Session};
use ort::value::{PrimitiveTensorElementType, Shape, Tensor, TensorRefMut};

use crate::align::GridAffine;
use crate::manifest::{QueueSection, QueueStorage};

pub(super) use check::{RingAccess, RingProblem, check};
use graphs::{RingShape, align_graph, store_graph};

/// The ends of a ring: what the network gives and what it takes, in tensors that never move.
pub(super) struct RingEnds<'a> {
    /// The network's map.
    pub map: &'a Tensor<f32>,
    /// The network's history.
    pub history: &'a mut Tensor<f32>,
}

/// The ring. Nothing of it crosses to the host but whether a map is finite.
pub(super) struct Ring {
    shape: RingShape,
    store: Session,
    /// For each place: from the network's map to it.
    into_place: Vec<IoBinding>,
    /// Zero after a finite map was stored. On the host.
    rest: Tensor<f32>,
    align: Session,
    into_history: IoBinding,
    sources: Tensor<f32>,
    /// Where they are copied for the graph, unless it reads them on the host.
    device_sources: Option<Tensor<f32>>,
    /// What the bindings point into.
    _maps: Stored,
}

/// All places, one after the other.
enum Stored {
    Half { _values: Tensor<f16> },
    Levels { _values: Tensor<u8> },
}

impl Ring {
    /// Takes all memory: on the device, or on the host where there is none.
    pub(super) fn new(
        section: &QueueSection,
        ends: RingEnds<'_>,
        device: Option<&Allocator>,
        open: impl Fn(&[u8]) -> ort::Result<Session>,
    ) -> ort::Result<Self> {
        let shape = RingShape::of(section);
        let host = Allocator::default();
        let device_sources = device
            .map(|allocator| Tensor::new(allocator, shape.sources()))
            .transpose()?;
        let mut parts = Parts {
            shape,
            store: open(&store_graph(&shape, section.storage))?,
            align: open(&align_graph(&shape, section.storage))?,
            ends,
            rest: Tensor::new(&host, [0_usize; 0])?,
            sources: Tensor::new(&host, shape.sources())?,
            device_sources,
        };
        let memory = device.unwrap_or(&host);
        let (into_place, into_history, maps) = match section.storage {
            QueueStorage::F16 => {
                let (places, history, values) = parts.bind::<f16>(memory)?;
                (places, history, Stored::Half { _values: values })
            }
            QueueStorage::U8 { .. } => {
                let (places, history, values) = parts.bind::<u8>(memory)?;
                (places, history, Stored::Levels { _values: values })
            }
        };
        let Parts {
            store,
            align,
            rest,
            sources,
            device_sources,
            ..
        } = parts;
        Ok(Self {
            shape,
            store,
            into_place,
            rest,
            align,
            into_history,
            sources,
            device_sources,
            _maps: maps,
        })
    }

    /// Stores the network's map as it stands; whether it is finite. The place after the last one of
    /// the queue is the one that must be zero.
    pub(super) fn store(&mut self, place: usize) -> ort::Result<bool> {
        let binding = self
            .into_place
            .get(place)
            .ok_or_else(|| ort::Error::new("the ring has no such place"))?;
        self.store.run_binding(binding)?;
        let (_, rest) = self.rest.extract_tensor();
        Ok(rest.iter().all(|rest| rest.is_finite()))
    }

    /// Writes the network's history.
    pub(super) fn align(&mut self, sources: &[Option<(usize, GridAffine)>]) -> ort::Result<()> {
        let RingShape { slots, places, .. } = self.shape;
        let (_, values) = self.sources.extract_tensor_mut();
        for slot in 0..slots {
            let source = sources.get(slot).copied().flatten();
            let (place, affine) = source.unwrap_or((places, GridAffine::IDENTITY));
            if place > places {
                return Err(ort::Error::new("the ring has no such place"));
            }
            let GridAffine { row, col } = affine;
            // A place is a small whole number.
            let told = row.into_iter().chain(col).chain([place as f32]);
            for (which, value) in told.enumerate() {
                values[which * slots + slot] = value;
            }
        }
        if let Some(on_device) = &mut self.device_sources {
            self.sources.copy_into(on_device)?;
        }
        self.align.run_binding(&self.into_history)?;
        Ok(())
    }
}

/// What is bound together.
struct Parts<'a> {
    shape: RingShape,
    store: Session,
    align: Session,
    ends: RingEnds<'a>,
    rest: Tensor<f32>,
    sources: Tensor<f32>,
    device_sources: Option<Tensor<f32>>,
}

impl Parts<'_> {
    fn bind<T: PrimitiveTensorElementType + std::fmt::Debug>(
        &mut self,
        memory: &Allocator,
    ) -> ort::Result<(Vec<IoBinding>, IoBinding, Tensor<T>)> {
        let shape = self.shape;
        let mut maps = Tensor::<T>::new(memory, shape.ring())?;
        let place = shape.place();
        let stride = shape.place_stride() * shape.channels;
        let into_place = (0..=shape.places).map(|index| {
            let mut binding = self.store.create_binding()?;
            binding.bind_input("map", self.ends.map)?;
            binding.bind_output("place", view(&mut maps, index * stride, &place)?)?;
            binding.bind_output("rest", &mut self.rest)?;
            Ok(binding)
        });
        let into_place = into_place.collect::<ort::Result<Vec<_>>>()?;
        let mut into_history = self.align.create_binding()?;
        into_history.bind_input("ring", &maps)?;
        into_history.bind_input(
            "sources",
            self.device_sources.as_ref().unwrap_or(&self.sources),
        )?;
        // The network's shape has slots and channels in one, and a batch.
        let history = view(self.ends.history, 0, &shape.history())?;
        into_history.bind_output("history", history)?;
        Ok((into_place, into_history, maps))
    }
}

/// A part of a tensor's memory, from element `first` on, as a tensor of another shape.
fn view<T: PrimitiveTensorElementType + std::fmt::Debug>(
    tensor: &mut Tensor<T>,
    first: usize,
    shape: &[usize],
) -> ort::Result<TensorRefMut<'static, T>> {
    let len = shape.iter().product::<usize>();
    let whole = tensor.shape().num_elements();
    if first + len > whole {
        return Err(ort::Error::new(format!(
            "a view of {len} values from {first} on: expected at most {whole} values"
        )));
    }
    let info = tensor.memory_info().to_owned();
    let data = tensor.data_ptr_mut().cast::<T>().wrapping_add(first);
    let shape = Shape::new(shape.iter().map(|&dimension| dimension as i64));
    // SAFETY:
    // - the memory is that of `tensor`, of which `info` tells the place, and the view lies within it:
    //   checked above.
    // - it outlives the view: `Ring` keeps the ring's tensor beside the bindings that hold views of
    //   it, and the network's tensors are kept by `OnnxRuntime`, which runs nothing once it is
    //   dropped; a view reads and writes only in a run.
    unsafe { TensorRefMut::from_raw(info, data.cast(), shape) }
}

#[cfg(test)]
mod tests;
