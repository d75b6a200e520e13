//! When the next frame is shown: play, pause, step, seek, speed, and whether anybody watches.

use bevrt_runtime::{Span, Stamp};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A longer time between frames is cut to this.
const LONGEST_GAP: Span = Span::from_milliseconds(1000);
/// A machine that is later than this does not hurry to make up for it.
const FORGIVEN: Duration = Duration::from_millis(250);
/// How many times as fast as real time frames may be shown.
pub const SPEEDS: std::ops::RangeInclusive<f64> = 0.01..=1000.0;

/// What those who watch may ask for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Command {
    /// Go on; from the beginning when the drive is over.
    Play,
    /// Stop at this frame.
    Pause,
    /// One frame more, then stop.
    Step,
    /// Go to a time of the log.
    Seek(Stamp),
    /// So many times as fast as real time.
    Speed(f64),
}

/// What is going on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlaybackState {
    /// Whether frames follow each other by themselves.
    pub is_playing: bool,
    /// Whether the drive is over.
    pub has_ended: bool,
    /// Times as fast as real time.
    pub speed: f64,
    /// Log time of the last frame, or of where it goes on.
    pub position: Stamp,
    /// Seeks so far: frames of different runs do not follow each other.
    pub run: u64,
}

/// What is to be done with a frame that is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Show it.
    Show,
    /// Leave this run: a seek waits, or nothing more is wanted.
    Leave,
}

/// The clock of the view, shared by who makes frames and all who watch.
pub struct Playback {
    inner: Mutex<Inner>,
    changed: Condvar,
}

struct Inner {
    state: PlaybackState,
    begin: Stamp,
    /// Frames to show although it does not play.
    steps: u32,
    seek: Option<Stamp>,
    /// When the last frame was due, and its time.
    last: Option<(Instant, Stamp)>,
    watchers: usize,
    /// End when the drive is over or the last watcher has gone.
    is_once: bool,
    had_watchers: bool,
}

impl Playback {
    /// Plays from `begin` on as soon as somebody watches.
    pub fn new(begin: Stamp, speed: f64, is_once: bool) -> Self {
        Self {
            inner: Mutex::new(Inner {
                state: PlaybackState {
                    is_playing: true,
                    has_ended: false,
                    speed,
                    position: begin,
                    run: 0,
                },
                begin,
                steps: 0,
                seek: None,
                last: None,
                watchers: 0,
                is_once,
                had_watchers: false,
            }),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is going on.
    pub fn state(&self) -> PlaybackState {
        self.lock().state
    }

    /// Does what is asked for; what is going on then.
    pub fn command(&self, command: Command) -> PlaybackState {
        let mut inner = self.lock();
        match command {
            Command::Play => {
                if inner.state.has_ended {
                    let begin = inner.begin;
                    inner.go_to(begin);
                }
                inner.state.is_playing = true;
                inner.steps = 0;
            }
            Command::Pause => inner.state.is_playing = false,
            Command::Step => {
                inner.state.is_playing = false;
                inner.steps = inner.steps.saturating_add(1);
            }
            Command::Seek(to) => {
                inner.go_to(to);
                // What is there is shown, even while it does not play.
                inner.steps = 1;
            }
            Command::Speed(speed) => {
                inner.state.speed = speed.clamp(*SPEEDS.start(), *SPEEDS.end());
            }
        }
        inner.last = None;
        self.changed.notify_all();
        inner.state
    }

    /// Somebody watches.
    pub fn enter(&self) {
        let mut inner = self.lock();
        inner.watchers += 1;
        inner.had_watchers = true;
        self.changed.notify_all();
    }

    /// Somebody watches no longer.
    pub fn leave(&self) {
        let mut inner = self.lock();
        inner.watchers -= 1;
        inner.last = None;
        self.changed.notify_all();
    }

    /// Waits until somebody watches; whether the view goes on at all.
    pub fn wait_for_watchers(&self) -> bool {
        let mut inner = self.lock();
        while inner.watchers == 0 && !inner.is_over() {
            inner = self.wait(inner, None);
        }
        !inner.is_over()
    }

    /// Whether the run must be left now, whatever it does.
    pub fn must_leave(&self) -> bool {
        let inner = self.lock();
        inner.seek.is_some() || inner.is_over()
    }

    /// Waits until a frame of log time `time` is to be shown.
    pub fn wait_turn(&self, time: Stamp) -> Turn {
        let mut inner = self.lock();
        loop {
            if inner.seek.is_some() || inner.is_over() {
                return Turn::Leave;
            }
            let is_watched = inner.watchers > 0;
            if is_watched && inner.steps > 0 {
                inner.steps -= 1;
                inner.show(time, Instant::now());
                return Turn::Show;
            }
            if !is_watched || !inner.state.is_playing {
                inner = self.wait(inner, None);
                continue;
            }
            let now = Instant::now();
            let due = inner.due(time, now);
            if due <= now {
                inner.show(time, due);
                return Turn::Show;
            }
            inner = self.wait(inner, Some(due - now));
        }
    }

    /// The drive is over.
    pub fn end(&self) -> PlaybackState {
        let mut inner = self.lock();
        // A seek that came meanwhile goes on from there.
        if inner.seek.is_none() {
            inner.state.has_ended = true;
            inner.state.is_playing = false;
            inner.steps = 0;
        }
        inner.state
    }

    /// Waits for a seek: where the next run begins; `None` when nothing more is wanted.
    pub fn next_run(&self) -> Option<Stamp> {
        let mut inner = self.lock();
        loop {
            if inner.is_over() || (inner.is_once && inner.state.has_ended) {
                return None;
            }
            if let Some(to) = inner.seek.take() {
                return Some(to);
            }
            inner = self.wait(inner, None);
        }
    }

    fn wait<'a>(
        &self,
        inner: MutexGuard<'a, Inner>,
        most: Option<Duration>,
    ) -> MutexGuard<'a, Inner> {
        match most {
            None => self
                .changed
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner),
            Some(most) => {
                let (inner, _) = self
                    .changed
                    .wait_timeout(inner, most)
                    .unwrap_or_else(PoisonError::into_inner);
                inner
            }
        }
    }
}

impl Inner {
    fn is_over(&self) -> bool {
        self.is_once && self.had_watchers && self.watchers == 0
    }

    fn go_to(&mut self, to: Stamp) {
        self.seek = Some(to);
        self.state.position = to;
        self.state.has_ended = false;
        self.state.run += 1;
    }

    fn due(&self, time: Stamp, now: Instant) -> Instant {
        let Some((due, before)) = self.last else {
            return now;
        };
        let gap = time.since(before).max(Span::ZERO).min(LONGEST_GAP);
        let due = due + Duration::from_secs_f64(gap.seconds() / self.state.speed);
        if due + FORGIVEN < now { now } else { due }
    }

    fn show(&mut self, time: Stamp, due: Instant) {
        self.last = Some((due, time));
        self.state.position = time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::thread;

    fn at(milliseconds: i64) -> Stamp {
        Stamp::from_nanoseconds(milliseconds * 1_000_000)
    }

    #[test]
    fn nothing_is_shown_before_somebody_watches() {
        let playback = Arc::new(Playback::new(at(0), 1.0, false));
        let waiting = {
            let playback = Arc::clone(&playback);
            thread::spawn(move || playback.wait_turn(at(0)))
        };
        thread::sleep(Duration::from_millis(20));
        assert!(!waiting.is_finished());
        playback.enter();
        assert_eq!(waiting.join().expect("no panic"), Turn::Show);
    }

    #[test]
    fn a_step_shows_one_frame_and_a_seek_leaves_the_run() {
        let playback = Playback::new(at(0), 1000.0, false);
        playback.enter();
        assert_eq!(playback.wait_turn(at(0)), Turn::Show);
        playback.command(Command::Step);
        assert_eq!(playback.wait_turn(at(100)), Turn::Show);
        assert!(!playback.state().is_playing);
        let state = playback.command(Command::Seek(at(500)));
        assert_eq!((state.run, state.position), (1, at(500)));
        assert!(playback.must_leave());
        assert_eq!(playback.wait_turn(at(200)), Turn::Leave);
        assert_eq!(playback.next_run(), Some(at(500)));
        // The first frame there is shown, although it does not play.
        assert_eq!(playback.wait_turn(at(500)), Turn::Show);
        assert!(!playback.state().is_playing);
    }

    #[test]
    fn frames_keep_their_distance_and_late_ones_do_not_hurry() {
        let playback = Playback::new(at(0), 2.0, false);
        playback.enter();
        let begin = Instant::now();
        for step in 0..3 {
            assert_eq!(playback.wait_turn(at(100 * step)), Turn::Show);
        }
        assert!(begin.elapsed() >= Duration::from_millis(100));
        let inner = playback.lock();
        let (due, _) = inner.last.expect("a frame was shown");
        let late = due + Duration::from_secs(5);
        assert_eq!(inner.due(at(300), late), late);
        let gap = inner.due(at(100_000), due) - due;
        assert_eq!(gap, Duration::from_millis(500));
    }

    #[test]
    fn play_begins_anew_when_the_drive_is_over() {
        let playback = Playback::new(at(7), 1.0, false);
        playback.enter();
        assert!(playback.end().has_ended);
        let state = playback.command(Command::Play);
        assert!(state.is_playing && !state.has_ended);
        assert_eq!(playback.next_run(), Some(at(7)));
    }

    #[test]
    fn once_ends_with_the_drive_or_with_the_last_watcher() {
        let playback = Playback::new(at(0), 1.0, true);
        assert!(!playback.must_leave());
        playback.enter();
        playback.leave();
        assert!(playback.must_leave());
        assert_eq!(playback.wait_turn(at(0)), Turn::Leave);
        let playback = Playback::new(at(0), 1.0, true);
        playback.enter();
        playback.end();
        assert_eq!(playback.next_run(), None);
    }

    #[test]
    fn speeds_stay_within_their_limits() {
        let playback = Playback::new(at(0), 1.0, false);
        for (asked, given) in [(0.0, 0.01), (f64::INFINITY, 1000.0), (3.0, 3.0)] {
            assert_eq!(playback.command(Command::Speed(asked)).speed, given);
        }
    }
}
