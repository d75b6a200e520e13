use std::error::Error;
use std::fmt;
use std::io;

/// Why a thread cannot be had.
#[derive(Debug)]
pub enum ThreadError {
    /// The system gives no thread.
    Spawn {
        /// The thread.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// It cannot run on these cores.
    Cores {
        /// The thread.
        name: String,
        /// The cores that were asked for.
        cores: Vec<usize>,
        /// What the system said.
        source: io::Error,
    },
    /// It cannot have this priority.
    Priority {
        /// The thread.
        name: String,
        /// The priority that was asked for.
        priority: u8,
        /// What the system said.
        source: io::Error,
    },
    /// A list of cores that is none.
    CoreList {
        /// What was given.
        found: String,
    },
    /// A priority that there is not.
    PriorityRange {
        /// What was given.
        found: u8,
    },
}

impl fmt::Display for ThreadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spawn { name, source } => write!(f, "thread {name}: not started: {source}"),
            Self::Cores {
                name,
                cores,
                source,
            } => write!(
                f,
                "thread {name}: expected cores of this machine that this process may use, found \
                 {cores:?}: {source}"
            ),
            Self::Priority {
                name,
                priority,
                source,
            } => write!(
                f,
                "thread {name}: real-time priority {priority} needs CAP_SYS_NICE or a limit \
                 RLIMIT_RTPRIO of at least {priority} (`ulimit -r`): {source}"
            ),
            Self::CoreList { found } => write!(
                f,
                "cores: expected numbers below 1024 such as \"0,2-3\", found {found:?}"
            ),
            Self::PriorityRange { found } => {
                write!(f, "real-time priority: expected 1 to 99, found {found}")
            }
        }
    }
}

impl Error for ThreadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Spawn { source, .. }
            | Self::Cores { source, .. }
            | Self::Priority { source, .. } => Some(source),
            Self::CoreList { .. } | Self::PriorityRange { .. } => None,
        }
    }
}
