use heapless::Vec;

/// The strongest `N` of all items that were offered, strongest first.
///
/// Equal items keep the order in which they were offered.
#[derive(Debug)]
pub(super) struct Ranked<T, const N: usize> {
    items: Vec<(f32, T), N>,
}

impl<T: Copy, const N: usize> Ranked<T, N> {
    pub(super) const fn new() -> Self {
        Self { items: Vec::new() }
    }

    pub(super) fn clear(&mut self) {
        self.items.clear();
    }

    /// Keeps the item if it is among the strongest; `strength` is finite.
    pub(super) fn offer(&mut self, strength: f32, item: T) {
        if self.items.is_full() {
            match self.items.last() {
                Some((weakest, _)) if *weakest < strength => {
                    self.items.pop();
                }
                Some(_) | None => return,
            }
        }
        let place = self.items.partition_point(|(other, _)| *other >= strength);
        // There is room: a full list has just given up its weakest item.
        let _ = self.items.insert(place, (strength, item));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (f32, T)> {
        self.items.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::Ranked;

    #[test]
    fn the_strongest_are_kept_in_order() {
        let mut ranked: Ranked<u32, 3> = Ranked::new();
        for (strength, item) in [(0.1, 1), (0.5, 2), (0.3, 3), (0.5, 4), (0.2, 5), (0.9, 6)] {
            ranked.offer(strength, item);
        }
        let items: std::vec::Vec<u32> = ranked.iter().map(|(_, item)| item).collect();
        assert_eq!(items, [6, 2, 4]);
    }

    #[test]
    fn no_room_is_no_panic() {
        let mut ranked: Ranked<u32, 0> = Ranked::new();
        ranked.offer(1.0, 1);
        assert_eq!(ranked.iter().count(), 0);
    }
}
