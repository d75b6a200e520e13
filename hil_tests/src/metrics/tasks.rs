//! What is scored: a data set without labels for a task masks that task.

use super::lanes::LaneFamily;

/// Something that is scored by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Task {
    /// Road users and cones.
    Objects = 0,
    /// Recall of objects that are hidden now.
    HiddenObjects = 1,
    /// Painted lines.
    PaintedLanes = 2,
    /// Ends of the road surface.
    RoadEdges = 3,
    /// Arrows on the road.
    Arrows = 4,
    /// Crosswalks.
    Crosswalks = 5,
    /// Stop lines.
    StopLines = 6,
    /// Identities of road users over a drive.
    Tracks = 7,
}

impl Task {
    /// Every task.
    pub const ALL: [Self; 8] = [
        Self::Objects,
        Self::HiddenObjects,
        Self::PaintedLanes,
        Self::RoadEdges,
        Self::Arrows,
        Self::Crosswalks,
        Self::StopLines,
        Self::Tracks,
    ];

    /// The task that a line of this marking type belongs to.
    pub fn of_marking(marking: u8) -> Self {
        Self::of_family(LaneFamily::of_marking(marking))
    }

    /// The task that the lines of a family belong to.
    pub fn of_family(family: LaneFamily) -> Self {
        match family {
            LaneFamily::Painted => Self::PaintedLanes,
            LaneFamily::RoadEdge => Self::RoadEdges,
        }
    }

    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Objects => "objects",
            Self::HiddenObjects => "hidden objects",
            Self::PaintedLanes => "painted lanes",
            Self::RoadEdges => "road edges",
            Self::Arrows => "arrows",
            Self::Crosswalks => "crosswalks",
            Self::StopLines => "stop lines",
            Self::Tracks => "tracks",
        }
    }
}

/// A set of tasks; all of them unless something else is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tasks(u8);

impl Default for Tasks {
    fn default() -> Self {
        Self::of(&Task::ALL)
    }
}

impl Tasks {
    /// No task.
    pub const NONE: Self = Self(0);

    /// These tasks.
    pub fn of(tasks: &[Task]) -> Self {
        Self(tasks.iter().fold(0, |set, task| set | 1 << *task as u8))
    }

    /// Whether a task is one of them.
    pub fn contains(self, task: Task) -> bool {
        self.0 & 1 << task as u8 != 0
    }

    /// Whether lines of any family are among them.
    pub fn contains_lanes(self) -> bool {
        self.contains(Task::PaintedLanes) || self.contains(Task::RoadEdges)
    }

    /// Those of either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The set without one task.
    #[must_use]
    pub fn without(self, task: Task) -> Self {
        Self(self.0 & !(1 << task as u8))
    }

    /// Those that are not in the set.
    pub fn masked(self) -> impl Iterator<Item = Task> {
        Task::ALL
            .into_iter()
            .filter(move |task| !self.contains(*task))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_it_was_made_of() {
        let tasks = Tasks::of(&[Task::Objects, Task::StopLines]);
        assert!(tasks.contains(Task::Objects) && tasks.contains(Task::StopLines));
        assert!(!tasks.contains(Task::Arrows) && !tasks.contains_lanes());
        assert_eq!(tasks.masked().count(), 6);
        assert_eq!(Tasks::default().masked().next(), None);
        assert_eq!(Tasks::NONE.union(tasks), tasks);
        assert_eq!(tasks.without(Task::StopLines), Tasks::of(&[Task::Objects]));
    }
}
