//! The terminal, taken over and given back whatever happens.

use std::io::{self, BufWriter, Stderr, Write as _, stderr};
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use rustix::process::{Signal, getpid, kill_process};

use super::Sources;
use super::state::State;
use super::view;

/// How long keys are waited for before what was published is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Whether the terminal is taken over.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal of stderr, taken over until it is dropped: stdout is the report's. Whoever takes it over handles SIGINT:
/// where nothing does, Ctrl-C would end the process before the terminal is given back.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Stderr>>>,
}

/// What someone did at the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Asked for the end of the run.
    End,
    /// Changed the size of the terminal.
    Redraw,
}

impl Screen {
    /// Takes the terminal over.
    pub(super) fn enter() -> io::Result<Self> {
        give_back_on_panic();
        TAKEN.store(true, Ordering::SeqCst);
        let entered = enable_raw_mode()
            .and_then(|()| execute!(stderr(), EnterAlternateScreen))
            .and_then(|()| Terminal::new(CrosstermBackend::new(BufWriter::new(stderr()))));
        match entered {
            Ok(terminal) => Ok(Self { terminal }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Shows the run until it or the view is ended.
    pub(super) fn show(mut self, sources: Sources, ended: &Receiver<()>) -> io::Result<()> {
        // After a panic elsewhere the terminal is no longer its own.
        let given_back = || !TAKEN.load(Ordering::SeqCst);
        let ended = || given_back() || ended.try_recv() == Err(TryRecvError::Disconnected);
        show(
            &mut self.terminal,
            sources,
            &ended,
            &mut next_action,
            &mut interrupt,
        )
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Draws when something was published or done, until nothing more will be.
pub(super) fn show<B: Backend>(
    terminal: &mut Terminal<B>,
    sources: Sources,
    ended: &dyn Fn() -> bool,
    next: &mut dyn FnMut() -> io::Result<Option<Action>>,
    end: &mut dyn FnMut(),
) -> io::Result<()>
where
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let mut state = State::new(sources);
    let mut old = true;
    while let Some(changed) = state.refresh() {
        if ended() {
            break;
        }
        if old || changed {
            terminal
                .draw(|frame| view::draw(frame, &state))
                .map_err(io::Error::other)?;
        }
        let action = next()?;
        old = action.is_some();
        if action == Some(Action::End) {
            state.ends += 1;
            end();
        }
    }
    Ok(())
}

/// Waits a little for what someone does.
fn next_action() -> io::Result<Option<Action>> {
    if !event::poll(LOOK)? {
        return Ok(None);
    }
    Ok(action(&event::read()?))
}

/// What an event asks for.
pub(super) fn action(event: &Event) -> Option<Action> {
    match event {
        Event::Resize(..) => Some(Action::Redraw),
        Event::Key(KeyEvent {
            code: KeyCode::Char(key),
            modifiers,
            kind: KeyEventKind::Press,
            ..
        }) => {
            let control = modifiers.contains(KeyModifiers::CONTROL);
            matches!((key, control), ('q', false) | ('c', true)).then_some(Action::End)
        }
        _ => None,
    }
}

/// What Ctrl-C does where the terminal is not taken over.
fn interrupt() {
    // It can only fail where this process is not there.
    let _ = kill_process(getpid(), Signal::INT);
}

/// Gives the terminal back before a panic prints.
fn give_back_on_panic() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            give_back();
            usual(panic);
        }));
    });
}

/// As it was, once.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // A terminal that is gone needs nothing back.
        let _ = disable_raw_mode();
        let _ = execute!(stderr(), LeaveAlternateScreen, Show);
        let _ = stderr().flush();
    }
}
